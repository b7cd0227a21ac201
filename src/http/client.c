/* The client, over libcurl's easy interface: what it reads is bounded, redirects are the caller's business. */
#include "http/client.h"

#include <curl/curl.h>
#include <pthread.h>

struct http_client {
    CURL *curl;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode global;

static void init(void)
{
    global = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int http_client_new(struct http_client **ret, struct err *err)
{
    pthread_once(&once, init);
    struct http_client *c = calloc(1, sizeof(*c));
    CURL *curl = c && global == CURLE_OK ? curl_easy_init() : NULL;

    if (!curl) {
        free(c);
        return err_set(err, ERR_INTERNAL, "cannot set up libcurl");
    }
    c->curl = curl;
    *ret = c;
    return 0;
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    curl_easy_cleanup(c->curl);
    free(c);
}

/* What a response is gathered in. */
struct gathering {
    struct arena *arena;
    struct http_client_response *response;
    size_t header_cap, header_bytes;
    bool too_large;
};

enum { HEADER_BYTES_MAX = 1 << 20 };

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
    struct gathering *g = arg;

    buf_append(&g->response->body, p, size * n);
    g->too_large |= g->response->body.failed;
    return g->too_large ? 0 : size * n;
}

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
    struct gathering *g = arg;
    struct http_client_response *to = g->response;
    struct str line = str_from(p, size * n);

    g->header_bytes += line.n;
    if (g->header_bytes > HEADER_BYTES_MAX) {
        g->too_large = true;
        return 0;
    }
    if (str_starts_with(line, STR("HTTP/"))) { /* the final answer's, after one with status 100 */
        to->header_count = 0;
        return line.n;
    }
    size_t colon = str_find_char(line, ':', 0);
    if (colon == SIZE_MAX)
        return line.n;
    if (to->header_count == g->header_cap) {
        size_t cap = g->header_cap ? g->header_cap * 2 : 16;
        struct http_header *more = arena_array(g->arena, struct http_header, cap);
        if (to->header_count)
            memcpy(more, to->headers, to->header_count * sizeof(*more));
        to->headers = more;
        g->header_cap = cap;
    }
    to->headers[to->header_count++] = (struct http_header){
        arena_lower(g->arena, str_trim(str_slice(line, 0, colon))),
        arena_str(g->arena, str_trim(str_skip(line, colon + 1))),
    };
    return line.n;
}

static int explain(CURLcode code, const char *detail, const struct http_client_request *q, const struct gathering *g,
                   size_t response_max, struct err *err)
{
    const char *what = detail[0] ? detail : curl_easy_strerror(code);

    if (g->too_large)
        return err_set(err, ERR_LIMIT, "the answer of %s is larger than %zu bytes", q->url, response_max);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return err_set(err, ERR_UNAVAILABLE, "cannot reach %s: %s", q->url, what);
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(err, ERR_TIMEOUT, "%s did not answer in time: %s", q->url, what);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return err_set(err, ERR_INVALID, "not a URL of http or https: %s", q->url);
    default:
        return err_set(err, ERR_IO, "the request to %s failed: %s", q->url, what);
    }
}

static struct curl_slist *make_headers(struct arena *a, const struct http_client_request *q)
{
    /* No "Expect: 100-continue": the second it may wait is worse than a body sent in vain. */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (size_t i = 0; i < q->header_count; i++) {
        struct str name = q->headers[i].name, value = q->headers[i].value;
        /* An empty value would remove the header: curl's word for "send it empty" is a semicolon. */
        struct str line = value.n ? arena_printf(a, "%.*s: %.*s", STR_ARG(name), STR_ARG(value))
                                  : arena_printf(a, "%.*s;", STR_ARG(name));
        list = curl_slist_append(list, line.p);
    }
    return list;
}

static void set_body(CURL *curl, const struct http_client_request *q)
{
    if (str_eq_cstr(STR("HEAD"), q->method)) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (!str_is_null(q->body)) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, q->body.p);
    } else if (str_eq_cstr(STR("POST"), q->method) || str_eq_cstr(STR("PUT"), q->method)) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    }
    if (!str_eq_cstr(STR("HEAD"), q->method))
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, q->method);
}

int http_client_do(struct http_client *c, struct arena *a, const struct http_client_request *q,
                   struct http_client_response *ret, struct err *err)
{
    struct http_client_response response = {0};
    struct gathering g = {.arena = a, .response = &response};
    size_t response_max = q->response_max ? q->response_max : 64u << 20;
    char detail[CURL_ERROR_SIZE] = "";
    long status = 0;

    curl_easy_reset(c->curl); /* connections stay */
    buf_init(&response.body, response_max);
    struct curl_slist *headers = make_headers(a, q);
    curl_easy_setopt(c->curl, CURLOPT_URL, q->url);
    curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, q->timeout_ms > 0 ? (long)q->timeout_ms : 30000L);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &g);
    curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, &g);
    if (q->ca_file)
        curl_easy_setopt(c->curl, CURLOPT_CAINFO, q->ca_file);
    struct curl_slist *instead = q->connect_to ? curl_slist_append(NULL, arena_printf(a, "::%s", q->connect_to).p)
                                               : NULL;
    curl_easy_setopt(c->curl, CURLOPT_CONNECT_TO, instead);
    set_body(c->curl, q);

    CURLcode code = curl_easy_perform(c->curl);
    curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, NULL);
    curl_slist_free_all(headers);
    curl_easy_setopt(c->curl, CURLOPT_CONNECT_TO, NULL);
    curl_slist_free_all(instead);
    if (code != CURLE_OK) {
        buf_release(&response.body);
        return explain(code, detail, q, &g, response_max, err);
    }
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    response.status = (int)status;
    *ret = response;
    return 0;
}

struct str http_client_header(const struct http_client_response *p, const char *name)
{
    for (size_t i = 0; i < p->header_count; i++)
        if (str_eq_nocase(p->headers[i].name, str_from_cstr(name)))
            return p->headers[i].value;
    return STR_NULL;
}
