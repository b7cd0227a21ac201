/* The files in force: changes are seen, broken ones deny, and who asked before keeps what it had. */
#include "access/access.h"

#include "os/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

static const struct access_table orders = {{"lake", 4}, {"sales", 5}, {"orders", 6}};

struct files {
    char folder[64], rules[96], groups[96];
};

static int setup(void **state)
{
    static struct files f;

    snprintf(f.folder, sizeof(f.folder), "%s", "/tmp/access-test-XXXXXX");
    assert_non_null(mkdtemp(f.folder));
    snprintf(f.rules, sizeof(f.rules), "%s/rules.json", f.folder);
    snprintf(f.groups, sizeof(f.groups), "%s/groups.txt", f.folder);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct files *f = *state;

    return file_remove_tree(f->folder, NULL);
}

static void write_file(const char *path, const char *text)
{
    assert_int_equal(file_write_atomic(path, str_from_cstr(text), 0600, NULL), 0);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static bool may_drop(struct access_control *c, const char *user, int *ret_code)
{
    struct access *a;
    struct err err = {0};
    const struct access_identity who = {.user = str_from_cstr(user)};

    *ret_code = access_open(c, &who, &a, &err);
    if (*ret_code < 0) {
        assert_string_equal(err.name, "CONFIGURATION_INVALID");
        assert_null(strstr(err.message, "/tmp")); /* where files are is none of a client's business */
        return false;
    }
    bool may = access_check_table(a, ACCESS_DROP_TABLE, &orders, &err) == 0;
    access_release(a);
    return may;
}

static void test_rules_are_read_again_when_they_changed(void **state)
{
    const struct files *f = *state;
    const struct access_control_options o = {.rules_file = str_from_cstr(f->rules), .refresh_ms = 1};
    struct access_control *c;
    struct access *before;
    struct err err = {0};
    int code;

    write_file(f->rules, "{}");
    assert_int_equal(access_control_new(&o, &c, &err), 0);
    assert_int_equal(access_open(c, &(struct access_identity){.user = STR("a")}, &before, &err), 0);
    write_file(f->rules, "{\"tables\": []}");
    pause_ms(5);
    assert_false(may_drop(c, "a", &code));
    assert_int_equal(code, 0);
    assert_int_equal(access_check_table(before, ACCESS_DROP_TABLE, &orders, &err), 0); /* a statement keeps its rules */
    access_release(before);

    write_file(f->rules, "{\"tables\": [}");
    pause_ms(5);
    may_drop(c, "a", &code);
    assert_int_equal(code, ERR_UNAVAILABLE);
    pause_ms(5);
    may_drop(c, "a", &code);
    assert_int_equal(code, ERR_UNAVAILABLE);

    write_file(f->rules, "{}");
    pause_ms(5);
    assert_true(may_drop(c, "a", &code));
    assert_int_equal(unlink(f->rules), 0);
    pause_ms(5);
    may_drop(c, "a", &code);
    assert_int_equal(code, ERR_UNAVAILABLE);
    write_file(f->rules, "{}");
    pause_ms(5);
    assert_true(may_drop(c, "a", &code));
    access_control_free(c);
}

static void test_without_a_period_the_file_is_read_once(void **state)
{
    const struct files *f = *state;
    const struct access_control_options o = {.rules_file = str_from_cstr(f->rules)};
    struct access_control *c;
    int code;

    write_file(f->rules, "{}");
    assert_int_equal(access_control_new(&o, &c, NULL), 0);
    write_file(f->rules, "{\"tables\": []}");
    assert_true(may_drop(c, "a", &code));
    access_control_free(c);
}

static void test_groups_come_from_a_file_and_from_the_identity(void **state)
{
    const struct files *f = *state;
    const struct access_control_options o = {
        .rules = STR("{\"tables\": [{\"group\": \"ops|token\", \"privileges\": [\"OWNERSHIP\"]}]}"),
        .groups_file = str_from_cstr(f->groups),
        .refresh_ms = 1};
    const struct str token = STR("token");
    struct access_control *c;
    struct access *a;
    struct err err = {0};
    int code;

    write_file(f->groups, "# who is what\n\n ops : alice , bob,,\nhr:carol\nops:alice\n");
    assert_int_equal(access_control_new(&o, &c, &err), 0);
    assert_true(may_drop(c, "alice", &code));
    assert_false(may_drop(c, "carol", &code));
    const struct access_identity carol = {.user = STR("carol"), .groups = &token, .group_count = 1};
    assert_int_equal(access_open(c, &carol, &a, &err), 0);
    assert_int_equal(access_check_table(a, ACCESS_DROP_TABLE, &orders, &err), 0);
    assert_int_equal(access_identity_of(a)->group_count, 2);
    access_release(a);
    write_file(f->groups, "ops:carol\n");
    pause_ms(5);
    assert_true(may_drop(c, "carol", &code));
    assert_false(may_drop(c, "alice", &code));
    write_file(f->groups, "ops\n");
    pause_ms(5);
    may_drop(c, "carol", &code);
    assert_int_equal(code, ERR_UNAVAILABLE);
    access_control_free(c);
}

static void test_a_start_with_a_broken_file_says_where(void **state)
{
    const struct files *f = *state;
    const struct access_control_options o = {.rules_file = str_from_cstr(f->rules)};
    struct access_control *c;
    struct err err = {0};

    assert_true(access_control_new(&o, &c, &err) < 0); /* no file */
    assert_non_null(strstr(err.message, f->rules));
    write_file(f->rules, "{\n  \"tables\": [,]\n}");
    err = (struct err){0};
    assert_true(access_control_new(&o, &c, &err) < 0);
    assert_non_null(strstr(err.message, "rules.json:2:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rules_are_read_again_when_they_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_a_period_the_file_is_read_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_groups_come_from_a_file_and_from_the_identity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_start_with_a_broken_file_says_where, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
