/*
 * What SQL asks of a data source. Implemented in connectors/, one folder file a kind; used by the analyser (metadata),
 * emit/ (scans) and query/ (DDL and writes).
 *
 * Calls come from many threads at once, one query each. Results live in the arena that is passed. "Not there" is
 * *ret = NULL with 0, never an error. Errors carry Trino's names (TABLE_ALREADY_EXISTS, SCHEMA_NOT_EMPTY, …).
 */
#ifndef SQL_CONNECTOR_H
#define SQL_CONNECTOR_H

#include "sql/tree.h"

struct engine_result; /* engine/engine.h */
struct engine_conn;
struct access; /* access/access.h */

struct connector_column {
    struct str name;
    const struct type *type;
    bool not_null;
    bool hidden;        /* "$path": resolvable by name, absent from * and metadata */
    struct str comment; /* null: none */
    struct str extra;   /* SHOW COLUMNS' Extra: "partition key"; null: "" */
    int field_id;       /* the connector's own; Iceberg's field id */
};

struct connector_table {
    struct connector *connector;
    struct str catalog, schema, name;
    struct connector_column *columns;
    size_t column_count;
    struct str comment; /* null: none */
    bool is_view;
    void *handle; /* the connector's: a pinned metadata version, so that a query sees one snapshot */
};

struct connector_table_name {
    struct str schema, name;
    bool is_view;
};

/* ---- scans ---- */

/* A source of rows in DuckDB's SQL, ready for a FROM clause. It exposes the columns asked for, in that order, with the
 * names c<id> given in the request and their physical types. */
struct connector_scan {
    const struct connector_table *table;
    const size_t *table_columns; /* which columns; may be none (count(*)): expose one column "dummy" of any value */
    const int *ids;
    size_t column_count;
    const struct access *access;   /* of who asks, for tables that list what there is; NULL: all of it */
    struct expr *const *conjuncts; /* over columns with these ids: hints for pruning, applied again above */
    size_t conjunct_count;
};

struct connector_rows { /* rows made by the program: system tables, information_schema */
    const struct type *const *types;
    size_t column_count;
    struct constant **rows; /* [row][column], in the statement's arena */
    size_t row_count;
};

struct connector_scan_plan {
    struct str from; /* "read_parquet([…], schema = …)", "\"cat\".\"s\".\"t\"", or null when `rows` is set: a
                                    complete SELECT in parentheses or a table expression that yields c<id> names */
    struct connector_rows *rows; /* instead of text; column i is request's column i */
    uint64_t row_count;          /* of the source, where it is known: statistics show it; 0: it isn't */
    void *pin;                   /* keeps files alive until release_pin; NULL: nothing to release */
};

/* ---- writes ---- */

struct connector_write_request {
    const struct statement *statement; /* CTAS (columns, properties) or INSERT (target, insert_columns) */
    const struct column *columns;      /* what the source query yields: c<id>, of the target columns' types */
    size_t column_count;
    struct str query_id;
};

struct connector_write; /* the connector's; so is the next */
struct connector_delete;

struct connector_written {
    int64_t rows;
    uint64_t bytes; /* of files; 0: not known */
};

/* ---- properties ---- */

struct connector_property { /* for SHOW SESSION, system.metadata.table_properties, validation */
    const char *name;
    const struct type *type;
    const char *default_value; /* text, or NULL: none */
    const char *description;
};

/* ---- procedures ---- */

struct connector_argument {
    const char *name; /* as CALL names it, lower case */
    const struct type *type;
    bool is_optional; /* NULL when it isn't said */
};

struct connector_procedure {
    const char *schema, *name;
    struct connector_argument arguments[4];
    size_t argument_count;
    /* `access`: of who calls, for what the call touches beyond the procedure itself; NULL allows all */
    MUST_CHECK int (*call)(struct connector *c, struct arena *a, const struct access *access,
                           const struct constant *arguments, struct err *err);
};

struct connector_ops {
    const char *kind; /* "iceberg": connector.name of Trino's catalog files */

    MUST_CHECK int (*list_schemas)(struct connector *c, struct arena *a, struct str **ret, size_t *ret_n,
                                   struct err *err);
    /* Whether there is such a schema; NULL: when list_schemas has it. For schemas that resolve without being listed. */
    bool (*has_schema)(struct connector *c, struct str schema);
    /* All schemas' when schema is null. */
    MUST_CHECK int (*list_tables)(struct connector *c, struct arena *a, struct str schema,
                                  struct connector_table_name **ret, size_t *ret_n, struct err *err);
    MUST_CHECK int (*get_table)(struct connector *c, struct arena *a, struct str schema, struct str name,
                                struct connector_table **ret, struct err *err);
    /* Frees what the handle of get_table pins (metadata caches); NULL when it pins nothing. */
    void (*release_table)(struct connector_table *t);
    MUST_CHECK int (*plan_scan)(struct connector *c, struct arena *a, const struct connector_scan *scan,
                                struct connector_scan_plan *ret, struct err *err);
    void (*release_pin)(struct connector *c, void *pin);

    /* DDL; a NULL member is NOT_SUPPORTED: "This connector does not support creating schemas", … as Trino words it. */
    MUST_CHECK int (*create_schema)(struct connector *c, struct arena *a, const struct statement *s, struct err *err);
    MUST_CHECK int (*drop_schema)(struct connector *c, struct arena *a, const struct statement *s, struct err *err);
    MUST_CHECK int (*create_table)(struct connector *c, struct arena *a, const struct statement *s, struct err *err);
    MUST_CHECK int (*drop_table)(struct connector *c, struct arena *a, const struct statement *s, struct err *err);
    MUST_CHECK int (*rename_table)(struct connector *c, struct arena *a, const struct statement *s, struct err *err);
    /* The properties of WITH (…) in SHOW CREATE, as Trino prints them, without the parentheses; empty: none. */
    MUST_CHECK int (*table_properties)(struct connector *c, struct arena *a, const struct connector_table *t,
                                       struct str *ret, struct err *err);
    MUST_CHECK int (*schema_properties)(struct connector *c, struct arena *a, struct str schema, struct str *ret,
                                        struct err *err);
    const struct connector_property *table_property_defs, *schema_property_defs, *session_property_defs;
    size_t table_property_count, schema_property_count, session_property_count;
    bool
        manages_security; /* roles and grants of its catalogs are its own business, which none has: Trino's messages differ */
    const struct connector_procedure *procedures;
    size_t procedure_count;

    /* A write is begin, then the engine runs `*ret_before` + source SELECT + `*ret_after` on its connection, then finish
     * gets that statement's result, makes everything visible at once and says how much that was; or abort. Both free the
     * write; after abort, or when finish fails, nothing is left behind. */
    MUST_CHECK int (*begin_write)(struct connector *c, struct arena *a, const struct connector_write_request *r,
                                  struct connector_write **ret, struct str *ret_before, struct str *ret_after,
                                  struct err *err);
    MUST_CHECK int (*finish_write)(struct connector *c, struct connector_write *w, struct engine_result *result,
                                   struct connector_written *ret, struct err *err);
    void (*abort_write)(struct connector *c, struct connector_write *w);
    /* DELETE without a filter: all rows of the pinned version. */
    MUST_CHECK int (*delete_all)(struct connector *c, struct arena *a, const struct connector_table *t,
                                 int64_t *ret_rows, struct err *err);
    /* DELETE with a filter, in the manner of a write: its source yields the columns `row_ids` of the rows that go, hidden
     * columns of the target (NULL: rows can't be deleted one by one). finish says how many went. */
    const char *row_ids[4]; /* NULL-terminated */
    MUST_CHECK int (*begin_delete)(struct connector *c, struct arena *a, const struct connector_write_request *r,
                                   struct connector_delete **ret, struct str *ret_before, struct str *ret_after,
                                   struct err *err);
    MUST_CHECK int (*finish_delete)(struct connector *c, struct connector_delete *d, struct engine_result *result,
                                    struct connector_written *ret, struct err *err);
    void (*abort_delete)(struct connector *c, struct connector_delete *d);
    void (*close)(struct connector *c);
};

struct connector {
    const struct connector_ops *ops;
    struct str catalog; /* the name it is mounted under */
};

/* The mounted catalogs, in name order. Immutable once the server runs. */
struct connector_set {
    struct connector **items;
    size_t n;
};
struct connector *connector_find(const struct connector_set *set, struct str catalog); /* NULL: none */

#endif
