/*
 * Manifests, written: version 2, field for field as iceberg-core 1.9.1 writes them. The header has the table's schema and
 * the partition spec in JSON, which readers without the table's metadata go by.
 */
#include "iceberg/manifest.h"

#include "avro/avro.h"
#include "base/vec.h"
#include "iceberg/metadata.h"
#include "iceberg/schema.h"
#include "iceberg/transform.h"

enum { SCHEMA_MAX = 4 << 20 };

/* ---- the Avro schema ---- */

/* The fewest bytes that hold any decimal of that precision. */
static size_t decimal_size(int precision)
{
    unsigned __int128 max = 1;
    size_t n = 1;

    for (int i = 0; i < precision; i++)
        max *= 10;
    while (n < 16 && (max - 1) >> (8 * n - 1))
        n++;
    return n;
}

/* Avro's names are [A-Za-z_][A-Za-z0-9_]*: others are replaced as AvroSchemaUtil.sanitize does; true when it was. */
static bool sanitize(struct buf *to, struct str name)
{
    bool changed = false;

    for (size_t i = 0; i < name.n;) {
        size_t start = i;
        uint32_t rune = str_next_rune(name, &i);
        bool letter = (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z') || rune == '_';
        bool digit = rune >= '0' && rune <= '9';
        if (letter || (digit && start > 0)) {
            buf_add_char(to, (char)rune);
            continue;
        }
        changed = true;
        if (digit)
            buf_addf(to, "_%c", (char)rune);
        else
            buf_addf(to, "_x%X", rune);
    }
    return changed;
}

/* A fixed type is defined once and then named. */
static void add_fixed(struct json_writer *w, struct buf *defined, struct str name, size_t size, const char *logical,
                      const struct iceberg_type *t)
{
    char key[64];
    int n = snprintf(key, sizeof(key), " %.*s ", STR_ARG(name));

    if (str_find(buf_str(defined), str_from(key, (size_t)n), 0) != SIZE_MAX) {
        json_add_str(w, name);
        return;
    }
    buf_append(defined, key, (size_t)n);
    json_open_object(w);
    json_key(w, "type");
    json_add_cstr(w, "fixed");
    json_key(w, "name");
    json_add_str(w, name);
    json_key(w, "size");
    json_add_i64(w, (int64_t)size);
    if (logical) {
        json_key(w, "logicalType");
        json_add_cstr(w, logical);
    }
    if (t->kind == ICEBERG_DECIMAL) {
        json_key(w, "precision");
        json_add_i64(w, t->precision);
        json_key(w, "scale");
        json_add_i64(w, t->scale);
    }
    json_close_object(w);
}

static void add_logical(struct json_writer *w, const char *type, const char *logical, int adjust)
{
    json_open_object(w);
    json_key(w, "type");
    json_add_cstr(w, type);
    json_key(w, "logicalType");
    json_add_cstr(w, logical);
    if (adjust >= 0) {
        json_key(w, "adjust-to-utc");
        json_add_bool(w, adjust);
    }
    json_close_object(w);
}

static void add_avro_type(struct json_writer *w, struct buf *defined, const struct iceberg_type *t)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;

    switch (t->kind) {
    case ICEBERG_BOOLEAN:
    case ICEBERG_INT:
    case ICEBERG_LONG:
    case ICEBERG_FLOAT:
    case ICEBERG_DOUBLE:
    case ICEBERG_STRING:
        json_add_str(w, iceberg_type_name(&a, t));
        break;
    case ICEBERG_DATE:
        add_logical(w, "int", "date", -1);
        break;
    case ICEBERG_TIME:
        add_logical(w, "long", "time-micros", -1);
        break;
    case ICEBERG_TIMESTAMP:
    case ICEBERG_TIMESTAMPTZ:
        add_logical(w, "long", "timestamp-micros", t->kind == ICEBERG_TIMESTAMPTZ);
        break;
    case ICEBERG_UUID:
        add_fixed(w, defined, STR("uuid_fixed"), 16, "uuid", t);
        break;
    case ICEBERG_FIXED:
        add_fixed(w, defined, arena_printf(&a, "fixed_%d", t->length), (size_t)t->length, NULL, t);
        break;
    case ICEBERG_DECIMAL:
        add_fixed(w, defined, arena_printf(&a, "decimal_%d_%d", t->precision, t->scale), decimal_size(t->precision),
                  "decimal", t);
        break;
    case ICEBERG_BINARY:
    case ICEBERG_STRUCT:
    case ICEBERG_LIST:
    case ICEBERG_MAP:
        json_add_cstr(w, "bytes");
        break;
    }
}

static void add_partition_schema(struct json_writer *w, const struct iceberg_spec *spec,
                                 const struct iceberg_type *const *types)
{
    BUF_SCOPED struct buf defined;
    BUF_SCOPED struct buf name;

    buf_init(&defined, 1 << 16);
    buf_init(&name, 1 << 16);
    json_open_object(w);
    json_key(w, "type");
    json_add_cstr(w, "record");
    json_key(w, "name");
    json_add_cstr(w, "r102");
    json_key(w, "fields");
    json_open_array(w);
    for (size_t i = 0; i < spec->field_count; i++) {
        const struct iceberg_partition_field *f = &spec->fields[i];
        buf_reset(&name);
        bool changed = sanitize(&name, f->name);
        json_open_object(w);
        json_key(w, "name");
        json_add_str(w, buf_str(&name));
        json_key(w, "type");
        json_open_array(w);
        json_add_cstr(w, "null");
        add_avro_type(w, &defined, types[i]);
        json_close_array(w);
        json_key(w, "default");
        json_add_null(w);
        if (changed) {
            json_key(w, "iceberg-field-name");
            json_add_str(w, f->name);
        }
        json_key(w, "field-id");
        json_add_i64(w, f->field_id);
        json_close_object(w);
    }
    json_close_array(w);
    json_close_object(w);
}

#define MAP_OF(name, key, value, type, doc, id)                                                                      \
    "{\"name\":\"" name "\",\"type\":[\"null\",{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"k" key  \
    "_v" value "\",\"fields\":[{\"name\":\"key\",\"type\":\"int\",\"field-id\":" key                                 \
    "},{\"name\":\"value\",\"type\":\"" type "\",\"field-id\":" value "}]},\"logicalType\":\"map\"}],\"doc\":\"" doc \
    "\",\"default\":null,\"field-id\":" id "},"

static const char before_partition[] =
    "{\"type\":\"record\",\"name\":\"manifest_entry\",\"fields\":["
    "{\"name\":\"status\",\"type\":\"int\",\"field-id\":0},"
    "{\"name\":\"snapshot_id\",\"type\":[\"null\",\"long\"],\"default\":null,\"field-id\":1},"
    "{\"name\":\"sequence_number\",\"type\":[\"null\",\"long\"],\"default\":null,\"field-id\":3},"
    "{\"name\":\"file_sequence_number\",\"type\":[\"null\",\"long\"],\"default\":null,\"field-id\":4},"
    "{\"name\":\"data_file\",\"type\":{\"type\":\"record\",\"name\":\"r2\",\"fields\":["
    "{\"name\":\"content\",\"type\":\"int\",\"doc\":\"Contents of the file: 0=data, 1=position deletes, 2=equality "
    "deletes\",\"field-id\":134},"
    "{\"name\":\"file_path\",\"type\":\"string\",\"doc\":\"Location URI with FS scheme\",\"field-id\":100},"
    "{\"name\":\"file_format\",\"type\":\"string\",\"doc\":\"File format name: avro, orc, or parquet\","
    "\"field-id\":101},"
    "{\"name\":\"partition\",\"type\":";
static const char after_partition[] =
    ",\"doc\":\"Partition data tuple, schema based on the partition spec\",\"field-id\":102},"
    "{\"name\":\"record_count\",\"type\":\"long\",\"doc\":\"Number of records in the file\",\"field-id\":103},"
    "{\"name\":\"file_size_in_bytes\",\"type\":\"long\",\"doc\":\"Total file size in bytes\",\"field-id\":104}," MAP_OF(
        "column_sizes", "117", "118", "long", "Map of column id to total size on disk",
        "108") MAP_OF("value_counts", "119", "120", "long", "Map of column id to total count, including null and NaN",
                      "109") MAP_OF("null_value_counts", "121", "122", "long", "Map of column id to null value count",
                                    "110") MAP_OF("nan_value_counts", "138", "139", "long",
                                                  "Map of column id to number of NaN values in the column", "137")
        MAP_OF("lower_bounds", "126", "127", "bytes", "Map of column id to lower bound", "125") MAP_OF(
            "upper_bounds", "129", "130", "bytes", "Map of column id to upper bound",
            "128") "{\"name\":\"key_metadata\",\"type\":[\"null\",\"bytes\"],\"doc\":\"Encryption key metadata blob\","
                   "\"default\":null,\"field-id\":131},"
                   "{\"name\":\"split_offsets\",\"type\":[\"null\",{\"type\":\"array\",\"items\":\"long\",\"element-"
                   "id\":133}],"
                   "\"doc\":\"Splittable offsets\",\"default\":null,\"field-id\":132},"
                   "{\"name\":\"equality_ids\",\"type\":[\"null\",{\"type\":\"array\",\"items\":\"int\",\"element-id\":"
                   "136}],"
                   "\"doc\":\"Equality comparison field IDs\",\"default\":null,\"field-id\":135},"
                   "{\"name\":\"sort_order_id\",\"type\":[\"null\",\"int\"],\"doc\":\"Sort order ID\",\"default\":null,"
                   "\"field-id\":140},"
                   "{\"name\":\"referenced_data_file\",\"type\":[\"null\",\"string\"],\"doc\":\"Fully qualified "
                   "location (URI with FS "
                   "scheme) of a data file that all deletes "
                   "reference\",\"default\":null,\"field-id\":143}]},\"field-id\":2}]}";

/* ---- entries ---- */

static void put_optional(struct avro_writer *w, struct str v)
{
    avro_put_long(w, str_is_null(v) ? 0 : 1);
    if (!str_is_null(v))
        avro_put_bytes(w, v);
}

static void put_counts(struct avro_writer *w, const struct iceberg_counts *c)
{
    avro_put_long(w, c->items ? 1 : 0);
    if (!c->items)
        return;
    if (c->n)
        avro_put_long(w, (int64_t)c->n);
    for (size_t i = 0; i < c->n; i++) {
        avro_put_long(w, c->items[i].field_id);
        avro_put_long(w, c->items[i].n);
    }
    avro_put_long(w, 0);
}

static void put_bounds(struct avro_writer *w, const struct iceberg_bounds *b)
{
    avro_put_long(w, b->items ? 1 : 0);
    if (!b->items)
        return;
    if (b->n)
        avro_put_long(w, (int64_t)b->n);
    for (size_t i = 0; i < b->n; i++) {
        avro_put_long(w, b->items[i].field_id);
        avro_put_bytes(w, b->items[i].bytes);
    }
    avro_put_long(w, 0);
}

static void put_partition_value(struct avro_writer *w, const struct iceberg_type *t, const struct iceberg_value *v)
{
    char bytes[16];
    size_t n;

    avro_put_long(w, v->is_null ? 0 : 1);
    if (v->is_null)
        return;
    switch (t->kind) {
    case ICEBERG_BOOLEAN:
        avro_put_boolean(w, v->i != 0);
        break;
    case ICEBERG_FLOAT:
        avro_put_float(w, (float)v->f);
        break;
    case ICEBERG_DOUBLE:
        avro_put_double(w, v->f);
        break;
    case ICEBERG_DECIMAL:
        n = decimal_size(t->precision);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)((unsigned __int128)v->unscaled >> (8 * (n - 1 - i)));
        avro_put_fixed(w, str_from(bytes, n));
        break;
    case ICEBERG_UUID:
    case ICEBERG_FIXED:
        avro_put_fixed(w, v->bytes);
        break;
    case ICEBERG_STRING:
    case ICEBERG_BINARY:
        avro_put_bytes(w, v->bytes);
        break;
    default:
        avro_put_long(w, v->i);
    }
}

static void put_entry(struct avro_writer *w, const struct iceberg_spec *spec, const struct iceberg_type *const *types,
                      const struct iceberg_entry *e, int64_t snapshot_id)
{
    const struct iceberg_data_file *f = &e->file;
    bool inherits = e->status == ICEBERG_ADDED && e->snapshot_id == snapshot_id;

    avro_put_long(w, e->status);
    avro_put_long(w, 1);
    avro_put_long(w, e->snapshot_id);
    avro_put_long(w, inherits ? 0 : 1);
    if (!inherits)
        avro_put_long(w, f->sequence_number);
    avro_put_long(w, inherits ? 0 : 1);
    if (!inherits)
        avro_put_long(w, f->file_sequence_number);
    avro_put_long(w, f->content);
    avro_put_bytes(w, f->path);
    avro_put_bytes(w, f->format);
    for (size_t i = 0; i < spec->field_count; i++)
        put_partition_value(w, types[i], &f->partition[i]);
    avro_put_long(w, f->record_count);
    avro_put_long(w, f->file_size);
    put_counts(w, &e->column_sizes);
    put_counts(w, &e->value_counts);
    put_counts(w, &e->null_counts);
    put_counts(w, &e->nan_counts);
    put_bounds(w, &e->lower);
    put_bounds(w, &e->upper);
    put_optional(w, e->key_metadata);
    avro_put_long(w, e->split_offsets ? 1 : 0);
    if (e->split_offsets) {
        if (e->split_count)
            avro_put_long(w, (int64_t)e->split_count);
        for (size_t i = 0; i < e->split_count; i++)
            avro_put_long(w, e->split_offsets[i]);
        avro_put_long(w, 0);
    }
    avro_put_long(w, f->equality_count ? 1 : 0);
    if (f->equality_count) {
        avro_put_long(w, (int64_t)f->equality_count);
        for (size_t i = 0; i < f->equality_count; i++)
            avro_put_long(w, f->equality_ids[i]);
        avro_put_long(w, 0);
    }
    avro_put_long(w, e->sort_order_id < 0 ? 0 : 1);
    if (e->sort_order_id >= 0)
        avro_put_long(w, e->sort_order_id);
    put_optional(w, e->referenced_data_file);
    avro_end_record(w);
}

/* ---- what the manifest list tells ---- */

static struct str encode(struct arena *a, const struct iceberg_type *t, const struct iceberg_value *v)
{
    BUF_SCOPED struct buf b;

    buf_init(&b, 64 << 20);
    iceberg_value_encode(&b, t, v);
    return arena_str(a, buf_str(&b));
}

static bool is_nan(const struct iceberg_type *t, const struct iceberg_value *v)
{
    return (t->kind == ICEBERG_FLOAT || t->kind == ICEBERG_DOUBLE) && v->f != v->f;
}

static void summarize(struct arena *a, const struct iceberg_type *t, size_t field,
                      const struct iceberg_entry *const *entries, size_t n, struct iceberg_summary *ret)
{
    const struct iceberg_value *lower = NULL, *upper = NULL;

    *ret = (struct iceberg_summary){0};
    for (size_t i = 0; i < n; i++) {
        const struct iceberg_value *v = &entries[i]->file.partition[field];
        if (v->is_null) {
            ret->contains_null = true;
        } else if (is_nan(t, v)) {
            ret->contains_nan = 1;
        } else {
            if (!lower || iceberg_value_compare(t, v, lower) < 0)
                lower = v;
            if (!upper || iceberg_value_compare(t, v, upper) > 0)
                upper = v;
        }
    }
    if (lower)
        ret->lower = encode(a, t, lower);
    if (upper)
        ret->upper = encode(a, t, upper);
}

static void count(struct iceberg_manifest_file *f, const struct iceberg_entry *e, int64_t sequence_number)
{
    int64_t *files = e->status == ICEBERG_ADDED      ? &f->added_files
                     : e->status == ICEBERG_EXISTING ? &f->existing_files
                                                     : &f->deleted_files;
    int64_t *rows = e->status == ICEBERG_ADDED      ? &f->added_rows
                    : e->status == ICEBERG_EXISTING ? &f->existing_rows
                                                    : &f->deleted_rows;
    ++*files;
    *rows += e->file.record_count;
    /* Files that are gone don't hold the lowest number down; added ones get the snapshot's. */
    int64_t sequence = e->status == ICEBERG_EXISTING ? e->file.sequence_number : sequence_number;
    if (e->status != ICEBERG_DELETED && sequence < f->min_sequence_number)
        f->min_sequence_number = sequence;
}

static struct str current_schema_json(struct arena *a, const struct iceberg_metadata *m)
{
    const json_t *list = json_object_get(m->json, "schemas");
    const json_t *schema = json_object_get(m->json, "schema");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_opt_i64(json_array_get(list, i), "schema-id", 0) == m->current_schema_id)
            schema = json_array_get(list, i);
    char *text = json_dumps(schema, JSON_COMPACT);
    struct str copy = arena_str(a, str_from_cstr(text));
    free(text);
    return copy;
}

static int partition_types(struct arena *a, const struct iceberg_metadata *m, const struct iceberg_spec *spec,
                           const struct iceberg_type ***ret, struct err *err)
{
    static const struct iceberg_type unknown = {.kind = ICEBERG_STRING};
    const struct iceberg_type **types = arena_array(a, const struct iceberg_type *, spec->field_count);

    for (size_t i = 0; i < spec->field_count; i++) {
        const struct iceberg_field *source = iceberg_find_column(m, spec->fields[i].source_id);
        if (spec->fields[i].transform == ICEBERG_UNKNOWN_TRANSFORM)
            return err_set(err, ERR_UNSUPPORTED,
                           "Iceberg: writing is not supported where a partition field (%.*s) has a transform that "
                           "this version doesn't know",
                           STR_ARG(spec->fields[i].name));
        types[i] = iceberg_transform_type(a, &spec->fields[i], source ? source->type : &unknown);
        if (types[i] == &unknown && spec->fields[i].transform != ICEBERG_VOID)
            return err_set(err, ERR_UNSUPPORTED,
                           "Iceberg: the column behind partition field %.*s is in no schema any more",
                           STR_ARG(spec->fields[i].name));
    }
    *ret = types;
    return 0;
}

int iceberg_manifest_write(struct arena *a, const struct iceberg_metadata *m, const struct iceberg_spec *spec,
                           int content, const struct iceberg_entry *const *entries, size_t n, int64_t snapshot_id,
                           int64_t sequence_number, struct buf *to, struct iceberg_manifest_file *ret, struct err *err)
{
    BUF_SCOPED struct buf schema;
    BUF_SCOPED struct buf fields;
    struct json_writer w;
    struct avro_writer *avro;
    const struct iceberg_type **types;
    size_t start = to->n;
    int rc = partition_types(a, m, spec, &types, err);

    buf_init(&schema, SCHEMA_MAX);
    buf_init(&fields, SCHEMA_MAX);
    if (rc < 0)
        return rc;
    buf_add_cstr(&schema, before_partition);
    json_writer_init(&w, &schema);
    add_partition_schema(&w, spec, types);
    buf_add_cstr(&schema, after_partition);
    json_writer_init(&w, &fields);
    iceberg_spec_write_fields(&w, spec);
    if ((rc = buf_check(&schema, "a manifest's schema", err)) < 0 ||
        (rc = buf_check(&fields, "a partition spec", err)) < 0)
        return rc;
    const struct avro_meta meta[] = {
        {"schema", current_schema_json(a, m)}, {"schema-id", arena_printf(a, "%d", m->current_schema_id)},
        {"partition-spec", buf_str(&fields)},  {"partition-spec-id", arena_printf(a, "%d", spec->id)},
        {"format-version", STR("2")},          {"content", content ? STR("deletes") : STR("data")},
    };
    if ((rc = avro_writer_new(to, buf_str(&schema), meta, ARRAY_LEN(meta), &avro, err)) < 0)
        return rc;
    struct iceberg_manifest_file f = {.spec_id = spec->id,
                                      .content = content,
                                      .sequence_number = sequence_number,
                                      .min_sequence_number = sequence_number,
                                      .snapshot_id = snapshot_id};
    for (size_t i = 0; i < n; i++) {
        put_entry(avro, spec, types, entries[i], snapshot_id);
        count(&f, entries[i], sequence_number);
    }
    if ((rc = avro_writer_finish(avro, err)) < 0)
        return rc;
    f.length = (int64_t)(to->n - start);
    f.summaries = arena_array(a, struct iceberg_summary, spec->field_count);
    f.summary_count = spec->field_count;
    for (size_t i = 0; i < spec->field_count; i++)
        summarize(a, types[i], i, entries, n, &f.summaries[i]);
    *ret = f;
    return 0;
}
