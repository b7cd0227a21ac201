/* What the files of token/ share. Private to them. */
#ifndef IDENTITY_TOKEN_INTERNAL_H
#define IDENTITY_TOKEN_INTERNAL_H

#include "base/buf.h"
#include "base/vec.h"
#include "identity/attribute.h"
#include "identity/token.h"

#include <pthread.h>

struct tokens {
    const struct identity_context *context;
    pthread_rwlock_t lock;
    struct map keys;   /* "REALM KID HASH" to struct jose_key, one reference each */
    struct map warned; /* kinds of mappers that were logged as unknown */
};

/* The key of a snapshot by kid, active or passive; NULL: none, or not for signatures. Borrowed. */
struct jose_key *token_key(struct tokens *t, const struct realm *r, struct str kid);

/* ---- mapping (mappers.c) ---- */

enum token_target { TARGET_ACCESS, TARGET_LIGHTWEIGHT, TARGET_ID, TARGET_USERINFO, TARGET_INTROSPECTION };

struct token_role {
    struct str client_id; /* null: of the realm */
    struct str name;
};

/* Everything that mappers look at, gathered once for a request's tokens. */
struct token_subject {
    struct tokens *tokens;
    struct arena *arena;
    const struct token_request *q;
    const struct role **roles; /* the user's, expanded, as far as the client's scope lets them through */
    size_t role_count;
    const struct group **groups; /* read when first asked for */
    size_t group_count;
    bool has_groups;
};

/* ERR_… of the database. */
MUST_CHECK int token_subject_init(struct token_subject *s, struct tokens *t, struct arena *a,
                                  const struct token_request *q, struct err *err);
bool token_subject_has_role(const struct token_subject *s, struct str realm_role);
/* Runs the mappers of client and scopes over the claims, which have what isn't mapped already. */
MUST_CHECK int token_map(struct token_subject *s, enum token_target target, json_t *claims, struct err *err);
void token_add_audience(json_t *claims, struct str audience);

/* Sets a claim by its configured name: dots make objects, "\." is a dot. Takes over value. */
void token_set_claim(json_t *claims, struct str name, json_t *value);

#endif
