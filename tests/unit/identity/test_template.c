#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/vec.h"
#include "identity/login/embedded.h"
#include "identity/login/template.h"

static const struct messages *language(const char *tag)
{
    struct str wanted = str_from_cstr(tag);

    return messages_for(&wanted, 1);
}

static void render(struct buf *to, const char *name, json_t *data, const char *tag)
{
    struct err err = {0};

    buf_init(to, 1 << 20);
    int rc = template_render(to, name, data, language(tag), &err);
    json_decref(data);
    if (rc < 0)
        fail_msg("%s", err.message);
}

static void assert_has(const struct buf *page, const char *text)
{
    if (str_find(buf_str(page), str_from_cstr(text), 0) == SIZE_MAX)
        fail_msg("the page lacks %s", text);
}

static void assert_lacks(const struct buf *page, const char *text)
{
    if (str_find(buf_str(page), str_from_cstr(text), 0) != SIZE_MAX)
        fail_msg("the page has %s", text);
}

static void values_are_escaped_in_text_and_attributes(void **state)
{
    static const char evil[] = "\"'><script>alert(1)</script>&";
    BUF_SCOPED struct buf page;
    (void)state;

    render(&page, "login.html",
           json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "username", evil, "realm", evil, "title", evil, "error", evil,
                     "action", evil, "withEmail", 1),
           "en");
    assert_lacks(&page, "<script");
    assert_lacks(&page, "\"'>");
    assert_has(&page, "value=\"&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;\"");
}

static void malformed_bytes_and_control_characters_become_replacement_characters(void **state)
{
    BUF_SCOPED struct buf out;
    (void)state;

    buf_init(&out, 1024);
    template_escape(&out, STR("a\xff\x01\nb"));
    assert_true(str_eq(buf_str(&out), STR("a\xef\xbf\xbd\xef\xbf\xbd\nb")));
}

static void a_section_appears_when_its_value_is_there_and_once_for_each_item(void **state)
{
    BUF_SCOPED struct buf with, without, list;
    (void)state;

    render(&with, "login.html", json_pack("{s:s, s:s, s:s}", "error", "wrong", "realm", "r", "title", "t"), "en");
    assert_has(&with, "role=\"alert\"");
    assert_has(&with, "aria-invalid=\"true\"");
    render(&without, "login.html", json_pack("{s:s, s:s, s:s}", "error", "", "realm", "r", "title", "t"), "en");
    assert_lacks(&without, "role=\"alert\"");
    render(&list, "consent.html", json_pack("{s:[s, s], s:s, s:s}", "scopes", "one", "two", "realm", "r", "title", "t"),
           "en");
    assert_has(&list, "<li>one</li>\n<li>two</li>");
}

static void texts_come_in_the_language_of_the_page_with_their_parameters_escaped(void **state)
{
    BUF_SCOPED struct buf page;
    (void)state;

    render(&page, "login.html", json_pack("{s:s, s:s, s:s}", "lang", "fr", "realm", "A&B", "title", "Entrez"), "fr");
    assert_has(&page, "<title>Entrez – A&amp;B</title>");
    assert_has(&page, ">Connexion</button>");
    assert_has(&page, "<html lang=\"fr\">");
}

/* A page that names a text or a template that isn't there would fail when somebody needs it. */
static void every_page_renders_in_every_language(void **state)
{
    (void)state;

    for (size_t i = 0; messages_at(i); i++) {
        for (size_t p = 0; p < login_pages_count; p++) {
            BUF_SCOPED struct buf empty, full;
            const char *name = login_pages[p].name;
            if (strstr(name, ".css"))
                continue;
            render(&empty, name, json_object(), messages_tag(messages_at(i)));
            json_t *item = json_pack("{s:s, s:s, s:b, s:b, s:s, s:s, s:s, s:s}", "name", "n", "url", "u", "current", 1,
                                     "granted", 1, "label", "l", "id", "i", "tag", "en", "scopes", "s");
            render(&full, name,
                   json_pack("{s:[O], s:[O], s:[O], s:[O], s:[O], s:s, s:s, s:b, s:{s:s}, s:s, s:s, s:b}", "sections",
                             item, "devices", item, "sessions", item, "applications", item, "languages", item,
                             "attempted", "a", "error", "e", "rememberMe", 1, "bad", "email", "wrong", "notice", "n",
                             "back", "b", "hasLanguages", 1),
                   messages_tag(messages_at(i)));
            json_decref(item);
            assert_lacks(&full, "{{");
        }
    }
}

static void every_language_has_every_text(void **state)
{
    (void)state;

    for (size_t i = 0; i < login_messages_count; i++) {
        struct str rest = str_from(login_messages[i].text, login_messages[i].n), line, key, other;
        while (str_split(&rest, '\n', &line)) {
            if (line.n == 0 || line.p[0] == '#')
                continue;
            assert_true(str_split(&line, '=', &key));
            assert_false(str_is_empty(line));
            for (size_t j = 0; j < login_messages_count; j++) {
                struct str all = str_from(login_messages[j].text, login_messages[j].n);
                bool found = false;
                while (str_split(&all, '\n', &other))
                    found |= str_starts_with(other, key) && other.n > key.n && other.p[key.n] == '=';
                if (!found)
                    fail_msg("%s lacks %.*s", login_messages[j].name, STR_ARG(key));
            }
        }
    }
}

static void a_language_is_chosen_by_weight_and_english_is_the_fallback(void **state)
{
    struct str tags[8];
    (void)state;

    size_t n = messages_parse_accept(STR("en;q=0.5, de, fr-CA;q=0.75, *;q=0"), tags, ARRAY_LEN(tags));
    assert_int_equal(n, 3);
    assert_true(str_eq(tags[0], STR("de")));
    assert_true(str_eq(tags[1], STR("fr-CA")));
    assert_true(str_eq(tags[2], STR("en")));
    assert_string_equal(messages_tag(messages_for(tags, n)), "fr");
    assert_string_equal(messages_tag(language("de")), "en");
    assert_string_equal(messages_tag(messages_for(NULL, 0)), "en");
}

static void a_text_for_a_value_has_its_parameters_filled_in(void **state)
{
    ARENA_SCOPED struct arena a;
    struct str arg = STR("<redirect_uri>");
    (void)state;

    arena_init(&a, 0);
    struct str text = messages_text(language("en"), &a, "invalidParameterMessage", &arg, 1);
    assert_true(str_eq(text, STR("Invalid parameter: <redirect_uri>")));
    assert_true(str_eq(messages_text(language("en"), &a, "noSuchKey", NULL, 0), STR("noSuchKey")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_escaped_in_text_and_attributes),
        cmocka_unit_test(malformed_bytes_and_control_characters_become_replacement_characters),
        cmocka_unit_test(a_section_appears_when_its_value_is_there_and_once_for_each_item),
        cmocka_unit_test(texts_come_in_the_language_of_the_page_with_their_parameters_escaped),
        cmocka_unit_test(every_page_renders_in_every_language),
        cmocka_unit_test(every_language_has_every_text),
        cmocka_unit_test(a_language_is_chosen_by_weight_and_english_is_the_fallback),
        cmocka_unit_test(a_text_for_a_value_has_its_parameters_filled_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
