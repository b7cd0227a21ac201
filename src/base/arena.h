/*
 * An arena: everything a request, query or task allocates, freed at once.
 *
 * Blocks grow geometrically up to a cap; allocations are aligned for any type. The arena has a byte limit, so
 * that hostile input can't grow it without bound: arena_alloc past the limit returns NULL, arena_must_* abort
 * and are for sizes that input can't influence. Not thread-safe: one owner at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena_block;
struct arena_deferred;

struct arena {
    struct arena_block *blocks; /* newest first */
    struct arena_deferred *deferred;
    char *at, *end; /* free part of the newest block */
    size_t used;    /* bytes in all blocks */
    size_t limit;   /* of `used`; 0: ARENA_DEFAULT_LIMIT */
};

enum { ARENA_DEFAULT_LIMIT = 256 << 20 };

#define ARENA_INIT \
    {              \
        0          \
    }

void arena_init(struct arena *a, size_t limit);
void arena_release(struct arena *a);

/* Calls fn(p) when the arena is released, the last one first: for what lives as long as the arena, but outside it. */
void arena_defer(struct arena *a, void (*fn)(void *p), void *p);

/* Zeroed memory, or NULL when the limit or the system's memory is exhausted. n == 0 gives a valid pointer. */
void *arena_try_alloc(struct arena *a, size_t n);
/* As above, but aborts the process with a message instead of NULL: callers that keep `limit` at the default and
 * bound their input (SQL text ≤ 1 MiB, headers ≤ 128 KiB, …) need no check on each node. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((returns_nonnull, malloc));
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
/* Aborts when n * sizeof(type) overflows. */
#define arena_array(a, type, n) ((type *)arena_alloc_array((a), (n), sizeof(type)))
void *arena_alloc_array(struct arena *a, size_t n, size_t size) __attribute__((returns_nonnull));

struct str arena_str(struct arena *a, struct str s); /* copy; also NUL-terminated behind the end */
char *arena_cstr(struct arena *a, struct str s);     /* NUL-terminated copy for a library's door */
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3); /* NUL-terminated too */
struct str arena_lower(struct arena *a, struct str s);                            /* ASCII lower-case copy */

#define ARENA_SCOPED __attribute__((cleanup(arena_release)))

#endif
