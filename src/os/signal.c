/* The stop signals are blocked in every thread and taken by the one that waits for them: no handlers, no races. */
#include "os/signal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"

static atomic_uint reloads;

static void taken_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

unsigned signal_reload_count(void)
{
    return reloads;
}

void signal_setup(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    taken_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool signal_wait_stop(int timeout_ms)
{
    sigset_t set;
    int64_t until = clock_mono_ms() + timeout_ms;

    taken_signals(&set);
    for (;;) {
        int64_t left = timeout_ms < 0 ? 0 : until - clock_mono_ms();
        if (left < 0)
            left = 0;
        struct timespec ts = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
        int taken = sigtimedwait(&set, NULL, timeout_ms < 0 ? NULL : &ts);
        if (taken == SIGHUP)
            reloads++;
        else if (taken > 0)
            return true;
        else if (errno == EAGAIN)
            return false;
    }
}
