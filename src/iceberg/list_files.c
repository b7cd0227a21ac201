/* Every file that a table's snapshots refer to, for DROP TABLE. */
#include "base/map.h"
#include "base/vec.h"
#include "iceberg/cache.h"

struct listing {
    struct iceberg_cache *cache;
    struct arena *arena;
    struct iceberg_metadata *metadata;
    struct map seen;
    VEC(struct str) files;
};

/* False when it was there already. */
static bool add(struct listing *l, struct str path)
{
    if (str_is_empty(path) || map_has(&l->seen, path))
        return false;
    map_set(&l->seen, path, l);
    vec_push_in(l->arena, &l->files, arena_str(l->arena, path));
    return true;
}

static int add_manifest(struct listing *l, const struct iceberg_manifest_file *in, struct err *err)
{
    struct iceberg_manifest *m;

    if (!add(l, in->path))
        return 0;
    int rc = iceberg_load_manifest(l->cache, in, l->metadata, &m, err);
    if (rc == ERR_NOT_FOUND)
        return 0; /* a table that is half gone already can still be dropped */
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < m->n; i++)
        (void)add(l, m->entries[i].file.path);
    iceberg_manifest_unref(m);
    return 0;
}

static int add_snapshot(struct listing *l, const struct iceberg_snapshot *s, struct err *err)
{
    struct iceberg_manifest_list *list;

    if (!add(l, s->manifest_list))
        return 0;
    int rc = iceberg_load_manifest_list(l->cache, s->manifest_list, &list, err);
    if (rc < 0)
        return rc == ERR_NOT_FOUND ? 0 : rc;
    for (size_t i = 0; rc == 0 && i < list->n; i++)
        rc = add_manifest(l, &list->files[i], err);
    iceberg_manifest_list_unref(list);
    return rc;
}

static void add_named(struct listing *l, const char *array, const char *key)
{
    const json_t *list = json_object_get(l->metadata->json, array);

    for (size_t i = 0; i < json_array_size(list); i++)
        (void)add(l, json_opt_str(json_array_get(list, i), key, STR_NULL));
}

int iceberg_list_files(struct iceberg_cache *c, struct arena *a, struct iceberg_metadata *m,
                       struct str metadata_location, struct str **ret, size_t *ret_n, struct err *err)
{
    struct listing l = {.cache = c, .arena = a, .metadata = m};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < m->snapshot_count; i++)
        rc = add_snapshot(&l, &m->snapshots[i], err);
    add_named(&l, "statistics", "statistics-path");
    add_named(&l, "partition-statistics", "statistics-path");
    add_named(&l, "metadata-log", "metadata-file");
    (void)add(&l, metadata_location);
    map_release(&l.seen);
    if (rc < 0)
        return rc;
    *ret = l.files.items;
    *ret_n = l.files.n;
    return 0;
}
