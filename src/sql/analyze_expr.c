/*
 * Expressions: from the syntax tree to the bound tree, by the rules of Trino 476's ExpressionAnalyzer.
 *
 * analyze_expr first checks that the clause may have the aggregates and windows that stand in it, then binds top-down
 * in Trino's order, so that of several errors the same one is reported. This file has the dispatch, names, rows and
 * arrays, and the coercions that the others use.
 */
#include "sql/analyze_expr.h"

/* ---- coercion ---- */

int expr_coerce(struct expr_env *env, const struct ast_expr *at, struct expr **e, const struct type *to,
                const char *what, struct err *err)
{
    struct arena *a = env->z->arena;

    if (!type_can_coerce((*e)->type, to)) {
        struct str want = type_name(a, to), actual = type_name(a, (*e)->type);

        return analyze_error(at, err, "TYPE_MISMATCH", "%s must evaluate to a %.*s (actual: %.*s)", what, STR_ARG(want),
                             STR_ARG(actual));
    }
    *e = expr_cast(env->z, *e, to);
    return 0;
}

int expr_bind_as(struct expr_env *env, const struct ast_expr *e, const struct type *to, const char *what,
                 struct expr **ret, struct err *err)
{
    int code;

    if ((code = expr_bind(env, e, ret, err)) < 0)
        return code;
    return expr_coerce(env, e, ret, to, what, err);
}

int expr_bind_list(struct expr_env *env, const struct ast_exprs *list, struct expr ***ret, struct err *err)
{
    struct expr **exprs = arena_array(env->z->arena, struct expr *, list->n);
    int code;

    for (size_t i = 0; i < list->n; i++)
        if ((code = expr_bind(env, list->items[i], &exprs[i], err)) < 0)
            return code;
    *ret = exprs;
    return 0;
}

/* "[integer, varchar(1)]" */
static struct str list_types(struct arena *a, const struct type *const *types, size_t n)
{
    struct buf BUF_SCOPED b = {0};

    buf_init(&b, 1 << 16);
    for (size_t i = 0; i < n; i++) {
        buf_add_cstr(&b, i > 0 ? ", " : "[");
        type_format(&b, types[i]);
    }
    buf_add_char(&b, ']');
    return arena_str(a, buf_str(&b));
}

int expr_coerce_all(struct expr_env *env, const struct ast_expr *const *ats, struct expr **exprs, size_t n,
                    const char *what, const struct type **ret_type, struct err *err)
{
    struct arena *a = env->z->arena;
    const struct type **types = arena_array(a, const struct type *, n), *super = &type_unknown;
    const struct ast_expr **firsts = arena_array(a, const struct ast_expr *, n);
    size_t distinct = 0;

    for (size_t i = 0; i < n; i++) {
        bool seen = false;

        for (size_t k = 0; k < distinct && !seen; k++)
            seen = type_eq(types[k], exprs[i]->type);
        if (!seen) {
            firsts[distinct] = ats[i];
            types[distinct++] = exprs[i]->type;
        }
    }
    for (size_t k = 0; k < distinct; k++) {
        const struct type *next = type_common_super(a, super, types[k]);

        if (!next) {
            struct str x = type_name(a, super), y = type_name(a, types[k]), all = list_types(a, types, distinct);

            return analyze_error(firsts[k], err, "TYPE_MISMATCH",
                                 "%s must be the same type or coercible to a common type. Cannot find common type "
                                 "between %.*s and %.*s, all types (without duplicates): %.*s",
                                 what, STR_ARG(x), STR_ARG(y), STR_ARG(all));
        }
        super = next;
    }
    for (size_t i = 0; i < n; i++)
        exprs[i] = expr_cast(env->z, exprs[i], super);
    *ret_type = super;
    return 0;
}

int expr_check_zones(struct expr *const *exprs, size_t n, const struct ast_expr *at, struct err *err)
{
    struct str zone = STR_NULL;

    for (size_t i = 0; i < n; i++) {
        const struct expr *e = exprs[i];

        if (e->type->kind != TYPE_TIMESTAMP_TZ || (e->kind == EXPR_CONSTANT && e->constant.is_null))
            continue;
        if (!str_is_null(zone) && !str_eq(zone, e->type->zone))
            return analyze_unsupported(at->line, at->column, err,
                                       "Values of different time zones in one expression are not supported");
        zone = e->type->zone;
    }
    return 0;
}

/* ---- names ---- */

static const struct ast_expr *chain_root(const struct ast_expr *e)
{
    while (e->kind == AST_EXPR_DEREFERENCE && e->dereference.field)
        e = e->dereference.base;
    return e;
}

static int bind_name(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    int level, found = scope_resolve(env->z, env->scope, e, ret, &level, err);

    if (found < 0)
        return found;
    if (found == 0) {
        struct str text = analyze_format_expr(env->z->arena, e);

        return analyze_error(e, err, "COLUMN_NOT_FOUND", "Column '%.*s' cannot be resolved", STR_ARG(text));
    }
    (*ret)->line = e->line;
    (*ret)->column = e->column;
    return 0;
}

static int bind_ident(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    if ((*ret = lambda_find(env, e)))
        return 0;
    return bind_name(env, e, ret, err);
}

static int bind_dereference(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    const struct ast_expr *root = chain_root(e);
    const struct ast_ident *field = e->dereference.field;
    struct expr *base;
    bool found = false;
    int code;

    if (!field)
        return analyze_unsupported(e->line, e->column, err, "<identifier>.* not allowed in this context");
    if (root->kind == AST_EXPR_IDENT && !lambda_find(env, root))
        return bind_name(env, e, ret, err);
    if ((code = expr_bind(env, e->dereference.base, &base, err)) < 0)
        return code;
    if (base->type->kind != TYPE_ROW) {
        struct str text = analyze_format_expr(env->z->arena, e->dereference.base);

        return analyze_error(e->dereference.base, err, "TYPE_MISMATCH", "Expression %.*s is not of type ROW",
                             STR_ARG(text));
    }
    for (size_t i = 0; i < base->type->field_count; i++) {
        struct str name = base->type->fields[i].name;

        if (str_is_null(name) || !str_eq(arena_lower(env->z->arena, name), field->lower))
            continue;
        if (found)
            return analyze_error_at(field->line, field->column, err, "AMBIGUOUS_NAME",
                                    "Ambiguous row field reference: %.*s", STR_ARG(field->value));
        found = true;
        *ret = expr_new_n(env->z, EXPR_FIELD, base->type->fields[i].type, e, 1);
        (*ret)->args[0] = base;
        (*ret)->field_index = i;
    }
    if (!found)
        return analyze_error(e, err, "INVALID_COLUMN_REFERENCE", "Column reference '%.*s' is invalid",
                             STR_ARG(field->value));
    return 0;
}

/* ---- rows, arrays, parameters ---- */

static int bind_row(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct type_field *fields = arena_array(env->z->arena, struct type_field, e->list.n);
    struct expr **items;
    int code;

    if ((code = expr_bind_list(env, &e->list, &items, err)) < 0)
        return code;
    for (size_t i = 0; i < e->list.n; i++)
        fields[i] = (struct type_field){.type = items[i]->type};
    *ret = expr_new(env->z, EXPR_ROW, type_row(env->z->arena, fields, e->list.n), e);
    (*ret)->args = items;
    (*ret)->arg_count = e->list.n;
    return 0;
}

static int bind_array(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    const struct type *element;
    struct expr **items;
    int code;

    if ((code = expr_bind_list(env, &e->list, &items, err)) < 0)
        return code;
    if ((code = expr_coerce_all(env, (const struct ast_expr *const *)e->list.items, items, e->list.n,
                                "All ARRAY elements", &element, err)) < 0 ||
        (code = expr_check_zones(items, e->list.n, e, err)) < 0)
        return code;
    if (e->list.n > 0 && element->kind == TYPE_TIMESTAMP_TZ)
        element = items[0]->type;
    *ret = expr_new(env->z, EXPR_ARRAY, type_array(env->z->arena, element), e);
    (*ret)->args = items;
    (*ret)->arg_count = e->list.n;
    return 0;
}

static int bind_parameter(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct analyzer *z = env->z;

    if (z->describing) {
        *ret = expr_null(z, &type_unknown, e);
        (*ret)->constant.i = (int64_t)e->parameter + 1; /* expr_cast notes what it becomes */
        return 0;
    }
    if (z->parameter_count == 0)
        return analyze_error(e, err, "INVALID_PARAMETER_USAGE", "Query takes no parameters");
    if (e->parameter >= z->parameter_count)
        return analyze_error(e, err, "INVALID_PARAMETER_USAGE", "Invalid parameter index %zu, max value is %zu",
                             e->parameter, z->parameter_count - 1);
    return expr_bind(env, z->parameters[e->parameter], ret, err);
}

static int bind_grouping(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    enum { MAX_ARGUMENTS = 63, MAX_INTEGER_ARGUMENTS = 31 };
    struct collector *c = env->collector;
    struct expr **args;
    int code;

    if (e->grouping.n > MAX_ARGUMENTS)
        return analyze_error(e, err, "TOO_MANY_ARGUMENTS", "GROUPING supports up to %d column arguments",
                             MAX_ARGUMENTS);
    if ((code = expr_bind_list(env, &e->grouping, &args, err)) < 0)
        return code;
    *ret = expr_new(env->z, EXPR_GROUPING, e->grouping.n <= MAX_INTEGER_ARGUMENTS ? &type_integer : &type_bigint, e);
    (*ret)->args = args;
    (*ret)->arg_count = e->grouping.n;
    if (c) {
        if (c->grouping_count == c->grouping_cap)
            c->groupings = vec_grow_in(env->z->arena, c->groupings, &c->grouping_cap, c->grouping_count,
                                       sizeof(struct expr *));
        c->groupings[c->grouping_count++] = *ret;
    }
    return 0;
}

/* ---- dispatch ---- */

int expr_bind(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    switch (e->kind) {
    case AST_EXPR_NULL:
    case AST_EXPR_BOOLEAN:
    case AST_EXPR_STRING:
    case AST_EXPR_BYTES:
    case AST_EXPR_INTEGER:
    case AST_EXPR_DECIMAL:
    case AST_EXPR_DOUBLE:
    case AST_EXPR_INTERVAL:
    case AST_EXPR_TYPED:
        return bind_literal(env, e, ret, err);
    case AST_EXPR_CURRENT:
        return bind_current(env, e, ret, err);
    case AST_EXPR_IDENT:
        return bind_ident(env, e, ret, err);
    case AST_EXPR_DEREFERENCE:
        return bind_dereference(env, e, ret, err);
    case AST_EXPR_PARAMETER:
        return bind_parameter(env, e, ret, err);
    case AST_EXPR_SUBSCRIPT:
    case AST_EXPR_NEGATE:
    case AST_EXPR_PLUS:
    case AST_EXPR_ARITHMETIC:
    case AST_EXPR_COMPARE:
    case AST_EXPR_DISTINCT_FROM:
    case AST_EXPR_LOGICAL:
    case AST_EXPR_NOT:
    case AST_EXPR_IS_NULL:
    case AST_EXPR_IS_NOT_NULL:
    case AST_EXPR_BETWEEN:
    case AST_EXPR_IN_LIST:
    case AST_EXPR_LIKE:
    case AST_EXPR_AT_TIME_ZONE:
        return bind_operator(env, e, ret, err);
    case AST_EXPR_SIMPLE_CASE:
    case AST_EXPR_SEARCHED_CASE:
    case AST_EXPR_IF:
    case AST_EXPR_NULLIF:
    case AST_EXPR_COALESCE:
    case AST_EXPR_TRY:
        return bind_conditional(env, e, ret, err);
    case AST_EXPR_CAST:
        return bind_cast(env, e, ret, err);
    case AST_EXPR_CALL:
        return bind_call(env, e, ret, err);
    case AST_EXPR_CONCAT:
    case AST_EXPR_EXTRACT:
    case AST_EXPR_TRIM:
    case AST_EXPR_FORMAT:
        return bind_call_syntax(env, e, ret, err);
    case AST_EXPR_EXISTS:
    case AST_EXPR_IN_QUERY:
    case AST_EXPR_QUANTIFIED:
    case AST_EXPR_SUBQUERY:
        return bind_subquery(env, e, ret, err);
    case AST_EXPR_ARRAY:
        return bind_array(env, e, ret, err);
    case AST_EXPR_ROW:
        return bind_row(env, e, ret, err);
    case AST_EXPR_GROUPING:
        return bind_grouping(env, e, ret, err);
    case AST_EXPR_LAMBDA:
        return analyze_error(e, err, "TYPE_MISMATCH", "Lambda expression should always be used inside a function");
    case AST_EXPR_JSON: {
        static const char *const names[] = {"JSON_EXISTS", "JSON_VALUE", "JSON_QUERY", "JSON_OBJECT", "JSON_ARRAY"};

        return analyze_unsupported(e->line, e->column, err, "%s is not supported", names[e->json->kind]);
    }
    case AST_EXPR_MEASURE:
        return analyze_unsupported(e->line, e->column, err, "Row pattern recognition is not supported");
    }
    return err_set(err, ERR_INTERNAL, "An expression of unknown kind %d", (int)e->kind);
}

int analyze_expr(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    if (!env->collector) {
        struct str found = ast_find_aggregations(env->z->arena, e);

        if (!str_is_null(found))
            return analyze_error(e, err, "EXPRESSION_NOT_SCALAR",
                                 "%s cannot contain aggregations, window functions or grouping operations: %.*s",
                                 env->clause ? env->clause : "This expression", STR_ARG(found));
    }
    return expr_bind(env, e, ret, err);
}

int analyze_predicate(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    int code;

    if ((code = analyze_expr(env, e, ret, err)) < 0)
        return code;
    if (!type_can_coerce((*ret)->type, &type_boolean)) {
        struct str actual = type_name(env->z->arena, (*ret)->type);

        return analyze_error(e, err, "TYPE_MISMATCH", "%s must evaluate to a boolean: actual type %.*s",
                             strcmp(env->clause, "JOIN clause") == 0 ? "JOIN ON clause" : env->clause, STR_ARG(actual));
    }
    *ret = expr_cast(env->z, *ret, &type_boolean);
    return 0;
}
