/* What the files of oidc/ share: a call, from its first checks to its answer. Private to them. */
#ifndef IDENTITY_OIDC_INTERNAL_H
#define IDENTITY_OIDC_INTERNAL_H

#include "base/buf.h"
#include "base/vec.h"
#include "http/form.h"
#include "identity/attribute.h"
#include "identity/brute.h"
#include "identity/event.h"
#include "identity/oidc.h"

enum {
    CALL_CORS_ALL = 1 << 0, /* answers that anybody's pages may read */
    CALL_NO_STORE = 1 << 1,
    CALL_NO_CACHE = 1 << 2, /* beside CALL_NO_STORE */
};

/* One request to an endpoint of a realm. */
struct call {
    struct oidc *o;
    const struct identity_context *context;
    struct http_call *http;
    struct http_request *r;
    struct arena *a;
    struct realm *realm;
    struct str base, issuer, ip;
    struct http_form form;
    const struct client *client; /* once it is authenticated */
    struct event event;
    unsigned flags;
    struct err err;
};

/* Realm, issuer, transport and form; false: it has answered. `type` is the event's. */
bool call_begin(struct call *c, void *ctx, struct http_call *http, const char *type, unsigned flags);
void call_end(struct call *c);
#define CALL_SCOPED __attribute__((cleanup(call_end)))

/* A parameter of the form; null when absent or empty. */
struct str call_param(const struct call *c, const char *name);
/* The event's client and so on are the call's. */
void call_event_client(struct call *c, const struct client *client);
void call_succeeded(struct call *c); /* writes the event */

/* ---- answers ---- */

struct http_response *call_response(struct call *c, int status); /* with the common headers, CORS's among them */
void call_answer(struct call *c, int status, struct buf *json);  /* takes the text over */
void call_answer_empty(struct call *c, int status); /* what a page's security headers go with, as Keycloak's */
/* {"error", "error_description"}; `event_error` (may be NULL: none) is the event's. description may be NULL. */
void call_fail(struct call *c, int status, const char *error, const char *event_error, const char *description);
/* For a failure of ours: 500, or 503 when it may go away. Logged, not told. */
void call_broken(struct call *c);

/* ---- clients ---- */

/* Authenticates the client; false: it has answered. `endpoint` is the URL that assertions may be for, besides the issuer. */
bool call_client(struct call *c);

/* ---- tokens ---- */

/* A request for tokens with what the call has; scope has to be resolved. */
struct token_request call_token_request(const struct call *c, const struct user *u, const struct token_scope *scope,
                                        enum token_grant grant);
/* Issues and answers. */
void call_issue(struct call *c, const struct token_request *q, struct str issued_token_type);
/* DPoP (RFC 9449): checks the proof of the request if there is one, or the client must have one. *ret_jkt null: no proof.
 * `token` is the access token that the proof has to be bound to (null: at the token endpoint). False: it has answered. */
bool call_dpop(struct call *c, struct str token, struct str *ret_jkt);

/* Grants (grants.c, exchange.c): each answers. */
void grant_code(struct call *c);
void grant_password(struct call *c);
void grant_client_credentials(struct call *c);
void grant_refresh(struct call *c);
void grant_device(struct call *c);
void grant_exchange(struct call *c);

/* Handlers. */
void oidc_get_realm(void *ctx, struct http_call *http);
void oidc_get_discovery(void *ctx, struct http_call *http);
void oidc_get_certs(void *ctx, struct http_call *http);
void oidc_post_token(void *ctx, struct http_call *http);
void oidc_post_introspect(void *ctx, struct http_call *http);
void oidc_post_revoke(void *ctx, struct http_call *http);
void oidc_post_device(void *ctx, struct http_call *http);
void oidc_post_par(void *ctx, struct http_call *http);
void oidc_userinfo(void *ctx, struct http_call *http);
void oidc_options(void *ctx, struct http_call *http);

/* Keys of clients that authenticate by signed assertions (client_keys.c). */
MUST_CHECK int client_assertion_key(struct oidc *o, const struct client *c, struct str kid, enum jose_alg alg,
                                    struct jose_key **ret, struct err *err);

#endif
