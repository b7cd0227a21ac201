/* Copies within the store. A plain copy shares the source's bytes; one that asks for another checksum reads them. */
#include "s3/internal.h"

#include "base/enc.h"
#include "os/file.h"

#include <fcntl.h>

/* "/bucket/key" or "bucket/key", percent-encoded, maybe with "?versionId=…". */
int s3_read_copy_source(struct s3_call *c, struct s3_source *ret, struct err *err)
{
    struct str text = s3_header(c, "x-amz-copy-source"), path;
    size_t version = str_find(text, STR("?versionId="), 0);
    BUF_SCOPED struct buf b = {0};

    if (version != SIZE_MAX) {
        if (!str_eq(str_skip(text, version + sizeof("?versionId=") - 1), STR("null")))
            return err_set_named(err, ERR_UNSUPPORTED, "NotImplemented",
                                 "A copy source with a versionId is not implemented: there are no versions.");
        text = str_slice(text, 0, version);
    }
    buf_init(&b, 1 << 16);
    if (enc_unpercent(&b, text, false, NULL) < 0)
        return err_set_named(err, ERR_INVALID, "InvalidArgument", "Copy Source must be percent-encoded.");
    path = arena_str(c->arena, buf_str(&b));
    if (str_starts_with(path, STR("/")))
        path = str_skip(path, 1);
    size_t slash = str_find_char(path, '/', 0);
    if (slash == SIZE_MAX || slash == 0 || slash + 1 == path.n || !str_is_utf8(path) ||
        str_find_char(path, '\0', 0) != SIZE_MAX)
        return err_set_named(err, ERR_INVALID, "InvalidArgument",
                             "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
    ret->bucket = str_slice(path, 0, slash);
    ret->key = str_skip(path, slash + 1);
    return s3_authorize(c, "s3:GetObject", ret->bucket, ret->key, err);
}

int s3_open_copy_source(struct s3_call *c, const struct s3_source *s, struct objects_reader *ret, struct err *err)
{
    const struct s3_conditions q = {
        .if_match = s3_header(c, "x-amz-copy-source-if-match"),
        .if_none_match = s3_header(c, "x-amz-copy-source-if-none-match"),
        .if_modified_since = s3_header(c, "x-amz-copy-source-if-modified-since"),
        .if_unmodified_since = s3_header(c, "x-amz-copy-source-if-unmodified-since"),
    };
    int rc = objects_read(c->s3->objects, c->arena, s->bucket, s->key, ret, err);

    if (rc < 0)
        return rc;
    if (s3_conditions_check(&q, &ret->info) == 200)
        return 0;
    objects_reader_release(ret);
    return err_set_named(err, ERR_CONFLICT, "PreconditionFailed",
                         "At least one of the pre-conditions you specified did not hold");
}

int s3_copy_bytes(const struct objects_reader *from, uint64_t first, uint64_t n, struct objects_write *to,
                  struct err *err)
{
    enum { BLOCK = 256 << 10 };
    char *block;
    int rc = 0;

    if (from->fd < 0)
        return objects_write_append(to, str_slice(from->inline_bytes, (size_t)first, (size_t)n), err);
    block = malloc(BLOCK);
    if (!block)
        return err_set_named(err, ERR_UNAVAILABLE, "SlowDown", "no memory to copy an object");
    (void)posix_fadvise(from->fd, (off_t)first, (off_t)n, POSIX_FADV_SEQUENTIAL);
    while (n && rc >= 0) {
        size_t part = n < BLOCK ? (size_t)n : BLOCK;
        rc = file_pread_all(from->fd, block, part, first, err);
        if (rc >= 0)
            rc = objects_write_append(to, str_from(block, part), err);
        first += part;
        n -= part;
    }
    free(block);
    return rc;
}

static int read_directive(struct s3_call *c, const char *name, bool *ret_replaces, struct err *err)
{
    struct str text = s3_header(c, name);

    *ret_replaces = str_eq(text, STR("REPLACE"));
    if (!str_is_empty(text) && !*ret_replaces && !str_eq(text, STR("COPY")))
        return err_set_named(err, ERR_INVALID, "InvalidArgument", "Unknown %s: COPY or REPLACE.", name);
    return 0;
}

int s3_copy_object_prepare(struct s3_call *c, struct err *err)
{
    struct s3_source source;
    struct str algorithm = s3_header(c, "x-amz-checksum-algorithm");
    bool replaces, replaces_tags;

    if (s3_read_copy_source(c, &source, err) < 0 || read_directive(c, "x-amz-metadata-directive", &replaces, err) < 0 ||
        read_directive(c, "x-amz-tagging-directive", &replaces_tags, err) < 0 ||
        s3_refuse_unsupported_headers(c, err) < 0 || s3_read_metadata(c, err) < 0)
        return err->code;
    if (!replaces) {
        if (str_eq(source.bucket, c->bucket) && str_eq(source.key, c->key))
            return err_set_named(err, ERR_INVALID, "InvalidRequest",
                                 "This copy request is illegal because it is trying to copy an object to itself "
                                 "without changing the object's metadata, storage class, website redirect location or "
                                 "encryption attributes.");
        c->meta = NULL;
    }
    if (!str_is_empty(algorithm) && !checksum_by_algorithm(algorithm))
        return err_set_named(err, ERR_INVALID, "InvalidRequest", "Checksum algorithm provided is unsupported.");
    return 0;
}

/* Reads the bytes, for a checksum that the source doesn't have. */
static int rewrite(struct s3_call *c, const struct objects_reader *from, const struct checksum_kind *k,
                   const struct objects_conditions *conditions, struct objects_info *ret, struct err *err)
{
    const struct objects_meta *meta = c->meta ? c->meta : from->info.meta;
    size_t meta_count = c->meta ? c->meta_count : from->info.meta_count;
    struct objects_write *w;
    int rc = objects_write_begin(c->s3->objects, c->bucket, c->key, &w, err);

    if (rc < 0)
        return rc;
    if ((rc = objects_write_add_checksum(w, k->kind, err)) < 0 ||
        (rc = s3_copy_bytes(from, 0, from->info.size, w, err)) < 0) {
        objects_write_abort(w);
        return rc;
    }
    return objects_write_commit(w, c->arena, meta, meta_count, conditions, ret, err);
}

int s3_copy_object(struct s3_call *c, struct err *err)
{
    const struct checksum_kind *k = checksum_by_algorithm(s3_header(c, "x-amz-checksum-algorithm"));
    struct objects_conditions conditions;
    struct s3_source source;
    struct objects_reader reader;
    struct objects_info info;
    BUF_SCOPED struct buf b = {0};
    int rc;

    buf_init(&b, 1 << 16);
    if ((rc = s3_read_write_conditions(c, &conditions, err)) < 0 || (rc = s3_read_copy_source(c, &source, err)) < 0 ||
        (rc = s3_open_copy_source(c, &source, &reader, err)) < 0)
        return rc;
    if (k && (int)k->kind != reader.info.checksum.kind)
        rc = rewrite(c, &reader, k, &conditions, &info, err);
    else
        rc = objects_copy(c->s3->objects, c->arena, source.bucket, source.key, c->bucket, c->key, c->meta,
                          c->meta_count, &conditions, &info, err);
    objects_reader_release(&reader);
    if (rc < 0)
        return rc;
    xml_start(&b, "CopyObjectResult");
    xml_time(&b, "LastModified", info.modified_ms);
    s3_xml_etag(&b, info.etag);
    s3_xml_checksum(c, &b, &info.checksum, info.part_count);
    xml_close(&b, "CopyObjectResult");
    s3_respond_xml(c, s3_response(c, 200), &b);
    return 0;
}
