/* Manifests and manifest lists: the bytes as each of them, with the metadata of a partitioned table. What reads as a
 * manifest is written again and read back. */
#include "fuzz.h"

#include "iceberg/manifest.h"

static const char metadata_json[] =
    "{\"format-version\":2,\"table-uuid\":\"x\",\"location\":\"s3://b/t\",\"last-sequence-number\":3,"
    "\"last-updated-ms\":0,\"last-column-id\":3,\"current-schema-id\":0,\"schemas\":[{\"type\":\"struct\","
    "\"schema-id\":0,\"fields\":[{\"id\":1,\"name\":\"id\",\"required\":false,\"type\":\"long\"},"
    "{\"id\":2,\"name\":\"name\",\"required\":false,\"type\":\"string\"},"
    "{\"id\":3,\"name\":\"day\",\"required\":false,\"type\":\"date\"}]}],\"default-spec-id\":0,\"partition-specs\":"
    "[{\"spec-id\":0,\"fields\":[{\"name\":\"day_month\",\"transform\":\"month\",\"source-id\":3,\"field-id\":1000},"
    "{\"name\":\"id_bucket\",\"transform\":\"bucket[4]\",\"source-id\":1,\"field-id\":1001}]}],"
    "\"last-partition-id\":1001,\"properties\":{}}";
static struct iceberg_metadata *metadata;

/* What was read holds together well enough to be written, and that is readable. */
static void write_again(const struct iceberg_manifest *m)
{
    ARENA_SCOPED struct arena arena;
    BUF_SCOPED struct buf file;
    struct iceberg_manifest_file told;
    struct iceberg_manifest *back;

    arena_init(&arena, 256u << 20);
    buf_init(&file, 64u << 20);
    const struct iceberg_entry **entries = arena_array(&arena, const struct iceberg_entry *, m->n);
    for (size_t i = 0; i < m->n; i++)
        entries[i] = &m->entries[i];
    if (iceberg_manifest_write(&arena, metadata, &metadata->specs[0], 0, entries, m->n, 9, 9, &file, &told, NULL) < 0)
        return;
    if (iceberg_manifest_parse(buf_str(&file), &told, metadata, &back, NULL) < 0 || back->n != m->n)
        __builtin_trap();
    iceberg_manifest_unref(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str file = {(const char *)data, size};
    const struct iceberg_manifest_file in = {.sequence_number = 3, .snapshot_id = 7};
    struct iceberg_manifest_list *list;
    struct iceberg_manifest *manifest;
    struct err err = {0};

    if (!metadata && iceberg_metadata_parse(str_from_cstr(metadata_json), &metadata, &err) < 0)
        __builtin_trap();
    if (iceberg_manifest_list_parse(file, &list, &err) == 0)
        iceberg_manifest_list_unref(list);
    else if (err.message[0] == '\0')
        __builtin_trap(); /* an error that says nothing */
    err = (struct err){0};
    if (iceberg_manifest_parse(file, &in, metadata, &manifest, &err) == 0) {
        if (manifest->n < 1000)
            write_again(manifest);
        iceberg_manifest_unref(manifest);
    } else if (err.message[0] == '\0') {
        __builtin_trap();
    }
    return 0;
}
