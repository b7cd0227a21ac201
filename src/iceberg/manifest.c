/*
 * Manifests, read (specification: Manifests). Partition values are decoded by the file's own Avro schema, so that a
 * manifest stays readable whatever became of the column it is partitioned by.
 */
#include "iceberg/manifest.h"

#include "avro/avro.h"
#include "base/vec.h"
#include "iceberg/metadata.h"
#include "iceberg/schema.h"

enum { MANIFEST_MEMORY_MAX = 512 << 20 };

/* Field ids of manifest_entry and data_file. */
enum {
    STATUS = 0,
    SNAPSHOT_ID = 1,
    DATA_FILE = 2,
    SEQUENCE_NUMBER = 3,
    FILE_SEQUENCE_NUMBER = 4,
    FILE_PATH = 100,
    FILE_FORMAT = 101,
    PARTITION = 102,
    RECORD_COUNT = 103,
    FILE_SIZE = 104,
    COLUMN_SIZES = 108,
    VALUE_COUNTS = 109,
    NULL_COUNTS = 110,
    LOWER_BOUNDS = 125,
    UPPER_BOUNDS = 128,
    KEY_METADATA = 131,
    SPLIT_OFFSETS = 132,
    CONTENT = 134,
    EQUALITY_IDS = 135,
    NAN_COUNTS = 137,
    SORT_ORDER_ID = 140,
    REFERENCED_DATA_FILE = 143,
};

struct reading {
    struct arena *arena;
    const struct iceberg_manifest_file *in;
    const struct iceberg_spec *spec;
    const struct avro_schema *file;      /* of data_file */
    const struct avro_schema *partition; /* of its partition; NULL: none */
    struct err *err;
};

static const struct avro_schema *field_schema(const struct avro_schema *s, int id)
{
    for (size_t i = 0; s && i < s->field_count; i++) {
        if (s->fields[i].field_id != id)
            continue;
        s = s->fields[i].schema;
        for (size_t k = 0; s->kind == AVRO_UNION && k < s->field_count; k++)
            if (s->fields[k].schema->kind != AVRO_NULL)
                return s->fields[k].schema;
        return s;
    }
    return NULL;
}

static int64_t opt_int(const struct avro_schema *s, const struct avro_value *v, int id, int64_t fallback)
{
    const struct avro_value *f = avro_by_id(s, v, id);

    return f && (f->kind == AVRO_INT || f->kind == AVRO_LONG) ? f->i : fallback;
}

static bool is_bytes(const struct avro_value *v)
{
    return v && (v->kind == AVRO_BYTES || v->kind == AVRO_STRING || v->kind == AVRO_FIXED);
}

static int copy_bytes(struct reading *r, const struct avro_value *record, int id, struct str *ret)
{
    const struct avro_value *v = avro_by_id(r->file, record, id);

    *ret = STR_NULL;
    return is_bytes(v) ? iceberg_copy_str(r->arena, v->bytes, ret, r->err) : 0;
}

static int broken(struct reading *r, const char *what)
{
    return err_set(r->err, ERR_CORRUPT, "Iceberg manifest: %s", what);
}

/* Maps with integer keys are arrays of {key, value} records (specification: Appendix A). */
static const struct avro_value *map_item(const struct avro_value *map, size_t i, int64_t *ret_key)
{
    const struct avro_value *item = &map->list.items[i];

    if (item->kind != AVRO_RECORD || item->list.n != 2 || item->list.items[0].kind != AVRO_INT ||
        item->list.items[0].i < INT32_MIN || item->list.items[0].i > INT32_MAX)
        return NULL;
    *ret_key = item->list.items[0].i;
    return &item->list.items[1];
}

static int compare_counts(const void *x, const void *y)
{
    int a = ((const struct iceberg_count *)x)->field_id, b = ((const struct iceberg_count *)y)->field_id;

    return (a > b) - (a < b);
}

static int compare_bytes(const void *x, const void *y)
{
    int a = ((const struct iceberg_bytes *)x)->field_id, b = ((const struct iceberg_bytes *)y)->field_id;

    return (a > b) - (a < b);
}

static int read_counts(struct reading *r, const struct avro_value *record, int id, struct iceberg_counts *ret)
{
    const struct avro_value *map = avro_by_id(r->file, record, id);
    int rc;

    *ret = (struct iceberg_counts){0};
    if (!map)
        return 0;
    if (map->kind != AVRO_ARRAY)
        return broken(r, "counts of columns that aren't a map");
    if ((rc = iceberg_array(r->arena, struct iceberg_count, map->list.n, &ret->items, r->err)) < 0)
        return rc;
    for (size_t i = 0; i < map->list.n; i++) {
        int64_t key;
        const struct avro_value *v = map_item(map, i, &key);
        if (!v || (v->kind != AVRO_LONG && v->kind != AVRO_INT))
            return broken(r, "counts of columns that aren't a map from int to long");
        ret->items[i] = (struct iceberg_count){(int)key, v->i};
    }
    ret->n = map->list.n;
    qsort(ret->items, ret->n, sizeof(*ret->items), compare_counts);
    return 0;
}

static int read_bounds(struct reading *r, const struct avro_value *record, int id, struct iceberg_bounds *ret)
{
    const struct avro_value *map = avro_by_id(r->file, record, id);
    int rc;

    *ret = (struct iceberg_bounds){0};
    if (!map)
        return 0;
    if (map->kind != AVRO_ARRAY)
        return broken(r, "bounds of columns that aren't a map");
    if ((rc = iceberg_array(r->arena, struct iceberg_bytes, map->list.n, &ret->items, r->err)) < 0)
        return rc;
    for (size_t i = 0; i < map->list.n; i++) {
        int64_t key;
        const struct avro_value *v = map_item(map, i, &key);
        if (!is_bytes(v))
            return broken(r, "bounds of columns that aren't a map from int to binary");
        ret->items[i].field_id = (int)key;
        if ((rc = iceberg_copy_str(r->arena, v->bytes, &ret->items[i].bytes, r->err)) < 0)
            return rc;
    }
    ret->n = map->list.n;
    qsort(ret->items, ret->n, sizeof(*ret->items), compare_bytes);
    return 0;
}

int64_t iceberg_count_get(const struct iceberg_counts *c, int field_id)
{
    struct iceberg_count key = {field_id, 0};
    const struct iceberg_count *found = c->n ? bsearch(&key, c->items, c->n, sizeof(*c->items), compare_counts) : NULL;

    return found ? found->n : -1;
}

struct str iceberg_bound_get(const struct iceberg_bounds *b, int field_id)
{
    struct iceberg_bytes key = {field_id, STR_NULL};
    const struct iceberg_bytes *found = b->n ? bsearch(&key, b->items, b->n, sizeof(*b->items), compare_bytes) : NULL;

    return found ? found->bytes : STR_NULL;
}

static int read_longs(struct reading *r, const struct avro_value *record, int id, int64_t **ret, size_t *ret_n)
{
    const struct avro_value *list = avro_by_id(r->file, record, id);
    int rc;

    *ret = NULL;
    *ret_n = 0;
    if (!list)
        return 0;
    if (list->kind != AVRO_ARRAY)
        return broken(r, "split offsets or equality ids that aren't a list");
    if ((rc = iceberg_array(r->arena, int64_t, list->list.n, ret, r->err)) < 0)
        return rc;
    for (size_t i = 0; i < list->list.n; i++) {
        const struct avro_value *v = &list->list.items[i];
        if (v->kind != AVRO_INT && v->kind != AVRO_LONG)
            return broken(r, "split offsets or equality ids that aren't numbers");
        (*ret)[i] = v->i;
    }
    *ret_n = list->list.n;
    return 0;
}

static int read_partition_value(struct reading *r, const struct avro_schema *s, const struct avro_value *v,
                                struct iceberg_value *ret)
{
    struct iceberg_value x = {0};
    int rc;

    switch (v->kind) {
    case AVRO_NULL:
        x.is_null = true;
        break;
    case AVRO_BOOLEAN:
        x.i = v->boolean;
        break;
    case AVRO_INT:
    case AVRO_LONG:
        x.i = v->i;
        break;
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        x.f = v->f;
        break;
    case AVRO_BYTES:
    case AVRO_STRING:
    case AVRO_FIXED:
        if (s && str_eq_cstr(s->logical_type, "decimal")) {
            const struct iceberg_type decimal = {.kind = ICEBERG_DECIMAL};
            return iceberg_value_decode(&decimal, v->bytes, ret, r->err);
        }
        if ((rc = iceberg_copy_str(r->arena, v->bytes, &x.bytes, r->err)) < 0)
            return rc;
        break;
    default:
        return broken(r, "a partition value that isn't of a primitive type");
    }
    *ret = x;
    return 0;
}

static int read_partition(struct reading *r, const struct avro_value *record, struct iceberg_data_file *f)
{
    const struct avro_value *partition = avro_by_id(r->file, record, PARTITION);
    size_t n = r->spec->field_count;
    int rc = iceberg_array(r->arena, struct iceberg_value, n, &f->partition, r->err);

    f->partition_count = n;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        f->partition[i].is_null = true;
        if (!partition || partition->kind != AVRO_RECORD || !r->partition)
            continue;
        const struct avro_value *v = avro_by_id(r->partition, partition, r->spec->fields[i].field_id);
        if (v)
            rc = read_partition_value(r, field_schema(r->partition, r->spec->fields[i].field_id), v, &f->partition[i]);
    }
    return rc;
}

static int read_data_file(struct reading *r, const struct avro_value *v, struct iceberg_entry *e)
{
    struct iceberg_data_file *f = &e->file;
    int64_t *ids;
    int rc;

    f->content = (int)opt_int(r->file, v, CONTENT, 0);
    f->record_count = opt_int(r->file, v, RECORD_COUNT, -1);
    f->file_size = opt_int(r->file, v, FILE_SIZE, -1);
    f->spec_id = r->spec->id;
    e->sort_order_id = (int)opt_int(r->file, v, SORT_ORDER_ID, -1);
    if ((rc = copy_bytes(r, v, FILE_PATH, &f->path)) < 0 || (rc = copy_bytes(r, v, FILE_FORMAT, &f->format)) < 0 ||
        (rc = copy_bytes(r, v, KEY_METADATA, &e->key_metadata)) < 0 ||
        (rc = copy_bytes(r, v, REFERENCED_DATA_FILE, &e->referenced_data_file)) < 0 ||
        (rc = read_partition(r, v, f)) < 0 || (rc = read_counts(r, v, COLUMN_SIZES, &e->column_sizes)) < 0 ||
        (rc = read_counts(r, v, VALUE_COUNTS, &e->value_counts)) < 0 ||
        (rc = read_counts(r, v, NULL_COUNTS, &e->null_counts)) < 0 ||
        (rc = read_counts(r, v, NAN_COUNTS, &e->nan_counts)) < 0 ||
        (rc = read_bounds(r, v, LOWER_BOUNDS, &e->lower)) < 0 ||
        (rc = read_bounds(r, v, UPPER_BOUNDS, &e->upper)) < 0 ||
        (rc = read_longs(r, v, SPLIT_OFFSETS, &e->split_offsets, &e->split_count)) < 0 ||
        (rc = read_longs(r, v, EQUALITY_IDS, &ids, &f->equality_count)) < 0 ||
        (rc = iceberg_array(r->arena, int, f->equality_count, &f->equality_ids, r->err)) < 0)
        return rc;
    for (size_t i = 0; i < f->equality_count; i++)
        f->equality_ids[i] = (int)ids[i];
    if (str_is_empty(f->path) || f->record_count < 0 || f->file_size < 0)
        return broken(r, "a data file without a path, a record count or a size");
    if (f->content < ICEBERG_DATA || f->content > ICEBERG_EQUALITY_DELETES)
        return err_set(r->err, ERR_UNSUPPORTED, "Iceberg manifest: file content %d is not supported", f->content);
    return 0;
}

/* Version 2 inherits what is null from the manifest list (specification: Sequence Number Inheritance): sequence numbers
 * only for added files. Version 1 has none: all are 0. */
static int read_entry(struct reading *r, const struct avro_schema *s, const struct avro_value *v,
                      struct iceberg_entry *e)
{
    const struct avro_value *file = avro_by_id(s, v, DATA_FILE);
    int64_t inherited;

    *e = (struct iceberg_entry){.status = (int)opt_int(s, v, STATUS, -1)};
    if (e->status < ICEBERG_EXISTING || e->status > ICEBERG_DELETED)
        return broken(r, "an entry whose status isn't 0, 1 or 2");
    if (!file || file->kind != AVRO_RECORD)
        return broken(r, "an entry without a data file");
    inherited = e->status == ICEBERG_ADDED ? r->in->sequence_number : 0;
    e->snapshot_id = opt_int(s, v, SNAPSHOT_ID, r->in->snapshot_id);
    e->file.sequence_number = opt_int(s, v, SEQUENCE_NUMBER, inherited);
    e->file.file_sequence_number = opt_int(s, v, FILE_SEQUENCE_NUMBER, inherited);
    return read_data_file(r, file, e);
}

static int read_entries(struct iceberg_manifest *m, struct str file, struct reading *r, struct err *err)
{
    ARENA_SCOPED struct arena scratch = ARENA_INIT;
    VEC(struct iceberg_entry) entries = {0};
    struct avro_reader *avro;
    const struct avro_value *v;
    int rc = avro_reader_new(&scratch, file, &avro, err);

    if (rc < 0)
        return rc;
    const struct avro_schema *s = avro_reader_schema(avro);
    r->file = field_schema(s, DATA_FILE);
    r->partition = field_schema(r->file, PARTITION);
    if (!r->file || r->file->kind != AVRO_RECORD)
        rc = broken(r, "the schema has no data_file record");
    else if (r->partition && r->partition->kind != AVRO_RECORD)
        rc = broken(r, "the schema's partition isn't a record");
    while (rc == 0 && (rc = avro_reader_next(avro, &v, err)) == 1) {
        struct iceberg_entry e;
        if (entries.n == MANIFEST_MEMORY_MAX / sizeof(e))
            rc = err_set(err, ERR_LIMIT, "Iceberg manifest: more than %zu entries", entries.n);
        else
            rc = read_entry(r, s, v, &e);
        if (rc == 0)
            vec_push(&entries, e);
    }
    avro_reader_free(avro);
    if (rc == 0)
        rc = iceberg_array(&m->arena, struct iceberg_entry, entries.n, &m->entries, err);
    if (rc == 0 && entries.n) {
        memcpy(m->entries, entries.items, entries.n * sizeof(*entries.items));
        m->n = entries.n;
    }
    vec_release(&entries);
    return rc;
}

int iceberg_manifest_parse(struct str file, const struct iceberg_manifest_file *in, const struct iceberg_metadata *meta,
                           struct iceberg_manifest **ret, struct err *err)
{
    const struct iceberg_spec *spec = iceberg_find_spec(meta, in->spec_id);

    if (!spec)
        return err_set(err, ERR_CORRUPT, "Iceberg manifest: partition spec %d isn't in the table's metadata",
                       in->spec_id);
    if (!str_is_null(in->key_metadata))
        return err_set(err, ERR_UNSUPPORTED, "Iceberg table encryption is not supported");
    struct iceberg_manifest *m = calloc(1, sizeof(*m));
    if (!m)
        return err_set(err, ERR_LIMIT, "no memory for a manifest");
    m->refs = 1;
    arena_init(&m->arena, MANIFEST_MEMORY_MAX);
    struct reading r = {.arena = &m->arena, .in = in, .spec = spec, .err = err};
    int rc = read_entries(m, file, &r, err);
    if (rc < 0) {
        iceberg_manifest_unref(m);
        return rc;
    }
    *ret = m;
    return 0;
}

void iceberg_manifest_unref(struct iceberg_manifest *m)
{
    if (!m || __atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    arena_release(&m->arena);
    free(m);
}
