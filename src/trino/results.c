/*
 * The JSON document that each answer of /v1/statement is. Statistics have the members that Trino's clients read; there is
 * one stage, since one engine runs the whole plan.
 */
#include "trino/internal.h"

#include "trino/errors.h"

static const char *const states[] = {
    [QUERY_QUEUED] = "QUEUED",   [QUERY_PLANNING] = "PLANNING",   [QUERY_STARTING] = "STARTING",
    [QUERY_RUNNING] = "RUNNING", [QUERY_FINISHING] = "FINISHING", [QUERY_FINISHED] = "FINISHED",
    [QUERY_FAILED] = "FAILED",
};

static void add_number(struct json_writer *w, const char *key, int64_t v)
{
    json_key(w, key);
    json_add_i64(w, v);
}

static void add_flag(struct json_writer *w, const char *key, bool v)
{
    json_key(w, key);
    json_add_bool(w, v);
}

static void add_splits(struct json_writer *w, const struct query_stats *s)
{
    add_number(w, "totalSplits", s->total_splits);
    add_number(w, "queuedSplits", s->queued_splits);
    add_number(w, "runningSplits", s->running_splits);
    add_number(w, "completedSplits", s->completed_splits);
}

static void write_stage(struct json_writer *w, const struct results *v)
{
    const struct query_stats *s = &v->stats;
    bool done = s->state >= QUERY_FINISHED;

    json_key(w, "rootStage");
    json_open_object(w);
    json_key(w, "stageId");
    json_add_cstr(w, "0");
    json_key(w, "state");
    json_add_cstr(w, s->state == QUERY_FINISHED                    ? "FINISHED"
                     : s->state != QUERY_FAILED                    ? "RUNNING"
                     : v->error && v->error->code == ERR_CANCELLED ? "ABORTED"
                                                                   : "FAILED");
    add_flag(w, "done", done);
    add_number(w, "nodes", 1);
    add_splits(w, s);
    add_number(w, "cpuTimeMillis", s->cpu_us / 1000);
    add_number(w, "wallTimeMillis", s->elapsed_us / 1000);
    add_number(w, "processedRows", (int64_t)s->processed_rows);
    add_number(w, "processedBytes", (int64_t)s->processed_bytes);
    add_number(w, "physicalInputBytes", (int64_t)s->physical_input_bytes);
    add_number(w, "failedTasks", s->state == QUERY_FAILED ? 1 : 0);
    add_flag(w, "coordinatorOnly", false);
    json_key(w, "subStages");
    json_open_array(w);
    json_close_array(w);
    json_close_object(w);
}

static void write_stats(struct json_writer *w, const struct results *v)
{
    const struct query_stats *s = &v->stats;
    bool has_stage = v->has_stage && s->state >= QUERY_STARTING;

    json_open_object(w);
    json_key(w, "state");
    json_add_cstr(w, states[s->state]);
    add_flag(w, "queued", s->state == QUERY_QUEUED);
    add_flag(w, "scheduled", has_stage);
    if (has_stage && s->total_splits > 0) {
        double progress = s->state == QUERY_FINISHED ? 1
                          : s->progress >= 0         ? s->progress
                                                     : (double)s->completed_splits / s->total_splits;
        json_key(w, "progressPercentage");
        json_add_f64(w, progress * 100);
        json_key(w, "runningPercentage");
        json_add_f64(w, 100.0 * s->running_splits / s->total_splits);
    }
    add_number(w, "nodes", has_stage ? 1 : 0);
    add_splits(w, s);
    add_number(w, "planningTimeMillis", (s->planning_us + s->analysis_us) / 1000);
    add_number(w, "analysisTimeMillis", s->analysis_us / 1000);
    add_number(w, "cpuTimeMillis", s->cpu_us / 1000);
    add_number(w, "wallTimeMillis", (s->elapsed_us - s->queued_us) / 1000);
    add_number(w, "queuedTimeMillis", s->queued_us / 1000);
    add_number(w, "elapsedTimeMillis", s->elapsed_us / 1000);
    add_number(w, "finishingTimeMillis", 0);
    add_number(w, "physicalInputTimeMillis", 0);
    add_number(w, "processedRows", (int64_t)s->processed_rows);
    add_number(w, "processedBytes", (int64_t)s->processed_bytes);
    add_number(w, "physicalInputBytes", (int64_t)s->physical_input_bytes);
    add_number(w, "physicalWrittenBytes", (int64_t)s->written_bytes);
    add_number(w, "internalNetworkInputBytes", 0);
    add_number(w, "peakMemoryBytes", (int64_t)s->peak_memory);
    add_number(w, "spilledBytes", (int64_t)s->spilled_bytes);
    if (has_stage)
        write_stage(w, v);
    json_close_object(w);
}

void results_write(struct buf *to, const struct results *v)
{
    struct json_writer w;

    json_writer_init(&w, to);
    json_open_object(&w);
    json_key(&w, "id");
    json_add_str(&w, v->id);
    json_key(&w, "infoUri");
    buf_add_char(to, '"'); /* ids and hosts need no escapes: base_uri checks */
    buf_add_str(to, v->base_uri);
    buf_add_cstr(to, "/ui/query.html?");
    buf_add_str(to, v->id);
    buf_add_char(to, '"');
    w.need_comma[w.depth] = true;
    if (!str_is_null(v->next_uri)) {
        json_key(&w, "nextUri");
        json_add_str(&w, v->next_uri);
    }
    if (!str_is_null(v->columns)) {
        json_key(&w, "columns");
        json_add_raw(&w, v->columns);
    }
    if (!str_is_null(v->data)) {
        json_key(&w, "data");
        json_open_array(&w);
        json_add_raw(&w, v->data);
        json_close_array(&w);
    }
    json_key(&w, "stats");
    write_stats(&w, v);
    if (v->error) {
        json_key(&w, "error");
        trino_error_write(&w, v->error);
    }
    json_key(&w, "warnings");
    json_open_array(&w);
    json_close_array(&w);
    if (v->update_type) {
        json_key(&w, "updateType");
        json_add_cstr(&w, v->update_type);
    }
    if (v->update_count >= 0)
        add_number(&w, "updateCount", v->update_count);
    json_close_object(&w);
}
