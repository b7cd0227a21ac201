/* A new table: metadata in version 2; with one snapshot from the start, as Trino makes it, or none, for update.c. */
#include "iceberg/ops/commit.h"

#include "base/clock.h"
#include "iceberg/schema.h"
#include "iceberg/transform.h"

enum { SCHEMA_MAX = 4 << 20, FIRST_PARTITION_ID = 1000, SCHEMA_DEPTH_MAX = 16 };

struct create {
    const struct iceberg_new_file *files;
    size_t n;
};

static int depth_of(const struct iceberg_field *fields, size_t n)
{
    int deepest = 0;

    for (size_t i = 0; i < n; i++) {
        int depth = 1 + depth_of(fields[i].type->fields, fields[i].type->field_count);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

static void add_schema(struct json_writer *w, const struct iceberg_new_table *t)
{
    struct iceberg_schema schema = t->schema;

    schema.id = 0;
    json_key(w, "last-column-id");
    json_add_i64(w, iceberg_highest_id(schema.fields, schema.field_count));
    json_key(w, "current-schema-id");
    json_add_i64(w, 0);
    json_key(w, "schemas");
    json_open_array(w);
    iceberg_schema_write(w, &schema);
    json_close_array(w);
}

/* What PartitionSpec.Builder refuses: a name twice, and two partitions where the finer one makes the other idle. */
static int check_spec(struct arena *a, const struct iceberg_spec *spec, struct err *err)
{
    for (size_t i = 0; i < spec->field_count; i++) {
        const struct iceberg_partition_field *x = &spec->fields[i];
        bool x_is_time = x->transform >= ICEBERG_YEAR && x->transform <= ICEBERG_HOUR;
        for (size_t k = 0; k < i; k++) {
            const struct iceberg_partition_field *y = &spec->fields[k];
            bool y_is_time = y->transform >= ICEBERG_YEAR && y->transform <= ICEBERG_HOUR;
            if (str_eq(x->name, y->name))
                return err_set(err, ERR_INVALID, "Cannot use partition name more than once: %.*s", STR_ARG(x->name));
            if (x->source_id == y->source_id &&
                ((x_is_time && y_is_time) || (x->transform == y->transform && x->param == y->param)))
                return err_set(err, ERR_INVALID,
                               "Cannot add redundant partition: %d: %.*s: %.*s(%d) conflicts with %d: %.*s: %.*s(%d)",
                               FIRST_PARTITION_ID + (int)k, STR_ARG(y->name), STR_ARG(iceberg_transform_name(a, y)),
                               y->source_id, FIRST_PARTITION_ID + (int)i, STR_ARG(x->name),
                               STR_ARG(iceberg_transform_name(a, x)), x->source_id);
        }
    }
    return 0;
}

static void add_spec(struct json_writer *w, struct arena *a, const struct iceberg_new_table *t)
{
    struct iceberg_spec spec = {.field_count = t->spec.field_count};

    spec.fields = arena_array(a, struct iceberg_partition_field, spec.field_count);
    for (size_t i = 0; i < spec.field_count; i++) {
        spec.fields[i] = t->spec.fields[i];
        spec.fields[i].field_id = FIRST_PARTITION_ID + (int)i;
    }
    json_key(w, "default-spec-id");
    json_add_i64(w, 0);
    json_key(w, "partition-specs");
    json_open_array(w);
    json_open_object(w);
    json_key(w, "spec-id");
    json_add_i64(w, 0);
    json_key(w, "fields");
    iceberg_spec_write_fields(w, &spec);
    json_close_object(w);
    json_close_array(w);
    json_key(w, "last-partition-id");
    json_add_i64(w, FIRST_PARTITION_ID - 1 + (int64_t)spec.field_count);
}

static void add_empty_array(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_open_array(w);
    json_close_array(w);
}

/* The keys in TableMetadataParser's order. */
static void write_metadata(struct buf *to, struct arena *a, const struct iceberg_new_table *t)
{
    struct json_writer w;
    char uuid[UUID_TEXT_SIZE];

    uuid_v4(uuid);
    json_writer_init(&w, to);
    json_open_object(&w);
    json_key(&w, "format-version");
    json_add_i64(&w, 2);
    json_key(&w, "table-uuid");
    json_add_cstr(&w, uuid);
    json_key(&w, "location");
    json_add_str(&w, t->location);
    json_key(&w, "last-sequence-number");
    json_add_i64(&w, 0);
    json_key(&w, "last-updated-ms");
    json_add_i64(&w, clock_wall_ms());
    add_schema(&w, t);
    add_spec(&w, a, t);
    json_key(&w, "default-sort-order-id");
    json_add_i64(&w, 0);
    json_key(&w, "sort-orders");
    json_add_raw(&w, STR("[{\"order-id\":0,\"fields\":[]}]"));
    json_key(&w, "properties");
    json_open_object(&w);
    for (size_t i = 0; i < t->property_count; i++) {
        json_key_str(&w, t->property_names[i]);
        json_add_str(&w, t->property_values[i]);
    }
    json_close_object(&w);
    json_key(&w, "current-snapshot-id");
    json_add_i64(&w, -1);
    json_key(&w, "refs");
    json_open_object(&w);
    json_close_object(&w);
    add_empty_array(&w, "snapshots");
    add_empty_array(&w, "statistics");
    add_empty_array(&w, "partition-statistics");
    add_empty_array(&w, "snapshot-log");
    add_empty_array(&w, "metadata-log");
    json_close_object(&w);
}

static int apply(void *ctx, struct iceberg_change *c, struct err *err)
{
    const struct create *create = ctx;

    return iceberg_change_add_files(c, create->files, create->n, err);
}

int iceberg_new_metadata(struct arena *a, const struct iceberg_new_table *t, struct iceberg_metadata **ret,
                         struct err *err)
{
    BUF_SCOPED struct buf text;

    buf_init(&text, SCHEMA_MAX);
    if (depth_of(t->schema.fields, t->schema.field_count) > SCHEMA_DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "a column's type is nested deeper than %d", SCHEMA_DEPTH_MAX);
    int rc = check_spec(a, &t->spec, err);
    if (rc < 0)
        return rc;
    write_metadata(&text, a, t);
    rc = buf_check(&text, "the metadata of a new table", err);
    return rc < 0 ? rc : iceberg_metadata_parse(buf_str(&text), ret, err);
}

int iceberg_create_table(const struct iceberg_commit *c, struct arena *a, const struct iceberg_new_table *t,
                         const struct iceberg_new_file *files, size_t n, struct err *err)
{
    struct create create = {files, n};
    struct iceberg_metadata *m;
    int rc = iceberg_new_metadata(a, t, &m, err);

    return rc < 0 ? rc : iceberg_commit_new(c, m, apply, &create, err);
}
