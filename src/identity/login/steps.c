/*
 * The steps of a login: each has a page, and a form that comes back to login-actions/…. A step is looked at again when its
 * form comes: what a flow remembers is who, and which steps are done; what has still to be done is asked of the user's row
 * each time.
 */
#include "identity/login/internal.h"

#include "base/log.h"
#include "base/vec.h"

enum { USERNAME_MAX = 255, LABEL_MAX = 100 };

/* ---- what is next ---- */

static bool is_logged_in(const struct flow *flow)
{
    return flow->password_done || (!str_is_null(flow->text[FLOW_SESSION]) && !flow->reauthenticate);
}

static const char *const actions[] = {"UPDATE_PASSWORD", "CONFIGURE_TOTP", "UPDATE_PROFILE", "VERIFY_PROFILE"};

static bool is_action(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (str_eq_cstr(name, actions[i]))
            return true;
    }
    return false;
}

/* The step is there because the application asked for it: the user may say no. */
static bool is_optional(const struct flow *flow, const struct user *u)
{
    for (size_t i = 0; i < u->required_action_count; i++) {
        if (str_eq(u->required_actions[i], flow->text[FLOW_EXECUTION]))
            return false;
    }
    return is_action(flow->text[FLOW_EXECUTION]) && str_eq(flow->text[FLOW_EXECUTION], flow->text[FLOW_ACTION]);
}

static bool shows_on_consent(const struct client_scope *s)
{
    return !str_eq(json_opt_str(json_object_get(s->rep, "attributes"), "display.on.consent.screen", STR("true")),
                   STR("false"));
}

/* The scopes that the user has still to grant. */
static int missing_consents(struct visit *v, const struct flow *flow, const struct client *c, const struct user *u,
                            const struct client_scope ***ret, size_t *ret_n, struct err *err)
{
    struct token_scope scope;
    struct consent has = {0};
    bool again = str_find(flow->text[FLOW_PROMPT], STR("consent"), 0) != SIZE_MAX ||
                 !str_is_null(flow->text[FLOW_USER_CODE]);
    int rc = token_scope_resolve(v->realm, c, v->a, flow->text[FLOW_SCOPE], &scope, err);

    if (rc == 0 && !again) {
        rc = consent_get(identity_db(v->context->model), v->realm, v->a, u->id, c->id, &has, err);
        if (rc == ERR_NOT_FOUND) {
            *err = (struct err){0};
            rc = 0;
        }
    }
    if (rc < 0)
        return rc;
    const struct client_scope **missing = arena_array(v->a, const struct client_scope *, scope.n);
    size_t n = 0;
    for (size_t i = 0; i < scope.n; i++) {
        bool granted = !shows_on_consent(scope.scopes[i]);
        for (size_t j = 0; j < has.scope_count && !granted; j++)
            granted = str_eq(has.scope_ids[j], scope.scopes[i]->id);
        if (!granted)
            missing[n++] = scope.scopes[i];
    }
    *ret = missing;
    *ret_n = n;
    return 0;
}

static int needs_consent(struct visit *v, const struct flow *flow, const struct client *c, const struct user *u,
                         bool *ret, struct err *err)
{
    const struct client_scope **missing;
    size_t n = 0;

    *ret = false;
    if (flow->consent_done)
        return 0;
    *ret = !str_is_null(flow->text[FLOW_USER_CODE]);
    if (*ret || !c->consent_required)
        return 0;
    int rc = missing_consents(v, flow, c, u, &missing, &n, err);
    *ret = n > 0;
    return rc;
}

struct str steps_next(struct visit *v, struct flow *flow, const struct client *c, const struct user *u, struct err *err)
{
    bool needed = false;

    if (!is_logged_in(flow))
        return STR("password");
    if (flow->password_done && !flow->otp_done) {
        if (user_has_otp(v->context->model, v->realm, u, &needed, err) < 0)
            return STR_NULL;
        if (needed)
            return STR("otp");
    }
    if (u->required_action_count)
        return u->required_actions[0];
    if (!flow->action_done && is_action(flow->text[FLOW_ACTION]))
        return flow->text[FLOW_ACTION];
    if (needs_consent(v, flow, c, u, &needed, err) == 0 && needed)
        return STR("consent");
    return STR_NULL;
}

/* ---- pages ---- */

static struct str consent_text(struct visit *v, const struct client_scope *s)
{
    struct str text = json_opt_str(json_object_get(s->rep, "attributes"), "consent.screen.text", STR_NULL);

    if (str_is_empty(text))
        return s->name;
    if (!str_starts_with(text, STR("${")) || !str_ends_with(text, STR("}")))
        return text;
    struct str own = messages_get(v->m, str_slice(text, 2, text.n - 3));
    return str_is_null(own) ? s->name : own;
}

static struct str client_title(const struct client *c)
{
    struct str name = json_opt_str(c->rep, "name", STR_NULL);

    return str_is_empty(name) || str_starts_with(name, STR("${")) ? c->client_id : name;
}

static void show_consent(struct visit *v, struct flow *flow, const struct client *c, const struct user *u,
                         struct str self, json_t *data)
{
    const struct client_scope **missing;
    json_t *scopes = json_array();
    size_t n = 0;
    struct err err = {0};

    if (missing_consents(v, flow, c, u, &missing, &n, &err) < 0) {
        json_decref(scopes);
        json_decref(data);
        visit_respond_failure(v, &err);
        return;
    }
    for (size_t i = 0; i < n; i++)
        json_array_append_new(scopes, visit_json(consent_text(v, missing[i])));
    if (n == 0)
        json_array_append_new(scopes, visit_json(visit_text(v, "consentScope", u->username)));
    json_object_set_new(data, "scopes", scopes);
    json_object_set_new(data, "code", json_string(flow->code));
    visit_respond_page(v, 200, "consent", "consentTitle", client_title(c), self, data);
}

static void show_login(struct visit *v, const struct flow *flow, struct str self, json_t *data)
{
    struct str name = flow->text[FLOW_USERNAME];

    if (flow->reauthenticate)
        json_object_set_new(data, "attempted", visit_json(name));
    else
        json_object_set_new(data, "username", visit_json(str_is_null(name) ? flow->text[FLOW_LOGIN_HINT] : name));
    json_object_set_new(data, "withEmail", json_boolean(v->realm->login_with_email));
    json_object_set_new(data, "rememberMe", json_boolean(v->realm->remember_me && !flow->reauthenticate));
    json_object_set_new(data, "rememberMeOn", json_boolean(flow->remember_me));
    visit_respond_page(v, 200, "login", "loginAccountTitle", STR_NULL, self, data);
}

static const char *step_of(struct str execution)
{
    if (str_eq(execution, STR("password")) || str_eq(execution, STR("otp")))
        return "authenticate";
    return str_eq(execution, STR("consent")) ? "consent" : "required-action";
}

/* The secret of the authenticator to be has to be the same when the page is shown again. */
static bool ensure_secret(struct visit *v, struct flow *flow)
{
    if (!str_is_null(flow->text[FLOW_SECRET]))
        return true;
    flow->text[FLOW_SECRET] = totp_new_secret(v->a);
    return flow_keep(v, flow);
}

void steps_show(struct visit *v, struct flow *flow, const struct client *c, const struct user *u, struct str error)
{
    struct str execution = flow->text[FLOW_EXECUTION];
    const char *step = step_of(execution);

    if (str_eq(execution, STR("CONFIGURE_TOTP")) && !ensure_secret(v, flow))
        return;
    struct str self = visit_flow_url(v, flow, step, false), action = visit_flow_url(v, flow, step, true);
    struct str restart = visit_flow_url(v, flow, "restart", false);
    json_t *data = json_pack("{s:o, s:o, s:o, s:o}", "action", visit_json(action), "restart", visit_json(restart),
                             "error", visit_json(error), "attempted", visit_json(u ? u->username : STR_NULL));

    visit_choose_language(v, flow->text[FLOW_LOCALES]);
    if (u)
        json_object_set_new(data, "cancel", json_boolean(is_optional(flow, u)));
    if (str_eq(execution, STR("password"))) {
        json_object_del(data, "attempted");
        show_login(v, flow, self, data);
    } else if (str_eq(execution, STR("otp"))) {
        visit_respond_page(v, 200, "otp", "loginOtpTitle", STR_NULL, self, data);
    } else if (str_eq(execution, STR("consent"))) {
        show_consent(v, flow, c, u, self, data);
    } else if (str_eq(execution, STR("UPDATE_PASSWORD"))) {
        visit_respond_page(v, 200, "update-password", "updatePasswordTitle", STR_NULL, self, data);
    } else if (str_eq(execution, STR("CONFIGURE_TOTP"))) {
        totp_add_setup(v, u, flow->text[FLOW_SECRET], data);
        visit_respond_page(v, 200, "config-totp", "loginTotpTitle", STR_NULL, self, data);
    } else if (is_action(execution)) {
        json_object_set_new(data, "user", profile_json(u));
        visit_respond_page(v, 200, "update-profile", "updateProfileTitle", STR_NULL, self, data);
    } else {
        json_decref(data);
        log_error("user %.*s has the required action %.*s, which is not supported", STR_ARG(u->username),
                  STR_ARG(execution));
        visit_respond_error(v, 501, "unsupportedActionMessage", execution);
    }
}

/* ---- forms ---- */

static void fail_step(struct visit *v, struct flow *flow, const struct client *c, const struct user *u,
                      const char *event_type, const char *event_error, struct str message)
{
    struct event e = flow_event(v, flow, c, event_type);

    if (u)
        e.user_id = u->id;
    event_fail(v->context->events, &e, event_error);
    if (flow_keep(v, flow))
        steps_show(v, flow, c, u, message);
}

/* False: it has been answered. */
static bool check_limits(struct visit *v, struct flow *flow, const struct client *c, const struct user *u,
                         bool *ret_locked)
{
    int wait_s;
    enum brute_verdict verdict = brute_check(v->context->brute, v->realm, u, v->ip, v->now * 1000, &wait_s);
    struct event e = flow_event(v, flow, c, "LOGIN");

    *ret_locked = verdict == BRUTE_USER_LOCKED;
    if (verdict != BRUTE_ADDRESS)
        return true;
    event_fail(v->context->events, &e, "too_many_failures_from_address");
    visit_respond_too_many(v, wait_s);
    return false;
}

static void succeed_login(struct visit *v, struct flow *flow, const struct client *c, const struct user *u)
{
    brute_succeeded(v->context->brute, v->realm, u, v->ip);
    flow_continue(v, flow, c, u, STR_NULL);
}

static void post_password(struct visit *v, struct flow *flow, const struct client *c)
{
    struct str username = str_trim(http_form_get(&v->form, "username")), password = http_form_get(&v->form, "password");
    struct str wrong = visit_text(v, "invalidUserMessage", STR_NULL);
    struct err err = {0};
    struct user user, *u = NULL;
    bool locked, has_otp = false;

    if (flow->reauthenticate)
        username = flow->text[FLOW_USERNAME];
    flow->text[FLOW_USERNAME] = str_slice(username, 0, USERNAME_MAX);
    flow->remember_me = v->realm->remember_me && str_eq(http_form_get(&v->form, "rememberMe"), STR("on"));
    if (str_is_empty(username)) {
        fail_step(v, flow, c, NULL, "LOGIN", "user_not_found", wrong);
        return;
    }
    int rc = username.n > USERNAME_MAX ? ERR_NOT_FOUND
                                       : user_by_login(v->context->model, v->realm, v->a, username, &user, &err);
    if (rc < 0 && rc != ERR_NOT_FOUND) {
        visit_respond_failure(v, &err);
        return;
    }
    if (rc == 0 && str_is_null(user.service_account_of))
        u = &user;
    if (!check_limits(v, flow, c, u, &locked))
        return;
    /* As long for a name that isn't there, and for an account that is locked. */
    rc = user_check_password(v->context->model, v->realm, locked ? NULL : u, str_is_null(password) ? STR("") : password,
                             &err);
    if (rc < 0 && rc != ERR_DENIED) {
        visit_respond_failure(v, &err);
        return;
    }
    if (rc < 0 || !u || locked) {
        if (!locked)
            brute_failed(v->context->brute, v->realm, u, v->ip, v->now * 1000);
        fail_step(v, flow, c, NULL, "LOGIN",
                  locked ? "user_temporarily_disabled"
                  : u    ? "invalid_user_credentials"
                         : "user_not_found",
                  wrong);
        return;
    }
    if (!u->enabled) {
        fail_step(v, flow, c, NULL, "LOGIN", "user_disabled", visit_text(v, "accountDisabledMessage", STR_NULL));
        return;
    }
    if (user_has_otp(v->context->model, v->realm, u, &has_otp, &err) < 0) {
        visit_respond_failure(v, &err);
        return;
    }
    flow->text[FLOW_USER] = u->id;
    flow->password_done = true;
    flow->auth_time = v->now;
    if (has_otp)
        flow_continue(v, flow, c, u, STR_NULL);
    else
        succeed_login(v, flow, c, u);
}

static void post_otp(struct visit *v, struct flow *flow, const struct client *c, const struct user *u)
{
    struct str code = str_trim(http_form_get(&v->form, "otp"));
    struct err err = {0};
    bool locked;

    if (!check_limits(v, flow, c, u, &locked))
        return;
    int rc = locked || str_is_empty(code) ? ERR_DENIED
                                          : user_check_otp(v->context->model, v->realm, u, code, v->now * 1000, &err);
    if (rc < 0 && rc != ERR_DENIED && rc != ERR_NOT_FOUND) {
        visit_respond_failure(v, &err);
        return;
    }
    if (rc < 0) {
        if (!locked)
            brute_failed(v->context->brute, v->realm, u, v->ip, v->now * 1000);
        fail_step(v, flow, c, u, "LOGIN", locked ? "user_temporarily_disabled" : "invalid_user_credentials",
                  visit_text(v, str_is_empty(code) ? "missingTotpMessage" : "invalidTotpMessage", STR_NULL));
        return;
    }
    flow->otp_done = true;
    flow->auth_time = v->now;
    succeed_login(v, flow, c, u);
}

/* The action is done: it leaves the user's list, events say so, and the login goes on with the user as it is now. */
static void finish_action(struct visit *v, struct flow *flow, const struct client *c, const struct user *u,
                          const char *const *event_types, const char *credential_type)
{
    struct str action = arena_str(v->a, flow->text[FLOW_EXECUTION]);
    struct user now;
    struct err err = {0};
    int rc = user_remove_required_action(v->context->model, v->realm, u, action, &err);

    if (rc == 0)
        rc = user_by_id(v->context->model, v->realm, v->a, u->id, &now, &err);
    if (rc < 0) {
        visit_respond_failure(v, &err);
        return;
    }
    for (; *event_types; event_types++) {
        struct event e = flow_event(v, flow, c, *event_types);
        if (credential_type)
            event_add(&e, "credential_type", str_from_cstr(credential_type));
        event_write(v->context->events, &e);
    }
    if (str_eq(action, flow->text[FLOW_ACTION]))
        flow->action_done = true;
    flow->text[FLOW_SECRET] = STR_NULL;
    flow_continue(v, flow, c, &now, STR_NULL);
}

static void end_other_sessions(struct visit *v, const struct flow *flow, const struct user *u)
{
    struct session_list list;
    struct err err = {0};
    int rc = sessions_of_user(v->context->sessions, v->realm, v->a, u->id, false, &list, &err);

    for (size_t i = 0; rc == 0 && i < list.n; i++) {
        if (!str_eq(list.items[i].id, flow->text[FLOW_SESSION]))
            rc = logout_session(v->l->oidc.logout, v->realm, v->issuer, list.items[i].id, &err);
    }
    if (rc < 0)
        log_error("sessions of a user whose password changed: %s", err.message);
}

static void post_update_password(struct visit *v, struct flow *flow, const struct client *c, const struct user *u)
{
    static const char *const types[] = {"UPDATE_CREDENTIAL", "UPDATE_PASSWORD", NULL};
    struct str password = http_form_get(&v->form, "password-new"), again = http_form_get(&v->form, "password-confirm");
    struct err err = {0};

    if (str_is_empty(password)) {
        fail_step(v, flow, c, u, "UPDATE_PASSWORD", "password_missing",
                  visit_text(v, "missingPasswordMessage", STR_NULL));
        return;
    }
    if (!str_eq(password, again)) {
        fail_step(v, flow, c, u, "UPDATE_PASSWORD", "password_confirm_error",
                  visit_text(v, "notMatchPasswordMessage", STR_NULL));
        return;
    }
    int rc = user_set_password(v->context->model, v->realm, u, password, false, &err);
    if (rc == ERR_INVALID) {
        fail_step(v, flow, c, u, "UPDATE_PASSWORD", "password_rejected",
                  visit_text(v, "invalidPasswordMessage", str_from_cstr(err.message)));
        return;
    }
    if (rc < 0) {
        visit_respond_failure(v, &err);
        return;
    }
    if (str_eq(http_form_get(&v->form, "logout-sessions"), STR("on")))
        end_other_sessions(v, flow, u);
    finish_action(v, flow, c, u, types, "password");
}

static void post_config_totp(struct visit *v, struct flow *flow, const struct client *c, const struct user *u)
{
    static const char *const types[] = {"UPDATE_CREDENTIAL", "UPDATE_TOTP", NULL};
    struct str code = str_trim(http_form_get(&v->form, "totp"));
    struct str label = str_slice(str_trim(http_form_get(&v->form, "userLabel")), 0, LABEL_MAX);
    struct err err = {0};

    if (str_is_null(flow->text[FLOW_SECRET]) || !totp_matches(v->realm, flow->text[FLOW_SECRET], code, v->now)) {
        fail_step(v, flow, c, u, "UPDATE_TOTP", "invalid_user_credentials",
                  visit_text(v, str_is_empty(code) ? "missingTotpMessage" : "invalidTotpMessage", STR_NULL));
        return;
    }
    if (user_add_otp(v->context->model, v->realm, u, flow->text[FLOW_SECRET], label, &err) < 0) {
        visit_respond_failure(v, &err);
        return;
    }
    flow->otp_done = true; /* the code was shown a moment ago */
    finish_action(v, flow, c, u, types, "otp");
}

static void post_profile(struct visit *v, struct flow *flow, const struct client *c, const struct user *u)
{
    const char *const types[] = {
        str_eq(flow->text[FLOW_EXECUTION], STR("VERIFY_PROFILE")) ? "VERIFY_PROFILE" : "UPDATE_PROFILE", NULL};
    json_t *data = json_object();
    struct err err = {0};

    if (profile_update(v, u, data, &err)) {
        json_decref(data);
        finish_action(v, flow, c, u, types, NULL);
        return;
    }
    if (err.code || !flow_keep(v, flow)) {
        json_decref(data);
        if (err.code)
            visit_respond_failure(v, &err);
        return;
    }
    json_object_set_new(data, "action", visit_json(visit_flow_url(v, flow, "required-action", true)));
    visit_choose_language(v, flow->text[FLOW_LOCALES]);
    visit_respond_page(v, 200, "update-profile", "updateProfileTitle", STR_NULL,
                       visit_flow_url(v, flow, "required-action", false), data);
}

static void post_consent(struct visit *v, struct flow *flow, const struct client *c, const struct user *u)
{
    const struct client_scope **missing;
    struct event e = flow_event(v, flow, c, "LOGIN");
    struct err err = {0};
    size_t n = 0;

    if (str_is_null(http_form_get(&v->form, "accept"))) {
        event_fail(v->context->events, &e, "rejected_by_user");
        if (!str_is_null(flow->text[FLOW_USER_CODE]) &&
            device_code_deny(v->context->sessions, v->realm, flow->text[FLOW_USER_CODE], &err) < 0)
            log_warn("a device's code: %s", err.message);
        flow_fail(v, flow, c, "access_denied", STR_NULL);
        return;
    }
    int rc = missing_consents(v, flow, c, u, &missing, &n, &err);
    struct str *ids = arena_array(v->a, struct str, n);
    for (size_t i = 0; i < n && rc == 0; i++)
        ids[i] = missing[i]->id;
    if (rc == 0 && c->consent_required)
        rc = consent_grant(identity_db(v->context->model), v->realm, u->id, c->id, ids, n, &err);
    if (rc < 0) {
        visit_respond_failure(v, &err);
        return;
    }
    struct event granted = flow_event(v, flow, c, "GRANT_CONSENT");
    event_write(v->context->events, &granted);
    flow->consent_done = true;
    flow_continue(v, flow, c, u, STR_NULL);
}

/* ---- the way in ---- */

/* Logins that are forgotten: begun anew when the browser still knows what for. */
static void restart(struct visit *v)
{
    struct str sealed = http_cookie_get(v->r, "KC_RESTART"), raw;
    struct browser login;
    struct http_form params;
    struct err err = {0};

    if (!str_is_empty(sealed) && browser_unseal(v, "Restart", sealed, &raw, &err) == 0 &&
        http_form_parse(v->a, raw, &params, &err) == 0) {
        authorize_begin(v, &params, raw, visit_text(v, "expiredCodeMessage", STR_NULL));
        return;
    }
    if (browser_login(v, &login, &err) == 0)
        visit_respond_page(v, 200, "info", "accountTitle", STR_NULL, STR_NULL,
                           json_pack("{s:o}", "message", visit_json(visit_text(v, "alreadyLoggedIn", STR_NULL))));
    else
        visit_respond_error(v, 400, "cookieNotFoundMessage", STR_NULL);
}

static bool load_flow(struct visit *v, struct flow *flow, const struct client **ret_client, struct user *user,
                      const struct user **ret_user)
{
    struct str root = http_cookie_get(v->r, "AUTH_SESSION_ID"), tab = http_form_get(&v->query, "tab_id");
    struct str step = http_call_param(v->call, "step");
    struct err err = {0};

    *ret_user = NULL;
    if (!str_eq(step, STR("authenticate")) && !str_eq(step, STR("required-action")) && !str_eq(step, STR("consent"))) {
        visit_respond_error(v, 404, "pageNotFound", STR_NULL);
        return false;
    }
    if (flow_get(v->l->flows, v->a, root, tab, v->now, flow, &err) < 0 || flow->is_logout ||
        !str_eq(flow->text[FLOW_REALM], v->realm->id)) {
        restart(v);
        return false;
    }
    visit_choose_language(v, flow->text[FLOW_LOCALES]);
    *ret_client = realm_client_by_id(v->realm, flow->text[FLOW_CLIENT]);
    if (!*ret_client || !(*ret_client)->enabled) {
        visit_respond_error(v, 400, *ret_client ? "clientDisabledMessage" : "clientNotFoundMessage", STR_NULL);
        return false;
    }
    if (str_is_null(flow->text[FLOW_USER]))
        return true;
    int rc = user_by_id(v->context->model, v->realm, v->a, flow->text[FLOW_USER], user, &err);
    if (rc < 0 || !user->enabled) {
        if (rc < 0 && rc != ERR_NOT_FOUND)
            visit_respond_failure(v, &err);
        else
            visit_respond_error(v, 400, "accountDisabledMessage", STR_NULL);
        return false;
    }
    *ret_user = user;
    return true;
}

void get_step(void *ctx, struct http_call *call)
{
    VISIT_SCOPED struct visit v;
    const struct client *c;
    const struct user *u;
    struct user user;
    struct flow flow;

    if (visit_begin(&v, ctx, call) && load_flow(&v, &flow, &c, &user, &u))
        steps_show(&v, &flow, c, u, STR_NULL);
}

void post_step(void *ctx, struct http_call *call)
{
    VISIT_SCOPED struct visit v;
    const struct client *c;
    const struct user *u;
    struct user user;
    struct flow flow;

    if (!visit_begin(&v, ctx, call) || visit_refuse_foreign(&v) || !load_flow(&v, &flow, &c, &user, &u))
        return;
    struct str code = http_form_get(&v.query, "session_code"), execution = flow.text[FLOW_EXECUTION];
    if (!str_eq_secret(code, str_from_cstr(flow.code)) || !str_eq(http_form_get(&v.query, "execution"), execution) ||
        !str_eq_cstr(http_call_param(call, "step"), step_of(execution))) {
        flow_respond_expired(&v, &flow);
        return;
    }
    if (str_eq(execution, STR("password")))
        post_password(&v, &flow, c);
    else if (!u || (!is_logged_in(&flow)))
        restart(&v);
    else if (is_optional(&flow, u) && !str_is_null(http_form_get(&v.form, "cancel-aia"))) {
        flow.action_done = flow.action_cancelled = true;
        flow_continue(&v, &flow, c, u, STR_NULL);
    } else if (str_eq(execution, STR("otp")))
        post_otp(&v, &flow, c, u);
    else if (str_eq(execution, STR("consent")))
        post_consent(&v, &flow, c, u);
    else if (str_eq(execution, STR("UPDATE_PASSWORD")))
        post_update_password(&v, &flow, c, u);
    else if (str_eq(execution, STR("CONFIGURE_TOTP")))
        post_config_totp(&v, &flow, c, u);
    else if (is_action(execution))
        post_profile(&v, &flow, c, u);
    else
        visit_respond_error(&v, 501, "unsupportedActionMessage", execution);
}
