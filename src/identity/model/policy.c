/*
 * The password policy. hashAlgorithm and hashIterations are taken note of and have no effect: passwords are hashed with
 * argon2id, whatever they say. forceExpiredPasswordChange and the rules on authentication age are the login's.
 */
#include "identity/model/policy.h"
#include "base/vec.h"

#include <regex.h>
#include <stddef.h>

static const struct rule {
    const char *name;
    size_t number; /* offset of the member that the argument goes to; 0: none */
    size_t flag;
} rules[] = {
    {"length", offsetof(struct password_policy, length), 0},
    {"maxLength", offsetof(struct password_policy, max_length), 0},
    {"digits", offsetof(struct password_policy, digits), 0},
    {"lowerCase", offsetof(struct password_policy, lower), 0},
    {"upperCase", offsetof(struct password_policy, upper), 0},
    {"specialChars", offsetof(struct password_policy, special), 0},
    {"passwordHistory", offsetof(struct password_policy, history), 0},
    {"notUsername", 0, offsetof(struct password_policy, not_username)},
    {"notEmail", 0, offsetof(struct password_policy, not_email)},
    {"notContainsUsername", 0, offsetof(struct password_policy, not_contains_username)},
    {"regexPattern", 0, 0},
    {"hashAlgorithm", 0, 0},
    {"hashIterations", 0, 0},
    {"forceExpiredPasswordChange", 0, 0},
    {"passwordAge", 0, 0},
    {"maxAuthAge", 0, 0},
    {"recoveryCodesWarningThreshold", 0, 0},
};

static int take_rule(struct str text, struct password_policy *p, struct err *err)
{
    size_t open = str_find_char(text, '(', 0);
    struct str name = str_trim(open == SIZE_MAX ? text : str_slice(text, 0, open));
    struct str argument = open == SIZE_MAX ? STR("") : str_skip(text, open + 1);

    if (argument.n && argument.p[argument.n - 1] == ')')
        argument.n--;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct rule *rule = &rules[i];
        if (!str_eq_cstr(name, rule->name))
            continue;
        if (rule->number) {
            int64_t n = 1;
            if (argument.n && !str_eq(argument, STR("undefined")) && (str_to_i64(argument, &n, NULL) < 0 || n < 0))
                return err_set(err, ERR_INVALID, "Invalid config for %s: %.*s", rule->name, STR_ARG(argument));
            memcpy((char *)p + rule->number, &n, sizeof(n));
        } else if (rule->flag) {
            *((bool *)p + rule->flag) = true;
        } else if (strcmp(rule->name, "regexPattern") == 0) {
            p->pattern = argument;
        }
        return 0;
    }
    return err_set(err, ERR_UNSUPPORTED, "the password policy's rule '%.*s' is not supported", STR_ARG(name));
}

int password_policy_parse(struct str text, struct password_policy *ret, struct err *err)
{
    struct password_policy p = {.pattern = STR_NULL};
    int rc = 0;

    while (rc == 0 && str_trim(text).n) {
        size_t end = str_find(text, STR(" and "), 0);
        struct str rule = end == SIZE_MAX ? text : str_slice(text, 0, end);
        text = end == SIZE_MAX ? STR("") : str_skip(text, end + 5);
        rc = take_rule(str_trim(rule), &p, err);
    }
    if (rc == 0)
        *ret = p;
    return rc;
}

struct counts {
    int64_t runes, digits, lower, upper, special;
};

static struct counts count(struct str s)
{
    struct counts c = {0};
    size_t at = 0;

    while (at < s.n) {
        uint32_t r = str_next_rune(s, &at);
        c.runes++;
        c.digits += r >= '0' && r <= '9';
        c.lower += r >= 'a' && r <= 'z';
        c.upper += r >= 'A' && r <= 'Z';
        c.special += r < 128 && !((r >= '0' && r <= '9') || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z'));
    }
    return c;
}

#define TOO_FEW(rc, have, need, key, message, err) \
    ((rc) < 0 || (have) >= (need) ? (rc) : err_set_named((err), ERR_INVALID, (key), message, (long long)(need)))

static int check_pattern(struct arena *a, struct str pattern, struct str password, struct err *err)
{
    regex_t compiled;
    int rc;

    if (str_is_null(pattern))
        return 0;
    char *text = arena_cstr(a, arena_printf(a, "^(%.*s)$", STR_ARG(pattern)));
    if (regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB) != 0)
        return err_set(err, ERR_UNSUPPORTED, "the password policy's pattern is not supported: %.*s", STR_ARG(pattern));
    rc = regexec(&compiled, arena_cstr(a, password), 0, NULL, 0);
    regfree(&compiled);
    return rc == 0 ? 0
                   : err_set_named(err, ERR_INVALID, "invalidPasswordRegexPatternMessage",
                                   "Invalid password: fails to match regex pattern(s).");
}

int password_policy_check(const struct password_policy *p, struct arena *a, struct str password, struct str username,
                          struct str email, struct err *err)
{
    struct counts c = count(password);
    int rc = TOO_FEW(0, c.runes, p->length, "invalidPasswordMinLengthMessage", "Invalid password: minimum length %lld.",
                     err);

    if (rc == 0 && p->max_length > 0 && c.runes > p->max_length)
        rc = err_set_named(err, ERR_INVALID, "invalidPasswordMaxLengthMessage",
                           "Invalid password: maximum length %lld.", (long long)p->max_length);
    rc = TOO_FEW(rc, c.digits, p->digits, "invalidPasswordMinDigitsMessage",
                 "Invalid password: must contain at least %lld numerical digits.", err);
    rc = TOO_FEW(rc, c.lower, p->lower, "invalidPasswordMinLowerCaseCharsMessage",
                 "Invalid password: must contain at least %lld lower case characters.", err);
    rc = TOO_FEW(rc, c.upper, p->upper, "invalidPasswordMinUpperCaseCharsMessage",
                 "Invalid password: must contain at least %lld upper case characters.", err);
    rc = TOO_FEW(rc, c.special, p->special, "invalidPasswordMinSpecialCharsMessage",
                 "Invalid password: must contain at least %lld special characters.", err);
    if (rc == 0 && p->not_username && username.n && str_eq_nocase(password, username))
        rc = err_set_named(err, ERR_INVALID, "invalidPasswordNotUsernameMessage",
                           "Invalid password: must not be equal to the username.");
    if (rc == 0 && p->not_contains_username && username.n &&
        str_find(arena_lower(a, password), arena_lower(a, username), 0) != SIZE_MAX)
        rc = err_set_named(err, ERR_INVALID, "invalidPasswordNotContainsUsernameMessage",
                           "Invalid password: Can not contain the username.");
    if (rc == 0 && p->not_email && email.n && str_eq_nocase(password, email))
        rc = err_set_named(err, ERR_INVALID, "invalidPasswordNotEmailMessage",
                           "Invalid password: must not be equal to the email.");
    return rc < 0 ? rc : check_pattern(a, p->pattern, password, err);
}
