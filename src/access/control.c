/*
 * The rules and the groups that are in force, read again when their files changed. Who asks gets a reference to one
 * version and keeps it throughout a statement. A file that can't be read, or not understood, denies everybody until it
 * is mended: the rules it replaces may be just what somebody wanted to be rid of.
 */
#include "access/internal.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "os/file.h"

#include <pthread.h>
#include <sys/stat.h>

enum { FILE_MAX = 16 << 20 };

struct watched {
    char *path; /* NULL: none */
    bool is_read;
    struct timespec changed;
    off_t size;
    ino_t inode;
    struct err error; /* of the last reading; code 0: none */
};

struct access_control {
    int64_t refresh_ms;

    pthread_mutex_t lock; /* all below */
    int64_t looked_ms;    /* monotonic */
    struct watched rules_file, groups_file;
    struct access_rules *rules;
    struct groups *groups;
};

/* True when the file is another one than at the last reading, or wasn't read yet. Its state is noted before it is read:
 * a change meanwhile is seen the next time. */
static bool has_changed(struct watched *w)
{
    struct stat st;

    if (!w->path)
        return false;
    if (stat(w->path, &st) < 0) {
        bool was_there = w->is_read && w->error.code == 0;
        w->is_read = false;
        return was_there || w->error.code == 0;
    }
    bool same = w->is_read && st.st_ino == w->inode && st.st_size == w->size &&
                st.st_mtim.tv_sec == w->changed.tv_sec && st.st_mtim.tv_nsec == w->changed.tv_nsec;
    w->is_read = true;
    w->inode = st.st_ino;
    w->size = st.st_size;
    w->changed = st.st_mtim;
    return !same;
}

static int read_rules(struct access_control *c, struct err *err)
{
    BUF_SCOPED struct buf text;
    struct access_rules *rules;

    buf_init(&text, FILE_MAX);
    int r = file_read(c->rules_file.path, &text, err);
    if (r == 0)
        r = access_rules_parse(buf_str(&text), &rules, err);
    if (r < 0)
        return r;
    access_rules_unref(c->rules);
    c->rules = rules;
    return 0;
}

static int read_groups(struct access_control *c, struct err *err)
{
    BUF_SCOPED struct buf text;
    struct groups *groups;

    buf_init(&text, FILE_MAX);
    int r = file_read(c->groups_file.path, &text, err);
    if (r == 0)
        r = groups_parse(buf_str(&text), &groups, err);
    if (r < 0)
        return r;
    groups_unref(c->groups);
    c->groups = groups;
    return 0;
}

static void look_at(struct access_control *c, struct watched *w, const char *what,
                    int (*read)(struct access_control *c, struct err *err))
{
    struct err err = {0};

    if (!has_changed(w))
        return;
    if (read(c, &err) < 0) {
        if (err.line && err.column)
            err_prefix(&err, "%s:%d:%d", w->path, err.line, err.column);
        else
            err_prefix(&err, "%s", w->path);
        log_error("access control: %s: nothing is allowed until this is mended", err.message);
    } else {
        log_info("access control: read %s from %s", what, w->path);
    }
    w->error = err;
}

/* With the lock held, or before anybody else has it. */
static void look(struct access_control *c)
{
    look_at(c, &c->rules_file, "rules", read_rules);
    look_at(c, &c->groups_file, "groups", read_groups);
    c->looked_ms = clock_mono_ms();
}

static char *copy_path(struct str path)
{
    return str_is_null(path) ? NULL : strndup(path.p, path.n);
}

int access_control_new(const struct access_control_options *o, struct access_control **ret, struct err *err)
{
    struct access_control *c = calloc(1, sizeof(*c));
    int r = 0;

    if (!c)
        abort();
    c->refresh_ms = o->refresh_ms;
    c->rules_file.path = copy_path(o->rules_file);
    c->groups_file.path = copy_path(o->groups_file);
    pthread_mutex_init(&c->lock, NULL);
    look(c);
    const struct err *failed = c->rules_file.error.code ? &c->rules_file.error : &c->groups_file.error;
    if (failed->code) {
        if (err)
            *err = *failed;
        r = failed->code;
    } else if (!c->rules_file.path && !str_is_null(o->rules)) {
        r = access_rules_parse(o->rules, &c->rules, err);
    }
    if (r < 0) {
        access_control_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

void access_control_free(struct access_control *c)
{
    if (!c)
        return;
    access_rules_unref(c->rules);
    groups_unref(c->groups);
    free(c->rules_file.path);
    free(c->groups_file.path);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static struct str copy(struct arena *a, struct str s)
{
    return str_is_null(s) ? STR_NULL : arena_str(a, s);
}

static struct str *copy_list(struct arena *a, const struct str *items, size_t n, const struct str *more, size_t more_n,
                             size_t *ret_n)
{
    struct str *to = arena_array(a, struct str, n + more_n);

    for (size_t i = 0; i < n; i++)
        to[i] = arena_str(a, items[i]);
    for (size_t i = 0; i < more_n; i++)
        to[n + i] = arena_str(a, more[i]);
    *ret_n = n + more_n;
    return to;
}

/* The client learns that it's the server's fault, the log has the file and the place. */
static int unreadable(struct err *err)
{
    return err_set_named(err, ERR_UNAVAILABLE, "CONFIGURATION_INVALID",
                         "The access control rules are invalid: the server's log says why");
}

int access_open(struct access_control *c, const struct access_identity *who, struct access **ret, struct err *err)
{
    struct access *a;
    const struct str *groups;

    pthread_mutex_lock(&c->lock);
    if (c->refresh_ms > 0 && clock_mono_ms() - c->looked_ms >= c->refresh_ms)
        look(c);
    if (c->rules_file.error.code || c->groups_file.error.code) {
        pthread_mutex_unlock(&c->lock);
        return unreadable(err);
    }
    a = calloc(1, sizeof(*a));
    if (!a)
        abort();
    a->rules = c->rules;
    if (a->rules)
        atomic_fetch_add(&a->rules->refs, 1);
    a->groups = groups_ref(c->groups);
    pthread_mutex_unlock(&c->lock);
    size_t n = groups_of(a->groups, who->user, &groups);
    a->who.groups = copy_list(&a->arena, who->groups, who->group_count, groups, n, &a->who.group_count);
    a->who.user = copy(&a->arena, who->user);
    a->who.principal = copy(&a->arena, who->principal);
    a->who.roles = copy_list(&a->arena, who->roles, who->role_count, NULL, 0, &a->who.role_count);
    *ret = a;
    return 0;
}

void access_release(struct access *a)
{
    if (!a)
        return;
    access_rules_unref(a->rules);
    groups_unref(a->groups);
    arena_release(&a->arena);
    free(a);
}

const struct access *access_as(const struct access *a, struct arena *arena, struct str user)
{
    if (!a)
        return NULL;
    struct access *other = arena_new(arena, struct access);
    other->rules = a->rules;
    other->groups = a->groups;
    other->who.user = arena_str(arena, user);
    other->who.group_count = groups_of(a->groups, user, &other->who.groups);
    return other;
}

struct str access_user(const struct access *a)
{
    return a->who.user;
}

const struct access_identity *access_identity_of(const struct access *a)
{
    return &a->who;
}
