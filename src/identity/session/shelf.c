/*
 * The shelf: authorization codes, device codes, pushed requests, names used once. All of it lives for seconds or minutes
 * and is worth nothing after a restart, so it is kept in memory, with a bound on how much.
 */
#include "identity/session/internal.h"

/* A NUL can't be in a realm's id, so no name makes two keys the same. */
static void make_key(struct buf *b, const char *kind, const struct realm *r, struct str name)
{
    buf_init(b, (size_t)64 << 10);
    buf_add_cstr(b, kind);
    buf_add_char(b, '\0');
    buf_add_str(b, r->id);
    buf_add_char(b, '\0');
    buf_add_str(b, name);
}

/* Called with the lock held. */
static void entry_free(struct shelf_entry *e)
{
    if (!e)
        return;
    e->kind->n--;
    e->kind->bytes -= e->bytes;
    json_decref(e->value);
    free(e);
}

static struct shelf_kind *find_kind(struct sessions *s, const char *kind)
{
    for (size_t i = 0; i < SHELF_KINDS; i++) {
        if (!s->shelf_kinds[i].name)
            s->shelf_kinds[i].name = kind;
        if (!strcmp(s->shelf_kinds[i].name, kind))
            return &s->shelf_kinds[i];
    }
    abort(); /* kinds are in the program's text */
}

/* About what it takes in memory. */
static size_t size_of(const json_t *value, size_t key)
{
    size_t size = 256 + 2 * key;
    const char *name;
    json_t *v;

    if (json_is_string(value))
        size += json_string_length(value);
    json_object_foreach((json_t *)value, name, v) size += 128 + (json_is_string(v) ? json_string_length(v) : 0);
    return size;
}

/* The live entry, or NULL. Called with the lock held. */
static struct shelf_entry *find(struct sessions *s, struct str key)
{
    struct shelf_entry *e = map_get(&s->shelf, key);

    if (e && e->expires <= sessions_clock(s)) {
        entry_free(map_remove(&s->shelf, key));
        e = NULL;
    }
    return e;
}

int shelf_put(struct sessions *s, const char *kind, const struct realm *r, struct str name, json_t *value,
              int64_t expires, struct err *err)
{
    BUF_SCOPED struct buf key = {0};
    struct shelf_entry *e;
    struct shelf_kind *k;
    size_t bytes;
    int rc = 0;

    make_key(&key, kind, r, name);
    bytes = size_of(value, key.n);
    pthread_mutex_lock(&s->shelf_lock);
    k = find_kind(s, kind);
    if (key.failed)
        rc = err_set(err, ERR_LIMIT, "a name of %zu bytes", name.n);
    else if (find(s, buf_str(&key)))
        rc = err_set(err, ERR_EXISTS, "it was used before");
    else if (k->n >= SHELF_MAX || k->bytes + bytes > SHELF_BYTES_MAX)
        rc = err_set(err, ERR_LIMIT, "too many of the kind \"%s\" wait", kind);
    if (rc == 0) {
        e = calloc(1, sizeof(*e));
        if (!e)
            abort();
        *e = (struct shelf_entry){expires, value, k, bytes, false};
        k->n++;
        k->bytes += bytes;
        map_set(&s->shelf, buf_str(&key), e);
    }
    pthread_mutex_unlock(&s->shelf_lock);
    if (rc < 0)
        json_decref(value);
    return rc;
}

enum shelf_state shelf_get(struct sessions *s, const char *kind, const struct realm *r, struct str name, bool take,
                           json_t **ret)
{
    BUF_SCOPED struct buf key = {0};
    enum shelf_state state = SHELF_NONE;
    struct shelf_entry *e;

    make_key(&key, kind, r, name);
    pthread_mutex_lock(&s->shelf_lock);
    e = key.failed ? NULL : find(s, buf_str(&key));
    if (e) {
        state = e->taken ? SHELF_TAKEN : SHELF_THERE;
        e->taken = e->taken || take;
        *ret = json_deep_copy(e->value); /* jansson's reference counts are no locks for their content */
    }
    pthread_mutex_unlock(&s->shelf_lock);
    return state;
}

void shelf_replace(struct sessions *s, const char *kind, const struct realm *r, struct str name, json_t *value)
{
    BUF_SCOPED struct buf key = {0};
    struct shelf_entry *e;

    make_key(&key, kind, r, name);
    pthread_mutex_lock(&s->shelf_lock);
    e = key.failed ? NULL : find(s, buf_str(&key));
    if (e) {
        json_decref(e->value);
        e->value = value;
        value = NULL;
    }
    pthread_mutex_unlock(&s->shelf_lock);
    json_decref(value);
}

void shelf_remove(struct sessions *s, const char *kind, const struct realm *r, struct str name)
{
    BUF_SCOPED struct buf key = {0};

    make_key(&key, kind, r, name);
    pthread_mutex_lock(&s->shelf_lock);
    if (!key.failed)
        entry_free(map_remove(&s->shelf, buf_str(&key)));
    pthread_mutex_unlock(&s->shelf_lock);
}

void shelf_sweep(struct sessions *s)
{
    int64_t now = sessions_clock(s);

    pthread_mutex_lock(&s->shelf_lock);
    for (struct map_entry *m = NULL; (m = map_next(&s->shelf, m));) {
        struct shelf_entry *e = m->value;
        if (e->expires <= now)
            entry_free(map_remove(&s->shelf, m->key));
    }
    pthread_mutex_unlock(&s->shelf_lock);
}

void shelf_release(struct sessions *s)
{
    for (struct map_entry *m = NULL; (m = map_next(&s->shelf, m));)
        entry_free(m->value);
    map_release(&s->shelf);
}

/* ---- things that may be used once ---- */

int sessions_use_once(struct sessions *s, const struct realm *r, const char *kind, struct str name, int64_t expires,
                      struct err *err)
{
    return shelf_put(s, kind, r, name, json_null(), expires, err);
}

int sessions_keep(struct sessions *s, const struct realm *r, const char *kind, struct str name, struct str text,
                  int64_t expires, struct err *err)
{
    json_t *value = json_stringn(text.p ? text.p : "", text.n);

    if (!value)
        return err_set(err, ERR_INVALID, "the text isn't UTF-8");
    return shelf_put(s, kind, r, name, value, expires, err);
}

int sessions_take(struct sessions *s, const struct realm *r, struct arena *a, const char *kind, struct str name,
                  struct str *ret, struct err *err)
{
    JSON_SCOPED json_t *value = NULL;

    if (shelf_get(s, kind, r, name, true, &value) != SHELF_THERE)
        return err_set(err, ERR_NOT_FOUND, "there is none, or it was taken");
    *ret = arena_str(a, json_str(value));
    return 0;
}
