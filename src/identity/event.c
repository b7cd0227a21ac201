#include "identity/event.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "base/vec.h"

#include <pthread.h>

enum {
    LINE_MAX = 1900,         /* bytes of JSON that a log line takes */
    VALUE_MAX = 255,         /* bytes of a detail: they may be a client's */
    BATCH_MAX = 256,         /* rows a transaction */
    EXPIRE_EVERY_MS = 60000, /* how often old rows are looked for */
    PAGE_DEFAULT = 100,
};

static const char *const schema[] = {
    "CREATE TABLE identity_event (id VARCHAR(36) PRIMARY KEY, realm_id VARCHAR(64) NOT NULL, time_ms BIGINT NOT NULL,"
    " type VARCHAR(255) NOT NULL, client_id VARCHAR(255), user_id VARCHAR(255), session_id VARCHAR(255),"
    " ip VARCHAR(255), error VARCHAR(255), details TEXT NOT NULL)",
    "CREATE INDEX identity_event_time ON identity_event (realm_id, time_ms)",
    "CREATE TABLE identity_admin_event (id VARCHAR(36) PRIMARY KEY, realm_id VARCHAR(64) NOT NULL, time_ms BIGINT NOT "
    "NULL,"
    " operation VARCHAR(255) NOT NULL, resource_type VARCHAR(255) NOT NULL, resource_path VARCHAR(2550),"
    " auth_realm_id VARCHAR(255), auth_client_id VARCHAR(255), auth_user_id VARCHAR(255), ip VARCHAR(255),"
    " error VARCHAR(255), representation TEXT)",
    "CREATE INDEX identity_admin_event_time ON identity_admin_event (realm_id, time_ms)",
};

enum { COLUMNS_MAX = 12 };

/* A row that waits. */
struct row {
    struct arena arena;
    bool is_admin;
    struct db_value values[COLUMNS_MAX];
    struct str realm_id;
    int64_t expire_before_ms; /* rows of the realm older than this can go; 0: none */
};

struct events {
    struct db *db;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t some, none;
    VEC(struct row *) waiting;
    bool writing, ending;
    int64_t lost;
    int64_t next_expiry_ms; /* the thread's */
};

static void free_row(struct row *r)
{
    struct arena arena = r->arena; /* r lives in it */

    arena_release(&arena);
}

static struct row *new_row(void)
{
    struct arena arena;

    arena_init(&arena, 4 << 20);
    struct row *r = arena_new(&arena, struct row);
    r->arena = arena;
    return r;
}

/* ---- the thread ---- */

static int insert_rows(struct db_conn *c, struct row **rows, size_t n, struct err *err)
{
    static const char event[] =
        "INSERT INTO identity_event (id, realm_id, time_ms, type, client_id, user_id, session_id,"
        " ip, error, details) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    static const char admin[] = "INSERT INTO identity_admin_event (id, realm_id, time_ms, operation, resource_type, "
                                "resource_path, auth_realm_id,"
                                " auth_client_id, auth_user_id, ip, error, representation)"
                                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    int rc = db_begin(c, err);

    for (size_t i = 0; i < n && rc == 0; i++)
        rc = db_exec(c, rows[i]->is_admin ? admin : event, rows[i]->values, rows[i]->is_admin ? 12 : 10, NULL, err);
    if (rc == 0)
        rc = db_commit(c, err);
    else
        db_rollback(c);
    return rc;
}

static void expire(struct events *e, struct db_conn *c, const struct row *r)
{
    const struct db_value params[] = {db_text(r->realm_id), db_int(r->expire_before_ms)};
    struct err err = {0};

    if (r->expire_before_ms == 0 || clock_mono_ms() < e->next_expiry_ms)
        return;
    e->next_expiry_ms = clock_mono_ms() + EXPIRE_EVERY_MS;
    if (db_exec(c, "DELETE FROM identity_event WHERE realm_id = $1 AND time_ms < $2", params, 2, NULL, &err) < 0)
        log_warn("old events: %s", err.message);
}

static void write_batch(struct events *e, struct row **rows, size_t n)
{
    struct db_conn *c = NULL;
    struct err err = {0};
    int rc = db_acquire(e->db, &c, &err);

    for (int tries = 0; rc == 0 && tries < 5; tries++) {
        rc = insert_rows(c, rows, n, &err);
        if (rc != ERR_CONFLICT)
            break;
        rc = tries < 4 ? 0 : rc;
    }
    if (rc < 0)
        log_error("%zu events are in the log only: %s", n, err.message);
    else
        expire(e, c, rows[n - 1]);
    if (c)
        db_release(c);
}

static void *run(void *arg)
{
    struct events *e = arg;
    struct row *batch[BATCH_MAX];

    pthread_mutex_lock(&e->lock);
    for (;;) {
        while (e->waiting.n == 0 && !e->ending)
            pthread_cond_wait(&e->some, &e->lock);
        if (e->waiting.n == 0)
            break;
        size_t n = e->waiting.n < BATCH_MAX ? e->waiting.n : BATCH_MAX;
        memcpy(batch, e->waiting.items, n * sizeof(batch[0]));
        memmove(e->waiting.items, e->waiting.items + n, (e->waiting.n - n) * sizeof(batch[0]));
        e->waiting.n -= n;
        int64_t lost = e->lost;
        e->lost = 0;
        e->writing = true;
        pthread_mutex_unlock(&e->lock);

        if (lost)
            log_error("%lld events are in the log only: too many at once", (long long)lost);
        write_batch(e, batch, n);
        for (size_t i = 0; i < n; i++)
            free_row(batch[i]);
        pthread_mutex_lock(&e->lock);
        e->writing = false;
        if (e->waiting.n == 0)
            pthread_cond_broadcast(&e->none);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

static void enqueue(struct events *e, struct row *r)
{
    pthread_mutex_lock(&e->lock);
    bool room = e->waiting.n < EVENTS_WAITING_MAX;
    if (room)
        vec_push(&e->waiting, r);
    else
        e->lost++;
    pthread_cond_signal(&e->some);
    pthread_mutex_unlock(&e->lock);
    if (!room)
        free_row(r);
}

static int make_tables(struct db *db, struct err *err)
{
    struct db_conn *c = NULL;
    bool exists = false;
    int rc = db_acquire(db, &c, err);

    if (rc == 0)
        rc = db_table_exists(c, "identity_admin_event", &exists, err);
    if (rc == 0 && !exists) {
        rc = db_begin(c, err);
        for (size_t i = 0; i < ARRAY_LEN(schema) && rc == 0; i++)
            rc = db_exec(c, schema[i], NULL, 0, NULL, err);
        if (rc == 0)
            rc = db_commit(c, err);
        else
            db_rollback(c);
    }
    if (c)
        db_release(c);
    return rc;
}

int events_open(struct db *db, struct events **ret, struct err *err)
{
    int rc = make_tables(db, err);

    if (rc < 0)
        return rc;
    struct events *e = calloc(1, sizeof(*e));
    if (!e)
        return err_set(err, ERR_LIMIT, "no memory for the audit log");
    e->db = db;
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->some, NULL);
    pthread_cond_init(&e->none, NULL);
    if (pthread_create(&e->thread, NULL, run, e) != 0) {
        free(e);
        return err_set(err, ERR_LIMIT, "no thread for the audit log");
    }
    *ret = e;
    return 0;
}

void events_flush(struct events *e)
{
    pthread_mutex_lock(&e->lock);
    while (e->waiting.n || e->writing)
        pthread_cond_wait(&e->none, &e->lock);
    pthread_mutex_unlock(&e->lock);
}

void events_close(struct events *e)
{
    if (!e)
        return;
    pthread_mutex_lock(&e->lock);
    e->ending = true;
    pthread_cond_signal(&e->some);
    pthread_mutex_unlock(&e->lock);
    pthread_join(e->thread, NULL);
    vec_release(&e->waiting);
    pthread_cond_destroy(&e->some);
    pthread_cond_destroy(&e->none);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

/* ---- events of users ---- */

static struct str bounded(struct str s)
{
    size_t n = s.n < VALUE_MAX ? s.n : VALUE_MAX;

    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80) /* not within a character */
        n--;
    return str_is_null(s) ? s : str_from(s.p, n);
}

static void add_member(struct json_writer *w, const char *key, struct str value)
{
    if (str_is_null(value))
        return;
    json_key(w, key);
    json_add_str(w, bounded(value));
}

static void add_details(struct json_writer *w, const struct event *event)
{
    json_open_object(w);
    for (size_t i = 0; i < event->detail_count; i++)
        add_member(w, event->details[i].name, event->details[i].value);
    json_close_object(w);
}

static void log_event(const struct event *event, const char *type)
{
    BUF_SCOPED struct buf line = {0};
    struct json_writer w;

    buf_init(&line, (size_t)LINE_MAX * 8);
    json_writer_init(&w, &line);
    json_open_object(&w);
    add_member(&w, "type", str_from_cstr(type));
    add_member(&w, "realm", event->realm->name);
    add_member(&w, "clientId", event->client_id);
    add_member(&w, "userId", event->user_id);
    add_member(&w, "sessionId", event->session_id);
    add_member(&w, "ipAddress", event->ip);
    add_member(&w, "error", str_from_cstr(event->error));
    /* A line that is cut would be no JSON: details go first when they don't fit. */
    struct json_writer without = w;
    size_t n = line.n;
    json_key(&w, "details");
    add_details(&w, event);
    json_close_object(&w);
    if (line.n > LINE_MAX) {
        buf_truncate(&line, n);
        json_close_object(&without);
    }
    log_write(event->error ? LOG_WARN : LOG_INFO, "event %.*s", STR_ARG(buf_str(&line)));
}

/* No list, or an empty one, means all types. */
static bool is_kept(const struct realm *r, const char *type)
{
    const json_t *types = json_object_get(r->rep, "enabledEventTypes"), *t;
    size_t i;

    if (!json_opt_bool(r->rep, "eventsEnabled", false))
        return false;
    if (!json_is_array(types) || json_array_size(types) == 0)
        return true;
    json_array_foreach(types, i, t)
    {
        if (str_eq_cstr(json_str(t), type))
            return true;
    }
    return false;
}

static struct db_value kept(struct row *r, struct str s)
{
    return db_text(str_is_null(s) ? s : arena_str(&r->arena, bounded(s)));
}

static struct db_value new_id(struct row *r)
{
    char id[UUID_TEXT_SIZE];

    uuid_v7(id);
    return db_text(arena_str(&r->arena, str_from_cstr(id)));
}

void event_write(struct events *e, const struct event *event)
{
    char type[64];
    BUF_SCOPED struct buf details = {0};
    struct json_writer w;
    int64_t now = clock_wall_ms(), keep_s = json_opt_i64(event->realm->rep, "eventsExpiration", 0);

    (void)snprintf(type, sizeof(type), "%s%s", event->type, event->error ? "_ERROR" : "");
    log_event(event, type);
    if (!is_kept(event->realm, type))
        return;
    buf_init(&details, 64 << 10);
    json_writer_init(&w, &details);
    add_details(&w, event);

    struct row *r = new_row();
    const struct db_value values[] = {new_id(r),
                                      kept(r, event->realm->id),
                                      db_int(now),
                                      kept(r, str_from_cstr(type)),
                                      kept(r, event->client_id),
                                      kept(r, event->user_id),
                                      kept(r, event->session_id),
                                      kept(r, event->ip),
                                      kept(r, str_from_cstr(event->error)),
                                      db_text(arena_str(&r->arena, buf_str(&details)))};
    memcpy(r->values, values, sizeof(values));
    r->realm_id = r->values[1].text;
    r->expire_before_ms = keep_s > 0 ? now - keep_s * 1000 : 0;
    enqueue(e, r);
}

void event_fail(struct events *e, struct event *event, const char *error)
{
    event->error = error;
    event_write(e, event);
}

/* ---- events of administrators ---- */

void admin_event_write(struct events *e, const struct admin_event *event)
{
    BUF_SCOPED struct buf line = {0};
    struct json_writer w;

    buf_init(&line, (size_t)LINE_MAX * 2);
    json_writer_init(&w, &line);
    json_open_object(&w);
    add_member(&w, "operationType", str_from_cstr(event->operation));
    add_member(&w, "resourceType", str_from_cstr(event->resource_type));
    add_member(&w, "realm", event->realm->name);
    add_member(&w, "resourcePath", event->resource_path);
    add_member(&w, "clientId", event->auth_client_id);
    add_member(&w, "userId", event->auth_user_id);
    add_member(&w, "ipAddress", event->ip);
    add_member(&w, "error", str_from_cstr(event->error));
    json_close_object(&w);
    log_write(event->error ? LOG_WARN : LOG_INFO, "admin event %.*s", STR_ARG(buf_str(&line)));
    if (!json_opt_bool(event->realm->rep, "adminEventsEnabled", false))
        return;

    struct row *r = new_row();
    bool with_details = json_opt_bool(event->realm->rep, "adminEventsDetailsEnabled", false);
    const struct db_value values[] = {
        new_id(r),
        kept(r, event->realm->id),
        db_int(clock_wall_ms()),
        kept(r, str_from_cstr(event->operation)),
        kept(r, str_from_cstr(event->resource_type)),
        kept(r, event->resource_path),
        kept(r, event->auth_realm_id),
        kept(r, event->auth_client_id),
        kept(r, event->auth_user_id),
        kept(r, event->ip),
        kept(r, str_from_cstr(event->error)),
        db_text(with_details && event->representation.p && event->representation.n < 1 << 20
                    ? arena_str(&r->arena, event->representation)
                    : STR_NULL)};
    r->is_admin = true;
    memcpy(r->values, values, sizeof(values));
    r->realm_id = r->values[1].text;
    enqueue(e, r);
}

/* ---- reading ---- */

enum { PARAMS_MAX = 128 };

struct statement {
    struct arena *a;
    struct buf text;
    struct db_value params[PARAMS_MAX];
    size_t n;
};

static void add_condition(struct statement *s, const char *before, struct db_value value)
{
    if (s->n == PARAMS_MAX)
        return;
    s->params[s->n++] = value;
    buf_addf(&s->text, " AND %s $%zu", before, s->n);
}

static void add_equal(struct statement *s, const char *column, struct str value)
{
    if (!str_is_null(value))
        add_condition(s, arena_printf(s->a, "%s =", column).p, db_text(value));
}

static void add_among(struct statement *s, const char *column, const struct str *values, size_t n)
{
    if (n == 0)
        return;
    buf_addf(&s->text, " AND %s IN (", column);
    for (size_t i = 0; i < n && s->n < PARAMS_MAX; i++) {
        s->params[s->n++] = db_text(values[i]);
        buf_addf(&s->text, "%s$%zu", i ? ", " : "", s->n);
    }
    buf_add_cstr(&s->text, ")");
}

static int select_rows(struct events *e, struct statement *s, const struct event_query *q, struct db_rows *ret,
                       struct err *err)
{
    struct db_conn *c = NULL;

    if (q->from_ms)
        add_condition(s, "time_ms >=", db_int(q->from_ms));
    if (q->to_ms)
        add_condition(s, "time_ms <", db_int(q->to_ms));
    buf_addf(&s->text, " ORDER BY time_ms %s, id %s LIMIT %lld OFFSET %lld", q->oldest_first ? "ASC" : "DESC",
             q->oldest_first ? "ASC" : "DESC", (long long)(q->max > 0 ? q->max : PAGE_DEFAULT),
             (long long)(q->first > 0 ? q->first : 0));
    int rc = buf_check(&s->text, "the query", err);
    if (rc == 0)
        rc = db_acquire(e->db, &c, err);
    if (rc == 0)
        rc = db_query(c, s->a, buf_cstr(&s->text), s->params, s->n, ret, err);
    if (c)
        db_release(c);
    return rc;
}

static void set_text(json_t *object, const char *key, struct str value)
{
    if (!str_is_null(value))
        json_object_set_new(object, key, json_stringn(value.p, value.n));
}

int events_query(struct events *e, const struct realm *r, const struct event_query *q, json_t **ret, struct err *err)
{
    static const char *const keys[] = {"id",        NULL,        "type",  "clientId", "userId",
                                       "sessionId", "ipAddress", "error", NULL};
    ARENA_SCOPED struct arena a;
    struct statement s = {.a = &a};
    struct db_rows rows;

    arena_init(&a, 0);
    buf_init(&s.text, 16 << 10);
    buf_add_cstr(&s.text,
                 "SELECT id, time_ms, type, client_id, user_id, session_id, ip, error, details FROM identity_event"
                 " WHERE realm_id = $1");
    s.params[s.n++] = db_text(r->id);
    add_among(&s, "type", q->types, q->type_count);
    add_equal(&s, "client_id", q->client_id);
    add_equal(&s, "user_id", q->user_id);
    add_equal(&s, "ip", q->ip);
    int rc = select_rows(e, &s, q, &rows, err);
    buf_release(&s.text);
    if (rc < 0)
        return rc;
    *ret = json_array();
    for (size_t i = 0; i < rows.row_count; i++) {
        json_t *item = json_object(), *details = NULL;
        json_object_set_new(item, "id", json_stringn(db_at(&rows, i, 0).text.p, db_at(&rows, i, 0).text.n));
        json_object_set_new(item, "time", json_integer(db_at(&rows, i, 1).i));
        for (size_t k = 2; k < 8; k++)
            set_text(item, keys[k], db_at(&rows, i, k).text);
        json_object_set_new(item, "realmId", json_stringn(r->id.p, r->id.n));
        if (json_parse(db_at(&rows, i, 8).text, &details, NULL) == 0)
            json_object_set_new(item, "details", details);
        json_array_append_new(*ret, item);
    }
    return 0;
}

/* A path with stars as a pattern of LIKE, for which everything else is text. */
static struct str like_pattern(struct arena *a, struct str path)
{
    BUF_SCOPED struct buf out = {0};

    buf_init(&out, 16 << 10);
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '%' || path.p[i] == '_' || path.p[i] == '\\')
            buf_add_char(&out, '\\');
        buf_add_char(&out, path.p[i] == '*' ? '%' : path.p[i]);
    }
    return arena_str(a, buf_str(&out));
}

int admin_events_query(struct events *e, const struct realm *r, const struct event_query *q, json_t **ret,
                       struct err *err)
{
    static const char *const auth_keys[] = {"realmId", "clientId", "userId", "ipAddress"};
    ARENA_SCOPED struct arena a;
    struct statement s = {.a = &a};
    struct db_rows rows;

    arena_init(&a, 0);
    buf_init(&s.text, 16 << 10);
    buf_add_cstr(&s.text,
                 "SELECT id, time_ms, operation, resource_type, resource_path, error, representation, auth_realm_id,"
                 " auth_client_id, auth_user_id, ip FROM identity_admin_event WHERE realm_id = $1");
    s.params[s.n++] = db_text(r->id);
    add_among(&s, "operation", q->types, q->type_count);
    add_among(&s, "resource_type", q->resource_types, q->resource_type_count);
    add_equal(&s, "auth_client_id", q->client_id);
    add_equal(&s, "auth_user_id", q->user_id);
    add_equal(&s, "ip", q->ip);
    if (!str_is_null(q->resource_path)) {
        add_condition(&s, "resource_path LIKE", db_text(like_pattern(&a, q->resource_path)));
        buf_add_cstr(&s.text, " ESCAPE '\\'");
    }
    int rc = select_rows(e, &s, q, &rows, err);
    buf_release(&s.text);
    if (rc < 0)
        return rc;
    *ret = json_array();
    for (size_t i = 0; i < rows.row_count; i++) {
        json_t *item = json_object(), *auth = json_object();
        set_text(item, "id", db_at(&rows, i, 0).text);
        json_object_set_new(item, "time", json_integer(db_at(&rows, i, 1).i));
        json_object_set_new(item, "realmId", json_stringn(r->id.p, r->id.n));
        for (size_t k = 0; k < ARRAY_LEN(auth_keys); k++)
            set_text(auth, auth_keys[k], db_at(&rows, i, 7 + k).text);
        json_object_set_new(item, "authDetails", auth);
        set_text(item, "operationType", db_at(&rows, i, 2).text);
        set_text(item, "resourceType", db_at(&rows, i, 3).text);
        set_text(item, "resourcePath", db_at(&rows, i, 4).text);
        set_text(item, "representation", db_at(&rows, i, 6).text);
        set_text(item, "error", db_at(&rows, i, 5).text);
        json_array_append_new(*ret, item);
    }
    return 0;
}

static int clear(struct events *e, const char *sql, const struct realm *r, struct err *err)
{
    const struct db_value params[] = {db_text(r->id)};
    struct db_conn *c = NULL;

    events_flush(e);
    int rc = db_acquire(e->db, &c, err);
    if (rc == 0)
        rc = db_exec(c, sql, params, 1, NULL, err);
    if (c)
        db_release(c);
    return rc;
}

int events_clear(struct events *e, const struct realm *r, struct err *err)
{
    return clear(e, "DELETE FROM identity_event WHERE realm_id = $1", r, err);
}

int admin_events_clear(struct events *e, const struct realm *r, struct err *err)
{
    return clear(e, "DELETE FROM identity_admin_event WHERE realm_id = $1", r, err);
}
