/* What the files of the store share. */
#ifndef FLOW_STORE_INTERNAL_H
#define FLOW_STORE_INTERNAL_H

#include "base/vec.h"
#include "flow/store.h"

struct db_value store_time(int64_t us); /* NO_TIME is NULL */
int64_t store_read_time(const struct db_value *v);
struct str store_read_text(const struct db_value *v); /* NULL is null */

#endif
