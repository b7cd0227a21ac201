/*
 * From step to step, and the end: the session is made or goes on, the browser remembers it, and the client gets its code,
 * or tokens in the implicit and hybrid flows.
 */
#include "identity/login/internal.h"

#include "base/rand.h"
#include "base/enc.h"
#include "base/vec.h"

/* ---- answers ---- */

void answer_add(struct answer *p, const char *name, struct str value)
{
    if (!str_is_null(value) && p->n < ARRAY_LEN(p->fields))
        p->fields[p->n++] = (struct http_field){str_from_cstr(name), value};
}

static void send_form(struct visit *v, const struct answer *p)
{
    BUF_SCOPED struct buf out = {0}, nonce = {0};
    unsigned char random[16];
    struct err err = {0};
    json_t *fields = json_array();

    rand_bytes(random, sizeof(random));
    buf_init(&nonce, 64);
    enc_base64url(&nonce, random, sizeof(random));
    for (size_t i = 0; i < p->n; i++)
        json_array_append_new(fields, json_pack("{s:o, s:o}", "name", visit_json(p->fields[i].name), "value",
                                                visit_json(p->fields[i].value)));
    JSON_SCOPED json_t *data = json_pack("{s:s, s:o, s:o, s:o}", "lang", messages_tag(v->m), "action",
                                         visit_json(p->redirect_uri), "fields", fields, "nonce",
                                         visit_json(buf_str(&nonce)));
    buf_init(&out, 1 << 20);
    if (template_render(&out, "form-post.html", data, v->m, &err) < 0) {
        visit_respond_failure(v, &err);
        return;
    }
    struct http_response *r = visit_response(v, 200);
    http_response_addf(v->r, r, "Content-Security-Policy",
                       "default-src 'none'; script-src 'nonce-%.*s'; base-uri 'none'; frame-ancestors 'self'",
                       STR_ARG(buf_str(&nonce)));
    http_response_add(v->r, r, "X-Frame-Options", STR("SAMEORIGIN"));
    http_respond_buf(v->r, r, "text/html;charset=utf-8", &out);
}

void answer_send(struct visit *v, const struct answer *p)
{
    BUF_SCOPED struct buf url = {0};

    if (str_eq(p->mode, STR("form_post"))) {
        send_form(v, p);
        return;
    }
    buf_init(&url, 512 << 10);
    buf_add_str(&url, p->redirect_uri);
    if (str_eq(p->mode, STR("fragment")))
        buf_add_char(&url, '#');
    for (size_t i = 0; i < p->n; i++) {
        if (str_eq(p->mode, STR("fragment")))
            http_form_add(&url, p->fields[i].name, p->fields[i].value);
        else
            http_form_add_to_url(&url, p->fields[i].name, p->fields[i].value);
    }
    visit_respond_redirect(v, buf_str(&url));
}

static bool client_excludes(const struct client *c, const char *attribute)
{
    return str_eq(json_opt_str(json_object_get(c->rep, "attributes"), attribute, STR("")), STR("true"));
}

static void add_issuer(struct visit *v, struct answer *p, const struct client *c)
{
    if (!client_excludes(c, "exclude.issuer.from.auth.response"))
        answer_add(p, "iss", v->issuer);
}

void answer_error(struct visit *v, const struct client *c, struct str redirect_uri, struct str mode, struct str state,
                  const char *error, struct str description)
{
    struct answer p = {.redirect_uri = redirect_uri, .mode = mode};

    answer_add(&p, "error", str_from_cstr(error));
    answer_add(&p, "error_description", description);
    answer_add(&p, "state", state);
    add_issuer(v, &p, c);
    answer_send(v, &p);
}

struct event flow_event(const struct visit *v, const struct flow *flow, const struct client *c, const char *type)
{
    struct event e = event_of(v->realm, type, c->client_id, v->ip);

    e.user_id = flow->text[FLOW_USER];
    event_add(&e, "auth_method", STR("openid-connect"));
    event_add(&e, "response_type", flow->text[FLOW_RESPONSE_TYPE]);
    event_add(&e, "response_mode", flow->text[FLOW_RESPONSE_MODE]);
    event_add(&e, "redirect_uri", flow->text[FLOW_REDIRECT_URI]);
    event_add(&e, "username", flow->text[FLOW_USERNAME]);
    return e;
}

void flow_fail(struct visit *v, struct flow *flow, const struct client *c, const char *error, struct str description)
{
    flow_remove(v->l->flows, str_from_cstr(flow->root), str_from_cstr(flow->tab));
    if (str_is_null(flow->text[FLOW_REDIRECT_URI])) {
        visit_respond_redirect(v, arena_printf(v->a, "%.*s/device/status?error=%s", STR_ARG(v->issuer), error));
        return;
    }
    answer_error(v, c, flow->text[FLOW_REDIRECT_URI], flow->text[FLOW_RESPONSE_MODE], flow->text[FLOW_STATE], error,
                 description);
}

/* ---- step by step ---- */

void flow_respond_expired(struct visit *v, const struct flow *flow)
{
    struct str restart = visit_flow_url(v, flow, "restart", false), on = visit_flow_url(v, flow, "authenticate", false);

    visit_respond_page(v, 200, "expired", "pageExpiredTitle", STR_NULL, STR_NULL,
                       json_pack("{s:o, s:o}", "restart", visit_json(restart), "continue", visit_json(on)));
}

bool flow_keep(struct visit *v, struct flow *flow)
{
    struct err err = {0};

    if (flow_put(v->l->flows, flow, &err) == 0)
        return true;
    flow_respond_expired(v, flow);
    return false;
}

void flow_continue(struct visit *v, struct flow *flow, const struct client *c, const struct user *u, struct str error)
{
    struct err err = {0};
    struct str next = u ? steps_next(v, flow, c, u, &err) : STR("password");
    bool silent = str_eq(flow->text[FLOW_PROMPT], STR("none"));

    if (err.code) {
        visit_respond_failure(v, &err);
        return;
    }
    if (str_is_null(next)) {
        flow_complete(v, flow, c, u);
        return;
    }
    if (silent) {
        bool consent = str_eq(next, STR("consent"));
        struct event e = flow_event(v, flow, c, "LOGIN");
        event_fail(v->context->events, &e, consent ? "consent_required" : "interaction_required");
        flow_fail(v, flow, c, consent ? "consent_required" : "interaction_required", STR_NULL);
        return;
    }
    flow->text[FLOW_EXECUTION] = next;
    if (flow_keep(v, flow))
        steps_show(v, flow, c, u, error);
}

/* ---- the end ---- */

/* The login that single sign-on found goes on; else a new one begins, with the browser's root as its id. */
static int make_session(struct visit *v, struct flow *flow, const struct user *u, struct session *ret, struct err *err)
{
    struct session known, what = {.user_id = u->id,
                                  .ip = v->ip,
                                  .auth_method = STR("openid-connect"),
                                  .remember_me = flow->remember_me,
                                  .auth_time = flow->auth_time};
    struct str id = flow->text[FLOW_SESSION];
    struct err ignored = {0};

    if (!str_is_null(id) && session_get(v->context->sessions, v->realm, v->a, id, false, &known, &ignored) == 0 &&
        str_eq(known.user_id, u->id)) {
        *ret = known;
        session_touch(v->context->sessions, v->realm, &known);
        if (!flow->auth_time)
            return 0;
        ret->auth_time = flow->auth_time;
        return session_set_auth_time(v->context->sessions, v->realm, id, flow->auth_time, err);
    }
    if (!flow->auth_time) /* the login that was found has ended meanwhile, and nobody has shown a password here */
        return err_set(err, ERR_NOT_FOUND, "the session has ended");
    struct str root = str_from_cstr(flow->root);
    if (session_get(v->context->sessions, v->realm, v->a, root, false, &known, &ignored) < 0)
        what.id = arena_str(v->a, root);
    return session_new(v->context->sessions, v->realm, v->a, &what, ret, err);
}

static int put_client_session(struct visit *v, const struct flow *flow, const struct client *c, const struct session *s,
                              struct client_session *ret, struct err *err)
{
    const char *acr = flow->auth_time ? "1" : "0";
    json_t *notes = json_pack("{s:s}", "acr", acr);

    if (!str_is_null(flow->text[FLOW_CLAIMS]))
        json_object_set_new(notes, "claims", visit_json(flow->text[FLOW_CLAIMS]));
    *ret = (struct client_session){.session_id = s->id,
                                   .client_id = c->id,
                                   .scope = flow->text[FLOW_SCOPE],
                                   .redirect_uri = flow->text[FLOW_REDIRECT_URI],
                                   .started = v->now,
                                   .last_access = v->now,
                                   .notes = notes};
    int rc = client_session_put(v->context->sessions, v->realm, ret, err);
    json_decref(notes);
    ret->notes = NULL;
    return rc;
}

static bool wants(const struct flow *flow, const char *type)
{
    struct str rest = flow->text[FLOW_RESPONSE_TYPE], part;

    while (str_split(&rest, ' ', &part)) {
        if (str_eq_cstr(part, type))
            return true;
    }
    return false;
}

static int add_code(struct visit *v, const struct flow *flow, const struct client *c, const struct session *s,
                    struct answer *p, struct str *ret_code, struct err *err)
{
    BUF_SCOPED struct buf text = {0};
    const struct auth_code code = {.session_id = s->id,
                                   .client_id = c->id,
                                   .redirect_uri = flow->text[FLOW_REDIRECT_PARAM],
                                   .scope = flow->text[FLOW_SCOPE],
                                   .nonce = flow->text[FLOW_NONCE],
                                   .state = flow->text[FLOW_STATE],
                                   .code_challenge = flow->text[FLOW_CODE_CHALLENGE],
                                   .code_challenge_method = flow->text[FLOW_CODE_CHALLENGE_METHOD],
                                   .acr = flow->auth_time ? STR("1") : STR("0"),
                                   .dpop_jkt = flow->text[FLOW_DPOP_JKT],
                                   .claims = flow->text[FLOW_CLAIMS],
                                   .max_age_asked = flow->max_age >= 0};

    buf_init(&text, 1024);
    int rc = auth_code_new(v->context->sessions, v->realm, &code, &text, err);
    if (rc < 0)
        return rc;
    *ret_code = arena_str(v->a, buf_str(&text));
    answer_add(p, "code", *ret_code);
    return 0;
}

static int add_tokens(struct visit *v, const struct flow *flow, const struct client *c, const struct user *u,
                      const struct session *s, const struct client_session *cs, struct str code, struct answer *p,
                      struct err *err)
{
    struct token_scope scope;
    struct token_answer tokens;
    int rc = token_scope_resolve(v->realm, c, v->a, flow->text[FLOW_SCOPE], &scope, err);

    if (rc < 0)
        return rc;
    const struct token_request q = {.realm = v->realm,
                                    .client = c,
                                    .user = u,
                                    .session = s,
                                    .client_session = cs,
                                    .scope = &scope,
                                    .grant = TOKEN_GRANT_IMPLICIT,
                                    .issuer = v->issuer,
                                    .nonce = flow->text[FLOW_NONCE],
                                    .acr = flow->auth_time ? STR("1") : STR("0"),
                                    .code = code,
                                    .state = flow->text[FLOW_STATE]};
    rc = token_issue(v->l->oidc.tokens, v->a, &q, &tokens, err);
    if (rc < 0)
        return rc;
    if (wants(flow, "id_token"))
        answer_add(p, "id_token", tokens.id_token);
    if (wants(flow, "token")) {
        answer_add(p, "access_token", tokens.access_token);
        answer_add(p, "token_type", STR("Bearer"));
        answer_add(p, "expires_in", arena_printf(v->a, "%lld", (long long)tokens.expires_in));
    }
    return 0;
}

static int answer_client(struct visit *v, const struct flow *flow, const struct client *c, const struct user *u,
                         const struct session *s, const struct client_session *cs, struct err *err)
{
    struct answer p = {.redirect_uri = flow->text[FLOW_REDIRECT_URI], .mode = flow->text[FLOW_RESPONSE_MODE]};
    struct str code = STR_NULL;
    int rc = 0;

    answer_add(&p, "state", flow->text[FLOW_STATE]);
    if (!client_excludes(c, "exclude.session.state.from.auth.response"))
        answer_add(&p, "session_state", s->id);
    add_issuer(v, &p, c);
    if (flow->action_done)
        answer_add(&p, "kc_action_status", flow->action_cancelled ? STR("cancelled") : STR("success"));
    if (wants(flow, "code"))
        rc = add_code(v, flow, c, s, &p, &code, err);
    if (rc == 0 && (wants(flow, "id_token") || wants(flow, "token")))
        rc = add_tokens(v, flow, c, u, s, cs, code, &p, err);
    if (rc == 0)
        answer_send(v, &p);
    return rc;
}

static int answer_device(struct visit *v, const struct flow *flow, const struct session *s, struct err *err)
{
    int rc = device_code_approve(v->context->sessions, v->realm, flow->text[FLOW_USER_CODE], s->id, err);

    if (rc == ERR_NOT_FOUND)
        visit_respond_error(v, 400, "oauth2DeviceExpiredUserCodeMessage", STR_NULL);
    else if (rc == 0)
        visit_respond_redirect(v, arena_printf(v->a, "%.*s/device/status", STR_ARG(v->issuer)));
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

void flow_complete(struct visit *v, struct flow *flow, const struct client *c, const struct user *u)
{
    struct session s;
    struct client_session cs;
    struct err err = {0};
    struct event e = flow_event(v, flow, c, "LOGIN");

    if (flow_take(v->l->flows, flow, &err) < 0) { /* the same form came twice at a time */
        flow_respond_expired(v, flow);
        return;
    }
    int rc = make_session(v, flow, u, &s, &err);
    if (rc == ERR_NOT_FOUND) {
        visit_respond_error(v, 400, "expiredCodeMessage", STR_NULL);
        return;
    }
    if (rc == 0)
        rc = put_client_session(v, flow, c, &s, &cs, &err);
    if (rc == 0)
        rc = browser_remember(v, &s, &err);
    if (rc == 0) {
        visit_set_cookie(v, "AUTH_SESSION_ID", s.id, 0, true);
        visit_remove_cookie(v, "KC_RESTART");
        e.user_id = u->id;
        e.session_id = s.id;
        event_add(&e, "consent", c->consent_required ? STR("consent_granted") : STR("no_consent_required"));
        event_add(&e, "code_id", s.id);
        event_write(v->context->events, &e);
        rc = str_is_null(flow->text[FLOW_USER_CODE]) ? answer_client(v, flow, c, u, &s, &cs, &err)
                                                     : answer_device(v, flow, &s, &err);
    }
    if (rc < 0)
        visit_respond_failure(v, &err);
}
