/* What the files of the Vault place share: requests, and the token that they carry. */
#ifndef SECRETS_VAULT_H
#define SECRETS_VAULT_H

#include "secrets/internal.h"

#include "http/client.h"

struct vault {
    struct arena arena;
    const struct secrets_vault *options; /* the secrets' own copy */
    const char *url;                     /* the address, without a slash at its end */
    struct http_client *client;
    char *token;    /* NULL: none yet; wiped */
    bool logged_in; /* it is ours, to be revoked at the end */
    bool renewable;
    int64_t ttl_ms, expires_ms; /* monotonic; ttl_ms 0: it doesn't expire */
    bool mount_checked;
};

/* ---- vault.c ---- */

struct vault_answer {
    int status;
    json_t *body; /* NULL: none, or no JSON */
};
static inline void vault_answer_release(const struct vault_answer *answer)
{
    json_decref(answer->body);
}
#define VAULT_ANSWER_SCOPED __attribute__((cleanup(vault_answer_release)))

/* One request, tried again with longer and longer pauses while the server can't be reached or is busy, for
 * patience_ms. `body` NULL: none. Any status below 500 that isn't 429 is a success here. */
MUST_CHECK int vault_request(struct vault *v, const char *method, const char *path, const json_t *body,
                             struct vault_answer *ret, struct err *err);
/* What the server said, for a message: the first of its errors. */
struct str vault_complaint(const struct vault_answer *answer);
void vault_forget_token(struct vault *v);

/* ---- vault_token.c ---- */

/* A token that is good for a while: the one that is there, renewed when a third of its time is left, or a new one. */
MUST_CHECK int vault_ensure_token(struct vault *v, struct err *err);
/* Milliseconds until vault_ensure_token should be called again; -1: never. */
int vault_token_due_ms(const struct vault *v);

#endif
