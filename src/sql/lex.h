/*
 * Tokens of Trino's SQL. Keywords are a table; the reserved ones can't be identifiers without quotes.
 *
 * What no rule recognises (an unterminated quote, a stray character) is one TOK_UNRECOGNIZED of one character: the
 * parser then says where and what, as Trino does. White space and comments leave nothing; comments don't nest.
 */
#ifndef SQL_LEX_H
#define SQL_LEX_H

#include "base/vec.h"

/* In alphabetical order: lookup is a binary search. */
/* clang-format off */
#define SQL_KEYWORDS(OPEN, RESERVED)                                                                                                                                                                                                                                                                                                                                          \
    OPEN(ABSENT)                                                                                                                                                                                                                                                                                                                                                              \
    OPEN(ADD)                                                                                                                                                                                                                                                                                                                                                                 \
    OPEN(ADMIN)                                                                                                                                                                                                                                                                                                                                                               \
    OPEN(AFTER) OPEN(ALL) RESERVED(ALTER) OPEN(ANALYZE) RESERVED(AND) OPEN(ANY) OPEN(ARRAY) RESERVED(AS) OPEN(                                                                                                                                                                                                                                                                \
        ASC) OPEN(AT) OPEN(AUTHORIZATION) RESERVED(AUTO) OPEN(BEGIN) OPEN(BERNOULLI) RESERVED(BETWEEN) OPEN(BOTH) RESERVED(BY) OPEN(CALL)                                                                                                                                                                                                                                     \
        OPEN(CALLED) OPEN(CASCADE) RESERVED(CASE) RESERVED(CAST) OPEN(CATALOG) OPEN(CATALOGS) OPEN(COLUMN) OPEN(COLUMNS) OPEN(                                                                                                                                                                                                                                                \
            COMMENT) OPEN(COMMIT) OPEN(COMMITTED) OPEN(CONDITIONAL) RESERVED(CONSTRAINT) OPEN(COPARTITION) OPEN(CORRESPONDING) OPEN(COUNT) RESERVED(CREATE) RESERVED(CROSS)                                                                                                                                                                                                   \
            RESERVED(CUBE) OPEN(CURRENT) RESERVED(CURRENT_CATALOG) RESERVED(CURRENT_DATE) RESERVED(CURRENT_PATH) RESERVED(CURRENT_ROLE) RESERVED(CURRENT_SCHEMA) RESERVED(CURRENT_TIME) RESERVED(CURRENT_TIMESTAMP) RESERVED(CURRENT_USER) OPEN(DATA) OPEN(DATE) OPEN(DAY) RESERVED(DEALLOCATE) OPEN(DECLARE) OPEN(DEFAULT) OPEN(DEFINE) OPEN(DEFINER) RESERVED(DELETE) OPEN( \
                DENY) OPEN(DESC) RESERVED(DESCRIBE) OPEN(DESCRIPTOR) OPEN(DETERMINISTIC) RESERVED(DISTINCT) OPEN(DISTRIBUTED) OPEN(DO) OPEN(DOUBLE) RESERVED(DROP) RESERVED(ELSE) OPEN(ELSEIF) OPEN(EMPTY)                                                                                                                                                                    \
                OPEN(ENCODING) RESERVED(END) OPEN(ERROR) RESERVED(ESCAPE) RESERVED(EXCEPT) OPEN(EXCLUDING) OPEN(EXECUTE) RESERVED(EXISTS) OPEN(EXPLAIN) RESERVED(                                                                                                                                                                                                             \
                    EXTRACT) RESERVED(FALSE) OPEN(FETCH) OPEN(FILTER) OPEN(FINAL) OPEN(FIRST) OPEN(FOLLOWING) RESERVED(FOR) OPEN(FORMAT) RESERVED(FROM) RESERVED(FULL)                                                                                                                                                                                                        \
                    OPEN(FUNCTION) OPEN(FUNCTIONS) OPEN(GRACE) OPEN(GRANT) OPEN(GRANTED) OPEN(GRANTS) OPEN(GRAPHVIZ) RESERVED(GROUP) RESERVED(GROUPING) OPEN(                                                                                                                                                                                                                 \
                        GROUPS) RESERVED(HAVING) OPEN(HOUR) OPEN(IF) OPEN(IGNORE) OPEN(IMMEDIATE) RESERVED(IN) OPEN(INCLUDING)                                                                                                                                                                                                                                                \
                        OPEN(INITIAL) RESERVED(INNER) OPEN(INPUT) RESERVED(INSERT) RESERVED(INTERSECT) OPEN(INTERVAL) RESERVED(                                                                                                                                                                                                                                               \
                            INTO) OPEN(INVOKER) OPEN(IO) RESERVED(IS) OPEN(ISOLATION) OPEN(ITERATE) RESERVED(JOIN) OPEN(JSON)                                                                                                                                                                                                                                                 \
                            RESERVED(JSON_ARRAY) RESERVED(JSON_EXISTS) RESERVED(JSON_OBJECT) RESERVED(JSON_QUERY) RESERVED(                                                                                                                                                                                                                                                   \
                                JSON_TABLE) RESERVED(JSON_VALUE) OPEN(KEEP) OPEN(KEY) OPEN(KEYS) OPEN(LANGUAGE)                                                                                                                                                                                                                                                               \
                                OPEN(LAST) OPEN(LATERAL) OPEN(LEADING) OPEN(LEAVE) RESERVED(LEFT) OPEN(LEVEL) RESERVED(                                                                                                                                                                                                                                                       \
                                    LIKE) OPEN(LIMIT) RESERVED(LISTAGG) OPEN(LOCAL) RESERVED(LOCALTIME) RESERVED(LOCALTIMESTAMP)                                                                                                                                                                                                                                              \
                                    OPEN(LOGICAL) OPEN(LOOP) OPEN(MAP) OPEN(MATCH) OPEN(MATCHED) OPEN(MATCHES) OPEN(MATCH_RECOGNIZE) OPEN(                                                                                                                                                                                                                                    \
                                        MATERIALIZED) OPEN(MEASURES) OPEN(MERGE) OPEN(MINUTE) OPEN(MONTH) RESERVED(NATURAL) OPEN(NESTED)                                                                                                                                                                                                                                      \
                                        OPEN(NEXT) OPEN(NFC) OPEN(NFD) OPEN(NFKC) OPEN(NFKD) OPEN(NO) OPEN(NONE) RESERVED(NORMALIZE) RESERVED(NOT) RESERVED(NULL) OPEN(                                                                                                                                                                                                       \
                                            NULLIF) OPEN(NULLS) OPEN(OBJECT) OPEN(OF) OPEN(OFFSET) OPEN(OMIT)                                                                                                                                                                                                                                                                 \
                                            RESERVED(ON) OPEN(ONE) OPEN(ONLY) OPEN(OPTION) RESERVED(                                                                                                                                                                                                                                                                          \
                                                OR) RESERVED(ORDER) OPEN(ORDINALITY) RESERVED(OUTER) OPEN(OUTPUT) OPEN(OVER) OPEN(OVERFLOW) OPEN(PARTITION)                                                                                                                                                                                                                   \
                                                OPEN(PARTITIONS) OPEN(PASSING) OPEN(PAST) OPEN(PATH) OPEN(PATTERN) OPEN(PER) OPEN(                                                                                                                                                                                                                                            \
                                                    PERIOD) OPEN(PERMUTE) OPEN(PLAN) OPEN(POSITION) OPEN(PRECEDING) OPEN(PRECISION) RESERVED(PREPARE)                                                                                                                                                                                                                         \
                                                    OPEN(PRIVILEGES) OPEN(PROPERTIES) OPEN(PRUNE) OPEN(QUOTES) OPEN(RANGE) OPEN(                                                                                                                                                                                                                                              \
                                                        READ) RESERVED(RECURSIVE) OPEN(REFRESH) OPEN(RENAME) OPEN(REPEAT)                                                                                                                                                                                                                                                     \
                                                        OPEN(REPEATABLE) OPEN(REPLACE) OPEN(RESET) OPEN(RESPECT) OPEN(                                                                                                                                                                                                                                                        \
                                                            RESTRICT) OPEN(RETURN) OPEN(RETURNING)                                                                                                                                                                                                                                                                            \
                                                            OPEN(RETURNS) OPEN(REVOKE) RESERVED(RIGHT) OPEN(                                                                                                                                                                                                                                                                  \
                                                                ROLE) OPEN(ROLES) OPEN(ROLLBACK) RESERVED(ROLLUP) OPEN(ROW)                                                                                                                                                                                                                                                   \
                                                                OPEN(ROWS) OPEN(RUNNING) OPEN(SCALAR) OPEN(SCHEMA) OPEN(                                                                                                                                                                                                                                                      \
                                                                    SCHEMAS) OPEN(SECOND) OPEN(SECURITY) OPEN(SEEK) RESERVED(SELECT)                                                                                                                                                                                                                                          \
                                                                    OPEN(SERIALIZABLE) OPEN(SESSION) OPEN(SET) OPEN(SETS) OPEN(                                                                                                                                                                                                                                               \
                                                                        SHOW) RESERVED(SKIP) OPEN(SOME) OPEN(START) OPEN(STATS)                                                                                                                                                                                                                                               \
                                                                        OPEN(STRING) OPEN(SUBSET) OPEN(SUBSTRING) OPEN(                                                                                                                                                                                                                                                       \
                                                                            SYSTEM) RESERVED(TABLE) OPEN(TABLES) OPEN(TABLESAMPLE)                                                                                                                                                                                                                                            \
                                                                            OPEN(TEXT) RESERVED(THEN) OPEN(TIES) OPEN(                                                                                                                                                                                                                                                        \
                                                                                TIME) OPEN(TIMESTAMP) OPEN(TO) OPEN(TRAILING)                                                                                                                                                                                                                                                 \
                                                                                OPEN(TRANSACTION) RESERVED(TRIM) RESERVED(                                                                                                                                                                                                                                                    \
                                                                                    TRUE) OPEN(TRUNCATE) OPEN(TRY_CAST) OPEN(TYPE)                                                                                                                                                                                                                                            \
                                                                                    RESERVED(UESCAPE) OPEN(UNBOUNDED) OPEN(                                                                                                                                                                                                                                                   \
                                                                                        UNCOMMITTED) OPEN(UNCONDITIONAL) RESERVED(UNION)                                                                                                                                                                                                                                      \
                                                                                        OPEN(UNIQUE) OPEN(UNKNOWN) OPEN(UNMATCHED) RESERVED(                                                                                                                                                                                                                                  \
                                                                                            UNNEST) OPEN(UNTIL) OPEN(UPDATE)                                                                                                                                                                                                                                                  \
                                                                                            OPEN(USE) OPEN(USER) RESERVED(USING) OPEN(                                                                                                                                                                                                                                        \
                                                                                                UTF16) OPEN(UTF32)                                                                                                                                                                                                                                                            \
                                                                                                OPEN(UTF8) OPEN(VALIDATE) OPEN(                                                                                                                                                                                                                                               \
                                                                                                    VALUE) RESERVED(VALUES)                                                                                                                                                                                                                                                   \
                                                                                                    OPEN(VERBOSE) OPEN(                                                                                                                                                                                                                                                       \
                                                                                                        VERSION) OPEN(VIEW)                                                                                                                                                                                                                                                   \
                                                                                                        RESERVED(WHEN) RESERVED(                                                                                                                                                                                                                                              \
                                                                                                            WHERE) OPEN(WHILE)                                                                                                                                                                                                                                                \
                                                                                                            OPEN(WINDOW) RESERVED(                                                                                                                                                                                                                                            \
                                                                                                                WITH) OPEN(WITHIN)                                                                                                                                                                                                                                            \
                                                                                                                OPEN(WITHOUT) OPEN(                                                                                                                                                                                                                                           \
                                                                                                                    WORK) OPEN(WRAPPER)                                                                                                                                                                                                                                       \
                                                                                                                    OPEN(WRITE) OPEN(                                                                                                                                                                                                                                         \
                                                                                                                        YEAR)                                                                                                                                                                                                                                                 \
                                                                                                                        OPEN(                                                                                                                                                                                                                                                 \
                                                                                                                            ZONE)
/* clang-format on */

enum token_kind {
    TOK_EOF,
#define KEYWORD(name) KW_##name,
    SQL_KEYWORDS(KEYWORD, KEYWORD)
#undef KEYWORD
        TOK_EQ,
    TOK_NEQ, /* <> and != */
    TOK_LT,
    TOK_LTE,
    TOK_GT,
    TOK_GTE,
    TOK_PLUS,
    TOK_MINUS,
    TOK_ASTERISK,
    TOK_SLASH,
    TOK_PERCENT,
    TOK_CONCAT,
    TOK_QUESTION,
    TOK_SEMICOLON,
    TOK_DOT,
    TOK_LPAREN,
    TOK_RPAREN,
    TOK_COMMA,
    TOK_FAT_ARROW, /* => */
    TOK_ARROW,     /* -> */
    TOK_LBRACKET,
    TOK_RBRACKET,
    TOK_COLON,
    TOK_BAR,
    TOK_CARET,
    TOK_DOLLAR,
    TOK_LEXCLUDE, /* {- */
    TOK_REXCLUDE, /* -} */
    TOK_LBRACE,
    TOK_RBRACE,
    TOK_STRING,
    TOK_UNICODE_STRING, /* U&'…' */
    TOK_DOLLAR_STRING,  /* $$…$$ */
    TOK_BINARY,         /* X'…' */
    TOK_INTEGER,        /* decimal, 0x, 0o, 0b; with underscores */
    TOK_DECIMAL,
    TOK_DOUBLE,
    TOK_IDENTIFIER,
    TOK_DIGIT_IDENTIFIER,
    TOK_QUOTED_IDENTIFIER,
    TOK_BACKQUOTED_IDENTIFIER,
    TOK_UNRECOGNIZED,
    TOKEN_KINDS,
};

struct token {
    uint16_t kind;         /* enum token_kind */
    uint32_t start, n;     /* bytes of the text */
    uint32_t line, column; /* 1-based; columns count code points, lines end with \n */
    uint32_t match;        /* of '(' and '[': the index of the token that closes it; 0: none does */
};

struct tokens {
    struct str text;
    struct token *items; /* the last one is TOK_EOF */
    size_t n, cap;
};

enum { LEX_TEXT_MAX = 1 << 20 };

/* Fails only when the text is longer than LEX_TEXT_MAX bytes: QUERY_TEXT_TOO_LARGE. */
MUST_CHECK int lex(struct arena *a, struct str text, struct tokens *ret, struct err *err);

struct str token_text(const struct tokens *t, size_t i); /* as written; "<EOF>" for the end */
/* The keyword for a word in any case, or TOK_IDENTIFIER. */
enum token_kind keyword_find(struct str word);
bool keyword_is_open(enum token_kind kind); /* a keyword that may be an identifier */
/* How messages show a kind: 'SELECT', '=', <integer>, … */
const char *token_kind_name(enum token_kind kind);

#endif
