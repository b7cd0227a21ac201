/* What the files of access/ share about a request. Private to the module. */
#ifndef ACCESS_INTERNAL_H
#define ACCESS_INTERNAL_H

#include "access/groups.h"
#include "access/rules.h"

struct access {
    struct arena arena;
    struct access_rules *rules; /* NULL: Trino's `default` control, which allows all but impersonation */
    struct groups *groups;      /* NULL: no file */
    struct access_identity who;
};

#endif
