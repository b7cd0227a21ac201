/*
 * The control socket: one JSON object a line in, one out, then the connection is closed. The socket's folder is
 * 0700 and the socket 0600, so who can talk to it is who could kill the processes anyway.
 */
#include "supervisor/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LAST_ANSWER_MS = 500 };

void control_path(int run_fd, char out[CONTROL_PATH_SIZE])
{
    snprintf(out, CONTROL_PATH_SIZE, "/proc/self/fd/%d/control", run_fd);
}

int control_listen(struct supervisor *sup, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[CONTROL_PATH_SIZE];
    int rc = 0;

    control_path(sup->run_fd, path);
    memcpy(address.sun_path, path, sizeof(path));
    /* A name that a killed supervisor left. We hold the lock, so nobody listens there. */
    unlink(path);
    sup->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t before = umask(0177);
    if (sup->listen_fd < 0 || bind(sup->listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(sup->listen_fd, CLIENTS_MAX) < 0)
        rc = err_set_errno(err, errno, "%s/control", sup->run_dir);
    umask(before);
    return rc;
}

void control_accept(struct supervisor *sup)
{
    int fd = accept4(sup->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = &sup->clients[i];
        if (c->fd >= 0)
            continue;
        c->fd = fd;
        c->wait = CLIENT_READS;
        c->n = c->written = 0;
        c->service = NULL;
        buf_init(&c->answer, ANSWER_MAX);
        return;
    }
    close(fd);
}

static void drop(struct client *c)
{
    close(c->fd);
    c->fd = -1;
    buf_release(&c->answer);
}

static void send_answer(struct client *c)
{
    c->wait = CLIENT_WRITES;
    while (c->written < c->answer.n) {
        ssize_t n = send(c->fd, c->answer.p + c->written, c->answer.n - c->written, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            break;
        c->written += (size_t)n;
    }
    drop(c);
}

static void answer_error(struct client *c, const char *message)
{
    struct json_writer w;

    json_writer_init(&w, &c->answer);
    json_open_object(&w);
    json_key(&w, "error");
    json_add_cstr(&w, message);
    json_close_object(&w);
    buf_add_char(&c->answer, '\n');
    send_answer(c);
}

static void write_service(struct json_writer *w, const struct service *s)
{
    int64_t now = clock_mono_ms();

    json_open_object(w);
    json_key(w, "name");
    json_add_cstr(w, s->def->name);
    json_key(w, "state");
    json_add_cstr(w, service_state_name(s->state));
    json_key(w, "reason");
    json_add_cstr(w, s->reason[0] ? s->reason : NULL);
    json_key(w, "pid");
    if (s->pid)
        json_add_i64(w, s->pid);
    else
        json_add_null(w);
    json_key(w, "address");
    json_add_cstr(w, s->def->address);
    json_key(w, "port");
    json_add_i64(w, s->def->port);
    json_key(w, "restarts");
    json_add_i64(w, s->restarts);
    json_key(w, "uptimeMs");
    json_add_i64(w, s->pid ? now - s->started_at : 0);
    json_key(w, "memoryBytes");
    json_add_u64(w, s->pid ? process_pss(s->pid) : 0);
    json_close_object(w);
}

static void answer_status(struct supervisor *sup, struct client *c)
{
    struct json_writer w;

    json_writer_init(&w, &c->answer);
    json_open_object(&w);
    json_key(&w, "healthy");
    json_add_bool(&w, supervisor_is_healthy(sup));
    json_key(&w, "digest");
    json_add_cstr(&w, sup->options->digest);
    json_key(&w, "pid");
    json_add_i64(&w, getpid());
    json_key(&w, "uptimeMs");
    json_add_i64(&w, clock_mono_ms() - sup->started_at);
    json_key(&w, "memoryBytes");
    json_add_u64(&w, process_pss(getpid()));
    json_key(&w, "services");
    json_open_array(&w);
    for (size_t i = 0; i < sup->n; i++)
        write_service(&w, &sup->services[i]);
    json_close_array(&w);
    json_close_object(&w);
    buf_add_char(&c->answer, '\n');
    send_answer(c);
}

static void take_request(struct supervisor *sup, struct client *c)
{
    JSON_SCOPED json_t *request = NULL;
    struct err err = {0};
    struct str what, name;

    if (json_parse(str_from(c->request, c->n), &request, &err) < 0) {
        answer_error(c, "the request is not JSON");
        return;
    }
    what = json_opt_str(request, "do", STR(""));
    name = json_opt_str(request, "service", STR(""));
    if (str_eq(what, STR("status"))) {
        answer_status(sup, c);
    } else if (str_eq(what, STR("wait"))) {
        c->wait = CLIENT_WAITS_SETTLED;
    } else if (str_eq(what, STR("down"))) {
        log_info("asked to stop");
        sup->stopping = true;
        c->wait = CLIENT_WAITS_DOWN;
    } else if (str_eq(what, STR("restart"))) {
        for (size_t i = 0; i < sup->n; i++) {
            if (str_eq_cstr(name, sup->services[i].def->name))
                c->service = &sup->services[i];
        }
        if (!c->service) {
            answer_error(c, "there is no such service");
            return;
        }
        if (sup->stopping) {
            answer_error(c, "the platform is stopping");
            return;
        }
        log_info("asked to restart %s", c->service->def->name);
        service_restart(sup, c->service);
        c->wait = CLIENT_WAITS_SERVICE;
    } else {
        answer_error(c, "there is no such request");
    }
}

void control_ready(struct supervisor *sup, struct client *c, short events)
{
    if (c->wait == CLIENT_WRITES) {
        send_answer(c);
        return;
    }
    if (c->wait != CLIENT_READS) {
        if (events & (POLLHUP | POLLERR))
            drop(c);
        return;
    }
    ssize_t n = recv(c->fd, c->request + c->n, sizeof(c->request) - c->n, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop(c);
        return;
    }
    c->n += (size_t)n;
    if (memchr(c->request, '\n', c->n))
        take_request(sup, c);
    else if (c->n == sizeof(c->request))
        answer_error(c, "the request is too long");
}

void control_notify(struct supervisor *sup)
{
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = &sup->clients[i];
        if (c->fd < 0)
            continue;
        if (c->wait == CLIENT_WAITS_SETTLED && supervisor_is_settled(sup))
            answer_status(sup, c);
        else if (c->wait == CLIENT_WAITS_SERVICE &&
                 (c->service->state == SERVICE_HEALTHY || c->service->state == SERVICE_FAILED))
            answer_status(sup, c);
        else if (sup->stopping && (c->wait == CLIENT_WAITS_SETTLED || c->wait == CLIENT_WAITS_SERVICE))
            answer_error(c, "the platform is stopping");
    }
}

void control_close(struct supervisor *sup)
{
    char path[CONTROL_PATH_SIZE];
    const struct timeval patience = {.tv_usec = LAST_ANSWER_MS * 1000L};

    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = &sup->clients[i];
        if (c->fd < 0)
            continue;
        /* The loop is over: these last bytes may block, for a moment. */
        fcntl(c->fd, F_SETFL, 0);
        setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        if (c->wait == CLIENT_WAITS_DOWN)
            answer_status(sup, c);
        else if (c->wait == CLIENT_WRITES)
            send_answer(c);
        if (c->fd >= 0)
            drop(c);
    }
    if (sup->listen_fd < 0)
        return;
    close(sup->listen_fd);
    sup->listen_fd = -1;
    control_path(sup->run_fd, path);
    unlink(path);
}
