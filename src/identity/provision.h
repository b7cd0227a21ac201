/*
 * What platform.yaml says of users, groups, roles and clients, made true at each start: what is missing is made, what is
 * there gets what the file names, and nothing is taken away, so that what an administrator adds stays.
 *
 * Passwords and client secrets are the platform's secrets. A client always has its secret; a user's password is set when it
 * is made and when the secret was rotated since, so that a password that the user chose stays.
 */
#ifndef IDENTITY_PROVISION_H
#define IDENTITY_PROVISION_H

#include "identity/model.h"
#include "secrets/secrets.h"
#include "spec/spec.h"

MUST_CHECK int provision(struct identity *i, const struct spec *spec, const struct secrets *secrets, struct err *err);

#endif
