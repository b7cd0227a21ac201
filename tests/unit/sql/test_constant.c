#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/vec.h"
#include "sql/analyzer.h"
#include "sql/parse.h"
#include <inttypes.h>
#include <math.h>

static struct arena arena;

static int fold(const char *text, struct expr **ret, struct err *err)
{
    static struct session session;
    struct analyze_context context = {.session = &session};
    struct analyze_tables tables = {0};
    struct analyzer z = {.context = &context, .arena = &arena, .tables = &tables, .next_id = 1};
    struct ast_expr *e;
    int code;

    session.time_zone = STR("UTC");
    if ((code = sql_parse_expr(&arena, str_from_cstr(text), &e, err)) < 0)
        return code;
    return analyze_constant(&z, e, ret, err);
}

static struct expr *constant(const char *text, const char *type)
{
    struct expr *e;
    struct err err = {0};

    if (fold(text, &e, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    assert_string_equal(type_name(&arena, e->type).p, type);
    return e;
}

static void check_i(const char *text, const char *type, int64_t want)
{
    struct expr *e = constant(text, type);

    assert_int_equal(e->kind, EXPR_CONSTANT);
    assert_false(e->constant.is_null);
    if (e->constant.i != want)
        fail_msg("%s is %" PRId64 ", not %" PRId64, text, e->constant.i, want);
}

static void check_text(const char *text, const char *type, const char *want)
{
    struct expr *e = constant(text, type);

    assert_int_equal(e->kind, EXPR_CONSTANT);
    assert_string_equal(arena_cstr(&arena, e->constant.text), want);
}

static void values_are_physical(void **state)
{
    (void)state;
    check_i("true", "boolean", 1);
    check_i("DATE '1970-01-02'", "date", 1);
    check_i("DATE '1969-12-31'", "date", -1);
    check_i("TIME '01:00:00.5'", "time(1)", INT64_C(3600500000));
    check_i("TIMESTAMP '1970-01-01 00:00:01.123456'", "timestamp(6)", 1123456);
    check_i("TIMESTAMP '1969-12-31 23:59:59.5'", "timestamp(1)", -500000);
    check_i("TIMESTAMP '1970-01-01 02:00:00 +02:00'", "timestamp(0) with time zone", 0);
    check_i("INTERVAL '1-2' YEAR TO MONTH", "interval year to month", 14);
    check_i("INTERVAL '1 02:03:04.567' DAY TO SECOND", "interval day to second", 93784567);
    check_i("INTERVAL -'3' HOUR", "interval day to second", -10800000);
    check_text("1.50", "decimal(3,2)", "150");
    check_text("-0.05", "decimal(2,2)", "-5");
    check_text("0.00", "decimal(2,2)", "0");
    check_text("CHAR 'ab '", "char(3)", "ab");
    assert_true(isnan(constant("DOUBLE 'NaN'", "double")->constant.f));
    assert_true(isinf(constant("1e309", "double")->constant.f));
    assert_int_equal(constant("UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59'", "uuid")->constant.text.n, 16);
}

static void arithmetic_concatenation_and_casts_are_folded(void **state)
{
    (void)state;
    check_i("1 + 2 * 3", "integer", 7);
    check_i("-7 / 2", "integer", -3);
    check_i("2147483647 + BIGINT '1'", "bigint", INT64_C(2147483648));
    check_text("'a' || 'b'", "varchar", "ab");
    check_i("CAST('12' AS bigint)", "bigint", 12);
    check_i("CAST('2020-01-01' AS date)", "date", 18262);
    check_text("CAST('hello' AS varchar(2))", "varchar(2)", "he");
    check_text("CAST(1.5 AS decimal(10,3))", "decimal(10,3)", "1500");
    check_text("CAST(7 AS decimal(5,2))", "decimal(5,2)", "700");
    assert_true(constant("CAST(1.5 AS double)", "double")->constant.f == 1.5);
    assert_true(constant("NULL", "unknown")->constant.is_null);
}

static void arrays_and_rows_hold_constants(void **state)
{
    struct expr *e = constant("ARRAY['day(a)', 'b']", "array(varchar(6))");

    (void)state;
    assert_int_equal(e->kind, EXPR_ARRAY);
    assert_int_equal(e->arg_count, 2);
    assert_int_equal(e->args[1]->kind, EXPR_CONSTANT);
    assert_string_equal(arena_cstr(&arena, e->args[1]->constant.text), "b");
    assert_int_equal(constant("ROW(1, 'x')", "row(integer, varchar(1))")->kind, EXPR_ROW);
}

static void what_is_no_constant_is_refused(void **state)
{
    static const char *const texts[] = {"random()", "x", "count(*)", "1 / 0", "2147483647 + 1", "upper('a')"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct expr *e;
        struct err err = {0};

        if (fold(texts[i], &e, &err) == 0)
            fail_msg("%s was folded", texts[i]);
        assert_true(err.message[0] != '\0');
    }
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_physical),
        cmocka_unit_test(arithmetic_concatenation_and_casts_are_folded),
        cmocka_unit_test(arrays_and_rows_hold_constants),
        cmocka_unit_test(what_is_no_constant_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
