/* SIGTERM and SIGINT as an orderly stop, SIGHUP as "read your files again"; SIGPIPE ignored. Call before threads are
 * started: they inherit the mask. */
#ifndef OS_SIGNAL_H
#define OS_SIGNAL_H

#include <stdbool.h>

void signal_setup(void);
/* Waits for SIGTERM or SIGINT, at most `timeout_ms` (-1: for ever). True when one came. */
bool signal_wait_stop(int timeout_ms);
/* How many SIGHUPs signal_wait_stop has taken: what keeps files in memory remembers it and reads them again when it is
 * another. Any thread. */
unsigned signal_reload_count(void);

#endif
