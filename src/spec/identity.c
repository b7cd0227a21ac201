/* The section `identity`: what it has when the file doesn't say, what has to fit together, and its part of the digest. */
#include "base/hash.h"
#include "base/vec.h"
#include "spec/keys.h"

enum { FLOW_PORT = 8090, CONSOLE_PORT = 8000 };

/* "https://HOST:PORT/PATH" for each name by which clients know this platform. */
static struct spec_texts urls(struct arena *a, const struct spec *s, int port, const char *path)
{
    VEC(struct str) list = {0};
    const struct str own[] = {STR("localhost"), STR("127.0.0.1")};

    for (size_t i = 0; i < ARRAY_LEN(own) + s->tls.host_count; i++) {
        struct str host = i < ARRAY_LEN(own) ? own[i] : s->tls.hosts[i - ARRAY_LEN(own)];
        bool is_v6 = str_find_char(host, ':', 0) != SIZE_MAX;
        bool is_own = i >= ARRAY_LEN(own) && (str_eq(host, own[0]) || str_eq(host, own[1]));
        if (!is_own)
            vec_push_in(a, &list,
                        arena_printf(a, "%s://%s%.*s%s:%d%s", s->tls.on ? "https" : "http", is_v6 ? "[" : "",
                                     STR_ARG(host), is_v6 ? "]" : "", port, path));
    }
    return (struct spec_texts){list.items, list.n};
}

/* SQL takes the passwords of the realm's users. */
static bool takes_passwords(const struct spec *s)
{
    bool takes = false;

    for (size_t i = 0; i < s->authentication.types.n; i++)
        takes = takes || str_eq_cstr(s->authentication.types.items[i], "password");
    return takes && str_is_null(s->authentication.password.file);
}

static void default_clients(struct arena *a, struct spec *s)
{
    struct spec_identity_client *c = arena_array(a, struct spec_identity_client, 3);

    c[0] = (struct spec_identity_client){.name = STR("trino"),
                                         .redirect_uris = urls(a, s, s->sql.port, "/oauth2/callback"),
                                         .post_logout_redirect_uris = urls(a, s, s->sql.port, "/*"),
                                         .service_account = true,
                                         .direct_grants = takes_passwords(s)};
    c[1] = (struct spec_identity_client){.name = STR("airflow"),
                                         .redirect_uris = urls(a, s, FLOW_PORT, "/*"),
                                         .service_account = true,
                                         .direct_grants = true}; /* Airflow's manager logs in from its CLI */
    c[2] = (struct spec_identity_client){.name = STR("console"), .redirect_uris = urls(a, s, CONSOLE_PORT, "/*")};
    s->identity.clients.items = c;
    s->identity.clients.n = 3;
}

void spec_identity_defaults(struct arena *a, struct spec *s)
{
    if (str_is_null(s->identity.realm))
        s->identity.realm = STR("dataplatform");
    if (!s->identity.users.items) {
        s->identity.users.items = arena_new(a, struct spec_identity_user);
        s->identity.users.items[0].name = STR("trino"); /* for machines */
        s->identity.users.n = 1;
    }
    if (!s->identity.clients.items)
        default_clients(a, s);
}

static bool has_text(const struct spec_texts *list, struct str text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (str_eq(list->items[i], text))
            return true;
    }
    return false;
}

static bool has_group(const struct spec_identity *id, struct str name)
{
    for (size_t i = 0; i < id->groups.n; i++) {
        if (str_eq(id->groups.items[i].name, name))
            return true;
    }
    return false;
}

static int check_roles(const struct spec_identity *id, const char *kind, struct str owner,
                       const struct spec_texts *roles, struct err *err)
{
    for (size_t i = 0; i < roles->n; i++) {
        if (!has_text(&id->roles, roles->items[i]))
            return err_set(err, ERR_INVALID,
                           "identity.%s.%.*s.roles: role %.*s is not among identity.roles: add it there", kind,
                           STR_ARG(owner), STR_ARG(roles->items[i]));
    }
    return 0;
}

static int check_client(const struct spec_identity *id, const struct spec_identity_client *c, struct err *err)
{
    int rc = check_roles(id, "clients", c->name, &c->roles, err);

    if (rc == 0 && c->is_public && c->service_account)
        return err_set(err, ERR_INVALID,
                       "identity.clients.%.*s: a public client has no secret, so it can't have a service account",
                       STR_ARG(c->name));
    if (rc == 0 && c->roles.n && !c->service_account)
        return err_set(err, ERR_INVALID,
                       "identity.clients.%.*s.roles: are those of the service account: set service-account too",
                       STR_ARG(c->name));
    return rc;
}

static bool is_realm_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_-.", c))))
            return false;
    }
    return s.n > 0 && s.n <= 64 && !str_eq(s, STR("master"));
}

int spec_identity_check(const struct spec *s, struct err *err)
{
    const struct spec_identity *id = &s->identity;
    int rc = 0;

    if (!is_realm_name(id->realm))
        return err_set(err, ERR_INVALID,
                       "identity.realm: expected a name of a-z, A-Z, 0-9, '_', '-', '.', other than master, found "
                       "\"%.*s\"",
                       STR_ARG(id->realm));
    for (size_t i = 0; i < id->groups.n && rc == 0; i++)
        rc = check_roles(id, "groups", id->groups.items[i].name, &id->groups.items[i].roles, err);
    for (size_t i = 0; i < id->users.n && rc == 0; i++) {
        const struct spec_identity_user *u = &id->users.items[i];
        rc = check_roles(id, "users", u->name, &u->roles, err);
        for (size_t j = 0; j < u->groups.n && rc == 0; j++) {
            if (!has_group(id, u->groups.items[j]))
                rc = err_set(err, ERR_INVALID,
                             "identity.users.%.*s.groups: group %.*s is not among identity.groups: add it there",
                             STR_ARG(u->name), STR_ARG(u->groups.items[j]));
        }
    }
    for (size_t i = 0; i < id->clients.n && rc == 0; i++)
        rc = check_client(id, &id->clients.items[i], err);
    return rc;
}

/* ---- the digest ---- */

static void digest_str(struct hash *h, struct str s)
{
    uint64_t n = s.n;

    hash_update(h, &n, sizeof(n));
    hash_update(h, s.p ? s.p : "", s.n);
}

static void digest_int(struct hash *h, uint64_t v)
{
    hash_update(h, &v, sizeof(v));
}

static void digest_texts(struct hash *h, const struct spec_texts *t)
{
    digest_int(h, t->n);
    for (size_t i = 0; i < t->n; i++)
        digest_str(h, t->items[i]);
}

void spec_identity_digest(struct hash *h, const struct spec *s)
{
    const struct spec_identity *id = &s->identity;

    digest_str(h, id->issuer);
    digest_str(h, id->realm);
    digest_str(h, id->url);
    digest_int(h, id->database.is_set);
    digest_str(h, id->database.host);
    digest_str(h, id->database.database);
    digest_str(h, id->database.user);
    digest_str(h, id->database.password_file);
    digest_int(h, (uint64_t)id->database.port);
    digest_texts(h, &id->roles);
    digest_int(h, id->groups.n);
    for (size_t i = 0; i < id->groups.n; i++) {
        digest_str(h, id->groups.items[i].name);
        digest_texts(h, &id->groups.items[i].roles);
    }
    digest_int(h, id->users.n);
    for (size_t i = 0; i < id->users.n; i++) {
        const struct spec_identity_user *u = &id->users.items[i];
        const struct str texts[] = {u->name, u->email, u->first_name, u->last_name};
        for (size_t j = 0; j < ARRAY_LEN(texts); j++)
            digest_str(h, texts[j]);
        digest_texts(h, &u->groups);
        digest_texts(h, &u->roles);
        digest_int(h, u->temporary_password);
    }
    digest_int(h, id->clients.n);
    for (size_t i = 0; i < id->clients.n; i++) {
        const struct spec_identity_client *c = &id->clients.items[i];
        const bool flags[] = {c->is_public, c->service_account, c->direct_grants, c->device, c->consent};
        digest_str(h, c->name);
        digest_texts(h, &c->redirect_uris);
        digest_texts(h, &c->post_logout_redirect_uris);
        digest_texts(h, &c->web_origins);
        digest_texts(h, &c->roles);
        for (size_t j = 0; j < ARRAY_LEN(flags); j++)
            digest_int(h, flags[j]);
    }
}
