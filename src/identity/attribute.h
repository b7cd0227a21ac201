/* Clients' attributes and mappers' configuration: texts in JSON, read as what they mean. */
#ifndef IDENTITY_ATTRIBUTE_H
#define IDENTITY_ATTRIBUTE_H

#include "identity/model.h"

/* Null when absent or empty. */
static inline struct str config_str(const json_t *object, const char *name)
{
    struct str s = json_str(json_object_get(object, name));
    return s.n ? s : STR_NULL;
}
static inline bool config_bool(const json_t *object, const char *name, bool fallback)
{
    const json_t *v = json_object_get(object, name);
    if (json_is_boolean(v))
        return json_is_true(v);
    return config_str(object, name).p ? str_eq(config_str(object, name), STR("true")) : fallback;
}
/* What isn't a whole number above 0 is the fallback. */
static inline int64_t config_i64(const json_t *object, const char *name, int64_t fallback)
{
    int64_t v;
    return config_str(object, name).p && str_to_i64(config_str(object, name), &v, NULL) == 0 && v > 0 ? v : fallback;
}
static inline const json_t *client_attributes(const struct client *c)
{
    return json_object_get(c->rep, "attributes");
}
static inline struct str client_attribute(const struct client *c, const char *name)
{
    return config_str(client_attributes(c), name);
}

#endif
