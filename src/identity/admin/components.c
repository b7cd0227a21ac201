/* Components: key providers, which are rotation, and what else is kept; and the realm's keys as they are. */
#include "identity/admin/internal.h"

/* Kinds of components that a realm may have here. */
static const char *const component_types[] = {
    "org.keycloak.keys.KeyProvider",
    "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy",
    "org.keycloak.userprofile.UserProfileProvider",
};

static int check_type(const json_t *rep, struct err *err)
{
    struct str type = json_opt_str(rep, "providerType", STR(""));

    for (size_t i = 0; i < ARRAY_LEN(component_types); i++)
        if (str_eq_cstr(type, component_types[i]))
            return 0;
    if (str_eq(type, STR("org.keycloak.storage.UserStorageProvider")) ||
        str_eq(type, STR("org.keycloak.storage.ldap.mappers.LDAPStorageMapper")))
        return err_set(err, ERR_UNSUPPORTED, "user federation (LDAP, Kerberos) is not supported");
    return err_set_named(err, ERR_INVALID, "error", "Invalid provider type or no such provider");
}

/* Key providers without secrets. */
ADMIN(admin_list_components, MAY_VIEW_REALM)
{
    struct str parent = admin_query(a, "parent"), type = admin_query(a, "type"), name = admin_query(a, "name");
    json_t *list = json_array();
    size_t n;
    json_t *const *docs = realm_docs(a->realm, KIND_COMPONENT, &n);

    (void)err;
    for (size_t i = 0; i < n; i++) {
        if (parent.n && !str_eq(json_opt_str(docs[i], "parentId", STR("")), parent))
            continue;
        if (type.n && !str_eq(json_opt_str(docs[i], "providerType", STR("")), type))
            continue;
        if (name.n && !str_eq(json_opt_str(docs[i], "name", STR("")), name))
            continue;
        json_array_append_new(list, component_rep(docs[i], false));
    }
    return admin_answer(a, list);
}

static int find_component(struct admin_call *a, json_t **ret, struct err *err)
{
    *ret = realm_doc(a->realm, KIND_COMPONENT, admin_param(a, "component"));
    return *ret ? 0 : err_set(err, ERR_NOT_FOUND, "Could not find component");
}

ADMIN(admin_get_component, MAY_VIEW_REALM)
{
    json_t *doc;
    int rc = find_component(a, &doc, err);
    return rc < 0 ? rc : admin_answer(a, component_rep(doc, false));
}

ADMIN(admin_create_component, MAY_MANAGE_REALM)
{
    json_t *rep;
    struct str id;
    int rc = admin_body(a, REP_COMPONENT, &rep, err);

    if (rc == 0)
        rc = check_type(rep, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = component_create(a->draft, rep, &id, err);
    if (rc < 0)
        return rc;
    id = arena_str(a->arena, id);
    rc = admin_commit(a, err);
    if (rc < 0)
        return rc;
    admin_event(a, "CREATE", "COMPONENT", rep, "components/%.*s", STR_ARG(id));
    return admin_created(a, "%.*s", STR_ARG(id));
}

ADMIN(admin_put_component, MAY_MANAGE_REALM)
{
    json_t *doc, *rep;
    int rc = find_component(a, &doc, err);

    if (rc == 0)
        rc = admin_body(a, REP_COMPONENT, &rep, err);
    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = component_update(a->draft, admin_param(a, "component"), rep, err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "UPDATE", "COMPONENT", rep, "components/%.*s", STR_ARG(admin_param(a, "component")));
    return rc;
}

ADMIN(admin_delete_component, MAY_MANAGE_REALM)
{
    json_t *doc;
    int rc = find_component(a, &doc, err);

    if (rc == 0)
        rc = admin_begin(a, err);
    if (rc == 0)
        rc = draft_delete(a->draft, KIND_COMPONENT, admin_param(a, "component"), err);
    if (rc == 0)
        rc = admin_commit(a, err);
    if (rc == 0)
        admin_event(a, "DELETE", "COMPONENT", NULL, "components/%.*s", STR_ARG(admin_param(a, "component")));
    return rc;
}

ADMIN(admin_get_keys, MAY_VIEW_REALM)
{
    (void)err;
    return admin_answer(a, realm_keys_rep(a->realm));
}
