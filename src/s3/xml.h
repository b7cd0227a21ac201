/*
 * XML as S3 uses it: small documents, element names without their namespaces, text.
 *
 * Reading is expat's, into a tree in the arena, bounded in depth, nodes and text. A document type declaration is refused, and
 * with it every entity but XML's own five: there is nothing to expand.
 */
#ifndef S3_XML_H
#define S3_XML_H

#include "base/arena.h"
#include "base/buf.h"

enum { XML_DEPTH_MAX = 16, XML_NODES_MAX = 200000, XML_TEXT_MAX = 64 << 10 /* bytes, of one element */ };

struct xml_node {
    struct str name; /* without prefix */
    struct str text; /* of this element itself, concatenated */
    struct xml_node *children, *next;
};

/* ERR_INVALID, MalformedXML. */
MUST_CHECK int xml_parse(struct arena *a, struct str text, struct xml_node **ret_root, struct err *err);
const struct xml_node *xml_child(const struct xml_node *n, const char *name); /* the first; NULL: none */
struct str xml_child_text(const struct xml_node *n, const char *name);        /* null: none */

/* Writing. Names are literals; text is escaped, and characters that XML 1.0 can't have become U+FFFD. */
#define XML_S3_NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"

void xml_start(struct buf *b, const char *root); /* the declaration, and the root with S3's namespace */
void xml_open(struct buf *b, const char *name);
void xml_close(struct buf *b, const char *name);
void xml_text(struct buf *b, const char *name, struct str text);
void xml_cstr(struct buf *b, const char *name, const char *text);
void xml_u64(struct buf *b, const char *name, uint64_t v);
void xml_bool(struct buf *b, const char *name, bool v);
void xml_time(struct buf *b, const char *name, int64_t wall_ms);
void xml_escape(struct buf *b, struct str text);

#endif
