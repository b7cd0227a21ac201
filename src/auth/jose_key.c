/*
 * Keys: from JWK, PEM and shared secrets into OpenSSL's, and back. All parsing is done once here, so that signing and
 * verifying find a key ready to use.
 */
#include "auth/jose_internal.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/vec.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum {
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 8192,
    SECRET_MIN = 14,
    SECRET_MAX = 4096,
    PARAM_MAX = 1024,
    PEM_MAX = 65536
};

static const struct {
    const char *name;
    enum jose_kind kind;
} algs[] = {
    [JOSE_RS256] = {"RS256", JOSE_KIND_RSA}, [JOSE_RS384] = {"RS384", JOSE_KIND_RSA},
    [JOSE_RS512] = {"RS512", JOSE_KIND_RSA}, [JOSE_PS256] = {"PS256", JOSE_KIND_RSA},
    [JOSE_PS384] = {"PS384", JOSE_KIND_RSA}, [JOSE_PS512] = {"PS512", JOSE_KIND_RSA},
    [JOSE_ES256] = {"ES256", JOSE_KIND_EC},  [JOSE_ES384] = {"ES384", JOSE_KIND_EC},
    [JOSE_ES512] = {"ES512", JOSE_KIND_EC},  [JOSE_EDDSA] = {"EdDSA", JOSE_KIND_OKP},
    [JOSE_HS256] = {"HS256", JOSE_KIND_OCT}, [JOSE_HS384] = {"HS384", JOSE_KIND_OCT},
    [JOSE_HS512] = {"HS512", JOSE_KIND_OCT},
};
enum { ALG_COUNT = sizeof(algs) / sizeof(algs[0]) };

static const struct jose_curve curves[] = {
    {"P-256", "prime256v1", 32, JOSE_ES256},
    {"P-384", "secp384r1", 48, JOSE_ES384},
    {"P-521", "secp521r1", 66, JOSE_ES512},
};
enum { CURVE_COUNT = sizeof(curves) / sizeof(curves[0]), ED25519_SIZE = 32 };

enum jose_alg jose_alg_from(struct str name)
{
    for (int i = 1; i < ALG_COUNT; i++)
        if (str_eq_cstr(name, algs[i].name))
            return (enum jose_alg)i;
    return JOSE_UNKNOWN;
}

const char *jose_alg_name(enum jose_alg alg)
{
    return alg == JOSE_UNKNOWN ? "unknown" : algs[alg].name;
}

const EVP_MD *jose_digest(enum jose_alg alg)
{
    switch (alg) {
    case JOSE_RS256:
    case JOSE_PS256:
    case JOSE_ES256:
    case JOSE_HS256:
        return EVP_sha256();
    case JOSE_RS384:
    case JOSE_PS384:
    case JOSE_ES384:
    case JOSE_HS384:
        return EVP_sha384();
    case JOSE_RS512:
    case JOSE_PS512:
    case JOSE_ES512:
    case JOSE_HS512:
        return EVP_sha512();
    default:
        return NULL;
    }
}

const struct jose_curve *jose_curve_of(enum jose_alg alg)
{
    for (size_t i = 0; i < CURVE_COUNT; i++)
        if (curves[i].alg == alg)
            return &curves[i];
    return NULL;
}

int jose_openssl_error(struct err *err, int code, const char *what)
{
    char reason[256];
    unsigned long e = ERR_peek_last_error();

    ERR_error_string_n(e, reason, sizeof(reason));
    ERR_clear_error();
    return e ? err_set(err, code, "%s: %s", what, reason) : err_set(err, code, "%s", what);
}

void jose_half_hash(enum jose_alg alg, struct str text, struct buf *to)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    const EVP_MD *md = jose_digest(alg);

    if (EVP_Digest(text.p, text.n, digest, &n, md ? md : EVP_sha512(), NULL) == 1)
        enc_base64url(to, digest, n / 2);
}

/* ---- life of a key ---- */

static char *copy_text(struct str s)
{
    return s.p ? strndup(s.p, s.n) : NULL;
}

static uint32_t algs_of_kind(enum jose_kind kind, const struct jose_curve *curve)
{
    switch (kind) {
    case JOSE_KIND_RSA:
        return JOSE_ANY_RSA;
    case JOSE_KIND_EC:
        return JOSE_BIT(curve->alg);
    case JOSE_KIND_OKP:
        return JOSE_BIT(JOSE_EDDSA);
    default:
        return JOSE_ANY_HMAC;
    }
}

static struct jose_key *key_alloc(void)
{
    struct jose_key *k = calloc(1, sizeof(*k));

    if (!k)
        abort();
    atomic_init(&k->refs, 1);
    return k;
}

struct jose_key *jose_key_ref(struct jose_key *k)
{
    atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
    return k;
}

void jose_key_free(struct jose_key *k)
{
    if (!k || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
        return;
    EVP_PKEY_free(k->pkey);
    if (k->secret)
        OPENSSL_cleanse(k->secret, k->secret_size);
    free(k->secret);
    free(k->kid);
    free(k->use);
    free(k);
}

/* Says what the key can do, and takes the result over to *ret when that isn't nothing. */
static int key_finish(struct jose_key *k, enum jose_alg only, struct jose_key **ret, struct err *err)
{
    k->algs = algs_of_kind(k->kind, k->curve);
    if (only != JOSE_UNKNOWN)
        k->algs &= JOSE_BIT(only);
    if (!k->algs)
        return err_set(err, ERR_INVALID, "the key's type can't do the algorithm %s", jose_alg_name(only));
    *ret = jose_key_ref(k);
    return 0;
}

struct str jose_key_kid(const struct jose_key *k)
{
    return str_from_cstr(k->kid);
}

struct str jose_key_use(const struct jose_key *k)
{
    return str_from_cstr(k->use);
}

uint32_t jose_key_algs(const struct jose_key *k)
{
    return k->algs;
}

bool jose_key_is_private(const struct jose_key *k)
{
    return k->is_private;
}

/* Type, size and curve of an OpenSSL key that came from outside. */
static int key_classify(struct jose_key *k, struct err *err)
{
    char group[64] = "";

    if (EVP_PKEY_is_a(k->pkey, "RSA")) {
        int bits = EVP_PKEY_get_bits(k->pkey);
        if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
            return err_set(err, ERR_INVALID, "an RSA key of %d bits; expected %d to %d", bits, RSA_BITS_MIN,
                           RSA_BITS_MAX);
        k->kind = JOSE_KIND_RSA;
        return 0;
    }
    if (EVP_PKEY_is_a(k->pkey, "ED25519")) {
        k->kind = JOSE_KIND_OKP;
        return 0;
    }
    if (EVP_PKEY_is_a(k->pkey, "EC") && EVP_PKEY_get_group_name(k->pkey, group, sizeof(group), NULL) == 1) {
        for (size_t i = 0; i < CURVE_COUNT; i++)
            if (!strcmp(group, curves[i].group)) {
                k->kind = JOSE_KIND_EC;
                k->curve = &curves[i];
                return 0;
            }
        return err_set(err, ERR_UNSUPPORTED, "a key on the curve %s; supported: P-256, P-384, P-521", group);
    }
    return err_set(err, ERR_UNSUPPORTED, "a key of this type; supported: RSA, EC, Ed25519");
}

/* ---- JWK ---- */

struct param {
    unsigned char bytes[PARAM_MAX];
    size_t n; /* 0: absent */
};

static void param_wipe(struct param *p)
{
    OPENSSL_cleanse(p->bytes, sizeof(p->bytes));
}
#define PARAM_SECRET __attribute__((cleanup(param_wipe)))

/* A base64url member of the JWK; `required` ones are an error when absent. */
static int get_param(const json_t *jwk, const char *name, bool required, struct param *ret, struct err *err)
{
    struct str text = json_str(json_object_get(jwk, name));
    BUF_SCOPED struct buf b = {0};
    int rc;

    buf_init(&b, (size_t)2 * PARAM_MAX);
    ret->n = 0;
    if (str_is_null(text))
        return required ? err_set(err, ERR_INVALID, "the JWK has no text \"%s\"", name) : 0;
    rc = enc_unbase64url(&b, text, err);
    if (rc == 0)
        rc = buf_check(&b, "a parameter of the JWK", err);
    if (rc == 0 && (b.n == 0 || b.n > PARAM_MAX))
        rc = err_set(err, ERR_INVALID, "%zu bytes; expected 1 to %d", b.n, PARAM_MAX);
    if (rc < 0)
        return err_prefix(err, "JWK member \"%s\"", name);
    memcpy(ret->bytes, b.p, b.n);
    ret->n = b.n;
    OPENSSL_cleanse(b.p, b.n);
    return 0;
}

static int from_params(const char *type, OSSL_PARAM_BLD *bld, bool is_private, EVP_PKEY **ret, struct err *err)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *k = NULL;
    int rc = 0;

    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &k, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
        rc = jose_openssl_error(err, ERR_INVALID, "the JWK's parameters make no key");
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    if (rc == 0)
        *ret = k;
    return rc;
}

static int jwk_rsa(const json_t *jwk, struct jose_key *k, struct err *err)
{
    static const struct {
        const char *member, *name;
    } parts[] = {{"n", OSSL_PKEY_PARAM_RSA_N},          {"e", OSSL_PKEY_PARAM_RSA_E},
                 {"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                 {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                 {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
    enum { PARTS = sizeof(parts) / sizeof(parts[0]) };
    PARAM_SECRET struct param value;
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    BIGNUM *bn[PARTS] = {NULL};
    bool is_private = json_object_get(jwk, "d") != NULL;
    size_t n = is_private ? PARTS : 2;
    int rc = bld ? 0 : err_set(err, ERR_INTERNAL, "no memory");

    if (json_object_get(jwk, "oth"))
        rc = err_set(err, ERR_UNSUPPORTED, "an RSA key of more than two primes");
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = get_param(jwk, parts[i].member, true, &value, err);
        if (rc < 0)
            break;
        bn[i] = BN_bin2bn(value.bytes, (int)value.n, NULL);
        if (!bn[i] || OSSL_PARAM_BLD_push_BN(bld, parts[i].name, bn[i]) != 1)
            rc = jose_openssl_error(err, ERR_INVALID, "the JWK's RSA parameters");
    }
    /* Verifying costs what the modulus and the exponent cost: bounded before OpenSSL computes with them. */
    if (rc == 0 && (BN_num_bits(bn[0]) < RSA_BITS_MIN || BN_num_bits(bn[0]) > RSA_BITS_MAX))
        rc = err_set(err, ERR_INVALID, "an RSA key of %d bits; expected %d to %d", BN_num_bits(bn[0]), RSA_BITS_MIN,
                     RSA_BITS_MAX);
    if (rc == 0 && (!BN_is_odd(bn[0]) || !BN_is_odd(bn[1]) || BN_is_one(bn[1]) || BN_num_bits(bn[1]) > 64))
        rc = err_set(err, ERR_INVALID, "the RSA key's modulus or exponent isn't usable");
    if (rc == 0)
        rc = from_params("RSA", bld, is_private, &k->pkey, err);
    OSSL_PARAM_BLD_free(bld);
    for (size_t i = 0; i < PARTS; i++)
        BN_clear_free(bn[i]);
    k->kind = JOSE_KIND_RSA;
    k->is_private = is_private;
    return rc;
}

static int jwk_ec(const json_t *jwk, struct jose_key *k, struct err *err)
{
    struct str crv = json_str(json_object_get(jwk, "crv"));
    struct param x, y;
    PARAM_SECRET struct param d;
    unsigned char point[1 + 2 * 66];
    OSSL_PARAM_BLD *bld;
    BIGNUM *secret = NULL;
    int rc;

    for (size_t i = 0; i < CURVE_COUNT; i++)
        if (str_eq_cstr(crv, curves[i].crv))
            k->curve = &curves[i];
    if (!k->curve)
        return err_set(err, ERR_UNSUPPORTED, "the curve \"%.*s\"; supported: P-256, P-384, P-521", STR_ARG(crv));
    if ((rc = get_param(jwk, "x", true, &x, err)) < 0 || (rc = get_param(jwk, "y", true, &y, err)) < 0 ||
        (rc = get_param(jwk, "d", false, &d, err)) < 0)
        return rc;
    /* RFC 7518, 6.2.1.2: as many bytes as the curve's size, leading zeros included. */
    if (x.n != k->curve->size || y.n != k->curve->size || (d.n && d.n != k->curve->size))
        return err_set(err, ERR_INVALID, "the coordinates of a key on %s have %zu bytes each", k->curve->crv,
                       k->curve->size);
    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    memcpy(point + 1, x.bytes, x.n);
    memcpy(point + 1 + x.n, y.bytes, y.n);
    bld = OSSL_PARAM_BLD_new();
    if (!bld || OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, k->curve->group, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * x.n) != 1)
        rc = jose_openssl_error(err, ERR_INTERNAL, "building a key");
    if (rc == 0 && d.n) {
        secret = BN_secure_new();
        if (!secret || !BN_bin2bn(d.bytes, (int)d.n, secret) ||
            OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, secret) != 1)
            rc = jose_openssl_error(err, ERR_INTERNAL, "building a key");
    }
    /* OpenSSL checks that the point lies on the curve. */
    if (rc == 0)
        rc = from_params("EC", bld, d.n > 0, &k->pkey, err);
    OSSL_PARAM_BLD_free(bld);
    BN_clear_free(secret);
    k->kind = JOSE_KIND_EC;
    k->is_private = d.n > 0;
    return rc;
}

static int jwk_okp(const json_t *jwk, struct jose_key *k, struct err *err)
{
    struct str crv = json_str(json_object_get(jwk, "crv"));
    struct param x;
    PARAM_SECRET struct param d;
    int rc;

    if (!str_eq(crv, STR("Ed25519")))
        return err_set(err, ERR_UNSUPPORTED, "the curve \"%.*s\" of an OKP key; supported: Ed25519", STR_ARG(crv));
    if ((rc = get_param(jwk, "x", true, &x, err)) < 0 || (rc = get_param(jwk, "d", false, &d, err)) < 0)
        return rc;
    if (x.n != ED25519_SIZE || (d.n && d.n != ED25519_SIZE))
        return err_set(err, ERR_INVALID, "an Ed25519 key has %d bytes", ED25519_SIZE);
    k->kind = JOSE_KIND_OKP;
    k->is_private = d.n > 0;
    k->pkey = d.n ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, d.bytes, d.n)
                  : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.bytes, x.n);
    if (!k->pkey)
        return jose_openssl_error(err, ERR_INVALID, "the Ed25519 key");
    return 0;
}

static int set_secret(struct jose_key *k, struct str secret, struct err *err)
{
    if (secret.n < SECRET_MIN || secret.n > SECRET_MAX)
        return err_set(err, ERR_INVALID, "a shared key of %zu bytes; expected %d to %d", secret.n, SECRET_MIN,
                       SECRET_MAX);
    k->secret = malloc(secret.n);
    if (!k->secret)
        abort();
    memcpy(k->secret, secret.p, secret.n);
    k->secret_size = secret.n;
    k->kind = JOSE_KIND_OCT;
    k->is_private = true;
    return 0;
}

static int jwk_oct(const json_t *jwk, struct jose_key *k, struct err *err)
{
    PARAM_SECRET struct param value;
    int rc = get_param(jwk, "k", true, &value, err);

    return rc < 0 ? rc : set_secret(k, str_from((const char *)value.bytes, value.n), err);
}

/* A text member that may be absent; of another type it is an error. */
static int opt_text(const json_t *jwk, const char *name, struct str *ret, struct err *err)
{
    const json_t *v = json_object_get(jwk, name);

    *ret = json_str(v);
    if (v && (!ret->p || ret->n == 0 || ret->n > 512))
        return err_set(err, ERR_INVALID, "the JWK's \"%s\" isn't a text of 1 to 512 bytes", name);
    return 0;
}

int jose_key_from_jwk(const json_t *jwk, struct jose_key **ret, struct err *err)
{
    struct str kty = json_str(json_object_get(jwk, "kty")), kid, use, alg;
    JOSE_KEY_SCOPED struct jose_key *k = NULL;
    enum jose_alg only = JOSE_UNKNOWN;
    int rc;

    if (!json_is_object(jwk))
        return err_set(err, ERR_INVALID, "a JWK is a JSON object");
    if ((rc = opt_text(jwk, "kid", &kid, err)) < 0 || (rc = opt_text(jwk, "use", &use, err)) < 0 ||
        (rc = opt_text(jwk, "alg", &alg, err)) < 0)
        return rc;
    if (alg.p && (only = jose_alg_from(alg)) == JOSE_UNKNOWN)
        return err_set(err, ERR_UNSUPPORTED, "a key for the algorithm \"%.*s\"", STR_ARG(alg));
    k = key_alloc();
    if (str_eq(kty, STR("RSA")))
        rc = jwk_rsa(jwk, k, err);
    else if (str_eq(kty, STR("EC")))
        rc = jwk_ec(jwk, k, err);
    else if (str_eq(kty, STR("OKP")))
        rc = jwk_okp(jwk, k, err);
    else if (str_eq(kty, STR("oct")))
        rc = jwk_oct(jwk, k, err);
    else
        rc = err_set(err, ERR_UNSUPPORTED, "a JWK of type \"%.*s\"; supported: RSA, EC, OKP, oct", STR_ARG(kty));
    if (rc < 0)
        return rc;
    k->kid = copy_text(kid);
    k->use = copy_text(use);
    return key_finish(k, only, ret, err);
}

/* ---- PEM, secrets, new keys ---- */

static int no_passphrase(char *to, int size, int rwflag, void *ctx)
{
    (void)to;
    (void)size;
    (void)rwflag;
    (void)ctx;
    return -1; /* an encrypted key is refused, not asked for at a terminal */
}

int jose_key_from_pem(struct str pem, struct str kid, enum jose_alg alg, struct jose_key **ret, struct err *err)
{
    JOSE_KEY_SCOPED struct jose_key *k = NULL;
    BIO *bio;
    int rc;

    if (pem.n == 0 || pem.n > PEM_MAX)
        return err_set(err, ERR_INVALID, "a PEM text of %zu bytes; expected 1 to %d", pem.n, PEM_MAX);
    k = key_alloc();
    bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    if (!bio)
        abort();
    if (str_find(pem, STR("PRIVATE KEY-----"), 0) != SIZE_MAX) {
        k->pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
        k->is_private = true;
    } else if (str_find(pem, STR("BEGIN CERTIFICATE"), 0) != SIZE_MAX) {
        X509 *cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
        if (cert)
            k->pkey = X509_get_pubkey(cert);
        X509_free(cert);
    } else {
        k->pkey = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
    }
    BIO_free(bio);
    if (!k->pkey)
        return jose_openssl_error(err, ERR_INVALID, "the PEM text holds no key");
    rc = key_classify(k, err);
    if (rc < 0)
        return rc;
    k->kid = copy_text(kid);
    return key_finish(k, alg, ret, err);
}

int jose_key_from_secret(struct str secret, struct str kid, enum jose_alg alg, struct jose_key **ret, struct err *err)
{
    JOSE_KEY_SCOPED struct jose_key *k = key_alloc();
    int rc = set_secret(k, secret, err);

    if (rc < 0)
        return rc;
    k->kid = copy_text(kid);
    return key_finish(k, alg, ret, err);
}

int jose_key_generate(enum jose_alg alg, int rsa_bits, struct jose_key **ret, struct err *err)
{
    JOSE_KEY_SCOPED struct jose_key *k = key_alloc();
    const struct jose_curve *curve = jose_curve_of(alg);
    char kid[JOSE_THUMBPRINT_SIZE];
    int rc;

    if (JOSE_BIT(alg) & JOSE_ANY_RSA) {
        size_t bits = rsa_bits ? (size_t)rsa_bits : RSA_BITS_MIN;
        if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
            return err_set(err, ERR_INVALID, "an RSA key of %zu bits; expected %d to %d", bits, RSA_BITS_MIN,
                           RSA_BITS_MAX);
        k->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
    } else if (curve) {
        k->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve->group);
    } else if (alg == JOSE_EDDSA) {
        k->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    } else {
        return err_set(err, ERR_INVALID, "keys are generated for signatures, not for %s", jose_alg_name(alg));
    }
    if (!k->pkey)
        return jose_openssl_error(err, ERR_INTERNAL, "generating a key");
    k->is_private = true;
    rc = key_classify(k, err);
    if (rc < 0)
        return rc;
    jose_key_thumbprint(k, kid);
    k->kid = copy_text(str_from_cstr(kid));
    return key_finish(k, alg, ret, err);
}

/* ---- writing ---- */

static void add_bytes(struct json_writer *w, const char *name, const unsigned char *p, size_t n)
{
    BUF_SCOPED struct buf b = {0};

    buf_init(&b, (size_t)2 * PARAM_MAX);
    enc_base64url(&b, p, n);
    json_key(w, name);
    json_add_str(w, buf_str(&b));
}

static void add_bn(struct json_writer *w, const struct jose_key *k, const char *name, const char *param, size_t size)
{
    unsigned char bytes[PARAM_MAX];
    BIGNUM *bn = NULL;

    if (EVP_PKEY_get_bn_param(k->pkey, param, &bn) != 1)
        abort(); /* a public parameter of a whole key */
    if (size == 0)
        size = (size_t)BN_num_bytes(bn);
    if (size > sizeof(bytes) || BN_bn2binpad(bn, bytes, (int)size) < 0)
        abort();
    BN_free(bn);
    add_bytes(w, name, bytes, size);
}

static void add_text(struct json_writer *w, const char *name, const char *text)
{
    json_key(w, name);
    json_add_cstr(w, text);
}

int jose_key_write_public(const struct jose_key *k, struct json_writer *w, struct err *err)
{
    unsigned char raw[ED25519_SIZE];
    size_t n = sizeof(raw);

    switch (k->kind) {
    case JOSE_KIND_RSA:
        add_bn(w, k, "e", OSSL_PKEY_PARAM_RSA_E, 0);
        add_text(w, "kty", "RSA");
        add_bn(w, k, "n", OSSL_PKEY_PARAM_RSA_N, 0);
        return 0;
    case JOSE_KIND_EC:
        add_text(w, "crv", k->curve->crv);
        add_text(w, "kty", "EC");
        add_bn(w, k, "x", OSSL_PKEY_PARAM_EC_PUB_X, k->curve->size);
        add_bn(w, k, "y", OSSL_PKEY_PARAM_EC_PUB_Y, k->curve->size);
        return 0;
    case JOSE_KIND_OKP:
        if (EVP_PKEY_get_raw_public_key(k->pkey, raw, &n) != 1)
            return jose_openssl_error(err, ERR_INTERNAL, "the public part of a key");
        add_text(w, "crv", "Ed25519");
        add_text(w, "kty", "OKP");
        add_bytes(w, "x", raw, n);
        return 0;
    default:
        return err_set(err, ERR_INVALID, "a shared secret has no public part");
    }
}

void jose_key_thumbprint(const struct jose_key *k, char out[JOSE_THUMBPRINT_SIZE])
{
    unsigned char digest[32];
    BUF_SCOPED struct buf b = {0};
    struct json_writer w;

    buf_init(&b, (size_t)8 * PARAM_MAX);
    json_writer_init(&w, &b);
    json_open_object(&w);
    if (k->kind == JOSE_KIND_OCT) {
        add_bytes(&w, "k", k->secret, k->secret_size > PARAM_MAX ? PARAM_MAX : k->secret_size);
        add_text(&w, "kty", "oct");
    } else if (jose_key_write_public(k, &w, NULL) < 0) {
        abort();
    }
    json_close_object(&w);
    hash_bytes(HASH_SHA256, buf_str(&b), digest);
    if (b.p)
        OPENSSL_cleanse(b.p, b.n);
    buf_reset(&b);
    enc_base64url(&b, digest, sizeof(digest));
    memcpy(out, buf_cstr(&b), JOSE_THUMBPRINT_SIZE);
}

int jose_key_to_pem(const struct jose_key *k, struct buf *to, struct err *err)
{
    BIO *bio;
    char *p = NULL;
    long n;
    int rc = 0;

    if (!k->pkey)
        return err_set(err, ERR_INVALID, "a shared secret isn't written as PEM");
    bio = BIO_new(BIO_s_secmem());
    if (!bio)
        abort();
    if ((k->is_private ? PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL)
                       : PEM_write_bio_PUBKEY(bio, k->pkey)) != 1)
        rc = jose_openssl_error(err, ERR_INTERNAL, "writing a key as PEM");
    n = rc == 0 ? BIO_get_mem_data(bio, &p) : 0;
    buf_append(to, p, n > 0 ? (size_t)n : 0);
    BIO_free(bio);
    return rc < 0 ? rc : buf_check(to, "the PEM text", err);
}

int jose_key_public_der(const struct jose_key *k, struct buf *to, struct err *err)
{
    unsigned char *der = NULL;
    int n;

    if (!k->pkey)
        return err_set(err, ERR_INVALID, "a shared secret has no public part");
    n = i2d_PUBKEY(k->pkey, &der);
    if (n <= 0)
        return jose_openssl_error(err, ERR_INTERNAL, "writing a public key");
    buf_append(to, der, (size_t)n);
    OPENSSL_free(der);
    return buf_check(to, "the public key", err);
}

/* ---- sets ---- */

int jose_keys_parse(struct str json, struct jose_keys *ret, struct err *err)
{
    JSON_SCOPED json_t *doc = NULL;
    json_t *list, *jwk;
    struct jose_keys set = {NULL, 0, 0};
    size_t i;
    int rc = json_parse(json, &doc, err);

    if (rc < 0)
        return rc;
    rc = json_get_array(doc, "keys", &list, err);
    if (rc < 0)
        return err_prefix(err, "the JWK set");
    if (json_array_size(list) > JOSE_KEYS_MAX)
        return err_set(err, ERR_LIMIT, "a JWK set of %zu keys; at most %d", json_array_size(list), JOSE_KEYS_MAX);
    json_array_foreach(list, i, jwk)
    {
        struct jose_key *k = NULL;
        struct str use = json_str(json_object_get(jwk, "use"));
        if ((use.p && !str_eq(use, STR("sig"))) || jose_key_from_jwk(jwk, &k, NULL) < 0)
            continue;
        vec_push(&set, k);
    }
    *ret = set;
    return 0;
}

void jose_keys_release(struct jose_keys *s)
{
    for (size_t i = 0; i < s->n; i++)
        jose_key_free(s->items[i]);
    free(s->items);
    *s = (struct jose_keys){NULL, 0, 0};
}

struct jose_key *jose_keys_find(const struct jose_keys *s, struct str kid, enum jose_alg alg)
{
    struct jose_key *found = NULL;

    for (size_t i = 0; i < s->n; i++) {
        struct jose_key *k = s->items[i];
        if (!(k->algs & JOSE_BIT(alg)))
            continue;
        if (kid.p) {
            if (k->kid && str_eq_cstr(kid, k->kid))
                return k;
        } else if (found) {
            return NULL; /* more than one: the token has to say which */
        } else {
            found = k;
        }
    }
    return found;
}
