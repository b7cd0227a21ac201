#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/forwarded.h"

#include "base/vec.h"

static struct arena arena;
static struct http_network networks[2];
static const struct http_proxies x_proxies = {networks, 2, false}, rfc_proxies = {networks, 2, true};

struct request {
    struct http_request r;
    struct http_header headers[8];
};

static struct request *request(const char *peer, const char *host)
{
    struct request *q = arena_new(&arena, struct request);

    q->r = (struct http_request){
        .arena = &arena, .peer = str_from_cstr(peer), .headers = q->headers, .raw_target = STR("/x")};
    if (host)
        q->headers[q->r.header_count++] = (struct http_header){STR("Host"), str_from_cstr(host)};
    return q;
}

static struct request *with(struct request *q, const char *name, const char *value)
{
    q->headers[q->r.header_count++] = (struct http_header){str_from_cstr(name), str_from_cstr(value)};
    return q;
}

static void assert_origin(struct request *q, const struct http_proxies *proxies, const char *url, const char *client)
{
    struct http_origin o;
    struct err err = {0};
    BUF_SCOPED struct buf text = {0};

    if (http_origin_read(&q->r, proxies, &o, &err) < 0)
        fail_msg("%s", err.message);
    buf_init(&text, 1024);
    http_origin_url(&text, &o);
    assert_string_equal(buf_cstr(&text), url);
    if (!str_eq_cstr(o.client, client))
        fail_msg("client %.*s, not %s", STR_ARG(o.client), client);
}

static void assert_refused(struct request *q, const struct http_proxies *proxies)
{
    struct http_origin o;

    assert_int_equal(http_origin_read(&q->r, proxies, &o, NULL), ERR_INVALID);
}

static void without_a_proxy_the_host_header_counts(void **state)
{
    struct request *q = request("192.0.2.1", "Example.org:8080");
    (void)state;

    assert_origin(q, NULL, "http://example.org:8080", "192.0.2.1");
    q->r.is_tls = true;
    assert_origin(q, NULL, "https://example.org:8080", "192.0.2.1");
    assert_origin(request("192.0.2.1", "[::1]"), NULL, "http://[::1]", "192.0.2.1");
}

static void a_request_has_one_well_formed_host(void **state)
{
    (void)state;
    assert_refused(request("192.0.2.1", NULL), NULL);
    assert_refused(request("192.0.2.1", ""), NULL);
    assert_refused(request("192.0.2.1", "a b"), NULL);
    assert_refused(request("192.0.2.1", "evil.example/x"), NULL);
    assert_refused(request("192.0.2.1", "user@evil.example"), NULL);
    assert_refused(with(request("192.0.2.1", "a"), "Host", "b"), NULL);
}

static void the_absolute_form_goes_before_the_host_header(void **state)
{
    struct request *q = request("192.0.2.1", "other");
    (void)state;

    q->r.raw_target = STR("http://example.org:81/path");
    assert_origin(q, NULL, "http://example.org:81", "192.0.2.1");
}

static struct request *forwarded(const char *peer)
{
    struct request *q = request(peer, "internal:8180");

    with(q, "X-Forwarded-For", "198.51.100.7");
    with(q, "X-Forwarded-Proto", "https");
    with(q, "X-Forwarded-Host", "login.example.org");
    return q;
}

static void a_trusted_proxy_is_believed(void **state)
{
    (void)state;
    assert_origin(forwarded("10.1.2.3"), &x_proxies, "https://login.example.org", "198.51.100.7");
    assert_origin(with(forwarded("10.1.2.3"), "X-Forwarded-Port", "8443"), &x_proxies, "https://login.example.org:8443",
                  "198.51.100.7");
    assert_origin(with(request("10.1.2.3", "a:81"), "X-Forwarded-Proto", "https"), &x_proxies, "https://a:81",
                  "10.1.2.3");
}

static void anybody_else_is_not(void **state)
{
    (void)state;
    assert_origin(forwarded("192.0.2.1"), &x_proxies, "http://internal:8180", "192.0.2.1");
    assert_origin(forwarded("10.1.2.3"), NULL, "http://internal:8180", "10.1.2.3");
    assert_origin(with(request("192.0.2.1", "a"), "Forwarded", "for=1.2.3.4;proto=https"), &rfc_proxies, "http://a",
                  "192.0.2.1");
}

static void only_the_kind_that_the_proxy_writes_is_read(void **state)
{
    (void)state;
    assert_origin(forwarded("10.1.2.3"), &rfc_proxies, "http://internal:8180", "10.1.2.3");
    assert_origin(with(request("10.1.2.3", "a"), "Forwarded", "for=1.2.3.4;host=evil.example"), &x_proxies, "http://a",
                  "10.1.2.3");
}

static void a_client_cannot_put_words_before_a_proxys(void **state)
{
    struct request *q = request("10.1.2.3", "internal");
    (void)state;

    with(q, "X-Forwarded-For", "10.9.9.9, 203.0.113.5, 198.51.100.7");
    with(q, "X-Forwarded-Host", "evil.example, login.example.org");
    with(q, "X-Forwarded-Proto", "http, https");
    assert_origin(q, &x_proxies, "https://login.example.org", "198.51.100.7");
}

static void the_outermost_of_trusted_proxies_counts(void **state)
{
    struct request *q = request("10.1.2.3", "internal");
    (void)state;

    with(q, "X-Forwarded-For", "1.1.1.1, 198.51.100.7");
    with(q, "X-Forwarded-For", "10.0.0.9");
    with(q, "X-Forwarded-Proto", "http, https, http");
    with(q, "X-Forwarded-Host", "evil.example, login.example.org, inner");
    assert_origin(q, &x_proxies, "https://login.example.org", "198.51.100.7");
}

static void forwarded_is_read_as_rfc_7239_has_it(void **state)
{
    struct request *q = request("10.1.2.3", "internal");
    (void)state;

    with(q, "Forwarded", "for=\"[2001:db8::7]:4711\"; Proto=https;host=\"login.example.org:8443\", for=10.0.0.9");
    assert_origin(q, &rfc_proxies, "https://login.example.org:8443", "2001:db8::7");
    q = with(request("10.1.2.3", "a"), "Forwarded", "for=1.1.1.1;host=evil.example, for=198.51.100.7;proto=https");
    assert_origin(q, &rfc_proxies, "https://a", "198.51.100.7");
    assert_origin(with(request("10.1.2.3", "a"), "Forwarded", "for=_hidden;proto=https"), &rfc_proxies, "https://a",
                  "10.1.2.3");
}

static void nonsense_of_a_trusted_proxy_is_refused(void **state)
{
    (void)state;
    assert_refused(with(request("10.1.2.3", "a"), "X-Forwarded-Proto", "gopher"), &x_proxies);
    assert_refused(with(request("10.1.2.3", "a"), "X-Forwarded-Host", "a/b"), &x_proxies);
    assert_refused(with(request("10.1.2.3", "a"), "X-Forwarded-Port", "0"), &x_proxies);
}

static void networks_have_addresses_of_both_families(void **state)
{
    struct http_network n;
    (void)state;

    assert_int_equal(http_network_parse(STR("10.128.0.0/9"), &n, NULL), 0);
    assert_true(http_network_has(&n, 1, STR("10.200.0.1")));
    assert_true(http_network_has(&n, 1, STR("::ffff:10.200.0.1")));
    assert_false(http_network_has(&n, 1, STR("10.127.0.1")));
    assert_false(http_network_has(&n, 1, STR("nonsense")));
    assert_int_equal(http_network_parse(STR("2001:db8::/33"), &n, NULL), 0);
    assert_true(http_network_has(&n, 1, STR("2001:db8:7fff::1")));
    assert_false(http_network_has(&n, 1, STR("2001:db8:8000::1")));
    assert_int_equal(http_network_parse(STR("192.0.2.1"), &n, NULL), 0);
    assert_true(http_network_has(&n, 1, STR("192.0.2.1")));
    assert_false(http_network_has(&n, 1, STR("192.0.2.2")));
    assert_int_equal(http_network_parse(STR("0.0.0.0/0"), &n, NULL), 0);
    assert_true(http_network_has(&n, 1, STR("203.0.113.1")));
    assert_false(http_network_has(&n, 1, STR("2001:db8::1")));
    assert_int_equal(http_network_parse(STR("10.0.0.0/33"), &n, NULL), ERR_INVALID);
    assert_int_equal(http_network_parse(STR("10.0.0.0/"), &n, NULL), ERR_INVALID);
    assert_int_equal(http_network_parse(STR("10.0.0"), &n, NULL), ERR_INVALID);
    assert_int_equal(http_network_parse(STR(""), &n, NULL), ERR_INVALID);
}

static int set_up(void **state)
{
    (void)state;
    return http_network_parse(STR("10.0.0.0/8"), &networks[0], NULL) ||
           http_network_parse(STR("::1"), &networks[1], NULL);
}

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_proxy_the_host_header_counts),
        cmocka_unit_test(a_request_has_one_well_formed_host),
        cmocka_unit_test(the_absolute_form_goes_before_the_host_header),
        cmocka_unit_test(a_trusted_proxy_is_believed),
        cmocka_unit_test(anybody_else_is_not),
        cmocka_unit_test(only_the_kind_that_the_proxy_writes_is_read),
        cmocka_unit_test(a_client_cannot_put_words_before_a_proxys),
        cmocka_unit_test(the_outermost_of_trusted_proxies_counts),
        cmocka_unit_test(forwarded_is_read_as_rfc_7239_has_it),
        cmocka_unit_test(nonsense_of_a_trusted_proxy_is_refused),
        cmocka_unit_test(networks_have_addresses_of_both_families),
    };

    return cmocka_run_group_tests(tests, set_up, release);
}
