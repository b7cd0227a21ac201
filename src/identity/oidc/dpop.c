/*
 * Proof of possession (RFC 9449): a proof is a JWS by a key of the client's own, for one request, used once. The key is in
 * its header; that is all it proves: that the tokens bound to this key come from who holds it.
 */
#include "base/enc.h"
#include "base/hash.h"
#include "http/url.h"
#include "identity/oidc/internal.h"

enum { PROOF_AGE_MAX = 60, CLOCK_SKEW = 15 };

static bool refuse(struct call *c, const char *why)
{
    call_fail(c, 400, "invalid_dpop_proof", "invalid_dpop_proof", why);
    return false;
}

static int key_of(struct str proof, struct jose_key **ret)
{
    JSON_SCOPED json_t *header = NULL;
    BUF_SCOPED struct buf b = {0};
    const json_t *jwk;

    buf_init(&b, 8192);
    if (enc_unbase64url(&b, str_slice(proof, 0, str_find_char(proof, '.', 0)), NULL) < 0 || b.failed ||
        json_parse(buf_str(&b), &header, NULL) < 0)
        return ERR_INVALID;
    jwk = json_object_get(header, "jwk");
    return jwk ? jose_key_from_jwk(jwk, ret, NULL) : ERR_INVALID;
}

/* The request's own URL, without query and fragment (RFC 9449, 4.2). */
static bool is_this_url(const struct call *c, struct str htu)
{
    struct http_url said, ours;
    size_t end;

    for (end = 0; end < htu.n && htu.p[end] != '?' && htu.p[end] != '#'; end++)
        ;
    return http_url_parse(c->a, str_slice(htu, 0, end), &said, NULL) == 0 &&
           http_url_parse(c->a, arena_printf(c->a, "%.*s%.*s", STR_ARG(c->base), STR_ARG(c->r->raw_path)), &ours,
                          NULL) == 0 &&
           http_url_same_origin(&said, &ours) && str_eq(said.path, ours.path);
}

static bool check_claims(struct call *c, const struct jws *jws, struct str token)
{
    const struct jwt_expect expect = {STR_NULL,   STR_NULL,      sessions_clock(c->context->sessions),
                                      CLOCK_SKEW, PROOF_AGE_MAX, true};
    unsigned char digest[32];
    BUF_SCOPED struct buf ath = {0};
    json_t *claims;
    struct str jti;

    if (jwt_claims(jws->payload, &expect, &claims, &c->err) < 0)
        return refuse(c, "DPoP proof is not active");
    claims = json_keep(c->a, claims);
    jti = json_str(json_object_get(claims, "jti"));
    if (!json_object_get(claims, "iat") || !jti.n || jti.n > 256)
        return refuse(c, "DPoP mandatory claims are missing");
    if (!str_eq(json_str(json_object_get(claims, "htm")), c->r->method))
        return refuse(c, "DPoP HTTP method mismatch");
    if (!is_this_url(c, json_str(json_object_get(claims, "htu"))))
        return refuse(c, "DPoP HTTP URL mismatch");
    if (token.p) {
        hash_bytes(HASH_SHA256, token, digest);
        buf_init(&ath, 64);
        enc_base64url(&ath, digest, sizeof(digest));
        if (!str_eq_secret(json_str(json_object_get(claims, "ath")), buf_str(&ath)))
            return refuse(c, "DPoP access token hash mismatch");
    }
    if (sessions_use_once(c->context->sessions, c->realm, "dpop", jti,
                          expect.now + PROOF_AGE_MAX + (int64_t)2 * CLOCK_SKEW, &c->err) < 0)
        return refuse(c, "DPoP proof has already been used");
    return true;
}

bool call_dpop(struct call *c, struct str token, struct str *ret_jkt)
{
    JOSE_KEY_SCOPED struct jose_key *key = NULL;
    char thumbprint[JOSE_THUMBPRINT_SIZE];
    struct str *proofs;
    size_t n = http_headers(c->r, "DPoP", &proofs);
    struct jws jws;

    *ret_jkt = STR_NULL;
    if (n == 0) {
        if (!token.p && c->client && config_bool(client_attributes(c->client), "dpop.bound.access.tokens", false))
            return refuse(c, "DPoP proof is missing");
        return true;
    }
    if (n > 1 || jws_parse(c->a, proofs[0], &jws, &c->err) < 0)
        return refuse(c, "DPoP header verification failure");
    if (!str_eq(jws.typ, STR("dpop+jwt")))
        return refuse(c, "Invalid or missing type in DPoP header: expected \"dpop+jwt\"");
    if (key_of(proofs[0], &key) < 0)
        return refuse(c, "No usable JWK in DPoP header");
    if (jose_key_is_private(key))
        return refuse(c, "Private key is present in DPoP header");
    if (jws_verify(&jws, key, JOSE_ANY_PUBLIC, &c->err) < 0)
        return refuse(c, "DPoP verification failure");
    if (!check_claims(c, &jws, token))
        return false;
    jose_key_thumbprint(key, thumbprint);
    *ret_jkt = arena_str(c->a, str_from_cstr(thumbprint));
    return true;
}
