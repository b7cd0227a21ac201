/*
 * Session properties as data: names, types, defaults and descriptions are those of Trino 476's SystemSessionProperties.
 * Those that tune Trino's own scheduler are accepted for the clients' sake: here they have nothing to tune.
 */
#include "sql/session.h"
#include "base/clock.h"
#include "base/vec.h"
#include <unistd.h>

#define BOOLEAN(name_, default_, description_)                            \
    {                                                                     \
        name_, "boolean", default_, description_, .format = SESSION_PLAIN \
    }
#define INTEGER(name_, default_, description_)                            \
    {                                                                     \
        name_, "integer", default_, description_, .format = SESSION_PLAIN \
    }
#define DOUBLE(name_, default_, description_)                            \
    {                                                                    \
        name_, "double", default_, description_, .format = SESSION_PLAIN \
    }
#define STRING(name_, default_, description_)                             \
    {                                                                     \
        name_, "varchar", default_, description_, .format = SESSION_PLAIN \
    }
#define DURATION(name_, default_, description_)                              \
    {                                                                        \
        name_, "varchar", default_, description_, .format = SESSION_DURATION \
    }
#define DATA_SIZE(name_, default_, description_)                              \
    {                                                                         \
        name_, "varchar", default_, description_, .format = SESSION_DATA_SIZE \
    }
#define CHOICE(name_, default_, description_, choices_)                                         \
    {                                                                                           \
        name_, "varchar", default_, description_, .format = SESSION_CHOICE, .choices = choices_ \
    }

#define HIDDEN(property_, type_, default_, description_, format_, choices_)                              \
    {                                                                                                    \
        property_, type_, default_, description_, .format = format_, .choices = choices_, .hidden = true \
    }

const struct session_property session_properties[] = {
    HIDDEN("allow_pushdown_into_connectors", "boolean", "true", "Allow pushdown into connectors", SESSION_PLAIN, NULL),
    BOOLEAN("colocated_join", "true", "Use a colocated join when possible"),
    BOOLEAN("dictionary_aggregation", "false", "Enable optimization for aggregations on dictionaries"),
    BOOLEAN("distributed_sort", "true", "Parallelize sort across multiple nodes"),
    BOOLEAN("enable_dynamic_filtering", "true", "Enable dynamic filtering"),
    BOOLEAN("enable_intermediate_aggregations", "false", "Enable the use of intermediate aggregations"),
    BOOLEAN("enable_large_dynamic_filters", "false", "Enable collection of large dynamic filters"),
    BOOLEAN("enable_stats_calculator", "true", "Enable statistics calculator"),
    CHOICE("exchange_compression_codec", "NONE",
           "Compression codec used for data in exchanges, supports NONE, LZ4, ZSTD", "NONE, LZ4, ZSTD"),
    BOOLEAN("filtering_semi_join_to_inner", "true", "Rewrite semi join in filtering context to inner join"),
    BOOLEAN("hide_inaccessible_columns", "false",
            "When enabled non-accessible columns are silently filtered from results from SELECT * statements"),
    INTEGER("initial_splits_per_node", "2", "The number of splits each node will run per task, initially"),
    DURATION("iterative_optimizer_timeout", "3.00m", "Timeout for plan optimization in iterative optimizer"),
    CHOICE("join_distribution_type", "AUTOMATIC", "Join distribution type", "BROADCAST, PARTITIONED, AUTOMATIC"),
    DATA_SIZE("join_max_broadcast_table_size", "100MB",
              "Maximum estimated size of a table that can be broadcast when using automatic join type selection"),
    CHOICE("join_reordering_strategy", "AUTOMATIC", "Join reordering strategy",
           "NONE, ELIMINATE_CROSS_JOINS, AUTOMATIC"),
    INTEGER("max_hash_partition_count", "100", "Maximum number of partitions for distributed joins and aggregations"),
    INTEGER("max_recursion_depth", "10", "Maximum recursion depth for recursive common table expression"),
    INTEGER("max_reordered_joins", "8",
            "The maximum number of joins to reorder as one group in cost-based join reordering"),
    INTEGER("max_writer_task_count", "100", "Maximum number of tasks that will participate in writing data"),
    INTEGER("min_hash_partition_count", "4", "Minimum number of partitions for distributed joins and aggregations"),
    BOOLEAN("omit_datetime_type_precision", "false",
            "Omit precision when rendering datetime type names with default precision"),
    BOOLEAN("optimize_duplicate_insensitive_joins", "true", "Optimize duplicate insensitive joins"),
    BOOLEAN("optimize_metadata_queries", "false", "Enable optimization for metadata queries"),
    BOOLEAN("optimize_top_n_ranking", "true", "Use top N ranking optimization"),
    BOOLEAN("prefer_partial_aggregation", "true", "Prefer splitting aggregations into partial and final stages"),
    BOOLEAN("prefer_streaming_operators", "false", "Prefer source table layouts that produce streaming operators"),
    BOOLEAN("push_aggregation_through_outer_join", "true", "Allow pushing aggregations below joins"),
    DURATION("query_max_cpu_time", "1000000000.00d", "Maximum CPU time of a query"),
    DURATION("query_max_execution_time", "100.00d", "Maximum execution time of a query"),
    HIDDEN("query_max_memory", "varchar", "20GB", "Maximum amount of distributed memory a query can use",
           SESSION_DATA_SIZE, NULL),
    HIDDEN("query_max_memory_per_node", "varchar", NULL, "Maximum amount of memory a query can use per node",
           SESSION_DATA_SIZE, NULL),
    DURATION("query_max_planning_time", "10.00m", "Maximum planning time of a query"),
    DURATION("query_max_run_time", "100.00d", "Maximum run time of a query (includes the queueing time)"),
    DATA_SIZE("query_max_scan_physical_bytes", NULL, "Maximum scan physical bytes of a query"),
    HIDDEN("query_max_total_memory", "varchar", "40GB", "Maximum amount of distributed total memory a query can use",
           SESSION_DATA_SIZE, NULL),
    INTEGER("query_priority", "1", "The priority of queries. Larger numbers are higher priority"),
    INTEGER("query_retry_attempts", "4", "Maximum number of query retry attempts"),
    BOOLEAN("redistribute_writes", "true", "Force parallel distributed writes"),
    INTEGER("required_workers_count", "1",
            "Minimum number of active workers that must be available before the query will start"),
    DURATION("required_workers_max_wait_time", "5.00m",
             "Maximum time to wait for minimum number of workers before the query is failed"),
    BOOLEAN("resource_overcommit", "false", "Use resources which are not guaranteed to be available to the query"),
    HIDDEN("retry_policy", "varchar", "NONE", "Retry policy", SESSION_CHOICE, "TASK, QUERY, NONE"),
    BOOLEAN("scale_writers", "true", "Scale out writers based on throughput (use minimum necessary)"),
    BOOLEAN("skip_redundant_sort", "true", "Skip redundant sort operations"),
    BOOLEAN("spatial_join", "true", "Use spatial index for spatial join when possible"),
    BOOLEAN("spill_enabled", "false", "Enable spilling"),
    INTEGER("task_concurrency", "2", "Default number of local parallel jobs per worker"),
    INTEGER("task_max_writer_count", "2",
            "Maximum number of local parallel table writers per task when either task writer scaling or preferred "
            "partitioning is used"),
    INTEGER(
        "task_min_writer_count", "1",
        "Minimum number of local parallel table writers per task when preferred partitioning and task writer scaling "
        "are not used"),
    BOOLEAN("task_scale_writers_enabled", "true",
            "Scale the number of concurrent table writers per task based on throughput"),
    {"time_zone_id", "varchar", NULL, "Time Zone Id for the current session", .format = SESSION_TIME_ZONE,
     .hidden = true},
    BOOLEAN("use_preferred_write_partitioning", "true", "Use preferred write partitioning"),
    DATA_SIZE("writer_scaling_min_data_processed", "120MB",
              "Minimum amount of uncompressed output data processed by writers before writer scaling can happen"),
};
const size_t session_property_count = ARRAY_LEN(session_properties);

const struct session_property *session_property_find(struct str name)
{
    for (size_t i = 0; i < session_property_count; i++)
        if (str_eq_cstr(name, session_properties[i].name))
            return &session_properties[i];
    return NULL;
}

/* digits[.digits] then a unit, as airlift's DataSize reads it. */
static bool is_data_size(struct str s)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t at = 0, digits;

    while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9')
        at++;
    if (at == 0)
        return false;
    if (at < s.n && s.p[at] == '.') {
        for (digits = ++at; at < s.n && s.p[at] >= '0' && s.p[at] <= '9';)
            at++;
        if (at == digits)
            return false;
    }
    struct str unit = str_trim(str_skip(s, at));
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_eq_cstr(unit, units[i]))
            return true;
    return false;
}

static bool is_choice(struct str value, struct str choices)
{
    struct str choice;

    while (str_split(&choices, ',', &choice))
        if (str_eq_nocase(value, str_trim(choice)))
            return true;
    return false;
}

int session_property_check(const struct session_property *p, struct str value, struct err *err)
{
    int64_t us;

    switch (p->format) {
    case SESSION_DURATION:
        if (clock_parse_duration(value, &us, NULL) < 0)
            return err_set_named(err, ERR_INVALID, "INVALID_SESSION_PROPERTY",
                                 "duration is not a valid data duration string: %.*s", STR_ARG(value));
        break;
    case SESSION_DATA_SIZE:
        if (!is_data_size(value))
            return err_set_named(err, ERR_INVALID, "INVALID_SESSION_PROPERTY",
                                 "size is not a valid data size string: %.*s", STR_ARG(value));
        break;
    case SESSION_CHOICE:
        if (!is_choice(value, str_from_cstr(p->choices)))
            return err_set_named(err, ERR_INVALID, "INVALID_SESSION_PROPERTY",
                                 "Invalid value [%.*s]. Valid values: [%s]", STR_ARG(value), p->choices);
        break;
    case SESSION_TIME_ZONE:
        if (!session_is_time_zone(value))
            return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "Time zone not supported: %.*s",
                                 STR_ARG(value));
        break;
    case SESSION_PLAIN:
        break;
    }
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ±hh:mm, up to 14:00 */
static bool is_offset(struct str z)
{
    if (z.n != 6 || (z.p[0] != '+' && z.p[0] != '-') || !is_digit(z.p[1]) || !is_digit(z.p[2]) || z.p[3] != ':' ||
        !is_digit(z.p[4]) || !is_digit(z.p[5]))
        return false;
    int hours = (z.p[1] - '0') * 10 + z.p[2] - '0', minutes = (z.p[4] - '0') * 10 + z.p[5] - '0';
    return minutes < 60 && hours * 60 + minutes <= 14 * 60;
}

/* The machine's time zone database knows the names. */
bool session_is_time_zone(struct str zone)
{
    static const char root[] = "/usr/share/zoneinfo";
    char path[sizeof(root) + 66];

    if (is_offset(zone) || str_eq_nocase(zone, STR("UTC")) || str_eq_nocase(zone, STR("Z")))
        return true;
    if (zone.n == 0 || zone.n > 64 || zone.p[0] < 'A' || zone.p[0] > 'Z')
        return false;
    for (size_t i = 0; i < zone.n; i++) {
        char c = zone.p[i];
        if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !strchr("_/+-", c))
            return false;
    }
    snprintf(path, sizeof(path), "%s/%.*s", root, STR_ARG(zone));
    return access(path, R_OK) == 0 || access(root, R_OK) != 0;
}
