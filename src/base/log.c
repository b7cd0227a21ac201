#include "base/log.h"
#include "base/clock.h"
#include <stdatomic.h>
#include <unistd.h>

static _Atomic enum log_level min_level = LOG_INFO;
static const char *service_name = "dataplatform";

void log_set_level(enum log_level level)
{
    min_level = level;
}

void log_set_name(const char *name)
{
    service_name = name;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    char when[CLOCK_TEXT_SIZE];
    char text[2048];
    char line[4096];
    va_list ap;

    if (level < min_level)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    clock_format_rfc3339_ms(clock_wall_ms(), when);
    int at = snprintf(line, sizeof(line), "%s %s %s: ", when, names[level], service_name);
    size_t n = at > 0 ? (size_t)at : 0;
    for (const char *p = text; *p && n < sizeof(line) - 8; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20 || c == 0x7f)
            n += (size_t)snprintf(line + n, sizeof(line) - n, "\\x%02x", c);
        else
            line[n++] = (char)c;
    }
    line[n++] = '\n';
    /* one write a line: lines of several threads don't mix. A log that can't be written has nowhere to say so. */
    ssize_t ignored = write(STDERR_FILENO, line, n);
    (void)ignored;
}
