#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "avro/avro.h"

static const char schema[] =
    "{\"type\":\"record\",\"name\":\"t\",\"fields\":["
    "{\"name\":\"l\",\"type\":\"long\",\"field-id\":1},{\"name\":\"i\",\"type\":\"int\",\"field-id\":2},"
    "{\"name\":\"s\",\"type\":[\"null\",\"string\"],\"field-id\":3},{\"name\":\"b\",\"type\":\"boolean\"},"
    "{\"name\":\"f\",\"type\":\"float\"},{\"name\":\"d\",\"type\":\"double\"},"
    "{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"x3\",\"size\":3}},"
    "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"long\"}},"
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"bytes\"}},"
    "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"P\",\"Q\"]}}]}";

static void put_record(struct avro_writer *w, int64_t l)
{
    avro_put_long(w, l);
    avro_put_long(w, l % 1000);
    avro_put_long(w, l & 1); /* the branch */
    if (l & 1)
        avro_put_bytes(w, STR("odd"));
    avro_put_boolean(w, l % 3 == 0);
    avro_put_float(w, 1.5f);
    avro_put_double(w, -0.1);
    avro_put_fixed(w, STR("xyz"));
    avro_put_long(w, 2);
    avro_put_long(w, l);
    avro_put_long(w, -l);
    avro_put_long(w, 0);
    avro_put_long(w, 1);
    avro_put_bytes(w, STR("key"));
    avro_put_bytes(w, STR("value"));
    avro_put_long(w, 0);
    avro_put_long(w, 1);
    avro_end_record(w);
}

static void write_file(struct buf *to, int64_t from, int64_t n)
{
    struct avro_writer *w;
    struct avro_meta meta[] = {{"format-version", STR("2")}, {"schema", STR("{ verbatim }")}};

    buf_init(to, 64 << 20);
    assert_int_equal(avro_writer_new(to, str_from_cstr(schema), meta, 2, &w, NULL), 0);
    for (int64_t i = 0; i < n; i++)
        put_record(w, from + i);
    assert_int_equal(avro_writer_finish(w, NULL), 0);
}

static void check_record(const struct avro_reader *r, const struct avro_value *v, int64_t l)
{
    const struct avro_schema *s = avro_reader_schema(r);

    assert_int_equal(avro_by_id(s, v, 1)->i, l);
    assert_int_equal(avro_by_id(s, v, 2)->i, l % 1000);
    if (l & 1)
        assert_true(str_eq_cstr(avro_by_id(s, v, 3)->bytes, "odd"));
    else
        assert_null(avro_by_id(s, v, 3));
    assert_null(avro_by_id(s, v, 17));
    const struct avro_value *f = v->list.items;
    assert_int_equal(f[3].boolean, l % 3 == 0);
    assert_true(f[4].f == 1.5);
    assert_true(f[5].f == -0.1);
    assert_true(str_eq_cstr(f[6].bytes, "xyz"));
    assert_int_equal(f[7].list.n, 2);
    assert_int_equal(f[7].list.items[1].i, -l);
    assert_int_equal(f[8].list.n, 1);
    assert_true(str_eq_cstr(f[8].list.keys[0], "key"));
    assert_true(str_eq_cstr(f[8].list.items[0].bytes, "value"));
    assert_int_equal(f[9].i, 1);
}

static void what_is_written_is_read(void **state)
{
    BUF_SCOPED struct buf file;
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct avro_reader *r;
    const struct avro_value *v;
    int64_t n = 0;
    int rc;

    (void)state;
    write_file(&file, -5, 20000); /* several blocks */
    assert_int_equal(avro_reader_new(&a, buf_str(&file), &r, NULL), 0);
    while ((rc = avro_reader_next(r, &v, NULL)) == 1)
        check_record(r, v, n++ - 5);
    assert_int_equal(rc, 0);
    assert_int_equal(n, 20000);
    avro_reader_free(r);
}

static void schema_and_header_keys_are_verbatim(void **state)
{
    BUF_SCOPED struct buf file;
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct avro_reader *r;
    const struct avro_value *v;

    (void)state;
    write_file(&file, 0, 0);
    assert_int_equal(avro_reader_new(&a, buf_str(&file), &r, NULL), 0);
    assert_true(str_eq_cstr(avro_reader_meta(r, "avro.schema"), schema));
    assert_true(str_eq_cstr(avro_reader_meta(r, "avro.codec"), "deflate"));
    assert_true(str_eq_cstr(avro_reader_meta(r, "schema"), "{ verbatim }"));
    assert_true(str_eq_cstr(avro_reader_meta(r, "format-version"), "2"));
    assert_true(str_is_null(avro_reader_meta(r, "content")));
    assert_int_equal(avro_reader_next(r, &v, NULL), 0);
    avro_reader_free(r);
}

static void the_ends_of_64_bits_survive(void **state)
{
    static const int64_t values[] = {0, -1, 1, 63, 64, -64, -65, INT64_MAX, INT64_MIN};
    BUF_SCOPED struct buf file;
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct avro_writer *w;
    struct avro_reader *r;
    const struct avro_value *v;

    (void)state;
    buf_init(&file, 1 << 20);
    assert_int_equal(
        avro_writer_new(&file,
                        STR("{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"l\",\"type\":\"long\"}]}"),
                        NULL, 0, &w, NULL),
        0);
    for (size_t i = 0; i < 9; i++) {
        avro_put_long(w, values[i]);
        avro_end_record(w);
    }
    assert_int_equal(avro_writer_finish(w, NULL), 0);
    assert_int_equal(avro_reader_new(&a, buf_str(&file), &r, NULL), 0);
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(avro_reader_next(r, &v, NULL), 1);
        assert_true(v->list.items[0].i == values[i]);
    }
    avro_reader_free(r);
}

/* Reads all of a file; 0 at its end, or the error. */
static int read_all(struct str file, int64_t *ret_n, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct avro_reader *r;
    const struct avro_value *v;
    int rc = avro_reader_new(&a, file, &r, err);

    *ret_n = 0;
    if (rc < 0)
        return rc;
    while ((rc = avro_reader_next(r, &v, err)) == 1)
        ++*ret_n;
    avro_reader_free(r);
    return rc;
}

static void a_cut_off_file_is_an_error_and_never_a_short_answer(void **state)
{
    BUF_SCOPED struct buf file;
    int64_t n;

    (void)state;
    write_file(&file, 0, 10);
    for (size_t size = 0; size < file.n; size++) {
        struct err err = {0};
        char *exact = malloc(size ? size : 1); /* so that the sanitizer sees a byte too far */
        assert_non_null(exact);
        memcpy(exact, file.p, size);
        int rc = read_all(str_from(exact, size), &n, &err);
        free(exact);
        /* Only a file without its one block ends as a whole file does. */
        if (rc == 0)
            assert_int_equal(n, 0);
        else
            assert_true(err.message[0] != 0);
    }
    assert_int_equal(read_all(buf_str(&file), &n, NULL), 0);
    assert_int_equal(n, 10);
}

static void a_damaged_sync_marker_is_seen(void **state)
{
    BUF_SCOPED struct buf file;
    struct err err = {0};
    int64_t n;

    (void)state;
    write_file(&file, 0, 10);
    file.p[file.n - 1] ^= 1;
    assert_int_equal(read_all(buf_str(&file), &n, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.message, "sync marker"));
}

/* A null-codec file of one block, by hand. */
static void hand_made(struct buf *to, const char *schema_json, struct str block, int count)
{
    buf_init(to, 1 << 20);
    buf_append(to,
               "Obj\1\x02\x16"
               "avro.schema",
               17);
    size_t n = strlen(schema_json);
    buf_add_char(to, (char)(n * 2 | 0x80));
    buf_add_char(to, (char)(n * 2 >> 7));
    buf_add_cstr(to, schema_json);
    buf_append(to, "\0SSSSSSSSSSSSSSSS", 17);
    buf_add_char(to, (char)(count * 2));
    buf_add_char(to, (char)(block.n * 2));
    buf_add_str(to, block);
    buf_append(to, "SSSSSSSSSSSSSSSS", 16);
}

static void claims_without_bytes_behind_them_are_refused(void **state)
{
    static const struct {
        const char *schema;
        struct str block;
        int count, code;
    } cases[] = {
        /* a string of 2^62 bytes */
        {"{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"s\",\"type\":\"string\"},{\"name\":\"q\","
         "\"type\":\"long\"}]}",
         {"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9},
         1,
         ERR_CORRUPT},
        /* an array of 2^61 nulls, which takes no bytes */
        {"{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"s\",\"type\":{\"type\":\"array\",\"items\":"
         "\"null\"}}]}",
         {"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f", 9},
         1,
         ERR_LIMIT},
        /* more records than bytes */
        {"{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"s\",\"type\":\"null\"},{\"name\":\"qqqqqq\","
         "\"type\":\"null\"}]}",
         {"", 0},
         60,
         ERR_CORRUPT},
        /* a record that holds itself */
        {"{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"s\",\"type\":\"t\",\"doc\":\"to the end of "
         "time\"}]}",
         {"x", 1},
         1,
         ERR_LIMIT},
        /* a branch that isn't there */
        {"{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"s\",\"type\":[\"null\",\"long\"],\"doc\":\"d\"}]"
         "}",
         {"\x04", 1},
         1,
         ERR_CORRUPT},
        /* bytes behind the last record */
        {"{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"s\",\"type\":\"long\",\"doc\":\"documentation\"}]"
         "}",
         {"\x04\x05", 2},
         1,
         ERR_CORRUPT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BUF_SCOPED struct buf file;
        struct err err = {0};
        int64_t n;
        hand_made(&file, cases[i].schema, cases[i].block, cases[i].count);
        int rc = read_all(buf_str(&file), &n, &err);
        if (rc != cases[i].code)
            fail_msg("case %zu: %d %s", i, rc, err.message);
    }
}

/* files/CODEC.avro: made by another implementation, each, {"n": 0 … 999, "s": "row N"}. */
static void all_four_codecs_are_read(void **state)
{
    static const char *const codecs[] = {"null", "deflate", "zstandard", "snappy"};

    for (size_t i = 0; i < 4; i++) {
        ARENA_SCOPED struct arena a = ARENA_INIT;
        BUF_SCOPED struct buf file;
        struct avro_reader *r;
        const struct avro_value *v;
        struct err err = {0};
        int64_t n = 0;
        struct str path = arena_printf(&a, "%s/files/%s.avro", (const char *)*state, codecs[i]);
        FILE *f = fopen(path.p, "rb");
        assert_non_null(f);
        buf_init(&file, 1 << 20);
        char *p = buf_reserve(&file, 1 << 16);
        file.n = fread(p, 1, 1 << 16, f);
        (void)fclose(f);
        if (avro_reader_new(&a, buf_str(&file), &r, &err) < 0)
            fail_msg("%s: %s", codecs[i], err.message);
        while (avro_reader_next(r, &v, &err) == 1) {
            assert_int_equal(v->list.items[0].i, n);
            assert_true(str_eq(v->list.items[1].bytes, arena_printf(&a, "row %d", (int)n)));
            n++;
        }
        assert_int_equal(n, 1000);
        assert_string_equal(err.message, "");
        avro_reader_free(r);

        /* One flipped bit inside the block's end, where snappy keeps its checksum. */
        file.p[file.n - 18] ^= 0x10;
        int rc = read_all(buf_str(&file), &n, &err);
        if (i == 3)
            assert_int_equal(rc, ERR_CORRUPT);
    }
}

static void another_codec_is_refused_by_name(void **state)
{
    static const char file[] = "Obj\1\x02\x14"
                               "avro.codec\x0a"
                               "bzip2\0SSSSSSSSSSSSSSSS";
    struct err err = {0};
    int64_t n;

    (void)state;
    assert_int_equal(read_all(str_from(file, sizeof(file) - 1), &n, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "\"bzip2\""));
}

int main(int argc, char **argv)
{
    void *dir = argc > 1 ? argv[1] : (void *)".";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(schema_and_header_keys_are_verbatim),
        cmocka_unit_test(the_ends_of_64_bits_survive),
        cmocka_unit_test(a_cut_off_file_is_an_error_and_never_a_short_answer),
        cmocka_unit_test(a_damaged_sync_marker_is_seen),
        cmocka_unit_test(claims_without_bytes_behind_them_are_refused),
        cmocka_unit_test_prestate(all_four_codecs_are_read, dir),
        cmocka_unit_test(another_codec_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
