/*
 * Trino's client protocol, version 1, from the client's side: POST /v1/statement, then GET nextUri until there is
 * none; DELETE nextUri cancels. A busy server's 502, 503, 504 and 429 are tried again, as the protocol says.
 */
#include "cli/sql.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/vec.h"

#include <time.h>

enum { HEADERS_MAX = 256, REQUEST_TIMEOUT_MS = 60000, RETRY_FOR_MS = 60000, RETRY_MS = 100, CANCEL_TIMEOUT_MS = 5000 };

int sql_session_init(struct sql_session *s, const char *server, const struct sql_trust *trust, const char *user,
                     struct err *err)
{
    struct str url = str_from_cstr(server);
    struct http_client *http;

    if (!str_starts_with(url, STR("http://")) && !str_starts_with(url, STR("https://")))
        return err_set(err, ERR_INVALID, "--server: expected a URL such as http://127.0.0.1:8080, found %s", server);
    int rc = http_client_new(&http, err);
    if (rc < 0)
        return rc;
    *s = (struct sql_session){.http = http};
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    sql_session_set(&s->server, url);
    sql_session_set(&s->user, str_from_cstr(user));
    sql_session_set(&s->ca_file, str_from_cstr(trust->ca_file));
    sql_session_set(&s->connect_to, str_from_cstr(trust->connect_to));
    return 0;
}

static void release_map(struct map *m)
{
    for (struct map_entry *e = NULL; (e = map_next(m, e));)
        free(e->value);
    map_release(m);
}

void sql_session_release(struct sql_session *s)
{
    http_client_free(s->http);
    free(s->server);
    free(s->ca_file);
    free(s->connect_to);
    free(s->user);
    free(s->catalog);
    free(s->schema);
    free(s->transaction);
    release_map(&s->properties);
    release_map(&s->prepared);
}

static char *copy(struct str s)
{
    char *p = strndup(s.p ? s.p : "", s.n);

    if (!p)
        abort();
    return p;
}

void sql_session_set(char **field, struct str value)
{
    free(*field);
    *field = str_is_null(value) ? NULL : copy(value);
}

void sql_session_set_property(struct sql_session *s, struct str name, struct str value)
{
    BUF_SCOPED struct buf encoded;

    buf_init(&encoded, 1 << 20);
    enc_percent(&encoded, value, false);
    free(map_set(&s->properties, name, copy(buf_str(&encoded))));
}

/* ---- headers, both ways ---- */

struct headers {
    struct arena *a;
    struct http_header items[HEADERS_MAX];
    size_t n;
};

static void add(struct headers *h, struct str name, struct str value)
{
    if (!str_is_null(value) && h->n < HEADERS_MAX)
        h->items[h->n++] = (struct http_header){name, value};
}

static void add_map(struct headers *h, struct str name, const struct map *m)
{
    for (struct map_entry *e = NULL; (e = map_next(m, e));)
        add(h, name, arena_printf(h->a, "%.*s=%s", STR_ARG(e->key), (char *)e->value));
}

/* TRINO_PASSWORD, as for trino-cli; never over plain HTTP. */
static void add_password(const struct sql_session *s, struct headers *h)
{
    const char *password = getenv("TRINO_PASSWORD");
    BUF_SCOPED struct buf text, header;

    buf_init(&text, 8192);
    buf_init(&header, 16384);
    if (!password || !*password || !str_starts_with(str_from_cstr(s->server), STR("https://")))
        return;
    buf_addf(&text, "%s:%s", s->user, password);
    buf_add_str(&header, STR("Basic "));
    enc_base64(&header, text.p, text.n);
    add(h, STR("Authorization"), arena_str(h->a, buf_str(&header)));
    buf_wipe(&text);
    buf_wipe(&header);
}

static void session_headers(const struct sql_session *s, struct headers *h)
{
    const char *zone = getenv("TZ");

    add(h, STR("X-Trino-User"), str_from_cstr(s->user));
    add_password(s, h);
    add(h, STR("X-Trino-Source"), STR("dataplatform"));
    add(h, STR("X-Trino-Catalog"), str_from_cstr(s->catalog));
    add(h, STR("X-Trino-Schema"), str_from_cstr(s->schema));
    if (zone && *zone && *zone != ':' && *zone != '/')
        add(h, STR("X-Trino-Time-Zone"), str_from_cstr(zone));
    add(h, STR("X-Trino-Transaction-Id"), s->transaction ? str_from_cstr(s->transaction) : STR("NONE"));
    add(h, STR("X-Trino-Client-Capabilities"), STR("PATH,PARAMETRIC_DATETIME,SESSION_AUTHORIZATION"));
    add_map(h, STR("X-Trino-Session"), &s->properties);
    add_map(h, STR("X-Trino-Prepared-Statement"), &s->prepared);
}

static void take_pair(struct map *m, struct str header)
{
    size_t equals = str_find_char(header, '=', 0);

    if (equals != SIZE_MAX)
        free(map_set(m, str_slice(header, 0, equals), copy(str_skip(header, equals + 1))));
}

static void take_headers(struct sql_session *s, const struct http_client_response *p)
{
    for (size_t i = 0; i < p->header_count; i++) {
        struct str name = p->headers[i].name, value = p->headers[i].value;

        if (!str_starts_with_nocase(name, STR("x-trino-")))
            continue;
        name = str_skip(name, 8);
        if (str_eq_nocase(name, STR("set-catalog")))
            sql_session_set(&s->catalog, value);
        else if (str_eq_nocase(name, STR("set-schema")))
            sql_session_set(&s->schema, value);
        else if (str_eq_nocase(name, STR("set-session")))
            take_pair(&s->properties, value);
        else if (str_eq_nocase(name, STR("clear-session")))
            free(map_remove(&s->properties, value));
        else if (str_eq_nocase(name, STR("added-prepare")))
            take_pair(&s->prepared, value);
        else if (str_eq_nocase(name, STR("deallocated-prepare")))
            free(map_remove(&s->prepared, value));
        else if (str_eq_nocase(name, STR("started-transaction-id")))
            sql_session_set(&s->transaction, value);
        else if (str_eq_nocase(name, STR("clear-transaction-id")))
            sql_session_set(&s->transaction, STR_NULL);
    }
}

/* ---- pages ---- */

static bool is_busy(int status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

/* One page. Only a GET is sent again when the connection broke: a POST may have started a statement. */
static int fetch(struct sql_session *s, struct str url, struct str body, const volatile sig_atomic_t *cancelled,
                 json_t **ret, struct err *err)
{
    const struct timespec pause = {.tv_nsec = RETRY_MS * 1000000L};
    int64_t deadline = clock_mono_ms() + RETRY_FOR_MS;

    for (;;) {
        ARENA_SCOPED struct arena a = ARENA_INIT;
        struct headers *h = arena_new(&a, struct headers);
        struct http_client_response p = {0};
        bool posts = !str_is_null(body);

        h->a = &a;
        session_headers(s, h);
        const struct http_client_request q = {.method = posts ? "POST" : "GET",
                                              .url = arena_cstr(&a, url),
                                              .headers = h->items,
                                              .header_count = h->n,
                                              .body = body,
                                              .timeout_ms = REQUEST_TIMEOUT_MS,
                                              .ca_file = s->ca_file,
                                              .connect_to = s->connect_to,
                                              .response_max = 256 << 20};
        int rc = http_client_do(s->http, &a, &q, &p, err);
        if (rc == 0 && p.status == 200) {
            take_headers(s, &p);
            rc = json_parse(buf_str(&p.body), ret, err);
            if (rc < 0)
                err_prefix(err, "the server's answer");
            buf_release(&p.body);
            return rc;
        }
        bool again = rc == 0 ? is_busy(p.status) : !posts && rc != ERR_LIMIT;
        if (rc == 0) {
            struct str text = str_trim(str_slice(buf_str(&p.body), 0, 500));
            rc = err_set(err, ERR_IO, "the server answers %d%s%.*s", p.status, text.n ? ": " : "", STR_ARG(text));
        }
        buf_release(&p.body);
        if (!again || *cancelled || clock_mono_ms() >= deadline)
            return rc;
        nanosleep(&pause, NULL);
    }
}

static void cancel(struct sql_session *s, struct str url)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct headers *h = arena_new(&a, struct headers);
    struct http_client_response p = {0};

    h->a = &a;
    session_headers(s, h);
    const struct http_client_request q = {.method = "DELETE",
                                          .url = arena_cstr(&a, url),
                                          .headers = h->items,
                                          .header_count = h->n,
                                          .timeout_ms = CANCEL_TIMEOUT_MS,
                                          .ca_file = s->ca_file,
                                          .connect_to = s->connect_to};
    /* A server that can't be told finds out by itself that nobody asks for more pages. */
    (void)!http_client_do(s->http, &a, &q, &p, NULL);
    buf_release(&p.body);
}

static int take_page(const json_t *page, const struct sql_sink *sink, bool *has_columns, struct err *err)
{
    const json_t *error = json_object_get(page, "error"), *columns = json_object_get(page, "columns");
    const json_t *data = json_object_get(page, "data");
    int rc = 0;

    if (json_is_object(error)) {
        struct str id = json_opt_str(page, "id", STR("?")), message = json_opt_str(error, "message", STR("no message"));
        const json_t *at = json_object_get(error, "errorLocation");

        rc = err_set(err, ERR_INVALID, "Query %.*s failed: %.*s", STR_ARG(id), STR_ARG(message));
        if (err) {
            err->line = (int)json_opt_i64(at, "lineNumber", 0);
            err->column = (int)json_opt_i64(at, "columnNumber", 0);
        }
        return rc;
    }
    /* The one row of a statement that changes something is its count, which `done` has too. */
    if (json_is_string(json_object_get(page, "updateType")))
        return 0;
    if (json_is_array(columns) && !*has_columns) {
        *has_columns = true;
        rc = sink->columns(sink->ctx, columns, err);
    }
    if (rc == 0 && json_is_array(data))
        rc = sink->rows(sink->ctx, data, err);
    return rc;
}

int sql_run(struct sql_session *s, struct str statement, const struct sql_sink *sink,
            const volatile sig_atomic_t *cancelled, struct err *err)
{
    BUF_SCOPED struct buf url;
    struct str body = statement;
    bool has_columns = false;

    buf_init(&url, 64 << 10);
    buf_addf(&url, "%s/v1/statement", s->server);
    for (;;) {
        JSON_SCOPED json_t *page = NULL;
        int rc = fetch(s, buf_str(&url), body, cancelled, &page, err);
        if (rc < 0)
            return rc;
        struct str next = json_opt_str(page, "nextUri", STR_NULL);
        rc = take_page(page, sink, &has_columns, err);
        if (rc == 0 && *cancelled)
            rc = err_set(err, ERR_CANCELLED, "Query aborted by user");
        if (rc < 0) {
            if (!str_is_null(next))
                cancel(s, next);
            return rc;
        }
        if (str_is_null(next))
            return sink->done(sink->ctx, page, err);
        sink->progress(sink->ctx, page);
        /* The next page lies with the server that was asked: a statement isn't taken elsewhere by its answer. */
        if (!str_starts_with(next, str_from_cstr(s->server))) {
            size_t path = str_find(next, STR("/v1/"), 0);
            if (path == SIZE_MAX)
                return err_set(err, ERR_INVALID, "the server's nextUri is not one: %.*s", STR_ARG(next));
            buf_reset(&url);
            buf_addf(&url, "%s%.*s", s->server, STR_ARG(str_skip(next, path)));
        } else {
            buf_reset(&url);
            buf_add_str(&url, next);
        }
        body = STR_NULL;
    }
}
