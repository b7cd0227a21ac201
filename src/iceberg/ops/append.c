/*
 * Append: the new files' manifest before the ones that are there, which are merged when they are many, as iceberg-core's
 * MergeAppend does (Trino's iceberg.merge-manifests-on-write is on by default).
 */
#include "iceberg/ops/commit.h"

#include "iceberg/schema.h"

enum { MERGE_MIN_COUNT = 100, MERGE_TARGET = 8 << 20 };

struct append {
    const struct iceberg_new_file *files;
    size_t n;
};

static struct str encode(struct arena *a, const struct iceberg_type *t, const struct iceberg_value *v)
{
    BUF_SCOPED struct buf b;

    buf_init(&b, 1 << 20);
    iceberg_value_encode(&b, t, v);
    return arena_str(a, buf_str(&b));
}

static void add_count(struct arena *a, struct iceberg_counts *c, size_t cap, int id, int64_t n)
{
    if (n < 0)
        return;
    if (!c->items)
        c->items = arena_array(a, struct iceberg_count, cap);
    c->items[c->n++] = (struct iceberg_count){id, n};
}

static void add_bound(struct arena *a, struct iceberg_bounds *b, size_t cap, const struct iceberg_field *f, bool upper,
                      struct iceberg_value v)
{
    bool is_float = f->type->kind == ICEBERG_FLOAT || f->type->kind == ICEBERG_DOUBLE;

    /* NaN is no bound (specification: lower_bounds). */
    if (v.is_null || f->type->kind >= ICEBERG_STRUCT || (is_float && v.f != v.f) ||
        !iceberg_truncate_bound(a, f->type, upper, &v))
        return;
    if (!b->items)
        b->items = arena_array(a, struct iceberg_bytes, cap);
    b->items[b->n++] = (struct iceberg_bytes){f->id, encode(a, f->type, &v)};
}

static int compare_columns(const void *x, const void *y)
{
    int a = ((const struct iceberg_column_stats *)x)->field_id, b = ((const struct iceberg_column_stats *)y)->field_id;

    return (a > b) - (a < b);
}

static struct iceberg_entry *new_entry(struct iceberg_change *c, const struct iceberg_spec *spec,
                                       const struct iceberg_new_file *f)
{
    struct arena *a = &c->arena;
    const struct iceberg_schema *schema = iceberg_current_schema(c->base);
    struct iceberg_entry *e = arena_new(a, struct iceberg_entry);
    size_t n = f->column_count;
    struct iceberg_column_stats *columns = arena_array(a, struct iceberg_column_stats, n);

    if (n)
        memcpy(columns, f->columns, n * sizeof(*columns));
    qsort(columns, n, sizeof(*columns), compare_columns);
    *e = (struct iceberg_entry){
        .status = ICEBERG_ADDED,
        .snapshot_id = c->snapshot_id,
        .file = {.content = ICEBERG_DATA,
                 .path = f->path,
                 .format = STR("PARQUET"),
                 .record_count = f->record_count,
                 .file_size = f->file_size,
                 .sequence_number = c->sequence_number,
                 .file_sequence_number = c->sequence_number,
                 .spec_id = spec->id,
                 .partition = f->partition,
                 .partition_count = spec->field_count},
        .split_offsets = f->split_count ? f->split_offsets : NULL,
        .split_count = f->split_count,
        .sort_order_id = 0, /* unsorted */
    };
    for (size_t i = 0; i < n; i++) {
        const struct iceberg_column_stats *s = &columns[i];
        const struct iceberg_field *field = iceberg_schema_find(schema, s->field_id);
        add_count(a, &e->column_sizes, n, s->field_id, s->size);
        add_count(a, &e->value_counts, n, s->field_id, s->value_count);
        add_count(a, &e->null_counts, n, s->field_id, s->null_count);
        add_count(a, &e->nan_counts, n, s->field_id, s->nan_count);
        if (field && s->has_bounds) {
            add_bound(a, &e->lower, n, field, false, s->lower);
            add_bound(a, &e->upper, n, field, true, s->upper);
        }
    }
    return e;
}

int iceberg_change_add_files(struct iceberg_change *c, const struct iceberg_new_file *files, size_t n, struct err *err)
{
    const struct iceberg_spec *spec = iceberg_default_spec(c->base);
    const struct iceberg_entry **entries = arena_array(&c->arena, const struct iceberg_entry *, n);

    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (spec->field_count && !files[i].partition)
            return err_set(err, ERR_INVALID, "Iceberg: file %.*s of a partitioned table has no partition",
                           STR_ARG(files[i].path));
        entries[i] = new_entry(c, spec, &files[i]);
        iceberg_change_count(c, &c->added, &entries[i]->file);
    }
    return iceberg_change_add_manifest(c, spec, 0, entries, n, err);
}

/* ---- merging ---- */

static int64_t property_i64(const struct iceberg_metadata *m, const char *name, int64_t fallback)
{
    struct str text = iceberg_property(m, name);
    int64_t v;

    return !str_is_null(text) && str_to_i64(text, &v, NULL) == 0 && v > 0 ? v : fallback;
}

/* One manifest of the live entries of many, which become "existing". */
static int merge(struct iceberg_change *c, const struct iceberg_manifest_file *const *bin, size_t n,
                 const struct iceberg_manifest_file **ret, struct err *err)
{
    VEC(const struct iceberg_entry *) entries = {0};
    VEC(struct iceberg_manifest *) held = {0};
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        struct iceberg_manifest *m;
        if ((rc = iceberg_load_manifest(c->commit->cache, bin[i], c->base, &m, err)) < 0)
            break;
        vec_push(&held, m);
        for (size_t k = 0; k < m->n; k++) {
            if (m->entries[k].status == ICEBERG_DELETED)
                continue;
            struct iceberg_entry *e = arena_new(&c->arena, struct iceberg_entry);
            *e = m->entries[k];
            e->status = ICEBERG_EXISTING;
            vec_push(&entries, e);
        }
    }
    if (rc == 0)
        rc = iceberg_change_write_manifest(c, iceberg_find_spec(c->base, bin[0]->spec_id), 0, entries.items, entries.n,
                                           ret, err);
    for (size_t i = 0; i < held.n; i++)
        iceberg_manifest_unref(held.items[i]);
    vec_release(&held);
    vec_release(&entries);
    return rc;
}

/* Packs neighbouring manifests of one spec into bins of the target size, from the oldest on, and merges each bin; the
 * newest bin only once it holds many. Unlike iceberg-core this leaves the new manifest itself out of the newest bin: what
 * a snapshot added is always in a manifest of its own. */
static int merge_old(struct iceberg_change *c, const struct iceberg_manifest_file **list, size_t n, struct err *err)
{
    int64_t target = property_i64(c->base, "commit.manifest.target-size-bytes", MERGE_TARGET);
    int64_t min_count = property_i64(c->base, "commit.manifest.min-count-to-merge", MERGE_MIN_COUNT);
    bool enabled = !str_eq_nocase(iceberg_property(c->base, "commit.manifest-merge.enabled"), STR("false"));
    VEC(const struct iceberg_manifest_file *) kept = {0}; /* from the back */
    size_t end = n;
    int rc = 0;

    while (end > 0 && rc == 0) {
        size_t start = end;
        int64_t size = 0;
        while (start > 0 && list[start - 1]->spec_id == list[end - 1]->spec_id &&
               (start == end || size + list[start - 1]->length <= target)) {
            start--;
            size += list[start]->length;
        }
        bool newest = start == 0; /* this bin has room for the new manifest */
        bool enough = end - start > 1 && (!newest || (int64_t)(end - start) + 1 >= min_count);
        if (enabled && enough) {
            const struct iceberg_manifest_file *merged;
            if ((rc = merge(c, list + start, end - start, &merged, err)) == 0)
                vec_push(&kept, merged);
        } else {
            for (size_t i = end; i > start; i--)
                vec_push(&kept, list[i - 1]);
        }
        end = start;
    }
    for (size_t i = kept.n; i > 0 && rc == 0; i--)
        vec_push(&c->manifests, kept.items[i - 1]);
    vec_release(&kept);
    return rc;
}

static bool has_live_files(const struct iceberg_manifest_file *m)
{
    return m->added_files != 0 || m->existing_files != 0;
}

static int apply(void *ctx, struct iceberg_change *c, struct err *err)
{
    const struct append *append = ctx;
    VEC(const struct iceberg_manifest_file *) data = {0};
    int rc = iceberg_change_add_files(c, append->files, append->n, err);

    if (rc < 0 || (rc = iceberg_change_load_manifests(c, err)) < 0 || !c->hold)
        return rc;
    for (size_t i = 0; i < c->hold->n; i++)
        if (c->hold->files[i].content == 0 && has_live_files(&c->hold->files[i]))
            vec_push(&data, &c->hold->files[i]);
    rc = merge_old(c, data.items, data.n, err);
    for (size_t i = 0; i < c->hold->n && rc == 0; i++)
        if (c->hold->files[i].content != 0 && has_live_files(&c->hold->files[i]))
            vec_push(&c->manifests, &c->hold->files[i]);
    vec_release(&data);
    return rc;
}

int iceberg_append(const struct iceberg_commit *c, struct arena *a, const struct iceberg_new_file *files, size_t n,
                   struct err *err)
{
    struct append append = {files, n};

    (void)a;
    return n ? iceberg_commit_change(c, apply, &append, "append", err) : 0;
}
