/* The first step of the device grant (RFC 8628) and pushed authorization requests (RFC 9126): both take a request now for a
 * browser that comes later. */
#include "base/rand.h"
#include "identity/oidc/internal.h"

enum { PAR_SIZE_MAX = 16 << 10, PAR_NAME = 43 };

static void add(struct json_writer *w, const char *name, struct str s)
{
    json_key(w, name);
    json_add_str(w, s);
}

void oidc_post_device(void *ctx, struct http_call *http)
{
    struct token_scope scope;
    CALL_SCOPED struct call c;
    struct device_code what, d;
    struct json_writer w;
    struct buf b;

    if (!call_begin(&c, ctx, http, "OAUTH2_DEVICE_AUTH", 0))
        return;
    if (!str_is_null(http_form_repeated(&c.form))) {
        call_fail(&c, 400, "invalid_request", "invalid_request", "duplicated parameter");
        return;
    }
    if (!call_client(&c))
        return;
    if (!c.client->device_flow) {
        call_fail(
            &c, 400, "unauthorized_client", "not_allowed",
            "Client is not allowed to initiate OAuth 2.0 Device Authorization Grant. The flow is disabled for the "
            "client.");
        return;
    }
    what = (struct device_code){
        .client_id = c.client->id,
        .scope = http_form_get(&c.form, "scope"),
        .nonce = call_param(&c, "nonce"),
        .code_challenge = call_param(&c, "code_challenge"),
        .code_challenge_method = call_param(&c, "code_challenge_method"),
    };
    if (token_scope_resolve(c.realm, c.client, c.a, what.scope, &scope, &c.err) < 0) {
        call_fail(&c, 400, "invalid_scope", "invalid_request", c.err.message);
        return;
    }
    if (oidc_check_pkce_request(c.client, what.code_challenge, what.code_challenge_method, &c.err) < 0) {
        call_fail(&c, 400, "invalid_request", "invalid_request", c.err.message);
        return;
    }
    if (device_code_new(c.context->sessions, c.realm, c.a, &what, &d, &c.err) < 0) {
        call_broken(&c);
        return;
    }
    buf_init(&b, 8192);
    json_writer_init(&w, &b);
    json_open_object(&w);
    add(&w, "device_code", d.device_code);
    add(&w, "user_code", d.user_code);
    add(&w, "verification_uri", arena_printf(c.a, "%.*s/device", STR_ARG(c.issuer)));
    add(&w, "verification_uri_complete",
        arena_printf(c.a, "%.*s/device?user_code=%.*s", STR_ARG(c.issuer), STR_ARG(d.user_code)));
    json_key(&w, "expires_in");
    json_add_i64(&w, d.expires - sessions_clock(c.context->sessions));
    json_key(&w, "interval");
    json_add_i64(&w, d.interval);
    json_close_object(&w);
    call_succeeded(&c);
    c.flags |= CALL_NO_STORE;
    call_answer(&c, 200, &b);
}

/* ---- pushed authorization requests ---- */

/* The parameters of an authorization request, without those that authenticated the client; its id is the client's. */
static int request_text(struct call *c, struct buf *to)
{
    static const char *const left_out[] = {"client_id", "client_secret", "client_assertion", "client_assertion_type"};

    http_form_add(to, STR("client_id"), c->client->client_id);
    for (size_t i = 0; i < c->form.n; i++) {
        bool keep = true;
        for (size_t k = 0; k < ARRAY_LEN(left_out); k++)
            keep = keep && !str_eq_cstr(c->form.fields[i].name, left_out[k]);
        if (keep)
            http_form_add(to, c->form.fields[i].name, c->form.fields[i].value);
    }
    return buf_check(to, "the pushed request", &c->err);
}

void oidc_post_par(void *ctx, struct http_call *http)
{
    BUF_SCOPED struct buf text = {0};
    CALL_SCOPED struct call c;
    char name[PAR_NAME + 1];
    struct json_writer w;
    int64_t lifespan;
    struct buf b;
    int rc;

    if (!call_begin(&c, ctx, http, "PUSHED_AUTHORIZATION_REQUEST", CALL_NO_STORE))
        return;
    if (!str_is_null(http_form_repeated(&c.form))) {
        call_fail(&c, 400, "invalid_request", "invalid_request", "duplicated parameter");
        return;
    }
    if (!call_client(&c))
        return;
    if (http_form_count(&c.form, "request_uri")) {
        call_fail(&c, 400, "invalid_request", "invalid_request", "It is not allowed to include request_uri to PAR.");
        return;
    }
    buf_init(&text, PAR_SIZE_MAX);
    if (request_text(&c, &text) < 0) {
        call_fail(&c, 400, "invalid_request", "invalid_request", "The request is too long");
        return;
    }
    rand_alnum(name, PAR_NAME);
    lifespan = config_i64(json_object_get(c.realm->rep, "attributes"), "parRequestUriLifespan", 60);
    rc = sessions_keep(c.context->sessions, c.realm, "par", str_from_cstr(name), buf_str(&text),
                       sessions_clock(c.context->sessions) + lifespan, &c.err);
    if (rc < 0) {
        call_broken(&c);
        return;
    }
    buf_init(&b, 1024);
    json_writer_init(&w, &b);
    json_open_object(&w);
    add(&w, "request_uri", arena_printf(c.a, "urn:ietf:params:oauth:request_uri:%s", name));
    json_key(&w, "expires_in");
    json_add_i64(&w, lifespan);
    json_close_object(&w);
    call_succeeded(&c);
    call_answer(&c, 201, &b);
}
