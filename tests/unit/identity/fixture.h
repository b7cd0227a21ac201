/*
 * A realm to test the protocol with: the one of the reference recordings. Users alice and bob, a confidential client with a
 * service account (trino), one without (airflow), a public one (spa); in SQLite.
 */
#ifndef TEST_IDENTITY_FIXTURE_H
#define TEST_IDENTITY_FIXTURE_H

#include "identity/brute.h"
#include "identity/context.h"
#include "identity/event.h"
#include "identity/session.h"
#include "identity/token.h"

#include <unistd.h>

#define FIXTURE_REALM                                                                                                  \
    "{\"realm\":\"dataplatform\",\"enabled\":true,\"sslRequired\":\"none\","                                           \
    "\"roles\":{\"realm\":[{\"name\":\"data-engineer\"}],\"client\":{\"airflow\":[{\"name\":\"Admin\"}]}},"            \
    "\"groups\":[{\"name\":\"analysts\",\"path\":\"/analysts\",\"realmRoles\":[\"data-engineer\"]}],"                  \
    "\"clients\":[{\"clientId\":\"trino\",\"enabled\":true,\"secret\":\"trino-secret-trino-secret\",\"protocol\":"     \
    "\"openid-connect\",\"serviceAccountsEnabled\":true,\"directAccessGrantsEnabled\":true,\"standardFlowEnabled\":"   \
    "true,\"fullScopeAllowed\":true,\"redirectUris\":[\"https://trino.example:8443/oauth2/callback\"],\"webOrigins\":" \
    "[\"+\"],\"attributes\":{\"standard.token.exchange.enabled\":\"true\",\"oauth2.device.authorization.grant."        \
    "enabled\""                                                                                                        \
    ":\"true\"},\"protocolMappers\":[{\"name\":\"aud\",\"protocol\":\"openid-connect\",\"protocolMapper\":"            \
    "\"oidc-audience-mapper\",\"config\":{\"included.client.audience\":\"trino\",\"id.token.claim\":\"false\","        \
    "\"access.token.claim\":\"true\"}},{\"name\":\"policy\",\"protocol\":\"openid-connect\",\"protocolMapper\":"       \
    "\"oidc-hardcoded-claim-mapper\",\"config\":{\"claim.value\":\"readwrite\",\"userinfo.token.claim\":\"true\","     \
    "\"id.token.claim\":\"true\",\"access.token.claim\":\"true\",\"claim.name\":\"policy\",\"jsonType.label\":"        \
    "\"String\"}},{\"name\":\"groups\",\"protocol\":\"openid-connect\",\"protocolMapper\":"                            \
    "\"oidc-group-membership-mapper\",\"config\":{\"full.path\":\"false\",\"userinfo.token.claim\":\"true\","          \
    "\"id.token.claim\":\"true\",\"access.token.claim\":\"true\",\"claim.name\":\"groups\"}}]},"                       \
    "{\"clientId\":\"airflow\",\"enabled\":true,\"secret\":\"airflow-secret-airflow\",\"protocol\":\"openid-"          \
    "connect\","                                                                                                       \
    "\"standardFlowEnabled\":true,\"fullScopeAllowed\":true,\"redirectUris\":[\"https://airflow.example/*\"]},"        \
    "{\"clientId\":\"spa\",\"enabled\":true,\"publicClient\":true,\"protocol\":\"openid-connect\","                    \
    "\"standardFlowEnabled\":true,\"directAccessGrantsEnabled\":true,\"redirectUris\":[\"https://spa.example/*\"],"    \
    "\"webOrigins\":[\"https://spa.example\"],\"fullScopeAllowed\":false,\"attributes\":"                              \
    "{\"pkce.code.challenge.method\":\"S256\"}}],"                                                                     \
    "\"users\":[{\"username\":\"alice\",\"enabled\":true,\"email\":\"alice@example.com\",\"emailVerified\":true,"      \
    "\"firstName\":\"Alice\",\"lastName\":\"A\",\"groups\":[\"/analysts\"],\"realmRoles\":"                            \
    "[\"default-roles-dataplatform\"],\"clientRoles\":{\"airflow\":[\"Admin\"]},\"credentials\":[{\"type\":"           \
    "\"password\",\"value\":\"pw2\"}]},{\"username\":\"bob\",\"enabled\":true,\"realmRoles\":"                         \
    "[\"default-roles-dataplatform\"],\"credentials\":[{\"type\":\"password\",\"value\":\"pw3\"}]}]}"

struct fixture {
    char path[96];
    struct db *db;
    struct identity_context context;
    struct tokens *tokens;
    struct realm *realm;
    struct arena arena;
    struct err err;
    struct user alice, bob;
    const struct client *trino, *airflow, *spa;
};

static inline void must(struct fixture *f, int rc)
{
    if (rc < 0)
        fail_msg("%s: %s", err_code_name(rc), f->err.message);
}

static inline void fixture_import(struct fixture *f, const char *text)
{
    CHANGE_SCOPED struct identity_change *c = NULL;
    JSON_SCOPED json_t *rep = NULL;

    must(f, json_parse(str_from_cstr(text), &rep, &f->err));
    must(f, identity_change_begin(f->context.model, &c, &f->err));
    must(f, identity_import_realm(c, rep, &f->err));
    must(f, identity_change_commit(c, &f->err));
}

/* The snapshot of now. */
static inline void fixture_realm(struct fixture *f)
{
    if (f->realm)
        realm_unref(f->realm);
    must(f, identity_realm(f->context.model, STR("dataplatform"), &f->realm, &f->err));
    f->trino = realm_client(f->realm, STR("trino"));
    f->airflow = realm_client(f->realm, STR("airflow"));
    f->spa = realm_client(f->realm, STR("spa"));
    assert_non_null(f->trino);
}

/* Changes settings of the realm. */
static inline void fixture_settings(struct fixture *f, const char *settings)
{
    CHANGE_SCOPED struct identity_change *c = NULL;
    JSON_SCOPED json_t *rep = NULL;
    struct realm_draft *d;

    must(f, json_parse(str_from_cstr(settings), &rep, &f->err));
    must(f, identity_change_begin(f->context.model, &c, &f->err));
    must(f, identity_change_realm(c, STR("dataplatform"), &d, &f->err));
    must(f, realm_update(c, d, rep, &f->err));
    must(f, identity_change_commit(c, &f->err));
    fixture_realm(f);
}

/* The database as made, with its three passwords hashed: each test gets a copy. */
static char fixture_folder[64], fixture_template[96];

static inline void fixture_copy(const char *from, const char *to)
{
    static char bytes[1 << 20];
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    size_t n;

    assert_non_null(in);
    assert_non_null(out);
    while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
        assert_int_equal(fwrite(bytes, 1, n, out), n);
    (void)fclose(in);
    (void)fclose(out);
}

/* For the group. */
static inline int fixture_begin(void **state)
{
    struct fixture f = {.realm = NULL};

    (void)state;
    (void)snprintf(fixture_folder, sizeof(fixture_folder), "%s/idXXXXXX",
                   getenv("TEST_TMP") ? getenv("TEST_TMP") : "/tmp");
    if (!mkdtemp(fixture_folder))
        return -1;
    (void)snprintf(fixture_template, sizeof(fixture_template), "%s/template.db", fixture_folder);
    must(&f, db_open_sqlite(fixture_template, &f.db, &f.err));
    must(&f, identity_open(f.db, &f.context.model, &f.err));
    must(&f, identity_bootstrap(f.context.model, STR("s3cret-of-admin"), &f.err));
    fixture_import(&f, FIXTURE_REALM);
    identity_close(f.context.model);
    db_close(f.db);
    return 0;
}

static inline int fixture_end(void **state)
{
    (void)state;
    (void)unlink(fixture_template);
    (void)rmdir(fixture_folder);
    return 0;
}

static inline int fixture_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    (void)snprintf(f->path, sizeof(f->path), "%s/x.db", fixture_folder);
    fixture_copy(fixture_template, f->path);
    arena_init(&f->arena, 0);
    must(f, db_open_sqlite(f->path, &f->db, &f->err));
    must(f, identity_open(f->db, &f->context.model, &f->err));
    must(f, sessions_open(f->context.model, &f->context.sessions, &f->err));
    must(f, events_open(f->db, &f->context.events, &f->err));
    must(f, tokens_open(&f->context, &f->tokens, &f->err));
    fixture_realm(f);
    must(f, user_by_name(f->context.model, f->realm, &f->arena, STR("alice"), &f->alice, &f->err));
    must(f, user_by_name(f->context.model, f->realm, &f->arena, STR("bob"), &f->bob, &f->err));
    *state = f;
    return 0;
}

static inline int fixture_down(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    struct fixture *f = *state;

    realm_unref(f->realm);
    tokens_close(f->tokens);
    events_close(f->context.events);
    sessions_close(f->context.sessions);
    identity_close(f->context.model);
    db_close(f->db);
    for (int i = 0; i < 3; i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
        (void)unlink(path);
    }
    arena_release(&f->arena);
    free(f);
    return 0;
}

/* A login of the user with the client. */
static inline void fixture_login(struct fixture *f, const struct user *u, const struct client *c, struct str scope,
                                 struct session *session, struct client_session *cs)
{
    struct session what = {.user_id = u->id, .ip = STR("127.0.0.1"), .auth_time = sessions_clock(f->context.sessions)};
    struct client_session part = {.client_id = c->id, .scope = scope};

    must(f, session_new(f->context.sessions, f->realm, &f->arena, &what, session, &f->err));
    part.session_id = session->id;
    must(f, client_session_put(f->context.sessions, f->realm, &part, &f->err));
    must(f, client_session_get(f->context.sessions, f->realm, &f->arena, session, c, cs, &f->err));
}

#endif
