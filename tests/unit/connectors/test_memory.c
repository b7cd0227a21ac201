/* The catalog memory: what is created is there, what fails leaves nothing. */
#include "connectors/memory.h"
#include "os/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static char folder[] = "test_memory_XXXXXX";
static struct engine *engine;
static struct connector *memory;

static int setup(void **state)
{
    struct engine_options o = {.memory_limit = 128 << 20, .threads = 1};
    struct err err = {0};

    (void)state;
    if (!mkdtemp(folder))
        return -1;
    o.temp_dir = str_from_cstr(folder);
    return engine_open(&o, &engine, &err) < 0 || memory_connector_new(STR("memory"), engine, &memory, &err) < 0;
}

static int teardown(void **state)
{
    struct err err = {0};

    (void)state;
    memory->ops->close(memory);
    engine_close(engine);
    return file_remove_tree(folder, &err);
}

static struct statement ctas(struct arena *a, const char *name)
{
    struct statement s = {.kind = STATEMENT_CREATE_TABLE_AS,
                          .schema = STR("default"),
                          .table = str_from_cstr(name),
                          .column_count = 2,
                          .columns = arena_array(a, struct table_column_def, 2),
                          .with_data = true};

    s.columns[0] = (struct table_column_def){.name = STR("id"), .type = &type_bigint};
    s.columns[1] = (struct table_column_def){.name = STR("name"), .type = type_char(a, 5)};
    return s;
}

static const struct column source[] = {{.id = 3, .type = &type_bigint}, {.id = 4, .type = &type_varchar}};

/* Runs a write of `select`, which yields c3 and c4; with `is_aborted` it ends before finish. */
static int write_rows(const struct statement *s, const char *select, bool is_aborted, int64_t *ret_rows,
                      struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct connector_write_request r = {.statement = s, .columns = source, .column_count = 2};
    struct connector_write *w;
    struct engine_conn *c;
    struct engine_result *result;
    struct connector_written written = {0};
    struct str before, after;
    int rc = memory->ops->begin_write(memory, &a, &r, &w, &before, &after, err);

    if (rc < 0)
        return rc;
    assert_int_equal(engine_acquire(engine, &c, err), 0);
    rc = engine_query(c, arena_printf(&a, "%.*s%s%.*s", STR_ARG(before), select, STR_ARG(after)), &result, err);
    struct engine_result *owned = rc == 0 ? result : NULL;
    if (rc == 0 && !is_aborted) {
        rc = memory->ops->finish_write(memory, w, result, &written, err);
    } else {
        memory->ops->abort_write(memory, w);
        rc = -1;
    }
    engine_result_free(owned);
    *ret_rows = written.rows;
    engine_release(c);
    return rc;
}

static struct connector_table *get(struct arena *a, const char *name)
{
    struct connector_table *t = NULL;
    struct err err = {0};

    assert_int_equal(memory->ops->get_table(memory, a, STR("default"), str_from_cstr(name), &t, &err), 0);
    return t;
}

static int64_t count(const char *name)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct connector_scan scan = {.table = get(&a, name)};
    struct connector_scan_plan plan;
    struct engine_conn *c;
    struct engine_result *r;
    duckdb_data_chunk chunk;
    struct err err = {0};
    int64_t n;

    assert_int_equal(memory->ops->plan_scan(memory, &a, &scan, &plan, &err), 0);
    assert_int_equal(engine_acquire(engine, &c, &err), 0);
    assert_int_equal(engine_query(c, arena_printf(&a, "SELECT count(*) FROM %.*s AS t", STR_ARG(plan.from)), &r, &err),
                     0);
    assert_int_equal(engine_next(r, &chunk, &err), 1);
    n = *(int64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
    duckdb_destroy_data_chunk(&chunk);
    engine_result_free(r);
    engine_release(c);
    return n;
}

static void what_a_query_writes_is_a_table_with_its_types(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct statement s = ctas(&a, "people");
    struct connector_table *t;
    struct err err = {0};
    int64_t rows = 0;

    (void)state;
    assert_int_equal(write_rows(&s, "SELECT 1 AS c3, 'ann' AS c4 UNION ALL SELECT 2, 'bob'", false, &rows, &err), 0);
    assert_int_equal(rows, 2);
    assert_int_equal(count("people"), 2);
    t = get(&a, "people");
    assert_int_equal(t->columns[1].type->kind, TYPE_CHAR);
    assert_int_equal(t->columns[1].type->precision, 5);

    struct statement insert = {
        .kind = STATEMENT_INSERT, .target = t, .insert_columns = (size_t[]){0, 1}, .insert_count = 2};
    assert_int_equal(write_rows(&insert, "SELECT 3 AS c3, 'cid' AS c4", false, &rows, &err), 0);
    assert_int_equal(rows, 1);
    assert_int_equal(count("people"), 3);
    assert_int_equal(memory->ops->delete_all(memory, &a, t, &rows, &err), 0);
    assert_int_equal(rows, 3);
    assert_int_equal(count("people"), 0);
    s.kind = STATEMENT_DROP_TABLE;
    assert_int_equal(memory->ops->drop_table(memory, &a, &s, &err), 0);
    assert_null(get(&a, "people"));
}

static void a_failed_write_leaves_no_table(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct statement s = ctas(&a, "broken");
    struct err err = {0};
    int64_t rows;

    (void)state;
    assert_true(write_rows(&s, "SELECT error('no') AS c3, 'x' AS c4", false, &rows, &err) < 0);
    assert_null(get(&a, "broken"));
    assert_true(write_rows(&s, "SELECT 1 AS c3, 'x' AS c4", true, &rows, &err) < 0);
    assert_null(get(&a, "broken"));
}

static void names_are_checked(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct statement s = ctas(&a, "twice");
    struct err err = {0};

    (void)state;
    s.kind = STATEMENT_CREATE_TABLE;
    assert_int_equal(memory->ops->create_table(memory, &a, &s, &err), 0);
    assert_int_equal(memory->ops->create_table(memory, &a, &s, &err), ERR_EXISTS);
    s.new_schema = STR("elsewhere");
    s.new_table = STR("once");
    assert_int_equal(memory->ops->rename_table(memory, &a, &s, &err), ERR_NOT_FOUND);
    assert_string_equal(err.message, "Schema elsewhere not found");
    s.new_schema = STR("default");
    assert_int_equal(memory->ops->rename_table(memory, &a, &s, &err), 0);
    assert_non_null(get(&a, "once"));
    assert_null(get(&a, "twice"));
}

static void a_schema_goes_with_its_tables_only_by_cascade(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct statement s = ctas(&a, "inside");
    struct connector_table_name *names;
    struct err err = {0};
    size_t n;

    (void)state;
    s.schema = STR("other");
    assert_int_equal(memory->ops->create_schema(memory, &a, &s, &err), 0);
    assert_int_equal(memory->ops->create_schema(memory, &a, &s, &err), ERR_EXISTS);
    assert_int_equal(memory->ops->create_table(memory, &a, &s, &err), 0);
    assert_int_equal(memory->ops->drop_schema(memory, &a, &s, &err), ERR_CONFLICT);
    assert_string_equal(err.name, "SCHEMA_NOT_EMPTY");
    s.cascade = true;
    assert_int_equal(memory->ops->drop_schema(memory, &a, &s, &err), 0);
    assert_int_equal(memory->ops->list_tables(memory, &a, STR("other"), &names, &n, &err), 0);
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_query_writes_is_a_table_with_its_types),
        cmocka_unit_test(a_failed_write_leaves_no_table),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(a_schema_goes_with_its_tables_only_by_cascade),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
