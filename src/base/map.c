#include "base/map.h"
#include "base/rand.h"
#include <pthread.h>

static uint64_t hash_key[2];
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void draw_hash_key(void)
{
    rand_bytes(hash_key, sizeof(hash_key));
}

static inline uint64_t rotl(uint64_t x, int b)
{
    return x << b | x >> (64 - b);
}

#define SIP_ROUND               \
    do {                        \
        v0 += v1;               \
        v1 = rotl(v1, 13) ^ v0; \
        v0 = rotl(v0, 32);      \
        v2 += v3;               \
        v3 = rotl(v3, 16) ^ v2; \
        v0 += v3;               \
        v3 = rotl(v3, 21) ^ v0; \
        v2 += v1;               \
        v1 = rotl(v1, 17) ^ v2; \
        v2 = rotl(v2, 32);      \
    } while (0)

/* SipHash-1-3 (Aumasson, Bernstein 2012), reads in host order: the hash never leaves the process. */
uint64_t map_hash(const void *data, size_t n)
{
    pthread_once(&hash_key_once, draw_hash_key);
    const unsigned char *p = data;
    uint64_t v0 = hash_key[0] ^ 0x736f6d6570736575u, v1 = hash_key[1] ^ 0x646f72616e646f6du;
    uint64_t v2 = hash_key[0] ^ 0x6c7967656e657261u, v3 = hash_key[1] ^ 0x7465646279746573u;
    uint64_t m;

    for (size_t i = 0; i + 8 <= n; i += 8) {
        memcpy(&m, p + i, 8);
        v3 ^= m;
        SIP_ROUND;
        v0 ^= m;
    }
    m = (uint64_t)n << 56;
    for (size_t i = n & ~(size_t)7, shift = 0; i < n; i++, shift += 8)
        m |= (uint64_t)p[i] << shift;
    v3 ^= m;
    SIP_ROUND;
    v0 ^= m;
    v2 ^= 0xff;
    SIP_ROUND;
    SIP_ROUND;
    SIP_ROUND;
    return v0 ^ v1 ^ v2 ^ v3;
}

void map_release(struct map *m)
{
    for (size_t i = 0; i < m->used; i++)
        free((char *)m->entries[i].key.p);
    free(m->entries);
    free(m->slots);
    *m = (struct map)MAP_INIT;
}

/* The slot that holds the key, or the free slot where it belongs. Removed entries keep their slot until a rehash. */
static size_t find_slot(const struct map *m, struct str key, uint64_t hash)
{
    size_t mask = m->slot_count - 1;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        if (m->slots[i] == 0)
            return i;
        const struct map_entry *e = &m->entries[m->slots[i] - 1];
        if (!e->removed && e->hash == hash && str_eq(e->key, key))
            return i;
    }
}

static struct map_entry *find(const struct map *m, struct str key)
{
    if (m->slot_count == 0)
        return NULL;
    uint32_t slot = m->slots[find_slot(m, key, map_hash(key.p, key.n))];
    return slot ? &m->entries[slot - 1] : NULL;
}

void *map_get(const struct map *m, struct str key)
{
    struct map_entry *e = find(m, key);
    return e ? e->value : NULL;
}

bool map_has(const struct map *m, struct str key)
{
    return find(m, key) != NULL;
}

/* Room for one more entry: drops removed ones, doubles when still more than half full. */
static void make_room(struct map *m)
{
    if (m->used < m->cap)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < m->used; i++) {
        if (m->entries[i].removed)
            free((char *)m->entries[i].key.p);
        else
            m->entries[kept++] = m->entries[i];
    }
    m->used = kept;
    if (m->cap == 0 || kept > m->cap / 2) {
        m->cap = m->cap ? m->cap * 2 : 8;
        m->slot_count = m->cap * 2;
        m->entries = realloc(m->entries, m->cap * sizeof(*m->entries));
        m->slots = realloc(m->slots, m->slot_count * sizeof(*m->slots));
        if (!m->entries || !m->slots || m->cap > UINT32_MAX / 2)
            abort();
    }
    memset(m->slots, 0, m->slot_count * sizeof(*m->slots));
    for (size_t i = 0; i < m->used; i++)
        m->slots[find_slot(m, m->entries[i].key, m->entries[i].hash)] = (uint32_t)i + 1;
}

void *map_set(struct map *m, struct str key, void *value)
{
    struct map_entry *e = find(m, key);

    if (e) {
        void *old = e->value;
        e->value = value;
        return old;
    }
    make_room(m);
    uint64_t hash = map_hash(key.p, key.n);
    char *copy = malloc(key.n + 1);
    if (!copy)
        abort();
    if (key.n)
        memcpy(copy, key.p, key.n);
    copy[key.n] = '\0';
    m->slots[find_slot(m, key, hash)] = (uint32_t)m->used + 1;
    m->entries[m->used++] = (struct map_entry){.key = {copy, key.n}, .value = value, .hash = hash};
    m->n++;
    return NULL;
}

void *map_remove(struct map *m, struct str key)
{
    struct map_entry *e = find(m, key);

    if (!e)
        return NULL;
    e->removed = true;
    m->n--;
    return e->value;
}

struct map_entry *map_next(const struct map *m, struct map_entry *prev)
{
    for (size_t i = prev ? (size_t)(prev - m->entries) + 1 : 0; i < m->used; i++)
        if (!m->entries[i].removed)
            return &m->entries[i];
    return NULL;
}
