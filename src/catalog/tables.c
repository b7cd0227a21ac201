/*
 * Tables: rows of iceberg_tables that say where the current metadata is. A commit is one UPDATE that names the location it
 * expects (JdbcTableOperations.updateTable); rows of V0 have no iceberg_type and are tables.
 */
#include "catalog/internal.h"

#define IS_TABLE "(iceberg_type = 'TABLE' OR iceberg_type IS NULL)"
#define THIS_TABLE "catalog_name = $1 AND table_namespace = $2 AND table_name = $3 AND " IS_TABLE

static int not_found(struct catalog *c, struct str ns, struct str table, struct err *err)
{
    return err_set_named(err, ERR_NOT_FOUND, "TABLE_NOT_FOUND", "Table '%.*s.%.*s.%.*s' does not exist",
                         STR_ARG(c->mounted), STR_ARG(ns), STR_ARG(table));
}

static int already_exists(struct catalog *c, struct str ns, struct str table, struct err *err)
{
    return err_set_named(err, ERR_EXISTS, "TABLE_ALREADY_EXISTS", "Table '%.*s.%.*s.%.*s' already exists",
                         STR_ARG(c->mounted), STR_ARG(ns), STR_ARG(table));
}

int catalog_list_tables(struct catalog *c, struct arena *a, struct str ns, struct str **ret, size_t *ret_n,
                        struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    const struct db_value params[] = {db_text(c->name), db_text(ns)};
    struct db_rows rows;
    int rc = db_acquire(c->db, &conn, err);

    if (rc == 0)
        rc = db_query(
            conn, a,
            "SELECT table_name FROM iceberg_tables WHERE catalog_name = $1 AND table_namespace = $2 AND " IS_TABLE
            " ORDER BY 1",
            params, 2, &rows, err);
    if (rc < 0)
        return rc;
    *ret = arena_array(a, struct str, rows.row_count);
    *ret_n = rows.row_count;
    for (size_t i = 0; i < rows.row_count; i++)
        (*ret)[i] = db_at(&rows, i, 0).text;
    return 0;
}

int catalog_get_table(struct catalog *c, struct arena *a, struct str ns, struct str table, struct str *ret_location,
                      struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    const struct db_value params[] = {db_text(c->name), db_text(ns), db_text(table)};
    struct db_rows rows;
    int rc = db_acquire(c->db, &conn, err);

    if (rc == 0)
        rc = db_query(conn, a, "SELECT metadata_location FROM iceberg_tables WHERE " THIS_TABLE, params, 3, &rows, err);
    if (rc < 0)
        return rc;
    *ret_location = rows.row_count ? db_at(&rows, 0, 0).text : STR_NULL;
    return 0;
}

int catalog_drop_table(struct catalog *c, struct str ns, struct str table, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    const struct db_value params[] = {db_text(c->name), db_text(ns), db_text(table)};
    int64_t changed = 0;
    int rc = db_acquire(c->db, &conn, err);

    if (rc == 0)
        rc = db_exec(conn, "DELETE FROM iceberg_tables WHERE " THIS_TABLE, params, 3, &changed, err);
    return rc == 0 && changed == 0 ? not_found(c, ns, table, err) : rc;
}

int catalog_rename_table(struct catalog *c, struct str ns, struct str table, struct str new_ns, struct str new_table,
                         struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    const struct db_value params[] = {db_text(c->name), db_text(ns), db_text(table), db_text(new_ns),
                                      db_text(new_table)};
    int64_t changed = 0;
    bool exists = false;
    int rc = catalog_check_name(new_table, "a table's name", err);

    if (rc == 0)
        rc = db_acquire(c->db, &conn, err);
    if (rc == 0)
        rc = catalog_namespace_exists(c, conn, new_ns, &exists, err);
    if (rc == 0 && !exists)
        return err_set_named(err, ERR_NOT_FOUND, "SCHEMA_NOT_FOUND", "Schema '%.*s.%.*s' does not exist",
                             STR_ARG(c->mounted), STR_ARG(new_ns));
    if (rc == 0)
        rc = db_exec(conn, "UPDATE iceberg_tables SET table_namespace = $4, table_name = $5 WHERE " THIS_TABLE, params,
                     5, &changed, err);
    if (rc == ERR_EXISTS)
        return already_exists(c, new_ns, new_table, err);
    return rc == 0 && changed == 0 ? not_found(c, ns, table, err) : rc;
}

/* ---- the pointer ---- */

struct table_pointer {
    struct iceberg_pointer base;
    struct catalog *catalog;
    struct str ns, table;
};

static int load_pointer(void *ctx, struct arena *a, struct str *ret_location, struct err *err)
{
    struct table_pointer *p = ctx;
    struct str location;
    int rc = catalog_get_table(p->catalog, a, p->ns, p->table, &location, err);

    if (rc == 0 && str_is_null(location))
        return not_found(p->catalog, p->ns, p->table, err);
    if (rc == 0)
        *ret_location = location;
    return rc;
}

static int insert_table(struct table_pointer *p, struct db_conn *conn, struct str location, struct err *err)
{
    const struct db_value params[] = {db_text(p->catalog->name), db_text(p->ns), db_text(p->table), db_text(location)};
    bool exists;
    int rc = catalog_check_name(p->table, "a table's name", err);

    if (rc == 0)
        rc = catalog_namespace_exists(p->catalog, conn, p->ns, &exists, err);
    if (rc == 0 && !exists)
        return err_set_named(err, ERR_NOT_FOUND, "SCHEMA_NOT_FOUND", "Schema '%.*s.%.*s' does not exist",
                             STR_ARG(p->catalog->mounted), STR_ARG(p->ns));
    if (rc == 0)
        rc = db_exec(conn,
                     "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, "
                     "previous_metadata_location, iceberg_type) VALUES ($1, $2, $3, $4, NULL, 'TABLE')",
                     params, 4, NULL, err);
    return rc == ERR_EXISTS ? already_exists(p->catalog, p->ns, p->table, err) : rc;
}

static int update_table(struct table_pointer *p, struct db_conn *conn, struct str expected, struct str location,
                        struct err *err)
{
    const struct db_value params[] = {db_text(p->catalog->name), db_text(p->ns), db_text(p->table), db_text(location),
                                      db_text(expected)};
    int64_t changed = 0;
    int rc = db_exec(
        conn,
        "UPDATE iceberg_tables SET metadata_location = $4, previous_metadata_location = $5 WHERE " THIS_TABLE
        " AND metadata_location = $5",
        params, 5, &changed, err);

    if (rc == 0 && changed == 0)
        return err_set_named(err, ERR_CONFLICT, "ICEBERG_COMMIT_ERROR",
                             "Cannot commit to table %.*s.%.*s: its metadata is no longer %.*s", STR_ARG(p->ns),
                             STR_ARG(p->table), STR_ARG(expected));
    return rc;
}

static int swap_pointer(void *ctx, struct str expected, struct str location, struct err *err)
{
    struct table_pointer *p = ctx;
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    int rc = catalog_check_value(location, "the location of a table's metadata", err);

    if (rc == 0)
        rc = db_acquire(p->catalog->db, &conn, err);
    if (rc < 0)
        return rc;
    return str_is_null(expected) ? insert_table(p, conn, location, err)
                                 : update_table(p, conn, expected, location, err);
}

struct iceberg_pointer *catalog_pointer(struct catalog *c, struct arena *a, struct str ns, struct str table)
{
    struct table_pointer *p = arena_new(a, struct table_pointer);

    p->base = (struct iceberg_pointer){.ctx = p, .load = load_pointer, .swap = swap_pointer};
    p->catalog = c;
    p->ns = arena_str(a, ns);
    p->table = arena_str(a, table);
    return &p->base;
}
