/*
 * Logins and what hangs on them. A user session is one login of one user; a client session is one client's part in it. An
 * offline session is the copy of both that lives on for an offline token, under the same id.
 *
 * Sessions are rows, so a restart logs nobody out; creating and ending one waits for the disk. "Last seen" times are kept
 * in memory and written in batches: losing the last few seconds of them in a crash shortens a session's idle time by as
 * much and does nothing else. What lives for a minute (authorization codes, device codes, things that may be used
 * once) is in memory only, bounded, and forgotten by a restart, as Keycloak's are.
 *
 * Times are seconds since 1970. A session that has expired by its realm's and client's settings doesn't exist for any
 * function here; a thread of its own removes the rows later, a few at a time. All functions may be called from any thread.
 * The texts of a result lie in the arena given.
 */
#ifndef IDENTITY_SESSION_H
#define IDENTITY_SESSION_H

#include "identity/model.h"

struct sessions;

/* Makes the tables when missing. `model` outlives the result. */
MUST_CHECK int sessions_open(struct identity *model, struct sessions **ret, struct err *err);
/* Writes what waits, then ends. */
void sessions_close(struct sessions *s);
void sessions_flush(struct sessions *s);          /* writes what waits now: for tests */
int64_t sessions_clock(const struct sessions *s); /* seconds since 1970, as all here sees it */

enum { SESSION_ID_SIZE = 25 };

/* ---- user sessions ---- */

struct session {
    struct str id;                       /* 24 characters of base64url; the tokens' `sid` */
    struct str user_id, ip, auth_method; /* "openid-connect" */
    bool offline, remember_me;
    int64_t started, last_access;
    int64_t auth_time; /* of the last interactive login; 0: there was none (password grant), and then no such claim */
    json_t *notes;     /* an object of texts, read by session-note mappers; as long as the arena */
};

/* A new session of the user. Of `what` user_id, ip, auth_method, remember_me, auth_time and notes (may be NULL) are taken;
 * an id too when it isn't null (login pages give the id of the authentication session). */
MUST_CHECK int session_new(struct sessions *s, const struct realm *r, struct arena *a, const struct session *what,
                           struct session *ret, struct err *err);
/* ERR_NOT_FOUND: "Session not active". */
MUST_CHECK int session_get(struct sessions *s, const struct realm *r, struct arena *a, struct str id, bool offline,
                           struct session *ret, struct err *err);
/* Seen now: what keeps it from idling out. Doesn't wait for the disk. */
void session_touch(struct sessions *s, const struct realm *r, const struct session *session);
/* The user has logged in again within it. */
MUST_CHECK int session_set_auth_time(struct sessions *s, const struct realm *r, struct str id, int64_t auth_time,
                                     struct err *err);
/* Sets one note; a null value removes it. */
MUST_CHECK int session_set_note(struct sessions *s, const struct realm *r, struct str id, bool offline, struct str name,
                                struct str value, struct err *err);
/* Ends it with its client sessions; its tokens are worth nothing from then. One that isn't there is no error. Doesn't tell
 * the clients: see logout.h. */
MUST_CHECK int session_end(struct sessions *s, const struct realm *r, struct str id, bool offline, struct err *err);
/* When it ends if nobody touches it, and at the latest; the smaller of the two. */
int64_t session_expires(const struct realm *r, const struct session *session);
int64_t session_max_expires(const struct realm *r, const struct session *session); /* INT64_MAX: never */

/* ---- client sessions ---- */

struct client_session {
    struct str session_id, client_id; /* the client's UUID */
    bool offline;
    struct str scope;        /* as requested, what the client doesn't have left out */
    struct str redirect_uri; /* null: not by a browser */
    int64_t started, last_access;
    json_t *notes; /* an object of texts: "acr", "claims", …; as long as the arena */
};

/* The client takes part in the session from now, with this scope; or, when it does already, its scope, redirect URI and
 * notes become these. */
MUST_CHECK int client_session_put(struct sessions *s, const struct realm *r, const struct client_session *cs,
                                  struct err *err);
/* ERR_NOT_FOUND: the client has no part in it, or no longer. */
MUST_CHECK int client_session_get(struct sessions *s, const struct realm *r, struct arena *a,
                                  const struct session *session, const struct client *c, struct client_session *ret,
                                  struct err *err);
void client_session_touch(struct sessions *s, const struct realm *r, const struct client_session *cs);
/* Ends the client's part; the last one of an offline session ends that too. */
MUST_CHECK int client_session_end(struct sessions *s, const struct realm *r, struct str session_id,
                                  struct str client_id, bool offline, struct err *err);
/* As session_expires. `c` has overrides: client.session.idle.timeout and so on. */
int64_t client_session_expires(const struct realm *r, const struct client *c, const struct session *session,
                               const struct client_session *cs);
/* Copies session and client session for an offline token, or updates the copy. */
MUST_CHECK int session_make_offline(struct sessions *s, const struct realm *r, const struct session *session,
                                    const struct client_session *cs, struct err *err);

/* Rotation with reuse detection (the realm's revokeRefreshToken and refreshTokenMaxReuse): called with the token that is
 * being used and the id of the one that will be made from it. `chain` is the tokens' reuse_id: what follows from one
 * login. ERR_DENIED with Keycloak's words ("Stale token", "Maximum allowed refresh token reuse exceeded"): the token was
 * used before and too often; the client's part in the session has then ended, and with it the tokens of whoever has the
 * other copy (RFC 9700, 4.14.2). Without rotation always 0. */
MUST_CHECK int client_session_use_refresh(struct sessions *s, const struct realm *r, const struct client_session *cs,
                                          struct str chain, struct str token_id, struct str next_id, struct err *err);

/* ---- lists, for admin pages ---- */

struct session_list {
    struct session *items;
    size_t n;
};
MUST_CHECK int sessions_of_user(struct sessions *s, const struct realm *r, struct arena *a, struct str user_id,
                                bool offline, struct session_list *ret, struct err *err);
/* Newest first; max 0: 100. */
MUST_CHECK int sessions_of_client(struct sessions *s, const struct realm *r, struct arena *a, const struct client *c,
                                  bool offline, int64_t first, int64_t max, struct session_list *ret, struct err *err);
MUST_CHECK int sessions_of_realm(struct sessions *s, const struct realm *r, struct arena *a, bool offline,
                                 int64_t first, int64_t max, struct session_list *ret, struct err *err);
MUST_CHECK int sessions_count(struct sessions *s, const struct realm *r, const struct client *c, bool offline,
                              int64_t *ret, struct err *err);
struct client_session_list {
    struct client_session *items;
    size_t n;
};
/* The clients that take part in a session. */
MUST_CHECK int client_sessions_of(struct sessions *s, const struct realm *r, struct arena *a,
                                  const struct session *session, struct client_session_list *ret, struct err *err);

/* What is left when a user, a client or a realm is deleted; a null id is not allowed. */
MUST_CHECK int sessions_forget_user(struct sessions *s, struct str realm_id, struct str user_id, struct err *err);
MUST_CHECK int sessions_forget_client(struct sessions *s, struct str realm_id, struct str client_id, struct err *err);
MUST_CHECK int sessions_forget_realm(struct sessions *s, struct str realm_id, struct err *err);

/* ---- authorization codes ---- */

struct auth_code {
    struct str session_id, client_id;                                                    /* the client's UUID */
    struct str redirect_uri, scope, nonce, state, code_challenge, code_challenge_method; /* null where not said */
    struct str acr;      /* the level reached: "0" for single sign-on, "1" after a login */
    struct str dpop_jkt; /* the key that the token request has to prove; null: none */
    struct str claims;   /* the claims parameter; null */
    bool max_age_asked;  /* auth_time belongs into the ID token */
};

/* A code for the client's redirect URI, good once and for the realm's accessCodeLifespan: "UUID.SESSION.CLIENT". */
MUST_CHECK int auth_code_new(struct sessions *s, const struct realm *r, const struct auth_code *what, struct buf *to,
                             struct err *err);
/* Takes the code out. ERR_NOT_FOUND: "Code not valid"; also when it was used before: the client's part in its session,
 * and so the tokens that were made from it, has then ended (RFC 6749, 4.1.2). */
MUST_CHECK int auth_code_take(struct sessions *s, const struct realm *r, struct arena *a, struct str code,
                              struct auth_code *ret, struct err *err);

/* ---- device codes (RFC 8628) ---- */

enum device_status { DEVICE_PENDING, DEVICE_APPROVED, DEVICE_DENIED, DEVICE_SLOW_DOWN, DEVICE_EXPIRED };
struct device_code {
    struct str device_code, user_code; /* made by device_code_new; the user's as "ABCD-EFGH" */
    struct str client_id;              /* the client's UUID */
    struct str scope, nonce, code_challenge, code_challenge_method;
    struct str session_id; /* of who approved it */
    int64_t expires, interval;
};
MUST_CHECK int device_code_new(struct sessions *s, const struct realm *r, struct arena *a,
                               const struct device_code *what, struct device_code *ret, struct err *err);
/* For the page where users type it: case and the dash don't matter. ERR_NOT_FOUND: there is none, or it is decided. The
 * caller limits tries (brute.h): a user code has 34 bits. */
MUST_CHECK int device_code_of_user(struct sessions *s, const struct realm *r, struct arena *a, struct str user_code,
                                   struct device_code *ret, struct err *err);
MUST_CHECK int device_code_approve(struct sessions *s, const struct realm *r, struct str user_code,
                                   struct str session_id, struct err *err);
MUST_CHECK int device_code_deny(struct sessions *s, const struct realm *r, struct str user_code, struct err *err);
/* What the device asks. ERR_NOT_FOUND: no such code of this client. An approved, denied or expired one is taken out. */
MUST_CHECK int device_code_poll(struct sessions *s, const struct realm *r, struct arena *a, struct str device_code,
                                struct str client_id, struct device_code *ret, enum device_status *ret_status,
                                struct err *err);

/* ---- things that may be used once ---- */

/* Remembers a name until `expires`: ids of client assertions, of action tokens, of DPoP proofs. ERR_EXISTS: it was used. */
MUST_CHECK int sessions_use_once(struct sessions *s, const struct realm *r, const char *kind, struct str name,
                                 int64_t expires, struct err *err);
/* Keeps a text until it is taken or `expires`: pushed authorization requests. */
MUST_CHECK int sessions_keep(struct sessions *s, const struct realm *r, const char *kind, struct str name,
                             struct str text, int64_t expires, struct err *err);
MUST_CHECK int sessions_take(struct sessions *s, const struct realm *r, struct arena *a, const char *kind,
                             struct str name, struct str *ret, struct err *err);

/* ---- access tokens that were revoked before their time: rows, since a restart must not make them valid again ---- */

MUST_CHECK int sessions_revoke_token(struct sessions *s, const struct realm *r, struct str jti, int64_t expires,
                                     struct err *err);
bool sessions_is_token_revoked(struct sessions *s, const struct realm *r, struct str jti);

#endif
