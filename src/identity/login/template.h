/*
 * The templates of the pages, a small part of Mustache. There is no way to write a value into a page but escaped, for text
 * and for quoted attributes alike: that is the whole defence against injected markup, so it has no exception.
 *
 *   {{name}} {{a.b}} {{.}}    the value, escaped; numbers and booleans too; nothing when it is absent
 *   {{#name}}…{{/name}}       an array: once for each item; true, an object, a text that isn't empty, a number: once
 *   {{^name}}…{{/name}}       when {{#name}} would give nothing
 *   {{>file}}                 another template with the same values
 *   {{t key}} {{t key a b}}   the language's text for the key; {0}, {1} in it stand for the values a and b, escaped
 *
 * A name is looked up in the innermost object first. Templates are ours: a mistake in one is ERR_INTERNAL.
 */
#ifndef IDENTITY_LOGIN_TEMPLATE_H
#define IDENTITY_LOGIN_TEMPLATE_H

#include "base/buf.h"
#include "base/json.h"

enum { TEMPLATE_DEPTH_MAX = 12 };

struct messages;

MUST_CHECK int template_render(struct buf *to, const char *name, const json_t *data, const struct messages *m,
                               struct err *err);
/* For text and double-quoted attributes. What isn't UTF-8 becomes U+FFFD. */
void template_escape(struct buf *to, struct str s);

/* ---- messages.c: the texts of a language, "key=text" a line; keys are Keycloak's where it has the text ---- */

/* The language of a request: the first of `wanted` (tags such as "fr-CA", best first) that there is; English otherwise. */
const struct messages *messages_for(const struct str *wanted, size_t n);
/* The tags of an Accept-Language header by their weight, best first; at most `max`. */
size_t messages_parse_accept(struct str header, struct str *ret, size_t max);
const char *messages_tag(const struct messages *m); /* "en", "fr" */
/* All languages, in the order in which a page offers them. */
const struct messages *messages_at(size_t i); /* NULL: past the last */
/* The text for a key, its own parameters unreplaced; English when the language lacks it, null when there is none. */
struct str messages_get(const struct messages *m, struct str key);
/* The text with {0}, {1}, … replaced, as plain text: for values of a page. The key itself when there is no such text. */
struct str messages_text(const struct messages *m, struct arena *a, const char *key, const struct str *args, size_t n);

#endif
