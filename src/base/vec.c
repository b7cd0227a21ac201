#include "base/vec.h"

static size_t next_cap(size_t cap, size_t size)
{
    size_t next = cap ? cap * 2 : 8;
    size_t bytes;

    if (next < cap || __builtin_mul_overflow(next, size, &bytes))
        abort();
    return next;
}

void *vec_grow(void *items, size_t *cap, size_t n, size_t size)
{
    size_t next = next_cap(*cap, size);
    void *p = realloc(items, next * size);

    (void)n;
    if (!p)
        abort();
    *cap = next;
    return p;
}

void *vec_grow_in(struct arena *a, void *items, size_t *cap, size_t n, size_t size)
{
    size_t next = next_cap(*cap, size);
    void *p = arena_alloc_array(a, next, size);

    if (n)
        memcpy(p, items, n * size);
    *cap = next;
    return p;
}
