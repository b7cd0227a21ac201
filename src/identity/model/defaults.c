/*
 * What Keycloak 26.7 puts into a new realm is data: defaults.json, a realm export with %REALM% for the realm's name. This
 * file reads it, and makes what depends on the master realm: the clients "X-realm" there, whose roles let administrators
 * of the master realm into the realm X, and the first administrator.
 */
#include "identity/login/embedded.h"
#include "identity/model/internal.h"

extern const struct embedded identity_defaults[]; /* one file */

/* Strings with the realm's name in place of %REALM%, keys too. */
static json_t *named(const json_t *j, struct str name)
{
    static const struct str mark = {"%REALM%", 7};
    json_t *copy, *value;
    const char *key;

    switch (json_typeof(j)) {
    case JSON_OBJECT:
        copy = json_object();
        json_object_foreach((json_t *)j, key, value) json_object_set_new(copy, key, named(value, name));
        return copy;
    case JSON_ARRAY:
        copy = json_array();
        for (size_t i = 0; i < json_array_size(j); i++)
            json_array_append_new(copy, named(json_array_get(j, i), name));
        return copy;
    case JSON_STRING: {
        struct str s = json_str(j);
        size_t at = str_find(s, mark, 0);
        if (at == SIZE_MAX)
            return json_incref((json_t *)j);
        return json_sprintf("%.*s%.*s%.*s", (int)at, s.p, STR_ARG(name), STR_ARG(str_skip(s, at + mark.n)));
    }
    default:
        return json_incref((json_t *)j);
    }
}

static void remove_client(json_t *defaults, const char *client_id)
{
    json_t *clients = json_object_get(defaults, "clients");

    for (size_t i = json_array_size(clients); i-- > 0;)
        if (str_eq_cstr(json_opt_str(json_array_get(clients, i), "clientId", STR("")), client_id))
            json_array_remove(clients, i);
    json_object_del(json_object_get(json_object_get(defaults, "roles"), "client"), client_id);
}

json_t *realm_defaults(struct str name)
{
    JSON_SCOPED json_t *text = NULL;
    struct err err = {0};

    if (json_parse(str_from(identity_defaults[0].text, identity_defaults[0].n), &text, &err) < 0)
        abort(); /* a test reads it */
    json_t *defaults = named(text, name);
    if (str_eq(name, STR("master"))) {
        remove_client(defaults, "realm-management");
        json_object_set_new(defaults, "enabled", json_true());
        json_object_set_new(defaults, "accessTokenLifespan", json_integer(60));
        json_object_set_new(defaults, "displayName", json_string("Keycloak"));
        json_object_set_new(defaults, "displayNameHtml",
                            json_string("<div class=\"kc-logo-text\"><span>Keycloak</span></div>"));
    }
    return defaults;
}

/* The role's id, made when it is missing. */
static int ensure_role(struct realm_draft *d, struct str client, const char *name, struct str *ret_id, struct err *err)
{
    const json_t *there = draft_find(d, KIND_ROLE, "name", str_from_cstr(name), "$client", client);

    if (there) {
        *ret_id = json_opt_str(there, "id", STR(""));
        return 0;
    }
    JSON_SCOPED json_t *rep = json_object();
    json_object_set_new(rep, "name", json_string(name));
    json_object_set_new(rep, "description", json_sprintf("${role_%s}", name));
    return role_create(d, client, rep, false, ret_id, err);
}

static const char *const admin_roles[] = {
    "create-client",
    "view-realm",
    "view-users",
    "view-clients",
    "view-events",
    "view-identity-providers",
    "view-authorization",
    "view-organizations",
    "manage-realm",
    "manage-users",
    "manage-clients",
    "manage-events",
    "manage-identity-providers",
    "manage-authorization",
    "manage-organizations",
    "query-users",
    "query-clients",
    "query-realms",
    "query-groups",
    "query-organizations",
    "impersonation",
};
static const struct {
    const char *role, *part;
} admin_composites[] = {
    {"view-clients", "query-clients"},
    {"view-users", "query-users"},
    {"view-users", "query-groups"},
    {"view-organizations", "query-organizations"},
};

int realm_add_to_master(struct identity_change *c, struct str realm, struct err *err)
{
    struct arena *a = identity_change_arena(c);
    struct str client_id = arena_printf(a, "%.*s-realm", STR_ARG(realm)), admin, create_realm, id, part;
    JSON_SCOPED json_t *client = json_object();
    struct realm_draft *d;
    int rc = identity_change_realm(c, STR("master"), &d, err);

    if (rc == 0)
        rc = ensure_role(d, STR_NULL, "admin", &admin, err);
    if (rc == 0)
        rc = ensure_role(d, STR_NULL, "create-realm", &create_realm, err);
    if (rc == 0)
        rc = draft_link(d, KIND_ROLE, admin, "$parts", create_realm, true, err);
    if (rc < 0)
        return rc;
    const json_t *there = draft_find(d, KIND_CLIENT, "clientId", client_id, NULL, STR_NULL);
    if (there) {
        id = json_opt_str(there, "id", STR(""));
    } else {
        json_put_str(client, "clientId", client_id);
        json_object_set_new(client, "name", json_sprintf("%.*s Realm", STR_ARG(realm)));
        json_object_set_new(client, "bearerOnly", json_true());
        json_object_set_new(client, "nodeReRegistrationTimeout", json_integer(0));
        json_object_set_new(client, "attributes", json_pack("{s:s}", "realm_client", "true"));
        rc = client_create(c, d, client, &id, err);
    }
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(admin_roles); i++) {
        struct str role;
        rc = ensure_role(d, id, admin_roles[i], &role, err);
        if (rc == 0)
            rc = draft_link(d, KIND_ROLE, admin, "$parts", role, true, err);
    }
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(admin_composites); i++) {
        struct str role;
        rc = ensure_role(d, id, admin_composites[i].role, &role, err);
        if (rc == 0)
            rc = ensure_role(d, id, admin_composites[i].part, &part, err);
        if (rc == 0)
            rc = draft_link(d, KIND_ROLE, role, "$parts", part, true, err);
    }
    return rc;
}

int realm_remove_from_master(struct identity_change *c, struct str realm, struct err *err)
{
    struct str client_id = arena_printf(identity_change_arena(c), "%.*s-realm", STR_ARG(realm));
    struct realm_draft *d;
    int rc = identity_change_realm(c, STR("master"), &d, err);
    const json_t *client = rc == 0 ? draft_find(d, KIND_CLIENT, "clientId", client_id, NULL, STR_NULL) : NULL;

    return rc < 0 || !client ? rc : draft_delete(d, KIND_CLIENT, json_opt_str(client, "id", STR("")), err);
}

int identity_remove_realm(struct identity_change *c, struct str name, struct err *err)
{
    int rc = realm_remove_from_master(c, name, err);
    return rc < 0 ? rc : identity_change_drop_realm(c, name, err);
}

int identity_bootstrap(struct identity *i, struct str admin_password, struct err *err)
{
    CHANGE_SCOPED struct identity_change *c = NULL;
    JSON_SCOPED json_t *rep = NULL, *user = NULL;
    REALM_SCOPED struct realm *r = NULL;
    struct realm_draft *d;
    struct str id;
    int rc;

    if (identity_realm(i, STR("master"), &r, NULL) == 0)
        return 0;
    rc = identity_change_begin(i, &c, err);
    if (rc < 0)
        return rc;
    rep = json_pack("{s:s}", "realm", "master");
    rc = identity_import_realm(c, rep, err);
    if (rc == 0)
        rc = identity_change_realm(c, STR("master"), &d, err);
    if (rc < 0)
        return rc;
    r = draft_snapshot(d);
    user = json_pack("{s:s, s:b, s:[{s:s, s:s%}]}", "username", "admin", "enabled", 1, "credentials", "type",
                     "password", "value", admin_password.p ? admin_password.p : "", admin_password.n);
    if (!user)
        return err_set(err, ERR_INVALID, "the administrator's password should be UTF-8 text");
    rc = user_create(c, r, user, false, &id, err);
    if (rc == 0)
        rc = user_add_role(c, r, id, realm_role(r, STR("admin")), err);
    return rc < 0 ? rc : identity_change_commit(c, err);
}
