/*
 * Queries: WITH, the body (SELECT, VALUES, TABLE, set operations), ORDER BY, OFFSET and LIMIT.
 */
#include "sql/analyze_query.h"

/* TABLE x: all its columns */
static int table_rows(struct analyzer *z, const struct ast_body *b, struct scope *parent, struct rel **ret,
                      struct scope **ret_scope, struct err *err)
{
    int r = analyze_table(z, &b->table, b->line, b->column, parent, ret, ret_scope, err);

    for (size_t i = 0; r == 0 && i < (*ret_scope)->n; i++)
        if (!(*ret_scope)->fields[i].hidden)
            access_note_field(z, &(*ret_scope)->fields[i]);
    return r;
}

static int analyze_body(struct analyzer *z, const struct ast_body *b, struct scope *parent, struct rel **ret,
                        struct scope **ret_scope, struct err *err);

/* ---- ORDER BY, OFFSET, LIMIT ---- */

bool query_is_limited(const struct ast_query *q)
{
    return q->offset.kind != AST_COUNT_UNSAID || q->limit.kind != AST_COUNT_UNSAID || q->is_fetch;
}

struct sort_key sort_key_new(const struct ast_sort *s, struct expr *key)
{
    return (struct sort_key){.expr = key, .descending = s->descending, .nulls_first = s->nulls == AST_NULLS_FIRST};
}

static struct expr *row_count_constant(struct analyzer *z, int64_t n)
{
    struct expr *e = expr_new(z, EXPR_CONSTANT, &type_bigint, NULL);

    e->constant.i = n;
    return e;
}

/* *ret stays what it was when a parameter's value isn't known (DESCRIBE). */
static int parameter_row_count(struct analyzer *z, const struct ast_row_count *c, const char *clause, int64_t *ret,
                               struct err *err)
{
    struct expr *e;

    if (z->describing) {
        z->parameter_types[c->parameter] = &type_bigint;
        return 0;
    }
    if (c->parameter >= z->parameter_count)
        return analyze_error_at(c->value_line, c->value_column, err, "INVALID_PARAMETER_USAGE",
                                "Query takes no parameters: a value for ? is missing");
    const struct ast_expr *value = z->parameters[c->parameter];
    struct str text = analyze_format_expr(z->arena, value);
    int r = analyze_constant(z, value, &e, err);
    if (r < 0)
        return r;
    if (type_can_coerce(e->type, &type_bigint))
        e = expr_cast(z, e, &type_bigint);
    if (e->kind != EXPR_CONSTANT || e->type->kind != TYPE_BIGINT)
        return analyze_error_at(c->value_line, c->value_column, err, "INVALID_ARGUMENTS",
                                "Non constant parameter value for %s: %.*s", clause, STR_ARG(text));
    if (e->constant.is_null)
        return analyze_error_at(c->value_line, c->value_column, err, "INVALID_ARGUMENTS",
                                "Parameter value provided for %s is NULL: %.*s", clause, STR_ARG(text));
    *ret = e->constant.i;
    return 0;
}

int analyze_limit(struct analyzer *z, const struct ast_query *q, struct rel **rel, struct err *err)
{
    const char *clause = q->is_fetch ? "FETCH FIRST" : "LIMIT";
    int64_t offset = 0, count = q->is_fetch ? 1 : -1;
    int r = 0;

    if (!query_is_limited(q))
        return 0;
    if (q->offset.kind == AST_COUNT_NUMBER)
        offset = q->offset.number;
    else if (q->offset.kind == AST_COUNT_PARAMETER)
        r = parameter_row_count(z, &q->offset, "OFFSET", &offset, err);
    if (r < 0)
        return r;
    if (offset < 0)
        return analyze_error_at(q->offset.line, q->offset.column, err, "NUMERIC_VALUE_OUT_OF_RANGE",
                                "OFFSET row count must be greater or equal to 0 (actual value: %lld)",
                                (long long)offset);
    if (q->limit.kind == AST_COUNT_NUMBER) {
        count = q->limit.number;
    } else if (q->limit.kind == AST_COUNT_PARAMETER) {
        count = q->is_fetch ? 1 : 0;
        r = parameter_row_count(z, &q->limit, clause, &count, err);
        if (r < 0)
            return r;
        if (!q->is_fetch && count < 0)
            return analyze_error_at(q->limit.line, q->limit.column, err, "NUMERIC_VALUE_OUT_OF_RANGE",
                                    "LIMIT row count must be greater or equal to 0 (actual value: %lld)",
                                    (long long)count);
    }
    if (q->is_fetch && count <= 0)
        return analyze_error_at(q->limit.line, q->limit.column, err, "NUMERIC_VALUE_OUT_OF_RANGE",
                                "FETCH FIRST row count must be positive (actual value: %lld)", (long long)count);
    if (q->with_ties && q->order_by.n == 0)
        return analyze_error_at(q->limit.line, q->limit.column, err, "MISSING_ORDER_BY",
                                "FETCH FIRST WITH TIES clause requires ORDER BY");
    struct rel *l = rel_over(z, REL_LIMIT, *rel);
    if (offset)
        l->limit.offset = row_count_constant(z, offset);
    if (count >= 0)
        l->limit.count = row_count_constant(z, count);
    l->limit.with_ties = q->with_ties;
    if (l->limit.offset || l->limit.count)
        *rel = l;
    return 0;
}

/* ORDER BY over a body that is no SELECT: it sees the output alone. */
static int order_output(struct analyzer *z, const struct ast_query *q, struct scope *output, struct rel **rel,
                        struct err *err)
{
    struct expr_env env = {.z = z, .scope = output, .clause = "ORDER BY clause"};
    struct sort_key *keys = arena_array(z->arena, struct sort_key, q->order_by.n);

    for (size_t i = 0; i < q->order_by.n; i++) {
        const struct ast_sort *s = &q->order_by.items[i];
        struct expr *key;

        if (s->key->kind == AST_EXPR_INTEGER) {
            if (s->key->integer < 1 || (uint64_t)s->key->integer > output->n)
                return analyze_error(s->key, err, "INVALID_COLUMN_REFERENCE",
                                     "ORDER BY position %lld is not in select list", (long long)s->key->integer);
            key = expr_column(z, &output->fields[s->key->integer - 1].column);
        } else {
            int r = analyze_expr(&env, s->key, &key, err);
            if (r < 0)
                return r;
        }
        if (!type_is_orderable(key->type))
            return analyze_error_at(q->line, q->column, err, "TYPE_MISMATCH",
                                    "Type %.*s is not orderable, and therefore cannot be used in ORDER BY: %.*s",
                                    STR_ARG(type_name(z->arena, key->type)),
                                    STR_ARG(analyze_format_expr(z->arena, s->key)));
        keys[i] = sort_key_new(s, key);
    }
    if (z->depth > 1 && !query_is_limited(q))
        return 0; /* the order of a subquery's rows means nothing */
    struct rel *sort = rel_over(z, REL_SORT, *rel);
    sort->sort.keys = keys;
    sort->sort.key_count = q->order_by.n;
    *rel = sort;
    return 0;
}

/* The engine holds a timestamp's zone in its type: rows that would need different ones can't share a column. */
static int check_zones(const struct ast_body *b, const struct type *x, const struct type *y, struct err *err)
{
    if (x->kind != TYPE_TIMESTAMP_TZ || y->kind != TYPE_TIMESTAMP_TZ || x->zone.n == 0 || y->zone.n == 0 ||
        str_eq(x->zone, y->zone))
        return 0;
    return analyze_unsupported(b->line, b->column, err,
                               "Rows with timestamps in different time zones (%.*s, %.*s) in one column are not "
                               "supported: cast them to one zone with AT TIME ZONE",
                               STR_ARG(x->zone), STR_ARG(y->zone));
}

/* ---- VALUES ---- */

/* One row's expressions: ROW(…)'s items, a row-typed value's fields, or the value itself. */
static int values_row(struct expr_env *env, const struct ast_expr *row, struct expr ***ret, size_t *ret_n,
                      struct err *err)
{
    struct arena *a = env->z->arena;
    struct expr *value;

    if (row->kind == AST_EXPR_ROW) {
        *ret_n = row->list.n;
        *ret = arena_array(a, struct expr *, row->list.n);
        for (size_t i = 0; i < row->list.n; i++) {
            int r = analyze_expr(env, row->list.items[i], &(*ret)[i], err);
            if (r < 0)
                return r;
        }
        return 0;
    }
    int r = analyze_expr(env, row, &value, err);
    if (r < 0)
        return r;
    if (value->type->kind != TYPE_ROW) {
        *ret = arena_array(a, struct expr *, 1);
        **ret = value;
        *ret_n = 1;
        return 0;
    }
    *ret_n = value->type->field_count;
    *ret = arena_array(a, struct expr *, *ret_n);
    for (size_t i = 0; i < *ret_n; i++) {
        struct expr *f = expr_new(env->z, EXPR_FIELD, value->type->fields[i].type, row);
        f->args = arena_array(a, struct expr *, 1);
        f->args[0] = value;
        f->arg_count = 1;
        f->field_index = i;
        (*ret)[i] = f;
    }
    return 0;
}

static const struct type *anonymous_row(struct analyzer *z, const struct type *const *types, size_t n)
{
    struct type_field *fields = arena_array(z->arena, struct type_field, n);

    for (size_t i = 0; i < n; i++)
        fields[i] = (struct type_field){.type = types[i]};
    return type_row(z->arena, fields, n);
}

static int mismatched_rows(struct analyzer *z, const struct ast_body *b, const struct type *const *first,
                           struct expr *const *row, size_t n, struct err *err)
{
    const struct type **types = arena_array(z->arena, const struct type *, n);

    for (size_t i = 0; i < n; i++)
        types[i] = row[i]->type;
    return analyze_error_at(b->line, b->column, err, "TYPE_MISMATCH", "Values rows have mismatched types: %.*s vs %.*s",
                            STR_ARG(type_name(z->arena, anonymous_row(z, first, n))),
                            STR_ARG(type_name(z->arena, anonymous_row(z, types, n))));
}

static int analyze_values(struct analyzer *z, const struct ast_body *b, struct scope *parent, struct rel **ret,
                          struct scope **ret_scope, struct err *err)
{
    struct expr_env env = {.z = z, .scope = scope_new(z, parent), .clause = "VALUES"};
    size_t rows = b->values.n, width = 0;
    struct expr ***values = arena_array(z->arena, struct expr **, rows);
    const struct type **types = NULL, **first = NULL;

    for (size_t i = 0; i < rows; i++) {
        size_t n;
        int r = values_row(&env, b->values.items[i], &values[i], &n, err);

        if (r < 0)
            return r;
        if (i == 0) {
            width = n;
            types = arena_array(z->arena, const struct type *, n);
            first = arena_array(z->arena, const struct type *, n);
            for (size_t k = 0; k < n; k++)
                first[k] = types[k] = values[0][k]->type;
        } else if (n != width) {
            return analyze_error_at(b->line, b->column, err, "TYPE_MISMATCH",
                                    "Values rows have mismatched sizes: %zu vs %zu", width, n);
        }
        for (size_t k = 0; k < n; k++) {
            types[k] = type_common_super(z->arena, types[k], values[i][k]->type);
            if (!types[k])
                return mismatched_rows(z, b, first, values[i], n, err);
            r = check_zones(b, first[k], values[i][k]->type, err);
            if (r < 0)
                return r;
        }
    }

    struct column *columns = arena_array(z->arena, struct column, width);
    struct scope *s = scope_new(z, parent);
    for (size_t k = 0; k < width; k++) {
        columns[k] = column_new(z, STR_NULL, types[k]);
        scope_add(z, s, (struct scope_field){.column = columns[k]});
        for (size_t i = 0; i < rows; i++)
            values[i][k] = expr_cast(z, values[i][k], types[k]);
    }
    *ret = rel_values(z, columns, width);
    (*ret)->values.rows = values;
    (*ret)->values.row_count = rows;
    *ret_scope = s;
    return 0;
}

/* ---- set operations ---- */

static const char *set_name(enum ast_set_op op)
{
    return op == AST_UNION ? "UNION" : op == AST_INTERSECT ? "INTERSECT" : "EXCEPT";
}

/* Only the fields that the scope shows, as the relation's columns. */
static struct rel *project_fields(struct analyzer *z, struct rel *r, const struct scope_field *const *fields, size_t n)
{
    bool same = r->column_count == n;
    struct column *columns = arena_array(z->arena, struct column, n);
    struct expr **exprs = arena_array(z->arena, struct expr *, n);

    for (size_t i = 0; i < n; i++) {
        columns[i] = fields[i]->column;
        exprs[i] = expr_column(z, &fields[i]->column);
        same = same && r->columns[i].id == columns[i].id;
    }
    return same ? r : rel_project(z, r, columns, exprs, n);
}

static struct rel *project_visible(struct analyzer *z, struct rel *r, const struct scope *s)
{
    const struct scope_field **fields = arena_array(z->arena, const struct scope_field *, s->n);
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        if (!s->fields[i].hidden)
            fields[n++] = &s->fields[i];
    return project_fields(z, r, fields, n);
}

static struct scope *visible_scope(struct analyzer *z, const struct scope *s)
{
    struct scope *v = scope_new(z, s->parent);

    for (size_t i = 0; i < s->n; i++)
        if (!s->fields[i].hidden)
            scope_add(z, v, s->fields[i]);
    return v;
}

static int check_corresponding(const struct ast_body *b, const struct scope *s, struct err *err)
{
    for (size_t i = 0; i < s->n; i++) {
        if (str_is_null(s->fields[i].column.name))
            return analyze_error_at(b->line, b->column, err, "MISSING_COLUMN_NAME",
                                    "Anonymous columns are not allowed in set operations with CORRESPONDING");
        for (size_t k = 0; k < i; k++)
            if (str_eq_nocase(s->fields[i].column.name, s->fields[k].column.name))
                return analyze_error_at(b->line, b->column, err, "AMBIGUOUS_NAME",
                                        "Duplicate columns found when using CORRESPONDING in set operations: %.*s",
                                        STR_ARG(s->fields[i].column.name));
    }
    return 0;
}

/* CORRESPONDING: both sides keep the columns whose names they share, in the left one's order. */
static int keep_corresponding(struct analyzer *z, const struct ast_body *b, struct rel *sides[2],
                              struct scope *scopes[2], struct err *err)
{
    struct scope *kept[2] = {scope_new(z, NULL), scope_new(z, NULL)};
    int r = 0;

    if (b->set.by_columns.n)
        return analyze_unsupported(b->line, b->column, err, "CORRESPONDING with columns is unsupported");
    for (int i = 0; i < 2 && r == 0; i++)
        r = check_corresponding(b, scopes[i], err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < scopes[0]->n; i++)
        for (size_t k = 0; k < scopes[1]->n; k++)
            if (str_eq_nocase(scopes[0]->fields[i].column.name, scopes[1]->fields[k].column.name)) {
                scope_add(z, kept[0], scopes[0]->fields[i]);
                scope_add(z, kept[1], scopes[1]->fields[k]);
            }
    if (kept[0]->n == 0)
        return analyze_error_at(b->line, b->column, err, "MISMATCHED_COLUMN_ALIASES", "No corresponding columns");
    for (int i = 0; i < 2; i++) {
        scopes[i] = kept[i];
        sides[i] = project_visible(z, sides[i], kept[i]);
    }
    return 0;
}

static int common_types(struct analyzer *z, const struct ast_body *b, struct scope *const scopes[2],
                        const struct type **types, struct err *err)
{
    const char *name = set_name(b->set.op);
    size_t n = scopes[0]->n;

    if (n != scopes[1]->n)
        return analyze_error_at(b->line, b->column, err, "TYPE_MISMATCH",
                                "%s query has different number of fields: %zu, %zu", name, n, scopes[1]->n);
    for (size_t i = 0; i < n; i++) {
        const struct type *x = scopes[0]->fields[i].column.type, *y = scopes[1]->fields[i].column.type;

        types[i] = type_common_super(z->arena, x, y);
        if (!types[i])
            return analyze_error_at(b->line, b->column, err, "TYPE_MISMATCH",
                                    "column %zu in %s query has incompatible types: %.*s, %.*s", i + 1, name,
                                    STR_ARG(type_name(z->arena, x)), STR_ARG(type_name(z->arena, y)));
        if ((b->set.op != AST_UNION || !b->set.all) && !type_is_comparable(types[i]))
            return analyze_error_at(b->line, b->column, err, "TYPE_MISMATCH",
                                    "Type %.*s is not comparable and therefore cannot be used in %s%s",
                                    STR_ARG(type_name(z->arena, types[i])), name,
                                    b->set.op == AST_UNION ? " DISTINCT" : "");
        int r = check_zones(b, x, y, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int analyze_set(struct analyzer *z, const struct ast_body *b, struct scope *parent, struct rel **ret,
                       struct scope **ret_scope, struct err *err)
{
    const struct ast_body *bodies[2] = {b->set.left, b->set.right};
    struct rel *sides[2];
    struct scope *scopes[2];
    int r = 0;

    for (int i = 0; i < 2; i++) {
        r = analyze_body(z, bodies[i], parent, &sides[i], &scopes[i], err);
        if (r < 0)
            return r;
        sides[i] = project_visible(z, sides[i], scopes[i]);
        scopes[i] = visible_scope(z, scopes[i]);
    }
    if (b->set.corresponding)
        r = keep_corresponding(z, b, sides, scopes, err);
    size_t n = scopes[0]->n;
    const struct type **types = arena_array(z->arena, const struct type *, n);
    if (r == 0)
        r = common_types(z, b, scopes, types, err);
    if (r < 0)
        return r;

    struct rel *s = rel_new(z, REL_SET_OP);
    s->input = rel_coerce(z, sides[0], types);
    s->right = rel_coerce(z, sides[1], types);
    s->set.op = b->set.op == AST_UNION ? SET_UNION : b->set.op == AST_INTERSECT ? SET_INTERSECT : SET_EXCEPT;
    s->set.all = b->set.all;
    s->columns = arena_array(z->arena, struct column, n);
    s->column_count = n;
    *ret_scope = scope_new(z, parent);
    for (size_t i = 0; i < n; i++) {
        struct scope_field f = scopes[0]->fields[i];

        s->columns[i] = f.column = column_new(z, f.column.name, types[i]);
        scope_add(z, *ret_scope, f);
    }
    *ret = s;
    return 0;
}

static int analyze_body(struct analyzer *z, const struct ast_body *b, struct scope *parent, struct rel **ret,
                        struct scope **ret_scope, struct err *err)
{
    switch (b->kind) {
    case AST_BODY_SELECT:
        return analyze_select(z, b->select, NULL, parent, ret, ret_scope, err);
    case AST_BODY_TABLE:
        return table_rows(z, b, parent, ret, ret_scope, err);
    case AST_BODY_VALUES:
        return analyze_values(z, b, parent, ret, ret_scope, err);
    case AST_BODY_SET:
        return analyze_set(z, b, parent, ret, ret_scope, err);
    case AST_BODY_QUERY:
        return analyze_query(z, b->query, parent, ret, ret_scope, err);
    }
    return err_set(err, ERR_INTERNAL, "a query's body of unknown kind %d", (int)b->kind);
}

/* ---- WITH ---- */

static void add_cte(struct analyzer *z, struct scope *s, const struct ast_named_query *q, struct cte *cte,
                    const struct scope *output)
{
    struct scope_cte c = {.name = q->name.lower, .cte = cte};

    c.columns = arena_array(z->arena, struct column, output->n);
    for (size_t i = 0; i < output->n; i++) {
        if (output->fields[i].hidden)
            continue;
        c.columns[c.column_count] = output->fields[i].column;
        if (q->columns.n)
            c.columns[c.column_count].name = q->columns.items[c.column_count].value;
        c.column_count++;
    }
    scope_add_cte(z, s, c);
}

static size_t count_in_query(const struct ast_query *q, struct str name);

static size_t count_in_relation(const struct ast_relation *r, struct str name)
{
    switch (r->kind) {
    case AST_RELATION_TABLE:
        return r->table.name.n == 1 && str_eq(r->table.name.parts[0].lower, name);
    case AST_RELATION_ALIASED:
        return count_in_relation(r->aliased.relation, name);
    case AST_RELATION_SAMPLED:
        return count_in_relation(r->sampled.relation, name);
    case AST_RELATION_JOIN:
        return count_in_relation(r->join.left, name) + count_in_relation(r->join.right, name);
    case AST_RELATION_SUBQUERY:
    case AST_RELATION_LATERAL:
        return count_in_query(r->query, name);
    case AST_RELATION_UNNEST:
    case AST_RELATION_FUNCTION:
        break;
    }
    return 0;
}

/* References to a WITH query in FROM clauses; those in expressions aren't counted: they are refused when met. */
static size_t count_in_body(const struct ast_body *b, struct str name)
{
    switch (b->kind) {
    case AST_BODY_SELECT:
        return b->select->from ? count_in_relation(b->select->from, name) : 0;
    case AST_BODY_TABLE:
        return b->table.n == 1 && str_eq(b->table.parts[0].lower, name);
    case AST_BODY_SET:
        return count_in_body(b->set.left, name) + count_in_body(b->set.right, name);
    case AST_BODY_QUERY:
        return count_in_query(b->query, name);
    case AST_BODY_VALUES:
        break;
    }
    return 0;
}

static size_t count_in_query(const struct ast_query *q, struct str name)
{
    size_t n = 0;

    for (size_t i = 0; i < q->with.n; i++) {
        if (str_eq(q->with.items[i].name.lower, name))
            return 0; /* hidden by a WITH query of the same name */
        n += count_in_query(q->with.items[i].query, name);
    }
    return n + count_in_body(q->body, name);
}

static const struct ast_relation *find_outer_join(const struct ast_relation *r, struct str name, const char **side)
{
    if (r->kind == AST_RELATION_ALIASED)
        return find_outer_join(r->aliased.relation, name, side);
    if (r->kind != AST_RELATION_JOIN)
        return NULL;
    enum ast_join_kind k = r->join.kind;
    if ((k == AST_JOIN_RIGHT || k == AST_JOIN_FULL) && count_in_relation(r->join.left, name)) {
        *side = "left";
        return r;
    }
    if ((k == AST_JOIN_LEFT || k == AST_JOIN_FULL) && count_in_relation(r->join.right, name)) {
        *side = "right";
        return r;
    }
    const struct ast_relation *found = find_outer_join(r->join.left, name, side);
    return found ? found : find_outer_join(r->join.right, name, side);
}

static int check_recursion(const struct ast_named_query *q, struct err *err)
{
    const struct ast_query *inner = q->query;
    const struct ast_body *step = inner->body->set.right;
    struct str name = q->name.lower;

    if (count_in_body(inner->body->set.left, name))
        return analyze_error_at(inner->body->set.left->line, inner->body->set.left->column, err,
                                "INVALID_RECURSIVE_REFERENCE",
                                "WITH table name is referenced in the base relation of recursion");
    if (count_in_body(step, name) > 1)
        return analyze_error_at(step->line, step->column, err, "INVALID_RECURSIVE_REFERENCE",
                                "multiple recursive references in the step relation of recursion");
    while (step->kind == AST_BODY_QUERY) {
        if (step->query->limit.kind != AST_COUNT_UNSAID || step->query->is_fetch)
            return analyze_error_at(step->query->limit.line, step->query->limit.column, err, "INVALID_LIMIT_CLAUSE",
                                    "FETCH FIRST / LIMIT clause in the step relation of recursion");
        step = step->query->body;
    }
    if (step->kind != AST_BODY_SELECT || !step->select->from || !count_in_relation(step->select->from, name))
        return analyze_error_at(step->line, step->column, err, "INVALID_RECURSIVE_REFERENCE",
                                "recursive reference outside of FROM clause of the step relation of recursion");
    if (inner->with.n)
        return analyze_unsupported(inner->line, inner->column, err, "immediate WITH clause in recursive query");
    if (inner->order_by.n)
        return analyze_unsupported(inner->order_by.items[0].line, inner->order_by.items[0].column, err,
                                   "immediate ORDER BY clause in recursive query");
    if (inner->offset.kind != AST_COUNT_UNSAID)
        return analyze_unsupported(inner->offset.line, inner->offset.column, err,
                                   "immediate OFFSET clause in recursive query");
    if (inner->limit.kind != AST_COUNT_UNSAID || inner->is_fetch)
        return analyze_error_at(inner->limit.line, inner->limit.column, err, "INVALID_LIMIT_CLAUSE",
                                "immediate FETCH FIRST / LIMIT clause in recursive query");

    const char *side;
    const struct ast_relation *outer = find_outer_join(step->select->from, name, &side);
    if (outer)
        return analyze_error_at(outer->line, outer->column, err, "INVALID_RECURSIVE_REFERENCE",
                                "recursive reference in %s source of %s join", side,
                                outer->join.kind == AST_JOIN_LEFT    ? "LEFT"
                                : outer->join.kind == AST_JOIN_RIGHT ? "RIGHT"
                                                                     : "FULL");
    return 0;
}

/* WITH RECURSIVE name (columns) AS (base UNION [ALL] step) */
static int analyze_recursive(struct analyzer *z, const struct ast_named_query *q, struct scope *s, struct cte *cte,
                             struct err *err)
{
    const struct ast_body *u = q->query->body;
    struct scope *base, *step_scope, *inner;
    struct rel *step;
    int r = check_recursion(q, err);

    if (r == 0)
        r = analyze_body(z, u->set.left, s, &cte->query, &base, err);
    if (r == 0)
        r = check_column_aliases(&q->columns, scope_visible_count(base), err);
    if (r < 0)
        return r;
    cte->query = project_visible(z, cte->query, base);
    base = visible_scope(z, base);
    cte->recursive = true;
    cte->step_all = u->set.all;
    inner = scope_new(z, s);
    add_cte(z, inner, q, cte, base);
    r = analyze_body(z, u->set.right, inner, &step, &step_scope, err);
    if (r < 0)
        return r;
    step = project_visible(z, step, step_scope);
    step_scope = visible_scope(z, step_scope);
    if (step_scope->n != base->n)
        return analyze_error_at(u->set.right->line, u->set.right->column, err, "TYPE_MISMATCH",
                                "base and step relations of recursion have different number of fields: %zu, %zu",
                                base->n, step_scope->n);

    const struct type **types = arena_array(z->arena, const struct type *, base->n);
    for (size_t i = 0; i < base->n; i++) {
        const struct type *from = step_scope->fields[i].column.type;

        types[i] = base->fields[i].column.type;
        if (!type_can_coerce(from, types[i]))
            return analyze_error_at(u->set.right->line, u->set.right->column, err, "TYPE_MISMATCH",
                                    "recursion step relation output type (%.*s) is not coercible to recursion base "
                                    "relation output type (%.*s) at column %zu",
                                    STR_ARG(type_name(z->arena, from)), STR_ARG(type_name(z->arena, types[i])), i + 1);
    }
    cte->step = rel_coerce(z, step, types);
    add_cte(z, s, q, cte, base);
    return 0;
}

static int analyze_named(struct analyzer *z, const struct ast_query *q, const struct ast_named_query *n,
                         struct scope *s, struct cte **ret, struct err *err)
{
    struct cte *cte = arena_new(z->arena, struct cte);
    struct scope *output;

    *ret = cte;
    cte->id = z->next_id++;
    for (size_t i = 0; i < s->cte_count; i++)
        if (str_eq(s->ctes[i].name, n->name.lower))
            return analyze_error_at(n->line, n->column, err, "DUPLICATE_NAMED_QUERY",
                                    "WITH query name '%.*s' specified more than once", STR_ARG(n->name.lower));
    if (q->recursive) {
        if (n->columns.n == 0)
            return analyze_error_at(n->line, n->column, err, "MISSING_COLUMN_ALIASES",
                                    "missing column aliases in recursive WITH query");
        const struct ast_body *b = n->query->body;
        if (b->kind == AST_BODY_SET && b->set.op == AST_UNION && count_in_query(n->query, n->name.lower))
            return analyze_recursive(z, n, s, cte, err);
        if (count_in_query(n->query, n->name.lower))
            return analyze_error_at(n->query->line, n->query->column, err, "INVALID_RECURSIVE_REFERENCE",
                                    "recursive reference not allowed in this context");
    }
    int r = analyze_query(z, n->query, s, &cte->query, &output, err);
    if (r == 0 && n->columns.n)
        r = check_column_aliases(&n->columns, scope_visible_count(output), err);
    if (r == 0)
        add_cte(z, s, n, cte, output);
    return r;
}

int analyze_query(struct analyzer *z, const struct ast_query *q, struct scope *outer, struct rel **ret,
                  struct scope **ret_scope, struct err *err)
{
    struct scope *s = scope_new_query(z, outer), *output;
    struct cte **ctes = arena_array(z->arena, struct cte *, q->with.n);
    struct rel *rel;
    int r = 0;

    z->depth++;
    for (size_t i = 0; r == 0 && i < q->with.n; i++) {
        z->depth++; /* a WITH query is no top-level query */
        r = analyze_named(z, q, &q->with.items[i], s, &ctes[i], err);
        z->depth--;
    }
    if (r == 0 && q->body->kind == AST_BODY_SELECT) {
        r = analyze_select(z, q->body->select, q, s, &rel, &output, err);
    } else if (r == 0) {
        r = analyze_body(z, q->body, s, &rel, &output, err);
        if (r == 0) {
            rel = project_visible(z, rel, output);
            output = visible_scope(z, output);
        }
        if (r == 0 && q->order_by.n)
            r = order_output(z, q, output, &rel, err);
        if (r == 0)
            r = analyze_limit(z, q, &rel, err);
    }
    z->depth--;
    if (r < 0)
        return r;
    if (q->with.n) {
        struct cte **all = arena_array(z->arena, struct cte *, q->with.n + rel->cte_count);
        memcpy(all, ctes, q->with.n * sizeof(struct cte *));
        if (rel->cte_count)
            memcpy(all + q->with.n, rel->ctes, rel->cte_count * sizeof(struct cte *));
        rel->ctes = all;
        rel->cte_count += q->with.n;
    }
    *ret = rel;
    *ret_scope = output;
    return 0;
}
