/*
 * From documents to representations: what the admin API answers and exports have. Names take the place of references;
 * '$' members stay inside.
 */
#include "identity/model/internal.h"

static const char masked[] = "**********";

static void copy_public(json_t *to, const json_t *doc)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)doc, key, value) if (key[0] != '$') json_object_set(to, key, value);
}

json_t *doc_rep(const json_t *doc)
{
    json_t *rep = json_object();

    copy_public(rep, doc);
    return rep;
}

/* ---- roles ---- */

json_t *role_rep(const struct realm *r, const struct role *role, bool brief)
{
    json_t *rep = json_object(), *attributes = json_object_get(role->rep, "attributes");
    struct str description = json_opt_str(role->rep, "description", STR_NULL);

    json_put_str(rep, "id", role->id);
    json_put_str(rep, "name", role->name);
    if (!str_is_null(description))
        json_put_str(rep, "description", description);
    json_object_set_new(rep, "composite", json_boolean(role->composite_count > 0));
    json_object_set_new(rep, "clientRole", json_boolean(role->client != NULL));
    json_put_str(rep, "containerId", role->client ? role->client->id : r->id);
    if (!brief)
        json_object_set_new(rep, "attributes", attributes ? json_incref(attributes) : json_object());
    return rep;
}

/* Adds a role's name to {"realm": […], "client": {CLIENT: […]}}. */
static void add_role_name(json_t *names, const char *realm_key, const char *client_key, const struct role *role)
{
    json_t *list;

    if (!role->client) {
        list = json_object_get(names, realm_key);
        if (!list) {
            list = json_array();
            json_object_set_new(names, realm_key, list);
        }
    } else {
        json_t *clients = json_object_get(names, client_key);
        if (!clients) {
            clients = json_object();
            json_object_set_new(names, client_key, clients);
        }
        char *key = strndup(role->client->client_id.p, role->client->client_id.n);
        if (!key)
            abort();
        list = json_object_get(clients, key);
        if (!list) {
            list = json_array();
            json_object_set_new(clients, key, list);
        }
        free(key);
    }
    json_array_append_new(list, json_of(role->name));
}

static json_t *exported_role(const struct realm *r, const struct role *role)
{
    json_t *rep = role_rep(r, role, false);

    if (role->composite_count) {
        json_t *composites = json_object();
        for (size_t i = 0; i < role->composite_count; i++)
            add_role_name(composites, "realm", "client", role->composites[i]);
        json_object_set_new(rep, "composites", composites);
    }
    return rep;
}

/* ---- groups ---- */

json_t *group_rep(const struct group *g, bool brief)
{
    json_t *rep = json_object(), *attributes = json_object_get(g->rep, "attributes");
    struct str description = json_opt_str(g->rep, "description", STR_NULL);

    json_put_str(rep, "id", g->id);
    json_put_str(rep, "name", g->name);
    if (!str_is_null(description))
        json_put_str(rep, "description", description);
    json_put_str(rep, "path", g->path);
    if (g->parent)
        json_put_str(rep, "parentId", g->parent->id);
    json_object_set_new(rep, "subGroupCount", json_integer((json_int_t)g->child_count));
    json_object_set_new(rep, "subGroups", json_array());
    if (!brief) {
        json_t *names = json_object();
        json_object_set_new(rep, "attributes", attributes ? json_incref(attributes) : json_object());
        json_object_set_new(names, "realmRoles", json_array());
        json_object_set_new(names, "clientRoles", json_object());
        for (size_t i = 0; i < g->role_count; i++)
            add_role_name(names, "realmRoles", "clientRoles", g->roles[i]);
        json_object_update(rep, names);
        json_decref(names);
    }
    return rep;
}

static json_t *exported_group(const struct group *g)
{
    json_t *rep = group_rep(g, false), *subs = json_array();

    json_object_del(rep, "subGroupCount");
    for (size_t i = 0; i < g->child_count; i++)
        json_array_append_new(subs, exported_group(g->children[i]));
    json_object_set_new(rep, "subGroups", subs);
    return rep;
}

/* ---- clients and scopes ---- */

static json_t *scope_names(const struct client_scope *const *scopes, size_t n)
{
    json_t *names = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(names, json_of(scopes[i]->name));
    return names;
}

json_t *full_client_rep(const struct client *c)
{
    json_t *rep = json_object(), *mappers = json_object_get(c->rep, "protocolMappers");

    copy_public(rep, c->rep);
    if (c->is_public || c->bearer_only)
        json_object_del(rep, "secret");
    /* Its place is behind the settings. */
    json_object_del(rep, "protocolMappers");
    if (json_array_size(mappers))
        json_object_set(rep, "protocolMappers", mappers);
    json_object_set_new(rep, "defaultClientScopes", scope_names(c->default_scopes, c->default_scope_count));
    json_object_set_new(rep, "optionalClientScopes", scope_names(c->optional_scopes, c->optional_scope_count));
    return rep;
}

json_t *scope_rep(const struct client_scope *s)
{
    return doc_rep(s->rep);
}

/* ---- components ---- */

/* What a key provider's configuration says openly; the rest of it is the key. */
static const char *const open_settings[] = {"priority",
                                            "algorithm",
                                            "enabled",
                                            "active",
                                            "keySize",
                                            "secretSize",
                                            "keyUse",
                                            "ecdsaEllipticCurveKey",
                                            "eddsaEllipticCurveKey",
                                            "ecdhEllipticCurveKey",
                                            "ecdhAlgorithm",
                                            "ecGenerateCertificate"};
static const char *const secret_settings[] = {"bindCredential", "clientSecret", "keystorePassword", "keyPassword"};

static bool is_among(const char *key, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    return false;
}

json_t *component_rep(const json_t *doc, bool with_secrets)
{
    json_t *rep = doc_rep(doc), *config = json_object(), *value;
    bool is_key = str_eq(json_opt_str(doc, "providerType", STR("")), STR("org.keycloak.keys.KeyProvider"));
    struct str provider = json_opt_str(doc, "providerId", STR(""));
    bool is_given = str_eq(provider, STR("rsa")) || str_eq(provider, STR("rsa-enc"));
    const char *key;

    json_object_foreach(json_object_get(doc, "config"), key, value)
    {
        bool hidden = is_key ? !is_among(key, open_settings, ARRAY_LEN(open_settings))
                             : is_among(key, secret_settings, ARRAY_LEN(secret_settings));
        if (with_secrets || !hidden)
            json_object_set(config, key, value);
        else if (is_key && is_given && strcmp(key, "certificate") == 0)
            json_object_set(config, key, value);
        else if (!is_key || (is_given && strcmp(key, "privateKey") == 0))
            json_put_first(config, key, str_from_cstr(masked));
    }
    json_object_set_new(rep, "config", config);
    return rep;
}

/* ---- the realm ---- */

json_t *realm_rep(const struct realm *r)
{
    json_t *rep = json_object(), *value;
    const char *key;

    json_object_foreach(r->rep, key, value)
    {
        if (key[0] == '$' || strcmp(key, "localizationTexts") == 0)
            continue;
        if (strcmp(key, "requiredCredentials") == 0 && r->default_role)
            json_object_set_new(rep, "defaultRole", role_rep(r, r->default_role, true));
        json_object_set(rep, key, value);
    }
    const json_t *groups = json_object_get(r->rep, "$defaultGroups");
    if (json_array_size(groups)) {
        json_t *paths = json_array();
        for (size_t i = 0; i < json_array_size(groups); i++) {
            const struct group *g = realm_group_by_id(r, json_str(json_array_get(groups, i)));
            if (g)
                json_array_append_new(paths, json_of(g->path));
        }
        json_object_set_new(rep, "defaultGroups", paths);
    }
    const json_t *smtp = json_object_get(rep, "smtpServer");
    if (json_object_get(smtp, "password")) {
        json_t *copy = json_copy((json_t *)smtp);
        json_object_set_new(copy, "password", json_string(masked));
        json_object_set_new(rep, "smtpServer", copy);
    }
    return rep;
}

static void put_roles(json_t *rep, const struct realm *r, bool with_clients)
{
    json_t *roles = json_object(), *of_realm = json_array(), *of_clients = json_object();

    for (size_t i = 0; i < r->role_count; i++)
        json_array_append_new(of_realm, exported_role(r, r->roles[i]));
    json_object_set_new(roles, "realm", of_realm);
    for (size_t i = 0; with_clients && i < r->client_count; i++) {
        const struct client *c = r->clients[i];
        json_t *list = json_array();
        char *key = strndup(c->client_id.p, c->client_id.n);
        if (!key)
            abort();
        for (size_t k = 0; k < c->role_count; k++)
            json_array_append_new(list, exported_role(r, c->roles[k]));
        json_object_set_new(of_clients, key, list);
        free(key);
    }
    json_object_set_new(roles, "client", of_clients);
    json_object_set_new(rep, "roles", roles);
}

/* The mappings of a client or scope, by what the roles belong to. */
static void put_mapping(json_t *of_realm, json_t *of_clients, const char *kind, struct str name,
                        const struct role *const *roles, size_t n)
{
    json_t *names = json_object(), *list;
    const char *key;

    for (size_t i = 0; i < n; i++)
        add_role_name(names, "realm", "client", roles[i]);
    if (json_object_get(names, "realm")) {
        json_t *one = json_object();
        json_put_str(one, kind, name);
        json_object_set(one, "roles", json_object_get(names, "realm"));
        json_array_append_new(of_realm, one);
    }
    json_object_foreach(json_object_get(names, "client"), key, list)
    {
        json_t *of_client = json_object_get(of_clients, key), *one = json_object();
        if (!of_client) {
            of_client = json_array();
            json_object_set_new(of_clients, key, of_client);
        }
        json_put_str(one, kind, name);
        json_object_set(one, "roles", list);
        json_array_append_new(of_client, one);
    }
    json_decref(names);
}

static void put_scope_mappings(json_t *rep, const struct realm *r)
{
    json_t *of_realm = json_array(), *of_clients = json_object();

    for (size_t i = 0; i < r->client_count; i++)
        put_mapping(of_realm, of_clients, "client", r->clients[i]->client_id, r->clients[i]->scope_roles,
                    r->clients[i]->scope_role_count);
    for (size_t i = 0; i < r->scope_count; i++)
        put_mapping(of_realm, of_clients, "clientScope", r->scopes[i]->name, r->scopes[i]->scope_roles,
                    r->scopes[i]->scope_role_count);
    json_object_set_new(rep, "scopeMappings", of_realm);
    json_object_set_new(rep, "clientScopeMappings", of_clients);
}

static void put_components(json_t *rep, const struct realm *r, bool with_secrets)
{
    size_t n;
    json_t *const *docs = realm_docs(r, KIND_COMPONENT, &n);
    json_t *components = json_object();

    for (size_t i = 0; i < n; i++) {
        const char *type = json_string_value(json_object_get(docs[i], "providerType"));
        if (!type)
            continue;
        json_t *list = json_object_get(components, type), *one = component_rep(docs[i], with_secrets);
        if (!list) {
            list = json_array();
            json_object_set_new(components, type, list);
        }
        json_object_del(one, "providerType");
        json_object_del(one, "parentId");
        json_object_set_new(one, "subComponents", json_object());
        json_array_append_new(list, one);
    }
    json_object_set_new(rep, "components", components);
}

static void put_docs(json_t *rep, const struct realm *r, const char *key, enum realm_kind kind)
{
    size_t n;
    json_t *const *docs = realm_docs(r, kind, &n);
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++) {
        json_t *one = doc_rep(docs[i]);
        if (kind == KIND_REQUIRED_ACTION)
            json_object_del(one, "id");
        json_array_append_new(list, one);
    }
    json_object_set_new(rep, key, list);
}

static json_t *names_of(const struct realm *r, bool is_default)
{
    json_t *names = json_array();

    for (size_t i = 0; i < r->scope_count; i++)
        if (is_default ? r->scopes[i]->is_default : r->scopes[i]->is_optional)
            json_array_append_new(names, json_of(r->scopes[i]->name));
    return names;
}

json_t *realm_export(const struct realm *r, bool with_clients, bool with_groups_and_roles, bool with_secrets)
{
    json_t *rep = realm_rep(r), *list = json_array();

    if (with_secrets && json_object_get(r->rep, "smtpServer"))
        json_object_set(rep, "smtpServer", json_object_get(r->rep, "smtpServer"));
    json_t *texts = json_object_get(r->rep, "localizationTexts");
    json_object_set_new(rep, "localizationTexts", texts ? json_incref(texts) : json_object());
    if (with_groups_and_roles) {
        json_t *groups = json_array();
        for (size_t i = 0; i < r->group_count; i++)
            if (!r->groups[i]->parent)
                json_array_append_new(groups, exported_group(r->groups[i]));
        put_roles(rep, r, with_clients);
        json_object_set_new(rep, "groups", groups);
    }
    for (size_t i = 0; i < r->scope_count; i++)
        json_array_append_new(list, scope_rep(r->scopes[i]));
    json_object_set_new(rep, "clientScopes", list);
    json_object_set_new(rep, "defaultDefaultClientScopes", names_of(r, true));
    json_object_set_new(rep, "defaultOptionalClientScopes", names_of(r, false));
    if (with_clients) {
        list = json_array();
        for (size_t i = 0; i < r->client_count; i++) {
            json_t *one = full_client_rep(r->clients[i]);
            if (!with_secrets && json_object_get(one, "secret"))
                json_object_set_new(one, "secret", json_string(masked));
            json_array_append_new(list, one);
        }
        json_object_set_new(rep, "clients", list);
        put_scope_mappings(rep, r);
    }
    put_components(rep, r, with_secrets);
    put_docs(rep, r, "authenticationFlows", KIND_FLOW);
    put_docs(rep, r, "authenticatorConfig", KIND_FLOW_CONFIG);
    put_docs(rep, r, "requiredActions", KIND_REQUIRED_ACTION);
    put_docs(rep, r, "identityProviders", KIND_IDP);
    put_docs(rep, r, "identityProviderMappers", KIND_IDP_MAPPER);
    json_object_set_new(rep, "keycloakVersion", json_string(KEYCLOAK_VERSION));
    return rep;
}

/* ---- users in exports ---- */

static json_t *exported_credential(const struct user_credential *c)
{
    json_t *rep = json_object();

    json_put_str(rep, "id", c->id);
    json_put_str(rep, "type", c->type);
    if (!str_is_null(c->label))
        json_put_str(rep, "userLabel", c->label);
    json_object_set_new(rep, "createdDate", json_integer(c->created_ms));
    json_put_str(rep, "secretData", c->secret_data);
    json_put_str(rep, "credentialData", c->credential_data);
    return rep;
}

static int export_user(struct identity *i, const struct realm *r, struct arena *a, const struct user *u, json_t **ret,
                       struct err *err)
{
    const struct role **roles;
    const struct group **groups;
    struct user_credential *credentials;
    size_t role_n, group_n, credential_n;
    int rc = user_own_roles(i, r, a, u, &roles, &role_n, err);

    if (rc == 0)
        rc = user_groups(i, r, a, u, &groups, &group_n, err);
    if (rc == 0)
        rc = user_credentials(i, r, a, u->id, &credentials, &credential_n, err);
    if (rc < 0)
        return rc;
    json_t *rep = json_copy(u->rep), *list = json_array(), *paths = json_array();
    const struct client *service = realm_client_by_id(r, u->service_account_of);
    if (service)
        json_put_str(rep, "serviceAccountClientId", service->client_id);
    for (size_t k = 0; k < credential_n; k++)
        json_array_append_new(list, exported_credential(&credentials[k]));
    for (size_t k = 0; k < group_n; k++)
        json_array_append_new(paths, json_of(groups[k]->path));
    json_object_set_new(rep, "credentials", list);
    json_object_set_new(rep, "realmRoles", json_array());
    for (size_t k = 0; k < role_n; k++)
        add_role_name(rep, "realmRoles", "clientRoles", roles[k]);
    json_object_set_new(rep, "groups", paths);
    *ret = rep;
    return 0;
}

int realm_export_service_accounts(struct identity *i, const struct realm *r, struct arena *a, json_t *rep,
                                  struct err *err)
{
    json_t *users = json_array();
    int rc = 0;

    json_object_set_new(rep, "users", users);
    for (size_t k = 0; rc == 0 && k < r->client_count; k++) {
        struct user u;
        json_t *one;
        if (!r->clients[k]->service_accounts)
            continue;
        rc = user_of_service_account(i, r, a, r->clients[k], &u, err);
        if (rc == ERR_NOT_FOUND) {
            rc = 0;
            continue;
        }
        if (rc == 0)
            rc = export_user(i, r, a, &u, &one, err);
        if (rc == 0) {
            json_object_del(one, "credentials");
            json_array_append_new(users, one);
        }
    }
    return rc;
}

int identity_export_realm(struct identity *i, struct str name, json_t **ret, struct err *err)
{
    REALM_SCOPED struct realm *r = NULL;
    struct user_query q = {.with_service_accounts = true, .max = 500};
    int rc = identity_realm(i, name, &r, err);

    if (rc < 0)
        return rc;
    JSON_SCOPED json_t *rep = realm_export(r, true, true, true);
    json_t *users = json_array();
    json_object_set_new(rep, "users", users);
    for (;;) {
        ARENA_SCOPED struct arena a = ARENA_INIT;
        struct user *list;
        size_t n;
        rc = user_search(i, r, &a, &q, &list, &n, err);
        for (size_t k = 0; rc == 0 && k < n; k++) {
            json_t *one;
            rc = export_user(i, r, &a, &list[k], &one, err);
            if (rc == 0)
                json_array_append_new(users, one);
        }
        if (rc < 0)
            return rc;
        if ((int64_t)n < q.max)
            break;
        q.first += q.max;
    }
    *ret = json_incref(rep);
    return 0;
}
