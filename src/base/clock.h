/*
 * Time. Durations and deadlines use the monotonic clock, what people and files see uses the wall clock.
 * Civil dates are proleptic Gregorian in UTC.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/str.h"

int64_t clock_mono_us(void);
int64_t clock_wall_us(void); /* since 1970-01-01T00:00:00Z */
static inline int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}
static inline int64_t clock_wall_ms(void)
{
    return clock_wall_us() / 1000;
}

struct clock_civil {
    int64_t year;
    int month, day;           /* 1..12, 1..31 */
    int hour, minute, second; /* 0..23, 0..59, 0..59 */
    int micros;               /* 0..999999 */
    int weekday;              /* 0: Sunday */
};

int64_t clock_days_from_civil(int64_t year, int month, int day); /* days since 1970-01-01 */
void clock_civil_from_us(int64_t us, struct clock_civil *ret);
int64_t clock_us_from_civil(const struct clock_civil *c);
bool clock_is_valid_date(int64_t year, int month, int day);

enum { CLOCK_TEXT_SIZE = 40 };
/* 2026-11-24T14:30:05.123Z (RFC 3339, milliseconds) */
void clock_format_rfc3339_ms(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);
/* Tue, 24 Nov 2026 14:30:05 GMT (RFC 9110, 5.6.7) */
void clock_format_http(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);
/* 20261124T143005Z, as SigV4 dates requests */
void clock_format_amz(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);
MUST_CHECK int clock_parse_amz(struct str text, int64_t *ret_wall_ms, struct err *err);
MUST_CHECK int clock_parse_http(struct str text, int64_t *ret_wall_ms, struct err *err); /* IMF-fixdate only */
/* RFC 3339 with optional fraction and Z or ±hh:mm. */
MUST_CHECK int clock_parse_rfc3339(struct str text, int64_t *ret_wall_us, struct err *err);
/* "5m", "1.50d": a number and one of ns, us, ms, s, m, h, d, as the durations of Trino's configuration and session. What
 * no int64_t holds becomes INT64_MAX. */
MUST_CHECK int clock_parse_duration(struct str text, int64_t *ret_us, struct err *err);

#endif
