/*
 * RP-initiated logout. With an ID token of ours as a hint the session that it names ends at once; without one, or when the
 * hint is for another session than the browser's, the visitor is asked: a link on somebody's page must not log people out.
 */
#include "identity/login/internal.h"

#include "base/log.h"

enum { CONFIRM_S = 300 };

struct request {
    struct str redirect, state, client_id, hint;
    struct str session_id; /* of the hint; null: none */
    const struct client *client;
};

static void fail(struct visit *v, struct event *e, const char *event_error, const char *message, const char *arg)
{
    event_fail(v->context->events, e, event_error);
    visit_respond_error(v, 400, message, arg ? str_from_cstr(arg) : STR_NULL);
}

/* False: answered. */
static bool read_hint(struct visit *v, struct request *q, struct event *e)
{
    const struct token_expect expect = {
        .kind = TOKEN_ID, .issuer = v->issuer, .ignore_expiry = true, .ignore_session = true};
    struct token token = {0};
    struct err err = {0};

    if (str_is_null(q->hint))
        return true;
    if (token_verify(v->l->oidc.tokens, v->realm, v->a, q->hint, &expect, &token, &err) < 0) {
        fail(v, e, "invalid_token", "invalidIdTokenHintMessage", NULL);
        return false;
    }
    if (!str_is_null(q->client_id) && (!token.client || !str_eq(q->client_id, token.client->client_id))) {
        fail(v, e, "invalid_client", "invalidParameterMessage", "client_id");
        return false;
    }
    q->client = token.client;
    q->session_id = json_opt_str(token.claims, "sid", STR_NULL);
    return true;
}

static bool read_request(struct visit *v, struct request *q)
{
    struct event e = event_of(v->realm, "LOGOUT", STR_NULL, v->ip);
    struct str redirect = visit_param(v, "post_logout_redirect_uri");
    struct err err = {0};

    *q = (struct request){.state = visit_param(v, "state"),
                          .client_id = visit_param(v, "client_id"),
                          .hint = visit_param(v, "id_token_hint"),
                          .session_id = STR_NULL,
                          .redirect = STR_NULL};
    visit_choose_language(v, visit_param(v, "ui_locales"));
    event_add(&e, "redirect_uri", redirect);
    if (!str_is_null(visit_param(v, "redirect_uri"))) {
        fail(v, &e, "invalid_request", "invalidParameterMessage", "redirect_uri");
        return false;
    }
    if (!str_is_null(redirect) && str_is_null(q->hint) && str_is_null(q->client_id)) {
        fail(v, &e, "invalid_request", "missingParameterMessage", "id_token_hint");
        return false;
    }
    if (!read_hint(v, q, &e))
        return false;
    if (!q->client && !str_is_null(q->client_id)) {
        q->client = realm_client(v->realm, q->client_id);
        e.client_id = q->client_id;
        if (!q->client) {
            fail(v, &e, "client_not_found", "invalidParameterMessage", "client_id");
            return false;
        }
    }
    if (str_is_null(redirect))
        return true;
    if (!q->client || redirect_verify_post_logout(v->a, q->client, v->base, redirect, &q->redirect, &err) < 0) {
        fail(v, &e, "invalid_redirect_uri", "invalidRedirectUriMessage", NULL);
        return false;
    }
    return true;
}

static void end_session(struct visit *v, struct str session_id, struct str user_id, const struct client *c,
                        struct str redirect)
{
    struct event e = event_of(v->realm, "LOGOUT", c ? c->client_id : STR_NULL, v->ip);
    struct err err = {0};

    e.session_id = session_id;
    e.user_id = user_id;
    event_add(&e, "redirect_uri", redirect);
    if (logout_session(v->l->oidc.logout, v->realm, v->issuer, session_id, &err) < 0) {
        log_error("logout: %s", err.message);
        event_fail(v->context->events, &e, "logout_failed");
    } else {
        event_write(v->context->events, &e);
    }
}

static void respond_done(struct visit *v, struct str redirect, struct str state)
{
    BUF_SCOPED struct buf url = {0};

    if (str_is_null(redirect)) {
        visit_respond_page(v, 200, "info", "successLogout", STR_NULL, STR_NULL,
                           json_pack("{s:o}", "message", visit_json(visit_text(v, "successLogout", STR_NULL))));
        return;
    }
    buf_init(&url, 64 << 10);
    buf_add_str(&url, redirect);
    if (!str_is_null(state))
        http_form_add_to_url(&url, STR("state"), state);
    visit_respond_redirect(v, buf_str(&url));
}

static void ask(struct visit *v, const struct request *q)
{
    const struct client *c = q->client ? q->client : realm_client(v->realm, STR("account"));
    struct flow flow = {.max_age = -1, .is_logout = true};
    struct str root = http_cookie_get(v->r, "AUTH_SESSION_ID");
    BUF_SCOPED struct buf action = {0};

    if (!str_is_empty(root) && flow_has_root(v->l->flows, root, v->now))
        (void)snprintf(flow.root, sizeof(flow.root), "%.*s", STR_ARG(root));
    flow.text[FLOW_REALM] = v->realm->id;
    flow.text[FLOW_CLIENT] = q->client ? q->client->id : STR_NULL;
    flow.text[FLOW_REDIRECT_URI] = q->redirect;
    flow.text[FLOW_STATE] = q->state;
    flow.text[FLOW_EXECUTION] = STR("logout");
    flow_add(v->l->flows, &flow, v->now, CONFIRM_S);
    visit_set_cookie(v, "AUTH_SESSION_ID", arena_str(v->a, str_from_cstr(flow.root)), 0, true);
    buf_init(&action, 8 << 10);
    buf_addf(&action, "%.*s/protocol/openid-connect/logout/logout-confirm?", STR_ARG(v->path));
    http_form_add(&action, STR("client_id"), c ? c->client_id : STR("account"));
    http_form_add(&action, STR("tab_id"), str_from_cstr(flow.tab));
    visit_respond_page(v, 200, "logout", "logoutConfirmTitle", STR_NULL, STR_NULL,
                       json_pack("{s:o, s:s}", "action", visit_json(buf_str(&action)), "code", flow.code));
}

static void begin_logout(struct visit *v)
{
    struct browser login;
    struct request q;
    struct err err = {0};

    if (!read_request(v, &q))
        return;
    int rc = browser_login(v, &login, &err);
    if (rc < 0 && rc != ERR_NOT_FOUND) {
        visit_respond_failure(v, &err);
        return;
    }
    bool named = !str_is_null(q.session_id) && (rc < 0 || str_eq(q.session_id, login.session.id));
    if (!named) {
        ask(v, &q);
        return;
    }
    end_session(v, q.session_id, rc == 0 ? login.user.id : STR_NULL, q.client, q.redirect);
    if (rc == 0)
        browser_forget(v);
    respond_done(v, q.redirect, q.state);
}

void get_logout(void *ctx, struct http_call *call)
{
    VISIT_SCOPED struct visit v;

    if (visit_begin(&v, ctx, call))
        begin_logout(&v);
}

/* The same address takes the logout of adapters: a refresh token, and the client's proof of itself. */
void post_logout(void *ctx, struct http_call *call)
{
    VISIT_SCOPED struct visit v;

    if (!visit_begin(&v, ctx, call))
        return;
    if (!str_is_null(http_form_get(&v.form, "refresh_token")))
        oidc_logout_with_refresh(&v.l->oidc, call);
    else
        begin_logout(&v);
}

void post_logout_confirm(void *ctx, struct http_call *call)
{
    VISIT_SCOPED struct visit v;
    struct browser login;
    struct flow flow;
    struct err err = {0};

    if (!visit_begin(&v, ctx, call) || visit_refuse_foreign(&v))
        return;
    struct str root = http_cookie_get(v.r, "AUTH_SESSION_ID"), code = http_form_get(&v.form, "session_code");
    int rc = flow_get(v.l->flows, v.a, root, http_form_get(&v.query, "tab_id"), v.now, &flow, &err);
    if (rc < 0 || !flow.is_logout || !str_eq(flow.text[FLOW_REALM], v.realm->id) ||
        !str_eq_secret(code, str_from_cstr(flow.code)) || flow_take(v.l->flows, &flow, &err) < 0) {
        visit_respond_error(&v, 400, "logoutFailed", STR_NULL);
        return;
    }
    if (browser_login(&v, &login, &err) == 0)
        end_session(&v, login.session.id, login.user.id, realm_client_by_id(v.realm, flow.text[FLOW_CLIENT]),
                    flow.text[FLOW_REDIRECT_URI]);
    browser_forget(&v);
    respond_done(&v, flow.text[FLOW_REDIRECT_URI], flow.text[FLOW_STATE]);
}
