/* What DuckDB says went wrong, as our errors. Private to engine/. */
#ifndef ENGINE_ERRORS_H
#define ENGINE_ERRORS_H

#include "base/err.h"
#include <stdint.h>

/* Fills `err` from DuckDB's message ("Out of Range Error: Overflow in addition of INT64 (1 + 2)!") and returns its code.
 * `memory_limit` in bytes is for the text of EXCEEDED_LOCAL_MEMORY_LIMIT. */
int errors_set(struct err *err, const char *message, uint64_t memory_limit);

#endif
