/*
 * What the files of the analyser's query half share: names of tables, relations under construction, scopes.
 */
#ifndef SQL_ANALYZE_QUERY_H
#define SQL_ANALYZE_QUERY_H

#include "sql/analyzer.h"

/* ---- relations under construction (analyze_rel.c) ---- */

struct rel *rel_new(struct analyzer *z, enum rel_kind kind);
/* Over `input`, with its columns. */
struct rel *rel_over(struct analyzer *z, enum rel_kind kind, struct rel *input);
struct rel *rel_filter(struct analyzer *z, struct rel *input, struct expr *predicate);
/* One row of no columns. */
struct rel *rel_one_row(struct analyzer *z);
/* Columns and exprs are the caller's arrays, which it must not change later. */
struct rel *rel_project(struct analyzer *z, struct rel *input, struct column *columns, struct expr **exprs, size_t n);
/* Its columns get these types by casts; itself when all have them already. */
struct rel *rel_coerce(struct analyzer *z, struct rel *input, const struct type *const *types);
/* Rows of constant expressions, one column an element of `names` and `types`. */
struct rel *rel_values(struct analyzer *z, struct column *columns, size_t n);
/* Sets the columns of a relation that passes its inputs' columns on (filters, joins, windows, …) from what the inputs
 * have now; `own` columns of windows and unnests stay. */
void rel_derive_columns(struct analyzer *z, struct rel *r);

struct column column_new(struct analyzer *z, struct str name, const struct type *type);

/* ---- scopes (analyze_scope.c) ---- */

struct scope *scope_new(struct analyzer *z, struct scope *parent);
/* A query's own: what its parent has is reached by correlation. */
struct scope *scope_new_query(struct analyzer *z, struct scope *outer);
void scope_add(struct analyzer *z, struct scope *s, struct scope_field f);
void scope_add_all(struct analyzer *z, struct scope *s, const struct scope *from); /* hidden ones too */
void scope_add_cte(struct analyzer *z, struct scope *s, struct scope_cte cte);
const struct scope_cte *scope_find_cte(const struct scope *s, struct str lower); /* NULL: none */
size_t scope_visible_count(const struct scope *s);
/* The field of the scope itself that `name` (one part, lower case) means: how many match, the first in *ret. */
size_t scope_match(const struct scope *s, struct str name, const struct scope_field **ret);
/* The same for a chain of identifiers; 0 also when `e` is no such chain. */
size_t scope_match_expr(struct analyzer *z, const struct scope *s, const struct ast_expr *e,
                        const struct scope_field **ret);
/* The parts of a chain of identifiers in lower case; 0 when `e` is none. */
size_t scope_chain(struct analyzer *z, const struct ast_expr *e, struct str **ret);

/* ---- names of things (analyze_names.c) ---- */

struct object_name {
    struct str catalog, schema, name;
    struct connector *connector;
};

/* "a.b.c" completed from the session. Errors at `line`, `column`: MISSING_SCHEMA_NAME, MISSING_CATALOG_NAME; connector
 * is NULL when there is no such catalog. */
MUST_CHECK int object_resolve(struct analyzer *z, const struct ast_name *name, int line, int column,
                              struct object_name *ret, struct err *err);
/* … and the catalog exists: CATALOG_NOT_FOUND. */
MUST_CHECK int object_require(struct analyzer *z, const struct ast_name *name, int line, int column,
                              struct object_name *ret, struct err *err);
/* [catalog.]schema; n == 0: the session's. */
MUST_CHECK int schema_resolve(struct analyzer *z, const struct ast_name *name, int line, int column,
                              struct object_name *ret, struct err *err);
MUST_CHECK int schema_exists(struct analyzer *z, const struct object_name *o, bool *ret, struct err *err);
/* The table, the same one for each use in the statement; NULL when it, its schema or its catalog does not exist. */
MUST_CHECK int table_find(struct analyzer *z, const struct object_name *o, struct connector_table **ret,
                          struct err *err);
/* TABLE_NOT_FOUND "Table 'a.b.c' does not exist" */
int table_missing(struct analyzer *z, const struct object_name *o, int line, int column, struct err *err);
/* … which must exist: CATALOG_NOT_FOUND, SCHEMA_NOT_FOUND, TABLE_NOT_FOUND. */
MUST_CHECK int table_require(struct analyzer *z, const struct object_name *o, int line, int column,
                             struct connector_table **ret, struct err *err);
/* a.b.c, in lower case */
struct str analyze_format_name(struct arena *a, const struct ast_name *name);
struct str object_text(struct analyzer *z, const struct object_name *o); /* catalog.schema.name */

/* ---- parts of queries ---- */

/* FROM (analyze_relation.c). `parent`: the query's scope, or for what is lateral the left side's. */
MUST_CHECK int analyze_relation(struct analyzer *z, const struct ast_relation *r, struct scope *parent,
                                struct rel **ret, struct scope **ret_scope, struct err *err);
/* TABLE name, as FROM names it. */
MUST_CHECK int analyze_table(struct analyzer *z, const struct ast_name *name, int line, int column,
                             struct scope *parent, struct rel **ret, struct scope **ret_scope, struct err *err);
/* SELECT with the ORDER BY and LIMIT of its query (analyze_select.c). */
MUST_CHECK int analyze_select(struct analyzer *z, const struct ast_select *s, const struct ast_query *tail,
                              struct scope *parent, struct rel **ret, struct scope **ret_scope, struct err *err);
/* OFFSET, LIMIT, FETCH FIRST over what is sorted if it has to be. */
MUST_CHECK int analyze_limit(struct analyzer *z, const struct ast_query *q, struct rel **rel, struct err *err);
bool query_is_limited(const struct ast_query *q);
/* Column names of an alias list: their count and that none repeats. */
MUST_CHECK int check_column_aliases(const struct ast_idents *names, size_t columns, struct err *err);
/* Sorting rules of ORDER BY's element; the key is bound already. */
struct sort_key sort_key_new(const struct ast_sort *s, struct expr *key);

/* ---- access (analyze_access.c) ---- */

struct access_table object_access(const struct object_name *o); /* for the questions of access/access.h */
/* The current identity reads the table, whatever columns; a column of it. A field that is no table's is none. */
void access_note_table(struct analyzer *z, const struct connector_table *t);
void access_note_field(struct analyzer *z, const struct scope_field *f);
/* May what was noted be read? PERMISSION_DENIED. */
MUST_CHECK int access_check_notes(struct analyzer *z, struct err *err);
/* Puts the table's row filter and column masks over its scan; the scope then has the masked columns. */
MUST_CHECK int access_guard_scan(struct analyzer *z, const struct connector_table *t, int line, int column,
                                 struct rel **rel, struct scope *scope, struct err *err);
/* Whether a column of the table is masked for the current identity. */
bool access_masks_table(const struct analyzer *z, const struct connector_table *t);
/* The row filter as a predicate over `scope`, which has the table's columns; NULL when there is none. */
MUST_CHECK int access_row_predicate(struct analyzer *z, const struct connector_table *t, int line, int column,
                                    struct scope *scope, struct expr **ret, struct err *err);

/* ---- statements ---- */

/* The text of a query that a statement is rewritten to, bound (analyze_show.c); errors lose their position there. */
MUST_CHECK int analyze_rewritten(struct analyzer *z, struct str text, struct rel **ret, struct scope **ret_scope,
                                 struct err *err);
MUST_CHECK int analyze_show(struct analyzer *z, const struct ast_statement *s, struct rel **ret,
                            struct scope **ret_scope, struct err *err);
/* One row of one column. */
struct rel *analyze_single_value(struct analyzer *z, const char *column, struct str value, struct scope **ret_scope);
/* The plan's text (analyze_explain.c) of a statement that is bound. */
MUST_CHECK int analyze_explain(struct analyzer *z, const struct ast_statement *s, struct statement *bound,
                               struct rel **ret, struct scope **ret_scope, struct err *err);
/* Properties of WITH (…) against a connector's definitions; `kind`: "table", "schema". */
MUST_CHECK int analyze_properties(struct analyzer *z, const struct ast_properties *p, const struct object_name *o,
                                  const char *kind, struct property **ret, size_t *ret_n, struct err *err);
/* SET SESSION, RESET SESSION, SET TIME ZONE (analyze_session.c). */
MUST_CHECK int analyze_session(struct analyzer *z, const struct ast_statement *s, struct statement *ret,
                               struct err *err);
/* A constant, or an array of them, as `to`; NULL: can't be. Changes `e`. */
struct expr *analyze_coerce_constant(struct analyzer *z, struct expr *e, const struct type *to);
/* CREATE, DROP, SET ROLE, GRANT, REVOKE, DENY, SET AUTHORIZATION, SET and RESET SESSION AUTHORIZATION (analyze_roles.c). */
MUST_CHECK int analyze_roles(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err);
/* The text that SHOW ROLES, CURRENT ROLES, ROLE GRANTS and GRANTS are rewritten to. */
MUST_CHECK int analyze_show_roles(struct analyzer *z, const struct ast_statement *s, struct buf *b, struct err *err);
/* CALL (analyze_procedure.c). */
MUST_CHECK int analyze_procedure(struct analyzer *z, const struct ast_statement *s, struct statement *ret,
                                 struct err *err);
/* CREATE, DROP, RENAME, CTAS, INSERT, DELETE, TRUNCATE (analyze_ddl.c). */
MUST_CHECK int analyze_ddl(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err);

/* Drops columns that nothing reads and hands scans the conjuncts that concern them (prune.c). */
void prune_statement(struct analyzer *z, struct statement *s);

#endif
