/*
 * A zone is a sorted list of transitions, read from the second, 64-bit half of a TZif file, and the rule of its footer
 * (a POSIX TZ string) for the time after the last one. Leap seconds don't count: SQL's time has none.
 */
#include "base/zone.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"

#include <pthread.h>

enum { FILE_MAX = 64 << 10, TRANSITIONS_MAX = 8192, TYPES_MAX = 256, DAY_S = 86400 };

/* When daylight saving time begins or ends in a year. */
struct change {
    char kind;            /* 'M': month, week, day; 'J': day 1 … 365, never 29 February; 'N': day 0 … 365 */
    int month, week, day; /* of 'M': week 5 is the last, day 0 is Sunday; of the others only `day` */
    int time_s;           /* local, may be negative or past a day */
};

struct zone {
    int64_t *times; /* UTC seconds, ascending: from times[i] on offsets[i + 1] holds; offsets[0] before the first */
    int *offsets;
    size_t n;
    bool has_rule, has_dst;
    int standard_s, dst_s; /* offsets */
    struct change to_dst, to_standard;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct map zones; /* by name; under lock */

/* ---- POSIX TZ: "CET-1CEST,M3.5.0,M10.5.0/3", "<+03>-3" ---- */

struct text {
    const char *p, *end;
};

static bool take(struct text *t, char c)
{
    if (t->p == t->end || *t->p != c)
        return false;
    t->p++;
    return true;
}

static bool number(struct text *t, int *ret)
{
    int v = 0, digits = 0;

    while (t->p < t->end && *t->p >= '0' && *t->p <= '9' && digits < 4) {
        v = v * 10 + (*t->p++ - '0');
        digits++;
    }
    *ret = v;
    return digits > 0;
}

/* [+-]h[h][:mm[:ss]], in seconds */
static bool clock_time(struct text *t, int *ret)
{
    bool negative = take(t, '-');
    int h, m = 0, s = 0;

    if (!negative)
        take(t, '+');
    if (!number(t, &h) || h > 167)
        return false;
    if (take(t, ':') && (!number(t, &m) || (take(t, ':') && !number(t, &s))))
        return false;
    *ret = (negative ? -1 : 1) * (h * 3600 + m * 60 + s);
    return true;
}

static bool abbreviation(struct text *t)
{
    const char *from = t->p;

    if (take(t, '<')) {
        while (t->p < t->end && *t->p != '>')
            t->p++;
        return take(t, '>');
    }
    while (t->p < t->end && ((*t->p >= 'A' && *t->p <= 'Z') || (*t->p >= 'a' && *t->p <= 'z')))
        t->p++;
    return t->p > from;
}

static bool change(struct text *t, struct change *ret)
{
    *ret = (struct change){.kind = 'N', .time_s = 7200};
    if (!take(t, ','))
        return false;
    if (take(t, 'M')) {
        ret->kind = 'M';
        if (!number(t, &ret->month) || !take(t, '.') || !number(t, &ret->week) || !take(t, '.') ||
            !number(t, &ret->day) || ret->month < 1 || ret->month > 12 || ret->week < 1 || ret->week > 5 ||
            ret->day > 6)
            return false;
    } else {
        if (take(t, 'J'))
            ret->kind = 'J';
        if (!number(t, &ret->day) || ret->day > 365)
            return false;
    }
    return !take(t, '/') || clock_time(t, &ret->time_s);
}

static bool parse_rule(struct zone *z, struct str s)
{
    struct text t = {s.p, s.p + s.n};

    if (!abbreviation(&t) || !clock_time(&t, &z->standard_s))
        return false;
    z->standard_s = -z->standard_s; /* POSIX counts westwards */
    z->dst_s = z->standard_s + 3600;
    z->has_dst = t.p < t.end;
    if (!z->has_dst)
        return true;
    if (!abbreviation(&t))
        return false;
    if (t.p < t.end && *t.p != ',') {
        if (!clock_time(&t, &z->dst_s))
            return false;
        z->dst_s = -z->dst_s;
    }
    return change(&t, &z->to_dst) && change(&t, &z->to_standard) && t.p == t.end;
}

/* Local seconds since 1970 of the change in that year. */
static int64_t change_at(const struct change *c, int64_t year)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t january = clock_days_from_civil(year, 1, 1), day;

    if (c->kind == 'J') {
        bool is_leap = clock_is_valid_date(year, 2, 29);
        day = january + c->day - 1 + (is_leap && c->day > before[2] ? 1 : 0);
    } else if (c->kind == 'N') {
        day = january + c->day;
    } else {
        int64_t first = clock_days_from_civil(year, c->month, 1);
        int64_t next = c->month == 12 ? clock_days_from_civil(year + 1, 1, 1)
                                      : clock_days_from_civil(year, c->month + 1, 1);
        int weekday = (int)(((first + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
        day = first + (c->day - weekday + 7) % 7 + (int64_t)(c->week - 1) * 7;
        while (day >= next)
            day -= 7;
    }
    return day * DAY_S + c->time_s;
}

static int rule_offset(const struct zone *z, int64_t utc_s)
{
    struct clock_civil civil;

    if (!z->has_dst)
        return z->standard_s;
    int64_t local = utc_s + z->standard_s;
    int64_t days = local / DAY_S - (local % DAY_S < 0);
    clock_civil_from_us(days > 200000000 || days < -200000000 ? 0 : days * DAY_S * 1000000, &civil);
    int64_t begins = change_at(&z->to_dst, civil.year) - z->standard_s;
    int64_t ends = change_at(&z->to_standard, civil.year) - z->dst_s;
    bool is_dst = begins < ends ? utc_s >= begins && utc_s < ends : utc_s >= begins || utc_s < ends;
    return is_dst ? z->dst_s : z->standard_s;
}

/* ---- TZif ---- */

static uint64_t big_endian(const unsigned char *p, int n)
{
    uint64_t v = 0;

    for (int i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

enum { HEADER = 44 };

struct counts {
    size_t isut, isstd, leap, time, type, chars;
};

static bool header(struct str file, size_t at, struct counts *ret)
{
    if (at > file.n || file.n - at < HEADER || memcmp(file.p + at, "TZif", 4) != 0)
        return false;
    const unsigned char *p = (const unsigned char *)file.p + at + 20;
    *ret = (struct counts){big_endian(p, 4),      big_endian(p + 4, 4),  big_endian(p + 8, 4),
                           big_endian(p + 12, 4), big_endian(p + 16, 4), big_endian(p + 20, 4)};
    return ret->isut <= TYPES_MAX && ret->isstd <= TYPES_MAX && ret->leap <= 1024 && ret->time <= TRANSITIONS_MAX &&
           ret->type >= 1 && ret->type <= TYPES_MAX && ret->chars <= 4096;
}

static size_t block_size(const struct counts *c, size_t time_size)
{
    return c->time * time_size + c->time + c->type * 6 + c->chars + c->leap * (time_size + 4) + c->isstd + c->isut;
}

static bool parse_file(struct zone *z, struct str file)
{
    struct counts c;

    if (!header(file, 0, &c) || file.p[4] < '2')
        return false;
    size_t second = HEADER + block_size(&c, 4);
    if (!header(file, second, &c))
        return false;
    size_t at = second + HEADER, footer = at + block_size(&c, 8);
    if (footer > file.n)
        return false;

    const unsigned char *times = (const unsigned char *)file.p + at, *kinds = times + c.time * 8,
                        *types = kinds + c.time;
    z->times = calloc(c.time + 1, sizeof(*z->times));
    z->offsets = calloc(c.time + 1, sizeof(*z->offsets));
    if (!z->times || !z->offsets)
        return false;
    z->n = c.time;
    z->offsets[0] = (int)(int32_t)big_endian(types, 4);
    for (size_t i = 0; i < c.time; i++) {
        z->times[i] = (int64_t)big_endian(times + i * 8, 8);
        if (kinds[i] >= c.type || (i > 0 && z->times[i] < z->times[i - 1]))
            return false;
        z->offsets[i + 1] = (int)(int32_t)big_endian(types + (size_t)kinds[i] * 6, 4);
    }
    struct str rest = str_skip(file, footer);
    if (rest.n >= 2 && rest.p[0] == '\n' && rest.p[rest.n - 1] == '\n' && rest.n > 2)
        z->has_rule = parse_rule(z, str_slice(rest, 1, rest.n - 2));
    return true;
}

static void free_zone(struct zone *z)
{
    free(z->times);
    free(z->offsets);
    free(z);
}

static bool read_file(struct zone *z, struct str name)
{
    char path[256], bytes[FILE_MAX];

    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%.*s", STR_ARG(name));
    FILE *f = fopen(path, "rbe");
    if (!f)
        return false;
    size_t n = fread(bytes, 1, sizeof(bytes), f);
    bool whole = n < sizeof(bytes) && !ferror(f);
    (void)fclose(f);
    return whole && parse_file(z, str_from(bytes, n));
}

/* A name as the database has them: nothing that leads out of its folder. */
static bool is_name(struct str s)
{
    if (s.n == 0 || s.n > 64 || s.p[0] == '/' || str_find(s, STR("//"), 0) != SIZE_MAX || s.p[s.n - 1] == '/')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
              c == '-' || c == '+'))
            return false;
    }
    return true;
}

/* "+hh:mm" */
static bool parse_offset(struct zone *z, struct str s)
{
    if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':')
        return false;
    for (int i = 1; i < 6; i++)
        if (i != 3 && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
    int minutes = ((s.p[1] - '0') * 10 + s.p[2] - '0') * 60 + (s.p[4] - '0') * 10 + s.p[5] - '0';
    z->has_rule = true;
    z->standard_s = (s.p[0] == '-' ? -60 : 60) * minutes;
    return minutes <= 14 * 60;
}

static struct zone *load(struct str name)
{
    struct zone *z = calloc(1, sizeof(*z));

    if (!z)
        return NULL;
    if (str_eq(name, STR("UTC")) || str_eq(name, STR("Z"))) {
        z->has_rule = true;
        return z;
    }
    if (parse_offset(z, name) || (is_name(name) && read_file(z, name)))
        return z;
    free_zone(z);
    return NULL;
}

const struct zone *zone_find(struct str name)
{
    pthread_mutex_lock(&lock);
    struct zone *z = map_get(&zones, name);
    if (!z && (z = load(name)))
        map_set(&zones, name, z);
    pthread_mutex_unlock(&lock);
    return z;
}

int zone_offset_s(const struct zone *z, int64_t utc_s)
{
    size_t low = 0, high = z->n;

    if (z->has_rule && (z->n == 0 || utc_s >= z->times[z->n - 1]))
        return rule_offset(z, utc_s);
    while (low < high) { /* how many transitions are at or before the instant */
        size_t middle = low + (high - low) / 2;
        if (z->times[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    return z->offsets ? z->offsets[low] : 0;
}
