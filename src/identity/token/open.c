/*
 * Keys, parsed once. The cache is keyed by what the key is made of, so that a key that was replaced under its id is another
 * entry; what a snapshot no longer has is no longer asked for.
 */
#include "identity/token/internal.h"

int tokens_open(const struct identity_context *c, struct tokens **ret, struct err *err)
{
    struct tokens *t = calloc(1, sizeof(*t));

    if (!t)
        return err_set(err, ERR_INTERNAL, "no memory");
    t->context = c;
    pthread_rwlock_init(&t->lock, NULL);
    *ret = t;
    return 0;
}

void tokens_close(struct tokens *t)
{
    if (!t)
        return;
    for (struct map_entry *m = NULL; (m = map_next(&t->keys, m));)
        jose_key_free(m->value);
    map_release(&t->keys);
    map_release(&t->warned);
    pthread_rwlock_destroy(&t->lock);
    free(t);
}

struct str token_issuer(struct arena *a, struct str base_url, const struct realm *r)
{
    return arena_printf(a, "%.*s/realms/%.*s", STR_ARG(base_url), STR_ARG(r->name));
}

static int parse(const struct realm_key *k, struct jose_key **ret, struct err *err)
{
    enum jose_alg alg = jose_alg_from(k->algorithm);

    if (alg == JOSE_UNKNOWN || !str_eq_nocase(k->use, STR("SIG")))
        return err_set(err, ERR_NOT_FOUND, "the key \"%.*s\" isn't for signatures", STR_ARG(k->kid));
    if (JOSE_BIT(alg) & JOSE_ANY_HMAC)
        return jose_key_from_secret(k->secret, k->kid, alg, ret, err);
    return jose_key_from_pem(k->private_pem.n ? k->private_pem : k->certificate_pem, k->kid, alg, ret, err);
}

static int get(struct tokens *t, const struct realm *r, const struct realm_key *k, struct jose_key **ret,
               struct err *err)
{
    struct str material = k->private_pem.n ? k->private_pem : k->secret.n ? k->secret : k->certificate_pem;
    BUF_SCOPED struct buf name = {0};
    struct jose_key *key = NULL, *old;
    int rc;

    buf_init(&name, 4096);
    buf_addf(&name, "%.*s %.*s %016llx", STR_ARG(r->id), STR_ARG(k->kid),
             (unsigned long long)map_hash(material.p, material.n));
    pthread_rwlock_rdlock(&t->lock);
    *ret = map_get(&t->keys, buf_str(&name));
    pthread_rwlock_unlock(&t->lock);
    if (*ret)
        return 0;
    rc = parse(k, &key, err);
    if (rc < 0)
        return rc;
    pthread_rwlock_wrlock(&t->lock);
    old = map_get(&t->keys, buf_str(&name));
    if (old) { /* another thread was as quick */
        jose_key_free(key);
        key = old;
    } else {
        map_set(&t->keys, buf_str(&name), key);
    }
    pthread_rwlock_unlock(&t->lock);
    *ret = key;
    return 0;
}

struct jose_key *token_key(struct tokens *t, const struct realm *r, struct str kid)
{
    const struct realm_key *k = kid.p ? realm_key(r, kid) : NULL;
    struct jose_key *key = NULL;

    return k && get(t, r, k, &key, NULL) == 0 ? key : NULL;
}

int tokens_signing_key(struct tokens *t, const struct realm *r, struct str algorithm, struct jose_key **ret,
                       struct err *err)
{
    const struct realm_key *k = realm_active_key(r, algorithm);

    if (!k)
        return err_set(err, ERR_NOT_FOUND, "the realm \"%.*s\" has no active key for %.*s", STR_ARG(r->name),
                       STR_ARG(algorithm));
    return get(t, r, k, ret, err);
}
