/* What the parts of jose.h share: the inside of a key. */
#ifndef AUTH_JOSE_INTERNAL_H
#define AUTH_JOSE_INTERNAL_H

#include "auth/jose.h"
#include <openssl/evp.h>
#include <stdatomic.h>

enum jose_kind { JOSE_KIND_RSA, JOSE_KIND_EC, JOSE_KIND_OKP, JOSE_KIND_OCT };

struct jose_curve {
    const char *crv, *group; /* RFC 7518's name and OpenSSL's */
    size_t size;             /* bytes of a coordinate, and of half a signature */
    enum jose_alg alg;
};

struct jose_key {
    atomic_int refs;
    enum jose_kind kind;
    const struct jose_curve *curve; /* EC only */
    EVP_PKEY *pkey;                 /* all but OCT */
    bool is_private;
    uint32_t algs;
    char *kid, *use; /* NULL: none */
    unsigned char *secret;
    size_t secret_size;
};

/* The digest of the algorithm; NULL for EdDSA, which has its own. */
const EVP_MD *jose_digest(enum jose_alg alg);
const struct jose_curve *jose_curve_of(enum jose_alg alg);
/* As err_set, with OpenSSL's reason at the end; empties its queue. */
int jose_openssl_error(struct err *err, int code, const char *what);

#endif
