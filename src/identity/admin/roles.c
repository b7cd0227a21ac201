/* Roles of the realm and of clients, by name and by id; their composites, and who has them. */
#include "identity/admin/internal.h"

static unsigned manage_right(const struct role *role)
{
    return role->client ? MAY_MANAGE_CLIENTS : MAY_MANAGE_REALM;
}

static const char *type_of(const struct role *role)
{
    return role->client ? "CLIENT_ROLE" : "REALM_ROLE";
}

static bool contains_nocase(struct str s, struct str part)
{
    for (size_t i = 0; i + part.n <= s.n; i++)
        if (str_eq_nocase(str_slice(s, i, part.n), part))
            return true;
    return false;
}

ADMIN(admin_list_roles, MAY_LIST_ROLES)
{
    const struct client *c = NULL;
    struct str search = admin_query(a, "search");
    bool brief = admin_query_flag(a, "briefRepresentation", true);
    int64_t first, max, skipped = 0;
    int rc = admin_paging(a, -1, &first, &max, err);

    if (rc == 0 && admin_has_param(a, "client"))
        rc = admin_find_client(a, &c, err);
    if (rc < 0)
        return rc;
    const struct role *const *roles = c ? c->roles : a->realm->roles;
    size_t n = c ? c->role_count : a->realm->role_count;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        struct str description = json_opt_str(roles[i]->rep, "description", STR(""));
        if (!str_is_null(search) && !contains_nocase(roles[i]->name, search) && !contains_nocase(description, search))
            continue;
        if (skipped++ < first)
            continue;
        if (max >= 0 && (int64_t)json_array_size(list) >= max)
            break;
        json_array_append_new(list, role_rep(a->realm, roles[i], brief));
    }
    return admin_answer(a, list);
}

ADMIN(admin_create_role, MAY_ANY)
{
    const struct client *c = NULL;
    json_t *rep;
    struct str id;
    int rc = 0;

    if (!admin_may(a, admin_has_param(a, "client") ? MAY_MANAGE_CLIENTS : MAY_MANAGE_REALM))
        return admin_denied(err);
    if (admin_has_param(a, "client"))
        rc = admin_find_client(a, &c, err);
    if (rc == 0)
        rc = admin_body(a, REP_ROLE, &rep, err);
    if (rc == 0 && json_opt_str(rep, "name", STR("")).n == 0)
        rc = err_set_named(err, ERR_INVALID, "error", "role has no name");
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = role_create(a->draft, c ? c->id : STR_NULL, rep, false, &id, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc < 0)
        return rc;
    BUF_SCOPED struct buf path;
    buf_init(&path, 1024);
    enc_percent(&path, json_opt_str(rep, "name", STR("")), false);
    admin_event(a, "CREATE", c ? "CLIENT_ROLE" : "REALM_ROLE", rep, "roles/%s", buf_cstr(&path));
    return admin_created(a, "%s", buf_cstr(&path));
}

ADMIN(admin_get_role, MAY_ANY)
{
    const struct role *role;
    int rc;

    if (!admin_may(a, MAY_LIST_ROLES))
        return admin_denied(err);
    rc = admin_find_role(a, &role, err);
    return rc < 0 ? rc : admin_answer(a, role_rep(a->realm, role, false));
}

ADMIN(admin_put_role, MAY_ANY)
{
    const struct role *role;
    json_t *rep;
    int rc = admin_find_role(a, &role, err);

    if (rc == 0 && !admin_may(a, manage_right(role)))
        rc = admin_denied(err);
    if (rc == 0)
        rc = admin_body(a, REP_ROLE, &rep, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = role_update(a->draft, role->id, rep, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "UPDATE", type_of(role), rep, "roles-by-id/%.*s", STR_ARG(role->id));
    return rc;
}

ADMIN(admin_delete_role, MAY_ANY)
{
    const struct role *role;
    int rc = admin_find_role(a, &role, err);

    if (rc == 0 && !admin_may(a, manage_right(role)))
        rc = admin_denied(err);
    if (rc == 0 && role == a->realm->default_role)
        rc = err_set(err, ERR_INVALID, "%.*s is default role of the realm and cannot be removed.", STR_ARG(role->name));
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = draft_delete(a->draft, KIND_ROLE, role->id, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "DELETE", type_of(role), NULL, "roles-by-id/%.*s", STR_ARG(role->id));
    return rc;
}

/* ---- composites ---- */

static int list_composites(struct admin_call *a, bool of_realm, bool of_client, const struct client *c, struct err *err)
{
    const struct role *role;
    json_t *list;
    int rc;

    if (!admin_may(a, MAY_LIST_ROLES))
        return admin_denied(err);
    rc = admin_find_role(a, &role, err);
    if (rc < 0)
        return rc;
    list = json_array();
    for (size_t i = 0; i < role->composite_count; i++) {
        const struct role *part = role->composites[i];
        if ((of_realm && !part->client) || (of_client && part->client && (!c || part->client == c)))
            json_array_append_new(list, role_rep(a->realm, part, true));
    }
    return admin_answer(a, list);
}

ADMIN(admin_list_composites, MAY_ANY)
{
    return list_composites(a, true, true, NULL, err);
}

ADMIN(admin_list_realm_composites, MAY_ANY)
{
    return list_composites(a, true, false, NULL, err);
}

ADMIN(admin_list_client_composites, MAY_ANY)
{
    const struct client *c = realm_client_by_id(a->realm, admin_param(a, "part-client"));

    return c ? list_composites(a, false, true, c, err) : err_set(err, ERR_NOT_FOUND, "Could not find client");
}

static int change_composites(struct admin_call *a, bool add, struct err *err)
{
    const struct role *role, **parts;
    json_t *list;
    size_t n;
    int rc = admin_find_role(a, &role, err);

    if (rc == 0 && !admin_may(a, manage_right(role)))
        rc = admin_denied(err);
    if (rc == 0)
        rc = admin_body_list(a, REP_ROLE, &list, err);
    if (rc == 0)
        rc = admin_named_roles(a, list, true, NULL, &parts, &n, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (add)
            rc = admin_may_give(a, parts[i], err);
        if (rc == 0)
            rc = draft_link(a->draft, KIND_ROLE, role->id, "$parts", parts[i]->id, add, err);
    }
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, add ? "CREATE" : "DELETE", type_of(role), NULL, "roles-by-id/%.*s/composites",
                    STR_ARG(role->id));
    return rc;
}

ADMIN(admin_add_composites, MAY_ANY)
{
    return change_composites(a, true, err);
}

ADMIN(admin_remove_composites, MAY_ANY)
{
    return change_composites(a, false, err);
}

/* ---- who has a role ---- */

ADMIN(admin_list_role_users, MAY_VIEW_USERS)
{
    const struct role *role;
    struct user_query q = {.with_service_accounts = true};
    struct user *users;
    size_t n;
    int rc = admin_find_role(a, &role, err);

    if (rc == 0)
        rc = admin_paging(a, 100, &q.first, &q.max, err);
    if (rc < 0)
        return rc;
    q.role_id = role->id;
    rc = user_search(a->oidc->context->model, a->realm, a->arena, &q, &users, &n, err);
    if (rc < 0)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append(list, users[i].rep);
    return admin_answer(a, list);
}

ADMIN(admin_list_role_groups, MAY_VIEW_USERS)
{
    const struct role *role;
    bool brief = admin_query_flag(a, "briefRepresentation", true);
    int64_t first, max, skipped = 0;
    int rc = admin_find_role(a, &role, err);

    if (rc == 0)
        rc = admin_paging(a, 100, &first, &max, err);
    if (rc < 0)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < a->realm->group_count; i++) {
        const struct group *g = a->realm->groups[i];
        bool has = false;
        for (size_t k = 0; k < g->role_count; k++)
            has = has || g->roles[k] == role;
        if (has && skipped++ >= first && (max < 0 || (int64_t)json_array_size(list) < max))
            json_array_append_new(list, group_rep(g, brief));
    }
    return admin_answer(a, list);
}
