/* The HTTP client, over libcurl: `sql`, health checks, external services. One request at a time a handle; blocking. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "http/server.h"

struct http_client;

MUST_CHECK int http_client_new(struct http_client **ret,
                               struct err *err); /* keeps connections alive between requests */
void http_client_free(struct http_client *c);

struct http_client_request {
    const char *method, *url;
    const struct http_header *headers;
    size_t header_count;
    struct str body;     /* null: none */
    int timeout_ms;      /* 0: 30 s */
    size_t response_max; /* bytes; 0: 64 MiB */
    const char *ca_file; /* NULL: the system's */
    const char
        *connect_to; /* "ADDRESS:PORT" to go to instead of the URL's, whose host the certificate is still for; NULL */
};

struct http_client_response {
    int status;
    struct http_header *headers; /* names in lower case */
    size_t header_count;
    struct buf body; /* the caller's to release */
};

/* ERR_UNAVAILABLE when nobody listens, ERR_TIMEOUT, ERR_IO; any status is a success here. */
MUST_CHECK int http_client_do(struct http_client *c, struct arena *a, const struct http_client_request *q,
                              struct http_client_response *ret, struct err *err);
struct str http_client_header(const struct http_client_response *p, const char *name);

#endif
