/*
 * What a client said about itself and its state: Trino's protocol keeps a session in the client, which sends all of it
 * with every statement (X-Trino-* headers). Immutable while the statement runs; what the statement changes goes back
 * to the client (query/query.h, struct session_changes).
 */
#ifndef SQL_SESSION_H
#define SQL_SESSION_H

#include "base/map.h"
#include "base/str.h"

struct session {
    struct str user;
    struct str original_user; /* who it was before SET SESSION AUTHORIZATION; null: the same */
    struct str
        authenticated;    /* the user that authenticated, who has to be allowed to be the original one; null: that */
    struct str principal; /* its name before user mapping; null: nobody authenticated */
    const struct str *groups; /* that its token named */
    size_t group_count;
    struct str source;          /* "trino-cli", …; null: unsaid */
    struct str catalog, schema; /* null: none chosen */
    struct str time_zone;       /* IANA name or offset as Trino prints it: "UTC", "Europe/Paris", "+02:00" */
    struct str language;        /* "en-US"; null: unsaid */
    struct str query_id;
    int64_t start_us;          /* wall clock: what current_timestamp says throughout the statement */
    struct str transaction_id; /* null: auto-commit */
    bool keeps_transactions;   /* the client said X-Trino-Transaction-Id: it can hold one */
    bool changes_user;         /* client capability SESSION_AUTHORIZATION: it understands SET SESSION AUTHORIZATION */
    bool parametric_datetime;  /* client capability PARAMETRIC_DATETIME: without it types are shown without precision */
    struct map properties;     /* "name" (system) or "catalog.name" → struct str *: SET SESSION's values as text */
    struct map prepared;       /* name → struct str *: PREPARE's statement texts */
};

/* The system properties that SET SESSION accepts, with Trino's names, types and defaults; catalogs have their own
 * (connector_ops.session_property_defs). */
enum session_format {
    SESSION_PLAIN,
    SESSION_DURATION,  /* "10m", "1.50d" */
    SESSION_DATA_SIZE, /* "64MB" */
    SESSION_CHOICE,    /* one of `choices` */
    SESSION_TIME_ZONE,
};

struct session_property {
    const char *name, *type, *default_value, *description; /* default_value NULL: none */
    enum session_format format;
    const char *choices; /* "A, B, C" */
    bool hidden;         /* from SHOW SESSION */
};
extern const struct session_property session_properties[];
extern const size_t session_property_count;

const struct session_property *session_property_find(struct str name); /* NULL: none */
/* ERR_INVALID with Trino's words when the text is no value of the property; it has the right type already. */
MUST_CHECK int session_property_check(const struct session_property *p, struct str value, struct err *err);

/* True for "UTC", "Europe/Paris", "+02:00": what SET TIME ZONE and X-Trino-Time-Zone take. */
bool session_is_time_zone(struct str zone);

#endif
