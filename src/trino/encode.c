/*
 * The encoder is a tree of nodes as the types are, each with its function and, while a chunk is bound, the pointers into
 * its vector. Texts follow Java's, which clients parse: doubles as Double.toString has them, years past 9999 with a sign.
 */
#include "trino/encode.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/zone.h"

#include <math.h>

struct node {
    const struct type *type;
    void (*add)(const struct node *n, idx_t row, struct buf *to);
    duckdb_type physical; /* of what `data` points to: a decimal's is its integer */
    int precision;        /* of date-times, as shown */
    const struct zone *zone;
    struct str zone_name;
    struct node *children;
    size_t child_count;

    void *data; /* while a chunk is bound */
    uint64_t *validity;
};

struct encoder {
    struct arena arena;
    struct node *columns;
    size_t n;
};

static void add_value(const struct node *n, idx_t row, struct buf *to)
{
    if (n->validity && !(n->validity[row / 64] >> (row % 64) & 1))
        buf_append(to, "null", 4);
    else
        n->add(n, row, to);
}

/* ---- numbers ---- */

static void add_boolean(const struct node *n, idx_t row, struct buf *to)
{
    buf_add_cstr(to, ((const bool *)n->data)[row] ? "true" : "false");
}

static void add_int128(struct buf *to, __int128 v)
{
    char text[40];
    size_t at = sizeof(text);
    unsigned __int128 u = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;

    do
        text[--at] = (char)('0' + (int)(u % 10));
    while (u /= 10);
    if (v < 0)
        buf_add_char(to, '-');
    buf_append(to, text + at, sizeof(text) - at);
}

/* The engine may hold a value wider than its Trino type: a sum is a hugeint before it is cast. */
static __int128 read_integer(const struct node *n, idx_t row)
{
    switch (n->physical) {
    case DUCKDB_TYPE_TINYINT:
        return ((const int8_t *)n->data)[row];
    case DUCKDB_TYPE_SMALLINT:
        return ((const int16_t *)n->data)[row];
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_DATE:
        return ((const int32_t *)n->data)[row];
    case DUCKDB_TYPE_HUGEINT: {
        duckdb_hugeint h = ((const duckdb_hugeint *)n->data)[row];
        return (__int128)((unsigned __int128)(uint64_t)h.upper << 64 | h.lower);
    }
    default: /* BIGINT and the 64-bit date-times */
        return ((const int64_t *)n->data)[row];
    }
}

static int64_t read_i64(const struct node *n, idx_t row)
{
    return (int64_t)read_integer(n, row);
}

static void add_integer(const struct node *n, idx_t row, struct buf *to)
{
    if (n->physical == DUCKDB_TYPE_HUGEINT)
        add_int128(to, read_integer(n, row));
    else
        buf_add_i64(to, read_i64(n, row));
}

static void add_decimal(const struct node *n, idx_t row, struct buf *to)
{
    __int128 v = read_integer(n, row);
    unsigned __int128 u = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
    char text[48];
    size_t at = sizeof(text);

    text[--at] = '"';
    for (int digits = 0; digits <= n->type->scale || u; digits++, u /= 10) {
        if (digits == n->type->scale && digits > 0)
            text[--at] = '.';
        text[--at] = (char)('0' + (int)(u % 10));
    }
    if (v < 0)
        text[--at] = '-';
    text[--at] = '"';
    buf_append(to, text + at, sizeof(text) - at);
}

/* Double.toString and Float.toString: decimal for 10^-3 ≤ |v| < 10^7, else d.dddE±x. `digits` are the shortest that
 * read back, d1 d2 d3 … × 10^exponent with the point behind d1. */
static void add_java_digits(struct buf *to, const char *digits, int n, int exponent)
{
    if (exponent >= -3 && exponent < 0) {
        buf_add_cstr(to, "0.");
        for (int i = exponent; i < -1; i++)
            buf_add_char(to, '0');
        buf_append(to, digits, (size_t)n);
    } else if (exponent >= 0 && exponent < 7) {
        for (int i = 0; i <= exponent || i < n; i++) {
            if (i == exponent + 1)
                buf_add_char(to, '.');
            buf_add_char(to, i < n ? digits[i] : '0');
        }
        if (n <= exponent + 1)
            buf_add_cstr(to, ".0");
    } else {
        buf_add_char(to, digits[0]);
        buf_add_char(to, '.');
        if (n > 1)
            buf_append(to, digits + 1, (size_t)n - 1);
        else
            buf_add_char(to, '0');
        buf_add_char(to, 'E');
        buf_add_i64(to, exponent);
    }
}

static void add_floating(struct buf *to, double v, bool is_float)
{
    char text[40], digits[20];
    int n = 0;

    if (isnan(v) || isinf(v)) {
        buf_add_cstr(to, isnan(v) ? "\"NaN\"" : v < 0 ? "\"-Infinity\"" : "\"Infinity\"");
        return;
    }
    if (v == 0) {
        buf_add_cstr(to, signbit(v) ? "-0.0" : "0.0");
        return;
    }
    for (int precision = is_float ? 6 : 15; precision <= (is_float ? 9 : 17); precision++) {
        snprintf(text, sizeof(text), "%.*e", precision - 1, fabs(v));
        if (is_float ? strtof(text, NULL) == (float)fabs(v) : strtod(text, NULL) == fabs(v))
            break;
    }
    const char *e = strchr(text, 'e');
    for (const char *c = text; c < e; c++)
        if (*c != '.')
            digits[n++] = *c;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (v < 0)
        buf_add_char(to, '-');
    int64_t exponent = 0;
    if (str_to_i64(str_from_cstr(e[1] == '+' ? e + 2 : e + 1), &exponent, NULL) < 0)
        exponent = 0; /* printf's own */
    add_java_digits(to, digits, n, (int)exponent);
}

static void add_double(const struct node *n, idx_t row, struct buf *to)
{
    double v = ((const double *)n->data)[row];

    /* Prices and rates have few decimals: an integer of at most 15 digits over 10^4 that divides back to the value is
     * its shortest form, without printf and strtod. */
    double scaled = v * 1e4;
    if (fabs(v) >= 1e-3 && fabs(v) < 1e7 && scaled == nearbyint(scaled) && scaled / 1e4 == v) {
        char text[24];
        size_t at = sizeof(text);
        uint64_t u = (uint64_t)fabs(scaled);
        int skip = 0;
        while (skip < 3 && u % 10 == 0) {
            u /= 10;
            skip++;
        }
        for (int i = skip; i < 4; i++, u /= 10)
            text[--at] = (char)('0' + u % 10);
        text[--at] = '.';
        do
            text[--at] = (char)('0' + u % 10);
        while (u /= 10);
        if (v < 0)
            text[--at] = '-';
        buf_append(to, text + at, sizeof(text) - at);
        return;
    }
    add_floating(to, v, false);
}

static void add_real(const struct node *n, idx_t row, struct buf *to)
{
    add_floating(to, ((const float *)n->data)[row], true);
}

/* ---- text and bytes ---- */

static struct str read_string(const struct node *n, idx_t row)
{
    duckdb_string_t *s = &((duckdb_string_t *)n->data)[row];

    return str_from(duckdb_string_t_data(s), duckdb_string_t_length(*s));
}

/* The engine's strings are well-formed UTF-8: only quotes, backslashes and control characters need escapes. */
static void add_json_string(struct buf *to, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] >= ' ' && s.p[i] != '"' && s.p[i] != '\\')
            continue;
        json_escape(to, s);
        return;
    }
    char *p = buf_reserve(to, s.n + 2);
    if (!p)
        return;
    p[0] = '"';
    if (s.n)
        memcpy(p + 1, s.p, s.n);
    p[s.n + 1] = '"';
    to->n += s.n + 2;
}

static void add_string(const struct node *n, idx_t row, struct buf *to)
{
    add_json_string(to, read_string(n, row));
}

/* Held without its trailing spaces, shown with all of them. */
static void add_char(const struct node *n, idx_t row, struct buf *to)
{
    struct str s = read_string(n, row);
    int length = 0;

    for (size_t i = 0; i < s.n; i++)
        length += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    add_json_string(to, s);
    if (length >= n->type->precision || to->failed)
        return;
    buf_truncate(to, to->n - 1);
    for (; length < n->type->precision; length++)
        buf_add_char(to, ' ');
    buf_add_char(to, '"');
}

static void add_varbinary(const struct node *n, idx_t row, struct buf *to)
{
    struct str s = read_string(n, row);

    buf_add_char(to, '"');
    enc_base64(to, s.p, s.n);
    buf_add_char(to, '"');
}

static void add_uuid(const struct node *n, idx_t row, struct buf *to)
{
    duckdb_hugeint h = ((const duckdb_hugeint *)n->data)[row];
    uint64_t upper = (uint64_t)h.upper ^ 1ULL << 63; /* the engine orders them as signed numbers */

    buf_addf(to, "\"%08x-%04x-%04x-%04x-%012llx\"", (unsigned)(upper >> 32), (unsigned)(upper >> 16 & 0xffff),
             (unsigned)(upper & 0xffff), (unsigned)(h.lower >> 48), (unsigned long long)(h.lower & 0xffffffffffffULL));
}

/* ---- date and time ---- */

static void add_digits(struct buf *to, int64_t v, int width)
{
    char text[20];

    for (int i = width; i-- > 0; v /= 10)
        text[i] = (char)('0' + v % 10);
    buf_append(to, text, (size_t)width);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Proleptic Gregorian, by the 400-year cycle; base/clock.h's civil works in microseconds, too short for all dates. */
static void add_days(struct buf *to, int64_t days)
{
    int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153, day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + era * 400 + (month <= 2);

    if (year > 9999)
        buf_add_char(to, '+');
    if (year < 0)
        buf_add_char(to, '-');
    if (year > 9999 || year < -9999)
        buf_add_i64(to, year < 0 ? -year : year);
    else
        add_digits(to, year < 0 ? -year : year, 4);
    buf_add_char(to, '-');
    add_digits(to, month, 2);
    buf_add_char(to, '-');
    add_digits(to, day, 2);
}

static void add_fraction(struct buf *to, int64_t micros, int precision)
{
    static const int64_t power[] = {1000000, 100000, 10000, 1000, 100, 10, 1};

    if (precision == 0)
        return;
    buf_add_char(to, '.');
    if (precision <= 6) {
        add_digits(to, micros / power[precision], precision);
        return;
    }
    add_digits(to, micros, 6);
    for (int i = 6; i < precision; i++)
        buf_add_char(to, '0');
}

/* Rounded half up to what is shown, as Trino does for clients that know no other precision than 3. */
static int64_t round_micros(int64_t micros, int precision)
{
    return precision == 3 ? floor_div(micros + 500, 1000) * 1000 : micros;
}

static void add_clock(struct buf *to, int64_t micros_of_day, int precision)
{
    int64_t s = micros_of_day / 1000000;

    add_digits(to, s / 3600, 2);
    buf_add_char(to, ':');
    add_digits(to, s / 60 % 60, 2);
    buf_add_char(to, ':');
    add_digits(to, s % 60, 2);
    add_fraction(to, micros_of_day % 1000000, precision);
}

static void add_local(struct buf *to, int64_t micros, int precision)
{
    const int64_t day_us = 86400000000;
    int64_t days = floor_div(micros, day_us);

    add_days(to, days);
    buf_add_char(to, ' ');
    add_clock(to, micros - days * day_us, precision);
}

static void add_date(const struct node *n, idx_t row, struct buf *to)
{
    buf_add_char(to, '"');
    add_days(to, read_i64(n, row));
    buf_add_char(to, '"');
}

static void add_time(const struct node *n, idx_t row, struct buf *to)
{
    const int64_t day_us = 86400000000;
    int64_t micros = round_micros(read_i64(n, row), n->precision);

    buf_add_char(to, '"');
    add_clock(to, micros % day_us, n->precision);
    buf_add_char(to, '"');
}

static void add_time_tz(const struct node *n, idx_t row, struct buf *to)
{
    duckdb_time_tz_struct t = duckdb_from_time_tz(((const duckdb_time_tz *)n->data)[row]);
    int64_t micros = ((int64_t)t.time.hour * 3600 + (int64_t)t.time.min * 60 + t.time.sec) * 1000000 + t.time.micros;
    int minutes = t.offset / 60;

    buf_add_char(to, '"');
    add_clock(to, round_micros(micros, n->precision), n->precision);
    buf_addf(to, "%c%02d:%02d\"", minutes < 0 ? '-' : '+', abs(minutes) / 60, abs(minutes) % 60);
}

static void add_timestamp(const struct node *n, idx_t row, struct buf *to)
{
    buf_add_char(to, '"');
    add_local(to, round_micros(read_i64(n, row), n->precision), n->precision);
    buf_add_char(to, '"');
}

static void add_timestamp_tz(const struct node *n, idx_t row, struct buf *to)
{
    int64_t micros = round_micros(read_i64(n, row), n->precision);
    int64_t offset_us = (int64_t)zone_offset_s(n->zone, floor_div(micros, 1000000)) * 1000000;

    buf_add_char(to, '"');
    add_local(to, micros + offset_us, n->precision);
    buf_add_char(to, ' ');
    buf_add_str(to, n->zone_name);
    buf_add_char(to, '"');
}

static void add_interval_day_second(const struct node *n, idx_t row, struct buf *to)
{
    int64_t ms = read_i64(n, row);
    uint64_t u = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;

    buf_addf(to, "\"%s%llu %02d:%02d:%02d.%03d\"", ms < 0 ? "-" : "", (unsigned long long)(u / 86400000),
             (int)(u / 3600000 % 24), (int)(u / 60000 % 60), (int)(u / 1000 % 60), (int)(u % 1000));
}

static void add_interval_year_month(const struct node *n, idx_t row, struct buf *to)
{
    int64_t months = read_i64(n, row), u = months < 0 ? -months : months;

    buf_addf(to, "\"%s%lld-%d\"", months < 0 ? "-" : "", (long long)(u / 12), (int)(u % 12));
}

/* ---- nested ---- */

static void add_array(const struct node *n, idx_t row, struct buf *to)
{
    duckdb_list_entry e = ((const duckdb_list_entry *)n->data)[row];

    buf_add_char(to, '[');
    for (uint64_t i = 0; i < e.length; i++) {
        if (i > 0)
            buf_add_char(to, ',');
        add_value(n->children, e.offset + i, to);
    }
    buf_add_char(to, ']');
}

/* A key is a string in JSON whatever its type is: its text, in quotes. */
static void add_key(const struct node *key, idx_t row, struct buf *to)
{
    BUF_SCOPED struct buf text;

    buf_init(&text, to->max);
    add_value(key, row, &text);
    to->failed |= text.failed;
    if (text.n && text.p[0] == '"')
        buf_add_str(to, buf_str(&text));
    else
        json_escape(to, buf_str(&text));
}

static void add_map(const struct node *n, idx_t row, struct buf *to)
{
    duckdb_list_entry e = ((const duckdb_list_entry *)n->data)[row];

    buf_add_char(to, '{');
    for (uint64_t i = 0; i < e.length; i++) {
        if (i > 0)
            buf_add_char(to, ',');
        add_key(&n->children[0], e.offset + i, to);
        buf_add_char(to, ':');
        add_value(&n->children[1], e.offset + i, to);
    }
    buf_add_char(to, '}');
}

static void add_row(const struct node *n, idx_t row, struct buf *to)
{
    buf_add_char(to, '[');
    for (size_t i = 0; i < n->child_count; i++) {
        if (i > 0)
            buf_add_char(to, ',');
        add_value(&n->children[i], row, to);
    }
    buf_add_char(to, ']');
}

/* ---- the tree ---- */

struct kind {
    void (*add)(const struct node *n, idx_t row, struct buf *to);
    duckdb_type physical;
};

static const struct kind kinds[] = {
    [TYPE_UNKNOWN] = {add_integer, DUCKDB_TYPE_INTEGER},
    [TYPE_BOOLEAN] = {add_boolean, DUCKDB_TYPE_BOOLEAN},
    [TYPE_TINYINT] = {add_integer, DUCKDB_TYPE_TINYINT},
    [TYPE_SMALLINT] = {add_integer, DUCKDB_TYPE_SMALLINT},
    [TYPE_INTEGER] = {add_integer, DUCKDB_TYPE_INTEGER},
    [TYPE_BIGINT] = {add_integer, DUCKDB_TYPE_BIGINT},
    [TYPE_REAL] = {add_real, DUCKDB_TYPE_FLOAT},
    [TYPE_DOUBLE] = {add_double, DUCKDB_TYPE_DOUBLE},
    [TYPE_DECIMAL] = {add_decimal, DUCKDB_TYPE_DECIMAL},
    [TYPE_VARCHAR] = {add_string, DUCKDB_TYPE_VARCHAR},
    [TYPE_CHAR] = {add_char, DUCKDB_TYPE_VARCHAR},
    [TYPE_VARBINARY] = {add_varbinary, DUCKDB_TYPE_BLOB},
    [TYPE_JSON] = {add_string, DUCKDB_TYPE_VARCHAR},
    [TYPE_UUID] = {add_uuid, DUCKDB_TYPE_UUID},
    [TYPE_DATE] = {add_date, DUCKDB_TYPE_DATE},
    [TYPE_TIME] = {add_time, DUCKDB_TYPE_TIME},
    [TYPE_TIME_TZ] = {add_time_tz, DUCKDB_TYPE_TIME_TZ},
    [TYPE_TIMESTAMP] = {add_timestamp, DUCKDB_TYPE_TIMESTAMP},
    [TYPE_TIMESTAMP_TZ] = {add_timestamp_tz, DUCKDB_TYPE_TIMESTAMP_TZ},
    [TYPE_INTERVAL_YEAR_MONTH] = {add_interval_year_month, DUCKDB_TYPE_INTEGER},
    [TYPE_INTERVAL_DAY_SECOND] = {add_interval_day_second, DUCKDB_TYPE_BIGINT},
    [TYPE_ARRAY] = {add_array, DUCKDB_TYPE_LIST},
    [TYPE_MAP] = {add_map, DUCKDB_TYPE_MAP},
    [TYPE_ROW] = {add_row, DUCKDB_TYPE_STRUCT},
    [TYPE_FUNCTION] = {NULL, DUCKDB_TYPE_INVALID},
};

static int make_node(struct arena *a, struct node *n, const struct type *t, bool parametric, struct err *err)
{
    int rc;

    *n = (struct node){.type = t, .add = kinds[t->kind].add, .precision = parametric ? t->precision : 3};
    if (!n->add)
        return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "a function is no value of a result");
    if (t->kind == TYPE_TIMESTAMP_TZ) {
        n->zone_name = str_is_empty(t->zone) ? STR("UTC") : arena_str(a, t->zone);
        n->zone = zone_find(n->zone_name);
        if (!n->zone)
            return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "Time zone not supported: %.*s",
                                 STR_ARG(n->zone_name));
    }
    const struct type *pair[2] = {t->key, t->element};
    n->child_count = t->kind == TYPE_ARRAY ? 1 : t->kind == TYPE_MAP ? 2 : t->kind == TYPE_ROW ? t->field_count : 0;
    n->children = arena_array(a, struct node, n->child_count + 1);
    for (size_t i = 0; i < n->child_count; i++) {
        const struct type *child = t->kind == TYPE_ROW     ? t->fields[i].type
                                   : t->kind == TYPE_ARRAY ? t->element
                                                           : pair[i];
        if ((rc = make_node(a, &n->children[i], child, parametric, err)) < 0)
            return rc;
    }
    return 0;
}

/* The statement's arena is gone before the last page is read: types are copied along. */
static const struct type *copy_type(struct arena *a, const struct type *t)
{
    struct type *copy = arena_new(a, struct type);

    *copy = *t;
    if (t->element)
        copy->element = copy_type(a, t->element);
    if (t->key)
        copy->key = copy_type(a, t->key);
    if (t->field_count) {
        struct type_field *fields = arena_array(a, struct type_field, t->field_count);
        for (size_t i = 0; i < t->field_count; i++)
            fields[i].type = copy_type(a, t->fields[i].type);
        copy->fields = fields;
    }
    return copy;
}

int encoder_new(const struct column *columns, size_t n, bool parametric, struct encoder **ret, struct err *err)
{
    struct encoder *e = calloc(1, sizeof(*e));
    int rc = 0;

    if (!e)
        return err_set(err, ERR_LIMIT, "no memory for a result");
    e->n = n;
    e->columns = arena_array(&e->arena, struct node, n + 1);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = make_node(&e->arena, &e->columns[i], copy_type(&e->arena, columns[i].type), parametric, err);
    if (rc < 0) {
        encoder_free(e);
        return rc;
    }
    *ret = e;
    return 0;
}

void encoder_free(struct encoder *e)
{
    if (!e)
        return;
    arena_release(&e->arena);
    free(e);
}

/* What the vector holds, as far as reading it needs to know. */
static duckdb_type read_physical(duckdb_vector v)
{
    duckdb_logical_type type = duckdb_vector_get_column_type(v);
    duckdb_type id = duckdb_get_type_id(type);

    if (id == DUCKDB_TYPE_DECIMAL)
        id = duckdb_decimal_internal_type(type);
    duckdb_destroy_logical_type(&type);
    return id;
}

static bool fits(const struct node *n, duckdb_type found)
{
    bool is_integer = found == DUCKDB_TYPE_TINYINT || found == DUCKDB_TYPE_SMALLINT || found == DUCKDB_TYPE_INTEGER ||
                      found == DUCKDB_TYPE_BIGINT || found == DUCKDB_TYPE_HUGEINT;

    if (type_is_integer(n->type) || n->type->kind == TYPE_DECIMAL || n->type->kind == TYPE_INTERVAL_DAY_SECOND ||
        n->type->kind == TYPE_INTERVAL_YEAR_MONTH)
        return is_integer;
    if (n->type->kind == TYPE_UNKNOWN)
        return true; /* always null */
    return found == kinds[n->type->kind].physical;
}

static int bind(struct node *n, duckdb_vector v, struct err *err)
{
    int rc = 0;

    n->physical = read_physical(v);
    if (!fits(n, n->physical)) {
        BUF_SCOPED struct buf name;
        buf_init(&name, 4096);
        type_format(&name, n->type);
        return err_set(err, ERR_INTERNAL, "the engine gave its type %d for a value of type %s", (int)n->physical,
                       buf_cstr(&name));
    }
    n->data = duckdb_vector_get_data(v);
    n->validity = duckdb_vector_get_validity(v);
    if (n->type->kind == TYPE_ARRAY)
        return bind(&n->children[0], duckdb_list_vector_get_child(v), err);
    if (n->type->kind == TYPE_MAP)
        v = duckdb_list_vector_get_child(v); /* of structs of key and value */
    for (size_t i = 0; i < n->child_count && rc == 0; i++)
        rc = bind(&n->children[i], duckdb_struct_vector_get_child(v, i), err);
    return rc;
}

int encoder_bind(struct encoder *e, duckdb_data_chunk chunk, struct err *err)
{
    int rc = 0;

    if (duckdb_data_chunk_get_column_count(chunk) < e->n)
        return err_set(err, ERR_INTERNAL, "the engine gave %llu columns of %zu",
                       (unsigned long long)duckdb_data_chunk_get_column_count(chunk), e->n);
    for (size_t i = 0; i < e->n && rc == 0; i++)
        rc = bind(&e->columns[i], duckdb_data_chunk_get_vector(chunk, i), err);
    return rc;
}

void encoder_add_row(struct encoder *e, idx_t row, struct buf *to)
{
    buf_add_char(to, '[');
    for (size_t i = 0; i < e->n; i++) {
        if (i > 0)
            buf_add_char(to, ',');
        add_value(&e->columns[i], row, to);
    }
    buf_add_char(to, ']');
}
