/* Claims by their configured names and types. */
#include "identity/token/internal.h"

enum { CLAIM_DEPTH_MAX = 8 };

/* The part of the name before the next dot that isn't escaped, without its backslashes. */
static char *next_part(struct arena *a, struct str *rest, bool *is_last)
{
    char *part = arena_alloc(a, rest->n + 1);
    size_t n = 0, i;

    for (i = 0; i < rest->n && rest->p[i] != '.'; i++) {
        if (rest->p[i] == '\\' && i + 1 < rest->n && rest->p[i + 1] == '.')
            i++;
        part[n++] = rest->p[i];
    }
    part[n] = '\0';
    *is_last = i >= rest->n;
    *rest = str_skip(*rest, i + 1);
    return part;
}

void token_set_claim(json_t *claims, struct str name, json_t *value)
{
    ARENA_SCOPED struct arena a;
    json_t *object = claims;
    bool is_last = false;

    arena_init(&a, 0);
    for (int depth = 0; !is_last && depth < CLAIM_DEPTH_MAX; depth++) {
        const char *part = next_part(&a, &name, &is_last);
        json_t *inner = json_object_get(object, part);
        if (is_last) {
            json_object_set_new(object, part, value);
            return;
        }
        if (!json_is_object(inner)) {
            inner = json_object();
            json_object_set_new(object, part, inner);
        }
        object = inner;
    }
    json_decref(value); /* deeper than anybody nests claims */
}

void token_add_audience(json_t *claims, struct str audience)
{
    json_t *aud = json_object_get(claims, "aud"), *list;

    if (jwt_has_audience(claims, audience))
        return;
    if (!aud) {
        json_object_set_new(claims, "aud", json_stringn(audience.p, audience.n));
        return;
    }
    if (json_is_string(aud)) {
        list = json_array();
        json_array_append(list, aud);
        json_object_set_new(claims, "aud", list);
        aud = list;
    }
    json_array_append_new(aud, json_stringn(audience.p, audience.n));
}
