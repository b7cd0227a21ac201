/* Partial import and export. */
#include "identity/admin/internal.h"

ADMIN(admin_partial_export, MAY_ANY)
{
    bool clients = admin_query_flag(a, "exportClients", false);
    bool groups_and_roles = admin_query_flag(a, "exportGroupsAndRoles", false);

    if (!admin_may(a, MAY_MANAGE_REALM) || (clients && !admin_may(a, MAY_VIEW_CLIENTS)) ||
        (groups_and_roles && !admin_may(a, MAY_VIEW_USERS)))
        return admin_denied(err);
    json_t *rep = json_keep(a->arena, realm_export(a->realm, clients, groups_and_roles, false));
    int rc = clients ? realm_export_service_accounts(a->oidc->context->model, a->realm, a->arena, rep, err) : 0;
    a->content_type = "application/json";
    return rc < 0 ? rc : admin_answer(a, json_incref(rep));
}

/* ---- import ---- */

enum policy { FAIL, SKIP, OVERWRITE };

struct partial {
    struct admin_call *a;
    enum policy policy;
    json_t *results;
    json_t *added; /* a RealmRepresentation of what was made, for linking names */
    int64_t n_added, n_skipped, n_overwritten;
};

static void note(struct partial *p, const char *action, const char *type, struct str name, struct str id)
{
    json_t *one = json_object();

    json_object_set_new(one, "action", json_string(action));
    json_object_set_new(one, "resourceType", json_string(type));
    json_put_str(one, "resourceName", name);
    json_put_str(one, "id", id);
    json_array_append_new(p->results, one);
}

/* What becomes of one that is there: *ret_make false: it stays as it is. */
static int meet(struct partial *p, const char *type, const char *what, struct str name, struct str id, bool *ret_make,
                struct err *err)
{
    switch (p->policy) {
    case FAIL:
        return err_set(err, ERR_EXISTS, "%s '%.*s' already exists.", what, STR_ARG(name));
    case SKIP:
        p->n_skipped++;
        note(p, "SKIPPED", type, name, id);
        *ret_make = false;
        return 0;
    default:
        *ret_make = true;
        return 0;
    }
}

static void made(struct partial *p, bool was_there, const char *type, struct str name, struct str id)
{
    if (was_there)
        p->n_overwritten++;
    else
        p->n_added++;
    note(p, was_there ? "OVERWRITTEN" : "ADDED", type, name, id);
}

static struct str own(struct partial *p, struct str s)
{
    return arena_str(p->a->arena, s);
}

static int import_clients(struct partial *p, const json_t *list, struct err *err)
{
    struct admin_call *a = p->a;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        const json_t *rep = json_array_get(list, i);
        struct str name = json_opt_str(rep, "clientId", STR("")), id;
        const json_t *there = draft_find(a->draft, KIND_CLIENT, "clientId", name, NULL, STR_NULL);
        bool make = true;
        if (there) {
            id = own(p, json_opt_str(there, "id", STR("")));
            rc = meet(p, "CLIENT", "Client id", name, id, &make, err);
            if (rc == 0 && make)
                rc = draft_delete(a->draft, KIND_CLIENT, id, err);
        }
        if (rc < 0 || !make)
            continue;
        rc = client_create(a->change, a->draft, rep, &id, err);
        if (rc == 0) {
            id = own(p, id);
            rc = client_sync_service_account(a->change, a->draft, id, err);
        }
        if (rc == 0)
            made(p, there != NULL, "CLIENT", name, id);
    }
    return rc;
}

static json_t *member(json_t *object, const char *key, bool array)
{
    json_t *v = json_object_get(object, key);

    if (!v) {
        v = array ? json_array() : json_object();
        json_object_set_new(object, key, v);
    }
    return v;
}

static int import_role_list(struct partial *p, struct str client, const json_t *list, const char *type, json_t *added,
                            struct err *err)
{
    struct admin_call *a = p->a;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        json_t *rep = json_array_get(list, i);
        struct str name = json_opt_str(rep, "name", STR("")), id = STR_NULL;
        const json_t *there = draft_find(a->draft, KIND_ROLE, "name", name, "$client", client);
        bool make = true;
        rc = represent_check(rep, REP_ROLE, err);
        if (rc == 0 && there) {
            id = own(p, json_opt_str(there, "id", STR("")));
            rc = meet(p, type, str_is_null(client) ? "Realm role" : "Client role", name, id, &make, err);
            if (rc == 0 && make)
                rc = draft_delete(a->draft, KIND_ROLE, id, err);
        }
        if (rc < 0 || !make)
            continue;
        bool taken = draft_get(a->draft, KIND_ROLE, json_opt_str(rep, "id", STR(""))) != NULL;
        rc = role_create(a->draft, client, rep, !taken, &id, err);
        if (rc == 0) {
            made(p, there != NULL, type, name, own(p, id));
            json_array_append(added, rep);
        }
    }
    return rc;
}

static int import_roles(struct partial *p, const json_t *roles, struct err *err)
{
    json_t *added = member(p->added, "roles", false), *list;
    const char *key;
    int rc = import_role_list(p, STR_NULL, json_object_get(roles, "realm"), "REALM_ROLE", member(added, "realm", true),
                              err);

    json_object_foreach(json_object_get(roles, "client"), key, list)
    {
        const json_t *client = draft_find(p->a->draft, KIND_CLIENT, "clientId", str_from_cstr(key), NULL, STR_NULL);
        if (rc < 0)
            break;
        if (!client)
            return err_set(err, ERR_INVALID, "Can not import client roles for nonexistent client named %s", key);
        rc = import_role_list(p, own(p, json_opt_str(client, "id", STR(""))), list, "CLIENT_ROLE",
                              member(member(added, "client", false), key, true), err);
    }
    return rc;
}

static int import_group_tree(struct partial *p, struct str parent, const json_t *rep, int depth, struct str *ret_id,
                             struct err *err)
{
    struct admin_call *a = p->a;
    const json_t *subs = json_object_get(rep, "subGroups");
    bool taken = draft_get(a->draft, KIND_GROUP, json_opt_str(rep, "id", STR(""))) != NULL;
    int rc;

    if (depth > 30)
        return err_set(err, ERR_INVALID, "groups have at most 30 levels");
    rc = group_create(a->draft, parent, rep, !taken, ret_id, err);
    if (rc < 0)
        return rc;
    *ret_id = own(p, *ret_id);
    for (size_t i = 0; rc == 0 && i < json_array_size(subs); i++) {
        struct str id;
        rc = import_group_tree(p, *ret_id, json_array_get(subs, i), depth + 1, &id, err);
    }
    return rc;
}

static int import_groups(struct partial *p, const json_t *list, struct err *err)
{
    struct admin_call *a = p->a;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        json_t *rep = json_array_get(list, i);
        struct str name = json_opt_str(rep, "name", STR("")), id;
        const json_t *there = draft_find(a->draft, KIND_GROUP, "name", name, "$parent", STR_NULL);
        bool make = true;
        if (there) {
            id = own(p, json_opt_str(there, "id", STR("")));
            rc = meet(p, "GROUP", "Group", name, id, &make, err);
            if (rc == 0 && make)
                rc = draft_delete(a->draft, KIND_GROUP, id, err);
        }
        if (rc < 0 || !make)
            continue;
        rc = import_group_tree(p, STR_NULL, rep, 0, &id, err);
        if (rc == 0) {
            made(p, there != NULL, "GROUP", name, id);
            json_array_append(member(p->added, "groups", true), rep);
        }
    }
    return rc;
}

static int import_users(struct partial *p, const json_t *list, struct err *err)
{
    struct admin_call *a = p->a;
    struct identity *model = a->oidc->context->model;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        const json_t *rep = json_array_get(list, i);
        struct str name = json_opt_str(rep, "username", STR("")), id;
        struct user there;
        bool make = true, found;
        rc = user_by_name(model, a->realm, a->arena, name, &there, err);
        found = rc == 0;
        if (rc == ERR_NOT_FOUND)
            rc = 0;
        if (found) {
            rc = meet(p, "USER", "User", name, there.id, &make, err);
            if (rc == 0 && make)
                rc = user_delete(a->change, a->realm, there.id, err);
        }
        if (rc < 0 || !make)
            continue;
        rc = user_create(a->change, a->realm, rep, true, &id, err);
        if (rc == 0)
            made(p, found, "USER", name, own(p, id));
    }
    return rc;
}

static int read_policy(const json_t *rep, enum policy *ret, struct err *err)
{
    struct str text = json_opt_str(rep, "ifResourceExists", STR("FAIL"));

    *ret = str_eq(text, STR("SKIP")) ? SKIP : str_eq(text, STR("OVERWRITE")) ? OVERWRITE : FAIL;
    if (*ret == FAIL && !str_eq(text, STR("FAIL")))
        return err_set_named(err, ERR_INVALID, "unknown_error",
                             "Cannot parse the JSON: ifResourceExists is FAIL, SKIP or OVERWRITE");
    return 0;
}

/* Roles that let into administration come only from somebody who has them: as admin_may_give, for users of an import. */
static int check_given(struct admin_call *a, const json_t *users, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(users); i++) {
        const json_t *u = json_array_get(users, i), *realm_roles = json_object_get(u, "realmRoles");
        json_t *list;
        const char *key;
        for (size_t k = 0; rc == 0 && k < json_array_size(realm_roles); k++) {
            const struct role *role = realm_role(a->realm, json_str(json_array_get(realm_roles, k)));
            rc = role ? admin_may_give(a, role, err) : 0;
        }
        json_object_foreach(json_object_get(u, "clientRoles"), key, list)
        {
            const struct client *c = realm_client(a->realm, str_from_cstr(key));
            for (size_t k = 0; rc == 0 && c && k < json_array_size(list); k++) {
                const struct role *role = client_role(c, json_str(json_array_get(list, k)));
                rc = role ? admin_may_give(a, role, err) : 0;
            }
        }
    }
    return rc;
}

/* The same for what the import makes: a role that is composed of such roles, a group that has them. */
static int check_made(struct admin_call *a, const json_t *added, struct err *err)
{
    const json_t *roles = json_object_get(added, "roles"), *of_realm = json_object_get(roles, "realm");
    const json_t *groups = json_object_get(added, "groups");
    json_t *list;
    const char *key;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(of_realm); i++) {
        const struct role *role = realm_role(a->realm, json_opt_str(json_array_get(of_realm, i), "name", STR("")));
        rc = role ? admin_may_give(a, role, err) : 0;
    }
    json_object_foreach(json_object_get(roles, "client"), key, list)
    {
        const struct client *c = realm_client(a->realm, str_from_cstr(key));
        for (size_t i = 0; rc == 0 && c && i < json_array_size(list); i++) {
            const struct role *role = client_role(c, json_opt_str(json_array_get(list, i), "name", STR("")));
            rc = role ? admin_may_give(a, role, err) : 0;
        }
    }
    for (size_t i = 0; rc == 0 && json_array_size(groups) && i < a->realm->group_count; i++)
        for (size_t k = 0; rc == 0 && k < a->realm->groups[i]->role_count; k++)
            rc = admin_may_give(a, a->realm->groups[i]->roles[k], err);
    return rc;
}

ADMIN(admin_partial_import, MAY_MANAGE_REALM)
{
    struct partial p = {
        .a = a, .results = json_keep(a->arena, json_array()), .added = json_keep(a->arena, json_object())};
    json_t *rep;
    int rc = admin_body(a, REP_PARTIAL_IMPORT, &rep, err);

    if (rc == 0)
        rc = read_policy(rep, &p.policy, err);
    if (rc == 0 && json_array_size(json_object_get(rep, "identityProviders")))
        rc = err_set(err, ERR_UNSUPPORTED, "identity brokering is not supported: identity providers can't be imported");
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = import_clients(&p, json_object_get(rep, "clients"), err);
    if (rc == 0)
        rc = import_roles(&p, json_object_get(rep, "roles"), err);
    if (rc == 0)
        rc = import_groups(&p, json_object_get(rep, "groups"), err);
    if (rc == 0)
        rc = realm_link_added(a->draft, p.added, err);
    if (rc < 0)
        return rc;
    admin_refresh(a);
    rc = check_made(a, p.added, err);
    if (rc == 0)
        rc = check_given(a, json_object_get(rep, "users"), err);
    if (rc == 0)
        rc = import_users(&p, json_object_get(rep, "users"), err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc < 0)
        return rc;
    admin_event(a, "CREATE", "REALM", NULL, "partialImport");
    return admin_answer(a, json_pack("{s:I, s:I, s:I, s:O}", "overwritten", (json_int_t)p.n_overwritten, "added",
                                     (json_int_t)p.n_added, "skipped", (json_int_t)p.n_skipped, "results", p.results));
}
