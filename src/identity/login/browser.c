/*
 * The cookies that say who is logged in: KEYCLOAK_IDENTITY is a token signed by the realm's HMAC key, for ourselves only;
 * the session that it names decides. KEYCLOAK_SESSION tells scripts of the applications' pages that the session is still
 * the same, without telling which.
 */
#include "identity/login/internal.h"

#include "base/enc.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/uuid.h"

enum { CSRF_BYTES = 32 };

static int sign(struct visit *v, const json_t *claims, struct str *ret, struct err *err)
{
    BUF_SCOPED struct buf payload = {0}, token = {0};
    struct jose_key *key;
    struct json_writer w;

    buf_init(&payload, JOSE_TOKEN_MAX);
    buf_init(&token, JOSE_TOKEN_MAX);
    json_writer_init(&w, &payload);
    json_add_value(&w, claims);
    int rc = tokens_signing_key(v->l->oidc.tokens, v->realm, STR("HS512"), &key, err);
    if (rc == 0)
        rc = jws_sign(key, JOSE_HS512, "JWT", buf_str(&payload), &token, err);
    if (rc == 0)
        rc = buf_check(&token, "a cookie", err);
    if (rc == 0)
        *ret = arena_str(v->a, buf_str(&token));
    return rc;
}

static int verify(struct visit *v, const char *type, struct str token, json_t **ret, struct err *err)
{
    const struct jwt_expect expect = {.issuer = v->issuer, .now = v->now};
    struct jose_key *key;
    struct jws jws;
    json_t *claims;
    int rc = jws_parse(v->a, token, &jws, err);

    if (rc == 0)
        rc = tokens_signing_key(v->l->oidc.tokens, v->realm, STR("HS512"), &key, err);
    if (rc == 0)
        rc = jws_verify(&jws, key, JOSE_BIT(JOSE_HS512), err);
    if (rc == 0)
        rc = jwt_claims(jws.payload, &expect, &claims, err);
    if (rc < 0)
        return rc;
    if (!str_eq_cstr(json_opt_str(claims, "typ", STR("")), type)) {
        json_decref(claims);
        return err_set(err, ERR_DENIED, "the cookie is of another kind");
    }
    *ret = claims;
    return 0;
}

int browser_seal(struct visit *v, const char *type, struct str text, int64_t lifetime_s, struct str *ret,
                 struct err *err)
{
    json_int_t now = v->now, expires = v->now + lifetime_s;
    JSON_SCOPED json_t *claims = json_pack("{s:I, s:I, s:o, s:s, s:o}", "exp", expires, "iat", now, "iss",
                                           visit_json(v->issuer), "typ", type, "txt", visit_json(text));

    return sign(v, claims, ret, err);
}

int browser_unseal(struct visit *v, const char *type, struct str sealed, struct str *ret, struct err *err)
{
    JSON_SCOPED json_t *claims = NULL;
    struct str text;
    int rc = verify(v, type, sealed, &claims, err);

    if (rc == 0)
        rc = json_get_str(claims, "txt", &text, err);
    if (rc == 0)
        *ret = arena_str(v->a, text);
    return rc;
}

int browser_login(struct visit *v, struct browser *ret, struct err *err)
{
    struct str cookie = http_cookie_get(v->r, "KEYCLOAK_IDENTITY");
    JSON_SCOPED json_t *claims = NULL;

    if (str_is_empty(cookie) || verify(v, "Serialized-ID", cookie, &claims, err) < 0)
        return err_set(err, ERR_NOT_FOUND, "nobody is logged in");
    struct str id = json_opt_str(claims, "sid", STR("")), user = json_opt_str(claims, "sub", STR(""));
    int rc = session_get(v->context->sessions, v->realm, v->a, id, false, &ret->session, err);
    if (rc == 0 && !str_eq(ret->session.user_id, user))
        rc = err_set(err, ERR_NOT_FOUND, "the session is another user's");
    if (rc == 0)
        rc = user_by_id(v->context->model, v->realm, v->a, user, &ret->user, err);
    if (rc == 0 && !ret->user.enabled)
        rc = err_set(err, ERR_NOT_FOUND, "the user is disabled");
    int64_t made = json_opt_i64(claims, "iat", 0);
    if (rc == 0 && (made < v->realm->not_before || made < ret->user.not_before))
        rc = err_set(err, ERR_NOT_FOUND, "logins of that time are no longer good");
    if (rc < 0)
        return rc == ERR_DENIED ? err_set(err, ERR_NOT_FOUND, "nobody is logged in") : rc;
    ret->csrf = arena_str(v->a, json_opt_str(claims, "state_checker", STR("")));
    return 0;
}

int browser_remember(struct visit *v, const struct session *s, struct err *err)
{
    char id[UUID_TEXT_SIZE];
    unsigned char csrf[CSRF_BYTES], digest[HASH_MAX_SIZE];
    BUF_SCOPED struct buf csrf_text = {0}, hash = {0};
    int64_t ends = session_max_expires(v->realm, s),
            lifetime = ends > v->now && ends < INT64_MAX ? ends - v->now : 36000;
    json_int_t now = v->now, expires = v->now + lifetime;
    struct str token;

    uuid_v4(id);
    rand_bytes(csrf, sizeof(csrf));
    buf_init(&csrf_text, 64);
    enc_base64url(&csrf_text, csrf, sizeof(csrf));
    JSON_SCOPED json_t *claims = json_pack("{s:I, s:I, s:s, s:o, s:o, s:s, s:o, s:o}", "exp", expires, "iat", now,
                                           "jti", id, "iss", visit_json(v->issuer), "sub", visit_json(s->user_id),
                                           "typ", "Serialized-ID", "sid", visit_json(s->id), "state_checker",
                                           visit_json(buf_str(&csrf_text)));
    int rc = sign(v, claims, &token, err);
    if (rc < 0)
        return rc;
    visit_set_cookie(v, "KEYCLOAK_IDENTITY", token, s->remember_me ? lifetime : 0, true);
    buf_init(&hash, 64);
    hash_bytes(HASH_SHA256, s->id, digest);
    enc_base64url(&hash, digest, hash_size(HASH_SHA256));
    visit_set_cookie(v, "KEYCLOAK_SESSION", arena_str(v->a, buf_str(&hash)), lifetime, false);
    return 0;
}

void browser_forget(struct visit *v)
{
    visit_remove_cookie(v, "KEYCLOAK_IDENTITY");
    visit_remove_cookie(v, "KEYCLOAK_SESSION");
    visit_remove_cookie(v, "AUTH_SESSION_ID");
    visit_remove_cookie(v, "KC_RESTART");
}
