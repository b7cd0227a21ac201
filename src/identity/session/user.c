/* User sessions: making, reading, ending, listing. */
#include "base/enc.h"
#include "base/rand.h"
#include "base/vec.h"
#include "identity/session/internal.h"

#define COLUMNS                                                                                                  \
    "s.id, s.is_offline, s.user_id, s.ip, s.auth_method, s.remember_me, s.started, s.last_access, s.auth_time, " \
    "s.notes"

static void read_row(struct sessions *s, struct arena *a, const struct db_rows *rows, size_t i, struct session *ret)
{
    *ret = (struct session){
        .id = session_text(rows, i, 0),
        .offline = db_at(rows, i, 1).i != 0,
        .user_id = session_text(rows, i, 2),
        .ip = session_text(rows, i, 3),
        .auth_method = session_text(rows, i, 4),
        .remember_me = db_at(rows, i, 5).i != 0,
        .started = db_at(rows, i, 6).i,
        .last_access = db_at(rows, i, 7).i,
        .auth_time = db_at(rows, i, 8).i,
        .notes = session_notes(a, session_text(rows, i, 9)),
    };
    ret->last_access = touch_get(s, ret->id, STR_NULL, ret->offline, ret->last_access);
}

static int insert(struct db_conn *conn, struct arena *a, const struct realm *r, const struct session *what,
                  const char *conflict, struct err *err)
{
    struct str notes, sql;
    int rc = session_notes_text(a, what->notes, &notes, err);
    struct db_value params[] = {
        db_text(what->id),         db_int(what->offline), db_text(r->id),
        db_text(what->user_id),    db_text(what->ip),     db_text(what->auth_method),
        db_int(what->remember_me), db_int(what->started), db_int(what->last_access),
        db_int(what->auth_time),   db_text(STR_NULL),
    };

    if (rc < 0)
        return rc;
    params[10] = db_text(notes);
    sql = arena_printf(
        a,
        "INSERT INTO identity_session (id, is_offline, realm_id, user_id, ip, auth_method, remember_me,"
        " started, last_access, auth_time, notes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)%s",
        conflict);
    return db_exec(conn, sql.p, params, ARRAY_LEN(params), NULL, err);
}

int session_new(struct sessions *s, const struct realm *r, struct arena *a, const struct session *what,
                struct session *ret, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    unsigned char random[18];
    struct session made = *what;
    int rc;

    if (str_is_null(what->id)) {
        BUF_SCOPED struct buf id = {0};
        rand_bytes(random, sizeof(random));
        buf_init(&id, 64);
        enc_base64url(&id, random, sizeof(random));
        made.id = arena_str(a, buf_str(&id));
    }
    if (made.id.n == 0 || made.id.n > 64 || made.user_id.n == 0)
        return err_set(err, ERR_INVALID, "a session needs a user, and an id of at most 64 bytes");
    made.offline = false;
    made.started = made.last_access = sessions_clock(s);
    if (str_is_null(made.auth_method))
        made.auth_method = STR("openid-connect");
    if (!made.notes)
        made.notes = json_keep(a, json_object());
    rc = db_acquire(s->db, &conn, err);
    if (rc == 0)
        rc = insert(conn, a, r, &made, "", err);
    if (rc < 0)
        return err_prefix(err, "a new session");
    *ret = made;
    return 0;
}

int session_get(struct sessions *s, const struct realm *r, struct arena *a, struct str id, bool offline,
                struct session *ret, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct db_value params[] = {db_text(id), db_int(offline), db_text(r->id)};
    struct db_rows rows;
    int rc;

    if (id.n == 0 || id.n > 64)
        return err_set(err, ERR_NOT_FOUND, "Session not active");
    rc = db_acquire(s->db, &conn, err);
    if (rc == 0)
        rc = db_query(conn, a,
                      "SELECT " COLUMNS
                      " FROM identity_session s WHERE s.id = $1 AND s.is_offline = $2 AND s.realm_id = $3",
                      params, ARRAY_LEN(params), &rows, err);
    if (rc < 0)
        return rc;
    if (rows.row_count == 0)
        return err_set(err, ERR_NOT_FOUND, "Session not active");
    read_row(s, a, &rows, 0, ret);
    return session_alive(r, ret, sessions_clock(s)) ? 0 : err_set(err, ERR_NOT_FOUND, "Session not active");
}

void session_touch(struct sessions *s, const struct realm *r, const struct session *session)
{
    (void)r;
    touch_put(s, session->id, STR_NULL, session->offline, sessions_clock(s));
}

int session_set_auth_time(struct sessions *s, const struct realm *r, struct str id, int64_t auth_time, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct db_value params[] = {db_int(auth_time), db_text(id), db_text(r->id)};
    int rc = db_acquire(s->db, &conn, err);

    return rc < 0 ? rc
                  : db_exec(
                        conn,
                        "UPDATE identity_session SET auth_time = $1 WHERE id = $2 AND is_offline = 0 AND realm_id = $3",
                        params, ARRAY_LEN(params), NULL, err);
}

int session_set_note(struct sessions *s, const struct realm *r, struct str id, bool offline, struct str name,
                     struct str value, struct err *err)
{
    ARENA_SCOPED struct arena a;
    struct session session;
    struct str notes;
    char *key;
    int rc;

    arena_init(&a, 0);
    rc = session_get(s, r, &a, id, offline, &session, err);
    if (rc < 0)
        return rc;
    key = arena_cstr(&a, name);
    if (value.p)
        json_object_set_new(session.notes, key, json_stringn(value.p, value.n));
    else
        json_object_del(session.notes, key);
    rc = session_notes_text(&a, session.notes, &notes, err);
    if (rc == 0) {
        DB_CONN_SCOPED struct db_conn *conn = NULL;
        struct db_value params[] = {db_text(notes), db_text(id), db_int(offline)};
        rc = db_acquire(s->db, &conn, err);
        if (rc == 0)
            rc = db_exec(conn, "UPDATE identity_session SET notes = $1 WHERE id = $2 AND is_offline = $3", params, 3,
                         NULL, err);
    }
    return rc;
}

int session_end(struct sessions *s, const struct realm *r, struct str id, bool offline, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct db_value params[] = {db_text(id), db_int(offline), db_text(r->id)};
    int rc = db_acquire(s->db, &conn, err);

    if (rc == 0)
        rc = db_begin(conn, err);
    if (rc == 0)
        rc = db_exec(conn,
                     "DELETE FROM identity_client_session WHERE session_id = $1 AND is_offline = $2 AND realm_id = $3",
                     params, 3, NULL, err);
    if (rc == 0)
        rc = db_exec(conn, "DELETE FROM identity_session WHERE id = $1 AND is_offline = $2 AND realm_id = $3", params,
                     3, NULL, err);
    if (rc == 0)
        rc = db_commit(conn, err);
    if (rc == 0)
        touch_forget(s, id, STR_NULL, offline);
    return rc;
}

/* ---- lists ---- */

static int list(struct sessions *s, const struct realm *r, struct arena *a, const char *sql,
                const struct db_value *params, size_t n, struct session_list *ret, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    int64_t now = sessions_clock(s);
    struct db_rows rows;
    int rc = db_acquire(s->db, &conn, err);

    if (rc == 0)
        rc = db_query(conn, a, sql, params, n, &rows, err);
    if (rc < 0)
        return rc;
    ret->n = 0;
    ret->items = arena_array(a, struct session, rows.row_count);
    for (size_t i = 0; i < rows.row_count; i++) {
        read_row(s, a, &rows, i, &ret->items[ret->n]);
        if (session_alive(r, &ret->items[ret->n], now))
            ret->n++;
    }
    return 0;
}

int sessions_of_user(struct sessions *s, const struct realm *r, struct arena *a, struct str user_id, bool offline,
                     struct session_list *ret, struct err *err)
{
    struct db_value params[] = {db_text(r->id), db_text(user_id), db_int(offline)};

    return list(s, r, a,
                "SELECT " COLUMNS
                " FROM identity_session s WHERE s.realm_id = $1 AND s.user_id = $2 AND s.is_offline = $3"
                " ORDER BY s.started DESC LIMIT 1000",
                params, ARRAY_LEN(params), ret, err);
}

int sessions_of_client(struct sessions *s, const struct realm *r, struct arena *a, const struct client *c, bool offline,
                       int64_t first, int64_t max, struct session_list *ret, struct err *err)
{
    struct db_value params[] = {db_text(r->id), db_text(c->id), db_int(offline), db_int(max > 0 ? max : 100),
                                db_int(first > 0 ? first : 0)};

    return list(s, r, a,
                "SELECT " COLUMNS " FROM identity_session s JOIN identity_client_session c ON c.session_id = s.id AND"
                " c.is_offline = s.is_offline WHERE c.realm_id = $1 AND c.client_id = $2 AND s.is_offline = $3"
                " ORDER BY s.started DESC, s.id LIMIT $4 OFFSET $5",
                params, ARRAY_LEN(params), ret, err);
}

int sessions_of_realm(struct sessions *s, const struct realm *r, struct arena *a, bool offline, int64_t first,
                      int64_t max, struct session_list *ret, struct err *err)
{
    struct db_value params[] = {db_text(r->id), db_int(offline), db_int(max > 0 ? max : 100),
                                db_int(first > 0 ? first : 0)};

    return list(s, r, a,
                "SELECT " COLUMNS " FROM identity_session s WHERE s.realm_id = $1 AND s.is_offline = $2"
                " ORDER BY s.started DESC, s.id LIMIT $3 OFFSET $4",
                params, ARRAY_LEN(params), ret, err);
}

int sessions_count(struct sessions *s, const struct realm *r, const struct client *c, bool offline, int64_t *ret,
                   struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    ARENA_SCOPED struct arena a;
    struct db_value params[] = {db_text(r->id), db_int(offline), db_text(c ? c->id : STR_NULL)};
    struct db_rows rows;
    int rc;

    arena_init(&a, 0);
    rc = db_acquire(s->db, &conn, err);
    if (rc == 0)
        rc = db_query(conn, &a,
                      c ? "SELECT COUNT(*) FROM identity_client_session WHERE realm_id = $1 AND is_offline = $2 AND"
                          " client_id = $3"
                        : "SELECT COUNT(*) FROM identity_session WHERE realm_id = $1 AND is_offline = $2",
                      params, c ? 3 : 2, &rows, err);
    if (rc == 0)
        *ret = db_at(&rows, 0, 0).i;
    return rc;
}

/* ---- what is left of something deleted ---- */

static int delete_two(struct sessions *s, const char *first, const char *second, const struct db_value *params,
                      size_t n, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    int rc = db_acquire(s->db, &conn, err);

    if (rc == 0)
        rc = db_begin(conn, err);
    if (rc == 0)
        rc = db_exec(conn, first, params, n, NULL, err);
    if (rc == 0 && second)
        rc = db_exec(conn, second, params, n, NULL, err);
    return rc == 0 ? db_commit(conn, err) : rc;
}

int sessions_forget_user(struct sessions *s, struct str realm_id, struct str user_id, struct err *err)
{
    struct db_value params[] = {db_text(realm_id), db_text(user_id)};

    return delete_two(s,
                      "DELETE FROM identity_client_session WHERE realm_id = $1 AND session_id IN"
                      " (SELECT id FROM identity_session WHERE realm_id = $1 AND user_id = $2)",
                      "DELETE FROM identity_session WHERE realm_id = $1 AND user_id = $2", params, 2, err);
}

int sessions_forget_client(struct sessions *s, struct str realm_id, struct str client_id, struct err *err)
{
    struct db_value params[] = {db_text(realm_id), db_text(client_id)};

    return delete_two(s, "DELETE FROM identity_client_session WHERE realm_id = $1 AND client_id = $2", NULL, params, 2,
                      err);
}

int sessions_forget_realm(struct sessions *s, struct str realm_id, struct err *err)
{
    struct db_value param = db_text(realm_id);

    return delete_two(s, "DELETE FROM identity_client_session WHERE realm_id = $1",
                      "DELETE FROM identity_session WHERE realm_id = $1", &param, 1, err);
}

/* ---- the offline copy ---- */

int session_make_offline(struct sessions *s, const struct realm *r, const struct session *session,
                         const struct client_session *cs, struct err *err)
{
    struct client_session copy = *cs;
    struct session offline = *session;
    ARENA_SCOPED struct arena a;
    int rc;

    arena_init(&a, 0);
    if (!session->offline) {
        DB_CONN_SCOPED struct db_conn *conn = NULL;
        offline.offline = true;
        offline.started = offline.last_access = sessions_clock(s);
        rc = db_acquire(s->db, &conn, err);
        if (rc == 0)
            rc = insert(conn, &a, r, &offline,
                        " ON CONFLICT (id, is_offline) DO UPDATE SET last_access = excluded.last_access", err);
        if (rc < 0)
            return err_prefix(err, "an offline session");
    }
    copy.offline = true;
    return client_session_put(s, r, &copy, err);
}
