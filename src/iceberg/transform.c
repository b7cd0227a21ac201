/*
 * Partition transforms (specification: Partition Transforms; Appendix B for bucket's hash), and the texts of Trino's
 * partitioning property, as io.trino.plugin.iceberg.PartitionFields reads and prints them.
 */
#include "iceberg/transform.h"

#include "iceberg/schema.h"
#include "base/vec.h"

static const struct iceberg_type type_int = {.kind = ICEBERG_INT};
static const struct iceberg_type type_date = {.kind = ICEBERG_DATE};

static const struct {
    const char *name;
    const char *suffix; /* of the field's name */
    enum iceberg_transform transform;
    bool has_param;
} transforms[] = {
    {"identity", "", ICEBERG_IDENTITY, false},      {"bucket", "_bucket", ICEBERG_BUCKET, true},
    {"truncate", "_trunc", ICEBERG_TRUNCATE, true}, {"year", "_year", ICEBERG_YEAR, false},
    {"month", "_month", ICEBERG_MONTH, false},      {"day", "_day", ICEBERG_DAY, false},
    {"hour", "_hour", ICEBERG_HOUR, false},         {"void", "_null", ICEBERG_VOID, false},
};

static bool parse_param(struct str text, int *ret)
{
    int64_t n;

    if (str_to_i64(text, &n, NULL) < 0 || n < 1 || n > INT32_MAX)
        return false;
    *ret = (int)n;
    return true;
}

void iceberg_transform_parse(struct str text, enum iceberg_transform *ret, int *ret_param)
{
    size_t open = str_find_char(text, '[', 0);
    struct str name = str_slice(text, 0, open);

    *ret_param = 0;
    *ret = ICEBERG_UNKNOWN_TRANSFORM;
    for (size_t i = 0; i < ARRAY_LEN(transforms); i++) {
        if (!str_eq_nocase(name, str_from_cstr(transforms[i].name)) || transforms[i].has_param != (open != SIZE_MAX))
            continue;
        if (transforms[i].has_param &&
            (!str_ends_with(text, STR("]")) || !parse_param(str_slice(text, open + 1, text.n - open - 2), ret_param)))
            return;
        *ret = transforms[i].transform;
        return;
    }
}

struct str iceberg_transform_name(struct arena *a, const struct iceberg_partition_field *f)
{
    for (size_t i = 0; i < ARRAY_LEN(transforms); i++) {
        if (transforms[i].transform == f->transform)
            return transforms[i].has_param ? arena_printf(a, "%s[%d]", transforms[i].name, f->param)
                                           : str_from_cstr(transforms[i].name);
    }
    return STR("unknown");
}

const struct iceberg_type *iceberg_transform_type(struct arena *a, const struct iceberg_partition_field *f,
                                                  const struct iceberg_type *source)
{
    (void)a;
    switch (f->transform) {
    case ICEBERG_BUCKET:
    case ICEBERG_YEAR:
    case ICEBERG_MONTH:
    case ICEBERG_HOUR:
        return &type_int;
    case ICEBERG_DAY:
        return &type_date; /* the specification says int; iceberg-core and all who follow it date */
    default:
        return source;
    }
}

static bool can_transform(enum iceberg_transform transform, const struct iceberg_type *t)
{
    switch (transform) {
    case ICEBERG_VOID:
        return true;
    case ICEBERG_IDENTITY:
        return t->field_count == 0 && t->kind < ICEBERG_STRUCT;
    case ICEBERG_BUCKET:
        return t->kind < ICEBERG_STRUCT && t->kind != ICEBERG_BOOLEAN && t->kind != ICEBERG_FLOAT &&
               t->kind != ICEBERG_DOUBLE;
    case ICEBERG_TRUNCATE:
        return t->kind == ICEBERG_INT || t->kind == ICEBERG_LONG || t->kind == ICEBERG_DECIMAL ||
               t->kind == ICEBERG_STRING || t->kind == ICEBERG_BINARY;
    case ICEBERG_YEAR:
    case ICEBERG_MONTH:
    case ICEBERG_DAY:
        return t->kind == ICEBERG_DATE || t->kind == ICEBERG_TIMESTAMP || t->kind == ICEBERG_TIMESTAMPTZ;
    case ICEBERG_HOUR:
        return t->kind == ICEBERG_TIMESTAMP || t->kind == ICEBERG_TIMESTAMPTZ;
    case ICEBERG_UNKNOWN_TRANSFORM:
        break;
    }
    return false;
}

/* ---- Trino's property ---- */

static bool is_unquoted(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return s.n > 0;
}

/* An identifier at *rest, which is moved past it; quoted ones with "" for a quote. */
static bool take_identifier(struct arena *a, struct str *rest, struct str *ret)
{
    size_t n = 0;

    if (rest->n && rest->p[0] == '"') {
        char *p = arena_alloc(a, rest->n);
        size_t out = 0;
        for (n = 1; n < rest->n; n++) {
            if (rest->p[n] == '"') {
                if (n + 1 == rest->n || rest->p[n + 1] != '"')
                    break;
                n++;
            }
            p[out++] = rest->p[n];
        }
        if (n == rest->n)
            return false;
        *ret = str_from(p, out);
        *rest = str_skip(*rest, n + 1);
        return true;
    }
    while (n < rest->n && is_unquoted(str_slice(*rest, 0, n + 1)))
        n++;
    *ret = str_slice(*rest, 0, n);
    *rest = str_skip(*rest, n);
    return n > 0;
}

/* "name(column)" or "name(column, N)"; false when it isn't that. */
static bool parse_call(struct arena *a, struct str text, size_t i, struct str *ret_column, int *ret_param)
{
    struct str name = str_from_cstr(transforms[i].name);

    if (!str_starts_with_nocase(text, name) || text.n == name.n || text.p[name.n] != '(')
        return false;
    struct str rest = str_skip(text, name.n + 1);
    if (!take_identifier(a, &rest, ret_column))
        return false;
    if (transforms[i].has_param) {
        size_t close = str_find_char(rest, ')', 0);
        return rest.n > 1 && rest.p[0] == ',' && close == rest.n - 1 &&
               parse_param(str_trim(str_slice(rest, 1, close - 1)), ret_param);
    }
    return str_starts_with(rest, STR(")")) && str_trim(rest).n == 1;
}

static const struct iceberg_field *find_column(const struct iceberg_schema *s, struct str name)
{
    for (size_t i = 0; i < s->field_count; i++)
        if (str_eq(s->fields[i].name, name))
            return &s->fields[i];
    for (size_t i = 0; i < s->field_count; i++)
        if (str_eq_nocase(s->fields[i].name, name))
            return &s->fields[i];
    return NULL;
}

int iceberg_partition_parse(struct arena *a, const struct iceberg_schema *s, struct str text,
                            struct iceberg_partition_field *ret, struct err *err)
{
    struct str column, rest = text;
    struct iceberg_partition_field f = {0};
    size_t at = 0; /* identity */

    if (!(take_identifier(a, &rest, &column) && rest.n == 0))
        for (at = 1; at < ARRAY_LEN(transforms) && !parse_call(a, text, at, &column, &f.param); at++)
            ;
    if (at == ARRAY_LEN(transforms))
        return err_set(err, ERR_INVALID, "Invalid partition field declaration: %.*s", STR_ARG(text));
    const struct iceberg_field *source = find_column(s, column);
    if (!source)
        return err_set(err, ERR_INVALID, "Cannot find source column: %.*s", STR_ARG(column));
    f.transform = transforms[at].transform;
    if (!can_transform(f.transform, source->type))
        return err_set(err, ERR_INVALID, "Invalid source type %.*s for transform: %.*s",
                       STR_ARG(iceberg_type_name(a, source->type)), STR_ARG(iceberg_transform_name(a, &f)));
    f.source_id = source->id;
    f.name = arena_printf(a, "%.*s%s", STR_ARG(source->name), transforms[at].suffix);
    /* A name that is a column's already gets "_2", "_3", … behind it. */
    for (int i = 2; f.transform != ICEBERG_IDENTITY && find_column(s, f.name); i++)
        f.name = arena_printf(a, "%.*s%s_%d", STR_ARG(source->name), transforms[at].suffix, i);
    *ret = f;
    return 0;
}

struct str iceberg_partition_format(struct arena *a, const struct iceberg_schema *s,
                                    const struct iceberg_partition_field *f)
{
    const struct iceberg_field *source = iceberg_schema_find(s, f->source_id);
    struct str name = source ? source->name : f->name;

    if (!is_unquoted(name)) {
        struct buf b;
        buf_init(&b, name.n * 2 + 2);
        buf_add_char(&b, '"');
        for (size_t i = 0; i < name.n; i++) {
            if (name.p[i] == '"')
                buf_add_char(&b, '"');
            buf_add_char(&b, name.p[i]);
        }
        buf_add_char(&b, '"');
        name = arena_str(a, buf_str(&b));
        buf_release(&b);
    }
    if (f->transform == ICEBERG_IDENTITY)
        return name;
    for (size_t i = 1; i < ARRAY_LEN(transforms); i++) {
        if (transforms[i].transform != f->transform)
            continue;
        return transforms[i].has_param ? arena_printf(a, "%s(%.*s, %d)", transforms[i].name, STR_ARG(name), f->param)
                                       : arena_printf(a, "%s(%.*s)", transforms[i].name, STR_ARG(name));
    }
    return arena_printf(a, "unknown(%.*s)", STR_ARG(name));
}

/* ---- values ---- */

static uint32_t rotate(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static uint32_t scramble(uint32_t k)
{
    return rotate(k * 0xcc9e2d51u, 15) * 0x1b873593u;
}

uint32_t iceberg_murmur3(struct str bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    uint32_t h = 0, k = 0;
    size_t i = 0;

    for (; i + 4 <= bytes.n; i += 4) {
        k = (uint32_t)p[i] | (uint32_t)p[i + 1] << 8 | (uint32_t)p[i + 2] << 16 | (uint32_t)p[i + 3] << 24;
        h = rotate(h ^ scramble(k), 13) * 5 + 0xe6546b64u;
    }
    k = 0;
    for (size_t tail = bytes.n; tail > i; tail--)
        k = k << 8 | p[tail - 1];
    if (bytes.n % 4)
        h ^= scramble(k);
    h ^= (uint32_t)bytes.n;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

static uint32_t hash_value(const struct iceberg_type *t, const struct iceberg_value *v)
{
    unsigned char bytes[16];
    size_t n = 8;

    switch (t->kind) {
    case ICEBERG_STRING:
    case ICEBERG_UUID:
    case ICEBERG_FIXED:
    case ICEBERG_BINARY:
        return iceberg_murmur3(v->bytes);
    case ICEBERG_DECIMAL:
        n = iceberg_decimal_bytes(v->unscaled, bytes);
        break;
    default: /* int and date hash as long does, so that promotion keeps the bucket */
        for (size_t i = 0; i < 8; i++)
            bytes[i] = (unsigned char)((uint64_t)v->i >> (8 * i));
    }
    return iceberg_murmur3(str_from((const char *)bytes, n));
}

static __int128 floor_div(__int128 x, __int128 y)
{
    return x / y - (x % y < 0);
}

static void truncate_value(const struct iceberg_type *t, int width, struct iceberg_value *v)
{
    size_t end = 0;

    switch (t->kind) {
    case ICEBERG_DECIMAL:
        v->unscaled = floor_div(v->unscaled, width) * width;
        break;
    case ICEBERG_STRING:
        for (int i = 0; i < width && end < v->bytes.n; i++)
            (void)str_next_rune(v->bytes, &end);
        v->bytes = str_slice(v->bytes, 0, end);
        break;
    case ICEBERG_BINARY:
        v->bytes = str_slice(v->bytes, 0, (size_t)width);
        break;
    default:
        /* The least multiples are below the type's range: they wrap, as Java's do. */
        v->i = (int64_t)(floor_div(v->i, width) * width);
        if (t->kind == ICEBERG_INT)
            v->i = (int32_t)v->i;
    }
}

/* Days since 1970-01-01 to a year's or month's number since 1970. */
static int64_t months_of_days(int64_t days)
{
    int64_t z = days + 719468; /* from 0000-03-01, so that a leap day ends its year */
    int64_t era = (int64_t)floor_div(z, 146097);
    int64_t day = z - era * 146097; /* of the 400 years */
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* 0: March */

    return (era * 400 + year - 1970) * 12 + month + 2;
}

int iceberg_transform_apply(struct arena *a, const struct iceberg_partition_field *f, const struct iceberg_type *source,
                            const struct iceberg_value *v, struct iceberg_value *ret, struct err *err)
{
    struct iceberg_value r = *v;
    const int64_t day = 86400000000, hour = 3600000000; /* microseconds */
    int64_t days;

    if (!can_transform(f->transform, source))
        return err_set(err, ERR_UNSUPPORTED, "Iceberg: transform %.*s of type %.*s is not supported",
                       STR_ARG(iceberg_transform_name(a, f)), STR_ARG(iceberg_type_name(a, source)));
    days = source->kind == ICEBERG_DATE ? v->i : (int64_t)floor_div(v->i, day);
    if (f->transform == ICEBERG_VOID)
        r = (struct iceberg_value){.is_null = true};
    if (!r.is_null) {
        switch (f->transform) {
        case ICEBERG_BUCKET:
            r = (struct iceberg_value){.i = (hash_value(source, v) & INT32_MAX) % (uint32_t)f->param};
            break;
        case ICEBERG_TRUNCATE:
            truncate_value(source, f->param, &r);
            break;
        case ICEBERG_YEAR:
            r.i = (int64_t)floor_div(months_of_days(days), 12);
            break;
        case ICEBERG_MONTH:
            r.i = months_of_days(days);
            break;
        case ICEBERG_DAY:
            r.i = days;
            break;
        case ICEBERG_HOUR:
            r.i = (int64_t)floor_div(v->i, hour);
            break;
        default:
            break;
        }
    }
    *ret = r;
    return 0;
}

/* ---- specs ---- */

int iceberg_spec_parse_fields(struct arena *a, const json_t *fields, struct iceberg_spec *ret, struct err *err)
{
    size_t n = json_array_size(fields);
    struct iceberg_partition_field *list;
    int rc;

    if (!json_is_array(fields))
        return err_set(err, ERR_CORRUPT, "Iceberg: a partition spec without fields");
    if ((rc = iceberg_array(a, struct iceberg_partition_field, n, &list, err)) < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        const json_t *j = json_array_get(fields, i);
        struct str name = json_opt_str(j, "name", STR_NULL), transform = json_opt_str(j, "transform", STR_NULL);
        int64_t source = json_opt_i64(j, "source-id", -1);
        int64_t id = json_opt_i64(j, "field-id", (int64_t)(1000 + i));
        if (str_is_null(name) || str_is_null(transform) || source < 0 || source > INT32_MAX || id < 0 || id > INT32_MAX)
            return err_set(err, ERR_CORRUPT, "Iceberg: a partition field lacks its name, transform or source-id");
        list[i].source_id = (int)source;
        list[i].field_id = (int)id;
        iceberg_transform_parse(transform, &list[i].transform, &list[i].param);
        if ((rc = iceberg_copy_str(a, name, &list[i].name, err)) < 0)
            return rc;
    }
    ret->fields = list;
    ret->field_count = n;
    return 0;
}

void iceberg_spec_write_fields(struct json_writer *w, const struct iceberg_spec *s)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;

    json_open_array(w);
    for (size_t i = 0; i < s->field_count; i++) {
        json_open_object(w);
        json_key(w, "name");
        json_add_str(w, s->fields[i].name);
        json_key(w, "transform");
        json_add_str(w, iceberg_transform_name(&a, &s->fields[i]));
        json_key(w, "source-id");
        json_add_i64(w, s->fields[i].source_id);
        json_key(w, "field-id");
        json_add_i64(w, s->fields[i].field_id);
        json_close_object(w);
    }
    json_close_array(w);
}
