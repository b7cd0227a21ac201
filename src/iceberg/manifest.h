/*
 * Manifest lists and manifests in memory, and their Avro files. Inside iceberg/ only.
 * Read ones are immutable and reference-counted; what version 2 lets a file inherit (snapshot id, sequence numbers) is
 * resolved when it is read.
 */
#ifndef ICEBERG_MANIFEST_H
#define ICEBERG_MANIFEST_H

#include "iceberg/iceberg.h"

enum { ICEBERG_DATA = 0, ICEBERG_POSITION_DELETES = 1, ICEBERG_EQUALITY_DELETES = 2 };
enum { ICEBERG_EXISTING = 0, ICEBERG_ADDED = 1, ICEBERG_DELETED = 2 };

struct iceberg_summary { /* of one partition field over a manifest's files */
    bool contains_null;
    int contains_nan;        /* -1: unknown */
    struct str lower, upper; /* single-value bytes; null: none */
};

struct iceberg_manifest_file { /* a manifest, as a manifest list tells of it */
    struct str path;
    int64_t length;
    int spec_id;
    int content; /* 0 data, 1 deletes */
    int64_t sequence_number, min_sequence_number, snapshot_id;
    int64_t added_files, existing_files, deleted_files; /* -1: unknown (version 1) */
    int64_t added_rows, existing_rows, deleted_rows;
    struct iceberg_summary *summaries;
    size_t summary_count;
    struct str key_metadata;
};

struct iceberg_manifest_list {
    int refs; /* atomic */
    struct arena arena;
    struct iceberg_manifest_file *files;
    size_t n;
};

struct iceberg_count {
    int field_id;
    int64_t n;
};
struct iceberg_bytes {
    int field_id;
    struct str bytes;
};
struct iceberg_counts { /* by ascending field id; items NULL: the map is absent */
    struct iceberg_count *items;
    size_t n;
};
struct iceberg_bounds {
    struct iceberg_bytes *items;
    size_t n;
};

struct iceberg_entry {
    int status;
    int64_t snapshot_id;
    struct iceberg_data_file file;
    struct iceberg_counts column_sizes, value_counts, null_counts, nan_counts;
    struct iceberg_bounds lower, upper;
    int64_t *split_offsets;
    size_t split_count;
    int sort_order_id;                             /* -1: none */
    struct str key_metadata, referenced_data_file; /* null: none */
};

struct iceberg_manifest {
    int refs; /* atomic */
    struct arena arena;
    struct iceberg_entry *entries;
    size_t n;
};

/* -1: unknown */
int64_t iceberg_count_get(const struct iceberg_counts *c, int field_id);
struct str iceberg_bound_get(const struct iceberg_bounds *b, int field_id); /* null: none */

MUST_CHECK int iceberg_manifest_list_parse(struct str file, struct iceberg_manifest_list **ret, struct err *err);
void iceberg_manifest_list_unref(struct iceberg_manifest_list *l);
/* `m`: for the partition fields of the manifest's spec. */
MUST_CHECK int iceberg_manifest_parse(struct str file, const struct iceberg_manifest_file *in,
                                      const struct iceberg_metadata *m, struct iceberg_manifest **ret, struct err *err);
void iceberg_manifest_unref(struct iceberg_manifest *m);

/* ---- writing ---- */

/* The entries of one spec and content. For an ADDED entry of snapshot `snapshot_id` the sequence numbers are left to be
 * inherited. Appends the file to `to`, and fills *ret (in the arena) but for path; `m` has the schema and the spec. */
MUST_CHECK int iceberg_manifest_write(struct arena *a, const struct iceberg_metadata *m,
                                      const struct iceberg_spec *spec, int content,
                                      const struct iceberg_entry *const *entries, size_t n, int64_t snapshot_id,
                                      int64_t sequence_number, struct buf *to, struct iceberg_manifest_file *ret,
                                      struct err *err);
MUST_CHECK int iceberg_manifest_list_write(const struct iceberg_manifest_file *const *files, size_t n,
                                           int64_t snapshot_id, int64_t parent_id, int64_t sequence_number,
                                           struct buf *to, struct err *err);

#endif
