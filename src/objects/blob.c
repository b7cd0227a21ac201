/*
 * Blobs: one immutable file for the bytes of one version, DIR/blobs/xx/ID, xx being the first two digits of the ID.
 *
 * A blob is born as DIR/staging/OWNER/ID, where OWNER is its process's folder. When all bytes are there it gets its final
 * name by a hard link, is synced (file, then folder), and is named by a record of the index in a transaction. Only then
 * the name in staging goes. So a name that a dead process left in staging tells that the blob may be an orphan: whether
 * it is, `blobs` in the index knows, which counts the records that name each blob. No scan of all blobs is ever needed.
 *
 * When the last record is gone the blob goes to the grave, and objects_clean unlinks it after OBJECTS_GRACE_S.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/rand.h"
#include "objects/internal.h"
#include <errno.h>
#include <fcntl.h>

/* The kernel is told to write back each time that so much has been written, so that the sync at the end is short. */
enum { WRITE_BACK_BYTES = 8 << 20 };

int blob_name_full_disk(int rc, struct err *err)
{
    if (rc == ERR_NO_SPACE && err)
        err->name = "XMinioStorageFull";
    return rc;
}

int blob_error(int errnum, struct err *err, const char *what, const char *path)
{
    if (errnum == EFBIG) /* a limit on the file's size is as good as a full disk */
        return blob_name_full_disk(err_set(err, ERR_NO_SPACE, "%s %s: %s", what, path, strerror(errnum)), err);
    return blob_name_full_disk(err_set_errno(err, errnum, "%s %s", what, path), err);
}

static void id_text(const unsigned char id[INDEX_ID_SIZE], char out[2 * INDEX_ID_SIZE + 1])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < INDEX_ID_SIZE; i++) {
        out[2 * i] = digits[id[i] >> 4];
        out[2 * i + 1] = digits[id[i] & 15];
    }
    out[2 * (size_t)INDEX_ID_SIZE] = '\0';
}

static int fits(int n, struct err *err)
{
    if (n < 0 || n >= BLOB_PATH_SIZE)
        return err_set(err, ERR_INVALID, "the object store's folder has too long a path");
    return 0;
}

int blob_path(struct objects *o, const unsigned char id[INDEX_ID_SIZE], char out[BLOB_PATH_SIZE], struct err *err)
{
    char text[2 * INDEX_ID_SIZE + 1];

    id_text(id, text);
    return fits(snprintf(out, BLOB_PATH_SIZE, "%s/blobs/%.2s/%s", o->dir, text, text), err);
}

int blob_create(struct objects *o, struct blob *ret, struct err *err)
{
    char text[2 * INDEX_ID_SIZE + 1];

    ret->fd = -1;
    ret->written = ret->started = 0;
    rand_bytes(ret->id, INDEX_ID_SIZE);
    id_text(ret->id, text);
    int r = fits(snprintf(ret->staged, sizeof(ret->staged), "%s/%s", o->own_dir, text), err);
    if (r < 0)
        return r;
    ret->fd = open(ret->staged, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (ret->fd < 0)
        return blob_error(errno, err, "cannot create", ret->staged);
    return 0;
}

int blob_append(struct blob *b, struct str bytes, struct err *err)
{
    while (bytes.n) {
        ssize_t n = write(b->fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return blob_error(errno, err, "cannot write", b->staged);
        bytes = str_skip(bytes, (size_t)n);
        b->written += (uint64_t)n;
    }
    if (b->written - b->started >= WRITE_BACK_BYTES) {
        /* a hint: its failure shows at the sync */
        sync_file_range(b->fd, (off_t)b->started, (off_t)(b->written - b->started), SYNC_FILE_RANGE_WRITE);
        b->started = b->written;
    }
    return 0;
}

int blob_settle(struct objects *o, struct blob *b, struct err *err)
{
    char path[BLOB_PATH_SIZE], folder[BLOB_PATH_SIZE];
    int r = blob_path(o, b->id, path, err);

    if (r < 0)
        return r;
    if (link(b->staged, path) < 0)
        return blob_error(errno, err, "cannot make", path);
    r = file_sync(b->fd, err);
    if (r == 0) {
        snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
        r = file_sync_folder(folder, err);
    }
    return r < 0 ? blob_name_full_disk(r, err) : 0;
}

void blob_finish(struct blob *b)
{
    if (b->fd >= 0)
        close(b->fd);
    b->fd = -1;
    unlink(b->staged);
}

void blob_discard(struct objects *o, struct blob *b)
{
    char path[BLOB_PATH_SIZE];

    if (blob_path(o, b->id, path, NULL) == 0)
        unlink(path);
    blob_finish(b);
}

int blob_open(struct objects *o, const unsigned char id[INDEX_ID_SIZE], uint64_t size, int *ret_fd, struct err *err)
{
    char path[BLOB_PATH_SIZE];
    struct stat st;
    int r = blob_path(o, id, path, err);

    if (r < 0)
        return r;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ENOENT)
            return err_set(err, ERR_CORRUPT, "the object's bytes are missing: the index names %s", path);
        return err_set_errno(err, errno, "%s", path);
    }
    if (fstat(fd, &st) < 0 || (uint64_t)st.st_size != size) {
        close(fd);
        return err_set(err, ERR_CORRUPT, "%s: its size isn't the index's %llu bytes", path, (unsigned long long)size);
    }
    *ret_fd = fd;
    return 0;
}

/* ---- how many records name a blob ---- */

static struct str id_str(const struct index_data *d)
{
    return str_from((const char *)d->id, INDEX_ID_SIZE);
}

static int get_count(struct txn *t, const struct index_data *d, uint64_t *ret, struct err *err)
{
    struct str value;
    int r = txn_get(t, t->o->blobs, id_str(d), &value, err);

    if (r < 0)
        return r;
    if (!str_is_null(value) && value.n != 8)
        return err_set(err, ERR_CORRUPT, "the index counts a blob's names in %zu bytes, not 8", value.n);
    *ret = str_is_null(value) ? 0 : index_get_u64((const unsigned char *)value.p);
    return 0;
}

static int put_count(struct txn *t, const struct index_data *d, uint64_t n, struct err *err)
{
    unsigned char value[8];

    index_put_u64(value, n);
    return txn_put(t, t->o->blobs, id_str(d), str_from((char *)value, sizeof(value)), err);
}

int blob_ref(struct txn *t, const struct index_data *d, struct err *err)
{
    uint64_t n;

    if (d->is_inline)
        return 0;
    int r = get_count(t, d, &n, err);
    return r < 0 ? r : put_count(t, d, n + 1, err);
}

int blob_unref(struct txn *t, const struct index_data *d, struct err *err)
{
    struct index_data copy = *d; /* its id may lie in the map, which changes */
    unsigned char key[8 + INDEX_ID_SIZE];
    uint64_t n;

    if (copy.is_inline)
        return 0;
    int r = get_count(t, &copy, &n, err);
    if (r < 0)
        return r;
    if (n > 1)
        return put_count(t, &copy, n - 1, err);
    r = txn_remove(t, t->o->blobs, id_str(&copy), err);
    if (r < 0)
        return r;
    index_put_u64(key, (uint64_t)clock_wall_ms());
    memcpy(key + 8, copy.id, INDEX_ID_SIZE);
    return txn_put(t, t->o->grave, str_from((char *)key, sizeof(key)), STR(""), err);
}
