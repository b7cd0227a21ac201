#include "base/rand.h"
#include "base/banned.h"
#include <errno.h>
#include <sys/random.h>

void rand_bytes(void *p, size_t n)
{
    char *at = p;

    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            perror("getrandom");
            abort();
        }
        at += got;
        n -= (size_t)got;
    }
}

uint64_t rand_u64(void)
{
    uint64_t v;

    rand_bytes(&v, sizeof(v));
    return v;
}

void rand_alnum(char *p, size_t n)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    for (size_t i = 0; i < n;) {
        unsigned char b[32];

        rand_bytes(b, sizeof(b));
        /* 248 is the largest multiple of 62 in a byte: values above it would favour the first letters */
        for (size_t k = 0; k < sizeof(b) && i < n; k++)
            if (b[k] < 248)
                p[i++] = alphabet[b[k] % 62];
    }
    p[n] = '\0';
}
