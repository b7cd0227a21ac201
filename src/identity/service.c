#include "identity/service.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/vec.h"
#include "identity/admin/admin.h"
#include "identity/brute.h"
#include "identity/consent.h"
#include "identity/login/login.h"
#include "identity/provision.h"
#include "os/file.h"
#include "os/signal.h"
#include "pki/pki.h"

enum {
    POOL_THREADS = 8, /* they wait for argon2id and the disk */
    STOP_GRACE_MS = 10 * 1000,
};

struct service {
    const struct spec *spec;
    struct arena arena;
    struct db *db;
    struct identity_context context;
    struct login login; /* what routes get; begins with struct oidc */
    struct http_router *router;
};

/* ---- what is not a realm's ---- */

static void respond_json(struct http_request *r, int status, struct str text)
{
    struct http_response *p = http_response_new(r, status);

    identity_add_headers(r, p);
    http_response_add(r, p, "Cache-Control", STR("no-store"));
    http_respond_text(r, p, "application/json", text);
}

/* Keycloak's health checks, on the one port that there is. */
static void get_health(void *ctx, struct http_call *call)
{
    (void)ctx;
    respond_json(call->request, 200, STR("{\"status\":\"UP\",\"checks\":[]}"));
}

static void get_root(void *ctx, struct http_call *call)
{
    const struct login *l = ctx;
    struct http_request *r = call->request;
    struct http_response *p = http_response_new(r, 302);
    struct str *names;

    identity_add_headers(r, p);
    size_t n = identity_realm_names(l->oidc.context->model, r->arena, &names);
    struct str realm = STR("master");
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(names[i], STR("master")))
            realm = names[i];
    }
    http_response_addf(r, p, "Location", "/realms/%.*s/account", STR_ARG(realm));
    http_respond_empty(r, p);
}

static const struct http_route own_routes[] = {
    {.method = "GET", .pattern = "/health", .handle = get_health, .flags = HTTP_ROUTE_FAST},
    {.method = "GET", .pattern = "/health/{kind}", .handle = get_health, .flags = HTTP_ROUTE_FAST},
    {.method = "GET", .pattern = "/", .handle = get_root},
};

static void refuse(void *ctx, struct http_request *r, int status, const char *allow)
{
    login_refuse(ctx, r, status, allow);
}

static int make_router(struct service *s, struct err *err)
{
    const struct {
        const struct http_route *routes;
        size_t n;
    } parts[] = {
        {own_routes, ARRAY_LEN(own_routes)},
        {login_routes, login_route_count},
        {oidc_routes, oidc_route_count},
        {admin_routes, admin_route_count},
    };
    VEC(struct http_route) all = {0};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        for (size_t j = 0; j < parts[i].n; j++)
            vec_push_in(&s->arena, &all, parts[i].routes[j]);
    }
    const struct http_router_options options = {.routes = all.items, .n = all.n, .ctx = &s->login, .refuse = refuse};
    return http_router_new(&options, &s->router, err);
}

/* ---- opening and closing ---- */

static int open_database(const struct spec *spec, struct arena *a, struct db **ret, struct err *err)
{
    const struct spec_postgresql *p = &spec->identity.database;
    const struct db_server server = {
        .host = p->host, .port = p->port, .database = p->database, .user = p->user, .password_file = p->password_file};

    if (!p->is_set)
        return db_open_sqlite(path_join(a, spec->data_dir, STR("identity.db")).p, ret, err);
    int rc = db_open_server(&server, ret, err);
    return rc < 0 ? err_prefix(err, "identity.database") : 0;
}

static int open_parts(struct service *s, const struct secrets *secrets, struct err *err)
{
    struct identity_context *c = &s->context;
    int rc = open_database(s->spec, &s->arena, &s->db, err);

    if (rc == 0)
        rc = identity_open(s->db, &c->model, err);
    if (rc == 0)
        rc = consent_open(s->db, err);
    if (rc == 0)
        rc = events_open(s->db, &c->events, err);
    if (rc == 0)
        rc = sessions_open(c->model, &c->sessions, err);
    if (rc < 0)
        return rc;
    c->brute = brute_new(c->model, c->events);
    c->public_url = s->spec->identity.url;
    c->ca_file = pki_ca_file(&s->arena, s->spec);
    c->secure_cookies = s->spec->tls.on || str_starts_with(c->public_url, STR("https://"));
    s->login.oidc.context = c;
    rc = tokens_open(c, &s->login.oidc.tokens, err);
    if (rc == 0)
        rc = logout_open(c, &s->login.oidc.logout, err);
    if (rc < 0)
        return rc;
    login_init(&s->login);
    rc = provision(c->model, s->spec, secrets, err);
    return rc < 0 ? rc : make_router(s, err);
}

static void close_parts(struct service *s)
{
    http_router_free(s->router);
    if (s->login.flows)
        login_release(&s->login);
    if (s->login.oidc.logout)
        logout_close(s->login.oidc.logout, STOP_GRACE_MS);
    if (s->login.oidc.tokens)
        tokens_close(s->login.oidc.tokens);
    brute_free(s->context.brute);
    if (s->context.sessions)
        sessions_close(s->context.sessions);
    events_close(s->context.events);
    if (s->context.model)
        identity_close(s->context.model);
    if (s->db)
        db_close(s->db);
    arena_release(&s->arena);
}

/* ---- running ---- */

static int take_secrets(void *ctx, const struct secrets *now, struct err *err)
{
    struct service *s = ctx;

    return provision(s->context.model, s->spec, now, err);
}

static int serve(struct service *s, int64_t began_ms, struct err *err)
{
    const struct spec *spec = s->spec;
    struct http_server *server;
    const struct http_server_options options = {.address = arena_cstr(&s->arena, spec->bind),
                                                .port = spec->identity_service.port,
                                                .pool_threads = POOL_THREADS,
                                                .tls = pki_tls(&s->arena, spec),
                                                .proxies = &spec->proxies};
    int rc = http_server_start(&options, &http_router_handler, s->router, &server, err);

    if (rc < 0)
        return rc;
    log_info("listening on %s:%d after %lld ms", options.address, http_server_port(server),
             (long long)(clock_mono_ms() - began_ms));
    while (!signal_wait_stop(-1))
        ;
    log_info("stopping");
    http_server_stop(server, STOP_GRACE_MS);
    return 0;
}

int identity_service_run(const struct spec *spec, struct secrets *secrets, struct err *err)
{
    struct service s = {.spec = spec};
    struct secrets_watch *watch = NULL;
    int64_t began_ms = clock_mono_ms();

    arena_init(&s.arena, 0);
    signal_setup();
    int rc = open_parts(&s, secrets, err);
    if (rc == 0)
        rc = secrets_watch_start(secrets, "identity", take_secrets, &s, &watch, err);
    if (rc == 0)
        rc = serve(&s, began_ms, err);
    secrets_watch_stop(watch);
    close_parts(&s);
    return rc;
}

/* ---- import and export, without the service ---- */

static int open_model(const struct spec *spec, struct arena *a, struct db **ret_db, struct identity **ret,
                      struct err *err)
{
    struct str folder = path_join(a, spec->data_dir, STR(""));
    int rc = file_make_folders(folder.p, 0700, err);

    if (rc == 0)
        rc = open_database(spec, a, ret_db, err);
    if (rc == 0)
        rc = identity_open(*ret_db, ret, err);
    return rc;
}

static void close_model(struct db *db, struct identity *model)
{
    if (model)
        identity_close(model);
    if (db)
        db_close(db);
}

static int import_realm(struct identity *model, const json_t *rep, bool replace, struct err *err)
{
    CHANGE_SCOPED struct identity_change *c = NULL;
    struct str name = json_opt_str(rep, "realm", STR(""));
    REALM_SCOPED struct realm *r = NULL;
    int rc = identity_realm(model, name, &r, err);

    if (rc == 0 && !replace)
        return err_set(err, ERR_EXISTS, "there is a realm %.*s: --replace puts the file's in its place", STR_ARG(name));
    if (rc < 0 && rc != ERR_NOT_FOUND)
        return rc;
    *err = (struct err){0};
    rc = identity_change_begin(model, &c, err);
    if (rc == 0 && r)
        rc = identity_change_drop_realm(c, name, err);
    if (rc == 0)
        rc = identity_import_realm(c, rep, err);
    if (rc == 0)
        rc = identity_change_commit(c, err);
    return rc < 0 ? err_prefix(err, "realm %.*s", STR_ARG(name)) : 0;
}

int identity_service_import(const struct spec *spec, const json_t *file, bool replace, size_t *ret_n, struct err *err)
{
    ARENA_SCOPED struct arena a;
    struct db *db = NULL;
    struct identity *model = NULL;
    size_t n = json_is_array(file) ? json_array_size(file) : 1;
    int rc;

    arena_init(&a, 0);
    if (!json_is_array(file) && !json_is_object(file))
        return err_set(err, ERR_INVALID, "expected a realm export: a JSON object, or an array of them");
    rc = open_model(spec, &a, &db, &model, err);
    *ret_n = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = import_realm(model, json_is_array(file) ? json_array_get(file, i) : file, replace, err);
        *ret_n += rc == 0;
    }
    close_model(db, model);
    return rc;
}

int identity_service_export(const struct spec *spec, struct str realm, bool with_users, json_t **ret, struct err *err)
{
    ARENA_SCOPED struct arena a;
    struct db *db = NULL;
    struct identity *model = NULL;
    json_t *rep = NULL;
    int rc;

    arena_init(&a, 0);
    rc = open_model(spec, &a, &db, &model, err);
    if (rc == 0)
        rc = identity_export_realm(model, realm, &rep, err);
    close_model(db, model);
    if (rc < 0)
        return rc;
    if (!with_users)
        json_object_del(rep, "users");
    *ret = rep;
    return 0;
}
