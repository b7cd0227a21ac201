/*
 * Listings. ListObjects and its second version are one walk with two ways to say where it goes on: a key, or a token
 * that is opaque to the client (and is the key in base64).
 */
#include "s3/internal.h"

#include "base/enc.h"

int s3_query_number(struct s3_call *c, const char *name, int64_t fallback, int64_t max, int64_t *ret, struct err *err)
{
    struct str text = http_query(c->r, name);
    int64_t n = fallback;

    if (!str_is_empty(text) && (str_to_i64(text, &n, NULL) < 0 || n < 0 || n > INT32_MAX))
        return err_set_named(err, ERR_INVALID, "InvalidArgument",
                             "Argument %s must be an integer between 0 and 2147483647", name);
    *ret = n < max ? n : max;
    return 0;
}

struct listing {
    struct objects_list_request request;
    struct objects_list result;
    struct str marker; /* as the client said it: marker or start-after */
    struct str token;
    int64_t max_keys;
    bool is_url_encoded, has_owner, is_v2;
};

static void add_name(struct buf *b, const struct listing *l, const char *element, struct str name)
{
    if (!l->is_url_encoded) {
        xml_text(b, element, name);
        return;
    }
    xml_open(b, element);
    enc_percent(b, name, true);
    xml_close(b, element);
}

static int read_encoding(struct s3_call *c, bool *ret, struct err *err)
{
    struct str encoding = http_query(c->r, "encoding-type");

    *ret = str_eq_nocase(encoding, STR("url"));
    if (!str_is_empty(encoding) && !*ret)
        return err_set_named(err, ERR_INVALID, "InvalidArgument", "Invalid Encoding Method specified in Request");
    return 0;
}

static int read_token(struct s3_call *c, struct listing *l, struct err *err)
{
    BUF_SCOPED struct buf b = {0};

    l->token = http_query(c->r, "continuation-token");
    if (str_is_null(l->token))
        return 0;
    buf_init(&b, 4096);
    if (str_is_empty(l->token) || enc_unbase64url(&b, l->token, NULL) < 0)
        return err_set_named(err, ERR_INVALID, "InvalidArgument", "The continuation token provided is incorrect");
    l->request.start_after = arena_str(c->arena, buf_str(&b));
    return 0;
}

static int read_listing(struct s3_call *c, struct listing *l, struct err *err)
{
    l->request = (struct objects_list_request){
        .bucket = c->bucket,
        .prefix = http_query(c->r, "prefix"),
        .delimiter = http_query(c->r, "delimiter"),
    };
    l->marker = http_query(c->r, l->is_v2 ? "start-after" : "marker");
    l->request.start_after = l->marker;
    l->has_owner = !l->is_v2 || str_eq_nocase(http_query(c->r, "fetch-owner"), STR("true"));
    if (s3_query_number(c, "max-keys", S3_KEYS_MAX, S3_KEYS_MAX, &l->max_keys, err) < 0 ||
        read_encoding(c, &l->is_url_encoded, err) < 0 || (l->is_v2 && read_token(c, l, err) < 0))
        return ERR_INVALID;
    l->request.max = (size_t)l->max_keys;
    return 0;
}

static int walk(struct s3_call *c, struct listing *l, struct err *err)
{
    struct objects_bucket bucket;

    if (l->request.max == 0) /* asks whether it may, and gets nothing */
        return objects_get_bucket(c->s3->objects, c->arena, c->bucket, &bucket, err);
    return objects_list(c->s3->objects, c->arena, &l->request, &l->result, err);
}

static void add_object(struct s3_call *c, struct buf *b, const struct listing *l, const struct objects_info *info)
{
    const struct checksum_kind *k = checksum_by_kind(info->checksum.kind);

    xml_open(b, "Contents");
    add_name(b, l, "Key", info->key);
    xml_time(b, "LastModified", info->modified_ms);
    s3_xml_etag(b, info->etag);
    if (k) {
        xml_cstr(b, "ChecksumAlgorithm", k->algorithm);
        xml_cstr(b, "ChecksumType", info->checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
    }
    xml_u64(b, "Size", info->size);
    if (l->has_owner)
        s3_xml_owner(c, b, "Owner");
    xml_cstr(b, "StorageClass", "STANDARD");
    xml_close(b, "Contents");
}

static void add_position(struct s3_call *c, struct buf *b, const struct listing *l)
{
    BUF_SCOPED struct buf token = {0};

    if (!l->is_v2) {
        add_name(b, l, "Marker", l->marker);
        if (l->result.truncated)
            add_name(b, l, "NextMarker", l->result.last);
        return;
    }
    (void)c;
    if (!str_is_null(l->marker))
        add_name(b, l, "StartAfter", l->marker);
    xml_u64(b, "KeyCount", l->result.n + l->result.prefix_count);
    if (!str_is_null(l->token))
        xml_text(b, "ContinuationToken", l->token);
    buf_init(&token, 8192);
    if (l->result.truncated) {
        enc_base64url(&token, l->result.last.p, l->result.last.n);
        xml_text(b, "NextContinuationToken", buf_str(&token));
    }
}

static int respond_listing(struct s3_call *c, struct listing *l, struct err *err)
{
    BUF_SCOPED struct buf b = {0};
    int rc;

    buf_init(&b, 64 << 20); /* 1000 keys of 1 KiB, each byte escaped, and their frames are far below */
    if ((rc = read_listing(c, l, err)) < 0 || (rc = walk(c, l, err)) < 0)
        return rc;
    xml_start(&b, "ListBucketResult");
    xml_text(&b, "Name", c->bucket);
    add_name(&b, l, "Prefix", l->request.prefix);
    add_position(c, &b, l);
    xml_u64(&b, "MaxKeys", (uint64_t)l->max_keys);
    if (!str_is_empty(l->request.delimiter))
        add_name(&b, l, "Delimiter", l->request.delimiter);
    if (l->is_url_encoded)
        xml_cstr(&b, "EncodingType", "url");
    xml_bool(&b, "IsTruncated", l->result.truncated);
    for (size_t i = 0; i < l->result.n; i++)
        add_object(c, &b, l, &l->result.items[i]);
    for (size_t i = 0; i < l->result.prefix_count; i++) {
        xml_open(&b, "CommonPrefixes");
        add_name(&b, l, "Prefix", l->result.prefixes[i]);
        xml_close(&b, "CommonPrefixes");
    }
    xml_close(&b, "ListBucketResult");
    if ((rc = buf_check(&b, "the listing", err)) < 0)
        return rc;
    s3_respond_xml(c, s3_response(c, 200), &b);
    return 0;
}

int s3_list_objects(struct s3_call *c, struct err *err)
{
    struct listing l = {.is_v2 = false};

    return respond_listing(c, &l, err);
}

int s3_list_objects_v2(struct s3_call *c, struct err *err)
{
    struct listing l = {.is_v2 = true};

    if (!str_eq(http_query(c->r, "list-type"), STR("2")))
        return err_set_named(err, ERR_INVALID, "InvalidArgument", "list-type has to be 2.");
    return respond_listing(c, &l, err);
}
