#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fake.h"
#include "sql/functions.h"

static struct fake fake;

static int setup(void **state)
{
    (void)state;
    fake_init(&fake);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_release(&fake);
    return 0;
}

static void fails(const char *sql, const char *want)
{
    fake_must_fail(&fake, sql, want);
}

static void outputs(const char *sql, const char *want)
{
    struct statement *s = fake_must_bind(&fake, sql);
    struct str got = fake_output(&fake, s);

    if (!str_eq_cstr(got, want))
        fail_msg("%s\ngives    %.*s\nexpected %s", sql, STR_ARG(got), want);
}

static void assert_text(struct str got, const char *want)
{
    if (!str_eq_cstr(got, want))
        fail_msg("got %.*s, expected %s", STR_ARG(got), want);
}

/* The text of a statement's single row and column. */
static struct str single_value(const struct statement *s)
{
    assert_int_equal(s->query->kind, REL_VALUES);
    assert_int_equal(s->query->values.row_count, 1);
    return s->query->values.rows[0][0]->constant.text;
}

static void schemas_are_created_and_dropped(void **state)
{
    struct statement *s;

    (void)state;
    s = fake_must_bind(&fake, "CREATE SCHEMA ice.new WITH (location = 's3://trino-data/new')");
    assert_int_equal(s->kind, STATEMENT_CREATE_SCHEMA);
    assert_string_equal(s->update_type, "CREATE SCHEMA");
    assert_text(s->schema, "new");
    assert_int_equal(s->property_count, 1);
    assert_text(s->properties[0].value->constant.text, "s3://trino-data/new");
    assert_true(fake_must_bind(&fake, "CREATE SCHEMA IF NOT EXISTS a")->is_noop);
    assert_true(fake_must_bind(&fake, "DROP SCHEMA IF EXISTS lake.nope")->is_noop);
    fails("CREATE SCHEMA a", "1:1 SCHEMA_ALREADY_EXISTS: Schema 'lake.a' already exists");
    fails("DROP SCHEMA nope", "1:1 SCHEMA_NOT_FOUND: Schema 'lake.nope' does not exist");
    fails("CREATE SCHEMA nope.x", "1:1 CATALOG_NOT_FOUND: Catalog 'nope' not found");
    fails("CREATE SCHEMA tpch.x", "NOT_SUPPORTED: This connector does not support creating schemas");
    fails("CREATE SCHEMA c WITH (colour = 'red')",
          "1:23 INVALID_SCHEMA_PROPERTY: Catalog 'lake' schema property 'colour' does not exist");
}

static void tables_are_created_with_checked_properties(void **state)
{
    struct statement *s;

    (void)state;
    s = fake_must_bind(&fake,
                       "CREATE TABLE new (A bigint NOT NULL COMMENT 'key', b decimal(10, 2), LIKE u) COMMENT 'c' WITH "
                       "(FORMAT = 'ORC', partitioning = ARRAY['a', 'bucket(b, 4)'])");
    assert_int_equal(s->column_count, 5);
    assert_text(s->columns[0].name, "a");
    assert_true(s->columns[0].not_null);
    assert_text(s->columns[0].comment, "key");
    assert_text(s->columns[4].name, "when_");
    assert_int_equal(s->property_count, 2);
    assert_text(s->properties[0].name, "format");
    assert_int_equal(s->properties[1].value->kind, EXPR_ARRAY);
    assert_text(s->properties[1].value->args[1]->constant.text, "bucket(b, 4)");
    assert_true(fake_must_bind(&fake, "CREATE TABLE IF NOT EXISTS t (a bigint)")->is_noop);
    fails("CREATE TABLE t (a bigint)", "1:1 TABLE_ALREADY_EXISTS: Table 'lake.a.t' already exists");
    fails("CREATE TABLE n (a bigint, A varchar)",
          "1:27 DUPLICATE_COLUMN_NAME: Column name 'a' specified more than once");
    fails("CREATE TABLE n (a foo)", "1:17 TYPE_NOT_FOUND: Unknown type 'foo' for column 'a'");
    fails("CREATE TABLE n (a bigint) WITH (foo = 1)",
          "1:33 INVALID_TABLE_PROPERTY: Catalog 'lake' table property 'foo' does not exist");
    fails(
        "CREATE TABLE n (a bigint) WITH (format = 5)",
        "1:33 INVALID_TABLE_PROPERTY: Invalid value for catalog 'lake' table property 'format': Cannot convert [5] to "
        "varchar");
    fails("CREATE TABLE n (a bigint) WITH (format = 'A', FORMAT = 'B')",
          "1:47 DUPLICATE_PROPERTY: Duplicate property: FORMAT");
}

static void a_table_is_made_of_a_query(void **state)
{
    struct statement *s;

    (void)state;
    s = fake_must_bind(&fake,
                       "CREATE TABLE n (k, v) WITH (format = 'PARQUET') AS SELECT x, y FROM t ORDER BY x WITH NO DATA");
    assert_int_equal(s->kind, STATEMENT_CREATE_TABLE_AS);
    assert_string_equal(s->update_type, "CREATE TABLE");
    assert_false(s->with_data);
    assert_int_equal(s->query->kind, REL_LIMIT);
    assert_int_equal(s->query->limit.count->constant.i, 0);
    assert_int_equal(s->column_count, 2);
    assert_text(s->columns[1].name, "v");
    assert_int_equal(s->columns[1].type->precision, 10);
    assert_true(fake_must_bind(&fake, "CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS x")->is_noop);
    fails("CREATE TABLE t AS SELECT 1 AS x", "1:1 TABLE_ALREADY_EXISTS: Destination table 'lake.a.t' already exists");
    fails("CREATE TABLE n AS SELECT x + 1 FROM t", "1:1 MISSING_COLUMN_NAME: Column name not specified at position 1");
    fails("CREATE TABLE n AS SELECT x, x FROM t",
          "1:1 DUPLICATE_COLUMN_NAME: Column name 'x' specified more than once");
    fails("CREATE TABLE n AS SELECT NULL AS x", "1:1 COLUMN_TYPE_UNKNOWN: Column type is unknown: x");
    fails("CREATE TABLE n (a) AS SELECT 1 AS x, 2 AS y",
          "1:17 MISMATCHED_COLUMN_ALIASES: Column alias list has 1 entries but relation has 2 columns");
}

static void inserts_match_columns_and_types(void **state)
{
    struct statement *s;

    (void)state;
    s = fake_must_bind(&fake, "INSERT INTO t (y, x) SELECT 'a', 1");
    assert_int_equal(s->kind, STATEMENT_INSERT);
    assert_int_equal(s->insert_count, 2);
    assert_int_equal(s->insert_columns[0], 1);
    assert_int_equal(s->insert_columns[1], 0);
    assert_int_equal(s->query->columns[1].type->kind, TYPE_BIGINT);
    assert_int_equal(fake_must_bind(&fake, "INSERT INTO t VALUES (1, 'x', 2.5)")->insert_count, 3);
    s = fake_must_bind(&fake, "INSERT INTO b.t VALUES (BIGINT '1', 'abcd')");
    assert_int_equal(s->query->exprs[0]->kind, EXPR_CAST);
    assert_string_equal(s->query->exprs[1]->args[0]->function->name, "$check_length");
    fails("INSERT INTO t VALUES (1, 2)",
          "1:1 TYPE_MISMATCH: Insert query has mismatched column types: Table: [bigint, varchar(10), double], Query: "
          "[integer, integer]");
    fails("INSERT INTO t (x) VALUES 'a'",
          "1:1 TYPE_MISMATCH: Insert query has mismatched column types: Table: [bigint], Query: [varchar(1)]");
    fails("INSERT INTO t (q) VALUES 1", "1:1 COLUMN_NOT_FOUND: Insert column name does not exist in target table: q");
    fails("INSERT INTO t (x, x) VALUES (1, 2)",
          "1:1 DUPLICATE_COLUMN_NAME: Insert column name is specified more than once: x");
    fails("INSERT INTO nope VALUES 1", "1:1 TABLE_NOT_FOUND: Table 'lake.a.nope' does not exist");
    fails("INSERT INTO tpch.tiny.region SELECT * FROM tpch.tiny.region",
          "NOT_SUPPORTED: This connector does not support inserts");
}

static void rows_are_deleted_all_or_not_at_all(void **state)
{
    (void)state;
    assert_int_equal(fake_must_bind(&fake, "DELETE FROM t")->kind, STATEMENT_DELETE);
    assert_int_equal(fake_must_bind(&fake, "DELETE FROM t WHERE true")->kind, STATEMENT_DELETE);
    assert_string_equal(fake_must_bind(&fake, "TRUNCATE TABLE t")->update_type, "TRUNCATE TABLE");
    fails("DELETE FROM t WHERE x = 1", "NOT_SUPPORTED: This connector does not support modifying table rows");
    fails("DELETE FROM nope", "1:13 TABLE_NOT_FOUND: Table 'lake.a.nope' does not exist");
    fails("DELETE FROM t WHERE nope = 1", "1:21 COLUMN_NOT_FOUND: Column 'nope' cannot be resolved");
}

static void tables_are_dropped_and_renamed(void **state)
{
    struct statement *s;

    (void)state;
    assert_true(fake_must_bind(&fake, "DROP TABLE IF EXISTS nope")->is_noop);
    assert_false(fake_must_bind(&fake, "DROP TABLE t")->is_noop);
    s = fake_must_bind(&fake, "ALTER TABLE t RENAME TO b.v");
    assert_text(s->new_schema, "b");
    assert_text(s->new_table, "v");
    fails("DROP TABLE nope", "1:1 TABLE_NOT_FOUND: Table 'lake.a.nope' does not exist");
    fails("ALTER TABLE t RENAME TO u", "1:1 TABLE_ALREADY_EXISTS: Target table 'lake.a.u' already exists");
    fails("ALTER TABLE t RENAME TO ice.iceberg_schema.u",
          "1:1 NOT_SUPPORTED: Table rename across catalogs is not supported");
}

static void session_statements_check_names_and_values(void **state)
{
    struct statement *s;

    (void)state;
    s = fake_must_bind(&fake, "SET SESSION query_max_run_time = '10m'");
    assert_text(s->name, "query_max_run_time");
    assert_text(s->value, "10m");
    s = fake_must_bind(&fake, "SET SESSION lake.statistics_enabled = false");
    assert_text(s->name, "lake.statistics_enabled");
    assert_text(s->value, "false");
    assert_int_equal(fake_must_bind(&fake, "RESET SESSION query_max_run_time")->kind, STATEMENT_RESET_SESSION);
    fails("SET SESSION nothing_like_it = 1",
          "1:31 INVALID_SESSION_PROPERTY: Session property 'nothing_like_it' does not exist");
    fails("SET SESSION query_max_run_time = 5", "INVALID_SESSION_PROPERTY: Unable to set session property "
                                                "'query_max_run_time' to '5': Cannot cast type integer "
                                                "to varchar");
    fails("SET SESSION query_max_run_time = 'soon'",
          "1:34 INVALID_SESSION_PROPERTY: duration is not a valid data duration string: soon");
    fails("SET SESSION nope.x = 1", "1:1 CATALOG_NOT_FOUND: Catalog 'nope' not found");
    assert_text(fake_must_bind(&fake, "SET TIME ZONE 'Europe/Berlin'")->value, "Europe/Berlin");
    assert_text(fake_must_bind(&fake, "SET TIME ZONE INTERVAL -'1:30' HOUR TO MINUTE")->value, "-01:30");
    assert_true(str_is_null(fake_must_bind(&fake, "SET TIME ZONE LOCAL")->value));
    fails("SET TIME ZONE 'Mars/Olympus'", "NOT_SUPPORTED: Time zone not supported: Mars/Olympus");
}

static void use_asks_whether_there_is_such_a_schema(void **state)
{
    struct statement *s;

    (void)state;
    s = fake_must_bind(&fake, "USE tpch.tiny");
    assert_text(s->catalog, "tpch");
    assert_text(s->schema, "tiny");
    assert_true(str_is_null(fake_must_bind(&fake, "USE b")->catalog));
    fails("USE nowhere.tiny", "CATALOG_NOT_FOUND: Catalog 'nowhere' not found");
    fails("USE tpch.nowhere", "NOT_FOUND: Schema does not exist: tpch.nowhere");
    fake.session.catalog = STR_NULL;
    fails("USE sf1", "1:1 MISSING_CATALOG_NAME: Catalog must be specified when session catalog is not set");
}

static void prepared_statements_take_their_parameters(void **state)
{
    struct statement *s;

    (void)state;
    s = fake_must_bind(&fake, "PREPARE q FROM SELECT x FROM t WHERE y = ?");
    assert_text(s->name, "q");
    assert_text(s->value, "SELECT x FROM t WHERE y = ?");
    fake_prepare(&fake, "q", "SELECT x FROM t WHERE y = ? OR x > ?");
    fake_prepare(&fake, "l", "SELECT x AS k, z FROM t LIMIT ?");
    outputs("EXECUTE q USING 'a', 3", "x bigint");
    outputs("EXECUTE l USING 3", "k bigint, z double");
    outputs("EXECUTE IMMEDIATE 'SELECT ? + 1' USING 2", "_col0 integer");
    outputs("DESCRIBE INPUT q", "Position integer, Type varchar(11)");
    outputs(
        "DESCRIBE OUTPUT l",
        "Column Name varchar(1), Catalog varchar(4), Schema varchar(1), Table varchar(1), Type varchar(6), Type Size "
        "integer, Aliased boolean");
    s = fake_must_bind(&fake, "DEALLOCATE PREPARE q");
    assert_text(s->name, "q");
    fails("EXECUTE q USING 'a'", "1:1 INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected 2 but found 1");
    fails("SELECT ?", "1:1 INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected 1 but found 0");
    fails("EXECUTE nobody", "NOT_FOUND: Prepared statement not found: nobody");
    fails("DEALLOCATE PREPARE nobody", "NOT_FOUND: Prepared statement not found: nobody");
    fails("EXECUTE l USING -1",
          "1:25 NUMERIC_VALUE_OUT_OF_RANGE: LIMIT row count must be greater or equal to 0 (actual value: -1)");
}

static void transactions_are_opened_once(void **state)
{
    (void)state;
    assert_int_equal(fake_must_bind(&fake, "START TRANSACTION READ ONLY")->kind, STATEMENT_START_TRANSACTION);
    fails("COMMIT", "NOT_IN_TRANSACTION: No transaction in progress");
    fake.session.transaction_id = STR("8b2e");
    assert_int_equal(fake_must_bind(&fake, "COMMIT")->kind, STATEMENT_COMMIT);
    assert_int_equal(fake_must_bind(&fake, "ROLLBACK")->kind, STATEMENT_ROLLBACK);
    fails("START TRANSACTION", "NOT_SUPPORTED: Nested transactions not supported");
}

static void show_is_rewritten_to_queries(void **state)
{
    (void)state;
    outputs("SHOW CATALOGS", "Catalog varchar(4)");
    outputs("SHOW CATALOGS LIKE 'l%'", "Catalog varchar(4)");
    outputs("SHOW SCHEMAS FROM tpch", "Schema varchar");
    outputs("SHOW TABLES", "Table varchar");
    outputs("SHOW TABLES FROM b LIKE 't$_%' ESCAPE '$'", "Table varchar");
    outputs("SHOW COLUMNS FROM t", "Column varchar, Type varchar, Extra varchar, Comment varchar");
    outputs("DESCRIBE tpch.tiny.nation", "Column varchar, Type varchar, Extra varchar, Comment varchar");
    assert_int_equal(fake_must_bind(&fake, "SHOW SESSION LIKE 'query%'")->output_count, 5);
    assert_int_equal(fake_must_bind(&fake, "SHOW FUNCTIONS")->output_count, 6);
    fails("SHOW TABLES FROM nope", "1:1 SCHEMA_NOT_FOUND: Schema 'nope' does not exist");
    fails("SHOW TABLES FROM nope.x", "1:1 CATALOG_NOT_FOUND: Catalog 'nope' does not exist");
    fails("SHOW COLUMNS FROM nope", "1:1 TABLE_NOT_FOUND: Table 'lake.a.nope' does not exist");
    fails("SHOW STATS FOR t", "1:1 NOT_SUPPORTED: SHOW STATS is not supported");
}

static void show_create_prints_what_would_make_it(void **state)
{
    (void)state;
    assert_text(single_value(fake_must_bind(&fake, "SHOW CREATE TABLE u")),
                "CREATE TABLE lake.a.u (\n   x bigint,\n   w varchar,\n   when_ date\n)\nWITH (\n   format = "
                "'PARQUET',\n   format_version = 2\n)");
    assert_text(single_value(fake_must_bind(&fake, "SHOW CREATE SCHEMA a")), "CREATE SCHEMA lake.a");
}

static void explain_prints_a_plan(void **state)
{
    struct str text;

    (void)state;
    outputs("EXPLAIN (TYPE VALIDATE) SELECT x FROM t", "Valid boolean");
    text = single_value(fake_must_bind(&fake, "EXPLAIN SELECT y, count(*) FROM t WHERE x > 5 GROUP BY y"));
    assert_true(str_find(text, STR("TableScan"), 0) != SIZE_MAX || str_find(text, STR("ScanFilter"), 0) != SIZE_MAX);
    assert_true(str_find(text, STR("Aggregate[keys = ["), 0) != SIZE_MAX);
    assert_true(str_find(text, STR("lake:a:t"), 0) != SIZE_MAX);
    text = single_value(fake_must_bind(&fake, "EXPLAIN SELECT 1 FROM u WHERE when_ > DATE '1998-01-02'"));
    assert_true(str_find(text, STR("date '1998-01-02'"), 0) != SIZE_MAX);
    fails("EXPLAIN ANALYZE SELECT 1", "1:1 NOT_SUPPORTED: EXPLAIN ANALYZE is not supported");
    fails("EXPLAIN SELECT nope FROM t", "1:16 COLUMN_NOT_FOUND: Column 'nope' cannot be resolved");
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    fails("UPDATE t SET x = 1", "1:1 NOT_SUPPORTED: UPDATE is not supported");
    fails("CREATE VIEW v AS SELECT 1 AS x", "1:1 NOT_SUPPORTED: CREATE VIEW is not supported");
    fails("CALL system.f()", "PROCEDURE_NOT_FOUND: Procedure not registered: system.f");
}

static void nobody_has_roles_or_grants_any(void **state)
{
    (void)state;
    fails("REVOKE SELECT ON t FROM bob", "NOT_SUPPORTED: Catalog does not support permission management: lake");
    fails("GRANT SELECT ON t TO bob", "NOT_SUPPORTED: Catalog does not support permission management: lake");
    fails("GRANT SELECT ON t TO \"to\" WITH GRANT OPTION",
          "NOT_SUPPORTED: Catalog does not support permission management: lake");
    fails("GRANT EVERYTHING ON t TO bob", "1:1 INVALID_PRIVILEGE: Unknown privilege: 'EVERYTHING'");
    fails("CREATE ROLE r", "NOT_SUPPORTED: System roles are not enabled");
    fails("DROP ROLE R", "1:1 ROLE_NOT_FOUND: Role 'r' does not exist");
    fails("SET ROLE r IN lake", "1:1 NOT_SUPPORTED: Catalog 'lake' does not support role management");
    fails("SET SESSION AUTHORIZATION bob", "NOT_SUPPORTED: SET SESSION AUTHORIZATION not supported by client");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(schemas_are_created_and_dropped),
        TEST(tables_are_created_with_checked_properties),
        TEST(a_table_is_made_of_a_query),
        TEST(inserts_match_columns_and_types),
        TEST(rows_are_deleted_all_or_not_at_all),
        TEST(tables_are_dropped_and_renamed),
        TEST(session_statements_check_names_and_values),
        TEST(use_asks_whether_there_is_such_a_schema),
        TEST(prepared_statements_take_their_parameters),
        TEST(transactions_are_opened_once),
        TEST(show_is_rewritten_to_queries),
        TEST(show_create_prints_what_would_make_it),
        TEST(explain_prints_a_plan),
        TEST(what_is_missing_is_named),
        TEST(nobody_has_roles_or_grants_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
