/*
 * Client authentication: client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, and none for public
 * clients. A client authenticates by the one way that it is configured for: a secret doesn't help a client whose way is a
 * signed assertion, nor the other way round.
 */
#include "base/enc.h"
#include "identity/oidc/internal.h"

enum { ASSERTION_AGE_MAX = 3600 }; /* seconds that an assertion may live: its id is remembered as long */

static const char invalid[] = "Invalid client or Invalid client credentials";

struct credentials {
    struct str client_id, secret; /* null: not given */
    struct str assertion;
    bool by_header;
};

/* RFC 6749, 2.3.1: both parts are form-encoded. What isn't well-formed so is taken as it is: many clients don't encode. */
static struct str form_decoded(struct arena *a, struct str s)
{
    BUF_SCOPED struct buf b = {0};

    buf_init(&b, 8192);
    return enc_unpercent(&b, s, true, NULL) == 0 && !b.failed ? arena_str(a, buf_str(&b)) : s;
}

static int read_basic(struct arena *a, struct str header, struct credentials *ret, struct err *err)
{
    BUF_SCOPED struct buf b = {0};
    struct str text;
    size_t colon;

    buf_init(&b, 16384);
    if (enc_unbase64(&b, str_trim(str_skip(header, STR("Basic ").n)), NULL) < 0 || b.failed)
        return err_set_named(err, ERR_DENIED, "invalid_client", "%s", invalid);
    text = arena_str(a, buf_str(&b));
    if (b.p)
        explicit_bzero(b.p, b.n);
    colon = str_find_char(text, ':', 0);
    if (colon == SIZE_MAX)
        return err_set_named(err, ERR_DENIED, "invalid_client", "%s", invalid);
    ret->client_id = form_decoded(a, str_slice(text, 0, colon));
    ret->secret = form_decoded(a, str_skip(text, colon + 1));
    ret->by_header = true;
    return 0;
}

static int read_credentials(struct arena *a, struct http_request *r, const struct http_form *form,
                            struct credentials *ret, struct err *err)
{
    struct str header = http_header(r, "Authorization"), id = http_form_get(form, "client_id");
    struct str type = http_form_get(form, "client_assertion_type");
    int rc;

    *ret = (struct credentials){0};
    if (str_starts_with_nocase(header, STR("Basic "))) {
        rc = read_basic(a, header, ret, err);
        if (rc < 0)
            return rc;
        /* Two ways that name different clients: whoever sent this doesn't know who it is. */
        if (id.n && !str_eq(id, ret->client_id))
            return err_set_named(err, ERR_DENIED, "invalid_client", "%s", invalid);
    } else {
        ret->client_id = id.n ? id : STR_NULL;
        ret->secret = http_form_get(form, "client_secret");
    }
    if (type.n) {
        ret->assertion = http_form_get(form, "client_assertion");
        if (!str_eq(type, STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")) || !ret->assertion.n)
            return err_set_named(err, ERR_INVALID, "invalid_client",
                                 "Parameter client_assertion_type has value '%.*s' but"
                                 " expected is 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'",
                                 STR_ARG(type));
    }
    return 0;
}

/* ---- assertions (RFC 7523) ---- */

static int assertion_error(struct err *err, const char *why)
{
    return err_set_named(err, ERR_INVALID, "invalid_client", "Client authentication with signed JWT failed: %s", why);
}

/* Who the assertion says that it is: read to find the keys, believed only after they have verified it. */
static int assertion_subject(struct arena *a, const struct jws *jws, struct str *ret, struct err *err)
{
    json_t *claims;

    if (json_parse(jws->payload, &claims, NULL) < 0)
        return assertion_error(err, "Invalid token");
    claims = json_keep(a, claims);
    *ret = json_str(json_object_get(claims, "sub"));
    if (!ret->n || !str_eq(*ret, json_str(json_object_get(claims, "iss"))))
        return assertion_error(err, "Issuer mismatch. The issuer should match the subject");
    return 0;
}

/* The audience is this realm: its issuer, or one of its endpoints. One audience only: an assertion for several servers
 * could be replayed by one of them at the others. */
static bool audience_is_ours(const json_t *claims, struct str issuer)
{
    const json_t *aud = json_object_get(claims, "aud");
    struct str s, path;

    if (json_is_array(aud) && json_array_size(aud) == 1)
        aud = json_array_get(aud, 0);
    s = json_str(aud);
    if (str_eq(s, issuer))
        return true;
    if (!str_starts_with(s, issuer))
        return false;
    path = str_skip(s, issuer.n);
    return str_eq(path, STR("/protocol/openid-connect/token")) ||
           str_eq(path, STR("/protocol/openid-connect/token/introspect")) ||
           str_eq(path, STR("/protocol/openid-connect/revoke")) ||
           str_eq(path, STR("/protocol/openid-connect/auth/device")) ||
           str_eq(path, STR("/protocol/openid-connect/ext/par/request"));
}

static int check_assertion(struct oidc *o, const struct realm *r, struct arena *a, const struct client *c,
                           const struct jws *jws, bool by_secret, struct str issuer, struct err *err)
{
    struct sessions *sessions = o->context->sessions;
    const struct jwt_expect expect = {STR_NULL, STR_NULL, sessions_clock(sessions), 15, ASSERTION_AGE_MAX, false};
    struct str wanted = client_attribute(c, "token.endpoint.auth.signing.alg"), jti, name;
    JOSE_KEY_SCOPED struct jose_key *key = NULL;
    json_t *claims;
    int rc;

    if (wanted.p && !str_eq_cstr(wanted, jose_alg_name(jws->alg)))
        return assertion_error(err, "Invalid signature algorithm");
    if (by_secret)
        rc = jose_key_from_secret(c->secret, STR_NULL, JOSE_UNKNOWN, &key, NULL);
    else
        rc = client_assertion_key(o, c, jws->kid, jws->alg, &key, err);
    if (rc == ERR_UNAVAILABLE)
        return rc;
    if (rc < 0)
        return assertion_error(err, "Unable to load public key");
    if (jws_verify(jws, key, by_secret ? JOSE_ANY_HMAC : JOSE_ANY_PUBLIC, NULL) < 0)
        return assertion_error(err, "Signature on JWT token failed validation");
    if (jwt_claims(jws->payload, &expect, &claims, NULL) < 0)
        return assertion_error(err, "Token is not active");
    claims = json_keep(a, claims);
    if (!audience_is_ours(claims, issuer))
        return assertion_error(err, "Invalid token audience");
    jti = json_str(json_object_get(claims, "jti"));
    if (!jti.n || jti.n > 256)
        return assertion_error(err, "Missing jti in the token");
    name = arena_printf(a, "%.*s %.*s", STR_ARG(c->id), STR_ARG(jti));
    rc = sessions_use_once(sessions, r, "assertion", name,
                           (int64_t)json_number_value(json_object_get(claims, "exp")) + 60, err);
    if (rc == ERR_EXISTS)
        return assertion_error(err, "Token reuse detected");
    return rc;
}

static int by_assertion(struct oidc *o, const struct realm *r, struct arena *a, const struct credentials *given,
                        struct str issuer, const struct client **ret, struct err *err)
{
    const struct client *c;
    struct str subject, method;
    struct jws jws;
    bool by_secret;

    if (jws_parse(a, given->assertion, &jws, NULL) < 0)
        return assertion_error(err, "Invalid token");
    if (assertion_subject(a, &jws, &subject, err) < 0)
        return err->code;
    if (given->client_id.p && !str_eq(given->client_id, subject))
        return assertion_error(err, "client_id parameter does not match sub claim");
    c = realm_client(r, subject);
    if (!c || !c->enabled || c->is_public)
        return err_set_named(err, ERR_DENIED, "invalid_client", "%s", invalid);
    method = json_opt_str(c->rep, "clientAuthenticatorType", STR("client-secret"));
    by_secret = str_eq(method, STR("client-secret-jwt"));
    if (!by_secret && !str_eq(method, STR("client-jwt")))
        return err_set_named(err, ERR_DENIED, "invalid_client", "%s", invalid);
    *ret = c;
    return check_assertion(o, r, a, c, &jws, by_secret, issuer, err);
}

/* ---- secrets ---- */

static int by_secret(const struct realm *r, const struct credentials *given, const struct client **ret, struct err *err)
{
    const struct client *c = given->client_id.p ? realm_client(r, given->client_id) : NULL;
    struct str method;

    if (!c || !c->enabled) {
        /* As much work as for a client that there is. */
        (void)str_eq_secret(given->secret, STR("0123456789abcdef0123456789abcdef"));
        return err_set_named(err, ERR_DENIED, "invalid_client", "%s", invalid);
    }
    *ret = c;
    if (c->is_public)
        return 0;
    method = json_opt_str(c->rep, "clientAuthenticatorType", STR("client-secret"));
    if (!str_eq(method, STR("client-secret")) || !c->secret.n || !given->secret.n ||
        !str_eq_secret(given->secret, c->secret))
        return err_set_named(err, ERR_DENIED, given->secret.n ? "unauthorized_client" : "invalid_client", "%s",
                             invalid);
    return 0;
}

int oidc_authenticate_client(struct oidc *o, const struct realm *r, struct http_call *call,
                             const struct http_form *form, struct str issuer, const struct client **ret,
                             struct err *err)
{
    struct credentials given;
    int rc = read_credentials(call->request->arena, call->request, form, &given, err);

    if (rc < 0)
        return rc;
    rc = given.assertion.p ? by_assertion(o, r, call->request->arena, &given, issuer, ret, err)
                           : by_secret(r, &given, ret, err);
    if (rc < 0)
        return rc;
    if ((*ret)->bearer_only)
        return err_set_named(err, ERR_INVALID, "invalid_client", "Bearer-only not allowed");
    if (!str_eq(json_opt_str((*ret)->rep, "protocol", STR("openid-connect")), STR("openid-connect")))
        return err_set_named(err, ERR_INVALID, "invalid_client", "Wrong client protocol.");
    return 0;
}

bool call_client(struct call *c)
{
    const struct client *client = NULL;
    int rc = oidc_authenticate_client(c->o, c->realm, c->http, &c->form, c->issuer, &client, &c->err);

    if (client) {
        /* Known, but for CORS only once it is authenticated. */
        c->event.client_id = client->client_id;
    }
    if (rc == 0) {
        call_event_client(c, client);
        return true;
    }
    if (rc != ERR_DENIED && rc != ERR_INVALID) {
        call_broken(c);
        return false;
    }
    call_fail(c, rc == ERR_DENIED ? 401 : 400, c->err.name, client ? "invalid_client_credentials" : "client_not_found",
              c->err.message);
    return false;
}
