/*
 * JSON (RFC 8259). Reading is jansson's, with bounds and messages that say where; writing is a streaming writer
 * into a buf, so that a response needs no tree.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include <jansson.h>

/* Parses the whole text (any JSON value). Nesting is bounded by jansson (2048), duplicate keys are refused.
 * The caller owns *ret (json_decref, or JSON_SCOPED). ERR_INVALID carries line and column. */
MUST_CHECK int json_parse(struct str text, json_t **ret, struct err *err);

static inline void json_release(json_t **j)
{
    json_decref(*j);
}
#define JSON_SCOPED __attribute__((cleanup(json_release)))

/* Hands the reference over to the arena; returns its argument, which may be NULL. */
json_t *json_keep(struct arena *a, json_t *j);

/* Members of an object. The required forms say which key is missing or of which type it should be. The text stays
 * owned by the object. */
MUST_CHECK int json_get_str(const json_t *object, const char *key, struct str *ret, struct err *err);
MUST_CHECK int json_get_i64(const json_t *object, const char *key, int64_t *ret, struct err *err);
MUST_CHECK int json_get_object(const json_t *object, const char *key, json_t **ret, struct err *err); /* borrowed */
MUST_CHECK int json_get_array(const json_t *object, const char *key, json_t **ret, struct err *err);  /* borrowed */
/* The optional forms: the fallback when the key is absent, null or of another type. */
struct str json_opt_str(const json_t *object, const char *key, struct str fallback);
int64_t json_opt_i64(const json_t *object, const char *key, int64_t fallback);
bool json_opt_bool(const json_t *object, const char *key, bool fallback);
struct str json_str(const json_t *string); /* STR_NULL unless a string */

/* Writer: commas are its business. Depth up to 64; a misuse (value without key in an object) asserts.
 *   json_open_object(&w); json_key(&w, "id"); json_add_str(&w, id); json_close_object(&w); */
struct json_writer {
    struct buf *to;
    int depth;
    bool need_comma[64];
};

void json_writer_init(struct json_writer *w, struct buf *to);
void json_open_object(struct json_writer *w);
void json_close_object(struct json_writer *w);
void json_open_array(struct json_writer *w);
void json_close_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_key_str(struct json_writer *w, struct str key);
void json_add_str(struct json_writer *w, struct str s);   /* malformed UTF-8 becomes U+FFFD; a null str is null */
void json_add_cstr(struct json_writer *w, const char *s); /* NULL is null */
void json_add_i64(struct json_writer *w, int64_t v);
void json_add_u64(struct json_writer *w, uint64_t v);
void json_add_f64(struct json_writer *w, double v); /* shortest form that reads back; NaN and infinities as strings */
void json_add_bool(struct json_writer *w, bool v);
void json_add_null(struct json_writer *w);
void json_add_raw(struct json_writer *w, struct str json);       /* trusted, well-formed text */
void json_add_value(struct json_writer *w, const json_t *value); /* a jansson tree */

/* The string with quotes and escapes, as json_add_str writes it. */
void json_escape(struct buf *to, struct str s);
/* The number as json_add_f64 writes it, without quotes for finite ones. */
void json_format_f64(struct buf *to, double v);

#endif
