/*
 * Cron: a set of allowed values a field. Looking for the next time tries days first, which a month's and a day's sets
 * rule out at once, then hours, minutes and seconds within the day.
 */
#include "flow/cron.h"

#include "base/clock.h"
#include "base/vec.h"

enum {
    DAY_S = 86400,
    DAYS_MAX = 366 * 50, /* croniter's horizon */
    FIELDS_MIN = 5,
    FIELDS_MAX = 6,
    LAST = 5, /* the bit of nth_weekdays for "L" */
};

/* ---- reading ---- */

static const struct field {
    const char *name;
    int min, max;
    const char *const *names; /* of values from `min` on */
} fields[FIELDS_MAX] = {
    {"minute", 0, 59, NULL},
    {"hour", 0, 23, NULL},
    {"day of month", 1, 31, NULL},
    {"month", 1, 12,
     (const char *const[]){"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL}},
    {"day of week", 0, 7, (const char *const[]){"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL}},
    {"second", 0, 59, NULL},
};

enum { DAY_FIELD = 2, WEEKDAY_FIELD = 4 };

static int bad(const struct field *f, struct str text, struct err *err)
{
    return err_set(err, ERR_INVALID, "'%.*s' is no %s of a cron expression: expected %d-%d, *, a list, range or step",
                   STR_ARG(text), f->name, f->min, f->max);
}

static bool read_value(const struct field *f, struct str text, int *ret)
{
    int64_t v;

    if (str_to_i64(text, &v, NULL) == 0 && v >= f->min && v <= f->max) {
        *ret = (int)v;
        return true;
    }
    for (int i = 0; f->names && f->names[i]; i++)
        if (str_eq_nocase(text, str_from_cstr(f->names[i]))) {
            *ret = f->min + i;
            return true;
        }
    return false;
}

/* "5#2", "L5": a weekday of a certain place in the month. 1: it was one. */
static int read_nth(struct cron *c, const struct field *f, struct str part, struct err *err)
{
    size_t hash = str_find_char(part, '#', 0);
    bool last = part.n > 1 && (part.p[0] == 'L' || part.p[0] == 'l');
    int day;

    if (hash == SIZE_MAX && !last)
        return 0;
    struct str place = hash == SIZE_MAX ? STR("") : str_skip(part, hash + 1);
    if (!read_value(f, last ? str_skip(part, 1) : str_slice(part, 0, hash), &day))
        return bad(f, part, err);
    if (last || str_eq_nocase(place, STR("L"))) {
        c->nth_weekdays[day % 7] |= 1 << LAST;
        return 1;
    }
    if (place.n != 1 || place.p[0] < '1' || place.p[0] > '5')
        return bad(f, part, err);
    c->nth_weekdays[day % 7] |= (uint8_t)(1 << (place.p[0] - '1'));
    return 1;
}

/* "*", "a", "a-b", each with "/step"; a range may go over the end ("22-2"), as croniter has it. */
static int read_part(const struct field *f, struct str part, uint64_t *set, struct err *err)
{
    size_t slash = str_find_char(part, '/', 0);
    struct str range = str_slice(part, 0, slash);
    size_t dash = str_find_char(range, '-', 0);
    int from = f->min, to = f->max;
    int64_t step = 1;

    if (slash != SIZE_MAX && (str_to_i64(str_skip(part, slash + 1), &step, NULL) < 0 || step < 1 || step > f->max))
        return bad(f, part, err);
    if (str_eq(range, STR("*")) || (str_eq(range, STR("?")) && f->names == NULL && f->min == 1)) {
        to = f->max == 7 ? 6 : f->max;
    } else if (dash != SIZE_MAX) {
        if (!read_value(f, str_slice(range, 0, dash), &from) || !read_value(f, str_skip(range, dash + 1), &to))
            return bad(f, part, err);
    } else if (!read_value(f, range, &from)) {
        return bad(f, part, err);
    } else if (slash == SIZE_MAX) {
        to = from;
    }
    int size = f->max == 7 ? 7 : f->max - f->min + 1;
    int count = to >= from ? to - from : to + size - from;
    for (int64_t i = 0; i <= count; i += step) {
        int value = from + (int)i;
        *set |= 1ULL << (f->max == 7 ? value % 7 : value > f->max ? value - size : value);
    }
    return 0;
}

static int read_field(struct cron *c, int at, struct str text, uint64_t *set, struct err *err)
{
    const struct field *f = &fields[at];
    struct str part;
    int rc = 0;

    while (rc == 0 && str_split(&text, ',', &part)) {
        if (at == DAY_FIELD && str_eq_nocase(part, STR("L"))) {
            c->last_day = true;
            continue;
        }
        if (str_find_char(part, 'H', 0) == 0 || str_find_char(part, 'R', 0) == 0)
            return err_set(err, ERR_UNSUPPORTED, "hashed and random cron expressions (%.*s) are not supported",
                           STR_ARG(part));
        if (at == WEEKDAY_FIELD) {
            rc = read_nth(c, f, part, err);
            if (rc != 0) {
                rc = rc == 1 ? 0 : rc;
                continue;
            }
            if (str_eq(part, STR("?")))
                part = STR("*");
        }
        rc = read_part(f, part, set, err);
    }
    return rc;
}

static struct str expand_alias(struct str text)
{
    static const char *const aliases[][2] = {
        {"@hourly", "0 * * * *"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
        {"@weekly", "0 0 * * 0"}, {"@monthly", "0 0 1 * *"},  {"@quarterly", "0 0 1 */3 *"},
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"},
    };

    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (str_eq_nocase(text, str_from_cstr(aliases[i][0])))
            return str_from_cstr(aliases[i][1]);
    return text;
}

int cron_parse(struct str text, struct cron *ret, struct err *err)
{
    struct cron c = {0};
    uint64_t sets[FIELDS_MAX] = {0};
    struct str rest = expand_alias(str_trim(text)), part;
    int n = 0, rc = 0;

    while (rc == 0 && str_split(&rest, ' ', &part)) {
        if (part.n == 0)
            continue;
        if (n == FIELDS_MAX)
            return err_set(err, ERR_INVALID, "the cron expression '%.*s' has more than %d fields", STR_ARG(text),
                           FIELDS_MAX);
        rc = read_field(&c, n, part, &sets[n], err);
        n++;
    }
    if (rc < 0)
        return rc;
    if (n < FIELDS_MIN)
        return err_set(err, ERR_INVALID, "the cron expression '%.*s' has %d fields, not %d or %d", STR_ARG(text), n,
                       FIELDS_MIN, FIELDS_MAX);
    c.minutes = sets[0];
    c.hours = (uint32_t)sets[1];
    c.days = (uint32_t)sets[2];
    c.months = (uint32_t)sets[3];
    c.weekdays = (uint8_t)sets[4];
    c.seconds = n == FIELDS_MAX ? sets[5] : 1;
    c.any_day = c.days == 0xfffffffe;
    c.any_weekday = c.weekdays == 0x7f;
    *ret = c;
    return 0;
}

/* ---- searching ---- */

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

static bool day_matches(const struct cron *c, int64_t day)
{
    struct clock_civil d;

    clock_civil_from_us(day * DAY_S * 1000000LL, &d);
    if (!(c->months >> d.month & 1))
        return false;
    int length = days_in(d.year, d.month);
    bool by_day = (c->days >> d.day & 1) || (c->last_day && d.day == length);
    uint8_t nth = c->nth_weekdays[d.weekday];
    bool by_weekday = (c->weekdays >> d.weekday & 1) || (nth >> ((d.day - 1) / 7) & 1) ||
                      ((nth >> LAST & 1) && d.day + 7 > length);
    if (c->any_day)
        return by_weekday;
    return c->any_weekday ? by_day : by_day || by_weekday;
}

static bool second_matches(const struct cron *c, int second)
{
    return (c->hours >> (second / 3600) & 1) && (c->minutes >> (second / 60 % 60) & 1) &&
           (c->seconds >> (second % 60) & 1);
}

/* The first second of the day from `from` on (or the last up to it) that matches; -1: none. Goes by whole minutes and
 * hours where those don't match. */
static int find_in_day(const struct cron *c, int from, int direction)
{
    int s = from;

    while (s >= 0 && s < DAY_S) {
        if (second_matches(c, s))
            return s;
        int unit = !(c->hours >> (s / 3600) & 1) ? 3600 : !(c->minutes >> (s / 60 % 60) & 1) ? 60 : 1;
        s = direction > 0 ? (s / unit + 1) * unit : s / unit * unit - 1;
    }
    return -1;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool search(const struct cron *c, int64_t second, int direction, int64_t *ret_us)
{
    int64_t day = floor_div(second, DAY_S);
    int within = (int)(second - day * DAY_S);

    for (int i = 0; i < DAYS_MAX; i++) {
        int found = day_matches(c, day) ? find_in_day(c, within, direction) : -1;
        if (found >= 0) {
            *ret_us = (day * DAY_S + found) * 1000000LL;
            return true;
        }
        day += direction;
        within = direction > 0 ? 0 : DAY_S - 1;
    }
    return false;
}

bool cron_next(const struct cron *c, int64_t at_us, int64_t *ret_us)
{
    return search(c, floor_div(at_us, 1000000) + 1, 1, ret_us);
}

bool cron_prev(const struct cron *c, int64_t at_us, int64_t *ret_us)
{
    /* The second before; the one that has begun, when it has. */
    return search(c, -floor_div(-at_us, 1000000) - 1, -1, ret_us);
}

/* ---- with a zone ---- */

static int64_t to_local(const struct zone *z, int64_t utc_us)
{
    return utc_us + zone_offset_s(z, floor_div(utc_us, 1000000)) * 1000000LL;
}

/* make_aware(): the second of two, and behind a gap by its length. */
static int64_t from_local(const struct zone *z, int64_t local_us)
{
    int64_t before = zone_offset_s(z, floor_div(local_us, 1000000) - DAY_S) * 1000000LL;
    int64_t after = zone_offset_s(z, floor_div(local_us, 1000000) + DAY_S) * 1000000LL;
    bool before_holds = to_local(z, local_us - before) == local_us;
    bool after_holds = to_local(z, local_us - after) == local_us;

    if (before_holds && after_holds)
        return local_us - (before < after ? before : after);
    return local_us - (after_holds ? after : before);
}

static bool covers_every_hour(const struct cron *c)
{
    return c->hours == 0xffffff;
}

bool zoned_cron_next(const struct cron *c, const struct zone *z, int64_t at_us, int64_t *ret_us)
{
    int64_t local = to_local(z, at_us), found;

    if (!cron_next(c, local, &found))
        return false;
    *ret_us = covers_every_hour(c) ? at_us + (found - local) : from_local(z, found);
    return true;
}

bool zoned_cron_prev(const struct cron *c, const struct zone *z, int64_t at_us, int64_t *ret_us)
{
    int64_t local = to_local(z, at_us), found;

    if (!cron_prev(c, local, &found))
        return false;
    *ret_us = covers_every_hour(c) ? at_us - (local - found) : from_local(z, found);
    return true;
}
