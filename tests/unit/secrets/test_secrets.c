#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "os/file.h"
#include "secrets/secrets.h"

#include <pthread.h>
#include <sys/stat.h>

static char folder[96], path[128];
static const struct secrets_source source = {.data_dir = folder};
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

    if (secrets_open(&source, &s, &err) < 0)
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
    assert_int_equal(secrets_open(&source, &s, &err), ERR_DENIED);
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
        assert_int_equal(secrets_open(&source, &s, &err), ERR_CORRUPT);
        assert_non_null(strstr(err.message, "secrets.json"));
        assert_null(strstr(err.message, "hunter2"));
    }
}

static void a_rotated_secret_has_a_new_value_and_the_one_before_until_its_time(void **state)
{
    static const char *const names[] = {"a", "b"};
    struct secrets *s = must_open(), *again;
    char before[64];
    int64_t until = 0, now = clock_wall_ms();

    (void)state;
    assert_int_equal(secrets_ensure(s, names, 2, &err), 0);
    snprintf(before, sizeof(before), "%.*s", STR_ARG(secrets_get(s, "a")));
    assert_int_equal(secrets_rotate(s, "a", 60000, &err), 0);
    again = must_open();
    assert_int_equal(secrets_get(again, "a").n, 40);
    assert_false(str_eq_cstr(secrets_get(again, "a"), before));
    assert_true(str_eq_cstr(secrets_get_previous(again, "a", &until), before));
    assert_in_range(until, now + 60000, now + 70000);
    assert_true(str_is_null(secrets_get_previous(again, "b", &until)));
    assert_true(str_eq(secrets_get(again, "b"), secrets_get(s, "b")));
    /* a second rotation ends the first value */
    assert_int_equal(secrets_rotate(again, "a", 60000, &err), 0);
    assert_true(str_eq(secrets_get_previous(again, "a", &until), secrets_get(s, "a")));
    secrets_close(s);
    secrets_close(again);
}

static void what_is_over_is_neither_given_nor_kept(void **state)
{
    static const char *const names[] = {"a"}, *const more[] = {"b"};
    struct secrets *s = must_open();
    BUF_SCOPED struct buf text;
    char before[64];
    int64_t until;

    (void)state;
    buf_init(&text, 4096);
    assert_int_equal(secrets_ensure(s, names, 1, &err), 0);
    snprintf(before, sizeof(before), "%.*s", STR_ARG(secrets_get(s, "a")));
    assert_int_equal(secrets_rotate(s, "a", 0, &err), 0);
    assert_true(str_is_null(secrets_get_previous(s, "a", &until)));
    assert_int_equal(secrets_ensure(s, more, 1, &err), 0);
    assert_int_equal(file_read(path, &text, &err), 0);
    assert_true(str_find(buf_str(&text), str_from_cstr(before), 0) == SIZE_MAX);
    secrets_close(s);
}

static void a_name_that_is_not_there_cannot_be_rotated(void **state)
{
    struct secrets *s = must_open();

    (void)state;
    assert_int_equal(secrets_rotate(s, "a", 0, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "no secret a"));
    secrets_close(s);
}

struct taker {
    pthread_mutex_t lock;
    char value[64];
    int calls, failures_left;
};

static int take(void *ctx, const struct secrets *now, struct err *e)
{
    struct taker *t = ctx;
    int rc = 0;

    pthread_mutex_lock(&t->lock);
    t->calls++;
    if (t->failures_left-- > 0)
        rc = err_set(e, ERR_UNAVAILABLE, "not now");
    else
        snprintf(t->value, sizeof(t->value), "%.*s", STR_ARG(secrets_get(now, "a")));
    pthread_mutex_unlock(&t->lock);
    return rc;
}

static void announce(struct secrets *s)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct str *services;
    size_t n;

    if (secrets_announce(s, &a, 10000, &services, &n, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(n, 1);
    assert_string_equal(services[0].p, "tester");
}

static void a_watch_takes_a_change_before_it_is_announced_to_be_taken(void **state)
{
    static const char *const names[] = {"a"};
    struct secrets *s = must_open();
    struct taker t = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct secrets_watch *w;

    (void)state;
    assert_int_equal(secrets_ensure(s, names, 1, &err), 0);
    assert_int_equal(secrets_watch_start(s, "tester", take, &t, &w, &err), 0);
    announce(s);
    assert_int_equal(t.calls, 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(secrets_rotate(s, "a", 1000, &err), 0);
        announce(s);
        assert_true(str_eq_cstr(secrets_get(s, "a"), t.value));
    }
    /* what can't be taken is tried again */
    t.failures_left = 1;
    assert_int_equal(secrets_rotate(s, "a", 1000, &err), 0);
    announce(s);
    assert_true(str_eq_cstr(secrets_get(s, "a"), t.value));
    secrets_watch_stop(w);
    secrets_close(s);
}

static void one_that_has_a_later_version_is_not_waited_for(void **state)
{
    static const char *const names[] = {"a", "b"};
    struct secrets *s = must_open(), *other = must_open();
    struct taker t = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct secrets_watch *w;

    (void)state;
    assert_int_equal(secrets_ensure(s, names, 2, &err), 0);
    assert_int_equal(secrets_watch_start(s, "tester", take, &t, &w, &err), 0);
    assert_int_equal(secrets_rotate(s, "a", 1000, &err), 0);
    assert_int_equal(secrets_rotate(other, "b", 1000, &err), 0);
    announce(other);
    announce(s);
    secrets_watch_stop(w);
    secrets_close(s);
    secrets_close(other);
}

static void a_service_that_does_not_take_a_change_is_named(void **state)
{
    static const char *const names[] = {"a"};
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct secrets *s = must_open();
    struct taker t = {.lock = PTHREAD_MUTEX_INITIALIZER, .failures_left = 1000};
    struct secrets_watch *w;
    struct str *services;
    size_t n;

    (void)state;
    assert_int_equal(secrets_ensure(s, names, 1, &err), 0);
    assert_int_equal(secrets_watch_start(s, "tester", take, &t, &w, &err), 0);
    assert_int_equal(secrets_rotate(s, "a", 1000, &err), 0);
    assert_int_equal(secrets_announce(s, &a, 50, &services, &n, &err), ERR_TIMEOUT);
    assert_non_null(strstr(err.message, "tester"));
    secrets_watch_stop(w);
    /* one that is gone is not waited for */
    assert_int_equal(secrets_announce(s, &a, 50, &services, &n, &err), 0);
    assert_int_equal(n, 0);
    secrets_close(s);
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
        TEST(a_rotated_secret_has_a_new_value_and_the_one_before_until_its_time),
        TEST(what_is_over_is_neither_given_nor_kept),
        TEST(a_name_that_is_not_there_cannot_be_rotated),
        TEST(a_watch_takes_a_change_before_it_is_announced_to_be_taken),
        TEST(one_that_has_a_later_version_is_not_waited_for),
        TEST(a_service_that_does_not_take_a_change_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
