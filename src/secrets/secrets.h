/*
 * Secrets: generated once, rotated one by one, never in logs, argv or the environment. Names are paths:
 * "store/users/trino/secret-key". Services read them; only the CLI makes them.
 *
 *   secrets.c  the set of them and what is done with it, whatever keeps it
 *   file.c     kept in DATA/secrets.json, 0600, replaced atomically
 *   vault.c    kept in HashiCorp's Vault or OpenBao; vault_token.c: how it knows us
 *   watch.c    how a running service learns that they changed
 *
 * A secret that is rotated has two values for a while: the new one, and the one before, which whoever checks secrets
 * accepts until the overlap is over. What presents a secret always takes the new one.
 */
#ifndef SECRETS_SECRETS_H
#define SECRETS_SECRETS_H

#include "base/arena.h"

/* A key-value engine, version 2, of a Vault or an OpenBao. Texts that aren't there are NULL. */
struct secrets_vault {
    const char *address; /* https://…, or http to this machine */
    const char *namespace_name;
    const char *mount, *path; /* all secrets are one there */
    const char *ca_file;      /* PEM; NULL: the system's */
    enum { SECRETS_VAULT_TOKEN_FILE, SECRETS_VAULT_APPROLE, SECRETS_VAULT_KUBERNETES } auth;
    const char *auth_mount;     /* approle, kubernetes */
    const char *role;           /* approle: its id; kubernetes */
    const char *token_file;     /* the token; kubernetes: the service account's */
    const char *secret_id_file; /* approle */
    int refresh_ms;             /* how often a service looks whether they changed */
    int patience_ms;            /* how long to try while it can't be reached */
};

/* Where they are kept. */
struct secrets_source {
    const char *data_dir;
    const struct secrets_vault *vault; /* NULL: a file in data_dir */
};

/* Not thread-safe: one owner at a time. */
struct secrets;

/* None may be there yet. A file that others can read is refused (ERR_DENIED says chmod 600). ERR_UNAVAILABLE: the Vault
 * can't be reached, or is sealed. Copies the source. */
MUST_CHECK int secrets_open(const struct secrets_source *source, struct secrets **ret, struct err *err);
void secrets_close(struct secrets *s);                             /* wipes */
struct str secrets_get(const struct secrets *s, const char *name); /* null: none; owned by s, until it changes */
/* The value before the last rotation and until when it is accepted (wall clock, ms); null: there is none, or its time
 * is over. */
struct str secrets_get_previous(const struct secrets *s, const char *name, int64_t *ret_until_ms);
size_t secrets_list(const struct secrets *s, struct arena *a, struct str **ret); /* names, sorted */
/* Where they are: a file's path, or a URL. */
const char *secrets_where(const struct secrets *s);
/* Tells one state of all of them from the next. */
const char *secrets_version(const struct secrets *s);

/* Generates what is missing among `names` (40 characters of [A-Za-z0-9]) and saves; what is there stays. In a Vault, what
 * the data folder's file has of them comes from there: so they move. */
MUST_CHECK int secrets_ensure(struct secrets *s, const char *const *names, size_t n, struct err *err);
/* A new value for one; the old one is accepted for overlap_ms more. ERR_NOT_FOUND: there is no such secret. */
MUST_CHECK int secrets_rotate(struct secrets *s, const char *name, int64_t overlap_ms, struct err *err);
/* Reads them again. On failure they are what they were. */
MUST_CHECK int secrets_refresh(struct secrets *s, bool *ret_changed, struct err *err);

/* ---- how services learn of a change ---- */

struct secrets_watch;

/* Takes `now` into use; it lives during the call. What it can't take is an error, and is tried again. */
typedef int (*secrets_changed_fn)(void *ctx, const struct secrets *now, struct err *err);

/* A thread that calls `changed` when they are no longer what `s` says. DATA/run/secrets/SERVICE then says which version
 * the service has: `secrets rotate` waits for that. `service` is kept by pointer; `s` is not kept. */
MUST_CHECK int secrets_watch_start(const struct secrets *s, const char *service, secrets_changed_fn changed, void *ctx,
                                   struct secrets_watch **ret, struct err *err);
void secrets_watch_stop(struct secrets_watch *w); /* NULL is fine */
/* Wakes the services that watch, and waits until each has this version or a later one. *ret: their names, in `a`.
 * ERR_TIMEOUT names one that has not. */
MUST_CHECK int secrets_announce(struct secrets *s, struct arena *a, int timeout_ms, struct str **ret, size_t *ret_n,
                                struct err *err);

#endif
