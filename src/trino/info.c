/*
 * What the server tells about itself and its queries. Queries have the members that lists and dashboards read; plans and
 * operators of Trino's full QueryInfo don't exist here.
 */
#include "trino/internal.h"

#include "base/clock.h"
#include "trino/errors.h"

#include <unistd.h>

enum { BODY_MAX = 64 << 20 };

/* airlift's Duration: the largest unit in which it is at least one, two decimals. */
static void format_duration(double us, char *out, size_t n)
{
    static const struct {
        const char *unit;
        double us;
    } units[] = {{"d", 86400e6}, {"h", 3600e6}, {"m", 60e6}, {"s", 1e6}, {"ms", 1e3}, {"us", 1}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (us >= units[i].us) {
            snprintf(out, n, "%.2f%s", us / units[i].us, units[i].unit);
            return;
        }
    snprintf(out, n, "0.00ns");
}

static void add_duration(struct json_writer *w, const char *key, int64_t us)
{
    char text[32];

    format_duration((double)us, text, sizeof(text));
    json_key(w, key);
    json_add_cstr(w, text);
}

static void add_time(struct json_writer *w, const char *key, int64_t wall_us)
{
    char text[CLOCK_TEXT_SIZE];

    if (wall_us == 0)
        return;
    clock_format_rfc3339_ms(wall_us / 1000, text);
    json_key(w, key);
    json_add_cstr(w, text);
}

static void add_size(struct json_writer *w, const char *key, uint64_t bytes)
{
    char text[32];

    snprintf(text, sizeof(text), "%lluB", (unsigned long long)bytes);
    json_key(w, key);
    json_add_cstr(w, text);
}

static void add_number(struct json_writer *w, const char *key, int64_t v)
{
    json_key(w, key);
    json_add_i64(w, v);
}

static void add_text(struct json_writer *w, const char *key, struct str v)
{
    if (str_is_null(v))
        return;
    json_key(w, key);
    json_add_str(w, v);
}

static void add_empty_list(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_open_array(w);
    json_close_array(w);
}

static void add_version(struct json_writer *w)
{
    json_key(w, "nodeVersion");
    json_open_object(w);
    json_key(w, "version");
    json_add_cstr(w, TRINO_RELEASE);
    json_close_object(w);
}

/* ---- the server ---- */

static void write_info(struct trino_server *s, struct json_writer *w)
{
    json_open_object(w);
    add_version(w);
    json_key(w, "environment");
    json_add_cstr(w, s->environment);
    json_key(w, "coordinator");
    json_add_bool(w, true);
    json_key(w, "starting");
    json_add_bool(w, false);
    add_duration(w, "uptime", clock_mono_us() - s->started_us);
    json_close_object(w);
}

static void write_status(struct trino_server *s, struct json_writer *w)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct engine_memory memory = {0};
    static const char *const empty[] = {"queryMemoryReservations", "queryMemoryAllocations",
                                        "queryMemoryRevocableReservations", "taskMemoryReservations",
                                        "taskMemoryRevocableReservations"};

    if (s->engine)
        engine_memory(s->engine, &memory);
    json_open_object(w);
    json_key(w, "nodeId");
    json_add_cstr(w, s->node_id);
    add_version(w);
    json_key(w, "environment");
    json_add_cstr(w, s->environment);
    json_key(w, "coordinator");
    json_add_bool(w, true);
    add_duration(w, "uptime", clock_mono_us() - s->started_us);
    json_key(w, "externalAddress");
    json_add_cstr(w, "localhost");
    json_key(w, "internalAddress");
    json_add_cstr(w, "localhost");
    json_key(w, "memoryInfo");
    json_open_object(w);
    add_number(w, "availableProcessors", processors);
    json_key(w, "pool");
    json_open_object(w);
    add_number(w, "maxBytes", (int64_t)s->memory_limit);
    add_number(w, "reservedBytes", (int64_t)memory.used);
    add_number(w, "reservedRevocableBytes", 0);
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        json_key(w, empty[i]);
        json_open_object(w);
        json_close_object(w);
    }
    add_number(w, "freeBytes", s->memory_limit > memory.used ? (int64_t)(s->memory_limit - memory.used) : 0);
    json_close_object(w);
    json_close_object(w);
    add_number(w, "processors", processors);
    json_close_object(w);
}

/* ---- queries ---- */

static const char *const states[] = {
    [QUERY_QUEUED] = "QUEUED",   [QUERY_PLANNING] = "PLANNING",   [QUERY_STARTING] = "STARTING",
    [QUERY_RUNNING] = "RUNNING", [QUERY_FINISHING] = "FINISHING", [QUERY_FINISHED] = "FINISHED",
    [QUERY_FAILED] = "FAILED",
};

static void write_session(struct json_writer *w, const struct query_info *q)
{
    json_key(w, "session");
    json_open_object(w);
    add_text(w, "queryId", q->id);
    add_text(w, "user", q->user);
    add_text(w, "originalUser", str_is_null(q->original_user) ? q->user : q->original_user);
    add_text(w, "principal", str_is_null(q->principal) ? q->user : q->principal);
    add_text(w, "source", q->source);
    add_text(w, "catalog", q->catalog);
    add_text(w, "schema", q->schema);
    add_time(w, "start", q->stats.created_us);
    json_key(w, "protocolName");
    json_add_cstr(w, "Trino");
    json_close_object(w);
}

static void write_query_stats(struct json_writer *w, const struct query_info *q)
{
    const struct query_stats *s = &q->stats;

    json_key(w, "queryStats");
    json_open_object(w);
    add_time(w, "createTime", s->created_us);
    add_time(w, "endTime", q->ended_us);
    add_duration(w, "queuedTime", s->queued_us);
    add_duration(w, "elapsedTime", s->elapsed_us);
    add_duration(w, "executionTime", s->elapsed_us - s->queued_us);
    add_duration(w, "analysisTime", s->analysis_us);
    add_duration(w, "planningTime", s->analysis_us + s->planning_us);
    add_duration(w, "totalCpuTime", s->cpu_us);
    add_number(w, "failedTasks", s->state == QUERY_FAILED);
    add_number(w, "totalDrivers", s->total_splits);
    add_number(w, "queuedDrivers", s->queued_splits);
    add_number(w, "runningDrivers", s->running_splits);
    add_number(w, "completedDrivers", s->completed_splits);
    add_number(w, "blockedDrivers", 0);
    add_size(w, "rawInputDataSize", s->processed_bytes);
    add_number(w, "rawInputPositions", (int64_t)s->processed_rows);
    add_size(w, "physicalInputDataSize", s->physical_input_bytes);
    add_size(w, "physicalWrittenDataSize", s->written_bytes);
    add_size(w, "spilledDataSize", s->spilled_bytes);
    add_size(w, "peakUserMemoryReservation", s->peak_memory);
    add_size(w, "peakTotalMemoryReservation", s->peak_memory);
    add_number(w, "outputPositions", (int64_t)s->output_rows);
    json_key(w, "fullyBlocked");
    json_add_bool(w, false);
    add_empty_list(w, "blockedReasons");
    if (s->progress >= 0) {
        json_key(w, "progressPercentage");
        json_add_f64(w, s->progress * 100);
    }
    json_close_object(w);
}

static void write_query(struct json_writer *w, const struct query_info *q, struct str base, bool is_list)
{
    json_open_object(w);
    add_text(w, "queryId", q->id);
    write_session(w, q);
    json_key(w, "resourceGroupId");
    json_open_array(w);
    json_add_cstr(w, "global");
    json_close_array(w);
    json_key(w, "state");
    json_add_cstr(w, states[q->stats.state]);
    json_key(w, "scheduled");
    json_add_bool(w, q->stats.state >= QUERY_STARTING);
    json_key(w, "self");
    BUF_SCOPED struct buf self;
    buf_init(&self, 1024);
    buf_addf(&self, "%.*s/v1/query/%.*s", STR_ARG(base), STR_ARG(q->id));
    json_add_str(w, buf_str(&self));
    add_text(w, "query", q->text);
    write_query_stats(w, q);
    if (q->error.code) {
        const struct trino_error *e = trino_error_find(&q->error);
        json_key(w, "errorType");
        json_add_cstr(w, e->type);
        json_key(w, "errorCode");
        json_open_object(w);
        add_number(w, "code", e->code);
        json_key(w, "name");
        json_add_cstr(w, e->name);
        json_key(w, "type");
        json_add_cstr(w, e->type);
        json_close_object(w);
        if (!is_list) {
            json_key(w, "failureInfo");
            trino_error_write(w, &q->error);
        }
    }
    json_key(w, "retryPolicy");
    json_add_cstr(w, "NONE");
    json_close_object(w);
}

static void list_queries(struct trino_server *s, const struct access *access, struct http_request *r,
                         struct json_writer *w)
{
    struct query_info *all;
    size_t n = queries_list(s->queries, r->arena, &all);
    struct str state = http_query(r, "state"), base = base_uri(r);

    json_open_array(w);
    for (size_t i = 0; i < n; i++)
        if ((str_is_null(state) || str_eq_nocase(state, str_from_cstr(states[all[i].stats.state]))) &&
            access_check_view_query(access, all[i].user, NULL) == 0)
            write_query(w, &all[i], base, true);
    json_close_array(w);
}

/* False when an answer without a body was sent. */
static bool handle_query(struct trino_server *s, const struct access *access, struct http_request *r, struct str id,
                         struct json_writer *w)
{
    struct query_info q;
    struct err err = {0};
    bool kill = str_eq(r->method, STR("DELETE"));

    if (!kill && !str_eq(r->method, STR("GET"))) {
        respond_method_not_allowed(r, "HEAD,GET,DELETE,OPTIONS");
        return false;
    }
    bool found = queries_get(s->queries, r->arena, id, &q);
    if (found &&
        (kill ? access_check_kill_query(access, q.user, &err) : access_check_view_query(access, q.user, &err))) {
        respond_error(r, 403, "%s", err.message);
        return false;
    }
    if (kill) {
        statement_cancel(s, id, NULL);
        http_respond_empty(r, http_response_new(r, 204));
        return false;
    }
    if (!found) {
        respond_error(r, 410, "HTTP 410 Gone");
        return false;
    }
    write_query(w, &q, base_uri(r), false);
    return true;
}

/* Who asks about queries, and whether it may be who it says. False: the answer was sent. */
static bool open_access(struct trino_server *s, struct http_request *r, struct access **ret)
{
    struct session session = {0};
    struct err err = {0};

    if (!session_authenticate(s, r, &session))
        return false;
    if (session_open_access(s->access, &session, ret, &err) < 0) {
        respond_error(r, err.code == ERR_DENIED ? 403 : 503, "%s", err.message);
        return false;
    }
    return true;
}

static void redirect(struct http_request *r, struct str to)
{
    struct http_response *p = http_response_new(r, 303);

    http_response_add(r, p, "Location", to);
    http_response_add(r, p, "Vary", STR("Accept-Encoding"));
    http_respond_empty(r, p);
}

/* ---- routes ---- */

static bool is_read(const struct http_request *r)
{
    return str_eq(r->method, STR("GET")) || str_eq(r->method, STR("HEAD"));
}

static bool is_public(struct str path)
{
    return str_starts_with(path, STR("/v1/info")) || str_eq(path, STR("/v1/status"));
}

bool info_handle(struct trino_server *s, struct http_request *r)
{
    const struct str one = STR("/v1/query/"), page = STR("/ui/query.html");
    struct access *access = NULL;
    struct json_writer w;
    struct buf body;
    bool send = true;

    if (str_eq(r->path, page) && is_read(r)) { /* "infoUri": what there is to see of a query */
        redirect(r, arena_printf(r->arena, "%.*s/v1/query/%.*s", STR_ARG(base_uri(r)), STR_ARG(r->raw_query)));
        return true;
    }
    bool is_query = str_starts_with(r->path, one);
    if (!is_query && !is_read(r))
        return false;
    if (str_eq(r->path, STR("/v1/info/coordinator"))) {
        http_respond_empty(r, http_response_new(r, 200));
        return true;
    }
    if (!is_public(r->path) && (is_query || str_eq(r->path, STR("/v1/query"))) && !open_access(s, r, &access))
        return true;

    buf_init(&body, BODY_MAX);
    json_writer_init(&w, &body);
    if (str_eq(r->path, STR("/v1/info")))
        write_info(s, &w);
    else if (str_eq(r->path, STR("/v1/info/state")))
        json_add_cstr(&w, "ACTIVE");
    else if (str_eq(r->path, STR("/v1/status")))
        write_status(s, &w);
    else if (str_eq(r->path, STR("/v1/query")))
        list_queries(s, access, r, &w);
    else if (is_query)
        send = handle_query(s, access, r, str_skip(r->path, one.n), &w);
    else {
        buf_release(&body);
        return false;
    }
    access_release(access);
    if (send)
        respond_json(r, http_response_new(r, 200), &body);
    else
        buf_release(&body);
    return true;
}
