/*
 * Chunks of the engine to JSON rows, by Trino's types: what the protocol calls "data".
 *
 * An encoder is made for a result's columns; a chunk is bound, then its rows are written one by one, so that a page ends
 * where it is full. One thread at a time.
 */
#ifndef TRINO_ENCODE_H
#define TRINO_ENCODE_H

#include "base/buf.h"
#include "sql/tree.h"
#include <duckdb.h>

struct encoder;

/* Copies what it needs of the columns. `parametric`: see columns_write. NOT_SUPPORTED for an unknown time zone. */
MUST_CHECK int encoder_new(const struct column *columns, size_t n, bool parametric, struct encoder **ret,
                           struct err *err);
void encoder_free(struct encoder *e);
/* The chunk has to live until the next one is bound. ERR_INTERNAL when it is not of the columns' physical types. */
MUST_CHECK int encoder_bind(struct encoder *e, duckdb_data_chunk chunk, struct err *err);
/* Appends "[…]". `to` reports what doesn't fit. */
void encoder_add_row(struct encoder *e, idx_t row, struct buf *to);

#endif
