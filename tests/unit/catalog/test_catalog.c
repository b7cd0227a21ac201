/* The JDBC catalog's layout and rules, over SQLite. PostgreSQL's turn is in tests/client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "catalog/catalog.h"
#include "os/file.h"

struct fixture {
    struct arena a;
    char folder[64];
    struct db *db;
    struct catalog *c;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct err err = {0};

    assert_non_null(f);
    snprintf(f->folder, sizeof(f->folder), "/tmp/dp-catalog-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    assert_int_equal(db_open_sqlite(arena_printf(&f->a, "%s/c.db", f->folder).p, &f->db, &err), 0);
    assert_int_equal(catalog_open(f->db, STR("iceberg"), &f->c, &err), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    catalog_close(f->c);
    db_close(f->db);
    assert_int_equal(file_remove_tree(f->folder, NULL), 0);
    arena_release(&f->a);
    free(f);
    return 0;
}

static struct str get(struct fixture *f, const char *sql)
{
    struct db_conn *conn;
    struct db_rows rows;

    assert_int_equal(db_acquire(f->db, &conn, NULL), 0);
    assert_int_equal(db_query(conn, &f->a, sql, NULL, 0, &rows, NULL), 0);
    db_release(conn);
    return rows.row_count ? db_at(&rows, 0, 0).text : STR_NULL;
}

static void run(struct fixture *f, const char *sql)
{
    struct db_conn *conn;

    assert_int_equal(db_acquire(f->db, &conn, NULL), 0);
    assert_int_equal(db_exec(conn, sql, NULL, 0, NULL, NULL), 0);
    db_release(conn);
}

static void assert_str(struct str s, const char *want)
{
    assert_true(str_eq_cstr(s, want));
}

static void test_opening_again_keeps_what_is_there(void **state)
{
    struct fixture *f = *state;
    struct catalog *again;
    struct str *names;
    size_t n;

    assert_int_equal(catalog_create_namespace(f->c, STR("a"), NULL, 0, NULL), 0);
    assert_int_equal(catalog_open(f->db, STR("iceberg"), &again, NULL), 0);
    assert_int_equal(catalog_list_namespaces(again, &f->a, &names, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_str(names[0], "a");
    catalog_close(again);
}

static void test_a_layout_of_v0_becomes_v1_and_its_tables_are_tables(void **state)
{
    struct fixture *f = *state;
    struct catalog *again;
    struct str location;

    run(f, "DROP TABLE iceberg_tables");
    run(f,
        "CREATE TABLE iceberg_tables(catalog_name VARCHAR(255) NOT NULL,table_namespace VARCHAR(255) NOT NULL,"
        "table_name VARCHAR(255) NOT NULL,metadata_location VARCHAR(1000),previous_metadata_location VARCHAR(1000))");
    run(f, "INSERT INTO iceberg_tables VALUES ('iceberg', 'a', 't', 's3://b/m.json', NULL)");
    assert_int_equal(catalog_open(f->db, STR("iceberg"), &again, NULL), 0);
    assert_int_equal(catalog_get_table(again, &f->a, STR("a"), STR("t"), &location, NULL), 0);
    assert_str(location, "s3://b/m.json");
    catalog_close(again);
}

static void test_a_namespace_is_marked_as_iceberg_core_marks_it(void **state)
{
    struct fixture *f = *state;
    const struct catalog_property location = {STR("location"), STR("s3://b/a")};
    struct catalog_property *properties;
    size_t n;
    bool exists;

    assert_int_equal(catalog_create_namespace(f->c, STR("a"), &location, 1, NULL), 0);
    assert_str(get(f, "SELECT property_value FROM iceberg_namespace_properties WHERE property_key = 'exists'"), "true");
    assert_int_equal(catalog_get_namespace(f->c, &f->a, STR("a"), &exists, &properties, &n, NULL), 0);
    assert_true(exists);
    assert_int_equal(n, 1);
    assert_str(properties[0].value, "s3://b/a");
}

static void test_a_namespace_is_made_once(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};

    assert_int_equal(catalog_create_namespace(f->c, STR("a"), NULL, 0, NULL), 0);
    assert_int_equal(catalog_create_namespace(f->c, STR("a"), NULL, 0, &err), ERR_EXISTS);
    assert_string_equal(err.name, "SCHEMA_ALREADY_EXISTS");
}

static void test_patterns_in_names_match_themselves_only(void **state)
{
    struct fixture *f = *state;
    struct catalog_property *properties;
    size_t n;
    bool exists;

    assert_int_equal(catalog_create_namespace(f->c, STR("axb.c"), NULL, 0, NULL), 0);
    assert_int_equal(catalog_get_namespace(f->c, &f->a, STR("a_b"), &exists, &properties, &n, NULL), 0);
    assert_false(exists);
    assert_int_equal(catalog_get_namespace(f->c, &f->a, STR("axb"), &exists, &properties, &n, NULL), 0);
    assert_true(exists);
}

static void test_a_namespace_with_tables_is_not_dropped(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};

    assert_int_equal(catalog_create_namespace(f->c, STR("a"), NULL, 0, NULL), 0);
    struct iceberg_pointer *p = catalog_pointer(f->c, &f->a, STR("a"), STR("t"));
    assert_int_equal(p->swap(p->ctx, STR_NULL, STR("s3://b/0.json"), NULL), 0);
    assert_int_equal(catalog_drop_namespace(f->c, STR("a"), &err), ERR_CONFLICT);
    assert_string_equal(err.name, "SCHEMA_NOT_EMPTY");
    assert_int_equal(catalog_drop_table(f->c, STR("a"), STR("t"), NULL), 0);
    assert_int_equal(catalog_drop_namespace(f->c, STR("a"), NULL), 0);
    assert_int_equal(catalog_drop_namespace(f->c, STR("a"), &err), ERR_NOT_FOUND);
}

static void test_a_commit_needs_the_location_that_it_started_from(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct str location;

    assert_int_equal(catalog_create_namespace(f->c, STR("a"), NULL, 0, NULL), 0);
    struct iceberg_pointer *p = catalog_pointer(f->c, &f->a, STR("a"), STR("t"));
    assert_int_equal(p->load(p->ctx, &f->a, &location, NULL), ERR_NOT_FOUND);
    assert_int_equal(p->swap(p->ctx, STR_NULL, STR("s3://b/0.json"), NULL), 0);
    assert_int_equal(p->swap(p->ctx, STR_NULL, STR("s3://b/x.json"), &err), ERR_EXISTS);
    assert_int_equal(p->swap(p->ctx, STR("s3://b/0.json"), STR("s3://b/1.json"), NULL), 0);
    assert_int_equal(p->swap(p->ctx, STR("s3://b/0.json"), STR("s3://b/2.json"), &err), ERR_CONFLICT);
    assert_int_equal(p->load(p->ctx, &f->a, &location, NULL), 0);
    assert_str(location, "s3://b/1.json");
    assert_str(get(f, "SELECT previous_metadata_location FROM iceberg_tables"), "s3://b/0.json");
    assert_str(get(f, "SELECT iceberg_type FROM iceberg_tables"), "TABLE");
}

static void test_a_table_needs_its_namespace(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct iceberg_pointer *p = catalog_pointer(f->c, &f->a, STR("nope"), STR("t"));

    assert_int_equal(p->swap(p->ctx, STR_NULL, STR("s3://b/0.json"), &err), ERR_NOT_FOUND);
    assert_string_equal(err.name, "SCHEMA_NOT_FOUND");
}

static void test_renaming_refuses_a_name_that_is_taken(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct str *names;
    size_t n;

    assert_int_equal(catalog_create_namespace(f->c, STR("a"), NULL, 0, NULL), 0);
    for (int i = 0; i < 2; i++) {
        struct iceberg_pointer *p = catalog_pointer(f->c, &f->a, STR("a"), i ? STR("t") : STR("u"));
        assert_int_equal(p->swap(p->ctx, STR_NULL, STR("s3://b/0.json"), NULL), 0);
    }
    assert_int_equal(catalog_rename_table(f->c, STR("a"), STR("t"), STR("a"), STR("u"), &err), ERR_EXISTS);
    assert_int_equal(catalog_rename_table(f->c, STR("a"), STR("t"), STR("a"), STR("v"), NULL), 0);
    assert_int_equal(catalog_list_tables(f->c, &f->a, STR("a"), &names, &n, NULL), 0);
    assert_int_equal(n, 2);
    assert_str(names[1], "v");
}

static void test_names_and_locations_that_the_layout_cannot_hold_are_refused(void **state)
{
    struct fixture *f = *state;
    char long_text[1200];

    memset(long_text, 'x', sizeof(long_text));
    assert_int_equal(catalog_create_namespace(f->c, (struct str){long_text, 256}, NULL, 0, NULL), ERR_INVALID);
    assert_int_equal(catalog_create_namespace(f->c, STR(""), NULL, 0, NULL), ERR_INVALID);
    assert_int_equal(catalog_create_namespace(f->c, STR("a"), NULL, 0, NULL), 0);
    struct iceberg_pointer *p = catalog_pointer(f->c, &f->a, STR("a"), STR("t"));
    assert_int_equal(p->swap(p->ctx, STR_NULL, (struct str){long_text, 1001}, NULL), ERR_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_opening_again_keeps_what_is_there),
        TEST(test_a_layout_of_v0_becomes_v1_and_its_tables_are_tables),
        TEST(test_a_namespace_is_marked_as_iceberg_core_marks_it),
        TEST(test_a_namespace_is_made_once),
        TEST(test_patterns_in_names_match_themselves_only),
        TEST(test_a_namespace_with_tables_is_not_dropped),
        TEST(test_a_commit_needs_the_location_that_it_started_from),
        TEST(test_a_table_needs_its_namespace),
        TEST(test_renaming_refuses_a_name_that_is_taken),
        TEST(test_names_and_locations_that_the_layout_cannot_hold_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
