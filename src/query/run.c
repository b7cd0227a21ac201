/*
 * A query from text to rows: parse, analyse, plan scans, emit, execute. Writes go through the connector that owns the
 * target: its text around the source's makes one statement of the engine, whose result the connector commits.
 */
#include "base/clock.h"
#include "emit/emit.h"
#include "query/internal.h"
#include "sql/parse.h"

enum { EMITTED_MAX = 64 << 20 }; /* bytes: a scan names each of its files */

/* What planning took from connectors, given back at the end. */
struct run {
    struct query *q;
    struct err *err;
    struct analyze_tables tables;
    struct engine_conn *conn;
    VEC(struct run_pin {
        struct connector *connector;
        void *pin;
    })
    pins;
    int64_t planned_from_us;
    uint64_t rows;   /* of all scans */
    bool is_unknown; /* a scan doesn't know its rows */
};

static void release(struct run *r)
{
    /* Interrupting a connection that is given back would end another query. */
    (void)!query_set_conn(r->q, NULL, NULL);
    if (r->conn)
        engine_release(r->conn);
    for (size_t i = 0; i < r->pins.n; i++)
        if (r->pins.items[i].connector->ops->release_pin)
            r->pins.items[i].connector->ops->release_pin(r->pins.items[i].connector, r->pins.items[i].pin);
    vec_release(&r->pins);
    for (size_t i = 0; i < r->tables.n; i++) {
        struct connector_table *t = r->tables.items[i];

        if (t->connector->ops->release_table)
            t->connector->ops->release_table(t);
    }
    access_release(r->q->access);
    r->q->access = NULL;
}

/* ---- scans ---- */

static int plan_scan(void *ctx, const struct rel *rel, struct str *ret_from, struct err *err)
{
    struct run *r = ctx;
    struct connector *c = rel->scan.table->connector;
    struct arena *a = &r->q->work;
    int *ids = arena_array(a, int, rel->column_count);
    struct connector_scan_plan plan = {0};
    int rc;

    for (size_t i = 0; i < rel->column_count; i++)
        ids[i] = rel->columns[i].id;
    const struct connector_scan scan = {
        .table = rel->scan.table,
        .table_columns = rel->scan.table_columns,
        .ids = ids,
        .column_count = rel->column_count,
        .access = r->q->access,
        .conjuncts = rel->scan.conjuncts,
        .conjunct_count = rel->scan.conjunct_count,
    };
    rc = c->ops->plan_scan(c, a, &scan, &plan, err);
    if (rc < 0)
        return rc;
    if (plan.pin)
        vec_push(&r->pins, ((struct run_pin){c, plan.pin}));
    if (plan.rows)
        plan.row_count = plan.rows->row_count;
    r->rows += plan.row_count;
    r->is_unknown |= !plan.rows && plan.row_count == 0;
    if (plan.rows)
        return engine_add_rows(r->conn, a, plan.rows, ids, ret_from, err);
    *ret_from = plan.from;
    return 0;
}

static int emit(struct run *r, const struct rel *root, struct buf *to)
{
    const struct emit_scans scans = {.ctx = r, .plan = plan_scan};
    int rc = emit_query(&r->q->work, root, &r->q->session, &scans, to, r->err);

    return rc < 0 ? rc : buf_check(to, "the planned statement", r->err);
}

static int connect(struct run *r)
{
    int rc = engine_acquire(r->q->owner->engine, &r->conn, r->err);

    return rc < 0 ? rc : query_set_conn(r->q, r->conn, r->err);
}

/* A limit may end a scan early. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as the parser lets queries nest
static bool has_limit(const struct rel *rel)
{
    for (size_t i = 0; rel && i < rel->cte_count; i++)
        if (has_limit(rel->ctes[i]->query))
            return true;
    return rel && (rel->kind == REL_LIMIT || has_limit(rel->input) || has_limit(rel->right));
}

/* Planning is over: what it took and what is to be read, for the statistics. `root` NULL: the engine has nothing to do. */
static void start_running(struct run *r, const struct rel *root)
{
    pthread_mutex_lock(&r->q->lock);
    r->q->stats.planning_us = clock_mono_us() - r->planned_from_us;
    r->q->stats.total_splits = r->q->stats.running_splits = 1; /* until the engine says more */
    r->q->planned_rows = r->is_unknown || has_limit(root) ? 0 : r->rows;
    pthread_mutex_unlock(&r->q->lock);
    query_set_state(r->q, QUERY_RUNNING);
}

/* ---- results ---- */

static int send_chunks(struct run *r, struct engine_result *result)
{
    const struct query_sink *sink = &r->q->sink;
    duckdb_data_chunk chunk;
    int rc;

    while ((rc = engine_next(result, &chunk, r->err)) == 1) {
        uint64_t rows = duckdb_data_chunk_get_size(chunk);

        rc = sink->chunk(sink->ctx, chunk, r->err);
        duckdb_destroy_data_chunk(&chunk);
        if (rc < 0)
            return rc;
        pthread_mutex_lock(&r->q->lock);
        r->q->stats.output_rows += rows;
        pthread_mutex_unlock(&r->q->lock);
    }
    return rc;
}

static int run_select(struct run *r, const struct statement *s)
{
    const struct query_sink *sink = &r->q->sink;
    BUF_SCOPED struct buf sql;
    struct engine_result *result;
    int rc;

    buf_init(&sql, EMITTED_MAX);
    rc = connect(r);
    if (rc == 0)
        rc = emit(r, s->query, &sql);
    if (rc < 0)
        return rc;
    sink->columns(sink->ctx, s->query->columns, s->output_names, s->output_count);
    start_running(r, s->query);
    rc = engine_query(r->conn, buf_str(&sql), &result, r->err);
    if (rc < 0)
        return rc;
    rc = send_chunks(r, result);
    engine_result_free(result);
    return rc;
}

/* ---- writes: one row that says how many were written ---- */

static void announce_count(struct query *q)
{
    const struct column column = {.id = 0, .name = STR("rows"), .type = &type_bigint};
    const struct str name = STR("rows");

    q->sink.columns(q->sink.ctx, &column, &name, 1);
}

static int send_count(struct run *r, int64_t rows)
{
    struct query *q = r->q;
    duckdb_logical_type bigint = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    duckdb_data_chunk chunk = duckdb_create_data_chunk(&bigint, 1);

    ((int64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0)))[0] = rows;
    duckdb_data_chunk_set_size(chunk, 1);
    pthread_mutex_lock(&q->lock);
    q->has_update_count = true;
    q->update_count = rows;
    q->stats.output_rows = 1;
    pthread_mutex_unlock(&q->lock);
    /* The write is done: a client that no longer listens doesn't undo it. */
    (void)q->sink.chunk(q->sink.ctx, chunk, NULL);
    duckdb_destroy_data_chunk(&chunk);
    duckdb_destroy_logical_type(&bigint);
    return 0;
}

/* Starts the statement that the connector's text and the source make. */
static int start_source(struct run *r, const struct rel *source, struct str before, struct str after,
                        struct engine_result **ret)
{
    BUF_SCOPED struct buf sql;
    int rc;

    buf_init(&sql, EMITTED_MAX);
    buf_add_str(&sql, before);
    rc = emit(r, source, &sql);
    buf_add_str(&sql, after);
    if (rc == 0)
        rc = buf_check(&sql, "the planned statement", r->err);
    if (rc < 0)
        return rc;
    start_running(r, source);
    return engine_query(r->conn, buf_str(&sql), ret, r->err);
}

static int execute_write(struct run *r, const struct statement *s, struct connector_write *w, struct str before,
                         struct str after, struct connector_written *ret)
{
    struct connector *c = s->connector;
    struct engine_result *result = NULL;
    int rc = start_source(r, s->query, before, after, &result);

    if (rc == 0) {
        query_set_state(r->q, QUERY_FINISHING);
        rc = c->ops->finish_write(c, w, result, ret, r->err);
    } else {
        c->ops->abort_write(c, w);
    }
    engine_result_free(result);
    return rc;
}

static int send_written(struct run *r, const struct connector_written *written)
{
    pthread_mutex_lock(&r->q->lock);
    r->q->stats.written_rows = (uint64_t)written->rows;
    r->q->stats.written_bytes = written->bytes;
    pthread_mutex_unlock(&r->q->lock);
    return send_count(r, written->rows);
}

static int run_write(struct run *r, const struct statement *s)
{
    struct connector *c = s->connector;
    struct str before = STR(""), after = STR("");
    struct connector_write *w = NULL;
    struct connector_written written = {0};
    int rc;

    announce_count(r->q);
    if (s->is_noop)
        return send_count(r, 0);
    if (!c->ops->begin_write)
        return err_set_named(r->err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "This connector does not support %s",
                             s->kind == STATEMENT_INSERT ? "inserts" : "creating tables with data");
    rc = connect(r);
    if (rc < 0)
        return rc;
    const struct connector_write_request request = {
        .statement = s,
        .columns = s->query->columns,
        .column_count = s->query->column_count,
        .query_id = r->q->id,
    };
    rc = c->ops->begin_write(c, &r->q->work, &request, &w, &before, &after, r->err);
    if (rc == 0)
        rc = execute_write(r, s, w, before, after, &written);
    return rc < 0 ? rc : send_written(r, &written);
}

static int run_delete_some(struct run *r, const struct statement *s)
{
    struct connector *c = s->connector;
    struct connector_delete *d;
    struct connector_written written = {0};
    struct engine_result *result = NULL;
    struct str before, after;
    int rc = connect(r);

    announce_count(r->q);
    if (rc < 0)
        return rc;
    const struct connector_write_request request = {
        .statement = s,
        .columns = s->delete_source->columns,
        .column_count = s->delete_source->column_count,
        .query_id = r->q->id,
    };
    rc = c->ops->begin_delete(c, &r->q->work, &request, &d, &before, &after, r->err);
    if (rc < 0)
        return rc;
    rc = start_source(r, s->delete_source, before, after, &result);
    if (rc == 0) {
        query_set_state(r->q, QUERY_FINISHING);
        rc = c->ops->finish_delete(c, d, result, &written, r->err);
    } else {
        c->ops->abort_delete(c, d);
    }
    engine_result_free(result);
    return rc < 0 ? rc : send_written(r, &written);
}

static int run_delete_all(struct run *r, const struct statement *s)
{
    struct connector *c = s->connector;
    int64_t rows = 0;
    int rc;

    bool counts = strcmp(s->update_type, "DELETE") == 0; /* TRUNCATE has no result */
    if (counts)
        announce_count(r->q);
    start_running(r, NULL);
    rc = c->ops->delete_all(c, &r->q->work, s->target, &rows, r->err);
    if (rc == 0 && !counts)
        r->q->sink.columns(r->q->sink.ctx, NULL, NULL, 0);
    return rc < 0 || !counts ? rc : send_count(r, rows);
}

static int run_effect(struct run *r, const struct statement *s)
{
    int rc = query_apply(r->q, s, r->err);

    if (rc == 0)
        r->q->sink.columns(r->q->sink.ctx, NULL, NULL, 0);
    return rc;
}

/* ---- the whole ---- */

static bool is_write(const struct statement *s)
{
    switch (s->kind) {
    case STATEMENT_CREATE_TABLE_AS:
    case STATEMENT_INSERT:
    case STATEMENT_DELETE:
    case STATEMENT_CREATE_TABLE:
    case STATEMENT_DROP_TABLE:
    case STATEMENT_RENAME_TABLE:
    case STATEMENT_CREATE_SCHEMA:
    case STATEMENT_DROP_SCHEMA:
        return true;
    default:
        return false;
    }
}

static int check_transaction(struct query *q, const struct statement *s, struct err *err)
{
    if (!str_is_null(q->session.transaction_id) && s->kind == STATEMENT_CALL)
        return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                             "Procedures cannot be called within a transaction (use autocommit mode)");
    if (str_is_null(q->session.transaction_id) || !is_write(s))
        return 0;
    return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "Catalog only supports writes using autocommit: %.*s",
                         STR_ARG(s->catalog));
}

static int plan(struct run *r, struct statement **ret)
{
    struct query *q = r->q;
    int64_t from = clock_mono_us();
    struct ast_statement *ast;
    int rc = session_open_access(q->owner->access, &q->session, &q->access, r->err);
    const struct analyze_context context = {
        .session = &q->session,
        .access = q->access,
        .catalogs = q->owner->catalogs,
        .information_schema = q->owner->information_schema,
    };

    if (rc == 0)
        rc = access_check_execute_query(q->access, r->err);
    if (rc == 0)
        rc = query_check_session(q, q->access, r->err);
    if (rc == 0)
        rc = sql_parse(&q->work, q->text, &ast, r->err);
    if (rc == 0 && !str_is_null(q->session.transaction_id))
        rc = transactions_use(q->owner->transactions, q->session.transaction_id, NULL, r->err);
    if (rc == 0)
        rc = analyze(&context, &q->work, ast, &r->tables, ret, r->err);
    if (rc == 0 && !str_is_null(q->session.transaction_id))
        rc = transactions_use(q->owner->transactions, q->session.transaction_id, &r->tables, r->err);
    if (rc == 0)
        rc = check_transaction(q, *ret, r->err);
    r->planned_from_us = clock_mono_us();
    pthread_mutex_lock(&q->lock);
    q->stats.analysis_us = r->planned_from_us - from;
    if (rc == 0)
        q->update_type = (*ret)->update_type;
    pthread_mutex_unlock(&q->lock);
    return rc;
}

static int execute(struct run *r, const struct statement *s)
{
    query_set_state(r->q, QUERY_STARTING);
    switch (s->kind) {
    case STATEMENT_QUERY:
    case STATEMENT_EXPLAIN:
        return run_select(r, s);
    case STATEMENT_CREATE_TABLE_AS:
    case STATEMENT_INSERT:
        return run_write(r, s);
    case STATEMENT_DELETE:
        return s->is_noop ? run_effect(r, s) : s->delete_source ? run_delete_some(r, s) : run_delete_all(r, s);
    default:
        return run_effect(r, s);
    }
}

int query_run(struct query *q, struct err *err)
{
    struct run r = {.q = q, .err = err};
    struct statement *s = NULL;
    int rc;

    query_set_state(q, QUERY_PLANNING);
    rc = plan(&r, &s);
    if (rc == 0)
        rc = execute(&r, s);
    release(&r);
    return rc;
}
