/* What the commands and dataplatform-sql share. */
#include "cli/cli.h"

int cli_fail(const struct err *err)
{
    fprintf(stderr, "dataplatform: %s\n", err->message);
    return EXIT_FAILED;
}

int cli_failf(const char *fmt, ...)
{
    struct err err = {0};
    va_list ap;

    va_start(ap, fmt);
    err_setv(&err, ERR_INVALID, fmt, ap);
    va_end(ap);
    return cli_fail(&err);
}

const char *cli_option(const struct cli *c, const char *name)
{
    for (size_t i = 0; i < c->command->option_count; i++) {
        if (strcmp(c->command->options[i].name, name) == 0)
            return c->values[i];
    }
    return NULL;
}
