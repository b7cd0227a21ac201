#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "os/file.h"
#include "pki/pki.h"

#include <sys/stat.h>

static const int64_t day_ms = (int64_t)24 * 3600 * 1000;

struct fixture {
    struct arena arena;
    char folder[64];
    int64_t now;
};

static const char *in(struct fixture *f, const char *name)
{
    return arena_printf(&f->arena, "%s/%s", f->folder, name).p;
}

static struct spec *parse(struct fixture *f, const char *text)
{
    struct spec *s;
    struct err err = {0};

    if (spec_parse(&f->arena, str_from_cstr(text), STR("platform.yaml"), str_from_cstr(f->folder), &s, &err) < 0)
        fail_msg("%s", err.message);
    return s;
}

static struct str prepare(struct fixture *f, const struct spec *s, int64_t now)
{
    struct str note = STR_NULL;
    struct err err = {0};

    if (pki_prepare(&f->arena, s, now, &note, &err) < 0)
        fail_msg("%s", err.message);
    return note;
}

static struct pki_certificate described(struct fixture *f, const char *name)
{
    struct pki_certificate c;
    struct err err = {0};

    if (pki_read(&f->arena, in(f, name), &c, &err) < 0)
        fail_msg("%s", err.message);
    return c;
}

static struct str content(struct fixture *f, const char *name)
{
    BUF_SCOPED struct buf text = {0};
    struct err err = {0};

    buf_init(&text, 1 << 20);
    if (file_read(in(f, name), &text, &err) < 0)
        fail_msg("%s", err.message);
    return arena_str(&f->arena, buf_str(&text));
}

static mode_t mode_of(struct fixture *f, const char *name)
{
    struct stat st;

    assert_int_equal(stat(in(f, name), &st), 0);
    return st.st_mode & 0777;
}

static void without_tls_nothing_is_made(void **state)
{
    struct fixture *f = *state;
    struct spec *s = parse(f, "tls: off");

    assert_true(str_is_null(prepare(f, s, f->now)));
    assert_false(file_exists(in(f, "data/tls")));
    assert_null(pki_tls(&f->arena, s));
    assert_null(pki_ca_file(&f->arena, s));
}

static void a_ca_and_a_server_certificate_are_made_once(void **state)
{
    struct fixture *f = *state;
    struct spec *s = parse(f, "tls: {hosts: [platform.example.org, 10.1.2.3]}");
    struct err err = {0};

    struct str note = prepare(f, s, f->now);
    assert_true(str_find(note, str_from_cstr(in(f, "data/tls/ca.pem")), 0) != SIZE_MAX);
    assert_int_equal(mode_of(f, "data/tls"), 0700);
    assert_int_equal(mode_of(f, "data/tls/ca-key.pem"), 0600);
    assert_int_equal(mode_of(f, "data/tls/server.pem"), 0600);
    struct pki_certificate ca = described(f, "data/tls/ca.pem"), server = described(f, "data/tls/server.pem");
    assert_true(ca.not_after_ms - f->now > 3650 * day_ms);
    assert_true(ca.not_before_ms < f->now);
    assert_int_equal((server.not_after_ms - f->now + day_ms / 2) / day_ms, PKI_SERVER_DAYS);
    assert_int_equal(pki_check_issuer(in(f, "data/tls/server.pem"), in(f, "data/tls/ca.pem"), &err), 0);
    assert_int_equal(pki_check_key(in(f, "data/tls/server.pem"), in(f, "data/tls/server.pem"), &err), 0);
    static const char *const hosts[] = {"localhost", "127.0.0.1", "::1", "platform.example.org", "10.1.2.3"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        assert_int_equal(pki_check_host(in(f, "data/tls/server.pem"), str_from_cstr(hosts[i]), &err), 0);
    assert_int_equal(pki_check_host(in(f, "data/tls/server.pem"), STR("evil.example"), NULL), ERR_INVALID);
    assert_int_equal(pki_check_host(in(f, "data/tls/server.pem"), STR("10.1.2.4"), NULL), ERR_INVALID);

    struct str before = content(f, "data/tls/server.pem"), ca_before = content(f, "data/tls/ca.pem");
    assert_true(str_is_null(prepare(f, s, f->now + 300 * day_ms)));
    assert_true(str_eq(before, content(f, "data/tls/server.pem")));
    assert_true(str_eq(ca_before, content(f, "data/tls/ca.pem")));
}

static void the_server_certificate_is_renewed_in_time_by_the_same_ca(void **state)
{
    struct fixture *f = *state;
    struct spec *s = parse(f, "tls: on");
    int64_t later = f->now + (PKI_SERVER_DAYS - PKI_RENEW_DAYS + 1) * day_ms;

    (void)prepare(f, s, f->now);
    struct str ca = content(f, "data/tls/ca.pem"), server = content(f, "data/tls/server.pem");
    assert_true(str_is_null(prepare(f, s, later)));
    assert_true(str_eq(ca, content(f, "data/tls/ca.pem")));
    assert_false(str_eq(server, content(f, "data/tls/server.pem")));
    assert_true(described(f, "data/tls/server.pem").not_after_ms > later + 390 * day_ms);
    assert_int_equal(pki_check_issuer(in(f, "data/tls/server.pem"), in(f, "data/tls/ca.pem"), NULL), 0);
}

static void other_hosts_make_another_server_certificate(void **state)
{
    struct fixture *f = *state;

    (void)prepare(f, parse(f, "tls: {hosts: [a.example.org, b.example.org]}"), f->now);
    (void)prepare(f, parse(f, "tls: {hosts: [a.example.org, c.example.org]}"), f->now);
    assert_int_equal(pki_check_host(in(f, "data/tls/server.pem"), STR("c.example.org"), NULL), 0);
    assert_int_equal(pki_check_host(in(f, "data/tls/server.pem"), STR("b.example.org"), NULL), ERR_INVALID);
    (void)prepare(f, parse(f, "tls: {hosts: [a.example.org]}"), f->now);
    assert_int_equal(pki_check_host(in(f, "data/tls/server.pem"), STR("c.example.org"), NULL), ERR_INVALID);
}

static void a_broken_server_certificate_is_made_anew(void **state)
{
    struct fixture *f = *state;
    struct spec *s = parse(f, "tls: on");

    (void)prepare(f, s, f->now);
    assert_int_equal(file_write_atomic(in(f, "data/tls/server.pem"), STR("rubbish"), 0600, NULL), 0);
    (void)prepare(f, s, f->now);
    assert_int_equal(pki_check_key(in(f, "data/tls/server.pem"), in(f, "data/tls/server.pem"), NULL), 0);
}

static void a_ca_whose_key_was_put_away_serves_until_it_is_needed(void **state)
{
    struct fixture *f = *state;
    struct spec *s = parse(f, "tls: on");
    struct str note;
    struct err err = {0};

    (void)prepare(f, s, f->now);
    assert_int_equal(remove(in(f, "data/tls/ca-key.pem")), 0);
    assert_true(str_is_null(prepare(f, s, f->now)));
    assert_int_equal(pki_prepare(&f->arena, s, f->now + 390 * day_ms, &note, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "ca-key.pem"));
}

static void a_ca_that_ends_is_told_and_nothing_outlives_it(void **state)
{
    struct fixture *f = *state;
    struct spec *s = parse(f, "tls: on");
    int64_t end = f->now + PKI_CA_DAYS * day_ms;
    struct str note;

    (void)prepare(f, s, f->now);
    note = prepare(f, s, end - 10 * day_ms);
    assert_true(str_find(note, STR("ends on"), 0) != SIZE_MAX);
    assert_true(described(f, "data/tls/server.pem").not_after_ms <= end);
    assert_int_equal(pki_prepare(&f->arena, s, end + day_ms, &note, NULL), ERR_INVALID);
}

static void issue(struct fixture *f, const char *file, int days)
{
    static const struct str hosts[] = {{"given.example.org", 17}};
    const struct pki_request q = {.name = "given", .hosts = hosts, .host_count = 1, .days = days};
    struct err err = {0};

    if (pki_issue(in(f, "given-ca.pem"), in(f, "given-ca-key.pem"), &q, f->now, in(f, file), &err) < 0)
        fail_msg("%s", err.message);
}

static void assert_unusable(struct fixture *f, const char *yaml, const char *why)
{
    struct str note;
    struct err err = {0};

    assert_true(pki_prepare(&f->arena, parse(f, yaml), f->now, &note, &err) < 0);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" doesn't say \"%s\"", err.message, why);
}

static void given_files_are_checked(void **state)
{
    struct fixture *f = *state;
    struct spec *s = parse(f, "tls: {certificate: a.pem, key: a.pem, ca: given-ca.pem, hosts: [given.example.org]}");

    assert_int_equal(pki_make_ca(in(f, "given-ca.pem"), in(f, "given-ca-key.pem"), "given", f->now, NULL), 0);
    issue(f, "a.pem", 100);
    issue(f, "b.pem", 100);
    assert_true(str_is_null(prepare(f, s, f->now)));
    assert_string_equal(pki_tls(&f->arena, s)->certificate_file, in(f, "a.pem"));
    assert_null(pki_tls(&f->arena, s)->client_ca_file);
    assert_string_equal(pki_tls_with_clients(&f->arena, s)->client_ca_file, in(f, "given-ca.pem"));
    assert_string_equal(pki_ca_file(&f->arena, s), in(f, "given-ca.pem"));
    assert_string_equal(pki_url_host(&f->arena, s), "given.example.org");
    assert_false(file_exists(in(f, "data/tls")));

    struct str note = prepare(f, s, f->now + 80 * day_ms);
    assert_true(str_find(note, STR("expires on"), 0) != SIZE_MAX);
    note = prepare(f, s, f->now + 101 * day_ms);
    assert_true(str_find(note, STR("expired on"), 0) != SIZE_MAX);

    assert_unusable(f, "tls: {certificate: a.pem, key: b.pem}", "is not that of the certificate");
    assert_unusable(f, "tls: {certificate: missing.pem, key: b.pem}", "missing.pem");
    assert_unusable(f, "tls: {certificate: given-ca-key.pem, key: b.pem}", "expected a certificate in PEM form");
    assert_unusable(f, "tls: {certificate: a.pem, key: given-ca.pem}", "expected a private key in PEM form");
    assert_unusable(f, "tls: {certificate: a.pem, key: a.pem, hosts: [other.example.org]}",
                    "is not for other.example.org");
}

static void urls_have_a_host_that_the_certificate_is_for(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(pki_url_host(&f->arena, parse(f, "")), "127.0.0.1");
    assert_string_equal(pki_url_host(&f->arena, parse(f, "bind: 0.0.0.0")), "127.0.0.1");
    assert_string_equal(pki_url_host(&f->arena, parse(f, "bind: \"::\"")), "[::1]");
    struct spec *s = parse(f, "{bind: 0.0.0.0, tls: {hosts: [a.example.org]}}");
    assert_string_equal(pki_url_host(&f->arena, s), "a.example.org");
    assert_string_equal(pki_local_address(&f->arena, s, 8080), "127.0.0.1:8080");
    assert_string_equal(pki_local_address(&f->arena, parse(f, "bind: \"::\""), 80), "[::1]:80");
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    snprintf(f->folder, sizeof(f->folder), "%s/dp-pki-XXXXXX", P_tmpdir);
    f->now = clock_wall_ms();
    *state = f;
    return mkdtemp(f->folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    int rc = file_remove_tree(f->folder, NULL);

    arena_release(&f->arena);
    free(f);
    return rc;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_tls_nothing_is_made),
        TEST(a_ca_and_a_server_certificate_are_made_once),
        TEST(the_server_certificate_is_renewed_in_time_by_the_same_ca),
        TEST(other_hosts_make_another_server_certificate),
        TEST(a_broken_server_certificate_is_made_anew),
        TEST(a_ca_whose_key_was_put_away_serves_until_it_is_needed),
        TEST(a_ca_that_ends_is_told_and_nothing_outlives_it),
        TEST(given_files_are_checked),
        TEST(urls_have_a_host_that_the_certificate_is_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
