/* One object: put, get, head, delete, and what is asked about it. */
#include "s3/internal.h"

#include "base/clock.h"
#include "base/vec.h"
#include "http/range.h"

/* ---- metadata ---- */

static const char *const kept_headers[] = {
    "cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires",
};

/* "gzip,aws-chunked" is kept as "gzip": the other was of the transfer. */
static struct str without_aws_chunked(struct s3_call *c, struct str value)
{
    BUF_SCOPED struct buf b = {0};
    struct str item;

    buf_init(&b, value.n + 1);
    while (str_split(&value, ',', &item)) {
        struct str one = str_trim(item);
        if (one.n == 0 || str_eq_nocase(one, STR("aws-chunked")))
            continue;
        if (b.n)
            buf_add_char(&b, ',');
        buf_add_str(&b, one);
    }
    return b.n ? arena_str(c->arena, buf_str(&b)) : STR_NULL;
}

struct metadata {
    VEC(struct objects_meta) items;
    size_t user_bytes;
};

/* A user header that comes twice is one value, as HTTP has it. */
static void add_user_metadata(struct s3_call *c, struct metadata *m, struct str name, struct str value)
{
    for (size_t i = 0; i < m->items.n; i++)
        if (str_eq(m->items.items[i].name, name)) {
            struct str *have = &m->items.items[i].value;
            *have = arena_printf(c->arena, "%.*s,%.*s", STR_ARG(*have), STR_ARG(value));
            m->user_bytes += value.n + 1;
            return;
        }
    vec_push_in(c->arena, &m->items, ((struct objects_meta){name, value}));
    m->user_bytes += name.n - (sizeof("x-amz-meta-") - 1) + value.n;
}

/* As s3_header: what an SDK moved into a presigned URL. */
static void add_query_metadata(struct s3_call *c, struct metadata *m)
{
    struct str rest = c->r->raw_query, item, name;

    while (str_split(&rest, '&', &item)) {
        (void)str_split(&item, '=', &name);
        if (str_starts_with_nocase(name, STR("x-amz-meta-")) &&
            str_is_null(http_header(c->r, arena_cstr(c->arena, name))))
            add_user_metadata(c, m, arena_lower(c->arena, name),
                              str_trim(http_query(c->r, arena_cstr(c->arena, name))));
    }
}

int s3_read_metadata(struct s3_call *c, struct err *err)
{
    struct metadata m = {0};
    bool has_type = false;

    for (size_t i = 0; i < ARRAY_LEN(kept_headers); i++) {
        struct str name = str_from_cstr(kept_headers[i]), value = http_header(c->r, kept_headers[i]);
        if (!str_is_null(value) && str_eq(name, STR("content-encoding")))
            value = without_aws_chunked(c, value);
        if (str_is_empty(value))
            continue;
        has_type = has_type || str_eq(name, STR("content-type"));
        vec_push_in(c->arena, &m.items, ((struct objects_meta){name, value}));
    }
    if (!has_type)
        vec_push_in(c->arena, &m.items, ((struct objects_meta){STR("content-type"), STR("binary/octet-stream")}));
    for (size_t i = 0; i < c->r->header_count; i++)
        if (str_starts_with_nocase(c->r->headers[i].name, STR("x-amz-meta-")))
            add_user_metadata(c, &m, arena_lower(c->arena, c->r->headers[i].name), str_trim(c->r->headers[i].value));
    add_query_metadata(c, &m);
    if (m.user_bytes > OBJECTS_METADATA_MAX)
        return err_set_named(err, ERR_INVALID, "MetadataTooLarge",
                             "Your metadata headers exceed the maximum allowed metadata size.");
    c->meta = m.items.items;
    c->meta_count = m.items.n;
    return 0;
}

/* What would change how the object is kept, and isn't here: refused rather than dropped. */
int s3_refuse_unsupported_headers(struct s3_call *c, struct err *err)
{
    static const char *const names[] = {
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-customer-algorithm",
        "x-amz-object-lock-mode",
        "x-amz-object-lock-retain-until-date",
        "x-amz-object-lock-legal-hold",
        "x-amz-tagging",
        "x-amz-website-redirect-location",
        "x-amz-write-offset-bytes",
        "x-amz-grant-read",
        "x-amz-grant-full-control",
    };
    struct str acl = s3_header(c, "x-amz-acl"), storage_class = s3_header(c, "x-amz-storage-class");

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!str_is_empty(s3_header(c, names[i])))
            return err_set_named(err, ERR_UNSUPPORTED, "NotImplemented", "The header %s is not implemented.", names[i]);
    /* Each bucket's users own all in it, which is what these two ask for. */
    if (!str_is_empty(acl) && !str_eq(acl, STR("private")) && !str_eq(acl, STR("bucket-owner-full-control")))
        return err_set_named(err, ERR_UNSUPPORTED, "NotImplemented", "The ACL %.*s is not implemented.", STR_ARG(acl));
    if (!str_is_empty(storage_class) && !str_eq(storage_class, STR("STANDARD")))
        return err_set_named(err, ERR_INVALID, "InvalidStorageClass",
                             "The storage class you specified is not valid: there is STANDARD only.");
    return 0;
}

/* ---- put ---- */

int s3_put_object_prepare(struct s3_call *c, struct err *err)
{
    struct objects_conditions conditions;

    if (s3_refuse_unsupported_headers(c, err) < 0 || s3_read_metadata(c, err) < 0 ||
        s3_read_write_conditions(c, &conditions, err) < 0)
        return err->code;
    return 0;
}

int s3_put_object_open(struct s3_call *c, struct objects_write **ret, struct err *err)
{
    return objects_write_begin(c->s3->objects, c->bucket, c->key, ret, err);
}

int s3_put_object(struct s3_call *c, struct err *err)
{
    struct objects_write *w = c->body.write;
    struct objects_conditions conditions;
    struct objects_info info;
    int rc;

    if ((rc = s3_read_write_conditions(c, &conditions, err)) < 0)
        return rc;
    c->body.write = NULL; /* the commit frees it */
    if ((rc = objects_write_commit(w, c->arena, c->meta, c->meta_count, &conditions, &info, err)) < 0)
        return rc;
    struct http_response *p = s3_response(c, 200);
    s3_response_add_etag(c, p, info.etag);
    s3_response_add_checksum(c, p, &info);
    s3_respond_empty(c, p);
    return 0;
}

/* ---- get and head ---- */

static void add_object_headers(struct s3_call *c, struct http_response *p, const struct objects_info *info)
{
    static const char *const overridable[] = {
        "cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires",
    };
    char modified[CLOCK_TEXT_SIZE];

    clock_format_http(info->modified_ms, modified);
    http_response_add(c->r, p, "Last-Modified", str_from_cstr(modified));
    s3_response_add_etag(c, p, info->etag);
    http_response_add(c->r, p, "Accept-Ranges", STR("bytes"));
    for (size_t i = 0; i < ARRAY_LEN(overridable); i++) {
        struct str value = http_query(c->r, arena_printf(c->arena, "response-%s", overridable[i]).p);
        for (size_t k = 0; str_is_null(value) && k < info->meta_count; k++)
            if (str_eq_cstr(info->meta[k].name, overridable[i]))
                value = info->meta[k].value;
        if (!str_is_null(value))
            http_response_add(c->r, p, overridable[i], value);
    }
    for (size_t k = 0; k < info->meta_count; k++)
        if (str_starts_with(info->meta[k].name, STR("x-amz-meta-")))
            http_response_add(c->r, p, info->meta[k].name.p, info->meta[k].value);
}

/* The bytes of an object that a request is for. */
struct extent {
    uint64_t first, n;
    bool is_part; /* 206 */
    uint32_t part_count;
};

static int find_extent(struct s3_call *c, const struct objects_info *info, struct extent *ret, struct err *err)
{
    struct str range = http_header(c->r, "range"), number = http_query(c->r, "partNumber"),
               if_range = http_header(c->r, "if-range");
    uint64_t last = 0;
    int64_t part = 0;

    *ret = (struct extent){0, info->size, false, info->part_count};
    if (!str_is_empty(number)) {
        if (!str_is_null(range))
            return err_set_named(err, ERR_INVALID, "InvalidRequest",
                                 "Cannot specify both Range header and partNumber query parameter.");
        if (str_to_i64(number, &part, NULL) < 0 || part < 1 || part > OBJECTS_PARTS_MAX)
            return err_set_named(err, ERR_INVALID, "InvalidArgument",
                                 "Part number must be an integer between 1 and 10000, inclusive.");
        if (part > 1 && (uint64_t)part > info->part_count)
            return err_set_named(err, ERR_INVALID, "InvalidRange", "The requested partnumber is not satisfiable.");
        if (info->part_count > 1)
            return err_set_named(err, ERR_UNSUPPORTED, "NotImplemented",
                                 "Reading a part of an object of several parts by its number is not implemented: use "
                                 "a Range.");
        ret->is_part = info->size > 0;
        return 0;
    }
    if (!str_is_null(if_range) && !str_eq(s3_unquote_etag(if_range), info->etag))
        return 0;
    if (str_is_null(range))
        return 0;
    switch (http_range_parse(range, info->size, &ret->first, &last)) {
    case HTTP_RANGE_PART:
        ret->n = last - ret->first + 1;
        ret->is_part = true;
        return 0;
    case HTTP_RANGE_UNSATISFIABLE:
        return err_set_named(err, ERR_INVALID, "InvalidRange", "The requested range is not satisfiable.");
    default:
        return 0;
    }
}

static struct http_response *make_response(struct s3_call *c, const struct objects_info *info, const struct extent *e)
{
    struct http_response *p = s3_response(c, e->is_part ? 206 : 200);
    struct str mode = s3_header(c, "x-amz-checksum-mode");

    add_object_headers(c, p, info);
    if (e->is_part)
        http_response_addf(c->r, p, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)e->first,
                           (unsigned long long)(e->first + e->n - 1), (unsigned long long)info->size);
    /* The checksum is the whole object's: of a part of it a client would take it for wrong. */
    if (str_eq_nocase(mode, STR("ENABLED")) && e->n == info->size)
        s3_response_add_checksum(c, p, info);
    if (info->part_count && http_has_query(c->r, "partNumber"))
        http_response_addf(c->r, p, "x-amz-mp-parts-count", "%u", info->part_count);
    return p;
}

/* Responds with 304 or fails with PreconditionFailed; *ret_goes_on false when it responded. */
static int check_conditions(struct s3_call *c, const struct objects_info *info, bool *ret_goes_on, struct err *err)
{
    const struct s3_conditions q = {
        .if_match = http_header(c->r, "if-match"),
        .if_none_match = http_header(c->r, "if-none-match"),
        .if_modified_since = http_header(c->r, "if-modified-since"),
        .if_unmodified_since = http_header(c->r, "if-unmodified-since"),
    };
    int status = s3_conditions_check(&q, info);

    *ret_goes_on = status == 200;
    if (status == 412)
        return err_set_named(err, ERR_CONFLICT, "PreconditionFailed",
                             "At least one of the pre-conditions you specified did not hold");
    if (status == 304) {
        struct http_response *p = s3_response(c, 304);
        char modified[CLOCK_TEXT_SIZE];
        clock_format_http(info->modified_ms, modified);
        s3_response_add_etag(c, p, info->etag);
        http_response_add(c->r, p, "Last-Modified", str_from_cstr(modified));
        s3_respond_empty(c, p);
    }
    return 0;
}

int s3_get_object(struct s3_call *c, struct err *err)
{
    struct objects_reader reader;
    struct extent e;
    bool goes_on;
    int rc = objects_read(c->s3->objects, c->arena, c->bucket, c->key, &reader, err);

    if (rc < 0)
        return rc;
    if ((rc = check_conditions(c, &reader.info, &goes_on, err)) < 0 || !goes_on ||
        (rc = find_extent(c, &reader.info, &e, err)) < 0) {
        objects_reader_release(&reader);
        return rc;
    }
    struct http_response *p = make_response(c, &reader.info, &e);
    int fd = reader.fd;
    c->responded = true;
    if (fd >= 0) {
        reader.fd = -1;
        objects_reader_release(&reader);
        http_respond_file(c->r, p, fd, e.first, e.n);
    } else {
        /* The bytes are the arena's, and are copied before this returns. */
        http_respond_text(c->r, p, NULL, str_slice(reader.inline_bytes, (size_t)e.first, (size_t)e.n));
    }
    return 0;
}

int s3_head_object(struct s3_call *c, struct err *err)
{
    struct objects_info info;
    struct extent e;
    bool goes_on;
    int rc = objects_head(c->s3->objects, c->arena, c->bucket, c->key, &info, err);

    if (rc < 0 || (rc = check_conditions(c, &info, &goes_on, err)) < 0 || !goes_on)
        return rc;
    if ((rc = find_extent(c, &info, &e, err)) < 0)
        return rc;
    struct http_response *p = make_response(c, &info, &e);
    http_response_addf(c->r, p, "Content-Length", "%llu", (unsigned long long)e.n);
    s3_respond_empty(c, p);
    return 0;
}

/* ---- delete ---- */

int s3_delete_object(struct s3_call *c, struct err *err)
{
    int rc;

    if (!str_is_null(http_header(c->r, "if-match")))
        return err_set_named(err, ERR_UNSUPPORTED, "NotImplemented", "A conditional DELETE is not implemented.");
    if ((rc = objects_delete(c->s3->objects, c->bucket, c->key, err)) < 0)
        return rc;
    s3_respond_empty(c, s3_response(c, 204));
    return 0;
}

struct deletion {
    struct str key;
    const char *error_name, *error_message; /* NULL: to be deleted */
};

static int read_deletions(struct s3_call *c, const struct xml_node *root, struct deletion **ret, size_t *ret_n,
                          struct err *err)
{
    VEC(struct deletion) list = {0};

    if (!str_eq(root->name, STR("Delete")))
        return err_set_named(err, ERR_INVALID, "MalformedXML", "A Delete element was expected, found %.*s.",
                             STR_ARG(root->name));
    for (const struct xml_node *n = root->children; n; n = n->next) {
        if (!str_eq(n->name, STR("Object")))
            continue;
        struct deletion d = {.key = xml_child_text(n, "Key")};
        struct str version = xml_child_text(n, "VersionId");
        if (str_is_empty(d.key) || list.n == S3_KEYS_MAX)
            return err_set_named(err, ERR_INVALID, "MalformedXML",
                                 "The XML you provided was not well-formed or did not validate against our published "
                                 "schema: each of 1 to %d Objects has a Key.",
                                 S3_KEYS_MAX);
        if (version.n && !str_eq(version, STR("null"))) {
            d.error_name = "NoSuchVersion";
            d.error_message = "The specified version does not exist: there are no versions here.";
        } else if (d.key.n > OBJECTS_KEY_MAX) {
            d.error_name = "KeyTooLongError";
            d.error_message = "Your key is too long.";
        }
        vec_push_in(c->arena, &list, d);
    }
    if (list.n == 0)
        return err_set_named(err, ERR_INVALID, "MalformedXML", "The Delete element holds no Object.");
    *ret = list.items;
    *ret_n = list.n;
    return 0;
}

int s3_delete_objects(struct s3_call *c, struct err *err)
{
    struct xml_node *root;
    struct deletion *list;
    size_t n, key_count = 0, denied = 0;
    int rc;

    if ((rc = xml_parse(c->arena, buf_str(&c->body.xml), &root, err)) < 0 ||
        (rc = read_deletions(c, root, &list, &n, err)) < 0)
        return rc;
    struct str *keys = arena_array(c->arena, struct str, n);
    for (size_t i = 0; i < n; i++) {
        struct err why = {0};
        if (s3_authorize(c, "s3:DeleteObject", c->bucket, list[i].key, &why) < 0) {
            list[i].error_name = why.name;
            list[i].error_message = "Access Denied.";
            denied++;
        } else if (!list[i].error_name) {
            keys[key_count++] = list[i].key;
        }
    }
    /* Whether there is such a bucket is not said to who has nothing to do there. */
    if (denied < n && (rc = objects_delete_many(c->s3->objects, c->bucket, keys, key_count, err)) < 0)
        return rc;

    bool is_quiet = str_eq(str_trim(xml_child_text(root, "Quiet")), STR("true"));
    BUF_SCOPED struct buf b = {0};
    buf_init(&b, 32 << 20);
    xml_start(&b, "DeleteResult");
    for (size_t i = 0; i < n; i++) {
        const struct deletion *d = &list[i];
        if (!d->error_name && is_quiet)
            continue;
        xml_open(&b, d->error_name ? "Error" : "Deleted");
        xml_text(&b, "Key", d->key);
        if (d->error_name) {
            xml_cstr(&b, "Code", d->error_name);
            xml_cstr(&b, "Message", d->error_message);
        }
        xml_close(&b, d->error_name ? "Error" : "Deleted");
    }
    xml_close(&b, "DeleteResult");
    s3_respond_xml(c, s3_response(c, 200), &b);
    return 0;
}

/* ---- what is asked about an object ---- */

int s3_get_object_acl(struct s3_call *c, struct err *err)
{
    struct objects_info info;
    int rc = objects_head(c->s3->objects, c->arena, c->bucket, c->key, &info, err);

    return rc < 0 ? rc : s3_get_bucket_acl(c, err);
}

int s3_get_object_tagging(struct s3_call *c, struct err *err)
{
    struct objects_info info;
    int rc = objects_head(c->s3->objects, c->arena, c->bucket, c->key, &info, err);
    BUF_SCOPED struct buf b = {0};

    if (rc < 0)
        return rc;
    buf_init(&b, 4096);
    xml_start(&b, "Tagging");
    buf_add_cstr(&b, "<TagSet></TagSet></Tagging>");
    s3_respond_xml(c, s3_response(c, 200), &b);
    return 0;
}

static bool is_wanted(struct s3_call *c, const char *attribute)
{
    struct str *lists, item;
    size_t n = http_headers(c->r, "x-amz-object-attributes", &lists);

    for (size_t i = 0; i < n; i++)
        while (str_split(&lists[i], ',', &item))
            if (str_eq_cstr(str_trim(item), attribute))
                return true;
    return false;
}

int s3_get_object_attributes(struct s3_call *c, struct err *err)
{
    struct objects_info info;
    char modified[CLOCK_TEXT_SIZE];
    BUF_SCOPED struct buf b = {0};

    /* It takes both rights, as AWS has it. */
    int rc = s3_authorize(c, "s3:GetObject", c->bucket, c->key, err);
    if (rc == 0)
        rc = objects_head(c->s3->objects, c->arena, c->bucket, c->key, &info, err);
    if (rc < 0)
        return rc;
    if (str_is_null(http_header(c->r, "x-amz-object-attributes")))
        return err_set_named(err, ERR_INVALID, "InvalidArgument", "The x-amz-object-attributes header is missing.");
    buf_init(&b, 1 << 16);
    xml_start(&b, "GetObjectAttributesResponse");
    if (is_wanted(c, "ETag"))
        xml_text(&b, "ETag", info.etag);
    if (is_wanted(c, "Checksum") && checksum_by_kind(info.checksum.kind)) {
        xml_open(&b, "Checksum");
        s3_xml_checksum(c, &b, &info.checksum, info.part_count);
        xml_cstr(&b, "ChecksumType", info.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
        xml_close(&b, "Checksum");
    }
    if (is_wanted(c, "ObjectParts") && info.part_count) {
        xml_open(&b, "ObjectParts");
        xml_u64(&b, "TotalPartsCount", info.part_count);
        xml_close(&b, "ObjectParts");
    }
    if (is_wanted(c, "StorageClass"))
        xml_cstr(&b, "StorageClass", "STANDARD");
    if (is_wanted(c, "ObjectSize"))
        xml_u64(&b, "ObjectSize", info.size);
    xml_close(&b, "GetObjectAttributesResponse");
    struct http_response *p = s3_response(c, 200);
    clock_format_http(info.modified_ms, modified);
    http_response_add(c->r, p, "Last-Modified", str_from_cstr(modified));
    s3_respond_xml(c, p, &b);
    return 0;
}
