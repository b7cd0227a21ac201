#include "objects/index.h"

enum { INDEX_VERSION = 1, KIND_BUCKET = 1, KIND_OBJECT, KIND_UPLOAD, KIND_PART };

enum { FLAG_INLINE = 1, FLAG_COMPOSITE = 2 };

void index_put_u64(unsigned char out[8], uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        out[i] = (unsigned char)v;
}

uint64_t index_get_u64(const unsigned char in[8])
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | in[i];
    return v;
}

/* ---- encoding ---- */

static void put_int(struct buf *to, uint64_t v, int bytes)
{
    char raw[8];

    for (int i = 0; i < bytes; i++, v >>= 8)
        raw[i] = (char)v;
    buf_append(to, raw, (size_t)bytes);
}

static void put_str(struct buf *to, struct str s)
{
    put_int(to, s.n, 2);
    buf_add_str(to, s);
}

static void put_checksum(struct buf *to, const struct objects_checksum *c)
{
    put_int(to, (uint64_t)c->kind + 1, 1);
    if (c->kind >= 0)
        buf_append(to, c->value, hash_size((enum hash_kind)c->kind));
}

static void put_data(struct buf *to, const struct index_data *d)
{
    buf_append(to, d->id, INDEX_ID_SIZE);
    if (d->is_inline) {
        put_int(to, d->bytes.n, 4);
        buf_add_str(to, d->bytes);
    }
}

static void put_meta(struct buf *to, const struct objects_meta *meta, size_t n)
{
    put_int(to, n, 2);
    for (size_t i = 0; i < n; i++) {
        put_str(to, meta[i].name);
        put_str(to, meta[i].value);
    }
}

static void begin_record(struct buf *to, int kind)
{
    put_int(to, INDEX_VERSION, 1);
    put_int(to, (uint64_t)kind, 1);
}

static void end_record(struct buf *to, size_t start)
{
    unsigned char crc[HASH_MAX_SIZE];

    if (to->failed)
        return;
    hash_bytes(HASH_CRC32C, str_skip(buf_str(to), start), crc);
    buf_append(to, crc, 4);
}

static uint64_t flags_of(const struct index_data *d, const struct objects_checksum *c)
{
    return (d->is_inline ? FLAG_INLINE : 0u) | (c->composite ? FLAG_COMPOSITE : 0u);
}

void index_encode_bucket(struct buf *to, const struct index_bucket *b)
{
    size_t start = to->n;

    begin_record(to, KIND_BUCKET);
    put_int(to, (uint64_t)b->created_ms, 8);
    put_int(to, b->objects_root, 8);
    put_int(to, b->uploads_root, 8);
    end_record(to, start);
}

void index_encode_object(struct buf *to, const struct index_object *o)
{
    size_t start = to->n;

    begin_record(to, KIND_OBJECT);
    put_int(to, flags_of(&o->data, &o->checksum), 1);
    put_int(to, o->size, 8);
    put_int(to, (uint64_t)o->modified_ms, 8);
    put_str(to, o->etag);
    put_int(to, o->part_count, 4);
    put_checksum(to, &o->checksum);
    put_data(to, &o->data);
    put_meta(to, o->meta, o->meta_count);
    end_record(to, start);
}

void index_encode_upload(struct buf *to, const struct index_upload *u)
{
    size_t start = to->n;

    begin_record(to, KIND_UPLOAD);
    put_int(to, u->checksum_composite ? FLAG_COMPOSITE : 0, 1);
    put_int(to, u->parts, 8);
    put_int(to, (uint64_t)u->started_ms, 8);
    put_int(to, (uint64_t)u->checksum_kind + 1, 1);
    put_meta(to, u->meta, u->meta_count);
    end_record(to, start);
}

void index_encode_part(struct buf *to, const struct index_part *p)
{
    size_t start = to->n;

    begin_record(to, KIND_PART);
    put_int(to, flags_of(&p->data, &p->checksum), 1);
    put_int(to, p->size, 8);
    put_int(to, (uint64_t)p->modified_ms, 8);
    put_str(to, p->etag);
    put_checksum(to, &p->checksum);
    put_data(to, &p->data);
    end_record(to, start);
}

/* ---- decoding ---- */

struct reader {
    struct str rest;
    bool failed; /* something was missing or impossible; values read since are zero */
};

static struct str take(struct reader *r, size_t n)
{
    if (r->failed || r->rest.n < n) {
        r->failed = true;
        return STR("");
    }
    struct str s = str_from(r->rest.p, n);
    r->rest = str_from(r->rest.p + n, r->rest.n - n);
    return s;
}

static uint64_t get_int(struct reader *r, int bytes)
{
    struct str s = take(r, (size_t)bytes);
    uint64_t v = 0;

    for (size_t i = s.n; i-- > 0;)
        v = v << 8 | (unsigned char)s.p[i];
    return v;
}

static struct str get_str(struct reader *r)
{
    return take(r, (size_t)get_int(r, 2));
}

static int get_kind(struct reader *r)
{
    uint64_t kind = get_int(r, 1);

    if (kind > HASH_CRC64NVME + 1)
        r->failed = true;
    return r->failed ? -1 : (int)kind - 1;
}

static uint64_t get_flags(struct reader *r, uint64_t known)
{
    uint64_t flags = get_int(r, 1);

    if (flags & ~known)
        r->failed = true;
    return flags;
}

static void get_checksum(struct reader *r, uint64_t flags, struct objects_checksum *ret)
{
    *ret = (struct objects_checksum){.kind = get_kind(r), .composite = (flags & FLAG_COMPOSITE) != 0};
    if (ret->kind >= 0) {
        struct str value = take(r, hash_size((enum hash_kind)ret->kind));
        if (value.n)
            memcpy(ret->value, value.p, value.n);
    }
}

static void get_data(struct reader *r, uint64_t flags, struct index_data *ret)
{
    struct str id = take(r, INDEX_ID_SIZE);

    *ret = (struct index_data){.is_inline = (flags & FLAG_INLINE) != 0};
    if (id.n)
        memcpy(ret->id, id.p, INDEX_ID_SIZE);
    if (ret->is_inline)
        ret->bytes = take(r, (size_t)get_int(r, 4));
}

static void get_meta(struct reader *r, struct arena *a, const struct objects_meta **ret, size_t *ret_n)
{
    size_t n = (size_t)get_int(r, 2);

    if (n > r->rest.n / 4) { /* each takes at least its two lengths */
        r->failed = true;
        return;
    }
    struct objects_meta *meta = a ? arena_array(a, struct objects_meta, n) : NULL;
    for (size_t i = 0; i < n; i++) {
        struct objects_meta m;
        m.name = get_str(r);
        m.value = get_str(r);
        if (meta)
            meta[i] = m;
    }
    *ret = meta;
    *ret_n = meta ? n : 0;
}

static int open_record(struct str record, int kind, struct reader *ret, struct err *err)
{
    unsigned char crc[HASH_MAX_SIZE];

    if (record.n < 6)
        return err_set(err, ERR_CORRUPT, "index record of %zu bytes: too short to be one", record.n);
    struct str body = str_from(record.p, record.n - 4);
    if ((unsigned char)body.p[0] != INDEX_VERSION)
        return err_set(err, ERR_CORRUPT, "index record of version %d: this program knows version %d",
                       (unsigned char)body.p[0], INDEX_VERSION);
    hash_bytes(HASH_CRC32C, body, crc);
    if (memcmp(crc, body.p + body.n, 4) != 0)
        return err_set(err, ERR_CORRUPT, "index record damaged: its checksum doesn't match");
    if (body.p[1] != kind)
        return err_set(err, ERR_CORRUPT, "index record of kind %d where kind %d belongs", body.p[1], kind);
    *ret = (struct reader){.rest = str_skip(body, 2)};
    return 0;
}

static int close_record(const struct reader *r, struct err *err)
{
    if (r->failed || r->rest.n)
        return err_set(err, ERR_CORRUPT, "index record malformed: %s",
                       r->failed ? "it ends early, or says what can't be" : "bytes left over");
    return 0;
}

int index_decode_bucket(struct str record, struct index_bucket *ret, struct err *err)
{
    struct reader r;
    struct index_bucket b;
    int rc = open_record(record, KIND_BUCKET, &r, err);

    if (rc < 0)
        return rc;
    b.created_ms = (int64_t)get_int(&r, 8);
    b.objects_root = get_int(&r, 8);
    b.uploads_root = get_int(&r, 8);
    rc = close_record(&r, err);
    if (rc == 0)
        *ret = b;
    return rc;
}

int index_decode_object(struct str record, struct arena *a, struct index_object *ret, struct err *err)
{
    struct reader r;
    struct index_object o = {0};
    int rc = open_record(record, KIND_OBJECT, &r, err);

    if (rc < 0)
        return rc;
    uint64_t flags = get_flags(&r, FLAG_INLINE | FLAG_COMPOSITE);
    o.size = get_int(&r, 8);
    o.modified_ms = (int64_t)get_int(&r, 8);
    o.etag = get_str(&r);
    o.part_count = (uint32_t)get_int(&r, 4);
    get_checksum(&r, flags, &o.checksum);
    get_data(&r, flags, &o.data);
    get_meta(&r, a, &o.meta, &o.meta_count);
    rc = close_record(&r, err);
    if (rc == 0 && o.data.is_inline && o.data.bytes.n != o.size)
        rc = err_set(err, ERR_CORRUPT, "index record malformed: %zu bytes inline of an object of %llu", o.data.bytes.n,
                     (unsigned long long)o.size);
    if (rc == 0)
        *ret = o;
    return rc;
}

int index_decode_upload(struct str record, struct arena *a, struct index_upload *ret, struct err *err)
{
    struct reader r;
    struct index_upload u = {0};
    int rc = open_record(record, KIND_UPLOAD, &r, err);

    if (rc < 0)
        return rc;
    u.checksum_composite = get_flags(&r, FLAG_COMPOSITE) != 0;
    u.parts = get_int(&r, 8);
    u.started_ms = (int64_t)get_int(&r, 8);
    u.checksum_kind = get_kind(&r);
    get_meta(&r, a, &u.meta, &u.meta_count);
    rc = close_record(&r, err);
    if (rc == 0)
        *ret = u;
    return rc;
}

int index_decode_part(struct str record, struct index_part *ret, struct err *err)
{
    struct reader r;
    struct index_part p = {0};
    int rc = open_record(record, KIND_PART, &r, err);

    if (rc < 0)
        return rc;
    uint64_t flags = get_flags(&r, FLAG_INLINE | FLAG_COMPOSITE);
    p.size = get_int(&r, 8);
    p.modified_ms = (int64_t)get_int(&r, 8);
    p.etag = get_str(&r);
    get_checksum(&r, flags, &p.checksum);
    get_data(&r, flags, &p.data);
    rc = close_record(&r, err);
    if (rc == 0)
        *ret = p;
    return rc;
}
