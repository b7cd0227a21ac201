/*
 * The index's LMDB environment: opening it, transactions, growth of its map, and LMDB's errors in our terms.
 *
 * The map is virtual address space, not memory and not disk; it starts large and doubles when it is full. Resizing needs
 * that this process has no transaction open, which map_lock ensures. Another process's growth is noticed by
 * MDB_MAP_RESIZED and followed. Readers that were killed leave a slot, which is freed at open and whenever slots run out;
 * a writer that was killed leaves a robust mutex, which LMDB itself recovers.
 */
#include "objects/internal.h"
#include <errno.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#if UINTPTR_MAX > 0xffffffffu
#define MAP_FIRST_SIZE ((size_t)64 << 30)
#define MAP_MAX_SIZE ((size_t)8 << 40)
#else
#define MAP_FIRST_SIZE ((size_t)256 << 20)
#define MAP_MAX_SIZE ((size_t)1 << 30)
#endif

enum { FORMAT = 1, READERS_MAX = 1000 };

int env_error(int rc, struct err *err)
{
    switch (rc) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return err_set_named(err, ERR_NO_SPACE, "XMinioStorageFull", "the disk of the object store is full: %s",
                             strerror(rc));
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_INCOMPATIBLE:
    case MDB_VERSION_MISMATCH:
        return err_set(err, ERR_CORRUPT, "the object index is damaged: %s", mdb_strerror(rc));
    case MDB_READERS_FULL:
        return err_set(err, ERR_UNAVAILABLE, "more than %d reads of the object index at once", READERS_MAX);
    case MDB_MAP_FULL:
        return err_set_named(err, ERR_NO_SPACE, "XMinioStorageFull", "the object index has reached its largest size");
    case MDB_TXN_FULL:
        return err_set(err, ERR_LIMIT, "too many changes of the object index at once");
    default:
        return err_set(err, ERR_IO, "the object index: %s", mdb_strerror(rc));
    }
}

int txn_failed(struct txn *t, int rc, struct err *err)
{
    t->failure = rc;
    return env_error(rc, err);
}

static int open_databases(struct objects *o, MDB_txn *t)
{
    const struct {
        const char *name;
        MDB_dbi *db;
    } databases[] = {{"info", &o->info},   {"buckets", &o->buckets}, {"tree", &o->tree},
                     {"parts", &o->parts}, {"blobs", &o->blobs},     {"grave", &o->grave}};

    for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++) {
        int rc = mdb_dbi_open(t, databases[i].name, MDB_CREATE, databases[i].db);
        if (rc)
            return rc;
    }
    return 0;
}

/* The format that the folder has; of a new one, writes ours. */
static int check_format(struct objects *o, MDB_txn *mdb, struct err *err)
{
    struct txn t = {.o = o, .mdb = mdb};
    struct str value;
    unsigned char ours[8];
    int r = txn_get(&t, o->info, STR("format"), &value, err);

    if (r < 0)
        return r;
    index_put_u64(ours, FORMAT);
    if (str_is_null(value))
        return txn_put(&t, o->info, STR("format"), str_from((char *)ours, sizeof(ours)), err);
    if (value.n != sizeof(ours))
        return err_set(err, ERR_CORRUPT, "the object index says its format in %zu bytes, not %zu", value.n,
                       sizeof(ours));
    uint64_t format = index_get_u64((const unsigned char *)value.p);
    if (format != FORMAT)
        return err_set(err, ERR_UNSUPPORTED, "the object index has format %llu; this program reads format %d",
                       (unsigned long long)format, FORMAT);
    return 0;
}

int env_open(struct objects *o, struct err *err)
{
    const char *path = arena_printf(&o->arena, "%s/index", o->dir).p;
    MDB_txn *t;
    int r = file_make_folders(path, 0700, err);

    if (r < 0)
        return r;
    int rc = mdb_env_create(&o->env);
    if (rc)
        return env_error(rc, err);
    rc = mdb_env_set_maxdbs(o->env, 8);
    if (!rc)
        rc = mdb_env_set_maxreaders(o->env, READERS_MAX);
    if (!rc)
        rc = mdb_env_set_mapsize(o->env, MAP_FIRST_SIZE);
    if (!rc)
        rc = mdb_env_open(o->env, path, MDB_NOTLS, 0600);
    if (!rc)
        rc = mdb_reader_check(o->env, NULL);
    if (!rc)
        rc = mdb_txn_begin(o->env, NULL, 0, &t);
    if (rc == MDB_MAP_RESIZED) {
        rc = mdb_env_set_mapsize(o->env, 0);
        if (!rc)
            rc = mdb_txn_begin(o->env, NULL, 0, &t);
    }
    if (rc) {
        env_error(rc, err);
        env_close(o);
        return err_prefix(err, "%s", path);
    }
    rc = open_databases(o, t);
    r = rc ? env_error(rc, err) : check_format(o, t, err);
    if (r == 0) {
        rc = mdb_txn_commit(t);
        r = rc ? env_error(rc, err) : file_sync_folder(path, err);
    } else {
        mdb_txn_abort(t);
    }
    if (r < 0) {
        env_close(o);
        return err_prefix(err, "%s", path);
    }
    return 0;
}

void env_close(struct objects *o)
{
    if (o->env)
        mdb_env_close(o->env);
    o->env = NULL;
}

/* Another process has made the map larger than ours. */
static int follow_growth(struct objects *o)
{
    pthread_rwlock_wrlock(&o->map_lock);
    int rc = mdb_env_set_mapsize(o->env, 0);
    pthread_rwlock_unlock(&o->map_lock);
    return rc;
}

static int begin(struct objects *o, unsigned flags, struct txn *ret, struct err *err)
{
    MDB_txn *t;
    int rc = 0;

    for (int attempt = 0; attempt < 3; attempt++) {
        pthread_rwlock_rdlock(&o->map_lock);
        rc = mdb_txn_begin(o->env, NULL, flags, &t);
        if (!rc) {
            *ret = (struct txn){.o = o, .mdb = t};
            return 0;
        }
        pthread_rwlock_unlock(&o->map_lock);
        if (rc == MDB_MAP_RESIZED)
            rc = follow_growth(o);
        else if (rc == MDB_READERS_FULL)
            rc = mdb_reader_check(o->env, NULL);
        else
            break;
        if (rc)
            break;
        rc = MDB_READERS_FULL; /* unless the next attempt knows better */
    }
    return env_error(rc, err);
}

int txn_begin_read(struct objects *o, struct txn *ret, struct err *err)
{
    return begin(o, MDB_RDONLY, ret, err);
}

void txn_end_read(struct txn *t)
{
    txn_abort(t);
}

int txn_begin_write(struct objects *o, struct txn *ret, struct err *err)
{
    return begin(o, 0, ret, err);
}

/* LMDB reports a short write, which is what a disk that fills up gives, as EIO. */
static bool is_disk_full(struct objects *o)
{
    enum { LITTLE = 1 << 20 };
    struct statvfs fs;
    struct rlimit limit;
    struct stat st;
    mdb_filehandle_t fd;

    if (mdb_env_get_fd(o->env, &fd) != 0)
        return false;
    if (fstatvfs(fd, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < LITTLE)
        return true;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && fstat(fd, &st) == 0 &&
           (rlim_t)st.st_size + LITTLE > limit.rlim_cur;
}

int txn_commit(struct txn *t, struct err *err)
{
    int rc = mdb_txn_commit(t->mdb);

    if (rc == EIO && is_disk_full(t->o))
        rc = ENOSPC;

    pthread_rwlock_unlock(&t->o->map_lock);
    t->mdb = NULL;
    return rc ? txn_failed(t, rc, err) : 0;
}

void txn_abort(struct txn *t)
{
    if (!t->mdb)
        return;
    mdb_txn_abort(t->mdb);
    t->mdb = NULL;
    pthread_rwlock_unlock(&t->o->map_lock);
}

int env_grow(struct objects *o, struct err *err)
{
    MDB_envinfo info;

    pthread_rwlock_wrlock(&o->map_lock);
    int rc = mdb_env_info(o->env, &info);
    if (!rc && info.me_mapsize > MAP_MAX_SIZE / 2)
        rc = MDB_MAP_FULL;
    if (!rc)
        rc = mdb_env_set_mapsize(o->env, info.me_mapsize * 2);
    pthread_rwlock_unlock(&o->map_lock);
    return rc ? env_error(rc, err) : 0;
}

static MDB_val val(struct str s)
{
    return (MDB_val){s.n, (void *)s.p};
}

int txn_get(struct txn *t, MDB_dbi db, struct str key, struct str *ret, struct err *err)
{
    MDB_val k = val(key), v;
    int rc = mdb_get(t->mdb, db, &k, &v);

    if (rc == MDB_NOTFOUND)
        *ret = STR_NULL;
    else if (rc == 0)
        *ret = str_from(v.mv_data, v.mv_size);
    else
        return txn_failed(t, rc, err);
    return 0;
}

int txn_put(struct txn *t, MDB_dbi db, struct str key, struct str value, struct err *err)
{
    MDB_val k = val(key), v = val(value);
    int rc = mdb_put(t->mdb, db, &k, &v, 0);

    if (rc)
        return txn_failed(t, rc, err);
    t->changes++;
    return 0;
}

int txn_remove(struct txn *t, MDB_dbi db, struct str key, struct err *err)
{
    MDB_val k = val(key);
    int rc = mdb_del(t->mdb, db, &k, NULL);

    if (rc && rc != MDB_NOTFOUND)
        return txn_failed(t, rc, err);
    t->changes++;
    return 0;
}

int txn_cursor(struct txn *t, MDB_dbi db, MDB_cursor **ret, struct err *err)
{
    int rc = mdb_cursor_open(t->mdb, db, ret);

    return rc ? txn_failed(t, rc, err) : 0;
}

int txn_next_number(struct txn *t, uint64_t *ret, struct err *err)
{
    struct str value;
    unsigned char next[8];
    int r = txn_get(t, t->o->info, STR("next"), &value, err);

    if (r < 0)
        return r;
    if (!str_is_null(value) && value.n != sizeof(next))
        return err_set(err, ERR_CORRUPT, "the object index's counter is %zu bytes, not %zu", value.n, sizeof(next));
    uint64_t n = str_is_null(value) ? 1 : index_get_u64((const unsigned char *)value.p);
    index_put_u64(next, n + 1);
    r = txn_put(t, t->o->info, STR("next"), str_from((char *)next, sizeof(next)), err);
    if (r == 0)
        *ret = n;
    return r;
}
