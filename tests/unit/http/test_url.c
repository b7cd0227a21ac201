#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/url.h"

static struct arena arena;

static struct http_url parse(const char *text)
{
    struct http_url u;
    struct err err = {0};

    if (http_url_parse(&arena, str_from_cstr(text), &u, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return u;
}

static void assert_refused(struct str text)
{
    struct http_url u;

    if (http_url_parse(&arena, text, &u, NULL) == 0)
        fail_msg("\"%.*s\" is taken", STR_ARG(text));
}

static void assert_str(struct str found, const char *want)
{
    if (str_is_null(found) || !str_eq_cstr(found, want))
        fail_msg("\"%.*s\", not \"%s\"", STR_ARG(found), want);
}

static void a_url_has_its_parts(void **state)
{
    struct http_url u = parse("HTTPS://Example.ORG:8443/A/b%20c?q=1?2&r");
    (void)state;

    assert_str(u.scheme, "https");
    assert_str(u.host, "example.org");
    assert_int_equal(u.port, 8443);
    assert_true(u.port_said);
    assert_str(u.path, "/A/b%20c");
    assert_str(u.query, "q=1?2&r");
    assert_false(u.has_dot_segments);

    u = parse("http://[2001:DB8::1]?x");
    assert_str(u.host, "[2001:db8::1]");
    assert_int_equal(u.port, 80);
    assert_false(u.port_said);
    assert_str(u.path, "");
    assert_str(u.query, "x");
    assert_int_equal(parse("https://a").port, 443);
    assert_true(str_is_null(parse("https://a/").query));
}

static void schemes_of_applications_are_taken(void **state)
{
    struct http_url u = parse("com.example.app:/oauth2/callback");
    (void)state;

    assert_str(u.scheme, "com.example.app");
    assert_true(str_is_null(u.host));
    assert_str(u.path, "/oauth2/callback");
    assert_false(http_url_is_web(&u));
    assert_str(parse("myapp://callback/x").host, "callback");
}

static void what_readers_disagree_about_is_refused(void **state)
{
    (void)state;
    assert_refused(STR("https://user@example.org/"));
    assert_refused(STR("https://good.example@evil.example/"));
    assert_refused(STR("https://good.example:pw@evil.example/"));
    assert_refused(STR("https://evil.example\\@good.example/"));
    assert_refused(STR("https:\\\\evil.example"));
    assert_refused(STR("https://example.org/#fragment"));
    assert_refused(STR("https://example.org/\r\nX: y"));
    assert_refused(STR("https://example.org/\0"));
    assert_refused(STR("https://example.org/a b"));
    assert_refused(STR(" https://example.org/"));
    assert_refused(STR("https://ex\xc3\xa4mple.org/"));
    assert_refused(STR("https://example%2eorg/"));
    assert_refused(STR("https://example.org/%zz"));
    assert_refused(STR("https://example.org/%2"));
    assert_refused(STR("https://a..example.org/"));
    assert_refused(STR("https://.example.org/"));
}

static void what_is_not_an_absolute_url_is_refused(void **state)
{
    (void)state;
    assert_refused(STR(""));
    assert_refused(STR("/path"));
    assert_refused(STR("//example.org/"));
    assert_refused(STR("example.org/path"));
    assert_refused(STR("https:/example.org"));
    assert_refused(STR("https:example.org"));
    assert_refused(STR("https://"));
    assert_refused(STR("https:///path"));
    assert_refused(STR("https://example.org:/"));
    assert_refused(STR("https://example.org:0/"));
    assert_refused(STR("https://example.org:65536/"));
    assert_refused(STR("https://example.org:8a/"));
    assert_refused(STR("https://[::1/"));
    assert_refused(STR("https://[::g]/"));
    assert_refused(STR("https://[::1]x/"));
    assert_refused(STR("1http://example.org/"));
}

static void schemes_that_run_code_are_refused(void **state)
{
    (void)state;
    assert_refused(STR("javascript:alert(1)"));
    assert_refused(STR("JavaScript://x.example/%0aalert(1)"));
    assert_refused(STR("data:text/html,x"));
    assert_refused(STR("vbscript:x"));
}

static void dot_segments_are_noticed_in_every_spelling(void **state)
{
    static const char *const dotted[] = {"/a/../b", "/a/..", "/./a", "/a/%2e%2E/b", "/a/.%2e/b", "/%2e"};
    static const char *const plain[] = {"/a/.../b", "/a/..b", "/.well-known/x", "/a%2f..b"};
    (void)state;

    for (size_t i = 0; i < sizeof(dotted) / sizeof(dotted[0]); i++)
        assert_true(parse(arena_printf(&arena, "https://a.example%s", dotted[i]).p).has_dot_segments);
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        assert_false(parse(arena_printf(&arena, "https://a.example%s", plain[i]).p).has_dot_segments);
}

static void an_origin_is_scheme_host_and_port(void **state)
{
    struct http_url a = parse("https://x.example.org/a"), b = parse("https://X.example.org:443/b?c");
    struct http_url other_port = parse("https://x.example.org:444/"), other_scheme = parse("http://x.example.org:443/");
    struct http_url below = parse("https://x.example.org.evil.example/");
    (void)state;

    assert_true(http_url_same_origin(&a, &b));
    assert_false(http_url_same_origin(&a, &other_port));
    assert_false(http_url_same_origin(&a, &other_scheme));
    assert_false(http_url_same_origin(&a, &below));
}

static bool is_loopback(const char *text)
{
    struct http_url u = parse(text);

    return http_url_is_loopback(&u);
}

static void the_machine_itself_is_recognised(void **state)
{
    (void)state;
    assert_true(is_loopback("http://localhost:1/"));
    assert_true(is_loopback("http://127.0.0.1:1/"));
    assert_true(is_loopback("http://127.8.9.1/"));
    assert_true(is_loopback("http://[::1]:1/"));
    assert_false(is_loopback("http://localhost.evil.example/"));
    assert_false(is_loopback("http://127.0.0.1.evil.example/"));
    assert_false(is_loopback("http://10.0.0.1/"));
}

static void a_host_header_has_a_host_and_perhaps_a_port(void **state)
{
    struct str host;
    int port;
    (void)state;

    assert_int_equal(http_url_parse_host(&arena, STR("Example.org"), &host, &port, NULL), 0);
    assert_str(host, "example.org");
    assert_int_equal(port, 0);
    assert_int_equal(http_url_parse_host(&arena, STR("[::1]:80"), &host, &port, NULL), 0);
    assert_str(host, "[::1]");
    assert_int_equal(port, 80);
    assert_int_equal(http_url_parse_host(&arena, STR("a/b"), &host, &port, NULL), ERR_INVALID);
    assert_int_equal(http_url_parse_host(&arena, STR(""), &host, &port, NULL), ERR_INVALID);
    assert_int_equal(http_url_parse_host(&arena, STR("a:b"), &host, &port, NULL), ERR_INVALID);
    assert_int_equal(http_url_parse_host(&arena, STR("::1"), &host, &port, NULL), ERR_INVALID);
}

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_has_its_parts),
        cmocka_unit_test(schemes_of_applications_are_taken),
        cmocka_unit_test(what_readers_disagree_about_is_refused),
        cmocka_unit_test(what_is_not_an_absolute_url_is_refused),
        cmocka_unit_test(schemes_that_run_code_are_refused),
        cmocka_unit_test(dot_segments_are_noticed_in_every_spelling),
        cmocka_unit_test(an_origin_is_scheme_host_and_port),
        cmocka_unit_test(the_machine_itself_is_recognised),
        cmocka_unit_test(a_host_header_has_a_host_and_perhaps_a_port),
    };

    return cmocka_run_group_tests(tests, NULL, release);
}
