/*
 * The set of secrets. It is small, so it is read whole and replaced whole. The values lie in memory that is wiped
 * before it is given back.
 */
#include "secrets/internal.h"

#include "base/clock.h"
#include "base/rand.h"

enum { VALUE_LENGTH = 40, NAME_LENGTH_MAX = 256, CONFLICTS_MAX = 10 };

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

static char *generate(void)
{
    char *value = malloc(VALUE_LENGTH + 1);

    if (!value)
        abort();
    rand_alnum(value, VALUE_LENGTH);
    return value;
}

/* ---- the set ---- */

void secrets_set_release(struct secrets_set *set)
{
    for (size_t i = 0; i < set->items.n; i++) {
        free(set->items.items[i].name);
        wipe(set->items.items[i].value);
        wipe(set->items.items[i].previous);
    }
    vec_release(&set->items);
    set->version[0] = '\0';
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct secret *)a)->name, ((const struct secret *)b)->name);
}

static void sort(struct secrets_set *set)
{
    if (set->items.n)
        qsort(set->items.items, set->items.n, sizeof(set->items.items[0]), by_name);
}

static struct secret *find(const struct secrets_set *set, const char *name)
{
    struct secret key = {.name = (char *)name};

    return set->items.n ? bsearch(&key, set->items.items, set->items.n, sizeof(key), by_name) : NULL;
}

int secrets_set_take(struct secrets_set *set, const json_t *root, const char *where, struct err *err)
{
    const char *name;
    json_t *item;

    if (!json_is_object(root))
        return err_set(err, ERR_CORRUPT, "%s: expected an object of names and secrets", where);
    json_object_foreach((json_t *)root, name, item)
    {
        bool rotated = json_is_object(item);
        struct str value = json_str(rotated ? json_object_get(item, "value") : item);
        struct str previous = rotated ? json_opt_str(item, "previous", STR_NULL) : STR_NULL;
        int64_t until_us = 0;

        if (str_is_null(value) || memchr(value.p, '\0', value.n))
            return err_set(err, ERR_CORRUPT, "%s: %s: expected a text", where, name);
        if (!str_is_null(previous) && clock_parse_rfc3339(json_opt_str(item, "until", STR("")), &until_us, NULL) < 0)
            return err_set(err, ERR_CORRUPT, "%s: %s: expected a time in until", where, name);
        vec_push(&set->items, ((struct secret){copy(str_from_cstr(name)), copy(value),
                                               str_is_null(previous) ? NULL : copy(previous), until_us / 1000}));
    }
    sort(set);
    return 0;
}

void secrets_set_write(const struct secrets_set *set, struct json_writer *w)
{
    int64_t now = clock_wall_ms();

    json_open_object(w);
    for (size_t i = 0; i < set->items.n; i++) {
        const struct secret *item = &set->items.items[i];
        char until[CLOCK_TEXT_SIZE];

        json_key(w, item->name);
        if (!item->previous || item->until <= now) {
            json_add_cstr(w, item->value);
            continue;
        }
        clock_format_rfc3339_ms(item->until, until);
        json_open_object(w);
        json_key(w, "value");
        json_add_cstr(w, item->value);
        json_key(w, "previous");
        json_add_cstr(w, item->previous);
        json_key(w, "until");
        json_add_cstr(w, until);
        json_close_object(w);
    }
    json_close_object(w);
}

/* ---- the public face ---- */

static const char *keep(struct secrets *s, const char *text)
{
    return text ? arena_cstr(&s->arena, str_from_cstr(text)) : NULL;
}

static void keep_vault(struct secrets *s, const struct secrets_vault *from)
{
    struct secrets_vault *v = arena_new(&s->arena, struct secrets_vault);

    *v = *from;
    v->address = keep(s, from->address);
    v->namespace_name = keep(s, from->namespace_name);
    v->mount = keep(s, from->mount);
    v->path = keep(s, from->path);
    v->ca_file = keep(s, from->ca_file);
    v->auth_mount = keep(s, from->auth_mount);
    v->role = keep(s, from->role);
    v->token_file = keep(s, from->token_file);
    v->secret_id_file = keep(s, from->secret_id_file);
    s->source.vault = v;
    s->where = arena_printf(&s->arena, "%s, %s/%s", v->address, v->mount, v->path).p;
}

int secrets_open(const struct secrets_source *source, struct secrets **ret, struct err *err)
{
    struct secrets *s = calloc(1, sizeof(*s));
    int rc = 0;

    if (!s)
        abort();
    arena_init(&s->arena, 0);
    s->source.data_dir = keep(s, source->data_dir);
    s->where = arena_printf(&s->arena, "%s/secrets.json", source->data_dir).p;
    s->place = source->vault ? &secrets_vault_place : &secrets_file;
    if (source->vault) {
        keep_vault(s, source->vault);
        rc = secrets_vault_start(s, err);
    }
    if (rc == 0)
        rc = s->place->read(s, &s->set, err);
    if (rc < 0) {
        secrets_close(s);
        return rc;
    }
    *ret = s;
    return 0;
}

void secrets_close(struct secrets *s)
{
    if (!s)
        return;
    if (s->place->close)
        s->place->close(s);
    secrets_set_release(&s->set);
    arena_release(&s->arena);
    free(s);
}

struct str secrets_get(const struct secrets *s, const char *name)
{
    const struct secret *found = find(&s->set, name);

    return found ? str_from_cstr(found->value) : STR_NULL;
}

struct str secrets_get_previous(const struct secrets *s, const char *name, int64_t *ret_until_ms)
{
    const struct secret *found = find(&s->set, name);

    if (!found || !found->previous || found->until <= clock_wall_ms())
        return STR_NULL;
    *ret_until_ms = found->until;
    return str_from_cstr(found->previous);
}

size_t secrets_list(const struct secrets *s, struct arena *a, struct str **ret)
{
    *ret = arena_array(a, struct str, s->set.items.n);
    for (size_t i = 0; i < s->set.items.n; i++)
        (*ret)[i] = arena_str(a, str_from_cstr(s->set.items.items[i].name));
    return s->set.items.n;
}

const char *secrets_where(const struct secrets *s)
{
    return s->where;
}

const char *secrets_version(const struct secrets *s)
{
    return s->set.version;
}

int secrets_refresh(struct secrets *s, bool *ret_changed, struct err *err)
{
    struct secrets_set now = {0};
    int rc = s->place->read(s, &now, err);

    if (rc < 0) {
        secrets_set_release(&now);
        return rc;
    }
    *ret_changed = strcmp(now.version, s->set.version) != 0;
    secrets_set_release(&s->set);
    s->set = now;
    return 0;
}

/* What is done to the set between reading and writing it; *ret_changed false: nothing, so it isn't written. */
typedef int (*change_fn)(struct secrets_set *set, const void *what, bool *ret_changed, struct err *err);

/* Two programs that start at once must agree on one secret: the second reads what the first wrote. */
static int change(struct secrets *s, change_fn apply, const void *what, struct err *err)
{
    int lock = -1;
    int rc = s->place->lock(s, &lock, err);

    for (int i = 0; rc == 0; i++) {
        struct secrets_set set = {0};
        bool changed = false;
        rc = s->place->read(s, &set, err);
        if (rc == 0)
            rc = apply(&set, what, &changed, err);
        if (rc == 0 && changed)
            rc = s->place->write(s, &set, err);
        if (rc == 0) {
            secrets_set_release(&s->set);
            s->set = set;
            break;
        }
        secrets_set_release(&set);
        if (rc == ERR_CONFLICT && i < CONFLICTS_MAX)
            rc = 0;
    }
    s->place->unlock(lock);
    return rc;
}

struct names {
    const char *const *names;
    size_t n;
    const struct secrets *before; /* where they may have been kept; NULL: nowhere else */
};

static int add_missing(struct secrets_set *set, const void *what, bool *ret_changed, struct err *err)
{
    const struct names *wanted = what;

    for (size_t i = 0; i < wanted->n; i++) {
        if (find(set, wanted->names[i]))
            continue;
        if (strlen(wanted->names[i]) > NAME_LENGTH_MAX)
            return err_set(err, ERR_LIMIT, "a secret's name is longer than %d bytes", NAME_LENGTH_MAX);
        struct str old = wanted->before ? secrets_get(wanted->before, wanted->names[i]) : STR_NULL;
        vec_push(&set->items, ((struct secret){copy(str_from_cstr(wanted->names[i])),
                                               str_is_null(old) ? generate() : copy(old), NULL, 0}));
        sort(set);
        *ret_changed = true;
    }
    return 0;
}

int secrets_ensure(struct secrets *s, const char *const *names, size_t n, struct err *err)
{
    struct secrets *before = NULL;
    int rc = 0;

    if (s->source.vault)
        rc = secrets_open(&(struct secrets_source){.data_dir = s->source.data_dir}, &before, err);
    if (rc == 0)
        rc = change(s, add_missing, &(struct names){names, n, before}, err);
    secrets_close(before);
    return rc;
}

struct rotation {
    const char *name;
    int64_t overlap_ms;
};

static int rotate(struct secrets_set *set, const void *what, bool *ret_changed, struct err *err)
{
    const struct rotation *r = what;
    struct secret *item = find(set, r->name);

    if (!item)
        return err_set(err, ERR_NOT_FOUND, "there is no secret %s", r->name);
    wipe(item->previous);
    item->previous = item->value;
    item->until = clock_wall_ms() + r->overlap_ms;
    item->value = generate();
    *ret_changed = true;
    return 0;
}

int secrets_rotate(struct secrets *s, const char *name, int64_t overlap_ms, struct err *err)
{
    return change(s, rotate, &(struct rotation){name, overlap_ms}, err);
}
