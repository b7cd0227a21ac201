/* User mapping: by a pattern, by rules. */
#include "access/mapping.h"

#include "os/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const char *map_with(struct user_mapping *m, struct arena *a, const char *principal)
{
    struct str user;
    struct err err = {0};

    if (user_mapping_map(m, a, str_from_cstr(principal), &user, &err) < 0)
        return arena_str(a, str_from_cstr(err.message)).p;
    return arena_cstr(a, user);
}

static void assert_refused(const char *pattern, const char *what)
{
    struct user_mapping *m = NULL;
    struct err err = {0};

    assert_int_equal(user_mapping_new(str_from_cstr(pattern), STR_NULL, &m, &err), ERR_INVALID);
    assert_null(m);
    assert_non_null(strstr(err.message, what));
}

static void without_a_pattern_the_principal_is_the_user(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct user_mapping *m;

    (void)state;
    assert_int_equal(user_mapping_new(STR_NULL, STR_NULL, &m, NULL), 0);
    assert_string_equal(map_with(m, &a, "alice@example.com"), "alice@example.com");
    assert_string_equal(map_with(m, &a, ""), "Principal matched, but mapped user is empty");
    user_mapping_free(m);
}

static void a_pattern_matches_the_whole_principal(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct user_mapping *m;

    (void)state;
    assert_int_equal(user_mapping_new(STR("(.*?)@example\\.com"), STR_NULL, &m, NULL), 0);
    assert_string_equal(map_with(m, &a, "alice@example.com"), "alice");
    assert_string_equal(map_with(m, &a, "alice@example.com.evil"), "No user mapping patterns match the principal");
    assert_string_equal(map_with(m, &a, "alice@example_com"), "No user mapping patterns match the principal");
    assert_string_equal(map_with(m, &a, "alice@example.com\n"), "No user mapping patterns match the principal");
    assert_string_equal(map_with(m, &a, "@example.com"), "Principal matched, but mapped user is empty");
    user_mapping_free(m);
    assert_refused("[a-z]+", "needs a group");
    assert_refused("(", "");
}

/* ---- rules: Trino's documented file ---- */

static int of_file(const char *text, struct user_mapping **ret, struct err *err)
{
    char path[] = "/tmp/mapping-test-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_write_atomic(path, str_from_cstr(text), 0600, NULL), 0);
    int rc = user_mapping_new(STR_NULL, str_from_cstr(path), ret, err);
    unlink(path);
    return rc;
}

static void the_first_rule_that_matches_decides(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct user_mapping *m;

    (void)state;
    assert_int_equal(of_file("{\"rules\": ["
                             "{\"pattern\": \"test@example\\\\.com\", \"allow\": false},"
                             "{\"pattern\": \"(.+)@example\\\\.com\"},"
                             "{\"pattern\": \"(?<user>.*?)@(?<region>.*?)\\\\.example\\\\.com\","
                             " \"user\": \"${user}_${region}\", \"case\": \"UPPER\"},"
                             "{\"pattern\": \"(.*)@uppercase.com\", \"user\": \"$1\", \"case\": \"lower\"}]}",
                             &m, NULL),
                     0);
    assert_string_equal(map_with(m, &a, "test@example.com"), "Principal is not allowed");
    assert_string_equal(map_with(m, &a, "alice@example.com"), "alice");
    assert_string_equal(map_with(m, &a, "alice@uk.example.com"), "ALICE_UK");
    assert_string_equal(map_with(m, &a, "TEST@uppercase.com"), "test");
    assert_string_equal(map_with(m, &a, "alice@elsewhere.org"), "No user mapping patterns match the principal");
    user_mapping_free(m);
}

static void what_is_not_understood_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"rules\": []}",
        "{\"rules\": [{\"user\": \"x\"}]}",
        "{\"rules\": [{\"pattern\": 1}]}",
        "{\"rules\": [{\"pattern\": \"(\"}]}",
        "{\"rules\": [{\"pattern\": \".*\", \"alow\": false}]}",
        "{\"rules\": [{\"pattern\": \".*\", \"case\": \"title\"}]}",
        "{\"rules\": [{\"pattern\": \".*\"}], \"more\": 1}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct user_mapping *m = NULL;
        struct err err = {0};
        assert_int_equal(of_file(bad[i], &m, &err), ERR_INVALID);
        assert_null(m);
        assert_true(err.message[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_pattern_the_principal_is_the_user),
        cmocka_unit_test(a_pattern_matches_the_whole_principal),
        cmocka_unit_test(the_first_rule_that_matches_decides),
        cmocka_unit_test(what_is_not_understood_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
