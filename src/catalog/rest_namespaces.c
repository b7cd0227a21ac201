/* Namespaces over REST. Their levels are a path's parts separated by the unit separator, U+001F. */
#include "catalog/rest_internal.h"

enum { ANSWER_MAX = 64 << 20, PROPERTIES_MAX = 10000 };

/* An object of texts as properties, in the arena. */
static int read_properties(struct arena *a, const json_t *object, struct catalog_property **ret, size_t *ret_n,
                           struct err *err)
{
    const char *name;
    json_t *value;

    *ret_n = 0;
    if (object && !json_is_null(object) && !json_is_object(object))
        return err_set(err, ERR_INVALID, "A namespace's properties are an object of texts");
    if (json_object_size(object) > PROPERTIES_MAX)
        return err_set(err, ERR_LIMIT, "A namespace has at most %d properties", PROPERTIES_MAX);
    *ret = arena_array(a, struct catalog_property, json_object_size(object));
    json_object_foreach((json_t *)object, name, value)
    {
        if (!json_is_string(value))
            return err_set(err, ERR_INVALID, "The namespace property %s is not a text", name);
        (*ret)[(*ret_n)++] = (struct catalog_property){arena_str(a, str_from_cstr(name)),
                                                       arena_str(a, json_str(value))};
    }
    return 0;
}

static void write_namespace(struct buf *body, struct str ns, const struct catalog_property *properties, size_t n)
{
    struct json_writer w;

    buf_init(body, ANSWER_MAX);
    json_writer_init(&w, body);
    json_open_object(&w);
    json_key(&w, "namespace");
    rest_write_namespace(&w, ns);
    json_key(&w, "properties");
    json_open_object(&w);
    for (size_t i = 0; i < n; i++) {
        json_key_str(&w, properties[i].name);
        json_add_str(&w, properties[i].value);
    }
    json_close_object(&w);
    json_close_object(&w);
}

static int list(struct catalog_rest *r, struct http_call *c, struct buf *body, struct err *err)
{
    const struct catalog_rest_mount *m;
    struct arena *a = c->request->arena;
    struct str parent = http_query(c->request, "parent"), *names, next;
    struct json_writer w;
    size_t n;
    int rc = 0;

    if (str_is_empty(parent)) {
        parent = STR_NULL;
    } else {
        char *text = arena_cstr(a, parent);
        for (char *p = text; *p; p++)
            if (*p == '\x1f')
                *p = '.';
        parent = str_from(text, parent.n);
    }
    rc = rest_enter(r, c, CATALOG_LIST, parent, STR_NULL, &m, err);
    if (rc == 0)
        rc = catalog_list_namespaces_below(m->tables, a, parent, &names, &n, err);
    if (rc == 0 && r->o.sees) {
        size_t kept = 0;
        for (size_t i = 0; i < n; i++)
            if (r->o.sees(r->o.ctx, c, m->name, names[i], STR_NULL))
                names[kept++] = names[i];
        n = kept;
    }
    if (rc == 0)
        rc = rest_page(c, &names, &n, &next, err);
    if (rc < 0)
        return rc;
    buf_init(body, ANSWER_MAX);
    json_writer_init(&w, body);
    json_open_object(&w);
    json_key(&w, "namespaces");
    json_open_array(&w);
    for (size_t i = 0; i < n; i++)
        rest_write_namespace(&w, names[i]);
    json_close_array(&w);
    json_key(&w, "next-page-token");
    json_add_str(&w, next);
    json_close_object(&w);
    return 0;
}

static int create(struct catalog_rest *r, struct http_call *c, struct buf *body, struct err *err)
{
    const struct catalog_rest_mount *m;
    struct arena *a = c->request->arena;
    JSON_SCOPED json_t *q = NULL;
    struct catalog_property *properties;
    struct str ns, bucket, key;
    size_t n;
    int rc = rest_body(c, &q, err);

    if (rc == 0)
        rc = rest_namespace_from_json(a, json_object_get(q, "namespace"), &ns, err);
    if (rc == 0)
        rc = read_properties(a, json_object_get(q, "properties"), &properties, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (str_eq(properties[i].name, STR("location")))
            rc = catalog_files_split(
                arena_printf(a, "%.*s/", STR_ARG(catalog_without_last_slashes(properties[i].value))), &bucket, &key,
                err);
    if (rc == 0)
        rc = rest_enter(r, c, CATALOG_CREATE, ns, STR_NULL, &m, err);
    if (rc == 0)
        rc = catalog_create_namespace(m->tables, ns, properties, n, err);
    if (rc == 0)
        write_namespace(body, ns, properties, n);
    return rc;
}

static int get(struct catalog_rest *r, struct http_call *c, struct buf *body, struct err *err)
{
    const struct catalog_rest_mount *m;
    struct catalog_property *properties;
    struct str ns;
    bool exists;
    size_t n;
    int rc = rest_namespace(c, &ns, err);

    if (rc == 0)
        rc = rest_enter(r, c, CATALOG_READ, ns, STR_NULL, &m, err);
    if (rc == 0)
        rc = catalog_get_namespace(m->tables, c->request->arena, ns, &exists, &properties, &n, err);
    if (rc == 0 && !exists)
        rc = err_set_named(err, ERR_NOT_FOUND, "SCHEMA_NOT_FOUND", "Namespace does not exist: %.*s", STR_ARG(ns));
    if (rc == 0)
        write_namespace(body, ns, properties, n);
    return rc;
}

static int drop(struct catalog_rest *r, struct http_call *c, struct err *err)
{
    const struct catalog_rest_mount *m;
    struct str ns;
    int rc = rest_namespace(c, &ns, err);

    if (rc == 0)
        rc = rest_enter(r, c, CATALOG_DROP, ns, STR_NULL, &m, err);
    return rc < 0 ? rc : catalog_drop_namespace(m->tables, ns, err);
}

static int read_removals(struct arena *a, const json_t *list, struct str **ret, size_t *ret_n, struct err *err)
{
    *ret_n = json_array_size(list);
    if (list && !json_is_null(list) && !json_is_array(list))
        return err_set(err, ERR_INVALID, "removals is an array of texts");
    if (*ret_n > PROPERTIES_MAX)
        return err_set(err, ERR_LIMIT, "A namespace has at most %d properties", PROPERTIES_MAX);
    *ret = arena_array(a, struct str, *ret_n);
    for (size_t i = 0; i < *ret_n; i++) {
        if (!json_is_string(json_array_get(list, i)))
            return err_set(err, ERR_INVALID, "removals is an array of texts");
        (*ret)[i] = arena_str(a, json_str(json_array_get(list, i)));
    }
    return 0;
}

static bool has_name(const struct str *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

static void write_update(struct buf *body, const struct catalog_property *updates, size_t n_updates,
                         const struct str *removals, size_t n_removals, const struct str *missing, size_t n_missing)
{
    struct json_writer w;

    buf_init(body, ANSWER_MAX);
    json_writer_init(&w, body);
    json_open_object(&w);
    json_key(&w, "updated");
    json_open_array(&w);
    for (size_t i = 0; i < n_updates; i++)
        json_add_str(&w, updates[i].name);
    json_close_array(&w);
    json_key(&w, "removed");
    json_open_array(&w);
    for (size_t i = 0; i < n_removals; i++)
        if (!has_name(missing, n_missing, removals[i]))
            json_add_str(&w, removals[i]);
    json_close_array(&w);
    json_key(&w, "missing");
    json_open_array(&w);
    for (size_t i = 0; i < n_missing; i++)
        json_add_str(&w, missing[i]);
    json_close_array(&w);
    json_close_object(&w);
}

static int update(struct catalog_rest *r, struct http_call *c, struct buf *body, struct err *err)
{
    const struct catalog_rest_mount *m;
    struct arena *a = c->request->arena;
    JSON_SCOPED json_t *q = NULL;
    struct catalog_property *updates;
    struct str ns, *removals, *missing;
    size_t n_updates, n_removals, n_missing;
    int rc = rest_namespace(c, &ns, err);

    if (rc == 0)
        rc = rest_body(c, &q, err);
    if (rc == 0)
        rc = read_properties(a, json_object_get(q, "updates"), &updates, &n_updates, err);
    if (rc == 0)
        rc = read_removals(a, json_object_get(q, "removals"), &removals, &n_removals, err);
    for (size_t i = 0; rc == 0 && i < n_updates; i++)
        if (has_name(removals, n_removals, updates[i].name))
            rc = err_set(err, ERR_INVALID, "The property %.*s is both updated and removed", STR_ARG(updates[i].name));
    if (rc == 0)
        rc = rest_enter(r, c, CATALOG_WRITE, ns, STR_NULL, &m, err);
    if (rc < 0)
        return rc;
    missing = arena_array(a, struct str, n_removals);
    rc = catalog_update_namespace(m->tables, ns, updates, n_updates, removals, n_removals, missing, &n_missing, err);
    if (rc == 0)
        write_update(body, updates, n_updates, removals, n_removals, missing, n_missing);
    return rc;
}

static void answer(void *rest, struct http_call *c,
                   int (*make)(struct catalog_rest *, struct http_call *, struct buf *, struct err *))
{
    struct err err = {0};
    struct buf body;

    if (make(rest, c, &body, &err) < 0)
        rest_fail(c, &err);
    else
        rest_answer(c, 200, &body);
}

void rest_list_namespaces(void *rest, struct http_call *c)
{
    answer(rest, c, list);
}

void rest_create_namespace(void *rest, struct http_call *c)
{
    answer(rest, c, create);
}

void rest_get_namespace(void *rest, struct http_call *c)
{
    answer(rest, c, get);
}

void rest_update_namespace(void *rest, struct http_call *c)
{
    answer(rest, c, update);
}

void rest_head_namespace(void *rest, struct http_call *c)
{
    struct err err = {0};
    struct buf body;

    if (get(rest, c, &body, &err) < 0) {
        rest_fail(c, &err);
        return;
    }
    buf_release(&body);
    rest_answer_empty(c, 204);
}

void rest_drop_namespace(void *rest, struct http_call *c)
{
    struct err err = {0};

    if (drop(rest, c, &err) < 0)
        rest_fail(c, &err);
    else
        rest_answer_empty(c, 204);
}
