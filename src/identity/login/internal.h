/* What the files of login/ share. */
#ifndef IDENTITY_LOGIN_INTERNAL_H
#define IDENTITY_LOGIN_INTERNAL_H

#include "http/cookie.h"
#include "http/form.h"
#include "identity/brute.h"
#include "identity/consent.h"
#include "identity/login/flow.h"
#include "identity/login/login.h"
#include "identity/login/redirect.h"
#include "identity/login/template.h"

enum { VISIT_COOKIES_MAX = 8, VISIT_ENDPOINTS_BODY_MAX = 64 << 10 };

/* One request to one of the pages. */
struct visit {
    struct login *l;
    const struct identity_context *context;
    struct http_call *call;
    struct http_request *r;
    struct arena *a;
    struct realm *realm; /* NULL: the page is about no realm */
    struct str base;     /* "https://id.example.org" */
    struct str path;     /* "/realms/NAME" */
    struct str issuer;   /* both together */
    struct str ip;
    struct http_form query, form; /* of the URL, of the body */
    const struct messages *m;
    bool is_secure; /* cookies may be Secure: TLS, or the machine itself */
    int64_t now;    /* seconds */
    struct http_cookie cookies[VISIT_COOKIES_MAX];
    size_t cookie_count;
};

/* Everything above. False: it has answered (no such realm, a malformed form, …). */
bool visit_begin(struct visit *v, struct login *l, struct http_call *call);
void visit_end(struct visit *v);
#define VISIT_SCOPED __attribute__((cleanup(visit_end)))

/* A parameter of the form, or else of the URL. */
struct str visit_param(const struct visit *v, const char *name);
/* Which language: kc_locale, then `hint` (ui_locales, may be null), the cookie, Accept-Language. */
void visit_choose_language(struct visit *v, struct str hint);
/* A text of the language; up to one parameter. */
struct str visit_text(struct visit *v, const char *key, struct str arg);
/* A POST that another site's page made a browser send: it has been answered, and true returned. */
bool visit_refuse_foreign(struct visit *v);

void visit_set_cookie(struct visit *v, const char *name, struct str value, int64_t max_age, bool http_only);
void visit_remove_cookie(struct visit *v, const char *name);

/* Adds lang, realm, style, title, languages (when `self`, a URL without kc_locale, isn't null) to data, and answers with
 * the page. Takes the reference of data. */
void visit_respond_page(struct visit *v, int status, const char *page, const char *title_key, struct str title_arg,
                        struct str self, json_t *data);
/* An error page; `back` null: no link. */
void visit_respond_error(struct visit *v, int status, const char *message_key, struct str arg);
/* For errors that aren't the visitor's: logs, and answers 500 (503 when it may go away). */
void visit_respond_failure(struct visit *v, const struct err *err);
void visit_respond_redirect(struct visit *v, struct str location);
void visit_respond_too_many(struct visit *v, int wait_s);
/* For answers that aren't pages: common headers and the cookies. */
struct http_response *visit_response(struct visit *v, int status);

/* "https://id…/realms/NAME/login-actions/STEP?client_id=…&tab_id=…", with session_code and execution when `with_code`. */
struct str visit_flow_url(struct visit *v, const struct flow *flow, const char *step, bool with_code);
json_t *visit_json(struct str s); /* a string; JSON's null for a null one */

/* ---- cookie.c: who is logged in with this browser ---- */

struct browser {
    struct session session;
    struct user user;
    struct str csrf; /* the cookie's state_checker: what forms of the account carry */
};
/* ERR_NOT_FOUND: nobody (any more). */
MUST_CHECK int browser_login(struct visit *v, struct browser *ret, struct err *err);
/* Sets KEYCLOAK_IDENTITY and KEYCLOAK_SESSION. */
MUST_CHECK int browser_remember(struct visit *v, const struct session *s, struct err *err);
void browser_forget(struct visit *v);
/* A signed cookie value that says `text`, good for `lifetime_s`, and back. */
MUST_CHECK int browser_seal(struct visit *v, const char *type, struct str text, int64_t lifetime_s, struct str *ret,
                            struct err *err);
MUST_CHECK int browser_unseal(struct visit *v, const char *type, struct str sealed, struct str *ret, struct err *err);

/* ---- complete.c ---- */

/* How an answer reaches the client. */
struct answer {
    struct str redirect_uri, mode; /* "query", "fragment", "form_post" */
    struct http_field fields[16];
    size_t n;
};
void answer_add(struct answer *p, const char *name, struct str value); /* a null value is left out */
void answer_send(struct visit *v, const struct answer *p);
/* error, error_description (may be null), state, iss. */
void answer_error(struct visit *v, const struct client *c, struct str redirect_uri, struct str mode, struct str state,
                  const char *error, struct str description);
/* The next page of the flow, or its end. `flow` has been written back (its code is current). `u`: the user, NULL when not
 * known yet; `error`: a message for the page, null: none. */
void flow_continue(struct visit *v, struct flow *flow, const struct client *c, const struct user *u, struct str error);
/* flow_put; false: another form was quicker, and the page that says so has been the answer. */
bool flow_keep(struct visit *v, struct flow *flow);
/* The page for a form whose step is over. */
void flow_respond_expired(struct visit *v, const struct flow *flow);
/* The user is there and has shown all that has to be shown. */
void flow_complete(struct visit *v, struct flow *flow, const struct client *c, const struct user *u);
/* The flow fails with an OAuth error, told to the client (or to the device's page). */
void flow_fail(struct visit *v, struct flow *flow, const struct client *c, const char *error, struct str description);
struct event flow_event(const struct visit *v, const struct flow *flow, const struct client *c, const char *type);

/* ---- steps.c ---- */

/* The page for the flow's execution. */
void steps_show(struct visit *v, struct flow *flow, const struct client *c, const struct user *u, struct str error);
/* The next thing that the user has to do, or null. */
struct str steps_next(struct visit *v, struct flow *flow, const struct client *c, const struct user *u,
                      struct err *err);

/* ---- authorize.c ---- */

/* Begins a login by the parameters of an authorization request (the endpoint's, or those of KC_RESTART). */
void authorize_begin(struct visit *v, const struct http_form *params, struct str raw, struct str notice);

/* Single sign-on, or the first page. ERR_DENIED: prompt is none and nobody is logged in. */
MUST_CHECK int flow_begin(struct visit *v, struct flow *flow, const struct client *c, struct str notice,
                          struct err *err);

/* ---- totp.c ---- */

enum { TOTP_SECRET_SIZE = 20 }; /* characters: Keycloak's secrets are text, whose bytes are the key */
struct str totp_new_secret(struct arena *a);
/* Into the page's data: qr, secretText, otpAlgorithm, otpDigits, otpPeriod. */
void totp_add_setup(struct visit *v, const struct user *u, struct str secret, json_t *data);
/* Whether the code is the secret's at this time, by the realm's policy. */
bool totp_matches(const struct realm *r, struct str secret, struct str code, int64_t now_s);

/* ---- profile.c ---- */

/* Reads email, firstName, lastName from the form, checks them, writes them. False: `data` (user, bad) says what is wrong. */
bool profile_update(struct visit *v, const struct user *u, json_t *data, struct err *err);
json_t *profile_json(const struct user *u);

/* ---- the routes' functions ---- */

void get_authorize(void *ctx, struct http_call *call);
void post_authorize(void *ctx, struct http_call *call);
void get_step(void *ctx, struct http_call *call);
void post_step(void *ctx, struct http_call *call);
void get_restart(void *ctx, struct http_call *call);
void get_device(void *ctx, struct http_call *call);
void post_device(void *ctx, struct http_call *call);
void get_device_status(void *ctx, struct http_call *call);
void get_logout(void *ctx, struct http_call *call);
void post_logout(void *ctx, struct http_call *call);
void post_logout_confirm(void *ctx, struct http_call *call);
void get_account(void *ctx, struct http_call *call);
void post_account(void *ctx, struct http_call *call);

#endif
