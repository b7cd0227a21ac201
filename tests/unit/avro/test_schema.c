#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "avro/avro.h"

static struct arena arena;

static struct avro_schema *parse(const char *json)
{
    struct avro_schema *s = NULL;
    struct err err = {0};

    if (avro_schema_parse(&arena, str_from_cstr(json), &s, &err) < 0)
        fail_msg("%s: %s", json, err.message);
    return s;
}

static void assert_fails(const char *json, int code, const char *part)
{
    struct avro_schema *s;
    struct err err = {0};

    assert_int_equal(avro_schema_parse(&arena, str_from_cstr(json), &s, &err), code);
    if (!strstr(err.message, part))
        fail_msg("\"%s\" doesn't say \"%s\"", err.message, part);
}

static void field_ids_and_element_ids_are_kept(void **state)
{
    struct avro_schema *s = parse("{\"type\":\"record\",\"name\":\"r\",\"fields\":["
                                  "{\"name\":\"a\",\"type\":\"long\",\"field-id\":100},"
                                  "{\"name\":\"b\",\"type\":[\"null\",{\"type\":\"array\",\"items\":\"int\","
                                  "\"element-id\":133}],\"default\":null,\"field-id\":132},"
                                  "{\"name\":\"c\",\"type\":\"string\"}]}");
    (void)state;
    assert_int_equal(s->kind, AVRO_RECORD);
    assert_int_equal(s->field_count, 3);
    assert_int_equal(s->fields[0].field_id, 100);
    assert_int_equal(s->fields[1].field_id, 132);
    assert_int_equal(s->fields[1].schema->fields[1].schema->element_id, 133);
    assert_int_equal(s->fields[2].field_id, -1);
}

static void logical_types_are_kept(void **state)
{
    struct avro_schema *s = parse("{\"type\":\"fixed\",\"name\":\"u\",\"size\":16,\"logicalType\":\"uuid\"}");

    (void)state;
    assert_int_equal(s->size, 16);
    assert_true(str_eq_cstr(s->logical_type, "uuid"));
}

static void a_name_refers_to_its_definition_within_its_namespace(void **state)
{
    struct avro_schema *s = parse("{\"type\":\"record\",\"name\":\"x.y.R\",\"fields\":["
                                  "{\"name\":\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}},"
                                  "{\"name\":\"g\",\"type\":\"F\"},{\"name\":\"h\",\"type\":\"x.y.F\"},"
                                  "{\"name\":\"next\",\"type\":[\"null\",\"R\"]}]}");
    (void)state;
    assert_ptr_equal(s->fields[0].schema, s->fields[1].schema);
    assert_ptr_equal(s->fields[0].schema, s->fields[2].schema);
    assert_ptr_equal(s->fields[3].schema->fields[1].schema, s);
}

static void wrong_schemas_are_refused_with_a_reason(void **state)
{
    (void)state;
    assert_fails("\"nothing\"", ERR_CORRUPT, "isn't defined");
    assert_fails("{\"type\":\"record\",\"name\":\"r\"}", ERR_CORRUPT, "without fields");
    assert_fails("{\"type\":\"record\",\"fields\":[]}", ERR_CORRUPT, "without a name");
    assert_fails("{\"type\":\"fixed\",\"name\":\"f\",\"size\":-1}", ERR_CORRUPT, "-1 bytes");
    assert_fails("[\"null\",[\"int\"]]", ERR_CORRUPT, "union directly inside");
    assert_fails("{\"type\":\"array\"}", ERR_CORRUPT, "without items");
    assert_fails("[{\"type\":\"fixed\",\"name\":\"f\",\"size\":1},{\"type\":\"fixed\",\"name\":\"f\",\"size\":1}]",
                 ERR_CORRUPT, "twice");
    assert_fails("{", ERR_CORRUPT, "Avro schema");
    assert_fails("17", ERR_CORRUPT, "expected");
}

static void nesting_is_bounded(void **state)
{
    BUF_SCOPED struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 1000; i++)
        buf_add_cstr(&b, "{\"type\":\"array\",\"items\":");
    buf_add_cstr(&b, "\"int\"");
    for (int i = 0; i < 1000; i++)
        buf_add_char(&b, '}');
    assert_fails(buf_cstr(&b), ERR_LIMIT, "deeper than 64");
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
        cmocka_unit_test(field_ids_and_element_ids_are_kept),
        cmocka_unit_test(logical_types_are_kept),
        cmocka_unit_test(a_name_refers_to_its_definition_within_its_namespace),
        cmocka_unit_test(wrong_schemas_are_refused_with_a_reason),
        cmocka_unit_test(nesting_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
