#include "store.h"
#include "objects/index.h"

static const struct objects_meta meta[] = {{{"content-type", 12}, {"text/plain", 10}}, {{"x-amz-meta-a", 12}, {"", 0}}};

static void make_record(struct buf *to)
{
    struct index_object o = {.size = 3,
                             .modified_ms = 1234567890123,
                             .etag = STR("900150983cd24fb0d6963f7d28e17f72"),
                             .part_count = 7,
                             .checksum = {.kind = HASH_SHA256, .composite = true},
                             .data = {.is_inline = true, .bytes = STR("abc")},
                             .meta = meta,
                             .meta_count = 2};

    memset(o.checksum.value, 0x5a, 32);
    memset(o.data.id, 0xc3, INDEX_ID_SIZE);
    buf_init(to, INDEX_RECORD_MAX);
    index_encode_object(to, &o);
}

static void object_record_reads_back_as_it_was(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    BUF_SCOPED struct buf record;
    struct index_object o;

    (void)state;
    make_record(&record);
    assert_int_equal(index_decode_object(buf_str(&record), &a, &o, NULL), 0);
    assert_int_equal(o.size, 3);
    assert_int_equal(o.modified_ms, 1234567890123);
    assert_int_equal(o.part_count, 7);
    assert_str(o.etag, STR("900150983cd24fb0d6963f7d28e17f72"));
    assert_int_equal(o.checksum.kind, HASH_SHA256);
    assert_true(o.checksum.composite);
    assert_int_equal(o.checksum.value[31], 0x5a);
    assert_true(o.data.is_inline);
    assert_str(o.data.bytes, STR("abc"));
    assert_int_equal(o.data.id[15], 0xc3);
    assert_int_equal(o.meta_count, 2);
    assert_str(o.meta[0].value, STR("text/plain"));
    assert_int_equal(o.meta[1].value.n, 0);
}

static void every_flipped_bit_of_a_record_is_corruption(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    BUF_SCOPED struct buf record;
    struct index_object o;

    (void)state;
    make_record(&record);
    for (size_t i = 0; i < record.n * 8; i++) {
        record.p[i / 8] ^= (char)(1 << i % 8);
        assert_int_equal(index_decode_object(buf_str(&record), &a, &o, NULL), ERR_CORRUPT);
        record.p[i / 8] ^= (char)(1 << i % 8);
    }
}

static void every_shortened_record_is_corruption(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    BUF_SCOPED struct buf record;

    (void)state;
    make_record(&record);
    for (size_t n = 0; n < record.n; n++) {
        struct index_object o;
        char *cut = malloc(n + 1); /* so that ASan sees a read past the end */
        memcpy(cut, record.p, n);
        cut = realloc(cut, n ? n : 1);
        assert_int_equal(index_decode_object(str_from(cut, n), &a, &o, NULL), ERR_CORRUPT);
        free(cut);
    }
}

/* A record with a right checksum whose lengths lie. */
static void lengths_past_the_record_are_corruption(void **state)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    BUF_SCOPED struct buf record;

    (void)state;
    make_record(&record);
    for (size_t i = 2; i + 4 < record.n; i++) {
        struct index_object o;
        unsigned char crc[HASH_MAX_SIZE];
        char old = record.p[i];
        record.p[i] = (char)0xff;
        hash_bytes(HASH_CRC32C, str_from(record.p, record.n - 4), crc);
        memcpy(record.p + record.n - 4, crc, 4);
        int r = index_decode_object(buf_str(&record), &a, &o, NULL);
        assert_true(r == 0 || r == ERR_CORRUPT);
        record.p[i] = old;
    }
}

static void record_of_another_kind_is_corruption(void **state)
{
    BUF_SCOPED struct buf record;
    struct index_bucket b;

    (void)state;
    make_record(&record);
    assert_int_equal(index_decode_bucket(buf_str(&record), &b, NULL), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(object_record_reads_back_as_it_was),
        cmocka_unit_test(every_flipped_bit_of_a_record_is_corruption),
        cmocka_unit_test(every_shortened_record_is_corruption),
        cmocka_unit_test(lengths_past_the_record_are_corruption),
        cmocka_unit_test(record_of_another_kind_is_corruption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
