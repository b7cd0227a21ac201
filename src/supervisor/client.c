/* The other side of the control socket, and of the lock; reading the end of a log. */
#include "supervisor/internal.h"

#include "base/clock.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

enum { LOOK_MS = 5, TAIL_MAX = 1 << 20 };

static int connect_to(const char *data_dir, int *ret, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[4200], path[CONTROL_PATH_SIZE];

    snprintf(folder, sizeof(folder), "%s/run", data_dir);
    FD_SCOPED int run_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (run_fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "the platform in %s is not running", data_dir);
    if (run_fd < 0)
        return err_set_errno(err, errno, "%s", folder);
    control_path(run_fd, path);
    memcpy(address.sun_path, path, sizeof(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "no socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        int rc = errno == ENOENT || errno == ECONNREFUSED
                     ? err_set(err, ERR_NOT_FOUND, "the platform in %s is not running", data_dir)
                     : err_set_errno(err, errno, "%s/control", folder);
        close(fd);
        return rc;
    }
    *ret = fd;
    return 0;
}

static int receive(int fd, struct buf *to, int timeout_ms, struct err *err)
{
    int64_t deadline = clock_mono_ms() + timeout_ms;

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = deadline - clock_mono_ms();
        if (left <= 0)
            return err_set(err, ERR_TIMEOUT, "the supervisor did not answer within %d s", timeout_ms / 1000);
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        char *room = buf_reserve(to, 4096);
        if (!room)
            return buf_check(to, "the supervisor's answer", err);
        ssize_t n = recv(fd, room, 4096, 0);
        if (n < 0 && errno == EINTR)
            continue;
        /* It took no notice of the request: see supervisor_request(). */
        if (n < 0 && errno == ECONNRESET && to->n == 0)
            return err_set(err, ERR_UNAVAILABLE, "the supervisor takes no request");
        if (n < 0)
            return err_set_errno(err, errno, "the supervisor's answer broke off");
        if (n == 0)
            return 0;
        to->n += (size_t)n;
    }
}

/* One connection: sends the request, fills `text` with the answer. ERR_UNAVAILABLE: nobody read the request. */
static int exchange(const char *data_dir, struct str request, int timeout_ms, struct buf *text, struct err *err)
{
    FD_SCOPED int fd = -1;
    int rc = connect_to(data_dir, &fd, err);

    if (rc < 0)
        return rc;
    ssize_t n = send(fd, request.p, request.n, MSG_NOSIGNAL);
    if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
        return err_set(err, ERR_UNAVAILABLE, "the supervisor takes no request");
    if (n != (ssize_t)request.n)
        return err_set_errno(err, errno, "the supervisor takes no request");
    return receive(fd, text, timeout_ms, err);
}

int supervisor_request(const char *data_dir, const char *what, const char *service, int timeout_ms, json_t **ret,
                       struct err *err)
{
    BUF_SCOPED struct buf request, text;
    JSON_SCOPED json_t *answer = NULL;
    struct json_writer w;
    int64_t deadline = clock_mono_ms() + timeout_ms;
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    int rc;

    buf_init(&request, ANSWER_MAX);
    buf_init(&text, ANSWER_MAX);
    json_writer_init(&w, &request);
    json_open_object(&w);
    json_key(&w, "do");
    json_add_cstr(&w, what);
    if (service) {
        json_key(&w, "service");
        json_add_cstr(&w, service);
    }
    json_close_object(&w);
    buf_add_char(&request, '\n');
    /* A connection that is reset unread was to a supervisor with too many clients, or to one that was killed while a
     * service that it had just forked still shared its socket: try again; the next one is taken or refused. */
    for (;;) {
        int64_t left = deadline - clock_mono_ms();
        rc = exchange(data_dir, buf_str(&request), left > 0 ? (int)left : 0, &text, err);
        if (rc != ERR_UNAVAILABLE || left <= 0)
            break;
        nanosleep(&pause, NULL);
    }
    if (rc < 0)
        return rc;
    /* One that is killed in mid-request closes without a word. */
    if (text.n == 0)
        return err_set(err, ERR_UNAVAILABLE, "the supervisor ended before it answered");
    rc = json_parse(buf_str(&text), &answer, err);
    if (rc < 0)
        return rc;
    struct str refusal = json_opt_str(answer, "error", STR_NULL);
    if (!str_is_null(refusal))
        return err_set(err, ERR_INVALID, "%.*s", STR_ARG(refusal));
    *ret = json_incref(answer);
    return 0;
}

int supervisor_wait_gone(const char *data_dir, int timeout_ms, struct err *err)
{
    char path[4200];
    int64_t deadline = clock_mono_ms() + timeout_ms;
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};

    snprintf(path, sizeof(path), "%s/run/lock", data_dir);
    FD_SCOPED int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, errno, "%s", path);
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (clock_mono_ms() >= deadline)
            return err_set(err, ERR_TIMEOUT, "the supervisor did not end within %d s", timeout_ms / 1000);
        nanosleep(&pause, NULL);
    }
    return 0;
}

int supervisor_log_tail(const char *data_dir, const char *service, size_t lines, struct buf *to, struct err *err)
{
    char path[4200];
    struct stat st;

    snprintf(path, sizeof(path), "%s/logs/%s.log", data_dir, service);
    FD_SCOPED int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set_errno(err, errno, "%s", path);
    size_t n = st.st_size > TAIL_MAX ? TAIL_MAX : (size_t)st.st_size;
    char *p = malloc(n + 1);
    if (!p)
        abort();
    int rc = file_pread_all(fd, p, n, (uint64_t)st.st_size - n, err);
    size_t from = n;
    for (size_t seen = 0; rc == 0 && from > 0; from--) {
        if (p[from - 1] == '\n' && from < n && ++seen == lines)
            break;
    }
    if (rc == 0)
        buf_append(to, p + from, n - from);
    free(p);
    return rc;
}
