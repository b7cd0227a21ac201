/* Amazon's published chunked uploads ("Transferring Payload in Multiple Chunks", and with a trailer), byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/vec.h"
#include "s3/chunked.h"

enum { SIZE = 66560 };

static struct arena arena;

static struct sigv4 example(enum sigv4_payload payload, const char *seed)
{
    static const char secret[] = "AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    static const struct str steps[] = {STR("20130524"), STR("us-east-1"), STR("s3"), STR("aws4_request")};
    struct sigv4 s = {.payload = payload, .scope = STR("20130524/us-east-1/s3/aws4_request")};
    struct str key = str_from_cstr(secret);
    unsigned char mac[32];

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        hash_hmac_sha256(key, steps[i], mac);
        memcpy(s.signing_key, mac, 32);
        key = str_from((const char *)s.signing_key, 32);
    }
    memcpy(s.date, "20130524T000000Z", 17);
    memcpy(s.signature, seed, 65);
    return s;
}

static struct sigv4 signed_example(void)
{
    return example(SIGV4_PAYLOAD_STREAMING, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
}

static struct sigv4 trailer_example(void)
{
    return example(SIGV4_PAYLOAD_STREAMING_TRAILER, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
}

static void add_example(struct buf *b, const char *const signatures[3])
{
    char *a;

    buf_addf(b, "10000;chunk-signature=%s\r\n", signatures[0]);
    a = buf_reserve(b, 65536);
    assert_non_null(a);
    memset(a, 'a', 65536);
    b->n += 65536;
    buf_addf(b, "\r\n400;chunk-signature=%s\r\n", signatures[1]);
    a = buf_reserve(b, 1024);
    assert_non_null(a);
    memset(a, 'a', 1024);
    b->n += 1024;
    buf_addf(b, "\r\n0;chunk-signature=%s\r\n", signatures[2]);
}

static void make_signed(struct buf *b)
{
    static const char *const signatures[] = {"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
                                             "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
                                             "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"};
    buf_init(b, 1 << 20);
    add_example(b, signatures);
    buf_add_cstr(b, "\r\n");
}

static void make_with_trailer(struct buf *b, const char *trailer)
{
    static const char *const signatures[] = {"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
                                             "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
                                             "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"};
    buf_init(b, 1 << 20);
    add_example(b, signatures);
    buf_add_cstr(b, trailer);
}

struct sink {
    size_t n, wrong;
};

static int take(void *ctx, struct str bytes, struct err *err)
{
    struct sink *k = ctx;
    (void)err;

    for (size_t i = 0; i < bytes.n; i++)
        k->wrong += bytes.p[i] != 'a';
    k->n += bytes.n;
    return 0;
}

/* Feeds `text` in pieces; the error's name, or NULL when all of it and its end were right. */
static const char *decode(struct chunked *c, const struct sigv4 *s, struct str text, size_t piece, uint64_t length,
                          struct sink *ret)
{
    struct err err = {0};
    int rc = 0;

    *ret = (struct sink){0};
    chunked_init(c, s, length);
    for (size_t at = 0; at < text.n && rc >= 0; at += piece)
        rc = chunked_feed(c, &arena, str_slice(text, at, piece), take, ret, &err);
    if (rc >= 0)
        rc = chunked_finish(c, &err);
    chunked_release(c);
    return rc < 0 ? err.name : NULL;
}

static void amazons_signed_chunks_decode_whatever_the_pieces(void **state)
{
    static const size_t pieces[] = {1, 2, 7, 1000, 65536, 1 << 20};
    struct sigv4 s = signed_example();
    struct chunked c;
    struct sink k;
    BUF_SCOPED struct buf b;

    (void)state;
    make_signed(&b);
    assert_int_equal(b.n, 66824); /* the example's Content-Length */
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        assert_null(decode(&c, &s, buf_str(&b), pieces[i], SIZE, &k));
        assert_int_equal(k.n, SIZE);
        assert_int_equal(k.wrong, 0);
    }
}

static void a_changed_byte_or_signature_is_refused(void **state)
{
    static const size_t places[] = {30, 100, 65000, 66700, 66810}; /* signatures, and bytes of both chunks */
    struct sigv4 s = signed_example();
    struct chunked c;
    struct sink k;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        BUF_SCOPED struct buf b;
        make_signed(&b);
        b.p[places[i]] ^= 1;
        const char *name = decode(&c, &s, buf_str(&b), 4096, SIZE, &k);
        assert_non_null(name);
        assert_string_equal(name, "SignatureDoesNotMatch");
    }
}

static void a_body_that_ends_early_is_incomplete(void **state)
{
    struct sigv4 s = signed_example();
    struct chunked c;
    struct sink k;
    BUF_SCOPED struct buf b;

    (void)state;
    make_signed(&b);
    for (size_t n = 0; n < b.n; n += n < 65000 ? 5000 : 1) {
        const char *name = decode(&c, &s, str_slice(buf_str(&b), 0, n), 4096, SIZE, &k);
        assert_non_null(name);
        assert_string_equal(name, "IncompleteBody");
    }
}

static void the_declared_length_binds_both_ways(void **state)
{
    struct sigv4 s = signed_example();
    struct chunked c;
    struct sink k;
    BUF_SCOPED struct buf b;

    (void)state;
    make_signed(&b);
    assert_string_equal(decode(&c, &s, buf_str(&b), 4096, SIZE - 1, &k), "IncompleteBody");
    assert_true(k.n <= SIZE - 1);
    assert_string_equal(decode(&c, &s, buf_str(&b), 4096, SIZE + 1, &k), "IncompleteBody");
}

static void amazons_signed_trailer_decodes_in_both_ways_to_end_its_lines(void **state)
{
    static const char *const trailers[] = {
        "x-amz-checksum-crc32c:sOO8/Q==\r\n"
        "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
        "x-amz-checksum-crc32c:sOO8/Q==\n\r\n"
        "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
    };
    struct sigv4 s = trailer_example();
    struct chunked c;
    struct sink k;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(trailers); i++) {
        BUF_SCOPED struct buf b;
        make_with_trailer(&b, trailers[i]);
        assert_null(decode(&c, &s, buf_str(&b), 11, SIZE, &k));
        assert_int_equal(k.n, SIZE);
        assert_int_equal(c.trailer_count, 1);
        assert_true(str_eq(chunked_trailer(&c, STR("x-amz-checksum-crc32c")), STR("sOO8/Q==")));
    }
}

static void a_trailer_that_is_changed_or_unsigned_is_refused(void **state)
{
    static const struct {
        const char *trailer, *name;
    } cases[] = {
        {"x-amz-checksum-crc32c:sOO8/R==\r\n"
         "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
         "SignatureDoesNotMatch"},
        {"x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n", "IncompleteBody"},
        {"x-amz-checksum-crc32c\r\n\r\n", "MalformedTrailerError"},
        {"x-amz-checksum-crc32c:sOO8/Q==\r\n"
         "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n"
         "x-amz-checksum-sha1:later\r\n\r\n",
         "MalformedTrailerError"},
    };
    struct sigv4 s = trailer_example();
    struct chunked c;
    struct sink k;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        BUF_SCOPED struct buf b;
        make_with_trailer(&b, cases[i].trailer);
        const char *name = decode(&c, &s, buf_str(&b), 4096, SIZE, &k);
        assert_non_null(name);
        assert_string_equal(name, cases[i].name);
    }
}

static void unsigned_chunks_with_a_trailer_decode(void **state)
{
    struct sigv4 s = {.payload = SIGV4_PAYLOAD_UNSIGNED_TRAILER};
    struct chunked c;
    struct sink k;

    (void)state;
    assert_null(
        decode(&c, &s, STR("3\r\naaa\r\nA\r\naaaaaaaaaa\r\n0\r\nX-Amz-Checksum-CRC32: AAAAAA== \r\n\r\n"), 1, 13, &k));
    assert_int_equal(k.n, 13);
    assert_int_equal(k.wrong, 0);
    assert_true(str_eq(chunked_trailer(&c, STR("x-amz-checksum-crc32")), STR("AAAAAA==")));
    assert_null(decode(&c, &s, STR("0\r\n\r\n"), 5, 0, &k));
}

static void what_is_not_well_formed_is_refused(void **state)
{
    static const char *const cases[] = {
        "\r\n",
        "x\r\n",
        ";\r\n",
        "3\naaa\r\n0\r\n\r\n",
        "3\r\naaaa\r\n0\r\n\r\n",
        "3\r\naaa0\r\n\r\n",
        "-3\r\naaa\r\n",
        "+3\r\n",
        "0x3\r\naaa\r\n",
        "00000000000003\r\naaa\r\n0\r\n\r\n",
        "fffffffffffff\r\n",
        "3\r\naaa\r\n0\r\n\r\nmore",
    };
    struct sigv4 s = {.payload = SIGV4_PAYLOAD_UNSIGNED_TRAILER};
    struct chunked c;
    struct sink k;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_non_null(decode(&c, &s, str_from_cstr(cases[i]), 3, 3, &k));
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
        cmocka_unit_test(amazons_signed_chunks_decode_whatever_the_pieces),
        cmocka_unit_test(a_changed_byte_or_signature_is_refused),
        cmocka_unit_test(a_body_that_ends_early_is_incomplete),
        cmocka_unit_test(the_declared_length_binds_both_ways),
        cmocka_unit_test(amazons_signed_trailer_decodes_in_both_ways_to_end_its_lines),
        cmocka_unit_test(a_trailer_that_is_changed_or_unsigned_is_refused),
        cmocka_unit_test(unsigned_chunks_with_a_trailer_decode),
        cmocka_unit_test(what_is_not_well_formed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
