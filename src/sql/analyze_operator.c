/*
 * Operators: arithmetic, comparison, logic, BETWEEN, IN, LIKE, subscripts, AT TIME ZONE.
 */
#include "sql/analyze_expr.h"

/* ---- arithmetic ---- */

static const char *const arithmetic_names[] = {"$add", "$subtract", "$multiply", "$divide", "$modulus"};
static const char *const arithmetic_symbols[] = {"+", "-", "*", "/", "%"};

/* Resolves an operator; `message` is what Trino says when there is none. AMBIGUOUS_FUNCTION_CALL has no position. */
static int call_operator(struct expr_env *env, const char *name, struct expr **args, size_t n,
                         const struct ast_expr *at, const char *message, struct expr **ret, struct err *err)
{
    struct err inner = {0};
    int code = expr_call(env, str_from_cstr(name), args, n, at, ret, &inner);

    if (code >= 0)
        return 0;
    if (inner.name && strcmp(inner.name, "FUNCTION_NOT_FOUND") == 0)
        return analyze_error(at, err, "TYPE_MISMATCH", "%s", message);
    if (inner.name && strcmp(inner.name, "AMBIGUOUS_FUNCTION_CALL") == 0)
        inner.line = inner.column = 0;
    if (err)
        *err = inner;
    return code;
}

static const char *cannot_apply(struct arena *a, const struct type *x, const char *symbol, const struct type *y)
{
    struct str left = type_name(a, x), right = type_name(a, y);

    return arena_printf(a, "Cannot apply operator: %.*s %s %.*s", STR_ARG(left), symbol, STR_ARG(right)).p;
}

/* Trino's planner moves a constant to the right of + and *; the order shows in the messages of overflows. What needs a
 * cast is no constant to it. */
static void move_constant_right(struct expr *call, struct expr *const *before)
{
    bool left_is_constant = before[0]->kind == EXPR_CONSTANT && call->args[0] == before[0];
    bool right_is_constant = before[1]->kind == EXPR_CONSTANT && call->args[1] == before[1];

    if (left_is_constant && !right_is_constant && type_eq(call->args[0]->type, call->args[1]->type)) {
        struct expr *left = call->args[0];

        call->args[0] = call->args[1];
        call->args[1] = left;
    }
}

static int bind_arithmetic(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct expr *args[2];
    int code;

    if ((code = expr_bind(env, e->arithmetic.left, &args[0], err)) < 0 ||
        (code = expr_bind(env, e->arithmetic.right, &args[1], err)) < 0)
        return code;
    const char *message = cannot_apply(env->z->arena, args[0]->type, arithmetic_symbols[e->arithmetic.op],
                                       args[1]->type);
    if ((code = call_operator(env, arithmetic_names[e->arithmetic.op], args, 2, e, message, ret, err)) < 0)
        return code;
    if (e->arithmetic.op == AST_ADD || e->arithmetic.op == AST_MULTIPLY)
        move_constant_right(*ret, args);
    return 0;
}

static int bind_negate(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct expr *operand;
    int code;

    if ((code = expr_bind(env, e->operand, &operand, err)) < 0)
        return code;
    struct str type = type_name(env->z->arena, operand->type);
    return call_operator(env, "$negate", &operand, 1, e,
                         arena_printf(env->z->arena, "Cannot negate %.*s", STR_ARG(type)).p, ret, err);
}

static int bind_plus(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    int code;

    if ((code = expr_bind(env, e->operand, ret, err)) < 0)
        return code;
    enum type_kind kind = (*ret)->type->kind;
    if (!type_is_integer((*ret)->type) && kind != TYPE_REAL && kind != TYPE_DOUBLE) {
        struct str type = type_name(env->z->arena, (*ret)->type);

        return analyze_error(e, err, "TYPE_MISMATCH", "Unary '+' operator cannot by applied to %.*s type",
                             STR_ARG(type));
    }
    return 0;
}

/* ---- comparison ---- */

static const struct type *comparison_type(struct expr_env *env, const struct expr *x, const struct expr *y,
                                          bool orderable)
{
    const struct type *common = type_common_super(env->z->arena, x->type, y->type);

    if (!common || !(orderable ? type_is_orderable(common) : type_is_comparable(common)))
        return NULL;
    return common;
}

static int bind_compare(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    static const struct {
        enum compare_op op;
        const char *symbol; /* Trino has only =, < and <= */
        bool swapped;
    } operators[] = {
        [AST_EQ] = {COMPARE_EQ, "=", false},  [AST_NE] = {COMPARE_NE, "=", false}, [AST_LT] = {COMPARE_LT, "<", false},
        [AST_LE] = {COMPARE_LE, "<=", false}, [AST_GT] = {COMPARE_GT, "<", false}, [AST_GE] = {COMPARE_GE, "<=", false},
    };
    struct expr *x, *y;
    int code;

    if ((code = expr_bind(env, e->compare.left, &x, err)) < 0 || (code = expr_bind(env, e->compare.right, &y, err)) < 0)
        return code;
    const struct type *common = comparison_type(env, x, y, e->compare.op > AST_NE);
    if (!common)
        return analyze_error(e, err, "TYPE_MISMATCH", "%s",
                             cannot_apply(env->z->arena, x->type, operators[e->compare.op].symbol, y->type));
    *ret = expr_new_n(env->z, EXPR_COMPARE, &type_boolean, e, 2);
    (*ret)->op = operators[e->compare.op].op;
    (*ret)->args[0] = expr_cast(env->z, x, common);
    (*ret)->args[1] = expr_cast(env->z, y, common);
    return 0;
}

static int bind_distinct_from(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct expr *x, *y;
    int code;

    if ((code = expr_bind(env, e->binary.left, &x, err)) < 0 || (code = expr_bind(env, e->binary.right, &y, err)) < 0)
        return code;
    const struct type *common = comparison_type(env, x, y, false);
    if (!common) {
        struct str left = type_name(env->z->arena, x->type), right = type_name(env->z->arena, y->type);

        return analyze_error(e, err, "TYPE_MISMATCH", "Cannot check if %.*s is identical to %.*s", STR_ARG(left),
                             STR_ARG(right));
    }
    *ret = expr_new_n(env->z, EXPR_COMPARE, &type_boolean, e, 2);
    (*ret)->op = COMPARE_DISTINCT_FROM;
    (*ret)->args[0] = expr_cast(env->z, x, common);
    (*ret)->args[1] = expr_cast(env->z, y, common);
    return 0;
}

static int bind_between(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    const struct ast_expr *parts[3] = {e->between.value, e->between.low, e->between.high};
    struct arena *a = env->z->arena;
    struct expr *args[3];
    int code;

    for (int i = 0; i < 3; i++)
        if ((code = expr_bind(env, parts[i], &args[i], err)) < 0)
            return code;
    const struct type *common = type_common_super(a, args[0]->type, args[1]->type);
    if (common)
        common = type_common_super(a, common, args[2]->type);
    if (!common || !type_is_orderable(common)) {
        struct str x = type_name(a, args[0]->type), y = type_name(a, args[1]->type), w = type_name(a, args[2]->type);

        return analyze_error(e, err, "TYPE_MISMATCH", "Cannot check if %.*s is BETWEEN %.*s and %.*s", STR_ARG(x),
                             STR_ARG(y), STR_ARG(w));
    }
    *ret = expr_new_n(env->z, EXPR_BETWEEN, &type_boolean, e, 3);
    for (int i = 0; i < 3; i++)
        (*ret)->args[i] = expr_cast(env->z, args[i], common);
    return 0;
}

static int bind_in_list(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    size_t n = e->in_list.items.n + 1;
    const struct ast_expr **ats = arena_array(env->z->arena, const struct ast_expr *, n);
    const struct type *common;
    int code;

    *ret = expr_new_n(env->z, EXPR_IN, &type_boolean, e, n);
    ats[0] = e->in_list.value;
    memcpy(&ats[1], e->in_list.items.items, (n - 1) * sizeof(*ats));
    for (size_t i = 0; i < n; i++)
        if ((code = expr_bind(env, ats[i], &(*ret)->args[i], err)) < 0)
            return code;
    if ((code = expr_coerce_all(env, ats, (*ret)->args, n, "IN value and list items", &common, err)) < 0)
        return code;
    if (!type_is_comparable(common)) {
        struct str type = type_name(env->z->arena, common);

        return analyze_error(e, err, "TYPE_MISMATCH", "Type %.*s is not comparable and cannot be used in IN",
                             STR_ARG(type));
    }
    return 0;
}

/* ---- logic ---- */

static int bind_logical(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    int code;

    *ret = expr_new_n(env->z, e->logical.is_or ? EXPR_OR : EXPR_AND, &type_boolean, e, e->logical.terms.n);
    for (size_t i = 0; i < e->logical.terms.n; i++)
        if ((code = expr_bind_as(env, e->logical.terms.items[i], &type_boolean, "Logical expression term",
                                 &(*ret)->args[i], err)) < 0)
            return code;
    return 0;
}

static int bind_not(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    int code;

    *ret = expr_new_n(env->z, EXPR_NOT, &type_boolean, e, 1);
    if ((code = expr_bind_as(env, e->operand, &type_boolean, "Value of logical NOT expression", &(*ret)->args[0],
                             err)) < 0)
        return code;
    struct expr *inner = (*ret)->args[0];
    if (inner->kind == EXPR_COMPARE && inner->op == COMPARE_DISTINCT_FROM) {
        inner->op = COMPARE_NOT_DISTINCT_FROM;
        *ret = inner;
    }
    return 0;
}

static int bind_is_null(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct expr *test = expr_new_n(env->z, EXPR_IS_NULL, &type_boolean, e, 1);
    int code;

    if ((code = expr_bind(env, e->operand, &test->args[0], err)) < 0)
        return code;
    *ret = test;
    if (e->kind == AST_EXPR_IS_NOT_NULL) {
        *ret = expr_new_n(env->z, EXPR_NOT, &type_boolean, e, 1);
        (*ret)->args[0] = test;
    }
    return 0;
}

/* ---- LIKE, subscripts, AT TIME ZONE ---- */

static int bind_text(struct expr_env *env, const struct ast_expr *e, bool allows_char, const char *what,
                     struct expr **ret, struct err *err)
{
    int code;

    if ((code = expr_bind(env, e, ret, err)) < 0)
        return code;
    if ((*ret)->type->kind == TYPE_VARCHAR || (allows_char && (*ret)->type->kind == TYPE_CHAR))
        return 0;
    return expr_coerce(env, e, ret, &type_varchar, what, err);
}

static int bind_like(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct expr *args[3];
    size_t n = e->like.escape ? 3 : 2;
    int code;

    if ((code = bind_text(env, e->like.value, true, "Left side of LIKE expression", &args[0], err)) < 0 ||
        (code = bind_text(env, e->like.pattern, false, "Pattern for LIKE expression", &args[1], err)) < 0)
        return code;
    if (n == 3 && (code = bind_text(env, e->like.escape, false, "Escape for LIKE expression", &args[2], err)) < 0)
        return code;
    return expr_call(env, STR("$like"), args, n, e, ret, err);
}

static int bind_row_subscript(struct expr_env *env, const struct ast_expr *e, struct expr *base, struct expr **ret,
                              struct err *err)
{
    const struct ast_expr *index = e->subscript.index;
    const struct type *row = base->type;

    if (index->kind != AST_EXPR_INTEGER)
        return analyze_error(index, err, "EXPRESSION_NOT_CONSTANT",
                             "Subscript expression on ROW requires a constant index");
    if (index->integer > INT32_MAX || index->integer < INT32_MIN)
        return analyze_error(index, err, "TYPE_MISMATCH",
                             "Subscript expression on ROW requires integer index, found bigint");
    if (index->integer <= 0)
        return analyze_error(index, err, "INVALID_FUNCTION_ARGUMENT",
                             "Invalid subscript index: %lld. ROW indices start at 1", (long long)index->integer);
    if ((size_t)index->integer > row->field_count)
        return analyze_error(index, err, "INVALID_FUNCTION_ARGUMENT",
                             "Subscript index out of bounds: %lld, max value is %zu", (long long)index->integer,
                             row->field_count);
    *ret = expr_new_n(env->z, EXPR_FIELD, row->fields[index->integer - 1].type, e, 1);
    (*ret)->args[0] = base;
    (*ret)->field_index = (size_t)index->integer - 1;
    return 0;
}

static int bind_subscript(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct expr *args[2];
    int code;

    if ((code = expr_bind(env, e->subscript.base, &args[0], err)) < 0)
        return code;
    if (args[0]->type->kind == TYPE_ROW)
        return bind_row_subscript(env, e, args[0], ret, err);
    if ((code = expr_bind(env, e->subscript.index, &args[1], err)) < 0)
        return code;
    struct str index = type_name(env->z->arena, args[1]->type), base = type_name(env->z->arena, args[0]->type);
    const char *message =
        arena_printf(env->z->arena, "Cannot use %.*s for subscript of %.*s", STR_ARG(index), STR_ARG(base)).p;
    return call_operator(env, "$subscript", args, 2, e, message, ret, err);
}

static int bind_at_time_zone(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct analyzer *z = env->z;
    struct expr *args[2];
    int code;

    if ((code = expr_bind(env, e->binary.left, &args[0], err)) < 0 ||
        (code = expr_bind(env, e->binary.right, &args[1], err)) < 0)
        return code;
    switch (args[0]->type->kind) {
    case TYPE_TIMESTAMP:
        args[0] = expr_cast(z, args[0], type_timestamp_tz(z->arena, args[0]->type->precision, STR_NULL));
        break;
    case TYPE_TIMESTAMP_TZ:
        break;
    case TYPE_TIME:
    case TYPE_TIME_TZ:
        return analyze_unsupported(e->line, e->column, err, "TIME WITH TIME ZONE is not supported");
    default: {
        struct str type = type_name(z->arena, args[0]->type);

        return analyze_error(e->binary.left, err, "TYPE_MISMATCH",
                             "Type of value must be a time or timestamp with or without time zone (actual %.*s)",
                             STR_ARG(type));
    }
    }
    return expr_call(env, STR("$at_timezone"), args, 2, e, ret, err);
}

int bind_operator(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    switch (e->kind) {
    case AST_EXPR_ARITHMETIC:
        return bind_arithmetic(env, e, ret, err);
    case AST_EXPR_NEGATE:
        return bind_negate(env, e, ret, err);
    case AST_EXPR_PLUS:
        return bind_plus(env, e, ret, err);
    case AST_EXPR_COMPARE:
        return bind_compare(env, e, ret, err);
    case AST_EXPR_DISTINCT_FROM:
        return bind_distinct_from(env, e, ret, err);
    case AST_EXPR_LOGICAL:
        return bind_logical(env, e, ret, err);
    case AST_EXPR_NOT:
        return bind_not(env, e, ret, err);
    case AST_EXPR_IS_NULL:
    case AST_EXPR_IS_NOT_NULL:
        return bind_is_null(env, e, ret, err);
    case AST_EXPR_BETWEEN:
        return bind_between(env, e, ret, err);
    case AST_EXPR_IN_LIST:
        return bind_in_list(env, e, ret, err);
    case AST_EXPR_LIKE:
        return bind_like(env, e, ret, err);
    case AST_EXPR_SUBSCRIPT:
        return bind_subscript(env, e, ret, err);
    default:
        return bind_at_time_zone(env, e, ret, err);
    }
}
