/*
 * SELECT: Trino's visitQuerySpecification, in its order, so that of several errors the same one is reported.
 *
 * What comes out, from below: FROM, WHERE, aggregation, HAVING, windows, the select list, DISTINCT, ORDER BY, LIMIT.
 * ORDER BY sees the output's columns and the source's: the select list's projection carries along the source's columns
 * that a sort key needs, and a last projection drops them.
 */
#include "sql/analyze_select.h"

/* ---- select list ---- */

static void add_item(struct select *s, struct select_item item, struct str name)
{
    if (s->item_count == s->item_cap)
        s->items = vec_grow_in(s->z->arena, s->items, &s->item_cap, s->item_count, sizeof(*s->items));
    item.out = column_new(s->z, name, item.expr->type);
    s->items[s->item_count++] = item;
}

static int check_distinct_type(struct select *s, const struct type *t, const struct ast_expr *e, struct err *err)
{
    if (!s->ast->distinct || type_is_comparable(t))
        return 0;
    struct str type = type_name(s->z->arena, t);
    if (!e)
        return analyze_error_at(s->ast->line, s->ast->column, err, "TYPE_MISMATCH",
                                "DISTINCT can only be applied to comparable types (actual: %.*s)", STR_ARG(type));
    return analyze_error_at(s->ast->line, s->ast->column, err, "TYPE_MISMATCH",
                            "DISTINCT can only be applied to comparable types (actual: %.*s): %.*s", STR_ARG(type),
                            STR_ARG(analyze_format_expr(s->z->arena, e)));
}

/* The name under which an expression without AS comes out: an identifier's, a chain's last; else none. */
static struct str implied_name(struct analyzer *z, const struct ast_expr *e)
{
    struct str *parts;

    if (e->kind == AST_EXPR_IDENT)
        return e->ident.value;
    return e->kind == AST_EXPR_DEREFERENCE && scope_chain(z, e, &parts) ? e->dereference.field->value : STR_NULL;
}

static int select_expression(struct select *s, struct expr_env *env, const struct ast_select_item *i, struct err *err)
{
    struct scope_field f = {.aliased = i->alias != NULL};
    struct select_item item = {.ast = i->expr, .window_from = s->collector.window_count};
    const struct scope_field *origin;
    int r = analyze_expr(env, i->expr, &item.expr, err);

    if (r == 0)
        r = check_distinct_type(s, item.expr->type, i->expr, err);
    if (r < 0)
        return r;
    item.window_to = s->collector.window_count;
    add_item(s, item, i->alias ? i->alias->value : implied_name(s->z, i->expr));
    f.column = s->items[s->item_count - 1].out;
    if (scope_match_expr(s->z, s->source, i->expr, &origin)) {
        f.origin = origin->origin;
        f.origin_column = origin->origin_column;
    }
    scope_add(s->z, s->output, f);
    return 0;
}

/* The scope, from the inner one outwards, that has a relation called so; NULL: none. */
static struct scope *find_relation(struct scope *s, const struct str *parts, size_t n)
{
    for (; s; s = s->parent)
        for (size_t i = 0; i < s->n; i++) {
            const struct scope_field *f = &s->fields[i];
            bool same = f->qualifier_count >= n;
            for (size_t k = 0; same && k < n; k++)
                same = str_eq(f->qualifier[f->qualifier_count - n + k], parts[k]);
            if (same)
                return s;
        }
    return NULL;
}

static bool has_qualifier(const struct scope_field *f, const struct str *parts, size_t n)
{
    if (f->qualifier_count < n)
        return false;
    for (size_t k = 0; k < n; k++)
        if (!str_eq(f->qualifier[f->qualifier_count - n + k], parts[k]))
            return false;
    return true;
}

/* With hide_inaccessible_columns a * leaves out what may not be read, instead of failing. */
static bool is_in_star(const struct select *s, const struct scope_field *f, const struct str *parts, size_t n)
{
    const struct analyze_context *c = s->z->context;
    const struct str *hide = map_get(&c->session->properties, STR("hide_inaccessible_columns"));

    if (f->hidden || !has_qualifier(f, parts, n))
        return false;
    if (!hide || !str_eq_nocase(*hide, STR("true")) || !f->origin || str_is_null(f->origin_column))
        return true;
    return access_sees_column(c->access, f->origin->catalog, f->origin->schema, f->origin->name, f->origin_column);
}

/* *, or t.* with the relation's name in `parts`. */
static int select_fields(struct select *s, const struct ast_select_item *i, const struct scope *from,
                         const struct str *parts, size_t n, struct err *err)
{
    size_t count = 0, at = 0;

    for (size_t k = 0; k < from->n; k++)
        count += is_in_star(s, &from->fields[k], parts, n);
    if (count == 0)
        return analyze_error_at(i->line, i->column, err, "COLUMN_NOT_FOUND",
                                s->ast->from ? "SELECT * not allowed from relation that has no columns"
                                             : "SELECT * not allowed in queries without FROM clause");
    if (i->columns.n && i->columns.n != count)
        return analyze_error_at(i->columns.items[0].line, i->columns.items[0].column, err, "MISMATCHED_COLUMN_ALIASES",
                                "Column alias list has %zu entries but relation has %zu columns", i->columns.n, count);
    for (size_t k = 0; k < from->n; k++) {
        struct scope_field f = from->fields[k];

        if (!is_in_star(s, &f, parts, n))
            continue;
        access_note_field(s->z, &f);
        struct select_item item = {.expr = expr_column(s->z, &f.column), .star = &from->fields[k]};
        item.expr->line = i->line;
        item.expr->column = i->column;
        int r = check_distinct_type(s, f.column.type, NULL, err);
        if (r < 0)
            return r;
        add_item(s, item, i->columns.n ? i->columns.items[at].value : f.column.name);
        f.column = s->items[s->item_count - 1].out;
        f.qualifier_count = 0;
        f.aliased = f.aliased || i->columns.n;
        scope_add(s->z, s->output, f);
        at++;
    }
    return 0;
}

/* expression.*, of a row */
static int select_row(struct select *s, struct expr_env *env, const struct ast_select_item *i, struct err *err)
{
    struct expr *row;
    int r = analyze_expr(env, i->expr, &row, err);

    if (r < 0)
        return r;
    const struct type *t = row->type;
    if (t->kind != TYPE_ROW)
        return analyze_error_at(s->ast->line, s->ast->column, err, "TYPE_MISMATCH", "expected expression of type Row");
    if (i->columns.n && i->columns.n != t->field_count)
        return analyze_error_at(i->columns.items[0].line, i->columns.items[0].column, err, "MISMATCHED_COLUMN_ALIASES",
                                "Column alias list has %zu entries but relation has %zu columns", i->columns.n,
                                t->field_count);
    for (size_t k = 0; k < t->field_count; k++) {
        struct select_item item = {.ast = i->expr, .window_from = s->collector.window_count};

        item.window_to = item.window_from;
        item.expr = expr_new(s->z, EXPR_FIELD, t->fields[k].type, i->expr);
        item.expr->args = arena_array(s->z->arena, struct expr *, 1);
        item.expr->args[0] = row;
        item.expr->arg_count = 1;
        item.expr->field_index = k;
        r = check_distinct_type(s, t->fields[k].type, NULL, err);
        if (r < 0)
            return r;
        add_item(s, item, i->columns.n ? i->columns.items[k].value : t->fields[k].name);
        scope_add(s->z, s->output, (struct scope_field){.column = s->items[s->item_count - 1].out});
    }
    return 0;
}

static int analyze_items(struct select *s, struct expr_env *env, struct err *err)
{
    for (size_t i = 0; i < s->ast->items.n; i++) {
        const struct ast_select_item *item = &s->ast->items.items[i];
        struct str *parts = NULL;
        int r;

        if (item->kind == AST_SELECT_EXPR) {
            r = select_expression(s, env, item, err);
        } else if (!item->expr) {
            r = select_fields(s, item, s->source, NULL, 0, err);
        } else {
            size_t n = scope_chain(s->z, item->expr, &parts);
            struct scope *from = n ? find_relation(s->source, parts, n) : NULL;
            const struct scope_field *f;

            if (from)
                r = select_fields(s, item, from, parts, n, err);
            else if (n && !scope_match_expr(s->z, s->source, item->expr, &f) && item->expr->kind == AST_EXPR_IDENT)
                r = analyze_error_at(item->line, item->column, err, "TABLE_NOT_FOUND",
                                     "Unable to resolve reference %.*s",
                                     STR_ARG(analyze_format_expr(s->z->arena, item->expr)));
            else
                r = select_row(s, env, item, err);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- ORDER BY ---- */

struct id_search {
    const struct scope *scope;
    bool found;
};

static bool find_scope_column(void *ctx, struct expr **slot)
{
    struct id_search *search = ctx;

    if ((*slot)->kind == EXPR_COLUMN)
        for (size_t i = 0; i < search->scope->n; i++)
            search->found = search->found || search->scope->fields[i].column.id == (*slot)->column_id;
    return !search->found;
}

/* Aggregates compute from the source's rows, before there is any output. */
static int check_order_aggregate(struct select *s, struct aggregate *a, const struct ast_expr *at, struct err *err)
{
    struct id_search search = {.scope = s->output};

    for (size_t i = 0; i < a->arg_count; i++)
        expr_walk(&a->args[i], find_scope_column, &search);
    if (a->filter)
        expr_walk(&a->filter, find_scope_column, &search);
    if (search.found)
        return analyze_error(at, err, "COLUMN_NOT_FOUND",
                             "Invalid reference to output projection attribute from ORDER BY aggregation");
    for (size_t i = 0; i < a->order_count; i++)
        expr_walk(&a->order[i].expr, find_scope_column, &search);
    if (search.found)
        return analyze_error(at, err, "COLUMN_NOT_FOUND",
                             "ORDER BY clause in aggregation function must not reference query output columns");
    return 0;
}

/* A window call in ORDER BY is computed below the select list, whatever names it used: it gets the list's expressions. */
static bool inline_output(void *ctx, struct expr **slot)
{
    const struct select *s = ctx;

    for (size_t i = 0; (*slot)->kind == EXPR_COLUMN && i < s->item_count; i++)
        if (s->items[i].out.id == (*slot)->column_id) {
            *slot = s->items[i].expr;
            return false;
        }
    return true;
}

static void inline_window(struct select *s, struct window_call *w)
{
    for (size_t i = 0; i < w->arg_count; i++)
        expr_walk(&w->args[i], inline_output, s);
    for (size_t i = 0; i < w->partition_count; i++)
        expr_walk(&w->partition[i], inline_output, s);
    for (size_t i = 0; i < w->order_count; i++)
        expr_walk(&w->order[i].expr, inline_output, s);
    if (w->filter)
        expr_walk(&w->filter, inline_output, s);
}

static int analyze_order_by(struct select *s, struct err *err)
{
    struct scope *scope = scope_new(s->z, s->source);
    struct expr_env env = {.z = s->z, .scope = scope, .clause = "ORDER BY clause", .collector = &s->collector};

    scope_add_all(s->z, scope, s->output);
    s->order_count = s->tail ? s->tail->order_by.n : 0;
    s->order = arena_array(s->z->arena, struct select_order, s->order_count);
    for (size_t i = 0; i < s->order_count; i++) {
        struct select_order *o = &s->order[i];
        const struct ast_expr *key;
        size_t aggregates = s->collector.aggregate_count;

        o->ast = &s->tail->order_by.items[i];
        key = o->ast->key;
        o->window_from = s->collector.window_count;
        if (key->kind == AST_EXPR_INTEGER) {
            if (key->integer < 1 || (uint64_t)key->integer > s->item_count)
                return analyze_error(key, err, "INVALID_COLUMN_REFERENCE",
                                     "ORDER BY position %lld is not in select list", (long long)key->integer);
            o->key = expr_column(s->z, &s->items[key->integer - 1].out);
        } else {
            int r = analyze_expr(&env, key, &o->key, err);
            for (; r == 0 && aggregates < s->collector.aggregate_count; aggregates++)
                r = check_order_aggregate(s, &s->collector.aggregates[aggregates], key, err);
            if (r < 0)
                return r;
        }
        o->window_to = s->collector.window_count;
        for (size_t k = o->window_from; k < o->window_to; k++)
            inline_window(s, &s->collector.windows[k]);
        if (!type_is_orderable(o->key->type))
            return analyze_error_at(s->ast->line, s->ast->column, err, "TYPE_MISMATCH",
                                    "Type %.*s is not orderable, and therefore cannot be used in ORDER BY: %.*s",
                                    STR_ARG(type_name(s->z->arena, o->key->type)),
                                    STR_ARG(analyze_format_expr(s->z->arena, key)));
    }
    return 0;
}

static bool is_output(const struct select *s, const struct expr *e)
{
    if (e->kind != EXPR_COLUMN)
        return false;
    for (size_t i = 0; i < s->item_count; i++)
        if (s->items[i].out.id == e->column_id)
            return true;
    return false;
}

/* SELECT DISTINCT sorts its output: each key is one of it. */
static int order_distinct(struct select *s, struct err *err)
{
    for (size_t i = 0; i < s->order_count; i++) {
        struct expr **key = &s->order[i].key;

        if (!expr_is_deterministic(*key))
            return analyze_error(s->order[i].ast->key, err, "EXPRESSION_NOT_IN_DISTINCT",
                                 "Non deterministic ORDER BY expression is not supported with SELECT DISTINCT");
        for (size_t k = 0; !is_output(s, *key) && k < s->item_count; k++)
            if (expr_equal(*key, s->items[k].expr))
                *key = expr_column(s->z, &s->items[k].out);
        if (!is_output(s, *key))
            return analyze_error_at(s->ast->line, s->ast->column, err, "EXPRESSION_NOT_IN_DISTINCT",
                                    "For SELECT DISTINCT, ORDER BY expressions must appear in select list");
    }
    return 0;
}

/* ---- putting it together ---- */

/* The select list's projection under construction: output columns, then what sort keys need of its input. */
struct carrier {
    struct select *s;
    struct rel *input;
    struct column *columns;
    struct expr **exprs;
    size_t n;
};

static bool carry_columns(void *ctx, struct expr **slot)
{
    struct carrier *c = ctx;

    if ((*slot)->kind != EXPR_COLUMN)
        return true;
    for (size_t i = 0; i < c->input->column_count; i++) {
        if (c->input->columns[i].id != (*slot)->column_id)
            continue;
        size_t at = c->s->item_count;
        while (at < c->n && c->exprs[at]->column_id != (*slot)->column_id)
            at++;
        if (at == c->n) {
            c->exprs[at] = expr_column(c->s->z, &c->input->columns[i]);
            c->columns[at] = column_new(c->s->z, c->input->columns[i].name, c->input->columns[i].type);
            c->n++;
        }
        struct expr *e = expr_column(c->s->z, &c->columns[at]);
        e->line = (*slot)->line;
        e->column = (*slot)->column;
        *slot = e;
        return false;
    }
    return true;
}

static struct rel *keep_first(struct analyzer *z, struct rel *input, size_t n)
{
    struct expr **exprs = arena_array(z->arena, struct expr *, n);

    for (size_t i = 0; i < n; i++)
        exprs[i] = expr_column(z, &input->columns[i]);
    return rel_project(z, input, input->columns, exprs, n);
}

static struct rel *project_items(struct select *s, bool sorted)
{
    size_t most = s->item_count + (sorted ? s->rel->column_count : 0);
    struct carrier c = {.s = s,
                        .input = s->rel,
                        .columns = arena_array(s->z->arena, struct column, most),
                        .exprs = arena_array(s->z->arena, struct expr *, most)};

    for (size_t i = 0; i < s->item_count; i++) {
        c.columns[i] = s->items[i].out;
        c.exprs[i] = s->items[i].expr;
    }
    c.n = s->item_count;
    for (size_t i = 0; sorted && i < s->order_count; i++)
        expr_walk(&s->order[i].key, carry_columns, &c);
    return rel_project(s->z, s->rel, c.columns, c.exprs, c.n);
}

static struct rel *sort_items(struct select *s, struct rel *input)
{
    struct rel *sort = rel_over(s->z, REL_SORT, input);

    sort->sort.key_count = s->order_count;
    sort->sort.keys = arena_array(s->z->arena, struct sort_key, s->order_count);
    for (size_t i = 0; i < s->order_count; i++)
        sort->sort.keys[i] = sort_key_new(s->order[i].ast, s->order[i].key);
    return sort;
}

static int finish_select(struct select *s, struct rel **ret, struct err *err)
{
    /* the order of a subquery's rows means nothing unless it decides which ones */
    bool sorted = s->order_count && (s->z->depth <= 1 || query_is_limited(s->tail));
    int r = 0;

    if (s->collector.window_count) {
        struct rel *w = rel_over(s->z, REL_WINDOW, s->rel);
        w->window.calls = s->collector.windows;
        w->window.call_count = s->collector.window_count;
        rel_derive_columns(s->z, w);
        s->rel = w;
    }
    if (s->ast->distinct)
        r = order_distinct(s, err);
    if (r < 0)
        return r;

    struct rel *rel = project_items(s, sorted);
    if (s->ast->distinct)
        rel = rel_over(s->z, REL_DISTINCT, rel);
    if (sorted)
        rel = sort_items(s, rel);
    if (s->tail)
        r = analyze_limit(s->z, s->tail, &rel, err);
    if (r == 0 && rel->column_count > s->item_count)
        rel = keep_first(s->z, rel, s->item_count);
    *ret = rel;
    return r;
}

static int analyze_from_where(struct select *s, struct scope *parent, struct err *err)
{
    struct expr *predicate;
    int r = 0;

    if (s->ast->from) {
        r = analyze_relation(s->z, s->ast->from, parent, &s->rel, &s->source, err);
    } else {
        s->rel = rel_one_row(s->z);
        s->source = scope_new(s->z, parent);
    }
    for (size_t i = 0; r == 0 && i < s->ast->windows.n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(s->ast->windows.items[i].name.lower, s->ast->windows.items[k].name.lower))
                return analyze_error_at(s->ast->windows.items[i].line, s->ast->windows.items[i].column, err,
                                        "DUPLICATE_WINDOW_NAME", "WINDOW name '%.*s' specified more than once",
                                        STR_ARG(s->ast->windows.items[i].name.value));
    if (r < 0 || !s->ast->where)
        return r;
    struct expr_env env = {.z = s->z, .scope = s->source, .clause = "WHERE clause"};
    r = analyze_predicate(&env, s->ast->where, &predicate, err);
    if (r == 0)
        s->rel = rel_filter(s->z, s->rel, predicate);
    return r;
}

int analyze_select(struct analyzer *z, const struct ast_select *ast, const struct ast_query *tail, struct scope *parent,
                   struct rel **ret, struct scope **ret_scope, struct err *err)
{
    struct select s = {.z = z, .ast = ast, .tail = tail, .output = scope_new(z, parent)};
    struct expr_env env = {.z = z, .clause = "SELECT clause", .collector = &s.collector};
    int r = analyze_from_where(&s, parent, err);

    s.collector.allow_aggregates = s.collector.allow_windows = true;
    s.collector.definitions = ast->windows.items;
    s.collector.definition_count = ast->windows.n;
    env.scope = s.source;
    if (r == 0)
        r = analyze_items(&s, &env, err);
    if (r == 0)
        r = select_analyze_group_by(&s, err);
    if (r == 0 && ast->having) {
        env.clause = "HAVING clause";
        s.collector.allow_windows = false;
        r = analyze_predicate(&env, ast->having, &s.having, err);
        s.collector.allow_windows = true;
    }
    if (r == 0)
        r = analyze_order_by(&s, err);
    if (r == 0 && s.collector.grouping_count && !ast->has_group_by)
        r = analyze_error_at(ast->line, ast->column, err, "MISSING_GROUP_BY",
                             "A GROUPING() operation can only be used with a corresponding GROUPING SET/CUBE/ROLLUP/"
                             "GROUP BY clause");
    if (r == 0 && select_is_aggregation(&s))
        r = select_aggregate(&s, err);
    if (r == 0)
        r = finish_select(&s, ret, err);
    *ret_scope = s.output;
    return r;
}
