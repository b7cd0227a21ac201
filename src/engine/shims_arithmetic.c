/*
 * Arithmetic where DuckDB gives NULL, infinity or a double and Trino raises an error or stays exact: integer division and
 * remainder, decimal division, remainder and rounding. Decimals come with their unscaled values.
 */
#include "base/rand.h"
#include "base/vec.h"
#include "engine/shim.h"
#include <math.h>

static void fail_zero(struct shim_call *c)
{
    shim_fail(c, "DIVISION_BY_ZERO", "Division by zero");
}

/* Trino's integer division truncates, as C's. The minimum by -1 doesn't fit: tinyint … integer check the range when
 * the value is read from its long, bigint says so at once. */
#define INTEGER_DIVISION(suffix, type, min, overflow_name, overflow_fmt, overflow_value)             \
    static void divide_##suffix(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)  \
    {                                                                                                \
        struct shim_call c;                                                                          \
                                                                                                     \
        shim_begin(&c, info, in, out);                                                               \
        for (SHIM_ROWS(&c, row)) {                                                                   \
            type a = SHIM_ARG(&c, type, 0, row), b = SHIM_ARG(&c, type, 1, row);                     \
                                                                                                     \
            if (b == 0)                                                                              \
                fail_zero(&c);                                                                       \
            else if (b == -1 && a == (min))                                                          \
                shim_fail(&c, overflow_name, overflow_fmt, overflow_value);                          \
            else                                                                                     \
                SHIM_OUT(&c, type, row) = (type)(a / b);                                             \
        }                                                                                            \
    }                                                                                                \
    static void modulus_##suffix(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out) \
    {                                                                                                \
        struct shim_call c;                                                                          \
                                                                                                     \
        shim_begin(&c, info, in, out);                                                               \
        for (SHIM_ROWS(&c, row)) {                                                                   \
            type a = SHIM_ARG(&c, type, 0, row), b = SHIM_ARG(&c, type, 1, row);                     \
                                                                                                     \
            if (b == 0)                                                                              \
                fail_zero(&c);                                                                       \
            else                                                                                     \
                SHIM_OUT(&c, type, row) = b == -1 ? 0 : (type)(a % b);                               \
        }                                                                                            \
    }

INTEGER_DIVISION(b, int8_t, INT8_MIN, "GENERIC_INTERNAL_ERROR", "Out of range: %s", "128")
INTEGER_DIVISION(s, int16_t, INT16_MIN, "GENERIC_INTERNAL_ERROR", "Out of range: %s", "32768")
INTEGER_DIVISION(i, int32_t, INT32_MIN, "GENERIC_INTERNAL_ERROR", "Value %s exceeds MAX_INT for type integer",
                 "2147483648")
INTEGER_DIVISION(l, int64_t, INT64_MIN, "NUMERIC_VALUE_OUT_OF_RANGE", "bigint division overflow: %s",
                 "-9223372036854775808 / -1")

/* ---- decimals ---- */

#define MAX_DECIMAL ((((__int128)INT64_C(1000000000000000000)) * INT64_C(1000000000000000000) * 100) - 1)

static unsigned __int128 power_of_ten(int n)
{
    unsigned __int128 v = 1;

    while (n-- > 0)
        v *= 10;
    return v;
}

/* |a| * 10^n as 256 bits, high and low. n ≤ 38. */
static void multiply_wide(unsigned __int128 a, unsigned __int128 b, unsigned __int128 *ret_high,
                          unsigned __int128 *ret_low)
{
    const unsigned __int128 mask = UINT64_MAX;
    unsigned __int128 a0 = a & mask, a1 = a >> 64, b0 = b & mask, b1 = b >> 64;
    unsigned __int128 p00 = a0 * b0, p01 = a0 * b1, p10 = a1 * b0, p11 = a1 * b1;
    unsigned __int128 middle = (p00 >> 64) + (p01 & mask) + (p10 & mask);

    *ret_low = (middle << 64) | (p00 & mask);
    *ret_high = p11 + (p01 >> 64) + (p10 >> 64) + (middle >> 64);
}

/* Divides 256 bits by 128, bit by bit: only values past 128 bits come here. False when the quotient is past 128 bits. */
static bool divide_wide(unsigned __int128 high, unsigned __int128 low, unsigned __int128 by,
                        unsigned __int128 *ret_quotient, unsigned __int128 *ret_rest)
{
    unsigned __int128 quotient = 0;

    if (high >= by)
        return false;
    for (int i = 0; i < 128; i++) {
        bool carry = high >> 127;

        high = high << 1 | low >> 127;
        low <<= 1;
        quotient <<= 1;
        if (carry || high >= by) {
            high -= by;
            quotient |= 1;
        }
    }
    *ret_quotient = quotient;
    *ret_rest = high;
    return true;
}

/* a * 10^rescale / b, rounded half up (away from zero). False on overflow of decimal(38). */
static bool divide_decimal(__int128 a, __int128 b, int rescale, __int128 *ret)
{
    bool is_negative = (a < 0) != (b < 0);
    unsigned __int128 ua = a < 0 ? -(unsigned __int128)a : (unsigned __int128)a;
    unsigned __int128 ub = b < 0 ? -(unsigned __int128)b : (unsigned __int128)b;
    unsigned __int128 high, low, quotient, rest;

    multiply_wide(ua, power_of_ten(rescale), &high, &low);
    if (high == 0) {
        quotient = low / ub;
        rest = low % ub;
    } else if (!divide_wide(high, low, ub, &quotient, &rest)) {
        return false;
    }
    if (rest >= ub - rest)
        quotient++;
    if (quotient > (unsigned __int128)MAX_DECIMAL)
        return false;
    *ret = is_negative ? -(__int128)quotient : (__int128)quotient;
    return true;
}

/* dp_decimal_divide(a, b, rescale) */
static void decimal_divide(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        __int128 b = shim_decimal(&c, 1, row), result;

        if (b == 0)
            fail_zero(&c);
        else if (!divide_decimal(shim_decimal(&c, 0, row), b, SHIM_ARG(&c, int32_t, 2, row), &result))
            shim_fail(&c, "NUMERIC_VALUE_OUT_OF_RANGE", "Decimal overflow");
        else
            shim_put_i128(&c, row, result);
    }
}

/* dp_decimal_modulus(a, b, rescale_a, rescale_b): of values brought to one scale; the sign is the dividend's. */
static void decimal_modulus(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        __int128 a = shim_decimal(&c, 0, row), b = shim_decimal(&c, 1, row);
        unsigned __int128 high, low, quotient, rest = 0;
        unsigned __int128 ub = b < 0 ? -(unsigned __int128)b : (unsigned __int128)b;

        if (b == 0) {
            fail_zero(&c);
            break;
        }
        multiply_wide(ub, power_of_ten(SHIM_ARG(&c, int32_t, 3, row)), &high, &ub);
        if (high != 0) { /* past any dividend, which is the remainder then, or out of range itself */
            shim_fail(&c, "NUMERIC_VALUE_OUT_OF_RANGE", "Decimal overflow");
            break;
        }
        multiply_wide(a < 0 ? -(unsigned __int128)a : (unsigned __int128)a, power_of_ten(SHIM_ARG(&c, int32_t, 2, row)),
                      &high, &low);
        /* The high part only matters by its remainder. */
        if (!divide_wide(high % ub, low, ub, &quotient, &rest))
            rest = 0;
        shim_put_i128(&c, row, a < 0 ? -(__int128)rest : (__int128)rest);
    }
}

/* ---- rounding of decimals: dp_decimal_round(value, scale, digits), to `digits` behind the dot; the scale stays ---- */

static bool round_decimal(__int128 v, int drop, bool is_truncated, __int128 *ret)
{
    unsigned __int128 u = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v, unit;

    if (drop <= 0) {
        *ret = v;
        return true;
    }
    if (drop > 38) {
        *ret = 0;
        return true;
    }
    unit = power_of_ten(drop);
    u = is_truncated ? u / unit * unit : (u + unit / 2) / unit * unit;
    if (u > (unsigned __int128)MAX_DECIMAL)
        return false;
    *ret = v < 0 ? -(__int128)u : (__int128)u;
    return true;
}

static void decimal_to_digits(struct shim_call *c, bool is_truncated)
{
    for (SHIM_ROWS(c, row)) {
        int64_t drop = (int64_t)SHIM_ARG(c, int32_t, 1, row) - SHIM_ARG(c, int32_t, 2, row);
        __int128 r = 0;

        if (!round_decimal(shim_decimal(c, 0, row), drop > 100 ? 100 : (int)drop, is_truncated, &r))
            shim_fail(c, "NUMERIC_VALUE_OUT_OF_RANGE", "Decimal overflow");
        shim_put_i128(c, row, r);
    }
}

static void decimal_round(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    decimal_to_digits(&c, false);
}

static void decimal_truncate(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    decimal_to_digits(&c, true);
}

/* ---- integers ---- */

static void round_integer(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        int64_t digits = SHIM_ARG(&c, int32_t, 1, row), v = SHIM_ARG(&c, int64_t, 0, row);
        __int128 r = 0;

        if (!round_decimal(v, digits < -38 ? 100 : (int)-digits, false, &r) || r > INT64_MAX || r < INT64_MIN)
            shim_fail(&c, "NUMERIC_VALUE_OUT_OF_RANGE", "numerical overflow: %lld", (long long)v);
        SHIM_OUT(&c, int64_t, row) = (int64_t)r;
    }
}

#define NEGATE(suffix, type, min, name)                                                                     \
    static void negate_##suffix(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)         \
    {                                                                                                       \
        struct shim_call c;                                                                                 \
                                                                                                            \
        shim_begin(&c, info, in, out);                                                                      \
        for (SHIM_ROWS(&c, row)) {                                                                          \
            type v = SHIM_ARG(&c, type, 0, row);                                                            \
                                                                                                            \
            if (v == (min))                                                                                 \
                shim_fail(&c, "NUMERIC_VALUE_OUT_OF_RANGE", name " negation overflow: %lld", (long long)v); \
            else                                                                                            \
                SHIM_OUT(&c, type, row) = (type)-v;                                                         \
        }                                                                                                   \
    }

NEGATE(b, int8_t, INT8_MIN, "tinyint")
NEGATE(s, int16_t, INT16_MIN, "smallint")
NEGATE(i, int32_t, INT32_MIN, "integer")
NEGATE(l, int64_t, INT64_MIN, "bigint")

/* dp_sum(hugeint): a sum of bigints, which must be one. */
static void sum_to_bigint(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        __int128 v = shim_i128(&c, 0, row);

        if (v > INT64_MAX || v < INT64_MIN)
            shim_fail(&c, "NUMERIC_VALUE_OUT_OF_RANGE", "bigint addition overflow");
        SHIM_OUT(&c, int64_t, row) = (int64_t)v;
    }
}

/* The function mod(): as the operator, but with Java's own error. */
static void mod_bigint(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        int64_t b = SHIM_ARG(&c, int64_t, 1, row);

        if (b == 0)
            shim_fail(&c, "GENERIC_INTERNAL_ERROR", "/ by zero");
        else
            SHIM_OUT(&c, int64_t, row) = b == -1 ? 0 : SHIM_ARG(&c, int64_t, 0, row) % b;
    }
}

#define NAN_LOWEST(NAME, TYPE)                                                                        \
    static void NAME(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)              \
    {                                                                                                 \
        struct shim_call c;                                                                           \
                                                                                                      \
        shim_begin(&c, info, in, out);                                                                \
        for (SHIM_ROWS(&c, row))                                                                      \
            SHIM_OUT(&c, TYPE, row) = isnan(SHIM_ARG(&c, TYPE, 0, row)) ? (TYPE)-INFINITY             \
                                                                        : SHIM_ARG(&c, TYPE, 0, row); \
    }
NAN_LOWEST(nan_lowest_f, float)
NAN_LOWEST(nan_lowest_d, double)

static void bit_count(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        int64_t v = SHIM_ARG(&c, int64_t, 0, row), bits = SHIM_ARG(&c, int64_t, 1, row);
        uint64_t mask = bits >= 64 || bits < 1 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
        int64_t low = bits < 2 || bits >= 64 ? INT64_MIN : -(INT64_C(1) << (bits - 1));
        int64_t high = bits < 2 || bits >= 64 ? INT64_MAX : (INT64_C(1) << (bits - 1)) - 1;

        if (bits < 2 || bits > 64)
            shim_fail(&c, "INVALID_FUNCTION_ARGUMENT", "Bits specified in bit_count must be between 2 and 64, got %lld",
                      (long long)bits);
        else if (v < low || v > high)
            shim_fail(&c, "INVALID_FUNCTION_ARGUMENT",
                      "Number must be representable with the bits specified. %lld cannot be represented with %lld bits",
                      (long long)v, (long long)bits);
        SHIM_OUT(&c, int64_t, row) = __builtin_popcountll((uint64_t)v & mask);
    }
}

/* dp_shift_…(value, shift, bits of the type) */
enum shift { SHIFT_LEFT, SHIFT_RIGHT, SHIFT_ARITHMETIC };

static int64_t shifted(int64_t v, int32_t by, int32_t bits, enum shift kind)
{
    uint64_t u = bits == 64 ? (uint64_t)v : (uint64_t)v & ((UINT64_C(1) << bits) - 1);

    if (by < 0 || by >= bits)
        return kind == SHIFT_ARITHMETIC && v < 0 ? -1 : 0;
    switch (kind) {
    case SHIFT_LEFT:
        u <<= by;
        break;
    case SHIFT_RIGHT:
        u >>= by;
        break;
    default:
        return v >> by;
    }
    switch (bits) {
    case 8:
        return (int8_t)u;
    case 16:
        return (int16_t)u;
    case 32:
        return (int32_t)u;
    default:
        return (int64_t)u;
    }
}

#define SHIFT(name, kind)                                                                                      \
    static void name(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)                       \
    {                                                                                                          \
        struct shim_call c;                                                                                    \
                                                                                                               \
        shim_begin(&c, info, in, out);                                                                         \
        for (SHIM_ROWS(&c, row))                                                                               \
            SHIM_OUT(&c, int64_t, row) = shifted(SHIM_ARG(&c, int64_t, 0, row), SHIM_ARG(&c, int32_t, 1, row), \
                                                 SHIM_ARG(&c, int32_t, 2, row), kind);                         \
    }

SHIFT(shift_left, SHIFT_LEFT)
SHIFT(shift_right, SHIFT_RIGHT)
SHIFT(shift_arithmetic, SHIFT_ARITHMETIC)

static void random_below(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        bool has_start = c.arg_count > 1;
        int64_t start = has_start ? SHIM_ARG(&c, int64_t, 0, row) : 0;
        int64_t end = SHIM_ARG(&c, int64_t, has_start ? 1 : 0, row);

        if (end <= start)
            shim_fail(&c, "INVALID_FUNCTION_ARGUMENT",
                      has_start ? "start value must be less than stop value" : "bound must be positive");
        else
            SHIM_OUT(&c, int64_t, row) = (int64_t)((uint64_t)start + rand_u64() % ((uint64_t)end - (uint64_t)start));
    }
}

/* ---- intervals ---- */

/* dp_whole_days(interval day to second): what a date can move by. */
static void whole_days(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        int64_t ms = SHIM_ARG(&c, int64_t, 0, row);

        if (ms % 86400000 != 0)
            shim_fail(&c, "INVALID_FUNCTION_ARGUMENT", "Cannot add hour, minutes or seconds to a date");
        SHIM_OUT(&c, int32_t, row) = (int32_t)(ms / 86400000);
    }
}

/* dp_round_millis(microseconds): half away from zero. */
static void round_millis(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        int64_t us = SHIM_ARG(&c, int64_t, 0, row);

        SHIM_OUT(&c, int64_t, row) = us / 1000 + (us % 1000 >= 500) - (us % 1000 <= -500);
    }
}

/* ---- doubles, where DuckDB raises errors and Java gives NaN or infinity ---- */

#define OF_DOUBLE(name, value)                                                           \
    static void name(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out) \
    {                                                                                    \
        struct shim_call c;                                                              \
                                                                                         \
        shim_begin(&c, info, in, out);                                                   \
        for (SHIM_ROWS(&c, row)) {                                                       \
            double x = SHIM_ARG(&c, double, 0, row);                                     \
                                                                                         \
            SHIM_OUT(&c, double, row) = (value);                                         \
        }                                                                                \
    }

OF_DOUBLE(double_sqrt, sqrt(x))
OF_DOUBLE(double_ln, log(x))
OF_DOUBLE(double_log10, log10(x))
OF_DOUBLE(double_sin, sin(x))
OF_DOUBLE(double_cos, cos(x))
OF_DOUBLE(double_tan, tan(x))

/* Trino's aggregates of regression give NULL for what isn't finite. */
static void finite_or_null(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        double x = SHIM_ARG(&c, double, 0, row);

        SHIM_OUT(&c, double, row) = x;
        if (!isfinite(x))
            shim_set_null(&c, row);
    }
}

/* round(x, digits): through a power of ten and a long, as Trino. */
static void double_round(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        double x = SHIM_ARG(&c, double, 0, row), factor = pow(10, SHIM_ARG(&c, int32_t, 1, row));
        double scaled = floor(fabs(x) * factor + 0.5);

        if (!isfinite(x) || !(scaled < 0x1p63))
            SHIM_OUT(&c, double, row) = x;
        else
            SHIM_OUT(&c, double, row) = copysign(scaled / factor, x);
    }
}

static void normal_cdf(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        double mean = SHIM_ARG(&c, double, 0, row), deviation = SHIM_ARG(&c, double, 1, row);

        if (!(deviation > 0))
            shim_fail(&c, "INVALID_FUNCTION_ARGUMENT", "standardDeviation must be > 0");
        else
            SHIM_OUT(&c, double, row) = 0.5 * erfc(-(SHIM_ARG(&c, double, 2, row) - mean) / (deviation * M_SQRT2));
    }
}

static void width_bucket(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        double x = SHIM_ARG(&c, double, 0, row), a = SHIM_ARG(&c, double, 1, row), b = SHIM_ARG(&c, double, 2, row);
        int64_t count = SHIM_ARG(&c, int64_t, 3, row), bucket;
        double lower = fmin(a, b), upper = fmax(a, b);

        if (count <= 0 || isnan(x) || !isfinite(a) || !isfinite(b) || a == b) {
            shim_fail(&c, "INVALID_FUNCTION_ARGUMENT", "%s",
                      count <= 0     ? "bucketCount must be greater than 0"
                      : isnan(x)     ? "operand must not be NaN"
                      : !isfinite(a) ? "first bound must be finite"
                      : !isfinite(b) ? "second bound must be finite"
                                     : "bounds cannot equal each other");
            break;
        }
        if (x < lower)
            bucket = 0;
        else if (x >= upper)
            bucket = count + 1;
        else
            bucket = (int64_t)((double)count * (x - lower) / (upper - lower) + 1);
        SHIM_OUT(&c, int64_t, row) = a > b ? count - bucket + 1 : bucket;
    }
}

const struct shim shims_arithmetic[] = {
    SHIM("dp_divide", "bb", 'b', divide_b),
    SHIM("dp_divide", "ss", 's', divide_s),
    SHIM("dp_divide", "ii", 'i', divide_i),
    SHIM("dp_divide", "ll", 'l', divide_l),
    SHIM("dp_modulus", "bb", 'b', modulus_b),
    SHIM("dp_modulus", "ss", 's', modulus_s),
    SHIM("dp_modulus", "ii", 'i', modulus_i),
    SHIM("dp_modulus", "ll", 'l', modulus_l),
    SHIM("dp_decimal_divide", "NNi", 'N', decimal_divide),
    SHIM("dp_decimal_modulus", "NNii", 'N', decimal_modulus),
    SHIM("dp_decimal_round", "Nii", 'N', decimal_round),
    SHIM("dp_decimal_truncate", "Nii", 'N', decimal_truncate),
    SHIM("dp_round_integer", "li", 'l', round_integer),
    SHIM("dp_negate", "b", 'b', negate_b),
    SHIM("dp_negate", "s", 's', negate_s),
    SHIM("dp_negate", "i", 'i', negate_i),
    SHIM("dp_negate", "l", 'l', negate_l),
    SHIM("dp_sum", "h", 'l', sum_to_bigint),
    SHIM("dp_mod", "ll", 'l', mod_bigint),
    SHIM("dp_nan_lowest", "f", 'f', nan_lowest_f),
    SHIM("dp_nan_lowest", "d", 'd', nan_lowest_d),
    SHIM("dp_bit_count", "ll", 'l', bit_count),
    SHIM("dp_shift_left", "lii", 'l', shift_left),
    SHIM("dp_shift_right", "lii", 'l', shift_right),
    SHIM("dp_shift_arithmetic", "lii", 'l', shift_arithmetic),
    SHIM_VOLATILE("dp_random", "l", 'l', random_below),
    SHIM_VOLATILE("dp_random", "ll", 'l', random_below),
    SHIM("dp_whole_days", "l", 'i', whole_days),
    SHIM("dp_round_millis", "l", 'l', round_millis),
    SHIM("dp_sqrt", "d", 'd', double_sqrt),
    SHIM("dp_ln", "d", 'd', double_ln),
    SHIM("dp_log10", "d", 'd', double_log10),
    SHIM("dp_sin", "d", 'd', double_sin),
    SHIM("dp_cos", "d", 'd', double_cos),
    SHIM("dp_tan", "d", 'd', double_tan),
    SHIM("dp_finite", "d", 'd', finite_or_null),
    SHIM("dp_round", "di", 'd', double_round),
    SHIM("dp_normal_cdf", "ddd", 'd', normal_cdf),
    SHIM("dp_width_bucket", "dddl", 'l', width_bucket),
};
const size_t shims_arithmetic_count = ARRAY_LEN(shims_arithmetic);
