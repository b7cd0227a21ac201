#include "store.h"
#include "base/enc.h"

static void put_reads_back(struct store *s, size_t n)
{
    struct str bytes = store_bytes(&s->arena, n, n + 1);
    struct objects_info info;
    unsigned char md5[HASH_MAX_SIZE];
    BUF_SCOPED struct buf hex;

    assert_ok(store_try_put(s, STR("k"), bytes, NULL, &info));
    hash_bytes(HASH_MD5, bytes, md5);
    buf_init(&hex, 100);
    enc_hex(&hex, md5, 16);
    assert_str(info.etag, buf_str(&hex));
    assert_int_equal(info.size, n);
    assert_str(store_get(s, STR("k")), bytes);
    store_reopen(s);
    assert_str(store_get(s, STR("k")), bytes);
}

static void objects_of_all_sizes_read_back(void **state)
{
    static const size_t sizes[] = {0, 1, 8191, 8192, 8193, 100000, 20 << 20};

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        put_reads_back(*state, sizes[i]);
}

static void bytes_may_come_in_pieces(void **state)
{
    struct store *s = *state;
    struct str bytes = store_bytes(&s->arena, 50000, 3);
    struct objects_write *w;
    struct objects_info info;
    struct objects_checksum sum;
    unsigned char crc[HASH_MAX_SIZE];

    assert_ok(objects_write_begin(s->o, STR("data"), STR("k"), &w, &s->err));
    assert_ok(objects_write_add_checksum(w, HASH_CRC64NVME, &s->err));
    for (size_t at = 0; at < bytes.n; at += 777)
        assert_ok(objects_write_append(w, str_slice(bytes, at, 777), &s->err));
    assert_int_equal(objects_write_size(w), bytes.n);
    objects_write_checksum(w, &sum);
    hash_bytes(HASH_CRC64NVME, bytes, crc);
    assert_memory_equal(sum.value, crc, 8);
    assert_ok(objects_write_commit(w, &s->arena, NULL, 0, NULL, &info, &s->err));
    assert_str(store_get(s, STR("k")), bytes);
    assert_ok(objects_head(s->o, &s->arena, STR("data"), STR("k"), &info, &s->err));
    assert_int_equal(info.checksum.kind, HASH_CRC64NVME);
    assert_memory_equal(info.checksum.value, crc, 8);
}

static void metadata_is_kept(void **state)
{
    struct store *s = *state;
    struct objects_meta meta[] = {{STR("content-type"), STR("text/csv")}, {STR("x-amz-meta-who"), STR("me")}};
    struct objects_write *w;
    struct objects_info info;

    assert_ok(objects_write_begin(s->o, STR("data"), STR("k"), &w, &s->err));
    assert_ok(objects_write_commit(w, &s->arena, meta, 2, NULL, &info, &s->err));
    store_reopen(s);
    assert_ok(objects_head(s->o, &s->arena, STR("data"), STR("k"), &info, &s->err));
    assert_int_equal(info.meta_count, 2);
    assert_str(info.meta[1].name, STR("x-amz-meta-who"));
    assert_str(info.meta[1].value, STR("me"));
}

static void too_much_metadata_is_refused(void **state)
{
    struct store *s = *state;
    struct objects_meta meta = {STR("x-amz-meta-big"), store_bytes(&s->arena, 2048, 1)};
    struct objects_write *w;
    struct objects_info info;

    assert_ok(objects_write_begin(s->o, STR("data"), STR("k"), &w, &s->err));
    assert_error(objects_write_commit(w, &s->arena, &meta, 1, NULL, &info, &s->err), ERR_INVALID, "MetadataTooLarge");
    assert_false(store_has(s, STR("k")));
}

static void aborted_write_shows_nothing(void **state)
{
    struct store *s = *state;
    struct objects_write *w;

    assert_ok(objects_write_begin(s->o, STR("data"), STR("k"), &w, &s->err));
    assert_ok(objects_write_append(w, store_bytes(&s->arena, 100000, 1), &s->err));
    objects_write_abort(w);
    assert_false(store_has(s, STR("k")));
}

static void reader_keeps_its_version(void **state)
{
    struct store *s = *state;
    struct str old = store_bytes(&s->arena, 20000, 1), got;
    struct objects_reader r;

    store_put(s, STR("k"), old);
    assert_ok(objects_read(s->o, &s->arena, STR("data"), STR("k"), &r, &s->err));
    store_put(s, STR("k"), store_bytes(&s->arena, 20000, 2));
    assert_ok(objects_delete(s->o, STR("data"), STR("k"), &s->err));
    got = str_from(arena_alloc(&s->arena, old.n), old.n);
    assert_ok(file_pread_all(r.fd, (char *)got.p, got.n, 0, &s->err));
    assert_str(got, old);
    objects_reader_release(&r);
}

static void delete_of_what_is_not_there_succeeds(void **state)
{
    struct store *s = *state;
    struct str keys[] = {STR("a"), STR("none"), STR("b")};

    assert_ok(objects_delete(s->o, STR("data"), STR("none"), &s->err));
    store_put(s, STR("a"), STR("1"));
    store_put(s, STR("b"), store_bytes(&s->arena, 9000, 1));
    assert_ok(objects_delete_many(s->o, STR("data"), keys, 3, &s->err));
    assert_false(store_has(s, STR("a")));
    assert_false(store_has(s, STR("b")));
}

static void conditions_hold_or_refuse(void **state)
{
    struct store *s = *state;
    struct objects_info first, info;
    struct objects_conditions none = {.if_none_match = STR("*")}, other = {.if_match = STR("0123")}, any, same;

    any = (struct objects_conditions){.if_match = STR("*")};
    assert_error(store_try_put(s, STR("k"), STR("1"), &any, &info), ERR_NOT_FOUND, "NoSuchKey");
    assert_ok(store_try_put(s, STR("k"), STR("1"), &none, &first));
    assert_error(store_try_put(s, STR("k"), STR("2"), &none, &info), ERR_CONFLICT, "PreconditionFailed");
    assert_error(store_try_put(s, STR("k"), STR("2"), &other, &info), ERR_CONFLICT, "PreconditionFailed");
    assert_str(store_get(s, STR("k")), STR("1"));
    same = (struct objects_conditions){.if_match = first.etag};
    assert_ok(store_try_put(s, STR("k"), STR("3"), &same, &info));
    assert_ok(store_try_put(s, STR("k"), STR("4"), &any, &info));
    assert_str(store_get(s, STR("k")), STR("4"));
}

static void copy_outlives_its_source(void **state)
{
    struct store *s = *state;
    struct str bytes = store_bytes(&s->arena, 30000, 9);
    struct objects_meta meta = {STR("content-type"), STR("a/b")};
    struct objects_info info;

    assert_ok(objects_create_bucket(s->o, STR("other"), &s->err));
    store_put(s, STR("k"), bytes);
    assert_ok(
        objects_copy(s->o, &s->arena, STR("data"), STR("k"), STR("data"), STR("copy"), &meta, 1, NULL, &info, &s->err));
    assert_ok(objects_copy(s->o, &s->arena, STR("data"), STR("k"), STR("data"), STR("k"), NULL, 0, NULL, &info,
                           &s->err)); /* onto itself */
    assert_ok(objects_delete(s->o, STR("data"), STR("k"), &s->err));
    assert_str(store_get(s, STR("copy")), bytes);
    assert_ok(objects_head(s->o, &s->arena, STR("data"), STR("copy"), &info, &s->err));
    assert_int_equal(info.meta_count, 1);
    assert_error(
        objects_copy(s->o, &s->arena, STR("data"), STR("k"), STR("other"), STR("x"), NULL, 0, NULL, &info, &s->err),
        ERR_NOT_FOUND, "NoSuchKey");
}

static void keys_that_s3_refuses_are_refused(void **state)
{
    struct store *s = *state;
    struct objects_info info;
    char *key = arena_alloc(&s->arena, 1025);

    memset(key, 'k', 1025);
    assert_error(store_try_put(s, str_from(key, 1025), STR("1"), NULL, &info), ERR_INVALID, "KeyTooLongError");
    assert_error(store_try_put(s, STR(""), STR("1"), NULL, &info), ERR_INVALID, "InvalidArgument");
    assert_error(store_try_put(s, STR("a\0b"), STR("1"), NULL, &info), ERR_INVALID, "InvalidArgument");
    assert_error(store_try_put(s, STR("\xff"), STR("1"), NULL, &info), ERR_INVALID, "InvalidArgument");
    store_put(s, str_from(key, 1024), STR("longest"));
    assert_str(store_get(s, str_from(key, 1024)), STR("longest"));
}

static void buckets_come_and_go(void **state)
{
    struct store *s = *state;
    struct objects_bucket *buckets, one;
    size_t n;

    assert_ok(objects_create_bucket(s->o, STR("a-bucket"), &s->err));
    assert_error(objects_create_bucket(s->o, STR("a-bucket"), &s->err), ERR_EXISTS, "BucketAlreadyOwnedByYou");
    assert_error(objects_create_bucket(s->o, STR("No"), &s->err), ERR_INVALID, "InvalidBucketName");
    assert_ok(objects_list_buckets(s->o, &s->arena, &buckets, &n, &s->err));
    assert_int_equal(n, 2);
    assert_str(buckets[0].name, STR("a-bucket"));
    assert_ok(objects_get_bucket(s->o, &s->arena, STR("data"), &one, &s->err));
    assert_true(one.created_ms > 0);
    store_put(s, STR("k"), STR("1"));
    assert_error(objects_delete_bucket(s->o, STR("data"), &s->err), ERR_CONFLICT, "BucketNotEmpty");
    assert_ok(objects_delete(s->o, STR("data"), STR("k"), &s->err));
    assert_ok(objects_delete_bucket(s->o, STR("data"), &s->err));
    assert_error(objects_delete_bucket(s->o, STR("data"), &s->err), ERR_NOT_FOUND, "NoSuchBucket");
    assert_error(objects_get_bucket(s->o, &s->arena, STR("data"), &one, &s->err), ERR_NOT_FOUND, "NoSuchBucket");
}

static void bucket_names_are_s3s(void **state)
{
    static const char *const good[] = {"abc", "a-b", "a.b.c", "1ab", "trino-data"};
    static const char *const bad[] = {"ab",   "Abc",     "a_b",     "-ab",         "ab-",
                                      "a..b", "1.2.3.4", "xn--abc", "abc-s3alias", ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(objects_is_bucket_name(str_from_cstr(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(objects_is_bucket_name(str_from_cstr(bad[i])));
}

/* ---- listing ---- */

static struct str listed(struct store *s, struct objects_list_request q)
{
    struct objects_list list;
    BUF_SCOPED struct buf out;

    q.bucket = STR("data");
    if (q.max == 0)
        q.max = 1000;
    assert_ok(objects_list(s->o, &s->arena, &q, &list, &s->err));
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < list.n; i++)
        buf_addf(&out, "%.*s ", STR_ARG(list.items[i].key));
    for (size_t i = 0; i < list.prefix_count; i++)
        buf_addf(&out, "[%.*s] ", STR_ARG(list.prefixes[i]));
    if (list.truncated)
        buf_addf(&out, "...%.*s", STR_ARG(list.last));
    return arena_str(&s->arena, buf_str(&out));
}

static void listing_is_ordered_and_grouped(void **state)
{
    static const char *const keys[] = {"b", "a/1", "a/2", "a/x/1", "a/x/2", "a", "c/", "c/z", "d"};
    struct store *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        store_put(s, str_from_cstr(keys[i]), STR("x"));
    assert_str(listed(s, (struct objects_list_request){0}), STR("a a/1 a/2 a/x/1 a/x/2 b c/ c/z d "));
    assert_str(listed(s, (struct objects_list_request){.delimiter = STR("/")}), STR("a b d [a/] [c/] "));
    assert_str(listed(s, (struct objects_list_request){.prefix = STR("a/"), .delimiter = STR("/")}),
               STR("a/1 a/2 [a/x/] "));
    assert_str(listed(s, (struct objects_list_request){.prefix = STR("a/x")}), STR("a/x/1 a/x/2 "));
    assert_str(listed(s, (struct objects_list_request){.prefix = STR("nothing")}), STR(""));
    assert_str(listed(s, (struct objects_list_request){.start_after = STR("a/x/1")}), STR("a/x/2 b c/ c/z d "));
    assert_str(listed(s, (struct objects_list_request){.start_after = STR("a/"), .delimiter = STR("/")}),
               STR("b d [c/] "));
    assert_str(listed(s, (struct objects_list_request){.prefix = STR("c/"), .delimiter = STR("/")}), STR("c/ c/z "));
}

static void pages_join_to_the_whole_listing(void **state)
{
    struct store *s = *state;
    struct objects_list_request q = {.bucket = STR("data"), .delimiter = STR("/"), .max = 2};
    struct objects_list list;
    size_t keys = 0, prefixes = 0;

    for (int i = 0; i < 7; i++) {
        store_put(s, arena_printf(&s->arena, "key%d", i), STR("x"));
        store_put(s, arena_printf(&s->arena, "dir%d/a", i), STR("x"));
        store_put(s, arena_printf(&s->arena, "dir%d/b", i), STR("x"));
    }
    do {
        assert_ok(objects_list(s->o, &s->arena, &q, &list, &s->err));
        assert_true(list.n + list.prefix_count <= 2);
        keys += list.n;
        prefixes += list.prefix_count;
        q.start_after = list.last;
    } while (list.truncated);
    assert_int_equal(keys, 7);
    assert_int_equal(prefixes, 7);
}

static int compare_strs(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* LMDB's own keys end at 511 bytes. */
static void keys_that_share_600_bytes_keep_their_order(void **state)
{
    struct store *s = *state;
    struct str keys[90];
    char *shared = arena_alloc(&s->arena, 1024);
    size_t n = 0;

    memset(shared, 'p', 1024);
    for (size_t i = 0; i < 20; i++)
        keys[n++] = arena_printf(&s->arena, "%.600s/%zu", shared, i * 7919 % 20);
    for (size_t i = 470; i < 500; i++) /* around the end of the first layer's slice */
        keys[n++] = arena_printf(&s->arena, "%.*s", (int)i, shared);
    for (size_t i = 950; i < 970; i++) /* and of the second's */
        keys[n++] = arena_printf(&s->arena, "%.*s", (int)i, shared);
    for (size_t i = 0; i < 20; i++)
        keys[n++] = arena_printf(&s->arena, "%.1000sz%zu", shared, i);
    for (size_t i = 0; i < n; i++)
        store_put(s, keys[i], keys[i]);
    store_reopen(s);

    qsort(keys, n, sizeof(*keys), compare_strs);
    struct objects_list_request q = {.bucket = STR("data"), .max = 1000};
    struct objects_list list;
    assert_ok(objects_list(s->o, &s->arena, &q, &list, &s->err));
    assert_int_equal(list.n, n);
    for (size_t i = 0; i < n; i++) {
        assert_str(list.items[i].key, keys[i]);
        assert_str(store_get(s, keys[i]), keys[i]);
    }
    for (size_t i = 0; i < n; i++) { /* from everywhere */
        q.start_after = keys[i];
        assert_ok(objects_list(s->o, &s->arena, &q, &list, &s->err));
        assert_int_equal(list.n, n - 1 - i);
        if (list.n)
            assert_str(list.items[0].key, keys[i + 1]);
    }
    q = (struct objects_list_request){
        .bucket = STR("data"), .prefix = str_from(shared, 5), .delimiter = STR("/"), .max = 1000};
    assert_ok(objects_list(s->o, &s->arena, &q, &list, &s->err));
    assert_int_equal(list.prefix_count, 1);
    assert_int_equal(list.n, n - 20);

    assert_ok(objects_delete_many(s->o, STR("data"), keys, n, &s->err));
    assert_ok(objects_list(s->o, &s->arena, &q, &list, &s->err));
    assert_int_equal(list.n, 0);
    assert_ok(objects_delete_bucket(s->o, STR("data"), &s->err)); /* no layer is left over */
}

static void a_folder_costs_one_step_however_many_keys_it_has(void **state)
{
    struct store *s = *state;
    struct str keys[1000];

    for (int i = 0; i < 1000; i++) {
        keys[i] = arena_printf(&s->arena, "big/%04d", i);
        store_put(s, keys[i], STR(""));
    }
    store_put(s, STR("zz"), STR(""));
    assert_str(listed(s, (struct objects_list_request){.delimiter = STR("/"), .max = 2}), STR("zz [big/] "));
}

static void a_second_open_of_the_folder_is_the_same_store(void **state)
{
    struct store *s = *state;
    struct objects *again;

    assert_ok(objects_open(s->dir, &again, &s->err));
    store_put(s, STR("k"), STR("1"));
    objects_close(s->o);
    s->o = again;
    assert_str(store_get(s, STR("k")), STR("1"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, store_open_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(objects_of_all_sizes_read_back),
        T(bytes_may_come_in_pieces),
        T(metadata_is_kept),
        T(too_much_metadata_is_refused),
        T(aborted_write_shows_nothing),
        T(reader_keeps_its_version),
        T(delete_of_what_is_not_there_succeeds),
        T(conditions_hold_or_refuse),
        T(copy_outlives_its_source),
        T(keys_that_s3_refuses_are_refused),
        T(buckets_come_and_go),
        cmocka_unit_test(bucket_names_are_s3s),
        T(listing_is_ordered_and_grouped),
        T(pages_join_to_the_whole_listing),
        T(keys_that_share_600_bytes_keep_their_order),
        T(a_folder_costs_one_step_however_many_keys_it_has),
        T(a_second_open_of_the_folder_is_the_same_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
