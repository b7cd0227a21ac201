/*
 * CALL: the procedure and its arguments, by position or by name, as Trino's CallTask takes them.
 */
#include "sql/analyze_query.h"

static const struct connector_procedure *find_procedure(const struct object_name *o)
{
    const struct connector_ops *ops = o->connector->ops;

    for (size_t i = 0; i < ops->procedure_count; i++)
        if (str_eq_cstr(o->schema, ops->procedures[i].schema) && str_eq_cstr(o->name, ops->procedures[i].name))
            return &ops->procedures[i];
    return NULL;
}

static size_t find_argument(const struct connector_procedure *p, struct str name)
{
    size_t i = 0;

    while (i < p->argument_count && !str_eq_cstr(name, p->arguments[i].name))
        i++;
    return i;
}

/* Which of the procedure's arguments each of the call's is. */
static int match_argument(const struct connector_procedure *p, const struct ast_statement *s, size_t i,
                          const struct ast_argument **by_position, struct err *err)
{
    const struct ast_argument *given = &s->call.arguments.items[i];
    size_t at = i;

    if (given->name) {
        at = find_argument(p, given->name->lower);
        if (at == p->argument_count)
            return analyze_error_at(given->line, given->column, err, "INVALID_ARGUMENTS", "Unknown argument name: %.*s",
                                    STR_ARG(given->name->lower));
        if (by_position[at])
            return analyze_error_at(given->line, given->column, err, "INVALID_ARGUMENTS",
                                    "Duplicate procedure argument: %.*s", STR_ARG(given->name->lower));
    } else if (at >= p->argument_count) {
        return analyze_error_at(s->line, s->column, err, "INVALID_ARGUMENTS", "Too many arguments for procedure");
    }
    by_position[at] = given;
    return 0;
}

static int match_arguments(const struct connector_procedure *p, const struct ast_statement *s,
                           const struct ast_argument **by_position, struct err *err)
{
    const struct ast_arguments *given = &s->call.arguments;
    size_t named = 0;

    for (size_t i = 0; i < given->n; i++)
        named += given->items[i].name != NULL;
    if (named && named < given->n)
        return analyze_error_at(s->line, s->column, err, "INVALID_ARGUMENTS",
                                "Named and positional arguments cannot be mixed");
    for (size_t i = 0; i < given->n; i++) {
        int r = match_argument(p, s, i, by_position, err);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < p->argument_count; i++)
        if (!by_position[i] && !p->arguments[i].is_optional)
            return analyze_error_at(s->line, s->column, err, "INVALID_ARGUMENTS",
                                    "Required procedure argument '%s' is missing", p->arguments[i].name);
    return 0;
}

static int evaluate(struct analyzer *z, const struct ast_argument *given, const struct type *type, struct constant *ret,
                    struct err *err)
{
    struct expr *value;
    int r = analyze_constant(z, given->value, &value, err);

    if (r < 0)
        return r;
    const struct type *from = value->type;
    value = analyze_coerce_constant(z, value, type);
    if (!value || value->kind != EXPR_CONSTANT)
        return analyze_error(given->value, err, "TYPE_MISMATCH", "Cannot cast type %.*s to %.*s",
                             STR_ARG(type_name(z->arena, from)), STR_ARG(type_name(z->arena, type)));
    *ret = value->constant;
    return 0;
}

int analyze_procedure(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    const struct connector_procedure *p;
    const struct ast_argument **given;
    struct object_name o;
    int r = object_require(z, &s->call.name, s->line, s->column, &o, err);

    if (r < 0)
        return r;
    p = find_procedure(&o);
    if (!p)
        return analyze_error_at(0, 0, err, "PROCEDURE_NOT_FOUND", "Procedure not registered: %.*s.%.*s",
                                STR_ARG(o.schema), STR_ARG(o.name));
    r = access_check_procedure(z->context->access, o.catalog, o.schema, o.name, err);
    if (r < 0)
        return r;
    given = arena_array(z->arena, const struct ast_argument *, p->argument_count);
    r = match_arguments(p, s, given, err);
    ret->arguments = arena_array(z->arena, struct constant, p->argument_count);
    for (size_t i = 0; r == 0 && i < p->argument_count; i++) {
        ret->arguments[i].is_null = true;
        if (given[i])
            r = evaluate(z, given[i], p->arguments[i].type, &ret->arguments[i], err);
    }
    ret->kind = STATEMENT_CALL;
    ret->update_type = "CALL";
    ret->connector = o.connector;
    ret->catalog = o.catalog;
    ret->procedure = p;
    return r;
}
