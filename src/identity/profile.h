/*
 * The user profile: which attributes users have, what their values have to be, who may see and change them. Keycloak's
 * declarative user profile: its configuration is a component of the realm, or, when there is none, Keycloak's default.
 */
#ifndef IDENTITY_PROFILE_H
#define IDENTITY_PROFILE_H

#include "identity/model.h"

json_t *profile_config(const struct realm *r);   /* UPConfig; a new reference */
json_t *profile_metadata(const struct realm *r); /* UserProfileMetadata; a new reference */
/* ERR_INVALID says what is wrong with the configuration. A null or empty one brings the default back. */
MUST_CHECK int profile_set(struct realm_draft *d, const json_t *config, struct err *err);

/* What an administrator or user (is_admin) wants to write: takes the attributes out of `rep` that the profile doesn't know
 * or that this one may not write, and checks the rest; `current` is the user's representation so far, or NULL for a new
 * one. NULL: all is well. Else Keycloak's answer, {"field", "errorMessage", "params"}: a new reference. */
json_t *profile_check(const struct realm *r, json_t *rep, const json_t *current, bool is_admin);

#endif
