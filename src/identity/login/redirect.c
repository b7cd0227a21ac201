#include "identity/login/redirect.h"

#include "base/vec.h"
#include "http/form.h"
#include "http/url.h"

/* Parameters of answers: a redirect URI that has one could make a client take it for ours. */
static bool has_answer_parameter(struct arena *a, struct str query)
{
    static const char *const names[] = {
        "code",  "id_token",          "access_token",  "token_type", "expires_in", "state",           "iss",
        "error", "error_description", "session_state", "response",   "kc_action",  "kc_action_status"};
    struct http_form form;

    if (str_is_null(query))
        return false;
    if (http_form_parse(a, query, &form, NULL) < 0)
        return true;
    for (size_t i = 0; i < form.n; i++) {
        for (size_t j = 0; j < ARRAY_LEN(names); j++) {
            if (str_eq_nocase(form.fields[i].name, str_from_cstr(names[j])))
                return true;
        }
    }
    return false;
}

/* What a relative pattern or URI starts from. */
static struct str root_of(const struct client *c, struct str origin)
{
    struct str root = c->root_url;

    if (str_is_empty(root) || str_starts_with(root, STR("${authBaseUrl}")) ||
        str_starts_with(root, STR("${authAdminUrl}")))
        return origin;
    return root;
}

static struct str absolute(struct arena *a, const struct client *c, struct str origin, struct str pattern)
{
    struct str root = root_of(c, origin);

    if (!str_starts_with(pattern, STR("/")))
        return pattern;
    if (root.n && root.p[root.n - 1] == '/')
        root.n--;
    return arena_printf(a, "%.*s%.*s", STR_ARG(root), STR_ARG(pattern));
}

/* The pattern's prefix, or null when the "*" at its end is text. */
static struct str wildcard_prefix(struct arena *a, struct str pattern)
{
    if (!str_ends_with(pattern, STR("*")) || str_find_char(pattern, '?', 0) != SIZE_MAX ||
        str_find_char(pattern, '#', 0) != SIZE_MAX)
        return STR_NULL;
    struct str prefix = str_slice(pattern, 0, pattern.n - 1);
    size_t authority = str_find(prefix, STR("://"), 0);
    if (authority == SIZE_MAX)
        return prefix; /* "com.example.app:*" */
    struct str host = str_skip(prefix, authority + 3);
    if (str_find_char(host, '/', 0) != SIZE_MAX || str_is_empty(host) || str_ends_with(host, STR(":")))
        return prefix;
    return arena_printf(a, "%.*s/", STR_ARG(prefix)); /* "https://a*": never another host */
}

static bool matches(struct arena *a, struct str pattern, struct str uri, bool wildcards)
{
    struct str prefix = wildcards ? wildcard_prefix(a, pattern) : STR_NULL;

    if (str_is_null(prefix))
        return str_eq(pattern, uri);
    struct str path = str_slice(uri, 0, str_find_char(uri, '?', 0));
    if (str_starts_with(path, prefix))
        return true;
    if (prefix.n > 1 && prefix.p[prefix.n - 1] == '/')
        prefix.n--;
    return str_eq(prefix, path);
}

/* The URI as a pattern for any port has it. */
static struct str without_port(struct arena *a, const struct http_url *u)
{
    return arena_printf(a, "%.*s://%.*s%.*s%s%.*s", STR_ARG(u->scheme), STR_ARG(u->host), STR_ARG(u->path),
                        str_is_null(u->query) ? "" : "?", STR_ARG(u->query));
}

/* Past the first of the alternatives that stands at `at`, in any case; 0: none does. */
static size_t past_any(struct str s, size_t at, const char *const *alternatives)
{
    for (; *alternatives; alternatives++) {
        struct str text = str_from_cstr(*alternatives);
        if (str_starts_with_nocase(str_skip(s, at), text))
            return at + text.n;
    }
    return 0;
}

/* A ".." between separators in any of the ways that some server decodes: as Keycloak's UNSAFE_PATH_PATTERN. */
static bool has_unsafe_path(struct str path)
{
    static const char *const separators[] = {"/", "%2f", "%5c", "\\", NULL};
    static const char *const dots[] = {".", "%2e", "%252e", NULL};
    static const char *const ends[] = {"/", "%2f", "%5c", "\\", ";", "%3b", "%09", "%0a", "%0d", "%00", NULL};

    for (size_t i = 0; i < path.n; i++) {
        size_t at = past_any(path, i, separators);
        if (at && (at = past_any(path, at, dots)) && (at = past_any(path, at, dots)) &&
            (at == path.n || past_any(path, at, ends)))
            return true;
    }
    return false;
}

static bool is_loopback_name(struct str host)
{
    return str_eq(host, STR("localhost")) || str_eq(host, STR("127.0.0.1")) || str_eq(host, STR("[::1]"));
}

static int verify(struct arena *a, const struct client *c, struct str origin, const struct str *patterns, size_t n,
                  struct str uri, struct str *ret, struct err *err)
{
    struct http_url url;

    if (str_starts_with(uri, STR("//")))
        return err_set(err, ERR_DENIED, "the redirect URI has no scheme");
    uri = absolute(a, c, origin, uri);
    if (http_url_parse(a, uri, &url, err) < 0)
        return err_set(err, ERR_DENIED, "the redirect URI is not usable: %s", err ? err->message : "");
    if (has_answer_parameter(a, url.query))
        return err_set(err, ERR_DENIED, "the redirect URI has a parameter of an answer in its query");
    bool is_web = http_url_is_web(&url);
    struct str any_port = is_web && str_eq(url.scheme, STR("http")) && is_loopback_name(url.host)
                              ? without_port(a, &url)
                              : STR_NULL;
    bool wildcards = !url.has_dot_segments && !has_unsafe_path(url.path);
    for (size_t i = 0; i < n; i++) {
        struct str pattern = absolute(a, c, origin, patterns[i]);
        bool valid = str_eq(pattern, STR("*"))
                         ? is_web
                         : matches(a, pattern, uri, wildcards) ||
                               (!str_is_null(any_port) && matches(a, pattern, any_port, wildcards));
        if (valid && !is_web)
            valid = str_starts_with_nocase(pattern, arena_printf(a, "%.*s:", STR_ARG(url.scheme)));
        if (valid) {
            *ret = uri;
            return 0;
        }
    }
    return err_set(err, ERR_DENIED, "the redirect URI is none of the client's");
}

int redirect_verify(struct arena *a, const struct client *c, struct str origin, struct str uri, bool required,
                    struct str *ret, struct err *err)
{
    if (!str_is_null(uri))
        return verify(a, c, origin, c->redirect_uris, c->redirect_uri_count, uri, ret, err);
    if (required || c->redirect_uri_count != 1)
        return err_set(err, ERR_DENIED, "there is no redirect URI");
    uri = str_slice(c->redirect_uris[0], 0, str_find(c->redirect_uris[0], STR("/*"), 0));
    if (str_ends_with(uri, STR("*")))
        return err_set(err, ERR_DENIED, "there is no redirect URI, and the client's only one is a pattern");
    *ret = absolute(a, c, origin, uri);
    return 0;
}

int redirect_verify_post_logout(struct arena *a, const struct client *c, struct str origin, struct str uri,
                                struct str *ret, struct err *err)
{
    struct str rest = json_opt_str(json_object_get(c->rep, "attributes"), "post.logout.redirect.uris", STR_NULL);
    VEC(struct str) patterns = {0};

    while (!str_is_empty(rest)) {
        size_t end = str_find(rest, STR("##"), 0);
        struct str item = str_slice(rest, 0, end);
        rest = end == SIZE_MAX ? STR_NULL : str_skip(rest, end + 2);
        if (str_eq(item, STR("-")))
            continue;
        if (!str_eq(item, STR("+"))) {
            vec_push_in(a, &patterns, item);
            continue;
        }
        for (size_t i = 0; i < c->redirect_uri_count; i++)
            vec_push_in(a, &patterns, c->redirect_uris[i]);
    }
    return verify(a, c, origin, patterns.items, patterns.n, uri, ret, err);
}

bool redirect_allows_origin(struct arena *a, const struct client *c, struct str own_origin, struct str origin)
{
    struct http_url wanted, has;

    if (http_url_parse(a, origin, &wanted, NULL) < 0 || !http_url_is_web(&wanted) || !str_is_empty(wanted.path) ||
        !str_is_null(wanted.query))
        return false;
    for (size_t i = 0; i < c->web_origin_count; i++) {
        struct str item = c->web_origins[i];
        if (str_eq(item, STR("*")))
            return true;
        if (!str_eq(item, STR("+"))) {
            if (http_url_parse(a, item, &has, NULL) == 0 && http_url_same_origin(&wanted, &has))
                return true;
            continue;
        }
        for (size_t j = 0; j < c->redirect_uri_count; j++) {
            struct str pattern = absolute(a, c, own_origin, c->redirect_uris[j]);
            struct str prefix = wildcard_prefix(a, pattern);
            if (http_url_parse(a, str_is_null(prefix) ? pattern : prefix, &has, NULL) == 0 &&
                http_url_same_origin(&wanted, &has))
                return true;
        }
    }
    return false;
}
