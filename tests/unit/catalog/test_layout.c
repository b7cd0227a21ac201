/* The JDBC catalog's layout and rules, on both backends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/vec.h"
#include "catalog/catalog.h"
#include "../db/backends.h"

#include <pthread.h>
#include <unistd.h>

static const char *oracle_sql; /* the statements of real iceberg-core */

struct fixture {
    struct backend at;
    struct catalog *catalog;
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
    struct db_conn *conn;

    must(f, db_acquire(f->at.db, &conn, &f->err));
    must(f, db_exec(conn, sql, NULL, 0, NULL, &f->err));
    db_release(conn);
}

/* All rows as text: columns by '|', rows by '\n', nulls as "-". */
static const char *rows(struct fixture *f, const char *sql)
{
    struct db_conn *conn;
    struct db_rows r;
    struct buf b;

    must(f, db_acquire(f->at.db, &conn, &f->err));
    must(f, db_query(conn, &f->arena, sql, NULL, 0, &r, &f->err));
    db_release(conn);
    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < r.row_count; i++)
        for (size_t k = 0; k < r.column_count; k++) {
            struct db_value v = db_at(&r, i, k);
            if (v.type == DB_INT)
                buf_add_i64(&b, v.i);
            else
                buf_add_str(&b, v.type == DB_NULL ? STR("-") : v.text);
            buf_add_char(&b, k + 1 == r.column_count ? '\n' : '|');
        }
    const char *text = arena_cstr(&f->arena, buf_str(&b));
    buf_release(&b);
    return text;
}

static int set_up(struct fixture **ret, const char *conninfo)
{
    struct fixture *f = calloc(1, sizeof(*f));

    must(f, backend_open(&f->at, conninfo, &f->err));
    exec(f, "DROP TABLE IF EXISTS iceberg_tables");
    exec(f, "DROP TABLE IF EXISTS iceberg_namespace_properties");
    must(f, catalog_open(f->at.db, STR("iceberg"), STR("lake"), &f->catalog, &f->err));
    must(f, catalog_create_namespace(f->catalog, STR("a"), NULL, 0, &f->err));
    *ret = f;
    return 0;
}

SET_UP_ON_SQLITE
SET_UP_ON_SERVER(postgres, "PG_CONNINFO")

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (!f)
        return 0;
    catalog_close(f->catalog);
    backend_close(&f->at);
    arena_release(&f->arena);
    free(f);
    return 0;
}

static const char *join(struct fixture *f, const struct str *list, size_t n)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_add_char(&b, ' ');
        buf_add_str(&b, list[i]);
    }
    const char *text = arena_cstr(&f->arena, buf_str(&b));
    buf_release(&b);
    return text;
}

static const char *namespaces(struct fixture *f)
{
    struct str *list;
    size_t n;

    must(f, catalog_list_namespaces(f->catalog, &f->arena, &list, &n, &f->err));
    return join(f, list, n);
}

static const char *tables(struct fixture *f, const char *ns)
{
    struct str *list;
    size_t n;

    must(f, catalog_list_tables(f->catalog, &f->arena, str_from_cstr(ns), &list, &n, &f->err));
    return join(f, list, n);
}

static void create(struct fixture *f, const char *ns, const char *table, const char *location)
{
    struct iceberg_pointer *p = catalog_pointer(f->catalog, &f->arena, str_from_cstr(ns), str_from_cstr(table));

    must(f, p->swap(p->ctx, STR_NULL, str_from_cstr(location), &f->err));
}

static void assert_error(struct fixture *f, int rc, int code, const char *name)
{
    assert_int_equal(rc, code);
    assert_string_equal(f->err.name ? f->err.name : "", name);
    f->err = (struct err){0};
}

/* What a client of the database sees of the tables' making. */
static const char *layout(struct fixture *f)
{
    if (f->at.conninfo)
        return rows(f, "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable FROM "
                       "information_schema.columns WHERE table_name LIKE 'iceberg%' ORDER BY table_name, "
                       "ordinal_position");
    return rows(f,
                "SELECT m.name, c.name, c.type, c.pk, c.\"notnull\" FROM sqlite_schema m, pragma_table_info(m.name) c "
                "WHERE m.type = 'table' ORDER BY m.name, c.cid");
}

static void the_layout_is_iceberg_cores(void **state)
{
    FIXTURE
    const char *ours = layout(f);
    char text[4096];
    FILE *file = fopen(oracle_sql, "r");

    assert_non_null(file);
    exec(f, "DROP TABLE iceberg_tables");
    exec(f, "DROP TABLE iceberg_namespace_properties");
    while (fgets(text, sizeof(text), file))
        if (text[0] != '-' && text[0] != '\n') {
            text[strcspn(text, ";\n")] = '\0';
            exec(f, text);
        }
    (void)fclose(file);
    assert_string_equal(ours, layout(f));
}

static void opening_again_keeps_what_is_there(void **state)
{
    FIXTURE
    struct catalog *again;

    create(f, "a", "t", "s3://b/1");
    must(f, catalog_open(f->at.db, STR("iceberg"), STR("lake"), &again, &f->err));
    catalog_close(again);
    assert_string_equal(tables(f, "a"), "t");
}

static void a_v0_catalog_gets_its_column_and_its_tables_are_listed(void **state)
{
    FIXTURE
    struct catalog *v1;

    exec(f, "DROP TABLE iceberg_tables");
    exec(f, "CREATE TABLE iceberg_tables(catalog_name VARCHAR(255) NOT NULL,table_namespace VARCHAR(255) NOT NULL,"
            "table_name VARCHAR(255) NOT NULL,metadata_location VARCHAR(1000),previous_metadata_location VARCHAR(1000),"
            "PRIMARY KEY (catalog_name, table_namespace, table_name))");
    exec(f, "INSERT INTO iceberg_tables VALUES ('iceberg', 'old', 't', 's3://b/1', NULL)");
    must(f, catalog_open(f->at.db, STR("iceberg"), STR("lake"), &v1, &f->err));
    catalog_close(v1);
    assert_string_equal(tables(f, "old"), "t");
    assert_string_equal(rows(f, "SELECT * FROM iceberg_tables"), "iceberg|old|t|s3://b/1|-|-\n");
    struct iceberg_pointer *p = catalog_pointer(f->catalog, &f->arena, STR("old"), STR("t"));
    must(f, p->swap(p->ctx, STR("s3://b/1"), STR("s3://b/2"), &f->err));
}

static void a_namespace_has_its_properties_and_exists(void **state)
{
    FIXTURE
    struct catalog_property in[] = {{STR("location"), STR("s3://trino-data/x")}, {STR("comment"), STR("it's")}};
    struct catalog_property *out;
    size_t n;
    bool exists;

    must(f, catalog_create_namespace(f->catalog, STR("x"), in, 2, &f->err));
    must(f, catalog_create_namespace(f->catalog, STR("bare"), NULL, 0, &f->err));
    assert_string_equal(rows(f, "SELECT * FROM iceberg_namespace_properties ORDER BY namespace, property_key"),
                        "iceberg|a|exists|true\niceberg|bare|exists|true\n"
                        "iceberg|x|comment|it's\niceberg|x|exists|true\niceberg|x|location|s3://trino-data/x\n");
    must(f, catalog_get_namespace(f->catalog, &f->arena, STR("x"), &exists, &out, &n, &f->err));
    assert_true(exists);
    assert_int_equal(n, 2);
    assert_true(str_eq_cstr(out[1].value, "s3://trino-data/x"));
    must(f, catalog_get_namespace(f->catalog, &f->arena, STR("bare"), &exists, &out, &n, &f->err));
    assert_true(exists);
    assert_int_equal(n, 0);
    must(f, catalog_get_namespace(f->catalog, &f->arena, STR("nowhere"), &exists, &out, &n, &f->err));
    assert_false(exists);
    assert_error(f, catalog_create_namespace(f->catalog, STR("x"), NULL, 0, &f->err), ERR_EXISTS,
                 "SCHEMA_ALREADY_EXISTS");
}

static void a_namespace_exists_by_a_table_or_one_inside_it(void **state)
{
    FIXTURE
    struct catalog_property *out;
    size_t n;
    bool exists;

    exec(f, "INSERT INTO iceberg_tables VALUES ('iceberg', 'by_table', 't', 's3://b/1', NULL, 'TABLE')");
    exec(f, "INSERT INTO iceberg_namespace_properties VALUES ('iceberg', 'outer.inner', 'exists', 'true')");
    exec(f, "INSERT INTO iceberg_namespace_properties VALUES ('another', 'elsewhere', 'exists', 'true')");
    must(f, catalog_get_namespace(f->catalog, &f->arena, STR("by_table"), &exists, &out, &n, &f->err));
    assert_true(exists);
    must(f, catalog_get_namespace(f->catalog, &f->arena, STR("outer"), &exists, &out, &n, &f->err));
    assert_true(exists);
    must(f, catalog_get_namespace(f->catalog, &f->arena, STR("out%"), &exists, &out, &n, &f->err));
    assert_false(exists);
    must(f, catalog_get_namespace(f->catalog, &f->arena, STR("by_tabl_"), &exists, &out, &n, &f->err));
    assert_false(exists);
    assert_string_equal(namespaces(f), "a by_table outer");
}

static void only_an_empty_namespace_is_dropped(void **state)
{
    FIXTURE
    must(f, catalog_create_namespace(f->catalog, STR("x"), NULL, 0, &f->err));
    create(f, "x", "t", "s3://b/1");
    assert_error(f, catalog_drop_namespace(f->catalog, STR("x"), &f->err), ERR_CONFLICT, "SCHEMA_NOT_EMPTY");
    must(f, catalog_drop_table(f->catalog, STR("x"), STR("t"), &f->err));
    exec(f, "INSERT INTO iceberg_tables VALUES ('iceberg', 'x', 'v', 's3://b/1', NULL, 'VIEW')");
    assert_error(f, catalog_drop_namespace(f->catalog, STR("x"), &f->err), ERR_CONFLICT, "SCHEMA_NOT_EMPTY");
    exec(f, "DELETE FROM iceberg_tables");
    must(f, catalog_drop_namespace(f->catalog, STR("x"), &f->err));
    assert_error(f, catalog_drop_namespace(f->catalog, STR("x"), &f->err), ERR_NOT_FOUND, "SCHEMA_NOT_FOUND");
    assert_string_equal(namespaces(f), "a");
}

static void tables_of_another_catalog_name_are_invisible(void **state)
{
    FIXTURE
    struct catalog *other;

    create(f, "a", "mine", "s3://b/1");
    must(f, catalog_open(f->at.db, STR("other"), STR("other"), &other, &f->err));
    must(f, catalog_create_namespace(other, STR("a"), NULL, 0, &f->err));
    struct iceberg_pointer *p = catalog_pointer(other, &f->arena, STR("a"), STR("theirs"));
    must(f, p->swap(p->ctx, STR_NULL, STR("s3://b/2"), &f->err));
    catalog_close(other);
    assert_string_equal(tables(f, "a"), "mine");
}

static void the_pointer_compares_and_swaps(void **state)
{
    FIXTURE
    struct iceberg_pointer *p = catalog_pointer(f->catalog, &f->arena, STR("a"), STR("t"));
    struct str location;

    assert_error(f, p->load(p->ctx, &f->arena, &location, &f->err), ERR_NOT_FOUND, "TABLE_NOT_FOUND");
    assert_int_equal(p->swap(p->ctx, STR("s3://b/0"), STR("s3://b/1"), &f->err), ERR_CONFLICT);
    must(f, p->swap(p->ctx, STR_NULL, STR("s3://b/1"), &f->err));
    assert_error(f, p->swap(p->ctx, STR_NULL, STR("s3://b/1x"), &f->err), ERR_EXISTS, "TABLE_ALREADY_EXISTS");
    must(f, p->swap(p->ctx, STR("s3://b/1"), STR("s3://b/2"), &f->err));
    assert_int_equal(p->swap(p->ctx, STR("s3://b/1"), STR("s3://b/3"), &f->err), ERR_CONFLICT);
    must(f, p->load(p->ctx, &f->arena, &location, &f->err));
    assert_true(str_eq_cstr(location, "s3://b/2"));
    assert_string_equal(rows(f, "SELECT * FROM iceberg_tables"), "iceberg|a|t|s3://b/2|s3://b/1|TABLE\n");
}

struct racer {
    struct fixture *f;
    int wins, conflicts, others;
};

static void *race(void *arg)
{
    struct racer *r = arg;
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct iceberg_pointer *p = catalog_pointer(r->f->catalog, &a, STR("a"), STR("t"));

    while (r->wins < 25 && !r->others) {
        struct str before;
        struct err err = {0};
        int rc = p->load(p->ctx, &a, &before, &err);
        int64_t n = 0;
        if (rc == 0 && str_to_i64(before, &n, &err) == 0)
            rc = p->swap(p->ctx, before, arena_printf(&a, "%lld", (long long)n + 1), &err);
        if (rc == 0)
            r->wins++;
        else if (rc == ERR_CONFLICT)
            r->conflicts++;
        else
            r->others++;
    }
    return NULL;
}

static void no_swap_of_concurrent_ones_is_lost(void **state)
{
    FIXTURE
    struct racer racers[4];
    pthread_t threads[4];
    struct str location;

    create(f, "a", "t", "0");
    for (int i = 0; i < 4; i++) {
        racers[i] = (struct racer){.f = f};
        pthread_create(&threads[i], NULL, race, &racers[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(racers[i].others, 0);
    }
    must(f, catalog_get_table(f->catalog, &f->arena, STR("a"), STR("t"), &location, &f->err));
    assert_true(str_eq_cstr(location, "100"));
}

static void tables_are_renamed_within_and_across_namespaces(void **state)
{
    FIXTURE
    struct str location;

    must(f, catalog_create_namespace(f->catalog, STR("b"), NULL, 0, &f->err));
    create(f, "a", "t", "s3://b/1");
    create(f, "a", "u", "s3://b/2");
    must(f, catalog_rename_table(f->catalog, STR("a"), STR("t"), STR("b"), STR("t2"), &f->err));
    must(f, catalog_get_table(f->catalog, &f->arena, STR("b"), STR("t2"), &location, &f->err));
    assert_true(str_eq_cstr(location, "s3://b/1"));
    assert_error(f, catalog_rename_table(f->catalog, STR("a"), STR("u"), STR("b"), STR("t2"), &f->err), ERR_EXISTS,
                 "TABLE_ALREADY_EXISTS");
    assert_error(f, catalog_rename_table(f->catalog, STR("a"), STR("t"), STR("b"), STR("t3"), &f->err), ERR_NOT_FOUND,
                 "TABLE_NOT_FOUND");
    assert_error(f, catalog_rename_table(f->catalog, STR("a"), STR("u"), STR("c"), STR("u"), &f->err), ERR_NOT_FOUND,
                 "SCHEMA_NOT_FOUND");
}

static void a_table_needs_its_namespace(void **state)
{
    FIXTURE
    struct iceberg_pointer *p = catalog_pointer(f->catalog, &f->arena, STR("nope"), STR("t"));

    assert_error(f, p->swap(p->ctx, STR_NULL, STR("s3://b/0.json"), &f->err), ERR_NOT_FOUND, "SCHEMA_NOT_FOUND");
    assert_string_equal(rows(f, "SELECT * FROM iceberg_tables"), "");
}

static void errors_name_the_catalog_as_it_is_mounted(void **state)
{
    FIXTURE
    assert_true(catalog_create_namespace(f->catalog, STR("a"), NULL, 0, &f->err) < 0);
    assert_string_equal(f->err.message, "Schema 'lake.a' already exists");
    assert_true(catalog_drop_namespace(f->catalog, STR("b"), &f->err) < 0);
    assert_string_equal(f->err.message, "Schema 'lake.b' does not exist");
    assert_true(catalog_drop_table(f->catalog, STR("a"), STR("t"), &f->err) < 0);
    assert_string_equal(f->err.message, "Table 'lake.a.t' does not exist");
    create(f, "a", "t", "s3://b/1");
    create(f, "a", "u", "s3://b/1");
    assert_true(catalog_rename_table(f->catalog, STR("a"), STR("t"), STR("a"), STR("u"), &f->err) < 0);
    assert_string_equal(f->err.message, "Table 'lake.a.u' already exists");
}

static void views_are_not_tables(void **state)
{
    FIXTURE
    struct str location;

    exec(f, "INSERT INTO iceberg_tables VALUES ('iceberg', 'a', 'v', 's3://b/1', NULL, 'VIEW')");
    assert_string_equal(tables(f, "a"), "");
    must(f, catalog_get_table(f->catalog, &f->arena, STR("a"), STR("v"), &location, &f->err));
    assert_true(str_is_null(location));
    assert_error(f, catalog_drop_table(f->catalog, STR("a"), STR("v"), &f->err), ERR_NOT_FOUND, "TABLE_NOT_FOUND");
    struct iceberg_pointer *p = catalog_pointer(f->catalog, &f->arena, STR("a"), STR("v"));
    assert_error(f, p->swap(p->ctx, STR_NULL, STR("s3://b/1x"), &f->err), ERR_EXISTS, "TABLE_ALREADY_EXISTS");
}

static void what_is_wider_than_its_column_is_refused_before_the_database(void **state)
{
    FIXTURE
    char name[1100];
    struct catalog_property p = {STR("location"), str_from(name, 1001)};

    memset(name, 'n', sizeof(name));
    assert_error(f, catalog_create_namespace(f->catalog, str_from(name, 256), NULL, 0, &f->err), ERR_INVALID, "");
    assert_error(f, catalog_create_namespace(f->catalog, STR("x"), &p, 1, &f->err), ERR_INVALID, "");
    assert_error(f, catalog_create_namespace(f->catalog, STR(""), NULL, 0, &f->err), ERR_INVALID, "");
    assert_error(f, catalog_create_namespace(f->catalog, STR("a\xff"), NULL, 0, &f->err), ERR_INVALID, "");
    struct iceberg_pointer *t = catalog_pointer(f->catalog, &f->arena, STR("a"), str_from(name, 256));
    assert_int_equal(t->swap(t->ctx, STR_NULL, STR("s3://b/1"), &f->err), ERR_INVALID);
    t = catalog_pointer(f->catalog, &f->arena, STR("a"), str_from(name, 255));
    assert_error(f, t->swap(t->ctx, STR_NULL, str_from(name, 1001), &f->err), ERR_INVALID, "");
    must(f, t->swap(t->ctx, STR_NULL, str_from(name, 1000), &f->err));
}

static void *open_one(void *arg)
{
    struct fixture *f = arg;
    struct catalog *c;
    struct err err = {0};

    if (catalog_open(f->at.db, STR("iceberg"), STR("lake"), &c, &err) < 0)
        return strdup(err.message);
    catalog_close(c);
    return NULL;
}

static void several_may_make_the_tables_at_once(void **state)
{
    FIXTURE
    pthread_t threads[6];

    exec(f, "DROP TABLE iceberg_tables");
    exec(f, "DROP TABLE iceberg_namespace_properties");
    for (int i = 0; i < 6; i++)
        pthread_create(&threads[i], NULL, open_one, f);
    for (int i = 0; i < 6; i++) {
        void *message;
        pthread_join(threads[i], &message);
        if (message)
            fail_msg("%s", (char *)message);
    }
    assert_string_equal(tables(f, "a"), "");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(the_layout_is_iceberg_cores),
        ON_BOTH(opening_again_keeps_what_is_there),
        ON_BOTH(a_v0_catalog_gets_its_column_and_its_tables_are_listed),
        ON_BOTH(a_namespace_has_its_properties_and_exists),
        ON_BOTH(a_namespace_exists_by_a_table_or_one_inside_it),
        ON_BOTH(only_an_empty_namespace_is_dropped),
        ON_BOTH(tables_of_another_catalog_name_are_invisible),
        ON_BOTH(the_pointer_compares_and_swaps),
        ON_BOTH(no_swap_of_concurrent_ones_is_lost),
        ON_BOTH(tables_are_renamed_within_and_across_namespaces),
        ON_BOTH(a_table_needs_its_namespace),
        ON_BOTH(errors_name_the_catalog_as_it_is_mounted),
        ON_BOTH(views_are_not_tables),
        ON_BOTH(what_is_wider_than_its_column_is_refused_before_the_database),
        ON_BOTH(several_may_make_the_tables_at_once),
    };

    oracle_sql = argc > 1 ? argv[1] : "iceberg_jdbc_v1.sql";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
