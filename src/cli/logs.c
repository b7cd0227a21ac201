/* `logs`: reads the files, so that it works on a platform that is down, which is when one wants to. */
#include "cli/cli.h"

#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

enum { LINES = 50, LINES_MAX = 1000000, LOOK_MS = 200 };

struct follow {
    const char *name, *path;
    int fd;
    off_t at;
    ino_t inode;
};

static void print_lines(const char *prefix, struct str text)
{
    struct str line;

    if (!prefix) {
        fwrite(text.p, 1, text.n, stdout);
        return;
    }
    if (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    else if (text.n == 0)
        return;
    while (str_split(&text, '\n', &line))
        printf("%-10s | %.*s\n", prefix, STR_ARG(line));
}

/* What was written since the last look; a file that was rotated is read to its end, then the new one. */
static void follow_once(struct follow *f, const char *prefix)
{
    BUF_SCOPED struct buf text;
    struct stat st;

    buf_init(&text, 4 << 20);
    if (f->fd < 0) {
        f->fd = open(f->path, O_RDONLY | O_CLOEXEC);
        if (f->fd < 0)
            return;
    }
    for (;;) {
        char *room = buf_reserve(&text, 64 << 10);
        ssize_t n = room ? pread(f->fd, room, 64 << 10, f->at) : 0;
        if (n <= 0)
            break;
        text.n += (size_t)n;
        f->at += n;
    }
    print_lines(prefix, buf_str(&text));
    if (stat(f->path, &st) == 0 && f->inode && st.st_ino != f->inode) {
        close(f->fd);
        f->fd = -1;
        f->at = 0;
    }
    if (fstat(f->fd >= 0 ? f->fd : -1, &st) == 0)
        f->inode = st.st_ino;
}

static void follow(struct follow *files, size_t n)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};

    for (;;) { /* until Ctrl-C, or the reader of a pipe is gone */
        for (size_t i = 0; i < n; i++)
            follow_once(&files[i], n > 1 ? files[i].name : NULL);
        if (fflush(stdout) != 0)
            return;
        nanosleep(&pause, NULL);
    }
}

static size_t choose(struct cli *c, const struct spec *s, struct follow *files)
{
    const char *const *names = cli_services(&c->arena, s);
    size_t n = 0;

    for (; *names; names++) {
        if (c->arg_count == 0 || strcmp(*names, c->args[0]) == 0)
            files[n++].name = *names;
    }
    if (c->arg_count == 0 || strcmp("supervisor", c->args[0]) == 0)
        files[n++].name = "supervisor";
    for (size_t i = 0; i < n; i++) {
        files[i].fd = -1;
        files[i].path = arena_printf(&c->arena, "%.*s/logs/%s.log", STR_ARG(s->data_dir), files[i].name).p;
    }
    return n;
}

int cli_logs(struct cli *c)
{
    struct follow files[SUPERVISOR_SERVICES_MAX + 1] = {0};
    const char *lines_text = cli_option(c, "lines");
    int64_t lines = LINES;
    struct spec *s;
    int code = cli_load(c, &s);

    if (code != EXIT_OK)
        return code;
    if (lines_text && (str_to_i64(str_from_cstr(lines_text), &lines, NULL) < 0 || lines < 0 || lines > LINES_MAX)) {
        cli_failf("--lines: expected a number up to %d, found %s", LINES_MAX, lines_text);
        return EXIT_USAGE;
    }
    size_t n = choose(c, s, files);
    if (n == 0)
        return cli_check_service(c, s, c->args[0]);
    for (size_t i = 0; i < n; i++) {
        BUF_SCOPED struct buf tail;
        struct err err = {0};
        struct stat st;

        buf_init(&tail, 2 << 20);
        int rc = supervisor_log_tail(arena_cstr(&c->arena, s->data_dir), files[i].name, (size_t)lines, &tail, &err);
        if (rc == ERR_NOT_FOUND && (n > 1 || cli_option(c, "follow")))
            continue;
        if (rc < 0)
            return cli_fail(&err);
        if (lines > 0)
            print_lines(n > 1 ? files[i].name : NULL, buf_str(&tail));
        if (stat(files[i].path, &st) == 0)
            files[i].at = st.st_size;
    }
    if (cli_option(c, "follow"))
        follow(files, n);
    return EXIT_OK;
}
