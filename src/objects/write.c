/*
 * Making versions: a write gathers bytes, first in memory and past INDEX_INLINE_MAX in a blob, digesting them on the way;
 * its commit makes them an object or a part of an upload. Also what changes keys without new bytes: delete and copy.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/rand.h"
#include "objects/internal.h"

enum { META_MAX = 16 << 10 }; /* all metadata, the standard headers included */

struct objects_write {
    struct objects *o;
    struct arena arena;
    struct str bucket, key;
    struct str upload; /* of a part; null: an object */
    uint32_t part;
    struct buf small; /* the bytes, as long as there is no blob */
    bool has_blob;
    struct blob blob;
    uint64_t size;
    bool digested; /* the digests below are final */
    struct hash md5, checksum;
    int checksum_kind; /* -1: none */
    unsigned char md5_value[HASH_MAX_SIZE], checksum_value[HASH_MAX_SIZE];
};

/* ---- records of objects ---- */

int object_missing(struct str key, struct err *err)
{
    return err_set_named(err, ERR_NOT_FOUND, "NoSuchKey", "The specified key does not exist: %.*s", STR_ARG(key));
}

int object_find(struct txn *t, const struct index_bucket *b, struct str key, struct arena *a, bool *ret_found,
                struct index_object *ret, struct err *err)
{
    struct str record;
    int r = tree_get(t, b->objects_root, key, &record, err);

    if (r < 0)
        return r;
    *ret_found = !str_is_null(record);
    return *ret_found ? index_decode_object(record, a, ret, err) : 0;
}

int object_remove(struct txn *t, const struct index_bucket *b, struct str key, struct err *err)
{
    struct index_object old;
    bool found;
    int r = object_find(t, b, key, NULL, &found, &old, err);

    if (r < 0 || !found)
        return r;
    r = blob_unref(t, &old.data, err);
    return r < 0 ? r : tree_remove(t, b->objects_root, key, err);
}

int object_put(struct txn *t, const struct index_bucket *b, struct str key, const struct index_object *o,
               struct err *err)
{
    struct index_object old;
    bool found;
    BUF_SCOPED struct buf record;

    buf_init(&record, INDEX_RECORD_MAX);
    index_encode_object(&record, o); /* first: what it points to may lie in the map */
    int r = buf_check(&record, "an object's record", err);
    if (r == 0)
        r = blob_ref(t, &o->data, err);
    if (r == 0)
        r = object_find(t, b, key, NULL, &found, &old, err);
    if (r == 0 && found)
        r = blob_unref(t, &old.data, err);
    return r < 0 ? r : tree_put(t, b->objects_root, key, buf_str(&record), err);
}

int object_check_conditions(struct txn *t, const struct index_bucket *b, struct str key,
                            const struct objects_conditions *c, struct err *err)
{
    struct index_object old;
    bool found;

    if (!c || (str_is_null(c->if_match) && str_is_null(c->if_none_match)))
        return 0;
    int r = object_find(t, b, key, NULL, &found, &old, err);
    if (r < 0)
        return r;
    if (!str_is_null(c->if_match)) {
        if (!found)
            return object_missing(key, err);
        if (!str_eq(c->if_match, STR("*")) && !str_eq(c->if_match, old.etag))
            goto failed;
    }
    if (!str_is_null(c->if_none_match) && found &&
        (str_eq(c->if_none_match, STR("*")) || str_eq(c->if_none_match, old.etag)))
        goto failed;
    return 0;
failed:
    return err_set_named(err, ERR_CONFLICT, "PreconditionFailed",
                         "At least one of the pre-conditions you specified did not hold");
}

int object_check_meta(const struct objects_meta *meta, size_t n, struct err *err)
{
    size_t user = 0, all = 0;

    for (size_t i = 0; i < n; i++) {
        size_t size = meta[i].name.n + meta[i].value.n;
        all += size + 4;
        if (str_starts_with(meta[i].name, STR("x-amz-meta-")))
            user += size - strlen("x-amz-meta-");
    }
    if (user > OBJECTS_METADATA_MAX || all > META_MAX)
        return err_set_named(err, ERR_INVALID, "MetadataTooLarge",
                             "Your metadata headers exceed the maximum allowed metadata size: %zu bytes, at most %d",
                             user > OBJECTS_METADATA_MAX ? user : all,
                             user > OBJECTS_METADATA_MAX ? OBJECTS_METADATA_MAX : META_MAX);
    return 0;
}

void object_info(struct arena *a, struct str key, const struct index_object *o, struct objects_info *ret)
{
    struct objects_meta *meta = arena_array(a, struct objects_meta, o->meta_count);

    for (size_t i = 0; i < o->meta_count; i++)
        meta[i] = (struct objects_meta){arena_str(a, o->meta[i].name), arena_str(a, o->meta[i].value)};
    *ret = (struct objects_info){.key = arena_str(a, key),
                                 .size = o->size,
                                 .modified_ms = o->modified_ms,
                                 .etag = arena_str(a, o->etag),
                                 .meta = meta,
                                 .meta_count = o->meta_count,
                                 .checksum = o->checksum,
                                 .part_count = o->part_count};
}

/* ---- writing ---- */

static struct objects_write *new_write(struct objects *o, struct str bucket, struct str key)
{
    struct objects_write *w = calloc(1, sizeof(*w));

    if (!w)
        abort();
    w->o = o;
    arena_init(&w->arena, 1 << 20);
    w->bucket = arena_str(&w->arena, bucket);
    w->key = arena_str(&w->arena, key);
    w->checksum_kind = -1;
    buf_init(&w->small, INDEX_INLINE_MAX);
    hash_init(&w->md5, HASH_MD5);
    return w;
}

static void free_write(struct objects_write *w)
{
    hash_release(&w->md5);
    if (w->checksum_kind >= 0)
        hash_release(&w->checksum);
    buf_release(&w->small);
    arena_release(&w->arena);
    free(w);
}

int objects_write_begin(struct objects *o, struct str bucket, struct str key, struct objects_write **ret,
                        struct err *err)
{
    struct txn t;
    struct index_bucket b;
    int r = bucket_check_key(key, err);

    if (r == 0)
        r = txn_begin_read(o, &t, err);
    if (r < 0)
        return r;
    r = bucket_find(&t, bucket, &b, err); /* so that a client learns it before it sends the bytes */
    txn_end_read(&t);
    if (r == 0)
        *ret = new_write(o, bucket, key);
    return r;
}

int objects_part_begin(struct objects *o, struct str bucket, struct str key, struct str id, uint32_t number,
                       struct objects_write **ret, struct err *err)
{
    ARENA_SCOPED struct arena scratch = ARENA_INIT;
    struct txn t;
    struct index_bucket b;
    struct index_upload u = {.checksum_kind = -1};
    int r = bucket_check_key(key, err);

    if (r == 0 && (number < 1 || number > OBJECTS_PARTS_MAX))
        r = err_set_named(err, ERR_INVALID, "InvalidArgument", "Part number must be an integer between 1 and %d",
                          OBJECTS_PARTS_MAX);
    if (r == 0)
        r = txn_begin_read(o, &t, err);
    if (r < 0)
        return r;
    r = bucket_find(&t, bucket, &b, err);
    if (r == 0)
        r = upload_find(&t, &b, key, id, &scratch, &u, err);
    txn_end_read(&t);
    if (r < 0)
        return r;
    struct objects_write *w = new_write(o, bucket, key);
    w->upload = arena_str(&w->arena, id);
    w->part = number;
    if (u.checksum_kind >= 0)
        r = objects_write_add_checksum(w, (enum hash_kind)u.checksum_kind, err);
    if (r < 0) {
        objects_write_abort(w);
        return r;
    }
    *ret = w;
    return 0;
}

int objects_write_add_checksum(struct objects_write *w, enum hash_kind kind, struct err *err)
{
    if (w->size > 0 || w->digested)
        return err_set(err, ERR_INTERNAL, "a checksum is added before the first byte");
    if (w->checksum_kind == (int)kind)
        return 0;
    if (w->checksum_kind >= 0)
        return err_set_named(err, ERR_INVALID, "InvalidRequest",
                             "Expecting a single x-amz-checksum- header, of the upload's checksum algorithm if it has "
                             "one");
    w->checksum_kind = (int)kind;
    hash_init(&w->checksum, kind);
    return 0;
}

int objects_write_append(struct objects_write *w, struct str bytes, struct err *err)
{
    int r = 0;

    if (w->digested)
        return err_set(err, ERR_INTERNAL, "bytes are appended behind the digests' end");
    if (!w->has_blob && bytes.n > INDEX_INLINE_MAX - w->small.n) {
        r = blob_create(w->o, &w->blob, err);
        if (r < 0)
            return r;
        w->has_blob = true;
        r = blob_append(&w->blob, buf_str(&w->small), err);
        buf_release(&w->small);
        buf_init(&w->small, INDEX_INLINE_MAX);
    }
    if (r == 0 && w->has_blob)
        r = blob_append(&w->blob, bytes, err);
    else if (r == 0) {
        buf_add_str(&w->small, bytes);
        r = buf_check(&w->small, "a small object", err);
    }
    if (r < 0)
        return r;
    w->size += bytes.n;
    hash_update(&w->md5, bytes.p, bytes.n);
    if (w->checksum_kind >= 0)
        hash_update(&w->checksum, bytes.p, bytes.n);
    return 0;
}

uint64_t objects_write_size(const struct objects_write *w)
{
    return w->size;
}

static void digest(struct objects_write *w)
{
    if (w->digested)
        return;
    w->digested = true;
    hash_final(&w->md5, w->md5_value);
    if (w->checksum_kind >= 0)
        hash_final(&w->checksum, w->checksum_value);
}

void objects_write_md5(struct objects_write *w, unsigned char ret[16])
{
    digest(w);
    memcpy(ret, w->md5_value, 16);
}

void objects_write_checksum(struct objects_write *w, struct objects_checksum *ret)
{
    digest(w);
    *ret = (struct objects_checksum){.kind = w->checksum_kind};
    if (w->checksum_kind >= 0)
        memcpy(ret->value, w->checksum_value, hash_size((enum hash_kind)w->checksum_kind));
}

void objects_write_abort(struct objects_write *w)
{
    if (!w)
        return;
    if (w->has_blob)
        blob_discard(w->o, &w->blob);
    free_write(w);
}

struct put {
    const struct objects_write *w;
    const struct objects_conditions *conditions;
    struct index_object object;
    struct index_part part;
};

static int apply_put(struct txn *t, void *ctx, struct err *err)
{
    struct put *p = ctx;
    struct index_bucket b;
    int r = bucket_find(t, p->w->bucket, &b, err);

    if (r < 0)
        return r;
    if (!str_is_null(p->w->upload))
        return upload_put_part(t, &b, p->w->key, p->w->upload, p->w->part, &p->part, err);
    r = object_check_conditions(t, &b, p->w->key, p->conditions, err);
    return r < 0 ? r : object_put(t, &b, p->w->key, &p->object, err);
}

int objects_write_commit(struct objects_write *w, struct arena *a, const struct objects_meta *meta, size_t meta_count,
                         const struct objects_conditions *conditions, struct objects_info *ret, struct err *err)
{
    struct index_data data = {.is_inline = !w->has_blob, .bytes = buf_str(&w->small)};
    struct objects_checksum checksum;
    struct buf etag;
    int r = object_check_meta(meta, meta_count, err);

    objects_write_checksum(w, &checksum);
    if (w->has_blob)
        memcpy(data.id, w->blob.id, INDEX_ID_SIZE);
    else
        rand_bytes(data.id, INDEX_ID_SIZE);
    buf_init(&etag, 64);
    enc_hex(&etag, w->md5_value, 16);
    struct put p = {.w = w,
                    .conditions = conditions,
                    .object = {.size = w->size,
                               .modified_ms = clock_wall_ms(),
                               .etag = buf_str(&etag),
                               .checksum = checksum,
                               .data = data,
                               .meta = meta,
                               .meta_count = meta_count}};
    p.part = (struct index_part){.size = p.object.size,
                                 .modified_ms = p.object.modified_ms,
                                 .etag = p.object.etag,
                                 .checksum = checksum,
                                 .data = data};
    if (r == 0 && w->has_blob)
        r = blob_settle(w->o, &w->blob, err);
    if (r == 0)
        r = commit_run(w->o, apply_put, &p, err);
    if (r == 0) {
        object_info(a, w->key, &p.object, ret);
        if (w->has_blob)
            blob_finish(&w->blob);
    }
    buf_release(&etag);
    if (r == ERR_IO && w->has_blob) { /* perhaps it was committed: the next open looks whether the index names it */
        close(w->blob.fd);
        w->has_blob = false;
    }
    if (r < 0)
        objects_write_abort(w);
    else
        free_write(w);
    return r;
}

/* ---- without new bytes ---- */

struct delete
{
    struct str bucket;
    const struct str *keys;
    size_t n;
};

static int apply_delete(struct txn *t, void *ctx, struct err *err)
{
    const struct delete *d = ctx;
    struct index_bucket b;
    int r = bucket_find(t, d->bucket, &b, err);

    for (size_t i = 0; r == 0 && i < d->n; i++)
        r = object_remove(t, &b, d->keys[i], err);
    return r;
}

int objects_delete_many(struct objects *o, struct str bucket, const struct str *keys, size_t n, struct err *err)
{
    struct delete d = {.bucket = bucket, .keys = keys, .n = n};

    for (size_t i = 0; i < n; i++) {
        int r = bucket_check_key(keys[i], err);
        if (r < 0)
            return r;
    }
    return commit_run(o, apply_delete, &d, err);
}

int objects_delete(struct objects *o, struct str bucket, struct str key, struct err *err)
{
    return objects_delete_many(o, bucket, &key, 1, err);
}

struct copy {
    struct str from_bucket, from_key, bucket, key;
    const struct objects_meta *meta;
    size_t meta_count;
    const struct objects_conditions *conditions;
    struct arena *arena;
    struct objects_info info;
};

static int apply_copy(struct txn *t, void *ctx, struct err *err)
{
    struct copy *c = ctx;
    struct index_bucket from, to;
    struct index_object object;
    bool found;
    int r = bucket_find(t, c->from_bucket, &from, err);

    if (r == 0)
        r = bucket_find(t, c->bucket, &to, err);
    if (r == 0)
        r = object_find(t, &from, c->from_key, c->arena, &found, &object, err);
    if (r < 0)
        return r;
    if (!found)
        return object_missing(c->from_key, err);
    r = object_check_conditions(t, &to, c->key, c->conditions, err);
    if (r < 0)
        return r;
    object.modified_ms = clock_wall_ms();
    if (c->meta) {
        object.meta = c->meta;
        object.meta_count = c->meta_count;
    }
    object_info(c->arena, c->key, &object, &c->info); /* before the map changes under it */
    return object_put(t, &to, c->key, &object, err);
}

int objects_copy(struct objects *o, struct arena *a, struct str from_bucket, struct str from_key, struct str bucket,
                 struct str key, const struct objects_meta *meta, size_t meta_count,
                 const struct objects_conditions *conditions, struct objects_info *ret, struct err *err)
{
    struct copy c = {.from_bucket = from_bucket,
                     .from_key = from_key,
                     .bucket = bucket,
                     .key = key,
                     .meta = meta,
                     .meta_count = meta_count,
                     .conditions = conditions,
                     .arena = a};
    int r = bucket_check_key(from_key, err);

    if (r == 0)
        r = bucket_check_key(key, err);
    if (r == 0)
        r = object_check_meta(meta, meta ? meta_count : 0, err);
    if (r == 0)
        r = commit_run(o, apply_copy, &c, err);
    if (r == 0)
        *ret = c.info;
    return r;
}
