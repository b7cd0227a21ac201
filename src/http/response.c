/* Responses: headers are gathered in the request's arena, then one http_respond_* makes libmicrohttpd's object of them. */
#include "http/internal.h"

#include <errno.h>
#include <unistd.h>

struct http_response *http_response_new(struct http_request *r, int status)
{
    struct http_response *p = arena_new(r->arena, struct http_response);

    p->status = status;
    return p;
}

void http_response_add(struct http_request *r, struct http_response *p, const char *name, struct str value)
{
    if (p->header_count == p->header_cap) {
        size_t cap = p->header_cap ? p->header_cap * 2 : 8;
        struct http_header *more = arena_array(r->arena, struct http_header, cap);
        if (p->header_count)
            memcpy(more, p->headers, p->header_count * sizeof(*more));
        p->headers = more;
        p->header_cap = cap;
    }
    p->headers[p->header_count++] = (struct http_header){arena_str(r->arena, str_from_cstr(name)),
                                                         arena_str(r->arena, value)};
}

void http_response_addf(struct http_request *r, struct http_response *p, const char *name, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    http_response_add(r, p, name, str_from(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1));
}

/* A line break would end the header and start one of the client's choosing: control characters become spaces. */
static void add_header(struct http_request *r, struct MHD_Response *to, const char *name, struct str value)
{
    char *text = arena_cstr(r->arena, value);

    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' && *c != '\t')
            *c = ' ';
    MHD_add_response_header(to, name, text);
}

/* Not for localhost: it would hold for every port, so take http:// from other programs of the user's. (For addresses
 * browsers ignore it: RFC 6797, 8.1.1.) */
static bool wants_strict_transport(const struct http_request *r, const struct http_response *p)
{
    struct str host = http_header(r, "Host");

    if (!r->is_tls || str_is_null(host))
        return false;
    for (size_t i = 0; i < p->header_count; i++)
        if (str_eq_nocase(p->headers[i].name, STR("Strict-Transport-Security")))
            return false;
    host = str_slice(host, 0, str_find_char(host, ':', 0));
    return !str_eq_nocase(host, STR("localhost")) &&
           !(host.n > 10 && str_eq_nocase(str_skip(host, host.n - 10), STR(".localhost")));
}

static void respond(struct http_request *r, struct http_response *p, const char *content_type, struct MHD_Response *to)
{
    struct exchange *x = exchange_of(r);

    if (content_type)
        add_header(r, to, "Content-Type", str_from_cstr(content_type));
    if (x->server->server_name)
        add_header(r, to, "Server", str_from_cstr(x->server->server_name));
    if (wants_strict_transport(r, p))
        add_header(r, to, "Strict-Transport-Security", STR("max-age=31536000")); /* a year */
    for (size_t i = 0; i < p->header_count; i++)
        if (!str_eq_nocase(p->headers[i].name,
                           STR("Content-Length"))) /* of the body that is sent: not a header's business */
            add_header(r, to, p->headers[i].name.p, p->headers[i].value);
    exchange_respond(x, p->status, to);
}

static ssize_t read_nothing(void *cls, uint64_t offset, char *to, size_t n)
{
    (void)cls, (void)offset, (void)to, (void)n;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

void http_respond_empty(struct http_request *r, struct http_response *p)
{
    struct MHD_Response *to = NULL;
    uint64_t length;

    if (str_eq(r->method, STR("HEAD")))
        for (size_t i = 0; i < p->header_count && !to; i++)
            if (str_eq_nocase(p->headers[i].name, STR("Content-Length")) &&
                str_to_u64(p->headers[i].value, &length, NULL) == 0 && length)
                to = MHD_create_response_from_callback(length, 1024, read_nothing, NULL, NULL);
    if (!to)
        to = MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    respond(r, p, NULL, to);
}

void http_respond_text(struct http_request *r, struct http_response *p, const char *content_type, struct str body)
{
    /* The const is cast away for the interface's sake: it copies. */
    void *from = (void *)(body.n ? body.p : "");

    respond(r, p, content_type, MHD_create_response_from_buffer(body.n, from, MHD_RESPMEM_MUST_COPY));
}

void http_respond_buf(struct http_request *r, struct http_response *p, const char *content_type, struct buf *body)
{
    struct MHD_Response *to = body->n ? MHD_create_response_from_buffer(body->n, body->p, MHD_RESPMEM_MUST_FREE)
                                      : MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);

    if (to && body->n)
        *body = (struct buf){.max = body->max};
    else
        buf_release(body);
    respond(r, p, content_type, to);
}

/* A file that is sent without sendfile, which TLS can't use. */
struct file_stream {
    int fd;
    uint64_t offset;
};

static ssize_t read_file(void *state, uint64_t at, char *to, size_t n)
{
    const struct file_stream *f = state;
    ssize_t got;

    do
        got = pread(f->fd, to, n, (off_t)(f->offset + at));
    while (got < 0 && errno == EINTR);
    return got == 0 ? -1 : got; /* shorter than it was: the connection breaks, as with sendfile */
}

static void free_file(void *state)
{
    struct file_stream *f = state;

    close(f->fd);
    free(f);
}

void http_respond_file(struct http_request *r, struct http_response *p, int fd, uint64_t offset, uint64_t n)
{
    if (n && r->is_tls) { /* libmicrohttpd would read 4 KiB at a time, and make a TLS record of each */
        struct file_stream *f = malloc(sizeof(*f));
        if (!f) {
            close(fd);
            respond(r, p, NULL, NULL);
            return;
        }
        *f = (struct file_stream){fd, offset};
        http_respond_stream(r, p, (int64_t)n, read_file, free_file, f);
        return;
    }
    if (n == 0) { /* libmicrohttpd would leave the descriptor open */
        close(fd);
        respond(r, p, NULL, MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT));
        return;
    }
    struct MHD_Response *to = MHD_create_response_from_fd_at_offset64(n, fd, offset);
    if (!to)
        close(fd);
    respond(r, p, NULL, to);
}

struct stream {
    ssize_t (*read)(void *state, uint64_t offset, char *to, size_t n);
    void (*release)(void *state);
    void *state;
};

static ssize_t read_stream(void *cls, uint64_t offset, char *to, size_t n)
{
    struct stream *s = cls;
    ssize_t got = s->read(s->state, offset, to, n);

    return got > 0 ? got : got == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void free_stream(void *cls)
{
    struct stream *s = cls;

    if (s->release)
        s->release(s->state);
    free(s);
}

void http_respond_stream(struct http_request *r, struct http_response *p, int64_t size,
                         ssize_t (*read)(void *state, uint64_t offset, char *to, size_t n),
                         void (*release)(void *state), void *state)
{
    enum { BLOCK = 64 << 10 };
    struct MHD_Response *to = NULL;
    struct stream *s = malloc(sizeof(*s));

    if (s) {
        *s = (struct stream){read, release, state};
        to = MHD_create_response_from_callback(size < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)size, BLOCK, read_stream, s,
                                               free_stream);
    }
    if (!to) {
        free(s);
        if (release)
            release(state);
    }
    respond(r, p, NULL, to);
}
