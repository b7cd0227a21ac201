/* Groups: the tree, searching in it, members. */
#include "identity/admin/internal.h"

static json_t *access_of(struct admin_call *a)
{
    bool manage = admin_may(a, MAY_MANAGE_USERS), view = admin_may(a, MAY_VIEW_USERS);

    return json_pack("{s:b, s:b, s:b, s:b, s:b}", "view", view, "viewMembers", view, "manageMembers", manage, "manage",
                     manage, "manageMembership", manage);
}

static json_t *full_group(struct admin_call *a, const struct group *g, bool brief)
{
    json_t *rep = group_rep(g, brief);

    json_object_set_new(rep, "access", access_of(a));
    return rep;
}

static bool is_match(const struct group *g, struct str search, bool exact)
{
    if (exact)
        return str_eq(g->name, search);
    for (size_t i = 0; i + search.n <= g->name.n; i++)
        if (str_eq_nocase(str_slice(g->name, i, search.n), search))
            return true;
    return false;
}

/* q=key:value … over attributes. */
static bool has_attributes(struct admin_call *a, const struct group *g, struct str q)
{
    struct str rest = q, part;

    if (str_is_null(q))
        return true;
    while (str_split(&rest, ' ', &part)) {
        size_t colon = str_find_char(part, ':', 0);
        if (colon == SIZE_MAX)
            continue;
        const json_t *attributes = json_object_get(g->rep, "attributes");
        const json_t *values = json_object_get(attributes, arena_cstr(a->arena, str_slice(part, 0, colon)));
        if (!json_array_has(values, str_skip(part, colon + 1)))
            return false;
    }
    return true;
}

struct search {
    struct str text, q;
    bool exact, brief, hierarchy;
};

static bool is_found(struct admin_call *a, const struct group *g, const struct search *s)
{
    return (str_is_null(s->text) || is_match(g, s->text, s->exact)) && has_attributes(a, g, s->q);
}

/* The group when it or one below it is found, with the found ones below in it; else NULL. */
static json_t *found_tree(struct admin_call *a, const struct group *g, const struct search *s)
{
    bool here = is_found(a, g, s);
    json_t *subs = json_array(), *rep = NULL;

    for (size_t i = 0; i < g->child_count; i++) {
        json_t *sub = found_tree(a, g->children[i], s);
        if (sub)
            json_array_append_new(subs, sub);
    }
    if (here || json_array_size(subs)) {
        rep = full_group(a, g, s->brief);
        if (s->hierarchy)
            json_object_set(rep, "subGroups", subs);
    }
    json_decref(subs);
    return rep;
}

ADMIN(admin_list_groups, MAY_QUERY_GROUPS)
{
    struct search s = {
        .text = admin_query(a, "search"),
        .q = admin_query(a, "q"),
        .exact = admin_query_flag(a, "exact", false),
        .brief = admin_query_flag(a, "briefRepresentation", true),
        .hierarchy = admin_query_flag(a, "populateHierarchy", true),
    };
    bool searching = !str_is_null(s.text) || !str_is_null(s.q);
    int64_t first, max, skipped = 0;
    int rc = admin_paging(a, -1, &first, &max, err);

    if (rc < 0)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < a->realm->group_count; i++) {
        const struct group *g = a->realm->groups[i];
        if (g->parent)
            continue;
        json_t *rep = searching ? found_tree(a, g, &s) : full_group(a, g, s.brief);
        if (!rep)
            continue;
        if (skipped++ < first || (max >= 0 && (int64_t)json_array_size(list) >= max))
            json_decref(rep);
        else
            json_array_append_new(list, rep);
    }
    return admin_answer(a, list);
}

ADMIN(admin_count_groups, MAY_QUERY_GROUPS)
{
    struct search s = {.text = admin_query(a, "search")};
    bool top = admin_query_flag(a, "top", false);
    int64_t n = 0;

    (void)err;
    for (size_t i = 0; i < a->realm->group_count; i++)
        n += is_found(a, a->realm->groups[i], &s) && !(top && a->realm->groups[i]->parent);
    return admin_answer(a, json_pack("{s:I}", "count", (json_int_t)n));
}

static int create_group(struct admin_call *a, const struct group *parent, struct err *err)
{
    json_t *rep;
    struct str id, given;
    const struct group *g;
    bool moves;
    int rc = admin_body(a, REP_GROUP, &rep, err);

    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc < 0)
        return rc;
    given = json_opt_str(rep, "id", STR_NULL);
    moves = !str_is_null(given) && realm_group_by_id(a->realm, given);
    if (moves) { /* Keycloak moves a group that is given to another parent */
        id = given;
        rc = group_move(a->draft, given, parent ? parent->id : STR_NULL, err);
    } else {
        rc = group_create(a->draft, parent ? parent->id : STR_NULL, rep, false, &id, err);
    }
    if (rc < 0)
        return rc;
    id = arena_str(a->arena, id);
    rc = admin_commit(a, err);
    if (rc < 0)
        return rc;
    admin_event(a, moves ? "UPDATE" : "CREATE", "GROUP", rep, "groups/%.*s", STR_ARG(id));
    if (!parent)
        return moves ? 0 : admin_created(a, "%.*s", STR_ARG(id));
    if (moves)
        return 0;
    g = realm_group_by_id(a->realm, id);
    json_t *answer = full_group(a, g, false);
    json_object_del(answer, "subGroupCount");
    admin_answer(a, answer);
    a->status = 201;
    struct str realm = a->realm->name;
    a->location = arena_printf(a->arena, "%.*s/admin/realms/%.*s/groups/%.*s", STR_ARG(a->base_url), STR_ARG(realm),
                               STR_ARG(id));
    return 0;
}

ADMIN(admin_create_group, MAY_MANAGE_USERS)
{
    return create_group(a, NULL, err);
}

ADMIN(admin_create_subgroup, MAY_MANAGE_USERS)
{
    const struct group *g;
    int rc = admin_find_group(a, &g, err);
    return rc < 0 ? rc : create_group(a, g, err);
}

ADMIN(admin_get_group, MAY_QUERY_GROUPS)
{
    const struct group *g;
    int rc = admin_find_group(a, &g, err);
    return rc < 0 ? rc : admin_answer(a, full_group(a, g, false));
}

ADMIN(admin_get_group_by_path, MAY_QUERY_GROUPS)
{
    struct str path = admin_param(a, "path");
    const struct group *g;

    if (path.n == 0 || path.p[0] != '/')
        path = arena_printf(a->arena, "/%.*s", STR_ARG(path));
    g = realm_group_by_path(a->realm, path);
    if (!g)
        return err_set(err, ERR_NOT_FOUND, "Group path does not exist");
    return admin_answer(a, group_rep(g, false));
}

ADMIN(admin_put_group, MAY_MANAGE_USERS)
{
    const struct group *g;
    json_t *rep;
    int rc = admin_find_group(a, &g, err);

    if (rc == 0)
        rc = admin_body(a, REP_GROUP, &rep, err);
    if (rc == 0 && str_trim(json_opt_str(rep, "name", STR(""))).n == 0)
        rc = err_set(err, ERR_INVALID, "Group name is missing");
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = group_update(a->draft, g->id, rep, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "UPDATE", "GROUP", rep, "groups/%.*s", STR_ARG(g->id));
    return rc;
}

ADMIN(admin_delete_group, MAY_MANAGE_USERS)
{
    const struct group *g;
    int rc = admin_find_group(a, &g, err);

    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = draft_delete(a->draft, KIND_GROUP, g->id, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "DELETE", "GROUP", NULL, "groups/%.*s", STR_ARG(g->id));
    return rc;
}

ADMIN(admin_list_subgroups, MAY_QUERY_GROUPS)
{
    const struct group *g;
    struct search s = {.text = admin_query(a, "search"), .exact = admin_query_flag(a, "exact", false)};
    bool brief = admin_query_flag(a, "briefRepresentation", false);
    int64_t first, max, skipped = 0;
    int rc = admin_paging(a, 10, &first, &max, err);

    if (rc == 0)
        rc = admin_find_group(a, &g, err);
    if (rc < 0)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < g->child_count; i++)
        if (is_found(a, g->children[i], &s) && skipped++ >= first && (max < 0 || (int64_t)json_array_size(list) < max))
            json_array_append_new(list, full_group(a, g->children[i], brief));
    return admin_answer(a, list);
}

ADMIN(admin_list_members, MAY_VIEW_USERS)
{
    const struct group *g;
    struct user_query q = {.with_service_accounts = true};
    struct user *users;
    size_t n;
    int rc = admin_find_group(a, &g, err);

    if (rc == 0)
        rc = admin_paging(a, 100, &q.first, &q.max, err);
    if (rc < 0)
        return rc;
    q.group_id = g->id;
    rc = user_search(a->oidc->context->model, a->realm, a->arena, &q, &users, &n, err);
    if (rc < 0)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append(list, users[i].rep);
    return admin_answer(a, list);
}
