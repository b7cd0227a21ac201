/* What a realm says of itself to everybody: its short description, its discovery document, its keys. */
#include "base/enc.h"
#include "base/hash.h"
#include "identity/oidc/internal.h"
#include "identity/token/internal.h"

enum { DOCUMENT_MAX = 1 << 20 };

static void add(struct json_writer *w, const char *name, struct str s)
{
    json_key(w, name);
    json_add_str(w, s);
}

/* The DER of the first block of a PEM text. */
static bool pem_der(struct str pem, struct buf *to)
{
    size_t from = str_find(pem, STR("-----BEGIN"), 0), end;
    BUF_SCOPED struct buf text = {0};

    from = from == SIZE_MAX ? 0 : str_find_char(pem, '\n', from);
    end = from == SIZE_MAX ? SIZE_MAX : str_find(pem, STR("-----END"), from);
    if (from == SIZE_MAX)
        return false;
    buf_init(&text, 65536);
    for (size_t i = from; i < pem.n && i < end; i++)
        if (pem.p[i] > ' ')
            buf_add_char(&text, pem.p[i]);
    return text.n && enc_unbase64(to, buf_str(&text), NULL) == 0 && !to->failed;
}

/* ---- GET /realms/{realm} ---- */

static void write_public_key(struct call *c, struct json_writer *w)
{
    BUF_SCOPED struct buf der = {0}, text = {0};
    struct jose_key *key;

    buf_init(&der, 8192);
    buf_init(&text, 16384);
    if (tokens_signing_key(c->o->tokens, c->realm, STR("RS256"), &key, NULL) < 0 ||
        jose_key_public_der(key, &der, NULL) < 0)
        return;
    enc_base64(&text, der.p, der.n);
    add(w, "public_key", buf_str(&text));
}

void oidc_get_realm(void *ctx, struct http_call *http)
{
    struct http_response *p;
    CALL_SCOPED struct call c;
    struct json_writer w;
    struct buf b;

    if (!call_begin(&c, ctx, http, "REALM_INFO", CALL_CORS_ALL))
        return;
    buf_init(&b, DOCUMENT_MAX);
    json_writer_init(&w, &b);
    json_open_object(&w);
    add(&w, "realm", c.realm->name);
    write_public_key(&c, &w);
    add(&w, "token-service", arena_printf(c.a, "%.*s/protocol/openid-connect", STR_ARG(c.issuer)));
    add(&w, "account-service", arena_printf(c.a, "%.*s/account", STR_ARG(c.issuer)));
    json_key(&w, "tokens-not-before");
    json_add_i64(&w, c.realm->not_before);
    json_close_object(&w);
    p = call_response(&c, 200);
    http_response_add(c.r, p, "X-Frame-Options", STR("SAMEORIGIN"));
    http_respond_buf(c.r, p, "application/json;charset=UTF-8", &b);
}

/* ---- keys ---- */

static void write_certificate(struct json_writer *w, struct str pem)
{
    BUF_SCOPED struct buf der = {0}, text = {0};
    unsigned char digest[32];

    buf_init(&der, 65536);
    buf_init(&text, 131072);
    if (!pem.n || !pem_der(pem, &der))
        return;
    enc_base64(&text, der.p, der.n);
    json_key(w, "x5c");
    json_open_array(w);
    json_add_str(w, buf_str(&text));
    json_close_array(w);
    hash_bytes(HASH_SHA1, buf_str(&der), digest);
    buf_reset(&text);
    enc_base64url(&text, digest, 20);
    add(w, "x5t", buf_str(&text));
    hash_bytes(HASH_SHA256, buf_str(&der), digest);
    buf_reset(&text);
    enc_base64url(&text, digest, 32);
    add(w, "x5t#S256", buf_str(&text));
}

static void write_key(struct json_writer *w, const struct realm_key *k)
{
    JOSE_KEY_SCOPED struct jose_key *key = NULL;

    if (jose_key_from_pem(k->private_pem.n ? k->private_pem : k->certificate_pem, k->kid, JOSE_UNKNOWN, &key, NULL) < 0)
        return; /* a kind of key that we don't have: nobody needs it to verify our tokens */
    json_open_object(w);
    add(w, "kid", k->kid);
    add(w, "alg", k->algorithm);
    add(w, "use", str_eq_nocase(k->use, STR("ENC")) ? STR("enc") : STR("sig"));
    write_certificate(w, k->certificate_pem);
    if (jose_key_write_public(key, w, NULL) < 0)
        abort(); /* it came from a PEM text, so it has a public part */
    json_close_object(w);
}

void oidc_get_certs(void *ctx, struct http_call *http)
{
    CALL_SCOPED struct call c;
    struct json_writer w;
    struct buf b;

    if (!call_begin(&c, ctx, http, "CERTS", CALL_CORS_ALL))
        return;
    buf_init(&b, DOCUMENT_MAX);
    json_writer_init(&w, &b);
    json_open_object(&w);
    json_key(&w, "keys");
    json_open_array(&w);
    for (size_t i = 0; i < c.realm->key_count; i++) {
        const struct realm_key *k = &c.realm->keys[i];
        if (k->status != REALM_KEY_DISABLED && (k->private_pem.n || k->certificate_pem.n))
            write_key(&w, k);
    }
    json_close_array(&w);
    json_close_object(&w);
    call_answer(&c, 200, &b);
}

/* ---- discovery: what is there, and nothing else ---- */

static void add_url(struct call *c, struct json_writer *w, const char *name, const char *path)
{
    add(w, name, arena_printf(c->a, "%.*s/protocol/openid-connect/%s", STR_ARG(c->issuer), path));
}

static void add_list(struct json_writer *w, const char *name, const char *const *items, size_t n)
{
    json_key(w, name);
    json_open_array(w);
    for (size_t i = 0; i < n; i++)
        json_add_cstr(w, items[i]);
    json_close_array(w);
}
#define LIST(w, name, ...)                                          \
    do {                                                            \
        static const char *const items[] = {__VA_ARGS__};           \
        add_list(w, name, items, sizeof(items) / sizeof(items[0])); \
    } while (0)

/* The algorithms that the realm has a key for now. */
static void add_algorithms(struct call *c, struct json_writer *w, const char *name, bool with_hmac)
{
    json_key(w, name);
    json_open_array(w);
    for (int alg = JOSE_RS256; alg <= JOSE_HS512; alg++) {
        struct jose_key *key;
        if (!with_hmac && (JOSE_BIT(alg) & JOSE_ANY_HMAC))
            continue;
        if (tokens_signing_key(c->o->tokens, c->realm, str_from_cstr(jose_alg_name(alg)), &key, NULL) == 0)
            json_add_cstr(w, jose_alg_name(alg));
    }
    json_close_array(w);
}

static void add_client_authentication(struct json_writer *w, const char *prefix)
{
    char name[96];

    (void)snprintf(name, sizeof(name), "%s_auth_methods_supported", prefix);
    LIST(w, name, "private_key_jwt", "client_secret_basic", "client_secret_post", "client_secret_jwt");
    (void)snprintf(name, sizeof(name), "%s_auth_signing_alg_values_supported", prefix);
    LIST(w, name, "PS384", "RS384", "EdDSA", "ES384", "HS256", "HS512", "ES256", "RS256", "HS384", "ES512", "PS256",
         "PS512", "RS512");
}

static void add_scopes(struct call *c, struct json_writer *w)
{
    json_key(w, "scopes_supported");
    json_open_array(w);
    json_add_cstr(w, "openid");
    for (size_t i = 0; i < c->realm->scope_count; i++)
        if (str_eq(json_opt_str(c->realm->scopes[i]->rep, "protocol", STR("openid-connect")), STR("openid-connect")))
            json_add_str(w, c->realm->scopes[i]->name);
    json_close_array(w);
}

static void write_discovery(struct call *c, struct json_writer *w)
{
    json_open_object(w);
    add(w, "issuer", c->issuer);
    add_url(c, w, "authorization_endpoint", "auth");
    add_url(c, w, "token_endpoint", "token");
    add_url(c, w, "introspection_endpoint", "token/introspect");
    add_url(c, w, "userinfo_endpoint", "userinfo");
    add_url(c, w, "end_session_endpoint", "logout");
    add_url(c, w, "jwks_uri", "certs");
    LIST(w, "grant_types_supported", "authorization_code", "client_credentials", "implicit", "password",
         "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
         "urn:ietf:params:oauth:grant-type:token-exchange");
    LIST(w, "acr_values_supported", "0", "1");
    LIST(w, "response_types_supported", "code", "id_token", "token", "id_token token", "code id_token", "code token",
         "code id_token token");
    LIST(w, "subject_types_supported", "public");
    LIST(w, "prompt_values_supported", "none", "login", "consent");
    add_algorithms(c, w, "id_token_signing_alg_values_supported", true);
    add_algorithms(c, w, "userinfo_signing_alg_values_supported", true);
    LIST(w, "response_modes_supported", "query", "fragment", "form_post");
    add_client_authentication(w, "token_endpoint");
    add_client_authentication(w, "introspection_endpoint");
    LIST(w, "claims_supported", "iss", "sub", "aud", "exp", "iat", "auth_time", "name", "given_name", "family_name",
         "preferred_username", "email", "acr", "azp", "nonce");
    LIST(w, "claim_types_supported", "normal");
    json_key(w, "claims_parameter_supported");
    json_add_bool(w, false);
    add_scopes(c, w);
    json_key(w, "request_parameter_supported");
    json_add_bool(w, false);
    json_key(w, "request_uri_parameter_supported");
    json_add_bool(w, false);
    LIST(w, "code_challenge_methods_supported", "plain", "S256");
    LIST(w, "dpop_signing_alg_values_supported", "PS384", "RS384", "EdDSA", "ES384", "ES256", "RS256", "ES512", "PS256",
         "PS512", "RS512");
    add_url(c, w, "revocation_endpoint", "revoke");
    add_client_authentication(w, "revocation_endpoint");
    json_key(w, "backchannel_logout_supported");
    json_add_bool(w, true);
    json_key(w, "backchannel_logout_session_supported");
    json_add_bool(w, true);
    add_url(c, w, "device_authorization_endpoint", "auth/device");
    json_key(w, "require_pushed_authorization_requests");
    json_add_bool(w, false);
    add_url(c, w, "pushed_authorization_request_endpoint", "ext/par/request");
    json_key(w, "authorization_response_iss_parameter_supported");
    json_add_bool(w, true);
    json_close_object(w);
}

void oidc_get_discovery(void *ctx, struct http_call *http)
{
    struct http_response *p;
    CALL_SCOPED struct call c;
    struct json_writer w;
    struct buf b;

    if (!call_begin(&c, ctx, http, "DISCOVERY", CALL_CORS_ALL))
        return;
    buf_init(&b, DOCUMENT_MAX);
    json_writer_init(&w, &b);
    write_discovery(&c, &w);
    p = http_response_new(c.r, 200);
    http_response_add(c.r, p, "Cache-Control", STR("no-cache, must-revalidate, no-transform, no-store"));
    identity_add_headers(c.r, p);
    http_response_add(c.r, p, "X-Frame-Options", STR("SAMEORIGIN"));
    if (http_header(c.r, "Origin").p)
        http_response_add(c.r, p, "Access-Control-Allow-Origin", STR("*"));
    http_respond_buf(c.r, p, "application/json", &b);
}
