/*
 * The audit log. Every event, under Keycloak's names (LOGIN, LOGIN_ERROR, CODE_TO_TOKEN, REFRESH_TOKEN_ERROR, …) and with
 * its error words ("invalid_user_credentials"), is one line of JSON in the service's log; a realm with eventsEnabled keeps
 * it in the table too, for the time that its eventsExpiration says and only the types among its enabledEventTypes.
 * Changes by administrators are admin events, kept when adminEventsEnabled.
 *
 * Writing an event never waits for the disk and never fails: a thread takes them to the database in batches. When more
 * wait than EVENTS_WAITING_MAX the table loses them and the log says how many; the log itself has them all.
 *
 * No secret is ever a detail: no password, token, code, client secret.
 */
#ifndef IDENTITY_EVENT_H
#define IDENTITY_EVENT_H

#include "identity/model.h"

struct events;

enum { EVENTS_WAITING_MAX = 4096, EVENT_DETAILS_MAX = 16 };

/* Makes the tables when missing. `db` outlives the result. */
MUST_CHECK int events_open(struct db *db, struct events **ret, struct err *err);
/* Writes what waits, then ends. */
void events_close(struct events *e);
/* Waits until all that was written before is in the table (tests, and reading one's own writes). */
void events_flush(struct events *e);

/* ---- what users and clients do ---- */

struct event {
    const struct realm *realm;
    const char *type;  /* without _ERROR: "LOGIN" */
    const char *error; /* a literal: "user_not_found"; then the type gets _ERROR. NULL: it succeeded */
    struct str client_id, user_id, session_id, ip; /* null: unknown */
    struct {
        const char *name; /* a literal: "username", "redirect_uri", "grant_type", … */
        struct str value;
    } details[EVENT_DETAILS_MAX];
    size_t detail_count;
};

static inline struct event event_of(const struct realm *r, const char *type, struct str client_id, struct str ip)
{
    return (struct event){.realm = r, .type = type, .client_id = client_id, .ip = ip};
}
/* A null value is left out; what is more than EVENT_DETAILS_MAX too. The text has to live until event_write. */
static inline void event_add(struct event *e, const char *name, struct str value)
{
    if (!str_is_null(value) && e->detail_count < EVENT_DETAILS_MAX) {
        e->details[e->detail_count].name = name;
        e->details[e->detail_count++].value = value;
    }
}
void event_write(struct events *e, const struct event *event);
/* The same with an error: event_fail(e, &event, "invalid_code"). */
void event_fail(struct events *e, struct event *event, const char *error);

/* ---- what administrators do ---- */

struct admin_event {
    const struct realm *realm;
    const char *operation;     /* "CREATE", "UPDATE", "DELETE", "ACTION" */
    const char *resource_type; /* "USER", "CLIENT", "REALM_ROLE", … */
    struct str resource_path;  /* "users/UUID" */
    struct str auth_realm_id, auth_client_id, auth_user_id, ip;
    struct str representation; /* JSON without secrets, or null; kept when adminEventsDetailsEnabled */
    const char *error;         /* NULL: it succeeded */
};
void admin_event_write(struct events *e, const struct admin_event *event);

/* ---- reading, as GET /admin/realms/{realm}/events and …/admin-events do; newest first ---- */

struct event_query {
    const struct str *types; /* event types, or operation types; none: all */
    size_t type_count;
    const struct str *resource_types; /* admin events only */
    size_t resource_type_count;
    struct str client_id, user_id, ip,
        resource_path;      /* null: any. For admin events the first three are the administrator's;
                                                         resource_path may have "*" for a part */
    int64_t from_ms, to_ms; /* 0: no bound */
    int64_t first, max;     /* max 0: 100 */
    bool oldest_first;
};
/* An array of EventRepresentation, or of AdminEventRepresentation: the caller's. */
MUST_CHECK int events_query(struct events *e, const struct realm *r, const struct event_query *q, json_t **ret,
                            struct err *err);
MUST_CHECK int admin_events_query(struct events *e, const struct realm *r, const struct event_query *q, json_t **ret,
                                  struct err *err);
MUST_CHECK int events_clear(struct events *e, const struct realm *r, struct err *err);
MUST_CHECK int admin_events_clear(struct events *e, const struct realm *r, struct err *err);

#endif
