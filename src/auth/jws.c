/* Compact signatures (RFC 7515). The header is strict: what could turn a verification into another one is refused. */
#include "auth/jose_internal.h"
#include "base/enc.h"
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

enum { SIGNATURE_MAX = 1024, HEADER_MAX = 4096 };

static int decode(struct arena *a, struct str part, size_t max, const char *what, struct str *ret, struct err *err)
{
    BUF_SCOPED struct buf b = {0};
    int rc;

    buf_init(&b, max);
    rc = enc_unbase64url(&b, part, err);
    if (rc == 0)
        rc = buf_check(&b, what, err);
    if (rc < 0)
        return err_prefix(err, "the token's %s", what);
    *ret = arena_str(a, buf_str(&b));
    return 0;
}

static int parse_header(struct arena *a, struct str part, struct jws *ret, struct err *err)
{
    JSON_SCOPED json_t *h = NULL;
    struct str text, alg;
    const json_t *kid, *typ;
    int rc = decode(a, part, HEADER_MAX, "header", &text, err);

    if (rc < 0)
        return rc;
    rc = json_parse(text, &h, err);
    if (rc < 0)
        return err_prefix(err, "the token's header");
    if (!json_is_object(h))
        return err_set(err, ERR_INVALID, "the token's header isn't a JSON object");
    rc = json_get_str(h, "alg", &alg, err);
    if (rc < 0)
        return err_prefix(err, "the token's header");
    if (json_object_get(h, "crit"))
        return err_set(err, ERR_UNSUPPORTED, "the token's header has \"crit\": extensions aren't supported");
    if (json_object_get(h, "b64"))
        return err_set(err, ERR_UNSUPPORTED, "the token's header has \"b64\": unencoded payloads aren't supported");
    ret->alg = jose_alg_from(alg);
    if (ret->alg == JOSE_UNKNOWN)
        return err_set(err, ERR_UNSUPPORTED, "the token is signed by the algorithm \"%.*s\"", STR_ARG(alg));
    kid = json_object_get(h, "kid");
    typ = json_object_get(h, "typ");
    if ((kid && !json_is_string(kid)) || (typ && !json_is_string(typ)))
        return err_set(err, ERR_INVALID, "the token's kid or typ isn't a text");
    ret->kid = kid ? arena_str(a, json_str(kid)) : STR_NULL;
    ret->typ = typ ? arena_str(a, json_str(typ)) : STR_NULL;
    return 0;
}

int jws_parse(struct arena *a, struct str token, struct jws *ret, struct err *err)
{
    struct jws s = {JOSE_UNKNOWN, STR_NULL, STR_NULL, STR_NULL, STR_NULL, STR_NULL};
    size_t first, second;
    int rc;

    if (token.n == 0 || token.n > JOSE_TOKEN_MAX)
        return err_set(err, ERR_INVALID, "a token of %zu bytes; expected 1 to %d", token.n, JOSE_TOKEN_MAX);
    first = str_find_char(token, '.', 0);
    second = first == SIZE_MAX ? SIZE_MAX : str_find_char(token, '.', first + 1);
    if (second == SIZE_MAX || str_find_char(token, '.', second + 1) != SIZE_MAX)
        return err_set(err, ERR_INVALID, "the token isn't three parts with dots between");
    rc = parse_header(a, str_slice(token, 0, first), &s, err);
    if (rc < 0)
        return rc;
    rc = decode(a, str_slice(token, first + 1, second - first - 1), JOSE_TOKEN_MAX, "payload", &s.payload, err);
    if (rc < 0)
        return rc;
    rc = decode(a, str_skip(token, second + 1), SIGNATURE_MAX, "signature", &s.signature, err);
    if (rc < 0)
        return rc;
    if (s.signature.n == 0)
        return err_set(err, ERR_INVALID, "the token has no signature");
    s.signing_input = str_slice(token, 0, second);
    *ret = s;
    return 0;
}

/* ---- the two ways between JWS's r‖s and the DER that OpenSSL has (RFC 7518, 3.4) ---- */

static int raw_to_der(const struct jose_curve *c, struct str raw, unsigned char *der, size_t *n)
{
    ECDSA_SIG *sig;
    BIGNUM *r, *s;
    unsigned char *at = der;
    int len;

    if (raw.n != 2 * c->size)
        return -1;
    r = BN_bin2bn((const unsigned char *)raw.p, (int)c->size, NULL);
    s = BN_bin2bn((const unsigned char *)raw.p + c->size, (int)c->size, NULL);
    sig = ECDSA_SIG_new();
    if (!r || !s || !sig)
        abort();
    ECDSA_SIG_set0(sig, r, s);
    len = i2d_ECDSA_SIG(sig, &at); /* at most 2 * 66 bytes and 9 around them */
    ECDSA_SIG_free(sig);
    *n = len > 0 ? (size_t)len : 0;
    return len > 0 ? 0 : -1;
}

static int der_to_raw(const struct jose_curve *c, const unsigned char *der, size_t n, unsigned char *raw)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
    int ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int)c->size) > 0 &&
             BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + c->size, (int)c->size) > 0;

    ECDSA_SIG_free(sig);
    return ok ? 0 : -1;
}

static bool is_pss(enum jose_alg alg)
{
    return alg == JOSE_PS256 || alg == JOSE_PS384 || alg == JOSE_PS512;
}

/* RFC 7518, 3.5: the salt is as long as the digest, MGF1 has the same digest. */
static bool set_padding(EVP_PKEY_CTX *ctx, enum jose_alg alg)
{
    return !is_pss(alg) || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                            EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static bool hmac(const struct jose_key *k, enum jose_alg alg, struct str input, unsigned char *mac, size_t *n)
{
    unsigned int size = 0;
    bool ok = HMAC(jose_digest(alg), k->secret, (int)k->secret_size, (const unsigned char *)input.p, input.n, mac,
                   &size) != NULL;

    *n = size;
    return ok;
}

int jws_verify(const struct jws *s, const struct jose_key *k, uint32_t allowed, struct err *err)
{
    unsigned char mac[EVP_MAX_MD_SIZE], der[2 * 66 + 16];
    struct str sig = s->signature;
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *ctx;
    bool ok;
    size_t n;

    if (!(JOSE_BIT(s->alg) & allowed))
        return err_set(err, ERR_DENIED, "tokens signed by %s aren't accepted here", jose_alg_name(s->alg));
    if (!(JOSE_BIT(s->alg) & k->algs))
        return err_set(err, ERR_DENIED, "the key isn't for %s", jose_alg_name(s->alg));
    if (k->kind == JOSE_KIND_OCT) {
        ok = hmac(k, s->alg, s->signing_input, mac, &n) && str_eq_secret(sig, str_from((const char *)mac, n));
        return ok ? 0 : err_set(err, ERR_DENIED, "the token's signature is wrong");
    }
    if (k->kind == JOSE_KIND_EC) {
        if (raw_to_der(k->curve, sig, der, &n) < 0)
            return err_set(err, ERR_DENIED, "the token's signature is wrong");
        sig = str_from((const char *)der, n);
    }
    ctx = EVP_MD_CTX_new();
    if (!ctx)
        abort();
    ok = EVP_DigestVerifyInit(ctx, &pctx, jose_digest(s->alg), NULL, k->pkey) == 1 && set_padding(pctx, s->alg) &&
         EVP_DigestVerify(ctx, (const unsigned char *)sig.p, sig.n, (const unsigned char *)s->signing_input.p,
                          s->signing_input.n) == 1;
    EVP_MD_CTX_free(ctx);
    return ok ? 0 : jose_openssl_error(err, ERR_DENIED, "the token's signature is wrong");
}

static int sign_bytes(const struct jose_key *k, enum jose_alg alg, struct str input, unsigned char *sig, size_t *n,
                      struct err *err)
{
    unsigned char raw[2 * 66];
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *ctx;
    bool ok;

    if (k->kind == JOSE_KIND_OCT)
        return hmac(k, alg, input, sig, n) ? 0 : jose_openssl_error(err, ERR_INTERNAL, "signing a token");
    ctx = EVP_MD_CTX_new();
    if (!ctx)
        abort();
    *n = SIGNATURE_MAX;
    ok = EVP_DigestSignInit(ctx, &pctx, jose_digest(alg), NULL, k->pkey) == 1 && set_padding(pctx, alg) &&
         EVP_DigestSign(ctx, sig, n, (const unsigned char *)input.p, input.n) == 1;
    EVP_MD_CTX_free(ctx);
    if (ok && k->kind == JOSE_KIND_EC) {
        ok = der_to_raw(k->curve, sig, *n, raw) == 0;
        *n = 2 * k->curve->size;
        memcpy(sig, raw, ok ? *n : 0);
    }
    return ok ? 0 : jose_openssl_error(err, ERR_INTERNAL, "signing a token");
}

int jws_sign_with_header(const struct jose_key *k, enum jose_alg alg, struct str header, struct str payload,
                         struct buf *to, struct err *err)
{
    unsigned char sig[SIGNATURE_MAX];
    size_t start = to->n, n = 0;
    int rc;

    if (!k->is_private || !(k->algs & JOSE_BIT(alg)))
        return err_set(err, ERR_INVALID, "the key can't sign by %s", jose_alg_name(alg));
    enc_base64url(to, header.p, header.n);
    buf_add_char(to, '.');
    enc_base64url(to, payload.p, payload.n);
    rc = buf_check(to, "the token", err);
    if (rc == 0)
        rc = sign_bytes(k, alg, str_from(to->p + start, to->n - start), sig, &n, err);
    if (rc < 0)
        return rc;
    buf_add_char(to, '.');
    enc_base64url(to, sig, n);
    return buf_check(to, "the token", err);
}

int jws_sign(const struct jose_key *k, enum jose_alg alg, const char *typ, struct str payload, struct buf *to,
             struct err *err)
{
    BUF_SCOPED struct buf header = {0};
    struct json_writer w;
    int rc;

    buf_init(&header, HEADER_MAX);
    json_writer_init(&w, &header);
    json_open_object(&w);
    json_key(&w, "alg");
    json_add_cstr(&w, jose_alg_name(alg));
    if (typ) {
        json_key(&w, "typ");
        json_add_cstr(&w, typ);
    }
    if (k->kid) {
        json_key(&w, "kid");
        json_add_cstr(&w, k->kid);
    }
    json_close_object(&w);
    rc = buf_check(&header, "the token's header", err);
    return rc < 0 ? rc : jws_sign_with_header(k, alg, buf_str(&header), payload, to, err);
}
