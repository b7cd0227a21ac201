/* The rules: one test a kind, with files like those of Trino's documentation of file-based access control. */
#include "access/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct asking {
    struct access_control *control;
    struct access *as;
    struct err err;
};

static struct access_control *load(const char *rules)
{
    const struct access_control_options o = {.rules = str_from_cstr(rules)};
    struct access_control *c;
    struct err err = {0};

    if (access_control_new(&o, &c, &err) < 0)
        fail_msg("%s", err.message);
    return c;
}

static void ask_as(struct asking *q, const struct access_identity *who)
{
    access_release(q->as);
    assert_int_equal(access_open(q->control, who, &q->as, &q->err), 0);
}

static void as_user(struct asking *q, const char *user)
{
    ask_as(q, &(struct access_identity){.user = str_from_cstr(user)});
}

static void as_member(struct asking *q, const char *user, struct str group)
{
    ask_as(q, &(struct access_identity){.user = str_from_cstr(user), .groups = &group, .group_count = 1});
}

static void end(struct asking *q)
{
    access_release(q->as);
    access_control_free(q->control);
}

#define assert_allowed(call) assert_int_equal(call, 0)
#define assert_denied(q, call, text)                             \
    do {                                                         \
        (q)->err = (struct err){0};                              \
        assert_int_equal(call, ERR_DENIED);                      \
        assert_string_equal((q)->err.name, "PERMISSION_DENIED"); \
        assert_string_equal((q)->err.message, text);             \
    } while (0)

static const struct access_table secrets = {{"lake", 4}, {"finance", 7}, {"secrets", 7}};
static const struct access_table orders = {{"lake", 4}, {"sales", 5}, {"orders", 6}};
static const struct access_table other_orders = {{"lake", 4}, {"sales", 5}, {"orders2", 7}};

static int select_columns(struct asking *q, const struct access_table *t, struct str a, struct str b)
{
    const struct str columns[] = {a, b};

    return access_check_select(q->as, t, columns, 2, &q->err);
}

/* ---- without rules ---- */

static void test_without_rules_all_is_allowed_but_impersonation(void **state)
{
    struct asking q = {0};

    (void)state;
    assert_int_equal(access_control_new(&(struct access_control_options){.refresh_ms = 0}, &q.control, &q.err), 0);
    as_user(&q, "alice");
    assert_allowed(access_check_table(q.as, ACCESS_DROP_TABLE, &orders, &q.err));
    assert_allowed(access_check_execute_query(q.as, &q.err));
    assert_true(access_sees_catalog(q.as, STR("lake")));
    assert_denied(&q, access_check_impersonate(q.as, STR("bob"), &q.err),
                  "Access Denied: User alice cannot impersonate user bob");
    end(&q);
}

static void test_a_section_that_is_missing_allows_and_one_without_a_match_denies(void **state)
{
    struct asking q = {.control = load("{}")};

    (void)state;
    as_user(&q, "alice");
    assert_allowed(access_check_table(q.as, ACCESS_DROP_TABLE, &orders, &q.err));
    assert_allowed(access_check_system_property(q.as, STR("spill_enabled"), &q.err));
    assert_denied(&q, access_check_system_information(q.as, false, &q.err),
                  "Access Denied: Cannot read system information");
    assert_denied(&q, access_check_impersonate(q.as, STR("bob"), &q.err),
                  "Access Denied: User alice cannot impersonate user bob");
    end(&q);
    q = (struct asking){.control = load("{\"tables\": [], \"schemas\": [], \"system_session_properties\": []}")};
    as_user(&q, "alice");
    assert_denied(&q, access_check_table(q.as, ACCESS_DROP_TABLE, &orders, &q.err),
                  "Access Denied: Cannot drop table lake.sales.orders");
    assert_denied(&q, access_check_system_property(q.as, STR("spill_enabled"), &q.err),
                  "Access Denied: Cannot set system session property spill_enabled");
    end(&q);
}

/* ---- catalogs ---- */

static void test_the_first_catalog_rule_that_matches_decides(void **state)
{
    struct asking q = {.control = load("{\"catalogs\": ["
                                       "{\"user\": \"admin\", \"catalog\": \"(lake|system)\", \"allow\": \"all\"},"
                                       "{\"group\": \"finance|hr\", \"catalog\": \"postgres\", \"allow\": true},"
                                       "{\"catalog\": \"lake\", \"allow\": \"read-only\"},"
                                       "{\"user\": \"alice\", \"catalog\": \"hidden\", \"allow\": \"none\"},"
                                       "{\"user\": \"alice\", \"catalog\": \"hidden\", \"allow\": \"all\"}]}")};

    (void)state;
    as_user(&q, "admin");
    assert_allowed(access_check_schema(q.as, ACCESS_CREATE_SCHEMA, STR("lake"), STR("s"), &q.err));
    as_user(&q, "alice");
    assert_denied(&q, access_check_schema(q.as, ACCESS_CREATE_SCHEMA, STR("lake"), STR("s"), &q.err),
                  "Access Denied: Cannot create schema lake.s");
    assert_allowed(select_columns(&q, &orders, STR("a"), STR("b")));
    assert_denied(&q, access_check_table(q.as, ACCESS_INSERT, &orders, &q.err),
                  "Access Denied: Cannot insert into table lake.sales.orders");
    assert_denied(&q, access_check_catalog(q.as, STR("hidden"), &q.err), "Access Denied: Cannot access catalog hidden");
    assert_denied(&q, access_check_catalog(q.as, STR("postgres"), &q.err),
                  "Access Denied: Cannot access catalog postgres");
    assert_true(access_sees_catalog(q.as, STR("system"))); /* everybody's, unless a rule says otherwise */
    assert_false(access_sees_catalog(q.as, STR("hidden")));
    as_member(&q, "alice", STR("hr"));
    assert_allowed(access_check_catalog(q.as, STR("postgres"), &q.err));
    end(&q);
}

static void test_only_an_owner_makes_and_drops_catalogs(void **state)
{
    struct asking q = {.control = load("{\"catalogs\": [{\"user\": \"admin\", \"allow\": \"owner\"},"
                                       "{\"allow\": \"all\"}]}")};

    (void)state;
    as_user(&q, "admin");
    assert_allowed(access_check_owned_catalog(q.as, true, STR("c"), &q.err));
    as_user(&q, "alice");
    assert_denied(&q, access_check_owned_catalog(q.as, false, STR("c"), &q.err),
                  "Access Denied: Cannot drop catalog c");
    end(&q);
}

/* ---- schemas ---- */

static void test_schemas_belong_to_those_that_the_rules_name(void **state)
{
    struct asking q = {.control = load("{\"schemas\": ["
                                       "{\"user\": \"admin\", \"schema\": \".*\", \"owner\": true},"
                                       "{\"user\": \"guest\", \"owner\": false},"
                                       "{\"catalog\": \"lake\", \"schema\": \"sales|pub\", \"owner\": true}]}")};

    (void)state;
    as_user(&q, "bob");
    assert_allowed(access_check_schema(q.as, ACCESS_DROP_SCHEMA, STR("lake"), STR("sales"), &q.err));
    assert_allowed(access_check_rename_schema(q.as, STR("lake"), STR("sales"), STR("pub"), &q.err));
    assert_denied(&q, access_check_rename_schema(q.as, STR("lake"), STR("sales"), STR("x"), &q.err),
                  "Access Denied: Cannot rename schema from lake.sales to x");
    assert_denied(&q, access_check_schema(q.as, ACCESS_SHOW_CREATE_SCHEMA, STR("other"), STR("sales"), &q.err),
                  "Access Denied: Cannot show create schema for other.sales");
    as_user(&q, "guest");
    assert_denied(&q, access_check_schema(q.as, ACCESS_DROP_SCHEMA, STR("lake"), STR("sales"), &q.err),
                  "Access Denied: Cannot drop schema lake.sales");
    end(&q);
}

/* ---- tables ---- */

static const char table_rules[] =
    "{\"schemas\": [{\"user\": \"admin\", \"owner\": true}], \"tables\": ["
    "{\"user\": \"admin\", \"privileges\": [\"SELECT\", \"INSERT\", \"DELETE\", \"UPDATE\", \"OWNERSHIP\"]},"
    "{\"user\": \"banned_user\", \"privileges\": []},"
    "{\"catalog\": \"lake\", \"schema\": \"sales\", \"table\": \"orders\", \"privileges\": [\"SELECT\"],"
    " \"columns\": [{\"name\": \"price\", \"allow\": false},"
    "  {\"name\": \"name\", \"mask\": \"substring(name, -4)\", \"mask_environment\": {\"user\": \"masker\"}},"
    "  {\"name\": \"note\", \"mask\": \"'x'\"}],"
    " \"filter\": \"region = current_user\", \"filter_environment\": {\"user\": \"filterer\"}},"
    "{\"schema\": \"sales\", \"privileges\": [\"INSERT\", \"grant_select\"]},"
    "{\"schema\": \"secret\", \"privileges\": []}]}";

static void test_privileges_on_tables(void **state)
{
    struct asking q = {.control = load(table_rules)};
    const struct str price = STR("price");

    (void)state;
    as_user(&q, "admin");
    assert_allowed(access_check_table(q.as, ACCESS_DROP_TABLE, &secrets, &q.err));
    assert_allowed(access_check_rename(q.as, ACCESS_TABLE, &orders, &secrets, &q.err));
    as_user(&q, "banned_user");
    assert_denied(&q, select_columns(&q, &orders, STR("a"), STR("b")),
                  "Access Denied: Cannot select from table lake.sales.orders");
    as_user(&q, "bob");
    assert_allowed(select_columns(&q, &orders, STR("name"), STR("id")));
    assert_denied(&q, select_columns(&q, &orders, STR("id"), STR("price")),
                  "Access Denied: Cannot select from table lake.sales.orders");
    assert_denied(&q, access_check_table(q.as, ACCESS_DELETE, &orders, &q.err),
                  "Access Denied: Cannot delete from table lake.sales.orders");
    assert_denied(&q, access_check_update(q.as, &orders, &price, 1, &q.err),
                  "Access Denied: Cannot update columns [price] in table lake.sales.orders");
    assert_denied(&q, access_check_table(q.as, ACCESS_SHOW_CREATE_TABLE, &orders, &q.err),
                  "Access Denied: Cannot show create table for lake.sales.orders");
    assert_denied(&q, access_check_rename(q.as, ACCESS_TABLE, &orders, &other_orders, &q.err),
                  "Access Denied: Cannot rename table from lake.sales.orders to lake.sales.orders2");
    assert_allowed(access_check_table(q.as, ACCESS_INSERT, &other_orders, &q.err));
    assert_allowed(select_columns(&q, &other_orders, STR("price"), STR("id")));
    assert_denied(&q, select_columns(&q, &secrets, STR("a"), STR("b")),
                  "Access Denied: Cannot select from table lake.finance.secrets");
    end(&q);
}

static void test_a_view_for_others_takes_grant_select(void **state)
{
    struct asking q = {.control = load(table_rules)};
    const struct str id = STR("id");

    (void)state;
    as_user(&q, "bob");
    assert_allowed(access_check_select_for_view(q.as, &other_orders, &id, 1, &q.err));
    assert_denied(&q, access_check_select_for_view(q.as, &orders, &id, 1, &q.err),
                  "Access Denied: View owner 'bob' cannot create view that selects from lake.sales.orders");
    end(&q);
}

static void test_filters_and_masks_say_as_whom_they_run(void **state)
{
    struct asking q = {.control = load(table_rules)};
    const struct access_table info = {STR("lake"), STR("information_schema"), STR("tables")};
    struct access_expression e;

    (void)state;
    as_user(&q, "bob");
    assert_true(access_row_filter(q.as, &orders, &e));
    assert_true(str_eq(e.text, STR("region = current_user")) && str_eq(e.user, STR("filterer")));
    assert_true(access_column_mask(q.as, &orders, STR("name"), &e));
    assert_true(str_eq(e.text, STR("substring(name, -4)")) && str_eq(e.user, STR("masker")));
    assert_true(access_column_mask(q.as, &orders, STR("note"), &e));
    assert_true(str_is_null(e.user));
    assert_false(access_column_mask(q.as, &orders, STR("price"), &e));
    assert_false(access_row_filter(q.as, &other_orders, &e));
    assert_false(access_row_filter(q.as, &info, &e));
    as_user(&q, "admin");
    assert_false(access_row_filter(q.as, &orders, &e));
    end(&q);
}

static void test_lists_show_what_one_has_some_privilege_on(void **state)
{
    struct asking q = {.control = load(table_rules)};

    (void)state;
    as_user(&q, "bob");
    assert_true(access_sees_schema(q.as, STR("lake"), STR("sales")));
    assert_false(access_sees_schema(q.as, STR("lake"), STR("finance")));
    assert_false(access_sees_schema(q.as, STR("lake"), STR("secret")));
    assert_true(access_sees_table(q.as, STR("lake"), STR("sales"), STR("orders")));
    assert_false(access_sees_table(q.as, STR("lake"), STR("finance"), STR("secrets")));
    assert_true(access_sees_table(q.as, STR("lake"), STR("information_schema"), STR("tables")));
    assert_true(access_sees_column(q.as, STR("lake"), STR("sales"), STR("orders"), STR("name")));
    assert_false(access_sees_column(q.as, STR("lake"), STR("sales"), STR("orders"), STR("price")));
    assert_denied(&q, access_check_show_tables(q.as, STR("lake"), STR("finance"), &q.err),
                  "Access Denied: Cannot show tables of schema lake.finance");
    assert_denied(&q, access_check_table(q.as, ACCESS_SHOW_COLUMNS, &secrets, &q.err),
                  "Access Denied: Cannot show columns of table lake.finance.secrets");
    as_user(&q, "admin");
    assert_true(access_sees_table(q.as, STR("lake"), STR("finance"), STR("secrets")));
    as_user(&q, "banned_user");
    assert_false(access_sees_table(q.as, STR("lake"), STR("sales"), STR("orders")));
    end(&q);
}

/* ---- session properties, queries, system information ---- */

static void test_session_properties(void **state)
{
    struct asking q = {.control = load("{\"catalogs\": [{\"catalog\": \"lake|other\", \"allow\": \"read-only\"}],"
                                       "\"system_session_properties\": ["
                                       "{\"property\": \"resource_overcommit\", \"user\": \"admin\", \"allow\": true},"
                                       "{\"property\": \"resource_overcommit\", \"allow\": false}, {\"allow\": true}],"
                                       "\"catalog_session_properties\": ["
                                       "{\"catalog\": \"lake\", \"property\": \"bucket.*\", \"allow\": true},"
                                       "{\"user\": \"nobody\"}]}")};

    (void)state;
    as_user(&q, "bob");
    assert_allowed(access_check_system_property(q.as, STR("spill_enabled"), &q.err));
    assert_denied(&q, access_check_system_property(q.as, STR("resource_overcommit"), &q.err),
                  "Access Denied: Cannot set system session property resource_overcommit");
    assert_allowed(access_check_catalog_property(q.as, STR("lake"), STR("bucket_execution"), &q.err));
    assert_denied(&q, access_check_catalog_property(q.as, STR("other"), STR("bucket_execution"), &q.err),
                  "Access Denied: Cannot set catalog session property bucket_execution");
    assert_denied(&q, access_check_catalog_property(q.as, STR("hidden"), STR("bucket_execution"), &q.err),
                  "Access Denied: Cannot access catalog hidden");
    as_user(&q, "admin");
    assert_allowed(access_check_system_property(q.as, STR("resource_overcommit"), &q.err));
    end(&q);
}

static void test_queries_of_others_are_seen_and_killed_by_the_rules(void **state)
{
    struct asking q = {.control = load("{\"queries\": ["
                                       "{\"user\": \"admin\", \"allow\": [\"execute\", \"kill\", \"view\"]},"
                                       "{\"user\": \"alice\", \"allow\": [\"execute\", \"kill\"]},"
                                       "{\"user\": \"bob\", \"queryOwner\": \"al.*\", \"allow\": [\"view\"]},"
                                       "{\"user\": \"bob\", \"allow\": [\"execute\"]}]}")};

    (void)state;
    as_user(&q, "admin");
    assert_allowed(access_check_view_query(q.as, STR("alice"), &q.err));
    as_user(&q, "alice");
    assert_allowed(access_check_execute_query(q.as, &q.err));
    assert_allowed(access_check_kill_query(q.as, STR("bob"), &q.err));
    assert_denied(&q, access_check_view_query(q.as, STR("bob"), &q.err), "Access Denied: Cannot view query");
    as_user(&q, "bob");
    assert_allowed(access_check_execute_query(q.as, &q.err));
    assert_allowed(access_check_view_query(q.as, STR("alice"), &q.err));
    assert_allowed(access_check_view_query(q.as, STR("bob"), &q.err)); /* one's own */
    assert_denied(&q, access_check_view_query(q.as, STR("carol"), &q.err), "Access Denied: Cannot view query");
    assert_denied(&q, access_check_kill_query(q.as, STR("alice"), &q.err), "Access Denied: Cannot kill query");
    as_user(&q, "carol");
    assert_denied(&q, access_check_execute_query(q.as, &q.err), "Access Denied: Cannot execute query");
    end(&q);
}

static void test_system_information(void **state)
{
    struct asking q = {.control = load("{\"system_information\": ["
                                       "{\"user\": \"admin\", \"allow\": [\"read\", \"write\"]},"
                                       "{\"user\": \"alice\", \"allow\": [\"read\"]}]}")};

    (void)state;
    as_user(&q, "admin");
    assert_allowed(access_check_system_information(q.as, true, &q.err));
    as_user(&q, "alice");
    assert_allowed(access_check_system_information(q.as, false, &q.err));
    assert_denied(&q, access_check_system_information(q.as, true, &q.err),
                  "Access Denied: Cannot write system information");
    as_user(&q, "bob");
    assert_denied(&q, access_check_system_information(q.as, false, &q.err),
                  "Access Denied: Cannot read system information");
    end(&q);
}

/* ---- impersonation and principals ---- */

static void test_impersonation(void **state)
{
    struct asking q = {.control = load("{\"impersonation\": ["
                                       "{\"original_user\": \"alice\", \"new_user\": \"bob\", \"allow\": false},"
                                       "{\"original_user\": \"alice\", \"new_user\": \".*\"},"
                                       "{\"original_user\": \"(.*)\", \"new_user\": \"$1_sandbox\"},"
                                       "{\"originalUser\": \"svc_.*\", \"newUser\": \"team_.*\"},"
                                       "{\"original_role\": \"boss\", \"new_user\": \"carol\"}]}")};
    const struct str boss = STR("boss");

    (void)state;
    as_user(&q, "alice");
    assert_allowed(access_check_impersonate(q.as, STR("charlie"), &q.err));
    assert_denied(&q, access_check_impersonate(q.as, STR("bob"), &q.err),
                  "Access Denied: User alice cannot impersonate user bob");
    as_user(&q, "dan");
    assert_allowed(access_check_impersonate(q.as, STR("dan_sandbox"), &q.err));
    assert_denied(&q, access_check_impersonate(q.as, STR("eve_sandbox"), &q.err),
                  "Access Denied: User dan cannot impersonate user eve_sandbox");
    as_user(&q, "svc_x");
    assert_allowed(access_check_impersonate(q.as, STR("team_y"), &q.err));
    ask_as(&q, &(struct access_identity){.user = STR("eve"), .roles = &boss, .role_count = 1});
    assert_allowed(access_check_impersonate(q.as, STR("carol"), &q.err));
    end(&q);
}

static void test_a_name_is_no_pattern_when_it_is_filled_in(void **state)
{
    struct asking q = {.control = load("{\"impersonation\": ["
                                       "{\"original_user\": \"(.*)\", \"new_user\": \"$1_sandbox\"}]}")};

    (void)state;
    as_user(&q, ".*|root|x");
    assert_denied(&q, access_check_impersonate(q.as, STR("root"), &q.err),
                  "Access Denied: User .*|root|x cannot impersonate user root");
    assert_denied(&q, access_check_impersonate(q.as, STR("x_sandbox"), &q.err),
                  "Access Denied: User .*|root|x cannot impersonate user x_sandbox");
    end(&q);
}

static void test_principals_become_users(void **state)
{
    struct asking q = {.control = load("{\"principals\": ["
                                       "{\"principal\": \"admin@.*\", \"user\": \".*\", \"allow\": true},"
                                       "{\"principal\": \"([^@]+)@example\\\\.net\", \"principal_to_user\": \"$1\","
                                       " \"allow\": true}]}")};

    (void)state;
    ask_as(&q, &(struct access_identity){.user = STR("alice"), .principal = STR("alice@example.net")});
    assert_allowed(access_check_set_user(q.as, STR("alice"), &q.err));
    assert_denied(&q, access_check_set_user(q.as, STR("bob"), &q.err),
                  "Access Denied: Principal alice@example.net cannot become user bob");
    assert_allowed(access_check_impersonate(q.as, STR("bob"), &q.err)); /* it's for the principals' rules to say */
    ask_as(&q, &(struct access_identity){.user = STR("x"), .principal = STR("admin@a")});
    assert_allowed(access_check_set_user(q.as, STR("bob"), &q.err));
    as_user(&q, "bob");
    assert_denied(&q, access_check_set_user(q.as, STR("bob"), &q.err),
                  "Access Denied: Principal null cannot become user bob");
    end(&q);
}

/* ---- functions, procedures, authorization, grants, roles ---- */

static void test_functions_and_procedures(void **state)
{
    struct asking q = {.control = load("{\"functions\": [{\"catalog\": \"system\", \"schema\": \"builtin\","
                                       " \"function\": \"(?!now).*\", \"privileges\": [\"EXECUTE\"]}]}")};

    (void)state;
    as_user(&q, "bob");
    assert_true(access_executes_function(q.as, STR("system"), STR("builtin"), STR("abs")));
    assert_false(access_executes_function(q.as, STR("system"), STR("builtin"), STR("now")));
    assert_false(access_executes_function(q.as, STR("lake"), STR("sales"), STR("f")));
    assert_denied(&q, access_check_procedure(q.as, STR("lake"), STR("system"), STR("p"), &q.err),
                  "Access Denied: Cannot execute procedure lake.system.p");
    end(&q);
    q = (struct asking){.control = load("{\"procedures\": [{\"catalog\": \"lake\", \"privileges\": [\"EXECUTE\"]}]}")};
    as_user(&q, "bob");
    assert_allowed(access_check_procedure(q.as, STR("lake"), STR("system"), STR("p"), &q.err));
    assert_true(access_executes_function(q.as, STR("system"), STR("builtin"), STR("abs")));
    end(&q);
}

static void test_grants_and_authorizations(void **state)
{
    struct asking q = {.control = load("{\"authorization\": ["
                                       "{\"original_user\": \"bob\", \"new_user\": \"carol\"},"
                                       "{\"original_group\": \"ops\", \"new_role\": \"r.*\"}],"
                                       "\"tables\": [{\"schema\": \"sales\", \"privileges\": [\"OWNERSHIP\"]},"
                                       "{\"privileges\": [\"SELECT\"]}],"
                                       "\"schemas\": [{\"schema\": \"sales\", \"owner\": true}]}")};
    const struct access_table schema = {STR("lake"), STR("finance"), STR_NULL};

    (void)state;
    as_user(&q, "bob");
    assert_allowed(access_check_grant(q.as, ACCESS_GRANT, "SELECT", &orders, &q.err));
    assert_denied(&q, access_check_grant(q.as, ACCESS_REVOKE, "SELECT", &secrets, &q.err),
                  "Access Denied: Cannot revoke privilege SELECT on table lake.finance.secrets");
    assert_denied(&q, access_check_grant(q.as, ACCESS_DENY, "CREATE", &schema, &q.err),
                  "Access Denied: Cannot deny privilege CREATE on schema lake.finance");
    assert_allowed(access_check_set_authorization(q.as, "TABLE", &orders, false, STR("carol"), &q.err));
    assert_denied(&q, access_check_set_authorization(q.as, "TABLE", &orders, false, STR("dan"), &q.err),
                  "Access Denied: Cannot set authorization for table lake.sales.orders to USER dan");
    assert_denied(&q, access_check_set_authorization(q.as, "SCHEMA", &schema, true, STR("r"), &q.err),
                  "Access Denied: Cannot set authorization for schema lake.finance to ROLE r");
    assert_denied(&q, access_check_create_role(q.as, STR("r"), &q.err), "Access Denied: Cannot create role r");
    assert_denied(&q, access_check_grant_roles(q.as, false, STR("[r]"), STR("[USER x]"), &q.err),
                  "Access Denied: Cannot grant roles [r] to [USER x]");
    as_member(&q, "eve", STR("ops"));
    assert_allowed(access_check_set_authorization(q.as, "TABLE", &orders, true, STR("r1"), &q.err));
    end(&q);
}

/* ---- limits ---- */

static void test_a_pattern_that_takes_too_long_denies_whatever_its_rule_says(void **state)
{
    struct asking q = {.control = load("{\"tables\": [{\"user\": \"(a+)+[bc]\", \"privileges\": []},"
                                       "{\"privileges\": [\"SELECT\"]}]}")};

    (void)state;
    as_user(&q, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_denied(&q, select_columns(&q, &orders, STR("a"), STR("b")),
                  "Access Denied: Cannot select from table lake.sales.orders");
    as_user(&q, "bob");
    assert_allowed(select_columns(&q, &orders, STR("a"), STR("b")));
    end(&q);
}

static void assert_invalid(const char *rules, const char *text)
{
    const struct access_control_options o = {.rules = str_from_cstr(rules)};
    struct access_control *c;
    struct err err = {0};

    assert_true(access_control_new(&o, &c, &err) < 0);
    if (!strstr(err.message, text))
        fail_msg("%s: expected %s in: %s", rules, text, err.message);
}

static void test_invalid_rules_are_refused_with_their_place(void **state)
{
    (void)state;
    assert_invalid("{", "");
    assert_invalid("[]", "expected an object");
    assert_invalid("{\"catalog\": []}", "unknown section catalog");
    assert_invalid("{\"catalogs\": {}}", "catalogs: expected a list");
    assert_invalid("{\"catalogs\": [{\"user\": \"x\"}]}", "catalogs[0]: expected the key allow");
    assert_invalid("{\"catalogs\": [{\"allow\": \"some\"}]}", "catalogs[0].allow: expected all, read-only");
    assert_invalid("{\"catalogs\": [{\"allow\": true, \"usr\": \"x\"}]}", "catalogs[0]: unknown key usr");
    assert_invalid("{\"tables\": [{}]}", "tables[0]: expected the key privileges");
    assert_invalid("{\"tables\": [{\"privileges\": [\"ALL\"]}]}", "unknown word ALL");
    assert_invalid("{\"tables\": [{\"privileges\": [], \"columns\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}]}",
                   "twice");
    assert_invalid("{\"tables\": [{\"privileges\": [], \"columns\": [{\"mask\": \"a\"}]}]}", "the key name");
    assert_invalid("{\"tables\": [{\"privileges\": [], \"user\": \"(\"}]}", "tables[0].user");
    assert_invalid("{\"queries\": [{\"allow\": [\"execute\"], \"queryOwner\": \"x\"}]}", "cannot combine");
    assert_invalid("{\"principals\": [{\"principal\": \"x\", \"allow\": true}]}", "at least one criterion");
    assert_invalid("{\"authorization\": [{\"original_user\": \"x\"}]}", "At least one of new_user or new_role");
    assert_invalid("{\"impersonation\": [{\"original_user\": \"x\"}]}", "expected the key new_user");
    assert_invalid("{\"functions\": [{\"privileges\": [], \"function_kinds\": [\"SCALAR\"]}]}", "no longer supported");
    assert_invalid("{\"schemas\": [{\"owner\": \"yes\"}]}", "expected true or false");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_rules_all_is_allowed_but_impersonation),
        cmocka_unit_test(test_a_section_that_is_missing_allows_and_one_without_a_match_denies),
        cmocka_unit_test(test_the_first_catalog_rule_that_matches_decides),
        cmocka_unit_test(test_only_an_owner_makes_and_drops_catalogs),
        cmocka_unit_test(test_schemas_belong_to_those_that_the_rules_name),
        cmocka_unit_test(test_privileges_on_tables),
        cmocka_unit_test(test_a_view_for_others_takes_grant_select),
        cmocka_unit_test(test_filters_and_masks_say_as_whom_they_run),
        cmocka_unit_test(test_lists_show_what_one_has_some_privilege_on),
        cmocka_unit_test(test_session_properties),
        cmocka_unit_test(test_queries_of_others_are_seen_and_killed_by_the_rules),
        cmocka_unit_test(test_system_information),
        cmocka_unit_test(test_impersonation),
        cmocka_unit_test(test_a_name_is_no_pattern_when_it_is_filled_in),
        cmocka_unit_test(test_principals_become_users),
        cmocka_unit_test(test_functions_and_procedures),
        cmocka_unit_test(test_grants_and_authorizations),
        cmocka_unit_test(test_a_pattern_that_takes_too_long_denies_whatever_its_rule_says),
        cmocka_unit_test(test_invalid_rules_are_refused_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
