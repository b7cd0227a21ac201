/*
 * The abstract syntax tree of Trino's SQL (the grammar of release 476), as the parser builds it and before any name is
 * resolved.
 *
 * All nodes, lists and strings live in the arena given to sql_parse and are immutable afterwards. Every node has the
 * position Trino would report for it: `line` and `column` are 1-based, the column counts code points.
 * Nodes are tagged unions: read only the member that the tag names. Pointers documented as "or NULL" are optional
 * parts that the text left out; lists may be empty (n == 0) unless "≥ 1" is said.
 *
 * The parser accepts more than the engine executes: the analyser refuses the rest with NOT_SUPPORTED.
 */
#ifndef SQL_AST_H
#define SQL_AST_H

#include "base/vec.h"

struct ast_expr;
struct ast_query;
struct ast_relation;
struct ast_statement;
struct ast_type;

/* Lists work with vec_push_in. */
struct ast_exprs {
    struct ast_expr **items;
    size_t n, cap;
};

struct ast_ident {
    int line, column;
    struct str value; /* as written, quotes and doubled quotes removed */
    struct str lower; /* the same in lower case: what names are compared by, quoted or not (Trino's QualifiedName) */
    bool quoted;
};

struct ast_idents {
    struct ast_ident *items;
    size_t n, cap;
};

/* a, a.b, a.b.c, …: ≥ 1 parts */
struct ast_name {
    int line, column;
    struct ast_ident *parts;
    size_t n;
};

struct ast_names {
    struct ast_name *items;
    size_t n, cap;
};

/* ---- types ---------------------------------------------------------------------------------------------------- */

enum ast_type_kind {
    AST_TYPE_GENERIC,  /* name(params): bigint, varchar(10), decimal(10, 2), array(bigint), map(k, v), … */
    AST_TYPE_DATETIME, /* TIME or TIMESTAMP, precision, time zone */
    AST_TYPE_INTERVAL, /* INTERVAL field [TO field] */
    AST_TYPE_ROW,
};

/* In this order: a larger one is a finer one. */
enum ast_interval_field { AST_YEAR, AST_MONTH, AST_DAY, AST_HOUR, AST_MINUTE, AST_SECOND };

/* A number or a type. */
struct ast_type_param {
    int line, column;
    struct ast_type *type; /* NULL: it is the number */
    int64_t number;
    struct str text; /* the number as written */
};

struct ast_row_field {
    int line, column;
    struct ast_ident *name; /* or NULL: anonymous */
    struct ast_type *type;
};

struct ast_type {
    enum ast_type_kind kind;
    int line, column;
    union {
        /* `DOUBLE PRECISION` is generic "double"; `T ARRAY` and `ARRAY<T>` are generic "array"(T). */
        struct {
            struct ast_ident name;
            struct ast_type_param *params;
            size_t n, cap;
        } generic;
        struct {
            bool timestamp; /* else TIME */
            bool with_time_zone;
            struct ast_type_param *precision; /* or NULL: the default, 3 */
        } datetime;
        struct {
            enum ast_interval_field from, to; /* equal when there is no TO */
        } interval;
        struct {
            struct ast_row_field *items; /* ≥ 1 */
            size_t n, cap;
        } row;
    };
};

/* ---- expressions ---------------------------------------------------------------------------------------------- */

enum ast_expr_kind {
    AST_EXPR_NULL,
    AST_EXPR_BOOLEAN,  /* .boolean */
    AST_EXPR_STRING,   /* .text: UTF-8, escapes resolved; U&'' too */
    AST_EXPR_BYTES,    /* .text: X'' decoded */
    AST_EXPR_INTEGER,  /* .integer; the sign belongs to the literal: -1 is one node */
    AST_EXPR_DECIMAL,  /* .text: as written, without underscores, perhaps with a leading '-' */
    AST_EXPR_DOUBLE,   /* .real */
    AST_EXPR_INTERVAL, /* .interval */
    AST_EXPR_TYPED, /* .typed: DATE '…', TIMESTAMP '…', DECIMAL '…', JSON '…', DOUBLE PRECISION '…', any name */
    AST_EXPR_IDENT,         /* .ident */
    AST_EXPR_DEREFERENCE,   /* .dereference: base.field */
    AST_EXPR_SUBSCRIPT,     /* .subscript: base[index] */
    AST_EXPR_PARAMETER,     /* .parameter: its 0-based index, in text order */
    AST_EXPR_NEGATE,        /* .operand: -x; a literal's sign is in the literal */
    AST_EXPR_PLUS,          /* .operand: +x */
    AST_EXPR_ARITHMETIC,    /* .arithmetic */
    AST_EXPR_CONCAT,        /* .binary: a || b */
    AST_EXPR_COMPARE,       /* .compare */
    AST_EXPR_DISTINCT_FROM, /* .binary: a IS DISTINCT FROM b; the NOT form is a NOT around it */
    AST_EXPR_LOGICAL,       /* .logical: AND, OR over ≥ 2 terms: `a AND b AND c` is one node */
    AST_EXPR_NOT,           /* .operand; also NOT BETWEEN, NOT IN, NOT LIKE, IS NOT DISTINCT FROM */
    AST_EXPR_IS_NULL,       /* .operand */
    AST_EXPR_IS_NOT_NULL,   /* .operand */
    AST_EXPR_BETWEEN,       /* .between */
    AST_EXPR_IN_LIST,       /* .in_list */
    AST_EXPR_IN_QUERY,      /* .in_query */
    AST_EXPR_LIKE,          /* .like */
    AST_EXPR_EXISTS,        /* .query */
    AST_EXPR_QUANTIFIED,    /* .quantified: a = ALL (query) */
    AST_EXPR_SIMPLE_CASE,   /* .cases, with operand */
    AST_EXPR_SEARCHED_CASE, /* .cases, operand NULL */
    AST_EXPR_CAST,          /* .cast; TRY_CAST has safe set */
    AST_EXPR_EXTRACT,       /* .extract */
    AST_EXPR_TRIM,          /* .trim */
    AST_EXPR_AT_TIME_ZONE,  /* .binary: value, zone (a string or an interval) */
    AST_EXPR_CURRENT,       /* .current: CURRENT_DATE, CURRENT_TIMESTAMP(p), CURRENT_USER, … */
    AST_EXPR_CALL,          /* .call: also POSITION → "strpos", SUBSTRING → "substring", NORMALIZE → "normalize",
                                 LISTAGG → "listagg" */
    AST_EXPR_IF,            /* .if_: IF(c, a[, b]) */
    AST_EXPR_NULLIF,        /* .binary */
    AST_EXPR_COALESCE,      /* .list: ≥ 2 */
    AST_EXPR_TRY,           /* .operand */
    AST_EXPR_FORMAT,        /* .list: ≥ 2, the first is the format */
    AST_EXPR_LAMBDA,        /* .lambda */
    AST_EXPR_ARRAY,         /* .list */
    AST_EXPR_ROW,           /* .list: ≥ 1; ROW(a, b) and (a, b) */
    AST_EXPR_GROUPING,      /* .grouping: GROUPING(a, t.b), each an IDENT or DEREFERENCE */
    AST_EXPR_SUBQUERY,      /* .query: scalar */
    AST_EXPR_JSON,          /* .json: JSON_EXISTS, JSON_VALUE, JSON_QUERY, JSON_OBJECT, JSON_ARRAY */
    AST_EXPR_MEASURE,       /* .measure: name OVER window */
};

enum ast_arithmetic { AST_ADD, AST_SUBTRACT, AST_MULTIPLY, AST_DIVIDE, AST_MODULUS };
enum ast_compare { AST_EQ, AST_NE, AST_LT, AST_LE, AST_GT, AST_GE };
enum ast_quantifier { AST_QUANTIFIER_ALL, AST_QUANTIFIER_ANY, AST_QUANTIFIER_SOME };

enum ast_current {
    AST_CURRENT_DATE,
    AST_CURRENT_TIME,
    AST_CURRENT_TIMESTAMP,
    AST_LOCALTIME,
    AST_LOCALTIMESTAMP,
    AST_CURRENT_USER,
    AST_CURRENT_CATALOG,
    AST_CURRENT_SCHEMA,
    AST_CURRENT_PATH,
};

enum ast_trim { AST_TRIM_BOTH, AST_TRIM_LEADING, AST_TRIM_TRAILING };

struct ast_when {
    int line, column;
    struct ast_expr *condition; /* searched: a boolean; simple: a value to compare the operand with */
    struct ast_expr *result;
};

struct ast_sort {
    int line, column;
    struct ast_expr *key;
    bool descending;
    enum { AST_NULLS_DEFAULT, AST_NULLS_FIRST, AST_NULLS_LAST } nulls; /* default in Trino: last, either way */
};

struct ast_sorts {
    struct ast_sort *items;
    size_t n, cap;
};

enum ast_frame_unit { AST_FRAME_RANGE, AST_FRAME_ROWS, AST_FRAME_GROUPS };

struct ast_bound {
    int line, column;
    enum { AST_UNBOUNDED_PRECEDING, AST_PRECEDING, AST_CURRENT_ROW, AST_FOLLOWING, AST_UNBOUNDED_FOLLOWING } kind;
    struct ast_expr *offset; /* AST_PRECEDING and AST_FOLLOWING only */
};

struct ast_frame {
    int line, column;
    enum ast_frame_unit unit;
    struct ast_bound start;
    struct ast_bound *end; /* or NULL: no BETWEEN, which means CURRENT ROW */
};

/* OVER name: only `reference`. OVER (…): the others; `base` is the existing window that it extends. */
struct ast_window {
    int line, column;
    struct ast_ident *reference; /* or NULL */
    struct ast_ident *base;      /* or NULL */
    struct ast_exprs partition_by;
    struct ast_sorts order_by;
    struct ast_frame *frame; /* or NULL */
};

enum ast_null_treatment { AST_NULLS_UNSAID, AST_RESPECT_NULLS, AST_IGNORE_NULLS };

struct ast_call {
    struct ast_name name;
    struct ast_exprs args;
    bool star;                    /* f(*): no args */
    struct ast_ident *star_label; /* f(t.*), or NULL: row pattern recognition only */
    bool distinct;
    struct ast_sorts order_by; /* inside the parentheses; LISTAGG's WITHIN GROUP */
    struct ast_expr *filter;   /* or NULL */
    struct ast_window *window; /* or NULL */
    enum ast_null_treatment nulls;
    enum { AST_MODE_UNSAID, AST_MODE_RUNNING, AST_MODE_FINAL } mode; /* row pattern recognition only */
    /* LISTAGG only; args are the value and the separator ('' when unsaid) */
    bool listagg;
    bool overflow_truncate;     /* ON OVERFLOW TRUNCATE, else ERROR */
    struct str overflow_filler; /* null: unsaid, "..." */
    bool overflow_count;        /* WITH COUNT */
};

enum ast_json_kind { AST_JSON_EXISTS, AST_JSON_VALUE, AST_JSON_QUERY, AST_JSON_OBJECT, AST_JSON_ARRAY };
enum ast_json_format {
    AST_JSON_FORMAT_UNSAID,
    AST_JSON_FORMAT_JSON,
    AST_JSON_FORMAT_UTF8,
    AST_JSON_FORMAT_UTF16,
    AST_JSON_FORMAT_UTF32
};
/* What to do ON EMPTY and ON ERROR; each function allows some of them. */
enum ast_json_behaviour {
    AST_JSON_UNSAID,
    AST_JSON_ERROR,
    AST_JSON_NULL,
    AST_JSON_DEFAULT,
    AST_JSON_TRUE,
    AST_JSON_FALSE,
    AST_JSON_UNKNOWN,
    AST_JSON_EMPTY_ARRAY,
    AST_JSON_EMPTY_OBJECT,
};

/* JSON_OBJECT: a key and a value; JSON_ARRAY: a value; PASSING: a value and its name. */
struct ast_json_item {
    int line, column;
    struct ast_expr *key; /* or NULL */
    struct ast_expr *value;
    enum ast_json_format format;
    struct ast_ident *name; /* PASSING only */
};

struct ast_json_items {
    struct ast_json_item *items;
    size_t n, cap;
};

struct ast_json {
    enum ast_json_kind kind;
    struct ast_json_item input;  /* EXISTS, VALUE, QUERY: the value looked into */
    struct str path;             /* and the path's text */
    struct ast_ident *path_name; /* or NULL */
    struct ast_json_items passing;
    struct ast_json_items items; /* OBJECT, ARRAY */
    struct ast_type *returning;  /* or NULL */
    enum ast_json_format returning_format;
    enum ast_json_behaviour on_empty, on_error;
    struct ast_expr *empty_default, *error_default; /* for AST_JSON_DEFAULT */
    enum { AST_JSON_WRAPPER_WITHOUT, AST_JSON_WRAPPER_CONDITIONAL, AST_JSON_WRAPPER_UNCONDITIONAL } wrapper;
    enum { AST_JSON_QUOTES_UNSAID, AST_JSON_QUOTES_KEEP, AST_JSON_QUOTES_OMIT } quotes;
    bool null_on_null; /* OBJECT: default true; ARRAY: default false */
    bool unique_keys;
};

struct ast_expr {
    enum ast_expr_kind kind;
    int line, column;
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct str text;
        size_t parameter;
        struct ast_expr *operand;
        struct ast_query *query;
        struct ast_exprs list;
        struct ast_exprs grouping;
        struct ast_call *call;
        struct ast_json *json;
        struct ast_ident ident;
        struct {
            struct ast_expr *left, *right;
        } binary;
        struct {
            enum ast_arithmetic op;
            struct ast_expr *left, *right;
        } arithmetic;
        struct {
            enum ast_compare op;
            struct ast_expr *left, *right;
        } compare;
        struct {
            bool is_or; /* else AND */
            struct ast_exprs terms;
        } logical;
        struct {
            struct str value; /* without the sign outside the quotes */
            bool negative;
            enum ast_interval_field from, to; /* equal when there is no TO */
        } interval;
        struct {
            struct str type; /* as written: "DATE", "varchar", … */
            struct str value;
        } typed;
        struct {
            struct ast_expr *base;
            struct ast_ident *field;
        } dereference;
        struct {
            struct ast_expr *base, *index;
        } subscript;
        struct {
            struct ast_expr *value, *low, *high;
        } between;
        struct {
            struct ast_expr *value;
            struct ast_exprs items; /* ≥ 1 */
        } in_list;
        struct {
            struct ast_expr *value;
            struct ast_query *query;
        } in_query;
        struct {
            struct ast_expr *value, *pattern, *escape; /* escape: or NULL */
        } like;
        struct {
            enum ast_compare op;
            enum ast_quantifier quantifier;
            struct ast_expr *value;
            struct ast_query *query;
        } quantified;
        struct {
            struct ast_expr *operand; /* simple CASE only */
            struct ast_when *whens;   /* ≥ 1 */
            size_t n, cap;
            struct ast_expr *otherwise; /* or NULL */
        } cases;
        struct {
            struct ast_expr *value;
            struct ast_type *type;
            bool safe; /* TRY_CAST */
        } cast;
        struct {
            struct str field; /* upper case, one of Trino's: YEAR, QUARTER, MONTH, WEEK, DAY, DAY_OF_MONTH, … */
            struct ast_expr *value;
        } extract;
        struct {
            enum ast_trim where;
            struct ast_expr *value, *chars; /* chars: or NULL */
        } trim;
        struct {
            enum ast_current what;
            int precision; /* -1: unsaid */
        } current;
        struct {
            struct ast_expr *condition, *then, *otherwise; /* otherwise: or NULL */
        } if_;
        struct {
            struct ast_idents params;
            struct ast_expr *body;
        } lambda;
        struct {
            struct ast_ident name;
            struct ast_window *window;
        } measure;
    };
};

/* ---- relations ------------------------------------------------------------------------------------------------ */

enum ast_relation_kind {
    AST_RELATION_TABLE,    /* .table */
    AST_RELATION_ALIASED,  /* .aliased */
    AST_RELATION_JOIN,     /* .join */
    AST_RELATION_SUBQUERY, /* .query */
    AST_RELATION_LATERAL,  /* .query */
    AST_RELATION_UNNEST,   /* .unnest */
    AST_RELATION_SAMPLED,  /* .sampled */
    AST_RELATION_FUNCTION, /* .function: TABLE(f(…)) */
    /* The bodies of queries that are no SELECT stand in struct ast_body. Parentheses leave no node. */
};

enum ast_join_kind { AST_JOIN_CROSS, AST_JOIN_IMPLICIT, AST_JOIN_INNER, AST_JOIN_LEFT, AST_JOIN_RIGHT, AST_JOIN_FULL };

/* An argument of a table function. Exactly one of expr, table, descriptor is set. */
struct ast_table_argument {
    int line, column;
    struct ast_ident *name;           /* name => …, or NULL */
    struct ast_expr *expr;            /* scalar */
    struct ast_relation *table;       /* TABLE(name) or TABLE(query), perhaps aliased */
    struct ast_row_field *descriptor; /* type may be NULL in a field */
    size_t descriptor_n, descriptor_cap;
    bool is_descriptor; /* CAST(NULL AS DESCRIPTOR) has descriptor_n == 0 */
    /* for a table */
    struct ast_exprs partition_by;
    bool has_partition_by;
    struct ast_sorts order_by;
    enum { AST_EMPTY_UNSAID, AST_EMPTY_PRUNE, AST_EMPTY_KEEP } when_empty;
};

struct ast_relation {
    enum ast_relation_kind kind;
    int line, column;
    union {
        struct ast_query *query;
        struct {
            struct ast_name name;
            /* FOR VERSION AS OF expr, FOR TIMESTAMP AS OF expr */
            enum { AST_PERIOD_NONE, AST_PERIOD_VERSION, AST_PERIOD_TIMESTAMP } period;
            struct ast_expr *as_of;
        } table;
        struct {
            struct ast_relation *relation;
            struct ast_ident *alias;
            struct ast_idents columns; /* empty: unsaid */
        } aliased;
        struct {
            enum ast_join_kind kind;
            struct ast_relation *left, *right;
            bool natural;
            struct ast_expr *on;     /* or NULL */
            struct ast_idents using; /* empty: unsaid */
        } join;
        struct {
            struct ast_exprs items; /* ≥ 1 */
            bool with_ordinality;
        } unnest;
        struct {
            struct ast_relation *relation;
            bool system; /* else BERNOULLI */
            struct ast_expr *percentage;
        } sampled;
        struct {
            struct ast_name name;
            struct ast_table_argument *items;
            size_t n, cap;
            struct ast_names *copartition; /* each a list of ≥ 2 tables */
            size_t copartition_n, copartition_cap;
        } function;
    };
};

/* ---- queries -------------------------------------------------------------------------------------------------- */

struct ast_select_item {
    int line, column;
    enum {
        AST_SELECT_EXPR, /* expr [AS alias] */
        AST_SELECT_ALL,  /* *: expr is NULL; t.*: expr is the row */
    } kind;
    struct ast_expr *expr;
    struct ast_ident *alias;   /* or NULL */
    struct ast_idents columns; /* t.* AS (a, b) */
};

enum ast_grouping_kind {
    AST_GROUPING_SIMPLE, /* one set: `a`, or `(a, b)`, which groups by both */
    AST_GROUPING_ROLLUP,
    AST_GROUPING_CUBE,
    AST_GROUPING_SETS,
    AST_GROUPING_AUTO, /* no sets */
};

struct ast_grouping {
    int line, column;
    enum ast_grouping_kind kind;
    struct ast_exprs *sets;
    size_t n, cap;
};

struct ast_window_definition {
    int line, column;
    struct ast_ident name;
    struct ast_window window;
};

struct ast_select {
    int line, column;
    bool distinct;
    struct {
        struct ast_select_item *items; /* ≥ 1 */
        size_t n, cap;
    } items;
    struct ast_relation *from;         /* or NULL; `a, b` is AST_JOIN_IMPLICIT */
    struct ast_expr *where;            /* or NULL */
    bool has_group_by, group_distinct; /* GROUP BY DISTINCT */
    struct {
        struct ast_grouping *items;
        size_t n, cap;
    } group_by;
    struct ast_expr *having; /* or NULL */
    struct {
        struct ast_window_definition *items;
        size_t n, cap;
    } windows;
};

enum ast_body_kind {
    AST_BODY_SELECT, /* .select */
    AST_BODY_TABLE,  /* .table: TABLE name */
    AST_BODY_VALUES, /* .values: each row a ROW or, for one column, any expression */
    AST_BODY_SET,    /* .set */
    AST_BODY_QUERY,  /* .query: in parentheses, with its own ORDER BY, LIMIT, … (and no WITH) */
};

enum ast_set_op { AST_UNION, AST_INTERSECT, AST_EXCEPT };

struct ast_body {
    enum ast_body_kind kind;
    int line, column;
    union {
        struct ast_select *select;
        struct ast_name table;
        struct ast_exprs values; /* ≥ 1 */
        struct ast_query *query;
        struct {
            enum ast_set_op op;
            bool all;                      /* else DISTINCT, the default */
            bool corresponding;            /* CORRESPONDING [BY (columns)] */
            struct ast_idents by_columns;  /* empty: unsaid */
            struct ast_body *left, *right; /* n-ary chains lean left: a UNION b UNION c is (a UNION b) UNION c */
        } set;
    };
};

struct ast_named_query {
    int line, column;
    struct ast_ident name;
    struct ast_idents columns; /* empty: unsaid */
    struct ast_query *query;
};

/* LIMIT, OFFSET, FETCH: a number or a parameter. */
struct ast_row_count {
    int line, column;             /* of the clause */
    int value_line, value_column; /* of the number or parameter */
    enum { AST_COUNT_UNSAID, AST_COUNT_ALL, AST_COUNT_NUMBER, AST_COUNT_PARAMETER } kind;
    int64_t number;   /* AST_COUNT_NUMBER: ≥ 0 */
    size_t parameter; /* AST_COUNT_PARAMETER: its index */
};

struct ast_query {
    int line, column;
    bool recursive;
    struct {
        struct ast_named_query *items;
        size_t n, cap;
    } with;
    struct ast_body *body;
    struct ast_sorts order_by;
    struct ast_row_count offset;
    struct ast_row_count limit; /* LIMIT, or FETCH FIRST (no number: 1) */
    bool is_fetch, with_ties;   /* FETCH FIRST …, … WITH TIES */
};

/* ---- statements ----------------------------------------------------------------------------------------------- */

enum ast_statement_kind {
    AST_QUERY,                            /* .query */
    AST_USE,                              /* .use */
    AST_CREATE_CATALOG,                   /* .create: name, properties, connector, comment, principal */
    AST_DROP_CATALOG,                     /* .drop */
    AST_CREATE_SCHEMA,                    /* .create: name, properties, principal */
    AST_DROP_SCHEMA,                      /* .drop */
    AST_RENAME_SCHEMA,                    /* .rename */
    AST_CREATE_TABLE,                     /* .create_table */
    AST_CREATE_TABLE_AS,                  /* .create_table: query set */
    AST_DROP_TABLE,                       /* .drop */
    AST_INSERT,                           /* .insert */
    AST_DELETE,                           /* .delete */
    AST_UPDATE,                           /* .update */
    AST_MERGE,                            /* .merge */
    AST_TRUNCATE_TABLE,                   /* .drop: name */
    AST_COMMENT,                          /* .comment */
    AST_RENAME_TABLE,                     /* .rename */
    AST_ADD_COLUMN,                       /* .add_column */
    AST_RENAME_COLUMN,                    /* .alter_column */
    AST_DROP_COLUMN,                      /* .alter_column */
    AST_SET_COLUMN_TYPE,                  /* .alter_column */
    AST_DROP_NOT_NULL,                    /* .alter_column */
    AST_SET_AUTHORIZATION,                /* .authorization: ALTER TABLE, SCHEMA, VIEW, … SET AUTHORIZATION */
    AST_SET_TABLE_PROPERTIES,             /* .set_properties */
    AST_TABLE_EXECUTE,                    /* .table_execute */
    AST_ANALYZE,                          /* .analyze */
    AST_CREATE_VIEW,                      /* .create_view */
    AST_CREATE_MATERIALIZED_VIEW,         /* .create_view */
    AST_REFRESH_MATERIALIZED_VIEW,        /* .drop: name */
    AST_DROP_VIEW,                        /* .drop */
    AST_DROP_MATERIALIZED_VIEW,           /* .drop */
    AST_RENAME_VIEW,                      /* .rename */
    AST_RENAME_MATERIALIZED_VIEW,         /* .rename */
    AST_SET_MATERIALIZED_VIEW_PROPERTIES, /* .set_properties */
    AST_CALL,                             /* .call */
    AST_CREATE_ROLE,                      /* .role */
    AST_DROP_ROLE,                        /* .role */
    AST_GRANT_ROLES,                      /* .role */
    AST_REVOKE_ROLES,                     /* .role */
    AST_GRANT,                            /* .grant */
    AST_REVOKE,                           /* .grant */
    AST_DENY,                             /* .grant */
    AST_SET_ROLE,                         /* .role */
    AST_SHOW_GRANTS,                      /* .grant: object, may be absent */
    AST_SHOW_ROLES,                       /* .show */
    AST_SHOW_CURRENT_ROLES,               /* .show */
    AST_SHOW_ROLE_GRANTS,                 /* .show */
    AST_SHOW_CATALOGS,                    /* .show */
    AST_SHOW_SCHEMAS,                     /* .show */
    AST_SHOW_TABLES,                      /* .show */
    AST_SHOW_COLUMNS,                     /* .show; DESCRIBE and DESC too */
    AST_SHOW_FUNCTIONS,                   /* .show */
    AST_SHOW_SESSION,                     /* .show */
    AST_SHOW_STATS,                       /* .show: name, or query */
    AST_SHOW_CREATE_TABLE,                /* .show */
    AST_SHOW_CREATE_SCHEMA,               /* .show */
    AST_SHOW_CREATE_VIEW,                 /* .show */
    AST_SHOW_CREATE_MATERIALIZED_VIEW,    /* .show */
    AST_SHOW_CREATE_FUNCTION,             /* .show */
    AST_EXPLAIN,                          /* .explain */
    AST_EXPLAIN_ANALYZE,                  /* .explain */
    AST_SET_SESSION,                      /* .set_session */
    AST_RESET_SESSION,                    /* .set_session: value NULL */
    AST_SET_SESSION_AUTHORIZATION,        /* .session_user */
    AST_RESET_SESSION_AUTHORIZATION,
    AST_SET_PATH,          /* .names: each of one or two parts */
    AST_SET_TIME_ZONE,     /* .value: NULL is LOCAL */
    AST_START_TRANSACTION, /* .transaction */
    AST_COMMIT,
    AST_ROLLBACK,
    AST_PREPARE,           /* .prepare */
    AST_EXECUTE,           /* .prepare */
    AST_EXECUTE_IMMEDIATE, /* .prepare: text is the statement */
    AST_DEALLOCATE,        /* .prepare: name */
    AST_DESCRIBE_INPUT,    /* .prepare: name */
    AST_DESCRIBE_OUTPUT,   /* .prepare: name */
};

struct ast_property {
    int line, column;
    struct ast_ident name;
    struct ast_expr *value; /* NULL: DEFAULT */
};

struct ast_properties {
    struct ast_property *items;
    size_t n, cap;
};

struct ast_column {
    int line, column;
    struct ast_name name; /* one part in CREATE TABLE; ADD COLUMN may name a field: a.b */
    struct ast_type *type;
    bool not_null;
    struct str comment; /* null: unsaid */
    struct ast_properties properties;
};

/* A column, or LIKE table. */
struct ast_table_element {
    int line, column;
    struct ast_column *definition; /* NULL: LIKE */
    struct ast_name like;
    enum { AST_PROPERTIES_UNSAID, AST_INCLUDING_PROPERTIES, AST_EXCLUDING_PROPERTIES } like_properties;
};

enum ast_principal_kind {
    AST_PRINCIPAL_NONE,
    AST_PRINCIPAL_UNSPECIFIED,
    AST_PRINCIPAL_USER,
    AST_PRINCIPAL_ROLE,
    AST_PRINCIPAL_CURRENT_USER,
    AST_PRINCIPAL_CURRENT_ROLE,
};

struct ast_principal {
    enum ast_principal_kind kind;
    int line, column;
    struct ast_ident name; /* the first three kinds */
};

struct ast_principals {
    struct ast_principal *items;
    size_t n, cap;
};

struct ast_assignment {
    int line, column;
    struct ast_ident target;
    struct ast_expr *value;
};

struct ast_assignments {
    struct ast_assignment *items;
    size_t n, cap;
};

struct ast_merge_case {
    int line, column;
    enum { AST_MERGE_UPDATE, AST_MERGE_DELETE, AST_MERGE_INSERT } kind;
    struct ast_expr *condition;         /* AND …, or NULL */
    struct ast_assignments assignments; /* update */
    struct ast_idents columns;          /* insert; empty: all */
    struct ast_exprs values;            /* insert */
};

/* CALL, ALTER TABLE EXECUTE */
struct ast_argument {
    int line, column;
    struct ast_ident *name; /* or NULL: by position */
    struct ast_expr *value;
};

struct ast_arguments {
    struct ast_argument *items;
    size_t n, cap;
};

enum ast_explain_format { AST_EXPLAIN_FORMAT_UNSAID, AST_EXPLAIN_TEXT, AST_EXPLAIN_GRAPHVIZ, AST_EXPLAIN_JSON };
enum ast_explain_type {
    AST_EXPLAIN_TYPE_UNSAID,
    AST_EXPLAIN_LOGICAL,
    AST_EXPLAIN_DISTRIBUTED,
    AST_EXPLAIN_VALIDATE,
    AST_EXPLAIN_IO
};

struct ast_statement {
    enum ast_statement_kind kind;
    int line, column;
    size_t parameters; /* how many ? are in the text of this statement, inner ones of EXPLAIN and PREPARE included */
    union {
        struct ast_query *query;
        struct ast_names names;
        struct ast_expr *value;
        struct {
            struct ast_ident *catalog; /* or NULL */
            struct ast_ident schema;
        } use;
        struct {
            struct ast_name name;
            bool if_not_exists;
            struct ast_properties properties;
            struct ast_principal principal; /* AUTHORIZATION */
            struct ast_ident *connector;    /* CREATE CATALOG … USING */
            struct str comment;             /* CREATE CATALOG; null: unsaid */
        } create;
        struct {
            struct ast_name name;
            bool if_exists, cascade;
        } drop;
        struct {
            struct ast_name from, to;
            bool if_exists;
        } rename;
        struct {
            struct ast_ident entity; /* TABLE, SCHEMA, VIEW, or any word */
            struct ast_name name;
            struct ast_principal principal;
        } authorization;
        struct {
            struct ast_name name;
            bool or_replace, if_not_exists;
            struct {
                struct ast_table_element *items; /* AST_CREATE_TABLE: ≥ 1 */
                size_t n, cap;
            } elements;
            struct ast_idents columns; /* AST_CREATE_TABLE_AS: aliases, empty: unsaid */
            struct str comment;        /* null: unsaid */
            struct ast_properties properties;
            struct ast_query *query; /* AST_CREATE_TABLE_AS */
            bool with_no_data;
        } create_table;
        struct {
            struct ast_name table;
            struct ast_idents columns; /* empty: all */
            struct ast_query *query;
        } insert;
        struct {
            struct ast_name table;
            struct ast_expr *where; /* or NULL */
        } delete;
        struct {
            struct ast_name table;
            struct ast_assignments assignments; /* ≥ 1 */
            struct ast_expr *where;             /* or NULL */
        } update;
        struct {
            struct ast_name table;
            struct ast_ident *alias; /* or NULL */
            struct ast_relation *source;
            struct ast_expr *on;
            struct ast_merge_case *cases; /* ≥ 1 */
            size_t n, cap;
        } merge;
        struct {
            enum { AST_COMMENT_TABLE, AST_COMMENT_VIEW, AST_COMMENT_COLUMN } on;
            struct ast_name name;
            struct str comment; /* null: IS NULL */
        } comment;
        struct {
            struct ast_name table;
            bool if_exists, if_not_exists;
            struct ast_column column;
            enum { AST_POSITION_LAST, AST_POSITION_FIRST, AST_POSITION_AFTER } position;
            struct ast_ident *after; /* AST_POSITION_AFTER */
        } add_column;
        struct {
            struct ast_name table;
            bool if_exists, column_if_exists;
            struct ast_name column; /* may name a field: a.b */
            struct ast_ident to;    /* AST_RENAME_COLUMN */
            struct ast_type *type;  /* AST_SET_COLUMN_TYPE */
        } alter_column;
        struct {
            struct ast_name name;
            struct ast_properties properties;
        } set_properties;
        struct {
            struct ast_name table;
            struct ast_ident procedure;
            struct ast_arguments arguments;
            struct ast_expr *where; /* or NULL */
        } table_execute;
        struct {
            struct ast_name name;
            struct ast_properties properties;
        } analyze;
        struct {
            struct ast_name name;
            bool or_replace, if_not_exists;
            struct ast_expr *grace_period; /* AST_EXPR_INTERVAL, or NULL */
            struct str comment;            /* null: unsaid */
            struct ast_properties properties;
            enum { AST_SECURITY_UNSAID, AST_SECURITY_DEFINER, AST_SECURITY_INVOKER } security;
            struct ast_query *query;
            struct str query_text; /* the query as written */
        } create_view;
        struct {
            struct ast_name name;
            struct ast_arguments arguments;
        } call;
        struct {
            struct ast_idents roles; /* one in CREATE, DROP and SET ROLE */
            struct ast_principals principals;
            struct ast_principal grantor; /* WITH ADMIN, GRANTED BY */
            bool admin_option;
            bool all, none;            /* SET ROLE ALL, NONE */
            bool if_exists;            /* DROP ROLE */
            struct ast_ident *catalog; /* IN catalog, or NULL */
        } role;
        struct {
            struct ast_idents privileges; /* empty: ALL PRIVILEGES */
            struct ast_ident *entity;     /* TABLE, SCHEMA, …, or NULL */
            struct ast_name object;       /* n == 0: none (SHOW GRANTS) */
            struct ast_principal principal;
            bool grant_option;
        } grant;
        struct {
            struct ast_name name;    /* FROM or IN …, or what to show; n == 0: none */
            struct str like;         /* null: unsaid */
            struct str escape;       /* null: unsaid */
            struct ast_query *query; /* SHOW STATS FOR (query), or NULL */
        } show;
        struct {
            struct ast_statement *statement;
            struct str text; /* of the inner statement, as written */
            enum ast_explain_format format;
            enum ast_explain_type type;
            bool verbose;
        } explain;
        struct {
            struct ast_name name;
            struct ast_expr *value;
        } set_session;
        struct {
            struct str name;
        } session_user;
        struct {
            enum {
                AST_ISOLATION_UNSAID,
                AST_READ_UNCOMMITTED,
                AST_READ_COMMITTED,
                AST_REPEATABLE_READ,
                AST_SERIALIZABLE
            } isolation;
            enum { AST_ACCESS_UNSAID, AST_READ_ONLY, AST_READ_WRITE } access;
        } transaction;
        struct {
            struct ast_ident name;
            struct ast_statement *statement; /* AST_PREPARE */
            struct str text;                 /* AST_PREPARE: the statement as written; AST_EXECUTE_IMMEDIATE */
            struct ast_exprs arguments;      /* USING … */
        } prepare;
    };
};

#endif
