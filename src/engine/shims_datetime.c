/*
 * Dates and times by patterns: MySQL's (date_format, date_parse) and Joda's (format_datetime), English names.
 */
#include "base/clock.h"
#include "base/vec.h"
#include "engine/shim.h"

static const char bad_argument[] = "INVALID_FUNCTION_ARGUMENT";

static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
static const char *const weekdays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

static int day_of_year(const struct clock_civil *t)
{
    return (int)(clock_days_from_civil(t->year, t->month, t->day) - clock_days_from_civil(t->year, 1, 1)) + 1;
}

/* ISO 8601's week, and the year it belongs to. */
static int iso_week(const struct clock_civil *t, int64_t *ret_year)
{
    int weekday = (t->weekday + 6) % 7; /* Monday: 0 */
    int64_t thursday = clock_days_from_civil(t->year, t->month, t->day) - weekday + 3;
    struct clock_civil c;

    clock_civil_from_us(thursday * INT64_C(86400000000), &c);
    *ret_year = c.year;
    return (day_of_year(&c) - 1) / 7 + 1;
}

static int hour12(const struct clock_civil *t)
{
    return t->hour % 12 == 0 ? 12 : t->hour % 12;
}

/* ---- date_format ---- */

static bool add_mysql(struct buf *to, const struct clock_civil *t, char letter)
{
    int64_t year;

    switch (letter) {
    case 'a':
        buf_addf(to, "%.3s", weekdays[t->weekday]);
        return true;
    case 'b':
        buf_addf(to, "%.3s", months[t->month - 1]);
        return true;
    case 'c':
        buf_addf(to, "%d", t->month);
        return true;
    case 'd':
        buf_addf(to, "%02d", t->day);
        return true;
    case 'e':
        buf_addf(to, "%d", t->day);
        return true;
    case 'f':
        buf_addf(to, "%06d", t->micros);
        return true;
    case 'H':
        buf_addf(to, "%02d", t->hour);
        return true;
    case 'h':
    case 'I':
        buf_addf(to, "%02d", hour12(t));
        return true;
    case 'i':
        buf_addf(to, "%02d", t->minute);
        return true;
    case 'j':
        buf_addf(to, "%03d", day_of_year(t));
        return true;
    case 'k':
        buf_addf(to, "%d", t->hour);
        return true;
    case 'l':
        buf_addf(to, "%d", hour12(t));
        return true;
    case 'M':
        buf_add_cstr(to, months[t->month - 1]);
        return true;
    case 'm':
        buf_addf(to, "%02d", t->month);
        return true;
    case 'p':
        buf_add_cstr(to, t->hour < 12 ? "AM" : "PM");
        return true;
    case 'r':
        buf_addf(to, "%02d:%02d:%02d %s", hour12(t), t->minute, t->second, t->hour < 12 ? "AM" : "PM");
        return true;
    case 'S':
    case 's':
        buf_addf(to, "%02d", t->second);
        return true;
    case 'T':
        buf_addf(to, "%02d:%02d:%02d", t->hour, t->minute, t->second);
        return true;
    case 'v':
        buf_addf(to, "%02d", iso_week(t, &year));
        return true;
    case 'W':
        buf_add_cstr(to, weekdays[t->weekday]);
        return true;
    case 'x':
        iso_week(t, &year);
        buf_addf(to, "%04lld", (long long)year);
        return true;
    case 'Y':
        buf_addf(to, "%04lld", (long long)t->year);
        return true;
    case 'y':
        buf_addf(to, "%02d", (int)(((t->year % 100) + 100) % 100));
        return true;
    case 'D':
    case 'U':
    case 'u':
    case 'V':
    case 'w':
    case 'X':
        return false;
    default:
        buf_add_char(to, letter);
        return true;
    }
}

static void date_format(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    BUF_SCOPED struct buf text;
    struct shim_call c;
    struct clock_civil t;

    buf_init(&text, 1 << 20);
    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str format = shim_str(&c, 1, row);

        buf_reset(&text);
        clock_civil_from_us(SHIM_ARG(&c, int64_t, 0, row), &t);
        for (size_t i = 0; i < format.n && !c.failed; i++) {
            if (format.p[i] != '%' || i + 1 == format.n)
                buf_add_char(&text, format.p[i]);
            else if (!add_mysql(&text, &t, format.p[++i]))
                shim_fail(&c, bad_argument, "%%%c not supported in date format string", format.p[i]);
        }
        shim_put_str(&c, row, buf_str(&text));
    }
}

/* ---- date_parse ---- */

struct parsed {
    struct clock_civil t;
    bool is_pm, is_half; /* an hour of 12 */
};

static bool read_digits(struct str s, size_t *at, size_t max, int64_t *ret)
{
    size_t start = *at;
    int64_t v = 0;

    while (*at < s.n && *at - start < max && s.p[*at] >= '0' && s.p[*at] <= '9')
        v = v * 10 + (s.p[(*at)++] - '0');
    *ret = v;
    return *at > start;
}

static bool read_int(struct str s, size_t *at, size_t max, int *ret)
{
    int64_t v;
    bool is_good = read_digits(s, at, max, &v);

    *ret = (int)v;
    return is_good;
}

/* A name, or its first three letters. */
static bool read_name(struct str s, size_t *at, const char *const *names, size_t n, bool is_short, int *ret)
{
    for (size_t i = 0; i < n; i++) {
        struct str name = str_slice(str_from_cstr(names[i]), 0, is_short ? 3 : SIZE_MAX);

        if (str_eq_nocase(str_slice(s, *at, name.n), name)) {
            *at += name.n;
            *ret = (int)i;
            return true;
        }
    }
    return false;
}

static bool read_fraction(struct str s, size_t *at, int *ret)
{
    size_t start = *at;
    int64_t v;

    if (!read_digits(s, at, 9, &v))
        return false;
    for (size_t n = *at - start; n < 9; n++)
        v *= 10;
    *ret = (int)(v / 1000);
    return true;
}

static bool read_mysql(struct parsed *p, struct str s, size_t *at, char letter)
{
    int ignored;

    switch (letter) {
    case 'Y':
        return read_digits(s, at, 9, &p->t.year);
    case 'y':
        if (!read_digits(s, at, 2, &p->t.year))
            return false;
        p->t.year += p->t.year < 70 ? 2000 : 1900;
        return true;
    case 'm':
    case 'c':
        return read_int(s, at, 2, &p->t.month);
    case 'd':
    case 'e':
        return read_int(s, at, 2, &p->t.day);
    case 'H':
    case 'k':
        return read_int(s, at, 2, &p->t.hour);
    case 'h':
    case 'I':
    case 'l':
        p->is_half = true;
        return read_int(s, at, 2, &p->t.hour);
    case 'i':
        return read_int(s, at, 2, &p->t.minute);
    case 's':
    case 'S':
        return read_int(s, at, 2, &p->t.second);
    case 'f':
        return read_fraction(s, at, &p->t.micros);
    case 'M':
    case 'b':
        if (!read_name(s, at, months, 12, letter == 'b', &p->t.month))
            return false;
        p->t.month++;
        return true;
    case 'W':
    case 'a':
        return read_name(s, at, weekdays, 7, letter == 'a', &ignored);
    case 'p':
        if (*at + 2 > s.n || (s.p[*at + 1] | 32) != 'm' || ((s.p[*at] | 32) != 'a' && (s.p[*at] | 32) != 'p'))
            return false;
        p->is_pm = (s.p[*at] | 32) == 'p';
        *at += 2;
        return true;
    case 'T':
        return read_mysql(p, s, at, 'H') && *at < s.n && s.p[(*at)++] == ':' && read_mysql(p, s, at, 'i') &&
               *at < s.n && s.p[(*at)++] == ':' && read_mysql(p, s, at, 's');
    default:
        return *at < s.n && s.p[(*at)++] == letter;
    }
}

static bool parse_mysql(struct str s, struct str format, int64_t *ret_us)
{
    struct parsed p = {.t = {.year = 1970, .month = 1, .day = 1}};
    size_t at = 0;

    for (size_t i = 0; i < format.n; i++) {
        bool is_field = format.p[i] == '%' && i + 1 < format.n;

        if (is_field ? !read_mysql(&p, s, &at, format.p[++i]) : at >= s.n || s.p[at++] != format.p[i])
            return false;
    }
    if (p.is_half)
        p.t.hour = p.t.hour % 12 + (p.is_pm ? 12 : 0);
    if (at != s.n || !clock_is_valid_date(p.t.year, p.t.month, p.t.day) || p.t.hour > 23 || p.t.minute > 59 ||
        p.t.second > 59)
        return false;
    p.t.micros = p.t.micros / 1000 * 1000;
    *ret_us = clock_us_from_civil(&p.t);
    return true;
}

static void date_parse(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;
    int64_t us = 0;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);

        if (!parse_mysql(s, shim_str(&c, 1, row), &us))
            shim_fail(&c, bad_argument, "Invalid format: \"%.*s\"", STR_ARG(s));
        SHIM_OUT(&c, int64_t, row) = us;
    }
}

/* ---- format_datetime ---- */

static void add_padded(struct buf *to, int64_t v, size_t width)
{
    buf_addf(to, "%0*lld", (int)width, (long long)v);
}

/* A run of `n` equal letters, as Joda's DateTimeFormat reads it. */
static bool add_joda(struct buf *to, const struct clock_civil *t, char letter, size_t n, struct str zone)
{
    int64_t year;
    int week = iso_week(t, &year);

    switch (letter) {
    case 'y':
    case 'Y':
        if (n == 2)
            add_padded(to, ((t->year % 100) + 100) % 100, 2);
        else
            add_padded(to, t->year, n);
        return true;
    case 'x':
        add_padded(to, n == 2 ? year % 100 : year, n);
        return true;
    case 'w':
        add_padded(to, week, n);
        return true;
    case 'e':
        add_padded(to, t->weekday == 0 ? 7 : t->weekday, n);
        return true;
    case 'E':
        buf_addf(to, n < 4 ? "%.3s" : "%s", weekdays[t->weekday]);
        return true;
    case 'D':
        add_padded(to, day_of_year(t), n);
        return true;
    case 'M':
        if (n < 3)
            add_padded(to, t->month, n);
        else
            buf_addf(to, n == 3 ? "%.3s" : "%s", months[t->month - 1]);
        return true;
    case 'd':
        add_padded(to, t->day, n);
        return true;
    case 'a':
        buf_add_cstr(to, t->hour < 12 ? "AM" : "PM");
        return true;
    case 'K':
        add_padded(to, t->hour % 12, n);
        return true;
    case 'h':
        add_padded(to, hour12(t), n);
        return true;
    case 'H':
        add_padded(to, t->hour, n);
        return true;
    case 'k':
        add_padded(to, t->hour == 0 ? 24 : t->hour, n);
        return true;
    case 'm':
        add_padded(to, t->minute, n);
        return true;
    case 's':
        add_padded(to, t->second, n);
        return true;
    case 'S':
        for (size_t i = 0; i < n; i++) {
            static const int powers[] = {100000, 10000, 1000, 100, 10, 1};

            buf_add_char(to, i < 3 ? (char)('0' + t->micros / powers[i] % 10) : '0');
        }
        return true;
    case 'G':
        buf_add_cstr(to, t->year > 0 ? "AD" : "BC");
        return true;
    case 'z':
    case 'Z':
        if (letter == 'Z' && n < 3)
            return false;
        buf_add_str(to, zone);
        return true;
    default:
        return false;
    }
}

static void format_joda(struct shim_call *c, struct buf *to, const struct clock_civil *t, struct str format,
                        struct str zone)
{
    size_t i = 0;

    while (i < format.n && !c->failed) {
        char letter = format.p[i];
        size_t n = 1;

        if (letter == '\'') {
            size_t end = i + 1;

            for (; end < format.n; end++) {
                if (format.p[end] != '\'')
                    buf_add_char(to, format.p[end]);
                else if (end + 1 < format.n && format.p[end + 1] == '\'')
                    buf_add_char(to, format.p[end++]);
                else
                    break;
            }
            if (end == i + 1)
                buf_add_char(to, '\'');
            i = end + 1;
            continue;
        }
        if (!((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z'))) {
            buf_add_char(to, letter);
            i++;
            continue;
        }
        while (i + n < format.n && format.p[i + n] == letter)
            n++;
        if (n > 40 || !add_joda(to, t, letter, n, zone))
            shim_fail(c, bad_argument, "Illegal pattern component: %c", letter);
        i += n;
    }
}

/* dp_format_datetime(local time, pattern, zone) */
static void format_datetime(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    BUF_SCOPED struct buf text;
    struct shim_call c;
    struct clock_civil t;

    buf_init(&text, 1 << 20);
    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        buf_reset(&text);
        clock_civil_from_us(SHIM_ARG(&c, int64_t, 0, row), &t);
        format_joda(&c, &text, &t, shim_str(&c, 1, row), shim_str(&c, 2, row));
        shim_put_str(&c, row, buf_str(&text));
    }
}

const struct shim shims_datetime[] = {
    SHIM("dp_date_format", "Tv", 'v', date_format),
    SHIM("dp_date_parse", "vv", 'T', date_parse),
    SHIM("dp_format_datetime", "Tvv", 'v', format_datetime),
};
const size_t shims_datetime_count = ARRAY_LEN(shims_datetime);
