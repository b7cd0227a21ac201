/*
 * From an HTTP request to an operation: who asks, what for, whether that is granted. All of it happens before the body
 * is read, on the headers alone, so that a client which waits for "100 Continue" sends nothing in vain.
 */
#include "s3/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"

struct str s3_header(struct s3_call *c, const char *name)
{
    struct str value = http_header(c->r, name), rest, item, key;
    struct str wanted = str_from_cstr(name);

    /* SDKs move what they sign of a presigned request into its query. */
    if (!str_is_null(value) || !str_starts_with(wanted, STR("x-amz-")))
        return value;
    rest = c->r->raw_query;
    while (str_split(&rest, '&', &item)) {
        (void)str_split(&item, '=', &key);
        if (str_eq_nocase(key, wanted))
            return http_query(c->r, arena_cstr(c->arena, key));
    }
    return STR_NULL;
}

/* MinIO's health checks, which load balancers and Helm charts know. Without authentication, as there. */
static bool respond_health(struct s3_call *c)
{
    static const char *const paths[] = {"/minio/health/live", "/minio/health/ready", "/minio/health/cluster"};
    struct http_request *r = c->r;

    if (!str_eq(r->method, STR("GET")) && !str_eq(r->method, STR("HEAD")))
        return false;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (str_eq_cstr(r->path, paths[i])) {
            s3_respond_empty(c, s3_response(c, 200));
            return true;
        }
    return false;
}

static int authenticate(struct s3_call *c, struct err *err)
{
    struct http_request *r = c->r;
    struct sigv4_header *headers = arena_array(c->arena, struct sigv4_header, r->header_count);
    struct sigv4_request q = {r->method, r->raw_path, r->raw_query, headers, r->header_count};
    int rc;

    for (size_t i = 0; i < r->header_count; i++)
        headers[i] = (struct sigv4_header){r->headers[i].name, r->headers[i].value};
    rc = sigv4_verify(c->arena, &q, "s3", clock_wall_ms(), s3_find_keys, c, &c->signature, err);
    if (rc < 0)
        c->user = NULL;
    return rc;
}

/* /bucket/key…; the key is whatever follows, taken as it is. */
static int read_path(struct s3_call *c, struct err *err)
{
    struct str path = str_skip(c->r->path, 1);
    size_t slash = str_find_char(path, '/', 0);

    c->bucket = str_slice(path, 0, slash);
    c->key = slash == SIZE_MAX ? STR("") : str_skip(path, slash + 1);
    if (c->bucket.n == 0 && path.n)
        return err_set_named(err, ERR_INVALID, "InvalidBucketName", "The specified bucket is not valid.");
    if (str_eq(c->bucket, STR("minio"))) {
        c->bucket = c->key = STR("");
        return err_set_named(err, ERR_UNSUPPORTED, "NotImplemented",
                             "MinIO's own API under /minio is not implemented.");
    }
    if (!str_is_utf8(path) || str_find_char(path, '\0', 0) != SIZE_MAX) {
        c->bucket = c->key = STR("");
        return err_set_named(err, ERR_INVALID, "InvalidURI", "Couldn't parse the specified URI: it is not UTF-8.");
    }
    if (c->key.n > OBJECTS_KEY_MAX)
        return err_set_named(err, ERR_INVALID, "KeyTooLongError", "Your key is too long.");
    return 0;
}

/* S3 has no POST to the service itself. */
static bool is_for_sts(const struct s3_call *c)
{
    struct str type = http_header(c->r, "content-type");

    return str_eq(c->r->method, STR("POST")) && str_eq(c->r->path, STR("/")) &&
           (str_starts_with_nocase(type, STR("application/x-www-form-urlencoded")) || http_has_query(c->r, "Action"));
}

static int start_sts(struct s3_call *c)
{
    static const struct s3_operation sts = {"POST", S3_SERVICE, NULL, NULL, NULL, S3_BODY_XML, NULL, NULL, sts_run};

    c->operation = &sts;
    c->body.kind = S3_BODY_XML;
    c->body.length = c->r->content_length >= 0 ? (uint64_t)c->r->content_length : UINT64_MAX;
    buf_init(&c->body.xml, STS_BODY_MAX);
    return 0;
}

static int start(struct s3_call *c, struct err *err)
{
    int rc;

    if (is_for_sts(c))
        return start_sts(c);

    if ((rc = read_path(c, err)) < 0 || (rc = authenticate(c, err)) < 0 || (rc = s3_route(c, err)) < 0)
        return rc;
    if (c->operation->action && (rc = s3_authorize(c, c->operation->action, c->bucket, c->key, err)) < 0)
        return rc;
    if ((rc = s3_body_prepare(c, err)) < 0)
        return rc;
    return c->operation->prepare ? c->operation->prepare(c, err) : 0;
}

static void on_begin(void *ctx, struct http_request *r)
{
    struct s3_call *c = arena_new(r->arena, struct s3_call);
    struct err err = {0};

    c->s3 = ctx;
    c->access = s3_access_current(ctx);
    c->r = r;
    c->arena = r->arena;
    (void)snprintf(c->request_id, sizeof(c->request_id), "%016llX", (unsigned long long)rand_u64());
    r->state = c;
    if (respond_health(c))
        return;
    if (start(c, &err) < 0)
        s3_respond_error(c, &err);
}

static void on_body(void *ctx, struct http_request *r, struct str piece)
{
    struct s3_call *c = r->state;
    struct err err = {0};
    (void)ctx;

    if (!c->responded && s3_body_add(c, piece, &err) < 0) {
        s3_body_release(c);
        s3_respond_error(c, &err);
    }
}

/* Once an operation has responded the call may be gone: `done` can run before the operation returns. */
static void on_finish(void *ctx, struct http_request *r)
{
    struct s3_call *c = r->state;
    struct err err = {0};
    (void)ctx;

    if (s3_body_finish(c, &err) < 0 || c->operation->run(c, &err) < 0) {
        s3_body_release(c);
        s3_respond_error(c, &err);
    }
}

static void on_done(void *ctx, struct http_request *r, bool completed)
{
    struct s3_call *c = r->state;
    (void)ctx, (void)completed;

    if (!c)
        return;
    s3_body_release(c);
    s3_access_unref(c->access);
}

const struct http_handler s3_handler = {on_begin, on_body, on_finish, on_done};
