/*
 * A chain of proxies appends to these headers, or the outermost overwrites them. So the number of trusted proxies that the
 * request passed is counted first, from the right of X-Forwarded-For; that many values at the right of the other headers
 * are theirs, and the first of those is what the client saw. What is further left was there before: the client's own words.
 */
#include "http/forwarded.h"

#include "http/internal.h"
#include "http/url.h"

#include <arpa/inet.h>

enum { HOPS_MAX = 64 };

/* ---- networks ---- */

static bool parse_address(struct str text, unsigned char ret[16], bool *ret_is_v4)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    char copy[INET6_ADDRSTRLEN];

    if (text.n == 0 || text.n >= sizeof(copy) || memchr(text.p, '\0', text.n))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (inet_pton(AF_INET, copy, ret + 12) == 1) {
        memcpy(ret, mapped, sizeof(mapped));
        *ret_is_v4 = true;
        return true;
    }
    *ret_is_v4 = false;
    return inet_pton(AF_INET6, copy, ret) == 1;
}

int http_network_parse(struct str text, struct http_network *ret, struct err *err)
{
    struct http_network network;
    size_t slash = str_find_char(text, '/', 0);
    bool is_v4;
    int64_t bits;

    if (!parse_address(str_slice(text, 0, slash), network.address, &is_v4))
        goto malformed;
    int most = is_v4 ? 32 : 128;
    bits = most;
    if (slash != SIZE_MAX && (str_to_i64(str_skip(text, slash + 1), &bits, NULL) < 0 || bits < 0 || bits > most))
        goto malformed;
    network.bits = (int)bits + (is_v4 ? 96 : 0);
    *ret = network;
    return 0;

malformed:
    return err_set(err, ERR_INVALID, "expected an address or a network such as 10.0.0.0/8, found \"%.*s\"",
                   STR_ARG(text));
}

bool http_network_has(const struct http_network *networks, size_t n, struct str address)
{
    unsigned char bytes[16];
    bool ignored;

    if (!parse_address(address, bytes, &ignored))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct http_network *net = &networks[i];
        size_t whole = (size_t)net->bits / 8;
        unsigned rest = (unsigned)net->bits % 8, mask = (0xff00u >> rest) & 0xff;

        if (memcmp(net->address, bytes, whole) == 0 && (!rest || ((net->address[whole] ^ bytes[whole]) & mask) == 0))
            return true;
    }
    return false;
}

/* ---- headers with lists ---- */

struct list {
    struct str items[HOPS_MAX];
    size_t n;
};

/* Commas within quotes separate nothing (Forwarded has quoted values). */
static int read_list(struct http_request *r, const char *name, struct list *ret, struct err *err)
{
    struct str *values;
    size_t n = http_headers(r, name, &values);

    ret->n = 0;
    for (size_t i = 0; i < n; i++) {
        size_t from = 0;
        bool quoted = false;

        for (size_t at = 0; at <= values[i].n; at++) {
            char c = at < values[i].n ? values[i].p[at] : ',';

            if (c == '"')
                quoted = !quoted;
            if (at < values[i].n && (c != ',' || quoted))
                continue;
            struct str item = str_trim(str_slice(values[i], from, at - from));
            from = at + 1;
            if (item.n == 0)
                continue;
            if (ret->n == HOPS_MAX)
                return err_set(err, ERR_INVALID, "%s names more than %d proxies", name, HOPS_MAX);
            ret->items[ret->n++] = item;
        }
    }
    return 0;
}

/* "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:4711" to the address; null when it is none ("unknown",
 * "_hidden"). */
static struct str address_of(struct http_request *r, struct str node)
{
    unsigned char ignored[16];
    bool is_v4;

    if (parse_address(node, ignored, &is_v4))
        return node;
    size_t end = str_starts_with(node, STR("[")) ? str_find_char(node, ']', 0) : str_find_char(node, ':', 0);
    size_t from = str_starts_with(node, STR("["));
    if (end == SIZE_MAX)
        return STR_NULL;
    struct str address = str_slice(node, from, end - from);
    return parse_address(address, ignored, &is_v4) ? arena_str(r->arena, address) : STR_NULL;
}

static int take_scheme(struct http_origin *o, struct str text, const char *header, struct err *err)
{
    if (str_eq_nocase(text, STR("https")) || str_eq_nocase(text, STR("wss")))
        o->scheme = STR("https");
    else if (str_eq_nocase(text, STR("http")) || str_eq_nocase(text, STR("ws")))
        o->scheme = STR("http");
    else
        return err_set(err, ERR_INVALID, "%s is neither http nor https", header);
    return 0;
}

static int take_host(struct http_request *r, struct http_origin *o, struct str text, const char *header,
                     struct err *err)
{
    int rc = http_url_parse_host(r->arena, text, &o->host, &o->port, err);

    if (rc < 0)
        err_prefix(err, "%s", header);
    return rc;
}

/* The value that the outermost of `hops` proxies wrote; null: none did. */
static struct str outermost(const struct list *l, size_t hops)
{
    return l->n == 0 ? STR_NULL : l->items[l->n > hops ? l->n - hops : 0];
}

static int read_x_forwarded(struct http_request *r, const struct http_proxies *proxies, struct http_origin *o,
                            struct err *err)
{
    struct list *l = arena_new(r->arena, struct list);
    size_t hops = 1;
    struct str value;
    int rc;

    if ((rc = read_list(r, "X-Forwarded-For", l, err)) < 0)
        return rc;
    for (size_t i = l->n; i-- > 0;) {
        struct str address = address_of(r, l->items[i]);
        if (str_is_null(address))
            break;
        o->client = address;
        if (i == 0 || !http_network_has(proxies->networks, proxies->n, address))
            break;
        hops++;
    }
    if ((rc = read_list(r, "X-Forwarded-Proto", l, err)) < 0)
        return rc;
    if (!str_is_null(value = outermost(l, hops)) && (rc = take_scheme(o, value, "X-Forwarded-Proto", err)) < 0)
        return rc;
    if ((rc = read_list(r, "X-Forwarded-Host", l, err)) < 0)
        return rc;
    if (!str_is_null(value = outermost(l, hops)) && (rc = take_host(r, o, value, "X-Forwarded-Host", err)) < 0)
        return rc;
    if ((rc = read_list(r, "X-Forwarded-Port", l, err)) < 0)
        return rc;
    if (!str_is_null(value = outermost(l, hops))) {
        int64_t port;
        if (str_to_i64(value, &port, NULL) < 0 || port < 1 || port > 65535)
            return err_set(err, ERR_INVALID, "X-Forwarded-Port is not a number from 1 to 65535");
        o->port = (int)port;
    }
    return 0;
}

/* The value of one parameter of an element: for=192.0.2.1;proto=https;host="example.org:8443". */
static struct str parameter(struct http_request *r, struct str element, const char *name)
{
    struct str rest = element, pair;

    while (str_split(&rest, ';', &pair)) {
        size_t equals = str_find_char(pair, '=', 0);
        if (equals == SIZE_MAX || !str_eq_nocase(str_trim(str_slice(pair, 0, equals)), str_from_cstr(name)))
            continue;
        struct str value = str_trim(str_skip(pair, equals + 1));
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            value = str_slice(value, 1, value.n - 2);
        return arena_str(r->arena, value);
    }
    return STR_NULL;
}

static int read_forwarded(struct http_request *r, const struct http_proxies *proxies, struct http_origin *o,
                          struct err *err)
{
    struct list *l = arena_new(r->arena, struct list);
    struct str value;
    int rc = read_list(r, "Forwarded", l, err);

    if (rc < 0 || l->n == 0)
        return rc;
    size_t at = l->n - 1; /* the peer's */
    for (;; at--) {
        struct str address = address_of(r, parameter(r, l->items[at], "for"));
        if (str_is_null(address))
            break;
        o->client = address;
        if (at == 0 || !http_network_has(proxies->networks, proxies->n, address))
            break;
    }
    if (!str_is_null(value = parameter(r, l->items[at], "proto")) &&
        (rc = take_scheme(o, value, "the proto of Forwarded", err)) < 0)
        return rc;
    if (!str_is_null(value = parameter(r, l->items[at], "host")) &&
        (rc = take_host(r, o, value, "the host of Forwarded", err)) < 0)
        return rc;
    return 0;
}

/* ---- the origin ---- */

/* The host as the request itself says it: RFC 9112, 3.2 and 3.3. */
static int read_host(struct http_request *r, struct http_origin *o, struct err *err)
{
    struct str *hosts, target = r->raw_target;
    size_t n = http_headers(r, "Host", &hosts), scheme = str_find(target, STR("://"), 0);

    if (n > 1)
        return err_set(err, ERR_INVALID, "the request has several Host headers");
    if (scheme != SIZE_MAX && target.n && target.p[0] != '/') { /* the absolute form's host goes before the header */
        target = str_skip(target, scheme + 3);
        size_t end = 0;
        while (end < target.n && target.p[end] != '/' && target.p[end] != '?')
            end++;
        return take_host(r, o, str_slice(target, 0, end), "the request's target", err);
    }
    if (n == 0)
        return err_set(err, ERR_INVALID, "the request has no Host header");
    return take_host(r, o, hosts[0], "Host", err);
}

int http_origin_read(struct http_request *r, const struct http_proxies *proxies, struct http_origin *ret,
                     struct err *err)
{
    struct http_origin o = {.scheme = r->is_tls ? STR("https") : STR("http"), .client = r->peer};
    int rc = read_host(r, &o, err);

    if (rc == 0 && proxies && http_network_has(proxies->networks, proxies->n, r->peer))
        rc = proxies->write_forwarded ? read_forwarded(r, proxies, &o, err) : read_x_forwarded(r, proxies, &o, err);
    if (rc < 0)
        return rc;
    if (o.port == 0)
        o.port = str_eq(o.scheme, STR("https")) ? 443 : 80;
    *ret = o;
    return 0;
}

int http_origin_of(struct http_request *r, struct http_origin *ret, struct err *err)
{
    return http_origin_read(r, exchange_of(r)->server->proxies, ret, err);
}

void http_origin_url(struct buf *to, const struct http_origin *o)
{
    buf_add_str(to, o->scheme);
    buf_add_cstr(to, "://");
    buf_add_str(to, o->host);
    if (o->port != (str_eq(o->scheme, STR("https")) ? 443 : 80))
        buf_addf(to, ":%d", o->port);
}
