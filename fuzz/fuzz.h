/* The one function of a fuzz target: libFuzzer, or standalone_driver.c, calls it for each input. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0. Whatever the bytes are, it must neither crash, leak nor take memory out of proportion. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
