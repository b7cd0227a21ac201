#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/client.h"

#include <unistd.h>

static struct http_server *server;
static struct http_client *client;
static struct arena arena;
static char url[64];

static void on_finish(void *ctx, struct http_request *r)
{
    struct http_response *p = http_response_new(r, str_eq(r->path, STR("/missing")) ? 404 : 200);
    (void)ctx;

    if (str_eq(r->path, STR("/slow")))
        usleep(300000);
    http_response_add(r, p, "X-Method", r->method);
    http_response_add(r, p, "X-Got", http_header(r, "X-Sent"));
    http_respond_text(r, p, "text/plain", STR("twelve bytes"));
}

static int set_up(void **state)
{
    static const struct http_handler handler = {.finish = on_finish};
    struct http_server_options o = {.address = "127.0.0.1"};
    (void)state;

    if (http_server_start(&o, &handler, NULL, &server, NULL) < 0 || http_client_new(&client, NULL) < 0)
        return -1;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", http_server_port(server));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_client_free(client);
    http_server_stop(server, 1000);
    arena_release(&arena);
    return 0;
}

static struct http_client_response request(const char *method, const char *path)
{
    struct http_header sent = {STR("X-Sent"), STR("a value")};
    struct http_client_request q = {.method = method,
                                    .url = arena_printf(&arena, "%s%s", url, path).p,
                                    .headers = &sent,
                                    .header_count = 1,
                                    .body = str_eq_cstr(STR("PUT"), method) ? STR("body") : STR_NULL};
    struct http_client_response p = {0};
    struct err err = {0};

    if (http_client_do(client, &arena, &q, &p, &err) < 0)
        fail_msg("%s", err.message);
    return p;
}

static void methods_headers_and_bodies_go_both_ways(void **state)
{
    static const char *const methods[] = {"GET", "PUT", "POST", "DELETE", "HEAD"};
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct http_client_response p = request(methods[i], "/x");
        assert_int_equal(p.status, 200);
        assert_true(str_eq_cstr(http_client_header(&p, "x-METHOD"), methods[i]));
        assert_true(str_eq(http_client_header(&p, "X-Got"), STR("a value")));
        assert_true(str_eq(buf_str(&p.body), i == 4 ? STR("") : STR("twelve bytes")));
        buf_release(&p.body);
    }
}

static void any_status_is_an_answer(void **state)
{
    (void)state;
    struct http_client_response p = request("GET", "/missing");
    assert_int_equal(p.status, 404);
    buf_release(&p.body);
}

static void failures_are_told_apart(void **state)
{
    struct http_client_response p = {0};
    struct err err = {0};
    struct http_client_request q = {.method = "GET", .url = "http://127.0.0.1:1/"};
    (void)state;

    assert_int_equal(http_client_do(client, &arena, &q, &p, &err), ERR_UNAVAILABLE);
    q.url = "ftp://127.0.0.1/";
    assert_int_equal(http_client_do(client, &arena, &q, &p, &err), ERR_INVALID);
    q.url = arena_printf(&arena, "%s/slow", url).p;
    q.timeout_ms = 50;
    assert_int_equal(http_client_do(client, &arena, &q, &p, &err), ERR_TIMEOUT);
    q = (struct http_client_request){.method = "GET", .url = arena_printf(&arena, "%s/x", url).p, .response_max = 11};
    assert_int_equal(http_client_do(client, &arena, &q, &p, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "11 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_headers_and_bodies_go_both_ways),
        cmocka_unit_test(any_status_is_an_answer),
        cmocka_unit_test(failures_are_told_apart),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
