/*
 * Opening the catalog: the JDBC catalog's two tables, made as iceberg-core makes them. A database that has them already,
 * from Trino, Spark or another process that was faster, is used as it is; one of schema V0 is brought to V1.
 */
#include "catalog/internal.h"
#include "base/vec.h"

/* JdbcUtil's V0_CREATE_CATALOG_SQL, V1_UPDATE_CATALOG_SQL and CREATE_NAMESPACE_PROPERTIES_TABLE_SQL. */
static const char create_tables[] =
    "CREATE TABLE iceberg_tables(catalog_name VARCHAR(255) NOT NULL,table_namespace VARCHAR(255) NOT NULL,"
    "table_name VARCHAR(255) NOT NULL,metadata_location VARCHAR(1000),previous_metadata_location VARCHAR(1000),"
    "PRIMARY KEY (catalog_name, table_namespace, table_name))";
static const char add_type[] = "ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)";
static const char create_properties[] =
    "CREATE TABLE iceberg_namespace_properties(catalog_name VARCHAR(255) NOT NULL,namespace VARCHAR(255) NOT NULL,"
    "property_key VARCHAR(255),property_value VARCHAR(1000),PRIMARY KEY (catalog_name, namespace, property_key))";

static int has_table(struct db_conn *conn, const char *table, bool *ret, struct err *err)
{
    return db_table_exists(conn, table, ret, err);
}

static int has_type_column(struct db_conn *conn, const char *table, bool *ret, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct db_rows rows;
    struct err reason = {0};
    int rc;

    (void)table;
    rc = db_query(conn, &a, "SELECT iceberg_type FROM iceberg_tables WHERE 1 = 0", NULL, 0, &rows, &reason);
    *ret = rc == 0;
    if (rc == 0 || (rc != ERR_UNAVAILABLE && rc != ERR_DENIED))
        return 0;
    if (err)
        *err = reason;
    return rc;
}

static const struct {
    const char *table;
    int (*is_done)(struct db_conn *conn, const char *table, bool *ret, struct err *err);
    const char *sql;
} steps[] = {
    {"iceberg_tables", has_table, create_tables},
    {"iceberg_tables", has_type_column, add_type},
    {"iceberg_namespace_properties", has_table, create_properties},
};

static int make_tables(struct db_conn *conn, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct err reason = {0};
        bool is_done;
        int rc = steps[i].is_done(conn, steps[i].table, &is_done, err);

        if (rc < 0)
            return rc;
        if (is_done || db_exec(conn, steps[i].sql, NULL, 0, NULL, &reason) == 0)
            continue;
        /* It fails too when another process did it between the look and the leap. */
        rc = steps[i].is_done(conn, steps[i].table, &is_done, err);
        if (rc < 0)
            return rc;
        if (!is_done) {
            if (err)
                *err = reason;
            return err_prefix(err, "can't make the catalog's table %s", steps[i].table);
        }
    }
    return 0;
}

int catalog_open(struct db *db, struct str name, struct str mounted, struct catalog **ret, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    int rc = catalog_check_name(name, "the catalog's name", err);

    if (rc == 0)
        rc = db_acquire(db, &conn, err);
    if (rc == 0)
        rc = make_tables(conn, err);
    if (rc < 0)
        return rc;
    struct catalog *c = calloc(1, sizeof(*c));
    if (!c)
        abort();
    c->db = db;
    c->name = arena_str(&c->arena, name);
    c->mounted = arena_str(&c->arena, mounted);
    *ret = c;
    return 0;
}

void catalog_close(struct catalog *c)
{
    if (!c)
        return;
    arena_release(&c->arena);
    free(c);
}

static int check(struct str text, size_t max, const char *what, struct err *err)
{
    if (str_is_empty(text))
        return err_set(err, ERR_INVALID, "%s is empty", what);
    if (text.n > max || !str_is_utf8(text) || memchr(text.p, 0, text.n))
        return err_set(err, ERR_INVALID, "%s has to be UTF-8 text of at most %zu bytes, this has %zu", what, max,
                       text.n);
    return 0;
}

int catalog_check_name(struct str name, const char *what, struct err *err)
{
    return check(name, CATALOG_NAME_MAX, what, err);
}

int catalog_check_value(struct str value, const char *what, struct err *err)
{
    return check(value, CATALOG_LOCATION_MAX, what, err);
}
