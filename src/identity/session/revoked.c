/* Access tokens that were revoked: rows, and all of them in memory, because each verification asks. */
#include "identity/session/internal.h"

enum { REVOKED_MAX = 1000000 };

/* Values are expiry times; the map has no room for a NULL. */
static void *as_value(int64_t expires)
{
    return (void *)(intptr_t)(expires > 0 ? expires : 1); /* NOLINT(performance-no-int-to-ptr) */
}

int revoked_load(struct sessions *s, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    ARENA_SCOPED struct arena a;
    struct db_value now = db_int(sessions_clock(s));
    struct db_rows rows;
    int rc;

    arena_init(&a, 0);
    rc = db_acquire(s->db, &conn, err);
    if (rc == 0)
        rc = db_query(conn, &a, "SELECT id, expires FROM identity_revoked_token WHERE expires > $1", &now, 1, &rows,
                      err);
    for (size_t i = 0; rc == 0 && i < rows.row_count; i++)
        map_set(&s->revoked, session_text(&rows, i, 0), as_value(db_at(&rows, i, 1).i));
    return rc;
}

static struct str key_of(struct arena *a, const struct realm *r, struct str jti)
{
    return arena_printf(a, "%.*s:%.*s", STR_ARG(r->id), STR_ARG(jti));
}

int sessions_revoke_token(struct sessions *s, const struct realm *r, struct str jti, int64_t expires, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    ARENA_SCOPED struct arena a;
    struct db_value params[2];
    struct str key;
    bool full;
    int rc;

    arena_init(&a, 0);
    if (jti.n == 0 || jti.n > 128)
        return err_set(err, ERR_INVALID, "a token's id of %zu bytes", jti.n);
    key = key_of(&a, r, jti);
    pthread_rwlock_rdlock(&s->revoked_lock);
    full = s->revoked.n >= REVOKED_MAX;
    pthread_rwlock_unlock(&s->revoked_lock);
    if (full)
        return err_set(err, ERR_LIMIT, "%d tokens are revoked already", REVOKED_MAX);
    params[0] = db_text(key);
    params[1] = db_int(expires);
    rc = db_acquire(s->db, &conn, err);
    if (rc == 0)
        rc = db_exec(conn, "INSERT INTO identity_revoked_token (id, expires) VALUES ($1, $2)", params, 2, NULL, err);
    if (rc < 0 && rc != ERR_EXISTS)
        return rc;
    pthread_rwlock_wrlock(&s->revoked_lock);
    map_set(&s->revoked, key, as_value(expires));
    pthread_rwlock_unlock(&s->revoked_lock);
    return 0;
}

bool sessions_is_token_revoked(struct sessions *s, const struct realm *r, struct str jti)
{
    ARENA_SCOPED struct arena a;
    bool found;

    arena_init(&a, 0);
    pthread_rwlock_rdlock(&s->revoked_lock);
    found = s->revoked.n > 0 && map_has(&s->revoked, key_of(&a, r, jti));
    pthread_rwlock_unlock(&s->revoked_lock);
    return found;
}

void revoked_sweep(struct sessions *s)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    int64_t now = sessions_clock(s);
    struct db_value param = db_int(now);
    struct err err;

    pthread_rwlock_wrlock(&s->revoked_lock);
    for (struct map_entry *m = NULL; (m = map_next(&s->revoked, m));)
        if ((int64_t)(intptr_t)m->value <= now)
            map_remove(&s->revoked, m->key);
    pthread_rwlock_unlock(&s->revoked_lock);
    if (db_acquire(s->db, &conn, &err) == 0 &&
        db_exec(conn, "DELETE FROM identity_revoked_token WHERE expires <= $1", &param, 1, NULL, &err) < 0)
        return; /* the next pass tries again */
}
