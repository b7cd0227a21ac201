/* NAME.log, and behind it NAME.log.1 to .3, each at most `max` bytes and the line that crossed it. */
#include "supervisor/internal.h"

#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { OLD_LOGS = 3 };

static int open_file(struct logfile *l, struct err *err)
{
    struct stat st;

    l->fd = open(l->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (l->fd < 0 || fstat(l->fd, &st) < 0)
        return err_set_errno(err, errno, "%s", l->path);
    l->size = (uint64_t)st.st_size;
    return 0;
}

int logfile_open(struct logfile *l, const char *path, uint64_t max, struct err *err)
{
    l->path = strdup(path);
    if (!l->path)
        abort();
    l->max = max;
    return open_file(l, err);
}

void logfile_close(struct logfile *l)
{
    if (l->path && l->fd >= 0)
        close(l->fd);
    free(l->path);
    l->path = NULL;
    l->fd = -1;
}

static void rotate(struct logfile *l)
{
    char from[4200], to[4200];
    struct err err = {0};

    close(l->fd);
    for (int i = OLD_LOGS; i > 0; i--) {
        snprintf(to, sizeof(to), "%s.%d", l->path, i);
        snprintf(from, sizeof(from), i > 1 ? "%s.%d" : "%s", l->path, i - 1);
        (void)!rename(from, to); /* one that isn't there yet */
    }
    if (open_file(l, &err) < 0)
        l->fd = -1;
}

void logfile_write(struct logfile *l, const char *p, size_t n)
{
    /* Between two writes of the service, so that its lines stay whole. */
    if (l->fd >= 0 && l->size >= l->max && l->size > 0)
        rotate(l);
    if (l->fd < 0)
        return;
    if (file_write_all(l->fd, p, n, NULL) == 0)
        l->size += n;
}
