/* The engine: streaming, interruption, the memory limit, program-made rows, errors by Trino's names. */
#include "base/clock.h"
#include "engine/engine.h"
#include "os/file.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct engine *engine;
static char temp_dir[] = "test_engine_XXXXXX";

static int setup(void **state)
{
    struct engine_options o = {.memory_limit = 256 << 20, .threads = 2};
    struct err err = {0};

    (void)state;
    if (!mkdtemp(temp_dir))
        return -1;
    o.temp_dir = str_from_cstr(temp_dir);
    if (engine_open(&o, &engine, &err) < 0) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    engine_close(engine);
    rmdir(temp_dir);
    return 0;
}

/* Runs a query of one bigint row and column. */
static int run(struct engine_conn *c, const char *sql, int64_t *ret, struct err *err)
{
    struct engine_result *r;
    duckdb_data_chunk chunk;
    int rc = engine_query(c, str_from_cstr(sql), &r, err);

    if (rc < 0) {
        return rc;
    }
    rc = engine_next(r, &chunk, err);
    if (rc == 1) {
        *ret = *(int64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
        duckdb_destroy_data_chunk(&chunk);
    }
    engine_result_free(r);
    return rc;
}

static struct engine_conn *acquire(void)
{
    struct engine_conn *c;
    struct err err = {0};

    assert_int_equal(engine_acquire(engine, &c, &err), 0);
    return c;
}

static void a_value_comes_back(void **state)
{
    struct engine_conn *c = acquire();
    struct err err = {0};
    int64_t v = 0;

    (void)state;
    assert_int_equal(run(c, "SELECT 42::BIGINT AS c1", &v, &err), 1);
    assert_int_equal(v, 42);
    engine_release(c);
}

static void a_select_takes_well_under_a_millisecond(void **state)
{
    struct engine_conn *c = acquire();
    struct err err = {0};
    int64_t v, started;

    (void)state;
    assert_int_equal(run(c, "SELECT 1::BIGINT", &v, &err), 1);
    started = clock_mono_us();
    for (int i = 0; i < 100; i++)
        assert_int_equal(run(c, "SELECT 1::BIGINT", &v, &err), 1);
    /* Generous: sanitizers and a loaded machine; it is about 0.1 ms without. */
    print_message("SELECT 1: %d us\n", (int)((clock_mono_us() - started) / 100));
    assert_true((clock_mono_us() - started) / 100 < 10000);
    engine_release(c);
}

static void expect_error(const char *sql, int code, const char *name, const char *message)
{
    struct engine_conn *c = acquire();
    struct err err = {0};
    int64_t v;

    assert_int_equal(run(c, sql, &v, &err), code);
    assert_string_equal(err.name, name);
    if (message)
        assert_string_equal(err.message, message);
    engine_release(c);
}

static void arithmetic_errors_have_trinos_names_and_texts(void **state)
{
    (void)state;
    expect_error("SELECT x + 1 FROM (VALUES (9223372036854775807)) t(x)", ERR_INVALID, "NUMERIC_VALUE_OUT_OF_RANGE",
                 "bigint addition overflow: 9223372036854775807 + 1");
    expect_error("SELECT x * 2::INTEGER FROM (VALUES (2147483647)) t(x)", ERR_INVALID, "NUMERIC_VALUE_OUT_OF_RANGE",
                 "integer multiplication overflow: 2147483647 * 2");
    expect_error("SELECT dp_divide(x, 0::BIGINT) FROM (VALUES (1::BIGINT)) t(x)", ERR_INVALID, "DIVISION_BY_ZERO",
                 "Division by zero");
    expect_error("SELECT dp_divide((-2147483648)::INTEGER, (-1)::INTEGER)", ERR_INTERNAL, "GENERIC_INTERNAL_ERROR",
                 "Value 2147483648 exceeds MAX_INT for type integer");
    expect_error("SELECT x FROM nowhere", ERR_INTERNAL, "GENERIC_INTERNAL_ERROR", NULL);
}

static void decimal_division_is_exact_and_rounds_half_up(void **state)
{
    struct engine_conn *c = acquire();
    struct err err = {0};
    int64_t v;

    (void)state;
    assert_int_equal(run(c, "SELECT dp_decimal_divide(1.00::DECIMAL(5,2), 3.00::DECIMAL(5,2), 2)::BIGINT", &v, &err),
                     1);
    assert_int_equal(v, 33);
    assert_int_equal(run(c, "SELECT dp_decimal_divide(-2.00::DECIMAL(5,2), 3.00::DECIMAL(30,2), 2)::BIGINT", &v, &err),
                     1);
    assert_int_equal(v, -67);
    assert_int_equal(
        run(c, "SELECT dp_decimal_modulus(5.5::DECIMAL(2,1), -2.25::DECIMAL(3,2), 1, 0)::BIGINT", &v, &err), 1);
    assert_int_equal(v, 100);
    engine_release(c);
}

static void the_memory_limit_ends_the_query_not_the_server(void **state)
{
    (void)state;
    expect_error("SELECT len(list(i || repeat('x', 1000))) FROM range(5000000) t(i)", ERR_LIMIT,
                 "EXCEEDED_LOCAL_MEMORY_LIMIT", "Query exceeded per-node memory limit of 256MB");
    a_value_comes_back(state);
}

static void a_long_result_streams_in_little_memory(void **state)
{
    struct engine_conn *c = acquire();
    struct engine_result *r;
    duckdb_data_chunk chunk;
    struct err err = {0};
    uint64_t rows = 0, most = 0;
    int rc;

    (void)state;
    assert_int_equal(engine_query(c, STR("SELECT i, repeat('x', 100) FROM range(3000000) t(i)"), &r, &err), 0);
    while ((rc = engine_next(r, &chunk, &err)) == 1) {
        struct engine_memory memory;

        rows += duckdb_data_chunk_get_size(chunk);
        duckdb_destroy_data_chunk(&chunk);
        if (rows % 409600 == 0) {
            engine_memory(engine, &memory);
            if (memory.used > most)
                most = memory.used;
        }
    }
    assert_int_equal(rc, 0);
    assert_int_equal(rows, 3000000);
    assert_true(most < 64 << 20);
    engine_result_free(r);
    engine_release(c);
}

static void an_abandoned_result_leaves_the_connection_usable(void **state)
{
    struct engine_conn *c = acquire();
    struct engine_result *r;
    duckdb_data_chunk chunk;
    struct err err = {0};
    int64_t v;

    (void)state;
    assert_int_equal(engine_query(c, STR("SELECT i FROM range(100000000) t(i)"), &r, &err), 0);
    assert_int_equal(engine_next(r, &chunk, &err), 1);
    duckdb_destroy_data_chunk(&chunk);
    engine_result_free(r);
    assert_int_equal(run(c, "SELECT 7::BIGINT", &v, &err), 1);
    assert_int_equal(v, 7);
    engine_release(c);
}

static void *interrupt_soon(void *p)
{
    usleep(100000);
    engine_interrupt(p);
    return NULL;
}

static void an_interrupt_ends_a_running_query(void **state)
{
    struct engine_conn *c = acquire();
    struct err err = {0};
    pthread_t thread;
    int64_t v;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, c), 0);
    assert_int_equal(
        run(c, "SELECT sum(hash(a.i, b.i))::BIGINT FROM range(10000000) a(i), range(10000000) b(i)", &v, &err),
        ERR_CANCELLED);
    pthread_join(thread, NULL);
    assert_int_equal(run(c, "SELECT 1::BIGINT", &v, &err), ERR_CANCELLED); /* until it is released */
    engine_release(c);
    a_value_comes_back(state);
}

static void settings_of_a_statement_do_not_reach_the_next(void **state)
{
    struct engine_conn *c = acquire();
    struct err err = {0};
    int64_t v;

    (void)state;
    assert_int_equal(engine_exec(c, STR("SET TimeZone = 'Asia/Tokyo'"), &err), 0);
    engine_release(c);
    c = acquire();
    assert_int_equal(run(c, "SELECT (current_setting('TimeZone') = 'UTC')::BIGINT", &v, &err), 1);
    assert_int_equal(v, 1);
    engine_release(c);
}

enum { MANY = 100000 };

static void program_made_rows_are_a_table(void **state)
{
    struct engine_conn *c = acquire();
    ARENA_SCOPED struct arena a = ARENA_INIT;
    const struct type *types[] = {&type_bigint, &type_varchar, type_decimal(&a, 20, 2)};
    const int ids[] = {4, 5, 6};
    struct connector_rows rows = {.types = types, .column_count = 3, .row_count = MANY};
    struct err err = {0};
    struct str from, sql;
    int64_t v;

    (void)state;
    rows.rows = arena_array(&a, struct constant *, MANY);
    for (int i = 0; i < MANY; i++) {
        rows.rows[i] = arena_array(&a, struct constant, 3);
        rows.rows[i][0].i = i;
        rows.rows[i][1].is_null = i % 2 == 1;
        rows.rows[i][1].text = STR("a text that is longer than twelve bytes");
        rows.rows[i][2].text = STR("-150");
    }
    assert_int_equal(engine_add_rows(c, &a, &rows, ids, &from, &err), 0);
    sql = arena_printf(&a, "SELECT (sum(c4) + count(c5))::BIGINT FROM %.*s", STR_ARG(from));
    assert_int_equal(run(c, sql.p, &v, &err), 1);
    assert_int_equal(v, (int64_t)MANY * (MANY - 1) / 2 + MANY / 2);
    sql = arena_printf(&a, "SELECT count(*) FROM %.*s WHERE c6 = -1.5", STR_ARG(from));
    assert_int_equal(run(c, sql.p, &v, &err), 1);
    assert_int_equal(v, MANY);
    sql = arena_printf(&a, "SELECT count(*) FROM %.*s", STR_ARG(from));
    assert_int_equal(run(c, sql.p, &v, &err), 1);
    assert_int_equal(v, MANY);
    engine_release(c);
    c = acquire();
    assert_int_equal(run(c, sql.p, &v, &err), ERR_INTERNAL); /* gone with the connection's use */
    engine_release(c);
}

static void program_made_rows_have_arrays(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    static const struct constant words[] = {{.text = {"one", 3}}, {.is_null = true}, {.text = {"three", 5}}};
    const struct type array = {.kind = TYPE_ARRAY, .element = &type_varchar};
    const struct type *types[] = {&array};
    struct constant lists[] = {
        {.items = words, .item_count = 3}, {.is_null = true}, {.item_count = 0}, {.items = words, .item_count = 1}};
    struct constant *rows[] = {&lists[0], &lists[1], &lists[2], &lists[3]};
    const struct connector_rows source = {.types = types, .column_count = 1, .rows = rows, .row_count = 4};
    const int ids[] = {1};
    struct engine_conn *c = acquire();
    struct str from, sql;
    struct err err = {0};
    int64_t v = 0;

    (void)state;
    assert_int_equal(engine_add_rows(c, &a, &source, ids, &from, &err), 0);
    sql = arena_printf(&a,
                       "SELECT count(*) FROM %.*s WHERE c1 IS NULL OR c1 = ['one', NULL, 'three'] OR c1 = [] "
                       "OR c1 = ['one']",
                       STR_ARG(from));
    assert_int_equal(run(c, sql.p, &v, &err), 1);
    assert_int_equal(v, 4);
    sql = arena_printf(&a, "SELECT sum(len(c1))::BIGINT FROM %.*s", STR_ARG(from));
    assert_int_equal(run(c, sql.p, &v, &err), 1);
    assert_int_equal(v, 4);
    engine_release(c);
}

static void the_folder_for_spilling_is_private(void **state)
{
    struct engine_options o = {.memory_limit = 64 << 20, .threads = 1};
    struct engine *e;
    struct err err = {0};
    struct stat st;
    char dir[64];

    (void)state;
    snprintf(dir, sizeof(dir), "%s/spill", temp_dir);
    o.temp_dir = str_from_cstr(dir);
    assert_int_equal(engine_open(&o, &e, &err), 0);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    engine_close(e);
    rmdir(dir);
}

static void put_text(const char *folder, const char *name)
{
    char path[200];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("a secret\n", f);
    fclose(f);
}

/* Runs a statement to its end on a connection of its own; every @ in it is the folder. */
static int run_in(struct engine *e, const char *sql, const char *folder)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct engine_result *r;
    struct engine_conn *c;
    duckdb_data_chunk chunk;
    struct str rest = str_from_cstr(sql), part, text = STR("");

    for (bool first = true; str_split(&rest, '@', &part); first = false)
        text = arena_printf(&a, "%.*s%s%.*s", STR_ARG(text), first ? "" : folder, STR_ARG(part));
    assert_int_equal(engine_acquire(e, &c, NULL), 0);
    int rc = engine_query(c, text, &r, NULL);
    if (rc == 0) {
        while ((rc = engine_next(r, &chunk, NULL)) == 1)
            duckdb_destroy_data_chunk(&chunk);
        engine_result_free(r);
    }
    engine_release(c);
    return rc;
}

static void a_locked_engine_reaches_its_folders_only(void **state)
{
    static const char *const refused[] = {
        "SELECT count(*) FROM read_text('@/out')",
        "SELECT count(*) FROM read_text('@/in/../out')",
        "SELECT count(*) FROM read_text('@/inner')",
        "SELECT count(*) FROM read_csv('@/out.csv')",
        "SELECT count(*) FROM '@/out.csv'",
        "SELECT count(*) FROM glob('@/*')",
        "SELECT count(*) FROM read_text('/proc/self/environ')",
        "SELECT count(*) FROM read_csv('https://localhost/x')",
        "COPY (SELECT 1 AS a) TO '@/made.csv'",
        "COPY (SELECT 1 AS a) TO '@/in/../made.csv'",
        "ATTACH '@/made.db' AS made",
        "LOAD '@/out.duckdb_extension'",
        "INSTALL tpcds FROM '@'",
        "SET enable_external_access = true",
        "RESET enable_external_access",
        "SET allowed_directories = ['/']",
        "SET allowed_paths = ['@/out']",
        "SET GLOBAL threads = 1",
        "PRAGMA threads = 1",
    };
    struct engine_options o = {.memory_limit = 64 << 20, .threads = 1};
    ARENA_SCOPED struct arena a = ARENA_INIT;
    const char *folder = arena_printf(&a, "%s/locked", temp_dir).p;
    const struct str allowed = arena_printf(&a, "%s/in/", folder);
    struct engine *locked, *beside;
    struct err err = {0};

    (void)state;
    assert_int_equal(file_make_folders(allowed.p, 0700, &err), 0);
    put_text(folder, "out");
    put_text(folder, "out.csv");
    put_text(folder, "inner");
    put_text(folder, "in/file");
    o.temp_dir = arena_printf(&a, "%s/spill", folder);
    assert_int_equal(engine_open(&o, &locked, &err), 0);
    assert_int_equal(run_in(locked, refused[0], folder), 0);
    assert_int_equal(engine_lock(locked, &allowed, 1, &err), 0);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (run_in(locked, refused[i], folder) == 0)
            fail_msg("not refused: %s", refused[i]);
    assert_int_equal(run_in(locked, "SELECT count(*) FROM read_text('@/in/file')", folder), 0);
    assert_int_equal(run_in(locked, "COPY (SELECT 1 AS a) TO '@/in/made.parquet' (FORMAT parquet)", folder), 0);
    assert_int_equal(run_in(locked, "SELECT count(DISTINCT i || repeat('x', 50)) FROM range(2000000) t(i)", folder), 0);

    assert_int_equal(engine_open_beside(locked, &beside, &err), 0);
    assert_int_equal(run_in(beside, refused[0], folder), 0);
    assert_true(run_in(locked, refused[0], folder) < 0);
    engine_close(beside);
    engine_close(locked);
    assert_int_equal(file_remove_tree(folder, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_comes_back),
        cmocka_unit_test(a_select_takes_well_under_a_millisecond),
        cmocka_unit_test(arithmetic_errors_have_trinos_names_and_texts),
        cmocka_unit_test(decimal_division_is_exact_and_rounds_half_up),
        cmocka_unit_test(the_memory_limit_ends_the_query_not_the_server),
        cmocka_unit_test(a_long_result_streams_in_little_memory),
        cmocka_unit_test(an_abandoned_result_leaves_the_connection_usable),
        cmocka_unit_test(an_interrupt_ends_a_running_query),
        cmocka_unit_test(settings_of_a_statement_do_not_reach_the_next),
        cmocka_unit_test(program_made_rows_are_a_table),
        cmocka_unit_test(program_made_rows_have_arrays),
        cmocka_unit_test(the_folder_for_spilling_is_private),
        cmocka_unit_test(a_locked_engine_reaches_its_folders_only),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
