/* One-time codes (RFC 6238) while an authenticator is set up: the picture to scan, and the first code checked. */
#include "identity/login/internal.h"

#include "base/rand.h"
#include "base/vec.h"

#include <openssl/hmac.h>
#include <qrencode.h>

enum { PATH_MAX_BYTES = 64 << 10 };

struct str totp_new_secret(struct arena *a)
{
    char *text = arena_alloc(a, TOTP_SECRET_SIZE + 1);

    rand_alnum(text, TOTP_SECRET_SIZE);
    return str_from(text, TOTP_SECRET_SIZE);
}

/* RFC 4648 section 6, without padding. */
static struct str base32(struct arena *a, struct str bytes)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    char *text = arena_alloc(a, bytes.n * 8 / 5 + 2);
    uint64_t bits = 0;
    unsigned count = 0;
    size_t n = 0;

    for (size_t i = 0; i < bytes.n; i++) {
        bits = bits << 8 | (unsigned char)bytes.p[i];
        for (count += 8; count >= 5; count -= 5)
            text[n++] = alphabet[bits >> (count - 5) & 31];
    }
    if (count)
        text[n++] = alphabet[bits << (5 - count) & 31];
    return str_from(text, n);
}

static const struct {
    const char *policy, *shown;
} algorithms[] = {{"HmacSHA1", "SHA1"}, {"HmacSHA256", "SHA256"}, {"HmacSHA512", "SHA512"}};

static size_t algorithm_of(const struct realm *r)
{
    struct str name = json_opt_str(r->rep, "otpPolicyAlgorithm", STR("HmacSHA1"));

    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        if (str_eq_cstr(name, algorithms[i].policy))
            return i;
    }
    return 0;
}

static int64_t bounded(int64_t v, int64_t min, int64_t max)
{
    return v < min ? min : v > max ? max : v;
}

static int64_t digits_of(const struct realm *r)
{
    return bounded(json_opt_i64(r->rep, "otpPolicyDigits", 6), 6, 8);
}

static int64_t period_of(const struct realm *r)
{
    return bounded(json_opt_i64(r->rep, "otpPolicyPeriod", 30), 1, 3600);
}

/* "wxyz wxyz …", as people type it. */
static struct str in_groups(struct arena *a, struct str text)
{
    char *out = arena_alloc(a, text.n * 2 + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (i && i % 4 == 0)
            out[n++] = ' ';
        out[n++] = text.p[i];
    }
    return str_from(out, n);
}

static struct str label_of(struct arena *a, struct str text)
{
    BUF_SCOPED struct buf out = {0};

    buf_init(&out, 8 << 10);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c);
        if (plain && c)
            buf_add_char(&out, (char)c);
        else
            buf_addf(&out, "%%%02X", c);
    }
    return arena_str(a, buf_str(&out));
}

/* The dark squares as an SVG path: a rectangle for each run of a row. A quiet zone of four is around them. */
static json_t *qr_picture(const char *text)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    BUF_SCOPED struct buf path = {0};

    if (!code)
        return json_null();
    buf_init(&path, PATH_MAX_BYTES);
    for (int y = 0; y < code->width; y++) {
        const unsigned char *row = code->data + (size_t)y * (size_t)code->width;
        for (int x = 0; x < code->width;) {
            int from = x;
            while (x < code->width && (row[x] & 1))
                x++;
            if (x > from)
                buf_addf(&path, "M%d %dh%dv1h-%dz", from + 4, y + 4, x - from, x - from);
            else
                x++;
        }
    }
    json_t *ret = json_pack("{s:i, s:o}", "size", code->width + 8, "path", visit_json(buf_str(&path)));
    QRcode_free(code);
    return ret;
}

void totp_add_setup(struct visit *v, const struct user *u, struct str secret, json_t *data)
{
    const struct realm *r = v->realm;
    struct str key = base32(v->a, secret), realm = label_of(v->a, r->name), user = label_of(v->a, u->username);
    const char *algorithm = algorithms[algorithm_of(r)].shown;
    struct str url = arena_printf(
        v->a, "otpauth://totp/%.*s:%.*s?secret=%.*s&digits=%lld&algorithm=%s&issuer=%.*s&period=%lld", STR_ARG(realm),
        STR_ARG(user), STR_ARG(key), (long long)digits_of(r), algorithm, STR_ARG(realm), (long long)period_of(r));

    json_object_set_new(data, "qr", qr_picture(url.p));
    json_object_set_new(data, "secretText", visit_json(in_groups(v->a, key)));
    json_object_set_new(data, "otpAlgorithm", json_string(algorithm));
    json_object_set_new(data, "otpDigits", json_integer(digits_of(r)));
    json_object_set_new(data, "otpPeriod", json_integer(period_of(r)));
}

/* RFC 4226, 5.3. */
static void code_at(size_t algorithm, struct str secret, uint64_t counter, int64_t digits, char out[16])
{
    const EVP_MD *const digests[] = {EVP_sha1(), EVP_sha256(), EVP_sha512()};
    static const uint32_t powers[] = {1000000, 10000000, 100000000};
    unsigned char message[8], mac[EVP_MAX_MD_SIZE] = {0};
    unsigned n = 0;

    for (int i = 7; i >= 0; i--, counter >>= 8)
        message[i] = (unsigned char)counter;
    if (!HMAC(digests[algorithm], secret.p, (int)secret.n, message, sizeof(message), mac, &n) || n < 20)
        abort();
    const unsigned char *at = mac + (mac[n - 1] & 15);
    uint32_t value = (uint32_t)(at[0] & 127) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    (void)snprintf(out, 16, "%0*u", (int)digits, value % powers[digits - 6]);
}

bool totp_matches(const struct realm *r, struct str secret, struct str code, int64_t now_s)
{
    int64_t window = bounded(json_opt_i64(r->rep, "otpPolicyLookAheadWindow", 1), 0, 10), step = now_s / period_of(r);
    bool matches = false;
    char expected[16];

    for (int64_t i = -window; i <= window; i++) {
        code_at(algorithm_of(r), secret, (uint64_t)(step + i), digits_of(r), expected);
        matches |= str_eq_secret(code, str_from_cstr(expected));
    }
    return matches;
}
