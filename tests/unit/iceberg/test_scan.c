/* Pruning by bounds, partitions and summaries, and which deletes apply: on tables made of literal entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/vec.h"
#include "folder.h"
#include "iceberg/metadata.h"
#include "iceberg/prune.h"

static struct arena arena;

/* 1 id long, 2 price double, 3 name string, 4 day date, 5 at timestamp, 6 uid uuid, 7 amount decimal(9, 2)
 * spec 0: none; 1: id; 2: bucket[4](id), month(day); 3: truncate[10](id); 4: price; 5: year(at); 6: truncate[2](name);
 * 7: id identity over a transform of the future */
static const char metadata_json[] =
    "{\"format-version\":2,\"table-uuid\":\"x\",\"location\":\"file:///t\",\"last-sequence-number\":9,"
    "\"last-updated-ms\":0,\"last-column-id\":7,\"current-schema-id\":0,\"schemas\":[{\"type\":\"struct\",\"schema-"
    "id\":0,"
    "\"fields\":[{\"id\":1,\"name\":\"id\",\"required\":false,\"type\":\"long\"},"
    "{\"id\":2,\"name\":\"price\",\"required\":false,\"type\":\"double\"},"
    "{\"id\":3,\"name\":\"name\",\"required\":false,\"type\":\"string\"},"
    "{\"id\":4,\"name\":\"day\",\"required\":false,\"type\":\"date\"},"
    "{\"id\":5,\"name\":\"at\",\"required\":false,\"type\":\"timestamp\"},"
    "{\"id\":6,\"name\":\"uid\",\"required\":false,\"type\":\"uuid\"},"
    "{\"id\":7,\"name\":\"amount\",\"required\":false,\"type\":\"decimal(9, 2)\"}]}],"
    "\"default-spec-id\":0,\"partition-specs\":[{\"spec-id\":0,\"fields\":[]},"
    "{\"spec-id\":1,\"fields\":[{\"name\":\"p1\",\"transform\":\"identity\",\"source-id\":1,\"field-id\":1000}]},"
    "{\"spec-id\":2,\"fields\":[{\"name\":\"p2\",\"transform\":\"bucket[4]\",\"source-id\":1,\"field-id\":1001},"
    "{\"name\":\"p3\",\"transform\":\"month\",\"source-id\":4,\"field-id\":1002}]},"
    "{\"spec-id\":3,\"fields\":[{\"name\":\"p4\",\"transform\":\"truncate[10]\",\"source-id\":1,\"field-id\":1003}]},"
    "{\"spec-id\":4,\"fields\":[{\"name\":\"p5\",\"transform\":\"identity\",\"source-id\":2,\"field-id\":1004}]},"
    "{\"spec-id\":5,\"fields\":[{\"name\":\"p6\",\"transform\":\"year\",\"source-id\":5,\"field-id\":1005}]},"
    "{\"spec-id\":6,\"fields\":[{\"name\":\"p7\",\"transform\":\"truncate[2]\",\"source-id\":3,\"field-id\":1006}]},"
    "{\"spec-id\":7,\"fields\":[{\"name\":\"p8\",\"transform\":\"zorder\",\"source-id\":1,\"field-id\":1007}]}],"
    "\"last-partition-id\":1007,\"properties\":{}}";
static struct iceberg_metadata *metadata;

/* ---- values and entries ---- */

static struct iceberg_value num(int64_t i)
{
    return (struct iceberg_value){.i = i, .unscaled = i};
}
static struct iceberg_value dbl(double f)
{
    return (struct iceberg_value){.f = f};
}
static struct iceberg_value txt(const char *s)
{
    return (struct iceberg_value){.bytes = str_from_cstr(s)};
}
static const struct iceberg_value null_value = {.is_null = true};

static struct str encode(int field_id, struct iceberg_value v)
{
    struct buf b;

    buf_init(&b, 100);
    iceberg_value_encode(&b, iceberg_find_column(metadata, field_id)->type, &v);
    struct str s = arena_str(&arena, buf_str(&b));
    buf_release(&b);
    return s;
}

/* A file whose one known column has these bounds and counts (-1: unknown). */
static struct iceberg_entry *with_bounds(int field_id, struct iceberg_value lower, struct iceberg_value upper,
                                         int64_t values, int64_t nulls, int64_t nans)
{
    struct iceberg_entry *e = arena_new(&arena, struct iceberg_entry);
    struct iceberg_count *counts = arena_array(&arena, struct iceberg_count, 3);
    struct iceberg_bytes *bounds = arena_array(&arena, struct iceberg_bytes, 2);

    counts[0] = (struct iceberg_count){field_id, values};
    counts[1] = (struct iceberg_count){field_id, nulls};
    counts[2] = (struct iceberg_count){field_id, nans};
    e->value_counts = (struct iceberg_counts){&counts[0], values >= 0};
    e->null_counts = (struct iceberg_counts){&counts[1], nulls >= 0};
    e->nan_counts = (struct iceberg_counts){&counts[2], nans >= 0};
    if (!lower.is_null) {
        bounds[0] = (struct iceberg_bytes){field_id, encode(field_id, lower)};
        e->lower = (struct iceberg_bounds){&bounds[0], 1};
    }
    if (!upper.is_null) {
        bounds[1] = (struct iceberg_bytes){field_id, encode(field_id, upper)};
        e->upper = (struct iceberg_bounds){&bounds[1], 1};
    }
    return e;
}

static bool keeps(const struct iceberg_entry *e, int spec, int field_id, enum iceberg_op op, struct iceberg_value v)
{
    struct iceberg_predicate p = {field_id, op, &v, op == ICEBERG_IS_NULL || op == ICEBERG_NOT_NULL ? 0 : 1};
    struct iceberg_filter f;

    iceberg_filter_init(&f, &arena, metadata, &p, 1);
    return iceberg_file_may_match(&f, iceberg_find_spec(metadata, spec), e);
}

static struct iceberg_entry *in_partition(int spec, struct iceberg_value v)
{
    struct iceberg_entry *e = arena_new(&arena, struct iceberg_entry);

    e->file.spec_id = spec;
    e->file.partition_count = iceberg_find_spec(metadata, spec)->field_count;
    e->file.partition = arena_array(&arena, struct iceberg_value, e->file.partition_count);
    for (size_t i = 0; i < e->file.partition_count; i++)
        e->file.partition[i] = v;
    return e;
}

/* ---- bounds ---- */

static void bounds_decide_each_comparison_at_their_edges(void **state)
{
    static const struct {
        enum iceberg_op op;
        int64_t value;
        bool kept;
    } cases[] = {
        {ICEBERG_EQ, 9, false},  {ICEBERG_EQ, 10, true},  {ICEBERG_EQ, 20, true},  {ICEBERG_EQ, 21, false},
        {ICEBERG_LT, 10, false}, {ICEBERG_LT, 11, true},  {ICEBERG_LE, 9, false},  {ICEBERG_LE, 10, true},
        {ICEBERG_GT, 20, false}, {ICEBERG_GT, 19, true},  {ICEBERG_GE, 21, false}, {ICEBERG_GE, 20, true},
        {ICEBERG_NE, 10, true},  {ICEBERG_IN, 21, false}, {ICEBERG_IN, 15, true},
    };
    struct iceberg_entry *e = with_bounds(1, num(10), num(20), 5, 0, -1);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (keeps(e, 0, 1, cases[i].op, num(cases[i].value)) != cases[i].kept)
            fail_msg("case %zu", i);
}

static void an_in_list_is_kept_when_one_value_may_be_there(void **state)
{
    struct iceberg_value values[] = {num(1), num(15), num(99)};
    struct iceberg_predicate p = {1, ICEBERG_IN, values, 3};
    struct iceberg_filter f;
    struct iceberg_entry *e = with_bounds(1, num(10), num(20), 5, 0, -1);

    (void)state;
    iceberg_filter_init(&f, &arena, metadata, &p, 1);
    assert_true(iceberg_file_may_match(&f, iceberg_find_spec(metadata, 0), e));
    values[1] = num(9);
    assert_false(iceberg_file_may_match(&f, iceberg_find_spec(metadata, 0), e));
}

static void nulls_are_decided_by_counts_alone(void **state)
{
    struct iceberg_entry *none = with_bounds(1, num(1), num(2), 5, 0, -1);
    struct iceberg_entry *all = with_bounds(1, null_value, null_value, 5, 5, -1);
    struct iceberg_entry *unknown = with_bounds(1, num(1), num(2), -1, -1, -1);

    (void)state;
    assert_false(keeps(none, 0, 1, ICEBERG_IS_NULL, null_value));
    assert_true(keeps(none, 0, 1, ICEBERG_NOT_NULL, null_value));
    assert_true(keeps(all, 0, 1, ICEBERG_IS_NULL, null_value));
    assert_false(keeps(all, 0, 1, ICEBERG_NOT_NULL, null_value));
    assert_false(keeps(all, 0, 1, ICEBERG_EQ, num(1)));
    assert_false(keeps(all, 0, 1, ICEBERG_NE, num(1)));
    assert_true(keeps(unknown, 0, 1, ICEBERG_IS_NULL, null_value));
    assert_true(keeps(unknown, 0, 1, ICEBERG_NOT_NULL, null_value));
}

static void a_comparison_with_null_matches_nothing(void **state)
{
    (void)state;
    assert_false(keeps(with_bounds(1, num(1), num(2), 5, 1, -1), 0, 1, ICEBERG_EQ, null_value));
}

static void nan_is_handled_with_care(void **state)
{
    struct iceberg_entry *all_nan = with_bounds(2, null_value, null_value, 5, 0, 5);
    struct iceberg_entry *nan_bounds = with_bounds(2, dbl(0.0 / 0.0), dbl(0.0 / 0.0), 5, 0, -1);
    struct iceberg_entry *numbers = with_bounds(2, dbl(1), dbl(2), 5, 0, 0);

    (void)state;
    assert_false(keeps(all_nan, 0, 2, ICEBERG_LT, dbl(5)));
    assert_true(keeps(all_nan, 0, 2, ICEBERG_NE, dbl(5)));
    assert_true(keeps(all_nan, 0, 2, ICEBERG_EQ, dbl(0.0 / 0.0)));
    assert_true(keeps(nan_bounds, 0, 2, ICEBERG_EQ, dbl(5)));
    assert_true(keeps(numbers, 0, 2, ICEBERG_EQ, dbl(0.0 / 0.0)));
    assert_false(keeps(numbers, 0, 2, ICEBERG_EQ, dbl(3)));
}

static void negative_zero_is_zero(void **state)
{
    (void)state;
    assert_true(keeps(with_bounds(2, dbl(0.0), dbl(2), 5, 0, 0), 0, 2, ICEBERG_EQ, dbl(-0.0)));
    assert_true(keeps(with_bounds(2, dbl(-1), dbl(-0.0), 5, 0, 0), 0, 2, ICEBERG_GE, dbl(0.0)));
}

static void truncated_bounds_keep_what_they_stand_for(void **state)
{
    struct iceberg_entry *e = with_bounds(3, txt("abcdefghijklmnop"), txt("abcdefghijklmnoq"), 5, 0, -1);

    (void)state;
    assert_true(keeps(e, 0, 3, ICEBERG_EQ, txt("abcdefghijklmnop and more")));
    assert_false(keeps(e, 0, 3, ICEBERG_EQ, txt("abd")));
}

static void what_cannot_be_known_prunes_nothing(void **state)
{
    struct iceberg_entry *other = with_bounds(1, num(10), num(20), 5, 0, -1);
    struct iceberg_entry *broken = with_bounds(1, num(10), num(20), 5, 0, -1);

    (void)state;
    assert_true(keeps(other, 0, 2, ICEBERG_EQ, dbl(99)));  /* a column without statistics */
    assert_true(keeps(other, 0, 77, ICEBERG_EQ, num(99))); /* one that isn't in the schema */
    broken->lower.items[0].bytes = STR("abc");
    broken->upper.items[0].bytes = STR("abc");
    assert_true(keeps(broken, 0, 1, ICEBERG_EQ, num(99)));
    assert_true(keeps(with_bounds(6, txt("0123456789abcdef"), txt("0123456789abcdef"), 5, 0, -1), 0, 6, ICEBERG_EQ,
                      txt("9123456789abcdef"))); /* UUIDs have had two orders */
}

/* ---- partitions ---- */

static void identity_partitions_are_exact(void **state)
{
    struct iceberg_entry *seven = in_partition(1, num(7)), *null = in_partition(1, null_value);

    (void)state;
    assert_true(keeps(seven, 1, 1, ICEBERG_EQ, num(7)));
    assert_false(keeps(seven, 1, 1, ICEBERG_EQ, num(8)));
    assert_false(keeps(seven, 1, 1, ICEBERG_NE, num(7)));
    assert_true(keeps(seven, 1, 1, ICEBERG_NE, num(8)));
    assert_false(keeps(seven, 1, 1, ICEBERG_IS_NULL, null_value));
    assert_false(keeps(null, 1, 1, ICEBERG_EQ, num(7)));
    assert_true(keeps(null, 1, 1, ICEBERG_IS_NULL, null_value));
    assert_true(keeps(in_partition(4, dbl(0.0 / 0.0)), 4, 2, ICEBERG_GT, dbl(1)));
}

static void buckets_prune_by_equality_only(void **state)
{
    struct iceberg_partition_field *bucket = &iceberg_find_spec(metadata, 2)->fields[0];
    struct iceberg_value v = num(34), b;

    (void)state;
    assert_int_equal(iceberg_transform_apply(&arena, bucket, iceberg_find_column(metadata, 1)->type, &v, &b, NULL), 0);
    assert_true(keeps(in_partition(2, b), 2, 1, ICEBERG_EQ, v));
    assert_false(keeps(in_partition(2, num((b.i + 1) % 4)), 2, 1, ICEBERG_EQ, v));
    assert_true(keeps(in_partition(2, num((b.i + 1) % 4)), 2, 1, ICEBERG_LT, v));
    assert_true(keeps(in_partition(2, num((b.i + 1) % 4)), 2, 1, ICEBERG_NE, v));
}

static void months_prune_ranges_with_exclusive_ends(void **state)
{
    int64_t february = clock_days_from_civil(2024, 2, 1);

    (void)state;
    /* partition 648: January 2024; its bucket is 648 too, which no predicate on day looks at */
    assert_true(keeps(in_partition(2, num(648)), 2, 4, ICEBERG_LT, num(february)));
    assert_false(keeps(in_partition(2, num(649)), 2, 4, ICEBERG_LT, num(february)));
    assert_true(keeps(in_partition(2, num(649)), 2, 4, ICEBERG_LE, num(february)));
    assert_false(keeps(in_partition(2, num(648)), 2, 4, ICEBERG_GE, num(february)));
    assert_false(keeps(in_partition(2, num(648)), 2, 4, ICEBERG_GT, num(february - 1)));
    assert_true(keeps(in_partition(2, num(648)), 2, 4, ICEBERG_GE, num(february - 1)));
    assert_true(keeps(in_partition(2, num(648)), 2, 4, ICEBERG_NE, num(february - 1)));
}

static void years_before_1970_are_kept_as_old_writers_rounded_them(void **state)
{
    int64_t at = clock_days_from_civil(1968, 6, 1) * 86400000000;

    (void)state;
    assert_true(keeps(in_partition(5, num(-2)), 5, 5, ICEBERG_EQ, num(at)));
    assert_true(keeps(in_partition(5, num(-1)), 5, 5, ICEBERG_EQ, num(at)));
    assert_false(keeps(in_partition(5, num(0)), 5, 5, ICEBERG_EQ, num(at)));
    assert_true(keeps(in_partition(5, num(-1)), 5, 5, ICEBERG_LE, num(at)));
    assert_false(keeps(in_partition(5, num(-3)), 5, 5, ICEBERG_GT, num(at)));
}

static void truncation_keeps_the_order(void **state)
{
    (void)state;
    assert_true(keeps(in_partition(3, num(10)), 3, 1, ICEBERG_EQ, num(17)));
    assert_false(keeps(in_partition(3, num(20)), 3, 1, ICEBERG_EQ, num(17)));
    assert_false(keeps(in_partition(3, num(20)), 3, 1, ICEBERG_LT, num(20)));
    assert_true(keeps(in_partition(3, num(-10)), 3, 1, ICEBERG_EQ, num(-1)));
    assert_true(keeps(in_partition(6, txt("ab")), 6, 3, ICEBERG_EQ, txt("abc")));
    assert_true(keeps(in_partition(6, txt("ab")), 6, 3, ICEBERG_LT, txt("abc")));
    assert_false(keeps(in_partition(6, txt("ac")), 6, 3, ICEBERG_LE, txt("abc")));
}

static void an_unknown_transform_prunes_nothing(void **state)
{
    (void)state;
    assert_true(keeps(in_partition(7, num(1)), 7, 1, ICEBERG_EQ, num(2)));
    assert_true(keeps(in_partition(7, null_value), 7, 1, ICEBERG_EQ, num(2)));
}

/* ---- summaries ---- */

static bool keeps_manifest(int spec, struct iceberg_summary *s, size_t n, int field_id, enum iceberg_op op,
                           struct iceberg_value v)
{
    struct iceberg_manifest_file m = {.spec_id = spec, .summaries = s, .summary_count = n};
    struct iceberg_predicate p = {field_id, op, &v, op == ICEBERG_IS_NULL || op == ICEBERG_NOT_NULL ? 0 : 1};
    struct iceberg_filter f;

    iceberg_filter_init(&f, &arena, metadata, &p, 1);
    return iceberg_manifest_may_match(&f, &m);
}

static void summaries_prune_manifests(void **state)
{
    struct iceberg_summary s = {.contains_nan = 0, .lower = encode(1, num(10)), .upper = encode(1, num(20))};
    struct iceberg_summary nulls = {.contains_null = true, .contains_nan = 0};
    struct iceberg_summary unknown = {.contains_null = true, .contains_nan = -1};

    (void)state;
    assert_true(keeps_manifest(1, &s, 1, 1, ICEBERG_EQ, num(15)));
    assert_false(keeps_manifest(1, &s, 1, 1, ICEBERG_EQ, num(21)));
    assert_false(keeps_manifest(1, &s, 1, 1, ICEBERG_IS_NULL, null_value));
    assert_true(keeps_manifest(1, &nulls, 1, 1, ICEBERG_IS_NULL, null_value));
    assert_false(keeps_manifest(1, &nulls, 1, 1, ICEBERG_NOT_NULL, null_value));
    assert_true(keeps_manifest(1, &unknown, 1, 1, ICEBERG_EQ, num(1)));
    assert_true(keeps_manifest(1, NULL, 0, 1, ICEBERG_EQ, num(99))); /* version 1 may have none */
    assert_true(keeps_manifest(0, NULL, 0, 1, ICEBERG_EQ, num(99)));
}

/* ---- deletes ---- */

static struct iceberg_data_file file(int content, int64_t sequence, int spec, struct iceberg_value partition)
{
    struct iceberg_data_file f = in_partition(spec, partition)->file;

    f.content = content;
    f.sequence_number = sequence;
    return f;
}

static void deletes_apply_by_sequence_number_and_partition(void **state)
{
    static const struct {
        int content;
        int64_t del, data;
        int del_spec, data_spec, del_partition, data_partition;
        bool applies;
    } cases[] = {
        {ICEBERG_POSITION_DELETES, 5, 4, 1, 1, 7, 7, true},
        {ICEBERG_POSITION_DELETES, 5, 5, 1, 1, 7, 7, true}, /* of the same commit */
        {ICEBERG_POSITION_DELETES, 5, 6, 1, 1, 7, 7, false},
        {ICEBERG_POSITION_DELETES, 5, 4, 1, 1, 7, 8, false},
        {ICEBERG_POSITION_DELETES, 5, 4, 0, 1, 0, 7, false},
        {ICEBERG_EQUALITY_DELETES, 5, 4, 1, 1, 7, 7, true},
        {ICEBERG_EQUALITY_DELETES, 5, 5, 1, 1, 7, 7, false}, /* rows of the same commit stay */
        {ICEBERG_EQUALITY_DELETES, 5, 4, 1, 1, 7, 8, false},
        {ICEBERG_EQUALITY_DELETES, 5, 4, 0, 1, 0, 7, true}, /* unpartitioned: global */
        {ICEBERG_EQUALITY_DELETES, 5, 4, 3, 1, 7, 7, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct iceberg_data_file del = file(cases[i].content, cases[i].del, cases[i].del_spec,
                                            num(cases[i].del_partition));
        struct iceberg_data_file data = file(ICEBERG_DATA, cases[i].data, cases[i].data_spec,
                                             num(cases[i].data_partition));
        if (iceberg_delete_applies(metadata, &del, &data) != cases[i].applies)
            fail_msg("case %zu", i);
    }
}

/* A snapshot of a data and a delete manifest, through files. */
static void a_scan_has_the_deletes_of_its_files_only(void **state)
{
    struct folder folder;
    struct iceberg_cache *cache;
    struct iceberg_manifest_file lists[2];
    const struct iceberg_manifest_file *both[] = {&lists[0], &lists[1]};
    struct iceberg_entry *entries[4];
    struct str names[3], contents[3];
    struct err err = {0};

    (void)state;
    folder_init(&folder);
    assert_int_equal(iceberg_cache_new(1 << 20, &folder.io, &cache, &err), 0);
    for (int i = 0; i < 4; i++) {
        bool is_delete = i >= 2;
        entries[i] = in_partition(1, num(i % 2));
        entries[i]->status = ICEBERG_EXISTING;
        entries[i]->snapshot_id = 1;
        entries[i]->sort_order_id = -1;
        entries[i]->file.content = is_delete ? ICEBERG_POSITION_DELETES : ICEBERG_DATA;
        entries[i]->file.path = arena_printf(&arena, "file:///t/%d.parquet", i);
        entries[i]->file.format = STR("PARQUET");
        entries[i]->file.record_count = 10;
        entries[i]->file.sequence_number = entries[i]->file.file_sequence_number = is_delete ? 3 : 2;
    }
    for (int i = 0; i < 2; i++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        assert_int_equal(iceberg_manifest_write(&arena, metadata, iceberg_find_spec(metadata, 1), i,
                                                (const struct iceberg_entry *const *)entries + (ptrdiff_t)2 * i, 2, 9,
                                                4, &b, &lists[i], &err),
                         0);
        names[i] = lists[i].path = arena_printf(&arena, "file://%s/%d.avro", folder.path, i);
        contents[i] = arena_str(&arena, buf_str(&b));
        buf_release(&b);
    }
    struct buf b;
    buf_init(&b, 1 << 20);
    assert_int_equal(iceberg_manifest_list_write(both, 2, 9, -1, 4, &b, &err), 0);
    names[2] = arena_printf(&arena, "file://%s/list.avro", folder.path);
    contents[2] = arena_str(&arena, buf_str(&b));
    buf_release(&b);
    assert_int_equal(folder.io.write(&folder, names, contents, 3, &err), 0);

    struct iceberg_snapshot snapshot = {.id = 9, .manifest_list = names[2]};
    struct iceberg_value one = num(1);
    struct iceberg_predicate p = {1, ICEBERG_EQ, &one, 1};
    struct iceberg_scan scan;
    if (iceberg_plan_scan(cache, &arena, metadata, &snapshot, NULL, 0, &scan, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(scan.file_count, 2);
    assert_int_equal(scan.delete_count, 2);
    assert_int_equal(scan.files[0]->sequence_number, 2);
    iceberg_scan_release(&scan);
    assert_int_equal(iceberg_plan_scan(cache, &arena, metadata, &snapshot, &p, 1, &scan, &err), 0);
    assert_int_equal(scan.file_count, 1);
    assert_int_equal(scan.delete_count, 1);
    assert_true(str_eq_cstr(scan.deletes[0]->path, "file:///t/3.parquet"));
    iceberg_scan_release(&scan);
    iceberg_cache_free(cache);
    folder_release(&folder);
}

static int set_up(void **state)
{
    struct err err = {0};

    (void)state;
    if (iceberg_metadata_parse(str_from_cstr(metadata_json), &metadata, &err) < 0)
        fail_msg("%s", err.message);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    iceberg_metadata_unref(metadata);
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_decide_each_comparison_at_their_edges),
        cmocka_unit_test(an_in_list_is_kept_when_one_value_may_be_there),
        cmocka_unit_test(nulls_are_decided_by_counts_alone),
        cmocka_unit_test(a_comparison_with_null_matches_nothing),
        cmocka_unit_test(nan_is_handled_with_care),
        cmocka_unit_test(negative_zero_is_zero),
        cmocka_unit_test(truncated_bounds_keep_what_they_stand_for),
        cmocka_unit_test(what_cannot_be_known_prunes_nothing),
        cmocka_unit_test(identity_partitions_are_exact),
        cmocka_unit_test(buckets_prune_by_equality_only),
        cmocka_unit_test(months_prune_ranges_with_exclusive_ends),
        cmocka_unit_test(years_before_1970_are_kept_as_old_writers_rounded_them),
        cmocka_unit_test(truncation_keeps_the_order),
        cmocka_unit_test(an_unknown_transform_prunes_nothing),
        cmocka_unit_test(summaries_prune_manifests),
        cmocka_unit_test(deletes_apply_by_sequence_number_and_partition),
        cmocka_unit_test(a_scan_has_the_deletes_of_its_files_only),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
