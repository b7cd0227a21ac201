/* Delete of all rows: each manifest is written again with its live files as deleted ones, so that readers of changes and
 * the expiry of snapshots see what went. */
#include "iceberg/ops/commit.h"

struct delete_all {
    int64_t rows; /* of the attempt that committed */
};

static int delete_manifest(struct iceberg_change *c, const struct iceberg_manifest_file *in, struct err *err)
{
    VEC(const struct iceberg_entry *) entries = {0};
    struct iceberg_manifest *m;
    int rc = iceberg_load_manifest(c->commit->cache, in, c->base, &m, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < m->n; i++) {
        if (m->entries[i].status == ICEBERG_DELETED)
            continue;
        struct iceberg_entry *e = arena_new(&c->arena, struct iceberg_entry);
        *e = m->entries[i];
        e->status = ICEBERG_DELETED;
        e->snapshot_id = c->snapshot_id;
        vec_push(&entries, e);
        iceberg_change_count(c, &c->removed, &e->file);
    }
    if (entries.n)
        rc = iceberg_change_add_manifest(c, iceberg_find_spec(c->base, in->spec_id), in->content, entries.items,
                                         entries.n, err);
    vec_release(&entries);
    iceberg_manifest_unref(m);
    return rc;
}

static int apply(void *ctx, struct iceberg_change *c, struct err *err)
{
    struct delete_all *d = ctx;
    int rc = iceberg_change_load_manifests(c, err);

    for (size_t i = 0; rc == 0 && c->hold && i < c->hold->n; i++) {
        const struct iceberg_manifest_file *m = &c->hold->files[i];
        if (m->added_files != 0 || m->existing_files != 0)
            rc = delete_manifest(c, m, err);
    }
    if (rc < 0)
        return rc;
    /* Rows that delete files had taken away are not deleted again (Trino's count). */
    d->rows = c->removed.records - c->removed.position_deletes - c->removed.equality_deletes;
    if (d->rows < 0)
        d->rows = 0;
    return c->manifests.n ? 0 : 1;
}

int iceberg_delete_all(const struct iceberg_commit *c, struct arena *a, int64_t *ret_rows, struct err *err)
{
    struct delete_all d = {0};
    int rc = iceberg_commit_change(c, apply, &d, "delete", err);

    (void)a;
    if (rc == 0)
        *ret_rows = d.rows;
    return rc;
}
