/*
 * Scopes and what names mean in them: Trino's Scope and RelationType.
 *
 * A query has a scope of its own (is_query), which holds its WITH queries and no fields; what its FROM yields is a scope
 * below it. Leaving a query's scope upwards is correlation. A name is looked up as the longest chain of identifiers
 * that is a column of the nearest scope; where only a part of the chain is one, the rest are fields of its row.
 */
#include "sql/analyze_query.h"

struct scope *scope_new(struct analyzer *z, struct scope *parent)
{
    struct scope *s = arena_new(z->arena, struct scope);

    s->parent = parent;
    return s;
}

struct scope *scope_new_query(struct analyzer *z, struct scope *outer)
{
    struct scope *s = scope_new(z, outer);

    s->is_query = true;
    return s;
}

void scope_add(struct analyzer *z, struct scope *s, struct scope_field f)
{
    if (s->n == s->cap)
        s->fields = vec_grow_in(z->arena, s->fields, &s->cap, s->n, sizeof(*s->fields));
    s->fields[s->n++] = f;
}

void scope_add_all(struct analyzer *z, struct scope *s, const struct scope *from)
{
    for (size_t i = 0; i < from->n; i++)
        scope_add(z, s, from->fields[i]);
}

void scope_add_cte(struct analyzer *z, struct scope *s, struct scope_cte cte)
{
    struct scope_cte *ctes = arena_array(z->arena, struct scope_cte, s->cte_count + 1);

    ctes[0] = cte;
    if (s->cte_count)
        memcpy(ctes + 1, s->ctes, s->cte_count * sizeof(*ctes));
    s->ctes = ctes;
    s->cte_count++;
}

const struct scope_cte *scope_find_cte(const struct scope *s, struct str lower)
{
    for (; s; s = s->parent)
        for (size_t i = 0; i < s->cte_count; i++)
            if (str_eq(s->ctes[i].name, lower))
                return &s->ctes[i];
    return NULL;
}

size_t scope_visible_count(const struct scope *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        n += !s->fields[i].hidden;
    return n;
}

size_t scope_chain(struct analyzer *z, const struct ast_expr *e, struct str **ret)
{
    size_t n = 1;
    const struct ast_expr *base = e;

    for (; base->kind == AST_EXPR_DEREFERENCE; base = base->dereference.base)
        n++;
    if (base->kind != AST_EXPR_IDENT)
        return 0;

    struct str *parts = arena_array(z->arena, struct str, n);
    for (size_t i = n; i-- > 1; e = e->dereference.base)
        parts[i] = e->dereference.field->lower;
    parts[0] = base->ident.lower;
    *ret = parts;
    return n;
}

/* The last part is the column's name, those before it the end of the relation's. */
static bool field_matches(const struct scope_field *f, const struct str *parts, size_t n)
{
    if (str_is_null(f->column.name) || !str_eq_nocase(f->column.name, parts[n - 1]) || f->qualifier_count < n - 1)
        return false;
    for (size_t i = 0; i + 1 < n; i++)
        if (!str_eq(f->qualifier[f->qualifier_count - (n - 1) + i], parts[i]))
            return false;
    return true;
}

static size_t match_parts(const struct scope *s, const struct str *parts, size_t n, const struct scope_field **ret)
{
    size_t found = 0;

    for (size_t i = 0; i < s->n; i++)
        if (field_matches(&s->fields[i], parts, n) && found++ == 0)
            *ret = &s->fields[i];
    return found;
}

size_t scope_match(const struct scope *s, struct str name, const struct scope_field **ret)
{
    return match_parts(s, &name, 1, ret);
}

size_t scope_match_expr(struct analyzer *z, const struct scope *s, const struct ast_expr *e,
                        const struct scope_field **ret)
{
    struct str *parts;
    size_t n = scope_chain(z, e, &parts);

    return n ? match_parts(s, parts, n, ret) : 0;
}

static struct str parts_text(struct analyzer *z, const struct str *parts, size_t n)
{
    BUF_SCOPED struct buf b;

    buf_init(&b, ERR_MESSAGE_SIZE);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_add_char(&b, '.');
        buf_add_str(&b, parts[i]);
    }
    return arena_str(z->arena, buf_str(&b));
}

/* The node of the chain whose last part is parts[i]. */
static const struct ast_expr *chain_node(const struct ast_expr *e, size_t n, size_t i)
{
    for (; n - 1 > i; n--)
        e = e->dereference.base;
    return e;
}

static struct expr *column_at(struct analyzer *z, const struct scope_field *f, const struct ast_expr *at)
{
    struct expr *e = expr_column(z, &f->column);

    e->line = at->line;
    e->column = at->column;
    return e;
}

/* parts[from…] are fields of `row`. */
static int resolve_fields(struct analyzer *z, const struct ast_expr *e, const struct str *parts, size_t n, size_t from,
                          struct expr *row, struct expr **ret, struct err *err)
{
    for (size_t i = from; i < n; i++) {
        const struct type *t = row->type;
        size_t found = 0, index = 0;

        if (t->kind != TYPE_ROW) {
            struct str text = analyze_format_expr(z->arena, chain_node(e, n, i - 1));
            return analyze_error(chain_node(e, n, i - 1), err, "TYPE_MISMATCH", "Expression %.*s is not of type ROW",
                                 STR_ARG(text));
        }
        for (size_t k = 0; k < t->field_count; k++)
            if (!str_is_null(t->fields[k].name) && str_eq_nocase(t->fields[k].name, parts[i]) && found++ == 0)
                index = k;
        if (found == 0) {
            struct str text = parts_text(z, parts, n);
            return analyze_error(chain_node(e, n, i), err, "COLUMN_NOT_FOUND", "Column '%.*s' cannot be resolved",
                                 STR_ARG(text));
        }
        if (found > 1)
            return analyze_error(chain_node(e, n, i), err, "AMBIGUOUS_NAME", "Ambiguous row field reference: %.*s",
                                 STR_ARG(parts[i]));

        struct expr *field = expr_new(z, EXPR_FIELD, t->fields[index].type, chain_node(e, n, i));
        field->args = arena_array(z->arena, struct expr *, 1);
        field->args[0] = row;
        field->arg_count = 1;
        field->field_index = index;
        row = field;
    }
    *ret = row;
    return 1;
}

int scope_resolve(struct analyzer *z, const struct scope *s, const struct ast_expr *e, struct expr **ret,
                  int *ret_level, struct err *err)
{
    struct str *parts;
    size_t n = scope_chain(z, e, &parts);
    int level = 0;

    if (n == 0)
        return 0;
    for (; s; s = s->parent) {
        for (size_t k = n; k >= 1; k--) {
            const struct scope_field *f;
            size_t found = match_parts(s, parts, k, &f);

            if (found > 1) {
                struct str text = parts_text(z, parts, k);
                return analyze_error(chain_node(e, n, k - 1), err, "AMBIGUOUS_NAME", "Column '%.*s' is ambiguous",
                                     STR_ARG(text));
            }
            if (found == 1) {
                *ret_level = level;
                access_note_field(z, f);
                return resolve_fields(z, e, parts, n, k, column_at(z, f, chain_node(e, n, k - 1)), ret, err);
            }
        }
        level += s->is_query;
    }
    struct str text = parts_text(z, parts, n);
    return analyze_error(e, err, "COLUMN_NOT_FOUND", "Column '%.*s' cannot be resolved", STR_ARG(text));
}
