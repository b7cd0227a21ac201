/*
 * The types of representations, from fields.def. As Jackson with Keycloak's settings: an unknown member is refused, null is
 * anything, a number or flag in quotes is taken for one, and a number or flag for text.
 */
#include "identity/admin/represent.h"
#include "base/vec.h"

enum field_type { TEXT, FLAG, NUMBER, TEXTS, MAP, LIST, OBJECT, ANY };

static const struct field {
    enum represent_kind of;
    const char *name;
    enum field_type type;
    int items;
} fields[] = {
#define FIELD(of, name, type, items) {of, name, type, items},
#include "identity/admin/fields.def"
#undef FIELD
};

/* The table is in the order of kinds: one look from each kind's start. */
static const struct field *find(enum represent_kind kind, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (fields[i].of == kind && strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

/* A scalar as the type, or NULL; a new reference. */
static json_t *coerce(json_t *v, enum field_type type)
{
    struct str s = json_str(v);
    int64_t n;

    switch (type) {
    case TEXT:
        if (json_is_string(v))
            return json_incref(v);
        if (json_is_integer(v))
            return json_sprintf("%lld", (long long)json_integer_value(v));
        if (json_is_boolean(v))
            return json_string(json_is_true(v) ? "true" : "false");
        return NULL;
    case FLAG:
        if (json_is_boolean(v))
            return json_incref(v);
        if (str_eq(s, STR("true")) || str_eq(s, STR("false")))
            return json_boolean(s.n == 4);
        return json_is_string(v) && s.n == 0 ? json_null() : NULL;
    case NUMBER:
        if (json_is_integer(v))
            return json_incref(v);
        if (json_is_string(v) && s.n == 0)
            return json_null();
        return str_to_i64(s, &n, NULL) == 0 ? json_integer(n) : NULL;
    default:
        return NULL;
    }
}

static int check_texts(json_t *list, const char *name, struct err *err)
{
    if (!json_is_array(list))
        return err_set(err, ERR_INVALID, "'%s' should be an array of texts", name);
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *s = coerce(json_array_get(list, i), TEXT);
        if (!s)
            return err_set(err, ERR_INVALID, "'%s' should be an array of texts", name);
        json_array_set_new(list, i, s);
    }
    return 0;
}

static int check_map(json_t *map, const char *name, struct err *err)
{
    const char *key;
    json_t *value;
    void *next;

    if (!json_is_object(map))
        return err_set(err, ERR_INVALID, "'%s' should be an object of texts", name);
    json_object_foreach_safe(map, next, key, value)
    {
        if (json_is_null(value))
            continue;
        json_t *s = coerce(value, TEXT);
        if (!s)
            return err_set(err, ERR_INVALID, "'%s' of '%s' should be text", key, name);
        json_object_set_new(map, key, s);
    }
    return 0;
}

static int check_list(json_t *list, const struct field *f, struct err *err)
{
    int rc = 0;

    if (!json_is_array(list))
        return err_set(err, ERR_INVALID, "'%s' should be an array", f->name);
    for (size_t i = 0; rc == 0 && f->items && i < json_array_size(list); i++)
        rc = represent_check(json_array_get(list, i), (enum represent_kind)f->items, err);
    return rc;
}

static int check_member(json_t *object, const struct field *f, json_t *value, struct err *err)
{
    json_t *v;

    switch (f->type) {
    case TEXTS:
        return check_texts(value, f->name, err);
    case MAP:
        return check_map(value, f->name, err);
    case LIST:
        return check_list(value, f, err);
    case OBJECT:
        return json_is_object(value) ? 0 : err_set(err, ERR_INVALID, "'%s' should be an object", f->name);
    case ANY:
        return 0;
    default:
        v = coerce(value, f->type);
        if (!v)
            return err_set(err, ERR_INVALID, "'%s' should be %s", f->name,
                           f->type == TEXT   ? "text"
                           : f->type == FLAG ? "true or false"
                                             : "a whole number");
        json_object_set_new(object, f->name, v);
        return 0;
    }
}

int represent_check(json_t *object, enum represent_kind kind, struct err *err)
{
    const char *key;
    json_t *value;
    void *next;
    int rc = 0;

    if (!json_is_object(object))
        return err_set(err, ERR_INVALID, "a JSON object is expected");
    json_object_foreach_safe(object, next, key, value)
    {
        const struct field *f = find(kind, key);
        if (!f)
            return err_set(err, ERR_INVALID, "Unrecognized field \"%.200s\", not marked as ignorable", key);
        if (!json_is_null(value))
            rc = check_member(object, f, value, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}
