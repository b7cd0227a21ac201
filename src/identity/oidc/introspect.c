/* Introspection (RFC 7662) and revocation (RFC 7009). */
#include "identity/oidc/internal.h"

static int verify_any(struct call *c, struct str text, struct token *ret)
{
    struct token_expect expect = {.kind = TOKEN_ACCESS, .issuer = c->issuer};
    int rc;

    if (str_eq(call_param(c, "token_type_hint"), STR("refresh_token")))
        expect.kind = TOKEN_REFRESH;
    rc = token_verify(c->o->tokens, c->realm, c->a, text, &expect, ret, &c->err);
    if (rc != ERR_DENIED)
        return rc;
    /* The hint may be wrong (RFC 7662, 2.1). */
    expect.kind = expect.kind == TOKEN_ACCESS ? TOKEN_REFRESH : TOKEN_ACCESS;
    return token_verify(c->o->tokens, c->realm, c->a, text, &expect, ret, &c->err);
}

static void add(struct json_writer *w, const char *name, struct str s)
{
    json_key(w, name);
    json_add_str(w, s);
}

/* What only the service itself reads of a refresh token; its audiences are those of the access tokens made with it. */
static json_t *public_claims(struct arena *a, const struct token *t)
{
    static const char *const own[] = {"prov", "reuse_id", "aud_x"};
    json_t *claims = json_keep(a, json_deep_copy(t->claims)), *extra = json_object_get(t->claims, "aud_x"), *one;
    size_t i;

    json_array_foreach(extra, i, one)
    {
        json_t *aud = json_object_get(claims, "aud"), *list = json_is_array(aud) ? json_incref(aud) : json_array();
        if (!json_is_array(aud))
            json_array_append(list, aud);
        json_array_append(list, one);
        json_object_set_new(claims, "aud", list);
    }
    for (i = 0; i < ARRAY_LEN(own); i++)
        json_object_del(claims, own[i]);
    return claims;
}

static void answer_active(struct call *c, struct token *t)
{
    struct str scopes = json_str(json_object_get(t->claims, "scope"));
    const struct client *caller = c->client;
    struct token_request q;
    struct token_scope scope;
    json_t *claims = public_claims(c->a, t);
    struct json_writer w;
    struct buf b;
    int rc;

    if (token_scope_resolve(c->realm, t->client, c->a, scopes, &scope, &c->err) < 0 &&
        token_scope_resolve(c->realm, t->client, c->a, STR_NULL, &scope, &c->err) < 0) {
        call_broken(c);
        return;
    }
    c->client = t->client;
    q = call_token_request(c, &t->user, &scope, TOKEN_GRANT_CODE);
    c->client = caller;
    q.session = t->session.id.p ? &t->session : NULL;
    q.acr = t->client_session.notes ? config_str(t->client_session.notes, "acr") : STR_NULL;
    if (!q.acr.p)
        q.acr = json_object_get(t->claims, "acr") ? json_str(json_object_get(t->claims, "acr")) : STR("1");
    q.client_host = json_str(json_object_get(t->claims, "clientHost"));
    buf_init(&b, 1 << 20);
    json_writer_init(&w, &b);
    json_open_object(&w);
    json_object_del(claims, "client_id"); /* said below, of every token */
    rc = token_write_introspection(c->o->tokens, c->a, &q, claims, &w, &c->err);
    if (rc < 0) {
        buf_release(&b);
        call_broken(c);
        return;
    }
    if (!q.client_host.p)
        add(&w, "client_id", t->client->client_id);
    add(&w, "username", t->user.username);
    add(&w, "token_type", t->type);
    json_key(&w, "active");
    json_add_bool(&w, true);
    json_close_object(&w);
    call_succeeded(c);
    call_answer(c, 200, &b);
}

static bool has_duplicates(const struct call *c)
{
    return !str_is_null(http_form_repeated(&c->form));
}

void oidc_post_introspect(void *ctx, struct http_call *http)
{
    CALL_SCOPED struct call c;
    struct token t;
    struct buf b;
    int rc;

    if (!call_begin(&c, ctx, http, "INTROSPECT_TOKEN", 0))
        return;
    if (has_duplicates(&c)) {
        call_fail(&c, 400, "invalid_request", "invalid_request", "duplicated parameter");
        return;
    }
    if (!call_client(&c))
        return;
    if (c.client->is_public) {
        call_fail(&c, 403, "invalid_request", "not_allowed", "Client not allowed.");
        return;
    }
    if (!call_param(&c, "token").p) {
        call_fail(&c, 400, "invalid_request", "invalid_request", "Token not provided.");
        return;
    }
    rc = verify_any(&c, call_param(&c, "token"), &t);
    if (rc < 0 && rc != ERR_DENIED) {
        call_broken(&c);
        return;
    }
    if (rc == 0) {
        c.event.user_id = t.user.id;
        c.event.session_id = t.session.id;
        event_add(&c.event, "token_id", t.id);
        answer_active(&c, &t);
        return;
    }
    event_fail(c.context->events, &c.event, c.err.name ? c.err.name : "invalid_token");
    buf_init(&b, 64);
    buf_add_cstr(&b, "{\"active\":false}");
    call_answer(&c, 200, &b);
}

/* ---- revocation ---- */

static int revoke(struct call *c, const struct token *t)
{
    struct sessions *s = c->context->sessions;
    struct client_session_list rest;
    int rc;

    if (t->kind == TOKEN_ACCESS)
        return sessions_revoke_token(s, c->realm, t->id, t->expires, &c->err);
    rc = client_session_end(s, c->realm, t->session.id, t->client->id, t->session.offline, &c->err);
    if (rc < 0 || t->session.offline)
        return rc;
    /* The login ends with the part of its last client. */
    rc = client_sessions_of(s, c->realm, c->a, &t->session, &rest, &c->err);
    return rc == 0 && rest.n == 0 ? session_end(s, c->realm, t->session.id, false, &c->err) : rc;
}

void oidc_post_revoke(void *ctx, struct http_call *http)
{
    CALL_SCOPED struct call c;
    struct token t;
    int rc;

    if (!call_begin(&c, ctx, http, "REVOKE_GRANT", 0))
        return;
    if (has_duplicates(&c)) {
        call_fail(&c, 400, "invalid_request", "invalid_request", "duplicated parameter");
        return;
    }
    if (!call_client(&c))
        return;
    if (!call_param(&c, "token").p) {
        call_fail(&c, 400, "invalid_request", "invalid_request", "Token not provided");
        return;
    }
    rc = verify_any(&c, call_param(&c, "token"), &t);
    if (rc == 0 && t.client != c.client) {
        call_fail(&c, 400, "invalid_client", "invalid_token", "Unmatching clients");
        return;
    }
    if (rc == 0) {
        c.event.user_id = t.user.id;
        c.event.session_id = t.session.id;
        event_add(&c.event, "token_id", t.id);
        rc = revoke(&c, &t);
    }
    if (rc < 0 && rc != ERR_DENIED) {
        call_broken(&c);
        return;
    }
    /* A token that is none, or no longer, is as good as revoked: RFC 7009, 2.2. */
    if (rc == 0)
        call_succeeded(&c);
    c.flags |= CALL_NO_STORE;
    call_answer_empty(&c, 200);
}
