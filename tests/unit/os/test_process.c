#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "os/file.h"
#include "os/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static int run(const char *const *argv, const char *const *env, int stdout_fd)
{
    struct process_options o = {
        .argv = argv, .env = env, .folder = "/", .stdin_fd = -1, .stdout_fd = stdout_fd, .stderr_fd = -1};
    pid_t pid;
    int status;

    assert_int_equal(process_start(&o, &pid, NULL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void a_child_gets_its_folder_environment_and_output(void **state)
{
    int fds[2];
    char text[64] = "";
    (void)state;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    int status = run((const char *const[]){"/bin/sh", "-c", "echo $PWD $A; exit 3", NULL},
                     (const char *const[]){"A=b", NULL}, fds[1]);
    assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
    assert_string_equal(text, "/ b\n");
    char said[64];
    process_describe_status(status, said, sizeof(said));
    assert_string_equal(said, "exit code 3");
    close(fds[0]);
    close(fds[1]);
}

static void a_program_that_is_not_there_is_an_error_of_start(void **state)
{
    struct process_options o = {
        .argv = (const char *const[]){"/nonexistent/program", NULL}, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
    struct err err = {0};
    pid_t pid = 0;
    (void)state;

    assert_int_equal(process_start(&o, &pid, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nonexistent/program"));
    assert_int_equal(pid, 0);
}

static void a_killed_child_is_reaped_once_and_told(void **state)
{
    struct process_options o = {.argv = (const char *const[]){"/bin/sleep", "60", NULL},
                                .stdin_fd = -1,
                                .stdout_fd = -1,
                                .stderr_fd = -1,
                                .own_group = true,
                                .die_with_parent = true};
    pid_t pid;
    int status;
    char said[64];
    (void)state;

    assert_int_equal(process_start(&o, &pid, NULL), 0);
    assert_true(process_is_alive(pid));
    assert_false(process_reap(pid, &status));
    assert_int_equal(getsid(pid), pid);
    assert_int_equal(kill(pid, SIGKILL), 0);
    while (!process_reap(pid, &status))
        usleep(1000);
    process_describe_status(status, said, sizeof(said));
    assert_string_equal(said, "killed by signal 9 (Killed)");
    assert_false(process_is_alive(pid));
}

static void our_own_size_and_path_are_known(void **state)
{
    char path[4096];
    (void)state;

    assert_true(process_pss(getpid()) > 100000);
    assert_int_equal(process_pss(-1), 0);
    assert_int_equal(process_own_path(path, sizeof(path), NULL), 0);
    assert_true(file_exists(path));
    assert_int_equal(process_own_path(path, 4, NULL), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_gets_its_folder_environment_and_output),
        cmocka_unit_test(a_program_that_is_not_there_is_an_error_of_start),
        cmocka_unit_test(a_killed_child_is_reaped_once_and_told),
        cmocka_unit_test(our_own_size_and_path_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
