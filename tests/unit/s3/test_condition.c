#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/vec.h"
#include "s3/internal.h"

/* Modified at Tue, 24 Nov 2026 14:30:05.900 GMT. */
static const struct objects_info object = {.etag = STR("abc"), .modified_ms = INT64_C(1795530605900)};

#define BEFORE "Tue, 24 Nov 2026 14:30:04 GMT"
#define AT "Tue, 24 Nov 2026 14:30:05 GMT"
#define AFTER "Tue, 24 Nov 2026 14:30:06 GMT"

static void conditions_follow_rfc_9110(void **state)
{
    static const struct {
        const char *match, *none_match, *modified, *unmodified;
        int status;
    } cases[] = {
        {NULL, NULL, NULL, NULL, 200},
        {"\"abc\"", NULL, NULL, NULL, 200},
        {"abc", NULL, NULL, NULL, 200},
        {"*", NULL, NULL, NULL, 200},
        {"\"x\", \"abc\"", NULL, NULL, NULL, 200},
        {"\"x\"", NULL, NULL, NULL, 412},
        {NULL, "\"abc\"", NULL, NULL, 304},
        {NULL, "*", NULL, NULL, 304},
        {NULL, "\"x\"", NULL, NULL, 200},
        {NULL, NULL, BEFORE, NULL, 200},
        {NULL, NULL, AT, NULL, 304},
        {NULL, NULL, AFTER, NULL, 304},
        {NULL, NULL, "no date", NULL, 200},
        {NULL, NULL, NULL, BEFORE, 412},
        {NULL, NULL, NULL, AT, 200},
        {NULL, NULL, NULL, "no date", 200},
        {"\"abc\"", NULL, NULL, BEFORE, 200}, /* If-Match outweighs If-Unmodified-Since */
        {NULL, "\"x\"", AFTER, NULL, 200},    /* If-None-Match outweighs If-Modified-Since */
        {"\"x\"", "\"abc\"", NULL, NULL, 412},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct s3_conditions q = {
            .if_match = str_from_cstr(cases[i].match),
            .if_none_match = str_from_cstr(cases[i].none_match),
            .if_modified_since = str_from_cstr(cases[i].modified),
            .if_unmodified_since = str_from_cstr(cases[i].unmodified),
        };
        if (s3_conditions_check(&q, &object) != cases[i].status)
            fail_msg("case %zu: %d, expected %d", i, s3_conditions_check(&q, &object), cases[i].status);
    }
}

static void etags_lose_their_quotes_only_in_pairs(void **state)
{
    (void)state;
    assert_true(str_eq(s3_unquote_etag(STR(" \"a-2\" ")), STR("a-2")));
    assert_true(str_eq(s3_unquote_etag(STR("W/\"a\"")), STR("a")));
    assert_true(str_eq(s3_unquote_etag(STR("a")), STR("a")));
    assert_true(str_eq(s3_unquote_etag(STR("\"")), STR("\"")));
    assert_true(str_eq(s3_unquote_etag(STR("\"\"")), STR("")));
}

static void checksums_read_only_at_their_length(void **state)
{
    const struct checksum_kind *k = checksum_by_header(STR("X-Amz-Checksum-CRC32"));
    unsigned char value[HASH_MAX_SIZE];
    struct err err = {0};

    (void)state;
    assert_non_null(k);
    assert_int_equal(checksum_read(k, STR("NSRBwg=="), value, &err), 0);
    assert_memory_equal(value, "\x35\x24\x41\xc2", 4);
    assert_int_equal(checksum_read(k, STR("NSRBwgA="), value, &err), ERR_INVALID);
    assert_int_equal(checksum_read(k, STR("NSRBw"), value, &err), ERR_INVALID);
    assert_int_equal(checksum_read(k, STR(""), value, &err), ERR_INVALID);
    assert_null(checksum_by_algorithm(STR("MD5")));
    assert_int_equal(checksum_by_algorithm(STR("crc64nvme"))->kind, HASH_CRC64NVME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_follow_rfc_9110),
        cmocka_unit_test(etags_lose_their_quotes_only_in_pairs),
        cmocka_unit_test(checksums_read_only_at_their_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
