/* Single values: bytes both ways (specification: Appendix D), order, and truncated bounds. */
#include "iceberg/iceberg.h"

#include "iceberg/schema.h"
#include "iceberg/transform.h"

enum { BOUND_LENGTH = 16 /* of "truncate(16)", the default of write.metadata.metrics.default */ };

static void put_little_endian(struct buf *to, uint64_t v, int n)
{
    for (int i = 0; i < n; i++)
        buf_add_char(to, (char)(v >> (8 * i)));
}

static uint64_t get_little_endian(struct str bytes)
{
    uint64_t v = 0;

    for (size_t i = bytes.n; i-- > 0;)
        v = v << 8 | (unsigned char)bytes.p[i];
    return v;
}

/* The shortest big-endian two's complement, as BigInteger.toByteArray gives it. */
size_t iceberg_decimal_bytes(__int128 v, unsigned char out[16])
{
    size_t n = 16;

    for (size_t i = 0; i < 16; i++)
        out[i] = (unsigned char)((unsigned __int128)v >> (8 * (15 - i)));
    size_t skip = 0;
    while (skip < 15 && ((out[skip] == 0 && !(out[skip + 1] & 0x80)) || (out[skip] == 0xff && (out[skip + 1] & 0x80))))
        skip++;
    memmove(out, out + skip, n - skip);
    return n - skip;
}

void iceberg_value_encode(struct buf *to, const struct iceberg_type *t, const struct iceberg_value *v)
{
    unsigned char bytes[16];

    switch (t->kind) {
    case ICEBERG_BOOLEAN:
        buf_add_char(to, v->i ? 1 : 0);
        break;
    case ICEBERG_INT:
    case ICEBERG_DATE:
        put_little_endian(to, (uint64_t)v->i, 4);
        break;
    case ICEBERG_LONG:
    case ICEBERG_TIME:
    case ICEBERG_TIMESTAMP:
    case ICEBERG_TIMESTAMPTZ:
        put_little_endian(to, (uint64_t)v->i, 8);
        break;
    case ICEBERG_FLOAT: {
        float f = (float)v->f;
        uint32_t bits;
        memcpy(&bits, &f, sizeof(bits));
        put_little_endian(to, bits, 4);
        break;
    }
    case ICEBERG_DOUBLE: {
        uint64_t bits;
        memcpy(&bits, &v->f, sizeof(bits));
        put_little_endian(to, bits, 8);
        break;
    }
    case ICEBERG_DECIMAL:
        buf_append(to, bytes, iceberg_decimal_bytes(v->unscaled, bytes));
        break;
    case ICEBERG_STRING:
    case ICEBERG_UUID:
    case ICEBERG_FIXED:
    case ICEBERG_BINARY:
        buf_add_str(to, v->bytes);
        break;
    case ICEBERG_STRUCT:
    case ICEBERG_LIST:
    case ICEBERG_MAP:
        break; /* have no single-value form */
    }
}

static int wrong_length(const struct iceberg_type *t, struct str bytes, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;

    return err_set(err, ERR_CORRUPT, "Iceberg: a value of type %.*s in %zu bytes", STR_ARG(iceberg_type_name(&a, t)),
                   bytes.n);
}

/* A value written before its column was promoted (int to long, float to double) has the narrower form: both are read. */
int iceberg_value_decode(const struct iceberg_type *t, struct str bytes, struct iceberg_value *ret, struct err *err)
{
    struct iceberg_value v = {0};

    switch (t->kind) {
    case ICEBERG_BOOLEAN:
        if (bytes.n != 1)
            return wrong_length(t, bytes, err);
        v.i = bytes.p[0] != 0;
        break;
    case ICEBERG_INT:
    case ICEBERG_DATE:
        if (bytes.n != 4)
            return wrong_length(t, bytes, err);
        v.i = (int32_t)get_little_endian(bytes);
        break;
    case ICEBERG_LONG:
    case ICEBERG_TIME:
    case ICEBERG_TIMESTAMP:
    case ICEBERG_TIMESTAMPTZ:
        if (bytes.n != 8 && !(bytes.n == 4 && t->kind == ICEBERG_LONG))
            return wrong_length(t, bytes, err);
        v.i = bytes.n == 4 ? (int32_t)get_little_endian(bytes) : (int64_t)get_little_endian(bytes);
        break;
    case ICEBERG_FLOAT:
    case ICEBERG_DOUBLE: {
        uint64_t bits = get_little_endian(bytes);
        if (bytes.n != 8 && bytes.n != 4)
            return wrong_length(t, bytes, err);
        if (bytes.n == 4) {
            uint32_t small = (uint32_t)bits;
            float f;
            memcpy(&f, &small, sizeof(f));
            v.f = (double)f;
        } else {
            memcpy(&v.f, &bits, sizeof(v.f));
        }
        break;
    }
    case ICEBERG_DECIMAL:
        if (bytes.n < 1 || bytes.n > 16)
            return wrong_length(t, bytes, err);
        v.unscaled = bytes.p[0] & 0x80 ? -1 : 0;
        for (size_t i = 0; i < bytes.n; i++)
            v.unscaled = (__int128)((unsigned __int128)v.unscaled << 8 | (unsigned char)bytes.p[i]);
        break;
    case ICEBERG_UUID:
        if (bytes.n != 16)
            return wrong_length(t, bytes, err);
        v.bytes = bytes;
        break;
    case ICEBERG_STRING:
    case ICEBERG_FIXED:
    case ICEBERG_BINARY:
        v.bytes = bytes.p ? bytes : STR("");
        break;
    case ICEBERG_STRUCT:
    case ICEBERG_LIST:
    case ICEBERG_MAP:
        return wrong_length(t, bytes, err);
    }
    *ret = v;
    return 0;
}

static int compare_i64(int64_t x, int64_t y)
{
    return (x > y) - (x < y);
}

/* Nulls first; NaN above all numbers and equal to itself; the two zeros equal; text by its UTF-8 bytes. */
int iceberg_value_compare(const struct iceberg_type *t, const struct iceberg_value *x, const struct iceberg_value *y)
{
    if (x->is_null || y->is_null)
        return (int)y->is_null - (int)x->is_null;
    switch (t->kind) {
    case ICEBERG_FLOAT:
    case ICEBERG_DOUBLE:
        if (x->f != x->f || y->f != y->f)
            return (x->f != x->f) - (y->f != y->f);
        return (x->f > y->f) - (x->f < y->f);
    case ICEBERG_DECIMAL:
        return (x->unscaled > y->unscaled) - (x->unscaled < y->unscaled);
    case ICEBERG_STRING:
    case ICEBERG_UUID:
    case ICEBERG_FIXED:
    case ICEBERG_BINARY:
        return str_cmp(x->bytes, y->bytes);
    default:
        return compare_i64(x->i, y->i);
    }
}

static size_t rune_length(uint32_t rune)
{
    return rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
}

static void put_rune(char *p, uint32_t rune, size_t n)
{
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = n - 1; i > 0; i--, rune >>= 6)
        p[i] = (char)(0x80 | (rune & 0x3f));
    p[0] = (char)(n == 1 ? rune : first[n] | rune);
}

/* The least text above all that begin with `s`: its last code point that can grow, grown, and no more after it. */
static bool round_up_text(struct arena *a, struct str s, struct str *ret)
{
    while (s.n) {
        size_t start = s.n - 1;
        while (start > 0 && ((unsigned char)s.p[start] & 0xc0) == 0x80)
            start--;
        size_t at = start;
        uint32_t rune = str_next_rune(s, &at) + 1;
        if (rune == 0xd800)
            rune = 0xe000; /* over the surrogates, which are no characters */
        if (rune <= 0x10ffff) {
            char *p = arena_alloc(a, start + 4);
            memcpy(p, s.p, start);
            put_rune(p + start, rune, rune_length(rune));
            *ret = str_from(p, start + rune_length(rune));
            return true;
        }
        s.n = start;
    }
    return false;
}

static bool round_up_bytes(struct arena *a, struct str s, struct str *ret)
{
    while (s.n && (unsigned char)s.p[s.n - 1] == 0xff)
        s.n--;
    if (s.n == 0)
        return false;
    char *p = arena_alloc(a, s.n);
    memcpy(p, s.p, s.n);
    p[s.n - 1]++;
    *ret = str_from(p, s.n);
    return true;
}

bool iceberg_truncate_bound(struct arena *a, const struct iceberg_type *t, bool upper, struct iceberg_value *v)
{
    size_t end = 0;

    if (t->kind == ICEBERG_STRING) {
        for (int i = 0; i < BOUND_LENGTH && end < v->bytes.n; i++)
            (void)str_next_rune(v->bytes, &end);
    } else if (t->kind == ICEBERG_BINARY || t->kind == ICEBERG_FIXED) {
        end = v->bytes.n < BOUND_LENGTH ? v->bytes.n : BOUND_LENGTH;
    } else {
        return true;
    }
    if (end == v->bytes.n)
        return true;
    struct str cut = str_slice(v->bytes, 0, end);
    if (!upper) {
        v->bytes = cut;
        return true;
    }
    return t->kind == ICEBERG_STRING ? round_up_text(a, cut, &v->bytes) : round_up_bytes(a, cut, &v->bytes);
}
