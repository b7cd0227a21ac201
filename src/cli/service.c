/*
 * `service NAME`: the process of one service. `sql` is a program of its own beside this one, so that libduckdb is
 * mapped into that process only.
 */
#include "cli/cli.h"

#include "base/log.h"
#include "identity/service.h"
#include "os/process.h"
#include "s3/service.h"

#include <errno.h>
#include <unistd.h>

static int become_sql(struct cli *c)
{
    char own[4096];
    struct err err = {0};
    const char *argv[2 + 2 * 3 + 1] = {NULL}; /* the name, three pairs, --check, the end */
    int n = 1;
    static const char *const passed[] = {"config", "folder", "name"};

    if (process_own_path(own, sizeof(own), &err) < 0)
        return cli_fail(&err);
    size_t folder = str_rfind_char(str_from_cstr(own), '/');
    const char *const places[] = {
        arena_printf(&c->arena, "%.*s/dataplatform-sql", (int)folder, own).p,
        arena_printf(&c->arena, "%.*s/../libexec/dataplatform/dataplatform-sql", (int)folder, own).p,
    };
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
        const char *value = cli_option(c, passed[i]);
        if (!value)
            continue;
        argv[n++] = arena_printf(&c->arena, "--%s", passed[i]).p;
        argv[n++] = value;
    }
    if (cli_option(c, "check"))
        argv[n++] = "--check";
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        argv[0] = places[i];
        execv(places[i], (char *const *)argv);
        if (errno != ENOENT) {
            err_set_errno(&err, errno, "%s", places[i]);
            return cli_fail(&err);
        }
    }
    return cli_failf("%s is missing: the build is not complete", places[0]);
}

static int run(struct cli *c, const char *service,
               int (*service_run)(const struct spec *spec, struct secrets *secrets, struct err *err))
{
    struct spec *spec;
    struct secrets *secrets;
    struct err err = {0};
    int code = cli_load_service(c, service, &spec, &secrets);

    if (code != EXIT_OK)
        return code;
    int rc = service_run(spec, secrets, &err);
    secrets_close(secrets);
    if (rc < 0) {
        log_error("%s", err.message);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

int cli_service(struct cli *c)
{
    if (c->arg_count == 1 && strcmp(c->args[0], "store") == 0)
        return run(c, "store", s3_service_run);
    if (c->arg_count == 1 && strcmp(c->args[0], "identity") == 0)
        return run(c, "identity", identity_service_run);
    if (c->arg_count == 1 && strcmp(c->args[0], "sql") == 0)
        return become_sql(c);
    cli_failf("expected store, identity or sql, found %s", c->arg_count ? c->args[0] : "nothing");
    return EXIT_USAGE;
}
