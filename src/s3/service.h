/*
 * The `store` service: the S3 REST API over objects/, with MinIO's endpoint contract (path style, /minio/health/live
 * and /ready without authentication). One folder file an area: bucket.c, object.c, multipart.c, listing.c,
 * chunked.c (aws-chunked bodies), xml.c (requests and answers), error.c (the one place that renders struct err).
 */
#ifndef S3_SERVICE_H
#define S3_SERVICE_H

#include "secrets/secrets.h"
#include "spec/spec.h"

/* Runs until SIGTERM: makes the spec's buckets, serves, cleans. Data: spec->data_dir/objects. Secrets:
 * "store/users/NAME/secret-key". */
MUST_CHECK int s3_service_run(const struct spec *spec, struct secrets *secrets, struct err *err);

/* The policies of the spec, and those that its users name. */
MUST_CHECK int s3_check_policies(const struct spec *spec, struct err *err);

#endif
