#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/provision.h"

#include <unistd.h>

static char folder[] = "/tmp/dp-provision-XXXXXX";
static struct arena arena;
static struct db *db;
static struct identity *model;
static struct secrets *secrets;

static const char *const names[] = {"identity/admin/password", "identity/clients/web/secret",
                                    "identity/users/alice/password", "identity/users/bob/password"};

static int open_all(void **state)
{
    char path[64];
    struct err err = {0};
    (void)state;

    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/identity.db", folder);
    const struct secrets_source source = {.data_dir = folder};
    if (db_open_sqlite(path, &db, &err) < 0 || identity_open(db, &model, &err) < 0 ||
        secrets_open(&source, &secrets, &err) < 0 || secrets_ensure(secrets, names, 4, &err) < 0)
        fail_msg("%s", err.message);
    return 0;
}

static int close_all(void **state)
{
    char command[128];
    (void)state;

    secrets_close(secrets);
    identity_close(model);
    db_close(db);
    arena_release(&arena);
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command); // NOLINT(cert-env33-c)
}

static const struct spec *parse(const char *text)
{
    struct spec *s = NULL;
    struct err err = {0};

    if (spec_parse(&arena, str_from_cstr(text), STR("platform.yaml"), STR("/base"), &s, &err) < 0)
        fail_msg("%s", err.message);
    return s;
}

static const char first_spec[] =
    "identity:\n"
    "  roles: [reader, writer]\n"
    "  groups: {analysts: {roles: [reader]}}\n"
    "  users: {alice: {email: alice@example.org, groups: [analysts], roles: [writer]}}\n"
    "  clients:\n"
    "    web: {redirect-uris: [\"https://app.example.org/*\"], service-account: true, roles: [reader]}\n"
    "    page: {redirect-uris: [\"https://page.example.org/*\"], public: true}\n";

static void apply(const char *text)
{
    struct err err = {0};

    if (provision(model, parse(text), secrets, &err) < 0)
        fail_msg("%s", err.message);
}

static bool has_role(const struct realm *r, const struct user *u, const char *name)
{
    const struct role **roles;
    struct err err = {0};
    size_t n;

    assert_int_equal(user_roles(model, r, &arena, u, &roles, &n, &err), 0);
    for (size_t i = 0; i < n; i++) {
        if (str_eq_cstr(roles[i]->name, name) && !roles[i]->client)
            return true;
    }
    return false;
}

static struct str secret(const char *name)
{
    return secrets_get(secrets, name);
}

static void what_the_file_names_is_made(void **state)
{
    REALM_SCOPED struct realm *r = NULL;
    struct user alice, account;
    const struct group **groups;
    struct err err = {0};
    size_t n;
    (void)state;

    apply(first_spec);
    assert_int_equal(identity_realm(model, STR("dataplatform"), &r, &err), 0);
    const struct client *web = realm_client(r, STR("web")), *page = realm_client(r, STR("page"));
    assert_non_null(web);
    assert_true(web->standard_flow && web->service_accounts && !web->direct_grants && !web->is_public);
    assert_true(str_eq(web->secret, secret("identity/clients/web/secret")));
    assert_true(page->is_public && str_eq(page->pkce_method, STR("S256")) && str_is_null(page->secret));
    assert_int_equal(user_by_name(model, r, &arena, STR("alice"), &alice, &err), 0);
    assert_true(alice.enabled && alice.email_verified);
    assert_int_equal(alice.required_action_count, 0);
    assert_int_equal(user_check_password(model, r, &alice, secret("identity/users/alice/password"), &err), 0);
    assert_int_equal(user_groups(model, r, &arena, &alice, &groups, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_true(has_role(r, &alice, "reader") && has_role(r, &alice, "writer"));
    assert_int_equal(user_of_service_account(model, r, &arena, web, &account, &err), 0);
    assert_true(has_role(r, &account, "reader") && !has_role(r, &account, "writer"));
}

static void change_alice(const char *member, const char *value, const char *password)
{
    CHANGE_SCOPED struct identity_change *c = NULL;
    REALM_SCOPED struct realm *r = NULL;
    JSON_SCOPED json_t *rep = json_pack("{s:s}", member, value);
    struct user alice;
    struct err err = {0};

    assert_int_equal(identity_realm(model, STR("dataplatform"), &r, &err), 0);
    assert_int_equal(user_by_name(model, r, &arena, STR("alice"), &alice, &err), 0);
    assert_int_equal(identity_change_begin(model, &c, &err), 0);
    assert_int_equal(user_update(c, r, alice.id, rep, &err), 0);
    assert_int_equal(user_change_password(c, r, &alice, str_from_cstr(password), false, &err), 0);
    assert_int_equal(identity_change_commit(c, &err), 0);
}

static void what_was_changed_and_the_file_does_not_name_stays(void **state)
{
    REALM_SCOPED struct realm *r = NULL;
    struct user alice;
    struct err err = {0};
    (void)state;

    change_alice("firstName", "Alice", "her own password");
    apply(first_spec);
    assert_int_equal(identity_realm(model, STR("dataplatform"), &r, &err), 0);
    assert_int_equal(user_by_name(model, r, &arena, STR("alice"), &alice, &err), 0);
    assert_true(str_eq(alice.first_name, STR("Alice")));
    assert_int_equal(user_check_password(model, r, &alice, STR("her own password"), &err), 0);
}

static void what_was_changed_and_the_file_names_is_as_the_file_says(void **state)
{
    REALM_SCOPED struct realm *r = NULL;
    struct user alice;
    struct err err = {0};
    (void)state;

    change_alice("email", "other@example.org", "her own password");
    apply(first_spec);
    assert_int_equal(identity_realm(model, STR("dataplatform"), &r, &err), 0);
    assert_int_equal(user_by_name(model, r, &arena, STR("alice"), &alice, &err), 0);
    assert_true(str_eq(alice.email, STR("alice@example.org")));
}

static void a_rotated_secret_becomes_the_password(void **state)
{
    REALM_SCOPED struct realm *r = NULL, *master = NULL;
    struct user alice, admin;
    struct err err = {0};
    (void)state;

    assert_int_equal(secrets_rotate(secrets, "identity/users/alice/password", 0, &err), 0);
    assert_int_equal(secrets_rotate(secrets, "identity/admin/password", 0, &err), 0);
    assert_int_equal(secrets_rotate(secrets, "identity/clients/web/secret", 0, &err), 0);
    apply(first_spec);
    assert_int_equal(identity_realm(model, STR("dataplatform"), &r, &err), 0);
    assert_int_equal(user_by_name(model, r, &arena, STR("alice"), &alice, &err), 0);
    assert_int_equal(user_check_password(model, r, &alice, secret("identity/users/alice/password"), &err), 0);
    assert_true(str_eq(realm_client(r, STR("web"))->secret, secret("identity/clients/web/secret")));
    assert_int_equal(identity_realm(model, STR("master"), &master, &err), 0);
    assert_int_equal(user_by_name(model, master, &arena, STR("admin"), &admin, &err), 0);
    assert_int_equal(user_check_password(model, master, &admin, secret("identity/admin/password"), &err), 0);
}

static void a_temporary_password_has_to_be_changed_once(void **state)
{
    static const char text[] = "identity: {users: {bob: {temporary-password: true}}, clients: {}}";
    REALM_SCOPED struct realm *r = NULL;
    struct user bob;
    struct err err = {0};
    (void)state;

    apply(text);
    assert_int_equal(identity_realm(model, STR("dataplatform"), &r, &err), 0);
    assert_int_equal(user_by_name(model, r, &arena, STR("bob"), &bob, &err), 0);
    assert_int_equal(bob.required_action_count, 1);
    assert_int_equal(user_set_password(model, r, &bob, STR("bob's own"), false, &err), 0);
    assert_int_equal(user_remove_required_action(model, r, &bob, STR("UPDATE_PASSWORD"), &err), 0);
    apply(text);
    assert_int_equal(user_by_name(model, r, &arena, STR("bob"), &bob, &err), 0);
    assert_int_equal(bob.required_action_count, 0);
    assert_int_equal(user_check_password(model, r, &bob, STR("bob's own"), &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_file_names_is_made),
        cmocka_unit_test(what_was_changed_and_the_file_does_not_name_stays),
        cmocka_unit_test(what_was_changed_and_the_file_names_is_as_the_file_says),
        cmocka_unit_test(a_rotated_secret_becomes_the_password),
        cmocka_unit_test(a_temporary_password_has_to_be_changed_once),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
