/*
 * Dates, times, time zones and intervals as Trino reads them from text. Nothing here needs the engine: what does
 * (regions' rules) is left to it.
 */
#ifndef SQL_DATETIME_TEXT_H
#define SQL_DATETIME_TEXT_H

#include "base/arena.h"
#include "sql/ast.h"

/* The parts that were written. */
struct datetime_text {
    int64_t days;    /* since 1970-01-01 */
    int64_t time_us; /* since midnight */
    int precision;   /* digits of the fraction, may be more than 6: the rest is rounded */
    bool rounds_up;  /* the digits behind the sixth round time_us up (done already) */
    struct str zone; /* as written; null: none */
};

/* 0, or ERR_INVALID without a message. Surrounding white space is allowed where Trino allows it. */
int datetime_parse_date(struct str text, int64_t *ret_days);
int datetime_parse_timestamp(struct str text, struct datetime_text *ret);
/* hh:mm[:ss[.fff]] [±hh:mm]; *ret_offset_minutes is set when ret->zone is not null. */
int datetime_parse_time(struct str text, struct datetime_text *ret, int *ret_offset_minutes);

/* A time zone by name or offset, in the form that Trino prints: "UTC", "+05:30", "Europe/Paris". ERR_INVALID: none. */
int zone_parse(struct arena *a, struct str text, struct str *ret);
/* When the zone's offset is the same always: UTC and offsets. */
bool zone_fixed_offset(struct str zone, int *ret_minutes);

/* Months (YEAR, MONTH) or milliseconds; ERR_INVALID when the text isn't such an interval or out of range. */
int interval_parse(struct str text, enum ast_interval_field from, enum ast_interval_field to, int64_t *ret);

#endif
