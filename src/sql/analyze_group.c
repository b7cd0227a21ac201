/*
 * GROUP BY and what follows from it.
 *
 * The select list, HAVING, windows and ORDER BY are bound over the source first, as if there were no grouping; aggregate
 * calls have left columns in their places. Then every expression is walked from the top: what equals a grouping key
 * becomes the key's column, and a source's column that is still met is neither grouped by nor aggregated.
 */
#include "sql/analyze_select.h"

enum { MAX_GROUPING_SETS = 2048 }; /* Trino's max_grouping_sets */

bool select_is_aggregation(const struct select *s)
{
    return s->ast->has_group_by || s->having || s->collector.aggregate_count;
}

struct call_search {
    const struct select *s;
    bool found;
};

static bool find_call(void *ctx, struct expr **slot)
{
    struct call_search *search = ctx;
    const struct collector *c = &search->s->collector;

    if ((*slot)->kind == EXPR_COLUMN) {
        for (size_t i = 0; i < c->aggregate_count; i++)
            search->found = search->found || c->aggregates[i].out.id == (*slot)->column_id;
        for (size_t i = 0; i < c->window_count; i++)
            search->found = search->found || c->windows[i].out.id == (*slot)->column_id;
    }
    return !search->found;
}

bool select_has_calls(const struct select *s, struct expr *e)
{
    struct call_search search = {.s = s};

    expr_walk(&e, find_call, &search);
    return search.found;
}

/* ---- keys and sets ---- */

static size_t add_key(struct select *s, struct expr *e)
{
    for (size_t i = 0; i < s->keys.n; i++)
        if (expr_equal(s->keys.items[i], e))
            return i;
    vec_push_in(s->z->arena, &s->keys, e);
    return s->keys.n - 1;
}

static int check_key(struct select *s, const struct expr *e, struct err *err)
{
    if (type_is_comparable(e->type))
        return 0;
    return analyze_error_at(s->ast->line, s->ast->column, err, "TYPE_MISMATCH",
                            "%.*s is not comparable, and therefore cannot be used in GROUP BY",
                            STR_ARG(type_name(s->z->arena, e->type)));
}

/* `column`: the element must be one, as those of GROUPING SETS, CUBE and ROLLUP have to. */
static int analyze_key(struct select *s, const struct ast_expr *e, bool column, size_t *ret, struct err *err)
{
    struct expr_env env = {.z = s->z, .scope = s->source, .clause = "GROUP BY clause"};
    struct expr *key = NULL;
    int r = 0;

    if (!column && e->kind == AST_EXPR_INTEGER) {
        if (e->integer < 1 || (uint64_t)e->integer > s->item_count)
            return analyze_error(e, err, "INVALID_COLUMN_REFERENCE", "GROUP BY position %lld is not in select list",
                                 (long long)e->integer);
        const struct select_item *item = &s->items[e->integer - 1];
        key = item->expr;
        if (item->ast && select_has_calls(s, key))
            r = analyze_expr(&env, item->ast, &key, err); /* says which calls can't stand here */
    } else {
        r = analyze_expr(&env, e, &key, err);
    }
    if (r == 0 && column && key->kind != EXPR_COLUMN)
        return analyze_error(e, err, "INVALID_COLUMN_REFERENCE", "GROUP BY expression must be a column reference: %.*s",
                             STR_ARG(analyze_format_expr(s->z->arena, e)));
    if (r == 0)
        r = check_key(s, key, err);
    if (r == 0)
        *ret = add_key(s, key);
    return r;
}

static void set_add(struct grouping_set *set, size_t key)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->keys[i] == key)
            return;
    set->keys[set->n++] = key;
}

static bool set_equal(const struct grouping_set *x, const struct grouping_set *y)
{
    if (x->n != y->n)
        return false;
    for (size_t i = 0; i < x->n; i++) {
        bool found = false;
        for (size_t k = 0; k < y->n; k++)
            found = found || x->keys[i] == y->keys[k];
        if (!found)
            return false;
    }
    return true;
}

struct element_sets {
    struct grouping_set *items;
    size_t n, cap;
};

/* The sets that one element of GROUP BY stands for, before it is crossed with the others. */
static int element_sets(struct select *s, const struct ast_grouping *g, struct element_sets *ret, struct err *err)
{
    struct arena *a = s->z->arena;
    size_t n = g->n, width = 0;
    struct grouping_set *named = arena_array(a, struct grouping_set, n);

    for (size_t i = 0; i < n; i++) {
        named[i].keys = arena_array(a, size_t, g->sets[i].n);
        width += g->sets[i].n;
        for (size_t k = 0; k < g->sets[i].n; k++) {
            size_t key;
            int r = analyze_key(s, g->sets[i].items[k], g->kind != AST_GROUPING_SIMPLE, &key, err);
            if (r < 0)
                return r;
            set_add(&named[i], key);
        }
    }
    if (g->kind == AST_GROUPING_SIMPLE || g->kind == AST_GROUPING_SETS) {
        ret->items = named;
        ret->n = n;
        return 0;
    }
    /* ROLLUP (a, b): (a, b), (a), (). CUBE: every subset. Their number was checked before. */
    size_t count = g->kind == AST_GROUPING_ROLLUP ? n + 1 : (size_t)1 << n;
    for (size_t i = 0; i < count; i++) {
        struct grouping_set set = {.keys = arena_array(a, size_t, width)};
        for (size_t k = 0; k < n; k++)
            if (g->kind == AST_GROUPING_ROLLUP ? k < n - i : !(i >> (n - 1 - k) & 1))
                for (size_t j = 0; j < named[k].n; j++)
                    set_add(&set, named[k].keys[j]);
        vec_push_in(a, ret, set);
    }
    return 0;
}

/* GROUP BY AUTO: by all of the select list that doesn't aggregate. */
static int auto_sets(struct select *s, struct element_sets *ret, struct err *err)
{
    struct grouping_set set = {.keys = arena_array(s->z->arena, size_t, s->item_count)};

    for (size_t i = 0; i < s->item_count; i++) {
        if (select_has_calls(s, s->items[i].expr))
            continue;
        int r = check_key(s, s->items[i].expr, err);
        if (r < 0)
            return r;
        set_add(&set, add_key(s, s->items[i].expr));
    }
    vec_push_in(s->z->arena, ret, set);
    return 0;
}

static void cross_sets(struct select *s, const struct element_sets *e)
{
    struct arena *a = s->z->arena;
    struct grouping_set *before = s->sets.items;
    size_t n = s->sets.n;

    s->sets.items = NULL;
    s->sets.n = s->sets.cap = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < e->n; k++) {
            struct grouping_set set = {.keys = arena_array(a, size_t, before[i].n + e->items[k].n)};
            for (size_t j = 0; j < before[i].n; j++)
                set_add(&set, before[i].keys[j]);
            for (size_t j = 0; j < e->items[k].n; j++)
                set_add(&set, e->items[k].keys[j]);
            vec_push_in(a, &s->sets, set);
        }
}

static int check_set_count(const struct ast_select *ast, struct err *err)
{
    const struct ast_grouping *first = ast->group_by.items;
    uint64_t product = 1;

    for (size_t i = 0; i < ast->group_by.n; i++) {
        const struct ast_grouping *g = &ast->group_by.items[i];
        uint64_t count = 1;

        if (g->kind == AST_GROUPING_CUBE)
            count = g->n > 30 ? UINT32_MAX : (uint64_t)1 << g->n;
        else if (g->kind == AST_GROUPING_ROLLUP)
            count = g->n + 1;
        else if (g->kind == AST_GROUPING_SETS)
            count = g->n;
        product *= count;
        if (product > INT32_MAX)
            product = INT32_MAX;
        if (product > MAX_GROUPING_SETS)
            return analyze_error_at(first->line, first->column, err, "TOO_MANY_GROUPING_SETS",
                                    "GROUP BY has %llu grouping sets but can contain at most %d",
                                    (unsigned long long)product, MAX_GROUPING_SETS);
    }
    return 0;
}

int select_analyze_group_by(struct select *s, struct err *err)
{
    vec_push_in(s->z->arena, &s->sets, (struct grouping_set){0});
    if (!s->ast->has_group_by)
        return 0;
    int r = check_set_count(s->ast, err);
    for (size_t i = 0; r == 0 && i < s->ast->group_by.n; i++) {
        const struct ast_grouping *g = &s->ast->group_by.items[i];
        struct element_sets e = {0};

        r = g->kind == AST_GROUPING_AUTO ? auto_sets(s, &e, err) : element_sets(s, g, &e, err);
        if (r == 0)
            cross_sets(s, &e);
    }
    if (r < 0 || !s->ast->group_distinct)
        return r;
    size_t kept = 0;
    for (size_t i = 0; i < s->sets.n; i++) {
        bool repeats = false;
        for (size_t k = 0; k < kept; k++)
            repeats = repeats || set_equal(&s->sets.items[k], &s->sets.items[i]);
        if (!repeats)
            s->sets.items[kept++] = s->sets.items[i];
    }
    s->sets.n = kept;
    return 0;
}

/* ---- expressions over the aggregation ---- */

struct regroup {
    struct select *s;
    const struct rel *aggregate;
    bool *is_source; /* by column id, up to ids */
    int ids;
    int depth;              /* of subqueries around the node */
    struct expr *offending; /* a source's column that is not grouped by */
    bool offends_inside;    /* … in a subquery */
};

static bool regroup_visit(void *ctx, struct expr **slot)
{
    struct regroup *g = ctx;
    struct expr *e = *slot;

    for (size_t i = 0; i < g->s->keys.n; i++) {
        const struct expr *key = g->s->keys.items[i];
        if (key->kind == EXPR_CONSTANT || !expr_equal(e, key))
            continue; /* a constant needs no column to stay what it is */
        struct expr *column = expr_column(g->s->z, &g->aggregate->columns[i]);
        column->line = e->line;
        column->column = e->column;
        *slot = column;
        return false;
    }
    if (e->kind == EXPR_COLUMN && e->column_id < g->ids && g->is_source[e->column_id] && !g->offending) {
        g->offending = e;
        g->offends_inside = g->depth > 0;
    }
    if (e->query) {
        for (size_t i = 0; i < e->arg_count; i++)
            expr_walk(&e->args[i], regroup_visit, g);
        g->depth++;
        rel_walk_exprs(e->query, regroup_visit, g);
        g->depth--;
        return false;
    }
    return true;
}

static struct str source_name(const struct select *s, int id)
{
    for (size_t i = 0; i < s->source->n; i++)
        if (s->source->fields[i].column.id == id)
            return s->source->fields[i].column.name;
    return STR_NULL;
}

/* "Subquery uses 'x'", as Trino finds those before it judges the whole expression. */
static int subquery_error(struct regroup *g, struct err *err)
{
    const struct expr *e = g->offending;

    return analyze_error_at(e->line, e->column, err, "EXPRESSION_NOT_AGGREGATE",
                            "Subquery uses '%.*s' which must appear in GROUP BY clause",
                            STR_ARG(source_name(g->s, e->column_id)));
}

static int regroup_expr(struct regroup *g, struct expr **e, const struct ast_expr *ast, struct err *err)
{
    g->offending = NULL;
    expr_walk(e, regroup_visit, g);
    if (!g->offending)
        return 0;
    if (g->offends_inside)
        return subquery_error(g, err);
    return analyze_error(ast, err, "EXPRESSION_NOT_AGGREGATE",
                         "'%.*s' must be an aggregate expression or appear in GROUP BY clause",
                         STR_ARG(analyze_format_expr(g->s->z->arena, ast)));
}

/* An expression within a window's specification, whose text is gone: columns are named. */
static int regroup_part(struct regroup *g, struct expr **e, const char *what, const struct ast_expr *ast,
                        struct err *err)
{
    g->offending = NULL;
    expr_walk(e, regroup_visit, g);
    if (!g->offending)
        return 0;
    if (g->offends_inside)
        return subquery_error(g, err);
    struct str name = g->offending == *e ? source_name(g->s, (*e)->column_id) : STR_NULL;
    if (str_is_null(name))
        name = analyze_format_expr(g->s->z->arena, ast);
    return analyze_error_at((*e)->line, (*e)->column, err, "EXPRESSION_NOT_AGGREGATE",
                            "%s expression '%.*s' must be an aggregate expression or appear in GROUP BY clause", what,
                            STR_ARG(name));
}

static int regroup_offset(struct regroup *g, struct expr **e, const char *what, struct err *err)
{
    if (!*e)
        return 0;
    g->offending = NULL;
    expr_walk(e, regroup_visit, g);
    if (!g->offending)
        return 0;
    return analyze_error_at((*e)->line, (*e)->column, err, "EXPRESSION_NOT_AGGREGATE",
                            "Window frame %s must be an aggregate expression or appear in GROUP BY clause", what);
}

static int regroup_window(struct regroup *g, struct window_call *w, const struct ast_expr *ast, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < w->partition_count; i++)
        r = regroup_part(g, &w->partition[i], "PARTITION BY", ast, err);
    for (size_t i = 0; r == 0 && i < w->order_count; i++)
        r = regroup_part(g, &w->order[i].expr, "ORDER BY", ast, err);
    if (r == 0)
        r = regroup_offset(g, &w->start_offset, "start", err);
    if (r == 0)
        r = regroup_offset(g, &w->end_offset, "end", err);
    for (size_t i = 0; r == 0 && i < w->arg_count; i++)
        r = regroup_expr(g, &w->args[i], ast, err);
    if (r == 0 && w->filter)
        r = regroup_expr(g, &w->filter, ast, err);
    return r;
}

static int regroup_windows(struct regroup *g, size_t from, size_t to, const struct ast_expr *ast, struct err *err)
{
    int r = 0;

    for (size_t i = from; r == 0 && i < to; i++)
        r = regroup_window(g, &g->s->collector.windows[i], ast, err);
    return r;
}

static int regroup_star(struct regroup *g, struct select_item *item, struct err *err)
{
    const struct scope_field *f = item->star;

    g->offending = NULL;
    expr_walk(&item->expr, regroup_visit, g);
    if (!g->offending)
        return 0;
    if (str_is_null(f->column.name))
        return analyze_error_at(0, 0, err, "EXPRESSION_NOT_AGGREGATE", "Column %zu not in GROUP BY clause",
                                (size_t)(f - g->s->source->fields) + 1);
    struct str qualifier = STR_NULL;
    for (size_t i = 0; i < f->qualifier_count; i++)
        qualifier = arena_printf(g->s->z->arena, "%.*s%.*s.", STR_ARG(qualifier), STR_ARG(f->qualifier[i]));
    return analyze_error_at(0, 0, err, "EXPRESSION_NOT_AGGREGATE", "Column '%.*s%.*s' not in GROUP BY clause",
                            STR_ARG(qualifier), STR_ARG(f->column.name));
}

static int regroup_grouping(struct regroup *g, struct expr *e, struct err *err)
{
    for (size_t i = 0; i < e->arg_count; i++) {
        size_t key = 0;
        while (key < g->s->keys.n && !expr_equal(e->args[i], g->s->keys.items[key]))
            key++;
        if (key == g->s->keys.n) {
            struct str name = e->args[i]->kind == EXPR_COLUMN ? source_name(g->s, e->args[i]->column_id)
                                                              : STR("expression");
            return analyze_error_at(e->line, e->column, err, "INVALID_ARGUMENTS",
                                    "The arguments to GROUPING() must be expressions referenced by the GROUP BY at the "
                                    "associated query level. Mismatch due to %.*s.",
                                    STR_ARG(name));
        }
        e->args[i] = expr_column(g->s->z, &g->aggregate->columns[key]);
    }
    if (g->aggregate->aggregate.grouping_id) {
        e->column_id = g->aggregate->aggregate.grouping_id->id;
        return 0;
    }
    /* with a single set every key is in it */
    const struct type *t = e->type;
    e->kind = EXPR_CONSTANT;
    e->type = t;
    e->args = NULL;
    e->arg_count = 0;
    e->constant = (struct constant){0};
    return 0;
}

static struct rel *build_aggregate(struct select *s)
{
    struct rel *a = rel_new(s->z, REL_AGGREGATE);
    size_t keys = s->keys.n, calls = s->collector.aggregate_count;
    bool grouping = s->collector.grouping_count && s->sets.n > 1;

    a->input = s->rel;
    a->columns = arena_array(s->z->arena, struct column, keys + calls + 1);
    a->aggregate.keys = s->keys.items;
    a->aggregate.key_count = keys;
    a->aggregate.sets = s->sets.items;
    a->aggregate.set_count = s->sets.n;
    a->aggregate.aggregates = s->collector.aggregates;
    a->aggregate.aggregate_count = calls;
    for (size_t i = 0; i < keys; i++) {
        const struct expr *key = s->keys.items[i];
        a->columns[i] = column_new(s->z, key->kind == EXPR_COLUMN ? source_name(s, key->column_id) : STR_NULL,
                                   key->type);
    }
    for (size_t i = 0; i < calls; i++)
        a->columns[keys + i] = s->collector.aggregates[i].out;
    a->column_count = keys + calls;
    if (grouping) {
        a->columns[a->column_count] = column_new(s->z, STR_NULL, &type_bigint);
        a->aggregate.grouping_id = &a->columns[a->column_count++];
    }
    return a;
}

int select_aggregate(struct select *s, struct err *err)
{
    struct rel *a = build_aggregate(s);
    struct regroup g = {.s = s, .aggregate = a, .ids = s->z->next_id};
    int r = 0;

    g.is_source = arena_array(s->z->arena, bool, (size_t)g.ids);
    for (size_t i = 0; i < s->rel->column_count; i++)
        g.is_source[s->rel->columns[i].id] = true;
    for (size_t i = 0; r == 0 && i < s->collector.grouping_count; i++)
        r = regroup_grouping(&g, s->collector.groupings[i], err);
    for (size_t i = 0; r == 0 && i < s->item_count; i++) {
        struct select_item *item = &s->items[i];
        if (item->star) {
            r = regroup_star(&g, item, err);
            continue;
        }
        r = regroup_windows(&g, item->window_from, item->window_to, item->ast, err);
        if (r == 0)
            r = regroup_expr(&g, &item->expr, item->ast, err);
    }
    if (r == 0 && s->having)
        r = regroup_expr(&g, &s->having, s->ast->having, err);
    for (size_t i = 0; r == 0 && i < s->order_count; i++) {
        struct select_order *o = &s->order[i];
        r = regroup_windows(&g, o->window_from, o->window_to, o->ast->key, err);
        if (r == 0)
            r = regroup_expr(&g, &o->key, o->ast->key, err);
    }
    if (r < 0)
        return r;
    s->rel = s->having ? rel_filter(s->z, a, s->having) : a;
    return 0;
}
