/* A body of the admin API, taken for each kind of representation: its members' types, and its password policy. */
#include "fuzz.h"

#include "identity/admin/represent.h"
#include "identity/model/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_SCOPED struct arena arena = ARENA_INIT;
    struct str input = {(const char *)data, size};

    for (int kind = REP_REALM; kind <= REP_IDP_MAPPER; kind++) {
        JSON_SCOPED json_t *body = NULL;
        struct password_policy policy;
        struct err err = {0};
        if (json_parse(input, &body, &err) < 0)
            return 0;
        if (represent_check(body, (enum represent_kind)kind, &err) < 0)
            continue;
        /* What was taken once is taken again, as it is. */
        JSON_SCOPED json_t *copy = json_deep_copy(body);
        if (represent_check(copy, (enum represent_kind)kind, &err) < 0 || !json_equal(body, copy))
            __builtin_trap();
        if (password_policy_parse(json_opt_str(body, "passwordPolicy", STR("")), &policy, &err) == 0 &&
            password_policy_check(&policy, &arena, STR("Passw0rd!"), STR("ann"), STR("ann@example.org"), &err) < 0 &&
            err.message[0] == '\0')
            __builtin_trap();
    }
    return 0;
}
