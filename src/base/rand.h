/* Randomness from the kernel (getrandom), good for keys and tokens. Aborts when the kernel has none: nothing is
 * safe then. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *p, size_t n);
uint64_t rand_u64(void);
/* n characters of [A-Za-z0-9] and a NUL into p (n + 1 bytes): log2(62) ≈ 5.95 bits each. */
void rand_alnum(char *p, size_t n);

#endif
