/*
 * The secrets of one platform in one file, DATA/secrets.json: {"NAME": "VALUE", …}. It is small, so it is read whole
 * and replaced whole. The values lie in memory that is wiped before it is given back.
 */
#include "secrets/secrets.h"

#include "base/json.h"
#include "base/rand.h"
#include "base/vec.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { FILE_SIZE_MAX = 4 << 20, VALUE_LENGTH = 40, NAME_LENGTH_MAX = 256 };

struct secret {
    char *name, *value;
};

struct secrets {
    char *path;
    VEC(struct secret) items; /* sorted by name */
};

static void wipe(char *s)
{
    if (s)
        explicit_bzero(s, strlen(s));
    free(s);
}

static char *copy(struct str s)
{
    char *p = strndup(s.p ? s.p : "", s.n);

    if (!p)
        abort();
    return p;
}

static void forget(struct secrets *s)
{
    for (size_t i = 0; i < s->items.n; i++) {
        free(s->items.items[i].name);
        wipe(s->items.items[i].value);
    }
    vec_release(&s->items);
}

void secrets_close(struct secrets *s)
{
    if (!s)
        return;
    forget(s);
    free(s->path);
    free(s);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct secret *)a)->name, ((const struct secret *)b)->name);
}

/* An open file rather than its name: what was checked is what is read. */
static int check_mode(const char *path, int fd, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_set_errno(err, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_DENIED, "%s: not a regular file", path);
    if (st.st_mode & 077)
        return err_set(err, ERR_DENIED, "%s: others can read the secrets (mode %03o): run chmod 600 %s", path,
                       (unsigned)(st.st_mode & 0777), path);
    if (st.st_uid != geteuid() && geteuid() != 0)
        return err_set(err, ERR_DENIED, "%s: belongs to another user (uid %u)", path, (unsigned)st.st_uid);
    return 0;
}

static int read_all(const char *path, int fd, struct buf *to, struct err *err)
{
    for (;;) {
        char *p = buf_reserve(to, 4096);
        if (!p)
            return buf_check(to, path, err);
        ssize_t n = read(fd, p, 4096);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "%s", path);
        if (n == 0)
            return 0;
        to->n += (size_t)n;
    }
}

static int take(struct secrets *s, const json_t *root, struct err *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(root))
        return err_set(err, ERR_CORRUPT, "%s: expected an object of names and secrets", s->path);
    json_object_foreach((json_t *)root, name, value)
    {
        if (!json_is_string(value))
            return err_set(err, ERR_CORRUPT, "%s: %s: expected a text", s->path, name);
        vec_push(&s->items, ((struct secret){copy(str_from_cstr(name)), copy(json_str(value))}));
    }
    if (s->items.n)
        qsort(s->items.items, s->items.n, sizeof(s->items.items[0]), by_name);
    return 0;
}

static int load(struct secrets *s, struct err *err)
{
    FD_SCOPED int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    JSON_SCOPED json_t *root = NULL;
    struct buf text;

    forget(s);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return err_set_errno(err, errno, "%s", s->path);
    int rc = check_mode(s->path, fd, err);
    if (rc < 0)
        return rc;
    buf_init(&text, FILE_SIZE_MAX);
    rc = read_all(s->path, fd, &text, err);
    if (rc == 0) {
        struct err why = {0};
        rc = json_parse(buf_str(&text), &root, &why);
        /* Not the parser's words, which may quote what is there. */
        if (rc < 0)
            rc = err_set(err, ERR_CORRUPT, "%s: not JSON at line %d, column %d", s->path, why.line, why.column);
    }
    if (text.n)
        explicit_bzero(text.p, text.n);
    buf_release(&text);
    return rc < 0 ? rc : take(s, root, err);
}

int secrets_open(const char *data_dir, struct secrets **ret, struct err *err)
{
    struct secrets *s = calloc(1, sizeof(*s));

    if (!s || asprintf(&s->path, "%s/secrets.json", data_dir) < 0)
        abort();
    int rc = load(s, err);
    if (rc < 0) {
        secrets_close(s);
        return rc;
    }
    *ret = s;
    return 0;
}

struct str secrets_get(const struct secrets *s, const char *name)
{
    struct secret key = {.name = (char *)name};
    const struct secret *found = s->items.n ? bsearch(&key, s->items.items, s->items.n, sizeof(key), by_name) : NULL;

    return found ? str_from_cstr(found->value) : STR_NULL;
}

static int save(const struct secrets *s, struct err *err)
{
    struct buf text;
    struct json_writer w;

    buf_init(&text, FILE_SIZE_MAX);
    buf_reserve(&text, FILE_SIZE_MAX / 4); /* so that growing leaves no copies behind */
    json_writer_init(&w, &text);
    json_open_object(&w);
    for (size_t i = 0; i < s->items.n; i++) {
        buf_add_cstr(&text, i ? "" : "\n");
        json_key(&w, s->items.items[i].name);
        json_add_cstr(&w, s->items.items[i].value);
        buf_add_char(&text, '\n');
    }
    json_close_object(&w);
    buf_add_char(&text, '\n');
    int rc = buf_check(&text, s->path, err);
    if (rc == 0)
        rc = file_write_atomic(s->path, buf_str(&text), 0600, err);
    explicit_bzero(text.p, text.n);
    buf_release(&text);
    return rc;
}

int secrets_ensure(struct secrets *s, const char *const *names, size_t n, struct err *err)
{
    char *lock_path = NULL;
    bool changed = false;

    /* Two programs that start at once must agree on one secret: the second reads what the first wrote. */
    if (asprintf(&lock_path, "%s.lock", s->path) < 0)
        abort();
    FD_SCOPED int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc = lock < 0 || flock(lock, LOCK_EX) < 0 ? err_set_errno(err, errno, "%s", lock_path) : 0;
    free(lock_path);
    if (rc == 0)
        rc = load(s, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (!str_is_null(secrets_get(s, names[i])))
            continue;
        if (strlen(names[i]) > NAME_LENGTH_MAX)
            return err_set(err, ERR_LIMIT, "a secret's name is longer than %d bytes", NAME_LENGTH_MAX);
        char *value = malloc(VALUE_LENGTH + 1);
        if (!value)
            abort();
        rand_alnum(value, VALUE_LENGTH);
        vec_push(&s->items, ((struct secret){copy(str_from_cstr(names[i])), value}));
        qsort(s->items.items, s->items.n, sizeof(s->items.items[0]), by_name);
        changed = true;
    }
    return rc == 0 && changed ? save(s, err) : rc;
}

size_t secrets_list(const struct secrets *s, struct arena *a, struct str **ret)
{
    *ret = arena_array(a, struct str, s->items.n);
    for (size_t i = 0; i < s->items.n; i++)
        (*ret)[i] = arena_str(a, str_from_cstr(s->items.items[i].name));
    return s->items.n;
}
