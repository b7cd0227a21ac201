#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "folder.h"
#include "iceberg/cache.h"

struct table {
    struct arena arena;
    struct folder folder;
    struct iceberg_cache *cache;
    struct iceberg_commit commit;
    struct err err;
    int next; /* file number */
};

static void must(struct table *t, int rc)
{
    if (rc < 0)
        fail_msg("%s: %s", err_code_name(rc), t->err.message);
}

static struct iceberg_new_file make_file(struct table *t)
{
    struct iceberg_column_stats *c = arena_new(&t->arena, struct iceberg_column_stats);
    int n = t->next++;

    *c = (struct iceberg_column_stats){.field_id = 1,
                                       .size = 8,
                                       .value_count = 10,
                                       .nan_count = -1,
                                       .has_bounds = true,
                                       .lower = {.i = (int64_t)n * 10}};
    c->upper.i = (int64_t)n * 10 + 9;
    return (struct iceberg_new_file){.path = arena_printf(&t->arena, "file://%s/t/data/%d.parquet", t->folder.path, n),
                                     .record_count = 10,
                                     .file_size = 100,
                                     .columns = c,
                                     .column_count = 1};
}

static int try_create(struct table *t, const struct str *names, const struct str *values, size_t n)
{
    static struct iceberg_type type = {.kind = ICEBERG_LONG};
    struct iceberg_field *field = arena_new(&t->arena, struct iceberg_field);
    struct iceberg_new_table new_table = {
        .location = arena_printf(&t->arena, "file://%s/t", t->folder.path),
        .schema = {.fields = field, .field_count = 1},
        .property_names = names,
        .property_values = values,
        .property_count = n,
    };
    int last;

    *field = (struct iceberg_field){.name = STR("id"), .type = &type};
    iceberg_assign_ids(&t->arena, &new_table.schema, &last);
    return iceberg_create_table(&t->commit, &t->arena, &new_table, NULL, 0, &t->err);
}

static int set_up(void **state)
{
    struct table *t = calloc(1, sizeof(*t));

    folder_init(&t->folder);
    if (iceberg_cache_new(1 << 20, &t->folder.io, &t->cache, NULL) < 0)
        return -1;
    t->commit = (struct iceberg_commit){.cache = t->cache, .io = &t->folder.io, .pointer = &t->folder.table};
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct table *t = *state;

    iceberg_cache_free(t->cache);
    folder_release(&t->folder);
    arena_release(&t->arena);
    free(t);
    return 0;
}

static struct iceberg_metadata *current(struct table *t)
{
    struct iceberg_metadata *m;

    must(t, iceberg_load_metadata(t->cache, str_from_cstr(t->folder.pointer), &m, &t->err));
    return m;
}

static int append_one(struct table *t)
{
    struct iceberg_new_file f = make_file(t);

    return iceberg_append(&t->commit, &t->arena, &f, 1, &t->err);
}

static size_t count_files(struct table *t, int64_t *ret_records)
{
    struct iceberg_metadata *m = current(t);
    struct iceberg_scan scan;

    must(t, iceberg_plan_scan(t->cache, &t->arena, m, iceberg_current_snapshot(m), NULL, 0, &scan, &t->err));
    size_t n = scan.file_count;
    if (ret_records)
        *ret_records = scan.records;
    iceberg_scan_release(&scan);
    iceberg_metadata_unref(m);
    return n;
}

static void a_new_table_has_one_empty_snapshot_as_trinos_have(void **state)
{
    struct table *t = *state;

    must(t, try_create(t, NULL, NULL, 0));
    struct iceberg_metadata *m = current(t);
    assert_non_null(strstr(t->folder.pointer, "/metadata/00000-"));
    assert_int_equal(m->snapshot_count, 1);
    assert_int_equal(m->last_sequence_number, 1);
    assert_true(str_eq_cstr(m->snapshots[0].operation, "append"));
    assert_true(str_eq_cstr(json_opt_str(m->snapshots[0].summary, "total-records", STR_NULL), "0"));
    assert_int_equal(count_files(t, NULL), 0);
    iceberg_metadata_unref(m);
}

static void creating_over_a_table_fails_and_leaves_no_file(void **state)
{
    struct table *t = *state;

    must(t, try_create(t, NULL, NULL, 0));
    int files = folder_count(&t->folder, "");
    assert_int_equal(try_create(t, NULL, NULL, 0), ERR_EXISTS);
    assert_int_equal(folder_count(&t->folder, ""), files);
}

static void appends_add_up(void **state)
{
    struct table *t = *state;
    int64_t records;

    must(t, try_create(t, NULL, NULL, 0));
    for (int i = 0; i < 5; i++)
        must(t, append_one(t));
    assert_int_equal(count_files(t, &records), 5);
    assert_int_equal(records, 50);
    struct iceberg_metadata *m = current(t);
    assert_true(str_eq_cstr(json_opt_str(iceberg_current_snapshot(m)->summary, "total-records", STR_NULL), "50"));
    assert_non_null(strstr(t->folder.pointer, "/metadata/00005-"));
    iceberg_metadata_unref(m);
}

static void an_append_of_nothing_commits_nothing(void **state)
{
    struct table *t = *state;

    must(t, try_create(t, NULL, NULL, 0));
    int files = folder_count(&t->folder, "");
    must(t, iceberg_append(&t->commit, &t->arena, NULL, 0, &t->err));
    assert_int_equal(folder_count(&t->folder, ""), files);
}

static void a_lost_race_is_run_again_and_its_files_are_removed(void **state)
{
    struct table *t = *state;
    struct str name = STR("commit.retry.min-wait-ms"), value = STR("1");

    must(t, try_create(t, &name, &value, 1));
    int files = folder_count(&t->folder, "");
    t->folder.conflicts = 4;
    must(t, append_one(t));
    assert_int_equal(count_files(t, NULL), 1);
    assert_int_equal(folder_count(&t->folder, ""), files + 3); /* manifest, list, metadata */
}

static void a_race_lost_too_often_is_a_conflict_that_leaves_no_file(void **state)
{
    struct table *t = *state;
    struct str name = STR("commit.retry.min-wait-ms"), value = STR("1");

    must(t, try_create(t, &name, &value, 1));
    int files = folder_count(&t->folder, "");
    t->folder.conflicts = 5;
    assert_int_equal(append_one(t), ERR_CONFLICT);
    assert_int_equal(folder_count(&t->folder, ""), files);
    assert_int_equal(count_files(t, NULL), 0);
}

static void an_append_goes_on_top_of_what_others_committed_meanwhile(void **state)
{
    struct table *t = *state;
    struct iceberg_cache *other_cache;

    must(t, try_create(t, NULL, NULL, 0));
    assert_int_equal(iceberg_cache_new(1 << 20, &t->folder.io, &other_cache, NULL), 0);
    struct iceberg_commit other = t->commit;
    other.cache = other_cache;
    for (int i = 0; i < 3; i++) {
        struct iceberg_new_file f = make_file(t);
        must(t, iceberg_append(&other, &t->arena, &f, 1, &t->err));
        must(t, append_one(t));
    }
    iceberg_cache_free(other_cache);
    assert_int_equal(count_files(t, NULL), 6);
}

static void a_swap_that_failed_without_effect_leaves_no_file(void **state)
{
    struct table *t = *state;

    must(t, try_create(t, NULL, NULL, 0));
    int files = folder_count(&t->folder, "");
    t->folder.swap_error = ERR_UNAVAILABLE;
    assert_int_equal(append_one(t), ERR_UNAVAILABLE);
    assert_int_equal(folder_count(&t->folder, ""), files);
    assert_int_equal(count_files(t, NULL), 0);
}

static void a_swap_that_happened_although_it_failed_is_a_commit(void **state)
{
    struct table *t = *state;

    must(t, try_create(t, NULL, NULL, 0));
    t->folder.swap_error = ERR_UNAVAILABLE;
    t->folder.swap_happens = true;
    must(t, append_one(t));
    assert_int_equal(count_files(t, NULL), 1);
}

static void the_log_of_metadata_is_bounded_and_old_files_go_when_asked_to(void **state)
{
    struct table *t = *state;
    struct str names[] = {STR("write.metadata.previous-versions-max"),
                          STR("write.metadata.delete-after-commit.enabled")};
    struct str values[] = {STR("3"), STR("true")};

    must(t, try_create(t, names, values, 2));
    for (int i = 0; i < 8; i++)
        must(t, append_one(t));
    struct iceberg_metadata *m = current(t);
    assert_int_equal(json_array_size(json_object_get(m->json, "metadata-log")), 3);
    assert_int_equal(json_array_size(json_object_get(m->json, "snapshot-log")), 9);
    assert_int_equal(folder_count(&t->folder, ".metadata.json"), 4);
    iceberg_metadata_unref(m);
}

static void what_is_unknown_in_the_metadata_survives_a_commit(void **state)
{
    struct table *t = *state;
    struct iceberg_metadata *m;
    struct str location, text;

    must(t, try_create(t, NULL, NULL, 0));
    m = current(t);
    json_t *j = json_deep_copy(m->json);
    iceberg_metadata_unref(m);
    json_object_set_new(j, "from-the-future", json_pack("{s:[i,i]}", "x", 1, 2));
    json_object_set_new(json_object_get(json_object_get(j, "refs"), "main"), "max-ref-age-ms", json_integer(5));
    char *dumped = json_dumps(j, 0);
    json_decref(j);
    location = arena_printf(&t->arena, "file://%s/t/metadata/00041-x.metadata.json", t->folder.path);
    text = str_from_cstr(dumped);
    must(t, t->folder.io.write(&t->folder, &location, &text, 1, &t->err));
    free(dumped);
    snprintf(t->folder.pointer, sizeof(t->folder.pointer), "%s", location.p);
    must(t, append_one(t));
    m = current(t);
    assert_non_null(strstr(t->folder.pointer, "/00042-"));
    assert_int_equal(json_array_size(json_object_get(json_object_get(m->json, "from-the-future"), "x")), 2);
    const json_t *ref = json_object_get(json_object_get(m->json, "refs"), "main");
    assert_int_equal(json_opt_i64(ref, "max-ref-age-ms", 0), 5);
    assert_int_equal(json_opt_i64(ref, "snapshot-id", 0), m->current_snapshot_id);
    iceberg_metadata_unref(m);
}

static void many_manifests_are_merged_and_no_file_is_lost(void **state)
{
    struct table *t = *state;
    struct str name = STR("commit.manifest.min-count-to-merge"), value = STR("5");
    int64_t records;

    must(t, try_create(t, &name, &value, 1));
    for (int i = 0; i < 12; i++)
        must(t, append_one(t));
    assert_int_equal(count_files(t, &records), 12);
    assert_int_equal(records, 120);
    struct iceberg_metadata *m = current(t);
    struct iceberg_manifest_list *list;
    must(t, iceberg_load_manifest_list(t->cache, iceberg_current_snapshot(m)->manifest_list, &list, &t->err));
    assert_true(list->n < 5);
    int64_t existing = 0, added = 0;
    for (size_t i = 0; i < list->n; i++) {
        existing += list->files[i].existing_files;
        added += list->files[i].added_files;
    }
    assert_int_equal(existing + added, 12);
    assert_true(existing > 0);
    iceberg_manifest_list_unref(list);
    /* each file keeps the sequence number of the snapshot that added it */
    struct iceberg_scan scan;
    must(t, iceberg_plan_scan(t->cache, &t->arena, m, iceberg_current_snapshot(m), NULL, 0, &scan, &t->err));
    int64_t seen = 0;
    for (size_t i = 0; i < scan.file_count; i++) {
        assert_int_equal(scan.files[i]->sequence_number, scan.files[i]->file_sequence_number);
        seen |= INT64_C(1) << scan.files[i]->sequence_number;
    }
    assert_int_equal(seen, ((INT64_C(1) << 14) - 1) & ~INT64_C(3)); /* 2 to 13 */
    iceberg_scan_release(&scan);
    iceberg_metadata_unref(m);
}

static void deleting_all_leaves_no_live_file_and_says_how_many_rows(void **state)
{
    struct table *t = *state;
    int64_t rows = -1;

    must(t, try_create(t, NULL, NULL, 0));
    must(t, iceberg_delete_all(&t->commit, &t->arena, &rows, &t->err));
    assert_int_equal(rows, 0);
    must(t, append_one(t));
    must(t, append_one(t));
    must(t, iceberg_delete_all(&t->commit, &t->arena, &rows, &t->err));
    assert_int_equal(rows, 20);
    assert_int_equal(count_files(t, NULL), 0);
    must(t, append_one(t));
    assert_int_equal(count_files(t, NULL), 1);
    struct iceberg_metadata *m = current(t);
    assert_true(str_eq_cstr(json_opt_str(iceberg_current_snapshot(m)->summary, "total-data-files", STR_NULL), "1"));
    iceberg_metadata_unref(m);
}

static void deletes_of_positions_apply_to_the_files_before_them(void **state)
{
    struct table *t = *state;
    struct iceberg_scan scan;

    must(t, try_create(t, NULL, NULL, 0));
    must(t, append_one(t));
    struct iceberg_metadata *m = current(t);
    must(t, iceberg_plan_scan(t->cache, &t->arena, m, iceberg_current_snapshot(m), NULL, 0, &scan, &t->err));
    assert_int_equal(scan.file_count, 1);
    const struct iceberg_new_deletes gone = {
        .path = STR("file://t/gone.parquet"), .record_count = 3, .file_size = 700, .data_file = scan.files[0]};
    must(t, iceberg_delete_positions(&t->commit, m->current_snapshot_id, &gone, 1, &t->err));
    /* the table has another snapshot now */
    assert_int_equal(iceberg_delete_positions(&t->commit, m->current_snapshot_id, &gone, 1, &t->err), ERR_CONFLICT);
    assert_string_equal(t->err.name, "ICEBERG_COMMIT_ERROR");
    iceberg_scan_release(&scan);
    iceberg_metadata_unref(m);

    must(t, append_one(t));
    m = current(t);
    must(t, iceberg_plan_scan(t->cache, &t->arena, m, iceberg_current_snapshot(m), NULL, 0, &scan, &t->err));
    assert_int_equal(scan.file_count, 2);
    assert_int_equal(scan.delete_count, 1);
    assert_int_equal(scan.deletes[0]->content, 1);
    assert_int_equal(scan.deletes[0]->record_count, 3);
    int applies = 0;
    for (size_t i = 0; i < scan.file_count; i++)
        applies += iceberg_delete_applies(m, scan.deletes[0], scan.files[i]);
    assert_int_equal(applies, 1);
    const json_t *summary = iceberg_current_snapshot(m)->summary;
    assert_true(str_eq_cstr(json_opt_str(summary, "total-position-deletes", STR_NULL), "3"));
    assert_true(str_eq_cstr(json_opt_str(summary, "total-delete-files", STR_NULL), "1"));
    iceberg_scan_release(&scan);
    iceberg_metadata_unref(m);
}

static void all_files_of_all_snapshots_are_listed_for_drop(void **state)
{
    struct table *t = *state;
    struct str *files;
    size_t n;
    int64_t rows;

    must(t, try_create(t, NULL, NULL, 0));
    for (int i = 0; i < 3; i++)
        must(t, append_one(t));
    must(t, iceberg_delete_all(&t->commit, &t->arena, &rows, &t->err));
    struct iceberg_metadata *m = current(t);
    must(t, iceberg_list_files(t->cache, &t->arena, m, str_from_cstr(t->folder.pointer), &files, &n, &t->err));
    assert_int_equal(n, folder_count(&t->folder, "") + 3); /* the data files are only told of */
    must(t, t->folder.io.remove(&t->folder, files, n, &t->err));
    assert_int_equal(folder_count(&t->folder, ""), 0);
    iceberg_metadata_unref(m);
}

static void a_partitioned_tables_file_needs_its_partition(void **state)
{
    struct table *t = *state;
    static struct iceberg_type type = {.kind = ICEBERG_LONG};
    struct iceberg_field field = {.name = STR("id"), .type = &type, .id = 1};
    struct iceberg_partition_field partition = {.source_id = 1, .name = STR("id"), .transform = ICEBERG_IDENTITY};
    struct iceberg_new_file f = make_file(t);
    struct iceberg_new_table new_table = {.location = arena_printf(&t->arena, "file://%s/t", t->folder.path),
                                          .schema = {.fields = &field, .field_count = 1},
                                          .spec = {.fields = &partition, .field_count = 1}};

    assert_int_equal(iceberg_create_table(&t->commit, &t->arena, &new_table, &f, 1, &t->err), ERR_INVALID);
    assert_int_equal(folder_count(&t->folder, ""), 0);
}

static void partitions_that_iceberg_core_refuses_are_refused(void **state)
{
    struct table *t = *state;
    static struct iceberg_type type = {.kind = ICEBERG_DATE};
    struct iceberg_field field = {.name = STR("d"), .type = &type, .id = 1};
    struct iceberg_partition_field fields[] = {
        {.source_id = 1, .name = STR("d_day"), .transform = ICEBERG_DAY},
        {.source_id = 1, .name = STR("d_year"), .transform = ICEBERG_YEAR},
    };
    struct iceberg_new_table new_table = {.location = arena_printf(&t->arena, "file://%s/t", t->folder.path),
                                          .schema = {.fields = &field, .field_count = 1},
                                          .spec = {.fields = fields, .field_count = 2}};

    assert_int_equal(iceberg_create_table(&t->commit, &t->arena, &new_table, NULL, 0, &t->err), ERR_INVALID);
    assert_string_equal(t->err.message, "Cannot add redundant partition: 1000: d_day: day(1) conflicts with 1001: "
                                        "d_year: year(1)");
    fields[1].name = fields[0].name;
    fields[1].transform = ICEBERG_IDENTITY;
    assert_int_equal(iceberg_create_table(&t->commit, &t->arena, &new_table, NULL, 0, &t->err), ERR_INVALID);
    assert_string_equal(t->err.message, "Cannot use partition name more than once: d_day");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_new_table_has_one_empty_snapshot_as_trinos_have),
        CASE(creating_over_a_table_fails_and_leaves_no_file),
        CASE(appends_add_up),
        CASE(an_append_of_nothing_commits_nothing),
        CASE(a_lost_race_is_run_again_and_its_files_are_removed),
        CASE(a_race_lost_too_often_is_a_conflict_that_leaves_no_file),
        CASE(an_append_goes_on_top_of_what_others_committed_meanwhile),
        CASE(a_swap_that_failed_without_effect_leaves_no_file),
        CASE(a_swap_that_happened_although_it_failed_is_a_commit),
        CASE(the_log_of_metadata_is_bounded_and_old_files_go_when_asked_to),
        CASE(what_is_unknown_in_the_metadata_survives_a_commit),
        CASE(many_manifests_are_merged_and_no_file_is_lost),
        CASE(deleting_all_leaves_no_live_file_and_says_how_many_rows),
        CASE(deletes_of_positions_apply_to_the_files_before_them),
        CASE(all_files_of_all_snapshots_are_listed_for_drop),
        CASE(a_partitioned_tables_file_needs_its_partition),
        CASE(partitions_that_iceberg_core_refuses_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
