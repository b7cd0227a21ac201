/*
 * Temporary credentials. The store keeps none: all about them (the secret key, how long they last, which policies and
 * claims they came with) is in the session token, encrypted with a key of the store's own, so that they are good after
 * a restart too. They can't be called back one by one; rotating the secret store/sts-key ends all of them.
 */
#ifndef S3_SESSION_H
#define S3_SESSION_H

#include "base/arena.h"
#include "base/json.h"

enum {
    SESSION_KEY_SIZE = 32,
    SESSION_POLICY_MAX = 2048,      /* bytes, as in AWS's AssumeRoleWithWebIdentity */
    SESSION_CLAIMS_MAX = 8 << 10,   /* bytes of JSON: what a header can carry along */
    SESSION_POLICIES_MAX = 1 << 10, /* bytes of names */
};

struct session_claim {
    struct str name;
    struct str *values; /* one, or those of a list */
    size_t n;
};

struct session {
    struct str access_key, secret_key;
    int64_t expires_ms; /* wall clock */
    struct str name;    /* who it is, for people */
    struct str subject;
    struct str policies;       /* names with commas between */
    struct str session_policy; /* JSON; null: none */
    const struct session_claim *claims;
    size_t claim_count;
};

/* From the secret store/sts-key. */
void session_make_key(struct str secret, unsigned char ret[SESSION_KEY_SIZE]);
/* Draws the two keys and makes the token, in the arena; `claims` are those of a verified web identity token, of which
 * texts, numbers, booleans and lists of texts are kept. ERR_LIMIT when there are too many. */
MUST_CHECK int s3_session_new(struct arena *a, const unsigned char key[SESSION_KEY_SIZE], struct session *s,
                              const json_t *claims, struct str *ret_token, struct err *err);
/* ERR_DENIED: not made with this key. Whether it has expired is the caller's business. */
MUST_CHECK int s3_session_open(struct arena *a, const unsigned char key[SESSION_KEY_SIZE], struct str token,
                               struct session *ret, struct err *err);

#endif
