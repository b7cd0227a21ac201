#include "identity/login/flow.h"

#include "base/enc.h"
#include "base/map.h"
#include "base/rand.h"

#include <pthread.h>

enum {
    FLOWS_MAX = 8000, /* 5 KiB each */
    TABS_MAX = 30,    /* of one browser; the oldest goes */
    TEXT_MAX = 48 << 10,
};

struct stored {
    struct flow flow; /* texts in the arena */
    struct arena arena;
    int64_t expires;
    struct stored *older, *newer; /* of all, by their making */
};

struct flows {
    pthread_mutex_t lock;
    struct map by_id; /* "ROOT.TAB" */
    struct map roots; /* root to the number of its tabs */
    struct stored *oldest, *newest;
};

struct flows *flows_new(void)
{
    struct flows *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    pthread_mutex_init(&f->lock, NULL);
    return f;
}

static void random_text(char *to, size_t size, size_t bytes)
{
    unsigned char raw[32];
    BUF_SCOPED struct buf text = {0};

    rand_bytes(raw, bytes);
    buf_init(&text, size);
    enc_base64url(&text, raw, bytes);
    memcpy(to, text.p, text.n);
    to[text.n] = '\0';
}

struct id {
    char text[FLOW_ID_SIZE + FLOW_TAB_SIZE];
};

/* Empty when a part can't be one of ours. */
static struct str id_of(struct id *to, struct str root, struct str tab)
{
    if (root.n >= FLOW_ID_SIZE || tab.n >= FLOW_TAB_SIZE)
        return STR("");
    int n = snprintf(to->text, sizeof(to->text), "%.*s.%.*s", STR_ARG(root), STR_ARG(tab));
    return str_from(to->text, (size_t)n);
}

static struct str id_of_flow(struct id *to, const struct flow *flow)
{
    return id_of(to, str_from_cstr(flow->root), str_from_cstr(flow->tab));
}

static void free_stored(struct stored *s)
{
    for (size_t i = 0; i < FLOW_TEXTS; i++) {
        if (s->flow.text[i].n)
            explicit_bzero((char *)s->flow.text[i].p, s->flow.text[i].n);
    }
    arena_release(&s->arena);
    explicit_bzero(s, sizeof(*s));
    free(s);
}

/* Under the lock. */
static void drop(struct flows *f, struct stored *s)
{
    struct id id;
    struct str root = str_from_cstr(s->flow.root);
    uintptr_t tabs = (uintptr_t)map_get(&f->roots, root);

    map_remove(&f->by_id, id_of_flow(&id, &s->flow));
    if (tabs > 1)
        map_set(&f->roots, root, (void *)(tabs - 1)); // NOLINT(performance-no-int-to-ptr): a count
    else
        map_remove(&f->roots, root);
    *(s->older ? &s->older->newer : &f->oldest) = s->newer;
    *(s->newer ? &s->newer->older : &f->newest) = s->older;
    free_stored(s);
}

void flows_free(struct flows *f)
{
    if (!f)
        return;
    while (f->oldest)
        drop(f, f->oldest);
    map_release(&f->by_id);
    map_release(&f->roots);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static void copy_texts(struct arena *a, const struct flow *from, struct flow *to)
{
    for (size_t i = 0; i < FLOW_TEXTS; i++)
        to->text[i] = str_is_null(from->text[i]) ? STR_NULL : arena_str(a, str_slice(from->text[i], 0, TEXT_MAX));
}

/* Under the lock: what is over, what is too much, the oldest tab of a browser that opens too many. */
static void make_room(struct flows *f, int64_t now, const struct flow *for_flow)
{
    while (f->oldest && (f->oldest->expires <= now || f->by_id.n >= FLOWS_MAX))
        drop(f, f->oldest);
    if ((uintptr_t)map_get(&f->roots, str_from_cstr(for_flow->root)) < TABS_MAX)
        return;
    for (struct stored *s = f->oldest; s; s = s->newer) {
        if (strcmp(s->flow.root, for_flow->root) == 0) {
            drop(f, s);
            return;
        }
    }
}

void flow_add(struct flows *f, struct flow *flow, int64_t now, int64_t lifetime_s)
{
    struct stored *s = calloc(1, sizeof(*s));
    struct id id;

    if (!s)
        abort();
    if (!*flow->root)
        random_text(flow->root, sizeof(flow->root), 18);
    random_text(flow->tab, sizeof(flow->tab), 8);
    random_text(flow->code, sizeof(flow->code), 32);
    flow->created = now;
    s->flow = *flow;
    arena_init(&s->arena, 4 << 20);
    copy_texts(&s->arena, flow, &s->flow);
    s->expires = now + (lifetime_s > 0 ? lifetime_s : 1800);

    pthread_mutex_lock(&f->lock);
    make_room(f, now, flow);
    s->older = f->newest;
    *(f->newest ? &f->newest->newer : &f->oldest) = s;
    f->newest = s;
    map_set(&f->by_id, id_of_flow(&id, flow), s);
    uintptr_t tabs = (uintptr_t)map_get(&f->roots, str_from_cstr(flow->root)) + 1;
    map_set(&f->roots, str_from_cstr(flow->root), (void *)tabs); // NOLINT(performance-no-int-to-ptr): a count
    pthread_mutex_unlock(&f->lock);
}

int flow_get(struct flows *f, struct arena *a, struct str root, struct str tab, int64_t now, struct flow *ret,
             struct err *err)
{
    struct id id;
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    const struct stored *s = map_get(&f->by_id, id_of(&id, root, tab));
    if (s && s->expires > now) {
        *ret = s->flow;
        copy_texts(a, &s->flow, ret);
    } else {
        rc = err_set(err, ERR_NOT_FOUND, "no such login is on its way");
    }
    pthread_mutex_unlock(&f->lock);
    return rc;
}

int flow_put(struct flows *f, struct flow *flow, struct err *err)
{
    struct id id;
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    struct stored *s = map_get(&f->by_id, id_of_flow(&id, flow));
    if (s && str_eq_secret(str_from_cstr(s->flow.code), str_from_cstr(flow->code))) {
        struct arena arena;
        arena_init(&arena, 4 << 20);
        random_text(flow->code, sizeof(flow->code), 32);
        struct flow copy = *flow;
        copy_texts(&arena, flow, &copy);
        arena_release(&s->arena);
        s->arena = arena;
        s->flow = copy;
    } else {
        rc = err_set(err, ERR_CONFLICT, "this step of the login is over");
    }
    pthread_mutex_unlock(&f->lock);
    return rc;
}

void flow_remove(struct flows *f, struct str root, struct str tab)
{
    struct id id;

    pthread_mutex_lock(&f->lock);
    struct stored *s = map_get(&f->by_id, id_of(&id, root, tab));
    if (s)
        drop(f, s);
    pthread_mutex_unlock(&f->lock);
}

int flow_take(struct flows *f, const struct flow *flow, struct err *err)
{
    struct id id;
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    struct stored *s = map_get(&f->by_id, id_of_flow(&id, flow));
    if (s && str_eq_secret(str_from_cstr(s->flow.code), str_from_cstr(flow->code)))
        drop(f, s);
    else
        rc = err_set(err, ERR_CONFLICT, "this login is over");
    pthread_mutex_unlock(&f->lock);
    return rc;
}

bool flow_has_root(struct flows *f, struct str root, int64_t now)
{
    bool found = false;

    pthread_mutex_lock(&f->lock);
    if (map_has(&f->roots, root))
        for (const struct stored *s = f->newest; s && !found; s = s->older)
            found = str_eq_cstr(root, s->flow.root) && s->expires > now;
    pthread_mutex_unlock(&f->lock);
    return found;
}
