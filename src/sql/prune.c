/*
 * After binding: scans learn which rows and columns are wanted.
 *
 * Columns: ids are unique in a statement, so one set of used ids is enough. Relations are visited from the root down,
 * each after everything that could read its columns, a WITH query after all its references; what isn't used by then
 * goes. Every scan keeps one column at least, so that no relation in the tree is without any by accident.
 *
 * Rows: conjuncts of WHERE and ON that concern one scan are noted there as well. They are hints for skipping files and
 * partitions and are applied again where they stand, so a side that an outer join fills with nulls gets none from above.
 */
#include "sql/analyze_query.h"

struct pruner {
    struct analyzer *z;
    bool *used; /* by column id, up to ids */
    size_t ids;
};

static void prune_rel(struct pruner *p, struct rel *r);

/* ---- columns ---- */

static void use(struct pruner *p, int id)
{
    if (id >= 0 && (size_t)id < p->ids)
        p->used[id] = true;
}

static void use_all(struct pruner *p, const struct rel *r)
{
    for (size_t i = 0; i < r->column_count; i++)
        use(p, r->columns[i].id);
}

static bool use_visit(void *ctx, struct expr **slot)
{
    struct pruner *p = ctx;
    struct expr *e = *slot;

    if (e->kind == EXPR_COLUMN || e->kind == EXPR_GROUPING)
        use(p, e->column_id);
    if (!e->query)
        return true;
    for (size_t i = 0; i < e->arg_count; i++)
        expr_walk(&e->args[i], use_visit, p);
    use_all(p, e->query);
    prune_rel(p, e->query);
    return false;
}

static void use_expr(struct pruner *p, struct expr *e)
{
    if (e)
        expr_walk(&e, use_visit, p);
}

static void use_exprs(struct pruner *p, struct expr *const *exprs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        use_expr(p, exprs[i]);
}

static void use_keys(struct pruner *p, const struct sort_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        use_expr(p, keys[i].expr);
}

/* How much a column costs to read, roughly; for the one that a scan keeps when none is used. */
static int column_cost(const struct type *t)
{
    switch (t->kind) {
    case TYPE_BOOLEAN:
    case TYPE_TINYINT:
        return 0;
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_DATE:
    case TYPE_REAL:
        return 1;
    case TYPE_BIGINT:
    case TYPE_DOUBLE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ:
        return 2;
    case TYPE_DECIMAL:
        return 3;
    default:
        return 4;
    }
}

static void prune_scan(struct pruner *p, struct rel *r)
{
    size_t n = 0, cheapest = 0;
    bool any = false;

    for (size_t i = 0; i < r->column_count; i++) {
        any = any || p->used[r->columns[i].id];
        if (column_cost(r->columns[i].type) < column_cost(r->columns[cheapest].type))
            cheapest = i;
    }
    for (size_t i = 0; i < r->column_count; i++)
        if (any ? p->used[r->columns[i].id] : i == cheapest) {
            r->columns[n] = r->columns[i];
            r->scan.table_columns[n++] = r->scan.table_columns[i];
        }
    r->column_count = n;
}

static void prune_project(struct pruner *p, struct rel *r)
{
    struct column *columns = arena_array(p->z->arena, struct column, r->column_count);
    struct expr **exprs = arena_array(p->z->arena, struct expr *, r->column_count);
    size_t n = 0;

    for (size_t i = 0; i < r->column_count; i++)
        if (p->used[r->columns[i].id]) {
            columns[n] = r->columns[i];
            exprs[n++] = r->exprs[i];
        }
    if (n == 0 && r->column_count) {
        columns[0] = r->columns[0];
        columns[0].type = &type_boolean;
        exprs[0] = expr_new(p->z, EXPR_CONSTANT, &type_boolean, NULL);
        exprs[0]->constant.i = 1;
        n = 1;
    }
    r->columns = columns;
    r->exprs = exprs;
    r->column_count = n;
    use_exprs(p, exprs, n);
}

static void use_aggregate(struct pruner *p, const struct aggregate *a)
{
    use_exprs(p, a->args, a->arg_count);
    use_expr(p, a->filter);
    use_keys(p, a->order, a->order_count);
}

static void prune_aggregate(struct pruner *p, struct rel *r)
{
    size_t keys = r->aggregate.key_count, n = 0;
    struct column *columns = arena_array(p->z->arena, struct column, r->column_count);
    struct column *id = r->aggregate.grouping_id;

    if (keys)
        memcpy(columns, r->columns, keys * sizeof(*columns));
    for (size_t i = 0; i < r->aggregate.aggregate_count; i++) {
        const struct aggregate *a = &r->aggregate.aggregates[i];
        /* one stays where nothing else would */
        bool last = keys == 0 && n == 0 && !id && i + 1 == r->aggregate.aggregate_count;
        if (!p->used[a->out.id] && !last)
            continue;
        columns[keys + n] = a->out;
        r->aggregate.aggregates[n++] = *a;
        use_aggregate(p, a);
    }
    r->aggregate.aggregate_count = n;
    r->column_count = keys + n;
    r->columns = columns;
    if (id) {
        columns[r->column_count] = *id;
        r->aggregate.grouping_id = &columns[r->column_count++];
    }
    use_exprs(p, r->aggregate.keys, keys);
}

static void prune_window(struct pruner *p, struct rel *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->window.call_count; i++) {
        const struct window_call *w = &r->window.calls[i];
        if (!p->used[w->out.id])
            continue;
        use_exprs(p, w->args, w->arg_count);
        use_expr(p, w->filter);
        use_exprs(p, w->partition, w->partition_count);
        use_keys(p, w->order, w->order_count);
        use_expr(p, w->start_offset);
        use_expr(p, w->end_offset);
        r->window.calls[n++] = *w;
    }
    r->window.call_count = n;
}

static void prune_reference(struct pruner *p, struct rel *r)
{
    size_t n = 0;
    bool any = false;

    for (size_t i = 0; i < r->column_count; i++)
        any = any || p->used[r->columns[i].id];
    for (size_t i = 0; i < r->column_count; i++)
        if (any ? p->used[r->columns[i].id] : i == 0) {
            use(p, r->ref.source_ids[i]);
            r->columns[n] = r->columns[i];
            r->ref.source_ids[n++] = r->ref.source_ids[i];
        }
    r->column_count = n;
}

/* What `r` itself reads; its inputs come after. */
static void prune_own(struct pruner *p, struct rel *r)
{
    switch (r->kind) {
    case REL_SCAN:
        prune_scan(p, r);
        break;
    case REL_VALUES:
        for (size_t i = 0; i < r->values.row_count; i++)
            use_exprs(p, r->values.rows[i], r->column_count);
        break;
    case REL_FILTER:
        use_expr(p, r->predicate);
        break;
    case REL_PROJECT:
        prune_project(p, r);
        break;
    case REL_AGGREGATE:
        prune_aggregate(p, r);
        break;
    case REL_WINDOW:
        prune_window(p, r);
        break;
    case REL_JOIN:
        use_expr(p, r->join.on);
        break;
    case REL_UNNEST:
        use_exprs(p, r->unnest.exprs, r->unnest.expr_count);
        break;
    case REL_SET_OP: /* by position */
        use_all(p, r->input);
        use_all(p, r->right);
        break;
    case REL_SORT:
        use_keys(p, r->sort.keys, r->sort.key_count);
        break;
    case REL_LIMIT:
        break;
    case REL_DISTINCT:
        use_all(p, r->input);
        break;
    case REL_CTE:
        prune_reference(p, r);
        break;
    }
}

static void prune_rel(struct pruner *p, struct rel *r)
{
    prune_own(p, r);
    if (r->right) /* first: a lateral side reads the left one's columns */
        prune_rel(p, r->right);
    if (r->input)
        prune_rel(p, r->input);
    rel_derive_columns(p->z, r);
    for (size_t i = r->cte_count; i-- > 0;) {
        struct cte *c = r->ctes[i];
        if (c->recursive) {
            use_all(p, c->query);
            use_all(p, c->step);
            prune_rel(p, c->step);
        }
        prune_rel(p, c->query);
    }
}

/* ---- rows ---- */

struct hint {
    struct analyzer *z;
    const struct rel *rel; /* whose columns it may read */
    bool fits;
    struct rel *mapped; /* a projection through which it is moved */
};

static bool hint_fits_visit(void *ctx, struct expr **slot)
{
    struct hint *h = ctx;
    const struct expr *e = *slot;
    bool found = false;

    if (e->query || e->kind == EXPR_LAMBDA || e->kind == EXPR_GROUPING)
        h->fits = false;
    if (e->kind != EXPR_COLUMN)
        return h->fits;
    for (size_t i = 0; i < h->rel->column_count; i++)
        if (h->rel->columns[i].id == e->column_id)
            found = !h->mapped || h->mapped->exprs[i]->kind == EXPR_COLUMN;
    h->fits = h->fits && found;
    return h->fits;
}

static bool hint_fits(struct analyzer *z, struct expr *e, const struct rel *r, struct rel *mapped)
{
    struct hint h = {.z = z, .rel = r, .fits = true, .mapped = mapped};

    expr_walk(&e, hint_fits_visit, &h);
    return h.fits;
}

/* A copy of `e` with a projection's columns replaced by what they stand for. */
static struct expr *hint_through(struct analyzer *z, const struct expr *e, const struct rel *project)
{
    if (e->kind == EXPR_COLUMN) {
        for (size_t i = 0; i < project->column_count; i++)
            if (project->columns[i].id == e->column_id)
                return project->exprs[i];
    }
    struct expr *copy = arena_new(z->arena, struct expr);
    *copy = *e;
    copy->args = arena_array(z->arena, struct expr *, e->arg_count);
    for (size_t i = 0; i < e->arg_count; i++)
        copy->args[i] = hint_through(z, e->args[i], project);
    return copy;
}

static void add_hint(struct analyzer *z, struct rel *scan, struct expr *e)
{
    struct expr **all = arena_array(z->arena, struct expr *, scan->scan.conjunct_count + 1);

    if (scan->scan.conjunct_count)
        memcpy(all, scan->scan.conjuncts, scan->scan.conjunct_count * sizeof(struct expr *));
    all[scan->scan.conjunct_count++] = e;
    scan->scan.conjuncts = all;
}

static void push_hint(struct analyzer *z, struct rel *r, struct expr *e)
{
    for (;;) {
        if (!hint_fits(z, e, r, r->kind == REL_PROJECT ? r : NULL))
            return;
        switch (r->kind) {
        case REL_SCAN:
            add_hint(z, r, e);
            return;
        case REL_PROJECT:
            e = hint_through(z, e, r);
            r = r->input;
            break;
        case REL_FILTER:
        case REL_SORT:
        case REL_DISTINCT:
        case REL_UNNEST:
            if (!r->input)
                return;
            r = r->input;
            break;
        case REL_JOIN:
            if (r->join.join != JOIN_RIGHT && r->join.join != JOIN_FULL && hint_fits(z, e, r->input, NULL))
                r = r->input;
            else if (r->join.join != JOIN_LEFT && r->join.join != JOIN_FULL && hint_fits(z, e, r->right, NULL))
                r = r->right;
            else
                return;
            break;
        default:
            return;
        }
    }
}

typedef void (*conjunct_fn)(struct analyzer *z, struct rel *r, struct expr *e);

static void each_conjunct(struct analyzer *z, struct rel *r, struct expr *e, conjunct_fn fn)
{
    if (e->kind == EXPR_AND) {
        for (size_t i = 0; i < e->arg_count; i++)
            each_conjunct(z, r, e->args[i], fn);
        return;
    }
    if (expr_is_deterministic(e))
        fn(z, r, e);
}

static void hint_on(struct analyzer *z, struct rel *join, struct expr *e)
{
    if (join->join.join == JOIN_INNER || join->join.join == JOIN_RIGHT)
        push_hint(z, join->input, e);
    if (join->join.join == JOIN_INNER || join->join.join == JOIN_LEFT)
        push_hint(z, join->right, e);
}

static void hint_rel(struct analyzer *z, struct rel *r);

static bool hint_queries(void *ctx, struct expr **slot)
{
    struct analyzer *z = ctx;

    if ((*slot)->query) {
        for (size_t i = 0; i < (*slot)->arg_count; i++)
            expr_walk(&(*slot)->args[i], hint_queries, z);
        hint_rel(z, (*slot)->query);
        return false;
    }
    return true;
}

static void hint_rel(struct analyzer *z, struct rel *r)
{
    if (r->kind == REL_FILTER) {
        each_conjunct(z, r->input, r->predicate, push_hint);
        expr_walk(&r->predicate, hint_queries, z);
    } else if (r->kind == REL_JOIN && r->join.on) {
        each_conjunct(z, r, r->join.on, hint_on);
        expr_walk(&r->join.on, hint_queries, z);
    } else if (r->kind == REL_PROJECT) {
        for (size_t i = 0; i < r->column_count; i++)
            expr_walk(&r->exprs[i], hint_queries, z);
    }
    if (r->input)
        hint_rel(z, r->input);
    if (r->right)
        hint_rel(z, r->right);
    for (size_t i = 0; i < r->cte_count; i++) {
        hint_rel(z, r->ctes[i]->query);
        if (r->ctes[i]->step)
            hint_rel(z, r->ctes[i]->step);
    }
}

void prune_statement(struct analyzer *z, struct statement *s)
{
    struct rel *root = s->query ? s->query : s->delete_source;

    if (!root)
        return;
    struct pruner p = {.z = z, .ids = (size_t)z->next_id};

    p.used = arena_array(z->arena, bool, p.ids);
    use_all(&p, root);
    prune_rel(&p, root);
    hint_rel(z, root);
}
