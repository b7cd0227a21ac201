/* Secrets in one file, DATA/secrets.json, for its owner only. */
#include "secrets/internal.h"

#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

static const char *path_of(struct secrets *s)
{
    if (!s->state)
        s->state = (char *)arena_printf(&s->arena, "%s/secrets.json", s->source.data_dir).p;
    return s->state;
}

/* An open file rather than its name: what was checked is what is read. */
static int check_mode(const char *path, const struct stat *st, struct err *err)
{
    if (!S_ISREG(st->st_mode))
        return err_set(err, ERR_DENIED, "%s: not a regular file", path);
    if (st->st_mode & 077)
        return err_set(err, ERR_DENIED, "%s: others can read the secrets (mode %03o): run chmod 600 %s", path,
                       (unsigned)(st->st_mode & 0777), path);
    if (st->st_uid != geteuid() && geteuid() != 0)
        return err_set(err, ERR_DENIED, "%s: belongs to another user (uid %u)", path, (unsigned)st->st_uid);
    return 0;
}

static int read_all(const char *path, int fd, struct buf *to, struct err *err)
{
    for (;;) {
        char *p = buf_reserve(to, 4096);
        if (!p)
            return buf_check(to, path, err);
        ssize_t n = read(fd, p, 4096);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "%s", path);
        if (n == 0)
            return 0;
        to->n += (size_t)n;
    }
}

static void wipe_buf(struct buf *b)
{
    if (b->n)
        explicit_bzero(b->p, b->n);
    buf_release(b);
}

/* The file is replaced, never written to: another content is another inode or another time. */
static void name_version(struct secrets_set *set, const struct stat *st)
{
    (void)snprintf(set->version, sizeof(set->version), "%llu-%lld.%09ld", (unsigned long long)st->st_ino,
                   (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

static int file_read_set(struct secrets *s, struct secrets_set *ret, struct err *err)
{
    const char *path = path_of(s);
    FD_SCOPED int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    JSON_SCOPED json_t *root = NULL;
    struct buf text;
    struct stat st;

    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set_errno(err, errno, "%s", path);
    int rc = check_mode(path, &st, err);
    if (rc < 0)
        return rc;
    buf_init(&text, SECRETS_SIZE_MAX);
    rc = read_all(path, fd, &text, err);
    if (rc == 0) {
        struct err why = {0};
        rc = json_parse(buf_str(&text), &root, &why);
        /* Not the parser's words, which may quote what is there. */
        if (rc < 0)
            rc = err_set(err, ERR_CORRUPT, "%s: not JSON at line %d, column %d", path, why.line, why.column);
    }
    wipe_buf(&text);
    if (rc == 0)
        rc = secrets_set_take(ret, root, path, err);
    if (rc == 0)
        name_version(ret, &st);
    return rc;
}

static int file_write_set(struct secrets *s, struct secrets_set *set, struct err *err)
{
    const char *path = path_of(s);
    struct buf text;
    struct json_writer w;
    struct stat st;

    buf_init(&text, SECRETS_SIZE_MAX);
    buf_reserve(&text, SECRETS_SIZE_MAX / 4); /* so that growing leaves no copies behind */
    json_writer_init(&w, &text);
    secrets_set_write(set, &w);
    buf_add_char(&text, '\n');
    int rc = buf_check(&text, path, err);
    if (rc == 0)
        rc = file_write_atomic(path, buf_str(&text), 0600, err);
    wipe_buf(&text);
    if (rc == 0 && stat(path, &st) < 0)
        rc = err_set_errno(err, errno, "%s", path);
    if (rc == 0)
        name_version(set, &st);
    return rc;
}

static int file_lock(struct secrets *s, int *ret_lock, struct err *err)
{
    const char *path = arena_printf(&s->arena, "%s.lock", path_of(s)).p;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set_errno(err, errno, "%s", path);
    while (flock(fd, LOCK_EX) < 0) {
        if (errno == EINTR)
            continue;
        err_set_errno(err, errno, "%s", path);
        close(fd);
        return ERR_IO;
    }
    *ret_lock = fd;
    return 0;
}

static void file_unlock(int lock)
{
    fd_close(&lock);
}

const struct secrets_place secrets_file = {file_lock, file_unlock, file_read_set, file_write_set, NULL, NULL};
