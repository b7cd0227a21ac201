/* Housekeeping: what dead processes left in staging, the grave, old uploads, and cached copies of inline objects. */
#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/vec.h"
#include "objects/internal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

enum { GRAVE_KEY_SIZE = 8 + INDEX_ID_SIZE, GRAVE_BATCH = 256, UPLOAD_BATCH = 1000 };

/* ---- staging ---- */

static bool is_named(struct objects *o, const unsigned char id[INDEX_ID_SIZE])
{
    struct txn t;
    struct str count = STR_NULL;

    if (txn_begin_read(o, &t, NULL) < 0)
        return true; /* when in doubt it stays */
    bool named = txn_get(&t, o->blobs, str_from((const char *)id, INDEX_ID_SIZE), &count, NULL) < 0 ||
                 !str_is_null(count);
    txn_end_read(&t);
    return named;
}

/* A name in the staging folder of a dead process may be that of a blob which got its final name but no entry in the
 * index. A blob in the grave has no entry either; unlinking it early is right only as nobody reads it: it never had a
 * name in the index, or its writer, who is dead, would have taken the name in staging away. The exception is a blob
 * whose writer died between its commit and that, and that was then deleted: its readers had at least the time since. */
static int clean_folder(struct objects *o, int fd, const char *path, struct err *err)
{
    struct dirent *e;
    int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = own < 0 ? NULL : fdopendir(own);

    if (!d) {
        if (own >= 0)
            close(own);
        return err_set_errno(err, errno, "%s", path);
    }
    while ((e = readdir(d))) {
        unsigned char id[INDEX_ID_SIZE];
        char blob[BLOB_PATH_SIZE];
        if (strlen(e->d_name) != 2 * (size_t)INDEX_ID_SIZE ||
            enc_unhex(str_from_cstr(e->d_name), id, INDEX_ID_SIZE, NULL) < 0)
            continue;
        if (!is_named(o, id) && blob_path(o, id, blob, NULL) == 0)
            unlink(blob);
    }
    closedir(d);
    return file_remove_tree(path, err);
}

/* Lowers *oldest_ms to the time of the oldest pin in the folder of a living process. */
static int find_pins(int fd, const char *path, int64_t *oldest_ms, struct err *err)
{
    struct dirent *e;
    int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = own < 0 ? NULL : fdopendir(own);

    if (!d) {
        if (own >= 0)
            close(own);
        return err_set_errno(err, errno, "%s", path);
    }
    while ((e = readdir(d))) {
        struct str name = str_from_cstr(e->d_name), time;
        int64_t ms;
        if (!str_starts_with(name, STR("pin-")))
            continue;
        name = str_skip(name, strlen("pin-"));
        if (str_split(&name, '-', &time) && str_to_i64(time, &ms, NULL) == 0 && ms < *oldest_ms)
            *oldest_ms = ms;
    }
    closedir(d);
    return 0;
}

int clean_staging(struct objects *o, int64_t *oldest_pin_ms, struct err *err)
{
    char path[BLOB_PATH_SIZE];
    struct dirent *e;
    int r = 0;

    snprintf(path, sizeof(path), "%s/staging", o->dir);
    FD_SCOPED int lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0 || flock(lock, LOCK_EX) < 0)
        return err_set_errno(err, errno, "%s", path);
    DIR *d = opendir(path);
    if (!d)
        return err_set_errno(err, errno, "%s", path);
    while (r == 0 && (e = readdir(d))) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/staging/%s", o->dir, e->d_name);
        FD_SCOPED int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
            continue; /* its process has just removed it */
        if (strcmp(path, o->own_dir) == 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
            r = find_pins(fd, path, oldest_pin_ms, err); /* its process lives */
        else
            r = clean_folder(o, fd, path, err);
    }
    closedir(d);
    return r;
}

/* ---- the grave ---- */

struct burial {
    char keys[GRAVE_BATCH][GRAVE_KEY_SIZE];
    size_t n;
};

static int find_expired(struct objects *o, int64_t before_ms, struct burial *ret, struct err *err)
{
    struct txn t;
    MDB_cursor *cursor;
    MDB_val k, v;
    int r = txn_begin_read(o, &t, err);

    if (r < 0)
        return r;
    ret->n = 0;
    r = txn_cursor(&t, o->grave, &cursor, err);
    if (r == 0) {
        int rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
        for (; rc == 0 && ret->n < GRAVE_BATCH; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
            if (k.mv_size != GRAVE_KEY_SIZE) {
                r = err_set(err, ERR_CORRUPT, "the index has a grave of %zu bytes, not %d", k.mv_size, GRAVE_KEY_SIZE);
                break;
            }
            if (index_get_u64(k.mv_data) > (uint64_t)before_ms)
                break;
            memcpy(ret->keys[ret->n++], k.mv_data, GRAVE_KEY_SIZE);
        }
        mdb_cursor_close(cursor);
        if (r == 0 && rc != 0 && rc != MDB_NOTFOUND)
            r = txn_failed(&t, rc, err);
    }
    txn_end_read(&t);
    return r;
}

static int forget(struct txn *t, void *ctx, struct err *err)
{
    const struct burial *b = ctx;
    int r = 0;

    for (size_t i = 0; r == 0 && i < b->n; i++)
        r = txn_remove(t, t->o->grave, str_from(b->keys[i], GRAVE_KEY_SIZE), err);
    return r;
}

static int clean_grave(struct objects *o, int64_t before_ms, struct err *err)
{
    struct burial b;
    char path[BLOB_PATH_SIZE];

    do {
        int r = find_expired(o, before_ms, &b, err);
        if (r < 0)
            return r;
        /* The file first: a crash in between leaves a grave without a file, which the next run takes away, and never a
         * file that nothing knows. */
        for (size_t i = 0; i < b.n; i++) {
            r = blob_path(o, (unsigned char *)b.keys[i] + 8, path, err);
            if (r < 0)
                return r;
            if (unlink(path) < 0 && errno != ENOENT)
                return err_set_errno(err, errno, "%s", path);
        }
        if (b.n) {
            r = commit_run(o, forget, &b, err);
            if (r < 0)
                return r;
        }
    } while (b.n == GRAVE_BATCH);
    return 0;
}

/* ---- uploads and cache ---- */

static int clean_uploads(struct objects *o, struct arena *a, struct str bucket, int64_t before_ms, struct err *err)
{
    struct str key = STR(""), id = STR("");
    bool more = true;

    while (more) {
        struct objects_upload *uploads;
        size_t n;
        int r = objects_list_uploads(o, a, bucket, STR(""), key, id, UPLOAD_BATCH, &uploads, &n, &more, err);
        if (r < 0)
            return r == ERR_NOT_FOUND ? 0 : r; /* the bucket went meanwhile */
        for (size_t i = 0; i < n; i++) {
            if (uploads[i].started_ms > before_ms)
                continue;
            r = objects_upload_abort(o, bucket, uploads[i].key, uploads[i].id, err);
            if (r < 0 && r != ERR_NOT_FOUND)
                return r;
        }
        if (n) {
            key = uploads[n - 1].key;
            id = uploads[n - 1].id;
        }
    }
    return 0;
}

static int clean_cache(struct objects *o, int64_t before_ms, struct err *err)
{
    char path[BLOB_PATH_SIZE];
    struct dirent *e;
    struct stat st;

    snprintf(path, sizeof(path), "%s/cache", o->dir);
    DIR *d = opendir(path);
    if (!d)
        return err_set_errno(err, errno, "%s", path);
    while ((e = readdir(d)))
        if (e->d_name[0] != '.' && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (int64_t)st.st_mtime * 1000 < before_ms)
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    return 0;
}

int objects_clean(struct objects *o, int64_t upload_age_s, struct err *err)
{
    ARENA_SCOPED struct arena scratch = ARENA_INIT;
    struct objects_bucket *buckets = NULL;
    size_t n = 0;
    int64_t now = clock_wall_ms(), before = now - (int64_t)OBJECTS_GRACE_S * 1000;
    int dead = 0;

    int rc = mdb_reader_check(o->env, &dead);
    if (rc)
        return env_error(rc, err);
    if (dead)
        log_info("object index: %d readers of processes that are gone", dead);
    int r = clean_staging(o, &before, err);
    if (r == 0)
        r = clean_grave(o, before, err);
    if (r == 0)
        r = clean_cache(o, before, err);
    if (r == 0 && upload_age_s > 0)
        r = objects_list_buckets(o, &scratch, &buckets, &n, err);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = clean_uploads(o, &scratch, buckets[i].name, now - upload_age_s * 1000, err);
    return r;
}
