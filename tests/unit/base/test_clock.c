/* Durations as Trino's configuration and session write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"

static void a_duration_is_a_number_and_a_unit(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } known[] = {
        {"0s", 0},          {"1500ns", 1},
        {"7us", 7},         {"300ms", 300000},
        {"1.50s", 1500000}, {"5m", 300000000},
        {"2h", 7200000000}, {"100.00d", 8640000000000},
        {"30 s", 30000000}, {"1000000000.00d", INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        int64_t us = -1;

        assert_int_equal(clock_parse_duration(str_from_cstr(known[i].text), &us, NULL), 0);
        if (us != known[i].us)
            fail_msg("%s is %lld us, not %lld", known[i].text, (long long)known[i].us, (long long)us);
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    static const char *const texts[] = {"", "5", "s", "-1s", "1,5s", "1.s", ".5s", "1..5s", "5 minutes", "1e3s", "5S"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct err err = {0};
        int64_t us = -1;

        if (clock_parse_duration(str_from_cstr(texts[i]), &us, &err) != ERR_INVALID || us != -1)
            fail_msg("'%s' was taken", texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_is_a_number_and_a_unit),
        cmocka_unit_test(what_is_no_duration_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
