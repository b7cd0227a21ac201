#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/enc.h"
#include "iceberg/schema.h"
#include "iceberg/transform.h"

static struct arena arena;

static const struct iceberg_type *type(const char *text)
{
    const struct iceberg_type *t;
    json_t *j = json_string(text);
    struct err err = {0};

    if (iceberg_type_parse(&arena, j, 0, &t, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    json_decref(j);
    return t;
}

static void assert_encodes(const char *name, struct iceberg_value v, const char *hex)
{
    const struct iceberg_type *t = type(name);
    BUF_SCOPED struct buf bytes;
    BUF_SCOPED struct buf text;
    struct iceberg_value back;
    struct err err = {0};

    buf_init(&bytes, 1000);
    buf_init(&text, 1000);
    iceberg_value_encode(&bytes, t, &v);
    enc_hex(&text, bytes.p, bytes.n);
    assert_string_equal(buf_cstr(&text), hex);
    if (iceberg_value_decode(t, buf_str(&bytes), &back, &err) < 0)
        fail_msg("%s: %s", name, err.message);
    assert_int_equal(iceberg_value_compare(t, &v, &back), 0);
}

static void values_have_the_specifications_bytes(void **state)
{
    (void)state;
    assert_encodes("boolean", (struct iceberg_value){.i = 1}, "01");
    assert_encodes("boolean", (struct iceberg_value){.i = 0}, "00");
    assert_encodes("int", (struct iceberg_value){.i = 34}, "22000000");
    assert_encodes("int", (struct iceberg_value){.i = -1}, "ffffffff");
    assert_encodes("long", (struct iceberg_value){.i = 34}, "2200000000000000");
    assert_encodes("float", (struct iceberg_value){.f = -4.5}, "000090c0");
    assert_encodes("double", (struct iceberg_value){.f = 6.0}, "0000000000001840");
    assert_encodes("date", (struct iceberg_value){.i = 1200}, "b0040000");
    assert_encodes("time", (struct iceberg_value){.i = 10000}, "1027000000000000");
    assert_encodes("timestamp", (struct iceberg_value){.i = 400000}, "801a060000000000");
    assert_encodes("timestamptz", (struct iceberg_value){.i = 100000}, "a086010000000000");
    assert_encodes("string", (struct iceberg_value){.bytes = STR("ABC")}, "414243");
    assert_encodes("uuid", (struct iceberg_value){.bytes = STR("0123456789abcdef")},
                   "30313233343536373839616263646566");
    assert_encodes("fixed[2]", (struct iceberg_value){.bytes = STR("ab")}, "6162");
    assert_encodes("binary", (struct iceberg_value){.bytes = STR("Z")}, "5a");
    assert_encodes("decimal(5, 2)", (struct iceberg_value){.unscaled = 345}, "0159");
    assert_encodes("decimal(7, 4)", (struct iceberg_value){.unscaled = 1234567}, "12d687");
    assert_encodes("decimal(7, 4)", (struct iceberg_value){.unscaled = -1234567}, "ed2979");
    assert_encodes("decimal(9, 0)", (struct iceberg_value){.unscaled = 11}, "0b");
    assert_encodes("decimal(9, 0)", (struct iceberg_value){.unscaled = 128}, "0080");
    assert_encodes("decimal(9, 0)", (struct iceberg_value){.unscaled = -128}, "80");
    assert_encodes("decimal(9, 0)", (struct iceberg_value){.unscaled = 0}, "00");
}

static void values_from_before_a_promotion_are_read(void **state)
{
    struct iceberg_value v;

    (void)state;
    assert_int_equal(iceberg_value_decode(type("long"), str_from("\xff\xff\xff\xff", 4), &v, NULL), 0);
    assert_int_equal(v.i, -1);
    assert_int_equal(iceberg_value_decode(type("double"), str_from("\x00\x00\x90\xc0", 4), &v, NULL), 0);
    assert_true(v.f == -4.5);
}

static void values_of_a_wrong_length_are_refused(void **state)
{
    struct iceberg_value v;
    struct err err = {0};

    (void)state;
    assert_int_equal(iceberg_value_decode(type("int"), STR("abc"), &v, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.message, "type int in 3 bytes"));
    assert_int_equal(iceberg_value_decode(type("decimal(9, 2)"), STR(""), &v, &err), ERR_CORRUPT);
    assert_int_equal(iceberg_value_decode(type("decimal(9, 2)"), STR("aaaaaaaaaaaaaaaaa"), &v, &err), ERR_CORRUPT);
    assert_int_equal(iceberg_value_decode(type("uuid"), STR("a"), &v, &err), ERR_CORRUPT);
    assert_int_equal(iceberg_value_decode(type("long"), STR(""), &v, &err), ERR_CORRUPT);
}

static void text_is_ordered_by_code_points(void **state)
{
    struct iceberg_value bmp = {.bytes = STR("\xef\xbf\xbd")}, above = {.bytes = STR("\xf0\x9f\x98\x80")};

    (void)state;
    /* U+FFFD is before U+1F600, unlike in UTF-16 */
    assert_true(iceberg_value_compare(type("string"), &bmp, &above) < 0);
}

static void nan_is_above_numbers_and_zeros_are_equal(void **state)
{
    struct iceberg_value nan = {.f = 0.0 / 0.0}, inf = {.f = 1.0 / 0.0}, zero = {.f = 0.0}, minus = {.f = -0.0};

    (void)state;
    assert_true(iceberg_value_compare(type("double"), &nan, &inf) > 0);
    assert_int_equal(iceberg_value_compare(type("double"), &nan, &nan), 0);
    assert_int_equal(iceberg_value_compare(type("double"), &zero, &minus), 0);
}

static void assert_bound(const char *t, bool upper, struct str v, struct str want)
{
    struct iceberg_value value = {.bytes = v};

    bool is_bound = iceberg_truncate_bound(&arena, type(t), upper, &value);
    assert_int_equal(is_bound, !str_is_null(want));
    if (is_bound && !str_eq(value.bytes, want))
        fail_msg("\"%.*s\" isn't \"%.*s\"", STR_ARG(value.bytes), STR_ARG(want));
}

static void bounds_are_cut_to_16_and_upper_ones_rounded_up(void **state)
{
    (void)state;
    assert_bound("string", false, STR("0123456789abcdef"), STR("0123456789abcdef"));
    assert_bound("string", true, STR("0123456789abcdef"), STR("0123456789abcdef"));
    assert_bound("string", false, STR("0123456789abcdefg"), STR("0123456789abcdef"));
    assert_bound("string", true, STR("0123456789abcdefg"), STR("0123456789abcdeg"));
    assert_bound("binary", false, STR("0123456789abcdefg"), STR("0123456789abcdef"));
    assert_bound("binary", true, STR("0123456789abcdefg"), STR("0123456789abcdeg"));
}

static void bounds_count_code_points_not_bytes(void **state)
{
    (void)state;
    assert_bound("string", false,
                 STR("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                     "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"),
                 STR("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                     "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"));
}

static void rounding_up_carries_over_what_cannot_grow(void **state)
{
    (void)state;
    /* U+10FFFF is the last: the one before it grows */
    assert_bound("string", true, STR("0123456789abcde\xf4\x8f\xbf\xbfx"), STR("0123456789abcdf"));
    /* over the surrogates: U+D7FF to U+E000 */
    assert_bound("string", true, STR("0123456789abcde\xed\x9f\xbfx"), STR("0123456789abcde\xee\x80\x80"));
    /* to a longer form: U+7F to U+80 */
    assert_bound("string", true, STR("0123456789abcde\x7fx"), STR("0123456789abcde\xc2\x80"));
    assert_bound("binary", true, STR("0123456789abcde\xffx"), STR("0123456789abcdf"));
    assert_bound("binary", true, STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), STR_NULL);
    assert_bound("string", true,
                 STR("\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf"
                     "\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf"
                     "\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf"),
                 STR_NULL);
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
        cmocka_unit_test(values_have_the_specifications_bytes),
        cmocka_unit_test(values_from_before_a_promotion_are_read),
        cmocka_unit_test(values_of_a_wrong_length_are_refused),
        cmocka_unit_test(text_is_ordered_by_code_points),
        cmocka_unit_test(nan_is_above_numbers_and_zeros_are_equal),
        cmocka_unit_test(bounds_are_cut_to_16_and_upper_ones_rounded_up),
        cmocka_unit_test(bounds_count_code_points_not_bytes),
        cmocka_unit_test(rounding_up_carries_over_what_cannot_grow),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
