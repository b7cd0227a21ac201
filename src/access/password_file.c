#include "access/password_file.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/rand.h"
#include "os/file.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sys/stat.h>

enum {
    FILE_MAX = 16 << 20,
    PASSWORD_MAX = 1024,
    BCRYPT_MIN_COST = 8,
    BCRYPT_MAX_COST = 16, /* beyond, one login would take minutes */
    PBKDF2_MIN_ITERATIONS = 1000,
    PBKDF2_MAX_ITERATIONS = 10000000,
    PBKDF2_BYTES_MAX = 512,
    REMEMBERED = 256,
};

struct users {
    struct arena arena;
    struct map hashes; /* user → struct str * */
};

struct password_file {
    char *path;
    int64_t refresh_ms;
    unsigned char key[32]; /* of the digests */
    char decoy[64];        /* a hash that nobody's password has, for users who aren't there */

    pthread_mutex_t lock; /* all below */
    int64_t looked_ms;
    struct timespec changed;
    off_t size;
    ino_t inode;
    bool is_broken;
    struct users *users;
    unsigned char right[REMEMBERED][32]; /* digests of user and password that were right */
    bool has_right[REMEMBERED];
};

/* ---- reading ---- */

static void users_free(struct users *u)
{
    if (!u)
        return;
    map_release(&u->hashes);
    arena_release(&u->arena);
    free(u);
}

static bool is_bcrypt(struct str hash)
{
    return str_starts_with(hash, STR("$2a$")) || str_starts_with(hash, STR("$2b$")) ||
           str_starts_with(hash, STR("$2y$")) || str_starts_with(hash, STR("$2x$"));
}

static int check_bcrypt(struct str hash, struct err *err)
{
    int64_t cost;

    if (hash.n != 60 || hash.p[6] != '$' || str_to_i64(str_slice(hash, 4, 2), &cost, NULL) < 0)
        return err_set(err, ERR_INVALID, "Invalid BCrypt password");
    if (cost < BCRYPT_MIN_COST)
        return err_set(err, ERR_INVALID, "Minimum cost of BCrypt password must be %d", BCRYPT_MIN_COST);
    if (cost > BCRYPT_MAX_COST)
        return err_set(err, ERR_INVALID, "Maximum cost of BCrypt password is %d", BCRYPT_MAX_COST);
    return 0;
}

struct pbkdf2 {
    int64_t iterations;
    unsigned char salt[PBKDF2_BYTES_MAX], hash[PBKDF2_BYTES_MAX];
    size_t salt_n, hash_n;
};

static bool unhex(struct str text, unsigned char out[PBKDF2_BYTES_MAX], size_t *ret_n)
{
    *ret_n = text.n / 2;
    return text.n % 2 == 0 && *ret_n <= PBKDF2_BYTES_MAX && enc_unhex(text, out, *ret_n, NULL) == 0;
}

static int parse_pbkdf2(struct str text, struct pbkdf2 *ret, struct err *err)
{
    struct str iterations, salt, hash;

    if (!str_split(&text, ':', &iterations) || !str_split(&text, ':', &salt) || !str_split(&text, ':', &hash) ||
        !str_is_null(text) || str_to_i64(iterations, &ret->iterations, NULL) < 0 ||
        !unhex(salt, ret->salt, &ret->salt_n) || !unhex(hash, ret->hash, &ret->hash_n) || ret->hash_n == 0)
        return err_set(err, ERR_INVALID, "Invalid PBKDF2 password");
    if (ret->iterations < PBKDF2_MIN_ITERATIONS)
        return err_set(err, ERR_INVALID, "Minimum iterations of PBKDF2 password must be %d", PBKDF2_MIN_ITERATIONS);
    if (ret->iterations > PBKDF2_MAX_ITERATIONS)
        return err_set(err, ERR_INVALID, "Maximum iterations of PBKDF2 password is %d", PBKDF2_MAX_ITERATIONS);
    return 0;
}

static int check_hash(struct str hash, struct err *err)
{
    struct pbkdf2 p = {0};

    if (is_bcrypt(hash))
        return check_bcrypt(hash, err);
    if (str_find_char(hash, ':', 0) == SIZE_MAX)
        return err_set(err, ERR_INVALID, "Password hashing algorithm cannot be determined");
    return parse_pbkdf2(hash, &p, err);
}

/* Messages never repeat a hash. */
static int parse(struct str text, struct users **ret, struct err *err)
{
    struct users *u = calloc(1, sizeof(*u));
    struct str line;
    int r = 0;

    if (!u)
        abort();
    for (int number = 1; r == 0 && str_split(&text, '\n', &line); number++) {
        line = str_trim(line);
        if (line.n == 0)
            continue;
        size_t colon = str_find_char(line, ':', 0);
        struct str user = str_slice(line, 0, colon), *hash = arena_new(&u->arena, struct str);
        if (colon == SIZE_MAX)
            r = err_set(err, ERR_INVALID, "Expected two parts for user and password");
        else if (map_has(&u->hashes, user))
            r = err_set(err, ERR_INVALID, "Duplicate user: %.*s", STR_ARG(user));
        else
            r = check_hash(str_skip(line, colon + 1), err);
        if (r < 0) {
            err_prefix(err, "Error in password file line %d", number);
            break;
        }
        *hash = arena_str(&u->arena, str_skip(line, colon + 1));
        map_set(&u->hashes, user, hash);
    }
    if (r < 0) {
        users_free(u);
        return r;
    }
    *ret = u;
    return 0;
}

/* With the lock held, or before anybody has it. */
static int read_again(struct password_file *f, struct err *err)
{
    BUF_SCOPED struct buf text;
    struct users *users;
    struct stat st = {0};

    buf_init(&text, FILE_MAX);
    (void)!stat(f->path, &st);
    f->changed = st.st_mtim;
    f->size = st.st_size;
    f->inode = st.st_ino;
    int r = file_read(f->path, &text, err);
    if (r == 0)
        r = parse(buf_str(&text), &users, err);
    buf_wipe(&text);
    memset(f->has_right, 0, sizeof(f->has_right));
    f->is_broken = r < 0;
    if (r < 0)
        return err_prefix(err, "%s", f->path);
    users_free(f->users);
    f->users = users;
    return 0;
}

static void look(struct password_file *f)
{
    struct stat st;
    struct err err = {0};

    if (f->refresh_ms <= 0 || clock_mono_ms() - f->looked_ms < f->refresh_ms)
        return;
    f->looked_ms = clock_mono_ms();
    if (stat(f->path, &st) == 0 && !f->is_broken && st.st_ino == f->inode && st.st_size == f->size &&
        st.st_mtim.tv_sec == f->changed.tv_sec && st.st_mtim.tv_nsec == f->changed.tv_nsec)
        return;
    if (read_again(f, &err) < 0)
        log_error("passwords: %s: nobody is let in until this is mended", err.message);
    else
        log_info("passwords: read %s", f->path);
}

int password_file_new(struct str path, int64_t refresh_ms, struct password_file **ret, struct err *err)
{
    struct password_file *f = calloc(1, sizeof(*f));
    char salt[32] = "", random[16];

    if (!f)
        abort();
    f->path = strndup(path.p, path.n);
    f->refresh_ms = refresh_ms;
    f->looked_ms = clock_mono_ms();
    pthread_mutex_init(&f->lock, NULL);
    rand_bytes(f->key, sizeof(f->key));
    rand_bytes(random, sizeof(random));
    if (crypt_gensalt_rn("$2b$", 10, random, sizeof(random), salt, sizeof(salt)))
        snprintf(f->decoy, sizeof(f->decoy), "%s0123456789012345678901234567890", salt);
    int r = read_again(f, err);
    if (r < 0) {
        password_file_free(f);
        return r;
    }
    *ret = f;
    return 0;
}

void password_file_free(struct password_file *f)
{
    if (!f)
        return;
    users_free(f->users);
    free(f->path);
    pthread_mutex_destroy(&f->lock);
    explicit_bzero(f, sizeof(*f));
    free(f);
}

/* ---- verifying ---- */

static bool matches_bcrypt(struct str hash, const char *password)
{
    struct crypt_data *data = calloc(1, sizeof(*data)); /* 32 KiB */
    char setting[64] = "";

    if (!data)
        abort();
    if (hash.n < sizeof(setting))
        memcpy(setting, hash.p, hash.n);
    const char *got = crypt_rn(password, setting, data, sizeof(*data));
    bool same = got && str_eq_secret(str_from_cstr(got), hash);
    explicit_bzero(data, sizeof(*data));
    free(data);
    return same;
}

static bool matches_pbkdf2(struct str text, struct str password)
{
    unsigned char got[PBKDF2_BYTES_MAX];
    struct pbkdf2 p = {0};
    bool same = false;

    if (parse_pbkdf2(text, &p, NULL) == 0 && PKCS5_PBKDF2_HMAC(password.p, (int)password.n, p.salt, (int)p.salt_n,
                                                               (int)p.iterations, EVP_sha1(), (int)p.hash_n, got) == 1)
        same = str_eq_secret(str_from((const char *)got, p.hash_n), str_from((const char *)p.hash, p.hash_n));
    explicit_bzero(got, sizeof(got));
    return same;
}

static void digest(const struct password_file *f, struct str user, struct str password, unsigned char out[32])
{
    BUF_SCOPED struct buf text;

    buf_init(&text, 16 << 10);
    buf_addf(&text, "%zu:", user.n); /* so that no two pairs are one text */
    buf_add_str(&text, user);
    buf_add_str(&text, password);
    hash_hmac_sha256(str_from((const char *)f->key, sizeof(f->key)), buf_str(&text), out);
    buf_wipe(&text);
}

bool password_file_verify(struct password_file *f, struct str user, struct str password)
{
    ARENA_SCOPED struct arena scratch = ARENA_INIT;
    unsigned char mac[32];
    char text[PASSWORD_MAX + 1];

    if (user.n > PASSWORD_MAX || password.n > PASSWORD_MAX || str_find_char(password, '\0', 0) != SIZE_MAX)
        return false;
    digest(f, user, password, mac);
    size_t slot = mac[0] % REMEMBERED;

    pthread_mutex_lock(&f->lock);
    look(f);
    const struct users *users = f->is_broken ? NULL : f->users;
    const struct str *there = users ? map_get(&users->hashes, user) : NULL;
    struct str hash = arena_str(&scratch, there ? *there : str_from_cstr(f->decoy));
    bool known = there && f->has_right[slot] &&
                 str_eq_secret(str_from((const char *)f->right[slot], 32), str_from((const char *)mac, 32));
    pthread_mutex_unlock(&f->lock);
    if (known)
        return true;

    if (password.n)
        memcpy(text, password.p, password.n);
    text[password.n] = '\0';
    bool same = is_bcrypt(hash) ? matches_bcrypt(hash, text) : matches_pbkdf2(hash, password);
    explicit_bzero(text, sizeof(text));
    if (!there || !same)
        return false;
    pthread_mutex_lock(&f->lock);
    const struct str *still = f->is_broken || !f->users ? NULL : map_get(&f->users->hashes, user);
    if (still && str_eq(*still, hash)) {
        memcpy(f->right[slot], mac, 32);
        f->has_right[slot] = true;
    }
    pthread_mutex_unlock(&f->lock);
    return true;
}
