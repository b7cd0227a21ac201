#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/login/internal.h"

/* RFC 6238, appendix B: eight digits, 30 s, no window. */
static void codes_are_those_of_rfc_6238(void **state)
{
    static const struct {
        const char *algorithm;
        struct str secret;
        int64_t at;
        struct str code;
    } vectors[] = {
        {"HmacSHA1", STR("12345678901234567890"), 59, STR("94287082")},
        {"HmacSHA256", STR("12345678901234567890123456789012"), 59, STR("46119246")},
        {"HmacSHA512", STR("1234567890123456789012345678901234567890123456789012345678901234"), 59, STR("90693936")},
        {"HmacSHA1", STR("12345678901234567890"), 1111111109, STR("07081804")},
        {"HmacSHA256", STR("12345678901234567890123456789012"), 1111111111, STR("67062674")},
        {"HmacSHA1", STR("12345678901234567890"), 20000000000, STR("65353130")},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct realm r = {.rep = json_pack("{s:s, s:i, s:i}", "otpPolicyAlgorithm", vectors[i].algorithm,
                                           "otpPolicyDigits", 8, "otpPolicyLookAheadWindow", 0)};
        assert_true(totp_matches(&r, vectors[i].secret, vectors[i].code, vectors[i].at));
        assert_false(totp_matches(&r, vectors[i].secret, vectors[i].code, vectors[i].at + 30));
        json_decref(r.rep);
    }
}

static void a_code_of_the_step_before_and_after_is_taken_too(void **state)
{
    struct realm r = {.rep = json_pack("{s:i}", "otpPolicyDigits", 8)};
    struct str secret = STR("12345678901234567890"), code = STR("94287082");
    (void)state;

    assert_true(totp_matches(&r, secret, code, 29));
    assert_true(totp_matches(&r, secret, code, 89));
    assert_false(totp_matches(&r, secret, code, 120));
    assert_false(totp_matches(&r, secret, STR(""), 59));
    assert_false(totp_matches(&r, secret, STR_NULL, 59));
    json_decref(r.rep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_those_of_rfc_6238),
        cmocka_unit_test(a_code_of_the_step_before_and_after_is_taken_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
