/*
 * Object container files, read: header, blocks, and one record after the other as a tree of values that point into the
 * decompressed block.
 *
 * What bounds it: a length must be there in bytes before it is believed; a block decompresses to at most BLOCK_MAX; a
 * record's tree takes at most RECORD_MAX of memory (items of zero bytes, such as nulls, could be many); nesting to
 * DEPTH_MAX; a block can't claim more records than it has bytes.
 */
#include "avro/avro.h"

#include "avro/codec.h"
#include "base/vec.h"

enum { BLOCK_MAX = 256 << 20, RECORD_MAX = 64 << 20, DEPTH_MAX = 64, SYNC = 16 };

struct cursor {
    const unsigned char *p, *end;
    const unsigned char *start;
};

struct avro_reader {
    struct str file;
    struct cursor at; /* in the file */
    struct avro_meta *meta;
    size_t meta_count;
    struct avro_schema *schema;
    enum avro_codec codec;
    unsigned char sync[SYNC];

    struct buf block; /* decompressed */
    struct cursor record;
    int64_t left; /* records not read yet of the block */
    struct arena values;
};

static int cut_off(const struct cursor *c, const char *what, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "Avro: %s is cut off at byte %zu", what, (size_t)(c->p - c->start));
}

/* Zig-zag, base 128, at most 10 bytes. */
static int get_long(struct cursor *c, int64_t *ret, struct err *err)
{
    uint64_t v = 0;

    for (int shift = 0; shift < 70; shift += 7) {
        if (c->p == c->end)
            return cut_off(c, "a number", err);
        unsigned char byte = *c->p++;
        if (shift == 63 && byte > 1)
            break;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
            return 0;
        }
    }
    return err_set(err, ERR_CORRUPT, "Avro: a number of more than 64 bits at byte %zu", (size_t)(c->p - c->start));
}

static int take(struct cursor *c, size_t n, struct str *ret, struct err *err)
{
    if (n > (size_t)(c->end - c->p))
        return cut_off(c, "a value", err);
    *ret = str_from((const char *)c->p, n);
    c->p += n;
    return 0;
}

static int get_bytes(struct cursor *c, struct str *ret, struct err *err)
{
    int64_t n;
    int rc = get_long(c, &n, err);

    if (rc < 0)
        return rc;
    if (n < 0 || n > c->end - c->p)
        return err_set(err, ERR_CORRUPT, "Avro: a length of %lld at byte %zu, where %zu bytes are left", (long long)n,
                       (size_t)(c->p - c->start), (size_t)(c->end - c->p));
    return take(c, (size_t)n, ret, err);
}

/* The count of a block of an array or map; a negative one is followed by the block's size in bytes. 0 ends them. */
static int get_count(struct cursor *c, int64_t *ret, struct err *err)
{
    int64_t n, size;
    int rc = get_long(c, &n, err);

    if (rc < 0)
        return rc;
    if (n < 0) {
        if (n == INT64_MIN || get_long(c, &size, err) < 0)
            return cut_off(c, "a block's size", err);
        n = -n;
    }
    *ret = n;
    return 0;
}

static int no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "Avro: a record takes more than %d bytes of memory", RECORD_MAX);
}

static int get_value(struct avro_reader *r, const struct avro_schema *s, int depth, struct avro_value *ret,
                     struct err *err);

static int get_record(struct avro_reader *r, const struct avro_schema *s, int depth, struct avro_value *ret,
                      struct err *err)
{
    struct avro_value *items = arena_try_alloc(&r->values, s->field_count * sizeof(*items));

    if (!items)
        return no_memory(err);
    for (size_t i = 0; i < s->field_count; i++) {
        int rc = get_value(r, s->fields[i].schema, depth + 1, &items[i], err);
        if (rc < 0)
            return rc;
    }
    ret->list.items = items;
    ret->list.n = s->field_count;
    return 0;
}

/* Room for n more items; an array's count is known only block by block. */
static int grow(struct arena *a, void **items, size_t used, size_t *cap, size_t n, size_t size, struct err *err)
{
    if (n <= *cap - used)
        return 0;
    size_t want = used + n > *cap * 2 ? used + n : *cap * 2;
    void *p = want > RECORD_MAX / size ? NULL : arena_try_alloc(a, want * size);
    if (!p)
        return no_memory(err);
    if (used)
        memcpy(p, *items, used * size);
    *items = p;
    *cap = want;
    return 0;
}

static int get_list(struct avro_reader *r, const struct avro_schema *s, int depth, struct avro_value *ret,
                    struct err *err)
{
    void *items = NULL, *keys = NULL;
    size_t n = 0, cap = 0, key_cap = 0;
    int64_t more;
    int rc;

    while ((rc = get_count(&r->record, &more, err)) == 0 && more > 0) {
        if (more > RECORD_MAX)
            return no_memory(err);
        if ((rc = grow(&r->values, &items, n, &cap, (size_t)more, sizeof(struct avro_value), err)) < 0)
            return rc;
        if (s->kind == AVRO_MAP &&
            (rc = grow(&r->values, &keys, n, &key_cap, (size_t)more, sizeof(struct str), err)) < 0)
            return rc;
        for (int64_t i = 0; i < more; i++, n++) {
            if (s->kind == AVRO_MAP && (rc = get_bytes(&r->record, &((struct str *)keys)[n], err)) < 0)
                return rc;
            if ((rc = get_value(r, s->element, depth + 1, &((struct avro_value *)items)[n], err)) < 0)
                return rc;
        }
    }
    if (rc < 0)
        return rc;
    ret->list.items = items;
    ret->list.keys = keys;
    ret->list.n = n;
    return 0;
}

static int get_float(struct cursor *c, size_t n, double *ret, struct err *err)
{
    struct str bytes;
    uint64_t bits = 0;
    int rc = take(c, n, &bytes, err);

    if (rc < 0)
        return rc;
    for (size_t i = n; i-- > 0;)
        bits = bits << 8 | (unsigned char)bytes.p[i];
    if (n == sizeof(float)) {
        uint32_t small = (uint32_t)bits;
        float f;
        memcpy(&f, &small, sizeof(f));
        *ret = (double)f;
    } else {
        memcpy(ret, &bits, sizeof(*ret));
    }
    return 0;
}

static int get_index(struct cursor *c, size_t count, int64_t *ret, struct err *err)
{
    int rc = get_long(c, ret, err);

    if (rc == 0 && (*ret < 0 || (uint64_t)*ret >= count))
        return err_set(err, ERR_CORRUPT, "Avro: branch or symbol %lld of %zu at byte %zu", (long long)*ret, count,
                       (size_t)(c->p - c->start));
    return rc;
}

static int get_value(struct avro_reader *r, const struct avro_schema *s, int depth, struct avro_value *ret,
                     struct err *err)
{
    struct cursor *c = &r->record;
    struct str byte;
    int rc;

    if (depth > DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "Avro: a value is nested deeper than %d", DEPTH_MAX);
    ret->kind = s->kind;
    switch (s->kind) {
    case AVRO_NULL:
        return 0;
    case AVRO_BOOLEAN:
        if ((rc = take(c, 1, &byte, err)) < 0)
            return rc;
        ret->boolean = byte.p[0] != 0;
        return 0;
    case AVRO_INT:
    case AVRO_LONG:
        return get_long(c, &ret->i, err);
    case AVRO_FLOAT:
        return get_float(c, sizeof(float), &ret->f, err);
    case AVRO_DOUBLE:
        return get_float(c, sizeof(double), &ret->f, err);
    case AVRO_BYTES:
    case AVRO_STRING:
        return get_bytes(c, &ret->bytes, err);
    case AVRO_RECORD:
        return get_record(r, s, depth, ret, err);
    case AVRO_ENUM:
        return get_index(c, s->symbol_count, &ret->i, err);
    case AVRO_ARRAY:
    case AVRO_MAP:
        return get_list(r, s, depth, ret, err);
    case AVRO_UNION: {
        int64_t branch;
        if ((rc = get_index(c, s->field_count, &branch, err)) < 0)
            return rc;
        return get_value(r, s->fields[branch].schema, depth + 1, ret, err);
    }
    case AVRO_FIXED:
        return take(c, s->size, &ret->bytes, err);
    }
    return err_set(err, ERR_INTERNAL, "no such Avro type: %d", s->kind);
}

static int read_header(struct avro_reader *r, struct arena *a, struct err *err)
{
    VEC(struct avro_meta) meta = {0};
    struct str sync, key, value;
    int64_t more;
    int rc;

    if (!str_starts_with(r->file, str_from("Obj\1", 4)))
        return err_set(err, ERR_CORRUPT, "not an Avro file: it doesn't start with \"Obj\" and 1");
    r->at.p += 4;
    while ((rc = get_count(&r->at, &more, err)) == 0 && more > 0) {
        if (more > (r->at.end - r->at.p) / 2) /* a key and a value take two bytes at least */
            return cut_off(&r->at, "the header", err);
        for (; more > 0; more--) {
            if ((rc = get_bytes(&r->at, &key, err)) < 0 || (rc = get_bytes(&r->at, &value, err)) < 0)
                return rc;
            if (meta.n == 1000)
                return err_set(err, ERR_LIMIT, "Avro: more than 1000 header keys");
            vec_push_in(a, &meta, ((struct avro_meta){arena_cstr(a, key), value}));
        }
    }
    if (rc < 0 || (rc = take(&r->at, SYNC, &sync, err)) < 0)
        return rc;
    memcpy(r->sync, sync.p, SYNC);
    r->meta = meta.items;
    r->meta_count = meta.n;
    if ((rc = avro_codec_find(avro_reader_meta(r, "avro.codec"), &r->codec, err)) < 0)
        return rc;
    struct str schema = avro_reader_meta(r, "avro.schema");
    if (str_is_null(schema))
        return err_set(err, ERR_CORRUPT, "Avro: the header has no avro.schema");
    if ((rc = avro_schema_parse(a, schema, &r->schema, err)) < 0)
        return rc;
    if (r->schema->kind != AVRO_RECORD)
        return err_set(err, ERR_UNSUPPORTED, "Avro: a file of something else than records is not supported");
    return 0;
}

int avro_reader_new(struct arena *a, struct str file, struct avro_reader **ret, struct err *err)
{
    struct avro_reader *r = calloc(1, sizeof(*r));

    if (!r)
        return err_set(err, ERR_LIMIT, "no memory for an Avro reader");
    const unsigned char *p = (const unsigned char *)file.p;
    r->file = file;
    r->at = (struct cursor){.p = p, .end = file.n ? p + file.n : p, .start = p};
    buf_init(&r->block, BLOCK_MAX);
    arena_init(&r->values, RECORD_MAX);
    int rc = read_header(r, a, err);
    if (rc < 0) {
        avro_reader_free(r);
        return rc;
    }
    *ret = r;
    return 0;
}

void avro_reader_free(struct avro_reader *r)
{
    if (!r)
        return;
    buf_release(&r->block);
    arena_release(&r->values);
    free(r);
}

const struct avro_schema *avro_reader_schema(const struct avro_reader *r)
{
    return r->schema;
}

struct str avro_reader_meta(const struct avro_reader *r, const char *key)
{
    for (size_t i = 0; i < r->meta_count; i++)
        if (strcmp(r->meta[i].key, key) == 0)
            return r->meta[i].value;
    return STR_NULL;
}

/* 1 when there is a block, 0 at the end of the file. */
static int next_block(struct avro_reader *r, struct err *err)
{
    struct str block, sync;
    int64_t count;
    int rc;

    if (r->at.p == r->at.end)
        return 0;
    if ((rc = get_long(&r->at, &count, err)) < 0 || (rc = get_bytes(&r->at, &block, err)) < 0 ||
        (rc = take(&r->at, SYNC, &sync, err)) < 0)
        return rc;
    if (memcmp(sync.p, r->sync, SYNC) != 0)
        return err_set(err, ERR_CORRUPT, "Avro: no sync marker after the block that ends at byte %zu",
                       (size_t)(r->at.p - r->at.start) - SYNC);
    if (r->codec == AVRO_CODEC_NULL) {
        r->record.p = r->record.start = (const unsigned char *)block.p;
        r->record.end = r->record.start + block.n;
    } else {
        buf_reset(&r->block);
        if ((rc = avro_codec_decode(r->codec, block, &r->block, err)) < 0)
            return rc;
        r->record.p = r->record.start = (const unsigned char *)r->block.p;
        r->record.end = r->block.n ? r->record.p + r->block.n : r->record.p;
    }
    if (count < 0 || count > r->record.end - r->record.p)
        return err_set(err, ERR_CORRUPT, "Avro: a block of %zu bytes claims %lld records",
                       (size_t)(r->record.end - r->record.p), (long long)count);
    r->left = count;
    return 1;
}

int avro_reader_next(struct avro_reader *r, const struct avro_value **ret, struct err *err)
{
    while (r->left == 0) {
        if (r->record.p != r->record.end)
            return err_set(err, ERR_CORRUPT, "Avro: %zu bytes are left after a block's last record",
                           (size_t)(r->record.end - r->record.p));
        int rc = next_block(r, err);
        if (rc <= 0)
            return rc;
    }
    arena_release(&r->values);
    struct avro_value *v = arena_new(&r->values, struct avro_value);
    int rc = get_value(r, r->schema, 0, v, err);
    if (rc < 0)
        return rc;
    r->left--;
    *ret = v;
    return 1;
}

const struct avro_value *avro_by_id(const struct avro_schema *s, const struct avro_value *record, int field_id)
{
    if (record->kind != AVRO_RECORD)
        return NULL;
    for (size_t i = 0; s->kind == AVRO_UNION && i < s->field_count; i++) {
        if (s->fields[i].schema->kind == AVRO_RECORD) {
            s = s->fields[i].schema;
            break;
        }
    }
    for (size_t i = 0; i < s->field_count && i < record->list.n; i++)
        if (s->fields[i].field_id == field_id)
            return record->list.items[i].kind == AVRO_NULL ? NULL : &record->list.items[i];
    return NULL;
}
