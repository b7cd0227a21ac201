/* Userinfo (OpenID Connect Core, 5.3): what an access token with the scope openid tells of its user. */
#include "identity/oidc/internal.h"

/* Errors are RFC 6750's: in WWW-Authenticate, with an empty body. */
static void refuse(struct call *c, int status, const char *error, const char *event_error, const char *description)
{
    struct http_response *p = call_response(c, status);

    if (error)
        http_response_addf(c->r, p, "WWW-Authenticate", "Bearer realm=\"%.*s\", error=\"%s\", error_description=\"%s\"",
                           STR_ARG(c->realm->name), error, description);
    else
        http_response_addf(c->r, p, "WWW-Authenticate", "Bearer realm=\"%.*s\"", STR_ARG(c->realm->name));
    event_fail(c->context->events, &c->event, event_error);
    http_respond_text(c->r, p, "text/plain;charset=utf-8", STR(""));
}

/* From the header, or from the form: one of them (RFC 6750, 2). */
static struct str find_token(struct call *c, bool *ret_twice)
{
    struct str header = token_of_header(http_header(c->r, "Authorization")), form = call_param(c, "access_token");

    *ret_twice = header.p && form.p;
    return header.p ? header : form;
}

static bool check_binding(struct call *c, const struct token *t, struct str text)
{
    struct str bound = json_str(json_object_get(json_object_get(t->claims, "cnf"), "jkt")), jkt;

    if (!bound.p)
        return true;
    if (!call_dpop(c, text, &jkt))
        return false;
    if (jkt.p && str_eq(jkt, bound) && str_starts_with_nocase(http_header(c->r, "Authorization"), STR("DPoP ")))
        return true;
    refuse(c, 401, "invalid_token", "invalid_token", "DPoP proof is missing");
    return false;
}

static int sign_answer(struct call *c, struct str algorithm, struct buf *claims, struct buf *to)
{
    struct jose_key *key;
    int rc = tokens_signing_key(c->o->tokens, c->realm, algorithm, &key, &c->err);

    return rc < 0 ? rc : jws_sign(key, jose_alg_from(algorithm), "JWT", buf_str(claims), to, &c->err);
}

static void answer(struct call *c, const struct token_request *q)
{
    struct str algorithm = client_attribute(c->client, "user.info.response.signature.alg");
    struct buf b, signed_text;
    struct json_writer w;
    int rc;

    buf_init(&b, 1 << 20);
    json_writer_init(&w, &b);
    json_open_object(&w);
    rc = token_write_userinfo(c->o->tokens, c->a, q, &w, &c->err);
    if (rc == 0 && algorithm.p) { /* Core, 5.3.2: signed ones say who made them for whom */
        json_key(&w, "iss");
        json_add_str(&w, c->issuer);
        json_key(&w, "aud");
        json_add_str(&w, c->client->client_id);
    }
    json_close_object(&w);
    if (rc == 0)
        rc = buf_check(&b, "the userinfo", &c->err);
    if (rc < 0) {
        buf_release(&b);
        call_broken(c);
        return;
    }
    c->flags |= CALL_NO_CACHE;
    if (!algorithm.p) {
        call_succeeded(c);
        call_answer(c, 200, &b);
        return;
    }
    buf_init(&signed_text, 1 << 20);
    rc = sign_answer(c, algorithm, &b, &signed_text);
    buf_release(&b);
    if (rc < 0) {
        buf_release(&signed_text);
        call_broken(c);
        return;
    }
    call_succeeded(c);
    http_respond_buf(c->r, call_response(c, 200), "application/jwt", &signed_text);
}

void oidc_userinfo(void *ctx, struct http_call *http)
{
    struct token_expect expect = {.kind = TOKEN_ACCESS};
    struct token_request q;
    struct token_scope scope;
    CALL_SCOPED struct call c;
    struct str text, scopes, part;
    struct token t;
    bool twice, openid = false;
    int rc;

    if (!call_begin(&c, ctx, http, "USER_INFO_REQUEST", CALL_NO_STORE))
        return;
    text = find_token(&c, &twice);
    if (twice) {
        refuse(&c, 400, "invalid_request", "invalid_token", "More than one method used for including an access token");
        return;
    }
    if (!text.p) {
        refuse(&c, 401, NULL, "invalid_token", NULL);
        return;
    }
    expect.issuer = c.issuer;
    rc = token_verify(c.o->tokens, c.realm, c.a, text, &expect, &t, &c.err);
    if (rc == ERR_DENIED) {
        refuse(&c, 401, "invalid_token", c.err.name, "Token verification failed");
        return;
    }
    if (rc < 0) {
        call_broken(&c);
        return;
    }
    call_event_client(&c, t.client);
    c.event.user_id = t.user.id;
    c.event.session_id = t.session.id;
    if (!check_binding(&c, &t, text))
        return;
    scopes = json_str(json_object_get(t.claims, "scope"));
    for (struct str rest = scopes; str_split(&rest, ' ', &part);)
        openid = openid || str_eq(part, STR("openid"));
    if (!openid) {
        refuse(&c, 403, "insufficient_scope", "access_denied", "Missing openid scope");
        return;
    }
    if (token_scope_resolve(c.realm, c.client, c.a, scopes, &scope, &c.err) < 0) {
        refuse(&c, 401, "invalid_token", "invalid_token", "Token verification failed"); /* the client lost a scope */
        return;
    }
    event_add(&c.event, "username", t.user.username);
    q = call_token_request(&c, &t.user, &scope, TOKEN_GRANT_CODE);
    q.session = t.session.id.p ? &t.session : NULL;
    q.client_host = t.user.service_account_of.p ? json_str(json_object_get(t.claims, "clientHost")) : STR_NULL;
    answer(&c, &q);
}
