/* The questions that statements ask, and Trino's words when the answer is no. */
#include "access/internal.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/vec.h"

static const struct str information_schema = {"information_schema", 18};

static int deny(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
static int deny(struct err *err, const char *fmt, ...)
{
    char text[ERR_MESSAGE_SIZE];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set_named(err, ERR_DENIED, "PERMISSION_DENIED", "Access Denied: %s", text);
}

static bool is_open(const struct access *a)
{
    return !a || !a->rules;
}

/* What `find` came to, when no pattern failed on the way. */
static bool settle(bool allowed, bool failed)
{
    if (failed)
        log_warn("access control: matching a pattern of the rules takes too many steps: denied");
    return allowed && !failed;
}

#define TABLE_FORMAT "%.*s.%.*s.%.*s"
#define TABLE_ARGS(t) STR_ARG((t)->catalog), STR_ARG((t)->schema), STR_ARG((t)->name)

/* ---- the rules ---- */

static bool has_catalog(const struct access *a, struct str catalog, enum access_mode mode)
{
    bool failed = false;
    enum access_mode given = access_rules_catalog_mode(a->rules, &a->who, catalog, &failed);

    return settle(given >= mode, failed);
}

static bool has_any_schema(const struct access *a, struct str catalog, struct str schema)
{
    bool failed = false;
    bool any = access_rules_any_schema(a->rules, &a->who, catalog, schema, &failed);

    return has_catalog(a, catalog, MODE_READ_ONLY) && settle(any, failed);
}

static bool owns_schema(const struct access *a, struct str catalog, struct str schema)
{
    const struct rule_query q = {.who = &a->who, .catalog = catalog, .schema = schema};
    bool failed = false;

    if (!has_catalog(a, catalog, MODE_ALL))
        return false;
    const struct rule *rule = access_rules_find(a->rules, RULES_SCHEMAS, &q, &failed);
    return settle(rule && rule->allow, failed);
}

static const struct rule *table_rule(const struct access *a, const struct access_table *t)
{
    const struct rule_query q = {.who = &a->who, .catalog = t->catalog, .schema = t->schema, .object = t->name};
    bool failed = false;
    const struct rule *rule = access_rules_find(a->rules, RULES_TABLES, &q, &failed);

    return settle(true, failed) ? rule : NULL;
}

/* Any of the privileges, with what access to the catalog they take. */
static bool has_privilege(const struct access *a, const struct access_table *t, unsigned privileges,
                          enum access_mode mode)
{
    if (!has_catalog(a, t->catalog, mode))
        return false;
    if (str_eq(t->schema, information_schema))
        return true;
    const struct rule *rule = table_rule(a, t);
    return rule && (rule->allow & privileges);
}

static bool has_any_privilege(const struct access *a, const struct access_table *t)
{
    return has_privilege(a, t, PRIVILEGE_TABLE_ALL, MODE_READ_ONLY);
}

static bool owns_table(const struct access *a, const struct access_table *t)
{
    return has_privilege(a, t, PRIVILEGE_OWNERSHIP, MODE_ALL);
}

/* ---- who ---- */

static int deny_impersonation(const struct access *a, struct str user, struct err *err)
{
    return deny(err, "User %.*s cannot impersonate user %.*s", STR_ARG(a->who.user), STR_ARG(user));
}

/* 1: the rule allows or denies, 0: it doesn't match, negative: a pattern fails. What original_user's groups took stands
 * for itself in new_user: Trino would let a user named ".*" become anybody. */
static int match_impersonation(const struct access *a, const struct rule *rule, struct str user)
{
    const struct rule_query q = {.who = &a->who};
    ARENA_SCOPED struct arena scratch = ARENA_INIT;
    struct access_regex *replaced = NULL;
    struct str pattern;
    bool failed = false;

    if (!access_rule_matches(rule, &q, PATTERN_ROLE, &failed) || failed)
        return failed ? ERR_LIMIT : 0;
    if (!rule->patterns[PATTERN_USER])
        return access_regex_matches(rule->patterns[PATTERN_NEW_USER], user);
    int r = access_regex_replace(rule->patterns[PATTERN_USER], &scratch, a->who.user, rule->replacement, true, &pattern,
                                 NULL);
    if (r > 0)
        r = access_regex_new(pattern, &replaced, NULL);
    if (r < 0)
        return r;
    r = access_regex_matches(replaced, user);
    access_regex_free(replaced);
    return r;
}

int access_check_impersonate(const struct access *a, struct str user, struct err *err)
{
    if (!a)
        return 0;
    if (!a->rules)
        return deny_impersonation(a, user, err);
    const struct rules_section *s = &a->rules->sections[RULES_IMPERSONATION];
    if (!s->is_set) /* with rules for principals it's for them to say */
        return a->rules->sections[RULES_PRINCIPALS].is_set ? 0 : deny_impersonation(a, user, err);
    for (size_t i = 0; i < s->n; i++) {
        int r = match_impersonation(a, &s->items[i], user);
        if (r < 0)
            log_warn("access control: impersonation[%zu] can't be matched: denied", i);
        if (r != 0)
            return r > 0 && s->items[i].allow ? 0 : deny_impersonation(a, user, err);
    }
    return deny_impersonation(a, user, err);
}

/* As match_impersonation. */
static int match_principal(const struct access *a, const struct rule *rule, struct str user)
{
    ARENA_SCOPED struct arena scratch = ARENA_INIT;
    struct str extracted;
    int r = access_regex_matches(rule->patterns[PATTERN_PRINCIPAL], a->who.principal);

    if (r <= 0)
        return r;
    r = rule->patterns[PATTERN_USER] ? access_regex_matches(rule->patterns[PATTERN_USER], user) : 0;
    if (r != 0 || str_is_null(rule->replacement))
        return r;
    r = access_regex_replace_all(rule->patterns[PATTERN_PRINCIPAL], &scratch, a->who.principal, rule->replacement,
                                 &extracted, NULL);
    return r < 0 ? r : str_eq(extracted, user);
}

int access_check_set_user(const struct access *a, struct str user, struct err *err)
{
    if (is_open(a) || !a->rules->sections[RULES_PRINCIPALS].is_set)
        return 0;
    const struct rules_section *s = &a->rules->sections[RULES_PRINCIPALS];
    bool allowed = false, decided = str_is_null(a->who.principal);
    for (size_t i = 0; i < s->n && !decided; i++) {
        int r = match_principal(a, &s->items[i], user);
        decided = r != 0;
        allowed = r > 0 && s->items[i].allow;
    }
    if (allowed)
        return 0;
    return deny(err, "Principal %.*s cannot become user %.*s",
                STR_ARG(str_is_null(a->who.principal) ? STR("null") : a->who.principal), STR_ARG(user));
}

/* `owner` null: nobody's, which only rules without queryOwner speak of. */
static bool may_query(const struct access *a, struct str owner, unsigned what)
{
    const struct rule_query q = {.who = &a->who, .object = owner};
    const struct rules_section *s = &a->rules->sections[RULES_QUERIES];
    bool failed = false;

    if (!s->is_set)
        return true;
    for (size_t i = 0; i < s->n; i++) {
        const struct rule *rule = &s->items[i];
        if (str_is_null(owner) && rule->patterns[PATTERN_OBJECT])
            continue;
        if (access_rule_matches(rule, &q, PATTERN_OBJECT, &failed))
            return settle(rule->allow & what, failed);
    }
    return false;
}

int access_check_execute_query(const struct access *a, struct err *err)
{
    return is_open(a) || may_query(a, STR_NULL, QUERY_EXECUTE) ? 0 : deny(err, "Cannot execute query");
}

int access_check_view_query(const struct access *a, struct str owner, struct err *err)
{
    if (is_open(a) || str_eq(a->who.user, owner) || may_query(a, owner, QUERY_VIEW))
        return 0;
    return deny(err, "Cannot view query");
}

int access_check_kill_query(const struct access *a, struct str owner, struct err *err)
{
    if (is_open(a) || str_eq(a->who.user, owner) || may_query(a, owner, QUERY_KILL))
        return 0;
    return deny(err, "Cannot kill query");
}

int access_check_system_information(const struct access *a, bool write, struct err *err)
{
    bool failed = false, allowed = !a || (!a->rules && !write); /* `default` lets it be read, and nobody write it */

    if (a && a->rules && a->rules->sections[RULES_SYSTEM_INFORMATION].is_set) {
        const struct rule_query q = {.who = &a->who};
        const struct rule *rule = access_rules_find(a->rules, RULES_SYSTEM_INFORMATION, &q, &failed);
        allowed = rule && (rule->allow & (write ? INFORMATION_WRITE : INFORMATION_READ));
    }
    if (settle(allowed, failed))
        return 0;
    return deny(err, write ? "Cannot write system information" : "Cannot read system information");
}

int access_check_system_property(const struct access *a, struct str property, struct err *err)
{
    bool failed = false;

    if (is_open(a))
        return 0;
    const struct rule_query q = {.who = &a->who, .object = property};
    const struct rule *rule = access_rules_find(a->rules, RULES_SYSTEM_SESSION_PROPERTIES, &q, &failed);
    if (settle(rule && rule->allow, failed))
        return 0;
    return deny(err, "Cannot set system session property %.*s", STR_ARG(property));
}

int access_check_catalog_property(const struct access *a, struct str catalog, struct str property, struct err *err)
{
    bool failed = false;

    if (is_open(a))
        return 0;
    int r = access_check_catalog(a, catalog, err);
    if (r < 0)
        return r;
    const struct rule_query q = {.who = &a->who, .catalog = catalog, .object = property};
    const struct rule *rule = access_rules_find(a->rules, RULES_CATALOG_SESSION_PROPERTIES, &q, &failed);
    if (settle(rule && rule->allow, failed))
        return 0;
    return deny(err, "Cannot set catalog session property %.*s", STR_ARG(property));
}

/* ---- what there is ---- */

bool access_sees_catalog(const struct access *a, struct str catalog)
{
    return is_open(a) || has_catalog(a, catalog, MODE_OWNER) || has_any_schema(a, catalog, STR_NULL);
}

bool access_sees_schema(const struct access *a, struct str catalog, struct str schema)
{
    return is_open(a) || (access_sees_catalog(a, catalog) && has_any_schema(a, catalog, schema));
}

bool access_sees_table(const struct access *a, struct str catalog, struct str schema, struct str table)
{
    const struct access_table t = {catalog, schema, table};

    return is_open(a) ||
           (access_sees_catalog(a, catalog) && (owns_schema(a, catalog, schema) || has_any_privilege(a, &t)));
}

bool access_sees_column(const struct access *a, struct str catalog, struct str schema, struct str table,
                        struct str column)
{
    const struct access_table t = {catalog, schema, table};

    if (is_open(a))
        return true;
    if (!access_sees_table(a, catalog, schema, table) || !has_any_privilege(a, &t))
        return false;
    if (str_eq(schema, information_schema))
        return true;
    const struct rule *rule = table_rule(a, &t);
    if (!rule || rule->allow == 0)
        return false;
    if (rule->allow & ~(unsigned)PRIVILEGE_READ_ONLY) /* who may do more than read sees all columns */
        return true;
    for (size_t i = 0; i < rule->column_count; i++)
        if (rule->columns[i].is_denied && str_eq(rule->columns[i].name, column))
            return false;
    return true;
}

int access_check_catalog(const struct access *a, struct str catalog, struct err *err)
{
    if (is_open(a) || has_catalog(a, catalog, MODE_READ_ONLY))
        return 0;
    return deny(err, "Cannot access catalog %.*s", STR_ARG(catalog));
}

int access_check_show_schemas(const struct access *a, struct str catalog, struct err *err)
{
    int r = access_check_catalog(a, catalog, err);

    if (r < 0 || access_sees_catalog(a, catalog))
        return r;
    return deny(err, "Cannot show schemas");
}

static int check_any_schema(const struct access *a, struct str catalog, struct str schema, const char *what,
                            struct err *err)
{
    int r = access_check_catalog(a, catalog, err);

    if (r < 0 || is_open(a) || has_any_schema(a, catalog, schema))
        return r;
    return deny(err, "Cannot show %s of schema %.*s.%.*s", what, STR_ARG(catalog), STR_ARG(schema));
}

int access_check_show_tables(const struct access *a, struct str catalog, struct str schema, struct err *err)
{
    return check_any_schema(a, catalog, schema, "tables", err);
}

int access_check_show_functions(const struct access *a, struct str catalog, struct str schema, struct err *err)
{
    return check_any_schema(a, catalog, schema, "functions", err);
}

/* ---- catalogs and schemas ---- */

int access_check_schema(const struct access *a, enum access_schema_action action, struct str catalog, struct str schema,
                        struct err *err)
{
    static const char *const what[] = {
        [ACCESS_CREATE_SCHEMA] = "create schema",
        [ACCESS_DROP_SCHEMA] = "drop schema",
        [ACCESS_SHOW_CREATE_SCHEMA] = "show create schema for",
    };
    int r = access_check_catalog(a, catalog, err);

    if (r < 0 || is_open(a) || owns_schema(a, catalog, schema))
        return r;
    return deny(err, "Cannot %s %.*s.%.*s", what[action], STR_ARG(catalog), STR_ARG(schema));
}

int access_check_rename_schema(const struct access *a, struct str catalog, struct str schema, struct str to,
                               struct err *err)
{
    int r = access_check_catalog(a, catalog, err);

    if (r < 0 || is_open(a) || (owns_schema(a, catalog, schema) && owns_schema(a, catalog, to)))
        return r;
    return deny(err, "Cannot rename schema from %.*s.%.*s to %.*s", STR_ARG(catalog), STR_ARG(schema), STR_ARG(to));
}

int access_check_owned_catalog(const struct access *a, bool create, struct str catalog, struct err *err)
{
    if (is_open(a) || has_catalog(a, catalog, MODE_OWNER))
        return 0;
    return deny(err, "Cannot %s catalog %.*s", create ? "create" : "drop", STR_ARG(catalog));
}

/* ---- tables and views ---- */

static const struct {
    unsigned privilege;
    const char *what; /* before the table's name */
} table_actions[] = {
    [ACCESS_SHOW_COLUMNS] = {PRIVILEGE_TABLE_ALL, "show columns of table"},
    [ACCESS_SHOW_CREATE_TABLE] = {PRIVILEGE_OWNERSHIP, "show create table for"},
    [ACCESS_CREATE_TABLE] = {PRIVILEGE_OWNERSHIP, "create table"},
    [ACCESS_DROP_TABLE] = {PRIVILEGE_OWNERSHIP, "drop table"},
    [ACCESS_TRUNCATE_TABLE] = {PRIVILEGE_DELETE, "truncate table"},
    [ACCESS_SET_TABLE_PROPERTIES] = {PRIVILEGE_OWNERSHIP, "set table properties to"},
    [ACCESS_COMMENT_TABLE] = {PRIVILEGE_OWNERSHIP, "comment table to"},
    [ACCESS_COMMENT_COLUMN] = {PRIVILEGE_OWNERSHIP, "comment column to"},
    [ACCESS_ADD_COLUMN] = {PRIVILEGE_OWNERSHIP, "add a column to table"},
    [ACCESS_ALTER_COLUMN] = {PRIVILEGE_OWNERSHIP, "alter a column for table"},
    [ACCESS_DROP_COLUMN] = {PRIVILEGE_OWNERSHIP, "drop a column from table"},
    [ACCESS_RENAME_COLUMN] = {PRIVILEGE_OWNERSHIP, "rename a column in table"},
    [ACCESS_INSERT] = {PRIVILEGE_INSERT, "insert into table"},
    [ACCESS_DELETE] = {PRIVILEGE_DELETE, "delete from table"},
    [ACCESS_CREATE_VIEW] = {PRIVILEGE_OWNERSHIP, "create view"},
    [ACCESS_DROP_VIEW] = {PRIVILEGE_OWNERSHIP, "drop view"},
    [ACCESS_COMMENT_VIEW] = {PRIVILEGE_OWNERSHIP, "comment view to"},
    [ACCESS_CREATE_MATERIALIZED_VIEW] = {PRIVILEGE_OWNERSHIP, "create materialized view"},
    [ACCESS_REFRESH_MATERIALIZED_VIEW] = {PRIVILEGE_UPDATE, "refresh materialized view"},
    [ACCESS_DROP_MATERIALIZED_VIEW] = {PRIVILEGE_OWNERSHIP, "drop materialized view"},
    [ACCESS_SET_MATERIALIZED_VIEW_PROPERTIES] = {PRIVILEGE_OWNERSHIP, "set properties of materialized view"},
};

int access_check_table(const struct access *a, enum access_table_action action, const struct access_table *table,
                       struct err *err)
{
    int r = access_check_catalog(a, table->catalog, err);
    enum access_mode mode = action == ACCESS_SHOW_COLUMNS ? MODE_READ_ONLY : MODE_ALL;

    if (r < 0 || is_open(a) || has_privilege(a, table, table_actions[action].privilege, mode))
        return r;
    return deny(err, "Cannot %s " TABLE_FORMAT, table_actions[action].what, TABLE_ARGS(table));
}

int access_check_rename(const struct access *a, enum access_relation kind, const struct access_table *from,
                        const struct access_table *to, struct err *err)
{
    static const char *const what[] = {"table", "view", "materialized view"};
    int r = access_check_catalog(a, from->catalog, err);

    if (r < 0 || is_open(a) || (owns_table(a, from) && owns_table(a, to)))
        return r;
    return deny(err, "Cannot rename %s from " TABLE_FORMAT " to " TABLE_FORMAT, what[kind], TABLE_ARGS(from),
                TABLE_ARGS(to));
}

static bool may_select(const struct rule *rule, const struct str *columns, size_t n)
{
    if (!rule || !(rule->allow & PRIVILEGE_READ_ONLY))
        return false;
    for (size_t i = 0; i < rule->column_count; i++)
        for (size_t k = 0; rule->columns[i].is_denied && k < n; k++)
            if (str_eq(rule->columns[i].name, columns[k]))
                return false;
    return true;
}

static int deny_select(const struct access_table *t, struct err *err)
{
    return deny(err, "Cannot select from table " TABLE_FORMAT, TABLE_ARGS(t));
}

int access_check_select(const struct access *a, const struct access_table *table, const struct str *columns, size_t n,
                        struct err *err)
{
    int r = access_check_catalog(a, table->catalog, err);

    if (r < 0 || is_open(a) || str_eq(table->schema, information_schema))
        return r;
    return may_select(table_rule(a, table), columns, n) ? 0 : deny_select(table, err);
}

int access_check_select_for_view(const struct access *a, const struct access_table *table, const struct str *columns,
                                 size_t n, struct err *err)
{
    int r = access_check_catalog(a, table->catalog, err);

    if (r < 0 || is_open(a))
        return r;
    if (!has_catalog(a, table->catalog, MODE_ALL))
        return deny_select(table, err);
    if (str_eq(table->schema, information_schema))
        return 0;
    const struct rule *rule = table_rule(a, table);
    if (!may_select(rule, columns, n))
        return deny_select(table, err);
    if (rule->allow & PRIVILEGE_GRANT_SELECT)
        return 0;
    return deny(err, "View owner '%.*s' cannot create view that selects from " TABLE_FORMAT, STR_ARG(a->who.user),
                TABLE_ARGS(table));
}

int access_check_update(const struct access *a, const struct access_table *table, const struct str *columns, size_t n,
                        struct err *err)
{
    BUF_SCOPED struct buf list;
    int r = access_check_catalog(a, table->catalog, err);

    buf_init(&list, ERR_MESSAGE_SIZE);
    if (r < 0 || is_open(a) || has_privilege(a, table, PRIVILEGE_UPDATE, MODE_ALL))
        return r;
    for (size_t i = 0; i < n; i++)
        buf_addf(&list, "%s%.*s", i ? ", " : "", STR_ARG(columns[i]));
    return deny(err, "Cannot update columns [%s] in table " TABLE_FORMAT, buf_cstr(&list), TABLE_ARGS(table));
}

bool access_row_filter(const struct access *a, const struct access_table *table, struct access_expression *ret)
{
    if (is_open(a) || str_eq(table->schema, information_schema))
        return false;
    const struct rule *rule = table_rule(a, table);
    if (!rule || str_is_null(rule->filter.text))
        return false;
    *ret = rule->filter;
    return true;
}

bool access_column_mask(const struct access *a, const struct access_table *table, struct str column,
                        struct access_expression *ret)
{
    if (is_open(a) || str_eq(table->schema, information_schema))
        return false;
    const struct rule *rule = table_rule(a, table);
    for (size_t i = 0; rule && i < rule->column_count; i++) {
        if (!str_eq(rule->columns[i].name, column))
            continue;
        *ret = rule->columns[i].mask;
        return !str_is_null(ret->text);
    }
    return false;
}

/* ---- functions and procedures ---- */

static bool may_execute(const struct access *a, enum rule_section section, struct str catalog, struct str schema,
                        struct str name)
{
    const struct rule_query q = {.who = &a->who, .catalog = catalog, .schema = schema, .object = name};
    bool failed = false;

    if (!has_catalog(a, catalog, MODE_READ_ONLY))
        return false;
    const struct rule *rule = access_rules_find(a->rules, section, &q, &failed);
    return settle(rule && (rule->allow & (PRIVILEGE_EXECUTE | PRIVILEGE_GRANT_EXECUTE)), failed);
}

bool access_executes_function(const struct access *a, struct str catalog, struct str schema, struct str name)
{
    return is_open(a) || may_execute(a, RULES_FUNCTIONS, catalog, schema, name);
}

int access_check_procedure(const struct access *a, struct str catalog, struct str schema, struct str name,
                           struct err *err)
{
    int r = access_check_catalog(a, catalog, err);

    if (r < 0 || is_open(a) || may_execute(a, RULES_PROCEDURES, catalog, schema, name))
        return r;
    return deny(err, "Cannot execute procedure %.*s.%.*s.%.*s", STR_ARG(catalog), STR_ARG(schema), STR_ARG(name));
}

/* ---- roles and privileges ---- */

int access_check_grant(const struct access *a, enum access_grant what, const char *privilege,
                       const struct access_table *on, struct err *err)
{
    static const char *const words[] = {"grant", "deny", "revoke"};
    int r = access_check_catalog(a, on->catalog, err);

    if (r < 0 || is_open(a))
        return r;
    if (!str_is_null(on->name))
        return owns_table(a, on)
                   ? 0
                   : deny(err, "Cannot %s privilege %s on table " TABLE_FORMAT, words[what], privilege, TABLE_ARGS(on));
    return owns_schema(a, on->catalog, on->schema)
               ? 0
               : deny(err, "Cannot %s privilege %s on schema %.*s.%.*s", words[what], privilege, STR_ARG(on->catalog),
                      STR_ARG(on->schema));
}

static bool may_set_authorization(const struct access *a, bool to_role, struct str to)
{
    const struct rules_section *s = &a->rules->sections[RULES_AUTHORIZATION];
    const struct rule_query q = {.who = &a->who};

    for (size_t i = 0; i < s->n; i++) {
        const struct access_regex *pattern = s->items[i].patterns[to_role ? PATTERN_NEW_ROLE : PATTERN_NEW_USER];
        bool failed = false;
        if (!pattern || !access_rule_matches(&s->items[i], &q, PATTERN_GROUP, &failed))
            continue;
        int r = access_regex_matches(pattern, to);
        if (r != 0)
            return settle(r > 0 && s->items[i].allow, failed || r < 0);
    }
    return false;
}

int access_check_set_authorization(const struct access *a, const char *kind, const struct access_table *on,
                                   bool to_role, struct str to, struct err *err)
{
    bool is_schema = strcmp(kind, "SCHEMA") == 0;
    char lower[16] = "";

    if (is_open(a))
        return 0;
    if ((is_schema ? owns_schema(a, on->catalog, on->schema) : owns_table(a, on)) &&
        may_set_authorization(a, to_role, to))
        return 0;
    for (size_t i = 0; kind[i] && i + 1 < sizeof(lower); i++)
        lower[i] = (char)(kind[i] | 0x20);
    return deny(err, "Cannot set authorization for %s %.*s.%.*s%s%.*s to %s %.*s", lower, STR_ARG(on->catalog),
                STR_ARG(on->schema), is_schema ? "" : ".", STR_ARG(is_schema ? STR("") : on->name),
                to_role ? "ROLE" : "USER", STR_ARG(to));
}

int access_check_create_role(const struct access *a, struct str role, struct err *err)
{
    return is_open(a) ? 0 : deny(err, "Cannot create role %.*s", STR_ARG(role));
}

int access_check_drop_role(const struct access *a, struct str role, struct err *err)
{
    return is_open(a) ? 0 : deny(err, "Cannot drop role %.*s", STR_ARG(role));
}

int access_check_grant_roles(const struct access *a, bool revoke, struct str roles, struct str grantees,
                             struct err *err)
{
    if (is_open(a))
        return 0;
    return deny(err, "Cannot %s roles %.*s %s %.*s", revoke ? "revoke" : "grant", STR_ARG(roles),
                revoke ? "from" : "to", STR_ARG(grantees));
}
