/*
 * YAML as a tree with positions, over libyaml's events. Only what configuration needs: one document of mappings,
 * lists and scalars; aliases, anchors and tags are refused (an alias can make a small file enormous), depth and
 * size are bounded.
 */
#ifndef SPEC_DOCUMENT_H
#define SPEC_DOCUMENT_H

#include "base/arena.h"

enum doc_kind { DOC_NULL, DOC_TEXT, DOC_LIST, DOC_MAP };

struct doc_node;

struct doc_pair {
    struct str key;
    int line, column;
    struct doc_node *value;
};

struct doc_node {
    enum doc_kind kind;
    int line, column; /* 1-based */
    struct str text;
    struct doc_node **items; /* LIST */
    struct doc_pair *pairs;  /* MAP, in the file's order; keys are distinct */
    size_t n;
};

enum { DOC_SIZE_MAX = 1 << 20, DOC_DEPTH_MAX = 32 };

/* An empty text is a DOC_NULL. ERR_INVALID has line and column, and a message "FILE:LINE:COLUMN: …". */
MUST_CHECK int doc_parse(struct arena *a, struct str text, struct str file_name, struct doc_node **ret,
                         struct err *err);
/* "a mapping", "a list", "\"text\"", "nothing": for messages that say what was found. */
struct str doc_describe(struct arena *a, const struct doc_node *node);

#endif
