#include "http/cookie.h"

#include <inttypes.h>

struct str http_cookie_get(const struct http_request *r, const char *name)
{
    struct str want = str_from_cstr(name);

    for (size_t i = 0; i < r->header_count; i++) {
        struct str rest = r->headers[i].value, pair;

        if (!str_eq_nocase(r->headers[i].name, STR("Cookie")))
            continue;
        while (str_split(&rest, ';', &pair)) {
            size_t equals = str_find_char(pair, '=', 0);
            if (equals == SIZE_MAX || !str_eq(str_trim(str_slice(pair, 0, equals)), want))
                continue;
            struct str value = str_trim(str_skip(pair, equals + 1));
            if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
                value = str_slice(value, 1, value.n - 2);
            return value;
        }
    }
    return STR_NULL;
}

/* Visible ASCII but for `not`. */
static bool is_plain(struct str s, const char * not )
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~' || strchr(not, s.p[i]))
            return false;
    }
    return true;
}

int http_cookie_set(struct http_request *r, struct http_response *p, const struct http_cookie *c, struct err *err)
{
    static const char *const same_site[] = {
        [HTTP_SAME_SITE_UNSAID] = "",
        [HTTP_SAME_SITE_LAX] = "; SameSite=Lax",
        [HTTP_SAME_SITE_STRICT] = "; SameSite=Strict",
        [HTTP_SAME_SITE_NONE] = "; SameSite=None",
    };
    struct str name = str_from_cstr(c->name), path = str_from_cstr(c->path ? c->path : "/");
    BUF_SCOPED struct buf text = {0};

    /* cookie-name, cookie-value and path-value of RFC 6265, 4.1.1 */
    if (name.n == 0 || !is_plain(name, "()<>@,;:\\\"/[]?={}"))
        return err_set(err, ERR_INVALID, "not a cookie's name: \"%s\"", c->name);
    if (!is_plain(c->value, "\",;\\"))
        return err_set(err, ERR_INVALID, "the value of cookie %s has a character that cookies can't carry", c->name);
    if (!is_plain(path, ";"))
        return err_set(err, ERR_INVALID, "not a cookie's path: \"%s\"", c->path);
    buf_init(&text, 64 << 10);
    buf_addf(&text, "%s=", c->name);
    buf_add_str(&text, c->value);
    buf_addf(&text, "; Path=%.*s", STR_ARG(path));
    if (c->max_age < 0)
        buf_add_cstr(&text, "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
    else if (c->max_age > 0)
        buf_addf(&text, "; Max-Age=%" PRId64, c->max_age);
    if (c->secure)
        buf_add_cstr(&text, "; Secure");
    if (c->http_only)
        buf_add_cstr(&text, "; HttpOnly");
    buf_add_cstr(&text, same_site[c->same_site]);
    int rc = buf_check(&text, "a cookie", err);
    if (rc == 0)
        http_response_add(r, p, "Set-Cookie", buf_str(&text));
    return rc;
}
