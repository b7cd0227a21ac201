/* The supervisor runs in a child process, its services are stand-ins; the tests talk to its socket. STANDIN is the
 * stand-in's path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/file.h"
#include "os/process.h"
#include "supervisor/supervisor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static char folder[96], notes[128], hang[128];
static char ports[3][8];
static pid_t supervisor;
static struct err err;

static int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || getsockname(fd, (struct sockaddr *)&at, &n) < 0)
        abort();
    close(fd);
    return ntohs(at.sin_port);
}

/* Set before start. */
static int upkeep_ms;
static bool asks_for_tls; /* of the store, which doesn't speak it */

static int set_up(void **state)
{
    (void)state;
    supervisor = 0;
    upkeep_ms = 0;
    asks_for_tls = false;
    snprintf(folder, sizeof(folder), "%s/supXXXXXX", getenv("TEST_TMP") ? getenv("TEST_TMP") : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    snprintf(notes, sizeof(notes), "%s/notes", folder);
    snprintf(hang, sizeof(hang), "%s/hang", folder);
    for (int i = 0; i < 3; i++)
        snprintf(ports[i], sizeof(ports[i]), "%d", free_port());
    return 0;
}

static int tear_down(void **state)
{
    int status;

    (void)state;
    if (supervisor > 0) {
        kill(supervisor, SIGTERM);
        waitpid(supervisor, &status, 0);
    }
    return file_remove_tree(folder, &err);
}

static void keep_up(void *ctx)
{
    FILE *f = fopen(ctx, "a");

    fputs("upkeep\n", f);
    fclose(f);
}

/* The services "store" and "sql", which needs store, behave as said. */
static void start(const char *store_mode, const char *sql_mode)
{
    static const char *store_argv[5], *sql_argv[5];
    static const char *const none[] = {NULL}, *const store[] = {"store", NULL};
    static struct supervisor_service services[2];
    int fds[2];
    char said[4];

    for (int i = 0; i < 2; i++) {
        const char **argv = i ? sql_argv : store_argv;
        argv[0] = STANDIN;
        argv[1] = ports[i];
        argv[2] = i ? sql_mode : store_mode;
        argv[3] = strcmp(argv[2], "hang") == 0 ? hang : notes;
        argv[4] = NULL;
        services[i] = (struct supervisor_service){.name = i ? "sql" : "store",
                                                  .argv = argv,
                                                  .needs = i ? store : none,
                                                  .address = "127.0.0.1",
                                                  .port = (int)strtol(ports[i], NULL, 10),
                                                  .is_tls = asks_for_tls && i == 0,
                                                  .health_path = "/health",
                                                  .health_text = i ? "\"starting\":false" : NULL};
    }
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    fflush(NULL);
    supervisor = fork();
    assert_true(supervisor >= 0);
    if (supervisor == 0) {
        const struct supervisor_options o = {.data_dir = folder,
                                             .digest = "the digest",
                                             .services = services,
                                             .n = 2,
                                             .ready_fd = fds[1],
                                             .upkeep = upkeep_ms ? keep_up : NULL,
                                             .upkeep_ms = upkeep_ms,
                                             .ctx = notes,
                                             .start_timeout_ms = 1500,
                                             .grace_ms = 500,
                                             .probe_ms = 30,
                                             .probe_timeout_ms = 200,
                                             .log_max = 20000};
        close(fds[0]);
        if (!freopen("/dev/null", "w", stderr))
            _exit(9);
        _exit(supervisor_run(&o, &err) < 0 ? 1 : 0);
    }
    close(fds[1]);
    ssize_t n = read(fds[0], said, sizeof(said));
    close(fds[0]);
    assert_int_equal(n, 3);
}

static json_t *ask(const char *what, const char *service)
{
    json_t *answer = NULL;

    if (supervisor_request(folder, what, service, 20000, &answer, &err) < 0)
        fail_msg("%s: %s", what, err.message);
    return answer;
}

static json_t *find(const json_t *status, const char *service)
{
    size_t i;
    json_t *s;

    json_array_foreach(json_object_get(status, "services"), i, s)
    {
        if (str_eq_cstr(json_opt_str(s, "name", STR("")), service))
            return s;
    }
    fail_msg("no service %s", service);
    return NULL;
}

static void assert_state(const json_t *status, const char *service, const char *state)
{
    assert_string_equal(json_string_value(json_object_get(find(status, service), "state")), state);
}

static pid_t pid_of(const json_t *status, const char *service)
{
    return (pid_t)json_opt_i64(find(status, service), "pid", 0);
}

/* kill(0) would be our own group. */
static void kill_service(const json_t *status, const char *service)
{
    assert_true(pid_of(status, service) > 1);
    assert_int_equal(kill(pid_of(status, service), SIGKILL), 0);
}

/* Until the service is in that state with another process than `not_pid`. */
static void wait_for(const char *service, const char *state, pid_t not_pid)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    int64_t deadline = clock_mono_ms() + 10000;

    for (;;) {
        JSON_SCOPED json_t *status = ask("status", NULL);
        if (strcmp(json_string_value(json_object_get(find(status, service), "state")), state) == 0 &&
            pid_of(status, service) != not_pid)
            return;
        if (clock_mono_ms() > deadline)
            fail_msg("%s did not become %s: %s", service, state, json_dumps(status, 0));
        nanosleep(&pause, NULL);
    }
}

static void assert_notes(const char *want)
{
    BUF_SCOPED struct buf text;

    buf_init(&text, 1 << 20);
    assert_int_equal(file_read(notes, &text, &err), 0);
    assert_string_equal(buf_cstr(&text), want);
}

static void end(void)
{
    int status;

    assert_int_equal(waitpid(supervisor, &status, 0), supervisor);
    supervisor = 0;
    assert_int_equal(status, 0);
}

/* ---- the tests ---- */

static void services_start_after_what_they_need_and_stop_before_it(void **state)
{
    char want[256];

    (void)state;
    start("slow", "");
    JSON_SCOPED json_t *status = ask("wait", NULL);
    assert_true(json_opt_bool(status, "healthy", false));
    assert_string_equal(json_string_value(json_object_get(status, "digest")), "the digest");
    JSON_SCOPED json_t *last = ask("down", NULL);
    assert_state(last, "store", "stopped");
    end();
    snprintf(want, sizeof(want), "start %s\nstart %s\nstop %s\nstop %s\n", ports[0], ports[1], ports[1], ports[0]);
    assert_notes(want);
}

static void they_are_healthy_within_a_moment(void **state)
{
    int64_t began = clock_mono_ms();

    (void)state;
    start("", "");
    JSON_SCOPED json_t *status = ask("wait", NULL);
    assert_true(json_opt_bool(status, "healthy", false));
    assert_true(clock_mono_ms() - began < 1000);
}

static void a_killed_service_is_restarted_and_the_other_lives_on(void **state)
{
    (void)state;
    start("", "");
    JSON_SCOPED json_t *before = ask("wait", NULL);
    kill_service(before, "store");
    wait_for("store", "healthy", pid_of(before, "store"));
    JSON_SCOPED json_t *after = ask("status", NULL);
    assert_int_equal(json_opt_i64(find(after, "store"), "restarts", -1), 1);
    assert_int_equal(pid_of(after, "sql"), pid_of(before, "sql"));
}

static void one_that_cannot_start_is_failed_with_a_reason_and_its_words(void **state)
{
    BUF_SCOPED struct buf tail;

    (void)state;
    start("", "exit");
    JSON_SCOPED json_t *status = ask("wait", NULL);
    assert_false(json_opt_bool(status, "healthy", true));
    assert_state(status, "store", "healthy");
    assert_state(status, "sql", "failed");
    assert_string_equal(json_string_value(json_object_get(find(status, "sql"), "reason")), "ended: exit code 7");
    buf_init(&tail, 1 << 20);
    assert_int_equal(supervisor_log_tail(folder, "sql", 1, &tail, &err), 0);
    assert_string_equal(buf_cstr(&tail), "cannot go on: the reason\n");
}

static void one_that_never_gets_ready_is_killed(void **state)
{
    (void)state;
    start("never-ready", "");
    wait_for("store", "starting", 0);
    JSON_SCOPED json_t *first = ask("status", NULL);
    wait_for("store", "starting", pid_of(first, "store"));
    assert_false(process_is_alive(pid_of(first, "store")));
    JSON_SCOPED json_t *status = ask("status", NULL);
    assert_state(status, "sql", "waiting");
}

static void one_that_keeps_dying_is_given_up_and_a_restart_by_hand_helps(void **state)
{
    (void)state;
    start("", "");
    json_decref(ask("wait", NULL));
    for (int i = 0; i < 5; i++) {
        JSON_SCOPED json_t *status = ask("status", NULL);
        pid_t pid = pid_of(status, "sql");
        kill_service(status, "sql");
        wait_for("sql", i < 4 ? "healthy" : "failed", pid);
    }
    JSON_SCOPED json_t *status = ask("restart", "sql");
    assert_state(status, "sql", "healthy");
}

static void one_that_hangs_is_unhealthy_but_not_killed(void **state)
{
    (void)state;
    start("", "hang");
    JSON_SCOPED json_t *before = ask("wait", NULL);
    FILE *f = fopen(hang, "w");
    assert_non_null(f);
    fclose(f);
    wait_for("sql", "unhealthy", 0);
    JSON_SCOPED json_t *status = ask("status", NULL);
    assert_int_equal(pid_of(status, "sql"), pid_of(before, "sql"));
    assert_string_equal(json_string_value(json_object_get(find(status, "sql"), "reason")),
                        "the health check got no answer in time");
    unlink(hang);
    wait_for("sql", "healthy", 0);
}

static void one_that_ignores_the_stop_is_killed_after_the_grace(void **state)
{
    (void)state;
    start("", "ignore-term");
    JSON_SCOPED json_t *status = ask("wait", NULL);
    int64_t began = clock_mono_ms();
    json_decref(ask("down", NULL));
    assert_true(clock_mono_ms() - began >= 500);
    assert_false(process_is_alive(pid_of(status, "sql")));
    end();
}

static void restart_gives_a_new_process(void **state)
{
    (void)state;
    start("", "");
    JSON_SCOPED json_t *before = ask("wait", NULL);
    JSON_SCOPED json_t *after = ask("restart", "sql");
    assert_state(after, "sql", "healthy");
    assert_int_not_equal(pid_of(after, "sql"), pid_of(before, "sql"));
    assert_int_equal(pid_of(after, "store"), pid_of(before, "store"));
}

static void a_second_supervisor_is_refused(void **state)
{
    static const char *const none[] = {NULL};
    static const char *argv[] = {STANDIN, NULL, NULL};
    const struct supervisor_service service = {
        .name = "store", .argv = argv, .needs = none, .address = "127.0.0.1", .port = 1, .health_path = "/"};
    const struct supervisor_options o = {
        .data_dir = folder, .digest = "", .services = &service, .n = 1, .ready_fd = -1};

    (void)state;
    start("", "");
    assert_int_equal(supervisor_run(&o, &err), ERR_CONFLICT);
    json_decref(ask("status", NULL)); /* and it didn't take the socket away */
}

static void without_a_supervisor_requests_say_so(void **state)
{
    json_t *answer = NULL;

    (void)state;
    assert_int_equal(supervisor_request(folder, "status", NULL, 1000, &answer, &err), ERR_NOT_FOUND);
    start("", "");
    kill(supervisor, SIGKILL);
    waitpid(supervisor, NULL, 0);
    supervisor = 0;
    assert_int_equal(supervisor_request(folder, "status", NULL, 1000, &answer, &err), ERR_NOT_FOUND);
}

static void children_die_with_their_supervisor_and_the_next_one_takes_over(void **state)
{
    (void)state;
    start("", "");
    JSON_SCOPED json_t *before = ask("wait", NULL);
    kill(supervisor, SIGKILL);
    waitpid(supervisor, NULL, 0);
    start("", "");
    JSON_SCOPED json_t *after = ask("wait", NULL);
    assert_true(json_opt_bool(after, "healthy", false));
    assert_int_not_equal(pid_of(after, "sql"), pid_of(before, "sql"));
}

static void the_socket_and_the_logs_are_private(void **state)
{
    char path[160];
    struct stat st;

    (void)state;
    start("", "");
    json_decref(ask("wait", NULL));
    static const char *const names[] = {"run/control", "run/lock", "logs/store.log"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0077, 0);
    }
}

static void logs_are_rotated_and_bounded(void **state)
{
    char path[160];
    struct stat st;
    const struct timespec pause = {.tv_nsec = 20000000};

    (void)state;
    start("chatty", "");
    json_decref(ask("wait", NULL));
    snprintf(path, sizeof(path), "%s/logs/store.log.3", folder);
    for (int i = 0; i < 500 && stat(path, &st) < 0; i++)
        nanosleep(&pause, NULL);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 20000 + (16 << 10));
    snprintf(path, sizeof(path), "%s/logs/store.log.4", folder);
    assert_int_not_equal(stat(path, &st), 0);
}

static void one_that_should_speak_tls_and_does_not_is_not_healthy(void **state)
{
    (void)state;
    asks_for_tls = true;
    start("", "");
    for (int64_t deadline = clock_mono_ms() + 10000;;) {
        JSON_SCOPED json_t *status = ask("status", NULL);
        assert_state(status, "sql", "waiting");
        struct str reason = json_opt_str(find(status, "store"), "reason", STR(""));
        if (str_find(reason, STR("TLS handshake failed"), 0) != SIZE_MAX)
            break;
        assert_true(clock_mono_ms() < deadline);
    }
}

static size_t count_notes(const char *line)
{
    BUF_SCOPED struct buf text = {0};
    size_t n = 0;

    buf_init(&text, 1 << 20);
    if (file_read(notes, &text, NULL) == 0)
        for (const char *at = buf_cstr(&text); (at = strstr(at, line)); at++)
            n++;
    return n;
}

static void wait_for_notes(const char *line, size_t n)
{
    int64_t deadline = clock_mono_ms() + 10000;

    while (count_notes(line) < n) {
        assert_true(clock_mono_ms() < deadline);
        usleep(5000);
    }
}

static void upkeep_is_done_again_and_again(void **state)
{
    (void)state;
    upkeep_ms = 20;
    start("", "");
    wait_for_notes("upkeep\n", 3);
}

static void sighup_is_passed_on_after_upkeep(void **state)
{
    (void)state;
    upkeep_ms = 3600 * 1000;
    start("", "");
    JSON_SCOPED json_t *before = ask("wait", NULL);
    assert_int_equal(count_notes("upkeep"), 0);
    kill(supervisor, SIGHUP);
    wait_for_notes("reload", 2);
    assert_int_equal(count_notes("upkeep"), 1);
    JSON_SCOPED json_t *after = ask("wait", NULL);
    assert_int_equal(pid_of(after, "store"), pid_of(before, "store"));
}

static void requests_that_are_not_known_are_refused(void **state)
{
    json_t *answer = NULL;

    (void)state;
    start("", "");
    assert_int_equal(supervisor_request(folder, "fly", NULL, 1000, &answer, &err), ERR_INVALID);
    assert_int_equal(supervisor_request(folder, "restart", "nothing", 1000, &answer, &err), ERR_INVALID);
    assert_null(answer);
    json_decref(ask("status", NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(services_start_after_what_they_need_and_stop_before_it),
        TEST(they_are_healthy_within_a_moment),
        TEST(a_killed_service_is_restarted_and_the_other_lives_on),
        TEST(one_that_cannot_start_is_failed_with_a_reason_and_its_words),
        TEST(one_that_never_gets_ready_is_killed),
        TEST(one_that_keeps_dying_is_given_up_and_a_restart_by_hand_helps),
        TEST(one_that_hangs_is_unhealthy_but_not_killed),
        TEST(one_that_ignores_the_stop_is_killed_after_the_grace),
        TEST(restart_gives_a_new_process),
        TEST(one_that_should_speak_tls_and_does_not_is_not_healthy),
        TEST(upkeep_is_done_again_and_again),
        TEST(sighup_is_passed_on_after_upkeep),
        TEST(a_second_supervisor_is_refused),
        TEST(without_a_supervisor_requests_say_so),
        TEST(children_die_with_their_supervisor_and_the_next_one_takes_over),
        TEST(the_socket_and_the_logs_are_private),
        TEST(logs_are_rotated_and_bounded),
        TEST(requests_that_are_not_known_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
