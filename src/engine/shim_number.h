/* Numbers as texts, Java's way: what casts and their errors show. Private to engine/. */
#ifndef ENGINE_SHIM_NUMBER_H
#define ENGINE_SHIM_NUMBER_H

#include "base/str.h"

enum { NUMBER_TEXT_SIZE = 64 };

/* The shortest digits that read back, as 1.0E0, 1.23456789E5, NaN, -Infinity: Trino's cast to varchar. */
void number_format_double(char out[NUMBER_TEXT_SIZE], double v);
void number_format_real(char out[NUMBER_TEXT_SIZE], float v);
void number_format_decimal(char out[NUMBER_TEXT_SIZE], __int128 unscaled, int scale);

bool number_parse_double(struct str s, double *ret); /* decimal digits with an exponent, nothing else */

/* [sign] digits [. digits] [e exponent], rounded half up to the scale. Negative: not a number, or too large. */
enum { NUMBER_MALFORMED = -1, NUMBER_TOO_LARGE = -2 };
MUST_CHECK int number_parse_decimal(struct str s, int precision, int scale, __int128 *ret);

#endif
