/* What every endpoint does first and last: the realm, who asks from where, and the headers of the answer. */
#include "base/log.h"
#include "http/forwarded.h"
#include "http/url.h"
#include "identity/login/redirect.h"
#include "identity/oidc/internal.h"

int identity_base_url(const struct identity_context *c, struct http_request *r, struct str *ret, struct err *err)
{
    struct http_origin origin;
    BUF_SCOPED struct buf b = {0};
    int rc;

    if (c->public_url.n) {
        *ret = c->public_url;
        return 0;
    }
    rc = http_origin_of(r, &origin, err);
    if (rc < 0)
        return rc;
    buf_init(&b, 1024);
    http_origin_url(&b, &origin);
    *ret = arena_str(r->arena, buf_str(&b));
    return buf_check(&b, "the request's host", err);
}

void identity_add_headers(struct http_request *r, struct http_response *p)
{
    http_response_add(r, p, "Referrer-Policy", STR("no-referrer"));
    http_response_add(r, p, "Strict-Transport-Security", STR("max-age=31536000; includeSubDomains"));
    http_response_add(r, p, "X-Content-Type-Options", STR("nosniff"));
    http_response_add(r, p, "X-Robots-Tag", STR("none"));
}

/* ---- CORS ---- */

/* Before the client is known an error may be read by any page: it says nothing that the page didn't know. */
static bool origin_allowed(const struct call *c, struct str origin)
{
    if ((c->flags & CALL_CORS_ALL) || !c->client)
        return true;
    return redirect_allows_origin(c->a, c->client, c->base, origin);
}

static void add_cors(const struct call *c, struct http_response *p)
{
    struct str origin = http_header(c->r, "Origin");

    if (!origin.p || origin.n > HTTP_URL_MAX || !origin_allowed(c, origin))
        return;
    http_response_add(c->r, p, "Access-Control-Allow-Origin", origin);
    http_response_add(c->r, p, "Access-Control-Expose-Headers", STR("Access-Control-Allow-Methods,DPoP-Nonce"));
    http_response_add(c->r, p, "Vary", STR("Origin"));
    if (c->client)
        http_response_add(c->r, p, "Access-Control-Allow-Credentials", STR("true"));
}

void oidc_options(void *ctx, struct http_call *http)
{
    struct http_request *r = http->request;
    struct http_response *p = http_response_new(r, 200);
    struct str origin = http_header(r, "Origin");

    (void)ctx;
    identity_add_headers(r, p);
    if (origin.p && origin.n <= HTTP_URL_MAX) {
        http_response_add(r, p, "Access-Control-Allow-Origin", origin);
        http_response_add(r, p, "Access-Control-Allow-Methods", STR("GET, POST, OPTIONS"));
        http_response_add(r, p, "Access-Control-Allow-Headers",
                          STR("Origin, Accept, X-Requested-With, Content-Type, Access-Control-Request-Method, "
                              "Access-Control-Request-Headers, DPoP, Authorization"));
        http_response_add(r, p, "Access-Control-Allow-Credentials", STR("true"));
        http_response_add(r, p, "Access-Control-Max-Age", STR("3600"));
        http_response_add(r, p, "Vary", STR("Origin"));
    }
    http_respond_empty(r, p);
}

/* ---- answers ---- */

struct http_response *call_response(struct call *c, int status)
{
    struct http_response *p = http_response_new(c->r, status);

    if (c->flags & CALL_NO_STORE) {
        http_response_add(c->r, p, "Cache-Control",
                          c->flags & CALL_NO_CACHE ? STR("no-store, no-cache") : STR("no-store"));
        http_response_add(c->r, p, "Pragma", STR("no-cache"));
    } else if (status / 100 == 2) {
        http_response_add(c->r, p, "Cache-Control", STR("no-cache"));
    }
    identity_add_headers(c->r, p);
    add_cors(c, p);
    return p;
}

void call_answer(struct call *c, int status, struct buf *json)
{
    struct http_response *p = call_response(c, status);

    http_response_add(c->r, p, "X-Frame-Options", STR("SAMEORIGIN"));
    http_respond_buf(c->r, p, "application/json", json);
}

void call_answer_empty(struct call *c, int status)
{
    struct http_response *p = call_response(c, status);

    http_response_add(c->r, p, "Content-Security-Policy",
                      STR("frame-src 'self'; frame-ancestors 'self'; object-src 'none';"));
    http_response_add(c->r, p, "X-Frame-Options", STR("SAMEORIGIN"));
    http_respond_empty(c->r, p);
}

void call_fail(struct call *c, int status, const char *error, const char *event_error, const char *description)
{
    struct buf b;
    struct json_writer w;

    if (event_error && c->realm) {
        event_add(&c->event, "reason", str_from_cstr(description));
        event_fail(c->context->events, &c->event, event_error);
    }
    buf_init(&b, 16384);
    json_writer_init(&w, &b);
    json_open_object(&w);
    json_key(&w, "error");
    json_add_cstr(&w, error);
    if (description) {
        json_key(&w, "error_description");
        json_add_cstr(&w, description);
    }
    json_close_object(&w);
    call_answer(c, status, &b);
}

void call_broken(struct call *c)
{
    bool later = c->err.code == ERR_UNAVAILABLE || c->err.code == ERR_CONFLICT || c->err.code == ERR_TIMEOUT ||
                 c->err.code == ERR_LIMIT;

    log_error("%.*s: %s", STR_ARG(c->r->path), c->err.message);
    if (later)
        call_fail(c, 503, "temporarily_unavailable", NULL, "Try again later");
    else
        call_fail(c, 500, "unknown_error", NULL, "For more on this error consult the server log.");
}

/* ---- the beginning ---- */

static bool is_private(struct str address)
{
    static const char *const private_networks[] = {"127.0.0.0/8",    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                                   "169.254.0.0/16", "::1",        "fc00::/7",      "fe80::/10"};

    for (size_t i = 0; i < ARRAY_LEN(private_networks); i++) {
        struct http_network n;
        if (http_network_parse(str_from_cstr(private_networks[i]), &n, NULL) == 0 && http_network_has(&n, 1, address))
            return true;
    }
    return false;
}

/* The realm's sslRequired: "all", "external" (all but private addresses) or "none". */
static bool transport_allowed(const struct call *c, const struct http_origin *origin)
{
    struct str required = json_opt_str(c->realm->rep, "sslRequired", STR("external"));

    if (str_eq(origin->scheme, STR("https")) || str_eq_nocase(required, STR("none")))
        return true;
    return str_eq_nocase(required, STR("external")) && is_private(origin->client);
}

static bool read_form(struct call *c)
{
    if (!str_eq(c->r->method, STR("POST")) || c->http->body.n == 0)
        return true;
    if (!http_form_is_type(http_header(c->r, "Content-Type"))) {
        call_fail(c, 415, "HTTP 415 Unsupported Media Type", NULL, NULL);
        return false;
    }
    if (http_form_parse(c->a, c->http->body, &c->form, &c->err) < 0) {
        call_fail(c, 400, "invalid_request", NULL, "Malformed form");
        return false;
    }
    return true;
}

bool call_begin(struct call *c, void *ctx, struct http_call *http, const char *type, unsigned flags)
{
    struct http_origin origin;
    int rc;

    *c = (struct call){.o = ctx, .http = http, .r = http->request, .a = http->request->arena, .flags = flags};
    c->context = c->o->context;
    if (http_origin_of(c->r, &origin, &c->err) < 0 || identity_base_url(c->context, c->r, &c->base, &c->err) < 0) {
        call_fail(c, 400, "invalid_request", NULL, "The request has no usable Host");
        return false;
    }
    c->ip = origin.client;
    rc = identity_realm(c->context->model, http_call_param(http, "realm"), &c->realm, &c->err);
    if (rc == ERR_NOT_FOUND) {
        c->flags &= ~(unsigned)CALL_NO_STORE;
        call_fail(c, 404, "Realm does not exist", NULL, NULL);
        return false;
    }
    if (rc < 0) {
        call_broken(c);
        return false;
    }
    c->issuer = token_issuer(c->a, c->base, c->realm);
    c->event = event_of(c->realm, type, STR_NULL, c->ip);
    if (!transport_allowed(c, &origin)) {
        call_fail(c, 403, "invalid_request", "ssl_required", "HTTPS required");
        return false;
    }
    if (!c->realm->enabled) {
        call_fail(c, 403, "access_denied", "realm_disabled", "Realm not enabled");
        return false;
    }
    return read_form(c);
}

void call_end(struct call *c)
{
    if (c->realm)
        realm_unref(c->realm);
    c->realm = NULL;
}

struct str call_param(const struct call *c, const char *name)
{
    struct str s = http_form_get(&c->form, name);

    return s.n ? s : STR_NULL;
}

void call_event_client(struct call *c, const struct client *client)
{
    c->client = client;
    c->event.client_id = client->client_id;
}

void call_succeeded(struct call *c)
{
    event_write(c->context->events, &c->event);
}
