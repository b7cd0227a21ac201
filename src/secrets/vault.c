/*
 * Secrets in HashiCorp's Vault or in OpenBao: all of them as one secret of a key-value engine, version 2, at MOUNT/PATH.
 * Its check-and-set keeps two writers from undoing each other's work: who wrote on the ground of an old version reads and
 * tries again.
 */
#include "secrets/vault.h"

#include "base/clock.h"
#include "http/url.h"

#include <time.h>

enum {
    REQUEST_MS = 10 * 1000,
    REQUEST_MAX = 8 << 20, /* bytes */
    PAUSE_MIN_MS = 100,
    PAUSE_MAX_MS = 5 * 1000,
    GOODBYE_MS = 2 * 1000,
};

static void pause_ms(int ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    nanosleep(&t, NULL);
}

void vault_forget_token(struct vault *v)
{
    if (v->token)
        explicit_bzero(v->token, strlen(v->token));
    free(v->token);
    v->token = NULL;
    v->logged_in = v->renewable = false;
    v->ttl_ms = 0;
}

struct str vault_complaint(const struct vault_answer *answer)
{
    struct str first = json_str(json_array_get(json_object_get(answer->body, "errors"), 0));

    first = str_trim(first);
    return str_is_empty(first) ? STR("it doesn't say why") : str_slice(first, 0, str_find_char(first, '\n', 0));
}

/* ---- requests ---- */

static int send_once(struct vault *v, const char *method, const char *path, struct str body, int timeout_ms,
                     struct vault_answer *ret, struct err *err)
{
    struct arena a = ARENA_INIT;
    struct http_client_response p;
    struct http_header headers[4] = {{STR("X-Vault-Request"), STR("true")}};
    struct http_client_request q = {.method = method,
                                    .url = arena_printf(&a, "%s/v1/%s", v->url, path).p,
                                    .headers = headers,
                                    .header_count = 1,
                                    .body = body,
                                    .timeout_ms = timeout_ms,
                                    .response_max = SECRETS_SIZE_MAX,
                                    .ca_file = v->options->ca_file};

    if (v->token)
        headers[q.header_count++] = (struct http_header){STR("X-Vault-Token"), str_from_cstr(v->token)};
    if (v->options->namespace_name)
        headers[q.header_count++] = (struct http_header){STR("X-Vault-Namespace"),
                                                         str_from_cstr(v->options->namespace_name)};
    if (body.n)
        headers[q.header_count++] = (struct http_header){STR("Content-Type"), STR("application/json")};
    int rc = http_client_do(v->client, &a, &q, &p, err);
    arena_release(&a);
    if (rc < 0)
        return rc;
    ret->status = p.status;
    ret->body = NULL;
    if (p.body.n && json_parse(buf_str(&p.body), &ret->body, NULL) < 0)
        ret->body = NULL;
    if (p.body.n)
        explicit_bzero(p.body.p, p.body.n);
    buf_release(&p.body);
    return 0;
}

/* 503 is a sealed server, or one that is starting; waiting may help with the second. */
static int explain_busy(const struct vault *v, const struct vault_answer *answer, bool *ret_hopeless, struct err *err)
{
    struct str complaint = vault_complaint(answer);

    *ret_hopeless = answer->status == 503 && str_find(complaint, STR("sealed"), 0) != SIZE_MAX;
    if (*ret_hopeless)
        return err_set(err, ERR_UNAVAILABLE,
                       "%s is sealed: unseal it (bao operator unseal, vault operator unseal), then "
                       "try again",
                       v->url);
    return err_set(err, ERR_UNAVAILABLE, "%s is not ready (%d: %.*s)", v->url, answer->status, STR_ARG(complaint));
}

int vault_request(struct vault *v, const char *method, const char *path, const json_t *body, struct vault_answer *ret,
                  struct err *err)
{
    int64_t deadline = clock_mono_ms() + v->options->patience_ms;
    struct buf text;
    int rc;

    buf_init(&text, REQUEST_MAX);
    if (body) {
        struct json_writer w;
        buf_reserve(&text, SECRETS_SIZE_MAX / 4); /* so that growing leaves no copies behind */
        json_writer_init(&w, &text);
        json_add_value(&w, body);
    }
    for (int pause = PAUSE_MIN_MS;; pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS) {
        struct vault_answer answer = {0};
        bool hopeless = false;
        rc = send_once(v, method, path, body ? buf_str(&text) : STR_NULL, REQUEST_MS, &answer, err);
        if (rc == 0 && answer.status != 429 && answer.status < 500) {
            *ret = answer;
            break;
        }
        if (rc == 0) {
            rc = explain_busy(v, &answer, &hopeless, err);
            vault_answer_release(&answer);
        }
        if (hopeless || rc == ERR_INVALID || rc == ERR_LIMIT || clock_mono_ms() + pause > deadline)
            break;
        pause_ms(pause);
    }
    if (text.n)
        explicit_bzero(text.p, text.n);
    buf_release(&text);
    return rc < 0 ? err_prefix(err, "the secrets") : 0;
}

/* With a token. One that the server no longer knows (403 whatever it is asked) is replaced once. */
static int request_with_token(struct vault *v, const char *method, const char *path, const json_t *body,
                              struct vault_answer *ret, struct err *err)
{
    int rc = vault_ensure_token(v, err);

    if (rc == 0)
        rc = vault_request(v, method, path, body, ret, err);
    if (rc < 0 || ret->status != 403)
        return rc;
    VAULT_ANSWER_SCOPED struct vault_answer self = {0};
    rc = vault_request(v, "GET", "auth/token/lookup-self", NULL, &self, err);
    if (rc < 0 || self.status != 403)
        return rc; /* the token is good: it may not do this */
    vault_answer_release(ret);
    *ret = (struct vault_answer){0};
    vault_forget_token(v);
    rc = vault_ensure_token(v, err);
    return rc < 0 ? rc : vault_request(v, method, path, body, ret, err);
}

static int denied(const struct vault *v, const char *capabilities, struct err *err)
{
    return err_set(err, ERR_DENIED,
                   "%s: the token may not use %s/data/%s: give it a policy with path \"%s/data/%s\" "
                   "{ capabilities = [%s] }",
                   v->url, v->options->mount, v->options->path, v->options->mount, v->options->path, capabilities);
}

static int unexpected(const struct vault *v, const struct vault_answer *answer, struct err *err)
{
    return err_set(err, ERR_IO, "%s: %s/%s answers with %d: %.*s", v->url, v->options->mount, v->options->path,
                   answer->status, STR_ARG(vault_complaint(answer)));
}

/* An engine of version 1 takes the same requests and means something else by them. */
static int check_mount(struct vault *v, struct err *err)
{
    VAULT_ANSWER_SCOPED struct vault_answer answer = {0};
    ARENA_SCOPED struct arena a = ARENA_INIT;

    if (v->mount_checked)
        return 0;
    int rc = request_with_token(v, "GET", arena_printf(&a, "sys/internal/ui/mounts/%s", v->options->mount).p, NULL,
                                &answer, err);
    if (rc < 0)
        return rc;
    const json_t *data = json_object_get(answer.body, "data");
    const json_t *options = json_object_get(data, "options");
    if (answer.status != 200)
        return err_set(err, ERR_NOT_FOUND,
                       "%s has no engine at %s that the token may use: enable one (bao secrets enable "
                       "-path=%s -version=2 kv), give the token a policy for it, or set secrets.vault.mount",
                       v->url, v->options->mount, v->options->mount);
    if (!str_eq(json_opt_str(options, "version", STR("1")), STR("2")))
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: the engine at %s is not a key-value engine of version 2: upgrade it (bao kv "
                       "enable-versioning %s), or set secrets.vault.mount",
                       v->url, v->options->mount, v->options->mount);
    v->mount_checked = true;
    return 0;
}

/* ---- the place ---- */

static const char *data_path(struct vault *v, struct arena *a)
{
    return arena_printf(a, "%s/data/%s", v->options->mount, v->options->path).p;
}

static void name_version(struct secrets_set *set, int64_t version)
{
    (void)snprintf(set->version, sizeof(set->version), "%lld", (long long)version);
}

static int take_data(struct vault *v, const json_t *body, struct secrets_set *ret, struct err *err)
{
    const json_t *data = json_object_get(body, "data"), *metadata = json_object_get(data, "metadata");
    int64_t version = json_opt_i64(metadata, "version", 0);

    if (version <= 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: what is at %s/%s is not of a key-value engine of version 2: set "
                       "secrets.vault.mount",
                       v->url, v->options->mount, v->options->path);
    ARENA_SCOPED struct arena a = ARENA_INIT;
    const char *where = arena_printf(&a, "%s/v1/%s", v->url, data_path(v, &a)).p;
    int rc = secrets_set_take(ret, json_object_get(data, "data"), where, err);
    if (rc == 0)
        name_version(ret, version);
    return rc;
}

static int vault_read(struct secrets *s, struct secrets_set *ret, struct err *err)
{
    struct vault *v = s->state;
    VAULT_ANSWER_SCOPED struct vault_answer answer = {0};
    ARENA_SCOPED struct arena a = ARENA_INIT;

    int rc = request_with_token(v, "GET", data_path(v, &a), NULL, &answer, err);
    if (rc < 0)
        return rc;
    if (answer.status == 200)
        return take_data(v, answer.body, ret, err);
    if (answer.status == 403)
        return denied(v, "\"create\", \"read\", \"update\"", err);
    if (answer.status != 404)
        return unexpected(v, &answer, err);
    const json_t *gone = json_object_get(json_object_get(answer.body, "data"), "metadata");
    if (gone)
        return err_set(err, ERR_NOT_FOUND,
                       "%s: the secrets at %s/%s were deleted, version %lld: bring them back (bao kv "
                       "undelete -mount=%s -versions=%lld %s), or remove all of it (bao kv metadata delete)",
                       v->url, v->options->mount, v->options->path, (long long)json_opt_i64(gone, "version", 0),
                       v->options->mount, (long long)json_opt_i64(gone, "version", 0), v->options->path);
    rc = check_mount(v, err);
    if (rc == 0)
        name_version(ret, 0);
    return rc;
}

static json_t *make_body(const struct secrets_set *set, struct err *err)
{
    struct buf text;
    struct json_writer w;
    json_t *data = NULL, *body = NULL;
    int64_t version = 0;

    buf_init(&text, SECRETS_SIZE_MAX);
    buf_reserve(&text, SECRETS_SIZE_MAX / 4);
    json_writer_init(&w, &text);
    secrets_set_write(set, &w);
    int rc = buf_check(&text, "the secrets", err);
    if (rc == 0)
        rc = str_to_i64(str_from_cstr(set->version), &version, err);
    if (rc == 0)
        rc = json_parse(buf_str(&text), &data, err);
    if (rc == 0)
        body = json_pack("{s:{s:I}, s:o}", "options", "cas", (json_int_t)version, "data", data);
    if (text.n)
        explicit_bzero(text.p, text.n);
    buf_release(&text);
    return body;
}

static int vault_write(struct secrets *s, struct secrets_set *set, struct err *err)
{
    struct vault *v = s->state;
    VAULT_ANSWER_SCOPED struct vault_answer answer = {0};
    ARENA_SCOPED struct arena a = ARENA_INIT;
    JSON_SCOPED json_t *body = make_body(set, err);

    if (!body)
        return ERR_INTERNAL;
    int rc = check_mount(v, err);
    if (rc == 0)
        rc = request_with_token(v, "POST", data_path(v, &a), body, &answer, err);
    if (rc < 0)
        return rc;
    if (answer.status == 400 && str_find(vault_complaint(&answer), STR("check-and-set"), 0) != SIZE_MAX)
        return err_set(err, ERR_CONFLICT, "%s: somebody else writes %s/%s all the time", v->url, v->options->mount,
                       v->options->path);
    if (answer.status == 403)
        return denied(v, "\"create\", \"read\", \"update\"", err);
    if (answer.status != 200)
        return unexpected(v, &answer, err);
    name_version(set, json_opt_i64(json_object_get(answer.body, "data"), "version", 0));
    return 0;
}

/* check-and-set is its lock. */
static int vault_lock(struct secrets *s, int *ret_lock, struct err *err)
{
    (void)s, (void)err;
    *ret_lock = -1;
    return 0;
}

static void vault_unlock(int lock)
{
    (void)lock;
}

static int vault_due_ms(const struct secrets *s)
{
    const struct vault *v = s->state;
    int due = vault_token_due_ms(v);

    return due < 0 || due > v->options->refresh_ms ? v->options->refresh_ms : due;
}

static void vault_close(struct secrets *s)
{
    struct vault *v = s->state;
    VAULT_ANSWER_SCOPED struct vault_answer answer = {0};

    if (!v)
        return;
    /* A login leaves nothing behind; if this fails, time ends it. */
    if (v->token && v->logged_in)
        (void)send_once(v, "POST", "auth/token/revoke-self", STR_NULL, GOODBYE_MS, &answer, &(struct err){0});
    vault_forget_token(v);
    http_client_free(v->client);
    arena_release(&v->arena);
    free(v);
    s->state = NULL;
}

const struct secrets_place secrets_vault_place = {vault_lock,  vault_unlock, vault_read,
                                                  vault_write, vault_due_ms, vault_close};

/* A token goes over the network with each request: in the clear only to this machine. */
static int check_address(struct arena *a, const struct secrets_vault *o, struct err *err)
{
    struct http_url url;

    if (http_url_parse(a, str_from_cstr(o->address), &url, NULL) < 0 || !http_url_is_web(&url) || url.path.n > 1 ||
        !str_is_null(url.query))
        return err_set(err, ERR_INVALID, "secrets.vault.address: expected https://HOST:PORT, found %s", o->address);
    if (!str_eq(url.scheme, STR("https")) && !http_url_is_loopback(&url))
        return err_set(err, ERR_INVALID, "secrets.vault.address: %s is another machine: use https", o->address);
    return 0;
}

static int check_path(const char *path, const char *key, struct err *err)
{
    size_t n = strlen(path);

    for (size_t i = 0; i < n; i++) {
        char c = path[i];
        bool slash = c == '/' && i > 0 && i + 1 < n && path[i - 1] != '/';
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-_", c) || slash))
            return err_set(err, ERR_INVALID, "%s: expected a path of a-z, A-Z, 0-9, '-', '_' and '/', found %s", key,
                           path);
    }
    return n ? 0 : err_set(err, ERR_INVALID, "%s: expected a path", key);
}

int secrets_vault_start(struct secrets *s, struct err *err)
{
    const struct secrets_vault *o = s->source.vault;
    struct vault *v = calloc(1, sizeof(*v));

    if (!v)
        abort();
    arena_init(&v->arena, 0);
    v->options = o;
    s->state = v;
    int rc = check_address(&v->arena, o, err);
    if (rc == 0)
        rc = check_path(o->mount, "secrets.vault.mount", err);
    if (rc == 0)
        rc = check_path(o->path, "secrets.vault.path", err);
    if (rc == 0 && o->auth_mount)
        rc = check_path(o->auth_mount, "secrets.vault.auth", err);
    struct str url = str_from_cstr(o->address);
    if (url.n && url.p[url.n - 1] == '/')
        url.n--;
    v->url = arena_cstr(&v->arena, url);
    return rc < 0 ? rc : http_client_new(&v->client, err);
}
