/*
 * Who may read what. As in Trino, reading is checked when a statement is analysed as a whole: each table and column that
 * a name stood for is noted with the identity it was read as, and asked about at the end, so that an error in the
 * statement comes before the answer that it isn't allowed.
 *
 * A row filter is a REL_FILTER right over the table's scan, a column mask a projection over that, with a new column in
 * the masked one's place: nothing above can refer to what is below. Both see the table as it is, and are analysed in the
 * table's catalog and schema, as the user that the rule names or else as who asks.
 */
#include "base/vec.h"
#include "sql/analyze_query.h"
#include "sql/parse.h"

struct access_note {
    const struct access *as;
    const struct connector_table *table;
    struct str *columns;
    size_t n, cap;
};

struct access_notes {
    struct access_note *items;
    size_t n, cap;
};

/* What is under analysis, from the inside out: a filter that reads its own table for the same user has no end. */
struct guarded {
    const struct connector_table *table;
    const struct access *as;
    struct str column; /* of a mask; null: the row filter */
    const struct guarded *outer;
};

struct access_table object_access(const struct object_name *o)
{
    return (struct access_table){o->catalog, o->schema, o->name};
}

static struct access_table table_access(const struct connector_table *t)
{
    return (struct access_table){t->catalog, t->schema, t->name};
}

/* ---- what is read ---- */

static struct access_note *find_note(struct analyzer *z, const struct connector_table *t)
{
    const struct access *as = z->context->access;

    if (!z->notes)
        z->notes = arena_new(z->arena, struct access_notes);
    for (size_t i = 0; i < z->notes->n; i++)
        if (z->notes->items[i].as == as && z->notes->items[i].table == t)
            return &z->notes->items[i];
    struct access_note note = {.as = as, .table = t};
    vec_push_in(z->arena, z->notes, note);
    return &z->notes->items[z->notes->n - 1];
}

void access_note_table(struct analyzer *z, const struct connector_table *t)
{
    if (z->context->access)
        find_note(z, t);
}

void access_note_field(struct analyzer *z, const struct scope_field *f)
{
    if (!z->context->access || !f->origin || str_is_null(f->origin_column))
        return;
    struct access_note *note = find_note(z, f->origin);
    for (size_t i = 0; i < note->n; i++)
        if (str_eq(note->columns[i], f->origin_column))
            return;
    if (note->n == note->cap)
        note->columns = vec_grow_in(z->arena, note->columns, &note->cap, note->n, sizeof(*note->columns));
    note->columns[note->n++] = f->origin_column;
}

int access_check_notes(struct analyzer *z, struct err *err)
{
    for (size_t i = 0; z->notes && i < z->notes->n; i++) {
        const struct access_note *note = &z->notes->items[i];
        struct access_table t = table_access(note->table);
        int r = access_check_select(note->as, &t, note->columns, note->n, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- filters and masks ---- */

static bool same_table(const struct connector_table *x, const struct connector_table *y)
{
    return str_eq(x->catalog, y->catalog) && str_eq(x->schema, y->schema) && str_eq(x->name, y->name);
}

static bool is_under_way(const struct analyzer *z, const struct connector_table *t, struct str column)
{
    for (const struct guarded *g = z->guarded; g; g = g->outer)
        if (same_table(g->table, t) && str_is_null(g->column) == str_is_null(column) && str_eq(g->column, column) &&
            (g->as == z->context->access ||
             (g->as && z->context->access && str_eq(access_user(g->as), access_user(z->context->access)))))
            return true;
    return false;
}

struct guard {
    const char *what;    /* "row filter", "column mask" */
    const char *invalid; /* the error name */
    struct str name;     /* "a.b.c", "a.b.c.column" */
    int line, column;    /* of the table in the statement */
};

static int guard_error(const struct guard *g, struct err *err, const char *name, struct str message)
{
    return analyze_error_at(g->line, g->column, err, name, "Invalid %s for '%.*s': %.*s", g->what, STR_ARG(g->name),
                            STR_ARG(message));
}

/* The session in which an expression of the rules is evaluated: the table's, as somebody else perhaps. */
static void enter(struct analyzer *z, const struct connector_table *t, struct str user, struct analyze_context *context,
                  struct session *session)
{
    *session = *z->context->session;
    *context = *z->context;
    session->catalog = t->catalog;
    session->schema = t->schema;
    if (!str_is_null(user)) {
        session->user = user;
        context->access = access_as(z->context->access, z->arena, user);
    }
    context->session = session;
}

static int analyze_guard(struct analyzer *z, const struct guard *g, const struct connector_table *t,
                         const struct access_expression *e, struct str masked, struct scope *scope, struct expr **ret,
                         struct err *err)
{
    const struct analyze_context *context = z->context;
    struct analyze_context *inner = arena_new(z->arena, struct analyze_context);
    struct session *session = arena_new(z->arena, struct session);
    struct ast_expr *const *parameters = z->parameters;
    size_t parameter_count = z->parameter_count;
    bool describing = z->describing;
    const struct guarded here = {t, z->context->access, masked, z->guarded};
    struct ast_expr *ast;
    struct err reason = {0};

    if (is_under_way(z, t, masked))
        return analyze_error_at(g->line, g->column, err, g->invalid, "%c%s for '%.*s' is recursive",
                                g->what[0] - 'a' + 'A', g->what + 1, STR_ARG(g->name));
    int r = sql_parse_expr(z->arena, e->text, &ast, &reason);
    if (r < 0)
        return guard_error(g, err, g->invalid, str_from_cstr(reason.message));

    struct expr_env env = {.z = z, .scope = scope};
    env.clause = arena_printf(z->arena, "%c%s for '%.*s'", g->what[0] - 'a' + 'A', g->what + 1, STR_ARG(g->name)).p;
    enter(z, t, e->user, inner, session);
    z->context = inner;
    z->guarded = &here;
    z->parameters = NULL; /* those of EXECUTE are the statement's, not the rule's */
    z->parameter_count = 0;
    z->describing = false;
    r = analyze_expr(&env, ast, ret, &reason);
    z->describing = describing;
    z->parameter_count = parameter_count;
    z->parameters = parameters;
    z->guarded = here.outer;
    z->context = context;
    if (r < 0 && reason.name && strcmp(reason.name, "EXPRESSION_NOT_SCALAR") == 0)
        return analyze_error_at(g->line, g->column, err, reason.name, "%s", reason.message);
    return r < 0 ? guard_error(g, err, reason.name, str_from_cstr(reason.message)) : 0;
}

static struct str table_text(struct analyzer *z, const struct connector_table *t)
{
    return arena_printf(z->arena, "%.*s.%.*s.%.*s", STR_ARG(t->catalog), STR_ARG(t->schema), STR_ARG(t->name));
}

int access_row_predicate(struct analyzer *z, const struct connector_table *t, int line, int column, struct scope *scope,
                         struct expr **ret, struct err *err)
{
    struct access_table asked = table_access(t);
    struct access_expression e;

    *ret = NULL;
    if (!access_row_filter(z->context->access, &asked, &e))
        return 0;
    const struct guard g = {"row filter", "INVALID_ROW_FILTER", table_text(z, t), line, column};
    int r = analyze_guard(z, &g, t, &e, STR_NULL, scope, ret, err);
    if (r < 0)
        return r;
    if (!type_can_coerce((*ret)->type, &type_boolean))
        return analyze_error_at(line, column, err, "TYPE_MISMATCH",
                                "Expected row filter for '%.*s' to be of type BOOLEAN, but was %.*s", STR_ARG(g.name),
                                STR_ARG(type_name(z->arena, (*ret)->type)));
    *ret = expr_cast(z, *ret, &type_boolean);
    return 0;
}

/* NULL when the column is shown as it is. A mask of a column that may not be read at all is never looked at. */
static int mask_value(struct analyzer *z, const struct connector_table *t, int line, int column, struct scope *scope,
                      const struct scope_field *f, struct expr **ret, struct err *err)
{
    struct access_table asked = table_access(t);
    struct access_expression e;

    *ret = NULL;
    if (!access_column_mask(z->context->access, &asked, f->origin_column, &e) ||
        access_check_select(z->context->access, &asked, &f->origin_column, 1, NULL) < 0)
        return 0;
    struct str name = arena_printf(z->arena, "%.*s.%.*s", STR_ARG(table_text(z, t)), STR_ARG(f->origin_column));
    const struct guard g = {"column mask", "INVALID_COLUMN_MASK", name, line, column};
    int r = analyze_guard(z, &g, t, &e, f->origin_column, scope, ret, err);
    if (r < 0)
        return r;
    if (!type_can_coerce((*ret)->type, f->column.type))
        return analyze_error_at(
            line, column, err, "TYPE_MISMATCH", "Expected column mask for '%.*s' to be of type %.*s, but was %.*s",
            STR_ARG(name), STR_ARG(type_name(z->arena, f->column.type)), STR_ARG(type_name(z->arena, (*ret)->type)));
    *ret = expr_cast(z, *ret, f->column.type);
    return 0;
}

bool access_masks_table(const struct analyzer *z, const struct connector_table *t)
{
    struct access_table asked = table_access(t);
    struct access_expression e;

    for (size_t i = 0; i < t->column_count; i++)
        if (!t->columns[i].hidden && access_column_mask(z->context->access, &asked, t->columns[i].name, &e))
            return true;
    return false;
}

int access_guard_scan(struct analyzer *z, const struct connector_table *t, int line, int column, struct rel **rel,
                      struct scope *scope, struct err *err)
{
    struct expr *predicate, **masks = arena_array(z->arena, struct expr *, scope->n);
    struct scope own = *scope; /* what the rules' expressions see: the table, and nothing around it */
    bool any = false;

    if (!z->context->access)
        return 0;
    own.parent = NULL;
    own.ctes = NULL;
    own.cte_count = 0;
    for (size_t i = 0; i < scope->n; i++) {
        int r = mask_value(z, t, line, column, &own, &scope->fields[i], &masks[i], err);
        if (r < 0)
            return r;
        any = any || masks[i];
    }
    int r = access_row_predicate(z, t, line, column, &own, &predicate, err);
    if (r < 0)
        return r;
    if (predicate)
        *rel = rel_filter(z, *rel, predicate);
    if (!any)
        return 0;

    struct column *columns = arena_array(z->arena, struct column, scope->n);
    for (size_t i = 0; i < scope->n; i++) {
        columns[i] = scope->fields[i].column; /* passed on under its id */
        if (masks[i])
            columns[i] = column_new(z, columns[i].name, columns[i].type);
        else
            masks[i] = expr_column(z, &columns[i]);
        scope->fields[i].column = columns[i];
    }
    *rel = rel_project(z, *rel, columns, masks, scope->n);
    return 0;
}
