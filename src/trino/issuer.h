/*
 * An OpenID provider, as the server's authenticators use it: its endpoints by discovery, tokens of it verified by its keys,
 * tokens got from it by a code or a password. Any thread; calls may wait for the provider.
 */
#ifndef TRINO_ISSUER_H
#define TRINO_ISSUER_H

#include "auth/jwks.h"

struct issuer;

struct issuer_options {
    const char *url;        /* the issuer */
    const char *jwks_url;   /* NULL: by discovery */
    const char *ca_file;    /* NULL: the system's CAs */
    const char *connect_to; /* "ADDRESS:PORT" for all requests, whatever the URLs' hosts resolve to; NULL */
    const char *client_id;
    /* The client's secret, appended to `to`: asked for each time, so that a rotated one is taken at once. NULL: a public
     * client. */
    MUST_CHECK int (*get_secret)(void *ctx, struct buf *to, struct err *err);
    void *ctx;
};

MUST_CHECK int issuer_new(const struct issuer_options *o, struct issuer **ret, struct err *err);
void issuer_free(struct issuer *i);
const char *issuer_client_id(const struct issuer *i);

/* Claims of a token of this issuer; `audience` null: any. The caller owns *ret. */
MUST_CHECK int issuer_verify(struct issuer *i, struct arena *a, struct str token, struct str audience, json_t **ret,
                             struct err *err);
/* The authorization endpoint. */
MUST_CHECK int issuer_authorization_url(struct issuer *i, struct arena *a, struct str *ret, struct err *err);

struct issuer_tokens {
    struct str access_token, id_token; /* in the arena; id_token null: none */
};
/* The token endpoint, with the form's other fields; the client is added. ERR_DENIED: the provider says no. */
MUST_CHECK int issuer_get_tokens(struct issuer *i, struct arena *a, struct buf *form, struct issuer_tokens *ret,
                                 struct err *err);

#endif
