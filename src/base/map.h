/*
 * A hash map from strings to pointers. Keys are copied in; values belong to the caller.
 * Open addressing under SipHash-1-3 with a key drawn at process start, so that outside names can't be chosen
 * to collide. Iteration order is insertion order.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

struct map_entry {
    struct str key; /* NUL-terminated too */
    void *value;
    uint64_t hash;
    bool removed;
};

struct map {
    struct map_entry *entries; /* in insertion order; `removed` ones are skipped */
    uint32_t *slots;           /* entry index + 1, 0: free */
    size_t n, used, cap, slot_count;
};

#define MAP_INIT \
    {            \
        0        \
    }

void map_release(struct map *m); /* frees the map and its keys, not the values */
/* NULL when absent. */
void *map_get(const struct map *m, struct str key);
bool map_has(const struct map *m, struct str key);
/* Returns the value that was there before, or NULL. */
void *map_set(struct map *m, struct str key, void *value);
/* Returns the value removed, or NULL. */
void *map_remove(struct map *m, struct str key);
/* for (struct map_entry *e = NULL; (e = map_next(m, e));) */
struct map_entry *map_next(const struct map *m, struct map_entry *prev);

/* The keyed hash itself, for other tables. */
uint64_t map_hash(const void *p, size_t n);

#endif
