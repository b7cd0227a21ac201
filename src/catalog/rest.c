/* The REST catalog's routes, what its handlers share, and the configuration that clients start with. */
#include "catalog/rest_internal.h"

#include "base/log.h"
#include "base/vec.h"

enum {
    CACHE_BYTES = 8 << 20, /* metadata kept parsed */
    BODY_MAX = 16 << 20,   /* a commit with a wide schema */
    ANSWER_MAX = 160 << 20,
    PAGE_MAX = 10000,
};

#define PREFIX "/iceberg/v1/{prefix}"
#define NAMESPACE PREFIX "/namespaces/{namespace}"
#define TABLE NAMESPACE "/tables/{table}"

static void get_config(void *rest, struct http_call *c);

static const struct http_route routes[] = {
    {"GET", "/iceberg/v1/config", get_config, 0, 0},
    {"GET", PREFIX "/namespaces", rest_list_namespaces, 0, 0},
    {"POST", PREFIX "/namespaces", rest_create_namespace, 0, BODY_MAX},
    {"GET", NAMESPACE, rest_get_namespace, 0, 0},
    {"HEAD", NAMESPACE, rest_head_namespace, 0, 0},
    {"DELETE", NAMESPACE, rest_drop_namespace, 0, 0},
    {"POST", NAMESPACE "/properties", rest_update_namespace, 0, BODY_MAX},
    {"GET", NAMESPACE "/tables", rest_list_tables, 0, 0},
    {"POST", NAMESPACE "/tables", rest_create_table, 0, BODY_MAX},
    {"POST", NAMESPACE "/register", rest_register_table, 0, 0},
    {"GET", TABLE, rest_load_table, 0, 0},
    {"HEAD", TABLE, rest_head_table, 0, 0},
    {"POST", TABLE, rest_commit_table, 0, BODY_MAX},
    {"DELETE", TABLE, rest_drop_table, 0, 0},
    {"POST", PREFIX "/tables/rename", rest_rename_table, 0, 0},
};

/* ---- answers ---- */

/* The specification's exceptions by our errors; the first that fits. */
static const struct {
    int code;
    const char *name; /* NULL: any */
    int status;
    const char *type;
} exceptions[] = {
    {ERR_NOT_FOUND, "TABLE_NOT_FOUND", 404, "NoSuchTableException"},
    {ERR_NOT_FOUND, "CATALOG_NOT_FOUND", 404, "NotFoundException"},
    {ERR_NOT_FOUND, NULL, 404, "NoSuchNamespaceException"},
    {ERR_EXISTS, NULL, 409, "AlreadyExistsException"},
    {ERR_CONFLICT, "SCHEMA_NOT_EMPTY", 409, "NamespaceNotEmptyException"},
    {ERR_CONFLICT, NULL, 409, "CommitFailedException"},
    {ERR_INVALID, NULL, 400, "BadRequestException"},
    {ERR_LIMIT, NULL, 400, "BadRequestException"},
    {ERR_DENIED, NULL, 403, "ForbiddenException"},
    {ERR_UNSUPPORTED, NULL, 406, "UnsupportedOperationException"},
    {ERR_UNAVAILABLE, "COMMIT_STATE_UNKNOWN", 500, "CommitStateUnknownException"},
    {ERR_UNAVAILABLE, NULL, 503, "ServiceUnavailableException"},
};

static void write_error(struct http_request *r, int status, const char *type, struct str message)
{
    struct http_response *p = http_response_new(r, status);
    struct buf body;
    struct json_writer w;

    buf_init(&body, 64 << 10);
    json_writer_init(&w, &body);
    json_open_object(&w);
    json_key(&w, "error");
    json_open_object(&w);
    json_key(&w, "message");
    json_add_str(&w, message);
    json_key(&w, "type");
    json_add_cstr(&w, type);
    json_key(&w, "code");
    json_add_i64(&w, status);
    json_close_object(&w);
    json_close_object(&w);
    http_respond_buf(r, p, "application/json", &body);
}

void rest_fail(struct http_call *c, const struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(exceptions); i++) {
        if (err->code != exceptions[i].code ||
            (exceptions[i].name && (!err->name || strcmp(err->name, exceptions[i].name) != 0)))
            continue;
        write_error(c->request, exceptions[i].status, exceptions[i].type, str_from_cstr(err->message));
        return;
    }
    log_error("%.*s %.*s: %s", STR_ARG(c->request->method), STR_ARG(c->request->raw_path), err->message);
    write_error(c->request, 500, "InternalServerError", str_from_cstr(err->message));
}

static void refuse(void *ctx, struct http_request *r, int status, const char *allow)
{
    (void)ctx;
    if (allow) {
        struct http_response *p = http_response_new(r, status);
        http_response_add(r, p, "Allow", str_from_cstr(allow));
        http_respond_empty(r, p);
        return;
    }
    write_error(r, status, status == 404 ? "NotFoundException" : "BadRequestException",
                status == 404   ? arena_printf(r->arena, "No route for request: %.*s %.*s", STR_ARG(r->method),
                                               STR_ARG(r->raw_path))
                : status == 413 ? STR("The request is too large")
                                : STR("The request's path is malformed"));
}

void rest_answer(struct http_call *c, int status, struct buf *body)
{
    struct err err = {0};

    if (buf_check(body, "the answer", &err) < 0) {
        buf_release(body);
        rest_fail(c, &err);
        return;
    }
    http_respond_buf(c->request, http_response_new(c->request, status), "application/json", body);
}

void rest_answer_empty(struct http_call *c, int status)
{
    http_respond_empty(c->request, http_response_new(c->request, status));
}

/* ---- requests ---- */

static const struct catalog_rest_mount *find_mount(const struct catalog_rest *r, struct str name)
{
    for (size_t i = 0; i < r->o.mount_count; i++)
        if (str_eq(r->mounts[i].name, name))
            return &r->mounts[i];
    return NULL;
}

int rest_enter(struct catalog_rest *r, struct http_call *c, enum catalog_action action, struct str ns, struct str table,
               const struct catalog_rest_mount **ret, struct err *err)
{
    struct str prefix = http_call_param(c, "prefix");
    const struct catalog_rest_mount *m = find_mount(r, prefix);

    if (!m)
        return err_set_named(err, ERR_NOT_FOUND, "CATALOG_NOT_FOUND", "No Iceberg catalog is called %.*s",
                             STR_ARG(prefix));
    *ret = m;
    return r->o.authorize ? r->o.authorize(r->o.ctx, c, action, m->name, ns, table, err) : 0;
}

static int join_level(struct buf *to, struct str level, struct err *err)
{
    if (level.n == 0 || str_find_char(level, '.', 0) != SIZE_MAX)
        return err_set(err, ERR_INVALID, "A namespace's level is not empty and has no dot, unlike '%.*s'",
                       STR_ARG(level));
    if (to->n)
        buf_add_char(to, '.');
    buf_add_str(to, level);
    return 0;
}

static int namespace_from_text(struct arena *a, struct str text, struct str *ret, struct err *err)
{
    BUF_SCOPED struct buf joined;
    struct str level;
    int rc = 0;

    buf_init(&joined, BODY_MAX);
    while (rc == 0 && str_split(&text, '\x1f', &level))
        rc = join_level(&joined, level, err);
    if (rc == 0)
        *ret = arena_str(a, buf_str(&joined));
    return rc;
}

int rest_namespace(struct http_call *c, struct str *ret, struct err *err)
{
    return namespace_from_text(c->request->arena, http_call_param(c, "namespace"), ret, err);
}

int rest_namespace_from_json(struct arena *a, const json_t *levels, struct str *ret, struct err *err)
{
    BUF_SCOPED struct buf joined;
    int rc = 0;

    buf_init(&joined, BODY_MAX);
    if (!json_is_array(levels) || json_array_size(levels) == 0)
        return err_set(err, ERR_INVALID, "A namespace is an array of one or more levels");
    for (size_t i = 0; rc == 0 && i < json_array_size(levels); i++)
        rc = json_is_string(json_array_get(levels, i)) ? join_level(&joined, json_str(json_array_get(levels, i)), err)
                                                       : err_set(err, ERR_INVALID, "A namespace's level is a text");
    if (rc == 0)
        *ret = arena_str(a, buf_str(&joined));
    return rc;
}

void rest_write_namespace(struct json_writer *w, struct str ns)
{
    struct str level;

    json_open_array(w);
    while (str_split(&ns, '.', &level))
        json_add_str(w, level);
    json_close_array(w);
}

int rest_body(struct http_call *c, json_t **ret, struct err *err)
{
    json_t *body;
    int rc = json_parse(c->body, &body, err);

    if (rc < 0)
        return err_prefix(err, "Malformed request");
    if (!json_is_object(body)) {
        json_decref(body);
        return err_set(err, ERR_INVALID, "Malformed request: the body is a JSON object");
    }
    *ret = body;
    return 0;
}

int rest_page(struct http_call *c, struct str **names, size_t *n, struct str *ret_next, struct err *err)
{
    struct str token = http_query(c->request, "pageToken"), size = http_query(c->request, "pageSize");
    int64_t max = PAGE_MAX;
    size_t from = 0;

    *ret_next = STR_NULL;
    if (!str_is_null(size) && (str_to_i64(size, &max, NULL) < 0 || max < 1))
        return err_set(err, ERR_INVALID, "pageSize is a number above 0, not %.*s", STR_ARG(size));
    if (str_is_null(token))
        return 0; /* a client that knows no pages gets all */
    while (from < *n && token.n && str_cmp((*names)[from], token) <= 0)
        from++;
    *names += from;
    *n -= from;
    if (*n > (size_t)max) {
        *n = (size_t)max;
        *ret_next = (*names)[max - 1];
    }
    return 0;
}

/* ---- configuration ---- */

static const struct catalog_rest_mount *choose_mount(struct catalog_rest *r, struct str warehouse, struct err *err)
{
    const struct catalog_rest_mount *m = NULL;

    if (!str_is_empty(warehouse))
        m = find_mount(r, warehouse);
    else if (r->o.mount_count == 1)
        m = &r->mounts[0];
    else
        m = find_mount(r, STR("iceberg"));
    if (!m)
        (void)err_set_named(err, ERR_NOT_FOUND, "CATALOG_NOT_FOUND",
                            "No Iceberg catalog is called '%.*s': name one of the platform's as the warehouse",
                            STR_ARG(warehouse));
    return m;
}

static void write_pair(struct json_writer *w, const char *key, struct str value)
{
    json_key(w, key);
    json_add_str(w, value);
}

/* "GET /v1/{prefix}/namespaces": the routes as the specification names them. */
static void write_endpoints(struct json_writer *w, struct arena *a)
{
    json_open_array(w);
    for (size_t i = 1; i < ARRAY_LEN(routes); i++)
        json_add_str(w, arena_printf(a, "%s %s", routes[i].method, routes[i].pattern + strlen("/iceberg")));
    json_close_array(w);
}

static void get_config(void *rest, struct http_call *c)
{
    struct catalog_rest *r = rest;
    struct err err = {0};
    const struct catalog_rest_mount *m = choose_mount(r, http_query(c->request, "warehouse"), &err);
    struct json_writer w;
    struct buf body;

    if (!m) {
        rest_fail(c, &err);
        return;
    }
    buf_init(&body, ANSWER_MAX);
    json_writer_init(&w, &body);
    json_open_object(&w);
    json_key(&w, "defaults");
    json_open_object(&w);
    write_pair(&w, "s3.endpoint", r->o.store_url);
    write_pair(&w, "s3.path-style-access", STR("true"));
    write_pair(&w, "s3.region", STR("us-east-1"));
    write_pair(&w, "client.region", STR("us-east-1"));
    json_close_object(&w);
    json_key(&w, "overrides");
    json_open_object(&w);
    write_pair(&w, "prefix", m->name);
    write_pair(&w, "rest-metrics-reporting-enabled", STR("false"));
    json_close_object(&w);
    json_key(&w, "endpoints");
    write_endpoints(&w, c->request->arena);
    json_close_object(&w);
    rest_answer(c, 200, &body);
}

/* ---- the whole ---- */

static bool before(void *rest, struct http_call *c)
{
    struct catalog_rest *r = rest;

    return !r->o.authenticate || r->o.authenticate(r->o.ctx, c);
}

static void after(void *rest, struct http_call *c, bool completed)
{
    struct catalog_rest *r = rest;

    (void)completed;
    if (r->o.done)
        r->o.done(r->o.ctx, c);
}

int catalog_rest_new(const struct catalog_rest_options *o, struct catalog_rest **ret, struct err *err)
{
    struct catalog_rest *r = calloc(1, sizeof(*r));

    if (!r)
        return err_set(err, ERR_LIMIT, "no memory for the REST catalog");
    arena_init(&r->arena, 0);
    r->o = *o;
    r->o.store_url = arena_str(&r->arena, o->store_url);
    r->mounts = arena_array(&r->arena, struct catalog_rest_mount, o->mount_count);
    for (size_t i = 0; i < o->mount_count; i++)
        r->mounts[i] = (struct catalog_rest_mount){
            .name = arena_str(&r->arena, o->mounts[i].name),
            .tables = o->mounts[i].tables,
            .warehouse = arena_str(&r->arena, catalog_without_last_slashes(o->mounts[i].warehouse)),
        };
    catalog_files_init(&r->io, o->objects);
    const struct http_router_options router = {
        .routes = routes, .n = ARRAY_LEN(routes), .ctx = r, .refuse = refuse, .before = before, .after = after};
    int rc = iceberg_cache_new(CACHE_BYTES, &r->io, &r->cache, err);
    if (rc == 0)
        rc = http_router_new(&router, &r->router, err);
    if (rc < 0) {
        catalog_rest_free(r);
        return rc;
    }
    *ret = r;
    return 0;
}

void catalog_rest_free(struct catalog_rest *r)
{
    if (!r)
        return;
    if (r->router)
        http_router_free(r->router);
    if (r->cache)
        iceberg_cache_free(r->cache);
    arena_release(&r->arena);
    free(r);
}

struct http_router *catalog_rest_router(struct catalog_rest *r)
{
    return r->router;
}
