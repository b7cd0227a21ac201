/* What the files of http/ share: an exchange is one request and its response, with who may touch it when. */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include "http/server.h"
#include "os/pool.h"

#include <microhttpd.h>
#include <pthread.h>

enum { IDLE_TIMEOUT_S = 300 };          /* of a connection that neither sends nor takes; suspended ones have none */
enum { CONNECTION_MEMORY = 256 << 10 }; /* headers and pieces of a body; SigV4 and Trino's sessions need 128 KiB */

/* Reference-counted: the server's owner holds one, and each exchange. */
struct http_server {
    struct MHD_Daemon *daemon;
    struct http_handler handler;
    void *ctx;
    struct pool *pool;
    int port;
    char *server_name;
    const struct http_proxies *proxies;
    struct tls *tls;      /* NULL: plain HTTP */
    _Atomic bool cutting; /* connections are closed whatever they wait for */

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t idle;
    struct exchange *exchanges; /* all, a doubly-linked list */
    size_t refs, in_work;
    bool stopping; /* new requests get 503 */
};

/* How far the handler is. */
enum exchange_stage {
    STAGE_NEW,     /* `begin` not called yet */
    STAGE_BODY,    /* pieces come */
    STAGE_REFUSED, /* the response is there (or the pool was full) before the body ended: the rest is dropped */
    STAGE_FINISH,  /* `finish` was called or is queued */
};

/*
 * Two owners: libmicrohttpd, until it says that the request is completed, and the handler, from `begin` until it has
 * responded. The handler's `done` is called by the one that leaves last.
 */
struct exchange {
    struct http_request r;
    struct arena arena;
    struct http_server *server;
    struct exchange *next, *prev;      /* under server->lock */
    struct MHD_Connection *connection; /* NULL once the connection is gone */

    pthread_mutex_t lock; /* guards all below */
    enum exchange_stage stage;
    bool handler_owes; /* `finish` was called, no response came yet */
    bool connection_gone;
    bool suspended;
    bool responded; /* `response` is or was there */
    bool queued;    /* given to libmicrohttpd */
    bool completed; /* the client got it all */
    bool has_body;
    struct MHD_Response *response;
    int status;
    struct buf piece; /* of the body; the handler's while piece_in_work */
    bool piece_in_work;
};

static inline struct exchange *exchange_of(struct http_request *r)
{
    return r->internal;
}

/* Called by libmicrohttpd: the raw target, when the request line is read. */
void *exchange_new(void *server, const char *target, struct MHD_Connection *connection);
enum MHD_Result exchange_handle(void *server, struct MHD_Connection *connection, const char *url, const char *method,
                                const char *version, const char *upload, size_t *upload_n, void **exchange);
void exchange_completed(void *server, struct MHD_Connection *connection, void **exchange,
                        enum MHD_RequestTerminationCode how);
/* Wakes a connection that waits for an answer, so that it sees server->cutting. One whose body's piece is in work wakes
 * when that is done. */
void exchange_wake(struct exchange *x);
/* The handler's response: kept for the network thread to send. */
void exchange_respond(struct exchange *x, int status, struct MHD_Response *response);

/* Splits and decodes x->r.raw_target; fills headers. 0, or the status to refuse the request with. */
int request_init(struct exchange *x, struct MHD_Connection *connection, const char *method, const char *version);

void http_server_unref(struct http_server *s);

/* ---- tls.c ---- */

extern const char tls_priorities[];

MUST_CHECK int tls_new(const struct http_tls_options *o, struct tls **ret, struct err *err);
void tls_free(struct tls *t); /* after the daemon has stopped */
/* The files' texts, for libmicrohttpd, which won't start without; valid until tls_forget_texts. */
const char *tls_certificate_text(const struct tls *t);
const char *tls_key_text(const struct tls *t);
void tls_forget_texts(struct tls *t);
/* Called by libmicrohttpd when a connection is there, before its handshake, and when it is gone. */
void tls_connection_changed(void *tls, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode what);
/* The first request of a connection is here: it may be idle for longer than one that doesn't get through its handshake. */
void tls_connection_arrived(struct MHD_Connection *connection, unsigned idle_timeout_s);
/* "CN=alice, O=Example" of RFC 4514's "CN=alice,O=Example". */
void tls_format_subject(struct buf *to, struct str rfc4514);
/* Of the client's certificate, or null. */
struct str tls_subject(struct MHD_Connection *connection);

#endif
