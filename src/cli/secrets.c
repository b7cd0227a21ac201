#include "cli/cli.h"

#include "base/vec.h"
#include "spec/suggest.h"

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

static int show(struct cli *c, const struct secrets *secrets, const char *name)
{
    struct str value = secrets_get(secrets, name);
    struct str *names;
    size_t n = secrets_list(secrets, &c->arena, &names);

    if (!str_is_null(value)) {
        printf("%.*s\n", STR_ARG(value));
        return EXIT_OK;
    }
    const char **known = arena_array(&c->arena, const char *, n);
    for (size_t i = 0; i < n; i++)
        known[i] = names[i].p;
    const char *nearest = suggest_nearest(str_from_cstr(name), known, n);
    return cli_failf("there is no secret %s%s%s%s", name, nearest ? "; did you mean " : "", nearest ? nearest : "",
                     nearest ? "?" : "; `dataplatform secrets list` shows their names");
}

int cli_secrets(struct cli *c)
{
    struct secrets *secrets = NULL;
    struct err err = {0};
    struct spec *s;
    bool lists = c->arg_count == 1 && strcmp(c->args[0], "list") == 0;
    bool shows = c->arg_count == 2 && strcmp(c->args[0], "show") == 0;

    if (!lists && !shows) {
        fputs("usage: dataplatform secrets list | show NAME\n", stderr);
        return EXIT_USAGE;
    }
    int code = cli_load(c, &s);
    if (code != EXIT_OK)
        return code;
    if (secrets_open(arena_cstr(&c->arena, s->data_dir), &secrets, &err) < 0)
        return cli_fail(&err);
    code = lists ? list(c, secrets) : show(c, secrets, c->args[1]);
    secrets_close(secrets);
    return code;
}
