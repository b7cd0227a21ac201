/* The published examples of Amazon's S3 documentation ("Authenticating Requests"), then vectors signed by botocore. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/vec.h"

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DOC_SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define DOC_SCOPE "20130524/us-east-1/s3/aws4_request"
#define DOC_CREDENTIAL "Credential=AKIAIOSFODNN7EXAMPLE/" DOC_SCOPE
#define DOC_TIME "20130524T000000Z"
#define BOTO_TIME "20261124T143005Z"
#define BOTO_CREDENTIAL "Credential=trino/20261124/eu-central-1/s3/aws4_request"

enum { HEADERS_MAX = 16 };

struct sample {
    const char *method, *path, *query, *time; /* time: of the server's clock */
    struct {
        const char *name, *value;
    } headers[HEADERS_MAX];
};

#define BOTO_SECRET "0123456789abcdefghijABCDEFGHIJ0123456789"

static struct arena arena;
static struct sigv4_keys boto_keys; /* of the user trino, when a test sets them */
static struct str token_seen;

static int keys_of(void *ctx, struct str access_key, struct str token, struct sigv4_keys *ret, struct err *err)
{
    (void)ctx;
    token_seen = token;
    if (str_eq(access_key, STR("AKIAIOSFODNN7EXAMPLE")))
        *ret = (struct sigv4_keys){STR(DOC_SECRET), STR_NULL};
    else if (str_eq(access_key, STR("trino")))
        *ret = str_is_null(boto_keys.secret) ? (struct sigv4_keys){STR(BOTO_SECRET), STR_NULL} : boto_keys;
    else
        return err_set_named(err, ERR_DENIED, "InvalidAccessKeyId", "nobody has it");
    return 0;
}

static int verify_at(const struct sample *s, int64_t shift_ms, struct sigv4 *ret, struct err *err)
{
    struct sigv4_header headers[HEADERS_MAX];
    struct sigv4_request r = {.method = str_from_cstr(s->method),
                              .raw_path = str_from_cstr(s->path),
                              .raw_query = str_from_cstr(s->query ? s->query : ""),
                              .headers = headers};
    int64_t now;

    while (r.header_count < HEADERS_MAX && s->headers[r.header_count].name) {
        headers[r.header_count].name = str_from_cstr(s->headers[r.header_count].name);
        headers[r.header_count].value = str_from_cstr(s->headers[r.header_count].value);
        r.header_count++;
    }
    assert_int_equal(clock_parse_amz(str_from_cstr(s->time), &now, NULL), 0);
    return sigv4_verify(&arena, &r, "s3", now + shift_ms, keys_of, NULL, ret, err);
}

static struct sigv4 verified(const struct sample *s)
{
    struct sigv4 ret = {0};
    struct err err = {0};

    if (verify_at(s, 0, &ret, &err) < 0)
        fail_msg("%s %s: %s: %s", s->method, s->path, err.name ? err.name : "?", err.message);
    return ret;
}

static void assert_refused(const struct sample *s, int64_t shift_ms, const char *name)
{
    struct sigv4 ret;
    struct err err = {0};

    assert_true(verify_at(s, shift_ms, &ret, &err) < 0);
    assert_non_null(err.name);
    assert_string_equal(err.name, name);
}

static const struct sample doc_get = {
    "GET",
    "/test.txt",
    NULL,
    DOC_TIME,
    {{"Host", "examplebucket.s3.amazonaws.com"},
     {"Range", "bytes=0-9"},
     {"x-amz-content-sha256", EMPTY_HASH},
     {"x-amz-date", DOC_TIME},
     {"Authorization", "AWS4-HMAC-SHA256 " DOC_CREDENTIAL ",SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                       "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"}}};

static void amazons_example_of_a_get_verifies(void **state)
{
    struct sigv4 s = verified(&doc_get);
    unsigned char empty[HASH_MAX_SIZE];

    (void)state;
    assert_true(str_eq(s.access_key, STR("AKIAIOSFODNN7EXAMPLE")));
    assert_int_equal(s.payload, SIGV4_PAYLOAD_HASH);
    hash_bytes(HASH_SHA256, STR(""), empty);
    assert_memory_equal(s.payload_hash, empty, 32);
    assert_string_equal(s.date, DOC_TIME);
    assert_true(str_eq(s.scope, STR(DOC_SCOPE)));
}

static void amazons_example_of_a_put_verifies(void **state)
{
    static const struct sample put = {
        "PUT",
        "/test$file.text",
        NULL,
        DOC_TIME,
        {{"Host", "examplebucket.s3.amazonaws.com"},
         {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
         {"x-amz-date", DOC_TIME},
         {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
         {"x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
         {"Authorization", "AWS4-HMAC-SHA256 " DOC_CREDENTIAL
                           ",SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,"
                           "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"}}};
    struct sample tampered = put;

    (void)state;
    verified(&put);
    tampered.headers[3].value = "STANDARD";
    assert_refused(&tampered, 0, "SignatureDoesNotMatch");
}

static void amazons_examples_with_a_query_verify(void **state)
{
    static const struct sample lifecycle = {
        "GET",
        "/",
        "lifecycle",
        DOC_TIME,
        {{"Host", "examplebucket.s3.amazonaws.com"},
         {"x-amz-date", DOC_TIME},
         {"x-amz-content-sha256", EMPTY_HASH},
         {"Authorization", "AWS4-HMAC-SHA256 " DOC_CREDENTIAL ",SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
                           "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"}}};
    static const struct sample list = {
        "GET",
        "/",
        "prefix=J&max-keys=2", /* the canonical order is the verifier's business */
        DOC_TIME,
        {{"Host", "examplebucket.s3.amazonaws.com"},
         {"x-amz-date", DOC_TIME},
         {"x-amz-content-sha256", EMPTY_HASH},
         {"Authorization", "AWS4-HMAC-SHA256 " DOC_CREDENTIAL ",SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
                           "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"}}};
    (void)state;
    verified(&lifecycle);
    verified(&list);
}

static const struct sample doc_presigned = {
    "GET",
    "/test.txt",
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    DOC_TIME,
    {{"Host", "examplebucket.s3.amazonaws.com"}}};

static void amazons_presigned_example_verifies_until_it_expires(void **state)
{
    struct sample with_header = doc_presigned;
    struct sigv4 s = verified(&doc_presigned), later;

    (void)state;
    assert_int_equal(s.payload, SIGV4_PAYLOAD_UNSIGNED);
    assert_int_equal(verify_at(&doc_presigned, INT64_C(86400) * 1000, &later, NULL), 0);
    assert_refused(&doc_presigned, INT64_C(86401) * 1000, "AccessDenied");
    assert_refused(&doc_presigned, INT64_C(-16) * 60 * 1000, "AccessDenied");
    /* The URL's holder can't add what the signer didn't sign. */
    with_header.headers[1].name = "x-amz-copy-source";
    with_header.headers[1].value = "/other/secret";
    assert_refused(&with_header, 0, "AccessDenied");
}

static void assert_chain(const struct sigv4 *s, const char *const chunks[3], const char *trailer)
{
    static char bytes[65536];
    static const size_t sizes[] = {65536, 1024, 0};
    unsigned char hash[HASH_MAX_SIZE];
    char previous[65], signature[65];

    memset(bytes, 'a', sizeof(bytes));
    memcpy(previous, s->signature, 65);
    for (size_t i = 0; i < 3; i++) {
        hash_bytes(HASH_SHA256, str_from(bytes, sizes[i]), hash);
        sigv4_chunk_signature(s, previous, hash, signature);
        assert_string_equal(signature, chunks[i]);
        memcpy(previous, signature, 65);
    }
    if (trailer) {
        hash_bytes(HASH_SHA256, STR("x-amz-checksum-crc32c:sOO8/Q==\n"), hash);
        sigv4_trailer_signature(s, previous, hash, signature);
        assert_string_equal(signature, trailer);
    }
}

static void amazons_chunked_example_verifies_with_each_chunk(void **state)
{
    static const struct sample chunked = {
        "PUT",
        "/examplebucket/chunkObject.txt",
        NULL,
        DOC_TIME,
        {{"Host", "s3.amazonaws.com"},
         {"x-amz-date", DOC_TIME},
         {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
         {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
         {"Content-Encoding", "aws-chunked"},
         {"x-amz-decoded-content-length", "66560"},
         {"Content-Length", "66824"},
         {"Authorization", "AWS4-HMAC-SHA256 " DOC_CREDENTIAL
                           ",SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
                           "x-amz-decoded-content-length;x-amz-storage-class,"
                           "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"}}};
    static const char *const chunks[] = {"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
                                         "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
                                         "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"};
    struct sigv4 s = verified(&chunked);

    (void)state;
    assert_int_equal(s.payload, SIGV4_PAYLOAD_STREAMING);
    assert_chain(&s, chunks, NULL);
}

static void amazons_trailer_example_verifies_with_its_trailer(void **state)
{
    static const struct sample chunked = {
        "PUT",
        "/examplebucket/chunkObject.txt",
        NULL,
        DOC_TIME,
        {{"Host", "s3.amazonaws.com"},
         {"x-amz-date", DOC_TIME},
         {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
         {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"},
         {"Content-Encoding", "aws-chunked"},
         {"x-amz-decoded-content-length", "66560"},
         {"x-amz-trailer", "x-amz-checksum-crc32c"},
         {"Content-Length", "66824"},
         {"Authorization",
          "AWS4-HMAC-SHA256 " DOC_CREDENTIAL ",SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;"
          "x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,"
          "Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"}}};
    static const char *const chunks[] = {"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
                                         "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
                                         "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"};
    struct sigv4 s = verified(&chunked);

    (void)state;
    assert_int_equal(s.payload, SIGV4_PAYLOAD_STREAMING_TRAILER);
    assert_chain(&s, chunks, "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
}

#define BOTO_PLAIN(signature)                                                                             \
    {                                                                                                     \
        {"Host", "127.0.0.1:9000"}, {"X-Amz-Date", BOTO_TIME}, {"X-Amz-Content-SHA256", EMPTY_HASH},      \
        {                                                                                                 \
            "Authorization", "AWS4-HMAC-SHA256 " BOTO_CREDENTIAL                                          \
                             ", SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=" signature \
        }                                                                                                 \
    }

static void while_a_key_is_rotated_either_is_good_and_the_signing_key_is_the_one_used(void **state)
{
    static const struct sample sample = {
        "POST", "/trino-data/k", "uploads", BOTO_TIME,
        BOTO_PLAIN("49bd9ddfe9149ca598dc94c59dd56b86949541cc428bffd4f7d44f7722a16e22")};
    struct sigv4 with_one = verified(&sample), with_old;

    (void)state;
    boto_keys = (struct sigv4_keys){STR("the new one"), STR(BOTO_SECRET)};
    with_old = verified(&sample);
    assert_memory_equal(with_old.signing_key, with_one.signing_key, sizeof(with_one.signing_key));
    boto_keys = (struct sigv4_keys){STR(BOTO_SECRET), STR("the old one")};
    (void)verified(&sample);
    boto_keys = (struct sigv4_keys){STR("the new one"), STR_NULL};
    assert_refused(&sample, 0, "SignatureDoesNotMatch");
    boto_keys = (struct sigv4_keys){STR("the new one"), STR("one before")};
    assert_refused(&sample, 0, "SignatureDoesNotMatch");
    boto_keys = (struct sigv4_keys){STR_NULL, STR_NULL};
}

static void requests_signed_by_botocore_verify(void **state)
{
    static const struct sample samples[] = {
        {"GET", "/trino-data/a%20b%2Bc/%C3%A4~d//e/../f%21%27%28%29%2A.txt", NULL, BOTO_TIME,
         BOTO_PLAIN("7184b76b6a87f6123ded7f48d80183e4c109802b461733e66632d68d0d486d08")},
        /* The same path, escaped less and in lower case. */
        {"GET", "/trino-data/a%20b+c/%c3%a4%7ed//e/../f!'()*.txt", NULL, BOTO_TIME,
         BOTO_PLAIN("7184b76b6a87f6123ded7f48d80183e4c109802b461733e66632d68d0d486d08")},
        {"GET", "/trino-data", "list-type=2&prefix=a%2Fb%20c&delimiter=%2F&encoding-type=url&start-after=%2B%26%3D",
         BOTO_TIME, BOTO_PLAIN("97db596e2f9cba0c7128a110ae7821f0f406f1d36e367a74d89f6228dec431e5")},
        {"GET", "/trino-data", "list-type=2&prefix=a/b+c&delimiter=/&encoding-type=url&start-after=%2b%26%3d",
         BOTO_TIME, BOTO_PLAIN("97db596e2f9cba0c7128a110ae7821f0f406f1d36e367a74d89f6228dec431e5")},
        {"POST", "/trino-data/k", "uploads", BOTO_TIME,
         BOTO_PLAIN("49bd9ddfe9149ca598dc94c59dd56b86949541cc428bffd4f7d44f7722a16e22")},
        {"PUT",
         "/trino-data/k",
         NULL,
         BOTO_TIME,
         {{"host", "127.0.0.1:9000"},
          {"x-amz-meta-b", "  two   words "},
          {"x-amz-meta-a", "1"},
          {"Content-Type", "text/plain"},
          {"Content-MD5", "x"},
          {"X-Amz-Date", BOTO_TIME},
          {"X-Amz-Content-SHA256", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
          {"Authorization", "AWS4-HMAC-SHA256 " BOTO_CREDENTIAL
                            ", SignedHeaders=content-md5;content-type;host;x-amz-content-sha256;x-amz-date;"
                            "x-amz-meta-a;x-amz-meta-b, "
                            "Signature=5b812a55320ee71cd43958333c2ace23cb218779f9903ed25a6c4a2fd4b66986"}}},
        {"GET",
         "/trino-data/a%20b",
         "response-content-type=text%2Fplain%3B%20charset%3Dutf-8&partNumber=1&X-Amz-Algorithm=AWS4-HMAC-SHA256"
         "&X-Amz-Credential=trino%2F20261124%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20261124T143005Z"
         "&X-Amz-Expires=3600&X-Amz-SignedHeaders=host"
         "&X-Amz-Signature=05a763702efc5e9567273d75bcb0e979944f96de5bd72b62f65914864b824026",
         BOTO_TIME,
         {{"Host", "127.0.0.1:9000"}}},
        {"PUT",
         "/trino-data/k",
         "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=trino%2F20261124%2Feu-central-1%2Fs3%2Faws4_request"
         "&X-Amz-Date=20261124T143005Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host%3Bx-amz-meta-a"
         "&X-Amz-Signature=621bb09b146502a911779285a1d29a9a71dfb256c5edc88198217ad82c0fa03a",
         BOTO_TIME,
         {{"Host", "127.0.0.1:9000"}, {"x-amz-meta-a", "1"}}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++)
        verified(&samples[i]);
}

static void what_was_changed_on_the_way_is_refused(void **state)
{
    struct sample s = doc_get;

    (void)state;
    s.method = "HEAD";
    assert_refused(&s, 0, "SignatureDoesNotMatch");
    s = doc_get;
    s.path = "/test.txu";
    assert_refused(&s, 0, "SignatureDoesNotMatch");
    s = doc_get;
    s.query = "acl";
    assert_refused(&s, 0, "SignatureDoesNotMatch");
    s = doc_get;
    s.headers[1].value = "bytes=0-10";
    assert_refused(&s, 0, "SignatureDoesNotMatch");
    s = doc_get;
    s.headers[1].name = "X-Other";
    assert_refused(&s, 0, "SignatureDoesNotMatch");
}

static void a_clock_that_is_off_by_more_than_15_minutes_is_refused(void **state)
{
    struct sigv4 s;

    (void)state;
    assert_int_equal(verify_at(&doc_get, INT64_C(15) * 60 * 1000, &s, NULL), 0);
    assert_int_equal(verify_at(&doc_get, INT64_C(-15) * 60 * 1000, &s, NULL), 0);
    assert_refused(&doc_get, INT64_C(15) * 60 * 1000 + 1, "RequestTimeTooSkewed");
    assert_refused(&doc_get, INT64_C(-15) * 60 * 1000 - 1, "RequestTimeTooSkewed");
}

static void each_malformed_authorization_has_its_name(void **state)
{
    static const struct {
        const char *authorization, *name;
    } cases[] = {
        {"", "InvalidRequest"},
        {"AWS trino:c2lnbmF0dXJl", "InvalidRequest"},
        {"Bearer x", "InvalidRequest"},
        {"AWS4-HMAC-SHA256 ", "AuthorizationHeaderMalformed"},
        {"AWS4-HMAC-SHA256 Credential=x", "AuthorizationHeaderMalformed"},
        {"AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=00", "AuthorizationHeaderMalformed"},
        {"AWS4-HMAC-SHA256 Credential=trino/20130524/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=00",
         "AuthorizationHeaderMalformed"},
        {"AWS4-HMAC-SHA256 Credential=trino/20130523/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
         "AuthorizationHeaderMalformed"},
        {"AWS4-HMAC-SHA256 Credential=nobody/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
         "InvalidAccessKeyId"},
        {"AWS4-HMAC-SHA256 Credential=trino/20130524/us-east-1/s3/aws4_request, SignedHeaders=range, Signature=00",
         "AuthorizationHeaderMalformed"},
        {"AWS4-HMAC-SHA256 Credential=trino/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
         "AccessDenied"}, /* x-amz-date isn't signed */
        {"AWS4-HMAC-SHA256 Credential=trino/20130524/us-east-1/s3/aws4_request, "
         "SignedHeaders=host;x-amz-date;x-amz-content-sha256, Signature=",
         "SignatureDoesNotMatch"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sample s = doc_get;
        s.headers[4].value = cases[i].authorization;
        assert_refused(&s, 0, cases[i].name);
    }
}

static void a_request_without_a_signature_is_denied(void **state)
{
    struct sample s = doc_get;

    (void)state;
    s.headers[4].name = NULL;
    assert_refused(&s, 0, "AccessDenied");
}

static void a_payload_hash_that_is_none_is_refused(void **state)
{
    struct sample s = doc_get;

    (void)state;
    s.headers[2].value = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD";
    assert_refused(&s, 0, "NotImplemented");
    s.headers[2].value = "UNSIGNED";
    assert_refused(&s, 0, "InvalidArgument");
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
        cmocka_unit_test(amazons_example_of_a_get_verifies),
        cmocka_unit_test(amazons_example_of_a_put_verifies),
        cmocka_unit_test(amazons_examples_with_a_query_verify),
        cmocka_unit_test(amazons_presigned_example_verifies_until_it_expires),
        cmocka_unit_test(amazons_chunked_example_verifies_with_each_chunk),
        cmocka_unit_test(amazons_trailer_example_verifies_with_its_trailer),
        cmocka_unit_test(requests_signed_by_botocore_verify),
        cmocka_unit_test(while_a_key_is_rotated_either_is_good_and_the_signing_key_is_the_one_used),
        cmocka_unit_test(what_was_changed_on_the_way_is_refused),
        cmocka_unit_test(a_clock_that_is_off_by_more_than_15_minutes_is_refused),
        cmocka_unit_test(each_malformed_authorization_has_its_name),
        cmocka_unit_test(a_request_without_a_signature_is_denied),
        cmocka_unit_test(a_payload_hash_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
