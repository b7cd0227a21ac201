#include "base/err.h"
#include <errno.h>

/* Cuts a full message so that it doesn't end inside a UTF-8 sequence. */
static void trim_utf8(char *s, size_t n)
{
    size_t start = n;

    while (start > 0 && ((unsigned char)s[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)s[start - 1];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (want > 1 && n - (start - 1) < want)
        s[start - 1] = '\0';
}

PRINTF_LIKE(2, 0) static void format_message(struct err *err, const char *fmt, va_list ap)
{
    int n = vsnprintf(err->message, sizeof(err->message), fmt, ap);

    if (n < 0)
        snprintf(err->message, sizeof(err->message), "(message could not be formatted)");
    else if ((size_t)n >= sizeof(err->message))
        trim_utf8(err->message, sizeof(err->message) - 1);
}

PRINTF_LIKE(6, 0)
static int fill(struct err *err, int code, const char *name, int line, int column, const char *fmt, va_list ap)
{
    if (err) {
        err->code = code;
        err->name = name;
        err->line = line;
        err->column = column;
        format_message(err, fmt, ap);
    }
    return code;
}

int err_setv(struct err *err, int code, const char *fmt, va_list ap)
{
    return fill(err, code, NULL, 0, 0, fmt, ap);
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fill(err, code, NULL, 0, 0, fmt, ap);
    va_end(ap);
    return code;
}

int err_set_named(struct err *err, int code, const char *name, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fill(err, code, name, 0, 0, fmt, ap);
    va_end(ap);
    return code;
}

int err_set_at(struct err *err, int code, const char *name, int line, int column, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fill(err, code, name, line, column, fmt, ap);
    va_end(ap);
    return code;
}

static int code_of_errno(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
        return ERR_NO_SPACE;
    case ENOENT:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    default:
        return ERR_IO;
    }
}

int err_set_errno(struct err *err, int errnum, const char *fmt, ...)
{
    int code = code_of_errno(errnum);
    va_list ap;

    va_start(ap, fmt);
    fill(err, code, NULL, 0, 0, fmt, ap);
    va_end(ap);
    if (err) {
        char reason[128];
        size_t n = strlen(err->message);

        /* the GNU variant: returns the text, which need not be in the buffer */
        const char *text = strerror_r(errnum, reason, sizeof(reason));
        snprintf(err->message + n, sizeof(err->message) - n, ": %s", text);
    }
    return code;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
    char old[ERR_MESSAGE_SIZE];
    va_list ap;

    if (!err)
        return ERR_INTERNAL;
    memcpy(old, err->message, sizeof(old));
    va_start(ap, fmt);
    format_message(err, fmt, ap);
    va_end(ap);
    size_t n = strlen(err->message);
    int added = snprintf(err->message + n, sizeof(err->message) - n, ": %s", old);
    if (added >= 0 && n + (size_t)added >= sizeof(err->message))
        trim_utf8(err->message, sizeof(err->message) - 1);
    return err->code;
}

const char *err_code_name(int code)
{
    switch ((enum err_code)code) {
    case ERR_INVALID:
        return "invalid";
    case ERR_NOT_FOUND:
        return "not found";
    case ERR_EXISTS:
        return "already exists";
    case ERR_DENIED:
        return "denied";
    case ERR_LIMIT:
        return "limit reached";
    case ERR_UNSUPPORTED:
        return "not supported";
    case ERR_IO:
        return "input/output failed";
    case ERR_NO_SPACE:
        return "no space";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_CORRUPT:
        return "corrupt";
    case ERR_TIMEOUT:
        return "timed out";
    case ERR_CANCELLED:
        return "cancelled";
    case ERR_UNAVAILABLE:
        return "unavailable";
    case ERR_INTERNAL:
        return "internal error";
    }
    return code == 0 ? "ok" : "unknown error";
}
