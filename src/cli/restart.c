#include "cli/cli.h"

enum { RESTART_MS = 150000 };

static int restart_service(struct cli *c, const struct spec *s, const char *service)
{
    const char *data_dir = arena_cstr(&c->arena, s->data_dir);
    JSON_SCOPED json_t *status = NULL;
    struct err err = {0};
    size_t i;
    json_t *item;

    int code = cli_check_service(c, s, service);
    if (code != EXIT_OK)
        return code;
    int rc = supervisor_request(data_dir, "restart", service, RESTART_MS, &status, &err);
    if (rc < 0) {
        cli_fail(&err);
        return rc == ERR_NOT_FOUND ? EXIT_NOT_RUNNING : EXIT_FAILED;
    }
    json_array_foreach(json_object_get(status, "services"), i, item)
    {
        if (str_eq_cstr(json_opt_str(item, "name", STR("")), service) &&
            str_eq(json_opt_str(item, "state", STR("")), STR("healthy"))) {
            printf("%s is healthy again, pid %lld\n", service, (long long)json_opt_i64(item, "pid", 0));
            return EXIT_OK;
        }
    }
    report_unhealthy(&c->arena, s, status, stderr);
    return EXIT_FAILED;
}

int cli_restart(struct cli *c)
{
    struct spec *s;
    bool was_running;
    int code = cli_load(c, &s); /* before anything is stopped: a broken file stops nothing */

    if (code == EXIT_OK)
        code = cli_check_spec(s);
    if (code != EXIT_OK)
        return code;
    if (c->arg_count)
        return restart_service(c, s, c->args[0]);
    code = cli_stop(arena_cstr(&c->arena, s->data_dir), &was_running);
    return code == EXIT_OK ? cli_start(c, s, false) : code;
}
