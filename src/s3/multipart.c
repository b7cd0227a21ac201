/* Multipart uploads: begin, parts (sent or copied), complete, abort, and what there is of them. */
#include "s3/internal.h"

#include "base/vec.h"
#include "http/forwarded.h"
#include "http/range.h"

/* ---- begin ---- */

struct declared {
    int kind; /* enum hash_kind, -1 */
    bool composite;
};

/* x-amz-checksum-algorithm and -type; without a type the algorithm's own: AWS's "Checking object integrity". */
static int read_declared(struct s3_call *c, struct declared *ret, struct err *err)
{
    struct str algorithm = s3_header(c, "x-amz-checksum-algorithm"), type = s3_header(c, "x-amz-checksum-type");
    const struct checksum_kind *k = checksum_by_algorithm(algorithm);

    *ret = (struct declared){.kind = -1};
    if (str_is_empty(algorithm)) {
        if (!str_is_empty(type))
            return err_set_named(err, ERR_INVALID, "InvalidRequest",
                                 "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm "
                                 "header.");
        return 0;
    }
    if (!k)
        return err_set_named(err, ERR_INVALID, "InvalidRequest",
                             "Checksum algorithm provided is unsupported. Please try again with any of the valid "
                             "types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
    ret->kind = (int)k->kind;
    ret->composite = str_is_empty(type) ? k->composite_allowed : str_eq(type, STR("COMPOSITE"));
    if (!str_is_empty(type) && !ret->composite && !str_eq(type, STR("FULL_OBJECT")))
        return err_set_named(err, ERR_INVALID, "InvalidRequest", "Value for x-amz-checksum-type header is invalid.");
    if (ret->composite ? !k->composite_allowed : !k->full_object_allowed)
        return err_set_named(err, ERR_INVALID, "InvalidRequest",
                             "The %s checksum type cannot be used with the %s checksum algorithm.",
                             ret->composite ? "COMPOSITE" : "FULL_OBJECT", k->algorithm);
    return 0;
}

int s3_create_upload_prepare(struct s3_call *c, struct err *err)
{
    struct declared d;

    if (s3_refuse_unsupported_headers(c, err) < 0 || s3_read_metadata(c, err) < 0 || read_declared(c, &d, err) < 0)
        return err->code;
    return 0;
}

int s3_create_upload(struct s3_call *c, struct err *err)
{
    struct declared d;
    struct str id;
    BUF_SCOPED struct buf b = {0};
    int rc;

    buf_init(&b, 1 << 16);
    if ((rc = read_declared(c, &d, err)) < 0 ||
        (rc = objects_upload_begin(c->s3->objects, c->arena, c->bucket, c->key, c->meta, c->meta_count, d.kind,
                                   d.composite, &id, err)) < 0)
        return rc;
    xml_start(&b, "InitiateMultipartUploadResult");
    xml_text(&b, "Bucket", c->bucket);
    xml_text(&b, "Key", c->key);
    xml_text(&b, "UploadId", id);
    xml_close(&b, "InitiateMultipartUploadResult");
    struct http_response *p = s3_response(c, 200);
    if (d.kind >= 0) {
        http_response_add(c->r, p, "x-amz-checksum-algorithm", str_from_cstr(checksum_by_kind(d.kind)->algorithm));
        http_response_add(c->r, p, "x-amz-checksum-type", d.composite ? STR("COMPOSITE") : STR("FULL_OBJECT"));
    }
    s3_respond_xml(c, p, &b);
    return 0;
}

/* ---- parts ---- */

static int read_part_number(struct s3_call *c, uint32_t *ret, struct err *err)
{
    int64_t n;

    if (str_to_i64(http_query(c->r, "partNumber"), &n, NULL) < 0 || n < 1 || n > OBJECTS_PARTS_MAX)
        return err_set_named(err, ERR_INVALID, "InvalidArgument",
                             "Part number must be an integer between 1 and 10000, inclusive");
    *ret = (uint32_t)n;
    return 0;
}

int s3_upload_part_prepare(struct s3_call *c, struct err *err)
{
    uint32_t number;
    struct s3_source source;

    if (read_part_number(c, &number, err) < 0)
        return ERR_INVALID;
    if (c->operation->body == S3_BODY_NONE)
        return s3_read_copy_source(c, &source, err);
    if (c->body.length > S3_PART_MAX)
        return err_set_named(err, ERR_INVALID, "EntityTooLarge",
                             "Your proposed upload exceeds the maximum allowed size of a part.");
    return 0;
}

int s3_upload_part_open(struct s3_call *c, struct objects_write **ret, struct err *err)
{
    struct str id = http_query(c->r, "uploadId");
    struct objects_upload upload;
    uint32_t number;
    int rc;

    if ((rc = read_part_number(c, &number, err)) < 0 ||
        (rc = objects_upload_get(c->s3->objects, c->arena, c->bucket, c->key, id, &upload, err)) < 0)
        return rc;
    if (c->body.checksum && upload.checksum_kind >= 0 && (int)c->body.checksum->kind != upload.checksum_kind)
        return err_set_named(err, ERR_INVALID, "InvalidRequest",
                             "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
                             checksum_by_kind(upload.checksum_kind)->algorithm, c->body.checksum->algorithm);
    if ((rc = objects_part_begin(c->s3->objects, c->bucket, c->key, id, number, ret, err)) < 0)
        return rc;
    /* The upload's checksum is made of its parts', whether or not the client sends one with each. */
    if (!c->body.checksum && upload.checksum_kind >= 0 &&
        (rc = objects_write_add_checksum(*ret, (enum hash_kind)upload.checksum_kind, err)) < 0) {
        objects_write_abort(*ret);
        *ret = NULL;
    }
    return rc;
}

static int commit_part(struct s3_call *c, struct objects_write *w, struct objects_info *ret, struct err *err)
{
    const struct objects_conditions none = {STR_NULL, STR_NULL};

    return objects_write_commit(w, c->arena, NULL, 0, &none, ret, err);
}

int s3_upload_part(struct s3_call *c, struct err *err)
{
    struct objects_write *w = c->body.write;
    struct objects_info info;
    int rc;

    c->body.write = NULL; /* the commit frees it */
    if ((rc = commit_part(c, w, &info, err)) < 0)
        return rc;
    struct http_response *p = s3_response(c, 200);
    const struct checksum_kind *k = checksum_by_kind(info.checksum.kind);
    s3_response_add_etag(c, p, info.etag);
    if (k)
        http_response_add(c->r, p, k->header, checksum_text(c->arena, &info.checksum, 0));
    s3_respond_empty(c, p);
    return 0;
}

/* The whole source, or the part that x-amz-copy-source-range names: "bytes=first-last", both said and in it. */
static int read_copy_range(struct s3_call *c, uint64_t size, uint64_t *ret_first, uint64_t *ret_n, struct err *err)
{
    struct str range = s3_header(c, "x-amz-copy-source-range");
    uint64_t last, said;
    size_t dash = str_find_char(range, '-', 0);

    *ret_first = 0;
    *ret_n = size;
    if (str_is_null(range))
        return 0;
    if (dash == SIZE_MAX || http_range_parse(range, UINT64_MAX, ret_first, &last) != HTTP_RANGE_PART ||
        str_to_u64(str_skip(range, dash + 1), &said, NULL) < 0 || said != last)
        return err_set_named(err, ERR_INVALID, "InvalidArgument",
                             "The x-amz-copy-source-range value must be of the form bytes=first-last where first and "
                             "last are the zero-based offsets of the first and last bytes to copy");
    if (last >= size)
        return err_set_named(err, ERR_INVALID, "InvalidRange",
                             "Range specified is not valid for source object of size: %llu", (unsigned long long)size);
    *ret_n = last - *ret_first + 1;
    return 0;
}

int s3_upload_part_copy(struct s3_call *c, struct err *err)
{
    struct s3_source source;
    struct objects_reader reader;
    struct objects_write *w = NULL;
    struct objects_info info;
    uint64_t first, n;
    BUF_SCOPED struct buf b = {0};
    int rc;

    buf_init(&b, 1 << 16);
    if ((rc = s3_read_copy_source(c, &source, err)) < 0 || (rc = s3_open_copy_source(c, &source, &reader, err)) < 0)
        return rc;
    if ((rc = read_copy_range(c, reader.info.size, &first, &n, err)) >= 0 &&
        (rc = s3_upload_part_open(c, &w, err)) >= 0 && (rc = s3_copy_bytes(&reader, first, n, w, err)) < 0)
        objects_write_abort(w);
    objects_reader_release(&reader);
    if (rc < 0 || (rc = commit_part(c, w, &info, err)) < 0)
        return rc;
    xml_start(&b, "CopyPartResult");
    xml_time(&b, "LastModified", info.modified_ms);
    s3_xml_etag(&b, info.etag);
    s3_xml_checksum(c, &b, &info.checksum, 0);
    xml_close(&b, "CopyPartResult");
    s3_respond_xml(c, s3_response(c, 200), &b);
    return 0;
}

/* ---- complete ---- */

static int malformed_complete(struct err *err, const char *what)
{
    return err_set_named(err, ERR_INVALID, "MalformedXML",
                         "The XML you provided was not well-formed or did not validate against our published schema: "
                         "%s.",
                         what);
}

static int read_part(const struct xml_node *n, struct objects_part *ret, struct err *err)
{
    int64_t number;

    *ret = (struct objects_part){.etag = s3_unquote_etag(xml_child_text(n, "ETag")), .checksum = {.kind = -1}};
    if (str_to_i64(str_trim(xml_child_text(n, "PartNumber")), &number, NULL) < 0 || number < 1 ||
        number > OBJECTS_PARTS_MAX || str_is_empty(ret->etag))
        return malformed_complete(err, "each Part has a PartNumber from 1 to 10000 and an ETag");
    ret->number = (uint32_t)number;
    for (size_t i = 0; i < CHECKSUM_KINDS; i++) {
        const struct checksum_kind *k = &checksum_kinds[i];
        struct str text = xml_child_text(n, k->xml);
        if (str_is_empty(text))
            continue;
        if (checksum_read(k, text, ret->checksum.value, err) < 0)
            return ERR_INVALID;
        ret->checksum.kind = (int)k->kind;
    }
    return 0;
}

static int read_parts(struct s3_call *c, struct objects_part **ret, size_t *ret_n, struct err *err)
{
    VEC(struct objects_part) parts = {0};
    struct xml_node *root;

    if (xml_parse(c->arena, buf_str(&c->body.xml), &root, err) < 0)
        return ERR_INVALID;
    if (!str_eq(root->name, STR("CompleteMultipartUpload")))
        return malformed_complete(err, "a CompleteMultipartUpload element was expected");
    for (const struct xml_node *n = root->children; n; n = n->next) {
        struct objects_part part;
        if (!str_eq(n->name, STR("Part")))
            continue;
        if (parts.n == OBJECTS_PARTS_MAX)
            return malformed_complete(err, "there are more than 10000 Parts");
        if (read_part(n, &part, err) < 0)
            return ERR_INVALID;
        if (parts.n && part.number <= parts.items[parts.n - 1].number)
            return err_set_named(err, ERR_INVALID, "InvalidPartOrder",
                                 "The list of parts was not in ascending order. Parts must be ordered by part number.");
        vec_push_in(c->arena, &parts, part);
    }
    if (parts.n == 0)
        return malformed_complete(err, "there is no Part");
    *ret = parts.items;
    *ret_n = parts.n;
    return 0;
}

/* The parts that the client lists, as the store has them; one that it hasn't is left out, and refused later. */
static int load_parts(struct s3_call *c, struct str id, const struct objects_part *listed, size_t n,
                      struct objects_part *ret, size_t *ret_n, struct err *err)
{
    struct objects_part *have;
    size_t have_n, at = 0;
    bool truncated;
    int rc = objects_upload_parts(c->s3->objects, c->arena, c->bucket, c->key, id, 0, OBJECTS_PARTS_MAX, &have, &have_n,
                                  &truncated, err);

    *ret_n = 0;
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        while (at < have_n && have[at].number < listed[i].number)
            at++;
        if (at < have_n && have[at].number == listed[i].number)
            ret[(*ret_n)++] = have[at];
    }
    return 0;
}

/* What the whole object's checksum will be, from its parts'. */
static bool sum_parts(const struct objects_upload *u, const struct objects_part *parts, size_t n,
                      unsigned char ret[HASH_MAX_SIZE])
{
    enum hash_kind kind = (enum hash_kind)u->checksum_kind;
    size_t size = hash_size(kind);
    uint64_t crc = 0;
    struct hash h;

    for (size_t i = 0; i < n; i++)
        if (parts[i].checksum.kind != u->checksum_kind)
            return false;
    if (u->checksum_composite) {
        hash_init(&h, kind);
        for (size_t i = 0; i < n; i++)
            hash_update(&h, parts[i].checksum.value, size);
        hash_final(&h, ret);
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t part = 0;
        for (size_t k = 0; k < size; k++)
            part = part << 8 | parts[i].checksum.value[k];
        crc = i ? hash_crc_combine(kind, crc, part, parts[i].size) : part;
    }
    for (size_t k = 0; k < size; k++)
        ret[k] = (unsigned char)(crc >> 8 * (size - 1 - k));
    return true;
}

/* What the client says about the object that is to be made: its size, checksum and that one's type. */
static int check_promises(struct s3_call *c, const struct objects_upload *u, const struct objects_part *parts, size_t n,
                          struct err *err)
{
    struct str size = s3_header(c, "x-amz-mp-object-size"), type = s3_header(c, "x-amz-checksum-type");
    unsigned char made[HASH_MAX_SIZE];
    uint64_t said, total = 0;

    for (size_t i = 0; i < n; i++)
        total += parts[i].size;
    if (!str_is_null(size) && (str_to_u64(size, &said, NULL) < 0 || said != total))
        return err_set_named(err, ERR_INVALID, "InvalidRequest",
                             "The provided 'x-amz-mp-object-size' header value %.*s does not match what was computed: "
                             "%llu",
                             STR_ARG(size), (unsigned long long)total);
    if (!str_is_null(type) && (u->checksum_kind < 0 || str_eq(type, STR("COMPOSITE")) != u->checksum_composite))
        return err_set_named(err, ERR_INVALID, "InvalidRequest",
                             "The upload was created using another checksum mode than the complete request's: %.*s.",
                             STR_ARG(type));
    for (size_t i = 0; i < CHECKSUM_KINDS; i++) {
        const struct checksum_kind *k = &checksum_kinds[i];
        struct str text = s3_header(c, k->header);
        unsigned char value[HASH_MAX_SIZE];
        if (str_is_null(text))
            continue;
        text = str_slice(text, 0, str_find_char(text, '-', 0)); /* "-N" of a composite one */
        if (checksum_read(k, text, value, err) < 0)
            return ERR_INVALID;
        if ((int)k->kind != u->checksum_kind || !sum_parts(u, parts, n, made) ||
            memcmp(made, value, hash_size(k->kind)) != 0)
            return err_set_named(err, ERR_INVALID, "BadDigest",
                                 "The %s you specified did not match the calculated checksum.", k->algorithm);
    }
    return 0;
}

/* The object's URL as the client knows it, proxies before us included. */
static struct str location(struct s3_call *c)
{
    struct http_origin origin;
    BUF_SCOPED struct buf url = {0};

    buf_init(&url, 16 << 10);
    if (http_origin_of(c->r, &origin, NULL) == 0)
        http_origin_url(&url, &origin);
    buf_add_str(&url, c->r->raw_path);
    return arena_str(c->arena, buf_str(&url));
}

int s3_complete_upload(struct s3_call *c, struct err *err)
{
    struct str id = http_query(c->r, "uploadId");
    struct objects_conditions conditions;
    struct objects_upload upload;
    struct objects_part *parts;
    struct objects_info info;
    size_t n, have_n;
    BUF_SCOPED struct buf b = {0};
    int rc;

    buf_init(&b, 1 << 16);
    if ((rc = s3_read_write_conditions(c, &conditions, err)) < 0 || (rc = read_parts(c, &parts, &n, err)) < 0 ||
        (rc = objects_upload_get(c->s3->objects, c->arena, c->bucket, c->key, id, &upload, err)) < 0)
        return rc;
    struct objects_part *have = arena_array(c->arena, struct objects_part, n);
    if ((rc = load_parts(c, id, parts, n, have, &have_n, err)) < 0)
        return rc;
    if (have_n == n && (rc = check_promises(c, &upload, have, n, err)) < 0)
        return rc;
    if ((rc = objects_upload_complete(c->s3->objects, c->arena, c->bucket, c->key, id, parts, n, &conditions, &info,
                                      err)) < 0)
        return rc;
    xml_start(&b, "CompleteMultipartUploadResult");
    xml_text(&b, "Location", location(c));
    xml_text(&b, "Bucket", c->bucket);
    xml_text(&b, "Key", c->key);
    s3_xml_etag(&b, info.etag);
    s3_xml_checksum(c, &b, &info.checksum, info.part_count);
    if (info.checksum.kind >= 0)
        xml_cstr(&b, "ChecksumType", info.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
    xml_close(&b, "CompleteMultipartUploadResult");
    s3_respond_xml(c, s3_response(c, 200), &b);
    return 0;
}

/* ---- abort and list ---- */

int s3_abort_upload(struct s3_call *c, struct err *err)
{
    int rc = objects_upload_abort(c->s3->objects, c->bucket, c->key, http_query(c->r, "uploadId"), err);

    if (rc < 0)
        return rc;
    s3_respond_empty(c, s3_response(c, 204));
    return 0;
}

static void add_checksum_type(struct buf *b, const struct objects_upload *u)
{
    if (u->checksum_kind < 0)
        return;
    xml_cstr(b, "ChecksumAlgorithm", checksum_by_kind(u->checksum_kind)->algorithm);
    xml_cstr(b, "ChecksumType", u->checksum_composite ? "COMPOSITE" : "FULL_OBJECT");
}

int s3_list_parts(struct s3_call *c, struct err *err)
{
    struct str id = http_query(c->r, "uploadId");
    struct objects_upload upload;
    struct objects_part *parts = NULL;
    size_t n = 0;
    int64_t max, after;
    bool truncated = false;
    BUF_SCOPED struct buf b = {0};
    int rc;

    buf_init(&b, 16 << 20);
    if ((rc = s3_query_number(c, "max-parts", S3_KEYS_MAX, S3_KEYS_MAX, &max, err)) < 0 ||
        (rc = s3_query_number(c, "part-number-marker", 0, INT32_MAX, &after, err)) < 0 ||
        (rc = objects_upload_get(c->s3->objects, c->arena, c->bucket, c->key, id, &upload, err)) < 0)
        return rc;
    if (max && (rc = objects_upload_parts(c->s3->objects, c->arena, c->bucket, c->key, id, (uint32_t)after, (size_t)max,
                                          &parts, &n, &truncated, err)) < 0)
        return rc;
    xml_start(&b, "ListPartsResult");
    xml_text(&b, "Bucket", c->bucket);
    xml_text(&b, "Key", c->key);
    xml_text(&b, "UploadId", id);
    s3_xml_owner(c, &b, "Initiator");
    s3_xml_owner(c, &b, "Owner");
    xml_cstr(&b, "StorageClass", "STANDARD");
    xml_u64(&b, "PartNumberMarker", (uint64_t)after);
    xml_u64(&b, "NextPartNumberMarker", n ? parts[n - 1].number : 0);
    xml_u64(&b, "MaxParts", (uint64_t)max);
    xml_bool(&b, "IsTruncated", truncated);
    add_checksum_type(&b, &upload);
    for (size_t i = 0; i < n; i++) {
        xml_open(&b, "Part");
        xml_u64(&b, "PartNumber", parts[i].number);
        xml_time(&b, "LastModified", parts[i].modified_ms);
        s3_xml_etag(&b, parts[i].etag);
        xml_u64(&b, "Size", parts[i].size);
        s3_xml_checksum(c, &b, &parts[i].checksum, 0);
        xml_close(&b, "Part");
    }
    xml_close(&b, "ListPartsResult");
    s3_respond_xml(c, s3_response(c, 200), &b);
    return 0;
}

int s3_list_uploads(struct s3_call *c, struct err *err)
{
    struct str prefix = http_query(c->r, "prefix"), key_marker = http_query(c->r, "key-marker"),
               id_marker = http_query(c->r, "upload-id-marker");
    struct objects_upload *uploads = NULL;
    size_t n = 0;
    int64_t max;
    bool truncated = false;
    BUF_SCOPED struct buf b = {0};
    int rc;

    buf_init(&b, 16 << 20);
    if (!str_is_empty(http_query(c->r, "delimiter")))
        return err_set_named(err, ERR_UNSUPPORTED, "NotImplemented",
                             "ListMultipartUploads with a delimiter is not implemented.");
    if ((rc = s3_query_number(c, "max-uploads", S3_KEYS_MAX, S3_KEYS_MAX, &max, err)) < 0 ||
        (rc = objects_list_uploads(c->s3->objects, c->arena, c->bucket, prefix, key_marker, id_marker,
                                   max ? (size_t)max : 1, &uploads, &n, &truncated, err)) < 0)
        return rc;
    if (max == 0) {
        n = 0;
        truncated = false;
    }
    xml_start(&b, "ListMultipartUploadsResult");
    xml_text(&b, "Bucket", c->bucket);
    xml_text(&b, "KeyMarker", key_marker);
    xml_text(&b, "UploadIdMarker", id_marker);
    if (truncated) {
        xml_text(&b, "NextKeyMarker", uploads[n - 1].key);
        xml_text(&b, "NextUploadIdMarker", uploads[n - 1].id);
    }
    xml_text(&b, "Prefix", prefix);
    xml_u64(&b, "MaxUploads", (uint64_t)max);
    xml_bool(&b, "IsTruncated", truncated);
    for (size_t i = 0; i < n; i++) {
        xml_open(&b, "Upload");
        xml_text(&b, "Key", uploads[i].key);
        xml_text(&b, "UploadId", uploads[i].id);
        s3_xml_owner(c, &b, "Initiator");
        s3_xml_owner(c, &b, "Owner");
        xml_cstr(&b, "StorageClass", "STANDARD");
        xml_time(&b, "Initiated", uploads[i].started_ms);
        add_checksum_type(&b, &uploads[i]);
        xml_close(&b, "Upload");
    }
    xml_close(&b, "ListMultipartUploadsResult");
    s3_respond_xml(c, s3_response(c, 200), &b);
    return 0;
}
