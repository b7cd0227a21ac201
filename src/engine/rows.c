/*
 * Rows that the program makes (information_schema, system tables, VALUES too long for SQL text) as a table function:
 * dp_rows(token). The token names a source that the statement's connection registered, so that a statement carries no
 * pointer; values go straight from the constants into DuckDB's vectors, a chunk at a time and only the columns used.
 */
#include "engine/internal.h"

static const char *const function_name = "dp_rows";

struct rows_bind {
    const struct connector_rows *rows;
};

struct rows_scan {
    size_t at;
    size_t column_count;
    idx_t *columns;
};

/* ---- types ---- */

// NOLINTNEXTLINE(misc-no-recursion): types nest as deep as the program's own tables
static duckdb_logical_type logical_type(const struct type *t)
{
    duckdb_logical_type element, list;

    switch (t->kind) {
    case TYPE_BOOLEAN:
        return duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
    case TYPE_TINYINT:
        return duckdb_create_logical_type(DUCKDB_TYPE_TINYINT);
    case TYPE_SMALLINT:
        return duckdb_create_logical_type(DUCKDB_TYPE_SMALLINT);
    case TYPE_UNKNOWN:
    case TYPE_INTEGER:
    case TYPE_INTERVAL_YEAR_MONTH:
        return duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
    case TYPE_BIGINT:
    case TYPE_INTERVAL_DAY_SECOND:
        return duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    case TYPE_REAL:
        return duckdb_create_logical_type(DUCKDB_TYPE_FLOAT);
    case TYPE_DOUBLE:
        return duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE);
    case TYPE_DECIMAL:
        return duckdb_create_decimal_type((uint8_t)t->precision, (uint8_t)t->scale);
    case TYPE_VARCHAR:
    case TYPE_CHAR:
    case TYPE_JSON:
        return duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    case TYPE_VARBINARY:
        return duckdb_create_logical_type(DUCKDB_TYPE_BLOB);
    case TYPE_UUID:
        return duckdb_create_logical_type(DUCKDB_TYPE_UUID);
    case TYPE_DATE:
        return duckdb_create_logical_type(DUCKDB_TYPE_DATE);
    case TYPE_TIME:
        return duckdb_create_logical_type(DUCKDB_TYPE_TIME);
    case TYPE_TIMESTAMP:
        return duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP);
    case TYPE_TIMESTAMP_TZ:
        return duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP_TZ);
    case TYPE_ARRAY:
        element = logical_type(t->element);
        if (!element)
            return NULL;
        list = duckdb_create_list_type(element);
        duckdb_destroy_logical_type(&element);
        return list;
    case TYPE_TIME_TZ:
    case TYPE_MAP:
    case TYPE_ROW:
    case TYPE_FUNCTION:
        break;
    }
    return NULL;
}

/* ---- values ---- */

/* The digits were written by the program: a malformed one is a bug, which reads as the digits before it. */
static __int128 unscaled(struct str text)
{
    bool is_negative = text.n > 0 && text.p[0] == '-';
    unsigned __int128 v = 0;

    for (size_t i = is_negative ? 1 : 0; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++)
        v = v * 10 + (unsigned)(text.p[i] - '0');
    return is_negative ? -(__int128)v : (__int128)v;
}

static void put_decimal(void *data, size_t row, const struct type *t, struct str text)
{
    __int128 v = unscaled(text);

    if (t->precision <= 4)
        ((int16_t *)data)[row] = (int16_t)v;
    else if (t->precision <= 9)
        ((int32_t *)data)[row] = (int32_t)v;
    else if (t->precision <= 18)
        ((int64_t *)data)[row] = (int64_t)v;
    else
        memcpy((char *)data + row * sizeof(v), &v, sizeof(v));
}

/* DuckDB keeps a UUID as a hugeint whose highest bit is flipped, so that it sorts as its text. */
static void put_uuid(void *data, size_t row, struct str bytes)
{
    duckdb_uhugeint h = {0, 0};

    for (size_t i = 0; i < 16 && i < bytes.n; i++) {
        uint64_t *half = i < 8 ? &h.upper : &h.lower;

        *half = *half << 8 | (unsigned char)bytes.p[i];
    }
    h.upper ^= UINT64_C(1) << 63;
    ((duckdb_uhugeint *)data)[row] = h;
}

static struct str without_trailing_spaces(struct str s)
{
    while (s.n > 0 && s.p[s.n - 1] == ' ')
        s.n--;
    return s;
}

static void put_null(duckdb_vector v, size_t row)
{
    duckdb_vector_ensure_validity_writable(v);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(v), row);
}

static void put(duckdb_vector v, size_t row, const struct type *t, const struct constant *c);

/* The elements go behind those of the rows before. */
// NOLINTNEXTLINE(misc-no-recursion)
static void put_array(duckdb_vector v, size_t row, const struct type *t, const struct constant *c)
{
    size_t at = duckdb_list_vector_get_size(v);

    if (duckdb_list_vector_reserve(v, at + c->item_count) != DuckDBSuccess ||
        duckdb_list_vector_set_size(v, at + c->item_count) != DuckDBSuccess)
        abort();
    ((duckdb_list_entry *)duckdb_vector_get_data(v))[row] = (duckdb_list_entry){at, c->item_count};
    for (size_t i = 0; i < c->item_count; i++)
        put(duckdb_list_vector_get_child(v), at + i, t->element, &c->items[i]);
}

// NOLINTNEXTLINE(misc-no-recursion)
static void put(duckdb_vector v, size_t row, const struct type *t, const struct constant *c)
{
    void *data = duckdb_vector_get_data(v);
    struct str text;

    if (c->is_null || t->kind == TYPE_UNKNOWN) {
        put_null(v, row);
        return;
    }
    switch (t->kind) {
    case TYPE_BOOLEAN:
        ((bool *)data)[row] = c->i != 0;
        break;
    case TYPE_TINYINT:
        ((int8_t *)data)[row] = (int8_t)c->i;
        break;
    case TYPE_SMALLINT:
        ((int16_t *)data)[row] = (int16_t)c->i;
        break;
    case TYPE_INTEGER:
    case TYPE_DATE:
    case TYPE_INTERVAL_YEAR_MONTH:
        ((int32_t *)data)[row] = (int32_t)c->i;
        break;
    case TYPE_BIGINT:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ:
    case TYPE_INTERVAL_DAY_SECOND:
        ((int64_t *)data)[row] = c->i;
        break;
    case TYPE_REAL:
        ((float *)data)[row] = (float)c->f;
        break;
    case TYPE_DOUBLE:
        ((double *)data)[row] = c->f;
        break;
    case TYPE_DECIMAL:
        put_decimal(data, row, t, c->text);
        break;
    case TYPE_UUID:
        put_uuid(data, row, c->text);
        break;
    case TYPE_VARCHAR:
    case TYPE_CHAR:
    case TYPE_JSON:
    case TYPE_VARBINARY:
        text = t->kind == TYPE_CHAR ? without_trailing_spaces(c->text) : c->text;
        duckdb_vector_assign_string_element_len(v, row, text.p ? text.p : "", text.n);
        break;
    case TYPE_ARRAY:
        put_array(v, row, t, c);
        break;
    case TYPE_UNKNOWN: /* always null */
    case TYPE_TIME_TZ: /* these are refused by engine_add_rows */
    case TYPE_MAP:
    case TYPE_ROW:
    case TYPE_FUNCTION:
        break;
    }
}

/* ---- the table function ---- */

static void rows_bind(duckdb_bind_info info)
{
    struct engine *e = duckdb_bind_get_extra_info(info);
    duckdb_value parameter = duckdb_bind_get_parameter(info, 0);
    uint64_t token = (uint64_t)duckdb_get_int64(parameter);
    const struct row_source *found = NULL;
    struct rows_bind *bind = calloc(1, sizeof(*bind));
    const int *ids = NULL;

    duckdb_destroy_value(&parameter);
    if (!bind)
        abort();
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < e->sources.n && !found; i++) {
        if (e->sources.items[i].token == token)
            found = &e->sources.items[i];
    }
    if (found) {
        bind->rows = found->rows;
        ids = found->ids;
    }
    pthread_mutex_unlock(&e->lock);
    if (!bind->rows) {
        free(bind);
        duckdb_bind_set_error(info, "dp_rows: there is no such source of rows");
        return;
    }
    for (size_t i = 0; i < bind->rows->column_count; i++) {
        duckdb_logical_type type = logical_type(bind->rows->types[i]);
        char name[32];

        snprintf(name, sizeof(name), "c%d", ids[i]);
        duckdb_bind_add_result_column(info, name, type);
        duckdb_destroy_logical_type(&type);
    }
    if (bind->rows->column_count == 0) {
        duckdb_logical_type type = duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);

        duckdb_bind_add_result_column(info, "dummy", type);
        duckdb_destroy_logical_type(&type);
    }
    duckdb_bind_set_cardinality(info, bind->rows->row_count, true);
    duckdb_bind_set_bind_data(info, bind, free);
}

static void scan_free(void *p)
{
    struct rows_scan *scan = p;

    free(scan->columns);
    free(scan);
}

static void rows_init(duckdb_init_info info)
{
    struct rows_scan *scan = calloc(1, sizeof(*scan));

    if (!scan)
        abort();
    scan->column_count = duckdb_init_get_column_count(info);
    scan->columns = calloc(scan->column_count + 1, sizeof(*scan->columns));
    if (!scan->columns)
        abort();
    for (size_t i = 0; i < scan->column_count; i++)
        scan->columns[i] = duckdb_init_get_column_index(info, i);
    duckdb_init_set_max_threads(info, 1);
    duckdb_init_set_init_data(info, scan, scan_free);
}

static void fill_column(duckdb_vector v, const struct connector_rows *rows, size_t column, size_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put(v, i, rows->types[column], &rows->rows[from + i][column]);
}

static void rows_scan(duckdb_function_info info, duckdb_data_chunk output)
{
    const struct rows_bind *bind = duckdb_function_get_bind_data(info);
    struct rows_scan *scan = duckdb_function_get_init_data(info);
    const struct connector_rows *rows = bind->rows;
    size_t left = rows->row_count - scan->at;
    size_t n = left < duckdb_vector_size() ? left : duckdb_vector_size();

    for (size_t i = 0; i < scan->column_count; i++) {
        /* Past the real columns: the dummy, or the row id that count(*) asks for. Any value will do. */
        if (scan->columns[i] < rows->column_count)
            fill_column(duckdb_data_chunk_get_vector(output, i), rows, scan->columns[i], scan->at, n);
    }
    scan->at += n;
    duckdb_data_chunk_set_size(output, n);
}

int rows_register(struct engine *e, duckdb_connection c, struct err *err)
{
    duckdb_table_function f = duckdb_create_table_function();
    duckdb_logical_type token = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    duckdb_state state;

    duckdb_table_function_set_name(f, function_name);
    duckdb_table_function_add_parameter(f, token);
    duckdb_table_function_set_extra_info(f, e, NULL);
    duckdb_table_function_set_bind(f, rows_bind);
    duckdb_table_function_set_init(f, rows_init);
    duckdb_table_function_set_function(f, rows_scan);
    duckdb_table_function_supports_projection_pushdown(f, true);
    state = duckdb_register_table_function(c, f);
    duckdb_destroy_logical_type(&token);
    duckdb_destroy_table_function(&f);
    return state == DuckDBSuccess ? 0
                                  : err_set(err, ERR_INTERNAL, "the SQL engine refuses the function %s", function_name);
}

int engine_add_rows(struct engine_conn *c, struct arena *a, const struct connector_rows *rows, const int *ids,
                    struct str *ret_from, struct err *err)
{
    struct engine *e = c->engine;
    struct row_source source = {.rows = rows, .ids = ids};

    for (size_t i = 0; i < rows->column_count; i++) {
        duckdb_logical_type type = logical_type(rows->types[i]);

        if (!type) {
            struct str name = type_name(a, rows->types[i]);

            return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED",
                                 "rows made by the server have no column of type %.*s", STR_ARG(name));
        }
        duckdb_destroy_logical_type(&type);
    }
    pthread_mutex_lock(&e->lock);
    source.token = ++e->next_token;
    vec_push(&e->sources, source);
    pthread_mutex_unlock(&e->lock);
    vec_push(&c->sources, source.token);
    *ret_from = arena_printf(a, "%s(%llu)", function_name, (unsigned long long)source.token);
    return 0;
}

void rows_release(struct engine_conn *c)
{
    struct engine *e = c->engine;

    if (c->sources.n == 0)
        return;
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < c->sources.n; i++) {
        for (size_t j = 0; j < e->sources.n; j++) {
            if (e->sources.items[j].token == c->sources.items[i]) {
                e->sources.items[j] = e->sources.items[--e->sources.n];
                break;
            }
        }
    }
    pthread_mutex_unlock(&e->lock);
    c->sources.n = 0;
}
