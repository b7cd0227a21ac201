/* The queries of a server: their ids, who runs and who waits, and what is remembered of those that ended. */
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/vec.h"
#include "query/internal.h"

enum { DEFAULT_RUNNING = 16, DEFAULT_QUEUED = 1000, DEFAULT_HISTORY = 100 };

int queries_new(const struct queries_options *o, struct queries **ret, struct err *err)
{
    struct queries *qs = calloc(1, sizeof(*qs));
    int rc;

    if (!qs)
        abort();
    qs->engine = o->engine;
    qs->catalogs = o->catalogs;
    qs->information_schema = o->information_schema;
    qs->threads = o->max_running > 0 ? o->max_running : DEFAULT_RUNNING;
    qs->history = o->history > 0 ? (size_t)o->history : DEFAULT_HISTORY;
    qs->access = o->access;
    rc = qs->access ? 0 : access_control_new(&(struct access_control_options){0}, &qs->own_access, err);
    if (rc < 0) {
        free(qs);
        return rc;
    }
    if (!qs->access)
        qs->access = qs->own_access;
    rc = pool_new("query", qs->threads, o->max_queued > 0 ? o->max_queued : DEFAULT_QUEUED, &qs->pool, err);
    if (rc < 0) {
        access_control_free(qs->own_access);
        free(qs);
        return rc;
    }
    pthread_mutex_init(&qs->lock, NULL);
    rc = accounts_new(qs, qs->engine, &qs->accounts, err);
    if (rc < 0) {
        pool_free(qs->pool);
        pthread_mutex_destroy(&qs->lock);
        free(qs);
        return rc;
    }
    qs->transactions = transactions_new();
    rand_alnum(qs->id_suffix, sizeof(qs->id_suffix) - 1);
    for (char *c = qs->id_suffix; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    *ret = qs;
    return 0;
}

void queries_free(struct queries *qs)
{
    if (!qs)
        return;
    pthread_mutex_lock(&qs->lock);
    for (size_t i = 0; i < qs->n; i++)
        query_cancel(qs->items[i], NULL);
    pthread_mutex_unlock(&qs->lock);
    pool_free(qs->pool);
    accounts_free(qs->accounts);
    for (size_t i = 0; i < qs->n; i++)
        query_unref(qs->items[i]);
    free(qs->items);
    transactions_free(qs->transactions);
    access_control_free(qs->own_access);
    pthread_mutex_destroy(&qs->lock);
    free(qs);
}

/* Trino's form: 20261124_143005_00001_abcde. With qs->lock held. */
static struct str next_id(struct queries *qs, struct arena *a, int64_t now_us)
{
    struct clock_civil c;

    if (now_us / 1000000 != qs->id_second && qs->id_counter >= 99999)
        qs->id_counter = 0;
    qs->id_second = now_us / 1000000;
    clock_civil_from_us(now_us, &c);
    return arena_printf(a, "%04d%02d%02d_%02d%02d%02d_%05u_%s", (int)c.year, c.month, c.day, c.hour, c.minute, c.second,
                        qs->id_counter++, qs->id_suffix);
}

static void copy_values(struct map *to, const struct map *from, struct arena *a)
{
    for (struct map_entry *e = NULL; (e = map_next(from, e));) {
        struct str *value = arena_new(a, struct str);

        *value = arena_str(a, *(const struct str *)e->value);
        map_set(to, e->key, value);
    }
}

static struct str copy(struct arena *a, struct str s)
{
    return str_is_null(s) ? STR_NULL : arena_str(a, s);
}

static void copy_session(struct session *to, const struct session *from, struct arena *a)
{
    *to = *from;
    to->user = copy(a, from->user);
    to->original_user = copy(a, from->original_user);
    to->authenticated = copy(a, from->authenticated);
    to->principal = copy(a, from->principal);
    struct str *groups = arena_array(a, struct str, from->group_count);
    for (size_t i = 0; i < from->group_count; i++)
        groups[i] = arena_str(a, from->groups[i]);
    to->groups = groups;
    to->source = copy(a, from->source);
    to->catalog = copy(a, from->catalog);
    to->schema = copy(a, from->schema);
    to->time_zone = copy(a, from->time_zone);
    to->language = copy(a, from->language);
    to->transaction_id = copy(a, from->transaction_id);
    to->properties = to->prepared = (struct map)MAP_INIT;
    copy_values(&to->properties, &from->properties, a);
    copy_values(&to->prepared, &from->prepared, a);
}

static bool is_ended(struct query *q)
{
    bool is;

    pthread_mutex_lock(&q->lock);
    is = q->is_ended;
    pthread_mutex_unlock(&q->lock);
    return is;
}

/* Adds `q`, and forgets ended ones past the history's length. With qs->lock held. */
static void remember(struct queries *qs, struct query *q)
{
    size_t ended = 0, kept = 0;

    if (qs->n == qs->cap)
        qs->items = vec_grow(qs->items, &qs->cap, qs->n, sizeof(struct query *));
    qs->items[qs->n++] = query_ref(q);
    if (qs->n <= qs->history)
        return;
    for (size_t i = 0; i < qs->n; i++)
        ended += is_ended(qs->items[i]);
    for (size_t i = 0; i < qs->n; i++) {
        if (ended > qs->history && is_ended(qs->items[i])) {
            ended--;
            query_unref(qs->items[i]);
        } else {
            qs->items[kept++] = qs->items[i];
        }
    }
    qs->n = kept;
}

static void forget(struct queries *qs, struct query *q)
{
    pthread_mutex_lock(&qs->lock);
    for (size_t i = qs->n; i-- > 0;) {
        if (qs->items[i] != q)
            continue;
        memmove(qs->items + i, qs->items + i + 1, (qs->n - i - 1) * sizeof(*qs->items));
        qs->n--;
        query_unref(q);
        break;
    }
    pthread_mutex_unlock(&qs->lock);
}

static void run_query(void *arg)
{
    struct query *q = arg;
    struct err err = {0};
    int rc = 0;

    if (!is_ended(q)) {
        accounts_open(q->owner->accounts, q);
        rc = query_run(q, &err);
        accounts_close(q->owner->accounts, q);
        /* Interrupted work fails in many ways: that it was interrupted is what counts. */
        if (rc < 0 && query_is_cancelled(q, &err))
            rc = err.code;
        if (rc < 0 && err.code == ERR_INTERNAL)
            log_error("query %.*s: %s", STR_ARG(q->id), err.message);
        query_end(q, rc < 0 ? &err : NULL);
    }
    arena_release(&q->work);
    query_unref(q);
}

int query_start(struct queries *qs, const struct session *s, struct str text, const struct query_sink *sink,
                struct query **ret, struct err *err)
{
    struct query *q = calloc(1, sizeof(*q));
    int64_t now = clock_wall_us();

    if (!q)
        abort();
    atomic_init(&q->refs, 2); /* the caller's and the pool's */
    q->owner = qs;
    q->sink = *sink;
    q->created_mono_us = clock_mono_us();
    q->stats = (struct query_stats){.state = QUERY_QUEUED, .created_us = now, .progress = -1};
    pthread_mutex_init(&q->lock, NULL);
    copy_session(&q->session, s, &q->arena);
    q->text = arena_str(&q->arena, text);
    query_read_limits(q);
    pthread_mutex_lock(&qs->lock);
    q->id = next_id(qs, &q->arena, now);
    q->session.query_id = q->id;
    q->session.start_us = now;
    remember(qs, q);
    pthread_mutex_unlock(&qs->lock);
    if (!pool_submit(qs->pool, run_query, q)) {
        forget(qs, q);
        query_unref(q);
        query_unref(q);
        return err_set_named(err, ERR_LIMIT, "QUERY_QUEUE_FULL", "Too many queued queries for \"global\"");
    }
    *ret = q;
    return 0;
}

void queries_watch(struct queries *qs)
{
    VEC(struct query *) late = {0};
    struct err why = {0};

    pthread_mutex_lock(&qs->lock);
    for (size_t i = 0; i < qs->n; i++) {
        query_take_progress(qs->items[i]);
        if (query_is_over_limit(qs->items[i], &why))
            vec_push(&late, query_ref(qs->items[i]));
    }
    pthread_mutex_unlock(&qs->lock);
    for (size_t i = 0; i < late.n; i++) { /* without the lock: its sink hears of it */
        if (query_is_over_limit(late.items[i], &why))
            query_cancel(late.items[i], &why);
        query_unref(late.items[i]);
    }
    vec_release(&late);
}

static void describe(struct query *q, struct arena *a, struct query_info *ret)
{
    *ret = (struct query_info){
        .id = arena_str(a, q->id),
        .user = copy(a, q->session.user),
        .original_user = copy(a, q->session.original_user),
        .principal = copy(a, q->session.principal),
        .source = copy(a, q->session.source),
        .catalog = copy(a, q->session.catalog),
        .schema = copy(a, q->session.schema),
        .text = arena_str(a, q->text),
    };
    query_get_stats(q, &ret->stats);
    pthread_mutex_lock(&q->lock);
    ret->error = q->error;
    ret->ended_us = q->ended_wall_us;
    pthread_mutex_unlock(&q->lock);
}

size_t queries_list(struct queries *qs, struct arena *a, struct query_info **ret)
{
    size_t n;

    pthread_mutex_lock(&qs->lock);
    n = qs->n;
    *ret = arena_array(a, struct query_info, n);
    for (size_t i = 0; i < n; i++)
        describe(qs->items[i], a, &(*ret)[i]);
    pthread_mutex_unlock(&qs->lock);
    return n;
}

bool queries_get(struct queries *qs, struct arena *a, struct str id, struct query_info *ret)
{
    bool found = false;

    pthread_mutex_lock(&qs->lock);
    for (size_t i = 0; i < qs->n && !found; i++) {
        found = str_eq(qs->items[i]->id, id);
        if (found)
            describe(qs->items[i], a, ret);
    }
    pthread_mutex_unlock(&qs->lock);
    return found;
}

size_t queries_list_transactions(struct queries *qs, struct arena *a, struct transaction_info **ret)
{
    return transactions_list(qs->transactions, a, ret);
}
