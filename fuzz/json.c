/* JSON: what json_parse reads and json_add_value writes, json_parse reads back as the same value. */
#include "fuzz.h"

#include "base/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    JSON_SCOPED json_t *value = NULL;
    if (json_parse((struct str){(const char *)data, size}, &value, &err) < 0)
        return 0;

    BUF_SCOPED struct buf text;
    buf_init(&text, 64u << 20);
    struct json_writer w;
    json_writer_init(&w, &text);
    json_add_value(&w, value);

    JSON_SCOPED json_t *again = NULL;
    if (json_parse(buf_str(&text), &again, &err) < 0 || !json_equal(value, again))
        abort();
    return 0;
}
