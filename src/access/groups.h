/* The file of groups: "group:user,user" a line, as Trino's file group provider reads it. Private to the module. */
#ifndef ACCESS_GROUPS_H
#define ACCESS_GROUPS_H

#include "base/arena.h"

struct groups;

/* ERR_INVALID: "Error in group file line 3: Expected two parts for group and users". */
MUST_CHECK int groups_parse(struct str text, struct groups **ret, struct err *err);
struct groups *groups_ref(struct groups *g);
void groups_unref(struct groups *g);
/* The groups of a user, each once; they live as long as `g`. */
size_t groups_of(const struct groups *g, struct str user, const struct str **ret);

#endif
