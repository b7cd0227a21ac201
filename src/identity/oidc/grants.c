/* The grants of RFC 6749 and 8628, each in Keycloak's order of checks and with its words. */
#include "base/uuid.h"
#include "identity/consent.h"
#include "identity/oidc/internal.h"
#include "identity/oidc/pkce.h"

static bool resolve_scope(struct call *c, struct str requested, struct token_scope *ret)
{
    if (token_scope_resolve(c->realm, c->client, c->a, requested, ret, &c->err) == 0)
        return true;
    call_fail(c, 400, "invalid_scope", "invalid_request", c->err.message);
    return false;
}

/* ---- authorization_code ---- */

/* The session and the client's part in it that a code or a device's approval belongs to, and their user. */
static bool find_login(struct call *c, struct str session_id, struct session *s, struct client_session *cs,
                       struct user *u)
{
    int rc = session_get(c->context->sessions, c->realm, c->a, session_id, false, s, &c->err);

    if (rc == 0)
        rc = client_session_get(c->context->sessions, c->realm, c->a, s, c->client, cs, &c->err);
    if (rc == ERR_NOT_FOUND) {
        call_fail(c, 400, "invalid_grant", "user_session_not_found", "Session not active");
        return false;
    }
    if (rc == 0) {
        c->event.session_id = s->id;
        c->event.user_id = s->user_id;
        rc = user_by_id(c->context->model, c->realm, c->a, s->user_id, u, &c->err);
    }
    if (rc == ERR_NOT_FOUND) {
        call_fail(c, 400, "invalid_grant", "user_not_found", "User not found");
        return false;
    }
    if (rc < 0) {
        call_broken(c);
        return false;
    }
    if (!u->enabled) {
        call_fail(c, 400, "invalid_grant", "user_disabled", "User disabled");
        return false;
    }
    return true;
}

static bool check_code(struct call *c, const struct auth_code *code, struct str jkt)
{
    struct str redirect_uri = http_form_get(&c->form, "redirect_uri");

    /* A code that was stolen from another client is worth nothing here, and to nobody any more: it has been taken. */
    if (!str_eq(code->client_id, c->client->id)) {
        call_fail(c, 400, "invalid_grant", "invalid_code", "Auth error");
        return false;
    }
    if (code->redirect_uri.n && !str_eq(code->redirect_uri, redirect_uri)) {
        call_fail(c, 400, "invalid_grant", "invalid_code", "Incorrect redirect_uri");
        return false;
    }
    if (pkce_check_verifier(code->code_challenge, code->code_challenge_method, call_param(c, "code_verifier"),
                            &c->err) < 0) {
        call_fail(c, 400, "invalid_grant", "invalid_code_verifier", c->err.message);
        return false;
    }
    if (code->dpop_jkt.n && !str_eq(code->dpop_jkt, jkt)) {
        call_fail(c, 400, "invalid_grant", "invalid_dpop_proof", "DPoP proof doesn't match the authorization request");
        return false;
    }
    return true;
}

void grant_code(struct call *c)
{
    struct str text = call_param(c, "code"), jkt;
    struct token_request q;
    struct token_scope scope;
    struct client_session cs;
    struct auth_code code;
    struct session s;
    struct user u;
    int rc;

    if (!text.p) {
        call_fail(c, 400, "invalid_request", "invalid_code", "Missing parameter: code");
        return;
    }
    if (!c->client->standard_flow) {
        call_fail(c, 400, "unauthorized_client", "not_allowed", "Client not allowed to exchange code");
        return;
    }
    if (!call_dpop(c, STR_NULL, &jkt))
        return;
    rc = auth_code_take(c->context->sessions, c->realm, c->a, text, &code, &c->err);
    if (rc == ERR_NOT_FOUND) {
        call_fail(c, 400, "invalid_grant", "invalid_code", "Code not valid");
        return;
    }
    if (rc < 0) {
        call_broken(c);
        return;
    }
    if (!check_code(c, &code, jkt) || !find_login(c, code.session_id, &s, &cs, &u) ||
        !resolve_scope(c, code.scope, &scope))
        return;
    q = call_token_request(c, &u, &scope, TOKEN_GRANT_CODE);
    q.session = &s;
    q.client_session = &cs;
    q.nonce = code.nonce;
    q.acr = code.acr;
    q.dpop_jkt = jkt;
    event_add(&c->event, "code_id", s.id);
    call_issue(c, &q, STR_NULL);
}

/* ---- client_credentials ---- */

void grant_client_credentials(struct call *c)
{
    struct session what = {.ip = c->ip}, session;
    struct client_session cs;
    struct token_request q;
    struct token_scope scope;
    struct user u;
    struct str jkt;
    int rc;

    if (c->client->is_public) {
        call_fail(c, 401, "unauthorized_client", "invalid_client",
                  "Public client not allowed to retrieve service account");
        return;
    }
    if (!c->client->service_accounts) {
        call_fail(c, 401, "unauthorized_client", "invalid_client", "Client not enabled to retrieve service account");
        return;
    }
    if (!call_dpop(c, STR_NULL, &jkt))
        return;
    rc = user_of_service_account(c->context->model, c->realm, c->a, c->client, &u, &c->err);
    if (rc == ERR_NOT_FOUND) {
        call_fail(c, 401, "unauthorized_client", "user_not_found", "Client not enabled to retrieve service account");
        return;
    }
    if (rc < 0) {
        call_broken(c);
        return;
    }
    c->event.user_id = u.id;
    event_add(&c->event, "username", u.username);
    if (!u.enabled) {
        call_fail(c, 400, "invalid_request", "user_disabled", "User disabled");
        return;
    }
    if (!resolve_scope(c, http_form_get(&c->form, "scope"), &scope))
        return;
    q = call_token_request(c, &u, &scope, TOKEN_GRANT_CLIENT_CREDENTIALS);
    q.acr = STR("1");
    q.client_host = c->ip;
    q.dpop_jkt = jkt;
    /* No session and no refresh token, unless the client wants them (RFC 6749, 4.4.3 advises against). */
    q.want_refresh = config_bool(client_attributes(c->client), "client_credentials.use_refresh_token", false);
    if (q.want_refresh) {
        what.user_id = u.id;
        rc = session_new(c->context->sessions, c->realm, c->a, &what, &session, &c->err);
        cs = (struct client_session){.session_id = rc == 0 ? session.id : STR_NULL,
                                     .client_id = c->client->id,
                                     .scope = http_form_get(&c->form, "scope")};
        if (rc == 0)
            rc = client_session_put(c->context->sessions, c->realm, &cs, &c->err);
        if (rc < 0) {
            call_broken(c);
            return;
        }
        cs.started = cs.last_access = session.started;
        q.session = &session;
        q.client_session = &cs;
    }
    call_issue(c, &q, STR_NULL);
}

/* ---- password ---- */

/* One answer for every way in which name and password don't fit together. */
static void refuse_user(struct call *c, const char *event_error)
{
    call_fail(c, 400, "invalid_grant", event_error, "Invalid user credentials");
}

static bool check_otp(struct call *c, const struct user *u, bool *ret_has)
{
    struct str code = call_param(c, "totp").p ? call_param(c, "totp") : call_param(c, "otp");
    int rc = user_has_otp(c->context->model, c->realm, u, ret_has, &c->err);

    if (rc == 0 && *ret_has)
        rc = code.p ? user_check_otp(c->context->model, c->realm, u, code, sessions_clock(c->context->sessions) * 1000,
                                     &c->err)
                    : err_set(&c->err, ERR_DENIED, "no code");
    return rc == 0;
}

/* Name, password and one-time code; false: it has answered. Takes as long whether the user exists or not. */
static bool check_user(struct call *c, struct user *u)
{
    struct str name = call_param(c, "username"), password = http_form_get(&c->form, "password");
    int64_t now_ms = sessions_clock(c->context->sessions) * 1000;
    enum brute_verdict verdict;
    bool known, right, has_otp;
    int wait, rc;

    if (!name.p) {
        call_fail(c, 401, "invalid_request", "user_not_found", "Missing parameter: username");
        return false;
    }
    event_add(&c->event, "username", name);
    rc = user_by_login(c->context->model, c->realm, c->a, name, u, &c->err);
    if (rc < 0 && rc != ERR_NOT_FOUND) {
        call_broken(c);
        return false;
    }
    known = rc == 0 && !u->service_account_of.p;
    if (known)
        c->event.user_id = u->id;
    verdict = c->context->brute ? brute_check(c->context->brute, c->realm, known ? u : NULL, c->ip, now_ms, &wait)
                                : BRUTE_FREE;
    if (verdict == BRUTE_ADDRESS) {
        call_fail(c, 429, "temporarily_unavailable", "user_temporarily_disabled",
                  "Too many failed logins; try again later");
        return false;
    }
    rc = user_check_password(c->context->model, c->realm, known ? u : NULL, password, &c->err);
    if (rc < 0 && rc != ERR_DENIED && rc != ERR_NOT_FOUND) {
        call_broken(c);
        return false;
    }
    right = rc == 0 && known;
    if (right && verdict == BRUTE_FREE && u->enabled && !check_otp(c, u, &has_otp))
        right = false;
    if (verdict == BRUTE_USER_LOCKED || !right) {
        if (c->context->brute && verdict == BRUTE_FREE)
            brute_failed(c->context->brute, c->realm, known ? u : NULL, c->ip, now_ms);
        refuse_user(c, verdict == BRUTE_USER_LOCKED ? "user_temporarily_disabled"
                       : known                      ? "invalid_user_credentials"
                                                    : "user_not_found");
        return false;
    }
    if (!u->enabled) {
        call_fail(c, 400, "invalid_grant", "user_disabled", "Account disabled");
        return false;
    }
    if (u->required_action_count) {
        call_fail(c, 400, "invalid_grant", "resolve_required_actions", "Account is not fully set up");
        return false;
    }
    if (c->context->brute)
        brute_succeeded(c->context->brute, c->realm, u, c->ip);
    return true;
}

void grant_password(struct call *c)
{
    JSON_SCOPED json_t *notes = NULL;
    struct session what = {.ip = c->ip}, s;
    struct client_session cs;
    struct token_request q;
    struct token_scope scope;
    struct user u;
    struct str jkt;
    int rc;

    event_add(&c->event, "auth_method", STR("openid-connect"));
    if (!c->client->direct_grants) {
        call_fail(c, 400, "unauthorized_client", "not_allowed", "Client not allowed for direct access grants");
        return;
    }
    if (c->client->consent_required) {
        call_fail(c, 400, "invalid_client", "consent_denied", "Client requires user consent");
        return;
    }
    if (!resolve_scope(c, http_form_get(&c->form, "scope"), &scope) || !call_dpop(c, STR_NULL, &jkt) ||
        !check_user(c, &u))
        return;
    what.user_id = u.id;
    notes = json_pack("{s:s}", "acr", "1");
    rc = session_new(c->context->sessions, c->realm, c->a, &what, &s, &c->err);
    cs = (struct client_session){.session_id = rc == 0 ? s.id : STR_NULL,
                                 .client_id = c->client->id,
                                 .scope = http_form_get(&c->form, "scope"),
                                 .notes = notes};
    if (rc == 0)
        rc = client_session_put(c->context->sessions, c->realm, &cs, &c->err);
    if (rc < 0) {
        call_broken(c);
        return;
    }
    cs.started = cs.last_access = s.started;
    c->event.session_id = s.id;
    q = call_token_request(c, &u, &scope, TOKEN_GRANT_PASSWORD);
    q.session = &s;
    q.client_session = &cs;
    q.acr = STR("1");
    q.dpop_jkt = jkt;
    call_issue(c, &q, STR_NULL);
}

/* ---- refresh_token ---- */

static bool has_word(struct str text, struct str word)
{
    struct str rest = text, part;

    while (str_split(&rest, ' ', &part))
        if (str_eq(part, word))
            return true;
    return false;
}

static bool client_has_scope(const struct client *c, struct str name)
{
    for (size_t i = 0; i < c->default_scope_count; i++)
        if (str_eq(c->default_scopes[i]->name, name))
            return true;
    for (size_t i = 0; i < c->optional_scope_count; i++)
        if (str_eq(c->optional_scopes[i]->name, name))
            return true;
    return str_eq(name, STR("openid"));
}

/* Of what the old token has: what is asked for, and what the client still has. Never more (RFC 6749, 6). */
static struct str narrowed(struct call *c, struct str old, struct str asked)
{
    struct str rest = old, name;
    BUF_SCOPED struct buf b = {0};

    buf_init(&b, old.n + 2);
    while (str_split(&rest, ' ', &name)) {
        if (!name.n || !client_has_scope(c->client, name) || (asked.n && !has_word(asked, name)))
            continue;
        if (b.n)
            buf_add_char(&b, ' ');
        buf_add_str(&b, name);
    }
    return arena_str(c->a, buf_str(&b));
}

/* Users may take their consent back: then no more tokens. */
static bool check_consent(struct call *c, const struct user *u, const struct token_scope *scope)
{
    struct consent granted = {.scope_count = 0};
    int rc;

    if (!c->client->consent_required)
        return true;
    rc = consent_get(identity_db(c->context->model), c->realm, c->a, u->id, c->client->id, &granted, &c->err);
    if (rc < 0 && rc != ERR_NOT_FOUND) {
        call_broken(c);
        return false;
    }
    for (size_t i = 0; i < scope->n; i++) {
        const json_t *attributes = json_object_get(scope->scopes[i]->rep, "attributes");
        bool found = !config_bool(attributes, "display.on.consent.screen", true);
        for (size_t k = 0; !found && k < granted.scope_count; k++)
            found = str_eq(granted.scope_ids[k], scope->scopes[i]->id);
        if (!found || rc == ERR_NOT_FOUND) {
            call_fail(c, 400, "invalid_scope", "consent_denied", "Client no longer has requested consent from user");
            return false;
        }
    }
    return true;
}

static bool check_binding(struct call *c, const struct token *t, struct str jkt)
{
    struct str bound = json_str(json_object_get(json_object_get(t->claims, "cnf"), "jkt"));

    if (!bound.p)
        return true;
    if (!jkt.p)
        call_fail(c, 400, "invalid_grant", "invalid_token", "DPoP proof is missing");
    else if (!str_eq(bound, jkt))
        call_fail(c, 400, "invalid_grant", "invalid_token", "DPoP proof and token binding verification failed");
    else
        return true;
    return false;
}

void grant_refresh(struct call *c)
{
    const struct token_expect expect = {.kind = TOKEN_REFRESH, .issuer = c->issuer};
    struct str text = call_param(c, "refresh_token"), all, jkt, acr;
    struct token_request q;
    struct token_scope scope;
    struct token t;
    char id[UUID_TEXT_SIZE];
    int rc;

    if (!text.p) {
        call_fail(c, 400, "invalid_request", "invalid_token", "No refresh token");
        return;
    }
    if (!call_dpop(c, STR_NULL, &jkt))
        return;
    rc = token_verify(c->o->tokens, c->realm, c->a, text, &expect, &t, &c->err);
    if (rc == ERR_DENIED) {
        call_fail(c, 400, "invalid_grant", c->err.name, c->err.message);
        return;
    }
    if (rc < 0) {
        call_broken(c);
        return;
    }
    event_add(&c->event, "refresh_token_id", t.id);
    event_add(&c->event, "refresh_token_type", t.type);
    if (t.client != c->client) {
        call_fail(c, 400, "invalid_grant", "invalid_token",
                  "Invalid refresh token. Token client and authorized client don't match");
        return;
    }
    c->event.user_id = t.user.id;
    c->event.session_id = t.session.id;
    all = json_str(json_object_get(t.claims, "scope"));
    /* Default scopes are those of the client now; "openid" is in only when it was. */
    if (!check_binding(c, &t, jkt) || !resolve_scope(c, narrowed(c, all, http_form_get(&c->form, "scope")), &scope) ||
        !check_consent(c, &t.user, &scope))
        return;
    uuid_v4(id);
    rc = client_session_use_refresh(c->context->sessions, c->realm, &t.client_session,
                                    json_str(json_object_get(t.claims, "reuse_id")), t.id, str_from_cstr(id), &c->err);
    if (rc == ERR_DENIED) {
        call_fail(c, 400, "invalid_grant", "invalid_token", c->err.message);
        return;
    }
    if (rc < 0) {
        call_broken(c);
        return;
    }
    q = call_token_request(c, &t.user, &scope, TOKEN_GRANT_REFRESH);
    q.session = &t.session;
    q.client_session = &t.client_session;
    acr = config_str(t.client_session.notes, "acr");
    q.acr = acr.p ? acr : STR("1");
    q.dpop_jkt = jkt;
    q.refresh_all_scope = all;
    q.refresh_id = str_from_cstr(id);
    q.chain = json_str(json_object_get(t.claims, "reuse_id"));
    if (!q.chain.p)
        q.chain = t.id;
    call_issue(c, &q, STR_NULL);
}

/* ---- device_code ---- */

void grant_device(struct call *c)
{
    struct str text = call_param(c, "device_code"), jkt;
    enum device_status status;
    struct token_request q;
    struct token_scope scope;
    struct client_session cs;
    struct device_code d;
    struct session s;
    struct user u;

    if (!c->client->device_flow) {
        call_fail(c, 400, "invalid_grant", "not_allowed", "Client not allowed OAuth 2.0 Device Authorization Grant");
        return;
    }
    if (!text.p) {
        call_fail(c, 400, "invalid_request", "invalid_oauth2_device_code", "Missing parameter: device_code");
        return;
    }
    if (!call_dpop(c, STR_NULL, &jkt))
        return;
    if (device_code_poll(c->context->sessions, c->realm, c->a, text, c->client->id, &d, &status, &c->err) < 0) {
        call_fail(c, 400, "invalid_grant", "invalid_oauth2_device_code", c->err.message);
        return;
    }
    switch (status) {
    case DEVICE_EXPIRED:
        call_fail(c, 400, "expired_token", "expired_oauth2_device_code", "Device code is expired");
        return;
    case DEVICE_SLOW_DOWN:
        call_fail(c, 400, "slow_down", "slow_down", "Slow down");
        return;
    case DEVICE_DENIED:
        call_fail(c, 400, "access_denied", "access_denied", "The end user denied the authorization request");
        return;
    case DEVICE_PENDING:
        call_fail(c, 400, "authorization_pending", NULL, "The authorization request is still pending");
        return;
    default:
        break;
    }
    if (pkce_check_verifier(d.code_challenge, d.code_challenge_method, call_param(c, "code_verifier"), &c->err) < 0) {
        call_fail(c, 400, "invalid_grant", "invalid_code_verifier", c->err.message);
        return;
    }
    if (!find_login(c, d.session_id, &s, &cs, &u) || !resolve_scope(c, d.scope, &scope))
        return;
    q = call_token_request(c, &u, &scope, TOKEN_GRANT_DEVICE);
    q.session = &s;
    q.client_session = &cs;
    q.nonce = d.nonce;
    q.acr = config_str(cs.notes, "acr").p ? config_str(cs.notes, "acr") : STR("1");
    q.dpop_jkt = jkt;
    call_issue(c, &q, STR_NULL);
}
