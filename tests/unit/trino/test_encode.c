/* Values that the engine made, as the JSON that real Trino sends for the same values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "trino/columns.h"
#include "trino/encode.h"

static duckdb_database db;
static duckdb_connection conn;
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    return duckdb_open(NULL, &db) == DuckDBSuccess && duckdb_connect(db, &conn) == DuckDBSuccess ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    duckdb_disconnect(&conn);
    duckdb_close(&db);
    arena_release(&arena);
    return 0;
}

static const struct type *parse(const char *text)
{
    const struct type *t = NULL;
    struct err err = {0};

    if (type_parse(&arena, str_from_cstr(text), &t, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return t;
}

/* All rows of a query with one column of that type, between commas. */
static const char *encode(const struct type *t, bool parametric, const char *sql)
{
    const struct column column = {.type = t};
    struct encoder *e = NULL;
    struct err err = {0};
    duckdb_result result;
    duckdb_data_chunk chunk;
    struct buf text;

    buf_init(&text, 1 << 20);
    if (encoder_new(&column, 1, parametric, &e, &err) < 0)
        fail_msg("%s", err.message);
    if (duckdb_query(conn, sql, &result) != DuckDBSuccess)
        fail_msg("%s", duckdb_result_error(&result));
    while ((chunk = duckdb_fetch_chunk(result))) {
        if (encoder_bind(e, chunk, &err) < 0)
            fail_msg("%s: %s", sql, err.message);
        for (idx_t i = 0; i < duckdb_data_chunk_get_size(chunk); i++) {
            if (text.n)
                buf_add_char(&text, ',');
            encoder_add_row(e, i, &text);
        }
        duckdb_destroy_data_chunk(&chunk);
    }
    duckdb_destroy_result(&result);
    encoder_free(e);
    const char *kept = arena_cstr(&arena, buf_str(&text));
    buf_release(&text);
    return kept;
}

static void assert_value(const char *type, const char *expression, const char *want)
{
    const char *sql = arena_printf(&arena, "SELECT %s", expression).p;
    const char *wanted = arena_printf(&arena, "[%s]", want).p;

    assert_string_equal(encode(parse(type), true, sql), wanted);
}

static void numbers_are_numbers_and_decimals_strings(void **state)
{
    (void)state;
    assert_value("boolean", "true", "true");
    assert_value("tinyint", "(-128)::TINYINT", "-128");
    assert_value("smallint", "2::SMALLINT", "2");
    assert_value("integer", "-2147483648", "-2147483648");
    assert_value("bigint", "9007199254740993", "9007199254740993");
    assert_value("bigint", "170141183460469231731687303715884105727::HUGEINT",
                 "170141183460469231731687303715884105727");
    assert_value("decimal(5,3)", "12.340::DECIMAL(5,3)", "\"12.340\"");
    assert_value("decimal(4,2)", "-0.05::DECIMAL(4,2)", "\"-0.05\"");
    assert_value("decimal(9,0)", "0::DECIMAL(9,0)", "\"0\"");
    assert_value("decimal(18,4)", "99999999999999.9999::DECIMAL(18,4)", "\"99999999999999.9999\"");
    assert_value("decimal(38,10)", "-1234567890123456789012345678.0123456789::DECIMAL(38,10)",
                 "\"-1234567890123456789012345678.0123456789\"");
    assert_value("unknown", "NULL", "null");
}

static void doubles_are_written_as_java_writes_them(void **state)
{
    static const char *const cases[][2] = {
        {"1", "1.0"},
        {"'-0.0'", "-0.0"},
        {"0.1", "0.1"},
        {"0.001", "0.001"},
        {"0.0001", "1.0E-4"},
        {"1.5", "1.5"},
        {"901.0005", "901.0005"},
        {"100", "100.0"},
        {"9999999", "9999999.0"},
        {"12345678.25", "1.234567825E7"},
        {"1e10", "1.0E10"},
        {"123456789012345680", "1.2345678901234568E17"},
        {"0.30000000000000004", "0.30000000000000004"},
        {"1.7976931348623157e308", "1.7976931348623157E308"},
        {"-37734107.12", "-3.773410712E7"},
        {"25.522005853257337", "25.522005853257337"},
        {"'nan'", "\"NaN\""},
        {"'-infinity'", "\"-Infinity\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_value("double", arena_printf(&arena, "(%s)::DOUBLE", cases[i][0]).p, cases[i][1]);
    assert_value("real", "1.1::FLOAT", "1.1");
    assert_value("real", "3.4028235e38::FLOAT", "3.4028235E38");
    assert_value("real", "16777216::FLOAT", "1.6777216E7");
}

static void text_is_escaped_and_char_padded(void **state)
{
    (void)state;
    assert_value("varchar", "'abc'", "\"abc\"");
    assert_value("varchar", "''", "\"\"");
    assert_value("varchar", "'a\"b\\c' || chr(10) || chr(1)", "\"a\\\"b\\\\c\\n\\u0001\"");
    assert_value("varchar", "'a string that is longer than twelve bytes: höhe'",
                 "\"a string that is longer than twelve bytes: höhe\"");
    assert_value("char(3)", "'a'", "\"a  \"");
    assert_value("char(4)", "'äö'", "\"äö  \"");
    assert_value("char(2)", "'\"'", "\"\\\" \"");
    assert_value("varbinary", "'\\x00\\xFF'::BLOB", "\"AP8=\"");
    assert_value("uuid", "'12151fd2-7586-11e9-8f9e-2a86e4085a59'::UUID", "\"12151fd2-7586-11e9-8f9e-2a86e4085a59\"");
    assert_value("uuid", "'ffffffff-ffff-ffff-ffff-ffffffffffff'::UUID", "\"ffffffff-ffff-ffff-ffff-ffffffffffff\"");
    assert_value("json", "'{\"a\":1}'", "\"{\\\"a\\\":1}\"");
}

static void times_have_their_precision(void **state)
{
    (void)state;
    assert_value("date", "'2024-02-29'::DATE", "\"2024-02-29\"");
    assert_value("date", "'0001-01-01'::DATE", "\"0001-01-01\"");
    assert_value("date", "'12345-12-31'::DATE", "\"+12345-12-31\"");
    assert_value("time(3)", "'01:02:03.456'::TIME", "\"01:02:03.456\"");
    assert_value("time(0)", "'23:59:59'::TIME", "\"23:59:59\"");
    assert_value("timestamp(0)", "'2024-02-29 01:02:03'::TIMESTAMP", "\"2024-02-29 01:02:03\"");
    assert_value("timestamp(6)", "'2024-02-29 01:02:03.123456'::TIMESTAMP", "\"2024-02-29 01:02:03.123456\"");
    assert_value("timestamp(3)", "'1969-12-31 23:59:59.999'::TIMESTAMP", "\"1969-12-31 23:59:59.999\"");
    assert_value("interval day to second", "-93784005::BIGINT", "\"-1 02:03:04.005\"");
    assert_value("interval day to second", "86400000::BIGINT", "\"1 00:00:00.000\"");
    assert_value("interval year to month", "-26", "\"-2-2\"");
}

static void zoned_timestamps_are_local_with_their_zone(void **state)
{
    const char *sql = "SELECT make_timestamptz(1709164923123456)"; /* 2024-02-29 00:02:03.123456 UTC */
    (void)state;
    assert_string_equal(encode(type_timestamp_tz(&arena, 0, STR_NULL), true, sql), "[\"2024-02-29 00:02:03 UTC\"]");
    assert_string_equal(encode(type_timestamp_tz(&arena, 6, STR("Europe/Berlin")), true, sql),
                        "[\"2024-02-29 01:02:03.123456 Europe/Berlin\"]");
    assert_string_equal(encode(type_timestamp_tz(&arena, 3, STR("-05:30")), true, sql),
                        "[\"2024-02-28 18:32:03.123 -05:30\"]");
}

static void clients_without_parametric_datetime_get_milliseconds(void **state)
{
    (void)state;
    assert_string_equal(encode(parse("timestamp(6)"), false, "SELECT '2024-02-29 01:02:03.123556'::TIMESTAMP"),
                        "[\"2024-02-29 01:02:03.124\"]");
    assert_string_equal(encode(parse("timestamp(0)"), false, "SELECT '2024-02-29 01:02:03'::TIMESTAMP"),
                        "[\"2024-02-29 01:02:03.000\"]");
}

static void nested_values_are_arrays_and_objects(void **state)
{
    (void)state;
    assert_value("array(integer)", "[1, NULL]", "[1,null]");
    assert_value("array(integer)", "[]::INTEGER[]", "[]");
    assert_value("array(array(varchar))", "[['a'], NULL, []]", "[[\"a\"],null,[]]");
    assert_value("map(varchar, integer)", "MAP{'k': 1, 'l': NULL}", "{\"k\":1,\"l\":null}");
    assert_value("map(bigint, double)", "MAP{7::BIGINT: 1.5::DOUBLE}", "{\"7\":1.5}");
    assert_value("map(date, varchar)", "MAP{'2024-01-01'::DATE: 'x'}", "{\"2024-01-01\":\"x\"}");
    assert_value("row(a integer, varchar)", "{'f0': 1, 'f1': 'x'}", "[1,\"x\"]");
    assert_value("row(a integer)", "NULL::STRUCT(f0 INTEGER)", "null");
    assert_value("array(row(x integer, y array(varchar)))", "[{'f0': 1, 'f1': ['a','b']}, NULL]",
                 "[[1,[\"a\",\"b\"]],null]");
}

static void rows_of_many_chunks_keep_their_nulls(void **state)
{
    (void)state;
    const char *text = encode(parse("bigint"), true,
                              "SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE i END FROM range(5000) t(i)");
    assert_non_null(strstr(text, "[4996],[4997],[null],[4999]"));
}

static void another_type_than_promised_is_our_error(void **state)
{
    const struct column column = {.type = &type_varchar};
    struct encoder *e = NULL;
    struct err err = {0};
    duckdb_result result;
    (void)state;

    assert_int_equal(encoder_new(&column, 1, true, &e, NULL), 0);
    assert_int_equal(duckdb_query(conn, "SELECT 1", &result), DuckDBSuccess);
    duckdb_data_chunk chunk = duckdb_fetch_chunk(result);
    assert_int_equal(encoder_bind(e, chunk, &err), ERR_INTERNAL);
    assert_non_null(strstr(err.message, "varchar"));
    duckdb_destroy_data_chunk(&chunk);
    duckdb_destroy_result(&result);
    encoder_free(e);
}

static void columns_have_both_descriptions(void **state)
{
    const struct column columns[] = {
        {.type = parse("decimal(12,2)")},
        {.type = parse("row(a integer, \"B c\" array(varchar))")},
        {.type = parse("interval day to second")},
        {.type = parse("timestamp(6) with time zone")},
    };
    const struct str names[] = {STR("d"), STR("r\"x"), STR("i"), STR("t")};
    BUF_SCOPED struct buf text;
    (void)state;

    buf_init(&text, 1 << 20);
    columns_write(&text, columns, names, 4, true);
    assert_string_equal(
        buf_cstr(&text),
        "[{\"name\":\"d\",\"type\":\"decimal(12, "
        "2)\",\"typeSignature\":{\"rawType\":\"decimal\",\"arguments\":[{\"kind\":"
        "\"LONG\",\"value\":12},{\"kind\":\"LONG\",\"value\":2}]}},"
        "{\"name\":\"r\\\"x\",\"type\":\"row(a integer, \\\"B c\\\" array(varchar))\",\"typeSignature\":{\"rawType\":"
        "\"row\",\"arguments\":[{\"kind\":\"NAMED_TYPE\",\"value\":{\"fieldName\":{\"name\":\"a\"},\"typeSignature\":{"
        "\"rawType\":\"integer\",\"arguments\":[]}}},{\"kind\":\"NAMED_TYPE\",\"value\":{\"fieldName\":{\"name\":\"B "
        "c\"},\"typeSignature\":{\"rawType\":\"array\",\"arguments\":[{\"kind\":\"TYPE\",\"value\":{\"rawType\":"
        "\"varchar\",\"arguments\":[{\"kind\":\"LONG\",\"value\":2147483647}]}}]}}}]}},"
        "{\"name\":\"i\",\"type\":\"INTERVAL DAY TO SECOND\",\"typeSignature\":{\"rawType\":\"interval day to "
        "second\",\"arguments\":[]}},"
        "{\"name\":\"t\",\"type\":\"timestamp(6) with time zone\",\"typeSignature\":{\"rawType\":\"timestamp with time "
        "zone\",\"arguments\":[{\"kind\":\"LONG\",\"value\":6}]}}]");
    buf_reset(&text);
    columns_write(&text, columns + 3, names + 3, 1, false);
    assert_string_equal(buf_cstr(&text), "[{\"name\":\"t\",\"type\":\"timestamp with time zone\",\"typeSignature\":{"
                                         "\"rawType\":\"timestamp with time zone\",\"arguments\":[]}}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_numbers_and_decimals_strings),
        cmocka_unit_test(doubles_are_written_as_java_writes_them),
        cmocka_unit_test(text_is_escaped_and_char_padded),
        cmocka_unit_test(times_have_their_precision),
        cmocka_unit_test(zoned_timestamps_are_local_with_their_zone),
        cmocka_unit_test(clients_without_parametric_datetime_get_milliseconds),
        cmocka_unit_test(nested_values_are_arrays_and_objects),
        cmocka_unit_test(rows_of_many_chunks_keep_their_nulls),
        cmocka_unit_test(another_type_than_promised_is_our_error),
        cmocka_unit_test(columns_have_both_descriptions),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
