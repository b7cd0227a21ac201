#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "s3/session.h"

static struct arena arena;
static struct err err;

static int free_arena(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static json_t *claims_of(const char *text)
{
    json_t *claims = NULL;

    assert_int_equal(json_parse(str_from_cstr(text), &claims, &err), 0);
    return claims;
}

static void what_a_session_is_made_of_is_in_its_token(void **state)
{
    unsigned char key[SESSION_KEY_SIZE];
    json_t *claims = claims_of(
        "{\"sub\":\"1\",\"groups\":[\"a\",\"b\"],\"n\":5,\"yes\":true,\"deep\":{\"x\":1},\"mixed\":[1]}");
    struct session made = {.expires_ms = 12345,
                           .name = STR("ada"),
                           .subject = STR("1"),
                           .policies = STR("a,b"),
                           .session_policy = STR("{}")},
                   read;
    struct str token;

    (void)state;
    session_make_key(STR("the secret"), key);
    assert_int_equal(s3_session_new(&arena, key, &made, claims, &token, &err), 0);
    assert_int_equal(s3_session_open(&arena, key, token, &read, &err), 0);
    assert_int_equal(made.access_key.n, 20);
    assert_int_equal(made.secret_key.n, 40);
    assert_true(str_eq(read.access_key, made.access_key) && str_eq(read.secret_key, made.secret_key));
    assert_int_equal(read.expires_ms, 12345);
    assert_true(str_eq(read.name, STR("ada")) && str_eq(read.subject, STR("1")) && str_eq(read.policies, STR("a,b")));
    assert_true(str_eq(read.session_policy, STR("{}")));
    assert_int_equal(read.claim_count, 4); /* not what no condition could compare */
    assert_true(str_eq(read.claims[1].name, STR("groups")));
    assert_int_equal(read.claims[1].n, 2);
    assert_true(str_eq(read.claims[1].values[1], STR("b")));
    assert_true(str_eq(read.claims[2].values[0], STR("5")));
    assert_true(str_eq(read.claims[3].values[0], STR("true")));
    assert_true(str_find(token, made.secret_key, 0) == SIZE_MAX);
    json_decref(claims);
}

static void a_token_of_another_key_or_a_changed_one_opens_nothing(void **state)
{
    unsigned char key[SESSION_KEY_SIZE], other[SESSION_KEY_SIZE];
    json_t *claims = claims_of("{}");
    struct session s = {.policies = STR("a")};
    struct str token;

    (void)state;
    session_make_key(STR("the secret"), key);
    session_make_key(STR("another"), other);
    assert_int_equal(s3_session_new(&arena, key, &s, claims, &token, &err), 0);
    assert_int_equal(s3_session_open(&arena, other, token, &s, &err), ERR_DENIED);
    for (size_t i = 0; i < token.n; i += 7) {
        char *changed = arena_cstr(&arena, token);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_int_equal(s3_session_open(&arena, key, str_from(changed, token.n), &s, &err), ERR_DENIED);
    }
    assert_int_equal(s3_session_open(&arena, key, STR(""), &s, &err), ERR_DENIED);
    json_decref(claims);
}

static void claims_that_no_header_could_carry_are_refused(void **state)
{
    unsigned char key[SESSION_KEY_SIZE] = {0};
    json_t *claims = json_object();
    struct session s = {.policies = STR("a")};
    struct str token;

    (void)state;
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof(name), "claim%d", i);
        json_object_set_new(claims, name, json_string("a text of some length, as there are many: a hundred of these"));
    }
    assert_int_equal(s3_session_new(&arena, key, &s, claims, &token, &err), 0);
    json_object_set_new(claims, "large", json_string(arena_printf(&arena, "%2000d", 1).p));
    assert_int_equal(s3_session_new(&arena, key, &s, claims, &token, &err), ERR_LIMIT);
    json_decref(claims);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_session_is_made_of_is_in_its_token),
        cmocka_unit_test(a_token_of_another_key_or_a_changed_one_opens_nothing),
        cmocka_unit_test(claims_that_no_header_could_carry_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, free_arena);
}
