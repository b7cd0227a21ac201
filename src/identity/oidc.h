/*
 * The protocol endpoints of a realm: everything under /realms/{realm} that browsers' pages (login.h) and the admin API
 * aren't. Routes for the service's router; `ctx` of each is a struct oidc.
 */
#ifndef IDENTITY_OIDC_H
#define IDENTITY_OIDC_H

#include "http/router.h"
#include "identity/context.h"
#include "identity/logout.h"
#include "identity/token.h"

struct oidc {
    const struct identity_context *context;
    struct tokens *tokens;
    struct logout *logout;
};

/* "https://host" that the issuer begins with: public_url, or what the request says. ERR_INVALID: the request has no Host. */
MUST_CHECK int identity_base_url(const struct identity_context *c, struct http_request *r, struct str *ret,
                                 struct err *err);
/* Keycloak's headers on every answer: Referrer-Policy, Strict-Transport-Security, X-Content-Type-Options, X-Robots-Tag. */
void identity_add_headers(struct http_request *r, struct http_response *p);

/* GET  /realms/{realm}, …/.well-known/openid-configuration, …/protocol/openid-connect/certs
 * POST …/token, …/token/introspect, …/revoke, …/auth/device, …/ext/par/request; GET and POST …/userinfo
 * OPTIONS of each, for browsers' scripts (CORS).
 * The logout page's POST with a refresh token is here too: oidc_logout_with_refresh. */
extern const struct http_route oidc_routes[];
extern const size_t oidc_route_count;

/* POST …/logout with client authentication and a refresh_token: what Keycloak's adapters do. Answers 204 or an error. The
 * login pages have the route, and call this when the form has a refresh_token. */
void oidc_logout_with_refresh(struct oidc *o, struct http_call *c);

/* Client authentication as at the token endpoint, for others who need it. ERR_DENIED with the OAuth error in err->name. */
struct http_form;
MUST_CHECK int oidc_authenticate_client(struct oidc *o, const struct realm *r, struct http_call *c,
                                        const struct http_form *form, struct str issuer, const struct client **ret,
                                        struct err *err);

/* PKCE (RFC 7636): the method and challenge of an authorization request, against what the client must use. ERR_INVALID with
 * Keycloak's words for error_description. */
MUST_CHECK int oidc_check_pkce_request(const struct client *c, struct str challenge, struct str method,
                                       struct err *err);
/* Redirect URIs, and origins for CORS: login/redirect.h. */

#endif
