/*
 * Password hashes in Keycloak's form, so that a realm's users keep theirs in both directions.
 *
 *   secretData       {"value":"BASE64","salt":"BASE64","additionalParameters":{}}
 *   credentialData   {"hashIterations":5,"algorithm":"argon2","additionalParameters":{"hashLength":["32"],
 *                     "memory":["7168"],"type":["id"],"version":["1.3"],"parallelism":["1"]}}
 *
 * New ones are argon2id with Keycloak's parameters; read are argon2 of all types, and pbkdf2, pbkdf2-sha256 and
 * pbkdf2-sha512. The costs that a stored hash may ask for are bounded: an import must not become a way to stop the service.
 */
#include "base/enc.h"
#include "base/rand.h"
#include "identity/model/internal.h"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

enum {
    ITERATIONS = 5,
    MEMORY_KIB = 7168,
    LANES = 1,
    HASH_BYTES = 32,
    SALT_BYTES = 16,
    HASH_BYTES_MAX = 512,
    SALT_BYTES_MAX = 512,
    ARGON2_ITERATIONS_MAX = 64,
    ARGON2_MEMORY_KIB_MAX = 256 << 10,
    PBKDF2_ITERATIONS_MAX = 5000000,
};

struct hashing {
    struct str algorithm;
    int64_t iterations, memory, lanes;
    struct str type, version;
};

static int argon2(const struct hashing *h, struct str password, struct str salt, unsigned char *out, size_t n,
                  struct err *err)
{
    argon2_type type = str_eq(h->type, STR("i")) ? Argon2_i : str_eq(h->type, STR("d")) ? Argon2_d : Argon2_id;
    argon2_version version = str_eq(h->version, STR("1.0")) ? ARGON2_VERSION_10 : ARGON2_VERSION_13;
    argon2_context c = {
        .out = out,
        .outlen = (uint32_t)n,
        .pwd = (uint8_t *)password.p,
        .pwdlen = (uint32_t)password.n,
        .salt = (uint8_t *)salt.p,
        .saltlen = (uint32_t)salt.n,
        .t_cost = (uint32_t)h->iterations,
        .m_cost = (uint32_t)h->memory,
        .lanes = (uint32_t)h->lanes,
        .threads = 1,
        .version = version,
    };
    int rc = argon2_ctx(&c, type);

    return rc == ARGON2_OK ? 0 : err_set(err, ERR_CORRUPT, "argon2: %s", argon2_error_message(rc));
}

static int pbkdf2(const struct hashing *h, const EVP_MD *digest, struct str password, struct str salt,
                  unsigned char *out, size_t n, struct err *err)
{
    if (PKCS5_PBKDF2_HMAC(password.p, (int)password.n, (const unsigned char *)salt.p, (int)salt.n, (int)h->iterations,
                          digest, (int)n, out))
        return 0;
    return err_set(err, ERR_CORRUPT, "PBKDF2 failed");
}

static int derive(const struct hashing *h, struct str password, struct str salt, unsigned char *out, size_t n,
                  struct err *err)
{
    if (str_eq(h->algorithm, STR("argon2")))
        return argon2(h, password, salt, out, n, err);
    if (str_eq(h->algorithm, STR("pbkdf2-sha256")))
        return pbkdf2(h, EVP_sha256(), password, salt, out, n, err);
    if (str_eq(h->algorithm, STR("pbkdf2-sha512")))
        return pbkdf2(h, EVP_sha512(), password, salt, out, n, err);
    if (str_eq(h->algorithm, STR("pbkdf2")))
        return pbkdf2(h, EVP_sha1(), password, salt, out, n, err);
    return err_set(err, ERR_UNSUPPORTED, "passwords hashed with '%.*s' are not supported", STR_ARG(h->algorithm));
}

static const struct hashing ours = {
    .algorithm = {"argon2", 6},
    .iterations = ITERATIONS,
    .memory = MEMORY_KIB,
    .lanes = LANES,
    .type = {"id", 2},
    .version = {"1.3", 3},
};

static struct str base64(struct arena *a, const void *p, size_t n)
{
    BUF_SCOPED struct buf b;

    buf_init(&b, 4096);
    enc_base64(&b, p, n);
    return arena_str(a, buf_str(&b));
}

void password_hash(struct arena *a, struct str password, struct str *ret_secret, struct str *ret_data)
{
    unsigned char salt[SALT_BYTES], hash[HASH_BYTES];

    rand_bytes(salt, sizeof(salt));
    if (argon2(&ours, password, str_from((char *)salt, sizeof(salt)), hash, sizeof(hash), NULL) < 0)
        abort(); /* out of memory: the parameters are ours */
    struct str value = base64(a, hash, sizeof(hash)), salt_text = base64(a, salt, sizeof(salt));
    OPENSSL_cleanse(hash, sizeof(hash));
    *ret_secret = arena_printf(a, "{\"value\":\"%.*s\",\"salt\":\"%.*s\",\"additionalParameters\":{}}", STR_ARG(value),
                               STR_ARG(salt_text));
    *ret_data = arena_printf(a,
                             "{\"hashIterations\":%d,\"algorithm\":\"argon2\",\"additionalParameters\":{"
                             "\"hashLength\":[\"%d\"],\"memory\":[\"%d\"],\"type\":[\"id\"],\"version\":[\"1.3\"],"
                             "\"parallelism\":[\"%d\"]}}",
                             ITERATIONS, HASH_BYTES, MEMORY_KIB, LANES);
}

static int64_t parameter(const json_t *more, const char *key, int64_t fallback)
{
    int64_t n;
    return str_to_i64(json_first(more, key), &n, NULL) == 0 ? n : fallback;
}

static int read_hashing(const json_t *data, struct hashing *h, struct err *err)
{
    const json_t *more = json_object_get(data, "additionalParameters");
    bool is_argon2;

    h->algorithm = json_opt_str(data, "algorithm", STR(""));
    is_argon2 = str_eq(h->algorithm, STR("argon2"));
    h->iterations = json_opt_i64(data, "hashIterations", 0);
    h->memory = parameter(more, "memory", MEMORY_KIB);
    h->lanes = parameter(more, "parallelism", LANES);
    h->type = json_first(more, "type");
    h->version = json_first(more, "version");
    if (h->iterations < 1 || h->iterations > (is_argon2 ? ARGON2_ITERATIONS_MAX : PBKDF2_ITERATIONS_MAX) ||
        h->memory < 8 || h->memory > ARGON2_MEMORY_KIB_MAX || h->lanes < 1 || h->lanes > 16)
        return err_set(err, ERR_UNSUPPORTED, "the password's hash asks for too much work");
    return 0;
}

static bool is_older(const struct hashing *h, size_t hash_size)
{
    return !str_eq(h->algorithm, ours.algorithm) || h->iterations < ITERATIONS || h->memory < MEMORY_KIB ||
           hash_size < HASH_BYTES || !str_eq(h->type, ours.type);
}

int password_verify(struct str password, struct str secret_data, struct str credential_data, bool *ret_is_old,
                    struct err *err)
{
    JSON_SCOPED json_t *secret = NULL, *data = NULL;
    BUF_SCOPED struct buf value, salt;
    unsigned char hash[HASH_BYTES_MAX];
    struct hashing h;
    int rc;

    buf_init(&value, HASH_BYTES_MAX);
    buf_init(&salt, SALT_BYTES_MAX);
    rc = json_parse(secret_data, &secret, err);
    if (rc == 0)
        rc = json_parse(credential_data, &data, err);
    if (rc == 0)
        rc = enc_unbase64(&value, json_opt_str(secret, "value", STR("")), err);
    if (rc == 0)
        rc = enc_unbase64(&salt, json_opt_str(secret, "salt", STR("")), err);
    if (rc == 0)
        rc = read_hashing(data, &h, err);
    if (rc < 0)
        return rc;
    if (value.n < 16 || value.failed || salt.failed)
        return err_set(err, ERR_CORRUPT, "the stored password hash has %zu bytes", value.n);
    rc = derive(&h, password, buf_str(&salt), hash, value.n, err);
    if (rc == 0 && !str_eq_secret(str_from((char *)hash, value.n), buf_str(&value)))
        rc = err_set(err, ERR_DENIED, "Invalid user credentials");
    OPENSSL_cleanse(hash, sizeof(hash));
    *ret_is_old = rc == 0 && is_older(&h, value.n);
    return rc;
}

void password_waste(struct str password)
{
    static const unsigned char salt[SALT_BYTES] = {0};
    unsigned char hash[HASH_BYTES];

    if (argon2(&ours, password, str_from((const char *)salt, sizeof(salt)), hash, sizeof(hash), NULL) < 0)
        abort();
    OPENSSL_cleanse(hash, sizeof(hash));
}
