/*
 * Inside the expression half: what calls, aggregates and windows share.
 */
#ifndef SQL_ANALYZE_CALL_H
#define SQL_ANALYZE_CALL_H

#include "sql/analyze_expr.h"

/* The type of the result, with its time zone where it has one. */
MUST_CHECK int call_result_type(struct expr_env *env, const struct function_match *match, struct expr *const *args,
                                size_t n, const struct ast_expr *at, const struct type **ret, struct err *err);
/* Calls of aggregates and, with OVER, of aggregates and window functions: they go to env->collector, and *ret is the
 * column that will hold their value. `name`: lower case. */
MUST_CHECK int bind_aggregate(struct expr_env *env, struct str name, const struct ast_expr *e, struct expr **ret,
                              struct err *err);
MUST_CHECK int bind_window_call(struct expr_env *env, struct str name, const struct ast_expr *e, struct expr **ret,
                                struct err *err);

#endif
