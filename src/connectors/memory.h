/* The catalog memory: tables that last as long as the process, in the engine's own storage under its memory limit. */
#ifndef CONNECTORS_MEMORY_H
#define CONNECTORS_MEMORY_H

#include "engine/engine.h"
#include "sql/connector.h"

MUST_CHECK int memory_connector_new(struct str catalog, struct engine *e, struct connector **ret, struct err *err);

#endif
