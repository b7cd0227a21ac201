/*
 * Whether the user of a call may do something: its policies, and what the request has to say to their conditions.
 * All others' buckets don't exist for it: naming one is AccessDenied whether there is such a bucket or not.
 */
#include "s3/internal.h"

#include "base/clock.h"
#include "http/forwarded.h"

static size_t one(struct s3_call *c, struct str value, const struct str **ret)
{
    struct str *copy;

    if (str_is_null(value))
        return 0;
    copy = arena_new(c->arena, struct str);
    *copy = value;
    *ret = copy;
    return 1;
}

/* What a proxy that is trusted says of its client, or else the peer. */
static struct http_origin origin_of(struct s3_call *c)
{
    struct http_origin origin;

    if (http_origin_of(c->r, &origin, NULL) < 0)
        origin = (struct http_origin){.scheme = c->r->is_tls ? STR("https") : STR("http"), .client = c->r->peer};
    return origin;
}

static struct str rfc3339_now(struct s3_call *c)
{
    char text[CLOCK_TEXT_SIZE];

    clock_format_rfc3339_ms(clock_wall_ms(), text);
    return arena_str(c->arena, str_from_cstr(text));
}

/* How old the signature is, which policies may bound: in ms, as AWS has it. */
static struct str signature_age(struct s3_call *c)
{
    int64_t signed_ms;

    if (clock_parse_amz(str_from_cstr(c->signature.date), &signed_ms, NULL) < 0)
        return STR_NULL;
    return arena_printf(c->arena, "%lld", (long long)(clock_wall_ms() - signed_ms));
}

static size_t claim(const struct s3_principal *p, const char *name, const struct str **ret)
{
    for (size_t i = 0; i < p->claim_count; i++) {
        if (!str_eq_cstr(p->claims[i].name, name))
            continue;
        *ret = p->claims[i].values;
        return p->claims[i].n;
    }
    return 0;
}

static struct str subject_of(const struct s3_principal *p)
{
    const struct str *sub = NULL;

    return claim(p, "sub", &sub) == 1 ? *sub : p->access_key;
}

/* A token's holder has no user name, as in AWS: whoever could choose one in the identity provider would else be let
 * into the home of a user of the same name. Policies say ${jwt:preferred_username}. */
static size_t values_of(void *ctx, const char *key, const struct str **ret)
{
    struct s3_call *c = ctx;
    bool presigned = str_is_null(http_header(c->r, "authorization"));

    if (strcmp(key, "aws:username") == 0)
        return one(c, c->user->is_temporary ? STR_NULL : c->user->name, ret);
    if (strncmp(key, "jwt:", 4) == 0)
        return claim(c->user, key + 4, ret);
    if (strcmp(key, "aws:userid") == 0)
        return one(c, subject_of(c->user), ret);
    if (strcmp(key, "aws:PrincipalType") == 0)
        return one(c, c->user->is_temporary ? STR("AssumedRole") : STR("User"), ret);
    if (strcmp(key, "aws:SourceIp") == 0)
        return one(c, origin_of(c).client, ret);
    if (strcmp(key, "aws:SecureTransport") == 0)
        return one(c, str_eq(origin_of(c).scheme, STR("https")) ? STR("true") : STR("false"), ret);
    if (strcmp(key, "aws:CurrentTime") == 0)
        return one(c, rfc3339_now(c), ret);
    if (strcmp(key, "aws:EpochTime") == 0)
        return one(c, arena_printf(c->arena, "%lld", (long long)(clock_wall_ms() / 1000)), ret);
    if (strcmp(key, "aws:UserAgent") == 0)
        return one(c, http_header(c->r, "user-agent"), ret);
    if (strcmp(key, "aws:Referer") == 0)
        return one(c, http_header(c->r, "referer"), ret);
    if (strcmp(key, "s3:prefix") == 0 || strcmp(key, "s3:delimiter") == 0 || strcmp(key, "s3:max-keys") == 0)
        return one(c, http_query(c->r, key + 3), ret);
    if (strcmp(key, "s3:versionid") == 0)
        return one(c, http_query(c->r, "versionId"), ret);
    if (strcmp(key, "s3:authType") == 0)
        return one(c, presigned ? STR("REST-QUERY-STRING") : STR("REST-HEADER"), ret);
    if (strcmp(key, "s3:signatureversion") == 0)
        return one(c, STR("AWS4-HMAC-SHA256"), ret);
    if (strcmp(key, "s3:signatureAge") == 0)
        return one(c, signature_age(c), ret);
    if (strncmp(key, "s3:x-amz-", 9) == 0)
        return one(c, s3_header(c, key + 3), ret);
    return 0;
}

enum policy_effect s3_permission(struct s3_call *c, const char *action, struct str bucket, struct str key)
{
    const struct policy_request r = {
        .arena = c->arena, .action = action, .bucket = bucket, .key = key, .values = values_of, .ctx = c};

    enum policy_effect effect = policy_evaluate(c->user->policies, c->user->policy_count, &r);
    if (effect != POLICY_ALLOW || !c->user->session_policy)
        return effect;
    return policy_evaluate(&c->user->session_policy, 1, &r);
}

int s3_authorize(struct s3_call *c, const char *action, struct str bucket, struct str key, struct err *err)
{
    if (s3_permission(c, action, bucket, key) == POLICY_ALLOW)
        return 0;
    return err_set_named(err, ERR_DENIED, "AccessDenied", "Access Denied.");
}
