#include "s3/session.h"

#include "auth/jose.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/vec.h"

enum { ACCESS_KEY_LENGTH = 20, SECRET_KEY_LENGTH = 40 }; /* as AWS's */

#define KEY_ID "dataplatform-session-1"

void session_make_key(struct str secret, unsigned char ret[SESSION_KEY_SIZE])
{
    hash_hmac_sha256(secret, STR(KEY_ID), ret);
}

static bool is_kept(const json_t *value)
{
    const json_t *item;
    size_t i;

    if (json_is_string(value) || json_is_boolean(value) || json_is_number(value))
        return true;
    if (!json_is_array(value))
        return false;
    json_array_foreach(value, i, item)
    {
        if (!json_is_string(item))
            return false;
    }
    return true;
}

static int write_claims(struct json_writer *w, const json_t *claims, struct err *err)
{
    const char *name;
    json_t *value;
    size_t before = w->to->n;

    json_open_object(w);
    json_object_foreach((json_t *)claims, name, value)
    {
        if (!is_kept(value))
            continue;
        json_key(w, name);
        json_add_value(w, value);
    }
    json_close_object(w);
    if (w->to->n - before > SESSION_CLAIMS_MAX)
        return err_set(err, ERR_LIMIT, "the web identity token's claims have more than %d bytes", SESSION_CLAIMS_MAX);
    return 0;
}

static void add(struct json_writer *w, const char *key, struct str value)
{
    json_key(w, key);
    json_add_str(w, value);
}

int s3_session_new(struct arena *a, const unsigned char key[SESSION_KEY_SIZE], struct session *s, const json_t *claims,
                   struct str *ret_token, struct err *err)
{
    BUF_SCOPED struct buf plain, token;
    struct json_writer w;
    char *access_key = arena_alloc(a, ACCESS_KEY_LENGTH + 1), *secret_key = arena_alloc(a, SECRET_KEY_LENGTH + 1);

    buf_init(&plain, 64 << 10);
    buf_init(&token, 128 << 10);
    if (s->policies.n > SESSION_POLICIES_MAX || s->session_policy.n > SESSION_POLICY_MAX)
        return err_set(err, ERR_LIMIT, "the policies of the session are too large");
    rand_alnum(access_key, ACCESS_KEY_LENGTH);
    rand_alnum(secret_key, SECRET_KEY_LENGTH);
    s->access_key = arena_lower(a, str_from(access_key, ACCESS_KEY_LENGTH));
    for (char *p = (char *)s->access_key.p; *p; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
    s->secret_key = str_from(secret_key, SECRET_KEY_LENGTH);
    json_writer_init(&w, &plain);
    json_open_object(&w);
    add(&w, "accessKey", s->access_key);
    add(&w, "secretKey", s->secret_key);
    json_key(&w, "expires");
    json_add_i64(&w, s->expires_ms);
    add(&w, "name", s->name);
    add(&w, "subject", s->subject);
    add(&w, "policies", s->policies);
    add(&w, "sessionPolicy", s->session_policy);
    json_key(&w, "claims");
    int rc = write_claims(&w, claims, err);
    json_close_object(&w);
    if (rc == 0)
        rc = buf_check(&plain, "a session", err);
    if (rc == 0)
        rc = jwe_seal(key, STR(KEY_ID), buf_str(&plain), &token, err);
    if (plain.n)
        explicit_bzero(plain.p, plain.n);
    if (rc == 0)
        *ret_token = arena_str(a, buf_str(&token));
    return rc;
}

static struct str text_of(struct arena *a, const json_t *value)
{
    if (json_is_boolean(value))
        return json_is_true(value) ? STR("true") : STR("false");
    if (json_is_integer(value))
        return arena_printf(a, "%lld", (long long)json_integer_value(value));
    if (json_is_real(value))
        return arena_printf(a, "%.17g", json_real_value(value));
    return arena_str(a, json_str(value));
}

static void read_claims(struct arena *a, const json_t *claims, struct session *to)
{
    struct session_claim *list = arena_array(a, struct session_claim, json_object_size(claims));
    const char *name;
    json_t *value;
    size_t n = 0;

    json_object_foreach((json_t *)claims, name, value)
    {
        size_t count = json_is_array(value) ? json_array_size(value) : 1;
        struct str *values = arena_array(a, struct str, count);
        for (size_t i = 0; i < count; i++)
            values[i] = text_of(a, json_is_array(value) ? json_array_get(value, i) : value);
        list[n++] = (struct session_claim){arena_str(a, str_from_cstr(name)), values, count};
    }
    to->claims = list;
    to->claim_count = n;
}

int s3_session_open(struct arena *a, const unsigned char key[SESSION_KEY_SIZE], struct str token, struct session *ret,
                    struct err *err)
{
    JSON_SCOPED json_t *root = NULL;
    struct str plain;
    int rc = jwe_open(a, key, STR(KEY_ID), token, &plain, err);

    if (rc == 0)
        rc = json_parse(plain, &root, err);
    if (rc < 0)
        return err_set(err, ERR_DENIED, "the session token is not one of this store");
    const struct str policy = json_opt_str(root, "sessionPolicy", STR_NULL);
    struct session s = {
        .access_key = arena_str(a, json_opt_str(root, "accessKey", STR(""))),
        .secret_key = arena_str(a, json_opt_str(root, "secretKey", STR(""))),
        .expires_ms = json_opt_i64(root, "expires", 0),
        .name = arena_str(a, json_opt_str(root, "name", STR(""))),
        .subject = arena_str(a, json_opt_str(root, "subject", STR(""))),
        .policies = arena_str(a, json_opt_str(root, "policies", STR(""))),
        .session_policy = str_is_null(policy) ? STR_NULL : arena_str(a, policy),
    };
    read_claims(a, json_object_get(root, "claims"), &s);
    *ret = s;
    return 0;
}
