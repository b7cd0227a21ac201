/*
 * Tables, the "last seen" times that wait to be written, and the thread that writes them and removes what has expired.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/vec.h"
#include "identity/session/internal.h"

#include <time.h>

enum { SWEEP_PERIOD_S = 5, EXPIRE_EVERY = 12 /* sweeps */ };

static const char *const schema[] = {
    "CREATE TABLE identity_session (id VARCHAR(64) NOT NULL, is_offline INTEGER NOT NULL, realm_id VARCHAR(64) NOT "
    "NULL,"
    " user_id VARCHAR(64) NOT NULL, ip VARCHAR(64), auth_method VARCHAR(64), remember_me INTEGER NOT NULL,"
    " started BIGINT NOT NULL, last_access BIGINT NOT NULL, auth_time BIGINT NOT NULL, notes TEXT,"
    " PRIMARY KEY (id, is_offline))",
    "CREATE INDEX identity_session_user ON identity_session (realm_id, user_id)",
    "CREATE INDEX identity_session_seen ON identity_session (realm_id, is_offline, last_access)",
    "CREATE TABLE identity_client_session (session_id VARCHAR(64) NOT NULL, is_offline INTEGER NOT NULL,"
    " client_id VARCHAR(64) NOT NULL, realm_id VARCHAR(64) NOT NULL, scope TEXT, redirect_uri TEXT,"
    " started BIGINT NOT NULL, last_access BIGINT NOT NULL, notes TEXT, PRIMARY KEY (session_id, is_offline, "
    "client_id))",
    "CREATE INDEX identity_client_session_client ON identity_client_session (realm_id, client_id)",
    "CREATE TABLE identity_refresh_chain (id VARCHAR(64) PRIMARY KEY, session_id VARCHAR(64) NOT NULL,"
    " client_id VARCHAR(64) NOT NULL, is_offline INTEGER NOT NULL, current_id VARCHAR(64) NOT NULL,"
    " next_id VARCHAR(64) NOT NULL, uses INTEGER NOT NULL)",
    "CREATE TABLE identity_revoked_token (id VARCHAR(255) PRIMARY KEY, expires BIGINT NOT NULL)",
};

int64_t sessions_clock(const struct sessions *s)
{
    return clock_wall_ms() / 1000 + atomic_load_explicit(&s->skew, memory_order_relaxed);
}

struct str session_text(const struct db_rows *rows, size_t row, size_t column)
{
    const struct db_value *v = &db_at(rows, row, column);
    return v->type == DB_NULL ? STR_NULL : v->text;
}

json_t *session_notes(struct arena *a, struct str text)
{
    json_t *notes = NULL;

    if (!text.p || json_parse(text, &notes, NULL) < 0)
        notes = json_object();
    return json_keep(a, notes);
}

int session_notes_text(struct arena *a, const json_t *notes, struct str *ret, struct err *err)
{
    BUF_SCOPED struct buf b = {0};
    struct json_writer w;

    *ret = STR_NULL;
    if (json_object_size(notes) == 0)
        return 0;
    buf_init(&b, NOTES_MAX);
    json_writer_init(&w, &b);
    json_add_value(&w, notes);
    *ret = arena_str(a, buf_str(&b));
    return buf_check(&b, "what is noted of a session", err);
}

/* ---- touches ---- */

struct touch {
    int64_t at;
    struct str session_id, client_id; /* client_id null: of the session itself */
    bool offline;
    char text[]; /* of both */
};

static void touch_key(struct buf *b, struct str session_id, struct str client_id, bool offline)
{
    buf_init(b, 4096);
    buf_add_char(b, offline ? 'o' : 'n');
    buf_add_str(b, session_id);
    buf_add_char(b, '\0');
    buf_add_str(b, client_id);
}

void touch_put(struct sessions *s, struct str session_id, struct str client_id, bool offline, int64_t now)
{
    BUF_SCOPED struct buf key = {0};
    struct touch *t;

    touch_key(&key, session_id, client_id, offline);
    pthread_mutex_lock(&s->touch_lock);
    t = map_get(&s->touches, buf_str(&key));
    if (t) {
        t->at = now;
    } else if (s->touches.n < TOUCHES_MAX) { /* past it the session idles out sooner: no harm, and no growth */
        t = calloc(1, sizeof(*t) + session_id.n + client_id.n);
        if (!t)
            abort();
        memcpy(t->text, session_id.p, session_id.n);
        if (client_id.n)
            memcpy(t->text + session_id.n, client_id.p, client_id.n);
        t->at = now;
        t->offline = offline;
        t->session_id = str_from(t->text, session_id.n);
        t->client_id = client_id.p ? str_from(t->text + session_id.n, client_id.n) : STR_NULL;
        map_set(&s->touches, buf_str(&key), t);
    }
    pthread_mutex_unlock(&s->touch_lock);
}

int64_t touch_get(struct sessions *s, struct str session_id, struct str client_id, bool offline, int64_t stored)
{
    BUF_SCOPED struct buf key = {0};
    const struct touch *t;

    touch_key(&key, session_id, client_id, offline);
    pthread_mutex_lock(&s->touch_lock);
    t = map_get(&s->touches, buf_str(&key));
    if (t && t->at > stored)
        stored = t->at;
    pthread_mutex_unlock(&s->touch_lock);
    return stored;
}

void touch_forget(struct sessions *s, struct str session_id, struct str client_id, bool offline)
{
    BUF_SCOPED struct buf key = {0};

    touch_key(&key, session_id, client_id, offline);
    pthread_mutex_lock(&s->touch_lock);
    free(map_remove(&s->touches, buf_str(&key)));
    pthread_mutex_unlock(&s->touch_lock);
}

/* The rows get the times; a touch stays in the map until its row has it, so that no reader sees an older one. */
static int write_touches(struct sessions *s, struct err *err)
{
    static const char
        *const of_session = "UPDATE identity_session SET last_access = $1 WHERE id = $2 AND is_offline = $3"
                            " AND last_access < $1",
               *const of_client = "UPDATE identity_client_session SET last_access = $1 WHERE session_id = $2 AND"
                                  " is_offline = $3 AND client_id = $4 AND last_access < $1";
    VEC(struct touch *) list = {NULL, 0, 0};
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    int rc = 0;

    pthread_mutex_lock(&s->touch_lock);
    for (struct map_entry *m = NULL; (m = map_next(&s->touches, m));) {
        const struct touch *t = m->value;
        struct touch *copy = calloc(1, sizeof(*t) + t->session_id.n + t->client_id.n);
        if (!copy)
            abort();
        memcpy(copy, t, sizeof(*t) + t->session_id.n + t->client_id.n);
        copy->session_id.p = copy->text;
        copy->client_id.p = t->client_id.p ? copy->text + t->session_id.n : NULL;
        vec_push(&list, copy);
    }
    pthread_mutex_unlock(&s->touch_lock);
    if (list.n && (rc = db_acquire(s->db, &conn, err)) == 0 && (rc = db_begin(conn, err)) == 0) {
        for (size_t i = 0; rc == 0 && i < list.n; i++) {
            const struct touch *t = list.items[i];
            struct db_value params[] = {db_int(t->at), db_text(t->session_id), db_int(t->offline),
                                        db_text(t->client_id)};
            rc = db_exec(conn, t->client_id.p ? of_client : of_session, params, t->client_id.p ? 4 : 3, NULL, err);
        }
        if (rc == 0)
            rc = db_commit(conn, err);
    }
    for (size_t i = 0; i < list.n; i++) {
        struct touch *t = list.items[i];
        BUF_SCOPED struct buf key = {0};
        touch_key(&key, t->session_id, t->client_id, t->offline);
        pthread_mutex_lock(&s->touch_lock);
        if (rc == 0) {
            const struct touch *now = map_get(&s->touches, buf_str(&key));
            if (now && now->at == t->at)
                free(map_remove(&s->touches, buf_str(&key)));
        }
        pthread_mutex_unlock(&s->touch_lock);
        free(t);
    }
    vec_release(&list);
    return rc;
}

void sessions_flush(struct sessions *s)
{
    struct err err = {0};

    if (write_touches(s, &err) < 0)
        log_warn("writing when sessions were seen last: %s", err.message);
}

/* ---- removing what has expired ---- */

/* Times before which a session of the realm can't be alive, whatever its client's settings. */
static void oldest(const struct realm *r, bool offline, int64_t now, int64_t *ret_seen, int64_t *ret_started)
{
    int64_t idle = r->sso_idle, max = r->sso_max, v;

    if (offline) {
        *ret_seen = now - r->offline_idle;
        *ret_started = r->offline_max_enabled ? now - r->offline_max : INT64_MIN;
        return;
    }
    if ((v = json_opt_i64(r->rep, "ssoSessionIdleTimeoutRememberMe", 0)) > idle)
        idle = v;
    if ((v = json_opt_i64(r->rep, "ssoSessionMaxLifespanRememberMe", 0)) > max)
        max = v;
    *ret_seen = now - idle;
    *ret_started = now - max;
}

static int expire_some(struct sessions *s, const struct realm *r, bool offline, size_t *ret_n, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    ARENA_SCOPED struct arena a;
    struct db_rows rows;
    int64_t seen, started;
    int rc;

    arena_init(&a, 0);
    oldest(r, offline, sessions_clock(s), &seen, &started);
    rc = db_acquire(s->db, &conn, err);
    if (rc == 0) {
        struct db_value params[] = {db_text(r->id), db_int(offline), db_int(seen), db_int(started), db_int(PASS_ROWS)};
        rc = db_query(conn, &a,
                      "SELECT id FROM identity_session WHERE realm_id = $1 AND is_offline = $2 AND"
                      " (last_access <= $3 OR started <= $4) LIMIT $5",
                      params, ARRAY_LEN(params), &rows, err);
    }
    if (rc < 0)
        return rc;
    *ret_n = rows.row_count;
    if (rows.row_count == 0)
        return 0;
    rc = db_begin(conn, err);
    for (size_t i = 0; rc == 0 && i < rows.row_count; i++) {
        struct db_value params[] = {db_text(session_text(&rows, i, 0)), db_int(offline)};
        rc = db_exec(conn, "DELETE FROM identity_client_session WHERE session_id = $1 AND is_offline = $2", params, 2,
                     NULL, err);
        if (rc == 0)
            rc = db_exec(conn, "DELETE FROM identity_session WHERE id = $1 AND is_offline = $2", params, 2, NULL, err);
    }
    return rc == 0 ? db_commit(conn, err) : rc;
}

/* Ids of chains are never used again: a chain may outlive its session for a while. */
static void expire_chains(struct sessions *s)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct err err = {0};

    if (db_acquire(s->db, &conn, &err) < 0 ||
        db_exec(
            conn,
            "DELETE FROM identity_refresh_chain WHERE NOT EXISTS (SELECT 1 FROM identity_client_session c WHERE"
            " c.session_id = identity_refresh_chain.session_id AND c.client_id = identity_refresh_chain.client_id AND"
            " c.is_offline = identity_refresh_chain.is_offline)",
            NULL, 0, NULL, &err) < 0)
        log_warn("removing refresh tokens' records: %s", err.message);
}

static void expire(struct sessions *s)
{
    ARENA_SCOPED struct arena a;
    struct str *names;
    size_t n;

    arena_init(&a, 0);
    n = identity_realm_names(s->model, &a, &names);
    for (size_t i = 0; i < n; i++)
        for (int offline = 0; offline < 2; offline++) {
            REALM_SCOPED struct realm *r = NULL;
            struct err err = {0};
            size_t removed = PASS_ROWS;
            if (identity_realm(s->model, names[i], &r, &err) < 0)
                continue;
            while (removed == PASS_ROWS && !s->stopping)
                if (expire_some(s, r, offline, &removed, &err) < 0) {
                    log_warn("removing expired sessions: %s", err.message);
                    break;
                }
        }
}

static void *sweep(void *arg)
{
    struct sessions *s = arg;
    int64_t turn = 0;

    pthread_mutex_lock(&s->sweep_lock);
    while (!s->stopping) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += SWEEP_PERIOD_S;
        pthread_cond_timedwait(&s->sweep_wake, &s->sweep_lock, &until);
        if (s->stopping)
            break;
        pthread_mutex_unlock(&s->sweep_lock);
        shelf_sweep(s);
        sessions_flush(s);
        if (++turn % EXPIRE_EVERY == 0) {
            expire(s);
            expire_chains(s);
            revoked_sweep(s);
        }
        pthread_mutex_lock(&s->sweep_lock);
    }
    pthread_mutex_unlock(&s->sweep_lock);
    return NULL;
}

/* ---- opening ---- */

static int make_tables(struct db *db, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    bool there = false;
    int rc = db_acquire(db, &conn, err);

    if (rc == 0)
        rc = db_begin(conn, err);
    if (rc == 0)
        rc = db_table_exists(conn, "identity_session", &there, err);
    for (size_t i = 0; rc == 0 && !there && i < ARRAY_LEN(schema); i++)
        rc = db_exec(conn, schema[i], NULL, 0, NULL, err);
    return rc == 0 ? db_commit(conn, err) : err_prefix(err, "the tables of sessions");
}

int sessions_open(struct identity *model, struct sessions **ret, struct err *err)
{
    struct sessions *s = calloc(1, sizeof(*s));
    int rc;

    if (!s)
        abort();
    s->model = model;
    s->db = identity_db(model);
    pthread_mutex_init(&s->touch_lock, NULL);
    pthread_mutex_init(&s->shelf_lock, NULL);
    pthread_rwlock_init(&s->revoked_lock, NULL);
    pthread_mutex_init(&s->sweep_lock, NULL);
    pthread_cond_init(&s->sweep_wake, NULL);
    rc = make_tables(s->db, err);
    if (rc == 0)
        rc = revoked_load(s, err);
    if (rc == 0 && pthread_create(&s->sweeper, NULL, sweep, s) != 0)
        rc = err_set(err, ERR_INTERNAL, "no thread to remove expired sessions");
    if (rc < 0) {
        map_release(&s->revoked);
        free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

void sessions_close(struct sessions *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->sweep_lock);
    s->stopping = true;
    pthread_cond_signal(&s->sweep_wake);
    pthread_mutex_unlock(&s->sweep_lock);
    pthread_join(s->sweeper, NULL);
    sessions_flush(s);
    for (struct map_entry *m = NULL; (m = map_next(&s->touches, m));)
        free(m->value);
    map_release(&s->touches);
    map_release(&s->revoked);
    shelf_release(s);
    pthread_mutex_destroy(&s->touch_lock);
    pthread_mutex_destroy(&s->shelf_lock);
    pthread_rwlock_destroy(&s->revoked_lock);
    pthread_mutex_destroy(&s->sweep_lock);
    pthread_cond_destroy(&s->sweep_wake);
    free(s);
}
