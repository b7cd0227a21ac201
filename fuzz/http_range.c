/* The Range header: a part that is found lies within the representation. */
#include "fuzz.h"

#include "http/range.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t sizes[] = {0, 1, 10, 1 << 20, UINT64_MAX};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint64_t first = 1, last = 0;
        enum http_range_kind kind = http_range_parse((struct str){(const char *)data, size}, sizes[i], &first, &last);
        if (kind == HTTP_RANGE_PART && (first > last || last >= sizes[i]))
            abort();
        if (kind != HTTP_RANGE_PART && (first != 1 || last != 0))
            abort();
    }
    return 0;
}
