/*
 * Verifying AWS Signature Version 4. The client canonicalised its request, hashed it and signed the hash with a key
 * derived from its secret; the same is done here from what arrived on the wire, and the two signatures compared.
 *
 * What arrived is decoded and encoded again, so that clients which escape more or less than RFC 3986 asks for
 * ("~", "%2f" in lower case, "+" for a space) verify as they do with S3. S3 signs paths as they are: no "." or ".."
 * is resolved, no "//" is joined, nothing is encoded twice.
 *
 * Every header that starts with x-amz- has to be among the signed ones, as in S3: else whoever carries a presigned
 * URL could add one that changes what the request does.
 */
#include "auth/sigv4.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/vec.h"

enum {
    SKEW_MS = 15 * 60 * 1000,
    EXPIRES_MAX_S = 7 * 24 * 3600,
    SIGNED_HEADERS_MAX = 256,
    QUERY_PARAMETERS_MAX = 1024,
    CANONICAL_MAX = 1 << 20, /* bytes: the server bounds request lines and headers far below it */
};

#define ALGORITHM "AWS4-HMAC-SHA256"
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct parameter {
    struct str name, value;                 /* decoded */
    struct str encoded_name, encoded_value; /* as the canonical request has them */
};

/* What the client says about its signature, of either form. */
struct claim {
    bool presigned;
    struct str access_key, date_stamp, region, service, scope;
    struct str signed_headers, signature;
};

struct verifier {
    struct arena *arena;
    const struct sigv4_request *request;
    VEC(struct parameter) query;
    struct claim claim;
    struct str payload; /* the payload hash or marker, as signed */
};

static struct str header(const struct sigv4_request *r, const char *name)
{
    struct str wanted = str_from_cstr(name);

    for (size_t i = 0; i < r->header_count; i++)
        if (str_eq_nocase(r->headers[i].name, wanted))
            return r->headers[i].value;
    return STR_NULL;
}

static struct str parameter(const struct verifier *v, const char *name)
{
    for (size_t i = 0; i < v->query.n; i++)
        if (str_eq_cstr(v->query.items[i].name, name))
            return v->query.items[i].value;
    return STR_NULL;
}

static int unpercent(struct arena *a, struct str s, bool plus_is_space, struct str *ret, struct err *err)
{
    BUF_SCOPED struct buf b = {0};

    buf_init(&b, CANONICAL_MAX);
    if (enc_unpercent(&b, s, plus_is_space, NULL) < 0 || buf_check(&b, "URI", NULL) < 0)
        return err_set_named(err, ERR_INVALID, "InvalidURI",
                             "The URI has an escape that is not %% and two hexadecimal digits.");
    *ret = arena_str(a, buf_str(&b));
    return 0;
}

static struct str percent(struct arena *a, struct str s)
{
    BUF_SCOPED struct buf b = {0};

    buf_init(&b, (size_t)3 * CANONICAL_MAX);
    enc_percent(&b, s, false);
    return arena_str(a, buf_str(&b));
}

static int compare_parameters(const void *left, const void *right)
{
    const struct parameter *a = left, *b = right;
    int c = str_cmp(a->encoded_name, b->encoded_name);
    return c ? c : str_cmp(a->encoded_value, b->encoded_value);
}

static int read_query(struct verifier *v, struct err *err)
{
    struct str rest = v->request->raw_query, item;

    while (!str_is_null(rest) && str_split(&rest, '&', &item)) {
        struct parameter p;
        struct str value = item, name;
        if (str_is_empty(item))
            continue;
        if (v->query.n == QUERY_PARAMETERS_MAX)
            return err_set_named(err, ERR_INVALID, "InvalidURI", "The query has more than %d parameters.",
                                 QUERY_PARAMETERS_MAX);
        (void)str_split(&value, '=', &name);
        if (unpercent(v->arena, name, true, &p.name, err) < 0 || unpercent(v->arena, value, true, &p.value, err) < 0)
            return ERR_INVALID;
        p.encoded_name = percent(v->arena, p.name);
        p.encoded_value = percent(v->arena, p.value);
        vec_push_in(v->arena, &v->query, p);
    }
    if (v->query.n)
        qsort(v->query.items, v->query.n, sizeof(*v->query.items), compare_parameters);
    return 0;
}

static bool is_hex(struct str s, size_t n)
{
    for (size_t i = 0; i < s.n; i++)
        if (enc_hex_value(s.p[i]) < 0)
            return false;
    return s.n == n;
}

static int malformed(const struct claim *c, struct err *err, const char *what)
{
    return c->presigned ? err_set_named(err, ERR_INVALID, "AuthorizationQueryParametersError",
                                        "Error parsing the X-Amz-* query parameters; %s", what)
                        : err_set_named(err, ERR_INVALID, "AuthorizationHeaderMalformed",
                                        "The authorization header is malformed; %s", what);
}

/* ACCESS-KEY/20261124/us-east-1/s3/aws4_request, taken apart from its end: MinIO's access keys may hold a slash. */
static int read_credential(struct verifier *v, struct str credential, const char *service, struct err *err)
{
    struct claim *c = &v->claim;
    struct str parts[4], rest = credential;

    for (size_t i = ARRAY_LEN(parts); i-- > 0;) {
        size_t slash = str_rfind_char(rest, '/');
        if (slash == SIZE_MAX)
            return malformed(c, err,
                             "the Credential is not of the form ACCESS-KEY/YYYYMMDD/REGION/SERVICE/aws4_request.");
        parts[i] = str_skip(rest, slash + 1);
        rest = str_slice(rest, 0, slash);
    }
    c->access_key = rest;
    c->date_stamp = parts[0];
    c->region = parts[1];
    c->service = parts[2];
    c->scope = str_skip(credential, rest.n + 1);
    if (str_is_empty(rest))
        return malformed(c, err, "the Credential has no access key.");
    if (!is_hex(c->date_stamp, 8))
        return malformed(c, err, "the Credential's date is not of the form YYYYMMDD.");
    if (!str_eq_cstr(c->service, service))
        return malformed(c, err, "the Credential is for another service.");
    if (!str_eq(parts[3], STR("aws4_request")))
        return malformed(c, err, "the Credential does not end in aws4_request.");
    return 0;
}

static int read_authorization(struct verifier *v, struct str value, const char *service, struct err *err)
{
    struct claim *c = &v->claim;
    struct str credential = STR_NULL, rest, item;

    if (!str_starts_with(value, STR(ALGORITHM " ")))
        return err_set_named(err, ERR_INVALID, "InvalidRequest",
                             "The authorization mechanism you have provided is not supported. Please use %s.",
                             ALGORITHM);
    rest = str_skip(value, sizeof(ALGORITHM " ") - 1);
    while (str_split(&rest, ',', &item)) {
        struct str text = str_trim(item), name;
        (void)str_split(&text, '=', &name);
        if (str_eq(name, STR("Credential")))
            credential = text;
        else if (str_eq(name, STR("SignedHeaders")))
            c->signed_headers = text;
        else if (str_eq(name, STR("Signature")))
            c->signature = text;
    }
    if (str_is_null(credential))
        return malformed(c, err, "it has no Credential.");
    if (str_is_empty(c->signed_headers))
        return malformed(c, err, "it has no SignedHeaders.");
    if (str_is_null(c->signature))
        return malformed(c, err, "it has no Signature.");
    return read_credential(v, credential, service, err);
}

static int read_presigned(struct verifier *v, const char *service, struct err *err)
{
    struct claim *c = &v->claim;
    struct str credential = parameter(v, "X-Amz-Credential");

    c->presigned = true;
    if (!str_eq(parameter(v, "X-Amz-Algorithm"), STR(ALGORITHM)))
        return malformed(c, err, "X-Amz-Algorithm only supports \"" ALGORITHM "\".");
    c->signed_headers = parameter(v, "X-Amz-SignedHeaders");
    c->signature = parameter(v, "X-Amz-Signature");
    if (str_is_null(credential) || str_is_empty(c->signed_headers) || str_is_null(c->signature) ||
        str_is_null(parameter(v, "X-Amz-Date")) || str_is_null(parameter(v, "X-Amz-Expires")))
        return malformed(c, err,
                         "a presigned request has X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, "
                         "X-Amz-SignedHeaders and X-Amz-Expires.");
    return read_credential(v, credential, service, err);
}

/* The time the client signed at, into `date` in its ISO form. */
static int read_date(struct verifier *v, char date[17], int64_t *ret_ms, struct err *err)
{
    struct str text = v->claim.presigned ? parameter(v, "X-Amz-Date") : header(v->request, "x-amz-date");
    int64_t ms;

    if (!str_is_null(text)) {
        if (clock_parse_amz(text, &ms, NULL) < 0)
            return v->claim.presigned
                       ? malformed(&v->claim, err,
                                   "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\".")
                       : err_set_named(err, ERR_DENIED, "AccessDenied",
                                       "AWS authentication requires a valid Date or x-amz-date header.");
    } else {
        text = header(v->request, "date");
        if (str_is_null(text) || (clock_parse_http(text, &ms, NULL) < 0 && clock_parse_amz(text, &ms, NULL) < 0))
            return err_set_named(err, ERR_DENIED, "AccessDenied",
                                 "AWS authentication requires a valid Date or x-amz-date header.");
    }
    char out[CLOCK_TEXT_SIZE];
    clock_format_amz(ms, out);
    if (strlen(out) != 16)
        return err_set_named(err, ERR_DENIED, "AccessDenied", "The request's date is not in this age.");
    memcpy(date, out, 17);
    if (!str_eq(v->claim.date_stamp, str_from(date, 8)))
        return malformed(&v->claim, err, "the Credential's date is not that of the request.");
    *ret_ms = ms;
    return 0;
}

static int check_time(const struct verifier *v, int64_t signed_ms, int64_t now_ms, struct err *err)
{
    int64_t expires_s;

    if (!v->claim.presigned) {
        if (signed_ms < now_ms - SKEW_MS || signed_ms > now_ms + SKEW_MS)
            return err_set_named(err, ERR_DENIED, "RequestTimeTooSkewed",
                                 "The difference between the request time and the server's time is too large.");
        return 0;
    }
    if (str_to_i64(parameter(v, "X-Amz-Expires"), &expires_s, NULL) < 0)
        return malformed(&v->claim, err, "X-Amz-Expires should be a number.");
    if (expires_s < 0)
        return malformed(&v->claim, err, "X-Amz-Expires must be non-negative.");
    if (expires_s > EXPIRES_MAX_S)
        return malformed(&v->claim, err,
                         "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must "
                         "be less than 604800 seconds.");
    if (signed_ms > now_ms + SKEW_MS)
        return err_set_named(err, ERR_DENIED, "AccessDenied", "Request is not valid yet.");
    if (signed_ms + expires_s * 1000 < now_ms)
        return err_set_named(err, ERR_DENIED, "AccessDenied", "Request has expired.");
    return 0;
}

static int read_payload(struct verifier *v, struct sigv4 *s, struct err *err)
{
    static const struct {
        struct str marker;
        enum sigv4_payload payload;
    } markers[] = {
        {STR("UNSIGNED-PAYLOAD"), SIGV4_PAYLOAD_UNSIGNED},
        {STR("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), SIGV4_PAYLOAD_STREAMING},
        {STR("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"), SIGV4_PAYLOAD_STREAMING_TRAILER},
        {STR("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), SIGV4_PAYLOAD_UNSIGNED_TRAILER},
    };
    struct str text = STR_NULL;

    if (v->claim.presigned)
        text = parameter(v, "X-Amz-Content-Sha256");
    if (str_is_null(text))
        text = header(v->request, "x-amz-content-sha256");
    /* Absent: a presigned URL leaves the body free; in the header form the body has to be empty, as MinIO has it. */
    if (str_is_null(text))
        text = v->claim.presigned ? STR("UNSIGNED-PAYLOAD") : STR(EMPTY_SHA256);
    v->payload = text;
    for (size_t i = 0; i < ARRAY_LEN(markers); i++)
        if (str_eq(text, markers[i].marker)) {
            s->payload = markers[i].payload;
            return 0;
        }
    if (str_starts_with(text, STR("STREAMING-AWS4-ECDSA")))
        return err_set_named(err, ERR_UNSUPPORTED, "NotImplemented", "Signature Version 4A is not implemented.");
    if (!is_hex(text, 64) || enc_unhex(text, s->payload_hash, 32, NULL) < 0)
        return err_set_named(err, ERR_INVALID, "InvalidArgument",
                             "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
                             "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a "
                             "valid sha256 value.");
    s->payload = SIGV4_PAYLOAD_HASH;
    return 0;
}

/* Trimmed, and each run of spaces inside made one. */
static void add_header_value(struct buf *to, struct str value)
{
    struct str s = str_trim(value);

    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != ' ' || s.p[i - 1] != ' ') /* never a space first: it is trimmed */
            buf_add_char(to, s.p[i]);
}

static bool is_signed(const struct claim *c, struct str name)
{
    struct str rest = c->signed_headers, item;

    while (str_split(&rest, ';', &item))
        if (str_eq_nocase(item, name))
            return true;
    return false;
}

static int check_signed_headers(const struct verifier *v, struct err *err)
{
    const struct sigv4_request *r = v->request;

    if (!is_signed(&v->claim, STR("host")))
        return malformed(&v->claim, err, "host has to be among the SignedHeaders.");
    for (size_t i = 0; i < r->header_count; i++) {
        struct str name = r->headers[i].name;
        /* A presigned URL's own payload marker counts; this header then can only ask for more checking. */
        if (v->claim.presigned && str_eq_nocase(name, STR("x-amz-content-sha256")))
            continue;
        if (str_starts_with_nocase(name, STR("x-amz-")) && !is_signed(&v->claim, name))
            return err_set_named(err, ERR_DENIED, "AccessDenied",
                                 "There were headers present in the request which were not signed: %.*s.",
                                 STR_ARG(name));
    }
    return 0;
}

static int add_canonical_headers(const struct verifier *v, struct buf *to, struct err *err)
{
    const struct sigv4_request *r = v->request;
    struct str rest = v->claim.signed_headers, name;
    int n = 0;

    while (str_split(&rest, ';', &name)) {
        bool is_first = true;
        if (++n > SIGNED_HEADERS_MAX)
            return malformed(&v->claim, err, "it has too many SignedHeaders.");
        buf_add_str(to, name);
        buf_add_char(to, ':');
        for (size_t i = 0; i < r->header_count; i++) {
            if (!str_eq_nocase(r->headers[i].name, name))
                continue;
            if (!is_first)
                buf_add_char(to, ',');
            add_header_value(to, r->headers[i].value);
            is_first = false;
        }
        buf_add_char(to, '\n');
    }
    return 0;
}

static int make_canonical_request(const struct verifier *v, struct buf *to, struct err *err)
{
    const struct sigv4_request *r = v->request;
    struct str path;
    bool is_first = true;

    if (unpercent(v->arena, r->raw_path, false, &path, err) < 0)
        return ERR_INVALID;
    buf_add_str(to, r->method);
    buf_add_char(to, '\n');
    enc_percent(to, path, true);
    buf_add_char(to, '\n');
    for (size_t i = 0; i < v->query.n; i++) {
        const struct parameter *p = &v->query.items[i];
        if (v->claim.presigned && str_eq(p->name, STR("X-Amz-Signature")))
            continue;
        if (!is_first)
            buf_add_char(to, '&');
        buf_add_str(to, p->encoded_name);
        buf_add_char(to, '=');
        buf_add_str(to, p->encoded_value);
        is_first = false;
    }
    buf_add_char(to, '\n');
    if (add_canonical_headers(v, to, err) < 0)
        return ERR_INVALID;
    buf_add_char(to, '\n');
    buf_add_str(to, v->claim.signed_headers);
    buf_add_char(to, '\n');
    buf_add_str(to, v->payload);
    return buf_check(to, "the canonical request", err);
}

static void make_hex(const unsigned char bytes[32], char ret[65])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < 32; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[64] = '\0';
}

static void sign(const struct sigv4 *s, struct str string_to_sign, char ret[65])
{
    unsigned char mac[32];

    hash_hmac_sha256(str_from((const char *)s->signing_key, 32), string_to_sign, mac);
    make_hex(mac, ret);
}

static int make_signing_key(const struct claim *c, struct str secret, unsigned char ret[32], struct err *err)
{
    const struct str steps[] = {c->date_stamp, c->region, c->service, STR("aws4_request")};
    BUF_SCOPED struct buf first = {0};
    struct str key;

    buf_init(&first, 4096);
    buf_add_cstr(&first, "AWS4");
    buf_add_str(&first, secret);
    if (buf_check(&first, "a secret key", err) < 0)
        return ERR_LIMIT;
    key = buf_str(&first);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        unsigned char mac[32];
        hash_hmac_sha256(key, steps[i], mac);
        memcpy(ret, mac, 32);
        key = str_from((const char *)ret, 32);
    }
    explicit_bzero(first.p, first.n);
    return 0;
}

static int check_signature(struct verifier *v, struct sigv4 *s, struct err *err)
{
    BUF_SCOPED struct buf canonical = {0}, to_sign = {0};
    unsigned char hash[32];
    char hex[65];

    buf_init(&canonical, CANONICAL_MAX);
    buf_init(&to_sign, 4096 + v->claim.scope.n);
    if (make_canonical_request(v, &canonical, err) < 0)
        return err ? err->code : ERR_INVALID;
    hash_bytes(HASH_SHA256, buf_str(&canonical), hash);
    make_hex(hash, hex);
    buf_addf(&to_sign, ALGORITHM "\n%s\n", s->date);
    buf_add_str(&to_sign, v->claim.scope);
    buf_addf(&to_sign, "\n%s", hex);
    sign(s, buf_str(&to_sign), s->signature);
    if (!str_eq_secret(str_from(s->signature, 64), v->claim.signature))
        return err_set_named(err, ERR_DENIED, "SignatureDoesNotMatch",
                             "The request signature we calculated does not match the signature you provided. Check "
                             "your key and signing method.");
    return 0;
}

/* With either of the keys. */
static int check_keys(struct verifier *v, const struct sigv4_keys *keys, struct sigv4 *s, struct err *err)
{
    int rc = make_signing_key(&v->claim, keys->secret, s->signing_key, err);

    if (rc == 0)
        rc = check_signature(v, s, err);
    if (rc != ERR_DENIED || str_is_null(keys->previous))
        return rc;
    *err = (struct err){0};
    rc = make_signing_key(&v->claim, keys->previous, s->signing_key, err);
    return rc < 0 ? rc : check_signature(v, s, err);
}

static int read_claim(struct verifier *v, const char *service, struct err *err)
{
    struct str authorization = header(v->request, "authorization");
    bool is_presigned = !str_is_null(parameter(v, "X-Amz-Algorithm")) ||
                        !str_is_null(parameter(v, "X-Amz-Credential")) || !str_is_null(parameter(v, "X-Amz-Signature"));

    if (!str_is_null(authorization) && is_presigned)
        return err_set_named(err, ERR_INVALID, "InvalidArgument",
                             "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the "
                             "Authorization header should be specified.");
    if (!str_is_null(authorization))
        return read_authorization(v, authorization, service, err);
    if (is_presigned)
        return read_presigned(v, service, err);
    if (!str_is_null(parameter(v, "AWSAccessKeyId")))
        return err_set_named(err, ERR_INVALID, "InvalidRequest",
                             "The authorization mechanism you have provided is not supported. Please use %s.",
                             ALGORITHM);
    return err_set_named(err, ERR_DENIED, "AccessDenied", "Access Denied: the request is not signed.");
}

int sigv4_verify(struct arena *a, const struct sigv4_request *r, const char *service, int64_t now_ms,
                 sigv4_keys_fn keys_of, void *ctx, struct sigv4 *ret, struct err *err)
{
    struct verifier v = {.arena = a, .request = r};
    struct sigv4 s = {0};
    struct sigv4_keys keys = {0};
    struct str token;
    struct err local = {0};
    int64_t signed_ms = 0;

    if (!err)
        err = &local;
    if (read_query(&v, err) < 0 || read_claim(&v, service, err) < 0 || read_date(&v, s.date, &signed_ms, err) < 0)
        return err->code;
    token = header(r, "x-amz-security-token");
    if (str_is_null(token))
        token = parameter(&v, "X-Amz-Security-Token");
    if (keys_of(ctx, v.claim.access_key, token, &keys, err) < 0)
        return err->code;
    if (check_time(&v, signed_ms, now_ms, err) < 0 || read_payload(&v, &s, err) < 0 ||
        check_signed_headers(&v, err) < 0)
        return err->code;
    if (check_keys(&v, &keys, &s, err) < 0)
        return err->code;
    s.access_key = arena_str(a, v.claim.access_key);
    s.scope = arena_str(a, v.claim.scope);
    *ret = s;
    return 0;
}

/* ALGORITHM, date, scope, the signature before, then one hash a line. */
static void sign_link(const struct sigv4 *s, const char *algorithm, const char previous[65], const char *middle,
                      const unsigned char hash[32], char ret[65])
{
    BUF_SCOPED struct buf b = {0};
    char hex[65];

    make_hex(hash, hex);
    buf_init(&b, 4096 + s->scope.n);
    buf_addf(&b, "%s\n%s\n", algorithm, s->date);
    buf_add_str(&b, s->scope);
    buf_addf(&b, "\n%.64s\n%s%s", previous, middle, hex);
    sign(s, buf_str(&b), ret);
}

void sigv4_chunk_signature(const struct sigv4 *s, const char previous[65], const unsigned char hash[32], char ret[65])
{
    sign_link(s, ALGORITHM "-PAYLOAD", previous, EMPTY_SHA256 "\n", hash, ret);
}

void sigv4_trailer_signature(const struct sigv4 *s, const char previous[65], const unsigned char hash[32], char ret[65])
{
    sign_link(s, ALGORITHM "-TRAILER", previous, "", hash, ret);
}
