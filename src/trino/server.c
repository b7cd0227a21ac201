/* Routes and what all answers share. */
#include "trino/internal.h"

#include "base/clock.h"
#include "base/rand.h"
#include "trino/authenticate.h"

#include <zlib.h>

enum {
    TEXT_MAX = 2 << 20,         /* bytes of a statement's text; the parser has its own, smaller limit and message */
    COMPRESS_MIN = 16 << 10,    /* smaller answers fit a few packets anyway */
    CLIENT_TIMEOUT_MS = 300000, /* query.client.timeout's default */
};

/* ---- answers ---- */

static const char *reason(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 410:
        return "Gone";
    case 413:
        return "Request Entity Too Large";
    case 503:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

void respond_error(struct http_request *r, int status, const char *fmt, ...)
{
    struct http_response *p = http_response_new(r, status);
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    (void)n;
    http_response_add(r, p, "Vary", STR("Accept-Encoding"));
    http_respond_text(r, p, "text/plain", arena_printf(r->arena, "Error %d %s: %s", status, reason(status), text));
}

void respond_method_not_allowed(struct http_request *r, const char *allow)
{
    struct http_response *p = http_response_new(r, 405);

    http_response_add(r, p, "Allow", str_from_cstr(allow));
    http_response_add(r, p, "Vary", STR("Accept-Encoding"));
    http_respond_empty(r, p);
}

static bool takes_gzip(const struct http_request *r)
{
    return str_find(http_header(r, "Accept-Encoding"), STR("gzip"), 0) != SIZE_MAX;
}

/* On the machine itself copying is faster than compressing. */
static bool is_local(const struct http_request *r)
{
    return str_starts_with(r->peer, STR("127.")) || str_eq(r->peer, STR("::1"));
}

static bool compress_body(struct buf *body)
{
    enum { GZIP = 15 + 16, FASTEST = 1 };
    struct buf packed;
    z_stream z = {0};

    if (deflateInit2(&z, FASTEST, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    size_t bound = deflateBound(&z, body->n);
    buf_init(&packed, bound);
    char *to = buf_reserve(&packed, bound);
    if (to) {
        z.next_in = (unsigned char *)body->p;
        z.avail_in = (unsigned)body->n;
        z.next_out = (unsigned char *)to;
        z.avail_out = (unsigned)bound;
    }
    bool done = to && deflate(&z, Z_FINISH) == Z_STREAM_END;
    packed.n = z.total_out;
    deflateEnd(&z);
    if (!done) {
        buf_release(&packed);
        return false;
    }
    buf_release(body);
    *body = packed;
    return true;
}

void respond_json(struct http_request *r, struct http_response *p, struct buf *body)
{
    http_response_add(r, p, "Vary", STR("Accept-Encoding"));
    http_response_add(r, p, "X-Content-Type-Options", STR("nosniff"));
    if (body->failed) {
        buf_release(body);
        respond_error(r, 500, "the answer does not fit into memory");
        return;
    }
    if (body->n >= COMPRESS_MIN && takes_gzip(r) && !is_local(r) && compress_body(body))
        http_response_add(r, p, "Content-Encoding", STR("gzip"));
    http_respond_buf(r, p, "application/json", body);
}

struct str base_uri(struct http_request *r)
{
    struct http_origin origin;
    BUF_SCOPED struct buf text = {0};

    if (http_origin_of(r, &origin, NULL) < 0)
        return r->is_tls ? STR("https://localhost") : STR("http://localhost");
    buf_init(&text, 1024);
    http_origin_url(&text, &origin);
    return arena_str(r->arena, buf_str(&text));
}

/* ---- requests ---- */

struct request {
    struct buf body;
};

static bool is_post(const struct http_request *r)
{
    return str_eq(r->method, STR("POST")) && str_eq(r->path, STR("/v1/statement"));
}

/* Where another module's handler serves; NULL: these functions do. */
static struct http_router *router_of(const struct trino_server *s, const struct http_request *r)
{
    return s->iceberg && str_starts_with(r->path, STR("/iceberg/")) ? s->iceberg : NULL;
}

static void begin(void *ctx, struct http_request *r)
{
    struct http_router *router = router_of(ctx, r);

    if (router) {
        http_router_handler.begin(router, r);
        r->fast = r->fast && !((const struct trino_server *)ctx)->authenticators;
        return;
    }
    struct request *q = arena_new(r->arena, struct request);
    buf_init(&q->body, TEXT_MAX);
    r->state = q;
    /* A statement only has its text copied and is queued, which needs no thread of the pool; authenticating may wait. */
    r->fast = is_post(r) && !((const struct trino_server *)ctx)->authenticators;
    if (r->content_length > TEXT_MAX)
        respond_error(r, 413, "A statement has at most %d bytes", TEXT_MAX);
}

static void body(void *ctx, struct http_request *r, struct str piece)
{
    struct http_router *router = router_of(ctx, r);

    if (router) {
        http_router_handler.body(router, r, piece);
        return;
    }
    struct request *q = r->state;
    buf_add_str(&q->body, piece);
    if (q->body.failed)
        respond_error(r, 413, "A statement has at most %d bytes", TEXT_MAX);
}

static void finish(void *ctx, struct http_request *r)
{
    struct trino_server *s = ctx;
    struct request *q = r->state;
    const struct str statement = STR("/v1/statement/");
    struct http_router *router = router_of(s, r);

    if (router)
        http_router_handler.finish(router, r);
    else if (is_post(r))
        statement_post(s, r, buf_str(&q->body));
    else if (str_eq(r->path, STR("/v1/statement")))
        respond_method_not_allowed(r, "HEAD,POST,OPTIONS");
    else if (str_starts_with(r->path, statement) && str_eq(r->method, STR("GET")))
        statement_get(s, r, str_skip(r->path, statement.n));
    else if (str_starts_with(r->path, statement) && str_eq(r->method, STR("DELETE")))
        statement_delete(s, r, str_skip(r->path, statement.n));
    else if (!authenticators_handle(s->authenticators, r) && !info_handle(s, r))
        respond_error(r, 404, "HTTP 404 Not Found");
}

static void done(void *ctx, struct http_request *r, bool completed)
{
    struct http_router *router = router_of(ctx, r);
    struct request *q = r->state;

    if (router)
        http_router_handler.done(router, r, completed);
    else if (q)
        buf_release(&q->body);
}

/* ---- the server ---- */

int trino_server_start(const struct trino_server_options *o, struct trino_server **ret, struct err *err)
{
    static const struct http_handler handler = {begin, body, finish, done};
    const struct http_server_options http = {
        .address = o->address,
        .port = o->port,
        .network_threads = 2,
        .tls = o->tls,
        .proxies = o->proxies,
    };
    struct trino_server *s = calloc(1, sizeof(*s));
    int rc;

    if (!s)
        return err_set(err, ERR_LIMIT, "no memory for the SQL server");
    s->queries = o->queries;
    s->iceberg = o->iceberg;
    s->access = o->access;
    s->authenticators = o->authenticators;
    s->engine = o->engine;
    s->environment = strdup(o->environment ? o->environment : "production");
    s->node_id = strdup(o->node_id ? o->node_id : "sql");
    s->memory_limit = o->memory_limit;
    s->client_timeout_ms = o->client_timeout_ms > 0 ? o->client_timeout_ms : CLIENT_TIMEOUT_MS;
    s->started_us = clock_mono_us();
    rand_bytes(s->slug_key, sizeof(s->slug_key));
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    rc = pthread_create(&s->clock, NULL, statement_run_clock, s);
    if (rc != 0) {
        rc = err_set_errno(err, rc, "cannot start a thread");
    } else if ((rc = http_server_start(&http, &handler, s, &s->http, err)) < 0) {
        statement_stop_all(s);
        pthread_join(s->clock, NULL);
    }
    if (rc < 0) {
        free(s->environment);
        free(s->node_id);
        free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

int trino_server_port(const struct trino_server *s)
{
    return http_server_port(s->http);
}

void trino_server_stop(struct trino_server *s)
{
    if (!s)
        return;
    statement_stop_all(s);
    http_server_stop(s->http, 2000);
    pthread_join(s->clock, NULL);
    statement_drain(s);
    map_release(&s->statements);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s->environment);
    free(s->node_id);
    free(s);
}
