/* What a client's headers may say but only the server can judge: found when the statement runs, as Trino finds it. */
#include "query/internal.h"

/* Nobody becomes another one unasked: first whoever authenticated the original user, then that one the session's. */
static int check_user(const struct access *access, const struct session *s, struct err *err)
{
    ARENA_SCOPED struct arena scratch = ARENA_INIT;
    struct str original = str_is_null(s->original_user) ? s->user : s->original_user;
    int rc = access_check_set_user(access, original, err);

    if (rc == 0 && !str_is_null(s->authenticated) && !str_eq(s->authenticated, original))
        rc = access_check_impersonate(access_as(access, &scratch, s->authenticated), original, err);
    if (rc < 0 || str_eq(original, s->user))
        return rc;
    rc = access_check_set_user(access, s->user, err);
    return rc < 0 ? rc : access_check_impersonate(access_as(access, &scratch, original), s->user, err);
}

int session_open_access(struct access_control *c, const struct session *s, struct access **ret, struct err *err)
{
    /* A token's groups are those of whoever it was given to. */
    bool is_own = str_is_null(s->authenticated) || str_eq(s->authenticated, s->user);
    const struct access_identity who = {
        .user = s->user, .principal = s->principal, .groups = s->groups, .group_count = is_own ? s->group_count : 0};
    struct access *access = NULL;
    int rc = c ? access_open(c, &who, &access, err) : 0;

    if (rc < 0)
        return rc;
    rc = check_user(access, s, err);
    if (rc < 0) {
        access_release(access);
        return rc;
    }
    *ret = access;
    return 0;
}

static bool catalog_has(const struct connector_set *catalogs, struct str name)
{
    size_t dot = str_find_char(name, '.', 0);
    struct connector *c = connector_find(catalogs, str_slice(name, 0, dot));

    for (size_t i = 0; c && i < c->ops->session_property_count; i++)
        if (str_eq_cstr(str_skip(name, dot + 1), c->ops->session_property_defs[i].name))
            return true;
    return false;
}

static int check_properties(const struct query *q, const struct access *access, struct err *err)
{
    for (struct map_entry *e = NULL; (e = map_next(&q->session.properties, e));) {
        const struct session_property *p = session_property_find(e->key);
        size_t dot = str_find_char(e->key, '.', 0);
        int rc = dot == SIZE_MAX
                     ? access_check_system_property(access, e->key, err)
                     : access_check_catalog_property(access, str_slice(e->key, 0, dot), str_skip(e->key, dot + 1), err);

        if (rc == 0 && p)
            rc = session_property_check(p, *(const struct str *)e->value, err);
        if (rc < 0)
            return rc;
        if (!p && !(dot != SIZE_MAX && catalog_has(q->owner->catalogs, e->key)))
            return err_set_named(err, ERR_INVALID, "INVALID_SESSION_PROPERTY", "Session property '%.*s' does not exist",
                                 STR_ARG(e->key));
    }
    return 0;
}

int query_check_session(const struct query *q, const struct access *access, struct err *err)
{
    int rc = check_properties(q, access, err);

    if (rc == 0 && !str_is_null(q->session.time_zone) && !session_is_time_zone(q->session.time_zone))
        rc = err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "Time zone not supported: %.*s",
                           STR_ARG(q->session.time_zone));
    return rc;
}
