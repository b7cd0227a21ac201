/*
 * Namespaces: rows of iceberg_namespace_properties. One without properties has the row exists = true, and so has, beside
 * its own, one with properties (JdbcCatalog.createNamespace); a namespace that only tables name exists too.
 */
#include "catalog/internal.h"

static const struct str exists_property = {"exists", 6};

/* `ns` and what is below it: "a" matches "a" and "a.b". The pattern's own characters are escaped with '\'. */
static struct str below_pattern(struct arena *a, struct str ns)
{
    char *p = arena_alloc(a, 2 * ns.n + 3);
    size_t n = 0;

    for (size_t i = 0; i < ns.n; i++) {
        if (ns.p[i] == '%' || ns.p[i] == '_' || ns.p[i] == '\\')
            p[n++] = '\\';
        p[n++] = ns.p[i];
    }
    p[n++] = '.';
    p[n++] = '%';
    return (struct str){p, n};
}

int catalog_namespace_exists(struct catalog *c, struct db_conn *conn, struct str ns, bool *ret, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    const struct db_value params[] = {db_text(c->name), db_text(ns), db_text(below_pattern(&a, ns))};
    struct db_rows rows;
    int rc = db_query(conn, &a,
                      "SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = $1 AND "
                      "(namespace = $2 OR namespace LIKE $3 ESCAPE '\\') "
                      "UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = $1 AND "
                      "(table_namespace = $2 OR table_namespace LIKE $3 ESCAPE '\\') LIMIT 1",
                      params, 3, &rows, err);

    if (rc == 0)
        *ret = rows.row_count > 0;
    return rc;
}

static int insert_property(struct catalog *c, struct db_conn *conn, struct str ns, struct str name, struct str value,
                           struct err *err)
{
    const struct db_value params[] = {db_text(c->name), db_text(ns), db_text(name), db_text(value)};

    return db_exec(conn,
                   "INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, property_value) "
                   "VALUES ($1, $2, $3, $4)",
                   params, 4, NULL, err);
}

static int already_exists(struct catalog *c, struct str ns, struct err *err)
{
    return err_set_named(err, ERR_EXISTS, "SCHEMA_ALREADY_EXISTS", "Schema '%.*s.%.*s' already exists",
                         STR_ARG(c->mounted), STR_ARG(ns));
}

static int not_found(struct catalog *c, struct str ns, struct err *err)
{
    return err_set_named(err, ERR_NOT_FOUND, "SCHEMA_NOT_FOUND", "Schema '%.*s.%.*s' does not exist",
                         STR_ARG(c->mounted), STR_ARG(ns));
}

static int check_properties(const struct catalog_property *properties, size_t n, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = catalog_check_name(properties[i].name, "a schema property's name", err);
        if (rc == 0)
            rc = catalog_check_value(properties[i].value, "a schema property's value", err);
    }
    return rc;
}

static int insert_namespace(struct catalog *c, struct db_conn *conn, struct str ns,
                            const struct catalog_property *properties, size_t n, struct err *err)
{
    bool exists;
    int rc = catalog_namespace_exists(c, conn, ns, &exists, err);

    if (rc < 0)
        return rc;
    if (exists)
        return already_exists(c, ns, err);
    rc = insert_property(c, conn, ns, exists_property, STR("true"), err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = insert_property(c, conn, ns, properties[i].name, properties[i].value, err);
    return rc == ERR_EXISTS ? already_exists(c, ns, err) : rc;
}

int catalog_create_namespace(struct catalog *c, struct str ns, const struct catalog_property *properties, size_t n,
                             struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    int rc = catalog_check_name(ns, "a schema's name", err);

    if (rc == 0)
        rc = check_properties(properties, n, err);
    if (rc == 0)
        rc = db_acquire(c->db, &conn, err);
    if (rc == 0)
        rc = db_begin(conn, err);
    if (rc < 0)
        return rc;
    rc = insert_namespace(c, conn, ns, properties, n, err);
    if (rc == 0)
        return db_commit(conn, err);
    db_rollback(conn);
    return rc;
}

static int delete_namespace(struct catalog *c, struct db_conn *conn, struct str ns, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    const struct db_value params[] = {db_text(c->name), db_text(ns), db_text(below_pattern(&a, ns))};
    struct db_rows rows;
    bool exists;
    int rc = catalog_namespace_exists(c, conn, ns, &exists, err);

    if (rc < 0)
        return rc;
    if (!exists)
        return not_found(c, ns, err);
    rc = db_query(conn, &a,
                  "SELECT table_name FROM iceberg_tables WHERE catalog_name = $1 AND (table_namespace = $2 OR "
                  "table_namespace LIKE $3 ESCAPE '\\') UNION SELECT namespace FROM iceberg_namespace_properties "
                  "WHERE catalog_name = $1 AND namespace LIKE $3 ESCAPE '\\' LIMIT 1",
                  params, 3, &rows, err);
    if (rc < 0)
        return rc;
    if (rows.row_count > 0)
        return err_set_named(err, ERR_CONFLICT, "SCHEMA_NOT_EMPTY", "Cannot drop non-empty schema '%.*s'", STR_ARG(ns));
    return db_exec(conn, "DELETE FROM iceberg_namespace_properties WHERE catalog_name = $1 AND namespace = $2", params,
                   2, NULL, err);
}

int catalog_drop_namespace(struct catalog *c, struct str ns, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    int rc = db_acquire(c->db, &conn, err);

    if (rc == 0)
        rc = db_begin(conn, err);
    if (rc < 0)
        return rc;
    rc = delete_namespace(c, conn, ns, err);
    if (rc == 0)
        return db_commit(conn, err);
    db_rollback(conn);
    return rc;
}

static int compare_names(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* Those that start with `prefix` ("" or "a."), cut behind its next level. */
static int list_level(struct catalog *c, struct db_conn *conn, struct arena *a, struct str prefix, struct str **ret,
                      size_t *ret_n, struct err *err)
{
    const struct db_value params[] = {db_text(c->name)};
    struct db_rows rows;
    size_t kept = 0, n = 0;
    int rc = db_query(conn, a,
                      "SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = $1 "
                      "UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = $1",
                      params, 1, &rows, err);

    if (rc < 0)
        return rc;
    struct str *names = arena_array(a, struct str, rows.row_count);
    for (size_t i = 0; i < rows.row_count; i++) {
        struct str name = db_at(&rows, i, 0).text;
        if (str_starts_with(name, prefix) && name.n > prefix.n)
            names[kept++] = str_slice(name, 0, str_find_char(name, '.', prefix.n));
    }
    qsort(names, kept, sizeof(*names), compare_names);
    for (size_t i = 0; i < kept; i++)
        if (n == 0 || !str_eq(names[n - 1], names[i]))
            names[n++] = names[i];
    *ret = names;
    *ret_n = n;
    return 0;
}

/* Of nested ones the first level ("a" of "a.b"), as TrinoJdbcCatalog lists schemas. */
int catalog_list_namespaces(struct catalog *c, struct arena *a, struct str **ret, size_t *ret_n, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    int rc = db_acquire(c->db, &conn, err);

    return rc < 0 ? rc : list_level(c, conn, a, STR(""), ret, ret_n, err);
}

int catalog_list_namespaces_below(struct catalog *c, struct arena *a, struct str parent, struct str **ret,
                                  size_t *ret_n, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    bool exists = true;
    int rc = db_acquire(c->db, &conn, err);

    if (rc == 0 && !str_is_null(parent))
        rc = catalog_namespace_exists(c, conn, parent, &exists, err);
    if (rc < 0)
        return rc;
    if (!exists)
        return not_found(c, parent, err);
    struct str prefix = str_is_null(parent) ? STR("") : arena_printf(a, "%.*s.", STR_ARG(parent));
    return list_level(c, conn, a, prefix, ret, ret_n, err);
}

static int delete_property(struct catalog *c, struct db_conn *conn, struct str ns, struct str name, bool *ret_was_there,
                           struct err *err)
{
    const struct db_value params[] = {db_text(c->name), db_text(ns), db_text(name)};
    int64_t changed = 0;
    int rc = db_exec(conn,
                     "DELETE FROM iceberg_namespace_properties WHERE catalog_name = $1 AND namespace = $2 "
                     "AND property_key = $3",
                     params, 3, &changed, err);

    *ret_was_there = changed > 0;
    return rc;
}

/* One that only tables name gets its mark with its first property. */
static int update_namespace(struct catalog *c, struct db_conn *conn, struct str ns,
                            const struct catalog_property *updates, size_t n_updates, const struct str *removals,
                            size_t n_removals, struct str *ret_missing, size_t *ret_missing_n, struct err *err)
{
    bool there, exists;
    int rc = catalog_namespace_exists(c, conn, ns, &exists, err);

    if (rc == 0 && !exists)
        return not_found(c, ns, err);
    *ret_missing_n = 0;
    for (size_t i = 0; rc == 0 && i < n_removals; i++) {
        rc = delete_property(c, conn, ns, removals[i], &there, err);
        if (rc == 0 && !there)
            ret_missing[(*ret_missing_n)++] = removals[i];
    }
    if (rc == 0 && n_updates)
        rc = delete_property(c, conn, ns, exists_property, &there, err);
    if (rc == 0 && n_updates)
        rc = insert_property(c, conn, ns, exists_property, STR("true"), err);
    for (size_t i = 0; rc == 0 && i < n_updates; i++) {
        rc = delete_property(c, conn, ns, updates[i].name, &there, err);
        if (rc == 0)
            rc = insert_property(c, conn, ns, updates[i].name, updates[i].value, err);
    }
    return rc;
}

int catalog_update_namespace(struct catalog *c, struct str ns, const struct catalog_property *updates, size_t n_updates,
                             const struct str *removals, size_t n_removals, struct str *ret_missing,
                             size_t *ret_missing_n, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    int rc = check_properties(updates, n_updates, err);

    for (size_t i = 0; rc == 0 && i < n_updates + n_removals; i++)
        if (str_eq(i < n_updates ? updates[i].name : removals[i - n_updates], exists_property))
            return err_set(err, ERR_INVALID, "the namespace property exists is the catalog's own");
    if (rc == 0)
        rc = db_acquire(c->db, &conn, err);
    if (rc == 0)
        rc = db_begin(conn, err);
    if (rc < 0)
        return rc;
    rc = update_namespace(c, conn, ns, updates, n_updates, removals, n_removals, ret_missing, ret_missing_n, err);
    if (rc == 0)
        return db_commit(conn, err);
    db_rollback(conn);
    return rc;
}

int catalog_get_namespace(struct catalog *c, struct arena *a, struct str ns, bool *ret_exists,
                          struct catalog_property **ret, size_t *ret_n, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    const struct db_value params[] = {db_text(c->name), db_text(ns)};
    struct db_rows rows;
    int rc = db_acquire(c->db, &conn, err);

    if (rc == 0)
        rc = catalog_namespace_exists(c, conn, ns, ret_exists, err);
    if (rc == 0)
        rc = db_query(conn, a,
                      "SELECT property_key, property_value FROM iceberg_namespace_properties WHERE catalog_name = $1 "
                      "AND namespace = $2 ORDER BY property_key",
                      params, 2, &rows, err);
    if (rc < 0)
        return rc;
    *ret = arena_array(a, struct catalog_property, rows.row_count);
    *ret_n = 0;
    for (size_t i = 0; i < rows.row_count; i++) {
        struct str name = db_at(&rows, i, 0).text;

        if (!str_eq(name, exists_property)) /* the layout's own mark */
            (*ret)[(*ret_n)++] = (struct catalog_property){name, db_at(&rows, i, 1).text};
    }
    return 0;
}
