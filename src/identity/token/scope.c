/* Which client scopes a request gets, and how tokens name them. */
#include "identity/token/internal.h"

static const struct client_scope *find(const struct client_scope **scopes, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(scopes[i]->name, name))
            return scopes[i];
    return NULL;
}

static bool has(const struct token_scope *s, const struct client_scope *scope)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->scopes[i] == scope)
            return true;
    return false;
}

static void add_name(struct buf *b, struct str name)
{
    if (b->n)
        buf_add_char(b, ' ');
    buf_add_str(b, name);
}

int token_scope_resolve(const struct realm *r, const struct client *c, struct arena *a, struct str requested,
                        struct token_scope *ret, struct err *err)
{
    BUF_SCOPED struct buf text = {0}, all = {0};
    struct token_scope s = {0};
    struct str rest = requested, name;

    (void)r;
    if (requested.n > 4096)
        return err_set(err, ERR_INVALID, "Invalid scopes: more than 4096 bytes");
    buf_init(&text, 1 << 20);
    buf_init(&all, 1 << 20);
    s.scopes = arena_alloc_array(a, c->default_scope_count + c->optional_scope_count + 1,
                                 sizeof(struct client_scope *));
    for (size_t i = 0; i < c->default_scope_count; i++)
        if (!has(&s, c->default_scopes[i]))
            s.scopes[s.n++] = c->default_scopes[i];
    while (str_split(&rest, ' ', &name)) {
        const struct client_scope *scope;
        if (name.n == 0)
            continue;
        if (str_eq(name, STR("openid"))) {
            s.openid = true;
            continue;
        }
        scope = find(c->default_scopes, c->default_scope_count, name);
        if (!scope)
            scope = find(c->optional_scopes, c->optional_scope_count, name);
        if (!scope)
            return err_set(err, ERR_INVALID, "Invalid scopes: %.*s", STR_ARG(requested));
        if (!has(&s, scope))
            s.scopes[s.n++] = scope;
    }
    if (s.openid) {
        add_name(&text, STR("openid"));
        add_name(&all, STR("openid"));
    }
    for (size_t i = 0; i < s.n; i++) {
        if (s.scopes[i]->in_token_scope)
            add_name(&text, s.scopes[i]->name);
        add_name(&all, s.scopes[i]->name);
        if (str_eq(s.scopes[i]->name, STR("offline_access")))
            s.offline = true;
    }
    s.text = arena_str(a, buf_str(&text));
    s.all = arena_str(a, buf_str(&all));
    *ret = s;
    return 0;
}
