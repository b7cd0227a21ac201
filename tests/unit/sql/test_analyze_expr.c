#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/vec.h"
#include "sql/analyze.h"
#include "sql/parse.h"

/* Expectations here are what a real Trino 476 answered. */

static struct arena arena;

static int analyze_text(const char *text, struct statement **ret, struct err *err)
{
    static struct session session;
    static const struct connector_set none = {0};
    struct analyze_context context = {.session = &session, .catalogs = &none};
    struct analyze_tables tables = {0};
    struct ast_statement *s;
    int code;

    session.user = STR("test");
    session.time_zone = STR("UTC");
    session.start_us = 1700000000123456;
    if ((code = sql_parse(&arena, str_from_cstr(text), &s, err)) < 0)
        return code;
    return analyze(&context, &arena, s, &tables, ret, err);
}

/* "integer, varchar(3)": the types of the query's columns. */
static const char *types_of(const char *text)
{
    struct statement *s;
    struct err err = {0};
    struct buf BUF_SCOPED b;

    if (analyze_text(text, &s, &err) < 0)
        fail_msg("%s: %d:%d %s", text, err.line, err.column, err.message);
    buf_init(&b, 1 << 16);
    for (size_t i = 0; i < s->query->column_count; i++) {
        if (i > 0)
            buf_add_cstr(&b, ", ");
        type_format(&b, s->query->columns[i].type);
    }
    return arena_cstr(&arena, buf_str(&b));
}

struct type_case {
    const char *text, *types;
};

static void check_types(const struct type_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = types_of(cases[i].text);

        if (strcmp(got, cases[i].types) != 0)
            fail_msg("%s\n  is  %s\n  not %s", cases[i].text, got, cases[i].types);
    }
}

struct error_case {
    const char *text;
    int line, column;
    const char *name, *message;
};

static void check_errors(const struct error_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct error_case *c = &cases[i];
        struct statement *s;
        struct err err = {0};

        if (analyze_text(c->text, &s, &err) == 0)
            fail_msg("%s succeeded", c->text);
        if (strcmp(err.message, c->message) != 0 || strcmp(err.name ? err.name : "", c->name) != 0 ||
            err.line != c->line || err.column != c->column)
            fail_msg("%s\n  gives  %d:%d %s %s\n  not    %d:%d %s %s", c->text, err.line, err.column,
                     err.name ? err.name : "-", err.message, c->line, c->column, c->name, c->message);
    }
}

static void literals_have_trinos_types(void **state)
{
    static const struct type_case cases[] = {
        {"SELECT 1, 2147483648, 1.50, .5, 5., 000.10, 1e0",
         "integer, bigint, decimal(3,2), decimal(1,1), decimal(1,0), "
         "decimal(2,2), double"},
        {"SELECT 'abc', '', 'äö', X'00', true, NULL",
         "varchar(3), varchar(0), varchar(2), varbinary, boolean, unknown"},
        {"SELECT DATE '2024-2-9', TIME '01:02', TIME '01:02:03.123', TIMESTAMP '2024-02-29'",
         "date, time(0), time(3), timestamp(0)"},
        {"SELECT TIMESTAMP '2024-02-29 01:02:03.123456', TIMESTAMP '2024-02-29 01:02:03.1 UTC'",
         "timestamp(6), timestamp(1) with time zone"},
        {"SELECT TIMESTAMP '2024-02-29 01:02:03 Europe/Paris'", "timestamp(0) with time zone"},
        {"SELECT INTERVAL '1' DAY, INTERVAL '1-2' YEAR TO MONTH", "interval day to second, interval year to month"},
        {"SELECT DECIMAL '-12345678901234567890.123', TINYINT '127', REAL '1.5', CHAR 'abc', VARCHAR 'abc'",
         "decimal(23,3), tinyint, real, char(3), varchar"},
        {"SELECT JSON '{\"a\": 1}', UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59'", "json, uuid"},
        {"SELECT ARRAY[1, 2.5], ROW(1, 'a'), ARRAY[], MAP()",
         "array(decimal(11,1)), row(integer, varchar(1)), array(unknown), map(unknown, unknown)"},
        {"SELECT current_timestamp, current_timestamp(6), localtimestamp, localtime, current_date, current_user",
         "timestamp(3) with time zone, timestamp(6) with time zone, timestamp(3), time(3), date, varchar"},
    };

    (void)state;
    check_types(cases, ARRAY_LEN(cases));
}

static void bad_literals_are_named(void **state)
{
    static const struct error_case cases[] = {
        {"SELECT TINYINT '128'", 1, 8, "INVALID_LITERAL", "'128' is not a valid TINYINT literal"},
        {"SELECT DATE '2023-02-29'", 1, 8, "INVALID_LITERAL", "'2023-02-29' is not a valid DATE literal"},
        {"SELECT TIME '25:00:00'", 1, 8, "INVALID_LITERAL", "'25:00:00' is not a valid TIME literal"},
        {"SELECT TIMESTAMP '2024-02-29T01:02:03'", 1, 8, "INVALID_LITERAL",
         "'2024-02-29T01:02:03' is not a valid TIMESTAMP literal"},
        {"SELECT TIMESTAMP '2024-02-29 01:02:03 Mars/Olympus'", 1, 8, "INVALID_LITERAL",
         "'2024-02-29 01:02:03 Mars/Olympus' is not a valid TIMESTAMP literal"},
        {"SELECT TIMESTAMP '2024-02-29 01:02:03.1234567890123'", 1, 8, "NUMERIC_VALUE_OUT_OF_RANGE",
         "TIMESTAMP precision must be in range [0, 12]: 13"},
        {"SELECT INTERVAL 'x' DAY", 1, 8, "INVALID_LITERAL", "Invalid INTERVAL DAY value: x"},
        {"SELECT INTERVAL '2:3' DAY TO SECOND", 1, 8, "INVALID_LITERAL", "Invalid INTERVAL DAY TO SECOND value: 2:3"},
        {"SELECT JSON '{'", 1, 8, "INVALID_LITERAL", "'{' is not a valid JSON literal"},
        {"SELECT UUID '123'", 1, 8, "INVALID_LITERAL", "'123' is not a valid UUID literal"},
        {"SELECT NOSUCHTYPE 'x'", 0, 0, "TYPE_NOT_FOUND",
         "io.trino.spi.TrinoException: line 1:8: Unknown resolvedType: NOSUCHTYPE"},
        {"SELECT 123456789012345678901234567890123456789.", 1, 8, "INVALID_LITERAL",
         "'123456789012345678901234567890123456789.' is not a valid DECIMAL literal"},
    };

    (void)state;
    check_errors(cases, ARRAY_LEN(cases));
}

static void operators_have_trinos_types(void **state)
{
    static const struct type_case cases[] = {
        {"SELECT 1 + 1, TINYINT '1' + SMALLINT '1', 1 + BIGINT '1', 1 + NULL", "integer, smallint, bigint, integer"},
        {"SELECT 1.25 * 2.5, 1.25 / 2.5, 1.25 + 2.5, 1.25 / 3, 7.5 % 2.25",
         "decimal(5,3), decimal(4,2), decimal(4,2), decimal(3,2), decimal(3,2)"},
        {"SELECT DATE '2020-01-01' + INTERVAL '1' DAY, DATE '2020-01-01' - DATE '2019-01-01'",
         "date, interval day to second"},
        {"SELECT TIMESTAMP '2020-01-01 00:00:00' + INTERVAL '1' DAY, TIMESTAMP '2020-01-01 00:00:00' + INTERVAL '1' "
         "MONTH",
         "timestamp(3), timestamp(0)"},
        {"SELECT 2.5 * INTERVAL '1' DAY, now() + INTERVAL '1' MONTH",
         "interval day to second, timestamp(3) with time zone"},
        {"SELECT 1 = 1.5, 'a' < NULL, 1 IS DISTINCT FROM 2, 1 BETWEEN 0 AND 2e0, 1 IN (1, 2.5), 'a' LIKE 'b' ESCAPE "
         "'c'",
         "boolean, boolean, boolean, boolean, boolean, boolean"},
        {"SELECT 'a' || 'b', 'a' || CAST('a' AS char(3)), ARRAY[1] || 2, 'a' || NULL",
         "varchar, char(4), array(integer), array(varchar(1))"},
        {"SELECT ARRAY[1][1], MAP(ARRAY['a'], ARRAY[1.5])['a'], ROW(1, 'a')[2]", "integer, decimal(2,1), varchar(1)"},
        {"SELECT TIMESTAMP '2020-01-01 00:00:00' AT TIME ZONE 'Europe/Paris'", "timestamp(0) with time zone"},
        {"SELECT CAST(ROW(1, 'x') AS row(a integer, \"B\" varchar)).b", "varchar"},
    };

    (void)state;
    check_types(cases, ARRAY_LEN(cases));
}

static void operators_without_a_match_are_errors(void **state)
{
    static const struct error_case cases[] = {
        {"SELECT '1' + 1", 1, 12, "TYPE_MISMATCH", "Cannot apply operator: varchar(1) + integer"},
        {"SELECT -'a'", 1, 8, "TYPE_MISMATCH", "Cannot negate varchar(1)"},
        {"SELECT +1.50", 1, 8, "TYPE_MISMATCH", "Unary '+' operator cannot by applied to decimal(3,2) type"},
        {"SELECT BIGINT '1' * NULL", 0, 0, "AMBIGUOUS_FUNCTION_CALL",
         "Could not choose a best candidate operator. Explicit type casts must be added.\nCandidates are:\n"
         "\t * (bigint,bigint):bigint\n\t * (bigint,interval day to second):interval day to second\n"
         "\t * (bigint,interval year to month):interval year to month\n"},
        {"SELECT CAST(1 AS decimal(38, 30)) * CAST(1 AS decimal(38, 30))", 0, 0, "INVALID_FUNCTION_ARGUMENT",
         "DECIMAL scale must be in range [0, precision (38)]: 60"},
        {"SELECT 1 > 'a'", 1, 10, "TYPE_MISMATCH", "Cannot apply operator: integer < varchar(1)"},
        {"SELECT MAP() < MAP()", 1, 14, "TYPE_MISMATCH",
         "Cannot apply operator: map(unknown, unknown) < map(unknown, unknown)"},
        {"SELECT 1 IS DISTINCT FROM 'a'", 1, 10, "TYPE_MISMATCH", "Cannot check if integer is identical to varchar(1)"},
        {"SELECT 1 BETWEEN 'a' AND 'b'", 1, 10, "TYPE_MISMATCH",
         "Cannot check if integer is BETWEEN varchar(1) and varchar(1)"},
        {"SELECT 1 IN (2, 'x')", 1, 17, "TYPE_MISMATCH",
         "IN value and list items must be the same type or coercible to a common type. Cannot find common type between "
         "integer and varchar(1), all types (without duplicates): [integer, varchar(1)]"},
        {"SELECT NOT 1", 1, 12, "TYPE_MISMATCH",
         "Value of logical NOT expression must evaluate to a boolean (actual: integer)"},
        {"SELECT 1 AND true", 1, 8, "TYPE_MISMATCH",
         "Logical expression term must evaluate to a boolean (actual: integer)"},
        {"SELECT 1 LIKE 'a'", 1, 8, "TYPE_MISMATCH",
         "Left side of LIKE expression must evaluate to a varchar (actual: integer)"},
        {"SELECT 'a'[1]", 1, 8, "TYPE_MISMATCH", "Cannot use integer for subscript of varchar(1)"},
        {"SELECT ROW(1,2)[3]", 1, 17, "INVALID_FUNCTION_ARGUMENT", "Subscript index out of bounds: 3, max value is 2"},
        {"SELECT ROW(1,2)[0]", 1, 17, "INVALID_FUNCTION_ARGUMENT",
         "Invalid subscript index: 0. ROW indices start at 1"},
        {"SELECT ROW(1,2).x", 1, 8, "INVALID_COLUMN_REFERENCE", "Column reference 'x' is invalid"},
        {"SELECT 1 AT TIME ZONE 'UTC'", 1, 8, "TYPE_MISMATCH",
         "Type of value must be a time or timestamp with or without time zone (actual integer)"},
        {"SELECT EXTRACT(hour FROM DATE '2020-01-01')", 1, 26, "TYPE_MISMATCH", "Cannot extract HOUR from date"},
        {"SELECT now() AT TIME ZONE 'foo'", 0, 0, "INVALID_FUNCTION_ARGUMENT", "'foo' is not a valid time zone"},
    };

    (void)state;
    check_errors(cases, ARRAY_LEN(cases));
}

/* Overflows name their operands in Trino's order. */
static void constants_stand_right_of_what_is_cast(void **state)
{
    struct statement *s;
    struct err err = {0};

    (void)state;
    assert_int_equal(analyze_text("SELECT 9223372036854775807 + 1, 2147483647 + 1", &s, &err), 0);
    const struct expr *bigint = s->query->exprs[0], *integer = s->query->exprs[1];
    assert_int_equal(bigint->args[0]->constant.i, 1);
    assert_int_equal(bigint->args[1]->constant.i, INT64_MAX);
    assert_int_equal(integer->args[0]->constant.i, 2147483647);
}

static void conditionals_find_a_common_type(void **state)
{
    static const struct type_case cases[] = {
        {"SELECT CASE WHEN true THEN 1 ELSE 2.5 END, CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' END",
         "decimal(11,1), varchar(3)"},
        {"SELECT if(true, 1, BIGINT '1'), coalesce(NULL, NULL), coalesce(1, 2.5), nullif(1, 2.5), try(1 / 0)",
         "bigint, unknown, decimal(11,1), integer, integer"},
    };
    static const struct error_case errors[] = {
        {"SELECT CASE WHEN true THEN 1 ELSE 'a' END", 1, 35, "TYPE_MISMATCH",
         "All CASE results must be the same type or coercible to a common type. Cannot find common type between "
         "integer "
         "and varchar(1), all types (without duplicates): [integer, varchar(1)]"},
        {"SELECT CASE WHEN 1 THEN 2 END", 1, 18, "TYPE_MISMATCH",
         "CASE WHEN clause must evaluate to a boolean (actual: integer)"},
        {"SELECT CASE 1 WHEN 'a' THEN 1 END", 1, 20, "TYPE_MISMATCH",
         "CASE operand type does not match WHEN clause operand type: integer vs varchar(1)"},
        {"SELECT if(true,2,'a')", 1, 8, "TYPE_MISMATCH", "Result types for IF must be the same: integer vs varchar(1)"},
        {"SELECT nullif(1,'a')", 1, 8, "TYPE_MISMATCH", "Types are not comparable with NULLIF: integer vs varchar(1)"},
        {"SELECT ARRAY[1,'a']", 1, 16, "TYPE_MISMATCH",
         "All ARRAY elements must be the same type or coercible to a common type. Cannot find common type between "
         "integer and varchar(1), all types (without duplicates): [integer, varchar(1)]"},
    };

    (void)state;
    check_types(cases, ARRAY_LEN(cases));
    check_errors(errors, ARRAY_LEN(errors));
}

static void casts_are_checked(void **state)
{
    static const struct type_case cases[] = {
        {"SELECT CAST(1 AS varchar), CAST('a' AS char(3)), TRY_CAST('a' AS integer), CAST(NULL AS row(a integer))",
         "varchar, char(3), integer, row(a integer)"},
        {"SELECT CAST(ARRAY[1] AS array(varchar)), CAST(1 AS double precision), CAST(ARRAY[1] AS json)",
         "array(varchar), double, json"},
        {"SELECT CAST('2020-01-01 00:00:00 +02:00' AS timestamp(0) with time zone)", "timestamp(0) with time zone"},
    };
    static const struct error_case errors[] = {
        {"SELECT CAST(1 AS date)", 1, 8, "TYPE_MISMATCH", "Cannot cast integer to date"},
        {"SELECT CAST(JSON '1' AS date)", 1, 8, "TYPE_MISMATCH", "Cannot cast json to date"},
        {"SELECT CAST(ARRAY[1] AS array(date))", 1, 8, "TYPE_MISMATCH", "Cannot cast array(integer) to array(date)"},
        {"SELECT CAST(1 AS nosuchtype)", 1, 8, "TYPE_MISMATCH", "Unknown type: nosuchtype"},
        {"SELECT CAST(1 AS dec(5, 1))", 1, 8, "TYPE_MISMATCH", "Unknown type: dec(5, 1)"},
        {"SELECT CAST(1 AS char(100000))", 1, 8, "TYPE_MISMATCH", "Unknown type: char(100000)"},
        {"SELECT CAST(1 AS varchar(1,2))", 1, 8, "TYPE_MISMATCH", "Unknown type: varchar(1, 2)"},
        {"SELECT CAST(1 AS decimal(39))", 0, 0, "INVALID_FUNCTION_ARGUMENT",
         "DECIMAL precision must be in range [1, 38]: 39"},
        {"SELECT CAST(1 AS unknown)", 1, 8, "TYPE_MISMATCH", "UNKNOWN is not a valid type"},
    };

    (void)state;
    check_types(cases, ARRAY_LEN(cases));
    check_errors(errors, ARRAY_LEN(errors));
}

static void calls_resolve_and_lambdas_are_typed(void **state)
{
    static const struct type_case cases[] = {
        {"SELECT abs(-5), system.builtin.abs(-1.5), sqrt(4), substr('hello', 2), trim(BOTH 'x' FROM 'xax')",
         "integer, decimal(2,1), double, varchar(5), varchar(3)"},
        {"SELECT transform(ARRAY[1, 2], x -> x + 0.5), filter(ARRAY['a'], x -> x = 'b')",
         "array(decimal(12,1)), array(varchar(1))"},
        {"SELECT reduce(ARRAY[1, 2], 0, (s, x) -> s + x, s -> CAST(s AS varchar))", "varchar"},
        {"SELECT zip_with(ARRAY[1], ARRAY['a'], (x, y) -> ROW(y, x)), transform(ARRAY[ARRAY[1]], x -> transform(x, y "
         "-> y + "
         "cardinality(x)))",
         "array(row(varchar(1), integer)), array(array(bigint))"},
        {"SELECT regexp_replace('abc', '(b)', x -> upper(x[1])), array_sort(ARRAY[1], (x, y) -> IF(x < y, 1, -1))",
         "varchar, array(integer)"},
        {"SELECT year(DATE '2020-01-01'), EXTRACT(dow FROM now()), date_trunc('day', now()), format('%s', 1)",
         "bigint, bigint, timestamp(3) with time zone, varchar"},
        {"SELECT typeof(ARRAY[1.5]), version(), current_timezone(), json_extract_scalar('{}', '$.a')",
         "varchar, varchar, varchar, varchar(2)"},
    };
    static const struct error_case errors[] = {
        {"SELECT foo(1)", 1, 8, "FUNCTION_NOT_FOUND", "Function 'foo' not registered"},
        {"SELECT a.b.c.foo(1)", 0, 0, "FUNCTION_NOT_FOUND", "Invalid function name: a.b.c.foo"},
        {"SELECT ABS('x')", 1, 8, "FUNCTION_NOT_FOUND",
         "Unexpected parameters (varchar(1)) for function abs. Expected: abs(bigint), abs(decimal(p,s)), abs(double), "
         "abs(integer), abs(real), abs(smallint), abs(tinyint)"},
        {"SELECT concat('a')", 0, 0, "INVALID_FUNCTION_ARGUMENT", "There must be two or more concatenation arguments"},
        {"SELECT trim(1 FROM 'a')", 0, 0, "FUNCTION_NOT_FOUND",
         "Unexpected parameters (varchar(1), integer) for function trim. Expected: trim(char(x)), "
         "trim(char(x), codepoints), trim(varchar(x)), trim(varchar(x), codepoints)"},
        {"SELECT transform(ARRAY[1], (x,y) -> x)", 1, 28, "INVALID_PARAMETER_USAGE",
         "Expected a lambda that takes 1 argument(s) but got 2"},
        {"SELECT transform(ARRAY[1], x -> count(x))", 1, 33, "EXPRESSION_NOT_SCALAR",
         "Lambda expression cannot contain aggregations, window functions or grouping operations: [count(x)]"},
        {"SELECT transform(ARRAY[1], x -> nope)", 1, 33, "COLUMN_NOT_FOUND", "Column 'nope' cannot be resolved"},
        {"SELECT transform(ARRAY[1], x -> (SELECT 1))", 1, 33, "NOT_SUPPORTED",
         "Lambda expression cannot contain subqueries"},
        {"SELECT x -> x", 1, 8, "TYPE_MISMATCH", "Lambda expression should always be used inside a function"},
        {"SELECT filter(ARRAY[1,2], x -> x)", 1, 8, "FUNCTION_NOT_FOUND",
         "Unexpected parameters (array(integer), <function>) for function filter. Expected: "
         "filter(array(t), function(t,boolean)) T"},
        {"SELECT format(1, 2)", 1, 15, "TYPE_MISMATCH",
         "Type of first argument to format() must be VARCHAR (actual: integer)"},
        {"SELECT abs(DISTINCT 1)", 1, 8, "FUNCTION_NOT_AGGREGATE",
         "DISTINCT is not supported for non-aggregation functions"},
        {"SELECT abs(1) FILTER (WHERE true)", 1, 8, "FUNCTION_NOT_AGGREGATE",
         "Filter is only valid for aggregation functions"},
        {"SELECT rank()", 1, 8, "MISSING_OVER", "Window function system.builtin.rank requires an OVER clause"},
    };

    (void)state;
    check_types(cases, ARRAY_LEN(cases));
    check_errors(errors, ARRAY_LEN(errors));
}

#define FROM_T " FROM (VALUES (1, 'a')) t(x, name)"

static void aggregates_and_windows_are_checked(void **state)
{
    static const struct type_case cases[] = {
        {"SELECT sum(x), avg(x), count(*), count(DISTINCT name), max_by(name, x), array_agg(x ORDER BY name)" FROM_T,
         "bigint, double, bigint, bigint, varchar(1), array(integer)"},
        {"SELECT sum(x) FILTER (WHERE x > 1), listagg(name, ',') WITHIN GROUP (ORDER BY x), sum(x) + sum(x)" FROM_T,
         "bigint, varchar, bigint"},
        {"SELECT row_number() OVER (ORDER BY x), sum(x) OVER w, lag(name) OVER (w ORDER BY x)" FROM_T
         " WINDOW w AS (PARTITION BY name)",
         "bigint, bigint, varchar(1)"},
        {"SELECT sum(x) OVER (ORDER BY x RANGE BETWEEN 1 PRECEDING AND CURRENT ROW)" FROM_T, "bigint"},
        {"SELECT sum(sum(x)) OVER (PARTITION BY name)" FROM_T " GROUP BY name", "bigint"},
    };
    static const struct error_case errors[] = {
        {"SELECT sum(count(*))" FROM_T, 1, 8, "NESTED_AGGREGATION",
         "Cannot nest aggregations inside aggregation 'sum': [count(*)]"},
        {"SELECT sum(rank() OVER ())" FROM_T, 1, 8, "NESTED_WINDOW",
         "Cannot nest window functions or row pattern measures inside aggregation 'sum': [rank() OVER ()]"},
        {"SELECT x" FROM_T " WHERE count(*) > 1", 1, 59, "EXPRESSION_NOT_SCALAR",
         "WHERE clause cannot contain aggregations, window functions or grouping operations: [count(*)]"},
        {"SELECT x" FROM_T " WHERE x", 1, 50, "TYPE_MISMATCH",
         "WHERE clause must evaluate to a boolean: actual type integer"},
        {"SELECT sum(name)" FROM_T, 1, 8, "FUNCTION_NOT_FOUND",
         "Unexpected parameters (varchar(1)) for function sum. Expected: sum(bigint), sum(decimal(p,s)), sum(double), "
         "sum(interval day to second), sum(interval year to month), sum(real)"},
        {"SELECT count(*) FILTER (WHERE 1)" FROM_T, 1, 31, "TYPE_MISMATCH",
         "Filter expression must evaluate to a boolean (actual: integer)"},
        {"SELECT array_agg(x ORDER BY MAP())" FROM_T, 1, 8, "TYPE_MISMATCH",
         "ORDER BY can only be applied to orderable types (actual: map(unknown, unknown))"},
        {"SELECT array_agg(DISTINCT x ORDER BY name)" FROM_T, 1, 38, "EXPRESSION_NOT_IN_DISTINCT",
         "For aggregate function with DISTINCT, ORDER BY expressions must appear in arguments"},
        {"SELECT listagg(x, ',') WITHIN GROUP (ORDER BY name)" FROM_T, 1, 8, "TYPE_MISMATCH",
         "Expected expression of varchar, but 'x' has integer type"},
        {"SELECT abs(x) OVER ()" FROM_T, 1, 1, "FUNCTION_NOT_WINDOW", "Not a window function: abs"},
        {"SELECT sum(x) OVER w" FROM_T, 1, 20, "INVALID_WINDOW_REFERENCE", "Cannot resolve WINDOW name w"},
        {"SELECT lag(x) OVER ()" FROM_T, 1, 21, "MISSING_ORDER_BY", "lag function requires an ORDER BY window clause"},
        {"SELECT lag(x) OVER (ORDER BY x ROWS 1 PRECEDING)" FROM_T, 1, 32, "INVALID_WINDOW_FRAME",
         "Cannot specify window frame for lag function"},
        {"SELECT rank() OVER (ORDER BY rank() OVER ())" FROM_T, 1, 30, "NESTED_WINDOW",
         "Cannot nest window functions or row pattern measures inside window specification"},
        {"SELECT lag(rank() OVER ()) OVER ()" FROM_T, 1, 12, "NESTED_WINDOW",
         "Cannot nest window functions or row pattern measures inside window function arguments"},
        {"SELECT sum(x) IGNORE NULLS OVER ()" FROM_T, 1, 8, "NULL_TREATMENT_NOT_ALLOWED",
         "Cannot specify null treatment clause for sum function"},
        {"SELECT sum(x) FILTER (WHERE true) OVER ()" FROM_T, 1, 1, "NOT_SUPPORTED",
         "FILTER is not yet supported for window functions"},
        {"SELECT sum(x) OVER (ROWS UNBOUNDED FOLLOWING)" FROM_T, 1, 21, "INVALID_WINDOW_FRAME",
         "Window frame start cannot be UNBOUNDED FOLLOWING"},
        {"SELECT sum(x) OVER (ORDER BY x ROWS BETWEEN 'a' PRECEDING AND CURRENT ROW)" FROM_T, 1, 45, "TYPE_MISMATCH",
         "Window frame ROWS start value type must be exact numeric type with scale 0 (actual varchar(1))"},
        {"SELECT sum(x) OVER (ORDER BY x RANGE BETWEEN 'a' PRECEDING AND CURRENT ROW)" FROM_T, 1, 46, "TYPE_MISMATCH",
         "Window frame RANGE value type (varchar(1)) not compatible with sort item type (integer)"},
        {"SELECT sum(x) OVER (w PARTITION BY name)" FROM_T " WINDOW w AS (PARTITION BY name)", 1, 36,
         "INVALID_PARTITION_BY", "WINDOW specification with named WINDOW reference cannot specify PARTITION BY"},
        {"SELECT sum(x) OVER (w)" FROM_T " WINDOW w AS (ROWS 1 PRECEDING)", 1, 21, "INVALID_WINDOW_REFERENCE",
         "Cannot reference named WINDOW containing frame specification"},
    };

    (void)state;
    check_types(cases, ARRAY_LEN(cases));
    check_errors(errors, ARRAY_LEN(errors));
}

static void subqueries_are_compared_as_rows(void **state)
{
    static const struct type_case cases[] = {
        {"SELECT (SELECT 1), (SELECT 1, 'a'), EXISTS (SELECT 1), 1 IN (SELECT 2.5), (1, 2) IN (SELECT 1, 2)",
         "integer, row(integer, varchar(1)), boolean, boolean, boolean"},
        {"SELECT 1 < ALL (SELECT 2e0), (SELECT x + 1" FROM_T "), NULL IN (SELECT 1)", "boolean, integer, boolean"},
    };
    static const struct error_case errors[] = {
        {"SELECT 1 IN (SELECT 'a')", 1, 10, "TYPE_MISMATCH",
         "Value expression and result of subquery must be of the same type: row(integer) vs row(varchar(1))"},
        {"SELECT MAP() < ALL (SELECT MAP())", 1, 14, "TYPE_MISMATCH",
         "Type [row(map(unknown, unknown))] must be orderable in order to be used in quantified comparison"},
    };

    (void)state;
    check_types(cases, ARRAY_LEN(cases));
    check_errors(errors, ARRAY_LEN(errors));
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
        cmocka_unit_test(literals_have_trinos_types),
        cmocka_unit_test(bad_literals_are_named),
        cmocka_unit_test(operators_have_trinos_types),
        cmocka_unit_test(operators_without_a_match_are_errors),
        cmocka_unit_test(constants_stand_right_of_what_is_cast),
        cmocka_unit_test(conditionals_find_a_common_type),
        cmocka_unit_test(casts_are_checked),
        cmocka_unit_test(calls_resolve_and_lambdas_are_typed),
        cmocka_unit_test(aggregates_and_windows_are_checked),
        cmocka_unit_test(subqueries_are_compared_as_rows),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
