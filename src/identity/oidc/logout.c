/*
 * Logout: sessions end at once; their clients are told by a pool of few threads, each client a few times. A client that
 * doesn't answer costs nobody but itself.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "http/client.h"
#include "identity/oidc/internal.h"
#include "os/pool.h"

#include <stdatomic.h>
#include <time.h>

enum { THREADS = 4, QUEUE_MAX = 10000, TRIES = 3, TIMEOUT_MS = 5000, TOKEN_LIFESPAN = 120, LIST_MAX = 100 };

struct logout {
    const struct identity_context *context;
    struct tokens *tokens;
    struct pool *pool;
    atomic_bool stopping;
    atomic_int waiting;
};

/* ---- telling a client ---- */

struct notice {
    struct logout *logout;
    char *url, *form; /* "logout_token=…" */
};

static void notice_free(struct notice *n)
{
    atomic_fetch_sub(&n->logout->waiting, 1);
    free(n->url);
    free(n->form);
    free(n);
}

/* OpenID Connect Back-Channel Logout 2.8: 200 and 204 are success; 400 is the client's last word. */
static int post(const struct notice *n, const char *ca_file, int *ret_status, struct err *err)
{
    struct http_header type = {STR("Content-Type"), STR("application/x-www-form-urlencoded")};
    struct http_client_request q = {.method = "POST",
                                    .url = n->url,
                                    .headers = &type,
                                    .header_count = 1,
                                    .body = str_from_cstr(n->form),
                                    .timeout_ms = TIMEOUT_MS,
                                    .response_max = 65536,
                                    .ca_file = ca_file};
    struct http_client_response p = {0};
    struct http_client *client;
    ARENA_SCOPED struct arena a;
    int rc;

    arena_init(&a, 0);
    rc = http_client_new(&client, err);
    if (rc < 0)
        return rc;
    rc = http_client_do(client, &a, &q, &p, err);
    if (rc == 0) {
        *ret_status = p.status;
        buf_release(&p.body);
    }
    http_client_free(client);
    return rc;
}

static void tell(void *arg)
{
    struct notice *n = arg;
    struct err err = {0};

    for (int i = 0; i < TRIES; i++) {
        int status = 0;
        const char *own_ca = n->logout->context->ca_file;
        int rc = post(n, NULL, &status, &err);
        if (rc < 0 && own_ca && str_starts_with(str_from_cstr(n->url), STR("https://")))
            rc = post(n, own_ca, &status, &err);
        if (rc == 0 && (status / 100 == 2 || status / 100 == 4)) {
            if (status / 100 == 4)
                log_warn("back-channel logout: %s answered %d", n->url, status);
            break;
        }
        log_warn("back-channel logout: %s: %s (try %d of %d)", n->url, rc < 0 ? err.message : "it failed", i + 1,
                 TRIES);
        for (int waited = 0; i + 1 < TRIES && waited < (1 << i) * 10 && !atomic_load(&n->logout->stopping); waited++) {
            const struct timespec pause = {0, 100000000};
            (void)nanosleep(&pause, NULL);
        }
    }
    notice_free(n);
}

static int logout_token(struct logout *l, const struct realm *r, struct arena *a, struct str issuer,
                        const struct client *c, const struct session *s, struct buf *to, struct err *err)
{
    struct str alg = client_attribute(c, "id.token.signed.response.alg");
    int64_t now = sessions_clock(l->context->sessions);
    BUF_SCOPED struct buf payload = {0};
    char id[UUID_TEXT_SIZE];
    struct jose_key *key;
    json_t *claims = json_keep(a, json_object()), *events = json_object();
    struct json_writer w;
    int rc;

    uuid_v4(id);
    json_object_set_new(claims, "iat", json_integer(now));
    json_object_set_new(claims, "exp", json_integer(now + TOKEN_LIFESPAN));
    json_object_set_new(claims, "jti", json_string(id));
    json_object_set_new(claims, "iss", json_stringn(issuer.p, issuer.n));
    json_object_set_new(claims, "aud", json_stringn(c->client_id.p, c->client_id.n));
    json_object_set_new(claims, "sub", json_stringn(s->user_id.p, s->user_id.n));
    json_object_set_new(claims, "typ", json_string("Logout"));
    if (config_bool(client_attributes(c), "backchannel.logout.session.required", true))
        json_object_set_new(claims, "sid", json_stringn(s->id.p, s->id.n));
    json_object_set_new(events, "http://schemas.openid.net/event/backchannel-logout", json_object());
    if (config_bool(client_attributes(c), "backchannel.logout.revoke.offline.tokens", false))
        json_object_set_new(events, "revoke_offline_access", json_true());
    json_object_set_new(claims, "events", events);
    if (!alg.p)
        alg = r->signature_algorithm.n ? r->signature_algorithm : STR("RS256");
    rc = tokens_signing_key(l->tokens, r, alg, &key, err);
    if (rc < 0)
        return rc;
    buf_init(&payload, 8192);
    json_writer_init(&w, &payload);
    json_add_value(&w, claims);
    return jws_sign(key, jose_alg_from(alg), "logout+jwt", buf_str(&payload), to, err);
}

static void notify(struct logout *l, const struct realm *r, struct arena *a, struct str issuer, const struct client *c,
                   const struct session *s)
{
    struct str url = client_attribute(c, "backchannel.logout.url");
    BUF_SCOPED struct buf token = {0}, form = {0};
    struct err err = {0};
    struct notice *n;

    if (!url.p)
        return;
    if (str_starts_with(url, STR("/")) && c->root_url.n)
        url = arena_printf(a, "%.*s%.*s", STR_ARG(c->root_url), STR_ARG(url));
    buf_init(&token, JOSE_TOKEN_MAX);
    buf_init(&form, (size_t)2 * JOSE_TOKEN_MAX);
    if (logout_token(l, r, a, issuer, c, s, &token, &err) < 0) {
        log_warn("back-channel logout of %.*s: %s", STR_ARG(c->client_id), err.message);
        return;
    }
    http_form_add(&form, STR("logout_token"), buf_str(&token));
    n = calloc(1, sizeof(*n));
    if (!n)
        abort();
    n->logout = l;
    n->url = strndup(url.p, url.n);
    n->form = strdup(buf_cstr(&form));
    if (!n->url || !n->form)
        abort();
    atomic_fetch_add(&l->waiting, 1);
    if (!pool_submit(l->pool, tell, n)) {
        log_warn("back-channel logout: too many wait; %s isn't told", n->url);
        notice_free(n);
    }
}

/* ---- ending sessions ---- */

int logout_open(const struct identity_context *c, struct logout **ret, struct err *err)
{
    struct logout *l = calloc(1, sizeof(*l));
    int rc;

    if (!l)
        abort();
    l->context = c;
    rc = tokens_open(c, &l->tokens, err);
    if (rc == 0)
        rc = pool_new("logout", THREADS, QUEUE_MAX, &l->pool, err);
    if (rc < 0) {
        tokens_close(l->tokens);
        free(l);
        return rc;
    }
    *ret = l;
    return 0;
}

void logout_close(struct logout *l, int grace_ms)
{
    int64_t until = clock_mono_ms() + grace_ms;

    if (!l)
        return;
    while (atomic_load(&l->waiting) > 0 && clock_mono_ms() < until) {
        const struct timespec pause = {0, 20000000};
        (void)nanosleep(&pause, NULL);
    }
    atomic_store(&l->stopping, true);
    pool_free(l->pool);
    tokens_close(l->tokens);
    free(l);
}

int logout_session(struct logout *l, const struct realm *r, struct str issuer, struct str session_id, struct err *err)
{
    struct sessions *sessions = l->context->sessions;
    struct client_session_list clients = {NULL, 0};
    ARENA_SCOPED struct arena a;
    struct session s;
    int rc;

    arena_init(&a, 0);
    rc = session_get(sessions, r, &a, session_id, false, &s, err);
    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc == 0)
        rc = client_sessions_of(sessions, r, &a, &s, &clients, err);
    if (rc == 0)
        rc = session_end(sessions, r, session_id, false, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < clients.n; i++) {
        const struct client *c = realm_client_by_id(r, clients.items[i].client_id);
        if (!c)
            continue;
        if (config_bool(client_attributes(c), "backchannel.logout.revoke.offline.tokens", false) &&
            (rc = client_session_end(sessions, r, session_id, c->id, true, err)) < 0)
            return rc;
        notify(l, r, &a, issuer, c, &s);
    }
    return 0;
}

int logout_user(struct logout *l, const struct realm *r, struct str issuer, struct str user_id, struct err *err)
{
    ARENA_SCOPED struct arena a;
    struct session_list list;
    int rc;

    arena_init(&a, 0);
    rc = sessions_of_user(l->context->sessions, r, &a, user_id, false, &list, err);
    for (size_t i = 0; rc == 0 && i < list.n; i++)
        rc = logout_session(l, r, issuer, list.items[i].id, err);
    return rc;
}

int logout_realm(struct logout *l, const struct realm *r, struct str issuer, struct err *err)
{
    struct session_list list = {NULL, 1};
    int rc = 0;

    while (rc == 0 && list.n > 0) {
        ARENA_SCOPED struct arena a;
        arena_init(&a, 0);
        rc = sessions_of_realm(l->context->sessions, r, &a, false, 0, LIST_MAX, &list, err);
        for (size_t i = 0; rc == 0 && i < list.n; i++)
            rc = logout_session(l, r, issuer, list.items[i].id, err);
    }
    return rc;
}

/* ---- POST …/logout with a refresh token ---- */

static int end_by_token(struct call *c, const struct token *t)
{
    struct sessions *s = c->context->sessions;

    if (t->offline)
        return client_session_end(s, c->realm, t->session.id, t->client->id, true, &c->err);
    return logout_session(c->o->logout, c->realm, c->issuer, t->session.id, &c->err);
}

void oidc_logout_with_refresh(struct oidc *o, struct http_call *http)
{
    CALL_SCOPED struct call c;
    struct token_expect expect = {.kind = TOKEN_REFRESH, .ignore_expiry = true, .ignore_session = true};
    struct token t;
    int rc;

    if (!call_begin(&c, o, http, "LOGOUT", 0))
        return;
    if (!str_is_null(http_form_repeated(&c.form))) {
        call_fail(&c, 400, "invalid_request", "invalid_request", "duplicated parameter");
        return;
    }
    if (!call_client(&c))
        return;
    if (!call_param(&c, "refresh_token").p) {
        call_fail(&c, 400, "invalid_request", "invalid_token", "No refresh token");
        return;
    }
    expect.issuer = c.issuer;
    rc = token_verify(c.o->tokens, c.realm, c.a, call_param(&c, "refresh_token"), &expect, &t, &c.err);
    if (rc == ERR_DENIED) {
        call_fail(&c, 400, "invalid_grant", c.err.name, c.err.message);
        return;
    }
    if (rc == 0 && t.client != c.client) {
        call_fail(&c, 400, "invalid_grant", "invalid_token",
                  "Invalid refresh token. Token client and authorized client don't match");
        return;
    }
    if (rc == 0) {
        c.event.user_id = t.user.id;
        c.event.session_id = t.session.id;
        rc = end_by_token(&c, &t);
    }
    if (rc < 0) {
        call_broken(&c);
        return;
    }
    call_succeeded(&c);
    call_answer_empty(&c, 204);
}
