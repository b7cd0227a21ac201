/*
 * Airflow's timetables. Two families share their arithmetic over "next" and "previous" times: data intervals
 * (a run is about the interval that has just ended) and triggers (a run is made at the moment, about an interval of its
 * own). What gives those times is a cron expression in a zone, or a delta.
 */
#include "flow/timetable.h"

#include "base/clock.h"
#include "base/vec.h"
#include "flow/cron.h"

#include <math.h>

enum { CRONS_MAX = 100, EVENTS_MAX = 100000, STEPS_MAX = 100000 };

#define SECOND_US 1000000LL

/* A duration, or calendar's units (dateutil's relativedelta). */
struct delta {
    int64_t us;
    int months; /* years included */
};

enum kind { KIND_NULL, KIND_ONCE, KIND_CONTINUOUS, KIND_ASSETS, KIND_EVENTS, KIND_INTERVAL, KIND_TRIGGER };

struct timetable {
    enum kind kind;
    /* KIND_INTERVAL, KIND_TRIGGER: times of a cron in a zone when there is one, else of `delta` */
    const struct zone *zone;
    struct cron *crons; /* several only for a trigger */
    size_t cron_count;
    struct delta delta, interval;
    bool run_immediately, has_buffer;
    int64_t buffer_us;
    int64_t *events; /* KIND_EVENTS, in order */
    size_t event_count;
    bool restrict_to_events; /* a triggered run is about the last event before it */
};

/* ---- reading ---- */

static int invalid(struct err *err, const char *what)
{
    return err_set(err, ERR_INVALID, "a serialized timetable: %s", what);
}

/* Seconds, or {"months": 1, …}. Also wrapped as {"__type": "timedelta", "__var": 5.0}. */
static int read_delta(const json_t *j, struct delta *ret, struct err *err)
{
    static const struct {
        const char *name;
        int64_t us;
        int months;
    } units[] = {{"years", 0, 12},
                 {"months", 0, 1},
                 {"weeks", 604800 * SECOND_US, 0},
                 {"days", 86400 * SECOND_US, 0},
                 {"hours", 3600 * SECOND_US, 0},
                 {"minutes", 60 * SECOND_US, 0},
                 {"seconds", SECOND_US, 0},
                 {"microseconds", 1, 0}};
    const char *name;
    json_t *value;

    *ret = (struct delta){0};
    if (json_is_object(j) && json_object_get(j, "__var"))
        j = json_object_get(j, "__var");
    if (json_is_number(j)) {
        double s = json_number_value(j);
        if (!(fabs(s) < 1e11))
            return invalid(err, "a delta is out of range");
        ret->us = llround(s * 1e6);
        return 0;
    }
    if (!json_is_object(j))
        return invalid(err, "a delta is neither seconds nor an object");
    json_object_foreach((json_t *)j, name, value)
    {
        size_t i = 0;
        while (i < ARRAY_LEN(units) && strcmp(units[i].name, name) != 0)
            i++;
        if (i == ARRAY_LEN(units))
            return err_set(err, ERR_UNSUPPORTED, "a relative delta of %s is not supported", name);
        int64_t n = json_integer_value(value);
        if (!json_is_integer(value) || n < -1000000 || n > 1000000)
            return invalid(err, "a relative delta is out of range");
        ret->us += n * units[i].us;
        ret->months += (int)n * units[i].months;
    }
    return 0;
}

static int read_zone(const json_t *var, const struct zone **ret, struct err *err)
{
    const json_t *j = json_object_get(var, "timezone");
    char offset[16];
    struct str name = json_str(j);

    if (json_is_integer(j)) { /* a fixed offset, in seconds */
        int64_t s = json_integer_value(j);
        int64_t minutes = (s < 0 ? -s : s) / 60;
        if (minutes > 24L * 60)
            return invalid(err, "a time zone's offset is out of range");
        snprintf(offset, sizeof(offset), "%c%02d:%02d", s < 0 ? '-' : '+', (int)(minutes / 60), (int)(minutes % 60));
        name = str_from_cstr(offset);
    }
    *ret = str_is_null(name) ? NULL : zone_find(name);
    return *ret ? 0 : err_set(err, ERR_INVALID, "a serialized timetable: no time zone is called %.*s", STR_ARG(name));
}

static int read_crons(struct arena *a, struct timetable *t, const json_t *var, struct err *err)
{
    const json_t *list = json_object_get(var, "expressions");
    size_t n = json_is_array(list) ? json_array_size(list) : 1;
    int rc = read_zone(var, &t->zone, err);

    if (rc == 0 && (n == 0 || n > CRONS_MAX))
        rc = invalid(err, "it has no cron expression, or too many");
    if (rc < 0)
        return rc;
    t->crons = arena_array(a, struct cron, n);
    t->cron_count = n;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = cron_parse(json_str(json_is_array(list) ? json_array_get(list, i) : json_object_get(var, "expression")),
                        &t->crons[i], err);
    return rc;
}

static int read_trigger(struct timetable *t, const json_t *var, struct err *err)
{
    const json_t *now = json_object_get(var, "run_immediately");
    struct delta buffer;

    t->kind = KIND_TRIGGER;
    t->run_immediately = json_is_true(now);
    if (now && !json_is_boolean(now) && !json_is_null(now)) {
        int rc = read_delta(now, &buffer, err);
        if (rc < 0)
            return rc;
        t->has_buffer = true;
        t->buffer_us = buffer.us;
    }
    return json_object_get(var, "interval") ? read_delta(json_object_get(var, "interval"), &t->interval, err) : 0;
}

static int make_cron_interval(struct arena *a, struct timetable *t, const json_t *var, struct err *err)
{
    t->kind = KIND_INTERVAL;
    return read_crons(a, t, var, err);
}

static int make_cron_trigger(struct arena *a, struct timetable *t, const json_t *var, struct err *err)
{
    int rc = read_crons(a, t, var, err);

    return rc < 0 ? rc : read_trigger(t, var, err);
}

static int check_delta(const struct delta *d, struct err *err)
{
    return d->months > 0 || (d->months == 0 && d->us > 0) ? 0 : invalid(err, "schedule interval must be positive");
}

static int make_delta_interval(struct arena *a, struct timetable *t, const json_t *var, struct err *err)
{
    int rc = read_delta(json_object_get(var, "delta"), &t->delta, err);

    (void)a;
    t->kind = KIND_INTERVAL;
    return rc < 0 ? rc : check_delta(&t->delta, err);
}

static int make_delta_trigger(struct arena *a, struct timetable *t, const json_t *var, struct err *err)
{
    int rc = make_delta_interval(a, t, var, err);

    return rc < 0 ? rc : read_trigger(t, var, err);
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int make_events(struct arena *a, struct timetable *t, const json_t *var, struct err *err)
{
    const json_t *list = json_object_get(var, "event_dates");
    size_t n = json_array_size(list);

    t->kind = KIND_EVENTS;
    if (n > EVENTS_MAX)
        return invalid(err, "it has too many events");
    t->events = arena_array(a, int64_t, n);
    for (size_t i = 0; i < n; i++) {
        int rc = clock_parse_rfc3339(json_str(json_array_get(list, i)), &t->events[i], err);
        if (rc < 0)
            return rc;
    }
    t->event_count = n;
    qsort(t->events, n, sizeof(*t->events), by_time);
    t->restrict_to_events = json_is_true(json_object_get(var, "restrict_to_events"));
    return 0;
}

#define TRIVIAL(name, what)                                                                   \
    static int name(struct arena *a, struct timetable *t, const json_t *var, struct err *err) \
    {                                                                                         \
        (void)a, (void)var, (void)err;                                                        \
        t->kind = what;                                                                       \
        return 0;                                                                             \
    }
TRIVIAL(make_null, KIND_NULL)
TRIVIAL(make_once, KIND_ONCE)
TRIVIAL(make_continuous, KIND_CONTINUOUS)
TRIVIAL(make_assets, KIND_ASSETS)

static const struct {
    const char *type;
    int (*make)(struct arena *a, struct timetable *t, const json_t *var, struct err *err);
} kinds[] = {
    {"airflow.timetables.simple.NullTimetable", make_null},
    {"airflow.timetables.simple.OnceTimetable", make_once},
    {"airflow.timetables.simple.ContinuousTimetable", make_continuous},
    {"airflow.timetables.simple.AssetTriggeredTimetable", make_assets},
    {"airflow.timetables.interval.CronDataIntervalTimetable", make_cron_interval},
    {"airflow.timetables.interval.DeltaDataIntervalTimetable", make_delta_interval},
    {"airflow.timetables.trigger.CronTriggerTimetable", make_cron_trigger},
    {"airflow.timetables.trigger.MultipleCronTriggerTimetable", make_cron_trigger},
    {"airflow.timetables.trigger.DeltaTriggerTimetable", make_delta_trigger},
    {"airflow.timetables.events.EventsTimetable", make_events},
};

int timetable_parse(struct arena *a, const json_t *serialized, struct timetable **ret, struct err *err)
{
    struct timetable *t = arena_new(a, struct timetable);
    struct str type;
    json_t *var;
    int rc = json_get_str(serialized, "__type", &type, err);

    if (rc == 0)
        rc = json_get_object(serialized, "__var", &var, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!str_eq_cstr(type, kinds[i].type))
            continue;
        rc = kinds[i].make(a, t, var, err);
        if (rc == 0)
            *ret = t;
        return rc;
    }
    return err_set(err, ERR_UNSUPPORTED, "the timetable %.*s is not one of Airflow's own", STR_ARG(type));
}

/* ---- times ---- */

static int64_t max_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* dateutil's rule: months first, the day at most the month's last, then the rest. */
static int64_t add_delta(int64_t at_us, const struct delta *d, int sign)
{
    struct clock_civil c;

    if (d->months == 0)
        return at_us + sign * d->us;
    clock_civil_from_us(at_us, &c);
    int64_t months = c.year * 12 + c.month - 1 + (int64_t)sign * d->months;
    c.year = months / 12;
    c.month = (int)(months % 12) + 1;
    while (!clock_is_valid_date(c.year, c.month, c.day) && c.day > 28)
        c.day--;
    return clock_us_from_civil(&c) + sign * d->us;
}

/* A cron that never comes again gives the time itself: the callers see that nothing moved. */
static int64_t next_time(const struct timetable *t, const struct cron *c, int64_t at_us)
{
    int64_t found = at_us;

    if (!c)
        return add_delta(at_us, &t->delta, 1);
    (void)zoned_cron_next(c, t->zone, at_us, &found);
    return found;
}

static int64_t prev_time(const struct timetable *t, const struct cron *c, int64_t at_us)
{
    int64_t found = at_us;

    if (!c)
        return add_delta(at_us, &t->delta, -1);
    (void)zoned_cron_prev(c, t->zone, at_us, &found);
    return found;
}

static int64_t align_to_next(const struct timetable *t, const struct cron *c, int64_t at_us)
{
    if (!c)
        return at_us;
    int64_t next = next_time(t, c, at_us);
    return prev_time(t, c, next) != at_us ? next : at_us;
}

static int64_t align_to_prev(const struct timetable *t, const struct cron *c, int64_t at_us)
{
    if (!c)
        return at_us;
    int64_t prev = prev_time(t, c, at_us);
    return next_time(t, c, prev) != at_us ? prev : at_us;
}

/* ---- data intervals ---- */

/* DeltaDataIntervalTimetable._round: to the grid since 1970, or for months the one since the anchor. */
static int64_t round_down(const struct timetable *t, int64_t at_us, int64_t anchor_us)
{
    if (t->delta.months == 0) {
        int64_t rest = at_us % t->delta.us;
        return at_us - (rest < 0 ? rest + t->delta.us : rest);
    }
    for (int i = 0; i < STEPS_MAX && add_delta(anchor_us, &t->delta, 1) <= at_us; i++)
        anchor_us = add_delta(anchor_us, &t->delta, 1);
    return anchor_us;
}

static int64_t skip_to_latest(const struct timetable *t, const struct cron *c, const struct time_restriction *r,
                              int64_t now_us)
{
    int64_t start;

    if (c) {
        int64_t last = prev_time(t, c, now_us);
        start = next_time(t, c, last) == now_us ? last : prev_time(t, c, last);
        return r->has_earliest ? max_of(start, align_to_next(t, c, r->earliest_us)) : start;
    }
    start = prev_time(t, c, round_down(t, now_us, r->has_earliest ? r->earliest_us : now_us));
    return r->has_earliest ? max_of(start, r->earliest_us) : start;
}

static bool next_interval(const struct timetable *t, const struct data_interval *last, const struct time_restriction *r,
                          int64_t now_us, struct run_times *ret)
{
    const struct cron *c = t->crons;
    bool has_earliest = !r->catchup || r->has_earliest;
    int64_t earliest = !r->catchup       ? skip_to_latest(t, c, r, now_us)
                       : r->has_earliest ? align_to_next(t, c, r->earliest_us)
                                         : 0;
    int64_t start = earliest;

    if (!last && !has_earliest)
        return false;
    if (last) {
        start = align_to_prev(t, c, last->end_us);
        if (has_earliest)
            start = max_of(start, earliest);
        if (start <= last->start_us)
            start = next_time(t, c, start);
        if (start <= last->start_us)
            return false;
    }
    if (r->has_latest && start > r->latest_us)
        return false;
    int64_t end = next_time(t, c, start);
    if (end <= start)
        return false;
    *ret = (struct run_times){end, {start, end}};
    return true;
}

/* ---- triggers ---- */

static int64_t first_run(const struct timetable *t, const struct cron *c, int64_t now_us)
{
    int64_t past = align_to_prev(t, c, now_us);

    if (!c || t->run_immediately)
        return past;
    int64_t next = align_to_next(t, c, now_us);
    int64_t buffer = t->has_buffer ? t->buffer_us : max_of((next - past) / 10, 300 * SECOND_US);
    return now_us - past <= buffer ? past : next;
}

static bool next_trigger(const struct timetable *t, const struct cron *c, const struct data_interval *last,
                         const struct time_restriction *r, int64_t now_us, struct run_times *ret)
{
    int64_t at;

    if (r->catchup) {
        at = last              ? next_time(t, c, last->end_us)
             : r->has_earliest ? align_to_next(t, c, r->earliest_us)
                               : first_run(t, c, now_us);
    } else {
        at = align_to_prev(t, c, now_us);
        if (last)
            at = max_of(at, next_time(t, c, last->end_us));
        else if (!r->has_earliest)
            at = max_of(at, first_run(t, c, now_us));
        if (r->has_earliest)
            at = max_of(at, align_to_next(t, c, r->earliest_us));
    }
    if ((r->has_latest && r->latest_us < at) || (last && at <= last->end_us))
        return false;
    *ret = (struct run_times){at, {add_delta(at, &t->interval, -1), at}};
    return true;
}

/* Of several crons the one whose turn it is: with catch-up the earliest; else the latest of those that are due, and when
 * none is, the earliest to come. */
static bool next_of_triggers(const struct timetable *t, const struct data_interval *last,
                             const struct time_restriction *r, int64_t now_us, struct run_times *ret)
{
    bool found = false;

    if (t->cron_count <= 1)
        return next_trigger(t, t->crons, last, r, now_us, ret);
    for (size_t i = 0; i < t->cron_count; i++) {
        struct run_times one;
        if (!next_trigger(t, &t->crons[i], last, r, now_us, &one))
            continue;
        int64_t a = one.interval.start_us, b = ret->interval.start_us;
        bool better = r->catchup ? a < b : a <= now_us ? b > now_us || a > b : b > now_us && a < b;
        if (!found || better)
            *ret = one;
        found = true;
    }
    return found;
}

/* ---- the others ---- */

static bool next_once(const struct data_interval *last, const struct time_restriction *r, int64_t now_us,
                      struct run_times *ret)
{
    int64_t at = r->has_earliest ? r->earliest_us : now_us;

    if (last || (r->has_latest && at > r->latest_us))
        return false;
    *ret = (struct run_times){at, {at, at}};
    return true;
}

static bool next_continuous(const struct data_interval *last, const struct time_restriction *r, int64_t now_us,
                            struct run_times *ret)
{
    int64_t start = r->has_earliest ? r->earliest_us : now_us;
    int64_t end = max_of(start, now_us);

    if (last && last->end_us > now_us) { /* the start date is to come */
        end = start + (last->end_us - last->start_us);
    } else if (last) {
        start = last->end_us;
        end = now_us;
    }
    if (r->has_latest && end > r->latest_us)
        return false;
    *ret = (struct run_times){end, {start, end}};
    return true;
}

/* EventsTimetable.next_dagrun_info. Without catch-up the next is the last one that is due, or the first to come. */
static bool next_event(const struct timetable *t, const struct data_interval *last, const struct time_restriction *r,
                       int64_t now_us, struct run_times *ret)
{
    int64_t from = r->has_earliest ? r->earliest_us : INT64_MIN;
    size_t i = 0;

    if (!r->catchup)
        from = max_of(from, now_us);
    while (i < t->event_count && (t->events[i] < from || (last && t->events[i] <= last->end_us)))
        i++;
    if (i == t->event_count || (r->has_latest && t->events[i] > r->latest_us))
        return false;
    *ret = (struct run_times){t->events[i], {t->events[i], t->events[i]}};
    return true;
}

bool timetable_next(const struct timetable *t, const struct data_interval *last, const struct time_restriction *r,
                    int64_t now_us, struct run_times *ret)
{
    switch (t->kind) {
    case KIND_ONCE:
        return next_once(last, r, now_us, ret);
    case KIND_CONTINUOUS:
        return next_continuous(last, r, now_us, ret);
    case KIND_EVENTS:
        return next_event(t, last, r, now_us, ret);
    case KIND_INTERVAL:
        return next_interval(t, last, r, now_us, ret);
    case KIND_TRIGGER:
        return next_of_triggers(t, last, r, now_us, ret);
    default:
        return false;
    }
}

struct data_interval timetable_manual_interval(const struct timetable *t, int64_t run_after_us)
{
    struct data_interval at = {run_after_us, run_after_us};

    if (t->kind == KIND_INTERVAL) {
        at.end_us = align_to_prev(t, t->crons, run_after_us);
        at.start_us = prev_time(t, t->crons, at.end_us);
    } else if (t->kind == KIND_TRIGGER) {
        at.start_us = add_delta(run_after_us, &t->interval, -1);
    } else if (t->restrict_to_events && t->event_count) {
        at.start_us = at.end_us = t->events[0];
        for (size_t i = 0; i < t->event_count && t->events[i] <= run_after_us; i++)
            at.start_us = at.end_us = t->events[i];
    }
    return at;
}

bool timetable_is_by_assets(const struct timetable *t)
{
    return t->kind == KIND_ASSETS;
}

int timetable_active_runs_limit(const struct timetable *t)
{
    return t->kind == KIND_CONTINUOUS ? 1 : 0;
}
