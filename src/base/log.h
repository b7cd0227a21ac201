/*
 * Log lines: one a line on standard error, which the supervisor collects to the service's log file.
 *   2026-11-24T14:30:05.123Z INFO store: listening on 127.0.0.1:9000
 * Control characters of the message are escaped, so that a line stays a line whatever a client sent.
 * Secrets never go into a message.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level level); /* INFO at start */
void log_set_name(const char *name);      /* the service's; kept by pointer */
void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

#endif
