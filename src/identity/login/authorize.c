/*
 * The authorization endpoint. Checks come in Keycloak's order, because the order decides what an attacker learns and where
 * an error goes: until the client and its redirect URI are known to belong together, errors are pages of ours; after that
 * they are answers to the client, with state and iss (RFC 9207).
 */
#include "identity/login/internal.h"

#include "base/log.h"
#include "base/vec.h"

enum { PARAMETERS_MAX = 16 << 10, CLAIMS_MAX = 4 << 10 };

#define PAR_PREFIX "urn:ietf:params:oauth:request_uri:"

struct request {
    const struct http_form *params;
    const struct client *client;
    struct str client_id, redirect_param, redirect_uri, response_type, response_mode, state, nonce, scope, prompt,
        claims;
    struct str challenge, challenge_method;
    int64_t max_age;
    bool openid, code, id_token, token;
    struct event event;
};

static void error_page(struct visit *v, struct request *q, int status, const char *event_error, const char *message,
                       const char *arg)
{
    event_fail(v->context->events, &q->event, event_error);
    visit_respond_error(v, status, message, arg ? str_from_cstr(arg) : STR_NULL);
}

/* Tells the client; `event_error` and `error` are different vocabularies. */
static void refuse(struct visit *v, struct request *q, const char *event_error, const char *error,
                   struct str description)
{
    event_add(&q->event, "reason", description);
    event_fail(v->context->events, &q->event, event_error);
    answer_error(v, q->client, q->redirect_uri, q->response_mode, q->state, error, description);
}

static bool check_client(struct visit *v, struct request *q)
{
    q->client_id = http_form_get(q->params, "client_id");
    if (str_is_empty(q->client_id)) {
        error_page(v, q, 400, "invalid_request", "missingParameterMessage", "client_id");
        return false;
    }
    q->event.client_id = q->client_id;
    q->client = realm_client(v->realm, q->client_id);
    if (!q->client)
        error_page(v, q, 400, "client_not_found", "clientNotFoundMessage", NULL);
    else if (!q->client->enabled)
        error_page(v, q, 400, "client_disabled", "clientDisabledMessage", NULL);
    else if (q->client->bearer_only)
        error_page(v, q, 403, "not_allowed", "bearerOnlyMessage", NULL);
    return q->client && q->client->enabled && !q->client->bearer_only;
}

static bool has_word(struct str list, const char *word)
{
    struct str part;

    while (str_split(&list, ' ', &part)) {
        if (str_eq_cstr(part, word))
            return true;
    }
    return false;
}

static bool check_redirect_uri(struct visit *v, struct request *q)
{
    struct err err = {0};

    q->scope = http_form_get(q->params, "scope");
    q->openid = has_word(q->scope, "openid");
    q->redirect_param = http_form_get(q->params, "redirect_uri");
    event_add(&q->event, "redirect_uri", q->redirect_param);
    if (http_form_count(q->params, "redirect_uri") < 2 && http_form_count(q->params, "client_id") < 2 &&
        redirect_verify(v->a, q->client, v->base, q->redirect_param, q->openid, &q->redirect_uri, &err) == 0)
        return true;
    error_page(v, q, 400, "invalid_redirect_uri", "invalidParameterMessage", "redirect_uri");
    return false;
}

/* "code", "id_token", "token" in any order, or "none", which we don't have. */
static bool read_response_type(struct request *q)
{
    struct str rest = q->response_type, part;

    while (str_split(&rest, ' ', &part)) {
        bool *kind = str_eq(part, STR("code"))       ? &q->code
                     : str_eq(part, STR("id_token")) ? &q->id_token
                     : str_eq(part, STR("token"))    ? &q->token
                                                     : NULL;
        if (!kind || *kind)
            return false;
        *kind = true;
    }
    return true;
}

static bool is_mode(struct str mode)
{
    return str_eq(mode, STR("query")) || str_eq(mode, STR("fragment")) || str_eq(mode, STR("form_post"));
}

static bool check_response_type(struct visit *v, struct request *q)
{
    struct str mode = http_form_get(q->params, "response_mode");

    q->state = http_form_get(q->params, "state");
    q->response_type = http_form_get(q->params, "response_type");
    q->response_mode = is_mode(mode) ? mode : STR("query");
    event_add(&q->event, "response_type", q->response_type);
    if (str_is_null(q->response_type)) {
        refuse(v, q, "invalid_request", "invalid_request", STR("Missing parameter: response_type"));
        return false;
    }
    if (!read_response_type(q)) {
        refuse(v, q, "invalid_request", "unsupported_response_type", STR_NULL);
        return false;
    }
    bool implicit = q->id_token || q->token;
    if (implicit && !is_mode(mode))
        q->response_mode = STR("fragment");
    if (!str_is_null(mode) && !is_mode(mode)) {
        refuse(v, q, "invalid_request", "invalid_request", STR("Invalid parameter: response_mode"));
        return false;
    }
    if (implicit && str_eq(mode, STR("query"))) {
        q->response_mode = STR("fragment");
        refuse(v, q, "invalid_request", "invalid_request",
               STR("Response_mode 'query' not allowed for implicit or hybrid flow"));
        return false;
    }
    event_add(&q->event, "response_mode", q->response_mode);
    if (q->code && !q->client->standard_flow) {
        refuse(
            v, q, "not_allowed", "unauthorized_client",
            STR("Client is not allowed to initiate browser login with given response_type. Standard flow is disabled "
                "for the client."));
        return false;
    }
    if (implicit && !q->client->implicit_flow) {
        refuse(
            v, q, "not_allowed", "unauthorized_client",
            STR("Client is not allowed to initiate browser login with given response_type. Implicit flow is disabled "
                "for the client."));
        return false;
    }
    return true;
}

/* What we answer to a claims parameter that wants a level of authentication that we can't give. */
static bool has_impossible_claims(const struct request *q)
{
    JSON_SCOPED json_t *claims = NULL;

    if (str_is_null(q->claims))
        return false;
    if (q->claims.n > CLAIMS_MAX || json_parse(q->claims, &claims, NULL) < 0 || !json_is_object(claims))
        return true;
    const json_t *acr = json_object_get(json_object_get(claims, "id_token"), "acr");
    if (!json_opt_bool(acr, "essential", false))
        return false;
    const json_t *values = json_object_get(acr, "values"), *one = json_object_get(acr, "value"), *value;
    size_t i;
    bool possible = !one && !values;
    if (one)
        possible = str_eq(json_str(one), STR("1")) || str_eq(json_str(one), STR("0"));
    json_array_foreach(values, i, value)
        possible |= str_eq(json_str(value), STR("1")) || str_eq(json_str(value), STR("0"));
    return !possible;
}

static struct str prompt_error(const struct request *q)
{
    struct str rest = q->prompt, part;
    size_t n = 0;

    while (str_split(&rest, ' ', &part))
        n++;
    return n > 1 && has_word(q->prompt, "none") ? STR("Invalid parameter: prompt") : STR_NULL;
}

static bool check_parameters(struct visit *v, struct request *q)
{
    struct token_scope scope;
    struct err err = {0};
    struct str max_age = http_form_get(q->params, "max_age");

    q->nonce = http_form_get(q->params, "nonce");
    q->prompt = http_form_get(q->params, "prompt");
    q->claims = http_form_get(q->params, "claims");
    q->challenge = http_form_get(q->params, "code_challenge");
    q->challenge_method = http_form_get(q->params, "code_challenge_method");
    q->max_age = -1;
    if (!str_is_null(http_form_repeated(q->params)))
        refuse(v, q, "invalid_request", "invalid_request", STR("duplicated parameter"));
    else if (!str_is_null(http_form_get(q->params, "request")))
        refuse(v, q, "invalid_request", "request_not_supported", STR("Request objects are not supported"));
    else if (!str_is_null(http_form_get(q->params, "request_uri")))
        refuse(v, q, "invalid_request", "request_uri_not_supported",
               STR("Only request URIs of pushed requests are supported"));
    else if (token_scope_resolve(v->realm, q->client, v->a, q->scope, &scope, &err) < 0)
        refuse(v, q, "invalid_request", "invalid_scope", str_from_cstr(err.message));
    else if (q->id_token && str_is_null(q->nonce))
        refuse(v, q, "invalid_request", "invalid_request", STR("Missing parameter: nonce"));
    else if (!str_is_null(max_age) && (str_to_i64(max_age, &q->max_age, NULL) < 0 || q->max_age < 0))
        refuse(v, q, "invalid_request", "invalid_request", STR("Invalid parameter: max_age"));
    else if (!str_is_null(prompt_error(q)))
        refuse(v, q, "invalid_request", "invalid_request", prompt_error(q));
    else if (has_impossible_claims(q))
        refuse(v, q, "invalid_request", "invalid_request", STR("Invalid parameter: claims"));
    else if (q->code && oidc_check_pkce_request(q->client, q->challenge, q->challenge_method, &err) < 0)
        refuse(v, q, "invalid_request", "invalid_request", str_from_cstr(err.message));
    else
        return true;
    return false;
}

/* ---- from a request that is right to a login ---- */

static struct str text_or_null(struct str s)
{
    return str_is_empty(s) ? STR_NULL : s;
}

static void fill_flow(struct visit *v, const struct request *q, struct str raw, struct flow *flow)
{
    const struct {
        enum flow_text text;
        struct str value;
    } texts[] = {
        {FLOW_REALM, v->realm->id},
        {FLOW_CLIENT, q->client->id},
        {FLOW_REDIRECT_URI, q->redirect_uri},
        {FLOW_REDIRECT_PARAM, q->redirect_param},
        {FLOW_RESPONSE_TYPE, q->response_type},
        {FLOW_RESPONSE_MODE, q->response_mode},
        {FLOW_STATE, q->state},
        {FLOW_NONCE, q->nonce},
        {FLOW_SCOPE, q->scope},
        {FLOW_CODE_CHALLENGE, q->challenge},
        {FLOW_CODE_CHALLENGE_METHOD, q->challenge_method},
        {FLOW_CLAIMS, q->claims},
        {FLOW_PROMPT, q->prompt},
        {FLOW_LOGIN_HINT, text_or_null(http_form_get(q->params, "login_hint"))},
        {FLOW_LOCALES, text_or_null(http_form_get(q->params, "ui_locales"))},
        {FLOW_ACTION, text_or_null(http_form_get(q->params, "kc_action"))},
        {FLOW_DPOP_JKT, text_or_null(http_form_get(q->params, "dpop_jkt"))},
        {FLOW_QUERY, raw},
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        flow->text[texts[i].text] = texts[i].value;
    flow->max_age = q->max_age;
}

static void remember_request(struct visit *v, const struct flow *flow)
{
    struct str sealed, root = arena_str(v->a, str_from_cstr(flow->root));
    struct err err = {0};
    int64_t lifetime = v->realm->login_lifespan > 0 ? v->realm->login_lifespan : 1800;

    visit_set_cookie(v, "AUTH_SESSION_ID", root, 0, true);
    if (str_is_null(flow->text[FLOW_QUERY]))
        return;
    if (browser_seal(v, "Restart", flow->text[FLOW_QUERY], lifetime * 4, &sealed, &err) == 0 && sealed.n < 3500)
        visit_set_cookie(v, "KC_RESTART", sealed, 0, true); /* browsers keep 4096 bytes a cookie */
}

/* Single sign-on: who is logged in with this browser, unless the request wants a new login. */
static int find_login(struct visit *v, struct flow *flow, struct browser *login, bool *ret_found, struct err *err)
{
    int rc = browser_login(v, login, err);

    *ret_found = rc == 0;
    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc < 0)
        return rc;
    bool too_old = flow->max_age >= 0 && login->session.auth_time + flow->max_age < v->now;
    flow->text[FLOW_SESSION] = login->session.id;
    if (has_word(flow->text[FLOW_PROMPT], "select_account")) {
        *ret_found = false;
        flow->text[FLOW_SESSION] = STR_NULL;
        return 0;
    }
    flow->text[FLOW_USER] = login->user.id;
    flow->text[FLOW_USERNAME] = login->user.username;
    if (!too_old && !has_word(flow->text[FLOW_PROMPT], "login"))
        return 0;
    *ret_found = false;
    flow->reauthenticate = true;
    return 0;
}

int flow_begin(struct visit *v, struct flow *flow, const struct client *c, struct str notice, struct err *err)
{
    struct browser login;
    bool found, none = has_word(flow->text[FLOW_PROMPT], "none");
    struct str root = http_cookie_get(v->r, "AUTH_SESSION_ID");
    int rc = find_login(v, flow, &login, &found, err);

    if (rc < 0)
        return rc;
    if (none && !found)
        return err_set(err, ERR_DENIED, "nobody is logged in");
    if (!str_is_empty(root) && flow_has_root(v->l->flows, root, v->now))
        (void)snprintf(flow->root, sizeof(flow->root), "%.*s", STR_ARG(root));
    flow->text[FLOW_EXECUTION] = STR("password");
    flow_add(v->l->flows, flow, v->now, v->realm->login_lifespan);
    if (!none)
        remember_request(v, flow);
    if (!found && str_is_null(notice) && flow->reauthenticate)
        notice = visit_text(v, "reauthenticate", STR_NULL);
    flow_continue(v, flow, c, found ? &login.user : NULL, notice);
    return 0;
}

static void begin_login(struct visit *v, struct request *q, struct str raw, struct str notice)
{
    struct flow flow = {.max_age = -1};
    struct err err = {0};

    fill_flow(v, q, raw, &flow);
    int rc = flow_begin(v, &flow, q->client, notice, &err);
    if (rc == ERR_DENIED) {
        event_fail(v->context->events, &q->event, "not_logged_in");
        answer_error(v, q->client, q->redirect_uri, q->response_mode, q->state, "login_required", STR_NULL);
    } else if (rc < 0) {
        visit_respond_failure(v, &err);
    }
}

/* The parameters of a request that was pushed before (RFC 9126), in the place of those that are here. */
static bool load_pushed(struct visit *v, struct http_form *params)
{
    struct str uri = http_form_get(params, "request_uri"), client_id = http_form_get(params, "client_id"), text;
    struct err err = {0};

    if (!str_starts_with(uri, STR(PAR_PREFIX)))
        return true;
    int rc = sessions_take(v->context->sessions, v->realm, v->a, "par", str_skip(uri, sizeof(PAR_PREFIX) - 1), &text,
                           &err);
    if (rc == 0)
        rc = http_form_parse(v->a, text, params, &err);
    if (rc == 0 && str_eq(client_id, http_form_get(params, "client_id")))
        return true;
    visit_respond_error(v, 400, "invalidParameterMessage", STR("request_uri"));
    return false;
}

void authorize_begin(struct visit *v, const struct http_form *given, struct str raw, struct str notice)
{
    struct http_form params = *given;
    struct request q = {.params = &params, .event = event_of(v->realm, "LOGIN", STR_NULL, v->ip)};

    if (raw.n > PARAMETERS_MAX) {
        visit_respond_error(v, 400, "requestTooLarge", STR_NULL);
        return;
    }
    visit_choose_language(v, http_form_get(&params, "ui_locales"));
    event_add(&q.event, "auth_method", STR("openid-connect"));
    if (!load_pushed(v, &params))
        return;
    if (!check_client(v, &q) || !check_redirect_uri(v, &q) || !check_response_type(v, &q) || !check_parameters(v, &q))
        return;
    begin_login(v, &q, raw, notice);
}

void get_authorize(void *ctx, struct http_call *call)
{
    VISIT_SCOPED struct visit v;

    if (visit_begin(&v, ctx, call))
        authorize_begin(&v, &v.query, v.r->raw_query, STR_NULL);
}

/* Parameters in the body count; those of the URL only when there is no body. */
void post_authorize(void *ctx, struct http_call *call)
{
    VISIT_SCOPED struct visit v;

    if (visit_begin(&v, ctx, call))
        authorize_begin(&v, v.form.n ? &v.form : &v.query, v.form.n ? call->body : v.r->raw_query, STR_NULL);
}

void get_restart(void *ctx, struct http_call *call)
{
    VISIT_SCOPED struct visit v;
    struct http_form params;
    struct str raw;
    struct err err = {0};

    if (!visit_begin(&v, ctx, call))
        return;
    struct str sealed = http_cookie_get(v.r, "KC_RESTART"), root = http_cookie_get(v.r, "AUTH_SESSION_ID");
    if (str_is_empty(sealed) || browser_unseal(&v, "Restart", sealed, &raw, &err) < 0 ||
        http_form_parse(v.a, raw, &params, &err) < 0) {
        visit_respond_error(&v, 400, "cookieNotFoundMessage", STR_NULL);
        return;
    }
    flow_remove(v.l->flows, root, http_form_get(&v.query, "tab_id"));
    authorize_begin(&v, &params, raw, STR_NULL);
}
