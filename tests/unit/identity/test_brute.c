#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/brute.h"

#include <unistd.h>

static char folder[] = "/tmp/dp-brute-XXXXXX";
static struct db *db;
static struct events *events;
static struct realm realm = {.id = {"r1", 2}, .name = {"test", 4}};
static const struct user alice = {.id = {"u1", 2}, .username = {"alice", 5}}, bob = {.id = {"u2", 2}};

enum { T0 = 1000000000 }; /* ms */

static int open_database(void **state)
{
    char path[64];
    struct err err = {0};
    (void)state;

    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/db", folder);
    if (db_open_sqlite(path, &db, &err) < 0 || events_open(db, &events, &err) < 0)
        fail_msg("%s", err.message);
    return 0;
}

static int close_database(void **state)
{
    char command[128];
    (void)state;

    events_close(events);
    db_close(db);
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command); // NOLINT(cert-env33-c)
}

static enum brute_verdict check(struct brute *b, const struct user *u, int64_t now_ms, int *wait_s)
{
    return brute_check(b, &realm, u, STR("192.0.2.1"), now_ms, wait_s);
}

static void fail_times(struct brute *b, const struct user *u, int n, int64_t from_ms)
{
    for (int i = 0; i < n; i++)
        brute_failed(b, &realm, u, STR("192.0.2.1"), from_ms + (int64_t)i * 2000);
}

static void after_as_many_failures_as_the_realm_allows_the_user_has_to_wait(void **state)
{
    struct brute *b = brute_new(NULL, events);
    int wait_s = 0;
    (void)state;

    realm.rep = json_pack("{s:b, s:i, s:i, s:i}", "bruteForceProtected", 1, "failureFactor", 3, "waitIncrementSeconds",
                          60, "maxFailureWaitSeconds", 100);
    fail_times(b, &alice, 2, T0);
    assert_int_equal(check(b, &alice, T0 + 3000, NULL), BRUTE_FREE);
    fail_times(b, &alice, 1, T0 + 4000);
    assert_int_equal(check(b, &alice, T0 + 4000, &wait_s), BRUTE_USER_LOCKED);
    assert_int_equal(wait_s, 60);
    assert_int_equal(check(b, &bob, T0 + 4000, NULL), BRUTE_FREE);
    assert_int_equal(check(b, &alice, T0 + 64000, NULL), BRUTE_FREE);
    fail_times(b, &alice, 3, T0 + 70000);
    assert_int_equal(check(b, &alice, T0 + 74000, &wait_s), BRUTE_USER_LOCKED);
    assert_int_equal(wait_s, 100); /* 2 × 60, at most 100 */
    brute_succeeded(b, &realm, &alice, STR("192.0.2.1"));
    assert_int_equal(check(b, &alice, T0 + 74000, NULL), BRUTE_FREE);
    json_decref(realm.rep);
    brute_free(b);
}

static void two_failures_in_quick_succession_are_a_program(void **state)
{
    struct brute *b = brute_new(NULL, events);
    int wait_s = 0;
    (void)state;

    realm.rep = json_pack("{s:b}", "bruteForceProtected", 1);
    brute_failed(b, &realm, &alice, STR("192.0.2.1"), T0);
    assert_int_equal(check(b, &alice, T0, NULL), BRUTE_FREE);
    brute_failed(b, &realm, &alice, STR("192.0.2.1"), T0 + 500);
    assert_int_equal(check(b, &alice, T0 + 500, &wait_s), BRUTE_USER_LOCKED);
    assert_int_equal(wait_s, 60);
    json_decref(realm.rep);
    brute_free(b);
}

static void old_failures_are_forgotten(void **state)
{
    struct brute *b = brute_new(NULL, events);
    ARENA_SCOPED struct arena a;
    struct brute_status status;
    (void)state;

    arena_init(&a, 0);
    realm.rep = json_pack("{s:b, s:i, s:i}", "bruteForceProtected", 1, "failureFactor", 3, "maxDeltaTimeSeconds", 100);
    fail_times(b, &alice, 2, T0);
    fail_times(b, &alice, 1, T0 + 200000);
    assert_int_equal(check(b, &alice, T0 + 200000, NULL), BRUTE_FREE);
    brute_status(b, &a, &realm, alice.id, T0 + 200000, &status);
    assert_int_equal(status.failures, 1);
    assert_true(str_eq(status.last_ip, STR("192.0.2.1")));
    brute_clear(b, &realm, STR_NULL);
    brute_status(b, &a, &realm, alice.id, T0 + 200000, &status);
    assert_int_equal(status.failures, 0);
    json_decref(realm.rep);
    brute_free(b);
}

static void an_address_that_fails_often_waits_whatever_the_realm_says_and_recovers(void **state)
{
    struct brute *b = brute_new(NULL, events);
    int wait_s = 0;
    (void)state;

    realm.rep = json_object();
    for (int i = 0; i < 50; i++)
        brute_failed(b, &realm, NULL, STR("192.0.2.1"), T0);
    assert_int_equal(check(b, NULL, T0, NULL), BRUTE_FREE);
    brute_failed(b, &realm, NULL, STR("192.0.2.1"), T0);
    assert_int_equal(check(b, NULL, T0, &wait_s), BRUTE_ADDRESS);
    assert_int_equal(wait_s, 2);
    assert_int_equal(brute_check(b, &realm, NULL, STR("192.0.2.2"), T0, NULL), BRUTE_FREE);
    brute_failed(b, &realm, NULL, STR("192.0.2.1"), T0);
    assert_int_equal(check(b, NULL, T0, &wait_s), BRUTE_ADDRESS);
    assert_int_equal(wait_s, 4);
    assert_int_equal(check(b, NULL, T0 + 5000, NULL), BRUTE_FREE);
    json_decref(realm.rep);
    brute_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_as_many_failures_as_the_realm_allows_the_user_has_to_wait),
        cmocka_unit_test(two_failures_in_quick_succession_are_a_program),
        cmocka_unit_test(old_failures_are_forgotten),
        cmocka_unit_test(an_address_that_fails_often_waits_whatever_the_realm_says_and_recovers),
    };
    return cmocka_run_group_tests(tests, open_database, close_database);
}
