/*
 * Calls of functions, and the syntax that means one: ||, EXTRACT, TRIM, FORMAT.
 */
#include "sql/analyze_call.h"
#include "sql/datetime_text.h"

enum { MAX_CALL_ARGUMENTS = 127 };

/* ---- the time zone of a result ---- */

static int zone_of_text(struct expr_env *env, const struct expr *e, const struct ast_expr *at, struct str *ret,
                        struct err *err)
{
    if (e->kind != EXPR_CONSTANT || e->constant.is_null)
        return analyze_unsupported(at->line, at->column, err, "A time zone that is no constant is not supported");
    if (zone_parse(env->z->arena, e->constant.text, ret) < 0)
        return err_set_named(err, ERR_INVALID, "INVALID_FUNCTION_ARGUMENT", "'%.*s' is not a valid time zone",
                             STR_ARG(e->constant.text));
    return 0;
}

static int zone_of_minutes(struct expr_env *env, int64_t minutes, struct str *ret, struct err *err)
{
    enum { MAX_OFFSET_MINUTES = 14 * 60 };
    int64_t size = minutes < 0 ? -minutes : minutes;

    if (size > MAX_OFFSET_MINUTES)
        return err_set_named(err, ERR_INVALID, "INVALID_FUNCTION_ARGUMENT", "Invalid offset minutes %lld",
                             (long long)minutes);
    return zone_parse(
        env->z->arena,
        arena_printf(env->z->arena, "%c%02d:%02d", minutes < 0 ? '-' : '+', (int)size / 60, (int)size % 60), ret);
}

static bool is_named(const struct function *f, const char *name)
{
    return strcmp(f->name, name) == 0;
}

static bool is_number(const struct expr *e)
{
    return e->kind == EXPR_CONSTANT && !e->constant.is_null;
}

/* The zone that Trino would keep with each value is static here: that of an argument which says it, else of the first
 * argument that has one, else the session's. */
static int result_zone(struct expr_env *env, const struct function *f, struct expr *const *args, size_t n,
                       const struct ast_expr *at, struct str *ret, struct err *err)
{
    *ret = env->z->context->session->time_zone;
    if (is_named(f, "with_timezone") || is_named(f, "at_timezone") || (is_named(f, "from_unixtime") && n == 2) ||
        (is_named(f, "$at_timezone") && args[1]->type->kind == TYPE_VARCHAR))
        return zone_of_text(env, args[1], at, ret, err);
    if (is_named(f, "$at_timezone")) {
        enum { MS_PER_MINUTE = 60000 };

        if (!is_number(args[1]))
            return analyze_unsupported(at->line, at->column, err, "A time zone that is no constant is not supported");
        return zone_of_minutes(env, args[1]->constant.i / MS_PER_MINUTE, ret, err);
    }
    if (is_named(f, "from_unixtime") && n == 3) {
        if (!is_number(args[1]) || !is_number(args[2]))
            return analyze_unsupported(at->line, at->column, err, "A time zone that is no constant is not supported");
        return zone_of_minutes(env, args[1]->constant.i * 60 + args[2]->constant.i, ret, err);
    }
    for (size_t i = 0; i < n; i++) {
        if (args[i]->type->kind == TYPE_TIMESTAMP_TZ) {
            *ret = args[i]->type->zone;
            return f->variables && f->variables[0] != ';' ? expr_check_zones(args, n, at, err) : 0;
        }
    }
    return 0;
}

int call_result_type(struct expr_env *env, const struct function_match *match, struct expr *const *args, size_t n,
                     const struct ast_expr *at, const struct type **ret, struct err *err)
{
    struct str zone;
    int code;

    *ret = match->result;
    if (match->result->kind == TYPE_DECIMAL && match->result->scale > match->result->precision)
        return err_set_named(err, ERR_INVALID, "INVALID_FUNCTION_ARGUMENT",
                             "DECIMAL scale must be in range [0, precision (%d)]: %d", match->result->precision,
                             match->result->scale);
    if (match->result->kind != TYPE_TIMESTAMP_TZ || match->function->kind != FUNCTION_SCALAR)
        return 0;
    if ((code = result_zone(env, match->function, args, n, at, &zone, err)) < 0)
        return code;
    *ret = type_timestamp_tz(env->z->arena, match->result->precision, zone);
    return 0;
}

/* ---- calls ---- */

static int check_call(const struct function *f, size_t n, const struct ast_expr *at, struct err *err)
{
    if (n > MAX_CALL_ARGUMENTS)
        return analyze_error(at, err, "TOO_MANY_ARGUMENTS", "Too many arguments for function call %s()", f->name);
    if (is_named(f, "concat") && n < 2)
        return err_set_named(err, ERR_INVALID, "INVALID_FUNCTION_ARGUMENT",
                             "There must be two or more concatenation arguments");
    return 0;
}

static int make_call(struct expr_env *env, const struct function_match *match, struct expr **args, size_t n,
                     const struct ast_expr *at, struct expr **ret, struct err *err)
{
    const struct type *type;
    int code;

    if ((code = check_call(match->function, n, at, err)) < 0 ||
        (code = call_result_type(env, match, args, n, at, &type, err)) < 0)
        return code;
    *ret = expr_new(env->z, EXPR_CALL, type, at);
    (*ret)->function = match->function;
    (*ret)->args = args;
    (*ret)->arg_count = n;
    return 0;
}

int expr_call(struct expr_env *env, struct str name, struct expr **args, size_t n, const struct ast_expr *at,
              struct expr **ret, struct err *err)
{
    struct analyzer *z = env->z;
    const struct type **types = arena_array(z->arena, const struct type *, n);
    struct expr **coerced = arena_array(z->arena, struct expr *, n);
    struct function_match match;
    struct err inner = {0};
    int code;

    for (size_t i = 0; i < n; i++)
        types[i] = args[i]->type;
    if ((code = function_resolve(z->arena, name, types, n, NULL, &match, &inner)) < 0) {
        if (inner.code != ERR_INTERNAL) {
            inner.line = at->line;
            inner.column = at->column;
        }
        if (err)
            *err = inner;
        return code;
    }
    for (size_t i = 0; i < n; i++)
        coerced[i] = expr_cast(z, args[i], match.parameters[i]);
    return make_call(env, &match, coerced, n, at, ret, err);
}

/* The function's name for resolution: built-in ones only. */
static int call_name(struct expr_env *env, const struct ast_expr *e, struct str *ret, struct err *err)
{
    const struct ast_name *name = &e->call->name;
    struct buf BUF_SCOPED text = {0};

    if (name->n == 1) {
        *ret = name->parts[0].lower;
        return 0;
    }
    if (name->n == 3 && str_eq(name->parts[0].lower, STR("system")) && str_eq(name->parts[1].lower, STR("builtin"))) {
        *ret = name->parts[2].lower;
        return 0;
    }
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < name->n; i++) {
        if (i > 0)
            buf_add_char(&text, '.');
        buf_add_str(&text, name->parts[i].lower);
    }
    if (name->n > 3)
        return err_set_named(err, ERR_INVALID, "FUNCTION_NOT_FOUND", "Invalid function name: %.*s",
                             STR_ARG(buf_str(&text)));
    if (name->n == 2 && str_is_null(env->z->context->session->catalog))
        return analyze_error(e, err, "MISSING_CATALOG_NAME",
                             "Session default catalog must be set to resolve a partial function name: %.*s",
                             STR_ARG(buf_str(&text)));
    return analyze_error(e, err, "FUNCTION_NOT_FOUND", "Function '%.*s' not registered", STR_ARG(buf_str(&text)));
}

/* Functions without arguments whose value the session knows: constants for the whole statement. */
static bool fold_session_call(struct expr_env *env, struct str name, const struct ast_expr *e, struct expr **ret,
                              int *ret_code, struct err *err)
{
    struct ast_expr current = {.kind = AST_EXPR_CURRENT, .line = e->line, .column = e->column};

    current.current.precision = -1;
    if (e->call->args.n > 0 || e->call->star)
        return false;
    if (str_eq(name, STR("now"))) {
        current.current.what = AST_CURRENT_TIMESTAMP;
        *ret_code = bind_current(env, &current, ret, err);
    } else if (str_eq(name, STR("current_date"))) {
        current.current.what = AST_CURRENT_DATE;
        *ret_code = bind_current(env, &current, ret, err);
    } else if (str_eq(name, STR("current_timezone"))) {
        *ret = expr_text(env->z, &type_varchar, env->z->context->session->time_zone, e);
        *ret_code = 0;
    } else {
        return false;
    }
    return true;
}

static int bind_typeof(struct expr_env *env, const struct expr *call, const struct ast_expr *e, struct expr **ret)
{
    struct buf BUF_SCOPED text = {0};

    buf_init(&text, 1 << 16);
    type_format(&text, call->args[0]->type);
    *ret = expr_text(env->z, &type_varchar, arena_str(env->z->arena, buf_str(&text)), e);
    return 0;
}

static int bind_scalar_call(struct expr_env *env, struct str name, const struct ast_expr *e, struct expr **ret,
                            struct err *err)
{
    const struct ast_call *c = e->call;
    struct function_match match;
    struct expr **args, *filter;
    int code;

    if (c->distinct)
        return analyze_error(e, err, "FUNCTION_NOT_AGGREGATE",
                             "DISTINCT is not supported for non-aggregation functions");
    if (c->filter && (code = expr_bind_as(env, c->filter, &type_boolean, "Filter expression", &filter, err)) < 0)
        return code;
    if (fold_session_call(env, name, e, ret, &code, err))
        return code;
    if ((code = bind_arguments(env, name, e, &c->args, &match, &args, err)) < 0)
        return code;
    if (match.function->kind == FUNCTION_WINDOW)
        return analyze_error(e, err, "MISSING_OVER", "Window function system.builtin.%s requires an OVER clause",
                             match.function->name);
    if (c->filter)
        return analyze_error(e, err, "FUNCTION_NOT_AGGREGATE", "Filter is only valid for aggregation functions");
    if (c->order_by.n > 0)
        return analyze_error(e, err, "FUNCTION_NOT_AGGREGATE", "ORDER BY is only valid for aggregation functions");
    if ((code = make_call(env, &match, args, c->args.n, e, ret, err)) < 0)
        return code;
    /* a constant: the type of an expression is known before it runs */
    return is_named(match.function, "typeof") ? bind_typeof(env, *ret, e, ret) : 0;
}

int bind_call(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    const struct ast_call *c = e->call;
    struct str name;
    int code;

    for (size_t i = 0; i < c->args.n; i++)
        if (c->args.items[i]->kind == AST_EXPR_DEREFERENCE && !c->args.items[i]->dereference.field)
            return analyze_error(c->args.items[i], err, "INVALID_FUNCTION_ARGUMENT",
                                 "label.* syntax is only supported as the only argument of row pattern count function");
    if (c->star_label)
        return analyze_error_at(c->star_label->line, c->star_label->column, err, "INVALID_FUNCTION_ARGUMENT",
                                "label.* syntax is only supported as the only argument of row pattern count function");
    if (c->mode != AST_MODE_UNSAID)
        return analyze_error(e, err, "INVALID_PROCESSING_MODE",
                             "%s semantics is not supported out of pattern recognition context",
                             c->mode == AST_MODE_RUNNING ? "RUNNING" : "FINAL");
    if ((code = call_name(env, e, &name, err)) < 0)
        return code;
    if (c->window)
        return bind_window_call(env, name, e, ret, err);
    if (function_is_aggregate(name))
        return bind_aggregate(env, name, e, ret, err);
    return bind_scalar_call(env, name, e, ret, err);
}

/* ---- syntax that means a call ---- */

static int bind_concat(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct expr *args[2];
    int code;

    if ((code = expr_bind(env, e->binary.left, &args[0], err)) < 0 ||
        (code = expr_bind(env, e->binary.right, &args[1], err)) < 0)
        return code;
    return expr_call(env, STR("concat"), args, 2, e, ret, err);
}

enum {
    ON_DATE = 1,
    ON_TIMESTAMP = 2,
    ON_TIMESTAMP_TZ = 4,
    ON_TIME = 8,
    ON_MONTHS = 16,
    ON_SECONDS = 32,
    ON_TIME_TZ = 64
};

static int bind_extract(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    static const int on_day = ON_DATE | ON_TIMESTAMP | ON_TIMESTAMP_TZ;
    static const int on_time = ON_TIMESTAMP | ON_TIMESTAMP_TZ | ON_TIME | ON_TIME_TZ | ON_SECONDS;
    static const int on_zone = ON_TIMESTAMP_TZ | ON_TIME_TZ;
    static const struct {
        const char *field, *function;
        const int *on;
        int also;
    } fields[] = {
        {"YEAR", "year", &on_day, ON_MONTHS},
        {"QUARTER", "quarter", &on_day, 0},
        {"MONTH", "month", &on_day, ON_MONTHS},
        {"WEEK", "week", &on_day, 0},
        {"DAY", "day", &on_day, ON_SECONDS},
        {"DAY_OF_MONTH", "day", &on_day, 0},
        {"DAY_OF_WEEK", "day_of_week", &on_day, 0},
        {"DOW", "day_of_week", &on_day, 0},
        {"DAY_OF_YEAR", "day_of_year", &on_day, 0},
        {"DOY", "day_of_year", &on_day, 0},
        {"YEAR_OF_WEEK", "year_of_week", &on_day, 0},
        {"YOW", "year_of_week", &on_day, 0},
        {"HOUR", "hour", &on_time, 0},
        {"MINUTE", "minute", &on_time, 0},
        {"SECOND", "second", &on_time, 0},
        {"TIMEZONE_HOUR", "timezone_hour", &on_zone, 0},
        {"TIMEZONE_MINUTE", "timezone_minute", &on_zone, 0},
    };
    static const int on_of[TYPE_FUNCTION + 1] = {
        [TYPE_DATE] = ON_DATE,
        [TYPE_TIMESTAMP] = ON_TIMESTAMP,
        [TYPE_TIMESTAMP_TZ] = ON_TIMESTAMP_TZ,
        [TYPE_TIME] = ON_TIME,
        [TYPE_TIME_TZ] = ON_TIME_TZ,
        [TYPE_INTERVAL_YEAR_MONTH] = ON_MONTHS,
        [TYPE_INTERVAL_DAY_SECOND] = ON_SECONDS,
    };
    struct expr *value;
    int code;

    if ((code = expr_bind(env, e->extract.value, &value, err)) < 0)
        return code;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (str_eq_cstr(e->extract.field, fields[i].field) &&
            ((*fields[i].on | fields[i].also) & on_of[value->type->kind]))
            return expr_call(env, str_from_cstr(fields[i].function), &value, 1, e, ret, err);
    struct str type = type_name(env->z->arena, value->type);
    return analyze_error(e->extract.value, err, "TYPE_MISMATCH", "Cannot extract %.*s from %.*s",
                         STR_ARG(e->extract.field), STR_ARG(type));
}

static int bind_trim(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    static const char *const names[] = {
        [AST_TRIM_BOTH] = "trim", [AST_TRIM_LEADING] = "ltrim", [AST_TRIM_TRAILING] = "rtrim"};
    struct expr *args[2];
    int code;

    if ((code = expr_bind(env, e->trim.value, &args[0], err)) < 0 ||
        (e->trim.chars && (code = expr_bind(env, e->trim.chars, &args[1], err)) < 0))
        return code;
    code = expr_call(env, str_from_cstr(names[e->trim.where]), args, e->trim.chars ? 2 : 1, e, ret, err);
    if (code < 0 && err) /* Trino forgets the position here */
        err->line = err->column = 0;
    return code;
}

static int bind_format(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct expr **args;
    int code;

    if ((code = expr_bind_list(env, &e->list, &args, err)) < 0)
        return code;
    if (args[0]->type->kind != TYPE_VARCHAR) {
        struct str type = type_name(env->z->arena, args[0]->type);

        return analyze_error(e->list.items[0], err, "TYPE_MISMATCH",
                             "Type of first argument to format() must be VARCHAR (actual: %.*s)", STR_ARG(type));
    }
    *ret = expr_new(env->z, EXPR_CALL, &type_varchar, e);
    (*ret)->function = function_find(STR("$format"));
    (*ret)->args = args;
    (*ret)->arg_count = e->list.n;
    return 0;
}

int bind_call_syntax(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    switch (e->kind) {
    case AST_EXPR_CONCAT:
        return bind_concat(env, e, ret, err);
    case AST_EXPR_EXTRACT:
        return bind_extract(env, e, ret, err);
    case AST_EXPR_TRIM:
        return bind_trim(env, e, ret, err);
    default:
        return bind_format(env, e, ret, err);
    }
}
