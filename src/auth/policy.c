#include "auth/policy_internal.h"

static bool matches_action(const struct policy_statement *s, const char *action)
{
    bool found = false;

    for (size_t i = 0; i < s->action_count && !found; i++)
        found = glob_match(&s->actions[i], str_from_cstr(action), true);
    return found != s->not_action;
}

/* A bucket is "BUCKET/" to a wildcard and "BUCKET" to a plain text, as MinIO has it. */
static bool matches_resource(const struct policy_statement *s, const struct policy_request *r)
{
    struct str with_slash = arena_printf(r->arena, "%.*s/%.*s", STR_ARG(r->bucket), STR_ARG(r->key));
    bool found = false;

    for (size_t i = 0; i < s->resource_count && !found; i++) {
        struct glob g;
        found = pattern_expand(&s->resources[i], r, &g) &&
                (glob_match(&g, with_slash, false) || (str_is_empty(r->key) && glob_match(&g, r->bucket, false)));
    }
    return found != s->not_resource;
}

static bool applies(const struct policy_statement *s, const struct policy_request *r)
{
    if (!matches_action(s, r->action) || !matches_resource(s, r))
        return false;
    for (size_t i = 0; i < s->condition_count; i++) {
        if (!condition_holds(&s->conditions[i], r))
            return false;
    }
    return true;
}

enum policy_effect policy_evaluate(const struct policy *const *policies, size_t n, const struct policy_request *r)
{
    enum policy_effect effect = POLICY_NONE;

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < policies[i]->n; j++) {
            const struct policy_statement *s = &policies[i]->statements[j];
            if ((effect == POLICY_ALLOW && !s->denies) || !applies(s, r))
                continue;
            if (s->denies)
                return POLICY_DENY;
            effect = POLICY_ALLOW;
        }
    }
    return effect;
}

bool policy_has_version(const struct policy *p)
{
    return p->has_version;
}

static struct glob any_behind(struct arena *a, struct str literal)
{
    struct str text = arena_printf(a, "%.*s*", STR_ARG(literal));
    unsigned char *kinds = arena_array(a, unsigned char, text.n);

    kinds[text.n - 1] = GLOB_ANY;
    return (struct glob){text.p, kinds, text.n};
}

const struct policy *policy_for_buckets(struct arena *a, const struct str *buckets, size_t n)
{
    struct policy_statement *s = arena_new(a, struct policy_statement);
    struct policy *p = arena_new(a, struct policy);
    struct pattern *resources = arena_array(a, struct pattern, n);
    struct glob *action = arena_new(a, struct glob);

    *action = any_behind(a, STR("s3:"));
    for (size_t i = 0; i < n; i++) {
        struct pattern_part *part = arena_new(a, struct pattern_part);
        part->text = any_behind(a, arena_printf(a, "%.*s/", STR_ARG(buckets[i])));
        resources[i] = (struct pattern){part, 1};
    }
    *s = (struct policy_statement){.actions = action, .action_count = 1, .resources = resources, .resource_count = n};
    *p = (struct policy){.has_version = true, .statements = s, .n = 1};
    return p;
}

const char *policy_builtin(struct str name)
{
    static const struct {
        const char *name, *json;
    } builtin[] = {
        {"readonly",
         "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"s3:GetBucketLocation\","
         "\"s3:GetObject\"],\"Resource\":[\"arn:aws:s3:::*\"]}]}"},
        {"readwrite", "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"s3:*\"],"
                      "\"Resource\":[\"arn:aws:s3:::*\"]}]}"},
        {"writeonly", "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"s3:PutObject\"],"
                      "\"Resource\":[\"arn:aws:s3:::*\"]}]}"},
        {"consoleAdmin", "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"admin:*\"]},"
                         "{\"Effect\":\"Allow\",\"Action\":[\"kms:*\"]},{\"Effect\":\"Allow\",\"Action\":[\"s3:*\"],"
                         "\"Resource\":[\"arn:aws:s3:::*\"]}]}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(builtin); i++) {
        if (str_eq_cstr(name, builtin[i].name))
            return builtin[i].json;
    }
    return NULL;
}
