/* "columns": the names and types of a result as the protocol describes them. */
#ifndef TRINO_COLUMNS_H
#define TRINO_COLUMNS_H

#include "base/json.h"
#include "sql/tree.h"

/* The array. Without `parametric` (a client that lacks PARAMETRIC_DATETIME) date-time types lose their precision. */
void columns_write(struct buf *to, const struct column *columns, const struct str *names, size_t n, bool parametric);

#endif
