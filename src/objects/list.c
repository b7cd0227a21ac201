/* Listing: a walk along the keys. Keys that share a prefix up to the delimiter are one entry, and the walk continues behind
 * all of them with one seek, however many they are. */
#include "base/vec.h"
#include "objects/internal.h"

struct page {
    VEC(struct objects_info) items;
    VEC(struct str) prefixes;
};

static bool is_full(const struct page *p, const struct objects_list_request *q)
{
    return p->items.n + p->prefixes.n >= q->max;
}

static int add_item(struct page *p, struct arena *a, const struct tree_iter *it, struct str *last, struct err *err)
{
    struct index_object object;
    struct objects_info info;
    int r = index_decode_object(it->record, NULL, &object, err);

    if (r < 0)
        return r;
    object_info(a, it->key, &object, &info);
    vec_push_in(a, &p->items, info);
    *last = info.key;
    return 0;
}

static int walk(struct tree_iter *it, struct arena *a, const struct objects_list_request *q, struct page *p,
                struct objects_list *ret, struct err *err)
{
    bool starts_inside = str_cmp(q->start_after, q->prefix) >= 0 && q->start_after.n > 0;
    int r = tree_seek(it, starts_inside ? q->start_after : q->prefix, err);

    if (r == 0 && starts_inside && it->valid && str_eq(it->key, q->start_after))
        r = tree_next(it, err);
    while (r == 0 && it->valid && str_starts_with(it->key, q->prefix)) {
        size_t at = q->delimiter.n ? str_find(it->key, q->delimiter, q->prefix.n) : SIZE_MAX;
        struct str group = at == SIZE_MAX ? STR_NULL : str_slice(it->key, 0, at + q->delimiter.n);

        if (!str_is_null(group) && str_cmp(group, q->start_after) <= 0) { /* given by an earlier page */
            r = tree_seek_past(it, arena_str(a, group), err);
            continue;
        }
        if (is_full(p, q)) {
            ret->truncated = true;
            break;
        }
        if (str_is_null(group)) {
            r = add_item(p, a, it, &ret->last, err);
            if (r == 0)
                r = tree_next(it, err);
            continue;
        }
        group = arena_str(a, group);
        vec_push_in(a, &p->prefixes, group);
        ret->last = group;
        r = tree_seek_past(it, group, err);
    }
    return r;
}

int objects_list(struct objects *o, struct arena *a, const struct objects_list_request *q, struct objects_list *ret,
                 struct err *err)
{
    struct page page = {0};
    struct objects_list list = {0};
    struct index_bucket b;
    struct txn t;
    int r = txn_begin_read(o, &t, err);

    if (r < 0)
        return r;
    r = bucket_find(&t, q->bucket, &b, err);
    if (r == 0 && q->max > 0) {
        TREE_ITER_SCOPED struct tree_iter it = {0};
        r = tree_iter_init(&it, &t, b.objects_root, err);
        if (r == 0)
            r = walk(&it, a, q, &page, &list, err);
    }
    txn_end_read(&t);
    if (r < 0)
        return r;
    list.items = page.items.items;
    list.n = page.items.n;
    list.prefixes = page.prefixes.items;
    list.prefix_count = page.prefixes.n;
    *ret = list;
    return 0;
}
