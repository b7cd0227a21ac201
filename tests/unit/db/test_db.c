/* The interface db.h on its backends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "backends.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct backend at;
    struct db_conn *conn;
    struct arena arena;
    struct err err;
};

static void must(struct fixture *f, int rc)
{
    if (rc < 0)
        fail_msg("%s: %s", err_code_name(rc), f->err.message);
}

static void exec(struct fixture *f, const char *sql)
{
    must(f, db_exec(f->conn, sql, NULL, 0, NULL, &f->err));
}

static int64_t number(struct fixture *f, const char *sql)
{
    struct db_rows rows;

    must(f, db_query(f->conn, &f->arena, sql, NULL, 0, &rows, &f->err));
    assert_int_equal(rows.row_count, 1);
    assert_int_equal(db_at(&rows, 0, 0).type, DB_INT);
    return db_at(&rows, 0, 0).i;
}

static int set_up(struct fixture **ret, const char *conninfo)
{
    struct fixture *f = calloc(1, sizeof(*f));

    must(f, backend_open(&f->at, conninfo, &f->err));
    must(f, db_acquire(f->at.db, &f->conn, &f->err));
    exec(f, "DROP TABLE IF EXISTS t");
    exec(f, "CREATE TABLE t (k VARCHAR(100) PRIMARY KEY, v TEXT, n BIGINT)");
    *ret = f;
    return 0;
}

SET_UP_ON_SQLITE
SET_UP_ON_SERVER(postgres, "PG_CONNINFO")
SET_UP_ON_SERVER(postgres_socket, "PG_SOCKET_CONNINFO")

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (!f)
        return 0;
    db_release(f->conn);
    backend_close(&f->at);
    arena_release(&f->arena);
    free(f);
    return 0;
}

static void values_come_back_as_they_went_in(void **state)
{
    FIXTURE
    struct db_value in[] = {db_text(STR("schl\xc3\xbcssel '; DROP TABLE t; --")), db_text(STR("")), db_int(INT64_MIN)};
    struct db_value null[] = {db_text(STR("null")), db_text(STR_NULL), {.type = DB_NULL}};
    struct db_rows rows;
    int64_t changed = -1;

    must(f, db_exec(f->conn, "INSERT INTO t VALUES ($1, $2, $3)", in, 3, &changed, &f->err));
    assert_int_equal(changed, 1);
    must(f, db_exec(f->conn, "INSERT INTO t VALUES ($1, $2, $3)", null, 3, NULL, &f->err));
    must(f, db_query(f->conn, &f->arena, "SELECT k, v, n FROM t ORDER BY n NULLS LAST", NULL, 0, &rows, &f->err));
    assert_int_equal(rows.row_count, 2);
    assert_int_equal(rows.column_count, 3);
    assert_true(str_eq(db_at(&rows, 0, 0).text, in[0].text));
    assert_int_equal(db_at(&rows, 0, 1).type, DB_TEXT);
    assert_int_equal(db_at(&rows, 0, 1).text.n, 0);
    assert_true(db_at(&rows, 0, 2).i == INT64_MIN);
    assert_int_equal(db_at(&rows, 1, 1).type, DB_NULL);
    assert_int_equal(db_at(&rows, 1, 2).type, DB_NULL);
}

static void bytes_come_back_as_they_went_in(void **state)
{
    FIXTURE
    struct db_value in = {.type = DB_BLOB, .text = STR("\0\x01\xff'\\x")};
    struct db_rows rows;

    exec(f, "DROP TABLE IF EXISTS b");
    exec(f, f->at.conninfo ? "CREATE TABLE b (v BYTEA)" : "CREATE TABLE b (v BLOB)");
    must(f, db_exec(f->conn, "INSERT INTO b VALUES ($1)", &in, 1, NULL, &f->err));
    must(f, db_query(f->conn, &f->arena, "SELECT v FROM b", NULL, 0, &rows, &f->err));
    assert_int_equal(db_at(&rows, 0, 0).type, DB_BLOB);
    assert_true(str_eq(db_at(&rows, 0, 0).text, in.text));
}

static void parameters_go_by_number_not_by_place(void **state)
{
    FIXTURE
    struct db_value in[] = {db_text(STR("one")), db_text(STR("two"))};
    struct db_rows rows;

    must(f, db_exec(f->conn, "INSERT INTO t (v, k) VALUES ($2, $1)", in, 2, NULL, &f->err));
    must(f, db_query(f->conn, &f->arena, "SELECT k FROM t WHERE v = $2 AND k = $1", in, 2, &rows, &f->err));
    assert_int_equal(rows.row_count, 1);
    assert_true(str_eq(db_at(&rows, 0, 0).text, STR("one")));
}

static void no_rows_still_say_their_columns(void **state)
{
    FIXTURE
    struct db_rows rows;

    must(f, db_query(f->conn, &f->arena, "SELECT k, v FROM t", NULL, 0, &rows, &f->err));
    assert_int_equal(rows.row_count, 0);
    assert_int_equal(rows.column_count, 2);
}

static void changed_rows_are_counted(void **state)
{
    FIXTURE
    int64_t changed = -1;

    exec(f, "INSERT INTO t VALUES ('a', 'x', 1), ('b', 'x', 2), ('c', 'y', 3)");
    must(f, db_exec(f->conn, "UPDATE t SET n = 0 WHERE v = 'x'", NULL, 0, &changed, &f->err));
    assert_int_equal(changed, 2);
    must(f, db_exec(f->conn, "DELETE FROM t WHERE v = 'z'", NULL, 0, &changed, &f->err));
    assert_int_equal(changed, 0);
    must(f, db_exec(f->conn, "CREATE TABLE IF NOT EXISTS t (k VARCHAR(1))", NULL, 0, &changed, &f->err));
    assert_int_equal(changed, 0);
}

static void a_statement_that_ran_before_runs_as_new(void **state)
{
    FIXTURE
    struct db_value a[] = {db_text(STR("a")), db_int(1)}, b[] = {db_text(STR("b")), db_int(2)};
    struct db_rows rows;

    must(f, db_exec(f->conn, "INSERT INTO t (k, n) VALUES ($1, $2)", a, 2, NULL, &f->err));
    assert_int_equal(db_exec(f->conn, "INSERT INTO t (k, n) VALUES ($1, $2)", a, 2, NULL, &f->err), ERR_EXISTS);
    must(f, db_exec(f->conn, "INSERT INTO t (k, n) VALUES ($1, $2)", b, 2, NULL, &f->err));
    for (int i = 0; i < 200; i++) { /* more texts than a connection keeps */
        char sql[64];
        snprintf(sql, sizeof(sql), "SELECT n + %d FROM t WHERE k = $1", i);
        must(f, db_query(f->conn, &f->arena, sql, i % 2 ? b : a, 1, &rows, &f->err));
        assert_int_equal(db_at(&rows, 0, 0).i, i + (i % 2 ? 2 : 1));
        must(f, db_query(f->conn, &f->arena, "SELECT * FROM t WHERE k = $1", i % 2 ? a : b, 1, &rows, &f->err));
        assert_int_equal(rows.row_count, 1);
    }
    exec(f, "DROP TABLE t");
    exec(f, "CREATE TABLE t (k VARCHAR(100) PRIMARY KEY, more TEXT)");
    exec(f, "INSERT INTO t VALUES ('a', 'x')");
    must(f, db_query(f->conn, &f->arena, "SELECT * FROM t WHERE k = $1", a, 1, &rows, &f->err));
    assert_int_equal(rows.column_count, 2); /* the table is another one now */
}

static void a_duplicate_key_exists_already(void **state)
{
    FIXTURE
    exec(f, "INSERT INTO t VALUES ('a', 'x', 1)");
    assert_int_equal(db_exec(f->conn, "INSERT INTO t VALUES ('a', 'y', 2)", NULL, 0, NULL, &f->err), ERR_EXISTS);
    assert_int_equal(number(f, "SELECT count(*) FROM t"), 1);
}

static void a_missing_table_is_our_bug(void **state)
{
    FIXTURE
    assert_int_equal(db_exec(f->conn, "INSERT INTO nowhere VALUES (1)", NULL, 0, NULL, &f->err), ERR_INTERNAL);
    assert_non_null(strstr(f->err.message, "nowhere"));
    assert_null(strchr(f->err.message, '\n'));
}

static void text_with_a_nul_is_refused(void **state)
{
    FIXTURE
    struct db_value nul = db_text(STR("a\0b")), broken = db_text(STR("\xff"));

    assert_int_equal(db_exec(f->conn, "INSERT INTO t (k) VALUES ($1)", &nul, 1, NULL, &f->err), ERR_INVALID);
    assert_int_equal(db_exec(f->conn, "INSERT INTO t (k) VALUES ($1)", &broken, 1, NULL, &f->err), ERR_INVALID);
}

static void two_statements_at_once_are_refused(void **state)
{
    FIXTURE
    assert_true(db_exec(f->conn, "DELETE FROM t; DELETE FROM t", NULL, 0, NULL, &f->err) < 0);
}

static void a_committed_transaction_stays_and_a_rolled_back_one_goes(void **state)
{
    FIXTURE
    must(f, db_begin(f->conn, &f->err));
    exec(f, "INSERT INTO t VALUES ('a', 'x', 1)");
    must(f, db_commit(f->conn, &f->err));
    must(f, db_begin(f->conn, &f->err));
    exec(f, "INSERT INTO t VALUES ('b', 'x', 1)");
    db_rollback(f->conn);
    assert_int_equal(number(f, "SELECT count(*) FROM t"), 1);
}

static void a_released_connection_rolls_back(void **state)
{
    FIXTURE
    must(f, db_begin(f->conn, &f->err));
    exec(f, "INSERT INTO t VALUES ('a', 'x', 1)");
    db_release(f->conn);
    must(f, db_acquire(f->at.db, &f->conn, &f->err));
    assert_int_equal(number(f, "SELECT count(*) FROM t"), 0);
    must(f, db_begin(f->conn, &f->err));
    must(f, db_commit(f->conn, &f->err));
}

static void after_an_error_only_a_rollback_helps(void **state)
{
    FIXTURE
    exec(f, "INSERT INTO t VALUES ('a', 'x', 1)");
    must(f, db_begin(f->conn, &f->err));
    exec(f, "INSERT INTO t VALUES ('b', 'x', 1)");
    assert_int_equal(db_exec(f->conn, "INSERT INTO t VALUES ('a', 'x', 1)", NULL, 0, NULL, &f->err), ERR_EXISTS);
    assert_int_equal(db_exec(f->conn, "INSERT INTO t VALUES ('c', 'x', 1)", NULL, 0, NULL, &f->err), ERR_INTERNAL);
    assert_true(db_commit(f->conn, &f->err) < 0);
    assert_int_equal(number(f, "SELECT count(*) FROM t"), 1);
}

static void tables_are_found_by_their_name(void **state)
{
    FIXTURE
    bool there = false;

    must(f, db_table_exists(f->conn, "t", &there, &f->err));
    assert_true(there);
    must(f, db_table_exists(f->conn, "nothing", &there, &f->err));
    assert_false(there);
}

static void too_large_an_answer_is_an_error_and_the_connection_lives(void **state)
{
    FIXTURE
    struct arena small = ARENA_INIT;
    struct db_rows rows;
    const char *many =
        "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 2000000) SELECT i FROM r";

    arena_init(&small, 64 << 10);
    assert_int_equal(db_query(f->conn, &small, many, NULL, 0, &rows, &f->err), ERR_LIMIT);
    arena_release(&small);
    assert_int_equal(number(f, "SELECT count(*) FROM t"), 0);
}

struct adder {
    struct fixture *f;
    int conflicts, other;
};

/* Reads a number and writes it back increased, a hundred times, trying again after a conflict. */
static void *add_hundred(void *arg)
{
    struct adder *w = arg;
    struct db_conn *c;
    struct err err = {0};

    if (db_acquire(w->f->at.db, &c, &err) < 0) {
        w->other++;
        return NULL;
    }
    for (int done = 0; done < 100 && w->other == 0;) {
        ARENA_SCOPED struct arena a = ARENA_INIT;
        struct db_rows rows;
        struct db_value v;
        int rc = db_begin(c, &err);

        if (rc == 0)
            rc = db_query(c, &a, "SELECT n FROM t WHERE k = 'sum'", NULL, 0, &rows, &err);
        if (rc == 0) {
            v = db_int(db_at(&rows, 0, 0).i + 1);
            rc = db_exec(c, "UPDATE t SET n = $1 WHERE k = 'sum'", &v, 1, NULL, &err);
        }
        if (rc == 0)
            rc = db_commit(c, &err);
        if (rc == 0)
            done++;
        else if (rc == ERR_CONFLICT)
            w->conflicts++;
        else
            w->other++;
        db_rollback(c);
    }
    db_release(c);
    return NULL;
}

static void concurrent_increments_are_all_counted(void **state)
{
    FIXTURE
    pthread_t threads[4];
    struct adder adders[4];

    exec(f, "INSERT INTO t VALUES ('sum', '', 0)");
    for (int i = 0; i < 4; i++) {
        adders[i] = (struct adder){.f = f};
        assert_int_equal(pthread_create(&threads[i], NULL, add_hundred, &adders[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(adders[i].other, 0);
    }
    assert_int_equal(number(f, "SELECT n FROM t"), 400);
}

static void what_was_committed_is_there_after_reopening(void **state)
{
    FIXTURE
    exec(f, "INSERT INTO t VALUES ('a', 'x', 7)");
    db_release(f->conn);
    db_close(f->at.db);
    must(f, backend_reopen(&f->at, &f->err));
    must(f, db_acquire(f->at.db, &f->conn, &f->err));
    assert_int_equal(number(f, "SELECT n FROM t"), 7);
}

/* ---- one backend's own ---- */

static void the_file_is_private(void **state)
{
    FIXTURE
    struct stat st;
    char wal[240];

    assert_int_equal(stat(f->at.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(wal, sizeof(wal), "%s-wal", f->at.path);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_file_that_is_no_database_is_corrupt(void **state)
{
    FIXTURE
    struct db *other = NULL;
    char path[220];

    snprintf(path, sizeof(path), "%s/other", f->at.folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("this is no database\n", file);
    fclose(file);
    int rc = db_open_sqlite(path, &other, &f->err);
    unlink(path);
    assert_int_equal(rc, ERR_CORRUPT);
    assert_non_null(strstr(f->err.message, "other"));
}

static void a_wrong_password_is_denied_and_not_shown(void **state)
{
    FIXTURE
    struct db *other = NULL;

    assert_int_equal(db_open_postgres(f->at.conninfo, "not-the-password", &other, &f->err), ERR_DENIED);
    assert_null(strstr(f->err.message, "not-the-password"));
}

static void a_server_that_is_not_there_is_unavailable(void **state)
{
    FIXTURE
    struct db *other = NULL;

    assert_int_equal(db_open_postgres("host=127.0.0.1 port=1 dbname=x user=x", "x", &other, &f->err), ERR_UNAVAILABLE);
}

static void a_connection_that_the_server_closed_is_replaced(void **state)
{
    FIXTURE
    struct db_conn *second;

    must(f, db_acquire(f->at.db, &second, &f->err));
    exec(f, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()");
    assert_int_equal(db_exec(second, "DELETE FROM t", NULL, 0, NULL, &f->err), ERR_UNAVAILABLE);
    db_release(second);
    must(f, db_acquire(f->at.db, &second, &f->err));
    must(f, db_exec(second, "DELETE FROM t", NULL, 0, NULL, &f->err));
    db_release(second);

    /* and one that was closed while it lay idle */
    exec(f, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()");
    must(f, db_acquire(f->at.db, &second, &f->err));
    must(f, db_exec(second, "DELETE FROM t", NULL, 0, NULL, &f->err));
    db_release(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(values_come_back_as_they_went_in),
        ON_BOTH(bytes_come_back_as_they_went_in),
        ON_BOTH(parameters_go_by_number_not_by_place),
        ON_BOTH(no_rows_still_say_their_columns),
        ON_BOTH(changed_rows_are_counted),
        ON_BOTH(a_statement_that_ran_before_runs_as_new),
        ON_BOTH(a_duplicate_key_exists_already),
        ON_BOTH(a_missing_table_is_our_bug),
        ON_BOTH(text_with_a_nul_is_refused),
        ON_BOTH(two_statements_at_once_are_refused),
        ON_BOTH(a_committed_transaction_stays_and_a_rolled_back_one_goes),
        ON_BOTH(a_released_connection_rolls_back),
        ON_BOTH(after_an_error_only_a_rollback_helps),
        ON_BOTH(tables_are_found_by_their_name),
        ON_BOTH(too_large_an_answer_is_an_error_and_the_connection_lives),
        ON_BOTH(concurrent_increments_are_all_counted),
        ON_BOTH(what_was_committed_is_there_after_reopening),
        ON(sqlite, the_file_is_private),
        ON(sqlite, a_file_that_is_no_database_is_corrupt),
        ON(postgres, a_wrong_password_is_denied_and_not_shown),
        ON(postgres, a_server_that_is_not_there_is_unavailable),
        ON(postgres, a_connection_that_the_server_closed_is_replaced),
        ON(postgres_socket, values_come_back_as_they_went_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
