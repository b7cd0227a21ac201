/*
 * Lambdas, and the arguments of calls, which may be lambdas.
 *
 * A lambda's body can only be bound once resolution knows its parameters' types, and its result's type goes back into
 * resolution: function_resolve calls bind_lambda in the middle of its work.
 */
#include "sql/analyze_expr.h"

struct lambda_binder {
    struct expr_env *env;
    const struct ast_exprs *list;
    struct expr **bound; /* the last binding of each lambda; NULL where an argument is none */
    const struct type *const **parameters;
};

struct expr *lambda_find(struct expr_env *env, const struct ast_expr *ident)
{
    for (const struct lambda_scope *s = env->lambda; s; s = s->parent) {
        for (size_t i = 0; i < s->n; i++) {
            if (!str_eq(s->names[i].lower, ident->ident.lower))
                continue;
            struct expr *e = expr_new(env->z, EXPR_LAMBDA_PARAM, s->types[i], ident);

            e->column_id = s->ids[i];
            return e;
        }
    }
    return NULL;
}

static int bind_lambda(void *ctx, size_t i, const struct type *const *parameters, size_t n,
                       const struct type **ret_result, struct err *err)
{
    struct lambda_binder *b = ctx;
    struct analyzer *z = b->env->z;
    const struct ast_expr *e = b->list->items[i];
    struct str found = ast_find_aggregations(z->arena, e->lambda.body);
    struct expr_env inner = *b->env;
    struct expr *body;
    int code;

    if (!str_is_null(found))
        return analyze_error(e->lambda.body, err, "EXPRESSION_NOT_SCALAR",
                             "Lambda expression cannot contain aggregations, window functions or grouping operations: "
                             "%.*s",
                             STR_ARG(found));
    if (e->lambda.params.n != n)
        return analyze_error(e, err, "INVALID_PARAMETER_USAGE",
                             "Expected a lambda that takes %zu argument(s) but got %zu", n, e->lambda.params.n);
    struct expr *lambda = expr_new(z, EXPR_LAMBDA, NULL, e);
    lambda->lambda.ids = arena_array(z->arena, int, n);
    lambda->lambda.n = n;
    for (size_t k = 0; k < n; k++)
        lambda->lambda.ids[k] = z->next_id++;
    struct lambda_scope scope = {
        .parent = b->env->lambda,
        .names = e->lambda.params.items,
        .types = parameters,
        .ids = lambda->lambda.ids,
        .n = n,
    };
    inner.lambda = &scope;
    inner.collector = NULL;
    if ((code = expr_bind(&inner, e->lambda.body, &body, err)) < 0)
        return code;
    lambda->args = arena_array(z->arena, struct expr *, 1);
    lambda->args[0] = body;
    lambda->arg_count = 1;
    b->bound[i] = lambda;
    b->parameters[i] = parameters;
    *ret_result = body->type;
    return 0;
}

/* The lambda as the chosen signature has it: other candidates may have bound it otherwise since. */
static int finish_lambda(struct lambda_binder *b, size_t i, const struct type *function, struct expr **ret,
                         struct err *err)
{
    size_t n = function->field_count - 1;
    const struct type **parameters = arena_array(b->env->z->arena, const struct type *, n + 1);
    const struct type *result;
    bool same = b->bound[i] && b->bound[i]->lambda.n == n;
    int code;

    for (size_t k = 0; k < n; k++) {
        parameters[k] = function->fields[k].type;
        same = same && type_eq(parameters[k], b->parameters[i][k]);
    }
    if (!same && (code = bind_lambda(b, i, parameters, n, &result, err)) < 0)
        return code;
    *ret = b->bound[i];
    (*ret)->type = function;
    return 0;
}

int bind_arguments(struct expr_env *env, struct str name, const struct ast_expr *at, const struct ast_exprs *list,
                   struct function_match *ret_match, struct expr ***ret, struct err *err)
{
    struct analyzer *z = env->z;
    struct lambda_binder binder = {
        .env = env,
        .list = list,
        .bound = arena_array(z->arena, struct expr *, list->n),
        .parameters = arena_array(z->arena, const struct type *const *, list->n),
    };
    struct function_lambda lambda = {.ctx = &binder, .bind = bind_lambda};
    struct expr **args = arena_array(z->arena, struct expr *, list->n);
    const struct type **types = arena_array(z->arena, const struct type *, list->n);
    struct err inner = {0};
    int code;

    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i]->kind == AST_EXPR_LAMBDA)
            continue;
        if ((code = expr_bind(env, list->items[i], &args[i], err)) < 0)
            return code;
        types[i] = args[i]->type;
    }
    if ((code = function_resolve(z->arena, name, types, list->n, &lambda, ret_match, &inner)) < 0) {
        if (inner.line == 0 && inner.code != ERR_INTERNAL) {
            inner.line = at->line;
            inner.column = at->column;
        }
        if (err)
            *err = inner;
        return code;
    }
    for (size_t i = 0; i < list->n; i++) {
        if (!args[i]) {
            if ((code = finish_lambda(&binder, i, ret_match->parameters[i], &args[i], err)) < 0)
                return code;
        } else {
            args[i] = expr_cast(z, args[i], ret_match->parameters[i]);
        }
    }
    *ret = args;
    return 0;
}
