#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "identity/login/flow.h"

static struct arena arena;

static struct flow add(struct flows *f, const char *root, const char *state)
{
    struct flow flow = {.max_age = -1};

    (void)snprintf(flow.root, sizeof(flow.root), "%s", root);
    flow.text[FLOW_STATE] = str_from_cstr(state);
    flow_add(f, &flow, 1000, 60);
    return flow;
}

static int get(struct flows *f, const struct flow *flow, int64_t now, struct flow *ret)
{
    struct err err = {0};

    return flow_get(f, &arena, str_from_cstr(flow->root), str_from_cstr(flow->tab), now, ret, &err);
}

static void a_flow_is_found_by_its_browser_and_tab_until_its_time_is_over(void **state)
{
    struct flows *f = flows_new();
    struct flow a = add(f, "", "one"), b = add(f, a.root, "two"), got;
    struct err err = {0};
    (void)state;

    assert_string_equal(a.root, b.root);
    assert_string_not_equal(a.tab, b.tab);
    assert_int_equal(get(f, &b, 1059, &got), 0);
    assert_true(str_eq(got.text[FLOW_STATE], STR("two")));
    assert_int_equal(get(f, &b, 1060, &got), ERR_NOT_FOUND);
    assert_int_equal(flow_get(f, &arena, STR("other"), str_from_cstr(a.tab), 1001, &got, &err), ERR_NOT_FOUND);
    assert_true(flow_has_root(f, str_from_cstr(a.root), 1001));
    flow_remove(f, str_from_cstr(a.root), str_from_cstr(a.tab));
    assert_int_equal(get(f, &a, 1001, &got), ERR_NOT_FOUND);
    assert_int_equal(get(f, &b, 1001, &got), 0);
    flows_free(f);
}

static void a_step_can_be_taken_once(void **state)
{
    struct flows *f = flows_new();
    struct flow first = add(f, "", "x"), twice = first, got;
    struct err err = {0};
    (void)state;

    first.text[FLOW_USER] = STR("u1");
    assert_int_equal(flow_put(f, &first, &err), 0);
    assert_string_not_equal(first.code, twice.code);
    twice.text[FLOW_USER] = STR("u2");
    assert_int_equal(flow_put(f, &twice, &err), ERR_CONFLICT);
    assert_int_equal(get(f, &first, 1001, &got), 0);
    assert_true(str_eq(got.text[FLOW_USER], STR("u1")));
    assert_int_equal(flow_take(f, &twice, &err), ERR_CONFLICT);
    assert_int_equal(flow_take(f, &first, &err), 0);
    assert_int_equal(flow_take(f, &first, &err), ERR_CONFLICT);
    flows_free(f);
}

static void a_browser_that_opens_many_tabs_loses_the_oldest_of_its_own(void **state)
{
    struct flows *f = flows_new();
    struct flow other = add(f, "", "other"), first = add(f, "", "first"), got;
    (void)state;

    for (int i = 0; i < 30; i++)
        add(f, first.root, "more");
    assert_int_equal(get(f, &first, 1001, &got), ERR_NOT_FOUND);
    assert_int_equal(get(f, &other, 1001, &got), 0);
    flows_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_is_found_by_its_browser_and_tab_until_its_time_is_over),
        cmocka_unit_test(a_step_can_be_taken_once),
        cmocka_unit_test(a_browser_that_opens_many_tabs_loses_the_oldest_of_its_own),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    arena_release(&arena);
    return rc;
}
