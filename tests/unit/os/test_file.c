#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "os/file.h"

#include <fcntl.h>
#include <sys/stat.h>

static char folder[64];
static struct arena arena;

static const char *in_folder(const char *name)
{
    return path_join(&arena, str_from_cstr(folder), str_from_cstr(name)).p;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "%s/dp-file-XXXXXX", P_tmpdir);
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    int rc = file_remove_tree(folder, NULL);
    arena_release(&arena);
    return rc;
}

static void joined_paths_have_one_slash(void **state)
{
    (void)state;
    assert_string_equal(path_join(&arena, STR("a"), STR("b")).p, "a/b");
    assert_string_equal(path_join(&arena, STR("a/"), STR("b")).p, "a/b");
    assert_string_equal(path_join(&arena, STR(""), STR("b")).p, "b");
    assert_string_equal(path_join(&arena, STR("a"), STR("")).p, "a");
}

static void missing_folders_are_made_with_their_mode(void **state)
{
    struct stat st;
    (void)state;

    assert_int_equal(file_make_folders(in_folder("x/y//z/"), 0700, NULL), 0);
    assert_int_equal(stat(in_folder("x/y/z"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(file_make_folders(in_folder("x/y/z"), 0755, NULL), 0);
}

static void a_folder_under_a_file_is_refused_by_name(void **state)
{
    struct err err = {0};
    (void)state;

    assert_int_equal(file_write_atomic(in_folder("plain"), STR("x"), 0600, NULL), 0);
    assert_true(file_make_folders(in_folder("plain"), 0700, &err) < 0);
    assert_non_null(strstr(err.message, "plain"));
    assert_true(file_make_folders(in_folder("plain/below"), 0700, &err) < 0);
}

static void an_atomic_write_replaces_content_and_mode_and_leaves_nothing_else(void **state)
{
    BUF_SCOPED struct buf text;
    struct stat st;
    (void)state;

    buf_init(&text, 100);
    assert_int_equal(file_make_folders(in_folder("w"), 0700, NULL), 0);
    assert_int_equal(file_write_atomic(in_folder("w/f"), STR("old, longer"), 0644, NULL), 0);
    assert_int_equal(file_write_atomic(in_folder("w/f"), STR("new"), 0600, NULL), 0);
    assert_int_equal(file_read(in_folder("w/f"), &text, NULL), 0);
    assert_true(str_eq(buf_str(&text), STR("new")));
    assert_int_equal(stat(in_folder("w/f"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(unlink(in_folder("w/f")), 0);
    assert_int_equal(rmdir(in_folder("w")), 0); /* it is empty */
}

static void reading_stops_at_the_cap(void **state)
{
    BUF_SCOPED struct buf fits, small;
    struct err err = {0};
    (void)state;

    buf_init(&fits, 5);
    buf_init(&small, 4);
    assert_int_equal(file_write_atomic(in_folder("five"), STR("12345"), 0600, NULL), 0);
    assert_int_equal(file_read(in_folder("five"), &fits, NULL), 0);
    assert_int_equal(fits.n, 5);
    assert_int_equal(file_read(in_folder("five"), &small, &err), ERR_LIMIT);
    assert_int_equal(file_read(in_folder("none"), &small, &err), ERR_NOT_FOUND);
}

static void reading_past_the_end_is_corruption(void **state)
{
    char got[4];
    (void)state;

    assert_int_equal(file_write_atomic(in_folder("data"), STR("0123456789"), 0600, NULL), 0);
    FD_SCOPED int fd = open(in_folder("data"), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(file_pread_all(fd, got, 4, 6, NULL), 0);
    assert_memory_equal(got, "6789", 4);
    assert_int_equal(file_pread_all(fd, got, 4, 7, NULL), ERR_CORRUPT);
    assert_int_equal(file_pread_all(fd, got, 4, UINT64_MAX, NULL), ERR_INVALID);
}

static void a_full_disk_is_told_as_such(void **state)
{
    struct err err = {0};
    (void)state;

    FD_SCOPED int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        skip();
    assert_int_equal(file_write_all(fd, "x", 1, &err), ERR_NO_SPACE);
}

static void removing_a_tree_does_not_follow_links(void **state)
{
    (void)state;
    assert_int_equal(file_make_folders(in_folder("kept"), 0700, NULL), 0);
    assert_int_equal(file_write_atomic(in_folder("kept/f"), STR("x"), 0600, NULL), 0);
    assert_int_equal(file_make_folders(in_folder("tree/deep/er"), 0700, NULL), 0);
    assert_int_equal(file_write_atomic(in_folder("tree/deep/f"), STR("x"), 0600, NULL), 0);
    assert_int_equal(symlink(in_folder("kept"), in_folder("tree/link")), 0);
    assert_int_equal(file_remove_tree(in_folder("tree"), NULL), 0);
    assert_false(file_exists(in_folder("tree")));
    assert_true(file_exists(in_folder("kept/f")));
    assert_int_equal(file_remove_tree(in_folder("tree"), NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joined_paths_have_one_slash),
        cmocka_unit_test(missing_folders_are_made_with_their_mode),
        cmocka_unit_test(a_folder_under_a_file_is_refused_by_name),
        cmocka_unit_test(an_atomic_write_replaces_content_and_mode_and_leaves_nothing_else),
        cmocka_unit_test(reading_stops_at_the_cap),
        cmocka_unit_test(reading_past_the_end_is_corruption),
        cmocka_unit_test(a_full_disk_is_told_as_such),
        cmocka_unit_test(removing_a_tree_does_not_follow_links),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
