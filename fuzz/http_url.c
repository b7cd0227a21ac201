/* URLs: one that is taken has a host of plain characters, and its parts put together again are the same URL. */
#include "fuzz.h"

#include "base/buf.h"
#include "http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct http_url u, again;
    BUF_SCOPED struct buf text = {0};

    if (http_url_parse(&a, str_from((const char *)data, size), &u, NULL) < 0)
        return 0;
    if (http_url_is_web(&u) && (u.host.n == 0 || u.port == 0 || (u.path.n && u.path.p[0] != '/')))
        abort();
    for (size_t i = 0; i < u.host.n; i++) {
        if (u.host.p[i] <= ' ' || strchr("@/\\?#%", u.host.p[i]))
            abort();
    }
    buf_init(&text, 2 * size + 64);
    buf_add_str(&text, u.scheme);
    buf_add_cstr(&text, str_is_null(u.host) ? ":" : "://");
    buf_add_str(&text, u.host);
    if (u.port_said)
        buf_addf(&text, ":%d", u.port);
    buf_add_str(&text, u.path);
    if (!str_is_null(u.query)) {
        buf_add_char(&text, '?');
        buf_add_str(&text, u.query);
    }
    if (http_url_parse(&a, buf_str(&text), &again, NULL) < 0 || !http_url_same_origin(&u, &again) ||
        !str_eq(u.path, again.path) || !str_eq(u.query, again.query))
        abort();
    return 0;
}
