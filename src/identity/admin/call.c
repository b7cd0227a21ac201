/*
 * A call of the admin API from its token to its answer: who asks, what that one may, what was answered, and how errors
 * look from outside.
 *
 * Rights come from the master realm (roles of its client "REALM-realm") or from the realm itself (roles of its client
 * realm-management), by the realm that issued the token. Tokens of admin-cli and of the admin console are light: they
 * have no roles, so those of their user count; tokens of other clients can do what the roles within them say.
 */
#include "identity/admin/internal.h"
#include "base/log.h"

static const char *const right_names[] = {
    "create-client",
    "view-realm",
    "view-users",
    "view-clients",
    "view-events",
    "view-identity-providers",
    "manage-realm",
    "manage-users",
    "manage-clients",
    "manage-events",
    "manage-identity-providers",
    "query-users",
    "query-clients",
    "query-realms",
    "query-groups",
    "impersonation",
};

/* ---- answers ---- */

int admin_answer(struct admin_call *a, json_t *answer)
{
    a->status = 200;
    a->answer = json_keep(a->arena, answer);
    return 0;
}

int admin_answer_number(struct admin_call *a, int64_t n)
{
    return admin_answer(a, json_integer(n));
}

int admin_created(struct admin_call *a, const char *fmt, ...)
{
    char path[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(path, sizeof(path), fmt, ap);
    va_end(ap);
    a->status = 201;
    struct str here = a->call->request->raw_path;
    while (here.n && here.p[here.n - 1] == '/')
        here.n--;
    a->location = arena_printf(a->arena, "%.*s%.*s/%s", STR_ARG(a->base_url), STR_ARG(here), path);
    return 0;
}

static void add_headers(struct http_request *r, struct http_response *p)
{
    identity_add_headers(r, p);
    http_response_add(r, p, "X-Frame-Options", STR("SAMEORIGIN"));
}

/* Keycloak says no-cache where its resource says so: what is read, and all of some resources. */
static bool is_no_cache(const struct admin_call *a)
{
    static const char *const resources[] = {"/protocol-mappers/", "-client-scopes/", "/client-scopes",
                                            "/users/{user}/groups/"};
    struct str method = a->call->request->method;

    for (size_t i = 0; i < ARRAY_LEN(resources); i++)
        if (strstr(a->call->route->pattern, resources[i]))
            return true;
    return str_eq(method, STR("GET")) || str_eq(method, STR("HEAD"));
}

static void respond(struct admin_call *a)
{
    struct http_request *r = a->call->request;
    struct http_response *p = http_response_new(r, a->status ? a->status : 204);
    BUF_SCOPED struct buf body;

    buf_init(&body, 64 << 20);
    add_headers(r, p);
    if (is_no_cache(a))
        http_response_add(r, p, "Cache-Control", STR("no-cache"));
    if (!str_is_null(a->location))
        http_response_add(r, p, "Location", a->location);
    if (!a->answer) {
        http_respond_empty(r, p);
        return;
    }
    struct json_writer w;
    json_writer_init(&w, &body);
    json_add_value(&w, a->answer);
    if (body.failed) {
        log_error("an answer of the admin API is larger than %zu bytes", body.max);
        http_respond_empty(r, http_response_new(r, 500));
        return;
    }
    http_respond_buf(r, p, a->content_type ? a->content_type : "application/json;charset=UTF-8", &body);
}

static int status_of(int code)
{
    switch (code) {
    case ERR_INVALID:
        return 400;
    case ERR_NOT_FOUND:
        return 404;
    case ERR_EXISTS:
        return 409;
    case ERR_DENIED:
        return 403;
    case ERR_LIMIT:
        return 413;
    case ERR_UNSUPPORTED:
        return 501;
    case ERR_CONFLICT:
    case ERR_UNAVAILABLE:
    case ERR_TIMEOUT:
        return 503;
    default:
        return 500;
    }
}

/* Three forms, as Keycloak has them: {"error"} of what the path or the token says, {"errorMessage"} of what the request's
 * content says, {"error", "error_description"} where an error has a name. */
static void respond_error(struct http_request *r, int code, const struct err *err)
{
    struct http_response *p = http_response_new(r, status_of(code));
    BUF_SCOPED struct buf body;
    struct json_writer w;
    bool hidden = status_of(code) >= 500 && code != ERR_UNSUPPORTED;

    buf_init(&body, 16 << 10);
    json_writer_init(&w, &body);
    json_open_object(&w);
    if (hidden) {
        log_error("%.*s %.*s: %s", STR_ARG(r->method), STR_ARG(r->raw_path), err->message);
        json_key(&w, "error");
        json_add_cstr(&w, "unknown_error");
        json_key(&w, "error_description");
        json_add_cstr(&w, "For more on this error consult the server log.");
    } else if (err->name && strcmp(err->name, "error") != 0) {
        json_key(&w, "error");
        json_add_cstr(&w, err->name);
        json_key(&w, "error_description");
        json_add_cstr(&w, err->message);
    } else {
        json_key(&w, err->name || code == ERR_NOT_FOUND || code == ERR_DENIED ? "error" : "errorMessage");
        json_add_cstr(&w, err->message);
    }
    json_close_object(&w);
    add_headers(r, p);
    http_respond_buf(r, p, "application/json", &body);
}

static void respond_unauthorized(struct http_request *r)
{
    struct http_response *p = http_response_new(r, 401);

    add_headers(r, p);
    http_respond_text(r, p, "application/json", STR("{\"error\":\"HTTP 401 Unauthorized\"}"));
}

/* ---- who asks ---- */

/* The realm that the token says it is from: only to know whose keys to verify it with. */
static struct str claimed_realm(struct arena *a, struct str text)
{
    JSON_SCOPED json_t *claims = NULL;
    struct jws s;
    static const struct str mark = {"/realms/", 8};

    if (jws_parse(a, text, &s, NULL) < 0 || json_parse(s.payload, &claims, NULL) < 0)
        return STR_NULL;
    struct str issuer = json_opt_str(claims, "iss", STR(""));
    size_t at = str_find(issuer, mark, 0);
    return at == SIZE_MAX ? STR_NULL : arena_str(a, str_skip(issuer, at + mark.n));
}

static bool authenticate(struct admin_call *a)
{
    struct http_request *r = a->call->request;
    struct str text = token_of_header(http_header(r, "Authorization"));
    struct token_expect e = {.kind = TOKEN_ACCESS};

    if (str_is_null(text) || identity_base_url(a->oidc->context, r, &a->base_url, NULL) < 0)
        return false;
    struct str name = claimed_realm(a->arena, text);
    if (str_is_null(name) || identity_realm(a->oidc->context->model, name, &a->auth_realm, NULL) < 0)
        return false;
    e.issuer = token_issuer(a->arena, a->base_url, a->auth_realm);
    return token_verify(a->oidc->tokens, a->auth_realm, a->arena, text, &e, &a->token, &a->err) == 0;
}

static bool is_light(const struct client *c)
{
    return str_eq(c->client_id, STR("admin-cli")) || str_eq(c->client_id, STR("security-admin-console"));
}

static bool has_role(const struct admin_call *a, const struct client *client, const char *name)
{
    if (!a->by_user)
        return token_has_role(&a->token, client ? client->client_id : STR_NULL, str_from_cstr(name));
    for (size_t i = 0; i < a->role_count; i++)
        if (a->roles[i]->client == client && str_eq_cstr(a->roles[i]->name, name))
            return true;
    return false;
}

static int read_rights(struct admin_call *a, struct err *err)
{
    struct identity *model = a->oidc->context->model;
    bool from_master = str_eq(a->auth_realm->name, STR("master"));
    const struct client *management;
    int rc = 0;

    a->by_user = is_light(a->token.client);
    if (a->by_user && !a->roles)
        rc = user_roles(model, a->auth_realm, a->arena, &a->token.user, &a->roles, &a->role_count, err);
    if (rc < 0)
        return rc;
    if (from_master && has_role(a, NULL, "create-realm"))
        a->rights |= RIGHT_CREATE_REALM;
    if (!a->realm)
        return 0;
    if (from_master)
        management = realm_client(a->auth_realm, arena_printf(a->arena, "%.*s-realm", STR_ARG(a->realm->name)));
    else if (str_eq(a->auth_realm->name, a->realm->name))
        management = realm_client(a->auth_realm, STR("realm-management"));
    else
        return admin_denied(err);
    for (size_t i = 0; management && i < ARRAY_LEN(right_names); i++)
        if (has_role(a, management, right_names[i]))
            a->rights |= 1U << i;
    for (size_t i = 0; management && i < management->role_count; i++)
        if (has_role(a, management, arena_cstr(a->arena, management->roles[i]->name)))
            a->rights |= RIGHT_OTHER;
    return 0;
}

json_t *admin_realm_as_seen(struct admin_call *a, struct realm *r, json_t *(*seen)(struct admin_call *a, bool brief),
                            bool brief)
{
    struct realm *realm = a->realm;
    unsigned rights = a->rights;
    json_t *rep = NULL;

    a->realm = r;
    a->rights = 0;
    if (read_rights(a, NULL) == 0)
        rep = seen(a, brief);
    a->realm = realm;
    a->rights = rights;
    realm_unref(r);
    return rep;
}

bool admin_may(const struct admin_call *a, unsigned may)
{
    return (a->rights & may) != 0;
}

int admin_denied(struct err *err)
{
    return err_set(err, ERR_DENIED, "HTTP 403 Forbidden");
}

/* Keycloak's AdminRoles.ALL_ROLES, where they mean something: of the clients that guard realms, and the master realm's. */
static bool is_admin_role(const struct realm *r, const struct role *role)
{
    bool in_master = str_eq(r->name, STR("master"));

    if (role->client)
        return str_eq(role->client->client_id, STR("realm-management")) ||
               (in_master && str_ends_with(role->client->client_id, STR("-realm")));
    return in_master && (str_eq(role->name, STR("admin")) || str_eq(role->name, STR("create-realm")));
}

int admin_may_give(struct admin_call *a, const struct role *role, struct err *err)
{
    const struct role **all;
    size_t n = role_expand(a->realm, a->arena, &role, 1, &all);

    for (size_t i = 0; i < n; i++) {
        if (!is_admin_role(a->realm, all[i]))
            continue;
        bool has;
        if (str_eq(a->auth_realm->name, a->realm->name)) {
            const struct client *c = all[i]->client ? realm_client_by_id(a->auth_realm, all[i]->client->id) : NULL;
            has = (c || !all[i]->client) && has_role(a, c, arena_cstr(a->arena, all[i]->name));
        } else { /* the master realm's, by the name of its client for this realm */
            struct str name = arena_printf(a->arena, "%.*s-realm", STR_ARG(a->realm->name));
            const struct client *c = realm_client(a->auth_realm, name);
            const char *same = str_eq(all[i]->name, STR("realm-admin")) ? "manage-realm"
                                                                        : arena_cstr(a->arena, all[i]->name);
            has = c && has_role(a, c, same);
        }
        if (!has)
            return admin_denied(err);
    }
    return 0;
}

/* ---- the request ---- */

struct str admin_query(struct admin_call *a, const char *name)
{
    return http_query(a->call->request, name);
}

bool admin_query_flag(struct admin_call *a, const char *name, bool fallback)
{
    struct str s = admin_query(a, name);
    return str_is_null(s) || s.n == 0 ? fallback : str_eq_nocase(s, STR("true"));
}

int admin_query_number(struct admin_call *a, const char *name, int64_t fallback, int64_t *ret, struct err *err)
{
    struct str s = admin_query(a, name);

    *ret = fallback;
    if (str_is_null(s) || s.n == 0)
        return 0;
    if (str_to_i64(s, ret, NULL) < 0 || *ret > INT32_MAX || *ret < INT32_MIN)
        return err_set(err, ERR_NOT_FOUND, "HTTP 404 Not Found"); /* as JAX-RS does */
    return 0;
}

int admin_paging(struct admin_call *a, int64_t default_max, int64_t *ret_first, int64_t *ret_max, struct err *err)
{
    int rc = admin_query_number(a, "first", 0, ret_first, err);

    if (rc == 0)
        rc = admin_query_number(a, "max", default_max, ret_max, err);
    if (rc == 0 && *ret_first < 0)
        *ret_first = 0;
    if (rc == 0 && *ret_max < 0)
        *ret_max = -1;
    return rc;
}

int admin_body_json(struct admin_call *a, json_t **ret, struct err *err)
{
    json_t *body = NULL;

    if (a->call->body.n == 0)
        return err_set_named(err, ERR_INVALID, "invalid_request", "a JSON body is expected");
    if (json_parse(a->call->body, &body, NULL) < 0)
        return err_set_named(err, ERR_INVALID, "invalid_request", "Cannot parse the JSON");
    *ret = json_keep(a->arena, body);
    return 0;
}

static int check_representation(json_t *body, enum represent_kind kind, struct err *err)
{
    struct err reason = {0};

    if (represent_check(body, kind, &reason) == 0)
        return 0;
    if (str_starts_with(str_from_cstr(reason.message), STR("Unrecognized")))
        return err_set_named(err, ERR_INVALID, "error", "Invalid json representation. %s", reason.message);
    return err_set_named(err, ERR_INVALID, "unknown_error", "Cannot parse the JSON: %s", reason.message);
}

int admin_body(struct admin_call *a, enum represent_kind kind, json_t **ret, struct err *err)
{
    int rc = admin_body_json(a, ret, err);
    return rc < 0 ? rc : check_representation(*ret, kind, err);
}

int admin_body_list(struct admin_call *a, enum represent_kind kind, json_t **ret, struct err *err)
{
    int rc = admin_body_json(a, ret, err);

    if (rc < 0)
        return rc;
    if (!json_is_array(*ret))
        return err_set_named(err, ERR_INVALID, "unknown_error", "Cannot parse the JSON: an array is expected");
    for (size_t i = 0; rc == 0 && i < json_array_size(*ret); i++)
        rc = check_representation(json_array_get(*ret, i), kind, err);
    return rc;
}

/* ---- changes ---- */

int admin_begin(struct admin_call *a, struct err *err)
{
    int rc = identity_change_begin(a->oidc->context->model, &a->change, err);
    return rc < 0 || !a->realm ? rc : identity_change_realm(a->change, a->realm->name, &a->draft, err);
}

void admin_refresh(struct admin_call *a)
{
    struct realm *now = draft_snapshot(a->draft);

    /* What the handler still holds of the old one stays valid to the end of the request. */
    arena_defer(a->arena, (void (*)(void *))realm_unref, a->realm);
    a->realm = now;
}

int admin_commit(struct admin_call *a, struct err *err)
{
    int rc = identity_change_commit(a->change, err);
    struct realm *now;

    identity_change_end(a->change);
    a->change = NULL;
    a->draft = NULL;
    if (rc == 0 && a->realm && identity_realm(a->oidc->context->model, a->realm->name, &now, NULL) == 0) {
        arena_defer(a->arena, (void (*)(void *))realm_unref, a->realm);
        a->realm = now;
    }
    return rc;
}

/* Members that are never kept in the audit log. */
static const char *const secret_members[] = {"secret",         "credentials", "value",      "secretData",
                                             "credentialData", "smtpServer",  "config",     "password",
                                             "users",          "clients",     "components", "registrationAccessToken"};

static json_t *without_secrets(const json_t *rep)
{
    json_t *copy = json_is_object(rep) ? json_copy((json_t *)rep) : NULL;

    for (size_t i = 0; copy && i < ARRAY_LEN(secret_members); i++)
        json_object_del(copy, secret_members[i]);
    return copy;
}

void admin_event(struct admin_call *a, const char *operation, const char *type, const json_t *rep, const char *fmt, ...)
{
    JSON_SCOPED json_t *kept = without_secrets(rep);
    char path[1024], *text = NULL;
    struct str ip = a->call->request->peer;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(path, sizeof(path), fmt, ap);
    va_end(ap);
    if (kept)
        text = json_dumps(kept, JSON_COMPACT);
    struct admin_event e = {
        .realm = a->realm,
        .operation = operation,
        .resource_type = type,
        .resource_path = str_from_cstr(path),
        .auth_realm_id = a->auth_realm->id,
        .auth_client_id = a->token.client->id,
        .auth_user_id = a->token.user.id,
        .ip = ip,
        .representation = str_from_cstr(text),
    };
    if (a->realm)
        admin_event_write(a->oidc->context->events, &e);
    free(text);
}

/* ---- running ---- */

static int run(struct admin_call *a, unsigned may, int (*fn)(struct admin_call *a, struct err *err), struct err *err)
{
    int rc = 0;

    if (admin_has_param(a, "realm"))
        rc = identity_realm(a->oidc->context->model, admin_param(a, "realm"), &a->realm, err);
    if (rc == 0)
        rc = read_rights(a, err);
    if (rc == 0 && may != MAY_ANY && !admin_may(a, may))
        rc = admin_denied(err);
    return rc < 0 ? rc : fn(a, err);
}

void admin_run(void *ctx, struct http_call *call, unsigned may, int (*fn)(struct admin_call *a, struct err *err))
{
    struct admin_call a = {.oidc = ctx, .call = call, .arena = call->request->arena};
    struct err err = {0};

    if (!authenticate(&a)) {
        if (a.auth_realm)
            realm_unref(a.auth_realm);
        respond_unauthorized(call->request);
        return;
    }
    int rc = run(&a, may, fn, &err);
    identity_change_end(a.change);
    /* The response is the last thing: after it the request, and its arena, may be gone. */
    arena_defer(a.arena, (void (*)(void *))realm_unref, a.auth_realm);
    if (a.realm)
        arena_defer(a.arena, (void (*)(void *))realm_unref, a.realm);
    if (rc < 0)
        respond_error(call->request, rc, &err);
    else
        respond(&a);
}

/* ---- finding ---- */

bool admin_has_param(const struct admin_call *a, const char *name)
{
    char text[64];

    snprintf(text, sizeof(text), "{%s}", name);
    return strstr(a->call->route->pattern, text) != NULL;
}

int admin_find_client(struct admin_call *a, const struct client **ret, struct err *err)
{
    *ret = realm_client_by_id(a->realm, admin_param(a, "client"));
    return *ret ? 0 : err_set(err, ERR_NOT_FOUND, "Could not find client");
}

int admin_find_scope(struct admin_call *a, const struct client_scope **ret, struct err *err)
{
    *ret = realm_scope_by_id(a->realm, admin_param(a, "scope"));
    return *ret ? 0 : err_set(err, ERR_NOT_FOUND, "Could not find client scope");
}

int admin_find_role(struct admin_call *a, const struct role **ret, struct err *err)
{
    const struct client *c = NULL;

    if (admin_has_param(a, "role-id")) {
        *ret = realm_role_by_id(a->realm, admin_param(a, "role-id"));
        return *ret ? 0 : err_set(err, ERR_NOT_FOUND, "Could not find role with id");
    }
    if (admin_has_param(a, "client")) {
        int rc = admin_find_client(a, &c, err);
        if (rc < 0)
            return rc;
    }
    *ret = c ? client_role(c, admin_param(a, "role")) : realm_role(a->realm, admin_param(a, "role"));
    return *ret ? 0 : err_set(err, ERR_NOT_FOUND, "Could not find role");
}

int admin_find_group(struct admin_call *a, const struct group **ret, struct err *err)
{
    *ret = realm_group_by_id(a->realm, admin_param(a, "group"));
    return *ret ? 0 : err_set(err, ERR_NOT_FOUND, "Could not find group by id");
}

int admin_find_user(struct admin_call *a, struct user *ret, struct err *err)
{
    return user_by_id(a->oidc->context->model, a->realm, a->arena, admin_param(a, "user"), ret, err);
}

int admin_named_roles(struct admin_call *a, const json_t *list, bool any, const struct client *client,
                      const struct role ***ret, size_t *ret_n, struct err *err)
{
    size_t n = json_array_size(list);
    const struct role **roles = (const struct role **)arena_array(a->arena, struct role *, n);

    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i);
        struct str id = json_opt_str(one, "id", STR_NULL), name = json_opt_str(one, "name", STR_NULL);
        const struct role *role = str_is_null(id) ? NULL : realm_role_by_id(a->realm, id);
        if (str_is_null(id) && !any)
            role = client ? client_role(client, name) : realm_role(a->realm, name);
        if (!role || (!any && role->client != client) || (!any && !str_is_null(name) && !str_eq(name, role->name)))
            return err_set(err, ERR_NOT_FOUND, any ? "Could not find composite role" : "Role not found");
        roles[i] = role;
    }
    *ret = roles;
    *ret_n = n;
    return 0;
}

json_t *admin_roles_of(struct admin_call *a, const struct role *const *roles, size_t n, const struct client *client,
                       bool brief)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        if (roles[i]->client == client)
            json_array_append_new(list, role_rep(a->realm, roles[i], brief));
    return list;
}
