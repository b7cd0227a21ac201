/*
 * From a table of routes to an http_handler: finds the route, refuses what has none, gathers the body, calls the route's
 * function on the server's pool.
 *
 *   static const struct http_route routes[] = {
 *       {"POST", "/realms/{realm}/protocol/openid-connect/token", post_token, .body_max = 64 << 10},
 *       {"GET", "/admin/realms/{realm}/users/{id}", get_user},
 *   };
 *
 * A pattern's segment is a text, or {name}, which stands for one segment that isn't empty; at the end {name...} stands for
 * the rest, with its slashes, also an empty one. A text goes before {name}, {name} before {name...}, segment by segment from
 * the left, whatever the order of the table: "/users/count" is never the user "count". The path decides which pattern
 * serves (404), then its methods are looked at (405 with Allow), as JAX-RS does. A slash at the path's end is ignored.
 * Segments are decoded once, after they were split: "%2F" is part of a segment.
 */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "http/server.h"

struct http_call;

enum {
    HTTP_ROUTE_FAST = 1 << 0, /* called on a network thread: must not block */
    HTTP_ROUTE_OWN = 1 << 8,  /* this bit and those above it are the service's own */
};

struct http_route {
    const char *method; /* "GET" serves HEAD too; NULL: any that has no route of its own */
    const char *pattern;
    void (*handle)(void *ctx, struct http_call *c); /* leads to one http_respond_*, then or later, from any thread */
    unsigned flags;
    size_t body_max; /* bytes; 0: HTTP_ROUTE_BODY_MAX. More is refused with 413. */
};

enum { HTTP_ROUTE_BODY_MAX = 64 << 10, HTTP_ROUTE_SEGMENTS_MAX = 24 };

struct http_call {
    struct http_request *request;
    const struct http_route *route;
    struct str body;    /* all of it; empty when there is none. Wiped after the call. */
    struct str *params; /* decoded, in the order of the pattern */
    size_t param_count;
    void *state; /* the service's, for `after` */
};

struct http_router_options {
    const struct http_route *routes; /* outlive the router, and so do their texts */
    size_t n;
    void *ctx; /* for all functions here */
    /* Answers a request that no route takes: 400 a path that can't be, 404, 405 (`allow` is then the Allow header's value,
     * which this has to add; else NULL), 413. On a network thread or the pool, must not block. NULL: a line of text. */
    void (*refuse)(void *ctx, struct http_request *r, int status, const char *allow);
    /* Called before each route's function, on the same thread: authentication, common headers. False: it has responded (or
     * will), and the function isn't called. May be NULL. */
    bool (*before)(void *ctx, struct http_call *c);
    /* The answer is sent or the client gone: as http_handler's `done`, for calls that reached `before`. May be NULL. */
    void (*after)(void *ctx, struct http_call *c, bool completed);
};

struct http_router;

/* ERR_INVALID for a malformed pattern, and for two routes with the same method and pattern. */
MUST_CHECK int http_router_new(const struct http_router_options *o, struct http_router **ret, struct err *err);
void http_router_free(struct http_router *router); /* after the server has stopped */
/* For http_server_start, with the router as its ctx. */
extern const struct http_handler http_router_handler;

/* The parameter that the pattern calls `name`. Aborts when it has none: a mistake in the program. */
struct str http_call_param(const struct http_call *c, const char *name);

#endif
