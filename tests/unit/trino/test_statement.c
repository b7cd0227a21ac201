/*
 * The protocol over queries that are made up: this file stands in for the module query, so that a result can be endless,
 * a query can wait for ever, and what the server holds back can be counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "http/client.h"
#include "trino/server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* ---- the stand-in ---- */

struct query {
    atomic_int refs;
    pthread_t thread;
    struct query_sink sink;
    char id[32], text[256];
    struct session_changes changes;
    _Atomic enum query_state state;
    atomic_bool is_cancelled;
    struct err why;
    struct map prepared;
};

static atomic_int rows_made, queries_alive, query_count;
static char seen_catalog[64], seen_zone[64], seen_prepared[256];

struct query *query_ref(struct query *q)
{
    q->refs++;
    return q;
}

void query_unref(struct query *q)
{
    if (q && atomic_fetch_sub(&q->refs, 1) == 1) {
        queries_alive--;
        free(q);
    }
}

struct str query_id(const struct query *q)
{
    return str_from_cstr(q->id);
}

void query_get_stats(struct query *q, struct query_stats *ret)
{
    *ret = (struct query_stats){.state = q->state, .progress = 0.5, .total_splits = 4, .completed_splits = 2};
}

const char *query_update_type(const struct query *q)
{
    return strncmp(q->text, "INSERT", 6) == 0 ? "INSERT" : NULL;
}

bool query_update_count(const struct query *q, int64_t *ret)
{
    *ret = 7;
    return strncmp(q->text, "INSERT", 6) == 0 && q->state == QUERY_FINISHED;
}

const struct session_changes *query_changes(const struct query *q)
{
    return &q->changes;
}

void query_cancel(struct query *q, const struct err *why)
{
    if (q->is_cancelled)
        return;
    if (why)
        q->why = *why;
    else
        err_set_named(&q->why, ERR_CANCELLED, "USER_CANCELED", "Query was canceled");
    q->is_cancelled = true;
    q->sink.cancelled(q->sink.ctx);
}

size_t queries_list(struct queries *qs, struct arena *a, struct query_info **ret)
{
    (void)qs;
    *ret = arena_new(a, struct query_info);
    **ret = (struct query_info){
        .id = STR("20260101_000000_00001_aaaaa"), .user = STR("alice"), .text = STR("SELECT 1")};
    return 1;
}

bool queries_get(struct queries *qs, struct arena *a, struct str id, struct query_info *ret)
{
    struct query_info *all;

    queries_list(qs, a, &all);
    *ret = *all;
    return str_eq(id, all->id);
}

static int send_rows(struct query *q, int64_t n)
{
    struct err err = {0};
    duckdb_logical_type bigint = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    duckdb_data_chunk chunk = duckdb_create_data_chunk(&bigint, 1);
    int rc = 0;

    for (int64_t at = 0; at < n && rc == 0; at += 2048) {
        int64_t *values = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
        int64_t in_chunk = n - at < 2048 ? n - at : 2048;
        for (int64_t i = 0; i < in_chunk; i++)
            values[i] = at + i;
        duckdb_data_chunk_set_size(chunk, (idx_t)in_chunk);
        rc = q->sink.chunk(q->sink.ctx, chunk, &err);
        rows_made += (int)in_chunk;
    }
    duckdb_destroy_data_chunk(&chunk);
    duckdb_destroy_logical_type(&bigint);
    return rc;
}

static bool number_after(const char *text, const char *word, int64_t *ret)
{
    size_t n = strlen(word);

    return strncmp(text, word, n) == 0 && str_to_i64(str_from_cstr(text + n), ret, NULL) == 0;
}

static void *run(void *arg)
{
    const struct column column = {.type = &type_bigint};
    const struct str name = STR("n");
    struct query *q = arg;
    struct err err = {0};
    int64_t n = 0;
    int rc = 0;

    if (strcmp(q->text, "QUEUED") == 0)
        usleep(150000);
    q->state = QUERY_RUNNING;
    if (strncmp(q->text, "DDL", 3) == 0)
        q->sink.columns(q->sink.ctx, NULL, NULL, 0);
    else if (strncmp(q->text, "FAIL", 4) != 0)
        q->sink.columns(q->sink.ctx, &column, &name, 1);
    if (number_after(q->text, "ROWS ", &n)) {
        rc = send_rows(q, n);
    } else if (number_after(q->text, "TRICKLE ", &n)) {
        rc = send_rows(q, n);
        usleep(400000);
        if (rc == 0)
            rc = send_rows(q, n);
    } else if (strcmp(q->text, "WAIT") == 0) {
        while (!q->is_cancelled)
            usleep(1000);
    } else if (strncmp(q->text, "INSERT", 6) == 0) {
        rc = send_rows(q, 1);
    } else if (strcmp(q->text, "FAIL") == 0) {
        rc = err_set_at(&err, ERR_INVALID, "SYNTAX_ERROR", 1, 1, "mismatched input 'FAIL'");
    } else if (strcmp(q->text, "FAIL LATER") == 0) {
        q->sink.columns(q->sink.ctx, &column, &name, 1);
        (void)!send_rows(q, 10);
        usleep(300000);
        rc = err_set_named(&err, ERR_INVALID, "DIVISION_BY_ZERO", "Division by zero");
    }
    if (q->is_cancelled)
        err = q->why;
    q->state = err.code ? QUERY_FAILED : QUERY_FINISHED;
    q->sink.end(q->sink.ctx, err.code ? &err : NULL);
    query_unref(q);
    return NULL;
}

static void remember_session(const struct session *s)
{
    const struct str *text = map_get(&s->prepared, STR("q 1"));

    snprintf(seen_catalog, sizeof(seen_catalog), "%.*s", STR_ARG(s->catalog));
    snprintf(seen_zone, sizeof(seen_zone), "%.*s", STR_ARG(s->time_zone));
    snprintf(seen_prepared, sizeof(seen_prepared), "%.*s", STR_ARG(text ? *text : STR("")));
}

int query_start(struct queries *qs, const struct session *s, struct str text, const struct query_sink *sink,
                struct query **ret, struct err *err)
{
    struct query *q = calloc(1, sizeof(*q));
    (void)qs;

    remember_session(s);
    if (str_eq(text, STR("FULL"))) {
        free(q);
        return err_set_named(err, ERR_LIMIT, "QUERY_QUEUE_FULL", "Too many queued queries for \"global\"");
    }
    q->refs = 2;
    q->sink = *sink;
    snprintf(q->id, sizeof(q->id), "20260101_000000_%05d_aaaaa", ++query_count);
    snprintf(q->text, sizeof(q->text), "%.*s", STR_ARG(text));
    if (str_eq(text, STR("DDL USE")))
        q->changes = (struct session_changes){.set_catalog = STR("tpch"), .set_schema = STR("tiny")};
    if (str_eq(text, STR("DDL SET")))
        q->changes = (struct session_changes){.set_session_name = STR("time_zone_id"),
                                              .set_session_value = STR("Europe/Berlin")};
    if (str_eq(text, STR("DDL PREPARE")))
        q->changes = (struct session_changes){.added_prepare_name = STR("q 1"),
                                              .added_prepare_text = STR("SELECT\n? + 1")};
    queries_alive++;
    *ret = q;
    pthread_create(&q->thread, NULL, run, q);
    pthread_detach(q->thread);
    return 0;
}

/* ---- the client ---- */

static struct trino_server *server;
static struct http_client *client;
static struct arena arena;

static int set_up(void **state)
{
    struct trino_server_options o = {.address = "127.0.0.1", .client_timeout_ms = 1500};
    (void)state;

    rows_made = 0;
    return trino_server_start(&o, &server, NULL) < 0 || http_client_new(&client, NULL) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_client_free(client);
    trino_server_stop(server);
    for (int i = 0; i < 2000 && queries_alive; i++)
        usleep(1000);
    arena_release(&arena);
    return queries_alive; /* nothing leaks */
}

static struct http_client_response response;

static int request(const char *method, const char *url, const char *body, const struct http_header *more, size_t more_n)
{
    struct http_header headers[8] = {{STR("X-Trino-User"), STR("alice")}};
    struct http_client_request q = {.method = method, .url = url, .headers = headers, .header_count = 1};
    struct err err = {0};

    for (size_t i = 0; i < more_n; i++)
        headers[q.header_count++] = more[i];
    if (body)
        q.body = str_from_cstr(body);
    response = (struct http_client_response){0};
    if (http_client_do(client, &arena, &q, &response, &err) < 0)
        fail_msg("%s", err.message);
    return response.status;
}

static const char *path(const char *p)
{
    return arena_printf(&arena, "http://127.0.0.1:%d%s", trino_server_port(server), p).p;
}

static json_t *document(void)
{
    json_t *j = NULL;
    struct err err = {0};

    if (json_parse(buf_str(&response.body), &j, &err) < 0)
        fail_msg("%s in %.*s", err.message, STR_ARG(buf_str(&response.body)));
    buf_release(&response.body);
    return j;
}

static json_t *post(const char *text)
{
    assert_int_equal(request("POST", path("/v1/statement"), text, NULL, 0), 200);
    return document();
}

static json_t *get(const char *url)
{
    assert_int_equal(request("GET", url, NULL, NULL, 0), 200);
    return document();
}

static int status_of(const char *method, const char *url)
{
    int status = request(method, url, NULL, NULL, 0);

    buf_release(&response.body);
    return status;
}

static const char *text_of(const json_t *j, const char *key)
{
    const char *text = json_string_value(json_object_get(j, key));

    return text ? arena_cstr(&arena, str_from_cstr(text)) : NULL;
}

static const char *state_of(const json_t *j)
{
    return text_of(json_object_get(j, "stats"), "state");
}

static const char *error_of(const json_t *j)
{
    return text_of(json_object_get(j, "error"), "errorName");
}

static const char *header(const char *name)
{
    struct str v = http_client_header(&response, name);

    return str_is_null(v) ? NULL : arena_cstr(&arena, v);
}

/* ---- tests ---- */

static void a_fast_query_is_answered_by_its_post(void **state)
{
    (void)state;
    JSON_SCOPED json_t *j = post("ROWS 3");
    assert_null(json_object_get(j, "nextUri"));
    assert_string_equal(state_of(j), "FINISHED");
    const json_t *data = json_object_get(j, "data");
    assert_int_equal(json_array_size(data), 3);
    assert_int_equal(json_integer_value(json_array_get(json_array_get(data, 2), 0)), 2);
    assert_string_equal(text_of(json_array_get(json_object_get(j, "columns"), 0), "type"), "bigint");
    assert_non_null(json_object_get(json_object_get(j, "stats"), "rootStage"));
    assert_null(json_object_get(j, "error"));
    assert_true(json_is_array(json_object_get(j, "warnings")));
}

static void no_rows_have_columns_and_no_data(void **state)
{
    (void)state;
    JSON_SCOPED json_t *j = post("ROWS 0");
    assert_null(json_object_get(j, "data"));
    assert_int_equal(json_array_size(json_object_get(j, "columns")), 1);
    assert_string_equal(state_of(j), "FINISHED");
}

static void a_write_says_its_type_and_count(void **state)
{
    (void)state;
    JSON_SCOPED json_t *j = post("INSERT");
    assert_string_equal(text_of(j, "updateType"), "INSERT");
    assert_int_equal(json_integer_value(json_object_get(j, "updateCount")), 7);
}

static void every_row_comes_once_whatever_the_pages(void **state)
{
    int64_t next = 0;
    size_t pages = 0;
    (void)state;

    json_t *j = post("ROWS 1000000");
    for (;;) {
        const json_t *data = json_object_get(j, "data");
        for (size_t i = 0; i < json_array_size(data); i++)
            assert_int_equal(json_integer_value(json_array_get(json_array_get(data, i), 0)), next++);
        pages += data != NULL;
        assert_non_null(json_object_get(j, "columns"));
        const char *uri = text_of(j, "nextUri");
        if (!uri)
            break;
        json_decref(j);
        j = get(uri);
    }
    assert_string_equal(state_of(j), "FINISHED");
    json_decref(j);
    assert_int_equal(next, 1000000);
    assert_true(pages > 5);
}

static void a_result_that_is_not_fetched_holds_its_query_back(void **state)
{
    (void)state;
    JSON_SCOPED json_t *j = post("ROWS 100000000");
    usleep(200000);
    int held = rows_made;
    assert_true(held < 1000000); /* a few pages of about 1 MiB */
    usleep(100000);
    assert_int_equal(rows_made, held);
    assert_int_equal(status_of("DELETE", text_of(j, "nextUri")), 204);
}

static void a_client_may_ask_for_smaller_pages(void **state)
{
    (void)state;
    JSON_SCOPED json_t *j = post("ROWS 100000000");
    const char *uri = text_of(j, "nextUri");
    for (int i = 0; i < 5; i++) { /* pages that were full before it said so come first */
        json_t *page = get(arena_printf(&arena, "%s?targetResultSize=16kB", uri).p);
        size_t rows = json_array_size(json_object_get(page, "data"));
        uri = text_of(page, "nextUri");
        json_decref(page);
        if (i == 4)
            assert_true(rows > 500 && rows < 4000);
    }
    assert_int_equal(status_of("DELETE", uri), 204);
}

static void part_of_a_page_is_sent_after_a_while(void **state)
{
    (void)state;
    JSON_SCOPED json_t *j = post("TRICKLE 10");
    assert_int_equal(json_array_size(json_object_get(j, "data")), 10);
    assert_string_equal(state_of(j), "RUNNING");
    JSON_SCOPED json_t *next = get(text_of(j, "nextUri"));
    assert_int_equal(json_array_size(json_object_get(next, "data")), 10);
    assert_null(json_object_get(next, "nextUri"));
}

static void a_query_at_work_says_so_and_how_far_it_is(void **state)
{
    (void)state;
    JSON_SCOPED json_t *j = post("WAIT");
    int64_t from = clock_mono_ms();
    JSON_SCOPED json_t *next = get(arena_printf(&arena, "%s?maxWait=300ms", text_of(j, "nextUri")).p);
    int64_t took = clock_mono_ms() - from;
    assert_true(took >= 250 && took < 1000);
    assert_string_equal(state_of(next), "RUNNING");
    const json_t *stats = json_object_get(next, "stats");
    assert_true(json_real_value(json_object_get(stats, "progressPercentage")) == 50.0);
    assert_int_equal(json_integer_value(json_object_get(stats, "totalSplits")), 4);
    assert_int_equal(status_of("DELETE", text_of(next, "nextUri")), 204);
}

static void a_queued_query_has_uris_of_its_own(void **state)
{
    (void)state;
    JSON_SCOPED json_t *j = post("QUEUED");
    const char *queued = text_of(j, "nextUri");
    assert_string_equal(state_of(j), "QUEUED");
    assert_non_null(strstr(queued, "/v1/statement/queued/"));
    JSON_SCOPED json_t *next = get(queued);
    assert_string_equal(state_of(next), "FINISHED");
}

static void the_last_answer_is_repeated_and_others_are_gone(void **state)
{
    (void)state;
    JSON_SCOPED json_t *j = post("ROWS 1000000");
    const char *first = text_of(j, "nextUri");
    JSON_SCOPED json_t *a = get(first);
    JSON_SCOPED json_t *b = get(first);
    assert_true(json_equal(a, b));
    JSON_SCOPED json_t *c = get(text_of(a, "nextUri"));
    assert_false(json_equal(json_object_get(a, "data"), json_object_get(c, "data")));
    assert_int_equal(request("GET", first, NULL, NULL, 0), 404);
    assert_true(str_eq(buf_str(&response.body), STR("Error 404 Not Found: Query not found")));
    buf_release(&response.body);
    assert_int_equal(status_of("DELETE", text_of(c, "nextUri")), 204);
}

static void a_wrong_slug_or_token_is_not_found(void **state)
{
    (void)state;
    JSON_SCOPED json_t *j = post("WAIT");
    char *uri = arena_cstr(&arena, str_from_cstr(text_of(j, "nextUri")));
    char *slug = strstr(uri, "/y") + 2;
    char right = *slug;
    *slug = right == '0' ? '1' : '0';
    assert_int_equal(status_of("GET", uri), 404);
    assert_int_equal(status_of("DELETE", uri), 404);
    *slug = right;
    assert_int_equal(status_of("GET", arena_printf(&arena, "%sx", uri).p), 404);
    assert_int_equal(status_of("GET", arena_printf(&arena, "%s7", uri).p), 404);
    assert_int_equal(status_of("DELETE", uri), 204);
}

static void cancelling_ends_the_query_and_tells_its_reader(void **state)
{
    (void)state;
    JSON_SCOPED json_t *j = post("WAIT");
    assert_int_equal(status_of("DELETE", text_of(j, "nextUri")), 204);
    JSON_SCOPED json_t *next = get(text_of(j, "nextUri"));
    assert_string_equal(error_of(next), "USER_CANCELED");
    assert_string_equal(state_of(next), "FAILED");
    assert_null(json_object_get(next, "nextUri"));
    assert_int_equal(status_of("DELETE", text_of(j, "nextUri")), 204);
}

static void cancelling_by_id_ends_a_query_that_is_held_back(void **state)
{
    (void)state;
    JSON_SCOPED json_t *j = post("ROWS 100000000");
    usleep(100000);
    assert_int_equal(status_of("DELETE", path(arena_printf(&arena, "/v1/query/%s", text_of(j, "id")).p)), 204);
    JSON_SCOPED json_t *next = get(text_of(j, "nextUri"));
    assert_string_equal(error_of(next), "USER_CANCELED");
}

static void an_abandoned_query_is_cancelled(void **state)
{
    (void)state;
    JSON_SCOPED json_t *j = post("WAIT");
    for (int i = 0; i < 60 && queries_alive == 1; i++) {
        usleep(100000);
        if (i == 35) /* timeout 1.5 s, looked at every second */
            break;
    }
    JSON_SCOPED json_t *next = get(text_of(j, "nextUri"));
    assert_string_equal(error_of(next), "ABANDONED_QUERY");
}

static void errors_come_with_their_place(void **state)
{
    (void)state;
    JSON_SCOPED json_t *j = post("FAIL");
    assert_string_equal(error_of(j), "SYNTAX_ERROR");
    assert_string_equal(text_of(json_object_get(j, "error"), "message"), "line 1:1: mismatched input 'FAIL'");
    assert_null(json_object_get(j, "columns"));
    JSON_SCOPED json_t *later = post("FAIL LATER");
    JSON_SCOPED json_t *end = get(text_of(later, "nextUri"));
    assert_string_equal(error_of(end), "DIVISION_BY_ZERO");
    assert_null(json_object_get(end, "data"));
    JSON_SCOPED json_t *full = post("FULL");
    assert_string_equal(error_of(full), "QUERY_QUEUE_FULL");
}

static void what_a_statement_changes_comes_as_headers(void **state)
{
    (void)state;
    json_decref(post("DDL USE"));
    assert_string_equal(header("X-Trino-Set-Catalog"), "tpch");
    assert_string_equal(header("X-Trino-Set-Schema"), "tiny");
    json_decref(post("DDL SET"));
    assert_string_equal(header("X-Trino-Set-Session"), "time_zone_id=Europe%2FBerlin");
    json_decref(post("DDL PREPARE"));
    assert_string_equal(header("X-Trino-Added-Prepare"), "q+1=SELECT%0A%3F+%2B+1");
}

static void the_session_comes_in_headers(void **state)
{
    const struct http_header headers[] = {
        {STR("X-Trino-Catalog"), STR("tpch")},
        {STR("X-Trino-Time-Zone"), STR("UTC")},
        {STR("X-Trino-Session"), STR("a=1,time_zone_id=Europe%2FBerlin")},
        {STR("X-Trino-Prepared-Statement"), STR("x=y, q+1=SELECT%0A%3F+%2B+1")},
    };
    (void)state;
    assert_int_equal(request("POST", path("/v1/statement"), "ROWS 1", headers, 4), 200);
    json_decref(document());
    assert_string_equal(seen_catalog, "tpch");
    assert_string_equal(seen_zone, "Europe/Berlin");
    assert_string_equal(seen_prepared, "SELECT\n? + 1");
}

static void malformed_headers_are_refused_as_trino_does(void **state)
{
    static const struct {
        struct http_header header;
        const char *text;
    } cases[] = {
        {{STR("X-Trino-Session"), STR("malformed")}, "Error 400 Bad Request: Invalid X-Trino-Session header"},
        {{STR("X-Trino-Prepared-Statement"), STR("broken")},
         "Error 400 Bad Request: Invalid X-Trino-Prepared-Statement header"},
        {{STR("X-Trino-Schema"), STR("tiny")}, "Error 400 Bad Request: Schema is set but catalog is not"},
        {{STR("X-Trino-Transaction-Id"), STR("not-one")}, "Error 400 Bad Request: Invalid UUID string: not-one"},
        {{STR("X-Trino-Resource-Estimate"), STR("nonsense")},
         "Error 400 Bad Request: Invalid X-Trino-Resource-Estimate header"},
        {{STR("X-Trino-Session"), STR("a=%zz")}, "Error 400 Bad Request: Invalid X-Trino-Session header"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(request("POST", path("/v1/statement"), "ROWS 1", &cases[i].header, 1), 400);
        assert_string_equal(buf_cstr(&response.body), cases[i].text);
        buf_release(&response.body);
    }
    assert_int_equal(request("POST", path("/v1/statement"), " \n", NULL, 0), 400);
    assert_string_equal(buf_cstr(&response.body), "Error 400 Bad Request: SQL statement is empty");
    buf_release(&response.body);
}

static int post_as(struct http_header header)
{
    struct http_client_request q = {
        .method = "POST", .url = path("/v1/statement"), .headers = &header, .header_count = 1, .body = STR("ROWS 1")};

    response = (struct http_client_response){0};
    assert_int_equal(http_client_do(client, &arena, &q, &response, NULL), 0);
    return response.status;
}

static void a_user_is_required_and_a_password_refused(void **state)
{
    (void)state;
    assert_int_equal(post_as((struct http_header){STR("X-Presto-User"), STR("alice")}), 401);
    assert_string_equal(header("WWW-Authenticate"), "Basic realm=\"Trino\"");
    assert_string_equal(buf_cstr(&response.body),
                        "Basic authentication or X-Trino-Original-User or X-Trino-User must be sent");
    buf_release(&response.body);
    assert_int_equal(post_as((struct http_header){STR("Authorization"), STR("Basic YWxpY2U6")}), 200);
    buf_release(&response.body);
    assert_int_equal(post_as((struct http_header){STR("Authorization"), STR("Basic YWxpY2U6c2VjcmV0")}), 401);
    assert_string_equal(buf_cstr(&response.body), "Password not allowed for insecure authentication");
    buf_release(&response.body);
}

static void other_methods_and_paths_are_refused(void **state)
{
    (void)state;
    assert_int_equal(status_of("GET", path("/v1/statement")), 405);
    assert_string_equal(header("Allow"), "HEAD,POST,OPTIONS");
    assert_int_equal(status_of("GET", path("/v1/nothing-here")), 404);
    assert_int_equal(status_of("GET", path("/v1/statement/executing/20200101_000000_00000_aaaaa/y0/1")), 404);
}

static void the_server_and_its_queries_are_described(void **state)
{
    (void)state;
    JSON_SCOPED json_t *info = get(path("/v1/info"));
    assert_string_equal(text_of(json_object_get(info, "nodeVersion"), "version"), "476");
    assert_false(json_boolean_value(json_object_get(info, "starting")));
    JSON_SCOPED json_t *status = get(path("/v1/status"));
    assert_string_equal(text_of(status, "nodeId"), "sql");
    JSON_SCOPED json_t *list = get(path("/v1/query"));
    assert_string_equal(text_of(json_array_get(list, 0), "state"), "QUEUED");
    JSON_SCOPED json_t *one = get(path("/v1/query/20260101_000000_00001_aaaaa"));
    assert_string_equal(text_of(one, "query"), "SELECT 1");
    assert_int_equal(status_of("GET", path("/v1/query/20200101_000000_00000_aaaaa")), 410);
}

static void *fetch(void *arg)
{
    struct http_client *own;
    struct arena a = ARENA_INIT;
    struct http_client_request q = {.method = "GET", .url = arg};
    struct http_client_response p = {0};
    JSON_SCOPED json_t *j = NULL;
    const char *name = NULL;

    if (http_client_new(&own, NULL) == 0 && http_client_do(own, &a, &q, &p, NULL) == 0 &&
        json_parse(buf_str(&p.body), &j, NULL) == 0)
        name = json_string_value(json_object_get(json_object_get(j, "error"), "errorName"));
    bool right = name && strcmp(name, "SERVER_SHUTTING_DOWN") == 0;
    buf_release(&p.body);
    http_client_free(own);
    arena_release(&a);
    return right ? arg : NULL;
}

static void stopping_tells_who_waits(void **state)
{
    pthread_t t;
    void *right = NULL;
    (void)state;

    JSON_SCOPED json_t *j = post("WAIT");
    char *uri = arena_cstr(&arena, str_from_cstr(text_of(j, "nextUri")));
    pthread_create(&t, NULL, fetch, uri);
    usleep(100000);
    trino_server_stop(server);
    server = NULL;
    pthread_join(t, &right);
    assert_ptr_equal(right, uri);
}

#define SERVER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(a_fast_query_is_answered_by_its_post),
        SERVER_TEST(no_rows_have_columns_and_no_data),
        SERVER_TEST(a_write_says_its_type_and_count),
        SERVER_TEST(every_row_comes_once_whatever_the_pages),
        SERVER_TEST(a_result_that_is_not_fetched_holds_its_query_back),
        SERVER_TEST(a_client_may_ask_for_smaller_pages),
        SERVER_TEST(part_of_a_page_is_sent_after_a_while),
        SERVER_TEST(a_query_at_work_says_so_and_how_far_it_is),
        SERVER_TEST(a_queued_query_has_uris_of_its_own),
        SERVER_TEST(the_last_answer_is_repeated_and_others_are_gone),
        SERVER_TEST(a_wrong_slug_or_token_is_not_found),
        SERVER_TEST(cancelling_ends_the_query_and_tells_its_reader),
        SERVER_TEST(cancelling_by_id_ends_a_query_that_is_held_back),
        SERVER_TEST(an_abandoned_query_is_cancelled),
        SERVER_TEST(errors_come_with_their_place),
        SERVER_TEST(what_a_statement_changes_comes_as_headers),
        SERVER_TEST(the_session_comes_in_headers),
        SERVER_TEST(malformed_headers_are_refused_as_trino_does),
        SERVER_TEST(a_user_is_required_and_a_password_refused),
        SERVER_TEST(other_methods_and_paths_are_refused),
        SERVER_TEST(the_server_and_its_queries_are_described),
        SERVER_TEST(stopping_tells_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
