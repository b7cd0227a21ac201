/*
 * What running queries take of the process. The engine counts processor time, bytes read, memory and spilling for all
 * statements together, so the process's counters are shared out: whenever a query starts or ends, and ten times a second in
 * between, what they grew by goes to those that ran meanwhile. Each gets the processor time of its own thread, and of what
 * the engine's threads took a share in that proportion: they work for whom they are needed. A query that runs alone thus gets
 * exact numbers; of memory and spilled bytes, which no thread owns, a query gets what there is more than at its beginning.
 *
 * The same thread looks whether a query is over its limits of time.
 */
#include "query/internal.h"

#include "base/clock.h"
#include "base/vec.h"
#include <fcntl.h>
#include <unistd.h>

enum { TICK_MS = 100 };

struct counters {
    int64_t cpu_us;
    uint64_t read_bytes;
};

struct account {
    struct query *query; /* lives as long as this is open */
    clockid_t clock;     /* of its thread */
    int64_t cpu_us;      /* of its thread, when last looked at */
    int64_t grown_us;    /* scratch of share_out */
    uint64_t memory_before, spilled_before;
};

struct accounts {
    struct queries *owner;
    struct engine *engine;
    int io; /* /proc/self/io, or -1 */

    pthread_mutex_t lock; /* all below */
    pthread_cond_t wake;
    VEC(struct account) open;
    struct counters seen;
    uint64_t io_bytes;           /* that reading `io` took */
    struct engine_memory memory; /* of the last look */
    bool is_stopping;
    pthread_t thread;
};

static int64_t clock_us(clockid_t clock)
{
    struct timespec t;

    return clock_gettime(clock, &t) == 0 ? (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000 : 0;
}

/* "rchar: 123": bytes that the process got from read calls on files, from the disk or the system's cache. Sockets aren't in
 * it, which are received from, nor what is mapped; this reading itself is. */
static uint64_t bytes_read(struct accounts *a)
{
    char text[256];
    ssize_t n = a->io < 0 ? -1 : pread(a->io, text, sizeof(text), 0);
    struct str rest = str_from(text, n > 0 ? (size_t)n : 0), line;
    uint64_t v = 0, own = a->io_bytes;

    a->io_bytes += rest.n;
    while (str_split(&rest, '\n', &line))
        if (str_starts_with(line, STR("rchar: ")) && str_to_u64(str_skip(line, 7), &v, NULL) == 0)
            return v > own ? v - own : 0;
    return 0;
}

static struct counters read_counters(struct accounts *a)
{
    return (struct counters){clock_us(CLOCK_PROCESS_CPUTIME_ID), bytes_read(a)};
}

/* With a->lock held. */
static void share_out(struct accounts *a)
{
    struct counters now = read_counters(a);
    int64_t cpu = now.cpu_us - a->seen.cpu_us, own = 0;
    double read = now.read_bytes > a->seen.read_bytes ? (double)(now.read_bytes - a->seen.read_bytes) : 0;

    a->seen = now;
    for (size_t i = 0; i < a->open.n; i++) {
        struct account *x = &a->open.items[i];
        int64_t v = clock_us(x->clock);

        x->grown_us = v > x->cpu_us ? v - x->cpu_us : 0;
        x->cpu_us = v;
        own += x->grown_us;
    }
    double rest = cpu > own ? (double)(cpu - own) : 0;
    for (size_t i = 0; i < a->open.n; i++) {
        struct account *x = &a->open.items[i];
        double share = own > 0 ? (double)x->grown_us / (double)own : 1.0 / (double)a->open.n;

        pthread_mutex_lock(&x->query->lock);
        x->query->stats.cpu_us += x->grown_us + (int64_t)(rest * share);
        x->query->stats.physical_input_bytes += (uint64_t)(read * share);
        x->query->stats.processed_bytes = x->query->stats.physical_input_bytes;
        pthread_mutex_unlock(&x->query->lock);
    }
}

static uint64_t more(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

/* With a->lock held. */
static void note_memory(struct accounts *a)
{
    for (size_t i = 0; i < a->open.n; i++) {
        struct account *x = &a->open.items[i];
        struct query_stats *s = &x->query->stats;
        uint64_t memory = more(a->memory.used, x->memory_before), spilled = more(a->memory.spilled, x->spilled_before);

        pthread_mutex_lock(&x->query->lock);
        if (memory > s->peak_memory)
            s->peak_memory = memory;
        if (spilled > s->spilled_bytes)
            s->spilled_bytes = spilled;
        pthread_mutex_unlock(&x->query->lock);
    }
}

void accounts_open(struct accounts *a, struct query *q)
{
    struct account x = {.query = q};

    if (pthread_getcpuclockid(pthread_self(), &x.clock) != 0)
        x.clock = CLOCK_THREAD_CPUTIME_ID;
    x.cpu_us = clock_us(x.clock);
    pthread_mutex_lock(&a->lock);
    if (a->open.n > 0)
        share_out(a);
    else
        a->seen = read_counters(a);
    x.memory_before = a->memory.used;
    x.spilled_before = a->memory.spilled;
    vec_push(&a->open, x);
    if (a->open.n == 1)
        pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
}

void accounts_close(struct accounts *a, struct query *q)
{
    pthread_mutex_lock(&a->lock);
    share_out(a);
    for (size_t i = 0; i < a->open.n; i++)
        if (a->open.items[i].query == q) {
            a->open.items[i] = a->open.items[--a->open.n];
            break;
        }
    pthread_mutex_unlock(&a->lock);
}

static void wait_tick(struct accounts *a)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * INT64_C(1000000);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&a->wake, &a->lock, &until);
}

static void *watch(void *arg)
{
    struct accounts *a = arg;
    struct engine_memory memory;
    bool was_busy = false; /* one look more after the last query: what the next ones start from */

    pthread_setname_np(pthread_self(), "account");
    pthread_mutex_lock(&a->lock);
    while (!a->is_stopping) {
        if (a->open.n == 0 && !was_busy) {
            pthread_cond_wait(&a->wake, &a->lock);
            was_busy = a->open.n > 0;
            continue;
        }
        wait_tick(a);
        was_busy = a->open.n > 0;
        pthread_mutex_unlock(&a->lock);
        engine_memory(a->engine, &memory);
        queries_watch(a->owner);
        pthread_mutex_lock(&a->lock);
        a->memory = memory;
        share_out(a);
        note_memory(a);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

int accounts_new(struct queries *owner, struct engine *e, struct accounts **ret, struct err *err)
{
    struct accounts *a = calloc(1, sizeof(*a));
    pthread_condattr_t monotonic;

    if (!a)
        abort();
    a->owner = owner;
    a->engine = e;
    a->io = open("/proc/self/io", O_RDONLY | O_CLOEXEC);
    pthread_mutex_init(&a->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&a->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int rc = pthread_create(&a->thread, NULL, watch, a);
    if (rc != 0) {
        a->thread = 0;
        accounts_free(a);
        return err_set_errno(err, rc, "cannot start a thread");
    }
    *ret = a;
    return 0;
}

void accounts_free(struct accounts *a)
{
    if (!a)
        return;
    if (a->thread) {
        pthread_mutex_lock(&a->lock);
        a->is_stopping = true;
        pthread_cond_signal(&a->wake);
        pthread_mutex_unlock(&a->lock);
        pthread_join(a->thread, NULL);
    }
    vec_release(&a->open);
    if (a->io >= 0)
        close(a->io);
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->lock);
    free(a);
}
