/*
 * Keys of an issuer elsewhere. One lock guards the set; the fetch itself runs outside it, by the one thread that found
 * it due, while others use what is there or, when nothing is, wait.
 */
#include "auth/jwks.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/client.h"
#include <pthread.h>

enum { DOCUMENT_MAX = 1 << 20, URL_SIZE_MAX = 2048 };

struct jwks {
    struct arena arena; /* the options' texts */
    const char *issuer, *config_url, *jwks_url, *ca_file, *connect_to;
    int64_t max_age_ms, min_refetch_ms;
    int timeout_ms;
    bool allow_http;

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t fetched;
    struct jose_keys keys;
    int64_t fetched_ms, tried_ms; /* monotonic; 0: never */
    bool fetching;
    struct err last_error; /* of the last fetch; code 0: it went well */
};

/* Keys that come over plain http could be anybody's: only from this machine, or when the caller says so. */
static int check_url(struct str url, bool allow_http, struct err *err)
{
    struct str rest, host;
    size_t end;

    if (url.n > URL_SIZE_MAX)
        return err_set(err, ERR_INVALID, "a URL of %zu bytes", url.n);
    if (str_starts_with(url, STR("https://")) && url.n > STR("https://").n)
        return 0;
    if (!str_starts_with(url, STR("http://")))
        return err_set(err, ERR_INVALID, "\"%.*s\" isn't an https URL", STR_ARG(url));
    rest = str_skip(url, STR("http://").n);
    for (end = 0; end < rest.n && !strchr("/?#", rest.p[end]);)
        end++;
    host = str_slice(rest, 0, end);
    if (str_find_char(host, '@', 0) != SIZE_MAX)
        return err_set(err, ERR_INVALID, "a URL with a user name");
    if (!str_starts_with(host, STR("[")) && str_rfind_char(host, ':') != SIZE_MAX)
        host = str_slice(host, 0, str_rfind_char(host, ':'));
    if (allow_http || str_eq(host, STR("127.0.0.1")) || str_eq(host, STR("localhost")) ||
        str_starts_with(host, STR("[::1]")))
        return 0;
    return err_set(err, ERR_INVALID, "\"%.*s\": plain http only for this machine, use https", STR_ARG(url));
}

static const char *keep(struct arena *a, const char *s)
{
    return s ? arena_cstr(a, str_from_cstr(s)) : NULL;
}

int jwks_new(const struct jwks_options *o, struct jwks **ret, struct err *err)
{
    struct str urls[3] = {str_from_cstr(o->issuer), str_from_cstr(o->config_url), str_from_cstr(o->jwks_url)};
    struct jwks *s;
    int rc;

    if (!o->issuer)
        return err_set(err, ERR_INVALID, "no issuer");
    for (int i = 0; i < 3; i++)
        if (urls[i].p &&
            (rc = check_url(urls[i], o->allow_http || (i == 0 && (o->config_url || o->jwks_url)), err)) < 0)
            return rc;
    s = calloc(1, sizeof(*s));
    if (!s)
        abort();
    arena_init(&s->arena, 0);
    s->issuer = keep(&s->arena, o->issuer);
    s->config_url = keep(&s->arena, o->config_url);
    s->jwks_url = keep(&s->arena, o->jwks_url);
    s->ca_file = keep(&s->arena, o->ca_file);
    s->connect_to = keep(&s->arena, o->connect_to);
    if (!s->config_url) {
        struct str base = str_from_cstr(s->issuer);
        while (base.n && base.p[base.n - 1] == '/')
            base.n--;
        s->config_url = arena_printf(&s->arena, "%.*s/.well-known/openid-configuration", STR_ARG(base)).p;
    }
    s->max_age_ms = o->max_age_ms ? o->max_age_ms : 600000;
    s->min_refetch_ms = o->min_refetch_ms ? o->min_refetch_ms : 10000;
    s->timeout_ms = o->timeout_ms ? o->timeout_ms : 5000;
    s->allow_http = o->allow_http;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->fetched, NULL);
    *ret = s;
    return 0;
}

void jwks_free(struct jwks *s)
{
    if (!s)
        return;
    jose_keys_release(&s->keys);
    pthread_cond_destroy(&s->fetched);
    pthread_mutex_destroy(&s->lock);
    arena_release(&s->arena);
    free(s);
}

static int get(const struct jwks *s, struct http_client *client, struct arena *a, const char *url, struct str *ret,
               struct err *err)
{
    struct http_header accept = {STR("Accept"), STR("application/json")};
    struct http_client_request q = {.method = "GET",
                                    .url = url,
                                    .headers = &accept,
                                    .header_count = 1,
                                    .timeout_ms = s->timeout_ms,
                                    .response_max = DOCUMENT_MAX,
                                    .ca_file = s->ca_file,
                                    .connect_to = s->connect_to};
    struct http_client_response p = {0};
    int rc = http_client_do(client, a, &q, &p, err);

    if (rc < 0)
        return err_prefix(err, "%s", url);
    if (p.status != 200)
        rc = err_set(err, ERR_UNAVAILABLE, "%s answered %d", url, p.status);
    else
        *ret = arena_str(a, buf_str(&p.body));
    buf_release(&p.body);
    return rc;
}

/* OpenID Connect Discovery 4.3: the document has to be of this issuer, else another one's keys would speak for it. */
static int find_jwks_url(const struct jwks *s, struct http_client *client, struct arena *a, const char **ret,
                         struct err *err)
{
    JSON_SCOPED json_t *doc = NULL;
    struct str text, issuer, url;
    int rc = get(s, client, a, s->config_url, &text, err);

    if (rc == 0)
        rc = json_parse(text, &doc, err);
    if (rc == 0)
        rc = json_get_str(doc, "issuer", &issuer, err);
    if (rc == 0)
        rc = json_get_str(doc, "jwks_uri", &url, err);
    if (rc == 0 && !str_eq_cstr(issuer, s->issuer))
        rc = err_set(err, ERR_DENIED, "it is the issuer \"%.*s\"; expected \"%s\"", STR_ARG(issuer), s->issuer);
    if (rc == 0)
        rc = check_url(url, s->allow_http, err);
    if (rc < 0)
        return err_prefix(err, "discovery at %s", s->config_url);
    *ret = arena_cstr(a, url);
    return 0;
}

static int fetch(const struct jwks *s, struct jose_keys *ret, struct err *err)
{
    struct http_client *client = NULL;
    const char *url = s->jwks_url;
    ARENA_SCOPED struct arena a;
    struct str text;
    int rc;

    arena_init(&a, (size_t)8 * DOCUMENT_MAX);
    rc = http_client_new(&client, err);
    if (rc == 0 && !url)
        rc = find_jwks_url(s, client, &a, &url, err);
    if (rc == 0)
        rc = get(s, client, &a, url, &text, err);
    if (rc == 0 && (rc = jose_keys_parse(text, ret, err)) < 0)
        rc = err_prefix(err, "%s", url);
    http_client_free(client);
    return rc;
}

/* Called with the lock held, and held again after. */
static void fetch_unlocked(struct jwks *s)
{
    struct jose_keys keys = {NULL, 0, 0}, old;
    struct err err = {0};
    int rc;

    s->fetching = true;
    pthread_mutex_unlock(&s->lock);
    rc = fetch(s, &keys, &err);
    pthread_mutex_lock(&s->lock);
    s->fetching = false;
    s->tried_ms = clock_mono_ms();
    s->last_error = err;
    s->last_error.code = rc;
    if (rc == 0) {
        old = s->keys;
        s->keys = keys;
        s->fetched_ms = s->tried_ms;
        jose_keys_release(&old);
    } else {
        log_warn("keys of the issuer %s: %s", s->issuer, err.message);
    }
    pthread_cond_broadcast(&s->fetched);
}

int jwks_key(struct jwks *s, struct str kid, enum jose_alg alg, struct jose_key **ret, struct err *err)
{
    int rc = 0;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        struct jose_key *k = jose_keys_find(&s->keys, kid, alg);
        int64_t now = clock_mono_ms();
        /* After a failure sooner again: the issuer may just be starting. */
        int64_t pause = s->last_error.code < 0 ? s->min_refetch_ms / 10 : s->min_refetch_ms;
        bool fresh = s->fetched_ms && now - s->fetched_ms < s->max_age_ms;
        bool may_fetch = !s->tried_ms || now - s->tried_ms >= pause;

        if (k && (fresh || s->fetching || !may_fetch)) {
            *ret = jose_key_ref(k);
            break;
        }
        if (s->fetching) {
            pthread_cond_wait(&s->fetched, &s->lock);
        } else if (may_fetch) {
            fetch_unlocked(s);
        } else {
            rc = s->fetched_ms
                     ? err_set(err, ERR_DENIED, "the issuer %s has no key \"%.*s\" for %s", s->issuer, STR_ARG(kid),
                               jose_alg_name(alg))
                     : err_set(err, ERR_UNAVAILABLE, "no keys of the issuer %s: %s", s->issuer, s->last_error.message);
            break;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

int jwks_verify(struct jwks *s, struct arena *a, struct str token, uint32_t allowed, const struct jwt_expect *e,
                json_t **ret, struct err *err)
{
    JOSE_KEY_SCOPED struct jose_key *k = NULL;
    struct jwt_expect expect = *e;
    struct jws jws;
    int rc = jws_parse(a, token, &jws, err);

    if (rc < 0)
        return rc;
    allowed &= JOSE_ANY_PUBLIC;
    if (!(JOSE_BIT(jws.alg) & allowed)) /* before a fetch is spent on it */
        return err_set(err, ERR_DENIED, "tokens signed by %s aren't accepted here", jose_alg_name(jws.alg));
    rc = jwks_key(s, jws.kid, jws.alg, &k, err);
    if (rc == 0)
        rc = jws_verify(&jws, k, allowed, err);
    if (rc < 0)
        return rc;
    expect.issuer = str_from_cstr(s->issuer);
    return jwt_claims(jws.payload, &expect, ret, err);
}
