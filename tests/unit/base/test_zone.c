#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/zone.h"

static int64_t seconds(const char *text)
{
    int64_t us = 0;

    assert_int_equal(clock_parse_rfc3339(str_from_cstr(text), &us, NULL), 0);
    return us / 1000000;
}

static void assert_offset(const char *name, const char *utc, int hours, int minutes)
{
    const struct zone *z = zone_find(str_from_cstr(name));

    assert_non_null(z);
    int found = zone_offset_s(z, seconds(utc)), want = hours * 3600 + minutes * 60;
    if (found != want)
        fail_msg("%s at %s: %d s, not %d s", name, utc, found, want);
}

static void fixed_offsets_need_no_file(void **state)
{
    (void)state;
    assert_offset("UTC", "2024-01-01T00:00:00Z", 0, 0);
    assert_offset("+05:30", "2024-01-01T00:00:00Z", 5, 30);
    assert_offset("-08:00", "1900-01-01T00:00:00Z", -8, 0);
    assert_null(zone_find(STR("+15:00")));
    assert_null(zone_find(STR("+5:30")));
}

static void daylight_saving_begins_and_ends_at_its_second(void **state)
{
    (void)state;
    assert_offset("Europe/Berlin", "2024-03-31T00:59:59Z", 1, 0);
    assert_offset("Europe/Berlin", "2024-03-31T01:00:00Z", 2, 0);
    assert_offset("Europe/Berlin", "2024-10-27T00:59:59Z", 2, 0);
    assert_offset("Europe/Berlin", "2024-10-27T01:00:00Z", 1, 0);
    assert_offset("America/New_York", "2024-07-01T00:00:00Z", -4, 0);
    assert_offset("Australia/Sydney", "2024-01-01T00:00:00Z", 11, 0); /* summer over the turn of the year */
    assert_offset("Australia/Sydney", "2024-07-01T00:00:00Z", 10, 0);
    assert_offset("Asia/Kolkata", "2024-07-01T00:00:00Z", 5, 30);
}

static void the_rule_holds_after_the_last_transition(void **state)
{
    (void)state;
    assert_offset("Europe/Berlin", "2099-07-01T00:00:00Z", 2, 0);
    assert_offset("Europe/Berlin", "2099-12-01T00:00:00Z", 1, 0);
    assert_offset("Australia/Sydney", "2099-12-31T00:00:00Z", 11, 0);
    assert_offset("Asia/Tokyo", "2099-07-01T00:00:00Z", 9, 0);
}

static void history_is_known(void **state)
{
    (void)state;
    assert_offset("Europe/Moscow", "2012-01-01T00:00:00Z", 4, 0);
    assert_offset("Europe/Moscow", "2015-01-01T00:00:00Z", 3, 0);
}

static void names_do_not_lead_out_of_the_database(void **state)
{
    static const char *const names[] = {
        "",        "/etc/passwd", "../../../etc/passwd", "Europe/../../x", "Mars/Olympus", "Europe//Berlin",
        "Europe/", "Europe"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_null(zone_find(str_from_cstr(names[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_offsets_need_no_file),
        cmocka_unit_test(daylight_saving_begins_and_ends_at_its_second),
        cmocka_unit_test(the_rule_holds_after_the_last_transition),
        cmocka_unit_test(history_is_known),
        cmocka_unit_test(names_do_not_lead_out_of_the_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
