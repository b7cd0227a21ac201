/* A real server and real sockets: what a client sends and sees, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/server.h"
#include "os/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

/* What the handler saw. */
static atomic_int begun, finished, done_completed, done_cut;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int at_gate;

struct upload {
    struct buf body;
};

static void on_begin(void *ctx, struct http_request *r)
{
    (void)ctx;
    begun++;
    r->fast = str_starts_with(r->path, STR("/fast"));
    if (str_eq(r->path, STR("/refuse"))) {
        http_respond_text(r, http_response_new(r, 403), "text/plain", STR("no"));
        return;
    }
    struct upload *u = arena_new(r->arena, struct upload);
    buf_init(&u->body, 64u << 20);
    r->state = u;
}

static void on_body(void *ctx, struct http_request *r, struct str piece)
{
    struct upload *u = r->state;
    (void)ctx;

    if (str_eq(r->path, STR("/gate-body"))) {
        at_gate++;
        pthread_mutex_lock(&gate);
        pthread_mutex_unlock(&gate);
    }
    buf_add_str(&u->body, piece);
    if (str_eq(r->path, STR("/refuse-later")) && u->body.n == piece.n)
        http_respond_text(r, http_response_new(r, 409), "text/plain", STR("changed my mind"));
}

static void *respond_later(void *arg)
{
    struct http_request *r = arg;

    usleep(20000);
    http_respond_text(r, http_response_new(r, 200), "text/plain", STR("later"));
    return NULL;
}

static ssize_t read_count(void *state, uint64_t offset, char *to, size_t n)
{
    uint64_t left = *(uint64_t *)state - offset;

    if (n > left)
        n = left;
    for (size_t i = 0; i < n; i++)
        to[i] = (char)('a' + (offset + i) % 26);
    return (ssize_t)n;
}

static void echo(struct http_request *r)
{
    struct upload *u = r->state;
    struct http_response *p = http_response_new(r, 200);

    http_response_add(r, p, "X-Raw-Target", r->raw_target);
    http_response_add(r, p, "X-Path", r->path);
    http_response_addf(r, p, "X-Peer", "%.*s", STR_ARG(r->peer));
    http_response_add(r, p, "X-Evil", STR("a\r\nX-Injected: b"));
    struct str q = http_query(r, "q");
    http_response_add(r, p, "X-Q", str_is_null(q) ? STR("none") : q);
    http_respond_buf(r, p, "application/octet-stream", &u->body);
}

static void on_finish(void *ctx, struct http_request *r)
{
    struct http_response *p = http_response_new(r, 200);
    (void)ctx;

    finished++;
    if (str_eq(r->path, STR("/later"))) {
        pthread_t t;
        pthread_create(&t, NULL, respond_later, r);
        pthread_detach(t);
    } else if (str_eq(r->path, STR("/gate"))) {
        at_gate++;
        pthread_mutex_lock(&gate);
        pthread_mutex_unlock(&gate);
        http_respond_empty(r, p);
    } else if (str_eq(r->path, STR("/file"))) {
        char name[] = P_tmpdir "/dp-http-XXXXXX";
        int fd = mkstemp(name);
        unlink(name);
        assert_int_equal(file_write_all(fd, "0123456789", 10, NULL), 0);
        http_respond_file(r, p, fd, 3, 4);
    } else if (str_eq(r->path, STR("/stream")) || str_eq(r->path, STR("/chunked"))) {
        uint64_t *n = arena_new(r->arena, uint64_t);
        *n = 300000;
        http_respond_stream(r, p, str_eq(r->path, STR("/stream")) ? (int64_t)*n : -1, read_count, NULL, n);
    } else if (str_eq(r->path, STR("/head"))) {
        http_response_add(r, p, "Content-Length", STR("12345"));
        http_respond_empty(r, p);
    } else if (str_eq(r->path, STR("/fast/twice"))) {
        http_respond_text(r, p, "text/plain", STR("first"));
        http_respond_text(r, http_response_new(r, 200), "text/plain", STR("second"));
    } else {
        echo(r);
    }
}

static void on_done(void *ctx, struct http_request *r, bool completed)
{
    struct upload *u = r->state;
    (void)ctx;

    if (u)
        buf_release(&u->body);
    if (completed)
        done_completed++;
    else
        done_cut++;
}

static const struct http_handler handler = {on_begin, on_body, on_finish, on_done};
static struct http_server *server;

static void start(int pool_threads, int queue_max)
{
    struct http_server_options o = {
        .address = "127.0.0.1", .pool_threads = pool_threads, .queue_max = queue_max, .server_name = "dp"};
    struct err err = {0};

    begun = finished = done_completed = done_cut = at_gate = 0;
    if (http_server_start(&o, &handler, NULL, &server, &err) < 0)
        fail_msg("%s", err.message);
}

static int set_up(void **state)
{
    (void)state;
    start(4, 64);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_server_stop(server, 1000);
    return 0;
}

static int dial(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_server_port(server))};
    struct timeval patience = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* One response: its head, and the body as Content-Length says; "" at the connection's end. */
static struct response {
    int status;
    char head[16384];
    char body[400000];
    size_t body_n;
} answer;

static const char *field(const char *name)
{
    static char value[256];
    char key[64];

    snprintf(key, sizeof(key), "\r\n%s: ", name);
    const char *at = strcasestr(answer.head, key);
    if (!at)
        return NULL;
    at += strlen(key);
    snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

static int hear_for(int fd, bool is_head)
{
    size_t n = 0;
    ssize_t got;

    answer.status = 0;
    answer.body_n = 0;
    answer.head[0] = '\0';
    while (n < sizeof(answer.head) - 1 && (got = recv(fd, answer.head + n, 1, 0)) == 1) {
        answer.head[++n] = '\0';
        if (n >= 4 && memcmp(answer.head + n - 4, "\r\n\r\n", 4) == 0)
            break;
    }
    if (sscanf(answer.head, "HTTP/1.1 %d", &answer.status) != 1)
        return 0;
    const char *length = field("Content-Length");
    int64_t want = 0;
    if (length && !is_head)
        assert_int_equal(str_to_i64(str_from_cstr(length), &want, NULL), 0);
    while (answer.body_n < (size_t)want &&
           (got = recv(fd, answer.body + answer.body_n, (size_t)want - answer.body_n, 0)) > 0)
        answer.body_n += (size_t)got;
    assert_int_equal(answer.body_n, want);
    return answer.status;
}

static int hear(int fd)
{
    return hear_for(fd, false);
}

static bool is_closed(int fd)
{
    char c;
    return recv(fd, &c, 1, 0) <= 0;
}

static void await(atomic_int *counter, int value)
{
    for (int i = 0; i < 5000 && *counter < value; i++)
        usleep(1000);
    assert_int_equal(*counter, value);
}

static void assert_body(const char *want)
{
    assert_int_equal(answer.body_n, strlen(want));
    assert_memory_equal(answer.body, want, answer.body_n);
}

static void a_request_is_answered_and_the_connection_kept(void **state)
{
    FD_SCOPED int fd = dial();
    (void)state;

    for (int i = 0; i < 3; i++) {
        say(fd, "POST /a%2Fb/c?q=x%20y+z&r HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
        assert_int_equal(hear(fd), 200);
        assert_body("hello");
        assert_string_equal(field("X-Raw-Target"), "/a%2Fb/c?q=x%20y+z&r");
        assert_string_equal(field("X-Path"), "/a/b/c");
        assert_string_equal(field("X-Q"), "x y z");
        assert_string_equal(field("X-Peer"), "127.0.0.1");
        assert_string_equal(field("Server"), "dp");
    }
    await(&done_completed, 3);
    assert_int_equal(finished, 3);
}

static void a_line_break_in_a_header_does_not_make_another(void **state)
{
    FD_SCOPED int fd = dial();
    (void)state;

    say(fd, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(hear(fd), 200);
    assert_string_equal(field("X-Evil"), "a  X-Injected: b");
    assert_null(field("X-Injected"));
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    FD_SCOPED int fd = dial();
    (void)state;

    say(fd, "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\noneGET /fast HTTP/1.1\r\nHost: h\r\n\r\n"
            "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\ntwo");
    assert_int_equal(hear(fd), 200);
    assert_body("one");
    assert_int_equal(hear(fd), 200);
    assert_body("");
    assert_int_equal(hear(fd), 200);
    assert_body("two");
}

static void a_body_in_pieces_and_in_chunks_arrives_whole(void **state)
{
    enum { N = 300000 };
    static char big[N];
    char head[128];
    FD_SCOPED int fd = dial();
    (void)state;

    for (size_t i = 0; i < N; i++)
        big[i] = (char)('A' + i % 23);
    snprintf(head, sizeof(head), "PUT /big HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", N);
    say(fd, head);
    assert_int_equal(file_write_all(fd, big, N, NULL), 0);
    assert_int_equal(hear(fd), 200);
    assert_int_equal(answer.body_n, N);
    assert_memory_equal(answer.body, big, N);

    say(fd, "PUT /chunks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    usleep(5000);
    say(fd, "2\r\nde\r\n0\r\n\r\n");
    assert_int_equal(hear(fd), 200);
    assert_body("abcde");
}

static void a_refusal_comes_before_100_continue_and_the_body_is_not_read(void **state)
{
    FD_SCOPED int fd = dial();
    (void)state;

    say(fd, "PUT /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n");
    assert_int_equal(hear(fd), 403);
    assert_body("no");
    assert_true(is_closed(fd));
    await(&done_completed, 1);
    assert_int_equal(finished, 0);
}

static void a_refusal_of_a_body_that_comes_anyway_is_heard(void **state)
{
    static const char *const methods[] = {"PUT", "POST", "DELETE", "PATCH"};
    (void)state;
    for (int i = 0; i < 4; i++) {
        char request[128];
        FD_SCOPED int fd = dial();
        snprintf(request, sizeof(request), "%s /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody",
                 methods[i]);
        say(fd, request);
        assert_int_equal(hear(fd), 403);
    }
    assert_int_equal(finished, 0);
}

static void an_accepted_body_is_asked_for_with_100_continue(void **state)
{
    FD_SCOPED int fd = dial();
    (void)state;

    say(fd, "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    assert_int_equal(hear(fd), 100);
    say(fd, "ok");
    assert_int_equal(hear(fd), 200);
    assert_body("ok");
}

static void a_refusal_without_body_keeps_the_connection(void **state)
{
    FD_SCOPED int fd = dial();
    (void)state;

    say(fd, "GET /refuse HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(hear(fd), 403);
    say(fd, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(hear(fd), 200);
}

static void an_answer_in_mid_body_is_sent_after_it(void **state)
{
    enum { N = 200000 };
    static char big[N];
    char head[128];
    FD_SCOPED int fd = dial();
    (void)state;

    snprintf(head, sizeof(head), "PUT /refuse-later HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", N);
    say(fd, head);
    assert_int_equal(file_write_all(fd, big, N, NULL), 0);
    assert_int_equal(hear(fd), 409);
    assert_int_equal(finished, 0);
}

static void a_client_that_vanishes_in_mid_body_ends_in_done_without_finish(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\npart");
    await(&begun, 1);
    close(fd);
    await(&done_cut, 1);
    assert_int_equal(finished, 0);
}

static void another_thread_may_answer_later_exactly_once(void **state)
{
    FD_SCOPED int fd = dial();
    (void)state;

    say(fd, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(hear(fd), 200);
    assert_body("later");
    say(fd, "GET /fast/twice HTTP/1.1\r\nHost: h\r\n\r\nGET /fast HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(hear(fd), 200);
    assert_body("first");
    assert_int_equal(hear(fd), 200);
    assert_body("");
}

static void a_header_that_is_too_large_is_431(void **state)
{
    enum { N = 400000 };
    static char big[N];
    FD_SCOPED int fd = dial();
    (void)state;

    memset(big, 'x', N);
    say(fd, "GET /x HTTP/1.1\r\nHost: h\r\nX-Big: ");
    while (send(fd, big, N, MSG_NOSIGNAL) > 0 && hear(fd) == 0)
        ;
    assert_int_equal(answer.status, 431);
    assert_int_equal(begun, 0);
}

static void a_header_of_100_kib_is_fine(void **state)
{
    enum { N = 100 << 10 };
    static char big[N];
    FD_SCOPED int fd = dial();
    (void)state;

    memset(big, 'x', N);
    say(fd, "GET /x HTTP/1.1\r\nHost: h\r\nX-Big: ");
    assert_int_equal(file_write_all(fd, big, N, NULL), 0);
    say(fd, "\r\n\r\n");
    assert_int_equal(hear(fd), 200);
}

static void malformed_requests_are_400_and_reach_no_handler(void **state)
{
    static const char *const requests[] = {
        "GET /a%2 HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a%zz HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET nonsense HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na",
        "GET /x HTTP/1.1\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        FD_SCOPED int fd = dial();
        say(fd, requests[i]);
        if (hear(fd) != 400)
            fail_msg("%s: %d", requests[i], answer.status);
    }
    assert_int_equal(begun, 0);
}

static void head_has_the_length_and_no_body(void **state)
{
    static const char *const targets[] = {"/head", "/stream", "/file"};
    static const char *const lengths[] = {"12345", "300000", "4"};
    FD_SCOPED int fd = dial();
    (void)state;

    for (int i = 0; i < 3; i++) {
        char request[64];
        snprintf(request, sizeof(request), "HEAD %s HTTP/1.1\r\nHost: h\r\n\r\n", targets[i]);
        say(fd, request);
        assert_int_equal(hear_for(fd, true), 200);
        assert_string_equal(field("Content-Length"), lengths[i]);
    }
}

static void files_and_streams_are_sent_whole(void **state)
{
    FD_SCOPED int fd = dial();
    (void)state;

    say(fd, "GET /file HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(hear(fd), 200);
    assert_body("3456");
    say(fd, "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(hear(fd), 200);
    assert_int_equal(answer.body_n, 300000);
    assert_int_equal(answer.body[299999], 'a' + 299999 % 26);
    say(fd, "GET /chunked HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(hear(fd), 200);
    assert_string_equal(field("Transfer-Encoding"), "chunked");
}

static void a_full_pool_is_503_with_retry_after(void **state)
{
    (void)state;
    http_server_stop(server, 0);
    start(1, 1);
    pthread_mutex_lock(&gate);
    FD_SCOPED int running = dial();
    say(running, "GET /gate HTTP/1.1\r\nHost: h\r\n\r\n");
    await(&at_gate, 1);
    FD_SCOPED int waiting = dial();
    say(waiting, "GET /gate HTTP/1.1\r\nHost: h\r\n\r\n");
    await(&begun, 2);
    FD_SCOPED int refused = dial();
    say(refused, "GET /gate HTTP/1.1\r\nHost: h\r\n\r\n");
    int status = hear(refused);
    pthread_mutex_unlock(&gate);
    assert_int_equal(status, 503);
    assert_non_null(field("Retry-After"));
    assert_int_equal(hear(running), 200);
    assert_int_equal(hear(waiting), 200);
}

static void *stop_server(void *arg)
{
    http_server_stop(server, *(int *)arg);
    return NULL;
}

static void stopping_lets_what_is_in_work_end(void **state)
{
    int grace_ms = 5000;
    pthread_t t;
    (void)state;

    pthread_mutex_lock(&gate);
    FD_SCOPED int fd = dial();
    say(fd, "GET /gate HTTP/1.1\r\nHost: h\r\n\r\n");
    await(&at_gate, 1);
    pthread_create(&t, NULL, stop_server, &grace_ms);
    usleep(20000);
    pthread_mutex_unlock(&gate);
    assert_int_equal(hear(fd), 200);
    pthread_join(t, NULL);
    assert_int_equal(done_completed, 1);
    start(4, 64);
}

static void past_the_grace_connections_are_cut(void **state)
{
    static const char *const requests[] = {
        "GET /gate HTTP/1.1\r\nHost: h\r\n\r\n",
        "PUT /gate-body HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd",
    };
    (void)state;
    for (int i = 0; i < 2; i++) {
        int grace_ms = 10;
        pthread_t t;
        pthread_mutex_lock(&gate);
        FD_SCOPED int fd = dial();
        say(fd, requests[i]);
        await(&at_gate, 1);
        pthread_create(&t, NULL, stop_server, &grace_ms);
        usleep(50000);
        pthread_mutex_unlock(&gate);
        pthread_join(t, NULL);
        assert_true(is_closed(fd));
        assert_int_equal(done_completed + done_cut, 1);
        start(4, 64);
    }
}

static void a_taken_port_is_named(void **state)
{
    struct http_server_options o = {.address = "127.0.0.1", .port = http_server_port(server)};
    struct http_server *other = NULL;
    struct err err = {0};
    char port[16];
    (void)state;

    assert_int_equal(http_server_start(&o, &handler, NULL, &other, &err), ERR_EXISTS);
    snprintf(port, sizeof(port), "%d", o.port);
    assert_non_null(strstr(err.message, port));
    assert_non_null(strstr(err.message, "127.0.0.1"));
    assert_null(other);
}

static void a_small_request_takes_well_under_a_millisecond(void **state)
{
    enum { N = 500 };
    FD_SCOPED int fd = dial();
    (void)state;

    int64_t from = clock_mono_us();
    for (int i = 0; i < N; i++) {
        say(fd, "GET /fast HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_int_equal(hear(fd), 200);
    }
    int64_t each = (clock_mono_us() - from) / N;
    from = clock_mono_us();
    for (int i = 0; i < N; i++) {
        say(fd, "GET /pool HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_int_equal(hear(fd), 200);
    }
    print_message("%d us a request, %d us through the pool\n", (int)each, (int)((clock_mono_us() - from) / N));
    assert_true(each < 5000); /* a lost wake-up or Nagle's 40 ms shows; the machine's load doesn't */
}

#define SERVER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(a_request_is_answered_and_the_connection_kept),
        SERVER_TEST(a_line_break_in_a_header_does_not_make_another),
        SERVER_TEST(pipelined_requests_are_answered_in_order),
        SERVER_TEST(a_body_in_pieces_and_in_chunks_arrives_whole),
        SERVER_TEST(a_refusal_comes_before_100_continue_and_the_body_is_not_read),
        SERVER_TEST(a_refusal_of_a_body_that_comes_anyway_is_heard),
        SERVER_TEST(an_accepted_body_is_asked_for_with_100_continue),
        SERVER_TEST(a_refusal_without_body_keeps_the_connection),
        SERVER_TEST(an_answer_in_mid_body_is_sent_after_it),
        SERVER_TEST(a_client_that_vanishes_in_mid_body_ends_in_done_without_finish),
        SERVER_TEST(another_thread_may_answer_later_exactly_once),
        SERVER_TEST(a_header_that_is_too_large_is_431),
        SERVER_TEST(a_header_of_100_kib_is_fine),
        SERVER_TEST(malformed_requests_are_400_and_reach_no_handler),
        SERVER_TEST(head_has_the_length_and_no_body),
        SERVER_TEST(files_and_streams_are_sent_whole),
        SERVER_TEST(a_full_pool_is_503_with_retry_after),
        SERVER_TEST(stopping_lets_what_is_in_work_end),
        SERVER_TEST(past_the_grace_connections_are_cut),
        SERVER_TEST(a_taken_port_is_named),
        SERVER_TEST(a_small_request_takes_well_under_a_millisecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
