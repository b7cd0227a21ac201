/*
 * Conditions: an operator, a key and the values that it is compared with. The rules are those of AWS's "Condition
 * operators": a key that the request doesn't have fails a condition, but for the negated operators, …IfExists and
 * ForAllValues; a negated operator holds when none of the values fits.
 */
#include "auth/policy_internal.h"

#include "base/clock.h"
#include "http/forwarded.h"

enum family { TEXT, NUMBER, DATE, BOOL, ADDRESS, IS_NULL };
enum order { EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };

struct policy_operator {
    const char *name;
    enum family family;
    bool negated;
    bool ignore_case, wild; /* TEXT */
    enum order order;       /* NUMBER, DATE */
};

/* clang-format off */
static const struct policy_operator operators[] = {
    {"StringEquals",              TEXT, false, false, false, EQUAL},
    {"StringNotEquals",           TEXT, true,  false, false, EQUAL},
    {"StringEqualsIgnoreCase",    TEXT, false, true,  false, EQUAL},
    {"StringNotEqualsIgnoreCase", TEXT, true,  true,  false, EQUAL},
    {"StringLike",                TEXT, false, false, true,  EQUAL},
    {"StringNotLike",             TEXT, true,  false, true,  EQUAL},
    {"ArnEquals",                 TEXT, false, false, true,  EQUAL},
    {"ArnLike",                   TEXT, false, false, true,  EQUAL},
    {"ArnNotEquals",              TEXT, true,  false, true,  EQUAL},
    {"ArnNotLike",                TEXT, true,  false, true,  EQUAL},
    {"BinaryEquals",              TEXT, false, false, false, EQUAL},
    {"NumericEquals",             NUMBER, false, false, false, EQUAL},
    {"NumericNotEquals",          NUMBER, true,  false, false, EQUAL},
    {"NumericLessThan",           NUMBER, false, false, false, LESS},
    {"NumericLessThanEquals",     NUMBER, false, false, false, LESS_EQUAL},
    {"NumericGreaterThan",        NUMBER, false, false, false, GREATER},
    {"NumericGreaterThanEquals",  NUMBER, false, false, false, GREATER_EQUAL},
    {"DateEquals",                DATE, false, false, false, EQUAL},
    {"DateNotEquals",             DATE, true,  false, false, EQUAL},
    {"DateLessThan",              DATE, false, false, false, LESS},
    {"DateLessThanEquals",        DATE, false, false, false, LESS_EQUAL},
    {"DateGreaterThan",           DATE, false, false, false, GREATER},
    {"DateGreaterThanEquals",     DATE, false, false, false, GREATER_EQUAL},
    {"Bool",                      BOOL, false, true,  false, EQUAL},
    {"IpAddress",                 ADDRESS, false, false, false, EQUAL},
    {"NotIpAddress",              ADDRESS, true,  false, false, EQUAL},
    {"Null",                      IS_NULL, false, true, false, EQUAL},
};
/* clang-format on */

/* A time as RFC 3339 has it, or seconds since 1970. */
static bool read_date(struct str text, double *ret)
{
    int64_t us;

    if (str_to_f64(text, ret, NULL) == 0)
        return true;
    if (clock_parse_rfc3339(text, &us, NULL) < 0)
        return false;
    *ret = (double)us / 1e6;
    return true;
}

static bool compare(enum order order, double a, double b)
{
    switch (order) {
    case EQUAL:
        return a == b;
    case LESS:
        return a < b;
    case LESS_EQUAL:
        return a <= b;
    case GREATER:
        return a > b;
    case GREATER_EQUAL:
        return a >= b;
    }
    return false;
}

/* Whether one value of the request fits one of the policy, before a negation. */
static bool fits(const struct policy_operator *op, struct str value, const struct glob *wanted)
{
    struct str text = str_from(wanted->text, wanted->n);
    struct http_network net;
    double a, b;

    switch (op->family) {
    case TEXT:
    case BOOL:
        return glob_match(wanted, value, op->ignore_case);
    case NUMBER:
        return str_to_f64(value, &a, NULL) == 0 && str_to_f64(text, &b, NULL) == 0 && compare(op->order, a, b);
    case DATE:
        return read_date(value, &a) && read_date(text, &b) && compare(op->order, a, b);
    case ADDRESS:
        return http_network_parse(text, &net, NULL) == 0 && http_network_has(&net, 1, value);
    case IS_NULL:
        break;
    }
    return false;
}

static bool fits_any(const struct policy_condition *c, struct str value, const struct policy_request *r)
{
    for (size_t i = 0; i < c->n; i++) {
        struct glob wanted;
        if (pattern_expand(&c->values[i], r, &wanted) && fits(c->op, value, &wanted))
            return true;
    }
    return false;
}

bool condition_holds(const struct policy_condition *c, const struct policy_request *r)
{
    const struct str *values;
    size_t n = r->values(r->ctx, c->key, &values), fitting = 0;

    if (c->op->family == IS_NULL)
        return fits_any(&(struct policy_condition){.op = &(struct policy_operator){.family = BOOL, .ignore_case = true},
                                                   .values = c->values,
                                                   .n = c->n},
                        n ? STR("false") : STR("true"), r);
    if (n == 0)
        return c->if_exists || c->qualifier == CONDITION_ALL || (c->op->negated && c->qualifier == CONDITION_PLAIN);
    for (size_t i = 0; i < n; i++)
        fitting += fits_any(c, values[i], r);
    switch (c->qualifier) {
    case CONDITION_ALL:
        return c->op->negated ? fitting == 0 : fitting == n;
    case CONDITION_ANY:
        return c->op->negated ? fitting < n : fitting > 0;
    case CONDITION_PLAIN:
        break;
    }
    return c->op->negated ? fitting == 0 : fitting > 0;
}

/* ---- reading them ---- */

static bool take_suffix(struct str *s, struct str suffix)
{
    if (!str_ends_with(*s, suffix))
        return false;
    s->n -= suffix.n;
    return true;
}

static bool take_prefix(struct str *s, struct str prefix)
{
    if (!str_starts_with(*s, prefix))
        return false;
    *s = str_skip(*s, prefix.n);
    return true;
}

/* JSON's own numbers and booleans stand for their texts. */
static struct str text_of(struct arena *a, const json_t *value)
{
    if (json_is_boolean(value))
        return json_is_true(value) ? STR("true") : STR("false");
    if (json_is_integer(value))
        return arena_printf(a, "%lld", (long long)json_integer_value(value));
    if (json_is_real(value))
        return arena_printf(a, "%.17g", json_real_value(value));
    return json_str(value);
}

/* What can be known before there is a request: a number that is none would never match. */
static int check_value(const struct policy_operator *op, struct str text, struct err *err)
{
    struct http_network net;
    double number;

    if (str_find(text, STR("${"), 0) != SIZE_MAX)
        return 0;
    if (op->family == NUMBER && str_to_f64(text, &number, NULL) < 0)
        return err_set(err, ERR_INVALID, "expected a number, found \"%.*s\"", STR_ARG(text));
    if (op->family == DATE && !read_date(text, &number))
        return err_set(err, ERR_INVALID, "expected a time such as 2026-11-24T14:30:05Z, found \"%.*s\"", STR_ARG(text));
    if (op->family == ADDRESS && http_network_parse(text, &net, NULL) < 0)
        return err_set(err, ERR_INVALID, "expected an address such as 10.0.0.0/8, found \"%.*s\"", STR_ARG(text));
    if ((op->family == BOOL || op->family == IS_NULL) && !str_eq_nocase(text, STR("true")) &&
        !str_eq_nocase(text, STR("false")))
        return err_set(err, ERR_INVALID, "expected true or false, found \"%.*s\"", STR_ARG(text));
    return 0;
}

static int take_values(struct arena *a, const json_t *values, struct policy_condition *to, struct err *err)
{
    size_t n = json_is_array(values) ? json_array_size(values) : 1;
    struct pattern *patterns = arena_array(a, struct pattern, n);

    if (n == 0)
        return err_set(err, ERR_INVALID, "expected at least one value");
    for (size_t i = 0; i < n; i++) {
        struct str text = text_of(a, json_is_array(values) ? json_array_get(values, i) : values);
        if (str_is_null(text))
            return err_set(err, ERR_INVALID, "expected a text or a list of texts");
        int rc = check_value(to->op, text, err);
        if (rc == 0)
            rc = pattern_parse(a, text, to->op->wild, true, &patterns[i], err);
        if (rc < 0)
            return rc;
    }
    to->values = patterns;
    to->n = n;
    return 0;
}

int condition_parse(struct arena *a, const char *name, const char *key, const json_t *values,
                    struct policy_condition *ret, struct err *err)
{
    struct policy_condition c = {0};
    struct str rest = str_from_cstr(name);

    if (take_prefix(&rest, STR("ForAnyValue:")))
        c.qualifier = CONDITION_ANY;
    else if (take_prefix(&rest, STR("ForAllValues:")))
        c.qualifier = CONDITION_ALL;
    c.if_exists = take_suffix(&rest, STR("IfExists"));
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (str_eq_cstr(rest, operators[i].name))
            c.op = &operators[i];
    }
    if (!c.op || (c.op->family == IS_NULL && (c.if_exists || c.qualifier != CONDITION_PLAIN)))
        return err_set(err, ERR_INVALID, "there is no operator %s", name);
    c.key = policy_condition_key(a, str_from_cstr(key));
    if (!c.key)
        return err_set(err, ERR_INVALID, "%s: there is no key %s", name, key);
    int rc = take_values(a, values, &c, err);
    if (rc < 0)
        return err_prefix(err, "%s.%s", name, key);
    *ret = c;
    return 0;
}
