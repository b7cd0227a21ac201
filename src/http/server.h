/*
 * The HTTP server all services share, over libmicrohttpd (epoll threads, sendfile, suspend and resume).
 *
 * A request goes through a handler's functions in this order, each once but `body`:
 *   begin   on a network thread, when the headers are read and before a client that said "Expect: 100-continue" sends its
 *           body. Must not block. It may respond at once: the body is then not read and the connection closes after.
 *   body    on the server's pool: the next piece of the body, in order, one at a time. It may
 *           respond: the rest of the body is dropped, then the answer sent; no `finish`.
 *   finish  when the body is complete: on the network thread when `begin` set r->fast, else on the pool.
 *           Must lead to exactly one http_respond_*, then or later, from any thread: until then the connection waits.
 *   done    the response is sent or the client is gone; frees what the handler keeps in r->state. Any thread, never
 *           concurrently with the others.
 * A client that vanishes in mid-body gets `done` without `finish`.
 *
 * Bytes are hostile: header size is bounded (431), Content-Length is parsed strictly, a full pool is 503.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include <sys/types.h>

struct http_server;

struct http_header {
    struct str name, value;
};

struct http_request {
    struct arena *arena; /* lives until `done` */
    struct str method;
    struct str raw_target;       /* as sent, not decoded: what SigV4 signs */
    struct str raw_path;         /* the part before '?' */
    struct str raw_query;        /* the part after it; empty */
    struct str path;             /* decoded; a malformed escape was refused with 400 */
    struct http_header *headers; /* in order; names as sent */
    size_t header_count;
    int64_t content_length; /* -1: none said (no body, or chunked) */
    struct str peer;        /* address without port */
    bool is_tls;
    struct str tls_subject; /* of the client's certificate, which was verified: "CN=alice, O=Example"; null */
    bool fast;              /* see above */
    bool body_refused;      /* set by the server when `begin` responded */
    void *state;            /* the handler's */
    void *internal;         /* the server's */
};

struct http_handler {
    void (*begin)(void *ctx, struct http_request *r);
    void (*body)(void *ctx, struct http_request *r, struct str piece);
    void (*finish)(void *ctx, struct http_request *r);
    void (*done)(void *ctx, struct http_request *r, bool completed);
};

struct http_proxies;

/*
 * TLS 1.2 and 1.3, with PEM files that are read again when they change and when the process gets SIGHUP (os/signal.h):
 * connections that are open stay, new ones get what is new. When the new files are of no use (a certificate without its
 * key, while both are being replaced), the log says so and what was there before stays in use. Plain HTTP on such a port
 * gets 400. Strict-Transport-Security goes with every answer but to localhost, where it would also take http:// from the
 * programs on other ports.
 */
struct http_tls_options {
    const char *certificate_file; /* the server's certificate, then those between it and its CA */
    const char *key_file;
    const char
        *client_ca_file; /* clients are asked for a certificate of these CAs, but need none; one of another CA or out
                                 * of date ends the handshake. NULL: they aren't asked. */
};

struct http_server_options {
    const char *address;                /* "127.0.0.1", "::1", "0.0.0.0" */
    int port;                           /* 0: a free one */
    int network_threads;                /* 0: 1 */
    int pool_threads;                   /* 0: 16 */
    int queue_max;                      /* 0: 1024 */
    int connections_max;                /* 0: 4096 */
    const char *server_name;            /* the Server header; NULL: none */
    const struct http_tls_options *tls; /* NULL: plain HTTP; the texts are copied */
    const struct http_proxies *proxies; /* whose word http/forwarded.h takes; outlives the server; NULL: nobody's */
};

/* ERR_EXISTS when the port is taken: the message names address and port. */
MUST_CHECK int http_server_start(const struct http_server_options *o, const struct http_handler *h, void *ctx,
                                 struct http_server **ret, struct err *err);
int http_server_port(const struct http_server *s);
/* Refuses new requests, waits up to `grace_ms` for those in work, then closes. */
void http_server_stop(struct http_server *s, int grace_ms);

/* The first header of that name (any case), or null. */
struct str http_header(const struct http_request *r, const char *name);
/* All values of a header that may repeat, as separate items of the arena. */
size_t http_headers(struct http_request *r, const char *name, struct str **ret);
/* A decoded query parameter: null when absent, empty for "?name" and "?name=". */
struct str http_query(struct http_request *r, const char *name);
bool http_has_query(struct http_request *r, const char *name);

/* ---- responses: build, then send once. After http_respond_* the request may be gone at any time, but within begin, body
 * and a fast finish. ---- */

struct http_response {
    int status;
    struct http_header *headers;
    size_t header_count, header_cap;
};

struct http_response *http_response_new(struct http_request *r, int status);
void http_response_add(struct http_request *r, struct http_response *p, const char *name, struct str value);
void http_response_addf(struct http_request *r, struct http_response *p, const char *name, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* For HEAD, a Content-Length among the headers is the one said; elsewhere such a header is ignored. */
void http_respond_empty(struct http_request *r, struct http_response *p);
/* Copies the text. HEAD: Content-Length only. */
void http_respond_text(struct http_request *r, struct http_response *p, const char *content_type, struct str body);
/* Takes the buffer's memory over: *body is empty after. */
void http_respond_buf(struct http_request *r, struct http_response *p, const char *content_type, struct buf *body);
/* Sends n bytes of a file from offset by sendfile; owns and closes fd. */
void http_respond_file(struct http_request *r, struct http_response *p, int fd, uint64_t offset, uint64_t n);
/* Streams: `read` fills up to n bytes and returns how many, 0 at the end, negative to break the connection (the client
 * sees a truncated answer). Runs on a network thread: must not block. size -1: chunked. `release` may be NULL. */
void http_respond_stream(struct http_request *r, struct http_response *p, int64_t size,
                         ssize_t (*read)(void *state, uint64_t offset, char *to, size_t n),
                         void (*release)(void *state), void *state);

#endif
