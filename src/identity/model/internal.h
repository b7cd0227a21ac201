/* What the files of model/ share. Private to them. */
#ifndef IDENTITY_MODEL_INTERNAL_H
#define IDENTITY_MODEL_INTERNAL_H

#include "base/uuid.h"
#include "base/vec.h"
#include "identity/model.h"
#include "identity/model/docs.h"
#include "identity/model/policy.h"

#include <pthread.h>

struct identity {
    struct db *db;
    pthread_rwlock_t lock; /* of `realms` */
    struct map realms;     /* name to struct realm, each holding a reference */
    pthread_mutex_t changing;
    int64_t last_seq; /* under `changing` */
};

/* A snapshot's documents of one kind; the references are the snapshot's. */
struct doc_list {
    json_t **items;
    size_t n, cap;
};

struct realm_internal {
    struct arena arena;
    int references;
    int64_t version; /* identity_realm.version in the database */
    struct doc_list docs[KIND_COUNT];
    struct map by_id[KIND_COUNT]; /* id to document */
    struct map clients, clients_by_id, realm_roles, roles_by_id, groups_by_id, groups_by_path, scopes, scopes_by_id;
};

extern const char *const realm_kind_names[KIND_COUNT]; /* as in the table */

/* Builds a snapshot; takes over the references of `rep` and of the lists, and the lists' memory. */
struct realm *realm_build(json_t *rep, struct doc_list docs[KIND_COUNT], int64_t version);
/* Reads one realm, or all (id null), from the database. */
MUST_CHECK int realm_load(struct db_conn *conn, struct str id, struct realm **ret, struct err *err);

/* Adds a ProtocolMapperRepresentation to an array of them. */
MUST_CHECK int mapper_append(json_t *mappers, const json_t *rep, bool keep_id, struct str *ret_id, struct err *err);

/* ---- new realms (defaults.c) ---- */

/* defaults.json for a realm of that name; the caller's. */
json_t *realm_defaults(struct str name);
/* The master realm's client for the realm, its roles, and that `admin` has them. */
MUST_CHECK int realm_add_to_master(struct identity_change *c, struct str realm, struct err *err);
MUST_CHECK int realm_remove_from_master(struct identity_change *c, struct str realm, struct err *err);
struct arena *realm_draft_arena(struct realm_draft *d); /* the change's */

/* ---- passwords (password.c) ---- */

/* Keycloak's secretData and credentialData for a password. */
void password_hash(struct arena *a, struct str password, struct str *ret_secret, struct str *ret_data);
/* 0 and whether it is with parameters older than ours; ERR_DENIED; ERR_UNSUPPORTED: hashed in a way that we don't have. */
MUST_CHECK int password_verify(struct str password, struct str secret_data, struct str credential_data,
                               bool *ret_is_old, struct err *err);
/* As long as password_verify takes, for nothing. */
void password_waste(struct str password);

/* ---- credentials (credential.c) ---- */

/* Stores a representation's "credentials": passwords with "value", or hashed ones as exports have them. A password that
 * comes as `value` has to keep to the realm's policy. */
MUST_CHECK int user_store_credentials(struct identity_change *c, const struct realm *r, struct str user_id,
                                      const struct str *username, const json_t *rep, struct err *err);

/* ---- keys (key.c) ---- */

/* Fills what a key provider's document lacks: the key itself for a *-generated one, its $kid. ERR_INVALID says what is
 * wrong with the configuration, ERR_UNSUPPORTED names a provider that we don't have. */
MUST_CHECK int key_provider_complete(json_t *component, struct str realm_name, struct err *err);
/* The keys of a provider's document into ret (one or none). */
bool key_from_component(struct arena *a, const json_t *component, struct realm_key *ret);

#endif
