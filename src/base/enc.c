#include "base/enc.h"

int enc_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

void enc_hex(struct buf *to, const void *data, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *p = data;
    char *at = buf_reserve(to, 2 * n);

    if (!at)
        return;
    for (size_t i = 0; i < n; i++) {
        at[2 * i] = hex[p[i] >> 4];
        at[2 * i + 1] = hex[p[i] & 15];
    }
    to->n += 2 * n;
}

int enc_unhex(struct str text, void *ret, size_t n, struct err *err)
{
    unsigned char *out = ret;

    if (text.n != 2 * n)
        return err_set(err, ERR_INVALID, "expected %zu hexadecimal characters, found %zu", 2 * n, text.n);
    for (size_t i = 0; i < text.n; i++)
        if (enc_hex_value(text.p[i]) < 0)
            return err_set(err, ERR_INVALID, "expected hexadecimal characters, found '%c'", text.p[i]);
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)(enc_hex_value(text.p[2 * i]) << 4 | enc_hex_value(text.p[2 * i + 1]));
    return 0;
}

static void encode64(struct buf *to, const unsigned char *p, size_t n, const char *alphabet, bool pad)
{
    char *at = buf_reserve(to, (n + 2) / 3 * 4);
    char *start = at;

    if (!at)
        return;
    for (size_t i = 0; i < n; i += 3) {
        size_t have = n - i < 3 ? n - i : 3;
        uint32_t v = (uint32_t)p[i] << 16 | (have > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (have > 2 ? p[i + 2] : 0);
        *at++ = alphabet[v >> 18];
        *at++ = alphabet[v >> 12 & 63];
        if (have > 1)
            *at++ = alphabet[v >> 6 & 63];
        else if (pad)
            *at++ = '=';
        if (have > 2)
            *at++ = alphabet[v & 63];
        else if (pad)
            *at++ = '=';
    }
    to->n += (size_t)(at - start);
}

#define ALPHABET64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

void enc_base64(struct buf *to, const void *p, size_t n)
{
    encode64(to, p, n, ALPHABET64 "+/", true);
}

void enc_base64url(struct buf *to, const void *p, size_t n)
{
    encode64(to, p, n, ALPHABET64 "-_", false);
}

static int value64(char c, char c62, char c63)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == c62 ? 62 : c == c63 ? 63 : -1;
}

static int decode64(struct buf *to, struct str text, char c62, char c63, struct err *err)
{
    uint32_t bits = 0;
    int have = 0;

    if (text.n % 4 == 1)
        return err_set(err, ERR_INVALID, "base64 text of a length that no bytes encode to");
    if (!buf_reserve(to, text.n / 4 * 3 + 3))
        return buf_check(to, "the decoded text", err);
    for (size_t i = 0; i < text.n; i++) {
        int v = value64(text.p[i], c62, c63);
        if (v < 0)
            return err_set(err, ERR_INVALID, "base64 text with a character that is not in its alphabet");
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            buf_add_char(to, (char)(bits >> have & 0xff));
        }
    }
    if (bits & ((1u << have) - 1))
        return err_set(err, ERR_INVALID, "base64 text with rest bits that are not zero");
    return buf_check(to, "the decoded text", err);
}

int enc_unbase64(struct buf *to, struct str text, struct err *err)
{
    if (text.n % 4)
        return err_set(err, ERR_INVALID, "base64 text of a length that is not a multiple of 4");
    for (int i = 0; i < 2 && text.n && text.p[text.n - 1] == '='; i++)
        text.n--;
    return decode64(to, text, '+', '/', err);
}

int enc_unbase64url(struct buf *to, struct str text, struct err *err)
{
    return decode64(to, text, '-', '_', err);
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

void enc_percent(struct buf *to, struct str s, bool keep_slash)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_unreserved((char)c) || (c == '/' && keep_slash)) {
            buf_add_char(to, (char)c);
        } else {
            char escaped[3] = {'%', hex[c >> 4], hex[c & 15]};
            buf_append(to, escaped, sizeof(escaped));
        }
    }
}

int enc_unpercent(struct buf *to, struct str s, bool plus_is_space, struct err *err)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%') {
            int high = i + 2 < s.n ? enc_hex_value(s.p[i + 1]) : -1;
            int low = i + 2 < s.n ? enc_hex_value(s.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return err_set(err, ERR_INVALID, "malformed percent-encoding at byte %zu", i);
            buf_add_char(to, (char)(high << 4 | low));
            i += 2;
        } else {
            buf_add_char(to, s.p[i] == '+' && plus_is_space ? ' ' : s.p[i]);
        }
    }
    return buf_check(to, "the decoded text", err);
}
