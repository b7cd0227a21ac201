/*
 * Expressions. What DuckDB computes as Trino does is written as its own operator, so that its optimizer sees it;
 * see emit_functions.c and emit_cast.c for calls and casts.
 */
#include "emit/emitter.h"
#include <math.h>

int emit_operand(struct emitter *e, const struct operand *o)
{
    if (o->expr)
        return emit_expression(e, o->expr);
    buf_add_str(e->to, o->text);
    return 0;
}

const struct constant *operand_constant(const struct operand *o)
{
    return o->expr && o->expr->kind == EXPR_CONSTANT ? &o->expr->constant : NULL;
}

static int emit_list(struct emitter *e, struct expr *const *args, size_t n, const char *between)
{
    for (size_t i = 0; i < n; i++) {
        int rc;

        if (i > 0)
            buf_add_cstr(e->to, between);
        rc = emit_expression(e, args[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int emit_joined(struct emitter *e, const struct expr *x, const char *between)
{
    int rc;

    buf_add_char(e->to, '(');
    rc = emit_list(e, x->args, x->arg_count, between);
    buf_add_char(e->to, ')');
    return rc;
}

static int emit_query_in_parentheses(struct emitter *e, const struct rel *r)
{
    int rc;

    buf_add_char(e->to, '(');
    rc = emit_relation(e, r);
    buf_add_char(e->to, ')');
    return rc;
}

/* ---- comparisons ---- */

static const char *operator_text(enum compare_op op)
{
    switch (op) {
    case COMPARE_EQ:
        return " = ";
    case COMPARE_NE:
        return " <> ";
    case COMPARE_LT:
        return " < ";
    case COMPARE_LE:
        return " <= ";
    case COMPARE_GT:
        return " > ";
    case COMPARE_GE:
        return " >= ";
    case COMPARE_DISTINCT_FROM:
        return " IS DISTINCT FROM ";
    case COMPARE_NOT_DISTINCT_FROM:
        return " IS NOT DISTINCT FROM ";
    }
    return NULL;
}

static bool is_number(const struct expr *x)
{
    return x->kind == EXPR_CONSTANT && !x->constant.is_null && !isnan(x->constant.f);
}

static bool has_query(const struct expr *x)
{
    if (x->query)
        return true;
    for (size_t i = 0; i < x->arg_count; i++)
        if (has_query(x->args[i]))
            return true;
    return false;
}

/* a < b or a > b, where the side that mustn't be NaN has a subquery, which isn't to be evaluated twice: as the lowest of
 * numbers NaN makes these comparisons false, too. */
static int emit_compare_with_query(struct emitter *e, const struct expr *x, const struct expr *checked)
{
    int rc = 0;

    buf_add_char(e->to, '(');
    for (size_t i = 0; rc == 0 && i < 2; i++) {
        bool is_checked = x->args[i] == checked;

        if (i)
            buf_add_cstr(e->to, operator_text(x->op));
        if (is_checked)
            buf_add_cstr(e->to, "dp_nan_lowest(");
        rc = emit_expression(e, x->args[i]);
        if (is_checked)
            buf_add_char(e->to, ')');
    }
    buf_add_char(e->to, ')');
    return rc;
}

/* DuckDB says that NaN equals itself and is above all numbers; SQL and Trino that comparing it is false (or true for
 * <>). So the side that mustn't be NaN is also compared with infinity, which zone maps and scans understand. */
static int emit_compare_floating(struct emitter *e, const struct expr *x)
{
    const struct expr *a = x->args[0], *b = x->args[1], *checked = NULL;
    int rc;

    switch (x->op) {
    case COMPARE_EQ:
    case COMPARE_NE:
        if (!is_number(a) && !is_number(b))
            checked = has_query(a) ? b : a;
        break;
    case COMPARE_LT:
    case COMPARE_LE:
        if (!is_number(b))
            checked = b;
        break;
    case COMPARE_GT:
    case COMPARE_GE:
        if (!is_number(a))
            checked = a;
        break;
    case COMPARE_DISTINCT_FROM:
    case COMPARE_NOT_DISTINCT_FROM:
        break;
    }
    if (checked && (x->op == COMPARE_LT || x->op == COMPARE_GT) && has_query(checked))
        return emit_compare_with_query(e, x, checked);
    buf_add_cstr(e->to, "(");
    rc = emit_list(e, x->args, 2, operator_text(x->op));
    if (rc == 0 && checked) {
        buf_add_cstr(e->to, x->op == COMPARE_NE ? " OR " : " AND ");
        rc = emit_expression(e, checked);
        buf_add_cstr(e->to, x->op == COMPARE_NE ? " > " : " <= ");
        buf_add_cstr(e->to, "'Infinity'::DOUBLE");
    }
    buf_add_char(e->to, ')');
    return rc;
}

/* (1, NULL) = (1, 2) is NULL in SQL; DuckDB compares structs as values. */
static int emit_compare_rows(struct emitter *e, const struct operand *a, const struct operand *b, bool is_equal)
{
    struct str texts[2];
    int rc = emit_to_text(e, a, &texts[0]);

    if (rc == 0)
        rc = emit_to_text(e, b, &texts[1]);
    if (rc < 0)
        return rc;
    buf_add_cstr(e->to, is_equal ? "(" : "(NOT (");
    for (size_t i = 0; i < a->type->field_count; i++) {
        const struct type *t = a->type->fields[i].type;
        struct operand fields[2];

        for (int side = 0; side < 2; side++)
            fields[side] = (struct operand){
                .text = arena_printf(e->a, "struct_extract(%.*s, 'f%zu')", STR_ARG(texts[side]), i), .type = t};
        if (i > 0)
            buf_add_cstr(e->to, " AND ");
        if (t->kind == TYPE_ROW) {
            rc = emit_enter(e);
            if (rc == 0)
                rc = emit_compare_rows(e, &fields[0], &fields[1], true);
            if (rc < 0)
                return rc;
            e->depth--;
            continue;
        }
        buf_add_str(e->to, fields[0].text);
        buf_add_cstr(e->to, " = ");
        buf_add_str(e->to, fields[1].text);
    }
    buf_add_cstr(e->to, is_equal ? ")" : "))");
    return 0;
}

static int emit_compare(struct emitter *e, const struct expr *x)
{
    enum type_kind kind = x->args[0]->type->kind;

    if (kind == TYPE_DOUBLE || kind == TYPE_REAL)
        return emit_compare_floating(e, x);
    if (kind == TYPE_ROW && (x->op == COMPARE_EQ || x->op == COMPARE_NE)) {
        struct operand a = operand_of(x->args[0]), b = operand_of(x->args[1]);

        return emit_compare_rows(e, &a, &b, x->op == COMPARE_EQ);
    }
    return emit_joined(e, x, operator_text(x->op));
}

/* a <= x and x <= b, with x written once: DuckDB's BETWEEN; NaN as a bound is the only thing to take care of. */
static int emit_between(struct emitter *e, const struct expr *x)
{
    enum type_kind kind = x->args[0]->type->kind;
    bool is_floating = kind == TYPE_DOUBLE || kind == TYPE_REAL;
    int rc;

    buf_add_char(e->to, '(');
    rc = emit_expression(e, x->args[0]);
    if (rc == 0) {
        buf_add_cstr(e->to, " BETWEEN ");
        rc = emit_list(e, x->args + 1, 2, " AND ");
    }
    if (rc == 0 && is_floating && !is_number(x->args[2])) {
        buf_add_cstr(e->to, " AND ");
        rc = emit_expression(e, x->args[2]);
        buf_add_cstr(e->to, " <= 'Infinity'::DOUBLE");
    }
    buf_add_char(e->to, ')');
    return rc;
}

/* ---- forms ---- */

static int emit_in(struct emitter *e, const struct expr *x)
{
    int rc;

    buf_add_char(e->to, '(');
    rc = emit_expression(e, x->args[0]);
    if (rc == 0) {
        buf_add_cstr(e->to, " IN (");
        rc = emit_list(e, x->args + 1, x->arg_count - 1, ", ");
    }
    buf_add_cstr(e->to, "))");
    return rc;
}

static int emit_case(struct emitter *e, const struct expr *x)
{
    size_t i = 0;
    int rc = 0;

    buf_add_cstr(e->to, "CASE");
    for (; rc == 0 && i + 1 < x->arg_count; i += 2) {
        buf_add_cstr(e->to, " WHEN ");
        rc = emit_expression(e, x->args[i]);
        if (rc == 0) {
            buf_add_cstr(e->to, " THEN ");
            rc = emit_expression(e, x->args[i + 1]);
        }
    }
    if (rc == 0 && i < x->arg_count) {
        buf_add_cstr(e->to, " ELSE ");
        rc = emit_expression(e, x->args[i]);
    }
    buf_add_cstr(e->to, " END");
    return rc;
}

static int emit_if_null(struct emitter *e, const struct expr *x)
{
    struct operand first = operand_of(x->args[0]);
    int rc;

    buf_add_cstr(e->to, "CASE WHEN ");
    rc = type_eq(first.type, x->args[1]->type) ? emit_operand(e, &first)
                                               : emit_cast(e, &first, x->args[1]->type, false);
    if (rc == 0) {
        buf_add_cstr(e->to, " = ");
        rc = emit_expression(e, x->args[1]);
    }
    if (rc == 0) {
        buf_add_cstr(e->to, " THEN NULL ELSE ");
        rc = emit_operand(e, &first);
    }
    buf_add_cstr(e->to, " END");
    return rc;
}

static int emit_row(struct emitter *e, const struct expr *x)
{
    buf_add_cstr(e->to, "struct_pack(");
    for (size_t i = 0; i < x->arg_count; i++) {
        int rc;

        buf_addf(e->to, "%sf%zu := ", i > 0 ? ", " : "", i);
        rc = emit_expression(e, x->args[i]);
        if (rc < 0)
            return rc;
    }
    buf_add_char(e->to, ')');
    return 0;
}

static int emit_field(struct emitter *e, const struct expr *x)
{
    int rc;

    buf_add_cstr(e->to, "struct_extract(");
    rc = emit_expression(e, x->args[0]);
    buf_addf(e->to, ", 'f%zu')", x->field_index);
    return rc;
}

static int emit_array(struct emitter *e, const struct expr *x)
{
    int rc;

    buf_add_cstr(e->to, "CAST([");
    rc = emit_list(e, x->args, x->arg_count, ", ");
    buf_add_cstr(e->to, "] AS ");
    emit_type(e, x->type);
    buf_add_char(e->to, ')');
    return rc;
}

static int emit_lambda(struct emitter *e, const struct expr *x)
{
    buf_add_cstr(e->to, "lambda ");
    for (size_t i = 0; i < x->lambda.n; i++)
        buf_addf(e->to, "%sc%d", i > 0 ? ", " : "", x->lambda.ids[i]);
    buf_add_cstr(e->to, ": ");
    return emit_expression(e, x->args[0]);
}

static int emit_quantified(struct emitter *e, const struct expr *x)
{
    int rc;

    buf_add_char(e->to, '(');
    rc = emit_expression(e, x->args[0]);
    if (rc == 0) {
        buf_add_cstr(e->to, operator_text(x->op));
        buf_add_cstr(e->to, x->quantified_all ? "ALL " : "ANY ");
        rc = emit_query_in_parentheses(e, x->query);
    }
    buf_add_char(e->to, ')');
    return rc;
}

static int emit_in_query(struct emitter *e, const struct expr *x)
{
    int rc;

    buf_add_char(e->to, '(');
    rc = emit_expression(e, x->args[0]);
    if (rc == 0) {
        buf_add_cstr(e->to, " IN ");
        rc = emit_query_in_parentheses(e, x->query);
    }
    buf_add_char(e->to, ')');
    return rc;
}

static size_t key_of_column(const struct rel *aggregate, int column_id)
{
    size_t i = 0;

    while (i < aggregate->aggregate.key_count && aggregate->columns[i].id != column_id)
        i++;
    return i;
}

/* GROUPING(a, b): the bits of these keys, taken out of the aggregation's grouping id, which has all keys' bits. */
static int emit_grouping(struct emitter *e, const struct expr *x)
{
    const struct rel *aggregate = NULL;

    for (size_t i = 0; i < e->aggregates.n && !aggregate; i++) {
        if (e->aggregates.items[i]->aggregate.grouping_id->id == x->column_id)
            aggregate = e->aggregates.items[i];
    }
    if (!aggregate)
        return err_set(e->err, ERR_INTERNAL, "GROUPING refers to no aggregation");
    buf_add_cstr(e->to, "CAST((0");
    for (size_t i = 0; i < x->arg_count; i++) {
        size_t key = key_of_column(aggregate, x->args[i]->column_id);

        if (x->args[i]->kind != EXPR_COLUMN || key == aggregate->aggregate.key_count)
            return err_set(e->err, ERR_INTERNAL, "an argument of GROUPING is no grouping key");
        buf_addf(e->to, " + (((c%d >> %zu) & 1) << %zu)", x->column_id, aggregate->aggregate.key_count - 1 - key,
                 x->arg_count - 1 - i);
    }
    buf_add_cstr(e->to, ") AS ");
    emit_type(e, x->type);
    buf_add_char(e->to, ')');
    return 0;
}

static int emit_call_expr(struct emitter *e, const struct expr *x)
{
    struct operand *args = arena_array(e->a, struct operand, x->arg_count + 1);
    struct call c = {.function = x->function,
                     .args = args,
                     .arg_count = x->arg_count,
                     .result = x->type,
                     .line = x->line,
                     .column = x->column};

    for (size_t i = 0; i < x->arg_count; i++)
        args[i] = operand_of(x->args[i]);
    return emit_call(e, &c);
}

static int emit_wrapped(struct emitter *e, const char *before, const struct expr *x, const char *after)
{
    int rc;

    buf_add_cstr(e->to, before);
    rc = emit_expression(e, x);
    buf_add_cstr(e->to, after);
    return rc;
}

static int emit_cast_expr(struct emitter *e, const struct expr *x)
{
    struct operand o = operand_of(x->args[0]);

    return emit_cast(e, &o, x->type, x->safe);
}

static int emit_any(struct emitter *e, const struct expr *x)
{
    switch (x->kind) {
    case EXPR_CONSTANT:
        return emit_constant(e, &x->constant, x->type);
    case EXPR_COLUMN:
    case EXPR_LAMBDA_PARAM:
        buf_addf(e->to, "c%d", x->column_id);
        return 0;
    case EXPR_CALL:
        return emit_call_expr(e, x);
    case EXPR_CAST:
        return emit_cast_expr(e, x);
    case EXPR_AND:
        return emit_joined(e, x, " AND ");
    case EXPR_OR:
        return emit_joined(e, x, " OR ");
    case EXPR_NOT:
        return emit_wrapped(e, "(NOT ", x->args[0], ")");
    case EXPR_IS_NULL:
        return emit_wrapped(e, "(", x->args[0], " IS NULL)");
    case EXPR_COMPARE:
        return emit_compare(e, x);
    case EXPR_IN:
        return emit_in(e, x);
    case EXPR_BETWEEN:
        return emit_between(e, x);
    case EXPR_CASE:
        return emit_case(e, x);
    case EXPR_COALESCE:
        buf_add_cstr(e->to, "coalesce");
        return emit_joined(e, x, ", ");
    case EXPR_IF_NULL:
        return emit_if_null(e, x);
    case EXPR_TRY:
        return emit_wrapped(e, "TRY(", x->args[0], ")");
    case EXPR_ROW:
        return emit_row(e, x);
    case EXPR_FIELD:
        return emit_field(e, x);
    case EXPR_ARRAY:
        return emit_array(e, x);
    case EXPR_LAMBDA:
        return emit_lambda(e, x);
    case EXPR_SUBQUERY:
        return emit_query_in_parentheses(e, x->query);
    case EXPR_EXISTS:
        buf_add_cstr(e->to, "EXISTS ");
        return emit_query_in_parentheses(e, x->query);
    case EXPR_IN_QUERY:
        return emit_in_query(e, x);
    case EXPR_QUANTIFIED:
        return emit_quantified(e, x);
    case EXPR_GROUPING:
        return emit_grouping(e, x);
    }
    return err_set(e->err, ERR_INTERNAL, "an expression of unknown kind %d", (int)x->kind);
}

int emit_expression(struct emitter *e, const struct expr *x)
{
    int rc = emit_enter(e);

    if (rc < 0)
        return rc;
    rc = emit_any(e, x);
    e->depth--;
    return rc;
}
