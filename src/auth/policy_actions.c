/*
 * The names that policies use. Actions are those of the "Service Authorization Reference" for S3, those too that this
 * store refuses in any case; what other services' actions are called is not our business.
 */
#include "auth/policy_internal.h"

static const char *const s3_actions[] = {
    "AbortMultipartUpload",
    "BypassGovernanceRetention",
    "CreateBucket",
    "DeleteBucket",
    "DeleteBucketOwnershipControls",
    "DeleteBucketPolicy",
    "DeleteBucketWebsite",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjectVersion",
    "DeleteObjectVersionTagging",
    "ForceDeleteBucket",
    "GetAccelerateConfiguration",
    "GetAnalyticsConfiguration",
    "GetBucketAcl",
    "GetBucketCORS",
    "GetBucketLocation",
    "GetBucketLogging",
    "GetBucketNotification",
    "GetBucketObjectLockConfiguration",
    "GetBucketOwnershipControls",
    "GetBucketPolicy",
    "GetBucketPolicyStatus",
    "GetBucketPublicAccessBlock",
    "GetBucketRequestPayment",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetBucketWebsite",
    "GetEncryptionConfiguration",
    "GetIntelligentTieringConfiguration",
    "GetInventoryConfiguration",
    "GetLifecycleConfiguration",
    "GetMetricsConfiguration",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectRetention",
    "GetObjectTagging",
    "GetObjectTorrent",
    "GetObjectVersion",
    "GetObjectVersionAcl",
    "GetObjectVersionAttributes",
    "GetObjectVersionForReplication",
    "GetObjectVersionTagging",
    "GetReplicationConfiguration",
    "HeadBucket",
    "ListAllMyBuckets",
    "ListBucket",
    "ListBucketMultipartUploads",
    "ListBucketVersions",
    "ListMultipartUploadParts",
    "ListenBucketNotification",
    "ListenNotification",
    "PutAccelerateConfiguration",
    "PutAnalyticsConfiguration",
    "PutBucketAcl",
    "PutBucketCORS",
    "PutBucketLogging",
    "PutBucketNotification",
    "PutBucketObjectLockConfiguration",
    "PutBucketOwnershipControls",
    "PutBucketPolicy",
    "PutBucketPublicAccessBlock",
    "PutBucketRequestPayment",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutBucketWebsite",
    "PutEncryptionConfiguration",
    "PutIntelligentTieringConfiguration",
    "PutInventoryConfiguration",
    "PutLifecycleConfiguration",
    "PutMetricsConfiguration",
    "PutObject",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectRetention",
    "PutObjectTagging",
    "PutObjectVersionAcl",
    "PutObjectVersionTagging",
    "PutReplicationConfiguration",
    "ReplicateDelete",
    "ReplicateObject",
    "ReplicateTags",
    "ResetBucketReplicationState",
    "RestoreObject",
};

static const char *const condition_keys[] = {
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:PrincipalType",
    "aws:Referer",
    "aws:SecureTransport",
    "aws:SourceIp",
    "aws:UserAgent",
    "aws:userid",
    "aws:username",
    "s3:authType",
    "s3:delimiter",
    "s3:max-keys",
    "s3:prefix",
    "s3:signatureAge",
    "s3:signatureversion",
    "s3:versionid",
    "s3:x-amz-acl",
    "s3:x-amz-content-sha256",
    "s3:x-amz-copy-source",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-storage-class",
};

bool policy_is_action(const struct glob *g)
{
    struct str text = str_from(g->text, g->n);
    size_t colon = str_find_char(text, ':', 0);
    struct glob service = {g->text, g->kinds, colon};
    char name[64];

    if (colon == SIZE_MAX)
        return str_eq(text, STR("*"));
    if (colon == 0 || colon + 1 == text.n)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(s3_actions); i++) {
        (void)snprintf(name, sizeof(name), "s3:%s", s3_actions[i]);
        if (glob_match(g, str_from_cstr(name), true))
            return true;
    }
    return !glob_match(&service, STR("s3"), true);
}

const char *policy_condition_key(struct arena *a, struct str key)
{
    for (size_t i = 0; i < ARRAY_LEN(condition_keys); i++) {
        if (str_eq_nocase(key, str_from_cstr(condition_keys[i])))
            return condition_keys[i];
    }
    /* A claim's name is the issuer's to choose, and its case matters. */
    if (key.n > 4 && str_starts_with_nocase(key, STR("jwt:")))
        return arena_printf(a, "jwt:%.*s", STR_ARG(str_skip(key, 4))).p;
    return NULL;
}
