/*
 * Time zones: the local time of an instant, from the system's TZif files (RFC 9636), or for a fixed offset.
 * Zones are read once and kept; all functions are thread-safe.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/str.h"

struct zone;

/* "UTC", "Europe/Paris", "+02:00", "-05:30". NULL when there is no such zone. Lives as long as the process. */
const struct zone *zone_find(struct str name);
/* Seconds to add to UTC for the local time at this instant (seconds since 1970). */
int zone_offset_s(const struct zone *z, int64_t utc_s);

#endif
