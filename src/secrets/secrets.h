/*
 * Secrets: generated once, kept in one 0600 file (DATA/secrets.json, replaced atomically), never in logs, argv or the
 * environment. Names are paths: "store/users/trino/secret-key". Services read them; only the CLI makes them.
 */
#ifndef SECRETS_SECRETS_H
#define SECRETS_SECRETS_H

#include "base/arena.h"

struct secrets;

/* The file may be missing: then there are none. A file that others can read is refused (ERR_DENIED says chmod 600). */
MUST_CHECK int secrets_open(const char *data_dir, struct secrets **ret, struct err *err);
void secrets_close(struct secrets *s);                             /* wipes */
struct str secrets_get(const struct secrets *s, const char *name); /* null: none; owned by s */
/* Generates what is missing among `names` (40 characters of [A-Za-z0-9]) and saves; what is there stays. */
MUST_CHECK int secrets_ensure(struct secrets *s, const char *const *names, size_t n, struct err *err);
size_t secrets_list(const struct secrets *s, struct arena *a, struct str **ret); /* names, sorted */

#endif
