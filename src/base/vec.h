/*
 * Typed growable arrays. VEC(T) declares the struct; vec_push and friends work on any of them.
 * Heap-owned: vec_release frees. Growth past memory aborts: element counts that input controls are bounded by
 * their callers. For arrays that live in an arena use vec_push_in, and no release.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/arena.h"

#define VEC(T)         \
    struct {           \
        T *items;      \
        size_t n, cap; \
    }

void *vec_grow(void *items, size_t *cap, size_t n, size_t size);
void *vec_grow_in(struct arena *a, void *items, size_t *cap, size_t n, size_t size);

#define vec_push(v, value)                                                             \
    do {                                                                               \
        if ((v)->n == (v)->cap)                                                        \
            (v)->items = vec_grow((v)->items, &(v)->cap, (v)->n, sizeof(*(v)->items)); \
        (v)->items[(v)->n++] = (value);                                                \
    } while (0)

#define vec_push_in(arena, v, value)                                                               \
    do {                                                                                           \
        if ((v)->n == (v)->cap)                                                                    \
            (v)->items = vec_grow_in((arena), (v)->items, &(v)->cap, (v)->n, sizeof(*(v)->items)); \
        (v)->items[(v)->n++] = (value);                                                            \
    } while (0)

#define vec_release(v)         \
    do {                       \
        free((v)->items);      \
        (v)->items = NULL;     \
        (v)->n = (v)->cap = 0; \
    } while (0)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
