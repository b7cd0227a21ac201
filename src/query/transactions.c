/*
 * Open transactions, by id. As in Trino a client starts one, names it with each statement and ends it; one that is idle for
 * five minutes is gone. Catalogs commit each statement by itself: writing inside a transaction is refused (run.c), as
 * Trino's Iceberg and memory connectors refuse it.
 */
#include "base/clock.h"
#include "base/map.h"
#include "base/uuid.h"
#include "base/vec.h"
#include "query/internal.h"

enum { IDLE_MAX_MS = 5 * 60 * 1000, OPEN_MAX = 10000 };

struct transaction {
    struct arena arena;
    int64_t used_ms;       /* monotonic */
    int64_t created_us;    /* wall clock */
    const char *isolation; /* a literal of the analyser's */
    bool read_only;
    VEC(struct str) catalogs; /* that its statements named, in `arena` */
};

struct transactions {
    pthread_mutex_t lock;
    struct map open; /* id → struct transaction * */
    size_t n;
};

static void transaction_free(struct transaction *x)
{
    if (!x)
        return;
    arena_release(&x->arena);
    free(x);
}

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
        transaction_free(e->value);
    map_release(&t->open);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static void forget(struct transactions *t, struct str id)
{
    struct transaction *x = map_remove(&t->open, id);

    if (x)
        t->n--;
    transaction_free(x);
}

/* Forgets those that expired, and the one unused for longest when there are too many. */
static void make_room(struct transactions *t, int64_t now)
{
    struct map_entry *oldest = NULL;

    for (struct map_entry *e = NULL; (e = map_next(&t->open, e));) {
        const struct transaction *x = e->value;

        if (now - x->used_ms > IDLE_MAX_MS) {
            forget(t, e->key);
            continue;
        }
        if (!oldest || x->used_ms < ((const struct transaction *)oldest->value)->used_ms)
            oldest = e;
    }
    if (t->n >= OPEN_MAX && oldest)
        forget(t, oldest->key);
}

void transactions_begin(struct transactions *t, struct arena *a, const struct statement *s, struct str *ret_id)
{
    char id[UUID_TEXT_SIZE];
    struct transaction *x = calloc(1, sizeof(*x));

    if (!x)
        abort();
    uuid_v4(id);
    x->used_ms = clock_mono_ms();
    x->created_us = clock_wall_us();
    x->isolation = s->value.p;
    x->read_only = s->read_only;
    pthread_mutex_lock(&t->lock);
    make_room(t, x->used_ms);
    map_set(&t->open, str_from_cstr(id), x);
    t->n++;
    pthread_mutex_unlock(&t->lock);
    *ret_id = arena_str(a, str_from_cstr(id));
}

static void name_catalog(struct transaction *x, struct str catalog)
{
    for (size_t i = 0; i < x->catalogs.n; i++)
        if (str_eq(x->catalogs.items[i], catalog))
            return;
    vec_push_in(&x->arena, &x->catalogs, arena_str(&x->arena, catalog));
}

int transactions_use(struct transactions *t, struct str id, const struct analyze_tables *tables, struct err *err)
{
    int64_t now = clock_mono_ms();
    bool is_open;
    struct transaction *x;

    pthread_mutex_lock(&t->lock);
    x = map_get(&t->open, id);
    is_open = x && now - x->used_ms <= IDLE_MAX_MS;
    if (is_open)
        x->used_ms = now;
    for (size_t i = 0; is_open && tables && i < tables->n; i++)
        name_catalog(x, tables->items[i]->catalog);
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

size_t transactions_list(struct transactions *t, struct arena *a, struct transaction_info **ret)
{
    int64_t now = clock_mono_ms();
    size_t n = 0;

    pthread_mutex_lock(&t->lock);
    *ret = arena_array(a, struct transaction_info, t->n + 1);
    for (struct map_entry *e = NULL; (e = map_next(&t->open, e));) {
        const struct transaction *x = e->value;
        struct transaction_info *info = &(*ret)[n++];

        *info = (struct transaction_info){
            .id = arena_str(a, e->key),
            .isolation = x->isolation,
            .read_only = x->read_only,
            .created_us = x->created_us,
            .idle_ms = now - x->used_ms,
            .catalogs = arena_array(a, struct str, x->catalogs.n),
            .catalog_count = x->catalogs.n,
        };
        for (size_t i = 0; i < x->catalogs.n; i++)
            info->catalogs[i] = arena_str(a, x->catalogs.items[i]);
    }
    pthread_mutex_unlock(&t->lock);
    return n;
}
