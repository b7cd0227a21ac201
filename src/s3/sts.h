/* AssumeRoleWithWebIdentity: temporary credentials for who has a token of the identity provider. */
#ifndef S3_STS_H
#define S3_STS_H

#include "spec/spec.h"

struct sts;
struct s3_call;

enum { STS_BODY_MAX = 128 << 10 }; /* bytes: a token and a policy */

/* Fetches nothing yet. */
MUST_CHECK int sts_new(const struct spec *spec, struct sts **ret, struct err *err);
void sts_free(struct sts *s); /* NULL is fine */
/* As an operation of S3 runs; its errors are to be sent with sts_respond_error. */
int sts_run(struct s3_call *c, struct err *err);
void sts_respond_error(struct s3_call *c, const struct err *err);

#endif
