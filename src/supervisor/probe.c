/*
 * One GET of a health path. Written by hand rather than through http/client.h because it must not block the
 * supervisor's only thread, and because the supervisor stays small without libcurl's memory.
 *
 * Over TLS the certificate isn't verified: the question is whether the process answers, and one whose certificate has
 * just expired does. Nothing secret is said.
 */
#include "supervisor/internal.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <sys/socket.h>
#include <unistd.h>

static gnutls_certificate_credentials_t credentials; /* empty; made at the first probe over TLS */

void probe_release_all(void)
{
    if (credentials)
        gnutls_certificate_free_credentials(credentials);
    credentials = NULL;
}

void probe_cancel(struct probe *p)
{
    if (p->tls)
        gnutls_deinit(p->tls);
    p->tls = NULL;
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

static enum probe_result failed(struct probe *p, const char *why, int errnum)
{
    snprintf(p->why, sizeof(p->why), "%s%s%s", why, errnum ? ": " : "", errnum ? strerror(errnum) : "");
    probe_cancel(p);
    return PROBE_FAILED;
}

/* A wildcard address is asked through the loopback one. */
static socklen_t address_of(const struct supervisor_service *s, struct sockaddr_storage *ret)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

    memset(ret, 0, sizeof(*ret));
    if (inet_pton(AF_INET6, s->address, &v6->sin6_addr) == 1) {
        if (IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
            v6->sin6_addr = in6addr_loopback;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)s->port);
        return sizeof(*v6);
    }
    if (inet_pton(AF_INET, s->address, &v4->sin_addr) != 1 || v4->sin_addr.s_addr == htonl(INADDR_ANY))
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)s->port);
    return sizeof(*v4);
}

enum probe_result probe_start(struct probe *p, const struct supervisor_service *s, int timeout_ms)
{
    struct sockaddr_storage to;
    socklen_t n = address_of(s, &to);

    probe_cancel(p);
    p->n = 0;
    p->connected = p->shaken = p->sent = false;
    p->deadline = clock_mono_ms() + timeout_ms;
    p->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->fd < 0)
        return failed(p, "no socket for a health check", errno);
    if (connect(p->fd, (struct sockaddr *)&to, n) == 0)
        p->connected = true;
    else if (errno != EINPROGRESS)
        return failed(p, "doesn't listen", errno);
    return PROBE_PENDING;
}

short probe_events(const struct probe *p)
{
    if (p->tls && !p->shaken)
        return gnutls_record_get_direction(p->tls) ? POLLOUT : POLLIN;
    return p->sent ? POLLIN : POLLOUT;
}

static bool start_tls(struct probe *p)
{
    if (!credentials && gnutls_certificate_allocate_credentials(&credentials) < 0)
        return false;
    if (gnutls_init(&p->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0)
        return false;
    gnutls_transport_set_int(p->tls, p->fd);
    return gnutls_set_default_priority(p->tls) == 0 &&
           gnutls_credentials_set(p->tls, GNUTLS_CRD_CERTIFICATE, credentials) == 0;
}

/* PROBE_HEALTHY: the handshake is done. */
static enum probe_result shake_hands(struct probe *p)
{
    char why[96];

    if (!p->tls && !start_tls(p))
        return failed(p, "no TLS for a health check", 0);
    int code = gnutls_handshake(p->tls);
    if (code == 0) {
        p->shaken = true;
        return PROBE_HEALTHY;
    }
    if (!gnutls_error_is_fatal(code))
        return PROBE_PENDING;
    snprintf(why, sizeof(why), "the TLS handshake failed: %s", gnutls_strerror(code));
    return failed(p, why, 0);
}

/* As send and recv, over TLS where that is. */
static ssize_t put(struct probe *p, const char *text, size_t n)
{
    if (!p->tls)
        return send(p->fd, text, n, MSG_NOSIGNAL);
    ssize_t sent = gnutls_record_send(p->tls, text, n);
    if (sent < 0)
        errno = EPROTO;
    return sent;
}

static ssize_t take(struct probe *p, char *to, size_t n)
{
    if (!p->tls)
        return recv(p->fd, to, n, 0);
    ssize_t got = gnutls_record_recv(p->tls, to, n);
    if (got == GNUTLS_E_PREMATURE_TERMINATION)
        return 0; /* an answer's end is in its form */
    if (got < 0)
        errno = gnutls_error_is_fatal((int)got) ? EPROTO : EAGAIN;
    return got;
}

static enum probe_result send_request(struct probe *p, const struct supervisor_service *s)
{
    char text[512];
    int errnum = 0;
    socklen_t n = sizeof(errnum);

    if (!p->connected && (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &errnum, &n) < 0 || errnum))
        return failed(p, "doesn't listen", errnum ? errnum : errno);
    p->connected = true;
    if (s->is_tls && !p->shaken) {
        enum probe_result shaken = shake_hands(p);
        if (shaken != PROBE_HEALTHY)
            return shaken;
    }
    int length = snprintf(text, sizeof(text),
                          "GET %s HTTP/1.1\r\nHost: localhost:%d\r\nUser-Agent: dataplatform-health\r\n"
                          "Connection: close\r\n\r\n",
                          s->health_path, s->port);
    /* It fits a new connection's buffer: anything but all of it is a failure. */
    if (put(p, text, (size_t)length) != length)
        return failed(p, "doesn't take a request", errno);
    p->sent = true;
    return PROBE_PENDING;
}

/* Whether `text` is in the answer when its white space is left out. */
static bool contains(struct str answer, const char *text)
{
    static const char spaces[] = " \t\r\n";

    for (size_t from = 0; from < answer.n; from++) {
        const char *want = text;
        for (size_t i = from; i < answer.n && *want; i++) {
            if (memchr(spaces, answer.p[i], sizeof(spaces) - 1))
                continue;
            if (answer.p[i] != *want)
                break;
            want++;
        }
        if (!*want)
            return true;
    }
    return false;
}

static enum probe_result judge(struct probe *p, const struct supervisor_service *s)
{
    struct str answer = str_from(p->answer, p->n);
    size_t end = str_find(answer, STR("\r\n\r\n"), 0);
    char why[64];

    if (!str_starts_with(answer, STR("HTTP/1.")) || answer.n < 12 || end == SIZE_MAX)
        return failed(p, "the health check's answer is not HTTP", 0);
    struct str status = str_slice(answer, 9, 3);
    if (!str_eq(status, STR("200"))) {
        snprintf(why, sizeof(why), "the health check answers %.*s", STR_ARG(status));
        return failed(p, why, 0);
    }
    if (s->health_text && !contains(str_skip(answer, end), s->health_text))
        return failed(p, "is not ready yet", 0);
    probe_cancel(p);
    return PROBE_HEALTHY;
}

enum probe_result probe_step(struct probe *p, const struct supervisor_service *s)
{
    struct pollfd fd = {.fd = p->fd, .events = probe_events(p)};

    if (p->fd < 0)
        return PROBE_PENDING;
    if (poll(&fd, 1, 0) <= 0)
        return clock_mono_ms() >= p->deadline ? failed(p, "the health check got no answer in time", 0) : PROBE_PENDING;
    if (!p->sent)
        return send_request(p, s);
    for (;;) {
        ssize_t n = take(p, p->answer + p->n, sizeof(p->answer) - p->n);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return clock_mono_ms() >= p->deadline ? failed(p, "the health check got no answer in time", 0)
                                                  : PROBE_PENDING;
        if (n < 0)
            return failed(p, "the health check broke off", errno);
        p->n += (size_t)n;
        if (n == 0 || p->n == sizeof(p->answer))
            return judge(p, s);
    }
}
