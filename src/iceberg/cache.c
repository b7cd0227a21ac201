/*
 * The cache of metadata files, manifest lists and manifests, by location. Files never change once written, so an entry is
 * never stale; it goes when room is needed, least recently used first. A reader keeps what it holds by its reference.
 *
 * The lock guards the index and the order only: reading and parsing happen outside it. Two threads that miss the same
 * file at once both read it, and the second's copy is dropped.
 */
#include "iceberg/cache.h"

#include "base/map.h"
#include <pthread.h>

enum { FILE_MAX = 512 << 20 };

enum kind { METADATA, MANIFEST_LIST, MANIFEST };

struct entry {
    struct entry *newer, *older; /* by use */
    struct str location;         /* the map's copy */
    enum kind kind;
    void *object; /* one reference */
    size_t bytes;
};

struct iceberg_cache {
    const struct iceberg_io *io;
    size_t max_bytes;
    pthread_mutex_t lock; /* of all below */
    struct map entries;
    struct entry *newest, *oldest;
    size_t bytes;
};

int iceberg_cache_new(size_t max_bytes, const struct iceberg_io *io, struct iceberg_cache **ret, struct err *err)
{
    struct iceberg_cache *c = calloc(1, sizeof(*c));

    if (!c)
        return err_set(err, ERR_LIMIT, "no memory for the Iceberg cache");
    c->io = io;
    c->max_bytes = max_bytes;
    pthread_mutex_init(&c->lock, NULL);
    *ret = c;
    return 0;
}

static void ref(enum kind kind, void *object)
{
    int *refs = kind == METADATA        ? &((struct iceberg_metadata *)object)->refs
                : kind == MANIFEST_LIST ? &((struct iceberg_manifest_list *)object)->refs
                                        : &((struct iceberg_manifest *)object)->refs;

    __atomic_add_fetch(refs, 1, __ATOMIC_RELAXED);
}

static void unref(enum kind kind, void *object)
{
    if (kind == METADATA)
        iceberg_metadata_unref(object);
    else if (kind == MANIFEST_LIST)
        iceberg_manifest_list_unref(object);
    else
        iceberg_manifest_unref(object);
}

static void unlink_entry(struct iceberg_cache *c, struct entry *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
    e->newer = e->older = NULL;
}

static void link_newest(struct iceberg_cache *c, struct entry *e)
{
    e->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = e;
    c->newest = e;
}

static void drop(struct iceberg_cache *c, struct entry *e)
{
    unlink_entry(c, e);
    c->bytes -= e->bytes;
    map_remove(&c->entries, e->location);
    unref(e->kind, e->object);
    free((char *)e->location.p);
    free(e);
}

void iceberg_cache_free(struct iceberg_cache *c)
{
    if (!c)
        return;
    while (c->oldest)
        drop(c, c->oldest);
    map_release(&c->entries);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* A new reference, or NULL. */
static void *find(struct iceberg_cache *c, enum kind kind, struct str location)
{
    void *object = NULL;

    pthread_mutex_lock(&c->lock);
    struct entry *e = map_get(&c->entries, location);
    if (e && e->kind == kind) {
        unlink_entry(c, e);
        link_newest(c, e);
        object = e->object;
        ref(kind, object);
    }
    pthread_mutex_unlock(&c->lock);
    return object;
}

/* Puts it in unless it is there already. The caller keeps its own reference. */
static void put(struct iceberg_cache *c, enum kind kind, struct str location, void *object, size_t bytes)
{
    if (bytes > c->max_bytes)
        return;
    pthread_mutex_lock(&c->lock);
    struct entry *e = map_has(&c->entries, location) ? NULL : calloc(1, sizeof(*e));
    char *copy = e ? malloc(location.n + 1) : NULL;
    if (copy) {
        memcpy(copy, location.p, location.n);
        *e = (struct entry){.location = {copy, location.n}, .kind = kind, .object = object, .bytes = bytes};
        ref(kind, object);
        map_set(&c->entries, e->location, e);
        link_newest(c, e);
        c->bytes += bytes;
        while (c->bytes > c->max_bytes)
            drop(c, c->oldest);
    } else {
        free(e);
    }
    pthread_mutex_unlock(&c->lock);
}

static int read_file(struct iceberg_cache *c, struct str location, struct buf *to, struct err *err)
{
    int rc = c->io->read(c->io->ctx, location, to, err);

    return rc < 0 ? rc : buf_check(to, "an Iceberg metadata file", err);
}

static void cite(struct str location, struct err *err)
{
    if (err)
        err_prefix(err, "%.*s", STR_ARG(location));
}

/* jansson's tree takes about three times the text; the parsed part is in the arena. */
static size_t metadata_bytes(const struct iceberg_metadata *m, size_t text)
{
    return sizeof(*m) + m->arena.used + text * 4;
}

int iceberg_load_metadata(struct iceberg_cache *c, struct str location, struct iceberg_metadata **ret, struct err *err)
{
    BUF_SCOPED struct buf file;
    struct iceberg_metadata *m = find(c, METADATA, location);
    int rc = 0;

    buf_init(&file, FILE_MAX);
    if (!m) {
        if ((rc = read_file(c, location, &file, err)) < 0)
            return rc;
        if ((rc = iceberg_metadata_parse(buf_str(&file), &m, err)) < 0) {
            cite(location, err);
            return rc;
        }
        put(c, METADATA, location, m, metadata_bytes(m, file.n));
    }
    *ret = m;
    return 0;
}

void iceberg_cache_put_metadata(struct iceberg_cache *c, struct str location, struct iceberg_metadata *m)
{
    /* No text at hand; a commit's document is about as large as its snapshots and schemas. */
    put(c, METADATA, location, m, metadata_bytes(m, m->snapshot_count * 1024 + m->arena.used));
}

int iceberg_load_manifest_list(struct iceberg_cache *c, struct str location, struct iceberg_manifest_list **ret,
                               struct err *err)
{
    BUF_SCOPED struct buf file;
    struct iceberg_manifest_list *l = find(c, MANIFEST_LIST, location);
    int rc = 0;

    buf_init(&file, FILE_MAX);
    if (!l) {
        if ((rc = read_file(c, location, &file, err)) < 0)
            return rc;
        if ((rc = iceberg_manifest_list_parse(buf_str(&file), &l, err)) < 0) {
            cite(location, err);
            return rc;
        }
        put(c, MANIFEST_LIST, location, l, sizeof(*l) + l->arena.used);
    }
    *ret = l;
    return 0;
}

int iceberg_load_manifest(struct iceberg_cache *c, const struct iceberg_manifest_file *in,
                          const struct iceberg_metadata *meta, struct iceberg_manifest **ret, struct err *err)
{
    BUF_SCOPED struct buf file;
    struct iceberg_manifest *m = find(c, MANIFEST, in->path);
    int rc = 0;

    buf_init(&file, FILE_MAX);
    if (!m) {
        if ((rc = read_file(c, in->path, &file, err)) < 0)
            return rc;
        if ((rc = iceberg_manifest_parse(buf_str(&file), in, meta, &m, err)) < 0) {
            cite(in->path, err);
            return rc;
        }
        put(c, MANIFEST, in->path, m, sizeof(*m) + m->arena.used);
    }
    *ret = m;
    return 0;
}
