/* Documents to statements. */
#include "auth/policy_internal.h"

static const char ARN[] = "arn:aws:s3:::";

/* A text, or a list of texts. */
static int take_texts(struct arena *a, const json_t *value, const char *what, struct str **ret, size_t *ret_n,
                      struct err *err)
{
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    struct str *texts = arena_array(a, struct str, n);

    for (size_t i = 0; i < n; i++) {
        texts[i] = json_str(json_is_array(value) ? json_array_get(value, i) : value);
        if (str_is_empty(texts[i]))
            return err_set(err, ERR_INVALID, "%s: expected a text or a list of texts", what);
    }
    if (n == 0)
        return err_set(err, ERR_INVALID, "%s: expected at least one", what);
    *ret = texts;
    *ret_n = n;
    return 0;
}

static int take_actions(struct arena *a, const json_t *value, const char *what, struct policy_statement *to,
                        struct err *err)
{
    struct str *texts;
    struct glob *globs;
    size_t n;
    int rc = take_texts(a, value, what, &texts, &n, err);

    if (rc < 0)
        return rc;
    globs = arena_array(a, struct glob, n);
    for (size_t i = 0; i < n; i++) {
        struct pattern p;
        rc = pattern_parse(a, texts[i], true, false, &p, err);
        if (rc < 0)
            return err_prefix(err, "%s", what);
        globs[i] = p.parts[0].text;
        if (!policy_is_action(&globs[i]))
            return err_set(err, ERR_INVALID, "%s: there is no action %.*s", what, STR_ARG(texts[i]));
    }
    to->actions = globs;
    to->action_count = n;
    return 0;
}

static int take_resources(struct arena *a, const json_t *value, const char *what, struct policy_statement *to,
                          struct err *err)
{
    struct str *texts;
    struct pattern *patterns;
    size_t n;
    int rc = take_texts(a, value, what, &texts, &n, err);

    if (rc < 0)
        return rc;
    patterns = arena_array(a, struct pattern, n);
    for (size_t i = 0; i < n; i++) {
        struct str text = texts[i];
        if (str_starts_with(text, str_from_cstr(ARN)))
            text = str_skip(text, sizeof(ARN) - 1);
        else if (!str_eq(text, STR("*")))
            return err_set(err, ERR_INVALID, "%s: expected %sBUCKET or %sBUCKET/KEY, found %.*s", what, ARN, ARN,
                           STR_ARG(texts[i]));
        if (str_is_empty(text) || text.p[0] == '/')
            return err_set(err, ERR_INVALID, "%s: %.*s names no bucket", what, STR_ARG(texts[i]));
        rc = pattern_parse(a, text, true, true, &patterns[i], err);
        if (rc < 0)
            return err_prefix(err, "%s", what);
    }
    to->resources = patterns;
    to->resource_count = n;
    return 0;
}

static int take_conditions(struct arena *a, const json_t *value, const char *what, struct policy_statement *to,
                           struct err *err)
{
    VEC(struct policy_condition) found = {0};
    const char *operator_name, *key;
    json_t *keys, *values;

    if (!json_is_object(value))
        return err_set(err, ERR_INVALID, "%s: expected an object of operators", what);
    json_object_foreach((json_t *)value, operator_name, keys)
    {
        if (!json_is_object(keys))
            return err_set(err, ERR_INVALID, "%s.%s: expected an object of keys and values", what, operator_name);
        json_object_foreach(keys, key, values)
        {
            struct policy_condition c;
            if (condition_parse(a, operator_name, key, values, &c, err) < 0)
                return err_prefix(err, "%s", what);
            vec_push_in(a, &found, c);
        }
    }
    to->conditions = found.items;
    to->condition_count = found.n;
    return 0;
}

static int take_effect(const json_t *value, const char *what, struct policy_statement *to, struct err *err)
{
    struct str text = json_str(value);

    if (!str_eq(text, STR("Allow")) && !str_eq(text, STR("Deny")))
        return err_set(err, ERR_INVALID, "%s: expected Allow or Deny", what);
    to->denies = str_eq(text, STR("Deny"));
    return 0;
}

/* Whether all it is about are other services' actions, which have no resource here. */
static bool is_about_s3(const struct policy_statement *s)
{
    if (s->not_action)
        return true;
    for (size_t i = 0; i < s->action_count; i++) {
        const struct glob *g = &s->actions[i];
        struct str text = str_from(g->text, g->n);
        size_t colon = str_find_char(text, ':', 0);
        if (colon == SIZE_MAX || glob_match(&(struct glob){g->text, g->kinds, colon}, STR("s3"), true))
            return true;
    }
    return false;
}

static int take_statement(struct arena *a, const json_t *object, const char *where, struct policy_statement *to,
                          struct err *err)
{
    const char *name;
    json_t *value;
    bool has_effect = false;

    if (!json_is_object(object))
        return err_set(err, ERR_INVALID, "%s: expected an object", where);
    json_object_foreach((json_t *)object, name, value)
    {
        const char *what = arena_printf(a, "%s.%s", where, name).p;
        bool is_not = strncmp(name, "Not", 3) == 0;
        int rc = 0;

        if (strcmp(name, "Effect") == 0) {
            has_effect = true;
            rc = take_effect(value, what, to, err);
        } else if (strcmp(name, "Action") == 0 || strcmp(name, "NotAction") == 0) {
            if (to->actions)
                return err_set(err, ERR_INVALID, "%s: has both Action and NotAction", where);
            to->not_action = is_not;
            rc = take_actions(a, value, what, to, err);
        } else if (strcmp(name, "Resource") == 0 || strcmp(name, "NotResource") == 0) {
            if (to->resources)
                return err_set(err, ERR_INVALID, "%s: has both Resource and NotResource", where);
            to->not_resource = is_not;
            rc = take_resources(a, value, what, to, err);
        } else if (strcmp(name, "Condition") == 0) {
            rc = take_conditions(a, value, what, to, err);
        } else if (strcmp(name, "Principal") == 0 || strcmp(name, "NotPrincipal") == 0) {
            return err_set(err, ERR_INVALID, "%s: a user's policy has no %s: it is about that user", where, name);
        } else if (strcmp(name, "Sid") == 0) {
            if (!json_is_string(value))
                return err_set(err, ERR_INVALID, "%s: expected a text", what);
        } else {
            return err_set(err, ERR_INVALID, "%s: there is no element %s", where, name);
        }
        if (rc < 0)
            return rc;
    }
    if (!has_effect || !to->actions)
        return err_set(err, ERR_INVALID, "%s: expected %s, which is missing", where, has_effect ? "Action" : "Effect");
    if (!to->resources && is_about_s3(to))
        return err_set(err, ERR_INVALID, "%s: expected Resource, which is missing", where);
    return 0;
}

static int take_document(struct arena *a, const json_t *root, struct policy *to, struct err *err)
{
    const char *name;
    json_t *value, *list = NULL;

    if (!json_is_object(root))
        return err_set(err, ERR_INVALID, "expected an object with Version and Statement");
    json_object_foreach((json_t *)root, name, value)
    {
        if (strcmp(name, "Version") == 0) {
            if (!str_eq(json_str(value), STR("2012-10-17")))
                return err_set(err, ERR_INVALID, "Version: expected 2012-10-17");
            to->has_version = true;
        } else if (strcmp(name, "Statement") == 0) {
            list = value;
        } else if (strcmp(name, "Id") != 0 && strcmp(name, "ID") != 0) {
            return err_set(err, ERR_INVALID, "there is no element %s", name);
        }
    }
    if (!list)
        return err_set(err, ERR_INVALID, "expected Statement, which is missing");
    size_t n = json_is_array(list) ? json_array_size(list) : 1;
    struct policy_statement *statements = arena_array(a, struct policy_statement, n);
    for (size_t i = 0; i < n; i++) {
        const char *where = arena_printf(a, "Statement[%zu]", i).p;
        int rc = take_statement(a, json_is_array(list) ? json_array_get(list, i) : list, where, &statements[i], err);
        if (rc < 0)
            return rc;
    }
    to->statements = statements;
    to->n = n;
    return 0;
}

int policy_parse(struct arena *a, struct str json, struct policy **ret, struct err *err)
{
    struct policy *p = arena_new(a, struct policy);
    JSON_SCOPED json_t *root = NULL;

    if (json.n > POLICY_SIZE_MAX)
        return err_set(err, ERR_LIMIT, "a policy has at most %d bytes, this one %zu", POLICY_SIZE_MAX, json.n);
    int rc = json_parse(json, &root, err);
    if (rc == 0)
        rc = take_document(a, root, p, err);
    if (rc < 0)
        return rc;
    *ret = p;
    return 0;
}
