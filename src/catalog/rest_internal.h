/* What the files of the REST catalog share. Private to them. */
#ifndef CATALOG_REST_INTERNAL_H
#define CATALOG_REST_INTERNAL_H

#include "catalog/rest.h"

struct catalog_rest {
    struct arena arena;
    struct catalog_rest_options o;
    struct catalog_rest_mount *mounts;
    struct iceberg_io io;
    struct iceberg_cache *cache;
    struct http_router *router;
};

/* Answers with the specification's ErrorModel; the one place that turns struct err into it. */
void rest_fail(struct http_call *c, const struct err *err);
/* The JSON in `body`, which is taken over. */
void rest_answer(struct http_call *c, int status, struct buf *body);
void rest_answer_empty(struct http_call *c, int status);

/* The catalog that the path's {prefix} names, when the caller may do this. */
MUST_CHECK int rest_enter(struct catalog_rest *r, struct http_call *c, enum catalog_action action, struct str ns,
                          struct str table, const struct catalog_rest_mount **ret, struct err *err);
/* The path's {namespace}, its levels joined by dots. ERR_INVALID: a level that is empty or has a dot. */
MUST_CHECK int rest_namespace(struct http_call *c, struct str *ret, struct err *err);
/* The same from a JSON array of levels. */
MUST_CHECK int rest_namespace_from_json(struct arena *a, const json_t *levels, struct str *ret, struct err *err);
void rest_write_namespace(struct json_writer *w, struct str ns);
/* The body as a JSON object; the caller owns it. */
MUST_CHECK int rest_body(struct http_call *c, json_t **ret, struct err *err);
/* The part of a sorted list that pageToken and pageSize ask for; null *ret_next: it is the last. */
MUST_CHECK int rest_page(struct http_call *c, struct str **names, size_t *n, struct str *ret_next, struct err *err);

void rest_list_namespaces(void *rest, struct http_call *c);
void rest_create_namespace(void *rest, struct http_call *c);
void rest_get_namespace(void *rest, struct http_call *c);
void rest_head_namespace(void *rest, struct http_call *c);
void rest_drop_namespace(void *rest, struct http_call *c);
void rest_update_namespace(void *rest, struct http_call *c);

void rest_list_tables(void *rest, struct http_call *c);
void rest_create_table(void *rest, struct http_call *c);
void rest_register_table(void *rest, struct http_call *c);
void rest_load_table(void *rest, struct http_call *c);
void rest_head_table(void *rest, struct http_call *c);
void rest_commit_table(void *rest, struct http_call *c);
void rest_drop_table(void *rest, struct http_call *c);
void rest_rename_table(void *rest, struct http_call *c);

#endif
