#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "iceberg/schema.h"
#include "iceberg/transform.h"

static struct arena arena;

/* Appendix B: 32-bit hash requirements. */
static void hashes_are_the_specifications(void **state)
{
    static const struct {
        struct str bytes;
        int32_t hash;
    } cases[] = {
        {{"\x22\0\0\0\0\0\0\0", 8}, 2017239379},                                                /* 34 */
        {{"\x05\x8c", 2}, -500754589},                                                          /* decimal 14.20 */
        {{"iceberg", 7}, 1210000089},                                                           /* string */
        {{"\xf7\x9c\x3e\x09\x67\x7c\x4b\xbd\xa4\x79\x3f\x34\x9c\xb7\x85\xe7", 16}, 1488055340}, /* uuid */
        {{"\0\1\2\3", 4}, -188683207},                                                          /* fixed, binary */
        {{"\x4e\x44\0\0\0\0\0\0", 8}, -653330422},                                              /* date 2017-11-16 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal((int32_t)iceberg_murmur3(cases[i].bytes), cases[i].hash);
}

static int64_t apply(enum iceberg_transform t, int param, enum iceberg_type_kind kind, struct iceberg_value v)
{
    struct iceberg_partition_field f = {.transform = t, .param = param};
    struct iceberg_type type = {.kind = kind, .precision = 9, .scale = 2};
    struct iceberg_value r;
    struct err err = {0};

    if (iceberg_transform_apply(&arena, &f, &type, &v, &r, &err) < 0)
        fail_msg("%s", err.message);
    return kind == ICEBERG_DECIMAL && t == ICEBERG_TRUNCATE ? (int64_t)r.unscaled : r.i;
}

static struct iceberg_value number(int64_t i)
{
    return (struct iceberg_value){.i = i, .unscaled = i};
}

static void buckets_are_the_hash_without_its_sign_modulo_n(void **state)
{
    (void)state;
    assert_int_equal(apply(ICEBERG_BUCKET, 16, ICEBERG_LONG, number(34)), 2017239379 % 16);
    assert_int_equal(apply(ICEBERG_BUCKET, 16, ICEBERG_INT, number(34)), 2017239379 % 16);
    assert_int_equal(apply(ICEBERG_BUCKET, 100, ICEBERG_DECIMAL, number(1420)), (-500754589 & INT32_MAX) % 100);
    assert_int_equal(apply(ICEBERG_BUCKET, 7, ICEBERG_STRING, (struct iceberg_value){.bytes = STR("iceberg")}),
                     1210000089 % 7);
}

static void truncation_goes_down_also_below_zero(void **state)
{
    (void)state;
    assert_int_equal(apply(ICEBERG_TRUNCATE, 10, ICEBERG_INT, number(1)), 0);
    assert_int_equal(apply(ICEBERG_TRUNCATE, 10, ICEBERG_INT, number(-1)), -10);
    assert_int_equal(apply(ICEBERG_TRUNCATE, 10, ICEBERG_LONG, number(-10)), -10);
    assert_int_equal(apply(ICEBERG_TRUNCATE, 50, ICEBERG_DECIMAL, number(1065)), 1050);
    assert_int_equal(apply(ICEBERG_TRUNCATE, 50, ICEBERG_DECIMAL, number(-1065)), -1100);
}

static void text_is_truncated_by_code_points(void **state)
{
    struct iceberg_partition_field f = {.transform = ICEBERG_TRUNCATE, .param = 3};
    struct iceberg_type type = {.kind = ICEBERG_STRING};
    struct iceberg_value v = {.bytes = STR("a\xc3\xa9\xf0\x9f\x98\x80z")}, r;

    (void)state;
    assert_int_equal(iceberg_transform_apply(&arena, &f, &type, &v, &r, NULL), 0);
    assert_true(str_eq(r.bytes, STR("a\xc3\xa9\xf0\x9f\x98\x80")));
}

static void dates_count_from_1970_also_backwards(void **state)
{
    int64_t day = clock_days_from_civil(2017, 11, 16), before = clock_days_from_civil(1969, 12, 31);
    const int64_t hour = 3600000000;

    (void)state;
    assert_int_equal(apply(ICEBERG_YEAR, 0, ICEBERG_DATE, number(day)), 47);
    assert_int_equal(apply(ICEBERG_MONTH, 0, ICEBERG_DATE, number(day)), 574);
    assert_int_equal(apply(ICEBERG_DAY, 0, ICEBERG_DATE, number(day)), 17486);
    assert_int_equal(apply(ICEBERG_YEAR, 0, ICEBERG_DATE, number(before)), -1);
    assert_int_equal(apply(ICEBERG_MONTH, 0, ICEBERG_DATE, number(before)), -1);
    assert_int_equal(apply(ICEBERG_DAY, 0, ICEBERG_DATE, number(before)), -1);
    assert_int_equal(apply(ICEBERG_HOUR, 0, ICEBERG_TIMESTAMP, number(day * 24 * hour + 22 * hour + 31)), 419686);
    assert_int_equal(apply(ICEBERG_HOUR, 0, ICEBERG_TIMESTAMP, number(-1)), -1);
    assert_int_equal(apply(ICEBERG_DAY, 0, ICEBERG_TIMESTAMPTZ, number(-1)), -1);
    assert_int_equal(apply(ICEBERG_YEAR, 0, ICEBERG_TIMESTAMP, number(-1)), -1);
}

static void months_agree_with_the_calendar_for_a_thousand_years(void **state)
{
    (void)state;
    for (int64_t days = -300000; days < 300000; days += 17) {
        struct clock_civil c;
        clock_civil_from_us(days * 86400000000, &c);
        assert_int_equal(apply(ICEBERG_MONTH, 0, ICEBERG_DATE, number(days)), (c.year - 1970) * 12 + c.month - 1);
        assert_int_equal(apply(ICEBERG_YEAR, 0, ICEBERG_DATE, number(days)), c.year - 1970);
    }
}

static void null_stays_null_and_void_is_always(void **state)
{
    struct iceberg_partition_field f = {.transform = ICEBERG_BUCKET, .param = 3};
    struct iceberg_type type = {.kind = ICEBERG_INT};
    struct iceberg_value v = {.is_null = true}, r;

    (void)state;
    assert_int_equal(iceberg_transform_apply(&arena, &f, &type, &v, &r, NULL), 0);
    assert_true(r.is_null);
    f.transform = ICEBERG_VOID;
    v = number(1);
    assert_int_equal(iceberg_transform_apply(&arena, &f, &type, &v, &r, NULL), 0);
    assert_true(r.is_null);
}

static struct iceberg_schema schema(void)
{
    static struct iceberg_type types[] = {
        {.kind = ICEBERG_LONG}, {.kind = ICEBERG_DATE}, {.kind = ICEBERG_DOUBLE}, {.kind = ICEBERG_STRING}};
    static struct iceberg_field fields[] = {
        {.id = 1, .name = {"orderkey", 8}, .type = &types[0]},
        {.id = 2, .name = {"orderdate", 9}, .type = &types[1]},
        {.id = 3, .name = {"price", 5}, .type = &types[2]},
        {.id = 4, .name = {"two words", 9}, .type = &types[3]},
        {.id = 5, .name = {"orderdate_month", 15}, .type = &types[3]},
    };

    return (struct iceberg_schema){.fields = fields, .field_count = 5};
}

static void trinos_partitioning_texts_are_read_and_printed(void **state)
{
    static const struct {
        const char *text, *name, *transform, *printed;
    } cases[] = {
        {"orderkey", "orderkey", "identity", "orderkey"},
        {"bucket(orderkey, 16)", "orderkey_bucket", "bucket[16]", "bucket(orderkey, 16)"},
        {"BUCKET(orderkey,16)", "orderkey_bucket", "bucket[16]", "bucket(orderkey, 16)"},
        {"truncate(\"two words\", 4)", "two words_trunc", "truncate[4]", "truncate(\"two words\", 4)"},
        {"year(orderdate)", "orderdate_year", "year", "year(orderdate)"},
        {"month(orderdate)", "orderdate_month_2", "month", "month(orderdate)"},
        {"day(orderdate)", "orderdate_day", "day", "day(orderdate)"},
        {"void(price)", "price_null", "void", "void(price)"},
        {"\"two words\"", "two words", "identity", "\"two words\""},
    };
    struct iceberg_schema s = schema();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct iceberg_partition_field f;
        struct err err = {0};
        if (iceberg_partition_parse(&arena, &s, str_from_cstr(cases[i].text), &f, &err) < 0)
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_true(str_eq_cstr(f.name, cases[i].name));
        assert_true(str_eq_cstr(iceberg_transform_name(&arena, &f), cases[i].transform));
        assert_true(str_eq_cstr(iceberg_partition_format(&arena, &s, &f), cases[i].printed));
        enum iceberg_transform back;
        int param;
        iceberg_transform_parse(str_from_cstr(cases[i].transform), &back, &param);
        assert_int_equal(back, f.transform);
        assert_int_equal(param, f.param);
    }
}

static void wrong_partitioning_is_refused_in_icebergs_words(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"bucket(orderkey)", "Invalid partition field declaration: bucket(orderkey)"},
        {"bucket(orderkey, 0)", "Invalid partition field declaration: bucket(orderkey, 0)"},
        {"bucket(orderkey, 99999999999)", "Invalid partition field declaration: bucket(orderkey, 99999999999)"},
        {"", "Invalid partition field declaration: "},
        {"week(orderdate)", "Invalid partition field declaration: week(orderdate)"},
        {"\"open", "Invalid partition field declaration: \"open"},
        {"nothing", "Cannot find source column: nothing"},
        {"hour(orderdate)", "Invalid source type date for transform: hour"},
        {"bucket(price, 4)", "Invalid source type double for transform: bucket[4]"},
    };
    struct iceberg_schema s = schema();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct iceberg_partition_field f;
        struct err err = {0};
        assert_int_equal(iceberg_partition_parse(&arena, &s, str_from_cstr(cases[i].text), &f, &err), ERR_INVALID);
        assert_string_equal(err.message, cases[i].message);
    }
}

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_the_specifications),
        cmocka_unit_test(buckets_are_the_hash_without_its_sign_modulo_n),
        cmocka_unit_test(truncation_goes_down_also_below_zero),
        cmocka_unit_test(text_is_truncated_by_code_points),
        cmocka_unit_test(dates_count_from_1970_also_backwards),
        cmocka_unit_test(months_agree_with_the_calendar_for_a_thousand_years),
        cmocka_unit_test(null_stays_null_and_void_is_always),
        cmocka_unit_test(trinos_partitioning_texts_are_read_and_printed),
        cmocka_unit_test(wrong_partitioning_is_refused_in_icebergs_words),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
