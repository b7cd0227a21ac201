#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static void local_path(const struct folder *f, struct str location, char out[512])
{
    if (!str_is_null(f->from) && str_starts_with(location, f->from)) {
        struct str rest = str_skip(location, f->from.n);
        snprintf(out, 512, "%s%.*s", f->mapped.p, STR_ARG(rest));
        return;
    }
    if (str_starts_with(location, STR("file://")))
        location = str_skip(location, 7);
    snprintf(out, 512, "%.*s", STR_ARG(location));
}

static int read_file(void *ctx, struct str location, struct buf *to, struct err *err)
{
    struct folder *f = ctx;
    char path[512];

    local_path(f, location, path);
    __atomic_add_fetch(&f->reads, 1, __ATOMIC_RELAXED);
    FILE *file = fopen(path, "rb");
    if (!file)
        return err_set_errno(err, errno, "%s", path);
    for (;;) {
        char *p = buf_reserve(to, 64 << 10);
        size_t n = p ? fread(p, 1, 64 << 10, file) : 0;
        if (n == 0)
            break;
        to->n += n;
    }
    (void)fclose(file);
    return 0;
}

static int write_files(void *ctx, const struct str *locations, const struct str *contents, size_t n, struct err *err)
{
    struct folder *f = ctx;

    for (size_t i = 0; i < n; i++) {
        char path[512];
        local_path(f, locations[i], path);
        for (char *p = path + 1; *p; p++) {
            if (*p == '/') {
                *p = '\0';
                (void)mkdir(path, 0700);
                *p = '/';
            }
        }
        FILE *file = fopen(path, "wxb");
        if (!file)
            return err_set_errno(err, errno, "%s", path);
        (void)fwrite(contents[i].p, 1, contents[i].n, file);
        (void)fclose(file);
        f->writes++;
    }
    return 0;
}

static int remove_files(void *ctx, const struct str *locations, size_t n, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < n; i++) {
        char path[512];
        local_path(ctx, locations[i], path);
        (void)unlink(path);
    }
    return 0;
}

static int load(void *ctx, struct arena *a, struct str *ret, struct err *err)
{
    struct folder *f = ctx;

    if (!f->pointer[0])
        return err_set(err, ERR_NOT_FOUND, "no such table");
    *ret = arena_str(a, str_from_cstr(f->pointer));
    return 0;
}

static int swap(void *ctx, struct str expected, struct str location, struct err *err)
{
    struct folder *f = ctx;
    int error = f->swap_error;

    f->swap_error = 0;
    if (f->conflicts > 0) {
        f->conflicts--;
        return err_set(err, ERR_CONFLICT, "somebody else was faster");
    }
    if (str_is_null(expected) && f->pointer[0])
        return err_set(err, ERR_EXISTS, "the table exists");
    if (!str_eq_cstr(expected, f->pointer))
        return err_set(err, ERR_CONFLICT, "the pointer has moved");
    if (!error || f->swap_happens)
        snprintf(f->pointer, sizeof(f->pointer), "%.*s", STR_ARG(location));
    return error ? err_set(err, error, "the catalog went away") : 0;
}

void folder_init(struct folder *f)
{
    const char *tmp = getenv("TMPDIR");

    *f = (struct folder){0};
    snprintf(f->path, sizeof(f->path), "%s/iceberg-test-XXXXXX", tmp ? tmp : P_tmpdir);
    if (!mkdtemp(f->path))
        abort();
    f->io = (struct iceberg_io){f, read_file, write_files, remove_files};
    f->table = (struct iceberg_pointer){f, load, swap};
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *w)
{
    (void)st;
    (void)kind;
    (void)w;
    return remove(path);
}

void folder_release(struct folder *f)
{
    (void)nftw(f->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct str counted_ending;
static int counted;

static int count_one(const char *path, const struct stat *st, int kind, struct FTW *w)
{
    (void)st;
    (void)w;
    counted += kind == FTW_F && str_ends_with(str_from_cstr(path), counted_ending);
    return 0;
}

int folder_count(const struct folder *f, const char *ending)
{
    counted = 0;
    counted_ending = str_from_cstr(ending);
    (void)nftw(f->path, count_one, 8, FTW_PHYS);
    return counted;
}
