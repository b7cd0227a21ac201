/*
 * What COPY's RETURN_STATS says of a Parquet file, as Iceberg's column statistics.
 *
 * Values come as the engine's text. Bounds are kept only where they are sure: not for floating point's NaN, not inside
 * lists and maps (as iceberg-core does), not where the text doesn't parse.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/uuid.h"
#include "connectors/iceberg_internal.h"
#include <math.h>

/* ---- text to values ---- */

static bool parse_number(struct str *rest, size_t digits_min, size_t digits_max, int64_t *ret)
{
    size_t n = 0;

    while (n < rest->n && n < digits_max && rest->p[n] >= '0' && rest->p[n] <= '9')
        n++;
    if (n < digits_min || str_to_i64(str_slice(*rest, 0, n), ret, NULL) < 0)
        return false;
    *rest = str_skip(*rest, n);
    return true;
}

static bool parse_char(struct str *rest, char c)
{
    if (rest->n == 0 || rest->p[0] != c)
        return false;
    *rest = str_skip(*rest, 1);
    return true;
}

/* Years before 1 have " (BC)" behind them, infinities are words: neither parses, and there is no bound. */
static bool parse_date(struct str *rest, int64_t *ret)
{
    int64_t year, month, day;

    if (!parse_number(rest, 4, 7, &year) || !parse_char(rest, '-') || !parse_number(rest, 2, 2, &month) ||
        !parse_char(rest, '-') || !parse_number(rest, 2, 2, &day) || !clock_is_valid_date(year, (int)month, (int)day))
        return false;
    *ret = clock_days_from_civil(year, (int)month, (int)day);
    return true;
}

static bool parse_time(struct str *rest, int64_t *ret)
{
    int64_t hour, minute, second, micros = 0;

    if (!parse_number(rest, 2, 2, &hour) || !parse_char(rest, ':') || !parse_number(rest, 2, 2, &minute) ||
        !parse_char(rest, ':') || !parse_number(rest, 2, 2, &second))
        return false;
    if (parse_char(rest, '.')) {
        size_t before = rest->n;

        if (!parse_number(rest, 1, 6, &micros))
            return false;
        for (size_t digits = before - rest->n; digits < 6; digits++)
            micros *= 10;
    }
    *ret = ((hour * 60 + minute) * 60 + second) * 1000000 + micros;
    return true;
}

static bool parse_timestamp(struct str *rest, bool with_zone, int64_t *ret)
{
    int64_t days, micros;

    if (!parse_date(rest, &days) || !parse_char(rest, ' ') || !parse_time(rest, &micros))
        return false;
    *ret = days * 86400000000 + micros;
    if (!with_zone)
        return true;
    bool is_utc = str_eq_cstr(*rest, "+00");
    *rest = STR("");
    return is_utc;
}

/* "-1.50" with scale 2 is -150. */
static bool parse_decimal(struct str text, int scale, __int128 *ret)
{
    __int128 v = 0;
    int decimals = -1, digits = 0;
    bool is_negative = parse_char(&text, '-');

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (text.p[i] < '0' || text.p[i] > '9' || ++digits > 38)
            return false;
        v = v * 10 + (text.p[i] - '0');
        decimals += decimals >= 0;
    }
    if (digits == 0 || (decimals < 0 ? 0 : decimals) != scale)
        return false;
    *ret = is_negative ? -v : v;
    return true;
}

static bool parse_bytes(struct arena *a, struct str hex, struct str *ret)
{
    char *bytes = arena_alloc(a, hex.n / 2 + 1);

    if (hex.n % 2 != 0 || enc_unhex(hex, bytes, hex.n / 2, NULL) < 0)
        return false;
    *ret = (struct str){bytes, hex.n / 2};
    return true;
}

bool iceberg_value_from_text(struct arena *a, const struct iceberg_type *t, struct str text, struct iceberg_value *ret)
{
    struct str rest = text;

    *ret = (struct iceberg_value){0};
    switch (t->kind) {
    case ICEBERG_BOOLEAN:
        ret->i = str_eq_cstr(text, "1") || str_eq_cstr(text, "true");
        return ret->i || str_eq_cstr(text, "0") || str_eq_cstr(text, "false");
    case ICEBERG_INT:
    case ICEBERG_LONG:
        return str_to_i64(text, &ret->i, NULL) == 0;
    case ICEBERG_FLOAT:
    case ICEBERG_DOUBLE:
        return str_to_f64(text, &ret->f, NULL) == 0 && !isnan(ret->f);
    case ICEBERG_DECIMAL:
        return parse_decimal(text, t->scale, &ret->unscaled);
    case ICEBERG_DATE:
        return parse_date(&rest, &ret->i) && rest.n == 0;
    case ICEBERG_TIME:
        return parse_time(&rest, &ret->i) && rest.n == 0;
    case ICEBERG_TIMESTAMP:
    case ICEBERG_TIMESTAMPTZ:
        return parse_timestamp(&rest, t->kind == ICEBERG_TIMESTAMPTZ, &ret->i) && rest.n == 0;
    case ICEBERG_STRING:
        ret->bytes = arena_str(a, text);
        return true;
    case ICEBERG_UUID: {
        unsigned char *bytes = arena_alloc(a, 16);

        ret->bytes = (struct str){(const char *)bytes, 16};
        return uuid_parse(text, bytes, NULL) == 0;
    }
    case ICEBERG_FIXED:
    case ICEBERG_BINARY:
        return parse_bytes(a, text, &ret->bytes);
    default:
        return false;
    }
}

/* ---- columns ---- */

/* The next part of a path such as "a"."element": names are in quotes, a quote in a name is doubled. */
static bool next_part(struct arena *a, struct str *path, struct str *ret)
{
    char *name = arena_alloc(a, path->n + 1);
    size_t n = 0, i = 1;

    if (path->n < 2 || path->p[0] != '"')
        return false;
    for (; i < path->n; i++) {
        if (path->p[i] == '"') {
            if (i + 1 >= path->n || path->p[i + 1] != '"')
                break;
            i++;
        }
        name[n++] = path->p[i];
    }
    if (i >= path->n)
        return false;
    *ret = (struct str){name, n};
    *path = str_skip(*path, i + 1);
    return path->n == 0 || parse_char(path, '.');
}

static const struct iceberg_field *find_name(const struct iceberg_field *fields, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(fields[i].name, name))
            return &fields[i];
    return NULL;
}

/* The field that a path names; *ret_repeated when a list or map is on the way. */
static const struct iceberg_field *find_path(struct arena *a, const struct iceberg_schema *schema, struct str path,
                                             bool *ret_repeated)
{
    const struct iceberg_field *fields = schema->fields, *found = NULL;
    size_t n = schema->field_count;
    struct str part;

    *ret_repeated = false;
    while (path.n > 0) {
        if (!next_part(a, &path, &part))
            return NULL;
        if (found && found->type->kind != ICEBERG_STRUCT)
            *ret_repeated = true;
        found = find_name(fields, n, part);
        if (!found)
            return NULL;
        fields = found->type->fields;
        n = found->type->field_count;
    }
    return found;
}

static struct str stat_value(const struct iceberg_stat *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (str_eq_cstr(s->names[i], name))
            return s->values[i];
    return STR_NULL;
}

static int64_t stat_count(const struct iceberg_stat *s, const char *name)
{
    int64_t v;

    return str_to_i64(stat_value(s, name), &v, NULL) == 0 ? v : -1;
}

static void take_bounds(struct arena *a, const struct iceberg_type *t, const struct iceberg_stat *s,
                        struct iceberg_column_stats *to)
{
    struct str min = stat_value(s, "min"), max = stat_value(s, "max");

    if (str_is_null(min) || str_is_null(max) || !iceberg_value_from_text(a, t, min, &to->lower) ||
        !iceberg_value_from_text(a, t, max, &to->upper))
        return;
    to->has_bounds = true;
    if (t->kind != ICEBERG_FLOAT && t->kind != ICEBERG_DOUBLE)
        return;
    /* Parquet doesn't tell the zeros apart, Iceberg orders -0.0 before 0.0. */
    if (to->lower.f == 0)
        to->lower.f = -0.0;
    if (to->upper.f == 0)
        to->upper.f = 0.0;
}

int iceberg_take_stats(struct arena *a, const struct iceberg_schema *schema, const struct iceberg_stat *stats, size_t n,
                       struct iceberg_new_file *to, struct err *err)
{
    to->columns = arena_array(a, struct iceberg_column_stats, n);
    to->column_count = 0;
    for (size_t i = 0; i < n; i++) {
        bool is_repeated;
        const struct iceberg_field *f = find_path(a, schema, stats[i].path, &is_repeated);
        struct iceberg_column_stats *c = &to->columns[to->column_count];

        if (!f)
            return err_set(err, ERR_INTERNAL, "the engine wrote statistics of a column that isn't the table's: %.*s",
                           STR_ARG(stats[i].path));
        *c = (struct iceberg_column_stats){
            .field_id = f->id,
            .size = stat_count(&stats[i], "column_size_bytes"),
            .value_count = stat_count(&stats[i], "num_values"),
            .null_count = stat_count(&stats[i], "null_count"),
            .nan_count = -1,
        };
        if (!is_repeated)
            take_bounds(a, f->type, &stats[i], c);
        to->column_count++;
    }
    return 0;
}
