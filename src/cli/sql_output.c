/*
 * Results on standard output, in the formats that trino-cli has, under its names. All but ALIGNED print a row as it
 * comes; ALIGNED needs widths, and so keeps a batch of rows and aligns each batch by itself.
 */
#include "cli/sql.h"

#include "base/vec.h"

#include <unistd.h>
#include <wchar.h>

enum { BATCH_ROWS = 10000, BATCH_BYTES = 16 << 20, VALUE_MAX = 256 << 20 };

enum format { ALIGNED, VERTICAL, CSV, CSV_HEADER, CSV_UNQUOTED, CSV_HEADER_UNQUOTED, TSV, TSV_HEADER, JSON, NOTHING };

const char *const sql_output_formats[] = {
    [ALIGNED] = "ALIGNED",
    [VERTICAL] = "VERTICAL",
    [CSV] = "CSV",
    [CSV_HEADER] = "CSV_HEADER",
    [CSV_UNQUOTED] = "CSV_UNQUOTED",
    [CSV_HEADER_UNQUOTED] = "CSV_HEADER_UNQUOTED",
    [TSV] = "TSV",
    [TSV_HEADER] = "TSV_HEADER",
    [JSON] = "JSON",
    [NOTHING] = "NULL",
};
const size_t sql_output_format_count = ARRAY_LEN(sql_output_formats);

struct sql_output {
    enum format format;
    json_t *columns; /* ours */
    size_t column_count;
    uint64_t rows;
    VEC(char *) cells; /* ALIGNED: of the batch, row by row */
    size_t batch_bytes;
    bool progress_shown, header_printed;
};

struct sql_output *sql_output_new(const char *format)
{
    for (size_t i = 0; i < sql_output_format_count; i++) {
        if (!str_eq_nocase(str_from_cstr(format), str_from_cstr(sql_output_formats[i])))
            continue;
        struct sql_output *o = calloc(1, sizeof(*o));
        if (!o)
            abort();
        o->format = (enum format)i;
        return o;
    }
    return NULL;
}

static void forget_batch(struct sql_output *o)
{
    for (size_t i = 0; i < o->cells.n; i++)
        free(o->cells.items[i]);
    o->cells.n = 0;
    o->batch_bytes = 0;
}

static void reset(struct sql_output *o)
{
    forget_batch(o);
    json_decref(o->columns);
    o->columns = NULL;
    o->column_count = 0;
    o->rows = 0;
    o->header_printed = false;
}

void sql_output_free(struct sql_output *o)
{
    if (!o)
        return;
    reset(o);
    vec_release(&o->cells);
    free(o);
}

static const json_t *column(const struct sql_output *o, size_t i)
{
    return json_array_get(o->columns, i);
}

static struct str column_name(const struct sql_output *o, size_t i)
{
    return json_opt_str(column(o, i), "name", STR(""));
}

static void hide_progress(struct sql_output *o)
{
    if (o->progress_shown)
        fputs("\r\033[K", stderr);
    o->progress_shown = false;
}

/* The value's text; `null` for NULL. The caller frees. */
static char *cell_text(const struct sql_output *o, const json_t *row, size_t i, const char *null)
{
    BUF_SCOPED struct buf text;
    const json_t *value = json_array_get(row, i);

    buf_init(&text, VALUE_MAX);
    if (!value || json_is_null(value))
        buf_add_cstr(&text, null);
    else
        sql_value_text(&text, value, json_object_get(column(o, i), "typeSignature"));
    char *copy = strdup(buf_cstr(&text));
    if (!copy)
        abort();
    return copy;
}

/* ---- ALIGNED and VERTICAL ---- */

/* Columns of a terminal. */
static size_t width_of(const char *s)
{
    struct str text = str_from_cstr(s);
    size_t width = 0;

    for (size_t at = 0; at < text.n;) {
        int w = wcwidth((wchar_t)str_next_rune(text, &at));
        width += w > 0 ? (size_t)w : 0;
    }
    return width;
}

/* A line of a terminal stays one, and a value can't send it commands. */
static char *printable(char *s)
{
    BUF_SCOPED struct buf text;
    bool clean = true;

    for (const char *p = s; *p; p++)
        clean = clean && (unsigned char)*p >= 0x20 && *p != 0x7f;
    if (clean)
        return s;
    buf_init(&text, VALUE_MAX);
    for (const char *p = s; *p; p++) {
        if (*p == '\n')
            buf_add_cstr(&text, "\\n");
        else if (*p == '\t')
            buf_add_cstr(&text, "\\t");
        else if ((unsigned char)*p < 0x20 || *p == 0x7f)
            buf_addf(&text, "\\x%02x", (unsigned char)*p);
        else
            buf_add_char(&text, *p);
    }
    free(s);
    s = strdup(buf_cstr(&text));
    if (!s)
        abort();
    return s;
}

static void pad(size_t n, char c)
{
    while (n--)
        putchar(c);
}

static void print_batch(struct sql_output *o)
{
    size_t n = o->column_count, rows = n ? o->cells.n / n : 0;
    size_t *widths = calloc(n ? n : 1, sizeof(*widths));

    if (!widths)
        abort();
    for (size_t i = 0; i < n; i++) {
        BUF_SCOPED struct buf name;
        buf_init(&name, 1 << 20);
        buf_add_str(&name, column_name(o, i));
        widths[i] = width_of(buf_cstr(&name));
    }
    for (size_t i = 0; i < o->cells.n; i++) {
        size_t w = width_of(o->cells.items[i]);
        if (w > widths[i % n])
            widths[i % n] = w;
    }
    for (size_t i = 0; i < n && !o->header_printed; i++) {
        BUF_SCOPED struct buf name;
        buf_init(&name, 1 << 20);
        buf_add_str(&name, column_name(o, i));
        size_t space = widths[i] - width_of(buf_cstr(&name));
        pad(space / 2 + 1, ' ');
        fputs(buf_cstr(&name), stdout);
        pad(space - space / 2 + 1, ' ');
        fputs(i + 1 < n ? "|" : "\n", stdout);
    }
    for (size_t i = 0; i < n && !o->header_printed; i++) {
        pad(widths[i] + 2, '-');
        fputs(i + 1 < n ? "+" : "\n", stdout);
    }
    o->header_printed = true;
    for (size_t i = 0; i < rows * n; i++) {
        size_t c = i % n, space = widths[c] - width_of(o->cells.items[i]);
        bool right = sql_value_is_numeric(column(o, c));

        pad(right ? space + 1 : 1, ' ');
        fputs(o->cells.items[i], stdout);
        pad(right ? 1 : space + 1, ' ');
        fputs(c + 1 < n ? "|" : "\n", stdout);
    }
    free(widths);
    forget_batch(o);
}

static void add_aligned(struct sql_output *o, const json_t *row)
{
    for (size_t i = 0; i < o->column_count; i++) {
        char *text = printable(cell_text(o, row, i, "NULL"));
        vec_push(&o->cells, text);
        o->batch_bytes += strlen(text);
    }
    if (o->cells.n / o->column_count >= BATCH_ROWS || o->batch_bytes >= BATCH_BYTES)
        print_batch(o);
}

static void print_vertical(const struct sql_output *o, const json_t *row)
{
    size_t widest = 0;

    for (size_t i = 0; i < o->column_count; i++) {
        size_t n = column_name(o, i).n;
        widest = n > widest ? n : widest;
    }
    printf("-[ RECORD %llu ]-\n", (unsigned long long)o->rows + 1);
    for (size_t i = 0; i < o->column_count; i++) {
        char *text = printable(cell_text(o, row, i, "NULL"));
        printf("%-*.*s | %s\n", (int)widest, STR_ARG(column_name(o, i)), text);
        free(text);
    }
}

/* ---- one line a row ---- */

static void print_csv_cell(const char *s, bool quoted)
{
    if (!quoted) {
        fputs(s, stdout);
        return;
    }
    putchar('"');
    for (; *s; s++) {
        if (*s == '"')
            putchar('"');
        putchar(*s);
    }
    putchar('"');
}

static void print_tsv_cell(const char *s)
{
    for (; *s; s++) {
        const char *escaped = *s == '\t' ? "\\t" : *s == '\n' ? "\\n" : *s == '\r' ? "\\r" : *s == '\\' ? "\\\\" : NULL;
        if (escaped)
            fputs(escaped, stdout);
        else
            putchar(*s);
    }
}

static bool is_tsv(enum format f)
{
    return f == TSV || f == TSV_HEADER;
}

static void print_cell(const struct sql_output *o, size_t i, const char *text)
{
    bool tsv = is_tsv(o->format);

    if (i)
        putchar(tsv ? '\t' : ',');
    if (tsv)
        print_tsv_cell(text);
    else
        print_csv_cell(text, o->format == CSV || o->format == CSV_HEADER);
}

static void print_header(const struct sql_output *o)
{
    for (size_t i = 0; i < o->column_count; i++) {
        char *name = strndup(column_name(o, i).p, column_name(o, i).n);
        if (!name)
            abort();
        print_cell(o, i, name);
        free(name);
    }
    putchar('\n');
}

static void print_line(const struct sql_output *o, const json_t *row)
{
    for (size_t i = 0; i < o->column_count; i++) {
        char *text = cell_text(o, row, i, "");
        print_cell(o, i, text);
        free(text);
    }
    putchar('\n');
}

static void print_json(const struct sql_output *o, const json_t *row)
{
    BUF_SCOPED struct buf text;
    struct json_writer w;

    buf_init(&text, VALUE_MAX);
    json_writer_init(&w, &text);
    json_open_object(&w);
    for (size_t i = 0; i < o->column_count; i++) {
        json_key_str(&w, column_name(o, i));
        json_add_value(&w, json_array_get(row, i));
    }
    json_close_object(&w);
    printf("%s\n", buf_cstr(&text));
}

/* ---- the sink ---- */

static int written(struct err *err)
{
    return ferror(stdout) ? err_set(err, ERR_IO, "standard output is closed or full") : 0;
}

static int on_columns(void *ctx, const json_t *columns, struct err *err)
{
    struct sql_output *o = ctx;

    hide_progress(o);
    o->columns = json_deep_copy(columns);
    o->column_count = json_array_size(columns);
    if (o->format == CSV_HEADER || o->format == CSV_HEADER_UNQUOTED || o->format == TSV_HEADER)
        print_header(o);
    return written(err);
}

static int on_rows(void *ctx, const json_t *rows, struct err *err)
{
    struct sql_output *o = ctx;
    size_t i;
    json_t *row;

    hide_progress(o);
    json_array_foreach(rows, i, row)
    {
        switch (o->format) {
        case ALIGNED:
            add_aligned(o, row);
            break;
        case VERTICAL:
            print_vertical(o, row);
            break;
        case JSON:
            print_json(o, row);
            break;
        case NOTHING:
            break;
        default:
            print_line(o, row);
            break;
        }
        o->rows++;
    }
    return written(err);
}

static int on_done(void *ctx, const json_t *page, struct err *err)
{
    struct sql_output *o = ctx;
    struct str update = json_opt_str(page, "updateType", STR_NULL);
    const json_t *count = json_object_get(page, "updateCount");

    hide_progress(o);
    /* A statement that changes something says so; its result, where there is one, is only the count. */
    if (!str_is_null(update)) {
        printf("%.*s", STR_ARG(update));
        if (json_is_integer(count))
            printf(": %lld row%s", (long long)json_integer_value(count), json_integer_value(count) == 1 ? "" : "s");
        putchar('\n');
    } else if (o->format == ALIGNED && o->columns) {
        print_batch(o);
        printf("(%llu row%s)\n\n", (unsigned long long)o->rows, o->rows == 1 ? "" : "s");
    }
    reset(o);
    fflush(stdout);
    return written(err);
}

/* On a terminal, and only for what takes long enough to wonder. */
static void on_progress(void *ctx, const json_t *page)
{
    struct sql_output *o = ctx;
    const json_t *stats = json_object_get(page, "stats");
    int64_t elapsed = json_opt_i64(stats, "elapsedTimeMillis", 0);

    if (elapsed < 1000 || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%.*s  %lld rows  %lld s  (Ctrl-C cancels)", STR_ARG(json_opt_str(stats, "state", STR(""))),
            (long long)json_opt_i64(stats, "processedRows", 0), (long long)elapsed / 1000);
    o->progress_shown = true;
}

struct sql_sink sql_output_sink(struct sql_output *o)
{
    /* What an earlier statement that failed left. */
    hide_progress(o);
    if (o->format == ALIGNED && o->cells.n)
        forget_batch(o);
    reset(o);
    return (struct sql_sink){o, on_columns, on_rows, on_done, on_progress};
}
