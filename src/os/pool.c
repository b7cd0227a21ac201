/*
 * A bounded pool of threads around one ring of work, one lock and one condition. A thread is started only when work
 * arrives and no thread is idle, so that a service that is not used has none.
 */
#include "os/pool.h"

#include "base/log.h"

#include <pthread.h>

struct work {
    void (*run)(void *arg);
    void *arg;
};

struct pool {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    struct work *queue; /* a ring of queue_max */
    size_t head, queued, queue_max;
    pthread_t *threads;
    int thread_count, thread_max;
    int idle; /* threads that wait; those already woken for an item still count until they run */
    bool stopping;
    char name[16]; /* as the kernel shows it */
};

int pool_new(const char *name, int threads, int queue_max, struct pool **ret, struct err *err)
{
    if (threads < 1 || threads > 4096 || queue_max < 1 || queue_max > 1 << 20)
        return err_set(err, ERR_INVALID, "a pool has 1 to 4096 threads and room for 1 to %d items, not %d and %d",
                       1 << 20, threads, queue_max);
    struct pool *p = calloc(1, sizeof(*p));
    if (p) {
        p->queue = calloc((size_t)queue_max, sizeof(*p->queue));
        p->threads = calloc((size_t)threads, sizeof(*p->threads));
    }
    if (!p || !p->queue || !p->threads) {
        if (p) {
            free(p->queue);
            free(p->threads);
        }
        free(p);
        return err_set(err, ERR_LIMIT, "no memory for a pool of %d threads", threads);
    }
    p->queue_max = (size_t)queue_max;
    p->thread_max = threads;
    snprintf(p->name, sizeof(p->name), "%s", name);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    *ret = p;
    return 0;
}

static void *work(void *arg)
{
    struct pool *p = arg;

    pthread_setname_np(pthread_self(), p->name);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->queued == 0 && !p->stopping) {
            p->idle++;
            pthread_cond_wait(&p->wake, &p->lock);
            p->idle--;
        }
        if (p->queued == 0)
            break;
        struct work item = p->queue[p->head];
        p->head = (p->head + 1) % p->queue_max;
        p->queued--;
        pthread_mutex_unlock(&p->lock);
        item.run(item.arg);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

bool pool_submit(struct pool *p, void (*run)(void *arg), void *arg)
{
    pthread_mutex_lock(&p->lock);
    bool taken = !p->stopping && p->queued < p->queue_max;
    if (taken && (size_t)p->idle <= p->queued && p->thread_count < p->thread_max) {
        if (pthread_create(&p->threads[p->thread_count], NULL, work, p) == 0)
            p->thread_count++;
        else
            log_warn("cannot start a thread of pool %s beyond %d", p->name, p->thread_count);
        taken = p->thread_count > 0; /* without any thread, nobody would ever run it */
    }
    if (taken) {
        p->queue[(p->head + p->queued++) % p->queue_max] = (struct work){run, arg};
        pthread_cond_signal(&p->wake);
    }
    pthread_mutex_unlock(&p->lock);
    return taken;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p->threads);
    free(p->queue);
    free(p);
}
