/*
 * Relations. Each becomes one SELECT block, and blocks that SQL can say in one are joined: a projection takes the
 * filters and the sort below it. Columns are called c<id> everywhere; a subquery in FROM is called t<n> because it has to
 * have a name. DuckDB flattens the nesting that is left when it plans.
 */
#include "emit/emitter.h"
#include "sql/connector.h"

static int emit_from(struct emitter *e, const struct rel *r);

static void add_alias(struct emitter *e)
{
    buf_addf(e->to, " AS t%d", e->next_alias++);
}

static void add_columns(struct emitter *e, const struct rel *r)
{
    if (r->column_count == 0)
        buf_add_cstr(e->to, "true AS dummy");
    for (size_t i = 0; i < r->column_count; i++)
        buf_addf(e->to, "%sc%d", i > 0 ? ", " : "", r->columns[i].id);
}

static int emit_exprs(struct emitter *e, struct expr *const *exprs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int rc;

        if (i > 0)
            buf_add_cstr(e->to, ", ");
        rc = emit_expression(e, exprs[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- values ---- */

static bool is_one_empty_row(const struct rel *r)
{
    return r->kind == REL_VALUES && r->column_count == 0 && r->values.row_count == 1;
}

static int emit_no_rows(struct emitter *e, const struct rel *r)
{
    buf_add_cstr(e->to, "SELECT ");
    if (r->column_count == 0)
        buf_add_cstr(e->to, "true AS dummy");
    for (size_t i = 0; i < r->column_count; i++) {
        buf_addf(e->to, "%sCAST(NULL AS ", i > 0 ? ", " : "");
        emit_type(e, r->columns[i].type);
        buf_addf(e->to, ") AS c%d", r->columns[i].id);
    }
    buf_add_cstr(e->to, " WHERE false");
    return 0;
}

/* One row is a SELECT: its expressions may refer to outer columns, which a VALUES list can't in every place. */
static int emit_values(struct emitter *e, const struct rel *r)
{
    if (r->values.row_count == 0)
        return emit_no_rows(e, r);
    buf_add_cstr(e->to, "SELECT ");
    add_columns(e, r);
    buf_add_cstr(e->to, " FROM (VALUES ");
    for (size_t row = 0; row < r->values.row_count; row++) {
        int rc;

        buf_add_cstr(e->to, row > 0 ? ", (" : "(");
        if (r->column_count == 0)
            buf_add_cstr(e->to, "true");
        rc = emit_exprs(e, r->values.rows[row], r->column_count);
        if (rc < 0)
            return rc;
        buf_add_char(e->to, ')');
    }
    buf_addf(e->to, ") AS t%d(", e->next_alias++);
    if (r->column_count == 0)
        buf_add_cstr(e->to, "c");
    for (size_t i = 0; i < r->column_count; i++)
        buf_addf(e->to, "%sc%d", i > 0 ? ", " : "", r->columns[i].id);
    buf_add_char(e->to, ')');
    return 0;
}

/* ---- FROM items ---- */

static int emit_scan(struct emitter *e, const struct rel *r)
{
    struct str from;
    int rc;

    if (!e->scans)
        return err_set(e->err, ERR_INTERNAL, "a scan where there is none to plan it");
    rc = e->scans->plan(e->scans->ctx, r, &from, e->err);
    if (rc < 0)
        return rc;
    buf_add_str(e->to, from);
    add_alias(e);
    return 0;
}

static const char *join_text(enum join_kind join)
{
    switch (join) {
    case JOIN_INNER:
        return " JOIN ";
    case JOIN_LEFT:
        return " LEFT JOIN ";
    case JOIN_RIGHT:
        return " RIGHT JOIN ";
    case JOIN_FULL:
        return " FULL JOIN ";
    case JOIN_CROSS:
        return " CROSS JOIN ";
    }
    return NULL;
}

static int emit_join(struct emitter *e, const struct rel *r)
{
    bool is_nested = r->right->kind == REL_JOIN && r->right->cte_count == 0;
    int rc = emit_from(e, r->input);

    if (rc < 0)
        return rc;
    buf_add_cstr(e->to, r->join.join == JOIN_INNER && !r->join.on ? " CROSS JOIN " : join_text(r->join.join));
    if (r->join.lateral)
        buf_add_cstr(e->to, "LATERAL ");
    if (r->join.lateral && r->right->kind != REL_PROJECT) {
        buf_add_char(e->to, '(');
        rc = emit_relation(e, r->right);
        buf_add_char(e->to, ')');
        add_alias(e);
    } else {
        if (is_nested)
            buf_add_char(e->to, '(');
        rc = emit_from(e, r->right);
        if (is_nested)
            buf_add_char(e->to, ')');
    }
    if (rc < 0 || r->join.join == JOIN_CROSS)
        return rc;
    if (r->join.on) {
        buf_add_cstr(e->to, " ON ");
        return emit_expression(e, r->join.on);
    }
    if (r->join.join != JOIN_INNER)
        buf_add_cstr(e->to, " ON true");
    return 0;
}

static int emit_from(struct emitter *e, const struct rel *r)
{
    int rc = emit_enter(e);

    if (rc < 0)
        return rc;
    if (r->kind == REL_SCAN && r->cte_count == 0) {
        rc = emit_scan(e, r);
    } else if (r->kind == REL_JOIN && r->cte_count == 0) {
        rc = emit_join(e, r);
    } else {
        buf_add_char(e->to, '(');
        rc = emit_relation(e, r);
        buf_add_char(e->to, ')');
        add_alias(e);
    }
    e->depth--;
    return rc;
}

/* ---- blocks ---- */

/* A predicate that is NULL by type is of type unknown, held as INTEGER: WHERE needs a boolean. */
static int emit_predicate(struct emitter *e, const struct expr *x)
{
    int rc;

    if (x->type->kind == TYPE_BOOLEAN)
        return emit_expression(e, x);
    buf_add_cstr(e->to, "CAST(");
    rc = emit_expression(e, x);
    buf_add_cstr(e->to, " AS BOOLEAN)");
    return rc;
}

static bool is_plain(const struct rel *r, enum rel_kind kind)
{
    return r && r->kind == kind && r->cte_count == 0;
}

/* " FROM … WHERE …" for what is below a block: filters right below go into WHERE. */
static int emit_source(struct emitter *e, const struct rel *r)
{
    const struct rel *source = r;
    bool is_first = true;
    int rc = 0;

    while (is_plain(source, REL_FILTER))
        source = source->input;
    if (!is_one_empty_row(source)) {
        buf_add_cstr(e->to, " FROM ");
        rc = emit_from(e, source);
    }
    for (; rc == 0 && r != source; r = r->input) {
        buf_add_cstr(e->to, is_first ? " WHERE " : " AND ");
        is_first = false;
        rc = emit_predicate(e, r->predicate);
    }
    return rc;
}

int emit_sort_keys(struct emitter *e, const struct sort_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct expr *x = keys[i].expr;
        int rc;

        if (i > 0)
            buf_add_cstr(e->to, ", ");
        /* A bare number would be an ordinal. */
        if (x->kind == EXPR_CONSTANT)
            buf_add_cstr(e->to, "(SELECT ");
        rc = emit_expression(e, x);
        if (x->kind == EXPR_CONSTANT)
            buf_add_char(e->to, ')');
        if (rc < 0)
            return rc;
        buf_add_cstr(e->to, keys[i].descending ? " DESC" : " ASC");
        buf_add_cstr(e->to, keys[i].nulls_first ? " NULLS FIRST" : " NULLS LAST");
    }
    return 0;
}

static int emit_order_by(struct emitter *e, const struct rel *sort)
{
    if (sort->sort.key_count == 0)
        return 0;
    buf_add_cstr(e->to, " ORDER BY ");
    return emit_sort_keys(e, sort->sort.keys, sort->sort.key_count);
}

/* A projection over a sort is one block, whose ORDER BY may use what isn't projected. */
static int emit_project(struct emitter *e, const struct rel *r)
{
    const struct rel *sort = is_plain(r->input, REL_SORT) ? r->input : NULL;
    int rc;

    buf_add_cstr(e->to, "SELECT ");
    if (r->column_count == 0)
        buf_add_cstr(e->to, "true AS dummy");
    for (size_t i = 0; i < r->column_count; i++) {
        if (i > 0)
            buf_add_cstr(e->to, ", ");
        rc = emit_expression(e, r->exprs[i]);
        if (rc < 0)
            return rc;
        buf_addf(e->to, " AS c%d", r->columns[i].id);
    }
    rc = emit_source(e, sort ? sort->input : r->input);
    return rc == 0 && sort ? emit_order_by(e, sort) : rc;
}

static int emit_passing(struct emitter *e, const struct rel *r, const struct rel *source)
{
    buf_add_cstr(e->to, "SELECT ");
    add_columns(e, r);
    return emit_source(e, source);
}

static int emit_sort(struct emitter *e, const struct rel *r)
{
    int rc;

    if (is_plain(r->input, REL_PROJECT) && !is_plain(r->input->input, REL_SORT))
        rc = emit_project(e, r->input);
    else
        rc = emit_passing(e, r, r->input);
    return rc < 0 ? rc : emit_order_by(e, r);
}

/* ---- limits ---- */

static int emit_limit_clauses(struct emitter *e, const struct rel *r)
{
    int rc = 0;

    if (r->limit.count) {
        buf_add_cstr(e->to, " LIMIT ");
        rc = emit_expression(e, r->limit.count);
    }
    if (rc == 0 && r->limit.offset) {
        buf_add_cstr(e->to, " OFFSET ");
        rc = emit_expression(e, r->limit.offset);
    }
    return rc;
}

/* FETCH FIRST n ROWS WITH TIES: the rows whose rank in the sort's order is among the first n after the offset. */
static int emit_limit_with_ties(struct emitter *e, const struct rel *r)
{
    const struct rel *sort = r->input;
    int rank = e->next_alias++;
    int rc;

    if (sort->kind != REL_SORT)
        return err_set(e->err, ERR_INTERNAL, "WITH TIES has no sort below it");
    buf_add_cstr(e->to, "SELECT ");
    add_columns(e, r);
    buf_addf(e->to, " FROM (SELECT *, rank() OVER (");
    rc = emit_order_by(e, sort);
    buf_addf(e->to, ") AS rank%d FROM (", rank);
    if (rc == 0)
        rc = emit_relation(e, sort);
    if (rc == 0 && r->limit.offset) {
        buf_add_cstr(e->to, " OFFSET ");
        rc = emit_expression(e, r->limit.offset);
    }
    buf_add_char(e->to, ')');
    add_alias(e);
    buf_add_char(e->to, ')');
    add_alias(e);
    if (rc == 0) {
        buf_addf(e->to, " WHERE rank%d <= ", rank);
        rc = emit_expression(e, r->limit.count);
    }
    return rc < 0 ? rc : emit_order_by(e, sort);
}

static int emit_limit(struct emitter *e, const struct rel *r)
{
    int rc;

    if (r->limit.with_ties)
        return emit_limit_with_ties(e, r);
    if (is_plain(r->input, REL_SORT))
        rc = emit_sort(e, r->input);
    else if (is_plain(r->input, REL_PROJECT))
        rc = emit_project(e, r->input);
    else
        rc = emit_passing(e, r, r->input);
    return rc < 0 ? rc : emit_limit_clauses(e, r);
}

static int emit_distinct(struct emitter *e, const struct rel *r)
{
    buf_add_cstr(e->to, "SELECT DISTINCT ");
    add_columns(e, r);
    return emit_source(e, r->input);
}

/* ---- aggregations ---- */

static int emit_aggregate_call(struct emitter *e, const struct aggregate *g)
{
    struct operand *args = arena_array(e->a, struct operand, g->arg_count + 1);
    struct call c = {.function = g->function,
                     .args = args,
                     .arg_count = g->arg_count,
                     .result = g->out.type,
                     .distinct = g->distinct,
                     .filter = g->filter,
                     .order = g->order,
                     .order_count = g->order_count};
    int rc;

    for (size_t i = 0; i < g->arg_count; i++)
        args[i] = operand_of(g->args[i]);
    rc = emit_call(e, &c);
    buf_addf(e->to, " AS c%d", g->out.id);
    return rc;
}

static bool same_set(const struct grouping_set *x, const struct grouping_set *y)
{
    return x->n == y->n && (x->n == 0 || memcmp(x->keys, y->keys, x->n * sizeof(*x->keys)) == 0);
}

static bool is_repeated(const struct rel *r, size_t set)
{
    for (size_t i = 0; r->aggregate.sets_distinct && i < set; i++) {
        if (same_set(&r->aggregate.sets[i], &r->aggregate.sets[set]))
            return true;
    }
    return false;
}

static void add_set(struct emitter *e, const struct rel *r, const struct grouping_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        buf_addf(e->to, "%sc%d", i > 0 ? ", " : "", r->columns[set->keys[i]].id);
}

/* The keys are named by their output columns. */
static void add_group_by(struct emitter *e, const struct rel *r)
{
    bool is_first = true;

    if (r->aggregate.key_count == 0 && r->aggregate.set_count <= 1)
        return;
    if (r->aggregate.set_count == 1) {
        if (r->aggregate.sets[0].n > 0) {
            buf_add_cstr(e->to, " GROUP BY ");
            add_set(e, r, &r->aggregate.sets[0]);
        }
        return;
    }
    buf_add_cstr(e->to, " GROUP BY GROUPING SETS (");
    for (size_t i = 0; i < r->aggregate.set_count; i++) {
        if (is_repeated(r, i))
            continue;
        buf_add_cstr(e->to, is_first ? "(" : ", (");
        is_first = false;
        add_set(e, r, &r->aggregate.sets[i]);
        buf_add_char(e->to, ')');
    }
    buf_add_char(e->to, ')');
}

static void add_grouping_id(struct emitter *e, const struct rel *r)
{
    buf_add_cstr(e->to, "GROUPING(");
    for (size_t i = 0; i < r->aggregate.key_count; i++)
        buf_addf(e->to, "%sc%d", i > 0 ? ", " : "", r->columns[i].id);
    buf_addf(e->to, ") AS c%d", r->aggregate.grouping_id->id);
}

/* Keys that are more than columns are computed below: GROUP BY names them, and a constant is no ordinal there. */
static bool has_simple_keys(const struct rel *r)
{
    for (size_t i = 0; i < r->aggregate.key_count; i++) {
        if (r->aggregate.keys[i]->kind != EXPR_COLUMN)
            return false;
    }
    return true;
}

static int emit_keyed_source(struct emitter *e, const struct rel *r)
{
    int rc;

    if (has_simple_keys(r))
        return emit_source(e, r->input);
    buf_add_cstr(e->to, " FROM (SELECT ");
    for (size_t i = 0; i < r->aggregate.key_count; i++) {
        rc = emit_expression(e, r->aggregate.keys[i]);
        if (rc < 0)
            return rc;
        buf_addf(e->to, " AS k%d, ", r->columns[i].id);
    }
    add_columns(e, r->input);
    rc = emit_source(e, r->input);
    buf_add_char(e->to, ')');
    add_alias(e);
    return rc;
}

static int emit_aggregate(struct emitter *e, const struct rel *r)
{
    bool is_simple = has_simple_keys(r), is_first = true;
    int rc;

    buf_add_cstr(e->to, "SELECT ");
    for (size_t i = 0; i < r->aggregate.key_count; i++) {
        buf_addf(e->to, is_first ? "" : ", ");
        is_first = false;
        if (is_simple)
            buf_addf(e->to, "c%d AS c%d", r->aggregate.keys[i]->column_id, r->columns[i].id);
        else
            buf_addf(e->to, "k%d AS c%d", r->columns[i].id, r->columns[i].id);
    }
    for (size_t i = 0; i < r->aggregate.aggregate_count; i++) {
        buf_addf(e->to, is_first ? "" : ", ");
        is_first = false;
        rc = emit_aggregate_call(e, &r->aggregate.aggregates[i]);
        if (rc < 0)
            return rc;
    }
    if (r->aggregate.grouping_id) {
        buf_addf(e->to, is_first ? "" : ", ");
        is_first = false;
        if (r->aggregate.set_count > 1)
            add_grouping_id(e, r);
        else
            buf_addf(e->to, "CAST(0 AS BIGINT) AS c%d", r->aggregate.grouping_id->id);
    }
    if (is_first) /* a global aggregation without aggregates is one row whatever the input */
        buf_add_cstr(e->to, "count(*) AS dummy");
    rc = emit_keyed_source(e, r);
    if (rc == 0)
        add_group_by(e, r);
    return rc;
}

/* ---- windows ---- */

static int emit_window(struct emitter *e, const struct rel *r)
{
    buf_add_cstr(e->to, "SELECT ");
    for (size_t i = 0; i < r->input->column_count; i++)
        buf_addf(e->to, "%sc%d", i > 0 ? ", " : "", r->input->columns[i].id);
    for (size_t i = 0; i < r->window.call_count; i++) {
        const struct window_call *w = &r->window.calls[i];
        struct operand *args = arena_array(e->a, struct operand, w->arg_count + 1);
        struct call c = {.function = w->function,
                         .args = args,
                         .arg_count = w->arg_count,
                         .result = w->out.type,
                         .distinct = w->distinct,
                         .ignore_nulls = w->ignore_nulls,
                         .filter = w->filter,
                         .window = w};
        int rc;

        for (size_t j = 0; j < w->arg_count; j++)
            args[j] = operand_of(w->args[j]);
        if (i > 0 || r->input->column_count > 0)
            buf_add_cstr(e->to, ", ");
        rc = emit_call(e, &c);
        if (rc < 0)
            return rc;
        buf_addf(e->to, " AS c%d", w->out.id);
    }
    return emit_source(e, r->input);
}

/* ---- UNNEST ---- */

static size_t unnested_columns(const struct type *t)
{
    if (t->kind == TYPE_MAP)
        return 2;
    if (t->kind == TYPE_ARRAY && t->element->kind == TYPE_ROW)
        return t->element->field_count;
    return 1;
}

static int emit_lengths(struct emitter *e, const struct rel *r)
{
    buf_add_cstr(e->to, "greatest(0");
    for (size_t i = 0; i < r->unnest.expr_count; i++) {
        int rc;

        buf_add_cstr(e->to, r->unnest.exprs[i]->type->kind == TYPE_MAP ? ", coalesce(cardinality(" : ", coalesce(len(");
        rc = emit_expression(e, r->unnest.exprs[i]);
        if (rc < 0)
            return rc;
        buf_add_cstr(e->to, "), 0)");
    }
    buf_add_char(e->to, ')');
    return 0;
}

/* The list to unnest; with LEFT, one NULL when all of the row's lists are empty, so that the row stays. */
static int emit_unnested_list(struct emitter *e, const struct rel *r, size_t i)
{
    const struct expr *x = r->unnest.exprs[i];
    bool is_map = x->type->kind == TYPE_MAP;
    int rc = 0;

    buf_add_cstr(e->to, "unnest(");
    if (r->unnest.left) {
        buf_add_cstr(e->to, "CASE WHEN ");
        rc = emit_lengths(e, r);
        buf_add_cstr(e->to, " = 0 THEN [NULL] ELSE ");
    }
    if (is_map)
        buf_add_cstr(e->to, "map_entries(");
    if (rc == 0)
        rc = emit_expression(e, x);
    if (is_map)
        buf_add_char(e->to, ')');
    if (r->unnest.left)
        buf_add_cstr(e->to, " END");
    buf_addf(e->to, ") AS u%zu", i);
    return rc;
}

static int emit_ordinality(struct emitter *e, const struct rel *r)
{
    int rc = 0;

    buf_add_cstr(e->to, "unnest(");
    if (r->unnest.left) {
        buf_add_cstr(e->to, "CASE WHEN ");
        rc = emit_lengths(e, r);
        buf_add_cstr(e->to, " = 0 THEN [NULL] ELSE ");
    }
    buf_add_cstr(e->to, "range(1, 1 + ");
    if (rc == 0)
        rc = emit_lengths(e, r);
    buf_add_cstr(e->to, r->unnest.left ? ") END) AS ordinality" : ")) AS ordinality");
    return rc;
}

static void add_unnested_columns(struct emitter *e, const struct rel *r)
{
    size_t at = r->input ? r->input->column_count : 0;

    for (size_t i = 0; i < at; i++)
        buf_addf(e->to, "c%d, ", r->input->columns[i].id);
    for (size_t i = 0; i < r->unnest.expr_count; i++) {
        const struct type *t = r->unnest.exprs[i]->type;
        size_t n = unnested_columns(t);

        for (size_t j = 0; j < n && at < r->column_count; j++, at++) {
            const char *between = i + j > 0 ? ", " : "";
            int id = r->columns[at].id;

            if (t->kind == TYPE_MAP)
                buf_addf(e->to, "%sstruct_extract(u%zu, '%s') AS c%d", between, i, j == 0 ? "key" : "value", id);
            else if (t->element->kind == TYPE_ROW)
                buf_addf(e->to, "%sstruct_extract(u%zu, 'f%zu') AS c%d", between, i, j, id);
            else
                buf_addf(e->to, "%su%zu AS c%d", between, i, id);
        }
    }
    if (r->unnest.with_ordinality && at < r->column_count)
        buf_addf(e->to, ", CAST(ordinality AS BIGINT) AS c%d", r->columns[at].id);
}

/* DuckDB's unnest in a SELECT list repeats the row for each element, drops it where there is none, and pads
 * shorter lists with NULL: that is CROSS JOIN UNNEST without a join. */
static int emit_unnest(struct emitter *e, const struct rel *r)
{
    int rc = 0;

    buf_add_cstr(e->to, "SELECT ");
    add_unnested_columns(e, r);
    buf_add_cstr(e->to, " FROM (SELECT ");
    for (size_t i = 0; r->input && i < r->input->column_count; i++)
        buf_addf(e->to, "c%d, ", r->input->columns[i].id);
    for (size_t i = 0; i < r->unnest.expr_count; i++) {
        if (i > 0)
            buf_add_cstr(e->to, ", ");
        rc = emit_unnested_list(e, r, i);
        if (rc < 0)
            return rc;
    }
    if (r->unnest.with_ordinality) {
        buf_add_cstr(e->to, ", ");
        rc = emit_ordinality(e, r);
    }
    if (rc == 0 && r->input)
        rc = emit_source(e, r->input);
    buf_add_char(e->to, ')');
    add_alias(e);
    return rc;
}

/* ---- set operations ---- */

static int emit_set_op(struct emitter *e, const struct rel *r)
{
    static const char *const texts[] = {[SET_UNION] = "UNION", [SET_INTERSECT] = "INTERSECT", [SET_EXCEPT] = "EXCEPT"};
    int rc;

    buf_add_cstr(e->to, "(SELECT ");
    for (size_t i = 0; i < r->column_count; i++)
        buf_addf(e->to, "%sc%d AS c%d", i > 0 ? ", " : "", r->input->columns[i].id, r->columns[i].id);
    if (r->column_count == 0)
        buf_add_cstr(e->to, "true AS dummy");
    buf_add_cstr(e->to, " FROM (");
    rc = emit_relation(e, r->input);
    buf_add_char(e->to, ')');
    add_alias(e);
    buf_addf(e->to, ") %s%s (", texts[r->set.op], r->set.all ? " ALL" : "");
    if (rc == 0)
        rc = emit_relation(e, r->right);
    buf_add_char(e->to, ')');
    return rc;
}

/* ---- WITH ---- */

static int emit_cte_reference(struct emitter *e, const struct rel *r)
{
    buf_add_cstr(e->to, "SELECT ");
    if (r->column_count == 0)
        buf_add_cstr(e->to, "true AS dummy");
    for (size_t i = 0; i < r->column_count; i++)
        buf_addf(e->to, "%sc%d AS c%d", i > 0 ? ", " : "", r->ref.source_ids[i], r->columns[i].id);
    buf_addf(e->to, " FROM cte%d", r->ref.cte->id);
    return 0;
}

static int emit_cte(struct emitter *e, const struct cte *cte)
{
    int rc;

    buf_addf(e->to, "cte%d", cte->id);
    if (cte->recursive) {
        buf_add_char(e->to, '(');
        for (size_t i = 0; i < cte->query->column_count; i++)
            buf_addf(e->to, "%sc%d", i > 0 ? ", " : "", cte->query->columns[i].id);
        buf_add_char(e->to, ')');
    }
    buf_add_cstr(e->to, " AS (");
    if (cte->recursive)
        buf_add_char(e->to, '(');
    rc = emit_relation(e, cte->query);
    if (rc == 0 && cte->recursive) {
        buf_add_cstr(e->to, cte->step_all ? ") UNION ALL (" : ") UNION (");
        rc = emit_relation(e, cte->step);
        buf_add_char(e->to, ')');
    }
    buf_add_char(e->to, ')');
    return rc;
}

static int emit_ctes(struct emitter *e, const struct rel *r)
{
    bool is_recursive = false;

    for (size_t i = 0; i < r->cte_count; i++)
        is_recursive = is_recursive || r->ctes[i]->recursive;
    buf_add_cstr(e->to, is_recursive ? "WITH RECURSIVE " : "WITH ");
    for (size_t i = 0; i < r->cte_count; i++) {
        int rc;

        if (i > 0)
            buf_add_cstr(e->to, ", ");
        rc = emit_cte(e, r->ctes[i]);
        if (rc < 0)
            return rc;
    }
    buf_add_char(e->to, ' ');
    return 0;
}

/* ---- any relation ---- */

static int emit_any(struct emitter *e, const struct rel *r)
{
    switch (r->kind) {
    case REL_SCAN:
    case REL_JOIN: {
        struct rel bare = *r;

        bare.cte_count = 0; /* they are written already */
        return emit_passing(e, r, &bare);
    }
    case REL_VALUES:
        return emit_values(e, r);
    case REL_FILTER: {
        struct rel bare = *r;

        bare.cte_count = 0;
        return emit_passing(e, r, &bare);
    }
    case REL_PROJECT:
        return emit_project(e, r);
    case REL_AGGREGATE:
        return emit_aggregate(e, r);
    case REL_WINDOW:
        return emit_window(e, r);
    case REL_UNNEST:
        return emit_unnest(e, r);
    case REL_SET_OP:
        return emit_set_op(e, r);
    case REL_SORT:
        return emit_sort(e, r);
    case REL_LIMIT:
        return emit_limit(e, r);
    case REL_DISTINCT:
        return emit_distinct(e, r);
    case REL_CTE:
        return emit_cte_reference(e, r);
    }
    return err_set(e->err, ERR_INTERNAL, "a relation of unknown kind %d", (int)r->kind);
}

int emit_relation(struct emitter *e, const struct rel *r)
{
    int rc = emit_enter(e);

    if (rc == 0 && r->cte_count > 0)
        rc = emit_ctes(e, r);
    if (rc == 0)
        rc = emit_any(e, r);
    e->depth--;
    return rc;
}
