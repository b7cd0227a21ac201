/*
 * Files and folders. Durability takes more than fdatasync: a new name is durable only when its folder is synced too,
 * and a full disk may be reported as late as at close. Everything here retries EINTR and short transfers, so that
 * callers never see them.
 */
#include "os/file.h"

#include "base/rand.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

struct str path_join(struct arena *a, struct str folder, struct str name)
{
    if (folder.n == 0)
        return arena_str(a, name);
    if (name.n == 0)
        return arena_str(a, folder);
    bool has_slash = folder.p[folder.n - 1] == '/';
    return arena_printf(a, "%.*s%s%.*s", STR_ARG(folder), has_slash ? "" : "/", STR_ARG(name));
}

static int make_folder(const char *path, mode_t mode, struct err *err)
{
    struct stat st;

    if (mkdir(path, mode) == 0)
        return 0;
    if (errno != EEXIST)
        return err_set_errno(err, errno, "cannot make the folder %s", path);
    if (stat(path, &st) < 0)
        return err_set_errno(err, errno, "cannot look at %s", path);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_EXISTS, "cannot make the folder %s: a file of that name is there", path);
    return 0;
}

int file_make_folders(const char *path, mode_t mode, struct err *err)
{
    char part[PATH_MAX];
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof(part))
        return err_set(err, ERR_INVALID, "a folder's path has 1 to %d bytes, this one %zu", PATH_MAX - 1, n);
    memcpy(part, path, n + 1);
    for (size_t i = 1; i < n; i++) {
        if (part[i] != '/' || part[i - 1] == '/')
            continue;
        part[i] = '\0';
        int rc = make_folder(part, mode, err);
        if (rc < 0)
            return rc;
        part[i] = '/';
    }
    return make_folder(part, mode, err);
}

int file_read(const char *path, struct buf *to, struct err *err)
{
    FD_SCOPED int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    for (;;) {
        /* The last byte of the cap is asked for too, so that a file of exactly that size is no error. */
        size_t room = to->max - to->n;
        size_t n = room < (64 << 10) ? room : 64 << 10;
        char extra;
        char *p = n ? buf_reserve(to, n) : &extra;
        if (!p)
            return buf_check(to, path, err);
        ssize_t got = read(fd, p, n ? n : 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_errno(err, errno, "cannot read %s", path);
        if (got == 0)
            return 0;
        if (n == 0)
            return err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", path, to->max);
        to->n += (size_t)got;
    }
}

int file_write_all(int fd, const void *p, size_t n, struct err *err)
{
    const char *at = p;

    while (n > 0) {
        ssize_t done = write(fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return err_set_errno(err, errno, "cannot write %zu bytes", n);
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

int file_pread_all(int fd, void *p, size_t n, uint64_t offset, struct err *err)
{
    char *at = p;

    if (offset > INT64_MAX - n)
        return err_set(err, ERR_INVALID, "a file has no offset %llu", (unsigned long long)offset);
    while (n > 0) {
        ssize_t got = pread(fd, at, n, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_errno(err, errno, "cannot read %zu bytes", n);
        if (got == 0)
            return err_set(err, ERR_CORRUPT, "the file ends %zu bytes early", n);
        at += got;
        n -= (size_t)got;
        offset += (uint64_t)got;
    }
    return 0;
}

int file_sync(int fd, struct err *err)
{
    while (fdatasync(fd) < 0)
        if (errno != EINTR)
            return err_set_errno(err, errno, "cannot sync a file to disk");
    return 0;
}

int file_sync_folder(const char *path, struct err *err)
{
    FD_SCOPED int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_set_errno(err, errno, "cannot open the folder %s", path);
    while (fsync(fd) < 0)
        if (errno != EINTR)
            return err_set_errno(err, errno, "cannot sync the folder %s", path);
    return 0;
}

/* The temporary file's content, mode and bytes on disk, and the descriptor closed. */
static int write_new(const char *path, struct str content, mode_t mode, struct err *err)
{
    int rc = 0;
    FD_SCOPED int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

    if (fd < 0)
        return err_set_errno(err, errno, "cannot make %s", path);
    if (fchmod(fd, mode) < 0) /* whatever the umask is */
        return err_set_errno(err, errno, "cannot set the mode of %s", path);
    if ((rc = file_write_all(fd, content.p, content.n, err)) < 0 || (rc = file_sync(fd, err)) < 0)
        return err_prefix(err, "%s", path), rc;
    int closed = close(fd);
    fd = -1;
    return closed < 0 ? err_set_errno(err, errno, "cannot write %s", path) : 0;
}

int file_write_atomic(const char *path, struct str content, mode_t mode, struct err *err)
{
    char temporary[PATH_MAX], folder[PATH_MAX];
    char unique[9];
    const char *slash = strrchr(path, '/');
    size_t folder_n = slash ? (size_t)(slash - path) : 0;

    rand_alnum(unique, 8);
    int n = snprintf(temporary, sizeof(temporary), "%s.%s.tmp", path, unique);
    if (n < 0 || (size_t)n >= sizeof(temporary))
        return err_set(err, ERR_INVALID, "a file's path has at most %d bytes", PATH_MAX - 14);
    snprintf(folder, sizeof(folder), "%.*s", (int)folder_n, path);

    int rc = write_new(temporary, content, mode, err);
    if (rc == 0 && rename(temporary, path) < 0)
        rc = err_set_errno(err, errno, "cannot rename %s to %s", temporary, path);
    if (rc < 0) {
        unlink(temporary);
        return rc;
    }
    return file_sync_folder(folder_n ? folder : slash ? "/" : ".", err);
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static int remove_at(int parent, const char *name, const char *shown, int depth, struct err *err);

static int remove_entries(int fd, const char *shown, int depth, struct err *err)
{
    int rc = 0;
    struct dirent *entry;
    int own = dup(fd);
    DIR *dir = own < 0 ? NULL : fdopendir(own);

    if (!dir) {
        rc = err_set_errno(err, errno, "cannot list %s", shown);
        fd_close(&own);
        return rc;
    }
    while (rc == 0 && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = remove_at(fd, entry->d_name, shown, depth + 1, err);
    closedir(dir);
    return rc;
}

static int remove_at(int parent, const char *name, const char *shown, int depth, struct err *err)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return err_set_errno(err, errno, "cannot remove %s (in %s)", name, shown);
    if (depth > 128)
        return err_set(err, ERR_LIMIT, "cannot remove %s: folders are nested deeper than 128", shown);

    FD_SCOPED int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open %s (in %s)", name, shown);
    int rc = remove_entries(fd, shown, depth, err);
    if (rc == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        rc = err_set_errno(err, errno, "cannot remove %s (in %s)", name, shown);
    return rc;
}

int file_remove_tree(const char *path, struct err *err)
{
    return remove_at(AT_FDCWD, path, path, 0, err);
}
