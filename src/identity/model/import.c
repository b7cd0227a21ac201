/*
 * Realms from RealmRepresentations: `POST /admin/realms`, and files that Keycloak's export wrote. What the representation
 * lacks comes from defaults.json, section by section, as Keycloak does it. First all objects are made, with what they say
 * of each other by name left aside; then, everything being there, names become references; then come the users.
 */
#include "identity/model/internal.h"

/* Members of a RealmRepresentation that aren't settings. */
static const char *const sections[] = {
    "roles",
    "groups",
    "defaultRoles",
    "defaultRole",
    "defaultGroups",
    "clients",
    "clientScopes",
    "users",
    "federatedUsers",
    "scopeMappings",
    "clientScopeMappings",
    "components",
    "authenticationFlows",
    "authenticatorConfig",
    "requiredActions",
    "identityProviders",
    "identityProviderMappers",
    "defaultDefaultClientScopes",
    "defaultOptionalClientScopes",
    "protocolMappers",
    "keycloakVersion",
    "organizations",
    "applications",
    "oauthClients",
    "clientTemplates",
    "userFederationProviders",
    "userFederationMappers",
    "applicationScopeMappings",
    "socialProviders",
    "privateKey",
    "publicKey",
    "certificate",
    "codeSecret",
};

static bool is_section(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        if (strcmp(key, sections[i]) == 0)
            return true;
    return key[0] == '$';
}

/* ---- settings ---- */

/* Keycloak's ReservedCharValidator, and what would not survive in a URL. */
static int check_realm_name(struct str name, struct err *err)
{
    if (name.n == 0)
        return err_set(err, ERR_INVALID, "Realm name cannot be empty");
    if (name.n > 255 || !str_is_utf8(name))
        return err_set(err, ERR_INVALID, "Realm name should be text of at most 255 bytes");
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < ' ' || strchr(":/?#[]@!$&'()*+,;=\\%\"<>", name.p[i]))
            return err_set_named(err, ERR_INVALID, "error", "Character '%c' not allowed.",
                                 (unsigned char)name.p[i] < ' ' ? '?' : name.p[i]);
    return 0;
}

static int check_settings(const json_t *rep, struct err *err)
{
    static const char *const positive[] = {"accessTokenLifespan", "ssoSessionIdleTimeout",   "ssoSessionMaxLifespan",
                                           "accessCodeLifespan",  "accessCodeLifespanLogin", "otpPolicyPeriod"};
    struct password_policy policy;

    for (size_t i = 0; i < ARRAY_LEN(positive); i++) {
        int64_t n = json_opt_i64(rep, positive[i], 1);
        if (n < 0 || n > INT32_MAX)
            return err_set(err, ERR_INVALID, "'%s' should be a number of seconds from 0", positive[i]);
    }
    return password_policy_parse(json_opt_str(rep, "passwordPolicy", STR("")), &policy, err);
}

/* The device flow's two settings are members and attributes of the same realm. */
static void sync_attributes(json_t *rep)
{
    static const char *const both[] = {"oauth2DeviceCodeLifespan", "oauth2DevicePollingInterval"};
    json_t *attributes = json_object_get(rep, "attributes");

    for (size_t i = 0; attributes && i < ARRAY_LEN(both); i++)
        if (json_is_integer(json_object_get(rep, both[i])))
            json_object_set_new(attributes, both[i], json_sprintf("%lld", (long long)json_opt_i64(rep, both[i], 0)));
}

/* Attributes given replace the old ones, but for those that every realm has. */
static json_t *merge_attributes(const json_t *old, const json_t *given, const json_t *defaults)
{
    json_t *merged = json_object(), *value;
    const char *key;

    json_object_foreach((json_t *)defaults, key, value)
        json_object_set(merged, key, json_object_get(old, key) ? json_object_get(old, key) : value);
    json_object_foreach((json_t *)given, key, value)
    {
        if (json_is_string(value))
            json_object_set(merged, key, value);
        else
            json_object_del(merged, key);
    }
    return merged;
}

static void overlay(json_t *rep, const json_t *given, const json_t *defaults)
{
    json_t *value;
    const char *key;

    json_object_foreach((json_t *)given, key, value)
    {
        if (is_section(key) || json_is_null(value))
            continue;
        if (strcmp(key, "attributes") == 0)
            json_object_set_new(
                rep, key, merge_attributes(json_object_get(rep, key), value, json_object_get(defaults, "attributes")));
        else
            json_object_set(rep, key, value);
    }
    sync_attributes(rep);
}

/* The settings of a new realm, in the order of Keycloak's answers. */
static json_t *settings(const json_t *given, const json_t *defaults)
{
    static const char *const first[] = {"id", "realm", "displayName", "displayNameHtml"};
    json_t *rep = json_object(), *value;
    const char *key;

    json_new_id(rep);
    for (size_t i = 0; i < ARRAY_LEN(first); i++) {
        value = json_object_get(given, first[i]);
        if (!value)
            value = json_object_get(defaults, first[i]);
        if (json_is_string(value))
            json_object_set(rep, first[i], value);
    }
    json_object_set_new(rep, "notBefore", json_integer(0));
    json_object_foreach((json_t *)defaults, key, value) if (!is_section(key)) json_object_set(rep, key, value);
    /* The given value of a member that the defaults have too keeps the defaults' place. */
    json_object_set_new(rep, "attributes", json_copy(json_object_get(rep, "attributes")));
    overlay(rep, given, defaults);
    return rep;
}

int realm_update(struct identity_change *c, struct realm_draft *d, const json_t *rep, struct err *err)
{
    struct arena *a = identity_change_arena(c);
    struct str old_name = arena_str(a, json_opt_str(draft_rep(d), "realm", STR("")));
    struct str name = json_opt_str(rep, "realm", old_name);
    JSON_SCOPED json_t *defaults = realm_defaults(name), *copy = json_copy(draft_rep(d));
    const json_t *groups = json_object_get(rep, "defaultGroups");
    struct realm_draft *other;
    int rc = check_realm_name(name, err);

    if (rc == 0)
        rc = check_settings(rep, err);
    if (rc == 0 && !str_eq(name, old_name)) {
        if (str_eq(old_name, STR("master")))
            return err_set(err, ERR_INVALID, "Can't rename master realm");
        if (identity_change_realm(c, name, &other, NULL) == 0)
            return err_set(err, ERR_EXISTS, "Realm with same name exists");
    }
    if (rc < 0)
        return rc;
    overlay(copy, rep, defaults);
    json_object_set(copy, "id", json_object_get(draft_rep(d), "id"));
    if (json_is_array(groups)) {
        REALM_SCOPED struct realm *r = draft_snapshot(d);
        json_t *ids = json_array();
        for (size_t i = 0; i < json_array_size(groups); i++) {
            const struct group *g = realm_group_by_path(r, json_str(json_array_get(groups, i)));
            if (g)
                json_array_append_new(ids, json_of(g->id));
        }
        json_object_set_new(copy, "$defaultGroups", ids);
    }
    draft_set_rep(d, json_incref(copy));
    if (str_eq(name, old_name))
        return 0;
    rc = realm_remove_from_master(c, old_name, err);
    return rc < 0 ? rc : realm_add_to_master(c, name, err);
}

/* ---- objects ---- */

static const json_t *section(const json_t *given, const json_t *defaults, const char *key)
{
    const json_t *s = json_object_get(given, key);
    return s && !json_is_null(s) ? s : json_object_get(defaults, key);
}

static const json_t *find_in(const json_t *array, const char *key, struct str value)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (str_eq(json_opt_str(json_array_get(array, i), key, STR("")), value))
            return json_array_get(array, i);
    return NULL;
}

static int import_scopes(struct realm_draft *d, const json_t *given, const json_t *defaults, struct err *err)
{
    /* What Keycloak adds to realms of versions that didn't have them: without `basic` tokens have no subject. */
    static const struct str always[] = {{"offline_access", 14}, {"basic", 5}};
    const json_t *list = section(given, defaults, "clientScopes");
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++)
        rc = scope_create(d, json_array_get(list, i), NULL, err);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(always); i++)
        if (!draft_find(d, KIND_SCOPE, "name", always[i], NULL, STR_NULL))
            rc = scope_create(d, find_in(json_object_get(defaults, "clientScopes"), "name", always[i]), NULL, err);
    return rc;
}

static json_t *ids_of_names(struct realm_draft *d, const json_t *names)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < json_array_size(names); i++) {
        const json_t *scope = draft_find(d, KIND_SCOPE, "name", json_str(json_array_get(names, i)), NULL, STR_NULL);
        if (scope)
            json_array_append(ids, json_object_get(scope, "id"));
    }
    return ids;
}

static void import_default_scopes(struct realm_draft *d, const json_t *given, const json_t *defaults)
{
    json_t *rep = json_copy(draft_rep(d));

    json_object_set_new(rep, "$default", ids_of_names(d, section(given, defaults, "defaultDefaultClientScopes")));
    json_object_set_new(rep, "$optional", ids_of_names(d, section(given, defaults, "defaultOptionalClientScopes")));
    draft_set_rep(d, rep);
}

static int import_clients(struct identity_change *c, struct realm_draft *d, const json_t *given, const json_t *defaults,
                          struct err *err)
{
    const json_t *list = json_object_get(given, "clients"), *built_in = json_object_get(defaults, "clients");
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++)
        rc = client_create(c, d, json_array_get(list, i), NULL, err);
    for (size_t i = 0; rc == 0 && i < json_array_size(built_in); i++) {
        const json_t *one = json_array_get(built_in, i);
        if (!draft_find(d, KIND_CLIENT, "clientId", json_opt_str(one, "clientId", STR("")), NULL, STR_NULL))
            rc = client_create(c, d, one, NULL, err);
    }
    return rc;
}

static int import_role_list(struct realm_draft *d, struct str client, const json_t *list, bool only_missing,
                            struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (only_missing && draft_find(d, KIND_ROLE, "name", json_opt_str(one, "name", STR("")), "$client", client))
            continue;
        rc = role_create(d, client, one, true, NULL, err);
    }
    return rc;
}

static int import_roles(struct realm_draft *d, const json_t *roles, bool only_missing, struct err *err)
{
    json_t *of_clients = json_object_get(roles, "client"), *list;
    const char *key;
    int rc = import_role_list(d, STR_NULL, json_object_get(roles, "realm"), only_missing, err);

    json_object_foreach(of_clients, key, list)
    {
        const json_t *client = draft_find(d, KIND_CLIENT, "clientId", str_from_cstr(key), NULL, STR_NULL);
        if (rc < 0)
            break;
        if (client)
            rc = import_role_list(d, json_opt_str(client, "id", STR("")), list, only_missing, err);
        else if (json_array_size(list))
            rc = err_set(err, ERR_INVALID, "App doesn't exist in role definitions: %s", key);
    }
    return rc;
}

static int import_groups(struct realm_draft *d, struct str parent, const json_t *list, int depth, struct err *err)
{
    int rc = 0;

    if (depth > 30)
        return err_set(err, ERR_INVALID, "groups have at most 30 levels");
    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        struct str id;
        rc = group_create(d, parent, one, true, &id, err);
        if (rc == 0)
            rc = import_groups(d, id, json_object_get(one, "subGroups"), depth + 1, err);
    }
    return rc;
}

static void import_plain(struct realm_draft *d, enum realm_kind kind, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *doc = json_copy(json_array_get(list, i));
        if (!json_is_object(doc)) {
            json_decref(doc);
            continue;
        }
        /* Required actions go by their alias. */
        if (kind == KIND_REQUIRED_ACTION)
            json_object_set(doc, "id", json_object_get(doc, "alias"));
        if (json_opt_str(doc, "id", STR("")).n == 0 || json_opt_str(doc, "id", STR("")).n > 64)
            json_new_id(doc);
        draft_put(d, kind, doc);
    }
}

/* ---- components ---- */

static const char key_provider_type[] = "org.keycloak.keys.KeyProvider";

static int complete_component(struct realm_draft *d, json_t *doc, struct err *err)
{
    if (json_opt_str(doc, "providerId", STR("")).n == 0 || json_opt_str(doc, "providerType", STR("")).n == 0)
        return err_set(err, ERR_INVALID, "a component should have a providerId and a providerType");
    if (json_opt_str(doc, "parentId", STR("")).n == 0)
        json_object_set_new(doc, "parentId", json_of(draft_realm_id(d)));
    if (json_opt_str(doc, "name", STR("")).n == 0)
        json_object_set(doc, "name", json_object_get(doc, "providerId"));
    json_t *config = json_object_get(doc, "config");
    json_object_set_new(doc, "config", json_is_object(config) ? json_deep_copy(config) : json_object());
    if (str_eq_cstr(json_opt_str(doc, "providerType", STR("")), key_provider_type))
        return key_provider_complete(doc, json_opt_str(draft_rep(d), "realm", STR("")), err);
    return 0;
}

int component_create(struct realm_draft *d, const json_t *rep, struct str *ret_id, struct err *err)
{
    JSON_SCOPED json_t *doc = json_copy((json_t *)rep);
    struct str id = json_opt_str(doc, "id", STR(""));
    int rc;

    json_object_del(doc, "subComponents");
    if (id.n == 0)
        json_new_id(doc);
    else if (id.n > 64 || draft_get(d, KIND_COMPONENT, id))
        return err_set(err, ERR_EXISTS, "a component with this id exists already");
    rc = complete_component(d, doc, err);
    if (rc < 0)
        return rc;
    draft_put(d, KIND_COMPONENT, json_incref(doc));
    if (ret_id)
        *ret_id = json_opt_str(doc, "id", STR(""));
    return 0;
}

int component_update(struct realm_draft *d, struct str id, const json_t *rep, struct err *err)
{
    static const char *const fixed[] = {"id", "providerId", "providerType", "$kid"};
    const json_t *old = draft_get(d, KIND_COMPONENT, id);
    json_t *config, *value;
    const char *key;
    int rc;

    if (!old)
        return err_set(err, ERR_NOT_FOUND, "Could not find component");
    JSON_SCOPED json_t *doc = json_copy((json_t *)old);
    config = json_deep_copy(json_object_get(old, "config"));
    json_object_foreach((json_t *)rep, key, value) if (strcmp(key, "config") != 0 && !json_is_null(value))
        json_object_set(doc, key, value);
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        if (json_object_get(old, fixed[i]))
            json_object_set(doc, fixed[i], json_object_get(old, fixed[i]));
    /* Secrets go out as asterisks, and come back so when they aren't to change. */
    json_object_foreach(json_object_get(rep, "config"), key,
                        value) if (!str_eq(json_str(json_array_get(value, 0)), STR("**********")))
        json_object_set(config, key, value);
    json_object_set_new(doc, "config", config);
    rc = complete_component(d, doc, err);
    if (rc == 0)
        draft_put(d, KIND_COMPONENT, json_incref(doc));
    return rc;
}

static int import_component_list(struct realm_draft *d, struct str parent, const char *type, const json_t *list,
                                 int depth, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(list) && depth < 4; i++) {
        JSON_SCOPED json_t *one = json_copy(json_array_get(list, i));
        json_t *subs = json_object_get(one, "subComponents"), *sub;
        struct str id;
        const char *key;
        if (!json_is_object(one))
            return err_set(err, ERR_INVALID, "a component should be an object");
        json_object_set_new(one, "providerType", json_string(type));
        json_object_set_new(one, "parentId", json_of(parent));
        rc = component_create(d, one, &id, err);
        json_object_foreach(subs, key, sub) if (rc == 0) rc = import_component_list(d, id, key, sub, depth + 1, err);
    }
    return rc;
}

static int import_components(struct realm_draft *d, const json_t *given, const json_t *defaults, struct err *err)
{
    json_t *components = json_object_get(given, "components"), *built_in = json_object_get(defaults, "components"),
           *list;
    const char *key;
    int rc = 0;

    json_object_foreach(components, key, list) if (rc == 0)
        rc = import_component_list(d, draft_realm_id(d), key, list, 0, err);
    json_object_foreach(built_in, key, list) if (rc == 0 && !json_object_get(components, key))
        rc = import_component_list(d, draft_realm_id(d), key, list, 0, err);
    return rc;
}

/* ---- names into references ---- */

struct names {
    struct realm_draft *d;
    struct realm *r;
};

static int add_roles(const struct names *n, json_t *ids, const json_t *realm_roles, const json_t *client_roles,
                     struct err *err)
{
    json_t *list;
    const char *key;

    for (size_t i = 0; i < json_array_size(realm_roles); i++) {
        struct str name = json_str(json_array_get(realm_roles, i));
        const struct role *role = realm_role(n->r, name);
        if (!role)
            return err_set(err, ERR_INVALID, "Unable to find realm role: %.*s", STR_ARG(name));
        if (!json_array_has(ids, role->id))
            json_array_append_new(ids, json_of(role->id));
    }
    json_object_foreach((json_t *)client_roles, key, list)
    {
        const struct client *c = realm_client(n->r, str_from_cstr(key));
        for (size_t i = 0; i < json_array_size(list); i++) {
            const struct role *role = c ? client_role(c, json_str(json_array_get(list, i))) : NULL;
            if (!role)
                return err_set(err, ERR_INVALID, "Unable to find a role of the client: %s", key);
            if (!json_array_has(ids, role->id))
                json_array_append_new(ids, json_of(role->id));
        }
    }
    return 0;
}

static void put_ids(struct realm_draft *d, enum realm_kind kind, struct str id, const char *key, json_t *ids)
{
    json_t *doc = json_copy(draft_get(d, kind, id));

    json_object_set_new(doc, key, ids);
    draft_put(d, kind, doc);
}

static int link_role(const struct names *n, const struct role *role, const json_t *rep, struct err *err)
{
    const json_t *composites = json_object_get(rep, "composites");
    json_t *ids = json_array();
    int rc;

    if (!role || !composites) {
        json_decref(ids);
        return 0;
    }
    rc = add_roles(n, ids, json_object_get(composites, "realm"), json_object_get(composites, "client"), err);
    if (rc == 0)
        put_ids(n->d, KIND_ROLE, role->id, "$parts", json_incref(ids));
    json_decref(ids);
    return rc;
}

static bool has_parts(const struct names *n, const struct role *role)
{
    return role && json_array_size(json_object_get(draft_get(n->d, KIND_ROLE, role->id), "$parts")) > 0;
}

/* `only_missing`: of roles that have no parts yet: the defaults', where the representation said nothing. */
static int link_roles(const struct names *n, const json_t *roles, bool only_missing, struct err *err)
{
    const json_t *of_realm = json_object_get(roles, "realm");
    json_t *of_clients = json_object_get(roles, "client"), *list;
    const char *key;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(of_realm); i++) {
        const json_t *one = json_array_get(of_realm, i);
        const struct role *role = realm_role(n->r, json_opt_str(one, "name", STR("")));
        if (!only_missing || !has_parts(n, role))
            rc = link_role(n, role, one, err);
    }
    json_object_foreach(of_clients, key, list)
    {
        const struct client *c = realm_client(n->r, str_from_cstr(key));
        for (size_t i = 0; rc == 0 && c && i < json_array_size(list); i++) {
            const json_t *one = json_array_get(list, i);
            const struct role *role = client_role(c, json_opt_str(one, "name", STR("")));
            if (!only_missing || !has_parts(n, role))
                rc = link_role(n, role, one, err);
        }
    }
    return rc;
}

static int link_groups(const struct names *n, struct str parent_path, const json_t *list, struct err *err)
{
    struct arena *a = realm_draft_arena(n->d);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        struct str path = arena_printf(a, "%.*s/%.*s", STR_ARG(parent_path),
                                       STR_ARG(json_opt_str(one, "name", STR(""))));
        const struct group *g = realm_group_by_path(n->r, path);
        json_t *ids = json_array();
        rc = add_roles(n, ids, json_object_get(one, "realmRoles"), json_object_get(one, "clientRoles"), err);
        if (rc == 0 && g)
            put_ids(n->d, KIND_GROUP, g->id, "$roles", json_incref(ids));
        json_decref(ids);
        if (rc == 0)
            rc = link_groups(n, path, json_object_get(one, "subGroups"), err);
    }
    return rc;
}

/* One {"client" or "clientScope", "roles"}; role_client null: realm roles. */
static int link_scope_mapping(const struct names *n, const json_t *one, const struct client *role_client,
                              struct err *err)
{
    const struct client *c = realm_client(n->r, json_opt_str(one, "client", STR("")));
    const struct client_scope *s = realm_scope(n->r, json_opt_str(one, "clientScope", STR("")));
    const json_t *names = json_object_get(one, "roles");
    int rc = 0;

    for (size_t i = 0; rc == 0 && (c || s) && i < json_array_size(names); i++) {
        struct str name = json_str(json_array_get(names, i));
        const struct role *role = role_client ? client_role(role_client, name) : realm_role(n->r, name);
        if (role)
            rc = draft_link(n->d, c ? KIND_CLIENT : KIND_SCOPE, c ? c->id : s->id, "$roles", role->id, true, err);
    }
    return rc;
}

static int link_scope_mappings(const struct names *n, const json_t *given, const json_t *defaults, struct err *err)
{
    const json_t *list = section(given, defaults, "scopeMappings");
    json_t *by_client = (json_t *)section(given, defaults, "clientScopeMappings"), *of_client;
    const char *key;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++)
        rc = link_scope_mapping(n, json_array_get(list, i), NULL, err);
    json_object_foreach(by_client, key, of_client)
    {
        const struct client *role_client = realm_client(n->r, str_from_cstr(key));
        for (size_t i = 0; rc == 0 && role_client && i < json_array_size(of_client); i++)
            rc = link_scope_mapping(n, json_array_get(of_client, i), role_client, err);
    }
    return rc;
}

/* The default role by its name, made by the defaults when the representation has none; roles of the old "defaultRoles"
 * become parts of it. */
static int link_default_role(const struct names *n, const json_t *given, struct err *err)
{
    struct arena *a = realm_draft_arena(n->d);
    struct str fallback = arena_printf(a, "default-roles-%.*s", STR_ARG(arena_lower(a, n->r->name)));
    struct str name = json_opt_str(json_object_get(given, "defaultRole"), "name", fallback);
    const json_t *old = json_object_get(given, "defaultRoles"), *groups = json_object_get(given, "defaultGroups");
    const struct role *role = realm_role(n->r, name);
    json_t *rep = json_copy(draft_rep(n->d)), *ids = json_array();
    int rc = 0;

    if (!role)
        role = realm_role(n->r, arena_printf(a, "default-roles-%.*s", STR_ARG(n->r->name)));
    if (role)
        json_put_str(rep, "$defaultRole", role->id);
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const struct group *g = realm_group_by_path(n->r, json_str(json_array_get(groups, i)));
        if (g)
            json_array_append_new(ids, json_of(g->id));
    }
    json_object_set_new(rep, "$defaultGroups", ids);
    draft_set_rep(n->d, rep);
    for (size_t i = 0; rc == 0 && role && i < json_array_size(old); i++) {
        const struct role *part = realm_role(n->r, json_str(json_array_get(old, i)));
        if (part)
            rc = draft_link(n->d, KIND_ROLE, role->id, "$parts", part->id, true, err);
    }
    return rc;
}

static int link_all(struct realm_draft *d, const json_t *given, const json_t *defaults, struct err *err)
{
    REALM_SCOPED struct realm *r = draft_snapshot(d);
    struct names n = {d, r};
    int rc = link_roles(&n, json_object_get(given, "roles"), false, err);

    if (rc == 0)
        rc = link_roles(&n, json_object_get(defaults, "roles"), true, err);
    if (rc == 0)
        rc = link_groups(&n, STR(""), json_object_get(given, "groups"), err);
    if (rc == 0)
        rc = link_scope_mappings(&n, given, defaults, err);
    return rc < 0 ? rc : link_default_role(&n, given, err);
}

int realm_link_added(struct realm_draft *d, const json_t *rep, struct err *err)
{
    REALM_SCOPED struct realm *r = draft_snapshot(d);
    struct names n = {d, r};
    int rc = link_roles(&n, json_object_get(rep, "roles"), false, err);

    return rc < 0 ? rc : link_groups(&n, STR(""), json_object_get(rep, "groups"), err);
}

static int import_users(struct identity_change *c, struct realm_draft *d, const json_t *given, struct err *err)
{
    static const char *const lists[] = {"users", "federatedUsers"};
    REALM_SCOPED struct realm *r = draft_snapshot(d);
    json_t **clients;
    size_t n;
    int rc = 0;

    for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
        const json_t *list = json_object_get(given, lists[k]);
        for (size_t i = 0; rc == 0 && i < json_array_size(list); i++)
            rc = user_create(c, r, json_array_get(list, i), true, NULL, err);
    }
    n = draft_list(d, KIND_CLIENT, &clients);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (json_opt_bool(clients[i], "serviceAccountsEnabled", false))
            rc = client_sync_service_account(c, d, json_opt_str(clients[i], "id", STR("")), err);
    return rc;
}

int identity_import_realm(struct identity_change *c, const json_t *rep, struct err *err)
{
    struct str name = json_opt_str(rep, "realm", STR(""));
    JSON_SCOPED json_t *defaults = NULL, *own = NULL;
    struct realm_draft *d;
    int rc = check_realm_name(name, err);

    if (rc == 0)
        rc = check_settings(rep, err);
    if (rc < 0)
        return rc;
    defaults = realm_defaults(name);
    own = settings(rep, defaults);
    if (json_opt_str(own, "id", STR("")).n > 36)
        return err_set(err, ERR_INVALID, "a realm's id should have 1 to 36 characters");
    rc = identity_change_new_realm(c, own, &d, err);
    if (rc == 0)
        rc = import_scopes(d, rep, defaults, err);
    if (rc < 0)
        return rc;
    import_default_scopes(d, rep, defaults);
    rc = import_clients(c, d, rep, defaults, err);
    if (rc == 0)
        rc = import_roles(d, json_object_get(rep, "roles"), false, err);
    if (rc == 0)
        rc = import_roles(d, json_object_get(defaults, "roles"), true, err);
    if (rc == 0)
        rc = import_groups(d, STR_NULL, json_object_get(rep, "groups"), 0, err);
    if (rc == 0)
        rc = import_components(d, rep, defaults, err);
    if (rc < 0)
        return rc;
    import_plain(d, KIND_FLOW, section(rep, defaults, "authenticationFlows"));
    import_plain(d, KIND_FLOW_CONFIG, section(rep, defaults, "authenticatorConfig"));
    import_plain(d, KIND_REQUIRED_ACTION, section(rep, defaults, "requiredActions"));
    import_plain(d, KIND_IDP, json_object_get(rep, "identityProviders"));
    import_plain(d, KIND_IDP_MAPPER, json_object_get(rep, "identityProviderMappers"));
    rc = link_all(d, rep, defaults, err);
    if (rc == 0)
        rc = import_users(c, d, rep, err);
    return rc < 0 ? rc : realm_add_to_master(c, name, err);
}
