#include "trino/authenticate.h"

#include "access/mapping.h"
#include "access/password_file.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/vec.h"
#include "http/form.h"
#include "os/file.h"
#include "pki/pki.h"
#include "secrets/secrets.h"
#include "trino/internal.h"
#include "trino/oauth2.h"

enum {
    TYPES_MAX = 4,
    GROUPS_MAX = 1000,
    PASSWORD_REFRESH_MS = 5000,
    REMEMBER_MS = 60000, /* how long a password that the issuer took is believed */
    REMEMBERED = 256,
};

enum kind { KIND_PASSWORD, KIND_JWT, KIND_OAUTH2, KIND_CERTIFICATE };
static const char *const kind_names[] = {"password", "jwt", "oauth2", "certificate"};

struct authenticator {
    enum kind kind;
    const struct spec_authenticator *spec;
    struct user_mapping *mapping;
    struct issuer *issuer; /* of tokens, and of passwords that no file has */
    struct password_file *passwords;
    const char *principal_field;
    struct str groups_field; /* null: tokens name no groups */
};

/* A user's password that was right a while ago. */
struct remembered {
    unsigned char mac[32];
    int64_t until_ms;
    struct str principal;
};

struct authenticators {
    const struct spec *spec;
    struct arena arena;
    struct authenticator items[TYPES_MAX];
    size_t n;
    struct oauth2 *oauth2; /* NULL: not among them */
    unsigned char key[32];

    pthread_mutex_t lock; /* below */
    struct remembered remembered[REMEMBERED];
    char principals[REMEMBERED][256];
};

/* ---- from the spec ---- */

/* The secret of the platform's own client, or the one in the file. */
static int get_secret(void *ctx, struct buf *to, struct err *err)
{
    const struct authenticators *a = ctx;
    const struct spec_authenticator *s = &a->spec->authentication.oauth2;
    struct secrets *secrets;

    if (!str_is_null(s->client_secret_file)) {
        ARENA_SCOPED struct arena scratch = ARENA_INIT;
        int rc = file_read(arena_cstr(&scratch, s->client_secret_file), to, err);
        while (rc == 0 && to->n && (to->p[to->n - 1] == '\n' || to->p[to->n - 1] == '\r'))
            buf_truncate(to, to->n - 1);
        return rc;
    }
    ARENA_SCOPED struct arena scratch = ARENA_INIT;
    const struct secrets_source source = {.data_dir = arena_cstr(&scratch, a->spec->data_dir)};
    struct str client = str_is_null(s->client_id) ? STR("trino") : s->client_id;
    const char *name = arena_printf(&scratch, "identity/clients/%.*s/secret", STR_ARG(client)).p;
    int rc = secrets_open(&source, &secrets, err);
    if (rc < 0)
        return rc;
    struct str secret = secrets_get(secrets, name);
    if (str_is_null(secret))
        rc = err_set(err, ERR_NOT_FOUND, "there is no secret %s", name);
    else
        buf_add_str(to, secret);
    secrets_close(secrets);
    return rc;
}

/* The issuer that the section names, else the platform's. */
static const char *issuer_url(struct authenticators *a, const struct spec_authenticator *s)
{
    const struct spec_identity *id = &a->spec->identity;

    if (!str_is_null(s->issuer))
        return arena_cstr(&a->arena, s->issuer);
    if (!str_is_null(id->issuer))
        return arena_cstr(&a->arena, id->issuer);
    if (!str_is_null(id->url))
        return arena_printf(&a->arena, "%.*s/realms/%.*s", STR_ARG(id->url), STR_ARG(id->realm)).p;
    return arena_printf(&a->arena, "%s://%s:%d/realms/%.*s", a->spec->tls.on ? "https" : "http",
                        pki_url_host(&a->arena, a->spec), a->spec->identity_service.port, STR_ARG(id->realm))
        .p;
}

/* The platform's own, by the URL of its own address: no other name for it has to resolve here. */
static bool is_own_issuer(const struct authenticators *a, const struct authenticator *x)
{
    const struct spec_identity *id = &a->spec->identity;

    return str_is_null(x->spec->issuer) && str_is_null(id->issuer) && str_is_null(id->url);
}

static int open_issuer(struct authenticators *a, struct authenticator *x, struct err *err)
{
    const struct spec_authenticator *oauth2 = &a->spec->authentication.oauth2;
    struct str client = str_is_null(oauth2->client_id) ? STR("trino") : oauth2->client_id;
    const struct issuer_options o = {
        .url = issuer_url(a, x->spec),
        .jwks_url = str_is_null(x->spec->jwks_url) ? NULL : arena_cstr(&a->arena, x->spec->jwks_url),
        .ca_file = pki_ca_file(&a->arena, a->spec),
        .connect_to = is_own_issuer(a, x) ? pki_local_address(&a->arena, a->spec, a->spec->identity_service.port)
                                          : NULL,
        .client_id = arena_cstr(&a->arena, client),
        .get_secret = get_secret,
        .ctx = a,
    };

    return issuer_new(&o, &x->issuer, err);
}

static int accept_claims(void *ctx, struct arena *arena, const json_t *claims, struct err *err);

static int open_one(struct authenticators *a, struct str type, struct err *err)
{
    const struct spec_authentication *s = &a->spec->authentication;
    const struct spec_authenticator *specs[] = {&s->password, &s->jwt, &s->oauth2, &s->certificate};
    struct authenticator *x = &a->items[a->n++];
    int rc;

    while (!str_eq_cstr(type, kind_names[x->kind]))
        x->kind++;
    x->spec = specs[x->kind];
    x->principal_field = str_is_null(x->spec->principal_field) ? "preferred_username"
                                                               : arena_cstr(&a->arena, x->spec->principal_field);
    x->groups_field = x->spec->groups_field;
    rc = user_mapping_new(x->spec->user_mapping, x->spec->user_mapping_file, &x->mapping, err);
    if (rc == 0 && x->kind == KIND_PASSWORD && !str_is_null(x->spec->file))
        rc = password_file_new(x->spec->file, PASSWORD_REFRESH_MS, &x->passwords, err);
    else if (rc == 0 && x->kind != KIND_CERTIFICATE)
        rc = open_issuer(a, x, err);
    if (rc == 0 && x->kind == KIND_OAUTH2) {
        const struct oauth2_options o = {.issuer = x->issuer,
                                         .scopes = x->spec->scopes.items,
                                         .scope_count = x->spec->scopes.n,
                                         .accept = accept_claims,
                                         .ctx = x};
        rc = oauth2_new(&o, &a->oauth2, err);
    }
    return rc < 0 ? err_prefix(err, "services.sql.%.*s", STR_ARG(type)) : 0;
}

int authenticators_new(const struct spec *spec, struct authenticators **ret, struct err *err)
{
    const struct spec_texts *types = &spec->authentication.types;
    struct authenticators *a;
    int rc = 0;

    *ret = NULL;
    if (types->n == 0)
        return 0;
    a = calloc(1, sizeof(*a));
    if (!a)
        abort();
    a->spec = spec;
    pthread_mutex_init(&a->lock, NULL);
    rand_bytes(a->key, sizeof(a->key));
    for (size_t i = 0; i < types->n && rc == 0; i++)
        rc = open_one(a, types->items[i], err);
    if (rc < 0) {
        authenticators_free(a);
        return rc;
    }
    *ret = a;
    return 0;
}

void authenticators_stop(struct authenticators *a)
{
    if (a)
        oauth2_stop(a->oauth2);
}

void authenticators_free(struct authenticators *a)
{
    if (!a)
        return;
    oauth2_free(a->oauth2);
    for (size_t i = 0; i < a->n; i++) {
        user_mapping_free(a->items[i].mapping);
        password_file_free(a->items[i].passwords);
        issuer_free(a->items[i].issuer);
    }
    arena_release(&a->arena);
    pthread_mutex_destroy(&a->lock);
    explicit_bzero(a, sizeof(*a));
    free(a);
}

/* ---- what one of them says: 1: it's this one, 0: not my kind of credentials, negative: refused ---- */

struct found {
    struct str principal, user;
    struct str *groups;
    size_t group_count;
};

static void read_groups(struct arena *arena, const struct authenticator *x, const json_t *claims, struct found *to)
{
    const json_t *list = str_is_null(x->groups_field) ? NULL
                                                      : json_object_get(claims, arena_cstr(arena, x->groups_field));
    size_t n = json_array_size(list);

    if (n > GROUPS_MAX)
        n = GROUPS_MAX;
    to->groups = arena_array(arena, struct str, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);
        if (json_is_string(item))
            to->groups[to->group_count++] = arena_str(arena, json_str(item));
    }
}

static int read_claims(struct arena *arena, const struct authenticator *x, const json_t *claims, struct found *to,
                       struct err *err)
{
    struct str principal = json_opt_str(claims, x->principal_field, STR_NULL);

    if (str_is_empty(principal))
        return err_set(err, ERR_DENIED, "Invalid credentials");
    to->principal = arena_str(arena, principal);
    read_groups(arena, x, claims, to);
    return user_mapping_map(x->mapping, arena, to->principal, &to->user, err);
}

static int accept_claims(void *ctx, struct arena *arena, const json_t *claims, struct err *err)
{
    struct found found = {0};

    return read_claims(arena, ctx, claims, &found, err);
}

/* A token that was made for another application must not open this one (RFC 9700, 2.3): its audience is our client or one
 * that the spec names, or it was given to our client. */
static bool is_for_us(const struct authenticator *x, const json_t *claims)
{
    struct str client = str_from_cstr(issuer_client_id(x->issuer));

    if (jwt_has_audience(claims, client) || str_eq(json_opt_str(claims, "azp", STR("")), client))
        return true;
    for (size_t i = 0; i < x->spec->audiences.n; i++)
        if (jwt_has_audience(claims, x->spec->audiences.items[i]))
            return true;
    return false;
}

static struct str bearer(const struct http_request *r)
{
    struct str header = http_header(r, "Authorization");

    return str_starts_with_nocase(header, STR("Bearer ")) ? str_trim(str_skip(header, 7)) : STR_NULL;
}

/* A refused token's reason goes to the log; clients learn no more than that it is none. */
static int check_token(const struct authenticator *x, struct http_request *r, struct found *to, struct err *err)
{
    struct str token = bearer(r);
    JSON_SCOPED json_t *claims = NULL;
    struct err why = {0};

    if (str_is_empty(token))
        return 0;
    struct str audience = x->kind == KIND_JWT ? x->spec->audience : STR_NULL;
    int rc = issuer_verify(x->issuer, r->arena, token, audience, &claims, &why);
    if (rc == 0 && x->kind == KIND_OAUTH2 && !is_for_us(x, claims))
        rc = err_set(&why, ERR_DENIED, "the token is for another client");
    if (rc < 0) {
        log_info("%s: a token is refused: %s", kind_names[x->kind], why.message);
        return err_set(err, rc == ERR_UNAVAILABLE ? rc : ERR_DENIED, "Invalid credentials");
    }
    rc = read_claims(r->arena, x, claims, to, err);
    return rc < 0 ? rc : 1;
}

/* "user:password", decoded; the buffer is wiped by the caller. 1, 0 or an error. */
static int read_basic(const struct http_request *r, struct buf *text, struct str *ret_user, struct str *ret_password,
                      struct err *err)
{
    struct str header = http_header(r, "Authorization");

    if (!str_starts_with_nocase(header, STR("Basic ")))
        return 0;
    if (enc_unbase64(text, str_trim(str_skip(header, 6)), NULL) < 0)
        return err_set(err, ERR_DENIED, "Invalid base64 encoded credentials");
    size_t colon = str_find_char(buf_str(text), ':', 0);
    if (colon == SIZE_MAX || colon == 0)
        return err_set(err, ERR_DENIED, "Malformed credentials: token");
    *ret_user = str_slice(buf_str(text), 0, colon);
    *ret_password = str_skip(buf_str(text), colon + 1);
    if (str_is_empty(*ret_password))
        return err_set(err, ERR_DENIED, "Malformed credentials: password is empty");
    return 1;
}

static void make_mac(const struct authenticators *a, struct str user, struct str password, unsigned char out[32])
{
    BUF_SCOPED struct buf text;

    buf_init(&text, 16 << 10);
    buf_addf(&text, "%zu:", user.n);
    buf_add_str(&text, user);
    buf_add_str(&text, password);
    hash_hmac_sha256(str_from((const char *)a->key, sizeof(a->key)), buf_str(&text), out);
    buf_wipe(&text);
}

/* The password grant (RFC 6749, 4.3) with the platform's client: the identity service counts failures and locks out. */
static int ask_issuer(const struct authenticator *x, struct http_request *r, struct str user, struct str password,
                      struct found *to, struct err *err)
{
    BUF_SCOPED struct buf form;
    JSON_SCOPED json_t *claims = NULL;
    struct issuer_tokens tokens;
    struct err why = {0};

    buf_init(&form, 32 << 10);
    http_form_add(&form, STR("grant_type"), STR("password"));
    http_form_add(&form, STR("scope"), STR("openid"));
    http_form_add(&form, STR("username"), user);
    http_form_add(&form, STR("password"), password);
    int rc = issuer_get_tokens(x->issuer, r->arena, &form, &tokens, &why);
    buf_wipe(&form);
    if (rc == 0)
        rc = issuer_verify(x->issuer, r->arena, tokens.access_token, STR_NULL, &claims, &why);
    if (rc < 0) {
        log_info("password: %s", why.message);
        return err_set(err, rc == ERR_UNAVAILABLE ? rc : ERR_DENIED, "Access Denied: Invalid credentials");
    }
    return read_claims(r->arena, x, claims, to, err);
}

static bool recall(struct authenticators *a, struct http_request *r, const unsigned char mac[32], struct found *to)
{
    bool known;

    pthread_mutex_lock(&a->lock);
    const struct remembered *m = &a->remembered[mac[0] % REMEMBERED];
    known = m->until_ms > clock_mono_ms() &&
            str_eq_secret(str_from((const char *)m->mac, 32), str_from((const char *)mac, 32));
    if (known)
        to->principal = arena_str(r->arena, m->principal);
    pthread_mutex_unlock(&a->lock);
    return known;
}

static void remember(struct authenticators *a, const unsigned char mac[32], struct str principal)
{
    size_t slot = mac[0] % REMEMBERED;

    if (principal.n > sizeof(a->principals[slot]))
        return;
    pthread_mutex_lock(&a->lock);
    memcpy(a->principals[slot], principal.p, principal.n);
    a->remembered[slot].principal = str_from(a->principals[slot], principal.n);
    memcpy(a->remembered[slot].mac, mac, 32);
    a->remembered[slot].until_ms = clock_mono_ms() + REMEMBER_MS;
    pthread_mutex_unlock(&a->lock);
}

static int check_password(struct authenticators *a, const struct authenticator *x, struct http_request *r,
                          struct found *to, struct err *err)
{
    BUF_SCOPED struct buf text;
    unsigned char mac[32];
    struct str user, password;

    buf_init(&text, 8192);
    int rc = read_basic(r, &text, &user, &password, err);
    if (rc <= 0) {
        buf_wipe(&text);
        return rc;
    }
    if (x->passwords) {
        rc = password_file_verify(x->passwords, user, password)
                 ? 0
                 : err_set(err, ERR_DENIED, "Access Denied: Invalid credentials");
        to->principal = arena_str(r->arena, user);
    } else {
        make_mac(a, user, password, mac);
        /* Groups of a token aren't remembered: with a groups-field each request asks. */
        bool known = str_is_null(x->groups_field) && recall(a, r, mac, to);
        rc = known ? 0 : ask_issuer(x, r, user, password, to, err);
        if (rc == 0 && !known)
            remember(a, mac, to->principal);
    }
    buf_wipe(&text);
    if (rc == 0 && str_is_null(to->user))
        rc = user_mapping_map(x->mapping, r->arena, to->principal, &to->user, err);
    return rc < 0 ? rc : 1;
}

static int check_certificate(const struct authenticator *x, struct http_request *r, struct found *to, struct err *err)
{
    if (str_is_empty(r->tls_subject))
        return 0;
    to->principal = arena_str(r->arena, r->tls_subject);
    int rc = user_mapping_map(x->mapping, r->arena, to->principal, &to->user, err);
    return rc < 0 ? rc : 1;
}

static int check(struct authenticators *a, const struct authenticator *x, struct http_request *r, struct found *to,
                 struct err *err)
{
    switch (x->kind) {
    case KIND_PASSWORD:
        return check_password(a, x, r, to, err);
    case KIND_JWT:
    case KIND_OAUTH2:
        return check_token(x, r, to, err);
    case KIND_CERTIFICATE:
        break;
    }
    return check_certificate(x, r, to, err);
}

/* ---- all of them ---- */

static struct str challenge(const struct authenticator *x, struct http_request *r)
{
    switch (x->kind) {
    case KIND_PASSWORD:
        return STR("Basic realm=\"Trino\"");
    case KIND_JWT:
        return STR("Bearer realm=\"Trino\", token_type=\"JWT\"");
    case KIND_OAUTH2:
        return oauth2_challenge(r, base_uri(r));
    case KIND_CERTIFICATE:
        break;
    }
    return STR_NULL;
}

static void refuse(struct authenticators *a, struct http_request *r, const struct buf *messages)
{
    struct http_response *p = http_response_new(r, 401);

    for (size_t i = 0; i < a->n; i++) {
        struct str header = challenge(&a->items[i], r);
        if (!str_is_null(header))
            http_response_add(r, p, "WWW-Authenticate", header);
    }
    http_response_add(r, p, "Vary", STR("Accept-Encoding"));
    http_respond_text(r, p, "text/plain;charset=utf-8", messages->n ? buf_str(messages) : STR("Unauthorized"));
}

static bool is_secure(struct http_request *r)
{
    return str_starts_with(base_uri(r), STR("https://"));
}

static struct str text_header(struct http_request *r, const char *name)
{
    struct str value = str_trim(http_header(r, name));

    return str_is_empty(value) ? STR_NULL : value;
}

/* A client says the name that it logs in with as the session's user, too: that means the user it was mapped to. */
static struct str session_user(struct http_request *r, const char *header, const struct authenticator *x,
                               const struct found *found)
{
    struct str named = text_header(r, header);

    return x->kind == KIND_PASSWORD && str_eq(named, found->principal) ? found->user : named;
}

static void take(struct http_request *r, const struct authenticator *x, const struct found *found, struct session *to)
{
    struct str user = session_user(r, "X-Trino-User", x, found);
    struct str original = session_user(r, "X-Trino-Original-User", x, found);

    to->authenticated = found->user;
    to->principal = found->principal;
    to->groups = found->groups;
    to->group_count = found->group_count;
    to->user = str_is_null(user) ? found->user : user;
    to->original_user = str_is_null(original) ? to->user : original;
}

bool authenticators_check(struct authenticators *a, struct http_request *r, struct session *to)
{
    BUF_SCOPED struct buf messages;
    struct str *headers;

    if (!is_secure(r)) {
        respond_error(r, 403, "Authentication over HTTP is not enabled");
        return false;
    }
    if (http_headers(r, "Authorization", &headers) > 1) {
        respond_error(r, 400, "Multiple Authorization headers");
        return false;
    }
    buf_init(&messages, 4096);
    for (size_t i = 0; i < a->n; i++) {
        struct found found = {0};
        struct err err = {0};
        int rc = check(a, &a->items[i], r, &found, &err);

        if (rc == ERR_UNAVAILABLE) {
            respond_error(r, 503, "The login service can't be reached");
            return false;
        }
        if (rc > 0) {
            take(r, &a->items[i], &found, to);
            return true;
        }
        if (rc < 0 && str_find(buf_str(&messages), str_from_cstr(err.message), 0) == SIZE_MAX)
            buf_addf(&messages, "%s%s", messages.n ? " | " : "", err.message);
    }
    refuse(a, r, &messages);
    return false;
}

bool authenticators_handle(struct authenticators *a, struct http_request *r)
{
    return a && a->oauth2 && oauth2_handle(a->oauth2, r, base_uri(r));
}
