/*
 * platform.yaml. All of it is optional: an empty file is a working platform. Unknown keys, wrong types and values out
 * of range are errors with file, line and what was expected; every key is in docs/platform-yaml.md.
 *
 *   data: data                       # folder of all state, relative to the file
 *   bind: 127.0.0.1
 *   tls: off                         # or on, or {certificate: FILE, key: FILE, ca: FILE, hosts: [platform.example.org]}
 *   trusted-proxies: []              # networks whose X-Forwarded-… (proxy-headers: xforwarded) or Forwarded is believed
 *   services:
 *     store: {port: 9000}
 *     sql:   {port: 8080, memory: 60%, threads: 0, max-queries: 16, client-timeout: 5m}
 *            # access-control: {config-file: rules.json, group-file: groups.txt, refresh-period: 5s}
 *   objects:
 *     buckets: [trino-data, trino-exchange, airflow, airflow-logs]
 *     users:
 *       trino:   {access-key: trino, buckets: [trino-data, trino-exchange]}
 *       airflow: {access-key: airflow, buckets: [airflow, airflow-logs]}
 *     policies:                      # IAM documents, which users name: {buckets: …, policies: [read-raw]}
 *       read-raw: {Statement: {Effect: Allow, Action: s3:Get*, Resource: "arn:aws:s3:::raw/x"}}
 *     openid: {claim: policy}        # and issuer, audience, ca: whose tokens get temporary credentials
 *   secrets: {overlap: 5m}           # and vault: {address: …, auth: …}
 *   catalog: sqlite                  # or {postgresql: {host: …, port: 5432, database: …, user: …, password-file: …}}
 *   catalogs:
 *     iceberg: {connector: iceberg, warehouse: s3://trino-data}
 *     tpch:    {connector: tpch}     # any of the connector's properties under Trino's names: tpch.column-naming: STANDARD
 *     tpcds:   {connector: tpcds}
 *     memory:  {connector: memory}
 *
 *   identity:
 *     realm: dataplatform
 *     users: {trino: {}}
 *     clients: {trino: …, airflow: …, console: …}
 *
 * Naming `users`, `buckets`, `catalogs` or `clients` replaces the defaults shown.
 *
 *   keys.c     the tables of keys: kinds, ranges, where the value goes
 *   spec.c     the reader that walks them, defaults, checks across keys
 *   identity.c defaults, checks and digest of the section `identity`
 *   authentication.c the same of services.sql.authentication
 *   memory.c   amounts of memory, and how much there is
 *   document.c the file as a tree with positions
 */
#ifndef SPEC_SPEC_H
#define SPEC_SPEC_H

#include "base/arena.h"
#include "http/forwarded.h"

struct spec_service {
    int port;
    uint64_t memory;           /* bytes; sql: the engine's limit */
    int threads;               /* 0: as many as there are cores */
    int max_queries;           /* sql: that run at a time; more are queued */
    int64_t client_timeout_ms; /* sql: a query whose client asks for nothing that long is cancelled */
};

struct spec_user {
    struct str name, access_key;
    struct str *buckets; /* all of S3 in these */
    size_t bucket_count;
    struct str *policies; /* and what these allow; a user sees nothing else */
    size_t policy_count;
};

/* Where the secrets are kept, when not in a file: secrets/secrets.h says what the texts are; null: not said. */
struct spec_vault {
    struct str address, namespace_name, mount, path, ca;
    struct {
        struct str token_file;
        struct {
            struct str role_id, secret_id_file, mount;
        } approle;
        struct {
            struct str role, token_file, mount;
        } kubernetes;
    } auth;
    int64_t refresh_ms;
};

/* Whose tokens get temporary credentials of the store. */
struct spec_openid {
    struct str issuer;   /* null: that of the section identity, or else our own */
    struct str audience; /* null: any client of the section identity */
    struct str claim;    /* that names policies */
    struct str ca;       /* absolute: a file with the CAs of the issuer's certificate; null: the system's */
};

struct spec_policy {
    struct str name;
    struct str json; /* the document, not looked at yet */
    int line, column;
};

/* services.sql.access-control: Trino's file-based one. */
struct spec_access {
    struct str config_file, group_file; /* absolute; null: none */
    int64_t refresh_ms;
};

struct spec_property {
    struct str name, value;
    int line;
};

struct spec_catalog {
    struct str name, connector;
    struct spec_property *properties; /* all but `connector` */
    size_t property_count;
    int line;
};

struct spec_postgresql {
    bool is_set;
    struct str host, database, user, password_file; /* password_file: absolute; null: none */
    int port;
};

struct spec_tls {
    bool on;
    struct str certificate, key; /* absolute; null: made by the platform's own CA (pki/pki.h) */
    struct str ca;               /* absolute; null: the certificate is of a CA that everybody knows */
    struct str *hosts;           /* names and addresses by which clients know the platform, in lower case */
    size_t host_count;
};

/* ---- the section `identity` ---- */

struct spec_texts {
    struct str *items;
    size_t n;
};

struct spec_identity_group {
    struct str name;
    struct spec_texts roles;
};

struct spec_identity_user {
    struct str name, email, first_name, last_name;
    struct spec_texts groups, roles;
    bool temporary_password; /* has to be changed at the first login */
};

struct spec_identity_client {
    struct str name;
    struct spec_texts redirect_uris, post_logout_redirect_uris, web_origins;
    bool is_public;          /* no secret: PKCE is required. Clients with redirect URIs have the browser login. */
    bool service_account;    /* client_credentials */
    bool direct_grants;      /* the password grant */
    bool device;             /* the device grant */
    bool consent;            /* users are asked */
    struct spec_texts roles; /* of the service account */
};

struct spec_identity {
    struct str issuer; /* an OpenID provider to trust instead of our own; null: ours */
    struct str realm;
    struct str url;                  /* where clients see our own, without a slash at its end; null: as they ask */
    struct spec_postgresql database; /* is_set false: SQLite in data_dir */
    struct spec_texts roles;
    struct {
        struct spec_identity_group *items;
        size_t n;
    } groups;
    struct {
        struct spec_identity_user *items;
        size_t n;
    } users;
    struct {
        struct spec_identity_client *items;
        size_t n;
    } clients;
};

/* How the clients of SQL say who they are: services.sql.password, .jwt, .oauth2, .certificate. Each has what is of use
 * to it, null or none where the file says nothing. */
struct spec_authenticator {
    struct str file; /* password: Trino's password file, absolute; null: the identity's users */
    struct str user_mapping, user_mapping_file; /* a pattern, or absolute */
    struct str issuer, jwks_url, audience;
    struct str principal_field, groups_field;
    struct str client_id, client_secret_file; /* oauth2; the secret's file null: the platform's own client */
    struct spec_texts scopes, audiences;      /* oauth2 */
};

struct spec_authentication {
    struct spec_texts types; /* "password", "jwt", "oauth2", "certificate", in the order in which they are tried */
    struct spec_authenticator password, jwt, oauth2, certificate;
};

struct spec {
    struct str file;     /* as it was named; null when there was none (all defaults) */
    struct str base_dir; /* absolute: what the file's relative paths start from */
    struct str text;     /* of the file */
    struct str data_dir; /* absolute */
    struct str bind;
    struct spec_tls tls;
    struct http_proxies proxies; /* that are trusted */
    struct spec_service store, sql, identity_service;
    struct spec_identity identity;
    struct spec_access access;
    struct spec_authentication authentication; /* of SQL; no types: who clients say they are is believed */
    struct str *buckets;
    size_t bucket_count;
    struct spec_user *users;
    size_t user_count;
    struct spec_policy *policies;
    size_t policy_count;
    struct spec_openid openid;
    struct spec_vault vault;        /* address null: the secrets are in a file */
    int64_t secrets_overlap_ms;     /* how long a rotated secret's value before is accepted */
    struct spec_postgresql catalog; /* is_set false: SQLite in data_dir */
    struct spec_catalog *catalogs;  /* in name order */
    size_t catalog_count;
};

/* Reads a file; NULL: platform.yaml in the working folder when there is one, else all defaults. Bounded: 1 MiB,
 * nesting 32, aliases refused. ERR_INVALID has line and column, and a message that starts with the file's name. */
MUST_CHECK int spec_load(struct arena *a, const char *path, struct spec **ret, struct err *err);
MUST_CHECK int spec_parse(struct arena *a, struct str text, struct str file_name, struct str base_dir,
                          struct spec **ret, struct err *err);
/* A digest of all that the spec says (hexadecimal): two files that mean the same have the same. */
enum { SPEC_DIGEST_SIZE = 65 };
void spec_digest(const struct spec *s, char out[SPEC_DIGEST_SIZE]);
/* The full name of every key that is known, such as "services.sql.port"; NAME stands for a name of the user's. */
size_t spec_keys(struct arena *a, struct str **ret);
struct str spec_catalog_property(const struct spec_catalog *c, const char *name, const char *fallback);

/* Whether our own identity service runs. */
static inline bool spec_has_identity(const struct spec *s)
{
    return str_is_null(s->identity.issuer);
}

/* ---- dependency graph ---- */

struct spec_node {
    const char *service;  /* "store", "sql", … */
    const char *needs[4]; /* NULL-terminated */
};
/* The services of this spec in the order in which they are started: each after what it needs. */
size_t spec_graph(const struct spec *s, const struct spec_node **ret);

#endif
