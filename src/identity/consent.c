#include "identity/consent.h"

#include "base/clock.h"
#include "base/vec.h"

int consent_open(struct db *db, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *c = NULL;
    bool exists = false;
    int rc = db_acquire(db, &c, err);

    if (rc == 0)
        rc = db_table_exists(c, "identity_consent", &exists, err);
    if (rc < 0 || exists)
        return rc;
    /* scopes: ids, a space between them */
    return db_exec(c,
                   "CREATE TABLE identity_consent (realm_id VARCHAR(64) NOT NULL, user_id VARCHAR(64) NOT NULL,"
                   " client_id VARCHAR(64) NOT NULL, scopes TEXT NOT NULL, created_ms BIGINT NOT NULL,"
                   " updated_ms BIGINT NOT NULL, PRIMARY KEY (realm_id, user_id, client_id))",
                   NULL, 0, NULL, err);
}

static void read_row(struct arena *a, const struct db_rows *rows, size_t row, struct consent *ret)
{
    struct str text = db_at(rows, row, 1).text, item;
    VEC(struct str) scopes = {0};

    while (str_split(&text, ' ', &item))
        if (item.n)
            vec_push_in(a, &scopes, item);
    *ret = (struct consent){.client_id = db_at(rows, row, 0).text,
                            .scope_ids = scopes.items,
                            .scope_count = scopes.n,
                            .created_ms = db_at(rows, row, 2).i,
                            .updated_ms = db_at(rows, row, 3).i};
}

int consent_get(struct db *db, const struct realm *r, struct arena *a, struct str user_id, struct str client_id,
                struct consent *ret, struct err *err)
{
    const struct db_value params[] = {db_text(r->id), db_text(user_id), db_text(client_id)};
    DB_CONN_SCOPED struct db_conn *c = NULL;
    struct db_rows rows;
    int rc = db_acquire(db, &c, err);

    if (rc == 0)
        rc = db_query(c, a,
                      "SELECT client_id, scopes, created_ms, updated_ms FROM identity_consent"
                      " WHERE realm_id = $1 AND user_id = $2 AND client_id = $3",
                      params, 3, &rows, err);
    if (rc < 0)
        return rc;
    if (rows.row_count == 0)
        return err_set(err, ERR_NOT_FOUND, "nothing is granted");
    read_row(a, &rows, 0, ret);
    return 0;
}

int consent_list(struct db *db, const struct realm *r, struct arena *a, struct str user_id, struct consent **ret,
                 size_t *ret_n, struct err *err)
{
    const struct db_value params[] = {db_text(r->id), db_text(user_id)};
    DB_CONN_SCOPED struct db_conn *c = NULL;
    struct db_rows rows;
    int rc = db_acquire(db, &c, err);

    if (rc == 0)
        rc = db_query(c, a,
                      "SELECT client_id, scopes, created_ms, updated_ms FROM identity_consent"
                      " WHERE realm_id = $1 AND user_id = $2 ORDER BY created_ms, client_id",
                      params, 2, &rows, err);
    if (rc < 0)
        return rc;
    *ret = arena_array(a, struct consent, rows.row_count);
    for (size_t i = 0; i < rows.row_count; i++)
        read_row(a, &rows, i, &(*ret)[i]);
    *ret_n = rows.row_count;
    return 0;
}

int consent_grant(struct db *db, const struct realm *r, struct str user_id, struct str client_id,
                  const struct str *scope_ids, size_t n, struct err *err)
{
    ARENA_SCOPED struct arena a;
    BUF_SCOPED struct buf text = {0};
    DB_CONN_SCOPED struct db_conn *c = NULL;
    struct consent had = {0};
    int64_t now = clock_wall_ms();

    arena_init(&a, 0);
    buf_init(&text, 64 << 10);
    int rc = consent_get(db, r, &a, user_id, client_id, &had, err);
    if (rc < 0 && rc != ERR_NOT_FOUND)
        return rc;
    for (size_t i = 0; i < had.scope_count; i++)
        buf_addf(&text, "%.*s ", STR_ARG(had.scope_ids[i]));
    for (size_t i = 0; i < n; i++)
        if (str_find(buf_str(&text), scope_ids[i], 0) == SIZE_MAX) /* UUIDs: none is part of another */
            buf_addf(&text, "%.*s ", STR_ARG(scope_ids[i]));
    if ((rc = buf_check(&text, "a consent", err)) < 0)
        return rc;
    const struct db_value params[] = {db_text(r->id), db_text(user_id), db_text(client_id),
                                      db_text(str_is_null(buf_str(&text)) ? STR("") : buf_str(&text)), db_int(now)};
    rc = db_acquire(db, &c, err);
    if (rc == 0)
        rc = db_exec(c,
                     "INSERT INTO identity_consent (realm_id, user_id, client_id, scopes, created_ms, updated_ms)"
                     " VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (realm_id, user_id, client_id)"
                     " DO UPDATE SET scopes = excluded.scopes, updated_ms = excluded.updated_ms",
                     params, 5, NULL, err);
    return rc;
}

int consent_revoke(struct db *db, const struct realm *r, struct str user_id, struct str client_id, struct err *err)
{
    const struct db_value params[] = {db_text(r->id), db_text(user_id), db_text(client_id)};
    DB_CONN_SCOPED struct db_conn *c = NULL;
    int64_t changed = 0;
    int rc = db_acquire(db, &c, err);

    if (rc == 0)
        rc = db_exec(c, "DELETE FROM identity_consent WHERE realm_id = $1 AND user_id = $2 AND client_id = $3", params,
                     3, &changed, err);
    if (rc < 0)
        return rc;
    return changed ? 0 : err_set(err, ERR_NOT_FOUND, "Consent nor offline token not found");
}
