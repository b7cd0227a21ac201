/* `doctor`: each check is one function that says what it found; what is wrong comes with what to do. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/vec.h"
#include "os/file.h"
#include "os/process.h"
#include "spec/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

enum { ANSWER_MS = 10000, DESCRIPTORS_WANTED = 1024, SAID_MAX = 4096 };
#define DISK_MIN ((uint64_t)256 << 20)
#define DISK_LOW ((uint64_t)2 << 30)
#define MEMORY_LOW ((uint64_t)512 << 20)

enum verdict { FINE, WARNING, WRONG };

struct examination {
    struct cli *c;
    struct spec *spec;
    const char *data_dir;
    const json_t *status; /* NULL: it doesn't run */
    char said[SAID_MAX];
};

static enum verdict say(struct examination *x, enum verdict v, const char *fmt, ...) PRINTF_LIKE(3, 4);

static enum verdict say(struct examination *x, enum verdict v, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(x->said, sizeof(x->said), fmt, ap);
    va_end(ap);
    return v;
}

static enum verdict check_folder(struct examination *x)
{
    struct stat st;

    if (stat(x->data_dir, &st) < 0)
        return errno == ENOENT ? say(x, FINE, "%s is made at the first up", x->data_dir)
                               : say(x, WRONG, "%s: %s", x->data_dir, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return say(x, WRONG, "%s is not a folder: move it away, or set data to another", x->data_dir);
    if (access(x->data_dir, R_OK | W_OK | X_OK) < 0)
        return say(x, WRONG, "%s: you can't write there: run as its owner (uid %u), or chown it", x->data_dir,
                   (unsigned)st.st_uid);
    if (st.st_mode & 077)
        return say(x, WRONG, "%s is open to others (mode %03o): chmod 700 %s", x->data_dir,
                   (unsigned)(st.st_mode & 0777), x->data_dir);
    return say(x, FINE, "%s, mode 700", x->data_dir);
}

static enum verdict check_secrets(struct examination *x)
{
    struct secrets *s = NULL;
    struct err err = {0};
    size_t n, missing = 0;
    const char *const *names = cli_secret_names(&x->c->arena, x->spec, &n);

    if (cli_open_secrets(&x->c->arena, x->spec, &s, &err) < 0)
        return say(x, WRONG, "%s", err.message);
    for (size_t i = 0; i < n; i++)
        missing += str_is_null(secrets_get(s, names[i]));
    const char *where = arena_cstr(&x->c->arena, str_from_cstr(secrets_where(s)));
    secrets_close(s);
    if (missing)
        return say(x, FINE, "%zu of %zu are made at the next up, in %s", missing, n, where);
    return str_is_null(x->spec->vault.address) ? say(x, FINE, "%zu, readable by their owner only", n)
                                               : say(x, FINE, "%zu, in %s", n, where);
}

/* As the next `up` would find it; but for what that makes, which nothing is written for here. */
static enum verdict check_tls(struct examination *x)
{
    struct arena *a = &x->c->arena;
    const struct http_tls_options *tls = pki_tls(a, x->spec);
    struct pki_certificate certificate;
    struct str note = STR_NULL;
    char date[CLOCK_TEXT_SIZE];
    struct err err = {0};

    if (!tls)
        return say(x, FINE, "off");
    if (str_is_null(x->spec->tls.certificate) && !file_exists(tls->certificate_file))
        return say(x, FINE, "a CA and a certificate are made at the next up");
    if (!str_is_null(x->spec->tls.certificate) && pki_prepare(a, x->spec, clock_wall_ms(), &note, &err) < 0)
        return say(x, WRONG, "%s", err.message);
    if (!str_is_null(note))
        return say(x, WARNING, "%.*s", STR_ARG(note));
    if (pki_read(a, tls->certificate_file, &certificate, &err) < 0)
        return say(x, WRONG, "%s", err.message);
    clock_format_rfc3339_ms(certificate.not_after_ms, date);
    return say(x, FINE, "%s is good until %.10s", tls->certificate_file, date);
}

static enum verdict check_disk(struct examination *x)
{
    struct statvfs fs;
    const char *path = x->data_dir;
    size_t slash;

    /* The nearest folder above that is there. */
    while (statvfs(path, &fs) < 0) {
        slash = str_rfind_char(str_from_cstr(path), '/');
        if (slash == SIZE_MAX || slash == 0) {
            path = "/";
            continue;
        }
        path = arena_cstr(&x->c->arena, str_from(path, slash));
    }
    uint64_t available = (uint64_t)fs.f_bavail * fs.f_frsize;
    const char *text = table_bytes(&x->c->arena, available);
    if (available < DISK_MIN)
        return say(x, WRONG, "%s free under %s: free some, or set data to a larger disk", text, path);
    if (available < DISK_LOW)
        return say(x, WARNING, "only %s free under %s: large queries spill there too", text, path);
    return say(x, FINE, "%s free", text);
}

static enum verdict check_memory(struct examination *x)
{
    uint64_t total = memory_total();
    const char *all = table_bytes(&x->c->arena, total), *sql = table_bytes(&x->c->arena, x->spec->sql.memory);

    if (x->spec->sql.memory > total)
        return say(x, WRONG, "services.sql.memory is %s, there are %s: lower it, the system would kill queries", sql,
                   all);
    if (total < MEMORY_LOW)
        return say(x, WARNING, "%s in all: enough for small tables", all);
    return say(x, FINE, "%s in all, %s for queries", all, sql);
}

static enum verdict check_descriptors(struct examination *x)
{
    long n = sysconf(_SC_OPEN_MAX);

    if (n >= 0 && n < DESCRIPTORS_WANTED)
        return say(x, WARNING, "a process may open %ld files: ulimit -n %d allows more clients", n, DESCRIPTORS_WANTED);
    return say(x, FINE, "a process may open %ld files", n);
}

/* Starts the real program, whose loader has to find libduckdb and which looks for the extensions. */
static enum verdict check_engine(struct examination *x)
{
    char own[4096];
    struct err err = {0};
    BUF_SCOPED struct buf said;
    pid_t pid;
    int fds[2], status;

    if (process_own_path(own, sizeof(own), &err) < 0 || pipe2(fds, O_CLOEXEC) < 0)
        return say(x, WRONG, "%s", err.code ? err.message : strerror(errno));
    const char *const argv[] = {own, "service", "sql", "--check", NULL};
    const struct process_options o = {.argv = argv, .stdin_fd = -1, .stdout_fd = fds[1], .stderr_fd = fds[1]};
    int rc = process_start(&o, &pid, &err);
    close(fds[1]);
    FD_SCOPED int from = fds[0];
    if (rc < 0)
        return say(x, WRONG, "%s", err.message);
    buf_init(&said, SAID_MAX / 2);
    for (char *p; (p = buf_reserve(&said, 256));) {
        ssize_t n = read(from, p, 256);
        if (n <= 0)
            break;
        said.n += (size_t)n;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    struct str text = str_trim(buf_str(&said));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return say(x, WRONG, "%.*s: run `make deps` and `make build`", STR_ARG(text));
    return say(x, FINE, "%.*s", STR_ARG(text));
}

static enum verdict check_ports(struct examination *x)
{
    const char *const *names = cli_services(&x->c->arena, x->spec);
    struct err err = {0};

    if (x->status)
        return say(x, FINE, "in use by the platform");
    for (; *names; names++) {
        const char *key = arena_printf(&x->c->arena, "services.%s.port", *names).p;
        if (cli_check_port(key, x->spec->bind, cli_service_port(x->spec, *names), &err) < 0)
            return say(x, WRONG, "%s", err.message);
    }
    return say(x, FINE, "free");
}

static enum verdict check_services(struct examination *x)
{
    size_t i;
    json_t *s;

    if (!x->status)
        return say(x, FINE, "not running: `dataplatform up` starts them");
    json_array_foreach(json_object_get(x->status, "services"), i, s)
    {
        struct str name = json_opt_str(s, "name", STR("?")), state = json_opt_str(s, "state", STR("?"));
        if (!str_eq(state, STR("healthy")))
            return say(x, WRONG,
                       "%.*s is %.*s: `dataplatform logs %.*s` shows why, `dataplatform restart %.*s` tries "
                       "again",
                       STR_ARG(name), STR_ARG(state), STR_ARG(name), STR_ARG(name));
    }
    return say(x, FINE, "all healthy");
}

static enum verdict check_changes(struct examination *x)
{
    char digest[SPEC_DIGEST_SIZE];

    if (!x->status)
        return say(x, FINE, "nothing runs");
    spec_digest(x->spec, digest);
    if (!str_eq_cstr(json_opt_str(x->status, "digest", STR("")), digest))
        return say(x, WARNING, "the platform runs with what the file said before: `dataplatform restart` takes it");
    return say(x, FINE, "the platform runs with what the file says");
}

/* Signatures and certificates are refused when a clock is minutes off; a clock that was never set is years off. */
static enum verdict check_clock(struct examination *x)
{
    char now[CLOCK_TEXT_SIZE];
    struct stat st;
    char own[4096];

    clock_format_rfc3339_ms(clock_wall_ms(), now);
    if (process_own_path(own, sizeof(own), NULL) == 0 && stat(own, &st) == 0 &&
        clock_wall_ms() / 1000 + 86400 < (int64_t)st.st_mtime)
        return say(x, WRONG, "it is %s, before this program was built: set the clock", now);
    return say(x, FINE, "%s", now);
}

static const struct {
    const char *name;
    enum verdict (*check)(struct examination *x);
} checks[] = {
    {"data folder", check_folder}, {"secrets", check_secrets},        {"TLS", check_tls},       {"disk", check_disk},
    {"memory", check_memory},      {"open files", check_descriptors}, {"engine", check_engine}, {"ports", check_ports},
    {"services", check_services},  {"changes", check_changes},        {"clock", check_clock},
};

int cli_doctor(struct cli *c)
{
    static const char *const words[] = {[FINE] = "ok", [WARNING] = "look", [WRONG] = "FAIL"};
    JSON_SCOPED json_t *status = NULL;
    struct examination x = {.c = c};
    struct err err = {0};
    int code = EXIT_OK;

    if (spec_load(&c->arena, cli_option(c, "config"), &x.spec, &err) < 0) {
        printf("FAIL  %-12s %s\n", "file", err.message);
        return EXIT_FAILED;
    }
    printf("ok    %-12s %.*s\n", "file",
           STR_ARG(str_is_null(x.spec->file) ? STR("none: the defaults apply") : x.spec->file));
    x.data_dir = arena_cstr(&c->arena, x.spec->data_dir);
    int rc = supervisor_request(x.data_dir, "status", NULL, ANSWER_MS, &status, &err);
    x.status = status;
    if (rc < 0 && rc != ERR_NOT_FOUND) {
        printf("FAIL  %-12s %s\n", "supervisor", err.message);
        code = EXIT_FAILED;
    }
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        enum verdict v = checks[i].check(&x);
        printf("%-5s %-12s %s\n", words[v], checks[i].name, x.said);
        if (v == WRONG)
            code = EXIT_FAILED;
    }
    return code;
}
