/*
 * Nodes of the bound tree: making, casting, comparing, walking them; and errors at nodes of the syntax tree.
 */
#include "sql/analyze_expr.h"
#include <math.h>

/* ---- making ---- */

struct expr *expr_new(struct analyzer *z, enum expr_kind kind, const struct type *type, const struct ast_expr *at)
{
    struct expr *e = arena_new(z->arena, struct expr);

    e->kind = kind;
    e->type = type;
    if (at) {
        e->line = at->line;
        e->column = at->column;
    }
    return e;
}

struct expr *expr_new_n(struct analyzer *z, enum expr_kind kind, const struct type *type, const struct ast_expr *at,
                        size_t n)
{
    struct expr *e = expr_new(z, kind, type, at);

    e->args = arena_array(z->arena, struct expr *, n);
    e->arg_count = n;
    return e;
}

struct expr *expr_constant(struct analyzer *z, const struct type *type, struct constant value,
                           const struct ast_expr *at)
{
    struct expr *e = expr_new(z, EXPR_CONSTANT, type, at);

    e->constant = value;
    return e;
}

struct expr *expr_null(struct analyzer *z, const struct type *type, const struct ast_expr *at)
{
    return expr_constant(z, type, (struct constant){.is_null = true}, at);
}

struct expr *expr_text(struct analyzer *z, const struct type *type, struct str text, const struct ast_expr *at)
{
    return expr_constant(z, type, (struct constant){.text = text}, at);
}

struct expr *expr_column(struct analyzer *z, const struct column *c)
{
    struct expr *e = expr_new(z, EXPR_COLUMN, c->type, NULL);

    e->column_id = c->id;
    return e;
}

struct expr *expr_cast(struct analyzer *z, struct expr *e, const struct type *to)
{
    struct constant value;

    if (type_eq(e->type, to))
        return e;
    if (z->describing && e->kind == EXPR_CONSTANT && e->constant.is_null && e->constant.i > 0)
        z->parameter_types[e->constant.i - 1] = to;             /* a ? of DESCRIBE INPUT: bind_parameter made it */
    if (to->kind == TYPE_TIMESTAMP_TZ && str_is_null(to->zone)) /* what has no zone gets the session's */
        to = type_timestamp_tz(z->arena, to->precision,
                               e->type->kind == TYPE_TIMESTAMP_TZ ? e->type->zone : z->context->session->time_zone);
    if (e->kind == EXPR_CONSTANT && constant_cast(z->arena, e->type, &e->constant, to, &value)) {
        struct expr *made = expr_constant(z, to, value, NULL);

        made->line = e->line;
        made->column = e->column;
        return made;
    }
    struct expr *cast = expr_new_n(z, EXPR_CAST, to, NULL, 1);

    cast->args[0] = e;
    cast->line = e->line;
    cast->column = e->column;
    return cast;
}

/* ---- comparing ---- */

static bool constant_equal(const struct constant *x, const struct constant *y)
{
    bool same_double = x->f == y->f ? signbit(x->f) == signbit(y->f) : isnan(x->f) && isnan(y->f);

    return x->is_null == y->is_null && x->i == y->i && same_double && str_eq(x->text, y->text);
}

bool expr_equal(const struct expr *x, const struct expr *y)
{
    if (x == y)
        return true;
    if (x->kind != y->kind || x->arg_count != y->arg_count || x->query || y->query || !type_eq(x->type, y->type))
        return false;
    switch (x->kind) {
    case EXPR_CONSTANT:
        return constant_equal(&x->constant, &y->constant);
    case EXPR_COLUMN:
    case EXPR_LAMBDA_PARAM:
        return x->column_id == y->column_id;
    case EXPR_CALL:
        /* not even one that is equal in text gives the same value twice */
        if (x->function != y->function || x->function->is_nondeterministic)
            return false;
        break;
    case EXPR_CAST:
        if (x->safe != y->safe)
            return false;
        break;
    case EXPR_COMPARE:
        if (x->op != y->op)
            return false;
        break;
    case EXPR_FIELD:
        if (x->field_index != y->field_index)
            return false;
        break;
    case EXPR_LAMBDA: /* the parameters' ids differ */
    case EXPR_SUBQUERY:
    case EXPR_EXISTS:
    case EXPR_IN_QUERY:
    case EXPR_QUANTIFIED:
        return false;
    default:
        break;
    }
    for (size_t i = 0; i < x->arg_count; i++)
        if (!expr_equal(x->args[i], y->args[i]))
            return false;
    return true;
}

/* ---- walking ---- */

void expr_walk(struct expr **slot, expr_visit_fn visit, void *ctx)
{
    if (!visit(ctx, slot))
        return;
    struct expr *e = *slot;

    for (size_t i = 0; i < e->arg_count; i++)
        expr_walk(&e->args[i], visit, ctx);
    if (e->query)
        rel_walk_exprs(e->query, visit, ctx);
}

static void walk_list(struct expr **list, size_t n, expr_visit_fn visit, void *ctx)
{
    for (size_t i = 0; i < n; i++)
        expr_walk(&list[i], visit, ctx);
}

static void walk_one(struct expr **slot, expr_visit_fn visit, void *ctx)
{
    if (*slot)
        expr_walk(slot, visit, ctx);
}

static void walk_sort(struct sort_key *keys, size_t n, expr_visit_fn visit, void *ctx)
{
    for (size_t i = 0; i < n; i++)
        expr_walk(&keys[i].expr, visit, ctx);
}

static void walk_aggregate(struct aggregate *g, expr_visit_fn visit, void *ctx)
{
    walk_list(g->args, g->arg_count, visit, ctx);
    walk_one(&g->filter, visit, ctx);
    walk_sort(g->order, g->order_count, visit, ctx);
}

static void walk_window(struct window_call *w, expr_visit_fn visit, void *ctx)
{
    walk_list(w->args, w->arg_count, visit, ctx);
    walk_one(&w->filter, visit, ctx);
    walk_list(w->partition, w->partition_count, visit, ctx);
    walk_sort(w->order, w->order_count, visit, ctx);
    walk_one(&w->start_offset, visit, ctx);
    walk_one(&w->end_offset, visit, ctx);
}

static void walk_own(struct rel *r, expr_visit_fn visit, void *ctx)
{
    switch (r->kind) {
    case REL_SCAN:
        walk_list(r->scan.conjuncts, r->scan.conjunct_count, visit, ctx);
        break;
    case REL_VALUES:
        for (size_t i = 0; i < r->values.row_count; i++)
            walk_list(r->values.rows[i], r->column_count, visit, ctx);
        break;
    case REL_FILTER:
        walk_one(&r->predicate, visit, ctx);
        break;
    case REL_PROJECT:
        walk_list(r->exprs, r->column_count, visit, ctx);
        break;
    case REL_AGGREGATE:
        walk_list(r->aggregate.keys, r->aggregate.key_count, visit, ctx);
        for (size_t i = 0; i < r->aggregate.aggregate_count; i++)
            walk_aggregate(&r->aggregate.aggregates[i], visit, ctx);
        break;
    case REL_WINDOW:
        for (size_t i = 0; i < r->window.call_count; i++)
            walk_window(&r->window.calls[i], visit, ctx);
        break;
    case REL_JOIN:
        walk_one(&r->join.on, visit, ctx);
        break;
    case REL_UNNEST:
        walk_list(r->unnest.exprs, r->unnest.expr_count, visit, ctx);
        break;
    case REL_SORT:
        walk_sort(r->sort.keys, r->sort.key_count, visit, ctx);
        break;
    case REL_LIMIT:
        walk_one(&r->limit.count, visit, ctx);
        walk_one(&r->limit.offset, visit, ctx);
        break;
    case REL_SET_OP:
    case REL_DISTINCT:
    case REL_CTE:
        break;
    }
}

void rel_walk_exprs(struct rel *r, expr_visit_fn visit, void *ctx)
{
    for (size_t i = 0; i < r->cte_count; i++) {
        rel_walk_exprs(r->ctes[i]->query, visit, ctx);
        if (r->ctes[i]->step)
            rel_walk_exprs(r->ctes[i]->step, visit, ctx);
    }
    walk_own(r, visit, ctx);
    if (r->input)
        rel_walk_exprs(r->input, visit, ctx);
    if (r->right)
        rel_walk_exprs(r->right, visit, ctx);
}

static bool see_nondeterministic(void *ctx, struct expr **slot)
{
    const struct expr *e = *slot;

    if (e->kind == EXPR_CALL && e->function->is_nondeterministic)
        *(bool *)ctx = true;
    return true;
}

bool expr_is_deterministic(const struct expr *e)
{
    struct expr *root = (struct expr *)e;
    bool found = false;

    expr_walk(&root, see_nondeterministic, &found);
    return !found;
}

/* ---- errors ---- */

PRINTF_LIKE(6, 0)
static int fail_at(int code, int line, int column, struct err *err, const char *name, const char *fmt, va_list ap)
{
    code = err_setv(err, code, fmt, ap);
    if (err) {
        err->name = name;
        err->line = line;
        err->column = column;
    }
    return code;
}

int analyze_error(const struct ast_expr *at, struct err *err, const char *name, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int code = fail_at(ERR_INVALID, at->line, at->column, err, name, fmt, ap);
    va_end(ap);
    return code;
}

int analyze_error_at(int line, int column, struct err *err, const char *name, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int code = fail_at(ERR_INVALID, line, column, err, name, fmt, ap);
    va_end(ap);
    return code;
}

int analyze_unsupported(int line, int column, struct err *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int code = fail_at(ERR_UNSUPPORTED, line, column, err, "NOT_SUPPORTED", fmt, ap);
    va_end(ap);
    return code;
}
