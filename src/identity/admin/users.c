/* Users: search, create, read, change; passwords and other credentials, groups. */
#include "identity/admin/internal.h"
#include "identity/consent.h"
#include "identity/profile.h"

static struct identity *model_of(const struct admin_call *a)
{
    return a->oidc->context->model;
}

/* A problem that the user profile found: the answer, and nothing is changed. */
static int answer_problem(struct admin_call *a, json_t *problem)
{
    a->answer = json_keep(a->arena, problem);
    a->status = 400;
    return 0;
}

static json_t *full_user(struct admin_call *a, const struct user *u, bool brief)
{
    json_t *rep = json_copy(u->rep);

    if (brief) {
        json_object_del(rep, "attributes");
        json_object_set_new(rep, "access", json_pack("{s:b}", "manage", admin_may(a, MAY_MANAGE_USERS)));
    }
    return rep;
}

/* ---- lists ---- */

static void take_flag(struct admin_call *a, const char *name, bool *has, bool *value)
{
    struct str s = admin_query(a, name);

    *has = s.n > 0;
    *value = str_eq_nocase(s, STR("true"));
}

/* q=key:value key2:"value 2" */
static void take_attributes(struct admin_call *a, struct user_query *q)
{
    enum { MAX = 16 };
    struct str rest = admin_query(a, "q"), part;
    struct str *names = arena_array(a->arena, struct str, MAX), *values = arena_array(a->arena, struct str, MAX);
    size_t n = 0;

    while (!str_is_null(rest) && n < MAX && str_split(&rest, ' ', &part)) {
        size_t colon = str_find_char(part, ':', 0);
        if (colon == SIZE_MAX)
            continue;
        struct str value = str_skip(part, colon + 1);
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            value = str_slice(value, 1, value.n - 2);
        names[n] = str_slice(part, 0, colon);
        values[n++] = value;
    }
    q->attribute_names = names;
    q->attribute_values = values;
    q->attribute_count = n;
}

static int read_query(struct admin_call *a, struct user_query *q, struct err *err)
{
    *q = (struct user_query){
        .search = admin_query(a, "search"),
        .username = admin_query(a, "username"),
        .email = admin_query(a, "email"),
        .first_name = admin_query(a, "firstName"),
        .last_name = admin_query(a, "lastName"),
        .exact = admin_query_flag(a, "exact", false),
    };
    take_flag(a, "enabled", &q->has_enabled, &q->enabled);
    take_flag(a, "emailVerified", &q->has_email_verified, &q->email_verified);
    take_attributes(a, q);
    /* Service accounts only show when one is asked for by its name, as in Keycloak. */
    q->with_service_accounts = !str_is_null(q->username) && q->exact;
    return admin_paging(a, 100, &q->first, &q->max, err);
}

static bool is_by_id(const struct user_query *q)
{
    return !str_is_null(q->search) && str_starts_with(q->search, STR("id:"));
}

ADMIN(admin_list_users, MAY_QUERY_USERS)
{
    bool brief = admin_query_flag(a, "briefRepresentation", false);
    struct user_query q;
    struct user *users, one;
    size_t n = 0;
    int rc = read_query(a, &q, err);

    if (rc < 0)
        return rc;
    if (!admin_may(a, MAY_VIEW_USERS)) /* may query, and sees none: fine-grained permissions would say which */
        return admin_answer(a, json_array());
    if (is_by_id(&q)) {
        rc = user_by_id(model_of(a), a->realm, a->arena, str_trim(str_skip(q.search, 3)), &one, err);
        users = &one;
        n = rc == 0;
        rc = rc == ERR_NOT_FOUND ? 0 : rc;
    } else {
        rc = user_search(model_of(a), a->realm, a->arena, &q, &users, &n, err);
    }
    if (rc < 0)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *rep = full_user(a, &users[i], brief);
        bool otp = false;
        if (!brief && user_has_otp(model_of(a), a->realm, &users[i], &otp, NULL) == 0)
            json_object_set_new(rep, "totp", json_boolean(otp));
        json_object_set_new(rep, "access", json_pack("{s:b}", "manage", admin_may(a, MAY_MANAGE_USERS)));
        json_array_append_new(list, rep);
    }
    return admin_answer(a, list);
}

ADMIN(admin_count_users, MAY_QUERY_USERS)
{
    struct user_query q;
    struct user one;
    int64_t n = 0;
    int rc = read_query(a, &q, err);

    if (rc < 0)
        return rc;
    if (!admin_may(a, MAY_VIEW_USERS))
        return admin_answer_number(a, 0);
    if (is_by_id(&q))
        n = user_by_id(model_of(a), a->realm, a->arena, str_trim(str_skip(q.search, 3)), &one, NULL) == 0;
    else
        rc = user_count(model_of(a), a->realm, &q, &n, err);
    return rc < 0 ? rc : admin_answer_number(a, n);
}

/* ---- one ---- */

/* What only exports and imports say is not for this: ids, hashed passwords, roles. */
static void keep_settable(json_t *rep)
{
    static const char *const left_out[] = {"id",
                                           "realmRoles",
                                           "clientRoles",
                                           "serviceAccountClientId",
                                           "access",
                                           "createdTimestamp",
                                           "self",
                                           "origin",
                                           "totp",
                                           "userProfileMetadata",
                                           "applicationRoles",
                                           "socialLinks",
                                           "clientConsents",
                                           "disableableCredentialTypes"};

    for (size_t i = 0; i < ARRAY_LEN(left_out); i++)
        json_object_del(rep, left_out[i]);
}

static int check_actions(const json_t *rep, struct err *err)
{
    const json_t *actions = json_object_get(rep, "requiredActions");

    if (json_array_size(actions) > 32)
        return err_set(err, ERR_INVALID, "a user has at most 32 required actions");
    return 0;
}

ADMIN(admin_create_user, MAY_MANAGE_USERS)
{
    json_t *rep, *problem;
    struct str id;
    int rc = admin_body(a, REP_USER, &rep, err);

    if (rc < 0)
        return rc;
    keep_settable(rep);
    if (json_opt_bool(a->realm->rep, "registrationEmailAsUsername", false))
        json_put_str(rep, "username", json_opt_str(rep, "email", STR_NULL));
    if (str_trim(json_opt_str(rep, "username", STR(""))).n == 0)
        return err_set(err, ERR_INVALID, "User name is missing");
    problem = profile_check(a->realm, rep, NULL, true);
    if (problem)
        return answer_problem(a, problem);
    if (!json_is_boolean(json_object_get(rep, "enabled")))
        json_object_set_new(rep, "enabled", json_false());
    rc = check_actions(rep, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = user_create(a->change, a->realm, rep, false, &id, err);
    if (rc < 0)
        return rc;
    id = arena_str(a->arena, id);
    rc = admin_commit(a, err);
    if (rc < 0)
        return rc;
    admin_event(a, "CREATE", "USER", rep, "users/%.*s", STR_ARG(id));
    return admin_created(a, "%.*s", STR_ARG(id));
}

ADMIN(admin_get_user, MAY_QUERY_USERS)
{
    struct user u;
    bool otp = false, manage = admin_may(a, MAY_MANAGE_USERS);
    int rc = admin_find_user(a, &u, err);

    if (rc == 0 && !admin_may(a, MAY_VIEW_USERS))
        rc = admin_denied(err);
    if (rc == 0)
        rc = user_has_otp(model_of(a), a->realm, &u, &otp, err);
    if (rc < 0)
        return rc;
    json_t *rep = full_user(a, &u, false);
    json_object_set_new(rep, "totp", json_boolean(otp));
    if (admin_query_flag(a, "userProfileMetadata", false))
        json_object_set_new(rep, "userProfileMetadata", profile_metadata(a->realm));
    json_object_set_new(rep, "access",
                        json_pack("{s:b, s:b, s:b, s:b, s:b, s:b}", "manageGroupMembership", manage, "resetPassword",
                                  manage, "view", 1, "mapRoles", manage, "impersonate",
                                  admin_may(a, RIGHT_IMPERSONATION), "manage", manage));
    return admin_answer(a, rep);
}

ADMIN(admin_put_user, MAY_MANAGE_USERS)
{
    struct user u;
    json_t *rep, *problem;
    int rc = admin_find_user(a, &u, err);

    if (rc == 0)
        rc = admin_body(a, REP_USER, &rep, err);
    if (rc < 0)
        return rc;
    keep_settable(rep);
    json_object_del(rep, "groups");
    /* A name that can't be edited stays, as Keycloak's administrators find. */
    if (json_opt_bool(a->realm->rep, "registrationEmailAsUsername", false) && json_object_get(rep, "email"))
        json_put_str(rep, "username", json_opt_str(rep, "email", u.username));
    if (str_is_null(u.service_account_of)) {
        problem = profile_check(a->realm, rep, u.rep, true);
        if (problem)
            return answer_problem(a, problem);
    }
    rc = check_actions(rep, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = user_update(a->change, a->realm, u.id, rep, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "UPDATE", "USER", rep, "users/%.*s", STR_ARG(u.id));
    return rc;
}

ADMIN(admin_delete_user, MAY_MANAGE_USERS)
{
    struct user u;
    int rc = admin_find_user(a, &u, err);

    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = user_delete(a->change, a->realm, u.id, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        rc = sessions_forget_user(a->oidc->context->sessions, a->realm->id, u.id, err);
    if (rc == 0)
        admin_event(a, "DELETE", "USER", NULL, "users/%.*s", STR_ARG(u.id));
    return rc;
}

/* ---- credentials ---- */

ADMIN(admin_reset_password, MAY_MANAGE_USERS)
{
    struct user u;
    json_t *rep;
    int rc = admin_find_user(a, &u, err);

    if (rc == 0)
        rc = admin_body(a, REP_CREDENTIAL, &rep, err);
    if (rc < 0)
        return rc;
    struct str value = json_opt_str(rep, "value", STR(""));
    if (value.n == 0)
        return err_set_named(err, ERR_INVALID, "error", "No password provided");
    if (!str_eq(json_opt_str(rep, "type", STR("password")), STR("password")))
        return err_set_named(err, ERR_INVALID, "error", "Only credentials of type password can be set");
    rc = admin_begin(a, err);
    if (rc == 0)
        rc = user_change_password(a->change, a->realm, &u, value, json_opt_bool(rep, "temporary", false), err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "ACTION", "USER", NULL, "users/%.*s/reset-password", STR_ARG(u.id));
    return rc;
}

ADMIN(admin_list_credentials, MAY_VIEW_USERS)
{
    struct user u;
    struct user_credential *list;
    size_t n;
    int rc = admin_find_user(a, &u, err);

    if (rc == 0)
        rc = user_credentials(model_of(a), a->realm, a->arena, u.id, &list, &n, err);
    if (rc < 0)
        return rc;
    json_t *answer = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_object();
        json_put_str(one, "id", list[i].id);
        json_put_str(one, "type", list[i].type);
        if (!str_is_null(list[i].label))
            json_put_str(one, "userLabel", list[i].label);
        json_object_set_new(one, "createdDate", json_integer(list[i].created_ms));
        json_put_str(one, "credentialData", list[i].credential_data);
        json_array_append_new(answer, one);
    }
    return admin_answer(a, answer);
}

ADMIN(admin_delete_credential, MAY_MANAGE_USERS)
{
    struct user u;
    int rc = admin_find_user(a, &u, err);

    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = user_delete_credential(a->change, a->realm, u.id, admin_param(a, "credential"), err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "ACTION", "USER", NULL, "users/%.*s/credentials", STR_ARG(u.id));
    return rc;
}

ADMIN(admin_label_credential, MAY_MANAGE_USERS)
{
    struct user u;
    int rc = admin_find_user(a, &u, err);

    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = user_label_credential(a->change, a->realm, u.id, admin_param(a, "credential"), a->call->body, err);
    return rc < 0 ? rc : admin_commit(a, err);
}

/* PUT disable-credential-types, and the old remove-totp. */
ADMIN(admin_disable_credentials, MAY_MANAGE_USERS)
{
    struct user u;
    json_t *types;
    struct user_credential *list;
    size_t n;
    int rc = admin_find_user(a, &u, err);

    if (rc == 0)
        rc = admin_body_json(a, &types, err);
    if (rc == 0)
        rc = user_credentials(model_of(a), a->realm, a->arena, u.id, &list, &n, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (json_array_has(types, list[i].type))
            rc = user_delete_credential(a->change, a->realm, u.id, list[i].id, err);
    return rc < 0 ? rc : admin_commit(a, err);
}

ADMIN(admin_list_storage_credentials, MAY_VIEW_USERS)
{
    struct user u;
    int rc = admin_find_user(a, &u, err);
    return rc < 0 ? rc : admin_answer(a, json_array());
}

/* ---- groups ---- */

ADMIN(admin_list_user_groups, MAY_VIEW_USERS)
{
    struct user u;
    const struct group **groups;
    struct str search = admin_query(a, "search");
    bool brief = admin_query_flag(a, "briefRepresentation", true);
    int64_t first, max, skipped = 0;
    size_t n;
    int rc = admin_find_user(a, &u, err);

    if (rc == 0)
        rc = admin_paging(a, -1, &first, &max, err);
    if (rc == 0)
        rc = user_groups(model_of(a), a->realm, a->arena, &u, &groups, &n, err);
    if (rc < 0)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        if (!str_is_null(search) && str_find(groups[i]->name, search, 0) == SIZE_MAX)
            continue;
        if (skipped++ < first || (max >= 0 && (int64_t)json_array_size(list) >= max))
            continue;
        json_t *rep = group_rep(groups[i], brief);
        json_object_del(rep, "subGroupCount");
        json_array_append_new(list, rep);
    }
    return admin_answer(a, list);
}

ADMIN(admin_count_user_groups, MAY_VIEW_USERS)
{
    struct user u;
    const struct group **groups;
    size_t n;
    int rc = admin_find_user(a, &u, err);

    if (rc == 0)
        rc = user_groups(model_of(a), a->realm, a->arena, &u, &groups, &n, err);
    return rc < 0 ? rc : admin_answer(a, json_pack("{s:I}", "count", (json_int_t)n));
}

/* Joining gives the group's roles, so it asks for what giving them asks for. */
static int may_join(struct admin_call *a, const struct group *g, struct err *err)
{
    int rc = 0;

    for (const struct group *above = g; above; above = above->parent)
        for (size_t i = 0; rc == 0 && i < above->role_count; i++)
            rc = admin_may_give(a, above->roles[i], err);
    return rc;
}

static int change_membership(struct admin_call *a, bool join, struct err *err)
{
    struct user u;
    const struct group *g;
    int rc = admin_find_user(a, &u, err);

    if (rc == 0) {
        g = realm_group_by_id(a->realm, admin_param(a, "group"));
        if (!g)
            rc = err_set(err, ERR_NOT_FOUND, "Group not found");
    }
    if (rc == 0 && join)
        rc = may_join(a, g, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = join ? user_join_group(a->change, a->realm, u.id, g, err)
                  : user_leave_group(a->change, a->realm, u.id, g, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, join ? "CREATE" : "DELETE", "GROUP_MEMBERSHIP", NULL, "users/%.*s/groups/%.*s", STR_ARG(u.id),
                    STR_ARG(g->id));
    return rc;
}

ADMIN(admin_join_group, MAY_MANAGE_USERS)
{
    return change_membership(a, true, err);
}

ADMIN(admin_leave_group, MAY_MANAGE_USERS)
{
    return change_membership(a, false, err);
}

/* ---- what comes from elsewhere ---- */

ADMIN(admin_list_federated, MAY_VIEW_USERS)
{
    struct user u;
    int rc = admin_find_user(a, &u, err);
    json_t *links;

    if (rc < 0)
        return rc;
    links = json_object_get(u.rep, "federatedIdentities");
    return admin_answer(a, links ? json_incref(links) : json_array());
}

ADMIN(admin_add_federated, MAY_MANAGE_USERS)
{
    (void)a;
    return err_set(err, ERR_UNSUPPORTED,
                   "identity brokering is not supported: users can't be linked to other providers");
}

static json_t *scope_names(struct admin_call *a, const struct consent *c)
{
    json_t *names = json_array();

    for (size_t i = 0; i < c->scope_count; i++) {
        const struct client_scope *s = realm_scope_by_id(a->realm, c->scope_ids[i]);
        if (s)
            json_array_append_new(names, json_of(s->name));
    }
    return names;
}

ADMIN(admin_list_consents, MAY_VIEW_USERS)
{
    struct user u;
    struct consent *list;
    size_t n;
    int rc = admin_find_user(a, &u, err);

    if (rc == 0)
        rc = consent_list(identity_db(model_of(a)), a->realm, a->arena, u.id, &list, &n, err);
    if (rc < 0)
        return rc;
    json_t *answer = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct client *c = realm_client_by_id(a->realm, list[i].client_id);
        json_t *one = json_object();
        if (!c) {
            json_decref(one);
            continue;
        }
        json_put_str(one, "clientId", c->client_id);
        json_object_set_new(one, "grantedClientScopes", scope_names(a, &list[i]));
        json_object_set_new(one, "createdDate", json_integer(list[i].created_ms));
        json_object_set_new(one, "lastUpdatedDate", json_integer(list[i].updated_ms));
        json_object_set_new(one, "additionalGrants", json_array());
        json_array_append_new(answer, one);
    }
    return admin_answer(a, answer);
}

ADMIN(admin_revoke_consent, MAY_MANAGE_USERS)
{
    struct user u;
    const struct client *c;
    int rc = admin_find_user(a, &u, err);

    if (rc < 0)
        return rc;
    c = realm_client(a->realm, admin_param(a, "client-name"));
    if (!c)
        return err_set(err, ERR_NOT_FOUND, "Client not found");
    return consent_revoke(identity_db(model_of(a)), a->realm, u.id, c->id, err);
}

ADMIN(admin_send_email, MAY_MANAGE_USERS)
{
    struct user u;
    int rc = admin_find_user(a, &u, err);

    if (rc < 0)
        return rc;
    if (str_is_null(u.email))
        return err_set(err, ERR_INVALID, "User email missing");
    return err_set(err, ERR_UNSUPPORTED, "sending e-mail is not supported: give the user a temporary password");
}

ADMIN(admin_impersonate, MAY_ANY)
{
    if (!admin_may(a, RIGHT_IMPERSONATION))
        return admin_denied(err);
    return err_set(err, ERR_UNSUPPORTED, "impersonation is not supported");
}
