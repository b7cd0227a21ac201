#include "http/url.h"

#include "base/enc.h"

#include <arpa/inet.h>

enum { HOST_MAX = 255 };

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Names as DNS and its users have them, '_' among them; an IPv4 address is one too. No escapes: nobody needs them, and a
 * browser would decode them. */
static bool is_host_name(struct str s)
{
    if (s.n == 0 || s.n > HOST_MAX || s.p[0] == '.' || s.p[0] == '-')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_alpha(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '.' && s.p[i] != '-' && s.p[i] != '_')
            return false;
        if (s.p[i] == '.' && i + 1 < s.n && s.p[i + 1] == '.')
            return false;
    }
    return true;
}

static bool is_ipv6(struct str s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr ignored;

    if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return inet_pton(AF_INET6, text, &ignored) == 1;
}

static bool parse_port(struct str s, int *ret)
{
    int port = 0;

    if (s.n == 0 || s.n > 5)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]))
            return false;
        port = port * 10 + (s.p[i] - '0');
    }
    if (port < 1 || port > 65535)
        return false;
    *ret = port;
    return true;
}

int http_url_parse_host(struct arena *a, struct str text, struct str *ret_host, int *ret_port, struct err *err)
{
    size_t end = str_starts_with(text, STR("[")) ? str_find_char(text, ']', 0) : str_find_char(text, ':', 0);
    int port = 0;

    if (str_starts_with(text, STR("["))) {
        if (end == SIZE_MAX || !is_ipv6(str_slice(text, 1, end - 1)))
            return err_set(err, ERR_INVALID, "the host is not an IPv6 address in brackets");
        end++;
    } else {
        end = end == SIZE_MAX ? text.n : end;
        if (!is_host_name(str_slice(text, 0, end)))
            return err_set(err, ERR_INVALID, "the host is neither a name nor an address");
    }
    if (end < text.n && (text.p[end] != ':' || !parse_port(str_skip(text, end + 1), &port)))
        return err_set(err, ERR_INVALID, "the port is not a number from 1 to 65535");
    *ret_host = arena_lower(a, str_slice(text, 0, end));
    *ret_port = port;
    return 0;
}

static int check_characters(struct str text, struct err *err)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c <= ' ' || c > '~' || strchr("\\\"<>^`{|}", c))
            return err_set(err, ERR_INVALID, "a URL can't have the character 0x%02x at byte %zu: it has to be escaped",
                           (unsigned char)c, i);
        if (c == '#')
            return err_set(err, ERR_INVALID, "the URL has a fragment, which isn't allowed here");
        if (c == '%' && (i + 2 >= text.n || enc_hex_value(text.p[i + 1]) < 0 || enc_hex_value(text.p[i + 2]) < 0))
            return err_set(err, ERR_INVALID, "malformed percent-encoding at byte %zu", i);
    }
    return 0;
}

static bool has_dot_segments(struct str path)
{
    struct str rest = path, segment;

    while (str_split(&rest, '/', &segment)) {
        size_t dots = 0, at = 0;

        while (at < segment.n) {
            if (segment.p[at] == '.')
                at++;
            else if (str_starts_with_nocase(str_skip(segment, at), STR("%2e")))
                at += 3;
            else
                break;
            dots++;
        }
        if (at == segment.n && (dots == 1 || dots == 2))
            return true;
    }
    return false;
}

static bool is_scheme(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_alpha(s.p[i]) && (i == 0 || (!is_digit(s.p[i]) && !strchr("+-.", s.p[i]))))
            return false;
    }
    return s.n > 0;
}

int http_url_parse(struct arena *a, struct str text, struct http_url *ret, struct err *err)
{
    struct http_url u = {.host = STR_NULL, .query = STR_NULL};
    int rc;

    if (text.n > HTTP_URL_MAX)
        return err_set(err, ERR_LIMIT, "a URL has at most %d bytes", HTTP_URL_MAX);
    if ((rc = check_characters(text, err)) < 0)
        return rc;
    size_t colon = str_find_char(text, ':', 0);
    if (colon == SIZE_MAX || !is_scheme(str_slice(text, 0, colon)))
        return err_set(err, ERR_INVALID, "expected an absolute URL, such as https://example.org/path");
    u.scheme = arena_lower(a, str_slice(text, 0, colon));
    if (str_eq(u.scheme, STR("javascript")) || str_eq(u.scheme, STR("data")) || str_eq(u.scheme, STR("vbscript")))
        return err_set(err, ERR_INVALID, "a URL of scheme %.*s isn't allowed", STR_ARG(u.scheme));

    struct str rest = str_skip(text, colon + 1);
    if (str_starts_with(rest, STR("//"))) {
        rest = str_skip(rest, 2);
        size_t end = 0;
        while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
            end++;
        struct str authority = str_slice(rest, 0, end);
        if (str_find_char(authority, '@', 0) != SIZE_MAX)
            return err_set(err, ERR_INVALID, "the URL has a user before the host, which isn't allowed");
        if ((rc = http_url_parse_host(a, authority, &u.host, &u.port, err)) < 0)
            return rc;
        u.port_said = u.port != 0;
        rest = str_skip(rest, end);
    } else if (http_url_is_web(&u)) {
        return err_set(err, ERR_INVALID, "expected %.*s://HOST/PATH", STR_ARG(u.scheme));
    }
    if (!u.port_said)
        u.port = str_eq(u.scheme, STR("http")) ? 80 : str_eq(u.scheme, STR("https")) ? 443 : 0;
    size_t mark = str_find_char(rest, '?', 0);
    u.path = str_slice(rest, 0, mark);
    if (mark != SIZE_MAX)
        u.query = str_skip(rest, mark + 1);
    u.has_dot_segments = has_dot_segments(u.path);
    *ret = u;
    return 0;
}

bool http_url_is_web(const struct http_url *u)
{
    return str_eq(u->scheme, STR("http")) || str_eq(u->scheme, STR("https"));
}

bool http_url_same_origin(const struct http_url *a, const struct http_url *b)
{
    return str_eq(a->scheme, b->scheme) && str_eq(a->host, b->host) && a->port == b->port;
}

bool http_url_is_loopback(const struct http_url *u)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr v4;

    if (str_eq(u->host, STR("localhost")) || str_eq(u->host, STR("[::1]")))
        return true;
    if (u->host.n == 0 || u->host.n >= sizeof(text))
        return false;
    memcpy(text, u->host.p, u->host.n);
    text[u->host.n] = '\0';
    return inet_pton(AF_INET, text, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}
