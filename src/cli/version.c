#include "cli/cli.h"

int cli_version(struct cli *c)
{
    (void)c;
    puts("dataplatform " VERSION);
    return EXIT_OK;
}
