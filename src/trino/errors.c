/*
 * The table of Trino 476's StandardErrorCode and IcebergErrorCode, in name order, and the error JSON. Clients get no Java
 * stack: there is none; the lists are there because they expect them.
 */
#include "trino/errors.h"

#include "base/vec.h"

#define USER "USER_ERROR"
#define INTERNAL "INTERNAL_ERROR"
#define RESOURCES "INSUFFICIENT_RESOURCES"
#define EXTERNAL "EXTERNAL"

/* Name order: found by bisection. */
static const struct trino_error errors[] = {
    {"ABANDONED_QUERY", 2, USER},
    {"ABANDONED_TASK", 65553, INTERNAL},
    {"ADMINISTRATIVELY_KILLED", 38, USER},
    {"ADMINISTRATIVELY_PREEMPTED", 131080, RESOURCES},
    {"ALREADY_EXISTS", 12, USER},
    {"AMBIGUOUS_FUNCTION_CALL", 32, USER},
    {"AMBIGUOUS_FUNCTION_IMPLEMENTATION", 65552, INTERNAL},
    {"AMBIGUOUS_NAME", 62, USER},
    {"AMBIGUOUS_RETURN_TYPE", 110, USER},
    {"AUTOCOMMIT_WRITE_CONFLICT", 25, USER},
    {"CATALOG_NOT_AVAILABLE", 65565, INTERNAL},
    {"CATALOG_NOT_FOUND", 44, USER},
    {"CATALOG_STORE_ERROR", 65566, INTERNAL},
    {"CATALOG_UNAVAILABLE", 125, USER},
    {"CLUSTER_OUT_OF_MEMORY", 131076, RESOURCES},
    {"COLUMN_ALREADY_EXISTS", 51, USER},
    {"COLUMN_NOT_FOUND", 47, USER},
    {"COLUMN_TYPE_UNKNOWN", 60, USER},
    {"COMPILER_ERROR", 65543, INTERNAL},
    {"CONFIGURATION_INVALID", 65559, INTERNAL},
    {"CONFIGURATION_UNAVAILABLE", 65560, INTERNAL},
    {"CONSTRAINT_VIOLATION", 16, USER},
    {"CORRUPT_PAGE", 65555, INTERNAL},
    {"CORRUPT_SERIALIZED_IDENTITY", 65554, INTERNAL},
    {"DIVISION_BY_ZERO", 8, USER},
    {"DUPLICATE_COLUMN_NAME", 54, USER},
    {"DUPLICATE_COLUMN_OR_PATH_NAME", 127, USER},
    {"DUPLICATE_NAMED_QUERY", 53, USER},
    {"DUPLICATE_PARAMETER_NAME", 112, USER},
    {"DUPLICATE_PROPERTY", 79, USER},
    {"DUPLICATE_RANGE_VARIABLE", 122, USER},
    {"DUPLICATE_WINDOW_NAME", 92, USER},
    {"EXCEEDED_CPU_LIMIT", 131077, RESOURCES},
    {"EXCEEDED_FUNCTION_MEMORY_LIMIT", 37, USER},
    {"EXCEEDED_GLOBAL_MEMORY_LIMIT", 131073, RESOURCES},
    {"EXCEEDED_LOCAL_MEMORY_LIMIT", 131079, RESOURCES},
    {"EXCEEDED_SCAN_LIMIT", 131081, RESOURCES},
    {"EXCEEDED_SPILL_LIMIT", 131078, RESOURCES},
    {"EXCEEDED_TASK_DESCRIPTOR_STORAGE_CAPACITY", 131082, RESOURCES},
    {"EXCEEDED_TIME_LIMIT", 131075, RESOURCES},
    {"EXCHANGE_MANAGER_NOT_CONFIGURED", 65564, INTERNAL},
    {"EXPRESSION_NOT_AGGREGATE", 73, USER},
    {"EXPRESSION_NOT_CONSTANT", 75, USER},
    {"EXPRESSION_NOT_IN_DISTINCT", 69, USER},
    {"EXPRESSION_NOT_SCALAR", 74, USER},
    {"FUNCTION_IMPLEMENTATION_ERROR", 65549, INTERNAL},
    {"FUNCTION_IMPLEMENTATION_MISSING", 65546, INTERNAL},
    {"FUNCTION_NOT_AGGREGATE", 72, USER},
    {"FUNCTION_NOT_FOUND", 6, USER},
    {"FUNCTION_NOT_WINDOW", 71, USER},
    {"GENERIC_INSUFFICIENT_RESOURCES", 131072, RESOURCES},
    {"GENERIC_INTERNAL_ERROR", 65536, INTERNAL},
    {"GENERIC_USER_ERROR", 0, USER},
    {"ICEBERG_BAD_DATA", 84148228, EXTERNAL},
    {"ICEBERG_CANNOT_OPEN_SPLIT", 84148230, EXTERNAL},
    {"ICEBERG_CATALOG_ERROR", 84148237, EXTERNAL},
    {"ICEBERG_COMMIT_ERROR", 84148236, EXTERNAL},
    {"ICEBERG_CURSOR_ERROR", 84148233, EXTERNAL},
    {"ICEBERG_FILESYSTEM_ERROR", 84148232, EXTERNAL},
    {"ICEBERG_INVALID_METADATA", 84148225, EXTERNAL},
    {"ICEBERG_INVALID_PARTITION_VALUE", 84148227, EXTERNAL},
    {"ICEBERG_INVALID_SNAPSHOT_ID", 84148235, USER},
    {"ICEBERG_MISSING_METADATA", 84148239, EXTERNAL},
    {"ICEBERG_TOO_MANY_OPEN_PARTITIONS", 84148226, USER},
    {"ICEBERG_UNSUPPORTED_VIEW_DIALECT", 84148241, EXTERNAL},
    {"ICEBERG_WRITER_CLOSE_ERROR", 84148238, EXTERNAL},
    {"ICEBERG_WRITER_DATA_ERROR", 84148240, EXTERNAL},
    {"ICEBERG_WRITER_OPEN_ERROR", 84148231, EXTERNAL},
    {"ICEBERG_WRITE_VALIDATION_FAILED", 84148234, INTERNAL},
    {"INCOMPATIBLE_CLIENT", 27, USER},
    {"INVALID_ANALYZE_PROPERTY", 42, USER},
    {"INVALID_ARGUMENTS", 76, USER},
    {"INVALID_CAST_ARGUMENT", 9, USER},
    {"INVALID_CATALOG_PROPERTY", 124, USER},
    {"INVALID_CHECK_CONSTRAINT", 123, USER},
    {"INVALID_COLUMN_MASK", 85, USER},
    {"INVALID_COLUMN_PROPERTY", 39, USER},
    {"INVALID_COLUMN_REFERENCE", 63, USER},
    {"INVALID_COPARTITIONING", 120, USER},
    {"INVALID_ENTITY_KIND", 131, USER},
    {"INVALID_FUNCTION_ARGUMENT", 7, USER},
    {"INVALID_FUNCTION_PROPERTY", 133, USER},
    {"INVALID_JSON_LITERAL", 117, USER},
    {"INVALID_LABEL", 96, USER},
    {"INVALID_LIMIT_CLAUSE", 90, USER},
    {"INVALID_LITERAL", 59, USER},
    {"INVALID_MATERIALIZED_VIEW_PROPERTY", 95, USER},
    {"INVALID_NAVIGATION_NESTING", 98, USER},
    {"INVALID_ORDER_BY", 91, USER},
    {"INVALID_PARAMETER_USAGE", 80, USER},
    {"INVALID_PARTITION_BY", 94, USER},
    {"INVALID_PATH", 113, USER},
    {"INVALID_PATTERN_RECOGNITION_FUNCTION", 103, USER},
    {"INVALID_PLAN", 129, USER},
    {"INVALID_PRIVILEGE", 78, USER},
    {"INVALID_PROCEDURE_ARGUMENT", 30, USER},
    {"INVALID_PROCEDURE_DEFINITION", 65550, INTERNAL},
    {"INVALID_PROCESSING_MODE", 97, USER},
    {"INVALID_RANGE", 102, USER},
    {"INVALID_RECURSIVE_REFERENCE", 87, USER},
    {"INVALID_RESOURCE_GROUP", 65561, INTERNAL},
    {"INVALID_ROW_FILTER", 84, USER},
    {"INVALID_ROW_PATTERN", 99, USER},
    {"INVALID_SCHEMA_PROPERTY", 33, USER},
    {"INVALID_SESSION_PROPERTY", 14, USER},
    {"INVALID_SPATIAL_PARTITIONING", 41, USER},
    {"INVALID_TABLE_FUNCTION_INVOCATION", 121, USER},
    {"INVALID_TABLE_PROPERTY", 18, USER},
    {"INVALID_VIEW", 11, USER},
    {"INVALID_VIEW_PROPERTY", 130, USER},
    {"INVALID_WINDOW_FRAME", 15, USER},
    {"INVALID_WINDOW_MEASURE", 107, USER},
    {"INVALID_WINDOW_REFERENCE", 93, USER},
    {"JSON_INPUT_CONVERSION_ERROR", 114, USER},
    {"JSON_OUTPUT_CONVERSION_ERROR", 115, USER},
    {"JSON_VALUE_RESULT_ERROR", 118, USER},
    {"MERGE_TARGET_ROW_MULTIPLE_MATCHES", 119, USER},
    {"MISMATCHED_COLUMN_ALIASES", 61, USER},
    {"MISSING_ARGUMENT", 111, USER},
    {"MISSING_CATALOG_NAME", 56, USER},
    {"MISSING_COLUMN_ALIASES", 88, USER},
    {"MISSING_COLUMN_NAME", 55, USER},
    {"MISSING_GROUP_BY", 64, USER},
    {"MISSING_ORDER_BY", 65, USER},
    {"MISSING_OVER", 66, USER},
    {"MISSING_PATH_NAME", 128, USER},
    {"MISSING_RETURN", 126, USER},
    {"MISSING_RETURN_TYPE", 109, USER},
    {"MISSING_ROW_PATTERN", 106, USER},
    {"MISSING_SCHEMA_NAME", 57, USER},
    {"MISSING_TABLE", 86, USER},
    {"MISSING_VARIABLE_DEFINITIONS", 105, USER},
    {"MULTI_CATALOG_WRITE_CONFLICT", 24, USER},
    {"NESTED_AGGREGATION", 67, USER},
    {"NESTED_RECURSIVE", 89, USER},
    {"NESTED_ROW_PATTERN_RECOGNITION", 100, USER},
    {"NESTED_WINDOW", 68, USER},
    {"NOT_FOUND", 5, USER},
    {"NOT_IN_TRANSACTION", 21, USER},
    {"NOT_SUPPORTED", 13, USER},
    {"NO_NODES_AVAILABLE", 65541, INTERNAL},
    {"NULL_TREATMENT_NOT_ALLOWED", 83, USER},
    {"NUMERIC_VALUE_OUT_OF_RANGE", 19, USER},
    {"OPERATOR_NOT_FOUND", 10, USER},
    {"OPTIMIZER_TIMEOUT", 65556, INTERNAL},
    {"OUT_OF_SPILL_SPACE", 65557, INTERNAL},
    {"PAGE_TOO_LARGE", 65538, INTERNAL},
    {"PAGE_TRANSPORT_ERROR", 65539, INTERNAL},
    {"PAGE_TRANSPORT_TIMEOUT", 65540, INTERNAL},
    {"PATH_EVALUATION_ERROR", 116, USER},
    {"PERMISSION_DENIED", 4, USER},
    {"PROCEDURE_CALL_FAILED", 65551, INTERNAL},
    {"PROCEDURE_NOT_FOUND", 29, USER},
    {"QUERY_EXCEEDED_COMPILER_LIMIT", 132, USER},
    {"QUERY_HAS_TOO_MANY_STAGES", 40, USER},
    {"QUERY_QUEUE_FULL", 131074, RESOURCES},
    {"QUERY_REJECTED", 31, USER},
    {"QUERY_TEXT_TOO_LARGE", 35, USER},
    {"READ_ONLY_VIOLATION", 23, USER},
    {"REMOTE_BUFFER_CLOSE_FAILED", 65547, INTERNAL},
    {"REMOTE_HOST_GONE", 65558, INTERNAL},
    {"REMOTE_TASK_ERROR", 65542, INTERNAL},
    {"REMOTE_TASK_FAILED", 65563, INTERNAL},
    {"REMOTE_TASK_MISMATCH", 65544, INTERNAL},
    {"ROLE_ALREADY_EXISTS", 52, USER},
    {"ROLE_NOT_FOUND", 48, USER},
    {"SCHEMA_ALREADY_EXISTS", 49, USER},
    {"SCHEMA_NOT_EMPTY", 34, USER},
    {"SCHEMA_NOT_FOUND", 45, USER},
    {"SERIALIZATION_ERROR", 65562, INTERNAL},
    {"SERVER_SHUTTING_DOWN", 65545, INTERNAL},
    {"SERVER_STARTING_UP", 65548, INTERNAL},
    {"STACK_OVERFLOW", 108, USER},
    {"SUBQUERY_MULTIPLE_ROWS", 28, USER},
    {"SYNTAX_ERROR", 1, USER},
    {"TABLE_ALREADY_EXISTS", 50, USER},
    {"TABLE_HAS_NO_COLUMNS", 101, USER},
    {"TABLE_NOT_FOUND", 46, USER},
    {"TABLE_REDIRECTION_ERROR", 104, USER},
    {"TOO_MANY_ARGUMENTS", 77, USER},
    {"TOO_MANY_GROUPING_SETS", 70, USER},
    {"TOO_MANY_REQUESTS_FAILED", 65537, INTERNAL},
    {"TRANSACTION_ALREADY_ABORTED", 22, USER},
    {"TRANSACTION_CONFLICT", 17, USER},
    {"TYPE_MISMATCH", 58, USER},
    {"TYPE_NOT_FOUND", 43, USER},
    {"UNKNOWN_TRANSACTION", 20, USER},
    {"UNSUPPORTED_ISOLATION_LEVEL", 26, USER},
    {"UNSUPPORTED_SUBQUERY", 36, USER},
    {"UNSUPPORTED_TABLE_TYPE", 133001, EXTERNAL},
    {"USER_CANCELED", 3, USER},
    {"VIEW_IS_RECURSIVE", 82, USER},
    {"VIEW_IS_STALE", 81, USER},
};

static const struct trino_error *find(const char *name)
{
    size_t low = 0, high = ARRAY_LEN(errors);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(errors[middle].name, name);
        if (order == 0)
            return &errors[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static const char *name_of_code(int code)
{
    switch (code) {
    case ERR_INVALID:
        return "GENERIC_USER_ERROR";
    case ERR_NOT_FOUND:
        return "NOT_FOUND";
    case ERR_EXISTS:
        return "ALREADY_EXISTS";
    case ERR_DENIED:
        return "PERMISSION_DENIED";
    case ERR_LIMIT:
    case ERR_NO_SPACE:
    case ERR_UNAVAILABLE:
        return "GENERIC_INSUFFICIENT_RESOURCES";
    case ERR_UNSUPPORTED:
        return "NOT_SUPPORTED";
    case ERR_CONFLICT:
        return "TRANSACTION_CONFLICT";
    case ERR_TIMEOUT:
        return "EXCEEDED_TIME_LIMIT";
    case ERR_CANCELLED:
        return "USER_CANCELED";
    default:
        return "GENERIC_INTERNAL_ERROR";
    }
}

const struct trino_error *trino_error_find(const struct err *err)
{
    const struct trino_error *found = find(err->name ? err->name : name_of_code(err->code));

    return found ? found : find("GENERIC_INTERNAL_ERROR");
}

static const char *java_type(const char *name)
{
    if (strcmp(name, "SYNTAX_ERROR") == 0)
        return "io.trino.sql.parser.ParsingException";
    if (strcmp(name, "PERMISSION_DENIED") == 0)
        return "io.trino.spi.security.AccessDeniedException";
    if (strcmp(name, "UNKNOWN_TRANSACTION") == 0)
        return "io.trino.NotInTransactionException";
    return "io.trino.spi.TrinoException";
}

static void write_location(struct json_writer *w, const struct err *err)
{
    if (err->line <= 0)
        return;
    json_key(w, "errorLocation");
    json_open_object(w);
    json_key(w, "lineNumber");
    json_add_i64(w, err->line);
    json_key(w, "columnNumber");
    json_add_i64(w, err->column);
    json_close_object(w);
}

static void write_empty_list(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_open_array(w);
    json_close_array(w);
}

static void write_failure(struct json_writer *w, const struct err *err, const struct trino_error *e,
                          const char *message)
{
    json_key(w, "failureInfo");
    json_open_object(w);
    json_key(w, "type");
    json_add_cstr(w, java_type(e->name));
    json_key(w, "message");
    json_add_cstr(w, message);
    write_empty_list(w, "suppressed");
    write_empty_list(w, "stack");
    json_key(w, "errorInfo");
    json_open_object(w);
    json_key(w, "code");
    json_add_i64(w, e->code);
    json_key(w, "name");
    json_add_cstr(w, e->name);
    json_key(w, "type");
    json_add_cstr(w, e->type);
    json_close_object(w);
    write_location(w, err);
    json_close_object(w);
}

void trino_error_write(struct json_writer *w, const struct err *err)
{
    const struct trino_error *e = trino_error_find(err);
    char message[ERR_MESSAGE_SIZE + 32];

    if (err->line > 0)
        snprintf(message, sizeof(message), "line %d:%d: %s", err->line, err->column, err->message);
    else
        snprintf(message, sizeof(message), "%s", err->message);
    json_open_object(w);
    json_key(w, "message");
    json_add_cstr(w, message);
    json_key(w, "errorCode");
    json_add_i64(w, e->code);
    json_key(w, "errorName");
    json_add_cstr(w, e->name);
    json_key(w, "errorType");
    json_add_cstr(w, e->type);
    write_location(w, err);
    write_failure(w, err, e, message);
    json_close_object(w);
}
