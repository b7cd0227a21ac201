/* What a child process acknowledged before kill -9 is there, whole, and nothing else is half there. The child is this
 * program again, since LMDB doesn't live across fork. */
#include "store.h"
#include "base/rand.h"
#include "os/process.h"
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { WRITERS = 8, ROUNDS = 6 };

/* ---- the child ---- */

struct writer {
    struct objects *o;
    uint32_t seed;
    int id;
};

static struct str value_of(struct arena *a, uint32_t seed, uint32_t i)
{
    static const size_t sizes[] = {10, 3000, 8192, 9000, 200000};

    return store_bytes(a, sizes[(seed + i) % 5], (uint64_t)seed << 32 | i);
}

static int put_one(struct objects *o, struct arena *a, struct str key, struct str bytes)
{
    struct objects_write *w;
    struct objects_info info;
    struct err err;

    if (objects_write_begin(o, STR("data"), key, &w, &err) < 0)
        return -1;
    if (objects_write_append(w, bytes, &err) < 0 || objects_write_commit(w, a, NULL, 0, NULL, &info, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return -1;
    }
    return 0;
}

static void *write_for_ever(void *arg)
{
    struct writer *w = arg;

    for (uint32_t i = 0;; i++) {
        ARENA_SCOPED struct arena a = ARENA_INIT;
        uint32_t seed = w->seed + (uint32_t)w->id;
        if (put_one(w->o, &a, arena_printf(&a, "%u/%u", seed, i), value_of(&a, seed, i)) < 0)
            _exit(1);
        if (i % 7 == 6 && objects_delete(w->o, STR("data"), arena_printf(&a, "%u/%u", seed, i - 1), NULL) < 0)
            _exit(1);
        char line[64];
        int n = snprintf(line, sizeof(line), "%u %u\n", seed, i);
        if (write(STDOUT_FILENO, line, (size_t)n) != n) /* short: atomic on a pipe */
            _exit(1);
    }
    return NULL;
}

static int run_child(const char *dir, uint32_t seed)
{
    struct objects *o;
    struct err err;
    struct writer writers[WRITERS];
    pthread_t thread;

    if (objects_open(dir, &o, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.o = o, .seed = seed, .id = i};
        if (pthread_create(&thread, NULL, write_for_ever, &writers[i]) != 0)
            return 1;
    }
    pthread_join(thread, NULL);
    return 1;
}

/* ---- the parent ---- */

static pid_t start_child(struct store *s, uint32_t seed, int *ret_fd)
{
    char self[4096], number[16];
    int fds[2];
    pid_t pid;

    assert_ok(process_own_path(self, sizeof(self), &s->err));
    snprintf(number, sizeof(number), "%u", seed);
    assert_int_equal(pipe(fds), 0);
    const char *argv[] = {self, "child", s->dir, number, NULL};
    struct process_options options = {
        .argv = argv, .stdin_fd = -1, .stdout_fd = fds[1], .stderr_fd = STDERR_FILENO, .die_with_parent = true};
    assert_ok(process_start(&options, &pid, &s->err));
    close(fds[1]);
    *ret_fd = fds[0];
    return pid;
}

/* The acknowledgements "seed i", up to the end or to `max` bytes. */
static void read_lines(int fd, struct buf *to, size_t max)
{
    while (to->n < max) {
        char chunk[4096];
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n <= 0)
            return;
        buf_append(to, chunk, (size_t)n);
    }
}

static size_t check_acknowledged(struct store *s, struct str lines)
{
    struct str line;
    size_t n = 0;

    while (str_split(&lines, '\n', &line)) {
        struct str first;
        uint64_t seed, i;
        ARENA_SCOPED struct arena a = ARENA_INIT;
        if (!line.n)
            continue;
        assert_true(str_split(&line, ' ', &first));
        assert_ok(str_to_u64(first, &seed, &s->err));
        assert_ok(str_to_u64(line, &i, &s->err));
        n++;
        struct str key = arena_printf(&a, "%u/%u", (unsigned)seed, (unsigned)i);
        if (i % 7 == 5) /* may be deleted already; the next one's acknowledgement says for sure */
            continue;
        assert_str(store_get(s, key), value_of(&a, (uint32_t)seed, (uint32_t)i));
        if (i % 7 == 6)
            assert_false(store_has(s, arena_printf(&a, "%u/%u", (unsigned)seed, (unsigned)i - 1)));
        arena_release(&s->arena);
    }
    return n;
}

static size_t count_files(struct store *s, const char *folder)
{
    size_t n = 0;
    struct dirent *e;
    char path[400];

    snprintf(path, sizeof(path), "%s/%s", s->dir, folder);
    DIR *d = opendir(path);
    assert_non_null(d);
    while ((e = readdir(d)))
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

/* Everything listed can be read; returns how many are blobs. */
static size_t check_listed(struct store *s)
{
    struct objects_list_request q = {.bucket = STR("data"), .max = 1000};
    struct objects_list list;
    size_t files = 0;
    BUF_SCOPED struct buf after;

    buf_init(&after, 2000);
    do {
        ARENA_SCOPED struct arena a = ARENA_INIT;
        assert_ok(objects_list(s->o, &a, &q, &list, &s->err));
        for (size_t i = 0; i < list.n; i++) {
            struct str seed, rest = list.items[i].key;
            uint64_t seed_n, i_n;
            assert_true(str_split(&rest, '/', &seed));
            assert_ok(str_to_u64(seed, &seed_n, &s->err));
            assert_ok(str_to_u64(rest, &i_n, &s->err));
            assert_str(store_get(s, list.items[i].key), value_of(&a, (uint32_t)seed_n, (uint32_t)i_n));
            files += list.items[i].size > 8192;
            arena_release(&s->arena);
        }
        buf_reset(&after);
        buf_add_str(&after, list.last);
        q.start_after = buf_str(&after);
    } while (list.truncated);
    return files;
}

static size_t count_blobs(struct store *s)
{
    size_t n = 0;

    for (int i = 0; i < 256; i++) {
        char folder[16];
        snprintf(folder, sizeof(folder), "blobs/%02x", i);
        n += count_files(s, folder);
    }
    return n;
}

static void kill_loses_nothing_acknowledged(void **state)
{
    struct store *s = *state;
    size_t acknowledged = 0;

    objects_close(s->o);
    s->o = NULL;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        BUF_SCOPED struct buf lines;
        int fd, status;
        buf_init(&lines, 16 << 20);
        pid_t pid = start_child(s, round * 100, &fd);
        read_lines(fd, &lines, 200 + rand_u64() % 3000);
        kill(pid, SIGKILL);
        read_lines(fd, &lines, SIZE_MAX);
        close(fd);
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        assert_ok(objects_open(s->dir, &s->o, &s->err));
        acknowledged += check_acknowledged(s, buf_str(&lines));
        size_t files = check_listed(s);
        assert_true(files > 0);
        assert_int_equal(count_files(s, "staging"), 1); /* ours */
        /* deleted ones are in the grave for a while: each seventh at most */
        assert_true(count_blobs(s) >= files);
        assert_true(count_blobs(s) <= files + acknowledged / 7 + (size_t)ROUNDS * WRITERS);
        objects_close(s->o);
        s->o = NULL;
    }
    assert_true(acknowledged > 50);
}

static void processes_share_the_folder(void **state)
{
    struct store *s = *state;
    BUF_SCOPED struct buf lines;
    int fd, status;

    buf_init(&lines, 16 << 20);
    pid_t pid = start_child(s, 1000, &fd); /* while we have it open */
    for (uint32_t i = 0; i < 60; i++) {
        ARENA_SCOPED struct arena a = ARENA_INIT;
        assert_int_equal(put_one(s->o, &a, arena_printf(&a, "7/%u", i), value_of(&a, 7, i)), 0);
    }
    read_lines(fd, &lines, 500);
    assert_ok(objects_clean(s->o, 0, &s->err)); /* touches nothing of the living */
    read_lines(fd, &lines, lines.n + 500);
    check_acknowledged(s, str_slice(buf_str(&lines), 0, str_rfind_char(buf_str(&lines), '\n')));
    kill(pid, SIGKILL);
    read_lines(fd, &lines, SIZE_MAX);
    close(fd);
    waitpid(pid, &status, 0);
    check_acknowledged(s, buf_str(&lines)); /* a killed writer doesn't block us */
    for (uint32_t i = 60; i < 70; i++) {
        ARENA_SCOPED struct arena a = ARENA_INIT;
        assert_int_equal(put_one(s->o, &a, arena_printf(&a, "7/%u", i), value_of(&a, 7, i)), 0);
    }
    assert_ok(objects_clean(s->o, 0, &s->err));
    assert_int_equal(count_files(s, "staging"), 1);
    check_listed(s);
}

#define T(name) cmocka_unit_test_setup_teardown(name, store_open_setup, store_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {T(kill_loses_nothing_acknowledged), T(processes_share_the_folder)};
    uint64_t seed;

    if (argc == 4 && strcmp(argv[1], "child") == 0)
        return str_to_u64(str_from_cstr(argv[3]), &seed, NULL) < 0 ? 1 : run_child(argv[2], (uint32_t)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
