/*
 * Types: constructors, comparison, Trino's display names, their parser, and the implicit coercions.
 *
 * The coercion rules are those of Trino 476's TypeCoercion: a lattice of base types (coerce_base), and for two types
 * of one base a rule how their parameters combine (compatibility). Everything else asks these two functions.
 */
#include "sql/types.h"

enum {
    MAX_DECIMAL_PRECISION = 38,
    MAX_CHAR_LENGTH = 65536,
    MAX_TIME_PRECISION = 12, /* Trino's */
    MAX_HELD_PRECISION = 6,  /* what the engine's microseconds hold */
    MAX_TYPE_DEPTH = 64,
    MAX_ROW_FIELDS = 1000,
};

const struct type type_unknown = {.kind = TYPE_UNKNOWN};
const struct type type_boolean = {.kind = TYPE_BOOLEAN};
const struct type type_tinyint = {.kind = TYPE_TINYINT};
const struct type type_smallint = {.kind = TYPE_SMALLINT};
const struct type type_integer = {.kind = TYPE_INTEGER};
const struct type type_bigint = {.kind = TYPE_BIGINT};
const struct type type_real = {.kind = TYPE_REAL};
const struct type type_double = {.kind = TYPE_DOUBLE};
const struct type type_varchar = {.kind = TYPE_VARCHAR, .precision = TYPE_UNBOUNDED};
const struct type type_varbinary = {.kind = TYPE_VARBINARY};
const struct type type_json = {.kind = TYPE_JSON};
const struct type type_uuid = {.kind = TYPE_UUID};
const struct type type_date = {.kind = TYPE_DATE};
const struct type type_timestamp_3 = {.kind = TYPE_TIMESTAMP, .precision = 3};
const struct type type_timestamp_6 = {.kind = TYPE_TIMESTAMP, .precision = 6};
const struct type type_interval_year_month = {.kind = TYPE_INTERVAL_YEAR_MONTH};
const struct type type_interval_day_second = {.kind = TYPE_INTERVAL_DAY_SECOND};

/* ---- constructors ---- */

static struct type *type_make(struct arena *a, enum type_kind kind, int precision)
{
    struct type *t = arena_new(a, struct type);

    t->kind = kind;
    t->precision = precision;
    return t;
}

const struct type *type_decimal(struct arena *a, int precision, int scale)
{
    struct type *t = type_make(a, TYPE_DECIMAL, precision);

    t->scale = scale;
    return t;
}

const struct type *type_varchar_n(struct arena *a, int length)
{
    return length == TYPE_UNBOUNDED ? &type_varchar : type_make(a, TYPE_VARCHAR, length);
}

const struct type *type_char(struct arena *a, int length)
{
    return type_make(a, TYPE_CHAR, length);
}

const struct type *type_time(struct arena *a, int precision)
{
    return type_make(a, TYPE_TIME, precision);
}

const struct type *type_timestamp(struct arena *a, int precision)
{
    return type_make(a, TYPE_TIMESTAMP, precision);
}

const struct type *type_timestamp_tz(struct arena *a, int precision, struct str zone)
{
    struct type *t = type_make(a, TYPE_TIMESTAMP_TZ, precision);

    t->zone = zone;
    return t;
}

const struct type *type_array(struct arena *a, const struct type *element)
{
    struct type *t = type_make(a, TYPE_ARRAY, 0);

    t->element = element;
    return t;
}

const struct type *type_map(struct arena *a, const struct type *key, const struct type *value)
{
    struct type *t = type_make(a, TYPE_MAP, 0);

    t->key = key;
    t->element = value;
    return t;
}

static const struct type *type_of_fields(struct arena *a, enum type_kind kind, const struct type_field *fields,
                                         size_t n)
{
    struct type *t = type_make(a, kind, 0);
    struct type_field *copy = arena_array(a, struct type_field, n);

    if (n > 0)
        memcpy(copy, fields, n * sizeof(*copy));
    t->fields = copy;
    t->field_count = n;
    return t;
}

const struct type *type_row(struct arena *a, const struct type_field *fields, size_t n)
{
    return type_of_fields(a, TYPE_ROW, fields, n);
}

/* ---- comparison and properties ---- */

bool type_eq(const struct type *a, const struct type *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->precision != b->precision || a->scale != b->scale || a->field_count != b->field_count)
        return false;
    switch (a->kind) {
    case TYPE_ARRAY:
        return type_eq(a->element, b->element);
    case TYPE_MAP:
        return type_eq(a->key, b->key) && type_eq(a->element, b->element);
    case TYPE_ROW:
    case TYPE_FUNCTION:
        for (size_t i = 0; i < a->field_count; i++) {
            struct str x = a->fields[i].name, y = b->fields[i].name;

            if (str_is_null(x) != str_is_null(y) || !str_eq(x, y) || !type_eq(a->fields[i].type, b->fields[i].type))
                return false;
        }
        return true;
    default:
        return true;
    }
}

bool type_is_integer(const struct type *t)
{
    return t->kind >= TYPE_TINYINT && t->kind <= TYPE_BIGINT;
}

bool type_is_numeric(const struct type *t)
{
    return t->kind >= TYPE_TINYINT && t->kind <= TYPE_DECIMAL;
}

bool type_is_comparable(const struct type *t)
{
    switch (t->kind) {
    case TYPE_FUNCTION:
        return false;
    case TYPE_ARRAY:
        return type_is_comparable(t->element);
    case TYPE_MAP:
        return type_is_comparable(t->element);
    case TYPE_ROW:
        for (size_t i = 0; i < t->field_count; i++)
            if (!type_is_comparable(t->fields[i].type))
                return false;
        return true;
    default:
        return true;
    }
}

bool type_is_orderable(const struct type *t)
{
    switch (t->kind) {
    case TYPE_FUNCTION:
    case TYPE_MAP:
    case TYPE_JSON:
        return false;
    case TYPE_ARRAY:
        return type_is_orderable(t->element);
    case TYPE_ROW:
        for (size_t i = 0; i < t->field_count; i++)
            if (!type_is_orderable(t->fields[i].type))
                return false;
        return true;
    default:
        return true;
    }
}

/* ---- names ---- */

void type_format(struct buf *to, const struct type *t)
{
    switch (t->kind) {
    case TYPE_UNKNOWN:
        buf_add_cstr(to, "unknown");
        break;
    case TYPE_BOOLEAN:
        buf_add_cstr(to, "boolean");
        break;
    case TYPE_TINYINT:
        buf_add_cstr(to, "tinyint");
        break;
    case TYPE_SMALLINT:
        buf_add_cstr(to, "smallint");
        break;
    case TYPE_INTEGER:
        buf_add_cstr(to, "integer");
        break;
    case TYPE_BIGINT:
        buf_add_cstr(to, "bigint");
        break;
    case TYPE_REAL:
        buf_add_cstr(to, "real");
        break;
    case TYPE_DOUBLE:
        buf_add_cstr(to, "double");
        break;
    case TYPE_DECIMAL:
        buf_addf(to, "decimal(%d,%d)", t->precision, t->scale);
        break;
    case TYPE_VARCHAR:
        if (t->precision == TYPE_UNBOUNDED)
            buf_add_cstr(to, "varchar");
        else
            buf_addf(to, "varchar(%d)", t->precision);
        break;
    case TYPE_CHAR:
        buf_addf(to, "char(%d)", t->precision);
        break;
    case TYPE_VARBINARY:
        buf_add_cstr(to, "varbinary");
        break;
    case TYPE_JSON:
        buf_add_cstr(to, "json");
        break;
    case TYPE_UUID:
        buf_add_cstr(to, "uuid");
        break;
    case TYPE_DATE:
        buf_add_cstr(to, "date");
        break;
    case TYPE_TIME:
        buf_addf(to, "time(%d)", t->precision);
        break;
    case TYPE_TIME_TZ:
        buf_addf(to, "time(%d) with time zone", t->precision);
        break;
    case TYPE_TIMESTAMP:
        buf_addf(to, "timestamp(%d)", t->precision);
        break;
    case TYPE_TIMESTAMP_TZ:
        buf_addf(to, "timestamp(%d) with time zone", t->precision);
        break;
    case TYPE_INTERVAL_YEAR_MONTH:
        buf_add_cstr(to, "interval year to month");
        break;
    case TYPE_INTERVAL_DAY_SECOND:
        buf_add_cstr(to, "interval day to second");
        break;
    case TYPE_ARRAY:
        buf_add_cstr(to, "array(");
        type_format(to, t->element);
        buf_add_char(to, ')');
        break;
    case TYPE_MAP:
        buf_add_cstr(to, "map(");
        type_format(to, t->key);
        buf_add_cstr(to, ", ");
        type_format(to, t->element);
        buf_add_char(to, ')');
        break;
    case TYPE_ROW:
    case TYPE_FUNCTION:
        buf_add_cstr(to, t->kind == TYPE_ROW ? "row(" : "function(");
        for (size_t i = 0; i < t->field_count; i++) {
            if (i > 0)
                buf_add_cstr(to, t->kind == TYPE_ROW ? ", " : ",");
            if (!str_is_null(t->fields[i].name)) {
                buf_add_str(to, t->fields[i].name);
                buf_add_char(to, ' ');
            }
            type_format(to, t->fields[i].type);
        }
        buf_add_char(to, ')');
        break;
    }
}

void type_format_signature(struct buf *to, const struct type *t)
{
    switch (t->kind) {
    case TYPE_ARRAY:
        buf_add_cstr(to, "array(");
        type_format_signature(to, t->element);
        buf_add_char(to, ')');
        break;
    case TYPE_MAP:
        buf_add_cstr(to, "map(");
        type_format_signature(to, t->key);
        buf_add_char(to, ',');
        type_format_signature(to, t->element);
        buf_add_char(to, ')');
        break;
    case TYPE_ROW:
    case TYPE_FUNCTION:
        buf_add_cstr(to, t->kind == TYPE_ROW ? "row(" : "function(");
        for (size_t i = 0; i < t->field_count; i++) {
            struct str name = t->fields[i].name;

            if (i > 0)
                buf_add_char(to, ',');
            if (!str_is_null(name)) {
                buf_add_char(to, '"');
                for (size_t k = 0; k < name.n; k++) {
                    if (name.p[k] == '"')
                        buf_add_char(to, '"');
                    buf_add_char(to, name.p[k]);
                }
                buf_add_cstr(to, "\" ");
            }
            type_format_signature(to, t->fields[i].type);
        }
        buf_add_char(to, ')');
        break;
    default:
        type_format(to, t);
        break;
    }
}

enum { MAX_TYPE_NAME = 1 << 20 };

struct str type_name(struct arena *a, const struct type *t)
{
    struct buf BUF_SCOPED b;

    buf_init(&b, MAX_TYPE_NAME);
    type_format(&b, t);
    return arena_str(a, buf_str(&b));
}

void type_format_physical(struct buf *to, const struct type *t)
{
    switch (t->kind) {
    case TYPE_BOOLEAN:
        buf_add_cstr(to, "BOOLEAN");
        break;
    case TYPE_TINYINT:
        buf_add_cstr(to, "TINYINT");
        break;
    case TYPE_SMALLINT:
        buf_add_cstr(to, "SMALLINT");
        break;
    case TYPE_UNKNOWN:
    case TYPE_INTEGER:
    case TYPE_INTERVAL_YEAR_MONTH:
        buf_add_cstr(to, "INTEGER");
        break;
    case TYPE_BIGINT:
    case TYPE_INTERVAL_DAY_SECOND:
        buf_add_cstr(to, "BIGINT");
        break;
    case TYPE_REAL:
        buf_add_cstr(to, "REAL");
        break;
    case TYPE_DOUBLE:
        buf_add_cstr(to, "DOUBLE");
        break;
    case TYPE_DECIMAL:
        buf_addf(to, "DECIMAL(%d,%d)", t->precision, t->scale);
        break;
    case TYPE_VARCHAR:
    case TYPE_CHAR:
    case TYPE_JSON:
    case TYPE_FUNCTION: /* never a value */
        buf_add_cstr(to, "VARCHAR");
        break;
    case TYPE_VARBINARY:
        buf_add_cstr(to, "BLOB");
        break;
    case TYPE_UUID:
        buf_add_cstr(to, "UUID");
        break;
    case TYPE_DATE:
        buf_add_cstr(to, "DATE");
        break;
    case TYPE_TIME:
        buf_add_cstr(to, "TIME");
        break;
    case TYPE_TIME_TZ:
        buf_add_cstr(to, "TIME WITH TIME ZONE");
        break;
    case TYPE_TIMESTAMP:
        buf_add_cstr(to, "TIMESTAMP");
        break;
    case TYPE_TIMESTAMP_TZ:
        buf_add_cstr(to, "TIMESTAMP WITH TIME ZONE");
        break;
    case TYPE_ARRAY:
        type_format_physical(to, t->element);
        buf_add_cstr(to, "[]");
        break;
    case TYPE_MAP:
        buf_add_cstr(to, "MAP(");
        type_format_physical(to, t->key);
        buf_add_cstr(to, ", ");
        type_format_physical(to, t->element);
        buf_add_char(to, ')');
        break;
    case TYPE_ROW:
        buf_add_cstr(to, "STRUCT(");
        for (size_t i = 0; i < t->field_count; i++) {
            buf_addf(to, "%sf%zu ", i > 0 ? ", " : "", i);
            type_format_physical(to, t->fields[i].type);
        }
        buf_add_char(to, ')');
        break;
    }
}

/* ---- parsing ---- */

struct type_parser {
    struct arena *a;
    struct str text;
    size_t at;
    int depth;
    struct err *err;
};

static int parse_fail(struct type_parser *p)
{
    return err_set_named(p->err, ERR_INVALID, "TYPE_NOT_FOUND", "Unknown type: %.*s", STR_ARG(p->text));
}

static void skip_space(struct type_parser *p)
{
    while (p->at < p->text.n && (p->text.p[p->at] == ' ' || (p->text.p[p->at] >= '\t' && p->text.p[p->at] <= '\r')))
        p->at++;
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           ((unsigned char)c & 0x80);
}

static bool take_char(struct type_parser *p, char c)
{
    skip_space(p);
    if (p->at < p->text.n && p->text.p[p->at] == c) {
        p->at++;
        return true;
    }
    return false;
}

static char peek_char(struct type_parser *p)
{
    skip_space(p);
    return p->at < p->text.n ? p->text.p[p->at] : '\0';
}

static struct str take_word(struct type_parser *p)
{
    skip_space(p);
    size_t from = p->at;
    while (p->at < p->text.n && is_word_char(p->text.p[p->at]))
        p->at++;
    return str_slice(p->text, from, p->at - from);
}

static bool take_keyword(struct type_parser *p, const char *word)
{
    size_t before = p->at;

    if (str_eq_nocase(take_word(p), str_from_cstr(word)))
        return true;
    p->at = before;
    return false;
}

/* "(n)" or "(n,m)"; *ret_n says how many there were, none without parentheses. */
static int take_numbers(struct type_parser *p, int64_t ret[2], int max, int *ret_n)
{
    int n = 0;

    if (take_char(p, '(')) {
        do {
            if (n == max || str_to_i64(take_word(p), &ret[n], NULL) < 0)
                return parse_fail(p);
            n++;
        } while (take_char(p, ','));
        if (!take_char(p, ')'))
            return parse_fail(p);
    }
    *ret_n = n;
    return 0;
}

static int parse_type(struct type_parser *p, const struct type **ret);

static int parse_decimal(struct type_parser *p, const struct type **ret)
{
    int64_t v[2] = {MAX_DECIMAL_PRECISION, 0};
    int n, code;

    if ((code = take_numbers(p, v, 2, &n)) < 0)
        return code;
    if (v[0] < 1 || v[0] > MAX_DECIMAL_PRECISION)
        return err_set_named(p->err, ERR_INVALID, "INVALID_FUNCTION_ARGUMENT",
                             "DECIMAL precision must be in range [1, 38]: %lld", (long long)v[0]);
    if (v[1] < 0 || v[1] > v[0])
        return err_set_named(p->err, ERR_INVALID, "INVALID_FUNCTION_ARGUMENT",
                             "DECIMAL scale must be in range [0, precision (%lld)]: %lld", (long long)v[0],
                             (long long)v[1]);
    *ret = type_decimal(p->a, (int)v[0], (int)v[1]);
    return 0;
}

static int parse_character(struct type_parser *p, bool is_char, const struct type **ret)
{
    int64_t v[2] = {is_char ? 1 : TYPE_UNBOUNDED, 0};
    int n, code;

    if ((code = take_numbers(p, v, 1, &n)) < 0)
        return code;
    if (is_char && (v[0] < 0 || v[0] > MAX_CHAR_LENGTH))
        return err_set_named(p->err, ERR_INVALID, "INVALID_FUNCTION_ARGUMENT",
                             "CHAR length must be in range [0, 65536], got %lld", (long long)v[0]);
    if (v[0] < 0 || v[0] > TYPE_UNBOUNDED)
        return parse_fail(p);
    *ret = is_char ? type_char(p->a, (int)v[0]) : type_varchar_n(p->a, (int)v[0]);
    return 0;
}

/* time, timestamp: precision before or after "with time zone" isn't free: only "timestamp(p) with time zone". */
static int parse_temporal(struct type_parser *p, bool is_timestamp, const struct type **ret)
{
    const char *name = is_timestamp ? "TIMESTAMP" : "TIME";
    int64_t v[2] = {3, 0};
    int n, code;
    bool zoned = false;

    if ((code = take_numbers(p, v, 1, &n)) < 0)
        return code;
    if (take_keyword(p, "with")) {
        if (!take_keyword(p, "time") || !take_keyword(p, "zone"))
            return parse_fail(p);
        zoned = true;
    } else if (take_keyword(p, "without")) {
        if (!take_keyword(p, "time") || !take_keyword(p, "zone"))
            return parse_fail(p);
    }
    if (v[0] < 0 || v[0] > MAX_TIME_PRECISION)
        return err_set_named(p->err, ERR_INVALID, "NUMERIC_VALUE_OUT_OF_RANGE",
                             "%s%s precision must be in range [0, 12]: %lld", name, zoned ? " WITH TIME ZONE" : "",
                             (long long)v[0]);
    if (v[0] > MAX_HELD_PRECISION)
        return err_set_named(p->err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                             "%s with a precision above 6 is not supported: %.*s", name, STR_ARG(p->text));
    *ret = zoned ? type_make(p->a, is_timestamp ? TYPE_TIMESTAMP_TZ : TYPE_TIME_TZ, (int)v[0])
                 : type_make(p->a, is_timestamp ? TYPE_TIMESTAMP : TYPE_TIME, (int)v[0]);
    return 0;
}

static int parse_interval(struct type_parser *p, const struct type **ret)
{
    if (take_keyword(p, "year") && take_keyword(p, "to") && take_keyword(p, "month")) {
        *ret = &type_interval_year_month;
        return 0;
    }
    if (take_keyword(p, "day") && take_keyword(p, "to") && take_keyword(p, "second")) {
        *ret = &type_interval_day_second;
        return 0;
    }
    return parse_fail(p);
}

/* (T) or <T>, (K, V) or <K, V> */
static int parse_element_types(struct type_parser *p, const struct type **ret, size_t n)
{
    char close;
    int code;

    if (take_char(p, '('))
        close = ')';
    else if (take_char(p, '<'))
        close = '>';
    else
        return parse_fail(p);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && !take_char(p, ','))
            return parse_fail(p);
        if ((code = parse_type(p, &ret[i])) < 0)
            return code;
    }
    return take_char(p, close) ? 0 : parse_fail(p);
}

/* A field's name: "quoted", or a word that isn't itself the whole type. */
static int take_field_name(struct type_parser *p, struct str *ret)
{
    size_t before = p->at;

    *ret = STR_NULL;
    if (peek_char(p) == '"') {
        struct buf BUF_SCOPED b;

        buf_init(&b, p->text.n + 1);
        for (p->at++;; p->at++) {
            if (p->at >= p->text.n)
                return parse_fail(p);
            if (p->text.p[p->at] == '"') {
                if (p->at + 1 < p->text.n && p->text.p[p->at + 1] == '"')
                    p->at++;
                else
                    break;
            }
            buf_add_char(&b, p->text.p[p->at]);
        }
        p->at++;
        *ret = arena_str(p->a, buf_str(&b));
        return 0;
    }
    struct str word = take_word(p);
    char next = peek_char(p);
    /* a word followed by another begins "name type", save for the types of several words */
    bool starts_long_type = str_eq_nocase(word, STR("interval")) || str_eq_nocase(word, STR("double")) ||
                            str_eq_nocase(word, STR("time")) || str_eq_nocase(word, STR("timestamp"));
    if (is_word_char(next) || next == '"') {
        size_t after = p->at;
        struct str second = take_word(p);
        bool continues_type = str_eq_nocase(second, STR("with")) || str_eq_nocase(second, STR("without")) ||
                              str_eq_nocase(second, STR("precision")) ||
                              ((str_eq_nocase(second, STR("year")) || str_eq_nocase(second, STR("day"))) &&
                               str_eq_nocase(word, STR("interval")));

        p->at = after;
        if (!(starts_long_type && continues_type)) {
            *ret = arena_lower(p->a, word);
            return 0;
        }
    }
    p->at = before;
    return 0;
}

static int parse_row(struct type_parser *p, const struct type **ret)
{
    struct type_field *fields = NULL;
    size_t n = 0, cap = 0;
    int code;

    if (!take_char(p, '('))
        return parse_fail(p);
    do {
        if (n >= MAX_ROW_FIELDS)
            return err_set_named(p->err, ERR_LIMIT, "NOT_SUPPORTED", "A row type of more than %d fields",
                                 MAX_ROW_FIELDS);
        if (n == cap) {
            size_t grown = cap ? cap * 2 : 8;
            struct type_field *more = arena_array(p->a, struct type_field, grown);
            if (n > 0)
                memcpy(more, fields, n * sizeof(*more));
            fields = more;
            cap = grown;
        }
        if ((code = take_field_name(p, &fields[n].name)) < 0 || (code = parse_type(p, &fields[n].type)) < 0)
            return code;
        n++;
    } while (take_char(p, ','));
    if (!take_char(p, ')'))
        return parse_fail(p);
    *ret = type_row(p->a, fields, n);
    return 0;
}

static int parse_type_inner(struct type_parser *p, const struct type **ret)
{
    static const struct {
        const char *name;
        const struct type *type;
    } simple[] = {
        {"boolean", &type_boolean},     {"tinyint", &type_tinyint}, {"smallint", &type_smallint},
        {"integer", &type_integer},     {"int", &type_integer},     {"bigint", &type_bigint},
        {"real", &type_real},           {"json", &type_json},       {"uuid", &type_uuid},
        {"varbinary", &type_varbinary}, {"date", &type_date},       {"unknown", &type_unknown},
    };
    static const char *const known_unsupported[] = {
        "hyperloglog",        "p4hyperloglog", "qdigest", "tdigest",  "ipaddress",   "geometry",
        "sphericalgeography", "setdigest",     "color",   "json2016", "char_varying"};
    struct str word = take_word(p);
    const struct type *parts[2];
    int code;

    for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++) {
        if (str_eq_nocase(word, str_from_cstr(simple[i].name))) {
            *ret = simple[i].type;
            return 0;
        }
    }
    if (str_eq_nocase(word, STR("double"))) {
        (void)take_keyword(p, "precision");
        *ret = &type_double;
        return 0;
    }
    if (str_eq_nocase(word, STR("decimal")) || str_eq_nocase(word, STR("dec")))
        return parse_decimal(p, ret);
    if (str_eq_nocase(word, STR("varchar")))
        return parse_character(p, false, ret);
    if (str_eq_nocase(word, STR("char")))
        return parse_character(p, true, ret);
    if (str_eq_nocase(word, STR("time")))
        return parse_temporal(p, false, ret);
    if (str_eq_nocase(word, STR("timestamp")))
        return parse_temporal(p, true, ret);
    if (str_eq_nocase(word, STR("interval")))
        return parse_interval(p, ret);
    if (str_eq_nocase(word, STR("row")))
        return parse_row(p, ret);
    if (str_eq_nocase(word, STR("array"))) {
        if ((code = parse_element_types(p, parts, 1)) < 0)
            return code;
        *ret = type_array(p->a, parts[0]);
        return 0;
    }
    if (str_eq_nocase(word, STR("map"))) {
        if ((code = parse_element_types(p, parts, 2)) < 0)
            return code;
        *ret = type_map(p->a, parts[0], parts[1]);
        return 0;
    }
    for (size_t i = 0; i < sizeof(known_unsupported) / sizeof(known_unsupported[0]); i++)
        if (str_eq_nocase(word, str_from_cstr(known_unsupported[i])))
            return err_set_named(p->err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "The type %.*s is not supported",
                                 STR_ARG(word));
    return parse_fail(p);
}

static int parse_type(struct type_parser *p, const struct type **ret)
{
    int code;

    if (++p->depth > MAX_TYPE_DEPTH)
        return err_set_named(p->err, ERR_LIMIT, "NOT_SUPPORTED", "A type nested deeper than %d", MAX_TYPE_DEPTH);
    if ((code = parse_type_inner(p, ret)) < 0)
        return code;
    p->depth--;
    /* the postfix form of SQL: bigint ARRAY */
    while (take_keyword(p, "array"))
        *ret = type_array(p->a, *ret);
    return 0;
}

int type_parse(struct arena *a, struct str text, const struct type **ret, struct err *err)
{
    struct type_parser p = {.a = a, .text = text, .err = err};
    const struct type *t;
    int code;

    if ((code = parse_type(&p, &t)) < 0)
        return code;
    skip_space(&p);
    if (p.at != text.n)
        return parse_fail(&p);
    *ret = t;
    return 0;
}

/* ---- coercion ---- */

static int integer_digits(enum type_kind kind)
{
    switch (kind) {
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

/* The type of base `to` that `from` becomes, or NULL: TypeCoercion.coerceTypeBase. */
static const struct type *coerce_base(struct arena *a, const struct type *from, enum type_kind to)
{
    if (from->kind == to)
        return from;
    switch (from->kind) {
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        if (to > from->kind && to <= TYPE_BIGINT)
            return to == TYPE_SMALLINT ? &type_smallint : to == TYPE_INTEGER ? &type_integer : &type_bigint;
        if (to == TYPE_DECIMAL)
            return type_decimal(a, integer_digits(from->kind), 0);
        return to == TYPE_REAL ? &type_real : to == TYPE_DOUBLE ? &type_double : NULL;
    case TYPE_DECIMAL:
        return to == TYPE_REAL ? &type_real : to == TYPE_DOUBLE ? &type_double : NULL;
    case TYPE_REAL:
        return to == TYPE_DOUBLE ? &type_double : NULL;
    case TYPE_DATE:
        if (to == TYPE_TIMESTAMP)
            return type_timestamp(a, 0);
        return to == TYPE_TIMESTAMP_TZ ? type_timestamp_tz(a, 0, STR_NULL) : NULL;
    case TYPE_TIME:
        return to == TYPE_TIME_TZ ? type_make(a, TYPE_TIME_TZ, from->precision) : NULL;
    case TYPE_TIMESTAMP:
        return to == TYPE_TIMESTAMP_TZ ? type_timestamp_tz(a, from->precision, STR_NULL) : NULL;
    case TYPE_VARCHAR:
        if (to == TYPE_CHAR)
            return type_char(a, from->precision > MAX_CHAR_LENGTH ? MAX_CHAR_LENGTH : from->precision);
        return NULL;
    default:
        return NULL;
    }
}

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

/* The common super type or NULL; *ret_coercible: that it equals `to`, TypeCoercion.compatibility. */
static const struct type *compatibility(struct arena *a, const struct type *from, const struct type *to,
                                        bool *ret_coercible);

static const struct type *row_compatibility(struct arena *a, const struct type *from, const struct type *to,
                                            bool *ret_coercible)
{
    bool all = true;

    if (from->field_count != to->field_count)
        return NULL;
    struct type_field *fields = arena_array(a, struct type_field, from->field_count);
    for (size_t i = 0; i < from->field_count; i++) {
        bool coercible;
        const struct type *t = compatibility(a, from->fields[i].type, to->fields[i].type, &coercible);
        struct str x = from->fields[i].name, y = to->fields[i].name;

        if (!t)
            return NULL;
        all = all && coercible;
        fields[i].type = t;
        fields[i].name = !str_is_null(x) && !str_is_null(y) && str_eq(x, y) ? x : STR_NULL;
    }
    *ret_coercible = all;
    return type_row(a, fields, from->field_count);
}

static const struct type *same_base_compatibility(struct arena *a, const struct type *from, const struct type *to,
                                                  bool *ret_coercible)
{
    const struct type *t = NULL;
    bool key_coercible = true, coercible;

    switch (from->kind) {
    case TYPE_DECIMAL: {
        int scale = max_int(from->scale, to->scale);
        int precision = max_int(from->precision - from->scale, to->precision - to->scale) + scale;
        t = type_decimal(a, precision > MAX_DECIMAL_PRECISION ? MAX_DECIMAL_PRECISION : precision, scale);
        break;
    }
    case TYPE_VARCHAR:
        t = type_varchar_n(a, max_int(from->precision, to->precision));
        break;
    case TYPE_CHAR:
    case TYPE_TIME:
    case TYPE_TIME_TZ:
    case TYPE_TIMESTAMP:
        t = type_make(a, from->kind, max_int(from->precision, to->precision));
        break;
    case TYPE_TIMESTAMP_TZ:
        t = type_timestamp_tz(a, max_int(from->precision, to->precision), to->zone);
        break;
    case TYPE_ROW:
        return row_compatibility(a, from, to, ret_coercible);
    case TYPE_ARRAY:
        if (!(t = compatibility(a, from->element, to->element, &coercible)))
            return NULL;
        *ret_coercible = coercible;
        return type_array(a, t);
    case TYPE_MAP: {
        const struct type *key = compatibility(a, from->key, to->key, &key_coercible);
        const struct type *value = key ? compatibility(a, from->element, to->element, &coercible) : NULL;
        if (!value)
            return NULL;
        *ret_coercible = key_coercible && coercible;
        return type_map(a, key, value);
    }
    default:
        return NULL;
    }
    *ret_coercible = type_eq(t, to);
    return t;
}

static const struct type *compatibility(struct arena *a, const struct type *from, const struct type *to,
                                        bool *ret_coercible)
{
    const struct type *coerced;

    *ret_coercible = true;
    if (type_eq(from, to))
        return to;
    if (from->kind == TYPE_UNKNOWN)
        return to;
    *ret_coercible = false;
    if (to->kind == TYPE_UNKNOWN)
        return from;
    if (from->kind == to->kind)
        return same_base_compatibility(a, from, to, ret_coercible);
    if ((coerced = coerce_base(a, from, to->kind)))
        return compatibility(a, coerced, to, ret_coercible);
    if ((coerced = coerce_base(a, to, from->kind))) {
        const struct type *t = compatibility(a, from, coerced, ret_coercible);
        *ret_coercible = false;
        return t;
    }
    return NULL;
}

const struct type *type_common_super(struct arena *a, const struct type *x, const struct type *y)
{
    bool coercible;

    return compatibility(a, x, y, &coercible);
}

bool type_can_coerce(const struct type *from, const struct type *to)
{
    struct arena ARENA_SCOPED scratch = ARENA_INIT;
    bool coercible;

    if (type_eq(from, to))
        return true;
    return compatibility(&scratch, from, to, &coercible) && coercible;
}

const struct type *type_coerce_base(struct arena *a, const struct type *from, enum type_kind to)
{
    if (from->kind == TYPE_UNKNOWN) {
        switch (to) {
        case TYPE_VARCHAR:
            return type_varchar_n(a, 0);
        case TYPE_CHAR:
            return type_char(a, 0);
        case TYPE_DECIMAL:
            return type_decimal(a, 1, 0);
        case TYPE_TIME:
        case TYPE_TIME_TZ:
        case TYPE_TIMESTAMP:
        case TYPE_TIMESTAMP_TZ:
            return type_make(a, to, 3);
        default:
            return NULL;
        }
    }
    return coerce_base(a, from, to);
}
