/* Buckets: list, make, remove, and the settings that are fixed here. */
#include "s3/internal.h"

#include "base/vec.h"

static bool sees_bucket(struct s3_call *c, struct str bucket)
{
    return s3_permission(c, "s3:ListBucket", bucket, STR("")) == POLICY_ALLOW ||
           s3_permission(c, "s3:GetBucketLocation", bucket, STR("")) == POLICY_ALLOW;
}

/* Those that the user sees, as in MinIO; s3:ListAllMyBuckets shows all. */
int s3_list_buckets(struct s3_call *c, struct err *err)
{
    enum policy_effect all = s3_permission(c, "s3:ListAllMyBuckets", STR(""), STR(""));
    size_t shown = 0;
    struct objects_bucket *buckets;
    size_t n;
    int rc = objects_list_buckets(c->s3->objects, c->arena, &buckets, &n, err);
    BUF_SCOPED struct buf b = {0};

    if (rc < 0)
        return rc;
    buf_init(&b, 16 << 20);
    xml_start(&b, "ListAllMyBucketsResult");
    s3_xml_owner(c, &b, "Owner");
    xml_open(&b, "Buckets");
    for (size_t i = 0; i < n; i++) {
        if (all != POLICY_ALLOW && !sees_bucket(c, buckets[i].name))
            continue;
        shown++;
        xml_open(&b, "Bucket");
        xml_text(&b, "Name", buckets[i].name);
        xml_time(&b, "CreationDate", buckets[i].created_ms);
        xml_close(&b, "Bucket");
    }
    xml_close(&b, "Buckets");
    xml_close(&b, "ListAllMyBucketsResult");
    if (all == POLICY_DENY || (all == POLICY_NONE && shown == 0 && !c->user->has_buckets))
        return err_set_named(err, ERR_DENIED, "AccessDenied", "Access Denied.");
    s3_respond_xml(c, s3_response(c, 200), &b);
    return 0;
}

/* The body names a region, which has no meaning here; but it has to be what it says it is. */
static int check_configuration(struct s3_call *c, struct err *err)
{
    struct xml_node *root;

    if (str_is_empty(str_trim(buf_str(&c->body.xml))))
        return 0;
    if (xml_parse(c->arena, buf_str(&c->body.xml), &root, err) < 0)
        return ERR_INVALID;
    if (!str_eq(root->name, STR("CreateBucketConfiguration")))
        return err_set_named(err, ERR_INVALID, "MalformedXML",
                             "A CreateBucketConfiguration element was expected, found %.*s.", STR_ARG(root->name));
    for (const struct xml_node *n = root->children; n; n = n->next)
        if (!str_eq(n->name, STR("LocationConstraint")))
            return err_set_named(err, ERR_UNSUPPORTED, "NotImplemented",
                                 "%.*s in CreateBucketConfiguration is not implemented.", STR_ARG(n->name));
    return 0;
}

int s3_create_bucket(struct s3_call *c, struct err *err)
{
    int rc;

    if ((rc = s3_refuse_unsupported_headers(c, err)) < 0 || (rc = check_configuration(c, err)) < 0)
        return rc;
    if (str_eq_nocase(http_header(c->r, "x-amz-bucket-object-lock-enabled"), STR("true")))
        return err_set_named(err, ERR_UNSUPPORTED, "NotImplemented", "Object lock is not implemented.");
    if ((rc = objects_create_bucket(c->s3->objects, c->bucket, err)) < 0)
        return rc;
    struct http_response *p = s3_response(c, 200);
    http_response_add(c->r, p, "Location", arena_printf(c->arena, "/%.*s", STR_ARG(c->bucket)));
    s3_respond_empty(c, p);
    return 0;
}

static int need_bucket(struct s3_call *c, struct err *err)
{
    struct objects_bucket bucket;

    return objects_get_bucket(c->s3->objects, c->arena, c->bucket, &bucket, err);
}

int s3_head_bucket(struct s3_call *c, struct err *err)
{
    int rc = need_bucket(c, err);

    if (rc < 0)
        return rc;
    s3_respond_empty(c, s3_response(c, 200));
    return 0;
}

int s3_delete_bucket(struct s3_call *c, struct err *err)
{
    int rc = objects_delete_bucket(c->s3->objects, c->bucket, err);

    if (rc < 0)
        return rc;
    s3_respond_empty(c, s3_response(c, 204));
    return 0;
}

int s3_get_bucket_location(struct s3_call *c, struct err *err)
{
    int rc = need_bucket(c, err);
    BUF_SCOPED struct buf b = {0};

    if (rc < 0)
        return rc;
    buf_init(&b, 4096);
    xml_start(&b, "LocationConstraint"); /* empty: us-east-1, MinIO's default too */
    xml_close(&b, "LocationConstraint");
    s3_respond_xml(c, s3_response(c, 200), &b);
    return 0;
}

int s3_get_bucket_acl(struct s3_call *c, struct err *err)
{
    int rc = need_bucket(c, err);
    BUF_SCOPED struct buf b = {0};

    if (rc < 0)
        return rc;
    buf_init(&b, 1 << 16);
    xml_start(&b, "AccessControlPolicy");
    s3_xml_owner(c, &b, "Owner");
    buf_add_cstr(&b, "<AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                     "xsi:type=\"CanonicalUser\">");
    xml_text(&b, "ID", c->user->name);
    xml_text(&b, "DisplayName", c->user->name);
    buf_add_cstr(&b, "</Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>");
    xml_close(&b, "AccessControlPolicy");
    s3_respond_xml(c, s3_response(c, 200), &b);
    return 0;
}

/* What a bucket that nobody configured answers: a document, or the error that says there is no configuration. */
static const struct {
    const char *query;
    const char *root, *content;       /* either these … */
    const char *error_name, *message; /* … or these */
} settings[] = {
    {"accelerate", "AccelerateConfiguration", "", NULL, NULL},
    {"cors", NULL, NULL, "NoSuchCORSConfiguration", "The CORS configuration does not exist"},
    {"encryption", NULL, NULL, "ServerSideEncryptionConfigurationNotFoundError",
     "The server side encryption configuration was not found"},
    {"lifecycle", NULL, NULL, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"},
    {"logging", "BucketLoggingStatus", "", NULL, NULL},
    {"notification", "NotificationConfiguration", "", NULL, NULL},
    {"object-lock", NULL, NULL, "ObjectLockConfigurationNotFoundError",
     "Object Lock configuration does not exist for this bucket"},
    {"ownershipControls", NULL, NULL, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found"},
    {"policy", NULL, NULL, "NoSuchBucketPolicy", "The bucket policy does not exist"},
    {"policyStatus", "PolicyStatus", "<IsPublic>FALSE</IsPublic>", NULL, NULL},
    {"publicAccessBlock", NULL, NULL, "NoSuchPublicAccessBlockConfiguration",
     "The public access block configuration was not found"},
    {"replication", NULL, NULL, "ReplicationConfigurationNotFoundError", "The replication configuration was not found"},
    {"requestPayment", "RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>", NULL, NULL},
    {"tagging", NULL, NULL, "NoSuchTagSet", "The TagSet does not exist"},
    {"versioning", "VersioningConfiguration", "", NULL, NULL},
    {"website", NULL, NULL, "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"},
};

int s3_get_bucket_setting(struct s3_call *c, struct err *err)
{
    int rc = need_bucket(c, err);
    BUF_SCOPED struct buf b = {0};

    buf_init(&b, 4096);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        if (!http_has_query(c->r, settings[i].query))
            continue;
        if (settings[i].error_name)
            return err_set_named(err, ERR_NOT_FOUND, settings[i].error_name, "%s", settings[i].message);
        xml_start(&b, settings[i].root);
        buf_add_cstr(&b, settings[i].content);
        xml_close(&b, settings[i].root);
        s3_respond_xml(c, s3_response(c, 200), &b);
        return 0;
    }
    return err_set(err, ERR_INTERNAL, "a setting without an answer");
}
