/* The rows of the catalogs tpch and tpcds at the scale tiny, and their cache. Expected values are Trino 476's. */
#include "connectors/tpc.h"
#include "os/file.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

static char folder[] = "test_tpc_XXXXXX";
static struct engine *engine;
static struct connector *tpch, *tpch_standard, *tpcds;
static struct arena arena;

static int setup(void **state)
{
    const char *extensions = getenv("TEST_EXTENSIONS");
    struct engine_options o = {.memory_limit = 512 << 20, .threads = 2};
    struct err err = {0};

    (void)state;
    if (!mkdtemp(folder))
        return -1;
    o.temp_dir = arena_printf(&arena, "%s/spill", folder);
    o.extension_dir = str_from_cstr(extensions ? extensions : ".deps/duckdb/extensions");
    if (engine_open(&o, &engine, &err) < 0 ||
        tpch_connector_new(STR("tpch"), engine, folder, false, false, &tpch, &err) < 0 ||
        tpch_connector_new(STR("tpchstd"), engine, folder, true, true, &tpch_standard, &err) < 0 ||
        tpcds_connector_new(STR("tpcds"), engine, folder, &tpcds, &err) < 0) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tpch->ops->close(tpch);
    tpch_standard->ops->close(tpch_standard);
    tpcds->ops->close(tpcds);
    engine_close(engine);
    arena_release(&arena);
    return file_remove_tree(folder, NULL);
}

static struct connector_table *find(struct connector *c, const char *schema, const char *name)
{
    struct connector_table *t = NULL;
    struct err err = {0};

    assert_int_equal(c->ops->get_table(c, &arena, str_from_cstr(schema), str_from_cstr(name), &t, &err), 0);
    return t;
}

/* The FROM item of a scan over all columns as c0, c1, …, or over none. */
static struct str scan(struct connector *c, const char *schema, const char *name, bool is_whole)
{
    struct connector_table *t = find(c, schema, name);
    struct connector_scan_plan plan = {0};
    struct err err = {0};

    assert_non_null(t);
    size_t *columns = arena_array(&arena, size_t, t->column_count);
    int *ids = arena_array(&arena, int, t->column_count);
    for (size_t i = 0; i < t->column_count; i++) {
        columns[i] = i;
        ids[i] = (int)i;
    }
    const struct connector_scan s = {
        .table = t, .table_columns = columns, .ids = ids, .column_count = is_whole ? t->column_count : 0};
    if (c->ops->plan_scan(c, &arena, &s, &plan, &err) < 0)
        fail_msg("%s", err.message);
    return plan.from;
}

/* The text of a query's only value. */
static struct str value(struct str sql)
{
    struct engine_conn *conn;
    struct engine_result *r;
    struct err err = {0};
    duckdb_data_chunk chunk = NULL;

    assert_int_equal(engine_acquire(engine, &conn, &err), 0);
    if (engine_query(conn, sql, &r, &err) < 0 || engine_next(r, &chunk, &err) != 1)
        fail_msg("%.*s: %s", STR_ARG(sql), err.message);
    duckdb_string_t *text = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
    struct str ret = arena_str(&arena, str_from(duckdb_string_t_data(text), duckdb_string_t_length(*text)));
    duckdb_destroy_data_chunk(&chunk);
    engine_result_free(r);
    engine_release(conn);
    return ret;
}

static void assert_value(struct str from, const char *expression, const char *expected)
{
    struct str sql = arena_printf(&arena, "SELECT CAST(%s AS VARCHAR) FROM %.*s", expression, STR_ARG(from));
    struct str found = value(sql);

    if (!str_eq_cstr(found, expected))
        fail_msg("%s: expected %s, found %.*s", expression, expected, STR_ARG(found));
}

static void assert_count(struct connector *c, const char *table, const char *expected)
{
    struct str from = scan(c, "tiny", table, false);
    print_message("%s\n", table);
    assert_value(from, "count(*)", expected);
}

static void assert_column(struct connector *c, const char *table, size_t i, const char *name, const char *type)
{
    const struct connector_column *column = &find(c, "tiny", table)->columns[i];

    assert_true(str_eq_cstr(column->name, name));
    assert_true(str_eq_cstr(type_name(&arena, column->type), type));
}

static void test_schemas_are_tiny_and_any_scale(void **state)
{
    static const char *const there[] = {"tiny", "sf1", "sf7", "sf0.1", "sf1e1"};
    static const char *const missing[] = {"nope", "sf", "sf0", "sf-1", "sfnan", "sfinf", "sf1x", "TINY", ""};

    (void)state;
    for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
        assert_true(tpch->ops->has_schema(tpch, str_from_cstr(there[i])));
        assert_non_null(find(tpch, there[i], "nation"));
    }
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        assert_false(tpch->ops->has_schema(tpch, str_from_cstr(missing[i])));
        assert_null(find(tpch, missing[i], "nation"));
    }
    assert_null(find(tpch, "tiny", "nope"));
}

static void test_lists_show_trinos_schemas_and_tables(void **state)
{
    struct connector_table_name *tables;
    struct str *schemas;
    struct err err = {0};
    size_t n;

    (void)state;
    assert_int_equal(tpch->ops->list_schemas(tpch, &arena, &schemas, &n, &err), 0);
    assert_int_equal(n, 9);
    assert_int_equal(tpcds->ops->list_schemas(tpcds, &arena, &schemas, &n, &err), 0);
    assert_int_equal(n, 10);
    assert_int_equal(tpch->ops->list_tables(tpch, &arena, STR("sf7"), &tables, &n, &err), 0);
    assert_int_equal(n, 8);
    assert_int_equal(tpch->ops->list_tables(tpch, &arena, STR("nope"), &tables, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_int_equal(tpcds->ops->list_tables(tpcds, &arena, STR_NULL, &tables, &n, &err), 0);
    assert_int_equal(n, 250);
}

static void test_columns_follow_the_catalogs_naming_and_types(void **state)
{
    (void)state;
    assert_column(tpch, "lineitem", 5, "extendedprice", "double");
    assert_column(tpch_standard, "lineitem", 5, "l_extendedprice", "decimal(12,2)");
    assert_column(tpcds, "store", 28, "s_tax_precentage", "decimal(5,2)");
    assert_true(find(tpch, "tiny", "nation")->columns[0].not_null);
    assert_false(find(tpcds, "tiny", "item")->columns[0].not_null);
}

static void *scan_in_thread(void *ctx)
{
    struct connector *c = ctx;
    struct arena a = ARENA_INIT;
    struct connector_table *t;
    struct connector_scan_plan plan = {0};
    int rc = c->ops->get_table(c, &a, STR("tiny"), STR("nation"), &t, NULL);
    const struct connector_scan s = {.table = t};

    if (rc == 0)
        rc = c->ops->plan_scan(c, &a, &s, &plan, NULL);
    arena_release(&a);
    return rc == 0 ? NULL : ctx;
}

static void test_threads_that_need_a_scale_get_it_from_one_generation(void **state)
{
    struct connector *connectors[] = {tpch, tpch_standard, tpch};
    pthread_t threads[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, scan_in_thread, connectors[i]), 0);
    for (size_t i = 0; i < 3; i++) {
        void *failed;

        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_true(file_exists(arena_printf(&arena, "%s/tpch/sf0.01/lineitem.parquet", folder).p));
    assert_false(file_exists(arena_printf(&arena, "%s/tpch/new", folder).p));
}

static void test_tpch_tiny_has_trinos_rows(void **state)
{
    (void)state;
    assert_count(tpch, "customer", "1500");
    assert_count(tpch, "lineitem", "60175");
    assert_count(tpch, "nation", "25");
    assert_count(tpch, "orders", "15000");
    assert_count(tpch, "part", "2000");
    assert_count(tpch, "partsupp", "8000");
    assert_count(tpch, "region", "5");
    assert_count(tpch, "supplier", "100");
    assert_value(scan(tpch, "tiny", "lineitem", true), "max(c5) FILTER (c0 = 1 AND c3 = 2)", "56688.12");
    assert_value(scan(tpch_standard, "tiny", "lineitem", true), "typeof(any_value(c5))", "DECIMAL(12,2)");
    assert_value(scan(tpch, "tiny", "customer", true), "max(c4) FILTER (c0 = 2)", "23-768-687-3665");
    assert_value(scan(tpch, "tiny", "customer", true), "max(c2) FILTER (c0 = 2)", "XSTf4,NCwDVaWNe6tEgvwfmRchLXak");
    assert_value(scan(tpch, "tiny", "supplier", true), "max(c2) FILTER (c0 = 1)",
                 " N kD4on9OM Ipw3,gf0JBoQDd7tgrzrddZ");
}

/* Sums of what was compared with Trino's tables, row by row. */
static void test_tpch_tiny_is_what_it_was(void **state)
{
    static const struct {
        const char *table, *sum;
    } sums[] = {
        {"customer", "12589054200228787081"}, {"lineitem", "17486905268370814421"},
        {"nation", "1821791689507072013"},    {"orders", "4135104431974729349"},
        {"part", "6108361072370651522"},      {"partsupp", "14101951717482786727"},
        {"region", "310702572040387369"},     {"supplier", "7859499368542926635"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
        assert_value(scan(tpch, "tiny", sums[i].table, true), "bit_xor(md5_number_lower(concat_ws('|', *COLUMNS(*))))",
                     sums[i].sum);
}

static void test_a_scale_above_the_generators_is_refused(void **state)
{
    struct connector_table *t = find(tpch, "sf30000", "lineitem");
    const struct connector_scan s = {.table = t};
    struct connector_scan_plan plan = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(tpch->ops->plan_scan(tpch, &arena, &s, &plan, &err), ERR_UNSUPPORTED);
}

static void test_tpcds_tiny_has_the_rows_that_are_documented(void **state)
{
    (void)state;
    assert_count(tpcds, "item", "2000");
    assert_count(tpcds, "inventory", "261261");
    assert_count(tpcds, "warehouse", "1");
    assert_count(tpcds, "date_dim", "73049");
    assert_count(tpcds, "customer", "1000");
    assert_count(tpcds, "customer_address", "1000");
    assert_count(tpcds, "customer_demographics", "1920800");
    assert_value(scan(tpcds, "tiny", "item", true), "max(c5) FILTER (c0 = 3)", "7.11");
    assert_value(scan(tpcds, "tiny", "warehouse", true), "max(c2)", "Conventional childr");
    assert_value(scan(tpcds, "tiny", "dbgen_version", true), "max(c0)", "2.0.0");
}

static void test_a_scale_that_does_not_fit_the_disk_is_refused(void **state)
{
    struct connector_table *t = find(tpch, "sf10000", "lineitem");
    const struct connector_scan s = {.table = t};
    struct connector_scan_plan plan = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(tpch->ops->plan_scan(tpch, &arena, &s, &plan, &err), ERR_NO_SPACE);
    assert_false(file_exists(arena_printf(&arena, "%s/tpch/new", folder).p));
}

static void test_what_a_killed_generation_left_is_neither_used_nor_in_the_way(void **state)
{
    struct err err = {0};
    struct str left = arena_printf(&arena, "%s/tpch/new", folder);

    (void)state;
    assert_int_equal(file_remove_tree(arena_printf(&arena, "%s/tpch/sf0.01", folder).p, &err), 0);
    assert_int_equal(file_make_folders(left.p, 0700, &err), 0);
    assert_int_equal(file_write_atomic(arena_printf(&arena, "%s/nation.parquet", left.p).p, STR("half"), 0600, &err),
                     0);
    assert_count(tpch, "nation", "25");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schemas_are_tiny_and_any_scale),
        cmocka_unit_test(test_lists_show_trinos_schemas_and_tables),
        cmocka_unit_test(test_columns_follow_the_catalogs_naming_and_types),
        cmocka_unit_test(test_threads_that_need_a_scale_get_it_from_one_generation),
        cmocka_unit_test(test_tpch_tiny_has_trinos_rows),
        cmocka_unit_test(test_tpch_tiny_is_what_it_was),
        cmocka_unit_test(test_a_scale_above_the_generators_is_refused),
        cmocka_unit_test(test_tpcds_tiny_has_the_rows_that_are_documented),
        cmocka_unit_test(test_a_scale_that_does_not_fit_the_disk_is_refused),
        cmocka_unit_test(test_what_a_killed_generation_left_is_neither_used_nor_in_the_way),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
