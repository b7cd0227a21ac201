/*
 * The signing keys of an issuer elsewhere: its discovery document (OpenID Connect Discovery, RFC 8414) and its JWK set,
 * fetched when first needed and kept. An unknown kid fetches again, at most once in `min_refetch_ms`; a set older than
 * `max_age_ms` is fetched again, and served on while the issuer can't be reached. One fetch at a time; any thread may
 * call, and those that find a usable key don't wait for a fetch.
 */
#ifndef AUTH_JWKS_H
#define AUTH_JWKS_H

#include "auth/jose.h"

struct jwks;

struct jwks_options {
    const char *issuer; /* as the `iss` claim has it; https, or http for a loopback address and where allow_http says */
    const char *config_url; /* NULL: ISSUER/.well-known/openid-configuration */
    const char *jwks_url;   /* NULL: the discovery document's jwks_uri */
    const char *ca_file;    /* PEM; only these CAs are trusted then. NULL: the system's */
    const char *connect_to; /* "ADDRESS:PORT" to fetch from, whatever the URLs' hosts resolve to; NULL */
    int64_t max_age_ms;     /* 0: 10 minutes */
    int64_t min_refetch_ms; /* 0: 10 seconds */
    int timeout_ms;         /* 0: 5 seconds */
    bool allow_http;
};

/* Fetches nothing yet. ERR_INVALID: the issuer or a URL is none. */
MUST_CHECK int jwks_new(const struct jwks_options *o, struct jwks **ret, struct err *err);
void jwks_free(struct jwks *s);

/* The key for a token's header, to be given back with jose_key_free. ERR_DENIED: the issuer has no such key;
 * ERR_UNAVAILABLE: its keys couldn't be fetched. */
MUST_CHECK int jwks_key(struct jwks *s, struct str kid, enum jose_alg alg, struct jose_key **ret, struct err *err);
/* Parses, verifies with the issuer's key and checks the claims; `e->issuer` is set to the issuer's. Only algorithms of
 * JOSE_ANY_PUBLIC among `allowed` count. The caller owns *ret. */
MUST_CHECK int jwks_verify(struct jwks *s, struct arena *a, struct str token, uint32_t allowed,
                           const struct jwt_expect *e, json_t **ret, struct err *err);

#endif
