/*
 * Who may do what in SQL: Trino's file-based system access control. The rules are Trino 476's JSON, read as it reads them:
 * patterns match whole names, the first rule that matches decides, a section that is missing allows all (but
 * impersonation, system information and setting an authorization, which then are denied), a section that is there and has
 * no rule for a case denies. Messages are those of io.trino.spi.security.AccessDeniedException, under its error name
 * PERMISSION_DENIED.
 *
 *   rules.c    the JSON, parsed and checked
 *   match.c    which rule decides
 *   check.c    the questions that statements ask, and how they are denied
 *   control.c  the file, read again when it changed; the file of groups
 *   regex.c    Java's patterns
 *   mapping.c  user mapping of authenticators
 *
 * A `struct access` is what one request asks with: an identity and the rules as they were when it began, which both live
 * until access_release. It is immutable: any thread may use it. Everywhere a NULL `struct access` allows all.
 */
#ifndef ACCESS_ACCESS_H
#define ACCESS_ACCESS_H

#include "base/arena.h"

struct access_control; /* one a server */
struct access_rules;   /* one version of the rules */

/* ---- the server's ---- */

struct access_control_options {
    struct str rules_file; /* JSON; null: no file */
    struct str rules; /* the JSON itself, instead of a file; null with rules_file null: Trino's `default` control */
    struct str groups_file; /* "group:user,user" a line; null: none */
    int64_t refresh_ms;     /* how old rules may be before the files are looked at again; 0: never again */
};

/* The rules are read: an error names file, line and what is wrong. Strings are copied. */
MUST_CHECK int access_control_new(const struct access_control_options *o, struct access_control **ret, struct err *err);
void access_control_free(struct access_control *c);

/* ---- a request's ---- */

struct access_identity {
    struct str user;
    struct str principal;     /* who authenticated; null: nobody did */
    const struct str *groups; /* beside those of the groups file: a token's */
    size_t group_count;
    const struct str *roles; /* enabled system roles */
    size_t role_count;
};

struct access;

/* Copies the identity. An unreadable or invalid file that changed meanwhile is an error: nothing is allowed until it is
 * mended, as in Trino. */
MUST_CHECK int access_open(struct access_control *c, const struct access_identity *who, struct access **ret,
                           struct err *err);
void access_release(struct access *a);
struct str access_user(const struct access *a);
/* Who `a` is, with the groups that the file adds. */
const struct access_identity *access_identity_of(const struct access *a);
/* As another user, with that one's groups of the file and no roles, under the same rules: for expressions that are
 * evaluated as somebody else. In the arena, and no longer than `a`. NULL stays NULL. */
const struct access *access_as(const struct access *a, struct arena *arena, struct str user);

/* ---- who ---- */

/* "User a cannot impersonate user b": `a` is the authenticated one. The same name is no impersonation: don't ask. */
MUST_CHECK int access_check_impersonate(const struct access *a, struct str user, struct err *err);
/* "Principal p cannot become user u" */
MUST_CHECK int access_check_set_user(const struct access *a, struct str user, struct err *err);
MUST_CHECK int access_check_execute_query(const struct access *a, struct err *err);
/* A user always sees and kills its own. */
MUST_CHECK int access_check_view_query(const struct access *a, struct str owner, struct err *err);
MUST_CHECK int access_check_kill_query(const struct access *a, struct str owner, struct err *err);
MUST_CHECK int access_check_system_information(const struct access *a, bool write, struct err *err);
MUST_CHECK int access_check_system_property(const struct access *a, struct str property, struct err *err);
MUST_CHECK int access_check_catalog_property(const struct access *a, struct str catalog, struct str property,
                                             struct err *err);

/* ---- what there is ---- */

/* Filters of lists: SHOW, information_schema, system.jdbc. */
bool access_sees_catalog(const struct access *a, struct str catalog);
bool access_sees_schema(const struct access *a, struct str catalog, struct str schema);
bool access_sees_table(const struct access *a, struct str catalog, struct str schema, struct str table);
bool access_sees_column(const struct access *a, struct str catalog, struct str schema, struct str table,
                        struct str column);
MUST_CHECK int access_check_catalog(const struct access *a, struct str catalog, struct err *err);
MUST_CHECK int access_check_show_schemas(const struct access *a, struct str catalog, struct err *err);
MUST_CHECK int access_check_show_tables(const struct access *a, struct str catalog, struct str schema, struct err *err);
MUST_CHECK int access_check_show_functions(const struct access *a, struct str catalog, struct str schema,
                                           struct err *err);

/* ---- catalogs and schemas ---- */

enum access_schema_action { ACCESS_CREATE_SCHEMA, ACCESS_DROP_SCHEMA, ACCESS_SHOW_CREATE_SCHEMA };
MUST_CHECK int access_check_schema(const struct access *a, enum access_schema_action action, struct str catalog,
                                   struct str schema, struct err *err);
MUST_CHECK int access_check_rename_schema(const struct access *a, struct str catalog, struct str schema, struct str to,
                                          struct err *err);
MUST_CHECK int access_check_owned_catalog(const struct access *a, bool create, struct str catalog, struct err *err);

/* ---- tables and views ---- */

struct access_table {
    struct str catalog, schema, name;
};

enum access_table_action {
    ACCESS_SHOW_COLUMNS,
    ACCESS_SHOW_CREATE_TABLE,
    ACCESS_CREATE_TABLE,
    ACCESS_DROP_TABLE,
    ACCESS_TRUNCATE_TABLE,
    ACCESS_SET_TABLE_PROPERTIES,
    ACCESS_COMMENT_TABLE,
    ACCESS_COMMENT_COLUMN,
    ACCESS_ADD_COLUMN,
    ACCESS_ALTER_COLUMN,
    ACCESS_DROP_COLUMN,
    ACCESS_RENAME_COLUMN,
    ACCESS_INSERT,
    ACCESS_DELETE,
    ACCESS_CREATE_VIEW,
    ACCESS_DROP_VIEW,
    ACCESS_COMMENT_VIEW,
    ACCESS_CREATE_MATERIALIZED_VIEW,
    ACCESS_REFRESH_MATERIALIZED_VIEW,
    ACCESS_DROP_MATERIALIZED_VIEW,
    ACCESS_SET_MATERIALIZED_VIEW_PROPERTIES,
};
MUST_CHECK int access_check_table(const struct access *a, enum access_table_action action,
                                  const struct access_table *table, struct err *err);

enum access_relation { ACCESS_TABLE, ACCESS_VIEW, ACCESS_MATERIALIZED_VIEW };
MUST_CHECK int access_check_rename(const struct access *a, enum access_relation kind, const struct access_table *from,
                                   const struct access_table *to, struct err *err);
MUST_CHECK int access_check_select(const struct access *a, const struct access_table *table, const struct str *columns,
                                   size_t n, struct err *err);
/* A view's definer selects: `a` is the definer; the view is to be read by others. */
MUST_CHECK int access_check_select_for_view(const struct access *a, const struct access_table *table,
                                            const struct str *columns, size_t n, struct err *err);
MUST_CHECK int access_check_update(const struct access *a, const struct access_table *table, const struct str *columns,
                                   size_t n, struct err *err);

/* Expressions in Trino's SQL, evaluated as `user` (null: whoever asks) in the table's catalog and schema. */
struct access_expression {
    struct str text, user;
};
/* What rows of the table are seen: false when all. */
bool access_row_filter(const struct access *a, const struct access_table *table, struct access_expression *ret);
/* What is seen of the column: false when its value. */
bool access_column_mask(const struct access *a, const struct access_table *table, struct str column,
                        struct access_expression *ret);

/* ---- functions and procedures ---- */

/* A function built in is system.builtin.NAME. */
bool access_executes_function(const struct access *a, struct str catalog, struct str schema, struct str name);
MUST_CHECK int access_check_procedure(const struct access *a, struct str catalog, struct str schema, struct str name,
                                      struct err *err);

/* ---- roles and privileges ---- */

enum access_grant { ACCESS_GRANT, ACCESS_DENY, ACCESS_REVOKE };
/* `privilege`: "SELECT". A null table name: on the schema. */
MUST_CHECK int access_check_grant(const struct access *a, enum access_grant what, const char *privilege,
                                  const struct access_table *on, struct err *err);
/* ALTER … SET AUTHORIZATION; `kind`: "SCHEMA", "TABLE", "VIEW". */
MUST_CHECK int access_check_set_authorization(const struct access *a, const char *kind, const struct access_table *on,
                                              bool to_role, struct str to, struct err *err);
/* Files know no roles: none of system can be made or given while they decide. */
MUST_CHECK int access_check_create_role(const struct access *a, struct str role, struct err *err);
MUST_CHECK int access_check_drop_role(const struct access *a, struct str role, struct err *err);
/* `roles` and `grantees` as Java prints sets: "[a, b]", "[USER x]" */
MUST_CHECK int access_check_grant_roles(const struct access *a, bool revoke, struct str roles, struct str grantees,
                                        struct err *err);

#endif
