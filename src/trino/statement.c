/*
 * /v1/statement: a query's results, page by page. The query's thread encodes rows into the page that is being filled and
 * stops when a few full ones wait to be fetched, so that a result of any size takes little memory. A request waits, with
 * its connection suspended and no thread, until there is something to say: a full page, the end, a part of a page after a
 * while, or no news at its deadline. Whoever brings the news answers it: the query's thread, or the clock.
 *
 * URIs are queued/ID/SLUG/TOKEN while the query waits for its turn, then executing/ID/SLUG/TOKEN; a token counts answers.
 * The last answer is kept and sent again when its token is asked for again, since a client repeats what failed on the way.
 * A query that is done when its first answer is due (within FIRST_WAIT_MS) has all of it in the answer to the POST.
 */
#include "trino/internal.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/vec.h"
#include "trino/columns.h"
#include "trino/encode.h"

enum {
    PAGE_TARGET = 1 << 20, /* bytes of JSON; a client may ask for another size */
    PAGE_TARGET_MAX = 16 << 20,
    PAGE_LARGE = 4 << 20, /* of such a one only one waits */
    PAGE_MAX = 512 << 20, /* one row may be large */
    COLUMNS_MAX = 16 << 20,
    READY_MAX = 2,      /* full pages that wait to be fetched */
    FIRST_WAIT_MS = 50, /* of a POST */
    WAIT_MS = 1000,     /* of a GET: the most that maxWait may ask for */
    PART_MS = 100,      /* when a page that isn't full is sent */
    TICK_MS = 10,
    IDLE_TICK_MS = 1000, /* nobody waits: for clients that are gone */
    KEEP_MS = 60000,     /* the last answer, for repeats */
    SLUG_BYTES = 20,
};

struct waiter {
    struct http_request *request;
    int64_t part_ms, deadline_ms; /* monotonic: when a part of a page, or nothing, is sent */
};

struct statement_resource {
    struct trino_server *server;
    atomic_int refs; /* the server's map, the query until `end`, who works with it */
    struct arena arena;
    struct str id;
    bool parametric;

    pthread_mutex_t lock; /* all below */
    pthread_cond_t room;  /* of `ready` */
    struct query *query;
    struct buf columns; /* JSON */
    bool has_columns, has_stage;
    struct encoder *encoder;
    struct buf page; /* being filled: rows with commas between */
    struct buf ready[READY_MAX];
    size_t ready_n, target;
    bool is_cancelled, is_ended;
    struct err refusal; /* why no rows can be taken; code 0: they can */
    struct err error;   /* of an ended one; code 0: none */
    bool is_executing;  /* URIs are executing/… */
    uint64_t token;     /* of the next answer */
    bool has_last, last_is_executing;
    uint64_t last_token;
    struct buf last; /* the JSON of the last answer */
    bool is_done;    /* the last answer had no nextUri */
    bool is_unregistered;
    int64_t access_ms; /* monotonic: of the last request or answer */
    VEC(struct waiter) waiters;
};

static void unref(struct statement_resource *x)
{
    if (atomic_fetch_sub(&x->refs, 1) > 1)
        return;
    query_unref(x->query);
    encoder_free(x->encoder);
    buf_release(&x->columns);
    buf_release(&x->page);
    for (size_t i = 0; i < x->ready_n; i++)
        buf_release(&x->ready[i]);
    buf_release(&x->last);
    vec_release(&x->waiters);
    pthread_cond_destroy(&x->room);
    pthread_mutex_destroy(&x->lock);
    arena_release(&x->arena);
    free(x);
}

static struct statement_resource *find(struct trino_server *s, struct str id)
{
    pthread_mutex_lock(&s->lock);
    struct statement_resource *x = map_get(&s->statements, id);
    if (x)
        atomic_fetch_add(&x->refs, 1);
    pthread_mutex_unlock(&s->lock);
    return x;
}

static void unregister(struct statement_resource *x)
{
    struct trino_server *s = x->server;

    pthread_mutex_lock(&s->lock);
    bool mine = map_get(&s->statements, x->id) == x;
    if (mine)
        map_remove(&s->statements, x->id);
    pthread_mutex_unlock(&s->lock);
    if (mine)
        unref(x);
}

/* ---- URIs ---- */

static void make_slug(const struct statement_resource *x, bool is_executing, uint64_t token,
                      char out[2 * SLUG_BYTES + 2])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char mac[32];
    char text[128];
    int n = snprintf(text, sizeof(text), "%.*s/%d/%llu", STR_ARG(x->id), is_executing, (unsigned long long)token);

    hash_hmac_sha256(str_from((const char *)x->server->slug_key, sizeof(x->server->slug_key)),
                     str_from(text, n > 0 ? (size_t)n : 0), mac);
    *out++ = 'y';
    for (int i = 0; i < SLUG_BYTES; i++) {
        *out++ = digits[mac[i] >> 4];
        *out++ = digits[mac[i] & 15];
    }
    *out = '\0';
}

static struct str make_uri(const struct statement_resource *x, struct http_request *r, struct str base)
{
    char slug[2 * SLUG_BYTES + 2];

    make_slug(x, x->is_executing, x->token, slug);
    return arena_printf(r->arena, "%.*s/v1/statement/%s/%.*s/%s/%llu", STR_ARG(base),
                        x->is_executing ? "executing" : "queued", STR_ARG(x->id), slug, (unsigned long long)x->token);
}

struct position {
    bool is_executing;
    struct str id, slug;
    uint64_t token;
    bool has_token;
};

/* "queued/ID/SLUG/TOKEN" */
static bool parse_position(struct str rest, struct position *ret)
{
    struct str kind, token;

    *ret = (struct position){0};
    if (!str_split(&rest, '/', &kind) || !str_split(&rest, '/', &ret->id) || !str_split(&rest, '/', &ret->slug) ||
        !str_split(&rest, '/', &token) || !str_is_null(rest))
        return false;
    ret->is_executing = str_eq(kind, STR("executing"));
    ret->has_token = str_to_u64(token, &ret->token, NULL) == 0;
    return ret->is_executing || str_eq(kind, STR("queued"));
}

/* The statement that a URI names; NULL after the error was sent. */
static struct statement_resource *resolve(struct trino_server *s, struct http_request *r, struct str rest,
                                          struct position *ret)
{
    char slug[2 * SLUG_BYTES + 2];

    if (!parse_position(rest, ret) || !ret->has_token) {
        http_respond_empty(r, http_response_new(r, 404));
        return NULL;
    }
    struct statement_resource *x = find(s, ret->id);
    if (x) {
        make_slug(x, ret->is_executing, ret->token, slug);
        if (str_eq_secret(ret->slug, str_from_cstr(slug)))
            return x;
        unref(x);
    }
    respond_error(r, 404, "Query not found");
    return NULL;
}

/* ---- answers; all with x->lock held ---- */

static void send_last(struct statement_resource *x, struct http_request *r)
{
    struct http_response *p = http_response_new(r, 200);
    struct buf copy;

    if (x->is_ended && x->error.code == 0)
        session_add_changes(r, p, query_changes(x->query));
    buf_init(&copy, x->last.max);
    buf_add_str(&copy, buf_str(&x->last));
    respond_json(r, p, &copy);
}

/* Takes the next page, which may be the one that is being filled; false when there are no rows. */
static bool take_page(struct statement_resource *x, struct buf *ret)
{
    if (x->ready_n > 0) {
        *ret = x->ready[0];
        memmove(x->ready, x->ready + 1, --x->ready_n * sizeof(*x->ready));
        pthread_cond_signal(&x->room);
        return true;
    }
    if (x->page.n == 0)
        return false;
    *ret = x->page;
    buf_init(&x->page, PAGE_MAX);
    return true;
}

static void drop_pages(struct statement_resource *x)
{
    for (size_t i = 0; i < x->ready_n; i++)
        buf_release(&x->ready[i]);
    x->ready_n = 0;
    buf_release(&x->page);
    pthread_cond_signal(&x->room);
}

static void write_last(struct statement_resource *x, struct http_request *r, const struct buf *rows)
{
    struct results v = {
        .id = x->id, .base_uri = base_uri(r), .next_uri = STR_NULL, .data = STR_NULL, .update_count = -1};

    v.columns = x->has_columns ? buf_str(&x->columns) : STR_NULL;
    if (rows)
        v.data = buf_str(rows);
    v.has_stage = x->has_stage;
    v.error = x->error.code ? &x->error : NULL;
    query_get_stats(x->query, &v.stats);
    if (v.stats.state >= QUERY_STARTING)
        v.update_type = x->has_columns || !v.error ? query_update_type(x->query) : NULL;
    if (!query_update_count(x->query, &v.update_count))
        v.update_count = -1;

    x->has_last = true;
    x->last_is_executing = x->is_executing;
    x->last_token = x->token;
    if (!x->is_executing && v.stats.state != QUERY_QUEUED) {
        x->is_executing = true;
        x->token = 0;
    } else {
        x->token++;
    }
    x->is_done = x->is_ended && x->ready_n == 0 && x->page.n == 0;
    if (!x->is_done)
        v.next_uri = make_uri(x, r, v.base_uri);
    /* A query that ended while its rows are still fetched is at work for the client. */
    if (!x->is_done && v.stats.state == QUERY_FINISHED)
        v.stats.state = QUERY_FINISHING;
    buf_reset(&x->last);
    if (x->last.cap > 4u << 20)
        buf_release(&x->last);
    results_write(&x->last, &v);
}

static void answer(struct statement_resource *x)
{
    struct buf rows;
    bool has_rows;

    if (x->is_ended && x->error.code)
        drop_pages(x); /* a failed query gives no more rows */
    has_rows = take_page(x, &rows);
    write_last(x, x->waiters.items[0].request, has_rows ? &rows : NULL);
    if (has_rows)
        buf_release(&rows);
    x->access_ms = clock_mono_ms();
    for (size_t i = 0; i < x->waiters.n; i++)
        send_last(x, x->waiters.items[i].request);
    atomic_fetch_sub(&x->server->waiting, x->waiters.n);
    x->waiters.n = 0;
}

/* Answers who waits, when a whole page or the end is there. After cancelling only the end is news. */
static void answer_with_news(struct statement_resource *x)
{
    bool has_page = x->ready_n > 0 || x->page.n >= x->target;

    if (x->waiters.n > 0 && (x->is_ended || (has_page && !x->is_cancelled)))
        answer(x);
}

/* Or when they waited long enough: the clock's part, so that rows which come just before the end are sent with it. */
static void answer_when_due(struct statement_resource *x, int64_t now_ms)
{
    answer_with_news(x);
    if (x->waiters.n == 0)
        return;
    const struct waiter *w = &x->waiters.items[0];
    if (now_ms >= w->deadline_ms || (x->page.n > 0 && now_ms >= w->part_ms && !x->is_cancelled))
        answer(x);
}

/* Of a statement that was answered in its POST nothing can be asked again. Without locks. */
static void forget_if_done(struct statement_resource *x)
{
    pthread_mutex_lock(&x->lock);
    bool forget = x->is_done && !x->last_is_executing && x->last_token == 0 && !x->is_unregistered;
    x->is_unregistered |= forget;
    pthread_mutex_unlock(&x->lock);
    if (forget)
        unregister(x);
}

static void wait_for_news(struct statement_resource *x, struct http_request *r, int64_t wait_ms)
{
    struct trino_server *s = x->server;
    int64_t now = clock_mono_ms();

    if (atomic_fetch_add(&s->waiting, 1) == 0) {
        pthread_mutex_lock(&s->lock);
        pthread_cond_broadcast(&s->wake);
        pthread_mutex_unlock(&s->lock);
    }
    pthread_mutex_lock(&x->lock);
    x->access_ms = now;
    vec_push(&x->waiters, ((struct waiter){r, now + (wait_ms < PART_MS ? wait_ms : PART_MS), now + wait_ms}));
    answer_with_news(x);
    pthread_mutex_unlock(&x->lock);
    forget_if_done(x);
}

/* ---- the query's sink ---- */

static void take_columns(void *ctx, const struct column *columns, const struct str *names, size_t n)
{
    struct statement_resource *x = ctx;

    pthread_mutex_lock(&x->lock);
    columns_write(&x->columns, columns, names, n, x->parametric);
    if (buf_check(&x->columns, "the description of the columns", &x->refusal) == 0 &&
        encoder_new(columns, n, x->parametric, &x->encoder, &x->refusal) == 0) {
        x->has_columns = true;
        x->has_stage = n > 0;
    }
    pthread_mutex_unlock(&x->lock);
}

/* Puts the full page to those that wait, when there is room. */
static int seal_page(struct statement_resource *x, struct err *err)
{
    size_t most = x->target > PAGE_LARGE ? 1 : READY_MAX;

    while (x->ready_n >= most && !x->is_cancelled)
        pthread_cond_wait(&x->room, &x->lock);
    if (x->is_cancelled)
        return err_set(err, ERR_CANCELLED, "nobody fetches the rows any more");
    if (x->page.n > 0) { /* else somebody took it meanwhile */
        x->ready[x->ready_n++] = x->page;
        buf_init(&x->page, PAGE_MAX);
    }
    answer_with_news(x);
    return 0;
}

static int take_rows(struct statement_resource *x, duckdb_data_chunk chunk, struct err *err)
{
    idx_t rows = duckdb_data_chunk_get_size(chunk);
    int rc = encoder_bind(x->encoder, chunk, err);

    for (idx_t i = 0; i < rows && rc == 0; i++) {
        if (x->page.n >= x->target && (rc = seal_page(x, err)) < 0)
            break;
        if (x->page.n > 0)
            buf_add_char(&x->page, ',');
        encoder_add_row(x->encoder, i, &x->page);
        rc = buf_check(&x->page, "a row of the result", err);
    }
    return rc;
}

static int take_chunk(void *ctx, duckdb_data_chunk chunk, struct err *err)
{
    struct statement_resource *x = ctx;
    int rc;

    pthread_mutex_lock(&x->lock);
    if (x->refusal.code) {
        rc = x->refusal.code;
        if (err)
            *err = x->refusal;
    } else {
        rc = take_rows(x, chunk, err);
    }
    if (rc == 0)
        answer_with_news(x);
    pthread_mutex_unlock(&x->lock);
    return rc;
}

static void take_cancelled(void *ctx)
{
    struct statement_resource *x = ctx;

    pthread_mutex_lock(&x->lock);
    x->is_cancelled = true;
    pthread_cond_broadcast(&x->room);
    pthread_mutex_unlock(&x->lock);
}

static void take_end(void *ctx, const struct err *error)
{
    struct statement_resource *x = ctx;
    struct trino_server *s = x->server;

    pthread_mutex_lock(&x->lock);
    x->is_ended = true;
    if (error)
        x->error = *error;
    answer_with_news(x);
    pthread_mutex_unlock(&x->lock);
    forget_if_done(x);

    pthread_mutex_lock(&s->lock);
    s->live--;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    unref(x);
}

/* ---- requests ---- */

static struct statement_resource *make(struct trino_server *s, const struct session *session)
{
    struct statement_resource *x = calloc(1, sizeof(*x));

    if (!x)
        abort();
    atomic_init(&x->refs, 3); /* the map's, the query's, the caller's */
    x->server = s;
    x->parametric = session->parametric_datetime;
    x->target = PAGE_TARGET;
    x->access_ms = clock_mono_ms();
    buf_init(&x->columns, COLUMNS_MAX);
    buf_init(&x->page, PAGE_MAX);
    buf_init(&x->last, PAGE_MAX + COLUMNS_MAX);
    pthread_mutex_init(&x->lock, NULL);
    pthread_cond_init(&x->room, NULL);
    return x;
}

/* A statement that could not even be queued: an answer with an error and no query behind it. */
static void refuse(struct http_request *r, const struct err *err)
{
    struct results v = {.id = STR("none"), .base_uri = base_uri(r), .error = err, .update_count = -1};
    struct buf body;

    v.stats.state = QUERY_FAILED;
    buf_init(&body, 1 << 20);
    results_write(&body, &v);
    respond_json(r, http_response_new(r, 200), &body);
}

static bool is_blank(struct str text)
{
    return str_trim(text).n == 0;
}

void statement_post(struct trino_server *s, struct http_request *r, struct str text)
{
    struct session session;
    struct err err = {0};

    if (!session_read(s, r, &session))
        return;
    if (is_blank(text)) {
        session_release(&session);
        respond_error(r, 400, "SQL statement is empty");
        return;
    }
    struct statement_resource *x = make(s, &session);
    const struct query_sink sink = {
        .ctx = x, .columns = take_columns, .chunk = take_chunk, .cancelled = take_cancelled, .end = take_end};
    pthread_mutex_lock(&s->lock);
    bool is_stopping = s->is_stopping;
    s->live++;
    pthread_mutex_unlock(&s->lock);

    pthread_mutex_lock(&x->lock); /* the query may be done before we know its name */
    int rc = is_stopping ? err_set_named(&err, ERR_UNAVAILABLE, "SERVER_SHUTTING_DOWN", "Server is shutting down")
                         : query_start(s->queries, &session, text, &sink, &x->query, &err);
    if (rc == 0)
        x->id = arena_str(&x->arena, query_id(x->query));
    pthread_mutex_unlock(&x->lock);
    session_release(&session);

    pthread_mutex_lock(&s->lock);
    if (rc == 0)
        map_set(&s->statements, x->id, x);
    else
        s->live--;
    pthread_mutex_unlock(&s->lock);
    if (rc < 0) {
        refuse(r, &err);
        for (int i = 0; i < 3; i++)
            unref(x);
        return;
    }
    wait_for_news(x, r, FIRST_WAIT_MS);
    unref(x);
}

/* What the client asks for, at most WAIT_MS; without that, as much. */
static int64_t max_wait_ms(struct http_request *r)
{
    int64_t us;

    if (clock_parse_duration(http_query(r, "maxWait"), &us, NULL) < 0 || us / 1000 > WAIT_MS)
        return WAIT_MS;
    return us / 1000;
}

/* airlift's DataSize ("1MB"), within bounds; 0 when none is asked for. */
static size_t target_size(struct http_request *r)
{
    static const struct {
        const char *unit;
        double bytes;
    } units[] = {{"B", 1}, {"kB", 1024}, {"MB", 1 << 20}, {"GB", 1 << 30}};
    struct str text = http_query(r, "targetResultSize");
    size_t digits = 0;
    double v;

    while (digits < text.n && ((text.p[digits] >= '0' && text.p[digits] <= '9') || text.p[digits] == '.'))
        digits++;
    if (str_to_f64(str_slice(text, 0, digits), &v, NULL) < 0)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_eq_cstr(str_skip(text, digits), units[i].unit)) {
            double bytes = v * units[i].bytes;
            return bytes < 1024 ? 1024 : bytes > PAGE_TARGET_MAX ? PAGE_TARGET_MAX : (size_t)bytes;
        }
    return 0;
}

/* Sends what a request that isn't for the next answer gets. True: it was. With x->lock held. */
static bool answer_out_of_turn(struct statement_resource *x, struct http_request *r, const struct position *at)
{
    if (x->has_last && x->last_is_executing == at->is_executing && x->last_token == at->token) {
        x->access_ms = clock_mono_ms();
        send_last(x, r);
        return true;
    }
    if (x->is_executing == at->is_executing && x->token == at->token && !x->is_done)
        return false;
    if (at->is_executing)
        respond_error(r, 404, "Query not found");
    else
        respond_error(r, 410, "Invalid token");
    return true;
}

void statement_get(struct trino_server *s, struct http_request *r, struct str rest)
{
    struct position at;
    struct statement_resource *x = resolve(s, r, rest, &at);

    if (!x)
        return;
    size_t target = target_size(r);
    int64_t wait_ms = max_wait_ms(r);
    pthread_mutex_lock(&x->lock);
    if (target)
        x->target = target;
    bool answered = answer_out_of_turn(x, r, &at);
    pthread_mutex_unlock(&x->lock);
    if (!answered)
        wait_for_news(x, r, wait_ms);
    unref(x);
}

static void cancel(struct statement_resource *x, const struct err *why)
{
    query_cancel(x->query, why);
    pthread_mutex_lock(&x->lock);
    if (x->is_ended && !x->is_done) { /* nobody will fetch the rest */
        drop_pages(x);
        buf_init(&x->page, PAGE_MAX);
    }
    x->access_ms = clock_mono_ms();
    pthread_mutex_unlock(&x->lock);
}

void statement_delete(struct trino_server *s, struct http_request *r, struct str rest)
{
    struct position at;
    struct statement_resource *x = resolve(s, r, rest, &at);

    if (!x)
        return;
    cancel(x, NULL);
    unref(x);
    http_respond_empty(r, http_response_new(r, 204));
}

bool statement_cancel(struct trino_server *s, struct str query_id, const struct err *why)
{
    struct statement_resource *x = find(s, query_id);

    if (!x)
        return false;
    cancel(x, why);
    unref(x);
    return true;
}

/* ---- the clock ---- */

/* A statement's turn: ends waits; cancels it when its client is gone; forgets it when nobody will ask any more. */
static void tick(struct statement_resource *x, int64_t now_ms)
{
    struct trino_server *s = x->server;
    bool abandon, forget;

    pthread_mutex_lock(&x->lock);
    answer_when_due(x, now_ms);
    int64_t idle_ms = now_ms - x->access_ms;
    abandon = !x->is_ended && !x->is_cancelled && x->waiters.n == 0 && idle_ms > s->client_timeout_ms;
    forget = x->is_ended && x->waiters.n == 0 && !x->is_unregistered &&
             idle_ms > (x->is_done ? KEEP_MS : s->client_timeout_ms);
    x->is_unregistered |= forget;
    pthread_mutex_unlock(&x->lock);
    if (abandon) {
        char since[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE];
        struct err why = {0};
        clock_format_rfc3339_ms(clock_wall_ms() - idle_ms, since);
        clock_format_rfc3339_ms(clock_wall_ms(), now);
        err_set_named(&why, ERR_CANCELLED, "ABANDONED_QUERY",
                      "Query %.*s was abandoned by the client, as it may have exited or stopped checking for query "
                      "results. Query results have not been accessed since %s: currentTime %s",
                      STR_ARG(x->id), since, now);
        cancel(x, &why);
    }
    if (forget)
        unregister(x);
    else
        forget_if_done(x);
}

static void timed_wait(struct trino_server *s, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += ms / 1000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_cond_timedwait(&s->wake, &s->lock, &until);
}

/* References to all statements, in `to`. With s->lock held. */
static size_t collect(struct trino_server *s, struct statement_resource ***to, size_t *cap)
{
    size_t n = 0;

    for (struct map_entry *e = NULL; (e = map_next(&s->statements, e));) {
        if (n == *cap)
            *to = vec_grow(*to, cap, n, sizeof(**to));
        (*to)[n] = e->value;
        atomic_fetch_add(&(*to)[n++]->refs, 1);
    }
    return n;
}

void *statement_run_clock(void *server)
{
    struct trino_server *s = server;
    struct statement_resource **all = NULL;
    size_t cap = 0;

    pthread_mutex_lock(&s->lock);
    while (!s->is_stopping) {
        if (s->statements.n == 0)
            pthread_cond_wait(&s->wake, &s->lock);
        else
            timed_wait(s, atomic_load(&s->waiting) ? TICK_MS : IDLE_TICK_MS);
        size_t n = collect(s, &all, &cap);
        pthread_mutex_unlock(&s->lock);
        int64_t now = clock_mono_ms();
        for (size_t i = 0; i < n; i++) {
            tick(all[i], now);
            unref(all[i]);
        }
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    free(all);
    return NULL;
}

void statement_stop_all(struct trino_server *s)
{
    struct statement_resource **all = NULL;
    size_t cap = 0;
    struct err why = {0};

    err_set_named(&why, ERR_CANCELLED, "SERVER_SHUTTING_DOWN", "Server is shutting down");
    pthread_mutex_lock(&s->lock);
    s->is_stopping = true;
    pthread_cond_broadcast(&s->wake);
    size_t n = collect(s, &all, &cap);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < n; i++) {
        cancel(all[i], &why);
        unref(all[i]);
    }
    free(all);
}

void statement_drain(struct trino_server *s)
{
    struct statement_resource **all = NULL;
    size_t cap = 0;

    statement_stop_all(s); /* those that came in between */
    pthread_mutex_lock(&s->lock);
    while (s->live > 0)
        pthread_cond_wait(&s->wake, &s->lock);
    size_t n = collect(s, &all, &cap);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < n; i++) {
        unregister(all[i]);
        unref(all[i]);
    }
    free(all);
}
