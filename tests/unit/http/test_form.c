#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/form.h"

static struct arena arena;

static struct http_form parse(const char *text)
{
    struct http_form f;
    struct err err = {0};

    if (http_form_parse(&arena, str_from_cstr(text), &f, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return f;
}

static void assert_refused(struct str text, int code)
{
    struct http_form f;
    struct err err = {0};

    assert_int_equal(http_form_parse(&arena, text, &f, &err), code);
}

static void assert_field(const struct http_form *f, const char *name, const char *value)
{
    struct str found = http_form_get(f, name);

    if (str_is_null(found) || !str_eq_cstr(found, value))
        fail_msg("%s is \"%.*s\"", name, STR_ARG(found));
}

static void fields_are_decoded_in_order(void **state)
{
    struct http_form f = parse("grant_type=password&user+name=J%C3%BCrgen%20%2B+1&empty=&bare&&=nameless");
    (void)state;

    assert_int_equal(f.n, 5);
    assert_field(&f, "grant_type", "password");
    assert_field(&f, "user name", "Jürgen + 1");
    assert_field(&f, "empty", "");
    assert_field(&f, "bare", "");
    assert_field(&f, "", "nameless");
    assert_true(str_is_null(http_form_get(&f, "absent")));
    assert_int_equal(parse("").n, 0);
}

static void a_value_keeps_what_follows_the_first_equals_sign(void **state)
{
    struct http_form f = parse("a=b=c");
    (void)state;

    assert_field(&f, "a", "b=c");
}

static void a_repeated_field_is_found_even_when_it_is_written_differently(void **state)
{
    struct http_form f = parse("scope=a&client_id=x&sco%70e=b");
    (void)state;

    assert_true(str_eq_cstr(http_form_repeated(&f), "scope"));
    assert_int_equal(http_form_count(&f, "scope"), 2);
    assert_field(&f, "scope", "a");
    f = parse("a=1&b=1&c=1");
    assert_true(str_is_null(http_form_repeated(&f)));
}

static void malformed_text_is_refused(void **state)
{
    (void)state;
    assert_refused(STR("a=%"), ERR_INVALID);
    assert_refused(STR("a=%4"), ERR_INVALID);
    assert_refused(STR("a=%zz"), ERR_INVALID);
    assert_refused(STR("a%=1"), ERR_INVALID);
    assert_refused(STR("a=x%00y"), ERR_INVALID);
    assert_refused(STR("a=x\0y"), ERR_INVALID);
    assert_refused(STR("a=%ff"), ERR_INVALID);
    assert_refused(STR("a=%c0%80"), ERR_INVALID);
}

static void the_number_of_fields_is_bounded(void **state)
{
    BUF_SCOPED struct buf text;
    struct http_form f;
    (void)state;

    buf_init(&text, 1 << 20);
    for (int i = 0; i < HTTP_FORM_FIELDS_MAX; i++)
        buf_addf(&text, "&f%d=%d", i, i);
    assert_int_equal(http_form_parse(&arena, buf_str(&text), &f, NULL), 0);
    assert_int_equal(f.n, HTTP_FORM_FIELDS_MAX);
    assert_true(str_is_null(http_form_repeated(&f)));
    buf_add_cstr(&text, "&one=more");
    assert_refused(buf_str(&text), ERR_LIMIT);
}

static void what_is_written_is_read_back(void **state)
{
    BUF_SCOPED struct buf text;
    (void)state;

    buf_init(&text, 1 << 10);
    http_form_add(&text, STR("redirect uri"), STR("https://a.example/b?c=d&e=f#g"));
    http_form_add(&text, STR("state"), STR("ü +%"));
    struct http_form f = parse(buf_cstr(&text));
    assert_field(&f, "redirect uri", "https://a.example/b?c=d&e=f#g");
    assert_field(&f, "state", "ü +%");
}

static void assert_extended(const char *url, const char *want)
{
    BUF_SCOPED struct buf text;

    buf_init(&text, 1 << 10);
    buf_add_cstr(&text, url);
    http_form_add_to_url(&text, STR("a"), STR("1 2"));
    assert_string_equal(buf_cstr(&text), want);
}

static void a_url_is_extended_where_its_query_is(void **state)
{
    (void)state;
    assert_extended("https://x.example/cb", "https://x.example/cb?a=1%202");
    assert_extended("https://x.example/cb?", "https://x.example/cb?a=1%202");
    assert_extended("https://x.example/cb?k=v", "https://x.example/cb?k=v&a=1%202");
}

static void the_media_type_is_known_with_its_parameters(void **state)
{
    (void)state;
    assert_true(http_form_is_type(STR("application/x-www-form-urlencoded")));
    assert_true(http_form_is_type(STR("Application/X-WWW-Form-Urlencoded ; charset=UTF-8")));
    assert_false(http_form_is_type(STR("application/x-www-form-urlencoded-not")));
    assert_false(http_form_is_type(STR("application/json")));
    assert_false(http_form_is_type(STR_NULL));
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
        cmocka_unit_test(fields_are_decoded_in_order),
        cmocka_unit_test(a_value_keeps_what_follows_the_first_equals_sign),
        cmocka_unit_test(a_repeated_field_is_found_even_when_it_is_written_differently),
        cmocka_unit_test(malformed_text_is_refused),
        cmocka_unit_test(the_number_of_fields_is_bounded),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_url_is_extended_where_its_query_is),
        cmocka_unit_test(the_media_type_is_known_with_its_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, release);
}
