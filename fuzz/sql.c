/* Trino's SQL: a statement, an expression and a type, whatever the bytes are. */
#include "fuzz.h"

#include "sql/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    ARENA_SCOPED struct arena arena;
    arena_init(&arena, 256u << 20);
    struct err err = {0};
    struct ast_statement *statement;
    struct ast_expr *expr;
    struct ast_type *type;
    if (sql_parse(&arena, text, &statement, &err) < 0 && err.message[0] == '\0')
        __builtin_trap(); /* an error that says nothing */
    err = (struct err){0};
    if (sql_parse_expr(&arena, text, &expr, &err) < 0 && err.message[0] == '\0')
        __builtin_trap();
    err = (struct err){0};
    if (sql_parse_type(&arena, text, &type, &err) < 0 && err.message[0] == '\0')
        __builtin_trap();
    return 0;
}
