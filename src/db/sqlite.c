/*
 * The SQLite backend: one file, in WAL mode, so that readers never wait for the writer. Writers wait for one
 * another up to BUSY_TIMEOUT_MS; transactions are IMMEDIATE, so that a reader never has to become a writer in
 * mid-transaction, where SQLite can't wait. A connection keeps the statements that it has prepared: for a read of one
 * row parsing its SQL takes longer than reading it.
 */
#include "db/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 10000, VALUE_MAX = 64 << 20, KEPT_MAX = 64 };

struct connection {
    sqlite3 *h;
    struct kept {
        char *sql; /* NULL: a free place */
        sqlite3_stmt *s;
        uint64_t used; /* when: `runs` of that time */
    } kept[KEPT_MAX];
    uint64_t runs;
};

static int code_of(int result, int system_errno)
{
    switch (result) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return ERR_EXISTS;
    default:
        break;
    }
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_CONFLICT;
    case SQLITE_FULL:
        return ERR_NO_SPACE;
    case SQLITE_IOERR:
        return system_errno == ENOSPC || system_errno == EDQUOT ? ERR_NO_SPACE : ERR_IO;
    case SQLITE_CANTOPEN:
        return ERR_IO;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        return ERR_DENIED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_TOOBIG:
        return ERR_LIMIT;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return ERR_INVALID;
    default:
        return ERR_INTERNAL;
    }
}

static int set_error(sqlite3 *h, struct err *err)
{
    const char *file = sqlite3_db_filename(h, "main");

    return err_set(err, code_of(sqlite3_extended_errcode(h), sqlite3_system_errno(h)), "%s: %s",
                   file && *file ? file : "SQLite", sqlite3_errmsg(h));
}

static int set_up(sqlite3 *h, struct err *err)
{
    static const char *const statements[] = {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
                                             "PRAGMA foreign_keys = ON", "PRAGMA trusted_schema = OFF"};

    sqlite3_busy_timeout(h, BUSY_TIMEOUT_MS);
    sqlite3_limit(h, SQLITE_LIMIT_LENGTH, VALUE_MAX);
    sqlite3_db_config(h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        if (sqlite3_exec(h, statements[i], NULL, NULL, NULL) != SQLITE_OK)
            return set_error(h, err);
    }
    return 0;
}

static void kept_drop(struct kept *k)
{
    sqlite3_finalize(k->s);
    free(k->sql);
    *k = (struct kept){.sql = NULL};
}

static void sqlite_disconnect(void *handle)
{
    struct connection *c = handle;

    for (size_t i = 0; i < KEPT_MAX; i++)
        kept_drop(&c->kept[i]);
    sqlite3_close(c->h);
    free(c);
}

static int sqlite_connect(const void *config, void **ret_handle, struct err *err)
{
    const char *path = config;
    sqlite3 *h = NULL;

    /* SQLite gives its -wal and -shm files the mode of the database, so this decides for all three. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, errno, "%s", path);
    close(fd);
    if (sqlite3_open_v2(path, &h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) !=
        SQLITE_OK) {
        int rc = h ? set_error(h, err) : err_set(err, ERR_INTERNAL, "%s: SQLite has no memory", path);
        sqlite3_close(h);
        return rc;
    }
    int rc = set_up(h, err);
    if (rc < 0) {
        sqlite3_close(h);
        return rc;
    }
    struct connection *c = calloc(1, sizeof(*c));
    if (!c)
        abort();
    c->h = h;
    *ret_handle = c;
    return 0;
}

static bool sqlite_is_usable(void *handle)
{
    const struct connection *c = handle;

    return sqlite3_get_autocommit(c->h) != 0;
}

/* The statement is at rest again: it holds no lock and none of the caller's values. */
static void stmt_rest(sqlite3_stmt **s)
{
    if (!*s)
        return;
    sqlite3_reset(*s);
    sqlite3_clear_bindings(*s);
}
#define STMT_SCOPED __attribute__((cleanup(stmt_rest)))

/* A statement of the connection for this text: one that it has, or a new one in the place of the one used longest ago. */
static int prepare(struct connection *c, const char *sql, sqlite3_stmt **ret, struct err *err)
{
    struct kept *oldest = &c->kept[0];
    sqlite3_stmt *s = NULL;
    const char *rest;

    c->runs++;
    for (size_t i = 0; i < KEPT_MAX; i++) {
        struct kept *k = &c->kept[i];
        if (k->sql && !strcmp(k->sql, sql)) {
            k->used = c->runs;
            *ret = k->s;
            return 0;
        }
        if (k->used < oldest->used)
            oldest = k;
    }
    if (sqlite3_prepare_v3(c->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, &rest) != SQLITE_OK)
        return set_error(c->h, err);
    if (!s || !str_is_empty(str_trim(str_from_cstr(rest)))) {
        sqlite3_finalize(s);
        return err_set(err, ERR_INTERNAL, "not exactly one statement: %s", sql);
    }
    kept_drop(oldest);
    *oldest = (struct kept){strdup(sql), s, c->runs};
    if (!oldest->sql)
        abort();
    *ret = s;
    return 0;
}

/* "$1" is a name to SQLite, not a number: parameters are found by it, wherever they stand. */
static int bind(sqlite3 *h, sqlite3_stmt *s, const struct db_value *params, size_t n, struct err *err)
{
    if (sqlite3_bind_parameter_count(s) != (int)n)
        return err_set(err, ERR_INTERNAL, "a statement has %d parameters, %zu were given: %s",
                       sqlite3_bind_parameter_count(s), n, sqlite3_sql(s));
    for (size_t i = 0; i < n; i++) {
        const struct db_value *v = &params[i];
        char name[24];
        int rc = SQLITE_OK;

        snprintf(name, sizeof(name), "$%zu", i + 1);
        int at = sqlite3_bind_parameter_index(s, name);
        if (at == 0)
            return err_set(err, ERR_INTERNAL, "a statement has no parameter %s: %s", name, sqlite3_sql(s));
        switch (v->type) {
        case DB_NULL:
            rc = sqlite3_bind_null(s, at);
            break;
        case DB_INT:
            rc = sqlite3_bind_int64(s, at, v->i);
            break;
        case DB_TEXT:
            rc = sqlite3_bind_text64(s, at, v->text.p, v->text.n, SQLITE_STATIC, SQLITE_UTF8);
            break;
        case DB_BLOB:
            rc = v->text.n ? sqlite3_bind_blob64(s, at, v->text.p, v->text.n, SQLITE_STATIC)
                           : sqlite3_bind_zeroblob(s, at, 0);
            break;
        }
        if (rc != SQLITE_OK)
            return set_error(h, err);
    }
    return 0;
}

static int collect(struct db_collector *c, sqlite3_stmt *s, struct err *err)
{
    int columns = sqlite3_column_count(s);
    struct db_value *row;
    int rc = db_collect_row(c, (size_t)columns, &row, err);

    for (int i = 0; rc == 0 && i < columns; i++) {
        switch (sqlite3_column_type(s, i)) {
        case SQLITE_NULL:
            row[i] = (struct db_value){.type = DB_NULL};
            break;
        case SQLITE_INTEGER:
            row[i] = db_int(sqlite3_column_int64(s, i));
            break;
        case SQLITE_BLOB: {
            const char *p = sqlite3_column_blob(s, i);
            rc = db_collect_bytes(c, DB_BLOB, str_from(p, (size_t)sqlite3_column_bytes(s, i)), &row[i], err);
            break;
        }
        default: { /* text, and floating-point numbers in their text form */
            const char *p = (const char *)sqlite3_column_text(s, i);
            rc = db_collect_bytes(c, DB_TEXT, str_from(p, (size_t)sqlite3_column_bytes(s, i)), &row[i], err);
            break;
        }
        }
    }
    return rc;
}

static int sqlite_run(void *handle, const char *sql, const struct db_value *params, size_t n, struct arena *a,
                      struct db_rows *ret, int64_t *ret_changed, struct err *err)
{
    struct connection *c = handle;
    sqlite3 *h = c->h;
    STMT_SCOPED sqlite3_stmt *s = NULL;
    struct db_collector rows = {.a = a};
    int64_t before = sqlite3_total_changes64(h);

    int rc = prepare(c, sql, &s, err);
    if (rc < 0)
        return rc;
    rc = bind(h, s, params, n, err);
    while (rc == 0) {
        int step = sqlite3_step(s);
        if (step == SQLITE_DONE)
            break;
        if (step != SQLITE_ROW)
            rc = set_error(h, err);
        else if (a)
            rc = collect(&rows, s, err);
    }
    if (rc < 0)
        return rc;
    rows.rows.column_count = (size_t)sqlite3_column_count(s);
    if (ret)
        *ret = rows.rows;
    if (ret_changed)
        *ret_changed = sqlite3_total_changes64(h) - before;
    return 0;
}

const struct db_backend db_backend_sqlite = {
    .kind = DB_SQLITE,
    .begin = "BEGIN IMMEDIATE",
    .table_exists = "SELECT count(*) FROM sqlite_master WHERE type IN ('table', 'view') AND name = $1",
    .free_config = free,
    .connect = sqlite_connect,
    .disconnect = sqlite_disconnect,
    .is_usable = sqlite_is_usable,
    .run = sqlite_run,
};

int db_open_sqlite(const char *path, struct db **ret, struct err *err)
{
    char *copy = strdup(path);

    if (!copy)
        abort();
    return db_new(&db_backend_sqlite, copy, ret, err);
}
