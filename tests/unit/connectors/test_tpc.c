/* The catalogs tpch and tpcds: names and types are Trino's, rows are generated once and read from the cache. */
#include "connectors/tpc.h"
#include "os/file.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static char folder[] = "test_tpc_XXXXXX";
static struct engine *engine;
static struct connector *tpch, *standard, *tpcds;

static int setup(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct engine_options o = {.memory_limit = 512 << 20, .threads = 2};
    struct err err = {0};

    (void)state;
    if (!mkdtemp(folder))
        return -1;
    o.temp_dir = arena_printf(&a, "%s/temp", folder);
    o.extension_dir = STR(TEST_EXTENSIONS);
    if (engine_open(&o, &engine, &err) < 0 ||
        tpch_connector_new(STR("tpch"), engine, folder, false, false, &tpch, &err) < 0 ||
        tpch_connector_new(STR("standard"), engine, folder, true, true, &standard, &err) < 0 ||
        tpcds_connector_new(STR("tpcds"), engine, folder, &tpcds, &err) < 0) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    struct err err = {0};

    (void)state;
    tpch->ops->close(tpch);
    standard->ops->close(standard);
    tpcds->ops->close(tpcds);
    engine_close(engine);
    return file_remove_tree(folder, &err);
}

static struct connector_table *get(struct arena *a, struct connector *c, const char *schema, const char *name)
{
    struct connector_table *t = NULL;
    struct err err = {0};

    assert_int_equal(c->ops->get_table(c, a, str_from_cstr(schema), str_from_cstr(name), &t, &err), 0);
    return t;
}

static void assert_column(struct arena *a, const struct connector_table *t, size_t i, const char *name,
                          const char *type)
{
    struct str found = type_name(a, t->columns[i].type);

    assert_true(str_eq_cstr(t->columns[i].name, name));
    assert_true(str_eq_cstr(found, type));
}

static void columns_are_trinos(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct connector_table *t = get(&a, tpch, "tiny", "lineitem");

    (void)state;
    assert_non_null(t);
    assert_int_equal(t->column_count, 16);
    assert_column(&a, t, 0, "orderkey", "bigint");
    assert_column(&a, t, 3, "linenumber", "integer");
    assert_column(&a, t, 5, "extendedprice", "double");
    assert_column(&a, t, 15, "comment", "varchar(44)");
    assert_true(t->columns[0].not_null);
    t = get(&a, standard, "tiny", "lineitem");
    assert_column(&a, t, 5, "l_extendedprice", "decimal(12,2)");
    t = get(&a, tpcds, "sf1", "item");
    assert_int_equal(t->column_count, 22);
    assert_column(&a, t, 1, "i_item_id", "char(16)");
    assert_column(&a, t, 5, "i_current_price", "decimal(7,2)");
    assert_false(t->columns[0].not_null);
}

static void any_scale_is_a_schema_and_nothing_else(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;

    (void)state;
    assert_non_null(get(&a, tpch, "sf10", "nation"));
    assert_non_null(get(&a, tpch, "sf0.5", "nation"));
    assert_null(get(&a, tpch, "sf", "nation"));
    assert_null(get(&a, tpch, "sf-1", "nation"));
    assert_null(get(&a, tpch, "huge", "nation"));
    assert_null(get(&a, tpch, "tiny", "nations"));
}

static int64_t count_where(struct connector *c, const char *table, size_t column, const char *condition)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct connector_table *t = get(&a, c, "tiny", table);
    const int id = 7;
    struct connector_scan scan = {.table = t, .table_columns = &column, .ids = &id, .column_count = 1};
    struct connector_scan_plan plan;
    struct engine_conn *conn;
    struct engine_result *r;
    duckdb_data_chunk chunk;
    struct err err = {0};
    int64_t n = -1;

    if (c->ops->plan_scan(c, &a, &scan, &plan, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(engine_acquire(engine, &conn, &err), 0);
    if (engine_query(conn, arena_printf(&a, "SELECT count(*) FROM %.*s AS t WHERE %s", STR_ARG(plan.from), condition),
                     &r, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(engine_next(r, &chunk, &err), 1);
    n = *(int64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
    duckdb_destroy_data_chunk(&chunk);
    engine_result_free(r);
    engine_release(conn);
    return n;
}

static void *count_orders(void *p)
{
    *(int64_t *)p = count_where(tpch, "orders", 0, "true");
    return NULL;
}

static void tiny_has_trinos_rows_and_is_generated_once(void **state)
{
    int64_t counts[2] = {0, 0};
    pthread_t threads[2];

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_orders, &counts[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(counts[0], 15000);
    assert_int_equal(counts[1], 15000);
    assert_int_equal(count_where(tpch, "lineitem", 0, "true"), 60175);
    assert_int_equal(count_where(tpch, "customer", 1, "c7 = 'Customer#000000001'"), 1);
    assert_int_equal(count_where(tpch, "lineitem", 5, "c7 = 24710.35e0"), 2);
    assert_int_equal(count_where(standard, "lineitem", 5, "c7 = 24710.35::DECIMAL(12,2)"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_trinos),
        cmocka_unit_test(any_scale_is_a_schema_and_nothing_else),
        cmocka_unit_test(tiny_has_trinos_rows_and_is_generated_once),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
