/* The Range header for one representation: RFC 9110 section 14. Only the unit bytes, and one range, as S3 serves. */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include "base/str.h"
#include <stdint.h>

enum http_range_kind {
    HTTP_RANGE_NONE,          /* absent, malformed, of another unit, or several: the whole is sent (200) */
    HTTP_RANGE_PART,          /* 206: *ret_first … *ret_last, inclusive */
    HTTP_RANGE_UNSATISFIABLE, /* 416 */
};
enum http_range_kind http_range_parse(struct str header, uint64_t size, uint64_t *ret_first, uint64_t *ret_last);

#endif
