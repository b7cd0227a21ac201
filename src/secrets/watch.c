/*
 * How a running service learns that a secret changed; in a Vault it also looks from time to time. Whoever changed one touches DATA/run/secrets/changed and the
 * services, which watch that folder with inotify, read them again; a file that was edited by hand is seen the same way.
 * Each then writes its process and the version it has into DATA/run/secrets/SERVICE, so that `secrets rotate` returns
 * when the new value is good everywhere.
 */
#include "secrets/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "os/file.h"
#include "os/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>

enum {
    RETRY_MIN_MS = 500,
    RETRY_MAX_MS = 30 * 1000,
    POLL_MS = 5 * 1000, /* where there is no inotify: its watches are used up */
    ANNOUNCE_LOOK_MS = 10,
    ANNOUNCE_READ_MS = 200,
    NOTE_MAX = 256,
};

#define CHANGED "changed"

struct secrets_watch {
    struct secrets *secrets; /* the thread's own */
    const char *service;
    secrets_changed_fn changed;
    void *ctx;
    char *folder; /* DATA/run/secrets */
    int inotify, stop;
    pthread_t thread;
};

static char *folder_of(const struct secrets *s)
{
    char *folder;

    if (asprintf(&folder, "%s/run/secrets", s->source.data_dir) < 0)
        abort();
    return folder;
}

static int note_version(const struct secrets_watch *w, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct str text = arena_printf(&a, "%lld %s\n", (long long)getpid(), secrets_version(w->secrets));

    return file_write_atomic(arena_printf(&a, "%s/%s", w->folder, w->service).p, text, 0600, err);
}

/* True when one of the names that matter changed; all that is queued is taken. */
static bool take_events(const struct secrets_watch *w)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool found = false;
    ssize_t n;

    while ((n = read(w->inotify, events, sizeof(events))) > 0) {
        for (char *p = events; p < events + n;) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)p;
            found |= e->mask & IN_Q_OVERFLOW;
            found |= e->len && (strcmp(e->name, CHANGED) == 0 || strcmp(e->name, "secrets.json") == 0);
            p += sizeof(*e) + e->len;
        }
    }
    return found;
}

static int take_change(struct secrets_watch *w, bool *pending, struct err *err)
{
    bool changed = false;
    int rc = secrets_refresh(w->secrets, &changed, err);

    if (rc < 0)
        return rc;
    *pending |= changed;
    if (!*pending)
        return 0;
    rc = w->changed(w->ctx, w->secrets, err);
    if (rc < 0)
        return rc;
    rc = note_version(w, err);
    if (rc < 0)
        return rc;
    *pending = false;
    log_info("the secrets changed: taken");
    return 0;
}

/* Until it is looked at again without being told to; -1: never. */
static int wake_ms(const struct secrets_watch *w)
{
    const struct secrets_place *place = w->secrets->place;
    int due = place->due_ms ? place->due_ms(w->secrets) : -1;

    return w->inotify < 0 && (due < 0 || due > POLL_MS) ? POLL_MS : due;
}

static void *run(void *arg)
{
    struct secrets_watch *w = arg;
    struct pollfd fds[] = {{w->stop, POLLIN, 0}, {w->inotify, POLLIN, 0}};
    int retry_ms = 0;
    bool pending = false; /* read, but not taken into use yet */

    for (;;) {
        int timeout = retry_ms ? retry_ms : wake_ms(w);
        int n = poll(fds, 2, timeout);
        if (fds[0].revents)
            return NULL;
        if (n < 0 && errno != EINTR)
            return NULL;
        if (fds[1].revents && !take_events(w) && !retry_ms)
            continue;
        struct err err = {0};
        if (take_change(w, &pending, &err) < 0) {
            retry_ms = retry_ms ? retry_ms * 2 : RETRY_MIN_MS;
            retry_ms = retry_ms < RETRY_MAX_MS ? retry_ms : RETRY_MAX_MS;
            log_warn("%s (what was known stays in use; tried again in %d ms): %s",
                     pending ? "the secrets changed, but are not taken" : "the secrets can't be read", retry_ms,
                     err.message);
        } else {
            retry_ms = 0;
        }
    }
}

static void watch_free(struct secrets_watch *w)
{
    fd_close(&w->inotify);
    fd_close(&w->stop);
    secrets_close(w->secrets);
    free(w->folder);
    free(w);
}

static void start_inotify(struct secrets_watch *w)
{
    w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->inotify >= 0 && inotify_add_watch(w->inotify, w->folder, IN_CLOSE_WRITE | IN_MOVED_TO) >= 0 &&
        inotify_add_watch(w->inotify, w->secrets->source.data_dir, IN_MOVED_TO) >= 0)
        return;
    log_warn("no inotify (%s): the secrets are looked at every %d s", strerror(errno), POLL_MS / 1000);
    fd_close(&w->inotify);
    w->inotify = -1;
}

int secrets_watch_start(const struct secrets *s, const char *service, secrets_changed_fn changed, void *ctx,
                        struct secrets_watch **ret, struct err *err)
{
    struct secrets_watch *w = calloc(1, sizeof(*w));

    if (!w)
        abort();
    *w = (struct secrets_watch){
        .service = service, .changed = changed, .ctx = ctx, .folder = folder_of(s), .inotify = -1, .stop = -1};
    int rc = secrets_open(&s->source, &w->secrets, err);
    if (rc == 0)
        rc = file_make_folders(w->folder, 0700, err);
    if (rc == 0 && (w->stop = eventfd(0, EFD_CLOEXEC)) < 0)
        rc = err_set_errno(err, errno, "no eventfd");
    if (rc == 0) {
        start_inotify(w);
        /* One that came between the caller's reading and the watch is found at once. */
        (void)snprintf(w->secrets->set.version, SECRETS_VERSION_SIZE, "%s", secrets_version(s));
        bool pending = false;
        rc = take_change(w, &pending, err);
    }
    if (rc == 0)
        rc = note_version(w, err);
    if (rc == 0 && (errno = pthread_create(&w->thread, NULL, run, w)) != 0)
        rc = err_set_errno(err, errno, "no thread");
    if (rc < 0) {
        watch_free(w);
        return rc;
    }
    *ret = w;
    return 0;
}

void secrets_watch_stop(struct secrets_watch *w)
{
    const uint64_t one = 1;

    if (!w)
        return;
    (void)!write(w->stop, &one, sizeof(one));
    pthread_join(w->thread, NULL);
    ARENA_SCOPED struct arena a = ARENA_INIT;
    unlink(arena_printf(&a, "%s/%s", w->folder, w->service).p);
    watch_free(w);
}

/* ---- the other side ---- */

/* A service's note; false when it has none or its process is gone. */
static bool read_note(const char *path, struct buf *text, struct str *ret_version)
{
    struct str rest, pid;
    int64_t n;

    buf_reset(text);
    if (file_read(path, text, NULL) < 0)
        return false;
    rest = str_trim(buf_str(text));
    (void)str_split(&rest, ' ', &pid);
    if (str_to_i64(pid, &n, NULL) < 0 || n <= 1 || n > INT32_MAX || !process_is_alive((pid_t)n))
        return false;
    *ret_version = rest;
    return true;
}

struct audience {
    VEC(struct str) taken, waiting;
};

static void look(const char *folder, const char *version, struct arena *a, struct audience *ret)
{
    BUF_SCOPED struct buf text;
    DIR *dir = opendir(folder);
    const struct dirent *e;

    buf_init(&text, NOTE_MAX);
    while (dir && (e = readdir(dir))) {
        struct str has, name = str_from_cstr(e->d_name);
        if (e->d_name[0] == '.' || strchr(e->d_name, '.') || strcmp(e->d_name, CHANGED) == 0)
            continue;
        if (!read_note(arena_printf(a, "%s/%s", folder, e->d_name).p, &text, &has))
            continue;
        if (str_eq_cstr(has, version))
            vec_push_in(a, &ret->taken, arena_str(a, name));
        else
            vec_push_in(a, &ret->waiting, arena_str(a, name));
    }
    if (dir)
        closedir(dir);
}

int secrets_announce(struct secrets *s, struct arena *a, int timeout_ms, struct str **ret, size_t *ret_n,
                     struct err *err)
{
    const struct timespec pause = {.tv_nsec = ANNOUNCE_LOOK_MS * 1000000L};
    int64_t deadline = clock_mono_ms() + timeout_ms, read_ms = clock_mono_ms();
    char *folder = folder_of(s);
    struct audience found;

    int rc = file_make_folders(folder, 0700, err);
    if (rc == 0)
        rc = file_write_atomic(arena_printf(a, "%s/" CHANGED, folder).p, STR(""), 0600, err);
    while (rc == 0) {
        found = (struct audience){0};
        look(folder, secrets_version(s), a, &found);
        if (found.waiting.n == 0)
            break;
        /* Somebody else may have changed another one since: who has that has this too. */
        bool ignored;
        if (clock_mono_ms() - read_ms >= ANNOUNCE_READ_MS && secrets_refresh(s, &ignored, NULL) == 0)
            read_ms = clock_mono_ms();
        if (clock_mono_ms() >= deadline)
            rc = err_set(err, ERR_TIMEOUT,
                         "%.*s did not take the new value within %d s: `dataplatform logs %.*s` says why",
                         STR_ARG(found.waiting.items[0]), timeout_ms / 1000, STR_ARG(found.waiting.items[0]));
        else
            nanosleep(&pause, NULL);
    }
    free(folder);
    if (rc < 0)
        return rc;
    *ret = found.taken.items;
    *ret_n = found.taken.n;
    return 0;
}
