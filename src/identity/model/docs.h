/* Small things to do with documents. */
#ifndef IDENTITY_MODEL_DOCS_H
#define IDENTITY_MODEL_DOCS_H

#include "base/json.h"

/* The array of strings at a key as strings of the arena; they live as long as the document. */
size_t json_strings(struct arena *a, const json_t *object, const char *key, const struct str **ret);
/* The compact text, in the arena. */
struct str json_text(struct arena *a, const json_t *j);
json_t *json_of(struct str s);                                    /* a string */
void json_put_str(json_t *object, const char *key, struct str s); /* a null str removes the key */
/* The string at `inner` of the object at `outer`, or null. */
struct str json_inner(const json_t *object, const char *outer, const char *inner);
/* The first string of the array at `key` of the object `config`: how components have their settings. */
struct str json_first(const json_t *config, const char *key);
void json_put_first(json_t *config, const char *key, struct str s);
bool json_array_has(const json_t *array, struct str s);
void json_array_remove_str(json_t *array, struct str s);
/* A new UUID as the document's id. */
void json_new_id(json_t *doc);

#endif
