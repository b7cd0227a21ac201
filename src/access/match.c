/*
 * Which rule decides: the first that matches. A pattern that takes too many steps to match is no answer, so the question
 * that led there is answered with "denied", whatever the rule would have said.
 */
#include "access/rules.h"

static bool matches_text(const struct access_regex *pattern, struct str text, bool *ret_failed)
{
    int r = access_regex_matches(pattern, text);

    *ret_failed |= r < 0;
    return r > 0;
}

static bool matches_any(const struct access_regex *pattern, const struct str *texts, size_t n, bool *ret_failed)
{
    for (size_t i = 0; i < n; i++)
        if (matches_text(pattern, texts[i], ret_failed))
            return true;
    return false;
}

bool access_rule_matches(const struct rule *rule, const struct rule_query *q, enum rule_pattern last, bool *ret_failed)
{
    const struct access_identity *who = q->who;

    for (enum rule_pattern i = PATTERN_USER; i <= last; i++) {
        const struct access_regex *pattern = rule->patterns[i];
        bool ok = true;

        if (!pattern)
            continue;
        switch (i) {
        case PATTERN_USER:
            ok = matches_text(pattern, who->user, ret_failed);
            break;
        case PATTERN_ROLE:
            ok = matches_any(pattern, who->roles, who->role_count, ret_failed);
            break;
        case PATTERN_GROUP:
            ok = matches_any(pattern, who->groups, who->group_count, ret_failed);
            break;
        case PATTERN_CATALOG:
            ok = str_is_null(q->catalog) || matches_text(pattern, q->catalog, ret_failed);
            break;
        case PATTERN_SCHEMA:
            ok = str_is_null(q->schema) || matches_text(pattern, q->schema, ret_failed);
            break;
        default:
            ok = str_is_null(q->object) || matches_text(pattern, q->object, ret_failed);
        }
        if (!ok)
            return false;
    }
    return true;
}

/* Functions and procedures that are built in may be called when no rules speak of them. */
static const struct rule *find_builtin(const struct rule_query *q)
{
    static const struct rule allow = {.allow = PRIVILEGE_EXECUTE | PRIVILEGE_GRANT_EXECUTE};

    return str_eq(q->catalog, STR("system")) && str_eq(q->schema, STR("builtin")) ? &allow : NULL;
}

const struct rule *access_rules_find(const struct access_rules *r, enum rule_section section,
                                     const struct rule_query *q, bool *ret_failed)
{
    static const struct rule allow_all = {.allow = PRIVILEGE_TABLE_ALL};
    const struct rules_section *s = &r->sections[section];

    if (!s->is_set)
        return section == RULES_FUNCTIONS || section == RULES_PROCEDURES ? find_builtin(q) : &allow_all;
    for (size_t i = 0; i < s->n; i++)
        if (access_rule_matches(&s->items[i], q, PATTERN_OBJECT, ret_failed))
            return &s->items[i];
    return NULL;
}

enum access_mode access_rules_catalog_mode(const struct access_rules *r, const struct access_identity *who,
                                           struct str catalog, bool *ret_failed)
{
    const struct rule_query q = {.who = who, .catalog = catalog};

    if (!r->sections[RULES_CATALOGS].is_set)
        return MODE_ALL;
    const struct rule *rule = access_rules_find(r, RULES_CATALOGS, &q, ret_failed);
    if (rule)
        return (enum access_mode)rule->allow;
    return str_eq(catalog, STR("system")) ? MODE_ALL : MODE_NONE; /* as Trino adds a last rule */
}

bool access_rules_any_schema(const struct access_rules *r, const struct access_identity *who, struct str catalog,
                             struct str schema, bool *ret_failed)
{
    static const enum rule_section giving[] = {RULES_SCHEMAS, RULES_TABLES, RULES_FUNCTIONS, RULES_PROCEDURES,
                                               RULES_CATALOG_SESSION_PROPERTIES};
    const struct rule_query q = {.who = who, .catalog = catalog, .schema = schema};

    for (size_t i = 0; i < sizeof(giving) / sizeof(giving[0]); i++) {
        const struct rules_section *s = &r->sections[giving[i]];
        bool is_routine = giving[i] == RULES_FUNCTIONS || giving[i] == RULES_PROCEDURES;

        if (giving[i] == RULES_CATALOG_SESSION_PROPERTIES && !str_is_null(schema))
            continue; /* they let a catalog be seen, no schema */
        if (!s->is_set && !is_routine)
            return true;
        if (!s->is_set && str_eq(catalog, STR("system")) && (str_is_null(schema) || str_eq(schema, STR("builtin"))))
            return true;
        for (size_t k = 0; k < s->n; k++)
            if (s->items[k].allow && access_rule_matches(&s->items[k], &q, PATTERN_SCHEMA, ret_failed))
                return true;
    }
    return false;
}
