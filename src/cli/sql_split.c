#include "cli/sql.h"

/* The index behind what starts at `at`: a string, a quoted identifier, a comment, or one other character. SIZE_MAX
 * when it doesn't end. */
static size_t skip_token(struct str s, size_t at)
{
    char c = s.p[at], next = at + 1 < s.n ? s.p[at + 1] : '\0';
    size_t end;

    if (c == '\'' || c == '"' || c == '`') {
        /* A doubled quote inside ends one string and starts the next: the same, for this purpose. */
        end = str_find_char(s, c, at + 1);
        return end == SIZE_MAX ? SIZE_MAX : end + 1;
    }
    if (c == '-' && next == '-') {
        end = str_find_char(s, '\n', at);
        return end == SIZE_MAX ? SIZE_MAX : end + 1;
    }
    if (c == '/' && next == '*') {
        end = str_find(s, STR("*/"), at + 2);
        return end == SIZE_MAX ? SIZE_MAX : end + 2;
    }
    return at + 1;
}

bool sql_split(struct str *rest, struct str *ret_statement)
{
    for (size_t at = 0; at < rest->n; at = skip_token(*rest, at)) {
        if (rest->p[at] != ';')
            continue;
        *ret_statement = str_trim(str_slice(*rest, 0, at));
        *rest = str_skip(*rest, at + 1);
        return true;
    }
    return false;
}

bool sql_is_blank(struct str s)
{
    for (size_t at = 0; at < s.n; at = skip_token(s, at)) {
        char c = s.p[at], next = at + 1 < s.n ? s.p[at + 1] : '\0';
        bool comment = (c == '-' && next == '-') || (c == '/' && next == '*');
        if (!comment && c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return false;
    }
    return true;
}
