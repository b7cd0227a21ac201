#include "objects/tree.h"
#include "objects/internal.h"

enum { LAYER_SIZE = 8, ENTRY_MAX = LAYER_SIZE + TREE_SLICE + 1, LINK = 1 };

struct entry {
    char p[ENTRY_MAX];
    size_t n;
};

static struct str entry_str(const struct entry *e)
{
    return str_from(e->p, e->n);
}

/* slice.n ≤ TREE_SLICE */
static void make_entry(struct entry *e, uint64_t layer, struct str slice)
{
    index_put_u64((unsigned char *)e->p, layer);
    if (slice.n)
        memcpy(e->p + LAYER_SIZE, slice.p, slice.n);
    e->n = LAYER_SIZE + slice.n;
}

static void make_link(struct entry *e, uint64_t layer, struct str key)
{
    make_entry(e, layer, str_slice(key, 0, TREE_SLICE));
    e->p[e->n++] = LINK;
}

static int read_layer(struct str value, uint64_t *ret, struct err *err)
{
    if (value.n != LAYER_SIZE)
        return err_set(err, ERR_CORRUPT, "the index's link to a layer of long keys is %zu bytes, not %d", value.n,
                       LAYER_SIZE);
    *ret = index_get_u64((const unsigned char *)value.p);
    return 0;
}

static int check_length(struct str key, struct err *err)
{
    if (key.n > TREE_KEY_MAX)
        return err_set(err, ERR_LIMIT, "a key of %zu bytes: the index takes up to %d", key.n, TREE_KEY_MAX);
    return 0;
}

int tree_new(struct txn *t, uint64_t *ret_root, struct err *err)
{
    return txn_next_number(t, ret_root, err);
}

/* Follows links as far as the key needs; *ret_found false when one is missing. path[i] is the layer at depth i. */
static int descend(struct txn *t, uint64_t root, struct str *key, uint64_t path[TREE_DEPTH_MAX], int *ret_depth,
                   bool *ret_found, struct err *err)
{
    int r = check_length(*key, err);

    *ret_depth = 0;
    *ret_found = true;
    path[0] = root;
    while (r == 0 && key->n > TREE_SLICE) {
        struct entry link;
        struct str value;
        make_link(&link, path[*ret_depth], *key);
        r = txn_get(t, t->o->tree, entry_str(&link), &value, err);
        if (r == 0 && str_is_null(value)) {
            *ret_found = false;
            return 0;
        }
        if (r == 0)
            r = read_layer(value, &path[*ret_depth + 1], err);
        if (r == 0) {
            (*ret_depth)++;
            *key = str_skip(*key, TREE_SLICE);
        }
    }
    return r;
}

int tree_get(struct txn *t, uint64_t root, struct str key, struct str *ret, struct err *err)
{
    uint64_t path[TREE_DEPTH_MAX];
    int depth;
    bool found;
    struct entry e;
    int r = descend(t, root, &key, path, &depth, &found, err);

    if (r < 0)
        return r;
    if (!found) {
        *ret = STR_NULL;
        return 0;
    }
    make_entry(&e, path[depth], key);
    return txn_get(t, t->o->tree, entry_str(&e), ret, err);
}

int tree_put(struct txn *t, uint64_t root, struct str key, struct str record, struct err *err)
{
    uint64_t path[TREE_DEPTH_MAX];
    int depth;
    bool found;
    struct entry e;
    int r = descend(t, root, &key, path, &depth, &found, err);

    while (r == 0 && key.n > TREE_SLICE) {
        unsigned char value[LAYER_SIZE];
        r = txn_next_number(t, &path[depth + 1], err);
        if (r < 0)
            break;
        index_put_u64(value, path[depth + 1]);
        make_link(&e, path[depth], key);
        r = txn_put(t, t->o->tree, entry_str(&e), str_from((char *)value, sizeof(value)), err);
        key = str_skip(key, TREE_SLICE);
        depth++;
    }
    if (r < 0)
        return r;
    make_entry(&e, path[depth], key);
    return txn_put(t, t->o->tree, entry_str(&e), record, err);
}

int tree_is_empty(struct txn *t, uint64_t root, bool *ret, struct err *err)
{
    struct entry e;
    MDB_cursor *cursor;
    int r = txn_cursor(t, t->o->tree, &cursor, err);

    if (r < 0)
        return r;
    make_entry(&e, root, STR(""));
    MDB_val k = {e.n, e.p}, v;
    int rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    if (rc == 0)
        *ret = k.mv_size < LAYER_SIZE || memcmp(k.mv_data, e.p, LAYER_SIZE) != 0;
    else if (rc == MDB_NOTFOUND)
        *ret = true;
    else
        r = txn_failed(t, rc, err);
    mdb_cursor_close(cursor);
    return r;
}

int tree_remove(struct txn *t, uint64_t root, struct str key, struct err *err)
{
    uint64_t path[TREE_DEPTH_MAX];
    int depth;
    bool found, empty = true;
    struct entry e;
    struct str whole = key;
    int r = descend(t, root, &key, path, &depth, &found, err);

    if (r < 0 || !found)
        return r;
    make_entry(&e, path[depth], key);
    r = txn_remove(t, t->o->tree, entry_str(&e), err);
    for (; r == 0 && depth > 0; depth--) {
        r = tree_is_empty(t, path[depth], &empty, err);
        if (r < 0 || !empty)
            return r;
        make_link(&e, path[depth - 1], str_skip(whole, (size_t)(depth - 1) * TREE_SLICE));
        r = txn_remove(t, t->o->tree, entry_str(&e), err);
    }
    return r;
}

/* ---- walking ---- */

int tree_iter_init(struct tree_iter *it, struct txn *t, uint64_t root, struct err *err)
{
    it->t = t;
    it->depth = 0;
    it->layers[0] = root;
    it->valid = false;
    it->cursor = NULL;
    return txn_cursor(t, t->o->tree, &it->cursor, err);
}

void tree_iter_release(struct tree_iter *it)
{
    if (it->cursor)
        mdb_cursor_close(it->cursor);
    it->cursor = NULL;
}

static int move_to(struct tree_iter *it, const struct entry *e, MDB_val *k, MDB_val *v)
{
    *k = (MDB_val){e->n, (void *)e->p};
    return mdb_cursor_get(it->cursor, k, v, MDB_SET_RANGE);
}

static bool is_in_layer(const MDB_val *k, uint64_t layer)
{
    return k->mv_size >= LAYER_SIZE && index_get_u64(k->mv_data) == layer;
}

/* The cursor stands (rc, as LMDB said) somewhere at or behind what was sought at it->depth: goes down links and up from
 * ends of layers until it stands on a record. */
static int settle(struct tree_iter *it, int rc, MDB_val k, MDB_val v, struct err *err)
{
    for (;;) {
        size_t prefix = (size_t)it->depth * TREE_SLICE;
        struct entry e;

        if (rc != 0 && rc != MDB_NOTFOUND)
            return txn_failed(it->t, rc, err);
        if (rc == 0 && is_in_layer(&k, it->layers[it->depth])) {
            size_t n = k.mv_size - LAYER_SIZE;
            if (n > TREE_SLICE + 1)
                return err_set(err, ERR_CORRUPT, "a key in the index is %zu bytes long, more than it can be", n);
            memcpy(it->key_bytes + prefix, (char *)k.mv_data + LAYER_SIZE, n < TREE_SLICE ? n : TREE_SLICE);
            if (n <= TREE_SLICE) {
                it->key = str_from(it->key_bytes, prefix + n);
                it->record = str_from(v.mv_data, v.mv_size);
                it->valid = true;
                return 0;
            }
            if (it->depth + 1 >= TREE_DEPTH_MAX)
                return err_set(err, ERR_CORRUPT, "the index links more than %d layers of long keys", TREE_DEPTH_MAX);
            int r = read_layer(str_from(v.mv_data, v.mv_size), &it->layers[it->depth + 1], err);
            if (r < 0)
                return r;
            it->depth++;
            make_entry(&e, it->layers[it->depth], STR(""));
            rc = move_to(it, &e, &k, &v);
            continue;
        }
        if (it->depth == 0) {
            it->valid = false;
            return 0;
        }
        it->depth--;
        make_link(&e, it->layers[it->depth], str_from(it->key_bytes + prefix - TREE_SLICE, TREE_SLICE));
        rc = move_to(it, &e, &k, &v);
        if (rc == 0)
            rc = mdb_cursor_get(it->cursor, &k, &v, MDB_NEXT);
    }
}

int tree_seek(struct tree_iter *it, struct str from, struct err *err)
{
    struct entry e;
    MDB_val k, v;
    int rc;

    it->depth = 0;
    while (from.n > TREE_SLICE && it->depth + 1 < TREE_DEPTH_MAX) {
        make_link(&e, it->layers[it->depth], from);
        rc = move_to(it, &e, &k, &v);
        if (rc != 0 || k.mv_size != e.n || memcmp(k.mv_data, e.p, e.n) != 0)
            return settle(it, rc, k, v, err);
        int r = read_layer(str_from(v.mv_data, v.mv_size), &it->layers[it->depth + 1], err);
        if (r < 0)
            return r;
        memcpy(it->key_bytes + (size_t)it->depth * TREE_SLICE, from.p, TREE_SLICE);
        it->depth++;
        from = str_skip(from, TREE_SLICE);
    }
    if (from.n > TREE_SLICE)
        make_link(&e, it->layers[it->depth], from); /* longer than any key: right behind those it starts with */
    else
        make_entry(&e, it->layers[it->depth], from);
    rc = move_to(it, &e, &k, &v);
    return settle(it, rc, k, v, err);
}

int tree_next(struct tree_iter *it, struct err *err)
{
    MDB_val k, v;
    int rc = mdb_cursor_get(it->cursor, &k, &v, MDB_NEXT);

    return settle(it, rc, k, v, err);
}

int tree_seek_past(struct tree_iter *it, struct str prefix, struct err *err)
{
    char bumped[TREE_KEY_MAX];
    size_t n = prefix.n;

    while (n > 0 && (unsigned char)prefix.p[n - 1] == 0xFF)
        n--;
    if (n == 0 || n > sizeof(bumped)) {
        it->valid = false;
        return 0;
    }
    memcpy(bumped, prefix.p, n);
    bumped[n - 1]++;
    return tree_seek(it, str_from(bumped, n), err);
}
