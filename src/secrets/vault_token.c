/*
 * The token: read from a file that an agent keeps, or got by a login with an AppRole or a Kubernetes service account.
 * A token that can be renewed is, when a third of its time is left; one that can't be any longer is replaced by a new
 * login, or by what the file says by then.
 */
#include "secrets/vault.h"

#include "base/clock.h"
#include "base/log.h"
#include "os/file.h"

enum { SECRET_FILE_MAX = 64 << 10, RENEW_AT_MOST_EVERY_MS = 1000 };

/* The file's one line. */
static int read_secret(const char *path, const char *key, struct buf *to, struct err *err)
{
    int rc = file_read(path, to, err);

    if (rc < 0)
        return err_prefix(err, "%s", key);
    while (to->n && (to->p[to->n - 1] == '\n' || to->p[to->n - 1] == '\r' || to->p[to->n - 1] == ' '))
        to->n--;
    for (size_t i = 0; i < to->n; i++) {
        if (to->p[i] <= ' ' || to->p[i] > '~')
            return err_set(err, ERR_INVALID, "%s: %s: expected one line without spaces", key, path);
    }
    if (to->n == 0)
        return err_set(err, ERR_INVALID, "%s: %s is empty", key, path);
    return 0;
}

static void wipe_buf(struct buf *b)
{
    if (b->n)
        explicit_bzero(b->p, b->cap);
    buf_release(b);
}
#define WIPED_BUF __attribute__((cleanup(wipe_buf)))

static void set_lease(struct vault *v, int64_t seconds, bool renewable)
{
    v->ttl_ms = seconds * 1000;
    v->expires_ms = clock_mono_ms() + v->ttl_ms;
    v->renewable = renewable;
}

static void take_token(struct vault *v, struct str token, bool logged_in)
{
    vault_forget_token(v);
    v->token = strndup(token.p, token.n);
    if (!v->token)
        abort();
    v->logged_in = logged_in;
    v->ttl_ms = 0;
}

/* {"auth": {"client_token": …, "lease_duration": …, "renewable": …}} */
static int take_auth(struct vault *v, const struct vault_answer *answer, bool is_login, struct err *err)
{
    const json_t *auth = json_object_get(answer->body, "auth");
    struct str token = json_opt_str(auth, "client_token", STR_NULL);

    if (!auth || (is_login && str_is_empty(token)))
        return err_set(err, ERR_IO, "%s answered without a token", v->url);
    if (is_login)
        take_token(v, token, true);
    set_lease(v, json_opt_i64(auth, "lease_duration", 0), json_opt_bool(auth, "renewable", false));
    return 0;
}

static int log_in(struct vault *v, const char *mount, const json_t *body, const char *key, struct err *err)
{
    VAULT_ANSWER_SCOPED struct vault_answer answer = {0};
    ARENA_SCOPED struct arena a = ARENA_INIT;

    vault_forget_token(v);
    int rc = vault_request(v, "POST", arena_printf(&a, "auth/%s/login", mount).p, body, &answer, err);
    if (rc < 0)
        return rc;
    if (answer.status == 200)
        return take_auth(v, &answer, true, err);
    return err_set(err, ERR_DENIED,
                   "%s refuses the login of secrets.vault.auth.%s at auth/%s (%d: %.*s): check that the "
                   "method is enabled there, and what it is given",
                   v->url, key, mount, answer.status, STR_ARG(vault_complaint(&answer)));
}

static int log_in_with_approle(struct vault *v, struct err *err)
{
    const struct secrets_vault *o = v->options;
    WIPED_BUF struct buf secret_id;

    buf_init(&secret_id, SECRET_FILE_MAX);
    int rc = read_secret(o->secret_id_file, "secrets.vault.auth.approle.secret-id-file", &secret_id, err);
    if (rc < 0)
        return rc;
    JSON_SCOPED json_t *body = json_pack("{s:s, s:s%}", "role_id", o->role, "secret_id", secret_id.p, secret_id.n);
    return log_in(v, o->auth_mount, body, "approle", err);
}

static int log_in_with_kubernetes(struct vault *v, struct err *err)
{
    const struct secrets_vault *o = v->options;
    WIPED_BUF struct buf jwt;

    buf_init(&jwt, SECRET_FILE_MAX);
    int rc = read_secret(o->token_file, "secrets.vault.auth.kubernetes.token-file", &jwt, err);
    if (rc < 0)
        return rc;
    JSON_SCOPED json_t *body = json_pack("{s:s, s:s%}", "role", o->role, "jwt", jwt.p, jwt.n);
    return log_in(v, o->auth_mount, body, "kubernetes", err);
}

/* How long it lives is the server's to say. */
static int read_token_file(struct vault *v, struct err *err)
{
    VAULT_ANSWER_SCOPED struct vault_answer answer = {0};
    WIPED_BUF struct buf token;

    buf_init(&token, SECRET_FILE_MAX);
    int rc = read_secret(v->options->token_file, "secrets.vault.auth.token-file", &token, err);
    if (rc < 0)
        return rc;
    take_token(v, buf_str(&token), false);
    rc = vault_request(v, "GET", "auth/token/lookup-self", NULL, &answer, err);
    if (rc == 0 && answer.status != 200)
        rc = err_set(err, ERR_DENIED,
                     "%s doesn't know the token of %s (%d: %.*s), it may have expired: put a new one "
                     "there",
                     v->url, v->options->token_file, answer.status, STR_ARG(vault_complaint(&answer)));
    if (rc < 0) {
        vault_forget_token(v);
        return rc;
    }
    const json_t *data = json_object_get(answer.body, "data");
    set_lease(v, json_opt_i64(data, "ttl", 0), json_opt_bool(data, "renewable", false));
    return 0;
}

static int get_token(struct vault *v, struct err *err)
{
    switch (v->options->auth) {
    case SECRETS_VAULT_APPROLE:
        return log_in_with_approle(v, err);
    case SECRETS_VAULT_KUBERNETES:
        return log_in_with_kubernetes(v, err);
    case SECRETS_VAULT_TOKEN_FILE:
        break;
    }
    return read_token_file(v, err);
}

/* True when it has more of its time afterwards: beyond a token's maximum there is nothing more to get. */
static bool renew(struct vault *v)
{
    VAULT_ANSWER_SCOPED struct vault_answer answer = {0};
    int64_t before = v->expires_ms;
    struct err err = {0};

    if (!v->renewable || vault_request(v, "POST", "auth/token/renew-self", NULL, &answer, &err) < 0 ||
        answer.status != 200 || take_auth(v, &answer, false, &err) < 0)
        return false;
    return v->expires_ms > before + RENEW_AT_MOST_EVERY_MS;
}

static bool is_due(const struct vault *v)
{
    return v->ttl_ms && v->expires_ms - clock_mono_ms() <= v->ttl_ms / 3;
}

int vault_ensure_token(struct vault *v, struct err *err)
{
    if (v->token && (!is_due(v) || renew(v)))
        return 0;
    bool still_good = v->token && v->expires_ms > clock_mono_ms();
    /* A file may hold the same token for as long as it lives; whoever keeps it replaces it in time. */
    if (still_good && v->options->auth == SECRETS_VAULT_TOKEN_FILE && v->expires_ms - clock_mono_ms() > v->ttl_ms / 10)
        return 0;
    return get_token(v, err);
}

int vault_token_due_ms(const struct vault *v)
{
    int64_t left;

    if (!v->token || !v->ttl_ms)
        return -1;
    left = v->expires_ms - clock_mono_ms() - v->ttl_ms / 3;
    return left < RENEW_AT_MOST_EVERY_MS ? RENEW_AT_MOST_EVERY_MS : left > INT32_MAX ? INT32_MAX : (int)left;
}
