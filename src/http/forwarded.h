/*
 * Where a request came from and what its client believes to talk to: scheme, host and port for the URLs that an answer
 * tells, and the client's address. Behind a proxy that is what the proxy says in X-Forwarded-Proto, -Host, -Port and -For,
 * or in Forwarded (RFC 7239); believed only when the peer is a proxy that the platform's owner trusts, because anybody can
 * send these headers. One of the two kinds is read, never both: a proxy that writes one kind passes on what the client
 * wrote as the other.
 */
#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include "http/server.h"

/* A network: "10.0.0.0/8", "::1". IPv4 is kept as IPv4-mapped IPv6. */
struct http_network {
    unsigned char address[16];
    int bits;
};
MUST_CHECK int http_network_parse(struct str text, struct http_network *ret, struct err *err);
bool http_network_has(const struct http_network *networks, size_t n, struct str address);

/* The proxies that are trusted, and which kind of header they write. */
struct http_proxies {
    const struct http_network *networks;
    size_t n;
    bool write_forwarded; /* Forwarded; otherwise X-Forwarded-… */
};

struct http_origin {
    struct str scheme; /* "http" or "https" */
    struct str host;   /* lower case; an IPv6 address in brackets */
    int port;
    struct str client; /* an address without port */
};

/* ERR_INVALID: the request has no Host or a malformed one, or a trusted proxy sends nonsense. To be answered with 400. */
MUST_CHECK int http_origin_read(struct http_request *r, const struct http_proxies *proxies, struct http_origin *ret,
                                struct err *err);
/* As http_origin_read, with the proxies that the server's options name. */
MUST_CHECK int http_origin_of(struct http_request *r, struct http_origin *ret, struct err *err);
/* "https://example.org", with the port unless it is the scheme's own. */
void http_origin_url(struct buf *to, const struct http_origin *o);

#endif
