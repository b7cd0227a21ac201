/*
 * platform.yaml to struct spec: defaults first, then what the file says over them by the tables of keys.c, then
 * the checks that look at several keys. Each complaint is "FILE:LINE:COLUMN: key: expected …, found …".
 */
#include "spec/spec.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/vec.h"
#include "http/url.h"
#include "os/file.h"
#include "spec/keys.h"
#include "spec/memory.h"
#include "spec/suggest.h"
#include "spec/document.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>

enum { NAME_MAX_LENGTH = 64, TEXT_MAX = 2000, ENTRIES_MAX = 10000, HOSTS_MAX = 100 };
enum {
    STORE_PORT = 9000,
    SQL_PORT = 8080,
    IDENTITY_PORT = 8180,
    POSTGRESQL_PORT = 5432,
    SQL_QUERIES = 16,
    SQL_MEMORY_PERCENT = 60
};
enum { POLICY_NAME_MAX = 128, POLICY_TEXT_MAX = 2 << 20 };
enum {
    SECRETS_OVERLAP_MS = 5 * 60 * 1000,
    VAULT_REFRESH_MS = 30 * 1000,
    CLIENT_TIMEOUT_MS = 5 * 60 * 1000,
    ACCESS_REFRESH_MS = 5000
};

struct reader {
    struct arena *a;
    struct str file, base_dir;
    struct err *err;
};

static int fail_at(struct reader *r, int line, int column, const char *fmt, ...) PRINTF_LIKE(4, 5);

static int fail_at(struct reader *r, int line, int column, const char *fmt, ...)
{
    char text[ERR_MESSAGE_SIZE];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set_at(r->err, ERR_INVALID, NULL, line, column, "%.*s:%d:%d: %s", STR_ARG(r->file), line, column, text);
}

static int expected(struct reader *r, const struct doc_node *n, struct str path, const char *what)
{
    return fail_at(r, n->line, n->column, "%.*s: expected %s, found %.*s", STR_ARG(path), what,
                   STR_ARG(doc_describe(r->a, n)));
}

static struct str below(struct reader *r, struct str path, struct str key)
{
    return path.n ? arena_printf(r->a, "%.*s.%.*s", STR_ARG(path), STR_ARG(key)) : key;
}

static int unknown(struct reader *r, const struct doc_pair *p, struct str path, const char *what,
                   const char *const *known, size_t n)
{
    struct str name = below(r, path, p->key);

    return fail_at(r, p->line, p->column, "unknown %s %.*s%s", what, STR_ARG(name),
                   suggest_text(r->a, p->key, known, n));
}

/* ---- single values ---- */

static bool is_name(struct str s, const char *more)
{
    if (s.n == 0 || s.n > NAME_MAX_LENGTH)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (i > 0 && c && strchr(more, c))))
            return false;
    }
    return true;
}

/* "Bucket naming rules" of S3's user guide; dots are left out, as they break TLS and confuse clients. */
static bool is_bucket_name(struct str s)
{
    return s.n >= 3 && s.n <= 63 && is_name(s, "-") && s.p[s.n - 1] != '-';
}

static bool is_access_key(struct str s)
{
    if (s.n < 3 || s.n > 128)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_.-", c))))
            return false;
    }
    return true;
}

static bool is_address(struct reader *r, struct str s)
{
    unsigned char ignored[sizeof(struct in6_addr)];
    const char *text = arena_cstr(r->a, s);

    return inet_pton(AF_INET, text, ignored) == 1 || inet_pton(AF_INET6, text, ignored) == 1;
}

static struct str absolute(struct reader *r, struct str path)
{
    while (str_starts_with(path, STR("./")))
        path = str_skip(path, 2);
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    if (path.p[0] == '/')
        return arena_str(r->a, path);
    if (str_is_empty(path) || str_eq(path, STR(".")))
        return r->base_dir;
    return arena_printf(r->a, "%.*s/%.*s", STR_ARG(r->base_dir), STR_ARG(path));
}

static int read_int(struct reader *r, const struct doc_node *n, struct str path, const struct spec_key *k, int *to)
{
    int64_t v;

    if (n->kind != DOC_TEXT || str_to_i64(n->text, &v, NULL) < 0 || v < k->min || v > k->max)
        return expected(r, n, path,
                        arena_printf(r->a, "a number from %lld to %lld", (long long)k->min, (long long)k->max).p);
    *to = (int)v;
    return 0;
}

static int read_memory(struct reader *r, const struct doc_node *n, struct str path, const struct spec_key *k,
                       uint64_t *to)
{
    uint64_t total = memory_total(), v;

    if (n->kind != DOC_TEXT || memory_parse(n->text, total, &v) < 0)
        return expected(r, n, path, "an amount of memory such as 2GiB, 512MiB or 60%");
    if (v < (uint64_t)k->min)
        return fail_at(r, n->line, n->column, "%.*s: expected at least %lld MiB, found %.*s, which is %llu MiB",
                       STR_ARG(path), (long long)k->min >> 20, STR_ARG(n->text), (unsigned long long)v >> 20);
    *to = v;
    return 0;
}

/* The longest first, as a duration is described. */
static const struct {
    const char *unit;
    int64_t ms;
} duration_units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

static const char *describe_duration(struct arena *a, int64_t ms)
{
    for (size_t i = 0; ms && i < ARRAY_LEN(duration_units); i++) {
        if (ms % duration_units[i].ms == 0)
            return arena_printf(a, "%lld%s", (long long)(ms / duration_units[i].ms), duration_units[i].unit).p;
    }
    return "0s";
}

static int read_duration(struct reader *r, const struct doc_node *n, struct str path, const struct spec_key *k,
                         int64_t *to)
{
    int64_t us;

    if (n->kind != DOC_TEXT || clock_parse_duration(n->text, &us, NULL) < 0 || us / 1000 < k->min || us / 1000 > k->max)
        return expected(r, n, path,
                        arena_printf(r->a, "a duration such as 30s, 5m or 1h, from %s to %s",
                                     describe_duration(r->a, k->min), describe_duration(r->a, k->max))
                            .p);
    *to = us / 1000;
    return 0;
}

static int read_text(struct reader *r, const struct doc_node *n, struct str path, enum spec_value kind, struct str *to)
{
    static const char *const what[] = {
        [SPEC_ADDRESS] = "an IP address such as 127.0.0.1 or 0.0.0.0",
        [SPEC_PATH] = "a path",
        [SPEC_TEXT] = "a text",
        [SPEC_ACCESS_KEY] = "an access key (3 to 128 of a-z, A-Z, 0-9, '_', '.', '-')",
    };
    bool ok = n->kind == DOC_TEXT && n->text.n > 0 && n->text.n < PATH_MAX / 2 &&
              str_find_char(n->text, '\0', 0) == SIZE_MAX;

    if (ok && kind == SPEC_ADDRESS)
        ok = is_address(r, n->text);
    if (ok && kind == SPEC_ACCESS_KEY)
        ok = is_access_key(n->text);
    if (!ok)
        return expected(r, n, path, what[kind]);
    *to = kind == SPEC_PATH ? absolute(r, n->text) : n->text;
    return 0;
}

struct buckets {
    struct str *items;
    size_t n;
};

static int read_buckets(struct reader *r, const struct doc_node *n, struct str path, struct buckets *to)
{
    struct buckets got;

    if (n->kind != DOC_LIST && n->kind != DOC_NULL)
        return expected(r, n, path, "a list of bucket names such as [raw, curated]");
    if (n->n > ENTRIES_MAX)
        return fail_at(r, n->line, n->column, "%.*s: more than %d entries", STR_ARG(path), ENTRIES_MAX);
    got = (struct buckets){arena_array(r->a, struct str, n->n), n->n};
    for (size_t i = 0; i < n->n; i++) {
        const struct doc_node *item = n->items[i];
        if (item->kind != DOC_TEXT || !is_bucket_name(item->text))
            return expected(r, item, path, "a bucket name (3 to 63 of a-z, 0-9, '-')");
        for (size_t j = 0; j < i; j++) {
            if (str_eq(got.items[j], item->text))
                return fail_at(r, item->line, item->column, "%.*s: %.*s stands here twice", STR_ARG(path),
                               STR_ARG(item->text));
        }
        got.items[i] = item->text;
    }
    *to = got;
    return 0;
}

/* ---- policies ---- */

static bool is_policy_name(struct str s)
{
    if (s.n == 0 || s.n > POLICY_NAME_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_.+=@-", c))))
            return false;
    }
    return true;
}

static int read_names(struct reader *r, const struct doc_node *n, struct str path, struct buckets *to)
{
    struct buckets got;

    if (n->kind != DOC_LIST || n->n > ENTRIES_MAX)
        return expected(r, n, path, "a list of names such as [reader, loader]");
    got = (struct buckets){arena_array(r->a, struct str, n->n), n->n};
    for (size_t i = 0; i < n->n; i++) {
        if (n->items[i]->kind != DOC_TEXT || !is_policy_name(n->items[i]->text))
            return expected(r, n->items[i], path, "a policy's name (a-z, A-Z, 0-9, '_', '.', '+', '=', '@', '-')");
        got.items[i] = n->items[i]->text;
    }
    *to = got;
    return 0;
}

/* YAML's scalars are all texts, which is what IAM wants. As deep as document.h allows. */
// NOLINTNEXTLINE(misc-no-recursion)
static void write_json(struct json_writer *w, const struct doc_node *n)
{
    switch (n->kind) {
    case DOC_NULL:
        json_add_null(w);
        break;
    case DOC_TEXT:
        json_add_str(w, n->text);
        break;
    case DOC_LIST:
        json_open_array(w);
        for (size_t i = 0; i < n->n; i++)
            write_json(w, n->items[i]);
        json_close_array(w);
        break;
    case DOC_MAP:
        json_open_object(w);
        for (size_t i = 0; i < n->n; i++) {
            json_key_str(w, n->pairs[i].key);
            write_json(w, n->pairs[i].value);
        }
        json_close_object(w);
        break;
    }
}

/* What a document means is not known here: s3_check_policies reads it, with the position to complain with. */
static int read_policies(struct reader *r, struct spec *s, const struct doc_node *n, struct str path)
{
    if (n->kind != DOC_MAP || n->n > ENTRIES_MAX)
        return expected(r, n, path, "a mapping of policy names");
    s->policies = arena_array(r->a, struct spec_policy, n->n);
    s->policy_count = n->n;
    for (size_t i = 0; i < n->n; i++) {
        const struct doc_pair *p = &n->pairs[i];
        BUF_SCOPED struct buf json;
        struct json_writer w;

        if (!is_policy_name(p->key))
            return fail_at(r, p->line, p->column,
                           "%.*s: expected a policy's name (a-z, A-Z, 0-9, '_', '.', '+', '=', '@', '-'), found "
                           "\"%.*s\"",
                           STR_ARG(path), STR_ARG(p->key));
        if (p->value->kind != DOC_MAP && p->value->kind != DOC_TEXT)
            return expected(r, p->value, below(r, path, p->key), "an IAM policy: a mapping, or its JSON as a text");
        buf_init(&json, POLICY_TEXT_MAX);
        json_writer_init(&w, &json);
        if (p->value->kind == DOC_TEXT)
            buf_add_str(&json, p->value->text);
        else
            write_json(&w, p->value);
        s->policies[i] = (struct spec_policy){p->key, arena_str(r->a, buf_str(&json)), p->line, p->column};
    }
    return 0;
}

static int read_section(struct reader *r, struct spec *s, const struct doc_node *n, struct str path,
                        const struct spec_section *section, void *to);

/* ---- TLS and proxies ---- */

static bool is_host(struct reader *r, struct str s)
{
    struct str host;
    int port;

    if (is_address(r, s))
        return true;
    return s.n > 0 && s.p[0] != '[' && http_url_parse_host(r->a, s, &host, &port, NULL) == 0 && port == 0;
}

static int read_hosts(struct reader *r, const struct doc_node *n, struct str path, struct buckets *to)
{
    struct buckets got = {arena_array(r->a, struct str, n->n), n->n};

    if (n->kind != DOC_LIST || n->n > HOSTS_MAX)
        return expected(r, n, path, "a list of at most 100 host names and addresses, such as [platform.example.org]");
    for (size_t i = 0; i < n->n; i++) {
        if (n->items[i]->kind != DOC_TEXT || !is_host(r, n->items[i]->text))
            return expected(r, n->items[i], path, "a host name or an address, without port");
        got.items[i] = arena_lower(r->a, n->items[i]->text);
    }
    *to = got;
    return 0;
}

static int read_tls(struct reader *r, struct spec *s, const struct doc_node *n, struct str path,
                    const struct spec_section *section)
{
    if (n->kind == DOC_TEXT && (str_eq(n->text, STR("on")) || str_eq(n->text, STR("off")))) {
        s->tls.on = str_eq(n->text, STR("on"));
        return 0;
    }
    if (n->kind != DOC_MAP)
        return expected(r, n, path, "on, off, or a mapping with certificate and key");
    int rc = read_section(r, s, n, path, section, s);
    if (rc < 0)
        return rc;
    if (str_is_null(s->tls.certificate) != str_is_null(s->tls.key))
        return fail_at(r, n->line, n->column, "%.*s: certificate and key go together: %s is missing", STR_ARG(path),
                       str_is_null(s->tls.key) ? "key" : "certificate");
    if (!str_is_null(s->tls.ca) && str_is_null(s->tls.certificate))
        return fail_at(r, n->line, n->column, "%.*s.ca: is for a certificate and key that are named too",
                       STR_ARG(path));
    s->tls.on = true;
    return 0;
}

static int read_proxies(struct reader *r, const struct doc_node *n, struct str path, struct http_proxies *to)
{
    struct http_network *networks = arena_array(r->a, struct http_network, n->n);

    if (n->kind != DOC_LIST || n->n > HOSTS_MAX)
        return expected(r, n, path, "a list of at most 100 networks, such as [10.0.0.0/8]");
    for (size_t i = 0; i < n->n; i++) {
        if (n->items[i]->kind != DOC_TEXT || http_network_parse(n->items[i]->text, &networks[i], NULL) < 0)
            return expected(r, n->items[i], path, "an address or a network such as 10.0.0.0/8");
    }
    to->networks = networks;
    to->n = n->n;
    return 0;
}

static int read_proxy_headers(struct reader *r, const struct doc_node *n, struct str path, struct http_proxies *to)
{
    if (n->kind != DOC_TEXT || (!str_eq(n->text, STR("xforwarded")) && !str_eq(n->text, STR("forwarded"))))
        return expected(r, n, path, "xforwarded or forwarded");
    to->write_forwarded = str_eq(n->text, STR("forwarded"));
    return 0;
}

/* ---- sections ---- */

static int read_value(struct reader *r, struct spec *s, const struct doc_node *n, struct str path,
                      const struct spec_key *k, void *to);

/* A section that is there but empty says nothing. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as the tables of keys.c
static int read_section(struct reader *r, struct spec *s, const struct doc_node *n, struct str path,
                        const struct spec_section *section, void *to)
{
    const char *known[32];

    if (n->kind == DOC_NULL)
        return 0;
    if (n->kind != DOC_MAP)
        return expected(r, n, path.n ? path : STR("the file"), "a mapping (key: value)");
    for (size_t i = 0; i < n->n; i++) {
        const struct doc_pair *p = &n->pairs[i];
        const struct spec_key *key = NULL;

        for (size_t j = 0; j < section->n; j++) {
            if (str_eq_cstr(p->key, section->keys[j].name))
                key = &section->keys[j];
            known[j] = section->keys[j].name;
        }
        if (!key)
            return unknown(r, p, path, "key", known, section->n);
        int rc = read_value(r, s, p->value, below(r, path, p->key), key, to);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_users(struct reader *r, struct spec *s, const struct doc_node *n, struct str path,
                      const struct spec_section *section)
{
    if (n->kind != DOC_MAP)
        return expected(r, n, path, "a mapping of user names");
    if (n->n > ENTRIES_MAX)
        return fail_at(r, n->line, n->column, "%.*s: more than %d entries", STR_ARG(path), ENTRIES_MAX);
    s->users = arena_array(r->a, struct spec_user, n->n);
    s->user_count = n->n;
    for (size_t i = 0; i < n->n; i++) {
        const struct doc_pair *p = &n->pairs[i];
        struct spec_user *u = &s->users[i];

        if (!is_name(p->key, "_-"))
            return fail_at(r, p->line, p->column, "%.*s: expected a user name (a-z, 0-9, '_', '-'), found \"%.*s\"",
                           STR_ARG(path), STR_ARG(p->key));
        u->name = u->access_key = p->key;
        int rc = read_section(r, s, p->value, below(r, path, p->key), section, u);
        if (rc < 0)
            return rc;
        for (size_t j = 0; j < i; j++) {
            if (str_eq(s->users[j].access_key, u->access_key))
                return fail_at(r, p->line, p->column, "%.*s.%.*s: has the access key of user %.*s", STR_ARG(path),
                               STR_ARG(u->name), STR_ARG(s->users[j].name));
        }
    }
    return 0;
}

static int read_database(struct reader *r, struct spec *s, const struct doc_node *n, struct str path,
                         const struct spec_section *section, struct spec_postgresql *to)
{
    if (n->kind == DOC_TEXT && str_eq(n->text, STR("sqlite")))
        return 0;
    if (n->kind != DOC_MAP || n->n != 1)
        return expected(r, n, path, "sqlite, or a mapping with the key postgresql");
    int rc = read_section(r, s, n, path, section, s);
    if (rc < 0)
        return rc;
    to->is_set = true;
    const struct {
        const char *name;
        struct str value;
    } needed[] = {{"host", to->host}, {"database", to->database}, {"user", to->user}};
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        if (str_is_null(needed[i].value))
            return fail_at(r, n->line, n->column, "%.*s.postgresql: expected the key %s, which is missing",
                           STR_ARG(path), needed[i].name);
    }
    return 0;
}

/* ---- the section `identity` ---- */

static int read_bool(struct reader *r, const struct doc_node *n, struct str path, bool *to)
{
    bool is_true = n->kind == DOC_TEXT && str_eq(n->text, STR("true"));

    if (!is_true && (n->kind != DOC_TEXT || !str_eq(n->text, STR("false"))))
        return expected(r, n, path, "true or false");
    *to = is_true;
    return 0;
}

static int read_url(struct reader *r, const struct doc_node *n, struct str path, struct str *to)
{
    struct http_url url;

    if (n->kind != DOC_TEXT || http_url_parse(r->a, n->text, &url, NULL) < 0 || !http_url_is_web(&url) ||
        !str_is_null(url.query))
        return expected(r, n, path, "a URL such as https://id.example.org, without query");
    *to = n->text;
    while (to->n && to->p[to->n - 1] == '/')
        to->n--;
    return 0;
}

static int read_texts(struct reader *r, const struct doc_node *n, struct str path, struct spec_texts *to)
{
    struct spec_texts got = {arena_array(r->a, struct str, n->n), n->n};

    if (n->kind != DOC_LIST)
        return expected(r, n, path, "a list");
    if (n->n > ENTRIES_MAX)
        return fail_at(r, n->line, n->column, "%.*s: more than %d entries", STR_ARG(path), ENTRIES_MAX);
    for (size_t i = 0; i < n->n; i++) {
        const struct doc_node *item = n->items[i];
        if (item->kind != DOC_TEXT || item->text.n == 0 || item->text.n > TEXT_MAX ||
            str_find_char(item->text, '\0', 0) != SIZE_MAX)
            return expected(r, item, path, "a text");
        got.items[i] = item->text;
    }
    *to = got;
    return 0;
}

/* Names of users, groups and clients: what needs no quoting anywhere. */
static bool is_entry_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (i > 0 && c && strchr("_-.@", c))))
            return false;
    }
    return s.n > 0 && s.n <= NAME_MAX_LENGTH;
}

/* An array of structs of k->max bytes, each beginning with its name; its length is behind the pointer. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as the tables of keys.c
static int read_entries(struct reader *r, struct spec *s, const struct doc_node *n, struct str path,
                        const struct spec_key *k, void *at)
{
    if (n->kind != DOC_MAP && n->kind != DOC_NULL)
        return expected(r, n, path, "a mapping of names");
    if (n->n > ENTRIES_MAX)
        return fail_at(r, n->line, n->column, "%.*s: more than %d entries", STR_ARG(path), ENTRIES_MAX);
    char *items = arena_alloc_array(r->a, n->n, (size_t)k->max);
    for (size_t i = 0; i < n->n; i++) {
        const struct doc_pair *p = &n->pairs[i];
        char *item = items + i * (size_t)k->max;

        if (!is_entry_name(p->key))
            return fail_at(r, p->line, p->column,
                           "%.*s: expected a name (a-z, A-Z, 0-9, '_', '-', '.', '@'), found \"%.*s\"", STR_ARG(path),
                           STR_ARG(p->key));
        *(struct str *)item = p->key;
        int rc = read_section(r, s, p->value, below(r, path, p->key), k->section, item);
        if (rc < 0)
            return rc;
    }
    *(char **)at = items;
    *(size_t *)((char **)at + 1) = n->n;
    return 0;
}

/* ---- catalogs ---- */

static int check_property(struct reader *r, const struct spec_catalog *c, const struct doc_pair *p, struct str path)
{
    const struct spec_connector_property *found = NULL;
    const char *known[16] = {"connector"};
    size_t n = 1;

    for (size_t i = 0; i < spec_connector_property_count; i++) {
        const struct spec_connector_property *k = &spec_connector_properties[i];
        if (!str_eq_cstr(c->connector, k->connector))
            continue;
        known[n++] = k->name;
        if (str_eq_cstr(p->key, k->name))
            found = k;
    }
    if (!found)
        return unknown(r, p, path, "property", known, n);
    if (p->value->kind != DOC_TEXT)
        return expected(r, p->value, below(r, path, p->key), "a text");
    for (size_t i = 0; found->choices[i]; i++) {
        if (str_eq_nocase(p->value->text, str_from_cstr(found->choices[i])))
            return 0;
    }
    if (found->choices[0])
        return expected(r, p->value, below(r, path, p->key),
                        arena_printf(r->a, "%s or %s", found->choices[0], found->choices[1]).p);
    return 0;
}

static int read_mounted(struct reader *r, const struct doc_pair *entry, struct str path, struct spec_catalog *c)
{
    const struct doc_node *n = entry->value;
    size_t count = 0;

    if (n->kind != DOC_MAP)
        return expected(r, n, path, "a mapping with the key connector");
    c->name = entry->key;
    c->line = entry->line;
    for (size_t i = 0; i < n->n; i++) {
        const struct doc_node *v = n->pairs[i].value;
        if (!str_eq(n->pairs[i].key, STR("connector")))
            continue;
        for (size_t j = 0; v->kind == DOC_TEXT && j < spec_connector_count; j++) {
            if (str_eq_cstr(v->text, spec_connectors[j]))
                c->connector = v->text;
        }
        if (str_is_null(c->connector))
            return expected(
                r, v, below(r, path, STR("connector")),
                arena_printf(r->a, "one of %s", suggest_list(r->a, spec_connectors, spec_connector_count)).p);
    }
    if (str_is_null(c->connector))
        return fail_at(r, n->line, n->column, "%.*s: expected the key connector, which is missing", STR_ARG(path));
    c->properties = arena_array(r->a, struct spec_property, n->n + 1); /* one more: a default warehouse */
    for (size_t i = 0; i < n->n; i++) {
        const struct doc_pair *p = &n->pairs[i];
        if (str_eq(p->key, STR("connector")))
            continue;
        int rc = check_property(r, c, p, path);
        if (rc < 0)
            return rc;
        c->properties[count++] = (struct spec_property){p->key, p->value->text, p->line};
    }
    c->property_count = count;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct spec_catalog *)a)->name, ((const struct spec_catalog *)b)->name);
}

static int read_catalogs(struct reader *r, struct spec *s, const struct doc_node *n, struct str path)
{
    if (n->kind != DOC_MAP)
        return expected(r, n, path, "a mapping of catalog names");
    if (n->n > ENTRIES_MAX)
        return fail_at(r, n->line, n->column, "%.*s: more than %d entries", STR_ARG(path), ENTRIES_MAX);
    s->catalogs = arena_array(r->a, struct spec_catalog, n->n);
    s->catalog_count = n->n;
    for (size_t i = 0; i < n->n; i++) {
        const struct doc_pair *p = &n->pairs[i];

        if (!is_name(p->key, "_-"))
            return fail_at(r, p->line, p->column, "%.*s: expected a catalog name (a-z, 0-9, '_', '-'), found \"%.*s\"",
                           STR_ARG(path), STR_ARG(p->key));
        if (str_eq(p->key, STR("system")))
            return fail_at(r, p->line, p->column, "%.*s: the catalog system is always there: choose another name",
                           STR_ARG(path));
        int rc = read_mounted(r, p, below(r, path, p->key), &s->catalogs[i]);
        if (rc < 0)
            return rc;
    }
    qsort(s->catalogs, s->catalog_count, sizeof(s->catalogs[0]), by_name);
    return 0;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the tables of keys.c
static int read_value(struct reader *r, struct spec *s, const struct doc_node *n, struct str path,
                      const struct spec_key *k, void *to)
{
    void *at = (char *)to + k->at;

    /* "port:" with nothing behind it is the default, as if it weren't there; an empty list is said with []. */
    if (n->kind == DOC_NULL && k->kind != SPEC_USERS && k->kind != SPEC_CATALOGS && k->kind != SPEC_ENTRIES)
        return 0;
    switch (k->kind) {
    case SPEC_SECTION:
        return read_section(r, s, n, path, k->section, to);
    case SPEC_INT:
        return read_int(r, n, path, k, at);
    case SPEC_MEMORY:
        return read_memory(r, n, path, k, at);
    case SPEC_DURATION:
        return read_duration(r, n, path, k, at);
    case SPEC_ADDRESS:
    case SPEC_PATH:
    case SPEC_TEXT:
    case SPEC_ACCESS_KEY:
        return read_text(r, n, path, k->kind, at);
    case SPEC_BUCKETS:
        return read_buckets(r, n, path, at);
    case SPEC_HOSTS:
        return read_hosts(r, n, path, at);
    case SPEC_TLS:
        return read_tls(r, s, n, path, k->section);
    case SPEC_PROXIES:
        return read_proxies(r, n, path, at);
    case SPEC_HEADERS:
        return read_proxy_headers(r, n, path, at);
    case SPEC_NAMES:
        return read_names(r, n, path, at);
    case SPEC_POLICIES:
        return read_policies(r, s, n, path);
    case SPEC_USERS:
        return read_users(r, s, n, path, k->section);
    case SPEC_CATALOG:
        return read_database(r, s, n, path, k->section, at);
    case SPEC_BOOL:
        return read_bool(r, n, path, at);
    case SPEC_URL:
        return read_url(r, n, path, at);
    case SPEC_TEXTS:
        return read_texts(r, n, path, at);
    case SPEC_ENTRIES:
        return read_entries(r, s, n, path, k, at);
    case SPEC_CATALOGS:
        return read_catalogs(r, s, n, path);
    }
    return 0;
}

/* A bucket list is written through struct buckets. */
_Static_assert(offsetof(struct spec, bucket_count) == offsetof(struct spec, buckets) + offsetof(struct buckets, n), "");
_Static_assert(offsetof(struct spec_tls, host_count) == offsetof(struct spec_tls, hosts) + offsetof(struct buckets, n),
               "");
_Static_assert(offsetof(struct spec_user, bucket_count) ==
                   offsetof(struct spec_user, buckets) + offsetof(struct buckets, n),
               "");
_Static_assert(offsetof(struct spec_user, policy_count) ==
                   offsetof(struct spec_user, policies) + offsetof(struct buckets, n),
               "");

/* ---- defaults, and checks across keys ---- */

static void set_defaults(struct reader *r, struct spec *s)
{
    static struct str buckets[] = {{"trino-data", 10}, {"trino-exchange", 14}, {"airflow", 7}, {"airflow-logs", 12}};
    static struct spec_user users[] = {
        {{"trino", 5}, {"trino", 5}, buckets, 2, NULL, 0},
        {{"airflow", 7}, {"airflow", 7}, buckets + 2, 2, NULL, 0},
    };
    static struct spec_property warehouse = {{"warehouse", 9}, {"s3://trino-data", 15}, 0};
    static struct spec_catalog catalogs[] = {
        {{"iceberg", 7}, {"iceberg", 7}, &warehouse, 1, 0},
        {{"memory", 6}, {"memory", 6}, NULL, 0, 0},
        {{"tpcds", 5}, {"tpcds", 5}, NULL, 0, 0},
        {{"tpch", 4}, {"tpch", 4}, NULL, 0, 0},
    };

    s->data_dir = absolute(r, STR("data"));
    s->bind = STR("127.0.0.1");
    s->store.port = STORE_PORT;
    s->sql.port = SQL_PORT;
    s->identity_service.port = IDENTITY_PORT;
    s->sql.memory = memory_total() / 100 * SQL_MEMORY_PERCENT;
    s->sql.max_queries = SQL_QUERIES;
    s->sql.client_timeout_ms = CLIENT_TIMEOUT_MS;
    s->access.refresh_ms = ACCESS_REFRESH_MS;
    s->buckets = buckets;
    s->bucket_count = ARRAY_LEN(buckets);
    s->users = users;
    s->user_count = ARRAY_LEN(users);
    s->openid.claim = STR("policy");
    s->vault = (struct spec_vault){.mount = STR("secret"), .path = STR("dataplatform"), .refresh_ms = VAULT_REFRESH_MS};
    s->vault.auth.approle.mount = STR("approle");
    s->vault.auth.kubernetes.mount = STR("kubernetes");
    s->vault.auth.kubernetes.token_file = STR("/var/run/secrets/kubernetes.io/serviceaccount/token");
    s->secrets_overlap_ms = SECRETS_OVERLAP_MS;
    s->catalog.port = s->identity.database.port = POSTGRESQL_PORT;
    s->catalogs = catalogs;
    s->catalog_count = ARRAY_LEN(catalogs);
}

static bool has_bucket(const struct spec *s, struct str name)
{
    for (size_t i = 0; i < s->bucket_count; i++) {
        if (str_eq(s->buckets[i], name))
            return true;
    }
    return false;
}

/* Where the checks below have no node at hand, the file's name is what they can say. */
static int fail_across(struct reader *r, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);

static int fail_across(struct reader *r, int line, const char *fmt, ...)
{
    char text[ERR_MESSAGE_SIZE];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (line)
        return fail_at(r, line, 1, "%s", text);
    return err_set(r->err, ERR_INVALID, "%.*s: %s", STR_ARG(r->file), text);
}

static int check_warehouse(struct reader *r, const struct spec *s, struct spec_catalog *c)
{
    struct str warehouse = spec_catalog_property(c, "warehouse", NULL);
    struct str bucket;

    if (str_is_null(warehouse)) {
        warehouse = STR("s3://trino-data");
        c->properties[c->property_count++] = (struct spec_property){STR("warehouse"), warehouse, c->line};
    }
    bucket = str_skip(warehouse, 5);
    bucket = str_slice(bucket, 0, str_find_char(bucket, '/', 0));
    if (!str_starts_with(warehouse, STR("s3://")) || !is_bucket_name(bucket))
        return fail_across(r, c->line,
                           "catalogs.%.*s.warehouse: expected s3://BUCKET or s3://BUCKET/PATH, found \"%.*s\"",
                           STR_ARG(c->name), STR_ARG(warehouse));
    if (!has_bucket(s, bucket))
        return fail_across(r, c->line,
                           "catalogs.%.*s.warehouse: bucket %.*s is not among objects.buckets: add it there",
                           STR_ARG(c->name), STR_ARG(bucket));
    return 0;
}

/* Exactly one way to log in, and all that it takes. */
static int check_vault(struct reader *r, const struct spec *s)
{
    const struct spec_vault *v = &s->vault;
    bool token = !str_is_null(v->auth.token_file);
    bool approle = !str_is_null(v->auth.approle.role_id) || !str_is_null(v->auth.approle.secret_id_file);
    bool kubernetes = !str_is_null(v->auth.kubernetes.role);

    if (str_is_null(v->address))
        return token || approle || kubernetes || !str_is_null(v->ca) || !str_is_null(v->namespace_name)
                   ? fail_across(r, 0, "secrets.vault.address: expected https://HOST:PORT, which is missing")
                   : 0;
    int ways = token + approle + kubernetes;
    if (ways != 1)
        return fail_across(r, 0, "secrets.vault.auth: expected one of token-file, approle and kubernetes, found %s",
                           ways ? "several" : "none");
    if (approle && (str_is_null(v->auth.approle.role_id) || str_is_null(v->auth.approle.secret_id_file)))
        return fail_across(r, 0, "secrets.vault.auth.approle: expected role-id and secret-id-file, one is missing");
    return 0;
}

static int check_across(struct reader *r, struct spec *s)
{
    const struct {
        const char *name;
        int port;
    } ports[] = {{"store", s->store.port}, {"sql", s->sql.port}, {"identity", s->identity_service.port}};
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        for (size_t j = i + 1; j < ARRAY_LEN(ports); j++) {
            if (ports[i].port == ports[j].port)
                return fail_across(r, 0, "services.%s.port and services.%s.port are both %d: give each its own",
                                   ports[i].name, ports[j].name, ports[i].port);
        }
    }
    int vault_rc = check_vault(r, s);
    if (vault_rc < 0)
        return vault_rc;
    if (!str_is_null(s->openid.issuer) && str_is_null(s->openid.audience))
        return fail_across(r, 0,
                           "objects.openid.audience: expected the name that tokens of %.*s are for, which is missing",
                           STR_ARG(s->openid.issuer));
    for (size_t i = 0; i < s->user_count; i++) {
        for (size_t j = 0; j < s->users[i].bucket_count; j++) {
            if (!has_bucket(s, s->users[i].buckets[j]))
                return fail_across(r, 0,
                                   "objects.users.%.*s.buckets: bucket %.*s is not among objects.buckets: add it there",
                                   STR_ARG(s->users[i].name), STR_ARG(s->users[i].buckets[j]));
        }
    }
    for (size_t i = 0; i < s->catalog_count; i++) {
        if (!str_eq(s->catalogs[i].connector, STR("iceberg")))
            continue;
        int rc = check_warehouse(r, s, &s->catalogs[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int spec_parse(struct arena *a, struct str text, struct str file_name, struct str base_dir, struct spec **ret,
               struct err *err)
{
    struct reader r = {.a = a, .file = file_name, .base_dir = arena_str(a, base_dir), .err = err};
    struct spec *s = arena_new(a, struct spec);
    struct doc_node *root;

    s->file = arena_str(a, file_name);
    s->base_dir = r.base_dir;
    s->text = arena_str(a, text);
    set_defaults(&r, s);
    int rc = doc_parse(a, text, file_name, &root, err);
    if (rc == 0)
        rc = read_section(&r, s, root, STR(""), &spec_root, s);
    if (rc == 0) {
        spec_identity_defaults(a, s);
        rc = check_across(&r, s);
    }
    if (rc == 0 && ((rc = spec_identity_check(s, err)) < 0 || (rc = spec_authentication_check(s, err)) < 0))
        err_prefix(err, "%.*s", STR_ARG(file_name));
    if (rc < 0)
        return rc;
    *ret = s;
    return 0;
}

int spec_load(struct arena *a, const char *path, struct spec **ret, struct err *err)
{
    BUF_SCOPED struct buf text;
    char folder[PATH_MAX];
    const char *file = path ? path : "platform.yaml";
    bool exists = path || file_exists(file);
    size_t slash = str_rfind_char(str_from_cstr(file), '/');

    buf_init(&text, DOC_SIZE_MAX + 1);
    if (exists) {
        int rc = file_read(file, &text, err);
        if (rc < 0)
            return rc;
    }
    const char *above = slash == SIZE_MAX ? "." : slash == 0 ? "/" : arena_cstr(a, str_from(file, slash));
    if (!realpath(above, folder))
        return err_set_errno(err, errno, "%s", above);
    int rc = spec_parse(a, buf_str(&text), str_from_cstr(file), str_from_cstr(folder), ret, err);
    if (rc == 0 && !exists)
        (*ret)->file = STR_NULL;
    return rc;
}

struct str spec_catalog_property(const struct spec_catalog *c, const char *name, const char *fallback)
{
    for (size_t i = 0; i < c->property_count; i++) {
        if (str_eq_cstr(c->properties[i].name, name))
            return c->properties[i].value;
    }
    return str_from_cstr(fallback);
}

/* ---- the digest ---- */

static void digest_str(struct hash *h, struct str s)
{
    uint64_t n = s.n;

    hash_update(h, &n, sizeof(n)); /* so that "ab", "c" is not "a", "bc" */
    hash_update(h, s.p ? s.p : "", s.n);
}

static void digest_int(struct hash *h, uint64_t v)
{
    hash_update(h, &v, sizeof(v));
}

static void digest_strs(struct hash *h, const struct str *items, size_t n)
{
    digest_int(h, n);
    for (size_t i = 0; i < n; i++)
        digest_str(h, items[i]);
}

void spec_digest(const struct spec *s, char out[SPEC_DIGEST_SIZE])
{
    BUF_SCOPED struct buf hex;
    unsigned char digest[HASH_MAX_SIZE];
    struct hash h;

    hash_init(&h, HASH_SHA256);
    digest_str(&h, s->data_dir);
    digest_str(&h, s->bind);
    digest_int(&h, s->tls.on);
    digest_str(&h, s->tls.certificate);
    digest_str(&h, s->tls.key);
    digest_str(&h, s->tls.ca);
    digest_strs(&h, s->tls.hosts, s->tls.host_count);
    digest_int(&h, s->proxies.n);
    for (size_t i = 0; i < s->proxies.n; i++) {
        digest_str(&h, str_from((const char *)s->proxies.networks[i].address, sizeof(s->proxies.networks->address)));
        digest_int(&h, (uint64_t)s->proxies.networks[i].bits);
    }
    digest_int(&h, s->proxies.write_forwarded);
    digest_int(&h, (uint64_t)s->store.port);
    digest_int(&h, (uint64_t)s->sql.port);
    digest_int(&h, s->sql.memory);
    digest_int(&h, (uint64_t)s->sql.threads);
    digest_int(&h, (uint64_t)s->sql.max_queries);
    digest_int(&h, (uint64_t)s->sql.client_timeout_ms);
    digest_str(&h, s->access.config_file);
    digest_str(&h, s->access.group_file);
    digest_int(&h, (uint64_t)s->access.refresh_ms);
    digest_strs(&h, s->buckets, s->bucket_count);
    digest_int(&h, s->user_count);
    for (size_t i = 0; i < s->user_count; i++) {
        digest_str(&h, s->users[i].name);
        digest_str(&h, s->users[i].access_key);
        digest_strs(&h, s->users[i].buckets, s->users[i].bucket_count);
        digest_strs(&h, s->users[i].policies, s->users[i].policy_count);
    }
    digest_int(&h, s->policy_count);
    for (size_t i = 0; i < s->policy_count; i++) {
        digest_str(&h, s->policies[i].name);
        digest_str(&h, s->policies[i].json);
    }
    digest_str(&h, s->openid.issuer);
    digest_str(&h, s->openid.audience);
    digest_str(&h, s->openid.claim);
    digest_str(&h, s->openid.ca);
    const struct spec_vault *v = &s->vault;
    const struct str vault[] = {
        v->address,
        v->namespace_name,
        v->mount,
        v->path,
        v->ca,
        v->auth.token_file,
        v->auth.approle.role_id,
        v->auth.approle.secret_id_file,
        v->auth.approle.mount,
        v->auth.kubernetes.role,
        v->auth.kubernetes.token_file,
        v->auth.kubernetes.mount,
    };
    digest_strs(&h, vault, ARRAY_LEN(vault));
    digest_int(&h, (uint64_t)v->refresh_ms);
    digest_int(&h, (uint64_t)s->secrets_overlap_ms);
    digest_int(&h, (uint64_t)s->identity_service.port);
    spec_identity_digest(&h, s);
    spec_authentication_digest(&h, s);
    digest_int(&h, s->catalog.is_set);
    if (s->catalog.is_set) {
        digest_str(&h, s->catalog.host);
        digest_str(&h, s->catalog.database);
        digest_str(&h, s->catalog.user);
        digest_str(&h, s->catalog.password_file);
        digest_int(&h, (uint64_t)s->catalog.port);
    }
    digest_int(&h, s->catalog_count);
    for (size_t i = 0; i < s->catalog_count; i++) {
        digest_str(&h, s->catalogs[i].name);
        digest_str(&h, s->catalogs[i].connector);
        digest_int(&h, s->catalogs[i].property_count);
        for (size_t j = 0; j < s->catalogs[i].property_count; j++) {
            digest_str(&h, s->catalogs[i].properties[j].name);
            digest_str(&h, s->catalogs[i].properties[j].value);
        }
    }
    hash_final(&h, digest);
    buf_init(&hex, SPEC_DIGEST_SIZE);
    enc_hex(&hex, digest, hash_size(HASH_SHA256));
    memcpy(out, hex.p, SPEC_DIGEST_SIZE - 1);
    out[SPEC_DIGEST_SIZE - 1] = '\0';
}

/* ---- the graph ---- */

size_t spec_graph(const struct spec *s, const struct spec_node **ret)
{
    static const struct spec_node nodes[] = {
        {"store", {NULL}},
        {"sql", {"store", NULL}},
        {"identity", {NULL}}, /* last: not there when another issuer is trusted */
    };

    *ret = nodes;
    return ARRAY_LEN(nodes) - (spec_has_identity(s) ? 0 : 1);
}
