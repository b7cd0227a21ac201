/*
 * Shims over bytes: digests, checksums, numbers as bytes, and the few text functions that look at bytes or digits.
 */
#include "base/buf.h"
#include "base/hash.h"
#include "base/vec.h"
#include "engine/shim.h"

static const char bad_argument[] = "INVALID_FUNCTION_ARGUMENT";

enum { MAX_BYTES = 1 << 30 };

/* ---- digests ---- */

static void sha512(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    unsigned char digest[HASH_MAX_SIZE];
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        hash_bytes(HASH_SHA512, shim_str(&c, 0, row), digest);
        shim_put_str(&c, row, str_from((const char *)digest, hash_size(HASH_SHA512)));
    }
}

static void crc32(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    unsigned char digest[HASH_MAX_SIZE];
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        hash_bytes(HASH_CRC32, shim_str(&c, 0, row), digest);
        SHIM_OUT(&c, int64_t, row) = (int64_t)((uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
                                               (uint32_t)digest[2] << 8 | digest[3]);
    }
}

/* RFC 2104 over any of the digests. */
static void hmac(enum hash_kind kind, struct str key, struct str data, unsigned char out[HASH_MAX_SIZE])
{
    size_t block = kind == HASH_SHA512 ? 128 : 64;
    unsigned char pad[128] = {0}, inner[HASH_MAX_SIZE];
    struct hash h;

    if (key.n > block)
        hash_bytes(kind, key, pad);
    else if (key.n > 0)
        memcpy(pad, key.p, key.n);
    for (size_t i = 0; i < block; i++)
        pad[i] ^= 0x36;
    hash_init(&h, kind);
    hash_update(&h, pad, block);
    hash_update(&h, data.p, data.n);
    hash_final(&h, inner);
    for (size_t i = 0; i < block; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    hash_init(&h, kind);
    hash_update(&h, pad, block);
    hash_update(&h, inner, hash_size(kind));
    hash_final(&h, out);
}

static void hmac_rows(enum hash_kind kind, duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    unsigned char digest[HASH_MAX_SIZE];
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        hmac(kind, shim_str(&c, 1, row), shim_str(&c, 0, row), digest);
        shim_put_str(&c, row, str_from((const char *)digest, hash_size(kind)));
    }
}

static void hmac_md5(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    hmac_rows(HASH_MD5, info, in, out);
}

static void hmac_sha1(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    hmac_rows(HASH_SHA1, info, in, out);
}

static void hmac_sha256(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    hmac_rows(HASH_SHA256, info, in, out);
}

static void hmac_sha512(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    hmac_rows(HASH_SHA512, info, in, out);
}

/* XXH64 with seed 0, by the algorithm's published description. */
static const uint64_t xx1 = 0x9e3779b185ebca87, xx2 = 0xc2b2ae3d27d4eb4f, xx3 = 0x165667b19e3779f9,
                      xx4 = 0x85ebca77c2b2ae63, xx5 = 0x27d4eb2f165667c5;

static uint64_t rotate(uint64_t v, int bits)
{
    return v << bits | v >> (64 - bits);
}

static uint64_t read64(const char *p)
{
    uint64_t v = 0;

    for (int i = 7; i >= 0; i--)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

static uint64_t xx_round(uint64_t sum, uint64_t input)
{
    return rotate(sum + input * xx2, 31) * xx1;
}

static uint64_t xxh64(struct str s)
{
    const char *p = s.p;
    size_t left = s.n;
    uint64_t h = xx5;

    if (left >= 32) {
        uint64_t sums[4] = {xx1 + xx2, xx2, 0, 0 - xx1};

        for (; left >= 32; left -= 32)
            for (int i = 0; i < 4; i++, p += 8)
                sums[i] = xx_round(sums[i], read64(p));
        h = rotate(sums[0], 1) + rotate(sums[1], 7) + rotate(sums[2], 12) + rotate(sums[3], 18);
        for (int i = 0; i < 4; i++)
            h = (h ^ xx_round(0, sums[i])) * xx1 + xx4;
    }
    h += s.n;
    for (; left >= 8; left -= 8, p += 8)
        h = rotate(h ^ xx_round(0, read64(p)), 27) * xx1 + xx4;
    if (left >= 4) {
        uint64_t v = (unsigned char)p[0] | (uint64_t)(unsigned char)p[1] << 8 | (uint64_t)(unsigned char)p[2] << 16 |
                     (uint64_t)(unsigned char)p[3] << 24;

        h = rotate(h ^ (v * xx1), 23) * xx2 + xx3;
        left -= 4;
        p += 4;
    }
    for (; left > 0; left--, p++)
        h = rotate(h ^ ((unsigned char)*p * xx5), 11) * xx1;
    h = (h ^ h >> 33) * xx2;
    h = (h ^ h >> 29) * xx3;
    return h ^ h >> 32;
}

static void put_big_endian(struct shim_call *c, size_t row, uint64_t v, size_t n)
{
    char bytes[8];

    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(v >> (8 * (n - 1 - i)));
    shim_put_str(c, row, str_from(bytes, n));
}

static void xxhash64(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row))
        put_big_endian(&c, row, xxh64(shim_str(&c, 0, row)), 8);
}

/* ---- numbers as bytes ---- */

static void to_big_endian_32(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row))
        put_big_endian(&c, row, (uint32_t)SHIM_ARG(&c, int32_t, 0, row), 4);
}

static void to_big_endian_64(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row))
        put_big_endian(&c, row, (uint64_t)SHIM_ARG(&c, int64_t, 0, row), 8);
}

/* ---- parts ---- */

/* Trino's substr over bytes: 1-based, from the end when negative, empty when out of it. */
static void substr_bytes(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);
        int64_t start = SHIM_ARG(&c, int64_t, 1, row),
                length = c.arg_count > 2 ? SHIM_ARG(&c, int64_t, 2, row) : INT64_MAX;
        int64_t n = (int64_t)s.n, from = start > 0 ? start - 1 : n + start;

        if (start == 0 || length <= 0 || from < 0 || from >= n)
            shim_put_str(&c, row, STR(""));
        else
            shim_put_str(&c, row, str_slice(s, (size_t)from, length > n ? s.n : (size_t)length));
    }
}

static bool make_reversed(struct shim_call *c, size_t row, struct buf *to)
{
    struct str s = shim_str(c, 0, row);

    for (size_t i = s.n; i > 0; i--)
        buf_add_char(to, s.p[i - 1]);
    return true;
}

static void reverse_bytes(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    shim_make_texts(info, in, out, MAX_BYTES, make_reversed);
}

/* What is malformed becomes the replacement, which is one character or none. */
static bool make_utf8(struct shim_call *c, size_t row, struct buf *to)
{
    struct str s = shim_str(c, 0, row), with = shim_str(c, 1, row);
    size_t end = 0;

    if (with.n > 0)
        (void)str_next_rune(with, &end);
    if (end != with.n) {
        shim_fail(c, bad_argument, "Replacement character string must empty or a single character");
        return false;
    }
    for (size_t at = 0; at < s.n;) {
        size_t start = at;

        if (str_next_rune(s, &at) == 0xfffd && at - start == 1)
            buf_add_str(to, with);
        else
            buf_append(to, s.p + start, at - start);
    }
    return true;
}

static void from_utf8_replacing(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    shim_make_texts(info, in, out, MAX_BYTES, make_utf8);
}

/* ---- codes of names and numbers ---- */

static void luhn_check(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);
        int sum = 0;

        for (size_t i = 0; i < s.n; i++) {
            int digit = s.p[s.n - 1 - i] - '0';

            if (digit < 0 || digit > 9) {
                shim_fail(&c, bad_argument, "Input contains non-digit character");
                return;
            }
            if (i % 2 == 1)
                digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
            sum += digit;
        }
        SHIM_OUT(&c, bool, row) = s.n > 0 && sum % 10 == 0;
    }
}

static void soundex(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    static const char codes[] = "01230120022455012623010202"; /* of A to Z; H and W don't part equal codes */
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);
        char code[4] = {0, '0', '0', '0'}, last = '0';
        size_t n = 0;

        for (size_t i = 0; i < s.n && n < 4; i++) {
            char letter = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 'a' + 'A') : s.p[i];

            if ((unsigned char)letter >= 0x80) {
                shim_fail(&c, bad_argument, "The character is not mapped: %.*s", STR_ARG(s));
                return;
            }
            if (letter < 'A' || letter > 'Z')
                continue;
            char digit = codes[letter - 'A'];
            if (n == 0)
                code[n++] = letter;
            else if (letter == 'H' || letter == 'W')
                continue;
            else if (digit != '0' && digit != last)
                code[n++] = digit;
            last = digit;
        }
        shim_put_str(&c, row, str_from(code, n == 0 ? 0 : 4));
    }
}

const struct shim shims_bytes[] = {
    SHIM("dp_sha512", "x", 'x', sha512),
    SHIM("dp_crc32", "x", 'l', crc32),
    SHIM("dp_hmac_md5", "xx", 'x', hmac_md5),
    SHIM("dp_hmac_sha1", "xx", 'x', hmac_sha1),
    SHIM("dp_hmac_sha256", "xx", 'x', hmac_sha256),
    SHIM("dp_hmac_sha512", "xx", 'x', hmac_sha512),
    SHIM("dp_xxhash64", "x", 'x', xxhash64),
    SHIM("dp_to_big_endian_32", "i", 'x', to_big_endian_32),
    SHIM("dp_to_big_endian_64", "l", 'x', to_big_endian_64),
    SHIM("dp_substr_bytes", "xl", 'x', substr_bytes),
    SHIM("dp_substr_bytes", "xll", 'x', substr_bytes),
    SHIM("dp_reverse_bytes", "x", 'x', reverse_bytes),
    SHIM("dp_from_utf8_replacing", "xv", 'v', from_utf8_replacing),
    SHIM("dp_luhn_check", "v", 'o', luhn_check),
    SHIM("dp_soundex", "v", 'v', soundex),
};
const size_t shims_bytes_count = ARRAY_LEN(shims_bytes);
