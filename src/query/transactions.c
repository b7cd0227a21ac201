/*
 * Open transactions, by id. As in Trino a client starts one, names it with each statement and ends it; one that is idle for
 * five minutes is gone. Catalogs commit each statement by itself: writing inside a transaction is refused (run.c), as
 * Trino's Iceberg and memory connectors refuse it.
 */
#include "base/clock.h"
#include "base/map.h"
#include "base/uuid.h"
#include "query/internal.h"

enum { IDLE_MAX_MS = 5 * 60 * 1000, OPEN_MAX = 10000 };

struct transactions {
    pthread_mutex_t lock;
    struct map open; /* id → int64_t *: when it was last used, monotonic milliseconds */
    size_t n;
};

struct transactions *transactions_new(void)
{
    struct transactions *t = calloc(1, sizeof(*t));

    if (!t)
        abort();
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

void transactions_free(struct transactions *t)
{
    if (!t)
        return;
    for (struct map_entry *e = NULL; (e = map_next(&t->open, e));)
        free(e->value);
    map_release(&t->open);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static void forget(struct transactions *t, struct str id)
{
    int64_t *used = map_remove(&t->open, id);

    if (used)
        t->n--;
    free(used);
}

/* Forgets those that expired, and the one unused for longest when there are too many. */
static void make_room(struct transactions *t, int64_t now)
{
    struct map_entry *oldest = NULL;

    for (struct map_entry *e = NULL; (e = map_next(&t->open, e));) {
        if (now - *(int64_t *)e->value > IDLE_MAX_MS) {
            forget(t, e->key);
            continue;
        }
        if (!oldest || *(int64_t *)e->value < *(int64_t *)oldest->value)
            oldest = e;
    }
    if (t->n >= OPEN_MAX && oldest)
        forget(t, oldest->key);
}

void transactions_begin(struct transactions *t, struct arena *a, struct str *ret_id)
{
    char id[UUID_TEXT_SIZE];
    int64_t *used = malloc(sizeof(*used));

    if (!used)
        abort();
    uuid_v4(id);
    pthread_mutex_lock(&t->lock);
    *used = clock_mono_ms();
    make_room(t, *used);
    map_set(&t->open, str_from_cstr(id), used);
    t->n++;
    pthread_mutex_unlock(&t->lock);
    *ret_id = arena_str(a, str_from_cstr(id));
}

int transactions_use(struct transactions *t, struct str id, struct err *err)
{
    int64_t now = clock_mono_ms();
    bool is_open;
    int64_t *used;

    pthread_mutex_lock(&t->lock);
    used = map_get(&t->open, id);
    is_open = used && now - *used <= IDLE_MAX_MS;
    if (is_open)
        *used = now;
    pthread_mutex_unlock(&t->lock);
    if (is_open)
        return 0;
    return err_set_named(
        err, ERR_NOT_FOUND, "UNKNOWN_TRANSACTION",
        "Unknown transaction ID: %.*s. Possibly expired? Commands ignored until end of transaction block", STR_ARG(id));
}

void transactions_end(struct transactions *t, struct str id)
{
    pthread_mutex_lock(&t->lock);
    forget(t, id);
    pthread_mutex_unlock(&t->lock);
}
