/*
 * What the files of the analyser's expression half share. Each bind_… function binds one kind of syntax node: names,
 * types, coercions; errors are Trino's, at the node.
 */
#ifndef SQL_ANALYZE_EXPR_H
#define SQL_ANALYZE_EXPR_H

#include "sql/analyzer.h"

/* Parameters of a lambda whose body is being bound; inner ones first. */
struct lambda_scope {
    struct lambda_scope *parent;
    const struct ast_ident *names;
    const struct type *const *types;
    const int *ids;
    size_t n;
};

/* The inner analyze_expr: without the check that the clause may have aggregates. */
MUST_CHECK int expr_bind(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err);
/* All of a list. */
MUST_CHECK int expr_bind_list(struct expr_env *env, const struct ast_exprs *list, struct expr ***ret, struct err *err);
/* Binds and coerces: "WHAT must evaluate to a TYPE (actual: TYPE)". */
MUST_CHECK int expr_bind_as(struct expr_env *env, const struct ast_expr *e, const struct type *to, const char *what,
                            struct expr **ret, struct err *err);
/* A bound expression coerced, with the same error at `at`. */
MUST_CHECK int expr_coerce(struct expr_env *env, const struct ast_expr *at, struct expr **e, const struct type *to,
                           const char *what, struct err *err);
/* All coerced to their common type; `ats` are their nodes. "WHAT must be the same type or coercible to a common type…". */
MUST_CHECK int expr_coerce_all(struct expr_env *env, const struct ast_expr *const *ats, struct expr **exprs, size_t n,
                               const char *what, const struct type **ret_type, struct err *err);
/* Values of which one becomes the result: their time zones have to agree, since the type holds only one. */
MUST_CHECK int expr_check_zones(struct expr *const *exprs, size_t n, const struct ast_expr *at, struct err *err);

/* A node with n arguments. */
struct expr *expr_new_n(struct analyzer *z, enum expr_kind kind, const struct type *type, const struct ast_expr *at,
                        size_t n);
struct expr *expr_constant(struct analyzer *z, const struct type *type, struct constant value,
                           const struct ast_expr *at);
struct expr *expr_null(struct analyzer *z, const struct type *type, const struct ast_expr *at);
struct expr *expr_text(struct analyzer *z, const struct type *type, struct str text, const struct ast_expr *at);

/* A call of a function by name with bound arguments, resolved and coerced; errors at `at`. */
MUST_CHECK int expr_call(struct expr_env *env, struct str name, struct expr **args, size_t n, const struct ast_expr *at,
                         struct expr **ret, struct err *err);

/* analyze_literal.c */
MUST_CHECK int bind_literal(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err);
MUST_CHECK int bind_current(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err);
struct datetime_text;
/* What a TIMESTAMP's text with a zone (or without: the session's) says, as timestamp(precision) with time zone. */
MUST_CHECK int expr_timestamp_tz(struct expr_env *env, const struct datetime_text *text, int precision,
                                 const struct ast_expr *at, struct expr **ret, struct err *err);
/* analyze_operator.c */
MUST_CHECK int bind_operator(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err);
/* analyze_case.c */
MUST_CHECK int bind_conditional(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err);
/* analyze_cast.c */
MUST_CHECK int bind_cast(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err);
/* analyze_call.c */
MUST_CHECK int bind_call(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err);
MUST_CHECK int bind_call_syntax(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err);
/* analyze_subquery.c */
MUST_CHECK int bind_subquery(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err);
/* analyze_lambda.c: the arguments of a call, lambdas among them, resolved and coerced. */
MUST_CHECK int bind_arguments(struct expr_env *env, struct str name, const struct ast_expr *at,
                              const struct ast_exprs *list, struct function_match *ret_match, struct expr ***ret,
                              struct err *err);
/* The lambda's parameter of that name, or NULL. */
struct expr *lambda_find(struct expr_env *env, const struct ast_expr *ident);

/* ---- the syntax tree ---- */

/* Calls visit for e and every expression below it, top-down, not inside subqueries; false keeps out of the children. */
typedef bool (*ast_visit_fn)(void *ctx, const struct ast_expr *e);
void ast_expr_walk(const struct ast_expr *e, ast_visit_fn visit, void *ctx);
/* "[count(*), rank() OVER ()]": aggregates, windows and grouping operations in e, or null when there are none. */
struct str ast_find_aggregations(struct arena *a, const struct ast_expr *e);
struct str ast_find_aggregates(struct arena *a, const struct ast_expr *e);
const struct ast_expr *ast_first_window(const struct ast_expr *e); /* NULL: none */
struct str ast_find_windows(struct arena *a, const struct ast_expr *e);

/* A type as Trino's formatter prints it. */
struct str analyze_format_type(struct arena *a, const struct ast_type *t);

/* ---- casts (coerce.c) ---- */

/* May a value be cast (explicitly)? */
bool cast_is_allowed(const struct type *from, const struct type *to);

/* ---- values (constant.c) ---- */

/* A constant as another type, folded where the rule is simple; false: leave it to the engine. */
bool constant_cast(struct arena *a, const struct type *from, const struct constant *value, const struct type *to,
                   struct constant *ret);
/* "-1.50" as digits "-150" of a decimal(3,2); ERR_INVALID: no decimal, or more than 38 digits. */
int decimal_parse(struct arena *a, struct str text, int *ret_precision, int *ret_scale, struct str *ret_digits);
/* Text as a value of type: 0, or ERR_INVALID when it is none. Types whose text needs the engine: ERR_UNSUPPORTED. */
int constant_parse(struct arena *a, const struct type *type, struct str text, struct constant *ret);

#endif
