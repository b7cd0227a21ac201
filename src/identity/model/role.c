/* Roles and groups: small documents; what they hold of others is references. */
#include "identity/model/internal.h"

enum { NAME_MAX_BYTES = 255, DEPTH_MAX = 30 };

static void take(json_t *doc, const json_t *rep, const json_t *old, const char *key)
{
    json_t *v = json_object_get(rep, key);

    if (!v || json_is_null(v))
        v = json_object_get(old, key);
    if (v)
        json_object_set(doc, key, v);
}

static int check_id(struct str id, struct err *err)
{
    if (id.n == 0 || id.n > 36 || str_find_char(id, '/', 0) != SIZE_MAX)
        return err_set(err, ERR_INVALID, "an id should have 1 to 36 characters");
    return 0;
}

/* ---- roles ---- */

static int check_role(struct realm_draft *d, const json_t *doc, struct err *err)
{
    struct str name = json_opt_str(doc, "name", STR("")), id = json_opt_str(doc, "id", STR(""));
    const json_t *other;

    if (name.n == 0 || name.n > NAME_MAX_BYTES)
        return err_set(err, ERR_INVALID, "role has no name");
    other = draft_find(d, KIND_ROLE, "name", name, "$client", json_opt_str(doc, "$client", STR_NULL));
    if (other && !str_eq(json_opt_str(other, "id", STR("")), id))
        return err_set(err, ERR_EXISTS, "Role with name %.*s already exists", STR_ARG(name));
    return check_id(id, err);
}

int role_create(struct realm_draft *d, struct str client, const json_t *rep, bool keep_id, struct str *ret_id,
                struct err *err)
{
    JSON_SCOPED json_t *doc = json_object();
    int rc;

    if (keep_id)
        take(doc, rep, NULL, "id");
    if (json_opt_str(doc, "id", STR("")).n == 0)
        json_new_id(doc);
    take(doc, rep, NULL, "name");
    take(doc, rep, NULL, "description");
    take(doc, rep, NULL, "attributes");
    if (!str_is_null(client))
        json_object_set_new(doc, "$client", json_of(client));
    json_object_set_new(doc, "$parts", json_array());
    rc = check_role(d, doc, err);
    if (rc < 0)
        return rc;
    draft_put(d, KIND_ROLE, json_incref(doc));
    if (ret_id)
        *ret_id = json_opt_str(doc, "id", STR(""));
    return 0;
}

int role_update(struct realm_draft *d, struct str id, const json_t *rep, struct err *err)
{
    const json_t *old = draft_get(d, KIND_ROLE, id);
    int rc;

    if (!old)
        return err_set(err, ERR_NOT_FOUND, "Could not find role");
    JSON_SCOPED json_t *doc = json_copy((json_t *)old);
    take(doc, rep, NULL, "name");
    take(doc, rep, NULL, "description");
    take(doc, rep, NULL, "attributes");
    rc = check_role(d, doc, err);
    if (rc == 0)
        draft_put(d, KIND_ROLE, json_incref(doc));
    return rc;
}

/* ---- groups ---- */

static int check_group(struct realm_draft *d, const json_t *doc, struct err *err)
{
    struct str name = json_opt_str(doc, "name", STR("")), id = json_opt_str(doc, "id", STR(""));
    struct str parent = json_opt_str(doc, "$parent", STR_NULL);
    const json_t *other;
    int depth = 0;

    if (str_trim(name).n == 0)
        return err_set(err, ERR_INVALID, "Group name is missing");
    if (name.n > NAME_MAX_BYTES)
        return err_set(err, ERR_INVALID, "Group name is longer than %d bytes", NAME_MAX_BYTES);
    other = draft_find(d, KIND_GROUP, "name", name, "$parent", parent);
    if (other && !str_eq(json_opt_str(other, "id", STR("")), id)) {
        if (str_is_null(parent))
            return err_set(err, ERR_EXISTS, "Top level group named '%.*s' already exists.", STR_ARG(name));
        return err_set(err, ERR_EXISTS, "Sibling group named '%.*s' already exists.", STR_ARG(name));
    }
    for (const json_t *above = doc; above; above = draft_get(d, KIND_GROUP, json_opt_str(above, "$parent", STR("")))) {
        if (depth > 0 && str_eq(json_opt_str(above, "id", STR("")), id))
            return err_set(err, ERR_INVALID, "a group can't be below itself");
        if (++depth > DEPTH_MAX)
            return err_set(err, ERR_INVALID, "groups have at most %d levels", DEPTH_MAX);
    }
    return check_id(id, err);
}

int group_create(struct realm_draft *d, struct str parent, const json_t *rep, bool keep_id, struct str *ret_id,
                 struct err *err)
{
    JSON_SCOPED json_t *doc = json_object();
    int rc;

    if (!str_is_null(parent) && !draft_get(d, KIND_GROUP, parent))
        return err_set(err, ERR_NOT_FOUND, "Could not find group by id");
    if (keep_id)
        take(doc, rep, NULL, "id");
    if (json_opt_str(doc, "id", STR("")).n == 0)
        json_new_id(doc);
    take(doc, rep, NULL, "name");
    take(doc, rep, NULL, "description");
    take(doc, rep, NULL, "attributes");
    if (!str_is_null(parent))
        json_object_set_new(doc, "$parent", json_of(parent));
    json_object_set_new(doc, "$roles", json_array());
    rc = check_group(d, doc, err);
    if (rc < 0)
        return rc;
    draft_put(d, KIND_GROUP, json_incref(doc));
    if (ret_id)
        *ret_id = json_opt_str(doc, "id", STR(""));
    return 0;
}

int group_update(struct realm_draft *d, struct str id, const json_t *rep, struct err *err)
{
    const json_t *old = draft_get(d, KIND_GROUP, id);
    int rc;

    if (!old)
        return err_set(err, ERR_NOT_FOUND, "Could not find group by id");
    JSON_SCOPED json_t *doc = json_copy((json_t *)old);
    take(doc, rep, NULL, "name");
    take(doc, rep, NULL, "description");
    take(doc, rep, NULL, "attributes");
    rc = check_group(d, doc, err);
    if (rc == 0)
        draft_put(d, KIND_GROUP, json_incref(doc));
    return rc;
}

int group_move(struct realm_draft *d, struct str id, struct str parent, struct err *err)
{
    const json_t *old = draft_get(d, KIND_GROUP, id);
    int rc;

    if (!old || (!str_is_null(parent) && !draft_get(d, KIND_GROUP, parent)))
        return err_set(err, ERR_NOT_FOUND, "Could not find group by id");
    JSON_SCOPED json_t *doc = json_copy((json_t *)old);
    json_put_str(doc, "$parent", parent);
    rc = check_group(d, doc, err);
    if (rc == 0)
        draft_put(d, KIND_GROUP, json_incref(doc));
    return rc;
}
