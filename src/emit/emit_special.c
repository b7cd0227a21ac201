/*
 * Functions whose text depends on their arguments' types or constant values: arithmetic of decimals and dates, integer
 * division by a constant, substr, LIKE, subscripts.
 */
#include "emit/emitter.h"

enum { MAX_INT64_DIGITS = 18, MAX_DIGITS = 38, DAY_MS = 86400000 };

static enum type_kind kind_of(const struct call *c, size_t i)
{
    return c->args[i].type->kind;
}

static bool is_interval(enum type_kind k)
{
    return k == TYPE_INTERVAL_DAY_SECOND || k == TYPE_INTERVAL_YEAR_MONTH;
}

/* ---- decimals ---- */

static int emit_widened(struct emitter *e, const struct operand *o, int precision)
{
    int rc;

    buf_add_cstr(e->to, "CAST(");
    rc = emit_operand(e, o);
    buf_addf(e->to, " AS DECIMAL(%d,%d))", precision, o->type->scale);
    return rc;
}

/* DuckDB stays in 64 bits while both arguments fit there, and fails past them; Trino's result is wide enough. So where
 * the result needs more, an argument is widened first. Then DuckDB's type may be wider than Trino's: a cast. */
static int emit_decimal(struct emitter *e, const struct call *c, const char *op)
{
    const struct type *a = c->args[0].type, *b = c->args[1].type, *r = c->result;
    bool is_widened = r->precision > MAX_INT64_DIGITS && a->precision <= MAX_INT64_DIGITS &&
                      b->precision <= MAX_INT64_DIGITS;
    int wide = a->scale + MAX_INT64_DIGITS + 1 > MAX_DIGITS ? MAX_DIGITS : MAX_INT64_DIGITS + 1;
    int rc;

    buf_add_cstr(e->to, "CAST((");
    rc = is_widened ? emit_widened(e, &c->args[0], wide) : emit_operand(e, &c->args[0]);
    buf_add_cstr(e->to, op);
    if (rc == 0)
        rc = emit_operand(e, &c->args[1]);
    buf_addf(e->to, ") AS DECIMAL(%d,%d))", r->precision, r->scale);
    return rc;
}

/* ---- dates and intervals ---- */

/* date ± interval, the interval being argument `i`. */
static int emit_date_shift(struct emitter *e, const struct call *c, size_t date, size_t i, const char *sign)
{
    const struct constant *constant = operand_constant(&c->args[i]);
    struct call ordered = *c;
    struct operand args[2] = {c->args[date], c->args[i]};
    char text[64];

    ordered.args = args;
    if (args[1].type->kind == TYPE_INTERVAL_YEAR_MONTH) {
        snprintf(text, sizeof(text), "CAST($1 %s to_months($2) AS DATE)", sign);
        return emit_template(e, text, &ordered);
    }
    if (constant && !constant->is_null && constant->i % DAY_MS == 0) {
        snprintf(text, sizeof(text), "($1 %s (%lld))", sign, (long long)(constant->i / DAY_MS));
        return emit_template(e, text, &ordered);
    }
    snprintf(text, sizeof(text), "($1 %s dp_whole_days($2))", sign);
    return emit_template(e, text, &ordered);
}

static int emit_time_shift(struct emitter *e, const struct call *c, size_t time, size_t i, const char *sign)
{
    struct call ordered = *c;
    struct operand args[2] = {c->args[time], c->args[i]};
    char text[128];

    ordered.args = args;
    if (args[1].type->kind == TYPE_INTERVAL_DAY_SECOND)
        snprintf(text, sizeof(text), "($1 %s to_microseconds(1000 * $2))", sign);
    else if (args[0].type->kind == TYPE_TIMESTAMP_TZ)
        snprintf(text, sizeof(text), "timezone($Z1, $K1 %s to_months($2))", sign);
    else
        snprintf(text, sizeof(text), "($1 %s to_months($2))", sign);
    return emit_template(e, text, &ordered);
}

static int emit_shift(struct emitter *e, const struct call *c, size_t at, size_t i, const char *sign)
{
    switch (kind_of(c, at)) {
    case TYPE_DATE:
        return emit_date_shift(e, c, at, i, sign);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ:
    case TYPE_TIME:
        return emit_time_shift(e, c, at, i, sign);
    default:
        return emit_unsupported(e, c->line, c->column, "Arithmetic of time with time zone is not supported");
    }
}

int special_add(struct emitter *e, const struct call *c)
{
    if (c->result->kind == TYPE_DECIMAL)
        return emit_decimal(e, c, " + ");
    if (is_interval(kind_of(c, 0)) != is_interval(kind_of(c, 1)))
        return is_interval(kind_of(c, 1)) ? emit_shift(e, c, 0, 1, "+") : emit_shift(e, c, 1, 0, "+");
    return emit_template(e, "($1 + $2)", c);
}

int special_subtract(struct emitter *e, const struct call *c)
{
    if (c->result->kind == TYPE_DECIMAL)
        return emit_decimal(e, c, " - ");
    if (!is_interval(kind_of(c, 0)) && is_interval(kind_of(c, 1)))
        return emit_shift(e, c, 0, 1, "-");
    switch (kind_of(c, 0)) {
    case TYPE_DATE:
        return emit_template(e, "(CAST($1 - $2 AS BIGINT) * 86400000)", c);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ:
        return emit_template(e, "dp_round_millis(epoch_us($1) - epoch_us($2))", c);
    case TYPE_TIME:
        return emit_template(e, "dp_round_millis(date_sub('microsecond', $2, $1))", c);
    case TYPE_TIME_TZ:
        return emit_unsupported(e, c->line, c->column, "Arithmetic of time with time zone is not supported");
    default:
        return emit_template(e, "($1 - $2)", c);
    }
}

int special_multiply(struct emitter *e, const struct call *c)
{
    return c->result->kind == TYPE_DECIMAL ? emit_decimal(e, c, " * ") : emit_template(e, "($1 * $2)", c);
}

/* ---- division ---- */

/* A constant divisor that is neither 0 nor -1 can't fail: DuckDB's own operator. */
static bool is_safe_divisor(const struct operand *o)
{
    const struct expr *x = o->expr;

    if (x && x->kind == EXPR_CAST && type_is_integer(x->args[0]->type))
        x = x->args[0];
    return x && x->kind == EXPR_CONSTANT && !x->constant.is_null && x->constant.i != 0 && x->constant.i != -1;
}

int special_divide(struct emitter *e, const struct call *c)
{
    const struct type *a = c->args[0].type, *b = c->args[1].type, *r = c->result;
    char text[96];

    if (r->kind == TYPE_DOUBLE || r->kind == TYPE_REAL)
        return emit_template(e, "($1 / $2)", c);
    if (r->kind != TYPE_DECIMAL)
        return emit_template(e, is_safe_divisor(&c->args[1]) ? "CAST($1 // $2 AS $R)" : "dp_divide($1, $2)", c);
    snprintf(text, sizeof(text), "$[dp_decimal_divide($1, $2, %d)$]", r->scale + b->scale - a->scale);
    return emit_template(e, text, c);
}

int special_modulus(struct emitter *e, const struct call *c)
{
    const struct type *r = c->result;
    char text[96];

    if (r->kind == TYPE_DOUBLE || r->kind == TYPE_REAL)
        return emit_template(e, "($1 % $2)", c);
    if (r->kind != TYPE_DECIMAL)
        return emit_template(e, is_safe_divisor(&c->args[1]) ? "CAST($1 % $2 AS $R)" : "dp_modulus($1, $2)", c);
    snprintf(text, sizeof(text), "$[dp_decimal_modulus($1, $2, %d, %d)$]", r->scale - c->args[0].type->scale,
             r->scale - c->args[1].type->scale);
    return emit_template(e, text, c);
}

/* ---- greatest, least: NULL when an argument is; NaN only when all are ---- */

static int emit_extreme(struct emitter *e, const struct call *c, const char *name)
{
    bool is_floating = c->result->kind == TYPE_DOUBLE || c->result->kind == TYPE_REAL;
    int rc = 0;

    buf_add_cstr(e->to, "CASE WHEN ");
    for (size_t i = 0; rc == 0 && i < c->arg_count; i++) {
        buf_add_cstr(e->to, i > 0 ? " AND " : "");
        rc = emit_operand(e, &c->args[i]);
        buf_add_cstr(e->to, " IS NOT NULL");
    }
    buf_addf(e->to, " THEN %s%s(", is_floating ? "coalesce(" : "", name);
    for (size_t i = 0; rc == 0 && i < c->arg_count; i++) {
        struct call one = {.args = &c->args[i], .arg_count = 1, .result = c->result};

        buf_add_cstr(e->to, i > 0 ? ", " : "");
        rc = emit_template(e, is_floating ? "CASE WHEN NOT isnan($1) THEN $1 END" : "$1", &one);
    }
    buf_add_cstr(e->to, is_floating ? "), 'NaN') END" : ") END");
    return rc;
}

int special_greatest(struct emitter *e, const struct call *c)
{
    return emit_extreme(e, c, "greatest");
}

int special_least(struct emitter *e, const struct call *c)
{
    return emit_extreme(e, c, "least");
}

/* ---- text ---- */

static bool is_positive(const struct operand *o, int64_t least)
{
    const struct expr *x = o->expr;

    if (x && x->kind == EXPR_CAST && type_is_integer(x->args[0]->type))
        x = x->args[0];
    return x && x->kind == EXPR_CONSTANT && !x->constant.is_null && x->constant.i >= least;
}

int special_substr(struct emitter *e, const struct call *c)
{
    bool is_plain = is_positive(&c->args[1], 1) && (c->arg_count == 2 || is_positive(&c->args[2], 0));

    if (kind_of(c, 0) == TYPE_VARBINARY)
        return emit_template(e, c->arg_count == 2 ? "dp_substr_bytes($1, $2)" : "dp_substr_bytes($1, $2, $3)", c);
    if (c->arg_count == 2)
        return emit_template(e, is_plain ? "substring($L1, $2)" : "dp_substr($L1, $2)", c);
    return emit_template(e, is_plain ? "substring($L1, $2, $3)" : "dp_substr($L1, $2, $3)", c);
}

int special_concat(struct emitter *e, const struct call *c)
{
    const char *arguments = c->function->arguments;

    if (c->result->kind == TYPE_CHAR)
        return emit_template(e, "rtrim($L1 || $2, ' ')", c);
    if (c->result->kind != TYPE_ARRAY)
        return c->arg_count < 2 ? err_set_named(e->err, ERR_INVALID, "INVALID_FUNCTION_ARGUMENT",
                                                "There must be two or more concatenation arguments")
                                : emit_template(e, "($|)", c);
    if (strcmp(arguments, "array(E), E") == 0)
        return emit_template(e, "CASE WHEN $1 IS NOT NULL THEN list_append($1, $2) END", c);
    if (strcmp(arguments, "E, array(E)") == 0)
        return emit_template(e, "CASE WHEN $2 IS NOT NULL THEN list_prepend($1, $2) END", c);
    return emit_template(e, "($|)", c);
}

static int check_pattern(struct emitter *e, struct str pattern, struct str escape)
{
    size_t at = 0, pattern_at = 0;
    uint32_t rune = str_is_empty(escape) ? 0 : str_next_rune(escape, &at);

    if (at == 0 || at != escape.n)
        return err_set_named(e->err, ERR_INVALID, "INVALID_FUNCTION_ARGUMENT",
                             "Escape string must be a single character");
    while (pattern_at < pattern.n) {
        uint32_t next;

        if (str_next_rune(pattern, &pattern_at) != rune)
            continue;
        next = pattern_at < pattern.n ? str_next_rune(pattern, &pattern_at) : 0;
        if (next != '%' && next != '_' && next != rune)
            return err_set_named(e->err, ERR_INVALID, "INVALID_FUNCTION_ARGUMENT",
                                 "Escape character must be followed by '%%', '_' or the escape character itself");
    }
    return 0;
}

int special_like(struct emitter *e, const struct call *c)
{
    const struct constant *pattern = operand_constant(&c->args[1]);
    const struct constant *escape = c->arg_count > 2 ? operand_constant(&c->args[2]) : NULL;

    if (c->arg_count == 2)
        return emit_template(e, "($L1 LIKE $2)", c);
    if (pattern && escape && !pattern->is_null && !escape->is_null) {
        int rc = check_pattern(e, pattern->text, escape->text);

        if (rc < 0)
            return rc;
    }
    return emit_template(e, "($L1 LIKE $2 ESCAPE $3)", c);
}

/* Java's $1 is RE2's \1; both escape with a backslash. */
int special_regexp_replace(struct emitter *e, const struct call *c)
{
    const struct constant *replacement = c->arg_count > 2 ? operand_constant(&c->args[2]) : NULL;
    BUF_SCOPED struct buf text;
    struct str s;
    int rc;

    buf_init(&text, 16 << 20);
    if (c->arg_count == 2)
        return emit_template(e, "regexp_replace($1, $2, '', 'g')", c);
    if (!replacement || replacement->is_null)
        return emit_unsupported(e, c->line, c->column,
                                "regexp_replace with a replacement that isn't constant is not supported");
    s = replacement->text;
    for (size_t i = 0; i < s.n; i++) {
        bool is_escaped = s.p[i] == '\\' && i + 1 < s.n;

        if (s.p[i] == '$' && i + 1 < s.n && s.p[i + 1] >= '0' && s.p[i + 1] <= '9') {
            buf_add_char(&text, '\\');
        } else if (s.p[i] == '$') {
            return emit_unsupported(e, c->line, c->column, "regexp_replace with named groups is not supported");
        } else if (is_escaped) {
            i++;
            buf_add_cstr(&text, s.p[i] == '\\' ? "\\\\" : "");
            if (s.p[i] != '\\')
                buf_add_char(&text, s.p[i]);
        } else {
            buf_add_char(&text, s.p[i]);
        }
    }
    rc = emit_template(e, "regexp_replace($1, $2, ", c);
    emit_string(e->to, buf_str(&text));
    buf_add_cstr(e->to, ", 'g')");
    return rc;
}

/* ---- the rest ---- */

int special_subscript(struct emitter *e, const struct call *c)
{
    if (kind_of(c, 0) == TYPE_MAP)
        return emit_template(e,
                             "list_extract(map_extract($1, $2), "
                             "dp_check_key(len(map_extract($1, $2)), CAST($2 AS VARCHAR)))",
                             c);
    return emit_template(e, "list_extract($1, dp_check_index(len($1), $2))", c);
}

int special_typeof(struct emitter *e, const struct call *c)
{
    struct str name = type_name(e->a, c->args[0].type);

    emit_string(e->to, name);
    return 0;
}

/* The instant stays; the zone is the type's. */
int special_at_timezone(struct emitter *e, const struct call *c)
{
    if (!operand_constant(&c->args[1]) && str_is_empty(c->result->zone))
        return emit_unsupported(e, c->line, c->column, "AT TIME ZONE with a zone that isn't constant is not supported");
    return emit_template(e, "$1", c);
}

int special_now(struct emitter *e, const struct call *c)
{
    long long us = (long long)e->session->start_us;

    if (c->result->kind == TYPE_DATE) {
        int rc;

        buf_add_cstr(e->to, "CAST(timezone(");
        if ((rc = emit_zone(e, e->session->time_zone)) < 0)
            return rc;
        buf_addf(e->to, ", make_timestamptz(CAST(%lld AS BIGINT))) AS DATE)", us);
    } else {
        buf_addf(e->to, "make_timestamptz(CAST(%lld AS BIGINT))", us / 1000 * 1000);
    }
    return 0;
}

int special_approx_percentile(struct emitter *e, const struct call *c)
{
    if (c->arg_count != 2)
        return emit_unsupported(e, c->line, c->column, "approx_percentile with weights or accuracy is not supported");
    return emit_template(e, "CAST(quantile_disc($1, $2)$M AS $R)", c);
}
