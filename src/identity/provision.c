#include "identity/provision.h"

#include "base/enc.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"

/* A user's attribute: which value of the secret its password was set from. The secrets have 238 bits: their digest tells
 * nothing about them. */
static const char password_mark[] = "dataplatform.password";

struct provision {
    struct identity *model;
    const struct spec *spec;
    const struct secrets *secrets;
    struct arena *a;
};

static json_t *text(struct str s)
{
    return json_stringn(s.p ? s.p : "", s.n);
}

static json_t *texts(const struct spec_texts *t)
{
    json_t *list = json_array();

    for (size_t i = 0; i < t->n; i++)
        json_array_append_new(list, text(t->items[i]));
    return list;
}

static int find_secret(const struct provision *p, const char *name, struct str *ret, struct err *err)
{
    *ret = secrets_get(p->secrets, name);
    return str_is_empty(*ret) ? err_set(err, ERR_NOT_FOUND, "there is no secret %s: `dataplatform up` makes it", name)
                              : 0;
}

static struct str mark_of(struct arena *a, struct str realm, struct str user, struct str secret)
{
    struct str input = arena_printf(a, "%.*s/%.*s/%.*s", STR_ARG(realm), STR_ARG(user), STR_ARG(secret));
    unsigned char digest[HASH_MAX_SIZE];
    BUF_SCOPED struct buf hex = {0};

    hash_bytes(HASH_SHA256, input, digest);
    explicit_bzero((char *)input.p, input.n);
    buf_init(&hex, 64);
    enc_hex(&hex, digest, 16);
    return arena_str(a, buf_str(&hex));
}

/* ---- the realm, its roles, groups and clients ---- */

/* A new realm of ours is guarded against guessing and keeps its events; both can be changed. */
static int make_realm(const struct provision *p, struct identity_change *c, struct realm_draft **ret, struct err *err)
{
    struct str name = p->spec->identity.realm;
    int rc = identity_change_realm(c, name, ret, err);

    if (rc != ERR_NOT_FOUND)
        return rc;
    *err = (struct err){0};
    JSON_SCOPED json_t *rep = json_pack("{s:o, s:b, s:b, s:b, s:i}", "realm", text(name), "enabled", 1,
                                        "bruteForceProtected", 1, "eventsEnabled", 1, "eventsExpiration",
                                        30 * 24 * 3600);
    rc = identity_import_realm(c, rep, err);
    if (rc == 0)
        log_info("made the realm %.*s", STR_ARG(name));
    return rc < 0 ? rc : identity_change_realm(c, name, ret, err);
}

static int make_roles(const struct provision *p, struct realm_draft *d, struct err *err)
{
    const struct spec_texts *roles = &p->spec->identity.roles;
    struct str id;
    int rc = 0;

    for (size_t i = 0; i < roles->n && rc == 0; i++) {
        if (draft_find(d, KIND_ROLE, "name", roles->items[i], "$client", STR_NULL))
            continue;
        JSON_SCOPED json_t *rep = json_pack("{s:o}", "name", text(roles->items[i]));
        rc = role_create(d, STR_NULL, rep, false, &id, err);
    }
    return rc;
}

static int make_groups(const struct provision *p, struct realm_draft *d, struct err *err)
{
    const struct spec_identity *spec = &p->spec->identity;
    int rc = 0;

    for (size_t i = 0; i < spec->groups.n && rc == 0; i++) {
        const struct spec_identity_group *g = &spec->groups.items[i];
        const json_t *there = draft_find(d, KIND_GROUP, "name", g->name, "$parent", STR_NULL);
        struct str id = there ? json_opt_str(there, "id", STR("")) : STR_NULL;

        if (!there) {
            JSON_SCOPED json_t *rep = json_pack("{s:o}", "name", text(g->name));
            rc = group_create(d, STR_NULL, rep, false, &id, err);
        }
        id = arena_str(p->a, id);
        for (size_t j = 0; j < g->roles.n && rc == 0; j++) {
            const json_t *role = draft_find(d, KIND_ROLE, "name", g->roles.items[j], "$client", STR_NULL);
            struct str role_id = arena_str(p->a, json_opt_str(role, "id", STR("")));
            rc = draft_link(d, KIND_GROUP, id, "$roles", role_id, true, err);
        }
    }
    return rc;
}

/* What the platform's services read from tokens: the user's groups, and that the token is for this client. */
static json_t *mappers(struct str client_id)
{
    return json_pack("[{s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s}}, {s:s, s:s, s:s, s:{s:o, s:s, s:s}}]", "name",
                     "groups", "protocol", "openid-connect", "protocolMapper", "oidc-group-membership-mapper", "config",
                     "claim.name", "groups", "full.path", "false", "id.token.claim", "true", "access.token.claim",
                     "true", "userinfo.token.claim", "true", "name", "audience", "protocol", "openid-connect",
                     "protocolMapper", "oidc-audience-mapper", "config", "included.client.audience", text(client_id),
                     "id.token.claim", "false", "access.token.claim", "true");
}

static struct str joined(struct arena *a, const struct spec_texts *t, const char *between)
{
    BUF_SCOPED struct buf out = {0};

    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < t->n; i++)
        buf_addf(&out, "%s%.*s", i ? between : "", STR_ARG(t->items[i]));
    return arena_str(a, buf_str(&out));
}

/* Only what the file names: flags that it doesn't set, lists that it doesn't have, stay as an administrator made them. */
static json_t *client_rep(const struct provision *p, const struct spec_identity_client *c, struct str secret,
                          bool is_new)
{
    json_t *rep = json_pack("{s:o, s:s}", "clientId", text(c->name), "protocol", "openid-connect");
    json_t *attributes = json_object();
    const struct {
        const char *key;
        bool on;
    } flags[] = {{"publicClient", c->is_public},
                 {"standardFlowEnabled", c->redirect_uris.n > 0},
                 {"serviceAccountsEnabled", c->service_account},
                 {"directAccessGrantsEnabled", c->direct_grants},
                 {"consentRequired", c->consent}};

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (flags[i].on || is_new)
            json_object_set_new(rep, flags[i].key, json_boolean(flags[i].on));
    }
    if (is_new) {
        json_object_set_new(rep, "enabled", json_true());
        json_object_set_new(rep, "protocolMappers", mappers(c->name));
        json_object_set_new(attributes, "post.logout.redirect.uris", json_string("+"));
        json_object_set_new(rep, "webOrigins", json_pack("[s]", "+"));
    }
    if (!str_is_null(secret))
        json_object_set_new(rep, "secret", text(secret));
    if (c->redirect_uris.n)
        json_object_set_new(rep, "redirectUris", texts(&c->redirect_uris));
    if (c->web_origins.n)
        json_object_set_new(rep, "webOrigins", texts(&c->web_origins));
    if (c->post_logout_redirect_uris.n)
        json_object_set_new(attributes, "post.logout.redirect.uris",
                            text(joined(p->a, &c->post_logout_redirect_uris, "##")));
    if (c->device)
        json_object_set_new(attributes, "oauth2.device.authorization.grant.enabled", json_string("true"));
    if (c->is_public)
        json_object_set_new(attributes, "pkce.code.challenge.method", json_string("S256"));
    json_object_set_new(rep, "attributes", attributes);
    return rep;
}

/* An update of what is already so would be written all the same, at every start. */
static bool says_already(const json_t *doc, const json_t *rep)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)rep, key, value)
    {
        const json_t *has = json_object_get(doc, key);
        const char *inner;
        json_t *wanted;
        if (!json_is_object(value)) {
            if (!has || !json_equal(has, value))
                return false;
            continue;
        }
        json_object_foreach(value, inner, wanted)
        {
            const json_t *there = json_object_get(has, inner);
            if (!there || !json_equal(there, wanted))
                return false;
        }
    }
    return true;
}

static int make_client(const struct provision *p, struct identity_change *change, struct realm_draft *d,
                       const struct spec_identity_client *c, struct err *err)
{
    const json_t *there = draft_find(d, KIND_CLIENT, "clientId", c->name, NULL, STR_NULL);
    struct str secret = STR_NULL, id;
    int rc = 0;

    if (!c->is_public)
        rc = find_secret(p, arena_printf(p->a, "identity/clients/%.*s/secret", STR_ARG(c->name)).p, &secret, err);
    if (rc < 0)
        return rc;
    JSON_SCOPED json_t *rep = client_rep(p, c, secret, there == NULL);
    if (!there) {
        rc = client_create(change, d, rep, &id, err);
        if (rc == 0)
            rc = client_sync_service_account(change, d, arena_str(p->a, id), err);
    } else if (!says_already(there, rep)) {
        rc = client_update(change, d, arena_str(p->a, json_opt_str(there, "id", STR(""))), rep, err);
    }
    return rc < 0 ? err_prefix(err, "client %.*s", STR_ARG(c->name)) : 0;
}

static int make_configuration(const struct provision *p, struct err *err)
{
    const struct spec_identity *spec = &p->spec->identity;
    CHANGE_SCOPED struct identity_change *c = NULL;
    struct realm_draft *d;
    int rc = identity_change_begin(p->model, &c, err);

    if (rc == 0)
        rc = make_realm(p, c, &d, err);
    if (rc == 0)
        rc = make_roles(p, d, err);
    if (rc == 0)
        rc = make_groups(p, d, err);
    for (size_t i = 0; i < spec->clients.n && rc == 0; i++)
        rc = make_client(p, c, d, &spec->clients.items[i], err);
    return rc < 0 ? rc : identity_change_commit(c, err);
}

/* ---- users ---- */

static bool has_role(const struct role *const *roles, size_t n, const struct role *role)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(roles[i]->id, role->id))
            return true;
    }
    return false;
}

static int give_roles(const struct provision *p, struct identity_change *c, const struct realm *r,
                      const struct user *known, struct str id, const struct spec_texts *names, struct err *err)
{
    const struct role **has = NULL;
    size_t n = 0;
    int rc = known && names->n ? user_own_roles(p->model, r, p->a, known, &has, &n, err) : 0;

    for (size_t i = 0; i < names->n && rc == 0; i++) {
        const struct role *role = realm_role(r, names->items[i]);
        if (role && !has_role(has, n, role))
            rc = user_add_role(c, r, id, role, err);
    }
    return rc;
}

static int give_groups(const struct provision *p, struct identity_change *c, const struct realm *r,
                       const struct user *known, struct str id, const struct spec_texts *names, struct err *err)
{
    const struct group **has = NULL;
    size_t n = 0;
    int rc = known && names->n ? user_groups(p->model, r, p->a, known, &has, &n, err) : 0;

    for (size_t i = 0; i < names->n && rc == 0; i++) {
        const struct group *g = realm_group_by_path(r, arena_printf(p->a, "/%.*s", STR_ARG(names->items[i])));
        bool is_member = false;
        for (size_t j = 0; j < n; j++)
            is_member |= g && str_eq(has[j]->id, g->id);
        if (g && !is_member)
            rc = user_join_group(c, r, id, g, err);
    }
    return rc;
}

/* The attributes with the mark of this secret; NULL: they have it. */
static json_t *marked(const struct user *known, struct str mark)
{
    json_t *attributes = known && known->attributes ? json_copy(known->attributes) : json_object();
    const json_t *had = json_array_get(json_object_get(attributes, password_mark), 0);

    if (had && str_eq(json_str(had), mark)) {
        json_decref(attributes);
        return NULL;
    }
    json_object_set_new(attributes, password_mark, json_pack("[o]", text(mark)));
    return attributes;
}

static bool says_user(const struct user *known, const json_t *rep)
{
    return (!json_object_get(rep, "email") || str_eq(json_opt_str(rep, "email", STR("")), known->email)) &&
           (!json_object_get(rep, "firstName") || str_eq(json_opt_str(rep, "firstName", STR("")), known->first_name)) &&
           (!json_object_get(rep, "lastName") || str_eq(json_opt_str(rep, "lastName", STR("")), known->last_name)) &&
           !json_object_get(rep, "attributes");
}

static int make_user(const struct provision *p, struct identity_change *c, const struct realm *r,
                     const struct spec_identity_user *u, struct err *err)
{
    const struct {
        const char *key;
        struct str value;
    } members[] = {{"email", u->email}, {"firstName", u->first_name}, {"lastName", u->last_name}};
    struct user user, *known = NULL;
    struct str password, id;
    int rc = find_secret(p, arena_printf(p->a, "identity/users/%.*s/password", STR_ARG(u->name)).p, &password, err);

    if (rc < 0)
        return rc;
    rc = user_by_name(p->model, r, p->a, u->name, &user, err);
    if (rc < 0 && rc != ERR_NOT_FOUND)
        return rc;
    if (rc == 0)
        known = &user;
    *err = (struct err){0};
    JSON_SCOPED json_t *rep = json_pack("{s:o}", "username", text(u->name));
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (!str_is_null(members[i].value))
            json_object_set_new(rep, members[i].key, text(members[i].value));
    }
    json_t *attributes = marked(known, mark_of(p->a, r->name, u->name, password));
    if (attributes)
        json_object_set_new(rep, "attributes", attributes);
    if (known) {
        id = known->id;
        rc = says_user(known, rep) ? 0 : user_update(c, r, id, rep, err);
        if (rc == 0 && attributes)
            rc = user_change_password(c, r, known, password, u->temporary_password, err);
    } else {
        json_object_set_new(rep, "enabled", json_true());
        json_object_set_new(rep, "emailVerified", json_boolean(!str_is_null(u->email)));
        json_object_set_new(rep, "credentials",
                            json_pack("[{s:s, s:o, s:b}]", "type", "password", "value", text(password), "temporary",
                                      u->temporary_password));
        rc = user_create(c, r, rep, false, &id, err);
    }
    if (rc == 0)
        rc = give_groups(p, c, r, known, id, &u->groups, err);
    if (rc == 0)
        rc = give_roles(p, c, r, known, id, &u->roles, err);
    return rc < 0 ? err_prefix(err, "user %.*s", STR_ARG(u->name)) : 0;
}

static int make_service_account(const struct provision *p, struct identity_change *c, const struct realm *r,
                                const struct spec_identity_client *spec, struct err *err)
{
    const struct client *client = realm_client(r, spec->name);
    struct user user;

    if (!client || !spec->roles.n)
        return 0;
    int rc = user_of_service_account(p->model, r, p->a, client, &user, err);
    if (rc == 0)
        rc = give_roles(p, c, r, &user, user.id, &spec->roles, err);
    return rc < 0 ? err_prefix(err, "client %.*s", STR_ARG(spec->name)) : 0;
}

static int make_users(const struct provision *p, struct err *err)
{
    const struct spec_identity *spec = &p->spec->identity;
    CHANGE_SCOPED struct identity_change *c = NULL;
    REALM_SCOPED struct realm *r = NULL;
    int rc = identity_realm(p->model, spec->realm, &r, err);

    if (rc == 0)
        rc = identity_change_begin(p->model, &c, err);
    for (size_t i = 0; i < spec->users.n && rc == 0; i++)
        rc = make_user(p, c, r, &spec->users.items[i], err);
    for (size_t i = 0; i < spec->clients.n && rc == 0; i++)
        rc = make_service_account(p, c, r, &spec->clients.items[i], err);
    return rc < 0 ? rc : identity_change_commit(c, err);
}

/* The administrator of the realm master: made once; its password again when the secret was rotated. */
static int make_admin(const struct provision *p, struct err *err)
{
    CHANGE_SCOPED struct identity_change *c = NULL;
    REALM_SCOPED struct realm *r = NULL;
    struct user admin;
    struct str password;
    int rc = find_secret(p, "identity/admin/password", &password, err);

    if (rc == 0)
        rc = identity_bootstrap(p->model, password, err);
    if (rc == 0)
        rc = identity_realm(p->model, STR("master"), &r, err);
    if (rc < 0)
        return rc;
    rc = user_by_name(p->model, r, p->a, STR("admin"), &admin, err);
    if (rc == ERR_NOT_FOUND) { /* there are others, or somebody wanted it so */
        *err = (struct err){0};
        return 0;
    }
    if (rc < 0)
        return rc;
    json_t *attributes = marked(&admin, mark_of(p->a, r->name, admin.username, password));
    if (!attributes)
        return 0;
    JSON_SCOPED json_t *rep = json_pack("{s:o}", "attributes", attributes);
    rc = identity_change_begin(p->model, &c, err);
    if (rc == 0)
        rc = user_update(c, r, admin.id, rep, err);
    if (rc == 0)
        rc = user_change_password(c, r, &admin, password, false, err);
    return rc < 0 ? rc : identity_change_commit(c, err);
}

int provision(struct identity *i, const struct spec *spec, const struct secrets *secrets, struct err *err)
{
    ARENA_SCOPED struct arena a;
    const struct provision p = {.model = i, .spec = spec, .secrets = secrets, .a = &a};

    arena_init(&a, 0);
    int rc = make_admin(&p, err);
    if (rc == 0)
        rc = make_configuration(&p, err);
    if (rc == 0)
        rc = make_users(&p, err);
    return rc;
}
