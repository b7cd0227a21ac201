/*
 * Runs a fuzz target over files, without libFuzzer: any compiler builds it, so every input that ever
 * broke a parser is an ordinary test. Prints TAP, one line a file, and prints the file's name before it
 * runs, so that a crash names its input.
 *
 * usage: TARGET FILE-or-FOLDER …
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FILES 65536
#define MAX_SIZE (16u << 20)

static char *files[MAX_FILES];
static size_t n_files;

static void die(const char *what, const char *path)
{
    fprintf(stderr, "%s %s: %s\n", what, path, strerror(errno));
    exit(2);
}

static void add(const char *path)
{
    if (n_files == MAX_FILES) {
        fprintf(stderr, "more than %d inputs\n", MAX_FILES);
        exit(2);
    }
    files[n_files] = strdup(path);
    if (!files[n_files++])
        die("remember", path);
}

static void add_folder(const char *folder)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort);
    if (n < 0)
        die("list", folder);
    for (int i = 0; i < n; i++) {
        char path[4096];
        if (names[i]->d_name[0] != '.') {
            if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name) >= sizeof(path)) {
                errno = ENAMETOOLONG;
                die("list", folder);
            }
            add(path);
        }
        free(names[i]);
    }
    free(names);
}

static void run(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        die("open", path);
    struct stat st;
    if (fstat(fileno(f), &st) < 0)
        die("stat", path);
    if (st.st_size > (off_t)MAX_SIZE) {
        errno = EFBIG;
        die("read", path);
    }
    /* Exactly as large as the input: a read one byte past it is the sanitizer's to find. */
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size ? size : 1);
    if (!data)
        die("read", path);
    if (fread(data, 1, size, f) != size)
        die("read", path);
    fclose(f);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) < 0)
            die("stat", argv[i]);
        if (S_ISDIR(st.st_mode))
            add_folder(argv[i]);
        else
            add(argv[i]);
    }
    if (n_files == 0) {
        fprintf(stderr, "no inputs: a corpus that is empty tests nothing\n");
        return 2;
    }
    printf("1..%zu\n", n_files);
    for (size_t i = 0; i < n_files; i++) {
        printf("# %s\n", files[i]);
        fflush(stdout);
        run(files[i]);
        printf("ok %zu - %s\n", i + 1, files[i]);
        free(files[i]);
    }
    return 0;
}
