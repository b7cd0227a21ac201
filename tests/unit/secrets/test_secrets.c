#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "os/file.h"
#include "secrets/secrets.h"

#include <sys/stat.h>

static char folder[96], path[128];
static struct err err;

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "%s/secretsXXXXXX", getenv("TEST_TMP") ? getenv("TEST_TMP") : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/secrets.json", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return file_remove_tree(folder, &err);
}

static struct secrets *must_open(void)
{
    struct secrets *s = NULL;

    if (secrets_open(folder, &s, &err) < 0)
        fail_msg("%s", err.message);
    return s;
}

static void write_file(const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static void without_a_file_there_are_no_secrets(void **state)
{
    struct secrets *s = must_open();

    (void)state;
    assert_true(str_is_null(secrets_get(s, "a")));
    secrets_close(s);
    assert_false(file_exists(path));
}

static void generated_secrets_are_long_distinct_and_kept(void **state)
{
    static const char *const names[] = {"store/users/b/secret-key", "store/users/a/secret-key"};
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct secrets *s = must_open(), *again;
    struct str *list;

    (void)state;
    assert_int_equal(secrets_ensure(s, names, 2, &err), 0);
    assert_int_equal(secrets_get(s, names[0]).n, 40);
    assert_false(str_eq(secrets_get(s, names[0]), secrets_get(s, names[1])));
    again = must_open();
    assert_true(str_eq(secrets_get(s, names[0]), secrets_get(again, names[0])));
    assert_true(str_eq(secrets_get(s, names[1]), secrets_get(again, names[1])));
    assert_int_equal(secrets_list(again, &a, &list), 2);
    assert_string_equal(list[0].p, names[1]);
    secrets_close(s);
    secrets_close(again);
}

static void what_is_there_stays(void **state)
{
    static const char *const names[] = {"a", "b", "c"};
    struct secrets *first = must_open(), *second = must_open();

    (void)state;
    assert_int_equal(secrets_ensure(first, names, 2, &err), 0);
    /* which doesn't know yet what the first made */
    assert_int_equal(secrets_ensure(second, names, 3, &err), 0);
    assert_true(str_eq(secrets_get(first, "a"), secrets_get(second, "a")));
    assert_true(str_eq(secrets_get(first, "b"), secrets_get(second, "b")));
    assert_int_equal(secrets_get(second, "c").n, 40);
    secrets_close(first);
    secrets_close(second);
}

static void the_file_is_for_its_owner_only(void **state)
{
    static const char *const names[] = {"a"};
    struct secrets *s = must_open();
    struct stat st;

    (void)state;
    assert_int_equal(secrets_ensure(s, names, 1, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    secrets_close(s);
}

static void a_file_that_others_can_read_is_refused(void **state)
{
    struct secrets *s = NULL;

    (void)state;
    write_file("{\"a\": \"x\"}", 0640);
    assert_int_equal(secrets_open(folder, &s, &err), ERR_DENIED);
    assert_non_null(strstr(err.message, "chmod 600"));
    write_file("{\"a\": \"x\"}", 0600);
    s = must_open();
    assert_true(str_eq(secrets_get(s, "a"), STR("x")));
    secrets_close(s);
}

static void a_broken_file_is_said_without_its_content(void **state)
{
    static const char *const texts[] = {"{\"a\": \"hunter2\"", "[\"hunter2\"]", "{\"a\": 5}", ""};
    struct secrets *s = NULL;

    (void)state;
    for (int i = 0; i < 4; i++) {
        write_file(texts[i], 0600);
        assert_int_equal(secrets_open(folder, &s, &err), ERR_CORRUPT);
        assert_non_null(strstr(err.message, "secrets.json"));
        assert_null(strstr(err.message, "hunter2"));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_file_there_are_no_secrets),
        TEST(generated_secrets_are_long_distinct_and_kept),
        TEST(what_is_there_stays),
        TEST(the_file_is_for_its_owner_only),
        TEST(a_file_that_others_can_read_is_refused),
        TEST(a_broken_file_is_said_without_its_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
