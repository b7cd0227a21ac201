/* What the files of catalog/ share. Private to the module. */
#ifndef CATALOG_INTERNAL_H
#define CATALOG_INTERNAL_H

#include "catalog/catalog.h"

struct catalog {
    struct db *db;
    struct arena arena;
    struct str name;    /* catalog_name of our rows */
    struct str mounted; /* in errors */
};

/* VARCHAR(255) and VARCHAR(1000) of the layout: SQLite doesn't hold to them, PostgreSQL would fail late. */
enum { CATALOG_NAME_MAX = 255, CATALOG_LOCATION_MAX = 1000 };
MUST_CHECK int catalog_check_name(struct str name, const char *what, struct err *err);
MUST_CHECK int catalog_check_value(struct str value, const char *what, struct err *err);

/* True when the namespace, or one below it, has a property or a table (JdbcUtil.namespaceExists). */
MUST_CHECK int catalog_namespace_exists(struct catalog *c, struct db_conn *conn, struct str ns, bool *ret,
                                        struct err *err);

#endif
