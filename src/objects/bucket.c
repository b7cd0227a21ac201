/* Buckets: a name, a time, and the roots of two trees, its objects and its uploads. */
#include "base/clock.h"
#include "base/vec.h"
#include "objects/internal.h"

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool looks_like_ipv4(struct str name)
{
    struct str rest = name, part;
    int parts = 0;

    while (str_split(&rest, '.', &part)) {
        uint64_t n;
        if (str_to_u64(part, &n, NULL) < 0)
            return false;
        parts++;
    }
    return parts == 4;
}

/* S3's rules for general purpose buckets. */
bool objects_is_bucket_name(struct str name)
{
    if (name.n < 3 || name.n > 63 || !is_name_char(name.p[0]) || !is_name_char(name.p[name.n - 1]))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!is_name_char(c) && c != '-' && c != '.')
            return false;
        if (c == '.' && name.p[i + 1] == '.')
            return false;
    }
    return !looks_like_ipv4(name) && !str_starts_with(name, STR("xn--")) && !str_ends_with(name, STR("-s3alias"));
}

int bucket_check_key(struct str key, struct err *err)
{
    if (key.n > OBJECTS_KEY_MAX)
        return err_set_named(err, ERR_INVALID, "KeyTooLongError", "Your key is too long: %zu bytes, at most %d", key.n,
                             OBJECTS_KEY_MAX);
    if (key.n == 0)
        return err_set_named(err, ERR_INVALID, "InvalidArgument", "An object's key has at least one byte");
    if (!str_is_utf8(key) || str_find_char(key, '\0', 0) != SIZE_MAX)
        return err_set_named(err, ERR_INVALID, "InvalidArgument",
                             "An object's key is UTF-8 text without NUL characters");
    return 0;
}

int bucket_find(struct txn *t, struct str name, struct index_bucket *ret, struct err *err)
{
    struct str record;

    if (!objects_is_bucket_name(name))
        record = STR_NULL;
    else {
        int r = txn_get(t, t->o->buckets, name, &record, err);
        if (r < 0)
            return r;
    }
    if (str_is_null(record))
        return err_set_named(err, ERR_NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist");
    return index_decode_bucket(record, ret, err);
}

static int create(struct txn *t, void *ctx, struct err *err)
{
    struct str name = *(struct str *)ctx, existing;
    struct index_bucket b = {.created_ms = clock_wall_ms()};
    int r = txn_get(t, t->o->buckets, name, &existing, err);

    if (r < 0)
        return r;
    if (!str_is_null(existing))
        return err_set_named(err, ERR_EXISTS, "BucketAlreadyOwnedByYou",
                             "Your previous request to create the named bucket succeeded and you already own it.");
    r = tree_new(t, &b.objects_root, err);
    if (r == 0)
        r = tree_new(t, &b.uploads_root, err);
    if (r < 0)
        return r;
    BUF_SCOPED struct buf record;
    buf_init(&record, INDEX_RECORD_MAX);
    index_encode_bucket(&record, &b);
    r = buf_check(&record, "a bucket's record", err);
    return r < 0 ? r : txn_put(t, t->o->buckets, name, buf_str(&record), err);
}

int objects_create_bucket(struct objects *o, struct str name, struct err *err)
{
    if (!objects_is_bucket_name(name))
        return err_set_named(err, ERR_INVALID, "InvalidBucketName", "The specified bucket is not valid.");
    return commit_run(o, create, &name, err);
}

static int delete_bucket(struct txn *t, void *ctx, struct err *err)
{
    struct str name = *(struct str *)ctx;
    struct index_bucket b;
    bool empty = true;
    int r = bucket_find(t, name, &b, err);

    if (r == 0)
        r = tree_is_empty(t, b.objects_root, &empty, err);
    if (r < 0)
        return r;
    if (!empty)
        return err_set_named(err, ERR_CONFLICT, "BucketNotEmpty", "The bucket you tried to delete is not empty");
    r = upload_remove_all(t, &b, err);
    return r < 0 ? r : txn_remove(t, t->o->buckets, name, err);
}

int objects_delete_bucket(struct objects *o, struct str name, struct err *err)
{
    return commit_run(o, delete_bucket, &name, err);
}

int objects_get_bucket(struct objects *o, struct arena *a, struct str name, struct objects_bucket *ret, struct err *err)
{
    struct txn t;
    struct index_bucket b;
    int r = txn_begin_read(o, &t, err);

    if (r < 0)
        return r;
    r = bucket_find(&t, name, &b, err);
    txn_end_read(&t);
    if (r == 0)
        *ret = (struct objects_bucket){.name = arena_str(a, name), .created_ms = b.created_ms};
    return r;
}

static int collect(struct txn *t, struct arena *a, struct objects_bucket **ret, size_t *ret_n, struct err *err)
{
    VEC(struct objects_bucket) found = {0};
    MDB_cursor *cursor;
    MDB_val k, v;
    int r = txn_cursor(t, t->o->buckets, &cursor, err);

    if (r < 0)
        return r;
    int rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    for (; rc == 0; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
        struct index_bucket b;
        r = index_decode_bucket(str_from(v.mv_data, v.mv_size), &b, err);
        if (r < 0)
            break;
        struct objects_bucket one = {.name = arena_str(a, str_from(k.mv_data, k.mv_size)), .created_ms = b.created_ms};
        vec_push_in(a, &found, one);
    }
    mdb_cursor_close(cursor);
    if (r == 0 && rc != MDB_NOTFOUND)
        r = txn_failed(t, rc, err);
    if (r == 0) {
        *ret = found.items;
        *ret_n = found.n;
    }
    return r;
}

int objects_list_buckets(struct objects *o, struct arena *a, struct objects_bucket **ret, size_t *ret_n,
                         struct err *err)
{
    struct txn t;
    int r = txn_begin_read(o, &t, err);

    if (r < 0)
        return r;
    r = collect(&t, a, ret, ret_n, err);
    txn_end_read(&t);
    return r;
}
