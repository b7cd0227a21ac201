#include "trino/rest_access.h"

#include "base/log.h"
#include "sql/session.h"
#include "trino/authenticate.h"
#include "trino/internal.h"

/* What a call is asked with; call->state. */
struct caller {
    struct access *access; /* NULL: all is allowed */
};

static void respond(struct http_call *call, int status, const char *type, const struct err *err)
{
    struct http_request *r = call->request;
    struct json_writer w;
    struct buf body;

    buf_init(&body, 16 << 10);
    json_writer_init(&w, &body);
    json_open_object(&w);
    json_key(&w, "error");
    json_open_object(&w);
    json_key(&w, "message");
    json_add_cstr(&w, err->message);
    json_key(&w, "type");
    json_add_cstr(&w, type);
    json_key(&w, "code");
    json_add_i64(&w, status);
    json_close_object(&w);
    json_close_object(&w);
    http_respond_buf(r, http_response_new(r, status), "application/json", &body);
}

/* As SQL does it, but that a name needs not be said where nobody authenticates. */
static bool who(const struct rest_access *a, struct http_request *r, struct session *to)
{
    if (a->authenticators)
        return authenticators_check(a->authenticators, r, to);
    struct str said = http_header(r, "X-Trino-User");
    to->user = to->authenticated = str_is_empty(said) ? STR("anonymous") : said;
    return true;
}

bool rest_access_authenticate(void *ctx, struct http_call *call)
{
    const struct rest_access *a = ctx;
    struct caller *c = arena_new(call->request->arena, struct caller);
    struct session session = {0};
    struct err err = {0};

    call->state = c;
    if (!who(a, call->request, &session))
        return false;
    if (!a->control || session_open_access(a->control, &session, &c->access, &err) == 0)
        return true;
    if (err.code == ERR_DENIED) {
        respond(call, 403, "ForbiddenException", &err);
    } else {
        log_error("the REST catalog: %s", err.message);
        respond(call, 500, "InternalServerError", &err);
    }
    return false;
}

void rest_access_done(void *ctx, struct http_call *call)
{
    struct caller *c = call->state;

    (void)ctx;
    if (c && c->access)
        access_release(c->access);
    call->state = NULL;
}

static int whole_table(const struct access *a, const struct access_table *t, struct err *err)
{
    struct access_expression filter;
    int rc = access_check_select(a, t, NULL, 0, err);

    if (rc == 0 && access_row_filter(a, t, &filter))
        return err_set_named(err, ERR_DENIED, "PERMISSION_DENIED",
                             "Access Denied: the table %.*s.%.*s has a row filter, which only SQL keeps",
                             STR_ARG(t->schema), STR_ARG(t->name));
    return rc;
}

static int check_table(const struct access *a, enum catalog_action action, const struct access_table *t,
                       struct err *err)
{
    static const enum access_table_action writes[] = {ACCESS_INSERT, ACCESS_DELETE, ACCESS_SET_TABLE_PROPERTIES};
    int rc = 0;

    switch (action) {
    case CATALOG_CREATE:
        return access_check_table(a, ACCESS_CREATE_TABLE, t, err);
    case CATALOG_DROP:
        return access_check_table(a, ACCESS_DROP_TABLE, t, err);
    case CATALOG_WRITE:
        for (size_t i = 0; rc == 0 && i < sizeof(writes) / sizeof(writes[0]); i++)
            rc = access_check_table(a, writes[i], t, err);
        return rc;
    default:
        return whole_table(a, t, err);
    }
}

static int check_schema(const struct access *a, enum catalog_action action, struct str catalog, struct str ns,
                        struct err *err)
{
    switch (action) {
    case CATALOG_CREATE:
    case CATALOG_WRITE:
        return access_check_schema(a, ACCESS_CREATE_SCHEMA, catalog, ns, err);
    case CATALOG_DROP:
        return access_check_schema(a, ACCESS_DROP_SCHEMA, catalog, ns, err);
    default:
        return access_sees_schema(a, catalog, ns) ? 0
                                                  : err_set_named(err, ERR_NOT_FOUND, "SCHEMA_NOT_FOUND",
                                                                  "Namespace does not exist: %.*s", STR_ARG(ns));
    }
}

int rest_access_authorize(void *ctx, struct http_call *call, enum catalog_action action, struct str catalog,
                          struct str ns, struct str table, struct err *err)
{
    const struct caller *c = call->state;
    const struct access_table t = {catalog, ns, table};
    int rc = access_check_catalog(c->access, catalog, err);

    (void)ctx;
    if (rc < 0)
        return rc;
    if (!str_is_null(table))
        return check_table(c->access, action, &t, err);
    if (!str_is_null(ns))
        return check_schema(c->access, action, catalog, ns, err);
    return access_check_show_schemas(c->access, catalog, err);
}

bool rest_access_sees(void *ctx, struct http_call *call, struct str catalog, struct str ns, struct str table)
{
    const struct caller *c = call->state;

    (void)ctx;
    return str_is_null(table) ? access_sees_schema(c->access, catalog, ns)
                              : access_sees_table(c->access, catalog, ns, table);
}

int rest_access_columns(void *ctx, struct http_call *call, struct str catalog, struct str ns, struct str table,
                        const struct str *columns, size_t n, struct err *err)
{
    const struct caller *c = call->state;
    const struct access_table t = {catalog, ns, table};
    struct access_expression mask;
    int rc = access_check_select(c->access, &t, columns, n, err);

    (void)ctx;
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (access_column_mask(c->access, &t, columns[i], &mask))
            rc = err_set_named(err, ERR_DENIED, "PERMISSION_DENIED",
                               "Access Denied: the column %.*s of %.*s.%.*s is masked, which only SQL keeps",
                               STR_ARG(columns[i]), STR_ARG(ns), STR_ARG(table));
    return rc;
}
