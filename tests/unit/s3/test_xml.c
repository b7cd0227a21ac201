#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/vec.h"
#include "s3/xml.h"

static struct arena arena;

static struct xml_node *parse(const char *text)
{
    struct xml_node *root = NULL;
    struct err err = {0};

    if (xml_parse(&arena, str_from_cstr(text), &root, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return root;
}

static void elements_are_found_by_name_whatever_their_namespace(void **state)
{
    const struct xml_node *root = parse(
        "<?xml version=\"1.0\"?><s:Delete xmlns:s=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        "<s:Quiet>true</s:Quiet><s:Object><s:Key>a&amp;b &#x41;<![CDATA[<c>]]></s:Key></s:Object></s:Delete>");
    const struct xml_node *object = xml_child(root, "Object");

    (void)state;
    assert_true(str_eq(root->name, STR("Delete")));
    assert_true(str_eq(xml_child_text(root, "Quiet"), STR("true")));
    assert_non_null(object);
    assert_true(str_eq(xml_child_text(object, "Key"), STR("a&b A<c>")));
    assert_true(str_is_null(xml_child_text(object, "VersionId")));
    assert_null(xml_child(object, "key"));
}

static void what_is_no_document_is_malformed(void **state)
{
    static const char *const cases[] = {
        "", " ", "<", "<a>", "<a></b>", "<a/><b/>", "x<a/>", "<a>&nbsp;</a>", "<a>\x01</a>", "<a>\xff</a>", "<a b=1/>",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct xml_node *root;
        struct err err = {0};
        assert_int_equal(xml_parse(&arena, str_from_cstr(cases[i]), &root, &err), ERR_INVALID);
        assert_string_equal(err.name, "MalformedXML");
    }
}

static void a_document_type_is_refused_and_with_it_entities(void **state)
{
    static const char *const cases[] = {
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct xml_node *root;
        struct err err = {0};
        assert_int_equal(xml_parse(&arena, str_from_cstr(cases[i]), &root, &err), ERR_INVALID);
        assert_non_null(strstr(err.message, "document type"));
    }
}

static void depth_is_bounded(void **state)
{
    struct xml_node *root;
    struct err err = {0};
    BUF_SCOPED struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < XML_DEPTH_MAX + 1; i++)
        buf_add_cstr(&b, "<a>");
    for (int i = 0; i < XML_DEPTH_MAX + 1; i++)
        buf_add_cstr(&b, "</a>");
    assert_int_equal(xml_parse(&arena, buf_str(&b), &root, &err), ERR_INVALID);
    assert_non_null(strstr(err.message, "nested"));
}

static void text_is_bounded_and_never_cut(void **state)
{
    struct xml_node *root;
    struct err err = {0};
    BUF_SCOPED struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    buf_add_cstr(&b, "<a>");
    for (int i = 0; i < XML_TEXT_MAX; i++)
        buf_add_char(&b, 'x');
    buf_add_cstr(&b, "</a>");
    assert_int_equal(xml_parse(&arena, buf_str(&b), &root, &err), 0);
    assert_int_equal(root->text.n, XML_TEXT_MAX);
    buf_truncate(&b, b.n - 4);
    buf_add_cstr(&b, "x</a>");
    assert_int_equal(xml_parse(&arena, buf_str(&b), &root, &err), ERR_INVALID);
    assert_non_null(strstr(err.message, "too long"));
}

static void text_that_is_written_reads_back(void **state)
{
    static const char text[] = "a<b>&\"'\t\n\r \xc3\xa4 \xe2\x82\xac";
    const struct xml_node *root;
    BUF_SCOPED struct buf b;

    (void)state;
    buf_init(&b, 4096);
    xml_start(&b, "Root");
    xml_text(&b, "Key", str_from_cstr(text));
    xml_close(&b, "Root");
    root = parse(buf_cstr(&b));
    assert_true(str_eq(xml_child_text(root, "Key"), str_from_cstr(text)));
}

static void what_xml_cannot_have_becomes_the_replacement_character(void **state)
{
    BUF_SCOPED struct buf b;

    (void)state;
    buf_init(&b, 4096);
    xml_escape(&b, str_from("a\x01\xff\0z\xef\xbf\xbd", 8));
    assert_string_equal(buf_cstr(&b), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd");
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
        cmocka_unit_test(elements_are_found_by_name_whatever_their_namespace),
        cmocka_unit_test(what_is_no_document_is_malformed),
        cmocka_unit_test(a_document_type_is_refused_and_with_it_entities),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(text_is_bounded_and_never_cut),
        cmocka_unit_test(text_that_is_written_reads_back),
        cmocka_unit_test(what_xml_cannot_have_becomes_the_replacement_character),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
