/*
 * application/x-www-form-urlencoded, as form bodies and query strings have it (the URL standard's section 5): names and
 * values in order, repeated ones kept, because OAuth refuses a request that repeats a parameter (RFC 6749, 3.1).
 */
#ifndef HTTP_FORM_H
#define HTTP_FORM_H

#include "base/buf.h"

enum { HTTP_FORM_FIELDS_MAX = 1000 };

struct http_field {
    struct str name, value;
};

struct http_form {
    struct http_field *fields;
    size_t n;
};

/* Fields are decoded into the arena; empty parts ("a=1&&b=2") are skipped. ERR_INVALID for a malformed escape, a NUL or
 * text that isn't UTF-8, ERR_LIMIT past HTTP_FORM_FIELDS_MAX. The messages repeat nothing of the text: it may hold
 * passwords. */
MUST_CHECK int http_form_parse(struct arena *a, struct str text, struct http_form *ret, struct err *err);
/* The value of the first field of that name: null when there is none, empty for "name" and "name=". */
struct str http_form_get(const struct http_form *f, const char *name);
size_t http_form_count(const struct http_form *f, const char *name);
/* The name of a field that comes more than once, or null. */
struct str http_form_repeated(const struct http_form *f);
/* True for the media type of forms, whatever its parameters ("; charset=UTF-8"). */
bool http_form_is_type(struct str content_type);

/* Appends name=value, encoded, behind an '&' unless `to` is empty or ends with '?', '#' or '&'. A space is %20, which
 * readers of forms and of URLs both understand. */
void http_form_add(struct buf *to, struct str name, struct str value);
/* As http_form_add, to a URL without fragment: behind '?' when the URL has no query. */
void http_form_add_to_url(struct buf *url, struct str name, struct str value);

#endif
