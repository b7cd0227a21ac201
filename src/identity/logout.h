/*
 * Ending a login so that its clients learn of it: OpenID Connect Back-Channel Logout 1.0. A client with the attribute
 * backchannel.logout.url gets a signed logout token POSTed there, by a bounded pool, tried again a few times; whoever
 * logs out doesn't wait for it.
 */
#ifndef IDENTITY_LOGOUT_H
#define IDENTITY_LOGOUT_H

#include "identity/context.h"
#include "identity/session.h"

struct logout; /* the pool that tells clients */

MUST_CHECK int logout_open(const struct identity_context *c, struct logout **ret, struct err *err);
/* Gives what waits up to grace_ms. */
void logout_close(struct logout *l, int grace_ms);

/* Ends the session, online and, for clients with backchannel.logout.revoke.offline.tokens, offline, and tells its clients.
 * `issuer` is the realm's: "https://id.example.org/realms/NAME". One that isn't there is no error. */
MUST_CHECK int logout_session(struct logout *l, const struct realm *r, struct str issuer, struct str session_id,
                              struct err *err);
/* All sessions of a user. */
MUST_CHECK int logout_user(struct logout *l, const struct realm *r, struct str issuer, struct str user_id,
                           struct err *err);
/* All sessions of the realm, a few at a time. */
MUST_CHECK int logout_realm(struct logout *l, const struct realm *r, struct str issuer, struct err *err);

#endif
