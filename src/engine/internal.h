/* What the files of engine/ share. */
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include "base/vec.h"
#include "engine/engine.h"
#include <pthread.h>
#include <stdatomic.h>

/* A row source that a statement names by its token: dp_rows(token). */
struct row_source {
    uint64_t token;
    const struct connector_rows *rows;
    const int *ids;
};

struct engine {
    duckdb_database db;
    uint64_t memory_limit;
    struct arena arena;
    struct engine_options options; /* texts in `arena` */
    atomic_bool is_locked;
    pthread_mutex_t lock; /* guards what follows */
    VEC(struct engine_conn *) idle;
    VEC(struct row_source) sources;
    uint64_t next_token;
};

struct engine_conn {
    struct engine *engine;
    duckdb_connection db;
    atomic_bool interrupted;
    bool is_altered;       /* settings or a transaction are left on it: it doesn't go back to the pool */
    VEC(uint64_t) sources; /* tokens of what engine_add_rows registered */
};

/* Registers the table function dp_rows, which finds its sources in `e`. */
MUST_CHECK int rows_register(struct engine *e, duckdb_connection c, struct err *err);
/* Forgets the connection's sources. */
void rows_release(struct engine_conn *c);

#endif
