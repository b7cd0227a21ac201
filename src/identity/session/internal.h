/* What the files of session/ share. Private to them and their tests. */
#ifndef IDENTITY_SESSION_INTERNAL_H
#define IDENTITY_SESSION_INTERNAL_H

#include "base/buf.h"
#include "identity/attribute.h"
#include "identity/session.h"

#include <pthread.h>
#include <stdatomic.h>

enum { NOTES_MAX = 32 << 10, TOUCHES_MAX = 100000, PASS_ROWS = 500 };
/* Of each kind of thing on the shelf: so many, and so many bytes. */
enum { SHELF_KINDS = 16, SHELF_MAX = 50000, SHELF_BYTES_MAX = 16 << 20 };

struct sessions {
    struct identity *model;
    struct db *db;
    _Atomic int64_t skew; /* seconds added to the clock: tests travel in time by it */

    pthread_mutex_t touch_lock;
    struct map touches; /* key of a session or client session to struct touch: seen, not yet written */

    pthread_mutex_t shelf_lock;
    struct map shelf; /* kind, realm and name to struct shelf_entry */
    struct shelf_kind {
        const char *name; /* a literal; NULL: no kind yet */
        size_t n, bytes;
    } shelf_kinds[SHELF_KINDS];

    pthread_rwlock_t revoked_lock;
    struct map revoked; /* "realm:jti" to its expiry, as intptr_t */

    pthread_t sweeper;
    pthread_mutex_t sweep_lock; /* of stopping */
    pthread_cond_t sweep_wake;
    atomic_bool stopping;
};

struct str session_text(const struct db_rows *rows, size_t row, size_t column); /* null for NULL */
/* The object of texts in a column; an empty one for NULL. */
json_t *session_notes(struct arena *a, struct str text);
/* Its text; ERR_LIMIT when it is too long. */
MUST_CHECK int session_notes_text(struct arena *a, const json_t *notes, struct str *ret, struct err *err);

/* ---- touches (open.c) ---- */

/* client_id null: of the session. */
void touch_put(struct sessions *s, struct str session_id, struct str client_id, bool offline, int64_t now);
int64_t touch_get(struct sessions *s, struct str session_id, struct str client_id, bool offline, int64_t stored);
void touch_forget(struct sessions *s, struct str session_id, struct str client_id, bool offline);

/* ---- the shelf: what lives for minutes, in memory (shelf.c) ---- */

struct shelf_entry {
    int64_t expires;
    json_t *value;
    struct shelf_kind *kind;
    size_t bytes;
    bool taken; /* kept until it expires, so that a second use is noticed */
};

/* Takes over value. ERR_EXISTS, ERR_LIMIT. */
MUST_CHECK int shelf_put(struct sessions *s, const char *kind, const struct realm *r, struct str name, json_t *value,
                         int64_t expires, struct err *err);
enum shelf_state { SHELF_NONE, SHELF_THERE, SHELF_TAKEN };
/* *ret is the caller's reference. With `take` the entry is marked as taken; what was taken is returned all the same. */
enum shelf_state shelf_get(struct sessions *s, const char *kind, const struct realm *r, struct str name, bool take,
                           json_t **ret);
/* Puts another value in its place. */
void shelf_replace(struct sessions *s, const char *kind, const struct realm *r, struct str name, json_t *value);
void shelf_remove(struct sessions *s, const char *kind, const struct realm *r, struct str name);
void shelf_sweep(struct sessions *s);
void shelf_release(struct sessions *s);

/* ---- expiry (expiry.c) ---- */

bool session_alive(const struct realm *r, const struct session *session, int64_t now);

/* ---- revoked tokens (revoked.c) ---- */

MUST_CHECK int revoked_load(struct sessions *s, struct err *err);
void revoked_sweep(struct sessions *s);

#endif
