/* One query: its state, statistics and end, seen from any thread. */
#include "base/clock.h"
#include "query/internal.h"

struct query *query_ref(struct query *q)
{
    atomic_fetch_add(&q->refs, 1);
    return q;
}

void query_unref(struct query *q)
{
    if (!q || atomic_fetch_sub(&q->refs, 1) > 1)
        return;
    map_release(&q->session.properties);
    map_release(&q->session.prepared);
    arena_release(&q->work);
    arena_release(&q->arena);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

struct str query_id(const struct query *q)
{
    return q->id;
}

void query_set_state(struct query *q, enum query_state state)
{
    pthread_mutex_lock(&q->lock);
    if (!q->is_ended && state > q->stats.state) {
        q->stats.state = state;
        if (q->began_us == 0)
            q->began_us = clock_mono_us();
    }
    pthread_mutex_unlock(&q->lock);
}

bool query_is_cancelled(struct query *q, struct err *ret_why)
{
    bool is_cancelled;

    pthread_mutex_lock(&q->lock);
    is_cancelled = q->is_cancelled;
    if (is_cancelled)
        *ret_why = q->why;
    pthread_mutex_unlock(&q->lock);
    return is_cancelled;
}

int query_set_conn(struct query *q, struct engine_conn *c, struct err *err)
{
    int rc = 0;

    pthread_mutex_lock(&q->lock);
    q->conn = q->is_cancelled ? NULL : c;
    if (q->is_cancelled && c) {
        *err = q->why;
        rc = q->why.code;
    }
    pthread_mutex_unlock(&q->lock);
    return rc;
}

void query_end(struct query *q, const struct err *error)
{
    pthread_mutex_lock(&q->lock);
    if (q->is_ended) {
        pthread_mutex_unlock(&q->lock);
        return;
    }
    q->is_ended = true;
    q->conn = NULL;
    q->ended_us = clock_mono_us();
    q->ended_wall_us = clock_wall_us();
    if (q->began_us == 0)
        q->began_us = q->ended_us;
    q->stats.state = error ? QUERY_FAILED : QUERY_FINISHED;
    if (error) {
        q->error = *error;
    } else {
        q->stats.progress = 1;
        if (q->planned_rows)
            q->stats.processed_rows = q->planned_rows;
    }
    q->stats.completed_splits = q->stats.total_splits;
    q->stats.running_splits = q->stats.queued_splits = 0;
    pthread_mutex_unlock(&q->lock);
    q->sink.end(q->sink.ctx, error);
}

void query_cancel(struct query *q, const struct err *why)
{
    struct err reason = {0};
    bool is_waiting, is_working;

    if (why)
        reason = *why;
    else
        err_set_named(&reason, ERR_CANCELLED, "USER_CANCELED", "Query was canceled");
    pthread_mutex_lock(&q->lock);
    is_waiting = !q->is_ended && q->stats.state == QUERY_QUEUED;
    is_working = !q->is_ended && !is_waiting;
    if (!q->is_cancelled)
        q->why = reason;
    q->is_cancelled = true;
    if (q->conn)
        engine_interrupt(q->conn);
    pthread_mutex_unlock(&q->lock);
    if (is_working && q->sink.cancelled)
        q->sink.cancelled(q->sink.ctx);
    if (is_waiting) /* its turn may be long in coming; the client needn't wait for it */
        query_end(q, &reason);
}

/* The engine counts rows; clients show splits. One is as many rows as one of its threads takes at a time. */
enum { ROWS_A_SPLIT = 122880 };

/* With q->lock held. */
static void take_progress(struct query *q)
{
    struct engine_progress p;
    struct query_stats *s = &q->stats;

    if (!q->conn || s->state != QUERY_RUNNING)
        return;
    engine_progress(q->conn, &p);
    if (p.fraction >= 0 && p.fraction > s->progress)
        s->progress = p.fraction;
    if (p.rows_done > s->processed_rows)
        s->processed_rows = p.rows_done;
    int total = (int)((p.rows_total + ROWS_A_SPLIT - 1) / ROWS_A_SPLIT);
    int done = (int)(p.rows_done / ROWS_A_SPLIT);
    if (total > s->total_splits)
        s->total_splits = total;
    if (done > s->completed_splits)
        s->completed_splits = done;
    if (s->completed_splits > s->total_splits)
        s->completed_splits = s->total_splits;
    int left = s->total_splits - s->completed_splits;
    s->running_splits = left < q->owner->threads ? left : q->owner->threads;
    s->queued_splits = left - s->running_splits;
}

void query_take_progress(struct query *q)
{
    pthread_mutex_lock(&q->lock);
    take_progress(q);
    pthread_mutex_unlock(&q->lock);
}

void query_get_stats(struct query *q, struct query_stats *ret)
{
    int64_t now = clock_mono_us();

    pthread_mutex_lock(&q->lock);
    take_progress(q);
    *ret = q->stats;
    ret->queued_us = (q->began_us ? q->began_us : now) - q->created_mono_us;
    ret->elapsed_us = (q->ended_us ? q->ended_us : now) - q->created_mono_us;
    pthread_mutex_unlock(&q->lock);
}

const char *query_update_type(const struct query *q)
{
    return q->update_type;
}

bool query_update_count(const struct query *q, int64_t *ret)
{
    struct query *mine = (struct query *)q;
    bool has;

    pthread_mutex_lock(&mine->lock);
    has = q->has_update_count;
    if (has)
        *ret = q->update_count;
    pthread_mutex_unlock(&mine->lock);
    return has;
}

const struct session_changes *query_changes(const struct query *q)
{
    return &q->changes;
}
