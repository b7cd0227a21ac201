/*
 * libduckdb behind one door: a pool of connections on one in-memory database instance, statements whose results are
 * streamed, interruption, progress, one memory limit with spilling, and our shims registered on it.
 *
 * The chunk type is DuckDB's own (duckdb.h), so that the encoder reads vectors with no copy in between.
 * Errors: ERR_LIMIT with the name EXCEEDED_LOCAL_MEMORY_LIMIT past the memory limit, ERR_CANCELLED after
 * engine_interrupt, ERR_NO_SPACE when spilling finds a full disk, and the Trino error that a shim raised (see
 * engine/shims.h: a shim's message starts with its name); all else is ERR_INTERNAL with DuckDB's message: SQL that the
 * analyser let through and the engine refuses is a bug of ours.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/buf.h"
#include "sql/connector.h"
#include <duckdb.h>

struct engine;
struct engine_conn;
struct engine_result;

struct engine_options {
    struct str temp_dir;      /* for spilling; made 0700 */
    struct str extension_dir; /* holds tpcds, … as *.duckdb_extension, signed */
    uint64_t memory_limit;    /* bytes */
    int threads;              /* 0: as many as there are cores */
};

MUST_CHECK int engine_open(const struct engine_options *o, struct engine **ret, struct err *err);
void engine_close(struct engine *e);
/* For good: statements reach files below these folders and the one for spilling only, load no code, and engine_query takes
 * no settings. Paths are compared as they are written, without following links. */
MUST_CHECK int engine_lock(struct engine *e, const struct str *folders, size_t n, struct err *err);
/* Another engine with the options of `like` and half of its memory, which isn't locked: for what has to load code. */
MUST_CHECK int engine_open_beside(const struct engine *like, struct engine **ret, struct err *err);

/* A connection for one statement at a time. Settings changed on it are reset by release. */
MUST_CHECK int engine_acquire(struct engine *e, struct engine_conn **ret, struct err *err);
void engine_release(struct engine_conn *c);

/* Runs to the end; for DDL and settings. */
MUST_CHECK int engine_exec(struct engine_conn *c, struct str sql, struct err *err);
/* Starts a statement; its result streams: nothing is materialised beyond what operators need. */
MUST_CHECK int engine_query(struct engine_conn *c, struct str sql, struct engine_result **ret, struct err *err);
/* 1 and the next chunk (owned by the caller: duckdb_destroy_data_chunk), 0 at the end, or a negative error.
 * Blocks while the engine works; engine_interrupt from another thread ends it with ERR_CANCELLED. */
MUST_CHECK int engine_next(struct engine_result *r, duckdb_data_chunk *ret, struct err *err);
size_t engine_column_count(const struct engine_result *r);
struct str engine_column_name(const struct engine_result *r, size_t i);
duckdb_logical_type engine_column_type(const struct engine_result *r, size_t i); /* borrowed */
void engine_result_free(struct engine_result *r); /* also of one that isn't at its end: it is abandoned */

void engine_interrupt(struct engine_conn *c); /* from any thread */

struct engine_progress {
    double fraction; /* 0 … 1, or -1 when unknown */
    uint64_t rows_done, rows_total;
};
void engine_progress(struct engine_conn *c, struct engine_progress *ret); /* from any thread */
struct engine_memory {
    uint64_t used, spilled; /* bytes of all statements: in memory, and in files of the folder for spilling */
};
void engine_memory(struct engine *e, struct engine_memory *ret); /* zeros when the engine doesn't answer */

/* Makes program-made rows available to SQL on this connection until it is released; the text to put into FROM, which
 * exposes columns c<ids[i]>. The rows are read when the statement runs: they live as long as the connection's use. */
MUST_CHECK int engine_add_rows(struct engine_conn *c, struct arena *a, const struct connector_rows *rows,
                               const int *ids, struct str *ret_from, struct err *err);

#endif
