/*
 * Dates, times, time zones and intervals from text, by the patterns of Trino's DateTimes and DateTimeUtils.
 */
#include "sql/datetime_text.h"
#include "base/clock.h"
#include "base/zone.h"
#include <ctype.h>

enum { MAX_YEAR = 5000000 }; /* the engine's dates reach ± 5.8 million years */

static const int64_t US_PER_DAY = INT64_C(86400000000);

struct reader {
    struct str text;
    size_t at;
};

static bool at_end(const struct reader *r)
{
    return r->at == r->text.n;
}

static char peek(const struct reader *r)
{
    return at_end(r) ? '\0' : r->text.p[r->at];
}

static bool take(struct reader *r, char c)
{
    if (at_end(r) || r->text.p[r->at] != c)
        return false;
    r->at++;
    return true;
}

/* Between min and max digits. */
static bool take_digits(struct reader *r, int min, int max, int64_t *ret)
{
    int n = 0;

    *ret = 0;
    while (n < max && isdigit((unsigned char)peek(r))) {
        *ret = *ret * 10 + (peek(r) - '0');
        r->at++;
        n++;
    }
    return n >= min && !isdigit((unsigned char)peek(r));
}

static bool take_date(struct reader *r, int64_t *ret_days)
{
    bool negative = peek(r) == '-';
    int64_t year, month, day;

    if (peek(r) == '-' || peek(r) == '+')
        r->at++;
    if (!take_digits(r, 1, 9, &year) || !take(r, '-') || !take_digits(r, 1, 2, &month) || !take(r, '-') ||
        !take_digits(r, 1, 2, &day) || year > MAX_YEAR)
        return false;
    if (negative)
        year = -year;
    if (!clock_is_valid_date(year, (int)month, (int)day))
        return false;
    *ret_days = clock_days_from_civil(year, (int)month, (int)day);
    return true;
}

/* hh:mm[:ss[.fraction]] */
static bool take_time(struct reader *r, struct datetime_text *ret)
{
    int64_t hour, minute, second = 0, us = 0;

    if (!take_digits(r, 1, 2, &hour) || !take(r, ':') || !take_digits(r, 1, 2, &minute))
        return false;
    if (take(r, ':')) {
        if (!take_digits(r, 1, 2, &second))
            return false;
        if (take(r, '.')) {
            int n = 0;

            for (; isdigit((unsigned char)peek(r)); r->at++, n++) {
                if (n < 6)
                    us = us * 10 + (peek(r) - '0');
                else if (n == 6)
                    ret->rounds_up = peek(r) >= '5';
            }
            if (n == 0)
                return false;
            for (int i = n; i < 6; i++)
                us *= 10;
            ret->precision = n;
        }
    }
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    ret->time_us = ((hour * 60 + minute) * 60 + second) * 1000000 + us + (ret->rounds_up ? 1 : 0);
    return true;
}

int datetime_parse_date(struct str text, int64_t *ret_days)
{
    struct reader r = {.text = str_trim(text)};

    return take_date(&r, ret_days) && at_end(&r) ? 0 : ERR_INVALID;
}

int datetime_parse_timestamp(struct str text, struct datetime_text *ret)
{
    struct reader r = {.text = str_trim(text)};

    *ret = (struct datetime_text){0};
    if (!take_date(&r, &ret->days))
        return ERR_INVALID;
    if (at_end(&r))
        return 0;
    if (!take(&r, ' '))
        return ERR_INVALID;
    if (isdigit((unsigned char)peek(&r)) && !take_time(&r, ret))
        return ERR_INVALID;
    struct str zone = str_trim(str_skip(r.text, r.at));
    if (zone.n > 0)
        ret->zone = zone;
    return 0;
}

int datetime_parse_time(struct str text, struct datetime_text *ret, int *ret_offset_minutes)
{
    struct reader r = {.text = str_trim(text)};
    int64_t hours, minutes;

    *ret = (struct datetime_text){0};
    if (!take_time(&r, ret))
        return ERR_INVALID;
    while (take(&r, ' '))
        ;
    if (!at_end(&r)) {
        bool negative = peek(&r) == '-';

        ret->zone = str_skip(r.text, r.at);
        if ((!take(&r, '-') && !take(&r, '+')) || !take_digits(&r, 2, 2, &hours) || !take(&r, ':') ||
            !take_digits(&r, 2, 2, &minutes) || !at_end(&r) || hours > 14 || minutes > 59)
            return ERR_INVALID;
        *ret_offset_minutes = (int)(negative ? -(hours * 60 + minutes) : hours * 60 + minutes);
    }
    if (ret->time_us >= US_PER_DAY)
        ret->time_us -= US_PER_DAY;
    return 0;
}

/* ---- zones ---- */

/* ±hh:mm, ±hhmm, ±hh, ±h */
static bool parse_offset(struct str text, int *ret_minutes)
{
    struct reader r = {.text = text};
    bool negative = peek(&r) == '-';
    int64_t hours, minutes = 0;

    if (!take(&r, '-') && !take(&r, '+'))
        return false;
    if (text.n == 5 && text.p[3] != ':') {
        if (!take_digits(&r, 4, 4, &hours))
            return false;
        minutes = hours % 100;
        hours /= 100;
    } else {
        if (!take_digits(&r, 1, 2, &hours))
            return false;
        if (take(&r, ':') && !take_digits(&r, 2, 2, &minutes))
            return false;
    }
    if (!at_end(&r) || hours > 14 || minutes > 59)
        return false;
    *ret_minutes = (int)(negative ? -(hours * 60 + minutes) : hours * 60 + minutes);
    return true;
}

static bool is_utc(struct str s)
{
    static const char *const names[] = {"utc",  "z",         "gmt",  "ut",      "uct",
                                        "zulu", "greenwich", "gmt0", "etc/utc", "etc/gmt"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(s, str_from_cstr(names[i])))
            return true;
    return false;
}

int zone_parse(struct arena *a, struct str text, struct str *ret)
{
    int minutes;

    text = str_trim(text);
    if (is_utc(text)) {
        *ret = STR("UTC");
        return 0;
    }
    if (parse_offset(text, &minutes)) {
        int size = minutes < 0 ? -minutes : minutes;

        *ret = minutes == 0 ? STR("UTC")
                            : arena_printf(a, "%c%02d:%02d", minutes < 0 ? '-' : '+', size / 60, size % 60);
        return 0;
    }
    if (text.n == 0 || !isalpha((unsigned char)text.p[0]) || !zone_find(text))
        return ERR_INVALID;
    *ret = arena_str(a, text);
    return 0;
}

bool zone_fixed_offset(struct str zone, int *ret_minutes)
{
    if (is_utc(zone)) {
        *ret_minutes = 0;
        return true;
    }
    return parse_offset(zone, ret_minutes);
}

/* ---- intervals ---- */

static bool add_scaled(int64_t *sum, int64_t value, int64_t scale)
{
    int64_t product;

    return !__builtin_mul_overflow(value, scale, &product) && !__builtin_add_overflow(*sum, product, sum);
}

static bool parse_months(struct reader *r, enum ast_interval_field from, enum ast_interval_field to, int64_t *ret)
{
    int64_t first, second = 0;

    if (!take_digits(r, 1, 18, &first))
        return false;
    if (from != to && (!take(r, '-') || !take_digits(r, 1, 18, &second)))
        return false;
    *ret = 0;
    return at_end(r) && add_scaled(ret, first, from == AST_YEAR ? 12 : 1) && add_scaled(ret, second, 1) &&
           *ret <= INT32_MAX;
}

/* "d h:m:s.fff" from the field `from` to the field `to`. */
static bool parse_milliseconds(struct reader *r, enum ast_interval_field from, enum ast_interval_field to, int64_t *ret)
{
    static const int64_t scale[] = {
        [AST_DAY] = 86400000, [AST_HOUR] = 3600000, [AST_MINUTE] = 60000, [AST_SECOND] = 1000};
    int64_t value;

    *ret = 0;
    for (enum ast_interval_field f = from; f <= to; f++) {
        if (f != from && !take(r, f == AST_HOUR ? ' ' : ':'))
            return false;
        if (!take_digits(r, 1, 18, &value) || !add_scaled(ret, value, scale[f]))
            return false;
    }
    if (to == AST_SECOND && take(r, '.')) {
        int n = 0;

        for (value = 0; isdigit((unsigned char)peek(r)); r->at++, n++)
            if (n < 3)
                value = value * 10 + (peek(r) - '0');
        if (n == 0 || n > 9)
            return false;
        for (; n < 3; n++)
            value *= 10;
        if (!add_scaled(ret, value, 1))
            return false;
    }
    return at_end(r);
}

int interval_parse(struct str text, enum ast_interval_field from, enum ast_interval_field to, int64_t *ret)
{
    struct reader r = {.text = str_trim(text)};
    bool negative = take(&r, '-');
    int64_t value;

    if (!negative)
        (void)take(&r, '+');
    if (from <= AST_MONTH ? !parse_months(&r, from, to, &value) : !parse_milliseconds(&r, from, to, &value))
        return ERR_INVALID;
    *ret = negative ? -value : value;
    return 0;
}
