/*
 * Opening and closing the folder. Several processes may have it open, each once: LMDB's locks are a process's, so a second
 * objects_open of the same folder gives the first one's handle.
 */
#include "objects/internal.h"
#include "base/rand.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER; /* of the list and the reference counts in it */
static struct objects *open_folders;

static struct objects *find_open(const struct stat *st)
{
    for (struct objects *o = open_folders; o; o = o->next)
        if (o->device == st->st_dev && o->inode == st->st_ino)
            return o;
    return NULL;
}

static int make_folders(struct objects *o, struct err *err)
{
    static const char *const names[] = {"staging", "cache"};
    char path[BLOB_PATH_SIZE];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", o->dir, names[i]);
        int r = file_make_folders(path, 0700, err);
        if (r < 0)
            return r;
    }
    for (int i = 0; i < 256; i++) {
        snprintf(path, sizeof(path), "%s/blobs/%02x", o->dir, i);
        int r = file_make_folders(path, 0700, err);
        if (r < 0)
            return r;
    }
    snprintf(path, sizeof(path), "%s/blobs", o->dir);
    int r = file_sync_folder(path, err);
    return r < 0 ? r : file_sync_folder(o->dir, err);
}

/* The folder of what this process is writing; its lock says that the process lives. Made under the lock on `staging`,
 * which clean_staging takes too, so that nobody finds it before it is locked. */
static int make_own_folder(struct objects *o, struct err *err)
{
    char name[17];
    const char *staging = arena_printf(&o->arena, "%s/staging", o->dir).p;
    FD_SCOPED int fd = open(staging, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        return err_set_errno(err, errno, "%s", staging);
    rand_alnum(name, sizeof(name) - 1);
    o->own_dir = arena_printf(&o->arena, "%s/%s", staging, name).p;
    if (mkdir(o->own_dir, 0700) < 0)
        return blob_error(errno, err, "cannot make", o->own_dir);
    o->own_fd = open(o->own_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (o->own_fd < 0 || flock(o->own_fd, LOCK_EX | LOCK_NB) < 0)
        return err_set_errno(err, errno, "%s", o->own_dir);
    return file_sync_folder(staging, err);
}

static void release(struct objects *o)
{
    if (o->own_fd >= 0) {
        if (file_remove_tree(o->own_dir, NULL) < 0) {
            /* the next open removes it */
        }
        close(o->own_fd);
    }
    env_close(o);
    pthread_rwlock_destroy(&o->map_lock);
    arena_release(&o->arena);
    free(o);
}

/* A thread never holds it twice, so whoever resizes the map may go before readers that come later. */
static void init_map_lock(struct objects *o)
{
    pthread_rwlockattr_t attr;

    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&o->map_lock, &attr);
    pthread_rwlockattr_destroy(&attr);
}

static int open_new(const char *dir, const struct stat *st, struct objects **ret, struct err *err)
{
    struct objects *o = calloc(1, sizeof(*o));
    int64_t pins = INT64_MAX; /* nothing is buried now */

    if (!o)
        abort();
    arena_init(&o->arena, 1 << 20);
    init_map_lock(o);
    o->refs = 1;
    o->device = st->st_dev;
    o->inode = st->st_ino;
    o->own_fd = -1;
    char *real = realpath(dir, NULL); /* paths that we give out are absolute */
    if (!real || strlen(real) > 3000) {
        free(real);
        release(o);
        return err_set(err, ERR_INVALID, "%s: its absolute path can't be told, or is longer than 3000 bytes", dir);
    }
    o->dir = arena_cstr(&o->arena, str_from_cstr(real));
    free(real);
    int r = make_folders(o, err);
    if (r == 0)
        r = env_open(o, err);
    if (r == 0)
        r = make_own_folder(o, err);
    if (r == 0)
        r = clean_staging(o, &pins, err);
    if (r == 0)
        r = commit_start(o, err);
    if (r < 0) {
        release(o);
        return blob_name_full_disk(r, err);
    }
    *ret = o;
    return 0;
}

int objects_open(const char *dir, struct objects **ret, struct err *err)
{
    struct stat st;
    struct objects *o;
    int r = file_make_folders(dir, 0700, err);

    if (r < 0)
        return r;
    if (stat(dir, &st) < 0)
        return err_set_errno(err, errno, "%s", dir);
    pthread_mutex_lock(&open_lock);
    o = find_open(&st);
    if (o) {
        o->refs++;
    } else {
        r = open_new(dir, &st, &o, err);
        if (r == 0) {
            o->next = open_folders;
            open_folders = o;
        }
    }
    pthread_mutex_unlock(&open_lock);
    if (r == 0)
        *ret = o;
    return r;
}

void objects_close(struct objects *o)
{
    if (!o)
        return;
    pthread_mutex_lock(&open_lock);
    if (--o->refs == 0) {
        struct objects **at = &open_folders;
        while (*at != o)
            at = &(*at)->next;
        *at = o->next;
        commit_stop(o);
        release(o);
    }
    pthread_mutex_unlock(&open_lock);
}
