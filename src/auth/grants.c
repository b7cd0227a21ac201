#include "auth/grants.h"

#include "base/clock.h"

void grants_init(struct grants *g)
{
    *g = (struct grants){0};
    arena_init(&g->arena, 0);
}

void grants_release(struct grants *g)
{
    for (struct map_entry *e = NULL; (e = map_next(&g->users, e));) {
        struct grants_user *u = e->value;
        explicit_bzero((char *)u->secret_key.p, u->secret_key.n);
        explicit_bzero((char *)u->previous_key.p, u->previous_key.n);
    }
    map_release(&g->users);
    arena_release(&g->arena);
}

int grants_add(struct grants *g, const struct grants_user *user, struct err *err)
{
    struct grants_user *u;
    struct str *buckets;

    if (str_is_empty(user->access_key) || str_is_empty(user->secret_key))
        return err_set(err, ERR_INVALID, "the user %.*s has no access key or no secret key", STR_ARG(user->name));
    if (map_has(&g->users, user->access_key))
        return err_set(err, ERR_EXISTS, "two users have the access key %.*s: give each its own",
                       STR_ARG(user->access_key));
    u = arena_new(&g->arena, struct grants_user);
    buckets = arena_array(&g->arena, struct str, user->bucket_count);
    for (size_t i = 0; i < user->bucket_count; i++)
        buckets[i] = arena_str(&g->arena, user->buckets[i]);
    *u = (struct grants_user){
        .name = arena_str(&g->arena, user->name),
        .access_key = arena_str(&g->arena, user->access_key),
        .secret_key = arena_str(&g->arena, user->secret_key),
        .previous_key = arena_str(&g->arena, user->previous_key),
        .previous_until = user->previous_until,
        .buckets = buckets,
        .bucket_count = user->bucket_count,
    };
    map_set(&g->users, u->access_key, u);
    return 0;
}

const struct grants_user *grants_find(const struct grants *g, struct str access_key)
{
    return map_get(&g->users, access_key);
}

int grants_keys(void *ctx, struct str access_key, struct str token, struct sigv4_keys *ret, struct err *err)
{
    const struct grants_user *u = grants_find(ctx, access_key);

    if (!str_is_null(token))
        return err_set_named(err, ERR_DENIED, "InvalidToken", "The provided token is malformed or otherwise invalid.");
    if (!u)
        return err_set_named(err, ERR_DENIED, "InvalidAccessKeyId",
                             "The Access Key Id you provided does not exist in our records.");
    ret->secret = u->secret_key;
    ret->previous = u->previous_key.n && clock_wall_ms() < u->previous_until ? u->previous_key : STR_NULL;
    return 0;
}

bool grants_has_bucket(const struct grants_user *u, struct str bucket)
{
    for (size_t i = 0; i < u->bucket_count; i++)
        if (str_eq(u->buckets[i], bucket))
            return true;
    return false;
}

int grants_check(const struct grants_user *u, struct str bucket, struct err *err)
{
    if (grants_has_bucket(u, bucket))
        return 0;
    return err_set_named(err, ERR_DENIED, "AccessDenied", "Access Denied.");
}
