/* Forms: what is read is text without NUL, and reads the same when it is written again. */
#include "fuzz.h"

#include "http/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct http_form form, again;
    BUF_SCOPED struct buf text = {0};

    if (http_form_parse(&a, str_from((const char *)data, size), &form, NULL) < 0)
        return 0;
    if (form.n > HTTP_FORM_FIELDS_MAX)
        abort();
    buf_init(&text, 6 * size + (size_t)2 * HTTP_FORM_FIELDS_MAX);
    for (size_t i = 0; i < form.n; i++)
        http_form_add(&text, form.fields[i].name, form.fields[i].value);
    if (http_form_parse(&a, buf_str(&text), &again, NULL) < 0 || again.n != form.n)
        abort();
    for (size_t i = 0; i < form.n; i++) {
        if (!str_eq(form.fields[i].name, again.fields[i].name) ||
            !str_eq(form.fields[i].value, again.fields[i].value) || !str_is_utf8(form.fields[i].value))
            abort();
    }
    (void)http_form_repeated(&form);
    return 0;
}
