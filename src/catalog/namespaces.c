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
                         STR_ARG(c->name), STR_ARG(ns));
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
    CONN_SCOPED struct db_conn *conn = NULL;
    int rc = catalog_check_name(ns, "a schema's name", err);

    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = catalog_check_name(properties[i].name, "a schema property's name", err);
        if (rc == 0)
            rc = catalog_check_value(properties[i].value, "a schema property's value", err);
    }
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
        return err_set_named(err, ERR_NOT_FOUND, "SCHEMA_NOT_FOUND", "Schema '%.*s.%.*s' does not exist",
                             STR_ARG(c->name), STR_ARG(ns));
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
    CONN_SCOPED struct db_conn *conn = NULL;
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

/* Of nested ones the first level ("a" of "a.b"), as TrinoJdbcCatalog lists schemas. */
int catalog_list_namespaces(struct catalog *c, struct arena *a, struct str **ret, size_t *ret_n, struct err *err)
{
    CONN_SCOPED struct db_conn *conn = NULL;
    const struct db_value params[] = {db_text(c->name)};
    struct db_rows rows;
    int rc = db_acquire(c->db, &conn, err);

    if (rc == 0)
        rc = db_query(conn, a,
                      "SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = $1 "
                      "UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = $1",
                      params, 1, &rows, err);
    if (rc < 0)
        return rc;
    struct str *names = arena_array(a, struct str, rows.row_count);
    size_t n = 0;
    for (size_t i = 0; i < rows.row_count; i++) {
        struct str name = db_at(&rows, i, 0).text;
        names[i] = str_slice(name, 0, str_find_char(name, '.', 0));
    }
    qsort(names, rows.row_count, sizeof(*names), compare_names);
    for (size_t i = 0; i < rows.row_count; i++)
        if (n == 0 || !str_eq(names[n - 1], names[i]))
            names[n++] = names[i];
    *ret = names;
    *ret_n = n;
    return 0;
}

int catalog_get_namespace(struct catalog *c, struct arena *a, struct str ns, bool *ret_exists,
                          struct catalog_property **ret, size_t *ret_n, struct err *err)
{
    CONN_SCOPED struct db_conn *conn = NULL;
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
