/*
 * Opening: the tables, made or migrated, and all realms read into memory.
 *
 * identity_realm and identity_object hold the documents; a realm's `version` counts its changes, so that a process sees
 * that another one changed it. Users and what hangs on them are rows: there may be many of them.
 */
#include "identity/model/internal.h"

static const char *const schema_1[] = {
    "CREATE TABLE identity_realm (id VARCHAR(64) PRIMARY KEY, name VARCHAR(255) NOT NULL UNIQUE,"
    " version BIGINT NOT NULL, doc TEXT NOT NULL)",
    "CREATE TABLE identity_object (realm_id VARCHAR(64) NOT NULL, kind VARCHAR(20) NOT NULL, id VARCHAR(64) NOT NULL,"
    " seq BIGINT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (realm_id, kind, id))",
    /* doc: a UserRepresentation's members that have no column */
    "CREATE TABLE identity_user (realm_id VARCHAR(64) NOT NULL, id VARCHAR(64) NOT NULL, username VARCHAR(255) NOT "
    "NULL,"
    " email VARCHAR(255), first_name VARCHAR(255), last_name VARCHAR(255), enabled INTEGER NOT NULL,"
    " email_verified INTEGER NOT NULL, created_ms BIGINT NOT NULL, not_before BIGINT NOT NULL,"
    " service_account_of VARCHAR(64), doc TEXT NOT NULL, PRIMARY KEY (realm_id, id), UNIQUE (realm_id, username))",
    "CREATE INDEX identity_user_email ON identity_user (realm_id, email)",
    "CREATE INDEX identity_user_service ON identity_user (realm_id, service_account_of)",
    "CREATE TABLE identity_user_attribute (realm_id VARCHAR(64) NOT NULL, user_id VARCHAR(64) NOT NULL,"
    " name VARCHAR(255) NOT NULL, value TEXT NOT NULL)",
    "CREATE INDEX identity_user_attribute_user ON identity_user_attribute (realm_id, user_id)",
    "CREATE INDEX identity_user_attribute_name ON identity_user_attribute (realm_id, name)",
    "CREATE TABLE identity_user_role (realm_id VARCHAR(64) NOT NULL, user_id VARCHAR(64) NOT NULL,"
    " role_id VARCHAR(64) NOT NULL, PRIMARY KEY (realm_id, user_id, role_id))",
    "CREATE INDEX identity_user_role_role ON identity_user_role (realm_id, role_id)",
    "CREATE TABLE identity_user_group (realm_id VARCHAR(64) NOT NULL, user_id VARCHAR(64) NOT NULL,"
    " group_id VARCHAR(64) NOT NULL, PRIMARY KEY (realm_id, user_id, group_id))",
    "CREATE INDEX identity_user_group_group ON identity_user_group (realm_id, group_id)",
    /* secret_data and credential_data are Keycloak's JSON; last_step is the time step of the last code taken (TOTP) */
    "CREATE TABLE identity_credential (realm_id VARCHAR(64) NOT NULL, user_id VARCHAR(64) NOT NULL,"
    " id VARCHAR(64) NOT NULL, type VARCHAR(255) NOT NULL, label VARCHAR(255), created_ms BIGINT NOT NULL,"
    " priority INTEGER NOT NULL, secret_data TEXT NOT NULL, credential_data TEXT NOT NULL, last_step BIGINT NOT NULL,"
    " PRIMARY KEY (realm_id, user_id, id))",
    "CREATE TABLE identity_schema (version INTEGER NOT NULL)",
    "INSERT INTO identity_schema VALUES (1)",
};

static int read_version(struct db_conn *conn, int64_t *ret, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct db_rows rows;
    bool is_there;
    int rc = db_table_exists(conn, "identity_schema", &is_there, err);

    *ret = 0;
    if (rc < 0 || !is_there)
        return rc;
    rc = db_query(conn, &a, "SELECT version FROM identity_schema", NULL, 0, &rows, err);
    if (rc == 0 && rows.row_count == 1)
        *ret = db_at(&rows, 0, 0).i;
    return rc;
}

static int make_tables(struct db_conn *conn, struct err *err)
{
    int64_t version;
    int rc = db_begin(conn, err);

    if (rc < 0)
        return rc;
    rc = read_version(conn, &version, err);
    if (rc == 0 && version > 1)
        rc = err_set(err, ERR_UNSUPPORTED,
                     "the database was written by a newer version (identity schema %lld, this program knows 1)",
                     (long long)version);
    for (size_t i = 0; rc == 0 && version == 0 && i < ARRAY_LEN(schema_1); i++)
        rc = db_exec(conn, schema_1[i], NULL, 0, NULL, err);
    if (rc == 0)
        return db_commit(conn, err);
    db_rollback(conn);
    return rc;
}

static enum realm_kind kind_of(struct str name)
{
    for (int k = 0; k < KIND_COUNT; k++)
        if (str_eq_cstr(name, realm_kind_names[k]))
            return k;
    return KIND_COUNT;
}

static int read_objects(struct db_conn *conn, struct str realm_id, struct doc_list docs[KIND_COUNT], struct err *err)
{
    struct arena a;
    struct db_value id = db_text(realm_id);
    struct db_rows rows;
    int rc;

    arena_init(&a, SIZE_MAX);
    rc = db_query(conn, &a, "SELECT kind, doc FROM identity_object WHERE realm_id = $1 ORDER BY seq", &id, 1, &rows,
                  err);
    for (size_t i = 0; rc == 0 && i < rows.row_count; i++) {
        enum realm_kind kind = kind_of(db_at(&rows, i, 0).text);
        json_t *doc = NULL;

        if (kind == KIND_COUNT)
            continue; /* a newer version's */
        rc = json_parse(db_at(&rows, i, 1).text, &doc, err);
        if (rc == 0)
            vec_push(&docs[kind], doc);
    }
    arena_release(&a);
    return rc;
}

int realm_load(struct db_conn *conn, struct str id, struct realm **ret, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct db_value param = db_text(id);
    struct db_rows rows;
    struct doc_list docs[KIND_COUNT] = {0};
    json_t *rep = NULL;
    int rc = db_query(conn, &a, "SELECT version, doc FROM identity_realm WHERE id = $1", &param, 1, &rows, err);

    if (rc < 0)
        return rc;
    if (rows.row_count == 0)
        return err_set(err, ERR_NOT_FOUND, "Realm not found.");
    rc = json_parse(db_at(&rows, 0, 1).text, &rep, err);
    if (rc == 0)
        rc = read_objects(conn, id, docs, err);
    if (rc < 0) {
        json_decref(rep);
        for (int k = 0; k < KIND_COUNT; k++) {
            for (size_t i = 0; i < docs[k].n; i++)
                json_decref(docs[k].items[i]);
            free(docs[k].items);
        }
        return err_prefix(err, "can't read the realm %.*s", STR_ARG(id));
    }
    *ret = realm_build(rep, docs, db_at(&rows, 0, 0).i);
    return 0;
}

static int load_all(struct identity *i, struct db_conn *conn, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct db_rows rows;
    int rc = db_query(conn, &a, "SELECT id FROM identity_realm", NULL, 0, &rows, err);

    for (size_t n = 0; rc == 0 && n < rows.row_count; n++) {
        struct realm *r;
        rc = realm_load(conn, db_at(&rows, n, 0).text, &r, err);
        if (rc == 0)
            map_set(&i->realms, r->name, r);
    }
    return rc;
}

int identity_open(struct db *db, struct identity **ret, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct identity *i = calloc(1, sizeof(*i));
    int rc;

    if (!i)
        abort();
    i->db = db;
    pthread_rwlock_init(&i->lock, NULL);
    pthread_mutex_init(&i->changing, NULL);
    rc = db_acquire(db, &conn, err);
    if (rc == 0)
        rc = make_tables(conn, err);
    if (rc == 0)
        rc = load_all(i, conn, err);
    if (rc < 0) {
        identity_close(i);
        return err_prefix(err, "can't open the identity database");
    }
    *ret = i;
    return 0;
}

void identity_close(struct identity *i)
{
    if (!i)
        return;
    for (struct map_entry *e = NULL; (e = map_next(&i->realms, e));)
        realm_unref(e->value);
    map_release(&i->realms);
    pthread_rwlock_destroy(&i->lock);
    pthread_mutex_destroy(&i->changing);
    free(i);
}

struct db *identity_db(struct identity *i)
{
    return i->db;
}

int identity_realm(struct identity *i, struct str name, struct realm **ret, struct err *err)
{
    pthread_rwlock_rdlock(&i->lock);
    struct realm *r = map_get(&i->realms, name);
    if (r)
        *ret = realm_ref(r);
    pthread_rwlock_unlock(&i->lock);
    return r ? 0 : err_set(err, ERR_NOT_FOUND, "Realm not found.");
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

size_t identity_realm_names(struct identity *i, struct arena *a, struct str **ret)
{
    size_t n = 0;

    pthread_rwlock_rdlock(&i->lock);
    struct str *names = arena_array(a, struct str, i->realms.n);
    for (struct map_entry *e = NULL; (e = map_next(&i->realms, e));)
        names[n++] = arena_str(a, e->key);
    pthread_rwlock_unlock(&i->lock);
    qsort(names, n, sizeof(*names), by_name);
    *ret = names;
    return n;
}
