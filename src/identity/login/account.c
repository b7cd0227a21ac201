/*
 * The account: what a user can see and change of itself. Pages of the client `account`, so a login leads here; the browser's
 * own session decides who it is. Forms carry the session's CSRF text.
 */
#include "identity/login/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/vec.h"
#include "http/url.h"

enum { FRESH_S = 600, LABEL_MAX = 100, SECRET_S = 900 };

struct section {
    const char *name, *title_key, *page;
    bool fresh; /* only soon after a login */
    void (*show)(struct visit *v, const struct browser *b, json_t *data, struct err *err);
    /* 0: `*ret_notice` is a text's key. ERR_INVALID: *ret_error is the text. Else a failure. */
    int (*save)(struct visit *v, const struct browser *b, json_t *data, const char **ret_notice, struct str *ret_error,
                struct err *err);
};

static struct str section_url(struct visit *v, const char *name)
{
    return arena_printf(v->a, "%.*s/account/%s", STR_ARG(v->path), name);
}

static struct str when(struct visit *v, int64_t seconds)
{
    char text[CLOCK_TEXT_SIZE];

    clock_format_rfc3339_ms(seconds * 1000, text);
    text[10] = ' ';
    return arena_printf(v->a, "%.16s UTC", text);
}

static void write_event(struct visit *v, const struct browser *b, const char *type, const char *credential,
                        const char *error)
{
    struct event e = event_of(v->realm, type, STR("account"), v->ip);

    e.user_id = b->user.id;
    e.session_id = b->session.id;
    event_add(&e, "username", b->user.username);
    if (credential)
        event_add(&e, "credential_type", str_from_cstr(credential));
    e.error = error;
    event_write(v->context->events, &e);
}

/* ---- profile ---- */

static void show_profile(struct visit *v, const struct browser *b, json_t *data, struct err *err)
{
    (void)v, (void)err;
    json_object_set_new(data, "user", profile_json(&b->user));
}

static int save_profile(struct visit *v, const struct browser *b, json_t *data, const char **ret_notice,
                        struct str *ret_error, struct err *err)
{
    (void)ret_error;
    if (!profile_update(v, &b->user, data, err))
        return err->code ? err->code : ERR_INVALID;
    write_event(v, b, "UPDATE_PROFILE", NULL, NULL);
    *ret_notice = "accountUpdated";
    return 0;
}

/* ---- password ---- */

static int refuse(struct visit *v, struct str *ret_error, const char *key, struct str arg)
{
    *ret_error = visit_text(v, key, arg);
    return ERR_INVALID;
}

static int save_password(struct visit *v, const struct browser *b, json_t *data, const char **ret_notice,
                         struct str *ret_error, struct err *err)
{
    struct str old = http_form_get(&v->form, "password"), password = http_form_get(&v->form, "password-new");
    struct str again = http_form_get(&v->form, "password-confirm");
    int64_t now_ms = v->now * 1000;
    (void)data;

    if (str_is_empty(password))
        return refuse(v, ret_error, "missingPasswordMessage", STR_NULL);
    if (!str_eq(password, again))
        return refuse(v, ret_error, "notMatchPasswordMessage", STR_NULL);
    enum brute_verdict verdict = brute_check(v->context->brute, v->realm, &b->user, v->ip, now_ms, NULL);
    int rc = verdict != BRUTE_FREE
                 ? ERR_DENIED
                 : user_check_password(v->context->model, v->realm, &b->user, str_is_null(old) ? STR("") : old, err);
    if (rc == ERR_DENIED) {
        if (verdict == BRUTE_FREE)
            brute_failed(v->context->brute, v->realm, &b->user, v->ip, now_ms);
        write_event(v, b, "UPDATE_PASSWORD", NULL, "invalid_user_credentials");
        return refuse(v, ret_error, "invalidPasswordExistingMessage", STR_NULL);
    }
    if (rc == 0)
        rc = user_set_password(v->context->model, v->realm, &b->user, password, false, err);
    if (rc == ERR_INVALID)
        return refuse(v, ret_error, "invalidPasswordMessage", str_from_cstr(err->message));
    if (rc < 0)
        return rc;
    write_event(v, b, "UPDATE_CREDENTIAL", "password", NULL);
    write_event(v, b, "UPDATE_PASSWORD", NULL, NULL);
    *ret_notice = "accountPasswordUpdated";
    return 0;
}

/* ---- authenticators ---- */

static void show_totp(struct visit *v, const struct browser *b, json_t *data, struct err *err)
{
    struct user_credential *list = NULL;
    struct str secret = totp_new_secret(v->a), sealed;
    json_t *devices = json_array();
    size_t n = 0;
    int rc = user_credentials(v->context->model, v->realm, v->a, b->user.id, &list, &n, err);

    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (!str_eq(list[i].type, STR("otp")))
            continue;
        struct str label = str_is_empty(list[i].label) ? STR("TOTP") : list[i].label;
        json_array_append_new(devices,
                              json_pack("{s:o, s:o, s:o}", "id", visit_json(list[i].id), "label", visit_json(label),
                                        "created", visit_json(when(v, list[i].created_ms / 1000))));
    }
    json_object_set_new(data, "devices", devices);
    json_object_set_new(data, "removeAction", visit_json(section_url(v, "totp")));
    if (rc == 0 && browser_seal(v, "TOTP", secret, SECRET_S, &sealed, err) == 0) {
        json_object_set_new(data, "sealed", visit_json(sealed));
        totp_add_setup(v, &b->user, secret, data);
    }
}

static int remove_totp(struct visit *v, const struct browser *b, struct str id, struct err *err)
{
    CHANGE_SCOPED struct identity_change *c = NULL;
    struct user_credential *list;
    bool is_otp = false;
    size_t n;
    int rc = user_credentials(v->context->model, v->realm, v->a, b->user.id, &list, &n, err);

    for (size_t i = 0; rc == 0 && i < n; i++)
        is_otp |= str_eq(list[i].id, id) && str_eq(list[i].type, STR("otp"));
    if (rc == 0 && !is_otp)
        return err_set(err, ERR_INVALID, "there is no such authenticator");
    if (rc == 0)
        rc = identity_change_begin(v->context->model, &c, err);
    if (rc == 0)
        rc = user_delete_credential(c, v->realm, b->user.id, id, err);
    return rc < 0 ? rc : identity_change_commit(c, err);
}

static int save_totp(struct visit *v, const struct browser *b, json_t *data, const char **ret_notice,
                     struct str *ret_error, struct err *err)
{
    struct str id = http_form_get(&v->form, "credentialId"), code = str_trim(http_form_get(&v->form, "totp")), secret;
    struct str label = str_slice(str_trim(http_form_get(&v->form, "userLabel")), 0, LABEL_MAX);
    (void)data;

    if (!str_is_null(id)) {
        int rc = remove_totp(v, b, id, err);
        if (rc == 0)
            write_event(v, b, "REMOVE_CREDENTIAL", "otp", NULL);
        if (rc == 0)
            write_event(v, b, "REMOVE_TOTP", NULL, NULL);
        *ret_notice = "accountTotpRemoved";
        return rc;
    }
    if (browser_unseal(v, "TOTP", http_form_get(&v->form, "totpSecret"), &secret, err) < 0)
        return refuse(v, ret_error, "pageExpiredTitle", STR_NULL);
    if (!totp_matches(v->realm, secret, code, v->now))
        return refuse(v, ret_error, "invalidTotpMessage", STR_NULL);
    int rc = user_add_otp(v->context->model, v->realm, &b->user, secret, label, err);
    if (rc < 0)
        return rc;
    write_event(v, b, "UPDATE_CREDENTIAL", "otp", NULL);
    write_event(v, b, "UPDATE_TOTP", NULL, NULL);
    *ret_notice = "accountTotpAdded";
    return 0;
}

/* ---- sessions ---- */

static struct str clients_of(struct visit *v, const struct session *s, struct err *err)
{
    struct client_session_list list;
    BUF_SCOPED struct buf text = {0};

    buf_init(&text, 4 << 10);
    if (client_sessions_of(v->context->sessions, v->realm, v->a, s, &list, err) < 0)
        return STR_NULL;
    for (size_t i = 0; i < list.n; i++) {
        const struct client *c = realm_client_by_id(v->realm, list.items[i].client_id);
        if (c)
            buf_addf(&text, "%s%.*s", text.n ? ", " : "", STR_ARG(c->client_id));
    }
    return arena_str(v->a, buf_str(&text));
}

static void show_sessions(struct visit *v, const struct browser *b, json_t *data, struct err *err)
{
    struct session_list list;
    json_t *items = json_array();
    int rc = sessions_of_user(v->context->sessions, v->realm, v->a, b->user.id, false, &list, err);

    for (size_t i = 0; rc == 0 && i < list.n; i++) {
        const struct session *s = &list.items[i];
        json_array_append_new(
            items, json_pack("{s:o, s:o, s:o, s:o, s:b}", "ip", visit_json(s->ip), "started",
                             visit_json(when(v, s->started)), "lastAccess", visit_json(when(v, s->last_access)),
                             "clients", visit_json(clients_of(v, s, err)), "current", str_eq(s->id, b->session.id)));
    }
    json_object_set_new(data, "sessions", items);
}

static int save_sessions(struct visit *v, const struct browser *b, json_t *data, const char **ret_notice,
                         struct str *ret_error, struct err *err)
{
    struct session_list list;
    int rc = sessions_of_user(v->context->sessions, v->realm, v->a, b->user.id, false, &list, err);
    (void)data, (void)ret_error;

    for (size_t i = 0; rc == 0 && i < list.n; i++) {
        if (str_eq(list.items[i].id, b->session.id))
            continue;
        rc = logout_session(v->l->oidc.logout, v->realm, v->issuer, list.items[i].id, err);
        struct event e = event_of(v->realm, "LOGOUT", STR("account"), v->ip);
        e.user_id = b->user.id;
        e.session_id = list.items[i].id;
        event_write(v->context->events, &e);
    }
    *ret_notice = "accountSessionsEnded";
    return rc;
}

/* ---- applications ---- */

static struct str scope_names(struct visit *v, const struct consent *c)
{
    BUF_SCOPED struct buf text = {0};

    buf_init(&text, 8 << 10);
    for (size_t i = 0; i < c->scope_count; i++) {
        const struct client_scope *s = realm_scope_by_id(v->realm, c->scope_ids[i]);
        if (s)
            buf_addf(&text, "%s%.*s", text.n ? ", " : "", STR_ARG(s->name));
    }
    return arena_str(v->a, buf_str(&text));
}

/* Only links that a browser goes to: whoever configures a client must not run scripts here. */
static struct str link_of(struct visit *v, const struct client *c)
{
    struct str url = json_opt_str(c->rep, "baseUrl", STR_NULL);
    struct http_url parsed;

    if (str_starts_with(url, STR("/")) && !str_is_empty(c->root_url))
        url = arena_printf(v->a, "%.*s%.*s", STR_ARG(c->root_url), STR_ARG(url));
    return http_url_parse(v->a, url, &parsed, NULL) == 0 && http_url_is_web(&parsed) ? url : STR_NULL;
}

static void show_applications(struct visit *v, const struct browser *b, json_t *data, struct err *err)
{
    struct consent *list;
    json_t *items = json_array();
    size_t n = 0;
    int rc = consent_list(identity_db(v->context->model), v->realm, v->a, b->user.id, &list, &n, err);

    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct client *c = realm_client_by_id(v->realm, list[i].client_id);
        if (!c)
            continue;
        struct str name = json_opt_str(c->rep, "name", STR_NULL);
        json_array_append_new(items,
                              json_pack("{s:o, s:o, s:b, s:o, s:o}", "id", visit_json(c->id), "name",
                                        visit_json(str_is_empty(name) ? c->client_id : name), "granted", 1, "scopes",
                                        visit_json(scope_names(v, &list[i])), "url", visit_json(link_of(v, c))));
    }
    json_object_set_new(data, "applications", items);
    json_object_set_new(data, "removeAction", visit_json(section_url(v, "applications")));
}

/* The client's part in all of the user's sessions, offline ones too: what was made by a consent ends with it. */
static int end_client(struct visit *v, const struct user *u, const struct client *c, struct err *err)
{
    int rc = 0;

    for (int offline = 0; offline < 2 && rc == 0; offline++) {
        struct session_list list;
        rc = sessions_of_user(v->context->sessions, v->realm, v->a, u->id, offline, &list, err);
        for (size_t i = 0; rc == 0 && i < list.n; i++) {
            rc = client_session_end(v->context->sessions, v->realm, list.items[i].id, c->id, offline, err);
            if (rc == ERR_NOT_FOUND) {
                *err = (struct err){0};
                rc = 0;
            }
        }
    }
    return rc;
}

static int save_applications(struct visit *v, const struct browser *b, json_t *data, const char **ret_notice,
                             struct str *ret_error, struct err *err)
{
    const struct client *c = realm_client_by_id(v->realm, http_form_get(&v->form, "clientId"));
    (void)data, (void)ret_error;

    if (!c)
        return refuse(v, ret_error, "clientNotFoundMessage", STR_NULL);
    int rc = consent_revoke(identity_db(v->context->model), v->realm, b->user.id, c->id, err);
    if (rc == ERR_NOT_FOUND)
        *err = (struct err){0};
    else if (rc < 0)
        return rc;
    if ((rc = end_client(v, &b->user, c, err)) < 0)
        return rc;
    struct event e = event_of(v->realm, "REVOKE_GRANT", c->client_id, v->ip);
    e.user_id = b->user.id;
    event_write(v->context->events, &e);
    *ret_notice = "accountConsentRemoved";
    return 0;
}

static const struct section sections[] = {
    {"profile", "accountProfile", "account-profile", false, show_profile, save_profile},
    {"password", "accountPassword", "account-password", false, show_profile, save_password},
    {"totp", "accountTotp", "account-totp", true, show_totp, save_totp},
    {"sessions", "accountSessions", "account-sessions", false, show_sessions, save_sessions},
    {"applications", "accountApplications", "account-applications", false, show_applications, save_applications},
};

/* ---- the way in ---- */

static void send_to_login(struct visit *v, const struct section *s)
{
    const struct client *c = realm_client(v->realm, STR("account"));
    BUF_SCOPED struct buf url = {0};

    if (!c || !c->enabled) {
        visit_respond_error(v, 403, "clientNotFoundMessage", STR_NULL);
        return;
    }
    buf_init(&url, 16 << 10);
    buf_addf(&url, "%.*s/protocol/openid-connect/auth?", STR_ARG(v->issuer));
    http_form_add(&url, STR("client_id"), c->client_id);
    http_form_add(&url, STR("redirect_uri"), arena_printf(v->a, "%.*s/account/%s", STR_ARG(v->issuer), s->name));
    http_form_add(&url, STR("response_type"), STR("code"));
    http_form_add(&url, STR("scope"), STR("openid"));
    if (s->fresh)
        http_form_add(&url, STR("max_age"), arena_printf(v->a, "%d", FRESH_S));
    visit_respond_redirect(v, buf_str(&url));
}

/* The role manage-account of the client account, which a realm gives to all users unless it is taken from them. */
static int check_role(struct visit *v, const struct browser *b, struct err *err)
{
    const struct client *c = realm_client(v->realm, STR("account"));
    const struct role *wanted = c ? client_role(c, STR("manage-account")) : NULL, **roles;
    size_t n;
    int rc = user_roles(v->context->model, v->realm, v->a, &b->user, &roles, &n, err);

    if (rc < 0 || !wanted)
        return rc;
    for (size_t i = 0; i < n; i++) {
        if (roles[i] == wanted || str_eq(roles[i]->id, wanted->id))
            return 0;
    }
    return err_set(err, ERR_DENIED, "the user may not manage its account");
}

static void respond(struct visit *v, const struct browser *b, const struct section *s, json_t *data, struct str error,
                    const char *notice)
{
    json_t *links = json_array();
    struct err err = {0};

    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        json_array_append_new(links, json_pack("{s:o, s:o, s:b}", "url", visit_json(section_url(v, sections[i].name)),
                                               "name", visit_json(visit_text(v, sections[i].title_key, STR_NULL)),
                                               "current", &sections[i] == s));
    json_object_set_new(data, "sections", links);
    json_object_set_new(data, "csrf", visit_json(b->csrf));
    json_object_set_new(data, "action", visit_json(section_url(v, s->name)));
    json_object_set_new(data, "signOut", visit_json(section_url(v, "sign-out")));
    json_object_set_new(data, "error", visit_json(error));
    if (notice)
        json_object_set_new(data, "notice", visit_json(visit_text(v, notice, STR_NULL)));
    if (!json_object_get(data, "user") || !json_object_get(data, "bad"))
        s->show(v, b, data, &err);
    if (err.code) {
        json_decref(data);
        visit_respond_failure(v, &err);
        return;
    }
    visit_respond_page(v, str_is_null(error) ? 200 : 400, s->page, s->title_key, STR_NULL, section_url(v, s->name),
                       data);
}

static const struct section *find_section(struct visit *v)
{
    struct str name = v->call->param_count > 1 ? http_call_param(v->call, "section") : STR("profile");

    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        if (str_eq_cstr(name, sections[i].name))
            return &sections[i];
    }
    visit_respond_error(v, 404, "pageNotFound", STR_NULL);
    return NULL;
}

/* False: answered. */
static bool enter(struct visit *v, const struct section *s, struct browser *b)
{
    struct err err = {0};
    int rc = browser_login(v, b, &err);

    if (rc == ERR_NOT_FOUND || (rc == 0 && s->fresh && b->session.auth_time + FRESH_S < v->now)) {
        send_to_login(v, s);
        return false;
    }
    if (rc == 0)
        rc = check_role(v, b, &err);
    if (rc == ERR_DENIED)
        visit_respond_error(v, 403, "invalidRequestMessage", STR_NULL);
    else if (rc < 0)
        visit_respond_failure(v, &err);
    return rc == 0;
}

void get_account(void *ctx, struct http_call *call)
{
    VISIT_SCOPED struct visit v;
    const struct section *s;
    struct browser b;

    if (!visit_begin(&v, ctx, call) || !(s = find_section(&v)) || !enter(&v, s, &b))
        return;
    if (!str_is_null(http_form_get(&v.query, "code"))) /* back from a login: the address need not keep its answer */
        visit_respond_redirect(&v, section_url(&v, s->name));
    else
        respond(&v, &b, s, json_object(), STR_NULL, NULL);
}

static void sign_out(struct visit *v, const struct browser *b)
{
    struct event e = event_of(v->realm, "LOGOUT", STR("account"), v->ip);
    struct err err = {0};

    e.user_id = b->user.id;
    e.session_id = b->session.id;
    if (logout_session(v->l->oidc.logout, v->realm, v->issuer, b->session.id, &err) < 0) {
        visit_respond_failure(v, &err);
        return;
    }
    event_write(v->context->events, &e);
    browser_forget(v);
    visit_respond_redirect(v, section_url(v, "profile"));
}

void post_account(void *ctx, struct http_call *call)
{
    VISIT_SCOPED struct visit v;
    const struct section *s;
    struct browser b;
    struct err err = {0};
    const char *notice = NULL;
    struct str error = STR_NULL;

    if (!visit_begin(&v, ctx, call) || visit_refuse_foreign(&v))
        return;
    bool leaves = str_eq(http_call_param(call, "section"), STR("sign-out"));
    s = leaves ? &sections[0] : find_section(&v);
    if (!s || !enter(&v, s, &b))
        return;
    if (str_is_empty(b.csrf) || !str_eq_secret(http_form_get(&v.form, "stateChecker"), b.csrf)) {
        visit_respond_error(&v, 403, "badRequestOriginMessage", STR_NULL);
        return;
    }
    if (leaves) {
        sign_out(&v, &b);
        return;
    }
    json_t *data = json_object();
    int rc = s->save(&v, &b, data, &notice, &error, &err);
    if (rc < 0 && rc != ERR_INVALID) {
        json_decref(data);
        visit_respond_failure(&v, &err);
        return;
    }
    if (rc == 0) {
        json_object_clear(data);
        if (user_by_id(v.context->model, v.realm, v.a, b.user.id, &b.user, &err) < 0)
            log_warn("%s", err.message);
    } else if (str_is_null(error) && !json_object_get(data, "bad")) {
        error = visit_text(&v, "invalidRequestMessage", STR_NULL);
    }
    respond(&v, &b, s, data, error, rc == 0 ? notice : NULL);
}
