/*
 * Arithmetic where DuckDB gives NULL, infinity or a double and Trino raises an error or stays exact: integer division and
 * remainder, decimal division, remainder and rounding. Decimals come with their unscaled values.
 */
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
};
const size_t shims_arithmetic_count = ARRAY_LEN(shims_arithmetic);
