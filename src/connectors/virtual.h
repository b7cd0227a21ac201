/*
 * Tables that the program itself is the source of: information_schema in every catalog, and the catalog `system`.
 *
 * A table is a description (columns) and a fill function that appends rows for one scan. Equality conjuncts on text
 * columns are offered to it, so that `WHERE table_schem = 'x'` doesn't list a whole platform.
 */
#ifndef CONNECTORS_VIRTUAL_H
#define CONNECTORS_VIRTUAL_H

#include "sql/connector.h"

struct virtual_scan;

struct virtual_column {
    const char *name;
    const struct type *type;
    bool hidden;
};

struct virtual_table {
    const char *schema, *name;
    const struct virtual_column *columns;
    size_t column_count;
    int (*fill)(struct virtual_scan *s, struct err *err);
};

/* What fill functions may look at. Outlives every query. */
struct virtual_context {
    const struct connector_set *catalogs;
    struct connector *information_schema;
    const struct runtime_source *runtime; /* connectors/system.h; for system.runtime.* */
};

enum { VIRTUAL_MAX_ROWS = 1000000 };

struct virtual_scan {
    const struct virtual_context *context;
    struct arena *arena;
    const struct virtual_table *table;
    struct str catalog; /* the scanned table's: which catalog's information_schema */
    const struct connector_scan *request;
    struct constant **rows; /* full rows, in the table's column order */
    size_t row_count, row_cap;
    size_t at; /* next column of the newest row */
};

/* The value that a text column must equal according to the conjuncts; null when they don't say. */
struct str virtual_filter(const struct virtual_scan *s, const char *column);
/* False when the filter on `column` excludes the value. */
bool virtual_wants(const struct virtual_scan *s, const char *column, struct str value);

/* A row is begun, then gets its values from the left; columns not given are null. */
MUST_CHECK int virtual_begin_row(struct virtual_scan *s, struct err *err);
void virtual_add_str(struct virtual_scan *s,
                     struct str v); /* a null str is NULL; the text must outlive the query or be in its arena */
void virtual_add_cstr(struct virtual_scan *s, const char *v);
void virtual_add_i64(struct virtual_scan *s, int64_t v);
void virtual_add_bool(struct virtual_scan *s, bool v);
void virtual_add_f64(struct virtual_scan *s, double v);
void virtual_add_array(struct virtual_scan *s, const struct constant *items, size_t n); /* borrowed, as texts are */
void virtual_add_null(struct virtual_scan *s);

/* For connector_ops: get_table over a list of tables, and plan_scan. */
const struct virtual_table *virtual_find(const struct virtual_table *const *tables, size_t n, struct str schema,
                                         struct str name);
struct connector_table *virtual_make_table(struct connector *c, struct arena *a, const struct virtual_table *t);
MUST_CHECK int virtual_plan_scan(const struct virtual_context *context, struct arena *a,
                                 const struct connector_scan *scan, struct connector_scan_plan *ret, struct err *err);

#endif
