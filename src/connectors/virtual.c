#include "connectors/virtual.h"
#include "base/vec.h"

/* The constant text of `column = constant` (either side), or null. Casts of a column to a longer varchar are seen
 * through: the analyser puts one where a literal's type differs. */
static struct str equality_text(const struct expr *e, int column_id)
{
    if (e->kind != EXPR_COMPARE || e->op != COMPARE_EQ)
        return STR_NULL;
    for (int side = 0; side < 2; side++) {
        const struct expr *column = e->args[side], *value = e->args[1 - side];

        while (column->kind == EXPR_CAST && column->type->kind == TYPE_VARCHAR)
            column = column->args[0];
        while (value->kind == EXPR_CAST && value->type->kind == TYPE_VARCHAR)
            value = value->args[0];
        if (column->kind == EXPR_COLUMN && column->column_id == column_id && value->kind == EXPR_CONSTANT &&
            value->type->kind == TYPE_VARCHAR && !value->constant.is_null)
            return value->constant.text;
    }
    return STR_NULL;
}

struct str virtual_filter(const struct virtual_scan *s, const char *column)
{
    for (size_t i = 0; i < s->request->column_count; i++) {
        if (strcmp(s->table->columns[s->request->table_columns[i]].name, column) != 0)
            continue;
        for (size_t k = 0; k < s->request->conjunct_count; k++) {
            struct str v = equality_text(s->request->conjuncts[k], s->request->ids[i]);
            if (!str_is_null(v))
                return v;
        }
    }
    return STR_NULL;
}

bool virtual_wants(const struct virtual_scan *s, const char *column, struct str value)
{
    struct str filter = virtual_filter(s, column);
    return str_is_null(filter) || str_eq(filter, value);
}

int virtual_begin_row(struct virtual_scan *s, struct err *err)
{
    if (s->row_count == VIRTUAL_MAX_ROWS)
        return err_set(err, ERR_LIMIT,
                       "the table %s.%s has more than %d rows: add a condition on its catalog or schema",
                       s->table->schema, s->table->name, VIRTUAL_MAX_ROWS);
    struct constant *row = arena_array(s->arena, struct constant, s->table->column_count);
    for (size_t i = 0; i < s->table->column_count; i++)
        row[i].is_null = true;
    if (s->row_count == s->row_cap)
        s->rows = vec_grow_in(s->arena, s->rows, &s->row_cap, s->row_count, sizeof(*s->rows));
    s->rows[s->row_count++] = row;
    s->at = 0;
    return 0;
}

static void add(struct virtual_scan *s, struct constant v)
{
    s->rows[s->row_count - 1][s->at++] = v;
}

void virtual_add_str(struct virtual_scan *s, struct str v)
{
    add(s, (struct constant){.is_null = str_is_null(v), .text = v});
}

void virtual_add_cstr(struct virtual_scan *s, const char *v)
{
    virtual_add_str(s, str_from_cstr(v));
}

void virtual_add_i64(struct virtual_scan *s, int64_t v)
{
    add(s, (struct constant){.i = v});
}

void virtual_add_bool(struct virtual_scan *s, bool v)
{
    add(s, (struct constant){.i = v});
}

void virtual_add_f64(struct virtual_scan *s, double v)
{
    add(s, (struct constant){.f = v});
}

void virtual_add_array(struct virtual_scan *s, const struct constant *items, size_t n)
{
    add(s, (struct constant){.items = items, .item_count = n});
}

void virtual_add_null(struct virtual_scan *s)
{
    add(s, (struct constant){.is_null = true});
}

const struct virtual_table *virtual_find(const struct virtual_table *const *tables, size_t n, struct str schema,
                                         struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_cstr(schema, tables[i]->schema) && str_eq_cstr(name, tables[i]->name))
            return tables[i];
    return NULL;
}

struct connector_table *virtual_make_table(struct connector *c, struct arena *a, const struct virtual_table *t)
{
    struct connector_table *table = arena_new(a, struct connector_table);

    table->connector = c;
    table->catalog = c->catalog;
    table->schema = str_from_cstr(t->schema);
    table->name = str_from_cstr(t->name);
    table->columns = arena_array(a, struct connector_column, t->column_count);
    table->column_count = t->column_count;
    table->handle = (void *)t;
    for (size_t i = 0; i < t->column_count; i++)
        table->columns[i] = (struct connector_column){
            .name = str_from_cstr(t->columns[i].name), .type = t->columns[i].type, .hidden = t->columns[i].hidden};
    return table;
}

int virtual_plan_scan(const struct virtual_context *context, struct arena *a, const struct connector_scan *scan,
                      struct connector_scan_plan *ret, struct err *err)
{
    struct virtual_scan s = {
        .context = context, .arena = a, .table = scan->table->handle, .catalog = scan->table->catalog, .request = scan};
    int r = s.table->fill(&s, err);

    if (r < 0)
        return r;
    /* fill made whole rows; the request may want fewer columns, in another order, or none (then one dummy) */
    size_t n = scan->column_count ? scan->column_count : 1;
    struct connector_rows *rows = arena_new(a, struct connector_rows);
    const struct type **types = arena_array(a, const struct type *, n);
    for (size_t i = 0; i < n; i++)
        types[i] = scan->column_count ? s.table->columns[scan->table_columns[i]].type : &type_boolean;
    rows->types = types;
    rows->column_count = n;
    rows->rows = arena_array(a, struct constant *, s.row_count);
    rows->row_count = s.row_count;
    for (size_t k = 0; k < s.row_count; k++) {
        rows->rows[k] = arena_array(a, struct constant, n);
        for (size_t i = 0; i < scan->column_count; i++)
            rows->rows[k][i] = s.rows[k][scan->table_columns[i]];
    }
    *ret = (struct connector_scan_plan){.rows = rows};
    return 0;
}
