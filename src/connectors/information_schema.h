/* information_schema: one connector that every catalog shows under that schema name. Which catalog is meant is the
 * `catalog` of the table it gave, set by whoever resolved the name (listing_get_table, the analyser). */
#ifndef CONNECTORS_INFORMATION_SCHEMA_H
#define CONNECTORS_INFORMATION_SCHEMA_H

#include "connectors/virtual.h"

/* `context` must outlive the connector; its information_schema member is the result. */
struct connector *information_schema_new(const struct virtual_context *context);

#endif
