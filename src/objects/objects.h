/*
 * The object library: buckets and objects on one folder, shared by processes. `store` serves it over S3, `sql` reads and
 * writes the same folder with no HTTP between; both may have it open at once.
 *
 *   DIR/index/          LMDB: buckets, objects (ordered by bucket and key), uploads, parts, the graveyard
 *   DIR/blobs/xx/…      bytes of one version each, immutable; small ones are inline in the index
 *   DIR/staging/        what is being written; emptied of what no live process owns when the library is opened
 *
 * A put is acknowledged when its bytes and its index entry are on disk; concurrent ones share the syncs (group commit).
 * kill -9 at any instant loses nothing acknowledged and shows nothing half-written. Blobs that nothing names any more
 * are removed only OBJECTS_GRACE_S after, so that readers that hold a path keep their file.
 *
 * Error names are S3's: NoSuchBucket, NoSuchKey, BucketAlreadyOwnedByYou, BucketNotEmpty, PreconditionFailed,
 * NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall, BadDigest, KeyTooLongError, InvalidBucketName; a full disk
 * is ERR_NO_SPACE with the name XMinioStorageFull.
 * Thread-safe. Strings in results live in the arena given.
 */
#ifndef OBJECTS_OBJECTS_H
#define OBJECTS_OBJECTS_H

#include "base/arena.h"
#include "base/hash.h"

struct objects;

enum { OBJECTS_KEY_MAX = 1024, OBJECTS_METADATA_MAX = 2048, OBJECTS_GRACE_S = 900, OBJECTS_PARTS_MAX = 10000 };

MUST_CHECK int objects_open(const char *dir, struct objects **ret, struct err *err);
void objects_close(struct objects *o);

/* ---- buckets ---- */

struct objects_bucket {
    struct str name;
    int64_t created_ms;
};
MUST_CHECK int objects_create_bucket(struct objects *o, struct str name, struct err *err);
MUST_CHECK int objects_delete_bucket(struct objects *o, struct str name, struct err *err);
MUST_CHECK int objects_get_bucket(struct objects *o, struct arena *a, struct str name, struct objects_bucket *ret,
                                  struct err *err);
MUST_CHECK int objects_list_buckets(struct objects *o, struct arena *a, struct objects_bucket **ret, size_t *ret_n,
                                    struct err *err);

/* ---- objects ---- */

struct objects_meta {
    struct str name, value; /* content-type, cache-control, … and x-amz-meta-*; lower-case names */
};

struct objects_checksum {
    int kind;       /* enum hash_kind; -1: none */
    bool composite; /* a checksum of checksums, of a multipart upload: "…-N" */
    unsigned char value[HASH_MAX_SIZE];
};

struct objects_info {
    struct str key;
    uint64_t size;
    int64_t modified_ms;
    struct str etag; /* without quotes: MD5 in hex, "-N" behind it for N parts */
    struct objects_meta *meta;
    size_t meta_count;
    struct objects_checksum checksum;
    uint32_t part_count; /* 0: not multipart */
};

/* Conditions, checked in the transaction that makes the object visible (or on read). Null: unsaid. ETags without
 * quotes, "*" for any. */
struct objects_conditions {
    struct str if_match, if_none_match;
};

/* Writing is: open, append…, then commit or abort; the bytes go to staging, digests are made on the way. */
struct objects_write;
MUST_CHECK int objects_write_begin(struct objects *o, struct str bucket, struct str key, struct objects_write **ret,
                                   struct err *err);
MUST_CHECK int objects_write_add_checksum(struct objects_write *w, enum hash_kind kind,
                                          struct err *err); /* before append */
MUST_CHECK int objects_write_append(struct objects_write *w, struct str bytes, struct err *err);
uint64_t objects_write_size(const struct objects_write *w);
/* What was computed over the bytes so far; the write may then be refused by abort. */
void objects_write_md5(struct objects_write *w, unsigned char ret[16]);
void objects_write_checksum(struct objects_write *w, struct objects_checksum *ret); /* kind -1 when none was added */
/* Durable and visible on return; frees w, also on error. */
MUST_CHECK int objects_write_commit(struct objects_write *w, struct arena *a, const struct objects_meta *meta,
                                    size_t meta_count, const struct objects_conditions *conditions,
                                    struct objects_info *ret, struct err *err);
void objects_write_abort(struct objects_write *w);

/* An open version: its bytes stay readable whatever happens to the key. */
struct objects_reader {
    struct objects_info info;
    int fd; /* of the blob; -1: inline */
    struct str inline_bytes;
};
MUST_CHECK int objects_head(struct objects *o, struct arena *a, struct str bucket, struct str key,
                            struct objects_info *ret, struct err *err);
MUST_CHECK int objects_read(struct objects *o, struct arena *a, struct str bucket, struct str key,
                            struct objects_reader *ret, struct err *err);
void objects_reader_release(struct objects_reader *r); /* closes fd, unless the caller took it (fd = -1) */
/* Deleting what isn't there succeeds, as in S3. */
MUST_CHECK int objects_delete(struct objects *o, struct str bucket, struct str key, struct err *err);
MUST_CHECK int objects_delete_many(struct objects *o, struct str bucket, const struct str *keys, size_t n,
                                   struct err *err); /* one transaction */
/* Server-side copy; shares the blob. `meta` NULL: the source's. */
MUST_CHECK int objects_copy(struct objects *o, struct arena *a, struct str from_bucket, struct str from_key,
                            struct str bucket, struct str key, const struct objects_meta *meta, size_t meta_count,
                            const struct objects_conditions *conditions, struct objects_info *ret, struct err *err);

struct objects_list_request {
    struct str bucket, prefix, delimiter; /* empty: none */
    struct str start_after;               /* keys and prefixes strictly after this one; empty: from the start */
    size_t max;                           /* keys and prefixes together */
};
struct objects_list {
    struct objects_info *items; /* without metadata */
    size_t n;
    struct str *prefixes;
    size_t prefix_count;
    bool truncated;
    struct str last; /* the last key or prefix given: start_after of the next page */
};
MUST_CHECK int objects_list(struct objects *o, struct arena *a, const struct objects_list_request *q,
                            struct objects_list *ret, struct err *err);

/* ---- multipart uploads ---- */

struct objects_part {
    uint32_t number; /* 1 … 10000 */
    struct str etag;
    uint64_t size;
    int64_t modified_ms;
    struct objects_checksum checksum;
};
struct objects_upload {
    struct str bucket, key, id;
    int64_t started_ms;
    int checksum_kind; /* -1: none declared */
    bool checksum_composite;
};
MUST_CHECK int objects_upload_begin(struct objects *o, struct arena *a, struct str bucket, struct str key,
                                    const struct objects_meta *meta, size_t meta_count, int checksum_kind,
                                    bool checksum_composite, struct str *ret_id, struct err *err);
MUST_CHECK int objects_upload_get(struct objects *o, struct arena *a, struct str bucket, struct str key, struct str id,
                                  struct objects_upload *ret, struct err *err);
/* As objects_write_begin; its commit makes the part (meta and conditions unused). */
MUST_CHECK int objects_part_begin(struct objects *o, struct str bucket, struct str key, struct str id, uint32_t number,
                                  struct objects_write **ret, struct err *err);
/* `parts` in ascending order with their ETags, and checksums where the client said them (kind -1: not). All but the
 * last are at least 5 MiB. */
MUST_CHECK int objects_upload_complete(struct objects *o, struct arena *a, struct str bucket, struct str key,
                                       struct str id, const struct objects_part *parts, size_t n,
                                       const struct objects_conditions *conditions, struct objects_info *ret,
                                       struct err *err);
MUST_CHECK int objects_upload_abort(struct objects *o, struct str bucket, struct str key, struct str id,
                                    struct err *err);
MUST_CHECK int objects_upload_parts(struct objects *o, struct arena *a, struct str bucket, struct str key,
                                    struct str id, uint32_t after, size_t max, struct objects_part **ret, size_t *ret_n,
                                    bool *ret_truncated, struct err *err);
/* Of one bucket, ordered by key and id. */
MUST_CHECK int objects_list_uploads(struct objects *o, struct arena *a, struct str bucket, struct str prefix,
                                    struct str key_marker, struct str id_marker, size_t max,
                                    struct objects_upload **ret, size_t *ret_n, bool *ret_truncated, struct err *err);

/* ---- as local files, for `sql` ---- */

/* The local path of an object's bytes. Objects published by objects_publish, and all larger than the inline limit, are
 * files; an inline one is written out to a cache folder first. The path stays valid for OBJECTS_GRACE_S after the object
 * is gone, and until every pin is freed that was there when it was asked for. */
MUST_CHECK int objects_path(struct objects *o, struct arena *a, struct str bucket, struct str key, struct str *ret_path,
                            uint64_t *ret_size, struct err *err);

/* Keeps all paths alive that are asked for while it exists, however long; in this process, its end by kill -9 included.
 * Cheap (one empty file): one a query. */
struct objects_pin;
MUST_CHECK int objects_pin_new(struct objects *o, struct objects_pin **ret, struct err *err);
void objects_pin_free(struct objects_pin *p);

/* A place in staging where another writer (the engine's COPY) makes a file; *ret_path is its absolute path. */
struct objects_staged;
MUST_CHECK int objects_stage(struct objects *o, struct arena *a, struct objects_staged **ret, struct str *ret_path,
                             struct err *err);
void objects_unstage(struct objects_staged *s); /* removes the file */
/* Makes all of them visible under their keys in one transaction: synced, moved, indexed. Frees the staged ones, also on
 * error. The ETag is an MD5 when `with_md5`, else a unique opaque one. */
struct objects_publish {
    struct objects_staged *staged; /* NULL: the object is `bytes` */
    struct str bytes;
    struct str bucket, key, content_type;
};
MUST_CHECK int objects_publish(struct objects *o, const struct objects_publish *items, size_t n, bool with_md5,
                               struct err *err);

/* ---- housekeeping ---- */

/* Removes blobs whose grace is over, and uploads older than `upload_age_s` (0: none). `store` calls it by the minute. */
MUST_CHECK int objects_clean(struct objects *o, int64_t upload_age_s, struct err *err);
bool objects_is_bucket_name(struct str name);

#endif
