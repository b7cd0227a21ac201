/* Clients: from a ClientRepresentation to the document, with Keycloak's defaults, in the order of its answers. */
#include "base/clock.h"
#include "base/rand.h"
#include "identity/model/internal.h"

enum { LIST_MAX = 2000, VALUE_MAX = 4000 };

void client_new_secret(char ret[CLIENT_SECRET_SIZE])
{
    rand_alnum(ret, CLIENT_SECRET_SIZE - 1);
}

static const struct member {
    const char *name;
    enum { TEXT, FLAG, NUMBER, LIST, MAP } type;
    int fallback; /* of flags and numbers */
} members[] = {
    {"id", TEXT, 0},
    {"clientId", TEXT, 0},
    {"name", TEXT, 0},
    {"description", TEXT, 0},
    {"type", TEXT, 0},
    {"rootUrl", TEXT, 0},
    {"adminUrl", TEXT, 0},
    {"baseUrl", TEXT, 0},
    {"surrogateAuthRequired", FLAG, 0},
    {"enabled", FLAG, 1},
    {"alwaysDisplayInConsole", FLAG, 0},
    {"clientAuthenticatorType", TEXT, 0},
    {"secret", TEXT, 0},
    {"registrationAccessToken", TEXT, 0},
    {"redirectUris", LIST, 0},
    {"webOrigins", LIST, 0},
    {"notBefore", NUMBER, 0},
    {"bearerOnly", FLAG, 0},
    {"consentRequired", FLAG, 0},
    {"standardFlowEnabled", FLAG, 1},
    {"implicitFlowEnabled", FLAG, 0},
    {"directAccessGrantsEnabled", FLAG, 0},
    {"serviceAccountsEnabled", FLAG, 0},
    {"publicClient", FLAG, 0},
    {"frontchannelLogout", FLAG, 0},
    {"protocol", TEXT, 0},
    {"attributes", MAP, 0},
    {"authenticationFlowBindingOverrides", MAP, 0},
    {"fullScopeAllowed", FLAG, 1},
    {"nodeReRegistrationTimeout", NUMBER, -1},
};
/* Worked out, or kept elsewhere. */
static const char *const left_out[] = {"protocolMappers",
                                       "defaultClientScopes",
                                       "optionalClientScopes",
                                       "access",
                                       "defaultRoles",
                                       "clientTemplate",
                                       "origin",
                                       "access"};

static bool is_left_out(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(left_out); i++)
        if (strcmp(key, left_out[i]) == 0)
            return true;
    return key[0] == '$';
}

static json_t *fallback(const struct member *m)
{
    switch (m->type) {
    case FLAG:
        return json_boolean(m->fallback);
    case NUMBER:
        return json_integer(m->fallback);
    case LIST:
        return json_array();
    default:
        return json_object();
    }
}

/* Attributes are merged, a null or empty one taken away; the other members replaced. */
static void merge_map(json_t *into, const json_t *from)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)from, key, value)
    {
        if (json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0))
            json_object_del(into, key);
        else
            json_object_set(into, key, value);
    }
}

/* `old` NULL: a new one. */
static json_t *merge(const json_t *old, const json_t *rep)
{
    json_t *doc = json_object();
    const char *key;
    json_t *value;

    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const struct member *m = &members[i];
        json_t *was = json_object_get(old, m->name), *is = json_object_get(rep, m->name);
        if (m->type == MAP) {
            json_t *map = was ? json_copy(was) : json_object();
            merge_map(map, is);
            json_object_set_new(doc, m->name, map);
        } else if (is && !json_is_null(is)) {
            json_object_set(doc, m->name, is);
        } else if (was) {
            json_object_set(doc, m->name, was);
        } else if (m->type != TEXT) {
            json_object_set_new(doc, m->name, fallback(m));
        }
    }
    json_object_foreach((json_t *)old, key, value) if (!json_object_get(doc, key)) json_object_set(doc, key, value);
    json_object_foreach((json_t *)rep, key, value) if (!json_object_get(doc, key) && !is_left_out(key) &&
                                                       !json_is_null(value)) json_object_set(doc, key, value);
    return doc;
}

/* "https://host:port" of an absolute http or https URI; null of others. */
static struct str origin_of(struct str uri)
{
    size_t host = str_starts_with(uri, STR("https://")) ? 8 : str_starts_with(uri, STR("http://")) ? 7 : 0;

    if (host == 0)
        return STR_NULL;
    size_t end = host;
    while (end < uri.n && !strchr("/?#*", uri.p[end]))
        end++;
    return end > host ? str_slice(uri, 0, end) : STR_NULL;
}

/* As Keycloak without webOrigins: those of the redirect URIs. */
static void derive_origins(json_t *doc)
{
    const json_t *uris = json_object_get(doc, "redirectUris");
    json_t *origins = json_array();

    for (size_t i = 0; i < json_array_size(uris); i++) {
        struct str origin = origin_of(json_str(json_array_get(uris, i)));
        if (!str_is_null(origin) && !json_array_has(origins, origin))
            json_array_append_new(origins, json_of(origin));
    }
    json_object_set_new(doc, "webOrigins", origins);
}

static int check_list(const json_t *doc, const char *key, struct err *err)
{
    const json_t *list = json_object_get(doc, key);

    if (json_array_size(list) > LIST_MAX)
        return err_set(err, ERR_INVALID, "'%s' has more than %d entries", key, LIST_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct str s = json_str(json_array_get(list, i));
        if (str_is_null(s) || s.n > VALUE_MAX)
            return err_set(err, ERR_INVALID, "'%s' should be text of at most %d bytes each", key, VALUE_MAX);
    }
    return 0;
}

/* Keycloak's ClientValidation: a redirect URI has no fragment and no scheme that runs code; '*' only at its end. */
static int check_redirects(const json_t *doc, struct err *err)
{
    const json_t *list = json_object_get(doc, "redirectUris");

    for (size_t i = 0; i < json_array_size(list); i++) {
        struct str s = json_str(json_array_get(list, i));
        if (str_find_char(s, '#', 0) != SIZE_MAX)
            return err_set_named(err, ERR_INVALID, "invalid_input", "A redirect URI must not contain an URL fragment");
        if (str_starts_with_nocase(s, STR("javascript:")) || str_starts_with_nocase(s, STR("data:")))
            return err_set_named(err, ERR_INVALID, "invalid_input", "A redirect URI uses an illegal scheme");
    }
    return 0;
}

static int check(struct realm_draft *d, const json_t *doc, struct err *err)
{
    struct str client_id = json_opt_str(doc, "clientId", STR("")), id = json_opt_str(doc, "id", STR(""));
    const json_t *other;
    int rc = check_list(doc, "redirectUris", err);

    if (rc == 0)
        rc = check_list(doc, "webOrigins", err);
    if (rc == 0)
        rc = check_redirects(doc, err);
    if (rc < 0)
        return rc;
    if (client_id.n == 0 || client_id.n > 255)
        return err_set(err, ERR_INVALID, "Client ID should have 1 to 255 characters");
    if (id.n == 0 || id.n > 36 || str_find_char(id, '/', 0) != SIZE_MAX)
        return err_set(err, ERR_INVALID, "a client's id should have 1 to 36 characters");
    other = draft_find(d, KIND_CLIENT, "clientId", client_id, NULL, STR_NULL);
    if (other && !str_eq(json_opt_str(other, "id", STR("")), id))
        return err_set(err, ERR_EXISTS, "Client %.*s already exists", STR_ARG(client_id));
    if (json_opt_bool(doc, "bearerOnly", false) && json_opt_bool(doc, "publicClient", false))
        return err_set(err, ERR_INVALID, "A client can't be both bearer-only and public");
    if (json_opt_str(doc, "secret", STR("")).n > VALUE_MAX)
        return err_set(err, ERR_INVALID, "a client's secret has at most %d bytes", VALUE_MAX);
    return 0;
}

static void add_scope_id(json_t *ids, struct realm_draft *d, struct str name)
{
    const json_t *scope = draft_find(d, KIND_SCOPE, "name", name, NULL, STR_NULL);
    struct str id = json_opt_str(scope, "id", STR(""));

    if (scope && !json_array_has(ids, id))
        json_array_append_new(ids, json_of(id));
}

/* The named ones, or the realm's of the client's protocol. */
static json_t *scope_ids(struct realm_draft *d, const json_t *rep, const char *key, const char *realm_key,
                         struct str protocol)
{
    const json_t *names = json_object_get(rep, key), *of_realm = json_object_get(draft_rep(d), realm_key);
    json_t *ids = json_array();

    for (size_t i = 0; i < json_array_size(names); i++)
        add_scope_id(ids, d, json_str(json_array_get(names, i)));
    for (size_t i = 0; !json_is_array(names) && i < json_array_size(of_realm); i++) {
        struct str id = json_str(json_array_get(of_realm, i));
        const json_t *scope = draft_get(d, KIND_SCOPE, id);
        if (scope && str_eq(json_opt_str(scope, "protocol", STR("openid-connect")), protocol))
            json_array_append_new(ids, json_of(id));
    }
    return ids;
}

static bool is_confidential(const json_t *doc)
{
    return !json_opt_bool(doc, "publicClient", false) && !json_opt_bool(doc, "bearerOnly", false);
}

static void give_secret(json_t *doc)
{
    char secret[CLIENT_SECRET_SIZE];
    char now[24];

    if (!is_confidential(doc) || json_opt_str(doc, "secret", STR("")).n)
        return;
    client_new_secret(secret);
    json_object_set_new(doc, "secret", json_string(secret));
    memset(secret, 0, sizeof(secret));
    snprintf(now, sizeof(now), "%lld", (long long)(clock_wall_ms() / 1000));
    json_object_set_new(json_object_get(doc, "attributes"), "client.secret.creation.time", json_string(now));
}

static void give_attribute(json_t *doc, const char *key, const char *value)
{
    json_t *attributes = json_object_get(doc, "attributes");

    if (!json_object_get(attributes, key))
        json_object_set_new(attributes, key, json_string(value));
}

static int put_mappers(json_t *doc, const json_t *rep, struct err *err)
{
    const json_t *list = json_object_get(rep, "protocolMappers");
    int rc = 0;

    if (!json_is_array(list))
        return 0;
    json_t *mappers = json_array();
    json_object_set_new(doc, "protocolMappers", mappers);
    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++)
        rc = mapper_append(mappers, json_array_get(list, i), true, NULL, err);
    return rc;
}

int client_create(struct identity_change *c, struct realm_draft *d, const json_t *rep, struct str *ret_id,
                  struct err *err)
{
    JSON_SCOPED json_t *doc = merge(NULL, rep);
    struct str id;
    int rc;

    if (json_opt_str(doc, "id", STR("")).n == 0)
        json_new_id(doc);
    id = arena_str(identity_change_arena(c), json_opt_str(doc, "id", STR("")));
    if (json_opt_str(doc, "clientId", STR("")).n == 0)
        json_object_set_new(doc, "clientId", json_of(id));
    if (draft_get(d, KIND_CLIENT, id))
        return err_set(err, ERR_EXISTS, "Client %.*s already exists", STR_ARG(id));
    if (json_opt_str(doc, "protocol", STR("")).n == 0)
        json_object_set_new(doc, "protocol", json_string("openid-connect"));
    if (json_opt_str(doc, "clientAuthenticatorType", STR("")).n == 0)
        json_object_set_new(doc, "clientAuthenticatorType", json_string("client-secret"));
    give_attribute(doc, "realm_client", "false");
    if (!json_is_array(json_object_get(rep, "webOrigins")))
        derive_origins(doc);
    give_secret(doc);
    rc = check(d, doc, err);
    if (rc == 0)
        rc = put_mappers(doc, rep, err);
    if (rc < 0)
        return rc;
    struct str protocol = json_opt_str(doc, "protocol", STR(""));
    json_object_set_new(doc, "$default", scope_ids(d, rep, "defaultClientScopes", "$default", protocol));
    json_object_set_new(doc, "$optional", scope_ids(d, rep, "optionalClientScopes", "$optional", protocol));
    json_object_set_new(doc, "$roles", json_array());
    if (json_opt_bool(doc, "serviceAccountsEnabled", false))
        add_scope_id(json_object_get(doc, "$default"), d, STR("service_account"));
    draft_put(d, KIND_CLIENT, json_incref(doc));
    if (ret_id)
        *ret_id = id;
    return 0;
}

int client_update(struct identity_change *c, struct realm_draft *d, struct str id, const json_t *rep, struct err *err)
{
    const json_t *old = draft_get(d, KIND_CLIENT, id);
    int rc;

    if (!old)
        return err_set(err, ERR_NOT_FOUND, "Could not find client");
    JSON_SCOPED json_t *doc = merge(old, rep);
    json_object_set_new(doc, "id", json_of(id));
    give_secret(doc);
    rc = check(d, doc, err);
    if (rc == 0)
        rc = put_mappers(doc, rep, err);
    if (rc < 0)
        return rc;
    /* Scopes of clients that exist are changed one by one, as in Keycloak. */
    if (json_opt_bool(doc, "serviceAccountsEnabled", false) && !json_opt_bool(old, "serviceAccountsEnabled", false)) {
        json_t *ids = json_copy(json_object_get(doc, "$default"));
        add_scope_id(ids, d, STR("service_account"));
        json_object_set_new(doc, "$default", ids);
    }
    draft_put(d, KIND_CLIENT, json_incref(doc));
    return client_sync_service_account(c, d, id, err);
}

int client_sync_service_account(struct identity_change *c, struct realm_draft *d, struct str id, struct err *err)
{
    const json_t *doc = draft_get(d, KIND_CLIENT, id);
    struct arena *a = identity_change_arena(c);
    struct db_value params[] = {db_text(draft_realm_id(d)), db_text(id)};
    struct db_rows rows;
    bool wanted = json_opt_bool(doc, "serviceAccountsEnabled", false) && is_confidential(doc);
    int rc = db_query(identity_change_conn(c), a,
                      "SELECT id, username FROM identity_user WHERE realm_id = $1 AND service_account_of = $2", params,
                      2, &rows, err);

    if (rc < 0)
        return rc;
    struct str client_id = arena_lower(a, json_opt_str(doc, "clientId", STR("")));
    struct str username = arena_printf(a, "service-account-%.*s", STR_ARG(client_id));
    bool is_same = rows.row_count && str_eq(db_at(&rows, 0, 1).text, username);
    if (wanted ? is_same : rows.row_count == 0)
        return 0;
    REALM_SCOPED struct realm *r = draft_snapshot(d);
    if (!wanted)
        return user_delete(c, r, db_at(&rows, 0, 0).text, err);

    JSON_SCOPED json_t *user = json_object();
    json_put_str(user, "username", username);
    if (rows.row_count)
        return user_update(c, r, db_at(&rows, 0, 0).text, user, err);
    json_object_set_new(user, "enabled", json_true());
    json_put_str(user, "serviceAccountClientId", json_opt_str(doc, "clientId", STR("")));
    return user_create(c, r, user, false, NULL, err);
}
