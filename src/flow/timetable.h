/*
 * Timetables: when a DAG's runs are made and which interval of time each is about. Those of Airflow 3.3's own kinds, from
 * their serialized form ({"__type": "airflow.timetables.trigger.CronTriggerTimetable", "__var": {…}}); the arithmetic,
 * edges included, is Airflow's (airflow/timetables). Any other kind is asked for in Python.
 *
 * Instants are microseconds since 1970 in UTC.
 */
#ifndef FLOW_TIMETABLE_H
#define FLOW_TIMETABLE_H

#include "base/json.h"

struct timetable;

struct data_interval {
    int64_t start_us, end_us;
};

struct run_times {
    int64_t run_after_us; /* not before */
    struct data_interval interval;
};

/* A DAG's start and end dates. */
struct time_restriction {
    bool has_earliest, has_latest, catchup;
    int64_t earliest_us, latest_us;
};

/* Lives in the arena. ERR_UNSUPPORTED: a kind that isn't known here; ERR_INVALID: a document that makes no timetable. */
MUST_CHECK int timetable_parse(struct arena *a, const json_t *serialized, struct timetable **ret, struct err *err);
/* The next run after the last automated one (NULL: there was none); false: there is none to come. */
bool timetable_next(const struct timetable *t, const struct data_interval *last, const struct time_restriction *r,
                    int64_t now_us, struct run_times *ret);
/* The interval that a run which somebody triggers for this time is about. */
struct data_interval timetable_manual_interval(const struct timetable *t, int64_t run_after_us);
/* Whether assets decide, and no clock. */
bool timetable_is_by_assets(const struct timetable *t);
/* 0: as the DAG says; 1 for @continuous. */
int timetable_active_runs_limit(const struct timetable *t);

#endif
