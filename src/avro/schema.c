/*
 * Schemas: JSON to a graph of nodes (a graph, since a name may be used where it was defined, even inside itself).
 * Only what decides how bytes are read is kept, and Iceberg's field ids; unknown attributes are ignored as the
 * specification says.
 */
#include "avro/avro.h"

#include "base/map.h"
#include "base/vec.h"

enum { SCHEMA_TEXT_MAX = 4 << 20, DEPTH_MAX = 64 };

struct parser {
    struct arena *arena;
    struct map names; /* full ones, to struct avro_schema */
    int depth;
    struct err *err;
};

static int parse_node(struct parser *p, const json_t *j, struct str ns, struct avro_schema **ret);

static int fail(struct parser *p, int code, const char *fmt, struct str what)
{
    struct str shown = str_slice(what, 0, 200);
    char text[256];

    snprintf(text, sizeof(text), "%.*s", STR_ARG(shown));
    return err_set(p->err, code, "Avro schema: %s: \"%s\"", fmt, text);
}

static void *alloc(struct parser *p, size_t n, size_t size)
{
    void *m = n > SIZE_MAX / size ? NULL : arena_try_alloc(p->arena, n * size);

    if (!m)
        err_set(p->err, ERR_LIMIT, "Avro schema: larger than memory is given to it");
    return m;
}

static bool primitive_kind(struct str name, enum avro_kind *ret)
{
    static const struct {
        const char *name;
        enum avro_kind kind;
    } kinds[] = {
        {"null", AVRO_NULL},   {"boolean", AVRO_BOOLEAN}, {"int", AVRO_INT},     {"long", AVRO_LONG},
        {"float", AVRO_FLOAT}, {"double", AVRO_DOUBLE},   {"bytes", AVRO_BYTES}, {"string", AVRO_STRING},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_eq_cstr(name, kinds[i].name)) {
            *ret = kinds[i].kind;
            return true;
        }
    }
    return false;
}

static struct avro_schema *new_node(struct parser *p, enum avro_kind kind)
{
    struct avro_schema *s = alloc(p, 1, sizeof(*s));

    if (s) {
        s->kind = kind;
        s->element_id = -1;
    }
    return s;
}

/* "a.b.C" is full; "C" is in the namespace around it (specification: Names). */
static int full_name(struct parser *p, struct str name, struct str ns, struct str *ret)
{
    if (str_find_char(name, '.', 0) != SIZE_MAX || str_is_empty(ns)) {
        *ret = name;
        return 0;
    }
    char *text = alloc(p, ns.n + 1 + name.n, 1);
    if (!text)
        return ERR_LIMIT;
    memcpy(text, ns.p, ns.n);
    text[ns.n] = '.';
    memcpy(text + ns.n + 1, name.p, name.n);
    *ret = str_from(text, ns.n + 1 + name.n);
    return 0;
}

/* A name where a schema is expected: a primitive, or something defined before. */
static int parse_reference(struct parser *p, struct str name, struct str ns, struct avro_schema **ret)
{
    enum avro_kind kind;
    struct str full;

    if (primitive_kind(name, &kind)) {
        *ret = new_node(p, kind);
        return *ret ? 0 : ERR_LIMIT;
    }
    int rc = full_name(p, name, ns, &full);
    if (rc < 0)
        return rc;
    *ret = map_get(&p->names, full);
    if (!*ret)
        *ret = map_get(&p->names, name);
    return *ret ? 0 : fail(p, ERR_CORRUPT, "a type that isn't defined", name);
}

/* Registers record, enum or fixed under its name; *ret_ns is the namespace for what is inside. */
static int define(struct parser *p, const json_t *j, struct str ns, struct avro_schema *s, struct str *ret_ns)
{
    struct str name, full;
    struct str own = json_opt_str(j, "namespace", STR_NULL);
    int rc = json_get_str(j, "name", &name, p->err);

    if (rc < 0)
        return err_set(p->err, ERR_CORRUPT, "Avro schema: a record, enum or fixed without a name");
    if (!str_is_null(own))
        ns = own;
    if ((rc = full_name(p, name, ns, &full)) < 0)
        return rc;
    if (map_get(&p->names, full))
        return fail(p, ERR_CORRUPT, "a name that is defined twice", full);
    map_set(&p->names, full, s);
    size_t dot = str_rfind_char(full, '.');
    *ret_ns = dot == SIZE_MAX ? STR("") : str_slice(full, 0, dot);
    return 0;
}

static int parse_record(struct parser *p, const json_t *j, struct str ns, struct avro_schema **ret)
{
    struct avro_schema *s = new_node(p, AVRO_RECORD);
    json_t *fields;
    int rc;

    if (!s)
        return ERR_LIMIT;
    if ((rc = define(p, j, ns, s, &ns)) < 0)
        return rc;
    if (json_get_array(j, "fields", &fields, p->err) < 0)
        return err_set(p->err, ERR_CORRUPT, "Avro schema: a record without fields");
    size_t n = json_array_size(fields);
    struct avro_field *list = alloc(p, n, sizeof(*list));
    if (!list)
        return ERR_LIMIT;
    for (size_t i = 0; i < n; i++) {
        const json_t *f = json_array_get(fields, i);
        struct str name;
        if (json_get_str(f, "name", &name, p->err) < 0)
            return err_set(p->err, ERR_CORRUPT, "Avro schema: a field without a name");
        char *copy = alloc(p, name.n, 1);
        if (!copy)
            return ERR_LIMIT;
        if (name.n)
            memcpy(copy, name.p, name.n);
        int64_t id = json_opt_i64(f, "field-id", -1);
        list[i] = (struct avro_field){.name = {copy, name.n}, .field_id = id >= 0 && id <= INT32_MAX ? (int)id : -1};
        const json_t *type = json_object_get(f, "type");
        if (!type)
            return fail(p, ERR_CORRUPT, "a field without a type", name);
        if ((rc = parse_node(p, type, ns, &list[i].schema)) < 0)
            return rc;
    }
    s->fields = list;
    s->field_count = n;
    *ret = s;
    return 0;
}

static int parse_union(struct parser *p, const json_t *j, struct str ns, struct avro_schema **ret)
{
    struct avro_schema *s = new_node(p, AVRO_UNION);
    size_t n = json_array_size(j);

    if (!s)
        return ERR_LIMIT;
    struct avro_field *list = alloc(p, n, sizeof(*list));
    if (!list)
        return ERR_LIMIT;
    for (size_t i = 0; i < n; i++) {
        list[i].field_id = -1;
        int rc = parse_node(p, json_array_get(j, i), ns, &list[i].schema);
        if (rc < 0)
            return rc;
        if (list[i].schema->kind == AVRO_UNION)
            return err_set(p->err, ERR_CORRUPT, "Avro schema: a union directly inside a union");
    }
    s->fields = list;
    s->field_count = n;
    *ret = s;
    return 0;
}

static int parse_enum(struct parser *p, const json_t *j, struct str ns, struct avro_schema **ret)
{
    struct avro_schema *s = new_node(p, AVRO_ENUM);
    json_t *symbols;
    int rc;

    if (!s)
        return ERR_LIMIT;
    if ((rc = define(p, j, ns, s, &ns)) < 0)
        return rc;
    if (json_get_array(j, "symbols", &symbols, p->err) < 0)
        return err_set(p->err, ERR_CORRUPT, "Avro schema: an enum without symbols");
    size_t n = json_array_size(symbols);
    if (!(s->symbols = alloc(p, n, sizeof(*s->symbols))))
        return ERR_LIMIT;
    for (size_t i = 0; i < n; i++) {
        struct str symbol = json_str(json_array_get(symbols, i));
        char *copy = alloc(p, symbol.n, 1);
        if (!copy)
            return ERR_LIMIT;
        if (symbol.n)
            memcpy(copy, symbol.p, symbol.n);
        s->symbols[i] = str_from(copy, symbol.n);
    }
    s->symbol_count = n;
    *ret = s;
    return 0;
}

static int parse_fixed(struct parser *p, const json_t *j, struct str ns, struct avro_schema **ret)
{
    struct avro_schema *s = new_node(p, AVRO_FIXED);
    int64_t size = json_opt_i64(j, "size", -1);
    int rc;

    if (!s)
        return ERR_LIMIT;
    if ((rc = define(p, j, ns, s, &ns)) < 0)
        return rc;
    if (size < 0 || size > INT32_MAX)
        return err_set(p->err, ERR_CORRUPT, "Avro schema: a fixed of %lld bytes", (long long)size);
    s->size = (size_t)size;
    *ret = s;
    return 0;
}

static int parse_object(struct parser *p, const json_t *j, struct str ns, struct avro_schema **ret)
{
    const json_t *type = json_object_get(j, "type");
    struct str name = json_str(type);
    int rc;

    if (!type)
        return err_set(p->err, ERR_CORRUPT, "Avro schema: an object without \"type\"");
    if (str_is_null(name)) /* {"type": {…}}: the inner one */
        return parse_node(p, type, ns, ret);
    if (str_eq_cstr(name, "record") || str_eq_cstr(name, "error")) {
        rc = parse_record(p, j, ns, ret);
    } else if (str_eq_cstr(name, "enum")) {
        rc = parse_enum(p, j, ns, ret);
    } else if (str_eq_cstr(name, "fixed")) {
        rc = parse_fixed(p, j, ns, ret);
    } else if (str_eq_cstr(name, "array") || str_eq_cstr(name, "map")) {
        bool is_map = name.p[0] == 'm';
        const json_t *inner = json_object_get(j, is_map ? "values" : "items");
        struct avro_schema *s = new_node(p, is_map ? AVRO_MAP : AVRO_ARRAY);
        if (!s)
            return ERR_LIMIT;
        if (!inner)
            return err_set(p->err, ERR_CORRUPT, "Avro schema: an array without items, or a map without values");
        int64_t id = json_opt_i64(j, is_map ? "value-id" : "element-id", -1);
        s->element_id = id >= 0 && id <= INT32_MAX ? (int)id : -1;
        rc = parse_node(p, inner, ns, &s->element);
        *ret = s;
    } else {
        return parse_reference(p, name, ns, ret);
    }
    struct str logical = json_opt_str(j, "logicalType", STR_NULL);
    if (rc == 0 && !str_is_null(logical)) {
        char *copy = alloc(p, logical.n, 1);
        if (!copy)
            return ERR_LIMIT;
        if (logical.n)
            memcpy(copy, logical.p, logical.n);
        (*ret)->logical_type = str_from(copy, logical.n);
    }
    return rc;
}

static int parse_node(struct parser *p, const json_t *j, struct str ns, struct avro_schema **ret)
{
    int rc;

    if (p->depth == DEPTH_MAX)
        return err_set(p->err, ERR_LIMIT, "Avro schema: nested deeper than %d", DEPTH_MAX);
    p->depth++;
    if (json_is_string(j))
        rc = parse_reference(p, json_str(j), ns, ret);
    else if (json_is_array(j))
        rc = parse_union(p, j, ns, ret);
    else if (json_is_object(j))
        rc = parse_object(p, j, ns, ret);
    else
        rc = err_set(p->err, ERR_CORRUPT, "Avro schema: expected a name, a union or an object");
    p->depth--;
    return rc;
}

int avro_schema_parse(struct arena *a, struct str json, struct avro_schema **ret, struct err *err)
{
    JSON_SCOPED json_t *j = NULL;
    struct avro_schema *s;

    if (json.n > SCHEMA_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "Avro schema: %zu bytes, more than %d", json.n, SCHEMA_TEXT_MAX);
    if (json_parse(json, &j, err) < 0) {
        err_prefix(err, "Avro schema");
        if (err)
            err->code = ERR_CORRUPT;
        return ERR_CORRUPT;
    }
    struct parser p = {.arena = a, .err = err};
    int rc = parse_node(&p, j, STR(""), &s);
    map_release(&p.names);
    if (rc < 0)
        return rc;
    *ret = s;
    return 0;
}
