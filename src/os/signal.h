/* SIGTERM and SIGINT as an orderly stop; SIGPIPE ignored. Call before threads are started: they inherit the mask. */
#ifndef OS_SIGNAL_H
#define OS_SIGNAL_H

#include <stdbool.h>

void signal_setup(void);
/* Waits for SIGTERM or SIGINT, at most `timeout_ms` (-1: for ever). True when one came. */
bool signal_wait_stop(int timeout_ms);

#endif
