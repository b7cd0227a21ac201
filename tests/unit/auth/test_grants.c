#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "auth/grants.h"

static void a_user_has_its_own_buckets_and_no_other(void **state)
{
    static const struct str trino_buckets[] = {STR("trino-data"), STR("trino-exchange")};
    static const struct str airflow_buckets[] = {STR("airflow")};
    const struct grants_user trino = {STR("trino"), STR("trino-key"), STR("s1"), trino_buckets, 2};
    const struct grants_user airflow = {STR("airflow"), STR("airflow-key"), STR("s2"), airflow_buckets, 1};
    const struct grants_user *u;
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
    assert_true(str_eq(grants_secret(&g, STR("airflow-key")), STR("s2")));
    assert_true(str_is_null(grants_secret(&g, STR("x"))));
    grants_release(&g);
}

static void two_users_cannot_share_an_access_key(void **state)
{
    const struct grants_user a = {STR("a"), STR("key"), STR("s"), NULL, 0};
    const struct grants_user no_secret = {STR("b"), STR("other"), STR(""), NULL, 0};
    struct grants g;
    struct err err = {0};

    (void)state;
    grants_init(&g);
    assert_int_equal(grants_add(&g, &a, &err), 0);
    assert_int_equal(grants_add(&g, &a, &err), ERR_EXISTS);
    assert_int_equal(grants_add(&g, &no_secret, &err), ERR_INVALID);
    grants_release(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_has_its_own_buckets_and_no_other),
        cmocka_unit_test(two_users_cannot_share_an_access_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
