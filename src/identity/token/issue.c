/*
 * Making tokens. One request makes up to three of them from the same subject: its roles are read once. A client_credentials
 * token costs two short reads and one signature.
 */
#include "base/uuid.h"
#include "identity/token/internal.h"

/* ---- the subject ---- */

/* Without full scope only what the client's own roles, its scope mappings and those of its scopes let through. */
static void restrict_roles(struct token_subject *s)
{
    const struct client *c = s->q->client;
    VEC(const struct role *) allowed = {NULL, 0, 0};
    bool *is_allowed = arena_array(s->arena, bool, s->q->realm->all_role_count);
    const struct role **expanded;
    size_t expanded_count, kept = 0;

    for (size_t i = 0; i < c->role_count; i++)
        vec_push_in(s->arena, &allowed, c->roles[i]);
    for (size_t i = 0; i < c->scope_role_count; i++)
        vec_push_in(s->arena, &allowed, c->scope_roles[i]);
    for (size_t i = 0; i < s->q->scope->n; i++)
        for (size_t k = 0; k < s->q->scope->scopes[i]->scope_role_count; k++)
            vec_push_in(s->arena, &allowed, s->q->scope->scopes[i]->scope_roles[k]);
    expanded_count = role_expand(s->q->realm, s->arena, allowed.items, allowed.n, &expanded);
    for (size_t i = 0; i < expanded_count; i++)
        is_allowed[expanded[i]->index] = true;
    for (size_t i = 0; i < s->role_count; i++)
        if (is_allowed[s->roles[i]->index])
            s->roles[kept++] = s->roles[i];
    s->role_count = kept;
}

int token_subject_init(struct token_subject *s, struct tokens *t, struct arena *a, const struct token_request *q,
                       struct err *err)
{
    int rc;

    *s = (struct token_subject){.tokens = t, .arena = a, .q = q};
    rc = user_roles(t->context->model, q->realm, a, q->user, &s->roles, &s->role_count, err);
    if (rc == 0 && !q->client->full_scope)
        restrict_roles(s);
    return rc;
}

bool token_subject_has_role(const struct token_subject *s, struct str realm_role)
{
    for (size_t i = 0; i < s->role_count; i++)
        if (!s->roles[i]->client && str_eq(s->roles[i]->name, realm_role))
            return true;
    return false;
}

/* ---- writing a token ---- */

/* Keycloak's order; what isn't here follows as the mappers put it. */
static const char *const order[] = {
    "exp",          "iat",
    "auth_time",    "jti",
    "iss",          "aud",
    "sub",          "typ",
    "azp",          "nonce",
    "sid",          "at_hash",
    "c_hash",       "s_hash",
    "acr",          "allowed-origins",
    "realm_access", "resource_access",
    "scope",        "cnf",
    "aud_x",        "reuse_id",
    "prov",
};

static void write_ordered(struct json_writer *w, const json_t *claims)
{
    const char *key;
    json_t *value;

    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        if ((value = json_object_get(claims, order[i]))) {
            json_key(w, order[i]);
            json_add_value(w, value);
        }
    json_object_foreach((json_t *)claims, key, value)
    {
        bool is_ordered = false;
        for (size_t i = 0; !is_ordered && i < ARRAY_LEN(order); i++)
            is_ordered = !strcmp(order[i], key);
        if (!is_ordered) {
            json_key(w, key);
            json_add_value(w, value);
        }
    }
}

static int sign(struct tokens *t, struct arena *a, const struct realm *r, struct str algorithm, const char *typ,
                const json_t *claims, struct str *ret, struct err *err)
{
    BUF_SCOPED struct buf payload = {0}, token = {0};
    struct jose_key *key;
    struct json_writer w;
    int rc = tokens_signing_key(t, r, algorithm, &key, err);

    if (rc < 0)
        return rc;
    buf_init(&payload, JOSE_TOKEN_MAX);
    buf_init(&token, JOSE_TOKEN_MAX);
    json_writer_init(&w, &payload);
    json_open_object(&w);
    write_ordered(&w, claims);
    json_close_object(&w);
    rc = buf_check(&payload, "the token's claims", err);
    if (rc == 0)
        rc = jws_sign(key, jose_alg_from(algorithm), typ, buf_str(&payload), &token, err);
    if (rc == 0)
        *ret = arena_str(a, buf_str(&token));
    return rc;
}

static void put(json_t *claims, const char *name, struct str s)
{
    if (s.p)
        json_object_set_new(claims, name, json_stringn_nocheck(s.p, s.n));
}

static struct str new_id(struct arena *a)
{
    char id[UUID_TEXT_SIZE];

    uuid_v4(id);
    return arena_str(a, str_from_cstr(id));
}

/* ---- times ---- */

static int64_t access_expiry(const struct token_request *q, int64_t now)
{
    const struct session *s = q->session;
    int64_t lifespan = q->realm->access_token_lifespan, end;
    struct str own = client_attribute(q->client, "access.token.lifespan");

    if (q->grant == TOKEN_GRANT_IMPLICIT)
        lifespan = json_opt_i64(q->realm->rep, "accessTokenLifespanForImplicitFlow", lifespan);
    else if (own.p && str_to_i64(own, &end, NULL) == 0)
        lifespan = end;
    end = lifespan < 0 ? INT64_MAX : now + lifespan; /* -1: as long as the session */
    if (s) {
        struct session fresh = *s;
        struct client_session cs = q->client_session ? *q->client_session : (struct client_session){.started = now};
        int64_t max;
        /* Its lifespan bounds the token, not that it may idle out: it won't, while it is used. */
        fresh.last_access = cs.last_access = INT64_MAX / 4;
        max = q->client_session ? client_session_expires(q->realm, q->client, &fresh, &cs)
                                : session_max_expires(q->realm, &fresh);
        if (max < end)
            end = max;
    }
    return end == INT64_MAX || end > now + INT64_C(315360000) ? now + q->realm->access_token_lifespan : end;
}

/* ---- the tokens ---- */

/* What kind of session, of token, and which grant made it: Keycloak's prefix of an access token's id. */
static struct str access_id(struct arena *a, const struct token_request *q, bool lightweight)
{
    static const char *const grants[] = {
        [TOKEN_GRANT_CODE] = "ac",     [TOKEN_GRANT_IMPLICIT] = "na",
        [TOKEN_GRANT_PASSWORD] = "ro", [TOKEN_GRANT_CLIENT_CREDENTIALS] = "cc",
        [TOKEN_GRANT_REFRESH] = "rt",  [TOKEN_GRANT_DEVICE] = "dg",
        [TOKEN_GRANT_EXCHANGE] = "te",
    };
    const char *session = !q->session ? "tr" : q->session->offline || q->scope->offline ? "of" : "on";

    return arena_printf(a, "%s%s%s:%.*s", session, lightweight ? "lt" : "rt", grants[q->grant], STR_ARG(new_id(a)));
}

static json_t *base_claims(const struct token_request *q, struct str id, int64_t now, int64_t exp, const char *typ)
{
    json_t *claims = json_object();

    if (exp)
        json_object_set_new(claims, "exp", json_integer(exp));
    json_object_set_new(claims, "iat", json_integer(now));
    put(claims, "jti", id);
    put(claims, "iss", q->issuer);
    json_object_set_new(claims, "typ", json_string(typ));
    put(claims, "azp", q->client->client_id);
    if (q->session)
        put(claims, "sid", q->session->id);
    return claims;
}

static void put_confirmation(json_t *claims, struct str jkt)
{
    json_t *cnf = json_object();

    put(cnf, "jkt", jkt);
    json_object_set_new(claims, "cnf", cnf);
}

/* Of the audiences only those that were asked for, and the roles there (token exchange). */
static void restrict_audience(json_t *claims, const struct token_request *q)
{
    json_t *resource = json_object_get(claims, "resource_access"), *kept = json_object();
    struct {
        VEC(struct str) list;
    } had = {{NULL, 0, 0}};

    for (size_t i = 0; i < q->audience_count; i++)
        if (jwt_has_audience(claims, q->audience[i]))
            vec_push(&had.list, q->audience[i]);
    json_object_del(claims, "aud");
    for (size_t i = 0; i < had.list.n; i++) {
        json_t *access;
        BUF_SCOPED struct buf name = {0};
        token_add_audience(claims, had.list.items[i]);
        buf_init(&name, 1024);
        buf_add_str(&name, had.list.items[i]);
        access = json_object_get(resource, buf_cstr(&name));
        if (access)
            json_object_set(kept, buf_cstr(&name), access);
    }
    if (resource && json_object_size(kept))
        json_object_set(claims, "resource_access", kept);
    else
        json_object_del(claims, "resource_access");
    json_decref(kept);
    vec_release(&had.list);
}

/* Of the client, else of the realm. */
static struct str algorithm_of(const struct token_request *q, const char *attribute)
{
    struct str own = client_attribute(q->client, attribute);

    if (own.p)
        return own;
    return q->realm->signature_algorithm.n ? q->realm->signature_algorithm : STR("RS256");
}

struct made {
    json_t *access; /* claims */
    int64_t now, exp;
};

static int make_access(struct token_subject *s, struct made *m, struct token_answer *p, struct err *err)
{
    const struct token_request *q = s->q;
    bool light = config_bool(client_attributes(q->client), "client.use.lightweight.access.token.enabled", false);
    bool rfc9068 = config_bool(client_attributes(q->client), "access.token.header.type.rfc9068", false);
    int rc;

    m->exp = access_expiry(q, m->now);
    p->access_id = access_id(s->arena, q, light);
    m->access = json_keep(s->arena,
                          base_claims(q, p->access_id, m->now, m->exp, str_is_null(q->dpop_jkt) ? "Bearer" : "DPoP"));
    if (!q->session)
        put(m->access, "sub", q->user->id);
    put(m->access, "scope", q->scope->text);
    if (q->dpop_jkt.p)
        put_confirmation(m->access, q->dpop_jkt);
    rc = token_map(s, light ? TARGET_LIGHTWEIGHT : TARGET_ACCESS, m->access, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; q->check_audience && i < q->audience_count; i++)
        if (!jwt_has_audience(m->access, q->audience[i]))
            return err_set_named(err, ERR_DENIED, "invalid_request", "Requested audience not available: %.*s",
                                 STR_ARG(q->audience[i]));
    if (q->audience_count)
        restrict_audience(m->access, q);
    return sign(s->tokens, s->arena, q->realm, algorithm_of(q, "access.token.signed.response.alg"),
                rfc9068 ? "at+jwt" : "JWT", m->access, &p->access_token, err);
}

static void put_hash(json_t *claims, const char *name, struct str alg, struct str of)
{
    BUF_SCOPED struct buf b = {0};

    buf_init(&b, 256);
    jose_half_hash(jose_alg_from(alg), of, &b);
    put(claims, name, buf_str(&b));
}

static int make_id(struct token_subject *s, const struct made *m, struct token_answer *p, struct err *err)
{
    const struct token_request *q = s->q;
    struct str alg = algorithm_of(q, "id.token.signed.response.alg");
    json_t *claims = json_keep(s->arena, base_claims(q, new_id(s->arena), m->now, m->exp, "ID"));
    int rc;

    put(claims, "aud", q->client->client_id);
    put(claims, "sub", q->user->id);
    put(claims, "nonce", q->nonce);
    rc = token_map(s, TARGET_ID, claims, err);
    if (rc < 0)
        return rc;
    put_hash(claims, "at_hash", alg, p->access_token);
    if (q->code.p)
        put_hash(claims, "c_hash", alg, q->code);
    if (q->code.p && q->state.p)
        put_hash(claims, "s_hash", alg, q->state);
    return sign(s->tokens, s->arena, q->realm, alg, "JWT", claims, &p->id_token, err);
}

static int64_t refresh_expiry(const struct token_request *q, bool offline, int64_t now)
{
    struct session s = *q->session;
    struct client_session cs = *q->client_session;

    if (offline && !q->realm->offline_max_enabled)
        return 0;
    if (offline && !s.offline) {
        s.offline = true;
        s.started = cs.started = now;
    }
    s.last_access = cs.last_access = now;
    return client_session_expires(q->realm, q->client, &s, &cs);
}

static int make_refresh(struct token_subject *s, struct made *m, struct token_answer *p, struct err *err)
{
    const struct token_request *q = s->q;
    bool offline = q->scope->offline || q->session->offline;
    int64_t exp = refresh_expiry(q, offline, m->now);
    json_t *claims, *aud = json_object_get(m->access, "aud");
    int rc;

    if (offline && !token_subject_has_role(s, STR("offline_access")))
        return err_set_named(err, ERR_DENIED, "not_allowed", "Offline tokens not allowed for the user or client");
    p->refresh_id = q->refresh_id.p ? q->refresh_id : new_id(s->arena);
    claims = json_keep(s->arena, base_claims(q, p->refresh_id, m->now, exp, offline ? "Offline" : "Refresh"));
    put(claims, "aud", q->issuer);
    put(claims, "sub", json_str(json_object_get(m->access, "sub")));
    put(claims, "scope", q->refresh_all_scope.p ? q->refresh_all_scope : q->scope->all);
    if (aud) {
        json_t *list = json_is_array(aud) ? json_incref(aud) : json_array();
        if (!json_is_array(aud))
            json_array_append(list, aud);
        json_object_set_new(claims, "aud_x", list);
    }
    /* RFC 9449, 5: those of public clients are bound too; the others have their client's authentication. */
    if (q->dpop_jkt.p && q->client->is_public)
        put_confirmation(claims, q->dpop_jkt);
    if (q->realm->revoke_refresh_token)
        put(claims, "reuse_id", q->chain.p ? q->chain : new_id(s->arena));
    json_object_set_new(claims, "prov", json_string("default"));
    rc = sign(s->tokens, s->arena, q->realm, STR("HS512"), "JWT", claims, &p->refresh_token, err);
    if (rc == 0 && offline)
        rc = session_make_offline(s->tokens->context->sessions, q->realm, q->session, q->client_session, err);
    p->refresh_expires_in = exp ? exp - m->now : 0;
    return rc;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int token_issue(struct tokens *t, struct arena *a, const struct token_request *q, struct token_answer *ret,
                struct err *err)
{
    bool lower = config_bool(client_attributes(q->client), "token.response.type.bearer.lower-case", false);
    struct token_answer p = {0};
    struct made m = {.now = sessions_clock(t->context->sessions)};
    struct token_subject s;
    int rc = token_subject_init(&s, t, a, q, err);

    if (rc == 0)
        rc = make_access(&s, &m, &p, err);
    if (rc == 0 && q->scope->openid)
        rc = make_id(&s, &m, &p, err);
    if (rc == 0 && q->want_refresh && q->session && q->client_session)
        rc = make_refresh(&s, &m, &p, err);
    if (rc < 0)
        return rc;
    p.expires_in = m.exp - m.now;
    p.not_before = larger(larger(q->realm->not_before, json_opt_i64(q->client->rep, "notBefore", 0)),
                          q->user->not_before);
    p.session_state = q->session ? q->session->id : STR_NULL;
    p.scope = q->scope->text;
    p.token_type = q->dpop_jkt.p ? (lower ? STR("dpop") : STR("DPoP")) : (lower ? STR("bearer") : STR("Bearer"));
    *ret = p;
    return 0;
}

static void add(struct json_writer *w, const char *name, struct str s)
{
    if (s.p) {
        json_key(w, name);
        json_add_str(w, s);
    }
}

void token_answer_write(const struct token_answer *p, struct json_writer *w)
{
    json_open_object(w);
    add(w, "access_token", p->access_token);
    json_key(w, "expires_in");
    json_add_i64(w, p->expires_in);
    json_key(w, "refresh_expires_in");
    json_add_i64(w, p->refresh_expires_in);
    add(w, "refresh_token", p->refresh_token);
    add(w, "token_type", p->token_type);
    add(w, "id_token", p->id_token);
    json_key(w, "not-before-policy");
    json_add_i64(w, p->not_before);
    add(w, "session_state", p->session_state);
    add(w, "scope", p->scope);
    add(w, "issued_token_type", p->issued_token_type);
    json_close_object(w);
}

/* ---- userinfo and introspection ---- */

int token_write_userinfo(struct tokens *t, struct arena *a, const struct token_request *q, struct json_writer *w,
                         struct err *err)
{
    /* Of a token's own claims userinfo has none. */
    static const char *const not_here[] = {"acr", "auth_time", "typ", "azp", "sid", "exp", "iat", "jti", "scope"};
    json_t *claims = json_keep(a, json_object()), *value;
    struct token_subject s;
    const char *key;
    int rc = token_subject_init(&s, t, a, q, err);

    if (rc == 0)
        rc = token_map(&s, TARGET_USERINFO, claims, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < ARRAY_LEN(not_here); i++)
        json_object_del(claims, not_here[i]);
    if (!json_object_get(claims, "sub"))
        add(w, "sub", q->user->id);
    json_object_foreach(claims, key, value)
    {
        json_key(w, key);
        json_add_value(w, value);
    }
    return 0;
}

int token_write_introspection(struct tokens *t, struct arena *a, const struct token_request *q, const json_t *claims,
                              struct json_writer *w, struct err *err)
{
    json_t *all = json_keep(a, json_deep_copy(claims));
    struct token_subject s;
    int rc = token_subject_init(&s, t, a, q, err);

    if (rc == 0)
        rc = token_map(&s, TARGET_INTROSPECTION, all, err);
    if (rc == 0)
        write_ordered(w, all);
    return rc;
}
