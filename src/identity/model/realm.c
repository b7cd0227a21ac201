/*
 * Snapshots: a realm's documents, read into what the protocol needs, with an index for each way of looking something up.
 * Immutable once built; the last reference frees it.
 *
 * A reference to a document that isn't there is left out without a word: draft_delete removes references, so that only a
 * database changed by hand has them.
 */
#include "identity/model/internal.h"

const char *const realm_kind_names[KIND_COUNT] = {
    [KIND_CLIENT] = "client",
    [KIND_ROLE] = "role",
    [KIND_GROUP] = "group",
    [KIND_SCOPE] = "scope",
    [KIND_COMPONENT] = "component",
    [KIND_FLOW] = "flow",
    [KIND_FLOW_CONFIG] = "flow-config",
    [KIND_REQUIRED_ACTION] = "required-action",
    [KIND_IDP] = "idp",
    [KIND_IDP_MAPPER] = "idp-mapper",
};

/* ---- JSON ---- */

size_t json_strings(struct arena *a, const json_t *object, const char *key, const struct str **ret)
{
    const json_t *array = json_object_get(object, key);
    size_t n = json_array_size(array), used = 0;
    struct str *list = arena_array(a, struct str, n);

    for (size_t i = 0; i < n; i++) {
        struct str s = json_str(json_array_get(array, i));
        if (!str_is_null(s))
            list[used++] = s;
    }
    *ret = list;
    return used;
}

struct str json_text(struct arena *a, const json_t *j)
{
    char *text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);

    if (!text)
        abort();
    struct str s = arena_str(a, str_from_cstr(text));
    free(text);
    return s;
}

json_t *json_of(struct str s)
{
    return json_stringn_nocheck(s.p ? s.p : "", s.n);
}

void json_put_str(json_t *object, const char *key, struct str s)
{
    if (str_is_null(s))
        json_object_del(object, key);
    else
        json_object_set_new(object, key, json_of(s));
}

struct str json_inner(const json_t *object, const char *outer, const char *inner)
{
    return json_str(json_object_get(json_object_get(object, outer), inner));
}

struct str json_first(const json_t *config, const char *key)
{
    return json_str(json_array_get(json_object_get(config, key), 0));
}

void json_put_first(json_t *config, const char *key, struct str s)
{
    json_t *array = json_array();

    json_array_append_new(array, json_of(s));
    json_object_set_new(config, key, array);
}

bool json_array_has(const json_t *array, struct str s)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (str_eq(json_str(json_array_get(array, i)), s))
            return true;
    return false;
}

void json_array_remove_str(json_t *array, struct str s)
{
    for (size_t i = json_array_size(array); i-- > 0;)
        if (str_eq(json_str(json_array_get(array, i)), s))
            json_array_remove(array, i);
}

void json_new_id(json_t *doc)
{
    char id[UUID_TEXT_SIZE];

    uuid_v4(id);
    json_object_set_new(doc, "id", json_string(id));
}

/* ---- building ---- */

static struct str doc_id(const json_t *doc)
{
    return json_opt_str(doc, "id", STR(""));
}

static bool is_set(const json_t *doc, const char *attribute)
{
    return str_eq(json_inner(doc, "attributes", attribute), STR("true"));
}

static struct str or_null(struct str s)
{
    return s.n ? s : STR_NULL;
}

static size_t read_mappers(struct arena *a, const json_t *doc, const struct protocol_mapper **ret)
{
    const json_t *array = json_object_get(doc, "protocolMappers");
    size_t n = json_array_size(array);
    struct protocol_mapper *list = arena_array(a, struct protocol_mapper, n);

    for (size_t i = 0; i < n; i++) {
        json_t *m = json_array_get(array, i);
        list[i] = (struct protocol_mapper){
            .id = doc_id(m),
            .name = json_opt_str(m, "name", STR("")),
            .kind = json_opt_str(m, "protocolMapper", STR("")),
            .config = json_object_get(m, "config"),
            .rep = m,
        };
    }
    *ret = list;
    return n;
}

/* The objects that the ids at a key name. */
static size_t read_references(struct arena *a, const json_t *doc, const char *key, const struct map *by_id,
                              const void ***ret)
{
    const json_t *ids = json_object_get(doc, key);
    const void **list = (const void **)arena_array(a, void *, json_array_size(ids));
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(ids); i++) {
        const void *p = map_get(by_id, json_str(json_array_get(ids, i)));
        if (p)
            list[n++] = p;
    }
    *ret = list;
    return n;
}

#define READ_REFERENCES(a, doc, key, by_id, ret) read_references(a, doc, key, by_id, (const void ***)(void *)(ret))

static int by_scope_name(const void *a, const void *b)
{
    const struct client_scope *x = *(const struct client_scope *const *)a, *y = *(const struct client_scope *const *)b;
    return str_cmp(x->name, y->name);
}

static int by_client_id(const void *a, const void *b)
{
    const struct client *x = *(const struct client *const *)a, *y = *(const struct client *const *)b;
    return str_cmp(x->client_id, y->client_id);
}

static int by_role_name(const void *a, const void *b)
{
    const struct role *x = *(const struct role *const *)a, *y = *(const struct role *const *)b;
    return str_cmp(x->name, y->name);
}

static int by_group_name(const void *a, const void *b)
{
    const struct group *x = *(const struct group *const *)a, *y = *(const struct group *const *)b;
    return str_cmp(x->name, y->name);
}

static void sort(const void *list, size_t n, int (*compare)(const void *, const void *))
{
    if (n > 1)
        qsort((void *)list, n, sizeof(void *), compare);
}

static void build_scopes(struct realm *r, struct realm_internal *in)
{
    const struct doc_list *docs = &in->docs[KIND_SCOPE];
    const json_t *defaults = json_object_get(r->rep, "$default"), *optional = json_object_get(r->rep, "$optional");
    const struct client_scope **list = (const struct client_scope **)arena_array(&in->arena, struct client_scope *,
                                                                                 docs->n);

    for (size_t i = 0; i < docs->n; i++) {
        struct client_scope *s = arena_new(&in->arena, struct client_scope);
        s->rep = docs->items[i];
        s->id = doc_id(s->rep);
        s->name = json_opt_str(s->rep, "name", STR(""));
        s->is_default = json_array_has(defaults, s->id);
        s->is_optional = json_array_has(optional, s->id);
        s->in_token_scope = !str_eq(json_inner(s->rep, "attributes", "include.in.token.scope"), STR("false"));
        s->mapper_count = read_mappers(&in->arena, s->rep, &s->mappers);
        map_set(&in->scopes, s->name, s);
        map_set(&in->scopes_by_id, s->id, s);
        list[i] = s;
    }
    sort(list, docs->n, by_scope_name);
    r->scopes = list;
    r->scope_count = docs->n;
}

static void build_clients(struct realm *r, struct realm_internal *in)
{
    const struct doc_list *docs = &in->docs[KIND_CLIENT];
    struct arena *a = &in->arena;
    const struct client **list = (const struct client **)arena_array(a, struct client *, docs->n);

    for (size_t i = 0; i < docs->n; i++) {
        struct client *c = arena_new(a, struct client);
        json_t *rep = docs->items[i];

        c->rep = rep;
        c->id = doc_id(rep);
        c->client_id = json_opt_str(rep, "clientId", STR(""));
        c->enabled = json_opt_bool(rep, "enabled", true);
        c->is_public = json_opt_bool(rep, "publicClient", false);
        c->bearer_only = json_opt_bool(rep, "bearerOnly", false);
        c->consent_required = json_opt_bool(rep, "consentRequired", false);
        c->standard_flow = json_opt_bool(rep, "standardFlowEnabled", true);
        c->implicit_flow = json_opt_bool(rep, "implicitFlowEnabled", false);
        c->direct_grants = json_opt_bool(rep, "directAccessGrantsEnabled", false);
        c->service_accounts = json_opt_bool(rep, "serviceAccountsEnabled", false);
        c->full_scope = json_opt_bool(rep, "fullScopeAllowed", true);
        c->device_flow = is_set(rep, "oauth2.device.authorization.grant.enabled");
        c->token_exchange = is_set(rep, "standard.token.exchange.enabled");
        c->pkce_method = or_null(json_inner(rep, "attributes", "pkce.code.challenge.method"));
        c->root_url = json_opt_str(rep, "rootUrl", STR_NULL);
        if (!c->is_public && !c->bearer_only)
            c->secret = json_opt_str(rep, "secret", STR_NULL);
        c->redirect_uri_count = json_strings(a, rep, "redirectUris", &c->redirect_uris);
        c->web_origin_count = json_strings(a, rep, "webOrigins", &c->web_origins);
        c->default_scope_count = READ_REFERENCES(a, rep, "$default", &in->scopes_by_id, &c->default_scopes);
        c->optional_scope_count = READ_REFERENCES(a, rep, "$optional", &in->scopes_by_id, &c->optional_scopes);
        c->mapper_count = read_mappers(a, rep, &c->mappers);
        map_set(&in->clients, c->client_id, c);
        map_set(&in->clients_by_id, c->id, c);
        list[i] = c;
    }
    sort(list, docs->n, by_client_id);
    r->clients = list;
    r->client_count = docs->n;
}

static void build_roles(struct realm *r, struct realm_internal *in)
{
    const struct doc_list *docs = &in->docs[KIND_ROLE];
    struct arena *a = &in->arena;
    struct role **all = arena_array(a, struct role *, docs->n);
    const struct role **of_realm = (const struct role **)arena_array(a, struct role *, docs->n);
    size_t realm_count = 0, n = 0;

    for (size_t i = 0; i < docs->n; i++) {
        struct str client = json_str(json_object_get(docs->items[i], "$client"));
        struct client *c = str_is_null(client) ? NULL : map_get(&in->clients_by_id, client);
        if (!c && !str_is_null(client))
            continue;

        struct role *role = arena_new(a, struct role);
        role->rep = docs->items[i];
        role->id = doc_id(role->rep);
        role->name = json_opt_str(role->rep, "name", STR(""));
        role->client = c;
        if (c) {
            c->role_count++;
        } else {
            of_realm[realm_count++] = role;
            map_set(&in->realm_roles, role->name, role);
        }
        map_set(&in->roles_by_id, role->id, role);
        all[n++] = role;
    }
    sort(all, n, by_role_name);
    sort(of_realm, realm_count, by_role_name);
    for (size_t i = 0; i < n; i++) {
        struct role *role = all[i];
        role->index = i;
        role->composite_count = READ_REFERENCES(a, role->rep, "$parts", &in->roles_by_id, &role->composites);
        if (role->client) {
            struct client *c = map_get(&in->clients_by_id, role->client->id);
            if (!c->roles) {
                c->roles = (const struct role **)arena_array(a, struct role *, c->role_count);
                c->role_count = 0;
            }
            c->roles[c->role_count++] = role;
        }
    }
    r->roles = of_realm;
    r->role_count = realm_count;
    r->all_roles = (const struct role *const *)all;
    r->all_role_count = n;
    r->default_role = map_get(&in->roles_by_id, json_str(json_object_get(r->rep, "$defaultRole")));
    for (size_t i = 0; i < r->client_count; i++) {
        struct client *c = map_get(&in->clients_by_id, r->clients[i]->id);
        c->scope_role_count = READ_REFERENCES(a, c->rep, "$roles", &in->roles_by_id, &c->scope_roles);
    }
    for (size_t i = 0; i < r->scope_count; i++) {
        struct client_scope *s = map_get(&in->scopes_by_id, r->scopes[i]->id);
        s->scope_role_count = READ_REFERENCES(a, s->rep, "$roles", &in->roles_by_id, &s->scope_roles);
    }
}

/* The path needs the parents' names first: at most GROUP_DEPTH_MAX of them, which changes check. */
enum { GROUP_DEPTH_MAX = 32 };

static struct str group_path(struct arena *a, const struct group *g, int depth)
{
    if (g->path.p || depth > GROUP_DEPTH_MAX)
        return g->path;
    struct str above = g->parent ? group_path(a, g->parent, depth + 1) : STR("");
    return arena_printf(a, "%.*s/%.*s", STR_ARG(above), STR_ARG(g->name));
}

static void build_groups(struct realm *r, struct realm_internal *in)
{
    const struct doc_list *docs = &in->docs[KIND_GROUP];
    struct arena *a = &in->arena;
    struct group **list = arena_array(a, struct group *, docs->n);

    for (size_t i = 0; i < docs->n; i++) {
        struct group *g = arena_new(a, struct group);
        g->rep = docs->items[i];
        g->id = doc_id(g->rep);
        g->name = json_opt_str(g->rep, "name", STR(""));
        g->role_count = READ_REFERENCES(a, g->rep, "$roles", &in->roles_by_id, &g->roles);
        map_set(&in->groups_by_id, g->id, g);
        list[i] = g;
    }
    sort(list, docs->n, by_group_name);
    for (size_t i = 0; i < docs->n; i++) {
        struct group *parent = map_get(&in->groups_by_id, json_str(json_object_get(list[i]->rep, "$parent")));
        list[i]->parent = parent;
        if (parent)
            parent->child_count++;
    }
    for (size_t i = 0; i < docs->n; i++) {
        struct group *g = list[i], *parent = g->parent ? map_get(&in->groups_by_id, g->parent->id) : NULL;
        g->path = group_path(a, g, 0);
        map_set(&in->groups_by_path, g->path, g);
        if (parent) {
            if (!parent->children) {
                parent->children = (const struct group **)arena_array(a, struct group *, parent->child_count);
                parent->child_count = 0;
            }
            parent->children[parent->child_count++] = g;
        }
    }
    r->groups = (const struct group **)list;
    r->group_count = docs->n;
}

static int by_priority(const void *a, const void *b)
{
    const struct realm_key *x = a, *y = b;
    return (x->priority < y->priority) - (x->priority > y->priority);
}

static void build_keys(struct realm *r, struct realm_internal *in)
{
    const struct doc_list *docs = &in->docs[KIND_COMPONENT];
    struct realm_key *keys = arena_array(&in->arena, struct realm_key, docs->n);
    size_t n = 0;

    for (size_t i = 0; i < docs->n; i++)
        if (key_from_component(&in->arena, docs->items[i], &keys[n]))
            n++;
    /* The newest first among those of the same priority, so that a new key is used at once. */
    for (size_t i = 0; i < n / 2; i++) {
        struct realm_key k = keys[i];
        keys[i] = keys[n - 1 - i];
        keys[n - 1 - i] = k;
    }
    if (n > 1)
        qsort(keys, n, sizeof(*keys), by_priority);
    r->keys = keys;
    r->key_count = n;
}

static void read_settings(struct realm *r)
{
    const json_t *j = r->rep;

    r->id = doc_id(j);
    r->name = json_opt_str(j, "realm", STR(""));
    r->enabled = json_opt_bool(j, "enabled", false);
    r->access_token_lifespan = json_opt_i64(j, "accessTokenLifespan", 300);
    r->sso_idle = json_opt_i64(j, "ssoSessionIdleTimeout", 1800);
    r->sso_max = json_opt_i64(j, "ssoSessionMaxLifespan", 36000);
    r->offline_idle = json_opt_i64(j, "offlineSessionIdleTimeout", 2592000);
    r->offline_max = json_opt_i64(j, "offlineSessionMaxLifespan", 5184000);
    r->client_session_idle = json_opt_i64(j, "clientSessionIdleTimeout", 0);
    r->client_session_max = json_opt_i64(j, "clientSessionMaxLifespan", 0);
    r->code_lifespan = json_opt_i64(j, "accessCodeLifespan", 60);
    r->login_lifespan = json_opt_i64(j, "accessCodeLifespanLogin", 1800);
    r->user_action_lifespan = json_opt_i64(j, "accessCodeLifespanUserAction", 300);
    r->device_code_lifespan = json_opt_i64(j, "oauth2DeviceCodeLifespan", 600);
    r->device_interval = json_opt_i64(j, "oauth2DevicePollingInterval", 5);
    r->not_before = json_opt_i64(j, "notBefore", 0);
    r->revoke_refresh_token = json_opt_bool(j, "revokeRefreshToken", false);
    r->offline_max_enabled = json_opt_bool(j, "offlineSessionMaxLifespanEnabled", false);
    r->remember_me = json_opt_bool(j, "rememberMe", false);
    r->login_with_email = json_opt_bool(j, "loginWithEmailAllowed", true);
    r->duplicate_emails = json_opt_bool(j, "duplicateEmailsAllowed", false);
    r->refresh_token_max_reuse = json_opt_i64(j, "refreshTokenMaxReuse", 0);
    r->signature_algorithm = json_opt_str(j, "defaultSignatureAlgorithm", STR("RS256"));
}

struct realm *realm_build(json_t *rep, struct doc_list docs[KIND_COUNT], int64_t version)
{
    struct realm *r = calloc(1, sizeof(*r));
    struct realm_internal *in = calloc(1, sizeof(*in));

    if (!r || !in)
        abort();
    /* A realm's size is bounded where it is imported; its arena isn't. */
    arena_init(&in->arena, SIZE_MAX);
    in->references = 1;
    in->version = version;
    for (int k = 0; k < KIND_COUNT; k++) {
        in->docs[k] = docs[k];
        docs[k] = (struct doc_list){0};
        for (size_t i = 0; i < in->docs[k].n; i++)
            map_set(&in->by_id[k], doc_id(in->docs[k].items[i]), in->docs[k].items[i]);
    }
    r->rep = rep;
    r->internal = in;
    read_settings(r);
    build_scopes(r, in);
    build_clients(r, in);
    build_roles(r, in);
    build_groups(r, in);
    build_keys(r, in);
    return r;
}

struct realm *realm_ref(struct realm *r)
{
    struct realm_internal *in = r->internal;

    __atomic_add_fetch(&in->references, 1, __ATOMIC_RELAXED);
    return r;
}

void realm_unref(struct realm *r)
{
    struct realm_internal *in = r->internal;
    struct map *maps[] = {&in->clients,      &in->clients_by_id,  &in->realm_roles, &in->roles_by_id,
                          &in->groups_by_id, &in->groups_by_path, &in->scopes,      &in->scopes_by_id};

    if (__atomic_sub_fetch(&in->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        map_release(maps[i]);
    for (int k = 0; k < KIND_COUNT; k++) {
        map_release(&in->by_id[k]);
        for (size_t i = 0; i < in->docs[k].n; i++)
            json_decref(in->docs[k].items[i]);
        free(in->docs[k].items);
    }
    json_decref(r->rep);
    arena_release(&in->arena);
    free(in);
    free(r);
}

/* ---- looking things up ---- */

static const struct realm_internal *internal(const struct realm *r)
{
    return r->internal;
}

const struct client *realm_client(const struct realm *r, struct str client_id)
{
    return map_get(&internal(r)->clients, client_id);
}

const struct client *realm_client_by_id(const struct realm *r, struct str id)
{
    return map_get(&internal(r)->clients_by_id, id);
}

const struct role *realm_role(const struct realm *r, struct str name)
{
    return map_get(&internal(r)->realm_roles, name);
}

const struct role *realm_role_by_id(const struct realm *r, struct str id)
{
    return map_get(&internal(r)->roles_by_id, id);
}

const struct role *client_role(const struct client *c, struct str name)
{
    for (size_t i = 0; i < c->role_count; i++)
        if (str_eq(c->roles[i]->name, name))
            return c->roles[i];
    return NULL;
}

const struct group *realm_group_by_id(const struct realm *r, struct str id)
{
    return map_get(&internal(r)->groups_by_id, id);
}

const struct group *realm_group_by_path(const struct realm *r, struct str path)
{
    return map_get(&internal(r)->groups_by_path, path);
}

const struct client_scope *realm_scope(const struct realm *r, struct str name)
{
    return map_get(&internal(r)->scopes, name);
}

const struct client_scope *realm_scope_by_id(const struct realm *r, struct str id)
{
    return map_get(&internal(r)->scopes_by_id, id);
}

const struct realm_key *realm_active_key(const struct realm *r, struct str algorithm)
{
    for (size_t i = 0; i < r->key_count; i++)
        if (r->keys[i].status == REALM_KEY_ACTIVE && str_eq(r->keys[i].algorithm, algorithm))
            return &r->keys[i];
    return NULL;
}

const struct realm_key *realm_key(const struct realm *r, struct str kid)
{
    for (size_t i = 0; i < r->key_count; i++)
        if (r->keys[i].status != REALM_KEY_DISABLED && str_eq(r->keys[i].kid, kid))
            return &r->keys[i];
    return NULL;
}

json_t *realm_doc(const struct realm *r, enum realm_kind kind, struct str id)
{
    return map_get(&internal(r)->by_id[kind], id);
}

json_t *const *realm_docs(const struct realm *r, enum realm_kind kind, size_t *ret_n)
{
    *ret_n = internal(r)->docs[kind].n;
    return internal(r)->docs[kind].items;
}

size_t role_expand(const struct realm *r, struct arena *a, const struct role *const *roles, size_t n,
                   const struct role ***ret)
{
    unsigned char *seen = arena_array(a, unsigned char, r->all_role_count);
    const struct role **list = (const struct role **)arena_array(a, struct role *, r->all_role_count);
    size_t used = 0;

    for (size_t i = 0; i < n; i++)
        if (!seen[roles[i]->index]) {
            seen[roles[i]->index] = 1;
            list[used++] = roles[i];
        }
    for (size_t i = 0; i < used; i++)
        for (size_t k = 0; k < list[i]->composite_count; k++) {
            const struct role *part = list[i]->composites[k];
            if (!seen[part->index]) {
                seen[part->index] = 1;
                list[used++] = part;
            }
        }
    *ret = list;
    return used;
}
