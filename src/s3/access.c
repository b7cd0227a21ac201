/*
 * Who may do what. The spec says which users and policies there are, the secrets what users sign with; both make a
 * snapshot that a call takes a reference of when it begins, so that it is judged by one state from its first header to
 * its last byte.
 */
#include "s3/service.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/vec.h"
#include "s3/internal.h"

struct user {
    struct s3_principal principal;
    struct str secret, previous; /* previous: null, or good until `until` */
    int64_t until;               /* wall clock, ms */
};

struct s3_access {
    _Atomic unsigned refs;
    struct arena arena;
    struct map users;    /* access key to struct user */
    struct map policies; /* name to struct policy */
};

/* ---- policies ---- */

static int add_policy(struct s3_access *to, const struct spec *spec, const struct spec_policy *p, struct err *err)
{
    struct policy *policy;
    struct err why = {0};

    if (policy_parse(&to->arena, p->json, &policy, &why) < 0)
        return err_set_at(err, ERR_INVALID, NULL, p->line, p->column, "%.*s:%d:%d: objects.policies.%.*s: %s",
                          STR_ARG(str_is_null(spec->file) ? STR("platform.yaml") : spec->file), p->line, p->column,
                          STR_ARG(p->name), why.message);
    map_set(&to->policies, p->name, policy);
    return 0;
}

/* By name: the spec's, or else MinIO's own; NULL: there is none. */
static const struct policy *find_policy(struct s3_access *a, struct str name)
{
    struct policy *found = map_get(&a->policies, name);
    const char *builtin = found ? NULL : policy_builtin(name);

    if (builtin && policy_parse(&a->arena, str_from_cstr(builtin), &found, NULL) == 0)
        map_set(&a->policies, name, found);
    return found;
}

/* ---- users ---- */

static int set_policies(struct s3_access *a, const struct spec_user *u, struct s3_principal *to, struct err *err)
{
    const struct policy **policies = arena_array(&a->arena, const struct policy *, u->policy_count + 1);

    policies[0] = policy_for_buckets(&a->arena, u->buckets, u->bucket_count);
    for (size_t i = 0; i < u->policy_count; i++) {
        policies[i + 1] = find_policy(a, u->policies[i]);
        if (!policies[i + 1])
            return err_set(
                err, ERR_NOT_FOUND,
                "objects.users.%.*s.policies: there is no policy %.*s under objects.policies, and it is none "
                "of readonly, readwrite, writeonly and consoleAdmin",
                STR_ARG(u->name), STR_ARG(u->policies[i]));
    }
    to->policies = policies;
    to->policy_count = u->policy_count + 1;
    to->has_buckets = u->policy_count == 0;
    return 0;
}

static int add_user(struct s3_access *a, const struct spec_user *u, const struct secrets *secrets, struct err *err)
{
    const char *name = arena_printf(&a->arena, "store/users/%.*s/secret-key", STR_ARG(u->name)).p;
    struct str secret = secrets_get(secrets, name);
    struct user *to = arena_new(&a->arena, struct user);

    if (str_is_empty(secret))
        return err_set(err, ERR_NOT_FOUND, "there is no secret %s: `dataplatform up` makes it", name);
    if (map_has(&a->users, u->access_key))
        return err_set(err, ERR_EXISTS, "two users of the store have the access key %.*s: give each its own",
                       STR_ARG(u->access_key));
    to->principal.name = arena_str(&a->arena, u->name);
    to->principal.access_key = arena_str(&a->arena, u->access_key);
    to->secret = arena_str(&a->arena, secret);
    to->previous = secrets_get_previous(secrets, name, &to->until);
    if (!str_is_null(to->previous))
        to->previous = arena_str(&a->arena, to->previous);
    map_set(&a->users, u->access_key, to);
    return set_policies(a, u, &to->principal, err);
}

static int add_policies(struct s3_access *a, const struct spec *spec, struct err *err)
{
    for (size_t i = 0; i < spec->policy_count; i++) {
        int rc = add_policy(a, spec, &spec->policies[i], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static struct s3_access *access_alloc(void)
{
    struct s3_access *a = calloc(1, sizeof(*a));

    if (!a)
        abort();
    a->refs = 1;
    arena_init(&a->arena, 0);
    return a;
}

int s3_access_new(const struct spec *spec, const struct secrets *secrets, struct s3_access **ret, struct err *err)
{
    struct s3_access *a = access_alloc();
    int rc = add_policies(a, spec, err);

    for (size_t i = 0; rc == 0 && i < spec->user_count; i++)
        rc = add_user(a, &spec->users[i], secrets, err);
    if (rc < 0) {
        s3_access_unref(a);
        return rc;
    }
    *ret = a;
    return 0;
}

int s3_check_policies(const struct spec *spec, struct err *err)
{
    struct s3_access *a = access_alloc();
    int rc = add_policies(a, spec, err);

    for (size_t i = 0; rc == 0 && i < spec->user_count; i++) {
        struct s3_principal ignored;
        rc = set_policies(a, &spec->users[i], &ignored, err);
    }
    s3_access_unref(a);
    return rc;
}

void s3_access_unref(struct s3_access *a)
{
    if (!a || --a->refs > 0)
        return;
    for (struct map_entry *e = NULL; (e = map_next(&a->users, e));) {
        struct user *u = e->value;
        explicit_bzero((char *)u->secret.p, u->secret.n);
        if (u->previous.n)
            explicit_bzero((char *)u->previous.p, u->previous.n);
    }
    map_release(&a->users);
    map_release(&a->policies);
    arena_release(&a->arena);
    free(a);
}

struct s3_access *s3_access_current(struct s3 *s)
{
    pthread_mutex_lock(&s->lock);
    struct s3_access *a = s->access;
    a->refs++;
    pthread_mutex_unlock(&s->lock);
    return a;
}

void s3_access_replace(struct s3 *s, struct s3_access *a)
{
    pthread_mutex_lock(&s->lock);
    struct s3_access *before = s->access;
    s->access = a;
    pthread_mutex_unlock(&s->lock);
    s3_access_unref(before);
}

int s3_find_keys(void *ctx, struct str access_key, struct str token, struct sigv4_keys *ret, struct err *err)
{
    struct s3_call *c = ctx;
    const struct user *u = map_get(&c->access->users, access_key);

    if (!str_is_null(token))
        return err_set_named(err, ERR_DENIED, "InvalidToken", "The provided token is malformed or otherwise invalid.");
    if (!u)
        return err_set_named(err, ERR_DENIED, "InvalidAccessKeyId",
                             "The Access Key Id you provided does not exist in our records.");
    c->user = &u->principal;
    ret->secret = u->secret;
    ret->previous = u->previous.n && clock_wall_ms() < u->until ? u->previous : STR_NULL;
    return 0;
}
