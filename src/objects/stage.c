/*
 * Objects as local files, for `sql`: the path of one's bytes, and files that another writer makes in staging and that
 * become objects where they are, with no copy.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/rand.h"
#include "objects/internal.h"
#include <errno.h>
#include <fcntl.h>

struct objects_staged {
    struct objects *o;
    struct blob blob; /* fd -1 until it is published: its writer opens it by name */
};

/* ---- paths ---- */

/* An inline object's bytes as DIR/cache/ID, made by rename so that it is whole whenever it is there. objects_clean
 * removes it when nobody has asked for it for a while. */
static int inline_path(struct objects *o, struct arena *a, const struct index_data *d, struct str *ret, struct err *err)
{
    BUF_SCOPED struct buf path;

    buf_init(&path, BLOB_PATH_SIZE);
    buf_addf(&path, "%s/cache/", o->dir);
    enc_hex(&path, d->id, INDEX_ID_SIZE);
    struct str final = arena_str(a, buf_str(&path));
    if (utimensat(AT_FDCWD, final.p, NULL, 0) < 0) {
        struct blob temporary;
        int r = blob_create(o, &temporary, err);
        if (r < 0)
            return r;
        r = blob_append(&temporary, d->bytes, err);
        if (r == 0 && rename(temporary.staged, final.p) < 0)
            r = blob_error(errno, err, "cannot make", final.p);
        blob_finish(&temporary);
        if (r < 0)
            return r;
    }
    *ret = final;
    return 0;
}

int objects_path(struct objects *o, struct arena *a, struct str bucket, struct str key, struct str *ret_path,
                 uint64_t *ret_size, struct err *err)
{
    char path[BLOB_PATH_SIZE];
    struct txn t;
    struct index_bucket b;
    struct index_object object = {0};
    bool found;
    int r = txn_begin_read(o, &t, err);

    if (r < 0)
        return r;
    r = bucket_find(&t, bucket, &b, err);
    if (r == 0)
        r = object_find(&t, &b, key, NULL, &found, &object, err);
    if (r == 0 && !found)
        r = object_missing(key, err);
    if (r == 0 && object.data.is_inline)
        object.data.bytes = arena_str(a, object.data.bytes);
    txn_end_read(&t);
    if (r < 0)
        return r;
    if (object.data.is_inline) {
        r = inline_path(o, a, &object.data, ret_path, err);
    } else {
        r = blob_path(o, object.data.id, path, err);
        if (r == 0)
            *ret_path = arena_str(a, str_from_cstr(path));
    }
    if (r == 0)
        *ret_size = object.size;
    return r;
}

/* ---- pins ---- */

/* A file "pin-TIME-N" in this process's folder in staging. Whoever cleans spares what was deleted after the oldest pin was
 * made: see clean.c. */
struct objects_pin {
    char path[BLOB_PATH_SIZE];
};

int objects_pin_new(struct objects *o, struct objects_pin **ret, struct err *err)
{
    struct objects_pin *p = calloc(1, sizeof(*p));

    if (!p)
        abort();
    snprintf(p->path, sizeof(p->path), "%s/pin-%lld-%llx", o->own_dir, (long long)clock_wall_ms(),
             (unsigned long long)rand_u64());
    int fd = open(p->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        int r = blob_error(errno, err, "cannot make", p->path);
        free(p);
        return r;
    }
    close(fd);
    *ret = p;
    return 0;
}

void objects_pin_free(struct objects_pin *p)
{
    if (!p)
        return;
    unlink(p->path);
    free(p);
}

/* ---- staging ---- */

int objects_stage(struct objects *o, struct arena *a, struct objects_staged **ret, struct str *ret_path,
                  struct err *err)
{
    struct objects_staged *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->o = o;
    int r = blob_create(o, &s->blob, err);
    if (r < 0) {
        free(s);
        return r;
    }
    close(s->blob.fd);
    s->blob.fd = -1;
    *ret = s;
    *ret_path = arena_str(a, str_from_cstr(s->blob.staged));
    return 0;
}

void objects_unstage(struct objects_staged *s)
{
    if (!s)
        return;
    blob_discard(s->o, &s->blob);
    free(s);
}

struct publish {
    const struct objects_publish *items;
    struct index_object *objects;
    size_t n;
};

static int apply_publish(struct txn *t, void *ctx, struct err *err)
{
    const struct publish *p = ctx;
    int r = 0;

    for (size_t i = 0; r == 0 && i < p->n; i++) {
        struct index_bucket b;
        r = bucket_find(t, p->items[i].bucket, &b, err);
        if (r == 0)
            r = object_put(t, &b, p->items[i].key, &p->objects[i], err);
    }
    return r;
}

static int md5_of_file(int fd, struct hash *h, struct err *err)
{
    char chunk[64 << 10];
    uint64_t at = 0;
    ssize_t n;

    while ((n = pread(fd, chunk, sizeof(chunk), (off_t)at)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "cannot read a staged file");
        hash_update(h, chunk, (size_t)n);
        at += (uint64_t)n;
    }
    return 0;
}

/* An MD5 in hex, or the blob's id with a dash behind it, so that nobody takes it for an MD5. */
static int make_etag(struct arena *a, const struct objects_publish *item, const struct blob *b, bool with_md5,
                     struct str *ret, struct err *err)
{
    unsigned char md5[HASH_MAX_SIZE];
    struct hash h;
    BUF_SCOPED struct buf text;
    int r = 0;

    buf_init(&text, 64);
    if (with_md5 || !b) {
        hash_init(&h, HASH_MD5);
        if (b)
            r = md5_of_file(b->fd, &h, err);
        else
            hash_update(&h, item->bytes.p, item->bytes.n);
        hash_final(&h, md5);
        enc_hex(&text, md5, 16);
    } else {
        enc_hex(&text, b->id, INDEX_ID_SIZE);
        buf_add_cstr(&text, "-1");
    }
    *ret = arena_str(a, buf_str(&text));
    return r;
}

static int reopen(struct blob *b, uint64_t *ret_size, struct err *err)
{
    struct stat st;

    b->fd = open(b->staged, O_RDWR | O_CLOEXEC);
    if (b->fd < 0 || fstat(b->fd, &st) < 0)
        return blob_error(errno, err, "cannot open what was staged as", b->staged);
    *ret_size = (uint64_t)st.st_size;
    /* all start to be written before the first is waited for */
    sync_file_range(b->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    return 0;
}

/* Bytes too large for the index become a staged file too. */
static int stage_bytes(struct objects *o, const struct objects_publish *item, struct objects_staged **ret,
                       struct err *err)
{
    struct objects_staged *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->o = o;
    int r = blob_create(o, &s->blob, err);
    if (r < 0) {
        free(s);
        return r;
    }
    r = blob_append(&s->blob, item->bytes, err);
    if (r < 0) {
        objects_unstage(s);
        return r;
    }
    *ret = s;
    return 0;
}

static int prepare(struct objects *o, struct arena *a, struct publish *p, struct objects_staged **staged, bool with_md5,
                   struct err *err)
{
    struct objects_meta *meta = arena_array(a, struct objects_meta, p->n);
    int r = 0;

    for (size_t i = 0; r == 0 && i < p->n; i++) {
        const struct objects_publish *item = &p->items[i];
        struct index_object *object = &p->objects[i];
        r = bucket_check_key(item->key, err);
        object->size = item->bytes.n;
        object->modified_ms = clock_wall_ms();
        object->checksum.kind = -1;
        if (!str_is_null(item->content_type)) {
            meta[i] = (struct objects_meta){STR("content-type"), item->content_type};
            object->meta = &meta[i];
            object->meta_count = 1;
        }
        if (r == 0 && !staged[i] && item->bytes.n > INDEX_INLINE_MAX)
            r = stage_bytes(o, item, &staged[i], err);
        else if (r == 0 && staged[i])
            r = reopen(&staged[i]->blob, &object->size, err);
    }
    for (size_t i = 0; r == 0 && i < p->n; i++) {
        struct blob *b = staged[i] ? &staged[i]->blob : NULL;
        struct index_data *d = &p->objects[i].data;
        r = make_etag(a, &p->items[i], p->items[i].staged ? b : NULL, with_md5, &p->objects[i].etag, err);
        if (b)
            memcpy(d->id, b->id, INDEX_ID_SIZE);
        else {
            rand_bytes(d->id, INDEX_ID_SIZE);
            d->is_inline = true;
            d->bytes = p->items[i].bytes;
        }
        if (r == 0 && b)
            r = blob_settle(o, b, err);
    }
    return r;
}

int objects_publish(struct objects *o, const struct objects_publish *items, size_t n, bool with_md5, struct err *err)
{
    ARENA_SCOPED struct arena scratch = ARENA_INIT;
    struct publish p = {.items = items, .objects = arena_array(&scratch, struct index_object, n), .n = n};
    struct objects_staged **staged = arena_array(&scratch, struct objects_staged *, n);

    for (size_t i = 0; i < n; i++)
        staged[i] = items[i].staged;
    int r = prepare(o, &scratch, &p, staged, with_md5, err);
    if (r == 0)
        r = commit_run(o, apply_publish, &p, err);
    for (size_t i = 0; i < n; i++) {
        if (!staged[i])
            continue;
        if (r == 0)
            blob_finish(&staged[i]->blob);
        else if (r == ERR_IO && staged[i]->blob.fd >= 0)
            close(staged[i]->blob.fd); /* as objects_write_commit */
        else
            blob_discard(o, &staged[i]->blob);
        free(staged[i]);
    }
    return r;
}
