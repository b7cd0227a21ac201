/*
 * Reading our own tokens back. The order matters: nothing of a token is believed before its signature, and the signature is
 * checked by a key that the realm has for this very algorithm. Keys of other realms, keys in the header and the header's
 * wishes play no part.
 */
#include "identity/token/internal.h"

static int deny(struct err *err, const char *event_error, const char *message)
{
    return err_set_named(err, ERR_DENIED, event_error, "%s", message);
}

static const char *invalid(const struct token_expect *e)
{
    return e->kind == TOKEN_REFRESH ? "Invalid refresh token" : "Token verification failed";
}

/* Which signatures and which "typ" claim a kind of token has. */
static bool kind_allows(enum token_kind kind, enum jose_alg alg, struct str typ)
{
    switch (kind) {
    case TOKEN_REFRESH:
        return alg == JOSE_HS512 && (str_eq(typ, STR("Refresh")) || str_eq(typ, STR("Offline")));
    case TOKEN_ID:
        return str_eq(typ, STR("ID"));
    default:
        return str_eq(typ, STR("Bearer")) || str_eq(typ, STR("DPoP"));
    }
}

static int read_claims(struct tokens *t, const struct realm *r, struct arena *a, struct str text,
                       const struct token_expect *e, struct token *tok, struct err *err)
{
    /* Issued by this very process: no leeway but for iat, which another clock of a restart may have put a second ahead. */
    struct jwt_expect expect = {e->issuer, STR_NULL, sessions_clock(t->context->sessions), 1, 0, true};
    struct jose_key *key;
    struct jws jws;
    json_t *claims;
    int rc;

    if (jws_parse(a, text, &jws, err) < 0)
        return deny(err, "invalid_token", invalid(e));
    key = token_key(t, r, jws.kid);
    if (!key || jws_verify(&jws, key, JOSE_BIT(jws.alg) & jose_key_algs(key), err) < 0)
        return deny(err, "invalid_token", invalid(e));
    if (e->ignore_expiry)
        expect.leeway = INT64_C(1) << 40;
    rc = jwt_claims(jws.payload, &expect, &claims, err);
    if (rc < 0) {
        bool expired = str_eq_cstr(STR("the token has expired"), err->message);
        return deny(err, expired ? "expired_token" : "invalid_token",
                    expired && e->kind == TOKEN_REFRESH ? "Token is not active" : invalid(e));
    }
    tok->claims = json_keep(a, claims);
    tok->type = json_str(json_object_get(claims, "typ"));
    tok->id = json_str(json_object_get(claims, "jti"));
    tok->issued = json_opt_i64(claims, "iat", 0);
    tok->expires = json_opt_i64(claims, "exp", 0);
    tok->offline = str_eq(tok->type, STR("Offline"));
    if (!kind_allows(e->kind, jws.alg, tok->type) || !tok->id.n || !tok->issued || (!tok->expires && !tok->offline))
        return deny(err, "invalid_token", invalid(e));
    return 0;
}

static int read_client(const struct realm *r, const struct token_expect *e, struct token *tok, struct err *err)
{
    tok->client = realm_client(r, json_str(json_object_get(tok->claims, "azp")));
    if (!tok->client)
        return deny(err, "invalid_token", invalid(e));
    if (!tok->client->enabled)
        return deny(err, "client_disabled", e->kind == TOKEN_REFRESH ? "Client disabled" : invalid(e));
    if (tok->issued < r->not_before || tok->issued < json_opt_i64(tok->client->rep, "notBefore", 0))
        return deny(err, "invalid_token", e->kind == TOKEN_REFRESH ? "Stale token" : invalid(e));
    return 0;
}

static int read_session(struct tokens *t, const struct realm *r, struct arena *a, const struct token_expect *e,
                        struct token *tok, struct err *err)
{
    struct sessions *sessions = t->context->sessions;
    struct str sid = json_str(json_object_get(tok->claims, "sid"));
    int rc;

    tok->session = (struct session){.id = STR_NULL};
    if (e->ignore_session) {
        tok->session.id = sid;
        return 0;
    }
    if (!sid.p)
        return e->kind == TOKEN_REFRESH ? deny(err, "invalid_token", "Invalid refresh token") : 0;
    /* An access token of an offline session says so in its id; one made with the offline token at the same login may
     * live by either. */
    rc = tok->offline ? ERR_NOT_FOUND : session_get(sessions, r, a, sid, false, &tok->session, err);
    if (rc == 0)
        rc = client_session_get(sessions, r, a, &tok->session, tok->client, &tok->client_session, err);
    if (rc == ERR_NOT_FOUND && (tok->offline || str_starts_with(tok->id, STR("of")))) {
        rc = session_get(sessions, r, a, sid, true, &tok->session, err);
        if (rc == 0)
            rc = client_session_get(sessions, r, a, &tok->session, tok->client, &tok->client_session, err);
        if (rc == ERR_NOT_FOUND && tok->offline)
            return deny(err, "session_expired", "Offline user session not found");
    }
    if (rc == ERR_NOT_FOUND)
        return err_set_named(err, ERR_DENIED, "session_expired", "%s",
                             e->kind == TOKEN_REFRESH ? "Session not active" : invalid(e));
    return rc;
}

static int read_user(struct tokens *t, const struct realm *r, struct arena *a, const struct token_expect *e,
                     struct token *tok, struct err *err)
{
    struct str sub = json_str(json_object_get(tok->claims, "sub"));
    int rc;

    if (!sub.p)
        sub = tok->session.user_id;
    else if (tok->session.user_id.p && !str_eq(sub, tok->session.user_id))
        return deny(err, "invalid_token", invalid(e));
    if (!sub.p)
        return deny(err, "user_not_found", invalid(e));
    rc = user_by_id(t->context->model, r, a, sub, &tok->user, err);
    if (rc == ERR_NOT_FOUND)
        return deny(err, "user_not_found", invalid(e));
    if (rc < 0)
        return rc;
    if (!tok->user.enabled)
        return deny(err, "user_disabled", e->kind == TOKEN_REFRESH ? "User disabled" : invalid(e));
    if (tok->issued < tok->user.not_before)
        return deny(err, "invalid_token", e->kind == TOKEN_REFRESH ? "Stale token" : invalid(e));
    return 0;
}

int token_verify(struct tokens *t, const struct realm *r, struct arena *a, struct str text,
                 const struct token_expect *e, struct token *ret, struct err *err)
{
    struct token tok = {.kind = e->kind};
    int rc = read_claims(t, r, a, text, e, &tok, err);

    if (rc == 0)
        rc = read_client(r, e, &tok, err);
    if (rc == 0 && e->kind != TOKEN_ID && sessions_is_token_revoked(t->context->sessions, r, tok.id))
        rc = deny(err, "invalid_token", invalid(e));
    if (rc == 0)
        rc = read_session(t, r, a, e, &tok, err);
    if (rc == 0)
        rc = read_user(t, r, a, e, &tok, err);
    if (rc == 0)
        *ret = tok;
    return rc;
}

struct str token_of_header(struct str authorization)
{
    struct str schemes[] = {STR("Bearer "), STR("DPoP ")};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (str_starts_with_nocase(authorization, schemes[i]))
            return str_trim(str_skip(authorization, schemes[i].n));
    return STR_NULL;
}

bool token_has_role(const struct token *t, struct str client_id, struct str role)
{
    const json_t *access = json_object_get(t->claims, "realm_access"), *roles, *one;
    size_t i;

    if (client_id.p) {
        ARENA_SCOPED struct arena a;
        arena_init(&a, 0);
        access = json_object_get(json_object_get(t->claims, "resource_access"), arena_cstr(&a, client_id));
    }
    roles = json_object_get(access, "roles");
    json_array_foreach(roles, i, one)
    {
        if (str_eq(json_str(one), role))
            return true;
    }
    return false;
}
