/*
 * Tables over REST: create (at once or staged), load, commit, register, rename, drop. A commit is iceberg_update_table:
 * the requirements are checked against the table as it is, and tried again on the new base when somebody was faster.
 */
#include "catalog/rest_internal.h"

enum { METADATA_MAX = 128 << 20, ANSWER_MAX = 160 << 20 };

/* What a request is about. */
struct target {
    const struct catalog_rest_mount *mount;
    struct str ns, table;
    struct iceberg_pointer *pointer;
    struct iceberg_commit commit;
};

static void aim(struct catalog_rest *r, struct arena *a, struct target *t)
{
    t->pointer = catalog_pointer(t->mount->tables, a, t->ns, t->table);
    t->commit = (struct iceberg_commit){.cache = r->cache, .io = &r->io, .pointer = t->pointer};
}

/* {namespace} and {table} of the path, when the caller may do this with them. */
static int enter(struct catalog_rest *r, struct http_call *c, enum catalog_action action, struct target *t,
                 struct err *err)
{
    int rc = rest_namespace(c, &t->ns, err);

    t->table = http_call_param(c, "table");
    if (rc == 0)
        rc = rest_enter(r, c, action, t->ns, t->table, &t->mount, err);
    if (rc == 0)
        aim(r, c->request->arena, t);
    return rc;
}

/* {namespace} of the path and a table that the body names. */
static int enter_new(struct catalog_rest *r, struct http_call *c, const json_t *q, struct target *t, struct err *err)
{
    int rc = rest_namespace(c, &t->ns, err);

    if (rc == 0)
        rc = json_get_str(q, "name", &t->table, err);
    if (rc == 0 && t->table.n == 0)
        rc = err_set(err, ERR_INVALID, "A table's name is empty");
    if (rc == 0)
        rc = rest_enter(r, c, CATALOG_CREATE, t->ns, t->table, &t->mount, err);
    if (rc == 0)
        aim(r, c->request->arena, t);
    return rc;
}

/* ---- answers ---- */

/* ?snapshots=refs: only the snapshots that a branch or tag names; the others can be asked for later. */
static json_t *without_unnamed_snapshots(const json_t *metadata)
{
    json_t *copy = json_copy((json_t *)metadata), *kept = json_array(), *snapshot, *ref;
    const char *name;
    size_t i;

    json_array_foreach(json_object_get(metadata, "snapshots"), i, snapshot)
    {
        bool is_named = false;
        json_object_foreach(json_object_get(metadata, "refs"), name, ref)
            is_named |= json_opt_i64(ref, "snapshot-id", -1) == json_opt_i64(snapshot, "snapshot-id", -2);
        if (is_named)
            json_array_append(kept, snapshot);
    }
    json_object_set_new(copy, "snapshots", kept);
    return copy;
}

/* LoadTableResult; location null: a staged table has none. */
static void write_table(struct buf *body, struct str location, const json_t *metadata)
{
    struct json_writer w;

    buf_init(body, ANSWER_MAX);
    json_writer_init(&w, body);
    json_open_object(&w);
    if (!str_is_null(location)) {
        json_key(&w, "metadata-location");
        json_add_str(&w, location);
    }
    json_key(&w, "metadata");
    json_add_value(&w, metadata);
    json_key(&w, "config");
    json_open_object(&w);
    json_close_object(&w);
    json_close_object(&w);
}

static int load_current(struct catalog_rest *r, struct http_call *c, struct target *t, struct str *ret_location,
                        struct iceberg_metadata **ret, struct err *err)
{
    int rc = t->pointer->load(t->pointer->ctx, c->request->arena, ret_location, err);

    return rc < 0 ? rc : iceberg_load_metadata(r->cache, *ret_location, ret, err);
}

/* A client reads the files of a table whose metadata it has: it has to be one that sees every column. */
static int check_columns(struct catalog_rest *r, struct http_call *c, const struct target *t,
                         const struct iceberg_metadata *m, struct err *err)
{
    const struct iceberg_schema *s = iceberg_current_schema(m);
    struct str *names = arena_array(c->request->arena, struct str, s->field_count);

    for (size_t i = 0; i < s->field_count; i++)
        names[i] = arena_lower(c->request->arena, s->fields[i].name);
    return r->o.columns ? r->o.columns(r->o.ctx, c, t->mount->name, t->ns, t->table, names, s->field_count, err) : 0;
}

static int write_current(struct catalog_rest *r, struct http_call *c, struct target *t, struct buf *body,
                         struct err *err)
{
    struct iceberg_metadata *m;
    struct str location;
    int rc = load_current(r, c, t, &location, &m, err);

    if (rc < 0)
        return rc;
    write_table(body, location, m->json);
    iceberg_metadata_unref(m);
    return 0;
}

/* ---- operations ---- */

static int list(struct catalog_rest *r, struct http_call *c, struct buf *body, struct err *err)
{
    const struct catalog_rest_mount *m;
    struct arena *a = c->request->arena;
    struct catalog_property *properties;
    struct json_writer w;
    struct str ns, *names, next;
    size_t n;
    bool exists;
    int rc = rest_namespace(c, &ns, err);

    if (rc == 0)
        rc = rest_enter(r, c, CATALOG_LIST, ns, STR_NULL, &m, err);
    if (rc == 0)
        rc = catalog_get_namespace(m->tables, a, ns, &exists, &properties, &n, err);
    if (rc == 0 && !exists)
        rc = err_set_named(err, ERR_NOT_FOUND, "SCHEMA_NOT_FOUND", "Namespace does not exist: %.*s", STR_ARG(ns));
    if (rc == 0)
        rc = catalog_list_tables(m->tables, a, ns, &names, &n, err);
    if (rc == 0 && r->o.sees) {
        size_t kept = 0;
        for (size_t i = 0; i < n; i++)
            if (r->o.sees(r->o.ctx, c, m->name, ns, names[i]))
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
    json_key(&w, "identifiers");
    json_open_array(&w);
    for (size_t i = 0; i < n; i++) {
        json_open_object(&w);
        json_key(&w, "namespace");
        rest_write_namespace(&w, ns);
        json_key(&w, "name");
        json_add_str(&w, names[i]);
        json_close_object(&w);
    }
    json_close_array(&w);
    json_key(&w, "next-page-token");
    json_add_str(&w, next);
    json_close_object(&w);
    return 0;
}

/* Where the new table goes: as the client says, when nothing is there, or where SQL would put it. */
static int choose_location(struct catalog_rest *r, struct arena *a, const struct target *t, const json_t *q,
                           struct str *ret, struct err *err)
{
    struct str given = json_opt_str(q, "location", STR_NULL), base, existing;
    int rc = catalog_namespace_location(t->mount->tables, a, t->mount->warehouse, t->ns, &base, err);

    if (rc == 0)
        rc = catalog_get_table(t->mount->tables, a, t->ns, t->table, &existing, err);
    if (rc < 0)
        return rc;
    if (!str_is_null(existing))
        return err_set_named(err, ERR_EXISTS, "TABLE_ALREADY_EXISTS", "Table already exists: %.*s.%.*s", STR_ARG(t->ns),
                             STR_ARG(t->table));
    if (str_is_null(given)) {
        *ret = catalog_new_table_location(a, base, t->table);
        return 0;
    }
    *ret = arena_str(a, catalog_without_last_slashes(given));
    return catalog_check_location_empty(r->o.objects, a, *ret, err);
}

static int check_version(const json_t *properties, struct err *err)
{
    struct str version = json_opt_str(properties, "format-version", STR("2"));

    return str_eq(version, STR("2"))
               ? 0
               : err_set(err, ERR_UNSUPPORTED, "Tables of Iceberg format version %.*s can't be made, only of version 2",
                         STR_ARG(version));
}

static int create(struct catalog_rest *r, struct http_call *c, struct buf *body, struct err *err)
{
    struct arena *a = c->request->arena;
    JSON_SCOPED json_t *q = NULL;
    struct iceberg_metadata *m;
    struct target t;
    struct str location;
    json_t *schema;
    int rc = rest_body(c, &q, err);

    if (rc == 0)
        rc = enter_new(r, c, q, &t, err);
    if (rc == 0)
        rc = json_get_object(q, "schema", &schema, err);
    if (rc == 0)
        rc = check_version(json_object_get(q, "properties"), err);
    if (rc == 0)
        rc = choose_location(r, a, &t, q, &location, err);
    if (rc < 0)
        return rc;
    json_t *properties = json_object_get(q, "properties");
    json_object_del(properties, "format-version"); /* a wish, not a property: TableMetadata.newTableMetadata */
    rc = iceberg_make_metadata(a, location, schema, json_object_get(q, "partition-spec"),
                               json_object_get(q, "write-order"), properties, &m, err);
    if (rc < 0)
        return rc;
    if (json_opt_bool(q, "stage-create", false)) {
        write_table(body, STR_NULL, m->json);
        iceberg_metadata_unref(m);
        return 0;
    }
    rc = iceberg_create_from_metadata(&t.commit, m, err);
    return rc < 0 ? rc : write_current(r, c, &t, body, err);
}

/* From the store, not from the cache: files that are gone must not come back as a table. */
static int check_metadata_file(struct catalog_rest *r, struct str location, struct err *err)
{
    BUF_SCOPED struct buf text;
    struct iceberg_metadata *m;

    buf_init(&text, METADATA_MAX);
    int rc = r->io.read(r->io.ctx, location, &text, err);
    if (rc == ERR_NOT_FOUND)
        return err_set(err, ERR_INVALID, "There is no metadata file %.*s", STR_ARG(location));
    if (rc == 0)
        rc = iceberg_metadata_parse(buf_str(&text), &m, err);
    if (rc == 0)
        iceberg_metadata_unref(m);
    return rc == ERR_CORRUPT ? err_set(err, ERR_INVALID, "%.*s is no table's metadata", STR_ARG(location)) : rc;
}

static int register_table(struct catalog_rest *r, struct http_call *c, struct buf *body, struct err *err)
{
    JSON_SCOPED json_t *q = NULL;
    struct target t;
    struct str location;
    int rc = rest_body(c, &q, err);

    if (rc == 0)
        rc = enter_new(r, c, q, &t, err);
    if (rc == 0)
        rc = json_get_str(q, "metadata-location", &location, err);
    if (rc == 0 && json_opt_bool(q, "overwrite", false))
        rc = err_set(err, ERR_UNSUPPORTED, "Registering over a table that exists is not supported: drop it first");
    if (rc == 0)
        rc = check_metadata_file(r, location, err);
    if (rc == 0)
        rc = t.pointer->swap(t.pointer->ctx, STR_NULL, location, err);
    return rc < 0 ? rc : write_current(r, c, &t, body, err);
}

static bool is_create(const json_t *requirements)
{
    for (size_t i = 0; i < json_array_size(requirements); i++)
        if (str_eq(json_opt_str(json_array_get(requirements, i), "type", STR_NULL), STR("assert-create")))
            return true;
    return false;
}

static int commit(struct catalog_rest *r, struct http_call *c, struct buf *body, struct err *err)
{
    JSON_SCOPED json_t *q = NULL;
    json_t *requirements, *updates;
    struct target t;
    int rc = rest_body(c, &q, err);

    if (rc == 0)
        rc = json_get_array(q, "requirements", &requirements, err);
    if (rc == 0)
        rc = json_get_array(q, "updates", &updates, err);
    if (rc == 0)
        rc = enter(r, c, is_create(requirements) ? CATALOG_CREATE : CATALOG_WRITE, &t, err);
    if (rc < 0)
        return rc;
    rc = is_create(requirements) ? iceberg_update_new_table(&t.commit, requirements, updates, err)
                                 : iceberg_update_table(&t.commit, requirements, updates, err);
    if (rc == ERR_UNAVAILABLE)
        err->name = "COMMIT_STATE_UNKNOWN"; /* clients must not try again blindly */
    return rc < 0 ? rc : write_current(r, c, &t, body, err);
}

static int drop(struct catalog_rest *r, struct http_call *c, struct err *err)
{
    struct target t;
    int rc = enter(r, c, CATALOG_DROP, &t, err);

    if (rc < 0)
        return rc;
    return str_eq_nocase(http_query(c->request, "purgeRequested"), STR("true"))
               ? catalog_purge_table(t.mount->tables, r->cache, r->o.objects, t.ns, t.table, err)
               : catalog_drop_table(t.mount->tables, t.ns, t.table, err);
}

static int identifier(struct arena *a, const json_t *q, const char *key, struct str *ret_ns, struct str *ret_table,
                      struct err *err)
{
    json_t *object;
    int rc = json_get_object(q, key, &object, err);

    if (rc == 0)
        rc = rest_namespace_from_json(a, json_object_get(object, "namespace"), ret_ns, err);
    return rc < 0 ? rc : json_get_str(object, "name", ret_table, err);
}

static int rename_table(struct catalog_rest *r, struct http_call *c, struct err *err)
{
    const struct catalog_rest_mount *m;
    struct arena *a = c->request->arena;
    JSON_SCOPED json_t *q = NULL;
    struct str ns, table, new_ns, new_table;
    int rc = rest_body(c, &q, err);

    if (rc == 0)
        rc = identifier(a, q, "source", &ns, &table, err);
    if (rc == 0)
        rc = identifier(a, q, "destination", &new_ns, &new_table, err);
    if (rc == 0)
        rc = rest_enter(r, c, CATALOG_DROP, ns, table, &m, err);
    if (rc == 0)
        rc = rest_enter(r, c, CATALOG_CREATE, new_ns, new_table, &m, err);
    return rc < 0 ? rc : catalog_rename_table(m->tables, ns, table, new_ns, new_table, err);
}

/* ---- handlers ---- */

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

static void answer_empty(void *rest, struct http_call *c,
                         int (*make)(struct catalog_rest *, struct http_call *, struct err *))
{
    struct err err = {0};

    if (make(rest, c, &err) < 0)
        rest_fail(c, &err);
    else
        rest_answer_empty(c, 204);
}

void rest_list_tables(void *rest, struct http_call *c)
{
    answer(rest, c, list);
}

void rest_create_table(void *rest, struct http_call *c)
{
    answer(rest, c, create);
}

void rest_register_table(void *rest, struct http_call *c)
{
    answer(rest, c, register_table);
}

void rest_commit_table(void *rest, struct http_call *c)
{
    answer(rest, c, commit);
}

void rest_drop_table(void *rest, struct http_call *c)
{
    answer_empty(rest, c, drop);
}

void rest_rename_table(void *rest, struct http_call *c)
{
    answer_empty(rest, c, rename_table);
}

static int exists(struct catalog_rest *r, struct http_call *c, struct err *err)
{
    struct target t;
    struct str location;
    int rc = enter(r, c, CATALOG_READ, &t, err);

    return rc < 0 ? rc : t.pointer->load(t.pointer->ctx, c->request->arena, &location, err);
}

void rest_head_table(void *rest, struct http_call *c)
{
    answer_empty(rest, c, exists);
}

/* The ETag is the metadata's location, which names one immutable file: a client that has it saves itself the rest. */
void rest_load_table(void *rest, struct http_call *c)
{
    struct catalog_rest *r = rest;
    struct http_request *q = c->request;
    struct iceberg_metadata *m = NULL;
    struct err err = {0};
    struct str location, wanted = http_query(q, "snapshots");
    struct target t;
    struct buf body;
    int rc = enter(r, c, CATALOG_READ, &t, &err);

    if (rc == 0 && !str_is_empty(wanted) && !str_eq(wanted, STR("all")) && !str_eq(wanted, STR("refs")))
        rc = err_set(&err, ERR_INVALID, "snapshots is all or refs, not %.*s", STR_ARG(wanted));
    if (rc == 0)
        rc = load_current(r, c, &t, &location, &m, &err);
    if (rc == 0)
        rc = check_columns(r, c, &t, m, &err);
    if (rc < 0) {
        iceberg_metadata_unref(m);
        rest_fail(c, &err);
        return;
    }
    bool refs_only = str_eq(wanted, STR("refs"));
    struct str tag = arena_printf(q->arena, "\"%.*s%s\"", STR_ARG(location), refs_only ? "#refs" : "");
    bool is_known = str_eq(http_header(q, "If-None-Match"), tag);
    struct http_response *p = http_response_new(q, is_known ? 304 : 200);
    http_response_add(q, p, "ETag", tag);
    if (is_known) {
        http_respond_empty(q, p);
    } else {
        JSON_SCOPED json_t *some = refs_only ? without_unnamed_snapshots(m->json) : NULL;
        write_table(&body, location, some ? some : m->json);
        if (buf_check(&body, "the table's metadata", &err) < 0) {
            buf_release(&body);
            rest_fail(c, &err);
        } else {
            http_respond_buf(q, p, "application/json", &body);
        }
    }
    iceberg_metadata_unref(m);
}
