#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/consent.h"

#include <unistd.h>

static void consents_add_up_and_are_revoked_as_a_whole(void **state)
{
    char folder[] = "/tmp/dp-consent-XXXXXX", path[64], command[128];
    const struct realm realm = {.id = STR("r1")};
    const struct str first[] = {STR("s1"), STR("s2")}, second[] = {STR("s2"), STR("s3")};
    ARENA_SCOPED struct arena a;
    struct consent got, *list;
    struct err err = {0};
    struct db *db;
    size_t n;
    (void)state;

    arena_init(&a, 0);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/db", folder);
    assert_int_equal(db_open_sqlite(path, &db, &err), 0);
    assert_int_equal(consent_open(db, &err), 0);
    assert_int_equal(consent_open(db, &err), 0);
    assert_int_equal(consent_get(db, &realm, &a, STR("u"), STR("c"), &got, &err), ERR_NOT_FOUND);
    assert_int_equal(consent_grant(db, &realm, STR("u"), STR("c"), first, 2, &err), 0);
    assert_int_equal(consent_grant(db, &realm, STR("u"), STR("c"), second, 2, &err), 0);
    assert_int_equal(consent_get(db, &realm, &a, STR("u"), STR("c"), &got, &err), 0);
    assert_int_equal(got.scope_count, 3);
    assert_int_equal(consent_get(db, &realm, &a, STR("other"), STR("c"), &got, &err), ERR_NOT_FOUND);
    assert_int_equal(consent_list(db, &realm, &a, STR("u"), &list, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(consent_revoke(db, &realm, STR("u"), STR("c"), &err), 0);
    assert_int_equal(consent_revoke(db, &realm, STR("u"), STR("c"), &err), ERR_NOT_FOUND);
    db_close(db);
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c)
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(consents_add_up_and_are_revoked_as_a_whole)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
