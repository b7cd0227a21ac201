/*
 * User mapping: which user a principal ("alice@example.com", "CN=alice,O=Example") is. Trino's
 * http-server.authentication.….user-mapping.pattern and -.file. Immutable, any thread may use it.
 */
#ifndef ACCESS_MAPPING_H
#define ACCESS_MAPPING_H

#include "base/arena.h"

struct user_mapping;

/* By a pattern, whose first group is the user, or by the rules of a JSON file; both null: the principal is the user.
 * ERR_INVALID says what is wrong with them. */
MUST_CHECK int user_mapping_new(struct str pattern, struct str file, struct user_mapping **ret, struct err *err);
void user_mapping_free(struct user_mapping *m);
/* ERR_DENIED in Trino's words: "No user mapping patterns match the principal". */
MUST_CHECK int user_mapping_map(const struct user_mapping *m, struct arena *a, struct str principal, struct str *ret,
                                struct err *err);

#endif
