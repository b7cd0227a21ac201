/* Types: "decimal(9, 2)" and nested ones in JSON, both ways. */
#include "iceberg/schema.h"

#include "base/vec.h"

int iceberg_try_array(struct arena *a, size_t n, size_t size, void **ret, struct err *err)
{
    void *p = n > SIZE_MAX / size ? NULL : arena_try_alloc(a, n * size);

    if (!p)
        return err_set(err, ERR_LIMIT, "Iceberg: %zu elements are more than there is memory for", n);
    *ret = p;
    return 0;
}

int iceberg_copy_str(struct arena *a, struct str s, struct str *ret, struct err *err)
{
    char *p;
    int rc = str_is_null(s) ? 0 : iceberg_array(a, char, s.n + 1, &p, err);

    if (rc < 0)
        return rc;
    if (str_is_null(s)) {
        *ret = s;
        return 0;
    }
    if (s.n)
        memcpy(p, s.p, s.n);
    *ret = str_from(p, s.n);
    return 0;
}

static const struct {
    const char *name;
    enum iceberg_type_kind kind;
} primitives[] = {
    {"boolean", ICEBERG_BOOLEAN},
    {"int", ICEBERG_INT},
    {"long", ICEBERG_LONG},
    {"float", ICEBERG_FLOAT},
    {"double", ICEBERG_DOUBLE},
    {"date", ICEBERG_DATE},
    {"time", ICEBERG_TIME},
    {"timestamp", ICEBERG_TIMESTAMP},
    {"timestamptz", ICEBERG_TIMESTAMPTZ},
    {"string", ICEBERG_STRING},
    {"uuid", ICEBERG_UUID},
    {"binary", ICEBERG_BINARY},
};

/* The number at *rest, which is moved past it; -1: none, or too large for any type. */
static int take_number(struct str *rest)
{
    int n = -1;

    *rest = str_trim(*rest);
    while (rest->n && rest->p[0] >= '0' && rest->p[0] <= '9') {
        n = (n < 0 ? 0 : n) * 10 + (rest->p[0] - '0');
        if (n > 100000000)
            return -1;
        *rest = str_skip(*rest, 1);
    }
    *rest = str_trim(*rest);
    return n;
}

static bool take_char(struct str *rest, char c)
{
    if (rest->n == 0 || rest->p[0] != c)
        return false;
    *rest = str_skip(*rest, 1);
    return true;
}

static int parse_primitive(struct arena *a, struct str text, const struct iceberg_type **ret, struct err *err)
{
    struct iceberg_type *t;
    int rc = iceberg_array(a, struct iceberg_type, 1, &t, err);

    if (rc < 0)
        return rc;
    *ret = t;
    for (size_t i = 0; i < ARRAY_LEN(primitives); i++) {
        if (str_eq_cstr(text, primitives[i].name)) {
            t->kind = primitives[i].kind;
            return 0;
        }
    }
    struct str rest = text;
    if (str_starts_with(text, STR("decimal("))) {
        rest = str_skip(rest, 8);
        t->kind = ICEBERG_DECIMAL;
        t->precision = take_number(&rest);
        t->scale = take_char(&rest, ',') ? take_number(&rest) : -1;
        if (take_char(&rest, ')') && rest.n == 0 && t->precision >= 1 && t->precision <= 38 && t->scale >= 0 &&
            t->scale <= t->precision)
            return 0;
    } else if (str_starts_with(text, STR("fixed["))) {
        rest = str_skip(rest, 6);
        t->kind = ICEBERG_FIXED;
        t->length = take_number(&rest);
        if (take_char(&rest, ']') && rest.n == 0 && t->length >= 0)
            return 0;
    }
    static const char *const later[] = {"timestamp_ns", "timestamptz_ns", "variant",
                                        "geometry",     "geography",      "unknown"};
    for (size_t i = 0; i < ARRAY_LEN(later); i++)
        if (str_starts_with(text, str_from_cstr(later[i])))
            return err_set(err, ERR_UNSUPPORTED, "Iceberg type %.*s (format version 3) is not supported",
                           STR_ARG(text));
    return err_set(err, ERR_CORRUPT, "Iceberg: no such type: \"%.*s\"", STR_ARG(str_slice(text, 0, 100)));
}

static int get_id(const json_t *j, const char *key, int *ret, struct err *err)
{
    int64_t id;

    if (json_get_i64(j, key, &id, NULL) < 0 || id < INT32_MIN || id > INT32_MAX)
        return err_set(err, ERR_CORRUPT, "Iceberg: a type or field without a usable \"%s\"", key);
    *ret = (int)id;
    return 0;
}

static int parse_fields(struct arena *a, const json_t *j, int depth, struct iceberg_field **ret, size_t *ret_n,
                        struct err *err)
{
    json_t *list;
    struct iceberg_field *fields;
    int rc;

    if (json_get_array(j, "fields", &list, NULL) < 0)
        return err_set(err, ERR_CORRUPT, "Iceberg: a struct without \"fields\"");
    size_t n = json_array_size(list);
    if ((rc = iceberg_array(a, struct iceberg_field, n, &fields, err)) < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        const json_t *f = json_array_get(list, i);
        struct str name;
        if ((rc = get_id(f, "id", &fields[i].id, err)) < 0)
            return rc;
        if (json_get_str(f, "name", &name, NULL) < 0 || !json_object_get(f, "type"))
            return err_set(err, ERR_CORRUPT, "Iceberg: field %d lacks a name or a type", fields[i].id);
        fields[i].required = json_opt_bool(f, "required", false);
        if ((rc = iceberg_copy_str(a, name, &fields[i].name, err)) < 0 ||
            (rc = iceberg_copy_str(a, json_opt_str(f, "doc", STR_NULL), &fields[i].doc, err)) < 0 ||
            (rc = iceberg_type_parse(a, json_object_get(f, "type"), depth + 1, &fields[i].type, err)) < 0)
            return rc;
    }
    *ret = fields;
    *ret_n = n;
    return 0;
}

/* list: element; map: key and value */
static int parse_nested(struct arena *a, const json_t *j, bool is_map, int depth, struct iceberg_type *t,
                        struct err *err)
{
    int rc = iceberg_array(a, struct iceberg_field, 2, &t->fields, err);

    if (rc < 0)
        return rc;
    t->field_count = is_map ? 2 : 1;
    for (size_t i = 0; i < t->field_count; i++) {
        struct iceberg_field *f = &t->fields[i];
        const char *name = !is_map ? "element" : i == 0 ? "key" : "value";
        const char *id = !is_map ? "element-id" : i == 0 ? "key-id" : "value-id";
        const char *required = !is_map ? "element-required" : "value-required";
        f->name = str_from_cstr(name);
        f->required = (is_map && i == 0) || json_opt_bool(j, required, false);
        if ((rc = get_id(j, id, &f->id, err)) < 0)
            return rc;
        if (!json_object_get(j, name))
            return err_set(err, ERR_CORRUPT, "Iceberg: a list or map without its \"%s\" type", name);
        if ((rc = iceberg_type_parse(a, json_object_get(j, name), depth + 1, &f->type, err)) < 0)
            return rc;
    }
    return 0;
}

int iceberg_type_parse(struct arena *a, const json_t *j, int depth, const struct iceberg_type **ret, struct err *err)
{
    struct str kind = json_opt_str(j, "type", STR_NULL);
    struct iceberg_type *t;
    int rc;

    if (depth > ICEBERG_DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "Iceberg: a type is nested deeper than %d", ICEBERG_DEPTH_MAX);
    if (json_is_string(j))
        return parse_primitive(a, json_str(j), ret, err);
    if ((rc = iceberg_array(a, struct iceberg_type, 1, &t, err)) < 0)
        return rc;
    if (str_eq_cstr(kind, "struct")) {
        t->kind = ICEBERG_STRUCT;
        rc = parse_fields(a, j, depth, &t->fields, &t->field_count, err);
    } else if (str_eq_cstr(kind, "list") || str_eq_cstr(kind, "map")) {
        t->kind = kind.p[0] == 'm' ? ICEBERG_MAP : ICEBERG_LIST;
        rc = parse_nested(a, j, t->kind == ICEBERG_MAP, depth, t, err);
    } else {
        rc = err_set(err, ERR_CORRUPT, "Iceberg: no such type: \"%.*s\"", STR_ARG(str_slice(kind, 0, 100)));
    }
    *ret = t;
    return rc;
}

struct str iceberg_type_name(struct arena *a, const struct iceberg_type *t)
{
    for (size_t i = 0; i < ARRAY_LEN(primitives); i++)
        if (primitives[i].kind == t->kind)
            return str_from_cstr(primitives[i].name);
    switch (t->kind) {
    case ICEBERG_DECIMAL:
        return arena_printf(a, "decimal(%d, %d)", t->precision, t->scale);
    case ICEBERG_FIXED:
        return arena_printf(a, "fixed[%d]", t->length);
    case ICEBERG_LIST:
        return STR("list");
    case ICEBERG_MAP:
        return STR("map");
    default:
        return STR("struct");
    }
}

static void write_fields(struct json_writer *w, const struct iceberg_field *fields, size_t n)
{
    json_key(w, "fields");
    json_open_array(w);
    for (size_t i = 0; i < n; i++) {
        json_open_object(w);
        json_key(w, "id");
        json_add_i64(w, fields[i].id);
        json_key(w, "name");
        json_add_str(w, fields[i].name);
        json_key(w, "required");
        json_add_bool(w, fields[i].required);
        json_key(w, "type");
        iceberg_type_write(w, fields[i].type);
        if (!str_is_null(fields[i].doc)) {
            json_key(w, "doc");
            json_add_str(w, fields[i].doc);
        }
        json_close_object(w);
    }
    json_close_array(w);
}

static void write_child(struct json_writer *w, const struct iceberg_field *f, const char *id, const char *name,
                        const char *required)
{
    json_key(w, id);
    json_add_i64(w, f->id);
    json_key(w, name);
    iceberg_type_write(w, f->type);
    if (required) {
        json_key(w, required);
        json_add_bool(w, f->required);
    }
}

void iceberg_type_write(struct json_writer *w, const struct iceberg_type *t)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;

    if (t->kind != ICEBERG_STRUCT && t->kind != ICEBERG_LIST && t->kind != ICEBERG_MAP) {
        json_add_str(w, iceberg_type_name(&a, t));
        return;
    }
    json_open_object(w);
    json_key(w, "type");
    json_add_str(w, iceberg_type_name(&a, t));
    if (t->kind == ICEBERG_STRUCT) {
        write_fields(w, t->fields, t->field_count);
    } else if (t->kind == ICEBERG_LIST) {
        write_child(w, &t->fields[0], "element-id", "element", "element-required");
    } else {
        write_child(w, &t->fields[0], "key-id", "key", NULL);
        write_child(w, &t->fields[1], "value-id", "value", "value-required");
    }
    json_close_object(w);
}

/* ---- schemas, which are structs with an id ---- */

int iceberg_schema_parse(struct arena *a, const json_t *j, struct iceberg_schema *ret, struct err *err)
{
    struct iceberg_schema s = {.id = (int)json_opt_i64(j, "schema-id", 0)};
    const json_t *ids = json_object_get(j, "identifier-field-ids");
    size_t n = json_is_array(ids) ? json_array_size(ids) : 0;
    int rc;

    if (!json_is_object(j))
        return err_set(err, ERR_CORRUPT, "Iceberg: a schema that isn't an object");
    if ((rc = parse_fields(a, j, 0, &s.fields, &s.field_count, err)) < 0 ||
        (rc = iceberg_array(a, int, n, &s.identifier_ids, err)) < 0)
        return rc;
    for (size_t i = 0; i < n; i++)
        s.identifier_ids[i] = (int)json_integer_value(json_array_get(ids, i));
    s.identifier_count = n;
    *ret = s;
    return 0;
}

void iceberg_schema_write(struct json_writer *w, const struct iceberg_schema *s)
{
    json_open_object(w);
    json_key(w, "type");
    json_add_cstr(w, "struct");
    json_key(w, "schema-id");
    json_add_i64(w, s->id);
    if (s->identifier_count) {
        json_key(w, "identifier-field-ids");
        json_open_array(w);
        for (size_t i = 0; i < s->identifier_count; i++)
            json_add_i64(w, s->identifier_ids[i]);
        json_close_array(w);
    }
    write_fields(w, s->fields, s->field_count);
    json_close_object(w);
}

static const struct iceberg_field *find_in(const struct iceberg_field *fields, size_t n, int id)
{
    for (size_t i = 0; i < n; i++)
        if (fields[i].id == id)
            return &fields[i];
    for (size_t i = 0; i < n; i++) {
        const struct iceberg_type *t = fields[i].type;
        const struct iceberg_field *f = t->field_count ? find_in(t->fields, t->field_count, id) : NULL;
        if (f)
            return f;
    }
    return NULL;
}

const struct iceberg_field *iceberg_schema_find(const struct iceberg_schema *s, int field_id)
{
    return find_in(s->fields, s->field_count, field_id);
}

int iceberg_highest_id(const struct iceberg_field *fields, size_t n)
{
    int highest = 0;

    for (size_t i = 0; i < n; i++) {
        int inner = iceberg_highest_id(fields[i].type->fields, fields[i].type->field_count);
        int id = fields[i].id > inner ? fields[i].id : inner;
        highest = id > highest ? id : highest;
    }
    return highest;
}

/* All fields of a struct get their ids before what is inside them, as TypeUtil.assignFreshIds visits. */
static void assign(struct arena *a, struct iceberg_field *fields, size_t n, int *next)
{
    for (size_t i = 0; i < n; i++)
        fields[i].id = ++*next;
    for (size_t i = 0; i < n; i++) {
        if (!fields[i].type->field_count)
            continue;
        struct iceberg_type *t = arena_new(a, struct iceberg_type);
        *t = *fields[i].type;
        t->fields = arena_array(a, struct iceberg_field, t->field_count);
        memcpy(t->fields, fields[i].type->fields, t->field_count * sizeof(*t->fields));
        fields[i].type = t;
        assign(a, t->fields, t->field_count, next);
    }
}

void iceberg_assign_ids(struct arena *a, struct iceberg_schema *s, int *ret_last)
{
    int last = 0;

    assign(a, s->fields, s->field_count, &last);
    *ret_last = last;
}
