/* Files that are part of the program: pages, their style, the texts of each language. Made by tools/embed. */
#ifndef IDENTITY_LOGIN_EMBEDDED_H
#define IDENTITY_LOGIN_EMBEDDED_H

#include <stddef.h>

struct embedded {
    const char *name, *text;
    size_t n;
};

extern const struct embedded login_pages[];
extern const size_t login_pages_count;
extern const struct embedded login_messages[];
extern const size_t login_messages_count;

#endif
