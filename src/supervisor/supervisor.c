/*
 * The loop. One thread: every wait is in poll, every action is short. What happens when is decided in two places:
 * service.c says what a service does next, `advance` below which services may start or have to stop now.
 */
#include "supervisor/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "os/file.h"
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { START_TIMEOUT_MS = 60000, GRACE_MS = 15000, PROBE_MS = 5000, PROBE_TIMEOUT_MS = 5000, LEFTOVER_MS = 10000 };
enum { LOG_MAX = 10 << 20, UPKEEP_MS = 3600 * 1000 };
enum { POLL_MAX = 2 + CLIENTS_MAX + 2 * SUPERVISOR_SERVICES_MAX };

bool supervisor_is_healthy(const struct supervisor *sup)
{
    for (size_t i = 0; i < sup->n; i++) {
        if (sup->services[i].state != SERVICE_HEALTHY)
            return false;
    }
    return true;
}

bool supervisor_is_settled(const struct supervisor *sup)
{
    for (size_t i = 0; i < sup->n; i++) {
        if (sup->services[i].state == SERVICE_FAILED)
            return true;
    }
    return supervisor_is_healthy(sup);
}

static bool needs(const struct service *s, const struct service *other)
{
    for (const char *const *n = s->def->needs; *n; n++) {
        if (strcmp(*n, other->def->name) == 0)
            return true;
    }
    return false;
}

bool supervisor_needs_are_met(const struct supervisor *sup, const struct service *s)
{
    for (size_t i = 0; i < sup->n; i++) {
        if (needs(s, &sup->services[i]) && sup->services[i].state != SERVICE_HEALTHY)
            return false;
    }
    return true;
}

bool supervisor_is_unneeded(const struct supervisor *sup, const struct service *s)
{
    for (size_t i = 0; i < sup->n; i++) {
        if (needs(&sup->services[i], s) && service_is_running(&sup->services[i]))
            return false;
    }
    return true;
}

/* Starts what may start, stops what has to; true when all is stopped for good. */
static bool advance(struct supervisor *sup)
{
    bool all_stopped = true;

    for (size_t i = 0; i < sup->n; i++) {
        struct service *s = &sup->services[i];
        if (!sup->stopping && s->state == SERVICE_WAITING && supervisor_needs_are_met(sup, s))
            service_start(sup, s);
        if (sup->stopping) {
            s->start_again = false;
            if (!service_is_running(s) || supervisor_is_unneeded(sup, s))
                service_stop(sup, s);
        }
        all_stopped = all_stopped && !service_is_running(s);
    }
    return sup->stopping && all_stopped;
}

static void keep_up(struct supervisor *sup)
{
    if (!sup->options->upkeep)
        return;
    sup->upkeep_at = clock_mono_ms() + sup->options->upkeep_ms;
    sup->options->upkeep(sup->options->ctx);
}

static void read_signals(struct supervisor *sup)
{
    struct signalfd_siginfo info;

    while (read(sup->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGCHLD || sup->stopping)
            continue;
        if (info.ssi_signo == SIGHUP && !sup->options->echo) {
            keep_up(sup);
            for (size_t i = 0; i < sup->n; i++)
                if (service_is_running(&sup->services[i]))
                    kill(sup->services[i].pid, SIGHUP);
            continue;
        }
        log_info("stopping at signal %u", info.ssi_signo);
        sup->stopping = true;
    }
    /* Several deaths may have made one SIGCHLD. */
    for (size_t i = 0; i < sup->n; i++) {
        int status;
        if (service_is_running(&sup->services[i]) && process_reap(sup->services[i].pid, &status))
            service_died(sup, &sup->services[i], status);
    }
}

static int next_timeout(const struct supervisor *sup)
{
    int64_t at = sup->upkeep_at, now = clock_mono_ms();

    for (size_t i = 0; i < sup->n; i++) {
        if (sup->services[i].wake_at < at)
            at = sup->services[i].wake_at;
    }
    if (at == INT64_MAX)
        return -1;
    return at <= now ? 0 : at - now > 60000 ? 60000 : (int)(at - now);
}

static void add_poll(struct pollfd *fds, int *n, int fd, short events)
{
    fds[(*n)++] = (struct pollfd){.fd = fd, .events = events};
}

/* Waits for the next thing to happen and handles all that did. A negative fd is skipped by poll, so that each
 * thing has its fixed place. */
static void turn(struct supervisor *sup)
{
    struct pollfd fds[POLL_MAX];
    int n = 0;

    add_poll(fds, &n, sup->signal_fd, POLLIN);
    add_poll(fds, &n, sup->listen_fd, POLLIN);
    for (int i = 0; i < CLIENTS_MAX; i++) {
        const struct client *c = &sup->clients[i];
        add_poll(fds, &n, c->fd, c->wait == CLIENT_READS ? POLLIN : c->wait == CLIENT_WRITES ? POLLOUT : 0);
    }
    for (size_t i = 0; i < sup->n; i++) {
        const struct service *s = &sup->services[i];
        add_poll(fds, &n, s->output, POLLIN);
        add_poll(fds, &n, s->probe.fd, s->probe.fd >= 0 ? probe_events(&s->probe) : 0);
    }
    if (poll(fds, (nfds_t)n, next_timeout(sup)) < 0)
        return; /* EINTR: nothing is lost, the next turn sees it */

    n = 2;
    for (int i = 0; i < CLIENTS_MAX; i++, n++) {
        if (fds[n].revents && sup->clients[i].fd == fds[n].fd)
            control_ready(sup, &sup->clients[i], fds[n].revents);
    }
    for (size_t i = 0; i < sup->n; i++, n += 2) {
        struct service *s = &sup->services[i];
        if (fds[n].revents && s->output == fds[n].fd)
            service_read_output(sup, s);
        if (fds[n + 1].revents && s->probe.fd == fds[n + 1].fd)
            service_probed(sup, s);
    }
    if (fds[0].revents)
        read_signals(sup);
    if (fds[1].revents)
        control_accept(sup);
    for (size_t i = 0; i < sup->n; i++) {
        if (sup->services[i].wake_at <= clock_mono_ms())
            service_wake(sup, &sup->services[i]);
    }
    if (sup->upkeep_at <= clock_mono_ms())
        keep_up(sup);
}

static void say_settled(struct supervisor *sup)
{
    if (sup->settled_said || sup->stopping || !supervisor_is_settled(sup))
        return;
    sup->settled_said = true;
    if (sup->options->on_settled)
        sup->options->on_settled(sup->options->ctx, supervisor_is_healthy(sup));
}

static void loop(struct supervisor *sup)
{
    for (;;) {
        bool done = advance(sup);
        if (sup->changed) {
            sup->changed = false;
            control_notify(sup);
            say_settled(sup);
        }
        if (done)
            return;
        /* What was asked for since the last turn, "wait" on a settled platform, is answered by this. */
        turn(sup);
        control_notify(sup);
    }
}

static int take_lock(struct supervisor *sup, struct err *err)
{
    char path[4200];

    snprintf(path, sizeof(path), "%s/lock", sup->run_dir);
    sup->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (sup->lock_fd < 0)
        return err_set_errno(err, errno, "%s", path);
    if (flock(sup->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK
                   ? err_set(err, ERR_CONFLICT, "another supervisor runs the platform in %s", sup->options->data_dir)
                   : err_set_errno(err, errno, "%s", path);
    return 0;
}

static int set_up(struct supervisor *sup, struct err *err)
{
    char path[4200];
    sigset_t signals;

    int rc = file_make_folders(sup->run_dir, 0700, err);
    if (rc == 0)
        rc = file_make_folders(sup->logs_dir, 0700, err);
    if (rc == 0)
        rc = take_lock(sup, err);
    if (rc == 0)
        rc = leftover_end(sup->run_dir, LEFTOVER_MS, err);
    if (rc < 0)
        return rc;
    sup->run_fd = open(sup->run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (sup->run_fd < 0)
        return err_set_errno(err, errno, "%s", sup->run_dir);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    sup->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (sup->signal_fd < 0)
        return err_set_errno(err, errno, "no signal descriptor");
    for (size_t i = 0; i < sup->n; i++) {
        snprintf(path, sizeof(path), "%s/%s.log", sup->logs_dir, sup->services[i].def->name);
        rc = logfile_open(&sup->services[i].log, path, sup->options->log_max, err);
        if (rc < 0)
            return rc;
    }
    return control_listen(sup, err);
}

static void fd_drop(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void tear_down(struct supervisor *sup)
{
    control_close(sup);
    for (size_t i = 0; i < sup->n; i++)
        logfile_close(&sup->services[i].log);
    fd_drop(sup->signal_fd);
    fd_drop(sup->run_fd);
    fd_drop(sup->lock_fd); /* last: who waits for it finds all done */
    probe_release_all();
    free(sup->run_dir);
    free(sup->logs_dir);
    free(sup);
}

static struct supervisor *supervisor_new(const struct supervisor_options *o)
{
    struct supervisor *sup = calloc(1, sizeof(*sup));

    if (!sup || asprintf(&sup->run_dir, "%s/run", o->data_dir) < 0 ||
        asprintf(&sup->logs_dir, "%s/logs", o->data_dir) < 0)
        abort();
    sup->options = o;
    sup->run_fd = sup->lock_fd = sup->signal_fd = sup->listen_fd = -1;
    sup->started_at = clock_mono_ms();
    sup->upkeep_at = o->upkeep ? sup->started_at + o->upkeep_ms : INT64_MAX;
    sup->n = o->n;
    for (int i = 0; i < CLIENTS_MAX; i++)
        sup->clients[i].fd = -1;
    for (size_t i = 0; i < o->n; i++) {
        struct service *s = &sup->services[i];
        s->def = &o->services[i];
        s->output = s->probe.fd = s->log.fd = -1;
        s->wake_at = INT64_MAX;
    }
    return sup;
}

int supervisor_run(const struct supervisor_options *given, struct err *err)
{
    struct supervisor_options o = *given;
    struct supervisor *sup;

    if (o.n > SUPERVISOR_SERVICES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d services", SUPERVISOR_SERVICES_MAX);
    o.start_timeout_ms = o.start_timeout_ms ? o.start_timeout_ms : START_TIMEOUT_MS;
    o.grace_ms = o.grace_ms ? o.grace_ms : GRACE_MS;
    o.probe_ms = o.probe_ms ? o.probe_ms : PROBE_MS;
    o.probe_timeout_ms = o.probe_timeout_ms ? o.probe_timeout_ms : PROBE_TIMEOUT_MS;
    o.log_max = o.log_max ? o.log_max : LOG_MAX;
    o.upkeep_ms = o.upkeep_ms ? o.upkeep_ms : UPKEEP_MS;
    sup = supervisor_new(&o);
    int rc = set_up(sup, err);
    if (rc == 0) {
        if (o.ready_fd >= 0) {
            (void)!file_write_all(o.ready_fd, "ok\n", 3, NULL); /* who waits for it may be gone */
            close(o.ready_fd);
        }
        log_info("supervising %zu services, pid %d", sup->n, (int)getpid());
        loop(sup);
        log_info("all services are stopped");
    }
    tear_down(sup);
    return rc;
}
