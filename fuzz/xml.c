/* S3's request documents: whatever parses can be written and parses again. */
#include "fuzz.h"

#include "s3/xml.h"

static size_t count(const struct xml_node *n, int depth)
{
    size_t total = 1;

    if (depth > XML_DEPTH_MAX)
        __builtin_trap();
    for (const struct xml_node *c = n->children; c; c = c->next)
        total += count(c, depth + 1);
    return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xml_node *root, *again;
    struct err err = {0};
    ARENA_SCOPED struct arena arena;
    BUF_SCOPED struct buf b;

    arena_init(&arena, 0);
    buf_init(&b, 64 << 20);
    if (size > 1 << 20)
        return 0;
    if (xml_parse(&arena, str_from((const char *)data, size), &root, &err) < 0) {
        if (!err.name || !err.message[0])
            __builtin_trap();
        return 0;
    }
    if (count(root, 1) > XML_NODES_MAX)
        __builtin_trap();
    xml_start(&b, "Root");
    xml_text(&b, "Text", root->text);
    xml_close(&b, "Root");
    if (xml_parse(&arena, buf_str(&b), &again, &err) < 0 || !str_eq(xml_child_text(again, "Text"), root->text))
        __builtin_trap();
    return 0;
}
