#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/vec.h"
#include "sql/functions.h"

/* Expectations here are what a real Trino 476 answered. */

static struct arena arena;

static const struct type *parse(const char *text)
{
    const struct type *t = NULL;
    struct err err = {0};

    if (type_parse(&arena, str_from_cstr(text), &t, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return t;
}

static int resolve(const char *name, const char *types, struct function_match *ret, struct err *err)
{
    const struct type *arguments[16];
    size_t n = 0;
    struct str rest = str_from_cstr(types), part;

    while (types[0] && str_split(&rest, ';', &part))
        arguments[n++] = parse(arena_cstr(&arena, str_trim(part)));
    return function_resolve(&arena, str_from_cstr(name), arguments, n, NULL, ret, err);
}

static void assert_result(const char *name, const char *types, const char *want)
{
    struct function_match m;
    struct err err = {0};

    if (resolve(name, types, &m, &err) < 0)
        fail_msg("%s(%s): %s", name, types, err.message);
    assert_string_equal(type_name(&arena, m.result).p, want);
}

static void assert_fails(const char *name, const char *types, const char *want_name, const char *want_message)
{
    struct function_match m;
    struct err err = {0};

    if (resolve(name, types, &m, &err) == 0)
        fail_msg("%s(%s) resolved", name, types);
    assert_string_equal(err.name, want_name);
    assert_string_equal(err.message, want_message);
}

static void an_exact_signature_wins(void **state)
{
    (void)state;
    assert_result("abs", "integer", "integer");
    assert_result("abs", "decimal(5,2)", "decimal(5,2)");
    assert_result("count", "", "bigint");
    assert_result("sum", "decimal(12,2)", "decimal(38,2)");
    assert_result("avg", "bigint", "double");
    assert_result("max", "varchar(25)", "varchar(25)");
    assert_result("$add", "integer;integer", "integer");
}

static void arguments_are_coerced_to_the_most_specific_signature(void **state)
{
    (void)state;
    assert_result("sqrt", "integer", "double");
    assert_result("$add", "integer;bigint", "bigint");
    assert_result("$add", "integer;decimal(3,1)", "decimal(12,1)");
    assert_result("$add", "integer;double", "double");
    assert_result("sum", "integer", "bigint");
    assert_result("substr", "varchar(3);integer", "varchar(3)");
    assert_result("substring", "char(4);integer;integer", "varchar(4)");
    assert_result("$add", "date;unknown", "date");
    assert_result("$add", "integer;unknown", "integer");
    assert_result("$modulus", "unknown;unknown", "tinyint");
    assert_result("greatest", "decimal(2,1);integer", "decimal(11,1)");
    assert_result("regexp_like", "varchar(10);varchar(3)", "boolean");
    assert_result("json_extract_scalar", "varchar(10);varchar(3)", "varchar(10)");
}

static void results_compute_their_parameters(void **state)
{
    (void)state;
    assert_result("$multiply", "decimal(3,2);decimal(2,1)", "decimal(5,3)");
    assert_result("$divide", "decimal(3,2);decimal(2,1)", "decimal(4,2)");
    assert_result("$add", "decimal(3,2);decimal(2,1)", "decimal(4,2)");
    assert_result("$divide", "decimal(38,10);decimal(38,10)", "decimal(38,10)");
    assert_result("mod", "decimal(2,1);decimal(3,2)", "decimal(3,2)");
    assert_result("round", "decimal(3,2)", "decimal(2,0)");
    assert_result("round", "decimal(3,2);integer", "decimal(4,2)");
    assert_result("ceil", "decimal(2,2)", "decimal(1,0)");
    assert_result("truncate", "decimal(2,2)", "decimal(1,0)");
    assert_result("replace", "varchar(3);varchar(1);varchar(2)", "varchar(11)");
    assert_result("replace", "varchar;varchar(1);varchar(2)", "varchar");
    assert_result("regexp_replace", "varchar(3);varchar(1);varchar(2)", "varchar(15)");
    assert_result("url_encode", "varchar(3)", "varchar(36)");
    assert_result("concat", "char(3);char(2)", "char(5)");
    assert_result("concat", "varchar(1);char(3)", "char(4)");
    assert_result("to_iso8601", "timestamp(0)", "varchar(22)");
    assert_result("to_iso8601", "timestamp(6) with time zone", "varchar(35)");
    assert_result("$add", "timestamp(0);interval day to second", "timestamp(3)");
    assert_result("$add", "timestamp(0);interval year to month", "timestamp(0)");
}

static void type_variables_bind_elements(void **state)
{
    (void)state;
    assert_result("element_at", "map(varchar(1), bigint);varchar(3)", "bigint");
    assert_result("$subscript", "array(integer);integer", "integer");
    assert_result("map", "array(integer);array(varchar(2))", "map(integer, varchar(2))");
    assert_result("map_entries", "map(integer, double)", "array(row(integer, double))");
    assert_result("concat", "varchar(1);unknown", "array(varchar(1))");
    assert_result("concat", "array(integer);bigint", "array(bigint)");
    assert_result("zip", "array(integer);array(varchar)", "array(row(integer, varchar))");
}

static void an_unmatched_call_lists_what_was_expected(void **state)
{
    (void)state;
    assert_fails("foo", "integer", "FUNCTION_NOT_FOUND", "Function 'foo' not registered");
    assert_fails("sqrt", "varchar(1)", "FUNCTION_NOT_FOUND",
                 "Unexpected parameters (varchar(1)) for function sqrt. Expected: sqrt(double)");
    assert_fails("concat", "varchar(1);integer", "FUNCTION_NOT_FOUND",
                 "Unexpected parameters (varchar(1), integer) for function concat. Expected: concat(E, array(E)) E, "
                 "concat(array(E)) E, concat(array(E), E) E, concat(char(x), char(y)), concat(varbinary), "
                 "concat(varchar)");
    assert_fails("max", "map(integer, integer)", "FUNCTION_NOT_FOUND",
                 "Unexpected parameters (map(integer,integer)) for function max. Expected: max(e, bigint) E:orderable, "
                 "max(t) T:orderable");
    assert_fails("date_trunc", "varchar(3);varchar(10)", "FUNCTION_NOT_FOUND",
                 "Unexpected parameters (varchar(3), varchar(10)) for function date_trunc. Expected: "
                 "date_trunc(varchar(x), date), date_trunc(varchar(x), time(p) with time zone), "
                 "date_trunc(varchar(x), time(p)), date_trunc(varchar(x), timestamp(p) with time zone), "
                 "date_trunc(varchar(x), timestamp(p))");
    assert_fails("codepoint", "varchar(2)", "FUNCTION_NOT_FOUND",
                 "Unexpected parameters (varchar(2)) for function codepoint. Expected: codepoint(varchar(1))");
    assert_fails("substr", "varchar(3);decimal(2,1)", "FUNCTION_NOT_FOUND",
                 "Unexpected parameters (varchar(3), decimal(2,1)) for function substr. Expected: "
                 "substr(char(x), bigint), substr(char(x), bigint, bigint), substr(varbinary, bigint), "
                 "substr(varbinary, bigint, bigint), substr(varchar(x), bigint), substr(varchar(x), bigint, bigint)");
}

static void an_ambiguous_call_lists_its_candidates(void **state)
{
    (void)state;
    assert_fails("$multiply", "bigint;unknown", "AMBIGUOUS_FUNCTION_CALL",
                 "Could not choose a best candidate operator. Explicit type casts must be added.\nCandidates are:\n"
                 "\t * (bigint,bigint):bigint\n\t * (bigint,interval day to second):interval day to second\n"
                 "\t * (bigint,interval year to month):interval year to month\n");
    assert_fails("substr", "unknown;integer", "AMBIGUOUS_FUNCTION_CALL",
                 "Could not choose a best candidate operator. Explicit type casts must be added.\nCandidates are:\n"
                 "\t * (varchar(0),bigint):varchar(0)\n\t * (varbinary,bigint):varbinary\n");
    assert_fails("concat", "", "AMBIGUOUS_FUNCTION_CALL",
                 "Could not choose a best candidate operator. Explicit type casts must be added.\nCandidates are:\n"
                 "\t * ():varchar\n\t * ():varbinary\n");
    assert_fails("$subtract", "timestamp(0);unknown", "AMBIGUOUS_FUNCTION_CALL",
                 "Could not choose a best candidate operator. Explicit type casts must be added.\nCandidates are:\n"
                 "\t * (timestamp(0),interval day to second):timestamp(3)\n"
                 "\t * (timestamp(0),interval year to month):timestamp(0)\n"
                 "\t * (timestamp(0),timestamp(0)):interval day to second\n");
}

/* A lambda whose body is its last parameter. */
static int bind_identity(void *ctx, size_t i, const struct type *const *parameters, size_t n,
                         const struct type **ret_result, struct err *err)
{
    (void)i;
    (void)err;
    ++*(int *)ctx;
    *ret_result = parameters[n - 1];
    return 0;
}

static void a_lambda_is_typed_once_its_parameters_are(void **state)
{
    const struct type *arguments[] = {parse("array(varchar(2))"), NULL};
    int calls = 0;
    struct function_lambda lambda = {.ctx = &calls, .bind = bind_identity};
    struct function_match m;
    struct err err = {0};

    (void)state;
    assert_int_equal(function_resolve(&arena, STR("transform"), arguments, 2, &lambda, &m, &err), 0);
    assert_string_equal(type_name(&arena, m.result).p, "array(varchar(2))");
    assert_int_equal(m.parameters[1]->kind, TYPE_FUNCTION);
    assert_int_equal(m.parameters[1]->field_count, 2);
    assert_int_equal(calls, 1);
    arguments[0] = &type_integer;
    assert_true(function_resolve(&arena, STR("transform"), arguments, 2, &lambda, &m, &err) < 0);
    assert_string_equal(err.message, "Unexpected parameters (integer, <function>) for function transform. "
                                     "Expected: transform(array(T), function(T,U)) T, U");
}

static void sketches_are_named_as_unsupported(void **state)
{
    (void)state;
    assert_fails("approx_set", "bigint", "NOT_SUPPORTED", "The function approx_set is not supported");
}

static void every_row_is_found_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < function_count; i++) {
        struct str name = str_from_cstr(functions[i].name);

        assert_true(function_exists(name));
        assert_int_equal(function_is_aggregate(name), functions[i].kind == FUNCTION_AGGREGATE);
        assert_int_equal(function_is_window(name), functions[i].kind == FUNCTION_WINDOW);
    }
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
        cmocka_unit_test(an_exact_signature_wins),
        cmocka_unit_test(arguments_are_coerced_to_the_most_specific_signature),
        cmocka_unit_test(results_compute_their_parameters),
        cmocka_unit_test(type_variables_bind_elements),
        cmocka_unit_test(an_unmatched_call_lists_what_was_expected),
        cmocka_unit_test(an_ambiguous_call_lists_its_candidates),
        cmocka_unit_test(a_lambda_is_typed_once_its_parameters_are),
        cmocka_unit_test(sketches_are_named_as_unsupported),
        cmocka_unit_test(every_row_is_found_by_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
