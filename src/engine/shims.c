/*
 * Registers the shims of the tables in shims_*.c, and holds what their functions share.
 */
#include "engine/shims.h"
#include "base/vec.h"
#include "engine/shim.h"

/* ---- what a shim's function uses ---- */

static void find_decimal_width(duckdb_vector v, unsigned char *ret)
{
    duckdb_logical_type t = duckdb_vector_get_column_type(v);

    *ret = 16;
    if (duckdb_get_type_id(t) == DUCKDB_TYPE_DECIMAL) {
        switch (duckdb_decimal_internal_type(t)) {
        case DUCKDB_TYPE_SMALLINT:
            *ret = 2;
            break;
        case DUCKDB_TYPE_INTEGER:
            *ret = 4;
            break;
        case DUCKDB_TYPE_BIGINT:
            *ret = 8;
            break;
        default:
            break;
        }
    } else if (duckdb_get_type_id(t) == DUCKDB_TYPE_BIGINT) {
        *ret = 8;
    } else if (duckdb_get_type_id(t) == DUCKDB_TYPE_INTEGER) {
        *ret = 4;
    }
    duckdb_destroy_logical_type(&t);
}

void shim_begin(struct shim_call *c, duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const struct shim *shim = duckdb_scalar_function_get_extra_info(info);

    *c = (struct shim_call){.info = info, .output = output};
    c->rows = duckdb_data_chunk_get_size(input);
    c->arg_count = duckdb_data_chunk_get_column_count(input);
    if (c->arg_count > SHIM_MAX_ARGS) {
        shim_fail(c, "NOT_SUPPORTED", "%s with more than %d arguments is not supported", shim->name, SHIM_MAX_ARGS);
        return;
    }
    c->out = duckdb_vector_get_data(output);
    for (size_t i = 0; i < c->arg_count; i++) {
        c->vector[i] = duckdb_data_chunk_get_vector(input, i);
        c->data[i] = duckdb_vector_get_data(c->vector[i]);
        c->validity[i] = duckdb_vector_get_validity(c->vector[i]);
        find_decimal_width(c->vector[i], &c->width[i]);
        if (!c->validity[i] || shim->sees_nulls)
            continue;
        for (size_t row = 0; row < c->rows; row++) {
            if (!duckdb_validity_row_is_valid(c->validity[i], row))
                shim_set_null(c, row);
        }
    }
}

bool shim_is_null(const struct shim_call *c, size_t row)
{
    return c->out_validity && !duckdb_validity_row_is_valid(c->out_validity, row);
}

bool shim_arg_is_null(const struct shim_call *c, size_t arg, size_t row)
{
    return c->validity[arg] && !duckdb_validity_row_is_valid(c->validity[arg], row);
}

void shim_set_null(struct shim_call *c, size_t row)
{
    if (!c->out_validity) {
        duckdb_vector_ensure_validity_writable(c->output);
        c->out_validity = duckdb_vector_get_validity(c->output);
    }
    duckdb_validity_set_row_invalid(c->out_validity, row);
}

void shim_fail(struct shim_call *c, const char *name, const char *fmt, ...)
{
    struct err err = {0};
    char text[ERR_MESSAGE_SIZE + 64];
    va_list ap;

    va_start(ap, fmt);
    err_setv(&err, ERR_INVALID, fmt, ap);
    va_end(ap);
    snprintf(text, sizeof(text), "dp:%s:%s", name, err.message);
    duckdb_scalar_function_set_error(c->info, text);
    c->failed = true;
}

struct str shim_str(const struct shim_call *c, size_t arg, size_t row)
{
    duckdb_string_t *s = &((duckdb_string_t *)c->data[arg])[row];

    return str_from(duckdb_string_t_data(s), duckdb_string_t_length(*s));
}

void shim_put_str(struct shim_call *c, size_t row, struct str s)
{
    duckdb_unsafe_vector_assign_string_element_len(c->output, row, s.p ? s.p : "", s.n);
}

void shim_make_texts(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output, size_t max,
                     shim_make_fn make)
{
    BUF_SCOPED struct buf text;
    struct shim_call c;

    buf_init(&text, max);
    shim_begin(&c, info, input, output);
    for (SHIM_ROWS(&c, row)) {
        buf_reset(&text);
        if (!make(&c, row, &text)) {
            shim_set_null(&c, row);
        } else if (text.failed) {
            shim_fail(&c, "INVALID_FUNCTION_ARGUMENT", "The result has more than %zu bytes", max);
            return;
        } else {
            shim_put_str(&c, row, buf_str(&text));
        }
    }
}

__int128 shim_decimal(const struct shim_call *c, size_t arg, size_t row)
{
    switch (c->width[arg]) {
    case 2:
        return SHIM_ARG(c, int16_t, arg, row);
    case 4:
        return SHIM_ARG(c, int32_t, arg, row);
    case 8:
        return SHIM_ARG(c, int64_t, arg, row);
    default:
        return shim_i128(c, arg, row);
    }
}

void shim_put_i128(struct shim_call *c, size_t row, __int128 v)
{
    memcpy((char *)c->out + row * sizeof(v), &v, sizeof(v));
}

/* ---- registration ---- */

static duckdb_logical_type type_of_letter(char letter)
{
    static const struct {
        char letter;
        duckdb_type type;
    } letters[] = {
        {'o', DUCKDB_TYPE_BOOLEAN}, {'b', DUCKDB_TYPE_TINYINT},   {'s', DUCKDB_TYPE_SMALLINT},
        {'i', DUCKDB_TYPE_INTEGER}, {'l', DUCKDB_TYPE_BIGINT},    {'h', DUCKDB_TYPE_HUGEINT},
        {'f', DUCKDB_TYPE_FLOAT},   {'d', DUCKDB_TYPE_DOUBLE},    {'v', DUCKDB_TYPE_VARCHAR},
        {'x', DUCKDB_TYPE_BLOB},    {'D', DUCKDB_TYPE_DATE},      {'t', DUCKDB_TYPE_TIME},
        {'u', DUCKDB_TYPE_UUID},    {'T', DUCKDB_TYPE_TIMESTAMP}, {'Z', DUCKDB_TYPE_TIMESTAMP_TZ},
        {'N', DUCKDB_TYPE_ANY},     {'?', DUCKDB_TYPE_ANY},
    };

    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (letters[i].letter == letter)
            return duckdb_create_logical_type(letters[i].type);
    }
    if (letter == 'V') {
        duckdb_logical_type element = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
        duckdb_logical_type list = duckdb_create_list_type(element);

        duckdb_destroy_logical_type(&element);
        return list;
    }
    abort(); /* a table of ours is wrong */
}

static duckdb_scalar_function make(const struct shim *s)
{
    duckdb_scalar_function f = duckdb_create_scalar_function();
    duckdb_logical_type type;

    duckdb_scalar_function_set_name(f, s->name);
    for (const char *a = s->args; *a; a++) {
        if (*a == '*')
            continue;
        type = type_of_letter(*a);
        if (a[1] == '*')
            duckdb_scalar_function_set_varargs(f, type);
        else
            duckdb_scalar_function_add_parameter(f, type);
        duckdb_destroy_logical_type(&type);
    }
    type = type_of_letter(s->result == 'N' ? 'h' : s->result);
    duckdb_scalar_function_set_return_type(f, type);
    duckdb_destroy_logical_type(&type);
    duckdb_scalar_function_set_extra_info(f, (void *)s, NULL);
    duckdb_scalar_function_set_function(f, s->call);
    if (s->sees_nulls)
        duckdb_scalar_function_set_special_handling(f);
    if (s->is_volatile)
        duckdb_scalar_function_set_volatile(f);
    return f;
}

/* Rows of one name stand together in a table: they are overloads, registered as one set. */
static int register_table(duckdb_connection c, const struct shim *shims, size_t n, struct err *err)
{
    size_t i = 0;

    while (i < n) {
        const char *name = shims[i].name;
        duckdb_scalar_function_set set = duckdb_create_scalar_function_set(name);
        duckdb_state state = DuckDBSuccess;

        for (; i < n && str_eq_cstr(str_from_cstr(shims[i].name), name); i++) {
            duckdb_scalar_function f = make(&shims[i]);

            if (duckdb_add_scalar_function_to_set(set, f) != DuckDBSuccess)
                state = DuckDBError;
            duckdb_destroy_scalar_function(&f);
        }
        if (state == DuckDBSuccess)
            state = duckdb_register_scalar_function_set(c, set);
        duckdb_destroy_scalar_function_set(&set);
        if (state != DuckDBSuccess)
            return err_set(err, ERR_INTERNAL, "the SQL engine refuses the function %s", name);
    }
    return 0;
}

int shims_register(duckdb_connection c, struct err *err)
{
    const struct {
        const struct shim *shims;
        size_t n;
    } tables[] = {{shims_arithmetic, shims_arithmetic_count},
                  {shims_cast, shims_cast_count},
                  {shims_text, shims_text_count},
                  {shims_datetime, shims_datetime_count},
                  {shims_bytes, shims_bytes_count},
                  {shims_url, shims_url_count},
                  {shims_json, shims_json_count},
                  {shims_map, shims_map_count}};

    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        int rc = register_table(c, tables[i].shims, tables[i].n, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}
