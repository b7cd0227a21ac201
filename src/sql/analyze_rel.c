/*
 * Relations under construction. Ids are given once: a relation that only passes rows on keeps its input's columns, so
 * what refers to them is right wherever it stands.
 */
#include "sql/analyze_query.h"

struct column column_new(struct analyzer *z, struct str name, const struct type *type)
{
    return (struct column){.id = z->next_id++, .name = name, .type = type};
}

struct rel *rel_new(struct analyzer *z, enum rel_kind kind)
{
    struct rel *r = arena_new(z->arena, struct rel);

    r->kind = kind;
    return r;
}

static size_t own_column_count(const struct rel *r)
{
    if (r->kind == REL_WINDOW)
        return r->window.call_count;
    if (r->kind != REL_UNNEST)
        return 0;

    size_t n = r->unnest.with_ordinality ? 1 : 0;
    for (size_t i = 0; i < r->unnest.expr_count; i++) {
        const struct type *t = r->unnest.exprs[i]->type;
        n += t->kind == TYPE_MAP ? 2 : t->element->kind == TYPE_ROW ? t->element->field_count : 1;
    }
    return n;
}

static bool passes_columns(const struct rel *r)
{
    switch (r->kind) {
    case REL_FILTER:
    case REL_SORT:
    case REL_LIMIT:
    case REL_DISTINCT:
    case REL_JOIN:
    case REL_WINDOW:
    case REL_UNNEST:
        return true;
    default:
        return false;
    }
}

void rel_derive_columns(struct analyzer *z, struct rel *r)
{
    if (!passes_columns(r))
        return;

    size_t left = r->input ? r->input->column_count : 0;
    size_t right = r->kind == REL_JOIN ? r->right->column_count : 0;
    size_t own = own_column_count(r);
    struct column *columns = arena_array(z->arena, struct column, left + right + own);

    if (left)
        memcpy(columns, r->input->columns, left * sizeof(*columns));
    if (right)
        memcpy(columns + left, r->right->columns, right * sizeof(*columns));
    for (size_t i = 0; i < own; i++)
        columns[left + i] = r->kind == REL_WINDOW ? r->window.calls[i].out : r->columns[r->column_count - own + i];
    r->columns = columns;
    r->column_count = left + right + own;
}

struct rel *rel_over(struct analyzer *z, enum rel_kind kind, struct rel *input)
{
    struct rel *r = rel_new(z, kind);

    r->input = input;
    r->columns = input->columns;
    r->column_count = input->column_count;
    return r;
}

struct rel *rel_filter(struct analyzer *z, struct rel *input, struct expr *predicate)
{
    struct rel *r = rel_over(z, REL_FILTER, input);

    r->predicate = predicate;
    return r;
}

struct rel *rel_values(struct analyzer *z, struct column *columns, size_t n)
{
    struct rel *r = rel_new(z, REL_VALUES);

    r->columns = columns;
    r->column_count = n;
    return r;
}

struct rel *rel_one_row(struct analyzer *z)
{
    struct rel *r = rel_values(z, NULL, 0);

    r->values.rows = arena_array(z->arena, struct expr **, 1);
    r->values.rows[0] = arena_array(z->arena, struct expr *, 0);
    r->values.row_count = 1;
    return r;
}

struct rel *rel_project(struct analyzer *z, struct rel *input, struct column *columns, struct expr **exprs, size_t n)
{
    struct rel *r = rel_new(z, REL_PROJECT);

    r->input = input;
    r->columns = columns;
    r->column_count = n;
    r->exprs = exprs;
    return r;
}

struct rel *rel_coerce(struct analyzer *z, struct rel *input, const struct type *const *types)
{
    size_t n = input->column_count;
    bool same = true;

    for (size_t i = 0; i < n; i++)
        same = same && type_eq(input->columns[i].type, types[i]);
    if (same)
        return input;

    struct column *columns = arena_array(z->arena, struct column, n);
    struct expr **exprs = arena_array(z->arena, struct expr *, n);
    for (size_t i = 0; i < n; i++) {
        columns[i] = column_new(z, input->columns[i].name, types[i]);
        exprs[i] = expr_cast(z, expr_column(z, &input->columns[i]), types[i]);
    }
    return rel_project(z, input, columns, exprs, n);
}
