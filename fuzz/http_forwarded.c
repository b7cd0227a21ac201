/* What proxies and clients say about where a request came from: an origin that is read can be written as a URL. A line of
 * the input is a header; the first byte says which of a few headers, and whether the peer is trusted. */
#include "fuzz.h"

#include "http/cookie.h"
#include "http/forwarded.h"
#include "http/url.h"

enum { LINES_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {
        "Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "Forwarded", "Cookie"};
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct http_network network;
    struct http_header headers[LINES_MAX];
    struct http_request r = {.arena = &a, .headers = headers, .raw_target = STR("/"), .peer = STR("10.0.0.1")};
    struct str rest = str_from((const char *)data, size), line;
    struct http_origin o;

    if (http_network_parse(STR("10.0.0.0/8"), &network, NULL) < 0)
        abort();
    while (r.header_count < LINES_MAX && str_split(&rest, '\n', &line)) {
        if (line.n == 0)
            continue;
        headers[r.header_count++] = (struct http_header){
            str_from_cstr(names[(unsigned char)line.p[0] % (sizeof(names) / sizeof(names[0]))]), str_skip(line, 1)};
    }
    (void)http_cookie_get(&r, "session");
    for (int kind = 0; kind < 2; kind++) {
        const struct http_proxies proxies = {&network, 1, kind == 1};
        BUF_SCOPED struct buf text = {0};
        struct http_url u;

        if (http_origin_read(&r, &proxies, &o, NULL) < 0)
            continue;
        buf_init(&text, 1024);
        http_origin_url(&text, &o);
        if (http_url_parse(&a, buf_str(&text), &u, NULL) < 0 || !str_eq(u.host, o.host) || u.port != o.port ||
            !str_eq(u.scheme, o.scheme))
            abort();
    }
    return 0;
}
