/*
 * TLS for libmicrohttpd, which makes a GnuTLS session of every connection. Right after that, and before the handshake, it
 * tells us of the connection: there the session gets our credentials in place of libmicrohttpd's, which can't be replaced
 * while it runs. A connection holds a reference to the credentials that it began with, so a reload leaves it alone.
 *
 * The files are looked at (stat) when a connection comes, at most once a second: no thread, no watches that miss a rename
 * through a symbolic link, as Kubernetes replaces secrets.
 */
#include "http/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "os/file.h"
#include "os/signal.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* TLS 1.2 and 1.3 with forward secrecy and authenticated encryption: Mozilla's "intermediate" without finite fields. */
const char tls_priorities[] = "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA:+AES-128-GCM:+AES-256-GCM:"
                              "+CHACHA20-POLY1305:+AEAD:+SIGN-ALL:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:-SIGN-DSA-SHA1:"
                              "+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+COMP-NULL:+CTYPE-X509:"
                              "%SERVER_PRECEDENCE";

enum { FILE_MAX = 1 << 20, CHECK_EVERY_MS = 1000, HANDSHAKE_TIMEOUT_S = 20, SUBJECT_MAX = 64 << 10 };

/* What a reload makes anew. */
struct credentials {
    atomic_int refs;
    gnutls_certificate_credentials_t gnutls;
    bool asks_client;
};

/* What tells that a file was replaced. */
struct file_state {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

enum { CERTIFICATE, KEY, CLIENT_CA, FILE_COUNT };

struct tls {
    char *paths[FILE_COUNT];
    char *certificate_text, *key_text;

    pthread_mutex_t lock; /* guards all below */
    struct credentials *current;
    struct file_state states[FILE_COUNT];
    int64_t checked; /* monotonic ms */
    unsigned reloads_seen;
};

/* libmicrohttpd's context of a connection. */
struct connection {
    int fd;
    bool is_tls; /* the first byte was looked at */
    bool arrived;
    struct credentials *credentials;
    char *subject;
};

/* ---- credentials ---- */

static void credentials_unref(struct credentials *c)
{
    if (!c || --c->refs > 0)
        return;
    gnutls_certificate_free_credentials(c->gnutls);
    free(c);
}

static gnutls_datum_t datum(struct buf *text)
{
    return (gnutls_datum_t){(unsigned char *)buf_cstr(text), (unsigned)text->n};
}

static void wipe(struct buf *text)
{
    if (text->p)
        explicit_bzero(text->p, text->cap);
}

static int explain(const struct tls *t, int code, struct err *err)
{
    const char *certificate = t->paths[CERTIFICATE], *key = t->paths[KEY];

    switch (code) {
    case GNUTLS_E_CERTIFICATE_KEY_MISMATCH:
        return err_set(err, ERR_INVALID, "the key in %s is not that of the certificate in %s", key, certificate);
    case GNUTLS_E_DECRYPTION_FAILED:
        return err_set(err, ERR_INVALID, "the key in %s has a password: store it without", key);
    default:
        return err_set(err, ERR_INVALID, "expected a PEM certificate in %s and its PEM key in %s: %s", certificate, key,
                       gnutls_strerror(code));
    }
}

static int load(struct tls *t, struct credentials **ret, struct err *err)
{
    struct buf certificate, key, ca;
    struct credentials *c = NULL;
    int rc, code;

    buf_init(&certificate, FILE_MAX);
    buf_init(&key, FILE_MAX);
    buf_init(&ca, FILE_MAX);
    if ((rc = file_read(t->paths[CERTIFICATE], &certificate, err)) < 0 ||
        (rc = file_read(t->paths[KEY], &key, err)) < 0 ||
        (t->paths[CLIENT_CA] && (rc = file_read(t->paths[CLIENT_CA], &ca, err)) < 0))
        goto out;
    c = calloc(1, sizeof(*c));
    if (!c || gnutls_certificate_allocate_credentials(&c->gnutls) < 0) {
        free(c);
        c = NULL;
        rc = err_set(err, ERR_LIMIT, "no memory for TLS credentials");
        goto out;
    }
    c->refs = 1;
    const gnutls_datum_t certificate_pem = datum(&certificate), key_pem = datum(&key), ca_pem = datum(&ca);
    code = gnutls_certificate_set_x509_key_mem2(c->gnutls, &certificate_pem, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (code < 0) {
        rc = explain(t, code, err);
        goto out;
    }
    if (t->paths[CLIENT_CA]) {
        code = gnutls_certificate_set_x509_trust_mem(c->gnutls, &ca_pem, GNUTLS_X509_FMT_PEM);
        if (code <= 0) {
            rc = err_set(err, ERR_INVALID, "expected PEM certificates of CAs in %s%s%s", t->paths[CLIENT_CA],
                         code < 0 ? ": " : "", code < 0 ? gnutls_strerror(code) : "");
            goto out;
        }
        c->asks_client = true;
    }
    if (!t->certificate_text) {
        t->certificate_text = strdup((char *)certificate_pem.data);
        t->key_text = strdup((char *)key_pem.data);
    }
    *ret = c;
    c = NULL;

out:
    credentials_unref(c);
    wipe(&key);
    buf_release(&certificate);
    buf_release(&key);
    buf_release(&ca);
    return rc;
}

static void look_at(const struct tls *t, struct file_state ret[FILE_COUNT])
{
    for (int i = 0; i < FILE_COUNT; i++) {
        struct stat st;

        memset(&ret[i], 0, sizeof(ret[i]));
        if (t->paths[i] && stat(t->paths[i], &st) == 0)
            ret[i] = (struct file_state){st.st_dev, st.st_ino, st.st_size, st.st_mtim};
    }
}

static bool same(const struct file_state a[FILE_COUNT], const struct file_state b[FILE_COUNT])
{
    for (int i = 0; i < FILE_COUNT; i++) {
        if (a[i].device != b[i].device || a[i].inode != b[i].inode || a[i].size != b[i].size ||
            a[i].changed.tv_sec != b[i].changed.tv_sec || a[i].changed.tv_nsec != b[i].changed.tv_nsec)
            return false;
    }
    return true;
}

/* Under t->lock. */
static void reload_changed(struct tls *t)
{
    struct file_state states[FILE_COUNT];
    struct credentials *fresh;
    struct err err = {0};
    int64_t now = clock_mono_ms();
    unsigned reloads = signal_reload_count();
    bool told = reloads != t->reloads_seen;

    if (!told && now - t->checked < CHECK_EVERY_MS)
        return;
    t->checked = now;
    t->reloads_seen = reloads;
    look_at(t, states);
    if (!told && same(states, t->states))
        return;
    memcpy(t->states, states, sizeof(states)); /* what is wrong is said once, until the files change again */
    if (load(t, &fresh, &err) < 0) {
        log_warn("TLS goes on with the certificate it has: %s", err.message);
        return;
    }
    credentials_unref(t->current);
    t->current = fresh;
    log_info("TLS uses what %s has now", t->paths[CERTIFICATE]);
}

int tls_new(const struct http_tls_options *o, struct tls **ret, struct err *err)
{
    struct tls *t = calloc(1, sizeof(*t));

    if (!t)
        return err_set(err, ERR_LIMIT, "no memory for TLS");
    pthread_mutex_init(&t->lock, NULL);
    t->paths[CERTIFICATE] = strdup(o->certificate_file);
    t->paths[KEY] = strdup(o->key_file);
    t->paths[CLIENT_CA] = o->client_ca_file ? strdup(o->client_ca_file) : NULL;
    t->reloads_seen = signal_reload_count();
    t->checked = clock_mono_ms();
    look_at(t, t->states);
    int rc = load(t, &t->current, err);
    if (rc < 0) {
        err_prefix(err, "TLS");
        tls_free(t);
        return rc;
    }
    *ret = t;
    return 0;
}

const char *tls_certificate_text(const struct tls *t)
{
    return t->certificate_text;
}

const char *tls_key_text(const struct tls *t)
{
    return t->key_text;
}

void tls_forget_texts(struct tls *t)
{
    if (t->key_text)
        explicit_bzero(t->key_text, strlen(t->key_text));
    free(t->key_text);
    t->key_text = NULL;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    tls_forget_texts(t);
    free(t->certificate_text);
    credentials_unref(t->current);
    for (int i = 0; i < FILE_COUNT; i++)
        free(t->paths[i]);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* ---- connections ---- */

static struct connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

/* A browser or a tool that was told http:// sees what is wrong; without this it sees the connection break. */
static void answer_plain_http(int fd)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 51\r\n"
                                 "Connection: close\r\n\r\n"
                                 "This port speaks HTTPS: use https://, not http://.\n";
    char unread[4096];

    while (recv(fd, unread, sizeof(unread), 0) > 0) /* closing with bytes unread would take the answer back */
        ;
    (void)!send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
}

/* GnuTLS reads through this: the first byte of TLS is 22, of HTTP a capital letter. */
static ssize_t pull(gnutls_transport_ptr_t arg, void *to, size_t n)
{
    struct connection *c = arg;
    char first;

    if (!c->is_tls) {
        ssize_t got = recv(c->fd, &first, 1, MSG_PEEK);
        if (got <= 0)
            return got;
        if (first >= 'A' && first <= 'Z') {
            answer_plain_http(c->fd);
            errno = EPROTO;
            return -1;
        }
        c->is_tls = true;
    }
    return recv(c->fd, to, n, 0);
}

/* As Java writes a subject (X500Principal.toString), which is what Trino's user mapping sees. */
void tls_format_subject(struct buf *to, struct str rfc4514)
{
    for (size_t i = 0; i < rfc4514.n; i++) {
        buf_add_char(to, rfc4514.p[i]);
        if (rfc4514.p[i] == '\\' && i + 1 < rfc4514.n)
            buf_add_char(to, rfc4514.p[++i]);
        else if (rfc4514.p[i] == ',')
            buf_add_char(to, ' ');
    }
}

static char *copy_subject(gnutls_datum_t name)
{
    BUF_SCOPED struct buf text = {0};

    buf_init(&text, SUBJECT_MAX);
    tls_format_subject(&text, str_from((char *)name.data, name.size));
    return text.failed ? NULL : strdup(buf_cstr(&text));
}

/* Called in the handshake. 0: go on. */
static int verify_client(gnutls_session_t session)
{
    struct connection *c = connection_of(gnutls_session_get_ptr(session));
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT, .size = 0};
    unsigned n = 0, status = 0;
    const gnutls_datum_t *certificates = gnutls_certificate_get_peers(session, &n);
    gnutls_x509_crt_t certificate;
    gnutls_datum_t name;

    if (!certificates || n == 0)
        return 0;
    if (!c || gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0 || status != 0)
        return -1;
    if (gnutls_x509_crt_init(&certificate) < 0)
        return -1;
    if (gnutls_x509_crt_import(certificate, &certificates[0], GNUTLS_X509_FMT_DER) == 0 &&
        gnutls_x509_crt_get_dn3(certificate, &name, 0) == 0) {
        free(c->subject);
        c->subject = copy_subject(name);
        gnutls_free(name.data);
    }
    gnutls_x509_crt_deinit(certificate);
    return c->subject ? 0 : -1;
}

static void *connection_new(struct tls *t, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *session = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *c = session && fd ? calloc(1, sizeof(*c)) : NULL;
    gnutls_transport_ptr_t ignored, to;

    if (!c) /* it goes on with libmicrohttpd's own credentials, those of the start, and asks for no certificate */
        return NULL;
    pthread_mutex_lock(&t->lock);
    reload_changed(t);
    c->credentials = t->current;
    c->credentials->refs++;
    pthread_mutex_unlock(&t->lock);
    c->fd = fd->connect_fd;
    gnutls_credentials_set(session->tls_session, GNUTLS_CRD_CERTIFICATE, c->credentials->gnutls);
    gnutls_transport_get_ptr2(session->tls_session, &ignored, &to);
    gnutls_transport_set_ptr2(session->tls_session, c, to);
    gnutls_transport_set_pull_function(session->tls_session, pull);
    if (c->credentials->asks_client) {
        gnutls_certificate_server_set_request(session->tls_session, GNUTLS_CERT_REQUEST);
        gnutls_session_set_verify_function(session->tls_session, verify_client);
    }
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)HANDSHAKE_TIMEOUT_S);
    return c;
}

void tls_connection_changed(void *tls, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode what)
{
    struct connection *c = *context;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = connection_new(tls, connection);
    } else if (c) { /* the session is gone by now */
        credentials_unref(c->credentials);
        free(c->subject);
        free(c);
        *context = NULL;
    }
}

void tls_connection_arrived(struct MHD_Connection *connection, unsigned idle_timeout_s)
{
    struct connection *c = connection_of(connection);

    if (!c || c->arrived)
        return;
    c->arrived = true;
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, idle_timeout_s);
}

struct str tls_subject(struct MHD_Connection *connection)
{
    const struct connection *c = connection_of(connection);

    return c && c->subject ? str_from_cstr(c->subject) : STR_NULL;
}
