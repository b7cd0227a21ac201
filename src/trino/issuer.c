#include "trino/issuer.h"

#include "base/enc.h"
#include "http/client.h"
#include "http/form.h"
#include "http/url.h"

#include <pthread.h>

enum { DOCUMENT_MAX = 1 << 20, TIMEOUT_MS = 10000, LEEWAY_SECONDS = 60 };

struct issuer {
    struct jwks *keys;
    char *url, *ca_file, *connect_to, *client_id;
    int (*get_secret)(void *ctx, struct buf *to, struct err *err);
    void *ctx;

    pthread_mutex_t lock; /* all below; never held during a request */
    char *authorization_url, *token_url;
};

static char *copy(const char *s)
{
    return s ? strdup(s) : NULL;
}

int issuer_new(const struct issuer_options *o, struct issuer **ret, struct err *err)
{
    struct issuer *i = calloc(1, sizeof(*i));
    const struct jwks_options keys = {
        .issuer = o->url, .jwks_url = o->jwks_url, .ca_file = o->ca_file, .connect_to = o->connect_to};

    if (!i)
        abort();
    pthread_mutex_init(&i->lock, NULL);
    i->url = copy(o->url);
    i->ca_file = copy(o->ca_file);
    i->connect_to = copy(o->connect_to);
    i->client_id = copy(o->client_id);
    i->get_secret = o->get_secret;
    i->ctx = o->ctx;
    int rc = jwks_new(&keys, &i->keys, err);
    if (rc < 0) {
        issuer_free(i);
        return rc;
    }
    *ret = i;
    return 0;
}

void issuer_free(struct issuer *i)
{
    if (!i)
        return;
    jwks_free(i->keys);
    free(i->url);
    free(i->ca_file);
    free(i->connect_to);
    free(i->client_id);
    free(i->authorization_url);
    free(i->token_url);
    pthread_mutex_destroy(&i->lock);
    free(i);
}

const char *issuer_client_id(const struct issuer *i)
{
    return i->client_id;
}

int issuer_verify(struct issuer *i, struct arena *a, struct str token, struct str audience, json_t **ret,
                  struct err *err)
{
    const struct jwt_expect e = {.issuer = str_from_cstr(i->url), .audience = audience, .leeway = LEEWAY_SECONDS};

    return jwks_verify(i->keys, a, token, JOSE_ANY_PUBLIC, &e, ret, err);
}

static int request(struct issuer *i, struct arena *a, const struct http_client_request *q,
                   struct http_client_response *ret, struct err *err)
{
    struct http_client *client;
    struct http_client_request all = *q;
    int rc = http_client_new(&client, err);

    if (rc < 0)
        return rc;
    all.ca_file = i->ca_file;
    all.connect_to = i->connect_to;
    all.timeout_ms = TIMEOUT_MS;
    all.response_max = DOCUMENT_MAX;
    rc = http_client_do(client, a, &all, ret, err);
    http_client_free(client);
    return rc;
}

/* ---- discovery (OpenID Connect Discovery, section 4) ---- */

/* An endpoint that the document names: https, or http as the issuer itself has it. */
static int read_endpoint(struct issuer *i, struct arena *a, const json_t *document, const char *key, char **ret,
                         struct err *err)
{
    struct str text;
    struct http_url url;
    int rc = json_get_str(document, key, &text, err);

    if (rc == 0)
        rc = http_url_parse(a, text, &url, err);
    if (rc < 0)
        return rc;
    if (!str_eq(url.scheme, STR("https")) && !str_starts_with(str_from_cstr(i->url), STR("http://")))
        return err_set(err, ERR_INVALID, "the issuer's %s is no https URL", key);
    *ret = strndup(text.p, text.n);
    return 0;
}

static int read_document(struct issuer *i, struct arena *a, struct str text, struct err *err)
{
    JSON_SCOPED json_t *document = NULL;
    struct str name;
    char *authorization = NULL, *token = NULL;
    int rc = json_parse(text, &document, err);

    if (rc == 0)
        rc = json_get_str(document, "issuer", &name, err);
    if (rc == 0 && !str_eq_cstr(name, i->url))
        rc = err_set(err, ERR_INVALID, "the discovery document is of the issuer %.*s", STR_ARG(name));
    if (rc == 0)
        rc = read_endpoint(i, a, document, "authorization_endpoint", &authorization, err);
    if (rc == 0)
        rc = read_endpoint(i, a, document, "token_endpoint", &token, err);
    if (rc < 0) {
        free(authorization);
        free(token);
        return rc;
    }
    pthread_mutex_lock(&i->lock);
    free(i->authorization_url);
    free(i->token_url);
    i->authorization_url = authorization;
    i->token_url = token;
    pthread_mutex_unlock(&i->lock);
    return 0;
}

/* Both endpoints, copied to the arena; found once. */
static int discover(struct issuer *i, struct arena *a, struct str *ret_authorization, struct str *ret_token,
                    struct err *err)
{
    pthread_mutex_lock(&i->lock);
    bool known = i->token_url != NULL;
    if (known) {
        *ret_authorization = arena_str(a, str_from_cstr(i->authorization_url));
        *ret_token = arena_str(a, str_from_cstr(i->token_url));
    }
    pthread_mutex_unlock(&i->lock);
    if (known)
        return 0;

    struct http_client_response answer = {0};
    const struct http_client_request q = {.method = "GET",
                                          .url = arena_printf(a, "%s/.well-known/openid-configuration", i->url).p};
    int rc = request(i, a, &q, &answer, err);
    if (rc < 0)
        return err_prefix(err, "the issuer's discovery document");
    if (answer.status != 200)
        rc = err_set(err, ERR_UNAVAILABLE, "the issuer's discovery document: HTTP %d", answer.status);
    else
        rc = read_document(i, a, buf_str(&answer.body), err);
    buf_release(&answer.body);
    return rc < 0 ? rc : discover(i, a, ret_authorization, ret_token, err);
}

int issuer_authorization_url(struct issuer *i, struct arena *a, struct str *ret, struct err *err)
{
    struct str token;

    return discover(i, a, ret, &token, err);
}

/* ---- tokens ---- */

static int read_tokens(struct arena *a, const struct http_client_response *answer, struct issuer_tokens *ret,
                       struct err *err)
{
    JSON_SCOPED json_t *document = NULL;
    struct str access;
    int rc = json_parse(buf_str(&answer->body), &document, NULL);

    if (answer->status >= 500 || rc < 0)
        return err_set(err, ERR_UNAVAILABLE, "the issuer's token endpoint: HTTP %d", answer->status);
    if (answer->status != 200) {
        struct str why = json_opt_str(document, "error", STR("unknown"));
        return err_set(err, ERR_DENIED, "the issuer gives no token: %.*s", STR_ARG(str_slice(why, 0, 100)));
    }
    if ((rc = json_get_str(document, "access_token", &access, err)) < 0)
        return rc;
    ret->access_token = arena_str(a, access);
    ret->id_token = json_opt_str(document, "id_token", STR_NULL);
    if (!str_is_null(ret->id_token))
        ret->id_token = arena_str(a, ret->id_token);
    return 0;
}

/* client_secret_basic (RFC 6749, 2.3.1: both parts form-encoded first), or the id alone. */
static int add_client(struct issuer *i, struct arena *a, struct buf *form, struct http_header *ret, size_t *ret_n,
                      struct err *err)
{
    BUF_SCOPED struct buf secret, pair, encoded;

    buf_init(&secret, 4096);
    buf_init(&pair, 16 << 10);
    buf_init(&encoded, 32 << 10);
    *ret_n = 0;
    if (!i->get_secret) {
        http_form_add(form, STR("client_id"), str_from_cstr(i->client_id));
        return 0;
    }
    int rc = i->get_secret(i->ctx, &secret, err);
    if (rc < 0)
        return rc;
    /* http_form_add writes name=value: of the empty name only "=value", whose '=' is cut off. */
    BUF_SCOPED struct buf part;
    buf_init(&part, 8192);
    http_form_add(&part, STR(""), str_from_cstr(i->client_id));
    buf_add_str(&pair, str_skip(buf_str(&part), 1));
    buf_add_char(&pair, ':');
    buf_reset(&part);
    http_form_add(&part, STR(""), buf_str(&secret));
    buf_add_str(&pair, str_skip(buf_str(&part), 1));
    buf_add_cstr(&encoded, "Basic ");
    enc_base64(&encoded, pair.p, pair.n);
    *ret = (struct http_header){STR("Authorization"), arena_str(a, buf_str(&encoded))};
    *ret_n = 1;
    buf_wipe(&secret);
    buf_wipe(&pair);
    buf_wipe(&part);
    buf_wipe(&encoded);
    return 0;
}

int issuer_get_tokens(struct issuer *i, struct arena *a, struct buf *form, struct issuer_tokens *ret, struct err *err)
{
    struct http_header headers[3] = {{STR("Content-Type"), STR("application/x-www-form-urlencoded")},
                                     {STR("Accept"), STR("application/json")}};
    struct http_client_response answer = {0};
    struct str authorization, url;
    size_t n = 0;
    int rc = discover(i, a, &authorization, &url, err);

    if (rc == 0)
        rc = add_client(i, a, form, &headers[2], &n, err);
    if (rc == 0)
        rc = buf_check(form, "the request of a token", err);
    if (rc < 0)
        return rc;
    const struct http_client_request q = {
        .method = "POST", .url = arena_cstr(a, url), .headers = headers, .header_count = 2 + n, .body = buf_str(form)};
    rc = request(i, a, &q, &answer, err);
    if (rc < 0)
        return err_prefix(err, "the issuer's token endpoint");
    rc = read_tokens(a, &answer, ret, err);
    buf_wipe(&answer.body);
    buf_release(&answer.body);
    return rc;
}
