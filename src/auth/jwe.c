/*
 * Compact encryption by a shared key (RFC 7516 with "dir" and A256GCM): for what we give a browser to keep and read back
 * ourselves. Not for others' tokens.
 */
#include "auth/jose_internal.h"
#include "base/enc.h"
#include "base/rand.h"
#include <openssl/crypto.h>

enum { NONCE = 12, TAG = 16, HEADER_MAX = 1024 };

static void write_header(struct str kid, struct buf *to)
{
    BUF_SCOPED struct buf h = {0};
    struct json_writer w;

    buf_init(&h, HEADER_MAX);
    json_writer_init(&w, &h);
    json_open_object(&w);
    json_key(&w, "alg");
    json_add_cstr(&w, "dir");
    json_key(&w, "enc");
    json_add_cstr(&w, "A256GCM");
    if (kid.p) {
        json_key(&w, "kid");
        json_add_str(&w, kid);
    }
    json_close_object(&w);
    enc_base64url(to, h.p, h.n);
}

int jwe_seal(const unsigned char key[32], struct str kid, struct str plain, struct buf *to, struct err *err)
{
    unsigned char nonce[NONCE], tag[TAG];
    BUF_SCOPED struct buf text = {0};
    EVP_CIPHER_CTX *ctx;
    size_t start = to->n, header;
    int n = 0, last = 0;
    bool ok;

    if (plain.n > JOSE_TOKEN_MAX / 2)
        return err_set(err, ERR_LIMIT, "a text of %zu bytes to encrypt; at most %d", plain.n, JOSE_TOKEN_MAX / 2);
    write_header(kid, to);
    header = to->n - start;
    buf_init(&text, JOSE_TOKEN_MAX);
    if (buf_check(to, "the encrypted token", err) < 0 || !buf_reserve(&text, plain.n + TAG))
        return err_set(err, ERR_LIMIT, "no room for the encrypted token");
    rand_bytes(nonce, sizeof(nonce));
    ctx = EVP_CIPHER_CTX_new();
    if (!ctx)
        abort();
    ok = EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
         EVP_EncryptUpdate(ctx, NULL, &n, (unsigned char *)to->p + start, (int)header) == 1 &&
         EVP_EncryptUpdate(ctx, (unsigned char *)text.p, &n, (const unsigned char *)plain.p, (int)plain.n) == 1 &&
         EVP_EncryptFinal_ex(ctx, (unsigned char *)text.p + n, &last) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, tag) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!ok)
        return jose_openssl_error(err, ERR_INTERNAL, "encrypting a token");
    buf_add_cstr(to, "..");
    enc_base64url(to, nonce, sizeof(nonce));
    buf_add_char(to, '.');
    enc_base64url(to, text.p, plain.n);
    buf_add_char(to, '.');
    enc_base64url(to, tag, sizeof(tag));
    return buf_check(to, "the encrypted token", err);
}

/* The header has to be the one that we write: anything else isn't ours. */
static bool is_our_header(struct str part, struct str kid)
{
    JSON_SCOPED json_t *h = NULL;
    BUF_SCOPED struct buf b = {0};

    buf_init(&b, HEADER_MAX);
    if (enc_unbase64url(&b, part, NULL) < 0 || b.failed || json_parse(buf_str(&b), &h, NULL) < 0)
        return false;
    return str_eq(json_str(json_object_get(h, "alg")), STR("dir")) &&
           str_eq(json_str(json_object_get(h, "enc")), STR("A256GCM")) && !json_object_get(h, "crit") &&
           !json_object_get(h, "zip") && (!kid.p || str_eq(json_str(json_object_get(h, "kid")), kid));
}

int jwe_open(struct arena *a, const unsigned char key[32], struct str kid, struct str token, struct str *ret,
             struct err *err)
{
    struct str rest = token, part[5] = {{NULL, 0}};
    BUF_SCOPED struct buf nonce = {0}, text = {0}, tag = {0};
    EVP_CIPHER_CTX *ctx;
    size_t parts = 0;
    int n = 0, last = 0;
    char *plain;
    bool ok;

    buf_init(&nonce, 256);
    buf_init(&text, JOSE_TOKEN_MAX);
    buf_init(&tag, 256);
    if (token.n == 0 || token.n > JOSE_TOKEN_MAX)
        return err_set(err, ERR_DENIED, "an encrypted token of %zu bytes", token.n);
    while (parts < 5 && str_split(&rest, '.', &part[parts]))
        parts++;
    if (parts != 5 || !str_is_null(rest) || part[1].n != 0 || !is_our_header(part[0], kid) ||
        enc_unbase64url(&nonce, part[2], NULL) < 0 || enc_unbase64url(&text, part[3], NULL) < 0 ||
        enc_unbase64url(&tag, part[4], NULL) < 0 || nonce.failed || text.failed || tag.failed || nonce.n != NONCE ||
        tag.n != TAG)
        return err_set(err, ERR_DENIED, "it isn't a token of our encryption");
    plain = arena_alloc(a, text.n + 1);
    ctx = EVP_CIPHER_CTX_new();
    if (!ctx)
        abort();
    ok = EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, (const unsigned char *)nonce.p) == 1 &&
         EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)part[0].p, (int)part[0].n) == 1 &&
         EVP_DecryptUpdate(ctx, (unsigned char *)plain, &n, (const unsigned char *)text.p, (int)text.n) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, tag.p) == 1 &&
         EVP_DecryptFinal_ex(ctx, (unsigned char *)plain + n, &last) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!ok)
        return jose_openssl_error(err, ERR_DENIED, "the encrypted token was changed or made with another key");
    *ret = str_from(plain, text.n);
    return 0;
}
