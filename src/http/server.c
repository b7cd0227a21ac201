/*
 * Starting and stopping libmicrohttpd. The listening socket is ours, so that a taken port is told as such, and stopping
 * is orderly: libmicrohttpd aborts the process when it is stopped with suspended connections, so each is woken first.
 */
#include "http/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "os/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static int listen_on(const char *address, int port, int *ret_fd, int *ret_port, bool *ret_is_v6, struct err *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a = {0};
    socklen_t n = 0;
    int one = 1;

    if (port < 0 || port > 65535)
        return err_set(err, ERR_INVALID, "a port is 0 to 65535, not %d", port);
    if (inet_pton(AF_INET, address, &a.v4.sin_addr) == 1) {
        a.v4.sin_family = AF_INET;
        a.v4.sin_port = htons((uint16_t)port);
        n = sizeof(a.v4);
    } else if (inet_pton(AF_INET6, address, &a.v6.sin6_addr) == 1) {
        a.v6.sin6_family = AF_INET6;
        a.v6.sin6_port = htons((uint16_t)port);
        n = sizeof(a.v6);
    } else {
        return err_set(err, ERR_INVALID, "%s is not an IP address to listen on", address);
    }

    FD_SCOPED int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot make a socket for %s", address);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
        return err_set_errno(err, errno, "cannot set up the socket for %s", address);
    /* Inherited by what is accepted: answers are small and wait for nothing. */
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
        return err_set_errno(err, errno, "cannot set up the socket for %s", address);
    if (bind(fd, &a.any, n) < 0 || listen(fd, BACKLOG) < 0) {
        if (errno == EADDRINUSE)
            return err_set(err, ERR_EXISTS, "port %d on %s is taken by another program", port, address);
        return err_set_errno(err, errno, "cannot listen on port %d of %s", port, address);
    }
    if (getsockname(fd, &a.any, &n) < 0)
        return err_set_errno(err, errno, "cannot read the port of %s", address);
    *ret_is_v6 = a.any.sa_family == AF_INET6;
    *ret_port = ntohs(*ret_is_v6 ? a.v6.sin6_port : a.v4.sin_port);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* SigV4 signs the target as sent, so libmicrohttpd may not decode it. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls, (void)connection;
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void log_line(void *cls, const char *fmt, va_list ap)
{
    char text[512];
    (void)cls;

    int n = vsnprintf(text, sizeof(text), fmt, ap);
    if (n <= 0)
        return;
    for (size_t i = strlen(text); i > 0 && text[i - 1] == '\n'; i--)
        text[i - 1] = '\0';
    log_debug("http: %s", text);
}

static int start_daemon(struct http_server *s, const struct http_server_options *o, int fd, bool is_v6, struct err *err)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO | MHD_USE_ERROR_LOG |
                     (is_v6 ? MHD_USE_IPv6 : 0);
    /* libmicrohttpd's constants are macros and enums: the last entry ends the array. */
    struct MHD_OptionItem items[6] = {{MHD_OPTION_END, 0, NULL}};
    size_t n = 0;

    if (s->tls) {
        flags |= MHD_USE_TLS;
        items[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)tls_certificate_text(s->tls)};
        items[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)tls_key_text(s->tls)};
        items[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)tls_priorities};
        items[n++] = (struct MHD_OptionItem){MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)tls_connection_changed, s->tls};
    }
    if (o->network_threads > 1)
        items[n++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, o->network_threads, NULL};
    items[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};

    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, exchange_handle, s,                      /**/
        MHD_OPTION_EXTERNAL_LOGGER, log_line, NULL,                    /* first: it tells what the others did wrong */
        MHD_OPTION_LISTEN_SOCKET, fd,                                  /**/
        MHD_OPTION_URI_LOG_CALLBACK, exchange_new, s,                  /**/
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,              /**/
        MHD_OPTION_NOTIFY_COMPLETED, exchange_completed, s,            /**/
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, /**/
        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)(32 << 10),    /**/
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)(o->connections_max > 0 ? o->connections_max : 4096), /**/
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,                                     /**/
        MHD_OPTION_STRICT_FOR_CLIENT, 1,                                                             /**/
        MHD_OPTION_ARRAY, items,                                                                     /**/
        MHD_OPTION_END);
    if (!s->daemon)
        return err_set(err, ERR_IO, "cannot start the HTTP server on port %d: %s", s->port, strerror(errno));
    return 0;
}

int http_server_start(const struct http_server_options *o, const struct http_handler *h, void *ctx,
                      struct http_server **ret, struct err *err)
{
    int rc, fd = -1, port = 0;
    bool is_v6 = false;

    if ((rc = listen_on(o->address, o->port, &fd, &port, &is_v6, err)) < 0)
        return rc;
    struct http_server *s = calloc(1, sizeof(*s));
    if (!s) {
        close(fd);
        return err_set(err, ERR_LIMIT, "no memory for an HTTP server");
    }
    *s = (struct http_server){.handler = *h, .ctx = ctx, .port = port, .proxies = o->proxies, .refs = 1};
    s->server_name = o->server_name ? strdup(o->server_name) : NULL;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->idle, NULL);
    rc = pool_new("http", o->pool_threads > 0 ? o->pool_threads : 16, o->queue_max > 0 ? o->queue_max : 1024, &s->pool,
                  err);
    if (rc == 0 && o->tls)
        rc = tls_new(o->tls, &s->tls, err);
    if (rc == 0)
        rc = start_daemon(s, o, fd, is_v6, err);
    if (s->tls)
        tls_forget_texts(s->tls);
    if (rc < 0) {
        close(fd);
        pool_free(s->pool);
        http_server_unref(s);
        return rc;
    }
    *ret = s;
    return 0;
}

int http_server_port(const struct http_server *s)
{
    return s->port;
}

void http_server_unref(struct http_server *s)
{
    pthread_mutex_lock(&s->lock);
    bool last = --s->refs == 0;
    pthread_mutex_unlock(&s->lock);
    if (!last)
        return;
    tls_free(s->tls);
    pthread_cond_destroy(&s->idle);
    pthread_mutex_destroy(&s->lock);
    free(s->server_name);
    free(s);
}

static void wake_all(struct http_server *s)
{
    pthread_mutex_lock(&s->lock);
    for (struct exchange *x = s->exchanges; x; x = x->next)
        exchange_wake(x);
    pthread_mutex_unlock(&s->lock);
}

void http_server_stop(struct http_server *s, int grace_ms)
{
    struct timespec until;

    if (!s)
        return;
    int listening = MHD_quiesce_daemon(s->daemon);
    if (listening >= 0)
        close(listening);

    clock_gettime(CLOCK_REALTIME, &until);
    int64_t ns = until.tv_nsec + (int64_t)(grace_ms % 1000) * 1000000;
    until.tv_sec += grace_ms / 1000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    while (s->in_work > 0 && pthread_cond_timedwait(&s->idle, &s->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&s->lock);
    s->cutting = true;
    wake_all(s);
    pool_free(s->pool); /* what still runs there answers into nothing; nobody submits any more */
    wake_all(s);        /* those that had a piece of their body in work */
    MHD_stop_daemon(s->daemon);
    http_server_unref(s);
}
