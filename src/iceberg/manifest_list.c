/* Manifest lists, both ways (specification: Manifest Lists); versions 1 and 2 are read, 2 is written. */
#include "iceberg/manifest.h"

#include "avro/avro.h"
#include "base/vec.h"
#include "iceberg/schema.h"

enum { LIST_MEMORY_MAX = 256 << 20 };

/* Field ids of manifest_file. */
enum {
    PATH = 500,
    LENGTH = 501,
    SPEC_ID = 502,
    SNAPSHOT_ID = 503,
    ADDED_FILES = 504,
    EXISTING_FILES = 505,
    DELETED_FILES = 506,
    PARTITIONS = 507,
    CONTAINS_NULL = 509,
    LOWER = 510,
    UPPER = 511,
    ADDED_ROWS = 512,
    EXISTING_ROWS = 513,
    DELETED_ROWS = 514,
    SEQUENCE_NUMBER = 515,
    MIN_SEQUENCE_NUMBER = 516,
    CONTENT = 517,
    CONTAINS_NAN = 518,
    KEY_METADATA = 519,
};

static int64_t opt_int(const struct avro_schema *s, const struct avro_value *v, int id, int64_t fallback)
{
    const struct avro_value *f = avro_by_id(s, v, id);

    return f && (f->kind == AVRO_INT || f->kind == AVRO_LONG) ? f->i : fallback;
}

static int copy_bytes(struct arena *a, const struct avro_schema *s, const struct avro_value *v, int id, struct str *ret,
                      struct err *err)
{
    const struct avro_value *f = avro_by_id(s, v, id);

    if (!f || (f->kind != AVRO_BYTES && f->kind != AVRO_STRING && f->kind != AVRO_FIXED)) {
        *ret = STR_NULL;
        return 0;
    }
    return iceberg_copy_str(a, f->bytes, ret, err);
}

static const struct avro_schema *field_schema(const struct avro_schema *s, int id)
{
    for (size_t i = 0; i < s->field_count; i++)
        if (s->fields[i].field_id == id)
            return s->fields[i].schema;
    return NULL;
}

/* Through an optional's union to the one branch that isn't null. */
static const struct avro_schema *without_null(const struct avro_schema *s)
{
    for (size_t i = 0; s && s->kind == AVRO_UNION && i < s->field_count; i++)
        if (s->fields[i].schema->kind != AVRO_NULL)
            return s->fields[i].schema;
    return s;
}

static int read_summaries(struct arena *a, const struct avro_schema *s, const struct avro_value *v,
                          struct iceberg_manifest_file *f, struct err *err)
{
    const struct avro_value *list = avro_by_id(s, v, PARTITIONS);
    const struct avro_schema *item = without_null(field_schema(s, PARTITIONS));
    int rc;

    if (!list || list->kind != AVRO_ARRAY || !item || item->kind != AVRO_ARRAY)
        return 0;
    item = without_null(item->element);
    if ((rc = iceberg_array(a, struct iceberg_summary, list->list.n, &f->summaries, err)) < 0)
        return rc;
    for (size_t i = 0; i < list->list.n; i++) {
        const struct avro_value *one = &list->list.items[i];
        struct iceberg_summary *to = &f->summaries[i];
        if (one->kind != AVRO_RECORD || item->kind != AVRO_RECORD)
            return err_set(err, ERR_CORRUPT, "Iceberg manifest list: a partition summary that isn't a record");
        const struct avro_value *null = avro_by_id(item, one, CONTAINS_NULL);
        const struct avro_value *nan = avro_by_id(item, one, CONTAINS_NAN);
        to->contains_null = !null || null->kind != AVRO_BOOLEAN || null->boolean;
        to->contains_nan = nan && nan->kind == AVRO_BOOLEAN ? nan->boolean : -1;
        if ((rc = copy_bytes(a, item, one, LOWER, &to->lower, err)) < 0 ||
            (rc = copy_bytes(a, item, one, UPPER, &to->upper, err)) < 0)
            return rc;
    }
    f->summary_count = list->list.n;
    return 0;
}

static int read_file(struct arena *a, const struct avro_schema *s, const struct avro_value *v,
                     struct iceberg_manifest_file *f, struct err *err)
{
    int rc;

    *f = (struct iceberg_manifest_file){
        .length = opt_int(s, v, LENGTH, -1),
        .spec_id = (int)opt_int(s, v, SPEC_ID, 0),
        .content = (int)opt_int(s, v, CONTENT, 0),
        .sequence_number = opt_int(s, v, SEQUENCE_NUMBER, 0),
        .min_sequence_number = opt_int(s, v, MIN_SEQUENCE_NUMBER, 0),
        .snapshot_id = opt_int(s, v, SNAPSHOT_ID, -1),
        .added_files = opt_int(s, v, ADDED_FILES, -1),
        .existing_files = opt_int(s, v, EXISTING_FILES, -1),
        .deleted_files = opt_int(s, v, DELETED_FILES, -1),
        .added_rows = opt_int(s, v, ADDED_ROWS, -1),
        .existing_rows = opt_int(s, v, EXISTING_ROWS, -1),
        .deleted_rows = opt_int(s, v, DELETED_ROWS, -1),
    };
    if ((rc = copy_bytes(a, s, v, PATH, &f->path, err)) < 0 ||
        (rc = copy_bytes(a, s, v, KEY_METADATA, &f->key_metadata, err)) < 0)
        return rc;
    if (str_is_empty(f->path))
        return err_set(err, ERR_CORRUPT, "Iceberg manifest list: a manifest without a path");
    if (f->content != 0 && f->content != 1)
        return err_set(err, ERR_UNSUPPORTED, "Iceberg manifest list: content %d is not supported", f->content);
    return read_summaries(a, s, v, f, err);
}

static int read_files(struct iceberg_manifest_list *l, struct str file, struct err *err)
{
    ARENA_SCOPED struct arena scratch = ARENA_INIT;
    VEC(struct iceberg_manifest_file) files = {0};
    struct avro_reader *r;
    const struct avro_value *v;
    int rc = avro_reader_new(&scratch, file, &r, err);

    if (rc < 0)
        return rc;
    while ((rc = avro_reader_next(r, &v, err)) == 1) {
        struct iceberg_manifest_file f;
        if (files.n == LIST_MEMORY_MAX / sizeof(f)) {
            rc = err_set(err, ERR_LIMIT, "Iceberg manifest list: more than %zu manifests", files.n);
            break;
        }
        if ((rc = read_file(&l->arena, avro_reader_schema(r), v, &f, err)) < 0)
            break;
        vec_push(&files, f);
    }
    avro_reader_free(r);
    if (rc == 0)
        rc = iceberg_array(&l->arena, struct iceberg_manifest_file, files.n, &l->files, err);
    if (rc == 0 && files.n) {
        memcpy(l->files, files.items, files.n * sizeof(*files.items));
        l->n = files.n;
    }
    vec_release(&files);
    return rc;
}

int iceberg_manifest_list_parse(struct str file, struct iceberg_manifest_list **ret, struct err *err)
{
    struct iceberg_manifest_list *l = calloc(1, sizeof(*l));

    if (!l)
        return err_set(err, ERR_LIMIT, "no memory for a manifest list");
    l->refs = 1;
    arena_init(&l->arena, LIST_MEMORY_MAX);
    int rc = read_files(l, file, err);
    if (rc < 0) {
        iceberg_manifest_list_unref(l);
        return rc;
    }
    *ret = l;
    return 0;
}

void iceberg_manifest_list_unref(struct iceberg_manifest_list *l)
{
    if (!l || __atomic_sub_fetch(&l->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    arena_release(&l->arena);
    free(l);
}

/* ---- writing ---- */

static const char list_schema[] =
    "{\"type\":\"record\",\"name\":\"manifest_file\",\"fields\":["
    "{\"name\":\"manifest_path\",\"type\":\"string\",\"doc\":\"Location URI with FS scheme\",\"field-id\":500},"
    "{\"name\":\"manifest_length\",\"type\":\"long\",\"doc\":\"Total file size in bytes\",\"field-id\":501},"
    "{\"name\":\"partition_spec_id\",\"type\":\"int\",\"doc\":\"Spec ID used to write\",\"field-id\":502},"
    "{\"name\":\"content\",\"type\":\"int\",\"doc\":\"Contents of the manifest: 0=data, 1=deletes\",\"field-id\":517},"
    "{\"name\":\"sequence_number\",\"type\":\"long\",\"doc\":\"Sequence number when the manifest was added\","
    "\"field-id\":515},"
    "{\"name\":\"min_sequence_number\",\"type\":\"long\",\"doc\":\"Lowest sequence number in the manifest\","
    "\"field-id\":516},"
    "{\"name\":\"added_snapshot_id\",\"type\":\"long\",\"doc\":\"Snapshot ID that added the manifest\","
    "\"field-id\":503},"
    "{\"name\":\"added_files_count\",\"type\":\"int\",\"doc\":\"Added entry count\",\"field-id\":504},"
    "{\"name\":\"existing_files_count\",\"type\":\"int\",\"doc\":\"Existing entry count\",\"field-id\":505},"
    "{\"name\":\"deleted_files_count\",\"type\":\"int\",\"doc\":\"Deleted entry count\",\"field-id\":506},"
    "{\"name\":\"added_rows_count\",\"type\":\"long\",\"doc\":\"Added rows count\",\"field-id\":512},"
    "{\"name\":\"existing_rows_count\",\"type\":\"long\",\"doc\":\"Existing rows count\",\"field-id\":513},"
    "{\"name\":\"deleted_rows_count\",\"type\":\"long\",\"doc\":\"Deleted rows count\",\"field-id\":514},"
    "{\"name\":\"partitions\",\"type\":[\"null\",{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"r508\","
    "\"fields\":["
    "{\"name\":\"contains_null\",\"type\":\"boolean\",\"doc\":\"True if any file has a null partition value\","
    "\"field-id\":509},"
    "{\"name\":\"contains_nan\",\"type\":[\"null\",\"boolean\"],\"doc\":\"True if any file has a nan partition value\","
    "\"default\":null,\"field-id\":518},"
    "{\"name\":\"lower_bound\",\"type\":[\"null\",\"bytes\"],\"doc\":\"Partition lower bound for all files\","
    "\"default\":null,\"field-id\":510},"
    "{\"name\":\"upper_bound\",\"type\":[\"null\",\"bytes\"],\"doc\":\"Partition upper bound for all files\","
    "\"default\":null,\"field-id\":511}]},\"element-id\":508}],\"doc\":\"Summary for each partition\","
    "\"default\":null,\"field-id\":507},"
    "{\"name\":\"key_metadata\",\"type\":[\"null\",\"bytes\"],\"doc\":\"Encryption key metadata blob\","
    "\"default\":null,\"field-id\":519}]}";

static void put_optional_bytes(struct avro_writer *w, struct str v)
{
    avro_put_long(w, str_is_null(v) ? 0 : 1);
    if (!str_is_null(v))
        avro_put_bytes(w, v);
}

static int64_t or_zero(int64_t n)
{
    return n < 0 ? 0 : n;
}

static void put_file(struct avro_writer *w, const struct iceberg_manifest_file *f)
{
    avro_put_bytes(w, f->path);
    avro_put_long(w, f->length);
    avro_put_long(w, f->spec_id);
    avro_put_long(w, f->content);
    avro_put_long(w, f->sequence_number);
    avro_put_long(w, f->min_sequence_number);
    avro_put_long(w, f->snapshot_id);
    avro_put_long(w, or_zero(f->added_files));
    avro_put_long(w, or_zero(f->existing_files));
    avro_put_long(w, or_zero(f->deleted_files));
    avro_put_long(w, or_zero(f->added_rows));
    avro_put_long(w, or_zero(f->existing_rows));
    avro_put_long(w, or_zero(f->deleted_rows));
    avro_put_long(w, 1);
    if (f->summary_count)
        avro_put_long(w, (int64_t)f->summary_count);
    for (size_t i = 0; i < f->summary_count; i++) {
        const struct iceberg_summary *s = &f->summaries[i];
        avro_put_boolean(w, s->contains_null);
        avro_put_long(w, s->contains_nan < 0 ? 0 : 1);
        if (s->contains_nan >= 0)
            avro_put_boolean(w, s->contains_nan);
        put_optional_bytes(w, s->lower);
        put_optional_bytes(w, s->upper);
    }
    avro_put_long(w, 0);
    put_optional_bytes(w, f->key_metadata);
    avro_end_record(w);
}

int iceberg_manifest_list_write(const struct iceberg_manifest_file *const *files, size_t n, int64_t snapshot_id,
                                int64_t parent_id, int64_t sequence_number, struct buf *to, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct avro_writer *w;
    const struct avro_meta meta[] = {
        {"snapshot-id", arena_printf(&a, "%lld", (long long)snapshot_id)},
        {"parent-snapshot-id", parent_id == -1 ? STR("null") : arena_printf(&a, "%lld", (long long)parent_id)},
        {"sequence-number", arena_printf(&a, "%lld", (long long)sequence_number)},
        {"format-version", STR("2")},
    };
    int rc = avro_writer_new(to, str_from_cstr(list_schema), meta, ARRAY_LEN(meta), &w, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i++)
        put_file(w, files[i]);
    return avro_writer_finish(w, err);
}
