#include "access/mapping.h"

#include "access/regex.h"
#include "base/json.h"
#include "os/file.h"

enum { MAPPING_RULES_MAX = 1000, FILE_MAX = 1 << 20 };
enum mapping_case { CASE_KEEP, CASE_LOWER, CASE_UPPER };

struct mapping_rule {
    struct access_regex *pattern;
    struct str user; /* a replacement */
    bool denies;
    enum mapping_case letters;
};

struct user_mapping {
    struct arena arena;
    struct mapping_rule *rules;
    size_t n;
};

static int read_letters(struct str text, enum mapping_case *ret, struct err *err)
{
    static const char *const names[] = {"keep", "lower", "upper"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_eq_nocase(text, str_from_cstr(names[i]))) {
            *ret = (enum mapping_case)i;
            return 0;
        }
    return err_set(err, ERR_INVALID, "expected keep, lower or upper as case, found %.*s", STR_ARG(text));
}

/* {"pattern": …, "user": "$1", "allow": true, "case": "keep"} */
static int read_rule(struct user_mapping *m, const json_t *v, struct mapping_rule *to, struct err *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(v))
        return err_set(err, ERR_INVALID, "expected an object as rule");
    to->user = STR("$1");
    json_object_foreach((json_t *)v, name, value)
    {
        int r = 0;
        if (json_is_null(value))
            continue;
        if (strcmp(name, "pattern") == 0 && json_is_string(value) && !to->pattern)
            r = access_regex_new(json_str(value), &to->pattern, err);
        else if (strcmp(name, "user") == 0 && json_is_string(value))
            to->user = arena_str(&m->arena, json_str(value));
        else if (strcmp(name, "allow") == 0 && json_is_boolean(value))
            to->denies = json_is_false(value);
        else if (strcmp(name, "case") == 0 && json_is_string(value))
            r = read_letters(json_str(value), &to->letters, err);
        else
            r = err_set(err, ERR_INVALID, "expected pattern, user, allow and case, each of its type, found %s", name);
        if (r < 0)
            return r;
    }
    return to->pattern ? 0 : err_set(err, ERR_INVALID, "expected the key pattern, which is missing");
}

static int read_rules(struct user_mapping *m, const json_t *root, struct err *err)
{
    const json_t *list = json_object_get(root, "rules");
    size_t n = json_array_size(list);

    if (!json_is_array(list) || json_object_size(root) != 1 || n == 0 || n > MAPPING_RULES_MAX)
        return err_set(err, ERR_INVALID, "expected {\"rules\": […]} with 1 to %d rules", MAPPING_RULES_MAX);
    m->rules = arena_array(&m->arena, struct mapping_rule, n);
    for (size_t i = 0; i < n; i++) {
        m->n++;
        int r = read_rule(m, json_array_get(list, i), &m->rules[i], err);
        if (r < 0)
            return err_prefix(err, "rules[%zu]", i);
    }
    return 0;
}

static int read_file(struct user_mapping *m, struct str file, struct err *err)
{
    BUF_SCOPED struct buf text;
    JSON_SCOPED json_t *root = NULL;

    buf_init(&text, FILE_MAX);
    int r = file_read(arena_cstr(&m->arena, file), &text, err);
    if (r == 0)
        r = json_parse(buf_str(&text), &root, err);
    if (r == 0)
        r = read_rules(m, root, err);
    return r < 0 ? err_prefix(err, "%.*s", STR_ARG(file)) : 0;
}

int user_mapping_new(struct str pattern, struct str file, struct user_mapping **ret, struct err *err)
{
    struct user_mapping *m = calloc(1, sizeof(*m));
    int r = 0;

    if (!m)
        abort();
    if (!str_is_null(file)) {
        r = str_is_null(pattern) ? read_file(m, file, err)
                                 : err_set(err, ERR_INVALID, "user mapping pattern and file can not both be set");
    } else if (!str_is_null(pattern)) {
        m->rules = arena_new(&m->arena, struct mapping_rule);
        m->n = 1;
        m->rules->user = STR("$1");
        r = access_regex_new(pattern, &m->rules->pattern, err);
        if (r == 0 && access_regex_groups(m->rules->pattern) == 0)
            r = err_set(err, ERR_INVALID,
                        "a user mapping pattern needs a group that is the user, such as (.*)@example.com");
    }
    if (r < 0) {
        user_mapping_free(m);
        return r;
    }
    *ret = m;
    return 0;
}

void user_mapping_free(struct user_mapping *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n; i++)
        access_regex_free(m->rules[i].pattern);
    arena_release(&m->arena);
    free(m);
}

/* 1: mapped, 0: the rule is for others. */
static int apply(const struct mapping_rule *rule, struct arena *a, struct str principal, struct str *ret,
                 struct err *err)
{
    int r = access_regex_matches(rule->pattern, principal);

    if (r < 0)
        return err_set(err, ERR_DENIED, "Matching the principal takes too many steps");
    if (r == 0)
        return 0;
    if (rule->denies)
        return err_set(err, ERR_DENIED, "Principal is not allowed");
    if (access_regex_replace_all(rule->pattern, a, principal, rule->user, ret, NULL) < 0)
        return err_set(err, ERR_DENIED, "The user mapping's replacement is of no use for the principal");
    *ret = str_trim(*ret);
    if (str_is_empty(*ret))
        return err_set(err, ERR_DENIED, "Principal matched, but mapped user is empty");
    if (rule->letters == CASE_LOWER)
        *ret = arena_lower(a, *ret);
    if (rule->letters == CASE_UPPER) {
        char *p = arena_cstr(a, *ret);
        for (size_t i = 0; i < ret->n; i++)
            if (p[i] >= 'a' && p[i] <= 'z')
                p[i] = (char)(p[i] - 'a' + 'A');
        ret->p = p;
    }
    return 1;
}

int user_mapping_map(const struct user_mapping *m, struct arena *a, struct str principal, struct str *ret,
                     struct err *err)
{
    if (m->n == 0) {
        *ret = principal;
        return str_is_empty(principal) ? err_set(err, ERR_DENIED, "Principal matched, but mapped user is empty") : 0;
    }
    for (size_t i = 0; i < m->n; i++) {
        int r = apply(&m->rules[i], a, principal, ret, err);
        if (r != 0)
            return r < 0 ? r : 0;
    }
    return err_set(err, ERR_DENIED, "No user mapping patterns match the principal");
}
