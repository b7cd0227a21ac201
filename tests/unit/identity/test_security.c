/*
 * Attacks, one a test: those of RFC 9700 (OAuth 2.0 security), RFC 8725 (JWT), and what this service's own parts invite.
 * Each plays the attacker against the endpoints and expects to get nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/vec.h"
#include "endpoint.h"
#include "identity/session/internal.h"

#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define CALLBACK "https%%3A%%2F%%2Ftrino.example%%3A8443%%2Foauth2%%2Fcallback"

static const struct auth_code normal = {.redirect_uri = STR("https://trino.example:8443/oauth2/callback"),
                                        .code_challenge = STR(CHALLENGE),
                                        .code_challenge_method = STR("S256")};

static struct reply exchange(struct endpoint *e, const char *client, const char *code, const char *rest)
{
    return post(e, "token",
                FORM(e, "grant_type=authorization_code&%s&code=%s&redirect_uri=" CALLBACK "%s", client, code, rest));
}

static int userinfo_status(struct endpoint *e, struct str token)
{
    return ask(e, "GET", "userinfo", NULL, FORM(e, "Authorization: Bearer %.*s", STR_ARG(token))).status;
}

static bool introspects(struct endpoint *e, struct str token)
{
    struct reply r = post(e, "token/introspect", FORM(e, TRINO "&token=%.*s", STR_ARG(token)));

    expect_ok(&r);
    return json_is_true(json_object_get(r.json, "active"));
}

/* No endpoint takes the text for a token of any kind. */
static void expect_worthless(struct endpoint *e, struct str token)
{
    struct reply r;

    assert_int_equal(userinfo_status(e, token), 401);
    assert_false(introspects(e, token));
    r = post(e, "token", FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(token)));
    expect_error(&r, 400, "invalid_grant", NULL);
    r = post(e, "token",
             FORM(e,
                  "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&" TRINO "&subject_token=%.*s"
                  "&subject_token_type=urn:ietf:params:oauth:token-type:access_token",
                  STR_ARG(token)));
    expect_error(&r, 400, "invalid_request", NULL);
}

static struct str forged(struct endpoint *e, const char *header, struct str payload, struct str signature)
{
    BUF_SCOPED struct buf b = {0};

    buf_init(&b, JOSE_TOKEN_MAX);
    enc_base64url(&b, header, strlen(header));
    buf_add_char(&b, '.');
    enc_base64url(&b, payload.p, payload.n);
    buf_add_char(&b, '.');
    enc_base64url(&b, signature.p, signature.n);
    return arena_str(&e->f->arena, buf_str(&b));
}

static struct str payload_of(struct endpoint *e, struct str token)
{
    struct jws jws;

    must(e->f, jws_parse(&e->f->arena, token, &jws, &e->f->err));
    return jws.payload;
}

static struct str kid_of(struct endpoint *e, struct str token)
{
    struct jws jws;

    must(e->f, jws_parse(&e->f->arena, token, &jws, &e->f->err));
    return jws.kid;
}

/* ---- authorization codes ---- */

static void a_code_used_twice_takes_back_the_tokens_of_the_first_use(void **state)
{
    struct endpoint *e = *state;
    const char *code = code_for(e, e->f->trino, &normal);
    struct reply first = exchange(e, TRINO, code, "&code_verifier=" VERIFIER), r;

    expect_ok(&first);
    assert_int_equal(userinfo_status(e, member(&first, "access_token")), 200);
    r = exchange(e, TRINO, code, "&code_verifier=" VERIFIER);
    expect_error(&r, 400, "invalid_grant", "Code not valid");
    expect_worthless(e, member(&first, "access_token"));
    r = post(
        e, "token",
        FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&first, "refresh_token"))));
    expect_error(&r, 400, "invalid_grant", "Session not active");
}

static void a_stolen_code_is_worth_nothing_without_the_verifier(void **state)
{
    struct endpoint *e = *state;
    struct reply r = exchange(e, TRINO, code_for(e, e->f->trino, &normal), "");

    expect_error(&r, 400, "invalid_grant", "PKCE code verifier not specified");
    r = exchange(e, TRINO, code_for(e, e->f->trino, &normal), "&code_verifier=" CHALLENGE);
    expect_error(&r, 400, "invalid_grant", "PKCE verification failed: Code mismatch");
    r = exchange(e, TRINO, code_for(e, e->f->trino, &normal), "&code_verifier=short");
    expect_error(&r, 400, "invalid_grant", "PKCE verification failed: Invalid code verifier");
}

/* The attacker strips code_challenge from the victim's authorization request: the victim's verifier gives it away. */
static void pkce_downgraded_on_the_way_is_noticed(void **state)
{
    struct endpoint *e = *state;
    struct auth_code stripped = {.redirect_uri = normal.redirect_uri};
    struct reply r = exchange(e, TRINO, code_for(e, e->f->trino, &stripped), "&code_verifier=" VERIFIER);

    expect_error(&r, 400, "invalid_grant", "PKCE code verifier specified but challenge not present in authorization");
}

static void a_client_that_must_use_s256_cannot_use_less(void **state)
{
    struct endpoint *e = *state;
    struct err *err = &e->f->err;

    assert_int_equal(oidc_check_pkce_request(e->f->spa, STR_NULL, STR_NULL, err), ERR_INVALID);
    assert_string_equal(err->message, "Missing parameter: code_challenge_method");
    assert_int_equal(oidc_check_pkce_request(e->f->spa, STR(VERIFIER), STR("plain"), err), ERR_INVALID);
    assert_string_equal(err->message, "Invalid parameter: code challenge method is not matching the configured one");
    assert_int_equal(oidc_check_pkce_request(e->f->spa, STR_NULL, STR("S256"), err), ERR_INVALID);
    assert_int_equal(oidc_check_pkce_request(e->f->spa, STR("tooshort"), STR("S256"), err), ERR_INVALID);
    assert_int_equal(oidc_check_pkce_request(e->f->spa, STR(CHALLENGE), STR("s256"), err), ERR_INVALID);
    must(e->f, oidc_check_pkce_request(e->f->spa, STR(CHALLENGE), STR("S256"), err));
    assert_int_equal(oidc_check_pkce_request(e->f->trino, STR(CHALLENGE), STR("md5"), err), ERR_INVALID);
    must(e->f, oidc_check_pkce_request(e->f->trino, STR_NULL, STR_NULL, err));
}

static void a_code_of_one_client_is_no_code_of_another(void **state)
{
    struct endpoint *e = *state;
    const char *code = code_for(e, e->f->trino, &normal);
    struct reply r = exchange(e, AIRFLOW, code, "&code_verifier=" VERIFIER);

    expect_error(&r, 400, "invalid_grant", "Auth error");
    r = exchange(e, TRINO, code, "&code_verifier=" VERIFIER); /* nor anybody's after that */
    expect_error(&r, 400, "invalid_grant", "Code not valid");
}

static void a_code_redirected_elsewhere_is_refused(void **state)
{
    struct endpoint *e = *state;
    struct auth_code what = normal;
    struct reply r;

    what.redirect_uri = STR("https://trino.example:8443/oauth2/callback/../evil");
    r = exchange(e, TRINO, code_for(e, e->f->trino, &what), "&code_verifier=" VERIFIER);
    expect_error(&r, 400, "invalid_grant", "Incorrect redirect_uri");
    r = post(e, "token",
             FORM(e, "grant_type=authorization_code&" TRINO "&code=%s&code_verifier=" VERIFIER,
                  code_for(e, e->f->trino, &normal)));
    expect_error(&r, 400, "invalid_grant", "Incorrect redirect_uri");
}

/* Parts of a code exchanged for those of another session or client. */
static void a_code_pieced_together_is_refused(void **state)
{
    struct endpoint *e = *state;
    struct str a = str_from_cstr(code_for(e, e->f->trino, &normal)),
               b = str_from_cstr(code_for(e, e->f->trino, &normal));
    struct reply r = exchange(e, TRINO, FORM(e, "%.*s%.*s", 36, a.p, STR_ARG(str_skip(b, 36))),
                              "&code_verifier=" VERIFIER);

    expect_error(&r, 400, "invalid_grant", "Code not valid");
    r = exchange(e, TRINO, FORM(e, "%.*s", 36, a.p), "&code_verifier=" VERIFIER);
    expect_error(&r, 400, "invalid_grant", "Code not valid");
}

/* ---- forged tokens ---- */

static void a_token_without_signature_is_worth_nothing(void **state)
{
    static const char *const headers[] = {"{\"alg\":\"none\"}", "{\"alg\":\"NONE\",\"typ\":\"JWT\"}",
                                          "{\"typ\":\"JWT\"}"};
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid");

    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        expect_worthless(e, forged(e, headers[i], payload_of(e, member(&t, "access_token")), STR("")));
}

/* HMAC with the public key, which everybody has, as its secret. */
static void the_public_key_signs_nothing(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid");
    struct str payload = payload_of(e, member(&t, "access_token")), kid = kid_of(e, member(&t, "access_token"));
    JOSE_KEY_SCOPED struct jose_key *secret = NULL;
    BUF_SCOPED struct buf der = {0}, token = {0};
    struct jose_key *key;

    must(e->f, tokens_signing_key(e->f->tokens, e->f->realm, STR("RS256"), &key, &e->f->err));
    buf_init(&der, 8192);
    buf_init(&token, JOSE_TOKEN_MAX);
    must(e->f, jose_key_public_der(key, &der, &e->f->err));
    must(e->f, jose_key_from_secret(buf_str(&der), kid, JOSE_UNKNOWN, &secret, &e->f->err));
    must(e->f, jws_sign(secret, JOSE_HS256, "JWT", payload, &token, &e->f->err));
    expect_worthless(e, buf_str(&token));
}

static void a_key_that_the_token_brings_along_is_not_used(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid");
    JOSE_KEY_SCOPED struct jose_key *mine = NULL;
    struct str payload = payload_of(e, member(&t, "access_token")), kid = kid_of(e, member(&t, "access_token")), made;
    BUF_SCOPED struct buf jwk = {0}, token = {0}, input = {0};
    struct json_writer w;

    must(e->f, jose_key_generate(JOSE_RS256, 0, &mine, &e->f->err));
    buf_init(&jwk, 8192);
    json_writer_init(&w, &jwk);
    json_open_object(&w);
    must(e->f, jose_key_write_public(mine, &w, &e->f->err));
    json_close_object(&w);
    buf_init(&token, JOSE_TOKEN_MAX);
    must(e->f, jws_sign(mine, JOSE_RS256, "JWT", payload, &token, &e->f->err));
    made = buf_str(&token);
    expect_worthless(e, made); /* with the attacker's kid */
    {
        const char *const headers[] = {
            FORM(e, "{\"alg\":\"RS256\",\"kid\":\"%.*s\",\"jwk\":%s}", STR_ARG(kid), buf_cstr(&jwk)),
            FORM(e, "{\"alg\":\"RS256\",\"jwk\":%s}", buf_cstr(&jwk)),
            FORM(e, "{\"alg\":\"RS256\",\"kid\":\"%.*s\",\"jku\":\"https://evil.example/jwks\"}", STR_ARG(kid)),
            FORM(e, "{\"alg\":\"RS256\",\"kid\":\"%.*s\",\"x5u\":\"https://evil.example/cert\"}", STR_ARG(kid)),
            FORM(e, "{\"alg\":\"RS256\",\"kid\":\"%.*s\",\"crit\":[\"exp\"]}", STR_ARG(kid)),
        };
        struct str signature = str_skip(made, str_rfind_char(made, '.') + 1);
        buf_init(&input, 8192);
        must(e->f, enc_unbase64url(&input, signature, &e->f->err));
        for (size_t i = 0; i < ARRAY_LEN(headers); i++)
            expect_worthless(e, forged(e, headers[i], payload, buf_str(&input)));
    }
}

static void tricks_with_the_key_id_find_no_key(void **state)
{
    static const char *const kids[] = {"",
                                       "../../../../dev/null",
                                       "' OR '1'='1",
                                       "\\u0000",
                                       "x'; DROP TABLE identity_realm; --",
                                       "http://evil.example/key"};
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid");
    struct str payload = payload_of(e, member(&t, "access_token")),
               refresh_kid = kid_of(e, member(&t, "refresh_token"));

    for (size_t i = 0; i < ARRAY_LEN(kids); i++)
        expect_worthless(e,
                         forged(e, FORM(e, "{\"alg\":\"HS256\",\"kid\":\"%s\"}", kids[i]), payload, STR("signature")));
    /* The kid of another kind of key. */
    expect_worthless(
        e, forged(e, FORM(e, "{\"alg\":\"RS256\",\"kid\":\"%.*s\"}", STR_ARG(refresh_kid)), payload, STR("signature")));
    for (size_t i = 0; i < e->f->realm->key_count; i++)
        if (!str_eq_nocase(e->f->realm->keys[i].use, STR("SIG")))
            expect_worthless(
                e, forged(e, FORM(e, "{\"alg\":\"RS256\",\"kid\":\"%.*s\"}", STR_ARG(e->f->realm->keys[i].kid)),
                          payload, STR("signature")));
}

static void a_changed_claim_breaks_the_signature(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid");
    struct str token = member(&t, "access_token"), payload = payload_of(e, token);
    size_t at = str_find(payload, STR("\"alice\""), 0);
    char *changed = arena_cstr(&e->f->arena, payload);
    BUF_SCOPED struct buf b = {0};

    assert_true(at != SIZE_MAX);
    memcpy(changed + at, "\"admin\"", 7);
    buf_init(&b, JOSE_TOKEN_MAX);
    buf_add_str(&b, str_slice(token, 0, str_find_char(token, '.', 0) + 1));
    enc_base64url(&b, changed, payload.n);
    buf_add_str(&b, str_skip(token, str_rfind_char(token, '.')));
    expect_worthless(e, buf_str(&b));
}

/* ---- tokens in the wrong place ---- */

static void a_token_of_one_kind_is_not_one_of_another(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid"), r;

    expect_worthless(e, member(&t, "id_token"));
    assert_int_equal(userinfo_status(e, member(&t, "refresh_token")), 401);
    r = post(e, "token",
             FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "access_token"))));
    expect_error(&r, 400, "invalid_grant", "Invalid refresh token");
    r = post(e, "logout", FORM(e, TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "id_token"))));
    expect_error(&r, 400, "invalid_grant", "Invalid refresh token");
    assert_int_equal(userinfo_status(e, member(&t, "access_token")), 200);
}

static void a_token_of_another_realm_is_worth_nothing_here(void **state)
{
    struct endpoint *e = *state;
    struct reply t = ask(e, "POST", "/realms/master/protocol/openid-connect/token",
                         "grant_type=password&client_id=admin-cli&username=admin&password=s3cret-of-admin&scope=openid",
                         NULL),
                 r;

    expect_ok(&t);
    expect_worthless(e, member(&t, "access_token"));
    r = post(e, "token",
             FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    expect_error(&r, 400, "invalid_grant", "Invalid refresh token");
    t = login(e, TRINO, "openid");
    r = ask(e, "GET", "/realms/master/protocol/openid-connect/userinfo", NULL,
            FORM(e, "Authorization: Bearer %.*s", STR_ARG(member(&t, "access_token"))));
    assert_int_equal(r.status, 401);
}

/* The same realm reached under another name makes tokens of another issuer: none is taken for the other's. */
static void a_token_made_for_another_host_is_refused(void **state)
{
    struct endpoint *e = *state;
    struct reply t = ask(e, "POST", "token", "grant_type=client_credentials&" TRINO "&scope=openid",
                         "Host: evil.example");

    expect_ok(&t);
    assert_true(str_starts_with(json_opt_str(claims_of(e, member(&t, "access_token")), "iss", STR_NULL),
                                STR("http://evil.example/")));
    expect_worthless(e, member(&t, "access_token"));
    /* With an address of its own the service listens to no Host header. */
    e->f->context.public_url = STR("https://id.example");
    t = ask(e, "POST", "token", "grant_type=client_credentials&" TRINO "&scope=openid", "Host: evil.example");
    assert_true(str_eq(json_opt_str(claims_of(e, member(&t, "access_token")), "iss", STR_NULL),
                       STR("https://id.example/realms/dataplatform")));
}

static void a_client_cannot_exchange_a_token_that_is_not_for_it(void **state)
{
    struct endpoint *e = *state;
    struct reply t = post(e, "token", "grant_type=password&client_id=spa&username=bob&password=pw3&scope=openid"), r;

    expect_ok(&t);
    r = post(e, "token",
             FORM(e,
                  "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&" TRINO "&subject_token=%.*s"
                  "&subject_token_type=urn:ietf:params:oauth:token-type:access_token",
                  STR_ARG(member(&t, "access_token"))));
    expect_error(&r, 403, "access_denied", "Client is not within the token audience");
}

/* ---- refresh tokens ---- */

static void a_stolen_refresh_token_ends_the_session_of_both(void **state)
{
    struct endpoint *e = *state;
    struct reply t, next, r;

    fixture_settings(e->f, "{\"revokeRefreshToken\":true,\"refreshTokenMaxReuse\":0}");
    t = login(e, TRINO, "openid");
    next = post(e, "token",
                FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    expect_ok(&next);
    r = post(e, "token",
             FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    expect_error(&r, 400, "invalid_grant", "Maximum allowed refresh token reuse exceeded");
    r = post(e, "token",
             FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&next, "refresh_token"))));
    expect_error(&r, 400, "invalid_grant", "Session not active");
    expect_worthless(e, member(&next, "access_token"));
}

static void rotation_follows_one_chain_after_another(void **state)
{
    struct endpoint *e = *state;
    struct reply t, old;

    fixture_settings(e->f, "{\"revokeRefreshToken\":true,\"refreshTokenMaxReuse\":0}");
    t = login(e, TRINO, "openid");
    for (int i = 0; i < 4; i++) {
        old = t;
        t = post(
            e, "token",
            FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "refresh_token"))));
        expect_ok(&t);
    }
    old = post(
        e, "token",
        FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&old, "refresh_token"))));
    expect_error(&old, 400, "invalid_grant", NULL);
}

static void a_disabled_user_is_out_at_once(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid"), r;
    CHANGE_SCOPED struct identity_change *c = NULL;
    JSON_SCOPED json_t *rep = json_pack("{s:b}", "enabled", 0);

    must(e->f, identity_change_begin(e->f->context.model, &c, &e->f->err));
    must(e->f, user_update(c, e->f->realm, e->f->alice.id, rep, &e->f->err));
    must(e->f, identity_change_commit(c, &e->f->err));
    assert_int_equal(userinfo_status(e, member(&t, "access_token")), 401);
    assert_false(introspects(e, member(&t, "access_token")));
    r = post(e, "token",
             FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    expect_error(&r, 400, "invalid_grant", "User disabled");
    r = post(e, "token", "grant_type=password&" TRINO "&username=alice&password=pw2");
    expect_error(&r, 400, "invalid_grant", "Account disabled");
}

static void tokens_from_before_the_realms_not_before_are_stale(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid"), r;
    int64_t next = sessions_clock(e->f->context.sessions) + 1;

    fixture_settings(e->f, FORM(e, "{\"notBefore\":%lld}", (long long)next));
    expect_worthless(e, member(&t, "access_token"));
    r = post(e, "token",
             FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    expect_error(&r, 400, "invalid_grant", "Stale token");
}

static void an_expired_token_is_expired_to_the_second(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid"), r;

    e->f->context.sessions->skew += 302;
    expect_worthless(e, member(&t, "access_token"));
    e->f->context.sessions->skew += 1500;
    r = post(e, "token",
             FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    expect_error(&r, 400, "invalid_grant", "Token is not active");
}

/* ---- guessing ---- */

static int64_t quickest(struct endpoint *e, const char *form)
{
    int64_t best = INT64_MAX;

    for (int i = 0; i < 4; i++) {
        int64_t start = clock_mono_us(), took;
        (void)post(e, "token", form);
        took = clock_mono_us() - start;
        best = took < best ? took : best;
    }
    return best;
}

static void time_does_not_tell_whether_a_user_exists(void **state)
{
    struct endpoint *e = *state;
    int64_t known = quickest(e, "grant_type=password&" TRINO "&username=alice&password=wrong");
    int64_t unknown = quickest(e, "grant_type=password&" TRINO "&username=nobody&password=wrong");

    assert_true(known < 2 * unknown && unknown < 2 * known);
}

static void time_does_not_tell_whether_a_client_exists(void **state)
{
    struct endpoint *e = *state;
    int64_t known = quickest(e, "grant_type=client_credentials&client_id=trino&client_secret=wrong");
    int64_t unknown = quickest(e, "grant_type=client_credentials&client_id=nobody&client_secret=wrong");

    /* Both are far below a millisecond; a look-up in the database or a hash would show. */
    assert_true(known < unknown + 5000 && unknown < known + 5000);
}

static void guessing_passwords_locks_the_user(void **state)
{
    struct endpoint *e = *state;
    struct reply r;

    fixture_settings(e->f, "{\"bruteForceProtected\":true,\"failureFactor\":3,\"waitIncrementSeconds\":60}");
    for (int i = 0; i < 3; i++) {
        r = post(e, "token", "grant_type=password&" TRINO "&username=alice&password=guess");
        expect_error(&r, 400, "invalid_grant", "Invalid user credentials");
    }
    r = post(e, "token", "grant_type=password&" TRINO "&username=alice&password=pw2"); /* the right one, too late */
    assert_int_not_equal(r.status, 200);
}

/* ---- clients that sign ---- */

static struct jose_key *client_key;

static void give_trino(struct endpoint *e, const char *authenticator, const char *attributes)
{
    CHANGE_SCOPED struct identity_change *c = NULL;
    JSON_SCOPED json_t *rep = json_deep_copy(e->f->trino->rep), *more = NULL;
    struct realm_draft *d;

    must(e->f, json_parse(str_from_cstr(attributes), &more, &e->f->err));
    json_object_set_new(rep, "clientAuthenticatorType", json_string(authenticator));
    json_object_set_new(rep, "secret", json_string("trino-secret-trino-secret"));
    if (!json_object_get(rep, "attributes"))
        json_object_set_new(rep, "attributes", json_object());
    json_object_update(json_object_get(rep, "attributes"), more);
    must(e->f, identity_change_begin(e->f->context.model, &c, &e->f->err));
    must(e->f, identity_change_realm(c, STR("dataplatform"), &d, &e->f->err));
    must(e->f, client_update(c, d, e->f->trino->id, rep, &e->f->err));
    must(e->f, identity_change_commit(c, &e->f->err));
    fixture_realm(e->f);
}

static void give_trino_a_key(struct endpoint *e)
{
    BUF_SCOPED struct buf jwks = {0}, text = {0};
    struct json_writer w;

    jose_key_free(client_key);
    must(e->f, jose_key_generate(JOSE_ES256, 0, &client_key, &e->f->err));
    buf_init(&jwks, 8192);
    json_writer_init(&w, &jwks);
    json_open_object(&w);
    json_key(&w, "keys");
    json_open_array(&w);
    json_open_object(&w);
    json_key(&w, "kid");
    json_add_str(&w, jose_key_kid(client_key));
    must(e->f, jose_key_write_public(client_key, &w, &e->f->err));
    json_close_object(&w);
    json_close_array(&w);
    json_close_object(&w);
    buf_init(&text, 16384);
    json_escape(&text, buf_str(&jwks));
    give_trino(e, "client-jwt", FORM(e, "{\"use.jwks.string\":\"true\",\"jwks.string\":%s}", buf_cstr(&text)));
}

static struct reply assert_with(struct endpoint *e, const struct jose_key *k, enum jose_alg alg, const char *client,
                                const char *aud, const char *jti, int64_t lives)
{
    int64_t now = sessions_clock(e->f->context.sessions), until = now + lives;
    BUF_SCOPED struct buf b = {0};

    buf_init(&b, JOSE_TOKEN_MAX);
    must(e->f, jws_sign(k, alg, "JWT",
                        arena_printf(
                            &e->f->arena,
                            "{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":\"%s\",\"jti\":\"%s\",\"iat\":%lld,\"exp\":%lld}",
                            client, client, aud, jti, (long long)now, (long long)until),
                        &b, &e->f->err));
    return post(e, "token",
                FORM(e,
                     "grant_type=client_credentials&client_assertion_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Aclient-"
                     "assertion-type%%3Ajwt-bearer&client_assertion=%s",
                     buf_cstr(&b)));
}

static void a_signed_assertion_is_good_once_for_us_and_for_a_while(void **state)
{
    struct endpoint *e = *state;
    const char *us = arena_cstr(&e->f->arena, e->issuer);
    JOSE_KEY_SCOPED struct jose_key *other = NULL;
    struct reply r;

    give_trino_a_key(e);
    r = assert_with(e, client_key, JOSE_ES256, "trino", us, "j1", 60);
    expect_ok(&r);
    r = assert_with(e, client_key, JOSE_ES256, "trino", us, "j1", 60);
    expect_error(&r, 400, "invalid_client", "Client authentication with signed JWT failed: Token reuse detected");
    r = assert_with(e, client_key, JOSE_ES256, "trino", "https://other.example", "j2", 60);
    expect_error(&r, 400, "invalid_client", "Client authentication with signed JWT failed: Invalid token audience");
    r = assert_with(e, client_key, JOSE_ES256, "trino", us, "j3", 86400);
    expect_error(&r, 400, "invalid_client", "Client authentication with signed JWT failed: Token is not active");
    r = assert_with(e, client_key, JOSE_ES256, "trino", us, "j4", -60);
    expect_error(&r, 400, "invalid_client", NULL);
    r = assert_with(e, client_key, JOSE_ES256, "airflow", us, "j5", 60);
    expect_error(&r, 401, "invalid_client", NULL);
    must(e->f, jose_key_generate(JOSE_ES256, 0, &other, &e->f->err));
    r = assert_with(e, other, JOSE_ES256, "trino", us, "j6", 60);
    expect_error(&r, 400, "invalid_client", NULL);
    r = post(e, "token", "grant_type=client_credentials&" TRINO); /* its secret is of no use any more */
    assert_int_equal(r.status, 401);
}

/* The client's secret is shared with the server: a signature by it must not stand in for the client's own key. */
static void a_secret_signs_no_assertion_of_a_client_with_a_key(void **state)
{
    struct endpoint *e = *state;
    const char *us = arena_cstr(&e->f->arena, e->issuer);
    JOSE_KEY_SCOPED struct jose_key *secret = NULL;
    struct reply r;

    must(e->f, jose_key_from_secret(STR("trino-secret-trino-secret"), STR_NULL, JOSE_UNKNOWN, &secret, &e->f->err));
    r = assert_with(e, secret, JOSE_HS256, "trino", us, "k1", 60); /* configured for a plain secret */
    expect_error(&r, 401, "invalid_client", NULL);
    give_trino_a_key(e);
    r = assert_with(e, secret, JOSE_HS256, "trino", us, "k2", 60);
    expect_error(&r, 400, "invalid_client", NULL);
    give_trino(e, "client-secret-jwt", "{}");
    r = assert_with(e, secret, JOSE_HS256, "trino", us, "k3", 60);
    expect_ok(&r);
    r = assert_with(e, client_key, JOSE_ES256, "trino", us, "k4", 60);
    expect_error(&r, 400, "invalid_client", NULL);
}

/* ---- proof of possession ---- */

static const char *proof(struct endpoint *e, const struct jose_key *k, const char *method, const char *path,
                         const char *jti, struct str token)
{
    BUF_SCOPED struct buf jwk = {0}, header = {0}, payload = {0}, ath = {0}, b = {0};
    unsigned char digest[32];
    struct json_writer w;
    struct str made;

    buf_init(&jwk, 4096);
    json_writer_init(&w, &jwk);
    json_open_object(&w);
    must(e->f, jose_key_write_public(k, &w, &e->f->err));
    json_close_object(&w);
    buf_init(&payload, 4096);
    buf_addf(&payload, "{\"jti\":\"%s\",\"htm\":\"%s\",\"htu\":\"%.*s/protocol/openid-connect/%s\",\"iat\":%lld", jti,
             method, STR_ARG(e->issuer), path, (long long)sessions_clock(e->f->context.sessions));
    if (token.p) {
        hash_bytes(HASH_SHA256, token, digest);
        buf_init(&ath, 64);
        enc_base64url(&ath, digest, 32);
        buf_addf(&payload, ",\"ath\":\"%s\"", buf_cstr(&ath));
    }
    buf_add_char(&payload, '}');
    buf_init(&header, 8192);
    buf_addf(&header, "{\"alg\":\"EdDSA\",\"typ\":\"dpop+jwt\",\"jwk\":%s}", buf_cstr(&jwk));
    buf_init(&b, 16384);
    must(e->f, jws_sign_with_header(k, JOSE_EDDSA, buf_str(&header), buf_str(&payload), &b, &e->f->err));
    made = arena_str(&e->f->arena, buf_str(&b));
    return FORM(e, "DPoP: %.*s", STR_ARG(made));
}

static void a_token_bound_to_a_key_is_worth_nothing_without_it(void **state)
{
    struct endpoint *e = *state;
    JOSE_KEY_SCOPED struct jose_key *mine = NULL, *thief = NULL;
    struct str token;
    struct reply t, r;
    const char *used;

    must(e->f, jose_key_generate(JOSE_EDDSA, 0, &mine, &e->f->err));
    must(e->f, jose_key_generate(JOSE_EDDSA, 0, &thief, &e->f->err));
    used = proof(e, mine, "POST", "token", "p1", STR_NULL);
    t = ask(e, "POST", "token", "grant_type=client_credentials&" TRINO "&scope=openid", used);
    expect_ok(&t);
    token = member(&t, "access_token");
    assert_true(str_eq(member(&t, "token_type"), STR("DPoP")));
    assert_non_null(json_object_get(json_object_get(claims_of(e, token), "cnf"), "jkt"));
    assert_int_equal(userinfo_status(e, token), 401); /* as a bearer token */
    r = ask(e, "GET", "userinfo", NULL,
            FORM(e, "Authorization: DPoP %.*s\n%s", STR_ARG(token), proof(e, mine, "GET", "userinfo", "u1", token)));
    expect_ok(&r);
    r = ask(e, "GET", "userinfo", NULL,
            FORM(e, "Authorization: DPoP %.*s\n%s", STR_ARG(token), proof(e, thief, "GET", "userinfo", "u2", token)));
    assert_int_equal(r.status, 401);
    r = ask(
        e, "GET", "userinfo", NULL,
        FORM(e, "Authorization: DPoP %.*s\n%s", STR_ARG(token), proof(e, mine, "GET", "userinfo", "u3", STR("other"))));
    assert_int_not_equal(r.status, 200);
    r = ask(e, "POST", "token", "grant_type=client_credentials&" TRINO, used);
    expect_error(&r, 400, "invalid_dpop_proof", "DPoP proof has already been used");
    r = ask(e, "POST", "token", "grant_type=client_credentials&" TRINO, proof(e, mine, "GET", "token", "p2", STR_NULL));
    expect_error(&r, 400, "invalid_dpop_proof", "DPoP HTTP method mismatch");
    r = ask(e, "POST", "token", "grant_type=client_credentials&" TRINO,
            proof(e, mine, "POST", "revoke", "p3", STR_NULL));
    expect_error(&r, 400, "invalid_dpop_proof", "DPoP HTTP URL mismatch");
    r = post(e, "token",
             FORM(e,
                  "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&" TRINO "&subject_token=%.*s"
                  "&subject_token_type=urn:ietf:params:oauth:token-type:access_token",
                  STR_ARG(token)));
    expect_error(&r, 403, "access_denied", NULL);
}

/* ---- too much of everything ---- */

static void oversized_requests_are_refused(void **state)
{
    struct endpoint *e = *state;
    BUF_SCOPED struct buf b = {0};
    struct reply r;

    buf_init(&b, 1 << 20);
    buf_add_cstr(&b, "grant_type=refresh_token&" TRINO "&refresh_token=");
    for (int i = 0; i < 100000; i++)
        buf_add_char(&b, 'A');
    r = post(e, "token", buf_cstr(&b));
    expect_error(&r, 400, "invalid_grant", "Invalid refresh token");
    for (int i = 0; i < 300000; i++)
        buf_add_char(&b, 'A');
    r = post(e, "token", buf_cstr(&b));
    assert_int_equal(r.status, 413);
    r = ask(e, "POST", "token", "{\"grant_type\":\"password\"}", NULL);
    assert_int_not_equal(r.status, 200);
}

static int group_end(void **state)
{
    jose_key_free(client_key);
    return fixture_end(state);
}

#define T(name) cmocka_unit_test_setup_teardown(name, endpoint_up, endpoint_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_code_used_twice_takes_back_the_tokens_of_the_first_use),
        T(a_stolen_code_is_worth_nothing_without_the_verifier),
        T(pkce_downgraded_on_the_way_is_noticed),
        T(a_client_that_must_use_s256_cannot_use_less),
        T(a_code_of_one_client_is_no_code_of_another),
        T(a_code_redirected_elsewhere_is_refused),
        T(a_code_pieced_together_is_refused),
        T(a_token_without_signature_is_worth_nothing),
        T(the_public_key_signs_nothing),
        T(a_key_that_the_token_brings_along_is_not_used),
        T(tricks_with_the_key_id_find_no_key),
        T(a_changed_claim_breaks_the_signature),
        T(a_token_of_one_kind_is_not_one_of_another),
        T(a_token_of_another_realm_is_worth_nothing_here),
        T(a_token_made_for_another_host_is_refused),
        T(a_client_cannot_exchange_a_token_that_is_not_for_it),
        T(a_stolen_refresh_token_ends_the_session_of_both),
        T(rotation_follows_one_chain_after_another),
        T(a_disabled_user_is_out_at_once),
        T(tokens_from_before_the_realms_not_before_are_stale),
        T(an_expired_token_is_expired_to_the_second),
        T(time_does_not_tell_whether_a_user_exists),
        T(time_does_not_tell_whether_a_client_exists),
        T(guessing_passwords_locks_the_user),
        T(a_signed_assertion_is_good_once_for_us_and_for_a_while),
        T(a_secret_signs_no_assertion_of_a_client_with_a_key),
        T(a_token_bound_to_a_key_is_worth_nothing_without_it),
        T(oversized_requests_are_refused),
    };
    return cmocka_run_group_tests(tests, fixture_begin, group_end);
}
