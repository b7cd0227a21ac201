/*
 * What the identity service knows: realms and all that is in them, on db/ (SQLite or PostgreSQL).
 *
 * What an administrator configures (a realm, its clients, client scopes, roles, groups, keys) is kept as Keycloak's own
 * representations, the JSON documents of its admin REST API and of its realm export: what we don't interpret survives
 * an import and an export unchanged. Beside each document stand the members that the protocol reads.
 *
 * The configuration of one realm is one immutable snapshot in memory, reference-counted: a request takes it once and
 * sees one state to its end; a change is written to the database, then makes the next snapshot. Users, credentials and
 * sessions are rows: read when they are needed.
 *
 * Names and rules are Keycloak 26.7's. Ids are UUIDs in text. All functions may be called from any thread.
 *
 *   model/schema.c    tables and their versions
 *   model/realm.c     snapshots: loading, looking things up
 *   model/defaults.c  what Keycloak puts into a new realm: built-in clients, scopes, mappers, roles
 *   model/client.c, scope.c, role.c, group.c, user.c, credential.c, key.c   changes, each checked whole before it is made
 *   model/import.c, export.c   realm export files, partial import and export
 */
#ifndef IDENTITY_MODEL_H
#define IDENTITY_MODEL_H

#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"
#include "db/db.h"

struct identity; /* the store of all realms */

/* Makes or migrates the tables and loads all realms. `db` stays the caller's and outlives the result. */
MUST_CHECK int identity_open(struct db *db, struct identity **ret, struct err *err);
void identity_close(struct identity *i);
struct db *identity_db(struct identity *i);

/* ---- a realm's configuration ---- */

struct client;
struct group;

struct role {
    struct str id, name;
    const struct client *client; /* NULL: a realm role */
    const struct role **composites;
    size_t composite_count;
    json_t *rep; /* RoleRepresentation */
};

struct protocol_mapper {
    struct str id, name, kind; /* kind: "oidc-usermodel-attribute-mapper", … */
    json_t *config;            /* an object of strings */
    json_t *rep;
};

struct client_scope {
    struct str id, name;
    bool is_default, is_optional; /* of new clients of the realm */
    bool in_token_scope;          /* include.in.token.scope */
    const struct protocol_mapper *mappers;
    size_t mapper_count;
    const struct role **scope_roles; /* scope mappings */
    size_t scope_role_count;
    json_t *rep;
};

struct client {
    struct str id, client_id;
    struct str secret; /* null for public and bearer-only clients */
    bool enabled, is_public, bearer_only, consent_required;
    bool standard_flow, implicit_flow, direct_grants, service_accounts, device_flow, token_exchange, full_scope;
    struct str pkce_method; /* "S256", "plain", or null: what the client must use */
    struct str root_url;
    const struct str *redirect_uris, *web_origins; /* as configured: relative ones, "*" at the end, "+" */
    size_t redirect_uri_count, web_origin_count;
    const struct client_scope **default_scopes, **optional_scopes;
    size_t default_scope_count, optional_scope_count;
    const struct protocol_mapper *mappers; /* its dedicated ones */
    size_t mapper_count;
    const struct role **roles, **scope_roles;
    size_t role_count, scope_role_count;
    json_t *rep; /* ClientRepresentation, with id and secret */
};

struct group {
    struct str id, name, path;
    const struct group *parent; /* NULL: top level */
    const struct role **roles;  /* mapped to it, not to its parents */
    size_t role_count;
    json_t *rep; /* GroupRepresentation without subGroups */
};

enum realm_key_status { REALM_KEY_ACTIVE, REALM_KEY_PASSIVE, REALM_KEY_DISABLED };
/* A key of a provider component; the private part never leaves the process but in an export with secrets. */
struct realm_key {
    struct str kid, provider_id, algorithm, use; /* "RS256", "ES256", "EdDSA", "HS512", "AES"; "SIG" or "ENC" */
    enum realm_key_status status;
    int64_t priority;
    struct str private_pem, certificate_pem; /* asymmetric */
    struct str secret;                       /* OCT: raw bytes */
};

struct realm {
    struct str id, name;
    bool enabled;
    json_t *rep; /* RealmRepresentation without what the members below hold */

    /* seconds, as in the representation; 0 where Keycloak's 0 means "as the session's" */
    int64_t access_token_lifespan, sso_idle, sso_max, offline_idle, offline_max, client_session_idle,
        client_session_max;
    int64_t code_lifespan, login_lifespan, user_action_lifespan, device_code_lifespan, device_interval, not_before;
    bool revoke_refresh_token, offline_max_enabled, remember_me, login_with_email, duplicate_emails;
    int64_t refresh_token_max_reuse;
    struct str signature_algorithm;

    const struct client **clients;
    const struct role **roles; /* realm roles */
    const struct group **groups;
    const struct client_scope **scopes;
    const struct realm_key *keys;
    size_t client_count, role_count, group_count, scope_count, key_count;
    const struct role *default_role;
    void *internal; /* indexes, references, arena */
};

/* The snapshot of now, to be given back with realm_unref. ERR_NOT_FOUND: no such realm. */
MUST_CHECK int identity_realm(struct identity *i, struct str name, struct realm **ret, struct err *err);
struct realm *realm_ref(struct realm *r);
void realm_unref(struct realm *r);
static inline void realm_release(struct realm **r)
{
    if (*r)
        realm_unref(*r);
}
#define REALM_SCOPED __attribute__((cleanup(realm_release)))
/* Names of all realms, "master" among them, sorted. */
size_t identity_realm_names(struct identity *i, struct arena *a, struct str **ret);

/* NULL: there is none. */
const struct client *realm_client(const struct realm *r, struct str client_id);
const struct client *realm_client_by_id(const struct realm *r, struct str id);
const struct role *realm_role(const struct realm *r, struct str name);
const struct role *realm_role_by_id(const struct realm *r, struct str id); /* of the realm or of a client */
const struct role *client_role(const struct client *c, struct str name);
const struct group *realm_group_by_id(const struct realm *r, struct str id);
const struct group *realm_group_by_path(const struct realm *r, struct str path);
const struct client_scope *realm_scope(const struct realm *r, struct str name);
const struct client_scope *realm_scope_by_id(const struct realm *r, struct str id);
/* The active key of highest priority for the algorithm; NULL: none. */
const struct realm_key *realm_active_key(const struct realm *r, struct str algorithm);
const struct realm_key *realm_key(const struct realm *r, struct str kid); /* active or passive */

/* The roles with all that they are composed of, each once; in the arena. */
size_t role_expand(struct arena *a, const struct role *const *roles, size_t n, const struct role ***ret);

/* ---- users ---- */

struct user {
    struct str id, username, email, first_name, last_name;
    bool enabled, email_verified;
    struct str service_account_of; /* the id of the client, or null */
    int64_t created_ms, not_before;
    const struct str *required_actions; /* "UPDATE_PASSWORD", "CONFIGURE_TOTP", … */
    size_t required_action_count;
    json_t *attributes; /* object of arrays of strings; lives as long as the arena */
    json_t *rep;        /* UserRepresentation; as long as the arena */
};

/* ERR_NOT_FOUND: "User not found". Names and addresses are compared in lower case, as Keycloak stores them. */
MUST_CHECK int user_by_id(struct identity *i, const struct realm *r, struct arena *a, struct str id, struct user *ret,
                          struct err *err);
MUST_CHECK int user_by_name(struct identity *i, const struct realm *r, struct arena *a, struct str username,
                            struct user *ret, struct err *err);
MUST_CHECK int user_by_email(struct identity *i, const struct realm *r, struct arena *a, struct str email,
                             struct user *ret, struct err *err);
/* What a login form's first field means: the name, or the address when the realm allows that. */
MUST_CHECK int user_by_login(struct identity *i, const struct realm *r, struct arena *a, struct str login,
                             struct user *ret, struct err *err);
MUST_CHECK int user_of_service_account(struct identity *i, const struct realm *r, struct arena *a,
                                       const struct client *c, struct user *ret, struct err *err);
/* Roles mapped to the user and to its groups with their parents, expanded. */
MUST_CHECK int user_roles(struct identity *i, const struct realm *r, struct arena *a, const struct user *u,
                          const struct role ***ret, size_t *ret_n, struct err *err);
MUST_CHECK int user_groups(struct identity *i, const struct realm *r, struct arena *a, const struct user *u,
                           const struct group ***ret, size_t *ret_n, struct err *err);

/* ---- credentials: argon2id with Keycloak's parameters and encoding, so that both directions of an export keep passwords.
 * Verifying takes as long for a user that doesn't exist (u NULL). ---- */

/* 0, or ERR_DENIED when it is wrong or there is none. Re-hashes when the parameters have grown. */
MUST_CHECK int user_check_password(struct identity *i, const struct realm *r, const struct user *u, struct str password,
                                   struct err *err);
/* Checks the realm's password policy (ERR_INVALID names the rule that it breaks). */
MUST_CHECK int user_set_password(struct identity *i, const struct realm *r, const struct user *u, struct str password,
                                 bool temporary, struct err *err);
/* TOTP by the realm's policy (RFC 6238); a code is taken once. ERR_NOT_FOUND: the user has none. */
MUST_CHECK int user_has_otp(struct identity *i, const struct realm *r, const struct user *u, bool *ret,
                            struct err *err);
MUST_CHECK int user_check_otp(struct identity *i, const struct realm *r, const struct user *u, struct str code,
                              int64_t now_ms, struct err *err);
MUST_CHECK int user_add_otp(struct identity *i, const struct realm *r, const struct user *u, struct str secret,
                            struct str label, struct err *err);
MUST_CHECK int user_remove_required_action(struct identity *i, const struct realm *r, const struct user *u,
                                           struct str action, struct err *err);

#endif
