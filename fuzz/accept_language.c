/* Accept-Language: tags within the header, in no larger number than asked for; and text that a page shows, escaped. */
#include "fuzz.h"

#include "identity/login/template.h"

enum { TAGS_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str header = str_from((const char *)data, size), tags[TAGS_MAX];
    BUF_SCOPED struct buf out = {0};
    size_t n = messages_parse_accept(header, tags, TAGS_MAX);

    if (n > TAGS_MAX)
        abort();
    for (size_t i = 0; i < n; i++) {
        if (tags[i].n && (tags[i].p < header.p || tags[i].p + tags[i].n > header.p + header.n))
            abort();
    }
    (void)messages_for(tags, n);
    buf_init(&out, 8 * size + 64);
    template_escape(&out, header);
    if (out.failed || !str_is_utf8(buf_str(&out)))
        abort();
    for (size_t i = 0; i < out.n; i++) {
        if (strchr("<>\"'", out.p[i]))
            abort();
    }
    return 0;
}
