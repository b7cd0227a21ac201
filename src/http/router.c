#include "http/router.h"

#include "base/enc.h"
#include "base/log.h"

enum segment_kind { SEGMENT_TEXT, SEGMENT_PARAM, SEGMENT_REST };

struct segment {
    enum segment_kind kind;
    struct str text; /* or the parameter's name */
};

struct compiled {
    const struct http_route *route;
    struct segment segments[HTTP_ROUTE_SEGMENTS_MAX];
    size_t n, param_count;
};

struct http_router {
    struct http_router_options options;
    struct compiled *routes; /* the most particular first; those of one pattern side by side */
    size_t n;
};

/* ---- patterns ---- */

static int compile(const struct http_route *route, struct compiled *ret, struct err *err)
{
    struct str rest = str_from_cstr(route->pattern), part;
    struct compiled c = {.route = route};

    if (!str_starts_with(rest, STR("/")))
        return err_set(err, ERR_INVALID, "a route's pattern starts with '/', not so %s", route->pattern);
    rest = str_skip(rest, 1);
    while (rest.n && str_split(&rest, '/', &part)) {
        struct segment s = {SEGMENT_TEXT, part};

        if (c.n == HTTP_ROUTE_SEGMENTS_MAX)
            return err_set(err, ERR_INVALID, "%s has more than %d segments", route->pattern, HTTP_ROUTE_SEGMENTS_MAX);
        if (c.n && c.segments[c.n - 1].kind == SEGMENT_REST)
            return err_set(err, ERR_INVALID, "%s goes on after the rest", route->pattern);
        if (str_starts_with(part, STR("{"))) {
            if (part.n < 3 || part.p[part.n - 1] != '}')
                return err_set(err, ERR_INVALID, "%s has a parameter without name or end", route->pattern);
            s = (struct segment){SEGMENT_PARAM, str_slice(part, 1, part.n - 2)};
            if (str_ends_with(s.text, STR("...")))
                s = (struct segment){SEGMENT_REST, str_slice(s.text, 0, s.text.n - 3)};
            c.param_count++;
        } else if (part.n == 0) {
            return err_set(err, ERR_INVALID, "%s has an empty segment", route->pattern);
        }
        c.segments[c.n++] = s;
    }
    *ret = c;
    return 0;
}

/* < 0: `a` is to be tried before `b`; 0: they match the same paths. */
static int compare_patterns(const struct compiled *a, const struct compiled *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        const struct segment *x = &a->segments[i], *y = &b->segments[i];
        if (x->kind != y->kind)
            return x->kind < y->kind ? -1 : 1;
        int order = x->kind == SEGMENT_TEXT ? str_cmp(x->text, y->text) : 0;
        if (order)
            return order;
    }
    /* The one that is a beginning of the other has no rest, or matches less than the other's rest. */
    return a->n == b->n ? 0 : a->n < b->n ? -1 : 1;
}

static int compare_routes(const void *a, const void *b)
{
    const struct compiled *x = a, *y = b;
    int order = compare_patterns(x, y);

    if (order)
        return order;
    if (!x->route->method || !y->route->method)
        return !x->route->method - !y->route->method;
    return str_cmp(str_from_cstr(x->route->method), str_from_cstr(y->route->method));
}

int http_router_new(const struct http_router_options *o, struct http_router **ret, struct err *err)
{
    struct http_router *router = calloc(1, sizeof(*router));
    int rc = 0;

    if (router)
        router->routes = calloc(o->n ? o->n : 1, sizeof(*router->routes));
    if (!router || !router->routes) {
        free(router);
        return err_set(err, ERR_LIMIT, "no memory for a router");
    }
    router->options = *o;
    router->n = o->n;
    for (size_t i = 0; i < o->n && rc == 0; i++)
        rc = compile(&o->routes[i], &router->routes[i], err);
    if (rc == 0)
        qsort(router->routes, router->n, sizeof(*router->routes), compare_routes);
    for (size_t i = 1; i < router->n && rc == 0; i++) {
        if (compare_routes(&router->routes[i - 1], &router->routes[i]) == 0)
            rc = err_set(err, ERR_INVALID, "two routes take %s %s", router->routes[i].route->method,
                         router->routes[i].route->pattern);
    }
    if (rc < 0) {
        http_router_free(router);
        return rc;
    }
    *ret = router;
    return 0;
}

void http_router_free(struct http_router *router)
{
    if (!router)
        return;
    free(router->routes);
    free(router);
}

/* ---- matching ---- */

struct path {
    struct str segments[HTTP_ROUTE_SEGMENTS_MAX + 1]; /* decoded */
    struct str rests[HTTP_ROUTE_SEGMENTS_MAX + 1];    /* decoded, from that segment to the end */
    size_t n;
};

static struct str decode(struct arena *a, struct str text)
{
    BUF_SCOPED struct buf decoded = {0};

    if (str_find_char(text, '%', 0) == SIZE_MAX)
        return text.n ? text : STR("");
    buf_init(&decoded, text.n);
    if (enc_unpercent(&decoded, text, false, NULL) < 0 || str_find_char(buf_str(&decoded), '\0', 0) != SIZE_MAX)
        return STR_NULL;
    return arena_str(a, buf_str(&decoded));
}

/* False for a path that nothing can match: malformed escapes, NUL. One with more segments than any pattern keeps the first
 * of them, of which the last stands for all that follow. */
static bool split_path(struct http_request *r, struct path *ret)
{
    struct str rest = r->raw_path, part;

    if (!str_starts_with(rest, STR("/")))
        return false;
    rest = str_skip(rest, 1);
    if (str_ends_with(rest, STR("/")))
        rest.n--;
    ret->n = 0;
    if (rest.n == 0)
        return true;
    for (struct str left = rest; ret->n <= HTTP_ROUTE_SEGMENTS_MAX && str_split(&rest, '/', &part); left = rest) {
        ret->rests[ret->n] = decode(r->arena, left);
        ret->segments[ret->n] = decode(r->arena, part);
        if (str_is_null(ret->rests[ret->n]) || str_is_null(ret->segments[ret->n]))
            return false;
        ret->n++;
    }
    return true;
}

static bool matches(const struct compiled *c, const struct path *p)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->segments[i].kind == SEGMENT_REST)
            return true;
        if (i == p->n || p->segments[i].n == 0)
            return false;
        if (c->segments[i].kind == SEGMENT_TEXT && !str_eq(c->segments[i].text, p->segments[i]))
            return false;
    }
    return c->n == p->n;
}

static bool takes_method(const struct http_route *route, struct str method)
{
    return !route->method || str_eq_cstr(method, route->method) ||
           (str_eq(method, STR("HEAD")) && strcmp(route->method, "GET") == 0);
}

/* Among the routes of one pattern, `first` … : NULL and *ret_allow when none takes the method. */
static const struct compiled *choose(const struct http_router *router, const struct compiled *first,
                                     struct http_request *r, const char **ret_allow)
{
    const struct compiled *found = NULL;
    BUF_SCOPED struct buf allow;

    buf_init(&allow, 1024);
    for (const struct compiled *c = first; c < router->routes + router->n && compare_patterns(first, c) == 0; c++) {
        const char *method = c->route->method;

        if (method && str_eq_cstr(r->method, method))
            return c; /* an exact one goes before GET for HEAD, and before "any" */
        if (!found && takes_method(c->route, r->method))
            found = c;
        if (method)
            buf_addf(&allow, "%s%s%s", allow.n ? ", " : "", method, strcmp(method, "GET") == 0 ? ", HEAD" : "");
    }
    if (!found)
        *ret_allow = arena_str(r->arena, buf_str(&allow)).p;
    return found;
}

/* ---- a call ---- */

struct routed {
    struct http_call call;
    struct buf body;
    bool called;
};

static void refuse(struct http_router *router, struct http_request *r, int status, const char *allow)
{
    const char *text = status == 404   ? "Not found.\n"
                       : status == 405 ? "Method not allowed.\n"
                       : status == 413 ? "The body is too large.\n"
                                       : "Malformed request.\n";

    if (router->options.refuse) {
        router->options.refuse(router->options.ctx, r, status, allow);
        return;
    }
    struct http_response *p = http_response_new(r, status);
    if (allow)
        http_response_add(r, p, "Allow", str_from_cstr(allow));
    http_respond_text(r, p, "text/plain", str_from_cstr(text));
}

static void take_params(struct routed *q, struct http_request *r, const struct compiled *c, const struct path *p)
{
    q->call.params = arena_array(r->arena, struct str, c->param_count + 1);
    for (size_t i = 0; i < c->n; i++) {
        if (c->segments[i].kind == SEGMENT_PARAM)
            q->call.params[q->call.param_count++] = p->segments[i];
        else if (c->segments[i].kind == SEGMENT_REST)
            q->call.params[q->call.param_count++] = i < p->n ? p->rests[i] : STR("");
    }
}

static void begin(void *ctx, struct http_request *r)
{
    struct http_router *router = ctx;
    struct path *path = arena_new(r->arena, struct path);
    const struct compiled *first = router->routes, *end = router->routes + router->n;
    const char *allow = NULL;

    if (!split_path(r, path)) {
        refuse(router, r, 400, NULL);
        return;
    }
    while (first < end && !matches(first, path))
        first++;
    if (first == end) {
        refuse(router, r, 404, NULL);
        return;
    }
    const struct compiled *c = choose(router, first, r, &allow);
    if (!c) {
        refuse(router, r, 405, allow);
        return;
    }
    size_t body_max = c->route->body_max ? c->route->body_max : HTTP_ROUTE_BODY_MAX;
    if (r->content_length > 0 && (uint64_t)r->content_length > body_max) {
        refuse(router, r, 413, NULL);
        return;
    }
    struct routed *q = arena_new(r->arena, struct routed);
    q->call = (struct http_call){.request = r, .route = c->route};
    take_params(q, r, c, path);
    buf_init(&q->body, body_max);
    r->fast = c->route->flags & HTTP_ROUTE_FAST;
    r->state = q;
}

static void body(void *ctx, struct http_request *r, struct str piece)
{
    struct routed *q = r->state;

    if (!q->body.p && r->content_length > 0)
        (void)!buf_reserve(&q->body, (size_t)r->content_length); /* at once: growing would leave copies behind */
    buf_add_str(&q->body, piece);
    if (q->body.failed)
        refuse(ctx, r, 413, NULL);
}

static void finish(void *ctx, struct http_request *r)
{
    const struct http_router_options *o = &((struct http_router *)ctx)->options;
    struct routed *q = r->state;

    q->call.body = q->body.n ? buf_str(&q->body) : STR("");
    q->called = true;
    /* After a response, q may be gone: nothing is read from it behind these calls. */
    const struct http_route *route = q->call.route;
    if (!o->before || o->before(o->ctx, &q->call))
        route->handle(o->ctx, &q->call);
}

static void done(void *ctx, struct http_request *r, bool completed)
{
    const struct http_router_options *o = &((struct http_router *)ctx)->options;
    struct routed *q = r->state;

    if (!q)
        return;
    if (q->called && o->after)
        o->after(o->ctx, &q->call, completed);
    if (q->body.p)
        explicit_bzero(q->body.p, q->body.cap); /* forms and JSON carry passwords */
    buf_release(&q->body);
}

const struct http_handler http_router_handler = {begin, body, finish, done};

struct str http_call_param(const struct http_call *c, const char *name)
{
    struct str rest = str_from_cstr(c->route->pattern), part;
    size_t at = 0;

    while (str_split(&rest, '/', &part)) {
        if (!str_starts_with(part, STR("{")))
            continue;
        part = str_slice(part, 1, part.n - 2);
        if (str_ends_with(part, STR("...")))
            part.n -= 3;
        if (str_eq_cstr(part, name))
            return c->params[at];
        at++;
    }
    log_error("the route %s has no parameter %s", c->route->pattern, name);
    abort();
}
