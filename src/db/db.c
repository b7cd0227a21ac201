/*
 * The pool and the transactions over both backends. Connections are made when they are needed, at most
 * CONNECTIONS_MAX; a few idle ones are kept. One that broke, or that was given back in a state we can't be sure
 * of, is closed rather than kept.
 */
#include "db/backend.h"

#include "base/clock.h"

#include <errno.h>

enum { CONNECTIONS_MAX = 16, IDLE_MAX = 4, ACQUIRE_TIMEOUT_S = 30, PARAMS_MAX = 64 };

struct db_conn {
    struct db *db;
    void *handle;
    bool in_transaction;
    bool transaction_failed; /* a statement in it failed: only a rollback helps */
};

struct db {
    const struct db_backend *backend;
    void *config;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t given_back;
    struct db_conn *idle[IDLE_MAX];
    int idle_count;
    int open_count; /* idle and in use */
};

static void conn_free(struct db_conn *c)
{
    if (!c)
        return;
    if (c->handle)
        c->db->backend->disconnect(c->handle);
    free(c);
}

int db_new(const struct db_backend *backend, void *config, struct db **ret, struct err *err)
{
    struct db *d = calloc(1, sizeof(*d));
    pthread_condattr_t attr;
    struct db_conn *first = NULL;

    if (!d)
        abort();
    d->backend = backend;
    d->config = config;
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&d->given_back, &attr);
    pthread_condattr_destroy(&attr);

    /* A wrong path or password should be said now, not at the first query. */
    int rc = db_acquire(d, &first, err);
    if (rc < 0) {
        db_close(d);
        return rc;
    }
    db_release(first);
    *ret = d;
    return 0;
}

void db_close(struct db *d)
{
    if (!d)
        return;
    for (int i = 0; i < d->idle_count; i++)
        conn_free(d->idle[i]);
    pthread_cond_destroy(&d->given_back);
    pthread_mutex_destroy(&d->lock);
    d->backend->free_config(d->config);
    free(d);
}

enum db_kind db_kind(const struct db *d)
{
    return d->backend->kind;
}

/* Waits until a connection may be made or an idle one taken (*ret, else NULL). */
static int reserve(struct db *d, struct db_conn **ret, struct err *err)
{
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ACQUIRE_TIMEOUT_S;
    *ret = NULL;
    pthread_mutex_lock(&d->lock);
    while (rc == 0 && d->idle_count == 0 && d->open_count == CONNECTIONS_MAX) {
        if (pthread_cond_timedwait(&d->given_back, &d->lock, &until) == ETIMEDOUT)
            rc = err_set(err, ERR_UNAVAILABLE, "all %d database connections are in use for %d s", CONNECTIONS_MAX,
                         ACQUIRE_TIMEOUT_S);
    }
    if (rc == 0) {
        if (d->idle_count)
            *ret = d->idle[--d->idle_count];
        else
            d->open_count++;
    }
    pthread_mutex_unlock(&d->lock);
    return rc;
}

static void unreserve(struct db *d)
{
    pthread_mutex_lock(&d->lock);
    d->open_count--;
    pthread_cond_signal(&d->given_back);
    pthread_mutex_unlock(&d->lock);
}

int db_acquire(struct db *d, struct db_conn **ret, struct err *err)
{
    struct db_conn *c = NULL;
    int rc = reserve(d, &c, err);

    if (rc < 0)
        return rc;
    if (c && !d->backend->is_usable(c->handle)) {
        conn_free(c);
        c = NULL;
    }
    if (!c) {
        c = calloc(1, sizeof(*c));
        if (!c)
            abort();
        c->db = d;
        rc = d->backend->connect(d->config, &c->handle, err);
        if (rc < 0) {
            free(c);
            unreserve(d);
            return rc;
        }
    }
    *ret = c;
    return 0;
}

void db_release(struct db_conn *c)
{
    if (!c)
        return;
    struct db *d = c->db;
    bool keep;

    db_rollback(c);
    keep = d->backend->is_usable(c->handle);
    pthread_mutex_lock(&d->lock);
    keep = keep && d->idle_count < IDLE_MAX;
    if (keep)
        d->idle[d->idle_count++] = c;
    else
        d->open_count--;
    pthread_cond_signal(&d->given_back);
    pthread_mutex_unlock(&d->lock);
    if (!keep)
        conn_free(c);
}

static int run(struct db_conn *c, struct arena *a, const char *sql, const struct db_value *params, size_t n,
               struct db_rows *ret, int64_t *ret_changed, struct err *err)
{
    struct db_rows rows = {0};
    int64_t changed = 0;

    /* PostgreSQL's rule, kept for SQLite too, so that code tried on one works on the other. */
    if (c->transaction_failed)
        return err_set(err, ERR_INTERNAL, "a statement of this transaction failed before: it has to be rolled back");
    int rc = n > PARAMS_MAX ? err_set(err, ERR_INTERNAL, "a statement with more than %d parameters", PARAMS_MAX)
                            : db_check_params(params, n, err);
    if (rc == 0)
        rc = c->db->backend->run(c->handle, sql, params, n, a, &rows, &changed, err);
    if (rc < 0) {
        c->transaction_failed = c->in_transaction;
        return rc;
    }
    if (ret)
        *ret = rows;
    if (ret_changed)
        *ret_changed = changed;
    return 0;
}

int db_exec(struct db_conn *c, const char *sql, const struct db_value *params, size_t n, int64_t *ret_changed,
            struct err *err)
{
    return run(c, NULL, sql, params, n, NULL, ret_changed, err);
}

int db_query(struct db_conn *c, struct arena *a, const char *sql, const struct db_value *params, size_t n,
             struct db_rows *ret, struct err *err)
{
    return run(c, a, sql, params, n, ret, NULL, err);
}

int db_begin(struct db_conn *c, struct err *err)
{
    if (c->in_transaction)
        return err_set(err, ERR_INTERNAL, "a transaction is open already");
    int rc = db_exec(c, c->db->backend->begin, NULL, 0, NULL, err);
    c->in_transaction = rc == 0;
    return rc;
}

int db_commit(struct db_conn *c, struct err *err)
{
    if (!c->in_transaction)
        return err_set(err, ERR_INTERNAL, "no transaction is open");
    int rc = db_exec(c, "COMMIT", NULL, 0, NULL, err);
    if (rc < 0)
        db_rollback(c);
    c->in_transaction = false;
    return rc;
}

void db_rollback(struct db_conn *c)
{
    if (!c->in_transaction)
        return;
    struct err err = {0};

    /* Where this fails there is nothing left to roll back: SQLite did it by itself, or the connection is gone. */
    (void)!c->db->backend->run(c->handle, "ROLLBACK", NULL, 0, NULL, NULL, NULL, &err);
    c->in_transaction = c->transaction_failed = false;
}

int db_table_exists(struct db_conn *c, const char *table, bool *ret, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct db_value param = db_text(str_from_cstr(table));
    struct db_rows rows;

    int rc = db_query(c, &a, c->db->backend->table_exists, &param, 1, &rows, err);
    if (rc < 0)
        return rc;
    *ret = rows.row_count == 1 && db_at(&rows, 0, 0).i > 0;
    return 0;
}

int db_collect_row(struct db_collector *c, size_t columns, struct db_value **ret, struct err *err)
{
    struct db_rows *r = &c->rows;
    size_t used = r->row_count * columns;

    if (r->row_count == DB_ROWS_MAX)
        return err_set(err, ERR_LIMIT, "a metadata query gives more than %d rows", DB_ROWS_MAX);
    if (used + columns > c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 16 * columns;
        struct db_value *values = arena_try_alloc(c->a, cap * sizeof(*values));
        if (!values)
            return err_set(err, ERR_LIMIT, "a metadata query's rows don't fit the memory allowed for them");
        if (used)
            memcpy(values, r->values, used * sizeof(*values));
        r->values = values;
        c->cap = cap;
    }
    r->column_count = columns;
    r->row_count++;
    *ret = r->values + used;
    return 0;
}

int db_collect_bytes(struct db_collector *c, enum db_type type, struct str bytes, struct db_value *to, struct err *err)
{
    char *p = arena_try_alloc(c->a, bytes.n + 1);

    if (!p)
        return err_set(err, ERR_LIMIT, "a metadata query's rows don't fit the memory allowed for them");
    if (bytes.n)
        memcpy(p, bytes.p, bytes.n);
    *to = (struct db_value){.type = type, .text = {p, bytes.n}};
    return 0;
}

int db_check_params(const struct db_value *params, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (params[i].type != DB_TEXT)
            continue;
        if (str_find_char(params[i].text, '\0', 0) != SIZE_MAX || !str_is_utf8(params[i].text))
            return err_set(err, ERR_INVALID, "text with a NUL character or malformed UTF-8 can't be stored");
    }
    return 0;
}
