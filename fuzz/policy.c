/* A policy, and what it says of some requests: without the word Allow nothing may be allowed. */
#include "fuzz.h"

#include "auth/policy.h"
#include "base/vec.h"

static size_t values_of(void *ctx, const char *key, const struct str **ret)
{
    static const struct str values[] = {STR("10.1.2.3"), STR("ada*"), STR("2026-11-24T14:30:05Z")};
    (void)ctx;

    *ret = values + strlen(key) % 3;
    return strlen(key) % 4 == 0 ? 0 : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const actions[] = {"s3:GetObject", "s3:DeleteObject", "s3:ListBucket", "s3:ListAllMyBuckets"};
    struct str text = {(const char *)data, size};
    struct policy *p;
    struct err err = {0};
    ARENA_SCOPED struct arena arena;

    arena_init(&arena, 0);
    if (policy_parse(&arena, text, &p, &err) < 0) {
        if (!err.message[0])
            __builtin_trap(); /* an error that says nothing */
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        const struct policy *const list[] = {p, p};
        const struct policy_request r = {.arena = &arena,
                                         .action = actions[i],
                                         .bucket = i == 3 ? STR("") : STR("logs"),
                                         .key = i < 2 ? STR("home/ada/x") : STR(""),
                                         .values = values_of};
        enum policy_effect effect = policy_evaluate(list, 1, &r);
        if (policy_evaluate(list, 2, &r) != effect)
            __builtin_trap();
        if (effect == POLICY_ALLOW && str_find(text, STR("llow"), 0) == SIZE_MAX &&
            str_find(text, STR("\\u"), 0) == SIZE_MAX)
            __builtin_trap();
    }
    return 0;
}
