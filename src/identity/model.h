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
 * A stored document is the representation without what can be read elsewhere. Members that begin with '$' are ours and
 * never leave the service: references by id, where the representation has names ($client of a role, $parts of a composite
 * role, $parent and $roles of a group, $default and $optional scopes and $roles of a client or scope).
 *
 *   model/open.c      tables and their versions; opening and closing
 *   model/realm.c     snapshots: building them, looking things up
 *   model/change.c    a change: a transaction in the database, then new snapshots
 *   model/defaults.c  what Keycloak puts into a new realm (defaults.json), and the first administrator
 *   model/import.c    realm export files, which is how realms are made too
 *   model/rep.c       the way back: representations and export files
 *   model/user.c, credential.c, password.c, otp.c   users and what they prove themselves with
 *   model/key.c       the keys of a realm's key providers
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
/* Makes the realm master with its user `admin` when there is no realm yet; else nothing. */
MUST_CHECK int identity_bootstrap(struct identity *i, struct str admin_password, struct err *err);

/* ---- a realm's configuration ---- */

struct client;
struct group;

struct role {
    struct str id, name;
    size_t index;                /* among all roles of the realm and its clients */
    const struct client *client; /* NULL: a realm role */
    const struct role **composites;
    size_t composite_count;
    json_t *rep; /* the document, as for all below */
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
    json_t *rep;
};

struct group {
    struct str id, name, path;
    const struct group *parent; /* NULL: top level */
    const struct role **roles;  /* mapped to it, not to its parents */
    size_t role_count;
    const struct group **children;
    size_t child_count;
    json_t *rep;
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
    size_t all_role_count;               /* the clients' included */
    const struct role *const *all_roles; /* by struct role's index */
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

enum realm_kind {
    KIND_CLIENT,
    KIND_ROLE,
    KIND_GROUP,
    KIND_SCOPE,
    KIND_COMPONENT, /* key providers, the user profile, and what we only keep */
    KIND_FLOW,
    KIND_FLOW_CONFIG,
    KIND_REQUIRED_ACTION,
    KIND_IDP,
    KIND_IDP_MAPPER,
    KIND_COUNT
};
/* The document of that id, or NULL; borrowed from the snapshot. */
json_t *realm_doc(const struct realm *r, enum realm_kind kind, struct str id);
/* All documents of a kind, in the order of their making. */
json_t *const *realm_docs(const struct realm *r, enum realm_kind kind, size_t *ret_n);

/* The roles with all that they are composed of, each once; in the arena. */
size_t role_expand(const struct realm *r, struct arena *a, const struct role *const *roles, size_t n,
                   const struct role ***ret);

/* ---- changes: all or nothing. One at a time: a change waits for the one before it, so it has to be short. ---- */

struct identity_change; /* a transaction */
struct realm_draft;     /* what a realm's configuration will be; belongs to the change */

MUST_CHECK int identity_change_begin(struct identity *i, struct identity_change **ret, struct err *err);
/* Makes it durable and visible; ERR_CONFLICT: another process was faster, try again. The change is then only good for
 * identity_change_end. */
MUST_CHECK int identity_change_commit(struct identity_change *c, struct err *err);
void identity_change_end(struct identity_change *c); /* gives up what isn't committed, frees; NULL is fine */
static inline void identity_change_release(struct identity_change **c)
{
    identity_change_end(*c);
}
#define CHANGE_SCOPED __attribute__((cleanup(identity_change_release)))
struct db_conn *identity_change_conn(struct identity_change *c);
struct arena *identity_change_arena(struct identity_change *c); /* lives as long as the change */

/* The realm's draft, the same one each time. ERR_NOT_FOUND. */
MUST_CHECK int identity_change_realm(struct identity_change *c, struct str name, struct realm_draft **ret,
                                     struct err *err);
/* A new realm, empty but for `rep` (borrowed), which has id and realm. ERR_EXISTS. */
MUST_CHECK int identity_change_new_realm(struct identity_change *c, json_t *rep, struct realm_draft **ret,
                                         struct err *err);
/* Removes the realm with its users, and the master realm's client for it. */
MUST_CHECK int identity_remove_realm(struct identity_change *c, struct str name, struct err *err);
/* Only its rows. */
MUST_CHECK int identity_change_drop_realm(struct identity_change *c, struct str name, struct err *err);

struct str draft_realm_id(const struct realm_draft *d);
json_t *draft_rep(struct realm_draft *d);               /* borrowed; not to be changed */
void draft_set_rep(struct realm_draft *d, json_t *rep); /* takes the reference; renames when "realm" differs */
json_t *draft_get(struct realm_draft *d, enum realm_kind kind,
                  struct str id); /* borrowed, not to be changed, or NULL */
/* The documents of a kind as they are now, as an array in the arena of borrowed ones. */
size_t draft_list(struct realm_draft *d, enum realm_kind kind, json_t ***ret);
/* The first document of a kind that has the string at `key`, and the one at `key2` (null: no such member there; key2 NULL:
 * whatever). Borrowed, or NULL. */
json_t *draft_find(struct realm_draft *d, enum realm_kind kind, const char *key, struct str value, const char *key2,
                   struct str value2);
/* Adds or replaces by "id"; takes the reference. */
void draft_put(struct realm_draft *d, enum realm_kind kind, json_t *doc);
/* Removes the document, every reference to its id, and what hangs on it: a client's roles and service account, a group's
 * subgroups, the mappings of users to it. */
MUST_CHECK int draft_delete(struct realm_draft *d, enum realm_kind kind, struct str id, struct err *err);
/* A snapshot of the draft as it is now, for looking things up; drop it with realm_unref. */
struct realm *draft_snapshot(struct realm_draft *d);

/* Representations into documents: what Keycloak's admin API takes. Each checks all of it, then changes the draft; ids are
 * the change's. `keep_id`: takes the representation's "id" (imports, and clients, for which Keycloak does so always).
 * ERR_EXISTS and ERR_INVALID have Keycloak's messages. */
MUST_CHECK int client_create(struct identity_change *c, struct realm_draft *d, const json_t *rep, struct str *ret_id,
                             struct err *err);
MUST_CHECK int client_update(struct identity_change *c, struct realm_draft *d, struct str id, const json_t *rep,
                             struct err *err);
/* A new secret for a confidential client: 86 characters, into ret (88 bytes). */
enum { CLIENT_SECRET_SIZE = 87 };
void client_new_secret(char ret[CLIENT_SECRET_SIZE]);
/* Makes the service account's user when the client should have one and hasn't, removes it when it shouldn't. */
MUST_CHECK int client_sync_service_account(struct identity_change *c, struct realm_draft *d, struct str id,
                                           struct err *err);
MUST_CHECK int scope_create(struct realm_draft *d, const json_t *rep, struct str *ret_id, struct err *err);
MUST_CHECK int scope_update(struct realm_draft *d, struct str id, const json_t *rep, struct err *err);
/* A mapper of a client or scope (kind). ERR_EXISTS: "Protocol mapper exists with same name". */
MUST_CHECK int mapper_add(struct realm_draft *d, enum realm_kind kind, struct str owner, const json_t *rep,
                          struct str *ret_id, struct err *err);
MUST_CHECK int mapper_update(struct realm_draft *d, enum realm_kind kind, struct str owner, struct str id,
                             const json_t *rep, struct err *err);
MUST_CHECK int mapper_delete(struct realm_draft *d, enum realm_kind kind, struct str owner, struct str id,
                             struct err *err);
/* `client`: the id of the role's client, or null for a realm role. */
MUST_CHECK int role_create(struct realm_draft *d, struct str client, const json_t *rep, bool keep_id,
                           struct str *ret_id, struct err *err);
MUST_CHECK int role_update(struct realm_draft *d, struct str id, const json_t *rep, struct err *err);
/* Adds or removes an id of the array at a '$' member of a document. */
MUST_CHECK int draft_link(struct realm_draft *d, enum realm_kind kind, struct str id, const char *key, struct str other,
                          bool add, struct err *err);
/* `parent` null: top level. */
MUST_CHECK int group_create(struct realm_draft *d, struct str parent, const json_t *rep, bool keep_id,
                            struct str *ret_id, struct err *err);
MUST_CHECK int group_update(struct realm_draft *d, struct str id, const json_t *rep, struct err *err);
MUST_CHECK int group_move(struct realm_draft *d, struct str id, struct str parent, struct err *err);
/* A ComponentRepresentation; a key provider gets its key. */
MUST_CHECK int component_create(struct realm_draft *d, const json_t *rep, struct str *ret_id, struct err *err);
MUST_CHECK int component_update(struct realm_draft *d, struct str id, const json_t *rep, struct err *err);
/* The realm's own settings; members that are there count. */
MUST_CHECK int realm_update(struct identity_change *c, struct realm_draft *d, const json_t *rep, struct err *err);

/* The way back: new references to representations as the admin API answers them. */
#define KEYCLOAK_VERSION "26.7.3"         /* whose representations these are */
json_t *realm_rep(const struct realm *r); /* the settings */
json_t *role_rep(const struct realm *r, const struct role *role, bool brief);
json_t *group_rep(const struct group *g, bool brief); /* subGroups empty */
json_t *full_client_rep(const struct client *c);
json_t *scope_rep(const struct client_scope *s);
json_t *mapper_rep(const struct protocol_mapper *m); /* with what its configuration leaves out */
json_t *component_rep(const json_t *doc, bool with_secrets);
json_t *realm_keys_rep(const struct realm *r); /* KeysMetadataRepresentation */
json_t *doc_rep(const json_t *doc);            /* any document without its '$' members */
/* As Keycloak's partial export; with secrets as its export to files, but for the users. */
json_t *realm_export(const struct realm *r, bool with_clients, bool with_groups_and_roles, bool with_secrets);
/* Adds the users of service accounts to a partial export, under "users". */
MUST_CHECK int realm_export_service_accounts(struct identity *i, const struct realm *r, struct arena *a, json_t *rep,
                                             struct err *err);
/* All of a realm, keys, secrets, users and their hashed passwords included: what identity_import_realm takes. */
MUST_CHECK int identity_export_realm(struct identity *i, struct str name, json_t **ret, struct err *err);

/* A realm from a RealmRepresentation, as short as {"realm":"x"} or as long as an export, with what Keycloak adds to it. */
MUST_CHECK int identity_import_realm(struct identity_change *c, const json_t *rep, struct err *err);

/* The composites of "roles" and the role mappings of "groups" of a representation whose roles and groups were made. */
MUST_CHECK int realm_link_added(struct realm_draft *d, const json_t *rep, struct err *err);

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

/* Changes to users: in the change's transaction; `r` is the snapshot that roles and groups are looked up in. Representations
 * are UserRepresentations; only the members that are there count. The errors' names are Keycloak's words where it has one.
 */
enum { USER_ATTRIBUTES_MAX = 512, USER_VALUE_MAX = 64 << 10 };
/* `keep_id`: an import: takes the "id" of the representation, and gives only the roles and groups that it says; else
 * makes an id and gives the realm's default roles and groups. Reads credentials, groups (paths), realmRoles, clientRoles,
 * serviceAccountClientId too. ERR_EXISTS: "User exists with same username" or "… email". */
MUST_CHECK int user_create(struct identity_change *c, const struct realm *r, const json_t *rep, bool keep_id,
                           struct str *ret_id, struct err *err);
MUST_CHECK int user_update(struct identity_change *c, const struct realm *r, struct str id, const json_t *rep,
                           struct err *err);
MUST_CHECK int user_delete(struct identity_change *c, const struct realm *r, struct str id, struct err *err);
MUST_CHECK int user_add_role(struct identity_change *c, const struct realm *r, struct str id, const struct role *role,
                             struct err *err);
MUST_CHECK int user_remove_role(struct identity_change *c, const struct realm *r, struct str id,
                                const struct role *role, struct err *err);
MUST_CHECK int user_join_group(struct identity_change *c, const struct realm *r, struct str id, const struct group *g,
                               struct err *err);
MUST_CHECK int user_leave_group(struct identity_change *c, const struct realm *r, struct str id, const struct group *g,
                                struct err *err);
/* Roles mapped to the user itself. */
MUST_CHECK int user_own_roles(struct identity *i, const struct realm *r, struct arena *a, const struct user *u,
                              const struct role ***ret, size_t *ret_n, struct err *err);

struct user_query {
    struct str search; /* in name, address, first or last name; each word has to match; "…" exact, * any */
    struct str username, email, first_name, last_name;
    struct str group_id, role_id; /* direct members, direct mappings */
    const struct str *attribute_names, *attribute_values;
    size_t attribute_count;
    bool exact, has_enabled, enabled, has_email_verified, email_verified, with_service_accounts;
    int64_t first, max; /* max < 0: all */
};
/* Ordered by username. Null strings: any. */
MUST_CHECK int user_search(struct identity *i, const struct realm *r, struct arena *a, const struct user_query *q,
                           struct user **ret, size_t *ret_n, struct err *err);
MUST_CHECK int user_count(struct identity *i, const struct realm *r, const struct user_query *q, int64_t *ret,
                          struct err *err);

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
struct user_credential {
    struct str id, type, label; /* "password", "otp", …; label may be null */
    int64_t created_ms;
    struct str credential_data, secret_data; /* Keycloak's JSON; the secret is only for exports */
};
MUST_CHECK int user_credentials(struct identity *i, const struct realm *r, struct arena *a, struct str user_id,
                                struct user_credential **ret, size_t *ret_n, struct err *err);
/* ERR_NOT_FOUND: "Credential not found". */
MUST_CHECK int user_delete_credential(struct identity_change *c, const struct realm *r, struct str user_id,
                                      struct str id, struct err *err);
MUST_CHECK int user_label_credential(struct identity_change *c, const struct realm *r, struct str user_id,
                                     struct str id, struct str label, struct err *err);
/* As user_set_password, within a change. */
MUST_CHECK int user_change_password(struct identity_change *c, const struct realm *r, const struct user *u,
                                    struct str password, bool temporary, struct err *err);
MUST_CHECK int user_remove_required_action(struct identity *i, const struct realm *r, const struct user *u,
                                           struct str action, struct err *err);

#endif
