/*
 * Who may do what. The spec says which users there are, the secrets what they sign with; both make a snapshot that a
 * call takes a reference of when it begins, so that it is judged by one state from its first header to its last byte.
 */
#include "s3/internal.h"

static int add_user(struct s3_access *to, const struct spec_user *u, const struct secrets *secrets, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct str name = arena_printf(&a, "store/users/%.*s/secret-key", STR_ARG(u->name));
    struct grants_user user = {
        .name = u->name,
        .access_key = u->access_key,
        .secret_key = secrets_get(secrets, name.p),
        .buckets = u->buckets,
        .bucket_count = u->bucket_count,
    };

    if (str_is_empty(user.secret_key))
        return err_set(err, ERR_NOT_FOUND, "there is no secret %s: `dataplatform up` makes it", name.p);
    user.previous_key = secrets_get_previous(secrets, name.p, &user.previous_until);
    if (grants_add(&to->grants, &user, err) < 0)
        return err_prefix(err, "the users of the store");
    return 0;
}

int s3_access_new(const struct spec *spec, const struct secrets *secrets, struct s3_access **ret, struct err *err)
{
    struct s3_access *a = calloc(1, sizeof(*a));

    if (!a)
        abort();
    a->refs = 1;
    grants_init(&a->grants);
    for (size_t i = 0; i < spec->user_count; i++) {
        int rc = add_user(a, &spec->users[i], secrets, err);
        if (rc < 0) {
            s3_access_unref(a);
            return rc;
        }
    }
    *ret = a;
    return 0;
}

void s3_access_unref(struct s3_access *a)
{
    if (!a || --a->refs > 0)
        return;
    grants_release(&a->grants);
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
