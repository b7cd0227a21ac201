/*
 * The folder of DAG files: which have changed since they were parsed, what they define now, which are gone. A file is
 * looked at when its size or its time of change differs from what it was.
 */
#include "flow/flow_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "os/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { SOURCE_MAX = 8 << 20, FILES_MAX = 100000, DEPTH_MAX = 20, DOCUMENT_MAX = 64 << 20 };

#define BUNDLE "dags-folder"

struct seen_file {
    int64_t size, changed_ns;
    bool is_there;
};

struct finder {
    struct flow *flow;
    struct arena *arena;
    VEC(struct str) changed;
};

static bool is_python(const char *name)
{
    return str_ends_with(str_from_cstr(name), STR(".py")) && name[0] != '.';
}

static void note_file(struct finder *f, struct str path, const struct stat *st)
{
    struct map *files = &f->flow->files;
    struct seen_file *seen = map_get(files, path);
    int64_t changed = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;

    if (!seen) {
        seen = calloc(1, sizeof(*seen));
        if (!seen)
            abort();
        map_set(files, path, seen);
        seen->size = -1;
    }
    seen->is_there = true;
    if (seen->size == st->st_size && seen->changed_ns == changed)
        return;
    seen->size = st->st_size;
    seen->changed_ns = changed;
    vec_push_in(f->arena, &f->changed, path);
}

static void look_into(struct finder *f, struct str below, int depth)
{
    struct str folder = arena_printf(f->arena, "%s/%.*s", f->flow->o.dags, STR_ARG(below));
    DIR *d = opendir(folder.p);
    struct dirent *e;

    while (d && (e = readdir(d)) && f->flow->files.n < FILES_MAX) {
        struct stat st;
        if (e->d_name[0] == '.' || strcmp(e->d_name, "__pycache__") == 0)
            continue;
        struct str path = arena_printf(f->arena, "%.*s%s%s", STR_ARG(below), below.n ? "/" : "", e->d_name);
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            look_into(f, path, depth + 1);
        else if (S_ISREG(st.st_mode) && is_python(e->d_name))
            note_file(f, path, &st);
    }
    if (d)
        closedir(d);
}

/* ---- one file ---- */

static int save(struct flow *f, struct arena *a, struct str path, const json_t *answer, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *c = NULL;
    BUF_SCOPED struct buf source;
    VEC(struct parsed_dag) dags = {0};
    const json_t *list = json_object_get(answer, "dags");
    struct str error = json_opt_str(answer, "errors", STR_NULL);

    buf_init(&source, SOURCE_MAX);
    int rc = file_read(arena_printf(a, "%s/%.*s", f->o.dags, STR_ARG(path)).p, &source, err);
    if (rc < 0) /* gone since it was seen: the next look forgets it */
        return rc == ERR_NOT_FOUND ? 0 : rc;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct parsed_dag p;
        struct err why = {0};
        json_t *document = json_object_get(json_array_get(list, i), "dag");
        char *text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
        if (dag_parse(json_incref(document), &p.dag, &why) < 0) {
            error = arena_printf(a, "%.*s%s%s", STR_ARG(error), str_is_null(error) ? "" : "\n", why.message);
            free(text);
            continue;
        }
        p.document = arena_str(a, str_from_cstr(text));
        free(text);
        vec_push_in(a, &dags, p);
    }
    rc = db_acquire(f->o.db, &c, err);
    if (rc == 0)
        rc = db_begin(c, err);
    if (rc == 0)
        rc = store_save_file(c, STR(BUNDLE), path, buf_str(&source), dags.items, dags.n, error, clock_wall_us(), err);
    if (rc == 0)
        rc = db_commit(c, err);
    for (size_t i = 0; i < dags.n; i++)
        dag_unref(dags.items[i].dag);
    return rc;
}

static int parse_file(struct flow *f, struct str path, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    JSON_SCOPED json_t *answer = NULL;
    int rc = 0;

    if (!f->parser) {
        const struct parser_options o = {.python = f->o.python,
                                         .script = arena_printf(&f->arena, "%s/parser.py", f->o.scripts).p,
                                         .home = f->o.home};
        rc = parser_new(&o, &f->parser, err);
    }
    for (int attempt = 0; rc == 0 && !answer && attempt < 2; attempt++) {
        rc = parser_parse(f->parser, f->o.dags, STR(BUNDLE), path, &answer, err);
        if (rc == ERR_UNAVAILABLE && attempt == 0)
            rc = 0;
    }
    return rc < 0 ? rc : save(f, &a, path, answer, err);
}

static int forget_gone(struct flow *f, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *c = NULL;
    int rc = 0;

    for (struct map_entry *e = NULL; rc == 0 && (e = map_next(&f->files, e));) {
        struct seen_file *seen = e->value;
        if (seen->is_there)
            continue;
        if (!c)
            rc = db_acquire(f->o.db, &c, err);
        if (rc == 0)
            rc = store_forget_file(c, STR(BUNDLE), e->key, err);
        if (rc == 0)
            free(map_remove(&f->files, e->key));
    }
    return rc;
}

int flow_parse_files(struct flow *f, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct finder finder = {.flow = f, .arena = &a};
    int rc = 0;

    pthread_mutex_lock(&f->parse_lock);
    size_t before = f->files.n;
    for (struct map_entry *e = NULL; (e = map_next(&f->files, e));)
        ((struct seen_file *)e->value)->is_there = false;
    look_into(&finder, STR(""), 0);
    for (size_t i = 0; rc == 0 && i < finder.changed.n; i++)
        rc = parse_file(f, finder.changed.items[i], err);
    if (rc == 0)
        rc = forget_gone(f, err);
    if (rc == 0 && (finder.changed.n || f->files.n != before)) {
        pthread_mutex_lock(&f->lock);
        rc = flow_reload_dags(f, err);
        flow_poke(f);
        pthread_mutex_unlock(&f->lock);
    }
    pthread_mutex_unlock(&f->parse_lock);
    return rc;
}

void flow_forget_files(struct flow *f)
{
    for (struct map_entry *e = NULL; (e = map_next(&f->files, e));)
        free(e->value);
    map_release(&f->files);
}
