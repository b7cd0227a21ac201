/* Tables that pyiceberg and real Trino wrote, read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "folder.h"
#include "iceberg/manifest.h"

#include <dirent.h>

#define TRINO_LOCATION "s3://trino-data/warehouse/ours/fresh-58ef69f3c3124e02939ff5ac95a10d71/"

static struct arena arena;
static struct folder folder;
static struct iceberg_cache *cache;

static struct iceberg_metadata *open_table(const char *dir, const char *name)
{
    struct iceberg_metadata *m;
    struct str where = arena_printf(&arena, "%s/fixtures/", dir);
    struct str path = STR_NULL;
    struct err err = {0};

    bool by_trino = strcmp(name, "trino") == 0;
    folder.from = by_trino ? STR(TRINO_LOCATION) : STR("file:///warehouse/ns/");
    folder.mapped = by_trino ? arena_printf(&arena, "%strino/", where.p) : where;
    DIR *d = opendir(arena_printf(&arena, "%s%s/metadata", where.p, name).p);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        if (strstr(e->d_name, ".metadata.json"))
            path = arena_printf(&arena, "%.*s%s%smetadata/%s", STR_ARG(folder.from), by_trino ? "" : name,
                                by_trino ? "" : "/", e->d_name);
    closedir(d);
    if (iceberg_load_metadata(cache, path, &m, &err) < 0)
        fail_msg("%s", err.message);
    return m;
}

static struct iceberg_scan plan(struct iceberg_metadata *m, const struct iceberg_predicate *p, size_t n)
{
    struct iceberg_scan scan;
    struct err err = {0};

    if (iceberg_plan_scan(cache, &arena, m, iceberg_current_snapshot(m), p, n, &scan, &err) < 0)
        fail_msg("%s", err.message);
    return scan;
}

static void a_partitioned_table_is_read_whole(void **state)
{
    struct iceberg_metadata *m = open_table(*state, "part");
    struct iceberg_scan scan = plan(m, NULL, 0);

    assert_int_equal(m->format_version, 2);
    assert_int_equal(iceberg_current_schema(m)->field_count, 7);
    assert_int_equal(iceberg_default_spec(m)->field_count, 2);
    assert_int_equal(iceberg_default_spec(m)->fields[1].transform, ICEBERG_BUCKET);
    assert_int_equal(m->snapshot_count, 3);
    assert_int_equal(scan.file_count, 12);
    assert_int_equal(scan.records, 120);
    assert_int_equal(scan.manifests_read, 3);
    for (size_t i = 0; i < scan.file_count; i++) {
        const struct iceberg_data_file *f = scan.files[i];
        /* months 648 to 650, appended in that order */
        assert_int_equal(f->partition[0].i - 647, f->sequence_number);
        assert_in_range(f->partition[1].i, 0, 3);
        assert_true(str_eq_cstr(f->format, "PARQUET"));
    }
    iceberg_scan_release(&scan);
    iceberg_metadata_unref(m);
}

static void a_range_of_days_prunes_the_manifests_of_other_months(void **state)
{
    struct iceberg_metadata *m = open_table(*state, "part");
    struct iceberg_value from = {.i = clock_days_from_civil(2024, 2, 1)}, to = {.i = clock_days_from_civil(2024, 3, 1)};
    struct iceberg_predicate p[] = {{3, ICEBERG_GE, &from, 1}, {3, ICEBERG_LT, &to, 1}};
    struct iceberg_scan scan = plan(m, p, 2);

    assert_int_equal(scan.manifests_total, 3);
    assert_int_equal(scan.manifests_read, 1);
    assert_int_equal(scan.file_count, 4);
    assert_int_equal(scan.files[0]->partition[0].i, 649);
    iceberg_scan_release(&scan);
    iceberg_metadata_unref(m);
}

static void a_key_prunes_to_its_bucket_and_bounds(void **state)
{
    struct iceberg_metadata *m = open_table(*state, "part");
    struct iceberg_value key = {.i = 217};
    struct iceberg_predicate p = {1, ICEBERG_EQ, &key, 1};
    struct iceberg_scan scan = plan(m, &p, 1);

    assert_int_equal(scan.file_count, 1);
    assert_int_equal(scan.files_total, 12);
    iceberg_scan_release(&scan);
    iceberg_metadata_unref(m);
}

static void statistics_are_read(void **state)
{
    struct iceberg_metadata *m = open_table(*state, "v1");
    struct iceberg_manifest_list *list;
    struct iceberg_manifest *manifest;
    BUF_SCOPED struct buf file;
    BUF_SCOPED struct buf text;
    struct err err = {0};

    buf_init(&file, 1 << 20);
    buf_init(&text, 1 << 20);
    assert_int_equal(folder.io.read(folder.io.ctx, iceberg_current_snapshot(m)->manifest_list, &text, &err), 0);
    assert_int_equal(iceberg_manifest_list_parse(buf_str(&text), &list, &err), 0);
    assert_int_equal(list->n, 2);
    assert_int_equal(folder.io.read(folder.io.ctx, list->files[0].path, &file, &err), 0);
    assert_int_equal(iceberg_manifest_parse(buf_str(&file), &list->files[0], m, &manifest, &err), 0);
    assert_int_equal(manifest->n, 1);
    const struct iceberg_entry *e = &manifest->entries[0];
    assert_int_equal(e->file.record_count, 40);
    assert_int_equal(iceberg_count_get(&e->value_counts, 1), 40);
    assert_int_equal(iceberg_count_get(&e->null_counts, 5), 1);
    assert_int_equal(iceberg_count_get(&e->value_counts, 99), -1);
    assert_true(iceberg_count_get(&e->column_sizes, 2) > 0);
    assert_true(str_eq(iceberg_bound_get(&e->lower, 1), STR("\x2c\x01\0\0\0\0\0\0")));
    assert_true(str_eq_cstr(iceberg_bound_get(&e->lower, 2), "name 0 xxxxxxxxx"));
    assert_true(str_eq_cstr(iceberg_bound_get(&e->upper, 2), "name 9 xxxxxxxxy"));
    /* version 1: no sequence numbers */
    assert_int_equal(e->file.sequence_number, 0);
    iceberg_manifest_unref(manifest);
    iceberg_manifest_list_unref(list);
    iceberg_metadata_unref(m);
}

static void a_version_1_table_is_read_but_not_written(void **state)
{
    struct iceberg_metadata *m = open_table(*state, "v1");
    struct iceberg_scan scan = plan(m, NULL, 0);
    struct iceberg_commit commit = {.cache = cache, .io = &folder.io, .pointer = &folder.table};
    struct iceberg_new_file file = {.path = STR("file:///warehouse/x.parquet")};
    struct err err = {0};

    assert_int_equal(m->format_version, 1);
    assert_int_equal(scan.file_count, 2);
    assert_int_equal(scan.records, 80);
    iceberg_scan_release(&scan);
    iceberg_metadata_unref(m);
    /* the pointer is the metadata file that open_table found */
    struct str *files;
    size_t n;
    m = open_table(*state, "v1");
    assert_int_equal(
        iceberg_list_files(cache, &arena, m, STR("file:///warehouse/ns/v1/metadata/last"), &files, &n, &err), 0);
    assert_int_equal(n, 2 + 2 + 2 + 2 + 1); /* data, manifests, lists, the log, the last metadata */
    snprintf(folder.pointer, sizeof(folder.pointer), "%.*s", STR_ARG(m->location));
    iceberg_metadata_unref(m);
    DIR *d = opendir(arena_printf(&arena, "%s/fixtures/v1/metadata", (const char *)*state).p);
    for (struct dirent *e; (e = readdir(d));)
        if (strstr(e->d_name, ".metadata.json"))
            snprintf(folder.pointer, sizeof(folder.pointer), "file:///warehouse/ns/v1/metadata/%.200s", e->d_name);
    closedir(d);
    assert_int_equal(iceberg_append(&commit, &arena, &file, 1, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "version 1"));
}

static void trinos_table_is_read_with_its_position_deletes(void **state)
{
    struct iceberg_metadata *m = open_table(*state, "trino");
    struct iceberg_scan scan = plan(m, NULL, 0);
    struct iceberg_value eight = {.i = 8};
    struct iceberg_predicate p = {1, ICEBERG_EQ, &eight, 1};

    /* 30 rows in 3 buckets, then DELETE of a = 7 and of a = 8 */
    assert_int_equal(scan.file_count, 3);
    assert_int_equal(scan.records, 30);
    assert_int_equal(scan.delete_count, 2);
    assert_true(scan.files[0]->sequence_number < scan.deletes[0]->sequence_number);
    iceberg_scan_release(&scan);
    scan = plan(m, &p, 1);
    assert_int_equal(scan.file_count, 1);
    assert_int_equal(scan.files[0]->partition[0].i, 2);
    assert_int_equal(scan.delete_count, 1);
    iceberg_scan_release(&scan);
    iceberg_metadata_unref(m);
}

static void a_warm_plan_reads_and_parses_nothing(void **state)
{
    struct iceberg_metadata *m = open_table(*state, "part");
    struct iceberg_scan scan = plan(m, NULL, 0);

    iceberg_scan_release(&scan);
    iceberg_metadata_unref(m);
    folder.reads = 0;
    m = open_table(*state, "part");
    scan = plan(m, NULL, 0);
    assert_int_equal(scan.file_count, 12);
    assert_int_equal(folder.reads, 0);
    iceberg_scan_release(&scan);
    iceberg_metadata_unref(m);
}

static void a_cache_too_small_still_answers(void **state)
{
    struct iceberg_cache *big = cache;

    assert_int_equal(iceberg_cache_new(20000, &folder.io, &cache, NULL), 0);
    for (int i = 0; i < 3; i++) {
        struct iceberg_metadata *m = open_table(*state, "part");
        struct iceberg_scan scan = plan(m, NULL, 0);
        assert_int_equal(scan.file_count, 12);
        iceberg_scan_release(&scan);
        iceberg_metadata_unref(m);
    }
    iceberg_cache_free(cache);
    cache = big;
}

static int set_up(void **state)
{
    (void)state;
    folder_init(&folder);
    return iceberg_cache_new(16 << 20, &folder.io, &cache, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    iceberg_cache_free(cache);
    folder_release(&folder);
    arena_release(&arena);
    return 0;
}

int main(int argc, char **argv)
{
    void *dir = argc > 1 ? argv[1] : (void *)".";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_partitioned_table_is_read_whole, dir),
        cmocka_unit_test_prestate(a_range_of_days_prunes_the_manifests_of_other_months, dir),
        cmocka_unit_test_prestate(a_key_prunes_to_its_bucket_and_bounds, dir),
        cmocka_unit_test_prestate(statistics_are_read, dir),
        cmocka_unit_test_prestate(a_version_1_table_is_read_but_not_written, dir),
        cmocka_unit_test_prestate(trinos_table_is_read_with_its_position_deletes, dir),
        cmocka_unit_test_prestate(a_warm_plan_reads_and_parses_nothing, dir),
        cmocka_unit_test_prestate(a_cache_too_small_still_answers, dir),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
