#include "spec/document.h"

#include "base/map.h"
#include "base/vec.h"

#include <yaml.h>

struct reader {
    struct arena *a;
    struct str file;
    yaml_parser_t parser;
    yaml_event_t event;
    bool has_event;
};

static int fail(struct reader *r, yaml_mark_t at, struct err *err, const char *fmt, ...) PRINTF_LIKE(4, 5);

static int fail(struct reader *r, yaml_mark_t at, struct err *err, const char *fmt, ...)
{
    char text[ERR_MESSAGE_SIZE];
    va_list ap;
    int line = (int)at.line + 1, column = (int)at.column + 1;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set_at(err, ERR_INVALID, NULL, line, column, "%.*s:%d:%d: %s", STR_ARG(r->file), line, column, text);
}

static int next(struct reader *r, struct err *err)
{
    if (r->has_event)
        yaml_event_delete(&r->event);
    r->has_event = false;
    if (!yaml_parser_parse(&r->parser, &r->event)) {
        const yaml_parser_t *p = &r->parser;
        /* A wrong byte is found before there are lines: only its offset is known. */
        if (p->error == YAML_READER_ERROR)
            return fail(r, p->mark, err, "not YAML: %s at byte %zu", p->problem ? p->problem : "unreadable",
                        p->problem_offset);
        return fail(r, p->problem_mark, err, "not YAML: %s%s%s", p->problem ? p->problem : "unreadable",
                    p->context ? " " : "", p->context ? p->context : "");
    }
    r->has_event = true;
    return 0;
}

static struct doc_node *node_new(struct reader *r, enum doc_kind kind)
{
    struct doc_node *n = arena_new(r->a, struct doc_node);

    n->kind = kind;
    n->line = (int)r->event.start_mark.line + 1;
    n->column = (int)r->event.start_mark.column + 1;
    return n;
}

static struct str event_text(struct reader *r)
{
    return arena_str(r->a, str_from((const char *)r->event.data.scalar.value, r->event.data.scalar.length));
}

static bool is_null(const yaml_event_t *e)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    struct str text = str_from((const char *)e->data.scalar.value, e->data.scalar.length);

    if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eq_cstr(text, words[i]))
            return true;
    }
    return false;
}

/* Anchors alone do no harm, but nothing can be done with them once aliases are refused. */
static int refuse_extras(struct reader *r, const yaml_char_t *anchor, const yaml_char_t *tag, struct err *err)
{
    if (anchor)
        return fail(r, r->event.start_mark, err, "anchors (&%s) aren't supported: write the value out", anchor);
    if (tag)
        return fail(r, r->event.start_mark, err, "tags (%s) aren't supported: leave it out", tag);
    return 0;
}

static int read_node(struct reader *r, int depth, struct doc_node **ret, struct err *err);

static int read_list(struct reader *r, int depth, struct doc_node *list, struct err *err)
{
    VEC(struct doc_node *) items = {0};

    for (;;) {
        struct doc_node *item;
        int rc = next(r, err);
        if (rc < 0)
            return rc;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        rc = read_node(r, depth + 1, &item, err);
        if (rc < 0)
            return rc;
        vec_push_in(r->a, &items, item);
    }
    list->items = items.items;
    list->n = items.n;
    return 0;
}

static int read_key(struct reader *r, struct map *seen, struct doc_pair *ret, struct err *err)
{
    yaml_mark_t at = r->event.start_mark;

    if (r->event.type == YAML_ALIAS_EVENT)
        return fail(r, at, err, "aliases (*%s) aren't supported: write the value out", r->event.data.alias.anchor);
    if (r->event.type != YAML_SCALAR_EVENT)
        return fail(r, at, err, "expected a name as key, found a %s",
                    r->event.type == YAML_MAPPING_START_EVENT ? "mapping" : "list");
    int rc = refuse_extras(r, r->event.data.scalar.anchor, r->event.data.scalar.tag, err);
    if (rc < 0)
        return rc;
    *ret = (struct doc_pair){event_text(r), (int)at.line + 1, (int)at.column + 1, NULL};
    const int *before = map_get(seen, ret->key);
    if (before)
        return fail(r, at, err, "%.*s stands here twice: first on line %d", STR_ARG(ret->key), *before);
    int *line = arena_new(r->a, int);
    *line = ret->line;
    map_set(seen, ret->key, line);
    return 0;
}

static int read_pairs(struct reader *r, int depth, struct map *seen, struct doc_node *map, struct err *err)
{
    VEC(struct doc_pair) pairs = {0};

    for (;;) {
        struct doc_pair pair = {0};
        int rc = next(r, err);
        if (rc < 0)
            return rc;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            break;
        rc = read_key(r, seen, &pair, err);
        if (rc == 0)
            rc = next(r, err);
        if (rc == 0)
            rc = read_node(r, depth + 1, &pair.value, err);
        if (rc < 0)
            return rc;
        vec_push_in(r->a, &pairs, pair);
    }
    map->pairs = pairs.items;
    map->n = pairs.n;
    return 0;
}

static int read_map(struct reader *r, int depth, struct doc_node *map, struct err *err)
{
    struct map seen = MAP_INIT;
    int rc = read_pairs(r, depth, &seen, map, err);

    map_release(&seen);
    return rc;
}

/* The node that starts with the current event. */
static int read_node(struct reader *r, int depth, struct doc_node **ret, struct err *err)
{
    yaml_event_t *e = &r->event;
    int rc;

    if (depth > DOC_DEPTH_MAX)
        return fail(r, e->start_mark, err, "nested deeper than %d", DOC_DEPTH_MAX);
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        rc = refuse_extras(r, e->data.scalar.anchor, e->data.scalar.tag, err);
        if (rc < 0)
            return rc;
        *ret = node_new(r, is_null(e) ? DOC_NULL : DOC_TEXT);
        (*ret)->text = event_text(r);
        return 0;
    case YAML_SEQUENCE_START_EVENT:
        rc = refuse_extras(r, e->data.sequence_start.anchor, e->data.sequence_start.tag, err);
        if (rc < 0)
            return rc;
        *ret = node_new(r, DOC_LIST);
        return read_list(r, depth, *ret, err);
    case YAML_MAPPING_START_EVENT:
        rc = refuse_extras(r, e->data.mapping_start.anchor, e->data.mapping_start.tag, err);
        if (rc < 0)
            return rc;
        *ret = node_new(r, DOC_MAP);
        return read_map(r, depth, *ret, err);
    case YAML_ALIAS_EVENT:
        return fail(r, e->start_mark, err, "aliases (*%s) aren't supported: write the value out", e->data.alias.anchor);
    default:
        return fail(r, e->start_mark, err, "expected a value");
    }
}

static int read_document(struct reader *r, struct doc_node **ret, struct err *err)
{
    int rc = next(r, err); /* the stream's start */
    if (rc == 0)
        rc = next(r, err);
    if (rc < 0)
        return rc;
    if (r->event.type == YAML_STREAM_END_EVENT) {
        *ret = node_new(r, DOC_NULL);
        return 0;
    }
    rc = next(r, err);
    if (rc == 0)
        rc = read_node(r, 1, ret, err);
    if (rc == 0)
        rc = next(r, err); /* the document's end */
    if (rc == 0)
        rc = next(r, err);
    if (rc == 0 && r->event.type != YAML_STREAM_END_EVENT)
        return fail(r, r->event.start_mark, err, "a second document starts here: expected one");
    return rc;
}

int doc_parse(struct arena *a, struct str text, struct str file_name, struct doc_node **ret, struct err *err)
{
    struct reader r = {.a = a, .file = file_name};

    if (text.n > DOC_SIZE_MAX)
        return err_set(err, ERR_LIMIT, "%.*s: larger than %d bytes", STR_ARG(file_name), DOC_SIZE_MAX);
    if (!yaml_parser_initialize(&r.parser))
        abort();
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
    int rc = read_document(&r, ret, err);
    if (r.has_event)
        yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return rc;
}

struct str doc_describe(struct arena *a, const struct doc_node *node)
{
    enum { SHOWN = 60 };

    switch (node->kind) {
    case DOC_NULL:
        return STR("nothing");
    case DOC_LIST:
        return STR("a list");
    case DOC_MAP:
        return STR("a mapping");
    case DOC_TEXT:
        break;
    }
    return arena_printf(a, "\"%.*s\"%s", STR_ARG(str_slice(node->text, 0, SHOWN)), node->text.n > SHOWN ? "…" : "");
}
