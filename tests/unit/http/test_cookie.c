#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/cookie.h"

#include "base/vec.h"

static struct arena arena;

static void assert_cookie(const struct http_request *r, const char *name, const char *value)
{
    struct str found = http_cookie_get(r, name);

    if (str_is_null(found) || !str_eq_cstr(found, value))
        fail_msg("%s is \"%.*s\"", name, STR_ARG(found));
}

static void cookies_are_found_in_every_cookie_header(void **state)
{
    struct http_header headers[] = {
        {STR("Host"), STR("x")},
        {STR("cookie"), STR("a=1; b=\"quoted\" ;c=x=y;; d; =e")},
        {STR("Cookie"), STR("a=second; f=")},
    };
    struct http_request r = {.arena = &arena, .headers = headers, .header_count = ARRAY_LEN(headers)};
    (void)state;

    assert_cookie(&r, "a", "1");
    assert_cookie(&r, "b", "quoted");
    assert_cookie(&r, "c", "x=y");
    assert_cookie(&r, "f", "");
    assert_true(str_is_null(http_cookie_get(&r, "A")));
    assert_true(str_is_null(http_cookie_get(&r, "d")));
    assert_true(str_is_null(http_cookie_get(&r, "g")));
}

static void assert_set(const struct http_cookie *c, const char *want)
{
    struct http_request r = {.arena = &arena};
    struct http_response *p = http_response_new(&r, 200);
    struct err err = {0};

    if (http_cookie_set(&r, p, c, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(p->header_count, 1);
    assert_true(str_eq_cstr(p->headers[0].name, "Set-Cookie"));
    assert_string_equal(p->headers[0].value.p, want);
}

static void a_cookie_is_written_with_its_attributes(void **state)
{
    (void)state;
    assert_set(&(struct http_cookie){.name = "s", .value = STR("abc")}, "s=abc; Path=/");
    assert_set(&(struct http_cookie){.name = "s",
                                     .value = STR("abc"),
                                     .path = "/realms/a/",
                                     .max_age = 3600,
                                     .http_only = true,
                                     .secure = true,
                                     .same_site = HTTP_SAME_SITE_NONE},
               "s=abc; Path=/realms/a/; Max-Age=3600; Secure; HttpOnly; SameSite=None");
    assert_set(&(struct http_cookie){.name = "s", .same_site = HTTP_SAME_SITE_LAX, .max_age = -1},
               "s=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; SameSite=Lax");
}

static void assert_not_set(const struct http_cookie *c)
{
    struct http_request r = {.arena = &arena};
    struct http_response *p = http_response_new(&r, 200);

    assert_int_equal(http_cookie_set(&r, p, c, NULL), ERR_INVALID);
    assert_int_equal(p->header_count, 0);
}

static void what_would_end_a_cookie_early_is_refused(void **state)
{
    (void)state;
    assert_not_set(&(struct http_cookie){.name = "s", .value = STR("a; Path=/evil")});
    assert_not_set(&(struct http_cookie){.name = "s", .value = STR("a\r\nX: y")});
    assert_not_set(&(struct http_cookie){.name = "s", .value = STR("a\0b")});
    assert_not_set(&(struct http_cookie){.name = "s", .value = STR("\xc3\xbc")});
    assert_not_set(&(struct http_cookie){.name = "s=t", .value = STR("a")});
    assert_not_set(&(struct http_cookie){.name = "", .value = STR("a")});
    assert_not_set(&(struct http_cookie){.name = "s", .value = STR("a"), .path = "/;Domain=x"});
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
        cmocka_unit_test(cookies_are_found_in_every_cookie_header),
        cmocka_unit_test(a_cookie_is_written_with_its_attributes),
        cmocka_unit_test(what_would_end_a_cookie_early_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, release);
}
