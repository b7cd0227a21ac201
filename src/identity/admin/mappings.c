/*
 * Role mappings of users and groups, and scope mappings of clients and client scopes: the same resource four times. What
 * is mapped to what is the path's; this file has one description of each and one set of handlers.
 */
#include "identity/admin/internal.h"

struct holder {
    enum { USER, GROUP, CLIENT_SCOPE_ROLES, SCOPE_ROLES } kind;
    struct user user;
    struct str id;
    const struct group *group;
    const struct client *client;
    const struct client_scope *scope;
    const struct role **roles; /* mapped to it directly */
    size_t n;
    const char *type; /* of the audit log */
};

static unsigned right_of(const struct admin_call *a, bool manage)
{
    if (admin_has_param(a, "user") || admin_has_param(a, "group"))
        return manage ? MAY_MANAGE_USERS : MAY_VIEW_USERS;
    return manage ? MAY_MANAGE_CLIENTS : MAY_VIEW_CLIENTS;
}

static int find_holder(struct admin_call *a, bool manage, struct holder *h, struct err *err)
{
    int rc;

    *h = (struct holder){.type = "REALM_ROLE_MAPPING"};
    if (!admin_may(a, right_of(a, manage)))
        return admin_denied(err);
    if (admin_has_param(a, "user")) {
        rc = admin_find_user(a, &h->user, err);
        h->kind = USER;
        h->id = h->user.id;
        return rc < 0 ? rc
                      : user_own_roles(a->oidc->context->model, a->realm, a->arena, &h->user, &h->roles, &h->n, err);
    }
    if (admin_has_param(a, "group")) {
        rc = admin_find_group(a, &h->group, err);
        if (rc < 0)
            return rc;
        h->kind = GROUP;
        h->id = h->group->id;
        h->roles = h->group->roles;
        h->n = h->group->role_count;
        return 0;
    }
    h->type = "REALM_SCOPE_MAPPING";
    if (admin_has_param(a, "scope")) {
        rc = admin_find_scope(a, &h->scope, err);
        if (rc < 0)
            return rc;
        h->kind = SCOPE_ROLES;
        h->id = h->scope->id;
        h->roles = h->scope->scope_roles;
        h->n = h->scope->scope_role_count;
        return 0;
    }
    rc = admin_find_client(a, &h->client, err);
    if (rc < 0)
        return rc;
    h->kind = CLIENT_SCOPE_ROLES;
    h->id = h->client->id;
    h->roles = h->client->scope_roles;
    h->n = h->client->scope_role_count;
    return 0;
}

/* The client whose roles the path is about; NULL: realm roles. */
static int find_container(struct admin_call *a, const struct client **ret, struct err *err)
{
    *ret = NULL;
    if (!admin_has_param(a, "of-client"))
        return 0;
    *ret = realm_client_by_id(a->realm, admin_param(a, "of-client"));
    return *ret ? 0 : err_set(err, ERR_NOT_FOUND, "Client not found");
}

/* All roles that the holder has, composites and parents' included. */
static int effective(struct admin_call *a, const struct holder *h, const struct role ***ret, size_t *ret_n,
                     struct err *err)
{
    size_t total = 0, n = 0;

    if (h->kind == USER)
        return user_roles(a->oidc->context->model, a->realm, a->arena, &h->user, ret, ret_n, err);
    if (h->kind != GROUP) {
        *ret_n = role_expand(a->realm, a->arena, h->roles, h->n, ret);
        return 0;
    }
    for (const struct group *g = h->group; g; g = g->parent)
        total += g->role_count;
    const struct role **all = (const struct role **)arena_array(a->arena, struct role *, total);
    for (const struct group *g = h->group; g; g = g->parent)
        for (size_t i = 0; i < g->role_count; i++)
            all[n++] = g->roles[i];
    *ret_n = role_expand(a->realm, a->arena, all, n, ret);
    return 0;
}

/* {"realmMappings": […], "clientMappings": {CLIENT: {"id", "client", "mappings": […]}}} */
ADMIN(admin_get_mappings, MAY_ANY)
{
    struct holder h;
    json_t *answer, *realm, *clients;
    int rc = find_holder(a, false, &h, err);

    if (rc < 0)
        return rc;
    answer = json_object();
    realm = admin_roles_of(a, h.roles, h.n, NULL, true);
    clients = json_object();
    for (size_t i = 0; i < h.n; i++) {
        const struct client *c = h.roles[i]->client;
        const char *key = c ? arena_cstr(a->arena, c->client_id) : NULL;
        if (!c || json_object_get(clients, key))
            continue;
        json_t *one = json_object();
        json_put_str(one, "id", c->id);
        json_put_str(one, "client", c->client_id);
        json_object_set_new(one, "mappings", admin_roles_of(a, h.roles, h.n, c, true));
        json_object_set_new(clients, key, one);
    }
    if (json_array_size(realm))
        json_object_set(answer, "realmMappings", realm);
    if (json_object_size(clients))
        json_object_set(answer, "clientMappings", clients);
    json_decref(realm);
    json_decref(clients);
    return admin_answer(a, answer);
}

ADMIN(admin_list_mapped, MAY_ANY)
{
    struct holder h;
    const struct client *c;
    int rc = find_holder(a, false, &h, err);

    if (rc == 0)
        rc = find_container(a, &c, err);
    return rc < 0 ? rc : admin_answer(a, admin_roles_of(a, h.roles, h.n, c, true));
}

ADMIN(admin_list_effective, MAY_ANY)
{
    struct holder h;
    const struct client *c;
    const struct role **all;
    size_t n;
    bool brief = admin_query_flag(a, "briefRepresentation", true);
    int rc = find_holder(a, false, &h, err);

    if (rc == 0)
        rc = find_container(a, &c, err);
    if (rc == 0)
        rc = effective(a, &h, &all, &n, err);
    return rc < 0 ? rc : admin_answer(a, admin_roles_of(a, all, n, c, brief));
}

/* What could be mapped: roles that aren't, and that the caller may give. */
ADMIN(admin_list_available, MAY_ANY)
{
    struct holder h;
    const struct client *c;
    int rc = find_holder(a, false, &h, err);

    if (rc == 0)
        rc = find_container(a, &c, err);
    if (rc < 0)
        return rc;
    const struct role *const *roles = c ? c->roles : a->realm->roles;
    size_t n = c ? c->role_count : a->realm->role_count;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        bool mapped = false;
        for (size_t k = 0; k < h.n; k++)
            mapped = mapped || h.roles[k] == roles[i];
        if (!mapped && ((h.kind != USER && h.kind != GROUP) || admin_may_give(a, roles[i], NULL) == 0))
            json_array_append_new(list, role_rep(a->realm, roles[i], true));
    }
    return admin_answer(a, list);
}

static int write_mapping(struct admin_call *a, const struct holder *h, const struct role *role, bool add,
                         struct err *err)
{
    static const enum realm_kind kinds[] = {
        [GROUP] = KIND_GROUP, [CLIENT_SCOPE_ROLES] = KIND_CLIENT, [SCOPE_ROLES] = KIND_SCOPE};
    int rc = 0;

    if (add && (h->kind == USER || h->kind == GROUP))
        rc = admin_may_give(a, role, err);
    if (rc < 0)
        return rc;
    if (h->kind == USER)
        return add ? user_add_role(a->change, a->realm, h->id, role, err)
                   : user_remove_role(a->change, a->realm, h->id, role, err);
    return draft_link(a->draft, kinds[h->kind], h->id, "$roles", role->id, add, err);
}

static int change_mappings(struct admin_call *a, bool add, struct err *err)
{
    struct holder h;
    const struct client *c;
    const struct role **roles;
    json_t *list;
    size_t n;
    int rc = find_holder(a, true, &h, err);

    if (rc == 0)
        rc = find_container(a, &c, err);
    if (rc == 0 && !add && a->call->body.n == 0) { /* DELETE without a body: all of them */
        list = json_keep(a->arena, admin_roles_of(a, h.roles, h.n, c, true));
    } else if (rc == 0) {
        rc = admin_body_list(a, REP_ROLE, &list, err);
    }
    if (rc == 0)
        rc = admin_named_roles(a, list, false, c, &roles, &n, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = write_mapping(a, &h, roles[i], add, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, add ? "CREATE" : "DELETE", h.type, NULL, "%s/%.*s/role-mappings",
                    h.kind == USER    ? "users"
                    : h.kind == GROUP ? "groups"
                                      : "scope-mappings",
                    STR_ARG(h.id));
    return rc;
}

ADMIN(admin_add_mappings, MAY_ANY)
{
    return change_mappings(a, true, err);
}

ADMIN(admin_remove_mappings, MAY_ANY)
{
    return change_mappings(a, false, err);
}

/* GET clients/{client}/evaluate-scopes/scope-mappings/{container}/granted: the roles that tokens with this scope may have. */
static int list_evaluated(struct admin_call *a, bool granted, struct err *err)
{
    const struct client *c, *of = NULL;
    struct token_scope scope;
    const struct role **in_scope;
    size_t n = 0, total;
    int rc = admin_find_client(a, &c, err);

    if (rc == 0)
        rc = token_scope_resolve(a->realm, c, a->arena, admin_query(a, "scope"), &scope, err);
    if (rc < 0)
        return rc;
    struct str container = admin_param(a, "container");
    if (!str_eq(container, a->realm->name) && !str_eq(container, a->realm->id)) {
        of = realm_client_by_id(a->realm, container);
        if (!of)
            return err_set(err, ERR_NOT_FOUND, "Role Container not found");
    }
    total = c->role_count + c->scope_role_count;
    for (size_t i = 0; i < scope.n; i++)
        total += scope.scopes[i]->scope_role_count;
    const struct role **all = (const struct role **)arena_array(a->arena, struct role *, total);
    for (size_t i = 0; i < c->role_count; i++)
        all[n++] = c->roles[i];
    for (size_t i = 0; i < c->scope_role_count; i++)
        all[n++] = c->scope_roles[i];
    for (size_t i = 0; i < scope.n; i++)
        for (size_t k = 0; k < scope.scopes[i]->scope_role_count; k++)
            all[n++] = scope.scopes[i]->scope_roles[k];
    n = role_expand(a->realm, a->arena, all, n, &in_scope);

    const struct role *const *roles = of ? of->roles : a->realm->roles;
    size_t role_count = of ? of->role_count : a->realm->role_count;
    json_t *list = json_array();
    for (size_t i = 0; i < role_count; i++) {
        bool has = c->full_scope;
        for (size_t k = 0; k < n; k++)
            has = has || in_scope[k] == roles[i];
        if (has == granted)
            json_array_append_new(list, role_rep(a->realm, roles[i], true));
    }
    return admin_answer(a, list);
}

ADMIN(admin_list_granted, MAY_VIEW_CLIENTS)
{
    return list_evaluated(a, true, err);
}

ADMIN(admin_list_not_granted, MAY_VIEW_CLIENTS)
{
    return list_evaluated(a, false, err);
}
