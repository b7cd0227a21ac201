/* Client scopes, and the protocol mappers of scopes and clients. */
#include "identity/admin/internal.h"

ADMIN(admin_list_scopes, MAY_VIEW_CLIENTS)
{
    json_t *list = json_array();

    (void)err;
    for (size_t i = 0; i < a->realm->scope_count; i++)
        json_array_append_new(list, scope_rep(a->realm->scopes[i]));
    return admin_answer(a, list);
}

ADMIN(admin_create_scope, MAY_MANAGE_CLIENTS)
{
    json_t *rep;
    struct str id;
    int rc = admin_body(a, REP_SCOPE, &rep, err);

    if (rc == 0 && str_is_null(json_opt_str(rep, "protocol", STR_NULL)))
        rc = err_set(err, ERR_INVALID, "Unexpected protocol");
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = scope_create(a->draft, rep, &id, err);
    if (rc < 0)
        return rc;
    id = arena_str(a->arena, id);
    rc = admin_commit(a, err);
    if (rc < 0)
        return rc;
    admin_event(a, "CREATE", "CLIENT_SCOPE", rep, "client-scopes/%.*s", STR_ARG(id));
    return admin_created(a, "%.*s", STR_ARG(id));
}

ADMIN(admin_get_scope, MAY_VIEW_CLIENTS)
{
    const struct client_scope *s;
    int rc = admin_find_scope(a, &s, err);
    return rc < 0 ? rc : admin_answer(a, scope_rep(s));
}

ADMIN(admin_put_scope, MAY_MANAGE_CLIENTS)
{
    const struct client_scope *s;
    json_t *rep;
    int rc = admin_find_scope(a, &s, err);

    if (rc == 0)
        rc = admin_body(a, REP_SCOPE, &rep, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = scope_update(a->draft, s->id, rep, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "UPDATE", "CLIENT_SCOPE", rep, "client-scopes/%.*s", STR_ARG(s->id));
    return rc;
}

ADMIN(admin_delete_scope, MAY_MANAGE_CLIENTS)
{
    const struct client_scope *s;
    int rc = admin_find_scope(a, &s, err);

    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = draft_delete(a->draft, KIND_SCOPE, s->id, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "DELETE", "CLIENT_SCOPE", NULL, "client-scopes/%.*s", STR_ARG(s->id));
    return rc;
}

/* ---- mappers: of the client or scope that the path names ---- */

struct owner {
    enum realm_kind kind;
    struct str id;
    const struct protocol_mapper *mappers;
    size_t n;
    const char *path;
};

static int find_owner(struct admin_call *a, struct owner *ret, struct err *err)
{
    const struct client *c;
    const struct client_scope *s;
    int rc;

    if (admin_has_param(a, "client")) {
        rc = admin_find_client(a, &c, err);
        if (rc == 0)
            *ret = (struct owner){KIND_CLIENT, c->id, c->mappers, c->mapper_count, "clients"};
        return rc;
    }
    rc = admin_find_scope(a, &s, err);
    if (rc == 0)
        *ret = (struct owner){KIND_SCOPE, s->id, s->mappers, s->mapper_count, "client-scopes"};
    return rc;
}

static int list_mappers(struct admin_call *a, struct str protocol, struct err *err)
{
    struct owner o;
    json_t *list;
    int rc = find_owner(a, &o, err);

    if (rc < 0)
        return rc;
    list = json_array();
    for (size_t i = 0; i < o.n; i++)
        if (str_is_null(protocol) || str_eq(json_opt_str(o.mappers[i].rep, "protocol", STR("")), protocol))
            json_array_append_new(list, mapper_rep(&o.mappers[i]));
    return admin_answer(a, list);
}

ADMIN(admin_list_mappers, MAY_VIEW_CLIENTS)
{
    return list_mappers(a, STR_NULL, err);
}

ADMIN(admin_list_mappers_of_protocol, MAY_VIEW_CLIENTS)
{
    return list_mappers(a, admin_param(a, "protocol"), err);
}

ADMIN(admin_get_mapper, MAY_VIEW_CLIENTS)
{
    struct owner o;
    int rc = find_owner(a, &o, err);

    for (size_t i = 0; rc == 0 && i < o.n; i++)
        if (str_eq(o.mappers[i].id, admin_param(a, "mapper")))
            return admin_answer(a, mapper_rep(&o.mappers[i]));
    return rc < 0 ? rc : err_set(err, ERR_NOT_FOUND, "Model not found");
}

ADMIN(admin_create_mapper, MAY_MANAGE_CLIENTS)
{
    struct owner o;
    json_t *rep;
    struct str id;
    int rc = find_owner(a, &o, err);

    if (rc == 0)
        rc = admin_body(a, REP_MAPPER, &rep, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = mapper_add(a->draft, o.kind, o.id, rep, &id, err);
    if (rc < 0)
        return rc;
    id = arena_str(a->arena, id);
    rc = admin_commit(a, err);
    if (rc < 0)
        return rc;
    admin_event(a, "CREATE", "PROTOCOL_MAPPER", rep, "%s/%.*s/protocol-mappers/models/%.*s", o.path, STR_ARG(o.id),
                STR_ARG(id));
    return admin_created(a, "%.*s", STR_ARG(id));
}

ADMIN(admin_create_mappers, MAY_MANAGE_CLIENTS)
{
    struct owner o;
    json_t *list;
    int rc = find_owner(a, &o, err);

    if (rc == 0)
        rc = admin_body_list(a, REP_MAPPER, &list, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++)
        rc = mapper_add(a->draft, o.kind, o.id, json_array_get(list, i), NULL, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "CREATE", "PROTOCOL_MAPPER", NULL, "%s/%.*s/protocol-mappers/add-models", o.path, STR_ARG(o.id));
    return rc;
}

ADMIN(admin_put_mapper, MAY_MANAGE_CLIENTS)
{
    struct owner o;
    json_t *rep;
    struct str id = admin_param(a, "mapper");
    int rc = find_owner(a, &o, err);

    if (rc == 0)
        rc = admin_body(a, REP_MAPPER, &rep, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = mapper_update(a->draft, o.kind, o.id, id, rep, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "UPDATE", "PROTOCOL_MAPPER", rep, "%s/%.*s/protocol-mappers/models/%.*s", o.path, STR_ARG(o.id),
                    STR_ARG(id));
    return rc;
}

ADMIN(admin_delete_mapper, MAY_MANAGE_CLIENTS)
{
    struct owner o;
    struct str id = admin_param(a, "mapper");
    int rc = find_owner(a, &o, err);

    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = mapper_delete(a->draft, o.kind, o.id, id, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "DELETE", "PROTOCOL_MAPPER", NULL, "%s/%.*s/protocol-mappers/models/%.*s", o.path, STR_ARG(o.id),
                    STR_ARG(id));
    return rc;
}
