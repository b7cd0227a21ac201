/* What the files of dbgen share: its random numbers, its text. Private to them. */
#ifndef ENGINE_DBGEN_INTERNAL_H
#define ENGINE_DBGEN_INTERNAL_H

#include "engine/dbgen.h"

enum { DBGEN_TEXT_SIZE = 300 << 20 };

/* The text, NULL when it isn't open. */
const char *dbgen_text(void);

static const int64_t dbgen_factor = 16807, dbgen_modulus = 2147483647;

static inline int64_t dbgen_multiply(int64_t x, int64_t y)
{
    return x * y % dbgen_modulus;
}

/* The next number of a stream, from low to high. The division and the product are in the order in which dbgen rounds. */
static inline int64_t dbgen_draw(int64_t *seed, int64_t low, int64_t high)
{
    *seed = dbgen_multiply(*seed, dbgen_factor);
    return low + (int64_t)((double)*seed / (double)dbgen_modulus * (double)(high - low + 1));
}

#endif
