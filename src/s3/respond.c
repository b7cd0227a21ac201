/*
 * Answers: the one place that renders `struct err` as S3's XML, and the pieces that several answers share.
 *
 * Messages of errors that are ours (the disk, a bug) go to the log with the request's id and not to the client.
 */
#include "s3/internal.h"

#include "base/log.h"
#include "base/vec.h"

static const struct {
    const char *name;
    int status;
} statuses[] = {
    {"AccessDenied", 403},
    {"AuthorizationHeaderMalformed", 400},
    {"AuthorizationQueryParametersError", 400},
    {"BadDigest", 400},
    {"BucketAlreadyExists", 409},
    {"BucketAlreadyOwnedByYou", 409},
    {"BucketNotEmpty", 409},
    {"EntityTooLarge", 400},
    {"EntityTooSmall", 400},
    {"ExpiredToken", 400},
    {"IllegalLocationConstraintException", 400},
    {"IncompleteBody", 400},
    {"InternalError", 500},
    {"InvalidAccessKeyId", 403},
    {"InvalidArgument", 400},
    {"InvalidBucketName", 400},
    {"InvalidDigest", 400},
    {"InvalidPart", 400},
    {"InvalidPartOrder", 400},
    {"InvalidRange", 416},
    {"InvalidRequest", 400},
    {"InvalidStorageClass", 400},
    {"InvalidToken", 403},
    {"InvalidURI", 400},
    {"KeyTooLongError", 400},
    {"MalformedTrailerError", 400},
    {"MalformedXML", 400},
    {"MetadataTooLarge", 400},
    {"MethodNotAllowed", 405},
    {"MissingContentLength", 411},
    {"NoSuchBucket", 404},
    {"NoSuchBucketPolicy", 404},
    {"NoSuchCORSConfiguration", 404},
    {"NoSuchKey", 404},
    {"NoSuchLifecycleConfiguration", 404},
    {"NoSuchPublicAccessBlockConfiguration", 404},
    {"NoSuchTagSet", 404},
    {"NoSuchUpload", 404},
    {"NoSuchVersion", 404},
    {"NoSuchWebsiteConfiguration", 404},
    {"NotImplemented", 501},
    {"ObjectLockConfigurationNotFoundError", 404},
    {"OwnershipControlsNotFoundError", 404},
    {"PreconditionFailed", 412},
    {"ReplicationConfigurationNotFoundError", 404},
    {"RequestTimeTooSkewed", 403},
    {"RequestTimeout", 400},
    {"ServerSideEncryptionConfigurationNotFoundError", 404},
    {"SignatureDoesNotMatch", 403},
    {"SlowDown", 503},
    {"XAmzContentSHA256Mismatch", 400},
    {"XMinioStorageFull", 507},
};

/* For an error that came without S3's name. */
static const char *name_of_code(int code)
{
    switch (code) {
    case ERR_INVALID:
        return "InvalidRequest";
    case ERR_LIMIT:
        return "EntityTooLarge";
    case ERR_DENIED:
        return "AccessDenied";
    case ERR_UNSUPPORTED:
        return "NotImplemented";
    case ERR_NO_SPACE:
        return "XMinioStorageFull";
    case ERR_CONFLICT:
        return "PreconditionFailed";
    case ERR_UNAVAILABLE:
    case ERR_TIMEOUT:
        return "SlowDown";
    default:
        return "InternalError";
    }
}

static int status_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (strcmp(statuses[i].name, name) == 0)
            return statuses[i].status;
    log_error("the error %s has no status: 500 is sent", name);
    return 500;
}

struct http_response *s3_response(struct s3_call *c, int status)
{
    struct http_response *p = http_response_new(c->r, status);

    http_response_add(c->r, p, "x-amz-request-id", str_from_cstr(c->request_id));
    http_response_add(c->r, p, "x-amz-id-2", str_from_cstr(c->s3->host_id));
    return p;
}

void s3_respond_error(struct s3_call *c, const struct err *err)
{
    if (c->operation && c->operation->run == sts_run) {
        sts_respond_error(c, err);
        return;
    }
    const char *name = err->name ? err->name : name_of_code(err->code);
    const char *message = err->message;
    int status = status_of(name);
    BUF_SCOPED struct buf b = {0};

    if (status >= 500 && status != 501) {
        log_error("request %s: %.*s %.*s: %s", c->request_id, STR_ARG(c->r->method), STR_ARG(c->r->raw_path),
                  err->message);
        message = status == 507   ? "Storage backend has reached its minimum free drive threshold. Please delete a "
                                    "few objects to proceed."
                  : status == 503 ? "Please reduce your request rate."
                                  : "We encountered an internal error, please try again.";
    }
    struct http_response *p = s3_response(c, status);
    if (status == 503)
        http_response_add(c->r, p, "Retry-After", STR("1"));
    if (str_eq(c->r->method, STR("HEAD"))) {
        s3_respond_empty(c, p);
        return;
    }
    buf_init(&b, 1 << 20);
    buf_add_cstr(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml_open(&b, "Error");
    xml_cstr(&b, "Code", name);
    xml_cstr(&b, "Message", message);
    if (c->key.n)
        xml_text(&b, "Key", c->key);
    if (c->bucket.n)
        xml_text(&b, "BucketName", c->bucket);
    xml_text(&b, "Resource", c->r->path);
    xml_cstr(&b, "RequestId", c->request_id);
    xml_cstr(&b, "HostId", c->s3->host_id);
    xml_close(&b, "Error");
    s3_respond_xml(c, p, &b);
}

void s3_respond_xml(struct s3_call *c, struct http_response *p, struct buf *xml)
{
    c->responded = true;
    http_respond_buf(c->r, p, "application/xml", xml);
}

void s3_respond_empty(struct s3_call *c, struct http_response *p)
{
    c->responded = true;
    http_respond_empty(c->r, p);
}

void s3_response_add_etag(struct s3_call *c, struct http_response *p, struct str etag)
{
    http_response_addf(c->r, p, "ETag", "\"%.*s\"", STR_ARG(etag));
}

void s3_response_add_checksum(struct s3_call *c, struct http_response *p, const struct objects_info *info)
{
    const struct checksum_kind *k = checksum_by_kind(info->checksum.kind);

    if (!k)
        return;
    http_response_add(c->r, p, k->header, checksum_text(c->arena, &info->checksum, info->part_count));
    http_response_add(c->r, p, "x-amz-checksum-type", info->checksum.composite ? STR("COMPOSITE") : STR("FULL_OBJECT"));
}

void s3_xml_owner(struct s3_call *c, struct buf *b, const char *element)
{
    xml_open(b, element);
    xml_text(b, "ID", c->user->name);
    xml_text(b, "DisplayName", c->user->name);
    xml_close(b, element);
}

void s3_xml_etag(struct buf *b, struct str etag)
{
    xml_open(b, "ETag");
    buf_add_cstr(b, "&#34;");
    xml_escape(b, etag);
    buf_add_cstr(b, "&#34;");
    xml_close(b, "ETag");
}

void s3_xml_checksum(struct s3_call *c, struct buf *b, const struct objects_checksum *sum, uint32_t part_count)
{
    const struct checksum_kind *k = checksum_by_kind(sum->kind);

    if (k)
        xml_text(b, k->xml, checksum_text(c->arena, sum, part_count));
}
