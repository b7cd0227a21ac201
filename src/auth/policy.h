/*
 * IAM policies: JSON documents that say who may do what to which objects, with the elements that S3's users know
 * (Effect, Action, NotAction, Resource, NotResource, Condition) and MinIO's meaning where it differs from AWS's:
 *
 *   a bucket's own operations (ListBucket, …) match the resource "BUCKET" and also "BUCKET/" with a wildcard behind
 *   a user's policy needs no Version; if there is one it is 2012-10-17
 *   jwt:NAME is the claim NAME of the token that temporary credentials came from
 *
 * What isn't known (an element, an action of s3, a condition's operator or key) is an error and not ignored: a policy
 * that says less than its author meant may allow more. A variable's value stands for itself: a "*" in a user's name is
 * no wildcard.
 *
 *   policy.c            what a request is allowed
 *   policy_parse.c      documents
 *   policy_pattern.c    wildcards and variables
 *   policy_condition.c  operators
 *   policy_actions.c    the names that there are
 */
#ifndef AUTH_POLICY_H
#define AUTH_POLICY_H

#include "base/arena.h"

enum { POLICY_SIZE_MAX = 20 << 10 }; /* bytes of a document, as MinIO's */

/* Immutable; lives in the arena it was made in. */
struct policy;

/* Errors say which statement and element. */
MUST_CHECK int policy_parse(struct arena *a, struct str json, struct policy **ret, struct err *err);
bool policy_has_version(const struct policy *p);
/* All of S3 in these buckets, and no other. */
const struct policy *policy_for_buckets(struct arena *a, const struct str *buckets, size_t n);
/* MinIO's own: readonly, readwrite, writeonly, consoleAdmin. NULL: none of that name. */
const char *policy_builtin(struct str name);

struct policy_request {
    struct arena *arena;    /* for what is worked out on the way */
    const char *action;     /* "s3:GetObject" */
    struct str bucket, key; /* key empty: about the bucket; both: about the service */
    /* The values that a condition's key has in this request; 0: it isn't there. `key` is spelled as in AWS's
     * documentation ("aws:SourceIp", "s3:prefix", "jwt:sub"). */
    size_t (*values)(void *ctx, const char *key, const struct str **ret);
    void *ctx;
};

enum policy_effect { POLICY_NONE, POLICY_ALLOW, POLICY_DENY };

/* Of all of them together: a deny wins, then an allow; NONE is a deny that nobody wrote. */
enum policy_effect policy_evaluate(const struct policy *const *policies, size_t n, const struct policy_request *r);

#endif
