#include "http/form.h"

#include "base/enc.h"
#include "base/map.h"
#include "base/vec.h"

static int decode(struct arena *a, struct buf *scratch, struct str text, struct str *ret, struct err *err)
{
    buf_reset(scratch);
    if (enc_unpercent(scratch, text, true, NULL) < 0)
        return err_set(err, ERR_INVALID, "a form field has a malformed percent-encoding");
    struct str decoded = buf_str(scratch);
    if (str_find_char(decoded, '\0', 0) != SIZE_MAX)
        return err_set(err, ERR_INVALID, "a form field has a NUL character");
    if (!str_is_utf8(decoded))
        return err_set(err, ERR_INVALID, "a form field is not UTF-8");
    *ret = arena_str(a, decoded);
    return 0;
}

int http_form_parse(struct arena *a, struct str text, struct http_form *ret, struct err *err)
{
    VEC(struct http_field) fields = {0};
    struct str rest = text, part;
    BUF_SCOPED struct buf scratch = {0};
    int rc;

    buf_init(&scratch, text.n + 1);
    while (!str_is_null(rest) && str_split(&rest, '&', &part)) {
        struct http_field field;
        size_t equals = str_find_char(part, '=', 0);

        if (part.n == 0)
            continue;
        if (fields.n == HTTP_FORM_FIELDS_MAX)
            return err_set(err, ERR_LIMIT, "a form has at most %d fields", HTTP_FORM_FIELDS_MAX);
        if ((rc = decode(a, &scratch, str_slice(part, 0, equals), &field.name, err)) < 0)
            return rc;
        if ((rc = decode(a, &scratch, equals == SIZE_MAX ? STR("") : str_skip(part, equals + 1), &field.value, err)) <
            0)
            return rc;
        vec_push_in(a, &fields, field);
    }
    if (scratch.p)
        explicit_bzero(scratch.p, scratch.cap); /* passwords come this way */
    *ret = (struct http_form){fields.items, fields.n};
    return 0;
}

struct str http_form_get(const struct http_form *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (str_eq_cstr(f->fields[i].name, name))
            return f->fields[i].value;
    return STR_NULL;
}

size_t http_form_count(const struct http_form *f, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++)
        n += str_eq_cstr(f->fields[i].name, name);
    return n;
}

struct str http_form_repeated(const struct http_form *f)
{
    struct str found = STR_NULL;
    struct map seen = MAP_INIT;

    for (size_t i = 0; i < f->n && str_is_null(found); i++)
        if (map_set(&seen, f->fields[i].name, f->fields))
            found = f->fields[i].name;
    map_release(&seen);
    return found;
}

bool http_form_is_type(struct str content_type)
{
    return str_eq_nocase(str_trim(str_slice(content_type, 0, str_find_char(content_type, ';', 0))),
                         STR("application/x-www-form-urlencoded"));
}

void http_form_add(struct buf *to, struct str name, struct str value)
{
    if (to->n && !strchr("?#&", to->p[to->n - 1]))
        buf_add_char(to, '&');
    enc_percent(to, name, false);
    buf_add_char(to, '=');
    enc_percent(to, value, false);
}

void http_form_add_to_url(struct buf *url, struct str name, struct str value)
{
    if (str_find_char(buf_str(url), '?', 0) == SIZE_MAX)
        buf_add_char(url, '?');
    http_form_add(url, name, value);
}
