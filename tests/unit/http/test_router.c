/* Routes of a real server, asked by the client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/vec.h"
#include "http/client.h"
#include "http/router.h"

#include <stdatomic.h>
#include <unistd.h>

static atomic_int after_calls;

/* Answers "PATTERN|param|param|body". */
static void show(void *ctx, struct http_call *c)
{
    struct http_request *r = c->request;
    BUF_SCOPED struct buf text;
    (void)ctx;

    buf_init(&text, 1 << 20);
    buf_addf(&text, "%s %s", c->route->method ? c->route->method : "*", c->route->pattern);
    for (size_t i = 0; i < c->param_count; i++)
        buf_addf(&text, "|%.*s", STR_ARG(c->params[i]));
    if (c->body.n)
        buf_addf(&text, "|%.*s", STR_ARG(c->body));
    http_respond_buf(r, http_response_new(r, 200), "text/plain", &text);
}

static void named(void *ctx, struct http_call *c)
{
    struct http_request *r = c->request;
    struct str name = http_call_param(c, "name"), realm = http_call_param(c, "realm");
    (void)ctx;

    http_respond_text(r, http_response_new(r, 200), "text/plain",
                      arena_printf(r->arena, "%.*s of %.*s", STR_ARG(name), STR_ARG(realm)));
}

enum { GUARDED = HTTP_ROUTE_OWN };

static bool before(void *ctx, struct http_call *c)
{
    (void)ctx;
    if (!(c->route->flags & GUARDED))
        return true;
    http_respond_empty(c->request, http_response_new(c->request, 401));
    return false;
}

static void after(void *ctx, struct http_call *c, bool completed)
{
    (void)ctx, (void)c, (void)completed;
    after_calls++;
}

static const struct http_route routes[] = {
    {"GET", "/", show, HTTP_ROUTE_FAST, 0},
    {"GET", "/files/{path...}", show, HTTP_ROUTE_FAST, 0},
    {"GET", "/realms/{realm}/users/{id}", show, 0, 0},
    {"PUT", "/realms/{realm}/users/{id}", show, 0, 10},
    {"GET", "/realms/{realm}/users/count", show, 0, 0},
    {"POST", "/realms/{realm}/users", show, 0, 300000},
    {"OPTIONS", "/realms/{realm}/users", show, 0, 0},
    {"GET", "/realms/{realm}/roles/{name}", named, 0, 0},
    {"GET", "/guarded", show, GUARDED, 0},
    {NULL, "/any", show, 0, 0},
    {"HEAD", "/any", show, 0, 0},
};

static struct http_router *router;
static struct http_server *server;
static struct http_client *client;
static struct arena arena;

static struct http_client_response ask(const char *method, const char *path, struct str body)
{
    struct http_client_response p = {0};
    struct err err = {0};
    const struct http_client_request q = {
        .method = method,
        .url = arena_printf(&arena, "http://127.0.0.1:%d%s", http_server_port(server), path).p,
        .body = body,
    };

    if (http_client_do(client, &arena, &q, &p, &err) < 0)
        fail_msg("%s", err.message);
    return p;
}

static void assert_answer(const char *method, const char *path, const char *body, const char *want)
{
    struct http_client_response p = ask(method, path, str_from_cstr(body));

    assert_int_equal(p.status, 200);
    assert_string_equal(buf_cstr(&p.body), want);
    buf_release(&p.body);
}

static void assert_status(const char *method, const char *path, struct str body, int status, const char *allow)
{
    struct http_client_response p = ask(method, path, body);
    struct str found = http_client_header(&p, "allow");

    if (p.status != status)
        fail_msg("%s %s: %d, not %d", method, path, p.status, status);
    if (allow && !str_eq_cstr(found, allow))
        fail_msg("%s %s: Allow: %.*s, not %s", method, path, STR_ARG(found), allow);
    if (!allow)
        assert_true(str_is_null(found));
    buf_release(&p.body);
}

static void a_route_gets_its_parameters_and_its_body(void **state)
{
    (void)state;
    assert_answer("GET", "/", NULL, "GET /");
    assert_answer("GET", "/realms/a/users/b?c=d", NULL, "GET /realms/{realm}/users/{id}|a|b");
    assert_answer("POST", "/realms/a/users", "hello", "POST /realms/{realm}/users|a|hello");
    assert_answer("GET", "/realms/a/roles/admin", NULL, "admin of a");
}

static void parameters_are_decoded_once_after_the_split(void **state)
{
    (void)state;
    assert_answer("GET", "/realms/a%2Fb/users/c%2520%20d+e", NULL, "GET /realms/{realm}/users/{id}|a/b|c%20 d+e");
    assert_answer("GET", "/re%61lms/a/roles/b", NULL, "b of a");
    assert_status("GET", "/realms/a%00b/users/c", STR_NULL, 400, NULL);
    assert_status("GET", "/realms/a%zz/users/c", STR_NULL, 400, NULL);
}

static void a_text_goes_before_a_parameter(void **state)
{
    (void)state;
    assert_answer("GET", "/realms/a/users/count", NULL, "GET /realms/{realm}/users/count|a");
    assert_status("PUT", "/realms/a/users/count", STR("x"), 405, "GET, HEAD");
}

static void the_rest_takes_all_that_follows(void **state)
{
    (void)state;
    assert_answer("GET", "/files/a/b%20c//d", NULL, "GET /files/{path...}|a/b c//d");
    assert_answer("GET", "/files", NULL, "GET /files/{path...}|");
    assert_answer("GET", "/files/", NULL, "GET /files/{path...}|");
    assert_answer("GET", "/files/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9", NULL,
                  "GET /files/{path...}|1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9");
}

static void an_unknown_path_is_404_and_a_wrong_method_405(void **state)
{
    (void)state;
    assert_status("GET", "/nothing", STR_NULL, 404, NULL);
    assert_status("GET", "/realms", STR_NULL, 404, NULL);
    assert_status("GET", "/realms//users/x", STR_NULL, 404, NULL);
    assert_status("GET", "/realms/a/users/b/c", STR_NULL, 404, NULL);
    assert_status("GET", "/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9", STR_NULL, 404, NULL);
    assert_status("DELETE", "/realms/a/users/b", STR_NULL, 405, "GET, HEAD, PUT");
    assert_status("GET", "/realms/a/users", STR_NULL, 405, "OPTIONS, POST");
    assert_status("POST", "/nothing", STR("body"), 404, NULL);
}

static void a_slash_at_the_end_is_ignored(void **state)
{
    (void)state;
    assert_answer("GET", "/realms/a/users/count/", NULL, "GET /realms/{realm}/users/count|a");
    assert_status("GET", "/realms/a/users/count//", STR_NULL, 404, NULL);
}

static void head_is_get_without_a_body(void **state)
{
    struct http_client_response p = ask("HEAD", "/realms/a/users/b", STR_NULL);
    (void)state;

    assert_int_equal(p.status, 200);
    assert_int_equal(p.body.n, 0);
    buf_release(&p.body);
}

static void a_route_without_a_method_takes_the_others(void **state)
{
    (void)state;
    assert_answer("PATCH", "/any", NULL, "* /any");
    assert_answer("DELETE", "/any", NULL, "* /any");
}

static void a_body_past_the_routes_bound_is_413(void **state)
{
    struct str large = arena_printf(&arena, "%0300001d", 0);
    (void)state;

    assert_answer("PUT", "/realms/a/users/b", "0123456789", "PUT /realms/{realm}/users/{id}|a|b|0123456789");
    assert_status("PUT", "/realms/a/users/b", STR("0123456789x"), 413, NULL);
    assert_status("POST", "/realms/a/users", large, 413, NULL);
    struct http_client_response p = ask("POST", "/realms/a/users", str_slice(large, 0, 300000));
    assert_int_equal(p.status, 200);
    assert_true(p.body.n > 300000);
    buf_release(&p.body);
}

static void the_filter_may_answer_in_place_of_the_route(void **state)
{
    int calls = after_calls;
    (void)state;

    assert_status("GET", "/guarded", STR_NULL, 401, NULL);
    for (int i = 0; i < 500 && after_calls == calls; i++)
        usleep(10000);
    assert_int_equal(after_calls, calls + 1);
}

static void assert_not_a_table(const struct http_route *table, size_t n)
{
    const struct http_router_options o = {.routes = table, .n = n};
    struct http_router *made;

    assert_int_equal(http_router_new(&o, &made, NULL), ERR_INVALID);
}

static void mistakes_in_a_table_are_told(void **state)
{
    const struct http_route no_slash = {"GET", "a", show, 0, 0}, no_name = {"GET", "/{}", show, 0, 0};
    const struct http_route goes_on = {"GET", "/{a...}/b", show, 0, 0}, empty = {"GET", "/a//b", show, 0, 0};
    const struct http_route twice[] = {{"GET", "/a/{b}", show, 0, 0}, {"GET", "/a/{c}", show, 0, 0}};
    (void)state;

    assert_not_a_table(&no_slash, 1);
    assert_not_a_table(&no_name, 1);
    assert_not_a_table(&goes_on, 1);
    assert_not_a_table(&empty, 1);
    assert_not_a_table(twice, 2);
}

static int set_up(void **state)
{
    const struct http_router_options o = {.routes = routes, .n = ARRAY_LEN(routes), .before = before, .after = after};
    const struct http_server_options s = {.address = "127.0.0.1", .pool_threads = 2};
    struct err err = {0};
    (void)state;

    if (http_router_new(&o, &router, &err) < 0 ||
        http_server_start(&s, &http_router_handler, router, &server, &err) < 0 || http_client_new(&client, &err) < 0)
        fail_msg("%s", err.message);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_client_free(client);
    http_server_stop(server, 1000);
    http_router_free(router);
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_gets_its_parameters_and_its_body),
        cmocka_unit_test(parameters_are_decoded_once_after_the_split),
        cmocka_unit_test(a_text_goes_before_a_parameter),
        cmocka_unit_test(the_rest_takes_all_that_follows),
        cmocka_unit_test(an_unknown_path_is_404_and_a_wrong_method_405),
        cmocka_unit_test(a_slash_at_the_end_is_ignored),
        cmocka_unit_test(head_is_get_without_a_body),
        cmocka_unit_test(a_route_without_a_method_takes_the_others),
        cmocka_unit_test(a_body_past_the_routes_bound_is_413),
        cmocka_unit_test(the_filter_may_answer_in_place_of_the_route),
        cmocka_unit_test(mistakes_in_a_table_are_told),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
