/* Logins: of a user, of a client; ending them. Brute-force protection. */
#include "base/clock.h"
#include "identity/admin/internal.h"

static struct sessions *sessions_of(const struct admin_call *a)
{
    return a->oidc->context->sessions;
}

static struct str issuer_of(struct admin_call *a)
{
    return token_issuer(a->arena, a->base_url, a->realm);
}

static int session_rep(struct admin_call *a, const struct session *s, json_t **ret, struct err *err)
{
    struct client_session_list clients;
    struct user u;
    json_t *rep, *names;
    int rc = client_sessions_of(sessions_of(a), a->realm, a->arena, s, &clients, err);

    if (rc < 0)
        return rc;
    rep = json_object();
    names = json_object();
    json_put_str(rep, "id", s->id);
    if (user_by_id(a->oidc->context->model, a->realm, a->arena, s->user_id, &u, NULL) == 0)
        json_put_str(rep, "username", u.username);
    json_put_str(rep, "userId", s->user_id);
    json_put_str(rep, "ipAddress", s->ip);
    json_object_set_new(rep, "start", json_integer(s->started * 1000));
    json_object_set_new(rep, "lastAccess", json_integer(s->last_access * 1000));
    json_object_set_new(rep, "rememberMe", json_boolean(s->remember_me));
    for (size_t i = 0; i < clients.n; i++) {
        const struct client *c = realm_client_by_id(a->realm, clients.items[i].client_id);
        if (c)
            json_put_str(names, arena_cstr(a->arena, c->id), c->client_id);
    }
    json_object_set_new(rep, "clients", names);
    json_object_set_new(rep, "transientUser", json_false());
    *ret = rep;
    return 0;
}

static int answer_sessions(struct admin_call *a, const struct session_list *list, const struct client *only,
                           struct err *err)
{
    json_t *answer = json_keep(a->arena, json_array());

    for (size_t i = 0; i < list->n; i++) {
        json_t *one;
        int rc = session_rep(a, &list->items[i], &one, err);
        if (rc < 0)
            return rc;
        if (only && !json_object_get(json_object_get(one, "clients"), arena_cstr(a->arena, only->id)))
            json_decref(one);
        else
            json_array_append_new(answer, one);
    }
    return admin_answer(a, json_incref(answer));
}

ADMIN(admin_list_user_sessions, MAY_VIEW_USERS)
{
    struct user u;
    struct session_list list;
    int rc = admin_find_user(a, &u, err);

    if (rc == 0)
        rc = sessions_of_user(sessions_of(a), a->realm, a->arena, u.id, false, &list, err);
    return rc < 0 ? rc : answer_sessions(a, &list, NULL, err);
}

ADMIN(admin_list_user_offline_sessions, MAY_VIEW_USERS)
{
    struct user u;
    struct session_list list;
    const struct client *c;
    int rc = admin_find_user(a, &u, err);

    if (rc < 0)
        return rc;
    c = realm_client_by_id(a->realm, admin_param(a, "of-client"));
    if (!c)
        return err_set(err, ERR_NOT_FOUND, "Client not found");
    rc = sessions_of_user(sessions_of(a), a->realm, a->arena, u.id, true, &list, err);
    return rc < 0 ? rc : answer_sessions(a, &list, c, err);
}

static int list_client_sessions(struct admin_call *a, bool offline, struct err *err)
{
    const struct client *c;
    struct session_list list;
    int64_t first, max;
    int rc = admin_find_client(a, &c, err);

    if (rc == 0)
        rc = admin_paging(a, 100, &first, &max, err);
    if (rc == 0)
        rc = sessions_of_client(sessions_of(a), a->realm, a->arena, c, offline, first, max < 0 ? 1000 : max, &list,
                                err);
    return rc < 0 ? rc : answer_sessions(a, &list, NULL, err);
}

ADMIN(admin_list_client_sessions, MAY_VIEW_CLIENTS)
{
    return list_client_sessions(a, false, err);
}

ADMIN(admin_list_client_offline_sessions, MAY_VIEW_CLIENTS)
{
    return list_client_sessions(a, true, err);
}

static int count_client_sessions(struct admin_call *a, bool offline, struct err *err)
{
    const struct client *c;
    int64_t n;
    int rc = admin_find_client(a, &c, err);

    if (rc == 0)
        rc = sessions_count(sessions_of(a), a->realm, c, offline, &n, err);
    return rc < 0 ? rc : admin_answer(a, json_pack("{s:I}", "count", (json_int_t)n));
}

ADMIN(admin_count_client_sessions, MAY_VIEW_CLIENTS)
{
    return count_client_sessions(a, false, err);
}

ADMIN(admin_count_client_offline_sessions, MAY_VIEW_CLIENTS)
{
    return count_client_sessions(a, true, err);
}

/* Clients that have sessions, with how many. */
ADMIN(admin_session_stats, MAY_VIEW_REALM)
{
    json_t *list = json_keep(a->arena, json_array());

    for (size_t i = 0; i < a->realm->client_count; i++) {
        const struct client *c = a->realm->clients[i];
        int64_t active, offline;
        int rc = sessions_count(sessions_of(a), a->realm, c, false, &active, err);
        if (rc == 0)
            rc = sessions_count(sessions_of(a), a->realm, c, true, &offline, err);
        if (rc < 0)
            return rc;
        if (active == 0 && offline == 0)
            continue;
        json_t *one = json_object();
        json_put_str(one, "id", c->id);
        json_put_str(one, "clientId", c->client_id);
        json_object_set_new(one, "active", json_sprintf("%lld", (long long)active));
        json_object_set_new(one, "offline", json_sprintf("%lld", (long long)offline));
        json_array_append_new(list, one);
    }
    return admin_answer(a, json_incref(list));
}

/* ---- ending ---- */

ADMIN(admin_logout_user, MAY_MANAGE_USERS)
{
    struct user u;
    int rc = admin_find_user(a, &u, err);

    if (rc == 0)
        rc = logout_user(a->oidc->logout, a->realm, issuer_of(a), u.id, err);
    if (rc == 0)
        admin_event(a, "ACTION", "USER", NULL, "users/%.*s/logout", STR_ARG(u.id));
    return rc;
}

ADMIN(admin_logout_all, MAY_MANAGE_USERS)
{
    int rc = logout_realm(a->oidc->logout, a->realm, issuer_of(a), err);

    if (rc < 0)
        return rc;
    admin_event(a, "ACTION", "REALM", NULL, "logout-all");
    return admin_answer(a, json_object());
}

ADMIN(admin_delete_session, MAY_MANAGE_USERS)
{
    struct session s;
    struct str id = admin_param(a, "session");
    bool offline = admin_query_flag(a, "isOffline", false);
    int rc = session_get(sessions_of(a), a->realm, a->arena, id, offline, &s, NULL);

    if (rc < 0) /* Keycloak's spelling */
        return err_set(err, ERR_NOT_FOUND, "Sesssion not found");
    rc = offline ? session_end(sessions_of(a), a->realm, id, true, err)
                 : logout_session(a->oidc->logout, a->realm, issuer_of(a), id, err);
    if (rc == 0)
        admin_event(a, "DELETE", "USER_SESSION", NULL, "sessions/%.*s", STR_ARG(id));
    return rc;
}

/* ---- brute force ---- */

ADMIN(admin_get_brute_force, MAY_VIEW_USERS)
{
    struct brute_status s;
    json_t *rep;

    (void)err;
    brute_status(a->oidc->context->brute, a->arena, a->realm, admin_param(a, "user"), clock_wall_ms(), &s);
    rep = json_object();
    json_object_set_new(rep, "failedLoginNotBefore", json_integer(s.not_before_s));
    json_object_set_new(rep, "numFailures", json_integer(s.failures));
    json_object_set_new(rep, "numTemporaryLockouts", json_integer(s.temporary_lockouts));
    json_object_set_new(rep, "disabled", json_boolean(s.locked));
    json_object_set_new(rep, "numSecondaryAuthFailures", json_integer(0));
    json_put_str(rep, "lastIPFailure", s.last_ip.n ? s.last_ip : STR("n/a"));
    json_object_set_new(rep, "lastFailure", json_integer(s.last_failure_ms));
    return admin_answer(a, rep);
}

ADMIN(admin_clear_brute_force_user, MAY_MANAGE_USERS)
{
    (void)err;
    brute_clear(a->oidc->context->brute, a->realm, admin_param(a, "user"));
    return 0;
}

ADMIN(admin_clear_brute_force, MAY_MANAGE_USERS)
{
    (void)err;
    brute_clear(a->oidc->context->brute, a->realm, STR_NULL);
    return 0;
}
