/* Claims (RFC 7519, 4.1): times are seconds since 1970, and may have fractions (NumericDate). */
#include "auth/jose.h"
#include "base/clock.h"

/* Beyond the year 9999, or before 1970, is no time that anybody meant; it also keeps the sums below in range. */
static const int64_t time_max = INT64_C(253402300800);

static int get_time(const json_t *claims, const char *name, bool *has, int64_t *ret, struct err *err)
{
    const json_t *v = json_object_get(claims, name);
    double d;

    *has = v != NULL;
    *ret = 0;
    if (!v)
        return 0;
    if (!json_is_number(v))
        return err_set(err, ERR_DENIED, "the token's \"%s\" isn't a number", name);
    d = json_number_value(v);
    if (!(d >= 0 && d <= (double)time_max))
        return err_set(err, ERR_DENIED, "the token's \"%s\" isn't a time", name);
    *ret = json_is_integer(v) ? json_integer_value(v) : (int64_t)d;
    return 0;
}

bool jwt_has_audience(const json_t *claims, struct str audience)
{
    const json_t *aud = json_object_get(claims, "aud");
    const json_t *one;
    size_t i;

    if (json_is_string(aud))
        return str_eq(json_str(aud), audience);
    json_array_foreach(aud, i, one)
    {
        if (json_is_string(one) && str_eq(json_str(one), audience))
            return true;
    }
    return false;
}

static int check_times(const json_t *claims, const struct jwt_expect *e, struct err *err)
{
    int64_t now = e->now ? e->now : clock_wall_ms() / 1000, exp, nbf, iat;
    bool has_exp, has_nbf, has_iat;
    int rc;

    if ((rc = get_time(claims, "exp", &has_exp, &exp, err)) < 0 ||
        (rc = get_time(claims, "nbf", &has_nbf, &nbf, err)) < 0 ||
        (rc = get_time(claims, "iat", &has_iat, &iat, err)) < 0)
        return rc;
    if (!has_exp && !e->no_exp)
        return err_set(err, ERR_DENIED, "the token has no \"exp\"");
    if (has_exp && now >= exp + e->leeway)
        return err_set_named(err, ERR_DENIED, JWT_EXPIRED, "the token has expired");
    if (has_nbf && now + e->leeway < nbf)
        return err_set(err, ERR_DENIED, "the token isn't valid yet");
    if (has_iat && now + e->leeway < iat)
        return err_set(err, ERR_DENIED, "the token was issued in the future");
    if (e->max_age && has_exp && exp > now + e->leeway + e->max_age)
        return err_set(err, ERR_DENIED, "the token lives longer than %lld seconds", (long long)e->max_age);
    if (e->max_age && has_iat && iat + e->max_age + e->leeway < now)
        return err_set(err, ERR_DENIED, "the token is older than %lld seconds", (long long)e->max_age);
    return 0;
}

static int check_claims(const json_t *claims, const struct jwt_expect *e, struct err *err)
{
    const json_t *iss = json_object_get(claims, "iss"), *aud = json_object_get(claims, "aud");
    int rc = check_times(claims, e, err);

    if (rc < 0)
        return rc;
    if (iss && !json_is_string(iss))
        return err_set(err, ERR_DENIED, "the token's \"iss\" isn't a text");
    if (aud && !json_is_string(aud) && !json_is_array(aud))
        return err_set(err, ERR_DENIED, "the token's \"aud\" isn't a text or a list");
    if (e->issuer.p && !str_eq(json_str(iss), e->issuer))
        return err_set(err, ERR_DENIED, "the token was issued by another one than \"%.*s\"", STR_ARG(e->issuer));
    if (e->audience.p && !jwt_has_audience(claims, e->audience))
        return err_set(err, ERR_DENIED, "the token isn't for the audience \"%.*s\"", STR_ARG(e->audience));
    return 0;
}

int jwt_claims(struct str payload, const struct jwt_expect *e, json_t **ret, struct err *err)
{
    JSON_SCOPED json_t *claims = NULL;
    int rc = json_parse(payload, &claims, err);

    if (rc < 0)
        return err_prefix(err, "the token's claims");
    if (!json_is_object(claims))
        return err_set(err, ERR_INVALID, "the token's claims aren't a JSON object");
    rc = check_claims(claims, e, err);
    if (rc < 0)
        return rc;
    *ret = json_incref(claims);
    return 0;
}
