#include "s3/chunked.h"

#include "base/enc.h"

enum {
    STATE_SIZE,    /* a line: the chunk's size and signature */
    STATE_DATA,    /* `left` bytes */
    STATE_DATA_CR, /* the line break behind them */
    STATE_DATA_LF,
    STATE_LAST,     /* the empty line behind the last chunk, where no trailer comes */
    STATE_TRAILER,  /* lines, up to an empty one */
    STATE_END,      /* nothing but line breaks */
    DIGITS_MAX = 13 /* hexadecimal, of a chunk's size: 2^52 */
};

#define SIGNATURE_MARK "chunk-signature="

void chunked_init(struct chunked *c, const struct sigv4 *s, uint64_t decoded_length)
{
    *c = (struct chunked){
        .signature = s,
        .is_signed = s->payload != SIGV4_PAYLOAD_UNSIGNED_TRAILER,
        .has_trailer = s->payload != SIGV4_PAYLOAD_STREAMING,
        .allowed = decoded_length,
    };
    memcpy(c->previous, s->signature, sizeof(c->previous));
}

void chunked_release(struct chunked *c)
{
    if (c->is_hashing)
        hash_release(&c->hash);
    c->is_hashing = false;
}

static int malformed(struct err *err, const char *what)
{
    return err_set_named(err, ERR_INVALID, "InvalidRequest", "The body is not well-formed aws-chunked: %s.", what);
}

static int malformed_trailer(struct err *err)
{
    return err_set_named(err, ERR_INVALID, "MalformedTrailerError",
                         "The request contained trailing data that was not well-formed or did not conform to our "
                         "published schema.");
}

static int mismatch(struct err *err, const char *what)
{
    return err_set_named(err, ERR_DENIED, "SignatureDoesNotMatch",
                         "The signature of %s does not match the one we calculated. Check your key and signing method.",
                         what);
}

static int read_signature(struct str text, char ret[65], struct err *err)
{
    if (text.n != 64)
        return malformed(err, "a signature is not 64 hexadecimal digits");
    memcpy(ret, text.p, 64);
    ret[64] = '\0';
    return 0;
}

/* The digest of the bytes since the last one. */
static void take_hash(struct chunked *c, unsigned char ret[HASH_MAX_SIZE])
{
    if (!c->is_hashing)
        hash_init(&c->hash, HASH_SHA256);
    hash_final(&c->hash, ret);
    c->is_hashing = false;
}

static void add_to_hash(struct chunked *c, struct str bytes)
{
    if (!c->is_hashing)
        hash_init(&c->hash, HASH_SHA256);
    c->is_hashing = true;
    hash_update(&c->hash, bytes.p, bytes.n);
}

static int check_chunk(struct chunked *c, struct err *err)
{
    unsigned char hash[HASH_MAX_SIZE];
    char wanted[65];

    if (!c->is_signed)
        return 0;
    take_hash(c, hash);
    sigv4_chunk_signature(c->signature, c->previous, hash, wanted);
    if (!str_eq_secret(str_from(wanted, 64), str_from(c->claimed, 64)))
        return mismatch(err, "a chunk");
    memcpy(c->previous, wanted, sizeof(wanted));
    return 0;
}

static int read_size_line(struct chunked *c, struct str line, struct err *err)
{
    struct str extension = line, digits;
    uint64_t size = 0;

    (void)str_split(&extension, ';', &digits);
    if (digits.n == 0 || digits.n > DIGITS_MAX)
        return malformed(err, "a chunk has no size, or one past all bounds");
    for (size_t i = 0; i < digits.n; i++) {
        int v = enc_hex_value(digits.p[i]);
        if (v < 0)
            return malformed(err, "a chunk's size is not hexadecimal");
        size = size << 4 | (uint64_t)v;
    }
    if (c->is_signed) {
        if (str_is_null(extension) || !str_starts_with(extension, STR(SIGNATURE_MARK)))
            return malformed(err, "a chunk has no chunk-signature");
        if (read_signature(str_skip(extension, sizeof(SIGNATURE_MARK) - 1), c->claimed, err) < 0)
            return ERR_INVALID;
    }
    if (size > c->allowed)
        return err_set_named(err, ERR_INVALID, "IncompleteBody",
                             "The chunks hold more bytes than x-amz-decoded-content-length says.");
    c->left = size;
    c->allowed -= size;
    if (size) {
        c->state = STATE_DATA;
        return 0;
    }
    c->state = c->has_trailer ? STATE_TRAILER : STATE_LAST;
    return check_chunk(c, err);
}

static int check_trailer(struct chunked *c, struct str claimed, struct err *err)
{
    unsigned char hash[HASH_MAX_SIZE];
    char wanted[65];

    take_hash(c, hash);
    sigv4_trailer_signature(c->signature, c->previous, hash, wanted);
    if (!str_eq_secret(str_from(wanted, 64), claimed))
        return mismatch(err, "the trailer");
    c->trailer_is_signed = true;
    return 0;
}

static int read_trailer_line(struct chunked *c, struct arena *a, struct str line, struct err *err)
{
    struct str value = line, name;

    if (line.n == 0) {
        /* Some clients end the trailer's part that is signed with an empty line of its own, as Amazon's example has it. */
        if (!c->is_signed || c->trailer_is_signed)
            c->state = STATE_END;
        return 0;
    }
    (void)str_split(&value, ':', &name);
    if (str_is_null(value) || name.n == 0 || c->trailer_is_signed)
        return malformed_trailer(err);
    name = arena_lower(a, str_trim(name));
    value = arena_str(a, str_trim(value));
    if (str_eq(name, STR("x-amz-trailer-signature")))
        return c->is_signed ? check_trailer(c, value, err) : malformed_trailer(err);
    if (c->trailer_count == CHUNKED_TRAILERS_MAX || !str_is_null(chunked_trailer(c, name)))
        return malformed_trailer(err);
    c->trailers[c->trailer_count++] = (struct chunked_trailer){name, value};
    if (c->is_signed) {
        add_to_hash(c, name);
        add_to_hash(c, STR(":"));
        add_to_hash(c, value);
        add_to_hash(c, STR("\n"));
    }
    return 0;
}

static int read_line(struct chunked *c, struct arena *a, struct err *err)
{
    struct str line = str_from(c->line, c->line_n);

    c->line_n = 0;
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    else if (c->state != STATE_TRAILER)
        return malformed(err, "a line does not end in CR LF");
    switch (c->state) {
    case STATE_SIZE:
        return read_size_line(c, line, err);
    case STATE_LAST:
        if (line.n)
            return malformed(err, "something follows the last chunk");
        c->state = STATE_END;
        return 0;
    default:
        return read_trailer_line(c, a, line, err);
    }
}

/* Takes what it can off the piece. */
static int step(struct chunked *c, struct arena *a, struct str *piece, chunked_sink sink, void *ctx, struct err *err)
{
    char first = piece->p[0];

    if (c->state == STATE_DATA) {
        struct str bytes = str_slice(*piece, 0, c->left < piece->n ? (size_t)c->left : piece->n);
        *piece = str_skip(*piece, bytes.n);
        c->left -= bytes.n;
        if (c->left == 0)
            c->state = STATE_DATA_CR;
        if (c->is_signed)
            add_to_hash(c, bytes);
        return sink(ctx, bytes, err);
    }
    *piece = str_skip(*piece, 1);
    if (c->state == STATE_DATA_CR || c->state == STATE_DATA_LF) {
        if (first != (c->state == STATE_DATA_CR ? '\r' : '\n'))
            return malformed(err, "a chunk's bytes are not followed by CR LF");
        c->state = c->state == STATE_DATA_CR ? STATE_DATA_LF : STATE_SIZE;
        return c->state == STATE_SIZE ? check_chunk(c, err) : 0;
    }
    if (c->state == STATE_END)
        return first == '\r' || first == '\n' ? 0 : malformed(err, "something follows its end");
    if (first == '\n')
        return read_line(c, a, err);
    if (c->line_n == sizeof(c->line))
        return malformed(err, "a line is too long");
    c->line[c->line_n++] = first;
    return 0;
}

int chunked_feed(struct chunked *c, struct arena *a, struct str piece, chunked_sink sink, void *ctx, struct err *err)
{
    while (piece.n) {
        int rc = step(c, a, &piece, sink, ctx, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int chunked_finish(const struct chunked *c, struct err *err)
{
    if (c->state != STATE_END || c->allowed)
        return err_set_named(err, ERR_INVALID, "IncompleteBody",
                             "You did not provide the number of bytes specified by the Content-Length HTTP header.");
    return 0;
}

struct str chunked_trailer(const struct chunked *c, struct str name)
{
    for (size_t i = 0; i < c->trailer_count; i++)
        if (str_eq(c->trailers[i].name, name))
            return c->trailers[i].value;
    return STR_NULL;
}
