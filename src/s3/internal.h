/* What the files of s3/ share: the service, one call, and the ways to answer it. */
#ifndef S3_INTERNAL_H
#define S3_INTERNAL_H

#include "auth/policy.h"
#include "auth/sigv4.h"
#include "http/server.h"
#include "objects/objects.h"
#include "s3/checksum.h"
#include "s3/chunked.h"
#include "s3/session.h"
#include "s3/sts.h"
#include "s3/xml.h"
#include "secrets/secrets.h"
#include "spec/spec.h"

#include <pthread.h>

enum {
    S3_XML_BODY_MAX = 4 << 20, /* bytes: 10000 parts with their checksums */
    S3_KEYS_MAX = 1000,        /* of a listing's page, and of a batch delete */
};
#define S3_OBJECT_MAX (UINT64_C(5) << 40) /* bytes, as MinIO's */
#define S3_PART_MAX (UINT64_C(5) << 30)

/* ---- access.c: who may do what, as it is at one time ---- */

/* Who asks. */
struct s3_principal {
    struct str name, access_key;
    const struct policy *const *policies;
    size_t policy_count;
    const struct session_claim *claims; /* of the token that temporary credentials came from */
    size_t claim_count;
    const struct policy *session_policy; /* has to allow it too; NULL: there is none */
    bool is_temporary;
    bool has_buckets; /* granted by the spec's `buckets`: ListBuckets then has an answer, if an empty one */
};

/* Immutable, and shared by the calls that began with it: a secret that is rotated makes a new one for the next. */
struct s3_access;
/* With one reference, for the caller. */
MUST_CHECK int s3_access_new(const struct spec *spec, const struct secrets *secrets, struct s3_access **ret,
                             struct err *err);
void s3_access_unref(struct s3_access *a); /* NULL is fine */
bool s3_access_has_policy(const struct s3_access *a, struct str name);
const unsigned char *s3_access_session_key(const struct s3_access *a); /* SESSION_KEY_SIZE bytes */

struct s3 {
    struct objects *objects;
    const struct spec *spec;
    struct sts *sts;
    char host_id[65];
    pthread_mutex_t lock; /* guards access */
    struct s3_access *access;
};
struct s3_access *s3_access_current(struct s3 *s);         /* a reference */
void s3_access_replace(struct s3 *s, struct s3_access *a); /* takes the reference */

struct s3_call;

/* As sigv4_verify asks for them; ctx is the call, whose `user` is then set. */
int s3_find_keys(void *ctx, struct str access_key, struct str token, struct sigv4_keys *ret, struct err *err);

/* authorize.c: ERR_DENIED, AccessDenied, when the call's user may not do this. `key` empty: to the bucket. */
MUST_CHECK int s3_authorize(struct s3_call *c, const char *action, struct str bucket, struct str key, struct err *err);
/* The same without an error, and telling a deny from what nobody allowed. */
enum policy_effect s3_permission(struct s3_call *c, const char *action, struct str bucket, struct str key);

/* What to do with a request; found by method, level and subresource in route.c. */
struct s3_operation {
    const char *method;
    enum s3_level { S3_SERVICE, S3_BUCKET, S3_OBJECT } level;
    const char *query, *header; /* that has to be there; NULL: none */
    const char *action;         /* that policies know it by; NULL: `run` asks for each thing that it does */
    enum s3_body_kind { S3_BODY_NONE, S3_BODY_XML, S3_BODY_BYTES } body;
    /* On the network thread, before the body: reads and checks headers. May be NULL. */
    int (*prepare)(struct s3_call *c, struct err *err);
    /* On the pool, before the first byte of an S3_BODY_BYTES. */
    int (*open)(struct s3_call *c, struct objects_write **ret, struct err *err);
    /* On the pool, when the body is complete and its digests matched. Responds as its last act, for the call may be
     * gone by then; or returns an error and has not responded. */
    int (*run)(struct s3_call *c, struct err *err);
};

/* How the body comes, and what the client said about it. */
struct s3_body {
    enum s3_body_kind kind;
    bool is_open, is_chunked, is_hashing;
    uint64_t length, received; /* decoded bytes: declared, and so far; length UINT64_MAX: not declared */
    struct buf xml;
    struct objects_write *write; /* owned until run takes it */
    struct hash sha256;
    struct chunked chunked;
    bool has_md5;
    unsigned char md5[16];
    const struct checksum_kind *checksum; /* NULL: none declared */
    bool has_checksum_value;              /* false: the trailer brings it */
    unsigned char checksum_value[HASH_MAX_SIZE];
};

struct s3_call {
    struct s3 *s3;
    struct s3_access *access; /* a reference */
    struct http_request *r;
    struct arena *arena;
    const struct s3_operation *operation;
    const struct s3_principal *user;
    struct sigv4 signature;
    struct str bucket, key;
    char request_id[17];
    bool responded;
    struct s3_body body;
    struct objects_meta *meta; /* of a put, copy or upload: s3_read_metadata */
    size_t meta_count;
};

/* handler.c: a header, or the presigned URL's parameter of that name; null when absent */
struct str s3_header(struct s3_call *c, const char *name);
extern const struct http_handler s3_handler;

/* route.c */
int s3_route(struct s3_call *c, struct err *err); /* finds c->operation, or says why there is none */

/* body.c */
int s3_body_prepare(struct s3_call *c, struct err *err);
int s3_body_add(struct s3_call *c, struct str piece, struct err *err);
int s3_body_finish(struct s3_call *c, struct err *err);
void s3_body_release(struct s3_call *c);

/* respond.c */
struct http_response *s3_response(struct s3_call *c, int status); /* with the ids that each answer carries */
void s3_respond_error(struct s3_call *c, const struct err *err);
void s3_respond_xml(struct s3_call *c, struct http_response *p, struct buf *xml);
void s3_respond_empty(struct s3_call *c, struct http_response *p);
void s3_response_add_etag(struct s3_call *c, struct http_response *p, struct str etag);
void s3_response_add_checksum(struct s3_call *c, struct http_response *p, const struct objects_info *info);
void s3_xml_owner(struct s3_call *c, struct buf *b, const char *element);
void s3_xml_etag(struct buf *b, struct str etag);
void s3_xml_checksum(struct s3_call *c, struct buf *b, const struct objects_checksum *sum, uint32_t part_count);

/* condition.c */
struct str s3_unquote_etag(struct str text);
struct s3_conditions {
    struct str if_match, if_none_match, if_modified_since, if_unmodified_since;
};
/* 200, 304 or 412 (RFC 9110, 13.2.2). */
int s3_conditions_check(const struct s3_conditions *q, const struct objects_info *info);
/* The two a write may carry; the library checks them where the object becomes visible. */
int s3_read_write_conditions(struct s3_call *c, struct objects_conditions *ret, struct err *err);

/* object.c */
int s3_read_metadata(struct s3_call *c, struct err *err); /* fills c->meta */
int s3_refuse_unsupported_headers(struct s3_call *c, struct err *err);
int s3_get_object(struct s3_call *c, struct err *err);
int s3_head_object(struct s3_call *c, struct err *err);
int s3_put_object_prepare(struct s3_call *c, struct err *err);
int s3_put_object_open(struct s3_call *c, struct objects_write **ret, struct err *err);
int s3_put_object(struct s3_call *c, struct err *err);
int s3_delete_object(struct s3_call *c, struct err *err);
int s3_delete_objects(struct s3_call *c, struct err *err);
int s3_get_object_acl(struct s3_call *c, struct err *err);
int s3_get_object_attributes(struct s3_call *c, struct err *err);
int s3_get_object_tagging(struct s3_call *c, struct err *err);

/* copy.c */
struct s3_source {
    struct str bucket, key;
};
int s3_read_copy_source(struct s3_call *c, struct s3_source *ret, struct err *err); /* parsed and granted */
/* Opens it, with the conditions of x-amz-copy-source-if-*. The reader is the caller's to release. */
int s3_open_copy_source(struct s3_call *c, const struct s3_source *s, struct objects_reader *ret, struct err *err);
int s3_copy_bytes(const struct objects_reader *from, uint64_t first, uint64_t n, struct objects_write *to,
                  struct err *err);
int s3_copy_object_prepare(struct s3_call *c, struct err *err);
int s3_copy_object(struct s3_call *c, struct err *err);

/* bucket.c */
int s3_list_buckets(struct s3_call *c, struct err *err);
int s3_create_bucket(struct s3_call *c, struct err *err);
int s3_head_bucket(struct s3_call *c, struct err *err);
int s3_delete_bucket(struct s3_call *c, struct err *err);
int s3_get_bucket_location(struct s3_call *c, struct err *err);
int s3_get_bucket_acl(struct s3_call *c, struct err *err);
int s3_get_bucket_setting(struct s3_call *c, struct err *err); /* what is fixed here: versioning, logging, … */

/* listing.c */
int s3_list_objects(struct s3_call *c, struct err *err);
int s3_list_objects_v2(struct s3_call *c, struct err *err);

/* multipart.c */
int s3_create_upload_prepare(struct s3_call *c, struct err *err);
int s3_create_upload(struct s3_call *c, struct err *err);
int s3_upload_part_prepare(struct s3_call *c, struct err *err);
int s3_upload_part_open(struct s3_call *c, struct objects_write **ret, struct err *err);
int s3_upload_part(struct s3_call *c, struct err *err);
int s3_upload_part_copy(struct s3_call *c, struct err *err);
int s3_complete_upload(struct s3_call *c, struct err *err);
int s3_abort_upload(struct s3_call *c, struct err *err);
int s3_list_parts(struct s3_call *c, struct err *err);
int s3_list_uploads(struct s3_call *c, struct err *err);

/* listing.c: a number of a query, with S3's error when it is none; clamped to `max` */
int s3_query_number(struct s3_call *c, const char *name, int64_t fallback, int64_t max, int64_t *ret, struct err *err);

#endif
