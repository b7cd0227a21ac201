/*
 * Brute-force protection: Keycloak's, by user, with the realm's settings (bruteForceProtected, failureFactor,
 * waitIncrementSeconds, maxFailureWaitSeconds, maxDeltaTimeSeconds, quickLoginCheckMilliSeconds,
 * minimumQuickLoginWaitSeconds, permanentLockout, maxTemporaryLockouts, bruteForceStrategy); and one that Keycloak
 * doesn't have, by address, whatever the realm says: an address that fails often has to wait before passwords are
 * looked at, so that argon2id's cost can't be turned against the service.
 *
 * Asked wherever a password, a one-time code or a user code is checked. In memory: a restart forgets temporary
 * lockouts, as Keycloak's does; a permanent one disables the user.
 */
#ifndef IDENTITY_BRUTE_H
#define IDENTITY_BRUTE_H

#include "identity/event.h"

struct brute;

/* `model` and `events` outlive the result. */
struct brute *brute_new(struct identity *model, struct events *events);
void brute_free(struct brute *b);

enum brute_verdict {
    BRUTE_FREE,
    BRUTE_USER_LOCKED, /* for now: say what a wrong password says, the event's error is "user_temporarily_disabled" */
    BRUTE_ADDRESS,     /* too many from this address: 429 with Retry-After */
};
/* Before a check. `u` may be NULL (no such user: the address alone counts). ret_wait_s (may be NULL): seconds to wait. */
enum brute_verdict brute_check(struct brute *b, const struct realm *r, const struct user *u, struct str ip,
                               int64_t now_ms, int *ret_wait_s);
/* After one that failed. May disable the user (permanent lockout), and writes the USER_DISABLED_BY_… event. */
void brute_failed(struct brute *b, const struct realm *r, const struct user *u, struct str ip, int64_t now_ms);
void brute_succeeded(struct brute *b, const struct realm *r, const struct user *u, struct str ip);

/* For /admin/realms/{realm}/attack-detection/brute-force/users[/{id}]. */
struct brute_status {
    int failures, temporary_lockouts;
    int64_t last_failure_ms;
    struct str last_ip; /* in the arena */
    bool locked;
    int64_t not_before_s;
};
void brute_status(struct brute *b, struct arena *a, const struct realm *r, struct str user_id, int64_t now_ms,
                  struct brute_status *ret);
void brute_clear(struct brute *b, const struct realm *r, struct str user_id); /* null: all of the realm */

#endif
