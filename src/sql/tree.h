/*
 * The bound tree: what the analyser makes of a statement, and all that emit/ and connectors/ see of it.
 *
 * Names are resolved, every expression has its Trino type, coercions are explicit casts, sugar is gone. Each column
 * that any relation produces has an id of its own in the statement, so a reference is just the id: a correlated
 * subquery refers to an outer relation's column like to any other. emit/ names columns c<id>, which makes
 * duplicate names, quoting and case nobody's problem. Everything lives in the statement's arena.
 */
#ifndef SQL_TREE_H
#define SQL_TREE_H

#include "sql/types.h"

struct function;        /* sql/functions.h */
struct connector;       /* sql/connector.h */
struct connector_table; /* sql/connector.h */

struct column {
    int id;
    struct str name; /* Trino's, as shown: lower case unless an alias was quoted; null when anonymous */
    const struct type *type;
};

/* ---- expressions ---- */

enum expr_kind {
    EXPR_CONSTANT,     /* value: SQL text of the physical value is emit's business, see struct constant */
    EXPR_COLUMN,       /* column_id */
    EXPR_CALL,         /* function(args): operators and scalar functions */
    EXPR_CAST,         /* args[0] to type; `safe`: TRY_CAST */
    EXPR_AND,          /* args, n ≥ 2 */
    EXPR_OR,           /* args, n ≥ 2 */
    EXPR_NOT,          /* args[0] */
    EXPR_IS_NULL,      /* args[0] */
    EXPR_COMPARE,      /* args[0] op args[1], both of one type */
    EXPR_IN,           /* args[0] in args[1…], all of one type */
    EXPR_BETWEEN,      /* args[0] between args[1] and args[2], all of one type */
    EXPR_CASE,         /* args: when, then, when, then, …, [else]; searched only; all thens of `type` */
    EXPR_COALESCE,     /* args of one type */
    EXPR_IF_NULL,      /* NULLIF(args[0], args[1]): common comparison type in args[1]'s casts, result args[0]'s type */
    EXPR_TRY,          /* args[0], null instead of the errors that Trino's TRY hides */
    EXPR_ROW,          /* ROW(args): type is a row */
    EXPR_FIELD,        /* args[0] is a row; field_index */
    EXPR_ARRAY,        /* ARRAY[args] */
    EXPR_LAMBDA,       /* (params) -> args[0] */
    EXPR_LAMBDA_PARAM, /* column_id names a parameter of an enclosing lambda */
    EXPR_SUBQUERY,     /* scalar: query has one column; more than one row is SUBQUERY_MULTIPLE_ROWS */
    EXPR_EXISTS,       /* query */
    EXPR_IN_QUERY,     /* args[0] in query (one column of the same type) */
    EXPR_QUANTIFIED,   /* args[0] op ALL | ANY query */
    EXPR_GROUPING, /* bits of args (columns that are grouping keys of the aggregation below), as Trino numbers them: args[0]
                      the highest; column_id is that aggregation's grouping_id */
};

enum compare_op {
    COMPARE_EQ,
    COMPARE_NE,
    COMPARE_LT,
    COMPARE_LE,
    COMPARE_GT,
    COMPARE_GE,
    COMPARE_DISTINCT_FROM,
    COMPARE_NOT_DISTINCT_FROM,
};

/* A value of `type` of its expression. Which member holds it:
 * booleans, integers, date (days), time and timestamp(tz) (microseconds), intervals: `i`; real, double: `f`;
 * decimal: `text` of the unscaled digits with sign; varchar, char, json: `text`; varbinary, uuid: `text`, raw bytes;
 * arrays: `items`, only in rows that the program makes. */
struct constant {
    bool is_null;
    int64_t i;
    double f;
    struct str text;
    const struct constant *items;
    size_t item_count;
};

struct expr {
    enum expr_kind kind;
    const struct type *type;
    int line, column; /* of the source it came from; 0 when made up. For errors at run time that Trino locates. */
    struct expr **args;
    size_t arg_count;
    union {
        struct constant constant;
        int column_id;
        const struct function *function;
        enum compare_op op; /* EXPR_COMPARE, EXPR_QUANTIFIED */
        bool safe;          /* EXPR_CAST */
        size_t field_index;
        struct {
            int *ids; /* of the parameters */
            size_t n;
        } lambda;
    };
    struct rel *query;   /* EXPR_SUBQUERY, EXISTS, IN_QUERY, QUANTIFIED */
    bool quantified_all; /* EXPR_QUANTIFIED: ALL, otherwise ANY */
};

struct sort_key {
    struct expr *expr;
    bool descending;
    bool nulls_first; /* resolved: Trino's default is NULLS LAST whatever the direction */
};

/* ---- aggregate and window calls: only in REL_AGGREGATE and REL_WINDOW ---- */

struct aggregate {
    struct column out;
    const struct function *function;
    struct expr **args;
    size_t arg_count;
    bool distinct;
    struct expr *filter; /* or NULL */
    struct sort_key *order;
    size_t order_count;
};

enum frame_unit { FRAME_ROWS, FRAME_RANGE, FRAME_GROUPS };
enum frame_bound {
    BOUND_UNBOUNDED_PRECEDING,
    BOUND_PRECEDING,
    BOUND_CURRENT_ROW,
    BOUND_FOLLOWING,
    BOUND_UNBOUNDED_FOLLOWING
};

struct window_call {
    struct column out;
    const struct function *function; /* a window function or an aggregate */
    struct expr **args;
    size_t arg_count;
    bool distinct;
    bool ignore_nulls;
    struct expr *filter;
    struct expr **partition;
    size_t partition_count;
    struct sort_key *order;
    size_t order_count;
    bool has_frame; /* otherwise the default: RANGE UNBOUNDED PRECEDING … CURRENT ROW */
    enum frame_unit unit;
    enum frame_bound start, end;
    struct expr *start_offset, *end_offset; /* for PRECEDING and FOLLOWING */
};

/* ---- relations ---- */

enum rel_kind {
    REL_SCAN,      /* a connector's table */
    REL_VALUES,    /* constant rows */
    REL_FILTER,    /* predicate over input; WHERE and HAVING */
    REL_PROJECT,   /* exprs[i] gives columns[i] */
    REL_AGGREGATE, /* grouping keys, sets, aggregates */
    REL_WINDOW,    /* input's columns and the window calls' */
    REL_JOIN,
    REL_UNNEST, /* input (may be NULL) cross/left joined with unnest */
    REL_SET_OP,
    REL_SORT,
    REL_LIMIT, /* offset and count; with_ties needs the sort below it */
    REL_DISTINCT,
    REL_CTE, /* a reference to a WITH query */
};

enum join_kind { JOIN_INNER, JOIN_LEFT, JOIN_RIGHT, JOIN_FULL, JOIN_CROSS };
enum set_op { SET_UNION, SET_INTERSECT, SET_EXCEPT };

/* A WITH query: bound once; each reference gives its columns new ids. */
struct cte {
    int id;
    struct rel *query;
    bool recursive;
    struct rel *step; /* recursive: the part after UNION [ALL], which refers to itself by REL_CTE */
    bool step_all;    /* UNION ALL */
};

struct grouping_set {
    size_t *keys; /* indices into REL_AGGREGATE's keys */
    size_t n;
};

struct rel {
    enum rel_kind kind;
    struct column *columns; /* what it produces, in order */
    size_t column_count;
    struct rel *input; /* the only input; a join's and set operation's left one */
    struct rel *right;
    union {
        struct {
            struct connector_table *table;
            size_t *
                table_columns; /* columns[i] is the table's column table_columns[i]; the analyser keeps only used ones */
            struct expr **conjuncts; /* predicates over `columns` that a REL_FILTER above applies anyway, for pruning */
            size_t conjunct_count;
        } scan;
        struct {
            struct expr **
                *rows; /* row_count rows of column_count expressions; a SELECT without FROM stands on one row of
                                    no columns */
            size_t row_count;
        } values;
        struct expr *predicate; /* REL_FILTER */
        struct expr **exprs;    /* REL_PROJECT */
        struct {
            struct expr **keys; /* the first key_count columns are these */
            size_t key_count;
            struct grouping_set *sets; /* at least one; a global aggregation has one empty set */
            size_t set_count;
            bool sets_distinct; /* GROUP BY DISTINCT */
            struct aggregate *aggregates;
            size_t aggregate_count;
            struct column *grouping_id; /* or NULL: extra column with the bits of the keys absent from the row's set,
                                           key 0 the highest bit; what EXPR_GROUPING reads */
        } aggregate;
        struct {
            struct window_call *calls;
            size_t call_count;
        } window;
        struct {
            enum join_kind join;
            struct expr
                *on;      /* NULL for a cross join. USING and NATURAL are expanded: a projection above merges columns */
            bool lateral; /* right may refer to left's columns */
        } join;
        struct {
            struct expr **exprs; /* arrays and maps; the columns after input's are their elements (of
                                    rows: their fields), keys and values */
            size_t expr_count;
            bool with_ordinality; /* the last column */
            bool left;            /* LEFT JOIN UNNEST … ON TRUE */
        } unnest;
        struct {
            enum set_op op;
            bool all;
        } set;
        struct {
            struct sort_key *keys;
            size_t key_count;
        } sort;
        struct {
            struct expr *count, *offset; /* NULL: none; bigint constants */
            bool with_ties;
        } limit;
        struct {
            struct cte *cte;
            int *source_ids; /* columns[i] is column source_ids[i] of cte->query */
        } ref;
    };
    struct cte **ctes; /* WITH queries defined at this relation, in order */
    size_t cte_count;
};

/* ---- statements ---- */

enum statement_kind {
    STATEMENT_QUERY,
    STATEMENT_EXPLAIN,
    STATEMENT_CREATE_TABLE_AS,
    STATEMENT_INSERT,
    STATEMENT_DELETE,
    STATEMENT_CREATE_TABLE,
    STATEMENT_DROP_TABLE,
    STATEMENT_RENAME_TABLE,
    STATEMENT_CREATE_SCHEMA,
    STATEMENT_DROP_SCHEMA,
    STATEMENT_USE,
    STATEMENT_SET_SESSION,
    STATEMENT_RESET_SESSION,
    STATEMENT_SET_TIME_ZONE,
    STATEMENT_SET_ROLE,
    STATEMENT_DROP_ROLE,                 /* IF EXISTS: there are none */
    STATEMENT_SET_SESSION_AUTHORIZATION, /* name null: RESET */
    STATEMENT_PREPARE,
    STATEMENT_DEALLOCATE,
    STATEMENT_START_TRANSACTION,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_CALL,
};

/* WITH (name = value): evaluated to a constant expression of any type. */
struct property {
    struct str name; /* lower case */
    struct expr *value;
};

struct table_column_def {
    struct str name;
    const struct type *type;
    bool not_null;
    struct str comment; /* null: none */
};

struct connector_procedure; /* sql/connector.h */

struct statement {
    enum statement_kind kind;
    const char *update_type; /* Trino's "updateType": "CREATE TABLE", "INSERT", …; NULL for queries */
    struct rel
        *query; /* QUERY, EXPLAIN, CTAS, INSERT (its columns match `insert_columns`); SHOW and DESCRIBE are queries */
    struct str *output_names; /* names of the result's columns, as many as query has: "_col0", … where anonymous */
    size_t output_count;

    struct connector *connector; /* of the target's catalog, where there is a target */
    struct str catalog, schema, table;
    struct str new_schema, new_table; /* RENAME_TABLE */
    bool if_exists;                   /* DROP … IF EXISTS */
    bool if_not_exists;               /* CREATE … IF NOT EXISTS */
    bool is_noop;                     /* the analyser saw that IF [NOT] EXISTS makes it one */
    bool cascade;
    struct connector_table *target; /* INSERT, DELETE */
    size_t *insert_columns; /* INSERT: query's column i goes to target's column insert_columns[i]; others NULL */
    size_t insert_count;
    struct rel *delete_source; /* DELETE with WHERE: the connector's row_ids of the rows to remove; NULL: all rows */
    struct table_column_def *columns; /* CREATE TABLE; CTAS (from the query's names and types) */
    size_t column_count;
    struct property *properties;
    size_t property_count;
    struct str comment;                          /* null: none */
    bool with_data;                              /* CTAS */
    const struct connector_procedure *procedure; /* CALL, of `connector` */
    struct constant *arguments;                  /* CALL: as many as the procedure has */
    bool read_only;                              /* START TRANSACTION */

    struct str
        name; /* SET/RESET SESSION: property, "catalog.property" or system one; PREPARE, DEALLOCATE; SET ROLE: the
                         catalog, or "system"; SET SESSION AUTHORIZATION: the user */
    struct str value; /* SET SESSION: the value as the header carries it; SET TIME ZONE: the zone; PREPARE: the text;
                         START TRANSACTION: the isolation level; SET ROLE: "ALL", "NONE" */
    const char *explain_type; /* "LOGICAL", "DISTRIBUTED", "VALIDATE", "IO"; analyze */
    bool explain_analyze;
};

#endif
