#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/range.h"

static void assert_part(const char *header, uint64_t size, uint64_t first, uint64_t last)
{
    uint64_t f = 0, l = 0;

    if (http_range_parse(str_from_cstr(header), size, &f, &l) != HTTP_RANGE_PART)
        fail_msg("%s is not a part", header);
    assert_int_equal(f, first);
    assert_int_equal(l, last);
}

static void assert_kind(const char *header, uint64_t size, enum http_range_kind kind)
{
    uint64_t f = 7, l = 7;

    if (http_range_parse(str_from_cstr(header), size, &f, &l) != kind)
        fail_msg("%s is not of kind %d", header, kind);
    assert_int_equal(f, 7); /* untouched */
    assert_int_equal(l, 7);
}

static void parts_are_inclusive_and_clamped_to_the_size(void **state)
{
    (void)state;
    assert_part("bytes=0-0", 10, 0, 0);
    assert_part("bytes=2-5", 10, 2, 5);
    assert_part("bytes=2-", 10, 2, 9);
    assert_part("bytes=2-99", 10, 2, 9);
    assert_part("bytes=9-18446744073709551616", 10, 9, 9);
    assert_part("Bytes= 1-2 ", 10, 1, 2);
}

static void a_suffix_is_the_last_bytes(void **state)
{
    (void)state;
    assert_part("bytes=-3", 10, 7, 9);
    assert_part("bytes=-99", 10, 0, 9);
}

static void what_begins_past_the_end_is_unsatisfiable(void **state)
{
    (void)state;
    assert_kind("bytes=10-", 10, HTTP_RANGE_UNSATISFIABLE);
    assert_kind("bytes=99999999999999999999-", 10, HTTP_RANGE_UNSATISFIABLE);
    assert_kind("bytes=-0", 10, HTTP_RANGE_UNSATISFIABLE);
    assert_kind("bytes=0-", 0, HTTP_RANGE_UNSATISFIABLE);
    assert_kind("bytes=-5", 0, HTTP_RANGE_UNSATISFIABLE);
}

static void what_is_malformed_or_several_asks_for_the_whole(void **state)
{
    static const char *const headers[] = {"",          "bytes",      "bytes=",     "bytes=-",       "bytes=5-2",
                                          "bytes=a-b", "bytes=1-2a", "bytes=+1-2", "bytes=1-2,4-5", "items=0-1",
                                          "bytes=--1", "bytes=1 -2"};
    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        assert_kind(headers[i], 10, HTTP_RANGE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_inclusive_and_clamped_to_the_size),
        cmocka_unit_test(a_suffix_is_the_last_bytes),
        cmocka_unit_test(what_begins_past_the_end_is_unsatisfiable),
        cmocka_unit_test(what_is_malformed_or_several_asks_for_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
