#include "pki/pki.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/rand.h"
#include "base/vec.h"
#include "http/url.h"
#include "os/file.h"

#include <sys/stat.h>

enum { HOST_NAME_SIZE = 256 };
static const int64_t day_ms = (int64_t)24 * 3600 * 1000;

struct paths {
    const char *folder, *ca, *ca_key, *server;
};

static struct paths own_paths(struct arena *a, const struct spec *s)
{
    return (struct paths){
        .folder = arena_printf(a, "%.*s/tls", STR_ARG(s->data_dir)).p,
        .ca = arena_printf(a, "%.*s/tls/ca.pem", STR_ARG(s->data_dir)).p,
        .ca_key = arena_printf(a, "%.*s/tls/ca-key.pem", STR_ARG(s->data_dir)).p,
        .server = arena_printf(a, "%.*s/tls/server.pem", STR_ARG(s->data_dir)).p,
    };
}

static bool is_given(const struct spec *s)
{
    return !str_is_null(s->tls.certificate);
}

const struct http_tls_options *pki_tls(struct arena *a, const struct spec *s)
{
    struct http_tls_options *o = arena_new(a, struct http_tls_options);

    if (!s->tls.on)
        return NULL;
    if (is_given(s)) {
        o->certificate_file = arena_cstr(a, s->tls.certificate);
        o->key_file = arena_cstr(a, s->tls.key);
    } else {
        o->certificate_file = o->key_file = own_paths(a, s).server;
    }
    return o;
}

const struct http_tls_options *pki_tls_with_clients(struct arena *a, const struct spec *s)
{
    struct http_tls_options *o = arena_new(a, struct http_tls_options);
    const struct http_tls_options *plain = pki_tls(a, s);

    if (!plain)
        return NULL;
    *o = *plain;
    o->client_ca_file = pki_ca_file(a, s);
    return o;
}

const char *pki_ca_file(struct arena *a, const struct spec *s)
{
    if (!s->tls.on)
        return NULL;
    if (is_given(s))
        return str_is_null(s->tls.ca) ? NULL : arena_cstr(a, s->tls.ca);
    return own_paths(a, s).ca;
}

static const char *url_host(struct arena *a, struct str host)
{
    if (str_eq(host, STR("0.0.0.0")))
        host = STR("127.0.0.1");
    if (str_eq(host, STR("::")))
        host = STR("::1");
    return str_find_char(host, ':', 0) != SIZE_MAX ? arena_printf(a, "[%.*s]", STR_ARG(host)).p : arena_cstr(a, host);
}

const char *pki_url_host(struct arena *a, const struct spec *s)
{
    return url_host(a, s->tls.on && s->tls.host_count ? s->tls.hosts[0] : s->bind);
}

const char *pki_local_address(struct arena *a, const struct spec *s, int port)
{
    return arena_printf(a, "%s:%d", url_host(a, s->bind), port).p;
}

/* ---- the own CA ---- */

struct hosts {
    struct arena *a;
    VEC(struct str) items;
};

static void add_host(struct hosts *to, struct str host)
{
    for (size_t i = 0; i < to->items.n; i++) {
        if (str_eq(to->items.items[i], host))
            return;
    }
    vec_push_in(to->a, &to->items, host);
}

static struct hosts wanted_hosts(struct arena *a, const struct spec *s)
{
    struct hosts hosts = {.a = a};
    char name[HOST_NAME_SIZE] = "";
    struct str host;
    int port;

    for (size_t i = 0; i < s->tls.host_count; i++)
        add_host(&hosts, s->tls.hosts[i]);
    add_host(&hosts, STR("localhost"));
    add_host(&hosts, STR("127.0.0.1"));
    add_host(&hosts, STR("::1"));
    if (!str_eq(s->bind, STR("0.0.0.0")) && !str_eq(s->bind, STR("::")))
        add_host(&hosts, s->bind);
    if (gethostname(name, sizeof(name) - 1) == 0 &&
        http_url_parse_host(a, str_from_cstr(name), &host, &port, NULL) == 0)
        add_host(&hosts, host);
    return hosts;
}

static bool is_good(struct arena *a, const struct paths *p, const struct hosts *hosts, int64_t now_ms)
{
    struct pki_certificate have;

    if (pki_read(a, p->server, &have, NULL) < 0 || have.not_after_ms - now_ms < PKI_RENEW_DAYS * day_ms ||
        have.not_before_ms > now_ms || have.host_count != hosts->items.n ||
        pki_check_issuer(p->server, p->ca, NULL) < 0)
        return false;
    for (size_t i = 0; i < hosts->items.n; i++) {
        if (pki_check_host(p->server, hosts->items.items[i], NULL) < 0)
            return false;
    }
    return pki_check_key(p->server, p->server, NULL) == 0;
}

static int make_ca(struct arena *a, const struct paths *p, int64_t now_ms, struct str *ret_note, struct err *err)
{
    BUF_SCOPED struct buf id = {0};
    unsigned char bytes[4];

    /* Somebody who trusts the CAs of several platforms sees them apart. */
    rand_bytes(bytes, sizeof(bytes));
    buf_init(&id, 64);
    enc_hex(&id, bytes, sizeof(bytes));
    int rc = pki_make_ca(p->ca, p->ca_key, arena_printf(a, "dataplatform local CA %.*s", STR_ARG(buf_str(&id))).p,
                         now_ms, err);
    if (rc == 0)
        *ret_note = arena_printf(a, "a new CA was made: %s is its certificate, for clients to trust", p->ca);
    return rc;
}

static int prepare_own(struct arena *a, const struct spec *s, int64_t now_ms, struct str *ret_note, struct err *err)
{
    const struct paths p = own_paths(a, s);
    struct hosts hosts = wanted_hosts(a, s);
    struct pki_certificate ca;
    int rc = file_make_folders(p.folder, 0700, err);

    if (rc == 0 && !file_exists(p.ca))
        rc = make_ca(a, &p, now_ms, ret_note, err);
    if (rc < 0 || (rc = pki_read(a, p.ca, &ca, err)) < 0)
        return rc;
    if (!is_good(a, &p, &hosts, now_ms)) {
        if (!file_exists(p.ca_key))
            return err_set(err, ERR_NOT_FOUND,
                           "%s has to be made anew (it is missing, about to expire, or not good for all hosts), and "
                           "the CA's key is not in %s",
                           p.server, p.ca_key);
        const struct pki_request q = {
            .name = "dataplatform",
            .hosts = hosts.items.items,
            .host_count = hosts.items.n,
            .days = PKI_SERVER_DAYS,
        };
        if ((rc = pki_issue(p.ca, p.ca_key, &q, now_ms, p.server, err)) < 0)
            return rc;
    }
    if (str_is_null(*ret_note) && ca.not_after_ms - now_ms < PKI_RENEW_DAYS * day_ms) {
        char date[CLOCK_TEXT_SIZE];
        clock_format_rfc3339_ms(ca.not_after_ms, date);
        *ret_note = arena_printf(a, "the CA in %s ends on %.10s: move %s away then, and tell clients of the new one",
                                 p.ca, date, p.folder);
    }
    return 0;
}

/* ---- given files ---- */

static int check_given(struct arena *a, const struct spec *s, int64_t now_ms, struct str *ret_note, struct err *err)
{
    const char *certificate = arena_cstr(a, s->tls.certificate), *key = arena_cstr(a, s->tls.key);
    struct pki_certificate have, ca;
    char date[CLOCK_TEXT_SIZE];
    struct stat st;
    int rc = pki_read(a, certificate, &have, err);

    if (rc < 0 || (rc = pki_check_key(certificate, key, err)) < 0)
        return rc;
    if (!str_is_null(s->tls.ca) && (rc = pki_read(a, arena_cstr(a, s->tls.ca), &ca, err)) < 0)
        return rc;
    for (size_t i = 0; i < s->tls.host_count; i++) {
        if ((rc = pki_check_host(certificate, s->tls.hosts[i], err)) < 0)
            return rc;
    }
    /* What others could read is not refused, as secrets.json is: Kubernetes mounts keys so. */
    clock_format_rfc3339_ms(have.not_after_ms, date);
    if (have.not_after_ms <= now_ms)
        *ret_note = arena_printf(a, "the certificate in %s expired on %.10s: clients will refuse it", certificate,
                                 date);
    else if (have.not_after_ms - now_ms < PKI_RENEW_DAYS * day_ms)
        *ret_note = arena_printf(a, "the certificate in %s expires on %.10s: put its successor in that place",
                                 certificate, date);
    else if (stat(key, &st) == 0 && (st.st_mode & 07))
        *ret_note = arena_printf(a, "everybody can read the key in %s: chmod 600 it", key);
    return 0;
}

int pki_prepare(struct arena *a, const struct spec *s, int64_t now_ms, struct str *ret_note, struct err *err)
{
    struct str note = STR_NULL;
    int rc = 0;

    if (s->tls.on)
        rc = is_given(s) ? check_given(a, s, now_ms, &note, err) : prepare_own(a, s, now_ms, &note, err);
    if (rc == 0)
        *ret_note = note;
    else if (err)
        err_prefix(err, "tls");
    return rc;
}
