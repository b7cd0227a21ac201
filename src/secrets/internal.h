/* What the files of secrets/ share: the set, and what a place that keeps it has to do. */
#ifndef SECRETS_INTERNAL_H
#define SECRETS_INTERNAL_H

#include "secrets/secrets.h"

#include "base/json.h"
#include "base/vec.h"

enum { SECRETS_SIZE_MAX = 4 << 20, SECRETS_VERSION_SIZE = 64 };

struct secret {
    char *name, *value;
    char *previous; /* NULL: none */
    int64_t until;  /* wall clock, ms: of previous */
};

struct secrets_set {
    VEC(struct secret) items; /* sorted by name */
    char version[SECRETS_VERSION_SIZE];
};

void secrets_set_release(struct secrets_set *set); /* wipes */
/* From and to the form in which all places keep them: {"NAME": "VALUE", …}, or for one that was rotated
 * {"NAME": {"value": …, "previous": …, "until": "2026-11-24T14:30:05.123Z"}, …}. `where` starts the messages, which
 * never quote what is there. */
MUST_CHECK int secrets_set_take(struct secrets_set *set, const json_t *root, const char *where, struct err *err);
void secrets_set_write(const struct secrets_set *set, struct json_writer *w);

/* A place that keeps them. */
struct secrets_place {
    /* Between the two nobody else writes there, or `write` says ERR_CONFLICT. */
    int (*lock)(struct secrets *s, int *ret_lock, struct err *err);
    void (*unlock)(int lock);
    int (*read)(struct secrets *s, struct secrets_set *ret, struct err *err);  /* ret is empty before */
    int (*write)(struct secrets *s, struct secrets_set *set, struct err *err); /* sets set->version */
    /* How soon `read` should be called again though nobody said that anything changed: ms; -1: never. NULL: never. */
    int (*due_ms)(const struct secrets *s);
    void (*close)(struct secrets *s); /* NULL: nothing to do */
};
extern const struct secrets_place secrets_file, secrets_vault_place;
/* Checks the options and sets s->state; on failure too `close` is to be called. */
MUST_CHECK int secrets_vault_start(struct secrets *s, struct err *err);

struct secrets {
    struct arena arena;
    struct secrets_source source;
    const char *where;
    const struct secrets_place *place;
    void *state; /* of the place */
    struct secrets_set set;
};

#endif
