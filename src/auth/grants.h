/*
 * Who may use which bucket. A user has an access key, a secret, and grants: buckets that it may read and write,
 * create and delete. All others don't exist for it: listing leaves them out, and naming one is AccessDenied whether
 * there is such a bucket or not.
 */
#ifndef AUTH_GRANTS_H
#define AUTH_GRANTS_H

#include "base/arena.h"
#include "base/map.h"

struct grants_user {
    struct str name, access_key, secret_key;
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
/* As sigv4_verify asks for it; ctx is a struct grants. */
struct str grants_secret(void *ctx, struct str access_key);
bool grants_has_bucket(const struct grants_user *u, struct str bucket);
/* ERR_DENIED, AccessDenied, when the user has no grant for it. */
MUST_CHECK int grants_check(const struct grants_user *u, struct str bucket, struct err *err);

#endif
