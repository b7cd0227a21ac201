#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "auth/jose.h"
#include "base/enc.h"
#include "base/vec.h"

static struct arena arena;

static struct jose_key *key_of(const char *jwk)
{
    JSON_SCOPED json_t *j = NULL;
    struct jose_key *k = NULL;
    struct err err = {0};

    assert_int_equal(json_parse(str_from_cstr(jwk), &j, &err), 0);
    if (jose_key_from_jwk(j, &k, &err) < 0)
        fail_msg("%s", err.message);
    return k;
}

static int key_error(const char *jwk, struct err *err)
{
    JSON_SCOPED json_t *j = NULL;
    struct jose_key *k = NULL;
    int rc;

    assert_int_equal(json_parse(str_from_cstr(jwk), &j, err), 0);
    rc = jose_key_from_jwk(j, &k, err);
    jose_key_free(k);
    return rc;
}

static int verify(const char *token, const struct jose_key *k, uint32_t allowed, struct err *err)
{
    struct jws s;
    int rc = jws_parse(&arena, str_from_cstr(token), &s, err);

    return rc < 0 ? rc : jws_verify(&s, k, allowed, err);
}

static const char *sign(const struct jose_key *k, enum jose_alg alg, const char *payload)
{
    BUF_SCOPED struct buf b;
    struct err err = {0};

    buf_init(&b, JOSE_TOKEN_MAX);
    if (jws_sign(k, alg, "JWT", str_from_cstr(payload), &b, &err) < 0)
        fail_msg("%s", err.message);
    return arena_str(&arena, buf_str(&b)).p;
}

/* A token with any header, signed as HMAC says or with the signature given. */
static const char *forge(const char *header, const char *payload, const char *signature)
{
    BUF_SCOPED struct buf b;

    buf_init(&b, JOSE_TOKEN_MAX);
    enc_base64url(&b, header, strlen(header));
    buf_add_char(&b, '.');
    enc_base64url(&b, payload, strlen(payload));
    buf_add_char(&b, '.');
    buf_add_cstr(&b, signature);
    return arena_str(&arena, buf_str(&b)).p;
}

/* RFC 7515, A.1 to A.3: keys and signatures made by others. */
#define HMAC_JWK                                                                                                 \
    "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z" \
    "9CAow\"}"
#define RFC_PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RSA_N                                                                                              \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR" \
    "T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB" \
    "dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia" \
    "GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RSA_JWK "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}"
#define RSA_TOKEN                                                                                           \
    "eyJhbGciOiJSUzI1NiJ9." RFC_PAYLOAD                                                                     \
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds"  \
    "9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB" \
    "_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqV" \
    "t5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define EC_JWK                                                                                                 \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9" \
    "m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"

static void signatures_of_the_specification_verify(void **state)
{
    JOSE_KEY_SCOPED struct jose_key *hmac = key_of(HMAC_JWK), *rsa = key_of(RSA_JWK), *ec = key_of(EC_JWK);
    struct err err = {0};

    (void)state;
    assert_int_equal(verify("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_PAYLOAD
                            ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                            hmac, JOSE_ANY_HMAC, &err),
                     0);
    assert_int_equal(verify(RSA_TOKEN, rsa, JOSE_BIT(JOSE_RS256), &err), 0);
    assert_int_equal(verify("eyJhbGciOiJFUzI1NiJ9." RFC_PAYLOAD ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDx"
                            "w5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
                            ec, JOSE_BIT(JOSE_ES256), &err),
                     0);
}

static void edwards_signatures_of_rfc_8037_are_made_and_verified(void **state)
{
    JOSE_KEY_SCOPED struct jose_key *k = key_of(
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
    const char *token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
                        "09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    char thumbprint[JOSE_THUMBPRINT_SIZE];
    struct err err = {0};
    BUF_SCOPED struct buf b;

    (void)state;
    assert_int_equal(verify(token, k, JOSE_BIT(JOSE_EDDSA), &err), 0);
    buf_init(&b, JOSE_TOKEN_MAX);
    assert_int_equal(jws_sign(k, JOSE_EDDSA, NULL, STR("Example of Ed25519 signing"), &b, &err), 0);
    assert_string_equal(buf_cstr(&b), token);
    jose_key_thumbprint(k, thumbprint);
    assert_string_equal(thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

static void the_thumbprint_is_rfc_7638s(void **state)
{
    JOSE_KEY_SCOPED struct jose_key *k = key_of(
        "{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSo"
        "c_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
        "FDW2QvzqY368QQMicAtaSqz"
        "s8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
        "xBniIqbw0L"
        "s1jF44-csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}");
    char thumbprint[JOSE_THUMBPRINT_SIZE];

    (void)state;
    jose_key_thumbprint(k, thumbprint);
    assert_string_equal(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_int_equal(jose_key_algs(k), JOSE_BIT(JOSE_RS256));
    assert_true(str_eq(jose_key_kid(k), STR("2011-04-29")));
    assert_false(jose_key_is_private(k));
}

static const enum jose_alg public_algs[] = {JOSE_RS256, JOSE_RS384, JOSE_RS512, JOSE_PS256, JOSE_PS384,
                                            JOSE_PS512, JOSE_ES256, JOSE_ES384, JOSE_ES512, JOSE_EDDSA};

static void each_algorithm_signs_what_its_public_jwk_and_pem_verify(void **state)
{
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(public_algs); i++) {
        JOSE_KEY_SCOPED struct jose_key *k = NULL, *public_key = NULL, *from_pem = NULL;
        JSON_SCOPED json_t *jwk = NULL;
        BUF_SCOPED struct buf json, pem;
        struct json_writer w;
        const char *token, *other;
        char a[JOSE_THUMBPRINT_SIZE], b[JOSE_THUMBPRINT_SIZE];

        assert_int_equal(jose_key_generate(public_algs[i], 0, &k, &err), 0);
        assert_true(jose_key_is_private(k));
        token = sign(k, public_algs[i], "{\"sub\":\"x\"}");
        other = sign(k, public_algs[i], "{\"sub\":\"y\"}");

        buf_init(&json, 65536);
        json_writer_init(&w, &json);
        json_open_object(&w);
        assert_int_equal(jose_key_write_public(k, &w, &err), 0);
        json_close_object(&w);
        assert_int_equal(json_parse(buf_str(&json), &jwk, &err), 0);
        assert_null(json_object_get(jwk, "d"));
        assert_int_equal(jose_key_from_jwk(jwk, &public_key, &err), 0);
        assert_false(jose_key_is_private(public_key));
        assert_int_equal(verify(token, public_key, JOSE_ANY_PUBLIC, &err), 0);
        jose_key_thumbprint(k, a);
        jose_key_thumbprint(public_key, b);
        assert_string_equal(a, b);

        buf_init(&pem, 65536);
        assert_int_equal(jose_key_to_pem(k, &pem, &err), 0);
        assert_int_equal(jose_key_from_pem(buf_str(&pem), STR("k1"), public_algs[i], &from_pem, &err), 0);
        assert_int_equal(verify(sign(from_pem, public_algs[i], "{}"), public_key, JOSE_ANY_PUBLIC, &err), 0);

        /* The signature of one is none of the other. */
        {
            struct str t = str_from_cstr(token), o = str_from_cstr(other);
            size_t dot = str_rfind_char(t, '.'), other_dot = str_rfind_char(o, '.');
            struct str mixed = arena_printf(&arena, "%.*s%.*s", (int)dot, t.p, STR_ARG(str_skip(o, other_dot)));
            assert_int_equal(verify(mixed.p, public_key, JOSE_ANY_PUBLIC, &err), ERR_DENIED);
        }
        /* An algorithm that the caller didn't name isn't taken, however good the signature. */
        assert_int_equal(verify(token, public_key, JOSE_ANY_PUBLIC & ~JOSE_BIT(public_algs[i]), &err), ERR_DENIED);
        assert_int_equal(verify(token, public_key, 0, &err), ERR_DENIED);
    }
}

static void a_token_without_signature_is_never_accepted(void **state)
{
    static const char *const headers[] = {"{\"alg\":\"none\"}", "{\"alg\":\"None\"}",   "{\"alg\":\"NONE\"}",
                                          "{\"alg\":\"nOnE\"}", "{\"alg\":\"\"}",       "{\"typ\":\"JWT\"}",
                                          "{\"alg\":null}",     "{\"alg\":[\"RS256\"]}"};
    struct err err = {0};
    struct jws s;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        assert_true(jws_parse(&arena, str_from_cstr(forge(headers[i], "{}", "")), &s, &err) < 0);
        assert_true(jws_parse(&arena, str_from_cstr(forge(headers[i], "{}", "AAAA")), &s, &err) < 0);
    }
    assert_int_equal(jws_parse(&arena, str_from_cstr(forge("{\"alg\":\"RS256\"}", "{}", "")), &s, &err), ERR_INVALID);
}

/* The public key as HMAC secret: what makes naive verifiers accept anybody's token. */
static void a_public_key_is_no_hmac_secret(void **state)
{
    JOSE_KEY_SCOPED struct jose_key *rsa = NULL, *as_secret = NULL;
    BUF_SCOPED struct buf der;
    struct err err = {0};
    const char *token;

    (void)state;
    assert_int_equal(jose_key_generate(JOSE_RS256, 0, &rsa, &err), 0);
    buf_init(&der, 65536);
    assert_int_equal(jose_key_public_der(rsa, &der, &err), 0);
    assert_int_equal(jose_key_from_secret(buf_str(&der), STR_NULL, JOSE_UNKNOWN, &as_secret, &err), 0);
    token = sign(as_secret, JOSE_HS256, "{\"sub\":\"admin\"}");
    assert_int_equal(verify(token, rsa, JOSE_ANY_PUBLIC | JOSE_ANY_HMAC, &err), ERR_DENIED);
    assert_int_equal(verify(token, rsa, JOSE_ANY_HMAC, &err), ERR_DENIED);
}

static void a_key_for_one_algorithm_verifies_no_other_of_its_family(void **state)
{
    JOSE_KEY_SCOPED struct jose_key *rs256 = NULL, *any = NULL;
    BUF_SCOPED struct buf pem;
    struct err err = {0};

    (void)state;
    assert_int_equal(jose_key_generate(JOSE_RS256, 0, &rs256, &err), 0);
    buf_init(&pem, 65536);
    assert_int_equal(jose_key_to_pem(rs256, &pem, &err), 0);
    assert_int_equal(jose_key_from_pem(buf_str(&pem), STR_NULL, JOSE_UNKNOWN, &any, &err), 0);
    assert_int_equal(verify(sign(any, JOSE_PS256, "{}"), rs256, JOSE_ANY_PUBLIC, &err), ERR_DENIED);
    assert_int_equal(verify(sign(any, JOSE_PS256, "{}"), any, JOSE_ANY_PUBLIC, &err), 0);
}

static void keys_and_urls_in_the_header_are_not_looked_at(void **state)
{
    JOSE_KEY_SCOPED struct jose_key *ours = NULL, *attackers = NULL;
    BUF_SCOPED struct buf header, token;
    struct json_writer w;
    struct err err = {0};
    struct jws s;

    (void)state;
    assert_int_equal(jose_key_generate(JOSE_ES256, 0, &ours, &err), 0);
    assert_int_equal(jose_key_generate(JOSE_ES256, 0, &attackers, &err), 0);
    buf_init(&header, 4096);
    json_writer_init(&w, &header);
    json_open_object(&w);
    json_key(&w, "alg");
    json_add_cstr(&w, "ES256");
    json_key(&w, "jku");
    json_add_cstr(&w, "https://attacker.example/keys");
    json_key(&w, "x5u");
    json_add_cstr(&w, "https://attacker.example/cert");
    json_key(&w, "jwk");
    json_open_object(&w);
    assert_int_equal(jose_key_write_public(attackers, &w, &err), 0);
    json_close_object(&w);
    json_close_object(&w);
    buf_init(&token, 65536);
    buf_add_cstr(&token, forge(buf_cstr(&header), "{}", ""));
    {
        /* Signed well by the attacker's own key, over this very header. */
        const char *made = sign(attackers, JOSE_ES256, "{}");
        struct str m = str_from_cstr(made);
        buf_add_str(&token, str_skip(m, str_rfind_char(m, '.') + 1));
    }
    assert_int_equal(jws_parse(&arena, buf_str(&token), &s, &err), 0);
    assert_true(str_is_null(s.kid));
    assert_int_equal(jws_verify(&s, ours, JOSE_ANY_PUBLIC, &err), ERR_DENIED);
}

static void headers_that_could_mean_two_things_are_refused(void **state)
{
    static const char *const headers[] = {"{\"alg\":\"HS256\",\"alg\":\"RS256\"}",
                                          "{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}",
                                          "{\"alg\":\"HS256\",\"crit\":[]}",
                                          "{\"alg\":\"HS256\",\"b64\":false}",
                                          "{\"alg\":\"HS256\",\"kid\":7}",
                                          "[\"HS256\"]",
                                          "{\"alg\":\"HS256\"",
                                          ""};
    static const char *const shapes[] = {"",
                                         ".",
                                         "..",
                                         "...",
                                         "a",
                                         "a.b",
                                         "a.b.c.d",
                                         "e30.e30.AAAA",
                                         "!!.e30.AAAA",
                                         "eyJhbGciOiJIUzI1NiJ9.e30=.AAAA",
                                         "eyJhbGciOiJIUzI1NiJ9.e30.AAAA\n",
                                         "eyJhbGciOiJIUzI1NiJ9.e30.AAB"};
    struct err err = {0};
    struct jws s;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        assert_true(jws_parse(&arena, str_from_cstr(forge(headers[i], "{}", "AAAA")), &s, &err) < 0);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        assert_true(jws_parse(&arena, str_from_cstr(shapes[i]), &s, &err) < 0);
}

static void an_oversized_token_is_refused_unread(void **state)
{
    char *big = calloc(1, JOSE_TOKEN_MAX + 2);
    struct err err = {0};
    struct jws s;

    (void)state;
    memset(big, 'A', JOSE_TOKEN_MAX + 1);
    assert_int_equal(jws_parse(&arena, str_from_cstr(big), &s, &err), ERR_INVALID);
    free(big);
}

static void weak_and_broken_keys_are_refused(void **state)
{
    struct jose_key *k = NULL;
    struct err err = {0};

    (void)state;
    /* 1024 bits */
    assert_int_equal(
        key_error("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"wAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAH"
                  "DbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHD"
                  "bwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDbwAHDQ\"}",
                  &err),
        ERR_INVALID);
    assert_int_equal(key_error("{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQ\"}", &err), ERR_INVALID);
    assert_int_equal(key_error("{\"kty\":\"RSA\",\"n\":\"" RSA_N "\"}", &err), ERR_INVALID);
    /* a point that isn't on the curve */
    assert_int_equal(
        key_error("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                  "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}",
                  &err),
        ERR_INVALID);
    assert_int_equal(key_error("{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}", &err),
                     ERR_UNSUPPORTED);
    assert_int_equal(key_error("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}", &err), ERR_INVALID);
    assert_int_equal(key_error("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"}", &err), ERR_UNSUPPORTED);
    assert_int_equal(key_error("{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}", &err), ERR_INVALID);
    assert_int_equal(key_error("{\"kty\":\"XYZ\"}", &err), ERR_UNSUPPORTED);
    assert_int_equal(key_error("{\"kty\":\"RSA\",\"alg\":\"ES256\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}", &err),
                     ERR_INVALID);
    assert_int_equal(jose_key_from_secret(STR("too short"), STR_NULL, JOSE_UNKNOWN, &k, &err), ERR_INVALID);
    assert_int_equal(jose_key_from_pem(STR("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), STR_NULL,
                                       JOSE_UNKNOWN, &k, &err),
                     ERR_INVALID);
    assert_null(k);
}

static void a_set_leaves_out_what_it_cannot_use_and_finds_by_kid(void **state)
{
    struct jose_keys set;
    struct err err = {0};

    (void)state;
    assert_int_equal(
        jose_keys_parse(STR("{\"keys\":[{\"kty\":\"new\"},"
                            "{\"kid\":\"enc\",\"use\":\"enc\",\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"},"
                            "{\"kid\":\"a\",\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"},"
                            "{\"kid\":\"b\",\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}]}"),
                        &set, &err),
        0);
    assert_int_equal(set.n, 2);
    assert_ptr_equal(jose_keys_find(&set, STR("b"), JOSE_RS256), set.items[1]);
    assert_null(jose_keys_find(&set, STR("enc"), JOSE_RS256));
    assert_null(jose_keys_find(&set, STR("b"), JOSE_ES256));
    assert_null(jose_keys_find(&set, STR("a/../b"), JOSE_RS256));
    assert_null(jose_keys_find(&set, STR_NULL, JOSE_RS256)); /* which of the two? */
    jose_keys_release(&set);
    assert_int_equal(jose_keys_parse(STR("{}"), &set, &err), ERR_INVALID);
}

static int claims(const char *text, const struct jwt_expect *e)
{
    json_t *j = NULL;
    struct err err = {0};
    int rc = jwt_claims(str_from_cstr(text), e, &j, &err);

    json_decref(j);
    return rc;
}

static void claims_are_checked_for_time_issuer_and_audience(void **state)
{
    const struct jwt_expect e = {STR("https://i"), STR("trino"), 1000, 10, 0, false};
    const struct jwt_expect loose = {STR_NULL, STR_NULL, 1000, 0, 60, true};

    (void)state;
#define WITH(more) "{\"iss\":\"https://i\",\"aud\":\"trino\"," more "}"
    assert_int_equal(claims(WITH("\"exp\":1001"), &e), 0);
    assert_int_equal(claims(WITH("\"exp\":991"), &e), 0); /* within the leeway */
    assert_int_equal(claims(WITH("\"exp\":990"), &e), ERR_DENIED);
    assert_int_equal(claims(WITH("\"exp\":\"2000\""), &e), ERR_DENIED);
    assert_int_equal(claims(WITH("\"exp\":-1"), &e), ERR_DENIED);
    assert_int_equal(claims(WITH("\"exp\":1e300"), &e), ERR_DENIED);
    assert_int_equal(claims(WITH("\"exp\":2000.5"), &e), 0);
    assert_int_equal(claims(WITH("\"x\":1"), &e), ERR_DENIED); /* no exp */
    assert_int_equal(claims(WITH("\"exp\":2000,\"nbf\":1011"), &e), ERR_DENIED);
    assert_int_equal(claims(WITH("\"exp\":2000,\"nbf\":1010,\"iat\":1010"), &e), 0);
    assert_int_equal(claims(WITH("\"exp\":2000,\"iat\":1011"), &e), ERR_DENIED);
    assert_int_equal(claims("{\"iss\":\"https://i/\",\"aud\":\"trino\",\"exp\":2000}", &e), ERR_DENIED);
    assert_int_equal(claims("{\"aud\":\"trino\",\"exp\":2000}", &e), ERR_DENIED);
    assert_int_equal(claims("{\"iss\":\"https://i\",\"aud\":[\"x\",\"trino\"],\"exp\":2000}", &e), 0);
    assert_int_equal(claims("{\"iss\":\"https://i\",\"aud\":[\"x\",[\"trino\"]],\"exp\":2000}", &e), ERR_DENIED);
    assert_int_equal(claims("{\"iss\":\"https://i\",\"aud\":\"trinox\",\"exp\":2000}", &e), ERR_DENIED);
    assert_int_equal(claims("{\"iss\":\"https://i\",\"aud\":{\"trino\":1},\"exp\":2000}", &e), ERR_DENIED);
    assert_int_equal(claims("{\"iss\":\"https://i\",\"exp\":2000}", &e), ERR_DENIED);
    assert_int_equal(claims("[]", &e), ERR_INVALID);
    assert_int_equal(claims("{\"exp\":2000,\"exp\":3000}", &e), ERR_INVALID);
    assert_int_equal(claims("{}", &loose), 0);
    assert_int_equal(claims("{\"exp\":1060}", &loose), 0);
    assert_int_equal(claims("{\"exp\":1061}", &loose), ERR_DENIED);
    assert_int_equal(claims("{\"iat\":939}", &loose), ERR_DENIED);
}

static void what_we_encrypt_only_our_key_opens_unchanged(void **state)
{
    unsigned char key[32] = {1}, other[32] = {2};
    BUF_SCOPED struct buf token;
    struct str plain;
    struct err err = {0};

    (void)state;
    buf_init(&token, JOSE_TOKEN_MAX);
    assert_int_equal(jwe_seal(key, STR("k1"), STR("{\"a\":1}"), &token, &err), 0);
    assert_int_equal(jwe_open(&arena, key, STR("k1"), buf_str(&token), &plain, &err), 0);
    assert_true(str_eq(plain, STR("{\"a\":1}")));
    assert_int_equal(jwe_open(&arena, other, STR("k1"), buf_str(&token), &plain, &err), ERR_DENIED);
    assert_int_equal(jwe_open(&arena, key, STR("k2"), buf_str(&token), &plain, &err), ERR_DENIED);
    for (size_t i = 0; i < token.n; i += 7) {
        char was = token.p[i];
        token.p[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(jwe_open(&arena, key, STR("k1"), buf_str(&token), &plain, &err), ERR_DENIED);
        token.p[i] = was;
    }
    assert_int_equal(jwe_open(&arena, key, STR_NULL, STR("a..b.c.d"), &plain, &err), ERR_DENIED);
    assert_int_equal(jwe_open(&arena, key, STR_NULL, STR(""), &plain, &err), ERR_DENIED);
}

static void half_hashes_are_what_openid_connect_says(void **state)
{
    BUF_SCOPED struct buf b;

    (void)state;
    buf_init(&b, 256);
    /* OpenID Connect Core, A.3 */
    jose_half_hash(JOSE_RS256, STR("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), &b);
    assert_string_equal(buf_cstr(&b), "77QmUPtjPfzWtF2AnpK9RQ");
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_of_the_specification_verify),
        cmocka_unit_test(edwards_signatures_of_rfc_8037_are_made_and_verified),
        cmocka_unit_test(the_thumbprint_is_rfc_7638s),
        cmocka_unit_test(each_algorithm_signs_what_its_public_jwk_and_pem_verify),
        cmocka_unit_test(a_token_without_signature_is_never_accepted),
        cmocka_unit_test(a_public_key_is_no_hmac_secret),
        cmocka_unit_test(a_key_for_one_algorithm_verifies_no_other_of_its_family),
        cmocka_unit_test(keys_and_urls_in_the_header_are_not_looked_at),
        cmocka_unit_test(headers_that_could_mean_two_things_are_refused),
        cmocka_unit_test(an_oversized_token_is_refused_unread),
        cmocka_unit_test(weak_and_broken_keys_are_refused),
        cmocka_unit_test(a_set_leaves_out_what_it_cannot_use_and_finds_by_kid),
        cmocka_unit_test(claims_are_checked_for_time_issuer_and_audience),
        cmocka_unit_test(what_we_encrypt_only_our_key_opens_unchanged),
        cmocka_unit_test(half_hashes_are_what_openid_connect_says),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
