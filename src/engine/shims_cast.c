/*
 * Casts from and to text, and roundings, as Trino's own: which texts are numbers and dates, how doubles are printed,
 * and the sentence of each error.
 */
#include "base/clock.h"
#include "base/vec.h"
#include "engine/shim.h"
#include "engine/shim_number.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>

static const char cast_error[] = "INVALID_CAST_ARGUMENT";

/* Java's trim(): all characters up to the space. */
static struct str java_trim(struct str s)
{
    while (s.n > 0 && (unsigned char)s.p[0] <= ' ')
        s = str_skip(s, 1);
    while (s.n > 0 && (unsigned char)s.p[s.n - 1] <= ' ')
        s.n--;
    return s;
}

/* ---- to boolean and integers ---- */

static void text_to_boolean(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    static const char *const trues[] = {"t", "true", "1"}, *const falses[] = {"f", "false", "0"};
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);
        int found = -1;

        for (size_t i = 0; i < ARRAY_LEN(trues); i++) {
            if (str_eq_nocase(s, str_from_cstr(trues[i])))
                found = 1;
            else if (str_eq_nocase(s, str_from_cstr(falses[i])))
                found = 0;
        }
        if (found < 0)
            shim_fail(&c, cast_error, "Cannot cast '%.*s' to BOOLEAN", STR_ARG(s));
        else
            SHIM_OUT(&c, bool, row) = found == 1;
    }
}

/* As Java's Long.parseLong on the trimmed text: a sign and digits. */
static bool parse_integer(struct str s, int64_t min, int64_t max, int64_t *ret)
{
    s = java_trim(s);
    if (s.n > 1 && s.p[0] == '+' && s.p[1] != '-')
        s = str_skip(s, 1);
    return str_to_i64(s, ret, NULL) == 0 && *ret >= min && *ret <= max;
}

/* Math.round's way: half away from zero below, as Trino rounds both signs alike. */
static double round_half_away(double v)
{
    return v < 0 ? -floor(-v + 0.5) : floor(v + 0.5);
}

static void fail_floating(struct shim_call *c, double v, const char *type, bool is_real)
{
    char text[NUMBER_TEXT_SIZE];

    if (is_real)
        number_format_real(text, (float)v);
    else
        number_format_double(text, v);
    if (!isfinite(v) || strcmp(type, "bigint") == 0)
        shim_fail(c, cast_error, "Unable to cast %s to %s", text, type);
    else
        shim_fail(c, "NUMERIC_VALUE_OUT_OF_RANGE", "Out of range for %s: %s", type, text);
}

#define TO_INTEGER(suffix, type, min, max, name, trino)                                                \
    static void text_to_##suffix(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)   \
    {                                                                                                  \
        struct shim_call c;                                                                            \
        int64_t v = 0;                                                                                 \
                                                                                                       \
        shim_begin(&c, info, in, out);                                                                 \
        for (SHIM_ROWS(&c, row)) {                                                                     \
            struct str s = shim_str(&c, 0, row);                                                       \
                                                                                                       \
            if (!parse_integer(s, min, max, &v))                                                       \
                shim_fail(&c, cast_error, "Cannot cast '%.*s' to " name, STR_ARG(s));                  \
            SHIM_OUT(&c, type, row) = (type)v;                                                         \
        }                                                                                              \
    }                                                                                                  \
    static void number_to_##suffix(struct shim_call *c, size_t row, double v, bool is_real)            \
    {                                                                                                  \
        double r = round_half_away(v);                                                                 \
                                                                                                       \
        if (!(r >= (double)(min) && r <= (double)(max)) || ((max) == INT64_MAX && r >= 0x1p63))        \
            fail_floating(c, v, trino, is_real);                                                       \
        else                                                                                           \
            SHIM_OUT(c, type, row) = (type)r;                                                          \
    }                                                                                                  \
    static void double_to_##suffix(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out) \
    {                                                                                                  \
        struct shim_call c;                                                                            \
                                                                                                       \
        shim_begin(&c, info, in, out);                                                                 \
        for (SHIM_ROWS(&c, row))                                                                       \
            number_to_##suffix(&c, row, SHIM_ARG(&c, double, 0, row), false);                          \
    }                                                                                                  \
    static void real_to_##suffix(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)   \
    {                                                                                                  \
        struct shim_call c;                                                                            \
                                                                                                       \
        shim_begin(&c, info, in, out);                                                                 \
        for (SHIM_ROWS(&c, row))                                                                       \
            number_to_##suffix(&c, row, (double)SHIM_ARG(&c, float, 0, row), true);                    \
    }

TO_INTEGER(tinyint, int8_t, INT8_MIN, INT8_MAX, "TINYINT", "tinyint")
TO_INTEGER(smallint, int16_t, INT16_MIN, INT16_MAX, "SMALLINT", "smallint")
TO_INTEGER(integer, int32_t, INT32_MIN, INT32_MAX, "INT", "integer")
TO_INTEGER(bigint, int64_t, INT64_MIN, INT64_MAX, "BIGINT", "bigint")

/* ---- to double and real ---- */

/* As Java's Double.parseDouble: decimal and exponent, Infinity and NaN with a sign, spaces around. */
static bool parse_double(struct str s, double *ret)
{
    struct str t = java_trim(s), digits;

    digits = t.n > 0 && (t.p[0] == '-' || t.p[0] == '+') ? str_skip(t, 1) : t;
    if (str_eq_cstr(digits, "NaN")) {
        *ret = NAN;
        return true;
    }
    if (str_eq_cstr(digits, "Infinity")) {
        *ret = t.p[0] == '-' ? -INFINITY : INFINITY;
        return true;
    }
    if (digits.n > 1 && strchr("dDfF", digits.p[digits.n - 1]))
        digits.n--, t.n--;
    for (size_t i = 0; i < digits.n; i++) {
        if (!strchr("0123456789.eE+-", digits.p[i]))
            return false;
    }
    if (t.n > 1 && t.p[0] == '+')
        t = str_skip(t, 1);
    return number_parse_double(t, ret);
}

static void text_to_double(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);

        if (!parse_double(s, &SHIM_OUT(&c, double, row)))
            shim_fail(&c, cast_error, "Cannot cast '%.*s' to DOUBLE", STR_ARG(s));
    }
}

static void text_to_real(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;
    double v = 0;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);

        if (!parse_double(s, &v))
            shim_fail(&c, cast_error, "Cannot cast '%.*s' to REAL", STR_ARG(s));
        SHIM_OUT(&c, float, row) = (float)v;
    }
}

static void double_to_real(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row))
        SHIM_OUT(&c, float, row) = (float)SHIM_ARG(&c, double, 0, row);
}

/* ---- to decimal: dp_decimal_of(value, precision, scale) ---- */

static void text_to_decimal(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;
    __int128 v = 0;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);
        int precision = SHIM_ARG(&c, int32_t, 1, row), scale = SHIM_ARG(&c, int32_t, 2, row);
        int rc = number_parse_decimal(s, precision, scale, &v);

        if (rc < 0)
            shim_fail(&c, cast_error, "Cannot cast VARCHAR '%.*s' to DECIMAL(%d, %d). %s", STR_ARG(s), precision, scale,
                      rc == NUMBER_TOO_LARGE ? "Value too large." : "Value is not a number.");
        shim_put_i128(&c, row, v);
    }
}

/* By the shortest text that reads back, as BigDecimal.valueOf: 1.005 rounds to 1.01. */
static void put_decimal_of(struct shim_call *c, size_t row, const char *text, const char *type)
{
    int precision = SHIM_ARG(c, int32_t, 1, row), scale = SHIM_ARG(c, int32_t, 2, row);
    __int128 v = 0;

    if (number_parse_decimal(str_from_cstr(text), precision, scale, &v) < 0)
        shim_fail(c, cast_error, "Cannot cast %s '%s' to DECIMAL(%d, %d)", type, text, precision, scale);
    shim_put_i128(c, row, v);
}

static void double_to_decimal(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    char text[NUMBER_TEXT_SIZE];
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        number_format_double(text, SHIM_ARG(&c, double, 0, row));
        put_decimal_of(&c, row, text, "DOUBLE");
    }
}

static void real_to_decimal(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    char text[NUMBER_TEXT_SIZE];
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        number_format_real(text, SHIM_ARG(&c, float, 0, row));
        put_decimal_of(&c, row, text, "REAL");
    }
}

/* dp_decimal_cast(value, precision, scale, precision wanted, scale wanted) */
static void decimal_to_decimal(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;
    char text[NUMBER_TEXT_SIZE];

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        __int128 v = shim_decimal(&c, 0, row), r = 0;
        int precision = SHIM_ARG(&c, int32_t, 1, row), scale = SHIM_ARG(&c, int32_t, 2, row);
        int to_precision = SHIM_ARG(&c, int32_t, 3, row), to_scale = SHIM_ARG(&c, int32_t, 4, row);

        number_format_decimal(text, v, scale);
        if (number_parse_decimal(str_from_cstr(text), to_precision, to_scale, &r) < 0)
            shim_fail(&c, cast_error, "Cannot cast DECIMAL(%d, %d) '%s' to DECIMAL(%d, %d)", precision, scale, text,
                      to_precision, to_scale);
        shim_put_i128(&c, row, r);
    }
}

/* dp_check_decimal(value, precision, scale, type): the value, when a decimal of that size holds it. */
static void check_decimal(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        int64_t v = SHIM_ARG(&c, int64_t, 0, row);
        int precision = SHIM_ARG(&c, int32_t, 1, row), scale = SHIM_ARG(&c, int32_t, 2, row);
        __int128 limit = 1;
        struct str type = shim_str(&c, 3, row);

        for (int i = scale; i < precision && i - scale < 19; i++)
            limit *= 10;
        if (v >= limit || v <= -limit)
            shim_fail(&c, cast_error, "Cannot cast %.*s '%" PRId64 "' to DECIMAL(%d, %d)", STR_ARG(type), v, precision,
                      scale);
        SHIM_OUT(&c, int64_t, row) = v;
    }
}

/* ---- to text ---- */

static void double_to_text(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    char text[NUMBER_TEXT_SIZE];
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        number_format_double(text, SHIM_ARG(&c, double, 0, row));
        shim_put_str(&c, row, str_from_cstr(text));
    }
}

static void real_to_text(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    char text[NUMBER_TEXT_SIZE];
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        number_format_real(text, SHIM_ARG(&c, float, 0, row));
        shim_put_str(&c, row, str_from_cstr(text));
    }
}

static size_t add_fraction(char *text, size_t at, size_t size, int64_t micros, int precision)
{
    static const int powers[] = {1000000, 100000, 10000, 1000, 100, 10, 1};

    if (precision <= 0 || precision > 6)
        return at;
    return at + (size_t)snprintf(text + at, size - at, ".%0*d", precision, (int)(micros / powers[precision]));
}

static void time_to_text(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;
    char text[32];

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        int64_t us = SHIM_ARG(&c, int64_t, 0, row), s = us / 1000000;
        size_t n = (size_t)snprintf(text, sizeof(text), "%02d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60),
                                    (int)(s % 60));

        n = add_fraction(text, n, sizeof(text), us % 1000000, SHIM_ARG(&c, int32_t, 1, row));
        shim_put_str(&c, row, str_from(text, n));
    }
}

static void timestamp_to_text(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;
    struct clock_civil civil;
    char text[64];

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        size_t n;

        clock_civil_from_us(SHIM_ARG(&c, int64_t, 0, row), &civil);
        n = (size_t)snprintf(text, sizeof(text), "%s%04lld-%02d-%02d %02d:%02d:%02d", civil.year > 9999 ? "+" : "",
                             (long long)civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second);
        n = add_fraction(text, n, sizeof(text), civil.micros, SHIM_ARG(&c, int32_t, 1, row));
        shim_put_str(&c, row, str_from(text, n));
    }
}

static void day_interval_to_text(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;
    char text[64];

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        int64_t v = SHIM_ARG(&c, int64_t, 0, row);
        uint64_t ms = v < 0 ? -(uint64_t)v : (uint64_t)v;
        int n = snprintf(text, sizeof(text), "%s%" PRIu64 " %02d:%02d:%02d.%03d", v < 0 ? "-" : "", ms / 86400000,
                         (int)(ms / 3600000 % 24), (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));

        shim_put_str(&c, row, str_from(text, (size_t)n));
    }
}

static void month_interval_to_text(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;
    char text[32];

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        int64_t v = SHIM_ARG(&c, int32_t, 0, row);
        int64_t months = v < 0 ? -v : v;
        int n = snprintf(text, sizeof(text), "%s%d-%d", v < 0 ? "-" : "", (int)(months / 12), (int)(months % 12));

        shim_put_str(&c, row, str_from(text, (size_t)n));
    }
}

static void check_length(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);
        int length = SHIM_ARG(&c, int32_t, 1, row);

        if (s.n > (size_t)length) /* texts of numbers and times: a byte a character */
            shim_fail(&c, cast_error, "Value %.*s cannot be represented as varchar(%d)", STR_ARG(s), length);
        else
            shim_put_str(&c, row, s);
    }
}

/* ---- to dates and times ---- */

/* Reads 1 to `max` digits; at least `min`. */
static bool read_number(struct str s, size_t *at, size_t min, size_t max, int64_t *ret)
{
    size_t start = *at;
    int64_t v = 0;

    while (*at < s.n && *at - start < max && s.p[*at] >= '0' && s.p[*at] <= '9')
        v = v * 10 + (s.p[(*at)++] - '0');
    *ret = v;
    return *at - start >= min;
}

static bool read_char(struct str s, size_t *at, char c)
{
    if (*at >= s.n || s.p[*at] != c)
        return false;
    ++*at;
    return true;
}

static bool read_date(struct str s, size_t *at, int64_t *ret_days)
{
    bool is_negative = read_char(s, at, '-');
    int64_t year, month, day;

    if (!is_negative)
        read_char(s, at, '+');
    if (!read_number(s, at, 1, 6, &year) || !read_char(s, at, '-') || !read_number(s, at, 1, 2, &month) ||
        !read_char(s, at, '-') || !read_number(s, at, 1, 2, &day))
        return false;
    if (is_negative)
        year = -year;
    if (!clock_is_valid_date(year, (int)month, (int)day))
        return false;
    *ret_days = clock_days_from_civil(year, (int)month, (int)day);
    return true;
}

static int64_t round_to(int64_t us, int precision)
{
    static const int64_t units[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    int64_t unit = precision >= 0 && precision <= 6 ? units[precision] : 1;
    int64_t down = us - ((us % unit) + unit) % unit;

    return us - down >= unit - unit / 2 ? down + unit : down;
}

/* h:mm[:ss[.fraction]], the fraction rounded to the precision. */
static bool read_time(struct str s, size_t *at, int precision, int64_t *ret_us)
{
    int64_t hour, minute, second = 0, fraction = 0;

    if (!read_number(s, at, 1, 2, &hour) || !read_char(s, at, ':') || !read_number(s, at, 1, 2, &minute))
        return false;
    if (read_char(s, at, ':')) {
        if (!read_number(s, at, 1, 2, &second))
            return false;
        if (read_char(s, at, '.')) {
            size_t start = *at;
            int64_t digit;

            for (int i = 0; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9'; i++) {
                digit = s.p[(*at)++] - '0';
                if (i < 6)
                    fraction = fraction * 10 + digit;
                else if (i == 6 && digit >= 5 && precision >= 6)
                    fraction++;
            }
            for (size_t n = *at - start; n < 6; n++)
                fraction *= 10;
            if (*at == start)
                return false;
        }
    }
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *ret_us = round_to(((hour * 60 + minute) * 60 + second) * 1000000 + fraction, precision);
    return true;
}

static void text_to_date(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;
    int64_t days = 0;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row), t = java_trim(s);
        size_t at = 0;

        if (!read_date(t, &at, &days) || at != t.n)
            shim_fail(&c, cast_error, "Value cannot be cast to date: %.*s", STR_ARG(s));
        SHIM_OUT(&c, int32_t, row) = (int32_t)days;
    }
}

static void text_to_time(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;
    int64_t us = 0;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);
        size_t at = 0;

        if (!read_time(s, &at, SHIM_ARG(&c, int32_t, 1, row), &us) || at != s.n)
            shim_fail(&c, cast_error, "Value cannot be cast to time: %.*s", STR_ARG(s));
        SHIM_OUT(&c, int64_t, row) = us % INT64_C(86400000000);
    }
}

static void text_to_timestamp(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row), t = java_trim(s);
        int64_t days = 0, us = 0;
        size_t at = 0;
        bool is_good = read_date(t, &at, &days);

        if (is_good && at < t.n)
            is_good = read_char(t, &at, ' ') && read_time(t, &at, SHIM_ARG(&c, int32_t, 1, row), &us) && at == t.n;
        if (!is_good)
            shim_fail(&c, cast_error, "Value cannot be cast to timestamp: %.*s", STR_ARG(s));
        SHIM_OUT(&c, int64_t, row) = days * INT64_C(86400000000) + us;
    }
}

static void round_timestamp(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row))
        SHIM_OUT(&c, int64_t, row) = round_to(SHIM_ARG(&c, int64_t, 0, row), SHIM_ARG(&c, int32_t, 1, row));
}

static void round_time(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row))
        SHIM_OUT(&c, int64_t, row) = round_to(SHIM_ARG(&c, int64_t, 0, row), SHIM_ARG(&c, int32_t, 1, row)) %
                                     INT64_C(86400000000);
}

const struct shim shims_cast[] = {
    SHIM("dp_to_boolean", "v", 'o', text_to_boolean),
    SHIM("dp_to_tinyint", "v", 'b', text_to_tinyint),
    SHIM("dp_to_tinyint", "d", 'b', double_to_tinyint),
    SHIM("dp_to_tinyint", "f", 'b', real_to_tinyint),
    SHIM("dp_to_smallint", "v", 's', text_to_smallint),
    SHIM("dp_to_smallint", "d", 's', double_to_smallint),
    SHIM("dp_to_smallint", "f", 's', real_to_smallint),
    SHIM("dp_to_integer", "v", 'i', text_to_integer),
    SHIM("dp_to_integer", "d", 'i', double_to_integer),
    SHIM("dp_to_integer", "f", 'i', real_to_integer),
    SHIM("dp_to_bigint", "v", 'l', text_to_bigint),
    SHIM("dp_to_bigint", "d", 'l', double_to_bigint),
    SHIM("dp_to_bigint", "f", 'l', real_to_bigint),
    SHIM("dp_to_double", "v", 'd', text_to_double),
    SHIM("dp_to_real", "v", 'f', text_to_real),
    SHIM("dp_to_real", "d", 'f', double_to_real),
    SHIM("dp_decimal_of", "vii", 'N', text_to_decimal),
    SHIM("dp_decimal_of", "dii", 'N', double_to_decimal),
    SHIM("dp_decimal_of", "fii", 'N', real_to_decimal),
    SHIM("dp_decimal_cast", "Niiii", 'N', decimal_to_decimal),
    SHIM("dp_check_decimal", "liiv", 'l', check_decimal),
    SHIM("dp_text", "d", 'v', double_to_text),
    SHIM("dp_text", "f", 'v', real_to_text),
    SHIM("dp_text_time", "ti", 'v', time_to_text),
    SHIM("dp_text_timestamp", "Ti", 'v', timestamp_to_text),
    SHIM("dp_text_interval", "l", 'v', day_interval_to_text),
    SHIM("dp_text_interval", "i", 'v', month_interval_to_text),
    SHIM("dp_check_length", "vi", 'v', check_length),
    SHIM("dp_to_date", "v", 'D', text_to_date),
    SHIM("dp_to_time", "vi", 't', text_to_time),
    SHIM("dp_to_timestamp", "vi", 'T', text_to_timestamp),
    SHIM("dp_round_timestamp", "Ti", 'T', round_timestamp),
    SHIM("dp_round_time", "ti", 't', round_time),
};
const size_t shims_cast_count = ARRAY_LEN(shims_cast);
