/*
 * A request's body: taken out of its aws-chunked coding, counted, hashed and handed on, either into a bounded buffer
 * (XML) or into the object library's staging area. Nothing becomes visible before every promise that the client made
 * about its bytes was kept: their number, their SHA-256, MD5 and checksum, and each chunk's signature.
 */
#include "s3/internal.h"

#include "base/enc.h"
#include "base/vec.h"

static int read_lengths(struct s3_call *c, struct err *err)
{
    struct s3_body *b = &c->body;
    bool is_stream = b->kind == S3_BODY_BYTES;

    b->length = c->r->content_length >= 0 ? (uint64_t)c->r->content_length : UINT64_MAX;
    if (b->is_chunked) {
        struct str text = s3_header(c, "x-amz-decoded-content-length");
        if (str_is_null(text))
            return err_set_named(err, ERR_INVALID, "MissingContentLength",
                                 "You must provide the x-amz-decoded-content-length HTTP header.");
        if (str_to_u64(text, &b->length, NULL) < 0)
            return err_set_named(err, ERR_INVALID, "InvalidArgument",
                                 "x-amz-decoded-content-length is not a number of bytes.");
    } else if (is_stream && b->length == UINT64_MAX) {
        return err_set_named(err, ERR_INVALID, "MissingContentLength",
                             "You must provide the Content-Length HTTP header.");
    }
    if (is_stream && b->length > S3_OBJECT_MAX)
        return err_set_named(err, ERR_INVALID, "EntityTooLarge",
                             "Your proposed upload exceeds the maximum allowed object size.");
    if (b->kind == S3_BODY_XML && b->length != UINT64_MAX && b->length > S3_XML_BODY_MAX)
        return err_set_named(err, ERR_INVALID, "EntityTooLarge", "The request's body is larger than %d bytes.",
                             S3_XML_BODY_MAX);
    return 0;
}

static int read_md5(struct s3_call *c, struct err *err)
{
    struct str text = s3_header(c, "content-md5");
    BUF_SCOPED struct buf b = {0};

    if (str_is_null(text))
        return 0;
    buf_init(&b, 256);
    if (enc_unbase64(&b, text, NULL) < 0 || b.n != 16)
        return err_set_named(err, ERR_INVALID, "InvalidDigest", "The Content-MD5 you specified is not valid.");
    memcpy(c->body.md5, b.p, 16);
    c->body.has_md5 = true;
    return 0;
}

/* From x-amz-trailer: "x-amz-checksum-crc32". */
static int read_declared_trailer(struct s3_call *c, struct err *err)
{
    struct str list = s3_header(c, "x-amz-trailer"), item;

    while (str_split(&list, ',', &item)) {
        const struct checksum_kind *k = checksum_by_header(str_trim(item));
        if (!k)
            return err_set_named(err, ERR_INVALID, "InvalidRequest",
                                 "The value specified in the x-amz-trailer header is not supported.");
        if (c->body.checksum)
            return err_set_named(err, ERR_INVALID, "InvalidRequest",
                                 "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
        c->body.checksum = k;
    }
    return 0;
}

/* Of the bytes of this request. On CompleteMultipartUpload these headers speak of the object: multipart.c. */
static int read_checksum(struct s3_call *c, struct err *err)
{
    struct s3_body *b = &c->body;
    struct str algorithm = s3_header(c, "x-amz-sdk-checksum-algorithm");

    for (size_t i = 0; i < CHECKSUM_KINDS; i++) {
        struct str text = s3_header(c, checksum_kinds[i].header);
        if (str_is_null(text))
            continue;
        if (b->checksum)
            return err_set_named(err, ERR_INVALID, "InvalidRequest",
                                 "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
        if (checksum_read(&checksum_kinds[i], text, b->checksum_value, err) < 0)
            return ERR_INVALID;
        b->checksum = &checksum_kinds[i];
        b->has_checksum_value = true;
    }
    if (b->is_chunked && read_declared_trailer(c, err) < 0)
        return ERR_INVALID;
    if (str_is_null(algorithm))
        return 0;
    const struct checksum_kind *named = checksum_by_algorithm(algorithm);
    if (!named)
        return err_set_named(err, ERR_INVALID, "InvalidRequest",
                             "Checksum algorithm provided is unsupported. Please try again with any of the valid "
                             "types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
    /* A presigned URL may name the algorithm for a client that then sends no checksum. */
    if (!b->checksum && b->kind == S3_BODY_BYTES && !str_is_null(http_header(c->r, "x-amz-sdk-checksum-algorithm")))
        return err_set_named(err, ERR_INVALID, "InvalidRequest",
                             "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
                             "x-amz-trailer headers were found.");
    if (b->checksum && b->checksum != named)
        return err_set_named(err, ERR_INVALID, "InvalidRequest",
                             "Value for x-amz-sdk-checksum-algorithm header is invalid.");
    return 0;
}

int s3_body_prepare(struct s3_call *c, struct err *err)
{
    struct s3_body *b = &c->body;

    b->kind = c->operation->body;
    buf_init(&b->xml, S3_XML_BODY_MAX);
    b->is_chunked = c->signature.payload >= SIGV4_PAYLOAD_STREAMING;
    if (b->kind == S3_BODY_NONE) {
        b->length = UINT64_MAX;
        b->is_chunked = false;
        return 0;
    }
    if (read_lengths(c, err) < 0 || read_md5(c, err) < 0)
        return err->code;
    if (c->operation->run != s3_complete_upload && read_checksum(c, err) < 0)
        return err->code;
    if (b->is_chunked)
        chunked_init(&b->chunked, &c->signature, b->length);
    return 0;
}

/* Decoded bytes, on the pool. */
static int take(void *ctx, struct str bytes, struct err *err)
{
    struct s3_call *c = ctx;
    struct s3_body *b = &c->body;

    b->received += bytes.n;
    if (b->received > b->length)
        return err_set_named(err, ERR_INVALID, "IncompleteBody", "The body holds more bytes than declared.");
    if (b->kind == S3_BODY_XML) {
        buf_append(&b->xml, bytes.p, bytes.n);
        return buf_check(&b->xml, "The request's body", err);
    }
    if (b->is_hashing)
        hash_update(&b->sha256, bytes.p, bytes.n);
    return objects_write_append(b->write, bytes, err);
}

static int open_body(struct s3_call *c, struct err *err)
{
    struct s3_body *b = &c->body;
    int rc;

    if (b->is_open)
        return 0;
    b->is_open = true;
    if (b->kind != S3_BODY_BYTES)
        return 0;
    if ((rc = c->operation->open(c, &b->write, err)) < 0)
        return rc;
    if (b->checksum && (rc = objects_write_add_checksum(b->write, b->checksum->kind, err)) < 0)
        return rc;
    if (c->signature.payload == SIGV4_PAYLOAD_HASH) {
        hash_init(&b->sha256, HASH_SHA256);
        b->is_hashing = true;
    }
    return 0;
}

int s3_body_add(struct s3_call *c, struct str piece, struct err *err)
{
    struct s3_body *b = &c->body;
    int rc;

    if (b->kind == S3_BODY_NONE) /* some clients send one with anything; it is nobody's */
        return 0;
    if ((rc = open_body(c, err)) < 0)
        return rc;
    return b->is_chunked ? chunked_feed(&b->chunked, c->arena, piece, take, c, err) : take(c, piece, err);
}

static int check_sha256(struct s3_call *c, struct err *err)
{
    struct s3_body *b = &c->body;
    unsigned char hash[HASH_MAX_SIZE];

    if (c->signature.payload != SIGV4_PAYLOAD_HASH)
        return 0;
    if (b->is_hashing) {
        hash_final(&b->sha256, hash);
        b->is_hashing = false;
    } else {
        hash_bytes(HASH_SHA256, buf_str(&b->xml), hash);
    }
    if (memcmp(hash, c->signature.payload_hash, 32) != 0)
        return err_set_named(err, ERR_INVALID, "XAmzContentSHA256Mismatch",
                             "The provided 'x-amz-content-sha256' header does not match what was computed.");
    return 0;
}

static int check_md5(struct s3_call *c, struct err *err)
{
    struct s3_body *b = &c->body;
    unsigned char hash[HASH_MAX_SIZE];

    if (!b->has_md5)
        return 0;
    if (b->write)
        objects_write_md5(b->write, hash);
    else
        hash_bytes(HASH_MD5, buf_str(&b->xml), hash);
    if (memcmp(hash, b->md5, 16) != 0)
        return err_set_named(err, ERR_INVALID, "BadDigest",
                             "The Content-MD5 you specified did not match what we received.");
    return 0;
}

static int read_checksum_trailer(struct s3_call *c, struct err *err)
{
    struct s3_body *b = &c->body;
    struct str text = chunked_trailer(&b->chunked, str_from_cstr(b->checksum->header));

    if (str_is_null(text) || b->chunked.trailer_count != 1)
        return err_set_named(err, ERR_INVALID, "MalformedTrailerError",
                             "The trailer does not hold what x-amz-trailer declares: %s.", b->checksum->header);
    return checksum_read(b->checksum, text, b->checksum_value, err);
}

static int check_checksum(struct s3_call *c, struct err *err)
{
    struct s3_body *b = &c->body;
    struct objects_checksum sum = {.kind = -1};

    if (!b->checksum) {
        if (b->is_chunked && b->chunked.trailer_count)
            return err_set_named(err, ERR_INVALID, "MalformedTrailerError",
                                 "The trailer holds what x-amz-trailer does not declare.");
        return 0;
    }
    if (!b->has_checksum_value && read_checksum_trailer(c, err) < 0)
        return ERR_INVALID;
    if (b->write)
        objects_write_checksum(b->write, &sum);
    else
        hash_bytes(b->checksum->kind, buf_str(&b->xml), sum.value);
    if (memcmp(sum.value, b->checksum_value, hash_size(b->checksum->kind)) != 0)
        return err_set_named(err, ERR_INVALID, "BadDigest",
                             "The %s you specified did not match the calculated checksum.", b->checksum->algorithm);
    return 0;
}

int s3_body_finish(struct s3_call *c, struct err *err)
{
    struct s3_body *b = &c->body;
    int rc;

    if (b->kind == S3_BODY_NONE)
        return 0;
    if ((rc = open_body(c, err)) < 0)
        return rc;
    if (b->is_chunked && (rc = chunked_finish(&b->chunked, err)) < 0)
        return rc;
    if (b->length != UINT64_MAX && b->received != b->length)
        return err_set_named(err, ERR_INVALID, "IncompleteBody",
                             "You did not provide the number of bytes specified by the Content-Length HTTP header.");
    if ((rc = check_sha256(c, err)) < 0 || (rc = check_md5(c, err)) < 0)
        return rc;
    return check_checksum(c, err);
}

void s3_body_release(struct s3_call *c)
{
    struct s3_body *b = &c->body;

    if (b->write)
        objects_write_abort(b->write);
    b->write = NULL;
    if (b->is_hashing)
        hash_release(&b->sha256);
    b->is_hashing = false;
    if (b->is_chunked)
        chunked_release(&b->chunked);
    buf_release(&b->xml);
}
