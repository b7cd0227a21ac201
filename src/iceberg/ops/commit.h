/*
 * What the operations share: a change is a new snapshot in the making on top of a base; an operation adds manifests to
 * it, the commit writes it and swaps the pointer. One that makes no snapshot itself gives the new metadata as a
 * document. Inside iceberg/ops only.
 */
#ifndef ICEBERG_OPS_COMMIT_H
#define ICEBERG_OPS_COMMIT_H

#include "base/map.h"
#include "base/uuid.h"
#include "base/vec.h"
#include "iceberg/cache.h"
#include "iceberg/metadata.h"

struct iceberg_totals { /* what snapshot summaries count */
    int64_t data_files, delete_files, position_delete_files, equality_delete_files;
    int64_t records, bytes, position_deletes, equality_deletes;
};

struct iceberg_change {
    const struct iceberg_commit *commit;
    struct arena arena;            /* of this attempt */
    struct iceberg_metadata *base; /* for a new table: as it is before its first snapshot */
    struct str base_location;      /* null for a new table */
    struct str metadata_folder;
    const char *operation; /* "append", "delete" */
    int64_t snapshot_id, sequence_number;
    char uuid[UUID_TEXT_SIZE];
    int manifest_count;
    VEC(const struct iceberg_manifest_file *) manifests; /* of the new snapshot */
    VEC(struct str) locations, contents;                 /* files to write */
    struct iceberg_totals added, removed;
    struct map partitions;              /* changed ones */
    struct iceberg_manifest_list *hold; /* the base's manifests, as long as `manifests` points to them */
    json_t *document;                   /* the new metadata, of a change that makes no snapshot; else NULL */
};

/* Makes the change on c->base. 1: there is nothing to commit. */
typedef int iceberg_apply(void *ctx, struct iceberg_change *c, struct err *err);
MUST_CHECK int iceberg_commit_change(const struct iceberg_commit *commit, iceberg_apply *apply, void *ctx,
                                     const char *operation, struct err *err);
/* The first commit of a new table; takes its metadata (without a snapshot) over. */
MUST_CHECK int iceberg_commit_new(const struct iceberg_commit *commit, struct iceberg_metadata *m, iceberg_apply *apply,
                                  void *ctx, struct err *err);

/* The metadata of a new table, without a snapshot. */
MUST_CHECK int iceberg_new_metadata(struct arena *a, const struct iceberg_new_table *t, struct iceberg_metadata **ret,
                                    struct err *err);
/* Where a table's metadata files go; in the arena. */
struct str iceberg_metadata_folder(struct arena *a, struct str location, struct str write_metadata_path);

/* The current snapshot's manifests, into c->hold; NULL when there is no snapshot. */
MUST_CHECK int iceberg_change_load_manifests(struct iceberg_change *c, struct err *err);
/* Counts a file in the summary. */
void iceberg_change_count(struct iceberg_change *c, struct iceberg_totals *t, const struct iceberg_data_file *f);
/* Writes entries as a new manifest and puts it into the snapshot. */
MUST_CHECK int iceberg_change_add_manifest(struct iceberg_change *c, const struct iceberg_spec *spec, int content,
                                           const struct iceberg_entry *const *entries, size_t n, struct err *err);
/* As above, but gives the manifest back instead. */
MUST_CHECK int iceberg_change_write_manifest(struct iceberg_change *c, const struct iceberg_spec *spec, int content,
                                             const struct iceberg_entry *const *entries, size_t n,
                                             const struct iceberg_manifest_file **ret, struct err *err);
/* New files as entries of the default spec, into the snapshot's first manifest. */
MUST_CHECK int iceberg_change_add_files(struct iceberg_change *c, const struct iceberg_new_file *files, size_t n,
                                        struct err *err);

#endif
