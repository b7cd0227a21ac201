/*
 * Redirect URIs: the first line is a client's pattern, the rest the URI of a request. What is taken goes to the host that
 * the pattern names, whatever tricks the URI is made of.
 */
#include "fuzz.h"

#include "http/url.h"
#include "identity/login/redirect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct str rest = str_from((const char *)data, size), pattern, ret;
    struct http_url to, named;

    (void)str_split(&rest, '\n', &pattern);
    if (str_is_null(rest))
        return 0;
    const struct client c = {.redirect_uris = &pattern, .redirect_uri_count = 1};
    if (redirect_verify(&a, &c, STR("https://id.example.org"), rest, true, &ret, NULL) < 0)
        return 0;
    if (http_url_parse(&a, ret, &to, NULL) < 0)
        abort();
    if (str_ends_with(pattern, STR("*")))
        pattern.n--;
    if (http_url_is_web(&to) && http_url_parse(&a, pattern, &named, NULL) == 0 && http_url_is_web(&named) &&
        (!str_eq(to.host, named.host) || !str_eq(to.scheme, named.scheme)))
        abort();
    return 0;
}
