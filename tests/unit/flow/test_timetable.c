/* Timetables: each answer that real Airflow gave (tests/golden/airflow/timetables.json) is ours too. */
#include "flow/timetable.h"

#include "flow/cron.h"
#include "os/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *golden;

static int64_t seconds_of(const json_t *j)
{
    return json_integer_value(j) * 1000000;
}

static json_t *load(struct buf *text)
{
    json_t *all;
    struct err err = {0};

    buf_init(text, 16 << 20);
    assert_int_equal(file_read(golden, text, &err), 0);
    assert_int_equal(json_parse(buf_str(text), &all, &err), 0);
    return all;
}

static void describe(const json_t *timetable, const json_t *one, const struct run_times *got, bool found)
{
    char *t = json_dumps(timetable, JSON_COMPACT), *c = json_dumps(one, JSON_COMPACT);

    if (found)
        print_error("%s\n%s\ngot [%lld, %lld, %lld]\n", t, c, (long long)got->run_after_us / 1000000,
                    (long long)got->interval.start_us / 1000000, (long long)got->interval.end_us / 1000000);
    else
        print_error("%s\n%s\ngot nothing\n", t, c);
    free(t);
    free(c);
}

static bool is_right(const struct timetable *t, const json_t *timetable, const json_t *one)
{
    const json_t *earliest = json_array_get(one, 1), *latest = json_array_get(one, 2), *last = json_array_get(one, 4);
    const json_t *next = json_array_get(one, 5);
    struct time_restriction r = {
        .has_earliest = !json_is_null(earliest),
        .has_latest = !json_is_null(latest),
        .catchup = json_is_true(json_array_get(one, 3)),
        .earliest_us = seconds_of(earliest),
        .latest_us = seconds_of(latest),
    };
    struct data_interval before = {seconds_of(json_array_get(last, 0)), seconds_of(json_array_get(last, 1))};
    struct run_times got = {0};
    bool found = timetable_next(t, json_is_null(last) ? NULL : &before, &r, seconds_of(json_array_get(one, 0)), &got);
    bool right = found == json_is_array(next) &&
                 (!found || (got.run_after_us == seconds_of(json_array_get(next, 0)) &&
                             got.interval.start_us == seconds_of(json_array_get(next, 1)) &&
                             got.interval.end_us == seconds_of(json_array_get(next, 2))));

    if (!right)
        describe(timetable, one, &got, found);
    return right;
}

static void next_runs_are_those_of_airflow(void **state)
{
    BUF_SCOPED struct buf text;
    JSON_SCOPED json_t *all = load(&text);
    size_t i, k, wrong = 0, seen = 0;
    json_t *each, *one;

    (void)state;
    json_array_foreach(all, i, each)
    {
        ARENA_SCOPED struct arena a = ARENA_INIT;
        struct timetable *t;
        struct err err = {0};
        assert_int_equal(timetable_parse(&a, json_object_get(each, "timetable"), &t, &err), 0);
        json_array_foreach(json_object_get(each, "cases"), k, one)
        {
            wrong += !is_right(t, json_object_get(each, "timetable"), one);
            seen++;
        }
    }
    assert_int_equal(wrong, 0);
    assert_true(seen > 5000);
}

static void intervals_of_triggered_runs_are_those_of_airflow(void **state)
{
    BUF_SCOPED struct buf text;
    JSON_SCOPED json_t *all = load(&text);
    size_t i, k;
    json_t *each, *one;

    (void)state;
    json_array_foreach(all, i, each)
    {
        ARENA_SCOPED struct arena a = ARENA_INIT;
        struct timetable *t;
        struct err err = {0};
        assert_int_equal(timetable_parse(&a, json_object_get(each, "timetable"), &t, &err), 0);
        json_array_foreach(json_object_get(each, "manual"), k, one)
        {
            struct data_interval got = timetable_manual_interval(t, seconds_of(json_array_get(one, 0)));
            bool right = got.start_us == seconds_of(json_array_get(one, 1)) &&
                         got.end_us == seconds_of(json_array_get(one, 2));
            if (!right) {
                struct run_times r = {0, got};
                describe(json_object_get(each, "timetable"), one, &r, true);
            }
            assert_true(right);
        }
    }
}

static int parse(const char *json, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    JSON_SCOPED json_t *j = NULL;
    struct timetable *t;

    assert_int_equal(json_parse(str_from_cstr(json), &j, err), 0);
    return timetable_parse(&a, j, &t, err);
}

static void what_makes_no_timetable_is_refused(void **state)
{
    static const struct {
        const char *json;
        int code;
        const char *message;
    } cases[] = {
        {"{}", ERR_INVALID, "__type"},
        {"{\"__type\":\"airflow.timetables.simple.OnceTimetable\"}", ERR_INVALID, "__var"},
        {"{\"__type\":\"my.plugin.Workdays\",\"__var\":{}}", ERR_UNSUPPORTED, "my.plugin.Workdays"},
        {"{\"__type\":\"airflow.timetables.interval.CronDataIntervalTimetable\",\"__var\":{\"expression\":\"0 12 * *\","
         "\"timezone\":\"UTC\"}}",
         ERR_INVALID, "has 4 fields"},
        {"{\"__type\":\"airflow.timetables.interval.CronDataIntervalTimetable\",\"__var\":{\"expression\":\"0 12 * * "
         "*\","
         "\"timezone\":\"Mars/Olympus\"}}",
         ERR_INVALID, "Mars/Olympus"},
        {"{\"__type\":\"airflow.timetables.interval.DeltaDataIntervalTimetable\",\"__var\":{\"delta\":0.0}}",
         ERR_INVALID, "must be positive"},
        {"{\"__type\":\"airflow.timetables.interval.DeltaDataIntervalTimetable\",\"__var\":{\"delta\":1e300}}",
         ERR_INVALID, "out of range"},
        {"{\"__type\":\"airflow.timetables.interval.DeltaDataIntervalTimetable\",\"__var\":{\"delta\":{\"weekday\":1}}"
         "}",
         ERR_UNSUPPORTED, "weekday"},
        {"{\"__type\":\"airflow.timetables.events.EventsTimetable\",\"__var\":{\"event_dates\":[\"soon\"]}}",
         ERR_INVALID, "soon"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct err err = {0};
        assert_int_equal(parse(cases[i].json, &err), cases[i].code);
        assert_non_null(strstr(err.message, cases[i].message));
    }
}

static void malformed_crons_name_the_field(void **state)
{
    static const char *const cases[][2] = {
        {"60 * * * *", "minute"},  {"* 24 * * *", "hour"},         {"* * 0 * *", "day of month"},
        {"* * * 13 *", "month"},   {"* * * * 8", "weekday"},       {"* * * * mon#6", "weekday"},
        {"*/0 * * * *", "minute"}, {"a * * * *", "minute"},        {", * * * *", "minute"},
        {"1- * * * *", "minute"},  {"* * * * * 60", "second"},     {"", "0 fields"},
        {"H * * * *", "hashed"},   {"* * * * * * *", "more than"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct cron c;
        struct err err = {0};
        assert_true(cron_parse(str_from_cstr(cases[i][0]), &c, &err) < 0);
        const char *want = strcmp(cases[i][1], "weekday") == 0 ? "day of week" : cases[i][1];
        if (!strstr(err.message, want))
            print_error("%s: %s\n", cases[i][0], err.message);
        assert_non_null(strstr(err.message, want));
    }
}

static void a_cron_that_never_comes_gives_no_run(void **state)
{
    struct cron c;
    struct err err = {0};
    int64_t at;

    (void)state;
    assert_int_equal(cron_parse(STR("0 0 31 2 *"), &c, &err), 0);
    assert_false(cron_next(&c, 0, &at));
    assert_false(cron_prev(&c, 0, &at));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_runs_are_those_of_airflow),
        cmocka_unit_test(intervals_of_triggered_runs_are_those_of_airflow),
        cmocka_unit_test(what_makes_no_timetable_is_refused),
        cmocka_unit_test(malformed_crons_name_the_field),
        cmocka_unit_test(a_cron_that_never_comes_gives_no_run),
    };

    if (argc < 2)
        return 2;
    golden = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
