/*
 * The session that a client carries in its headers, both ways: X-Trino-* in, what the statement changed out. Values that
 * may hold any character are form-encoded (Java's URLEncoder).
 */
#include "trino/internal.h"

#include "base/enc.h"
#include "base/uuid.h"

/* ---- who ---- */

static void unauthorized(struct http_request *r, const char *text)
{
    struct http_response *p = http_response_new(r, 401);

    http_response_add(r, p, "WWW-Authenticate", STR("Basic realm=\"Trino\""));
    http_response_add(r, p, "Vary", STR("Accept-Encoding"));
    http_respond_text(r, p, "text/plain;charset=utf-8", str_from_cstr(text));
}

static bool basic(struct http_request *r, struct str header, struct str *ret_user)
{
    BUF_SCOPED struct buf text;

    buf_init(&text, 4096);
    if (!str_starts_with_nocase(header, STR("Basic ")) ||
        enc_unbase64(&text, str_trim(str_skip(header, 6)), NULL) < 0) {
        unauthorized(r, "Invalid credentials");
        return false;
    }
    struct str pair = buf_str(&text);
    size_t colon = str_find_char(pair, ':', 0);
    if (colon == SIZE_MAX || colon == 0) {
        unauthorized(r, "Malformed credentials: token");
        return false;
    }
    if (colon + 1 < pair.n) {
        unauthorized(r, "Password not allowed for insecure authentication");
        return false;
    }
    *ret_user = arena_str(r->arena, str_slice(pair, 0, colon));
    return true;
}

static struct str text_header(struct http_request *r, const char *name)
{
    struct str value = str_trim(http_header(r, name));

    return str_is_empty(value) ? STR_NULL : value;
}

bool session_authenticate(struct trino_server *server, struct http_request *r, struct session *to)
{
    if (server->authenticators)
        return authenticators_check(server->authenticators, r, to);
    struct str authorization = http_header(r, "Authorization");
    struct str user = text_header(r, "X-Trino-User"), original = text_header(r, "X-Trino-Original-User");
    struct str authenticated = str_is_null(original) ? user : original; /* who says so is believed */

    if (!str_is_null(authorization) && !basic(r, authorization, &authenticated))
        return false;
    if (str_is_null(authenticated)) {
        unauthorized(r, "Basic authentication or X-Trino-Original-User or X-Trino-User must be sent");
        return false;
    }
    to->authenticated = authenticated;
    to->user = str_is_null(user) ? authenticated : user;
    to->original_user = str_is_null(original) ? to->user : original;
    return true;
}

/* ---- in ---- */

/* The next item of a header that is a list, over all its lines. */
struct items {
    struct str *lines;
    size_t n, at;
    struct str rest;
};

static struct items list_items(struct http_request *r, const char *name)
{
    struct items it = {0};

    it.n = http_headers(r, name, &it.lines);
    return it;
}

static bool next_item(struct items *it, struct str *ret)
{
    for (;;) {
        while (str_split(&it->rest, ',', ret)) {
            *ret = str_trim(*ret);
            if (ret->n)
                return true;
        }
        if (it->at == it->n)
            return false;
        it->rest = it->lines[it->at++];
    }
}

static bool form_decode(struct http_request *r, struct str text, struct str *ret)
{
    BUF_SCOPED struct buf decoded;

    buf_init(&decoded, text.n + 1);
    if (enc_unpercent(&decoded, text, true, NULL) < 0 || !str_is_utf8(buf_str(&decoded)))
        return false;
    *ret = arena_str(r->arena, buf_str(&decoded));
    return true;
}

/* A header of name=value items into a map; both form-encoded when `encoded_names`, else values only. */
static bool read_pairs(struct http_request *r, const char *header, bool encoded_names, struct map *to)
{
    struct items it = list_items(r, header);
    struct str item;

    while (next_item(&it, &item)) {
        size_t equals = str_find_char(item, '=', 0);
        struct str name = str_trim(str_slice(item, 0, equals)), *value = arena_new(r->arena, struct str);
        if (equals == SIZE_MAX || name.n == 0 || !form_decode(r, str_trim(str_skip(item, equals + 1)), value) ||
            (encoded_names && !form_decode(r, name, &name))) {
            respond_error(r, 400, "Invalid %s header", header);
            return false;
        }
        map_set(to, name, value);
    }
    return true;
}

static bool check_estimates(struct http_request *r)
{
    static const char *const header = "X-Trino-Resource-Estimate";
    struct items it = list_items(r, header);
    struct str item;

    while (next_item(&it, &item))
        if (str_find_char(item, '=', 0) == SIZE_MAX) {
            respond_error(r, 400, "Invalid %s header", header);
            return false;
        }
    return true;
}

static bool read_transaction(struct http_request *r, struct session *s)
{
    struct str id = text_header(r, "X-Trino-Transaction-Id");
    unsigned char bytes[16];

    s->keeps_transactions = !str_is_null(id);
    if (str_is_null(id) || str_eq_nocase(id, STR("NONE")))
        return true;
    if (uuid_parse(id, bytes, NULL) < 0) {
        respond_error(r, 400, "Invalid UUID string: %.*s", STR_ARG(id));
        return false;
    }
    s->transaction_id = id;
    return true;
}

bool session_read(struct trino_server *server, struct http_request *r, struct session *ret)
{
    struct session s = {0};
    struct items capabilities = list_items(r, "X-Trino-Client-Capabilities");
    struct str item;

    if (!session_authenticate(server, r, &s))
        return false;
    s.source = text_header(r, "X-Trino-Source");
    s.catalog = text_header(r, "X-Trino-Catalog");
    s.schema = text_header(r, "X-Trino-Schema");
    s.time_zone = text_header(r, "X-Trino-Time-Zone");
    s.language = text_header(r, "X-Trino-Language");
    while (next_item(&capabilities, &item)) {
        s.parametric_datetime |= str_eq_nocase(item, STR("PARAMETRIC_DATETIME"));
        s.changes_user |= str_eq_nocase(item, STR("SESSION_AUTHORIZATION"));
    }
    if (!str_is_null(s.schema) && str_is_null(s.catalog)) {
        respond_error(r, 400, "Schema is set but catalog is not");
        return false;
    }
    if (!read_pairs(r, "X-Trino-Session", false, &s.properties) ||
        !read_pairs(r, "X-Trino-Prepared-Statement", true, &s.prepared) || !check_estimates(r) ||
        !read_transaction(r, &s)) {
        session_release(&s);
        return false;
    }
    if (str_is_null(s.time_zone))
        s.time_zone = STR("UTC");
    const struct str *zone = map_get(&s.properties, STR("time_zone_id")); /* SET TIME ZONE's */
    if (zone)
        s.time_zone = *zone;
    *ret = s;
    return true;
}

void session_release(struct session *s)
{
    map_release(&s->properties);
    map_release(&s->prepared);
}

/* ---- out ---- */

/* As Java's URLEncoder: letters, digits and ".-*_" stay, a space is '+'. */
static void form_encode(struct buf *to, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
            c == '*' || c == '_')
            buf_add_char(to, (char)c);
        else if (c == ' ')
            buf_add_char(to, '+');
        else
            buf_addf(to, "%%%02X", c);
    }
}

static void add_pair(struct http_request *r, struct http_response *p, const char *header, struct str name,
                     bool encode_name, struct str value)
{
    BUF_SCOPED struct buf text;

    buf_init(&text, 8u << 20);
    if (encode_name)
        form_encode(&text, name);
    else
        buf_add_str(&text, name);
    buf_add_char(&text, '=');
    form_encode(&text, value);
    http_response_add(r, p, header, buf_str(&text));
}

static void add_text(struct http_request *r, struct http_response *p, const char *header, struct str value)
{
    if (!str_is_null(value))
        http_response_add(r, p, header, value);
}

void session_add_changes(struct http_request *r, struct http_response *p, const struct session_changes *c)
{
    add_text(r, p, "X-Trino-Set-Catalog", c->set_catalog);
    add_text(r, p, "X-Trino-Set-Schema", c->set_schema);
    if (!str_is_null(c->set_session_name)) {
        if (str_is_null(c->set_session_value))
            http_response_add(r, p, "X-Trino-Clear-Session", c->set_session_name);
        else
            add_pair(r, p, "X-Trino-Set-Session", c->set_session_name, false, c->set_session_value);
    }
    add_text(r, p, "X-Trino-Clear-Session", c->clear_session);
    if (!str_is_null(c->added_prepare_name))
        add_pair(r, p, "X-Trino-Added-Prepare", c->added_prepare_name, true, c->added_prepare_text);
    if (!str_is_null(c->deallocated_prepare)) {
        BUF_SCOPED struct buf name;
        buf_init(&name, 1u << 20);
        form_encode(&name, c->deallocated_prepare);
        http_response_add(r, p, "X-Trino-Deallocated-Prepare", buf_str(&name));
    }
    if (!str_is_null(c->set_role_catalog))
        add_pair(r, p, "X-Trino-Set-Role", c->set_role_catalog, false, c->set_role);
    if (!str_is_null(c->set_authorization_user)) {
        http_response_add(r, p, "X-Trino-Set-Authorization-User", c->set_authorization_user);
        http_response_add(r, p, "X-Trino-Set-Original-Roles", STR("NONE")); /* nobody has any */
    }
    if (c->reset_authorization_user)
        http_response_add(r, p, "X-Trino-Reset-Authorization-User", STR("true"));
    add_text(r, p, "X-Trino-Started-Transaction-Id", c->started_transaction);
    if (c->clear_transaction)
        http_response_add(r, p, "X-Trino-Clear-Transaction-Id", STR("true"));
}
