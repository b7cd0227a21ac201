/* A request's head, one line a piece as HTTP has it: "METHOD TARGET", then "name:value"; then the verifier. */
#include "fuzz.h"

#include "auth/sigv4.h"
#include "base/vec.h"

enum { HEADERS_MAX = 64 };

static int keys_of(void *ctx, struct str access_key, struct str token, struct sigv4_keys *ret, struct err *err)
{
    (void)ctx;
    if (str_eq(access_key, STR("nobody")) || token.n > 4096)
        return err_set_named(err, ERR_DENIED, "InvalidAccessKeyId", "nobody has it");
    ret->secret = STR("another");
    ret->previous = STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size}, line = STR_NULL, name, target;
    struct sigv4_header headers[HEADERS_MAX];
    struct sigv4_request r = {.headers = headers};
    struct sigv4 s;
    struct err err = {0};
    ARENA_SCOPED struct arena arena;

    arena_init(&arena, 0);
    if (size == 0 || size > 65536)
        return 0;
    (void)str_split(&rest, '\n', &line);
    target = line;
    (void)str_split(&target, ' ', &r.method);
    r.raw_query = target;
    if (!str_is_null(target))
        (void)str_split(&r.raw_query, '?', &r.raw_path);
    while (r.header_count < HEADERS_MAX && str_split(&rest, '\n', &line)) {
        (void)str_split(&line, ':', &name);
        headers[r.header_count++] = (struct sigv4_header){name, line};
    }
    if (sigv4_verify(&arena, &r, "s3", INT64_C(1369353600000), keys_of, NULL, &s, &err) < 0) {
        if (!err.name || !err.message[0])
            __builtin_trap(); /* an error that says nothing */
    } else if (strlen(s.signature) != 64 || strlen(s.date) != 16) {
        __builtin_trap();
    }
    return 0;
}
