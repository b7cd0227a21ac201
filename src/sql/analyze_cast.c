/*
 * CAST, TRY_CAST, and the types that DDL and casts name.
 */
#include "sql/analyze_expr.h"
#include "sql/datetime_text.h"

enum {
    MAX_LENGTH = 0x7ffffffe,
    MAX_CHAR = 65536,
    MAX_DECIMAL = 38,
    MAX_PRECISION = 12,
    HELD_PRECISION = 6,
    MAX_DEPTH = 64
};

static int type_of(struct analyzer *z, const struct ast_type *t, int depth, const struct type **ret, struct err *err);

/* *ret stays NULL with 0 when there is no such type: the whole type's text is in the error. */
static int parameter_type(struct analyzer *z, const struct ast_type *t, size_t i, int depth, const struct type **ret,
                          struct err *err)
{
    return t->generic.params[i].type ? type_of(z, t->generic.params[i].type, depth + 1, ret, err) : 0;
}

static bool has_numbers(const struct ast_type *t, size_t max)
{
    if (t->generic.n > max)
        return false;
    for (size_t i = 0; i < t->generic.n; i++)
        if (t->generic.params[i].type)
            return false;
    return true;
}

static int decimal_of(struct analyzer *z, const struct ast_type *t, const struct type **ret, struct err *err)
{
    int64_t precision = t->generic.n > 0 ? t->generic.params[0].number : MAX_DECIMAL;
    int64_t scale = t->generic.n > 1 ? t->generic.params[1].number : 0;

    if (!has_numbers(t, 2))
        return 0;
    if (precision < 1 || precision > MAX_DECIMAL)
        return err_set_named(err, ERR_INVALID, "INVALID_FUNCTION_ARGUMENT",
                             "DECIMAL precision must be in range [1, %d]: %lld", MAX_DECIMAL, (long long)precision);
    if (scale < 0 || scale > precision)
        return err_set_named(err, ERR_INVALID, "INVALID_FUNCTION_ARGUMENT",
                             "DECIMAL scale must be in range [0, precision (%lld)]: %lld", (long long)precision,
                             (long long)scale);
    *ret = type_decimal(z->arena, (int)precision, (int)scale);
    return 0;
}

static int nested_of(struct analyzer *z, const struct ast_type *t, size_t n, int depth, const struct type **ret,
                     struct err *err)
{
    const struct type *parts[2] = {NULL, NULL};
    int code;

    if (t->generic.n != n)
        return 0;
    for (size_t i = 0; i < n; i++) {
        if ((code = parameter_type(z, t, i, depth, &parts[i], err)) < 0)
            return code;
        if (!parts[i])
            return 0;
    }
    *ret = n == 1 ? type_array(z->arena, parts[0]) : type_map(z->arena, parts[0], parts[1]);
    return 0;
}

static int generic_of(struct analyzer *z, const struct ast_type *t, int depth, const struct type **ret, struct err *err)
{
    struct str name = t->generic.name.lower;

    if (str_eq(name, STR("decimal")))
        return decimal_of(z, t, ret, err);
    if (str_eq(name, STR("array")))
        return nested_of(z, t, 1, depth, ret, err);
    if (str_eq(name, STR("map")))
        return nested_of(z, t, 2, depth, ret, err);
    if (str_eq(name, STR("varchar")) || str_eq(name, STR("char"))) {
        bool is_char = name.n == 4;
        int64_t length = t->generic.n > 0 ? t->generic.params[0].number : is_char ? 1 : TYPE_UNBOUNDED;

        if (has_numbers(t, 1) && length >= 0 && length <= (is_char ? MAX_CHAR : TYPE_UNBOUNDED))
            *ret = is_char ? type_char(z->arena, (int)length) : type_varchar_n(z->arena, (int)length);
        return 0;
    }
    if (t->generic.n > 0 || str_eq(name, STR("dec")) || str_eq(name, STR("row")))
        return 0;
    struct err inner = {0};
    int code = type_parse(z->arena, name, ret, &inner);
    if (code == ERR_UNSUPPORTED) {
        if (err)
            *err = inner;
        return code;
    }
    return 0;
}

static int datetime_of(struct analyzer *z, const struct ast_type *t, const struct type **ret, struct err *err)
{
    int64_t precision = t->datetime.precision ? t->datetime.precision->number : 3;
    bool zoned = t->datetime.with_time_zone, is_timestamp = t->datetime.timestamp;

    if ((t->datetime.precision && t->datetime.precision->type) || precision < 0 || precision > MAX_PRECISION)
        return 0;
    if (precision > HELD_PRECISION) {
        struct str text = analyze_format_type(z->arena, t);

        return analyze_unsupported(t->line, t->column, err, "%s with a precision above %d is not supported: %.*s",
                                   is_timestamp ? "TIMESTAMP" : "TIME", HELD_PRECISION, STR_ARG(text));
    }
    if (is_timestamp) {
        *ret = zoned ? type_timestamp_tz(z->arena, (int)precision, STR_NULL) : type_timestamp(z->arena, (int)precision);
    } else {
        struct type *time = arena_new(z->arena, struct type);

        *time = (struct type){.kind = zoned ? TYPE_TIME_TZ : TYPE_TIME, .precision = (int)precision};
        *ret = time;
    }
    return 0;
}

static int row_of(struct analyzer *z, const struct ast_type *t, int depth, const struct type **ret, struct err *err)
{
    struct type_field *fields = arena_array(z->arena, struct type_field, t->row.n);
    int code;

    for (size_t i = 0; i < t->row.n; i++) {
        const struct ast_ident *name = t->row.items[i].name;

        fields[i] = (struct type_field){.name = !name ? STR_NULL : name->quoted ? name->value : name->lower};
        if ((code = type_of(z, t->row.items[i].type, depth + 1, &fields[i].type, err)) < 0)
            return code;
        if (!fields[i].type)
            return 0;
    }
    *ret = type_row(z->arena, fields, t->row.n);
    return 0;
}

/* *ret is NULL when there is no such type. */
static int type_of(struct analyzer *z, const struct ast_type *t, int depth, const struct type **ret, struct err *err)
{
    *ret = NULL;
    if (depth > MAX_DEPTH)
        return analyze_unsupported(t->line, t->column, err, "A type nested deeper than %d is not supported", MAX_DEPTH);
    switch (t->kind) {
    case AST_TYPE_GENERIC:
        return generic_of(z, t, depth, ret, err);
    case AST_TYPE_DATETIME:
        return datetime_of(z, t, ret, err);
    case AST_TYPE_INTERVAL:
        if (t->interval.from == AST_YEAR && t->interval.to == AST_MONTH)
            *ret = &type_interval_year_month;
        else if (t->interval.from == AST_DAY && t->interval.to == AST_SECOND)
            *ret = &type_interval_day_second;
        return 0;
    case AST_TYPE_ROW:
        return row_of(z, t, depth, ret, err);
    }
    return 0;
}

int analyze_type(struct analyzer *z, const struct ast_type *t, const struct type **ret, struct err *err)
{
    const struct type *type;
    int code;

    if ((code = type_of(z, t, 0, &type, err)) < 0)
        return code;
    if (!type) {
        struct str text = analyze_format_type(z->arena, t);

        return analyze_error_at(t->line, t->column, err, "TYPE_NOT_FOUND", "Unknown type: %.*s", STR_ARG(text));
    }
    *ret = type;
    return 0;
}

/* A text with a zone of its own can't be typed, since the zone would be the value's: only one that is known now can. */
static int cast_text_with_zone(struct expr_env *env, const struct ast_expr *e, struct expr *value,
                               const struct type *to, struct expr **ret, struct err *err)
{
    struct analyzer *z = env->z;
    struct datetime_text text;
    struct str zone;
    bool is_known = value->kind == EXPR_CONSTANT;

    if (is_known && value->constant.is_null) {
        *ret = expr_null(z, to, e);
        return 0;
    }
    if (!is_known)
        return analyze_unsupported(
            e->line, e->column, err,
            "Casting a varchar that is no constant to timestamp with time zone is not supported: "
            "cast to timestamp, then use with_timezone");
    bool is_bad = datetime_parse_timestamp(value->constant.text, &text) < 0 ||
                  (!str_is_null(text.zone) && zone_parse(z->arena, text.zone, &zone) < 0);
    if (is_bad && e->cast.safe) {
        *ret = expr_null(z, to, e);
        return 0;
    }
    if (is_bad)
        return err_set_named(err, ERR_INVALID, "INVALID_CAST_ARGUMENT",
                             "Value cannot be cast to timestamp with time zone: %.*s", STR_ARG(value->constant.text));
    return expr_timestamp_tz(env, &text, to->precision, e, ret, err);
}

int bind_cast(struct expr_env *env, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct analyzer *z = env->z;
    const struct type *type;
    struct expr *value;
    int code;

    if ((code = type_of(z, e->cast.type, 0, &type, err)) < 0)
        return code;
    if (!type) {
        struct str text = analyze_format_type(z->arena, e->cast.type);

        return analyze_error(e, err, "TYPE_MISMATCH", "Unknown type: %.*s", STR_ARG(text));
    }
    if (type->kind == TYPE_UNKNOWN)
        return analyze_error(e, err, "TYPE_MISMATCH", "UNKNOWN is not a valid type");
    if ((code = expr_bind(env, e->cast.value, &value, err)) < 0)
        return code;
    if (!cast_is_allowed(value->type, type)) {
        struct str from = type_name(z->arena, value->type), to = type_name(z->arena, type);

        return analyze_error(e, err, "TYPE_MISMATCH", "Cannot cast %.*s to %.*s", STR_ARG(from), STR_ARG(to));
    }
    if (type->kind == TYPE_TIMESTAMP_TZ && value->type->kind == TYPE_VARCHAR)
        return cast_text_with_zone(env, e, value, type, ret, err);
    *ret = expr_cast(z, value, type);
    if ((*ret)->kind == EXPR_CAST && *ret != value) {
        (*ret)->safe = e->cast.safe;
        (*ret)->line = e->line;
        (*ret)->column = e->column;
    }
    return 0;
}
