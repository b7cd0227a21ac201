/* A realm's password policy, in Keycloak's text: "length(8) and digits(1) and notUsername(undefined)". */
#ifndef IDENTITY_MODEL_POLICY_H
#define IDENTITY_MODEL_POLICY_H

#include "base/arena.h"

struct password_policy {
    struct str pattern;                                                 /* null: none; points into the text */
    int64_t length, max_length, digits, lower, upper, special, history; /* 0: no rule */
    bool not_username, not_email, not_contains_username;
};

/* ERR_UNSUPPORTED names a rule that we don't have. */
MUST_CHECK int password_policy_parse(struct str text, struct password_policy *ret, struct err *err);
/* ERR_INVALID with Keycloak's message and, as its name, the message's key. Not the history: that needs the old ones. */
MUST_CHECK int password_policy_check(const struct password_policy *p, struct arena *a, struct str password,
                                     struct str username, struct str email, struct err *err);

#endif
