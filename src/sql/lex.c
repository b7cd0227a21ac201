#include "sql/lex.h"

struct keyword {
    const char *text;
    bool open;
};

/* By kind - 1: the enumeration starts with TOK_EOF. */
static const struct keyword keywords[] = {
#define OPEN(name) {#name, true},
#define RESERVED(name) {#name, false},
    SQL_KEYWORDS(OPEN, RESERVED)
#undef OPEN
#undef RESERVED
};

enum { KEYWORD_MAX_LENGTH = 20 };

enum token_kind keyword_find(struct str word)
{
    if (word.n == 0 || word.n > KEYWORD_MAX_LENGTH)
        return TOK_IDENTIFIER;
    char upper[KEYWORD_MAX_LENGTH + 1];
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    upper[word.n] = '\0';
    size_t low = 0, high = ARRAY_LEN(keywords);
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = strcmp(upper, keywords[mid].text);
        if (order == 0)
            return (enum token_kind)(mid + 1);
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return TOK_IDENTIFIER;
}

bool keyword_is_open(enum token_kind kind)
{
    return kind > TOK_EOF && kind <= ARRAY_LEN(keywords) && keywords[kind - 1].open;
}

const char *token_kind_name(enum token_kind kind)
{
    /* Quoted as Trino's messages show them. */
    static const char *const keyword_names[] = {
#define NAME(name) "'" #name "'",
        SQL_KEYWORDS(NAME, NAME)
#undef NAME
    };
    static const char *const other_names[TOKEN_KINDS] = {
        [TOK_EOF] = "<EOF>",
        [TOK_EQ] = "'='",
        [TOK_NEQ] = "NEQ",
        [TOK_LT] = "'<'",
        [TOK_LTE] = "'<='",
        [TOK_GT] = "'>'",
        [TOK_GTE] = "'>='",
        [TOK_PLUS] = "'+'",
        [TOK_MINUS] = "'-'",
        [TOK_ASTERISK] = "'*'",
        [TOK_SLASH] = "'/'",
        [TOK_PERCENT] = "'%'",
        [TOK_CONCAT] = "'||'",
        [TOK_QUESTION] = "'?'",
        [TOK_SEMICOLON] = "';'",
        [TOK_DOT] = "'.'",
        [TOK_LPAREN] = "'('",
        [TOK_RPAREN] = "')'",
        [TOK_COMMA] = "','",
        [TOK_FAT_ARROW] = "'=>'",
        [TOK_ARROW] = "'->'",
        [TOK_LBRACKET] = "'['",
        [TOK_RBRACKET] = "']'",
        [TOK_COLON] = "':'",
        [TOK_BAR] = "'|'",
        [TOK_CARET] = "'^'",
        [TOK_DOLLAR] = "'$'",
        [TOK_LEXCLUDE] = "'{-'",
        [TOK_REXCLUDE] = "'-}'",
        [TOK_LBRACE] = "'{'",
        [TOK_RBRACE] = "'}'",
        [TOK_STRING] = "STRING",
        [TOK_UNICODE_STRING] = "UNICODE_STRING",
        [TOK_DOLLAR_STRING] = "DOLLAR_STRING",
        [TOK_BINARY] = "BINARY_LITERAL",
        [TOK_INTEGER] = "<integer>",
        [TOK_DECIMAL] = "DECIMAL_VALUE",
        [TOK_DOUBLE] = "DOUBLE_VALUE",
        [TOK_IDENTIFIER] = "IDENTIFIER",
        [TOK_DIGIT_IDENTIFIER] = "DIGIT_IDENTIFIER",
        [TOK_QUOTED_IDENTIFIER] = "QUOTED_IDENTIFIER",
        [TOK_BACKQUOTED_IDENTIFIER] = "BACKQUOTED_IDENTIFIER",
        [TOK_UNRECOGNIZED] = "UNRECOGNIZED",
    };
    if (kind > TOK_EOF && kind <= ARRAY_LEN(keyword_names))
        return keyword_names[kind - 1];
    return other_names[kind];
}

struct str token_text(const struct tokens *t, size_t i)
{
    const struct token *token = &t->items[i];
    if (token->kind == TOK_EOF)
        return STR("<EOF>");
    return str_slice(t->text, token->start, token->n);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_letter(c) || is_digit(c) || c == '_';
}

static bool is_base_digit(char c, int base)
{
    if (base == 16)
        return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    return c >= '0' && c < '0' + base;
}

static char at(struct str s, size_t i)
{
    return i < s.n ? s.p[i] : '\0';
}

/* The end of what starts with the quote at `i`, doubled quotes included; 0 when it isn't terminated. */
static size_t scan_quoted(struct str s, size_t i, char quote)
{
    for (i++; i < s.n; i++) {
        if (s.p[i] != quote)
            continue;
        if (at(s, i + 1) != quote)
            return i + 1;
        i++;
    }
    return 0;
}

/* DIGIT ('_'? DIGIT)* in any base from `i`; returns its end, `i` when there is none. */
static size_t scan_digits(struct str s, size_t i, int base)
{
    size_t end = i;
    while (i < s.n) {
        if (is_base_digit(s.p[i], base))
            end = ++i;
        else if (i == end && i > 0 && s.p[i] == '_' && is_base_digit(at(s, i + 1), base))
            i++;
        else
            break;
    }
    return end;
}

static size_t scan_plain_digits(struct str s, size_t i)
{
    while (is_digit(at(s, i)))
        i++;
    return i;
}

/* E [+-]? DIGIT+ from `i`; 0 when there is none. */
static size_t scan_exponent(struct str s, size_t i)
{
    if (at(s, i) != 'e' && at(s, i) != 'E')
        return 0;
    i++;
    if (at(s, i) == '+' || at(s, i) == '-')
        i++;
    size_t end = scan_plain_digits(s, i);
    return end > i ? end : 0;
}

/* The longest of the number rules and DIGIT_IDENTIFIER, the first one on a tie. */
static enum token_kind scan_number(struct str s, size_t i, size_t *ret_end)
{
    enum token_kind kind = TOK_UNRECOGNIZED;
    size_t best = i;

#define CANDIDATE(candidate_kind, candidate_end) \
    do {                                         \
        size_t end_ = (candidate_end);           \
        if (end_ > best) {                       \
            best = end_;                         \
            kind = (candidate_kind);             \
        }                                        \
    } while (0)

    if (is_digit(s.p[i])) {
        size_t digits = scan_digits(s, i, 10);
        CANDIDATE(TOK_INTEGER, digits);
        static const struct {
            char lower;
            int base;
        } bases[] = {{'x', 16}, {'o', 8}, {'b', 2}};
        for (size_t b = 0; b < ARRAY_LEN(bases); b++) {
            if (s.p[i] != '0' || (at(s, i + 1) | 0x20) != bases[b].lower)
                continue;
            /* An underscore may stand before the first digit too: 0x_FF. */
            size_t from = i + 2 + (at(s, i + 2) == '_');
            size_t end = scan_digits(s, from, bases[b].base);
            if (end > from)
                CANDIDATE(TOK_INTEGER, end);
        }
        if (at(s, digits) == '.') {
            size_t fraction = scan_digits(s, digits + 1, 10);
            CANDIDATE(TOK_DECIMAL, fraction);
        }
        size_t plain = scan_plain_digits(s, i);
        CANDIDATE(TOK_DOUBLE, scan_exponent(s, plain));
        if (at(s, plain) == '.')
            CANDIDATE(TOK_DOUBLE, scan_exponent(s, scan_plain_digits(s, plain + 1)));
        size_t word = i + 1;
        while (is_word(at(s, word)))
            word++;
        if (word > i + 1)
            CANDIDATE(TOK_DIGIT_IDENTIFIER, word);
    } else { /* '.' DIGIT */
        CANDIDATE(TOK_DECIMAL, scan_digits(s, i + 1, 10));
        CANDIDATE(TOK_DOUBLE, scan_exponent(s, scan_plain_digits(s, i + 1)));
    }
#undef CANDIDATE
    *ret_end = best;
    return kind;
}

static enum token_kind scan_word(struct str s, size_t i, size_t *ret_end)
{
    size_t end = i;
    while (is_word(at(s, end)))
        end++;
    size_t length = end - i;
    /* The longest match wins: X'…' and U&'…' are longer than the letter alone. */
    if (length == 1 && (s.p[i] | 0x20) == 'x' && at(s, end) == '\'') {
        size_t close = str_find_char(s, '\'', end + 1);
        if (close != SIZE_MAX) {
            *ret_end = close + 1;
            return TOK_BINARY;
        }
    }
    if (length == 1 && (s.p[i] | 0x20) == 'u' && at(s, end) == '&' && at(s, end + 1) == '\'') {
        size_t close = scan_quoted(s, end + 1, '\'');
        if (close > 0) {
            *ret_end = close;
            return TOK_UNICODE_STRING;
        }
    }
    *ret_end = end;
    return keyword_find(str_slice(s, i, length));
}

static enum token_kind scan_symbol(struct str s, size_t i, size_t *ret_end)
{
    static const struct {
        const char *text;
        enum token_kind kind;
    } symbols[] = {
        /* Longer ones before their prefixes. */
        {"<>", TOK_NEQ},       {"!=", TOK_NEQ},    {"<=", TOK_LTE},      {">=", TOK_GTE},      {"||", TOK_CONCAT},
        {"=>", TOK_FAT_ARROW}, {"->", TOK_ARROW},  {"{-", TOK_LEXCLUDE}, {"-}", TOK_REXCLUDE}, {"=", TOK_EQ},
        {"<", TOK_LT},         {">", TOK_GT},      {"+", TOK_PLUS},      {"-", TOK_MINUS},     {"*", TOK_ASTERISK},
        {"/", TOK_SLASH},      {"%", TOK_PERCENT}, {"?", TOK_QUESTION},  {";", TOK_SEMICOLON}, {".", TOK_DOT},
        {"(", TOK_LPAREN},     {")", TOK_RPAREN},  {",", TOK_COMMA},     {"[", TOK_LBRACKET},  {"]", TOK_RBRACKET},
        {":", TOK_COLON},      {"|", TOK_BAR},     {"^", TOK_CARET},     {"$", TOK_DOLLAR},    {"{", TOK_LBRACE},
        {"}", TOK_RBRACE},
    };
    struct str rest = str_skip(s, i);
    for (size_t k = 0; k < ARRAY_LEN(symbols); k++) {
        struct str symbol = str_from_cstr(symbols[k].text);
        if (str_starts_with(rest, symbol)) {
            *ret_end = i + symbol.n;
            return symbols[k].kind;
        }
    }
    size_t end = i;
    str_next_rune(s, &end);
    *ret_end = end;
    return TOK_UNRECOGNIZED;
}

/* The end of white space and comments from `i`. *unclosed remembers that no comment closes any more, so that a text of
 * nothing but comment openings isn't searched to its end for each of them. */
static size_t skip_blank(struct str s, size_t i, bool *unclosed)
{
    while (i < s.n) {
        char c = s.p[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            i++;
        } else if (c == '-' && at(s, i + 1) == '-') {
            while (i < s.n && s.p[i] != '\n' && s.p[i] != '\r')
                i++;
        } else if (c == '/' && at(s, i + 1) == '*' && !*unclosed) {
            size_t end = str_find(s, STR("*/"), i + 2);
            if (end == SIZE_MAX) {
                *unclosed = true; /* a slash and an asterisk, then */
                break;
            }
            i = end + 2;
        } else {
            break;
        }
    }
    return i;
}

static enum token_kind scan_token(struct str s, size_t i, size_t *ret_end)
{
    char c = s.p[i];
    size_t end = 0;
    if (is_letter(c) || c == '_')
        return scan_word(s, i, ret_end);
    if (is_digit(c) || (c == '.' && is_digit(at(s, i + 1))))
        return scan_number(s, i, ret_end);
    if (c == '\'' && (end = scan_quoted(s, i, c)) > 0) {
        *ret_end = end;
        return TOK_STRING;
    }
    if (c == '"' && (end = scan_quoted(s, i, c)) > 0) {
        *ret_end = end;
        return TOK_QUOTED_IDENTIFIER;
    }
    if (c == '`' && (end = scan_quoted(s, i, c)) > 0) {
        *ret_end = end;
        return TOK_BACKQUOTED_IDENTIFIER;
    }
    if (c == '$' && at(s, i + 1) == '$' && (end = str_find(s, STR("$$"), i + 2)) != SIZE_MAX) {
        *ret_end = end + 2;
        return TOK_DOLLAR_STRING;
    }
    return scan_symbol(s, i, ret_end);
}

/* Finds the closing token of each opening one, so that the parser can look behind a parenthesis at no cost. A closing
 * token of the other sort ends the search: such a text is wrong anyway. */
static void match_pairs(struct arena *a, struct tokens *t)
{
    struct {
        uint32_t *items;
        size_t n, cap;
    } open = {0};
    for (size_t i = 0; i < t->n; i++) {
        enum token_kind kind = (enum token_kind)t->items[i].kind;
        if (kind == TOK_LPAREN || kind == TOK_LBRACKET) {
            vec_push_in(a, &open, (uint32_t)i);
        } else if (kind == TOK_RPAREN || kind == TOK_RBRACKET) {
            enum token_kind wanted = kind == TOK_RPAREN ? TOK_LPAREN : TOK_LBRACKET;
            if (open.n == 0 || t->items[open.items[open.n - 1]].kind != wanted)
                return;
            t->items[open.items[--open.n]].match = (uint32_t)i;
        }
    }
}

int lex(struct arena *a, struct str text, struct tokens *ret, struct err *err)
{
    if (text.n > LEX_TEXT_MAX)
        return err_set_named(err, ERR_LIMIT, "QUERY_TEXT_TOO_LARGE",
                             "Query text length (%zu) exceeds the maximum length (%d)", text.n, LEX_TEXT_MAX);
    struct tokens t = {.text = text};
    uint32_t line = 1, column = 1;
    size_t i = 0, counted = 0;
    bool unclosed = false;
    for (;;) {
        i = skip_blank(text, i, &unclosed);
        while (counted < i) {
            if (text.p[counted] == '\n') {
                line++;
                column = 1;
                counted++;
            } else {
                str_next_rune(text, &counted);
                column++;
            }
        }
        struct token token = {.kind = TOK_EOF, .start = (uint32_t)i, .line = line, .column = column};
        if (i >= text.n) {
            vec_push_in(a, &t, token);
            break;
        }
        size_t end = i;
        token.kind = (uint16_t)scan_token(text, i, &end);
        token.n = (uint32_t)(end - i);
        vec_push_in(a, &t, token);
        i = end;
    }
    match_pairs(a, &t);
    *ret = t;
    return 0;
}
