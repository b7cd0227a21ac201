#include "base/clock.h"
#include <time.h>

static const char *const weekday_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Both directions count in 400-year eras that start on March 1st, so that the leap day is a year's last:
 * Howard Hinnant, "chrono-compatible low-level date algorithms". */
int64_t clock_days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = floor_div(year, 400);
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

void clock_civil_from_us(int64_t us, struct clock_civil *ret)
{
    int64_t days = floor_div(us, 86400000000);
    int64_t rest = us - days * 86400000000;
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);

    *ret = (struct clock_civil){
        .year = yoe + era * 400 + (month <= 2),
        .month = month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (int)(rest / 3600000000),
        .minute = (int)(rest / 60000000 % 60),
        .second = (int)(rest / 1000000 % 60),
        .micros = (int)(rest % 1000000),
        .weekday = (int)(((days + 4) % 7 + 7) % 7),
    };
}

int64_t clock_us_from_civil(const struct clock_civil *c)
{
    return clock_days_from_civil(c->year, c->month, c->day) * 86400000000 + c->hour * INT64_C(3600000000) +
           c->minute * INT64_C(60000000) + c->second * INT64_C(1000000) + c->micros;
}

bool clock_is_valid_date(int64_t year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

void clock_format_rfc3339_ms(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
    struct clock_civil c;

    clock_civil_from_us(wall_ms * 1000, &c);
    snprintf(out, CLOCK_TEXT_SIZE, "%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ", (long long)c.year, c.month, c.day, c.hour,
             c.minute, c.second, c.micros / 1000);
}

void clock_format_http(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
    struct clock_civil c;

    clock_civil_from_us(wall_ms * 1000, &c);
    snprintf(out, CLOCK_TEXT_SIZE, "%s, %02d %s %04lld %02d:%02d:%02d GMT", weekday_names[c.weekday], c.day,
             month_names[c.month - 1], (long long)c.year, c.hour, c.minute, c.second);
}

void clock_format_amz(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
    struct clock_civil c;

    clock_civil_from_us(wall_ms * 1000, &c);
    snprintf(out, CLOCK_TEXT_SIZE, "%04lld%02d%02dT%02d%02d%02dZ", (long long)c.year, c.month, c.day, c.hour, c.minute,
             c.second);
}

/* n digits at *at; -1 when there aren't as many. */
static int digits(struct str s, size_t *at, size_t n)
{
    int v = 0;

    if (*at + n > s.n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        char c = s.p[*at + i];
        if (c < '0' || c > '9')
            return -1;
        v = v * 10 + (c - '0');
    }
    *at += n;
    return v;
}

static bool literal(struct str s, size_t *at, char c)
{
    if (*at >= s.n || s.p[*at] != c)
        return false;
    ++*at;
    return true;
}

static bool is_valid_civil(const struct clock_civil *c)
{
    return clock_is_valid_date(c->year, c->month, c->day) && c->hour >= 0 && c->hour < 24 && c->minute >= 0 &&
           c->minute < 60 && c->second >= 0 && c->second < 60;
}

int clock_parse_amz(struct str text, int64_t *ret_wall_ms, struct err *err)
{
    struct clock_civil c = {0};
    size_t at = 0;

    c.year = digits(text, &at, 4);
    c.month = digits(text, &at, 2);
    c.day = digits(text, &at, 2);
    bool ok = literal(text, &at, 'T');
    c.hour = digits(text, &at, 2);
    c.minute = digits(text, &at, 2);
    c.second = digits(text, &at, 2);
    ok = ok && literal(text, &at, 'Z') && at == text.n;
    if (!ok || !is_valid_civil(&c))
        return err_set(err, ERR_INVALID, "expected a date like 20261124T143005Z, found '%.*s'",
                       STR_ARG(str_slice(text, 0, 64)));
    *ret_wall_ms = clock_us_from_civil(&c) / 1000;
    return 0;
}

int clock_parse_http(struct str text, int64_t *ret_wall_ms, struct err *err)
{
    struct clock_civil c = {0};
    size_t at = 5;

    c.day = digits(text, &at, 2);
    bool ok = text.n == 29 && literal(text, &at, ' ');
    for (int m = 0; ok && m < 12; m++)
        if (str_eq_cstr(str_slice(text, at, 3), month_names[m]))
            c.month = m + 1;
    at += 3;
    ok = ok && literal(text, &at, ' ');
    c.year = digits(text, &at, 4);
    ok = ok && literal(text, &at, ' ');
    c.hour = digits(text, &at, 2);
    ok = ok && literal(text, &at, ':');
    c.minute = digits(text, &at, 2);
    ok = ok && literal(text, &at, ':');
    c.second = digits(text, &at, 2);
    if (!ok || !str_eq(str_skip(text, at), STR(" GMT")) || !is_valid_civil(&c))
        return err_set(err, ERR_INVALID, "expected a date like 'Tue, 24 Nov 2026 14:30:05 GMT', found '%.*s'",
                       STR_ARG(str_slice(text, 0, 64)));
    *ret_wall_ms = clock_us_from_civil(&c) / 1000;
    return 0;
}

int clock_parse_rfc3339(struct str text, int64_t *ret_wall_us, struct err *err)
{
    struct clock_civil c = {0};
    size_t at = 0;
    int64_t offset_minutes = 0;

    c.year = digits(text, &at, 4);
    bool ok = literal(text, &at, '-');
    c.month = digits(text, &at, 2);
    ok = ok && literal(text, &at, '-');
    c.day = digits(text, &at, 2);
    ok = ok && (literal(text, &at, 'T') || literal(text, &at, 't') || literal(text, &at, ' '));
    c.hour = digits(text, &at, 2);
    ok = ok && literal(text, &at, ':');
    c.minute = digits(text, &at, 2);
    ok = ok && literal(text, &at, ':');
    c.second = digits(text, &at, 2);
    if (ok && literal(text, &at, '.')) {
        int scale = 100000;
        size_t from = at;
        while (at < text.n && text.p[at] >= '0' && text.p[at] <= '9') {
            c.micros += (text.p[at++] - '0') * scale;
            scale /= 10;
        }
        ok = at > from;
    }
    if (ok && at < text.n && (text.p[at] == '+' || text.p[at] == '-')) {
        int sign = text.p[at++] == '-' ? -1 : 1;
        int h = digits(text, &at, 2);
        ok = literal(text, &at, ':');
        int m = digits(text, &at, 2);
        ok = ok && h >= 0 && h < 24 && m >= 0 && m < 60;
        offset_minutes = (int64_t)sign * (h * 60 + m);
    } else {
        ok = ok && (literal(text, &at, 'Z') || literal(text, &at, 'z'));
    }
    if (!ok || at != text.n || !is_valid_civil(&c))
        return err_set(err, ERR_INVALID, "expected a time like 2026-11-24T14:30:05Z, found '%.*s'",
                       STR_ARG(str_slice(text, 0, 64)));
    *ret_wall_us = clock_us_from_civil(&c) - offset_minutes * 60000000;
    return 0;
}

int clock_parse_duration(struct str text, int64_t *ret_us, struct err *err)
{
    static const struct {
        const char *name;
        double us;
    } units[] = {{"ns", 1e-3}, {"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}, {"d", 86400e6}};
    size_t n = 0, dots = 0;
    double v;

    while (n < text.n && ((text.p[n] >= '0' && text.p[n] <= '9') || (text.p[n] == '.' && n > 0 && dots++ == 0)))
        n++;
    if (n > 0 && text.p[n - 1] != '.' && str_to_f64(str_slice(text, 0, n), &v, NULL) == 0) {
        struct str unit = str_trim(str_skip(text, n));

        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            if (!str_eq_cstr(unit, units[i].name))
                continue;
            double us = v * units[i].us;
            *ret_us = us < (double)INT64_MAX ? (int64_t)us : INT64_MAX;
            return 0;
        }
    }
    return err_set(err, ERR_INVALID, "expected a duration such as 30s or 5m, found '%.*s'",
                   STR_ARG(str_slice(text, 0, 64)));
}
