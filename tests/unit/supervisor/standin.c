/*
 * A service for the supervisor's tests: listens on a port and answers GET. Its behaviour:
 *   standin PORT [never-ready|ignore-term|exit|hang|chatty|slow] [FILE]
 * exit ends at once; hang takes connections but never answers once FILE exists; slow answers 503 for 300 ms;
 * FILE otherwise gets a line "start"/"stop"/"reload" (at SIGHUP) with the port, which shows the order of things.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *file, *port;
static bool notes;
static char started[32], stopped[32], reloaded[32]; /* lines, made before a signal can come */

/* In one write: both services note in one file. */
static void note(const char *line)
{
    int fd = notes ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

    if (fd >= 0) {
        (void)!write(fd, line, strlen(line));
        close(fd);
    }
}

static void stop(int signal)
{
    (void)signal;
    note(stopped);
    _exit(0);
}

static void reload(int signal)
{
    (void)signal;
    note(reloaded);
}

static long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    const char *mode = argc > 2 ? argv[2] : "";
    const int on = 1;
    char request[4096];
    long began = now_ms();

    port = argv[1];
    snprintf(started, sizeof(started), "start %s\n", port);
    snprintf(stopped, sizeof(stopped), "stop %s\n", port);
    snprintf(reloaded, sizeof(reloaded), "reload %s\n", port);
    file = argc > 3 ? argv[3] : NULL;
    notes = file && strcmp(mode, "hang") != 0;
    if (strcmp(mode, "exit") == 0) {
        fprintf(stderr, "cannot go on: the reason\n");
        return 7;
    }
    signal(SIGTERM, strcmp(mode, "ignore-term") == 0 ? SIG_IGN : stop);
    signal(SIGHUP, reload);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons((unsigned short)strtol(port, NULL, 10));
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listener, 16) < 0) {
        perror("listen");
        return 1;
    }
    note(started);
    printf("listening\n");
    fflush(stdout);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        if (strcmp(mode, "hang") == 0 && access(file, F_OK) == 0)
            continue; /* and leave it open */
        bool ready = strcmp(mode, "never-ready") != 0 && !(strcmp(mode, "slow") == 0 && now_ms() - began < 300);
        if (read(fd, request, sizeof(request)) > 0)
            dprintf(fd, "HTTP/1.1 %s\r\nContent-Length: 20\r\n\r\n{\"starting\": false }\n",
                    ready ? "200 OK" : "503 Busy");
        close(fd);
        for (int i = 0; strcmp(mode, "chatty") == 0 && i < 200; i++)
            fprintf(stderr, "line %d of a service that has much to say about what it does\n", i);
    }
}
