/*
 * Which operation a request asks for. S3 says it by the method, by how deep the path goes, and by a subresource: a query
 * parameter without a meaning of its own ("?uploads"). The first row that fits wins; a subresource that no row has is an
 * answer that names it, never the operation it would be without.
 */
#include "s3/internal.h"

#include "base/vec.h"

// clang-format off
static const struct s3_operation operations[] = {
    {"GET", S3_SERVICE, NULL, NULL, NULL, S3_BODY_NONE, NULL, NULL, s3_list_buckets},

    {"PUT", S3_BUCKET, NULL, NULL, "s3:CreateBucket", S3_BODY_XML, NULL, NULL, s3_create_bucket},
    {"HEAD", S3_BUCKET, NULL, NULL, "s3:ListBucket", S3_BODY_NONE, NULL, NULL, s3_head_bucket},
    {"DELETE", S3_BUCKET, NULL, NULL, "s3:DeleteBucket", S3_BODY_NONE, NULL, NULL, s3_delete_bucket},
    {"GET", S3_BUCKET, "location", NULL, "s3:GetBucketLocation", S3_BODY_NONE, NULL, NULL, s3_get_bucket_location},
    {"GET", S3_BUCKET, "acl", NULL, "s3:GetBucketAcl", S3_BODY_NONE, NULL, NULL, s3_get_bucket_acl},
    {"GET", S3_BUCKET, "uploads", NULL, "s3:ListBucketMultipartUploads", S3_BODY_NONE, NULL, NULL, s3_list_uploads},
    {"GET", S3_BUCKET, "list-type", NULL, "s3:ListBucket", S3_BODY_NONE, NULL, NULL, s3_list_objects_v2},
    {"GET", S3_BUCKET, NULL, NULL, "s3:ListBucket", S3_BODY_NONE, NULL, NULL, s3_list_objects},
    {"POST", S3_BUCKET, "delete", NULL, NULL, S3_BODY_XML, NULL, NULL, s3_delete_objects},

    {"GET", S3_OBJECT, "uploadId", NULL, "s3:ListMultipartUploadParts", S3_BODY_NONE, NULL, NULL, s3_list_parts},
    {"GET", S3_OBJECT, "acl", NULL, "s3:GetObjectAcl", S3_BODY_NONE, NULL, NULL, s3_get_object_acl},
    {"GET", S3_OBJECT, "attributes", NULL, "s3:GetObjectAttributes", S3_BODY_NONE, NULL, NULL, s3_get_object_attributes},
    {"GET", S3_OBJECT, "tagging", NULL, "s3:GetObjectTagging", S3_BODY_NONE, NULL, NULL, s3_get_object_tagging},
    {"GET", S3_OBJECT, NULL, NULL, "s3:GetObject", S3_BODY_NONE, NULL, NULL, s3_get_object},
    {"HEAD", S3_OBJECT, NULL, NULL, "s3:GetObject", S3_BODY_NONE, NULL, NULL, s3_head_object},
    {"PUT", S3_OBJECT, "uploadId", "x-amz-copy-source", "s3:PutObject", S3_BODY_NONE, s3_upload_part_prepare, NULL, s3_upload_part_copy},
    {"PUT", S3_OBJECT, "uploadId", NULL, "s3:PutObject", S3_BODY_BYTES, s3_upload_part_prepare, s3_upload_part_open, s3_upload_part},
    {"PUT", S3_OBJECT, NULL, "x-amz-copy-source", "s3:PutObject", S3_BODY_NONE, s3_copy_object_prepare, NULL, s3_copy_object},
    {"PUT", S3_OBJECT, NULL, NULL, "s3:PutObject", S3_BODY_BYTES, s3_put_object_prepare, s3_put_object_open, s3_put_object},
    {"POST", S3_OBJECT, "uploads", NULL, "s3:PutObject", S3_BODY_NONE, s3_create_upload_prepare, NULL, s3_create_upload},
    {"POST", S3_OBJECT, "uploadId", NULL, "s3:PutObject", S3_BODY_XML, NULL, NULL, s3_complete_upload},
    {"DELETE", S3_OBJECT, "uploadId", NULL, "s3:AbortMultipartUpload", S3_BODY_NONE, NULL, NULL, s3_abort_upload},
    {"DELETE", S3_OBJECT, NULL, NULL, "s3:DeleteObject", S3_BODY_NONE, NULL, NULL, s3_delete_object},
};

/* Settings of a bucket that are what they are here: reading them has an answer. */
#define SETTING(query, action) \
    {"GET", S3_BUCKET, query, NULL, action, S3_BODY_NONE, NULL, NULL, s3_get_bucket_setting}
static const struct s3_operation settings[] = {
    SETTING("accelerate",        "s3:GetAccelerateConfiguration"),
    SETTING("cors",              "s3:GetBucketCORS"),
    SETTING("encryption",        "s3:GetEncryptionConfiguration"),
    SETTING("lifecycle",         "s3:GetLifecycleConfiguration"),
    SETTING("logging",           "s3:GetBucketLogging"),
    SETTING("notification",      "s3:GetBucketNotification"),
    SETTING("object-lock",       "s3:GetBucketObjectLockConfiguration"),
    SETTING("ownershipControls", "s3:GetBucketOwnershipControls"),
    SETTING("policy",            "s3:GetBucketPolicy"),
    SETTING("policyStatus",      "s3:GetBucketPolicyStatus"),
    SETTING("publicAccessBlock", "s3:GetBucketPublicAccessBlock"),
    SETTING("replication",       "s3:GetReplicationConfiguration"),
    SETTING("requestPayment",    "s3:GetBucketRequestPayment"),
    SETTING("tagging",           "s3:GetBucketTagging"),
    SETTING("versioning",        "s3:GetBucketVersioning"),
    SETTING("website",           "s3:GetBucketWebsite"),
};
// clang-format on

/* All that S3's API has: to be told from parameters, which are an operation's own business. */
static const char *const subresources[] = {
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metadataTable",
    "metadataConfiguration",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "uploads",
    "versioning",
    "versions",
    "website",
};

static bool has(const char *const *list, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_cstr(name, list[i]))
            return true;
    return false;
}

static struct str find_subresource(struct s3_call *c)
{
    struct str rest = c->r->raw_query, item, name;

    while (str_split(&rest, '&', &item)) {
        (void)str_split(&item, '=', &name); /* no subresource has a letter that needs an escape */
        if (has(subresources, ARRAY_LEN(subresources), name))
            return name;
    }
    return STR_NULL;
}

static bool fits(struct s3_call *c, const struct s3_operation *o, enum s3_level level, struct str subresource)
{
    bool is_subresource = o->query && has(subresources, ARRAY_LEN(subresources), str_from_cstr(o->query));

    if (o->level != level || !str_eq_cstr(c->r->method, o->method))
        return false;
    if (is_subresource ? !str_eq_cstr(subresource, o->query) : !str_is_null(subresource))
        return false;
    if (o->query && !is_subresource && !http_has_query(c->r, o->query))
        return false;
    return !o->header || !str_is_null(s3_header(c, o->header));
}

int s3_route(struct s3_call *c, struct err *err)
{
    enum s3_level level = c->bucket.n == 0 ? S3_SERVICE : c->key.n == 0 ? S3_BUCKET : S3_OBJECT;
    struct str subresource = find_subresource(c), version = http_query(c->r, "versionId");

    if (level != S3_SERVICE && !str_is_null(version) && version.n && !str_eq(version, STR("null")))
        return err_set_named(err, ERR_NOT_FOUND, "NoSuchVersion",
                             "The specified version does not exist: there are no versions here.");
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        if (fits(c, &operations[i], level, subresource)) {
            c->operation = &operations[i];
            return 0;
        }
    if (!str_is_null(subresource)) {
        for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
            if (fits(c, &settings[i], level, subresource)) {
                c->operation = &settings[i];
                return 0;
            }
        }
        return err_set_named(err, ERR_UNSUPPORTED, "NotImplemented", "%.*s of ?%.*s is not implemented.",
                             STR_ARG(c->r->method), STR_ARG(subresource));
    }
    return err_set_named(err, ERR_INVALID, "MethodNotAllowed",
                         "The specified method is not allowed against this resource.");
}
