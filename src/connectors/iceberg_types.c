/*
 * Trino's types and Iceberg's, as Trino 476's TypeConverter maps them, and the values that go between: a row is a STRUCT
 * with fields f0, f1, … while a query runs, and has the table's field names in files.
 */
#include "base/vec.h"
#include "connectors/iceberg_internal.h"
#include "emit/emit.h"
#include <math.h>

/* The types without parameters, both ways; the first line of a kind is the way back. */
static const struct {
    enum type_kind trino;
    enum iceberg_type_kind iceberg;
} pairs[] = {
    {TYPE_BOOLEAN, ICEBERG_BOOLEAN},
    {TYPE_INTEGER, ICEBERG_INT},
    {TYPE_BIGINT, ICEBERG_LONG},
    {TYPE_REAL, ICEBERG_FLOAT},
    {TYPE_DOUBLE, ICEBERG_DOUBLE},
    {TYPE_DATE, ICEBERG_DATE},
    {TYPE_VARCHAR, ICEBERG_STRING},
    {TYPE_VARBINARY, ICEBERG_BINARY},
    {TYPE_VARBINARY, ICEBERG_FIXED},
    {TYPE_UUID, ICEBERG_UUID},
    {TYPE_TIME, ICEBERG_TIME},
    {TYPE_TIMESTAMP, ICEBERG_TIMESTAMP},
    {TYPE_TIMESTAMP_TZ, ICEBERG_TIMESTAMPTZ},
};

static int from_row(struct arena *a, const struct type *t, struct iceberg_type *to, struct err *err)
{
    to->kind = ICEBERG_STRUCT;
    to->field_count = t->field_count;
    to->fields = arena_array(a, struct iceberg_field, t->field_count);
    for (size_t i = 0; i < t->field_count; i++) {
        if (str_is_null(t->fields[i].name))
            return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "Row type field does not have a name: %.*s",
                                 STR_ARG(type_name(a, t)));
        to->fields[i].name = arena_str(a, t->fields[i].name);
        int rc = iceberg_from_trino(a, t->fields[i].type, &to->fields[i].type, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int iceberg_from_trino(struct arena *a, const struct type *t, const struct iceberg_type **ret, struct err *err)
{
    struct iceberg_type *to = arena_new(a, struct iceberg_type);
    int rc = 0;

    *ret = to;
    switch (t->kind) {
    case TYPE_DECIMAL:
        *to = (struct iceberg_type){.kind = ICEBERG_DECIMAL, .precision = t->precision, .scale = t->scale};
        return 0;
    case TYPE_ARRAY:
        to->kind = ICEBERG_LIST;
        to->field_count = 1;
        to->fields = arena_array(a, struct iceberg_field, 1);
        to->fields[0].name = STR("element");
        return iceberg_from_trino(a, t->element, &to->fields[0].type, err);
    case TYPE_MAP:
        to->kind = ICEBERG_MAP;
        to->field_count = 2;
        to->fields = arena_array(a, struct iceberg_field, 2);
        to->fields[0].name = STR("key");
        to->fields[0].required = true;
        to->fields[1].name = STR("value");
        rc = iceberg_from_trino(a, t->key, &to->fields[0].type, err);
        return rc < 0 ? rc : iceberg_from_trino(a, t->element, &to->fields[1].type, err);
    case TYPE_ROW:
        return from_row(a, t, to, err);
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ:
        if (t->precision != 6)
            return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                                 "%s precision (%d) not supported for Iceberg. Use \"%s\" instead.",
                                 t->kind == TYPE_TIME ? "Time" : "Timestamp", t->precision,
                                 t->kind == TYPE_TIME        ? "time(6)"
                                 : t->kind == TYPE_TIMESTAMP ? "timestamp(6)"
                                                             : "timestamp(6) with time zone");
        break;
    default:
        break;
    }
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        if (pairs[i].trino == t->kind) {
            to->kind = pairs[i].iceberg;
            return 0;
        }
    }
    return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "Type not supported for Iceberg: %.*s",
                         STR_ARG(type_name(a, t)));
}

const struct type *iceberg_supported(struct arena *a, const struct type *t)
{
    struct type_field *fields;

    switch (t->kind) {
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
        return &type_integer;
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        return &type_varchar;
    case TYPE_TIME:
        return type_time(a, 6);
    case TYPE_TIMESTAMP:
        return &type_timestamp_6;
    case TYPE_TIMESTAMP_TZ:
        return type_timestamp_tz(a, 6, STR("UTC"));
    case TYPE_ARRAY:
        return type_array(a, iceberg_supported(a, t->element));
    case TYPE_MAP:
        return type_map(a, iceberg_supported(a, t->key), iceberg_supported(a, t->element));
    case TYPE_ROW:
        fields = arena_array(a, struct type_field, t->field_count);
        for (size_t i = 0; i < t->field_count; i++)
            fields[i] = (struct type_field){t->fields[i].name, iceberg_supported(a, t->fields[i].type)};
        return type_row(a, fields, t->field_count);
    default:
        return t;
    }
}

const struct type *iceberg_to_trino(struct arena *a, const struct iceberg_type *t)
{
    struct type_field *fields;

    switch (t->kind) {
    case ICEBERG_BOOLEAN:
        return &type_boolean;
    case ICEBERG_INT:
        return &type_integer;
    case ICEBERG_LONG:
        return &type_bigint;
    case ICEBERG_FLOAT:
        return &type_real;
    case ICEBERG_DOUBLE:
        return &type_double;
    case ICEBERG_DECIMAL:
        return type_decimal(a, t->precision, t->scale);
    case ICEBERG_DATE:
        return &type_date;
    case ICEBERG_TIME:
        return type_time(a, 6);
    case ICEBERG_TIMESTAMP:
        return &type_timestamp_6;
    case ICEBERG_TIMESTAMPTZ:
        return type_timestamp_tz(a, 6, STR("UTC"));
    case ICEBERG_STRING:
        return &type_varchar;
    case ICEBERG_UUID:
        return &type_uuid;
    case ICEBERG_FIXED:
    case ICEBERG_BINARY:
        return &type_varbinary;
    case ICEBERG_LIST:
        return type_array(a, iceberg_to_trino(a, t->fields[0].type));
    case ICEBERG_MAP:
        return type_map(a, iceberg_to_trino(a, t->fields[0].type), iceberg_to_trino(a, t->fields[1].type));
    case ICEBERG_STRUCT:
        fields = arena_array(a, struct type_field, t->field_count);
        for (size_t i = 0; i < t->field_count; i++)
            fields[i] = (struct type_field){arena_str(a, t->fields[i].name), iceberg_to_trino(a, t->fields[i].type)};
        return type_row(a, fields, t->field_count);
    }
    return &type_unknown;
}

void iceberg_format_file_type(struct buf *to, const struct iceberg_type *t)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;

    switch (t->kind) {
    case ICEBERG_LIST:
        iceberg_format_file_type(to, t->fields[0].type);
        buf_add_cstr(to, "[]");
        break;
    case ICEBERG_MAP:
        buf_add_cstr(to, "MAP(");
        iceberg_format_file_type(to, t->fields[0].type);
        buf_add_cstr(to, ", ");
        iceberg_format_file_type(to, t->fields[1].type);
        buf_add_char(to, ')');
        break;
    case ICEBERG_STRUCT:
        buf_add_cstr(to, "STRUCT(");
        for (size_t i = 0; i < t->field_count; i++) {
            if (i)
                buf_add_cstr(to, ", ");
            emit_identifier(to, t->fields[i].name);
            buf_add_char(to, ' ');
            iceberg_format_file_type(to, t->fields[i].type);
        }
        buf_add_char(to, ')');
        break;
    default:
        type_format_physical(to, iceberg_to_trino(&a, t));
    }
}

/* ---- values between files and queries ---- */

static bool has_struct(const struct iceberg_type *t)
{
    if (t->kind == ICEBERG_STRUCT)
        return true;
    for (size_t i = 0; i < t->field_count; i++)
        if (has_struct(t->fields[i].type))
            return true;
    return false;
}

/* What differs between the two ways: the names of a struct's fields, and what happens to a value that is no struct. */
struct reshape {
    bool to_file;
    int depth; /* of lambdas: each has a parameter name of its own */
};

static void reshape(struct buf *to, struct reshape r, const struct iceberg_type *t, const struct type *from,
                    struct str expr);

static void reshape_struct(struct buf *to, struct reshape r, const struct iceberg_type *t, const struct type *from,
                           struct str expr)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;

    buf_addf(to, "CASE WHEN (%.*s) IS NULL THEN NULL ELSE struct_pack(", STR_ARG(expr));
    for (size_t i = 0; i < t->field_count; i++) {
        BUF_SCOPED struct buf part;

        if (i)
            buf_add_cstr(to, ", ");
        struct str mine = arena_printf(&a, "f%zu", i);
        emit_identifier(to, r.to_file ? t->fields[i].name : mine);
        buf_add_cstr(to, " := ");
        buf_init(&part, to->max);
        buf_addf(&part, "(%.*s).", STR_ARG(expr));
        emit_identifier(&part, r.to_file ? mine : t->fields[i].name);
        reshape(to, r, t->fields[i].type, from ? from->fields[i].type : NULL, buf_str(&part));
        if (part.failed)
            to->failed = true;
    }
    buf_add_cstr(to, ") END");
}

static void reshape_list(struct buf *to, struct reshape r, const struct iceberg_type *element, const struct type *from,
                         struct str expr)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct str x = arena_printf(&a, "x%d", ++r.depth);

    buf_addf(to, "list_transform(%.*s, lambda %.*s: ", STR_ARG(expr), STR_ARG(x));
    reshape(to, r, element, from, x);
    buf_add_char(to, ')');
}

static void reshape(struct buf *to, struct reshape r, const struct iceberg_type *t, const struct type *from,
                    struct str expr)
{
    bool is_char = from && from->kind == TYPE_CHAR;

    if (is_char) { /* physical char lacks its padding; a varchar has it */
        buf_addf(to, "rpad(%.*s, %d, ' ')", STR_ARG(expr), from->precision);
    } else if (t->kind == ICEBERG_STRUCT) {
        reshape_struct(to, r, t, from, expr);
    } else if (t->kind == ICEBERG_LIST && (has_struct(t) || from)) {
        reshape_list(to, r, t->fields[0].type, from ? from->element : NULL, expr);
    } else if (t->kind == ICEBERG_MAP && (has_struct(t) || from)) {
        BUF_SCOPED struct buf keys, values;

        buf_init(&keys, to->max);
        buf_init(&values, to->max);
        buf_addf(&keys, "map_keys(%.*s)", STR_ARG(expr));
        buf_addf(&values, "map_values(%.*s)", STR_ARG(expr));
        buf_addf(to, "CASE WHEN (%.*s) IS NULL THEN NULL ELSE map(", STR_ARG(expr));
        reshape_list(to, r, t->fields[0].type, from ? from->key : NULL, buf_str(&keys));
        buf_add_cstr(to, ", ");
        reshape_list(to, r, t->fields[1].type, from ? from->element : NULL, buf_str(&values));
        buf_add_cstr(to, ") END");
    } else if (r.to_file && from && !has_struct(t)) {
        buf_addf(to, "CAST(%.*s AS ", STR_ARG(expr));
        iceberg_format_file_type(to, t);
        buf_add_char(to, ')');
    } else {
        buf_add_str(to, expr);
    }
}

void iceberg_read_value(struct buf *to, const struct iceberg_type *t, struct str expr)
{
    reshape(to, (struct reshape){.to_file = false}, t, NULL, expr);
}

static bool same_values(struct arena *a, const struct iceberg_type *t, const struct type *from)
{
    return from->kind != TYPE_CHAR && !has_struct(t) && type_eq(iceberg_supported(a, from), from);
}

void iceberg_write_value(struct buf *to, const struct iceberg_type *t, const struct type *from, struct str expr)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    bool is_scalar_text = from->kind == TYPE_VARCHAR;

    if (same_values(&a, t, from) || is_scalar_text)
        buf_add_str(to, expr);
    else
        reshape(to, (struct reshape){.to_file = true}, t, from, expr);
}

/* ---- constants ---- */

static bool parse_unscaled(struct str digits, __int128 *ret)
{
    __int128 v = 0;
    bool is_negative = digits.n > 0 && digits.p[0] == '-';

    for (size_t i = is_negative; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9' || i > 39)
            return false;
        v = v * 10 + (digits.p[i] - '0');
    }
    *ret = is_negative ? -v : v;
    return digits.n > (size_t)is_negative;
}

bool iceberg_constant(const struct iceberg_type *t, const struct constant *c, struct iceberg_value *ret)
{
    *ret = (struct iceberg_value){.is_null = c->is_null};
    if (c->is_null)
        return false;
    switch (t->kind) {
    case ICEBERG_BOOLEAN:
    case ICEBERG_INT:
    case ICEBERG_LONG:
    case ICEBERG_DATE:
    case ICEBERG_TIME:
    case ICEBERG_TIMESTAMP:
    case ICEBERG_TIMESTAMPTZ:
        ret->i = c->i;
        return true;
    case ICEBERG_FLOAT:
    case ICEBERG_DOUBLE:
        ret->f = c->f;
        return !isnan(c->f);
    case ICEBERG_DECIMAL:
        return parse_unscaled(c->text, &ret->unscaled);
    case ICEBERG_STRING:
    case ICEBERG_BINARY:
        ret->bytes = c->text;
        return true;
    default:
        return false;
    }
}
