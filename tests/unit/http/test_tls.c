/* A server with TLS, and clients of all manners: libcurl with OpenSSL, and GnuTLS by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/client.h"
#include "http/internal.h"
#include "os/file.h"
#include "os/signal.h"
#include "pki/pki.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

static char folder[64];
static struct arena arena;
static struct http_server *server;
static int64_t now;

static const char *in(const char *name)
{
    return arena_printf(&arena, "%s/%s", folder, name).p;
}

enum { LARGE = 64 << 20 };

static void on_finish(void *ctx, struct http_request *r)
{
    struct http_response *p = http_response_new(r, 200);
    (void)ctx;

    if (str_eq(r->path, STR("/large"))) {
        char name[] = P_tmpdir "/dp-tls-XXXXXX";
        int fd = mkstemp(name);
        unlink(name);
        assert_int_equal(ftruncate(fd, LARGE), 0);
        assert_int_equal(pwrite(fd, "end", 3, LARGE - 3), 3);
        http_respond_file(r, p, fd, 1, LARGE - 1);
        return;
    }
    http_response_add(r, p, "X-Tls", r->is_tls ? STR("yes") : STR("no"));
    http_response_add(r, p, "X-Subject", str_is_null(r->tls_subject) ? STR("none") : r->tls_subject);
    http_respond_text(r, p, "text/plain", STR("hello"));
}

static void issue(const char *ca, const char *file, const char *name, bool is_client)
{
    static const struct str hosts[] = {{"localhost", 9}, {"127.0.0.1", 9}};
    const struct pki_request q = {.name = name,
                                  .hosts = is_client ? NULL : hosts,
                                  .host_count = is_client ? 0 : 2,
                                  .is_client = is_client,
                                  .days = 30};
    struct err err = {0};

    if (pki_issue(in(arena_printf(&arena, "%s.pem", ca).p), in(arena_printf(&arena, "%s-key.pem", ca).p), &q, now,
                  in(file), &err) < 0)
        fail_msg("%s", err.message);
}

static int set_up(void **state)
{
    static const struct http_handler handler = {NULL, NULL, on_finish, NULL};
    const struct http_tls_options tls = {
        .certificate_file = in("server.pem"), .key_file = in("server.pem"), .client_ca_file = in("ca.pem")};
    const struct http_server_options o = {.address = "127.0.0.1", .pool_threads = 4, .tls = &tls};
    struct err err = {0};
    (void)state;

    issue("ca", "server.pem", "first", false);
    if (http_server_start(&o, &handler, NULL, &server, &err) < 0)
        fail_msg("%s", err.message);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_server_stop(server, 1000);
    return 0;
}

/* ---- libcurl ---- */

static int get(const char *url, const char *ca, struct http_client_response *p, struct err *err)
{
    struct http_client *client;
    const struct http_client_request q = {
        .method = "GET", .url = url, .ca_file = ca, .response_max = (size_t)2 * LARGE};

    assert_int_equal(http_client_new(&client, err), 0);
    int rc = http_client_do(client, &arena, &q, p, err);
    http_client_free(client);
    return rc;
}

static const char *url(const char *host, const char *path)
{
    return arena_printf(&arena, "https://%s:%d%s", host, http_server_port(server), path).p;
}

static void a_client_that_trusts_the_ca_is_served(void **state)
{
    struct http_client_response p = {0};
    struct err err = {0};
    (void)state;

    if (get(url("localhost", "/"), in("ca.pem"), &p, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(p.status, 200);
    assert_string_equal(buf_cstr(&p.body), "hello");
    assert_true(str_eq_cstr(http_client_header(&p, "x-tls"), "yes"));
    assert_true(str_eq_cstr(http_client_header(&p, "x-subject"), "none"));
    buf_release(&p.body);
}

static void one_that_does_not_is_not(void **state)
{
    struct http_client_response p = {0};
    (void)state;

    assert_int_equal(get(url("localhost", "/"), in("other.pem"), &p, NULL), ERR_IO);
    assert_int_equal(get(url("localhost", "/"), NULL, &p, NULL), ERR_IO);
}

static void strict_transport_is_told_to_all_but_localhost(void **state)
{
    struct http_client_response p = {0};
    (void)state;

    assert_int_equal(get(url("127.0.0.1", "/"), in("ca.pem"), &p, NULL), 0);
    assert_true(str_eq_cstr(http_client_header(&p, "strict-transport-security"), "max-age=31536000"));
    buf_release(&p.body);
    assert_int_equal(get(url("localhost", "/"), in("ca.pem"), &p, NULL), 0);
    assert_true(str_is_null(http_client_header(&p, "strict-transport-security")));
    buf_release(&p.body);
}

static void a_large_file_is_sent_whole(void **state)
{
    struct http_client_response p = {0};
    struct err err = {0};
    (void)state;

    if (get(url("localhost", "/large"), in("ca.pem"), &p, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(p.body.n, LARGE - 1);
    assert_memory_equal(p.body.p + p.body.n - 3, "end", 3);
    buf_release(&p.body);
}

/* ---- GnuTLS ---- */

static int dial(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_server_port(server))};
    struct timeval patience = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

struct talk {
    int fd;
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    int result; /* of the handshake */
};

static void hang_up(struct talk *t)
{
    gnutls_deinit(t->session);
    gnutls_certificate_free_credentials(t->credentials);
    close(t->fd);
}

/* `certificate`: the client's, a file with its key; NULL: none. */
static struct talk call(const char *priorities, const char *certificate)
{
    const gnutls_datum_t http11 = {(unsigned char *)"http/1.1", 8};
    struct talk t = {.fd = dial()};

    assert_int_equal(gnutls_init(&t.session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL | GNUTLS_FORCE_CLIENT_CERT), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(&t.credentials), 0);
    if (certificate)
        assert_int_equal(
            gnutls_certificate_set_x509_key_file(t.credentials, certificate, certificate, GNUTLS_X509_FMT_PEM), 0);
    assert_int_equal(gnutls_credentials_set(t.session, GNUTLS_CRD_CERTIFICATE, t.credentials), 0);
    assert_int_equal(gnutls_priority_set_direct(t.session, priorities, NULL), 0);
    assert_int_equal(gnutls_alpn_set_protocols(t.session, &http11, 1, 0), 0);
    gnutls_transport_set_int(t.session, t.fd);
    do
        t.result = gnutls_handshake(t.session);
    while (t.result < 0 && !gnutls_error_is_fatal(t.result));
    return t;
}

/* The answer to a GET, its first `size - 1` bytes; empty when the connection breaks. */
static const char *ask(struct talk *t)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: x.example.org\r\n\r\n";
    static char text[4096];
    size_t n = 0;

    text[0] = '\0';
    if (gnutls_record_send(t->session, request, sizeof(request) - 1) < 0)
        return text;
    while (!strstr(text, "hello")) {
        ssize_t got = gnutls_record_recv(t->session, text + n, sizeof(text) - 1 - n);
        if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
        text[n] = '\0';
    }
    return text;
}

static void http_1_1_is_agreed_on_over_tls_1_3_and_1_2(void **state)
{
    static const char *const versions[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.2"};
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        struct talk t = call(versions[i], NULL);
        gnutls_datum_t agreed = {0};
        assert_int_equal(t.result, 0);
        assert_int_equal(gnutls_alpn_get_selected_protocol(t.session, &agreed), 0);
        assert_memory_equal(agreed.data, "http/1.1", 8);
        assert_non_null(strstr(ask(&t), "hello"));
        hang_up(&t);
    }
}

static void what_is_weak_is_refused(void **state)
{
    static const char *const weak[] = {
        "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0:%COMPAT",
        "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC",
        "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA",
    };
    (void)state;

    for (size_t i = 0; i < 3; i++) {
        struct talk t = call(weak[i], NULL);
        assert_true(t.result < 0);
        hang_up(&t);
    }
}

static void a_clients_certificate_is_known_by_its_subject(void **state)
{
    struct talk t;
    (void)state;

    issue("ca", "alice.pem", "alice", true);
    t = call("NORMAL", in("alice.pem"));
    assert_int_equal(t.result, 0);
    assert_non_null(strstr(ask(&t), "X-Subject: CN=alice\r\n"));
    assert_non_null(strstr(ask(&t), "X-Subject: CN=alice\r\n"));
    hang_up(&t);
    t = call("NORMAL:-VERS-ALL:+VERS-TLS1.2", in("alice.pem"));
    assert_non_null(strstr(ask(&t), "X-Subject: CN=alice\r\n"));
    hang_up(&t);
    t = call("NORMAL", NULL);
    assert_non_null(strstr(ask(&t), "X-Subject: none\r\n"));
    hang_up(&t);
}

static void assert_subject(const char *rfc4514, const char *want)
{
    BUF_SCOPED struct buf text = {0};

    buf_init(&text, 1024);
    tls_format_subject(&text, str_from_cstr(rfc4514));
    assert_string_equal(buf_cstr(&text), want);
}

static void a_subject_is_written_as_java_does(void **state)
{
    (void)state;
    assert_subject("CN=alice,O=Example,C=FR", "CN=alice, O=Example, C=FR");
    assert_subject("CN=al\\,ice\\\\,O=Example", "CN=al\\,ice\\\\, O=Example");
    assert_subject("", "");
    assert_subject("CN=x\\", "CN=x\\");
}

static void a_certificate_of_another_ca_or_for_servers_ends_the_connection(void **state)
{
    struct talk t;
    (void)state;

    issue("other", "mallory.pem", "alice", true);
    issue("ca", "not-a-client.pem", "alice", false);
    static const char *const files[] = {"mallory.pem", "not-a-client.pem"};
    for (size_t i = 0; i < 2; i++) {
        t = call("NORMAL", in(files[i]));
        assert_string_equal(ask(&t), "");
        hang_up(&t);
    }
    now -= (int64_t)60 * 24 * 3600 * 1000;
    issue("ca", "expired.pem", "alice", true);
    now += (int64_t)60 * 24 * 3600 * 1000;
    t = call("NORMAL", in("expired.pem"));
    assert_string_equal(ask(&t), "");
    hang_up(&t);
}

/* The common name that a new connection is shown. */
static const char *shown(void)
{
    static char name[64];
    struct talk t = call("NORMAL", NULL);
    gnutls_x509_crt_t certificate;
    size_t size = sizeof(name);
    unsigned n;

    assert_int_equal(t.result, 0);
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(t.session, &n);
    assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
    assert_int_equal(gnutls_x509_crt_import(certificate, chain, GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size), 0);
    gnutls_x509_crt_deinit(certificate);
    hang_up(&t);
    return name;
}

static bool is_shown_soon(const char *name)
{
    int64_t until = clock_mono_ms() + 10000;

    while (strcmp(shown(), name) != 0) {
        if (clock_mono_ms() > until)
            return false;
        usleep(50000);
    }
    return true;
}

static void new_files_are_shown_and_open_connections_go_on(void **state)
{
    struct talk t = call("NORMAL", NULL);
    (void)state;

    assert_non_null(strstr(ask(&t), "hello"));
    assert_string_equal(shown(), "first");
    issue("ca", "server.pem", "second", false);
    assert_true(is_shown_soon("second"));
    assert_non_null(strstr(ask(&t), "hello"));
    hang_up(&t);
}

static void files_of_no_use_change_nothing(void **state)
{
    (void)state;
    assert_int_equal(file_write_atomic(in("server.pem"), STR("rubbish"), 0600, NULL), 0);
    usleep(1100000);
    assert_string_equal(shown(), "first");
    assert_int_equal(unlink(in("server.pem")), 0);
    usleep(1100000);
    assert_string_equal(shown(), "first");
    issue("ca", "server.pem", "third", false);
    assert_true(is_shown_soon("third"));
}

static void sighup_has_the_files_read_at_once(void **state)
{
    (void)state;
    assert_string_equal(shown(), "first");
    issue("ca", "server.pem", "fourth", false);
    raise(SIGHUP);
    assert_false(signal_wait_stop(1));
    assert_string_equal(shown(), "fourth");
}

static void files_that_do_not_match_are_told_at_the_start(void **state)
{
    const struct http_handler handler = {NULL, NULL, on_finish, NULL};
    struct http_tls_options tls = {.certificate_file = in("server.pem"), .key_file = in("ca-key.pem")};
    const struct http_server_options o = {.address = "127.0.0.1", .tls = &tls};
    struct http_server *other;
    struct err err = {0};
    (void)state;

    assert_int_equal(http_server_start(&o, &handler, NULL, &other, &err), ERR_INVALID);
    assert_non_null(strstr(err.message, "is not that of the certificate"));
    tls.key_file = in("missing.pem");
    assert_int_equal(http_server_start(&o, &handler, NULL, &other, &err), ERR_NOT_FOUND);
    tls.key_file = in("ca.pem");
    assert_int_equal(http_server_start(&o, &handler, NULL, &other, &err), ERR_INVALID);
}

/* ---- not TLS ---- */

static void plain_http_is_told_to_use_https(void **state)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char text[1024];
    size_t n = 0;
    ssize_t got;
    int fd = dial();
    (void)state;

    assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
    while ((got = recv(fd, text + n, sizeof(text) - 1 - n, 0)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    close(fd);
    assert_int_equal(got, 0);
    assert_non_null(strstr(text, "HTTP/1.1 400 "));
    assert_non_null(strstr(text, "use https://"));
}

static void garbage_ends_the_connection_and_no_other(void **state)
{
    static const char *const garbage[] = {"\x16\x03\x01\xff\xff garbage", "\x80\x2e\x01\x03\x01", "\n\n\n\n\n\n\n\n",
                                          "\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff"};
    struct talk t = call("NORMAL", NULL);
    char byte;
    (void)state;

    for (size_t i = 0; i < 4; i++) {
        int fd = dial();
        assert_int_equal(send(fd, garbage[i], strlen(garbage[i]), MSG_NOSIGNAL), (ssize_t)strlen(garbage[i]));
        shutdown(fd, SHUT_WR);
        while (recv(fd, &byte, 1, 0) > 0)
            ;
        close(fd);
    }
    assert_non_null(strstr(ask(&t), "hello"));
    hang_up(&t);
}

static void a_handshake_that_stops_holds_nobody_up(void **state)
{
    int fds[200];
    (void)state;

    for (size_t i = 0; i < 200; i++) {
        fds[i] = dial();
        if (i % 2)
            assert_int_equal(send(fds[i], "\x16\x03\x01\x02", 4, MSG_NOSIGNAL), 4);
    }
    int64_t start = clock_mono_ms();
    struct talk t = call("NORMAL", NULL);
    assert_non_null(strstr(ask(&t), "hello"));
    assert_true(clock_mono_ms() - start < 5000);
    hang_up(&t);
    for (size_t i = 0; i < 200; i++)
        close(fds[i]);
}

static int make_cas(void **state)
{
    (void)state;
    signal_setup();
    now = clock_wall_ms();
    snprintf(folder, sizeof(folder), "%s/dp-tls-XXXXXX", P_tmpdir);
    return !mkdtemp(folder) || pki_make_ca(in("ca.pem"), in("ca-key.pem"), "test", now, NULL) < 0 ||
           pki_make_ca(in("other.pem"), in("other-key.pem"), "other", now, NULL) < 0;
}

static int remove_all(void **state)
{
    int rc = file_remove_tree(folder, NULL);

    (void)state;
    arena_release(&arena);
    return rc;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_that_trusts_the_ca_is_served),
        TEST(one_that_does_not_is_not),
        TEST(strict_transport_is_told_to_all_but_localhost),
        TEST(a_large_file_is_sent_whole),
        TEST(http_1_1_is_agreed_on_over_tls_1_3_and_1_2),
        TEST(what_is_weak_is_refused),
        TEST(a_clients_certificate_is_known_by_its_subject),
        cmocka_unit_test(a_subject_is_written_as_java_does),
        TEST(a_certificate_of_another_ca_or_for_servers_ends_the_connection),
        TEST(new_files_are_shown_and_open_connections_go_on),
        TEST(files_of_no_use_change_nothing),
        TEST(sighup_has_the_files_read_at_once),
        TEST(files_that_do_not_match_are_told_at_the_start),
        TEST(plain_http_is_told_to_use_https),
        TEST(garbage_ends_the_connection_and_no_other),
        TEST(a_handshake_that_stops_holds_nobody_up),
    };

    return cmocka_run_group_tests(tests, make_cas, remove_all);
}
