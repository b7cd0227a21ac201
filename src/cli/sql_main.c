/* dataplatform-sql: the process of the service `sql`, the only one with libduckdb in it. */
#include "cli/cli.h"

#include "base/log.h"
#include "base/vec.h"
#include "os/file.h"
#include "os/process.h"
#include "trino/service.h"

/* Where the engine's signed extensions are: as `make deps` lays them out, as an installation does, or as told. */
static const char *find_extensions(struct arena *a, struct err *err)
{
    const char *told = getenv("DATAPLATFORM_EXTENSIONS");
    char own[4096];

    if (told && *told)
        return told;
    if (process_own_path(own, sizeof(own), err) < 0)
        return NULL;
    size_t folder = str_rfind_char(str_from_cstr(own), '/');
    const char *const places[] = {
        arena_printf(a, "%.*s/../.deps/duckdb/extensions", (int)folder, own).p,
        arena_printf(a, "%.*s/../../lib/dataplatform/extensions", (int)folder, own).p,
    };
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (file_exists(places[i]))
            return places[i];
    }
    err_set(err, ERR_NOT_FOUND,
            "the engine's extensions are not in %s: run `make deps`, or name their folder in "
            "DATAPLATFORM_EXTENSIONS",
            places[0]);
    return NULL;
}

/* For `doctor`: that this runs at all says that the loader found libduckdb. */
static int check(struct cli *c)
{
    struct err err = {0};
    const char *extensions = find_extensions(&c->arena, &err);

    if (!extensions)
        return cli_fail(&err);
    printf("libduckdb is found, its extensions are in %s\n", extensions);
    return EXIT_OK;
}

static int run(struct cli *c)
{
    struct spec *spec;
    struct secrets *secrets;
    struct err err = {0};
    int code = cli_load_service(c, "sql", &spec, &secrets);

    if (code != EXIT_OK)
        return code;
    const char *extensions = find_extensions(&c->arena, &err);
    int rc = extensions ? trino_service_run(spec, secrets, extensions, &err) : err.code;
    secrets_close(secrets);
    if (rc < 0) {
        log_error("%s", err.message);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

/* Only `dataplatform service sql` calls this, with pairs of our own options or --check. */
int main(int argc, char **argv)
{
    static const struct cli_command command = {.name = "sql", .options = cli_service_options, .option_count = 3};
    struct cli c = {.command = &command};

    for (int i = 1; i + 1 < argc; i += 2) {
        for (size_t j = 0; j < command.option_count; j++) {
            if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, command.options[j].name) == 0)
                c.values[j] = argv[i + 1];
        }
    }
    int code = argc == 2 && strcmp(argv[1], "--check") == 0 ? check(&c) : run(&c);
    arena_release(&c.arena);
    return code;
}
