/* Trino's error names: the numbers and types that clients see. One of three places that render a struct err. */
#ifndef TRINO_ERRORS_H
#define TRINO_ERRORS_H

#include "base/json.h"

struct trino_error {
    const char *name;
    int32_t code;
    const char *type; /* USER_ERROR, INTERNAL_ERROR, INSUFFICIENT_RESOURCES, EXTERNAL */
};

/* By err->name; without one, by err->code. Unknown names are GENERIC_INTERNAL_ERROR. */
const struct trino_error *trino_error_find(const struct err *err);
/* The value of "error": message, numbers, location, failureInfo. */
void trino_error_write(struct json_writer *w, const struct err *err);

#endif
