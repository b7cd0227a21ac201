/* Cookies: RFC 6265, with SameSite as its successor draft (6265bis) has it. */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include "http/server.h"

enum http_same_site { HTTP_SAME_SITE_UNSAID, HTTP_SAME_SITE_LAX, HTTP_SAME_SITE_STRICT, HTTP_SAME_SITE_NONE };

struct http_cookie {
    const char *name;
    struct str value; /* visible ASCII without '"', ',', ';' and '\': base64url, hexadecimal, a JWT */
    const char *path; /* NULL: "/" */
    int64_t max_age;  /* seconds; 0: until the browser is closed; negative: the cookie is removed */
    bool http_only, secure;
    enum http_same_site same_site; /* NONE needs secure, or browsers drop the cookie */
};

/* The value of a cookie that the request sends, without quotes around it, or null. Of several with that name the first,
 * which browsers make the one with the longest path. */
struct str http_cookie_get(const struct http_request *r, const char *name);
/* Adds a Set-Cookie header. ERR_INVALID when name, value or path have characters that would end them. */
MUST_CHECK int http_cookie_set(struct http_request *r, struct http_response *p, const struct http_cookie *c,
                               struct err *err);

#endif
