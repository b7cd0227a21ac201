#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "auth/grants.h"
#include "base/clock.h"

static void a_user_has_its_own_buckets_and_no_other(void **state)
{
    static const struct str trino_buckets[] = {STR("trino-data"), STR("trino-exchange")};
    static const struct str airflow_buckets[] = {STR("airflow")};
    const struct grants_user trino = {STR("trino"), STR("trino-key"), STR("s1"), .buckets = trino_buckets,
                                      .bucket_count = 2};
    const struct grants_user airflow = {STR("airflow"), STR("airflow-key"), STR("s2"), .buckets = airflow_buckets,
                                        .bucket_count = 1};
    const struct grants_user *u;
    struct sigv4_keys keys = {0};
    struct grants g;
    struct err err = {0};

    (void)state;
    grants_init(&g);
    assert_int_equal(grants_add(&g, &trino, &err), 0);
    assert_int_equal(grants_add(&g, &airflow, &err), 0);
    u = grants_find(&g, STR("trino-key"));
    assert_non_null(u);
    assert_true(grants_has_bucket(u, STR("trino-exchange")));
    assert_false(grants_has_bucket(u, STR("trino")));
    assert_false(grants_has_bucket(u, STR("trino-data-2")));
    assert_false(grants_has_bucket(u, STR("")));
    assert_int_equal(grants_check(u, STR("airflow"), &err), ERR_DENIED);
    assert_string_equal(err.name, "AccessDenied");
    assert_int_equal(grants_check(u, STR("trino-data"), &err), 0);
    assert_null(grants_find(&g, STR("trino")));
    assert_int_equal(grants_keys(&g, STR("airflow-key"), STR_NULL, &keys, &err), 0);
    assert_true(str_eq(keys.secret, STR("s2")));
    assert_true(str_is_null(keys.previous));
    assert_int_equal(grants_keys(&g, STR("x"), STR_NULL, &keys, &err), ERR_DENIED);
    assert_string_equal(err.name, "InvalidAccessKeyId");
    assert_int_equal(grants_keys(&g, STR("airflow-key"), STR("token"), &keys, &err), ERR_DENIED);
    assert_string_equal(err.name, "InvalidToken");
    grants_release(&g);
}

static void two_users_cannot_share_an_access_key(void **state)
{
    const struct grants_user a = {STR("a"), STR("key"), STR("s"), .buckets = NULL};
    const struct grants_user no_secret = {STR("b"), STR("other"), STR(""), .buckets = NULL};
    struct grants g;
    struct err err = {0};

    (void)state;
    grants_init(&g);
    assert_int_equal(grants_add(&g, &a, &err), 0);
    assert_int_equal(grants_add(&g, &a, &err), ERR_EXISTS);
    assert_int_equal(grants_add(&g, &no_secret, &err), ERR_INVALID);
    grants_release(&g);
}

static void a_rotated_secret_is_good_until_its_time_is_over(void **state)
{
    struct grants_user a = {STR("a"), STR("in time"), STR("new"), STR("old"), clock_wall_ms() + 60000, NULL, 0};
    struct sigv4_keys keys;
    struct grants g;
    struct err err = {0};

    (void)state;
    grants_init(&g);
    assert_int_equal(grants_add(&g, &a, &err), 0);
    a.access_key = STR("too late");
    a.previous_until = clock_wall_ms() - 1;
    assert_int_equal(grants_add(&g, &a, &err), 0);
    assert_int_equal(grants_keys(&g, STR("in time"), STR_NULL, &keys, &err), 0);
    assert_true(str_eq(keys.secret, STR("new")) && str_eq(keys.previous, STR("old")));
    assert_int_equal(grants_keys(&g, STR("too late"), STR_NULL, &keys, &err), 0);
    assert_true(str_eq(keys.secret, STR("new")) && str_is_null(keys.previous));
    grants_release(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_has_its_own_buckets_and_no_other),
        cmocka_unit_test(two_users_cannot_share_an_access_key),
        cmocka_unit_test(a_rotated_secret_is_good_until_its_time_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
