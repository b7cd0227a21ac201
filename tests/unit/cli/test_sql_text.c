/* What `dataplatform sql` does to text: where a statement ends, how a value looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cli/sql.h"

static void assert_str(struct str s, const char *want)
{
    if (!str_eq_cstr(s, want))
        fail_msg("expected \"%s\", found \"%.*s\"", want, STR_ARG(s));
}

static void statements_end_at_semicolons_outside_of_quotes_and_comments(void **state)
{
    struct str rest = STR(" SELECT ';', \"a;b\", 'it''s;' -- c;\n /* ; */ FROM t ; SELECT 2;; SELECT 3"), s;

    (void)state;
    assert_true(sql_split(&rest, &s));
    assert_str(s, "SELECT ';', \"a;b\", 'it''s;' -- c;\n /* ; */ FROM t");
    assert_true(sql_split(&rest, &s));
    assert_str(s, "SELECT 2");
    assert_true(sql_split(&rest, &s));
    assert_str(s, "");
    assert_false(sql_split(&rest, &s));
    assert_str(rest, " SELECT 3");
}

static void what_is_not_closed_does_not_end(void **state)
{
    static const char *const texts[] = {"SELECT 'a;", "SELECT \"a;", "SELECT /* ;", "SELECT -- ;", "", "SELECT 1"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct str rest = str_from_cstr(texts[i]), s;
        if (sql_split(&rest, &s))
            fail_msg("%s: ends", texts[i]);
    }
}

static void comments_alone_are_blank(void **state)
{
    (void)state;
    assert_true(sql_is_blank(STR("")));
    assert_true(sql_is_blank(STR(" -- x\n /* y */\t")));
    assert_true(sql_is_blank(STR("-- to the end")));
    assert_false(sql_is_blank(STR("-- x\n1")));
}

static void values_look_as_in_trino_cli(void **state)
{
    static const struct {
        const char *value, *signature, *text;
    } cases[] = {
        {"1.0", "{\"rawType\": \"double\"}", "1.0"},
        {"3", "{\"rawType\": \"double\"}", "3.0"},
        {"0.001", "{\"rawType\": \"double\"}", "0.001"},
        {"0.0001", "{\"rawType\": \"double\"}", "1.0E-4"},
        {"9999999.0", "{\"rawType\": \"double\"}", "9999999.0"},
        {"10000000.0", "{\"rawType\": \"double\"}", "1.0E7"},
        {"-1.25e300", "{\"rawType\": \"double\"}", "-1.25E300"},
        {"0.1", "{\"rawType\": \"double\"}", "0.1"},
        {"\"NaN\"", "{\"rawType\": \"double\"}", "NaN"},
        {"9223372036854775807", "{\"rawType\": \"bigint\"}", "9223372036854775807"},
        {"true", "{\"rawType\": \"boolean\"}", "true"},
        {"\"AP8=\"", "{\"rawType\": \"varbinary\"}", "00 ff"},
        {"[[1], null]",
         "{\"rawType\": \"array\", \"arguments\": [{\"kind\": \"TYPE\", \"value\": {\"rawType\": \"array\", "
         "\"arguments\": "
         "[{\"kind\": \"TYPE\", \"value\": {\"rawType\": \"double\"}}]}}]}",
         "[[1.0], NULL]"},
        {"[1, 2]",
         "{\"rawType\": \"row\", \"arguments\": [{\"kind\": \"NAMED_TYPE\", \"value\": {\"fieldName\": {\"name\": "
         "\"x\"}, "
         "\"typeSignature\": {\"rawType\": \"integer\"}}}, {\"kind\": \"NAMED_TYPE\", \"value\": {\"typeSignature\": "
         "{\"rawType\": \"integer\"}}}]}",
         "{x=1, field1=2}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        JSON_SCOPED json_t *value = json_loads(cases[i].value, JSON_DECODE_ANY, NULL);
        JSON_SCOPED json_t *signature = json_loads(cases[i].signature, 0, NULL);
        BUF_SCOPED struct buf text;

        assert_non_null(value);
        assert_non_null(signature);
        buf_init(&text, 4096);
        sql_value_text(&text, value, signature);
        assert_str(buf_str(&text), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_end_at_semicolons_outside_of_quotes_and_comments),
        cmocka_unit_test(what_is_not_closed_does_not_end),
        cmocka_unit_test(comments_alone_are_blank),
        cmocka_unit_test(values_look_as_in_trino_cli),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
