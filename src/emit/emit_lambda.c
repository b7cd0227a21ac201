/*
 * Functions of arrays and maps that DuckDB has no like of. A lambda of a key and a value is written as a lambda of an entry
 * in which both are bound by one-element lists.
 */
#include "emit/emitter.h"

/* NaN is DuckDB's greatest number; Trino's max skips it when there is another. */
int special_max(struct emitter *e, const struct call *c)
{
    enum type_kind kind = c->result->kind;

    if (kind == TYPE_DOUBLE || kind == TYPE_REAL)
        return emit_template(e, "coalesce(max(CASE WHEN $1 <= 'Infinity' THEN $1 END)$M, max($1)$M)", c);
    return emit_template(e, "max($1)$M", c);
}

/* Elements as text, NULL ones left out or replaced. */
int special_array_join(struct emitter *e, const struct call *c)
{
    int name = e->next_alias++;
    struct operand element = {.text = arena_printf(e->a, "x%d", name), .type = c->args[0].type->element};
    int rc;

    buf_add_cstr(e->to, "array_to_string(list_transform(");
    rc = emit_operand(e, &c->args[0]);
    buf_addf(e->to, ", lambda x%d: %s", name, c->arg_count > 2 ? "coalesce(" : "");
    if (rc == 0)
        rc = emit_cast(e, &element, &type_varchar, false);
    if (rc == 0)
        rc = emit_template(e, c->arg_count > 2 ? ", $3)), $2)" : "), $2)", c);
    return rc;
}

/* The lambda's body with its parameters bound to `first` and `second`. */
static int emit_applied(struct emitter *e, const struct operand *o, const char *first, const char *second)
{
    const struct expr *lambda = o->expr;
    int rc;

    if (!lambda || lambda->kind != EXPR_LAMBDA || lambda->lambda.n != (second ? 2 : 1))
        return err_set(e->err, ERR_INTERNAL, "a lambda has not the parameters it should");
    buf_addf(e->to, "list_transform([%s], lambda c%d: ", first, lambda->lambda.ids[0]);
    if (second)
        buf_addf(e->to, "list_transform([%s], lambda c%d: ", second, lambda->lambda.ids[1]);
    rc = emit_expression(e, lambda->args[0]);
    buf_add_cstr(e->to, second ? ")[1])[1]" : ")[1]");
    return rc;
}

/* What becomes of each entry of a map. */
enum entry_use { KEEP_ENTRY, NEW_KEY, NEW_VALUE };

static int emit_entries(struct emitter *e, const struct call *c, enum entry_use use)
{
    int name = e->next_alias++;
    struct str key = arena_printf(e->a, "struct_extract(e%d, 'key')", name);
    struct str value = arena_printf(e->a, "struct_extract(e%d, 'value')", name);
    int rc;

    buf_addf(e->to, "map_from_entries(%s(map_entries(", use == KEEP_ENTRY ? "list_filter" : "list_transform");
    rc = emit_operand(e, &c->args[0]);
    buf_addf(e->to, "), lambda e%d: ", name);
    if (use == NEW_VALUE)
        buf_addf(e->to, "struct_pack(k := %s, v := ", key.p);
    else if (use == NEW_KEY)
        buf_add_cstr(e->to, "struct_pack(k := ");
    if (rc == 0)
        rc = emit_applied(e, &c->args[1], key.p, value.p);
    if (use == NEW_VALUE)
        buf_add_char(e->to, ')');
    else if (use == NEW_KEY)
        buf_addf(e->to, ", v := %s)", value.p);
    buf_add_cstr(e->to, "))");
    return rc;
}

int special_map_filter(struct emitter *e, const struct call *c)
{
    return emit_entries(e, c, KEEP_ENTRY);
}

int special_transform_keys(struct emitter *e, const struct call *c)
{
    return emit_entries(e, c, NEW_KEY);
}

int special_transform_values(struct emitter *e, const struct call *c)
{
    return emit_entries(e, c, NEW_VALUE);
}

int special_zip_with(struct emitter *e, const struct call *c)
{
    int name = e->next_alias++;
    struct str first = arena_printf(e->a, "e%d[1]", name), second = arena_printf(e->a, "e%d[2]", name);
    int rc = emit_template(e, "list_transform(list_zip($1, $2), lambda ", c);

    buf_addf(e->to, "e%d: ", name);
    if (rc == 0)
        rc = emit_applied(e, &c->args[2], first.p, second.p);
    buf_add_char(e->to, ')');
    return rc;
}

/* DuckDB reduces to the elements' own type. */
int special_reduce(struct emitter *e, const struct call *c)
{
    struct operand reduced = {.type = c->args[1].type};
    struct call inner = *c;
    int rc;

    if (!type_eq(c->args[0].type->element, c->args[1].type))
        return emit_unsupported(e, c->line, c->column,
                                "reduce whose state is of another type than the elements is not supported");
    inner.arg_count = 3;
    {
        struct buf *outer = e->to;
        BUF_SCOPED struct buf own;

        buf_init(&own, 16 << 20);
        e->to = &own;
        rc = emit_template(e, "list_reduce($1, $3, $2)", &inner);
        e->to = outer;
        if (rc == 0)
            rc = buf_check(&own, "an expression for the engine", e->err);
        if (rc == 0)
            reduced.text = arena_str(e->a, buf_str(&own));
    }
    return rc < 0 ? rc : emit_applied(e, &c->args[3], reduced.text.p, NULL);
}
