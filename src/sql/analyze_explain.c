/*
 * EXPLAIN: the bound tree in the form of Trino's plan printer. It shows what the engine is asked for; the engine's
 * optimiser decides join order and algorithms after that.
 */
#include "base/clock.h"
#include "sql/analyze_query.h"

#define DAY_US INT64_C(86400000000)

enum { MAX_PLAN = 1 << 20, MAX_INDENT = 256 };

struct plan {
    struct analyzer *z;
    struct buf b;
};

/* ---- expressions ---- */

static void print_expr(struct buf *b, const struct expr *e);

static void print_list(struct buf *b, struct expr *const *args, size_t n, const char *separator)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_add_cstr(b, separator);
        print_expr(b, args[i]);
    }
}

static void print_constant(struct buf *b, const struct expr *e)
{
    const struct constant *c = &e->constant;
    struct clock_civil t;

    if (c->is_null) {
        buf_add_cstr(b, "null");
        return;
    }
    type_format(b, e->type);
    buf_add_cstr(b, " '");
    switch (e->type->kind) {
    case TYPE_BOOLEAN:
        buf_add_cstr(b, c->i ? "true" : "false");
        break;
    case TYPE_REAL:
    case TYPE_DOUBLE:
        buf_addf(b, "%.17g", c->f);
        break;
    case TYPE_DECIMAL:
    case TYPE_VARCHAR:
    case TYPE_CHAR:
    case TYPE_JSON:
        buf_add_str(b, c->text);
        break;
    case TYPE_VARBINARY:
    case TYPE_UUID:
        buf_add_cstr(b, "…");
        break;
    case TYPE_DATE:
        clock_civil_from_us(c->i * DAY_US, &t);
        buf_addf(b, "%04lld-%02d-%02d", (long long)t.year, t.month, t.day);
        break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ:
        clock_civil_from_us(c->i, &t);
        buf_addf(b, "%04lld-%02d-%02d %02d:%02d:%02d.%06d", (long long)t.year, t.month, t.day, t.hour, t.minute,
                 t.second, t.micros);
        break;
    default:
        buf_add_i64(b, c->i);
        break;
    }
    buf_add_char(b, '\'');
}

static const char *compare_text(enum compare_op op)
{
    static const char *const texts[] = {"=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"};
    return texts[op];
}

static const char *operator_text(struct str name)
{
    static const char *const operators[][2] = {{"$add", "+"},    {"$subtract", "-"}, {"$multiply", "*"},
                                               {"$divide", "/"}, {"$modulus", "%"},  {"$concat", "||"},
                                               {"$like", "LIKE"}};
    for (size_t i = 0; i < ARRAY_LEN(operators); i++)
        if (str_eq_cstr(name, operators[i][0]))
            return operators[i][1];
    return NULL;
}

static void print_call(struct buf *b, const struct expr *e)
{
    const char *operator= operator_text(str_from_cstr(e->function->name));

    if (operator&& e->arg_count == 2) {
        buf_add_char(b, '(');
        print_expr(b, e->args[0]);
        buf_addf(b, " %s ", operator);
        print_expr(b, e->args[1]);
        buf_add_char(b, ')');
        return;
    }
    buf_addf(b, "%s(", e->function->name);
    print_list(b, e->args, e->arg_count, ", ");
    buf_add_char(b, ')');
}

static void print_function(struct buf *b, const char *name, const struct expr *e)
{
    buf_addf(b, "%s(", name);
    print_list(b, e->args, e->arg_count, ", ");
    buf_add_char(b, ')');
}

static void print_expr(struct buf *b, const struct expr *e)
{
    switch (e->kind) {
    case EXPR_CONSTANT:
        print_constant(b, e);
        break;
    case EXPR_COLUMN:
    case EXPR_LAMBDA_PARAM:
        buf_addf(b, "c%d", e->column_id);
        break;
    case EXPR_CALL:
        print_call(b, e);
        break;
    case EXPR_CAST:
        buf_add_cstr(b, e->safe ? "TRY_CAST(" : "CAST(");
        print_expr(b, e->args[0]);
        buf_add_cstr(b, " AS ");
        type_format(b, e->type);
        buf_add_char(b, ')');
        break;
    case EXPR_AND:
    case EXPR_OR:
        buf_add_char(b, '(');
        print_list(b, e->args, e->arg_count, e->kind == EXPR_AND ? " AND " : " OR ");
        buf_add_char(b, ')');
        break;
    case EXPR_NOT:
        print_function(b, "NOT", e);
        break;
    case EXPR_IS_NULL:
        buf_add_char(b, '(');
        print_expr(b, e->args[0]);
        buf_add_cstr(b, " IS NULL)");
        break;
    case EXPR_COMPARE:
        buf_add_char(b, '(');
        print_expr(b, e->args[0]);
        buf_addf(b, " %s ", compare_text(e->op));
        print_expr(b, e->args[1]);
        buf_add_char(b, ')');
        break;
    case EXPR_IN:
        buf_add_char(b, '(');
        print_expr(b, e->args[0]);
        buf_add_cstr(b, " IN (");
        print_list(b, e->args + 1, e->arg_count - 1, ", ");
        buf_add_cstr(b, "))");
        break;
    case EXPR_BETWEEN:
        buf_add_char(b, '(');
        print_expr(b, e->args[0]);
        buf_add_cstr(b, " BETWEEN ");
        print_expr(b, e->args[1]);
        buf_add_cstr(b, " AND ");
        print_expr(b, e->args[2]);
        buf_add_char(b, ')');
        break;
    case EXPR_CASE:
        print_function(b, "CASE", e);
        break;
    case EXPR_COALESCE:
        print_function(b, "COALESCE", e);
        break;
    case EXPR_IF_NULL:
        print_function(b, "NULLIF", e);
        break;
    case EXPR_TRY:
        print_function(b, "TRY", e);
        break;
    case EXPR_ROW:
        print_function(b, "ROW", e);
        break;
    case EXPR_FIELD:
        print_expr(b, e->args[0]);
        buf_addf(b, "[%zu]", e->field_index + 1);
        break;
    case EXPR_ARRAY:
        print_function(b, "ARRAY", e);
        break;
    case EXPR_LAMBDA:
        buf_add_cstr(b, "(…) -> ");
        print_expr(b, e->args[0]);
        break;
    case EXPR_SUBQUERY:
        buf_add_cstr(b, "(subquery)");
        break;
    case EXPR_EXISTS:
        buf_add_cstr(b, "EXISTS (subquery)");
        break;
    case EXPR_IN_QUERY:
        buf_add_char(b, '(');
        print_expr(b, e->args[0]);
        buf_add_cstr(b, " IN (subquery))");
        break;
    case EXPR_QUANTIFIED:
        buf_add_char(b, '(');
        print_expr(b, e->args[0]);
        buf_addf(b, " %s %s (subquery))", compare_text(e->op), e->quantified_all ? "ALL" : "ANY");
        break;
    case EXPR_GROUPING:
        print_function(b, "GROUPING", e);
        break;
    }
}

/* ---- relations ---- */

static void print_rel(struct plan *p, const struct rel *r, const char *indent, bool last, bool root);

static void print_columns(struct buf *b, const struct column *columns, size_t n)
{
    buf_add_char(b, '[');
    for (size_t i = 0; i < n; i++) {
        buf_addf(b, "%sc%d:", i ? ", " : "", columns[i].id);
        type_format(b, columns[i].type);
    }
    buf_add_char(b, ']');
}

static void print_keys(struct buf *b, const struct sort_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_add_cstr(b, ", ");
        print_expr(b, keys[i].expr);
        buf_addf(b, " %s NULLS %s", keys[i].descending ? "DESC" : "ASC", keys[i].nulls_first ? "FIRST" : "LAST");
    }
}

static void print_scan(struct buf *b, const struct rel *r)
{
    const struct connector_table *t = r->scan.table;

    buf_addf(b, "%s[table = %.*s:%.*s:%.*s", r->scan.conjunct_count ? "ScanFilter" : "TableScan", STR_ARG(t->catalog),
             STR_ARG(t->schema), STR_ARG(t->name));
    if (r->scan.conjunct_count) {
        buf_add_cstr(b, ", filterPredicate = ");
        print_list(b, r->scan.conjuncts, r->scan.conjunct_count, " AND ");
    }
    buf_add_char(b, ']');
}

static void print_aggregate(struct buf *b, const struct rel *r)
{
    buf_add_cstr(b, "Aggregate[");
    if (r->aggregate.key_count) {
        buf_add_cstr(b, "keys = [");
        print_list(b, r->aggregate.keys, r->aggregate.key_count, ", ");
        buf_add_char(b, ']');
    }
    if (r->aggregate.set_count > 1)
        buf_addf(b, ", groupingSets = %zu", r->aggregate.set_count);
    buf_add_char(b, ']');
}

static void print_join(struct buf *b, const struct rel *r)
{
    static const char *const names[] = {"InnerJoin", "LeftJoin", "RightJoin", "FullJoin", "CrossJoin"};

    buf_addf(b, "%s[", names[r->join.join]);
    if (r->join.on) {
        buf_add_cstr(b, "criteria = ");
        print_expr(b, r->join.on);
    }
    buf_add_char(b, ']');
}

static void print_set_op(struct buf *b, const struct rel *r)
{
    static const char *const names[] = {"Union", "Intersect", "Except"};

    buf_addf(b, "%s[%s]", names[r->set.op], r->set.all ? "all" : "distinct");
}

static void print_limit(struct buf *b, const struct rel *r)
{
    buf_add_cstr(b, "Limit[");
    if (r->limit.count) {
        buf_add_cstr(b, "count = ");
        buf_add_i64(b, r->limit.count->constant.i);
    }
    if (r->limit.offset) {
        buf_add_cstr(b, r->limit.count ? ", offset = " : "offset = ");
        buf_add_i64(b, r->limit.offset->constant.i);
    }
    buf_add_cstr(b, r->limit.with_ties ? ", withTies]" : "]");
}

static void print_title(struct buf *b, const struct rel *r)
{
    switch (r->kind) {
    case REL_SCAN:
        print_scan(b, r);
        break;
    case REL_VALUES:
        buf_addf(b, "Values[rows = %zu]", r->values.row_count);
        break;
    case REL_FILTER:
        buf_add_cstr(b, "Filter[filterPredicate = ");
        print_expr(b, r->predicate);
        buf_add_char(b, ']');
        break;
    case REL_PROJECT:
        buf_add_cstr(b, "Project[]");
        break;
    case REL_AGGREGATE:
        print_aggregate(b, r);
        break;
    case REL_WINDOW:
        buf_add_cstr(b, "Window[]");
        break;
    case REL_JOIN:
        print_join(b, r);
        break;
    case REL_UNNEST:
        buf_add_cstr(b, "Unnest[");
        print_list(b, r->unnest.exprs, r->unnest.expr_count, ", ");
        buf_add_cstr(b, r->unnest.with_ordinality ? ", ordinality]" : "]");
        break;
    case REL_SET_OP:
        print_set_op(b, r);
        break;
    case REL_SORT:
        buf_add_cstr(b, "Sort[orderBy = [");
        print_keys(b, r->sort.keys, r->sort.key_count);
        buf_add_cstr(b, "]]");
        break;
    case REL_LIMIT:
        print_limit(b, r);
        break;
    case REL_DISTINCT:
        buf_add_cstr(b, "Distinct[]");
        break;
    case REL_CTE:
        buf_addf(b, "Reference[query = with%d]", r->ref.cte->id);
        break;
    }
}

static void print_aggregate_call(struct buf *b, const char *prefix, int id, const struct function *f,
                                 struct expr *const *args, size_t n, bool distinct)
{
    buf_addf(b, "%sc%d := %s(%s", prefix, id, f->name, distinct ? "DISTINCT " : "");
    print_list(b, args, n, ", ");
    buf_add_cstr(b, ")\n");
}

/* The lines under a node's title: what its columns are. */
static void print_details(struct plan *p, const struct rel *r, const char *indent)
{
    struct buf *b = &p->b;

    buf_addf(b, "%sLayout: ", indent);
    print_columns(b, r->columns, r->column_count);
    buf_add_char(b, '\n');
    if (r->kind == REL_SCAN)
        for (size_t i = 0; i < r->column_count; i++)
            buf_addf(b, "%sc%d := %.*s\n", indent, r->columns[i].id,
                     STR_ARG(r->scan.table->columns[r->scan.table_columns[i]].name));
    if (r->kind == REL_PROJECT)
        for (size_t i = 0; i < r->column_count; i++) {
            if (r->exprs[i]->kind == EXPR_COLUMN && r->exprs[i]->column_id == r->columns[i].id)
                continue;
            buf_addf(b, "%sc%d := ", indent, r->columns[i].id);
            print_expr(b, r->exprs[i]);
            buf_add_char(b, '\n');
        }
    if (r->kind == REL_AGGREGATE)
        for (size_t i = 0; i < r->aggregate.aggregate_count; i++) {
            const struct aggregate *a = &r->aggregate.aggregates[i];
            print_aggregate_call(b, indent, a->out.id, a->function, a->args, a->arg_count, a->distinct);
        }
    if (r->kind == REL_WINDOW)
        for (size_t i = 0; i < r->window.call_count; i++) {
            const struct window_call *w = &r->window.calls[i];
            print_aggregate_call(b, indent, w->out.id, w->function, w->args, w->arg_count, w->distinct);
        }
}

struct subqueries {
    const struct rel *items[64];
    size_t n;
};

static bool find_subquery(void *ctx, struct expr **slot)
{
    struct subqueries *s = ctx;

    if ((*slot)->query && s->n < ARRAY_LEN(s->items))
        s->items[s->n++] = (*slot)->query;
    return !(*slot)->query;
}

static void own_subqueries(const struct rel *r, struct subqueries *s)
{
    struct expr *e = r->kind == REL_FILTER ? r->predicate : r->kind == REL_JOIN ? r->join.on : NULL;

    if (e)
        expr_walk(&e, find_subquery, s);
    if (r->kind == REL_PROJECT)
        for (size_t i = 0; i < r->column_count; i++) {
            e = r->exprs[i];
            expr_walk(&e, find_subquery, s);
        }
}

static void print_rel(struct plan *p, const struct rel *r, const char *indent, bool last, bool root)
{
    char inner[MAX_INDENT], detail[MAX_INDENT + 8];
    struct subqueries s = {.n = 0};

    own_subqueries(r, &s);
    size_t children = (r->input != NULL) + (r->right != NULL) + s.n + r->cte_count;
    buf_addf(&p->b, "%s%s", indent, root ? "" : last ? "└─ " : "├─ ");
    print_title(&p->b, r);
    buf_add_char(&p->b, '\n');
    /* past the width that a person reads, the tree stops moving right */
    snprintf(inner, sizeof(inner), "%.200s%s", indent, root || strlen(indent) >= 200 ? "" : last ? "   " : "│  ");
    snprintf(detail, sizeof(detail), "%s%s", inner, children ? "│   " : "    ");
    print_details(p, r, detail);
    if (r->input)
        print_rel(p, r->input, inner, --children == 0, false);
    if (r->right)
        print_rel(p, r->right, inner, --children == 0, false);
    for (size_t i = 0; i < s.n; i++)
        print_rel(p, s.items[i], inner, --children == 0, false);
    for (size_t i = 0; i < r->cte_count; i++) {
        buf_addf(&p->b, "%s│   with%d:\n", inner, r->ctes[i]->id);
        print_rel(p, r->ctes[i]->query, inner, --children == 0, false);
    }
}

static void print_statement(struct plan *p, const struct statement *s)
{
    struct buf *b = &p->b;
    const char *indent = "    ";

    buf_add_cstr(b, "Trino version: 476\n");
    if (!s->query) {
        buf_addf(b, "%s", s->update_type ? s->update_type : "");
        if (!str_is_null(s->table))
            buf_addf(b, " %.*s.%.*s.%.*s", STR_ARG(s->catalog), STR_ARG(s->schema), STR_ARG(s->table));
        buf_add_char(b, '\n');
        return;
    }
    buf_add_cstr(b, "Fragment 0 [SINGLE]\n    Output layout: ");
    print_columns(b, s->query->columns, s->query->column_count);
    buf_add_cstr(b, "\n    Output partitioning: SINGLE []\n");
    if (s->kind == STATEMENT_QUERY) {
        buf_addf(b, "%sOutput[columnNames = [", indent);
        for (size_t i = 0; i < s->output_count; i++)
            buf_addf(b, "%s%.*s", i ? ", " : "", STR_ARG(s->output_names[i]));
        buf_add_cstr(b, "]]\n");
    } else {
        buf_addf(b, "%sTableWriter[table = %.*s:%.*s:%.*s]\n", indent, STR_ARG(s->catalog), STR_ARG(s->schema),
                 STR_ARG(s->table));
    }
    buf_addf(b, "%s│   Layout: ", indent);
    print_columns(b, s->query->columns, s->query->column_count);
    buf_add_char(b, '\n');
    print_rel(p, s->query, indent, true, false);
}

/* ---- EXPLAIN (TYPE IO) ---- */

/* The tables that were resolved and aren't the target are the inputs. */
static void print_io(struct plan *p, const struct statement *s)
{
    struct buf *b = &p->b;
    bool first = true;

    buf_add_cstr(b, "{\n  \"inputTableColumnInfos\" : [ ");
    for (size_t i = 0; i < p->z->tables->n; i++) {
        const struct connector_table *t = p->z->tables->items[i];
        if (t == s->target)
            continue;
        buf_addf(
            b,
            "%s{\n    \"table\" : {\n      \"catalog\" : \"%.*s\",\n      \"schemaTable\" : {\n        \"schema\" : "
            "\"%.*s\",\n        \"table\" : \"%.*s\"\n      }\n    },\n    \"columnConstraints\" : [ ]\n  }",
            first ? "" : ", ", STR_ARG(t->catalog), STR_ARG(t->schema), STR_ARG(t->name));
        first = false;
    }
    buf_add_cstr(b, first ? "]" : " ]");
    if (!str_is_null(s->table))
        buf_addf(b,
                 ",\n  \"outputTable\" : {\n    \"catalog\" : \"%.*s\",\n    \"schemaTable\" : {\n      \"schema\" : "
                 "\"%.*s\",\n      \"table\" : \"%.*s\"\n    }\n  }",
                 STR_ARG(s->catalog), STR_ARG(s->schema), STR_ARG(s->table));
    buf_add_cstr(b, "\n}");
}

/* ---- EXPLAIN (TYPE VALIDATE) ---- */

static struct rel *valid(struct analyzer *z, struct scope **ret_scope)
{
    struct rel *r = analyze_single_value(z, "Valid", STR(""), ret_scope);
    struct expr *yes = expr_new(z, EXPR_CONSTANT, &type_boolean, NULL);

    yes->constant.i = 1;
    r->columns[0].type = &type_boolean;
    r->values.rows[0][0] = yes;
    (*ret_scope)->fields[0].column = r->columns[0];
    return r;
}

int analyze_explain(struct analyzer *z, const struct ast_statement *s, struct statement *bound, struct rel **ret,
                    struct scope **ret_scope, struct err *err)
{
    struct plan p = {.z = z};

    if (s->explain.type == AST_EXPLAIN_VALIDATE) {
        *ret = valid(z, ret_scope);
        return 0;
    }
    if (s->explain.format == AST_EXPLAIN_GRAPHVIZ)
        return analyze_unsupported(s->line, s->column, err, "EXPLAIN (FORMAT GRAPHVIZ) is not supported");
    if (s->explain.format == AST_EXPLAIN_JSON && s->explain.type != AST_EXPLAIN_IO)
        return analyze_unsupported(s->line, s->column, err, "EXPLAIN (FORMAT JSON) is not supported");
    prune_statement(z, bound);
    buf_init(&p.b, MAX_PLAN);
    if (s->explain.type == AST_EXPLAIN_IO)
        print_io(&p, bound);
    else
        print_statement(&p, bound);
    int r = buf_check(&p.b, "the plan's text", err);
    if (r == 0)
        *ret = analyze_single_value(z, "Query Plan", buf_str(&p.b), ret_scope);
    buf_release(&p.b);
    return r;
}
