/* What AWS's and MinIO's documentation say of policies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "auth/policy.h"
#include "base/vec.h"

static struct arena arena;
static struct err err;

static int free_arena(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

/* The request's keys: name, value, name, value, …, NULL; a name may stand there several times. */
static size_t values_of(void *ctx, const char *key, const struct str **ret)
{
    static struct str found[8];
    size_t n = 0;

    for (const char *const *p = ctx; p && *p; p += 2) {
        if (strcmp(p[0], key) == 0)
            found[n++] = str_from_cstr(p[1]);
    }
    *ret = found;
    return n;
}

static struct policy *parse(const char *json)
{
    struct policy *p = NULL;

    if (policy_parse(&arena, str_from_cstr(json), &p, &err) < 0)
        fail_msg("%s: %s", json, err.message);
    return p;
}

static enum policy_effect ask_with(const char *json, const char *action, const char *bucket, const char *key,
                                   const char *const *context)
{
    const struct policy *p = parse(json);
    const struct policy_request r = {.arena = &arena,
                                     .action = action,
                                     .bucket = str_from_cstr(bucket),
                                     .key = str_from_cstr(key),
                                     .values = values_of,
                                     .ctx = (void *)context};

    return policy_evaluate(&p, 1, &r);
}

static enum policy_effect ask(const char *json, const char *action, const char *bucket, const char *key)
{
    return ask_with(json, action, bucket, key, NULL);
}

#define STATEMENT(effect, action, resource) \
    "{\"Effect\":\"" effect "\",\"Action\":\"" action "\",\"Resource\":\"arn:aws:s3:::" resource "\"}"
#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define WHEN(condition)                                                                                       \
    "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"," \
    "\"Condition\":{" condition "}}}"

static void what_no_statement_allows_is_not_allowed(void **state)
{
    const char *p = POLICY(STATEMENT("Allow", "s3:GetObject", "a/*"));

    (void)state;
    assert_int_equal(ask(p, "s3:GetObject", "a", "x/y"), POLICY_ALLOW);
    assert_int_equal(ask(p, "s3:PutObject", "a", "x/y"), POLICY_NONE);
    assert_int_equal(ask(p, "s3:GetObject", "ab", "x"), POLICY_NONE);
    assert_int_equal(ask(p, "s3:GetObjectAcl", "a", "x"), POLICY_NONE);
    assert_int_equal(ask("{\"Statement\":[]}", "s3:GetObject", "a", "x"), POLICY_NONE);
    assert_int_equal(policy_evaluate(NULL, 0, &(struct policy_request){.arena = &arena}), POLICY_NONE);
}

static void a_deny_wins_wherever_it_stands(void **state)
{
    const char *first = POLICY(STATEMENT("Deny", "s3:Delete*", "a/keep/*") "," STATEMENT("Allow", "s3:*", "a/*"));
    const char *last = POLICY(STATEMENT("Allow", "s3:*", "a/*") "," STATEMENT("Deny", "s3:Delete*", "a/keep/*"));
    const struct policy *both[2];
    const struct policy_request r = {
        .arena = &arena, .action = "s3:DeleteObject", .bucket = STR("a"), .key = STR("keep/x"), .values = values_of};

    (void)state;
    assert_int_equal(ask(first, "s3:DeleteObject", "a", "keep/x"), POLICY_DENY);
    assert_int_equal(ask(last, "s3:DeleteObject", "a", "keep/x"), POLICY_DENY);
    assert_int_equal(ask(last, "s3:DeleteObject", "a", "other"), POLICY_ALLOW);
    both[0] = parse(POLICY(STATEMENT("Allow", "s3:*", "*")));
    both[1] = parse(POLICY(STATEMENT("Deny", "s3:DeleteObject", "a/keep/*")));
    assert_int_equal(policy_evaluate(both, 2, &r), POLICY_DENY);
    assert_int_equal(policy_evaluate(both, 1, &r), POLICY_ALLOW);
}

static void wildcards_match_as_in_iam(void **state)
{
    (void)state;
    assert_int_equal(
        ask(POLICY(STATEMENT("Allow", "s3:Get*", "logs-*/20?6/*.gz")), "s3:GetObject", "logs-eu", "2026/a/b.gz"),
        POLICY_ALLOW);
    assert_int_equal(
        ask(POLICY(STATEMENT("Allow", "s3:Get*", "logs-*/20?6/*.gz")), "s3:GetObject", "logs-eu", "2027/a/b.gz"),
        POLICY_NONE);
    assert_int_equal(ask(POLICY(STATEMENT("Allow", "s3:getobject", "a/*")), "s3:GetObject", "a", "b"), POLICY_ALLOW);
    assert_int_equal(ask(POLICY(STATEMENT("Allow", "*", "*")), "s3:ListAllMyBuckets", "", ""), POLICY_ALLOW);
    assert_int_equal(ask(POLICY(STATEMENT("Allow", "s3:*", "A/*")), "s3:GetObject", "a", "b"), POLICY_NONE);
}

/* MinIO's rule; AWS would not let "a/" and a wildcard stand for the bucket. */
static void a_bucket_is_matched_with_and_without_the_slash(void **state)
{
    (void)state;
    assert_int_equal(ask(POLICY(STATEMENT("Allow", "s3:*", "a")), "s3:ListBucket", "a", ""), POLICY_ALLOW);
    assert_int_equal(ask(POLICY(STATEMENT("Allow", "s3:*", "a/*")), "s3:ListBucket", "a", ""), POLICY_ALLOW);
    assert_int_equal(ask(POLICY(STATEMENT("Allow", "s3:*", "a")), "s3:GetObject", "a", "k"), POLICY_NONE);
    assert_int_equal(ask(POLICY(STATEMENT("Allow", "s3:*", "a/x/*")), "s3:ListBucket", "a", ""), POLICY_NONE);
}

static void not_action_and_not_resource_are_all_others(void **state)
{
    const char *p = POLICY("{\"Effect\":\"Allow\",\"NotAction\":[\"s3:DeleteObject\",\"s3:DeleteBucket\"],"
                           "\"NotResource\":\"arn:aws:s3:::secret/*\"}");

    (void)state;
    assert_int_equal(ask(p, "s3:GetObject", "a", "k"), POLICY_ALLOW);
    assert_int_equal(ask(p, "s3:DeleteObject", "a", "k"), POLICY_NONE);
    assert_int_equal(ask(p, "s3:GetObject", "secret", "k"), POLICY_NONE);
}

static void variables_have_the_requests_values(void **state)
{
    static const char *const ada[] = {"aws:username", "ada", "jwt:dept", "eng", NULL};
    static const char *const star[] = {"aws:username", "*", NULL};
    const char *home = POLICY(STATEMENT("Allow", "s3:*", "home/${aws:username}/*"));
    const char *dept = POLICY(STATEMENT("Allow", "s3:*", "d/${jwt:dept, 'none'}/*"));
    const char *literal = POLICY(STATEMENT("Allow", "s3:*", "d/${*}${?}${$}/*"));

    (void)state;
    assert_int_equal(ask_with(home, "s3:GetObject", "home", "ada/x", ada), POLICY_ALLOW);
    assert_int_equal(ask_with(home, "s3:GetObject", "home", "bob/x", ada), POLICY_NONE);
    /* a user's name is no pattern */
    assert_int_equal(ask_with(home, "s3:GetObject", "home", "bob/x", star), POLICY_NONE);
    assert_int_equal(ask_with(home, "s3:GetObject", "home", "*/x", star), POLICY_ALLOW);
    /* without a value it matches nothing, not even its own text */
    assert_int_equal(ask_with(home, "s3:GetObject", "home", "${aws:username}/x", NULL), POLICY_NONE);
    assert_int_equal(ask_with(home, "s3:GetObject", "home", "/x", NULL), POLICY_NONE);
    assert_int_equal(ask_with(dept, "s3:GetObject", "d", "eng/x", ada), POLICY_ALLOW);
    assert_int_equal(ask_with(dept, "s3:GetObject", "d", "none/x", NULL), POLICY_ALLOW);
    assert_int_equal(ask(literal, "s3:GetObject", "d", "*?$/x"), POLICY_ALLOW);
    assert_int_equal(ask(literal, "s3:GetObject", "d", "abc/x"), POLICY_NONE);
}

static void conditions_compare_as_their_operators_say(void **state)
{
    static const struct {
        const char *condition;
        const char *context[8];
        enum policy_effect effect;
    } cases[] = {
        {WHEN("\"StringEquals\":{\"s3:prefix\":[\"\",\"home/\"]}"), {"s3:prefix", "home/"}, POLICY_ALLOW},
        {WHEN("\"StringEquals\":{\"s3:prefix\":[\"\",\"home/\"]}"), {"s3:prefix", ""}, POLICY_ALLOW},
        {WHEN("\"StringEquals\":{\"s3:prefix\":[\"\",\"home/\"]}"), {"s3:prefix", "home/x"}, POLICY_NONE},
        {WHEN("\"StringEquals\":{\"s3:prefix\":\"\"}"), {NULL}, POLICY_NONE},
        {WHEN("\"StringEquals\":{\"s3:prefix\":\"a*\"}"), {"s3:prefix", "ab"}, POLICY_NONE},
        {WHEN("\"StringEqualsIgnoreCase\":{\"jwt:sub\":\"ADA\"}"), {"jwt:sub", "ada"}, POLICY_ALLOW},
        {WHEN("\"StringNotEquals\":{\"aws:username\":\"ada\"}"), {"aws:username", "bob"}, POLICY_ALLOW},
        {WHEN("\"StringNotEquals\":{\"aws:username\":\"ada\"}"), {"aws:username", "ada"}, POLICY_NONE},
        {WHEN("\"StringNotEquals\":{\"aws:username\":\"ada\"}"), {NULL}, POLICY_ALLOW},
        {WHEN("\"StringLike\":{\"s3:prefix\":\"home/${aws:username}/*\"}"),
         {"s3:prefix", "home/ada/x", "aws:username", "ada"},
         POLICY_ALLOW},
        {WHEN("\"StringLike\":{\"s3:prefix\":\"home/${aws:username}/*\"}"),
         {"s3:prefix", "home/bob/x", "aws:username", "ada"},
         POLICY_NONE},
        {WHEN("\"StringNotLike\":{\"s3:prefix\":\"secret/*\"}"), {"s3:prefix", "secret/x"}, POLICY_NONE},
        {WHEN("\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.0/8\",\"::1\"]}"),
         {"aws:SourceIp", "10.200.1.2"},
         POLICY_ALLOW},
        {WHEN("\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.0/8\",\"::1\"]}"), {"aws:SourceIp", "::1"}, POLICY_ALLOW},
        {WHEN("\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}"), {"aws:SourceIp", "::ffff:10.1.1.1"}, POLICY_ALLOW},
        {WHEN("\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}"), {"aws:SourceIp", "11.0.0.1"}, POLICY_NONE},
        {WHEN("\"IpAddress\":{\"aws:SourceIp\":\"192.168.1.128/25\"}"), {"aws:SourceIp", "192.168.1.127"}, POLICY_NONE},
        {WHEN("\"IpAddress\":{\"aws:SourceIp\":\"2001:db8::/33\"}"),
         {"aws:SourceIp", "2001:db8:7fff::1"},
         POLICY_ALLOW},
        {WHEN("\"IpAddress\":{\"aws:SourceIp\":\"2001:db8::/33\"}"), {"aws:SourceIp", "2001:db8:8000::1"}, POLICY_NONE},
        {WHEN("\"NotIpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}"), {"aws:SourceIp", "10.1.1.1"}, POLICY_NONE},
        {WHEN("\"Bool\":{\"aws:SecureTransport\":\"true\"}"), {"aws:SecureTransport", "true"}, POLICY_ALLOW},
        {WHEN("\"Bool\":{\"aws:SecureTransport\":true}"), {"aws:SecureTransport", "false"}, POLICY_NONE},
        {WHEN("\"Null\":{\"s3:prefix\":\"true\"}"), {NULL}, POLICY_ALLOW},
        {WHEN("\"Null\":{\"s3:prefix\":\"true\"}"), {"s3:prefix", ""}, POLICY_NONE},
        {WHEN("\"Null\":{\"s3:prefix\":[false]}"), {"s3:prefix", ""}, POLICY_ALLOW},
        {WHEN("\"NumericLessThanEquals\":{\"s3:max-keys\":10}"), {"s3:max-keys", "10"}, POLICY_ALLOW},
        {WHEN("\"NumericLessThanEquals\":{\"s3:max-keys\":\"10\"}"), {"s3:max-keys", "11"}, POLICY_NONE},
        {WHEN("\"NumericLessThan\":{\"s3:max-keys\":\"10\"}"), {"s3:max-keys", "many"}, POLICY_NONE},
        {WHEN("\"DateGreaterThan\":{\"aws:CurrentTime\":\"2026-01-01T00:00:00Z\"}"),
         {"aws:CurrentTime", "2026-11-24T00:00:00Z"},
         POLICY_ALLOW},
        {WHEN("\"DateLessThan\":{\"aws:EpochTime\":\"1000\"}"), {"aws:EpochTime", "1001"}, POLICY_NONE},
        {WHEN("\"StringEqualsIfExists\":{\"s3:x-amz-acl\":\"private\"}"), {NULL}, POLICY_ALLOW},
        {WHEN("\"StringEqualsIfExists\":{\"s3:x-amz-acl\":\"private\"}"), {"s3:x-amz-acl", "public-read"}, POLICY_NONE},
        {WHEN("\"ForAnyValue:StringEquals\":{\"jwt:groups\":[\"a\",\"b\"]}"),
         {"jwt:groups", "x", "jwt:groups", "b"},
         POLICY_ALLOW},
        {WHEN("\"ForAnyValue:StringEquals\":{\"jwt:groups\":[\"a\",\"b\"]}"), {NULL}, POLICY_NONE},
        {WHEN("\"ForAllValues:StringEquals\":{\"jwt:groups\":[\"a\",\"b\"]}"),
         {"jwt:groups", "x", "jwt:groups", "b"},
         POLICY_NONE},
        {WHEN("\"ForAllValues:StringEquals\":{\"jwt:groups\":[\"a\",\"b\"]}"), {NULL}, POLICY_ALLOW},
        {WHEN("\"ForAnyValue:StringNotEquals\":{\"jwt:groups\":\"a\"}"),
         {"jwt:groups", "a", "jwt:groups", "b"},
         POLICY_ALLOW},
        {WHEN("\"ForAnyValue:StringNotEquals\":{\"jwt:groups\":\"a\"}"), {NULL}, POLICY_NONE},
        /* all of them have to hold */
        {WHEN("\"StringEquals\":{\"s3:prefix\":\"a\",\"s3:delimiter\":\"/\"},\"Bool\":{\"aws:SecureTransport\":true}"),
         {"s3:prefix", "a", "s3:delimiter", "/", "aws:SecureTransport", "true"},
         POLICY_ALLOW},
        {WHEN("\"StringEquals\":{\"s3:prefix\":\"a\",\"s3:delimiter\":\"/\"},\"Bool\":{\"aws:SecureTransport\":true}"),
         {"s3:prefix", "a", "s3:delimiter", "/", "aws:SecureTransport", "false"},
         POLICY_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (ask_with(cases[i].condition, "s3:ListBucket", "a", "", cases[i].context) != cases[i].effect)
            fail_msg("case %zu: %s", i, cases[i].condition);
    }
}

static void what_is_not_known_is_an_error_that_names_it(void **state)
{
    static const char *const cases[][2] = {
        {"[]", "expected an object"},
        {"{", "malformed JSON"},
        {"{\"Version\":\"2012-10-17\"}", "Statement"},
        {"{\"Version\":\"2008-10-17\",\"Statement\":[]}", "2012-10-17"},
        {"{\"Statements\":[]}", "Statements"},
        {POLICY("{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\"}"), "Statement[0]: expected Resource"},
        {POLICY("{\"Effect\":\"allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}"), "Allow or Deny"},
        {POLICY("{\"Action\":\"s3:*\",\"Resource\":\"*\"}"), "expected Effect"},
        {POLICY("{\"Effect\":\"Allow\",\"Resource\":\"*\"}"), "expected Action"},
        {POLICY("{\"Effect\":\"Allow\",\"Action\":[],\"Resource\":\"*\"}"),
         "Statement[0].Action: expected at least one"},
        {POLICY("{\"Effect\":\"Allow\",\"Action\":\"s3:GetObjct\",\"Resource\":\"*\"}"), "no action s3:GetObjct"},
        {POLICY("{\"Effect\":\"Allow\",\"Action\":\"s3:Fetch*\",\"Resource\":\"*\"}"), "no action s3:Fetch*"},
        {POLICY("{\"Effect\":\"Allow\",\"Action\":\"GetObject\",\"Resource\":\"*\"}"), "no action GetObject"},
        {POLICY("{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"NotAction\":\"s3:*\",\"Resource\":\"*\"}"),
         "both Action and NotAction"},
        {POLICY("{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"bucket/*\"}"), "arn:aws:s3:::BUCKET"},
        {POLICY("{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::\"}"), "names no bucket"},
        {POLICY("{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::a/${aws:nobody}\"}"),
         "no variable ${aws:nobody}"},
        {POLICY("{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::a/${aws:username\"}"),
         "without its }"},
        {POLICY("{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\",\"Principal\":\"*\"}"), "no Principal"},
        {POLICY("{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\",\"Conditions\":{}}"),
         "no element Conditions"},
        {WHEN("\"StringIs\":{\"s3:prefix\":\"a\"}"), "no operator StringIs"},
        {WHEN("\"StringEquals\":{\"s3:prefx\":\"a\"}"), "no key s3:prefx"},
        {WHEN("\"StringEquals\":{\"s3:prefix\":[]}"), "at least one value"},
        {WHEN("\"StringEquals\":{\"s3:prefix\":{}}"), "expected a text"},
        {WHEN("\"NumericEquals\":{\"s3:max-keys\":\"ten\"}"), "expected a number"},
        {WHEN("\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/33\"}"), "expected an address"},
        {WHEN("\"IpAddress\":{\"aws:SourceIp\":\"localhost\"}"), "expected an address"},
        {WHEN("\"DateLessThan\":{\"aws:CurrentTime\":\"tomorrow\"}"), "expected a time"},
        {WHEN("\"Bool\":{\"aws:SecureTransport\":\"yes\"}"), "true or false"},
        {WHEN("\"NullIfExists\":{\"s3:prefix\":\"true\"}"), "no operator"},
    };
    struct policy *p;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        err = (struct err){0};
        if (policy_parse(&arena, str_from_cstr(cases[i][0]), &p, &err) != ERR_INVALID)
            fail_msg("%s: was taken", cases[i][0]);
        if (!strstr(err.message, cases[i][1]))
            fail_msg("%s: \"%s\" doesn't say \"%s\"", cases[i][0], err.message, cases[i][1]);
    }
}

static void a_policy_that_is_too_large_is_refused(void **state)
{
    char *text = arena_alloc(&arena, POLICY_SIZE_MAX + 2);
    struct policy *p;

    (void)state;
    memset(text, ' ', POLICY_SIZE_MAX + 1);
    memcpy(text, "{\"Statement\":[]}", 16);
    assert_int_equal(policy_parse(&arena, str_from(text, POLICY_SIZE_MAX), &p, &err), 0);
    assert_int_equal(policy_parse(&arena, str_from(text, POLICY_SIZE_MAX + 1), &p, &err), ERR_LIMIT);
}

static void a_policy_for_buckets_allows_all_in_them_and_nothing_else(void **state)
{
    static const struct str buckets[] = {STR("a"), STR("b")};
    const struct policy *p = policy_for_buckets(&arena, buckets, 2), *none = policy_for_buckets(&arena, NULL, 0);
    struct policy_request r = {.arena = &arena, .action = "s3:PutObject", .bucket = STR("b"), .key = STR("k")};

    (void)state;
    assert_int_equal(policy_evaluate(&p, 1, &r), POLICY_ALLOW);
    assert_int_equal(policy_evaluate(&none, 1, &r), POLICY_NONE);
    r.bucket = STR("bb");
    assert_int_equal(policy_evaluate(&p, 1, &r), POLICY_NONE);
    r.bucket = STR("a");
    r.key = STR("");
    r.action = "s3:ListBucket";
    assert_int_equal(policy_evaluate(&p, 1, &r), POLICY_ALLOW);
    r.bucket = STR("");
    r.action = "s3:ListAllMyBuckets";
    assert_int_equal(policy_evaluate(&p, 1, &r), POLICY_NONE);
}

static void the_builtin_policies_are_valid(void **state)
{
    static const char *const names[] = {"readonly", "readwrite", "writeonly", "consoleAdmin"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        (void)parse(policy_builtin(str_from_cstr(names[i])));
    assert_null(policy_builtin(STR("ReadWrite")));
    assert_int_equal(ask(policy_builtin(STR("readonly")), "s3:GetObject", "a", "k"), POLICY_ALLOW);
    assert_int_equal(ask(policy_builtin(STR("readonly")), "s3:PutObject", "a", "k"), POLICY_NONE);
    assert_int_equal(ask(policy_builtin(STR("consoleAdmin")), "s3:DeleteBucket", "a", ""), POLICY_ALLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_statement_allows_is_not_allowed),
        cmocka_unit_test(a_deny_wins_wherever_it_stands),
        cmocka_unit_test(wildcards_match_as_in_iam),
        cmocka_unit_test(a_bucket_is_matched_with_and_without_the_slash),
        cmocka_unit_test(not_action_and_not_resource_are_all_others),
        cmocka_unit_test(variables_have_the_requests_values),
        cmocka_unit_test(conditions_compare_as_their_operators_say),
        cmocka_unit_test(what_is_not_known_is_an_error_that_names_it),
        cmocka_unit_test(a_policy_that_is_too_large_is_refused),
        cmocka_unit_test(a_policy_for_buckets_allows_all_in_them_and_nothing_else),
        cmocka_unit_test(the_builtin_policies_are_valid),
    };

    return cmocka_run_group_tests(tests, NULL, free_arena);
}
