#include "access/groups.h"

#include "base/map.h"
#include "base/vec.h"

#include <stdatomic.h>

struct membership {
    struct str *items;
    size_t n, cap;
};

struct groups {
    atomic_int refs;
    struct arena arena;
    struct map users; /* name → struct membership * */
};

static void add(struct groups *g, struct str user, struct str group)
{
    struct membership *m = map_get(&g->users, user);

    if (!m) {
        m = arena_new(&g->arena, struct membership);
        map_set(&g->users, user, m);
    }
    for (size_t i = 0; i < m->n; i++)
        if (str_eq(m->items[i], group))
            return;
    vec_push_in(&g->arena, m, group);
}

int groups_parse(struct str text, struct groups **ret, struct err *err)
{
    struct groups *g = calloc(1, sizeof(*g));
    struct str line, user;

    if (!g)
        abort();
    atomic_init(&g->refs, 1);
    for (int number = 1; str_split(&text, '\n', &line); number++) {
        line = str_trim(line);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        size_t colon = str_find_char(line, ':', 0);
        if (colon == SIZE_MAX) {
            groups_unref(g);
            return err_set_at(err, ERR_INVALID, NULL, number, 0,
                              "Error in group file line %d: Expected two parts for group and users", number);
        }
        struct str group = arena_str(&g->arena, str_trim(str_slice(line, 0, colon))), users = str_skip(line, colon + 1);
        while (str_split(&users, ',', &user)) {
            user = str_trim(user);
            if (user.n)
                add(g, user, group);
        }
    }
    *ret = g;
    return 0;
}

struct groups *groups_ref(struct groups *g)
{
    if (g)
        atomic_fetch_add(&g->refs, 1);
    return g;
}

void groups_unref(struct groups *g)
{
    if (!g || atomic_fetch_sub(&g->refs, 1) > 1)
        return;
    map_release(&g->users);
    arena_release(&g->arena);
    free(g);
}

size_t groups_of(const struct groups *g, struct str user, const struct str **ret)
{
    const struct membership *m = g ? map_get(&g->users, user) : NULL;

    *ret = m ? m->items : NULL;
    return m ? m->n : 0;
}
