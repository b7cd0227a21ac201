/*
 * What the parser's files share; nobody else includes this.
 *
 * One function a grammar rule, each leaving p->at behind what it consumed. A failure unwinds with longjmp to the entry
 * point: everything is in the arena, so there is nothing to release on the way, and no rule has to check for errors.
 *
 * Depth is bounded twice. `depth` counts the functions that are under way, which bounds this parser's own stack.
 * `tall` is the height of the tallest subtree made so far in the current scope, which bounds the stacks of those that
 * walk the tree: `1+1+1+…` needs no recursion here, but its tree leans to the left as deep as it is long.
 */
#ifndef SQL_PARSER_H
#define SQL_PARSER_H

#include "sql/lex.h"
#include "sql/parse.h"
#include <setjmp.h>

enum { PARSE_DEPTH_MAX = 3000 }; /* three functions a level of parentheses */

struct parser {
    struct arena *a;
    struct tokens t;
    size_t at; /* index of the next token */
    int depth, tall;
    size_t parameters;
    const struct ast_expr *primary; /* what parse_primary made last */
    struct err *err;
    int code;
    jmp_buf fail;
};

/* ---- parse.c: tokens, names, failing ---- */

_Noreturn void parse_fail(struct parser *p, const struct token *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
_Noreturn void parse_fail_unsupported(struct parser *p, const struct token *at, const char *feature);
/* The token at p->at doesn't fit: "mismatched input". */
_Noreturn void parse_fail_syntax(struct parser *p);

static inline const struct token *here(const struct parser *p)
{
    return &p->t.items[p->at];
}
/* The kind of the k-th token from here; TOK_EOF past the end. */
static inline enum token_kind peek(const struct parser *p, size_t k)
{
    return p->at + k < p->t.n ? (enum token_kind)p->t.items[p->at + k].kind : TOK_EOF;
}
static inline bool next_is(const struct parser *p, enum token_kind kind)
{
    return peek(p, 0) == kind;
}
static inline bool accept(struct parser *p, enum token_kind kind)
{
    if (peek(p, 0) != kind)
        return false;
    p->at++;
    return true;
}
static inline const struct token *expect(struct parser *p, enum token_kind kind)
{
    if (peek(p, 0) != kind)
        parse_fail_syntax(p);
    return &p->t.items[p->at++];
}

/* Enters a recursive rule; parse_leave(p, mark) ends it. */
struct parse_mark {
    int tall;
};
struct parse_mark parse_enter(struct parser *p);
void parse_leave(struct parser *p, struct parse_mark mark);
void parse_taller(struct parser *p); /* a node was put on top of the subtrees of this scope */

void *parse_alloc(struct parser *p, size_t n);
#define parse_new(p, type) ((type *)parse_alloc((p), sizeof(type)))
#define parse_push(p, list, value) vec_push_in((p)->a, (list), (value))
#define set_position(node, token) ((node)->line = (int)(token)->line, (node)->column = (int)(token)->column)

bool is_ident(enum token_kind kind);
bool is_string(enum token_kind kind);
bool is_interval_field(enum token_kind kind);
struct ast_ident parse_ident(struct parser *p);
struct ast_ident *parse_new_ident(struct parser *p);
struct ast_name parse_name(struct parser *p);
struct ast_idents parse_idents_in_parens(struct parser *p); /* '(' a, b ')' */
struct str parse_string(struct parser *p);                  /* 'x' or U&'x' */
enum ast_interval_field parse_interval_field(struct parser *p);
int64_t parse_integer(struct parser *p, const struct token *token, bool negative); /* the value of a TOK_INTEGER */
struct str parse_text_between(const struct parser *p, size_t from, size_t to); /* the text of tokens from … to - 1 */
/* The index of the parenthesis or bracket that closes the one at token i, or SIZE_MAX. */
size_t parse_match(const struct parser *p, size_t i);

/* ---- parse_type.c ---- */
struct ast_type *parse_type(struct parser *p);

/* ---- parse_expr.c ---- */
struct ast_expr *parse_new_expr(struct parser *p, enum ast_expr_kind kind, const struct token *at);
struct ast_expr *parse_expr(struct parser *p);
struct ast_expr *parse_value_expr(struct parser *p);
struct ast_exprs parse_exprs(struct parser *p); /* a, b, …: ≥ 1 */
struct ast_expr *parse_interval(struct parser *p);
bool starts_expr(const struct parser *p, size_t k); /* the k-th token from here can begin an expression */
/* DISTINCT or ALL, when what follows it is no reason to read ALL as a name. */
bool parse_set_quantifier(struct parser *p, bool *ret_distinct);

/* ---- parse_call.c: calls and what looks like one ---- */
/* f(…) with everything behind it; the name is read, the parenthesis is next. `first` is the first argument when it was
 * read already, or NULL. */
struct ast_expr *parse_call(struct parser *p, struct ast_name name, const struct token *at, struct ast_expr *first);
struct ast_expr *parse_listagg(struct parser *p);
struct ast_expr *parse_trim(struct parser *p);
struct ast_expr *parse_json_function(struct parser *p);
struct ast_window *parse_over(struct parser *p);
struct ast_window parse_window_specification(struct parser *p);             /* inside the parentheses */
struct ast_expr *parse_expr_from(struct parser *p, struct ast_expr *value); /* the rest of an expression */

/* ---- parse_query.c ---- */
struct ast_query *parse_query(struct parser *p);          /* with? queryNoWith */
struct ast_query *parse_root_query(struct parser *p);     /* what may be a statement */
bool parens_hold_query(const struct parser *p, size_t k); /* the '(' at the k-th token from here opens a query */
struct ast_sorts parse_order_by(struct parser *p);        /* from ORDER on */
struct ast_sort parse_sort_item(struct parser *p);
struct ast_relation *parse_relation(struct parser *p);
/* The identifier here is an alias, not the start of the next clause (LIMIT 1, WINDOW w AS …). */
bool next_is_alias(const struct parser *p);

/* ---- parse_statement.c, parse_ddl.c ---- */
struct ast_statement *parse_statement(struct parser *p);
void parse_create(struct parser *p, struct ast_statement *s);
void parse_drop(struct parser *p, struct ast_statement *s);
void parse_alter(struct parser *p, struct ast_statement *s);
struct ast_properties parse_properties(struct parser *p); /* '(' a = b, … ')' */
struct ast_principal parse_principal(struct parser *p);
struct ast_principal parse_grantor(struct parser *p);
struct ast_arguments parse_arguments(struct parser *p); /* '(' [a, b => c] ')' */

/* ---- parse_error.c ---- */
/* The text after "mismatched input": which token is the first that can't be continued with, and what could stand there.
 * `start` names the rule that the text should match. False when that would take too long. */
enum parse_start { PARSE_STATEMENT, PARSE_EXPRESSION, PARSE_TYPE };
bool parse_explain(struct arena *a, const struct tokens *t, enum parse_start start, size_t *ret_token,
                   struct str *ret_expected);

#endif
