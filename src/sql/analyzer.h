/*
 * Inside the analyser: what its files share. Not for other modules.
 *
 *   analyze.c            statements: DDL, INSERT, session, PREPARE/EXECUTE (parameters)
 *   analyze_show.c       SHOW, DESCRIBE: rewritten to queries over information_schema, as Trino rewrites them
 *   analyze_explain.c    EXPLAIN's text
 *   analyze_query.c      WITH, set operations, ORDER BY, LIMIT, VALUES
 *   analyze_select.c     SELECT: from, where, group by, having, windows, select list, distinct
 *   analyze_relation.c   FROM: tables, joins, USING, NATURAL, LATERAL, UNNEST, aliases, samples
 *   analyze_access.c     who may: columns read, row filters, column masks
 *   analyze_roles.c      roles, privileges, SET SESSION AUTHORIZATION
 *   analyze_scope.c      name resolution
 *   analyze_expr.c …     expressions: literals, operators, CASE, CAST, calls, subqueries' types, lambdas
 *   coerce.c             casts, implicit and explicit: which are allowed
 *   functions*.c         the function table and its resolution
 */
#ifndef SQL_ANALYZER_H
#define SQL_ANALYZER_H

#include "sql/analyze.h"
#include "sql/functions.h"

struct analyzer {
    const struct analyze_context *context;
    struct arena *arena;
    struct analyze_tables *tables;
    int next_id;                        /* of columns, CTEs and lambda parameters */
    struct ast_expr *const *parameters; /* EXECUTE … USING: literals and constant expressions; bound where they stand */
    size_t parameter_count;
    bool describing; /* DESCRIBE INPUT/OUTPUT: parameters are of unknown type, their uses are noted */
    const struct type **parameter_types; /* describing: what each ? was coerced to */
    int depth;                           /* of nested queries */
    struct access_notes *notes;          /* columns read, checked when the statement is analysed; analyze_access.c's */
    const struct guarded *guarded;       /* tables whose filters and masks are being analysed; analyze_access.c's */
};

/* ---- scopes (analyze_scope.c; owner: queries) ---- */

struct scope_field {
    struct column column;   /* name null: anonymous */
    struct str *qualifier;  /* parts of the relation's name, lower case: {alias} or {catalog, schema, table} */
    size_t qualifier_count; /* 0: none */
    bool hidden;
    bool aliased;                         /* named by AS: what DESCRIBE OUTPUT shows */
    const struct connector_table *origin; /* NULL: not a table's column */
    struct str origin_column;
};

struct scope_cte {
    struct str name; /* lower case */
    struct cte *cte;
    struct column *columns; /* as the WITH query names them */
    size_t column_count;
};

struct scope {
    struct scope *parent; /* enclosing: outer query for correlation, or the same query's (lambda) */
    bool is_query;        /* crossing it is correlation */
    struct scope_field *fields;
    size_t n, cap;
    struct scope_cte *ctes; /* visible at this scope; inner ones first */
    size_t cte_count;
};

/* What an identifier or dereference chain means. Tries the longest qualified name as a column, then row fields of a column.
 * 1: found, 0: it is no column here; errors: COLUMN_NOT_FOUND "Column 'x' cannot be resolved", AMBIGUOUS_NAME
 * "Column 'x' is ambiguous". *ret_expr: EXPR_COLUMN, perhaps under EXPR_FIELDs. *ret_level: scopes with is_query crossed. */
MUST_CHECK int scope_resolve(struct analyzer *z, const struct scope *s, const struct ast_expr *e, struct expr **ret,
                             int *ret_level, struct err *err);

/* ---- expressions (analyze_expr.c; owner: expressions) ---- */

/* What happens to aggregates and window calls depends on where an expression stands: the query's side collects them. */
struct expr_env {
    struct analyzer *z;
    struct scope *scope;
    const char *clause; /* for messages: "WHERE clause", "GROUP BY clause", "JOIN clause", … */
    /* NULL: "WHERE clause cannot contain aggregations, window functions or grouping operations: [count(*)]" (EXPRESSION_NOT_SCALAR) */
    struct collector *collector;
    struct lambda_scope *lambda; /* innermost, or NULL; analyze_expr.c's */
};

/* Filled by analyze_expr when it meets them; each is replaced in the expression by EXPR_COLUMN of `out`. Equal aggregates may
 * share one. Arguments of aggregates are analysed with collector NULL (nested aggregates: NESTED_AGGREGATION); those of
 * window calls may contain aggregates of the same collector. */
struct collector {
    struct aggregate *aggregates;
    size_t aggregate_count, aggregate_cap;
    struct window_call *windows;
    size_t window_count, window_cap;
    bool allow_windows, allow_aggregates;
    struct expr **groupings; /* EXPR_GROUPING nodes met: the query's side finishes them */
    size_t grouping_count, grouping_cap;
    const struct ast_window_definition *definitions; /* WINDOW clause */
    size_t definition_count;
};

/* Binds an expression: names, types, coercions. */
MUST_CHECK int analyze_expr(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err);
/* … and coerces it to boolean: TYPE_MISMATCH "WHERE clause must evaluate to a boolean: actual type integer". */
MUST_CHECK int analyze_predicate(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err);
/* A constant for properties, SET SESSION, LIMIT parameters: evaluated (folded) to EXPR_CONSTANT, EXPR_ARRAY or EXPR_ROW of
 * constants; INVALID_… errors are the caller's. Arithmetic on numbers, concatenation and casts between scalars are folded. */
MUST_CHECK int analyze_constant(struct analyzer *z, const struct ast_expr *e, struct expr **ret, struct err *err);
/* The type that a DDL type or a CAST's names: TYPE_NOT_FOUND "Unknown type: foo". */
MUST_CHECK int analyze_type(struct analyzer *z, const struct ast_type *t, const struct type **ret, struct err *err);

/* How Trino's ExpressionFormatter prints an expression in messages and anonymous names: (a + 1), count(*), "x".y */
struct str analyze_format_expr(struct arena *a, const struct ast_expr *e);

/* Nodes. Positions are those of `at`. */
struct expr *expr_new(struct analyzer *z, enum expr_kind kind, const struct type *type, const struct ast_expr *at);
struct expr *expr_column(struct analyzer *z, const struct column *c);
/* `e` as `to`: itself when the type is the same, a constant adjusted, else EXPR_CAST. The caller knows that it's allowed. */
struct expr *expr_cast(struct analyzer *z, struct expr *e, const struct type *to);
/* Structural equality (same columns, same functions, same constants), for GROUP BY and ORDER BY matching. */
bool expr_equal(const struct expr *x, const struct expr *y);
/* Calls visit for every node top-down, also inside subqueries' relations; it may replace *slot, and returns false to
 * keep out of its children. */
typedef bool (*expr_visit_fn)(void *ctx, struct expr **slot);
void expr_walk(struct expr **slot, expr_visit_fn visit, void *ctx);
void rel_walk_exprs(struct rel *r, expr_visit_fn visit, void *ctx); /* all expressions of a relation and below */
bool expr_is_deterministic(const struct expr *e);

/* Errors at a node. */
int analyze_error(const struct ast_expr *at, struct err *err, const char *name, const char *fmt, ...) PRINTF_LIKE(4, 5);
int analyze_error_at(int line, int column, struct err *err, const char *name, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* NOT_SUPPORTED, naming the feature. */
int analyze_unsupported(int line, int column, struct err *err, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* ---- queries (analyze_query.c; owner: queries) ---- */

/* `outer`: the scope a subquery may correlate with, NULL at the top. *ret_scope: its output as fields (names, types). */
MUST_CHECK int analyze_query(struct analyzer *z, const struct ast_query *q, struct scope *outer, struct rel **ret,
                             struct scope **ret_scope, struct err *err);

#endif
