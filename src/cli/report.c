/* What `up` and `status` say about the services. */
#include "cli/cli.h"

enum { LOG_LINES = 15 };

static const char *text_of(struct arena *a, const json_t *object, const char *key)
{
    return arena_cstr(a, json_opt_str(object, key, STR("")));
}

static void add_row(struct table *t, const char *name, const json_t *s, const char *state, const char *url)
{
    struct arena *a = t->a;
    int64_t pid = json_opt_i64(s, "pid", 0);
    const char *cells[] = {
        name,
        state,
        pid ? arena_printf(a, "%lld", (long long)pid).p : "-",
        url,
        pid ? table_bytes(a, (uint64_t)json_opt_i64(s, "memoryBytes", 0)) : "-",
        arena_printf(a, "%lld", (long long)json_opt_i64(s, "restarts", 0)).p,
        pid ? table_duration(a, json_opt_i64(s, "uptimeMs", 0)) : "-",
    };

    table_add(t, cells);
}

void report_services(struct arena *a, const struct spec *spec, const json_t *status, FILE *to)
{
    static const char *const heads[] = {"SERVICE", "STATE", "PID", "URL", "MEMORY", "RESTARTS", "UPTIME"};
    struct table t;
    size_t i;
    json_t *s;

    table_init(&t, a, sizeof(heads) / sizeof(heads[0]), heads);
    json_array_foreach(json_object_get(status, "services"), i, s)
    {
        add_row(&t, text_of(a, s, "name"), s, text_of(a, s, "state"),
                cli_url(a, spec, (int)json_opt_i64(s, "port", 0)));
    }
    add_row(&t, "supervisor", status, "running", "");
    table_print(&t, to);
}

static bool is_loopback(struct str address)
{
    return str_starts_with(address, STR("127.")) || str_eq(address, STR("::1"));
}

// What a service that has no users of its own asks of its clients.
static const char *any_user(const struct spec *s, const char *name)
{
    return strcmp(name, "sql") == 0 && s->authentication.types.n ? "as services.sql.authentication says"
                                                                 : "any user name, no password";
}

void report_access(struct arena *a, const struct spec *s, const json_t *status, FILE *to)
{
    static const char *const heads[] = {"SERVICE", "URL", "CREDENTIALS"};
    const char *const *names = cli_services(a, s);
    struct table t;

    (void)status;
    table_init(&t, a, sizeof(heads) / sizeof(heads[0]), heads);
    for (; *names; names++) {
        const char *url = cli_url(a, s, cli_service_port(s, *names));
        bool is_store = strcmp(*names, "store") == 0;

        if (strcmp(*names, "identity") == 0) {
            const char *cells[] = {*names, url,
                                   "user admin; password: dataplatform secrets show identity/admin/password"};
            table_add(&t, cells);
        } else if (!is_store || s->user_count == 0) {
            const char *cells[] = {*names, url, is_store ? "no users" : any_user(s, *names)};
            table_add(&t, cells);
        }
        for (size_t i = 0; is_store && i < s->user_count; i++) {
            const char *cells[] = {
                i ? "" : *names, i ? "" : url,
                arena_printf(a, "access key %.*s; secret key: dataplatform secrets show store/users/%.*s/secret-key",
                             STR_ARG(s->users[i].access_key), STR_ARG(s->users[i].name))
                    .p};
            table_add(&t, cells);
        }
    }
    table_print(&t, to);
    if (str_is_null(s->vault.address))
        fprintf(to, "\nData, logs and secrets are in %.*s.\n", STR_ARG(s->data_dir));
    else
        fprintf(to, "\nData and logs are in %.*s, secrets in %.*s.\n", STR_ARG(s->data_dir), STR_ARG(s->vault.address));
    if (pki_ca_file(a, s))
        fprintf(to, "Clients have to trust the CA in %s.\n", pki_ca_file(a, s));
    else if (!s->tls.on && !is_loopback(s->bind))
        fputs("TLS is off: whoever can listen in on the network reads what clients send; `tls: on` changes that.\n",
              to);
}

void report_unhealthy(struct arena *a, const struct spec *s, const json_t *status, FILE *to)
{
    const char *data_dir = arena_cstr(a, s->data_dir);
    size_t i;
    json_t *service;

    json_array_foreach(json_object_get(status, "services"), i, service)
    {
        const char *name = text_of(a, service, "name"), *state = text_of(a, service, "state");
        const char *reason = text_of(a, service, "reason");
        BUF_SCOPED struct buf tail;
        struct err err = {0};

        buf_init(&tail, 1 << 20);
        if (strcmp(state, "healthy") == 0)
            continue;
        fprintf(to, "%s is %s%s%s\n", name, state, *reason ? ": " : "", reason);
        if (strcmp(state, "waiting") == 0)
            continue; /* for one that is named too */
        if (supervisor_log_tail(data_dir, name, LOG_LINES, &tail, &err) < 0) {
            fprintf(to, "  (its log can't be read: %s)\n", err.message);
            continue;
        }
        fprintf(to, "the end of %s/logs/%s.log:\n%s%.*s", data_dir, name, tail.n ? "" : "  (empty)\n",
                STR_ARG(buf_str(&tail)));
        if (tail.n && tail.p[tail.n - 1] != '\n')
            fputc('\n', to);
    }
}
