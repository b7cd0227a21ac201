/* What the files of policies share. */
#ifndef AUTH_POLICY_INTERNAL_H
#define AUTH_POLICY_INTERNAL_H

#include "auth/policy.h"
#include "base/json.h"
#include "base/vec.h"

/* ---- policy_pattern.c ---- */

/* A text with wildcards: kinds has a byte for each of text's. */
enum { GLOB_LITERAL, GLOB_ANY, GLOB_ONE };
struct glob {
    const char *text;
    const unsigned char *kinds;
    size_t n;
};

/* A part of a pattern: text, or a variable with what stands for it when it has no value. */
struct pattern_part {
    struct glob text;
    const char *variable; /* NULL: text */
    struct str otherwise; /* null: none */
};

struct pattern {
    const struct pattern_part *parts;
    size_t n;
};

/* `wild`: * and ? are wildcards. Without `variables` a "${" is text. */
MUST_CHECK int pattern_parse(struct arena *a, struct str text, bool wild, bool variables, struct pattern *ret,
                             struct err *err);
/* False when a variable has no value: the pattern then matches nothing. */
bool pattern_expand(const struct pattern *p, const struct policy_request *r, struct glob *ret);
bool glob_match(const struct glob *g, struct str s, bool ignore_case);

/* ---- policy_condition.c ---- */

struct policy_operator;
struct policy_condition {
    const struct policy_operator *op;
    enum { CONDITION_PLAIN, CONDITION_ANY, CONDITION_ALL } qualifier;
    bool if_exists;
    const char *key;
    const struct pattern *values;
    size_t n;
};
MUST_CHECK int condition_parse(struct arena *a, const char *name, const char *key, const json_t *values,
                               struct policy_condition *ret, struct err *err);
bool condition_holds(const struct policy_condition *c, const struct policy_request *r);

/* ---- policy_actions.c ---- */

/* True when one of S3's actions, or another service's, fits. */
bool policy_is_action(const struct glob *g);
/* The key as AWS's documentation spells it (in `a` for jwt: ones), or NULL when it isn't known. */
const char *policy_condition_key(struct arena *a, struct str key);

/* ---- policy_parse.c ---- */

struct policy_statement {
    bool denies;
    bool not_action, not_resource; /* `actions` are those it is not about */
    const struct glob *actions;
    size_t action_count;
    const struct pattern *resources; /* without "arn:aws:s3:::" */
    size_t resource_count;
    const struct policy_condition *conditions;
    size_t condition_count;
};

struct policy {
    bool has_version;
    const struct policy_statement *statements;
    size_t n;
};

#endif
