/* Iceberg's metadata and manifests as objects of the store's folder, with no HTTP between. */
#include "base/vec.h"
#include "connectors/iceberg_internal.h"
#include "os/file.h"

int iceberg_files_split(struct str location, struct str *ret_bucket, struct str *ret_key, struct err *err)
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
    int rc = iceberg_files_split(location, &bucket, &key, err);

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
        rc = iceberg_files_split(locations[i], &items[i].bucket, &items[i].key, err);
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
            rc = iceberg_files_split(locations[i], &other, &keys[i], err);
        if (rc == 0 && i > from && (i == n || !str_eq(other, bucket))) {
            rc = objects_delete_many(ctx, bucket, keys + from, i - from, err);
            from = i;
        }
        bucket = other;
    }
    return rc;
}

void iceberg_files_init(struct iceberg_io *io, struct objects *objects)
{
    *io = (struct iceberg_io){.ctx = objects, .read = read_file, .write = write_files, .remove = remove_files};
}
