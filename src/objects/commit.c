/*
 * Group commit. An LMDB write transaction ends in two syncs, whatever its size. So callers queue their operations and one
 * thread puts all that are waiting into one transaction; while that syncs, the next ones gather.
 *
 * Each operation has its own result. One that fails (a precondition, a missing bucket) and has changed something by then
 * is left out, and the batch runs again without it; so an operation is all or nothing.
 */
#include "objects/internal.h"
#include <errno.h>

enum { BATCH_MAX = 256 };

struct commit {
    struct commit *next;
    commit_fn apply;
    void *ctx;
    int result;
    struct err err;
    bool settled; /* has its result already: not to be run (again) */
    bool done;    /* under queue_lock: the caller may go on */
    pthread_cond_t is_done;
};

static struct commit *take_batch(struct objects *o)
{
    struct commit *first = o->queue, *last = first;

    for (int n = 1; n < BATCH_MAX && last->next; n++)
        last = last->next;
    o->queue = last->next;
    if (!o->queue)
        o->queue_end = &o->queue;
    last->next = NULL;
    return first;
}

static void fail(struct commit *c, int result, const struct err *err)
{
    c->result = result;
    c->err = *err;
    c->settled = true;
}

static void fail_all(struct commit *batch, int result, const struct err *err)
{
    for (struct commit *c = batch; c; c = c->next)
        if (!c->settled)
            fail(c, result, err);
}

enum outcome { COMMITTED, AGAIN };

/* One attempt at the whole batch. */
static enum outcome run_once(struct objects *o, struct commit *batch)
{
    struct err err = {0};
    struct txn t;
    size_t pending = 0;
    int r = txn_begin_write(o, &t, &err);

    if (r < 0) {
        fail_all(batch, r, &err);
        return COMMITTED;
    }
    for (struct commit *c = batch; c; c = c->next) {
        if (c->settled)
            continue;
        size_t before = t.changes;
        struct err failure = {0};
        r = c->apply(&t, c->ctx, &failure);
        if (t.failure == MDB_MAP_FULL) {
            txn_abort(&t);
            r = env_grow(o, &err);
            if (r < 0)
                fail_all(batch, r, &err);
            return AGAIN;
        }
        if (r < 0) {
            fail(c, r, &failure);
            if (t.failure || t.changes != before) {
                txn_abort(&t);
                return AGAIN;
            }
            continue;
        }
        pending++;
    }
    if (pending == 0) {
        txn_abort(&t);
        return COMMITTED;
    }
    r = txn_commit(&t, &err);
    if (r < 0) {
        if (t.failure == MDB_MAP_FULL && env_grow(o, &err) == 0)
            return AGAIN;
        fail_all(batch, r, &err);
    }
    return COMMITTED;
}

static void *committer(void *arg)
{
    struct objects *o = arg;

    pthread_mutex_lock(&o->queue_lock);
    for (;;) {
        while (!o->queue && !o->stopping)
            pthread_cond_wait(&o->queue_filled, &o->queue_lock);
        if (!o->queue)
            break;
        struct commit *batch = take_batch(o);
        pthread_mutex_unlock(&o->queue_lock);

        while (run_once(o, batch) == AGAIN)
            ;

        pthread_mutex_lock(&o->queue_lock);
        while (batch) {
            struct commit *c = batch;
            batch = c->next; /* c is its caller's again as soon as it is done */
            c->done = true;
            pthread_cond_signal(&c->is_done);
        }
    }
    pthread_mutex_unlock(&o->queue_lock);
    return NULL;
}

int commit_start(struct objects *o, struct err *err)
{
    o->queue_end = &o->queue;
    pthread_mutex_init(&o->queue_lock, NULL);
    pthread_cond_init(&o->queue_filled, NULL);
    int rc = pthread_create(&o->committer, NULL, committer, o);
    if (rc) {
        pthread_mutex_destroy(&o->queue_lock);
        pthread_cond_destroy(&o->queue_filled);
        return err_set_errno(err, rc, "no thread for the object index");
    }
    return 0;
}

void commit_stop(struct objects *o)
{
    pthread_mutex_lock(&o->queue_lock);
    o->stopping = true;
    pthread_cond_signal(&o->queue_filled);
    pthread_mutex_unlock(&o->queue_lock);
    pthread_join(o->committer, NULL);
    pthread_mutex_destroy(&o->queue_lock);
    pthread_cond_destroy(&o->queue_filled);
}

int commit_run(struct objects *o, commit_fn apply, void *ctx, struct err *err)
{
    struct commit c = {.apply = apply, .ctx = ctx};

    pthread_cond_init(&c.is_done, NULL);
    pthread_mutex_lock(&o->queue_lock);
    *o->queue_end = &c;
    o->queue_end = &c.next;
    pthread_cond_signal(&o->queue_filled);
    while (!c.done)
        pthread_cond_wait(&c.is_done, &o->queue_lock);
    pthread_mutex_unlock(&o->queue_lock);
    pthread_cond_destroy(&c.is_done);
    if (c.result < 0 && err)
        *err = c.err;
    return c.result;
}
