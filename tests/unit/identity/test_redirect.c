#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/login/redirect.h"

static struct arena arena;

/* Null when it is refused. */
static struct str verify(const char *pattern, const char *uri)
{
    struct str patterns[] = {str_from_cstr(pattern)};
    struct client c = {.redirect_uris = patterns, .redirect_uri_count = 1};
    struct str ret = STR_NULL;
    struct err err = {0};

    (void)!redirect_verify(&arena, &c, STR("https://id.example.org"), str_from_cstr(uri), true, &ret, &err);
    return ret;
}

static void assert_taken(const char *pattern, const char *uri)
{
    struct str found = verify(pattern, uri);

    if (str_is_null(found) || !str_eq_cstr(found, uri))
        fail_msg("%s does not take %s", pattern, uri);
}

static void assert_refused(const char *pattern, const char *uri)
{
    if (!str_is_null(verify(pattern, uri)))
        fail_msg("%s takes %s", pattern, uri);
}

static void without_wildcard_a_redirect_uri_is_compared_as_text(void **state)
{
    (void)state;

    assert_taken("https://app.example.org/cb", "https://app.example.org/cb");
    assert_taken("https://app.example.org/cb?a=1", "https://app.example.org/cb?a=1");
    assert_refused("https://app.example.org/cb", "https://app.example.org/cb?a=1");
    assert_refused("https://app.example.org/cb", "https://app.example.org/cb/");
    assert_refused("https://app.example.org/cb", "https://app.example.org/cb/more");
    assert_refused("https://app.example.org/cb", "https://app.example.org:443/cb");
    assert_refused("https://app.example.org/cb", "http://app.example.org/cb");
    assert_refused("https://app.example.org/cb", "https://app.example.org.evil.example/cb");
    assert_refused("https://app.example.org/cb", "https://APP.example.org/cb");
}

static void a_wildcard_stands_for_what_is_below_its_folder(void **state)
{
    (void)state;

    assert_taken("https://app.example.org/a/*", "https://app.example.org/a/b?x=1");
    assert_taken("https://app.example.org/a/*", "https://app.example.org/a/");
    assert_taken("https://app.example.org/a/*", "https://app.example.org/a");
    assert_refused("https://app.example.org/a/*", "https://app.example.org/ab");
    assert_refused("https://app.example.org/a/*", "https://app.example.org/b");
}

static void a_wildcard_never_reaches_another_host(void **state)
{
    (void)state;

    assert_refused("https://app.example.org*", "https://app.example.org.evil.example/");
    assert_refused("https://app.example.org*", "https://app.example.org@evil.example/");
    assert_refused("https://app.example.org/*", "https://app.example.org@evil.example/");
    assert_refused("https://app.example.org/*", "https://evil.example/https://app.example.org/");
    assert_refused("https://app.example.org/*", "https://app.example.org\\@evil.example/");
    assert_taken("https://app.example.org*", "https://app.example.org/x");
}

static void a_wildcard_does_not_match_dot_segments_however_they_are_written(void **state)
{
    static const char *const tricks[] = {
        "https://app.example.org/a/../admin",       "https://app.example.org/a/%2e%2e/admin",
        "https://app.example.org/a/.%2E/admin",     "https://app.example.org/a/..",
        "https://app.example.org/a/%2e%2e%2fadmin", "https://app.example.org/a/..%2Fadmin",
    };
    (void)state;

    for (size_t i = 0; i < sizeof(tricks) / sizeof(tricks[0]); i++)
        assert_refused("https://app.example.org/a/*", tricks[i]);
}

static void a_redirect_uri_with_fragment_user_answer_parameter_or_script_is_refused_by_any_pattern(void **state)
{
    static const char *const tricks[] = {
        "https://app.example.org/cb#x",
        "https://user@app.example.org/cb",
        "https://app.example.org/cb?code=mine",
        "https://app.example.org/cb?x=1&STATE=2",
        "https://app.example.org/cb?%69ss=x",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://app.example.org/cb\n",
        "//app.example.org/cb",
        "urn:ietf:wg:oauth:2.0:oob",
    };
    (void)state;

    for (size_t i = 0; i < sizeof(tricks) / sizeof(tricks[0]); i++) {
        assert_refused("*", tricks[i]);
        assert_refused("https://app.example.org/*", tricks[i]);
    }
}

static void a_star_takes_web_addresses_only(void **state)
{
    (void)state;

    assert_taken("*", "https://any.example.net/x");
    assert_refused("*", "com.example.app:/cb");
    assert_taken("com.example.app:/cb", "com.example.app:/cb");
    assert_taken("com.example.app:*", "com.example.app:/other");
}

static void a_loopback_address_takes_any_port_unless_the_pattern_names_one(void **state)
{
    (void)state;

    assert_taken("http://127.0.0.1/cb", "http://127.0.0.1:53812/cb");
    assert_taken("http://localhost/*", "http://localhost:53812/cb");
    assert_taken("http://[::1]/cb", "http://[::1]:1/cb");
    assert_refused("http://127.0.0.1:7777/cb", "http://127.0.0.1:7778/cb");
    assert_refused("http://127.0.0.1/cb", "http://127.0.0.1:53812/other");
    assert_refused("http://127.0.0.1/cb", "https://127.0.0.1:53812/cb");
    assert_refused("http://app.example.org/cb", "http://app.example.org:8080/cb");
}

static void a_relative_pattern_starts_at_the_root_url_or_at_this_service(void **state)
{
    struct str patterns[] = {STR("/app/*")}, ret;
    struct client c = {.redirect_uris = patterns, .redirect_uri_count = 1, .root_url = STR("https://app.example.org")};
    struct err err = {0};
    struct str origin = STR("https://id.example.org");
    (void)state;

    assert_taken("/app/*", "https://id.example.org/app/cb");
    assert_refused("/app/*", "https://evil.example/app/cb");
    assert_int_equal(redirect_verify(&arena, &c, origin, STR("https://app.example.org/app/cb"), true, &ret, &err), 0);
    assert_int_equal(redirect_verify(&arena, &c, origin, STR("https://id.example.org/app/cb"), true, &ret, &err),
                     ERR_DENIED);
    assert_int_equal(redirect_verify(&arena, &c, origin, STR("/app/cb"), true, &ret, &err), 0);
    assert_true(str_eq(ret, STR("https://app.example.org/app/cb")));
}

static void a_missing_redirect_uri_is_the_only_one_there_is_unless_openid_requires_it(void **state)
{
    struct str patterns[] = {STR("https://app.example.org/cb"), STR("https://app.example.org/other")}, ret;
    struct client c = {.redirect_uris = patterns, .redirect_uri_count = 1};
    struct err err = {0};
    (void)state;

    assert_int_equal(redirect_verify(&arena, &c, STR("https://id"), STR_NULL, true, &ret, &err), ERR_DENIED);
    assert_int_equal(redirect_verify(&arena, &c, STR("https://id"), STR_NULL, false, &ret, &err), 0);
    assert_true(str_eq(ret, patterns[0]));
    c.redirect_uri_count = 2;
    assert_int_equal(redirect_verify(&arena, &c, STR("https://id"), STR_NULL, false, &ret, &err), ERR_DENIED);
}

static void post_logout_uris_are_those_of_the_attribute(void **state)
{
    struct str patterns[] = {STR("https://app.example.org/cb")}, ret;
    struct client c = {.redirect_uris = patterns, .redirect_uri_count = 1};
    struct err err = {0};
    struct str own = STR("https://app.example.org/cb"), other = STR("https://app.example.org/bye");
    (void)state;

    static const struct {
        const char *attribute;
        int own, other;
    } cases[] = {{"+", 0, ERR_DENIED},
                 {"+##https://app.example.org/bye", 0, 0},
                 {"-", ERR_DENIED, ERR_DENIED},
                 {"", ERR_DENIED, ERR_DENIED},
                 {"https://app.example.org/bye", ERR_DENIED, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        c.rep = json_pack("{s:{s:s}}", "attributes", "post.logout.redirect.uris", cases[i].attribute);
        assert_int_equal(redirect_verify_post_logout(&arena, &c, STR("https://id"), own, &ret, &err), cases[i].own);
        assert_int_equal(redirect_verify_post_logout(&arena, &c, STR("https://id"), other, &ret, &err), cases[i].other);
        json_decref(c.rep);
    }
}

static void web_origins_are_exact_and_plus_stands_for_the_redirect_uris(void **state)
{
    struct str patterns[] = {STR("https://app.example.org/cb/*"), STR("http://localhost:3000/*")};
    struct str origins[] = {STR("+"), STR("https://other.example.org")};
    struct client c = {
        .redirect_uris = patterns, .redirect_uri_count = 2, .web_origins = origins, .web_origin_count = 2};
    struct str own = STR("https://id.example.org");
    (void)state;

    assert_true(redirect_allows_origin(&arena, &c, own, STR("https://app.example.org")));
    assert_true(redirect_allows_origin(&arena, &c, own, STR("http://localhost:3000")));
    assert_true(redirect_allows_origin(&arena, &c, own, STR("https://other.example.org")));
    assert_false(redirect_allows_origin(&arena, &c, own, STR("https://app.example.org.evil.example")));
    assert_false(redirect_allows_origin(&arena, &c, own, STR("http://app.example.org")));
    assert_false(redirect_allows_origin(&arena, &c, own, STR("http://localhost:3001")));
    assert_false(redirect_allows_origin(&arena, &c, own, STR("null")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_wildcard_a_redirect_uri_is_compared_as_text),
        cmocka_unit_test(a_wildcard_stands_for_what_is_below_its_folder),
        cmocka_unit_test(a_wildcard_never_reaches_another_host),
        cmocka_unit_test(a_wildcard_does_not_match_dot_segments_however_they_are_written),
        cmocka_unit_test(a_redirect_uri_with_fragment_user_answer_parameter_or_script_is_refused_by_any_pattern),
        cmocka_unit_test(a_star_takes_web_addresses_only),
        cmocka_unit_test(a_loopback_address_takes_any_port_unless_the_pattern_names_one),
        cmocka_unit_test(a_relative_pattern_starts_at_the_root_url_or_at_this_service),
        cmocka_unit_test(a_missing_redirect_uri_is_the_only_one_there_is_unless_openid_requires_it),
        cmocka_unit_test(post_logout_uris_are_those_of_the_attribute),
        cmocka_unit_test(web_origins_are_exact_and_plus_stands_for_the_redirect_uris),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    arena_release(&arena);
    return rc;
}
