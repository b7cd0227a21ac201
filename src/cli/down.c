#include "cli/cli.h"

enum { STOP_MS = 60000, GONE_MS = 5000 };

int cli_stop(const char *data_dir, bool *ret_was_running)
{
    JSON_SCOPED json_t *status = NULL;
    struct err err = {0};
    int rc = supervisor_request(data_dir, "down", NULL, STOP_MS, &status, &err);

    *ret_was_running = rc != ERR_NOT_FOUND;
    if (rc == ERR_NOT_FOUND)
        return EXIT_OK;
    /* One that was killed meanwhile has stopped too. */
    if (rc == 0 || rc == ERR_UNAVAILABLE)
        rc = supervisor_wait_gone(data_dir, GONE_MS, &err);
    return rc < 0 ? cli_fail(&err) : EXIT_OK;
}

int cli_down(struct cli *c)
{
    struct spec *s;
    bool was_running;
    int code = cli_load(c, &s);

    if (code == EXIT_OK)
        code = cli_stop(arena_cstr(&c->arena, s->data_dir), &was_running);
    if (code == EXIT_OK)
        printf(was_running ? "stopped; the data stays in %.*s\n" : "the platform in %.*s is not running\n",
               STR_ARG(s->data_dir));
    return code;
}
