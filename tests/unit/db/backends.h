/*
 * Cases that run on SQLite and, when tests/lib/pg.py gave us a server, on PostgreSQL: what holds on one has to hold on the
 * other. A file's struct fixture has a struct backend, and its set_up(struct fixture **, const char *conninfo) opens it.
 */
#ifndef TESTS_UNIT_DB_BACKENDS_H
#define TESTS_UNIT_DB_BACKENDS_H

#include "db/db.h"

#include <unistd.h>

struct backend {
    const char *conninfo; /* PostgreSQL; NULL: SQLite */
    char folder[200], path[220];
    struct db *db;
};

static inline int backend_reopen(struct backend *b, struct err *err)
{
    return b->conninfo ? db_open_postgres(b->conninfo, getenv("PG_PASSWORD"), &b->db, err)
                       : db_open_sqlite(b->path, &b->db, err);
}

static inline int backend_open(struct backend *b, const char *conninfo, struct err *err)
{
    const char *tmp = getenv("TEST_TMP");

    b->conninfo = conninfo;
    snprintf(b->folder, sizeof(b->folder), "%s/dbXXXXXX", tmp ? tmp : P_tmpdir);
    if (!mkdtemp(b->folder))
        return err_set(err, ERR_IO, "no folder %s", b->folder);
    snprintf(b->path, sizeof(b->path), "%s/x.db", b->folder);
    return backend_reopen(b, err);
}

static inline void backend_close(struct backend *b)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};

    db_close(b->db);
    for (int i = 0; i < 3; i++) {
        char path[240];
        snprintf(path, sizeof(path), "%s%s", b->path, suffixes[i]);
        unlink(path);
    }
    rmdir(b->folder);
}

#define SET_UP_ON_SQLITE                               \
    static int set_up_sqlite(void **state)             \
    {                                                  \
        return set_up((struct fixture **)state, NULL); \
    }
/* The environment's `variable` says where it is; without it the case is skipped. */
#define SET_UP_ON_SERVER(backend, variable)                               \
    static int set_up_##backend(void **state)                             \
    {                                                                     \
        const char *conninfo = getenv(variable);                          \
                                                                          \
        *state = NULL;                                                    \
        return conninfo ? set_up((struct fixture **)state, conninfo) : 0; \
    }

#define FIXTURE                 \
    struct fixture *f = *state; \
    if (!f) {                   \
        skip();                 \
        return;                 \
    }

#define ON(backend, test)                                            \
    {                                                                \
#backend ": " #test, test, set_up_##backend, tear_down, NULL \
    }
#define ON_BOTH(test) ON(sqlite, test), ON(postgres, test)

#endif
