#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "auth/jwks.h"
#include "base/vec.h"
#include "http/server.h"
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* An issuer on a free port: its answers are what the test sets. */
static struct issuer {
    struct http_server *server;
    char url[64], jwks_url[96];
    atomic_int fetches, delay_ms;
    pthread_mutex_t lock;
    struct jose_key *keys[4];
    size_t key_count;
    const char *claimed; /* the issuer that the document names */
    atomic_bool down;
} issuer = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void write_keys(struct buf *b)
{
    struct json_writer w;
    struct err err;

    json_writer_init(&w, b);
    json_open_object(&w);
    json_key(&w, "keys");
    json_open_array(&w);
    pthread_mutex_lock(&issuer.lock);
    for (size_t i = 0; i < issuer.key_count; i++) {
        json_open_object(&w);
        json_key(&w, "kid");
        json_add_str(&w, jose_key_kid(issuer.keys[i]));
        if (jose_key_write_public(issuer.keys[i], &w, &err) < 0)
            abort();
        json_close_object(&w);
    }
    pthread_mutex_unlock(&issuer.lock);
    json_close_array(&w);
    json_close_object(&w);
}

static void finish(void *ctx, struct http_request *r)
{
    struct buf b;

    (void)ctx;
    buf_init(&b, 1 << 20);
    if (issuer.down) {
        http_respond_empty(r, http_response_new(r, 503));
        return;
    }
    if (str_eq(r->path, STR("/keys"))) {
        issuer.fetches++;
        if (issuer.delay_ms)
            usleep((useconds_t)issuer.delay_ms * 1000);
        write_keys(&b);
    } else {
        buf_addf(&b, "{\"issuer\":\"%s\",\"jwks_uri\":\"%s\"}", issuer.claimed, issuer.jwks_url);
    }
    http_respond_buf(r, http_response_new(r, 200), "application/json", &b);
}

static void add_key(void)
{
    struct err err = {0};

    pthread_mutex_lock(&issuer.lock);
    assert_int_equal(jose_key_generate(JOSE_ES256, 0, &issuer.keys[issuer.key_count++], &err), 0);
    pthread_mutex_unlock(&issuer.lock);
}

static struct jwks *client(int64_t max_age_ms, int64_t min_refetch_ms)
{
    struct jwks_options o = {.issuer = issuer.url, .max_age_ms = max_age_ms, .min_refetch_ms = min_refetch_ms};
    struct jwks *s = NULL;
    struct err err = {0};

    if (jwks_new(&o, &s, &err) < 0)
        fail_msg("%s", err.message);
    return s;
}

static int verify(struct jwks *s, const struct jose_key *k, const char *iss, struct err *err)
{
    const struct jwt_expect e = {STR_NULL, STR("trino"), 1000, 0, 0, false};
    JSON_SCOPED json_t *claims = NULL;
    ARENA_SCOPED struct arena a;
    BUF_SCOPED struct buf token;
    int rc;

    arena_init(&a, 0);
    buf_init(&token, JOSE_TOKEN_MAX);
    rc = jws_sign(k, JOSE_ES256, "JWT",
                  arena_printf(&a, "{\"iss\":\"%s\",\"aud\":\"trino\",\"exp\":1100,\"sub\":\"alice\"}", iss), &token,
                  err);
    if (rc == 0)
        rc = jwks_verify(s, &a, buf_str(&token), JOSE_ANY_PUBLIC, &e, &claims, err);
    if (rc == 0)
        assert_true(str_eq(json_str(json_object_get(claims, "sub")), STR("alice")));
    return rc;
}

static int reset(void **state)
{
    (void)state;
    for (size_t i = 0; i < issuer.key_count; i++)
        jose_key_free(issuer.keys[i]);
    issuer.key_count = 0;
    issuer.fetches = 0;
    issuer.delay_ms = 0;
    issuer.down = false;
    issuer.claimed = issuer.url;
    (void)snprintf(issuer.jwks_url, sizeof(issuer.jwks_url), "%s/keys", issuer.url);
    add_key();
    return 0;
}

static void tokens_of_the_issuer_verify_with_one_fetch(void **state)
{
    struct jwks *s = client(0, 0);
    struct err err = {0};

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(verify(s, issuer.keys[0], issuer.url, &err), 0);
    assert_int_equal(issuer.fetches, 1);
    assert_int_equal(verify(s, issuer.keys[0], "http://elsewhere", &err), ERR_DENIED);
    jwks_free(s);
}

static void a_key_that_the_issuer_has_added_is_fetched_but_unknown_ones_not_each_time(void **state)
{
    struct jwks *s = client(0, 100);
    JOSE_KEY_SCOPED struct jose_key *stranger = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(verify(s, issuer.keys[0], issuer.url, &err), 0);
    add_key();
    usleep(120000);
    assert_int_equal(verify(s, issuer.keys[1], issuer.url, &err), 0);
    assert_int_equal(issuer.fetches, 2);
    assert_int_equal(jose_key_generate(JOSE_ES256, 0, &stranger, &err), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(verify(s, stranger, issuer.url, &err), ERR_DENIED);
    assert_true(issuer.fetches <= 3);
    jwks_free(s);
}

static void a_key_that_the_issuer_has_withdrawn_ends_with_the_sets_age(void **state)
{
    struct jwks *s = client(50, 10);
    JOSE_KEY_SCOPED struct jose_key *old = jose_key_ref(issuer.keys[0]);
    struct err err = {0};

    (void)state;
    assert_int_equal(verify(s, old, issuer.url, &err), 0);
    add_key();
    pthread_mutex_lock(&issuer.lock);
    jose_key_free(issuer.keys[0]);
    issuer.keys[0] = issuer.keys[--issuer.key_count];
    pthread_mutex_unlock(&issuer.lock);
    usleep(80000);
    assert_int_equal(verify(s, old, issuer.url, &err), ERR_DENIED);
    jwks_free(s);
}

static void known_keys_serve_on_while_the_issuer_is_away(void **state)
{
    struct jwks *s = client(50, 10), *fresh = client(0, 0);
    struct err err = {0};

    (void)state;
    assert_int_equal(verify(s, issuer.keys[0], issuer.url, &err), 0);
    issuer.down = true;
    usleep(80000);
    assert_int_equal(verify(s, issuer.keys[0], issuer.url, &err), 0);
    assert_int_equal(verify(fresh, issuer.keys[0], issuer.url, &err), ERR_UNAVAILABLE);
    jwks_free(s);
    jwks_free(fresh);
}

static void a_discovery_document_of_another_issuer_is_refused(void **state)
{
    struct jwks *s = client(0, 0);
    struct err err = {0};

    (void)state;
    issuer.claimed = "https://attacker.example";
    assert_int_equal(verify(s, issuer.keys[0], issuer.url, &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "attacker.example"));
    jwks_free(s);
}

static void keys_are_not_fetched_in_the_clear_from_other_machines(void **state)
{
    static const char *const bad[] = {
        "http://idp.example/realms/x",   "ftp://127.0.0.1/", "idp.example", "", "http://127.0.0.1@evil.example/",
        "http://127.0.0.1.evil.example/"};
    struct jwks *s = NULL;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct jwks_options o = {.issuer = bad[i]};
        assert_int_equal(jwks_new(&o, &s, &err), ERR_INVALID);
    }
    /* Nor when the document says so. */
    (void)snprintf(issuer.jwks_url, sizeof(issuer.jwks_url), "http://idp.example/keys");
    s = client(0, 0);
    assert_int_equal(verify(s, issuer.keys[0], issuer.url, &err), ERR_UNAVAILABLE);
    jwks_free(s);
}

static void *verify_thread(void *arg)
{
    struct err err = {0};

    return verify(arg, issuer.keys[0], issuer.url, &err) == 0 ? NULL : arg;
}

static void many_threads_share_one_fetch(void **state)
{
    struct jwks *s = client(0, 0);
    pthread_t threads[8];
    void *failed;

    (void)state;
    issuer.delay_ms = 50;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verify_thread, s), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(issuer.fetches, 1);
    jwks_free(s);
}

static int start(void **state)
{
    const struct http_handler h = {.finish = finish};
    const struct http_server_options o = {.address = "127.0.0.1"};
    struct err err = {0};

    (void)state;
    if (http_server_start(&o, &h, NULL, &issuer.server, &err) < 0)
        return -1;
    (void)snprintf(issuer.url, sizeof(issuer.url), "http://127.0.0.1:%d", http_server_port(issuer.server));
    return 0;
}

static int stop(void **state)
{
    http_server_stop(issuer.server, 1000);
    for (size_t i = 0; i < issuer.key_count; i++)
        jose_key_free(issuer.keys[i]);
    (void)state;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tokens_of_the_issuer_verify_with_one_fetch, reset),
        cmocka_unit_test_setup(a_key_that_the_issuer_has_added_is_fetched_but_unknown_ones_not_each_time, reset),
        cmocka_unit_test_setup(a_key_that_the_issuer_has_withdrawn_ends_with_the_sets_age, reset),
        cmocka_unit_test_setup(known_keys_serve_on_while_the_issuer_is_away, reset),
        cmocka_unit_test_setup(a_discovery_document_of_another_issuer_is_refused, reset),
        cmocka_unit_test_setup(keys_are_not_fetched_in_the_clear_from_other_machines, reset),
        cmocka_unit_test_setup(many_threads_share_one_fetch, reset),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
