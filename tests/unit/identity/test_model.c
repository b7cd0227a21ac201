/* The model on SQLite and, when tests/lib/pg.py gave us a server, on PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "auth/jose.h"
#include "base/enc.h"
#include "identity/model.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <unistd.h>

struct fixture {
    const char *conninfo; /* PostgreSQL; NULL: SQLite */
    char folder[64], path[96];
    struct db *db;
    struct identity *identity;
    struct realm *realm; /* master */
    struct arena arena;
    struct err err;
};

static void must(struct fixture *f, int rc)
{
    if (rc < 0)
        fail_msg("%s: %s", err_code_name(rc), f->err.message);
}

static void open_model(struct fixture *f)
{
    if (f->conninfo)
        must(f, db_open_postgres(f->conninfo, getenv("PG_PASSWORD"), &f->db, &f->err));
    else
        must(f, db_open_sqlite(f->path, &f->db, &f->err));
    must(f, identity_open(f->db, &f->identity, &f->err));
    must(f, identity_bootstrap(f->identity, STR("s3cret-of-admin"), &f->err));
    must(f, identity_realm(f->identity, STR("master"), &f->realm, &f->err));
}

static void close_model(struct fixture *f)
{
    realm_unref(f->realm);
    identity_close(f->identity);
    db_close(f->db);
}

static void drop_tables(struct fixture *f)
{
    static const char *const tables[] = {"realm",     "object",     "user",       "user_attribute",
                                         "user_role", "user_group", "credential", "schema"};
    struct db *db;
    struct db_conn *conn;

    must(f, db_open_postgres(f->conninfo, getenv("PG_PASSWORD"), &db, &f->err));
    must(f, db_acquire(db, &conn, &f->err));
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        char sql[96];
        snprintf(sql, sizeof(sql), "DROP TABLE IF EXISTS identity_%s", tables[i]);
        must(f, db_exec(conn, sql, NULL, 0, NULL, &f->err));
    }
    db_release(conn);
    db_close(db);
}

static int set_up(struct fixture **ret, const char *conninfo)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->conninfo = conninfo;
    snprintf(f->folder, sizeof(f->folder), "%s/idXXXXXX", getenv("TEST_TMP") ? getenv("TEST_TMP") : "/tmp");
    if (!mkdtemp(f->folder))
        return -1;
    snprintf(f->path, sizeof(f->path), "%s/x.db", f->folder);
    if (conninfo)
        drop_tables(f);
    open_model(f);
    *ret = f;
    return 0;
}

static int set_up_sqlite(void **state)
{
    return set_up((struct fixture **)state, NULL);
}

static int set_up_postgres(void **state)
{
    const char *conninfo = getenv("PG_CONNINFO");

    *state = NULL;
    return conninfo ? set_up((struct fixture **)state, conninfo) : 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm"};

    if (!f)
        return 0;
    close_model(f);
    for (int i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
        unlink(path);
    }
    rmdir(f->folder);
    arena_release(&f->arena);
    free(f);
    return 0;
}

#define FIXTURE                 \
    struct fixture *f = *state; \
    if (!f) {                   \
        skip();                 \
        return;                 \
    }

static json_t *parse(struct fixture *f, const char *text)
{
    json_t *j = NULL;
    must(f, json_parse(str_from_cstr(text), &j, &f->err));
    return json_keep(&f->arena, j);
}

static struct realm *import(struct fixture *f, const char *text)
{
    struct identity_change *c;
    struct realm *r;
    json_t *rep = parse(f, text);

    must(f, identity_change_begin(f->identity, &c, &f->err));
    must(f, identity_import_realm(c, rep, &f->err));
    must(f, identity_change_commit(c, &f->err));
    identity_change_end(c);
    must(f, identity_realm(f->identity, json_opt_str(rep, "realm", STR("")), &r, &f->err));
    return r;
}

static bool has_role(const struct role **roles, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_cstr(roles[i]->name, name))
            return true;
    return false;
}

static void the_first_administrator_can_do_everything(void **state)
{
    FIXTURE
    struct user u;
    const struct role **roles;
    size_t n;

    must(f, user_by_login(f->identity, f->realm, &f->arena, STR("ADMIN"), &u, &f->err));
    must(f, user_check_password(f->identity, f->realm, &u, STR("s3cret-of-admin"), &f->err));
    must(f, user_roles(f->identity, f->realm, &f->arena, &u, &roles, &n, &f->err));
    assert_true(has_role(roles, n, "admin"));
    assert_true(has_role(roles, n, "create-realm"));
    assert_true(has_role(roles, n, "manage-realm"));
    assert_true(has_role(roles, n, "offline_access"));
    assert_true(has_role(roles, n, "view-profile"));
}

static void a_wrong_password_is_denied_and_so_is_one_of_nobody(void **state)
{
    FIXTURE
    struct user u;

    must(f, user_by_name(f->identity, f->realm, &f->arena, STR("admin"), &u, &f->err));
    assert_int_equal(user_check_password(f->identity, f->realm, &u, STR("s3cret"), &f->err), ERR_DENIED);
    assert_int_equal(user_check_password(f->identity, f->realm, &u, STR(""), &f->err), ERR_DENIED);
    assert_int_equal(user_check_password(f->identity, f->realm, NULL, STR("s3cret-of-admin"), &f->err), ERR_DENIED);
    assert_int_equal(user_by_name(f->identity, f->realm, &f->arena, STR("nobody"), &u, &f->err), ERR_NOT_FOUND);
    assert_int_equal(user_by_name(f->identity, f->realm, &f->arena, STR("\xff"), &u, &f->err), ERR_NOT_FOUND);
}

static void a_new_realm_has_what_keycloak_puts_into_it(void **state)
{
    FIXTURE
    REALM_SCOPED struct realm *r = import(f, "{\"realm\":\"demo\",\"enabled\":true,\"accessTokenLifespan\":77}");
    const struct client *c = realm_client(r, STR("admin-cli"));
    const struct client_scope *basic = realm_scope(r, STR("basic"));
    REALM_SCOPED struct realm *master = NULL;

    assert_true(r->enabled);
    assert_int_equal(r->access_token_lifespan, 77);
    assert_int_equal(r->sso_idle, 1800);
    assert_int_equal(r->client_count, 6);
    assert_int_equal(r->scope_count, 15);
    assert_non_null(c);
    assert_true(c->is_public && c->direct_grants && !c->standard_flow);
    assert_int_equal(c->default_scope_count, 6);
    assert_int_equal(c->optional_scope_count, 5);
    assert_non_null(basic);
    assert_true(basic->is_default && !basic->in_token_scope);
    assert_int_equal(basic->mapper_count, 2);
    assert_non_null(r->default_role);
    assert_int_equal(r->default_role->composite_count, 4);
    assert_int_equal(realm_client(r, STR("realm-management"))->role_count, 22);
    assert_non_null(realm_active_key(r, STR("RS256")));
    assert_non_null(realm_active_key(r, STR("HS512")));
    assert_non_null(realm_active_key(r, STR("AES")));
    assert_int_equal(realm_active_key(r, STR("HS512"))->secret.n, 64);
    assert_ptr_equal(realm_key(r, realm_active_key(r, STR("RS256"))->kid), realm_active_key(r, STR("RS256")));
    must(f, identity_realm(f->identity, STR("master"), &master, &f->err));
    assert_int_equal(realm_client(master, STR("demo-realm"))->role_count, 21);
}

static void what_is_in_a_realm_is_there_after_reopening(void **state)
{
    FIXTURE
    REALM_SCOPED struct realm *before = import(f, "{\"realm\":\"demo\"}");
    struct str kid = arena_str(&f->arena, realm_active_key(before, STR("RS256"))->kid), *names;
    REALM_SCOPED struct realm *after = NULL;

    close_model(f);
    open_model(f);
    assert_int_equal(identity_realm_names(f->identity, &f->arena, &names), 2);
    assert_true(str_eq_cstr(names[0], "demo"));
    must(f, identity_realm(f->identity, STR("demo"), &after, &f->err));
    assert_true(str_eq(realm_active_key(after, STR("RS256"))->kid, kid));
    assert_int_equal(after->client_count, before->client_count);
    assert_int_equal(after->all_role_count, before->all_role_count);
    assert_true(str_eq(after->default_role->id, before->default_role->id));
}

static void the_same_realm_twice_is_refused(void **state)
{
    FIXTURE
    struct identity_change *c;

    must(f, identity_change_begin(f->identity, &c, &f->err));
    assert_int_equal(identity_import_realm(c, parse(f, "{\"realm\":\"master\"}"), &f->err), ERR_EXISTS);
    assert_string_equal(f->err.message, "Realm master already exists");
    identity_change_end(c);
    must(f, identity_change_begin(f->identity, &c, &f->err));
    assert_int_equal(identity_import_realm(c, parse(f, "{\"realm\":\"a/b\"}"), &f->err), ERR_INVALID);
    identity_change_end(c);
}

static void a_change_that_is_given_up_leaves_nothing(void **state)
{
    FIXTURE
    struct identity_change *c;
    struct realm_draft *d;
    REALM_SCOPED struct realm *r = NULL;
    struct user u;

    must(f, identity_change_begin(f->identity, &c, &f->err));
    must(f, identity_change_realm(c, STR("master"), &d, &f->err));
    must(f, role_create(d, STR_NULL, parse(f, "{\"name\":\"ghost\"}"), false, NULL, &f->err));
    must(f, user_create(c, f->realm, parse(f, "{\"username\":\"ghost\"}"), false, NULL, &f->err));
    identity_change_end(c);
    must(f, identity_realm(f->identity, STR("master"), &r, &f->err));
    assert_null(realm_role(r, STR("ghost")));
    assert_int_equal(user_by_name(f->identity, r, &f->arena, STR("ghost"), &u, &f->err), ERR_NOT_FOUND);
}

static void an_old_snapshot_stays_as_it_was(void **state)
{
    FIXTURE
    struct identity_change *c;
    struct realm_draft *d;
    REALM_SCOPED struct realm *now = NULL;

    must(f, identity_change_begin(f->identity, &c, &f->err));
    must(f, identity_change_realm(c, STR("master"), &d, &f->err));
    must(f, role_create(d, STR_NULL, parse(f, "{\"name\":\"new\"}"), false, NULL, &f->err));
    must(f, identity_change_commit(c, &f->err));
    identity_change_end(c);
    must(f, identity_realm(f->identity, STR("master"), &now, &f->err));
    assert_null(realm_role(f->realm, STR("new")));
    assert_non_null(realm_role(now, STR("new")));
}

static void an_export_comes_in_with_its_groups_roles_and_hashed_passwords(void **state)
{
    FIXTURE
    /* pbkdf2-sha256 of "old-password" with the salt "0123456789abcdef", 1000 rounds, 32 bytes */
    REALM_SCOPED struct realm *r = import(
        f, "{\"realm\":\"moved\",\"enabled\":true,\"defaultGroups\":[\"/staff\"],"
           "\"roles\":{\"realm\":[{\"name\":\"engineer\",\"composites\":{\"client\":{\"app\":[\"writer\"]}}}],"
           "\"client\":{\"app\":[{\"name\":\"writer\"},{\"name\":\"reader\"}]}},"
           "\"clients\":[{\"clientId\":\"app\",\"secret\":\"xyz\",\"serviceAccountsEnabled\":true,"
           "\"redirectUris\":[\"https://app.example/cb\"]}],"
           "\"groups\":[{\"name\":\"staff\",\"realmRoles\":[\"engineer\"],\"subGroups\":[{\"name\":\"data\","
           "\"clientRoles\":{\"app\":[\"reader\"]}}]}],"
           "\"users\":[{\"id\":\"11111111-2222-3333-4444-555555555555\",\"username\":\"Ann\",\"email\":\"Ann@Example."
           "com\","
           "\"enabled\":true,\"groups\":[\"/staff/"
           "data\"],\"attributes\":{\"dept\":[\"x\",\"y\"]},\"credentials\":[{\"type\":"
           "\"password\",\"secretData\":\"{\\\"value\\\":\\\"YPs2ocngb25647n+JjiBbp4Cib6I8+ECbTWKK0ui9sI=\\\","
           "\\\"salt\\\":"
           "\\\"MDEyMzQ1Njc4OWFiY2RlZg==\\\"}\",\"credentialData\":\"{\\\"hashIterations\\\":1000,\\\"algorithm\\\":"
           "\\\"pbkdf2-sha256\\\"}\"}]}]}");
    const struct role **roles;
    const struct group **groups;
    struct user u, service;
    struct user_credential *credentials;
    size_t n;

    must(f, user_by_email(f->identity, r, &f->arena, STR("ann@EXAMPLE.com"), &u, &f->err));
    assert_true(str_eq_cstr(u.id, "11111111-2222-3333-4444-555555555555"));
    assert_true(str_eq_cstr(u.username, "ann"));
    assert_int_equal(json_array_size(json_object_get(u.attributes, "dept")), 2);
    must(f, user_groups(f->identity, r, &f->arena, &u, &groups, &n, &f->err));
    assert_int_equal(n, 1);
    assert_true(str_eq_cstr(groups[0]->path, "/staff/data"));
    must(f, user_roles(f->identity, r, &f->arena, &u, &roles, &n, &f->err));
    assert_true(has_role(roles, n, "engineer"));
    assert_true(has_role(roles, n, "writer"));
    assert_true(has_role(roles, n, "reader"));
    must(f, user_check_password(f->identity, r, &u, STR("old-password"), &f->err));
    must(f, user_credentials(f->identity, r, &f->arena, u.id, &credentials, &n, &f->err));
    assert_int_equal(n, 1);
    assert_non_null(strstr(arena_cstr(&f->arena, credentials[0].credential_data), "argon2"));
    must(f, user_check_password(f->identity, r, &u, STR("old-password"), &f->err));
    must(f, user_of_service_account(f->identity, r, &f->arena, realm_client(r, STR("app")), &service, &f->err));
    assert_true(str_eq_cstr(service.username, "service-account-app"));
    assert_true(str_eq_cstr(realm_client(r, STR("app"))->web_origins[0], "https://app.example"));
}

static void an_rsa_key_comes_in_as_keycloak_writes_it(void **state)
{
    FIXTURE
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    unsigned char *der = NULL;
    int n = i2d_PrivateKey(key, &der); /* PKCS#1 */
    struct buf text;
    struct identity_change *c;
    struct realm_draft *d;
    struct jose_key *parsed;
    REALM_SCOPED struct realm *r = NULL;

    buf_init(&text, 8 << 10);
    enc_base64(&text, der, (size_t)n);
    json_t *rep = json_keep(&f->arena,
                            json_pack("{s:s, s:s, s:s, s:{s:[s], s:[s], s:[s]}}", "name", "moved", "providerId",
                                      "rsa-generated", "providerType", "org.keycloak.keys.KeyProvider", "config",
                                      "privateKey", buf_cstr(&text), "priority", "500", "keyUse", "SIG"));
    must(f, identity_change_begin(f->identity, &c, &f->err));
    must(f, identity_change_realm(c, STR("master"), &d, &f->err));
    must(f, component_create(d, rep, NULL, &f->err));
    must(f, identity_change_commit(c, &f->err));
    identity_change_end(c);
    must(f, identity_realm(f->identity, STR("master"), &r, &f->err));
    const struct realm_key *k = realm_active_key(r, STR("RS256"));
    assert_int_equal(k->priority, 500);
    must(f, jose_key_from_pem(k->private_pem, k->kid, JOSE_RS256, &parsed, &f->err));
    jose_key_free(parsed);
    buf_release(&text);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}

static void what_is_exported_comes_in_again_as_it_was(void **state)
{
    FIXTURE
    REALM_SCOPED struct realm *before = import(
        f, "{\"realm\":\"moved\",\"enabled\":true,\"clients\":[{\"clientId\":\"app\",\"secret\":\"xyz\","
           "\"serviceAccountsEnabled\":true}],\"roles\":{\"realm\":[{\"name\":\"engineer\"}]},"
           "\"groups\":[{\"name\":\"staff\",\"realmRoles\":[\"engineer\"],\"subGroups\":[{\"name\":\"data\"}]}],"
           "\"users\":[{\"username\":\"ann\",\"enabled\":true,\"groups\":[\"/staff/data\"],\"credentials\":[{\"type\":"
           "\"password\",\"value\":\"move-me\"}]}]}");
    struct identity_change *c;
    struct user u;
    const struct role **roles;
    json_t *exported;
    size_t n;
    struct str kid = realm_active_key(before, STR("RS256"))->kid;

    must(f, identity_export_realm(f->identity, STR("moved"), &exported, &f->err));
    json_keep(&f->arena, exported);
    must(f, identity_change_begin(f->identity, &c, &f->err));
    must(f, identity_remove_realm(c, STR("moved"), &f->err));
    must(f, identity_change_commit(c, &f->err));
    identity_change_end(c);
    must(f, identity_change_begin(f->identity, &c, &f->err));
    must(f, identity_import_realm(c, exported, &f->err));
    must(f, identity_change_commit(c, &f->err));
    identity_change_end(c);
    REALM_SCOPED struct realm *after = NULL;
    must(f, identity_realm(f->identity, STR("moved"), &after, &f->err));
    assert_true(str_eq(realm_active_key(after, STR("RS256"))->kid, kid));
    assert_true(str_eq_cstr(realm_client(after, STR("app"))->secret, "xyz"));
    assert_int_equal(after->all_role_count, before->all_role_count);
    assert_int_equal(after->scope_count, before->scope_count);
    must(f, user_by_name(f->identity, after, &f->arena, STR("ann"), &u, &f->err));
    must(f, user_check_password(f->identity, after, &u, STR("move-me"), &f->err));
    must(f, user_roles(f->identity, after, &f->arena, &u, &roles, &n, &f->err));
    assert_true(has_role(roles, n, "engineer"));
    must(f, user_of_service_account(f->identity, after, &f->arena, realm_client(after, STR("app")), &u, &f->err));
}

static void names_and_addresses_are_taken_once(void **state)
{
    FIXTURE
    struct identity_change *c;
    struct user u;

    must(f, identity_change_begin(f->identity, &c, &f->err));
    must(f, user_create(c, f->realm, parse(f, "{\"username\":\"bob\",\"email\":\"b@x.org\"}"), false, NULL, &f->err));
    assert_int_equal(user_create(c, f->realm, parse(f, "{\"username\":\"BOB\"}"), false, NULL, &f->err), ERR_EXISTS);
    assert_string_equal(f->err.message, "User exists with same username");
    assert_int_equal(
        user_create(c, f->realm, parse(f, "{\"username\":\"b2\",\"email\":\"B@x.org\"}"), false, NULL, &f->err),
        ERR_EXISTS);
    assert_string_equal(f->err.message, "User exists with same email");
    assert_int_equal(user_create(c, f->realm, parse(f, "{\"enabled\":true}"), false, NULL, &f->err), ERR_INVALID);
    assert_string_equal(f->err.message, "User name is missing");
    must(f, identity_change_commit(c, &f->err));
    identity_change_end(c);
    must(f, user_by_login(f->identity, f->realm, &f->arena, STR("b@x.org"), &u, &f->err));
    assert_true(str_eq_cstr(u.username, "bob"));
}

static void searching_takes_wildcards_for_characters(void **state)
{
    FIXTURE
    static const char *const names[] = {"a_b", "axb", "a%b", "zoe"};
    struct identity_change *c;
    struct user *users;
    size_t n;
    int64_t count;
    struct user_query q = {.search = STR("a_b"), .max = 100};

    must(f, identity_change_begin(f->identity, &c, &f->err));
    for (size_t i = 0; i < 4; i++) {
        json_t *rep = json_keep(&f->arena, json_pack("{s:s, s:s}", "username", names[i], "lastName", "O'Neil"));
        must(f, user_create(c, f->realm, rep, false, NULL, &f->err));
    }
    must(f, identity_change_commit(c, &f->err));
    identity_change_end(c);
    must(f, user_search(f->identity, f->realm, &f->arena, &q, &users, &n, &f->err));
    assert_int_equal(n, 1);
    assert_true(str_eq_cstr(users[0].username, "a_b"));
    q.search = STR("a*b");
    must(f, user_count(f->identity, f->realm, &q, &count, &f->err));
    assert_int_equal(count, 3);
    q.search = STR("o'neil");
    q.first = 1;
    q.max = 2;
    must(f, user_search(f->identity, f->realm, &f->arena, &q, &users, &n, &f->err));
    assert_int_equal(n, 2);
    q = (struct user_query){.username = STR("zo"), .exact = true, .max = -1};
    must(f, user_search(f->identity, f->realm, &f->arena, &q, &users, &n, &f->err));
    assert_int_equal(n, 0);
}

static void deleting_takes_the_references_along(void **state)
{
    FIXTURE
    struct identity_change *c;
    struct realm_draft *d;
    REALM_SCOPED struct realm *r = NULL;
    struct str role, client, user;
    struct user u;
    const struct role **roles;
    size_t n;

    must(f, identity_change_begin(f->identity, &c, &f->err));
    must(f, identity_change_realm(c, STR("master"), &d, &f->err));
    must(f, client_create(c, d, parse(f, "{\"clientId\":\"app\",\"serviceAccountsEnabled\":true}"), &client, &f->err));
    must(f, client_sync_service_account(c, d, client, &f->err));
    must(f, role_create(d, client, parse(f, "{\"name\":\"writer\"}"), false, &role, &f->err));
    r = draft_snapshot(d);
    must(f, draft_link(d, KIND_ROLE, realm_role(r, STR("admin"))->id, "$parts", role, true, &f->err));
    must(f, user_create(c, r, parse(f, "{\"username\":\"ann\",\"clientRoles\":{\"app\":[\"writer\"]}}"), false, &user,
                        &f->err));
    must(f, identity_change_commit(c, &f->err));
    identity_change_end(c);
    realm_unref(r);

    must(f, identity_change_begin(f->identity, &c, &f->err));
    must(f, identity_change_realm(c, STR("master"), &d, &f->err));
    const json_t *app = draft_find(d, KIND_CLIENT, "clientId", STR("app"), NULL, STR_NULL);
    must(f, draft_delete(d, KIND_CLIENT, json_opt_str(app, "id", STR("")), &f->err));
    assert_null(draft_find(d, KIND_ROLE, "name", STR("writer"), NULL, STR_NULL));
    must(f, identity_change_commit(c, &f->err));
    identity_change_end(c);
    must(f, identity_realm(f->identity, STR("master"), &r, &f->err));
    assert_false(
        has_role(realm_role(r, STR("admin"))->composites, realm_role(r, STR("admin"))->composite_count, "writer"));
    must(f, user_by_name(f->identity, r, &f->arena, STR("ann"), &u, &f->err));
    must(f, user_own_roles(f->identity, r, &f->arena, &u, &roles, &n, &f->err));
    assert_int_equal(n, 1); /* the realm's default role is left */
    assert_false(has_role(roles, n, "writer"));
    assert_int_equal(user_by_name(f->identity, r, &f->arena, STR("service-account-app"), &u, &f->err), ERR_NOT_FOUND);
}

static void a_one_time_code_is_taken_once(void **state)
{
    FIXTURE
    struct user u;
    bool has;

    must(f, user_by_name(f->identity, f->realm, &f->arena, STR("admin"), &u, &f->err));
    assert_int_equal(user_check_otp(f->identity, f->realm, &u, STR("287082"), 59000, &f->err), ERR_NOT_FOUND);
    /* RFC 6238, appendix B: the last six digits at 59 s and at 1111111109 s */
    must(f, user_add_otp(f->identity, f->realm, &u, STR("12345678901234567890"), STR("phone"), &f->err));
    must(f, user_has_otp(f->identity, f->realm, &u, &has, &f->err));
    assert_true(has);
    assert_int_equal(user_check_otp(f->identity, f->realm, &u, STR("287083"), 59000, &f->err), ERR_DENIED);
    must(f, user_check_otp(f->identity, f->realm, &u, STR("287082"), 59000, &f->err));
    assert_int_equal(user_check_otp(f->identity, f->realm, &u, STR("287082"), 59000, &f->err), ERR_DENIED);
    must(f, user_check_otp(f->identity, f->realm, &u, STR("081804"), 1111111109LL * 1000, &f->err));
}

static void the_password_policy_is_kept(void **state)
{
    FIXTURE
    REALM_SCOPED struct realm *r = import(
        f,
        "{\"realm\":\"strict\",\"passwordPolicy\":\"length(8) and digits(1) and passwordHistory(2) and notUsername\"}");
    struct identity_change *c;
    struct user u;

    must(f, identity_change_begin(f->identity, &c, &f->err));
    must(f, user_create(c, r, parse(f, "{\"username\":\"ann-12345\"}"), false, NULL, &f->err));
    must(f, identity_change_commit(c, &f->err));
    identity_change_end(c);
    must(f, user_by_name(f->identity, r, &f->arena, STR("ann-12345"), &u, &f->err));
    assert_int_equal(user_set_password(f->identity, r, &u, STR("short1"), false, &f->err), ERR_INVALID);
    assert_string_equal(f->err.message, "Invalid password: minimum length 8.");
    assert_int_equal(user_set_password(f->identity, r, &u, STR("ann-12345"), false, &f->err), ERR_INVALID);
    assert_int_equal(user_set_password(f->identity, r, &u, STR("no-number-here"), false, &f->err), ERR_INVALID);
    must(f, user_set_password(f->identity, r, &u, STR("first-password-1"), true, &f->err));
    must(f, user_by_name(f->identity, r, &f->arena, STR("ann-12345"), &u, &f->err));
    assert_int_equal(u.required_action_count, 1);
    must(f, user_set_password(f->identity, r, &u, STR("second-password-2"), false, &f->err));
    assert_int_equal(user_set_password(f->identity, r, &u, STR("first-password-1"), false, &f->err), ERR_INVALID);
    must(f, user_check_password(f->identity, r, &u, STR("second-password-2"), &f->err));
    assert_int_equal(user_check_password(f->identity, r, &u, STR("first-password-1"), &f->err), ERR_DENIED);
    must(f, user_by_name(f->identity, r, &f->arena, STR("ann-12345"), &u, &f->err));
    assert_int_equal(u.required_action_count, 0);
}

#define ON(backend, test)                                            \
    {                                                                \
#backend ": " #test, test, set_up_##backend, tear_down, NULL \
    }
#define ON_BOTH(test) ON(sqlite, test), ON(postgres, test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(the_first_administrator_can_do_everything),
        ON_BOTH(a_wrong_password_is_denied_and_so_is_one_of_nobody),
        ON_BOTH(a_new_realm_has_what_keycloak_puts_into_it),
        ON_BOTH(what_is_in_a_realm_is_there_after_reopening),
        ON_BOTH(the_same_realm_twice_is_refused),
        ON_BOTH(a_change_that_is_given_up_leaves_nothing),
        ON_BOTH(an_old_snapshot_stays_as_it_was),
        ON_BOTH(an_export_comes_in_with_its_groups_roles_and_hashed_passwords),
        ON_BOTH(an_rsa_key_comes_in_as_keycloak_writes_it),
        ON_BOTH(what_is_exported_comes_in_again_as_it_was),
        ON_BOTH(names_and_addresses_are_taken_once),
        ON_BOTH(searching_takes_wildcards_for_characters),
        ON_BOTH(deleting_takes_the_references_along),
        ON_BOTH(a_one_time_code_is_taken_once),
        ON_BOTH(the_password_policy_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
