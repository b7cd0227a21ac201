/*
 * The rules' JSON, by tables of keys a section (Trino 476's …AccessControlRule classes). What Trino refuses is refused:
 * unknown keys, unknown privileges, patterns that don't compile, a rule without what it needs.
 */
#include "access/rules.h"

#include "base/json.h"
#include "base/vec.h"

enum { RULES_MAX = 10000, COLUMNS_MAX = 10000, TEXT_MAX = 64 << 10 };

enum key_kind {
    KEY_PATTERN,
    KEY_NEW_USER,    /* a pattern that is a replacement too */
    KEY_REPLACEMENT, /* principal_to_user */
    KEY_MODE,        /* all, read-only, none, owner, true, false */
    KEY_BOOLEAN,     /* into `allow` */
    KEY_WORDS,       /* a set of `words` into `allow` */
    KEY_COLUMNS,
    KEY_FILTER,
    KEY_ENVIRONMENT,
    KEY_KINDS, /* function_kinds: must be empty */
};

struct word {
    const char *text;
    unsigned bit;
};

static const struct word table_privileges[] = {{"SELECT", PRIVILEGE_SELECT},
                                               {"INSERT", PRIVILEGE_INSERT},
                                               {"DELETE", PRIVILEGE_DELETE},
                                               {"UPDATE", PRIVILEGE_UPDATE},
                                               {"OWNERSHIP", PRIVILEGE_OWNERSHIP},
                                               {"GRANT_SELECT", PRIVILEGE_GRANT_SELECT},
                                               {NULL, 0}};
static const struct word function_privileges[] = {{"EXECUTE", PRIVILEGE_EXECUTE},
                                                  {"GRANT_EXECUTE", PRIVILEGE_GRANT_EXECUTE},
                                                  {"OWNERSHIP", PRIVILEGE_OWNERSHIP},
                                                  {NULL, 0}};
static const struct word procedure_privileges[] = {
    {"EXECUTE", PRIVILEGE_EXECUTE}, {"GRANT_EXECUTE", PRIVILEGE_GRANT_EXECUTE}, {NULL, 0}};
static const struct word query_accesses[] = {
    {"execute", QUERY_EXECUTE}, {"view", QUERY_VIEW}, {"kill", QUERY_KILL}, {NULL, 0}};
static const struct word information_accesses[] = {{"read", INFORMATION_READ}, {"write", INFORMATION_WRITE}, {NULL, 0}};

struct key {
    const char *name, *alias; /* alias NULL: none */
    enum key_kind kind;
    enum rule_pattern pattern;
    const struct word *words;
    bool is_required;
};

/* clang-format off */
#define PATTERN(name, which) {name, NULL, KEY_PATTERN, which, NULL, false}
#define WHO PATTERN("user", PATTERN_USER), PATTERN("role", PATTERN_ROLE), PATTERN("group", PATTERN_GROUP)
#define WORDS(name, words) {name, NULL, KEY_WORDS, 0, words, true}
#define BOOLEAN(name) {name, NULL, KEY_BOOLEAN, 0, NULL, false}

static const struct key catalog_keys[] = {
    WHO, PATTERN("catalog", PATTERN_CATALOG), {"allow", NULL, KEY_MODE, 0, NULL, true}, {0}};
static const struct key query_keys[] = {
    WHO, PATTERN("queryOwner", PATTERN_OBJECT), WORDS("allow", query_accesses), {0}};
static const struct key impersonation_keys[] = {
    {"original_user", "originalUser", KEY_PATTERN, PATTERN_USER, NULL, false},
    PATTERN("original_role", PATTERN_ROLE),
    {"new_user", "newUser", KEY_NEW_USER, PATTERN_NEW_USER, NULL, true},
    BOOLEAN("allow"), {0}};
static const struct key principal_keys[] = {
    {"principal", NULL, KEY_PATTERN, PATTERN_PRINCIPAL, NULL, true},
    PATTERN("user", PATTERN_USER),
    {"principal_to_user", NULL, KEY_REPLACEMENT, 0, NULL, false},
    BOOLEAN("allow"), {0}};
static const struct key information_keys[] = {
    PATTERN("user", PATTERN_USER), PATTERN("role", PATTERN_ROLE), WORDS("allow", information_accesses), {0}};
static const struct key authorization_keys[] = {
    {"original_user", "originalUser", KEY_PATTERN, PATTERN_USER, NULL, false},
    {"original_group", "originalGroup", KEY_PATTERN, PATTERN_GROUP, NULL, false},
    {"original_role", "originalRole", KEY_PATTERN, PATTERN_ROLE, NULL, false},
    {"new_user", "newUser", KEY_PATTERN, PATTERN_NEW_USER, NULL, false},
    {"new_role", "newRole", KEY_PATTERN, PATTERN_NEW_ROLE, NULL, false},
    BOOLEAN("allow"), {0}};
static const struct key schema_keys[] = {
    WHO, PATTERN("catalog", PATTERN_CATALOG), PATTERN("schema", PATTERN_SCHEMA), BOOLEAN("owner"), {0}};
static const struct key table_keys[] = {
    WHO, PATTERN("catalog", PATTERN_CATALOG), PATTERN("schema", PATTERN_SCHEMA), PATTERN("table", PATTERN_OBJECT),
    WORDS("privileges", table_privileges),
    {"columns", NULL, KEY_COLUMNS, 0, NULL, false},
    {"filter", NULL, KEY_FILTER, 0, NULL, false},
    {"filter_environment", NULL, KEY_ENVIRONMENT, 0, NULL, false}, {0}};
static const struct key property_keys[] = {
    WHO, PATTERN("property", PATTERN_OBJECT), BOOLEAN("allow"), {0}};
static const struct key catalog_property_keys[] = {
    WHO, PATTERN("catalog", PATTERN_CATALOG), PATTERN("property", PATTERN_OBJECT), BOOLEAN("allow"), {0}};
static const struct key function_keys[] = {
    WHO, PATTERN("catalog", PATTERN_CATALOG), PATTERN("schema", PATTERN_SCHEMA), PATTERN("function", PATTERN_OBJECT),
    WORDS("privileges", function_privileges),
    {"function_kinds", "functionKinds", KEY_KINDS, 0, NULL, false}, {0}};
static const struct key procedure_keys[] = {
    WHO, PATTERN("catalog", PATTERN_CATALOG), PATTERN("schema", PATTERN_SCHEMA), PATTERN("procedure", PATTERN_OBJECT),
    WORDS("privileges", procedure_privileges), {0}};
/* clang-format on */

static const struct {
    const char *name;
    const struct key *keys;
    bool allows; /* what `allow` is when it isn't said */
} sections[RULES_SECTION_COUNT] = {
    [RULES_CATALOGS] = {"catalogs", catalog_keys, false},
    [RULES_QUERIES] = {"queries", query_keys, false},
    [RULES_IMPERSONATION] = {"impersonation", impersonation_keys, true},
    [RULES_PRINCIPALS] = {"principals", principal_keys, false},
    [RULES_SYSTEM_INFORMATION] = {"system_information", information_keys, false},
    [RULES_AUTHORIZATION] = {"authorization", authorization_keys, true},
    [RULES_SCHEMAS] = {"schemas", schema_keys, false},
    [RULES_TABLES] = {"tables", table_keys, false},
    [RULES_SYSTEM_SESSION_PROPERTIES] = {"system_session_properties", property_keys, false},
    [RULES_CATALOG_SESSION_PROPERTIES] = {"catalog_session_properties", catalog_property_keys, false},
    [RULES_FUNCTIONS] = {"functions", function_keys, false},
    [RULES_PROCEDURES] = {"procedures", procedure_keys, false},
};

struct parser {
    struct access_rules *rules;
    struct err *err;
    const char *section;
    size_t index; /* of the rule */
};

static int fail(struct parser *p, const char *key, const char *fmt, ...) PRINTF_LIKE(3, 4);
static int fail(struct parser *p, const char *key, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    err_setv(p->err, ERR_INVALID, fmt, ap);
    va_end(ap);
    return key ? err_prefix(p->err, "%s[%zu].%s", p->section, p->index, key)
               : err_prefix(p->err, "%s[%zu]", p->section, p->index);
}

static int read_text(struct parser *p, const char *key, const json_t *v, struct str *ret)
{
    if (!json_is_string(v))
        return fail(p, key, "expected a string");
    if (json_string_length(v) > TEXT_MAX)
        return fail(p, key, "more than %d bytes", TEXT_MAX);
    *ret = arena_str(&p->rules->arena, json_str(v));
    return 0;
}

static int read_pattern(struct parser *p, const char *key, const json_t *v, struct access_regex **to)
{
    struct str text;
    int r = read_text(p, key, v, &text);

    if (r == 0 && (r = access_regex_new(text, to, p->err)) < 0)
        err_prefix(p->err, "%s[%zu].%s", p->section, p->index, key);
    return r;
}

static int read_mode(struct parser *p, const char *key, const json_t *v, unsigned *to)
{
    static const struct word modes[] = {
        {"owner", MODE_OWNER}, {"all", MODE_ALL}, {"read-only", MODE_READ_ONLY}, {"none", MODE_NONE}};

    if (json_is_boolean(v)) {
        *to = json_is_true(v) ? MODE_ALL : MODE_NONE;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (json_is_string(v) && str_eq_nocase(json_str(v), str_from_cstr(modes[i].text))) {
            *to = modes[i].bit;
            return 0;
        }
    return fail(p, key, "expected all, read-only, none, owner, true or false");
}

static int read_words(struct parser *p, const char *key, const json_t *v, const struct word *words, unsigned *to)
{
    unsigned bits = 0;

    if (!json_is_array(v))
        return fail(p, key, "expected a list");
    for (size_t i = 0; i < json_array_size(v); i++) {
        const json_t *item = json_array_get(v, i);
        const struct word *w = words;

        while (w->text && !(json_is_string(item) && str_eq_nocase(json_str(item), str_from_cstr(w->text))))
            w++;
        if (!w->text)
            return json_is_string(item) ? fail(p, key, "unknown word %.*s", STR_ARG(json_str(item)))
                                        : fail(p, key, "expected strings");
        bits |= w->bit;
    }
    *to = bits;
    return 0;
}

/* {"user": "…"} */
static int read_environment(struct parser *p, const char *key, const json_t *v, struct str *to)
{
    const char *name;
    json_t *value;

    if (!json_is_object(v))
        return fail(p, key, "expected an object");
    json_object_foreach((json_t *)v, name, value)
    {
        if (strcmp(name, "user") != 0)
            return fail(p, key, "unknown key %s: expected user", name);
        if (json_is_null(value))
            continue;
        int r = read_text(p, key, value, to);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_column(struct parser *p, const json_t *v, struct column_rule *to)
{
    const char *name;
    json_t *value;
    int r = 0;

    if (!json_is_object(v))
        return fail(p, "columns", "expected objects");
    json_object_foreach((json_t *)v, name, value)
    {
        if (json_is_null(value))
            continue;
        if (strcmp(name, "name") == 0)
            r = read_text(p, "columns.name", value, &to->name);
        else if (strcmp(name, "allow") == 0 && json_is_boolean(value))
            to->is_denied = json_is_false(value);
        else if (strcmp(name, "allow") == 0)
            r = fail(p, "columns.allow", "expected true or false");
        else if (strcmp(name, "mask") == 0)
            r = read_text(p, "columns.mask", value, &to->mask.text);
        else if (strcmp(name, "mask_environment") == 0)
            r = read_environment(p, "columns.mask_environment", value, &to->mask.user);
        else
            r = fail(p, "columns", "unknown key %s: expected name, allow, mask or mask_environment", name);
        if (r < 0)
            return r;
    }
    return str_is_null(to->name) ? fail(p, "columns", "expected the key name, which is missing") : 0;
}

static int read_columns(struct parser *p, const json_t *v, struct rule *to)
{
    size_t n = json_array_size(v);

    if (!json_is_array(v) || n > COLUMNS_MAX)
        return fail(p, "columns", "expected a list of at most %d columns", COLUMNS_MAX);
    to->columns = arena_array(&p->rules->arena, struct column_rule, n);
    for (size_t i = 0; i < n; i++) {
        int r = read_column(p, json_array_get(v, i), &to->columns[i]);
        if (r < 0)
            return r;
        for (size_t k = 0; k < i; k++)
            if (str_eq(to->columns[k].name, to->columns[i].name))
                return fail(p, "columns", "column %.*s stands here twice", STR_ARG(to->columns[i].name));
        to->column_count++;
    }
    return 0;
}

static int read_value(struct parser *p, const struct key *k, const json_t *v, struct rule *to)
{
    int r;

    switch (k->kind) {
    case KEY_PATTERN:
        return read_pattern(p, k->name, v, &to->patterns[k->pattern]);
    case KEY_NEW_USER: /* has to be a pattern as it stands, too */
        r = read_pattern(p, k->name, v, &to->patterns[k->pattern]);
        return r < 0 ? r : read_text(p, k->name, v, &to->replacement);
    case KEY_REPLACEMENT:
        return read_text(p, k->name, v, &to->replacement);
    case KEY_MODE:
        return read_mode(p, k->name, v, &to->allow);
    case KEY_BOOLEAN:
        if (!json_is_boolean(v))
            return fail(p, k->name, "expected true or false");
        to->allow = json_is_true(v);
        return 0;
    case KEY_WORDS:
        return read_words(p, k->name, v, k->words, &to->allow);
    case KEY_COLUMNS:
        return read_columns(p, v, to);
    case KEY_FILTER:
        return read_text(p, k->name, v, &to->filter.text);
    case KEY_ENVIRONMENT:
        return read_environment(p, k->name, v, &to->filter.user);
    case KEY_KINDS:
        return json_is_array(v) && json_array_size(v) == 0
                   ? 0
                   : fail(p, k->name, "function_kind is no longer supported in security rules");
    }
    return 0;
}

static const struct key *find_key(const struct key *keys, const char *name)
{
    for (const struct key *k = keys; k->name; k++)
        if (strcmp(k->name, name) == 0 || (k->alias && strcmp(k->alias, name) == 0))
            return k;
    return NULL;
}

static int unknown_key(struct parser *p, const struct key *keys, const char *name)
{
    BUF_SCOPED struct buf known;

    buf_init(&known, 1024);
    for (const struct key *k = keys; k->name; k++)
        buf_addf(&known, "%s%s", k == keys ? "" : ", ", k->name);
    return fail(p, NULL, "unknown key %s: expected one of %s", name, buf_cstr(&known));
}

/* What no table of keys says. */
static int check_rule(struct parser *p, enum rule_section section, const struct rule *rule)
{
    switch (section) {
    case RULES_QUERIES:
        if (rule->patterns[PATTERN_OBJECT] && (rule->allow & QUERY_EXECUTE))
            return fail(p, NULL,
                        "A valid query rule cannot combine an queryOwner condition with access mode 'execute'");
        return 0;
    case RULES_PRINCIPALS:
        if (!rule->patterns[PATTERN_USER] && str_is_null(rule->replacement))
            return fail(p, NULL,
                        "A valid principal rule must provide at least one criterion of user and "
                        "user_extraction");
        return 0;
    case RULES_AUTHORIZATION:
        if (!rule->patterns[PATTERN_NEW_USER] && !rule->patterns[PATTERN_NEW_ROLE])
            return fail(p, NULL, "At least one of new_user or new_role is required, none were provided");
        return 0;
    default:
        return 0;
    }
}

static int read_rule(struct parser *p, enum rule_section section, const json_t *v, struct rule *to)
{
    const struct key *keys = sections[section].keys;
    const char *name;
    json_t *value;

    if (!json_is_object(v))
        return fail(p, NULL, "expected an object");
    to->allow = sections[section].allows;
    json_object_foreach((json_t *)v, name, value)
    {
        const struct key *k = find_key(keys, name);
        if (!k)
            return unknown_key(p, keys, name);
        int r = json_is_null(value) ? 0 : read_value(p, k, value, to);
        if (r < 0)
            return r;
    }
    for (const struct key *k = keys; k->name; k++) {
        const json_t *said = json_object_get(v, k->name);
        if (k->alias && !said)
            said = json_object_get(v, k->alias);
        if (k->is_required && (!said || json_is_null(said)))
            return fail(p, NULL, "expected the key %s, which is missing", k->name);
    }
    return check_rule(p, section, to);
}

static int read_section(struct parser *p, enum rule_section section, const json_t *v)
{
    struct rules_section *to = &p->rules->sections[section];
    size_t n = json_array_size(v);

    if (!json_is_array(v))
        return err_set(p->err, ERR_INVALID, "%s: expected a list of rules", p->section);
    if (n > RULES_MAX)
        return err_set(p->err, ERR_LIMIT, "%s: more than %d rules", p->section, RULES_MAX);
    to->is_set = true;
    to->items = arena_array(&p->rules->arena, struct rule, n);
    for (size_t i = 0; i < n; i++) {
        p->index = i;
        to->n++; /* what is there is freed, also half-read */
        int r = read_rule(p, section, json_array_get(v, i), &to->items[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_rules(struct parser *p, const json_t *v)
{
    const char *name;
    json_t *value;

    if (!json_is_object(v))
        return err_set(p->err, ERR_INVALID, "expected an object with sections such as \"catalogs\"");
    json_object_foreach((json_t *)v, name, value)
    {
        size_t i = 0;
        while (i < RULES_SECTION_COUNT && strcmp(sections[i].name, name) != 0)
            i++;
        if (i == RULES_SECTION_COUNT) {
            BUF_SCOPED struct buf known;
            buf_init(&known, 1024);
            for (size_t k = 0; k < RULES_SECTION_COUNT; k++)
                buf_addf(&known, "%s%s", k ? ", " : "", sections[k].name);
            return err_set(p->err, ERR_INVALID, "unknown section %s: expected one of %s", name, buf_cstr(&known));
        }
        p->section = sections[i].name;
        int r = json_is_null(value) ? 0 : read_section(p, (enum rule_section)i, value);
        if (r < 0)
            return r;
    }
    return 0;
}

int access_rules_parse(struct str json, struct access_rules **ret, struct err *err)
{
    struct access_rules *rules = calloc(1, sizeof(*rules));
    struct parser p = {.rules = rules, .err = err};
    JSON_SCOPED json_t *root = NULL;

    if (!rules)
        abort();
    atomic_init(&rules->refs, 1);
    int r = json_parse(json, &root, err);
    if (r == 0)
        r = read_rules(&p, root);
    if (r < 0) {
        access_rules_unref(rules);
        return r;
    }
    *ret = rules;
    return 0;
}

void access_rules_unref(struct access_rules *r)
{
    if (!r || atomic_fetch_sub(&r->refs, 1) > 1)
        return;
    for (size_t s = 0; s < RULES_SECTION_COUNT; s++)
        for (size_t i = 0; i < r->sections[s].n; i++)
            for (size_t k = 0; k < PATTERN_COUNT; k++)
                access_regex_free(r->sections[s].items[i].patterns[k]);
    arena_release(&r->arena);
    free(r);
}
