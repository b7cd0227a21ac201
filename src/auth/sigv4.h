/*
 * AWS Signature Version 4, verified: header form, query (presigned) form, and the chunk signatures of streaming
 * bodies. Rules are those of the S3 API's "Authenticating Requests"; error names are S3's: AccessDenied,
 * InvalidAccessKeyId, SignatureDoesNotMatch, RequestTimeTooSkewed, AuthorizationHeaderMalformed,
 * AuthorizationQueryParametersError, XAmzContentSHA256Mismatch, …
 */
#ifndef AUTH_SIGV4_H
#define AUTH_SIGV4_H

#include "base/arena.h"

struct sigv4_header {
    struct str name, value;
};

struct sigv4_request {
    struct str method, raw_path, raw_query; /* as sent */
    const struct sigv4_header *headers;
    size_t header_count;
};

enum sigv4_payload {
    SIGV4_PAYLOAD_UNSIGNED,          /* UNSIGNED-PAYLOAD; what a presigned URL says */
    SIGV4_PAYLOAD_HASH,              /* x-amz-content-sha256: the body's SHA-256 */
    SIGV4_PAYLOAD_STREAMING,         /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD: signed chunks */
    SIGV4_PAYLOAD_STREAMING_TRAILER, /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER */
    SIGV4_PAYLOAD_UNSIGNED_TRAILER,  /* STREAMING-UNSIGNED-PAYLOAD-TRAILER */
};

/* The result; what chunk verification continues from. */
struct sigv4 {
    struct str access_key;
    enum sigv4_payload payload;
    unsigned char payload_hash[32]; /* SIGV4_PAYLOAD_HASH */
    unsigned char signing_key[32];
    char date[17];      /* 20261124T143005Z */
    struct str scope;   /* 20261124/us-east-1/s3/aws4_request */
    char signature[65]; /* hexadecimal: the seed of the first chunk */
};

/* What a request of one access key may be signed with. */
struct sigv4_keys {
    struct str secret;
    struct str previous; /* also good: the one before a rotation; null: none */
};
/* Finds them. `token` is the session token that came along, null when none did. An error is the request's answer. */
typedef int (*sigv4_keys_fn)(void *ctx, struct str access_key, struct str token, struct sigv4_keys *ret,
                             struct err *err);

/* `now_ms`: wall clock. Skew allowed: 15 minutes; presigned: until its expiry (at most 7 days). Region is whatever the
 * client signed for; service must be "s3" (or `service`). ERR_DENIED or ERR_INVALID with S3's name. A request without
 * any signature is ERR_DENIED, AccessDenied. Compares in constant time. */
MUST_CHECK int sigv4_verify(struct arena *a, const struct sigv4_request *r, const char *service, int64_t now_ms,
                            sigv4_keys_fn keys_of, void *ctx, struct sigv4 *ret, struct err *err);
/* The signature that the next chunk has to carry: `previous` is the hexadecimal one before it, `hash` of the chunk. */
void sigv4_chunk_signature(const struct sigv4 *s, const char previous[65], const unsigned char hash[32], char ret[65]);
/* … and that of the trailer; `hash` is the SHA-256 of "name:value\n" lines as the specification joins them. */
void sigv4_trailer_signature(const struct sigv4 *s, const char previous[65], const unsigned char hash[32],
                             char ret[65]);

#endif
