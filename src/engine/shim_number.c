/* Numbers as texts, Java's way. */
#include "engine/shim_number.h"
#include <errno.h>
#include <math.h>

/* "1.5e+02" of printf to "1.5E2". */
static void to_java(char *out, const char *printed)
{
    const char *e = strchr(printed, 'e');
    size_t digits = (size_t)(e - printed);
    long exponent = strtol(e + 1, NULL, 10);
    const char *dot = memchr(printed, '.', digits) ? "" : ".0";

    snprintf(out, NUMBER_TEXT_SIZE, "%.*s%sE%ld", (int)digits, printed, dot, exponent);
}

static bool format_special(char *out, double v)
{
    const char *text = isnan(v) ? "NaN" : v == 0 ? (signbit(v) ? "-0E0" : "0E0") : v > 0 ? "Infinity" : "-Infinity";

    if (isfinite(v) && v != 0)
        return false;
    snprintf(out, NUMBER_TEXT_SIZE, "%s", text);
    return true;
}

void number_format_double(char out[NUMBER_TEXT_SIZE], double v)
{
    char text[NUMBER_TEXT_SIZE];

    if (format_special(out, v))
        return;
    /* Most numbers that people write have few digits: try upwards. */
    for (int digits = 0; digits < 17; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    to_java(out, text);
}

void number_format_real(char out[NUMBER_TEXT_SIZE], float v)
{
    char text[NUMBER_TEXT_SIZE];

    if (format_special(out, (double)v))
        return;
    for (int digits = 0; digits < 9; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits, (double)v);
        if (strtof(text, NULL) == v)
            break;
    }
    to_java(out, text);
}

void number_format_decimal(char out[NUMBER_TEXT_SIZE], __int128 unscaled, int scale)
{
    unsigned __int128 v = unscaled < 0 ? -(unsigned __int128)unscaled : (unsigned __int128)unscaled;
    char digits[48];
    size_t n = sizeof(digits), length;

    while (v > 0 || sizeof(digits) - n <= (size_t)scale) {
        digits[--n] = (char)('0' + (int)(v % 10));
        v /= 10;
    }
    length = sizeof(digits) - n;
    snprintf(out, NUMBER_TEXT_SIZE, "%s%.*s%s%.*s", unscaled < 0 ? "-" : "", (int)(length - (size_t)scale), digits + n,
             scale > 0 ? "." : "", scale, digits + sizeof(digits) - scale);
}

bool number_parse_double(struct str s, double *ret)
{
    char text[512];
    char *end;

    if (s.n == 0 || s.n >= sizeof(text))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    *ret = strtod(text, &end);
    return *end == 0 && end != text;
}

static bool is_digit(struct str s, size_t at)
{
    return at < s.n && s.p[at] >= '0' && s.p[at] <= '9';
}

/* The exponent behind an e; false when it is none. */
static bool parse_exponent(struct str s, int64_t *ret)
{
    if (s.n > 1 && s.p[0] == '+')
        s = str_skip(s, 1);
    return str_to_i64(s, ret, NULL) == 0 && *ret >= -100000 && *ret <= 100000;
}

int number_parse_decimal(struct str s, int precision, int scale, __int128 *ret)
{
    unsigned __int128 v = 0, limit = 1;
    bool is_negative = false, is_rounded_up = false;
    int64_t exponent = 0, dot = -1, significant = 0, wanted;
    size_t at, start, end;

    s = str_trim(s);
    if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
        is_negative = s.p[0] == '-';
        s = str_skip(s, 1);
    }
    for (at = 0; is_digit(s, at) || (at < s.n && s.p[at] == '.' && dot < 0); at++) {
        if (s.p[at] == '.')
            dot = (int64_t)at;
        else
            significant++;
    }
    if (significant == 0)
        return NUMBER_MALFORMED;
    end = at;
    if (at < s.n && (s.p[at] != 'e' && s.p[at] != 'E'))
        return NUMBER_MALFORMED;
    if (at < s.n && !parse_exponent(str_skip(s, at + 1), &exponent))
        return NUMBER_MALFORMED;
    for (int i = 0; i < precision; i++)
        limit *= 10;
    /* How many of the digits count: those before the dot, moved by exponent and scale. */
    wanted = (dot < 0 ? significant : dot) + exponent + scale;
    start = 0;
    for (int64_t i = 0; start < end; start++) {
        int digit = s.p[start] - '0';

        if (s.p[start] == '.')
            continue;
        if (i < wanted) {
            v = v * 10 + (unsigned)digit;
            if (v >= limit)
                return NUMBER_TOO_LARGE;
        } else {
            is_rounded_up = i == wanted && digit >= 5;
            break;
        }
        i++;
    }
    for (int64_t i = significant; i < wanted && v > 0; i++) {
        v *= 10;
        if (v >= limit)
            return NUMBER_TOO_LARGE;
    }
    if (is_rounded_up)
        v++;
    if (v >= limit)
        return NUMBER_TOO_LARGE;
    *ret = is_negative ? -(__int128)v : (__int128)v;
    return 0;
}
