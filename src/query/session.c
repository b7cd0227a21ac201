/* What a client's headers may say but only the server can judge: found when the statement runs, as Trino finds it. */
#include "query/internal.h"

static int check_user(const struct session *s, struct err *err)
{
    if (str_is_null(s->original_user) || str_eq(s->original_user, s->user))
        return 0;
    return err_set_named(err, ERR_DENIED, "PERMISSION_DENIED", "Access Denied: User %.*s cannot impersonate user %.*s",
                         STR_ARG(s->original_user), STR_ARG(s->user));
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

static int check_properties(const struct query *q, struct err *err)
{
    for (struct map_entry *e = NULL; (e = map_next(&q->session.properties, e));) {
        const struct session_property *p = session_property_find(e->key);
        bool is_catalogs = str_find_char(e->key, '.', 0) != SIZE_MAX;
        int rc = p ? session_property_check(p, *(const struct str *)e->value, err) : 0;

        if (rc < 0)
            return rc;
        if (!p && !(is_catalogs && catalog_has(q->owner->catalogs, e->key)))
            return err_set_named(err, ERR_INVALID, "INVALID_SESSION_PROPERTY", "Session property '%.*s' does not exist",
                                 STR_ARG(e->key));
    }
    return 0;
}

int query_check_session(const struct query *q, struct err *err)
{
    int rc = check_user(&q->session, err);

    if (rc == 0)
        rc = check_properties(q, err);
    if (rc == 0 && !str_is_null(q->session.time_zone) && !session_is_time_zone(q->session.time_zone))
        rc = err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "Time zone not supported: %.*s",
                           STR_ARG(q->session.time_zone));
    return rc;
}
