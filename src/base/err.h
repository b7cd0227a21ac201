/*
 * Errors: a function that can fail returns 0 or a negative enum err_code, and takes `struct err *err` last.
 *
 * The struct holds what a person needs: what was expected, what was found, what to do. `name` is the
 * outside world's word for it when there is one (S3's "NoSuchKey", Trino's "TABLE_NOT_FOUND"), always a
 * string literal. Exactly three places render it: s3/ (XML), trino/ (error JSON), REST handlers (JSON).
 *
 * `err` may be NULL where the caller only wants the code.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/banned.h"
#include <stdarg.h>

enum err_code {
    ERR_INVALID = -1,     /* the caller's or client's input is wrong */
    ERR_NOT_FOUND = -2,   /* the thing named doesn't exist */
    ERR_EXISTS = -3,      /* it exists already */
    ERR_DENIED = -4,      /* authenticated, but not allowed; or authentication failed */
    ERR_LIMIT = -5,       /* a documented bound was reached */
    ERR_UNSUPPORTED = -6, /* valid, but a feature we don't have: the message names it */
    ERR_IO = -7,          /* the operating system or a peer failed us */
    ERR_NO_SPACE = -8,    /* the disk is full */
    ERR_CONFLICT = -9,    /* lost a race: compare-and-swap, precondition */
    ERR_CORRUPT = -10,    /* stored bytes aren't what we wrote */
    ERR_TIMEOUT = -11,
    ERR_CANCELLED = -12,
    ERR_UNAVAILABLE = -13, /* not ready or gone for now: try again */
    ERR_INTERNAL = -14,    /* a bug of ours */
};

enum { ERR_MESSAGE_SIZE = 1024 };

struct err {
    int code;         /* 0, or enum err_code */
    const char *name; /* static string or NULL: see above */
    int line, column; /* 1-based position in the input, 0 where there is none */
    char message[ERR_MESSAGE_SIZE];
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Fills `err` and returns `code`, so that a failing line reads `return err_set(err, ERR_INVALID, "…", …);`.
 * A message past ERR_MESSAGE_SIZE is cut at a UTF-8 boundary. */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
int err_setv(struct err *err, int code, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);
/* As err_set, with the outside world's name. */
int err_set_named(struct err *err, int code, const char *name, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* As err_set_named, with a 1-based position in the input. */
int err_set_at(struct err *err, int code, const char *name, int line, int column, const char *fmt, ...)
    PRINTF_LIKE(6, 7);
/* ERR_NO_SPACE, ERR_NOT_FOUND, ERR_EXISTS, ERR_DENIED or ERR_IO after errno, which strerror explains at the end. */
int err_set_errno(struct err *err, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Puts "context: " before the message that is there; returns err->code. */
int err_prefix(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A static word for a code: "invalid", "not found", … */
const char *err_code_name(int code);

#endif
