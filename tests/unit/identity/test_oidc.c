/* The protocol's endpoints, against what real Keycloak 26.7 was recorded to answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/vec.h"
#include "endpoint.h"
#include "identity/consent.h"

#include <pthread.h>

static void the_realm_says_what_it_is(void **state)
{
    struct endpoint *e = *state;
    struct reply r = ask(e, "GET", "/realms/dataplatform", NULL, NULL);

    expect_ok(&r);
    assert_true(str_eq(member(&r, "realm"), STR("dataplatform")));
    assert_true(str_starts_with(member(&r, "public_key"), STR("MIIBIjANBgkq")));
    assert_true(str_ends_with(member(&r, "token-service"), STR("/realms/dataplatform/protocol/openid-connect")));
    assert_int_equal(json_opt_i64(r.json, "tokens-not-before", -1), 0);
    r = ask(e, "GET", "/realms/nope", NULL, NULL);
    assert_int_equal(r.status, 404);
    assert_true(str_eq(r.text, STR("{\"error\":\"Realm does not exist\"}")));
}

static void discovery_names_only_what_is_there(void **state)
{
    struct endpoint *e = *state;
    struct reply r = ask(e, "GET", "/realms/dataplatform/.well-known/openid-configuration", NULL, NULL), other;
    const char *key;
    json_t *value;

    expect_ok(&r);
    assert_true(str_eq(member(&r, "issuer"), e->issuer));
    json_object_foreach(r.json, key, value)
    {
        struct str url = json_str(value);
        const char *path;
        if (!url.p || !strcmp(key, "issuer") || !strcmp(key, "authorization_endpoint") ||
            !strcmp(key, "end_session_endpoint")) /* the login pages' */
            continue;
        assert_true(str_starts_with(url, e->base));
        path = arena_cstr(&e->f->arena, str_skip(url, e->base.n));
        other = ask(e, "OPTIONS", path, NULL, NULL);
        assert_int_equal(other.status, 200);
    }
    other = ask(e, "GET", "/.well-known/oauth-authorization-server/realms/dataplatform", NULL, NULL);
    expect_ok(&other);
    assert_true(str_eq(member(&other, "issuer"), e->issuer));
}

static void client_credentials_make_a_token_without_a_session(void **state)
{
    struct endpoint *e = *state;
    struct reply r = post(e, "token", "grant_type=client_credentials&" TRINO "&scope=openid");
    json_t *c;
    int64_t n;

    expect_ok(&r);
    assert_int_equal(json_opt_i64(r.json, "expires_in", 0), 300);
    assert_int_equal(json_opt_i64(r.json, "refresh_expires_in", -1), 0);
    assert_null(json_object_get(r.json, "refresh_token"));
    assert_null(json_object_get(r.json, "session_state"));
    assert_true(str_eq(member(&r, "token_type"), STR("Bearer")));
    assert_true(str_eq(http_client_header(&r.http, "cache-control"), STR("no-store")));
    c = claims_of(e, member(&r, "access_token"));
    assert_true(str_starts_with(json_opt_str(c, "jti", STR_NULL), STR("trrtcc:")));
    assert_true(str_eq(json_opt_str(c, "iss", STR_NULL), e->issuer));
    assert_true(str_eq(json_opt_str(c, "azp", STR_NULL), STR("trino")));
    assert_true(str_eq(json_opt_str(c, "clientHost", STR_NULL), STR("127.0.0.1")));
    assert_true(str_eq(json_opt_str(c, "client_id", STR_NULL), STR("trino")));
    assert_true(str_eq(json_opt_str(c, "preferred_username", STR_NULL), STR("service-account-trino")));
    assert_true(str_eq(json_opt_str(c, "policy", STR_NULL), STR("readwrite")));
    assert_true(str_eq(json_opt_str(c, "acr", STR_NULL), STR("1")));
    assert_null(json_object_get(c, "sid"));
    assert_null(json_object_get(c, "auth_time"));
    assert_true(jwt_has_audience(c, STR("trino")));
    assert_true(jwt_has_audience(c, STR("account")));
    must(e->f, sessions_count(e->f->context.sessions, e->f->realm, NULL, false, &n, &e->f->err));
    assert_int_equal(n, 0);
}

static void errors_of_client_authentication_are_keycloaks(void **state)
{
    static const char words[] = "Invalid client or Invalid client credentials";
    struct endpoint *e = *state;
    struct reply r = post(e, "token", "grant_type=client_credentials&client_id=trino&client_secret=bad");

    expect_error(&r, 401, "unauthorized_client", words);
    r = post(e, "token", "grant_type=client_credentials&client_id=nope&client_secret=bad");
    expect_error(&r, 401, "invalid_client", words);
    r = post(e, "token", "grant_type=client_credentials");
    expect_error(&r, 401, "invalid_client", words);
    r = post(e, "token", "grant_type=client_credentials&" AIRFLOW);
    expect_error(&r, 401, "unauthorized_client", "Client not enabled to retrieve service account");
    r = post(e, "token", "grant_type=client_credentials&client_id=spa");
    expect_error(&r, 401, "unauthorized_client", "Public client not allowed to retrieve service account");
    r = post(e, "token", "grant_type=foo&" TRINO);
    expect_error(&r, 400, "unsupported_grant_type", "Unsupported grant_type");
    r = post(e, "token", TRINO);
    expect_error(&r, 400, "invalid_request", "Missing form parameter: grant_type");
    r = post(e, "token", "grant_type=client_credentials&" TRINO "&scope=nosuch");
    expect_error(&r, 400, "invalid_scope", "Invalid scopes: nosuch");
    r = post(e, "token", "grant_type=client_credentials&" TRINO "&scope=a&scope=b");
    expect_error(&r, 400, "invalid_request", "duplicated parameter");
    /* trino:trino-secret-trino-secret */
    r = ask(e, "POST", "token", "grant_type=client_credentials",
            "Authorization: Basic dHJpbm86dHJpbm8tc2VjcmV0LXRyaW5vLXNlY3JldA==");
    expect_ok(&r);
    r = ask(e, "POST", "token", "grant_type=client_credentials&client_id=airflow",
            "Authorization: Basic dHJpbm86dHJpbm8tc2VjcmV0LXRyaW5vLXNlY3JldA==");
    expect_error(&r, 401, "invalid_client", words);
}

static void the_password_grant_logs_in_and_refuses_in_keycloaks_words(void **state)
{
    struct endpoint *e = *state;
    struct reply r = login(e, TRINO, "openid+profile+email");
    json_t *c = claims_of(e, member(&r, "access_token")), *id = claims_of(e, member(&r, "id_token")),
           *refresh = claims_of(e, member(&r, "refresh_token"));
    BUF_SCOPED struct buf hash = {0};

    assert_int_equal(json_opt_i64(r.json, "refresh_expires_in", 0), 1800);
    assert_true(str_starts_with(json_opt_str(c, "jti", STR_NULL), STR("onrtro:")));
    assert_true(str_eq(json_opt_str(c, "sub", STR_NULL), e->f->alice.id));
    assert_true(str_eq(json_opt_str(c, "sid", STR_NULL), member(&r, "session_state")));
    assert_true(str_eq(json_opt_str(c, "name", STR_NULL), STR("Alice A")));
    assert_true(json_is_true(json_object_get(c, "email_verified")));
    assert_true(jwt_has_audience(c, STR("airflow")));
    assert_true(str_eq(json_str(json_array_get(json_object_get(c, "groups"), 0)), STR("analysts")));
    assert_true(
        str_eq(json_str(json_array_get(json_object_get(c, "allowed-origins"), 0)), STR("https://trino.example:8443")));
    assert_true(
        str_eq(json_str(json_array_get(
                   json_object_get(json_object_get(json_object_get(c, "resource_access"), "airflow"), "roles"), 0)),
               STR("Admin")));
    assert_null(json_object_get(c, "auth_time"));
    assert_true(str_eq(json_opt_str(id, "aud", STR_NULL), STR("trino")));
    assert_null(json_object_get(id, "realm_access"));
    buf_init(&hash, 64);
    jose_half_hash(JOSE_RS256, member(&r, "access_token"), &hash);
    assert_true(str_eq(json_opt_str(id, "at_hash", STR_NULL), buf_str(&hash)));
    assert_true(str_eq(json_opt_str(refresh, "typ", STR_NULL), STR("Refresh")));
    assert_true(str_eq(json_opt_str(refresh, "aud", STR_NULL), e->issuer));

    r = post(e, "token", "grant_type=password&" TRINO "&username=alice&password=x");
    expect_error(&r, 400, "invalid_grant", "Invalid user credentials");
    r = post(e, "token", "grant_type=password&" TRINO "&username=nobody&password=x");
    expect_error(&r, 400, "invalid_grant", "Invalid user credentials");
    r = post(e, "token", "grant_type=password&" TRINO "&password=x");
    expect_error(&r, 401, "invalid_request", "Missing parameter: username");
    r = post(e, "token", "grant_type=password&" AIRFLOW "&username=alice&password=pw2");
    expect_error(&r, 400, "unauthorized_client", "Client not allowed for direct access grants");
    r = post(e, "token", "grant_type=password&" TRINO "&username=service-account-trino&password=x");
    expect_error(&r, 400, "invalid_grant", "Invalid user credentials");
}

static void a_code_is_exchanged_with_its_verifier(void **state)
{
    struct endpoint *e = *state;
    const struct auth_code what = {.redirect_uri = STR("https://trino.example:8443/oauth2/callback"),
                                   .nonce = STR("no1"),
                                   .code_challenge = STR("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
                                   .code_challenge_method = STR("S256")};
    const char *code = code_for(e, e->f->trino, &what);
    struct reply r = post(e, "token",
                          FORM(e,
                               "grant_type=authorization_code&" TRINO "&code=%s&redirect_uri=https%%3A%%2F%%2Ftrino."
                               "example%%3A8443%%2Foauth2%%2Fcallback&code_verifier="
                               "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                               code));
    json_t *c, *id;

    expect_ok(&r);
    c = claims_of(e, member(&r, "access_token"));
    id = claims_of(e, member(&r, "id_token"));
    assert_true(str_starts_with(json_opt_str(c, "jti", STR_NULL), STR("onrtac:")));
    assert_true(json_is_integer(json_object_get(c, "auth_time")));
    assert_null(json_object_get(c, "nonce"));
    assert_true(str_eq(json_opt_str(id, "nonce", STR_NULL), STR("no1")));
}

static void a_refresh_token_makes_new_ones_with_no_more_scope(void **state)
{
    struct endpoint *e = *state;
    struct reply first = login(e, TRINO, "openid+phone"), r;

    r = post(
        e, "token",
        FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&first, "refresh_token"))));
    expect_ok(&r);
    assert_true(
        str_starts_with(json_opt_str(claims_of(e, member(&r, "access_token")), "jti", STR_NULL), STR("onrtrt:")));
    assert_true(str_eq(member(&r, "session_state"), member(&first, "session_state")));
    assert_true(str_find(member(&r, "scope"), STR("phone"), 0) != SIZE_MAX);
    r = post(e, "token",
             FORM(e, "grant_type=refresh_token&" TRINO "&scope=openid+address&refresh_token=%.*s",
                  STR_ARG(member(&first, "refresh_token"))));
    expect_ok(&r);
    assert_true(str_find(member(&r, "scope"), STR("phone"), 0) == SIZE_MAX);
    assert_true(str_find(member(&r, "scope"), STR("address"), 0) == SIZE_MAX);
    r = post(e, "token", "grant_type=refresh_token&" TRINO "&refresh_token=abc");
    expect_error(&r, 400, "invalid_grant", "Invalid refresh token");
    r = post(
        e, "token",
        FORM(e, "grant_type=refresh_token&" AIRFLOW "&refresh_token=%.*s", STR_ARG(member(&first, "refresh_token"))));
    expect_error(&r, 400, "invalid_grant", "Invalid refresh token. Token client and authorized client don't match");
}

static void userinfo_answers_and_refuses_as_rfc_6750_says(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid"), r;

    r = ask(e, "GET", "userinfo", NULL, FORM(e, "Authorization: Bearer %.*s", STR_ARG(member(&t, "access_token"))));
    expect_ok(&r);
    assert_true(str_eq(member(&r, "sub"), e->f->alice.id));
    assert_true(str_eq(member(&r, "preferred_username"), STR("alice")));
    assert_true(str_eq(member(&r, "policy"), STR("readwrite")));
    assert_null(json_object_get(r.json, "auth_time"));
    assert_null(json_object_get(r.json, "realm_access"));
    r = post(e, "userinfo", FORM(e, "access_token=%.*s", STR_ARG(member(&t, "access_token"))));
    expect_ok(&r);
    r = ask(e, "GET", "userinfo", NULL, NULL);
    assert_int_equal(r.status, 401);
    assert_true(str_eq(http_client_header(&r.http, "www-authenticate"), STR("Bearer realm=\"dataplatform\"")));
    r = ask(e, "GET", "userinfo", NULL, "Authorization: Bearer bad");
    assert_int_equal(r.status, 401);
    assert_true(
        str_eq(http_client_header(&r.http, "www-authenticate"),
               STR("Bearer realm=\"dataplatform\", error=\"invalid_token\", error_description=\"Token verification "
                   "failed\"")));
    t = post(e, "token", "grant_type=client_credentials&" TRINO);
    r = ask(e, "GET", "userinfo", NULL, FORM(e, "Authorization: Bearer %.*s", STR_ARG(member(&t, "access_token"))));
    assert_int_equal(r.status, 403);
    assert_true(str_find(http_client_header(&r.http, "www-authenticate"), STR("insufficient_scope"), 0) != SIZE_MAX);
}

static struct reply introspect(struct endpoint *e, struct str token)
{
    return post(e, "token/introspect", FORM(e, TRINO "&token=%.*s", STR_ARG(token)));
}

static bool is_active(struct endpoint *e, struct str token)
{
    struct reply r = introspect(e, token);

    expect_ok(&r);
    return json_is_true(json_object_get(r.json, "active"));
}

static void introspection_tells_what_a_token_is_worth(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid"), r = introspect(e, member(&t, "access_token"));

    expect_ok(&r);
    assert_true(json_is_true(json_object_get(r.json, "active")));
    assert_true(str_eq(member(&r, "username"), STR("alice")));
    assert_true(str_eq(member(&r, "client_id"), STR("trino")));
    assert_true(str_eq(member(&r, "token_type"), STR("Bearer")));
    assert_non_null(json_object_get(r.json, "realm_access"));
    r = introspect(e, member(&t, "refresh_token"));
    assert_true(str_eq(member(&r, "token_type"), STR("Refresh")));
    assert_true(jwt_has_audience(r.json, STR("airflow")));
    assert_null(json_object_get(r.json, "aud_x"));
    r = introspect(e, STR("x"));
    assert_true(str_eq(r.text, STR("{\"active\":false}")));
    r = post(e, "token/introspect", FORM(e, "token=%.*s", STR_ARG(member(&t, "access_token"))));
    expect_error(&r, 401, "invalid_client", NULL);
    r = post(e, "token/introspect", FORM(e, "client_id=spa&token=%.*s", STR_ARG(member(&t, "access_token"))));
    expect_error(&r, 403, "invalid_request", "Client not allowed.");
    t = post(e, "token", "grant_type=client_credentials&" TRINO);
    assert_true(is_active(e, member(&t, "access_token")));
}

static void revoking_a_refresh_token_ends_the_session(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid"), r;

    r = post(e, "revoke", FORM(e, AIRFLOW "&token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    expect_error(&r, 400, "invalid_client", "Unmatching clients");
    r = post(e, "revoke", FORM(e, TRINO "&token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    expect_ok(&r);
    assert_int_equal(r.text.n, 0);
    assert_false(is_active(e, member(&t, "access_token")));
    r = post(e, "token",
             FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    expect_error(&r, 400, "invalid_grant", "Session not active");
    r = post(e, "revoke", TRINO "&token=nonsense");
    expect_ok(&r);
}

static void revoking_an_access_token_ends_that_token_alone(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid"), r;

    r = post(e, "revoke", FORM(e, TRINO "&token=%.*s", STR_ARG(member(&t, "access_token"))));
    expect_ok(&r);
    assert_false(is_active(e, member(&t, "access_token")));
    r = post(e, "token",
             FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    expect_ok(&r);
}

static void logout_with_a_refresh_token_ends_everything(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid"), r;

    r = post(e, "logout", FORM(e, AIRFLOW "&refresh_token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    expect_error(&r, 400, "invalid_grant", NULL);
    r = post(e, "logout", FORM(e, TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    assert_int_equal(r.status, 204);
    r = post(e, "token",
             FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    expect_error(&r, 400, "invalid_grant", "Session not active");
    r = ask(e, "GET", "userinfo", NULL, FORM(e, "Authorization: Bearer %.*s", STR_ARG(member(&t, "access_token"))));
    assert_int_equal(r.status, 401);
}

static void an_offline_token_outlives_the_logout(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid+offline_access"), other, r;
    json_t *c = claims_of(e, member(&t, "refresh_token"));

    assert_true(str_eq(json_opt_str(c, "typ", STR_NULL), STR("Offline")));
    assert_null(json_object_get(c, "exp"));
    assert_int_equal(json_opt_i64(t.json, "refresh_expires_in", -1), 0);
    must(e->f, session_end(e->f->context.sessions, e->f->realm, member(&t, "session_state"), false, &e->f->err));
    other = post(
        e, "token",
        FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    expect_ok(&other);
    assert_true(
        str_starts_with(json_opt_str(claims_of(e, member(&other, "access_token")), "jti", STR_NULL), STR("ofrtrt:")));
    assert_true(is_active(e, member(&other, "access_token")));
    r = post(e, "logout", FORM(e, TRINO "&refresh_token=%.*s", STR_ARG(member(&other, "refresh_token"))));
    assert_int_equal(r.status, 204);
    r = post(e, "token",
             FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s", STR_ARG(member(&t, "refresh_token"))));
    expect_error(&r, 400, "invalid_grant", "Offline user session not found");
}

static void consent_taken_back_ends_refreshing(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid"), r;
    CHANGE_SCOPED struct identity_change *c = NULL;
    JSON_SCOPED json_t *rep = json_deep_copy(e->f->trino->rep);
    const char *form = FORM(e, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s",
                            STR_ARG(member(&t, "refresh_token")));
    struct db *db = identity_db(e->f->context.model);
    struct realm_draft *d;
    struct str ids[64];
    size_t n = 0;

    must(e->f, consent_open(db, &e->f->err));
    json_object_set_new(rep, "consentRequired", json_true());
    must(e->f, identity_change_begin(e->f->context.model, &c, &e->f->err));
    must(e->f, identity_change_realm(c, STR("dataplatform"), &d, &e->f->err));
    must(e->f, client_update(c, d, e->f->trino->id, rep, &e->f->err));
    must(e->f, identity_change_commit(c, &e->f->err));
    fixture_realm(e->f);
    r = post(e, "token", form);
    expect_error(&r, 400, "invalid_scope", "Client no longer has requested consent from user");
    for (size_t i = 0; i < e->f->trino->default_scope_count; i++)
        ids[n++] = e->f->trino->default_scopes[i]->id;
    must(e->f, consent_grant(db, e->f->realm, e->f->alice.id, e->f->trino->id, ids, n, &e->f->err));
    r = post(e, "token", form);
    expect_ok(&r);
    must(e->f, consent_revoke(db, e->f->realm, e->f->alice.id, e->f->trino->id, &e->f->err));
    r = post(e, "token", form);
    expect_error(&r, 400, "invalid_scope", NULL);
}

static void a_device_gets_tokens_once_somebody_approves(void **state)
{
    struct endpoint *e = *state;
    struct client_session cs;
    struct session s;
    struct reply d = post(e, "auth/device", TRINO "&scope=openid"), r;

    expect_ok(&d);
    assert_int_equal(json_opt_i64(d.json, "expires_in", 0), 600);
    assert_int_equal(json_opt_i64(d.json, "interval", 0), 5);
    r = post(e, "token",
             FORM(e, "grant_type=urn:ietf:params:oauth:grant-type:device_code&" TRINO "&device_code=%.*s",
                  STR_ARG(member(&d, "device_code"))));
    expect_error(&r, 400, "authorization_pending", NULL);
    fixture_login(e->f, &e->f->alice, e->f->trino, STR("openid"), &s, &cs);
    must(e->f, device_code_approve(e->f->context.sessions, e->f->realm, member(&d, "user_code"), s.id, &e->f->err));
    r = post(e, "token",
             FORM(e, "grant_type=urn:ietf:params:oauth:grant-type:device_code&" TRINO "&device_code=%.*s",
                  STR_ARG(member(&d, "device_code"))));
    expect_error(&r, 400, "slow_down", NULL);
    r = post(e, "auth/device", AIRFLOW);
    expect_error(&r, 400, "unauthorized_client",
                 "Client is not allowed to initiate OAuth 2.0 Device Authorization Grant. The flow is disabled for the "
                 "client.");
}

static void a_token_is_exchanged_for_one_of_the_clients_own(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid"), r;
    json_t *c;

#define EXCHANGE                                                                     \
    "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token_type=" \
    "urn:ietf:params:oauth:token-type:access_token&subject_token=%.*s&"
    r = post(e, "token", FORM(e, EXCHANGE AIRFLOW, STR_ARG(member(&t, "access_token"))));
    expect_error(&r, 400, "invalid_request", "Standard token exchange is not enabled for the requested client");
    r = post(e, "token", FORM(e, EXCHANGE TRINO "&audience=airflow", STR_ARG(member(&t, "access_token"))));
    expect_ok(&r);
    assert_true(str_eq(member(&r, "issued_token_type"), STR("urn:ietf:params:oauth:token-type:access_token")));
    c = claims_of(e, member(&r, "access_token"));
    assert_true(str_eq(json_opt_str(c, "aud", STR_NULL), STR("airflow")));
    assert_true(str_find(json_opt_str(c, "jti", STR_NULL), STR("te:"), 0) == 4);
    assert_null(json_object_get(json_object_get(c, "resource_access"), "account"));
    r = post(e, "token", FORM(e, EXCHANGE TRINO "&audience=spa", STR_ARG(member(&t, "access_token"))));
    expect_error(&r, 400, "invalid_request", "Requested audience not available: spa");
    r = post(e, "token", FORM(e, EXCHANGE TRINO, STR_ARG(STR("nonsense"))));
    expect_error(&r, 400, "invalid_request", "Invalid token");
}

static void answers_may_be_read_by_pages_of_the_clients_origins_only(void **state)
{
    struct endpoint *e = *state;
    struct reply r = ask(e, "POST", "token", "grant_type=client_credentials&" TRINO,
                         "Origin: https://trino.example:8443");

    expect_ok(&r);
    assert_true(str_eq(http_client_header(&r.http, "access-control-allow-origin"), STR("https://trino.example:8443")));
    assert_true(str_eq(http_client_header(&r.http, "access-control-allow-credentials"), STR("true")));
    r = ask(e, "POST", "token", "grant_type=client_credentials&" TRINO, "Origin: https://evil.example");
    expect_ok(&r);
    assert_true(str_is_null(http_client_header(&r.http, "access-control-allow-origin")));
    r = ask(e, "OPTIONS", "token", NULL, "Origin: https://trino.example:8443");
    assert_true(str_find(http_client_header(&r.http, "access-control-allow-headers"), STR("Authorization"), 0) !=
                SIZE_MAX);
}

static void a_pushed_request_is_kept_once_for_its_client(void **state)
{
    struct endpoint *e = *state;
    struct reply r = post(e, "ext/par/request", TRINO "&response_type=code&scope=openid&redirect_uri=https%3A%2F%2Fx");
    struct str text, uri;

    assert_int_equal(r.status, 201);
    uri = member(&r, "request_uri");
    assert_true(str_starts_with(uri, STR("urn:ietf:params:oauth:request_uri:")));
    must(e->f, sessions_take(e->f->context.sessions, e->f->realm, &e->f->arena, "par",
                             str_skip(uri, STR("urn:ietf:params:oauth:request_uri:").n), &text, &e->f->err));
    assert_true(str_eq(text, STR("client_id=trino&response_type=code&scope=openid&redirect_uri=https%3A%2F%2Fx")));
    r = post(e, "ext/par/request", TRINO "&request_uri=x");
    expect_error(&r, 400, "invalid_request", NULL);
}

/* ---- many at once ---- */

struct visitor {
    const struct endpoint *e;
    struct str refresh;
    int failures;
};

static int send_form(struct http_client *client, const struct endpoint *e, struct arena *a, const char *path,
                     struct str form, json_t **ret)
{
    struct http_header type = {STR("Content-Type"), STR("application/x-www-form-urlencoded")};
    struct http_client_request q = {.method = "POST", .headers = &type, .header_count = 1, .body = form};
    struct http_client_response p = {0};
    struct err err = {0};
    int status = 0;

    q.url = arena_printf(a, "%.*s/protocol/openid-connect/%s", STR_ARG(e->issuer), path).p;
    if (http_client_do(client, a, &q, &p, &err) == 0) {
        status = p.status;
        if (ret && json_parse(buf_str(&p.body), ret, NULL) < 0)
            *ret = json_object();
        buf_release(&p.body);
    }
    return status;
}

static void *visit(void *arg)
{
    struct visitor *v = arg;
    struct http_client *client = NULL;
    struct err err = {0};

    if (http_client_new(&client, &err) < 0)
        return NULL;
    for (int i = 0; i < 12; i++) {
        ARENA_SCOPED struct arena a;
        JSON_SCOPED json_t *made = NULL, *told = NULL;
        struct str token;
        arena_init(&a, 0);
        v->failures += send_form(client, v->e, &a, "token", STR("grant_type=client_credentials&" TRINO), &made) != 200;
        token = json_opt_str(made, "access_token", STR("none"));
        (void)send_form(client, v->e, &a, "revoke", arena_printf(&a, TRINO "&token=%.*s", STR_ARG(token)), NULL);
        (void)send_form(client, v->e, &a, "token/introspect", arena_printf(&a, TRINO "&token=%.*s", STR_ARG(token)),
                        &told);
        v->failures += json_opt_bool(told, "active", true);
        v->failures += send_form(client, v->e, &a, "token",
                                 arena_printf(&a, "grant_type=refresh_token&" TRINO "&refresh_token=%.*s",
                                              STR_ARG(v->refresh)),
                                 NULL) != 200;
    }
    http_client_free(client);
    return NULL;
}

static void many_clients_at_once_get_what_one_gets(void **state)
{
    struct endpoint *e = *state;
    struct reply t = login(e, TRINO, "openid");
    struct visitor visitors[6];
    pthread_t threads[6];

    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        visitors[i] = (struct visitor){e, member(&t, "refresh_token"), 0};
        assert_int_equal(pthread_create(&threads[i], NULL, visit, &visitors[i]), 0);
    }
    for (int i = 0; i < 20; i++)
        sessions_flush(e->f->context.sessions);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(visitors[i].failures, 0);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, endpoint_up, endpoint_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_realm_says_what_it_is),
        T(discovery_names_only_what_is_there),
        T(client_credentials_make_a_token_without_a_session),
        T(errors_of_client_authentication_are_keycloaks),
        T(the_password_grant_logs_in_and_refuses_in_keycloaks_words),
        T(a_code_is_exchanged_with_its_verifier),
        T(a_refresh_token_makes_new_ones_with_no_more_scope),
        T(userinfo_answers_and_refuses_as_rfc_6750_says),
        T(introspection_tells_what_a_token_is_worth),
        T(revoking_a_refresh_token_ends_the_session),
        T(revoking_an_access_token_ends_that_token_alone),
        T(logout_with_a_refresh_token_ends_everything),
        T(an_offline_token_outlives_the_logout),
        T(consent_taken_back_ends_refreshing),
        T(a_device_gets_tokens_once_somebody_approves),
        T(a_token_is_exchanged_for_one_of_the_clients_own),
        T(answers_may_be_read_by_pages_of_the_clients_origins_only),
        T(a_pushed_request_is_kept_once_for_its_client),
        T(many_clients_at_once_get_what_one_gets),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
