/*
 * The codecs of container files' blocks (Avro specification, Required and Optional Codecs). Decoding trusts no declared
 * size: output grows piece by piece and stops at the buffer's cap, so that a small file can't ask for all the memory.
 */
#include "avro/codec.h"

#include "base/hash.h"
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

enum { PIECE = 64 << 10, RAW_DEFLATE = -15 /* window bits; negative: without zlib's header, as Avro says */ };

int avro_codec_find(struct str name, enum avro_codec *ret, struct err *err)
{
    if (str_is_null(name) || str_eq_cstr(name, "null"))
        *ret = AVRO_CODEC_NULL;
    else if (str_eq_cstr(name, "deflate"))
        *ret = AVRO_CODEC_DEFLATE;
    else if (str_eq_cstr(name, "zstandard"))
        *ret = AVRO_CODEC_ZSTANDARD;
    else if (str_eq_cstr(name, "snappy"))
        *ret = AVRO_CODEC_SNAPPY;
    else
        return err_set(err, ERR_UNSUPPORTED,
                       "Avro codec \"%.*s\" is not supported: null, deflate, zstandard and snappy are", STR_ARG(name));
    return 0;
}

static int inflate_block(struct str block, struct buf *to, struct err *err)
{
    z_stream z = {0};
    int rc = inflateInit2(&z, RAW_DEFLATE);

    if (rc != Z_OK)
        return err_set(err, ERR_INTERNAL, "inflate could not start: %d", rc);
    if (block.n > UINT32_MAX) {
        inflateEnd(&z);
        return err_set(err, ERR_LIMIT, "an Avro block of %zu bytes is larger than can be inflated", block.n);
    }
    z.next_in = (unsigned char *)block.p;
    z.avail_in = (unsigned)block.n;
    do {
        char *out = buf_reserve(to, to->max - to->n < PIECE && to->n < to->max ? to->max - to->n : PIECE);
        if (!out)
            break;
        unsigned room = (unsigned)(to->max - to->n < PIECE ? to->max - to->n : PIECE);
        z.next_out = (unsigned char *)out;
        z.avail_out = room;
        rc = inflate(&z, Z_NO_FLUSH);
        to->n += room - z.avail_out;
    } while (rc == Z_OK);
    inflateEnd(&z);
    if (to->failed)
        return buf_check(to, "a decompressed Avro block", err);
    if (rc != Z_STREAM_END)
        return err_set(err, ERR_CORRUPT, "an Avro block's deflate stream is damaged (%d)", rc);
    return 0;
}

static int unzstd_block(struct str block, struct buf *to, struct err *err)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    ZSTD_inBuffer in = {block.p, block.n, 0};
    size_t rc = 0;

    if (!z)
        return err_set(err, ERR_LIMIT, "no memory for a zstandard stream");
    /* A frame may ask for a window of any size: 8 MiB is what decoders must support (RFC 8878, 3.1.1.1.2). */
    (void)ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, 23);
    do {
        size_t room = to->max - to->n < PIECE && to->n < to->max ? to->max - to->n : PIECE;
        char *p = buf_reserve(to, room);
        if (!p)
            break;
        ZSTD_outBuffer out = {p, room, 0};
        size_t before = in.pos;
        rc = ZSTD_decompressStream(z, &out, &in);
        to->n += out.pos;
        if (!ZSTD_isError(rc) && rc != 0 && out.pos == 0 && in.pos == before)
            break; /* wants more input than there is */
    } while (!ZSTD_isError(rc) && (rc != 0 || in.pos < in.size));
    ZSTD_freeDStream(z);
    if (to->failed)
        return buf_check(to, "a decompressed Avro block", err);
    if (ZSTD_isError(rc))
        return err_set(err, ERR_CORRUPT, "an Avro block's zstandard frame is damaged: %s", ZSTD_getErrorName(rc));
    if (rc != 0)
        return err_set(err, ERR_CORRUPT, "an Avro block's zstandard frame is cut off");
    return 0;
}

/* "compressed with Snappy, followed by the 4-byte, big-endian CRC32 checksum of the uncompressed data" */
static int unsnappy_block(struct str block, struct buf *to, struct err *err)
{
    size_t size;
    unsigned char crc[HASH_MAX_SIZE];

    if (block.n < 4 || snappy_uncompressed_length(block.p, block.n - 4, &size) != SNAPPY_OK)
        return err_set(err, ERR_CORRUPT, "an Avro block's snappy data is damaged");
    /* Snappy's copies give at most 64 bytes for 3. */
    if (size / 32 > block.n)
        return err_set(err, ERR_CORRUPT, "an Avro block of %zu bytes claims to hold %zu", block.n, size);
    char *p = buf_reserve(to, size ? size : 1);
    if (!p)
        return buf_check(to, "a decompressed Avro block", err);
    if (snappy_uncompress(block.p, block.n - 4, p, &size) != SNAPPY_OK)
        return err_set(err, ERR_CORRUPT, "an Avro block's snappy data is damaged");
    hash_bytes(HASH_CRC32, str_from(p, size), crc);
    if (memcmp(crc, block.p + block.n - 4, 4) != 0)
        return err_set(err, ERR_CORRUPT, "an Avro block's checksum doesn't match its content");
    to->n += size;
    return 0;
}

int avro_codec_decode(enum avro_codec codec, struct str block, struct buf *to, struct err *err)
{
    switch (codec) {
    case AVRO_CODEC_NULL:
        buf_add_str(to, block);
        return buf_check(to, "an Avro block", err);
    case AVRO_CODEC_DEFLATE:
        return inflate_block(block, to, err);
    case AVRO_CODEC_ZSTANDARD:
        return unzstd_block(block, to, err);
    case AVRO_CODEC_SNAPPY:
        return unsnappy_block(block, to, err);
    }
    return err_set(err, ERR_INTERNAL, "no such codec: %d", codec);
}

int avro_codec_deflate(struct str bytes, struct buf *to, struct err *err)
{
    z_stream z = {0};
    int rc = deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_DEFLATE, 8, Z_DEFAULT_STRATEGY);

    if (rc != Z_OK || bytes.n > UINT32_MAX / 2) {
        if (rc == Z_OK)
            deflateEnd(&z);
        return err_set(err, ERR_INTERNAL, "deflate could not start on %zu bytes: %d", bytes.n, rc);
    }
    size_t room = deflateBound(&z, bytes.n);
    char *out = buf_reserve(to, room);
    if (!out) {
        deflateEnd(&z);
        return buf_check(to, "an Avro file", err);
    }
    z.next_in = (unsigned char *)bytes.p;
    z.avail_in = (unsigned)bytes.n;
    z.next_out = (unsigned char *)out;
    z.avail_out = (unsigned)room;
    rc = deflate(&z, Z_FINISH);
    to->n += room - z.avail_out;
    deflateEnd(&z);
    return rc == Z_STREAM_END ? 0 : err_set(err, ERR_INTERNAL, "deflate failed: %d", rc);
}
