/* Avro container files: header, schema, codec, blocks, values. */
#include "fuzz.h"

#include "avro/avro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_SCOPED struct arena arena;
    struct avro_reader *r;
    const struct avro_value *v;
    struct err err = {0};

    arena_init(&arena, 64u << 20);
    int rc = avro_reader_new(&arena, str_from((const char *)data, size), &r, &err);
    if (rc == 0) {
        while ((rc = avro_reader_next(r, &v, &err)) == 1)
            (void)avro_by_id(avro_reader_schema(r), v, 2);
        avro_reader_free(r);
    }
    if (rc < 0 && err.message[0] == '\0')
        __builtin_trap(); /* an error that says nothing */
    return 0;
}
