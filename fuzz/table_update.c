/* A commit of the REST catalog (JSON): its requirements and updates, on a table that is there and on one that isn't. */
#include "fuzz.h"

#include "iceberg/iceberg.h"

static const char table[] =
    "{\"format-version\":2,\"table-uuid\":\"9c12d441-03fe-4693-9a96-a0705ddf69c1\",\"location\":\"s3://b/t\","
    "\"last-sequence-number\":1,\"last-updated-ms\":1,\"last-column-id\":2,\"current-schema-id\":0,\"schemas\":["
    "{\"type\":\"struct\",\"schema-id\":0,\"fields\":[{\"id\":1,\"name\":\"x\",\"required\":false,\"type\":\"int\"},"
    "{\"id\":2,\"name\":\"y\",\"required\":false,\"type\":\"string\"}]}],\"default-spec-id\":0,\"partition-specs\":["
    "{\"spec-id\":0,\"fields\":[]}],\"last-partition-id\":999,\"default-sort-order-id\":0,\"sort-orders\":["
    "{\"order-id\":0,\"fields\":[]}],\"properties\":{},\"current-snapshot-id\":7,\"refs\":{\"main\":{\"snapshot-id\":7,"
    "\"type\":\"branch\"}},\"snapshots\":[{\"snapshot-id\":7,\"sequence-number\":1,\"timestamp-ms\":1,\"summary\":{"
    "\"operation\":\"append\"},\"manifest-list\":\"s3://b/t/l.avro\"}],\"snapshot-log\":[],\"metadata-log\":[]}";

static int read_file(void *ctx, struct str location, struct buf *to, struct err *err)
{
    (void)ctx, (void)location;
    buf_add_cstr(to, table);
    return buf_check(to, "the table", err);
}

/* What is written has to be readable: it is the table from then on. */
static int write_files(void *ctx, const struct str *locations, const struct str *contents, size_t n, struct err *err)
{
    struct iceberg_metadata *m;

    (void)ctx, (void)locations;
    if (iceberg_metadata_parse(contents[n - 1], &m, err) < 0 || !iceberg_current_schema(m) || !iceberg_default_spec(m))
        __builtin_trap();
    iceberg_metadata_unref(m);
    return 0;
}

static int remove_files(void *ctx, const struct str *locations, size_t n, struct err *err)
{
    (void)ctx, (void)locations, (void)n, (void)err;
    return 0;
}

static int load_pointer(void *ctx, struct arena *a, struct str *ret, struct err *err)
{
    (void)ctx, (void)a, (void)err;
    *ret = STR("s3://b/t/metadata/00000-a.metadata.json");
    return 0;
}

static int swap_pointer(void *ctx, struct str expected, struct str location, struct err *err)
{
    (void)ctx, (void)expected, (void)location, (void)err;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct iceberg_io io = {NULL, read_file, write_files, remove_files};
    const struct iceberg_pointer pointer = {NULL, load_pointer, swap_pointer};
    struct iceberg_cache *cache;
    struct err err = {0};
    json_t *body;

    if (json_parse(str_from((const char *)data, size), &body, &err) < 0)
        return 0;
    if (iceberg_cache_new(1 << 20, &io, &cache, &err) < 0)
        __builtin_trap();
    const struct iceberg_commit commit = {.cache = cache, .io = &io, .pointer = &pointer};
    const json_t *requirements = json_object_get(body, "requirements"), *updates = json_object_get(body, "updates");
    for (int i = 0; i < 2; i++) {
        err = (struct err){0};
        int rc = i ? iceberg_update_new_table(&commit, requirements, updates, &err)
                   : iceberg_update_table(&commit, requirements, updates, &err);
        if (rc < 0 && err.message[0] == '\0')
            __builtin_trap(); /* an error that says nothing */
    }
    struct iceberg_metadata *m = NULL;
    ARENA_SCOPED struct arena a = ARENA_INIT;
    if (json_is_object(json_object_get(body, "schema")) &&
        iceberg_make_metadata(&a, STR("s3://b/t"), json_object_get(body, "schema"), json_object_get(body, "spec"),
                              json_object_get(body, "order"), json_object_get(body, "properties"), &m, &err) == 0)
        iceberg_metadata_unref(m);
    iceberg_cache_free(cache);
    json_decref(body);
    return 0;
}
