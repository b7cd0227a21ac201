/*
 * The doors of emit/, and the smallest pieces: names, constants, types.
 */
#include "emit/emitter.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/uuid.h"
#include <math.h>

int emit_enter(struct emitter *e)
{
    if (e->depth >= EMIT_MAX_DEPTH)
        return err_set_named(e->err, ERR_LIMIT, "STATEMENT_TOO_LARGE",
                             "The statement nests more than %d relations and expressions", EMIT_MAX_DEPTH);
    e->depth++;
    return 0;
}

int emit_unsupported(struct emitter *e, int line, int column, const char *fmt, ...)
{
    struct err reason = {0};
    va_list ap;

    va_start(ap, fmt);
    err_setv(&reason, ERR_UNSUPPORTED, fmt, ap);
    va_end(ap);
    if (line > 0)
        return err_set_at(e->err, ERR_UNSUPPORTED, "NOT_SUPPORTED", line, column, "%s", reason.message);
    return err_set_named(e->err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "%s", reason.message);
}

static void add_quoted(struct buf *to, struct str s)
{
    buf_add_char(to, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'')
            buf_add_char(to, '\'');
        buf_add_char(to, s.p[i]);
    }
    buf_add_char(to, '\'');
}

/* The statement's text is NUL-terminated, so a NUL inside is written as a character code. */
void emit_string(struct buf *to, struct str s)
{
    struct str part;

    if (s.n == 0 || !memchr(s.p, 0, s.n)) {
        add_quoted(to, s);
        return;
    }
    buf_add_char(to, '(');
    for (bool is_first = true; str_split(&s, 0, &part); is_first = false) {
        if (!is_first)
            buf_add_cstr(to, " || chr(0) || ");
        add_quoted(to, part);
    }
    buf_add_char(to, ')');
}

void emit_identifier(struct buf *to, struct str s)
{
    buf_add_char(to, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_add_char(to, '"');
        buf_add_char(to, s.p[i]);
    }
    buf_add_char(to, '"');
}

void emit_type(struct emitter *e, const struct type *t)
{
    type_format_physical(e->to, t);
}

static void add_double(struct buf *to, double v)
{
    if (isnan(v))
        buf_add_cstr(to, "'NaN'::DOUBLE");
    else if (isinf(v))
        buf_add_cstr(to, v < 0 ? "'-Infinity'::DOUBLE" : "'Infinity'::DOUBLE");
    else
        buf_addf(to, "%s%.17ge0%s", signbit(v) ? "(" : "", v, signbit(v) ? ")" : "");
}

/* %.17g may have an exponent of its own: then that is the literal. */
static void add_finite(struct buf *to, double v)
{
    char text[40];

    snprintf(text, sizeof(text), "%.17g", v);
    if (isfinite(v) && strchr(text, 'e'))
        buf_addf(to, signbit(v) ? "(%s)" : "%s", text);
    else
        add_double(to, v);
}

static void add_decimal(struct buf *to, struct str unscaled, const struct type *t)
{
    bool is_negative = unscaled.n > 0 && unscaled.p[0] == '-';
    struct str digits = str_skip(unscaled, is_negative ? 1 : 0);
    size_t scale = (size_t)t->scale;

    buf_add_char(to, '\'');
    if (is_negative)
        buf_add_char(to, '-');
    if (digits.n > scale)
        buf_add_str(to, str_slice(digits, 0, digits.n - scale));
    else
        buf_add_char(to, '0');
    if (scale > 0) {
        buf_add_char(to, '.');
        for (size_t i = digits.n; i < scale; i++)
            buf_add_char(to, '0');
        buf_add_str(to, digits.n > scale ? str_skip(digits, digits.n - scale) : digits);
    }
    buf_addf(to, "'::DECIMAL(%d,%d)", t->precision, t->scale);
}

static void add_date(struct buf *to, int64_t days)
{
    struct clock_civil civil;

    clock_civil_from_us(days * INT64_C(86400000000), &civil);
    if (civil.year >= 1 && civil.year <= 9999)
        buf_addf(to, "DATE '%04d-%02d-%02d'", (int)civil.year, civil.month, civil.day);
    else
        buf_addf(to, "(DATE '1970-01-01' + (%lld))", (long long)days);
}

static struct str without_trailing_spaces(struct str s)
{
    while (s.n > 0 && s.p[s.n - 1] == ' ')
        s.n--;
    return s;
}

int emit_constant(struct emitter *e, const struct constant *c, const struct type *t)
{
    struct buf *to = e->to;
    char uuid[37];

    if (c->is_null || t->kind == TYPE_UNKNOWN) {
        buf_add_cstr(to, "CAST(NULL AS ");
        emit_type(e, t);
        buf_add_char(to, ')');
        return 0;
    }
    switch (t->kind) {
    case TYPE_BOOLEAN:
        buf_add_cstr(to, c->i ? "true" : "false");
        break;
    case TYPE_INTEGER:
    case TYPE_INTERVAL_YEAR_MONTH:
        if (c->i >= 0)
            buf_add_i64(to, c->i);
        else
            buf_addf(to, "CAST(%lld AS INTEGER)", (long long)c->i);
        break;
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_BIGINT:
    case TYPE_INTERVAL_DAY_SECOND:
        buf_add_cstr(to, "CAST(");
        buf_add_i64(to, c->i);
        buf_add_cstr(to, " AS ");
        emit_type(e, t);
        buf_add_char(to, ')');
        break;
    case TYPE_REAL:
        buf_add_cstr(to, "CAST(");
        add_finite(to, c->f);
        buf_add_cstr(to, " AS REAL)");
        break;
    case TYPE_DOUBLE:
        add_finite(to, c->f);
        break;
    case TYPE_DECIMAL:
        add_decimal(to, c->text, t);
        break;
    case TYPE_CHAR:
        emit_string(to, without_trailing_spaces(c->text));
        break;
    case TYPE_VARCHAR:
    case TYPE_JSON:
        emit_string(to, c->text);
        break;
    case TYPE_VARBINARY:
        buf_add_cstr(to, "unhex('");
        enc_hex(to, c->text.p, c->text.n);
        buf_add_cstr(to, "')");
        break;
    case TYPE_UUID:
        if (c->text.n != 16)
            return err_set(e->err, ERR_INTERNAL, "a uuid constant has %zu bytes", c->text.n);
        uuid_format((const unsigned char *)c->text.p, uuid);
        buf_addf(to, "'%s'::UUID", uuid);
        break;
    case TYPE_DATE:
        add_date(to, c->i);
        break;
    case TYPE_TIME:
        buf_addf(to, "'%02d:%02d:%02d.%06d'::TIME", (int)(c->i / INT64_C(3600000000)), (int)(c->i / 60000000 % 60),
                 (int)(c->i / 1000000 % 60), (int)(c->i % 1000000));
        break;
    case TYPE_TIMESTAMP:
        buf_addf(to, "make_timestamp(CAST(%lld AS BIGINT))", (long long)c->i);
        break;
    case TYPE_TIMESTAMP_TZ:
        buf_addf(to, "make_timestamptz(CAST(%lld AS BIGINT))", (long long)c->i);
        break;
    case TYPE_UNKNOWN:
    case TYPE_TIME_TZ:
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_ROW:
    case TYPE_FUNCTION: {
        struct str name = type_name(e->a, t);

        return emit_unsupported(e, 0, 0, "Constants of type %.*s are not supported", STR_ARG(name));
    }
    }
    return 0;
}

/* ---- the doors ---- */

static void find_aggregates(struct emitter *e, const struct rel *r);

static void find_in_expr(struct emitter *e, const struct expr *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->arg_count; i++)
        find_in_expr(e, x->args[i]);
    if (x->query)
        find_aggregates(e, x->query);
}

/* Aggregations are written below what reads their grouping id, so they are found before. */
static void find_aggregates(struct emitter *e, const struct rel *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->cte_count; i++) {
        find_aggregates(e, r->ctes[i]->query);
        find_aggregates(e, r->ctes[i]->step);
    }
    if (r->kind == REL_AGGREGATE && r->aggregate.grouping_id)
        vec_push_in(e->a, &e->aggregates, r);
    if (r->kind == REL_PROJECT) {
        for (size_t i = 0; i < r->column_count; i++)
            find_in_expr(e, r->exprs[i]);
    }
    if (r->kind == REL_FILTER)
        find_in_expr(e, r->predicate);
    if (r->kind == REL_JOIN)
        find_in_expr(e, r->join.on);
    find_aggregates(e, r->input);
    find_aggregates(e, r->right);
}

int emit_query(struct arena *a, const struct rel *root, const struct session *session, const struct emit_scans *scans,
               struct buf *to, struct err *err)
{
    struct emitter e = {.a = a, .session = session, .scans = scans, .to = to, .err = err};
    int rc;

    find_aggregates(&e, root);
    rc = emit_relation(&e, root);
    return rc < 0 ? rc : buf_check(to, "the statement for the engine", err);
}

int emit_expr(struct arena *a, const struct expr *x, const struct session *session, struct buf *to, struct err *err)
{
    struct emitter e = {.a = a, .session = session, .to = to, .err = err};
    int rc = emit_expression(&e, x);

    return rc < 0 ? rc : buf_check(to, "the expression for the engine", err);
}

int emit_to_text(struct emitter *e, const struct operand *o, struct str *ret)
{
    struct buf *outer = e->to;
    BUF_SCOPED struct buf own;
    int rc;

    buf_init(&own, 16 << 20);
    e->to = &own;
    rc = emit_operand(e, o);
    e->to = outer;
    if (rc == 0)
        rc = buf_check(&own, "an expression for the engine", e->err);
    if (rc == 0)
        *ret = arena_str(e->a, buf_str(&own));
    return rc;
}
