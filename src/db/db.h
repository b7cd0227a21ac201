/*
 * Metadata in SQL: one small interface, two backends (sqlite.c, postgres.c). Statements are written once, in the
 * common subset, with parameters $1, $2, …; values go only through parameters.
 *
 * A `struct db` is a pool and may be used from many threads; a `struct db_conn` belongs to one thread at a time.
 * A conflict (unique violation) is ERR_EXISTS, a lost serialisation race or lock ERR_CONFLICT (try the transaction
 * again), a server that went away ERR_UNAVAILABLE; reconnects by itself on the next acquire. After an error in a
 * transaction only a rollback helps (db_rollback or db_release): every other statement is then refused.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include "base/arena.h"

struct db;
struct db_conn;

enum db_kind { DB_SQLITE, DB_POSTGRESQL };

/* A file, made 0600 when missing, in WAL mode with synchronous FULL: a committed transaction survives power loss. */
MUST_CHECK int db_open_sqlite(const char *path, struct db **ret, struct err *err);
/* libpq's conninfo without the password, which comes separately so that it never shows in a message. */
MUST_CHECK int db_open_postgres(const char *conninfo, const char *password, struct db **ret, struct err *err);
struct db_server {
    struct str host, database, user, password_file; /* password_file: null: none */
    int port;
};
/* The server; the password is the file's content, without a line's end. */
MUST_CHECK int db_open_server(const struct db_server *s, struct db **ret, struct err *err);
void db_close(struct db *d);
enum db_kind db_kind(const struct db *d);

MUST_CHECK int db_acquire(struct db *d, struct db_conn **ret, struct err *err);
void db_release(struct db_conn *c); /* rolls back an open transaction */
/* DB_CONN_SCOPED struct db_conn *c = NULL: released at the end of the block. */
static inline void db_release_scoped(struct db_conn **c)
{
    if (*c)
        db_release(*c);
}
#define DB_CONN_SCOPED __attribute__((cleanup(db_release_scoped)))

enum db_type { DB_NULL, DB_TEXT, DB_INT, DB_BLOB };
struct db_value {
    enum db_type type;
    int64_t i;
    struct str text; /* TEXT, BLOB */
};
static inline struct db_value db_text(struct str s)
{
    return (struct db_value){.type = s.p ? DB_TEXT : DB_NULL, .text = s};
}
static inline struct db_value db_int(int64_t i)
{
    return (struct db_value){.type = DB_INT, .i = i};
}

struct db_rows {
    struct db_value *values; /* row-major, in the arena */
    size_t row_count, column_count;
};
#define db_at(rows, row, col) ((rows)->values[(row) * (rows)->column_count + (col)])

/* Runs one statement; ret_changed (may be NULL): rows changed. */
MUST_CHECK int db_exec(struct db_conn *c, const char *sql, const struct db_value *params, size_t n,
                       int64_t *ret_changed, struct err *err);
/* All rows (at most DB_ROWS_MAX and what the arena holds, else ERR_LIMIT), copied into the arena. */
enum { DB_ROWS_MAX = 1000000 };
MUST_CHECK int db_query(struct db_conn *c, struct arena *a, const char *sql, const struct db_value *params, size_t n,
                        struct db_rows *ret, struct err *err);
MUST_CHECK int db_begin(struct db_conn *c, struct err *err); /* SQLite: IMMEDIATE; PostgreSQL: SERIALIZABLE */
MUST_CHECK int db_commit(struct db_conn *c, struct err *err);
void db_rollback(struct db_conn *c);
MUST_CHECK int db_table_exists(struct db_conn *c, const char *table, bool *ret, struct err *err);

#endif
