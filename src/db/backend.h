/* What a backend (sqlite.c, postgres.c) gives db.c: one connection's life and one statement's run. db.c keeps the
 * pool and the state of transactions, so that both backends behave alike there. */
#ifndef DB_BACKEND_H
#define DB_BACKEND_H

#include "base/vec.h"
#include "db/db.h"

#include <pthread.h>

struct db_backend {
    enum db_kind kind;
    const char *begin;        /* the statement that starts a transaction */
    const char *table_exists; /* counts the tables named $1 */
    void (*free_config)(void *config);
    int (*connect)(const void *config, void **ret_handle, struct err *err);
    void (*disconnect)(void *handle);
    bool (*is_usable)(void *handle); /* false: gone, a new connection is needed */
    /* Runs one statement. Rows are kept when `a` isn't NULL. */
    int (*run)(void *handle, const char *sql, const struct db_value *params, size_t n, struct arena *a,
               struct db_rows *ret, int64_t *ret_changed, struct err *err);
};

extern const struct db_backend db_backend_sqlite, db_backend_postgres;

/* Takes config over, also on failure. */
MUST_CHECK int db_new(const struct db_backend *backend, void *config, struct db **ret, struct err *err);

/* ---- collecting rows: the arena's limit and DB_ROWS_MAX are errors, not the end of the process ---- */

struct db_collector {
    struct arena *a;
    struct db_rows rows;
    size_t cap; /* values */
};

/* The new row's values, all DB_NULL. */
MUST_CHECK int db_collect_row(struct db_collector *c, size_t columns, struct db_value **ret, struct err *err);
MUST_CHECK int db_collect_bytes(struct db_collector *c, enum db_type type, struct str bytes, struct db_value *to,
                                struct err *err);

/* SQL text has no way to say NUL, and PostgreSQL can't store it in text: both backends refuse it. */
MUST_CHECK int db_check_params(const struct db_value *params, size_t n, struct err *err);

#endif
