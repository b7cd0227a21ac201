/*
 * Absolute URLs (RFC 3986), read so that what is compared is what a browser would go to: redirect URIs, origins, issuers.
 * Everything that browsers and servers are known to read differently is refused: user information, backslashes, control
 * characters, spaces, bytes outside ASCII, malformed escapes, fragments.
 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include "base/arena.h"

enum { HTTP_URL_MAX = 8192 };

struct http_url {
    struct str scheme;     /* lower case */
    struct str host;       /* lower case; an IPv6 address with its brackets; null: none ("com.example.app:/callback") */
    int port;              /* the one said, or the scheme's: 80, 443; 0: neither */
    bool port_said;        /* in the text */
    struct str path;       /* as written; empty, or from '/' for http and https */
    struct str query;      /* as written, without '?'; null: none */
    bool has_dot_segments; /* a "." or ".." between slashes, also when escaped: a wildcard must not match it */
};

/* Parts point into `text` or the arena. http and https need a host; other schemes (native applications have their own)
 * may have one; those that run code (javascript, data, vbscript) are refused. */
MUST_CHECK int http_url_parse(struct arena *a, struct str text, struct http_url *ret, struct err *err);
bool http_url_is_web(const struct http_url *u); /* http or https */
/* Scheme, host and port are the same: RFC 6454. */
bool http_url_same_origin(const struct http_url *a, const struct http_url *b);
/* The machine itself, for which OAuth lets native applications choose the port: localhost, 127.0.0.0/8, [::1]. */
bool http_url_is_loopback(const struct http_url *u);

/* "HOST" or "HOST:PORT" of a Host header: *ret_host in lower case, *ret_port 0 when none is said. */
MUST_CHECK int http_url_parse_host(struct arena *a, struct str text, struct str *ret_host, int *ret_port,
                                   struct err *err);

#endif
