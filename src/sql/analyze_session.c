/*
 * SET SESSION, RESET SESSION, SET TIME ZONE: Trino's SetSessionTask, ResetSessionTask, SetTimeZoneTask.
 */
#include "sql/analyze_query.h"

struct session_target {
    struct str name;                          /* as the header carries it: "x", "catalog.x" */
    const struct session_property *system;    /* or NULL */
    const struct connector_property *catalog; /* or NULL */
};

/* What the name means; neither member is set when nothing is called so. */
static int find_target(struct analyzer *z, const struct ast_statement *s, struct session_target *ret, struct err *err)
{
    const struct ast_name *name = &s->set_session.name;

    *ret = (struct session_target){.name = name->parts[0].lower};
    if (name->n == 1) {
        ret->system = session_property_find(ret->name);
        return 0;
    }
    if (name->n > 2)
        return analyze_error_at(s->line, s->column, err, "INVALID_SESSION_PROPERTY", "Invalid session property '%.*s'",
                                STR_ARG(analyze_format_name(z->arena, name)));

    struct connector *c = connector_find(z->context->catalogs, name->parts[0].lower);
    if (!c)
        return analyze_error_at(s->line, s->column, err, "CATALOG_NOT_FOUND", "Catalog '%.*s' not found",
                                STR_ARG(name->parts[0].lower));
    ret->name = arena_printf(z->arena, "%.*s.%.*s", STR_ARG(name->parts[0].lower), STR_ARG(name->parts[1].lower));
    for (size_t i = 0; i < c->ops->session_property_count; i++)
        if (str_eq_cstr(name->parts[1].lower, c->ops->session_property_defs[i].name))
            ret->catalog = &c->ops->session_property_defs[i];
    return 0;
}

static int missing_property(const struct session_target *t, int line, int column, struct err *err)
{
    return analyze_error_at(line, column, err, "INVALID_SESSION_PROPERTY", "Session property '%.*s' does not exist",
                            STR_ARG(t->name));
}

/* A constant as the session header carries it. */
static struct str header_text(struct analyzer *z, const struct expr *e)
{
    switch (e->type->kind) {
    case TYPE_BOOLEAN:
        return e->constant.i ? STR("true") : STR("false");
    case TYPE_REAL:
    case TYPE_DOUBLE:
        return arena_printf(z->arena, "%.17g", e->constant.f);
    case TYPE_VARCHAR:
        return e->constant.text;
    default:
        return arena_printf(z->arena, "%lld", (long long)e->constant.i);
    }
}

/* Asked before it is known whether there is such a property. */
static int check_property_access(struct analyzer *z, const struct ast_name *name, struct err *err)
{
    const struct access *access = z->context->access;

    return name->n == 1 ? access_check_system_property(access, name->parts[0].lower, err)
                        : access_check_catalog_property(access, name->parts[0].lower, name->parts[1].lower, err);
}

static int set_session(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    const struct ast_expr *value = s->set_session.value;
    struct session_target t;
    const struct type *type;
    struct expr *e;
    int r = find_target(z, s, &t, err);

    if (r == 0)
        r = check_property_access(z, &s->set_session.name, err);
    if (r < 0)
        return r;
    if (!t.system && !t.catalog)
        return missing_property(&t, value->line, value->column, err);
    r = t.catalog ? (type = t.catalog->type, 0) : type_parse(z->arena, str_from_cstr(t.system->type), &type, err);
    if (r == 0)
        r = analyze_constant(z, value, &e, err);
    if (r < 0)
        return r;
    if (!type_can_coerce(e->type, type))
        return analyze_error_at(0, 0, err, "INVALID_SESSION_PROPERTY",
                                "Unable to set session property '%.*s' to '%.*s': Cannot cast type %.*s to %.*s",
                                STR_ARG(t.name), STR_ARG(analyze_format_expr(z->arena, value)),
                                STR_ARG(type_name(z->arena, e->type)), STR_ARG(type_name(z->arena, type)));
    e = expr_cast(z, e, type);
    if (e->kind != EXPR_CONSTANT)
        return analyze_error(value, err, "INVALID_SESSION_PROPERTY", "Session property value must be a constant");
    if (e->constant.is_null)
        return analyze_error(value, err, "INVALID_SESSION_PROPERTY", "Session property value must not be null");
    ret->kind = STATEMENT_SET_SESSION;
    ret->update_type = "SET SESSION";
    ret->name = t.name;
    ret->value = header_text(z, e);
    if (t.system && session_property_check(t.system, ret->value, err) < 0) {
        err->line = value->line;
        err->column = value->column;
        return err->code;
    }
    return 0;
}

static int reset_session(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    struct session_target t;
    int r = find_target(z, s, &t, err);

    if (r < 0)
        return r;
    if (!t.system && !t.catalog)
        return missing_property(&t, s->line, s->column, err);
    ret->kind = STATEMENT_RESET_SESSION;
    ret->update_type = "RESET SESSION";
    ret->name = t.name;
    return 0;
}

static int set_time_zone(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    struct expr *e;

    ret->kind = STATEMENT_SET_TIME_ZONE;
    ret->update_type = "SET TIME ZONE";
    if (!s->value)
        return 0; /* LOCAL: the client's own */
    int r = analyze_constant(z, s->value, &e, err);
    if (r < 0)
        return r;
    if (e->kind != EXPR_CONSTANT || e->constant.is_null ||
        (e->type->kind != TYPE_VARCHAR && e->type->kind != TYPE_INTERVAL_DAY_SECOND))
        return analyze_error(s->value, err, "TYPE_MISMATCH",
                             "Expected expression of varchar or interval day-time type, but '%.*s' has %.*s type",
                             STR_ARG(analyze_format_expr(z->arena, s->value)), STR_ARG(type_name(z->arena, e->type)));
    if (e->type->kind == TYPE_VARCHAR) {
        ret->value = e->constant.text;
    } else {
        const int64_t most = INT64_C(14) * 60;
        int64_t minutes = e->constant.i / 60000;
        if (e->constant.i % 60000 != 0 || minutes < -most || minutes > most)
            return analyze_error(s->value, err, "INVALID_FUNCTION_ARGUMENT",
                                 "Invalid TIME ZONE offset interval: it must be whole minutes, up to 14 hours");
        ret->value = arena_printf(z->arena, "%c%02d:%02d", minutes < 0 ? '-' : '+', abs((int)minutes) / 60,
                                  abs((int)minutes) % 60);
    }
    if (!session_is_time_zone(ret->value))
        return analyze_error_at(0, 0, err, "NOT_SUPPORTED", "Time zone not supported: %.*s", STR_ARG(ret->value));
    return 0;
}

int analyze_session(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    if (s->kind == AST_SET_SESSION)
        return set_session(z, s, ret, err);
    if (s->kind == AST_RESET_SESSION)
        return reset_session(z, s, ret, err);
    return set_time_zone(z, s, ret, err);
}
