/*
 * What users have granted to clients that ask for consent: scopes by client. Rows; read at each login of such a client.
 */
#ifndef IDENTITY_CONSENT_H
#define IDENTITY_CONSENT_H

#include "identity/model.h"

struct consent {
    struct str client_id;        /* the client's UUID */
    const struct str *scope_ids; /* of client scopes */
    size_t scope_count;
    int64_t created_ms, updated_ms;
};

/* Makes the table when missing. */
MUST_CHECK int consent_open(struct db *db, struct err *err);
/* ERR_NOT_FOUND: nothing is granted. */
MUST_CHECK int consent_get(struct db *db, const struct realm *r, struct arena *a, struct str user_id,
                           struct str client_id, struct consent *ret, struct err *err);
MUST_CHECK int consent_list(struct db *db, const struct realm *r, struct arena *a, struct str user_id,
                            struct consent **ret, size_t *ret_n, struct err *err);
/* Adds these scopes to what is granted. */
MUST_CHECK int consent_grant(struct db *db, const struct realm *r, struct str user_id, struct str client_id,
                             const struct str *scope_ids, size_t n, struct err *err);
/* ERR_NOT_FOUND: "Consent nor offline token not found" (Keycloak's words). */
MUST_CHECK int consent_revoke(struct db *db, const struct realm *r, struct str user_id, struct str client_id,
                              struct err *err);

#endif
