/* The audit log: reading it, emptying it, what of it is kept. */
#include "base/clock.h"
#include "http/form.h"
#include "identity/admin/internal.h"

enum { FILTERS_MAX = 64 };

/* All values of a parameter that may repeat. */
static size_t query_all(struct admin_call *a, const char *name, const struct str **ret)
{
    struct str *list = arena_array(a->arena, struct str, FILTERS_MAX);
    struct http_form form;
    size_t n = 0;

    *ret = list;
    if (http_form_parse(a->arena, a->call->request->raw_query, &form, NULL) < 0)
        return 0;
    for (size_t i = 0; i < form.n && n < FILTERS_MAX; i++)
        if (str_eq_cstr(form.fields[i].name, name) && form.fields[i].value.n)
            list[n++] = form.fields[i].value;
    return n;
}

/* "2026-11-25", or milliseconds since 1970. */
static int query_time(struct admin_call *a, const char *name, bool end_of_day, int64_t *ret, struct err *err)
{
    struct str s = admin_query(a, name);
    int64_t us;

    *ret = 0;
    if (s.n == 0 || str_to_i64(s, ret, NULL) == 0)
        return 0;
    struct str text = arena_printf(a->arena, "%.*sT00:00:00Z", STR_ARG(s));
    if (s.n != 10 || clock_parse_rfc3339(text, &us, NULL) < 0)
        return err_set(err, ERR_INVALID, "Invalid value for '%s', expected format is yyyy-MM-dd or an Epoch timestamp",
                       name);
    *ret = us / 1000 + (end_of_day ? 86400000 - 1 : 0);
    return 0;
}

static int read_query(struct admin_call *a, struct event_query *q, struct err *err)
{
    int rc = admin_paging(a, 100, &q->first, &q->max, err);

    if (rc == 0)
        rc = query_time(a, "dateFrom", false, &q->from_ms, err);
    if (rc == 0)
        rc = query_time(a, "dateTo", true, &q->to_ms, err);
    if (q->max < 0 || q->max > 10000)
        q->max = 10000;
    q->oldest_first = str_eq(admin_query(a, "direction"), STR("asc"));
    return rc;
}

ADMIN(admin_list_events, MAY_VIEW_EVENTS)
{
    struct event_query q = {.client_id = admin_query(a, "client"),
                            .user_id = admin_query(a, "user"),
                            .ip = admin_query(a, "ipAddress"),
                            .resource_path = STR_NULL};
    json_t *list;
    int rc = read_query(a, &q, err);

    q.type_count = query_all(a, "type", &q.types);
    if (rc == 0)
        rc = events_query(a->oidc->context->events, a->realm, &q, &list, err);
    return rc < 0 ? rc : admin_answer(a, list);
}

ADMIN(admin_clear_events, MAY_MANAGE_EVENTS)
{
    return events_clear(a->oidc->context->events, a->realm, err);
}

ADMIN(admin_list_admin_events, MAY_VIEW_EVENTS)
{
    struct event_query q = {.client_id = admin_query(a, "authClient"),
                            .user_id = admin_query(a, "authUser"),
                            .ip = admin_query(a, "authIpAddress"),
                            .resource_path = admin_query(a, "resourcePath")};
    json_t *list;
    int rc = read_query(a, &q, err);

    q.type_count = query_all(a, "operationTypes", &q.types);
    q.resource_type_count = query_all(a, "resourceTypes", &q.resource_types);
    if (rc == 0)
        rc = admin_events_query(a->oidc->context->events, a->realm, &q, &list, err);
    return rc < 0 ? rc : admin_answer(a, list);
}

ADMIN(admin_clear_admin_events, MAY_MANAGE_EVENTS)
{
    return admin_events_clear(a->oidc->context->events, a->realm, err);
}

/* ---- settings ---- */

/* Those that Keycloak keeps when a realm doesn't say which; each with its _ERROR. */
static const char *const kept_types[] = {
    "LOGIN",
    "REGISTER",
    "LOGOUT",
    "CODE_TO_TOKEN",
    "CLIENT_LOGIN",
    "FEDERATED_IDENTITY_LINK",
    "REMOVE_FEDERATED_IDENTITY",
    "UPDATE_EMAIL",
    "UPDATE_PROFILE",
    "UPDATE_PASSWORD",
    "UPDATE_TOTP",
    "VERIFY_EMAIL",
    "VERIFY_PROFILE",
    "REMOVE_TOTP",
    "GRANT_CONSENT",
    "UPDATE_CONSENT",
    "REVOKE_GRANT",
    "SEND_VERIFY_EMAIL",
    "SEND_RESET_PASSWORD",
    "SEND_IDENTITY_PROVIDER_LINK",
    "RESET_PASSWORD",
    "RESTART_AUTHENTICATION",
    "IDENTITY_PROVIDER_LINK_ACCOUNT",
    "IDENTITY_PROVIDER_LOGIN",
    "IDENTITY_PROVIDER_FIRST_LOGIN",
    "IDENTITY_PROVIDER_POST_LOGIN",
    "IMPERSONATE",
    "CUSTOM_REQUIRED_ACTION",
    "EXECUTE_ACTIONS",
    "EXECUTE_ACTION_TOKEN",
    "CLIENT_REGISTER",
    "CLIENT_UPDATE",
    "CLIENT_DELETE",
    "CLIENT_INITIATED_ACCOUNT_LINKING",
    "TOKEN_EXCHANGE",
    "PERMISSION_TOKEN",
    "DELETE_ACCOUNT",
    "USER_DISABLED_BY_PERMANENT_LOCKOUT",
    "USER_DISABLED_BY_TEMPORARY_LOCKOUT",
    "UPDATE_CREDENTIAL",
    "REMOVE_CREDENTIAL",
};

static const char *const config_members[] = {"eventsEnabled",     "eventsExpiration",   "eventsListeners",
                                             "enabledEventTypes", "adminEventsEnabled", "adminEventsDetailsEnabled"};

ADMIN(admin_get_events_config, MAY_VIEW_EVENTS)
{
    json_t *rep = json_object();

    (void)err;
    for (size_t i = 0; i < ARRAY_LEN(config_members); i++)
        if (json_object_get(a->realm->rep, config_members[i]))
            json_object_set(rep, config_members[i], json_object_get(a->realm->rep, config_members[i]));
    if (json_array_size(json_object_get(rep, "enabledEventTypes")) == 0) {
        json_t *types = json_array();
        for (size_t i = 0; i < ARRAY_LEN(kept_types); i++) {
            json_array_append_new(types, json_string(kept_types[i]));
            json_array_append_new(types, json_sprintf("%s_ERROR", kept_types[i]));
        }
        json_object_set_new(rep, "enabledEventTypes", types);
    }
    return admin_answer(a, rep);
}

ADMIN(admin_put_events_config, MAY_MANAGE_EVENTS)
{
    json_t *rep, *settings;
    int rc = admin_body(a, REP_EVENTS_CONFIG, &rep, err);

    if (rc < 0)
        return rc;
    settings = json_keep(a->arena, json_object());
    for (size_t i = 0; i < ARRAY_LEN(config_members); i++)
        if (json_object_get(rep, config_members[i]))
            json_object_set(settings, config_members[i], json_object_get(rep, config_members[i]));
    rc = admin_begin(a, err);
    if (rc == 0)
        rc = realm_update(a->change, a->draft, settings, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "UPDATE", "REALM", settings, "events/config");
    return rc;
}
