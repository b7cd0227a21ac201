#include "identity/login/template.h"

#include "base/vec.h"
#include "identity/login/embedded.h"

struct render {
    struct buf *to;
    const struct messages *m;
    const json_t *scopes[TEMPLATE_DEPTH_MAX];
    size_t depth;
    const char *file;
    struct err *err;
};

void template_escape(struct buf *to, struct str s)
{
    static const struct {
        char c;
        const char *as;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};

    for (size_t at = 0; at < s.n;) {
        size_t from = at;
        uint32_t rune = str_next_rune(s, &at);
        const char *as = NULL;

        for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
            if (rune == (unsigned char)entities[i].c)
                as = entities[i].as;
        }
        if (as)
            buf_add_cstr(to, as);
        else if (rune == 0xfffd || (rune < 0x20 && rune != '\n' && rune != '\t')) /* controls have no place in HTML */
            buf_add_cstr(to, "\xef\xbf\xbd");
        else
            buf_append(to, s.p + from, at - from);
    }
}

static struct str file_named(struct str name)
{
    for (size_t i = 0; i < login_pages_count; i++) {
        if (str_eq_cstr(name, login_pages[i].name))
            return str_from(login_pages[i].text, login_pages[i].n);
    }
    return STR_NULL;
}

static int broken(struct render *r, const char *what, struct str tag)
{
    return err_set(r->err, ERR_INTERNAL, "template %s: %s: {{%.*s}}", r->file, what, STR_ARG(tag));
}

static const json_t *member(const json_t *object, struct str path)
{
    struct str part;

    while (object && str_split(&path, '.', &part))
        object = json_is_object(object) ? json_object_getn(object, part.p, part.n) : NULL;
    return object;
}

static const json_t *lookup(const struct render *r, struct str name)
{
    if (str_eq(name, STR(".")))
        return r->depth ? r->scopes[r->depth - 1] : NULL;
    for (size_t i = r->depth; i-- > 0;) {
        struct str first = str_slice(name, 0, str_find_char(name, '.', 0));
        if (json_is_object(r->scopes[i]) && json_object_getn(r->scopes[i], first.p, first.n))
            return member(r->scopes[i], name);
    }
    return NULL;
}

static void add_value(struct render *r, const json_t *v)
{
    if (json_is_string(v))
        template_escape(r->to, str_from(json_string_value(v), json_string_length(v)));
    else if (json_is_integer(v))
        buf_add_i64(r->to, json_integer_value(v));
    else if (json_is_true(v))
        buf_add_cstr(r->to, "true");
    else if (json_is_false(v))
        buf_add_cstr(r->to, "false");
}

/* Texts are ours and may hold '&' or quotes as they are: they are escaped like values. */
static int add_message(struct render *r, struct str tag)
{
    struct str rest = tag, key, args[4];
    size_t n = 0;

    (void)str_split(&rest, ' ', &key);
    while (n < ARRAY_LEN(args) && str_split(&rest, ' ', &args[n]))
        n++;
    struct str text = messages_get(r->m, key);
    if (str_is_null(text))
        return broken(r, "no text for", tag);
    for (size_t at = 0; at < text.n;) {
        size_t open = str_find_char(text, '{', at);
        template_escape(r->to, str_slice(text, at, open == SIZE_MAX ? text.n - at : open - at));
        if (open == SIZE_MAX)
            break;
        size_t which = open + 1 < text.n ? (size_t)(text.p[open + 1] - '0') : SIZE_MAX;
        if (open + 2 >= text.n || text.p[open + 2] != '}' || which >= n)
            return broken(r, "a parameter is missing for", tag);
        add_value(r, lookup(r, args[which]));
        at = open + 3;
    }
    return 0;
}

/* From behind the opening tag: the body of the section, and where it ends. */
static int section_body(struct render *r, struct str text, size_t at, struct str name, struct str *ret_body,
                        size_t *ret_end)
{
    size_t depth = 1, from = at;

    for (;;) {
        size_t open = str_find(text, STR("{{"), at);
        size_t close = open == SIZE_MAX ? SIZE_MAX : str_find(text, STR("}}"), open);
        if (close == SIZE_MAX)
            return broken(r, "no end of", name);
        struct str tag = str_slice(text, open + 2, close - open - 2);
        at = close + 2;
        if (tag.n && (tag.p[0] == '#' || tag.p[0] == '^') && str_eq(str_skip(tag, 1), name))
            depth++;
        if (tag.n && tag.p[0] == '/' && str_eq(str_skip(tag, 1), name) && --depth == 0) {
            *ret_body = str_slice(text, from, open - from);
            *ret_end = at;
            return 0;
        }
    }
}

static bool is_truthy(const json_t *v)
{
    return json_is_true(v) || json_is_integer(v) || (json_is_string(v) && json_string_length(v)) ||
           (json_is_array(v) && json_array_size(v)) || (json_is_object(v) && json_object_size(v));
}

static int render(struct render *r, struct str text);

// NOLINTNEXTLINE(misc-no-recursion): bounded by TEMPLATE_DEPTH_MAX
static int render_in(struct render *r, const json_t *scope, struct str body, struct str name)
{
    if (r->depth == TEMPLATE_DEPTH_MAX)
        return broken(r, "too deep", name);
    r->scopes[r->depth++] = scope;
    int rc = render(r, body);
    r->depth--;
    return rc;
}

// NOLINTNEXTLINE(misc-no-recursion): see render_in
static int render_section(struct render *r, struct str name, bool inverted, struct str body)
{
    const json_t *v = lookup(r, name);
    int rc = 0;

    if (inverted)
        return is_truthy(v) ? 0 : render_in(r, NULL, body, name);
    if (!is_truthy(v))
        return 0;
    if (!json_is_array(v))
        return render_in(r, v, body, name);
    for (size_t i = 0; i < json_array_size(v) && rc == 0; i++)
        rc = render_in(r, json_array_get(v, i), body, name);
    return rc;
}

// NOLINTNEXTLINE(misc-no-recursion): see render_in
static int render_file(struct render *r, struct str name)
{
    struct str text = file_named(name);
    const char *before = r->file;

    if (str_is_null(text))
        return broken(r, "no such template", name);
    r->file = text.p ? name.p : before;
    int rc = render_in(r, NULL, text, name);
    r->file = before;
    return rc;
}

// NOLINTNEXTLINE(misc-no-recursion): see render_in
static int render(struct render *r, struct str text)
{
    size_t at = 0;
    int rc = 0;

    while (rc == 0 && at < text.n) {
        size_t open = str_find(text, STR("{{"), at);
        buf_add_str(r->to, str_slice(text, at, open == SIZE_MAX ? text.n - at : open - at));
        if (open == SIZE_MAX)
            return 0;
        size_t close = str_find(text, STR("}}"), open);
        if (close == SIZE_MAX)
            return broken(r, "no }} behind", str_slice(text, open + 2, 20));
        struct str tag = str_slice(text, open + 2, close - open - 2), body;
        at = close + 2;
        if (str_starts_with(tag, STR("t "))) {
            rc = add_message(r, str_skip(tag, 2));
        } else if (str_starts_with(tag, STR(">"))) {
            rc = render_file(r, str_skip(tag, 1));
        } else if (str_starts_with(tag, STR("#")) || str_starts_with(tag, STR("^"))) {
            rc = section_body(r, text, at, str_skip(tag, 1), &body, &at);
            if (rc == 0)
                rc = render_section(r, str_skip(tag, 1), tag.p[0] == '^', body);
        } else if (str_starts_with(tag, STR("/"))) {
            rc = broken(r, "nothing to end with", tag);
        } else {
            add_value(r, lookup(r, tag));
        }
    }
    return rc;
}

int template_render(struct buf *to, const char *name, const json_t *data, const struct messages *m, struct err *err)
{
    struct render r = {.to = to, .m = m, .file = name, .err = err};
    struct str text = file_named(str_from_cstr(name));

    if (str_is_null(text))
        return err_set(err, ERR_INTERNAL, "there is no template %s", name);
    int rc = render_in(&r, data, text, str_from_cstr(name));
    return rc < 0 ? rc : buf_check(to, "a page", err);
}
