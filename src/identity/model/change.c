/*
 * A change: one transaction in the database, and drafts of the realms that it touches. Committing writes the documents
 * that changed, commits, then puts the new snapshots where the old ones were; giving up leaves everything as it was.
 *
 * Changes go one at a time (`changing`). Another process on the same database is noticed by the realm's version: its
 * state is read again before a draft is made of it.
 */
#include "base/clock.h"
#include "identity/model/internal.h"

struct touched {
    enum realm_kind kind;
    struct str id;
};

struct realm_draft {
    struct identity_change *change;
    struct realm_draft *next;
    struct realm *base; /* NULL: a new realm */
    json_t *rep;
    struct map docs[KIND_COUNT]; /* id to document, each holding a reference */
    VEC(struct touched) touched;
    bool rep_changed, dropped;
};

struct identity_change {
    struct identity *identity;
    struct db_conn *conn;
    struct arena arena;
    struct realm_draft *drafts;
};

int identity_change_begin(struct identity *i, struct identity_change **ret, struct err *err)
{
    struct db_conn *conn = NULL;
    int rc;

    pthread_mutex_lock(&i->changing);
    rc = db_acquire(i->db, &conn, err);
    if (rc == 0)
        rc = db_begin(conn, err);
    if (rc < 0) {
        if (conn)
            db_release(conn);
        pthread_mutex_unlock(&i->changing);
        return rc;
    }
    struct identity_change *c = calloc(1, sizeof(*c));
    if (!c)
        abort();
    c->identity = i;
    c->conn = conn;
    *ret = c;
    return 0;
}

static void draft_free(struct realm_draft *d)
{
    for (int k = 0; k < KIND_COUNT; k++) {
        for (struct map_entry *e = NULL; (e = map_next(&d->docs[k], e));)
            json_decref(e->value);
        map_release(&d->docs[k]);
    }
    json_decref(d->rep);
    if (d->base)
        realm_unref(d->base);
    vec_release(&d->touched);
    free(d);
}

void identity_change_end(struct identity_change *c)
{
    if (!c)
        return;
    if (c->conn)
        db_release(c->conn);
    while (c->drafts) {
        struct realm_draft *d = c->drafts;
        c->drafts = d->next;
        draft_free(d);
    }
    arena_release(&c->arena);
    pthread_mutex_unlock(&c->identity->changing);
    free(c);
}

struct db_conn *identity_change_conn(struct identity_change *c)
{
    return c->conn;
}

struct arena *identity_change_arena(struct identity_change *c)
{
    return &c->arena;
}

static struct realm_draft *add_draft(struct identity_change *c, struct realm *base, json_t *rep)
{
    struct realm_draft *d = calloc(1, sizeof(*d));

    if (!d)
        abort();
    d->change = c;
    d->base = base;
    d->rep = json_incref(rep);
    d->next = c->drafts;
    c->drafts = d;
    return d;
}

static struct str draft_name(const struct realm_draft *d)
{
    return json_opt_str(d->rep, "realm", STR(""));
}

static struct realm_draft *find_draft(struct identity_change *c, struct str name)
{
    for (struct realm_draft *d = c->drafts; d; d = d->next)
        if (!d->dropped && str_eq(draft_name(d), name))
            return d;
    return NULL;
}

/* The newest state: the snapshot, or, when another process changed the realm, the database's. */
static int current(struct identity_change *c, struct str name, struct realm **ret, struct err *err)
{
    struct db_value param = db_text(name);
    struct db_rows rows;
    REALM_SCOPED struct realm *r = NULL;
    int rc = db_query(c->conn, &c->arena, "SELECT id, version FROM identity_realm WHERE name = $1", &param, 1, &rows,
                      err);

    if (rc < 0)
        return rc;
    if (rows.row_count == 0)
        return err_set(err, ERR_NOT_FOUND, "Realm not found.");
    if (identity_realm(c->identity, name, &r, NULL) == 0) {
        const struct realm_internal *in = r->internal;
        if (in->version == db_at(&rows, 0, 1).i && str_eq(r->id, db_at(&rows, 0, 0).text)) {
            *ret = realm_ref(r);
            return 0;
        }
    }
    return realm_load(c->conn, db_at(&rows, 0, 0).text, ret, err);
}

int identity_change_realm(struct identity_change *c, struct str name, struct realm_draft **ret, struct err *err)
{
    struct realm_draft *d = find_draft(c, name);
    struct realm *base;
    int rc;

    if (d) {
        *ret = d;
        return 0;
    }
    rc = current(c, name, &base, err);
    if (rc < 0)
        return rc;
    d = add_draft(c, base, base->rep);
    for (int k = 0; k < KIND_COUNT; k++) {
        size_t n;
        json_t *const *docs = realm_docs(base, k, &n);
        for (size_t i = 0; i < n; i++)
            map_set(&d->docs[k], json_opt_str(docs[i], "id", STR("")), json_incref(docs[i]));
    }
    *ret = d;
    return 0;
}

int identity_change_new_realm(struct identity_change *c, json_t *rep, struct realm_draft **ret, struct err *err)
{
    struct str name = json_opt_str(rep, "realm", STR("")), id = json_opt_str(rep, "id", STR(""));
    struct db_value params[] = {db_text(name), db_text(id)};
    struct db_rows rows;
    int rc = db_query(c->conn, &c->arena, "SELECT 1 FROM identity_realm WHERE name = $1 OR id = $2", params, 2, &rows,
                      err);

    if (rc < 0)
        return rc;
    if (rows.row_count || find_draft(c, name))
        return err_set(err, ERR_EXISTS, "Realm %.*s already exists", STR_ARG(name));
    *ret = add_draft(c, NULL, rep);
    (*ret)->rep_changed = true;
    return 0;
}

int identity_change_drop_realm(struct identity_change *c, struct str name, struct err *err)
{
    static const char *const tables[] = {
        "DELETE FROM identity_object WHERE realm_id = $1",
        "DELETE FROM identity_user WHERE realm_id = $1",
        "DELETE FROM identity_user_attribute WHERE realm_id = $1",
        "DELETE FROM identity_user_role WHERE realm_id = $1",
        "DELETE FROM identity_user_group WHERE realm_id = $1",
        "DELETE FROM identity_credential WHERE realm_id = $1",
        "DELETE FROM identity_realm WHERE id = $1",
    };
    struct realm_draft *d;
    int rc = identity_change_realm(c, name, &d, err);

    if (rc < 0)
        return rc;
    struct db_value id = db_text(draft_realm_id(d));
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(tables); i++)
        rc = db_exec(c->conn, tables[i], &id, 1, NULL, err);
    d->dropped = true;
    return rc;
}

/* ---- drafts ---- */

struct arena *realm_draft_arena(struct realm_draft *d)
{
    return &d->change->arena;
}

struct str draft_realm_id(const struct realm_draft *d)
{
    return json_opt_str(d->rep, "id", STR(""));
}

json_t *draft_rep(struct realm_draft *d)
{
    return d->rep;
}

void draft_set_rep(struct realm_draft *d, json_t *rep)
{
    json_decref(d->rep);
    d->rep = rep;
    d->rep_changed = true;
}

json_t *draft_get(struct realm_draft *d, enum realm_kind kind, struct str id)
{
    return map_get(&d->docs[kind], id);
}

size_t draft_list(struct realm_draft *d, enum realm_kind kind, json_t ***ret)
{
    json_t **list = arena_array(&d->change->arena, json_t *, d->docs[kind].n);
    size_t n = 0;

    for (struct map_entry *e = NULL; (e = map_next(&d->docs[kind], e));)
        list[n++] = e->value;
    *ret = list;
    return n;
}

json_t *draft_find(struct realm_draft *d, enum realm_kind kind, const char *key, struct str value, const char *key2,
                   struct str value2)
{
    for (struct map_entry *e = NULL; (e = map_next(&d->docs[kind], e));) {
        struct str other = key2 ? json_opt_str(e->value, key2, STR_NULL) : STR_NULL;
        if (!str_eq(json_opt_str(e->value, key, STR("")), value))
            continue;
        if (!key2 || (str_is_null(value2) == str_is_null(other) && str_eq(value2, other)))
            return e->value;
    }
    return NULL;
}

int draft_link(struct realm_draft *d, enum realm_kind kind, struct str id, const char *key, struct str other, bool add,
               struct err *err)
{
    const json_t *doc = draft_get(d, kind, id);
    json_t *copy, *ids;

    if (!doc)
        return err_set(err, ERR_NOT_FOUND, "Could not find the %s", realm_kind_names[kind]);
    if (json_array_has(json_object_get(doc, key), other) == add)
        return 0;
    copy = json_copy((json_t *)doc);
    ids = json_object_get(copy, key) ? json_copy(json_object_get(copy, key)) : json_array();
    if (add)
        json_array_append_new(ids, json_of(other));
    else
        json_array_remove_str(ids, other);
    json_object_set_new(copy, key, ids);
    draft_put(d, kind, copy);
    return 0;
}

static void touch(struct realm_draft *d, enum realm_kind kind, struct str id)
{
    vec_push(&d->touched, ((struct touched){kind, arena_str(&d->change->arena, id)}));
}

void draft_put(struct realm_draft *d, enum realm_kind kind, json_t *doc)
{
    struct str id = json_opt_str(doc, "id", STR(""));

    touch(d, kind, id);
    json_decref(map_set(&d->docs[kind], id, doc));
}

/* The keys under which documents refer to others. */
static const char *const reference_keys[] = {"$default", "$optional", "$roles", "$parts", "$defaultGroups"};

static bool refers(const json_t *doc, struct str id)
{
    for (size_t i = 0; i < ARRAY_LEN(reference_keys); i++)
        if (json_array_has(json_object_get(doc, reference_keys[i]), id))
            return true;
    return false;
}

static json_t *without_reference(const json_t *doc, struct str id)
{
    json_t *copy = json_copy((json_t *)doc);

    for (size_t i = 0; i < ARRAY_LEN(reference_keys); i++) {
        json_t *ids = json_object_get(copy, reference_keys[i]);
        if (ids) {
            ids = json_copy(ids);
            json_array_remove_str(ids, id);
            json_object_set_new(copy, reference_keys[i], ids);
        }
    }
    return copy;
}

static void forget(struct realm_draft *d, struct str id)
{
    static const enum realm_kind kinds[] = {KIND_CLIENT, KIND_SCOPE, KIND_ROLE, KIND_GROUP};

    if (refers(d->rep, id))
        draft_set_rep(d, without_reference(d->rep, id));
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        json_t **docs;
        size_t n = draft_list(d, kinds[k], &docs);
        for (size_t i = 0; i < n; i++)
            if (refers(docs[i], id))
                draft_put(d, kinds[k], without_reference(docs[i], id));
    }
}

/* Deletes the documents of a kind that have the id at the key. */
static int delete_dependent(struct realm_draft *d, enum realm_kind kind, const char *key, struct str id,
                            struct err *err)
{
    json_t **docs;
    size_t n = draft_list(d, kind, &docs);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++)
        if (str_eq(json_opt_str(docs[i], key, STR("")), id))
            rc = draft_delete(d, kind, arena_str(&d->change->arena, json_opt_str(docs[i], "id", STR(""))), err);
    return rc;
}

static int delete_rows(struct realm_draft *d, const char *sql, struct str id, struct err *err)
{
    struct db_value params[] = {db_text(draft_realm_id(d)), db_text(id)};
    return db_exec(d->change->conn, sql, params, 2, NULL, err);
}

static int delete_service_account(struct realm_draft *d, struct str client_id, struct err *err)
{
    static const char *const statements[] = {
        "DELETE FROM identity_user_attribute WHERE realm_id = $1 AND user_id IN"
        " (SELECT id FROM identity_user WHERE realm_id = $1 AND service_account_of = $2)",
        "DELETE FROM identity_user_role WHERE realm_id = $1 AND user_id IN"
        " (SELECT id FROM identity_user WHERE realm_id = $1 AND service_account_of = $2)",
        "DELETE FROM identity_user_group WHERE realm_id = $1 AND user_id IN"
        " (SELECT id FROM identity_user WHERE realm_id = $1 AND service_account_of = $2)",
        "DELETE FROM identity_user WHERE realm_id = $1 AND service_account_of = $2",
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(statements); i++)
        rc = delete_rows(d, statements[i], client_id, err);
    return rc;
}

int draft_delete(struct realm_draft *d, enum realm_kind kind, struct str id, struct err *err)
{
    int rc = 0;

    id = arena_str(&d->change->arena, id);
    json_t *doc = map_remove(&d->docs[kind], id);
    if (!doc)
        return 0;
    json_decref(doc);
    touch(d, kind, id);
    switch (kind) {
    case KIND_CLIENT:
        rc = delete_dependent(d, KIND_ROLE, "$client", id, err);
        if (rc == 0)
            rc = delete_service_account(d, id, err);
        break;
    case KIND_ROLE:
        forget(d, id);
        rc = delete_rows(d, "DELETE FROM identity_user_role WHERE realm_id = $1 AND role_id = $2", id, err);
        break;
    case KIND_GROUP:
        forget(d, id);
        rc = delete_rows(d, "DELETE FROM identity_user_group WHERE realm_id = $1 AND group_id = $2", id, err);
        if (rc == 0)
            rc = delete_dependent(d, KIND_GROUP, "$parent", id, err);
        break;
    case KIND_SCOPE:
        forget(d, id);
        break;
    default:
        break;
    }
    return rc;
}

static struct realm *build(struct realm_draft *d, int64_t version)
{
    struct doc_list docs[KIND_COUNT] = {0};

    for (int k = 0; k < KIND_COUNT; k++)
        for (struct map_entry *e = NULL; (e = map_next(&d->docs[k], e));)
            vec_push(&docs[k], json_incref(e->value));
    return realm_build(json_incref(d->rep), docs, version);
}

struct realm *draft_snapshot(struct realm_draft *d)
{
    return build(d, 0);
}

/* ---- committing ---- */

static int write_document(struct realm_draft *d, const struct touched *t, struct err *err)
{
    struct identity *i = d->change->identity;
    const json_t *doc = map_get(&d->docs[t->kind], t->id);
    struct db_value params[] = {db_text(draft_realm_id(d)), db_text(str_from_cstr(realm_kind_names[t->kind])),
                                db_text(t->id), db_int(0), db_text(STR_NULL)};

    if (!doc)
        return db_exec(d->change->conn, "DELETE FROM identity_object WHERE realm_id = $1 AND kind = $2 AND id = $3",
                       params, 3, NULL, err);
    /* Documents come back in the order of their making: microseconds, made unique. */
    int64_t now = clock_wall_us();
    i->last_seq = now > i->last_seq ? now : i->last_seq + 1;
    params[3] = db_int(i->last_seq);
    params[4] = db_text(json_text(&d->change->arena, doc));
    return db_exec(d->change->conn,
                   "INSERT INTO identity_object (realm_id, kind, id, seq, doc) VALUES ($1, $2, $3, $4, $5)"
                   " ON CONFLICT (realm_id, kind, id) DO UPDATE SET doc = excluded.doc",
                   params, 5, NULL, err);
}

static int write_draft(struct realm_draft *d, int64_t *ret_version, struct err *err)
{
    const struct realm_internal *in = d->base ? d->base->internal : NULL;
    struct db_value params[] = {db_text(draft_realm_id(d)), db_text(draft_name(d)), db_int(0), db_text(STR_NULL),
                                db_int(in ? in->version : 0)};
    struct map done = MAP_INIT;
    int64_t changed;
    int rc;

    *ret_version = in ? in->version + 1 : 1;
    params[2] = db_int(*ret_version);
    params[3] = db_text(json_text(&d->change->arena, d->rep));
    if (in)
        rc = db_exec(d->change->conn,
                     "UPDATE identity_realm SET name = $2, version = $3, doc = $4 WHERE id = $1 AND version = $5",
                     params, 5, &changed, err);
    else
        rc = db_exec(d->change->conn, "INSERT INTO identity_realm (id, name, version, doc) VALUES ($1, $2, $3, $4)",
                     params, 4, &changed, err);
    if (rc == 0 && changed != 1)
        rc = err_set(err, ERR_CONFLICT, "the realm %.*s was changed at the same time", STR_ARG(draft_name(d)));
    for (size_t i = 0; rc == 0 && i < d->touched.n; i++) {
        const struct touched *t = &d->touched.items[i];
        struct str key = arena_printf(&d->change->arena, "%d/%.*s", t->kind, STR_ARG(t->id));
        if (!map_set(&done, key, d))
            rc = write_document(d, t, err);
    }
    map_release(&done);
    return rc;
}

static void publish(struct identity *i, struct realm_draft *d, struct realm *built)
{
    struct realm *old = NULL, *replaced = NULL;

    pthread_rwlock_wrlock(&i->lock);
    if (d->base)
        old = map_remove(&i->realms, d->base->name);
    if (built)
        replaced = map_set(&i->realms, built->name, built);
    pthread_rwlock_unlock(&i->lock);
    if (old)
        realm_unref(old);
    if (replaced)
        realm_unref(replaced);
}

static bool is_changed(const struct realm_draft *d)
{
    return d->touched.n > 0 || d->rep_changed;
}

int identity_change_commit(struct identity_change *c, struct err *err)
{
    size_t n = 0, used = 0;
    int rc = 0;

    for (struct realm_draft *d = c->drafts; d; d = d->next)
        n++;
    struct realm **built = arena_array(&c->arena, struct realm *, n);
    for (struct realm_draft *d = c->drafts; d && rc == 0; d = d->next, used++) {
        int64_t version;
        if (d->dropped || !is_changed(d))
            continue;
        rc = write_draft(d, &version, err);
        if (rc == 0)
            built[used] = build(d, version);
    }
    if (rc == 0)
        rc = db_commit(c->conn, err);
    used = 0;
    for (struct realm_draft *d = c->drafts; d && used < n; d = d->next, used++) {
        if (rc == 0 && (d->dropped || built[used]))
            publish(c->identity, d, built[used]);
        else if (built[used])
            realm_unref(built[used]);
    }
    db_release(c->conn);
    c->conn = NULL;
    return rc;
}
