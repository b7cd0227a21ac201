/* Parsing is lenient where the RFC says so: what isn't a valid single range of bytes is as if the header weren't there. */
#include "http/range.h"

static bool digits(struct str s, uint64_t *ret)
{
    uint64_t v = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        unsigned d = (unsigned)(s.p[i] - '0');
        v = v > (UINT64_MAX - d) / 10 ? UINT64_MAX : v * 10 + d; /* saturates: past any size */
    }
    *ret = v;
    return true;
}

enum http_range_kind http_range_parse(struct str header, uint64_t size, uint64_t *ret_first, uint64_t *ret_last)
{
    uint64_t first, last = UINT64_MAX;
    struct str spec = str_trim(header);

    if (!str_starts_with_nocase(spec, STR("bytes=")))
        return HTTP_RANGE_NONE;
    spec = str_trim(str_skip(spec, 6));
    size_t dash = str_find_char(spec, '-', 0);
    if (dash == SIZE_MAX)
        return HTTP_RANGE_NONE;
    struct str from = str_slice(spec, 0, dash), to = str_skip(spec, dash + 1);

    if (from.n == 0) { /* the last n bytes */
        uint64_t n;
        if (!digits(to, &n))
            return HTTP_RANGE_NONE;
        if (n == 0 || size == 0)
            return HTTP_RANGE_UNSATISFIABLE;
        *ret_first = n < size ? size - n : 0;
        *ret_last = size - 1;
        return HTTP_RANGE_PART;
    }
    if (!digits(from, &first) || (to.n && (!digits(to, &last) || last < first)))
        return HTTP_RANGE_NONE;
    if (first >= size)
        return HTTP_RANGE_UNSATISFIABLE;
    *ret_first = first;
    *ret_last = last < size ? last : size - 1;
    return HTTP_RANGE_PART;
}
