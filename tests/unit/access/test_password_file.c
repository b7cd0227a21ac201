/* Trino's password file: both kinds of hashes, what is refused, and changes that are seen. */
#include "access/password_file.h"

#include "os/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

/* "secret", all of them */
#define BCRYPT_SALT "abcdefghijklmnopqrstuu"
#define BCRYPT_HASH "KxCcvB7KZ7.BpDoK0bh6qM7Dl1/xiJa"
#define BCRYPT "$2b$08$" BCRYPT_SALT BCRYPT_HASH
#define PBKDF2 "1000:73616c74:fa7bab9eff3a06a5271ccfb9b6d8728d0c7a334d748b03071eefdf53ea75c374"

static char path[64];

static void write_file(const char *text)
{
    assert_int_equal(file_write_atomic(path, str_from_cstr(text), 0600, NULL), 0);
}

static int setup(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/password-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    return close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static bool verify(struct password_file *f, const char *user, const char *password)
{
    return password_file_verify(f, str_from_cstr(user), str_from_cstr(password));
}

static void both_kinds_of_hashes_are_verified(void **state)
{
    struct password_file *f;

    (void)state;
    write_file("alice:" BCRYPT "\n\n  bob:" PBKDF2 "  \r\ncarol:$2y$08$" BCRYPT_SALT BCRYPT_HASH);
    assert_int_equal(password_file_new(str_from_cstr(path), 0, &f, NULL), 0);
    for (int i = 0; i < 2; i++) { /* the second time it is remembered */
        assert_true(verify(f, "alice", "secret"));
        assert_true(verify(f, "bob", "secret"));
        assert_true(verify(f, "carol", "secret"));
        assert_false(verify(f, "alice", "Secret"));
        assert_false(verify(f, "alice", "secre"));
        assert_false(verify(f, "bob", "secretx"));
        assert_false(verify(f, "bob", ""));
        assert_false(verify(f, "Alice", "secret"));
        assert_false(verify(f, "nobody", "secret"));
        assert_false(verify(f, "", ""));
        assert_false(password_file_verify(f, STR("alice"), str_from("secret\0x", 8)));
    }
    password_file_free(f);
}

static void a_long_password_is_nobodys(void **state)
{
    struct password_file *f;
    char text[5000];

    (void)state;
    memset(text, 'x', sizeof(text));
    write_file("alice:" BCRYPT "\n");
    assert_int_equal(password_file_new(str_from_cstr(path), 0, &f, NULL), 0);
    assert_false(password_file_verify(f, STR("alice"), str_from(text, sizeof(text))));
    assert_false(password_file_verify(f, str_from(text, sizeof(text)), STR("secret")));
    password_file_free(f);
}

static void a_broken_file_is_refused_without_telling_hashes(void **state)
{
    static const char *const bad[][2] = {
        {"alice\n", "line 1: Expected two parts for user and password"},
        {"alice:" BCRYPT "\nalice:" PBKDF2, "line 2: Duplicate user: alice"},
        {"alice:secret", "line 1: Password hashing algorithm cannot be determined"},
        {"alice:$2b$07$" BCRYPT_SALT BCRYPT_HASH, "line 1: Minimum cost of BCrypt password must be 8"},
        {"alice:$2b$20$" BCRYPT_SALT BCRYPT_HASH, "line 1: Maximum cost of BCrypt password is 16"},
        {"alice:$2b$08$" BCRYPT_SALT, "line 1: Invalid BCrypt password"},
        {"alice:999:73616c74:fa7bab", "line 1: Minimum iterations of PBKDF2 password must be 1000"},
        {"alice:1000:salt:fa7bab", "line 1: Invalid PBKDF2 password"},
        {"alice:1000:73616c74:", "line 1: Invalid PBKDF2 password"},
        {"alice:1000:73616c74:fa7bab:1", "line 1: Invalid PBKDF2 password"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct password_file *f = NULL;
        struct err err = {0};
        write_file(bad[i][0]);
        assert_int_equal(password_file_new(str_from_cstr(path), 0, &f, &err), ERR_INVALID);
        assert_null(f);
        assert_non_null(strstr(err.message, bad[i][1]));
        assert_null(strstr(err.message, "abcdef"));
        assert_null(strstr(err.message, "fa7bab"));
    }
}

static void changes_are_seen_and_a_broken_file_lets_nobody_in(void **state)
{
    struct password_file *f;

    (void)state;
    write_file("alice:" BCRYPT "\n");
    assert_int_equal(password_file_new(str_from_cstr(path), 1, &f, NULL), 0);
    assert_true(verify(f, "alice", "secret"));
    write_file("alice:nonsense\n");
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    assert_false(verify(f, "alice", "secret"));
    write_file("bob:" BCRYPT "\n");
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    assert_true(verify(f, "bob", "secret"));
    assert_false(verify(f, "alice", "secret"));
    password_file_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_kinds_of_hashes_are_verified, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_password_is_nobodys, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broken_file_is_refused_without_telling_hashes, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_are_seen_and_a_broken_file_lets_nobody_in, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
