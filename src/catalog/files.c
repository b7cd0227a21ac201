/* Iceberg's metadata and manifests as objects of the store's folder, with no HTTP between. */
#include "catalog/files.h"

#include "base/uuid.h"
#include "base/vec.h"
#include "os/file.h"

enum { DELETE_BATCH = 1000 /* objects a transaction when a table's folder goes */ };

int catalog_files_split(struct str location, struct str *ret_bucket, struct str *ret_key, struct err *err)
{
    static const struct str schemes[] = {{"s3://", 5}, {"s3a://", 6}, {"s3n://", 6}};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (!str_starts_with(location, schemes[i]))
            continue;
        struct str rest = str_skip(location, schemes[i].n);
        size_t slash = str_find_char(rest, '/', 0);
        if (slash == 0 || slash == SIZE_MAX)
            break;
        *ret_bucket = str_slice(rest, 0, slash);
        *ret_key = str_skip(rest, slash + 1);
        return 0;
    }
    return err_set_named(err, ERR_INVALID, "ICEBERG_FILESYSTEM_ERROR",
                         "the location %.*s is not one of the object store: expected s3://BUCKET/KEY",
                         STR_ARG(location));
}

static int read_file(void *ctx, struct str location, struct buf *to, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct str bucket, key;
    struct objects_reader reader;
    int rc = catalog_files_split(location, &bucket, &key, err);

    if (rc == 0)
        rc = objects_read(ctx, &a, bucket, key, &reader, err);
    if (rc < 0)
        return err_prefix(err, "%.*s", STR_ARG(location));
    if (reader.fd < 0) {
        buf_add_str(to, reader.inline_bytes);
    } else {
        char *at = buf_reserve(to, reader.info.size);

        rc = at ? file_pread_all(reader.fd, at, reader.info.size, 0, err) : 0;
        if (at && rc == 0)
            to->n += reader.info.size;
    }
    objects_reader_release(&reader);
    return rc < 0 ? rc : buf_check(to, "a metadata file of the table", err);
}

static int write_files(void *ctx, const struct str *locations, const struct str *contents, size_t n, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct objects_publish *items = arena_array(&a, struct objects_publish, n);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++) {
        items[i].bytes = contents[i];
        items[i].content_type = STR("application/octet-stream");
        rc = catalog_files_split(locations[i], &items[i].bucket, &items[i].key, err);
    }
    return rc < 0 ? rc : objects_publish(ctx, items, n, true, err);
}

/* Files of a table are nearly always in one bucket: a transaction for each run of the same. */
static int remove_files(void *ctx, const struct str *locations, size_t n, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct str *keys = arena_array(&a, struct str, n);
    struct str bucket = STR_NULL;
    size_t from = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i <= n; i++) {
        struct str other = STR_NULL;

        if (i < n)
            rc = catalog_files_split(locations[i], &other, &keys[i], err);
        if (rc == 0 && i > from && (i == n || !str_eq(other, bucket))) {
            rc = objects_delete_many(ctx, bucket, keys + from, i - from, err);
            from = i;
        }
        bucket = other;
    }
    return rc;
}

void catalog_files_init(struct iceberg_io *io, struct objects *objects)
{
    *io = (struct iceberg_io){.ctx = objects, .read = read_file, .write = write_files, .remove = remove_files};
}

/* ---- folders ---- */

struct str catalog_without_last_slashes(struct str s)
{
    while (s.n > 0 && s.p[s.n - 1] == '/')
        s.n--;
    return s;
}

int catalog_check_location_empty(struct objects *o, struct arena *a, struct str location, struct err *err)
{
    struct objects_list_request q = {.max = 1};
    struct objects_list list;
    struct str key;
    int rc = catalog_files_split(location, &q.bucket, &key, err);

    if (rc < 0)
        return rc;
    q.prefix = arena_printf(a, "%.*s/", STR_ARG(key));
    rc = objects_list(o, a, &q, &list, err);
    if (rc == ERR_NOT_FOUND)
        return err_set_named(err, rc, "ICEBERG_FILESYSTEM_ERROR",
                             "Failed checking new table's location: %.*s: there is no bucket %.*s", STR_ARG(location),
                             STR_ARG(q.bucket));
    if (rc < 0 || list.n == 0)
        return rc;
    return err_set_named(
        err, ERR_EXISTS, "ICEBERG_FILESYSTEM_ERROR",
        "Cannot create a table on a non-empty location: %.*s, set 'iceberg.unique-table-location=true' "
        "in your Iceberg catalog properties to use unique table locations for every table.",
        STR_ARG(location));
}

int catalog_namespace_location(struct catalog *c, struct arena *a, struct str warehouse, struct str ns, struct str *ret,
                               struct err *err)
{
    struct catalog_property *properties;
    size_t n;
    bool exists;
    int rc = catalog_get_namespace(c, a, ns, &exists, &properties, &n, err);

    if (rc < 0)
        return rc;
    if (!exists)
        return err_set_named(err, ERR_NOT_FOUND, "NOT_FOUND", "Schema %.*s not found", STR_ARG(ns));
    for (size_t i = 0; i < n; i++) {
        if (!str_eq_cstr(properties[i].name, "location"))
            continue;
        *ret = catalog_without_last_slashes(properties[i].value);
        return 0;
    }
    *ret = arena_printf(a, "%.*s/%.*s", STR_ARG(warehouse), STR_ARG(ns));
    return 0;
}

struct str catalog_new_table_location(struct arena *a, struct str base, struct str table)
{
    char uuid[UUID_TEXT_SIZE], *to = uuid;

    uuid_v4(uuid);
    for (const char *at = uuid; *at; at++)
        if (*at != '-')
            *to++ = *at;
    *to = '\0';
    return arena_printf(a, "%.*s/%.*s-%s", STR_ARG(base), STR_ARG(table), uuid);
}

/* Everything below a location, a batch at a time. */
static int remove_folder(struct objects *o, struct str location, struct err *err)
{
    ARENA_SCOPED struct arena outer = ARENA_INIT;
    struct objects_list_request q = {.max = DELETE_BATCH};
    struct objects_list list = {.truncated = true};
    struct str key;
    int rc = catalog_files_split(location, &q.bucket, &key, err);

    if (rc < 0 || str_is_empty(catalog_without_last_slashes(key)))
        return rc;
    q.prefix = arena_printf(&outer, "%.*s/", STR_ARG(catalog_without_last_slashes(key)));
    while (rc == 0 && list.truncated) {
        ARENA_SCOPED struct arena a = ARENA_INIT;

        rc = objects_list(o, &a, &q, &list, err);
        if (rc < 0 || list.n == 0)
            break;
        struct str *keys = arena_array(&a, struct str, list.n);
        for (size_t i = 0; i < list.n; i++)
            keys[i] = list.items[i].key;
        rc = objects_delete_many(o, q.bucket, keys, list.n, err);
    }
    return rc;
}

int catalog_purge_table(struct catalog *c, struct iceberg_cache *cache, struct objects *o, struct str ns,
                        struct str table, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct iceberg_metadata *m = NULL;
    struct str location, *files = NULL;
    size_t n = 0;
    int rc = catalog_get_table(c, &a, ns, table, &location, err);

    if (rc < 0)
        return rc;
    if (!str_is_null(location) && iceberg_load_metadata(cache, location, &m, NULL) == 0 &&
        iceberg_list_files(cache, &a, m, location, &files, &n, NULL) < 0)
        n = 0;
    rc = catalog_drop_table(c, ns, table, err);
    if (rc == 0 && n > 0)
        rc = remove_files(o, files, n, err);
    if (rc == 0 && m)
        rc = remove_folder(o, m->location, err);
    iceberg_metadata_unref(m);
    return rc;
}
