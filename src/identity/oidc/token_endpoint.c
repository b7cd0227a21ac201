/* The token endpoint: which grant, who asks, and the answer. */
#include "identity/oidc/internal.h"

static const struct {
    const char *name, *event;
    void (*run)(struct call *c);
} grants[] = {
    {"authorization_code", "CODE_TO_TOKEN", grant_code},
    {"client_credentials", "CLIENT_LOGIN", grant_client_credentials},
    {"password", "LOGIN", grant_password},
    {"refresh_token", "REFRESH_TOKEN", grant_refresh},
    {"urn:ietf:params:oauth:grant-type:device_code", "OAUTH2_DEVICE_CODE_TO_TOKEN", grant_device},
    {"urn:ietf:params:oauth:grant-type:token-exchange", "TOKEN_EXCHANGE", grant_exchange},
};

/* Token exchange may name several audiences and resources (RFC 8693, 2.1); nothing else may repeat (RFC 6749, 3.2). */
static bool has_duplicates(const struct call *c, struct str grant_type)
{
    for (size_t i = 0; i < c->form.n; i++) {
        struct str name = c->form.fields[i].name;
        if (str_ends_with(grant_type, STR("token-exchange")) &&
            (str_eq(name, STR("audience")) || str_eq(name, STR("resource"))))
            continue;
        for (size_t k = 0; k < i; k++)
            if (str_eq(c->form.fields[k].name, name))
                return true;
    }
    return false;
}

void oidc_post_token(void *ctx, struct http_call *http)
{
    CALL_SCOPED struct call c;
    struct str grant_type;
    size_t i;

    if (!call_begin(&c, ctx, http, "LOGIN", CALL_NO_STORE))
        return;
    grant_type = call_param(&c, "grant_type");
    if (!grant_type.p) {
        call_fail(&c, 400, "invalid_request", "invalid_request", "Missing form parameter: grant_type");
        return;
    }
    for (i = 0; i < ARRAY_LEN(grants) && !str_eq_cstr(grant_type, grants[i].name); i++)
        ;
    if (i == ARRAY_LEN(grants)) {
        call_fail(&c, 400, "unsupported_grant_type", "invalid_request", "Unsupported grant_type");
        return;
    }
    c.event.type = grants[i].event;
    if (has_duplicates(&c, grant_type)) {
        call_fail(&c, 400, "invalid_request", "invalid_request", "duplicated parameter");
        return;
    }
    if (!call_client(&c))
        return;
    event_add(&c.event, "grant_type", grant_type);
    grants[i].run(&c);
}

struct token_request call_token_request(const struct call *c, const struct user *u, const struct token_scope *scope,
                                        enum token_grant grant)
{
    return (struct token_request){
        .realm = c->realm,
        .client = c->client,
        .user = u,
        .scope = scope,
        .grant = grant,
        .issuer = c->issuer,
        .want_refresh = config_bool(client_attributes(c->client), "use.refresh.tokens", true),
    };
}

void call_issue(struct call *c, const struct token_request *q, struct str issued_token_type)
{
    struct token_answer p;
    struct json_writer w;
    struct buf b;
    int rc = token_issue(c->o->tokens, c->a, q, &p, &c->err);

    if (rc == ERR_DENIED) {
        call_fail(c, 400, c->err.name, c->err.name, c->err.message);
        return;
    }
    if (rc < 0) {
        call_broken(c);
        return;
    }
    if (q->client_session && q->session && p.refresh_token.p)
        client_session_touch(c->context->sessions, c->realm, q->client_session);
    p.issued_token_type = issued_token_type;
    event_add(&c->event, "token_id", p.access_id);
    event_add(&c->event, q->grant == TOKEN_GRANT_REFRESH ? "updated_refresh_token_id" : "refresh_token_id",
              p.refresh_id);
    event_add(&c->event, "scope", p.scope);
    call_succeeded(c);
    buf_init(&b, (size_t)4 * JOSE_TOKEN_MAX);
    json_writer_init(&w, &b);
    token_answer_write(&p, &w);
    call_answer(c, 200, &b);
}
