/*
 * Wildcards and variables. "*" is any number of bytes, "?" is one; "${aws:username}" is replaced when a request is
 * judged, "${aws:username, 'nobody'}" has something for when there is none, and "${*}", "${?}", "${$}" are these
 * characters as they are.
 */
#include "auth/policy_internal.h"

#include <ctype.h>

enum { EXPANDED_MAX = 16 << 10 }; /* bytes: a pattern that grows beyond matches nothing */

struct glob_buf {
    VEC(char) text;
    VEC(unsigned char) kinds;
};

static void add(struct arena *a, struct glob_buf *b, char c, unsigned char kind)
{
    vec_push_in(a, &b->text, c);
    vec_push_in(a, &b->kinds, kind);
}

static struct glob as_glob(const struct glob_buf *b)
{
    return (struct glob){b->text.items, b->kinds.items, b->text.n};
}

/* What is between "${" and "}". */
static int read_variable(struct arena *a, struct str inside, struct pattern_part *ret, struct err *err)
{
    struct str rest = inside, name, otherwise;

    (void)str_split(&rest, ',', &name);
    ret->variable = policy_condition_key(a, str_trim(name));
    if (!ret->variable)
        return err_set(err, ERR_INVALID, "there is no variable ${%.*s}", STR_ARG(inside));
    ret->otherwise = STR_NULL;
    if (str_is_null(rest))
        return 0;
    otherwise = str_trim(rest);
    if (otherwise.n < 2 || otherwise.p[0] != '\'' || otherwise.p[otherwise.n - 1] != '\'')
        return err_set(err, ERR_INVALID, "${%.*s}: expected a default in single quotes", STR_ARG(inside));
    ret->otherwise = arena_str(a, str_slice(otherwise, 1, otherwise.n - 2));
    return 0;
}

int pattern_parse(struct arena *a, struct str text, bool wild, bool variables, struct pattern *ret, struct err *err)
{
    VEC(struct pattern_part) parts = {0};
    struct glob_buf run = {0};

    if (memchr(text.n ? text.p : "", '\0', text.n))
        return err_set(err, ERR_INVALID, "a text has a NUL character");
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!variables || c != '$' || i + 1 == text.n || text.p[i + 1] != '{') {
            unsigned char kind = !wild || (c != '*' && c != '?') ? GLOB_LITERAL : c == '*' ? GLOB_ANY : GLOB_ONE;
            add(a, &run, c, kind);
            continue;
        }
        size_t end = str_find_char(text, '}', i);
        if (end == SIZE_MAX)
            return err_set(err, ERR_INVALID, "\"%.*s\": a ${ without its }", STR_ARG(text));
        struct str inside = str_slice(text, i + 2, end - i - 2);
        i = end;
        if (inside.n == 1 && memchr("*?$", inside.p[0], 3)) {
            add(a, &run, inside.p[0], GLOB_LITERAL);
            continue;
        }
        struct pattern_part variable = {0};
        int rc = read_variable(a, inside, &variable, err);
        if (rc < 0)
            return rc;
        if (run.text.n)
            vec_push_in(a, &parts, ((struct pattern_part){.text = as_glob(&run)}));
        run = (struct glob_buf){0};
        vec_push_in(a, &parts, variable);
    }
    if (run.text.n)
        vec_push_in(a, &parts, ((struct pattern_part){.text = as_glob(&run)}));
    *ret = (struct pattern){parts.items, parts.n};
    return 0;
}

/* One with several values (a list of groups) has none that could stand here. */
static bool find_value(const struct pattern_part *part, const struct policy_request *r, struct str *ret)
{
    const struct str *values;
    size_t n = r->values(r->ctx, part->variable, &values);

    if (n != 1 && str_is_null(part->otherwise))
        return false;
    *ret = n == 1 ? values[0] : part->otherwise;
    return true;
}

bool pattern_expand(const struct pattern *p, const struct policy_request *r, struct glob *ret)
{
    struct glob_buf b = {0};

    if (p->n == 0) {
        *ret = (struct glob){"", (const unsigned char *)"", 0};
        return true;
    }
    if (p->n == 1 && !p->parts[0].variable) {
        *ret = p->parts[0].text;
        return true;
    }
    for (size_t i = 0; i < p->n; i++) {
        const struct pattern_part *part = &p->parts[i];
        struct str value;
        for (size_t j = 0; !part->variable && j < part->text.n; j++)
            add(r->arena, &b, part->text.text[j], part->text.kinds[j]);
        if (!part->variable)
            continue;
        if (!find_value(part, r, &value) || value.n > EXPANDED_MAX || b.text.n + value.n > EXPANDED_MAX)
            return false;
        for (size_t j = 0; j < value.n; j++)
            add(r->arena, &b, value.p[j], GLOB_LITERAL);
    }
    *ret = as_glob(&b);
    return true;
}

static bool same(char a, char b, bool ignore_case)
{
    return a == b || (ignore_case && tolower((unsigned char)a) == tolower((unsigned char)b));
}

/* Goes back to the last "*" only: the product of the lengths at worst. */
bool glob_match(const struct glob *g, struct str s, bool ignore_case)
{
    size_t at = 0, i = 0, star = SIZE_MAX, star_i = 0;

    while (i < s.n) {
        if (at < g->n && g->kinds[at] == GLOB_ANY) {
            star = at++;
            star_i = i;
        } else if (at < g->n && (g->kinds[at] == GLOB_ONE || same(g->text[at], s.p[i], ignore_case))) {
            at++;
            i++;
        } else if (star != SIZE_MAX) {
            at = star + 1;
            i = ++star_i;
        } else {
            return false;
        }
    }
    while (at < g->n && g->kinds[at] == GLOB_ANY)
        at++;
    return at == g->n;
}
