#include "store.h"
#include "objects/internal.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct str read_path(struct store *s, struct str path)
{
    struct buf *b = arena_new(&s->arena, struct buf);

    buf_init(b, 1 << 20);
    assert_ok(file_read(path.p, b, &s->err));
    struct str copy = arena_str(&s->arena, buf_str(b));
    buf_release(b);
    return copy;
}

static size_t count_files(const char *dir)
{
    size_t n = 0;
    struct dirent *e;
    DIR *d = opendir(dir);

    if (!d)
        return 0;
    while ((e = readdir(d))) {
        char path[600];
        struct stat st;
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        if (stat(path, &st) == 0)
            n += S_ISDIR(st.st_mode) ? count_files(path) : 1;
    }
    closedir(d);
    return n;
}

static size_t blobs(struct store *s)
{
    return count_files(arena_printf(&s->arena, "%s/blobs", s->dir).p);
}

static size_t staged(struct store *s)
{
    return count_files(arena_printf(&s->arena, "%s/staging", s->dir).p);
}

static void paths_are_files_with_the_bytes(void **state)
{
    struct store *s = *state;
    struct str path, big = store_bytes(&s->arena, 100000, 1);
    uint64_t size;

    store_put(s, STR("small"), STR("tiny"));
    store_put(s, STR("big"), big);
    assert_ok(objects_path(s->o, &s->arena, STR("data"), STR("small"), &path, &size, &s->err));
    assert_int_equal(size, 4);
    assert_int_equal(path.p[0], '/');
    assert_str(read_path(s, path), STR("tiny"));
    assert_ok(objects_path(s->o, &s->arena, STR("data"), STR("big"), &path, &size, &s->err));
    assert_str(read_path(s, path), big);
    assert_error(objects_path(s->o, &s->arena, STR("data"), STR("none"), &path, &size, &s->err), ERR_NOT_FOUND,
                 "NoSuchKey");
}

static void path_outlives_its_object(void **state)
{
    struct store *s = *state;
    struct str path, big = store_bytes(&s->arena, 100000, 1);
    uint64_t size;

    store_put(s, STR("big"), big);
    assert_ok(objects_path(s->o, &s->arena, STR("data"), STR("big"), &path, &size, &s->err));
    assert_ok(objects_delete(s->o, STR("data"), STR("big"), &s->err));
    assert_ok(objects_clean(s->o, 0, &s->err));
    assert_str(read_path(s, path), big);
}

static void published_files_appear_together(void **state)
{
    struct store *s = *state;
    struct objects_publish items[3] = {{0}};
    struct str path, a = store_bytes(&s->arena, 50000, 1), big = store_bytes(&s->arena, 20000, 2);

    for (int i = 0; i < 1; i++) {
        assert_ok(objects_stage(s->o, &s->arena, &items[i].staged, &path, &s->err));
        assert_ok(file_write_atomic(path.p, a, 0600, &s->err));
    }
    items[1].bytes = STR("{}");
    items[2].bytes = big;
    for (int i = 0; i < 3; i++) {
        items[i].bucket = STR("data");
        items[i].key = arena_printf(&s->arena, "t/%d", i);
        items[i].content_type = STR("application/octet-stream");
    }
    assert_false(store_has(s, STR("t/0")));
    assert_ok(objects_publish(s->o, items, 3, false, &s->err));
    assert_str(store_get(s, STR("t/0")), a);
    assert_str(store_get(s, STR("t/1")), STR("{}"));
    assert_str(store_get(s, STR("t/2")), big);
    assert_int_equal(staged(s), 0);
    store_reopen(s);
    assert_str(store_get(s, STR("t/0")), a);
}

static void failed_publish_leaves_nothing(void **state)
{
    struct store *s = *state;
    struct objects_publish items[2] = {{0}};
    struct str path;

    for (int i = 0; i < 2; i++) {
        assert_ok(objects_stage(s->o, &s->arena, &items[i].staged, &path, &s->err));
        items[i].bucket = i ? STR("no-such-bucket") : STR("data");
        items[i].key = STR("k");
    }
    assert_error(objects_publish(s->o, items, 2, true, &s->err), ERR_NOT_FOUND, "NoSuchBucket");
    assert_false(store_has(s, STR("k")));
    assert_int_equal(blobs(s), 0);
    assert_int_equal(staged(s), 0);
}

static void unstaged_file_is_gone(void **state)
{
    struct store *s = *state;
    struct objects_staged *staged_file;
    struct str path;

    assert_ok(objects_stage(s->o, &s->arena, &staged_file, &path, &s->err));
    objects_unstage(staged_file);
    assert_false(file_exists(path.p));
}

static void full_disk_is_said_and_survived(void **state)
{
    struct store *s = *state;
    struct objects_info info;
    struct rlimit old, small;

    if (getrlimit(RLIMIT_FSIZE, &old) < 0)
        skip();
    store_put(s, STR("before"), STR("1"));
    signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){.rlim_cur = 1 << 20, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int r = store_try_put(s, STR("big"), store_bytes(&s->arena, 3 << 20, 1), NULL, &info);
    const char *name = s->err.name;
    /* the index can't grow either at some point */
    int small_r = 0;
    for (int i = 0; small_r == 0 && i < 400; i++)
        small_r = store_try_put(s, arena_printf(&s->arena, "small%d", i), store_bytes(&s->arena, 8000, 1), NULL, &info);
    const char *small_name = s->err.name;
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(r, ERR_NO_SPACE);
    assert_string_equal(name, "XMinioStorageFull");
    assert_int_equal(small_r, ERR_NO_SPACE);
    assert_string_equal(small_name, "XMinioStorageFull");
    assert_false(store_has(s, STR("big")));
    assert_int_equal(blobs(s), 0);
    store_put(s, STR("after"), store_bytes(&s->arena, 3 << 20, 1));
    store_reopen(s);
    assert_str(store_get(s, STR("before")), STR("1"));
    assert_true(store_has(s, STR("after")));
}

static void clean_keeps_what_is_young(void **state)
{
    struct store *s = *state;
    struct str id;
    struct objects_upload u;

    assert_ok(objects_upload_begin(s->o, &s->arena, STR("data"), STR("k"), NULL, 0, -1, false, &id, &s->err));
    store_put(s, STR("big"), store_bytes(&s->arena, 100000, 1));
    store_put(s, STR("big"), store_bytes(&s->arena, 100000, 2));
    assert_int_equal(blobs(s), 2);
    assert_ok(objects_clean(s->o, 3600, &s->err));
    assert_int_equal(blobs(s), 2);
    assert_ok(objects_upload_get(s->o, &s->arena, STR("data"), STR("k"), id, &u, &s->err));
}

/* Moves all graves a day back: what was deleted just now was deleted yesterday. */
static int age_graves(struct txn *t, void *ctx, struct err *err)
{
    unsigned char keys[16][8 + INDEX_ID_SIZE];
    size_t n = 0;
    MDB_cursor *cursor;
    MDB_val k, v;
    int r = txn_cursor(t, t->o->grave, &cursor, err);

    (void)ctx;
    if (r < 0)
        return r;
    while (n < 16 && mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0)
        memcpy(keys[n++], k.mv_data, k.mv_size);
    mdb_cursor_close(cursor);
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = txn_remove(t, t->o->grave, str_from((char *)keys[i], sizeof(keys[i])), err);
        index_put_u64(keys[i], index_get_u64(keys[i]) - 86400000);
        if (r == 0)
            r = txn_put(t, t->o->grave, str_from((char *)keys[i], sizeof(keys[i])), STR(""), err);
    }
    return r;
}

static void blobs_go_when_their_grace_is_over(void **state)
{
    struct store *s = *state;
    struct objects_info info;

    for (int i = 0; i < 3; i++)
        store_put(s, arena_printf(&s->arena, "%d", i), store_bytes(&s->arena, 100000, (uint64_t)i));
    assert_ok(
        objects_copy(s->o, &s->arena, STR("data"), STR("0"), STR("data"), STR("copy"), NULL, 0, NULL, &info, &s->err));
    assert_ok(objects_delete(s->o, STR("data"), STR("0"), &s->err)); /* its blob still is the copy's */
    assert_ok(objects_delete(s->o, STR("data"), STR("1"), &s->err));
    assert_ok(commit_run(s->o, age_graves, NULL, &s->err));
    assert_ok(objects_delete(s->o, STR("data"), STR("2"), &s->err)); /* just now */
    assert_int_equal(blobs(s), 3);
    assert_ok(objects_clean(s->o, 0, &s->err));
    assert_int_equal(blobs(s), 2);
    assert_str(store_get(s, STR("copy")), store_bytes(&s->arena, 100000, 0));
    assert_ok(objects_delete(s->o, STR("data"), STR("copy"), &s->err));
    assert_ok(commit_run(s->o, age_graves, NULL, &s->err));
    assert_ok(objects_clean(s->o, 0, &s->err));
    assert_int_equal(blobs(s), 0);
}

static void pin_keeps_paths_past_the_grace(void **state)
{
    struct store *s = *state;
    struct objects_pin *pin;
    struct str path, bytes = store_bytes(&s->arena, 100000, 1);
    uint64_t size;
    char old[BLOB_PATH_SIZE];

    store_put(s, STR("k"), bytes);
    assert_ok(objects_pin_new(s->o, &pin, &s->err));
    assert_ok(objects_path(s->o, &s->arena, STR("data"), STR("k"), &path, &size, &s->err));
    assert_ok(objects_delete(s->o, STR("data"), STR("k"), &s->err));
    assert_ok(commit_run(s->o, age_graves, NULL, &s->err));
    /* a query that runs since the day before yesterday */
    snprintf(old, sizeof(old), "%s/pin-%lld-1", s->o->own_dir, (long long)time(NULL) * 1000 - 2 * 86400000LL);
    assert_ok(file_write_atomic(old, STR(""), 0600, &s->err));
    assert_ok(objects_clean(s->o, 0, &s->err));
    assert_str(read_path(s, path), bytes);
    unlink(old);
    objects_pin_free(pin);
    assert_ok(objects_clean(s->o, 0, &s->err));
    assert_false(file_exists(path.p));
}

static void abandoned_uploads_are_cleaned(void **state)
{
    struct store *s = *state;
    struct str id;
    struct objects_upload u;

    assert_ok(objects_upload_begin(s->o, &s->arena, STR("data"), STR("k"), NULL, 0, -1, false, &id, &s->err));
    usleep(1100000);
    assert_ok(objects_clean(s->o, 1, &s->err));
    assert_error(objects_upload_get(s->o, &s->arena, STR("data"), STR("k"), id, &u, &s->err), ERR_NOT_FOUND,
                 "NoSuchUpload");
}

static void full_map_grows(void **state)
{
    struct store *s = *state;

    pthread_rwlock_wrlock(&s->o->map_lock);
    assert_int_equal(mdb_env_set_mapsize(s->o->env, 1 << 20), 0);
    pthread_rwlock_unlock(&s->o->map_lock);
    for (int i = 0; i < 400; i++)
        store_put(s, arena_printf(&s->arena, "%d", i), store_bytes(&s->arena, 8000, (uint64_t)i));
    for (int i = 0; i < 400; i++)
        assert_str(store_get(s, arena_printf(&s->arena, "%d", i)), store_bytes(&s->arena, 8000, (uint64_t)i));
}

static void damaged_record_is_corruption(void **state)
{
    struct store *s = *state;
    struct objects_info info;
    char path[100];
    BUF_SCOPED struct buf file;

    store_put(s, STR("precious"), STR("find these very bytes"));
    objects_close(s->o);
    snprintf(path, sizeof(path), "%s/index/data.mdb", s->dir);
    buf_init(&file, 64 << 20);
    assert_ok(file_read(path, &file, &s->err));
    for (size_t i = 0; (i = str_find(buf_str(&file), STR("find these"), i)) != SIZE_MAX; i++)
        file.p[i] = 'F';
    assert_ok(file_write_atomic(path, buf_str(&file), 0600, &s->err));
    assert_ok(objects_open(s->dir, &s->o, &s->err));
    assert_int_equal(objects_head(s->o, &s->arena, STR("data"), STR("precious"), &info, &s->err), ERR_CORRUPT);
}

static void missing_blob_is_corruption(void **state)
{
    struct store *s = *state;
    struct objects_reader r;
    struct str path;
    uint64_t size;

    store_put(s, STR("k"), store_bytes(&s->arena, 100000, 1));
    assert_ok(objects_path(s->o, &s->arena, STR("data"), STR("k"), &path, &size, &s->err));
    assert_int_equal(truncate(path.p, 5), 0);
    assert_int_equal(objects_read(s->o, &s->arena, STR("data"), STR("k"), &r, &s->err), ERR_CORRUPT);
    unlink(path.p);
    assert_int_equal(objects_read(s->o, &s->arena, STR("data"), STR("k"), &r, &s->err), ERR_CORRUPT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, store_open_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(paths_are_files_with_the_bytes),
        T(path_outlives_its_object),
        T(published_files_appear_together),
        T(failed_publish_leaves_nothing),
        T(unstaged_file_is_gone),
        T(full_disk_is_said_and_survived),
        T(clean_keeps_what_is_young),
        T(blobs_go_when_their_grace_is_over),
        T(pin_keeps_paths_past_the_grace),
        T(abandoned_uploads_are_cleaned),
        T(full_map_grows),
        T(damaged_record_is_corruption),
        T(missing_blob_is_corruption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
