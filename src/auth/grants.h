/*
 * Who may use which bucket. A user has an access key, a secret, and grants: buckets that it may read and write,
 * create and delete. All others don't exist for it: listing leaves them out, and naming one is AccessDenied whether
 * there is such a bucket or not.
 */
#ifndef AUTH_GRANTS_H
#define AUTH_GRANTS_H

#include "auth/sigv4.h"
#include "base/map.h"

struct grants_user {
    struct str name, access_key, secret_key;
    struct str previous_key; /* the secret before a rotation, good until previous_until; null: none */
    int64_t previous_until;  /* wall clock, ms */
    const struct str *buckets;
    size_t bucket_count;
};

/* Immutable once filled, and then used by any thread. */
struct grants {
    struct arena arena;
    struct map users; /* access key to struct grants_user */
};

void grants_init(struct grants *g);
void grants_release(struct grants *g); /* wipes the secrets */
/* Copies the user. ERR_EXISTS: another one has this access key. ERR_INVALID: no access key or no secret. */
MUST_CHECK int grants_add(struct grants *g, const struct grants_user *user, struct err *err);
/* NULL: none has it. */
const struct grants_user *grants_find(const struct grants *g, struct str access_key);
/* As sigv4_verify asks for them; ctx is a const struct grants. */
int grants_keys(void *ctx, struct str access_key, struct str token, struct sigv4_keys *ret, struct err *err);
bool grants_has_bucket(const struct grants_user *u, struct str bucket);
/* ERR_DENIED, AccessDenied, when the user has no grant for it. */
MUST_CHECK int grants_check(const struct grants_user *u, struct str bucket, struct err *err);

#endif
