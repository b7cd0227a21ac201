/* Clients' parts in sessions, and the rotation of their refresh tokens. */
#include "base/vec.h"
#include "identity/session/internal.h"

#define COLUMNS "session_id, is_offline, client_id, scope, redirect_uri, started, last_access, notes"

static void read_row(struct sessions *s, struct arena *a, const struct db_rows *rows, size_t i,
                     struct client_session *ret)
{
    *ret = (struct client_session){
        .session_id = session_text(rows, i, 0),
        .offline = db_at(rows, i, 1).i != 0,
        .client_id = session_text(rows, i, 2),
        .scope = session_text(rows, i, 3),
        .redirect_uri = session_text(rows, i, 4),
        .started = db_at(rows, i, 5).i,
        .last_access = db_at(rows, i, 6).i,
        .notes = session_notes(a, session_text(rows, i, 7)),
    };
    ret->last_access = touch_get(s, ret->session_id, ret->client_id, ret->offline, ret->last_access);
}

int client_session_put(struct sessions *s, const struct realm *r, const struct client_session *cs, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    ARENA_SCOPED struct arena a;
    struct str notes;
    int rc;

    arena_init(&a, 0);
    rc = session_notes_text(&a, cs->notes, &notes, err);
    if (rc < 0)
        return rc;
    rc = db_acquire(s->db, &conn, err);
    if (rc == 0) {
        struct db_value params[] = {
            db_text(cs->session_id), db_int(cs->offline),       db_text(cs->client_id),    db_text(r->id),
            db_text(cs->scope),      db_text(cs->redirect_uri), db_int(sessions_clock(s)), db_text(notes)};
        /* Only into a session that is there: one that has ended meanwhile doesn't come to life by it. */
        rc = db_exec(
            conn,
            "INSERT INTO identity_client_session (session_id, is_offline, client_id, realm_id, scope,"
            " redirect_uri, started, last_access, notes)"
            " SELECT id, is_offline, $3, realm_id, $5, $6, CAST($7 AS BIGINT), CAST($7 AS BIGINT), $8 FROM "
            "identity_session"
            " WHERE id = $1 AND is_offline = $2 AND realm_id = $4"
            " ON CONFLICT (session_id, is_offline, client_id) DO UPDATE SET scope = excluded.scope,"
            " redirect_uri = excluded.redirect_uri, last_access = excluded.last_access, notes = excluded.notes",
            params, ARRAY_LEN(params), NULL, err);
    }
    return rc < 0 ? err_prefix(err, "a client's part in a session") : 0;
}

int client_session_get(struct sessions *s, const struct realm *r, struct arena *a, const struct session *session,
                       const struct client *c, struct client_session *ret, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct db_value params[] = {db_text(session->id), db_int(session->offline), db_text(c->id), db_text(r->id)};
    struct db_rows rows;
    int rc = db_acquire(s->db, &conn, err);

    if (rc == 0)
        rc = db_query(conn, a,
                      "SELECT " COLUMNS " FROM identity_client_session WHERE session_id = $1 AND is_offline = $2 AND"
                      " client_id = $3 AND realm_id = $4",
                      params, ARRAY_LEN(params), &rows, err);
    if (rc < 0)
        return rc;
    if (rows.row_count == 0)
        return err_set(err, ERR_NOT_FOUND, "Session doesn't have required client");
    read_row(s, a, &rows, 0, ret);
    return sessions_clock(s) < client_session_expires(r, c, session, ret)
               ? 0
               : err_set(err, ERR_NOT_FOUND, "Session doesn't have required client");
}

void client_session_touch(struct sessions *s, const struct realm *r, const struct client_session *cs)
{
    (void)r;
    touch_put(s, cs->session_id, cs->client_id, cs->offline, sessions_clock(s));
    touch_put(s, cs->session_id, STR_NULL, cs->offline, sessions_clock(s));
}

int client_session_end(struct sessions *s, const struct realm *r, struct str session_id, struct str client_id,
                       bool offline, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct db_value params[] = {db_text(session_id), db_int(offline), db_text(r->id), db_text(client_id)};
    int rc = db_acquire(s->db, &conn, err);

    if (rc == 0)
        rc = db_begin(conn, err);
    if (rc == 0)
        rc = db_exec(
            conn,
            "DELETE FROM identity_client_session WHERE session_id = $1 AND is_offline = $2 AND realm_id = $3 AND"
            " client_id = $4",
            params, 4, NULL, err);
    if (rc == 0 && offline)
        rc = db_exec(conn,
                     "DELETE FROM identity_session WHERE id = $1 AND is_offline = $2 AND realm_id = $3 AND NOT EXISTS"
                     " (SELECT 1 FROM identity_client_session WHERE session_id = $1 AND is_offline = $2)",
                     params, 3, NULL, err);
    if (rc == 0)
        rc = db_commit(conn, err);
    if (rc == 0)
        touch_forget(s, session_id, client_id, offline);
    return rc;
}

int client_sessions_of(struct sessions *s, const struct realm *r, struct arena *a, const struct session *session,
                       struct client_session_list *ret, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct db_value params[] = {db_text(session->id), db_int(session->offline), db_text(r->id)};
    struct db_rows rows;
    int rc = db_acquire(s->db, &conn, err);

    if (rc == 0)
        rc = db_query(conn, a,
                      "SELECT " COLUMNS " FROM identity_client_session WHERE session_id = $1 AND is_offline = $2 AND"
                      " realm_id = $3 ORDER BY started",
                      params, ARRAY_LEN(params), &rows, err);
    if (rc < 0)
        return rc;
    ret->n = rows.row_count;
    ret->items = arena_array(a, struct client_session, rows.row_count);
    for (size_t i = 0; i < rows.row_count; i++)
        read_row(s, a, &rows, i, &ret->items[i]);
    return 0;
}

/* ---- rotation ---- */

/* In one transaction: of two that come with the same token at the same time, one is the reuse. A chain is what follows
 * from one login; of its tokens only the one used last (so often as the realm allows) and the one made last are good. */
static int count_use(struct db_conn *conn, struct arena *a, const struct realm *r, const struct client_session *cs,
                     struct str chain, struct str id, struct str next_id, struct err *err)
{
    struct db_value key[] = {db_text(chain), db_text(cs->session_id), db_text(cs->client_id), db_int(cs->offline)};
    struct db_value params[] = {
        db_text(chain),         db_text(id),        db_text(next_id), db_int(1), db_text(cs->session_id),
        db_text(cs->client_id), db_int(cs->offline)};
    struct db_rows rows;
    int64_t uses = 0;
    int rc = db_query(
        conn, a,
        "SELECT current_id, next_id, uses FROM identity_refresh_chain WHERE id = $1 AND session_id = $2 AND"
        " client_id = $3 AND is_offline = $4",
        key, ARRAY_LEN(key), &rows, err);

    if (rc < 0)
        return rc;
    if (rows.row_count == 0)
        return db_exec(conn,
                       "INSERT INTO identity_refresh_chain (id, current_id, next_id, uses, session_id, client_id,"
                       " is_offline) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                       params, ARRAY_LEN(params), NULL, err);
    if (str_eq(session_text(&rows, 0, 0), id))
        uses = db_at(&rows, 0, 2).i;
    else if (!str_eq(session_text(&rows, 0, 1), id))
        return err_set(err, ERR_DENIED, "Stale token");
    if (uses > r->refresh_token_max_reuse)
        return err_set(err, ERR_DENIED, "Maximum allowed refresh token reuse exceeded");
    params[3] = db_int(uses + 1);
    return db_exec(conn, "UPDATE identity_refresh_chain SET current_id = $2, next_id = $3, uses = $4 WHERE id = $1",
                   params, 4, NULL, err);
}

int client_session_use_refresh(struct sessions *s, const struct realm *r, const struct client_session *cs,
                               struct str chain, struct str token_id, struct str next_id, struct err *err)
{
    ARENA_SCOPED struct arena a;
    int rc;

    arena_init(&a, 0);
    if (!r->revoke_refresh_token)
        return 0;
    {
        DB_CONN_SCOPED struct db_conn *conn = NULL;
        rc = db_acquire(s->db, &conn, err);
        if (rc == 0)
            rc = db_begin(conn, err);
        /* A token from before rotation was switched on has no chain: it is its own first. */
        if (rc == 0)
            rc = count_use(conn, &a, r, cs, chain.p ? chain : token_id, token_id, next_id, err);
        if (rc == 0)
            rc = db_commit(conn, err);
    }
    if (rc == ERR_DENIED && client_session_end(s, r, cs->session_id, cs->client_id, cs->offline, NULL) < 0)
        return err_set(err, ERR_UNAVAILABLE, "the session of a refresh token that was used twice couldn't be ended");
    return rc;
}
