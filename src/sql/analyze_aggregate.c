/*
 * Aggregates: bound, checked, and handed to the query's collector. In the expression stands the column of the value.
 */
#include "sql/analyze_call.h"

/* ---- what aggregates and windows share: arguments, FILTER, ORDER BY ---- */

static bool sort_equal(const struct sort_key *x, size_t x_n, const struct sort_key *y, size_t y_n)
{
    if (x_n != y_n)
        return false;
    for (size_t i = 0; i < x_n; i++)
        if (x[i].descending != y[i].descending || x[i].nulls_first != y[i].nulls_first ||
            !expr_equal(x[i].expr, y[i].expr))
            return false;
    return true;
}

static bool aggregate_equal(const struct aggregate *x, const struct aggregate *y)
{
    if (x->function != y->function || x->arg_count != y->arg_count || x->distinct != y->distinct ||
        !x->filter != !y->filter || (x->filter && !expr_equal(x->filter, y->filter)) ||
        !type_eq(x->out.type, y->out.type))
        return false;
    for (size_t i = 0; i < x->arg_count; i++)
        if (!expr_equal(x->args[i], y->args[i]))
            return false;
    return sort_equal(x->order, x->order_count, y->order, y->order_count);
}

static int bind_order(struct expr_env *env, const struct ast_expr *e, struct aggregate *g, struct err *err)
{
    const struct ast_sorts *sorts = &e->call->order_by;
    int code;

    g->order = arena_array(env->z->arena, struct sort_key, sorts->n);
    g->order_count = sorts->n;
    for (size_t i = 0; i < sorts->n; i++) {
        struct sort_key *key = &g->order[i];

        if ((code = expr_bind(env, sorts->items[i].key, &key->expr, err)) < 0)
            return code;
        key->descending = sorts->items[i].descending;
        key->nulls_first = sorts->items[i].nulls == AST_NULLS_FIRST;
        if (!type_is_orderable(key->expr->type)) {
            struct str type = type_name(env->z->arena, key->expr->type);

            return analyze_error(e, err, "TYPE_MISMATCH",
                                 "ORDER BY can only be applied to orderable types (actual: %.*s)", STR_ARG(type));
        }
    }
    return 0;
}

static int check_distinct(struct expr_env *env, const struct ast_expr *e, const struct aggregate *g, struct err *err)
{
    if (!g->distinct)
        return 0;
    for (size_t i = 0; i < g->arg_count; i++) {
        if (!type_is_comparable(g->args[i]->type)) {
            struct str type = type_name(env->z->arena, g->args[i]->type);

            return analyze_error(e, err, "TYPE_MISMATCH",
                                 "DISTINCT can only be applied to comparable types (actual: %.*s)", STR_ARG(type));
        }
    }
    for (size_t i = 0; i < g->order_count; i++) {
        bool found = false;

        for (size_t k = 0; k < g->arg_count && !found; k++)
            found = expr_equal(g->order[i].expr, g->args[k]) ||
                    (g->args[k]->kind == EXPR_CAST && expr_equal(g->order[i].expr, g->args[k]->args[0]));
        if (!found)
            return analyze_error(e->call->order_by.items[i].key, err, "EXPRESSION_NOT_IN_DISTINCT",
                                 "For aggregate function with DISTINCT, ORDER BY expressions must appear in arguments");
    }
    return 0;
}

static int check_listagg(struct expr_env *env, const struct ast_expr *e, struct err *err)
{
    const struct ast_call *c = e->call;
    struct expr *value;
    int code;

    if (!c->listagg)
        return 0;
    if ((code = expr_bind(env, c->args.items[0], &value, err)) < 0)
        return code;
    if (value->type->kind != TYPE_VARCHAR) {
        struct str text = analyze_format_expr(env->z->arena, c->args.items[0]);
        struct str type = type_name(env->z->arena, value->type);

        return analyze_error(e, err, "TYPE_MISMATCH", "Expected expression of varchar, but '%.*s' has %.*s type",
                             STR_ARG(text), STR_ARG(type));
    }
    if (c->overflow_truncate)
        return analyze_unsupported(e->line, e->column, err, "LISTAGG with ON OVERFLOW TRUNCATE is not supported");
    return 0;
}

/* An aggregate's parts in an environment where no aggregates may stand (a window's may). */
static int bind_parts(struct expr_env *env, struct str name, const struct ast_expr *e, struct aggregate *g,
                      struct err *err)
{
    const struct ast_call *c = e->call;
    struct function_match match;
    int code;

    g->distinct = c->distinct;
    if (c->filter && (code = expr_bind_as(env, c->filter, &type_boolean, "Filter expression", &g->filter, err)) < 0)
        return code;
    if ((code = check_listagg(env, e, err)) < 0 ||
        (code = bind_arguments(env, name, e, &c->args, &match, &g->args, err)) < 0 ||
        (code = bind_order(env, e, g, err)) < 0)
        return code;
    g->arg_count = c->args.n;
    g->function = match.function;
    if ((code = call_result_type(env, &match, g->args, g->arg_count, e, &g->out.type, err)) < 0)
        return code;
    return check_distinct(env, e, g, err);
}

/* ---- aggregates ---- */

int bind_aggregate(struct expr_env *env, struct str name, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct analyzer *z = env->z;
    struct collector *c = env->collector;
    struct expr_env inner = *env;
    struct aggregate g = {0};
    int code;

    if (!c || !c->allow_aggregates) {
        struct str text = analyze_format_expr(z->arena, e);

        return analyze_error(e, err, "EXPRESSION_NOT_SCALAR",
                             "%s cannot contain aggregations, window functions or grouping operations: [%.*s]",
                             env->clause ? env->clause : "This expression", STR_ARG(text));
    }
    for (size_t i = 0; i < e->call->args.n; i++) {
        struct str found = ast_find_aggregates(z->arena, e->call->args.items[i]);

        if (!str_is_null(found))
            return analyze_error(e, err, "NESTED_AGGREGATION",
                                 "Cannot nest aggregations inside aggregation '%.*s': %.*s", STR_ARG(name),
                                 STR_ARG(found));
        found = ast_find_windows(z->arena, e->call->args.items[i]);
        if (!str_is_null(found))
            return analyze_error(e, err, "NESTED_WINDOW",
                                 "Cannot nest window functions or row pattern measures inside aggregation '%.*s': %.*s",
                                 STR_ARG(name), STR_ARG(found));
    }
    inner.collector = NULL;
    if ((code = bind_parts(&inner, name, e, &g, err)) < 0)
        return code;
    for (size_t i = 0; i < c->aggregate_count; i++) {
        if (aggregate_equal(&c->aggregates[i], &g)) {
            *ret = expr_column(z, &c->aggregates[i].out);
            return 0;
        }
    }
    g.out.id = z->next_id++;
    if (c->aggregate_count == c->aggregate_cap)
        c->aggregates = vec_grow_in(z->arena, c->aggregates, &c->aggregate_cap, c->aggregate_count,
                                    sizeof(*c->aggregates));
    c->aggregates[c->aggregate_count++] = g;
    *ret = expr_column(z, &g.out);
    (*ret)->line = e->line;
    (*ret)->column = e->column;
    return 0;
}

/* ---- windows ---- */

/* What OVER names and writes, put together: partition, order and frame with where each was written. */
struct window_parts {
    const struct ast_exprs *partition;
    const struct ast_sorts *order;
    const struct ast_frame *frame; /* or NULL */
};

static int resolve_window(const struct collector *c, size_t visible, const struct ast_window *w,
                          struct window_parts *ret, struct err *err);

static int find_window(const struct collector *c, size_t visible, const struct ast_ident *name,
                       struct window_parts *ret, struct err *err)
{
    for (size_t i = visible; i > 0; i--)
        if (str_eq(c->definitions[i - 1].name.lower, name->lower))
            return resolve_window(c, i - 1, &c->definitions[i - 1].window, ret, err);
    return analyze_error_at(name->line, name->column, err, "INVALID_WINDOW_REFERENCE",
                            "Cannot resolve WINDOW name %.*s", STR_ARG(name->value));
}

/* A definition sees those before it; that bounds the recursion too. */
static int resolve_window(const struct collector *c, size_t visible, const struct ast_window *w,
                          struct window_parts *ret, struct err *err)
{
    struct window_parts base = {0};
    int code;

    if (w->reference)
        return find_window(c, visible, w->reference, ret, err);
    *ret = (struct window_parts){.partition = &w->partition_by, .order = &w->order_by, .frame = w->frame};
    if (!w->base)
        return 0;
    if ((code = find_window(c, visible, w->base, &base, err)) < 0)
        return code;
    if (w->partition_by.n > 0)
        return analyze_error(w->partition_by.items[0], err, "INVALID_PARTITION_BY",
                             "WINDOW specification with named WINDOW reference cannot specify PARTITION BY");
    if (w->order_by.n > 0 && base.order->n > 0)
        return analyze_error_at(w->order_by.items[0].line, w->order_by.items[0].column, err, "INVALID_ORDER_BY",
                                "Cannot specify ORDER BY if referenced named WINDOW specifies ORDER BY");
    if (base.frame)
        return analyze_error_at(w->base->line, w->base->column, err, "INVALID_WINDOW_REFERENCE",
                                "Cannot reference named WINDOW containing frame specification");
    ret->partition = base.partition;
    if (w->order_by.n == 0)
        ret->order = base.order;
    return 0;
}

static int check_nesting(const struct window_parts *p, struct err *err)
{
    const struct ast_expr *nested = NULL;

    for (size_t i = 0; i < p->partition->n && !nested; i++)
        nested = ast_first_window(p->partition->items[i]);
    for (size_t i = 0; i < p->order->n && !nested; i++)
        nested = ast_first_window(p->order->items[i].key);
    if (!nested && p->frame)
        nested = ast_first_window(p->frame->start.offset);
    if (!nested && p->frame && p->frame->end)
        nested = ast_first_window(p->frame->end->offset);
    if (nested)
        return analyze_error(nested, err, "NESTED_WINDOW",
                             "Cannot nest window functions or row pattern measures inside window specification");
    return 0;
}

static int bind_partition(struct expr_env *env, const struct window_parts *p, struct window_call *w, struct err *err)
{
    int code;

    if ((code = expr_bind_list(env, p->partition, &w->partition, err)) < 0)
        return code;
    w->partition_count = p->partition->n;
    for (size_t i = 0; i < w->partition_count; i++) {
        if (!type_is_comparable(w->partition[i]->type)) {
            struct str type = type_name(env->z->arena, w->partition[i]->type);

            return analyze_error(p->partition->items[i], err, "TYPE_MISMATCH",
                                 "%.*s is not comparable, and therefore cannot be used in window function PARTITION BY",
                                 STR_ARG(type));
        }
    }
    w->order = arena_array(env->z->arena, struct sort_key, p->order->n);
    w->order_count = p->order->n;
    for (size_t i = 0; i < w->order_count; i++) {
        const struct ast_sort *s = &p->order->items[i];

        if ((code = expr_bind(env, s->key, &w->order[i].expr, err)) < 0)
            return code;
        w->order[i].descending = s->descending;
        w->order[i].nulls_first = s->nulls == AST_NULLS_FIRST;
        if (!type_is_orderable(w->order[i].expr->type)) {
            struct str type = type_name(env->z->arena, w->order[i].expr->type);

            return analyze_error_at(s->line, s->column, err, "TYPE_MISMATCH",
                                    "%.*s is not orderable, and therefore cannot be used in window function ORDER BY",
                                    STR_ARG(type));
        }
    }
    return 0;
}

/* ---- frames ---- */

static enum frame_bound bound_of(const struct ast_bound *b)
{
    static const enum frame_bound bounds[] = {
        [AST_UNBOUNDED_PRECEDING] = BOUND_UNBOUNDED_PRECEDING,
        [AST_PRECEDING] = BOUND_PRECEDING,
        [AST_CURRENT_ROW] = BOUND_CURRENT_ROW,
        [AST_FOLLOWING] = BOUND_FOLLOWING,
        [AST_UNBOUNDED_FOLLOWING] = BOUND_UNBOUNDED_FOLLOWING,
    };

    return bounds[b->kind];
}

static int check_bounds(const struct ast_frame *f, enum frame_bound start, enum frame_bound end, struct err *err)
{
    const char *message = NULL;

    if (start == BOUND_UNBOUNDED_FOLLOWING)
        message = "Window frame start cannot be UNBOUNDED FOLLOWING";
    else if (end == BOUND_UNBOUNDED_PRECEDING)
        message = "Window frame end cannot be UNBOUNDED PRECEDING";
    else if (start == BOUND_CURRENT_ROW && end == BOUND_PRECEDING)
        message = "Window frame starting from CURRENT ROW cannot end with PRECEDING";
    else if (start == BOUND_FOLLOWING && end == BOUND_PRECEDING)
        message = "Window frame starting from FOLLOWING cannot end with PRECEDING";
    else if (start == BOUND_FOLLOWING && end == BOUND_CURRENT_ROW)
        message = "Window frame starting from FOLLOWING cannot end with CURRENT ROW";
    return message ? analyze_error_at(f->line, f->column, err, "INVALID_WINDOW_FRAME", "%s", message) : 0;
}

static bool is_whole_number(const struct type *t)
{
    return type_is_integer(t) || (t->kind == TYPE_DECIMAL && t->scale == 0);
}

static bool is_datetime(const struct type *t)
{
    return t->kind >= TYPE_DATE && t->kind <= TYPE_INTERVAL_DAY_SECOND;
}

static int bind_count_offset(struct expr_env *env, const struct ast_frame *f, const struct ast_bound *b, bool is_start,
                             struct expr **ret, struct err *err)
{
    int code;

    if ((code = expr_bind(env, b->offset, ret, err)) < 0)
        return code;
    if (!is_whole_number((*ret)->type)) {
        struct str type = type_name(env->z->arena, (*ret)->type);

        return analyze_error(b->offset, err, "TYPE_MISMATCH",
                             "Window frame %s %s value type must be exact numeric type with scale 0 (actual %.*s)",
                             f->unit == AST_FRAME_ROWS ? "ROWS" : "GROUPS", is_start ? "start" : "end", STR_ARG(type));
    }
    return 0;
}

static int bind_range_offset(struct expr_env *env, const struct ast_expr *e, const struct window_parts *p,
                             const struct window_call *w, const struct ast_bound *b, struct expr **ret, struct err *err)
{
    struct arena *a = env->z->arena;
    int code;

    if (w->order_count == 0)
        return analyze_error_at(e->call->window->line, e->call->window->column, err, "MISSING_ORDER_BY",
                                "Window frame of type RANGE PRECEDING or FOLLOWING requires ORDER BY");
    const struct ast_sort *sort = &p->order->items[0];
    if (w->order_count != 1)
        return analyze_error_at(
            sort->line, sort->column, err, "INVALID_ORDER_BY",
            "Window frame of type RANGE PRECEDING or FOLLOWING requires single sort item in ORDER BY "
            "(actual: %zu)",
            w->order_count);
    const struct type *key = w->order[0].expr->type;
    if (!type_is_numeric(key) && !is_datetime(key)) {
        struct str type = type_name(a, key);

        return analyze_error(
            sort->key, err, "TYPE_MISMATCH",
            "Window frame of type RANGE PRECEDING or FOLLOWING requires that sort item type be numeric, "
            "datetime or interval (actual: %.*s)",
            STR_ARG(type));
    }
    if ((code = expr_bind(env, b->offset, ret, err)) < 0)
        return code;
    const struct type *offset = (*ret)->type;
    bool is_interval = offset->kind == TYPE_INTERVAL_YEAR_MONTH || offset->kind == TYPE_INTERVAL_DAY_SECOND;
    struct expr *sum, *operands[2] = {w->order[0].expr, *ret};
    if ((type_is_numeric(key) ? !type_is_numeric(offset) : !is_interval) ||
        expr_call(env, STR("$add"), operands, 2, b->offset, &sum, NULL) < 0) {
        struct str x = type_name(a, offset), y = type_name(a, key);

        return analyze_error(b->offset, err, "TYPE_MISMATCH",
                             "Window frame RANGE value type (%.*s) not compatible with sort item type (%.*s)",
                             STR_ARG(x), STR_ARG(y));
    }
    return 0;
}

static int bind_offset(struct expr_env *env, const struct ast_expr *e, const struct window_parts *p,
                       const struct window_call *w, const struct ast_bound *b, bool is_start, struct expr **ret,
                       struct err *err)
{
    if (!b->offset)
        return 0;
    if (p->frame->unit == AST_FRAME_RANGE)
        return bind_range_offset(env, e, p, w, b, ret, err);
    if (p->frame->unit == AST_FRAME_GROUPS && w->order_count == 0)
        return analyze_error_at(e->call->window->line, e->call->window->column, err, "MISSING_ORDER_BY",
                                "Window frame of type GROUPS PRECEDING or FOLLOWING requires ORDER BY");
    return bind_count_offset(env, p->frame, b, is_start, ret, err);
}

static int bind_frame(struct expr_env *env, const struct ast_expr *e, const struct window_parts *p,
                      struct window_call *w, struct err *err)
{
    static const enum frame_unit units[] = {
        [AST_FRAME_RANGE] = FRAME_RANGE, [AST_FRAME_ROWS] = FRAME_ROWS, [AST_FRAME_GROUPS] = FRAME_GROUPS};
    const struct ast_frame *f = p->frame;
    int code;

    if (!f)
        return 0;
    w->has_frame = true;
    w->unit = units[f->unit];
    w->start = bound_of(&f->start);
    w->end = f->end ? bound_of(f->end) : BOUND_CURRENT_ROW;
    if ((code = check_bounds(f, w->start, w->end, err)) < 0 ||
        (code = bind_offset(env, e, p, w, &f->start, true, &w->start_offset, err)) < 0)
        return code;
    return f->end ? bind_offset(env, e, p, w, f->end, false, &w->end_offset, err) : 0;
}

/* ---- window calls ---- */

static int check_window_call(const struct ast_expr *e, const struct window_parts *p, const struct window_call *w,
                             struct err *err)
{
    const struct ast_call *c = e->call;
    const char *name = w->function->name;
    bool needs_order = strcmp(name, "lag") == 0 || strcmp(name, "lead") == 0;

    if (w->function->kind == FUNCTION_SCALAR)
        return analyze_error_at(1, 1, err, "FUNCTION_NOT_WINDOW", "Not a window function: %s", name);
    if (c->filter)
        return analyze_unsupported(1, 1, err, "FILTER is not yet supported for window functions");
    if (c->order_by.n > 0 && w->function->kind == FUNCTION_WINDOW)
        return analyze_unsupported(e->line, e->column, err,
                                   "Only aggregation window functions with ORDER BY are supported");
    for (size_t i = 0; i < c->args.n; i++) {
        const struct ast_expr *nested = ast_first_window(c->args.items[i]);

        if (nested)
            return analyze_error(
                nested, err, "NESTED_WINDOW",
                "Cannot nest window functions or row pattern measures inside window function arguments");
    }
    if (needs_order && w->order_count == 0)
        return analyze_error_at(c->window->line, c->window->column, err, "MISSING_ORDER_BY",
                                "%s function requires an ORDER BY window clause", name);
    if (needs_order && p->frame)
        return analyze_error_at(p->frame->line, p->frame->column, err, "INVALID_WINDOW_FRAME",
                                "Cannot specify window frame for %s function", name);
    if (c->nulls != AST_NULLS_UNSAID) {
        static const char *const allowed[] = {"lag", "lead", "first_value", "last_value", "nth_value"};
        bool is_allowed = false;

        for (size_t i = 0; i < ARRAY_LEN(allowed) && !is_allowed; i++)
            is_allowed = strcmp(name, allowed[i]) == 0;
        if (!is_allowed)
            return analyze_error(e, err, "NULL_TREATMENT_NOT_ALLOWED",
                                 "Cannot specify null treatment clause for %s function", name);
    }
    return 0;
}

int bind_window_call(struct expr_env *env, struct str name, const struct ast_expr *e, struct expr **ret,
                     struct err *err)
{
    struct analyzer *z = env->z;
    struct collector *c = env->collector;
    const struct ast_call *call = e->call;
    struct expr_env inner = *env;
    struct window_parts parts;
    struct window_call w = {0};
    struct aggregate g = {0};
    int code;

    if (!c || !c->allow_windows)
        return analyze_error(e, err, "NESTED_WINDOW", "%s cannot contain window functions or row pattern measures",
                             env->clause ? env->clause : "This expression");
    if ((code = resolve_window(c, c->definition_count, call->window, &parts, err)) < 0 ||
        (code = check_nesting(&parts, err)) < 0)
        return code;
    for (size_t i = 0; i < call->args.n; i++) {
        const struct ast_expr *nested = ast_first_window(call->args.items[i]);

        if (nested)
            return analyze_error(
                nested, err, "NESTED_WINDOW",
                "Cannot nest window functions or row pattern measures inside window function arguments");
    }
    if ((code = bind_partition(&inner, &parts, &w, err)) < 0 || (code = bind_frame(&inner, e, &parts, &w, err)) < 0 ||
        (code = bind_parts(&inner, name, e, &g, err)) < 0)
        return code;
    w.function = g.function;
    w.args = g.args;
    w.arg_count = g.arg_count;
    w.distinct = g.distinct;
    w.ignore_nulls = call->nulls == AST_IGNORE_NULLS;
    if ((code = check_window_call(e, &parts, &w, err)) < 0)
        return code;
    if (g.order_count > 0)
        return analyze_unsupported(e->line, e->column, err, "ORDER BY inside a window function is not supported");
    w.out = (struct column){.id = z->next_id++, .type = g.out.type};
    if (c->window_count == c->window_cap)
        c->windows = vec_grow_in(z->arena, c->windows, &c->window_cap, c->window_count, sizeof(*c->windows));
    c->windows[c->window_count++] = w;
    *ret = expr_column(z, &w.out);
    (*ret)->line = e->line;
    (*ret)->column = e->column;
    return 0;
}
