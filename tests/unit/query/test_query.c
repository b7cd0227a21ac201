/* Queries on a real engine: their states, ends and effects, with a catalog `fake` that counts what is asked of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "connectors/information_schema.h"
#include "connectors/system.h"
#include "os/file.h"
#include "query/query.h"

#include <pthread.h>
#include <unistd.h>

static const char *extensions;
static char folder[64];
static struct engine *engine;
static struct connector_set set;
static struct connector *catalogs[2], *information_schema;
static struct virtual_context context;
static struct queries *queries;

/* ---- the catalog fake ---- */

static struct {
    int begun, finished, aborted, schemas;
    bool fail_finish;
} fake;

static int list_schemas(struct connector *c, struct arena *a, struct str **ret, size_t *ret_n, struct err *err)
{
    (void)c, (void)err;
    *ret = arena_new(a, struct str);
    **ret = STR("s");
    *ret_n = 1;
    return 0;
}

static int list_tables(struct connector *c, struct arena *a, struct str schema, struct connector_table_name **ret,
                       size_t *ret_n, struct err *err)
{
    (void)c, (void)schema, (void)err;
    *ret = arena_new(a, struct connector_table_name);
    *ret_n = 0;
    return 0;
}

static int get_table(struct connector *c, struct arena *a, struct str schema, struct str name,
                     struct connector_table **ret, struct err *err)
{
    (void)c, (void)a, (void)schema, (void)name, (void)err;
    *ret = NULL;
    return 0;
}

static int create_schema(struct connector *c, struct arena *a, const struct statement *s, struct err *err)
{
    (void)c, (void)a, (void)s, (void)err;
    fake.schemas++;
    return 0;
}

static int begin_write(struct connector *c, struct arena *a, const struct connector_write_request *r,
                       struct connector_write **ret, struct str *ret_before, struct str *ret_after, struct err *err)
{
    (void)c, (void)r, (void)a, (void)err;
    fake.begun++;
    *ret = NULL;
    *ret_before = STR("SELECT count(*) FROM (");
    *ret_after = STR(") t WHERE hash(t) IS NOT NULL"); /* else the engine has no need of the values */
    return 0;
}

static int finish_write(struct connector *c, struct connector_write *w, struct engine_result *result,
                        struct connector_written *ret, struct err *err)
{
    duckdb_data_chunk chunk;
    int rc;
    (void)c, (void)w;

    while ((rc = engine_next(result, &chunk, err)) == 1) {
        ret->rows = ((int64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0)))[0];
        duckdb_destroy_data_chunk(&chunk);
    }
    fake.finished++;
    return rc < 0             ? rc
           : fake.fail_finish ? err_set_named(err, ERR_CONFLICT, "ICEBERG_COMMIT_ERROR", "lost the race")
                              : 0;
}

static void abort_write(struct connector *c, struct connector_write *w)
{
    (void)c, (void)w;
    fake.aborted++;
}

static const struct connector_ops fake_ops = {
    .kind = "fake",
    .list_schemas = list_schemas,
    .list_tables = list_tables,
    .get_table = get_table,
    .create_schema = create_schema,
    .begin_write = begin_write,
    .finish_write = finish_write,
    .abort_write = abort_write,
};
static struct connector fake_connector = {.ops = &fake_ops, .catalog = {"fake", 4}};

/* ---- what a sink saw ---- */

struct seen {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t columns;
    int64_t rows, first;
    bool is_ended, refuses;
    struct err error;
};

static void see_columns(void *ctx, const struct column *columns, const struct str *names, size_t n)
{
    (void)columns, (void)names;
    ((struct seen *)ctx)->columns = n;
}

static int see_chunk(void *ctx, duckdb_data_chunk chunk, struct err *err)
{
    struct seen *s = ctx;

    if (s->rows == 0) {
        const void *data = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
        duckdb_logical_type t = duckdb_vector_get_column_type(duckdb_data_chunk_get_vector(chunk, 0));
        duckdb_type id = duckdb_get_type_id(t);
        if (id == DUCKDB_TYPE_BIGINT)
            s->first = *(const int64_t *)data;
        else if (id == DUCKDB_TYPE_INTEGER)
            s->first = *(const int32_t *)data;
        duckdb_destroy_logical_type(&t);
    }
    s->rows += (int64_t)duckdb_data_chunk_get_size(chunk);
    return s->refuses ? err_set_named(err, ERR_LIMIT, "PAGE_TOO_LARGE", "no room") : 0;
}

static void see_end(void *ctx, const struct err *error)
{
    struct seen *s = ctx;

    pthread_mutex_lock(&s->lock);
    s->is_ended = true;
    if (error)
        s->error = *error;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void seen_init(struct seen *s)
{
    *s = (struct seen){.refuses = false};
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
}

static void await_end(struct seen *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->is_ended)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

static struct query *begin(const struct session *session, const char *text, struct seen *s)
{
    const struct query_sink sink = {.ctx = s, .columns = see_columns, .chunk = see_chunk, .end = see_end};
    struct query *q = NULL;
    struct err err = {0};

    if (query_start(queries, session, str_from_cstr(text), &sink, &q, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return q;
}

static struct session a_session(void)
{
    return (struct session){.user = STR("alice"), .time_zone = STR("UTC"), .parametric_datetime = true};
}

static struct query *run_with(const struct session *session, const char *text, struct seen *s)
{
    seen_init(s);
    struct query *q = begin(session, text, s);
    await_end(s);
    return q;
}

static struct query *run(const char *text, struct seen *s)
{
    struct session session = a_session();

    return run_with(&session, text, s);
}

static void assert_ends(const char *text, const char *error_name)
{
    struct seen s;
    struct query *q = run(text, &s);

    if (!error_name && s.error.code)
        fail_msg("%s: %s", text, s.error.message);
    if (error_name)
        assert_string_equal(s.error.name, error_name);
    query_unref(q);
}

/* ---- fixtures ---- */

static int start(int max_running, int max_queued, int history)
{
    const struct queries_options o = {engine, &set, information_schema, NULL, max_running, max_queued, history};

    memset(&fake, 0, sizeof(fake));
    return queries_new(&o, &queries, NULL);
}

static int set_up_all(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "%s/dp-query-XXXXXX", P_tmpdir);
    if (!mkdtemp(folder))
        return -1;
    const struct engine_options o = {str_from_cstr(folder), str_from_cstr(extensions), 512u << 20, 2};
    context.catalogs = &set;
    information_schema = context.information_schema = information_schema_new(&context);
    catalogs[0] = &fake_connector;
    catalogs[1] = system_connector_new(&context);
    set = (struct connector_set){catalogs, 2};
    return engine_open(&o, &engine, NULL);
}

static int tear_down_all(void **state)
{
    (void)state;
    engine_close(engine);
    catalogs[1]->ops->close(catalogs[1]);
    information_schema->ops->close(information_schema);
    return file_remove_tree(folder, NULL);
}

static int set_up(void **state)
{
    (void)state;
    return start(2, 4, 3);
}

static int tear_down(void **state)
{
    (void)state;
    queries_free(queries);
    return 0;
}

/* Ten billion rows of five relations: long to run, short to plan (planning can't be interrupted). */
#define TEN(t) t "0," t "1," t "2," t "3," t "4," t "5," t "6," t "7," t "8," t "9,"
#define HUNDRED TEN("") TEN("1") TEN("2") TEN("3") TEN("4") TEN("5") TEN("6") TEN("7") TEN("8") TEN("9") "100"
#define RELATION(name) "(VALUES " HUNDRED ") " name " (x)"
static const char *const long_query = "SELECT count(*) FROM " RELATION("a") ", " RELATION("b") ", " RELATION(
    "c") ", " RELATION("d") ", " RELATION("e") " WHERE a.x + b.x + c.x + d.x > e.x";

static void await_state(struct query *q, enum query_state state)
{
    struct query_stats stats;

    for (int i = 0; i < 10000; i++) {
        query_get_stats(q, &stats);
        if (stats.state >= state)
            break;
        usleep(1000);
    }
    assert_int_equal(stats.state, state);
}

/* ---- tests ---- */

static void nan_compares_false_also_when_a_subquery_gives_it(void **state)
{
    struct seen s;
    (void)state;

    query_unref(
        run("SELECT CAST(count_if(x) AS integer) FROM (VALUES NOT (1e0 < (SELECT nan())),"
            " NOT ((SELECT nan()) > 1e0), NOT (-infinity() < (SELECT nan())), NOT ((SELECT nan()) > -infinity()),"
            " NOT (nan() < (SELECT 2e0)), 1e0 < (SELECT 2e0), (SELECT 2e0) > 1e0,"
            " (1e0 < (SELECT CAST(NULL AS double))) IS NULL, NOT ((SELECT REAL 'NaN') > REAL '1'),"
            " NOT (1e0 <= (SELECT nan())), nan() <> (SELECT nan())) t(x)",
            &s));
    assert_int_equal(s.error.code, 0);
    assert_int_equal(s.first, 11);
}

static void a_select_gives_columns_rows_and_an_end(void **state)
{
    struct query_stats stats;
    struct seen s;
    (void)state;

    struct query *q = run("SELECT 42 AS a, 'x'", &s);
    assert_int_equal(s.error.code, 0);
    assert_int_equal(s.columns, 2);
    assert_int_equal(s.rows, 1);
    assert_int_equal(s.first, 42);
    query_get_stats(q, &stats);
    assert_int_equal(stats.state, QUERY_FINISHED);
    assert_int_equal(stats.output_rows, 1);
    assert_null(query_update_type(q));
    query_unref(q);
}

static void ids_are_like_trinos_and_rise(void **state)
{
    struct seen s, t;
    (void)state;

    struct query *a = run("SELECT 1", &s), *b = run("SELECT 1", &t);
    assert_int_equal(query_id(a).n, 27);
    assert_int_equal(query_id(a).p[8], '_');
    assert_int_equal(query_id(a).p[15], '_');
    assert_true(str_cmp(query_id(a), query_id(b)) < 0);
    query_unref(a);
    query_unref(b);
}

static void errors_have_names_and_places(void **state)
{
    struct seen s;
    (void)state;

    struct query *q = run("SELEC 1", &s);
    assert_string_equal(s.error.name, "SYNTAX_ERROR");
    assert_int_equal(s.error.line, 1);
    query_unref(q);
    assert_ends("SELECT nope", "COLUMN_NOT_FOUND");
    assert_ends("SELECT * FROM fake.s.nope", "TABLE_NOT_FOUND");
    assert_ends("SELECT 1 / 0", "DIVISION_BY_ZERO");
}

static void what_headers_claim_is_checked(void **state)
{
    struct str value = STR("1");
    struct seen s;
    (void)state;

    struct session session = a_session();
    session.time_zone = STR("Mars/Olympus");
    query_unref(run_with(&session, "SELECT 1", &s));
    assert_string_equal(s.error.message, "Time zone not supported: Mars/Olympus");
    session = a_session();
    session.original_user = STR("bob");
    query_unref(run_with(&session, "SELECT 1", &s));
    assert_string_equal(s.error.message, "Access Denied: User bob cannot impersonate user alice");
    session = a_session();
    map_set(&session.properties, STR("nothing_like_it"), &value);
    query_unref(run_with(&session, "SELECT 1", &s));
    assert_string_equal(s.error.message, "Session property 'nothing_like_it' does not exist");
    map_release(&session.properties);
}

static void cancelling_ends_a_running_query(void **state)
{
    struct seen s;
    (void)state;

    seen_init(&s);
    struct session session = a_session();
    struct query *q = begin(&session, long_query, &s);
    await_state(q, QUERY_RUNNING);
    query_cancel(q, NULL);
    await_end(&s);
    assert_string_equal(s.error.name, "USER_CANCELED");
    await_state(q, QUERY_FAILED);
    query_unref(q);
    assert_ends("SELECT 1", NULL); /* the connection that was interrupted doesn't harm the next */
}

static void a_queued_query_is_cancelled_before_its_turn_and_a_full_queue_refuses(void **state)
{
    struct seen running[2], queued[4], over;
    struct query *q[6], *refused = NULL;
    struct err err = {0};
    struct session session = a_session();
    (void)state;

    for (int i = 0; i < 6; i++) {
        struct seen *s = i < 2 ? &running[i] : &queued[i - 2];
        seen_init(s);
        q[i] = begin(&session, i < 2 ? long_query : "SELECT 1", s);
        if (i < 2)
            await_state(q[i], QUERY_RUNNING);
    }
    seen_init(&over);
    const struct query_sink sink = {.ctx = &over, .columns = see_columns, .chunk = see_chunk, .end = see_end};
    assert_int_equal(query_start(queries, &session, STR("SELECT 1"), &sink, &refused, &err), ERR_LIMIT);
    assert_string_equal(err.name, "QUERY_QUEUE_FULL");
    query_cancel(q[2], NULL);
    await_end(&queued[0]);
    assert_string_equal(queued[0].error.name, "USER_CANCELED");
    query_cancel(q[0], NULL);
    query_cancel(q[1], NULL);
    for (int i = 0; i < 2; i++)
        await_end(&running[i]);
    for (int i = 1; i < 4; i++) {
        await_end(&queued[i]);
        assert_int_equal(queued[i].error.code, 0);
    }
    for (int i = 0; i < 6; i++)
        query_unref(q[i]);
}

static void a_sink_that_refuses_ends_the_query(void **state)
{
    struct seen s;
    struct session session = a_session();
    (void)state;

    seen_init(&s);
    s.refuses = true;
    struct query *q = begin(&session, "SELECT 1", &s);
    await_end(&s);
    assert_string_equal(s.error.name, "PAGE_TOO_LARGE");
    query_unref(q);
}

static void a_write_is_finished_once_and_counted(void **state)
{
    struct seen s;
    int64_t count = 0;
    (void)state;

    struct query *q = run("CREATE TABLE fake.s.t AS SELECT * FROM (VALUES 1, 2, 3) v (a)", &s);
    assert_string_equal(s.error.message, "");
    assert_int_equal(fake.begun, 1);
    assert_int_equal(fake.finished, 1);
    assert_int_equal(fake.aborted, 0);
    assert_int_equal(s.first, 3);
    assert_string_equal(query_update_type(q), "CREATE TABLE");
    assert_true(query_update_count(q, &count));
    assert_int_equal(count, 3);
    query_unref(q);
}

static void a_write_whose_source_fails_leaves_nothing_behind(void **state)
{
    struct seen s;
    (void)state;

    struct query *q = run("CREATE TABLE fake.s.t AS SELECT 1 / a AS b FROM (VALUES 1, 0) v (a)", &s);
    assert_string_equal(s.error.name, "DIVISION_BY_ZERO");
    assert_int_equal(s.rows, 0);
    query_unref(q);
    fake.fail_finish = true;
    q = run("CREATE TABLE fake.s.t AS SELECT 1 AS a", &s);
    assert_string_equal(s.error.name, "ICEBERG_COMMIT_ERROR");
    assert_int_equal(s.rows, 0); /* no count of what was not written */
    query_unref(q);
}

static void what_a_connector_cannot_do_is_not_supported(void **state)
{
    (void)state;
    assert_ends("CREATE SCHEMA fake.t", NULL);
    assert_int_equal(fake.schemas, 1);
    assert_ends("DROP SCHEMA fake.s", "NOT_SUPPORTED");
    assert_ends("CREATE TABLE fake.s.t (a integer)", "NOT_SUPPORTED");
}

static void session_statements_say_what_they_change(void **state)
{
    const struct session_changes *c;
    struct seen s;
    (void)state;

    struct query *q = run("USE fake.s", &s);
    c = query_changes(q);
    assert_true(str_eq(c->set_catalog, STR("fake")) && str_eq(c->set_schema, STR("s")));
    assert_int_equal(s.columns, 0);
    query_unref(q);
    q = run("SET SESSION query_max_run_time = '10m'", &s);
    c = query_changes(q);
    assert_true(str_eq(c->set_session_name, STR("query_max_run_time")) && str_eq(c->set_session_value, STR("10m")));
    query_unref(q);
    q = run("SET TIME ZONE LOCAL", &s);
    c = query_changes(q);
    assert_true(str_eq(c->set_session_name, STR("time_zone_id")) && str_is_null(c->set_session_value));
    query_unref(q);
    q = run("PREPARE p FROM SELECT ?", &s);
    assert_true(str_eq(query_changes(q)->added_prepare_name, STR("p")));
    query_unref(q);
}

static void transactions_are_begun_named_and_ended(void **state)
{
    struct session session = a_session();
    struct arena a = ARENA_INIT;
    struct seen s;
    (void)state;

    query_unref(run("START TRANSACTION", &s));
    assert_string_equal(s.error.name, "INCOMPATIBLE_CLIENT");
    query_unref(run("COMMIT", &s));
    assert_string_equal(s.error.name, "NOT_IN_TRANSACTION");
    session.keeps_transactions = true;
    struct query *q = run_with(&session, "START TRANSACTION", &s);
    session.transaction_id = arena_str(&a, query_changes(q)->started_transaction);
    assert_int_equal(session.transaction_id.n, 36);
    query_unref(q);
    query_unref(run_with(&session, "SELECT 1", &s));
    assert_int_equal(s.error.code, 0);
    query_unref(run_with(&session, "CREATE SCHEMA fake.u", &s));
    assert_non_null(strstr(s.error.message, "Catalog only supports writes using autocommit: fake"));
    q = run_with(&session, "COMMIT", &s);
    assert_true(query_changes(q)->clear_transaction);
    query_unref(q);
    query_unref(run_with(&session, "SELECT 1", &s));
    assert_string_equal(s.error.name, "UNKNOWN_TRANSACTION");
    arena_release(&a);
}

static void the_history_is_bounded_and_newest(void **state)
{
    struct query_info *all, one;
    struct arena a = ARENA_INIT;
    struct seen s;
    (void)state;

    for (int i = 0; i < 8; i++)
        query_unref(run(i == 7 ? "SELECT 7" : "SELECT 1", &s));
    size_t n = queries_list(queries, &a, &all);
    assert_true(n <= 4); /* three ended ones, and one that was at work when it came */
    assert_true(str_eq(all[n - 1].text, STR("SELECT 7")));
    assert_true(str_eq(all[n - 1].user, STR("alice")));
    assert_true(queries_get(queries, &a, all[n - 1].id, &one));
    assert_false(queries_get(queries, &a, STR("20200101_000000_00000_aaaaa"), &one));
    arena_release(&a);
}

#define QUERY_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        QUERY_TEST(nan_compares_false_also_when_a_subquery_gives_it),
        QUERY_TEST(a_select_gives_columns_rows_and_an_end),
        QUERY_TEST(ids_are_like_trinos_and_rise),
        QUERY_TEST(errors_have_names_and_places),
        QUERY_TEST(what_headers_claim_is_checked),
        QUERY_TEST(cancelling_ends_a_running_query),
        QUERY_TEST(a_queued_query_is_cancelled_before_its_turn_and_a_full_queue_refuses),
        QUERY_TEST(a_sink_that_refuses_ends_the_query),
        QUERY_TEST(a_write_is_finished_once_and_counted),
        QUERY_TEST(a_write_whose_source_fails_leaves_nothing_behind),
        QUERY_TEST(what_a_connector_cannot_do_is_not_supported),
        QUERY_TEST(session_statements_say_what_they_change),
        QUERY_TEST(transactions_are_begun_named_and_ended),
        QUERY_TEST(the_history_is_bounded_and_newest),
    };
    extensions = argc > 1 ? argv[1] : "";
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
