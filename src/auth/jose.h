/*
 * JSON Object Signing and Encryption, as much of it as OpenID Connect needs: keys (RFC 7517, 7638, 8037), compact
 * signatures (RFC 7515, 7518), claims (RFC 7519), and for our own cookies compact direct encryption (RFC 7516).
 *
 * The rules of RFC 8725 are built in, not left to callers:
 *   - the caller says which algorithms it accepts, and the key says what it can do; the token's header only has to agree.
 *     "none" isn't in the vocabulary. An RSA key never becomes an HMAC secret.
 *   - `crit` is refused, since we understand no extension; jwk, jku, x5u and x5c in a header are never looked at.
 *   - duplicate members, non-canonical base64url and sizes beyond JOSE_TOKEN_MAX are refused.
 *
 * A key is parsed once and then immutable: share it by reference between threads.
 */
#ifndef AUTH_JOSE_H
#define AUTH_JOSE_H

#include "base/arena.h"
#include "base/json.h"

enum { JOSE_TOKEN_MAX = 64 << 10, JOSE_KEYS_MAX = 256, JOSE_THUMBPRINT_SIZE = 44 };

enum jose_alg {
    JOSE_UNKNOWN,
    JOSE_RS256,
    JOSE_RS384,
    JOSE_RS512,
    JOSE_PS256,
    JOSE_PS384,
    JOSE_PS512,
    JOSE_ES256,
    JOSE_ES384,
    JOSE_ES512,
    JOSE_EDDSA,
    JOSE_HS256,
    JOSE_HS384,
    JOSE_HS512,
};
/* Sets of algorithms. */
#define JOSE_BIT(alg) (1u << (alg))
#define JOSE_ANY_RSA                                                                             \
    (JOSE_BIT(JOSE_RS256) | JOSE_BIT(JOSE_RS384) | JOSE_BIT(JOSE_RS512) | JOSE_BIT(JOSE_PS256) | \
     JOSE_BIT(JOSE_PS384) | JOSE_BIT(JOSE_PS512))
#define JOSE_ANY_EC (JOSE_BIT(JOSE_ES256) | JOSE_BIT(JOSE_ES384) | JOSE_BIT(JOSE_ES512))
#define JOSE_ANY_PUBLIC (JOSE_ANY_RSA | JOSE_ANY_EC | JOSE_BIT(JOSE_EDDSA)) /* signatures that others can verify */
#define JOSE_ANY_HMAC (JOSE_BIT(JOSE_HS256) | JOSE_BIT(JOSE_HS384) | JOSE_BIT(JOSE_HS512))

enum jose_alg jose_alg_from(struct str name); /* JOSE_UNKNOWN for all else, "none" too; case matters */
const char *jose_alg_name(enum jose_alg alg); /* a literal */
/* The digest that goes with the algorithm, of which at_hash and c_hash are the left half (OpenID Connect Core,
 * 3.1.3.6): base64url of it, appended. EdDSA: SHA-512. */
void jose_half_hash(enum jose_alg alg, struct str text, struct buf *to);

/* ---- keys ---- */

struct jose_key; /* immutable, reference-counted */

/* A public or private key of type RSA (2048 to 8192 bits), EC (P-256, P-384, P-521), OKP (Ed25519) or oct (112 bits
 * or more). ERR_UNSUPPORTED names another type or curve, ERR_INVALID says what is wrong. */
MUST_CHECK int jose_key_from_jwk(const json_t *jwk, struct jose_key **ret, struct err *err);
/* A private key (PKCS#8 or the traditional forms), a public key or a certificate. `kid` may be null: then the key has
 * none. `alg` JOSE_UNKNOWN: any that the key can do. */
MUST_CHECK int jose_key_from_pem(struct str pem, struct str kid, enum jose_alg alg, struct jose_key **ret,
                                 struct err *err);
/* A shared secret of 14 bytes (112 bits) or more; copied, and wiped with the key. */
MUST_CHECK int jose_key_from_secret(struct str secret, struct str kid, enum jose_alg alg, struct jose_key **ret,
                                    struct err *err);
/* A new private key for the algorithm; rsa_bits 0: 2048. Its kid is its thumbprint. */
MUST_CHECK int jose_key_generate(enum jose_alg alg, int rsa_bits, struct jose_key **ret, struct err *err);
struct jose_key *jose_key_ref(struct jose_key *k);
void jose_key_free(struct jose_key *k); /* drops the reference; NULL is fine */
static inline void jose_key_release(struct jose_key **k)
{
    jose_key_free(*k);
}
#define JOSE_KEY_SCOPED __attribute__((cleanup(jose_key_release)))

struct str jose_key_kid(const struct jose_key *k); /* null: it has none */
struct str jose_key_use(const struct jose_key *k); /* "sig", "enc" or null */
/* What it can sign or verify, by its type and its own "alg". */
uint32_t jose_key_algs(const struct jose_key *k);
bool jose_key_is_private(const struct jose_key *k); /* can sign; a secret can */
/* RFC 7638 with SHA-256; 43 characters and a NUL. */
void jose_key_thumbprint(const struct jose_key *k, char out[JOSE_THUMBPRINT_SIZE]);
/* The members of the public JWK into an open object: kty and the parameters, in RFC 7638's order, without kid, alg and
 * use. A secret has no public part: ERR_INVALID. */
MUST_CHECK int jose_key_write_public(const struct jose_key *k, struct json_writer *w, struct err *err);
/* PKCS#8, and SubjectPublicKeyInfo as DER. */
MUST_CHECK int jose_key_to_pem(const struct jose_key *k, struct buf *to, struct err *err);
MUST_CHECK int jose_key_public_der(const struct jose_key *k, struct buf *to, struct err *err);

/* A JWK set: keys that aren't for signatures or of a type that we don't have are left out, as RFC 7517 section 5 says. */
struct jose_keys {
    struct jose_key **items;
    size_t n, cap;
};
MUST_CHECK int jose_keys_parse(struct str json, struct jose_keys *ret, struct err *err);
void jose_keys_release(struct jose_keys *s);
/* The key of that id, or, when the token names none, the only one that can do the algorithm; NULL: none. Borrowed. */
struct jose_key *jose_keys_find(const struct jose_keys *s, struct str kid, enum jose_alg alg);

/* ---- signatures ---- */

/* A compact JWS taken apart; nothing of it is verified yet, so look at no more than the header to choose a key. */
struct jws {
    enum jose_alg alg;
    struct str kid, typ; /* null when absent */
    struct str payload;  /* decoded, in the arena */
    struct str signing_input, signature;
};
/* ERR_INVALID: no well-formed JWS; ERR_UNSUPPORTED: an algorithm that we don't have, or `crit`. */
MUST_CHECK int jws_parse(struct arena *a, struct str token, struct jws *ret, struct err *err);
/* ERR_DENIED: the algorithm isn't among `allowed` or not one of the key's, or the signature is wrong. */
MUST_CHECK int jws_verify(const struct jws *s, const struct jose_key *k, uint32_t allowed, struct err *err);
/* Appends the compact form. `typ` NULL: no such member. The header's kid is the key's. */
MUST_CHECK int jws_sign(const struct jose_key *k, enum jose_alg alg, const char *typ, struct str payload,
                        struct buf *to, struct err *err);

/* As jws_sign, with a header of the caller's own: JSON whose "alg" is `alg`. */
MUST_CHECK int jws_sign_with_header(const struct jose_key *k, enum jose_alg alg, struct str header, struct str payload,
                                    struct buf *to, struct err *err);

/* ---- claims ---- */

struct jwt_expect {
    struct str issuer;   /* null: not checked */
    struct str audience; /* null: not checked; else `aud` is it or has it */
    int64_t now;         /* seconds since 1970; 0: the clock's */
    int64_t leeway;      /* seconds, for exp, nbf and iat */
    int64_t max_age;     /* seconds that exp may lie after now, and iat before it; 0: any */
    bool no_exp;         /* exp may be absent */
};
/* The name of the error that says a token has expired. */
#define JWT_EXPIRED "token_expired"
/* The payload as claims (an object), with iss, aud, exp, nbf and iat checked for type and by `e`. ERR_DENIED with a
 * message that names the claim; ERR_INVALID: no JSON object. The caller owns *ret. */
MUST_CHECK int jwt_claims(struct str payload, const struct jwt_expect *e, json_t **ret, struct err *err);
bool jwt_has_audience(const json_t *claims, struct str audience);

/* ---- encryption for ourselves: {"alg":"dir","enc":"A256GCM"} ---- */

/* `key` has 32 bytes. Appends the compact form. */
MUST_CHECK int jwe_seal(const unsigned char key[32], struct str kid, struct str plain, struct buf *to, struct err *err);
/* ERR_DENIED when it isn't ours or was changed; a null kid is not compared. The text lies in the arena. */
MUST_CHECK int jwe_open(struct arena *a, const unsigned char key[32], struct str kid, struct str token, struct str *ret,
                        struct err *err);

#endif
