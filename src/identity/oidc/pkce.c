/* Proof Key for Code Exchange (RFC 7636), with Keycloak's words. */
#include "base/enc.h"
#include "base/hash.h"
#include "identity/oidc/internal.h"
#include "identity/oidc/pkce.h"

enum { LENGTH_MIN = 43, LENGTH_MAX = 128 };

/* 43 to 128 of the unreserved characters: RFC 7636, 4.1 and 4.2. */
static bool is_well_formed(struct str s)
{
    if (s.n < LENGTH_MIN || s.n > LENGTH_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c)))
            return false;
    }
    return true;
}

int oidc_check_pkce_request(const struct client *c, struct str challenge, struct str method, struct err *err)
{
    bool plain = str_eq(method, STR("plain")) || !method.n;

    if (c->pkce_method.n) {
        if (!method.n)
            return err_set(err, ERR_INVALID, "Missing parameter: code_challenge_method");
        if (!str_eq(method, c->pkce_method))
            return err_set(err, ERR_INVALID,
                           "Invalid parameter: code challenge method is not matching the configured one");
        if (!challenge.n)
            return err_set(err, ERR_INVALID, "Missing parameter: code_challenge");
    } else {
        if (!challenge.n)
            return method.n ? err_set(err, ERR_INVALID, "Missing parameter: code_challenge") : 0;
        if (!plain && !str_eq(method, STR("S256")))
            return err_set(err, ERR_INVALID, "Invalid parameter: invalid code_challenge_method");
    }
    return is_well_formed(challenge) ? 0 : err_set(err, ERR_INVALID, "Invalid parameter: code_challenge");
}

int pkce_check_verifier(struct str challenge, struct str method, struct str verifier, struct err *err)
{
    unsigned char digest[32];
    BUF_SCOPED struct buf b = {0};

    if (!challenge.n)
        return verifier.n
                   ? err_set(err, ERR_DENIED, "PKCE code verifier specified but challenge not present in authorization")
                   : 0;
    if (!verifier.n)
        return err_set(err, ERR_DENIED, "PKCE code verifier not specified");
    if (!is_well_formed(verifier))
        return err_set(err, ERR_DENIED, "PKCE verification failed: Invalid code verifier");
    if (str_eq(method, STR("S256"))) {
        hash_bytes(HASH_SHA256, verifier, digest);
        buf_init(&b, 64);
        enc_base64url(&b, digest, sizeof(digest));
        verifier = buf_str(&b);
    }
    return str_eq_secret(verifier, challenge) ? 0 : err_set(err, ERR_DENIED, "PKCE verification failed: Code mismatch");
}
