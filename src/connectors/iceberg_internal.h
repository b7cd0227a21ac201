/* What the files of the iceberg connector share. Private to them. */
#ifndef CONNECTORS_ICEBERG_INTERNAL_H
#define CONNECTORS_ICEBERG_INTERNAL_H

#include "catalog/files.h"
#include "connectors/iceberg.h"

struct iceberg_connector {
    struct connector base;
    struct arena arena; /* of the names below */
    struct str warehouse;
    struct catalog *tables;
    struct objects *objects;
    struct engine *engine;
    struct iceberg_io io;
    struct iceberg_cache *cache;
    struct iceberg_layouts *layouts;
};

/* connector_table.handle: the version that the statement sees. */
/* Field ids of hidden columns, which no file has: two of Trino's, and a row's number in its file, which no SQL can name. */
enum { ICEBERG_COLUMN_PATH = -1, ICEBERG_COLUMN_MODIFIED = -2, ICEBERG_COLUMN_POSITION = -3 };

struct iceberg_handle {
    struct iceberg_metadata *metadata; /* a reference */
    struct str location;               /* of the metadata file */
};

static inline struct iceberg_connector *iceberg_of(struct connector *c)
{
    return (struct iceberg_connector *)c;
}

/* ---- types ---- */

/* NOT_SUPPORTED "Type not supported for Iceberg: char(3)", as Trino's TypeConverter says it. */
MUST_CHECK int iceberg_from_trino(struct arena *a, const struct type *t, const struct iceberg_type **ret,
                                  struct err *err);
const struct type *iceberg_to_trino(struct arena *a, const struct iceberg_type *t);
/* What Trino makes of a column's type when a table is created from a query: char(n) to varchar, smallint to integer … */
const struct type *iceberg_supported(struct arena *a, const struct type *t);
/* The physical type (sql/types.h) with the table's own names in structs: what Parquet files hold. */
void iceberg_format_file_type(struct buf *to, const struct iceberg_type *t);
/* An expression over the file's value `expr` that gives the physical one, and back; just `expr` where there is no struct. */
void iceberg_read_value(struct buf *to, const struct iceberg_type *t, struct str expr);
void iceberg_write_value(struct buf *to, const struct iceberg_type *t, const struct type *from, struct str expr);
/* A constant of the analyser as a value; false when it has none that compares as Iceberg does (NaN). */
bool iceberg_constant(const struct iceberg_type *t, const struct constant *c, struct iceberg_value *ret);

/* ---- iceberg_layout.c: what data files hold ---- */

struct iceberg_file_column {
    int field_id; /* -1: none */
    struct str name;
    struct str type; /* as iceberg_format_file_type writes it; empty: nested */
};
struct iceberg_layout {
    struct str key; /* equal for equal layouts */
    struct iceberg_file_column *columns;
    size_t column_count;
    bool has_ids;
    bool is_mapped; /* the ids are a name mapping's, not the file's */
    bool is_clear;  /* each name means one column to the engine, each id too */
};
/* The column with this id, or NULL. */
const struct iceberg_file_column *iceberg_layout_find(const struct iceberg_layout *l, int field_id);

/* The layout of files without field ids as the property schema.name-mapping.default gives them (specification: Column
 * Projection). */
const struct iceberg_layout *iceberg_layout_map(struct arena *a, const struct iceberg_layout *l, const json_t *mapping);

struct iceberg_layouts; /* those of files that were read, by local path; thread-safe */
struct iceberg_layouts *iceberg_layouts_new(struct engine *e);
void iceberg_layouts_free(struct iceberg_layouts *l);
/* ret[i] for paths[i]: in the arena, the same pointer for equal ones; NULL when it isn't known. */
void iceberg_layouts_get(struct iceberg_layouts *l, struct arena *a, const struct str *paths, size_t n,
                         const struct iceberg_layout **ret);

/* ---- the connector's operations, by file ---- */

MUST_CHECK int iceberg_plan(struct connector *c, struct arena *a, const struct connector_scan *scan,
                            struct connector_scan_plan *ret, struct err *err);
void iceberg_release_plan(struct connector *c, void *pin);

MUST_CHECK int iceberg_begin_write(struct connector *c, struct arena *a, const struct connector_write_request *r,
                                   struct connector_write **ret, struct str *ret_before, struct str *ret_after,
                                   struct err *err);
MUST_CHECK int iceberg_begin_delete(struct connector *c, struct arena *a, const struct connector_write_request *r,
                                    struct connector_delete **ret, struct str *ret_before, struct str *ret_after,
                                    struct err *err);
MUST_CHECK int iceberg_finish_delete(struct connector *c, struct connector_delete *d, struct engine_result *result,
                                     struct connector_written *ret, struct err *err);
void iceberg_abort_delete(struct connector *c, struct connector_delete *d);
MUST_CHECK int iceberg_finish_write(struct connector *c, struct connector_write *w, struct engine_result *result,
                                    struct connector_written *ret, struct err *err);
void iceberg_abort_write(struct connector *c, struct connector_write *w);
MUST_CHECK int iceberg_delete_rows(struct connector *c, struct arena *a, const struct connector_table *t,
                                   int64_t *ret_rows, struct err *err);

/* iceberg_stats.c: one row of COPY's RETURN_STATS, a column's text map, to bounds and counts. */
struct iceberg_stat {
    struct str path;   /* "\"a\".\"element\"", as the engine quotes it */
    struct str *names; /* column_size_bytes, min, max, null_count, num_values, … */
    struct str *values;
    size_t n;
};
MUST_CHECK int iceberg_take_stats(struct arena *a, const struct iceberg_schema *schema,
                                  const struct iceberg_stat *stats, size_t n, struct iceberg_new_file *to,
                                  struct err *err);
/* The engine's text for a value of a column ("2024-02-29", "1.50", "00FF"); false when it isn't one. */
bool iceberg_value_from_text(struct arena *a, const struct iceberg_type *t, struct str text, struct iceberg_value *ret);

/* iceberg.c: CREATE TABLE's and CTAS's properties to a new table. *ret_pointer is where it will be known. */
MUST_CHECK int iceberg_describe_table(struct iceberg_connector *c, struct arena *a, const struct statement *s,
                                      struct iceberg_new_table *ret, struct err *err);

#endif
