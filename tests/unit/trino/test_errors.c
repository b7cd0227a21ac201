#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "trino/errors.h"

static void assert_error(int code, const char *name, const char *want_name, int want_code, const char *want_type)
{
    const struct err err = {.code = code, .name = name};
    const struct trino_error *e = trino_error_find(&err);

    assert_string_equal(e->name, want_name);
    assert_int_equal(e->code, want_code);
    assert_string_equal(e->type, want_type);
}

static void names_have_trinos_numbers_and_types(void **state)
{
    (void)state;
    assert_error(ERR_INVALID, "SYNTAX_ERROR", "SYNTAX_ERROR", 1, "USER_ERROR");
    assert_error(ERR_NOT_FOUND, "TABLE_NOT_FOUND", "TABLE_NOT_FOUND", 46, "USER_ERROR");
    assert_error(ERR_LIMIT, "EXCEEDED_LOCAL_MEMORY_LIMIT", "EXCEEDED_LOCAL_MEMORY_LIMIT", 131079,
                 "INSUFFICIENT_RESOURCES");
    assert_error(ERR_CONFLICT, "ICEBERG_COMMIT_ERROR", "ICEBERG_COMMIT_ERROR", 84148236, "EXTERNAL");
    assert_error(ERR_INVALID, "AMBIGUOUS_FUNCTION_CALL", "AMBIGUOUS_FUNCTION_CALL", 32, "USER_ERROR");
    assert_error(ERR_UNSUPPORTED, "UNSUPPORTED_TABLE_TYPE", "UNSUPPORTED_TABLE_TYPE", 133001, "EXTERNAL");
}

static void errors_without_a_name_get_one_by_their_code(void **state)
{
    (void)state;
    assert_error(ERR_INTERNAL, NULL, "GENERIC_INTERNAL_ERROR", 65536, "INTERNAL_ERROR");
    assert_error(ERR_UNSUPPORTED, NULL, "NOT_SUPPORTED", 13, "USER_ERROR");
    assert_error(ERR_NO_SPACE, NULL, "GENERIC_INSUFFICIENT_RESOURCES", 131072, "INSUFFICIENT_RESOURCES");
    assert_error(ERR_INVALID, "NO_SUCH_NAME", "GENERIC_INTERNAL_ERROR", 65536, "INTERNAL_ERROR");
}

static void the_document_has_what_clients_read(void **state)
{
    struct err err = {0};
    BUF_SCOPED struct buf text;
    struct json_writer w;
    JSON_SCOPED json_t *j = NULL;
    (void)state;

    buf_init(&text, 1 << 20);
    json_writer_init(&w, &text);
    err_set_at(&err, ERR_INVALID, "COLUMN_NOT_FOUND", 1, 8, "Column 'nope' cannot be resolved");
    trino_error_write(&w, &err);
    assert_int_equal(json_parse(buf_str(&text), &j, NULL), 0);
    assert_string_equal(json_string_value(json_object_get(j, "message")), "line 1:8: Column 'nope' cannot be resolved");
    assert_int_equal(json_integer_value(json_object_get(j, "errorCode")), 47);
    assert_string_equal(json_string_value(json_object_get(j, "errorType")), "USER_ERROR");
    const json_t *location = json_object_get(j, "errorLocation"), *failure = json_object_get(j, "failureInfo");
    assert_int_equal(json_integer_value(json_object_get(location, "lineNumber")), 1);
    assert_int_equal(json_integer_value(json_object_get(location, "columnNumber")), 8);
    assert_string_equal(json_string_value(json_object_get(failure, "type")), "io.trino.spi.TrinoException");
    assert_true(json_is_array(json_object_get(failure, "stack")));
    assert_true(json_is_array(json_object_get(failure, "suppressed")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_trinos_numbers_and_types),
        cmocka_unit_test(errors_without_a_name_get_one_by_their_code),
        cmocka_unit_test(the_document_has_what_clients_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
