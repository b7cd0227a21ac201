/*
 * Literals, typed literals, and CURRENT_…: what stands in the text or in the session, as constants.
 */
#include "base/json.h"
#include "sql/analyze_expr.h"
#include "sql/datetime_text.h"

enum { HELD_PRECISION = 6, MAX_PRECISION = 12 };

static const int64_t US_PER_MINUTE = INT64_C(60000000), US_PER_DAY = INT64_C(86400000000);

static size_t rune_count(struct str s)
{
    size_t n = 0;

    for (size_t at = 0; at < s.n; n++)
        (void)str_next_rune(s, &at);
    return n;
}

static int bind_decimal(struct analyzer *z, const struct ast_expr *e, struct str text, struct expr **ret,
                        struct err *err)
{
    int precision, scale;
    struct str digits;

    if (decimal_parse(z->arena, text, &precision, &scale, &digits) < 0)
        return analyze_error(e, err, "INVALID_LITERAL", "'%.*s' is not a valid DECIMAL literal", STR_ARG(text));
    *ret = expr_text(z, type_decimal(z->arena, precision, scale), digits, e);
    return 0;
}

static int bind_interval(struct analyzer *z, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    static const char *const names[] = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"};
    enum ast_interval_field from = e->interval.from, to = e->interval.to;
    int64_t value;

    if (interval_parse(e->interval.value, from, to, &value) < 0)
        return analyze_error(e, err, "INVALID_LITERAL", "Invalid INTERVAL %s%s%s value: %.*s", names[from],
                             from == to ? "" : " TO ", from == to ? "" : names[to], STR_ARG(e->interval.value));
    *ret = expr_constant(z, from <= AST_MONTH ? &type_interval_year_month : &type_interval_day_second,
                         (struct constant){.i = e->interval.negative ? -value : value}, e);
    return 0;
}

/* ---- typed literals ---- */

static int check_precision(const struct ast_expr *e, const char *type, int precision, struct err *err)
{
    if (precision > MAX_PRECISION)
        return analyze_error(e, err, "NUMERIC_VALUE_OUT_OF_RANGE", "%s precision must be in range [0, %d]: %d", type,
                             MAX_PRECISION, precision);
    if (precision > HELD_PRECISION)
        return analyze_unsupported(e->line, e->column, err, "%s with a precision above %d is not supported", type,
                                   HELD_PRECISION);
    return 0;
}

static int64_t round_to(int64_t us, int precision)
{
    int64_t unit = 1;

    for (int i = precision; i < 6; i++)
        unit *= 10;
    int64_t rest = us % unit;
    if (rest < 0)
        rest += unit;
    return rest * 2 >= unit ? us - rest + unit : us - rest;
}

int expr_timestamp_tz(struct expr_env *env, const struct datetime_text *text, int precision, const struct ast_expr *at,
                      struct expr **ret, struct err *err)
{
    struct analyzer *z = env->z;
    int64_t us = round_to(text->days * US_PER_DAY + text->time_us, precision);
    struct str zone = z->context->session->time_zone;
    int minutes;

    if (!str_is_null(text->zone) && zone_parse(z->arena, text->zone, &zone) < 0)
        return err_set(err, ERR_INVALID, "Unknown time zone");
    if (zone_fixed_offset(zone, &minutes)) {
        *ret = expr_constant(z, type_timestamp_tz(z->arena, precision, zone),
                             (struct constant){.i = us - minutes * US_PER_MINUTE}, at);
        return 0;
    }
    /* a region's rules are the engine's business */
    struct expr *args[2] = {
        expr_constant(z, type_timestamp(z->arena, precision), (struct constant){.i = us}, at),
        expr_text(z, &type_varchar, zone, at),
    };
    return expr_call(env, STR("with_timezone"), args, 2, at, ret, err);
}

static int bind_timestamp(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct analyzer *z = env->z;
    struct datetime_text text;
    struct str zone;
    int code;

    if (datetime_parse_timestamp(e->typed.value, &text) < 0 ||
        (!str_is_null(text.zone) && zone_parse(z->arena, text.zone, &zone) < 0))
        return analyze_error(e, err, "INVALID_LITERAL", "'%.*s' is not a valid TIMESTAMP literal",
                             STR_ARG(e->typed.value));
    if ((code = check_precision(e, str_is_null(text.zone) ? "TIMESTAMP" : "TIMESTAMP WITH TIME ZONE", text.precision,
                                err)) < 0)
        return code;
    if (!str_is_null(text.zone))
        return expr_timestamp_tz(env, &text, text.precision, e, ret, err);
    *ret = expr_constant(z, type_timestamp(z->arena, text.precision),
                         (struct constant){.i = text.days * US_PER_DAY + text.time_us}, e);
    return 0;
}

static int bind_time(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct datetime_text text;
    int minutes = 0, code;

    if (datetime_parse_time(e->typed.value, &text, &minutes) < 0)
        return analyze_error(e, err, "INVALID_LITERAL", "'%.*s' is not a valid TIME literal", STR_ARG(e->typed.value));
    if ((code = check_precision(e, str_is_null(text.zone) ? "TIME" : "TIME WITH TIME ZONE", text.precision, err)) < 0)
        return code;
    if (!str_is_null(text.zone))
        return analyze_unsupported(e->line, e->column, err, "TIME WITH TIME ZONE is not supported");
    *ret = expr_constant(env->z, type_time(env->z->arena, text.precision), (struct constant){.i = text.time_us}, e);
    return 0;
}

/* Well-formed JSON; its canonical form is json_parse's work. */
static int bind_json(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct expr *text;
    json_t JSON_SCOPED *json = NULL;

    if (json_parse(e->typed.value, &json, NULL) < 0)
        return analyze_error(e, err, "INVALID_LITERAL", "'%.*s' is not a valid JSON literal", STR_ARG(e->typed.value));
    text = expr_text(env->z, type_varchar_n(env->z->arena, (int)rune_count(e->typed.value)), e->typed.value, e);
    return expr_call(env, STR("json_parse"), &text, 1, e, ret, err);
}

static int bind_typed(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct analyzer *z = env->z;
    struct str name = arena_lower(z->arena, e->typed.type);
    const struct type *type;
    struct err inner = {0};
    struct constant value;

    if (str_eq(name, STR("decimal")))
        return bind_decimal(z, e, e->typed.value, ret, err);
    if (str_eq(name, STR("timestamp")))
        return bind_timestamp(env, e, ret, err);
    if (str_eq(name, STR("time")))
        return bind_time(env, e, ret, err);
    if (str_eq(name, STR("json")))
        return bind_json(env, e, ret, err);
    if (str_eq(name, STR("char"))) {
        type = type_char(z->arena, (int)rune_count(e->typed.value));
    } else if (type_parse(z->arena, name, &type, &inner) < 0) {
        if (inner.code == ERR_UNSUPPORTED)
            return analyze_unsupported(e->line, e->column, err, "%s", inner.message);
        return err_set_named(err, ERR_INVALID, "TYPE_NOT_FOUND",
                             "io.trino.spi.TrinoException: line %d:%d: Unknown resolvedType: %.*s", e->line, e->column,
                             STR_ARG(e->typed.type));
    }
    switch (constant_parse(z->arena, type, e->typed.value, &value)) {
    case 0:
        *ret = expr_constant(z, type, value, e);
        return 0;
    case ERR_UNSUPPORTED: {
        struct str shown = type_name(z->arena, type);

        return analyze_error(e, err, "INVALID_LITERAL", "No literal form for resolvedType %.*s", STR_ARG(shown));
    }
    default: {
        struct buf BUF_SCOPED upper = {0};

        buf_init(&upper, 1 << 12);
        type_format(&upper, type);
        for (size_t i = 0; i < upper.n; i++)
            if (upper.p[i] >= 'a' && upper.p[i] <= 'z')
                upper.p[i] = (char)(upper.p[i] - 'a' + 'A');
        return analyze_error(e, err, "INVALID_LITERAL", "'%.*s' is not a valid %.*s literal", STR_ARG(e->typed.value),
                             STR_ARG(buf_str(&upper)));
    }
    }
}

int bind_literal(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct analyzer *z = env->z;

    switch (e->kind) {
    case AST_EXPR_NULL:
        *ret = expr_null(z, &type_unknown, e);
        return 0;
    case AST_EXPR_BOOLEAN:
        *ret = expr_constant(z, &type_boolean, (struct constant){.i = e->boolean}, e);
        return 0;
    case AST_EXPR_STRING:
        *ret = expr_text(z, type_varchar_n(z->arena, (int)rune_count(e->text)), e->text, e);
        return 0;
    case AST_EXPR_BYTES:
        *ret = expr_text(z, &type_varbinary, e->text, e);
        return 0;
    case AST_EXPR_INTEGER:
        *ret = expr_constant(z, e->integer >= INT32_MIN && e->integer <= INT32_MAX ? &type_integer : &type_bigint,
                             (struct constant){.i = e->integer}, e);
        return 0;
    case AST_EXPR_DOUBLE:
        *ret = expr_constant(z, &type_double, (struct constant){.f = e->real}, e);
        return 0;
    case AST_EXPR_DECIMAL:
        return bind_decimal(z, e, e->text, ret, err);
    case AST_EXPR_INTERVAL:
        return bind_interval(z, e, ret, err);
    default:
        return bind_typed(env, e, ret, err);
    }
}

/* ---- what the session says ---- */

/* The statement's start, cut to the precision. */
static struct expr *start_of_statement(struct analyzer *z, int precision, const struct ast_expr *e)
{
    const struct session *s = z->context->session;
    int64_t us = s->start_us;

    for (int64_t unit = 1, p = 6; p > precision; p--) {
        unit *= 10;
        us -= us % unit;
    }
    return expr_constant(z, type_timestamp_tz(z->arena, precision, s->time_zone), (struct constant){.i = us}, e);
}

/* As the session's zone shows it: folded where the zone's offset is fixed, else the engine's work. */
static struct expr *local_start(struct analyzer *z, const struct type *to, int precision, const struct ast_expr *e)
{
    struct expr *start = start_of_statement(z, precision, e);
    int minutes;

    if (zone_fixed_offset(z->context->session->time_zone, &minutes)) {
        int64_t local = start->constant.i + minutes * US_PER_MINUTE, of_day = local % US_PER_DAY;

        if (of_day < 0)
            of_day += US_PER_DAY;
        return expr_constant(z, to,
                             (struct constant){.i = to->kind == TYPE_TIMESTAMP ? local
                                                    : to->kind == TYPE_DATE    ? (local - of_day) / US_PER_DAY
                                                                               : of_day},
                             e);
    }
    return expr_cast(z, start, to);
}

static struct expr *text_or_null(struct analyzer *z, struct str text, const struct ast_expr *e)
{
    return str_is_null(text) ? expr_null(z, &type_varchar, e) : expr_text(z, &type_varchar, text, e);
}

int bind_current(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    static const char *const type_names[] = {
        [AST_CURRENT_DATE] = "DATE",
        [AST_CURRENT_TIME] = "TIME WITH TIME ZONE",
        [AST_CURRENT_TIMESTAMP] = "TIMESTAMP WITH TIME ZONE",
        [AST_LOCALTIME] = "TIME",
        [AST_LOCALTIMESTAMP] = "TIMESTAMP",
    };
    struct analyzer *z = env->z;
    const struct session *s = z->context->session;
    int precision = e->current.precision >= 0 ? e->current.precision : 3;

    if (precision > MAX_PRECISION)
        return err_set_named(err, ERR_INVALID, "NUMERIC_VALUE_OUT_OF_RANGE",
                             "%s precision must be in range [0, %d]: %d", type_names[e->current.what], MAX_PRECISION,
                             precision);
    if (precision > HELD_PRECISION)
        return analyze_unsupported(e->line, e->column, err, "%s with a precision above %d is not supported",
                                   type_names[e->current.what], HELD_PRECISION);
    switch (e->current.what) {
    case AST_CURRENT_DATE:
        *ret = local_start(z, &type_date, 6, e);
        return 0;
    case AST_CURRENT_TIMESTAMP:
        *ret = start_of_statement(z, precision, e);
        return 0;
    case AST_LOCALTIMESTAMP:
        *ret = local_start(z, type_timestamp(z->arena, precision), precision, e);
        return 0;
    case AST_LOCALTIME:
        *ret = local_start(z, type_time(z->arena, precision), precision, e);
        return 0;
    case AST_CURRENT_TIME:
        return analyze_unsupported(e->line, e->column, err, "TIME WITH TIME ZONE is not supported");
    case AST_CURRENT_USER:
        *ret = text_or_null(z, s->user, e);
        return 0;
    case AST_CURRENT_CATALOG:
        *ret = text_or_null(z, s->catalog, e);
        return 0;
    case AST_CURRENT_SCHEMA:
        *ret = text_or_null(z, s->schema, e);
        return 0;
    case AST_CURRENT_PATH:
        *ret = expr_text(z, &type_varchar, STR(""), e);
        return 0;
    }
    return err_set(err, ERR_INTERNAL, "CURRENT_… of unknown kind %d", (int)e->current.what);
}
