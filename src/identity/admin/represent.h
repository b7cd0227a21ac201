/* Representations from outside: which members they may have, and of which type. */
#ifndef IDENTITY_ADMIN_REPRESENT_H
#define IDENTITY_ADMIN_REPRESENT_H

#include "base/json.h"

enum represent_kind {
    REP_NONE,
    REP_REALM,
    REP_CLIENT,
    REP_SCOPE,
    REP_ROLE,
    REP_GROUP,
    REP_USER,
    REP_CREDENTIAL,
    REP_MAPPER,
    REP_COMPONENT,
    REP_PARTIAL_IMPORT,
    REP_REQUIRED_ACTION,
    REP_EVENTS_CONFIG,
    REP_EXECUTION,
    REP_FLOW,
    REP_FLOW_CONFIG,
    REP_IDP,
    REP_IDP_MAPPER,
};

/* Checks the object, and turns texts into flags and numbers, and the other way, where Jackson does. ERR_INVALID names the
 * member. */
MUST_CHECK int represent_check(json_t *object, enum represent_kind kind, struct err *err);

#endif
