/* The table of commands, and what follows from it: options, help, usage errors. */
#include "cli/cli.h"

#include "base/vec.h"
#include "spec/suggest.h"

#include <sys/stat.h>

/* clang-format off */
#define OPTIONS(list) list, ARRAY_LEN(list)
#define NO_OPTIONS NULL, 0

static const struct cli_option up_options[] = {
    CLI_CONFIG,
    {'f', "foreground", NULL, "stay in the foreground and show the logs; Ctrl-C stops the platform"},
};
static const struct cli_option config_options[] = {CLI_CONFIG};
static const struct cli_option secrets_options[] = {
    CLI_CONFIG, {0, "now", NULL, "rotate: the value before is refused at once, as when it leaked"}};
static const struct cli_option identity_options[] = {
    CLI_CONFIG,
    {0, "users", NULL, "export: the users too, with their hashed passwords"},
    {'o', "output", "FILE", "export: into a file that only you can read; standard output otherwise"},
    {0, "replace", NULL, "import: drop a realm of that name first, with its users"},
};
static const struct cli_option status_options[] = {
    CLI_CONFIG,
    {'o', "output", "FORMAT", "table (default) or json"},
};
static const struct cli_option logs_options[] = {
    CLI_CONFIG,
    {'f', "follow", NULL, "show new lines as they come, until Ctrl-C"},
    {'n', "lines", "N", "the last N lines of each (default 50)"},
};
static const struct cli_option sql_options[] = {
    CLI_CONFIG,
    {'e', "execute", "SQL", "run these statements, separated by ;"},
    {'f', "file", "FILE", "run the statements of a file; - is standard input"},
    {0, "server", "URL", "the server; the platform's own otherwise"},
    {0, "ca", "FILE", "certificates of CAs to trust for https; the platform's own, or the system's, otherwise"},
    {0, "catalog", "NAME", "the session's catalog"},
    {0, "schema", "NAME", "the session's schema"},
    {0, "user", "NAME", "the session's user; your login name otherwise"},
    {0, "output-format", "FORMAT", "ALIGNED, VERTICAL, CSV, CSV_HEADER, CSV_UNQUOTED, CSV_HEADER_UNQUOTED, TSV, "
                                   "TSV_HEADER, JSON, NULL; ALIGNED on a terminal, CSV otherwise"},
    {0, "session", "NAME=VALUE", "a session property"},
    {0, "ignore-errors", NULL, "go on after a statement that fails"},
};

static const struct cli_command commands[] = {
    {"up", "", 0, "start the platform and wait until it answers",
     "Generates the secrets at the first start, then prints a table of the services, where they listen and where\n"
     "the credentials are. Does nothing when the platform runs already.",
     OPTIONS(up_options), false, cli_up},
    {"status", "", 0, "show the services: state, process, memory, restarts",
     "Exit code: 0 all are healthy, 1 one isn't, 3 the platform doesn't run.",
     OPTIONS(status_options), false, cli_status},
    {"logs", "[SERVICE]", 1, "show the last lines of the services' logs",
     "SERVICE is a service or supervisor; all otherwise.",
     OPTIONS(logs_options), false, cli_logs},
    {"restart", "[SERVICE]", 1, "restart one service, or the whole platform with what its file says now", NULL,
     OPTIONS(config_options), false, cli_restart},
    {"down", "", 0, "stop the platform; its data stays", NULL,
     OPTIONS(config_options), false, cli_down},
    {"sql", "", 0, "run SQL: interactively, or what -e or -f gives",
     "Speaks Trino's protocol to the platform, or to any server with --server. Statements end with a semicolon;\n"
     "Ctrl-C cancels the one that runs.",
     OPTIONS(sql_options), false, cli_sql},
    {"doctor", "", 0, "look for what keeps the platform from working, and say what to do",
     "Exit code: 0 nothing found, 1 something is wrong.",
     OPTIONS(config_options), false, cli_doctor},
    {"secrets", "list | show NAME | rotate NAME", 2, "list the names of the generated secrets, show or replace one",
     "rotate makes a new value and returns when the services have it. The value before is accepted for a while longer,\n"
     "which secrets.overlap of the file says.",
     OPTIONS(secrets_options), false, cli_secrets},
    {"identity", "import FILE | export REALM", 2, "take over a realm of a Keycloak, or give one away",
     "import reads a realm export of Keycloak (or of this program): users keep their passwords, clients their secrets.\n"
     "export writes one that Keycloak imports. Both hold keys and secrets: keep such files as you keep passwords.",
     OPTIONS(identity_options), false, cli_identity},
    {"version", "", 0, "show the version", NULL, NO_OPTIONS, false, cli_version},
    {"service", "NAME", 1, "run one service", NULL, OPTIONS(cli_service_options), true, cli_service},
    {"supervise", "", 0, "run the supervisor", NULL, OPTIONS(cli_service_options), true, cli_supervise},
};
/* clang-format on */

static int usage_error(const struct cli_command *command, const char *fmt, ...) PRINTF_LIKE(2, 3);

static int usage_error(const struct cli_command *command, const char *fmt, ...)
{
    va_list ap;

    fputs("dataplatform: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\nTry `dataplatform %s%s`.\n", command ? "help " : "help", command ? command->name : "");
    return EXIT_USAGE;
}

static void print_overview(FILE *to)
{
    fputs("usage: dataplatform COMMAND [OPTION …]\n\n", to);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (!commands[i].internal)
            fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].summary);
    }
    fputs("  help      show what a command does and its options\n\n"
          "The platform is described by platform.yaml in this folder; without one, the defaults apply.\n",
          to);
}

static void print_help(const struct cli_command *c)
{
    printf("usage: dataplatform %s%s%s%s\n\n%c%s.\n", c->name, c->option_count ? " [OPTION …]" : "",
           *c->arguments ? " " : "", c->arguments, c->summary[0] - 'a' + 'A', c->summary + 1);
    if (c->help)
        printf("%s\n", c->help);
    for (size_t i = 0; i < c->option_count; i++) {
        const struct cli_option *o = &c->options[i];
        char text[64];

        snprintf(text, sizeof(text), "%c%c%c --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
                 o->letter ? ',' : ' ', o->name, o->value ? " " : "", o->value ? o->value : "");
        printf("%s  %-26s %s\n", i ? "" : "\n", text, o->help);
    }
}

static const struct cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int unknown_command(struct cli *c, const char *name)
{
    const char *known[ARRAY_LEN(commands) + 1] = {"help"};
    size_t n = 1;

    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (!commands[i].internal)
            known[n++] = commands[i].name;
    }
    return usage_error(NULL, "there is no command %s%s", name, suggest_text(&c->arena, str_from_cstr(name), known, n));
}

/* The option that `text` (without dashes) names; its place, or -1. */
static int find_option(const struct cli_command *command, struct str text, bool is_long)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const struct cli_option *o = &command->options[i];
        if (is_long ? str_eq_cstr(text, o->name) : text.n == 1 && text.p[0] == o->letter)
            return (int)i;
    }
    return -1;
}

static int unknown_option(struct cli *c, const char *arg, struct str name)
{
    const char *known[CLI_OPTIONS_MAX];
    size_t n = 0;

    for (; n < c->command->option_count; n++)
        known[n] = c->command->options[n].name;
    return usage_error(c->command, "%s has no option %s%s", c->command->name, arg,
                       n ? suggest_text(&c->arena, name, known, n) : "");
}

/* -e VALUE, -eVALUE, -f, --execute VALUE, --execute=VALUE, --; short flags aren't combined. */
static int parse_options(struct cli *c, int argc, char **argv)
{
    bool only_args = false;

    for (int i = 0; i < argc; i++) {
        struct str arg = str_from_cstr(argv[i]);

        if (only_args || arg.n < 2 || arg.p[0] != '-') {
            if (c->arg_count == c->command->args_max)
                return usage_error(c->command, "%s takes no %sargument %s", c->command->name,
                                   c->command->args_max ? "further " : "", argv[i]);
            c->args[c->arg_count++] = argv[i];
            continue;
        }
        if (str_eq(arg, STR("--"))) {
            only_args = true;
            continue;
        }
        bool is_long = arg.p[1] == '-';
        struct str name = str_skip(arg, is_long ? 2 : 1), value = STR_NULL;
        size_t equals = is_long ? str_find_char(name, '=', 0) : name.n > 1 ? 1 : SIZE_MAX;
        if (equals != SIZE_MAX) {
            value = str_skip(name, equals + (is_long ? 1 : 0));
            name = str_slice(name, 0, equals);
        }
        int at = find_option(c->command, name, is_long);
        if (at < 0)
            return unknown_option(c, argv[i], name);
        const struct cli_option *o = &c->command->options[at];
        if (!o->value && !str_is_null(value))
            return usage_error(c->command, "the option --%s takes no value", o->name);
        if (!o->value) {
            c->values[at] = "";
        } else if (!str_is_null(value)) {
            c->values[at] = value.p;
        } else {
            if (++i == argc)
                return usage_error(c->command, "the option --%s needs a value: %s", o->name, o->value);
            c->values[at] = argv[i];
        }
    }
    return EXIT_OK;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

static int help(struct cli *c, int argc, char **argv)
{
    if (argc == 0) {
        print_overview(stdout);
        return EXIT_OK;
    }
    const struct cli_command *command = find_command(argv[0]);
    if (!command)
        return unknown_command(c, argv[0]);
    print_help(command);
    return EXIT_OK;
}

static int run(struct cli *c, int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(c, argc - 2, argv + 2);
    if (strcmp(name, "--version") == 0)
        name = "version";
    c->command = find_command(name);
    if (!c->command)
        return unknown_command(c, name);
    if (asks_for_help(argc - 2, argv + 2)) {
        print_help(c->command);
        return EXIT_OK;
    }
    int code = parse_options(c, argc - 2, argv + 2);
    return code == EXIT_OK ? c->command->run(c) : code;
}

int cli_main(int argc, char **argv)
{
    struct cli c = {0};

    umask(077); /* whatever is made in the data folder is its owner's */
    int code = run(&c, argc, argv);

    arena_release(&c.arena);
    /* What didn't reach its reader wasn't said. */
    if (fflush(stdout) != 0 && code == EXIT_OK)
        code = EXIT_FAILED;
    return code;
}
