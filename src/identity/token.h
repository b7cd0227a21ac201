/*
 * Tokens: which claims, from which mappers, signed by which key; and reading our own back.
 *
 * Claims, their order, the jti's prefix and the rules for aud, roles and scope are Keycloak 26.7's. Protocol mappers are a
 * table by kind (mappers.c); one whose kind we don't have is logged once and left out of tokens, never half-done.
 */
#ifndef IDENTITY_TOKEN_H
#define IDENTITY_TOKEN_H

#include "auth/jose.h"
#include "identity/context.h"
#include "identity/session.h"

struct tokens; /* keys that were parsed, and what verification needs */

MUST_CHECK int tokens_open(const struct identity_context *c, struct tokens **ret, struct err *err);
void tokens_close(struct tokens *t);

/* The key of a snapshot, parsed; borrowed as long as `t` lives. ERR_NOT_FOUND: the realm has no active key for it. */
MUST_CHECK int tokens_signing_key(struct tokens *t, const struct realm *r, struct str algorithm, struct jose_key **ret,
                                  struct err *err);
/* The realm's "iss": BASE/realms/NAME. */
struct str token_issuer(struct arena *a, struct str base_url, const struct realm *r);

/* ---- scope ---- */

struct token_scope {
    const struct client_scope **scopes; /* the client's default ones and the optional ones that were asked for */
    size_t n;
    bool openid, offline;
    struct str text; /* what tokens and answers say: "openid email profile" */
    struct str all;  /* with the names that include.in.token.scope hides: what refresh tokens keep */
};
/* ERR_INVALID, "Invalid scopes: …": a name that the client doesn't have. `requested` may be null. */
MUST_CHECK int token_scope_resolve(const struct realm *r, const struct client *c, struct arena *a, struct str requested,
                                   struct token_scope *ret, struct err *err);

/* ---- issuing ---- */

enum token_grant {
    TOKEN_GRANT_CODE,
    TOKEN_GRANT_IMPLICIT,
    TOKEN_GRANT_PASSWORD,
    TOKEN_GRANT_CLIENT_CREDENTIALS,
    TOKEN_GRANT_REFRESH,
    TOKEN_GRANT_DEVICE,
    TOKEN_GRANT_EXCHANGE,
};

struct token_request {
    const struct realm *realm;
    const struct client *client;
    const struct user *user;
    const struct session *session; /* NULL: none (client_credentials): no sid, no refresh token */
    const struct client_session *client_session;
    const struct token_scope *scope;
    enum token_grant grant;
    struct str issuer;
    struct str nonce, acr;      /* null: none */
    struct str client_host;     /* of a service account: clientHost, clientAddress */
    struct str dpop_jkt;        /* null: a bearer token */
    struct str code, state;     /* for c_hash and s_hash of the implicit and hybrid flows */
    const struct str *audience; /* token exchange: only these of the audiences; none: all */
    size_t audience_count;
    bool check_audience; /* ERR_DENIED, "invalid_request", when the token would lack one of them */
    bool want_refresh;
    struct str refresh_all_scope; /* on refresh: what the old token kept; null: scope->all */
    struct str refresh_id, chain; /* the refresh token's jti and reuse_id; null: new ones */
};

struct token_answer {
    struct str access_token, id_token, refresh_token; /* null where there is none */
    struct str access_id, refresh_id;                 /* their jti */
    int64_t expires_in, refresh_expires_in;
    int64_t not_before;
    struct str session_state, scope, token_type;
    struct str issued_token_type; /* token exchange: set by who answers; null elsewhere */
};
/* Makes the tokens; nothing is written but the offline session of an offline token. */
MUST_CHECK int token_issue(struct tokens *t, struct arena *a, const struct token_request *q, struct token_answer *ret,
                           struct err *err);
/* The answer of the token endpoint. */
void token_answer_write(const struct token_answer *p, struct json_writer *w);
/* What userinfo and introspection add by the mappers that say so. `claims` are put in order into an open object. */
MUST_CHECK int token_write_userinfo(struct tokens *t, struct arena *a, const struct token_request *q,
                                    struct json_writer *w, struct err *err);
MUST_CHECK int token_write_introspection(struct tokens *t, struct arena *a, const struct token_request *q,
                                         const json_t *claims, struct json_writer *w, struct err *err);

/* ---- reading our own ---- */

enum token_kind { TOKEN_ACCESS, TOKEN_REFRESH, TOKEN_ID };

/* Who a token speaks for. Members are valid as long as the arena and the realm's snapshot. */
struct token {
    enum token_kind kind;
    json_t *claims; /* as long as the arena */
    struct str id, type;
    const struct client *client; /* azp */
    struct user user;
    struct session session; /* id null: the token has none */
    struct client_session client_session;
    bool offline;
    int64_t issued, expires; /* expires 0: never (an offline token) */
};

struct token_expect {
    enum token_kind kind;
    struct str issuer;
    bool ignore_expiry;  /* id_token_hint: an expired one still says who asks */
    bool ignore_session; /* and its session may be gone */
};
/* All of it: signature by one of the realm's keys of the right kind, issuer, type, expiry, the not-before of realm, client
 * and user, not revoked, client known and enabled, user known and enabled, session and client session alive. ERR_DENIED;
 * err->name is the event's error ("invalid_token", "expired_token", "user_disabled", "session_expired", …). */
MUST_CHECK int token_verify(struct tokens *t, const struct realm *r, struct arena *a, struct str text,
                            const struct token_expect *e, struct token *ret, struct err *err);
/* The token of an Authorization header, "Bearer …" (or "DPoP …"): null: none. */
struct str token_of_header(struct str authorization);
/* True when the token's realm_access has the role, or the resource_access of `client_id` (not null). */
bool token_has_role(const struct token *t, struct str client_id, struct str role);

#endif
