/*
 * A bounded pool of threads. Work that would wait for the disk, the engine or a peer runs here and never on a thread
 * that serves the network. When the queue is full the caller is told, and tells its client (503, SlowDown).
 */
#ifndef OS_POOL_H
#define OS_POOL_H

#include "base/err.h"
#include <stdbool.h>

struct pool;

/* Threads are started on demand, up to `threads`; `queue_max` items may wait. */
MUST_CHECK int pool_new(const char *name, int threads, int queue_max, struct pool **ret, struct err *err);
/* False when the queue is full or the pool is stopping; `run` is then not called. */
bool pool_submit(struct pool *p, void (*run)(void *arg), void *arg);
/* Runs what is queued, then ends the threads. */
void pool_free(struct pool *p);

#endif
