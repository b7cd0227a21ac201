/* `sql`: statements from -e, -f, standard input or a person, over the public endpoint like any other client. */
#include "cli/cli.h"

#include "cli/sql.h"
#include "os/file.h"
#include "spec/suggest.h"

#include <errno.h>
#include <locale.h>
#include <pwd.h>
#include <unistd.h>

enum { TEXT_MAX = 64 << 20 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* Without SA_RESTART: a person at the prompt gets it back at once. */
static void catch_interrupts(void)
{
    struct sigaction a = {.sa_handler = on_interrupt};

    sigemptyset(&a.sa_mask);
    sigaction(SIGINT, &a, NULL);
}

static const char *login_name(void)
{
    const struct passwd *p = getpwuid(geteuid());

    return p ? p->pw_name : "dataplatform";
}

static int run_statement(struct sql_session *s, struct sql_output *o, struct str statement)
{
    struct sql_sink sink = sql_output_sink(o);
    struct err err = {0};

    interrupted = 0;
    int rc = sql_run(s, statement, &sink, &interrupted, &err);
    if (rc < 0) {
        (void)sql_output_sink(o); /* hides the progress line */
        fprintf(stderr, "%s\n", err.message);
    }
    return rc;
}

/* All statements of a text; the last needs no semicolon. */
static int run_text(struct sql_session *s, struct sql_output *o, struct str text, bool ignore_errors)
{
    struct str statement;
    int code = EXIT_OK;

    for (;;) {
        if (!sql_split(&text, &statement)) {
            statement = str_trim(text);
            text = STR("");
        }
        if (!sql_is_blank(statement) && run_statement(s, o, statement) < 0) {
            code = EXIT_FAILED;
            if (!ignore_errors || interrupted)
                return code;
        }
        if (text.n == 0)
            return code;
    }
}

static int read_stream(FILE *f, const char *name, struct buf *to)
{
    char bytes[64 << 10];
    struct err err = {0};
    size_t n;

    while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
        buf_append(to, bytes, n);
    if (ferror(f))
        return cli_failf("%s: %s", name, strerror(errno));
    return buf_check(to, name, &err) < 0 ? cli_fail(&err) : EXIT_OK;
}

static int run_file(struct sql_session *s, struct sql_output *o, const char *path, bool ignore_errors)
{
    BUF_SCOPED struct buf text;
    struct err err = {0};
    int code = EXIT_OK;

    buf_init(&text, TEXT_MAX);
    if (strcmp(path, "-") == 0)
        code = read_stream(stdin, "standard input", &text);
    else if (file_read(path, &text, &err) < 0)
        code = cli_fail(&err);
    return code == EXIT_OK ? run_text(s, o, buf_str(&text), ignore_errors) : code;
}

/* ---- a person ---- */

static void show_prompt(const struct sql_session *s, bool more)
{
    if (more)
        fputs("   -> ", stdout);
    else if (s->catalog && s->schema)
        printf("sql:%s.%s> ", s->catalog, s->schema);
    else
        fputs("sql> ", stdout);
    fflush(stdout);
}

/* A word that is a command of ours rather than SQL; true to go on. */
static bool take_word(struct str line, bool *ret_handled)
{
    struct str word = str_trim(line);

    while (word.n && word.p[word.n - 1] == ';')
        word = str_trim(str_slice(word, 0, word.n - 1));
    *ret_handled = true;
    if (str_eq_nocase(word, STR("quit")) || str_eq_nocase(word, STR("exit")))
        return false;
    if (str_eq_nocase(word, STR("help")))
        puts("Statements end with a semicolon and may take several lines. Ctrl-C cancels, Ctrl-D or quit leaves.\n"
             "SHOW CATALOGS; SHOW SCHEMAS FROM catalog; SHOW TABLES FROM catalog.schema; DESCRIBE table;");
    else
        *ret_handled = false;
    return true;
}

static void run_complete(struct sql_session *s, struct sql_output *o, struct buf *text)
{
    struct str rest = buf_str(text), statement;

    while (sql_split(&rest, &statement)) {
        if (!sql_is_blank(statement) && run_statement(s, o, statement) < 0 && interrupted)
            break;
    }
    /* What is after the last semicolon starts the next statement. */
    size_t left = sql_is_blank(rest) ? 0 : rest.n;
    if (left)
        memmove(text->p, rest.p, left);
    buf_truncate(text, left);
}

static int interact(struct sql_session *s, struct sql_output *o)
{
    BUF_SCOPED struct buf text;
    char *line = NULL;
    size_t cap = 0;
    bool handled = false;

    buf_init(&text, TEXT_MAX);
    for (;;) {
        show_prompt(s, text.n > 0);
        errno = 0;
        interrupted = 0;
        ssize_t n = getline(&line, &cap, stdin);
        if (n < 0 && (errno == EINTR || interrupted)) {
            clearerr(stdin);
            buf_reset(&text);
            putchar('\n');
            continue;
        }
        if (n < 0 || (text.n == 0 && !take_word(str_from(line, (size_t)n), &handled)))
            break;
        if (handled && text.n == 0) {
            handled = false;
            continue;
        }
        buf_append(&text, line, (size_t)n);
        if (text.failed) {
            cli_failf("a statement has at most %d bytes", TEXT_MAX);
            buf_reset(&text);
        }
        run_complete(s, o, &text);
    }
    free(line);
    putchar('\n');
    return EXIT_OK;
}

/* ---- the command ---- */

static int open_session(struct cli *c, struct sql_session *s)
{
    const char *server = cli_option(c, "server"), *user = cli_option(c, "user"), *property = cli_option(c, "session");
    struct sql_trust trust = {.ca_file = cli_option(c, "ca")};
    struct spec *spec;
    struct err err = {0};

    if (!server) {
        int code = cli_load(c, &spec);
        if (code != EXIT_OK)
            return code;
        server = cli_url(&c->arena, spec, spec->sql.port);
        trust.ca_file = trust.ca_file ? trust.ca_file : pki_ca_file(&c->arena, spec);
        trust.connect_to = pki_local_address(&c->arena, spec, spec->sql.port);
    }
    if (sql_session_init(s, server, &trust, user ? user : login_name(), &err) < 0)
        return cli_fail(&err);
    sql_session_set(&s->catalog, str_from_cstr(cli_option(c, "catalog")));
    sql_session_set(&s->schema, str_from_cstr(cli_option(c, "schema")));
    if (property) {
        struct str text = str_from_cstr(property);
        size_t equals = str_find_char(text, '=', 0);
        if (equals == SIZE_MAX) {
            cli_failf("--session: expected NAME=VALUE, found %s", property);
            sql_session_release(s);
            return EXIT_USAGE;
        }
        sql_session_set_property(s, str_slice(text, 0, equals), str_skip(text, equals + 1));
    }
    return EXIT_OK;
}

int cli_sql(struct cli *c)
{
    const char *execute = cli_option(c, "execute"), *file = cli_option(c, "file");
    const char *format = cli_option(c, "output-format");
    bool ignore_errors = cli_option(c, "ignore-errors") != NULL;
    struct sql_session session;

    setlocale(LC_CTYPE, "C.UTF-8"); /* for the widths of characters */
    if (execute && file) {
        cli_failf("give either --execute or --file");
        return EXIT_USAGE;
    }
    struct sql_output *output = sql_output_new(format ? format : isatty(STDOUT_FILENO) ? "ALIGNED" : "CSV");
    if (!output) {
        cli_failf("--output-format: there is no format %s%s", format,
                  suggest_text(&c->arena, str_from_cstr(format), sql_output_formats, sql_output_format_count));
        return EXIT_USAGE;
    }
    int code = open_session(c, &session);
    if (code == EXIT_OK) {
        catch_interrupts();
        if (execute)
            code = run_text(&session, output, str_from_cstr(execute), ignore_errors);
        else if (file || !isatty(STDIN_FILENO))
            code = run_file(&session, output, file ? file : "-", ignore_errors);
        else
            code = interact(&session, output);
        sql_session_release(&session);
    }
    sql_output_free(output);
    return code;
}
