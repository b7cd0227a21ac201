/*
 * Subqueries in expressions: scalar ones, EXISTS, IN, quantified comparisons.
 *
 * Trino compares rows: `x IN (SELECT …)` is row(x) against the subquery's row. Here a single column is compared as
 * itself; of several columns, the projection below makes one row.
 */
#include "sql/analyze_expr.h"

static int bind_query(struct expr_env *env, const struct ast_expr *e, const struct ast_query *query, struct rel **ret,
                      struct scope **ret_scope, struct err *err)
{
    if (env->lambda)
        return analyze_unsupported(e->line, e->column, err, "Lambda expression cannot contain subqueries");
    return analyze_query(env->z, query, env->scope, ret, ret_scope, err);
}

/* The row type that the query yields, with the names of its columns. */
static const struct type *query_row_type(struct analyzer *z, const struct rel *query, const struct scope *scope)
{
    struct type_field *fields = arena_array(z->arena, struct type_field, query->column_count);

    for (size_t i = 0; i < query->column_count; i++)
        fields[i] = (struct type_field){.name = i < scope->n ? scope->fields[i].column.name : STR_NULL,
                                        .type = query->columns[i].type};
    return type_row(z->arena, fields, query->column_count);
}

/* A projection of `query` to one column: `make` from its columns. */
static struct rel *project_one(struct analyzer *z, struct rel *query, struct expr *value)
{
    struct rel *r = arena_new(z->arena, struct rel);

    r->kind = REL_PROJECT;
    r->input = query;
    r->columns = arena_new(z->arena, struct column);
    r->columns[0] = (struct column){.id = z->next_id++, .type = value->type};
    r->column_count = 1;
    r->exprs = arena_new(z->arena, struct expr *);
    r->exprs[0] = value;
    return r;
}

/* One column: itself. Several: a row of them. */
static struct expr *query_value(struct analyzer *z, struct rel *query, const struct type *row)
{
    if (query->column_count == 1)
        return expr_column(z, &query->columns[0]);
    struct expr *value = expr_new_n(z, EXPR_ROW, row, NULL, query->column_count);

    for (size_t i = 0; i < query->column_count; i++)
        value->args[i] = expr_column(z, &query->columns[i]);
    return value;
}

static int bind_scalar(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct scope *scope;
    struct rel *query;
    int code;

    if ((code = bind_query(env, e, e->query, &query, &scope, err)) < 0)
        return code;
    if (query->column_count != 1)
        query = project_one(env->z, query, query_value(env->z, query, query_row_type(env->z, query, scope)));
    *ret = expr_new(env->z, EXPR_SUBQUERY, query->columns[0].type, e);
    (*ret)->query = query;
    return 0;
}

static int bind_exists(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct scope *scope;
    struct rel *query;
    int code;

    if ((code = bind_query(env, e, e->query, &query, &scope, err)) < 0)
        return code;
    *ret = expr_new(env->z, EXPR_EXISTS, &type_boolean, e);
    (*ret)->query = query;
    return 0;
}

/* IN and quantified comparisons: both sides as one value of the common type. */
static int bind_membership(struct expr_env *env, const struct ast_expr *e, const struct ast_expr *left,
                           const struct ast_query *ast_query, enum expr_kind kind, struct expr **ret,
                           const struct type **ret_row, struct err *err)
{
    struct analyzer *z = env->z;
    const struct type *value_row, *common;
    struct expr *value;
    struct scope *scope;
    struct rel *query;
    int code;

    if ((code = expr_bind(env, left, &value, err)) < 0 ||
        (code = bind_query(env, e, ast_query, &query, &scope, err)) < 0)
        return code;
    value_row = value->type;
    if (value_row->kind != TYPE_ROW && value_row->kind != TYPE_UNKNOWN)
        value_row = type_row(z->arena, &(struct type_field){.type = value->type}, 1);
    const struct type *query_row = query_row_type(z, query, scope);
    if (!(common = type_common_super(z->arena, value_row, query_row))) {
        struct str x = type_name(z->arena, value_row), y = type_name(z->arena, query_row);

        return analyze_error(e, err, "TYPE_MISMATCH",
                             "Value expression and result of subquery must be of the same type: %.*s vs %.*s",
                             STR_ARG(x), STR_ARG(y));
    }
    *ret_row = common;
    /* of one column, the row is left away */
    const struct type *type = query->column_count == 1 ? common->fields[0].type : common;
    if (query->column_count == 1 && value->type->kind == TYPE_ROW && value->type->field_count == 1) {
        struct expr *field = expr_new_n(z, EXPR_FIELD, value->type->fields[0].type, left, 1);

        field->args[0] = value;
        value = field;
    }
    if (query->column_count != 1 || !type_eq(query->columns[0].type, type))
        query = project_one(z, query, expr_cast(z, query_value(z, query, query_row), type));
    *ret = expr_new_n(z, kind, &type_boolean, e, 1);
    (*ret)->args[0] = expr_cast(z, value, type);
    (*ret)->query = query;
    return 0;
}

static int bind_quantified(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    static const enum compare_op operators[] = {
        [AST_EQ] = COMPARE_EQ, [AST_NE] = COMPARE_NE, [AST_LT] = COMPARE_LT,
        [AST_LE] = COMPARE_LE, [AST_GT] = COMPARE_GT, [AST_GE] = COMPARE_GE,
    };
    bool orderable = e->quantified.op > AST_NE;
    const struct type *row;
    int code;

    if ((code = bind_membership(env, e, e->quantified.value, e->quantified.query, EXPR_QUANTIFIED, ret, &row, err)) < 0)
        return code;
    if (orderable ? !type_is_orderable(row) : !type_is_comparable(row)) {
        struct str type = type_name(env->z->arena, row);

        return analyze_error(e, err, "TYPE_MISMATCH",
                             "Type [%.*s] must be %s in order to be used in quantified comparison", STR_ARG(type),
                             orderable ? "orderable" : "comparable");
    }
    (*ret)->op = operators[e->quantified.op];
    (*ret)->quantified_all = e->quantified.quantifier == AST_QUANTIFIER_ALL;
    return 0;
}

int bind_subquery(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    const struct type *row;

    switch (e->kind) {
    case AST_EXPR_SUBQUERY:
        return bind_scalar(env, e, ret, err);
    case AST_EXPR_EXISTS:
        return bind_exists(env, e, ret, err);
    case AST_EXPR_IN_QUERY:
        return bind_membership(env, e, e->in_query.value, e->in_query.query, EXPR_IN_QUERY, ret, &row, err);
    default:
        return bind_quantified(env, e, ret, err);
    }
}
