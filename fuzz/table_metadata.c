/* Table metadata (JSON, or gzip of it), and the schemas, specs and snapshots in it. */
#include "fuzz.h"

#include "iceberg/iceberg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iceberg_metadata *m;
    struct err err = {0};

    if (iceberg_metadata_parse(str_from((const char *)data, size), &m, &err) < 0) {
        if (err.message[0] == '\0')
            __builtin_trap(); /* an error that says nothing */
        return 0;
    }
    /* What parsing promises to its users. */
    if (!iceberg_current_schema(m) || !iceberg_default_spec(m))
        __builtin_trap();
    (void)iceberg_current_snapshot(m);
    (void)iceberg_property(m, "write.format.default");
    iceberg_metadata_unref(m);
    return 0;
}
