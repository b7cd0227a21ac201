/*
 * Ordered trees of long keys in LMDB, whose own keys end at 511 bytes while S3's reach 1024.
 *
 * A tree is layers (as in Masstree: a trie of B-trees). A layer is a 64-bit number; its entries are LMDB entries that
 * begin with that number, big-endian. A key of at most TREE_SLICE bytes is the entry
 *
 *   layer  key                       -> record
 *
 * and all longer ones that share their first TREE_SLICE bytes go, without these, to a layer of their own, found by
 *
 *   layer  key[0 … TREE_SLICE) 0x01  -> number of that layer
 *
 * The byte makes a link longer than any record's key and sorts it right behind the key that ends where it starts, so
 * walking a layer and following its links gives bytewise order. A layer below the root is never empty: the link goes
 * with its last entry. Any number of keys may share a long prefix, each costs its own entry only.
 */
#ifndef OBJECTS_TREE_H
#define OBJECTS_TREE_H

#include "base/str.h"
#include <lmdb.h>

struct txn;

enum { TREE_SLICE = 480, TREE_DEPTH_MAX = 3, TREE_KEY_MAX = TREE_SLICE * TREE_DEPTH_MAX };

/* A fresh, empty tree. */
MUST_CHECK int tree_new(struct txn *t, uint64_t *ret_root, struct err *err);
/* A null str when it isn't there; points into the map, valid until the transaction changes something or ends. */
MUST_CHECK int tree_get(struct txn *t, uint64_t root, struct str key, struct str *ret, struct err *err);
MUST_CHECK int tree_put(struct txn *t, uint64_t root, struct str key, struct str record, struct err *err);
MUST_CHECK int tree_remove(struct txn *t, uint64_t root, struct str key, struct err *err); /* absent is fine */
MUST_CHECK int tree_is_empty(struct txn *t, uint64_t root, bool *ret, struct err *err);

struct tree_iter {
    struct txn *t;
    MDB_cursor *cursor;
    uint64_t layers[TREE_DEPTH_MAX];
    int depth;
    char key_bytes[TREE_KEY_MAX];
    bool valid; /* false: past the end */
    struct str key, record;
};
MUST_CHECK int tree_iter_init(struct tree_iter *it, struct txn *t, uint64_t root, struct err *err);
void tree_iter_release(struct tree_iter *it);
MUST_CHECK int tree_seek(struct tree_iter *it, struct str from, struct err *err); /* the first key not below `from` */
MUST_CHECK int tree_next(struct tree_iter *it, struct err *err);
/* The first key that is above all that start with `prefix`: what makes a listing skip a folder in one step. */
MUST_CHECK int tree_seek_past(struct tree_iter *it, struct str prefix, struct err *err);

#define TREE_ITER_SCOPED __attribute__((cleanup(tree_iter_release)))

#endif
