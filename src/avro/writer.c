/*
 * Object container files, written: the header with the schema's text as it is given, then deflate blocks of about
 * BLOCK_SIZE bytes, Avro Java's default, which Iceberg's manifests have.
 */
#include "avro/avro.h"

#include "avro/codec.h"
#include "base/rand.h"

enum { BLOCK_SIZE = 64000, BLOCK_MAX = 256 << 20, SYNC = 16 };

struct avro_writer {
    struct buf *to;
    struct buf block;
    int64_t count; /* records in the block */
    char sync[SYNC];
};

static void put_long(struct buf *to, int64_t v)
{
    uint64_t u = (uint64_t)v << 1 ^ (uint64_t)(v >> 63);

    for (; u >= 0x80; u >>= 7)
        buf_add_char(to, (char)(u | 0x80));
    buf_add_char(to, (char)u);
}

static void put_bytes(struct buf *to, struct str v)
{
    put_long(to, (int64_t)v.n);
    buf_add_str(to, v);
}

int avro_writer_new(struct buf *to, struct str schema_json, const struct avro_meta *meta, size_t meta_count,
                    struct avro_writer **ret, struct err *err)
{
    struct avro_writer *w = calloc(1, sizeof(*w));

    if (!w)
        return err_set(err, ERR_LIMIT, "no memory for an Avro writer");
    w->to = to;
    buf_init(&w->block, BLOCK_MAX);
    rand_bytes(w->sync, SYNC);
    buf_append(to, "Obj\1", 4);
    put_long(to, (int64_t)meta_count + 2);
    put_bytes(to, STR("avro.schema"));
    put_bytes(to, schema_json);
    put_bytes(to, STR("avro.codec"));
    put_bytes(to, STR("deflate"));
    for (size_t i = 0; i < meta_count; i++) {
        put_bytes(to, str_from_cstr(meta[i].key));
        put_bytes(to, meta[i].value);
    }
    put_long(to, 0);
    buf_append(to, w->sync, SYNC);
    *ret = w;
    return 0;
}

void avro_put_long(struct avro_writer *w, int64_t v)
{
    put_long(&w->block, v);
}

void avro_put_bytes(struct avro_writer *w, struct str v)
{
    put_bytes(&w->block, v);
}

void avro_put_fixed(struct avro_writer *w, struct str v)
{
    buf_add_str(&w->block, v);
}

void avro_put_boolean(struct avro_writer *w, bool v)
{
    buf_add_char(&w->block, v ? 1 : 0);
}

static void put_little_endian(struct buf *to, uint64_t bits, int n)
{
    for (int i = 0; i < n; i++)
        buf_add_char(to, (char)(bits >> (8 * i)));
}

void avro_put_float(struct avro_writer *w, float v)
{
    uint32_t bits;

    memcpy(&bits, &v, sizeof(bits));
    put_little_endian(&w->block, bits, 4);
}

void avro_put_double(struct avro_writer *w, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    put_little_endian(&w->block, bits, 8);
}

/* Once something failed, the buffer that failed says so in avro_writer_finish. */
static void flush(struct avro_writer *w)
{
    BUF_SCOPED struct buf packed;

    buf_init(&packed, BLOCK_MAX);
    if (w->count == 0 || w->block.failed)
        return;
    if (avro_codec_deflate(buf_str(&w->block), &packed, NULL) < 0) {
        w->block.failed = true;
        return;
    }
    put_long(w->to, w->count);
    put_bytes(w->to, buf_str(&packed));
    buf_append(w->to, w->sync, SYNC);
    buf_reset(&w->block);
    w->count = 0;
}

void avro_end_record(struct avro_writer *w)
{
    w->count++;
    if (w->block.n >= BLOCK_SIZE)
        flush(w);
}

int avro_writer_finish(struct avro_writer *w, struct err *err)
{
    flush(w);
    int rc = buf_check(&w->block, "an Avro block", err);
    if (rc == 0)
        rc = buf_check(w->to, "an Avro file", err);
    buf_release(&w->block);
    free(w);
    return rc;
}
