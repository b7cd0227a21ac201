/*
 * What the files of objects/ share: the open folder, transactions on its index, blobs, and the commit queue.
 *
 * Databases in the index: `info` (format, counters), `buckets` (name), `tree` (objects and uploads, see tree.h), `parts`
 * (upload's number and part number, big-endian), `blobs` (id: how many records name it), `grave` (time of death in ms,
 * big-endian, and id: blobs that nothing names, to be unlinked).
 */
#ifndef OBJECTS_INTERNAL_H
#define OBJECTS_INTERNAL_H

#include "objects/index.h"
#include "objects/objects.h"
#include "objects/tree.h"
#include "os/file.h"
#include <lmdb.h>
#include <pthread.h>
#include <sys/stat.h>

struct commit;

struct objects {
    struct objects *next; /* in this process's list of open folders, under its lock */
    int refs;
    dev_t device;
    ino_t inode;
    struct arena arena; /* the paths */
    const char *dir;
    const char *own_dir; /* DIR/staging/RANDOM, locked as long as we live */
    int own_fd;

    MDB_env *env;
    MDB_dbi info, buckets, tree, parts, blobs, grave;
    pthread_rwlock_t map_lock; /* read: a transaction is open; write: the map is being resized */

    pthread_t committer;
    pthread_mutex_t queue_lock; /* of the rest */
    pthread_cond_t queue_filled;
    struct commit *queue, **queue_end;
    bool stopping;
};

/* ---- transactions (env.c) ---- */

struct txn {
    struct objects *o;
    MDB_txn *mdb;
    size_t changes; /* made so far */
    int failure;    /* LMDB's error that dooms the transaction, 0: none */
};

MUST_CHECK int env_open(struct objects *o, struct err *err);
void env_close(struct objects *o);
MUST_CHECK int txn_begin_read(struct objects *o, struct txn *ret, struct err *err);
void txn_end_read(struct txn *t);
/* By the committer only. */
MUST_CHECK int txn_begin_write(struct objects *o, struct txn *ret, struct err *err);
MUST_CHECK int txn_commit(struct txn *t, struct err *err);
void txn_abort(struct txn *t);
MUST_CHECK int env_grow(struct objects *o, struct err *err);
int env_error(int rc, struct err *err); /* LMDB's code or errno to ours */

/* *ret null when it isn't there. */
MUST_CHECK int txn_get(struct txn *t, MDB_dbi db, struct str key, struct str *ret, struct err *err);
MUST_CHECK int txn_put(struct txn *t, MDB_dbi db, struct str key, struct str value, struct err *err);
MUST_CHECK int txn_remove(struct txn *t, MDB_dbi db, struct str key, struct err *err); /* absent is fine */
MUST_CHECK int txn_cursor(struct txn *t, MDB_dbi db, MDB_cursor **ret, struct err *err);
int txn_failed(struct txn *t, int rc, struct err *err);                        /* records LMDB's failure */
MUST_CHECK int txn_next_number(struct txn *t, uint64_t *ret, struct err *err); /* never given twice */

/* ---- group commit (commit.c) ---- */

typedef int (*commit_fn)(struct txn *t, void *ctx, struct err *err);

MUST_CHECK int commit_start(struct objects *o, struct err *err);
void commit_stop(struct objects *o);
/* Runs `apply` in a write transaction and returns when that is on disk. `apply` may be run more than once, always on the
 * state before; what it changed is undone when it fails. It runs on another thread. */
MUST_CHECK int commit_run(struct objects *o, commit_fn apply, void *ctx, struct err *err);

/* ---- buckets ---- */

/* NoSuchBucket when there is none. */
MUST_CHECK int bucket_find(struct txn *t, struct str name, struct index_bucket *ret, struct err *err);
MUST_CHECK int bucket_check_key(struct str key, struct err *err);

/* ---- blobs (blob.c) ---- */

enum { BLOB_PATH_SIZE = 4096 };

struct blob {
    unsigned char id[INDEX_ID_SIZE];
    int fd;
    char staged[BLOB_PATH_SIZE]; /* the name in staging: marks the blob as unfinished until it is gone */
    uint64_t written, started;   /* bytes written, and of these how many the kernel was told to write back */
};
MUST_CHECK int blob_create(struct objects *o, struct blob *ret, struct err *err);
MUST_CHECK int blob_append(struct blob *b, struct str bytes, struct err *err);
/* Durable under its final name; not yet named by the index. blob_finish or blob_discard comes next. */
MUST_CHECK int blob_settle(struct objects *o, struct blob *b, struct err *err);
void blob_finish(struct blob *b);                     /* the index names it */
void blob_discard(struct objects *o, struct blob *b); /* the index doesn't */
MUST_CHECK int blob_path(struct objects *o, const unsigned char id[INDEX_ID_SIZE], char out[BLOB_PATH_SIZE],
                         struct err *err);
MUST_CHECK int blob_open(struct objects *o, const unsigned char id[INDEX_ID_SIZE], uint64_t size, int *ret_fd,
                         struct err *err);
/* A record names the blob, or no longer does; inline data is ignored. */
MUST_CHECK int blob_ref(struct txn *t, const struct index_data *d, struct err *err);
MUST_CHECK int blob_unref(struct txn *t, const struct index_data *d, struct err *err);
int blob_error(int errnum, struct err *err, const char *what, const char *path);
int blob_name_full_disk(int rc, struct err *err); /* gives ERR_NO_SPACE its S3 name; returns rc */

/* ---- objects ---- */

/* In a write transaction: replaces what the key names. The old version's blob goes to the grave. */
MUST_CHECK int object_put(struct txn *t, const struct index_bucket *b, struct str key, const struct index_object *o,
                          struct err *err);
MUST_CHECK int object_remove(struct txn *t, const struct index_bucket *b, struct str key, struct err *err);
/* *ret_found false when there is none. `a` NULL: without metadata. */
MUST_CHECK int object_find(struct txn *t, const struct index_bucket *b, struct str key, struct arena *a,
                           bool *ret_found, struct index_object *ret, struct err *err);
MUST_CHECK int object_check_conditions(struct txn *t, const struct index_bucket *b, struct str key,
                                       const struct objects_conditions *c, struct err *err);
MUST_CHECK int object_check_meta(const struct objects_meta *meta, size_t n, struct err *err);
void object_info(struct arena *a, struct str key, const struct index_object *o, struct objects_info *ret);
int object_missing(struct str key, struct err *err); /* NoSuchKey */

/* ---- uploads ---- */

MUST_CHECK int upload_find(struct txn *t, const struct index_bucket *b, struct str key, struct str id, struct arena *a,
                           struct index_upload *ret, struct err *err); /* NoSuchUpload */
MUST_CHECK int upload_put_part(struct txn *t, const struct index_bucket *b, struct str key, struct str id,
                               uint32_t number, const struct index_part *p, struct err *err);
/* With its parts, whose blobs lose a reference. */
MUST_CHECK int upload_remove(struct txn *t, const struct index_bucket *b, struct str key, struct str id,
                             struct err *err);
MUST_CHECK int upload_remove_all(struct txn *t, const struct index_bucket *b, struct err *err);

/* ---- housekeeping ---- */

/* Of processes that are gone; *oldest_pin_ms is lowered to the oldest pin of those that live. */
MUST_CHECK int clean_staging(struct objects *o, int64_t *oldest_pin_ms, struct err *err);

#endif
