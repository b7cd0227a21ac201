/* What the commands know of the platform: its spec, its services, their health checks and secrets. */
#include "cli/cli.h"

#include "base/log.h"
#include "base/vec.h"
#include "os/file.h"
#include "spec/suggest.h"

/* How long to wait for a Vault that can't be reached: who typed a command wants to know; a service may start with it. */
enum { COMMAND_PATIENCE_MS = 3000, SERVICE_PATIENCE_MS = 30 * 1000 };

static const struct {
    const char *service, *health_path, *health_text;
    size_t port; /* offset in struct spec */
} services[] = {
    {"store", "/minio/health/ready", NULL, offsetof(struct spec, store.port)},
    {"sql", "/v1/info", "\"starting\":false", offsetof(struct spec, sql.port)},
    {"identity", "/health/ready", "\"UP\"", offsetof(struct spec, identity_service.port)},
};

const struct cli_option cli_service_options[5] = {
    CLI_CONFIG,
    {0, "folder", "FOLDER", "what relative paths of the file start from"},
    {0, "name", "FILE", "the name that messages give the file"},
    {0, "ready", NULL, "say ok on standard output when requests are taken"},
    {0, "check", NULL, "only see whether all that the service needs is there"},
};

int cli_load(struct cli *c, struct spec **ret)
{
    struct err err = {0};
    int rc = spec_load(&c->arena, cli_option(c, "config"), ret, &err);
    return rc < 0 ? cli_fail(&err) : EXIT_OK;
}

const char *cli_url(struct arena *a, const struct spec *s, int port)
{
    return arena_printf(a, "%s://%s:%d", s->tls.on ? "https" : "http", pki_url_host(a, s), port).p;
}

int cli_service_port(const struct spec *s, const char *service)
{
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        if (strcmp(services[i].service, service) == 0)
            return *(const int *)((const char *)s + services[i].port);
    }
    return 0;
}

const char *const *cli_services(struct arena *a, const struct spec *s)
{
    const struct spec_node *nodes;
    size_t n = spec_graph(s, &nodes);
    const char **names = arena_array(a, const char *, n + 1);

    for (size_t i = 0; i < n; i++)
        names[i] = nodes[i].service;
    return names;
}

int cli_check_service(struct cli *c, const struct spec *s, const char *service)
{
    const char *const *names = cli_services(&c->arena, s);
    size_t n = 0;

    for (; names[n]; n++) {
        if (strcmp(names[n], service) == 0)
            return EXIT_OK;
    }
    cli_failf("there is no service %s%s", service, suggest_text(&c->arena, str_from_cstr(service), names, n));
    return EXIT_USAGE;
}

size_t cli_supervised(struct arena *a, const struct spec *s, const char *program, const char *config,
                      struct supervisor_service *ret)
{
    const struct spec_node *nodes;
    size_t n = spec_graph(s, &nodes);
    const char *name = str_is_null(s->file) ? "platform.yaml" : arena_cstr(a, s->file);

    for (size_t i = 0; i < n; i++) {
        const char *const argv[] = {program, "service",  nodes[i].service,           "--config",
                                    config,  "--folder", arena_cstr(a, s->base_dir), "--name",
                                    name,    NULL};
        const char **copy = arena_array(a, const char *, ARRAY_LEN(argv));

        memcpy(copy, argv, sizeof(argv));
        ret[i] = (struct supervisor_service){
            .name = nodes[i].service, .argv = copy, .needs = nodes[i].needs, .address = arena_cstr(a, s->bind)};
        ret[i].port = cli_service_port(s, nodes[i].service);
        ret[i].is_tls = s->tls.on;
        for (size_t j = 0; j < ARRAY_LEN(services); j++) {
            if (strcmp(services[j].service, nodes[i].service) != 0)
                continue;
            ret[i].health_path = services[j].health_path;
            ret[i].health_text = services[j].health_text;
        }
    }
    return n;
}

const char *const *cli_secret_names(struct arena *a, const struct spec *s, size_t *ret_n)
{
    const struct spec_identity *id = &s->identity;
    const char **names = arena_array(a, const char *, s->user_count + 2 + id->clients.n + id->users.n);
    size_t n = 0;

    for (size_t i = 0; i < s->user_count; i++)
        names[n++] = arena_printf(a, "store/users/%.*s/secret-key", STR_ARG(s->users[i].name)).p;
    names[n++] = "store/sts-key";
    if (spec_has_identity(s)) {
        names[n++] = "identity/admin/password";
        for (size_t i = 0; i < id->clients.n; i++)
            if (!id->clients.items[i].is_public)
                names[n++] = arena_printf(a, "identity/clients/%.*s/secret", STR_ARG(id->clients.items[i].name)).p;
        for (size_t i = 0; i < id->users.n; i++)
            names[n++] = arena_printf(a, "identity/users/%.*s/password", STR_ARG(id->users.items[i].name)).p;
    }
    *ret_n = n;
    return names;
}

static const char *text_or_null(struct arena *a, struct str s)
{
    return str_is_null(s) ? NULL : arena_cstr(a, s);
}

static int open_secrets(struct arena *a, const struct spec *s, int patience_ms, struct secrets **ret, struct err *err)
{
    const struct spec_vault *v = &s->vault;
    struct secrets_vault vault = {
        .address = text_or_null(a, v->address),
        .namespace_name = text_or_null(a, v->namespace_name),
        .mount = text_or_null(a, v->mount),
        .path = text_or_null(a, v->path),
        .ca_file = text_or_null(a, v->ca),
        .token_file = text_or_null(a, v->auth.token_file),
        .refresh_ms = (int)v->refresh_ms,
        .patience_ms = patience_ms,
    };

    if (!str_is_null(v->auth.approle.role_id)) {
        vault.auth = SECRETS_VAULT_APPROLE;
        vault.role = text_or_null(a, v->auth.approle.role_id);
        vault.secret_id_file = text_or_null(a, v->auth.approle.secret_id_file);
        vault.auth_mount = text_or_null(a, v->auth.approle.mount);
    } else if (!str_is_null(v->auth.kubernetes.role)) {
        vault.auth = SECRETS_VAULT_KUBERNETES;
        vault.role = text_or_null(a, v->auth.kubernetes.role);
        vault.token_file = text_or_null(a, v->auth.kubernetes.token_file);
        vault.auth_mount = text_or_null(a, v->auth.kubernetes.mount);
    }
    return secrets_open(&(struct secrets_source){arena_cstr(a, s->data_dir), vault.address ? &vault : NULL}, ret, err);
}

int cli_open_secrets(struct arena *a, const struct spec *s, struct secrets **ret, struct err *err)
{
    return open_secrets(a, s, COMMAND_PATIENCE_MS, ret, err);
}

int cli_load_service(struct cli *c, const char *service, struct spec **ret, struct secrets **ret_secrets)
{
    const char *config = cli_option(c, "config"), *folder = cli_option(c, "folder"), *name = cli_option(c, "name");
    BUF_SCOPED struct buf text;
    struct err err = {0};

    log_set_name(service);
    buf_init(&text, 2 << 20);
    int rc = 0;
    if (!folder) {
        rc = spec_load(&c->arena, config, ret, &err); /* by hand, with the file as it is */
    } else {
        rc = file_read(config ? config : "", &text, &err);
        if (rc == 0)
            rc = spec_parse(&c->arena, buf_str(&text), str_from_cstr(name ? name : config), str_from_cstr(folder), ret,
                            &err);
    }
    if (rc == 0)
        rc = open_secrets(&c->arena, *ret, SERVICE_PATIENCE_MS, ret_secrets, &err);
    if (rc < 0) {
        log_error("%s", err.message);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}
