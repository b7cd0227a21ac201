#include "store.h"
#include "base/enc.h"

#define MIB ((size_t)1 << 20)

static struct str begin_upload(struct store *s, int kind, bool composite)
{
    struct str id;

    assert_ok(objects_upload_begin(s->o, &s->arena, STR("data"), STR("big"), NULL, 0, kind, composite, &id, &s->err));
    return id;
}

static struct objects_part put_part(struct store *s, struct str id, uint32_t number, struct str bytes)
{
    struct objects_write *w;
    struct objects_info info;

    assert_ok(objects_part_begin(s->o, STR("data"), STR("big"), id, number, &w, &s->err));
    assert_ok(objects_write_append(w, bytes, &s->err));
    assert_ok(objects_write_commit(w, &s->arena, NULL, 0, NULL, &info, &s->err));
    return (struct objects_part){.number = number, .etag = info.etag, .checksum = {.kind = -1}};
}

static int complete(struct store *s, struct str id, const struct objects_part *parts, size_t n,
                    struct objects_info *ret)
{
    return objects_upload_complete(s->o, &s->arena, STR("data"), STR("big"), id, parts, n, NULL, ret, &s->err);
}

static struct str concat(struct store *s, struct str a, struct str b, struct str c)
{
    char *p = arena_alloc(&s->arena, a.n + b.n + c.n);

    memcpy(p, a.p, a.n);
    memcpy(p + a.n, b.p, b.n);
    memcpy(p + a.n + b.n, c.p, c.n);
    return str_from(p, a.n + b.n + c.n);
}

static void parts_become_one_object(void **state)
{
    struct store *s = *state;
    struct str a = store_bytes(&s->arena, 5 * MIB, 1), b = store_bytes(&s->arena, 5 * MIB + 7, 2),
               c = store_bytes(&s->arena, 100, 3), id = begin_upload(s, HASH_CRC32, false);
    struct objects_part parts[3];
    struct objects_info info;
    unsigned char value[HASH_MAX_SIZE], md5s[48];
    BUF_SCOPED struct buf etag;

    parts[1] = put_part(s, id, 5, b); /* in any order, with gaps */
    parts[0] = put_part(s, id, 2, a);
    parts[2] = put_part(s, id, 9, c);
    assert_false(store_has(s, STR("big")));
    store_reopen(s);
    assert_ok(complete(s, id, parts, 3, &info));
    store_reopen(s);

    struct str whole = concat(s, a, b, c);
    assert_str(store_get(s, STR("big")), whole);
    hash_bytes(HASH_MD5, a, value), memcpy(md5s, value, 16);
    hash_bytes(HASH_MD5, b, value), memcpy(md5s + 16, value, 16);
    hash_bytes(HASH_MD5, c, value), memcpy(md5s + 32, value, 16);
    hash_bytes(HASH_MD5, str_from((char *)md5s, 48), value);
    buf_init(&etag, 100);
    enc_hex(&etag, value, 16);
    buf_add_cstr(&etag, "-3");
    assert_ok(objects_head(s->o, &s->arena, STR("data"), STR("big"), &info, &s->err));
    assert_str(info.etag, buf_str(&etag));
    assert_int_equal(info.part_count, 3);
    hash_bytes(HASH_CRC32, whole, value);
    assert_int_equal(info.checksum.kind, HASH_CRC32);
    assert_memory_equal(info.checksum.value, value, 4);
    assert_error(complete(s, id, parts, 3, &info), ERR_NOT_FOUND, "NoSuchUpload");
}

static void composite_checksum_is_of_the_checksums(void **state)
{
    struct store *s = *state;
    struct str a = store_bytes(&s->arena, 5 * MIB, 1), b = STR("end"), id = begin_upload(s, HASH_SHA256, true);
    struct objects_part parts[2];
    struct objects_info info;
    unsigned char sums[64], value[HASH_MAX_SIZE];

    parts[0] = put_part(s, id, 1, a);
    parts[1] = put_part(s, id, 2, b);
    hash_bytes(HASH_SHA256, a, value), memcpy(sums, value, 32);
    hash_bytes(HASH_SHA256, b, value), memcpy(sums + 32, value, 32);
    parts[1].checksum.kind = HASH_SHA256;
    memcpy(parts[1].checksum.value, value, 32);
    assert_ok(complete(s, id, parts, 2, &info));
    hash_bytes(HASH_SHA256, str_from((char *)sums, 64), value);
    assert_true(info.checksum.composite);
    assert_memory_equal(info.checksum.value, value, 32);
}

static void single_part_of_any_size_will_do(void **state)
{
    struct store *s = *state;
    struct str id = begin_upload(s, -1, false);
    struct objects_part part = put_part(s, id, 1, STR("small"));
    struct objects_info info;

    assert_ok(complete(s, id, &part, 1, &info));
    assert_str(store_get(s, STR("big")), STR("small"));

    id = begin_upload(s, -1, false);
    struct str bytes = store_bytes(&s->arena, 100000, 1);
    part = put_part(s, id, 1, bytes);
    assert_ok(complete(s, id, &part, 1, &info));
    assert_str(store_get(s, STR("big")), bytes);
    assert_ok(objects_delete(s->o, STR("data"), STR("big"), &s->err));
}

static void wrong_lists_of_parts_are_refused(void **state)
{
    struct store *s = *state;
    struct str id = begin_upload(s, -1, false);
    struct objects_part one = put_part(s, id, 1, STR("small")), two = put_part(s, id, 2, STR("end")), list[2];
    struct objects_info info;

    list[0] = two, list[1] = one;
    assert_error(complete(s, id, list, 2, &info), ERR_INVALID, "InvalidPartOrder");
    list[0] = one, list[1] = two;
    assert_error(complete(s, id, list, 2, &info), ERR_INVALID, "EntityTooSmall");
    list[0].etag = two.etag;
    assert_error(complete(s, id, list, 1, &info), ERR_INVALID, "InvalidPart");
    list[0] = one, list[0].number = 3;
    assert_error(complete(s, id, list, 1, &info), ERR_INVALID, "InvalidPart");
    assert_error(complete(s, id, list, 0, &info), ERR_INVALID, "MalformedXML");
    list[0] = one, list[0].checksum.kind = HASH_CRC32;
    assert_error(complete(s, id, list, 1, &info), ERR_INVALID, "InvalidPart");
    assert_error(complete(s, STR("none"), &one, 1, &info), ERR_NOT_FOUND, "NoSuchUpload");
    assert_false(store_has(s, STR("big")));
}

static void newer_part_replaces_the_older(void **state)
{
    struct store *s = *state;
    struct str id = begin_upload(s, -1, false);
    struct objects_part *parts;
    struct objects_info info;
    size_t n;
    bool truncated;

    put_part(s, id, 1, store_bytes(&s->arena, 9000, 1));
    struct objects_part part = put_part(s, id, 1, STR("new"));
    put_part(s, id, 7, STR("seven"));
    assert_ok(
        objects_upload_parts(s->o, &s->arena, STR("data"), STR("big"), id, 0, 1, &parts, &n, &truncated, &s->err));
    assert_int_equal(n, 1);
    assert_true(truncated);
    assert_int_equal(parts[0].size, 3);
    assert_ok(
        objects_upload_parts(s->o, &s->arena, STR("data"), STR("big"), id, 1, 10, &parts, &n, &truncated, &s->err));
    assert_int_equal(n, 1);
    assert_int_equal(parts[0].number, 7);
    assert_false(truncated);
    assert_ok(complete(s, id, &part, 1, &info)); /* part 7 is left out */
    assert_str(store_get(s, STR("big")), STR("new"));
}

static void aborted_upload_is_gone(void **state)
{
    struct store *s = *state;
    struct str id = begin_upload(s, -1, false);
    struct objects_write *w;

    put_part(s, id, 1, store_bytes(&s->arena, 9000, 1));
    assert_ok(objects_upload_abort(s->o, STR("data"), STR("big"), id, &s->err));
    assert_error(objects_upload_abort(s->o, STR("data"), STR("big"), id, &s->err), ERR_NOT_FOUND, "NoSuchUpload");
    assert_error(objects_part_begin(s->o, STR("data"), STR("big"), id, 1, &w, &s->err), ERR_NOT_FOUND, "NoSuchUpload");
    begin_upload(s, -1, false);
    assert_ok(objects_delete_bucket(s->o, STR("data"), &s->err)); /* uploads don't keep a bucket */
}

static void uploads_list_by_key_and_id(void **state)
{
    struct store *s = *state;
    struct objects_upload *uploads;
    struct str ids[3], key = STR(""), id = STR("");
    static const char *const keys[] = {"a", "a", "a/b"};
    size_t n, seen = 0;
    bool truncated;

    for (int i = 0; i < 3; i++)
        assert_ok(objects_upload_begin(s->o, &s->arena, STR("data"), str_from_cstr(keys[i]), NULL, 0, -1, false,
                                       &ids[i], &s->err));
    do {
        assert_ok(
            objects_list_uploads(s->o, &s->arena, STR("data"), STR(""), key, id, 1, &uploads, &n, &truncated, &s->err));
        assert_int_equal(n, 1);
        assert_str(uploads[0].key, str_from_cstr(keys[seen]));
        key = uploads[0].key;
        id = uploads[0].id;
        seen++;
    } while (truncated);
    assert_int_equal(seen, 3);
    assert_ok(objects_list_uploads(s->o, &s->arena, STR("data"), STR("a/"), STR(""), STR(""), 10, &uploads, &n,
                                   &truncated, &s->err));
    assert_int_equal(n, 1);
    assert_ok(objects_list_uploads(s->o, &s->arena, STR("data"), STR(""), STR("a"), STR(""), 10, &uploads, &n,
                                   &truncated, &s->err));
    assert_int_equal(n, 1); /* without an id: keys after the marker */
    assert_str(uploads[0].key, STR("a/b"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, store_open_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(parts_become_one_object),         T(composite_checksum_is_of_the_checksums),
        T(single_part_of_any_size_will_do), T(wrong_lists_of_parts_are_refused),
        T(newer_part_replaces_the_older),   T(aborted_upload_is_gone),
        T(uploads_list_by_key_and_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
