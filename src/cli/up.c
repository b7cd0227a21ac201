/*
 * `up`: what can be checked is checked before anything is started (the file, the folder, the ports), so that the
 * common mistakes are one clear line. The supervisor is then started in the background, with a copy of the file:
 * editing it changes nothing until `restart`.
 */
#include "cli/cli.h"

#include "base/clock.h"
#include "os/file.h"
#include "os/process.h"
#include "s3/service.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

enum { WAIT_MS = 150000, PORT_WAIT_MS = 1000, PORT_LOOK_MS = 10, SUPERVISOR_LOG_MAX = 10 << 20 };

/* 0700 whatever it was: there are secrets in it. */
static int make_data_folder(const char *path, struct err *err)
{
    struct stat st;
    int rc = file_make_folders(path, 0700, err);

    if (rc < 0)
        return rc;
    if (stat(path, &st) < 0 || ((st.st_mode & 077) && chmod(path, 0700) < 0))
        return err_set_errno(err, errno, "%s: can't be closed to others (chmod 700)", path);
    return 0;
}

/* The processes of a platform that was killed a moment ago may still hold their ports: give them that moment. */
static int check_ports(struct cli *c, const struct spec *s, struct err *err)
{
    const char *const *names = cli_services(&c->arena, s);
    const struct timespec pause = {.tv_nsec = PORT_LOOK_MS * 1000000L};
    int64_t deadline = clock_mono_ms() + PORT_WAIT_MS;

    for (; *names; names++) {
        const char *key = arena_printf(&c->arena, "services.%s.port", *names).p;
        int rc;
        while ((rc = cli_check_port(key, s->bind, cli_service_port(s, *names), err)) == ERR_EXISTS &&
               clock_mono_ms() < deadline)
            nanosleep(&pause, NULL);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int prepare(struct cli *c, const struct spec *s, struct err *err)
{
    const char *data_dir = arena_cstr(&c->arena, s->data_dir);
    struct secrets *secrets = NULL;
    struct str note = STR_NULL;
    size_t n;
    const char *const *names = cli_secret_names(&c->arena, s, &n);

    int rc = make_data_folder(data_dir, err);
    if (rc == 0)
        rc = file_make_folders(arena_printf(&c->arena, "%s/run", data_dir).p, 0700, err);
    if (rc == 0)
        rc = file_make_folders(arena_printf(&c->arena, "%s/logs", data_dir).p, 0700, err);
    if (rc == 0)
        rc = cli_open_secrets(&c->arena, s, &secrets, err);
    if (rc == 0)
        rc = secrets_ensure(secrets, names, n, err);
    secrets_close(secrets);
    if (rc == 0)
        rc = pki_prepare(&c->arena, s, clock_wall_ms(), &note, err);
    if (rc == 0 && !str_is_null(note))
        fprintf(stderr, "dataplatform: %.*s\n", STR_ARG(note));
    if (rc == 0)
        rc = check_ports(c, s, err);
    if (rc == 0)
        rc = file_write_atomic(arena_printf(&c->arena, "%s/run/platform.yaml", data_dir).p, s->text, 0600, err);
    return rc;
}

/* The supervisor's own log; what the last ones left is kept as one old file. */
static int open_log(struct cli *c, const char *data_dir, struct err *err)
{
    const char *path = arena_printf(&c->arena, "%s/logs/supervisor.log", data_dir).p;
    struct stat st;

    if (stat(path, &st) == 0 && st.st_size > SUPERVISOR_LOG_MAX)
        (void)!rename(path, arena_printf(&c->arena, "%s.1", path).p);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return fd < 0 ? err_set_errno(err, errno, "%s", path) : fd;
}

static int start_supervisor(struct cli *c, const struct spec *s, struct err *err)
{
    const char *data_dir = arena_cstr(&c->arena, s->data_dir);
    char program[4096], said[16];
    int fds[2];
    pid_t pid;

    int rc = process_own_path(program, sizeof(program), err);
    if (rc < 0)
        return rc;
    FD_SCOPED int log = open_log(c, data_dir, err);
    if (log < 0)
        return log;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_set_errno(err, errno, "no pipe");
    const char *const argv[] = {program,    "supervise",
                                "--config", arena_printf(&c->arena, "%s/run/platform.yaml", data_dir).p,
                                "--folder", arena_cstr(&c->arena, s->base_dir),
                                "--name",   str_is_null(s->file) ? "platform.yaml" : arena_cstr(&c->arena, s->file),
                                "--ready",  NULL};
    /* In the root folder, so that a folder somebody wants to remove isn't held. */
    const struct process_options o = {
        .argv = argv, .folder = "/", .stdin_fd = -1, .stdout_fd = fds[1], .stderr_fd = log, .own_group = true};
    rc = process_start(&o, &pid, err);
    close(fds[1]);
    FD_SCOPED int ready = fds[0];
    if (rc < 0)
        return rc;
    ssize_t n;
    while ((n = read(ready, said, sizeof(said))) < 0 && errno == EINTR)
        ;
    if (n > 0)
        return 0;
    /* It ended: because another `up` was quicker, which is as good, or for a reason that is in its log. */
    json_t *status = NULL;
    rc = supervisor_request(data_dir, "status", NULL, WAIT_MS, &status, NULL);
    json_decref(status);
    if (rc == 0)
        return 0;
    BUF_SCOPED struct buf tail;
    buf_init(&tail, 1 << 20);
    (void)!supervisor_log_tail(data_dir, "supervisor", 1, &tail, NULL);
    struct str last = str_trim(buf_str(&tail));
    return err_set(err, ERR_UNAVAILABLE, "the supervisor did not start: %.*s", STR_ARG(last));
}

struct foreground {
    struct cli *c;
    const struct spec *spec;
    bool failed;
};

static void on_settled(void *ctx, bool healthy)
{
    struct foreground *f = ctx;

    f->failed = !healthy;
    if (healthy) {
        report_access(&f->c->arena, f->spec, NULL, stdout);
        fflush(stdout);
    } else {
        fputs("dataplatform: a service does not start: see its messages above; Ctrl-C stops the others\n", stderr);
    }
}

static void upkeep(void *ctx)
{
    cli_upkeep(((struct foreground *)ctx)->spec);
}

static int run_foreground(struct cli *c, const struct spec *s)
{
    struct supervisor_service services[SUPERVISOR_SERVICES_MAX];
    const char *data_dir = arena_cstr(&c->arena, s->data_dir);
    char program[4096], digest[SPEC_DIGEST_SIZE];
    struct foreground f = {.c = c, .spec = s};
    struct err err = {0};

    int rc = process_own_path(program, sizeof(program), &err);
    if (rc < 0)
        return cli_fail(&err);
    size_t n = cli_supervised(&c->arena, s, program, arena_printf(&c->arena, "%s/run/platform.yaml", data_dir).p,
                              services);
    spec_digest(s, digest);
    const struct supervisor_options o = {.data_dir = data_dir,
                                         .digest = digest,
                                         .services = services,
                                         .n = n,
                                         .ready_fd = -1,
                                         .echo = true,
                                         .on_settled = on_settled,
                                         .upkeep = upkeep,
                                         .ctx = &f};
    rc = supervisor_run(&o, &err);
    return rc < 0 ? cli_fail(&err) : f.failed ? EXIT_FAILED : EXIT_OK;
}

/* All are up, or it is said what isn't. `ours`: this command started them, and stops them if they fail. */
static int wait_healthy(struct cli *c, const struct spec *s, bool ours)
{
    const char *data_dir = arena_cstr(&c->arena, s->data_dir);
    JSON_SCOPED json_t *status = NULL;
    struct err err = {0};
    bool was_running;

    int rc = supervisor_request(data_dir, "wait", NULL, WAIT_MS, &status, &err);
    if (rc == ERR_TIMEOUT)
        rc = supervisor_request(data_dir, "status", NULL, WAIT_MS, &status, &err);
    if (rc < 0)
        return cli_fail(&err);
    if (json_opt_bool(status, "healthy", false)) {
        report_access(&c->arena, s, status, stdout);
        return EXIT_OK;
    }
    fputs("dataplatform: the platform is not healthy\n", stderr);
    report_unhealthy(&c->arena, s, status, stderr);
    if (ours) {
        cli_stop(data_dir, &was_running);
        fputs("dataplatform: stopped what was started\n", stderr);
    }
    return EXIT_FAILED;
}

int cli_check_spec(const struct spec *s)
{
    struct err err = {0};

    return s3_check_policies(s, &err) < 0 ? cli_fail(&err) : EXIT_OK;
}

int cli_start(struct cli *c, struct spec *s, bool foreground)
{
    const char *data_dir = arena_cstr(&c->arena, s->data_dir);
    JSON_SCOPED json_t *status = NULL;
    char digest[SPEC_DIGEST_SIZE];
    struct err err = {0};

    spec_digest(s, digest);
    int rc = supervisor_request(data_dir, "status", NULL, WAIT_MS, &status, &err);
    if (rc == 0) {
        if (!str_eq_cstr(json_opt_str(status, "digest", STR("")), digest))
            return cli_failf("the platform runs with what %.*s said before: `dataplatform restart` makes it take the "
                             "changes",
                             STR_ARG(str_is_null(s->file) ? STR("platform.yaml") : s->file));
        if (foreground)
            return cli_failf("the platform runs already, in the background: `dataplatform logs -f` shows its logs");
        return wait_healthy(c, s, false);
    }
    if (rc == ERR_NOT_FOUND) {
        err = (struct err){0};
        rc = prepare(c, s, &err);
    }
    if (rc == 0 && foreground)
        return run_foreground(c, s);
    if (rc == 0)
        rc = start_supervisor(c, s, &err);
    return rc < 0 ? cli_fail(&err) : wait_healthy(c, s, true);
}

int cli_up(struct cli *c)
{
    struct spec *s;
    int code = cli_load(c, &s);

    if (code == EXIT_OK)
        code = cli_check_spec(s);
    return code == EXIT_OK ? cli_start(c, s, cli_option(c, "foreground") != NULL) : code;
}
