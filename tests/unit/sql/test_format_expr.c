#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/vec.h"
#include "sql/analyzer.h"
#include "sql/parse.h"

static struct arena arena;

static void check(const char *text, const char *want)
{
    struct ast_expr *e;
    struct err err = {0};

    if (sql_parse_expr(&arena, str_from_cstr(text), &e, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    assert_string_equal(analyze_format_expr(&arena, e).p, want);
}

static void operators_stand_in_parentheses(void **state)
{
    (void)state;
    check("a+1*2", "(a + (1 * 2))");
    check("-a", "-(a)");
    check("-1", "-1");
    check("a = 1 AND b <> 2 AND NOT c", "((a = 1) AND (b <> 2) AND (NOT c))");
    check("a IS NOT NULL OR b IS NULL", "((a IS NOT NULL) OR (b IS NULL))");
    check("a NOT BETWEEN 1 AND 2", "(NOT (a BETWEEN 1 AND 2))");
    check("a IN (1, 2)", "(a IN (1, 2))");
    check("a LIKE 'x%' ESCAPE '!'", "(a LIKE 'x%' ESCAPE '!')");
    check("a IS DISTINCT FROM b", "(a IS DISTINCT FROM b)");
}

static void literals_are_normalized(void **state)
{
    (void)state;
    check("1.50", "DECIMAL '1.50'");
    check("1500e0", "1.5E3");
    check("0.001e0", "1E-3");
    check("'it''s'", "'it''s'");
    check("'\xc3\xa4'", "U&'\\00E4'");
    check("X'0aff'", "X'0AFF'");
    check("DATE '2020-01-01'", "DATE '2020-01-01'");
    check("NULL", "null");
    check("TRUE", "true");
    check("INTERVAL '1' DAY", "INTERVAL  '1' DAY");
}

static void calls_keep_names_as_written(void **state)
{
    (void)state;
    check("Count(*)", "Count(*)");
    check("count(DISTINCT x)", "count(DISTINCT x)");
    check("sum(x) FILTER (WHERE x > 1)", "sum(x) FILTER (WHERE (x > 1))");
    check("rank() OVER ()", "rank() OVER ()");
    check("sum(x) OVER (PARTITION BY a, b ORDER BY c DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
          "sum(x) OVER (PARTITION BY a, b ORDER BY c DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)");
    check("array_agg(x ORDER BY y)", "array_agg(x ORDER BY y ASC)");
    check("\"F\"(\"a\"\"b\")", "\"F\"(\"a\"\"b\")");
    check("t.a.b", "t.a.b");
}

static void special_forms_have_their_syntax(void **state)
{
    (void)state;
    check("CASE WHEN a THEN 1 ELSE 2 END", "(CASE WHEN a THEN 1 ELSE 2 END)");
    check("CASE a WHEN 1 THEN 2 END", "(CASE a WHEN 1 THEN 2 END)");
    check("if(a, 1, 2)", "IF(a, 1, 2)");
    check("coalesce(a, b)", "COALESCE(a, b)");
    check("nullif(a, b)", "NULLIF(a, b)");
    check("try_cast(a AS decimal(10, 2))", "TRY_CAST(a AS decimal(10, 2))");
    check("CAST(a AS timestamp(3) with time zone)", "CAST(a AS timestamp(3) with time zone)");
    check("extract(YEAR FROM a)", "EXTRACT(YEAR FROM a)");
    check("(a, 1)", "ROW (a, 1)");
    check("ARRAY[1, 2][1]", "ARRAY[1,2][1]");
    check("transform(a, x -> x + 1)", "transform(a, (x) -> (x + 1))");
    check("a || b", "concat(a, b)");
    check("a AT TIME ZONE 'UTC'", "a AT TIME ZONE 'UTC'");
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_stand_in_parentheses),
        cmocka_unit_test(literals_are_normalized),
        cmocka_unit_test(calls_keep_names_as_written),
        cmocka_unit_test(special_forms_have_their_syntax),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
