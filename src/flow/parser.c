/* One process, one question at a time: a line out, a line in. */
#include "flow/parser.h"

#include "base/log.h"
#include "os/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MAX = 64 << 20, START_S = 60, DEFAULT_TIMEOUT_S = 30 };

struct parser {
    struct parser_options o;
    pid_t pid;
    int fd;          /* -1: no process */
    struct buf rest; /* read, but not asked for yet */
};

static void stop_process(struct parser *p)
{
    int status;

    if (p->fd < 0)
        return;
    close(p->fd);
    p->fd = -1;
    kill(-p->pid, SIGKILL);
    while (!process_reap(p->pid, &status))
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    buf_reset(&p->rest);
}

static int read_line(struct parser *p, int timeout_s, json_t **ret, struct err *err)
{
    size_t end;

    while ((end = str_find_char(buf_str(&p->rest), '\n', 0)) == SIZE_MAX) {
        struct pollfd wait = {.fd = p->fd, .events = POLLIN};
        char *room = buf_reserve(&p->rest, 64 << 10);
        int ready = room ? poll(&wait, 1, timeout_s * 1000) : 0;
        ssize_t n = ready > 0 ? recv(p->fd, room, 64 << 10, 0) : 0;
        if ((ready < 0 || n < 0) && errno == EINTR)
            continue;
        if (n <= 0) {
            stop_process(p);
            return err_set(err, ERR_UNAVAILABLE, "the parser of DAG files %s",
                           room && ready == 0 ? "did not answer in time" : "ended");
        }
        p->rest.n += (size_t)n;
    }
    int rc = json_parse(str_slice(buf_str(&p->rest), 0, end), ret, err);
    memmove(p->rest.p, p->rest.p + end + 1, p->rest.n - end - 1);
    p->rest.n -= end + 1;
    return rc;
}

static int start_process(struct parser *p, struct err *err)
{
    int ends[2];
    char home[4200];
    JSON_SCOPED json_t *ready = NULL;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_set_errno(err, errno, "no socket for the parser");
    snprintf(home, sizeof(home), "AIRFLOW_HOME=%s", p->o.home);
    const char *argv[] = {p->o.python, p->o.script, NULL};
    const char *env[] = {home,           "AIRFLOW__CORE__LOAD_EXAMPLES=False", "PATH=/usr/local/bin:/usr/bin:/bin",
                         "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1",          NULL};
    const struct process_options options = {.argv = argv,
                                            .env = env,
                                            .folder = p->o.home,
                                            .stdin_fd = ends[1],
                                            .stdout_fd = ends[1],
                                            .stderr_fd = 2,
                                            .own_group = true};
    int rc = process_start(&options, &p->pid, err);
    close(ends[1]);
    p->fd = ends[0];
    if (rc < 0) {
        close(p->fd);
        p->fd = -1;
        return err_prefix(err, "the parser of DAG files");
    }
    return read_line(p, START_S, &ready, err);
}

int parser_new(const struct parser_options *o, struct parser **ret, struct err *err)
{
    struct parser *p = calloc(1, sizeof(*p));

    if (!p)
        return err_set(err, ERR_LIMIT, "no memory for the parser");
    p->o = *o;
    p->fd = -1;
    buf_init(&p->rest, ANSWER_MAX);
    int rc = start_process(p, err);
    if (rc < 0)
        parser_free(p);
    else
        *ret = p;
    return rc;
}

void parser_free(struct parser *p)
{
    if (!p)
        return;
    stop_process(p);
    buf_release(&p->rest);
    free(p);
}

int parser_parse(struct parser *p, const char *folder, struct str bundle, struct str path, json_t **ret,
                 struct err *err)
{
    int timeout = p->o.timeout_s ? p->o.timeout_s : DEFAULT_TIMEOUT_S;
    BUF_SCOPED struct buf line;
    struct json_writer w;
    int rc = p->fd < 0 ? start_process(p, err) : 0;

    if (rc < 0)
        return rc;
    buf_init(&line, 64 << 10);
    json_writer_init(&w, &line);
    json_open_object(&w);
    json_key(&w, "parse");
    json_add_str(&w, path);
    json_key(&w, "bundle");
    json_add_str(&w, bundle);
    json_key(&w, "folder");
    json_add_cstr(&w, folder);
    json_key(&w, "timeout");
    json_add_i64(&w, timeout);
    json_close_object(&w);
    buf_add_char(&line, '\n');
    rc = buf_check(&line, "a DAG file's path", err);
    if (rc == 0 && send(p->fd, line.p, line.n, MSG_NOSIGNAL) != (ssize_t)line.n) {
        stop_process(p);
        rc = err_set(err, ERR_UNAVAILABLE, "the parser of DAG files ended");
    }
    return rc < 0 ? rc : read_line(p, timeout + START_S, ret, err);
}
