/* `supervise`: the process that `up` leaves in the background. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/log.h"
#include "os/process.h"

#include <fcntl.h>
#include <unistd.h>

void cli_upkeep(const struct spec *s)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct str note;
    struct err err = {0};

    if (pki_prepare(&a, s, clock_wall_ms(), &note, &err) < 0)
        log_error("%s", err.message);
    else if (!str_is_null(note))
        log_warn("%.*s", STR_ARG(note));
}

static void upkeep(void *ctx)
{
    cli_upkeep(ctx);
}

int cli_supervise(struct cli *c)
{
    struct supervisor_service services[SUPERVISOR_SERVICES_MAX];
    char program[4096], digest[SPEC_DIGEST_SIZE];
    struct secrets *secrets;
    struct spec *s;
    struct err err = {0};
    int ready_fd = -1;
    int code = cli_load_service(c, "supervisor", &s, &secrets);

    if (code != EXIT_OK)
        return code;
    secrets_close(secrets); /* readable, that is all it needs to know */
    int rc = process_own_path(program, sizeof(program), &err);
    if (rc == 0) {
        const char *config = cli_option(c, "config");
        const struct supervisor_options o = {
            .data_dir = arena_cstr(&c->arena, s->data_dir),
            .digest = digest,
            .services = services,
            .upkeep = upkeep,
            .ctx = s,
            .n = cli_supervised(&c->arena, s, program, config ? config : "", services),
            .ready_fd = cli_option(c, "ready") ? (ready_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)) : -1,
        };
        spec_digest(s, digest);
        /* `up` reads until the pipe's end: this process must not be what holds it open. */
        if (ready_fd >= 0)
            (void)!dup2(STDERR_FILENO, STDOUT_FILENO);
        rc = supervisor_run(&o, &err);
    }
    if (rc < 0) {
        log_error("%s", err.message);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}
