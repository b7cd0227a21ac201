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
    unsigned char session_key[SESSION_KEY_SIZE], previous_key[SESSION_KEY_SIZE];
    int64_t previous_until; /* wall clock, ms: of previous_key; 0: there is none */
};

static const char session_secret[] = "store/sts-key";

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

/* MinIO's own, unless the spec has others of these names. */
static int add_builtin(struct s3_access *a, struct err *err)
{
    static const char *const names[] = {"readonly", "readwrite", "writeonly", "consoleAdmin"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str name = str_from_cstr(names[i]);
        struct policy *policy;
        if (map_has(&a->policies, name))
            continue;
        int rc = policy_parse(&a->arena, str_from_cstr(policy_builtin(name)), &policy, err);
        if (rc < 0)
            return rc;
        map_set(&a->policies, name, policy);
    }
    return 0;
}

bool s3_access_has_policy(const struct s3_access *a, struct str name)
{
    return map_has(&a->policies, name);
}

/* ---- users ---- */

static int set_policies(struct s3_access *a, const struct spec_user *u, struct s3_principal *to, struct err *err)
{
    const struct policy **policies = arena_array(&a->arena, const struct policy *, u->policy_count + 1);

    policies[0] = policy_for_buckets(&a->arena, u->buckets, u->bucket_count);
    for (size_t i = 0; i < u->policy_count; i++) {
        policies[i + 1] = map_get(&a->policies, u->policies[i]);
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
    return add_builtin(a, err);
}

static int set_session_keys(struct s3_access *a, const struct secrets *secrets, struct err *err)
{
    struct str secret = secrets_get(secrets, session_secret);

    if (str_is_empty(secret))
        return err_set(err, ERR_NOT_FOUND, "there is no secret %s: `dataplatform up` makes it", session_secret);
    session_make_key(secret, a->session_key);
    secret = secrets_get_previous(secrets, session_secret, &a->previous_until);
    if (!str_is_null(secret))
        session_make_key(secret, a->previous_key);
    return 0;
}

const unsigned char *s3_access_session_key(const struct s3_access *a)
{
    return a->session_key;
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

    if (rc == 0)
        rc = set_session_keys(a, secrets, err);
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
    explicit_bzero(a->session_key, sizeof(a->session_key));
    explicit_bzero(a->previous_key, sizeof(a->previous_key));
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

/* ---- who signed ---- */

static int open_session(struct s3_call *c, struct str token, struct session *ret, struct err *err)
{
    const struct s3_access *a = c->access;

    if (s3_session_open(c->arena, a->session_key, token, ret, NULL) == 0)
        return 0;
    if (a->previous_until > clock_wall_ms() && s3_session_open(c->arena, a->previous_key, token, ret, NULL) == 0)
        return 0;
    return err_set_named(err, ERR_DENIED, "InvalidToken", "The provided token is malformed or otherwise invalid.");
}

/* What the session may do: the policies that it names, of those there are now, and its own policy. */
static int make_temporary(struct s3_call *c, const struct session *s, struct err *err)
{
    struct s3_principal *p = arena_new(c->arena, struct s3_principal);
    VEC(const struct policy *) policies = {0};
    struct str rest = s->policies, name;

    while (str_split(&rest, ',', &name)) {
        const struct policy *found = map_get(&c->access->policies, name);
        if (found)
            vec_push_in(c->arena, &policies, found);
    }
    if (!str_is_null(s->session_policy)) {
        struct policy *own;
        int rc = policy_parse(c->arena, s->session_policy, &own, err);
        if (rc < 0)
            return err_prefix(err, "a session's policy");
        p->session_policy = own;
    }
    p->name = s->name;
    p->access_key = s->access_key;
    p->policies = policies.items;
    p->policy_count = policies.n;
    p->claims = s->claims;
    p->claim_count = s->claim_count;
    p->is_temporary = true;
    c->user = p;
    return 0;
}

static int find_session(struct s3_call *c, struct str access_key, struct str token, struct sigv4_keys *ret,
                        struct err *err)
{
    struct session s;
    int rc = open_session(c, token, &s, err);

    if (rc < 0)
        return rc;
    if (!str_eq(s.access_key, access_key))
        return err_set_named(err, ERR_DENIED, "InvalidAccessKeyId",
                             "The Access Key Id you provided does not exist in our records.");
    if (s.expires_ms <= clock_wall_ms())
        return err_set_named(err, ERR_DENIED, "ExpiredToken", "The provided token has expired.");
    ret->secret = s.secret_key;
    return make_temporary(c, &s, err);
}

int s3_find_keys(void *ctx, struct str access_key, struct str token, struct sigv4_keys *ret, struct err *err)
{
    struct s3_call *c = ctx;
    const struct user *u = map_get(&c->access->users, access_key);

    if (!str_is_null(token))
        return find_session(c, access_key, token, ret, err);
    if (!u)
        return err_set_named(err, ERR_DENIED, "InvalidAccessKeyId",
                             "The Access Key Id you provided does not exist in our records.");
    c->user = &u->principal;
    ret->secret = u->secret;
    ret->previous = u->previous.n && clock_wall_ms() < u->until ? u->previous : STR_NULL;
    return 0;
}
