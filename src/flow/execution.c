/*
 * The Task Execution API, version 2026-06-30: what the Task SDK's supervisor asks for while it runs a task. Paths, statuses
 * and reasons are those of Airflow 3.3's execution_api. A 4xx is final to the SDK, a 5xx is asked again.
 *
 * The token is one of a try (flow_token_check): a process can speak for its own task instance only.
 */
#include "flow/api.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/vec.h"
#include "http/form.h"

enum { BODY_MAX = 64 << 20, ANSWER_MAX = 64 << 20, MAP_LENGTH_MAX = 1024, STEPS_MAX = 1 << 20 };

/* ---- answers ---- */

/* {"detail": {"reason": …, "message": …, more}} */
static void refuse(struct http_call *c, int status, const char *reason, struct str message, const char *more_name,
                   struct str more)
{
    struct json_writer w;
    struct buf body;

    buf_init(&body, ANSWER_MAX);
    json_writer_init(&w, &body);
    json_open_object(&w);
    json_key(&w, "detail");
    json_open_object(&w);
    json_key(&w, "reason");
    json_add_cstr(&w, reason);
    json_key(&w, "message");
    json_add_str(&w, message);
    if (more_name) {
        json_key(&w, more_name);
        json_add_str(&w, more);
    }
    json_close_object(&w);
    json_close_object(&w);
    http_respond_buf(c->request, http_response_new(c->request, status), "application/json", &body);
}

static void message(struct http_call *c, int status, const char *text)
{
    struct json_writer w;
    struct buf body;

    buf_init(&body, ANSWER_MAX);
    json_writer_init(&w, &body);
    json_open_object(&w);
    json_key(&w, "message");
    json_add_cstr(&w, text);
    json_close_object(&w);
    api_answer(c, status, &body);
}

static void refuse_missing_instance(struct http_call *c)
{
    refuse(c, 404, "not_found", STR("Task Instance not found"), NULL, STR_NULL);
}

bool execution_authenticate(struct flow_api *api, struct http_call *c)
{
    struct str header = http_header(c->request, "Authorization");
    char *id = arena_alloc(c->request->arena, UUID_TEXT_SIZE);

    if (str_starts_with_nocase(header, STR("Bearer ")) &&
        flow_token_check(api->flow, str_trim(str_skip(header, 7)), id)) {
        c->state = id;
        return true;
    }
    struct http_response *p = http_response_new(c->request, 401);
    http_response_add(c->request, p, "WWW-Authenticate", STR("Bearer"));
    http_respond_text(c->request, p, "application/json", STR("{\"detail\":\"Missing or invalid auth token\"}"));
    return false;
}

/* The path's task instance has to be the token's. */
static bool is_own(struct http_call *c, struct str *ret_id)
{
    *ret_id = http_call_param(c, "id");
    if (str_eq_cstr(*ret_id, c->state))
        return true;
    api_fail(c, 403, STR("The token is another task instance's"));
    return false;
}

/* ---- task instances ---- */

static void write_run(struct json_writer *w, const struct run_row *r)
{
    json_open_object(w);
    json_key(w, "dag_id");
    json_add_str(w, r->dag_id);
    json_key(w, "run_id");
    json_add_str(w, r->run_id);
    json_key(w, "logical_date");
    api_add_time(w, r->logical_us);
    json_key(w, "data_interval_start");
    api_add_time(w, r->interval.start_us);
    json_key(w, "data_interval_end");
    api_add_time(w, r->interval.end_us);
    json_key(w, "run_after");
    api_add_time(w, r->run_after_us);
    json_key(w, "start_date");
    api_add_time(w, r->start_us);
    json_key(w, "end_date");
    api_add_time(w, r->end_us);
    json_key(w, "clear_number");
    json_add_i64(w, r->clear_number);
    json_key(w, "run_type");
    json_add_str(w, r->run_type);
    json_key(w, "state");
    json_add_str(w, run_state_name(r->state));
    json_key(w, "conf");
    json_add_raw(w, str_is_empty(r->conf) ? STR("{}") : r->conf);
    json_key(w, "triggering_user_name");
    json_add_str(w, r->triggering_user);
    json_key(w, "consumed_asset_events");
    json_open_array(w);
    json_close_array(w);
    json_key(w, "partition_key");
    json_add_null(w);
    json_close_object(w);
}

static void add_empty_array(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_open_array(w);
    json_close_array(w);
}

static void write_context(struct json_writer *w, const struct flow_instance *i)
{
    json_open_object(w);
    json_key(w, "dag_run");
    write_run(w, &i->run);
    json_key(w, "task_reschedule_count");
    json_add_i64(w, i->reschedules);
    json_key(w, "max_tries");
    json_add_i64(w, i->row.max_tries);
    add_empty_array(w, "variables");
    add_empty_array(w, "connections");
    add_empty_array(w, "xcom_keys_to_clear");
    json_key(w, "should_retry");
    json_add_bool(w, i->row.max_tries > 0 && i->row.try_number <= i->row.max_tries);
    if (!str_is_null(i->row.next_method)) {
        json_key(w, "next_method");
        json_add_str(w, i->row.next_method);
        json_key(w, "next_kwargs");
        json_add_raw(w, str_is_null(i->row.next_kwargs) ? STR("{}") : i->row.next_kwargs);
        json_key(w, "start_date");
        api_add_time(w, i->row.start_us);
    }
    json_close_object(w);
}

/* Results of an earlier try go when the next one begins. */
static int clear_results(struct flow_api *api, const struct flow_instance *i, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    const struct xcom_key k = {i->run.dag_id, i->run.run_id, i->row.task_id, STR_NULL, i->row.map_index};
    int rc = db_acquire(api->db, &conn, err);

    return rc < 0 ? rc : store_clear_xcoms(conn, &k, err);
}

static void run_instance(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    struct arena *a = c->request->arena;
    JSON_SCOPED json_t *q = NULL;
    struct flow_instance i;
    struct json_writer w;
    struct err err = {0};
    struct buf body;
    struct str id;
    int64_t start = clock_wall_us();

    if (!is_own(c, &id) || !api_body(c, &q))
        return;
    struct str date = json_opt_str(q, "start_date", STR_NULL);
    if (!str_is_null(date) && clock_parse_rfc3339(date, &start, &err) < 0) {
        api_fail_err(c, &err);
        return;
    }
    int rc = flow_instance_run(api->flow, a, id, json_opt_str(q, "hostname", STR("")),
                               json_opt_str(q, "unixname", STR("")), json_opt_i64(q, "pid", 0), start, &i, &err);
    if (rc == ERR_NOT_FOUND) {
        refuse_missing_instance(c);
        return;
    }
    if (rc == ERR_CONFLICT) {
        refuse(c, 409, "invalid_state", STR("TI was not in a state where it could be marked as running"),
               "previous_state", str_from_cstr(err.message));
        return;
    }
    if (rc == 0 && str_is_null(i.row.next_method))
        rc = clear_results(api, &i, &err);
    if (rc < 0) {
        api_fail_err(c, &err);
        return;
    }
    buf_init(&body, ANSWER_MAX);
    json_writer_init(&w, &body);
    write_context(&w, &i);
    api_answer(c, 200, &body);
}

static void heartbeat(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    JSON_SCOPED json_t *q = NULL;
    struct err err = {0};
    struct str id;

    if (!is_own(c, &id) || !api_body(c, &q))
        return;
    int rc = flow_instance_heartbeat(api->flow, id, json_opt_str(q, "hostname", STR("")), json_opt_i64(q, "pid", 0),
                                     &err);
    if (rc == ERR_NOT_FOUND)
        refuse_missing_instance(c);
    else if (rc == ERR_CONFLICT)
        refuse(c, 409, "not_running", str_from_cstr(err.message), NULL, STR_NULL);
    else if (rc < 0)
        api_fail_err(c, &err);
    else
        api_answer_empty(c, 204);
}

static bool read_end(struct http_call *c, const json_t *q, struct flow_end *ret)
{
    struct err err = {0};
    struct str end = json_opt_str(q, "end_date", STR_NULL), again = json_opt_str(q, "reschedule_date", STR_NULL);
    int rc = 0;

    *ret = (struct flow_end){.end_us = clock_wall_us(),
                             .reschedule_us = NO_TIME,
                             .rendered_map_index = json_opt_str(q, "rendered_map_index", STR_NULL)};
    if (!task_state_find(json_opt_str(q, "state", STR("")), &ret->state))
        rc = err_set(&err, ERR_INVALID, "state: no such state");
    if (rc == 0 && (ret->state == TASK_DEFERRED || ret->state == TASK_AWAITING_INPUT))
        rc = err_set(&err, ERR_UNSUPPORTED, "deferrable operators are not supported yet: use deferrable=False");
    if (rc == 0 && !str_is_null(end))
        rc = clock_parse_rfc3339(end, &ret->end_us, &err);
    if (rc == 0 && ret->state == TASK_UP_FOR_RESCHEDULE)
        rc = str_is_null(again) ? err_set(&err, ERR_INVALID, "reschedule_date: Field required")
                                : clock_parse_rfc3339(again, &ret->reschedule_us, &err);
    if (rc < 0)
        api_fail(c, err.code == ERR_UNSUPPORTED ? 501 : 422, str_from_cstr(err.message));
    return rc == 0;
}

static void update_state(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    JSON_SCOPED json_t *q = NULL;
    struct flow_end end;
    struct err err = {0};
    struct str id;

    if (!is_own(c, &id) || !api_body(c, &q) || !read_end(c, q, &end))
        return;
    int rc = flow_instance_end(api->flow, id, &end, &err);
    if (rc == ERR_NOT_FOUND)
        refuse_missing_instance(c);
    else if (rc == ERR_CONFLICT)
        refuse(c, 409, "invalid_state", STR("TI was not in the running state so it cannot be updated"),
               "previous_state", str_from_cstr(err.message));
    else if (rc < 0)
        api_fail_err(c, &err);
    else
        api_answer_empty(c, 204);
}

static void skip_downstream(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    struct arena *a = c->request->arena;
    JSON_SCOPED json_t *q = NULL;
    json_t *tasks;
    struct err err = {0};
    struct str id;

    if (!is_own(c, &id) || !api_body(c, &q))
        return;
    if (json_get_array(q, "tasks", &tasks, &err) < 0) {
        api_fail_err(c, &err);
        return;
    }
    size_t n = json_array_size(tasks);
    struct str *names = arena_array(a, struct str, n);
    int *indexes = arena_array(a, int, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(tasks, i);
        names[i] = json_str(json_is_array(one) ? json_array_get(one, 0) : one);
        indexes[i] = json_is_array(one) ? (int)json_integer_value(json_array_get(one, 1)) : -1;
    }
    int rc = flow_skip_downstream(api->flow, id, names, indexes, n, &err);
    if (rc == ERR_NOT_FOUND)
        refuse_missing_instance(c);
    else if (rc < 0)
        api_fail_err(c, &err);
    else
        api_answer_empty(c, 204);
}

static void put_rendered(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    JSON_SCOPED json_t *q = NULL;
    struct err err = {0};
    struct str id;

    if (!is_own(c, &id) || !api_body(c, &q))
        return;
    int rc = flow_set_rendered(api->flow, id, c->body, &err);
    if (rc == ERR_NOT_FOUND)
        refuse_missing_instance(c);
    else if (rc < 0)
        api_fail_err(c, &err);
    else
        message(c, 201, "Rendered task instance fields successfully set");
}

/* ---- questions about instances ---- */

/* What ?task_ids=…&run_ids=…&states=… of a question say; repeated ones are alternatives. */
struct instance_filter {
    const struct http_form *query;
    int64_t map_index;
    bool has_map_index;
};

static bool is_among(const struct http_form *query, const char *name, struct str value)
{
    if (http_form_count(query, name) == 0)
        return true;
    for (size_t i = 0; i < query->n; i++)
        if (str_eq_cstr(query->fields[i].name, name) && str_eq(query->fields[i].value, value))
            return true;
    return false;
}

static bool is_date_among(const struct http_form *query, int64_t logical_us)
{
    int64_t us;

    if (http_form_count(query, "logical_dates") == 0)
        return true;
    for (size_t i = 0; i < query->n; i++)
        if (str_eq_cstr(query->fields[i].name, "logical_dates") &&
            clock_parse_rfc3339(query->fields[i].value, &us, NULL) == 0 && us == logical_us)
            return true;
    return false;
}

static bool matches(const struct instance_filter *f, const struct instance_place *p)
{
    struct str state = str_is_null(p->state) ? STR("null") : p->state;

    return is_among(f->query, "task_ids", p->task_id) && is_among(f->query, "run_ids", p->run_id) &&
           is_among(f->query, "states", state) && is_date_among(f->query, p->logical_us) &&
           (!f->has_map_index || f->map_index == p->map_index);
}

/* Those that the question means, in the arena. False: an error was sent. */
static bool find_places(struct flow_api *api, struct http_call *c, struct instance_place **ret, size_t *ret_n)
{
    struct arena *a = c->request->arena;
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct http_form query;
    struct instance_place *all;
    struct err err = {0};
    size_t n;
    int rc = http_form_parse(a, c->request->raw_query, &query, &err);

    if (rc == 0 && http_form_count(&query, "task_group_id")) {
        api_fail(c, 501, STR("asking by task_group_id is not supported yet"));
        return false;
    }
    struct instance_filter f = {.query = &query};
    struct str index = rc == 0 ? http_form_get(&query, "map_index") : STR_NULL;
    f.has_map_index = !str_is_empty(index);
    if (rc == 0 && f.has_map_index)
        rc = str_to_i64(index, &f.map_index, &err);
    if (rc == 0)
        rc = db_acquire(api->db, &conn, &err);
    if (rc == 0)
        rc = store_list_places(conn, a, http_form_get(&query, "dag_id"),
                               http_form_count(&query, "run_ids") == 1 ? http_form_get(&query, "run_ids") : STR_NULL,
                               &all, &n, &err);
    if (rc < 0) {
        api_fail_err(c, &err);
        return false;
    }
    *ret = all;
    *ret_n = 0;
    for (size_t i = 0; i < n; i++)
        if (matches(&f, &all[i]))
            all[(*ret_n)++] = all[i];
    return true;
}

static void count_instances(void *ctx, struct http_call *c)
{
    struct instance_place *places;
    struct buf body;
    size_t n;

    if (!find_places(ctx, c, &places, &n))
        return;
    buf_init(&body, 64);
    buf_add_u64(&body, n);
    api_answer(c, 200, &body);
}

/* {"task_states": {run: {task or task_mapindex: state}}} */
static void list_states(void *ctx, struct http_call *c)
{
    struct instance_place *places;
    struct json_writer w;
    struct buf body;
    size_t n;

    if (!find_places(ctx, c, &places, &n))
        return;
    buf_init(&body, ANSWER_MAX);
    json_writer_init(&w, &body);
    json_open_object(&w);
    json_key(&w, "task_states");
    json_open_object(&w);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !str_eq(places[i].run_id, places[i - 1].run_id)) {
            if (i)
                json_close_object(&w);
            json_key_str(&w, places[i].run_id);
            json_open_object(&w);
        }
        json_key_str(&w, places[i].map_index < 0 ? places[i].task_id
                                                 : arena_printf(c->request->arena, "%.*s_%d",
                                                                STR_ARG(places[i].task_id), places[i].map_index));
        json_add_str(&w, places[i].state);
    }
    if (n)
        json_close_object(&w);
    json_close_object(&w);
    json_close_object(&w);
    api_answer(c, 200, &body);
}

static void first_start(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    struct flow_instance i;
    struct err err = {0};
    struct json_writer w;
    struct buf body;
    struct str id;

    if (!is_own(c, &id))
        return;
    if (flow_find_instance(api->flow, c->request->arena, id, &i, &err) < 0) {
        refuse_missing_instance(c);
        return;
    }
    buf_init(&body, 256);
    json_writer_init(&w, &body);
    api_add_time(&w, i.reschedules ? i.row.first_start_us : NO_TIME);
    api_answer(c, 200, &body);
}

/* ---- results ---- */

static bool read_number(struct http_call *c, const char *name, int64_t fallback, int64_t *ret)
{
    struct str text = http_query(c->request, name);
    struct err err = {0};

    *ret = fallback;
    if (str_is_empty(text) || str_to_i64(text, ret, &err) == 0)
        return true;
    api_fail(c, 422, arena_printf(c->request->arena, "%s: not a number", name));
    return false;
}

static void read_key(struct http_call *c, int64_t map_index, struct xcom_key *ret)
{
    *ret = (struct xcom_key){http_call_param(c, "dag"), http_call_param(c, "run"), http_call_param(c, "task"),
                             http_call_param(c, "key"), (int)map_index};
}

static void answer_value(struct http_call *c, struct str key, struct str value)
{
    struct json_writer w;
    struct buf body;

    buf_init(&body, ANSWER_MAX);
    json_writer_init(&w, &body);
    json_open_object(&w);
    json_key(&w, "key");
    json_add_str(&w, key);
    json_key(&w, "value");
    json_add_raw(&w, value);
    json_close_object(&w);
    api_answer(c, 200, &body);
}

static void refuse_missing_result(struct http_call *c, const struct xcom_key *k)
{
    refuse(c, 404, "not_found",
           arena_printf(c->request->arena,
                        "XCom with key='%.*s' map_index=%d not found for task '%.*s' in DAG run '%.*s' of '%.*s'",
                        STR_ARG(k->key), k->map_index, STR_ARG(k->task_id), STR_ARG(k->run_id), STR_ARG(k->dag_id)),
           NULL, STR_NULL);
}

static void get_result(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    struct arena *a = c->request->arena;
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct xcom_key k;
    struct err err = {0};
    struct str value = STR_NULL, *all;
    int64_t map_index, offset;
    size_t n;

    if (!read_number(c, "map_index", -1, &map_index) || !read_number(c, "offset", INT64_MIN, &offset))
        return;
    read_key(c, map_index, &k);
    int rc = db_acquire(api->db, &conn, &err);
    if (rc == 0 && offset == INT64_MIN)
        rc = store_get_xcom(conn, a, &k, &value, &err);
    else if (rc == 0 && (rc = store_list_xcoms(conn, a, &k, &all, &n, &err)) == 0 && offset < (int64_t)n &&
             offset >= -(int64_t)n)
        value = all[offset >= 0 ? offset : offset + (int64_t)n];
    if (rc < 0)
        api_fail_err(c, &err);
    else if (str_is_null(value))
        refuse_missing_result(c, &k);
    else
        answer_value(c, k.key, value);
}

static void get_item(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    struct arena *a = c->request->arena;
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct xcom_key k;
    struct err err = {0};
    struct str *all;
    int64_t offset;
    size_t n = 0;
    struct buf body;

    read_key(c, -1, &k);
    if (str_to_i64(http_call_param(c, "offset"), &offset, &err) < 0) {
        api_fail_err(c, &err);
        return;
    }
    int rc = db_acquire(api->db, &conn, &err);
    if (rc == 0)
        rc = store_list_xcoms(conn, a, &k, &all, &n, &err);
    if (rc < 0) {
        api_fail_err(c, &err);
    } else if (offset >= (int64_t)n || offset < -(int64_t)n) {
        refuse_missing_result(c, &k);
    } else {
        buf_init(&body, ANSWER_MAX);
        buf_add_str(&body, all[offset >= 0 ? offset : offset + (int64_t)n]);
        api_answer(c, 200, &body);
    }
}

/* Python's slice of the list. */
static void get_slice(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    struct arena *a = c->request->arena;
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct xcom_key k;
    struct err err = {0};
    struct str *all;
    int64_t start, stop, step;
    size_t n = 0;
    struct json_writer w;
    struct buf body;

    if (!read_number(c, "step", 1, &step))
        return;
    step = step == 0 ? 1 : step;
    read_key(c, -1, &k);
    int rc = db_acquire(api->db, &conn, &err);
    if (rc == 0)
        rc = store_list_xcoms(conn, a, &k, &all, &n, &err);
    if (rc < 0) {
        api_fail_err(c, &err);
        return;
    }
    int64_t count = (int64_t)n;
    if (!read_number(c, "start", step > 0 ? 0 : count - 1, &start) ||
        !read_number(c, "stop", step > 0 ? count : -count - 1, &stop))
        return;
    start = start < 0 ? start + count : start;
    stop = stop < 0 ? stop + count : stop;
    if (step > 0) {
        start = start < 0 ? 0 : start;
        stop = stop > count ? count : stop;
    } else {
        start = start >= count ? count - 1 : start;
        stop = stop < -1 ? -1 : stop;
    }
    buf_init(&body, ANSWER_MAX);
    json_writer_init(&w, &body);
    json_open_array(&w);
    for (int64_t i = start; step > 0 ? i < stop : i > stop && i >= 0; i += step)
        json_add_raw(&w, all[i]);
    json_close_array(&w);
    api_answer(c, 200, &body);
}

static void head_results(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct xcom_key k;
    struct err err = {0};
    struct str *all;
    size_t n = 0;

    read_key(c, -1, &k);
    int rc = db_acquire(api->db, &conn, &err);
    if (rc == 0)
        rc = store_list_xcoms(conn, c->request->arena, &k, &all, &n, &err);
    if (rc < 0) {
        api_fail_err(c, &err);
        return;
    }
    struct http_response *p = http_response_new(c->request, 200);
    http_response_addf(c->request, p, "Content-Range", "map_indexes %zu", n);
    http_respond_empty(c->request, p);
}

static void set_result(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    JSON_SCOPED json_t *value = NULL;
    struct xcom_key k;
    struct err err = {0};
    int64_t map_index, length;

    if (!read_number(c, "map_index", -1, &map_index) || !read_number(c, "mapped_length", LENGTH_UNKNOWN, &length))
        return;
    read_key(c, map_index, &k);
    if (length > MAP_LENGTH_MAX) {
        refuse(c, 400, "unmappable_return_value_length",
               arena_printf(c->request->arena, "pushed value is too large to map as a downstream's dependency"), NULL,
               STR_NULL);
        return;
    }
    int rc = json_parse(c->body, &value, &err);
    if (rc == 0)
        rc = db_acquire(api->db, &conn, &err);
    if (rc == 0)
        rc = db_begin(conn, &err);
    if (rc == 0)
        rc = store_set_xcom(conn, &k, c->body, (int)length, clock_wall_us(), &err);
    if (rc == 0)
        rc = db_commit(conn, &err);
    if (rc < 0)
        api_fail_err(c, &err);
    else
        message(c, 201, "XCom successfully set");
}

static void delete_result(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct xcom_key k;
    struct err err = {0};
    int64_t map_index;

    if (!read_number(c, "map_index", -1, &map_index))
        return;
    read_key(c, map_index, &k);
    int rc = db_acquire(api->db, &conn, &err);
    if (rc == 0)
        rc = store_delete_xcom(conn, &k, &err);
    if (rc < 0)
        api_fail_err(c, &err);
    else
        message(c, 200, "XCom successfully deleted");
}

/* ---- variables, connections ---- */

static void get_variable(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    struct arena *a = c->request->arena;
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct str key = http_call_param(c, "key"), value = STR_NULL;
    struct err err = {0};
    struct json_writer w;
    struct buf body;
    int rc = db_acquire(api->db, &conn, &err);

    if (rc == 0)
        rc = store_get_variable(conn, a, key, &value, &err);
    if (rc < 0) {
        api_fail_err(c, &err);
        return;
    }
    if (str_is_null(value)) {
        refuse(c, 404, "not_found", arena_printf(a, "Variable with key '%.*s' not found", STR_ARG(key)), NULL,
               STR_NULL);
        return;
    }
    buf_init(&body, ANSWER_MAX);
    json_writer_init(&w, &body);
    json_open_object(&w);
    json_key(&w, "key");
    json_add_str(&w, key);
    json_key(&w, "value");
    json_add_str(&w, value);
    json_close_object(&w);
    api_answer(c, 200, &body);
}

static void put_variable(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    JSON_SCOPED json_t *q = NULL;
    struct err err = {0};

    if (!api_body(c, &q))
        return;
    int rc = db_acquire(api->db, &conn, &err);
    if (rc == 0)
        rc = db_begin(conn, &err);
    if (rc == 0)
        rc = store_set_variable(conn, http_call_param(c, "key"), json_opt_str(q, "val", STR("")),
                                json_opt_str(q, "description", STR_NULL), &err);
    if (rc == 0)
        rc = db_commit(conn, &err);
    if (rc < 0)
        api_fail_err(c, &err);
    else
        message(c, 201, "Variable successfully set");
}

static void delete_variable(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct err err = {0};
    bool was_there;
    int rc = db_acquire(api->db, &conn, &err);

    if (rc == 0)
        rc = store_delete_variable(conn, http_call_param(c, "key"), &was_there, &err);
    if (rc < 0)
        api_fail_err(c, &err);
    else
        api_answer_empty(c, 204);
}

static void get_connection(void *ctx, struct http_call *c)
{
    struct flow_api *api = ctx;
    struct arena *a = c->request->arena;
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    struct str id = http_call_param(c, "id");
    struct connection_row row;
    struct err err = {0};
    bool found = false;
    int rc = db_acquire(api->db, &conn, &err);

    if (rc == 0)
        rc = store_get_connection(conn, a, id, &row, &found, &err);
    if (rc < 0) {
        api_fail_err(c, &err);
        return;
    }
    if (!found) {
        refuse(c, 404, "not_found", arena_printf(a, "Connection with ID %.*s not found", STR_ARG(id)), NULL, STR_NULL);
        return;
    }
    const struct {
        const char *key;
        struct str value;
    } texts[] = {{"conn_id", row.id},  {"conn_type", row.type},    {"host", row.host},  {"schema", row.schema},
                 {"login", row.login}, {"password", row.password}, {"extra", row.extra}};
    struct json_writer w;
    struct buf body;
    buf_init(&body, ANSWER_MAX);
    json_writer_init(&w, &body);
    json_open_object(&w);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        json_key(&w, texts[i].key);
        json_add_str(&w, texts[i].value);
    }
    json_key(&w, "port");
    if (row.port)
        json_add_i64(&w, row.port);
    else
        json_add_null(&w);
    json_close_object(&w);
    api_answer(c, 200, &body);
}

/* ---- routes ---- */

#define INSTANCE "/execution/task-instances/{id}"
#define XCOM "/execution/xcoms/{dag}/{run}/{task}"

const struct http_route execution_routes[] = {
    {"PATCH", INSTANCE "/run", run_instance, FLOW_ROUTE_TASK, 0},
    {"PATCH", INSTANCE "/state", update_state, FLOW_ROUTE_TASK, BODY_MAX},
    {"PATCH", INSTANCE "/skip-downstream", skip_downstream, FLOW_ROUTE_TASK, BODY_MAX},
    {"PUT", INSTANCE "/heartbeat", heartbeat, FLOW_ROUTE_TASK, 0},
    {"PUT", INSTANCE "/rtif", put_rendered, FLOW_ROUTE_TASK, BODY_MAX},
    {"GET", "/execution/task-instances/count", count_instances, FLOW_ROUTE_TASK, 0},
    {"GET", "/execution/task-instances/states", list_states, FLOW_ROUTE_TASK, 0},
    {"GET", "/execution/task-reschedules/{id}/start_date", first_start, FLOW_ROUTE_TASK, 0},
    {"GET", XCOM "/{key}/slice", get_slice, FLOW_ROUTE_TASK, 0},
    {"GET", XCOM "/{key}/item/{offset}", get_item, FLOW_ROUTE_TASK, 0},
    {"HEAD", XCOM "/{key...}", head_results, FLOW_ROUTE_TASK, 0},
    {"GET", XCOM "/{key...}", get_result, FLOW_ROUTE_TASK, 0},
    {"POST", XCOM "/{key...}", set_result, FLOW_ROUTE_TASK, BODY_MAX},
    {"DELETE", XCOM "/{key...}", delete_result, FLOW_ROUTE_TASK, 0},
    {"GET", "/execution/variables/{key...}", get_variable, FLOW_ROUTE_TASK, 0},
    {"PUT", "/execution/variables/{key...}", put_variable, FLOW_ROUTE_TASK, BODY_MAX},
    {"DELETE", "/execution/variables/{key...}", delete_variable, FLOW_ROUTE_TASK, 0},
    {"GET", "/execution/connections/{id}", get_connection, FLOW_ROUTE_TASK, 0},
};
const size_t execution_route_count = ARRAY_LEN(execution_routes);
