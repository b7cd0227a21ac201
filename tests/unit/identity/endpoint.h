/*
 * The protocol's endpoints of the fixture's realm on a free port, and a client of them: requests as texts, answers as
 * status, headers and JSON.
 */
#ifndef TEST_IDENTITY_ENDPOINT_H
#define TEST_IDENTITY_ENDPOINT_H

#include "fixture.h"
#include "http/client.h"
#include "http/form.h"
#include "identity/oidc.h"

struct endpoint {
    struct fixture *f;
    struct oidc oidc;
    struct http_router *router;
    struct http_server *server;
    struct http_client *client;
    struct str base, issuer;
};

struct reply {
    int status;
    struct http_client_response http;
    struct str text;
    json_t *json; /* NULL: none; lives as long as the fixture's arena */
};

static inline void post_logout_route(void *ctx, struct http_call *c)
{
    oidc_logout_with_refresh(ctx, c);
}

static inline int endpoint_up(void **state)
{
    static struct http_route routes[64];
    struct http_router_options ro = {.routes = routes};
    struct http_server_options so = {.address = "127.0.0.1", .pool_threads = 4};
    struct endpoint *e = calloc(1, sizeof(*e));
    void *fixture = NULL;

    if (fixture_up(&fixture) < 0)
        return -1;
    e->f = fixture;
    e->oidc.context = &e->f->context;
    e->oidc.tokens = e->f->tokens;
    e->f->context.brute = brute_new(e->f->context.model, e->f->context.events);
    must(e->f, logout_open(&e->f->context, &e->oidc.logout, &e->f->err));
    ro.ctx = &e->oidc;
    memcpy(routes, oidc_routes, oidc_route_count * sizeof(routes[0]));
    ro.n = oidc_route_count;
    routes[ro.n++] = (struct http_route){
        .method = "POST", .pattern = "/realms/{realm}/protocol/openid-connect/logout", .handle = post_logout_route};
    must(e->f, http_router_new(&ro, &e->router, &e->f->err));
    must(e->f, http_server_start(&so, &http_router_handler, e->router, &e->server, &e->f->err));
    must(e->f, http_client_new(&e->client, &e->f->err));
    e->base = arena_printf(&e->f->arena, "http://127.0.0.1:%d", http_server_port(e->server));
    e->issuer = arena_printf(&e->f->arena, "%.*s/realms/dataplatform", STR_ARG(e->base));
    *state = e;
    return 0;
}

static inline int endpoint_down(void **state)
{
    struct endpoint *e = *state;
    void *fixture = e->f;

    http_client_free(e->client);
    http_server_stop(e->server, 1000);
    http_router_free(e->router);
    logout_close(e->oidc.logout, 1000);
    brute_free(e->f->context.brute);
    free(e);
    return fixture_down(&fixture);
}

/* path: behind the realm's protocol path, or from '/' on; form NULL: no body; header may be NULL: "Name: value", a line each. */
static inline struct reply ask(struct endpoint *e, const char *method, const char *path, const char *form,
                               const char *header)
{
    struct http_header headers[4] = {{STR("Content-Type"), STR("application/x-www-form-urlencoded")}};
    struct http_client_request q = {.method = method, .headers = headers, .header_count = form ? 1 : 0};
    struct reply r = {0};
    json_t *json = NULL;

    if (!form)
        headers[0] = (struct http_header){STR("Accept"), STR("*/*")};
    q.header_count = 1;
    for (struct str lines = str_from_cstr(header), rest, name; q.header_count < 4 && str_split(&lines, '\n', &rest);) {
        (void)str_split(&rest, ':', &name);
        headers[q.header_count++] = (struct http_header){name, str_trim(rest)};
    }
    q.url = path[0] == '/' ? arena_printf(&e->f->arena, "%.*s%s", STR_ARG(e->base), path).p
                           : arena_printf(&e->f->arena, "%.*s/protocol/openid-connect/%s", STR_ARG(e->issuer), path).p;
    q.body = form ? str_from_cstr(form) : STR_NULL;
    must(e->f, http_client_do(e->client, &e->f->arena, &q, &r.http, &e->f->err));
    r.status = r.http.status;
    r.text = arena_str(&e->f->arena, buf_str(&r.http.body));
    buf_release(&r.http.body);
    if (json_parse(r.text, &json, NULL) == 0)
        r.json = json_keep(&e->f->arena, json);
    return r;
}

static inline struct reply post(struct endpoint *e, const char *path, const char *form)
{
    return ask(e, "POST", path, form, NULL);
}

static inline struct str member(const struct reply *r, const char *name)
{
    return json_str(json_object_get(r->json, name));
}

static inline void expect_error(const struct reply *r, int status, const char *error, const char *description)
{
    if (r->status != status || !str_eq_cstr(member(r, "error"), error) ||
        (description && !str_eq_cstr(member(r, "error_description"), description)))
        fail_msg("expected %d %s \"%s\", got %d %.*s", status, error, description ? description : "", r->status,
                 STR_ARG(r->text));
}

static inline void expect_ok(const struct reply *r)
{
    if (r->status != 200)
        fail_msg("expected 200, got %d %.*s", r->status, STR_ARG(r->text));
}

/* The claims of a token, unverified. */
static inline json_t *claims_of(struct endpoint *e, struct str token)
{
    json_t *claims = NULL;
    struct jws jws;

    must(e->f, jws_parse(&e->f->arena, token, &jws, &e->f->err));
    must(e->f, json_parse(jws.payload, &claims, &e->f->err));
    return json_keep(&e->f->arena, claims);
}

#define TRINO "client_id=trino&client_secret=trino-secret-trino-secret"
#define AIRFLOW "client_id=airflow&client_secret=airflow-secret-airflow"
#define FORM(e, ...) arena_printf(&(e)->f->arena, __VA_ARGS__).p

/* Tokens by the password grant. */
static inline struct reply login(struct endpoint *e, const char *client, const char *scope)
{
    struct reply r = post(e, "token",
                          FORM(e, "grant_type=password&%s&username=alice&password=pw2&scope=%s", client, scope));

    expect_ok(&r);
    return r;
}

/* What the login pages do at their end: a session with the client, and a code. */
static inline const char *code_for(struct endpoint *e, const struct client *c, const struct auth_code *what)
{
    struct auth_code code = *what;
    struct client_session cs;
    struct session s;
    BUF_SCOPED struct buf b = {0};

    fixture_login(e->f, &e->f->alice, c, code.scope.p ? code.scope : STR("openid"), &s, &cs);
    code.session_id = s.id;
    code.client_id = c->id;
    if (!code.scope.p)
        code.scope = STR("openid");
    if (!code.acr.p)
        code.acr = STR("1");
    buf_init(&b, 4096);
    must(e->f, auth_code_new(e->f->context.sessions, e->f->realm, &code, &b, &e->f->err));
    return arena_str(&e->f->arena, buf_str(&b)).p;
}

#endif
