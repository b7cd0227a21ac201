/*
 * The limits that a session sets its queries: query_max_run_time and query_max_execution_time, query_max_cpu_time. Trino
 * looks once a second, we ten times. Errors and their words are QueryTracker's and ExceededCpuLimitException's.
 */
#include "query/internal.h"

#include "base/clock.h"

static struct query_limit read_limit(const struct session *s, const char *name)
{
    const struct str *value = map_get(&s->properties, str_from_cstr(name));
    struct query_limit limit = {.us = INT64_MAX};
    size_t n = 0;
    double number;

    /* A malformed one is an error when the query runs (session.c). */
    if (!value || clock_parse_duration(*value, &limit.us, NULL) < 0)
        return (struct query_limit){.us = INT64_MAX};
    while (n < value->n && (value->p[n] == '.' || (value->p[n] >= '0' && value->p[n] <= '9')))
        n++;
    if (str_to_f64(str_slice(*value, 0, n), &number, NULL) == 0) /* airlift's Duration prints "2s" as 2.00s */
        snprintf(limit.text, sizeof(limit.text), "%.2f%.*s", number, STR_ARG(str_trim(str_skip(*value, n))));
    return limit;
}

void query_read_limits(struct query *q)
{
    q->max_run = read_limit(&q->session, "query_max_run_time");
    q->max_execution = read_limit(&q->session, "query_max_execution_time");
    q->max_cpu = read_limit(&q->session, "query_max_cpu_time");
}

bool query_is_over_limit(struct query *q, struct err *ret_why)
{
    int64_t now = clock_mono_us();
    const char *name = "EXCEEDED_TIME_LIMIT";
    bool is_over = true;

    pthread_mutex_lock(&q->lock);
    if (q->is_ended || q->is_cancelled)
        is_over = false;
    else if (q->began_us && now - q->began_us > q->max_execution.us)
        err_set_named(ret_why, ERR_LIMIT, name, "Query exceeded the maximum execution time limit of %s",
                      q->max_execution.text);
    else if (now - q->created_mono_us > q->max_run.us)
        err_set_named(ret_why, ERR_LIMIT, name, "Query exceeded maximum time limit of %s", q->max_run.text);
    else if (q->stats.cpu_us > q->max_cpu.us)
        err_set_named(ret_why, ERR_LIMIT, "EXCEEDED_CPU_LIMIT", "Exceeded CPU limit of %s", q->max_cpu.text);
    else
        is_over = false;
    pthread_mutex_unlock(&q->lock);
    return is_over;
}
