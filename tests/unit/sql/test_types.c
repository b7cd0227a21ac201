#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sql/types.h"

static struct arena arena;

static const struct type *parse(const char *text)
{
    const struct type *t = NULL;
    struct err err = {0};

    if (type_parse(&arena, str_from_cstr(text), &t, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return t;
}

static void assert_name(const struct type *t, const char *want)
{
    assert_non_null(t);
    assert_string_equal(type_name(&arena, t).p, want);
}

static void names_read_back_as_they_are_shown(void **state)
{
    static const char *const names[] = {
        "boolean",
        "tinyint",
        "smallint",
        "integer",
        "bigint",
        "real",
        "double",
        "decimal(12,2)",
        "varchar",
        "varchar(25)",
        "char(3)",
        "varbinary",
        "json",
        "uuid",
        "date",
        "time(3)",
        "time(6) with time zone",
        "timestamp(3)",
        "timestamp(6) with time zone",
        "interval year to month",
        "interval day to second",
        "array(bigint)",
        "map(varchar, array(double))",
        "row(x integer, varchar, z row(double))",
        "unknown",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_name(parse(names[i]), names[i]);
}

static void ddl_forms_and_defaults_are_understood(void **state)
{
    (void)state;
    assert_name(parse("INT"), "integer");
    assert_name(parse("Decimal"), "decimal(38,0)");
    assert_name(parse("decimal( 7 )"), "decimal(7,0)");
    assert_name(parse("char"), "char(1)");
    assert_name(parse("double precision"), "double");
    assert_name(parse("timestamp"), "timestamp(3)");
    assert_name(parse("timestamp with time zone"), "timestamp(3) with time zone");
    assert_name(parse("array<map<int, varchar(3)>>"), "array(map(integer, varchar(3)))");
    assert_name(parse("bigint array"), "array(bigint)");
    assert_name(parse("row(\"A b\" int, t timestamp(6) with time zone, double precision)"),
                "row(A b integer, t timestamp(6) with time zone, double)");
}

static void bad_types_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "foo",
        "varchar(",
        "varchar(x)",
        "varchar(1,2)",
        "decimal(39,0)",
        "decimal(3,4)",
        "decimal(0,0)",
        "array",
        "array(int",
        "map(int)",
        "row()",
        "bigint bigint",
        "timestamp(13)",
        "timestamp(9)",
        "char(65537)",
        "interval day",
        "varchar(99999999999)",
        "row(x)",
        "row(x y z)",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct type *t = &type_date;
        struct err err = {0};

        assert_true(type_parse(&arena, str_from_cstr(bad[i]), &t, &err) < 0);
        assert_ptr_equal(t, &type_date);
        assert_non_null(err.name);
        assert_true(err.message[0] != '\0');
    }
}

static void deep_nesting_is_bounded(void **state)
{
    char text[16 * 1024];
    struct err err = {0};
    const struct type *t;

    (void)state;
    for (size_t i = 0; i + 6 < sizeof(text); i += 6)
        memcpy(text + i, "array(", 6);
    assert_int_equal(type_parse(&arena, str_from(text, sizeof(text) - 6), &t, &err), ERR_LIMIT);
}

static void common_super_types_are_trinos(void **state)
{
    static const struct {
        const char *x, *y, *want; /* NULL: none */
    } cases[] = {
        {"integer", "bigint", "bigint"},
        {"tinyint", "double", "double"},
        {"bigint", "real", "real"},
        {"real", "double", "double"},
        {"integer", "decimal(5,2)", "decimal(12,2)"},
        {"bigint", "decimal(5,2)", "decimal(21,2)"},
        {"decimal(10,2)", "decimal(12,5)", "decimal(13,5)"},
        {"decimal(38,10)", "decimal(38,20)", "decimal(38,20)"},
        {"decimal(10,2)", "double", "double"},
        {"varchar(3)", "varchar(5)", "varchar(5)"},
        {"varchar(3)", "varchar", "varchar"},
        {"varchar(3)", "char(5)", "char(5)"},
        {"varchar(9)", "char(5)", "char(9)"},
        {"varchar", "char(5)", "char(65536)"},
        {"varchar", "integer", NULL},
        {"date", "timestamp(3)", "timestamp(3)"},
        {"date", "timestamp(6) with time zone", "timestamp(6) with time zone"},
        {"timestamp(6)", "timestamp(3) with time zone", "timestamp(6) with time zone"},
        {"time(3)", "time(6)", "time(6)"},
        {"date", "time(3)", NULL},
        {"unknown", "date", "date"},
        {"boolean", "integer", NULL},
        {"array(integer)", "array(double)", "array(double)"},
        {"array(unknown)", "array(varchar(2))", "array(varchar(2))"},
        {"map(integer, varchar(1))", "map(bigint, varchar(3))", "map(bigint, varchar(3))"},
        {"row(a integer, b date)", "row(a bigint, c date)", "row(a bigint, date)"},
        {"row(integer)", "row(integer, integer)", NULL},
        {"interval day to second", "interval year to month", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct type *t = type_common_super(&arena, parse(cases[i].x), parse(cases[i].y));
        const struct type *u = type_common_super(&arena, parse(cases[i].y), parse(cases[i].x));

        if (!cases[i].want) {
            assert_null(t);
            assert_null(u);
        } else {
            assert_name(t, cases[i].want);
            assert_name(u, cases[i].want);
        }
    }
}

static void coercions_have_a_direction(void **state)
{
    (void)state;
    assert_true(type_can_coerce(parse("integer"), parse("bigint")));
    assert_false(type_can_coerce(parse("bigint"), parse("integer")));
    assert_true(type_can_coerce(parse("integer"), parse("decimal(10,0)")));
    assert_false(type_can_coerce(parse("integer"), parse("decimal(9,0)")));
    assert_true(type_can_coerce(parse("decimal(38,0)"), parse("real")));
    assert_true(type_can_coerce(parse("varchar(3)"), parse("varchar(4)")));
    assert_false(type_can_coerce(parse("varchar(4)"), parse("varchar(3)")));
    assert_true(type_can_coerce(parse("varchar(3)"), parse("char(3)")));
    assert_false(type_can_coerce(parse("char(3)"), parse("varchar(3)")));
    assert_true(type_can_coerce(parse("unknown"), parse("array(date)")));
    assert_false(type_can_coerce(parse("date"), parse("unknown")));
    assert_true(type_can_coerce(parse("row(a integer)"), parse("row(b bigint)")));
}

static void identity_counts_parameters_and_field_names(void **state)
{
    (void)state;
    assert_true(type_eq(parse("row(a integer)"), parse("row(a integer)")));
    assert_false(type_eq(parse("row(a integer)"), parse("row(b integer)")));
    assert_false(type_eq(parse("row(a integer)"), parse("row(integer)")));
    assert_false(type_eq(parse("decimal(3,1)"), parse("decimal(3,2)")));
    assert_true(type_eq(type_timestamp_tz(&arena, 3, STR("UTC")), type_timestamp_tz(&arena, 3, STR("Europe/Berlin"))));
}

static void maps_and_json_do_not_order(void **state)
{
    (void)state;
    assert_false(type_is_orderable(parse("map(integer, integer)")));
    assert_false(type_is_orderable(parse("array(json)")));
    assert_true(type_is_comparable(parse("map(integer, integer)")));
    assert_true(type_is_orderable(parse("row(integer, varchar)")));
}

static void physical_types_are_duckdbs(void **state)
{
    struct buf BUF_SCOPED b;

    (void)state;
    buf_init(&b, 1024);
    type_format_physical(&b, parse("row(x char(3), y array(interval day to second), z map(json, varbinary))"));
    assert_string_equal(buf_cstr(&b), "STRUCT(f0 VARCHAR, f1 BIGINT[], f2 MAP(VARCHAR, BLOB))");
}

static int make_arena(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int drop_arena(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_read_back_as_they_are_shown),
        cmocka_unit_test(ddl_forms_and_defaults_are_understood),
        cmocka_unit_test(bad_types_are_refused),
        cmocka_unit_test(deep_nesting_is_bounded),
        cmocka_unit_test(common_super_types_are_trinos),
        cmocka_unit_test(coercions_have_a_direction),
        cmocka_unit_test(identity_counts_parameters_and_field_names),
        cmocka_unit_test(maps_and_json_do_not_order),
        cmocka_unit_test(physical_types_are_duckdbs),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
