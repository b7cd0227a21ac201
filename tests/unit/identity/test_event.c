#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/event.h"

#include <unistd.h>

static char folder[] = "/tmp/dp-event-XXXXXX";
static struct db *db;
static struct events *events;
static struct realm realm = {.id = {"r1", 2}, .name = {"test", 4}};

static int open_database(void **state)
{
    char path[64];
    struct err err = {0};
    (void)state;

    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/db", folder);
    if (db_open_sqlite(path, &db, &err) < 0 || events_open(db, &events, &err) < 0)
        fail_msg("%s", err.message);
    return 0;
}

static int close_database(void **state)
{
    char command[128];
    (void)state;

    events_close(events);
    db_close(db);
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command); // NOLINT(cert-env33-c)
}

static void write_login(const char *client, const char *error)
{
    struct event e = event_of(&realm, "LOGIN", str_from_cstr(client), STR("127.0.0.1"));

    event_add(&e, "username", STR("alice"));
    event_add(&e, "absent", STR_NULL);
    e.error = error;
    event_write(events, &e);
}

static json_t *query(const struct event_query *q)
{
    json_t *ret = NULL;
    struct err err = {0};

    events_flush(events);
    if (events_query(events, &realm, q, &ret, &err) < 0)
        fail_msg("%s", err.message);
    return ret;
}

static void events_are_kept_when_the_realm_says_so_and_only_its_types(void **state)
{
    struct err err = {0};
    (void)state;

    realm.rep = json_object();
    write_login("a", NULL);
    JSON_SCOPED json_t *none = query(&(struct event_query){0});
    assert_int_equal(json_array_size(none), 0);
    json_decref(realm.rep);

    realm.rep = json_pack("{s:b, s:[s]}", "eventsEnabled", 1, "enabledEventTypes", "LOGIN_ERROR");
    write_login("a", NULL);
    write_login("b", "user_not_found");
    JSON_SCOPED json_t *some = query(&(struct event_query){0});
    assert_int_equal(json_array_size(some), 1);
    const json_t *e = json_array_get(some, 0);
    assert_true(str_eq(json_opt_str(e, "type", STR("")), STR("LOGIN_ERROR")));
    assert_true(str_eq(json_opt_str(e, "error", STR("")), STR("user_not_found")));
    assert_true(str_eq(json_opt_str(e, "clientId", STR("")), STR("b")));
    assert_true(str_eq(json_opt_str(json_object_get(e, "details"), "username", STR("")), STR("alice")));
    assert_null(json_object_get(json_object_get(e, "details"), "absent"));
    assert_int_equal(events_clear(events, &realm, &err), 0);
    json_decref(realm.rep);
}

static void events_are_found_by_type_and_client_newest_first_in_pages(void **state)
{
    struct str type = STR("LOGIN");
    struct err err = {0};
    (void)state;

    realm.rep = json_pack("{s:b}", "eventsEnabled", 1);
    for (int i = 0; i < 3; i++) {
        usleep(2000); /* times have milliseconds */
        write_login(i == 1 ? "x" : "y", i == 2 ? "invalid_user_credentials" : NULL);
    }
    JSON_SCOPED json_t *typed = query(&(struct event_query){.types = &type, .type_count = 1});
    assert_int_equal(json_array_size(typed), 2);
    JSON_SCOPED json_t *client = query(&(struct event_query){.client_id = STR("x")});
    assert_int_equal(json_array_size(client), 1);
    JSON_SCOPED json_t *page = query(&(struct event_query){.first = 1, .max = 1});
    assert_int_equal(json_array_size(page), 1);
    assert_true(str_eq(json_opt_str(json_array_get(page, 0), "clientId", STR("")), STR("x")));
    assert_int_equal(events_clear(events, &realm, &err), 0);
    json_decref(realm.rep);
}

static void admin_events_keep_representations_only_when_details_are_enabled(void **state)
{
    const struct admin_event e = {.realm = &realm,
                                  .operation = "CREATE",
                                  .resource_type = "USER",
                                  .resource_path = STR("users/u_1"),
                                  .auth_user_id = STR("admin"),
                                  .representation = STR("{\"username\":\"alice\"}")};
    JSON_SCOPED json_t *all = NULL, *matching = NULL, *other = NULL;
    struct err err = {0};
    (void)state;

    realm.rep = json_pack("{s:b, s:b}", "adminEventsEnabled", 1, "adminEventsDetailsEnabled", 0);
    admin_event_write(events, &e);
    json_object_set_new(realm.rep, "adminEventsDetailsEnabled", json_true());
    usleep(2000); /* times have milliseconds */
    admin_event_write(events, &e);
    events_flush(events);
    assert_int_equal(admin_events_query(events, &realm, &(struct event_query){0}, &all, &err), 0);
    assert_int_equal(json_array_size(all), 2);
    assert_non_null(json_object_get(json_array_get(all, 0), "representation"));
    assert_null(json_object_get(json_array_get(all, 1), "representation"));
    assert_int_equal(
        admin_events_query(events, &realm, &(struct event_query){.resource_path = STR("users/*")}, &matching, &err), 0);
    assert_int_equal(json_array_size(matching), 2);
    assert_int_equal(
        admin_events_query(events, &realm, &(struct event_query){.resource_path = STR("users/uX1")}, &other, &err), 0);
    assert_int_equal(json_array_size(other), 0);
    json_decref(realm.rep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_kept_when_the_realm_says_so_and_only_its_types),
        cmocka_unit_test(events_are_found_by_type_and_client_newest_first_in_pages),
        cmocka_unit_test(admin_events_keep_representations_only_when_details_are_enabled),
    };
    return cmocka_run_group_tests(tests, open_database, close_database);
}
