/* The first byte chooses the form and the size of the pieces; the rest is an aws-chunked body. */
#include "fuzz.h"

#include "s3/chunked.h"

enum { DECLARED = 100000 }; /* bytes */

static int take(void *ctx, struct str bytes, struct err *err)
{
    uint64_t *n = ctx;
    (void)err;

    *n += bytes.n;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum sigv4_payload forms[] = {SIGV4_PAYLOAD_STREAMING, SIGV4_PAYLOAD_STREAMING_TRAILER,
                                               SIGV4_PAYLOAD_UNSIGNED_TRAILER, SIGV4_PAYLOAD_UNSIGNED_TRAILER};
    struct sigv4 s = {.date = "20130524T000000Z", .scope = STR("20130524/us-east-1/s3/aws4_request")};
    struct err err = {0};
    struct chunked c;
    uint64_t n = 0;
    int rc = 0;
    ARENA_SCOPED struct arena arena;

    arena_init(&arena, 0);
    if (size == 0)
        return 0;
    size_t piece = 1 + (data[0] >> 2);
    s.payload = forms[data[0] & 3];
    chunked_init(&c, &s, DECLARED);
    for (size_t at = 1; at < size && rc >= 0; at += piece)
        rc = chunked_feed(&c, &arena, str_from((const char *)data + at, size - at < piece ? size - at : piece), take,
                          &n, &err);
    if (rc >= 0)
        rc = chunked_finish(&c, &err);
    chunked_release(&c);
    if (n > DECLARED || (rc >= 0 && n != DECLARED) || (rc < 0 && (!err.name || !err.message[0])))
        __builtin_trap();
    return 0;
}
