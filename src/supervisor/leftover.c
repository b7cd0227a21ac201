/*
 * Children are killed by the kernel when their supervisor dies, but a large one takes a moment to go, with its port.
 * So the next supervisor reads whom the last one had started and waits for them. A process is named by its pid and
 * the time it started, so that a pid which was given to another program since is left alone.
 */
#include "supervisor/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "os/file.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

enum { LIST_MAX = 64 << 10, KILL_AFTER_MS = 1000, LOOK_MS = 5 };

/* In clock ticks since boot (field 22 of /proc/PID/stat); 0: no such process, or one that only waits to be reaped. */
static uint64_t start_of(pid_t pid)
{
    BUF_SCOPED struct buf text;
    char path[64];
    uint64_t ticks = 0;
    struct str rest, field;

    buf_init(&text, LIST_MAX);
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (file_read(path, &text, NULL) < 0)
        return 0;
    /* The second field is the program's name in parentheses, which may hold anything. */
    size_t name_end = str_rfind_char(buf_str(&text), ')');
    if (name_end == SIZE_MAX)
        return 0;
    rest = str_skip(buf_str(&text), name_end + 2);
    for (int i = 3; str_split(&rest, ' ', &field); i++) {
        if (i == 3 && field.n == 1 && (field.p[0] == 'Z' || field.p[0] == 'X'))
            return 0;
        if (i == 22)
            return str_to_u64(field, &ticks, NULL) == 0 ? ticks : 0;
    }
    return 0;
}

static char *list_path(const char *run_dir)
{
    char *path;

    if (asprintf(&path, "%s/processes.json", run_dir) < 0)
        abort();
    return path;
}

void leftover_note(struct supervisor *sup)
{
    BUF_SCOPED struct buf text;
    struct json_writer w;
    struct err err = {0};
    char *path = list_path(sup->run_dir), *fresh;

    buf_init(&text, LIST_MAX);
    json_writer_init(&w, &text);
    json_open_array(&w);
    for (size_t i = 0; i < sup->n; i++) {
        const struct service *s = &sup->services[i];
        if (!service_is_running(s))
            continue;
        json_open_object(&w);
        json_key(&w, "service");
        json_add_cstr(&w, s->def->name);
        json_key(&w, "pid");
        json_add_i64(&w, s->pid);
        json_key(&w, "start");
        json_add_u64(&w, start_of(s->pid));
        json_close_object(&w);
    }
    json_close_array(&w);
    buf_add_char(&text, '\n');
    /* Replaced, but not forced to the disk: after a crash of the machine there are no leftovers. */
    if (asprintf(&fresh, "%s.new", path) < 0)
        abort();
    FILE *f = fopen(fresh, "we");
    if (f) {
        bool ok = fwrite(text.p, 1, text.n, f) == text.n;
        ok = fclose(f) == 0 && ok;
        if (!ok || rename(fresh, path) < 0)
            log_warn("%s can't be written", path);
    } else {
        err_set_errno(&err, errno, "%s", fresh);
        log_warn("%s", err.message);
    }
    free(fresh);
    free(path);
}

static void end_one(const char *service, pid_t pid, uint64_t start, int64_t deadline, struct err *err)
{
    int64_t kill_at = clock_mono_ms() + KILL_AFTER_MS;
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    bool killed = false;

    while (pid > 1 && start && start_of(pid) == start) {
        int64_t now = clock_mono_ms();
        if (now >= deadline) {
            err_set(err, ERR_TIMEOUT, "a process of an earlier run, %s (pid %d), doesn't end", service, (int)pid);
            return;
        }
        if (now >= kill_at && !killed) {
            log_warn("%s of an earlier run is still there: killing pid %d", service, (int)pid);
            killed = kill(pid, SIGKILL) == 0;
        }
        nanosleep(&pause, NULL);
    }
}

int leftover_end(const char *run_dir, int timeout_ms, struct err *err)
{
    BUF_SCOPED struct buf text;
    JSON_SCOPED json_t *list = NULL;
    char *path = list_path(run_dir);
    int64_t deadline = clock_mono_ms() + timeout_ms;
    struct err failure = {0};
    size_t i;
    json_t *item;

    buf_init(&text, LIST_MAX);
    /* No list, or one cut off by a crash: then nobody is known to be left. */
    bool known = file_read(path, &text, NULL) == 0 && json_parse(buf_str(&text), &list, NULL) == 0;
    free(path);
    if (!known)
        return 0;
    json_array_foreach(list, i, item)
    {
        const char *service = json_string_value(json_object_get(item, "service"));
        end_one(service ? service : "?", (pid_t)json_opt_i64(item, "pid", 0), (uint64_t)json_opt_i64(item, "start", 0),
                deadline, &failure);
    }
    return failure.code ? err_set(err, failure.code, "%s", failure.message) : 0;
}
