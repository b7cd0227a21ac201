#include "cli/cli.h"

#include "base/clock.h"
#include "base/vec.h"
#include "os/file.h"
#include "spec/suggest.h"

#include <errno.h>
#include <fcntl.h>

enum { TAKE_MS = 15 * 1000, KNOWN_MAX = 50 };

static int list(struct cli *c, const struct secrets *secrets)
{
    struct str *names;
    size_t n = secrets_list(secrets, &c->arena, &names);

    for (size_t i = 0; i < n; i++)
        printf("%.*s\n", STR_ARG(names[i]));
    if (n == 0)
        fputs("no secrets yet: the first `dataplatform up` makes them\n", stderr);
    return EXIT_OK;
}

static int unknown(struct cli *c, const struct secrets *secrets, const char *name)
{
    struct str *names;
    size_t n = secrets_list(secrets, &c->arena, &names);
    const char **known = arena_array(&c->arena, const char *, n);

    for (size_t i = 0; i < n; i++)
        known[i] = names[i].p;
    if (n == 0)
        return cli_failf("there is no secret %s: the first `dataplatform up` makes them", name);
    const char *nearest = suggest_nearest(str_from_cstr(name), known, n);
    return cli_failf("there is no secret %s%s%s%s There are: %s%s", name, nearest ? "; did you mean " : ".",
                     nearest ? nearest : "", nearest ? "?" : "",
                     suggest_list(&c->arena, known, n < KNOWN_MAX ? n : KNOWN_MAX), n < KNOWN_MAX ? "" : ", …");
}

static int show(struct cli *c, const struct secrets *secrets, const char *name)
{
    struct str value = secrets_get(secrets, name);

    if (str_is_null(value))
        return unknown(c, secrets, name);
    printf("%.*s\n", STR_ARG(value));
    return EXIT_OK;
}

/* A line in the log that outlives the services: who rotated what, never to what. */
static int audit(struct cli *c, const struct spec *s, const char *name, struct err *err)
{
    char now[CLOCK_TEXT_SIZE];
    const char *folder = arena_printf(&c->arena, "%.*s/logs", STR_ARG(s->data_dir)).p;
    const char *path = arena_printf(&c->arena, "%s/supervisor.log", folder).p;

    clock_format_rfc3339_ms(clock_wall_ms(), now);
    struct str line = arena_printf(&c->arena, "%s INFO secrets: user %u rotated %s\n", now, (unsigned)getuid(), name);
    int rc = file_make_folders(folder, 0700, err);
    if (rc < 0)
        return rc;
    FD_SCOPED int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return fd < 0 ? err_set_errno(err, errno, "%s", path) : file_write_all(fd, line.p, line.n, err);
}

static int rotate(struct cli *c, const struct spec *s, struct secrets *secrets, const char *name)
{
    struct err err = {0};
    struct str *services;
    size_t n;
    /* The identity service has one secret a client and one password a user: there the new one replaces the old. */
    bool overlaps = !cli_option(c, "now") && strncmp(name, "store/", 6) == 0;
    int64_t until = 0, overlap_ms = overlaps ? s->secrets_overlap_ms : 0;
    char text[CLOCK_TEXT_SIZE];

    if (str_is_null(secrets_get(secrets, name)))
        return unknown(c, secrets, name);
    /* The line first: a change that nobody can trace must not happen. */
    int rc = audit(c, s, name, &err);
    if (rc == 0)
        rc = secrets_rotate(secrets, name, overlap_ms, &err);
    if (rc < 0)
        return cli_fail(&err);
    rc = secrets_announce(secrets, &c->arena, TAKE_MS, &services, &n, &err);
    printf("%s has a new value: `dataplatform secrets show %s` prints it\n", name, name);
    if (!str_is_null(secrets_get_previous(secrets, name, &until))) {
        clock_format_rfc3339_ms(until, text);
        printf("the value before is accepted until %s\n", text);
    } else {
        puts("the value before is no longer accepted");
    }
    fflush(stdout);
    return rc < 0 ? cli_fail(&err) : EXIT_OK;
}

int cli_secrets(struct cli *c)
{
    struct secrets *secrets = NULL;
    struct err err = {0};
    struct spec *s;
    const char *what = c->arg_count ? c->args[0] : "", *name = c->arg_count == 2 ? c->args[1] : NULL;
    bool lists = !name && strcmp(what, "list") == 0;
    bool shows = name && strcmp(what, "show") == 0;
    bool rotates = name && strcmp(what, "rotate") == 0;

    if ((!lists && !shows && !rotates) || (cli_option(c, "now") && !rotates)) {
        fputs("usage: dataplatform secrets list | show NAME | rotate [--now] NAME\n", stderr);
        return EXIT_USAGE;
    }
    int code = cli_load(c, &s);
    if (code != EXIT_OK)
        return code;
    if (cli_open_secrets(&c->arena, s, &secrets, &err) < 0)
        return cli_fail(&err);
    if (lists)
        code = list(c, secrets);
    else
        code = shows ? show(c, secrets, name) : rotate(c, s, secrets, name);
    secrets_close(secrets);
    return code;
}
