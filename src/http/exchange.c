/*
 * One request and its response: the meeting point of libmicrohttpd, which calls exchange_handle again and again on a
 * network thread, and of the handler, which answers from any thread.
 *
 * A piece of the body is copied for the pool, which works on it while the next one is read; when that one is there first,
 * and while an answer is made, the connection is suspended. Whoever ends the work resumes it, under x->lock, and the next
 * call of exchange_handle sees what came of it. A suspended connection doesn't notice that its client left: it does when
 * it goes on. One that isn't may be gone with a piece in work: the pool then is the last owner.
 */
#include "http/internal.h"

#include "base/log.h"

static void free_exchange(struct exchange *x)
{
    struct http_server *s = x->server;

    if (x->response)
        MHD_destroy_response(x->response);
    pthread_mutex_lock(&s->lock);
    if (x->prev)
        x->prev->next = x->next;
    else
        s->exchanges = x->next;
    if (x->next)
        x->next->prev = x->prev;
    if (--s->in_work == 0)
        pthread_cond_broadcast(&s->idle);
    pthread_mutex_unlock(&s->lock);
    pthread_mutex_destroy(&x->lock);
    buf_release(&x->piece);
    struct arena arena = x->arena;
    arena_release(&arena); /* x lives in it */
    http_server_unref(s);
}

/* Called by the last owner. */
static void end(struct exchange *x)
{
    struct http_server *s = x->server;

    if (x->stage != STAGE_NEW && s->handler.done)
        s->handler.done(s->ctx, &x->r, x->completed);
    free_exchange(x);
}

void *exchange_new(void *server, const char *target, struct MHD_Connection *connection)
{
    struct http_server *s = server;
    struct arena arena;

    if (s->tls)
        tls_connection_arrived(connection, IDLE_TIMEOUT_S);
    arena_init(&arena, 0);
    struct exchange *x = arena_new(&arena, struct exchange);
    x->r.raw_target = arena_str(&arena, str_from_cstr(target));
    x->arena = arena;
    x->r.arena = &x->arena;
    x->r.internal = x;
    x->server = s;
    x->connection = connection;
    buf_init(&x->piece, CONNECTION_MEMORY);
    pthread_mutex_init(&x->lock, NULL);

    pthread_mutex_lock(&s->lock);
    s->refs++;
    s->in_work++;
    x->next = s->exchanges;
    if (x->next)
        x->next->prev = x;
    s->exchanges = x;
    pthread_mutex_unlock(&s->lock);
    return x;
}

void exchange_completed(void *server, struct MHD_Connection *connection, void **exchange,
                        enum MHD_RequestTerminationCode how)
{
    struct exchange *x = *exchange;
    (void)server, (void)connection;

    if (!x)
        return;
    *exchange = NULL;
    pthread_mutex_lock(&x->lock);
    x->connection_gone = true;
    x->completed = how == MHD_REQUEST_TERMINATED_COMPLETED_OK;
    bool last = !x->handler_owes && !x->piece_in_work;
    pthread_mutex_unlock(&x->lock);
    if (last)
        end(x);
}

/* Under x->lock. */
static void resume(struct exchange *x)
{
    if (x->suspended && !x->connection_gone) {
        x->suspended = false;
        MHD_resume_connection(x->connection);
    }
}

void exchange_wake(struct exchange *x)
{
    pthread_mutex_lock(&x->lock);
    if (!x->piece_in_work)
        resume(x);
    pthread_mutex_unlock(&x->lock);
}

void exchange_respond(struct exchange *x, int status, struct MHD_Response *response)
{
    pthread_mutex_lock(&x->lock);
    if (x->responded) {
        log_error("a second response (%d) to %.*s is dropped", status, STR_ARG(x->r.raw_target));
        if (response)
            MHD_destroy_response(response);
        pthread_mutex_unlock(&x->lock);
        return;
    }
    x->responded = true;
    x->response = response;
    x->status = status;
    bool last = x->handler_owes && x->connection_gone;
    x->handler_owes = false;
    if (!x->piece_in_work) /* else it resumes at the piece's end */
        resume(x);
    pthread_mutex_unlock(&x->lock);
    if (last)
        end(x);
}

/* Our own answer, before or instead of the handler's. Under x->lock. */
static void refuse(struct exchange *x, int status)
{
    static const char *const retry = "1"; /* seconds */
    const char *text = status == 503   ? "Too busy: try again.\n"
                       : status == 431 ? "Too many header fields.\n"
                                       : "Malformed request.\n";

    if (x->responded)
        return;
    x->responded = true;
    x->status = status;
    x->response = MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
    if (!x->response)
        return;
    MHD_add_response_header(x->response, "Content-Type", "text/plain");
    if (status == 503)
        MHD_add_response_header(x->response, "Retry-After", retry);
}

static void run_finish(void *arg)
{
    struct exchange *x = arg;

    x->server->handler.finish(x->server->ctx, &x->r);
}

static void run_body(void *arg)
{
    struct exchange *x = arg;

    x->server->handler.body(x->server->ctx, &x->r, buf_str(&x->piece));
    pthread_mutex_lock(&x->lock);
    x->piece_in_work = false;
    bool last = x->connection_gone && !x->handler_owes;
    if (!last)
        resume(x);
    pthread_mutex_unlock(&x->lock);
    if (last)
        end(x);
}

/* Under x->lock, on the network thread. */
static void suspend(struct exchange *x)
{
    x->suspended = true;
    MHD_suspend_connection(x->connection);
}

/* Gives the response to libmicrohttpd. Under x->lock. */
static enum MHD_Result queue(struct exchange *x)
{
    if (!x->response) {
        log_error("no memory for a response to %.*s", STR_ARG(x->r.raw_target));
        return MHD_NO;
    }
    x->queued = true;
    enum MHD_Result ok = MHD_queue_response(x->connection, (unsigned)x->status, x->response);
    MHD_destroy_response(x->response); /* our reference */
    x->response = NULL;
    if (ok != MHD_YES)
        log_error("libmicrohttpd refused the response %d to %.*s", x->status, STR_ARG(x->r.raw_target));
    return ok;
}

/* The first call: headers are there. */
static enum MHD_Result begin(struct exchange *x, const char *method, const char *version)
{
    struct http_server *s = x->server;
    int refusal = request_init(x, x->connection, method, version);

    pthread_mutex_lock(&s->lock);
    if (s->stopping && !refusal)
        refusal = 503;
    pthread_mutex_unlock(&s->lock);
    if (refusal) {
        pthread_mutex_lock(&x->lock);
        refuse(x, refusal);
        if (x->has_body)
            MHD_add_response_header(x->response, "Connection", "close");
        enum MHD_Result ok = queue(x);
        pthread_mutex_unlock(&x->lock);
        return ok;
    }

    x->stage = STAGE_BODY;
    if (s->handler.begin)
        s->handler.begin(s->ctx, &x->r);
    pthread_mutex_lock(&x->lock);
    enum MHD_Result ok = MHD_YES;
    if (x->responded) {
        x->stage = STAGE_REFUSED;
        x->r.body_refused = x->has_body;
        if (x->has_body) { /* without one, it waits for the next call: an answer that comes now ends the connection */
            if (x->response)
                MHD_add_response_header(x->response, "Connection", "close");
            ok = queue(x);
        }
    }
    pthread_mutex_unlock(&x->lock);
    return ok;
}

/* A piece of the body: copied, and handed to the pool. While that works the next one is read; the connection is suspended
 * only when it is there first. Under x->lock. */
static enum MHD_Result body(struct exchange *x, const char *upload, size_t *upload_n)
{
    if (x->suspended) /* it goes on with what it has read, suspended or not: keep the rest */
        return MHD_YES;
    if (x->responded || x->stage != STAGE_BODY || !x->server->handler.body) {
        if (x->stage == STAGE_BODY && x->responded)
            x->stage = STAGE_REFUSED;
        *upload_n = 0;
        return MHD_YES;
    }
    if (x->piece_in_work) {
        suspend(x);
        return MHD_YES;
    }
    buf_reset(&x->piece);
    buf_append(&x->piece, upload, *upload_n);
    *upload_n = 0;
    x->piece_in_work = !x->piece.failed && pool_submit(x->server->pool, run_body, x);
    if (x->piece_in_work)
        return MHD_YES;
    x->stage = STAGE_REFUSED;
    refuse(x, 503); /* sent when the rest of the body went by: libmicrohttpd has no way to answer earlier */
    return MHD_YES;
}

/* The request is complete: the handler answers, or has. Under x->lock, which `finish` on this thread is called without. */
static enum MHD_Result finish(struct exchange *x)
{
    struct http_server *s = x->server;

    if (x->responded)
        return x->queued ? MHD_YES : queue(x);
    if (x->piece_in_work) { /* the last one */
        suspend(x);
        return MHD_YES;
    }
    if (x->stage == STAGE_BODY) {
        x->stage = STAGE_FINISH;
        x->handler_owes = true;
        if (x->r.fast) {
            pthread_mutex_unlock(&x->lock);
            s->handler.finish(s->ctx, &x->r);
            pthread_mutex_lock(&x->lock);
        } else if (!pool_submit(s->pool, run_finish, x)) {
            x->handler_owes = false;
            refuse(x, 503);
        }
        if (x->responded)
            return queue(x);
    }
    if (s->cutting)
        return MHD_NO;
    suspend(x);
    return MHD_YES;
}

enum MHD_Result exchange_handle(void *server, struct MHD_Connection *connection, const char *url, const char *method,
                                const char *version, const char *upload, size_t *upload_n, void **exchange)
{
    struct http_server *s = server;
    struct exchange *x = *exchange;
    (void)connection, (void)url;

    if (x->stage == STAGE_NEW && !x->queued)
        return begin(x, method, version);
    pthread_mutex_lock(&x->lock);
    enum MHD_Result ok;
    /* Read under x->lock: http_server_stop takes it after setting the flag, and then finds us suspended or past here. */
    if (s->cutting && !x->responded)
        ok = MHD_NO; /* closes the connection */
    else if (*upload_n)
        ok = body(x, upload, upload_n);
    else
        ok = finish(x);
    pthread_mutex_unlock(&x->lock);
    return ok;
}
