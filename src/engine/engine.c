/*
 * One in-memory DuckDB instance and its connections.
 *
 * The text that runs here is emit/'s and connectors/', never a client's: names of a client's making are c<id>
 * columns or quoted identifiers, its values are quoted literals. In case that fails one day, the instance is locked once
 * the catalogs are mounted: it reads and writes files where tables are and nowhere else, and can't load code or reach the
 * network. DuckDB doesn't let a locked instance be opened again. Its lock_configuration stays off, as new connections have
 * to set up their progress; instead engine_query takes no SET.
 */
#include "engine/engine.h"
#include "engine/dbgen.h"
#include "engine/errors.h"
#include "engine/internal.h"
#include "engine/shims.h"
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

enum {
    MAX_IDLE = 32,
    MAX_SQL = 64 << 20, /* bytes: a scan over very many files names each */
    PAUSE_MIN_US = 20,
    PAUSE_MAX_US = 1000,
};

struct engine_result {
    struct engine_conn *conn;
    duckdb_prepared_statement statement;
    duckdb_pending_result pending;
    duckdb_result result;
    bool has_result, is_done;
    size_t column_count;
    duckdb_logical_type *types;
};

static int set_option(duckdb_config config, const char *name, const char *value, struct err *err)
{
    if (duckdb_set_config(config, name, value) != DuckDBSuccess)
        return err_set(err, ERR_INVALID, "the SQL engine refuses %s = '%s'", name, value);
    return 0;
}

static int configure(const struct engine_options *o, struct arena *a, duckdb_config config, struct err *err)
{
    const struct {
        const char *name, *value;
    } options[] = {
        {"memory_limit", arena_printf(a, "%lluB", (unsigned long long)o->memory_limit).p},
        {"temp_directory", arena_cstr(a, o->temp_dir)},
        {"extension_directory", str_is_empty(o->extension_dir) ? NULL : arena_cstr(a, o->extension_dir)},
        {"threads", o->threads > 0 ? arena_printf(a, "%d", o->threads).p : NULL},
        {"allow_unsigned_extensions", "false"},
        {"allow_community_extensions", "false"},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        /* SQL promises no order without ORDER BY, and keeping the one of files costs memory and parallel writing. */
        {"preserve_insertion_order", "false"},
        {"default_null_order", "nulls_last"},
        {"scalar_subquery_error_on_multiple_rows", "true"},
    };

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        int rc = options[i].value ? set_option(config, options[i].name, options[i].value, err) : 0;

        if (rc < 0)
            return rc;
    }
    return 0;
}

static int open_database(struct engine *e, const struct engine_options *o, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    duckdb_config config = NULL;
    char *message = NULL;
    int rc;

    if (duckdb_create_config(&config) != DuckDBSuccess)
        return err_set(err, ERR_INTERNAL, "the SQL engine has no configuration");
    rc = configure(o, &a, config, err);
    if (rc == 0 && duckdb_open_ext(NULL, &e->db, config, &message) != DuckDBSuccess) {
        rc = err_set(err, ERR_INTERNAL, "the SQL engine doesn't start: %s", message ? message : "no reason given");
        duckdb_free(message);
    }
    duckdb_destroy_config(&config);
    return rc;
}

static int connect_new(struct engine *e, struct engine_conn **ret, struct err *err)
{
    struct engine_conn *c = calloc(1, sizeof(*c));
    int rc;

    if (!c)
        abort();
    c->engine = e;
    if (duckdb_connect(e->db, &c->db) != DuckDBSuccess) {
        free(c);
        return err_set(err, ERR_INTERNAL, "the SQL engine gives no connection");
    }
    /* Progress is only counted with the bar on; it must never print. */
    rc = engine_exec(c, STR("SET enable_progress_bar_print = false; SET enable_progress_bar = true"), err);
    c->is_altered = false;
    if (rc < 0) {
        duckdb_disconnect(&c->db);
        free(c);
        return rc;
    }
    *ret = c;
    return 0;
}

static void conn_free(struct engine_conn *c)
{
    duckdb_disconnect(&c->db);
    vec_release(&c->sources);
    free(c);
}

int engine_open(const struct engine_options *o, struct engine **ret, struct err *err)
{
    struct engine *e = calloc(1, sizeof(*e));
    struct engine_conn *c;
    char dir[4096];
    int rc;

    if (!e)
        abort();
    snprintf(dir, sizeof(dir), "%.*s", STR_ARG(o->temp_dir));
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        rc = err_set_errno(err, errno, "can't make the folder %s for spilling", dir);
        free(e);
        return rc;
    }
    e->memory_limit = o->memory_limit;
    e->options = *o;
    e->options.temp_dir = arena_str(&e->arena, o->temp_dir);
    e->options.extension_dir = arena_str(&e->arena, o->extension_dir);
    pthread_mutex_init(&e->lock, NULL);
    rc = open_database(e, o, err);
    if (rc == 0) {
        rc = connect_new(e, &c, err);
        if (rc == 0) {
            rc = engine_exec(c, STR("SET GLOBAL TimeZone = 'UTC'"), err);
            if (rc == 0)
                rc = shims_register(c->db, err);
            if (rc == 0)
                rc = rows_register(e, c->db, err);
            if (rc == 0)
                rc = dbgen_register(c->db, err);
            c->is_altered = true; /* it has its own copy of the old default */
            engine_release(c);
        }
    }
    if (rc < 0) {
        engine_close(e);
        return rc;
    }
    *ret = e;
    return 0;
}

void engine_close(struct engine *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->idle.n; i++)
        conn_free(e->idle.items[i]);
    vec_release(&e->idle);
    vec_release(&e->sources);
    if (e->db)
        duckdb_close(&e->db);
    pthread_mutex_destroy(&e->lock);
    arena_release(&e->arena);
    free(e);
}

static void add_literal(struct buf *to, struct str s)
{
    buf_add_char(to, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'')
            buf_add_char(to, '\'');
        buf_add_char(to, s.p[i]);
    }
    buf_add_char(to, '\'');
}

int engine_lock(struct engine *e, const struct str *folders, size_t n, struct err *err)
{
    BUF_SCOPED struct buf sql;
    struct engine_conn *c;
    int rc;

    buf_init(&sql, 1 << 20);
    buf_add_cstr(&sql, "SET GLOBAL allowed_directories = [");
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_add_cstr(&sql, ", ");
        add_literal(&sql, folders[i]);
    }
    buf_add_cstr(&sql, "]; SET GLOBAL enable_external_access = false");
    rc = buf_check(&sql, "the list of the engine's folders", err);
    if (rc == 0)
        rc = engine_acquire(e, &c, err);
    if (rc < 0)
        return rc;
    rc = engine_exec(c, buf_str(&sql), err);
    engine_release(c);
    atomic_store(&e->is_locked, rc == 0);
    return rc;
}

int engine_open_beside(const struct engine *like, struct engine **ret, struct err *err)
{
    struct engine_options o = like->options;

    o.memory_limit /= 2;
    return engine_open(&o, ret, err);
}

int engine_acquire(struct engine *e, struct engine_conn **ret, struct err *err)
{
    struct engine_conn *c = NULL;

    pthread_mutex_lock(&e->lock);
    if (e->idle.n > 0)
        c = e->idle.items[--e->idle.n];
    pthread_mutex_unlock(&e->lock);
    if (!c) {
        int rc = connect_new(e, &c, err);

        if (rc < 0)
            return rc;
    }
    atomic_store(&c->interrupted, false);
    *ret = c;
    return 0;
}

void engine_release(struct engine_conn *c)
{
    struct engine *e;
    bool is_kept;

    if (!c)
        return;
    e = c->engine;
    rows_release(c);
    pthread_mutex_lock(&e->lock);
    /* After an interruption other threads may still be at the statement: closing the connection stops them, while the
     * next statement on it would clear the mark that they look for and wait until they are done. */
    is_kept = !c->is_altered && !atomic_load(&c->interrupted) && e->idle.n < MAX_IDLE;
    if (is_kept)
        vec_push(&e->idle, c);
    pthread_mutex_unlock(&e->lock);
    if (is_kept)
        return;
    if (atomic_load(&c->interrupted))
        duckdb_interrupt(c->db); /* the mark went with the error that it raised; those threads haven't seen it */
    conn_free(c);
}

static int copy_sql(struct str sql, char **ret, struct err *err)
{
    char *text;

    if (sql.n > MAX_SQL)
        return err_set_named(err, ERR_LIMIT, "QUERY_TEXT_TOO_LARGE",
                             "the statement has %zu bytes for the engine, "
                             "more than %d",
                             sql.n, MAX_SQL);
    if (sql.n > 0 && memchr(sql.p, 0, sql.n))
        return err_set(err, ERR_INTERNAL, "a statement for the engine contains a NUL character");
    text = malloc(sql.n + 1);
    if (!text)
        abort();
    if (sql.n > 0)
        memcpy(text, sql.p, sql.n);
    text[sql.n] = 0;
    *ret = text;
    return 0;
}

static int set_cancelled(struct err *err)
{
    return err_set_named(err, ERR_CANCELLED, "USER_CANCELED", "Query was canceled");
}

/* What leaves a mark on the connection. */
static bool alters_connection(duckdb_statement_type t)
{
    return t == DUCKDB_STATEMENT_TYPE_SET || t == DUCKDB_STATEMENT_TYPE_VARIABLE_SET ||
           t == DUCKDB_STATEMENT_TYPE_PRAGMA || t == DUCKDB_STATEMENT_TYPE_TRANSACTION;
}

int engine_exec(struct engine_conn *c, struct str sql, struct err *err)
{
    duckdb_result result;
    char *text;
    int rc = copy_sql(sql, &text, err);

    if (rc < 0)
        return rc;
    if (atomic_load(&c->interrupted)) {
        free(text);
        return set_cancelled(err);
    }
    if (duckdb_query(c->db, text, &result) != DuckDBSuccess)
        rc = errors_set(err, duckdb_result_error(&result), c->engine->memory_limit);
    if (rc < 0 || alters_connection(duckdb_result_statement_type(result)))
        c->is_altered = true; /* a failure may leave a transaction open */
    duckdb_destroy_result(&result);
    free(text);
    return rc;
}

/* Works until the first rows are there. Left to itself, DuckDB spins on its locks while only other threads have work, and
 * takes a core from them; here a pause grows from 20 us to 1 ms. */
static int work(struct engine_result *r, struct err *err)
{
    long pause_us = PAUSE_MIN_US;

    for (;;) {
        switch (duckdb_pending_execute_task(r->pending)) {
        case DUCKDB_PENDING_RESULT_NOT_READY:
            pause_us = PAUSE_MIN_US;
            break;
        case DUCKDB_PENDING_NO_TASKS_AVAILABLE:
            nanosleep(&(struct timespec){.tv_nsec = pause_us * 1000}, NULL);
            pause_us = pause_us < PAUSE_MAX_US / 2 ? pause_us * 2 : PAUSE_MAX_US;
            break;
        case DUCKDB_PENDING_ERROR:
            return errors_set(err, duckdb_pending_error(r->pending), r->conn->engine->memory_limit);
        default:
            return 0;
        }
    }
}

static int start(struct engine_result *r, const char *text, struct err *err)
{
    struct engine_conn *c = r->conn;
    uint64_t limit = c->engine->memory_limit;
    int rc;

    if (duckdb_prepare(c->db, text, &r->statement) != DuckDBSuccess)
        return errors_set(err, duckdb_prepare_error(r->statement), limit);
    if (alters_connection(duckdb_prepared_statement_type(r->statement))) {
        if (atomic_load(&c->engine->is_locked))
            return err_set(err, ERR_INTERNAL, "a statement for the engine changes its settings");
        c->is_altered = true;
    }
    if (duckdb_pending_prepared_streaming(r->statement, &r->pending) != DuckDBSuccess)
        return errors_set(err, duckdb_pending_error(r->pending), limit);
    /* Starting a statement clears DuckDB's own mark of interruption: one that came before is seen here. */
    if (atomic_load(&c->interrupted))
        return set_cancelled(err);
    rc = work(r, err);
    if (rc < 0)
        return rc;
    r->has_result = true;
    if (duckdb_execute_pending(r->pending, &r->result) != DuckDBSuccess)
        return errors_set(err, duckdb_result_error(&r->result), limit);
    r->column_count = duckdb_column_count(&r->result);
    r->types = calloc(r->column_count + 1, sizeof(*r->types));
    if (!r->types)
        abort();
    for (size_t i = 0; i < r->column_count; i++)
        r->types[i] = duckdb_column_logical_type(&r->result, i);
    return 0;
}

int engine_query(struct engine_conn *c, struct str sql, struct engine_result **ret, struct err *err)
{
    struct engine_result *r;
    char *text;
    int rc = copy_sql(sql, &text, err);

    if (rc < 0)
        return rc;
    r = calloc(1, sizeof(*r));
    if (!r)
        abort();
    r->conn = c;
    rc = start(r, text, err);
    free(text);
    if (rc < 0) {
        if (atomic_load(&c->interrupted))
            rc = set_cancelled(err);
        engine_result_free(r);
        return rc;
    }
    *ret = r;
    return 0;
}

int engine_next(struct engine_result *r, duckdb_data_chunk *ret, struct err *err)
{
    duckdb_data_chunk chunk;
    const char *message;

    if (atomic_load(&r->conn->interrupted))
        return set_cancelled(err);
    while (!r->is_done) {
        chunk = duckdb_fetch_chunk(r->result);
        if (!chunk) {
            r->is_done = true;
            break;
        }
        if (duckdb_data_chunk_get_size(chunk) > 0) {
            *ret = chunk;
            return 1;
        }
        duckdb_destroy_data_chunk(&chunk);
    }
    message = duckdb_result_error(&r->result);
    if (message && *message)
        return errors_set(err, message, r->conn->engine->memory_limit);
    if (atomic_load(&r->conn->interrupted))
        return set_cancelled(err);
    return 0;
}

size_t engine_column_count(const struct engine_result *r)
{
    return r->column_count;
}

struct str engine_column_name(const struct engine_result *r, size_t i)
{
    duckdb_result result = r->result;

    return str_from_cstr(duckdb_column_name(&result, i));
}

duckdb_logical_type engine_column_type(const struct engine_result *r, size_t i)
{
    return r->types[i];
}

void engine_result_free(struct engine_result *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->column_count; i++)
        duckdb_destroy_logical_type(&r->types[i]);
    free(r->types);
    if (r->has_result && !r->is_done)
        duckdb_interrupt(
            r->conn->db); /* it is abandoned: what works at it stops; the next statement takes the mark off */
    if (r->has_result)
        duckdb_destroy_result(&r->result);
    if (r->pending)
        duckdb_destroy_pending(&r->pending);
    if (r->statement)
        duckdb_destroy_prepare(&r->statement);
    free(r);
}

void engine_interrupt(struct engine_conn *c)
{
    atomic_store(&c->interrupted, true);
    duckdb_interrupt(c->db);
}

void engine_progress(struct engine_conn *c, struct engine_progress *ret)
{
    duckdb_query_progress_type p = duckdb_query_progress(c->db);

    ret->fraction = p.percentage < 0 ? -1 : p.percentage > 100 ? 1 : p.percentage / 100;
    ret->rows_done = p.rows_processed;
    ret->rows_total = p.total_rows_to_process;
}

void engine_memory(struct engine *e, struct engine_memory *ret)
{
    struct engine_conn *c;
    struct engine_result *r;
    duckdb_data_chunk chunk;

    *ret = (struct engine_memory){0};
    if (engine_acquire(e, &c, NULL) < 0)
        return;
    if (engine_query(
            c,
            STR("SELECT CAST(sum(memory_usage_bytes) AS UBIGINT), CAST(sum(temporary_storage_bytes) AS UBIGINT) "
                "FROM duckdb_memory()"),
            &r, NULL) == 0) {
        if (engine_next(r, &chunk, NULL) == 1) {
            ret->used = *(uint64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
            ret->spilled = *(uint64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 1));
            duckdb_destroy_data_chunk(&chunk);
        }
        engine_result_free(r);
    }
    engine_release(c);
}
