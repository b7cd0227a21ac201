#ifndef SPEC_MEMORY_H
#define SPEC_MEMORY_H

#include "base/str.h"

/* Bytes that this process may use: the machine's memory, or the control group's limit where that is less. */
uint64_t memory_total(void);
/* "60%" (of total), "2GiB", "1.5 GB", "1073741824". Negative when it is none of these. */
MUST_CHECK int memory_parse(struct str text, uint64_t total, uint64_t *ret);

#endif
