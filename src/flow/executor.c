/* The launcher's process, a thread that reads what it says, and what is known of the tasks that it runs. */
#include "flow/executor.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"
#include "os/process.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1 << 20, RESTART_PAUSE_MS = 1000 };

struct executor {
    struct executor_options o;
    pthread_t thread;
    pthread_mutex_t lock; /* all below */
    pid_t pid;
    int fd;             /* both ways; -1: no launcher now */
    struct map running; /* ids, to e */
    bool is_stopping;
};

static int start_launcher(struct executor *e, struct err *err)
{
    int ends[2];
    char home[4200], dags[4200], logs[4200];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_set_errno(err, errno, "no socket for the launcher");
    snprintf(home, sizeof(home), "AIRFLOW_HOME=%s", e->o.home);
    snprintf(dags, sizeof(dags), "AIRFLOW__CORE__DAGS_FOLDER=%s", e->o.dags);
    snprintf(logs, sizeof(logs), "AIRFLOW__LOGGING__BASE_LOG_FOLDER=%s", e->o.logs);
    const char *argv[] = {e->o.python, e->o.script, NULL};
    const char *env[] = {home,
                         dags,
                         logs,
                         "AIRFLOW__CORE__LOAD_EXAMPLES=False",
                         "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL=1",
                         "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG=False",
                         "PATH=/usr/local/bin:/usr/bin:/bin",
                         "LANG=C.UTF-8",
                         "PYTHONDONTWRITEBYTECODE=1",
                         NULL};
    const struct process_options p = {.argv = argv,
                                      .env = env,
                                      .folder = e->o.home,
                                      .stdin_fd = ends[1],
                                      .stdout_fd = ends[1],
                                      .stderr_fd = 2,
                                      .own_group = true,
                                      .die_with_parent = false};
    int rc = process_start(&p, &e->pid, err);
    close(ends[1]);
    if (rc < 0) {
        close(ends[0]);
        return err_prefix(err, "the launcher");
    }
    e->fd = ends[0];
    return 0;
}

/* ---- what it says ---- */

static void task_ended(struct executor *e, struct str id, int code, int signal_number)
{
    char name[128];

    pthread_mutex_lock(&e->lock);
    bool known = map_remove(&e->running, id) != NULL && !e->is_stopping;
    pthread_mutex_unlock(&e->lock);
    if (!known || id.n >= sizeof(name))
        return;
    memcpy(name, id.p, id.n);
    name[id.n] = '\0';
    e->o.ended(e->o.ctx, name, code, signal_number);
}

static void take_line(struct executor *e, struct str line)
{
    JSON_SCOPED json_t *j = NULL;
    struct err err = {0};

    if (json_parse(line, &j, &err) < 0) {
        log_error("the launcher said what is no JSON: %s", err.message);
        return;
    }
    struct str id = json_opt_str(j, "ended", STR_NULL);
    if (!str_is_null(id))
        task_ended(e, id, (int)json_opt_i64(j, "code", 0), (int)json_opt_i64(j, "signal", 0));
    else if (json_opt_bool(j, "ready", false))
        log_info("the launcher is ready");
}

/* Until it closes its end. */
static void read_lines(struct executor *e, int fd)
{
    BUF_SCOPED struct buf text;

    buf_init(&text, LINE_MAX_BYTES);
    for (;;) {
        char *room = buf_reserve(&text, 4096);
        ssize_t n = room ? recv(fd, room, 4096, 0) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        text.n += (size_t)n;
        size_t from = 0, end;
        while ((end = str_find_char(buf_str(&text), '\n', from)) != SIZE_MAX) {
            take_line(e, str_slice(buf_str(&text), from, end - from));
            from = end + 1;
        }
        memmove(text.p, text.p + from, text.n - from);
        text.n -= from;
    }
}

/* The launcher died: so did all that it ran, since they die with it. */
static void end_all(struct executor *e)
{
    VEC(char *) ids = {0};

    pthread_mutex_lock(&e->lock);
    for (struct map_entry *m = NULL; (m = map_next(&e->running, m));)
        vec_push(&ids, strndup(m->key.p, m->key.n));
    pthread_mutex_unlock(&e->lock);
    for (size_t i = 0; i < ids.n; i++) {
        task_ended(e, str_from_cstr(ids.items[i]), 0, SIGKILL);
        free(ids.items[i]);
    }
    vec_release(&ids);
}

static void *serve(void *executor)
{
    struct executor *e = executor;
    const struct timespec pause = {.tv_sec = RESTART_PAUSE_MS / 1000};

    for (;;) {
        pthread_mutex_lock(&e->lock);
        int fd = e->fd;
        pid_t pid = e->pid;
        bool stop = e->is_stopping;
        pthread_mutex_unlock(&e->lock);
        if (stop)
            return NULL;
        if (fd >= 0) {
            int status = 0;
            read_lines(e, fd);
            pthread_mutex_lock(&e->lock);
            close(e->fd);
            e->fd = -1;
            stop = e->is_stopping;
            pthread_mutex_unlock(&e->lock);
            kill(-pid, SIGKILL);
            while (!process_reap(pid, &status))
                nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
            if (!stop) {
                char how[100];
                process_describe_status(status, how, sizeof(how));
                log_error("the launcher ended: %s; it is started again", how);
            }
            end_all(e);
        }
        if (stop)
            return NULL;
        struct err err = {0};
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&e->lock);
        if (!e->is_stopping && start_launcher(e, &err) < 0)
            log_error("%s", err.message);
        pthread_mutex_unlock(&e->lock);
    }
}

/* ---- from outside ---- */

int executor_new(const struct executor_options *o, struct executor **ret, struct err *err)
{
    struct executor *e = calloc(1, sizeof(*e));

    if (!e)
        return err_set(err, ERR_LIMIT, "no memory for the launcher");
    e->o = *o;
    e->fd = -1;
    pthread_mutex_init(&e->lock, NULL);
    int rc = start_launcher(e, err);
    if (rc == 0 && (rc = pthread_create(&e->thread, NULL, serve, e)) != 0)
        rc = err_set_errno(err, rc, "no thread for the launcher");
    if (rc < 0) {
        pthread_mutex_destroy(&e->lock);
        free(e);
        return rc;
    }
    *ret = e;
    return 0;
}

void executor_free(struct executor *e)
{
    if (!e)
        return;
    pthread_mutex_lock(&e->lock);
    e->is_stopping = true;
    if (e->fd >= 0)
        shutdown(e->fd, SHUT_RDWR);
    if (e->pid > 0)
        kill(-e->pid, SIGKILL);
    pthread_mutex_unlock(&e->lock);
    pthread_join(e->thread, NULL);
    map_release(&e->running);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static int send_all(int fd, struct str text, struct err *err)
{
    while (text.n) {
        ssize_t n = send(fd, text.p, text.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "the launcher takes no task");
        text = str_skip(text, (size_t)n);
    }
    return 0;
}

int executor_run(struct executor *e, const char *id, struct str message, struct err *err)
{
    int rc;

    pthread_mutex_lock(&e->lock);
    if (e->fd < 0) {
        rc = err_set(err, ERR_UNAVAILABLE, "the launcher is being started");
    } else {
        map_set(&e->running, str_from_cstr(id), e);
        rc = send_all(e->fd, message, err);
        if (rc < 0)
            map_remove(&e->running, str_from_cstr(id));
    }
    pthread_mutex_unlock(&e->lock);
    return rc;
}

void executor_kill(struct executor *e, const char *id)
{
    char message[128];

    snprintf(message, sizeof(message), "{\"kill\": \"%s\"}\n", id);
    pthread_mutex_lock(&e->lock);
    struct err err = {0};
    if (e->fd >= 0 && map_has(&e->running, str_from_cstr(id)) && send_all(e->fd, str_from_cstr(message), &err) < 0)
        log_warn("%s", err.message);
    pthread_mutex_unlock(&e->lock);
}
