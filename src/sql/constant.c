/*
 * Values: text as a value of a type, a value as another type, and the folding of expressions that properties, SET
 * SESSION and parameters need. Only what the engine would compute alike is computed here; the rest is left to it.
 */
#include "base/uuid.h"
#include "sql/analyze_expr.h"
#include "sql/datetime_text.h"
#include <errno.h>
#include <math.h>

static const int64_t US_PER_DAY = INT64_C(86400000000);

/* ---- from text ---- */

static bool fits_integer(enum type_kind kind, int64_t v)
{
    switch (kind) {
    case TYPE_TINYINT:
        return v >= INT8_MIN && v <= INT8_MAX;
    case TYPE_SMALLINT:
        return v >= INT16_MIN && v <= INT16_MAX;
    case TYPE_INTEGER:
        return v >= INT32_MIN && v <= INT32_MAX;
    default:
        return true;
    }
}

static int parse_integer(enum type_kind kind, struct str text, struct constant *ret)
{
    if (text.n > 1 && text.p[0] == '+')
        text = str_skip(text, 1);
    if (str_to_i64(text, &ret->i, NULL) < 0 || !fits_integer(kind, ret->i))
        return ERR_INVALID;
    return 0;
}

static int parse_boolean(struct str text, struct constant *ret)
{
    static const char *const words[] = {"false", "f", "0", "true", "t", "1"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eq_nocase(text, str_from_cstr(words[i]))) {
            ret->i = i >= 3;
            return 0;
        }
    }
    return ERR_INVALID;
}

/* Java's Double.parseDouble without its hexadecimal form: white space around, a suffix d or f. */
static int parse_double(struct arena *a, struct str text, bool is_real, struct constant *ret)
{
    struct str s = str_trim(text), digits = s;
    char *end;

    if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
        digits = str_skip(s, 1);
    if (str_eq(digits, STR("NaN"))) {
        ret->f = NAN;
        return 0;
    }
    if (str_eq(digits, STR("Infinity"))) {
        ret->f = s.p[0] == '-' ? -HUGE_VAL : HUGE_VAL;
        return 0;
    }
    if (s.n > 1 && strchr("dDfF", s.p[s.n - 1]))
        s.n--;
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("0123456789+-.eE", s.p[i]))
            return ERR_INVALID;
    if (s.n == 0 || !strpbrk(arena_cstr(a, s), "0123456789"))
        return ERR_INVALID;
    const char *text_z = arena_cstr(a, s);
    double value = is_real ? (double)strtof(text_z, &end) : strtod(text_z, &end); /* overflow is infinity, as in Java */
    if (*end != '\0')
        return ERR_INVALID;
    ret->f = value;
    return 0;
}

int decimal_parse(struct arena *a, struct str text, int *ret_precision, int *ret_scale, struct str *ret_digits)
{
    struct buf BUF_SCOPED digits = {0};
    struct str s = text;
    bool negative = s.n > 0 && s.p[0] == '-', seen_point = false, seen_digit = false;
    int scale = 0, significant = 0;

    if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
        s = str_skip(s, 1);
    buf_init(&digits, 1 << 12);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.' && !seen_point) {
            seen_point = true;
            continue;
        }
        if (s.p[i] < '0' || s.p[i] > '9')
            return ERR_INVALID;
        seen_digit = true;
        scale += seen_point ? 1 : 0;
        if (significant > 0 || s.p[i] != '0') {
            buf_add_char(&digits, s.p[i]);
            significant++;
        }
    }
    int precision = significant > scale ? significant : scale;
    if (!seen_digit || precision > 38)
        return ERR_INVALID;
    if (significant == 0)
        buf_add_char(&digits, '0');
    *ret_precision = precision > 0 ? precision : 1;
    *ret_scale = scale;
    *ret_digits = arena_printf(a, "%s%.*s", negative && significant > 0 ? "-" : "", STR_ARG(buf_str(&digits)));
    return 0;
}

/* Digits of scale `from` as digits of scale `to` and a precision; false when they don't fit or would be rounded. */
static bool rescale(struct arena *a, struct str digits, int from, const struct type *to, struct str *ret)
{
    bool negative = digits.n > 0 && digits.p[0] == '-';
    struct str abs = negative ? str_skip(digits, 1) : digits;

    if (str_eq(abs, STR("0"))) {
        *ret = STR("0");
        return true;
    }
    if (to->scale < from) {
        size_t drop = (size_t)(from - to->scale);

        for (size_t i = 0; i < drop; i++)
            if (i >= abs.n || abs.p[abs.n - 1 - i] != '0')
                return false;
        abs.n -= drop;
        if (abs.n == 0)
            abs = STR("0");
        if (abs.n > (size_t)to->precision)
            return false;
        *ret = arena_printf(a, "%s%.*s", negative ? "-" : "", STR_ARG(abs));
        return true;
    }
    if (abs.n + (size_t)(to->scale - from) > (size_t)to->precision)
        return false;
    *ret = arena_printf(a, "%s%.*s%.*s", negative ? "-" : "", STR_ARG(abs), to->scale - from,
                        "00000000000000000000000000000000000000");
    return true;
}

static size_t rune_count(struct str s)
{
    size_t n = 0;

    for (size_t at = 0; at < s.n; n++)
        (void)str_next_rune(s, &at);
    return n;
}

static struct str cut_runes(struct str s, size_t n)
{
    size_t at = 0;

    for (size_t i = 0; i < n && at < s.n; i++)
        (void)str_next_rune(s, &at);
    return str_slice(s, 0, at);
}

static struct str trim_right_spaces(struct str s)
{
    while (s.n > 0 && s.p[s.n - 1] == ' ')
        s.n--;
    return s;
}

int constant_parse(struct arena *a, const struct type *type, struct str text, struct constant *ret)
{
    unsigned char uuid[16];
    int code, precision, scale;
    struct str digits;

    *ret = (struct constant){0};
    switch (type->kind) {
    case TYPE_BOOLEAN:
        return parse_boolean(text, ret);
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        return parse_integer(type->kind, text, ret);
    case TYPE_REAL:
    case TYPE_DOUBLE:
        return parse_double(a, text, type->kind == TYPE_REAL, ret);
    case TYPE_DECIMAL:
        if ((code = decimal_parse(a, str_trim(text), &precision, &scale, &digits)) < 0)
            return code;
        return rescale(a, digits, scale, type, &ret->text) ? 0 : ERR_UNSUPPORTED;
    case TYPE_VARCHAR:
        ret->text = cut_runes(text, (size_t)type->precision);
        return 0;
    case TYPE_CHAR:
        ret->text = trim_right_spaces(cut_runes(text, (size_t)type->precision));
        return 0;
    case TYPE_VARBINARY:
        ret->text = text;
        return 0;
    case TYPE_DATE:
        return datetime_parse_date(text, &ret->i);
    case TYPE_UUID:
        if (uuid_parse(text, uuid, NULL) < 0)
            return ERR_INVALID;
        ret->text = arena_str(a, str_from((const char *)uuid, sizeof(uuid)));
        return 0;
    default:
        return ERR_UNSUPPORTED;
    }
}

/* ---- as another type ---- */

static double decimal_value(struct arena *a, struct str digits, int scale)
{
    return strtod(arena_printf(a, "%.*se-%d", STR_ARG(digits), scale).p, NULL);
}

static bool cast_integer(struct arena *a, int64_t v, const struct type *to, struct constant *ret)
{
    switch (to->kind) {
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        ret->i = v;
        return fits_integer(to->kind, v);
    case TYPE_REAL:
        ret->f = (double)(float)v;
        return true;
    case TYPE_DOUBLE:
        ret->f = (double)v;
        return true;
    case TYPE_DECIMAL:
        return rescale(a, arena_printf(a, "%lld", (long long)v), 0, to, &ret->text);
    case TYPE_VARCHAR:
        ret->text = arena_printf(a, "%lld", (long long)v);
        return ret->text.n <= (size_t)to->precision;
    default:
        return false;
    }
}

static bool cast_decimal(struct arena *a, const struct type *from, struct str digits, const struct type *to,
                         struct constant *ret)
{
    switch (to->kind) {
    case TYPE_DECIMAL:
        return rescale(a, digits, from->scale, to, &ret->text);
    case TYPE_DOUBLE:
        ret->f = decimal_value(a, digits, from->scale);
        return true;
    case TYPE_REAL:
        ret->f = (double)strtof(arena_printf(a, "%.*se-%d", STR_ARG(digits), from->scale).p, NULL);
        return true;
    default:
        return false;
    }
}

static bool cast_text(struct arena *a, const struct type *from, struct str text, const struct type *to,
                      struct constant *ret)
{
    if (from->kind == TYPE_CHAR && to->kind == TYPE_VARCHAR) { /* the value is without its padding */
        struct buf BUF_SCOPED padded = {0};

        buf_init(&padded, text.n + (size_t)from->precision + 1);
        buf_add_str(&padded, text);
        for (size_t n = rune_count(text); n < (size_t)from->precision && n < (size_t)to->precision; n++)
            buf_add_char(&padded, ' ');
        ret->text = arena_str(a, cut_runes(buf_str(&padded), (size_t)to->precision));
        return !padded.failed;
    }
    if (from->kind == TYPE_CHAR && to->kind != TYPE_CHAR)
        return false;
    switch (to->kind) {
    case TYPE_VARBINARY: /* to_utf8 is the way; no such cast */
    case TYPE_REAL:
    case TYPE_DECIMAL:
    case TYPE_UUID:
        return false;
    default:
        return constant_parse(a, to, text, ret) == 0;
    }
}

bool constant_cast(struct arena *a, const struct type *from, const struct constant *value, const struct type *to,
                   struct constant *ret)
{
    *ret = (struct constant){0};
    if (value->is_null) {
        ret->is_null = true;
        return true;
    }
    switch (from->kind) {
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        return cast_integer(a, value->i, to, ret);
    case TYPE_REAL:
        ret->f = value->f;
        return to->kind == TYPE_DOUBLE;
    case TYPE_DECIMAL:
        return cast_decimal(a, from, value->text, to, ret);
    case TYPE_VARCHAR:
    case TYPE_CHAR:
        return cast_text(a, from, value->text, to, ret);
    case TYPE_DATE:
        if (to->kind != TYPE_TIMESTAMP || __builtin_mul_overflow(value->i, US_PER_DAY, &ret->i))
            return false;
        return true;
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ:
        ret->i = value->i;
        return to->kind == from->kind && to->precision >= from->precision;
    default:
        return false;
    }
}

/* ---- folding ---- */

static bool fold_integers(const struct expr *e, int64_t x, int64_t y, int64_t *ret)
{
    const char *name = e->function->name;

    if (strcmp(name, "$add") == 0)
        return !__builtin_add_overflow(x, y, ret) && fits_integer(e->type->kind, *ret);
    if (strcmp(name, "$subtract") == 0)
        return !__builtin_sub_overflow(x, y, ret) && fits_integer(e->type->kind, *ret);
    if (strcmp(name, "$multiply") == 0)
        return !__builtin_mul_overflow(x, y, ret) && fits_integer(e->type->kind, *ret);
    if (y == 0 || (y == -1 && x == INT64_MIN))
        return false;
    if (strcmp(name, "$divide") == 0)
        *ret = x / y;
    else if (strcmp(name, "$modulus") == 0)
        *ret = x % y;
    else
        return false;
    return fits_integer(e->type->kind, *ret);
}

static bool fold_doubles(const struct expr *e, double x, double y, double *ret)
{
    const char *name = e->function->name;

    if (strcmp(name, "$add") == 0)
        *ret = x + y;
    else if (strcmp(name, "$subtract") == 0)
        *ret = x - y;
    else if (strcmp(name, "$multiply") == 0)
        *ret = x * y;
    else if (strcmp(name, "$divide") == 0)
        *ret = x / y;
    else
        return false;
    return true;
}

static bool fold_concat(struct arena *a, const struct expr *e, struct constant *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < e->arg_count; i++)
        n += e->args[i]->constant.text.n;
    char *p = arena_alloc(a, n + 1), *to = p;
    for (size_t i = 0; i < e->arg_count; i++) {
        struct str s = e->args[i]->constant.text;

        if (s.n > 0)
            memcpy(to, s.p, s.n);
        to += s.n;
    }
    ret->text = str_from(p, n);
    return true;
}

static bool fold_call(struct arena *a, const struct expr *e, struct constant *ret)
{
    const struct expr *x = e->arg_count > 0 ? e->args[0] : NULL, *y = e->arg_count > 1 ? e->args[1] : NULL;
    const char *name = e->function->name;

    for (size_t i = 0; i < e->arg_count; i++) {
        if (e->args[i]->kind != EXPR_CONSTANT)
            return false;
        if (e->args[i]->constant.is_null) {
            ret->is_null = true;
            return name[0] == '$' && !e->function->is_nullable;
        }
    }
    if (strcmp(name, "concat") == 0 && e->type->kind == TYPE_VARCHAR)
        return fold_concat(a, e, ret);
    if (strcmp(name, "$negate") == 0 && type_is_integer(e->type) && x->constant.i != INT64_MIN) {
        ret->i = -x->constant.i;
        return fits_integer(e->type->kind, ret->i);
    }
    if (strcmp(name, "$negate") == 0 && e->type->kind == TYPE_DOUBLE) {
        ret->f = -x->constant.f;
        return true;
    }
    if (!y || e->arg_count != 2 || !type_eq(x->type, y->type))
        return false;
    if (type_is_integer(e->type) && type_is_integer(x->type))
        return fold_integers(e, x->constant.i, y->constant.i, &ret->i);
    if (e->type->kind == TYPE_DOUBLE && x->type->kind == TYPE_DOUBLE)
        return fold_doubles(e, x->constant.f, y->constant.f, &ret->f);
    return false;
}

/* Arguments first; what can't be folded stays. */
static void fold(struct analyzer *z, struct expr **slot)
{
    struct expr *e = *slot;
    struct constant value = {0};

    for (size_t i = 0; i < e->arg_count; i++)
        fold(z, &e->args[i]);
    bool folded = e->kind == EXPR_CALL ? fold_call(z->arena, e, &value)
                  : e->kind == EXPR_CAST
                      ? e->args[0]->kind == EXPR_CONSTANT &&
                            constant_cast(z->arena, e->args[0]->type, &e->args[0]->constant, e->type, &value)
                      : false;
    if (!folded)
        return;
    struct expr *made = expr_constant(z, e->type, value, NULL);
    made->line = e->line;
    made->column = e->column;
    *slot = made;
}

static bool is_folded(const struct expr *e)
{
    if (e->kind == EXPR_CONSTANT)
        return true;
    bool is_map = e->kind == EXPR_CALL && strcmp(e->function->name, "map") == 0;
    if (e->kind != EXPR_ARRAY && e->kind != EXPR_ROW && !is_map)
        return false;
    for (size_t i = 0; i < e->arg_count; i++)
        if (!is_folded(e->args[i]))
            return false;
    return true;
}

int analyze_constant(struct analyzer *z, const struct ast_expr *e, struct expr **ret, struct err *err)
{
    struct scope nothing = {.is_query = true};
    struct expr_env env = {.z = z, .scope = &nothing, .clause = "Constant expression"};
    struct expr *bound;
    int code;

    if ((code = analyze_expr(&env, e, &bound, err)) < 0)
        return code;
    fold(z, &bound);
    if (!is_folded(bound))
        return analyze_unsupported(e->line, e->column, err, "This constant expression is not supported: %.*s",
                                   STR_ARG(analyze_format_expr(z->arena, e)));
    *ret = bound;
    return 0;
}
