#include "trino/oauth2.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/uuid.h"
#include "base/vec.h"
#include "http/cookie.h"
#include "http/form.h"

#include <pthread.h>

enum {
    CHALLENGE_MS = 15 * 60 * 1000, /* how long a login may take */
    POLL_MS = 10000,               /* how long a poll waits */
    EXCHANGES_MAX = 10000,
    WAITERS_MAX = 1000,
    HASH_SIZE = 65, /* hexadecimal SHA-256 and a NUL */
    RANDOM_BYTES = 32,
};

#define NONCE_COOKIE "__Secure-Trino-Nonce"

/* One login under way, or done and not fetched yet. */
struct exchange {
    char *token;       /* NULL: not there yet */
    const char *error; /* NULL: none */
    int64_t expires_ms;
};

struct poll {
    struct http_request *request;
    struct str uri; /* its own, in the request's arena */
    char hash[HASH_SIZE];
    int64_t deadline_ms;
};

struct oauth2 {
    struct issuer *issuer;
    char *scope;
    int (*accept)(void *ctx, struct arena *a, const json_t *claims, struct err *err);
    void *ctx;
    unsigned char state_key[32];
    pthread_t clock;

    pthread_mutex_t lock; /* all below */
    pthread_cond_t wake;
    struct map exchanges; /* hash of the id → struct exchange * */
    VEC(struct poll) polls;
    bool is_stopping;
};

/* ---- small things ---- */

static void respond_json(struct http_request *r, const char *key, struct str value)
{
    struct buf body;
    struct json_writer w;

    buf_init(&body, 1 << 20);
    json_writer_init(&w, &body);
    json_open_object(&w);
    json_key(&w, key);
    json_add_str(&w, value);
    json_close_object(&w);
    struct http_response *p = http_response_new(r, 200);
    http_response_add(r, p, "Cache-Control", STR("no-store"));
    http_respond_buf(r, p, "application/json", &body);
}

static void delete_nonce(struct http_request *r, struct http_response *p)
{
    const struct http_cookie gone = {.name = NONCE_COOKIE,
                                     .value = STR("delete"),
                                     .path = "/oauth2/callback",
                                     .max_age = -1,
                                     .http_only = true,
                                     .secure = true};

    (void)!http_cookie_set(r, p, &gone, NULL);
}

/* A page for the person at the browser: no script, nothing from elsewhere, and none of what was in the URL. */
static void respond_page(struct http_request *r, int status, const char *title, const char *text)
{
    struct http_response *p = http_response_new(r, status);

    http_response_add(r, p, "Cache-Control", STR("no-store"));
    http_response_add(r, p, "Referrer-Policy", STR("no-referrer"));
    http_response_add(r, p, "X-Content-Type-Options", STR("nosniff"));
    http_response_add(r, p, "Content-Security-Policy", STR("default-src 'none'; frame-ancestors 'none'"));
    delete_nonce(r, p);
    http_respond_text(r, p, "text/html; charset=utf-8",
                      arena_printf(r->arena,
                                   "<!DOCTYPE html>\n<html lang=\"en\"><head><title>%s</title></head>\n"
                                   "<body><h1>%s</h1><p>%s</p></body></html>\n",
                                   title, title, text));
}

static void hash_text(struct str text, char out[HASH_SIZE])
{
    BUF_SCOPED struct buf hex;
    unsigned char digest[HASH_MAX_SIZE];
    struct hash h;

    hash_init(&h, HASH_SHA256);
    hash_update(&h, text.p, text.n);
    hash_final(&h, digest);
    buf_init(&hex, HASH_SIZE);
    enc_hex(&hex, digest, 32);
    memcpy(out, hex.p, HASH_SIZE - 1);
    out[HASH_SIZE - 1] = '\0';
}

static bool is_hash(struct str s)
{
    if (s.n != HASH_SIZE - 1)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return true;
}

static struct str random_text(struct arena *a)
{
    unsigned char bytes[RANDOM_BYTES];
    BUF_SCOPED struct buf text;

    rand_bytes(bytes, sizeof(bytes));
    buf_init(&text, 64);
    enc_base64url(&text, bytes, sizeof(bytes));
    return arena_str(a, buf_str(&text));
}

struct str oauth2_challenge(struct http_request *r, struct str base_uri)
{
    char hash[HASH_SIZE], id[UUID_TEXT_SIZE];

    uuid_v4(id);
    hash_text(str_from_cstr(id), hash);
    return arena_printf(r->arena,
                        "Bearer x_redirect_server=\"%.*s/oauth2/token/initiate/%s\", "
                        "x_token_server=\"%.*s/oauth2/token/%s\"",
                        STR_ARG(base_uri), hash, STR_ARG(base_uri), id);
}

/* ---- the exchange of tokens ---- */

static void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    if (x->token)
        explicit_bzero(x->token, strlen(x->token));
    free(x->token);
    free(x);
}

/* With the lock held. Full of logins that nobody ended: the oldest goes. */
static struct exchange *find_exchange(struct oauth2 *o, struct str hash)
{
    struct exchange *x = map_get(&o->exchanges, hash);

    if (x)
        return x;
    if (o->exchanges.n >= EXCHANGES_MAX) {
        struct map_entry *oldest = map_next(&o->exchanges, NULL);
        exchange_free(map_remove(&o->exchanges, oldest->key));
    }
    x = calloc(1, sizeof(*x));
    if (!x)
        abort();
    x->expires_ms = clock_mono_ms() + CHALLENGE_MS;
    map_set(&o->exchanges, hash, x);
    return x;
}

/* True when there is something to say. */
static bool answer_poll(struct http_request *r, const struct exchange *x)
{
    if (x->error)
        respond_json(r, "error", str_from_cstr(x->error));
    else if (x->token)
        respond_json(r, "token", str_from_cstr(x->token));
    return x->error || x->token;
}

/* With the lock held: answers those who wait for this one, and those whose time is over. */
static void answer_polls(struct oauth2 *o, int64_t now_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < o->polls.n; i++) {
        struct poll *p = &o->polls.items[i];
        const struct exchange *x = map_get(&o->exchanges, str_from_cstr(p->hash));
        if (x && answer_poll(p->request, x))
            continue;
        if (!x)
            respond_json(p->request, "error", STR("Authentication has timed out"));
        else if (now_ms >= p->deadline_ms || o->is_stopping)
            respond_json(p->request, "nextUri", p->uri);
        else
            o->polls.items[kept++] = *p;
    }
    o->polls.n = kept;
}

static void settle(struct oauth2 *o, struct str hash, struct str token, const char *error)
{
    pthread_mutex_lock(&o->lock);
    struct exchange *x = find_exchange(o, hash);
    if (!x->token && !x->error) {
        x->token = str_is_null(token) ? NULL : strndup(token.p, token.n);
        x->error = error;
    }
    answer_polls(o, clock_mono_ms());
    pthread_mutex_unlock(&o->lock);
}

static void *run_clock(void *ctx)
{
    struct oauth2 *o = ctx;

    pthread_mutex_lock(&o->lock);
    while (!o->is_stopping) {
        int64_t now = clock_mono_ms(), next = now + 60000;
        struct map_entry *after;

        for (struct map_entry *e = map_next(&o->exchanges, NULL); e; e = after) {
            struct exchange *x = e->value;
            after = map_next(&o->exchanges, e);
            if (x->expires_ms <= now) /* in the order of their ends: the first that isn't over ends the search */
                exchange_free(map_remove(&o->exchanges, e->key));
            else
                break;
        }
        answer_polls(o, now);
        for (size_t i = 0; i < o->polls.n; i++)
            next = o->polls.items[i].deadline_ms < next ? o->polls.items[i].deadline_ms : next;
        struct timespec t = {.tv_sec = next / 1000, .tv_nsec = next % 1000 * 1000000};
        pthread_cond_timedwait(&o->wake, &o->lock, &t);
    }
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

static void get_token(struct oauth2 *o, struct http_request *r, struct str id, struct str base_uri)
{
    struct poll p = {.request = r};

    hash_text(id, p.hash);
    p.uri = arena_printf(r->arena, "%.*s/oauth2/token/%.*s", STR_ARG(base_uri), STR_ARG(id));
    pthread_mutex_lock(&o->lock);
    const struct exchange *x = find_exchange(o, str_from_cstr(p.hash));
    if (answer_poll(r, x)) {
        pthread_mutex_unlock(&o->lock);
        return;
    }
    if (o->polls.n >= WAITERS_MAX || o->is_stopping) {
        respond_json(r, "nextUri", p.uri);
    } else {
        p.deadline_ms = clock_mono_ms() + POLL_MS;
        vec_push(&o->polls, p);
        pthread_cond_signal(&o->wake);
    }
    pthread_mutex_unlock(&o->lock);
}

static void delete_token(struct oauth2 *o, struct http_request *r, struct str id)
{
    char hash[HASH_SIZE];

    hash_text(id, hash);
    pthread_mutex_lock(&o->lock);
    struct exchange *x = find_exchange(o, str_from_cstr(hash));
    if (x->token)
        explicit_bzero(x->token, strlen(x->token));
    free(x->token);
    x->token = NULL;
    x->error = "Authentication has been finished by the client";
    answer_polls(o, clock_mono_ms());
    pthread_mutex_unlock(&o->lock);
    http_respond_empty(r, http_response_new(r, 200));
}

/* ---- the login ---- */

/* What goes to the provider and comes back: whose login it is, the nonce (which the browser's cookie has to have, so that
 * nobody ends another one's login), PKCE's verifier, until when. Sealed: it is in the browser's history. */
struct challenge {
    struct str hash, nonce, verifier;
};

static int seal_challenge(const struct oauth2 *o, const struct challenge *c, struct buf *to, struct err *err)
{
    BUF_SCOPED struct buf text;
    const int64_t until = clock_wall_ms() + CHALLENGE_MS;

    buf_init(&text, 1024);
    buf_addf(&text, "%lld %.*s %.*s %.*s", (long long)until, STR_ARG(c->hash), STR_ARG(c->nonce), STR_ARG(c->verifier));
    return jwe_seal(o->state_key, STR_NULL, buf_str(&text), to, err);
}

static int open_challenge(const struct oauth2 *o, struct arena *a, struct str state, struct challenge *ret,
                          struct err *err)
{
    struct str text, expires;
    int64_t until;
    int rc = jwe_open(a, o->state_key, STR_NULL, state, &text, err);

    if (rc < 0)
        return rc;
    if (!str_split(&text, ' ', &expires) || !str_split(&text, ' ', &ret->hash) || !str_split(&text, ' ', &ret->nonce) ||
        !str_split(&text, ' ', &ret->verifier) || str_to_i64(expires, &until, NULL) < 0)
        return err_set(err, ERR_INVALID, "the state is malformed");
    return until < clock_wall_ms() ? err_set(err, ERR_DENIED, "the login took too long") : 0;
}

static struct str callback_uri(struct http_request *r, struct str base_uri)
{
    return arena_printf(r->arena, "%.*s/oauth2/callback", STR_ARG(base_uri));
}

static int authorization_uri(struct oauth2 *o, struct http_request *r, struct str base_uri, const struct challenge *c,
                             struct buf *to, struct err *err)
{
    BUF_SCOPED struct buf state, code_challenge;
    unsigned char digest[HASH_MAX_SIZE];
    char nonce[HASH_SIZE];
    struct hash h;
    struct str url;
    int rc = issuer_authorization_url(o->issuer, r->arena, &url, err);

    buf_init(&state, 4096);
    buf_init(&code_challenge, 64);
    if (rc == 0)
        rc = seal_challenge(o, c, &state, err);
    if (rc < 0)
        return rc;
    hash_text(c->nonce, nonce);
    hash_init(&h, HASH_SHA256);
    hash_update(&h, c->verifier.p, c->verifier.n);
    hash_final(&h, digest);
    enc_base64url(&code_challenge, digest, 32);
    buf_add_str(to, url);
    http_form_add_to_url(to, STR("response_type"), STR("code"));
    http_form_add_to_url(to, STR("client_id"), str_from_cstr(issuer_client_id(o->issuer)));
    http_form_add_to_url(to, STR("redirect_uri"), callback_uri(r, base_uri));
    http_form_add_to_url(to, STR("scope"), str_from_cstr(o->scope));
    http_form_add_to_url(to, STR("state"), buf_str(&state));
    http_form_add_to_url(to, STR("nonce"), str_from_cstr(nonce));
    http_form_add_to_url(to, STR("code_challenge"), buf_str(&code_challenge));
    http_form_add_to_url(to, STR("code_challenge_method"), STR("S256"));
    return buf_check(to, "the provider's URL", err);
}

static void initiate(struct oauth2 *o, struct http_request *r, struct str hash, struct str base_uri)
{
    const struct challenge c = {hash, random_text(r->arena), random_text(r->arena)};
    BUF_SCOPED struct buf url;
    struct err err = {0};

    buf_init(&url, 16 << 10);
    if (!is_hash(hash)) {
        respond_page(r, 400, "Login failed", "This is no address that a login begins at.");
        return;
    }
    if (authorization_uri(o, r, base_uri, &c, &url, &err) < 0) {
        log_warn("oauth2: %s", err.message);
        respond_page(r, 503, "Login failed", "The login service can't be reached. Try again in a moment.");
        return;
    }
    struct http_response *p = http_response_new(r, 303);
    const struct http_cookie cookie = {.name = NONCE_COOKIE,
                                       .value = c.nonce,
                                       .path = "/oauth2/callback",
                                       .max_age = CHALLENGE_MS / 1000,
                                       .http_only = true,
                                       .secure = true,
                                       .same_site = HTTP_SAME_SITE_LAX};
    if (http_cookie_set(r, p, &cookie, &err) < 0)
        log_warn("oauth2: %s", err.message);
    http_response_add(r, p, "Location", buf_str(&url));
    http_response_add(r, p, "Cache-Control", STR("no-store"));
    http_respond_empty(r, p);
}

/* The ID token is for us and of this login (OpenID Connect Core, 3.1.3.7), and the access token's owner may log in. */
static int check_tokens(struct oauth2 *o, struct http_request *r, const struct challenge *c,
                        const struct issuer_tokens *tokens, struct err *err)
{
    JSON_SCOPED json_t *id = NULL, *access = NULL;
    char nonce[HASH_SIZE];

    if (str_is_null(tokens->id_token))
        return err_set(err, ERR_DENIED, "the provider gave no ID token: is the scope openid asked for?");
    int rc = issuer_verify(o->issuer, r->arena, tokens->id_token, str_from_cstr(issuer_client_id(o->issuer)), &id, err);
    if (rc < 0)
        return err_prefix(err, "the ID token");
    hash_text(c->nonce, nonce);
    if (!str_eq_secret(json_opt_str(id, "nonce", STR("")), str_from_cstr(nonce)))
        return err_set(err, ERR_DENIED, "the ID token is of another login");
    rc = issuer_verify(o->issuer, r->arena, tokens->access_token, STR_NULL, &access, err);
    if (rc < 0)
        return err_prefix(err, "the access token");
    return o->accept(o->ctx, r->arena, access, err);
}

static int redeem(struct oauth2 *o, struct http_request *r, const struct challenge *c, struct str code,
                  struct str base_uri, struct issuer_tokens *ret, struct err *err)
{
    BUF_SCOPED struct buf form;

    buf_init(&form, 32 << 10);
    http_form_add(&form, STR("grant_type"), STR("authorization_code"));
    http_form_add(&form, STR("code"), code);
    http_form_add(&form, STR("redirect_uri"), callback_uri(r, base_uri));
    http_form_add(&form, STR("code_verifier"), c->verifier);
    int rc = issuer_get_tokens(o->issuer, r->arena, &form, ret, err);
    return rc < 0 ? rc : check_tokens(o, r, c, ret, err);
}

static const char *explain(struct str error)
{
    static const char *const texts[][2] = {
        {"access_denied", "OAuth2 server denied the login"},
        {"unauthorized_client", "OAuth2 server does not allow request from this Trino server"},
        {"server_error", "OAuth2 server had a failure"},
        {"temporarily_unavailable", "OAuth2 server is temporarily unavailable"},
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (str_eq_cstr(error, texts[i][0]))
            return texts[i][1];
    return "OAuth2 unknown error code";
}

static void callback(struct oauth2 *o, struct http_request *r, struct str base_uri)
{
    static const char failed[] = "Authentication response could not be verified";
    struct str state = http_query(r, "state"), code = http_query(r, "code"), error = http_query(r, "error");
    struct challenge c;
    struct issuer_tokens tokens;
    struct err err = {0};

    if (open_challenge(o, r->arena, str_is_null(state) ? STR("") : state, &c, &err) < 0) {
        respond_page(r, 400, "Login failed", failed);
        return;
    }
    /* Only the browser that began the login may end it, well or not. */
    struct str cookie = http_cookie_get(r, NONCE_COOKIE);
    if (str_is_null(cookie) || !str_eq_secret(cookie, c.nonce)) {
        respond_page(r, 400, "Login failed", failed);
        return;
    }
    if (!str_is_null(error)) {
        settle(o, c.hash, STR_NULL, explain(error));
        respond_page(r, 200, "Login failed", explain(error));
        return;
    }
    if (redeem(o, r, &c, str_is_null(code) ? STR("") : code, base_uri, &tokens, &err) < 0) {
        log_warn("oauth2: %s", err.message);
        settle(o, c.hash, STR_NULL, failed);
        respond_page(r, 400, "Login failed", failed);
        return;
    }
    settle(o, c.hash, tokens.access_token, NULL);
    respond_page(r, 200, "Login successful", "You can close this window now.");
}

/* ---- routes ---- */

bool oauth2_handle(struct oauth2 *o, struct http_request *r, struct str base_uri)
{
    const struct str token = STR("/oauth2/token/"), begin = STR("/oauth2/token/initiate/");
    unsigned char bytes[16];
    bool get = str_eq(r->method, STR("GET"));

    if (!str_starts_with(r->path, STR("/oauth2/")))
        return false;
    if (get && str_eq(r->path, STR("/oauth2/callback"))) {
        callback(o, r, base_uri);
        return true;
    }
    if (get && str_starts_with(r->path, begin)) {
        initiate(o, r, str_skip(r->path, begin.n), base_uri);
        return true;
    }
    struct str id = str_skip(r->path, token.n);
    if (!str_starts_with(r->path, token) || uuid_parse(id, bytes, NULL) < 0)
        return false;
    if (get)
        get_token(o, r, id, base_uri);
    else if (str_eq(r->method, STR("DELETE")))
        delete_token(o, r, id);
    else
        return false;
    return true;
}

/* ---- its life ---- */

int oauth2_new(const struct oauth2_options *options, struct oauth2 **ret, struct err *err)
{
    struct oauth2 *o = calloc(1, sizeof(*o));
    BUF_SCOPED struct buf scope;
    pthread_condattr_t monotonic;

    if (!o)
        abort();
    buf_init(&scope, 4096);
    for (size_t i = 0; i < options->scope_count; i++)
        buf_addf(&scope, "%s%.*s", i ? " " : "", STR_ARG(options->scopes[i]));
    o->scope = strdup(scope.n ? buf_cstr(&scope) : "openid");
    o->issuer = options->issuer;
    o->accept = options->accept;
    o->ctx = options->ctx;
    rand_bytes(o->state_key, sizeof(o->state_key));
    pthread_mutex_init(&o->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&o->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int rc = pthread_create(&o->clock, NULL, run_clock, o);
    if (rc != 0) {
        free(o->scope);
        free(o);
        return err_set_errno(err, rc, "cannot start a thread");
    }
    *ret = o;
    return 0;
}

void oauth2_stop(struct oauth2 *o)
{
    if (!o)
        return;
    pthread_mutex_lock(&o->lock);
    o->is_stopping = true;
    answer_polls(o, clock_mono_ms());
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->lock);
}

void oauth2_free(struct oauth2 *o)
{
    if (!o)
        return;
    oauth2_stop(o);
    pthread_join(o->clock, NULL);
    for (struct map_entry *e = NULL; (e = map_next(&o->exchanges, e));)
        exchange_free(e->value);
    map_release(&o->exchanges);
    vec_release(&o->polls);
    pthread_cond_destroy(&o->wake);
    pthread_mutex_destroy(&o->lock);
    free(o->scope);
    explicit_bzero(o, sizeof(*o));
    free(o);
}
