/* The parts of `dataplatform sql`: the protocol's client, the splitter of statements, the printers of results. */
#ifndef CLI_SQL_H
#define CLI_SQL_H

#include "base/json.h"
#include "base/map.h"
#include "http/client.h"

#include <signal.h>

/* ---- sql_split.c ---- */

/* Takes the first statement that ends with a semicolon (left out) off *rest; false when none does. Knows strings,
 * quoted identifiers and comments. */
bool sql_split(struct str *rest, struct str *ret_statement);
/* Nothing but white space and comments. */
bool sql_is_blank(struct str text);

/* ---- sql_client.c ---- */

/* What a session carries from one statement to the next: X-Trino-* headers, both ways. */
struct sql_session {
    struct http_client *http;
    char *server;                                /* without a slash at its end */
    char *ca_file, *connect_to;                  /* as in struct sql_trust */
    char *user, *catalog, *schema, *transaction; /* NULL: none */
    struct map properties, prepared;             /* char *, as it goes into the header */
};

/* How a server is reached and known; both may be NULL. */
struct sql_trust {
    const char *ca_file;    /* for https; NULL: the system's CAs */
    const char *connect_to; /* "ADDRESS:PORT", whatever the URL's host resolves to */
};

MUST_CHECK int sql_session_init(struct sql_session *s, const char *server, const struct sql_trust *trust,
                                const char *user, struct err *err);
void sql_session_release(struct sql_session *s);
void sql_session_set(char **field, struct str value); /* null: none */
void sql_session_set_property(struct sql_session *s, struct str name, struct str value);

/* Receives a result as it comes. A negative return ends the query. */
struct sql_sink {
    void *ctx;
    int (*columns)(void *ctx, const json_t *columns, struct err *err); /* once, before rows, when there are any */
    int (*rows)(void *ctx, const json_t *rows, struct err *err);       /* arrays of values */
    int (*done)(void *ctx, const json_t *last_page, struct err *err);  /* updateType, updateCount, stats */
    void (*progress)(void *ctx, const json_t *page);
};

/* Runs one statement to its end. *cancelled, set by a signal, cancels it: ERR_CANCELLED. A failed statement is
 * ERR_INVALID with Trino's message. */
MUST_CHECK int sql_run(struct sql_session *s, struct str statement, const struct sql_sink *sink,
                       const volatile sig_atomic_t *cancelled, struct err *err);

/* ---- sql_value.c ---- */

/* A value as trino-cli shows it; `signature`: the column's typeSignature. The text for NULL is the caller's. */
void sql_value_text(struct buf *to, const json_t *value, const json_t *signature);
bool sql_value_is_numeric(const json_t *column);

/* ---- sql_output.c ---- */

struct sql_output;

/* NULL when there is no such format. Sinks into standard output. */
struct sql_output *sql_output_new(const char *format);
void sql_output_free(struct sql_output *o);
struct sql_sink sql_output_sink(struct sql_output *o);
extern const char *const sql_output_formats[];
extern const size_t sql_output_format_count;

#endif
