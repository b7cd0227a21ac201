/*
 * Deletion of some rows: position delete files beside the data files, which stay (RowDelta of iceberg-core, in which it is
 * called merge-on-read). The rows were found in one snapshot: when the table has another since, the deletion may have missed
 * rows or mean files that are gone, and fails.
 */
#include "iceberg/ops/commit.h"

enum { FILE_PATH_FIELD = 2147483546 }; /* specification: Reserved Field IDs */

struct delete_positions {
    int64_t snapshot_id;
    const struct iceberg_new_deletes *files;
    size_t n;
};

static const struct iceberg_entry *new_entry(struct iceberg_change *c, const struct iceberg_new_deletes *f)
{
    struct iceberg_entry *e = arena_new(&c->arena, struct iceberg_entry);
    struct iceberg_bytes *bound = arena_new(&c->arena, struct iceberg_bytes);

    *bound = (struct iceberg_bytes){FILE_PATH_FIELD, f->data_file->path};
    *e = (struct iceberg_entry){
        .status = ICEBERG_ADDED,
        .snapshot_id = c->snapshot_id,
        .file = {.content = ICEBERG_POSITION_DELETES,
                 .path = f->path,
                 .format = STR("PARQUET"),
                 .record_count = f->record_count,
                 .file_size = f->file_size,
                 .sequence_number = c->sequence_number,
                 .file_sequence_number = c->sequence_number,
                 .spec_id = f->data_file->spec_id,
                 .partition = f->data_file->partition,
                 .partition_count = f->data_file->partition_count},
        .lower = {bound, 1},
        .upper = {bound, 1},
        .sort_order_id = -1,
        .referenced_data_file = f->data_file->path,
    };
    iceberg_change_count(c, &c->added, &e->file);
    return e;
}

/* A manifest holds files of one spec. */
static int add_manifest(struct iceberg_change *c, const struct delete_positions *d, const struct iceberg_spec *spec,
                        struct err *err)
{
    const struct iceberg_entry **entries = arena_array(&c->arena, const struct iceberg_entry *, d->n);
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++)
        if (d->files[i].data_file->spec_id == spec->id)
            entries[n++] = new_entry(c, &d->files[i]);
    return n ? iceberg_change_add_manifest(c, spec, 1, entries, n, err) : 0;
}

static int apply(void *ctx, struct iceberg_change *c, struct err *err)
{
    const struct delete_positions *d = ctx;
    int rc;

    if (c->base->current_snapshot_id != d->snapshot_id)
        return err_set_named(err, ERR_CONFLICT, "ICEBERG_COMMIT_ERROR",
                             "Failed to commit the transaction during write: the table was changed by another "
                             "statement meanwhile: run this one again");
    rc = iceberg_change_load_manifests(c, err);
    for (size_t i = 0; rc == 0 && c->hold && i < c->hold->n; i++) {
        const struct iceberg_manifest_file *m = &c->hold->files[i];
        if (m->added_files != 0 || m->existing_files != 0)
            vec_push(&c->manifests, m);
    }
    for (size_t i = 0; rc == 0 && i < c->base->spec_count; i++)
        rc = add_manifest(c, d, &c->base->specs[i], err);
    return rc;
}

int iceberg_delete_positions(const struct iceberg_commit *c, int64_t snapshot_id,
                             const struct iceberg_new_deletes *files, size_t n, struct err *err)
{
    struct delete_positions d = {snapshot_id, files, n};

    return n ? iceberg_commit_change(c, apply, &d, "delete", err) : 0;
}
