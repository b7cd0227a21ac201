/*
 * Scan planning (specification: Scan Planning): manifests that the predicates let through, their live files, and the
 * delete files that apply to one of them. All from the cache when warm.
 */
#include "base/vec.h"
#include "iceberg/cache.h"
#include "iceberg/metadata.h"
#include "iceberg/prune.h"
#include "iceberg/schema.h"

enum { DELETE_FILE_PATH = 2147483546 /* the reserved field id of a position delete's file_path column */ };

struct pin {
    struct iceberg_metadata *metadata;
    struct iceberg_manifest_list *list;
    VEC(struct iceberg_manifest *) manifests;
};

struct planning {
    struct iceberg_cache *cache;
    struct arena *arena;
    const struct iceberg_filter *filter;
    struct pin *pin;
    struct iceberg_scan *scan;
    VEC(const struct iceberg_data_file *) files;
    VEC(const struct iceberg_entry *) deletes; /* live ones, before it is known whether they apply */
};

static bool same_partition(const struct iceberg_metadata *m, const struct iceberg_data_file *x,
                           const struct iceberg_data_file *y)
{
    const struct iceberg_spec *spec = iceberg_find_spec(m, x->spec_id);
    ARENA_SCOPED struct arena a = ARENA_INIT;

    if (x->spec_id != y->spec_id || !spec)
        return false;
    for (size_t i = 0; i < spec->field_count; i++) {
        const struct iceberg_field *source = iceberg_find_column(m, spec->fields[i].source_id);
        if (!source || i >= x->partition_count || i >= y->partition_count)
            continue;
        const struct iceberg_type *t = iceberg_transform_type(&a, &spec->fields[i], source->type);
        if (iceberg_value_compare(t, &x->partition[i], &y->partition[i]) != 0)
            return false;
    }
    return true;
}

bool iceberg_delete_applies(const struct iceberg_metadata *m, const struct iceberg_data_file *del,
                            const struct iceberg_data_file *data)
{
    if (del->content == ICEBERG_POSITION_DELETES)
        return data->sequence_number <= del->sequence_number && same_partition(m, del, data);
    /* Equality deletes of an unpartitioned spec are global. */
    const struct iceberg_spec *spec = iceberg_find_spec(m, del->spec_id);
    return data->sequence_number < del->sequence_number &&
           ((spec && spec->field_count == 0) || same_partition(m, del, data));
}

/* Most position delete files are about one data file, which the bounds of their path column tell. */
static bool names_path(const struct iceberg_entry *del, struct str path)
{
    struct str lower = iceberg_bound_get(&del->lower, DELETE_FILE_PATH);
    struct str upper = iceberg_bound_get(&del->upper, DELETE_FILE_PATH);

    if (del->file.content != ICEBERG_POSITION_DELETES)
        return true;
    if (!str_is_null(del->referenced_data_file))
        return str_eq(del->referenced_data_file, path);
    return (str_is_null(lower) || str_cmp(lower, path) <= 0) && (str_is_null(upper) || str_cmp(path, upper) <= 0);
}

static int plan_manifest(struct planning *p, const struct iceberg_manifest_file *in, struct err *err)
{
    struct iceberg_manifest *m;
    const struct iceberg_spec *spec = iceberg_find_spec(p->filter->metadata, in->spec_id);
    int rc = iceberg_load_manifest(p->cache, in, p->filter->metadata, &m, err);

    if (rc < 0)
        return rc;
    vec_push(&p->pin->manifests, m);
    p->scan->manifests_read++;
    for (size_t i = 0; i < m->n; i++) {
        const struct iceberg_entry *e = &m->entries[i];
        if (e->status == ICEBERG_DELETED)
            continue;
        if (e->file.content != ICEBERG_DATA) {
            vec_push(&p->deletes, e);
            continue;
        }
        p->scan->files_total++;
        if (spec && iceberg_file_may_match(p->filter, spec, e)) {
            vec_push_in(p->arena, &p->files, &e->file);
            p->scan->records += e->file.record_count;
        }
    }
    return 0;
}

static bool has_live_files(const struct iceberg_manifest_file *m)
{
    return m->added_files != 0 || m->existing_files != 0;
}

static void add_deletes(struct planning *p)
{
    VEC(const struct iceberg_data_file *) applied = {0};

    for (size_t i = 0; i < p->deletes.n; i++) {
        const struct iceberg_entry *d = p->deletes.items[i];
        bool applies = false;
        for (size_t k = 0; k < p->files.n && !applies; k++)
            applies = names_path(d, p->files.items[k]->path) &&
                      iceberg_delete_applies(p->filter->metadata, &d->file, p->files.items[k]);
        if (applies)
            vec_push_in(p->arena, &applied, &d->file);
    }
    p->scan->deletes = applied.items;
    p->scan->delete_count = applied.n;
}

static int plan(struct planning *p, const struct iceberg_snapshot *s, struct err *err)
{
    int rc;

    if (str_is_null(s->manifest_list))
        return err_set(err, ERR_UNSUPPORTED,
                       "Iceberg: snapshot %lld lists its manifests in the metadata (an early version 1), which is not "
                       "supported",
                       (long long)s->id);
    if ((rc = iceberg_load_manifest_list(p->cache, s->manifest_list, &p->pin->list, err)) < 0)
        return rc;
    p->scan->manifests_total = p->pin->list->n;
    for (size_t i = 0; i < p->pin->list->n; i++) {
        const struct iceberg_manifest_file *m = &p->pin->list->files[i];
        if (!has_live_files(m) || !iceberg_manifest_may_match(p->filter, m))
            continue;
        if ((rc = plan_manifest(p, m, err)) < 0)
            return rc;
    }
    p->scan->files = p->files.items;
    p->scan->file_count = p->files.n;
    add_deletes(p);
    return 0;
}

int iceberg_plan_scan(struct iceberg_cache *c, struct arena *a, struct iceberg_metadata *m,
                      const struct iceberg_snapshot *snapshot, const struct iceberg_predicate *predicates, size_t n,
                      struct iceberg_scan *ret, struct err *err)
{
    struct iceberg_filter filter;
    struct iceberg_scan scan = {0};
    struct pin *pin = calloc(1, sizeof(*pin));
    int rc = 0;

    if (!pin)
        return err_set(err, ERR_LIMIT, "no memory for a scan");
    scan.pin = pin;
    pin->metadata = iceberg_metadata_ref(m);
    iceberg_filter_init(&filter, a, m, predicates, n);
    struct planning p = {.cache = c, .arena = a, .filter = &filter, .pin = pin, .scan = &scan};
    if (snapshot)
        rc = plan(&p, snapshot, err);
    vec_release(&p.deletes);
    if (rc < 0) {
        iceberg_scan_release(&scan);
        return rc;
    }
    *ret = scan;
    return 0;
}

void iceberg_scan_release(struct iceberg_scan *s)
{
    struct pin *pin = s->pin;

    if (!pin)
        return;
    for (size_t i = 0; i < pin->manifests.n; i++)
        iceberg_manifest_unref(pin->manifests.items[i]);
    vec_release(&pin->manifests);
    iceberg_manifest_list_unref(pin->list);
    iceberg_metadata_unref(pin->metadata);
    free(pin);
    *s = (struct iceberg_scan){0};
}
