/* The stop signals are blocked in every thread and taken by the one that waits for them: no handlers, no races. */
#include "os/signal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/clock.h"

static void stop_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

void signal_setup(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    stop_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool signal_wait_stop(int timeout_ms)
{
    sigset_t set;
    int64_t until = clock_mono_ms() + timeout_ms;

    stop_signals(&set);
    for (;;) {
        if (timeout_ms < 0) {
            if (sigwaitinfo(&set, NULL) > 0)
                return true;
            continue;
        }
        int64_t left = until - clock_mono_ms();
        if (left < 0)
            left = 0;
        struct timespec ts = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
        if (sigtimedwait(&set, NULL, &ts) > 0)
            return true;
        if (errno == EAGAIN)
            return false;
    }
}
