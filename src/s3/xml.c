#include "s3/xml.h"

#include "base/clock.h"

#include <expat.h>

struct reader {
    struct arena *arena;
    XML_Parser parser;
    struct frame {
        struct xml_node *node, *last_child;
        struct buf text;
    } stack[XML_DEPTH_MAX];
    int depth;
    size_t nodes;
    struct xml_node *root;
    const char *problem;
};

static void stop(struct reader *r, const char *problem)
{
    if (!r->problem)
        r->problem = problem;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static void on_start(void *ctx, const char *name, const char **attributes)
{
    struct reader *r = ctx;
    struct str text = str_from_cstr(name);
    size_t colon = str_rfind_char(text, ':');
    (void)attributes;

    if (r->depth == XML_DEPTH_MAX) {
        stop(r, "it is nested too deeply");
        return;
    }
    if (++r->nodes > XML_NODES_MAX) {
        stop(r, "it has too many elements");
        return;
    }
    struct xml_node *n = arena_new(r->arena, struct xml_node);
    n->name = arena_str(r->arena, colon == SIZE_MAX ? text : str_skip(text, colon + 1));
    if (r->depth == 0) {
        r->root = n;
    } else {
        struct frame *parent = &r->stack[r->depth - 1];
        if (parent->last_child)
            parent->last_child->next = n;
        else
            parent->node->children = n;
        parent->last_child = n;
    }
    struct frame *f = &r->stack[r->depth++];
    f->node = n;
    f->last_child = NULL;
    buf_init(&f->text, XML_TEXT_MAX);
}

static void on_end(void *ctx, const char *name)
{
    struct reader *r = ctx;
    (void)name;

    if (r->problem || r->depth == 0)
        return;
    struct frame *f = &r->stack[--r->depth];
    if (f->text.failed)
        stop(r, "an element's text is too long");
    f->node->text = arena_str(r->arena, buf_str(&f->text));
    buf_release(&f->text);
}

static void on_text(void *ctx, const char *text, int n)
{
    struct reader *r = ctx;

    if (!r->problem && r->depth)
        buf_append(&r->stack[r->depth - 1].text, text, (size_t)n);
}

static void on_doctype(void *ctx, const char *name, const char *system_id, const char *public_id, int has_subset)
{
    (void)name, (void)system_id, (void)public_id, (void)has_subset;
    stop(ctx, "a document type declaration is not allowed");
}

int xml_parse(struct arena *a, struct str text, struct xml_node **ret_root, struct err *err)
{
    struct reader r = {.arena = a, .parser = XML_ParserCreate("UTF-8")};
    bool ok;

    if (!r.parser)
        return err_set_named(err, ERR_INTERNAL, "InternalError", "out of memory for XML");
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    ok = text.n <= INT32_MAX && XML_Parse(r.parser, text.n ? text.p : "", (int)text.n, XML_TRUE) == XML_STATUS_OK;
    while (r.depth > 0)
        buf_release(&r.stack[--r.depth].text);
    if (!ok) {
        const char *why = r.problem ? r.problem : XML_ErrorString(XML_GetErrorCode(r.parser));
        (void)err_set_at(err, ERR_INVALID, "MalformedXML", (int)XML_GetCurrentLineNumber(r.parser),
                         (int)XML_GetCurrentColumnNumber(r.parser) + 1,
                         "The XML you provided was not well-formed or did not validate against our published schema: "
                         "line %d, column %d: %s.",
                         (int)XML_GetCurrentLineNumber(r.parser), (int)XML_GetCurrentColumnNumber(r.parser) + 1, why);
    }
    XML_ParserFree(r.parser);
    if (!ok)
        return ERR_INVALID;
    *ret_root = r.root;
    return 0;
}

const struct xml_node *xml_child(const struct xml_node *n, const char *name)
{
    for (const struct xml_node *c = n->children; c; c = c->next)
        if (str_eq_cstr(c->name, name))
            return c;
    return NULL;
}

struct str xml_child_text(const struct xml_node *n, const char *name)
{
    const struct xml_node *c = xml_child(n, name);
    return c ? c->text : STR_NULL;
}

static bool is_xml_character(uint32_t rune)
{
    return rune >= 0x20 ? rune != 0xFFFE && rune != 0xFFFF : rune == '\t' || rune == '\n' || rune == '\r';
}

void xml_escape(struct buf *b, struct str text)
{
    size_t at = 0;

    while (at < text.n) {
        size_t start = at;
        uint32_t rune = str_next_rune(text, &at);
        switch (rune) {
        case '&':
            buf_add_cstr(b, "&amp;");
            break;
        case '<':
            buf_add_cstr(b, "&lt;");
            break;
        case '>':
            buf_add_cstr(b, "&gt;");
            break;
        case '"':
            buf_add_cstr(b, "&#34;");
            break;
        case '\'':
            buf_add_cstr(b, "&#39;");
            break;
        case '\t': /* as references, else a parser makes spaces of them */
        case '\n':
        case '\r':
            buf_addf(b, "&#x%X;", rune);
            break;
        default:
            if (is_xml_character(rune) && !(rune == 0xFFFD && at - start == 1))
                buf_append(b, text.p + start, at - start);
            else
                buf_add_cstr(b, "\xEF\xBF\xBD"); /* U+FFFD */
        }
    }
}

void xml_start(struct buf *b, const char *root)
{
    buf_addf(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s xmlns=\"" XML_S3_NAMESPACE "\">", root);
}

void xml_open(struct buf *b, const char *name)
{
    buf_add_char(b, '<');
    buf_add_cstr(b, name);
    buf_add_char(b, '>');
}

void xml_close(struct buf *b, const char *name)
{
    buf_add_cstr(b, "</");
    buf_add_cstr(b, name);
    buf_add_char(b, '>');
}

void xml_text(struct buf *b, const char *name, struct str text)
{
    xml_open(b, name);
    xml_escape(b, text);
    xml_close(b, name);
}

void xml_cstr(struct buf *b, const char *name, const char *text)
{
    xml_text(b, name, str_from_cstr(text));
}

void xml_u64(struct buf *b, const char *name, uint64_t v)
{
    xml_open(b, name);
    buf_add_u64(b, v);
    xml_close(b, name);
}

void xml_bool(struct buf *b, const char *name, bool v)
{
    xml_cstr(b, name, v ? "true" : "false");
}

void xml_time(struct buf *b, const char *name, int64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];

    clock_format_rfc3339_ms(wall_ms, text);
    xml_cstr(b, name, text);
}
