/*
 * Apache Iceberg tables, format version 2 (versions 1 and 2 are read; 3 is refused by name): schemas, types, metadata
 * JSON, manifest lists, manifests, partition transforms, scan planning, commits. No engine and no catalog in it: files go
 * through struct iceberg_io, the metadata pointer through struct iceberg_pointer.
 *
 * Immutable, reference-counted objects (metadata, manifests) are cached by path: a warm plan parses nothing.
 * Rules are the Iceberg table specification's; file naming, property names, snapshot summary keys and defaults follow
 * iceberg-core 1.9.1 as Trino 476 uses it, so that real Trino, Spark and pyiceberg read and go on writing.
 */
#ifndef ICEBERG_ICEBERG_H
#define ICEBERG_ICEBERG_H

#include "base/buf.h"
#include "base/json.h"

/* ---- files ---- */

struct iceberg_io {
    void *ctx;
    /* Locations are full: "s3://bucket/key". Appends the content; ERR_NOT_FOUND. */
    int (*read)(void *ctx, struct str location, struct buf *to, struct err *err);
    /* Makes the new files visible, all or none, durable. None of them exists yet. */
    int (*write)(void *ctx, const struct str *locations, const struct str *contents, size_t n, struct err *err);
    int (*remove)(void *ctx, const struct str *locations, size_t n, struct err *err); /* absent ones are fine */
};

/* ---- types and schemas (specification: Schemas and Data Types) ---- */

enum iceberg_type_kind {
    ICEBERG_BOOLEAN,
    ICEBERG_INT,
    ICEBERG_LONG,
    ICEBERG_FLOAT,
    ICEBERG_DOUBLE,
    ICEBERG_DECIMAL,
    ICEBERG_DATE,
    ICEBERG_TIME,
    ICEBERG_TIMESTAMP,
    ICEBERG_TIMESTAMPTZ,
    ICEBERG_STRING,
    ICEBERG_UUID,
    ICEBERG_FIXED,
    ICEBERG_BINARY,
    ICEBERG_STRUCT,
    ICEBERG_LIST,
    ICEBERG_MAP,
};

struct iceberg_type;
struct iceberg_field {
    int id;
    struct str name;
    bool required;
    struct str doc; /* null: none */
    const struct iceberg_type *type;
};
struct iceberg_type {
    enum iceberg_type_kind kind;
    int precision, scale;         /* decimal */
    int length;                   /* fixed */
    struct iceberg_field *fields; /* struct: all; list: [0] the element; map: [0] key, [1] value */
    size_t field_count;
};
struct iceberg_schema {
    int id;
    struct iceberg_field *fields;
    size_t field_count;
    int *identifier_ids;
    size_t identifier_count;
};

enum iceberg_transform {
    ICEBERG_IDENTITY,
    ICEBERG_BUCKET,
    ICEBERG_TRUNCATE,
    ICEBERG_YEAR,
    ICEBERG_MONTH,
    ICEBERG_DAY,
    ICEBERG_HOUR,
    ICEBERG_VOID,
    ICEBERG_UNKNOWN_TRANSFORM, /* a later version's: never prunes, can't be written */
};
struct iceberg_partition_field {
    int source_id, field_id;
    struct str name;
    enum iceberg_transform transform;
    int param; /* bucket's N, truncate's width */
};
struct iceberg_spec {
    int id;
    struct iceberg_partition_field *fields;
    size_t field_count;
};
/* "bucket(col, 16)", "month(col)", "truncate(col, 10)", "col": Trino's partitioning property, to a field, named as Trino
 * names it ("col_bucket"). ERR_INVALID, worded as iceberg-core and Trino do. field_id is the caller's: 1000, 1001, … */
MUST_CHECK int iceberg_partition_parse(struct arena *a, const struct iceberg_schema *s, struct str text,
                                       struct iceberg_partition_field *ret, struct err *err);
/* The same text back, and the type of the transform's result. */
struct str iceberg_partition_format(struct arena *a, const struct iceberg_schema *s,
                                    const struct iceberg_partition_field *f);
const struct iceberg_type *iceberg_transform_type(struct arena *a, const struct iceberg_partition_field *f,
                                                  const struct iceberg_type *source);

/* ---- single values (specification: Appendix D, binary single-value serialization) ---- */

struct iceberg_value {
    bool is_null;
    int64_t i;         /* boolean, int, long, date (days), time, timestamp(tz) (microseconds) */
    double f;          /* float, double */
    __int128 unscaled; /* decimal */
    struct str bytes;  /* string, uuid (16), fixed, binary */
};
void iceberg_value_encode(struct buf *to, const struct iceberg_type *t, const struct iceberg_value *v);
MUST_CHECK int iceberg_value_decode(const struct iceberg_type *t, struct str bytes, struct iceberg_value *ret,
                                    struct err *err);
int iceberg_value_compare(const struct iceberg_type *t, const struct iceberg_value *x, const struct iceberg_value *y);
MUST_CHECK int iceberg_transform_apply(struct arena *a, const struct iceberg_partition_field *f,
                                       const struct iceberg_type *source, const struct iceberg_value *v,
                                       struct iceberg_value *ret, struct err *err);
/* Bounds of text and binary as Iceberg truncates them: 16 code points (bytes); an upper bound that can't be rounded up
 * is none (false). */
bool iceberg_truncate_bound(struct arena *a, const struct iceberg_type *t, bool upper, struct iceberg_value *v);

/* ---- table metadata ---- */

struct iceberg_snapshot {
    int64_t id, parent_id; /* parent -1: none */
    int64_t sequence_number, timestamp_ms;
    int schema_id; /* -1: none */
    struct str operation, manifest_list;
    const json_t *summary;
};

struct iceberg_metadata {
    int refs; /* atomic */
    struct arena arena;
    json_t *json; /* the whole document, so that what we don't know is kept when we commit */
    int format_version;
    struct str uuid, location;
    int64_t last_sequence_number, last_updated_ms, current_snapshot_id; /* -1: none */
    int last_column_id, last_partition_id, current_schema_id, default_spec_id;
    struct iceberg_schema *schemas;
    size_t schema_count;
    struct iceberg_spec *specs;
    size_t spec_count;
    struct iceberg_snapshot *snapshots;
    size_t snapshot_count;
};
MUST_CHECK int iceberg_metadata_parse(struct str json, struct iceberg_metadata **ret, struct err *err);
struct iceberg_metadata *iceberg_metadata_ref(struct iceberg_metadata *m);
void iceberg_metadata_unref(struct iceberg_metadata *m);
const struct iceberg_schema *iceberg_current_schema(const struct iceberg_metadata *m);
const struct iceberg_spec *iceberg_default_spec(const struct iceberg_metadata *m);
const struct iceberg_snapshot *iceberg_current_snapshot(const struct iceberg_metadata *m); /* NULL: empty table */
struct str iceberg_property(const struct iceberg_metadata *m, const char *name);           /* null: unset */

/* ---- a table handle: where it is, and the cache ---- */

struct iceberg_cache; /* metadata and manifests by location; bounded in bytes, least recently used out */
MUST_CHECK int iceberg_cache_new(size_t max_bytes, const struct iceberg_io *io, struct iceberg_cache **ret,
                                 struct err *err);
void iceberg_cache_free(struct iceberg_cache *c);
MUST_CHECK int iceberg_load_metadata(struct iceberg_cache *c, struct str location, struct iceberg_metadata **ret,
                                     struct err *err);

/* ---- scan planning ---- */

/* A conjunct that can prune: column (field id) OP value(s). A file is kept unless its partition or bounds prove that no
 * row matches. */
enum iceberg_op {
    ICEBERG_EQ,
    ICEBERG_NE,
    ICEBERG_LT,
    ICEBERG_LE,
    ICEBERG_GT,
    ICEBERG_GE,
    ICEBERG_IN,
    ICEBERG_IS_NULL,
    ICEBERG_NOT_NULL
};
struct iceberg_predicate {
    int field_id;
    enum iceberg_op op;
    struct iceberg_value *values;
    size_t value_count;
};

struct iceberg_data_file {
    int content; /* 0 data, 1 position deletes, 2 equality deletes */
    struct str path, format;
    int64_t record_count, file_size;
    int64_t sequence_number, file_sequence_number; /* inherited ones resolved */
    int spec_id;
    struct iceberg_value *partition; /* by the spec's fields */
    size_t partition_count;
    int *equality_ids;
    size_t equality_count;
};
struct iceberg_scan {
    const struct iceberg_data_file **files; /* data files to read */
    size_t file_count;
    const struct iceberg_data_file **deletes; /* delete files that apply to some of them */
    size_t delete_count;
    size_t manifests_total, manifests_read, files_total; /* for EXPLAIN and tests */
    int64_t records;                                     /* in `files` */
    void *pin;                                           /* keeps what is pointed to alive */
};
/* `snapshot` NULL: an empty scan. Files are in the order of the manifests and their entries; what the scan points to
 * lives until iceberg_scan_release, the arrays in the arena. */
MUST_CHECK int iceberg_plan_scan(struct iceberg_cache *c, struct arena *a, struct iceberg_metadata *m,
                                 const struct iceberg_snapshot *snapshot, const struct iceberg_predicate *predicates,
                                 size_t n, struct iceberg_scan *ret, struct err *err);
void iceberg_scan_release(struct iceberg_scan *s);
/* Whether a delete file has a say about a data file: by sequence numbers, spec and partition (specification: Scan
 * Planning). A position delete file that names other data files only may still be said to apply. */
bool iceberg_delete_applies(const struct iceberg_metadata *m, const struct iceberg_data_file *del,
                            const struct iceberg_data_file *data);

/* ---- writing ---- */

/* Where the catalog keeps the location of the current metadata; compare-and-swap. */
struct iceberg_pointer {
    void *ctx;
    int (*load)(void *ctx, struct arena *a, struct str *ret_location, struct err *err); /* ERR_NOT_FOUND: no table */
    /* ERR_CONFLICT when the current one is no longer `expected` (null: must not exist, ERR_EXISTS). */
    int (*swap)(void *ctx, struct str expected, struct str location, struct err *err);
};

struct iceberg_new_table {
    struct str location;
    struct iceberg_schema schema; /* with ids from iceberg_assign_ids */
    struct iceberg_spec spec;     /* field ids are assigned here, from 1000, whatever they are */
    const struct str *property_names, *property_values;
    size_t property_count;
};
/* Assigns fresh field ids, from 1, breadth before depth as iceberg-core does; nested types are copied into the arena,
 * the schema's own array is changed in place. *ret_last: the highest. */
void iceberg_assign_ids(struct arena *a, struct iceberg_schema *s, int *ret_last);

/* A file that was written, with its statistics; columns by field id. */
struct iceberg_column_stats {
    int field_id;
    int64_t size, value_count, null_count, nan_count; /* -1: unknown */
    bool has_bounds;
    struct iceberg_value lower, upper; /* full values: truncated when written */
};
struct iceberg_new_file {
    struct str path;
    int64_t record_count, file_size;
    struct iceberg_value *partition; /* by the spec's fields */
    struct iceberg_column_stats *columns;
    size_t column_count;
    int64_t *split_offsets;
    size_t split_count;
};

/* iceberg/ops: each writes manifests, a manifest list and metadata, then swaps the pointer; on a conflict it loads the
 * new metadata and applies itself again (commit.retry.num-retries times, 4, with a growing pause), as iceberg-core does. A
 * failed commit leaves no file of its own behind, unless it can't be known whether it went through (ERR_UNAVAILABLE,
 * says so). `summary`: extra snapshot summary keys, such as trino_query_id. Writing is for version 2 tables. */
struct iceberg_commit {
    struct iceberg_cache *cache;
    const struct iceberg_io *io;
    const struct iceberg_pointer *pointer;
    const struct str *summary_names, *summary_values;
    size_t summary_count;
};
/* A new table with one snapshot, as Trino makes: of the files of a CTAS, or empty. ERR_EXISTS. */
MUST_CHECK int iceberg_create_table(const struct iceberg_commit *c, struct arena *a, const struct iceberg_new_table *t,
                                    const struct iceberg_new_file *files, size_t n, struct err *err);
/* No files: no commit. */
MUST_CHECK int iceberg_append(const struct iceberg_commit *c, struct arena *a, const struct iceberg_new_file *files,
                              size_t n, struct err *err);
/* All rows; *ret_rows: how many there were (from the snapshot summary or manifests). */
MUST_CHECK int iceberg_delete_all(const struct iceberg_commit *c, struct arena *a, int64_t *ret_rows, struct err *err);
/* Positions of rows of one data file that are to go, written as a Parquet file (specification: Position Delete Files). */
struct iceberg_new_deletes {
    struct str path;
    int64_t record_count, file_size;
    const struct iceberg_data_file *data_file;
};
/* `snapshot_id`: what the rows were found in. ERR_CONFLICT, ICEBERG_COMMIT_ERROR when the table has another since. */
MUST_CHECK int iceberg_delete_positions(const struct iceberg_commit *c, int64_t snapshot_id,
                                        const struct iceberg_new_deletes *files, size_t n, struct err *err);
/* What another writer made: the REST catalog's TableRequirement and TableUpdate lists (specification of the REST API;
 * rules and messages of iceberg-core's UpdateRequirement and TableMetadata.Builder). No updates: no commit. A requirement
 * that doesn't hold is ERR_CONFLICT "Requirement failed: …" and isn't tried again, ERR_INVALID an update that makes no
 * table, ERR_UNSUPPORTED one that isn't known. */
MUST_CHECK int iceberg_update_table(const struct iceberg_commit *c, const json_t *requirements, const json_t *updates,
                                    struct err *err);
/* The same for a table that isn't there yet (a staged create), in version 2. ERR_EXISTS. */
MUST_CHECK int iceberg_update_new_table(const struct iceberg_commit *c, const json_t *requirements,
                                        const json_t *updates, struct err *err);
/* The metadata of a new table without a snapshot, from a CreateTableRequest's parts: ids are given anew, and what refers
 * to them follows. spec, order and properties may be NULL. The caller's to unref. */
MUST_CHECK int iceberg_make_metadata(struct arena *a, struct str location, const json_t *schema, const json_t *spec,
                                     const json_t *order, const json_t *properties, struct iceberg_metadata **ret,
                                     struct err *err);
/* Commits such metadata as the first of a table; takes it over. ERR_EXISTS. */
MUST_CHECK int iceberg_create_from_metadata(const struct iceberg_commit *c, struct iceberg_metadata *m,
                                            struct err *err);
/* Every file that any snapshot of the table refers to, metadata included: for DROP TABLE. */
MUST_CHECK int iceberg_list_files(struct iceberg_cache *c, struct arena *a, struct iceberg_metadata *m,
                                  struct str metadata_location, struct str **ret, size_t *ret_n, struct err *err);

#endif
