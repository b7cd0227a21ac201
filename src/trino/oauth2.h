/*
 * Trino's external authentication, as trino-cli, JDBC and the Python client use it: a request without a token is answered
 * with two URLs. The browser is sent to the first (/oauth2/token/initiate/HASH), which leads over the provider's login to
 * /oauth2/callback; the client polls the second (/oauth2/token/ID) until the token is there. HASH is SHA-256 of ID, so
 * that who sees the browser's URL can't fetch the token.
 */
#ifndef TRINO_OAUTH2_H
#define TRINO_OAUTH2_H

#include "http/server.h"
#include "trino/issuer.h"

struct oauth2;

struct oauth2_options {
    struct issuer *issuer;
    const struct str *scopes; /* none: openid */
    size_t scope_count;
    /* Whether a token's claims are those of somebody who may log in. */
    MUST_CHECK int (*accept)(void *ctx, struct arena *a, const json_t *claims, struct err *err);
    void *ctx;
};

MUST_CHECK int oauth2_new(const struct oauth2_options *o, struct oauth2 **ret, struct err *err);
void oauth2_free(struct oauth2 *o); /* after the server: answers who waits */
/* Answers all who wait for a token, and makes nobody wait any more. */
void oauth2_stop(struct oauth2 *o);
/* False when the path is none of its. */
bool oauth2_handle(struct oauth2 *o, struct http_request *r, struct str base_uri);
/* WWW-Authenticate's value for a request that has no token. */
struct str oauth2_challenge(struct http_request *r, struct str base_uri);

#endif
