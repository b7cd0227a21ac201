/* A token from outside, against keys of each type; its claims; and the same bytes as a JWK set and as an encrypted one. */
#include "fuzz.h"

#include "auth/jose.h"
#include "base/vec.h"

static const char *const jwks[] = {
    "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-"
    "1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}",
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jose_key *keys[ARRAY_LEN(jwks)];
    static const unsigned char secret[32] = {7};
    struct str input = {(const char *)data, size}, plain;
    struct jwt_expect e = {STR("joe"), STR_NULL, 1300819000, 60, 0, false};
    struct jose_keys set;
    struct err err = {0};
    struct jws s;
    ARENA_SCOPED struct arena arena;

    arena_init(&arena, 0);
    for (size_t i = 0; i < ARRAY_LEN(jwks) && !keys[i]; i++) {
        JSON_SCOPED json_t *j = NULL;
        if (json_parse(str_from_cstr(jwks[i]), &j, &err) < 0 || jose_key_from_jwk(j, &keys[i], &err) < 0)
            __builtin_trap();
    }
    if (jws_parse(&arena, input, &s, &err) == 0) {
        JSON_SCOPED json_t *claims = NULL;
        if (s.alg == JOSE_UNKNOWN || s.signature.n == 0)
            __builtin_trap();
        for (size_t i = 0; i < ARRAY_LEN(jwks); i++)
            if (jws_verify(&s, keys[i], JOSE_ANY_PUBLIC | JOSE_ANY_HMAC, &err) < 0 && err.code != ERR_DENIED)
                __builtin_trap();
        if (jwt_claims(s.payload, &e, &claims, &err) == 0 && !json_object_get(claims, "exp"))
            __builtin_trap();
    } else if (!err.message[0]) {
        __builtin_trap(); /* an error that says nothing */
    }
    if (jose_keys_parse(input, &set, &err) == 0)
        jose_keys_release(&set);
    if (jwe_open(&arena, secret, STR_NULL, input, &plain, &err) == 0)
        __builtin_trap(); /* nobody has the key */
    return 0;
}
