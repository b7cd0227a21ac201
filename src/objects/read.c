/* Reading: the index entry in a short read transaction, then the blob, which stays for as long as it is open and for
 * OBJECTS_GRACE_S after its last name is gone. */
#include "objects/internal.h"

static int find(struct txn *t, struct arena *a, struct str bucket, struct str key, struct index_object *ret,
                struct err *err)
{
    struct index_bucket b;
    bool found;
    int r = bucket_check_key(key, err);

    if (r == 0)
        r = bucket_find(t, bucket, &b, err);
    if (r == 0)
        r = object_find(t, &b, key, a, &found, ret, err);
    if (r == 0 && !found)
        r = object_missing(key, err);
    return r;
}

int objects_head(struct objects *o, struct arena *a, struct str bucket, struct str key, struct objects_info *ret,
                 struct err *err)
{
    struct txn t;
    struct index_object object;
    int r = txn_begin_read(o, &t, err);

    if (r < 0)
        return r;
    r = find(&t, a, bucket, key, &object, err);
    if (r == 0)
        object_info(a, key, &object, ret);
    txn_end_read(&t);
    return r;
}

int objects_read(struct objects *o, struct arena *a, struct str bucket, struct str key, struct objects_reader *ret,
                 struct err *err)
{
    struct objects_reader reader = {.fd = -1};
    struct txn t;
    struct index_object object;
    int r = txn_begin_read(o, &t, err);

    if (r < 0)
        return r;
    r = find(&t, a, bucket, key, &object, err);
    if (r == 0) {
        object_info(a, key, &object, &reader.info);
        if (object.data.is_inline)
            reader.inline_bytes = arena_str(a, object.data.bytes);
    }
    txn_end_read(&t);
    if (r == 0 && !object.data.is_inline)
        r = blob_open(o, object.data.id, object.size, &reader.fd, err);
    if (r == 0)
        *ret = reader;
    return r;
}

void objects_reader_release(struct objects_reader *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
}
