/*
 * One service's life. What may go wrong and what follows:
 *   dies, was healthy        restarted after a back-off that doubles; failed after 5 deaths within a minute
 *   dies before it ever was  the same, but failed after 3: its configuration is wrong more likely than its luck
 *   isn't healthy in time    killed, which is a death
 *   healthy, stops answering unhealthy after three checks; not killed, as it may be busy with somebody's work
 */
#include "supervisor/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/vec.h"
#include "os/file.h"
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

enum {
    DEATH_WINDOW_MS = 60000,
    DEATHS_BEFORE_HEALTHY = 3,
    BACKOFF_MS = 100,
    BACKOFF_MAX_MS = 5000,
    FAST_PROBE_MS = 10, /* while it starts: `up` waits for it */
    SLOW_START_MS = 5000,
    SLOW_START_PROBE_MS = 100,
    FAILED_PROBES_MAX = 3,
};

bool service_is_running(const struct service *s)
{
    return s->pid > 0;
}

const char *service_state_name(enum service_state state)
{
    static const char *const names[] = {
        [SERVICE_WAITING] = "waiting",     [SERVICE_STARTING] = "starting",  [SERVICE_HEALTHY] = "healthy",
        [SERVICE_UNHEALTHY] = "unhealthy", [SERVICE_BACKOFF] = "restarting", [SERVICE_FAILED] = "failed",
        [SERVICE_STOPPING] = "stopping",   [SERVICE_STOPPED] = "stopped",
    };

    return names[state];
}

static void set_state(struct supervisor *sup, struct service *s, enum service_state state, int64_t wake_at)
{
    s->state = state;
    s->wake_at = wake_at;
    sup->changed = true;
}

static void died_for(struct supervisor *sup, struct service *s, const char *reason)
{
    int64_t now = clock_mono_ms();
    int recent = 0;

    if (s->death_count == SERVICE_DEATHS_MAX) {
        memmove(s->deaths, s->deaths + 1, sizeof(s->deaths) - sizeof(s->deaths[0]));
        s->death_count--;
    }
    s->deaths[s->death_count++] = now;
    for (int i = 0; i < s->death_count; i++)
        recent += s->deaths[i] > now - DEATH_WINDOW_MS;
    snprintf(s->reason, sizeof(s->reason), "%s", reason);
    int limit = s->was_healthy ? SERVICE_DEATHS_MAX : DEATHS_BEFORE_HEALTHY;
    if (recent >= limit) {
        log_error("%s: %s; failed after %d deaths within %d s, not started again", s->def->name, reason, recent,
                  DEATH_WINDOW_MS / 1000);
        set_state(sup, s, SERVICE_FAILED, INT64_MAX);
        return;
    }
    int64_t delay = (int64_t)BACKOFF_MS << (recent - 1);
    if (delay > BACKOFF_MAX_MS)
        delay = BACKOFF_MAX_MS;
    log_warn("%s: %s; started again in %lld ms", s->def->name, reason, (long long)delay);
    set_state(sup, s, SERVICE_BACKOFF, now + delay);
}

void service_start(struct supervisor *sup, struct service *s)
{
    struct err err = {0};
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0) {
        died_for(sup, s, "no pipe for its log");
        return;
    }
    const struct process_options o = {.argv = s->def->argv,
                                      .stdin_fd = -1,
                                      .stdout_fd = fds[1],
                                      .stderr_fd = fds[1],
                                      .own_group = true,
                                      .die_with_parent = true};
    int rc = process_start(&o, &s->pid, &err);
    close(fds[1]);
    if (rc < 0) {
        close(fds[0]);
        s->pid = 0;
        died_for(sup, s, err.message);
        return;
    }
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    s->output = fds[0];
    s->started_at = clock_mono_ms();
    s->failed_probes = 0;
    s->start_again = false;
    log_info("%s: started, pid %d", s->def->name, (int)s->pid);
    set_state(sup, s, SERVICE_STARTING, s->started_at + 1);
    leftover_note(sup);
}

void service_stop(struct supervisor *sup, struct service *s)
{
    if (s->state == SERVICE_STOPPING || s->state == SERVICE_STOPPED)
        return;
    probe_cancel(&s->probe);
    if (!service_is_running(s)) {
        set_state(sup, s, SERVICE_STOPPED, INT64_MAX);
        return;
    }
    log_info("%s: stopping, pid %d", s->def->name, (int)s->pid);
    kill(s->pid, SIGTERM);
    set_state(sup, s, SERVICE_STOPPING, clock_mono_ms() + sup->options->grace_ms);
}

void service_restart(struct supervisor *sup, struct service *s)
{
    s->death_count = 0;
    s->reason[0] = '\0';
    s->was_healthy = false;
    if (service_is_running(s)) {
        service_stop(sup, s);
        s->start_again = true;
    } else {
        set_state(sup, s, SERVICE_WAITING, INT64_MAX);
    }
}

void service_read_output(struct supervisor *sup, struct service *s)
{
    char bytes[16 << 10];

    /* A bounded turn: one service that writes without end must not keep the others waiting. */
    for (int turn = 0; s->output >= 0 && turn < 8; turn++) {
        ssize_t n = read(s->output, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            close(s->output);
            s->output = -1;
            return;
        }
        logfile_write(&s->log, bytes, (size_t)n);
        if (sup->options->echo)
            (void)!file_write_all(STDERR_FILENO, bytes, (size_t)n, NULL);
    }
}

void service_died(struct supervisor *sup, struct service *s, int status)
{
    char how[128], reason[256];

    service_read_output(sup, s);
    if (s->output >= 0)
        close(s->output); /* a grandchild may hold the other end */
    s->output = -1;
    s->pid = 0;
    probe_cancel(&s->probe);
    leftover_note(sup);
    process_describe_status(status, how, sizeof(how));
    if (s->state == SERVICE_STOPPING) {
        log_info("%s: stopped (%s)", s->def->name, how);
        if (s->start_again) {
            s->restarts++;
            set_state(sup, s, SERVICE_WAITING, INT64_MAX);
        } else {
            set_state(sup, s, SERVICE_STOPPED, INT64_MAX);
        }
        return;
    }
    if (s->state == SERVICE_STARTING && clock_mono_ms() - s->started_at >= sup->options->start_timeout_ms)
        snprintf(reason, sizeof(reason), "was not healthy within %d s", sup->options->start_timeout_ms / 1000);
    else
        snprintf(reason, sizeof(reason), "ended: %s", how);
    died_for(sup, s, reason);
}

static void took_result(struct supervisor *sup, struct service *s, enum probe_result result)
{
    int64_t now = clock_mono_ms();

    if (result == PROBE_HEALTHY) {
        if (s->state == SERVICE_STARTING)
            log_info("%s: healthy after %lld ms", s->def->name, (long long)(now - s->started_at));
        else if (s->state == SERVICE_UNHEALTHY)
            log_info("%s: healthy again", s->def->name);
        s->was_healthy = true;
        s->failed_probes = 0;
        s->reason[0] = '\0';
        if (s->state != SERVICE_HEALTHY)
            sup->changed = true;
        s->state = SERVICE_HEALTHY;
        s->wake_at = now + sup->options->probe_ms;
        return;
    }
    if (s->state == SERVICE_STARTING) {
        snprintf(s->reason, sizeof(s->reason), "%s", s->probe.why);
        s->wake_at = now + (now - s->started_at < SLOW_START_MS ? FAST_PROBE_MS : SLOW_START_PROBE_MS);
        return;
    }
    s->wake_at = now + sup->options->probe_ms;
    if (++s->failed_probes < FAILED_PROBES_MAX || s->state == SERVICE_UNHEALTHY)
        return;
    snprintf(s->reason, sizeof(s->reason), "%s", s->probe.why);
    log_warn("%s: unhealthy: %s", s->def->name, s->reason);
    set_state(sup, s, SERVICE_UNHEALTHY, s->wake_at);
}

void service_probed(struct supervisor *sup, struct service *s)
{
    enum probe_result result = probe_step(&s->probe, s->def);

    if (result != PROBE_PENDING)
        took_result(sup, s, result);
}

static void probe_now(struct supervisor *sup, struct service *s)
{
    int64_t now = clock_mono_ms();

    if (s->probe.fd >= 0) {
        service_probed(sup, s);
        if (s->probe.fd >= 0)
            s->wake_at = s->probe.deadline;
        return;
    }
    if (s->state == SERVICE_STARTING && now - s->started_at >= sup->options->start_timeout_ms) {
        kill(s->pid, SIGKILL);
        s->wake_at = INT64_MAX;
        return;
    }
    enum probe_result result = probe_start(&s->probe, s->def, sup->options->probe_timeout_ms);
    if (result == PROBE_PENDING)
        s->wake_at = s->probe.deadline;
    else
        took_result(sup, s, result);
}

void service_wake(struct supervisor *sup, struct service *s)
{
    switch (s->state) {
    case SERVICE_STARTING:
    case SERVICE_HEALTHY:
    case SERVICE_UNHEALTHY:
        probe_now(sup, s);
        break;
    case SERVICE_BACKOFF:
        s->restarts++;
        set_state(sup, s, SERVICE_WAITING, INT64_MAX);
        break;
    case SERVICE_STOPPING:
        log_warn("%s: did not stop within %d s, is killed", s->def->name, sup->options->grace_ms / 1000);
        kill(s->pid, SIGKILL);
        s->wake_at = INT64_MAX;
        break;
    case SERVICE_WAITING:
    case SERVICE_FAILED:
    case SERVICE_STOPPED:
        s->wake_at = INT64_MAX;
        break;
    }
}
