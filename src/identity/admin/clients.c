/* Clients: their settings, secrets, scopes, roles' owners and service accounts. */
#include "identity/admin/internal.h"

/* "access" as the caller has it. The client that guards the realm is changed by nobody. */
static json_t *full_client(struct admin_call *a, const struct client *c)
{
    json_t *rep = full_client_rep(c);
    bool guard = str_eq(c->client_id, STR("realm-management"));
    bool manage = admin_may(a, MAY_MANAGE_CLIENTS);

    json_object_set_new(
        rep, "access",
        json_pack("{s:b, s:b, s:b}", "view", 1, "configure", manage && !guard, "manage", manage && !guard));
    if (!manage)
        json_object_del(rep, "secret");
    return rep;
}

static bool contains_nocase(struct str s, struct str part)
{
    for (size_t i = 0; i + part.n <= s.n; i++)
        if (str_eq_nocase(str_slice(s, i, part.n), part))
            return true;
    return false;
}

/* q=key:value key2:"value 2", over attributes. */
static bool has_attributes(const struct client *c, struct arena *arena, struct str q)
{
    struct str rest = q, part;

    if (str_is_null(q))
        return true;
    while (str_split(&rest, ' ', &part)) {
        size_t colon = str_find_char(part, ':', 0);
        if (colon == SIZE_MAX)
            continue;
        struct str value = str_skip(part, colon + 1);
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            value = str_slice(value, 1, value.n - 2);
        const char *key = arena_cstr(arena, str_slice(part, 0, colon));
        if (!str_eq(json_inner(c->rep, "attributes", key), value))
            return false;
    }
    return true;
}

ADMIN(admin_list_clients, MAY_QUERY_CLIENTS)
{
    struct str id = admin_query(a, "clientId"), q = admin_query(a, "q");
    bool search = admin_query_flag(a, "search", false);
    json_t *list = json_array();
    int64_t first, max, skipped = 0;
    int rc = admin_paging(a, -1, &first, &max, err);

    for (size_t i = 0; rc == 0 && i < a->realm->client_count; i++) {
        const struct client *c = a->realm->clients[i];
        if (!str_is_null(id) && id.n && !(search ? contains_nocase(c->client_id, id) : str_eq(c->client_id, id)))
            continue;
        if (!has_attributes(c, a->arena, q) || skipped++ < first)
            continue;
        if (max >= 0 && (int64_t)json_array_size(list) >= max)
            break;
        json_array_append_new(list, full_client(a, c));
    }
    if (rc == 0)
        return admin_answer(a, list);
    json_decref(list);
    return rc;
}

/* What Keycloak adds when a request says the protocol. */
static void add_protocol_defaults(json_t *rep)
{
    static const char *const defaults[][2] = {
        {"backchannel.logout.session.required", "true"},
        {"backchannel.logout.revoke.offline.tokens", "false"},
    };
    json_t *attributes = json_object_get(rep, "attributes");

    if (!str_eq(json_opt_str(rep, "protocol", STR("")), STR("openid-connect")))
        return;
    if (!json_is_object(attributes)) {
        attributes = json_object();
        json_object_set_new(rep, "attributes", attributes);
    }
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
        if (!json_object_get(attributes, defaults[i][0]))
            json_object_set_new(attributes, defaults[i][0], json_string(defaults[i][1]));
}

ADMIN(admin_create_client, MAY_CREATE_CLIENTS)
{
    json_t *rep;
    struct str id;
    int rc = admin_body(a, REP_CLIENT, &rep, err);

    if (rc < 0)
        return rc;
    add_protocol_defaults(rep);
    rc = admin_begin(a, err);
    if (rc == 0)
        rc = client_create(a->change, a->draft, rep, &id, err);
    if (rc < 0)
        return rc;
    id = arena_str(a->arena, id);
    rc = client_sync_service_account(a->change, a->draft, id, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc < 0)
        return rc;
    admin_event(a, "CREATE", "CLIENT", rep, "clients/%.*s", STR_ARG(id));
    return admin_created(a, "%.*s", STR_ARG(id));
}

ADMIN(admin_get_client, MAY_VIEW_CLIENTS)
{
    const struct client *c;
    int rc = admin_find_client(a, &c, err);
    return rc < 0 ? rc : admin_answer(a, full_client(a, c));
}

ADMIN(admin_put_client, MAY_MANAGE_CLIENTS)
{
    const struct client *c;
    json_t *rep;
    int rc = admin_find_client(a, &c, err);

    if (rc == 0)
        rc = admin_body(a, REP_CLIENT, &rep, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = client_update(a->change, a->draft, c->id, rep, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "UPDATE", "CLIENT", rep, "clients/%.*s", STR_ARG(c->id));
    return rc;
}

/* Without these the realm can't be administered or logged in to; Keycloak refuses too. */
static bool is_built_in(const struct client *c)
{
    static const char *const names[] = {"account", "account-console",  "admin-cli",
                                        "broker",  "realm-management", "security-admin-console"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_cstr(c->client_id, names[i]))
            return true;
    return false;
}

ADMIN(admin_delete_client, MAY_MANAGE_CLIENTS)
{
    const struct client *c;
    int rc = admin_find_client(a, &c, err);

    if (rc < 0)
        return rc;
    if (is_built_in(c) ||
        (str_eq(a->realm->name, STR("master")) && str_ends_with(c->client_id, STR("-realm")) && c->bearer_only))
        return err_set(err, ERR_INVALID, "Cannot remove built-in client: %.*s", STR_ARG(c->client_id));
    rc = admin_begin(a, err);
    if (rc == 0)
        rc = draft_delete(a->draft, KIND_CLIENT, c->id, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        rc = sessions_forget_client(a->oidc->context->sessions, a->realm->id, c->id, err);
    if (rc == 0)
        admin_event(a, "DELETE", "CLIENT", NULL, "clients/%.*s", STR_ARG(c->id));
    return rc;
}

/* ---- secrets ---- */

static int answer_secret(struct admin_call *a, const struct client *c)
{
    json_t *rep = json_object();

    json_object_set_new(rep, "type", json_string("secret"));
    if (!str_is_null(c->secret))
        json_put_str(rep, "value", c->secret);
    return admin_answer(a, rep);
}

ADMIN(admin_get_secret, MAY_MANAGE_CLIENTS)
{
    const struct client *c;
    int rc = admin_find_client(a, &c, err);
    return rc < 0 ? rc : answer_secret(a, c);
}

ADMIN(admin_new_secret, MAY_MANAGE_CLIENTS)
{
    const struct client *c;
    char secret[CLIENT_SECRET_SIZE];
    int rc = admin_find_client(a, &c, err);
    json_t *rep;

    if (rc < 0)
        return rc;
    client_new_secret(secret);
    rep = json_keep(a->arena, json_pack("{s:s}", "secret", secret));
    explicit_bzero(secret, sizeof(secret));
    rc = admin_begin(a, err);
    if (rc == 0)
        rc = client_update(a->change, a->draft, c->id, rep, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        rc = admin_find_client(a, &c, err);
    if (rc < 0)
        return rc;
    admin_event(a, "ACTION", "CLIENT", NULL, "clients/%.*s/client-secret", STR_ARG(c->id));
    return answer_secret(a, c);
}

/* ---- scopes ---- */

static int list_scopes(struct admin_call *a, const struct client_scope *const *scopes, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++) {
        json_t *one = json_object();
        json_put_str(one, "id", scopes[i]->id);
        json_put_str(one, "name", scopes[i]->name);
        json_array_append_new(list, one);
    }
    return admin_answer(a, list);
}

ADMIN(admin_list_client_default_scopes, MAY_VIEW_CLIENTS)
{
    const struct client *c;
    int rc = admin_find_client(a, &c, err);
    return rc < 0 ? rc : list_scopes(a, c->default_scopes, c->default_scope_count);
}

ADMIN(admin_list_client_optional_scopes, MAY_VIEW_CLIENTS)
{
    const struct client *c;
    int rc = admin_find_client(a, &c, err);
    return rc < 0 ? rc : list_scopes(a, c->optional_scopes, c->optional_scope_count);
}

static int change_scope(struct admin_call *a, const char *key, const char *other, bool add, struct err *err)
{
    const struct client *c;
    const struct client_scope *s;
    int rc = admin_find_client(a, &c, err);

    if (rc == 0 && admin_find_scope(a, &s, NULL) < 0)
        rc = err_set(err, ERR_NOT_FOUND, "Client scope not found");
    if (rc == 0)
        rc = admin_begin(a, err);
    /* A scope is one or the other; Keycloak leaves an assigned one where it is. */
    if (rc == 0 && add && json_array_has(json_object_get(draft_get(a->draft, KIND_CLIENT, c->id), other), s->id))
        return 0;
    if (rc == 0)
        rc = draft_link(a->draft, KIND_CLIENT, c->id, key, s->id, add, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, add ? "CREATE" : "DELETE", "CLIENT", NULL, "clients/%.*s/%s-client-scopes/%.*s", STR_ARG(c->id),
                    key + 1, STR_ARG(s->id));
    return rc;
}

ADMIN(admin_add_client_default_scope, MAY_MANAGE_CLIENTS)
{
    return change_scope(a, "$default", "$optional", true, err);
}

ADMIN(admin_add_client_optional_scope, MAY_MANAGE_CLIENTS)
{
    return change_scope(a, "$optional", "$default", true, err);
}

ADMIN(admin_remove_client_default_scope, MAY_MANAGE_CLIENTS)
{
    return change_scope(a, "$default", "$optional", false, err);
}

ADMIN(admin_remove_client_optional_scope, MAY_MANAGE_CLIENTS)
{
    return change_scope(a, "$optional", "$default", false, err);
}

/* ---- what hangs on a client ---- */

ADMIN(admin_get_service_account, MAY_VIEW_CLIENTS)
{
    const struct client *c;
    struct user u;
    int rc = admin_find_client(a, &c, err);

    if (rc < 0)
        return rc;
    if (!c->service_accounts)
        return err_set_named(err, ERR_INVALID, "error", "Service account not enabled for the client '%.*s'",
                             STR_ARG(c->client_id));
    rc = user_of_service_account(a->oidc->context->model, a->realm, a->arena, c, &u, err);
    return rc < 0 ? rc : admin_answer(a, json_incref(u.rep));
}

/* The adapter's configuration file, which Terraform's provider reads. */
ADMIN(admin_get_installation, MAY_VIEW_CLIENTS)
{
    const struct client *c;
    int rc = admin_find_client(a, &c, err);
    json_t *rep;

    if (rc < 0)
        return rc;
    if (!str_eq(admin_param(a, "provider"), STR("keycloak-oidc-keycloak-json")))
        return err_set(err, ERR_NOT_FOUND, "Unknown Provider");
    rep = json_object();
    json_put_str(rep, "realm", a->realm->name);
    json_put_str(rep, "auth-server-url", arena_printf(a->arena, "%.*s/", STR_ARG(a->base_url)));
    json_put_str(rep, "ssl-required", json_opt_str(a->realm->rep, "sslRequired", STR("external")));
    json_put_str(rep, "resource", c->client_id);
    if (c->is_public)
        json_object_set_new(rep, "public-client", json_true());
    else if (!str_is_null(c->secret) && admin_may(a, MAY_MANAGE_CLIENTS))
        json_object_set_new(rep, "credentials", json_pack("{s:s%}", "secret", c->secret.p, c->secret.n));
    json_object_set_new(rep, "confidential-port", json_integer(0));
    return admin_answer(a, rep);
}

/* ---- evaluating scopes ---- */

static int effective_scope(struct admin_call *a, const struct client *c, struct token_scope *ret, struct err *err)
{
    return token_scope_resolve(a->realm, c, a->arena, admin_query(a, "scope"), ret, err);
}

static void add_mappers(json_t *list, const struct protocol_mapper *mappers, size_t n, struct str container_id,
                        struct str container_name, const char *type)
{
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_object();
        json_put_str(one, "mapperId", mappers[i].id);
        json_put_str(one, "mapperName", mappers[i].name);
        json_put_str(one, "containerId", container_id);
        json_put_str(one, "containerName", container_name);
        json_object_set_new(one, "containerType", json_string(type));
        json_put_str(one, "protocolMapper", mappers[i].kind);
        json_array_append_new(list, one);
    }
}

ADMIN(admin_evaluate_mappers, MAY_VIEW_CLIENTS)
{
    const struct client *c;
    struct token_scope scope;
    json_t *list;
    int rc = admin_find_client(a, &c, err);

    if (rc == 0)
        rc = effective_scope(a, c, &scope, err);
    if (rc < 0)
        return rc;
    list = json_array();
    add_mappers(list, c->mappers, c->mapper_count, c->id, c->client_id, "client");
    for (size_t i = 0; i < scope.n; i++)
        add_mappers(list, scope.scopes[i]->mappers, scope.scopes[i]->mapper_count, scope.scopes[i]->id,
                    scope.scopes[i]->name, "client-scope");
    return admin_answer(a, list);
}

/* The access token that the user would get, not signed and not in use. */
ADMIN(admin_example_token, MAY_VIEW_CLIENTS)
{
    const struct client *c;
    struct token_scope scope;
    struct token_answer answer;
    struct user u;
    struct jws s;
    json_t *claims = NULL;
    int rc = admin_find_client(a, &c, err);

    if (rc == 0 && !admin_may(a, MAY_VIEW_USERS))
        rc = admin_denied(err);
    if (rc == 0 && str_is_null(admin_query(a, "userId")))
        rc = err_set(err, ERR_NOT_FOUND, "No userId provided");
    if (rc == 0)
        rc = user_by_id(a->oidc->context->model, a->realm, a->arena, admin_query(a, "userId"), &u, err);
    if (rc == 0)
        rc = effective_scope(a, c, &scope, err);
    if (rc < 0)
        return rc;
    struct token_request q = {
        .realm = a->realm,
        .client = c,
        .user = &u,
        .scope = &scope,
        .grant = TOKEN_GRANT_CODE,
        .issuer = token_issuer(a->arena, a->base_url, a->realm),
    };
    rc = token_issue(a->oidc->tokens, a->arena, &q, &answer, err);
    if (rc == 0)
        rc = jws_parse(a->arena, answer.access_token, &s, err);
    if (rc == 0)
        rc = json_parse(s.payload, &claims, err);
    return rc < 0 ? rc : admin_answer(a, claims);
}
