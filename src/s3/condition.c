/* Conditional requests: RFC 9110 section 13, with the parts that S3 has. Dates count by the second, as headers do. */
#include "s3/internal.h"

#include "base/clock.h"

struct str s3_unquote_etag(struct str text)
{
    struct str s = str_trim(text);

    if (str_starts_with(s, STR("W/")))
        s = str_skip(s, 2);
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        s = str_slice(s, 1, s.n - 2);
    return s;
}

/* "*" or a list of ETags. */
static bool matches(struct str list, struct str etag)
{
    struct str item;

    while (str_split(&list, ',', &item)) {
        struct str one = s3_unquote_etag(item);
        if (str_eq(one, STR("*")) || str_eq(one, etag))
            return true;
    }
    return false;
}

/* True when the header is a date and the object was modified after it. */
static bool is_modified_since(struct str date, int64_t modified_ms, bool *ret_valid)
{
    int64_t ms;

    *ret_valid = clock_parse_http(str_trim(date), &ms, NULL) == 0 || clock_parse_amz(str_trim(date), &ms, NULL) == 0;
    return *ret_valid && modified_ms / 1000 > ms / 1000;
}

int s3_conditions_check(const struct s3_conditions *q, const struct objects_info *info)
{
    bool is_valid;

    if (!str_is_null(q->if_match)) {
        if (!matches(q->if_match, info->etag))
            return 412;
    } else if (!str_is_null(q->if_unmodified_since)) {
        if (is_modified_since(q->if_unmodified_since, info->modified_ms, &is_valid))
            return 412;
    }
    if (!str_is_null(q->if_none_match)) {
        if (matches(q->if_none_match, info->etag))
            return 304;
    } else if (!str_is_null(q->if_modified_since)) {
        if (!is_modified_since(q->if_modified_since, info->modified_ms, &is_valid) && is_valid)
            return 304;
    }
    return 200;
}

int s3_read_write_conditions(struct s3_call *c, struct objects_conditions *ret, struct err *err)
{
    struct str match = s3_header(c, "if-match"), none = s3_header(c, "if-none-match");

    *ret = (struct objects_conditions){.if_match = STR_NULL, .if_none_match = STR_NULL};
    if (!str_is_null(match))
        ret->if_match = s3_unquote_etag(match);
    if (!str_is_null(none)) {
        ret->if_none_match = s3_unquote_etag(none);
        /* As S3: an ETag here would need the object's absence or change, which nobody asks of a write. */
        if (!str_eq(ret->if_none_match, STR("*")))
            return err_set_named(err, ERR_UNSUPPORTED, "NotImplemented",
                                 "If-None-Match on a write with another value than * is not implemented.");
    }
    return 0;
}
