/* What a person may have meant: for keys, properties and commands that aren't known. */
#ifndef SPEC_SUGGEST_H
#define SPEC_SUGGEST_H

#include "base/arena.h"

/* "; did you mean memory? Known: port, memory" */
const char *suggest_text(struct arena *a, struct str word, const char *const *known, size_t n);
/* "port, memory" */
const char *suggest_list(struct arena *a, const char *const *known, size_t n);
/* The closest of them, or NULL when none is near. */
const char *suggest_nearest(struct str word, const char *const *known, size_t n);

#endif
