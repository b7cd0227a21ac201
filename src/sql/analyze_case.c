/*
 * CASE, IF, NULLIF, COALESCE, TRY: expressions of which only a part is evaluated.
 */
#include "sql/analyze_expr.h"

/* The results of a CASE get one type; `results` are their places in (*node)->args. */
static int coerce_results(struct expr_env *env, const struct ast_expr *e, struct expr *node, struct err *err)
{
    size_t n = e->cases.n + (e->cases.otherwise ? 1 : 0);
    const struct ast_expr **ats = arena_array(env->z->arena, const struct ast_expr *, n);
    struct expr **results = arena_array(env->z->arena, struct expr *, n);
    const struct type *type;
    int code;

    for (size_t i = 0; i < n; i++) {
        ats[i] = i < e->cases.n ? e->cases.whens[i].result : e->cases.otherwise;
        if ((code = expr_bind(env, ats[i], &results[i], err)) < 0)
            return code;
    }
    if ((code = expr_coerce_all(env, ats, results, n, "All CASE results", &type, err)) < 0 ||
        (code = expr_check_zones(results, n, e, err)) < 0)
        return code;
    for (size_t i = 0; i < n; i++)
        node->args[i < e->cases.n ? 2 * i + 1 : 2 * i] = results[i];
    node->type = type->kind == TYPE_TIMESTAMP_TZ ? results[0]->type : type;
    return 0;
}

static int bind_searched(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    int code;

    *ret = expr_new_n(env->z, EXPR_CASE, NULL, e, 2 * e->cases.n + (e->cases.otherwise ? 1 : 0));
    for (size_t i = 0; i < e->cases.n; i++)
        if ((code = expr_bind_as(env, e->cases.whens[i].condition, &type_boolean, "CASE WHEN clause",
                                 &(*ret)->args[2 * i], err)) < 0)
            return code;
    return coerce_results(env, e, *ret, err);
}

static int bind_simple(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct analyzer *z = env->z;
    struct expr *operand, **values = arena_array(z->arena, struct expr *, e->cases.n);
    const struct type *common;
    int code;

    if ((code = expr_bind(env, e->cases.operand, &operand, err)) < 0)
        return code;
    common = operand->type;
    for (size_t i = 0; i < e->cases.n; i++) {
        const struct ast_expr *at = e->cases.whens[i].condition;

        if ((code = expr_bind(env, at, &values[i], err)) < 0)
            return code;
        common = type_common_super(z->arena, common, values[i]->type);
        if (!common) {
            struct str x = type_name(z->arena, operand->type), y = type_name(z->arena, values[i]->type);

            return analyze_error(at, err, "TYPE_MISMATCH",
                                 "CASE operand type does not match WHEN clause operand type: %.*s vs %.*s", STR_ARG(x),
                                 STR_ARG(y));
        }
    }
    *ret = expr_new_n(z, EXPR_CASE, NULL, e, 2 * e->cases.n + (e->cases.otherwise ? 1 : 0));
    operand = expr_cast(z, operand, common);
    for (size_t i = 0; i < e->cases.n; i++) {
        struct expr *compare = expr_new_n(z, EXPR_COMPARE, &type_boolean, e->cases.whens[i].condition, 2);

        compare->op = COMPARE_EQ;
        compare->args[0] = operand;
        compare->args[1] = expr_cast(z, values[i], common);
        (*ret)->args[2 * i] = compare;
    }
    return coerce_results(env, e, *ret, err);
}

static int bind_if(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct analyzer *z = env->z;
    const struct ast_expr *otherwise = e->if_.otherwise;
    int code;

    *ret = expr_new_n(z, EXPR_CASE, NULL, e, otherwise ? 3 : 2);
    struct expr **args = (*ret)->args;
    if ((code = expr_bind_as(env, e->if_.condition, &type_boolean, "IF condition", &args[0], err)) < 0 ||
        (code = expr_bind(env, e->if_.then, &args[1], err)) < 0)
        return code;
    const struct type *type = args[1]->type;
    if (otherwise) {
        if ((code = expr_bind(env, otherwise, &args[2], err)) < 0)
            return code;
        type = type_common_super(z->arena, args[1]->type, args[2]->type);
        if (!type) {
            struct str x = type_name(z->arena, args[1]->type), y = type_name(z->arena, args[2]->type);

            return analyze_error(e, err, "TYPE_MISMATCH", "Result types for IF must be the same: %.*s vs %.*s",
                                 STR_ARG(x), STR_ARG(y));
        }
        args[1] = expr_cast(z, args[1], type);
        args[2] = expr_cast(z, args[2], type);
        if ((code = expr_check_zones(&args[1], 2, e, err)) < 0)
            return code;
    }
    (*ret)->type = type->kind == TYPE_TIMESTAMP_TZ ? args[1]->type : type;
    return 0;
}

static int bind_nullif(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct analyzer *z = env->z;
    struct expr *x, *y;
    int code;

    if ((code = expr_bind(env, e->binary.left, &x, err)) < 0 || (code = expr_bind(env, e->binary.right, &y, err)) < 0)
        return code;
    const struct type *common = type_common_super(z->arena, x->type, y->type);
    if (!common) {
        struct str left = type_name(z->arena, x->type), right = type_name(z->arena, y->type);

        return analyze_error(e, err, "TYPE_MISMATCH", "Types are not comparable with NULLIF: %.*s vs %.*s",
                             STR_ARG(left), STR_ARG(right));
    }
    *ret = expr_new_n(z, EXPR_IF_NULL, x->type, e, 2);
    (*ret)->args[0] = x;
    (*ret)->args[1] = expr_cast(z, y, common);
    return 0;
}

static int bind_coalesce(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    const struct type *type;
    struct expr **items;
    int code;

    if ((code = expr_bind_list(env, &e->list, &items, err)) < 0 ||
        (code = expr_coerce_all(env, (const struct ast_expr *const *)e->list.items, items, e->list.n,
                                "All COALESCE operands", &type, err)) < 0 ||
        (code = expr_check_zones(items, e->list.n, e, err)) < 0)
        return code;
    *ret = expr_new(env->z, EXPR_COALESCE, type->kind == TYPE_TIMESTAMP_TZ ? items[0]->type : type, e);
    (*ret)->args = items;
    (*ret)->arg_count = e->list.n;
    return 0;
}

static int bind_try(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct expr *inner;
    int code;

    if ((code = expr_bind(env, e->operand, &inner, err)) < 0)
        return code;
    *ret = expr_new_n(env->z, EXPR_TRY, inner->type, e, 1);
    (*ret)->args[0] = inner;
    return 0;
}

int bind_conditional(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    switch (e->kind) {
    case AST_EXPR_SEARCHED_CASE:
        return bind_searched(env, e, ret, err);
    case AST_EXPR_SIMPLE_CASE:
        return bind_simple(env, e, ret, err);
    case AST_EXPR_IF:
        return bind_if(env, e, ret, err);
    case AST_EXPR_NULLIF:
        return bind_nullif(env, e, ret, err);
    case AST_EXPR_COALESCE:
        return bind_coalesce(env, e, ret, err);
    default:
        return bind_try(env, e, ret, err);
    }
}
