/* One version of the rules, as parsed. Private to the module. */
#ifndef ACCESS_RULES_H
#define ACCESS_RULES_H

#include "access/access.h"
#include "access/regex.h"

#include <stdatomic.h>

enum access_mode { MODE_NONE, MODE_READ_ONLY, MODE_ALL, MODE_OWNER };

enum { /* bits */
       PRIVILEGE_SELECT = 1,
       PRIVILEGE_INSERT = 2,
       PRIVILEGE_DELETE = 4,
       PRIVILEGE_UPDATE = 8,
       PRIVILEGE_OWNERSHIP = 16,
       PRIVILEGE_GRANT_SELECT = 32,
       PRIVILEGE_EXECUTE = 64,
       PRIVILEGE_GRANT_EXECUTE = 128,
       PRIVILEGE_TABLE_ALL = 63,
       PRIVILEGE_READ_ONLY = PRIVILEGE_SELECT | PRIVILEGE_GRANT_SELECT,
};

enum { QUERY_EXECUTE = 1, QUERY_VIEW = 2, QUERY_KILL = 4 };
enum { INFORMATION_READ = 1, INFORMATION_WRITE = 2 };

/* What a rule is for; a NULL pattern matches all. */
enum rule_pattern {
    PATTERN_USER,
    PATTERN_ROLE,
    PATTERN_GROUP,
    PATTERN_CATALOG,
    PATTERN_SCHEMA,
    PATTERN_OBJECT, /* table, function, procedure, property, queryOwner */
    PATTERN_NEW_USER,
    PATTERN_NEW_ROLE,
    PATTERN_PRINCIPAL,
    PATTERN_COUNT
};

struct column_rule {
    struct str name;
    bool is_denied;
    struct access_expression mask; /* text null: none */
};

struct rule {
    struct access_regex *patterns[PATTERN_COUNT];
    unsigned allow;              /* an access_mode, bits of privileges or accesses, or a boolean */
    struct str replacement;      /* impersonation: new_user; principals: principal_to_user */
    struct column_rule *columns; /* tables */
    size_t column_count;
    struct access_expression filter; /* tables; text null: none */
};

enum rule_section {
    RULES_CATALOGS,
    RULES_QUERIES,
    RULES_IMPERSONATION,
    RULES_PRINCIPALS,
    RULES_SYSTEM_INFORMATION,
    RULES_AUTHORIZATION,
    RULES_SCHEMAS,
    RULES_TABLES,
    RULES_SYSTEM_SESSION_PROPERTIES,
    RULES_CATALOG_SESSION_PROPERTIES,
    RULES_FUNCTIONS,
    RULES_PROCEDURES,
    RULES_SECTION_COUNT
};

struct rules_section {
    bool is_set; /* it stands in the file */
    struct rule *items;
    size_t n;
};

struct access_rules {
    atomic_int refs;
    struct arena arena;
    struct rules_section sections[RULES_SECTION_COUNT];
};

/* ERR_INVALID: "tables[2].privileges: expected …"; a syntax error has line and column. */
MUST_CHECK int access_rules_parse(struct str json, struct access_rules **ret, struct err *err);
void access_rules_unref(struct access_rules *r);

/* ---- match.c ---- */

/* What is asked about: a null member is not looked at by any pattern. */
struct rule_query {
    const struct access_identity *who;
    struct str catalog, schema, object;
};

/* The first rule of the section that matches, or NULL. *ret_failed is set, and never cleared, when a pattern took too many
 * steps: then nothing may be allowed. */
const struct rule *access_rules_find(const struct access_rules *r, enum rule_section section,
                                     const struct rule_query *q, bool *ret_failed);
/* Whether a rule matches by its first patterns alone, up to and with `last` (user, role, group, catalog, schema). */
bool access_rule_matches(const struct rule *rule, const struct rule_query *q, enum rule_pattern last, bool *ret_failed);
enum access_mode access_rules_catalog_mode(const struct access_rules *r, const struct access_identity *who,
                                           struct str catalog, bool *ret_failed);
/* Some rule gives something in the catalog (`schema` null) or in the schema. */
bool access_rules_any_schema(const struct access_rules *r, const struct access_identity *who, struct str catalog,
                             struct str schema, bool *ret_failed);

#endif
