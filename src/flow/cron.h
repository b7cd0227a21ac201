/*
 * Cron expressions as Airflow takes them, which are croniter's: five fields (minute, hour, day of month, month, day of
 * week), a sixth for seconds behind them; lists, ranges, steps, names; "L" as the day of month is its last, "5#2" the
 * second Friday, "L5" the last one; @hourly, @daily, @weekly, @monthly, @quarterly, @yearly and @annually. When both day
 * fields are restricted, a day that meets either is meant.
 *
 * Times here are local ones, without a zone, in microseconds since 1970 as if they were UTC: what a clock on the wall
 * shows. zoned_cron_next and _prev bring in a zone and its changes.
 */
#ifndef FLOW_CRON_H
#define FLOW_CRON_H

#include "base/zone.h"

struct cron {
    uint64_t seconds, minutes; /* bit n: value n */
    uint32_t hours, days, months;
    uint8_t weekdays;        /* bit 0: Sunday */
    uint8_t nth_weekdays[7]; /* bit n: its (n+1)th in a month; bit 5: its last */
    bool last_day;           /* "L" */
    bool any_day, any_weekday;
};

/* ERR_INVALID names the field; hashed ("H") and random ("R") expressions are ERR_UNSUPPORTED. */
MUST_CHECK int cron_parse(struct str text, struct cron *ret, struct err *err);
/* The first time after, or the last before, `at`; false when there is none within 50 years. */
bool cron_next(const struct cron *c, int64_t at_us, int64_t *ret_us);
bool cron_prev(const struct cron *c, int64_t at_us, int64_t *ret_us);

/* The same for instants, by the clock of a zone (CronMixin): a time that a change of the clock skips is taken as many
 * minutes later, one that comes twice is the second; a schedule of every hour runs in both hours that have one name. */
bool zoned_cron_next(const struct cron *c, const struct zone *z, int64_t at_us, int64_t *ret_us);
bool zoned_cron_prev(const struct cron *c, const struct zone *z, int64_t at_us, int64_t *ret_us);

#endif
