/*
 * Whether a port is free, and who has it otherwise: the kernel's table of listening sockets gives an inode, and one of
 * the processes that we may look into has that inode open.
 */
#include "cli/cli.h"

#include "os/file.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { TCP_LISTEN = 10 };

/* A line of /proc/net/tcp: sl local_address rem_address st … inode */
static uint64_t listener_in(const char *table, int port)
{
    FILE *f = fopen(table, "re");
    char line[512];
    uint64_t found = 0;

    if (!f)
        return 0;
    while (!found && fgets(line, sizeof(line), f)) {
        unsigned local_port, state;
        unsigned long long inode;
        // NOLINTNEXTLINE(cert-err34-c): the kernel wrote it
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%X %*[0-9A-Fa-f]:%*X %X %*X:%*X %*X:%*X %*X %*u %*d %llu", &local_port,
                   &state, &inode) == 3 &&
            state == TCP_LISTEN && local_port == (unsigned)port)
            found = inode;
    }
    fclose(f);
    return found;
}

static bool has_inode(const char *pid, const char *wanted)
{
    char path[300], target[64];
    bool found = false;

    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && !found && (e = readdir(d));) {
        char link[600];
        snprintf(link, sizeof(link), "%s/%s", path, e->d_name);
        ssize_t n = readlink(link, target, sizeof(target) - 1);
        if (n > 0) {
            target[n] = '\0';
            found = strcmp(target, wanted) == 0;
        }
    }
    if (d)
        closedir(d);
    return found;
}

/* "trino-server (pid 123)", or "" when it can't be found out. */
static void name_holder(int port, char *out, size_t n)
{
    char wanted[64], path[300];
    uint64_t inode = listener_in("/proc/net/tcp", port);
    DIR *d;

    out[0] = '\0';
    if (!inode)
        inode = listener_in("/proc/net/tcp6", port);
    if (!inode || !(d = opendir("/proc")))
        return;
    snprintf(wanted, sizeof(wanted), "socket:[%llu]", (unsigned long long)inode);
    for (struct dirent *e; (e = readdir(d));) {
        BUF_SCOPED struct buf comm;

        buf_init(&comm, 256);
        if (!isdigit((unsigned char)e->d_name[0]) || !has_inode(e->d_name, wanted))
            continue;
        snprintf(path, sizeof(path), "/proc/%.20s/comm", e->d_name);
        (void)!file_read(path, &comm, NULL);
        struct str name = str_trim(buf_str(&comm));
        snprintf(out, n, "%.*s (pid %.20s)", STR_ARG(name), e->d_name);
        break;
    }
    closedir(d);
}

int cli_check_port(const char *key, struct str address, int port, struct err *err)
{
    char text[INET6_ADDRSTRLEN] = "", holder[128];
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at = {0};
    socklen_t n = sizeof(at.v4);
    const int on = 1;

    snprintf(text, sizeof(text), "%.*s", STR_ARG(address));
    if (inet_pton(AF_INET6, text, &at.v6.sin6_addr) == 1) {
        at.v6.sin6_family = AF_INET6;
        at.v6.sin6_port = htons((uint16_t)port);
        n = sizeof(at.v6);
    } else {
        at = (typeof(at)){.v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};
        if (inet_pton(AF_INET, text, &at.v4.sin_addr) != 1)
            return err_set(err, ERR_INVALID, "bind: %s is not an IP address", text);
    }
    FD_SCOPED int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "no socket");
    /* As servers do: connections of the last one that still linger are no obstacle. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, &at.any, n) == 0 && listen(fd, 1) == 0)
        return 0;
    if (errno == EACCES)
        return err_set(err, ERR_DENIED, "%s: you may not listen on port %d: choose one above 1023", key, port);
    if (errno == EADDRNOTAVAIL)
        return err_set(err, ERR_INVALID, "bind: this machine doesn't have the address %s", text);
    if (errno != EADDRINUSE)
        return err_set_errno(err, errno, "%s: %s:%d", key, text, port);
    name_holder(port, holder, sizeof(holder));
    return err_set(err, ERR_EXISTS, "%s: port %d on %s is taken%s%s: stop that program, or set %s to a free port", key,
                   port, text, *holder ? " by " : "", holder, key);
}
