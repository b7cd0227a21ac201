/*
 * The commands of `dataplatform`, one file each, in the table of commands.c. A command gets its options parsed and
 * checked, and returns the exit code: EXIT_OK, EXIT_FAILED (said on standard error why), EXIT_USAGE, or one that its
 * help names.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/buf.h"
#include "base/json.h"
#include "pki/pki.h"
#include "secrets/secrets.h"
#include "spec/spec.h"
#include "supervisor/supervisor.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOT_RUNNING = 3 };
enum { CLI_ARGS_MAX = 64, CLI_OPTIONS_MAX = 16 };

struct cli_option {
    char letter;       /* -e; 0: none */
    const char *name;  /* --execute */
    const char *value; /* what stands for the value in the help; NULL: a flag */
    const char *help;
};

struct cli;

struct cli_command {
    const char *name;
    const char *arguments; /* "[SERVICE]"; "" */
    int args_max;
    const char *summary; /* one line, without a full stop */
    const char *help;    /* more, NULL: none */
    const struct cli_option *options;
    size_t option_count;
    bool internal; /* for our own processes: not listed */
    int (*run)(struct cli *c);
};

struct cli {
    struct arena arena;
    const struct cli_command *command;
    const char *args[CLI_ARGS_MAX];
    int arg_count;
    const char *values[CLI_OPTIONS_MAX]; /* by the option's place in the command's table; NULL: not given */
};

/* The value of an option, "" for a flag that is set, NULL when it isn't given. */
const char *cli_option(const struct cli *c, const char *name);
/* Says `dataplatform: …` on standard error and returns EXIT_FAILED. */
int cli_fail(const struct err *err);
int cli_failf(const char *fmt, ...) PRINTF_LIKE(1, 2);
int cli_main(int argc, char **argv);

/* `--config FILE`, which most commands have. */
#define CLI_CONFIG                                                                           \
    {                                                                                        \
        'c', "config", "FILE", "the platform's file; platform.yaml in this folder otherwise" \
    }

/* ---- platform.c ---- */

/* The spec that --config names; EXIT_OK, or it is said what is wrong. */
int cli_load(struct cli *c, struct spec **ret);
/* NUL-terminated: an address that a client on this machine can use. */
const char *cli_url(struct arena *a, const struct spec *s, int port);
int cli_service_port(const struct spec *s, const char *service);
/* NULL-terminated names, of the services of the spec in the order of their start. */
const char *const *cli_services(struct arena *a, const struct spec *s);
/* Fails and says which there are when there is no such service. */
int cli_check_service(struct cli *c, const struct spec *s, const char *service);
/* Services that are supervised, run by `program` from a spec's copy. */
size_t cli_supervised(struct arena *a, const struct spec *s, const char *program, const char *config,
                      struct supervisor_service *ret);
/* Names of all secrets that the spec needs. */
const char *const *cli_secret_names(struct arena *a, const struct spec *s, size_t *ret_n);
MUST_CHECK int cli_open_secrets(struct arena *a, const struct spec *s, struct secrets **ret, struct err *err);
/* A service's spec and secrets, from the internal options config, folder and name. */
int cli_load_service(struct cli *c, const char *service, struct spec **ret, struct secrets **ret_secrets);
extern const struct cli_option cli_service_options[5];

/* ---- ports.c ---- */

/* 0, or ERR_EXISTS with a message that names who listens there. */
MUST_CHECK int cli_check_port(const char *key, struct str address, int port, struct err *err);

/* ---- table.c ---- */

enum { TABLE_COLUMNS_MAX = 10 };
struct table {
    struct arena *a;
    size_t columns, rows, cap;
    const char **cells;
};
void table_init(struct table *t, struct arena *a, size_t columns, const char *const *heads);
void table_add(struct table *t, const char *const *cells);
void table_print(const struct table *t, FILE *to);
const char *table_bytes(struct arena *a, uint64_t bytes); /* "12.3 MiB" */
const char *table_duration(struct arena *a, int64_t ms);  /* "3 s", "2 min", "5 h", "3 d" */

/* ---- report.c: what `up` and `status` say ---- */

void report_services(struct arena *a, const struct spec *s, const json_t *status, FILE *to);
void report_access(struct arena *a, const struct spec *s, const json_t *status, FILE *to);
/* Each service that isn't healthy, why, and the last lines of its log. */
void report_unhealthy(struct arena *a, const struct spec *s, const json_t *status, FILE *to);

/* ---- commands ---- */

int cli_up(struct cli *c);
int cli_status(struct cli *c);
int cli_logs(struct cli *c);
int cli_restart(struct cli *c);
int cli_down(struct cli *c);
int cli_sql(struct cli *c);
int cli_doctor(struct cli *c);
int cli_secrets(struct cli *c);
int cli_identity(struct cli *c);
int cli_version(struct cli *c);
int cli_service(struct cli *c);
int cli_supervise(struct cli *c);

/* Renews in time what has to be; what the owner should know goes to the log. */
void cli_upkeep(const struct spec *s);

/* What of the spec only the services understand; EXIT_OK, or it is said what is wrong. */
int cli_check_spec(const struct spec *s);
/* Parts of `up` and `down` that `restart` is made of. */
int cli_start(struct cli *c, struct spec *s, bool foreground);
int cli_stop(const char *data_dir, bool *ret_was_running);

#endif
