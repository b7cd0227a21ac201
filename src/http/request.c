/* The request as handlers see it: everything is copied into its arena, so that it outlives the connection. */
#include "http/internal.h"

#include "base/enc.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum { HEADERS_MAX = 512 };

static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_n, const char *value,
                                  size_t value_n)
{
    struct http_request *r = cls;

    (void)kind;
    r->headers[r->header_count++] = (struct http_header){
        arena_str(r->arena, str_from(key, key_n)),
        arena_str(r->arena, value ? str_from(value, value_n) : STR("")),
    };
    return r->header_count < HEADERS_MAX ? MHD_YES : MHD_NO;
}

static void copy_peer(struct http_request *r, struct MHD_Connection *connection)
{
    char text[INET6_ADDRSTRLEN] = "";
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;

    if (address && address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof(text));
    else if (address && address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, text, sizeof(text));
    r->peer = arena_str(r->arena, str_from_cstr(text));
}

/* The target in origin form; absolute form ("http://host/path"), which proxies send, is brought to it. */
static bool split_target(struct http_request *r)
{
    struct str target = r->raw_target;
    size_t scheme = str_starts_with_nocase(target, STR("http://"))    ? 7
                    : str_starts_with_nocase(target, STR("https://")) ? 8
                                                                      : 0;

    if (scheme) {
        size_t slash = str_find_char(target, '/', scheme);
        target = slash == SIZE_MAX ? STR("/") : str_skip(target, slash);
    }
    bool is_asterisk = str_eq(target, STR("*")) && str_eq(r->method, STR("OPTIONS"));
    if (!is_asterisk && (target.n == 0 || target.p[0] != '/'))
        return false;
    size_t mark = str_find_char(target, '?', 0);
    r->raw_path = str_slice(target, 0, mark);
    r->raw_query = mark == SIZE_MAX ? STR("") : str_skip(target, mark + 1);
    return true;
}

static bool decode_path(struct http_request *r)
{
    if (str_find_char(r->raw_path, '%', 0) == SIZE_MAX) {
        r->path = r->raw_path;
        return true;
    }
    BUF_SCOPED struct buf decoded;
    buf_init(&decoded, r->raw_path.n);
    if (enc_unpercent(&decoded, r->raw_path, false, NULL) < 0)
        return false;
    r->path = arena_str(r->arena, buf_str(&decoded));
    return true;
}

/* Two lengths, or a length and chunks, are how requests are smuggled past a proxy: refused. */
static bool check_length(struct http_request *r, bool *ret_has_body)
{
    struct str *lengths, *codings;
    size_t length_n = http_headers(r, "Content-Length", &lengths);
    size_t coding_n = http_headers(r, "Transfer-Encoding", &codings);

    r->content_length = -1;
    if (length_n > 1 || coding_n > 1 || (length_n && coding_n))
        return false;
    if (length_n == 1) {
        int64_t n;
        for (size_t i = 0; i < lengths[0].n; i++)
            if (lengths[0].p[i] < '0' || lengths[0].p[i] > '9')
                return false;
        if (str_to_i64(lengths[0], &n, NULL) < 0)
            return false;
        r->content_length = n;
    }
    if (coding_n == 1 && !str_eq_nocase(codings[0], STR("chunked")))
        return false;
    *ret_has_body = coding_n == 1 || r->content_length > 0;
    return true;
}

int request_init(struct exchange *x, struct MHD_Connection *connection, const char *method, const char *version)
{
    struct http_request *r = &x->r;
    (void)version;

    r->method = arena_str(r->arena, str_from_cstr(method));
    int n = MHD_get_connection_values_n(connection, MHD_HEADER_KIND, NULL, NULL);
    if (n < 0 || n >= HEADERS_MAX)
        return 431;
    r->headers = arena_array(r->arena, struct http_header, (size_t)n + 1);
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_header, r);
    copy_peer(r, connection);
    r->is_tls = x->server->tls != NULL;
    if (r->is_tls && !str_is_null(tls_subject(connection)))
        r->tls_subject = arena_str(r->arena, tls_subject(connection));
    if (!check_length(r, &x->has_body) || !split_target(r) || !decode_path(r))
        return 400;
    return 0;
}

struct str http_header(const struct http_request *r, const char *name)
{
    struct str want = str_from_cstr(name);

    for (size_t i = 0; i < r->header_count; i++)
        if (str_eq_nocase(r->headers[i].name, want))
            return r->headers[i].value;
    return STR_NULL;
}

size_t http_headers(struct http_request *r, const char *name, struct str **ret)
{
    struct str want = str_from_cstr(name);
    size_t n = 0;

    for (size_t i = 0; i < r->header_count; i++)
        n += str_eq_nocase(r->headers[i].name, want);
    *ret = arena_array(r->arena, struct str, n + 1);
    n = 0;
    for (size_t i = 0; i < r->header_count; i++)
        if (str_eq_nocase(r->headers[i].name, want))
            (*ret)[n++] = r->headers[i].value;
    return n;
}

/* Parameters whose name or value has a malformed escape are as if absent. */
static bool next_parameter(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    struct str part;

    if (!str_split(rest, '&', &part))
        return false;
    size_t equals = str_find_char(part, '=', 0);
    *ret_name = str_slice(part, 0, equals);
    *ret_value = equals == SIZE_MAX ? STR("") : str_skip(part, equals + 1);
    return true;
}

static struct str decode(struct http_request *r, struct str text)
{
    if (text.n == 0)
        return STR("");
    BUF_SCOPED struct buf decoded;
    buf_init(&decoded, text.n);
    if (enc_unpercent(&decoded, text, true, NULL) < 0)
        return STR_NULL;
    return arena_str(r->arena, buf_str(&decoded));
}

struct str http_query(struct http_request *r, const char *name)
{
    struct str rest = r->raw_query, key, value;

    while (next_parameter(&rest, &key, &value))
        if (str_eq_cstr(decode(r, key), name))
            return decode(r, value);
    return STR_NULL;
}

bool http_has_query(struct http_request *r, const char *name)
{
    return !str_is_null(http_query(r, name));
}
