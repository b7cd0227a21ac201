/* Java's patterns: what matches, what a replacement makes, and what is refused because it would mean something else. */
#include "access/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static int matches(const char *pattern, struct str text)
{
    struct access_regex *r;
    struct err err = {0};

    assert_int_equal(access_regex_new(str_from_cstr(pattern), &r, &err), 0);
    int m = access_regex_matches(r, text);
    access_regex_free(r);
    return m;
}

static void assert_refused(const char *pattern, int code)
{
    struct access_regex *r = NULL;
    struct err err = {0};

    assert_int_equal(access_regex_new(str_from_cstr(pattern), &r, &err), code);
    assert_null(r);
    assert_true(err.message[0] != '\0');
}

static void test_a_pattern_has_to_match_the_whole_text(void **state)
{
    (void)state;
    assert_int_equal(matches("admin", STR("admin")), 1);
    assert_int_equal(matches("admin", STR("admins")), 0);
    assert_int_equal(matches("dmin", STR("admin")), 0);
    assert_int_equal(matches("a|ab", STR("ab")), 1); /* Java goes back for the longer one, too */
    assert_int_equal(matches("alice$", STR("alice\n")), 0);
    assert_int_equal(matches("", STR("")), 1);
    assert_int_equal(matches("", STR("x")), 0);
    assert_int_equal(matches("(?:b.*|\\Qa.b\\E)", STR("a.b")), 1);
    assert_int_equal(matches("\\p{L}+", STR("\xc3\xa9t\xc3\xa9")), 1);
    assert_int_equal(matches("...", STR("\xc3\xa9t\xc3\xa9")), 1);
    assert_int_equal(matches("\\x{41}\\x42", STR("AB")), 1);
}

static void test_case_is_ignored_for_ascii_only_as_in_java(void **state)
{
    (void)state;
    assert_int_equal(matches("(?i)kim", STR("KIM")), 1);
    assert_int_equal(matches("(?i)kim", STR("\xe2\x84\xaaim")), 0); /* U+212A, KELVIN SIGN */
    assert_refused("(?i)\xc3\xa9", ERR_UNSUPPORTED);
}

static void test_text_that_is_not_utf8_matches_nothing(void **state)
{
    (void)state;
    assert_int_equal(matches(".*", STR("a\xff")), 0);
    assert_int_equal(matches("(?i).*", STR("a\xff")), 0);
}

static void test_what_the_engine_reads_differently_is_refused(void **state)
{
    static const char *const unsupported[] = {"[a-z&&[^b]]", "[a[bc]]", "[[:alpha:]]", "\\p{Lower}", "\\p{IsLatin}",
                                              "(?R)",        "(?1)",    "(?P<x>a)",    "(?|a|b)",    "\\Kx",
                                              "\\u0041",     "\\C",     "\\G",         "(?(1)a|b)",  "\\012"};
    static const char *const invalid[] = {"(",         "a)", "[a",    "*a",     "a{user}",
                                          "(*ACCEPT)", "\\", "\\p{L", "x{2,1}", "{1}"};

    (void)state;
    for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++)
        assert_refused(unsupported[i], ERR_UNSUPPORTED);
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
        assert_refused(invalid[i], ERR_INVALID);
}

static void test_a_pattern_that_backtracks_without_end_is_an_error(void **state)
{
    char text[64];

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(matches("(a+)+[bc]", str_from(text, sizeof(text))), ERR_LIMIT);
    assert_int_equal(matches("(a|aa)+[bc]", str_from(text, sizeof(text))), ERR_LIMIT);
}

static struct str replace(struct arena *a, const char *pattern, const char *text, const char *replacement, bool quote,
                          int *ret_code)
{
    struct access_regex *r;
    struct str to = STR_NULL;
    struct err err = {0};

    assert_int_equal(access_regex_new(str_from_cstr(pattern), &r, &err), 0);
    *ret_code = access_regex_replace(r, a, str_from_cstr(text), str_from_cstr(replacement), quote, &to, &err);
    access_regex_free(r);
    return to;
}

static void assert_replaced(const char *pattern, const char *text, const char *replacement, const char *expected)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    int code;
    struct str to = replace(&a, pattern, text, replacement, false, &code);

    assert_int_equal(code, 1);
    assert_true(str_eq_cstr(to, expected));
}

static void test_a_replacement_is_javas(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    int code;

    (void)state;
    assert_replaced("(.*)@example\\.com", "alice@example.com", "$1", "alice");
    assert_replaced("(?<name>.*)@.*", "bob@x", "${name}_sandbox", "bob_sandbox");
    assert_replaced("(a)(b)?", "a", "$1-$2-", "a--"); /* a group that took nothing */
    assert_replaced("(a)b", "ab", "$11", "a1");       /* there is no group 11 */
    assert_replaced("(.*)", "x", "\\$1\\\\", "$1\\");
    replace(&a, "(a)", "a", "$2", false, &code);
    assert_int_equal(code, ERR_INVALID);
    replace(&a, "(a)", "a", "${x}", false, &code);
    assert_int_equal(code, ERR_INVALID);
    replace(&a, "(a)", "a", "$", false, &code);
    assert_int_equal(code, ERR_INVALID);
    replace(&a, "(a)", "b", "$1", false, &code);
    assert_int_equal(code, 0);
}

static void test_what_a_group_took_can_be_quoted_for_a_pattern(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    int code;

    (void)state;
    struct str pattern = replace(&a, "(.*)", ".*\\Ex", "$1_x", true, &code);
    assert_int_equal(code, 1);
    struct access_regex *r;
    assert_int_equal(access_regex_new(pattern, &r, NULL), 0);
    assert_int_equal(access_regex_matches(r, STR(".*\\Ex_x")), 1);
    assert_int_equal(access_regex_matches(r, STR("anybody_x")), 0);
    access_regex_free(r);
}

static void test_replacing_all_goes_on_behind_each_match(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct access_regex *r;
    struct str to;

    (void)state;
    assert_int_equal(access_regex_new(STR("([^/]+)(/.+)?@.*"), &r, NULL), 0);
    assert_int_equal(access_regex_replace_all(r, &a, STR("alice/host@REALM"), STR("$1"), &to, NULL), 0);
    assert_true(str_eq(to, STR("alice")));
    access_regex_free(r);
    assert_int_equal(access_regex_new(STR("(.*)"), &r, NULL), 0); /* the empty match at the end is one, as in Java */
    assert_int_equal(access_regex_replace_all(r, &a, STR("abc"), STR("$1x"), &to, NULL), 0);
    assert_true(str_eq(to, STR("abcxx")));
    access_regex_free(r);
    assert_int_equal(access_regex_new(STR("x*"), &r, NULL), 0);
    assert_int_equal(access_regex_replace_all(r, &a, STR("a\xc3\xa9"), STR("-"), &to, NULL), 0);
    assert_true(str_eq(to, STR("-a-\xc3\xa9-")));
    access_regex_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pattern_has_to_match_the_whole_text),
        cmocka_unit_test(test_case_is_ignored_for_ascii_only_as_in_java),
        cmocka_unit_test(test_text_that_is_not_utf8_matches_nothing),
        cmocka_unit_test(test_what_the_engine_reads_differently_is_refused),
        cmocka_unit_test(test_a_pattern_that_backtracks_without_end_is_an_error),
        cmocka_unit_test(test_a_replacement_is_javas),
        cmocka_unit_test(test_what_a_group_took_can_be_quoted_for_a_pattern),
        cmocka_unit_test(test_replacing_all_goes_on_behind_each_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
