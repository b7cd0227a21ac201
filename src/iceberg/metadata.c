/*
 * Table metadata, read (specification: Table Metadata Fields). The JSON document is kept whole beside what is parsed of
 * it: a commit edits a copy of it, so that what this code doesn't know survives.
 *
 * Version 1's forms (one schema, one partition-spec) are read into version 2's; version 3 is refused by name.
 */
#include "iceberg/metadata.h"

#include "base/vec.h"
#include "iceberg/schema.h"
#include <zlib.h>

enum { METADATA_MAX = 128 << 20, GZIP = 15 + 16 /* window bits with a gzip header */ };

static int corrupt(struct err *err, const char *what)
{
    return err_set(err, ERR_CORRUPT, "Iceberg table metadata: %s", what);
}

static int parse_schemas(struct iceberg_metadata *m, struct err *err)
{
    const json_t *list = json_object_get(m->json, "schemas");
    const json_t *single = json_object_get(m->json, "schema");
    bool is_list = json_is_array(list);
    size_t n = is_list ? json_array_size(list) : single ? 1 : 0;
    int rc = iceberg_array(&m->arena, struct iceberg_schema, n, &m->schemas, err);

    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = iceberg_schema_parse(&m->arena, is_list ? json_array_get(list, i) : single, &m->schemas[i], err);
    m->schema_count = n;
    if (rc < 0)
        return rc;
    int64_t current = json_opt_i64(m->json, "current-schema-id", n ? m->schemas[0].id : 0);
    m->current_schema_id = (int)current;
    return iceberg_current_schema(m) ? 0 : corrupt(err, "current-schema-id names no schema");
}

static int parse_specs(struct iceberg_metadata *m, struct err *err)
{
    const json_t *list = json_object_get(m->json, "partition-specs");
    const json_t *single = json_object_get(m->json, "partition-spec");
    bool is_list = json_is_array(list);
    size_t n = is_list ? json_array_size(list) : single ? 1 : 0;
    int last = 999;
    int rc = iceberg_array(&m->arena, struct iceberg_spec, n, &m->specs, err);

    for (size_t i = 0; rc == 0 && i < n; i++) {
        const json_t *j = is_list ? json_array_get(list, i) : single;
        m->specs[i].id = is_list ? (int)json_opt_i64(j, "spec-id", 0) : 0;
        rc = iceberg_spec_parse_fields(&m->arena, is_list ? json_object_get(j, "fields") : j, &m->specs[i], err);
        for (size_t k = 0; rc == 0 && k < m->specs[i].field_count; k++)
            last = m->specs[i].fields[k].field_id > last ? m->specs[i].fields[k].field_id : last;
    }
    m->spec_count = n;
    if (rc < 0)
        return rc;
    m->default_spec_id = (int)json_opt_i64(m->json, "default-spec-id", n ? m->specs[0].id : 0);
    m->last_partition_id = (int)json_opt_i64(m->json, "last-partition-id", last);
    return iceberg_default_spec(m) ? 0 : corrupt(err, "default-spec-id names no partition spec");
}

static int parse_snapshots(struct iceberg_metadata *m, struct err *err)
{
    const json_t *list = json_object_get(m->json, "snapshots");
    size_t n = json_is_array(list) ? json_array_size(list) : 0;
    int rc = iceberg_array(&m->arena, struct iceberg_snapshot, n, &m->snapshots, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        const json_t *j = json_array_get(list, i);
        struct iceberg_snapshot *s = &m->snapshots[i];
        if (json_get_i64(j, "snapshot-id", &s->id, NULL) < 0)
            return corrupt(err, "a snapshot without snapshot-id");
        s->parent_id = json_opt_i64(j, "parent-snapshot-id", -1);
        s->sequence_number = json_opt_i64(j, "sequence-number", 0);
        s->timestamp_ms = json_opt_i64(j, "timestamp-ms", 0);
        s->schema_id = (int)json_opt_i64(j, "schema-id", -1);
        s->manifest_list = json_opt_str(j, "manifest-list", STR_NULL); /* owned by the document */
        s->summary = json_object_get(j, "summary");
        s->operation = json_opt_str(s->summary, "operation", STR_NULL);
    }
    m->snapshot_count = n;
    m->current_snapshot_id = json_opt_i64(m->json, "current-snapshot-id", -1);
    if (m->current_snapshot_id != -1 && !iceberg_current_snapshot(m))
        return corrupt(err, "current-snapshot-id names no snapshot");
    return 0;
}

static int parse(struct iceberg_metadata *m, struct err *err)
{
    int64_t version, last_column;
    int rc;

    if (json_get_i64(m->json, "format-version", &version, NULL) < 0)
        return corrupt(err, "no format-version");
    if (version > 2)
        return err_set(err, ERR_UNSUPPORTED, "Iceberg format version %lld is not supported: versions 1 and 2 are",
                       (long long)version);
    if (version < 1)
        return corrupt(err, "format-version is below 1");
    m->format_version = (int)version;
    if (json_get_str(m->json, "location", &m->location, NULL) < 0)
        return corrupt(err, "no location");
    if (json_get_i64(m->json, "last-column-id", &last_column, NULL) < 0 || last_column < 0 || last_column > INT32_MAX)
        return corrupt(err, "no usable last-column-id");
    m->last_column_id = (int)last_column;
    m->uuid = json_opt_str(m->json, "table-uuid", STR_NULL);
    m->last_sequence_number = json_opt_i64(m->json, "last-sequence-number", 0);
    m->last_updated_ms = json_opt_i64(m->json, "last-updated-ms", 0);
    if ((rc = parse_schemas(m, err)) < 0 || (rc = parse_specs(m, err)) < 0)
        return rc;
    return parse_snapshots(m, err);
}

int iceberg_metadata_from_json(json_t *json, struct iceberg_metadata **ret, struct err *err)
{
    struct iceberg_metadata *m = calloc(1, sizeof(*m));

    if (!m) {
        json_decref(json);
        return err_set(err, ERR_LIMIT, "no memory for table metadata");
    }
    m->refs = 1;
    m->json = json;
    arena_init(&m->arena, 0);
    int rc = json_is_object(json) ? parse(m, err) : corrupt(err, "not a JSON object");
    if (rc < 0) {
        iceberg_metadata_unref(m);
        return rc;
    }
    *ret = m;
    return 0;
}

/* write.metadata.compression-codec=gzip: the same text in a gzip stream. */
static int gunzip(struct str packed, struct buf *to, struct err *err)
{
    z_stream z = {.next_in = (unsigned char *)packed.p, .avail_in = (unsigned)packed.n};
    int rc = inflateInit2(&z, GZIP);

    if (rc != Z_OK)
        return err_set(err, ERR_INTERNAL, "inflate could not start: %d", rc);
    do {
        unsigned room = 64 << 10;
        char *p = buf_reserve(to, room);
        if (!p)
            break;
        z.next_out = (unsigned char *)p;
        z.avail_out = room;
        rc = inflate(&z, Z_NO_FLUSH);
        to->n += room - z.avail_out;
    } while (rc == Z_OK);
    inflateEnd(&z);
    if (to->failed)
        return buf_check(to, "Iceberg table metadata", err);
    return rc == Z_STREAM_END ? 0 : corrupt(err, "the gzip stream is damaged");
}

int iceberg_metadata_parse(struct str text, struct iceberg_metadata **ret, struct err *err)
{
    BUF_SCOPED struct buf plain;
    json_t *json;
    struct err why = {0};

    buf_init(&plain, METADATA_MAX);
    if (text.n > METADATA_MAX)
        return err_set(err, ERR_LIMIT, "Iceberg table metadata: %zu bytes, more than %d", text.n, METADATA_MAX);
    if (str_starts_with(text, STR("\x1f\x8b"))) {
        int rc = gunzip(text, &plain, err);
        if (rc < 0)
            return rc;
        text = buf_str(&plain);
    }
    if (json_parse(text, &json, &why) < 0)
        return err_set(err, ERR_CORRUPT, "Iceberg table metadata: %s", why.message);
    return iceberg_metadata_from_json(json, ret, err);
}

struct iceberg_metadata *iceberg_metadata_ref(struct iceberg_metadata *m)
{
    __atomic_add_fetch(&m->refs, 1, __ATOMIC_RELAXED);
    return m;
}

void iceberg_metadata_unref(struct iceberg_metadata *m)
{
    if (!m || __atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    json_decref(m->json);
    arena_release(&m->arena);
    free(m);
}

const struct iceberg_schema *iceberg_current_schema(const struct iceberg_metadata *m)
{
    for (size_t i = 0; i < m->schema_count; i++)
        if (m->schemas[i].id == m->current_schema_id)
            return &m->schemas[i];
    return NULL;
}

const struct iceberg_spec *iceberg_find_spec(const struct iceberg_metadata *m, int id)
{
    for (size_t i = 0; i < m->spec_count; i++)
        if (m->specs[i].id == id)
            return &m->specs[i];
    return NULL;
}

const struct iceberg_spec *iceberg_default_spec(const struct iceberg_metadata *m)
{
    return iceberg_find_spec(m, m->default_spec_id);
}

const struct iceberg_snapshot *iceberg_find_snapshot(const struct iceberg_metadata *m, int64_t id)
{
    for (size_t i = 0; i < m->snapshot_count; i++)
        if (m->snapshots[i].id == id)
            return &m->snapshots[i];
    return NULL;
}

const struct iceberg_snapshot *iceberg_current_snapshot(const struct iceberg_metadata *m)
{
    return m->current_snapshot_id == -1 ? NULL : iceberg_find_snapshot(m, m->current_snapshot_id);
}

struct str iceberg_property(const struct iceberg_metadata *m, const char *name)
{
    return json_opt_str(json_object_get(m->json, "properties"), name, STR_NULL);
}

/* In the current schema; else, for a column that was dropped, in any. */
const struct iceberg_field *iceberg_find_column(const struct iceberg_metadata *m, int field_id)
{
    const struct iceberg_field *f = iceberg_schema_find(iceberg_current_schema(m), field_id);

    for (size_t i = m->schema_count; !f && i-- > 0;)
        f = iceberg_schema_find(&m->schemas[i], field_id);
    return f;
}
