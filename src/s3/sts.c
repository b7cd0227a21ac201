/*
 * The Security Token Service: AssumeRoleWithWebIdentity, which gives whoever has a token of the identity provider
 * temporary credentials for S3. The contract is AWS's ("AssumeRoleWithWebIdentity", version 2011-06-15) as MinIO has it:
 * no roles but a claim of the token names policies, and RoleArn and RoleSessionName, which AWS's clients insist on, are
 * taken and mean nothing. Parameters come in the body of a POST to "/", or in its query.
 */
#include "s3/sts.h"

#include "auth/jwks.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/vec.h"
#include "pki/pki.h"
#include "s3/internal.h"
#include "s3/session.h"

enum {
    DURATION_DEFAULT_S = 3600,
    DURATION_MIN_S = 900,
    DURATION_MAX_S = 12 * 3600,
    TOKEN_LEEWAY_S = 30, /* between the clocks of two machines */
    PARAMETERS_MAX = 64,
    /* Tokens that are looked at together: one may wait for the issuer's keys, and S3's own calls need the pool. */
    AT_ONCE_MAX = 8,
};

#define STS_VERSION "2011-06-15"
#define STS_NAMESPACE "https://sts.amazonaws.com/doc/2011-06-15/"

struct sts {
    struct arena arena;
    struct jwks *jwks;
    const char *issuer;
    struct str *audiences;
    size_t audience_count;
    struct str claim;
    _Atomic unsigned at_once;
};

/* ---- the identity provider ---- */

/* Our own realm: its address is known, so its keys come from there and not from where clients see it. */
static void own_issuer(struct sts *s, const struct spec *spec, struct jwks_options *to)
{
    const char *scheme = spec->tls.on ? "https" : "http";
    const char *local =
        arena_printf(&s->arena, "%s://%s:%d", scheme, pki_url_host(&s->arena, spec), spec->identity_service.port).p;
    struct str seen = str_is_null(spec->identity.url) ? str_from_cstr(local) : spec->identity.url;

    to->issuer = arena_printf(&s->arena, "%.*s/realms/%.*s", STR_ARG(seen), STR_ARG(spec->identity.realm)).p;
    to->jwks_url =
        arena_printf(&s->arena, "%s/realms/%.*s/protocol/openid-connect/certs", local, STR_ARG(spec->identity.realm)).p;
    to->ca_file = pki_ca_file(&s->arena, spec);
    to->connect_to = pki_local_address(&s->arena, spec, spec->identity_service.port);
    to->allow_http = true;
}

int sts_new(const struct spec *spec, struct sts **ret, struct err *err)
{
    const struct spec_openid *o = &spec->openid;
    struct sts *s = calloc(1, sizeof(*s));
    struct jwks_options jwks = {0};
    struct str other = str_is_null(o->issuer) ? spec->identity.issuer : o->issuer;

    if (!s)
        abort();
    arena_init(&s->arena, 0);
    s->claim = arena_str(&s->arena, o->claim);
    if (str_is_null(other)) {
        own_issuer(s, spec, &jwks);
    } else {
        jwks.issuer = arena_cstr(&s->arena, other);
        jwks.ca_file = str_is_null(o->ca) ? NULL : arena_cstr(&s->arena, o->ca);
    }
    if (!str_is_null(o->audience)) {
        s->audiences = arena_new(&s->arena, struct str);
        s->audiences[s->audience_count++] = arena_str(&s->arena, o->audience);
    } else if (str_is_null(other)) {
        /* The platform's own clients: whoever got a token through one of them is a user of the platform. */
        s->audiences = arena_array(&s->arena, struct str, spec->identity.clients.n);
        for (size_t i = 0; i < spec->identity.clients.n; i++)
            s->audiences[s->audience_count++] = arena_str(&s->arena, spec->identity.clients.items[i].name);
    }
    s->issuer = jwks.issuer;
    int rc = jwks_new(&jwks, &s->jwks, err);
    if (rc < 0) {
        sts_free(s);
        return err_prefix(err, "objects.openid.issuer");
    }
    *ret = s;
    return 0;
}

void sts_free(struct sts *s)
{
    if (!s)
        return;
    jwks_free(s->jwks);
    arena_release(&s->arena);
    free(s);
}

/* ---- parameters ---- */

struct parameter {
    struct str name, value;
};

struct parameters {
    struct parameter items[PARAMETERS_MAX];
    size_t n;
};

static int invalid(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

static int invalid(struct err *err, const char *fmt, ...)
{
    char text[ERR_MESSAGE_SIZE];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set_named(err, ERR_INVALID, "InvalidParameterValue", "%s", text);
}

static int decode(struct arena *a, struct str s, struct str *ret, struct err *err)
{
    BUF_SCOPED struct buf b;

    buf_init(&b, STS_BODY_MAX);
    if (enc_unpercent(&b, s, true, NULL) < 0 || !str_is_utf8(buf_str(&b)))
        return invalid(err, "A parameter is not percent-encoded UTF-8.");
    *ret = arena_str(a, buf_str(&b));
    return 0;
}

static int read_form(struct arena *a, struct str text, struct parameters *to, struct err *err)
{
    struct str item;

    while (text.n && str_split(&text, '&', &item)) {
        struct parameter *p = &to->items[to->n];
        struct str value = item, name;

        if (item.n == 0)
            continue;
        if (to->n == PARAMETERS_MAX)
            return invalid(err, "More than %d parameters.", PARAMETERS_MAX);
        (void)str_split(&value, '=', &name);
        if (decode(a, name, &p->name, err) < 0 || decode(a, value, &p->value, err) < 0)
            return ERR_INVALID;
        for (size_t i = 0; i < to->n; i++) {
            if (str_eq(to->items[i].name, p->name))
                return invalid(err, "The parameter %.*s stands there twice.", STR_ARG(p->name));
        }
        to->n++;
    }
    return 0;
}

static struct str get(const struct parameters *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++) {
        if (str_eq_cstr(p->items[i].name, name))
            return p->items[i].value;
    }
    return STR_NULL;
}

static int check_parameters(const struct parameters *p, struct err *err)
{
    static const char *const known[] = {"Action", "Version", "WebIdentityToken", "DurationSeconds",
                                        "Policy", "RoleArn", "RoleSessionName",  "ProviderId"};
    struct str action = get(p, "Action");

    if (str_is_empty(action))
        return err_set_named(err, ERR_INVALID, "MissingParameter", "The request has no Action.");
    if (!str_eq(action, STR("AssumeRoleWithWebIdentity")))
        return err_set_named(err, ERR_UNSUPPORTED, "InvalidAction",
                             "The action %.*s is not implemented: AssumeRoleWithWebIdentity is.", STR_ARG(action));
    if (!str_eq(get(p, "Version"), STR(STS_VERSION)))
        return err_set_named(err, ERR_INVALID, "MissingParameter", "Invalid STS API version %.*s, expecting %s",
                             STR_ARG(get(p, "Version")), STS_VERSION);
    for (size_t i = 0; i < p->n; i++) {
        bool found = false;
        for (size_t j = 0; j < ARRAY_LEN(known); j++)
            found = found || str_eq_cstr(p->items[i].name, known[j]);
        if (!found)
            return invalid(err, "The parameter %.*s is not implemented.", STR_ARG(p->items[i].name));
    }
    if (get(p, "ProviderId").n)
        return invalid(err, "ProviderId is for OAuth 2.0 access tokens of Facebook and Amazon: leave it out.");
    if (str_is_empty(get(p, "WebIdentityToken")))
        return err_set_named(err, ERR_INVALID, "MissingParameter", "The request has no WebIdentityToken.");
    return 0;
}

static int read_duration(const struct parameters *p, int64_t *ret_s, struct err *err)
{
    struct str text = get(p, "DurationSeconds");

    *ret_s = DURATION_DEFAULT_S;
    if (str_is_null(text))
        return 0;
    if (str_to_i64(text, ret_s, NULL) < 0 || *ret_s < DURATION_MIN_S || *ret_s > DURATION_MAX_S)
        return invalid(err, "DurationSeconds has to be a number from %d to %d.", DURATION_MIN_S, DURATION_MAX_S);
    return 0;
}

static int read_policy(struct arena *a, const struct parameters *p, struct str *ret, struct err *err)
{
    struct str text = get(p, "Policy");
    struct policy *policy;
    struct err why = {0};

    *ret = STR_NULL;
    if (str_is_empty(text))
        return 0;
    if (text.n > SESSION_POLICY_MAX)
        return err_set_named(err, ERR_LIMIT, "PackedPolicyTooLarge",
                             "The session policy should not exceed %d characters.", SESSION_POLICY_MAX);
    if (policy_parse(a, text, &policy, &why) < 0)
        return err_set_named(err, ERR_INVALID, "MalformedPolicyDocument", "The session policy: %s", why.message);
    if (!policy_has_version(policy))
        return err_set_named(err, ERR_INVALID, "MalformedPolicyDocument",
                             "The session policy needs its Version, 2012-10-17.");
    *ret = text;
    return 0;
}

/* ---- the token ---- */

static bool is_for_us(const struct sts *s, const json_t *claims)
{
    struct str party = json_opt_str(claims, "azp", STR_NULL);

    for (size_t i = 0; i < s->audience_count; i++) {
        if (jwt_has_audience(claims, s->audiences[i]) || str_eq(party, s->audiences[i]))
            return true;
    }
    return false;
}

static int verify(const struct sts *s, struct arena *a, struct str token, json_t **ret, struct err *err)
{
    const struct jwt_expect expect = {.leeway = TOKEN_LEEWAY_S};
    struct err why = {0};
    JSON_SCOPED json_t *claims = NULL;

    if (s->audience_count == 0)
        return err_set_named(err, ERR_DENIED, "AccessDenied",
                             "No token is accepted here: objects.openid.audience of platform.yaml doesn't say for whom "
                             "tokens have to be.");
    int rc = jwks_verify(s->jwks, a, token, JOSE_ANY_PUBLIC, &expect, &claims, &why);
    if (rc < 0 && why.name && strcmp(why.name, JWT_EXPIRED) == 0)
        return err_set_named(err, ERR_DENIED, "ExpiredTokenException",
                             "The web identity token that was passed is expired or is not valid. Get a new identity "
                             "token from the identity provider and then retry the request.");
    if (rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT || rc == ERR_IO) {
        log_warn("a web identity token can't be checked: %s", why.message);
        return err_set_named(err, ERR_UNAVAILABLE, "IDPCommunicationError",
                             "The keys of the identity provider %s can't be had: try again.", s->issuer);
    }
    if (rc < 0)
        return invalid(err, "The web identity token: %s.", why.message);
    if (!is_for_us(s, claims))
        return invalid(err,
                       "The web identity token is for another audience: expected %.*s among its aud or as its azp.",
                       STR_ARG(s->audiences[0]));
    *ret = json_incref(claims);
    return 0;
}

/* The claim may lie deeper, as Keycloak's realm_access.roles does; a claim whose own name has dots comes first. */
static const json_t *find_claim(struct arena *a, const json_t *claims, struct str path)
{
    const json_t *at = json_object_get(claims, arena_cstr(a, path));
    struct str part;

    if (at)
        return at;
    at = claims;
    while (at && str_split(&path, '.', &part))
        at = json_object_get(at, arena_cstr(a, part));
    return at;
}

/* A text with commas, or a list: those that there are, with commas between. */
static int read_policy_names(const struct sts *s, struct s3_call *c, const json_t *claims, struct str *ret,
                             struct err *err)
{
    const json_t *value = find_claim(c->arena, claims, s->claim);
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    BUF_SCOPED struct buf known, given;

    buf_init(&known, SESSION_POLICIES_MAX);
    buf_init(&given, 256);
    if (!json_is_string(value) && !json_is_array(value))
        return invalid(err, "%.*s claim missing from the JWT token, credentials will not be generated",
                       STR_ARG(s->claim));
    for (size_t i = 0; i < n; i++) {
        struct str rest = json_str(json_is_array(value) ? json_array_get(value, i) : value), name;
        while (str_split(&rest, ',', &name)) {
            name = str_trim(name);
            buf_add_cstr(&given, given.n ? "," : "");
            buf_add_str(&given, name);
            if (name.n == 0 || !s3_access_has_policy(c->access, name))
                continue;
            buf_add_cstr(&known, known.n ? "," : "");
            buf_add_str(&known, name);
        }
    }
    if (known.failed)
        return err_set_named(err, ERR_LIMIT, "PackedPolicyTooLarge", "The token names too many policies.");
    if (known.n == 0)
        return invalid(err, "None of the given policies (`%.*s`) are defined, credentials will not be generated",
                       STR_ARG(buf_str(&given)));
    *ret = arena_str(c->arena, buf_str(&known));
    return 0;
}

/* ---- the answer ---- */

static void respond(struct s3_call *c, const struct sts *s, const struct session *session, struct str token,
                    const json_t *claims)
{
    BUF_SCOPED struct buf b;
    char expires[CLOCK_TEXT_SIZE];
    struct str audience = json_opt_str(claims, "azp", json_opt_str(claims, "aud", STR("")));

    buf_init(&b, 256 << 10);
    clock_format_rfc3339_ms(session->expires_ms, expires);
    buf_add_cstr(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<AssumeRoleWithWebIdentityResponse xmlns=\"" STS_NAMESPACE "\">");
    xml_open(&b, "AssumeRoleWithWebIdentityResult");
    xml_open(&b, "AssumedRoleUser");
    xml_text(&b, "Arn", session->name);
    xml_text(&b, "AssumedRoleId", session->subject);
    xml_close(&b, "AssumedRoleUser");
    xml_text(&b, "Audience", audience);
    xml_open(&b, "Credentials");
    xml_text(&b, "AccessKeyId", session->access_key);
    xml_text(&b, "SecretAccessKey", session->secret_key);
    xml_cstr(&b, "Expiration", expires);
    xml_text(&b, "SessionToken", token);
    xml_close(&b, "Credentials");
    xml_cstr(&b, "Provider", s->issuer);
    xml_text(&b, "SubjectFromWebIdentityToken", session->subject);
    xml_close(&b, "AssumeRoleWithWebIdentityResult");
    xml_open(&b, "ResponseMetadata");
    xml_cstr(&b, "RequestId", c->request_id);
    xml_close(&b, "ResponseMetadata");
    xml_close(&b, "AssumeRoleWithWebIdentityResponse");
    struct http_response *p = s3_response(c, 200);
    http_response_add(c->r, p, "Cache-Control", STR("no-store"));
    s3_respond_xml(c, p, &b);
}

static int verify_in_turn(struct sts *s, struct arena *a, struct str token, json_t **ret, struct err *err)
{
    int rc = s->at_once++ < AT_ONCE_MAX
                 ? verify(s, a, token, ret, err)
                 : err_set_named(err, ERR_UNAVAILABLE, "SlowDown", "Please reduce your request rate.");

    s->at_once--;
    return rc;
}

int sts_run(struct s3_call *c, struct err *err)
{
    struct sts *s = c->s3->sts;
    struct parameters *p = arena_new(c->arena, struct parameters);
    JSON_SCOPED json_t *claims = NULL;
    struct session session = {0};
    struct str token;
    int64_t duration_s;
    int rc;

    if ((rc = read_form(c->arena, c->r->raw_query, p, err)) < 0 ||
        (rc = read_form(c->arena, buf_str(&c->body.xml), p, err)) < 0 || (rc = check_parameters(p, err)) < 0 ||
        (rc = read_duration(p, &duration_s, err)) < 0 ||
        (rc = read_policy(c->arena, p, &session.session_policy, err)) < 0 ||
        (rc = verify_in_turn(s, c->arena, get(p, "WebIdentityToken"), &claims, err)) < 0 ||
        (rc = read_policy_names(s, c, claims, &session.policies, err)) < 0)
        return rc;
    session.subject = json_opt_str(claims, "sub", STR(""));
    session.name = json_opt_str(claims, "preferred_username", session.subject);
    if (str_is_empty(session.subject))
        return invalid(err, "The web identity token: it has no \"sub\".");
    session.expires_ms = clock_wall_ms() + duration_s * 1000;
    rc = s3_session_new(c->arena, s3_access_session_key(c->access), &session, claims, &token, err);
    if (rc == ERR_LIMIT) {
        struct err why = *err;
        return err_set_named(err, ERR_LIMIT, "PackedPolicyTooLarge", "%s", why.message);
    }
    if (rc < 0)
        return rc;
    log_info("temporary credentials %.*s for %.*s, for %lld s: policies %.*s", STR_ARG(session.access_key),
             STR_ARG(session.name), (long long)duration_s, STR_ARG(session.policies));
    respond(c, s, &session, token, claims);
    return 0;
}

/* ---- errors ---- */

static const struct {
    const char *name;
    int status;
} statuses[] = {
    {"AccessDenied", 403},          {"ExpiredTokenException", 400}, {"IDPCommunicationError", 400},
    {"InvalidAction", 400},         {"InvalidParameterValue", 400}, {"MalformedPolicyDocument", 400},
    {"MissingParameter", 400},      {"PackedPolicyTooLarge", 400},  {"SlowDown", 503},
    {"RequestEntityTooLarge", 413},
};

void sts_respond_error(struct s3_call *c, const struct err *err)
{
    BUF_SCOPED struct buf b;
    const char *name = "InternalError", *message = err->message;
    int status = 500;

    for (size_t i = 0; err->name && i < ARRAY_LEN(statuses); i++) {
        if (strcmp(err->name, statuses[i].name) == 0) {
            name = statuses[i].name;
            status = statuses[i].status;
        }
    }
    if (status == 500 && err->code == ERR_LIMIT) {
        name = "RequestEntityTooLarge";
        status = 413;
    }
    if (status == 500) {
        log_error("request %s: a temporary credential: %s", c->request_id, err->message);
        message = "We encountered an internal error generating credentials, please try again.";
    }
    buf_init(&b, 64 << 10);
    buf_add_cstr(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ErrorResponse xmlns=\"" STS_NAMESPACE "\">");
    xml_open(&b, "Error");
    xml_cstr(&b, "Type", status >= 500 ? "Receiver" : "Sender");
    xml_cstr(&b, "Code", name);
    xml_cstr(&b, "Message", message);
    xml_close(&b, "Error");
    xml_cstr(&b, "RequestId", c->request_id);
    xml_close(&b, "ErrorResponse");
    s3_respond_xml(c, s3_response(c, status), &b);
}
