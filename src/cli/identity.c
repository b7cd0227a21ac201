/* `identity import` and `identity export`: realms as Keycloak's export files have them. */
#include "cli/cli.h"

#include "identity/service.h"
#include "os/file.h"

enum { FILE_MAX = 512 << 20, RESTART_MS = 60000 };

/* The service has the realms in memory: it reads them again when it starts. */
static int restart_service(struct cli *c, const struct spec *s)
{
    JSON_SCOPED json_t *status = NULL;
    struct err err = {0};
    int rc = supervisor_request(arena_cstr(&c->arena, s->data_dir), "restart", "identity", RESTART_MS, &status, &err);

    return rc < 0 && rc != ERR_NOT_FOUND ? cli_fail(&err) : EXIT_OK;
}

static int import(struct cli *c, const struct spec *s, const char *file)
{
    BUF_SCOPED struct buf text = {0};
    JSON_SCOPED json_t *json = NULL;
    struct err err = {0};
    size_t n = 0;

    buf_init(&text, FILE_MAX);
    int rc = file_read(file, &text, &err);
    if (rc == 0 && (rc = json_parse(buf_str(&text), &json, &err)) < 0)
        err_prefix(&err, "%s:%d:%d", file, err.line, err.column);
    explicit_bzero(text.p, text.n);
    if (rc == 0)
        rc = identity_service_import(s, json, cli_option(c, "replace") != NULL, &n, &err);
    if (rc < 0)
        return cli_fail(&err);
    printf("imported %zu realm%s\n", n, n == 1 ? "" : "s");
    return restart_service(c, s);
}

static int export(struct cli *c, const struct spec *s, const char *realm)
{
    const char *output = cli_option(c, "output");
    BUF_SCOPED struct buf text = {0};
    JSON_SCOPED json_t *json = NULL;
    struct json_writer w;
    struct err err = {0};

    int rc = identity_service_export(s, str_from_cstr(realm), cli_option(c, "users") != NULL, &json, &err);
    if (rc < 0)
        return cli_fail(&err);
    buf_init(&text, FILE_MAX);
    json_writer_init(&w, &text);
    json_add_value(&w, json);
    buf_add_char(&text, '\n');
    rc = buf_check(&text, "the export", &err);
    if (rc == 0 && output)
        rc = file_write_atomic(output, buf_str(&text), 0600, &err);
    else if (rc == 0 && fwrite(text.p, 1, text.n, stdout) != text.n)
        rc = err_set(&err, ERR_IO, "standard output can't be written");
    explicit_bzero(text.p, text.n);
    return rc < 0 ? cli_fail(&err) : EXIT_OK;
}

int cli_identity(struct cli *c)
{
    bool imports = c->arg_count == 2 && strcmp(c->args[0], "import") == 0;
    bool exports = c->arg_count == 2 && strcmp(c->args[0], "export") == 0;
    struct spec *s;

    if (!imports && !exports) {
        fputs("usage: dataplatform identity import FILE | export REALM\n", stderr);
        return EXIT_USAGE;
    }
    int code = cli_load(c, &s);
    if (code != EXIT_OK)
        return code;
    if (!spec_has_identity(s))
        return cli_failf("identity.issuer is set: the platform has no identity service of its own");
    return imports ? import(c, s, c->args[1]) : export(c, s, c->args[1]);
}
