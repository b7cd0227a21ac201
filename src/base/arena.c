#include "base/arena.h"
#include <stdalign.h>

struct arena_block {
    struct arena_block *next;
    size_t size;
    alignas(max_align_t) char bytes[];
};

struct arena_deferred {
    struct arena_deferred *next;
    void (*fn)(void *p);
    void *p;
};

enum { BLOCK_FIRST = 4 << 10, BLOCK_MAX = 1 << 20 };

void arena_init(struct arena *a, size_t limit)
{
    *a = (struct arena){.limit = limit};
}

void arena_release(struct arena *a)
{
    struct arena_block *b = a->blocks;

    for (struct arena_deferred *d = a->deferred; d; d = d->next)
        d->fn(d->p);
    while (b) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
    *a = (struct arena){.limit = a->limit};
}

void arena_defer(struct arena *a, void (*fn)(void *p), void *p)
{
    struct arena_deferred *d = arena_new(a, struct arena_deferred);

    *d = (struct arena_deferred){.next = a->deferred, .fn = fn, .p = p};
    a->deferred = d;
}

/* A block for at least n bytes. A large allocation gets a block of its own, behind the current one,
 * so that the current block's free part isn't lost. */
static void *alloc_in_new_block(struct arena *a, size_t n)
{
    size_t limit = a->limit ? a->limit : ARENA_DEFAULT_LIMIT;
    size_t size = a->blocks ? a->blocks->size * 2 : BLOCK_FIRST;
    bool own = n > BLOCK_MAX / 4;

    if (size > BLOCK_MAX)
        size = BLOCK_MAX;
    if (own || size < n)
        size = n;
    if (n > limit || a->used > limit - n)
        return NULL;
    struct arena_block *b = calloc(1, sizeof(*b) + size);
    if (!b)
        return NULL;
    b->size = size;
    a->used += size;
    if (own && a->blocks) {
        b->next = a->blocks->next;
        a->blocks->next = b;
        return b->bytes;
    }
    b->next = a->blocks;
    a->blocks = b;
    a->at = b->bytes + n;
    a->end = b->bytes + size;
    return b->bytes;
}

void *arena_try_alloc(struct arena *a, size_t n)
{
    if (n > SIZE_MAX - alignof(max_align_t))
        return NULL;
    n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (n == 0)
        n = alignof(max_align_t);
    if (a->at && n <= (size_t)(a->end - a->at)) {
        void *p = a->at;
        a->at += n;
        return p;
    }
    return alloc_in_new_block(a, n);
}

void *arena_alloc(struct arena *a, size_t n)
{
    void *p = arena_try_alloc(a, n);

    if (!p) {
        fprintf(stderr, "out of memory: an arena of %zu bytes could not give %zu more\n", a->used, n);
        abort();
    }
    return p;
}

void *arena_alloc_array(struct arena *a, size_t n, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total)) {
        fprintf(stderr, "out of memory: an array of %zu elements of %zu bytes\n", n, size);
        abort();
    }
    return arena_alloc(a, total);
}

struct str arena_str(struct arena *a, struct str s)
{
    return (struct str){arena_cstr(a, s), s.n};
}

char *arena_cstr(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);

    if (s.n)
        memcpy(p, s.p, s.n);
    return p;
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        n = 0;
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (struct str){p, (size_t)n};
}

struct str arena_lower(struct arena *a, struct str s)
{
    char *p = arena_cstr(a, s);

    for (size_t i = 0; i < s.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + 32);
    return (struct str){p, s.n};
}
