/* platform.yaml: whatever the bytes, an error or a spec whose meaning can be digested. */
#include "fuzz.h"

#include "spec/spec.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    char digest[SPEC_DIGEST_SIZE];
    struct spec *spec = NULL;
    struct err err = {0};

    if (spec_parse(&a, (struct str){(const char *)data, size}, STR("platform.yaml"), STR("/"), &spec, &err) < 0) {
        if (!err.code || !err.message[0])
            abort();
        return 0;
    }
    spec_digest(spec, digest);
    return 0;
}
