/* Token exchange (RFC 8693), Keycloak's "standard token exchange" (V2): an access token of this realm, by a client that is
 * in its audience, for a token of that client's own. */
#include "identity/oidc/internal.h"

#define TOKEN_TYPE "urn:ietf:params:oauth:token-type:"

static bool refuse(struct call *c, const char *error, const char *why)
{
    call_fail(c, 400, error, "invalid_request", why);
    return false;
}

static bool is_supported(struct call *c)
{
    static const char *const unsupported[] = {"requested_subject", "requested_issuer", "subject_issuer"};

    for (size_t i = 0; i < ARRAY_LEN(unsupported); i++)
        if (call_param(c, unsupported[i]).p)
            return refuse(
                c, "invalid_request",
                arena_printf(c->a, "Parameter '%s' is not supported for standard token exchange", unsupported[i]).p);
    if (!config_bool(client_attributes(c->client), "standard.token.exchange.enabled", false))
        return refuse(c, "invalid_request", "Standard token exchange is not enabled for the requested client");
    if (!call_param(c, "subject_token").p)
        return refuse(c, "invalid_request", "Parameter 'subject_token' required for standard token exchange");
    if (!call_param(c, "subject_token_type").p)
        return refuse(c, "invalid_request", "Parameter 'subject_token_type' required for standard token exchange");
    if (!str_eq(call_param(c, "subject_token_type"), STR(TOKEN_TYPE "access_token")))
        return refuse(c, "invalid_request", "Parameter 'subject_token' supports access tokens only");
    if (c->client->is_public)
        return refuse(c, "invalid_client", "Public client is not allowed to exchange token");
    return true;
}

/* The audiences asked for, each a client of the realm. */
static bool read_audience(struct call *c, struct str **ret, size_t *ret_n)
{
    *ret = arena_array(c->a, struct str, c->form.n);
    *ret_n = 0;
    for (size_t i = 0; i < c->form.n; i++) {
        const struct client *target;
        struct str name = c->form.fields[i].value;
        if (!str_eq(c->form.fields[i].name, STR("audience")) || !name.n)
            continue;
        target = realm_client(c->realm, name);
        if (!target)
            return refuse(c, "invalid_client", "Audience not found");
        if (!target->enabled)
            return refuse(c, "invalid_client", "Client disabled");
        (*ret)[(*ret_n)++] = name;
    }
    return true;
}

static bool read_subject(struct call *c, struct token *ret)
{
    const struct token_expect expect = {.kind = TOKEN_ACCESS, .issuer = c->issuer};
    int rc = token_verify(c->o->tokens, c->realm, c->a, call_param(c, "subject_token"), &expect, ret, &c->err);

    if (rc == ERR_DENIED) {
        call_fail(c, 400, "invalid_request", c->err.name, "Invalid token");
        return false;
    }
    if (rc < 0) {
        call_broken(c);
        return false;
    }
    c->event.user_id = ret->user.id;
    c->event.session_id = ret->session.id;
    event_add(&c->event, "username", ret->user.username);
    event_add(&c->event, "subject_token_client_id", ret->client->client_id);
    /* Whoever got hold of a token that isn't for it can't make one of its own of it. */
    if (ret->client != c->client && !jwt_has_audience(ret->claims, c->client->client_id)) {
        call_fail(c, 403, "access_denied", "not_allowed", "Client is not within the token audience");
        return false;
    }
    /* A token that is bound to a key is worth nothing to others; an exchange must not loosen that. */
    if (json_object_get(ret->claims, "cnf")) {
        call_fail(c, 403, "access_denied", "not_allowed", "Sender-constrained tokens can't be exchanged");
        return false;
    }
    return true;
}

void grant_exchange(struct call *c)
{
    struct str type = call_param(c, "requested_token_type"), *audience, jkt;
    struct client_session cs;
    struct token_request q;
    struct token_scope scope;
    struct token subject;
    bool refresh;
    size_t n;
    int rc;

    if (!is_supported(c) || !call_dpop(c, STR_NULL, &jkt) || !read_audience(c, &audience, &n) ||
        !read_subject(c, &subject))
        return;
    if (!type.p)
        type = STR(TOKEN_TYPE "access_token");
    refresh = str_eq(type, STR(TOKEN_TYPE "refresh_token"));
    if (!str_eq(type, STR(TOKEN_TYPE "access_token")) &&
        !(refresh &&
          str_eq_nocase(client_attribute(c->client, "standard.token.exchange.enableRefreshRequestedTokenType"),
                        STR("SAME_SESSION")))) {
        refuse(c, "invalid_request", "requested_token_type unsupported");
        return;
    }
    if (refresh && (!subject.session.id.p || subject.session.offline)) {
        refuse(c, "invalid_request",
               "Refresh token not valid as requested_token_type because creating a new session is needed");
        return;
    }
    if (token_scope_resolve(c->realm, c->client, c->a, http_form_get(&c->form, "scope"), &scope, &c->err) < 0) {
        call_fail(c, 400, "invalid_scope", "invalid_request", c->err.message);
        return;
    }
    if (refresh && scope.offline) {
        refuse(c, "invalid_request", "Scope offline_access not allowed for token exchange");
        return;
    }
    q = call_token_request(c, &subject.user, &scope, TOKEN_GRANT_EXCHANGE);
    q.want_refresh = refresh;
    q.acr = json_str(json_object_get(subject.claims, "acr"));
    q.audience = audience;
    q.audience_count = n;
    q.dpop_jkt = jkt;
    /* The client takes part in the subject's session when it does already, or gets a refresh token there. */
    if (subject.session.id.p && !subject.session.offline) {
        rc = client_session_get(c->context->sessions, c->realm, c->a, &subject.session, c->client, &cs, &c->err);
        if (rc == ERR_NOT_FOUND && refresh) {
            cs = (struct client_session){.session_id = subject.session.id,
                                         .client_id = c->client->id,
                                         .scope = http_form_get(&c->form, "scope"),
                                         .started = sessions_clock(c->context->sessions)};
            cs.last_access = cs.started;
            rc = client_session_put(c->context->sessions, c->realm, &cs, &c->err);
        }
        if (rc < 0 && rc != ERR_NOT_FOUND) {
            call_broken(c);
            return;
        }
        if (rc == 0) {
            q.session = &subject.session;
            q.client_session = &cs;
        }
    }
    q.check_audience = true;
    call_issue(c, &q, type);
}
