/*
 * How long a session lives: Keycloak's rules. A session ends when nobody has used it for the idle time, or when its
 * lifespan is over; a client's part in it at the latest with it. Settings of the client come before the realm's for
 * clients, those before the session's; 0 means "as the next one says".
 */
#include "identity/session/internal.h"

/* The first that isn't 0. */
static int64_t first_of(int64_t a, int64_t b, int64_t c)
{
    return a > 0 ? a : b > 0 ? b : c;
}

static int64_t idle_of(const struct realm *r, const struct session *s)
{
    if (s->offline)
        return r->offline_idle;
    return first_of(s->remember_me ? json_opt_i64(r->rep, "ssoSessionIdleTimeoutRememberMe", 0) : 0, r->sso_idle, 0);
}

int64_t session_max_expires(const struct realm *r, const struct session *s)
{
    if (s->offline)
        return r->offline_max_enabled ? s->started + r->offline_max : INT64_MAX;
    return s->started +
           first_of(s->remember_me ? json_opt_i64(r->rep, "ssoSessionMaxLifespanRememberMe", 0) : 0, r->sso_max, 0);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t session_expires(const struct realm *r, const struct session *s)
{
    return smaller(s->last_access + idle_of(r, s), session_max_expires(r, s));
}

bool session_alive(const struct realm *r, const struct session *s, int64_t now)
{
    return now < session_expires(r, s);
}

int64_t client_session_expires(const struct realm *r, const struct client *c, const struct session *s,
                               const struct client_session *cs)
{
    const json_t *attributes = client_attributes(c);
    int64_t idle, max, end = session_max_expires(r, s);

    if (s->offline) {
        idle = first_of(config_i64(attributes, "client.offline.session.idle.timeout", 0),
                        json_opt_i64(r->rep, "clientOfflineSessionIdleTimeout", 0), idle_of(r, s));
        max = first_of(config_i64(attributes, "client.offline.session.max.lifespan", 0),
                       json_opt_i64(r->rep, "clientOfflineSessionMaxLifespan", 0), 0);
        if (!r->offline_max_enabled)
            max = 0;
    } else {
        idle = first_of(config_i64(attributes, "client.session.idle.timeout", 0), r->client_session_idle,
                        idle_of(r, s));
        max = first_of(config_i64(attributes, "client.session.max.lifespan", 0), r->client_session_max, 0);
    }
    if (max > 0)
        end = smaller(end, cs->started + max);
    return smaller(end, cs->last_access + smaller(idle, idle_of(r, s)));
}
