#include "access/regex.h"

#include "base/buf.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    MATCH_STEPS = 100000,   /* names are short: an honest pattern takes some hundreds */
    MATCH_DEPTH = 10000,    /* nested backtracking points */
    MATCH_HEAP_KIB = 4096,  /* of one match */
    MATCHES_MAX = 16 << 10, /* of replace_all */
};

struct access_regex {
    pcre2_code *code;
    pcre2_match_context *limits;
};

/* ---- what Java and PCRE2 read differently ---- */

struct scan {
    struct str p;
    size_t at;
    bool is_caseless; /* (?i) stands somewhere */
    struct err *err;
};

static char peek(const struct scan *s, size_t k)
{
    return s->at + k < s->p.n ? s->p.p[s->at + k] : '\0';
}

static int refuse(struct scan *s, int code, const char *what)
{
    return err_set(s->err, code, "%s near index %zu of the pattern %.*s", what, s->at, STR_ARG(s->p));
}

/* \p{…}: general categories are the same in both; the rest of Java's names (\p{Lower} is ASCII there) aren't. */
static int check_property(struct scan *s)
{
    size_t end = peek(s, 2) == '{' ? str_find_char(s->p, '}', s->at) : s->at + 3;
    struct str name = peek(s, 2) == '{' ? str_slice(s->p, s->at + 3, end - s->at - 3) : str_slice(s->p, s->at + 2, 1);

    if (end == SIZE_MAX || name.n == 0)
        return refuse(s, ERR_INVALID, "Unclosed character family");
    bool known = name.n <= 2 && strchr("LMNPSZC", name.p[0]) && (name.n == 1 || (name.p[1] >= 'a' && name.p[1] <= 'z'));
    if (!known)
        return refuse(s, ERR_UNSUPPORTED, "Only general categories such as \\p{L} and \\p{Lu} are supported of \\p");
    s->at = peek(s, 2) == '{' ? end + 1 : end;
    return 0;
}

/* Behind a backslash: everything that means the same to both, and no more. */
static int check_escape(struct scan *s, bool in_class)
{
    char c = peek(s, 1);

    if (c == '\0')
        return refuse(s, ERR_INVALID, "Unexpected end behind a backslash");
    if (c == 'p' || c == 'P')
        return check_property(s);
    if (c == 'Q') {
        size_t end = str_find(s->p, STR("\\E"), s->at + 2);
        s->at = end == SIZE_MAX ? s->p.n : end + 2;
        return 0;
    }
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter && !strchr(in_class ? "tnrfaexdDsSwWhHvV" : "tnrfaexdDsSwWhHvVbBAzZkR", c))
        return refuse(s, ERR_UNSUPPORTED, "This escape is not supported");
    if (c == '0')
        return refuse(s, ERR_UNSUPPORTED, "Octal escapes are not supported");
    size_t end = c == 'x' && peek(s, 2) == '{' ? str_find_char(s->p, '}', s->at) : s->at + 1;
    if (end == SIZE_MAX)
        return refuse(s, ERR_INVALID, "Unclosed hexadecimal escape sequence");
    s->at = end + 1;
    return 0;
}

/* A set, without Java's unions and intersections of sets, which PCRE2 takes for plain characters. */
static int check_set(struct scan *s)
{
    s->at += peek(s, 1) == '^' ? 2 : 1;
    if (peek(s, 0) == ']')
        s->at++; /* first in a set it is itself */
    while (s->at < s->p.n && s->p.p[s->at] != ']') {
        char c = s->p.p[s->at];
        if (c == '[')
            return refuse(s, ERR_UNSUPPORTED, "A set inside a set is not supported (\\[ is the character)");
        if (c == '&' && peek(s, 1) == '&')
            return refuse(s, ERR_UNSUPPORTED, "Intersections of sets (&&) are not supported");
        if (c == '\\') {
            int r = check_escape(s, true);
            if (r < 0)
                return r;
        } else {
            s->at++;
        }
    }
    if (s->at >= s->p.n)
        return refuse(s, ERR_INVALID, "Unclosed character class");
    s->at++;
    return 0;
}

/* Behind "(": groups that both have. */
static int check_group(struct scan *s)
{
    if (peek(s, 1) == '*')
        return refuse(s, ERR_INVALID, "Dangling meta character '*'");
    if (peek(s, 1) != '?') {
        s->at++;
        return 0;
    }
    char c = peek(s, 2);
    if (c == ':' || c == '=' || c == '!' || c == '>' || c == '<') {
        s->at += 3;
        return 0;
    }
    size_t at = s->at + 2;
    while (at < s->p.n && strchr("imsx-", s->p.p[at])) {
        s->is_caseless |= s->p.p[at] == 'i';
        at++;
    }
    if (at == s->at + 2 || at >= s->p.n || (s->p.p[at] != ')' && s->p.p[at] != ':'))
        return refuse(s, ERR_UNSUPPORTED, "This kind of group is not supported");
    s->at = at + (s->p.p[at] == ':');
    return 0;
}

/* {n}, {n,}, {n,m}; PCRE2 takes anything else for text, Java for an error. */
static int check_repetition(struct scan *s)
{
    size_t at = s->at + 1, digits = at;

    while (at < s->p.n && s->p.p[at] >= '0' && s->p.p[at] <= '9')
        at++;
    bool ok = at > digits;
    if (ok && at < s->p.n && s->p.p[at] == ',')
        at++;
    while (at < s->p.n && s->p.p[at] >= '0' && s->p.p[at] <= '9')
        at++;
    if (!ok || at >= s->p.n || s->p.p[at] != '}')
        return refuse(s, ERR_INVALID, "Illegal repetition");
    s->at = at + 1;
    return 0;
}

static int check_syntax(struct scan *s)
{
    int r = 0;

    while (r == 0 && s->at < s->p.n) {
        switch (s->p.p[s->at]) {
        case '\\':
            r = check_escape(s, false);
            break;
        case '[':
            r = check_set(s);
            break;
        case '(':
            r = check_group(s);
            break;
        case '{':
            r = check_repetition(s);
            break;
        default:
            s->at++;
        }
    }
    return r;
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

/* ---- compiling ---- */

int access_regex_new(struct str pattern, struct access_regex **ret, struct err *err)
{
    struct scan scan = {.p = pattern, .err = err};
    PCRE2_SIZE offset = 0;
    int code = 0;

    if (pattern.n > ACCESS_REGEX_MAX)
        return err_set(err, ERR_LIMIT, "a pattern has more than %d bytes", ACCESS_REGEX_MAX);
    if (!str_is_utf8(pattern))
        return err_set(err, ERR_INVALID, "a pattern is not UTF-8");
    int r = check_syntax(&scan);
    if (r < 0)
        return r;
    /* Java ignores the case of ASCII letters only, PCRE2 in UTF mode that of all (U+212A would be a 'k'). In bytes it
     * does as Java does, and then only ASCII can be told apart. */
    if (scan.is_caseless && !is_ascii(pattern))
        return err_set(err, ERR_UNSUPPORTED, "(?i) with characters beyond ASCII is not supported in the pattern %.*s",
                       STR_ARG(pattern));
    uint32_t options = PCRE2_NEVER_BACKSLASH_C | (scan.is_caseless ? 0 : PCRE2_UTF | PCRE2_NEVER_UCP);
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context)
        abort();
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    pcre2_set_parens_nest_limit(context, 100);
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)(pattern.n ? pattern.p : ""), pattern.n, options, &code, &offset,
                                         context);
    pcre2_compile_context_free(context);
    if (!compiled) {
        PCRE2_UCHAR text[200];
        pcre2_get_error_message(code, text, sizeof(text));
        return err_set(err, ERR_INVALID, "%s near index %zu of the pattern %.*s", (const char *)text, (size_t)offset,
                       STR_ARG(pattern));
    }
    struct access_regex *x = calloc(1, sizeof(*x));
    if (!x)
        abort();
    x->code = compiled;
    x->limits = pcre2_match_context_create(NULL);
    if (!x->limits)
        abort();
    pcre2_set_match_limit(x->limits, MATCH_STEPS);
    pcre2_set_depth_limit(x->limits, MATCH_DEPTH);
    pcre2_set_heap_limit(x->limits, MATCH_HEAP_KIB);
    *ret = x;
    return 0;
}

void access_regex_free(struct access_regex *r)
{
    if (!r)
        return;
    pcre2_match_context_free(r->limits);
    pcre2_code_free(r->code);
    free(r);
}

size_t access_regex_groups(const struct access_regex *r)
{
    uint32_t n = 0;

    pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &n);
    return n;
}

/* ---- matching ---- */

static void release_data(pcre2_match_data **data)
{
    pcre2_match_data_free(*data);
}
#define MATCH_DATA_SCOPED __attribute__((cleanup(release_data)))

static pcre2_match_data *data_new(const struct access_regex *r)
{
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(r->code, NULL);

    if (!data)
        abort();
    return data;
}

/* 1, 0 or ERR_LIMIT. Text that is not UTF-8 is a name that nothing matches. */
static int match(const struct access_regex *r, struct str text, size_t from, uint32_t options, pcre2_match_data *data)
{
    if (!str_is_utf8(text))
        return 0;
    int n = pcre2_match(r->code, (PCRE2_SPTR)(text.n ? text.p : ""), text.n, from, options, data, r->limits);
    if (n >= 0)
        return 1;
    return n == PCRE2_ERROR_NOMATCH ? 0 : ERR_LIMIT;
}

int access_regex_matches(const struct access_regex *r, struct str text)
{
    MATCH_DATA_SCOPED pcre2_match_data *data = data_new(r);

    return match(r, text, 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, data);
}

/* ---- replacing ---- */

struct replacing {
    const struct access_regex *regex;
    pcre2_match_data *data;
    struct str text;
    bool quote;
    struct buf *to;
    struct err *err;
};

static void add_group(struct replacing *x, size_t group)
{
    PCRE2_SIZE *at = pcre2_get_ovector_pointer(x->data);
    struct str part = STR("");

    if (group < pcre2_get_ovector_count(x->data) && at[2 * group] != PCRE2_UNSET && at[2 * group] <= at[2 * group + 1])
        part = str_slice(x->text, at[2 * group], at[2 * group + 1] - at[2 * group]);
    if (!x->quote) {
        buf_add_str(x->to, part);
        return;
    }
    /* As Pattern.quote: a \E inside ends the quotation, so it is written outside of one. */
    buf_add_cstr(x->to, "\\Q");
    for (size_t i = 0; i < part.n; i++) {
        if (part.p[i] == '\\' && i + 1 < part.n && part.p[i + 1] == 'E') {
            buf_add_cstr(x->to, "\\E\\\\E\\Q");
            i++;
        } else {
            buf_add_char(x->to, part.p[i]);
        }
    }
    buf_add_cstr(x->to, "\\E");
}

static int bad_group(struct replacing *x, struct str name)
{
    return err_set(x->err, ERR_INVALID, "there is no group %.*s in the pattern", STR_ARG(name));
}

/* $1: as many digits as make the number of a group there is, at least one; ${name}. *at is behind the '$'. */
static int add_reference(struct replacing *x, struct str replacement, size_t *at)
{
    size_t groups = access_regex_groups(x->regex), i = *at;

    if (i < replacement.n && replacement.p[i] == '{') {
        size_t end = str_find_char(replacement, '}', i);
        struct str name = str_slice(replacement, i + 1, end == SIZE_MAX ? 0 : end - i - 1);
        char text[64];
        if (name.n == 0 || name.n >= sizeof(text))
            return bad_group(x, name);
        memcpy(text, name.p, name.n);
        text[name.n] = '\0';
        int group = pcre2_substring_number_from_name(x->regex->code, (PCRE2_SPTR)text);
        if (group < 0)
            return bad_group(x, name);
        add_group(x, (size_t)group);
        *at = end + 1;
        return 0;
    }
    if (i >= replacement.n || replacement.p[i] < '0' || replacement.p[i] > '9')
        return err_set(x->err, ERR_INVALID, "Illegal group reference in %.*s", STR_ARG(replacement));
    size_t group = (size_t)(replacement.p[i++] - '0');
    if (group > groups)
        return bad_group(x, str_slice(replacement, *at, 1));
    while (i < replacement.n && replacement.p[i] >= '0' && replacement.p[i] <= '9') {
        size_t next = group * 10 + (size_t)(replacement.p[i] - '0');
        if (next > groups)
            break;
        group = next;
        i++;
    }
    add_group(x, group);
    *at = i;
    return 0;
}

static int add_replacement(struct replacing *x, struct str replacement)
{
    for (size_t i = 0; i < replacement.n;) {
        char c = replacement.p[i++];
        if (c == '\\') {
            if (i == replacement.n)
                return err_set(x->err, ERR_INVALID, "character to be escaped is missing in %.*s", STR_ARG(replacement));
            buf_add_char(x->to, replacement.p[i++]);
        } else if (c == '$') {
            int r = add_reference(x, replacement, &i);
            if (r < 0)
                return r;
        } else {
            buf_add_char(x->to, c);
        }
    }
    return 0;
}

static int too_hard(struct err *err)
{
    return err_set(err, ERR_LIMIT, "matching a pattern takes too many steps");
}

int access_regex_replace(const struct access_regex *r, struct arena *a, struct str text, struct str replacement,
                         bool quote, struct str *ret, struct err *err)
{
    MATCH_DATA_SCOPED pcre2_match_data *data = data_new(r);
    BUF_SCOPED struct buf to;
    struct replacing x = {r, data, text, quote, &to, err};
    int matched = match(r, text, 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, data);

    buf_init(&to, ACCESS_REGEX_MAX);
    if (matched <= 0)
        return matched < 0 ? too_hard(err) : 0;
    int rc = add_replacement(&x, replacement);
    if (rc == 0)
        rc = buf_check(&to, "a replacement", err);
    if (rc < 0)
        return rc;
    *ret = arena_str(a, buf_str(&to));
    return 1;
}

int access_regex_replace_all(const struct access_regex *r, struct arena *a, struct str text, struct str replacement,
                             struct str *ret, struct err *err)
{
    MATCH_DATA_SCOPED pcre2_match_data *data = data_new(r);
    BUF_SCOPED struct buf to;
    struct replacing x = {r, data, text, false, &to, err};
    size_t from = 0, copied = 0;
    int rc = 0;

    buf_init(&to, ACCESS_REGEX_MAX);
    for (int count = 0; from <= text.n; count++) {
        int matched = match(r, text, from, 0, data);
        if (matched < 0 || count == MATCHES_MAX)
            return too_hard(err);
        if (matched == 0)
            break;
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);
        size_t start = at[0], end = at[1];
        if (start > end || start < copied) /* \K is refused, so this can't be */
            return too_hard(err);
        buf_add_str(&to, str_slice(text, copied, start - copied));
        if ((rc = add_replacement(&x, replacement)) < 0)
            return rc;
        copied = end;
        from = end;
        if (start == end) { /* an empty match: on to the next character */
            if (from >= text.n)
                break;
            str_next_rune(text, &from);
        }
    }
    buf_add_str(&to, str_skip(text, copied));
    rc = buf_check(&to, "a replacement", err);
    if (rc == 0)
        *ret = arena_str(a, buf_str(&to));
    return rc;
}
