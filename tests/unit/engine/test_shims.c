/* Shims over bytes, URLs, JSON and maps: expectations are what a real Trino 476 answered, or published test vectors. */
#include "base/vec.h"
#include "engine/engine.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static struct engine *engine;
static struct arena arena;
static char temp_dir[] = "test_shims_XXXXXX";

static int setup(void **state)
{
    struct engine_options o = {.memory_limit = 256 << 20, .threads = 1};
    struct err err = {0};

    (void)state;
    if (!mkdtemp(temp_dir))
        return -1;
    o.temp_dir = str_from_cstr(temp_dir);
    if (engine_open(&o, &engine, &err) < 0) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    engine_close(engine);
    arena_release(&arena);
    (void)rmdir(temp_dir);
    return 0;
}

/* The expression's value as text; NULL for a null. */
static int evaluate(const char *expression, const char **ret, struct err *err)
{
    struct engine_conn *c;
    struct engine_result *r;
    duckdb_data_chunk chunk;
    int rc = engine_acquire(engine, &c, err);

    if (rc < 0)
        return rc;
    rc = engine_query(c, arena_printf(&arena, "SELECT CAST(%s AS VARCHAR)", expression), &r, err);
    if (rc >= 0) {
        rc = engine_next(r, &chunk, err);
        if (rc == 1) {
            duckdb_vector v = duckdb_data_chunk_get_vector(chunk, 0);
            duckdb_string_t *s = duckdb_vector_get_data(v);
            uint64_t *validity = duckdb_vector_get_validity(v);

            *ret = validity && !duckdb_validity_row_is_valid(validity, 0)
                       ? NULL
                       : arena_cstr(&arena, str_from(duckdb_string_t_data(s), duckdb_string_t_length(*s)));
            duckdb_destroy_data_chunk(&chunk);
        }
        engine_result_free(r);
    }
    engine_release(c);
    return rc;
}

static void check(const char *expression, const char *want)
{
    const char *got = NULL;
    struct err err = {0};

    if (evaluate(expression, &got, &err) < 0)
        fail_msg("%s: %s", expression, err.message);
    if (!want != !got || (want && strcmp(want, got) != 0))
        fail_msg("%s is %s, not %s", expression, got ? got : "NULL", want ? want : "NULL");
}

static void check_fails(const char *expression, const char *name, const char *message)
{
    const char *got = NULL;
    struct err err = {0};

    if (evaluate(expression, &got, &err) >= 0)
        fail_msg("%s succeeded", expression);
    assert_string_equal(err.name, name);
    assert_string_equal(err.message, message);
}

static void digests_follow_their_test_vectors(void **state)
{
    (void)state;
    check("hex(dp_xxhash64('a'::BLOB))", "D24EC4F1A98C6E5B");
    check("hex(dp_xxhash64(''::BLOB))", "EF46DB3751D8E999");
    check("dp_crc32('a'::BLOB)", "3904355907");
    check("hex(dp_hmac_sha256('data'::BLOB, 'key'::BLOB))",
          "5031FE3D989C6D1537A013FA6E739DA23463FDAEC3B70137D828E36ACE221BD0");
    check("left(hex(dp_sha512('a'::BLOB)), 16)", "1F40FC92DA241694");
    check("hex(dp_to_big_endian_64(258))", "0000000000000102");
}

static void bytes_have_parts(void **state)
{
    (void)state;
    check("hex(dp_substr_bytes(unhex('010203'), -2))", "0203");
    check("hex(dp_substr_bytes(unhex('010203'), 2, 5))", "0203");
    check("hex(dp_substr_bytes(unhex('010203'), 0))", "");
    check("hex(dp_substr_bytes(unhex('010203'), -5, 1))", "");
    check("hex(dp_reverse_bytes(unhex('0102')))", "0201");
    check("dp_from_utf8_replacing(unhex('61ff'), '?')", "a?");
    check("dp_from_utf8_replacing(unhex('61ff'), '')", "a");
    check_fails("dp_from_utf8_replacing(unhex('61ff'), 'ab')", "INVALID_FUNCTION_ARGUMENT",
                "Replacement character string must empty or a single character");
}

static void names_and_numbers_have_codes(void **state)
{
    (void)state;
    check("dp_soundex('Tymczak')", "T522");
    check("dp_soundex('Pfister')", "P236");
    check("dp_soundex('Honeyman')", "H555");
    check("dp_soundex('1a')", "A000");
    check("dp_soundex('')", "");
    check("dp_luhn_check('79927398713')", "true");
    check("dp_luhn_check('79927398714')", "false");
    check_fails("dp_luhn_check('abc')", "INVALID_FUNCTION_ARGUMENT", "Input contains non-digit character");
}

static void urls_come_apart_as_javas_do(void **state)
{
    (void)state;
    check("dp_url_host('http://user@example.com:80/')", "example.com");
    check("dp_url_port('http://example.com:8080/p')", "8080");
    check("dp_url_port('http://example.com')", NULL);
    check("dp_url_path('http://example.com/a%20b')", "/a b");
    check("dp_url_query('http://example.com/?a=b%20c')", "a=b c");
    check("dp_url_fragment('http://example.com/#x')", "x");
    check("dp_url_protocol('foo')", "");
    check("dp_url_path('foo')", "foo");
    check("dp_url_host('http://a b')", NULL);
    check("dp_url_parameter('http://example.com/?a=b%20c+d&x', 'a')", "b c d");
    check("dp_url_parameter('http://example.com/?a=b&x', 'x')", "");
    check("dp_url_parameter('http://example.com/?a=b', 'z')", NULL);
    check("dp_url_encode('a b&c/\xc3\xa4')", "a+b%26c%2F%C3%A4");
    check("dp_url_decode('a%20b%26c+d')", "a b&c d");
}

static void json_is_canonical(void **state)
{
    (void)state;
    check(
        "dp_json_parse('{\"b\": 1, \"a\": [1, 2.50, 1e10, 123456789012345678901234567890, 1.0, -0.0, 1E-7, null, true, "
        "\"x\\u00e4\\/y\"]}')",
        "{\"a\":[1,2.5,1.0E10,123456789012345678901234567890,1.0,-0.0,1.0E-7,null,true,\"x\xc3\xa4/y\"],\"b\":1}");
    check("dp_json_parse('{\"a\": 1, \"a\": 2}')", "{\"a\":2}");
    check("dp_json_parse('[]')", "[]");
    check("dp_json_parse(' \"a\" ')", "\"a\"");
    check_fails("dp_json_parse('{')", "INVALID_FUNCTION_ARGUMENT", "Cannot convert value to JSON: '{'");
    check_fails("dp_json_parse('01')", "INVALID_FUNCTION_ARGUMENT", "Cannot convert value to JSON: '01'");
    check_fails("dp_json_parse('[1,]')", "INVALID_FUNCTION_ARGUMENT", "Cannot convert value to JSON: '[1,]'");
}

static void texts_split_into_maps(void **state)
{
    (void)state;
    check("map(dp_split_keys('a=1,b=2', ',', '='), dp_split_values('a=1,b=2', ',', '='))", "{a=1, b=2}");
    check_fails("dp_split_keys('a=1,a=2', ',', '=')", "INVALID_FUNCTION_ARGUMENT",
                "Duplicate keys (a) are not allowed");
    check_fails("dp_split_keys('a', ',', '=')", "INVALID_FUNCTION_ARGUMENT",
                "Key-value delimiter must appear exactly once in each entry. Bad input: 'a'");
}

static void casts_of_numbers_fail_in_trinos_words(void **state)
{
    (void)state;
    check_fails("CAST(2147483648 AS INTEGER)", "NUMERIC_VALUE_OUT_OF_RANGE", "Out of range for integer: 2147483648");
    check_fails("abs(CAST(-2147483648 AS INTEGER))", "NUMERIC_VALUE_OUT_OF_RANGE",
                "Value -2147483648 is out of range for abs(integer)");
    check_fails("CAST(12345678901::DECIMAL(12,0) AS INTEGER)", "INVALID_CAST_ARGUMENT",
                "Cannot cast '12345678901' to INTEGER");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_follow_their_test_vectors),
        cmocka_unit_test(bytes_have_parts),
        cmocka_unit_test(names_and_numbers_have_codes),
        cmocka_unit_test(urls_come_apart_as_javas_do),
        cmocka_unit_test(json_is_canonical),
        cmocka_unit_test(texts_split_into_maps),
        cmocka_unit_test(casts_of_numbers_fail_in_trinos_words),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
