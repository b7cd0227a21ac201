/*
 * Casts, by the kinds of both types. DuckDB's own where it agrees with Trino in value and rounding; its range errors
 * become Trino's in engine/errors.c. The rest are shims. TRY_CAST is TRY around the cast.
 */
#include "emit/emitter.h"

static bool is_integer(const struct type *t)
{
    return t->kind == TYPE_TINYINT || t->kind == TYPE_SMALLINT || t->kind == TYPE_INTEGER || t->kind == TYPE_BIGINT;
}

static bool is_text(const struct type *t)
{
    return t->kind == TYPE_VARCHAR || t->kind == TYPE_CHAR;
}

static bool is_floating(const struct type *t)
{
    return t->kind == TYPE_REAL || t->kind == TYPE_DOUBLE;
}

static const char *to_boolean(const struct type *from)
{
    if (is_text(from))
        return "dp_to_boolean($1)";
    return type_is_numeric(from) ? "($1 <> 0)" : NULL;
}

static const char *to_integer(const struct type *from, const struct type *to)
{
    if (is_integer(from) || from->kind == TYPE_BOOLEAN || from->kind == TYPE_DECIMAL)
        return "CAST($1 AS $R)";
    if (from->kind == TYPE_JSON)
        return "CAST(CAST($1 AS JSON) AS $R)";
    if (!is_text(from) && !is_floating(from))
        return NULL;
    switch (to->kind) {
    case TYPE_TINYINT:
        return "dp_to_tinyint($1)";
    case TYPE_SMALLINT:
        return "dp_to_smallint($1)";
    case TYPE_INTEGER:
        return "dp_to_integer($1)";
    default:
        return "dp_to_bigint($1)";
    }
}

static const char *to_floating(const struct type *from, const struct type *to)
{
    if (is_text(from))
        return to->kind == TYPE_REAL ? "dp_to_real($1)" : "dp_to_double($1)";
    if (from->kind == TYPE_DOUBLE && to->kind == TYPE_REAL)
        return "dp_to_real($1)";
    if (from->kind == TYPE_JSON)
        return "CAST(CAST($1 AS JSON) AS $R)";
    return type_is_numeric(from) || from->kind == TYPE_BOOLEAN ? "CAST($1 AS $R)" : NULL;
}

static int integer_digits(const struct type *t)
{
    switch (t->kind) {
    case TYPE_TINYINT:
        return 3;
    case TYPE_SMALLINT:
        return 5;
    case TYPE_INTEGER:
        return 10;
    default:
        return 19;
    }
}

static const char *to_decimal(const struct type *from, const struct type *to)
{
    int whole = to->precision - to->scale;

    if (from->kind == TYPE_BOOLEAN)
        return "CAST($1 AS $R)";
    if (is_text(from) || is_floating(from))
        return "$[dp_decimal_of($1, $P0, $S0)$]";
    if (from->kind == TYPE_DECIMAL) {
        bool may_carry = from->scale > to->scale;

        if (whole >= from->precision - from->scale + (may_carry ? 1 : 0))
            return "CAST($1 AS $R)";
        return "$[dp_decimal_cast($1, $P1, $S1, $P0, $S0)$]";
    }
    if (!is_integer(from))
        return NULL;
    if (whole >= integer_digits(from))
        return "CAST($1 AS $R)";
    switch (from->kind) {
    case TYPE_TINYINT:
        return "CAST(dp_check_decimal(CAST($1 AS BIGINT), $P0, $S0, 'TINYINT') AS $R)";
    case TYPE_SMALLINT:
        return "CAST(dp_check_decimal(CAST($1 AS BIGINT), $P0, $S0, 'SMALLINT') AS $R)";
    case TYPE_INTEGER:
        return "CAST(dp_check_decimal(CAST($1 AS BIGINT), $P0, $S0, 'INTEGER') AS $R)";
    default:
        return "CAST(dp_check_decimal($1, $P0, $S0, 'BIGINT') AS $R)";
    }
}

/* The text of a value that isn't text. */
static const char *text_of(const struct type *from)
{
    switch (from->kind) {
    case TYPE_BOOLEAN:
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
    case TYPE_DATE:
    case TYPE_UUID:
    case TYPE_UNKNOWN:
        return "CAST($1 AS VARCHAR)";
    case TYPE_DECIMAL: /* of a decimal without whole digits DuckDB leaves the zero away */
        return from->precision == from->scale && from->scale > 0
                   ? "regexp_replace(CAST($1 AS VARCHAR), '^(-?)[.]', '\\10.')"
                   : "CAST($1 AS VARCHAR)";
    case TYPE_REAL:
    case TYPE_DOUBLE:
        return "dp_text($1)";
    case TYPE_TIME:
        return "dp_text_time($1, $P1)";
    case TYPE_TIMESTAMP:
        return "dp_text_timestamp($1, $P1)";
    case TYPE_TIMESTAMP_TZ:
        return "(dp_text_timestamp($K1, $P1) || ' ' || $W1)";
    case TYPE_INTERVAL_DAY_SECOND:
    case TYPE_INTERVAL_YEAR_MONTH:
        return "dp_text_interval($1)";
    case TYPE_JSON:
        return "json_extract_string($1, '$$')";
    default:
        return NULL;
    }
}

static int emit_text_cast(struct emitter *e, const struct call *c)
{
    const struct type *from = c->args[0].type, *to = c->result;
    const char *text;
    int rc;

    if (from->kind == TYPE_VARCHAR)
        return emit_template(e, from->precision > to->precision ? "left($1, $P0)" : "$1", c);
    if (from->kind == TYPE_CHAR)
        return emit_template(e, from->precision > to->precision ? "left($L1, $P0)" : "$L1", c);
    text = text_of(from);
    if (!text)
        return 1;
    if (to->precision == TYPE_UNBOUNDED || from->kind == TYPE_UNKNOWN)
        return emit_template(e, text, c);
    buf_add_cstr(e->to, "dp_check_length(");
    rc = emit_template(e, text, c);
    buf_addf(e->to, ", %d)", to->precision);
    return rc;
}

static int emit_char_cast(struct emitter *e, const struct call *c)
{
    const struct type *from = c->args[0].type, *to = c->result;
    const char *text;
    int rc;

    if (from->kind == TYPE_VARCHAR)
        return emit_template(e, from->precision > to->precision ? "rtrim(left($1, $P0), ' ')" : "rtrim($1, ' ')", c);
    if (from->kind == TYPE_CHAR)
        return emit_template(e, from->precision > to->precision ? "rtrim(left($1, $P0), ' ')" : "$1", c);
    text = text_of(from);
    if (!text)
        return 1;
    buf_add_cstr(e->to, "rtrim(dp_check_length(");
    rc = emit_template(e, text, c);
    buf_addf(e->to, ", %d), ' ')", to->precision);
    return rc;
}

static const char *to_date(const struct type *from)
{
    if (is_text(from))
        return "dp_to_date($1)";
    return from->kind == TYPE_TIMESTAMP || from->kind == TYPE_TIMESTAMP_TZ ? "CAST($K1 AS DATE)" : NULL;
}

static const char *to_time(const struct type *from, const struct type *to)
{
    if (is_text(from))
        return "dp_to_time($1, $P0)";
    if (from->kind == TYPE_TIMESTAMP || from->kind == TYPE_TIMESTAMP_TZ)
        return "dp_round_time(CAST($K1 AS TIME), $P0)";
    if (from->kind == TYPE_TIME)
        return from->precision > to->precision ? "dp_round_time($1, $P0)" : "$1";
    return NULL;
}

static const char *to_timestamp(const struct type *from, const struct type *to)
{
    if (is_text(from))
        return "dp_to_timestamp($1, $P0)";
    if (from->kind == TYPE_DATE)
        return "CAST($1 AS TIMESTAMP)";
    if (from->kind == TYPE_TIMESTAMP || from->kind == TYPE_TIMESTAMP_TZ)
        return from->precision > to->precision ? "dp_round_timestamp($K1, $P0)" : "$K1";
    return NULL;
}

static const char *to_timestamp_tz(const struct type *from, const struct type *to)
{
    bool is_rounded = from->precision > to->precision;

    if (is_text(from))
        return "timezone($Z0, dp_to_timestamp($1, $P0))";
    if (from->kind == TYPE_DATE)
        return "timezone($Z0, CAST($1 AS TIMESTAMP))";
    if (from->kind == TYPE_TIMESTAMP)
        return is_rounded ? "timezone($Z0, dp_round_timestamp($1, $P0))" : "timezone($Z0, $1)";
    if (from->kind == TYPE_TIMESTAMP_TZ)
        return is_rounded ? "timezone('UTC', dp_round_timestamp(timezone('UTC', $1), $P0))" : "$1";
    return NULL;
}

static bool has_row(const struct type *t)
{
    return t && (t->kind == TYPE_ROW || has_row(t->element) || has_row(t->key));
}

static const char *to_json(const struct type *from)
{
    if (has_row(from))
        return NULL; /* Trino makes arrays of rows */
    switch (from->kind) {
    case TYPE_BOOLEAN:
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
    case TYPE_VARCHAR:
    case TYPE_DATE:
    case TYPE_ARRAY:
    case TYPE_MAP:
        return "CAST(to_json($1) AS VARCHAR)";
    default:
        return NULL;
    }
}

static const char *scalar_template(const struct type *from, const struct type *to)
{
    switch (to->kind) {
    case TYPE_BOOLEAN:
        return to_boolean(from);
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        return to_integer(from, to);
    case TYPE_REAL:
    case TYPE_DOUBLE:
        return to_floating(from, to);
    case TYPE_DECIMAL:
        return to_decimal(from, to);
    case TYPE_VARBINARY:
        return is_text(from) ? "encode($L1)" : NULL;
    case TYPE_UUID:
        return is_text(from) ? "CAST($1 AS UUID)" : NULL;
    case TYPE_DATE:
        return to_date(from);
    case TYPE_TIME:
        return to_time(from, to);
    case TYPE_TIMESTAMP:
        return to_timestamp(from, to);
    case TYPE_TIMESTAMP_TZ:
        return to_timestamp_tz(from, to);
    case TYPE_JSON:
        return to_json(from);
    case TYPE_ARRAY:
    case TYPE_MAP:
        return from->kind == TYPE_JSON && !has_row(to) ? "CAST(CAST($1 AS JSON) AS $R)" : NULL;
    default:
        return NULL;
    }
}

/* ---- arrays, maps, rows: their parts' casts ---- */

static int emit_part(struct emitter *e, struct str text, const struct type *from, const struct type *to)
{
    struct operand part = {.text = text, .type = from};

    return emit_cast(e, &part, to, false);
}

static int emit_array_cast(struct emitter *e, const struct operand *o, const struct type *to)
{
    int name = e->next_alias++;
    int rc;

    buf_add_cstr(e->to, "list_transform(");
    rc = emit_operand(e, o);
    buf_addf(e->to, ", lambda x%d: ", name);
    if (rc == 0)
        rc = emit_part(e, arena_printf(e->a, "x%d", name), o->type->element, to->element);
    buf_add_char(e->to, ')');
    return rc;
}

static int emit_map_cast(struct emitter *e, const struct operand *o, const struct type *to)
{
    int name = e->next_alias++;
    int rc;

    buf_add_cstr(e->to, "map_from_entries(list_transform(map_entries(");
    rc = emit_operand(e, o);
    buf_addf(e->to, "), lambda x%d: struct_pack(key := ", name);
    if (rc == 0)
        rc = emit_part(e, arena_printf(e->a, "struct_extract(x%d, 'key')", name), o->type->key, to->key);
    buf_add_cstr(e->to, ", value := ");
    if (rc == 0)
        rc = emit_part(e, arena_printf(e->a, "struct_extract(x%d, 'value')", name), o->type->element, to->element);
    buf_add_cstr(e->to, ")))");
    return rc;
}

static int emit_row_cast(struct emitter *e, const struct operand *o, const struct type *to)
{
    struct str text;
    int rc = emit_to_text(e, o, &text);

    if (rc < 0)
        return rc;
    buf_addf(e->to, "CASE WHEN %.*s IS NOT NULL THEN struct_pack(", STR_ARG(text));
    for (size_t i = 0; rc == 0 && i < to->field_count; i++) {
        buf_addf(e->to, "%sf%zu := ", i > 0 ? ", " : "", i);
        rc = emit_part(e, arena_printf(e->a, "struct_extract(%.*s, 'f%zu')", STR_ARG(text), i), o->type->fields[i].type,
                       to->fields[i].type);
    }
    buf_add_cstr(e->to, ") END");
    return rc;
}

static int emit_plain_cast(struct emitter *e, const struct operand *o, const struct type *to)
{
    struct call c = {.args = o, .arg_count = 1, .result = to};
    const struct type *from = o->type;
    const char *text = NULL;
    int rc = 1;

    if (from->kind == TYPE_UNKNOWN)
        return emit_template(e, "CAST($1 AS $R)", &c);
    if (type_eq(from, to) && from->kind != TYPE_TIMESTAMP_TZ)
        return emit_operand(e, o);
    if (to->kind == TYPE_VARCHAR)
        rc = emit_text_cast(e, &c);
    else if (to->kind == TYPE_CHAR)
        rc = emit_char_cast(e, &c);
    else if (from->kind == TYPE_ARRAY && to->kind == TYPE_ARRAY)
        rc = emit_array_cast(e, o, to);
    else if (from->kind == TYPE_MAP && to->kind == TYPE_MAP)
        rc = emit_map_cast(e, o, to);
    else if (from->kind == TYPE_ROW && to->kind == TYPE_ROW && from->field_count == to->field_count)
        rc = emit_row_cast(e, o, to);
    else if ((text = scalar_template(from, to)))
        rc = emit_template(e, text, &c);
    if (rc == 1) {
        struct str names[2] = {type_name(e->a, from), type_name(e->a, to)};

        return emit_unsupported(e, o->expr ? o->expr->line : 0, o->expr ? o->expr->column : 0,
                                "Casts from %.*s to %.*s are not supported", STR_ARG(names[0]), STR_ARG(names[1]));
    }
    return rc;
}

int emit_cast(struct emitter *e, const struct operand *o, const struct type *to, bool safe)
{
    int rc = emit_enter(e);

    if (rc < 0)
        return rc;
    if (safe)
        buf_add_cstr(e->to, "TRY(");
    rc = emit_plain_cast(e, o, to);
    if (safe)
        buf_add_char(e->to, ')');
    e->depth--;
    return rc;
}
