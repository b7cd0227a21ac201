/*
 * The public keys of clients that sign their assertions: at the URL that the client names (use.jwks.url), in its
 * configuration as a set (use.jwks.string), or as a certificate or key (jwt.credential.…).
 */
#include "auth/jwks.h"
#include "identity/oidc/internal.h"

#include <pthread.h>

/* Sets fetched from clients' URLs, kept by URL for as long as the process lives: clients are configured by administrators,
 * so there are not many. */
static struct {
    pthread_mutex_t lock;
    struct map by_url;
} fetched = {.lock = PTHREAD_MUTEX_INITIALIZER};

enum { FETCHED_MAX = 1024 };

static int from_url(struct str url, struct str kid, enum jose_alg alg, struct jose_key **ret, struct err *err)
{
    struct jwks *keys;
    int rc = 0;

    pthread_mutex_lock(&fetched.lock);
    keys = map_get(&fetched.by_url, url);
    if (!keys) {
        ARENA_SCOPED struct arena a;
        struct jwks_options o = {.allow_http = false};
        arena_init(&a, 0);
        o.issuer = o.jwks_url = arena_cstr(&a, url);
        rc = fetched.by_url.n >= FETCHED_MAX
                 ? err_set(err, ERR_LIMIT, "more than %d clients with keys at URLs", FETCHED_MAX)
                 : jwks_new(&o, &keys, err);
        if (rc == 0)
            map_set(&fetched.by_url, url, keys);
    }
    pthread_mutex_unlock(&fetched.lock);
    return rc < 0 ? rc : jwks_key(keys, kid, alg, ret, err);
}

static int from_text(struct str text, struct str kid, enum jose_alg alg, struct jose_key **ret, struct err *err)
{
    struct jose_keys set;
    struct jose_key *k;
    int rc = jose_keys_parse(text, &set, err);

    if (rc < 0)
        return rc;
    k = jose_keys_find(&set, kid, alg);
    if (k)
        *ret = jose_key_ref(k);
    jose_keys_release(&set);
    return k ? 0 : err_set(err, ERR_NOT_FOUND, "no key \"%.*s\"", STR_ARG(kid));
}

/* Keycloak keeps certificates and keys as the base64 between a PEM's lines. */
static int from_pem(struct str text, const char *label, struct jose_key **ret, struct err *err)
{
    ARENA_SCOPED struct arena a;

    arena_init(&a, 0);
    if (str_find(text, STR("-----BEGIN"), 0) == SIZE_MAX) {
        BUF_SCOPED struct buf b = {0};
        buf_init(&b, 65536);
        buf_addf(&b, "-----BEGIN %s-----\n", label);
        for (size_t at = 0; at < text.n; at += 64) {
            buf_add_str(&b, str_slice(text, at, 64));
            buf_add_char(&b, '\n');
        }
        buf_addf(&b, "-----END %s-----\n", label);
        text = arena_str(&a, buf_str(&b));
    }
    return jose_key_from_pem(text, STR_NULL, JOSE_UNKNOWN, ret, err);
}

int client_assertion_key(struct oidc *o, const struct client *c, struct str kid, enum jose_alg alg,
                         struct jose_key **ret, struct err *err)
{
    const json_t *attributes = client_attributes(c);
    struct str url = config_str(attributes, "jwks.url"), set = config_str(attributes, "jwks.string");
    struct str certificate = config_str(attributes, "jwt.credential.certificate");
    struct str key = config_str(attributes, "jwt.credential.public.key");

    (void)o;
    if (config_bool(attributes, "use.jwks.url", false) && url.p)
        return from_url(url, kid, alg, ret, err);
    if (config_bool(attributes, "use.jwks.string", false) && set.p)
        return from_text(set, kid, alg, ret, err);
    if (certificate.p)
        return from_pem(certificate, "CERTIFICATE", ret, err);
    if (key.p)
        return from_pem(key, "PUBLIC KEY", ret, err);
    return err_set(err, ERR_NOT_FOUND, "the client \"%.*s\" has no keys", STR_ARG(c->client_id));
}
