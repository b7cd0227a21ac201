/*
 * The expressions below an expression of the syntax tree, and the aggregates and windows among them. Subqueries are
 * queries of their own and stay out.
 */
#include "sql/analyze_expr.h"

static void walk_list(const struct ast_exprs *list, ast_visit_fn visit, void *ctx)
{
    for (size_t i = 0; i < list->n; i++)
        ast_expr_walk(list->items[i], visit, ctx);
}

static void walk_sorts(const struct ast_sorts *sorts, ast_visit_fn visit, void *ctx)
{
    for (size_t i = 0; i < sorts->n; i++)
        ast_expr_walk(sorts->items[i].key, visit, ctx);
}

static void walk_window(const struct ast_window *w, ast_visit_fn visit, void *ctx)
{
    walk_list(&w->partition_by, visit, ctx);
    walk_sorts(&w->order_by, visit, ctx);
    if (w->frame) {
        ast_expr_walk(w->frame->start.offset, visit, ctx);
        if (w->frame->end)
            ast_expr_walk(w->frame->end->offset, visit, ctx);
    }
}

static void walk_call(const struct ast_call *c, ast_visit_fn visit, void *ctx)
{
    walk_list(&c->args, visit, ctx);
    walk_sorts(&c->order_by, visit, ctx);
    ast_expr_walk(c->filter, visit, ctx);
    if (c->window)
        walk_window(c->window, visit, ctx);
}

static void walk_json(const struct ast_json *j, ast_visit_fn visit, void *ctx)
{
    ast_expr_walk(j->input.value, visit, ctx);
    for (size_t i = 0; i < j->passing.n; i++)
        ast_expr_walk(j->passing.items[i].value, visit, ctx);
    for (size_t i = 0; i < j->items.n; i++) {
        ast_expr_walk(j->items.items[i].key, visit, ctx);
        ast_expr_walk(j->items.items[i].value, visit, ctx);
    }
    ast_expr_walk(j->empty_default, visit, ctx);
    ast_expr_walk(j->error_default, visit, ctx);
}

static void walk_children(const struct ast_expr *e, ast_visit_fn visit, void *ctx)
{
    switch (e->kind) {
    case AST_EXPR_DEREFERENCE:
        ast_expr_walk(e->dereference.base, visit, ctx);
        break;
    case AST_EXPR_SUBSCRIPT:
        ast_expr_walk(e->subscript.base, visit, ctx);
        ast_expr_walk(e->subscript.index, visit, ctx);
        break;
    case AST_EXPR_NEGATE:
    case AST_EXPR_PLUS:
    case AST_EXPR_NOT:
    case AST_EXPR_IS_NULL:
    case AST_EXPR_IS_NOT_NULL:
    case AST_EXPR_TRY:
        ast_expr_walk(e->operand, visit, ctx);
        break;
    case AST_EXPR_ARITHMETIC:
        ast_expr_walk(e->arithmetic.left, visit, ctx);
        ast_expr_walk(e->arithmetic.right, visit, ctx);
        break;
    case AST_EXPR_COMPARE:
        ast_expr_walk(e->compare.left, visit, ctx);
        ast_expr_walk(e->compare.right, visit, ctx);
        break;
    case AST_EXPR_CONCAT:
    case AST_EXPR_DISTINCT_FROM:
    case AST_EXPR_AT_TIME_ZONE:
    case AST_EXPR_NULLIF:
        ast_expr_walk(e->binary.left, visit, ctx);
        ast_expr_walk(e->binary.right, visit, ctx);
        break;
    case AST_EXPR_LOGICAL:
        walk_list(&e->logical.terms, visit, ctx);
        break;
    case AST_EXPR_BETWEEN:
        ast_expr_walk(e->between.value, visit, ctx);
        ast_expr_walk(e->between.low, visit, ctx);
        ast_expr_walk(e->between.high, visit, ctx);
        break;
    case AST_EXPR_IN_LIST:
        ast_expr_walk(e->in_list.value, visit, ctx);
        walk_list(&e->in_list.items, visit, ctx);
        break;
    case AST_EXPR_IN_QUERY:
        ast_expr_walk(e->in_query.value, visit, ctx);
        break;
    case AST_EXPR_QUANTIFIED:
        ast_expr_walk(e->quantified.value, visit, ctx);
        break;
    case AST_EXPR_LIKE:
        ast_expr_walk(e->like.value, visit, ctx);
        ast_expr_walk(e->like.pattern, visit, ctx);
        ast_expr_walk(e->like.escape, visit, ctx);
        break;
    case AST_EXPR_SIMPLE_CASE:
    case AST_EXPR_SEARCHED_CASE:
        ast_expr_walk(e->cases.operand, visit, ctx);
        for (size_t i = 0; i < e->cases.n; i++) {
            ast_expr_walk(e->cases.whens[i].condition, visit, ctx);
            ast_expr_walk(e->cases.whens[i].result, visit, ctx);
        }
        ast_expr_walk(e->cases.otherwise, visit, ctx);
        break;
    case AST_EXPR_CAST:
        ast_expr_walk(e->cast.value, visit, ctx);
        break;
    case AST_EXPR_EXTRACT:
        ast_expr_walk(e->extract.value, visit, ctx);
        break;
    case AST_EXPR_TRIM:
        ast_expr_walk(e->trim.value, visit, ctx);
        ast_expr_walk(e->trim.chars, visit, ctx);
        break;
    case AST_EXPR_CALL:
        walk_call(e->call, visit, ctx);
        break;
    case AST_EXPR_IF:
        ast_expr_walk(e->if_.condition, visit, ctx);
        ast_expr_walk(e->if_.then, visit, ctx);
        ast_expr_walk(e->if_.otherwise, visit, ctx);
        break;
    case AST_EXPR_COALESCE:
    case AST_EXPR_FORMAT:
    case AST_EXPR_ARRAY:
    case AST_EXPR_ROW:
        walk_list(&e->list, visit, ctx);
        break;
    case AST_EXPR_GROUPING:
        walk_list(&e->grouping, visit, ctx);
        break;
    case AST_EXPR_LAMBDA:
        ast_expr_walk(e->lambda.body, visit, ctx);
        break;
    case AST_EXPR_JSON:
        walk_json(e->json, visit, ctx);
        break;
    case AST_EXPR_MEASURE:
        walk_window(e->measure.window, visit, ctx);
        break;
    default: /* leaves and subqueries */
        break;
    }
}

void ast_expr_walk(const struct ast_expr *e, ast_visit_fn visit, void *ctx)
{
    if (e && visit(ctx, e))
        walk_children(e, visit, ctx);
}

/* ---- what stands in an expression ---- */

enum { AGGREGATES = 1, WINDOWS = 2, GROUPINGS = 4 };

struct finder {
    int which;
    struct {
        const struct ast_expr **items;
        size_t n, cap;
    } found;
    struct arena *a;
};

static bool is_aggregate(const struct ast_expr *e)
{
    return e->kind == AST_EXPR_CALL && !e->call->window && e->call->name.n == 1 &&
           function_is_aggregate(e->call->name.parts[0].lower);
}

static bool is_window(const struct ast_expr *e)
{
    return e->kind == AST_EXPR_MEASURE || (e->kind == AST_EXPR_CALL && e->call->window);
}

static bool find(void *ctx, const struct ast_expr *e)
{
    struct finder *f = ctx;

    if (((f->which & AGGREGATES) && is_aggregate(e)) || ((f->which & WINDOWS) && is_window(e)) ||
        ((f->which & GROUPINGS) && e->kind == AST_EXPR_GROUPING))
        vec_push_in(f->a, &f->found, e);
    return true;
}

/* Trino lists aggregates, then windows, then grouping operations. */
static struct str list_found(struct arena *a, const struct ast_expr *e, const int *kinds, size_t n)
{
    struct buf BUF_SCOPED b = {0};
    size_t count = 0;

    buf_init(&b, 1 << 20);
    buf_add_char(&b, '[');
    for (size_t k = 0; k < n; k++) {
        struct finder f = {.which = kinds[k], .a = a};

        ast_expr_walk(e, find, &f);
        for (size_t i = 0; i < f.found.n; i++) {
            if (count++ > 0)
                buf_add_cstr(&b, ", ");
            buf_add_str(&b, analyze_format_expr(a, f.found.items[i]));
        }
    }
    buf_add_char(&b, ']');
    return count > 0 ? arena_str(a, buf_str(&b)) : STR_NULL;
}

struct str ast_find_aggregations(struct arena *a, const struct ast_expr *e)
{
    static const int kinds[] = {AGGREGATES, WINDOWS, GROUPINGS};

    return list_found(a, e, kinds, ARRAY_LEN(kinds));
}

struct str ast_find_aggregates(struct arena *a, const struct ast_expr *e)
{
    static const int kinds[] = {AGGREGATES};

    return list_found(a, e, kinds, ARRAY_LEN(kinds));
}

struct str ast_find_windows(struct arena *a, const struct ast_expr *e)
{
    static const int kinds[] = {WINDOWS};

    return list_found(a, e, kinds, ARRAY_LEN(kinds));
}

static bool find_first_window(void *ctx, const struct ast_expr *e)
{
    const struct ast_expr **first = ctx;

    if (!*first && is_window(e))
        *first = e;
    return !*first;
}

const struct ast_expr *ast_first_window(const struct ast_expr *e)
{
    const struct ast_expr *first = NULL;

    ast_expr_walk(e, find_first_window, &first);
    return first;
}
