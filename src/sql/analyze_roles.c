/*
 * Roles, privileges and SET SESSION AUTHORIZATION: what Trino does where neither files of rules nor connectors know roles
 * (CreateRoleTask, …, GrantTask, SetAuthorizationTask, SetSessionAuthorizationTask and their parts of ShowQueriesRewrite,
 * over DisabledSystemSecurityMetadata). Nobody has a role; what names, rules and connectors say about it comes in Trino's
 * order.
 */
#include "sql/analyze_query.h"

/* The catalog that IN or FROM names, which then has to have roles; `*ret` NULL: it's about the system's. */
static int role_catalog(struct analyzer *z, const struct ast_statement *s, const struct ast_ident *name,
                        struct connector **ret, struct err *err)
{
    *ret = NULL;
    if (!name)
        return 0;
    struct connector *c = connector_find(z->context->catalogs, name->lower);
    if (!c)
        return analyze_error_at(s->line, s->column, err, "CATALOG_NOT_FOUND", "Catalog '%.*s' not found",
                                STR_ARG(name->lower));
    if (!c->ops->manages_security)
        return analyze_unsupported(s->line, s->column, err, "Catalog '%.*s' does not support role management",
                                   STR_ARG(name->lower));
    *ret = c;
    return 0;
}

static int no_roles(struct err *err)
{
    return analyze_unsupported(0, 0, err, "This connector does not support roles");
}

static int no_such_role(const struct ast_statement *s, struct str role, struct err *err)
{
    return analyze_error_at(s->line, s->column, err, "ROLE_NOT_FOUND", "Role '%.*s' does not exist", STR_ARG(role));
}

/* ---- roles ---- */

static int create_role(struct analyzer *z, const struct ast_statement *s, const struct connector *c,
                       struct statement *ret, struct err *err)
{
    struct str role = s->role.roles.items[0].lower;
    int r = c ? access_check_catalog(z->context->access, s->role.catalog->lower, err)
              : access_check_create_role(z->context->access, role, err);

    (void)ret;
    if (r < 0)
        return r;
    return c ? no_roles(err) : analyze_unsupported(0, 0, err, "System roles are not enabled");
}

static int drop_role(struct analyzer *z, const struct ast_statement *s, const struct connector *c,
                     struct statement *ret, struct err *err)
{
    struct str role = s->role.roles.items[0].lower;

    if (s->role.if_exists && c)
        return no_roles(err);
    if (s->role.if_exists) {
        ret->kind = STATEMENT_DROP_ROLE;
        ret->update_type = "DROP ROLE";
        return 0;
    }
    int r = c ? access_check_catalog(z->context->access, s->role.catalog->lower, err)
              : access_check_drop_role(z->context->access, role, err);
    if (r < 0)
        return r;
    return c ? no_roles(err) : no_such_role(s, role, err);
}

static int set_role(struct analyzer *z, const struct ast_statement *s, const struct connector *c, struct statement *ret,
                    struct err *err)
{
    if (!s->role.all && !s->role.none)
        return c ? no_roles(err) : no_such_role(s, s->role.roles.items[0].lower, err);
    ret->kind = STATEMENT_SET_ROLE;
    ret->update_type = "SET ROLE";
    ret->name = c ? s->role.catalog->lower : STR("system");
    ret->value = s->role.all ? STR("ALL") : STR("NONE");
    (void)z;
    return 0;
}

static int role_statement(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    struct connector *c;
    int r = role_catalog(z, s, s->role.catalog, &c, err);

    if (r < 0)
        return r;
    switch (s->kind) {
    case AST_CREATE_ROLE:
        return create_role(z, s, c, ret, err);
    case AST_DROP_ROLE:
        return drop_role(z, s, c, ret, err);
    case AST_SET_ROLE:
        return set_role(z, s, c, ret, err);
    default: /* GRANT, REVOKE */
        return c ? no_roles(err) : no_such_role(s, s->role.roles.items[0].lower, err);
    }
}

/* ---- privileges ---- */

static const char *const privilege_names[] = {"CREATE", "SELECT", "DELETE", "INSERT", "UPDATE"};

static const char *find_privilege(struct str name)
{
    for (size_t i = 0; i < sizeof(privilege_names) / sizeof(privilege_names[0]); i++)
        if (str_eq_nocase(name, str_from_cstr(privilege_names[i])))
            return privilege_names[i];
    return NULL;
}

static enum access_grant grant_kind(const struct ast_statement *s)
{
    return s->kind == AST_GRANT ? ACCESS_GRANT : s->kind == AST_DENY ? ACCESS_DENY : ACCESS_REVOKE;
}

static int check_privileges(struct analyzer *z, const struct ast_statement *s, const struct object_name *o,
                            struct err *err)
{
    const struct ast_idents *names = &s->grant.privileges;
    const struct access_table on = object_access(o);
    size_t n = names->n ? names->n : sizeof(privilege_names) / sizeof(privilege_names[0]);

    for (size_t i = 0; i < names->n; i++)
        if (!find_privilege(names->items[i].value))
            return analyze_error_at(s->line, s->column, err, "INVALID_PRIVILEGE", "Unknown privilege: '%.*s'",
                                    STR_ARG(names->items[i].value));
    for (size_t i = 0; i < n; i++) {
        const char *privilege = names->n ? find_privilege(names->items[i].value) : privilege_names[i];
        int r = access_check_grant(z->context->access, grant_kind(s), privilege, &on, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int not_managed(const struct object_name *o, struct err *err)
{
    return analyze_unsupported(0, 0, err, "Catalog does not support permission management: %.*s", STR_ARG(o->catalog));
}

static int schema_missing(const struct ast_statement *s, const struct object_name *o, struct err *err)
{
    return analyze_error_at(s->line, s->column, err, "SCHEMA_NOT_FOUND", "Schema '%.*s.%.*s' does not exist",
                            STR_ARG(o->catalog), STR_ARG(o->schema));
}

/* What GRANT, … and SET AUTHORIZATION name has to be there. */
static int find_object(struct analyzer *z, const struct ast_statement *s, const struct ast_name *name, bool is_schema,
                       struct object_name *o, struct err *err)
{
    struct connector_table *t = NULL;
    bool exists = false;
    int r = is_schema ? schema_resolve(z, name, s->line, s->column, o, err)
                      : object_resolve(z, name, s->line, s->column, o, err);

    if (r == 0 && is_schema)
        r = o->connector ? schema_exists(z, o, &exists, err) : 0;
    else if (r == 0)
        r = table_find(z, o, &t, err);
    if (r < 0 || exists || t)
        return r;
    return is_schema ? schema_missing(s, o, err) : table_missing(z, o, s->line, s->column, err);
}

static int privileges(struct analyzer *z, const struct ast_statement *s, struct err *err)
{
    static const char *const verbs[] = {
        [ACCESS_GRANT] = "grants", [ACCESS_DENY] = "denys", [ACCESS_REVOKE] = "revokes"};
    const struct ast_ident *entity = s->grant.entity;
    bool is_schema = entity && str_eq_cstr(entity->lower, "schema");
    struct object_name o;

    if (entity && !is_schema && !str_eq_cstr(entity->lower, "table"))
        return analyze_unsupported(s->line, s->column, err, "Privileges on %.*s are not supported",
                                   STR_ARG(entity->value));
    int r = find_object(z, s, &s->grant.object, is_schema, &o, err);
    if (r == 0)
        r = check_privileges(z, s, &o, err);
    if (r < 0)
        return r;
    if (!o.connector->ops->manages_security)
        return not_managed(&o, err);
    return analyze_unsupported(0, 0, err, "This connector does not support %s on %s", verbs[grant_kind(s)],
                               is_schema ? "schemas" : "tables");
}

/* ---- owners ---- */

static int set_authorization(struct analyzer *z, const struct ast_statement *s, struct err *err)
{
    const struct ast_principal *p = &s->authorization.principal;
    struct str entity = s->authorization.entity.lower;
    bool is_schema = str_eq_cstr(entity, "schema"), is_table = str_eq_cstr(entity, "table");
    bool to_role = p->kind == AST_PRINCIPAL_ROLE;
    struct object_name o;
    int r = 0;

    if (!is_schema && !is_table && !str_eq_cstr(entity, "view"))
        return analyze_unsupported(s->line, s->column, err, "Owners of %.*s are not supported",
                                   STR_ARG(s->authorization.entity.value));
    if (!is_schema)
        r = object_require(z, &s->authorization.name, s->line, s->column, &o, err);
    if (r == 0 && !is_schema && !is_table) /* no connector has views */
        return analyze_error_at(s->line, s->column, err, "TABLE_NOT_FOUND", "View '%.*s' does not exist",
                                STR_ARG(object_text(z, &o)));
    if (r == 0)
        r = find_object(z, s, &s->authorization.name, is_schema, &o, err);
    if (r < 0)
        return r;
    if (to_role)
        return o.connector->ops->manages_security ? no_roles(err) : no_such_role(s, p->name.lower, err);
    const struct access_table on = object_access(&o);
    r = access_check_set_authorization(z->context->access, is_schema ? "SCHEMA" : "TABLE", &on, false, p->name.value,
                                       err);
    if (r < 0)
        return r;
    if (!o.connector->ops->manages_security)
        return not_managed(&o, err);
    return analyze_unsupported(0, 0, err, "set%sPrincipal is not supported for Iceberg JDBC catalogs",
                               is_schema ? "Namespace" : "Table");
}

/* ---- the session's user ---- */

static int set_session_authorization(struct analyzer *z, const struct ast_statement *s, struct statement *ret,
                                     struct err *err)
{
    const struct session *session = z->context->session;
    bool resets = s->kind == AST_RESET_SESSION_AUTHORIZATION;
    const char *verb = resets ? "RESET" : "SET";
    struct str user = resets ? STR_NULL : s->session_user.name;
    struct str original = str_is_null(session->original_user) ? session->user : session->original_user;

    if (!session->changes_user)
        return analyze_unsupported(0, 0, err, "%s SESSION AUTHORIZATION not supported by client", verb);
    if (!str_is_null(session->transaction_id))
        return analyze_error_at(0, 0, err, "GENERIC_USER_ERROR",
                                "Can't %s authorization user in the middle of a transaction", resets ? "reset" : "set");
    if (!resets && !str_eq(original, user)) {
        int r = access_check_set_user(z->context->access, user, err);
        if (r == 0)
            r = access_check_impersonate(access_as(z->context->access, z->arena, original), user, err);
        if (r < 0)
            return r;
    }
    ret->kind = STATEMENT_SET_SESSION_AUTHORIZATION;
    ret->update_type = resets ? "RESET SESSION AUTHORIZATION" : "SET SESSION AUTHORIZATION";
    ret->name = user;
    return 0;
}

int analyze_roles(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    switch (s->kind) {
    case AST_GRANT:
    case AST_REVOKE:
    case AST_DENY:
        return privileges(z, s, err);
    case AST_SET_AUTHORIZATION:
        return set_authorization(z, s, err);
    case AST_SET_SESSION_AUTHORIZATION:
    case AST_RESET_SESSION_AUTHORIZATION:
        return set_session_authorization(z, s, ret, err);
    default:
        return role_statement(z, s, ret, err);
    }
}

/* ---- SHOW ---- */

static int show_roles(struct analyzer *z, const struct ast_statement *s, struct buf *b, struct err *err)
{
    struct connector *c;
    int r = role_catalog(z, s, s->show.name.n ? &s->show.name.parts[0] : NULL, &c, err);

    if (r == 0 && c)
        r = access_check_catalog(z->context->access, s->show.name.parts[0].lower, err);
    if (r == 0 && c)
        r = no_roles(err);
    if (r == 0)
        buf_addf(b, "SELECT CAST(NULL AS varchar) AS \"%s\" WHERE false",
                 s->kind == AST_SHOW_ROLE_GRANTS ? "Role Grants" : "Role");
    return r;
}

/* Nobody has granted anything: the columns of information_schema.table_privileges, and no rows. */
static int show_grants(struct analyzer *z, const struct ast_statement *s, struct buf *b, struct err *err)
{
    const struct session *session = z->context->session;
    struct object_name o = {.catalog = session->catalog};
    struct connector_table *t = NULL;
    int r = 0;

    if (s->grant.object.n) {
        r = object_resolve(z, &s->grant.object, s->line, s->column, &o, err);
        if (r == 0)
            r = table_find(z, &o, &t, err);
        if (r == 0 && !t)
            return analyze_error_at(s->line, s->column, err, "TABLE_NOT_FOUND", "Table 'Optional[%.*s]' does not exist",
                                    STR_ARG(analyze_format_name(z->arena, &s->grant.object)));
        if (r == 0)
            r = access_check_show_tables(z->context->access, o.catalog, o.schema, err);
    } else if (str_is_null(o.catalog)) {
        return analyze_error_at(s->line, s->column, err, "MISSING_CATALOG_NAME",
                                "Catalog must be specified when session catalog is not set");
    } else if (!connector_find(z->context->catalogs, o.catalog)) {
        return analyze_error_at(s->line, s->column, err, "CATALOG_NOT_FOUND", "Catalog '%.*s' not found",
                                STR_ARG(o.catalog));
    }
    if (r < 0)
        return r;
    buf_addf(b,
             "SELECT grantor AS \"Grantor\", grantor_type AS \"Grantor Type\", grantee AS \"Grantee\", "
             "grantee_type AS \"Grantee Type\", table_catalog AS \"Catalog\", table_schema AS \"Schema\", "
             "table_name AS \"Table\", privilege_type AS \"Privilege\", is_grantable AS \"Grantable\", "
             "with_hierarchy AS \"With Hierarchy\" FROM \"%.*s\".information_schema.table_privileges",
             STR_ARG(o.catalog));
    return 0;
}

int analyze_show_roles(struct analyzer *z, const struct ast_statement *s, struct buf *b, struct err *err)
{
    return s->kind == AST_SHOW_GRANTS ? show_grants(z, s, b, err) : show_roles(z, s, b, err);
}
