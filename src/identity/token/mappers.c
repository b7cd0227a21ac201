/*
 * Protocol mappers: Keycloak's, by the kind that a client's or scope's configuration names. Each is a function that looks
 * at the subject and puts claims in. Which tokens a mapper is for is in its configuration and decided here, once for all.
 */
#include "base/log.h"
#include "http/url.h"
#include "identity/token/internal.h"

/* The mappers that run before others are given to change what those see: roles renamed, added, then made audiences. */
enum { PRIORITY_ROLE_NAME = 10, PRIORITY_HARDCODED_ROLE = 20, PRIORITY_AUDIENCE_RESOLVE = 30, PRIORITY_ROLE = 40 };

struct mapping {
    struct token_subject *subject;
    const struct protocol_mapper *mapper;
    const json_t *config;
    enum token_target target;
    json_t *claims;
    VEC(struct token_role) roles; /* in the arena */
};

/* ---- values ---- */

static json_t *text(struct str s)
{
    return json_stringn_nocheck(s.p ? s.p : "", s.n);
}

/* The text as jsonType.label says; NULL when it isn't one of these, which leaves the claim out. */
static json_t *typed(const struct mapping *m, struct str value)
{
    struct str type = config_str(m->config, "jsonType.label");
    json_t *parsed = NULL;
    int64_t number;

    if (str_eq(type, STR("long")) || str_eq(type, STR("int")))
        return str_to_i64(value, &number, NULL) == 0 ? json_integer(number) : NULL;
    if (str_eq(type, STR("boolean")))
        return json_boolean(str_eq_nocase(value, STR("true")));
    if (str_eq(type, STR("JSON")))
        return json_parse(value, &parsed, NULL) == 0 ? parsed : NULL;
    return text(value);
}

static void set(const struct mapping *m, json_t *value)
{
    struct str name = config_str(m->config, "claim.name");

    if (!value || !name.p)
        json_decref(value);
    else
        token_set_claim(m->claims, name, value);
}

/* A list of texts: all of them for multivalued mappers, else the first. */
static void set_values(const struct mapping *m, const struct str *values, size_t n)
{
    json_t *list;

    if (n == 0)
        return;
    if (!config_bool(m->config, "multivalued", false)) {
        set(m, typed(m, values[0]));
        return;
    }
    list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *one = typed(m, values[i]);
        if (one)
            json_array_append_new(list, one);
    }
    set(m, list);
}

/* ---- the user ---- */

static struct str property(const struct mapping *m, struct str name)
{
    const struct user *u = m->subject->q->user;

    if (str_eq(name, STR("username")))
        return u->username;
    if (str_eq(name, STR("email")))
        return u->email;
    if (str_eq(name, STR("firstName")))
        return u->first_name;
    if (str_eq(name, STR("lastName")))
        return u->last_name;
    if (str_eq(name, STR("id")))
        return u->id;
    if (str_eq(name, STR("emailVerified")))
        return u->email_verified ? STR("true") : STR("false");
    if (str_eq(name, STR("enabled")))
        return u->enabled ? STR("true") : STR("false");
    if (str_eq(name, STR("createdTimestamp")))
        return arena_printf(m->subject->arena, "%lld", (long long)u->created_ms);
    return STR_NULL;
}

static void map_property(struct mapping *m)
{
    struct str value = property(m, config_str(m->config, "user.attribute"));

    if (value.n)
        set_values(m, &value, 1);
}

struct values {
    VEC(struct str) list;
};

static void add_values(struct mapping *m, struct values *v, const json_t *attributes, struct str name)
{
    const json_t *list = json_object_get(attributes, arena_cstr(m->subject->arena, name)), *one;
    size_t i;

    if (json_is_string(list))
        vec_push_in(m->subject->arena, &v->list, json_str(list));
    json_array_foreach(list, i, one)
    {
        if (json_is_string(one))
            vec_push_in(m->subject->arena, &v->list, json_str(one));
    }
}

static int need_groups(struct token_subject *s, struct err *err)
{
    int rc;

    if (s->has_groups)
        return 0;
    rc = user_groups(s->tokens->context->model, s->q->realm, s->arena, s->q->user, &s->groups, &s->group_count, err);
    s->has_groups = rc == 0;
    return rc;
}

/* The user's own, or what its groups and their parents hand down; with aggregate.attrs all of them. */
static int map_attribute(struct mapping *m, struct err *err)
{
    struct str name = config_str(m->config, "user.attribute"), own;
    bool aggregate = config_bool(m->config, "aggregate.attrs", false);
    struct values v = {{NULL, 0, 0}};
    int rc;

    if (!name.p)
        return 0;
    own = str_eq(name, STR("id")) || str_eq(name, STR("enabled")) || str_eq(name, STR("emailVerified")) ||
                  str_eq(name, STR("createdTimestamp"))
              ? STR_NULL
              : property(m, name);
    if (own.n)
        vec_push_in(m->subject->arena, &v.list, own);
    add_values(m, &v, m->subject->q->user->attributes, name);
    if (v.list.n == 0 || aggregate) {
        rc = need_groups(m->subject, err);
        if (rc < 0)
            return rc;
        for (size_t i = 0; i < m->subject->group_count; i++)
            for (const struct group *g = m->subject->groups[i]; g && (v.list.n == 0 || aggregate); g = g->parent)
                add_values(m, &v, json_object_get(g->rep, "attributes"), name);
    }
    set_values(m, v.list.items, v.list.n);
    return 0;
}

static void map_full_name(struct mapping *m)
{
    const struct user *u = m->subject->q->user;
    struct str name = arena_printf(m->subject->arena, "%.*s%s%.*s", STR_ARG(u->first_name),
                                   u->first_name.n && u->last_name.n ? " " : "", STR_ARG(u->last_name));

    if (name.n)
        json_object_set_new(m->claims, "name", text(name));
}

static void map_address(struct mapping *m)
{
    static const struct {
        const char *claim, *part;
    } parts[] = {{"street_address", "street"},   {"locality", "locality"}, {"region", "region"},
                 {"postal_code", "postal_code"}, {"country", "country"},   {"formatted", "formatted"}};
    json_t *address = json_object();

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct str key = arena_printf(m->subject->arena, "user.attribute.%s", parts[i].part);
        struct str name = config_str(m->config, key.p);
        struct values v = {{NULL, 0, 0}};
        add_values(m, &v, m->subject->q->user->attributes, name.p ? name : str_from_cstr(parts[i].part));
        if (v.list.n)
            json_object_set_new(address, parts[i].claim, text(v.list.items[0]));
    }
    if (json_object_size(address))
        json_object_set(m->claims, "address", address);
    json_decref(address);
}

static int map_groups(struct mapping *m, struct err *err)
{
    bool full_path = config_bool(m->config, "full.path", true);
    int rc = need_groups(m->subject, err);
    json_t *list;

    if (rc < 0 || m->subject->group_count == 0) /* no claim, rather than an empty one */
        return rc;
    list = json_array();
    for (size_t i = 0; i < m->subject->group_count; i++)
        json_array_append_new(list, text(full_path ? m->subject->groups[i]->path : m->subject->groups[i]->name));
    if (json_array_size(list))
        set(m, json_incref(list));
    json_decref(list);
    return 0;
}

/* ---- roles ---- */

static void map_realm_roles(struct mapping *m)
{
    struct str prefix = config_str(m->config, "usermodel.realmRoleMapping.rolePrefix");
    json_t *list = json_array();

    for (size_t i = 0; i < m->roles.n; i++)
        if (str_is_null(m->roles.items[i].client_id))
            json_array_append_new(list, text(arena_printf(m->subject->arena, "%.*s%.*s", STR_ARG(prefix),
                                                          STR_ARG(m->roles.items[i].name))));
    if (json_array_size(list))
        set(m, json_incref(list));
    json_decref(list);
}

/* The claim's name with ${client_id} replaced; the dots of the client's id stay dots of a name. */
static struct str role_claim(struct mapping *m, struct str client_id)
{
    struct str name = config_str(m->config, "claim.name"), mark = STR("${client_id}");
    size_t at = str_find(name, mark, 0);
    BUF_SCOPED struct buf b = {0};

    if (at == SIZE_MAX)
        return name;
    buf_init(&b, 4096);
    buf_add_str(&b, str_slice(name, 0, at));
    for (size_t i = 0; i < client_id.n; i++) {
        if (client_id.p[i] == '.')
            buf_add_char(&b, '\\');
        buf_add_char(&b, client_id.p[i]);
    }
    buf_add_str(&b, str_skip(name, at + mark.n));
    return arena_str(m->subject->arena, buf_str(&b));
}

static void map_client_roles(struct mapping *m)
{
    struct str only = config_str(m->config, "usermodel.clientRoleMapping.clientId");
    struct str prefix = config_str(m->config, "usermodel.clientRoleMapping.rolePrefix");

    if (!config_str(m->config, "claim.name").p)
        return;
    for (size_t i = 0; i < m->roles.n; i++) {
        struct str client = m->roles.items[i].client_id;
        bool is_first = client.p != NULL;
        json_t *list;
        for (size_t k = 0; is_first && k < i; k++)
            is_first = !str_eq(m->roles.items[k].client_id, client);
        if (!is_first || (only.p && !str_eq(only, client)))
            continue;
        list = json_array();
        for (size_t k = i; k < m->roles.n; k++)
            if (str_eq(m->roles.items[k].client_id, client))
                json_array_append_new(list, text(arena_printf(m->subject->arena, "%.*s%.*s", STR_ARG(prefix),
                                                              STR_ARG(m->roles.items[k].name))));
        token_set_claim(m->claims, role_claim(m, client), list);
    }
}

/* "client.role" or "role", as these mappers' settings name roles: a client's id may have dots itself. */
static struct token_role parse_role(const struct mapping *m, struct str s)
{
    for (size_t at = str_find_char(s, '.', 0); at != SIZE_MAX; at = str_find_char(s, '.', at + 1))
        if (realm_client(m->subject->q->realm, str_slice(s, 0, at)))
            return (struct token_role){str_slice(s, 0, at), str_skip(s, at + 1)};
    return (struct token_role){STR_NULL, s};
}

static bool same_role(struct token_role a, struct token_role b)
{
    return str_is_null(a.client_id) == str_is_null(b.client_id) && str_eq(a.client_id, b.client_id) &&
           str_eq(a.name, b.name);
}

static void add_role(struct mapping *m, struct token_role role)
{
    for (size_t i = 0; i < m->roles.n; i++)
        if (same_role(m->roles.items[i], role))
            return;
    vec_push_in(m->subject->arena, &m->roles, role);
}

static void map_hardcoded_role(struct mapping *m)
{
    struct str role = config_str(m->config, "role");

    if (role.p)
        add_role(m, parse_role(m, role));
}

static void map_role_name(struct mapping *m)
{
    struct str from = config_str(m->config, "role"), to = config_str(m->config, "new.role.name");
    struct token_role old;

    if (!from.p || !to.p)
        return;
    old = parse_role(m, from);
    for (size_t i = 0; i < m->roles.n; i++)
        if (same_role(m->roles.items[i], old)) {
            struct token_role renamed = parse_role(m, to);
            if (!renamed.client_id.p && old.client_id.p)
                renamed.client_id = old.client_id;
            m->roles.items[i] = renamed;
        }
}

/* ---- audiences ---- */

static void map_audience(struct mapping *m)
{
    struct str client = config_str(m->config, "included.client.audience");
    struct str custom = config_str(m->config, "included.custom.audience");

    if (client.p)
        token_add_audience(m->claims, client);
    else if (custom.p)
        token_add_audience(m->claims, custom);
}

/* Every client of which the token has a role, but the one that it is made for. */
static void map_audience_resolve(struct mapping *m)
{
    for (size_t i = 0; i < m->roles.n; i++)
        if (m->roles.items[i].client_id.p && !str_eq(m->roles.items[i].client_id, m->subject->q->client->client_id))
            token_add_audience(m->claims, m->roles.items[i].client_id);
}

/* ---- the rest ---- */

static void map_hardcoded(struct mapping *m)
{
    struct str value = config_str(m->config, "claim.value");

    if (value.p)
        set_values(m, &value, 1);
}

static void map_note(struct mapping *m)
{
    const struct token_request *q = m->subject->q;
    struct str name = config_str(m->config, "user.session.note"), value = STR_NULL;

    if (!name.p)
        return;
    if (str_eq(name, STR("AUTH_TIME"))) {
        if (q->session && q->session->auth_time)
            value = arena_printf(m->subject->arena, "%lld", (long long)q->session->auth_time);
    } else if (q->client_host.p && (str_eq(name, STR("clientHost")) || str_eq(name, STR("clientAddress")))) {
        value = q->client_host;
    } else if (q->client_host.p && str_eq(name, STR("client_id"))) {
        value = q->client->client_id;
    } else if (q->session) {
        value = config_str(q->session->notes, arena_cstr(m->subject->arena, name));
    }
    if (value.n)
        set_values(m, &value, 1);
}

static void map_acr(struct mapping *m)
{
    if (m->subject->q->acr.p)
        json_object_set_new(m->claims, "acr", text(m->subject->q->acr));
}

static void map_sub(struct mapping *m)
{
    json_object_set_new(m->claims, "sub", text(m->subject->q->user->id));
}

static void map_session_state(struct mapping *m)
{
    if (m->subject->q->session)
        json_object_set_new(m->claims, "session_state", text(m->subject->q->session->id));
}

static void map_nonce(struct mapping *m)
{
    if (m->subject->q->nonce.p)
        json_object_set_new(m->claims, "nonce", text(m->subject->q->nonce));
}

static void append_once(json_t *list, struct str s)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (str_eq(json_str(one), s))
            return;
    }
    json_array_append_new(list, text(s));
}

/* "+" stands for the origins of the redirect URIs. */
static void map_origins(struct mapping *m)
{
    const struct client *c = m->subject->q->client;
    json_t *list = json_array();

    for (size_t i = 0; i < c->web_origin_count; i++) {
        if (!str_eq(c->web_origins[i], STR("+"))) {
            append_once(list, c->web_origins[i]);
            continue;
        }
        for (size_t k = 0; k < c->redirect_uri_count; k++) {
            struct str uri = c->redirect_uris[k];
            struct http_url u;
            if (uri.n && uri.p[uri.n - 1] == '*')
                uri.n--;
            if (str_starts_with(uri, STR("/")))
                uri = c->root_url;
            if (!uri.p || http_url_parse(m->subject->arena, uri, &u, NULL) < 0 || !http_url_is_web(&u))
                continue;
            append_once(list, u.port_said
                                  ? arena_printf(m->subject->arena, "%.*s://%.*s:%d", STR_ARG(u.scheme),
                                                 STR_ARG(u.host), u.port)
                                  : arena_printf(m->subject->arena, "%.*s://%.*s", STR_ARG(u.scheme), STR_ARG(u.host)));
        }
    }
    if (json_array_size(list))
        json_object_set(m->claims, "allowed-origins", list);
    json_decref(list);
}

/* ---- the table ---- */

enum {
    FOR_ACCESS = 1 << TARGET_ACCESS | 1 << TARGET_LIGHTWEIGHT,
    FOR_ID = 1 << TARGET_ID,
    FOR_USERINFO = 1 << TARGET_USERINFO,
    FOR_INTROSPECTION = 1 << TARGET_INTROSPECTION,
    FOR_API = FOR_ACCESS | FOR_INTROSPECTION,
    FOR_ALL = FOR_API | FOR_ID | FOR_USERINFO,
    FOR_ALWAYS = 1 << 8, /* whatever the configuration's flags say */
};

static const struct kind {
    const char *name;
    int priority, targets;
    void (*map)(struct mapping *m);
    int (*map_reading)(struct mapping *m, struct err *err); /* instead, when the database is asked */
} kinds[] = {
    {"oidc-acr-mapper", 0, FOR_API | FOR_ID, map_acr, NULL},
    {"oidc-address-mapper", 0, FOR_ALL, map_address, NULL},
    {"oidc-allowed-origins-mapper", 0, FOR_API, map_origins, NULL},
    {"oidc-audience-mapper", 0, FOR_API | FOR_ID, map_audience, NULL},
    {"oidc-audience-resolve-mapper", PRIORITY_AUDIENCE_RESOLVE, FOR_API, map_audience_resolve, NULL},
    {"oidc-full-name-mapper", 0, FOR_ALL, map_full_name, NULL},
    {"oidc-group-membership-mapper", 0, FOR_ALL, NULL, map_groups},
    {"oidc-hardcoded-claim-mapper", 0, FOR_ALL, map_hardcoded, NULL},
    {"oidc-hardcoded-role-mapper", PRIORITY_HARDCODED_ROLE, FOR_ALL | FOR_ALWAYS, map_hardcoded_role, NULL},
    {"oidc-nonce-backwards-compatible-mapper", 0, FOR_ACCESS | FOR_ALWAYS, map_nonce, NULL},
    {"oidc-role-name-mapper", PRIORITY_ROLE_NAME, FOR_ALL | FOR_ALWAYS, map_role_name, NULL},
    {"oidc-session-state-mapper", 0, FOR_API | FOR_ID, map_session_state, NULL},
    {"oidc-sub-mapper", 0, FOR_API, map_sub, NULL},
    {"oidc-usermodel-attribute-mapper", 0, FOR_ALL, NULL, map_attribute},
    {"oidc-usermodel-client-role-mapper", PRIORITY_ROLE, FOR_ALL, map_client_roles, NULL},
    {"oidc-usermodel-property-mapper", 0, FOR_ALL, map_property, NULL},
    {"oidc-usermodel-realm-role-mapper", PRIORITY_ROLE, FOR_ALL, map_realm_roles, NULL},
    {"oidc-usersessionmodel-note-mapper", 0, FOR_ALL, map_note, NULL},
    /* Without organizations it has nothing to say. */
    {"oidc-organization-membership-mapper", 0, 0, NULL, NULL},
};

static const struct kind *kind_of(struct tokens *t, struct str name)
{
    bool is_new;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq_cstr(name, kinds[i].name))
            return &kinds[i];
    pthread_rwlock_wrlock(&t->lock);
    is_new = t->warned.n < 64 && !map_has(&t->warned, name);
    if (is_new)
        map_set(&t->warned, name, t);
    pthread_rwlock_unlock(&t->lock);
    if (is_new)
        log_warn("protocol mapper \"%.*s\": this kind isn't supported, its claims are left out", STR_ARG(name));
    return NULL;
}

/* Keycloak's rules for flags that a configuration lacks: userinfo follows the ID token's, introspection the access
 * token's. */
static bool is_for(const struct kind *k, const json_t *config, enum token_target target)
{
    if (!(k->targets & 1 << target))
        return false;
    if (k->targets & FOR_ALWAYS)
        return true;
    switch (target) {
    case TARGET_ACCESS:
        return config_bool(config, "access.token.claim", false);
    case TARGET_LIGHTWEIGHT:
        return config_bool(config, "lightweight.claim", false);
    case TARGET_ID:
        return config_bool(config, "id.token.claim", false);
    case TARGET_USERINFO:
        return config_bool(config, "userinfo.token.claim", config_bool(config, "id.token.claim", false));
    default:
        return config_bool(config, "introspection.token.claim", config_bool(config, "access.token.claim", false));
    }
}

struct step {
    const struct kind *kind;
    const struct protocol_mapper *mapper;
};

struct steps {
    VEC(struct step) list;
};

static void add_steps(struct token_subject *s, struct steps *steps, const struct protocol_mapper *mappers, size_t n,
                      enum token_target target)
{
    for (size_t i = 0; i < n; i++) {
        const struct kind *k = kind_of(s->tokens, mappers[i].kind);
        if (k && is_for(k, mappers[i].config, target)) {
            struct step step = {k, &mappers[i]};
            vec_push_in(s->arena, &steps->list, step);
        }
    }
}

int token_map(struct token_subject *s, enum token_target target, json_t *claims, struct err *err)
{
    static const int priorities[] = {0, PRIORITY_ROLE_NAME, PRIORITY_HARDCODED_ROLE, PRIORITY_AUDIENCE_RESOLVE,
                                     PRIORITY_ROLE};
    struct mapping m = {.subject = s, .target = target, .claims = claims};
    struct steps steps = {{NULL, 0, 0}};
    int rc = 0;

    for (size_t i = 0; i < s->q->scope->n; i++)
        add_steps(s, &steps, s->q->scope->scopes[i]->mappers, s->q->scope->scopes[i]->mapper_count, target);
    add_steps(s, &steps, s->q->client->mappers, s->q->client->mapper_count, target);
    for (size_t i = 0; i < s->role_count; i++) {
        struct token_role role = {s->roles[i]->client ? s->roles[i]->client->client_id : STR_NULL, s->roles[i]->name};
        vec_push_in(s->arena, &m.roles, role);
    }
    for (size_t p = 0; rc == 0 && p < ARRAY_LEN(priorities); p++)
        for (size_t i = 0; rc == 0 && i < steps.list.n; i++) {
            const struct step *step = &steps.list.items[i];
            if (step->kind->priority != priorities[p])
                continue;
            m.mapper = step->mapper;
            m.config = step->mapper->config;
            if (step->kind->map)
                step->kind->map(&m);
            else
                rc = step->kind->map_reading(&m, err);
        }
    return rc;
}
