/*
 * FROM: tables, WITH queries, subqueries, joins, UNNEST, LATERAL, aliases.
 *
 * Each gives a relation and a scope with one field a column, in the same order. A join stays a join tree as written;
 * the engine's optimiser orders it.
 */
#include "sql/analyze_query.h"

/* ---- tables ---- */

static void qualify(struct analyzer *z, const struct ast_name *name, struct scope_field *f)
{
    f->qualifier = arena_array(z->arena, struct str, name->n);
    f->qualifier_count = name->n;
    for (size_t i = 0; i < name->n; i++)
        f->qualifier[i] = name->parts[i].lower;
}

static void scan_table(struct analyzer *z, const struct ast_name *name, struct connector_table *t, struct scope *parent,
                       struct rel **ret, struct scope **ret_scope)
{
    struct rel *r = rel_new(z, REL_SCAN);
    struct scope *s = scope_new(z, parent);
    struct scope_field proto = {.origin = t};

    qualify(z, name, &proto);
    r->columns = arena_array(z->arena, struct column, t->column_count);
    r->column_count = t->column_count;
    r->scan.table = t;
    r->scan.table_columns = arena_array(z->arena, size_t, t->column_count);
    for (size_t i = 0; i < t->column_count; i++) {
        const struct connector_column *c = &t->columns[i];
        struct scope_field f = proto;

        r->columns[i] = f.column = column_new(z, c->name, c->type);
        r->scan.table_columns[i] = i;
        f.hidden = c->hidden;
        f.origin_column = c->name;
        scope_add(z, s, f);
    }
    *ret = r;
    *ret_scope = s;
}

/* Each reference has column ids of its own, so that a WITH query joined with itself is two relations. */
static void reference_cte(struct analyzer *z, const struct ast_name *name, const struct scope_cte *c,
                          struct scope *parent, struct rel **ret, struct scope **ret_scope)
{
    struct rel *r = rel_new(z, REL_CTE);
    struct scope *s = scope_new(z, parent);

    r->columns = arena_array(z->arena, struct column, c->column_count);
    r->column_count = c->column_count;
    r->ref.cte = c->cte;
    r->ref.source_ids = arena_array(z->arena, int, c->column_count);
    for (size_t i = 0; i < c->column_count; i++) {
        struct scope_field f = {0};

        qualify(z, name, &f);
        r->ref.source_ids[i] = c->columns[i].id;
        r->columns[i] = f.column = column_new(z, c->columns[i].name, c->columns[i].type);
        scope_add(z, s, f);
    }
    *ret = r;
    *ret_scope = s;
}

int analyze_table(struct analyzer *z, const struct ast_name *name, int line, int column, struct scope *parent,
                  struct rel **ret, struct scope **ret_scope, struct err *err)
{
    struct object_name o;
    struct connector_table *t;

    if (name->n == 1) {
        const struct scope_cte *c = scope_find_cte(parent, name->parts[0].lower);
        if (c) {
            reference_cte(z, name, c, parent, ret, ret_scope);
            return 0;
        }
    }
    int r = object_resolve(z, name, line, column, &o, err);
    if (r == 0)
        r = table_require(z, &o, line, column, &t, err);
    if (r < 0)
        return r;
    if (t->is_view)
        return analyze_unsupported(line, column, err, "Reading views is not supported: %.*s",
                                   STR_ARG(object_text(z, &o)));
    scan_table(z, name, t, parent, ret, ret_scope);
    access_note_table(z, t);
    return access_guard_scan(z, t, line, column, ret, *ret_scope, err);
}

/* ---- aliases ---- */

int check_column_aliases(const struct ast_idents *names, size_t columns, struct err *err)
{
    if (names->n != columns)
        return analyze_error_at(names->items[0].line, names->items[0].column, err, "MISMATCHED_COLUMN_ALIASES",
                                "Column alias list has %zu entries but relation has %zu columns", names->n, columns);
    for (size_t i = 0; i < names->n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(names->items[i].lower, names->items[k].lower))
                return analyze_error_at(names->items[i].line, names->items[i].column, err, "DUPLICATE_COLUMN_NAME",
                                        "Column name '%.*s' specified more than once", STR_ARG(names->items[i].value));
    return 0;
}

static int analyze_aliased(struct analyzer *z, const struct ast_relation *a, struct scope *parent, struct rel **ret,
                           struct scope **ret_scope, struct err *err)
{
    struct scope *inner;
    const struct ast_ident *alias = a->aliased.alias;
    const struct ast_idents *names = &a->aliased.columns;
    int r = analyze_relation(z, a->aliased.relation, parent, ret, &inner, err);

    if (r < 0)
        return r;
    size_t visible = scope_visible_count(inner);
    if (names->n && names->n != visible)
        return analyze_error_at(a->line, a->column, err, "MISMATCHED_COLUMN_ALIASES",
                                "Column alias list has %zu entries but '%.*s' has %zu columns available", names->n,
                                STR_ARG(alias->value), visible);

    struct scope *s = scope_new(z, parent);
    struct str *qualifier = arena_array(z->arena, struct str, 1);
    size_t at = 0;

    *qualifier = alias->lower;
    for (size_t i = 0; i < inner->n; i++) {
        struct scope_field f = inner->fields[i];

        if (names->n && f.hidden)
            continue; /* an alias list covers all that is visible and hides the rest */
        f.qualifier = qualifier;
        f.qualifier_count = 1;
        if (names->n)
            f.column.name = names->items[at++].value;
        scope_add(z, s, f);
    }
    *ret_scope = s;
    return 0;
}

/* ---- UNNEST ---- */

struct unnest_columns {
    struct scope *scope; /* of the new columns alone */
    struct column *items;
    size_t n, cap;
};

static void unnest_add(struct analyzer *z, struct unnest_columns *o, struct str name, const struct type *type)
{
    struct column c = column_new(z, name, type);

    vec_push_in(z->arena, o, c);
    scope_add(z, o->scope, (struct scope_field){.column = c});
}

/* The columns of one array or map: its elements (of rows: their fields), keys and values. */
static int unnest_type(struct analyzer *z, struct unnest_columns *o, const struct type *t, struct err *err)
{
    if (t->kind == TYPE_MAP) {
        unnest_add(z, o, STR_NULL, t->key);
        unnest_add(z, o, STR_NULL, t->element);
    } else if (t->kind == TYPE_ARRAY && t->element->kind == TYPE_ROW) {
        for (size_t i = 0; i < t->element->field_count; i++)
            unnest_add(z, o, t->element->fields[i].name, t->element->fields[i].type);
    } else if (t->kind == TYPE_ARRAY) {
        unnest_add(z, o, STR_NULL, t->element);
    } else {
        return analyze_error_at(0, 0, err, "INVALID_FUNCTION_ARGUMENT", "Cannot unnest type: %.*s",
                                STR_ARG(type_name(z->arena, t)));
    }
    return 0;
}

/* `input`: what it is joined with, NULL: nothing. `from`: the scope its expressions see. */
static int analyze_unnest(struct analyzer *z, const struct ast_relation *u, struct rel *input, struct scope *from,
                          struct rel **ret, struct scope **ret_scope, struct err *err)
{
    struct rel *r = rel_new(z, REL_UNNEST);
    size_t n = u->unnest.items.n;
    struct expr_env env = {.z = z, .scope = from, .clause = "UNNEST"};
    struct unnest_columns columns = {.scope = scope_new(z, from)};

    r->input = input;
    r->unnest.expr_count = n;
    r->unnest.exprs = arena_array(z->arena, struct expr *, n);
    r->unnest.with_ordinality = u->unnest.with_ordinality;
    for (size_t i = 0; input && i < input->column_count; i++)
        vec_push_in(z->arena, &columns, input->columns[i]);
    for (size_t i = 0; i < n; i++) {
        int code = analyze_expr(&env, u->unnest.items.items[i], &r->unnest.exprs[i], err);
        if (code == 0)
            code = unnest_type(z, &columns, r->unnest.exprs[i]->type, err);
        if (code < 0)
            return code;
    }
    if (r->unnest.with_ordinality)
        unnest_add(z, &columns, STR_NULL, &type_bigint);
    r->columns = columns.items;
    r->column_count = columns.n;
    *ret = r;
    *ret_scope = columns.scope;
    return 0;
}

/* ---- joins ---- */

static const struct ast_relation *without_alias(const struct ast_relation *r)
{
    while (r->kind == AST_RELATION_ALIASED)
        r = r->aliased.relation;
    return r;
}

static bool is_lateral(const struct ast_relation *r)
{
    r = without_alias(r);
    return r->kind == AST_RELATION_LATERAL || r->kind == AST_RELATION_UNNEST;
}

static bool is_on_true(const struct ast_relation *j)
{
    return j->join.on && j->join.on->kind == AST_EXPR_BOOLEAN && j->join.on->boolean;
}

static const char *join_name(enum ast_join_kind k)
{
    static const char *const names[] = {"CROSS", "IMPLICIT", "INNER", "LEFT", "RIGHT", "FULL"};
    return names[k];
}

static enum join_kind join_kind(enum ast_join_kind k)
{
    switch (k) {
    case AST_JOIN_CROSS:
    case AST_JOIN_IMPLICIT:
        return JOIN_CROSS;
    case AST_JOIN_INNER:
        return JOIN_INNER;
    case AST_JOIN_LEFT:
        return JOIN_LEFT;
    case AST_JOIN_RIGHT:
        return JOIN_RIGHT;
    case AST_JOIN_FULL:
        break;
    }
    return JOIN_FULL;
}

static bool is_crossed(const struct ast_relation *j)
{
    return j->join.kind == AST_JOIN_CROSS || j->join.kind == AST_JOIN_IMPLICIT;
}

/* left JOIN UNNEST(…) [AS alias (…)] */
static int join_unnest(struct analyzer *z, const struct ast_relation *j, struct rel *left, struct scope *left_scope,
                       struct scope *parent, struct rel **ret, struct scope **ret_scope, struct err *err)
{
    const struct ast_relation *aliased = j->join.right->kind == AST_RELATION_ALIASED ? j->join.right : NULL;
    const struct ast_relation *u = without_alias(j->join.right);
    struct scope *own, *s = scope_new(z, parent);

    if (!is_crossed(j) && !is_on_true(j))
        return analyze_unsupported(j->join.on ? j->join.on->line : j->line, j->join.on ? j->join.on->column : j->column,
                                   err, "%s JOIN involving UNNEST is only supported with condition ON TRUE",
                                   join_name(j->join.kind));
    if (j->join.kind == AST_JOIN_RIGHT || j->join.kind == AST_JOIN_FULL)
        return analyze_unsupported(j->line, j->column, err, "%s JOIN involving UNNEST is not supported",
                                   join_name(j->join.kind));
    if (aliased && aliased->aliased.relation->kind == AST_RELATION_ALIASED)
        return analyze_unsupported(j->line, j->column, err, "UNNEST with two aliases is not supported");

    int r = analyze_unnest(z, u, left, left_scope, ret, &own, err);
    if (r < 0)
        return r;
    (*ret)->unnest.left = j->join.kind == AST_JOIN_LEFT;
    scope_add_all(z, s, left_scope);
    if (aliased && aliased->aliased.columns.n && aliased->aliased.columns.n != own->n)
        return analyze_error_at(aliased->line, aliased->column, err, "MISMATCHED_COLUMN_ALIASES",
                                "Column alias list has %zu entries but '%.*s' has %zu columns available",
                                aliased->aliased.columns.n, STR_ARG(aliased->aliased.alias->value), own->n);
    for (size_t i = 0; i < own->n; i++) {
        struct scope_field f = own->fields[i];

        if (aliased) {
            f.qualifier = &aliased->aliased.alias->lower;
            f.qualifier_count = 1;
            if (aliased->aliased.columns.n)
                f.column.name = aliased->aliased.columns.items[i].value;
        }
        scope_add(z, s, f);
    }
    *ret_scope = s;
    return 0;
}

struct using_column {
    const struct scope_field *left, *right;
    const struct type *type;
};

static int using_side(const struct scope *s, const struct ast_ident *name, const char *side,
                      const struct scope_field **ret, struct err *err)
{
    size_t found = scope_match(s, name->lower, ret);

    if (found == 0)
        return analyze_error_at(name->line, name->column, err, "COLUMN_NOT_FOUND",
                                "Column '%.*s' is missing from %s side of join", STR_ARG(name->value), side);
    if (found > 1)
        return analyze_error_at(name->line, name->column, err, "AMBIGUOUS_NAME", "Column '%.*s' is ambiguous",
                                STR_ARG(name->lower));
    return 0;
}

static int resolve_using(struct analyzer *z, const struct ast_idents *names, const struct scope *left,
                         const struct scope *right, struct using_column *ret, struct err *err)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct ast_ident *name = &names->items[i];

        for (size_t k = 0; k < i; k++)
            if (str_eq(names->items[k].lower, name->lower))
                return analyze_error_at(name->line, name->column, err, "DUPLICATE_COLUMN_NAME",
                                        "Column '%.*s' appears multiple times in USING clause", STR_ARG(name->value));
        int r = using_side(left, name, "left", &ret[i].left, err);
        if (r == 0)
            r = using_side(right, name, "right", &ret[i].right, err);
        if (r < 0)
            return r;
        const struct type *x = ret[i].left->column.type, *y = ret[i].right->column.type;
        ret[i].type = type_common_super(z->arena, x, y);
        if (!ret[i].type || !type_is_comparable(ret[i].type))
            return analyze_error_at(name->line, name->column, err, "TYPE_MISMATCH",
                                    "Cannot apply operator: %.*s = %.*s", STR_ARG(type_name(z->arena, x)),
                                    STR_ARG(type_name(z->arena, y)));
    }
    return 0;
}

static struct expr *using_value(struct analyzer *z, enum ast_join_kind kind, const struct using_column *u)
{
    struct expr *left = expr_cast(z, expr_column(z, &u->left->column), u->type);
    struct expr *right = expr_cast(z, expr_column(z, &u->right->column), u->type);

    if (kind == AST_JOIN_INNER || kind == AST_JOIN_LEFT)
        return left;
    if (kind == AST_JOIN_RIGHT)
        return right;

    struct expr *e = expr_new(z, EXPR_COALESCE, u->type, NULL);
    e->args = arena_array(z->arena, struct expr *, 2);
    e->args[0] = left;
    e->args[1] = right;
    e->arg_count = 2;
    return e;
}

/* Output: the merged columns, without a qualifier, then the other ones of the left and of the right side. */
static int join_using(struct analyzer *z, const struct ast_relation *j, struct rel *join, struct scope *left,
                      struct scope *right, struct scope *parent, struct rel **ret, struct scope **ret_scope,
                      struct err *err)
{
    const struct ast_idents *names = &j->join.using;
    size_t n = names->n, at = 0;
    struct using_column *merged = arena_array(z->arena, struct using_column, n);
    struct expr **equal = arena_array(z->arena, struct expr *, n);
    struct column *columns = arena_array(z->arena, struct column, n + left->n + right->n);
    struct expr **exprs = arena_array(z->arena, struct expr *, n + left->n + right->n);
    struct scope *s = scope_new(z, parent);
    int r = resolve_using(z, names, left, right, merged, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++) {
        struct scope_field f = {.column = column_new(z, names->items[i].value, merged[i].type),
                                .origin = merged[i].left->origin,
                                .origin_column = merged[i].left->origin_column};

        access_note_field(z, merged[i].left);
        access_note_field(z, merged[i].right);
        equal[i] = expr_new(z, EXPR_COMPARE, &type_boolean, NULL);
        equal[i]->op = COMPARE_EQ;
        equal[i]->args = arena_array(z->arena, struct expr *, 2);
        equal[i]->arg_count = 2;
        equal[i]->args[0] = expr_cast(z, expr_column(z, &merged[i].left->column), merged[i].type);
        equal[i]->args[1] = expr_cast(z, expr_column(z, &merged[i].right->column), merged[i].type);
        columns[at] = f.column;
        exprs[at++] = using_value(z, j->join.kind, &merged[i]);
        scope_add(z, s, f);
    }
    for (int side = 0; side < 2; side++) {
        const struct scope *from = side ? right : left;
        for (size_t i = 0; i < from->n; i++) {
            bool is_merged = false;
            for (size_t k = 0; k < n; k++)
                is_merged = is_merged || &from->fields[i] == (side ? merged[k].right : merged[k].left);
            if (is_merged)
                continue;
            columns[at] = from->fields[i].column; /* passed on under its id */
            exprs[at++] = expr_column(z, &from->fields[i].column);
            scope_add(z, s, from->fields[i]);
        }
    }
    join->join.on = equal[0];
    if (n > 1) {
        join->join.on = expr_new(z, EXPR_AND, &type_boolean, NULL);
        join->join.on->args = equal;
        join->join.on->arg_count = n;
    }
    *ret = rel_project(z, join, columns, exprs, at);
    *ret_scope = s;
    return 0;
}

static int join_on(struct analyzer *z, const struct ast_relation *j, struct rel *join, struct scope *s, struct err *err)
{
    struct expr_env env = {.z = z, .scope = s, .clause = "JOIN clause"};
    struct expr *on;
    int r = analyze_expr(&env, j->join.on, &on, err);

    if (r < 0)
        return r;
    if (on->type->kind != TYPE_BOOLEAN && on->type->kind != TYPE_UNKNOWN)
        return analyze_error(j->join.on, err, "TYPE_MISMATCH",
                             "JOIN ON clause must evaluate to a boolean: actual type %.*s",
                             STR_ARG(type_name(z->arena, on->type)));
    join->join.on = expr_cast(z, on, &type_boolean);
    return 0;
}

static int analyze_join(struct analyzer *z, const struct ast_relation *j, struct scope *parent, struct rel **ret,
                        struct scope **ret_scope, struct err *err)
{
    struct rel *left, *right;
    struct scope *left_scope, *right_scope;
    bool lateral = is_lateral(j->join.right);

    if (j->join.natural)
        return analyze_unsupported(j->line, j->column, err, "Natural join not supported");
    int r = analyze_relation(z, j->join.left, parent, &left, &left_scope, err);
    if (r < 0)
        return r;
    if (without_alias(j->join.right)->kind == AST_RELATION_UNNEST)
        return join_unnest(z, j, left, left_scope, parent, ret, ret_scope, err);
    r = analyze_relation(z, j->join.right, lateral ? left_scope : parent, &right, &right_scope, err);
    if (r < 0)
        return r;
    if (lateral && (j->join.kind == AST_JOIN_RIGHT || j->join.kind == AST_JOIN_FULL))
        return analyze_unsupported(j->line, j->column, err, "%s JOIN involving LATERAL is not supported",
                                   join_name(j->join.kind));

    struct rel *join = rel_new(z, REL_JOIN);
    join->input = left;
    join->right = right;
    join->join.join = join_kind(j->join.kind);
    join->join.lateral = lateral;
    rel_derive_columns(z, join);
    if (j->join.using.n)
        return join_using(z, j, join, left_scope, right_scope, parent, ret, ret_scope, err);

    struct scope *s = scope_new(z, parent);
    scope_add_all(z, s, left_scope);
    scope_add_all(z, s, right_scope);
    if (j->join.on)
        r = join_on(z, j, join, s, err);
    *ret = join;
    *ret_scope = s;
    return r;
}

/* ---- all of them ---- */

static int analyze_subquery(struct analyzer *z, const struct ast_query *q, struct scope *parent, struct rel **ret,
                            struct scope **ret_scope, struct err *err)
{
    struct scope *inner;
    int r = analyze_query(z, q, parent, ret, &inner, err);

    if (r < 0)
        return r;
    *ret_scope = scope_new(z, parent);
    for (size_t i = 0; i < inner->n; i++) {
        struct scope_field f = inner->fields[i];

        f.qualifier = NULL;
        f.qualifier_count = 0;
        scope_add(z, *ret_scope, f);
    }
    return 0;
}

static int analyze_function(const struct ast_relation *f, struct err *err)
{
    const struct ast_name *name = &f->function.name;
    struct str last = name->parts[name->n - 1].lower;

    if (str_eq_cstr(last, "sequence") || str_eq_cstr(last, "exclude_columns") || str_eq_cstr(last, "query"))
        return analyze_unsupported(f->line, f->column, err, "The table function %.*s is not supported", STR_ARG(last));
    return analyze_error_at(f->line, f->column, err, "FUNCTION_NOT_FOUND", "Table function '%.*s' not registered",
                            STR_ARG(last));
}

int analyze_relation(struct analyzer *z, const struct ast_relation *f, struct scope *parent, struct rel **ret,
                     struct scope **ret_scope, struct err *err)
{
    switch (f->kind) {
    case AST_RELATION_TABLE:
        if (f->table.period == AST_PERIOD_VERSION)
            return analyze_unsupported(f->line, f->column, err, "FOR VERSION AS OF is not supported");
        if (f->table.period == AST_PERIOD_TIMESTAMP)
            return analyze_unsupported(f->line, f->column, err, "FOR TIMESTAMP AS OF is not supported");
        return analyze_table(z, &f->table.name, f->line, f->column, parent, ret, ret_scope, err);
    case AST_RELATION_ALIASED:
        return analyze_aliased(z, f, parent, ret, ret_scope, err);
    case AST_RELATION_JOIN:
        return analyze_join(z, f, parent, ret, ret_scope, err);
    case AST_RELATION_SUBQUERY:
    case AST_RELATION_LATERAL:
        return analyze_subquery(z, f->query, parent, ret, ret_scope, err);
    case AST_RELATION_UNNEST:
        return analyze_unnest(z, f, NULL, parent, ret, ret_scope, err);
    case AST_RELATION_SAMPLED:
        return analyze_unsupported(f->line, f->column, err, "TABLESAMPLE is not supported");
    case AST_RELATION_FUNCTION:
        return analyze_function(f, err);
    }
    return err_set(err, ERR_INTERNAL, "a relation of unknown kind %d", (int)f->kind);
}
