#include "spec/keys.h"

#include "base/vec.h"

/* clang-format off */
#define SECTION(keys) {keys, ARRAY_LEN(keys)}
#define IN_SPEC(member) offsetof(struct spec, member)

enum { PORT_MAX = 65535, THREADS_MAX = 1024, QUERIES_MAX = 1000, MEMORY_MIN = 128 << 20 };
enum { OVERLAP_MAX_MS = 7 * 24 * 3600 * 1000, CLIENT_TIMEOUT_MAX_MS = 24 * 3600 * 1000, REFRESH_MAX_MS = 24 * 3600 * 1000 };

static const struct spec_key store_keys[] = {
    {"port", SPEC_INT, IN_SPEC(store.port), 1, PORT_MAX, NULL},
};
static const struct spec_section store_section = SECTION(store_keys);

static const struct spec_key access_keys[] = {
    {"config-file",    SPEC_PATH,     IN_SPEC(access.config_file), 0, 0,               NULL},
    {"group-file",     SPEC_PATH,     IN_SPEC(access.group_file),  0, 0,               NULL},
    {"refresh-period", SPEC_DURATION, IN_SPEC(access.refresh_ms),  1, REFRESH_MAX_MS,  NULL},
};
static const struct spec_section access_section = SECTION(access_keys);

#define IN_AUTH(member) IN_SPEC(authentication.member)
#define MAPPING_KEYS(type)                                                                    \
    {"user-mapping", SPEC_TEXT, IN_AUTH(type.user_mapping), 0, 0, NULL},                      \
    {"user-mapping-file", SPEC_PATH, IN_AUTH(type.user_mapping_file), 0, 0, NULL}
#define TOKEN_KEYS(type)                                                                      \
    {"issuer", SPEC_URL, IN_AUTH(type.issuer), 0, 0, NULL},                                   \
    {"principal-field", SPEC_TEXT, IN_AUTH(type.principal_field), 0, 0, NULL},                \
    {"groups-field", SPEC_TEXT, IN_AUTH(type.groups_field), 0, 0, NULL}
static const struct spec_key password_keys[] = {
    {"file", SPEC_PATH, IN_AUTH(password.file), 0, 0, NULL},
    MAPPING_KEYS(password),
};
static const struct spec_section password_section = SECTION(password_keys);
static const struct spec_key jwt_keys[] = {
    TOKEN_KEYS(jwt),
    {"jwks-url", SPEC_URL,  IN_AUTH(jwt.jwks_url), 0, 0, NULL},
    {"audience", SPEC_TEXT, IN_AUTH(jwt.audience), 0, 0, NULL},
    MAPPING_KEYS(jwt),
};
static const struct spec_section jwt_section = SECTION(jwt_keys);
static const struct spec_key oauth2_keys[] = {
    TOKEN_KEYS(oauth2),
    {"client-id",          SPEC_TEXT,  IN_AUTH(oauth2.client_id),          0, 0, NULL},
    {"client-secret-file", SPEC_PATH,  IN_AUTH(oauth2.client_secret_file), 0, 0, NULL},
    {"scopes",             SPEC_TEXTS, IN_AUTH(oauth2.scopes),             0, 0, NULL},
    {"audiences",          SPEC_TEXTS, IN_AUTH(oauth2.audiences),          0, 0, NULL},
    MAPPING_KEYS(oauth2),
};
static const struct spec_section oauth2_section = SECTION(oauth2_keys);
static const struct spec_key certificate_keys[] = {MAPPING_KEYS(certificate)};
static const struct spec_section certificate_section = SECTION(certificate_keys);

static const struct spec_key sql_keys[] = {
    {"port",           SPEC_INT,      IN_SPEC(sql.port),              1, PORT_MAX,                 NULL},
    {"memory",         SPEC_MEMORY,   IN_SPEC(sql.memory),            MEMORY_MIN, 0,               NULL},
    {"threads",        SPEC_INT,      IN_SPEC(sql.threads),           0, THREADS_MAX,              NULL},
    {"max-queries",    SPEC_INT,      IN_SPEC(sql.max_queries),       1, QUERIES_MAX,              NULL},
    {"client-timeout", SPEC_DURATION, IN_SPEC(sql.client_timeout_ms), 1000, CLIENT_TIMEOUT_MAX_MS, NULL},
    {"access-control", SPEC_SECTION,  0,                              0, 0,                        &access_section},
    {"authentication", SPEC_TEXTS,    IN_AUTH(types),                 0, 0,                        NULL},
    {"password",       SPEC_SECTION,  0,                              0, 0,                        &password_section},
    {"jwt",            SPEC_SECTION,  0,                              0, 0,                        &jwt_section},
    {"oauth2",         SPEC_SECTION,  0,                              0, 0,                        &oauth2_section},
    {"certificate",    SPEC_SECTION,  0,                              0, 0,                        &certificate_section},
};
static const struct spec_section sql_section = SECTION(sql_keys);

static const struct spec_key identity_service_keys[] = {
    {"port", SPEC_INT, IN_SPEC(identity_service.port), 1, PORT_MAX, NULL},
};
static const struct spec_section identity_service_section = SECTION(identity_service_keys);

static const struct spec_key services_keys[] = {
    {"store",    SPEC_SECTION, 0, 0, 0, &store_section},
    {"identity", SPEC_SECTION, 0, 0, 0, &identity_service_section},
    {"sql",      SPEC_SECTION, 0, 0, 0, &sql_section},
};
static const struct spec_section services_section = SECTION(services_keys);

static const struct spec_key user_keys[] = {
    {"access-key", SPEC_ACCESS_KEY, offsetof(struct spec_user, access_key), 0, 0, NULL},
    {"buckets",    SPEC_BUCKETS,    offsetof(struct spec_user, buckets),    0, 0, NULL},
    {"policies",   SPEC_NAMES,      offsetof(struct spec_user, policies),   0, 0, NULL},
};
static const struct spec_section user_section = SECTION(user_keys);

static const struct spec_key openid_keys[] = {
    {"issuer",   SPEC_URL,  IN_SPEC(openid.issuer),   0, 0, NULL},
    {"audience", SPEC_TEXT, IN_SPEC(openid.audience), 0, 0, NULL},
    {"claim",    SPEC_TEXT, IN_SPEC(openid.claim),    0, 0, NULL},
    {"ca",       SPEC_PATH, IN_SPEC(openid.ca),       0, 0, NULL},
};
static const struct spec_section openid_section = SECTION(openid_keys);

static const struct spec_key objects_keys[] = {
    {"buckets", SPEC_BUCKETS, IN_SPEC(buckets), 0, 0, NULL},
    {"users",   SPEC_USERS,   0,                0, 0, &user_section},
    {"policies", SPEC_POLICIES, 0,              0, 0, NULL},
    {"openid",   SPEC_SECTION,  0,              0, 0, &openid_section},
};
static const struct spec_section objects_section = SECTION(objects_keys);

static const struct spec_key approle_keys[] = {
    {"role-id",        SPEC_TEXT, IN_SPEC(vault.auth.approle.role_id),        0, 0, NULL},
    {"secret-id-file", SPEC_PATH, IN_SPEC(vault.auth.approle.secret_id_file), 0, 0, NULL},
    {"mount",          SPEC_TEXT, IN_SPEC(vault.auth.approle.mount),          0, 0, NULL},
};
static const struct spec_section approle_section = SECTION(approle_keys);

static const struct spec_key kubernetes_keys[] = {
    {"role",       SPEC_TEXT, IN_SPEC(vault.auth.kubernetes.role),       0, 0, NULL},
    {"token-file", SPEC_PATH, IN_SPEC(vault.auth.kubernetes.token_file), 0, 0, NULL},
    {"mount",      SPEC_TEXT, IN_SPEC(vault.auth.kubernetes.mount),      0, 0, NULL},
};
static const struct spec_section kubernetes_section = SECTION(kubernetes_keys);

static const struct spec_key vault_auth_keys[] = {
    {"token-file", SPEC_PATH,    IN_SPEC(vault.auth.token_file), 0, 0, NULL},
    {"approle",    SPEC_SECTION, 0,                              0, 0, &approle_section},
    {"kubernetes", SPEC_SECTION, 0,                              0, 0, &kubernetes_section},
};
static const struct spec_section vault_auth_section = SECTION(vault_auth_keys);

static const struct spec_key vault_keys[] = {
    {"address",   SPEC_URL,      IN_SPEC(vault.address),        0, 0, NULL},
    {"namespace", SPEC_TEXT,     IN_SPEC(vault.namespace_name), 0, 0, NULL},
    {"mount",     SPEC_TEXT,     IN_SPEC(vault.mount),          0, 0, NULL},
    {"path",      SPEC_TEXT,     IN_SPEC(vault.path),           0, 0, NULL},
    {"ca",        SPEC_PATH,     IN_SPEC(vault.ca),             0, 0, NULL},
    {"refresh",   SPEC_DURATION, IN_SPEC(vault.refresh_ms),     1000, REFRESH_MAX_MS, NULL},
    {"auth",      SPEC_SECTION,  0,                             0, 0, &vault_auth_section},
};
static const struct spec_section vault_section = SECTION(vault_keys);

static const struct spec_key secrets_keys[] = {
    {"overlap", SPEC_DURATION, IN_SPEC(secrets_overlap_ms), 0, OVERLAP_MAX_MS, NULL},
    {"vault",   SPEC_SECTION,  0,                           0, 0, &vault_section},
};
static const struct spec_section secrets_section = SECTION(secrets_keys);

static const struct spec_key tls_keys[] = {
    {"certificate", SPEC_PATH,  IN_SPEC(tls.certificate), 0, 0, NULL},
    {"key",         SPEC_PATH,  IN_SPEC(tls.key),         0, 0, NULL},
    {"ca",          SPEC_PATH,  IN_SPEC(tls.ca),          0, 0, NULL},
    {"hosts",       SPEC_HOSTS, IN_SPEC(tls.hosts),       0, 0, NULL},
};
static const struct spec_section tls_section = SECTION(tls_keys);

#define POSTGRESQL_KEYS(member)                                           \
    {"host",          SPEC_TEXT, IN_SPEC(member.host),          0, 0,        NULL}, \
    {"port",          SPEC_INT,  IN_SPEC(member.port),          1, PORT_MAX, NULL}, \
    {"database",      SPEC_TEXT, IN_SPEC(member.database),      0, 0,        NULL}, \
    {"user",          SPEC_TEXT, IN_SPEC(member.user),          0, 0,        NULL}, \
    {"password-file", SPEC_PATH, IN_SPEC(member.password_file), 0, 0,        NULL},

static const struct spec_key postgresql_keys[] = {POSTGRESQL_KEYS(catalog)};
static const struct spec_section postgresql_section = SECTION(postgresql_keys);

static const struct spec_key catalog_keys[] = {
    {"postgresql", SPEC_SECTION, 0, 0, 0, &postgresql_section},
};
static const struct spec_section catalog_section = SECTION(catalog_keys);

static const struct spec_key identity_postgresql_keys[] = {POSTGRESQL_KEYS(identity.database)};
static const struct spec_section identity_postgresql_section = SECTION(identity_postgresql_keys);

static const struct spec_key identity_database_keys[] = {
    {"postgresql", SPEC_SECTION, 0, 0, 0, &identity_postgresql_section},
};
static const struct spec_section identity_database_section = SECTION(identity_database_keys);

static const struct spec_key identity_group_keys[] = {
    {"roles", SPEC_TEXTS, offsetof(struct spec_identity_group, roles), 0, 0, NULL},
};
static const struct spec_section identity_group_section = SECTION(identity_group_keys);

#define IN_USER(member) offsetof(struct spec_identity_user, member)
static const struct spec_key identity_user_keys[] = {
    {"email",              SPEC_TEXT,  IN_USER(email),              0, 0, NULL},
    {"first-name",         SPEC_TEXT,  IN_USER(first_name),         0, 0, NULL},
    {"last-name",          SPEC_TEXT,  IN_USER(last_name),          0, 0, NULL},
    {"groups",             SPEC_TEXTS, IN_USER(groups),             0, 0, NULL},
    {"roles",              SPEC_TEXTS, IN_USER(roles),              0, 0, NULL},
    {"temporary-password", SPEC_BOOL,  IN_USER(temporary_password), 0, 0, NULL},
};
static const struct spec_section identity_user_section = SECTION(identity_user_keys);

#define IN_CLIENT(member) offsetof(struct spec_identity_client, member)
static const struct spec_key identity_client_keys[] = {
    {"redirect-uris",             SPEC_TEXTS, IN_CLIENT(redirect_uris),             0, 0, NULL},
    {"post-logout-redirect-uris", SPEC_TEXTS, IN_CLIENT(post_logout_redirect_uris), 0, 0, NULL},
    {"web-origins",               SPEC_TEXTS, IN_CLIENT(web_origins),               0, 0, NULL},
    {"public",                    SPEC_BOOL,  IN_CLIENT(is_public),                 0, 0, NULL},
    {"service-account",           SPEC_BOOL,  IN_CLIENT(service_account),           0, 0, NULL},
    {"direct-grants",             SPEC_BOOL,  IN_CLIENT(direct_grants),             0, 0, NULL},
    {"device",                    SPEC_BOOL,  IN_CLIENT(device),                    0, 0, NULL},
    {"consent",                   SPEC_BOOL,  IN_CLIENT(consent),                   0, 0, NULL},
    {"roles",                     SPEC_TEXTS, IN_CLIENT(roles),                     0, 0, NULL},
};
static const struct spec_section identity_client_section = SECTION(identity_client_keys);

static const struct spec_key identity_keys[] = {
    {"issuer",   SPEC_URL,     IN_SPEC(identity.issuer),   0, 0, NULL},
    {"realm",    SPEC_TEXT,    IN_SPEC(identity.realm),    0, 0, NULL},
    {"url",      SPEC_URL,     IN_SPEC(identity.url),      0, 0, NULL},
    {"database", SPEC_CATALOG, IN_SPEC(identity.database), 0, 0, &identity_database_section},
    {"roles",    SPEC_TEXTS,   IN_SPEC(identity.roles),    0, 0, NULL},
    {"groups",   SPEC_ENTRIES, IN_SPEC(identity.groups),   0, sizeof(struct spec_identity_group), &identity_group_section},
    {"users",    SPEC_ENTRIES, IN_SPEC(identity.users),    0, sizeof(struct spec_identity_user), &identity_user_section},
    {"clients",  SPEC_ENTRIES, IN_SPEC(identity.clients),  0, sizeof(struct spec_identity_client), &identity_client_section},
};
static const struct spec_section identity_section = SECTION(identity_keys);

static const struct spec_key root_keys[] = {
    {"data",            SPEC_PATH,     IN_SPEC(data_dir), 0, 0, NULL},
    {"bind",            SPEC_ADDRESS,  IN_SPEC(bind),     0, 0, NULL},
    {"tls",             SPEC_TLS,      0,                 0, 0, &tls_section},
    {"trusted-proxies", SPEC_PROXIES,  IN_SPEC(proxies),  0, 0, NULL},
    {"proxy-headers",   SPEC_HEADERS,  IN_SPEC(proxies),  0, 0, NULL},
    {"services",        SPEC_SECTION,  0,                 0, 0, &services_section},
    {"objects",         SPEC_SECTION,  0,                 0, 0, &objects_section},
    {"secrets",         SPEC_SECTION,  0,                 0, 0, &secrets_section},
    {"identity",        SPEC_SECTION,  0,                 0, 0, &identity_section},
    {"catalog",         SPEC_CATALOG,  IN_SPEC(catalog),  0, 0, &catalog_section},
    {"catalogs",        SPEC_CATALOGS, 0,                 0, 0, NULL},
};
const struct spec_section spec_root = SECTION(root_keys);

const char *const spec_connectors[] = {"iceberg", "memory", "tpcds", "tpch"};
const size_t spec_connector_count = ARRAY_LEN(spec_connectors);

const struct spec_connector_property spec_connector_properties[] = {
    {"iceberg", "warehouse",                {NULL}},
    {"iceberg", "iceberg.jdbc-catalog.catalog-name", {NULL}},
    {"tpch",    "tpch.column-naming",       {"SIMPLIFIED", "STANDARD"}},
    {"tpch",    "tpch.double-type-mapping", {"DOUBLE", "DECIMAL"}},
};
const size_t spec_connector_property_count = ARRAY_LEN(spec_connector_properties);
/* clang-format on */

struct names {
    struct arena *a;
    VEC(struct str) items;
};

/* Sections are nested four deep at most: the tables above, not the file, decide that. */
// NOLINTNEXTLINE(misc-no-recursion)
static void add_names(struct names *to, const struct spec_section *s, const char *before)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct spec_key *k = &s->keys[i];
        struct str name = arena_printf(to->a, "%s%s", before, k->name);

        vec_push_in(to->a, &to->items, name);
        if (k->section)
            add_names(
                to, k->section,
                arena_printf(to->a, "%s%s.", name.p, k->kind == SPEC_USERS || k->kind == SPEC_ENTRIES ? ".NAME" : "")
                    .p);
    }
}

size_t spec_keys(struct arena *a, struct str **ret)
{
    struct names names = {.a = a};

    add_names(&names, &spec_root, "");
    vec_push_in(a, &names.items, STR("catalogs.NAME.connector"));
    for (size_t i = 0; i < spec_connector_property_count; i++)
        vec_push_in(a, &names.items, arena_printf(a, "catalogs.NAME.%s", spec_connector_properties[i].name));
    *ret = names.items.items;
    return names.items.n;
}
