/*
 * How a shim is written: a row in a table says its signature in letters, and its function works on whole vectors that
 * DuckDB has flattened. Private to engine/.
 *
 *   o boolean   b tinyint   s smallint   i integer   l bigint   h hugeint   f real   d double
 *   v varchar   x varbinary   D date   t time   T timestamp   Z timestamp with time zone   u uuid
 *   N decimal of any precision and scale, read with shim_decimal; as a result: its unscaled hugeint
 *   V a list of varchar (as an argument or a result)   ? anything
 * A last '*' repeats the letter before it.
 */
#ifndef ENGINE_SHIM_H
#define ENGINE_SHIM_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include <duckdb.h>

struct shim {
    const char *name;
    const char *args;
    char result;
    duckdb_scalar_function_t call;
    bool sees_nulls; /* otherwise a null argument makes the result null, which shim_begin has done */
    bool is_volatile;
};

#define SHIM(NAME, ARGS, RESULT, CALL)                                     \
    {                                                                      \
        .name = (NAME), .args = (ARGS), .result = (RESULT), .call = (CALL) \
    }
#define SHIM_SEES_NULLS(NAME, ARGS, RESULT, CALL)                                              \
    {                                                                                          \
        .name = (NAME), .args = (ARGS), .result = (RESULT), .call = (CALL), .sees_nulls = true \
    }

#define SHIM_VOLATILE(NAME, ARGS, RESULT, CALL)                                                 \
    {                                                                                           \
        .name = (NAME), .args = (ARGS), .result = (RESULT), .call = (CALL), .is_volatile = true \
    }

extern const struct shim shims_arithmetic[], shims_bytes[], shims_cast[], shims_datetime[], shims_json[], shims_map[],
    shims_text[], shims_url[];
extern const size_t shims_arithmetic_count, shims_bytes_count, shims_cast_count, shims_datetime_count, shims_json_count,
    shims_map_count, shims_text_count, shims_url_count;

enum { SHIM_MAX_ARGS = 8 };

/* One call of a shim over one chunk. */
struct shim_call {
    duckdb_function_info info;
    duckdb_vector output;
    size_t rows, arg_count;
    void *data[SHIM_MAX_ARGS];         /* the arguments' values */
    uint64_t *validity[SHIM_MAX_ARGS]; /* NULL: no nulls */
    duckdb_vector vector[SHIM_MAX_ARGS];
    unsigned char width[SHIM_MAX_ARGS]; /* bytes of a decimal or integer value */
    void *out;
    uint64_t *out_validity; /* NULL until there is a null */
    bool failed;
};

/* Reads the chunk. Rows with a null argument are null in the output: shim_is_null says so. */
void shim_begin(struct shim_call *c, duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output);
bool shim_is_null(const struct shim_call *c, size_t row);                 /* of the output so far */
bool shim_arg_is_null(const struct shim_call *c, size_t arg, size_t row); /* for sees_nulls */
void shim_set_null(struct shim_call *c, size_t row);
/* Ends the statement with Trino's error; the rest of the chunk needn't be computed. */
void shim_fail(struct shim_call *c, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);

struct str shim_str(const struct shim_call *c, size_t arg, size_t row); /* varchar and varbinary */
void shim_put_str(struct shim_call *c, size_t row, struct str s);
__int128 shim_decimal(const struct shim_call *c, size_t arg, size_t row); /* the unscaled value, of any precision */
void shim_put_i128(struct shim_call *c, size_t row, __int128 v);
static inline __int128 shim_i128(const struct shim_call *c, size_t arg, size_t row)
{
    __int128 v;

    memcpy(&v, (const char *)c->data[arg] + row * sizeof(v), sizeof(v));
    return v;
}

/* A shim whose result is text made in a buffer: `make` appends a row's to the empty `to`, which has room for `max` bytes.
 * False: the row is null, or the call has failed. */
typedef bool (*shim_make_fn)(struct shim_call *c, size_t row, struct buf *to);
void shim_make_texts(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output, size_t max,
                     shim_make_fn make);

#define SHIM_ARG(c, type, arg, row) (((const type *)(c)->data[arg])[row])
#define SHIM_OUT(c, type, row) (((type *)(c)->out)[row])
/* for (SHIM_ROWS(&c, row)) visits rows whose output is not null, until one fails. */
#define SHIM_ROWS(c, row)                   \
    size_t row = 0;                         \
    row < (c)->rows && !(c)->failed; row++) \
        if (!shim_is_null((c), row)

#endif
