#include "base/str.h"
#include <errno.h>
#include <locale.h>
#include <math.h>

static inline char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    return a.n == b.n && str_starts_with_nocase(a, b);
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;

    if (c)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

bool str_starts_with(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_starts_with_nocase(struct str s, struct str prefix)
{
    if (s.n < prefix.n)
        return false;
    for (size_t i = 0; i < prefix.n; i++)
        if (lower(s.p[i]) != lower(prefix.p[i]))
            return false;
    return true;
}

bool str_ends_with(struct str s, struct str suffix)
{
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

size_t str_find(struct str s, struct str needle, size_t from)
{
    if (from > s.n)
        return SIZE_MAX;
    if (needle.n == 0)
        return from;
    if (needle.n > s.n - from)
        return SIZE_MAX;
    const char *hit = memmem(s.p + from, s.n - from, needle.p, needle.n);
    return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

size_t str_find_char(struct str s, char c, size_t from)
{
    if (from >= s.n)
        return SIZE_MAX;
    const char *hit = memchr(s.p + from, c, s.n - from);
    return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

size_t str_rfind_char(struct str s, char c)
{
    for (size_t i = s.n; i > 0; i--)
        if (s.p[i - 1] == c)
            return i - 1;
    return SIZE_MAX;
}

struct str str_slice(struct str s, size_t from, size_t n)
{
    if (from > s.n)
        from = s.n;
    if (n > s.n - from)
        n = s.n - from;
    return (struct str){s.p ? s.p + from : NULL, n};
}

struct str str_skip(struct str s, size_t from)
{
    return str_slice(s, from, SIZE_MAX);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.n && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_split(struct str *rest, char sep, struct str *ret_part)
{
    if (!rest->p)
        return false;
    size_t at = str_find_char(*rest, sep, 0);
    if (at == SIZE_MAX) {
        *ret_part = *rest;
        *rest = STR_NULL;
    } else {
        *ret_part = str_slice(*rest, 0, at);
        *rest = str_skip(*rest, at + 1);
    }
    return true;
}

int str_to_u64(struct str s, uint64_t *ret, struct err *err)
{
    uint64_t v = 0;

    if (s.n == 0)
        return err_set(err, ERR_INVALID, "expected a number, found nothing");
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return err_set(err, ERR_INVALID, "expected a whole number, found '%.*s'", STR_ARG(str_slice(s, 0, 64)));
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return err_set(err, ERR_INVALID, "the number %.*s is too large", STR_ARG(str_slice(s, 0, 64)));
    }
    *ret = v;
    return 0;
}

int str_to_i64(struct str s, int64_t *ret, struct err *err)
{
    bool negative = s.n && s.p[0] == '-';
    struct str digits = s.n && (negative || s.p[0] == '+') ? str_skip(s, 1) : s;
    uint64_t v;
    int r = str_to_u64(digits, &v, err);

    if (r < 0)
        return r;
    if (v > (uint64_t)INT64_MAX + negative)
        return err_set(err, ERR_INVALID, "the number %.*s is out of range", STR_ARG(str_slice(s, 0, 64)));
    *ret = negative ? (int64_t)(0 - v) : (int64_t)v;
    return 0;
}

int str_to_f64(struct str s, double *ret, struct err *err)
{
    char text[128];
    char *end;

    if (s.n == 0 || s.n >= sizeof(text) || is_space(s.p[0]) || memchr(s.p, '\0', s.n))
        return err_set(err, ERR_INVALID, "expected a number, found '%.*s'", STR_ARG(str_slice(s, 0, 64)));
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    /* the program never leaves the "C" locale, so the decimal point is a point */
    double v = strtod(text, &end);
    if (*end)
        return err_set(err, ERR_INVALID, "expected a number, found '%s'", text);
    *ret = v;
    return 0;
}

/* Length of the well-formed sequence at p, 0 when malformed; *ret_rune is set when well-formed. */
static size_t utf8_sequence(const unsigned char *p, size_t n, uint32_t *ret_rune)
{
    if (p[0] < 0x80) {
        *ret_rune = p[0];
        return 1;
    }
    size_t len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || len > n)
        return 0;
    uint32_t rune = p[0] & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        rune = rune << 6 | (p[i] & 0x3F);
    }
    if ((len == 3 && (rune < 0x800 || (rune >= 0xD800 && rune < 0xE000))) ||
        (len == 4 && (rune < 0x10000 || rune > 0x10FFFF)))
        return 0;
    *ret_rune = rune;
    return len;
}

bool str_is_utf8(struct str s)
{
    for (size_t i = 0; i < s.n;) {
        uint32_t rune;
        size_t len = utf8_sequence((const unsigned char *)s.p + i, s.n - i, &rune);

        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

uint32_t str_next_rune(struct str s, size_t *at)
{
    uint32_t rune;
    size_t len = utf8_sequence((const unsigned char *)s.p + *at, s.n - *at, &rune);

    if (len == 0) {
        *at += 1;
        return 0xFFFD;
    }
    *at += len;
    return rune;
}

bool str_eq_secret(struct str a, struct str b)
{
    volatile unsigned char diff = a.n != b.n;

    for (size_t i = 0; i < a.n; i++)
        diff |= (unsigned char)(a.p[i] ^ (b.n ? b.p[i % b.n] : 0x5a));
    return diff == 0;
}
