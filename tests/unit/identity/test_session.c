#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/vec.h"
#include "fixture.h"
#include "identity/session/internal.h"

static void later(struct fixture *f, int64_t seconds)
{
    f->context.sessions->skew += seconds;
}

static int get(struct fixture *f, struct str id, bool offline)
{
    struct session s;

    return session_get(f->context.sessions, f->realm, &f->arena, id, offline, &s, &f->err);
}

static void a_session_lives_until_it_idles_out(void **state)
{
    struct fixture *f = *state;
    struct client_session cs;
    struct session s;

    fixture_login(f, &f->alice, f->trino, STR("openid"), &s, &cs);
    assert_int_equal(s.id.n, SESSION_ID_SIZE - 1);
    later(f, 1799);
    must(f, get(f, s.id, false));
    session_touch(f->context.sessions, f->realm, &s);
    later(f, 1799);
    must(f, get(f, s.id, false)); /* it was seen meanwhile, though that isn't written yet */
    sessions_flush(f->context.sessions);
    must(f, get(f, s.id, false));
    later(f, 2);
    assert_int_equal(get(f, s.id, false), ERR_NOT_FOUND);
}

static void a_session_ends_after_its_lifespan_however_busy(void **state)
{
    struct fixture *f = *state;
    struct client_session cs;
    struct session s;

    fixture_login(f, &f->alice, f->trino, STR("openid"), &s, &cs);
    for (int i = 0; i < 20; i++) {
        later(f, 1790);
        session_touch(f->context.sessions, f->realm, &s);
    }
    must(f, get(f, s.id, false));
    later(f, 201); /* 36001 in all */
    assert_int_equal(get(f, s.id, false), ERR_NOT_FOUND);
}

static void a_client_s_own_lifetime_ends_its_part_and_no_other(void **state)
{
    struct fixture *f = *state;
    struct client_session cs;
    struct session s;

    fixture_settings(f, "{\"clientSessionMaxLifespan\":600}");
    fixture_login(f, &f->alice, f->trino, STR("openid"), &s, &cs);
    assert_int_equal(client_session_expires(f->realm, f->trino, &s, &cs) - s.started, 600);
    later(f, 601);
    assert_int_equal(client_session_get(f->context.sessions, f->realm, &f->arena, &s, f->trino, &cs, &f->err),
                     ERR_NOT_FOUND);
    must(f, get(f, s.id, false));
}

static void ending_a_session_ends_its_clients_but_not_the_offline_copy(void **state)
{
    struct fixture *f = *state;
    struct client_session cs, offline_cs;
    struct session s, offline;

    fixture_login(f, &f->alice, f->trino, STR("openid offline_access"), &s, &cs);
    must(f, session_make_offline(f->context.sessions, f->realm, &s, &cs, &f->err));
    must(f, session_make_offline(f->context.sessions, f->realm, &s, &cs, &f->err)); /* again: the same one */
    must(f, session_end(f->context.sessions, f->realm, s.id, false, &f->err));
    assert_int_equal(get(f, s.id, false), ERR_NOT_FOUND);
    assert_int_equal(client_session_get(f->context.sessions, f->realm, &f->arena, &s, f->trino, &cs, &f->err),
                     ERR_NOT_FOUND);
    must(f, session_get(f->context.sessions, f->realm, &f->arena, s.id, true, &offline, &f->err));
    must(f, client_session_get(f->context.sessions, f->realm, &f->arena, &offline, f->trino, &offline_cs, &f->err));
    later(f, 36000);
    must(f, get(f, s.id, true));
    /* The last client's part takes the offline session with it. */
    must(f, client_session_end(f->context.sessions, f->realm, s.id, f->trino->id, true, &f->err));
    assert_int_equal(get(f, s.id, true), ERR_NOT_FOUND);
}

static void a_client_cannot_join_a_session_that_has_ended(void **state)
{
    struct fixture *f = *state;
    struct client_session cs, again = {.client_id = f->airflow->id};
    struct session s;

    fixture_login(f, &f->alice, f->trino, STR("openid"), &s, &cs);
    must(f, session_end(f->context.sessions, f->realm, s.id, false, &f->err));
    again.session_id = s.id;
    must(f, client_session_put(f->context.sessions, f->realm, &again, &f->err));
    assert_int_equal(client_session_get(f->context.sessions, f->realm, &f->arena, &s, f->airflow, &cs, &f->err),
                     ERR_NOT_FOUND);
}

static void sessions_are_listed_by_user_client_and_realm(void **state)
{
    struct fixture *f = *state;
    struct client_session cs;
    struct session_list list;
    struct session s;
    int64_t n;

    fixture_login(f, &f->alice, f->trino, STR("openid"), &s, &cs);
    fixture_login(f, &f->alice, f->airflow, STR("openid"), &s, &cs);
    fixture_login(f, &f->bob, f->trino, STR("openid"), &s, &cs);
    must(f, sessions_of_user(f->context.sessions, f->realm, &f->arena, f->alice.id, false, &list, &f->err));
    assert_int_equal(list.n, 2);
    must(f, sessions_of_client(f->context.sessions, f->realm, &f->arena, f->trino, false, 0, 0, &list, &f->err));
    assert_int_equal(list.n, 2);
    must(f, sessions_of_client(f->context.sessions, f->realm, &f->arena, f->trino, false, 1, 5, &list, &f->err));
    assert_int_equal(list.n, 1);
    must(f, sessions_of_realm(f->context.sessions, f->realm, &f->arena, false, 0, 0, &list, &f->err));
    assert_int_equal(list.n, 3);
    must(f, sessions_count(f->context.sessions, f->realm, f->airflow, false, &n, &f->err));
    assert_int_equal(n, 1);
    must(f, sessions_forget_user(f->context.sessions, f->realm->id, f->alice.id, &f->err));
    must(f, sessions_of_realm(f->context.sessions, f->realm, &f->arena, false, 0, 0, &list, &f->err));
    assert_int_equal(list.n, 1);
}

static const char *new_code(struct fixture *f, const struct session *s)
{
    struct auth_code what = {
        .session_id = s->id, .client_id = f->trino->id, .redirect_uri = STR("https://x"), .nonce = STR("n1")};
    BUF_SCOPED struct buf b = {0};

    buf_init(&b, 4096);
    must(f, auth_code_new(f->context.sessions, f->realm, &what, &b, &f->err));
    return arena_str(&f->arena, buf_str(&b)).p;
}

static int take(struct fixture *f, const char *code, struct auth_code *ret)
{
    return auth_code_take(f->context.sessions, f->realm, &f->arena, str_from_cstr(code), ret, &f->err);
}

static void a_code_is_good_once_and_its_reuse_ends_what_it_began(void **state)
{
    struct fixture *f = *state;
    struct client_session cs;
    struct auth_code code;
    struct session s;
    const char *text;

    fixture_login(f, &f->alice, f->trino, STR("openid"), &s, &cs);
    text = new_code(f, &s);
    must(f, take(f, text, &code));
    assert_true(str_eq(code.nonce, STR("n1")));
    assert_true(str_is_null(code.state));
    must(f, client_session_get(f->context.sessions, f->realm, &f->arena, &s, f->trino, &cs, &f->err));
    assert_int_equal(take(f, text, &code), ERR_NOT_FOUND);
    assert_int_equal(client_session_get(f->context.sessions, f->realm, &f->arena, &s, f->trino, &cs, &f->err),
                     ERR_NOT_FOUND);
    must(f, get(f, s.id, false)); /* the login itself goes on */
}

static void a_code_expires_and_a_made_up_one_ends_nothing(void **state)
{
    struct fixture *f = *state;
    struct client_session cs;
    struct auth_code code;
    struct session s;
    const char *text;

    fixture_login(f, &f->alice, f->trino, STR("openid"), &s, &cs);
    text = new_code(f, &s);
    later(f, 61);
    assert_int_equal(take(f, text, &code), ERR_NOT_FOUND);
    text = arena_printf(&f->arena, "00000000-0000-4000-8000-000000000000.%.*s.%.*s", STR_ARG(s.id),
                        STR_ARG(f->trino->id))
               .p;
    assert_int_equal(take(f, text, &code), ERR_NOT_FOUND);
    must(f, client_session_get(f->context.sessions, f->realm, &f->arena, &s, f->trino, &cs, &f->err));
    assert_int_equal(take(f, "", &code), ERR_NOT_FOUND);
    assert_int_equal(take(f, "..", &code), ERR_NOT_FOUND);
}

static int use(struct fixture *f, const struct client_session *cs, const char *id, const char *next)
{
    return client_session_use_refresh(f->context.sessions, f->realm, cs, STR("chain"), str_from_cstr(id),
                                      str_from_cstr(next), &f->err);
}

static void a_rotated_refresh_token_used_again_ends_the_clients_part(void **state)
{
    struct fixture *f = *state;
    struct client_session cs;
    struct session s;

    fixture_settings(f, "{\"revokeRefreshToken\":true,\"refreshTokenMaxReuse\":0}");
    fixture_login(f, &f->alice, f->trino, STR("openid"), &s, &cs);
    must(f, use(f, &cs, "t1", "t2"));
    must(f, use(f, &cs, "t2", "t3"));
    assert_int_equal(use(f, &cs, "t1", "t4"), ERR_DENIED);
    assert_string_equal(f->err.message, "Stale token");
    assert_int_equal(client_session_get(f->context.sessions, f->realm, &f->arena, &s, f->trino, &cs, &f->err),
                     ERR_NOT_FOUND);
}

static void reuse_is_allowed_as_often_as_the_realm_says(void **state)
{
    struct fixture *f = *state;
    struct client_session cs;
    struct session s;

    fixture_settings(f, "{\"revokeRefreshToken\":true,\"refreshTokenMaxReuse\":1}");
    fixture_login(f, &f->alice, f->trino, STR("openid"), &s, &cs);
    must(f, use(f, &cs, "t1", "t2"));
    must(f, use(f, &cs, "t1", "t2b"));
    assert_int_equal(use(f, &cs, "t1", "t2c"), ERR_DENIED);
    assert_string_equal(f->err.message, "Maximum allowed refresh token reuse exceeded");
}

static void a_device_code_is_polled_approved_and_taken_once(void **state)
{
    struct fixture *f = *state;
    struct device_code what = {.client_id = f->trino->id, .scope = STR("openid")}, d, got;
    enum device_status status;

    must(f, device_code_new(f->context.sessions, f->realm, &f->arena, &what, &d, &f->err));
    assert_int_equal(d.user_code.n, 9);
    assert_int_equal(d.interval, 5);
    must(f, device_code_poll(f->context.sessions, f->realm, &f->arena, d.device_code, f->trino->id, &got, &status,
                             &f->err));
    assert_int_equal(status, DEVICE_PENDING);
    must(f, device_code_poll(f->context.sessions, f->realm, &f->arena, d.device_code, f->trino->id, &got, &status,
                             &f->err));
    assert_int_equal(status, DEVICE_SLOW_DOWN);
    assert_int_equal(device_code_poll(f->context.sessions, f->realm, &f->arena, d.device_code, f->airflow->id, &got,
                                      &status, &f->err),
                     ERR_NOT_FOUND);
    must(f, device_code_of_user(f->context.sessions, f->realm, &f->arena, arena_lower(&f->arena, d.user_code), &got,
                                &f->err));
    must(f, device_code_approve(f->context.sessions, f->realm, d.user_code, STR("the-session"), &f->err));
    assert_int_equal(device_code_approve(f->context.sessions, f->realm, d.user_code, STR("other"), &f->err),
                     ERR_NOT_FOUND);
    later(f, 6);
    must(f, device_code_poll(f->context.sessions, f->realm, &f->arena, d.device_code, f->trino->id, &got, &status,
                             &f->err));
    assert_int_equal(status, DEVICE_APPROVED);
    assert_true(str_eq(got.session_id, STR("the-session")));
    later(f, 6);
    assert_int_equal(
        device_code_poll(f->context.sessions, f->realm, &f->arena, d.device_code, f->trino->id, &got, &status, &f->err),
        ERR_NOT_FOUND);
}

static void a_device_code_expires_or_is_denied(void **state)
{
    struct fixture *f = *state;
    struct device_code what = {.client_id = f->trino->id}, d, got;
    enum device_status status;

    must(f, device_code_new(f->context.sessions, f->realm, &f->arena, &what, &d, &f->err));
    later(f, 601);
    must(f, device_code_poll(f->context.sessions, f->realm, &f->arena, d.device_code, f->trino->id, &got, &status,
                             &f->err));
    assert_int_equal(status, DEVICE_EXPIRED);
    assert_int_equal(device_code_of_user(f->context.sessions, f->realm, &f->arena, d.user_code, &got, &f->err),
                     ERR_NOT_FOUND);
    must(f, device_code_new(f->context.sessions, f->realm, &f->arena, &what, &d, &f->err));
    must(f, device_code_deny(f->context.sessions, f->realm, d.user_code, &f->err));
    must(f, device_code_poll(f->context.sessions, f->realm, &f->arena, d.device_code, f->trino->id, &got, &status,
                             &f->err));
    assert_int_equal(status, DEVICE_DENIED);
}

static void what_may_be_used_once_is_refused_the_second_time(void **state)
{
    struct fixture *f = *state;
    int64_t now = sessions_clock(f->context.sessions);
    struct str text;

    must(f, sessions_use_once(f->context.sessions, f->realm, "jti", STR("a"), now + 60, &f->err));
    assert_int_equal(sessions_use_once(f->context.sessions, f->realm, "jti", STR("a"), now + 60, &f->err), ERR_EXISTS);
    must(f, sessions_use_once(f->context.sessions, f->realm, "jti", STR("b"), now + 60, &f->err));
    later(f, 61);
    must(f, sessions_use_once(f->context.sessions, f->realm, "jti", STR("a"), now + 120, &f->err));
    must(f, sessions_keep(f->context.sessions, f->realm, "par", STR("p"), STR("scope=openid"), now + 120, &f->err));
    must(f, sessions_take(f->context.sessions, f->realm, &f->arena, "par", STR("p"), &text, &f->err));
    assert_true(str_eq(text, STR("scope=openid")));
    assert_int_equal(sessions_take(f->context.sessions, f->realm, &f->arena, "par", STR("p"), &text, &f->err),
                     ERR_NOT_FOUND);
}

static void a_flood_of_one_kind_leaves_room_for_others(void **state)
{
    struct fixture *f = *state;
    int64_t now = sessions_clock(f->context.sessions);
    struct str text = STR_NULL;
    char *big = calloc(1, 16384);
    int rc = 0, n = 0;

    memset(big, 'x', 16383);
    while (rc == 0 && n < SHELF_MAX) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%d", n++);
        rc = sessions_keep(f->context.sessions, f->realm, "par", str_from_cstr(name), str_from_cstr(big), now + 60,
                           &f->err);
    }
    free(big);
    assert_int_equal(rc, ERR_LIMIT);
    assert_true(n > 900 && n < 1100); /* 16 MiB */
    must(f, sessions_keep(f->context.sessions, f->realm, "other", STR("a"), STR("b"), now + 60, &f->err));
    later(f, 61);
    must(f, sessions_keep(f->context.sessions, f->realm, "other", STR("a"), STR("b"), now + 120, &f->err));
    shelf_sweep(f->context.sessions);
    must(f, sessions_keep(f->context.sessions, f->realm, "par", STR("a"), STR("b"), now + 120, &f->err));
    must(f, sessions_take(f->context.sessions, f->realm, &f->arena, "par", STR("a"), &text, &f->err));
}

static void revoked_tokens_stay_revoked_over_a_restart(void **state)
{
    struct fixture *f = *state;
    int64_t now = sessions_clock(f->context.sessions);
    struct client_session cs;
    struct session s;

    fixture_login(f, &f->alice, f->trino, STR("openid"), &s, &cs);
    must(f, sessions_revoke_token(f->context.sessions, f->realm, STR("t1"), now + 100, &f->err));
    must(f, sessions_revoke_token(f->context.sessions, f->realm, STR("t1"), now + 100, &f->err));
    session_touch(f->context.sessions, f->realm, &s);
    sessions_close(f->context.sessions);
    must(f, sessions_open(f->context.model, &f->context.sessions, &f->err));
    assert_true(sessions_is_token_revoked(f->context.sessions, f->realm, STR("t1")));
    assert_false(sessions_is_token_revoked(f->context.sessions, f->realm, STR("t2")));
    must(f, get(f, s.id, false)); /* and nobody is logged out by it */
}

static void another_realm_does_not_see_the_session(void **state)
{
    struct fixture *f = *state;
    REALM_SCOPED struct realm *master = NULL;
    struct client_session cs;
    struct session s;

    fixture_login(f, &f->alice, f->trino, STR("openid"), &s, &cs);
    must(f, identity_realm(f->context.model, STR("master"), &master, &f->err));
    assert_int_equal(session_get(f->context.sessions, master, &f->arena, s.id, false, &s, &f->err), ERR_NOT_FOUND);
    must(f, session_end(f->context.sessions, master, s.id, false, &f->err));
    must(f, get(f, s.id, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_lives_until_it_idles_out, fixture_up, fixture_down),
        cmocka_unit_test_setup_teardown(a_session_ends_after_its_lifespan_however_busy, fixture_up, fixture_down),
        cmocka_unit_test_setup_teardown(a_client_s_own_lifetime_ends_its_part_and_no_other, fixture_up, fixture_down),
        cmocka_unit_test_setup_teardown(ending_a_session_ends_its_clients_but_not_the_offline_copy, fixture_up,
                                        fixture_down),
        cmocka_unit_test_setup_teardown(a_client_cannot_join_a_session_that_has_ended, fixture_up, fixture_down),
        cmocka_unit_test_setup_teardown(sessions_are_listed_by_user_client_and_realm, fixture_up, fixture_down),
        cmocka_unit_test_setup_teardown(a_code_is_good_once_and_its_reuse_ends_what_it_began, fixture_up, fixture_down),
        cmocka_unit_test_setup_teardown(a_code_expires_and_a_made_up_one_ends_nothing, fixture_up, fixture_down),
        cmocka_unit_test_setup_teardown(a_rotated_refresh_token_used_again_ends_the_clients_part, fixture_up,
                                        fixture_down),
        cmocka_unit_test_setup_teardown(reuse_is_allowed_as_often_as_the_realm_says, fixture_up, fixture_down),
        cmocka_unit_test_setup_teardown(a_device_code_is_polled_approved_and_taken_once, fixture_up, fixture_down),
        cmocka_unit_test_setup_teardown(a_device_code_expires_or_is_denied, fixture_up, fixture_down),
        cmocka_unit_test_setup_teardown(what_may_be_used_once_is_refused_the_second_time, fixture_up, fixture_down),
        cmocka_unit_test_setup_teardown(a_flood_of_one_kind_leaves_room_for_others, fixture_up, fixture_down),
        cmocka_unit_test_setup_teardown(revoked_tokens_stay_revoked_over_a_restart, fixture_up, fixture_down),
        cmocka_unit_test_setup_teardown(another_realm_does_not_see_the_session, fixture_up, fixture_down),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
