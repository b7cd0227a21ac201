/*
 * Multipart uploads. A part is a blob (or inline) under the upload's number; completing joins the parts into one blob, by
 * copy_file_range, which a filesystem with shared extents does without copying; an object of one part takes over its
 * blob. One object is thus always one file, which sendfile and the engine's readers want.
 *
 * An upload's entry has the key "object key, NUL, upload id" in the bucket's tree of uploads, so that they list in S3's
 * order.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/rand.h"
#include "base/vec.h"
#include "objects/internal.h"
#include <errno.h>

enum { UPLOAD_ID_SIZE = 32, PART_KEY_SIZE = 12, PART_MIN_SIZE = 5 << 20 };

static struct str upload_key(char out[OBJECTS_KEY_MAX + 1 + UPLOAD_ID_SIZE], struct str key, struct str id)
{
    if (key.n > OBJECTS_KEY_MAX || id.n > UPLOAD_ID_SIZE)
        return STR_NULL;
    memcpy(out, key.p, key.n);
    out[key.n] = '\0';
    if (id.n)
        memcpy(out + key.n + 1, id.p, id.n);
    return str_from(out, key.n + 1 + id.n);
}

static struct str part_key(char out[PART_KEY_SIZE], uint64_t upload, uint32_t number)
{
    unsigned char wide[8];

    index_put_u64((unsigned char *)out, upload);
    index_put_u64(wide, number);
    memcpy(out + 8, wide + 4, 4);
    return str_from(out, PART_KEY_SIZE);
}

int upload_find(struct txn *t, const struct index_bucket *b, struct str key, struct str id, struct arena *a,
                struct index_upload *ret, struct err *err)
{
    char bytes[OBJECTS_KEY_MAX + 1 + UPLOAD_ID_SIZE];
    struct str record = STR_NULL, name = upload_key(bytes, key, id);

    if (!str_is_null(name) && id.n) {
        int r = tree_get(t, b->uploads_root, name, &record, err);
        if (r < 0)
            return r;
    }
    if (str_is_null(record))
        return err_set_named(err, ERR_NOT_FOUND, "NoSuchUpload",
                             "The specified multipart upload does not exist. The upload ID may be invalid, or the "
                             "upload may have been aborted or completed.");
    return index_decode_upload(record, a, ret, err);
}

/* ---- beginning ---- */

struct begin {
    struct str bucket, key;
    const char *id;
    struct index_upload upload;
};

static int apply_begin(struct txn *t, void *ctx, struct err *err)
{
    struct begin *s = ctx;
    struct index_bucket b;
    char bytes[OBJECTS_KEY_MAX + 1 + UPLOAD_ID_SIZE];
    BUF_SCOPED struct buf record;

    buf_init(&record, INDEX_RECORD_MAX);
    int r = bucket_find(t, s->bucket, &b, err);
    if (r == 0)
        r = txn_next_number(t, &s->upload.parts, err);
    if (r < 0)
        return r;
    index_encode_upload(&record, &s->upload);
    r = buf_check(&record, "an upload's record", err);
    if (r < 0)
        return r;
    return tree_put(t, b.uploads_root, upload_key(bytes, s->key, str_from(s->id, UPLOAD_ID_SIZE)), buf_str(&record),
                    err);
}

int objects_upload_begin(struct objects *o, struct arena *a, struct str bucket, struct str key,
                         const struct objects_meta *meta, size_t meta_count, int checksum_kind, bool checksum_composite,
                         struct str *ret_id, struct err *err)
{
    char id[UPLOAD_ID_SIZE + 1];
    struct begin s = {.bucket = bucket,
                      .key = key,
                      .id = id,
                      .upload = {.started_ms = clock_wall_ms(),
                                 .checksum_kind = checksum_kind,
                                 .checksum_composite = checksum_composite,
                                 .meta = meta,
                                 .meta_count = meta_count}};
    int r = bucket_check_key(key, err);

    rand_alnum(id, UPLOAD_ID_SIZE);
    if (r == 0)
        r = object_check_meta(meta, meta_count, err);
    if (r == 0)
        r = commit_run(o, apply_begin, &s, err);
    if (r == 0)
        *ret_id = arena_str(a, str_from(id, UPLOAD_ID_SIZE));
    return r;
}

int objects_upload_get(struct objects *o, struct arena *a, struct str bucket, struct str key, struct str id,
                       struct objects_upload *ret, struct err *err)
{
    struct txn t;
    struct index_bucket b;
    struct index_upload u;
    int r = txn_begin_read(o, &t, err);

    if (r < 0)
        return r;
    r = bucket_find(&t, bucket, &b, err);
    if (r == 0)
        r = upload_find(&t, &b, key, id, a, &u, err);
    txn_end_read(&t);
    if (r == 0)
        *ret = (struct objects_upload){.bucket = arena_str(a, bucket),
                                       .key = arena_str(a, key),
                                       .id = arena_str(a, id),
                                       .started_ms = u.started_ms,
                                       .checksum_kind = u.checksum_kind,
                                       .checksum_composite = u.checksum_composite};
    return r;
}

/* ---- parts ---- */

int upload_put_part(struct txn *t, const struct index_bucket *b, struct str key, struct str id, uint32_t number,
                    const struct index_part *p, struct err *err)
{
    ARENA_SCOPED struct arena scratch = ARENA_INIT;
    struct index_upload u;
    struct index_part old;
    struct str record;
    char name[PART_KEY_SIZE];
    BUF_SCOPED struct buf encoded;

    buf_init(&encoded, INDEX_RECORD_MAX);
    int r = upload_find(t, b, key, id, &scratch, &u, err);
    if (r == 0)
        r = txn_get(t, t->o->parts, part_key(name, u.parts, number), &record, err);
    if (r == 0 && !str_is_null(record)) {
        r = index_decode_part(record, &old, err);
        if (r == 0)
            r = blob_unref(t, &old.data, err);
    }
    if (r == 0)
        r = blob_ref(t, &p->data, err);
    if (r < 0)
        return r;
    index_encode_part(&encoded, p);
    r = buf_check(&encoded, "a part's record", err);
    return r < 0 ? r : txn_put(t, t->o->parts, part_key(name, u.parts, number), buf_str(&encoded), err);
}

typedef int (*part_fn)(void *ctx, uint32_t number, const struct index_part *p, struct err *err);

/* Calls `each` for the parts above `after`; a positive result of it ends the walk. */
static int each_part(struct txn *t, uint64_t upload, uint32_t after, part_fn each, void *ctx, struct err *err)
{
    char start[PART_KEY_SIZE];
    struct str from = part_key(start, upload, after + 1);
    MDB_val k = {from.n, start}, v;
    MDB_cursor *cursor;
    int r = txn_cursor(t, t->o->parts, &cursor, err);

    if (r < 0)
        return r;
    int rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    while (r == 0 && rc == 0 && k.mv_size == PART_KEY_SIZE && index_get_u64(k.mv_data) == upload) {
        struct index_part p;
        const unsigned char *n = (unsigned char *)k.mv_data + 8;
        uint32_t number = (uint32_t)n[0] << 24 | (uint32_t)n[1] << 16 | (uint32_t)n[2] << 8 | n[3];
        r = index_decode_part(str_from(v.mv_data, v.mv_size), &p, err);
        if (r == 0)
            r = each(ctx, number, &p, err);
        if (r == 0)
            rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return txn_failed(t, rc, err);
    return r < 0 ? r : 0;
}

struct held_part {
    uint32_t number;
    struct index_part part; /* its strings are in an arena */
};

struct held {
    struct arena *arena;
    VEC(struct held_part) parts;
    size_t max;
    bool more;
    bool with_bytes;
};

static int hold(void *ctx, uint32_t number, const struct index_part *p, struct err *err)
{
    struct held *h = ctx;
    struct held_part one = {.number = number, .part = *p};

    (void)err;
    if (h->parts.n == h->max) {
        h->more = true;
        return 1;
    }
    one.part.etag = arena_str(h->arena, p->etag);
    one.part.data.bytes = h->with_bytes ? arena_str(h->arena, p->data.bytes) : STR_NULL;
    vec_push_in(h->arena, &h->parts, one);
    return 0;
}

int objects_upload_parts(struct objects *o, struct arena *a, struct str bucket, struct str key, struct str id,
                         uint32_t after, size_t max, struct objects_part **ret, size_t *ret_n, bool *ret_truncated,
                         struct err *err)
{
    struct held h = {.arena = a, .max = max};
    struct txn t;
    struct index_bucket b;
    struct index_upload u;
    int r = txn_begin_read(o, &t, err);

    if (r < 0)
        return r;
    r = bucket_find(&t, bucket, &b, err);
    if (r == 0)
        r = upload_find(&t, &b, key, id, a, &u, err);
    if (r == 0 && after < OBJECTS_PARTS_MAX)
        r = each_part(&t, u.parts, after, hold, &h, err);
    txn_end_read(&t);
    if (r < 0)
        return r;
    struct objects_part *parts = arena_array(a, struct objects_part, h.parts.n);
    for (size_t i = 0; i < h.parts.n; i++) {
        const struct index_part *p = &h.parts.items[i].part;
        parts[i] = (struct objects_part){.number = h.parts.items[i].number,
                                         .etag = p->etag,
                                         .size = p->size,
                                         .modified_ms = p->modified_ms,
                                         .checksum = p->checksum};
    }
    *ret = parts;
    *ret_n = h.parts.n;
    *ret_truncated = h.more;
    return 0;
}

/* ---- removing ---- */

int upload_remove(struct txn *t, const struct index_bucket *b, struct str key, struct str id, struct err *err)
{
    ARENA_SCOPED struct arena scratch = ARENA_INIT;
    struct held h = {.arena = &scratch, .max = OBJECTS_PARTS_MAX};
    struct index_upload u;
    char bytes[OBJECTS_KEY_MAX + 1 + UPLOAD_ID_SIZE], name[PART_KEY_SIZE];
    int r = upload_find(t, b, key, id, &scratch, &u, err);

    if (r == 0)
        r = each_part(t, u.parts, 0, hold, &h, err);
    for (size_t i = 0; r == 0 && i < h.parts.n; i++) {
        r = blob_unref(t, &h.parts.items[i].part.data, err);
        if (r == 0)
            r = txn_remove(t, t->o->parts, part_key(name, u.parts, h.parts.items[i].number), err);
    }
    return r < 0 ? r : tree_remove(t, b->uploads_root, upload_key(bytes, key, id), err);
}

static bool split_upload_key(struct str name, struct str *ret_key, struct str *ret_id)
{
    size_t nul = str_find_char(name, '\0', 0);

    if (nul == SIZE_MAX || nul > OBJECTS_KEY_MAX || name.n - nul - 1 > UPLOAD_ID_SIZE)
        return false;
    *ret_key = str_slice(name, 0, nul);
    *ret_id = str_skip(name, nul + 1);
    return true;
}

int upload_remove_all(struct txn *t, const struct index_bucket *b, struct err *err)
{
    for (;;) {
        char bytes[OBJECTS_KEY_MAX + 1 + UPLOAD_ID_SIZE];
        struct str key, id;
        TREE_ITER_SCOPED struct tree_iter it = {0};
        int r = tree_iter_init(&it, t, b->uploads_root, err);
        if (r == 0)
            r = tree_seek(&it, STR(""), err);
        if (r < 0 || !it.valid)
            return r;
        if (!split_upload_key(it.key, &key, &id))
            return err_set(err, ERR_CORRUPT, "the index has an upload without a key and an id");
        memcpy(bytes, it.key.p, it.key.n);
        r = upload_remove(t, b, str_from(bytes, key.n), str_from(bytes + key.n + 1, id.n), err);
        if (r < 0)
            return r;
    }
}

struct abort {
    struct str bucket, key, id;
};

static int apply_abort(struct txn *t, void *ctx, struct err *err)
{
    const struct abort *c = ctx;
    struct index_bucket b;
    int r = bucket_find(t, c->bucket, &b, err);

    return r < 0 ? r : upload_remove(t, &b, c->key, c->id, err);
}

int objects_upload_abort(struct objects *o, struct str bucket, struct str key, struct str id, struct err *err)
{
    struct abort c = {.bucket = bucket, .key = key, .id = id};

    return commit_run(o, apply_abort, &c, err);
}

/* ---- listing ---- */

static int walk_uploads(struct tree_iter *it, struct arena *a, struct str bucket, struct str prefix, struct str from,
                        size_t max, struct objects_upload **ret, size_t *ret_n, bool *ret_truncated, struct err *err)
{
    VEC(struct objects_upload) found = {0};
    bool truncated = false;
    int r = tree_seek(it, from, err);

    while (r == 0 && it->valid && str_starts_with(it->key, prefix)) {
        struct index_upload u;
        struct objects_upload one = {.bucket = bucket};
        if (!split_upload_key(it->key, &one.key, &one.id))
            return err_set(err, ERR_CORRUPT, "the index has an upload without a key and an id");
        if (found.n == max) {
            truncated = true;
            break;
        }
        r = index_decode_upload(it->record, a, &u, err);
        if (r < 0)
            break;
        one.key = arena_str(a, one.key);
        one.id = arena_str(a, one.id);
        one.started_ms = u.started_ms;
        one.checksum_kind = u.checksum_kind;
        one.checksum_composite = u.checksum_composite;
        vec_push_in(a, &found, one);
        r = tree_next(it, err);
    }
    if (r == 0) {
        *ret = found.items;
        *ret_n = found.n;
        *ret_truncated = truncated;
    }
    return r;
}

/* Uploads after the markers: without an id those of greater keys, with one also those of the same key with greater ids. */
static struct str after_markers(struct arena *a, struct str prefix, struct str key, struct str id)
{
    struct str from = prefix;

    if (key.n) {
        struct str marker = str_is_empty(id) ? arena_printf(a, "%.*s%c", STR_ARG(key), 1)
                                             : arena_printf(a, "%.*s%c%.*s%c", STR_ARG(key), 0, STR_ARG(id), 0);
        if (str_cmp(marker, prefix) > 0)
            from = marker;
    }
    return from;
}

int objects_list_uploads(struct objects *o, struct arena *a, struct str bucket, struct str prefix,
                         struct str key_marker, struct str id_marker, size_t max, struct objects_upload **ret,
                         size_t *ret_n, bool *ret_truncated, struct err *err)
{
    struct txn t;
    struct index_bucket b;
    int r = txn_begin_read(o, &t, err);

    if (r < 0)
        return r;
    r = bucket_find(&t, bucket, &b, err);
    if (r == 0) {
        TREE_ITER_SCOPED struct tree_iter it = {0};
        r = tree_iter_init(&it, &t, b.uploads_root, err);
        if (r == 0)
            r = walk_uploads(&it, a, arena_str(a, bucket), prefix, after_markers(a, prefix, key_marker, id_marker), max,
                             ret, ret_n, ret_truncated, err);
    }
    txn_end_read(&t);
    return r;
}

/* ---- completing ---- */

struct complete {
    struct objects *o;
    struct arena *arena;
    struct str bucket, key, id;
    const struct objects_part *asked;
    size_t n;
    const struct objects_conditions *conditions;
    struct index_upload upload;
    const struct held_part **parts; /* of the asked ones, n */
    struct index_object object;
};

static int invalid_part(uint32_t number, struct err *err)
{
    return err_set_named(err, ERR_INVALID, "InvalidPart",
                         "One or more of the specified parts could not be found. The part may not have been uploaded, "
                         "or the specified entity tag may not match the part's entity tag: part %u",
                         number);
}

static bool same_checksum(const struct objects_checksum *x, const struct objects_checksum *y)
{
    return x->kind == y->kind && memcmp(x->value, y->value, hash_size((enum hash_kind)x->kind)) == 0;
}

/* Finds the asked parts among those there are; both ascend. */
static int match_parts(struct complete *c, const struct held *h, struct err *err)
{
    size_t at = 0;

    if (c->n == 0)
        return err_set_named(err, ERR_INVALID, "MalformedXML", "You must specify at least one part");
    for (size_t i = 1; i < c->n; i++)
        if (c->asked[i].number <= c->asked[i - 1].number)
            return err_set_named(err, ERR_INVALID, "InvalidPartOrder",
                                 "The list of parts was not in ascending order. Parts must be ordered by part number.");
    c->parts = arena_array(c->arena, const struct held_part *, c->n);
    for (size_t i = 0; i < c->n; i++) {
        const struct objects_part *asked = &c->asked[i];
        while (at < h->parts.n && h->parts.items[at].number < asked->number)
            at++;
        if (at == h->parts.n || h->parts.items[at].number != asked->number)
            return invalid_part(asked->number, err);
        const struct held_part *p = &h->parts.items[at];
        if (!str_eq_nocase(p->part.etag, asked->etag))
            return invalid_part(asked->number, err);
        if (asked->checksum.kind >= 0 && !same_checksum(&asked->checksum, &p->part.checksum))
            return invalid_part(asked->number, err);
        if (i + 1 < c->n && p->part.size < PART_MIN_SIZE)
            return err_set_named(err, ERR_INVALID, "EntityTooSmall",
                                 "Your proposed upload is smaller than the minimum allowed size: part %u has %llu "
                                 "bytes, and all but the last have at least %d",
                                 asked->number, (unsigned long long)p->part.size, PART_MIN_SIZE);
        c->parts[i] = p;
        c->object.size += p->part.size;
    }
    return 0;
}

/* "MD5 of the parts' MD5s, dash, their number" */
static int make_etag(struct complete *c, struct err *err)
{
    struct hash md5;
    unsigned char value[HASH_MAX_SIZE];
    BUF_SCOPED struct buf text;

    hash_init(&md5, HASH_MD5);
    for (size_t i = 0; i < c->n; i++) {
        int r = enc_unhex(c->parts[i]->part.etag, value, 16, err);
        if (r < 0) {
            hash_release(&md5);
            return r;
        }
        hash_update(&md5, value, 16);
    }
    hash_final(&md5, value);
    buf_init(&text, 64);
    enc_hex(&text, value, 16);
    buf_addf(&text, "-%zu", c->n);
    c->object.etag = arena_str(c->arena, buf_str(&text));
    return 0;
}

static bool is_crc(int kind)
{
    return kind == HASH_CRC32 || kind == HASH_CRC32C || kind == HASH_CRC64NVME;
}

static uint64_t crc_value(const struct objects_checksum *c)
{
    uint64_t v = 0;

    for (size_t i = 0; i < hash_size((enum hash_kind)c->kind); i++)
        v = v << 8 | c->value[i];
    return v;
}

static void put_crc(struct objects_checksum *c, uint64_t v)
{
    for (size_t i = hash_size((enum hash_kind)c->kind); i-- > 0; v >>= 8)
        c->value[i] = (unsigned char)v;
}

/* Every part has a checksum of the upload's kind: objects_part_begin sees to that. */
static int make_checksum(struct complete *c, struct err *err)
{
    struct objects_checksum *sum = &c->object.checksum;
    int kind = c->upload.checksum_kind;
    struct hash h;
    uint64_t crc = 0;

    *sum = (struct objects_checksum){.kind = kind, .composite = c->upload.checksum_composite};
    if (kind < 0)
        return 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->parts[i]->part.checksum.kind != kind)
            return invalid_part(c->parts[i]->number, err);
    if (!sum->composite) {
        if (!is_crc(kind))
            return err_set_named(err, ERR_INVALID, "InvalidRequest",
                                 "The checksum type FULL_OBJECT is for the CRC algorithms only");
        for (size_t i = 0; i < c->n; i++) {
            const struct index_part *p = &c->parts[i]->part;
            crc = i ? hash_crc_combine((enum hash_kind)kind, crc, crc_value(&p->checksum), p->size)
                    : crc_value(&p->checksum);
        }
        put_crc(sum, crc);
        return 0;
    }
    hash_init(&h, (enum hash_kind)kind);
    for (size_t i = 0; i < c->n; i++)
        hash_update(&h, c->parts[i]->part.checksum.value, hash_size((enum hash_kind)kind));
    hash_final(&h, sum->value);
    return 0;
}

/* For filesystems that can't copy_file_range. `at`: how much is there already. */
static int copy_bytes(int from, struct blob *to, uint64_t at, uint64_t size, struct err *err)
{
    enum { CHUNK = 1 << 20 };
    char *chunk = malloc(CHUNK);
    int r = 0;

    if (!chunk)
        abort();
    for (; r == 0 && at < size; at += CHUNK) {
        size_t n = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
        r = file_pread_all(from, chunk, n, at, err);
        if (r == 0)
            r = blob_append(to, str_from(chunk, n), err);
    }
    free(chunk);
    return r;
}

static int copy_range(int from, struct blob *to, uint64_t size, struct err *err)
{
    uint64_t whole = size;

    while (size) {
        ssize_t n = copy_file_range(from, NULL, to->fd, NULL, size < (1u << 30) ? size : 1u << 30, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL || errno == EXDEV))
            return copy_bytes(from, to, whole - size, whole, err);
        if (n <= 0)
            return n < 0 ? blob_error(errno, err, "cannot join the parts in", to->staged)
                         : err_set(err, ERR_CORRUPT, "a part of the upload ends early");
        size -= (uint64_t)n;
        to->written += (uint64_t)n;
    }
    return 0;
}

static int join(struct complete *c, struct blob *to, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < c->n; i++) {
        const struct index_part *p = &c->parts[i]->part;
        if (p->data.is_inline) {
            r = blob_append(to, p->data.bytes, err);
            continue;
        }
        int fd;
        r = blob_open(c->o, p->data.id, p->size, &fd, err);
        if (r == 0) {
            r = copy_range(fd, to, p->size, err);
            close(fd);
        }
    }
    return r == 0 ? blob_settle(c->o, to, err) : r;
}

static int load_upload(struct complete *c, struct txn *t, struct held *h, struct index_bucket *b, struct err *err)
{
    int r = bucket_find(t, c->bucket, b, err);

    if (r == 0)
        r = upload_find(t, b, c->key, c->id, c->arena, &c->upload, err);
    return r < 0 ? r : each_part(t, c->upload.parts, 0, hold, h, err);
}

static int apply_complete(struct txn *t, void *ctx, struct err *err)
{
    struct complete *c = ctx;
    struct held now = {.arena = c->arena, .max = OBJECTS_PARTS_MAX};
    struct index_bucket b;
    size_t at = 0;
    int r = load_upload(c, t, &now, &b, err);

    for (size_t i = 0; r == 0 && i < c->n; i++) { /* a part may have been replaced while they were joined */
        while (at < now.parts.n && now.parts.items[at].number < c->parts[i]->number)
            at++;
        if (at == now.parts.n || now.parts.items[at].number != c->parts[i]->number ||
            memcmp(now.parts.items[at].part.data.id, c->parts[i]->part.data.id, INDEX_ID_SIZE) != 0)
            r = invalid_part(c->parts[i]->number, err);
    }
    if (r == 0)
        r = object_check_conditions(t, &b, c->key, c->conditions, err);
    if (r < 0)
        return r;
    c->object.meta = c->upload.meta;
    c->object.meta_count = c->upload.meta_count;
    c->object.modified_ms = clock_wall_ms();
    struct objects_meta *meta = arena_array(c->arena, struct objects_meta, c->upload.meta_count);
    for (size_t i = 0; i < c->upload.meta_count; i++) /* out of the map, which changes */
        meta[i] = (struct objects_meta){arena_str(c->arena, c->upload.meta[i].name),
                                        arena_str(c->arena, c->upload.meta[i].value)};
    c->object.meta = meta;
    r = object_put(t, &b, c->key, &c->object, err);
    return r < 0 ? r : upload_remove(t, &b, c->key, c->id, err);
}

static int commit_joined(struct complete *c, struct err *err)
{
    const struct index_data *first = &c->parts[0]->part.data;
    struct blob blob;

    if (c->n == 1) {
        c->object.data = *first;
        return commit_run(c->o, apply_complete, c, err);
    }
    int r = blob_create(c->o, &blob, err);
    if (r < 0)
        return r;
    memcpy(c->object.data.id, blob.id, INDEX_ID_SIZE);
    r = join(c, &blob, err);
    if (r == 0)
        r = commit_run(c->o, apply_complete, c, err);
    if (r == 0)
        blob_finish(&blob);
    else if (r == ERR_IO)
        close(blob.fd); /* as objects_write_commit */
    else
        blob_discard(c->o, &blob);
    return r;
}

int objects_upload_complete(struct objects *o, struct arena *a, struct str bucket, struct str key, struct str id,
                            const struct objects_part *parts, size_t n, const struct objects_conditions *conditions,
                            struct objects_info *ret, struct err *err)
{
    struct complete c = {.o = o,
                         .arena = a,
                         .bucket = bucket,
                         .key = key,
                         .id = id,
                         .asked = parts,
                         .n = n,
                         .conditions = conditions,
                         .object = {.part_count = (uint32_t)n}};
    struct held h = {.arena = a, .max = OBJECTS_PARTS_MAX, .with_bytes = true};
    struct index_bucket b;
    struct txn t;
    int r = txn_begin_read(o, &t, err);

    if (r < 0)
        return r;
    r = load_upload(&c, &t, &h, &b, err);
    if (r == 0)
        r = object_check_conditions(&t, &b, key, conditions, err); /* before the work; again when it is done */
    txn_end_read(&t);
    if (r == 0)
        r = match_parts(&c, &h, err);
    if (r == 0)
        r = make_etag(&c, err);
    if (r == 0)
        r = make_checksum(&c, err);
    if (r == 0)
        r = commit_joined(&c, err);
    if (r == 0)
        object_info(a, key, &c.object, ret);
    return r;
}
