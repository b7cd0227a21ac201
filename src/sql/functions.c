/*
 * The function table: its rows, found by name.
 *
 * The rows are data in functions_*.def, a file a topic; rows of one name stand together. The index by name and the
 * parsed signatures (function_signature.c) are made once, at first use, and live as long as the process.
 */
#include "sql/functions.h"

#define SCALAR(n, a, r, ...)                                                                 \
    {                                                                                        \
        .name = (n), .kind = FUNCTION_SCALAR, .arguments = (a), .result = (r), ##__VA_ARGS__ \
    }
#define AGGREGATE(n, a, r, ...)                                                                 \
    {                                                                                           \
        .name = (n), .kind = FUNCTION_AGGREGATE, .arguments = (a), .result = (r), ##__VA_ARGS__ \
    }
#define WINDOW(n, a, r, ...)                                                                 \
    {                                                                                        \
        .name = (n), .kind = FUNCTION_WINDOW, .arguments = (a), .result = (r), ##__VA_ARGS__ \
    }
#define OPERATOR(n, a, r, ...) SCALAR(n, a, r, .is_hidden = true, ##__VA_ARGS__)

const struct function functions[] = {
#include "sql/functions_aggregate.def"
#include "sql/functions_binary.def"
#include "sql/functions_collection.def"
#include "sql/functions_datetime.def"
#include "sql/functions_json.def"
#include "sql/functions_math.def"
#include "sql/functions_operator.def"
#include "sql/functions_session.def"
#include "sql/functions_string.def"
#include "sql/functions_window.def"
};
const size_t function_count = sizeof(functions) / sizeof(functions[0]);
