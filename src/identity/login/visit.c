#include "identity/login/internal.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"
#include "http/forwarded.h"
#include "http/url.h"
#include "identity/login/embedded.h"

#include <pthread.h>

enum { PAGE_MAX = 1 << 20, LOCALE_COOKIE_S = 365 * 24 * 3600 };

/* ---- the style sheet, which browsers keep until it changes ---- */

static char style_version[17];
static pthread_once_t style_once = PTHREAD_ONCE_INIT;

static const struct embedded *style_file(void)
{
    for (size_t i = 0; i < login_pages_count; i++) {
        if (strcmp(login_pages[i].name, "style.css") == 0)
            return &login_pages[i];
    }
    return NULL;
}

static void hash_style(void)
{
    const struct embedded *e = style_file();
    unsigned char digest[HASH_MAX_SIZE];
    BUF_SCOPED struct buf hex = {0};

    buf_init(&hex, 64);
    hash_bytes(HASH_SHA256, str_from(e ? e->text : "", e ? e->n : 0), digest);
    enc_hex(&hex, digest, 8);
    memcpy(style_version, hex.p, 16);
}

static void get_style(void *ctx, struct http_call *call)
{
    const struct embedded *e = style_file();
    struct http_request *r = call->request;
    struct http_response *p = http_response_new(r, 200);
    (void)ctx;

    identity_add_headers(r, p);
    http_response_add(r, p, "Cache-Control", STR("public, max-age=31536000, immutable"));
    http_respond_text(r, p, "text/css;charset=utf-8", str_from(e->text, e->n));
}

/* ---- beginning and end ---- */

static bool read_forms(struct visit *v)
{
    struct err err = {0};

    if (http_form_parse(v->a, v->r->raw_query, &v->query, &err) < 0)
        return false;
    if (!str_eq(v->r->method, STR("POST")))
        return true;
    if (v->call->body.n && !http_form_is_type(http_header(v->r, "Content-Type")))
        return false;
    return http_form_parse(v->a, v->call->body, &v->form, &err) == 0;
}

static bool find_origin(struct visit *v)
{
    struct http_origin origin;
    struct http_url url;
    struct err err = {0};

    if (identity_base_url(v->context, v->r, &v->base, &err) < 0)
        return false;
    v->ip = http_origin_of(v->r, &origin, &err) == 0 ? origin.client : v->r->peer;
    v->is_secure = v->context->secure_cookies || (http_url_parse(v->a, v->base, &url, &err) == 0 &&
                                                  (str_eq(url.scheme, STR("https")) || http_url_is_loopback(&url)));
    return true;
}

bool visit_begin(struct visit *v, struct login *l, struct http_call *call)
{
    struct err err = {0};

    *v = (struct visit){
        .l = l, .context = l->oidc.context, .call = call, .r = call->request, .a = call->request->arena};
    v->now = clock_wall_ms() / 1000;
    v->m = messages_for(NULL, 0);
    if (!find_origin(v)) {
        http_respond_text(v->r, http_response_new(v->r, 400), "text/plain", STR("The request has no usable Host.\n"));
        return false;
    }
    bool forms = read_forms(v);
    visit_choose_language(v, STR_NULL);
    struct str name = http_call_param(call, "realm");
    int rc = identity_realm(v->context->model, name, &v->realm, &err);
    if (rc == ERR_NOT_FOUND)
        visit_respond_error(v, 404, "realmNotFoundMessage", STR_NULL);
    else if (rc < 0)
        visit_respond_failure(v, &err);
    if (rc < 0)
        return false;
    v->path = arena_printf(v->a, "/realms/%.*s", STR_ARG(v->realm->name));
    v->issuer = arena_printf(v->a, "%.*s%.*s", STR_ARG(v->base), STR_ARG(v->path));
    if (!v->realm->enabled)
        visit_respond_error(v, 400, "realmNotEnabledMessage", STR_NULL);
    else if (!forms)
        visit_respond_error(v, 400, "invalidRequestMessage", STR_NULL);
    return v->realm->enabled && forms;
}

void visit_end(struct visit *v)
{
    if (v->realm)
        realm_unref(v->realm);
    v->realm = NULL;
}

struct str visit_param(const struct visit *v, const char *name)
{
    struct str value = http_form_get(&v->form, name);

    return str_is_null(value) ? http_form_get(&v->query, name) : value;
}

/* ---- language ---- */

void visit_choose_language(struct visit *v, struct str hint)
{
    struct str wanted[24], part, chosen = http_form_get(&v->query, "kc_locale");
    size_t n = 0;

    if (!str_is_empty(chosen))
        wanted[n++] = chosen;
    while (n < 8 && str_split(&hint, ' ', &part)) {
        if (part.n)
            wanted[n++] = part;
    }
    struct str kept = http_cookie_get(v->r, "KEYCLOAK_LOCALE");
    if (!str_is_empty(kept))
        wanted[n++] = kept;
    struct str accept = http_header(v->r, "Accept-Language");
    if (!str_is_null(accept))
        n += messages_parse_accept(accept, wanted + n, ARRAY_LEN(wanted) - n);
    v->m = messages_for(wanted, n);
}

struct str visit_text(struct visit *v, const char *key, struct str arg)
{
    return messages_text(v->m, v->a, key, &arg, str_is_null(arg) ? 0 : 1);
}

/* ---- requests that another site makes ---- */

bool visit_refuse_foreign(struct visit *v)
{
    struct str site = http_header(v->r, "Sec-Fetch-Site"), origin = http_header(v->r, "Origin");
    bool foreign = false;

    /* Our pages say Referrer-Policy: no-referrer, for which browsers send "Origin: null" even to ourselves. */
    if (!str_is_null(site))
        foreign = !str_eq(site, STR("same-origin")) && !str_eq(site, STR("none"));
    else if (!str_is_null(origin) && !str_eq(origin, STR("null")))
        foreign = !str_eq_nocase(origin, v->base);
    if (foreign)
        visit_respond_error(v, 403, "badRequestOriginMessage", STR_NULL);
    return foreign;
}

/* ---- cookies ---- */

void visit_set_cookie(struct visit *v, const char *name, struct str value, int64_t max_age, bool http_only)
{
    if (v->cookie_count == VISIT_COOKIES_MAX)
        return;
    /* Applications may show a login in a frame, or send a form here: that needs None, which needs Secure. */
    v->cookies[v->cookie_count++] = (struct http_cookie){.name = name,
                                                         .value = value,
                                                         .path = arena_printf(v->a, "%.*s/", STR_ARG(v->path)).p,
                                                         .max_age = max_age,
                                                         .http_only = http_only,
                                                         .secure = v->is_secure,
                                                         .same_site = v->is_secure ? HTTP_SAME_SITE_NONE
                                                                                   : HTTP_SAME_SITE_LAX};
}

void visit_remove_cookie(struct visit *v, const char *name)
{
    visit_set_cookie(v, name, STR(""), -1, true);
}

/* ---- answers ---- */

struct http_response *visit_response(struct visit *v, int status)
{
    struct http_response *p = http_response_new(v->r, status);
    struct err err = {0};

    identity_add_headers(v->r, p);
    http_response_add(v->r, p, "Cache-Control", STR("no-store, must-revalidate, max-age=0"));
    for (size_t i = 0; i < v->cookie_count; i++) {
        if (http_cookie_set(v->r, p, &v->cookies[i], &err) < 0)
            log_error("cookie %s: %s", v->cookies[i].name, err.message);
    }
    return p;
}

void visit_respond_redirect(struct visit *v, struct str location)
{
    struct http_response *p = visit_response(v, 302);

    http_response_add(v->r, p, "Location", location);
    http_respond_empty(v->r, p);
}

json_t *visit_json(struct str s)
{
    json_t *j = str_is_null(s) ? NULL : json_stringn(s.p, s.n);

    return j ? j : json_null(); /* text that isn't UTF-8 is nothing that a page shows */
}

static void add_languages(struct visit *v, struct str self, json_t *data)
{
    json_t *languages = json_array();
    char joint = str_find_char(self, '?', 0) == SIZE_MAX ? '?' : '&';
    const struct messages *m;

    for (size_t i = 0; (m = messages_at(i)); i++) {
        const char *tag = messages_tag(m);
        struct str url = arena_printf(v->a, "%.*s%ckc_locale=%s", STR_ARG(self), joint, tag);
        json_array_append_new(languages, json_pack("{s:s, s:o, s:o, s:b}", "tag", tag, "name",
                                                   visit_json(messages_get(m, STR("languageName"))), "url",
                                                   visit_json(url), "current", m == v->m));
    }
    json_object_set_new(data, "languages", languages);
    json_object_set_new(data, "hasLanguages", json_true());
}

static struct str realm_title(const struct visit *v)
{
    struct str shown = v->realm ? json_opt_str(v->realm->rep, "displayName", STR_NULL) : STR_NULL;

    return !str_is_empty(shown) ? shown : v->realm ? v->realm->name : STR("dataplatform");
}

void visit_respond_page(struct visit *v, int status, const char *page, const char *title_key, struct str title_arg,
                        struct str self, json_t *data)
{
    BUF_SCOPED struct buf out = {0};
    struct err err = {0};
    struct str file = arena_printf(v->a, "%s.html", page), chosen = http_form_get(&v->query, "kc_locale");

    buf_init(&out, PAGE_MAX);
    pthread_once(&style_once, hash_style);
    json_object_set_new(data, "page", json_string(page));
    json_object_set_new(data, "lang", json_string(messages_tag(v->m)));
    json_object_set_new(data, "realm", visit_json(realm_title(v)));
    json_object_set_new(data, "style", json_sprintf("/resources/login/style.css?v=%s", style_version));
    json_object_set_new(data, "title", visit_json(visit_text(v, title_key, title_arg)));
    if (!str_is_null(self))
        add_languages(v, self, data);
    if (!str_is_empty(chosen) && str_eq_cstr(chosen, messages_tag(v->m)))
        visit_set_cookie(v, "KEYCLOAK_LOCALE", chosen, LOCALE_COOKIE_S, true);
    int rc = template_render(&out, file.p, data, v->m, &err);
    json_decref(data);
    if (rc < 0) {
        log_error("%s", err.message);
        http_respond_text(v->r, visit_response(v, 500), "text/plain", STR("The page can't be shown.\n"));
        return;
    }
    struct http_response *p = visit_response(v, status);
    http_response_add(v->r, p, "Content-Language", str_from_cstr(messages_tag(v->m)));
    http_response_add(v->r, p, "X-Frame-Options", STR("SAMEORIGIN"));
    /* No form-action: browsers apply it to where a form's answer redirects to, which is the application and beyond. */
    http_response_add(
        v->r, p, "Content-Security-Policy",
        STR("default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'self'"));
    http_respond_buf(v->r, p, "text/html;charset=utf-8", &out);
}

void visit_respond_error(struct visit *v, int status, const char *message_key, struct str arg)
{
    visit_respond_page(v, status, "error", "errorTitle", STR_NULL, STR_NULL,
                       json_pack("{s:o}", "message", visit_json(visit_text(v, message_key, arg))));
}

void visit_respond_failure(struct visit *v, const struct err *err)
{
    bool temporary = err->code == ERR_UNAVAILABLE || err->code == ERR_CONFLICT || err->code == ERR_TIMEOUT;

    log_error("%.*s: %s", STR_ARG(v->r->raw_path), err->message);
    visit_respond_error(v, temporary ? 503 : 500, "unexpectedErrorMessage", STR_NULL);
}

void visit_respond_too_many(struct visit *v, int wait_s)
{
    struct str seconds = arena_printf(v->a, "%d", wait_s);

    visit_respond_error(v, 429, "tooManyAttemptsMessage", seconds);
}

/* ---- URLs ---- */

/* What Keycloak puts there: enough to answer the client when the login itself is forgotten. We only carry it. */
static struct str client_data(struct visit *v, const struct flow *flow)
{
    static const struct {
        const char *key;
        enum flow_text text;
    } members[] = {
        {"ru", FLOW_REDIRECT_URI}, {"rt", FLOW_RESPONSE_TYPE}, {"rm", FLOW_RESPONSE_MODE}, {"st", FLOW_STATE}};
    BUF_SCOPED struct buf json = {0}, text = {0};
    struct json_writer w;

    buf_init(&json, 64 << 10);
    buf_init(&text, 128 << 10);
    json_writer_init(&w, &json);
    json_open_object(&w);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (str_is_null(flow->text[members[i].text]))
            continue;
        json_key(&w, members[i].key);
        json_add_str(&w, flow->text[members[i].text]);
    }
    json_close_object(&w);
    enc_base64url(&text, json.p, json.n);
    return arena_str(v->a, buf_str(&text));
}

struct str visit_flow_url(struct visit *v, const struct flow *flow, const char *step, bool with_code)
{
    const struct client *c = realm_client_by_id(v->realm, flow->text[FLOW_CLIENT]);
    BUF_SCOPED struct buf url = {0};

    buf_init(&url, 256 << 10);
    buf_addf(&url, "%.*s/login-actions/%s?", STR_ARG(v->issuer), step);
    if (with_code) {
        http_form_add(&url, STR("session_code"), str_from_cstr(flow->code));
        http_form_add(&url, STR("execution"), flow->text[FLOW_EXECUTION]);
    }
    http_form_add(&url, STR("client_id"), c ? c->client_id : STR(""));
    http_form_add(&url, STR("tab_id"), str_from_cstr(flow->tab));
    if (!str_is_null(flow->text[FLOW_REDIRECT_URI]))
        http_form_add(&url, STR("client_data"), client_data(v, flow));
    return arena_str(v->a, buf_str(&url));
}

/* ---- the routes ---- */

void login_init(struct login *l)
{
    l->flows = flows_new();
}

void login_release(struct login *l)
{
    flows_free(l->flows);
    l->flows = NULL;
}

void login_refuse(struct login *l, struct http_request *r, int status, const char *allow)
{
    struct http_call call = {.request = r};
    struct visit v = {.l = l, .context = l->oidc.context, .call = &call, .r = r, .a = r->arena};
    const char *key = status == 404   ? "pageNotFound"
                      : status == 405 ? "methodNotAllowed"
                      : status == 413 ? "requestTooLarge"
                                      : "invalidRequestMessage";
    struct str accept = http_header(r, "Accept");

    visit_choose_language(&v, STR_NULL);
    if (!str_is_null(accept) && str_find(accept, STR("text/html"), 0) != SIZE_MAX && !allow) {
        visit_respond_error(&v, status, key, STR_NULL);
        return;
    }
    struct http_response *p = visit_response(&v, status);
    if (allow)
        http_response_add(r, p, "Allow", str_from_cstr(allow));
    struct str text = arena_printf(r->arena, "{\"error\":\"%s\"}",
                                   status == 404   ? "HTTP 404 Not Found"
                                   : status == 405 ? "HTTP 405 Method Not Allowed"
                                   : status == 413 ? "HTTP 413 Request Entity Too Large"
                                                   : "HTTP 400 Bad Request");
    http_respond_text(r, p, "application/json", text);
}

#define PROTOCOL "/realms/{realm}/protocol/openid-connect/"
const struct http_route login_routes[] = {
    {.method = "GET", .pattern = PROTOCOL "auth", .handle = get_authorize},
    {.method = "POST", .pattern = PROTOCOL "auth", .handle = post_authorize},
    {.method = "GET", .pattern = PROTOCOL "logout", .handle = get_logout},
    {.method = "POST", .pattern = PROTOCOL "logout", .handle = post_logout},
    {.method = "POST", .pattern = PROTOCOL "logout/logout-confirm", .handle = post_logout_confirm},
    {.method = "GET", .pattern = "/realms/{realm}/login-actions/restart", .handle = get_restart},
    {.method = "GET", .pattern = "/realms/{realm}/login-actions/{step}", .handle = get_step},
    {.method = "POST", .pattern = "/realms/{realm}/login-actions/{step}", .handle = post_step},
    {.method = "GET", .pattern = "/realms/{realm}/device", .handle = get_device},
    {.method = "POST", .pattern = "/realms/{realm}/device", .handle = post_device},
    {.method = "GET", .pattern = "/realms/{realm}/device/status", .handle = get_device_status},
    {.method = "GET", .pattern = "/realms/{realm}/account", .handle = get_account},
    {.method = "GET", .pattern = "/realms/{realm}/account/{section}", .handle = get_account},
    {.method = "POST", .pattern = "/realms/{realm}/account/{section}", .handle = post_account},
    {.method = "GET", .pattern = "/resources/login/style.css", .handle = get_style},
};
const size_t login_route_count = ARRAY_LEN(login_routes);
