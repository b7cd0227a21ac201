/*
 * What the files of admin/ share: a call with its caller, answers, and the shape of a handler.
 *
 *   ADMIN(get_role, MAY_VIEW_REALM)
 *   {
 *       const struct role *role;
 *       int rc = admin_find_role(a, &role, err);
 *       return rc < 0 ? rc : admin_answer(a, role_rep(a->realm, role, false));
 *   }
 *
 * A handler returns 0, having said its answer with admin_answer and friends (nothing said: 204), or an error, which
 * becomes Keycloak's: ERR_NOT_FOUND 404 {"error"}, ERR_INVALID 400 and ERR_EXISTS 409 {"errorMessage"}, ERR_DENIED 403,
 * ERR_UNSUPPORTED 501.
 */
#ifndef IDENTITY_ADMIN_INTERNAL_H
#define IDENTITY_ADMIN_INTERNAL_H

#include "base/enc.h"
#include "base/vec.h"
#include "identity/admin/admin.h"
#include "identity/admin/handlers.h"
#include "identity/admin/represent.h"
#include "identity/brute.h"
#include "identity/event.h"
#include "identity/model/docs.h"

/* Bits for the roles of realm-management, in the order of admin_role_names. */
enum admin_right {
    RIGHT_CREATE_CLIENT = 1 << 0,
    RIGHT_VIEW_REALM = 1 << 1,
    RIGHT_VIEW_USERS = 1 << 2,
    RIGHT_VIEW_CLIENTS = 1 << 3,
    RIGHT_VIEW_EVENTS = 1 << 4,
    RIGHT_VIEW_IDPS = 1 << 5,
    RIGHT_MANAGE_REALM = 1 << 6,
    RIGHT_MANAGE_USERS = 1 << 7,
    RIGHT_MANAGE_CLIENTS = 1 << 8,
    RIGHT_MANAGE_EVENTS = 1 << 9,
    RIGHT_MANAGE_IDPS = 1 << 10,
    RIGHT_QUERY_USERS = 1 << 11,
    RIGHT_QUERY_CLIENTS = 1 << 12,
    RIGHT_QUERY_REALMS = 1 << 13,
    RIGHT_QUERY_GROUPS = 1 << 14,
    RIGHT_IMPERSONATION = 1 << 15,
    RIGHT_OTHER = 1 << 16,        /* any other role there: it lets in where any will do */
    RIGHT_CREATE_REALM = 1 << 17, /* the master realm's role */
};

/* What a route asks for: one of these is enough. */
enum {
    MAY_ANY = 0, /* a valid token; the handler looks further */
    MAY_VIEW_REALM = RIGHT_VIEW_REALM | RIGHT_MANAGE_REALM,
    MAY_MANAGE_REALM = RIGHT_MANAGE_REALM,
    MAY_VIEW_USERS = RIGHT_VIEW_USERS | RIGHT_MANAGE_USERS,
    MAY_QUERY_USERS = MAY_VIEW_USERS | RIGHT_QUERY_USERS,
    MAY_MANAGE_USERS = RIGHT_MANAGE_USERS,
    MAY_QUERY_GROUPS = MAY_VIEW_USERS | RIGHT_QUERY_GROUPS,
    MAY_VIEW_CLIENTS = RIGHT_VIEW_CLIENTS | RIGHT_MANAGE_CLIENTS,
    MAY_QUERY_CLIENTS = MAY_VIEW_CLIENTS | RIGHT_QUERY_CLIENTS,
    MAY_MANAGE_CLIENTS = RIGHT_MANAGE_CLIENTS,
    MAY_CREATE_CLIENTS = RIGHT_MANAGE_CLIENTS | RIGHT_CREATE_CLIENT,
    MAY_VIEW_EVENTS = RIGHT_VIEW_EVENTS | RIGHT_MANAGE_EVENTS,
    MAY_MANAGE_EVENTS = RIGHT_MANAGE_EVENTS,
    MAY_VIEW_IDPS = RIGHT_VIEW_IDPS | RIGHT_MANAGE_IDPS,
    MAY_MANAGE_IDPS = RIGHT_MANAGE_IDPS,
    /* Lists that all administrators' pages need. */
    MAY_LIST_ROLES = MAY_VIEW_REALM | MAY_QUERY_USERS | MAY_QUERY_GROUPS | MAY_QUERY_CLIENTS | RIGHT_QUERY_REALMS,
};

struct admin_call {
    const struct oidc *oidc;
    struct http_call *call;
    struct arena *arena; /* the request's */
    struct realm *realm; /* of the path; NULL where it has none */
    struct realm *auth_realm;
    struct token token;
    struct str base_url;
    unsigned rights;
    const struct role **roles; /* the caller's, when its rights are its user's roles */
    size_t role_count;
    bool by_user; /* its rights are all of its user's roles, not the token's */
    /* the answer */
    int status; /* 0: nothing said */
    json_t *answer;
    const char *content_type; /* NULL: JSON in UTF-8 */
    struct str location;
    struct err err;
    /* the change that is going on */
    struct identity_change *change;
    struct realm_draft *draft;
};

void admin_run(void *ctx, struct http_call *call, unsigned may, int (*fn)(struct admin_call *a, struct err *err));

#define ADMIN(name, may)                                          \
    static int name##_run(struct admin_call *a, struct err *err); \
    void name(void *ctx, struct http_call *call)                  \
    {                                                             \
        admin_run(ctx, call, may, name##_run);                    \
    }                                                             \
    static int name##_run(struct admin_call *a, struct err *err)

static inline struct str admin_param(const struct admin_call *a, const char *name)
{
    return http_call_param(a->call, name);
}

/* ---- the request ---- */

/* A query parameter: null when absent. */
struct str admin_query(struct admin_call *a, const char *name);
bool admin_query_flag(struct admin_call *a, const char *name, bool fallback);
/* ERR_INVALID unless it is a number in Java's range. */
MUST_CHECK int admin_query_number(struct admin_call *a, const char *name, int64_t fallback, int64_t *ret,
                                  struct err *err);
/* `first` and `max`; max -1: all. */
MUST_CHECK int admin_paging(struct admin_call *a, int64_t default_max, int64_t *ret_first, int64_t *ret_max,
                            struct err *err);
/* The body as a representation, its members checked; as long as the request. ERR_INVALID with Keycloak's words. */
MUST_CHECK int admin_body(struct admin_call *a, enum represent_kind kind, json_t **ret, struct err *err);
/* An array of them. */
MUST_CHECK int admin_body_list(struct admin_call *a, enum represent_kind kind, json_t **ret, struct err *err);
/* Any JSON. */
MUST_CHECK int admin_body_json(struct admin_call *a, json_t **ret, struct err *err);

/* ---- permissions ---- */

bool admin_may(const struct admin_call *a, unsigned may);
/* What `seen` makes of another realm with the caller's rights there; drops the reference to `r`. */
json_t *admin_realm_as_seen(struct admin_call *a, struct realm *r, json_t *(*seen)(struct admin_call *a, bool brief),
                            bool brief);
int admin_denied(struct err *err); /* ERR_DENIED, "HTTP 403 Forbidden" */
/* An administrator gives roles that let into administration only when it has them itself: ERR_DENIED. */
MUST_CHECK int admin_may_give(struct admin_call *a, const struct role *role, struct err *err);

/* ---- answers ---- */

int admin_answer(struct admin_call *a, json_t *answer); /* 200; takes the reference; returns 0 */
int admin_created(struct admin_call *a, const char *fmt, ...) PRINTF_LIKE(2, 3); /* 201; the path below the request's */
int admin_answer_number(struct admin_call *a, int64_t n);

/* ---- changes ---- */

/* Starts a change of the realm: a->change and a->draft. admin_commit ends it; an error of the handler gives it up. */
MUST_CHECK int admin_begin(struct admin_call *a, struct err *err);
/* Commits, and a->realm is the new snapshot. */
MUST_CHECK int admin_commit(struct admin_call *a, struct err *err);
/* A snapshot of the draft in place of a->realm, for looking things up before the commit. */
void admin_refresh(struct admin_call *a);
/* The audit log; `id` after the resource's path is null or its id. The representation (may be NULL) is kept without its
 * secrets. Call after admin_commit. */
void admin_event(struct admin_call *a, const char *operation, const char *type, const json_t *rep, const char *fmt, ...)
    PRINTF_LIKE(5, 6);

/* ---- finding what the path names ---- */

MUST_CHECK int admin_find_client(struct admin_call *a, const struct client **ret, struct err *err);      /* {client} */
MUST_CHECK int admin_find_scope(struct admin_call *a, const struct client_scope **ret, struct err *err); /* {scope} */
/* {role} by name: of {client} when the path has that. */
MUST_CHECK int admin_find_role(struct admin_call *a, const struct role **ret, struct err *err);
MUST_CHECK int admin_find_group(struct admin_call *a, const struct group **ret, struct err *err); /* {group} */
MUST_CHECK int admin_find_user(struct admin_call *a, struct user *ret, struct err *err);          /* {user} */
bool admin_has_param(const struct admin_call *a, const char *name);
/* The roles that a list of RoleRepresentations names; of the client, or realm roles (NULL), or any (any). ERR_NOT_FOUND:
 * "Role not found". */
MUST_CHECK int admin_named_roles(struct admin_call *a, const json_t *list, bool any, const struct client *client,
                                 const struct role ***ret, size_t *ret_n, struct err *err);

/* An array of role representations: those of the client (NULL: of the realm). */
json_t *admin_roles_of(struct admin_call *a, const struct role *const *roles, size_t n, const struct client *client,
                       bool brief);

#endif
