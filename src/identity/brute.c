/*
 * Failures by user: DefaultBruteForceProtector of Keycloak 26, in its order and with its roundings. Failures by address: a
 * bucket that leaks one failure a minute; over ADDRESS_FREE of them the address waits, twice as long for each more.
 *
 * Both tables are bounded: what was quiet longest goes first.
 */
#include "identity/brute.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"

#include <pthread.h>

enum {
    ENTRIES_MAX = 100000,
    ADDRESS_FREE = 50, /* failures before an address has to wait: an office behind one address has many users */
    ADDRESS_LEAK_MS = 10 * 1000, /* one failure is forgotten in this time */
    ADDRESS_WAIT_MAX_S = 900,
};

struct failures {
    int count, lockouts;
    int64_t last_ms, not_before_s;
    char last_ip[64];
};

struct brute {
    struct identity *model;
    struct events *events;
    pthread_mutex_t lock; /* guards both maps and what they hold */
    struct map users;     /* "REALM/USER" to struct failures */
    struct map addresses; /* to struct failures: count, last_ms, not_before_s */
};

struct brute *brute_new(struct identity *model, struct events *events)
{
    struct brute *b = calloc(1, sizeof(*b));

    if (!b)
        abort();
    b->model = model;
    b->events = events;
    pthread_mutex_init(&b->lock, NULL);
    return b;
}

static void release(struct map *m)
{
    for (struct map_entry *e = NULL; (e = map_next(m, e));)
        free(e->value);
    map_release(m);
}

void brute_free(struct brute *b)
{
    if (!b)
        return;
    release(&b->users);
    release(&b->addresses);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

/* NUL-terminated, as both parts are short: a UUID each. */
struct key {
    char text[160];
};

static struct str user_key(struct key *k, const struct realm *r, struct str user_id)
{
    int n = snprintf(k->text, sizeof(k->text), "%.*s/%.*s", STR_ARG(r->id), STR_ARG(user_id));

    return str_from(k->text, n < (int)sizeof(k->text) ? (size_t)n : sizeof(k->text) - 1);
}

/* Under the lock. Makes room by dropping those that were quiet longest, a tenth at a time so that it is rarely done. */
static void make_room(struct map *m)
{
    int64_t oldest = INT64_MAX, newest = 0;

    if (m->n < ENTRIES_MAX)
        return;
    for (struct map_entry *e = NULL; (e = map_next(m, e));) {
        const struct failures *f = e->value;
        oldest = f->last_ms < oldest ? f->last_ms : oldest;
        newest = f->last_ms > newest ? f->last_ms : newest;
    }
    int64_t limit = oldest + (newest - oldest) / 10;
    for (struct map_entry *e = NULL; (e = map_next(m, e));) {
        if (((struct failures *)e->value)->last_ms <= limit)
            free(map_remove(m, e->key));
    }
}

static struct failures *find_or_add(struct map *m, struct str key)
{
    struct failures *f = map_get(m, key);

    if (f)
        return f;
    make_room(m);
    f = calloc(1, sizeof(*f));
    if (!f)
        abort();
    map_set(m, key, f);
    return f;
}

static int leaked(const struct failures *f, int64_t now_ms)
{
    int64_t forgotten = now_ms > f->last_ms ? (now_ms - f->last_ms) / ADDRESS_LEAK_MS : 0;

    return forgotten >= f->count ? 0 : f->count - (int)forgotten;
}

enum brute_verdict brute_check(struct brute *b, const struct realm *r, const struct user *u, struct str ip,
                               int64_t now_ms, int *ret_wait_s)
{
    enum brute_verdict verdict = BRUTE_FREE;
    int64_t now_s = now_ms / 1000, until_s = 0;
    struct key key;

    pthread_mutex_lock(&b->lock);
    const struct failures *address = map_get(&b->addresses, ip);
    const struct failures *user = u && json_opt_bool(r->rep, "bruteForceProtected", false)
                                      ? map_get(&b->users, user_key(&key, r, u->id))
                                      : NULL;
    if (address && now_s < address->not_before_s) {
        verdict = BRUTE_ADDRESS;
        until_s = address->not_before_s;
    } else if (user && now_s < user->not_before_s) {
        verdict = BRUTE_USER_LOCKED;
        until_s = user->not_before_s;
    }
    pthread_mutex_unlock(&b->lock);
    if (ret_wait_s)
        *ret_wait_s = verdict == BRUTE_FREE ? 0 : (int)(until_s - now_s);
    return verdict;
}

static void count_address(struct brute *b, struct str ip, int64_t now_ms)
{
    struct failures *f = find_or_add(&b->addresses, ip);

    f->count = leaked(f, now_ms) + 1;
    f->last_ms = now_ms;
    int over = f->count - ADDRESS_FREE;
    if (over > 0) {
        int wait = over > 9 ? ADDRESS_WAIT_MAX_S : 1 << over;
        f->not_before_s = now_ms / 1000 + (wait < ADDRESS_WAIT_MAX_S ? wait : ADDRESS_WAIT_MAX_S);
    }
}

enum lockout { LOCKOUT_NONE, LOCKOUT_TEMPORARY, LOCKOUT_PERMANENT };

/* Under the lock. Defaults are those of a new realm. */
static enum lockout count_user(const struct realm *r, struct failures *f, struct str ip, int64_t now_ms)
{
    int64_t last = f->last_ms, delta = last > 0 ? now_ms - last : 0;
    int64_t factor = json_opt_i64(r->rep, "failureFactor", 30), step = json_opt_i64(r->rep, "waitIncrementSeconds", 60);
    int64_t lockouts_max = json_opt_i64(r->rep, "maxTemporaryLockouts", 0), wait = 0;
    int64_t wait_max = json_opt_i64(r->rep, "maxFailureWaitSeconds", 900);
    bool permanent = json_opt_bool(r->rep, "permanentLockout", false), quick = false;
    enum lockout result = LOCKOUT_NONE;

    if (factor < 1)
        factor = 1;
    (void)snprintf(f->last_ip, sizeof(f->last_ip), "%.*s", STR_ARG(ip));
    f->last_ms = now_ms;
    if (delta > 0 && delta > json_opt_i64(r->rep, "maxDeltaTimeSeconds", 43200) * 1000)
        f->count = f->lockouts = 0;
    f->count++;
    if (!(permanent && lockouts_max == 0)) {
        bool linear = str_eq(json_opt_str(r->rep, "bruteForceStrategy", STR("MULTIPLE")), STR("LINEAR"));
        wait = step * (linear ? 1 + f->count - factor : f->count / factor);
    }
    if (wait <= 0 && last > 0 && delta < json_opt_i64(r->rep, "quickLoginCheckMilliSeconds", 1000)) {
        wait = json_opt_i64(r->rep, "minimumQuickLoginWaitSeconds", 60);
        quick = true;
    }
    if (wait > 0) {
        if ((!permanent || lockouts_max > 0) && wait > wait_max)
            wait = wait_max;
        if (!quick)
            f->lockouts++;
        if (quick || !permanent || f->lockouts <= lockouts_max) {
            f->not_before_s = now_ms / 1000 + wait;
            result = LOCKOUT_TEMPORARY;
        }
    }
    if (permanent && (f->lockouts > lockouts_max || (lockouts_max == 0 && f->count >= factor)))
        result = LOCKOUT_PERMANENT;
    return result;
}

static void report(struct brute *b, const struct realm *r, const struct user *u, struct str ip, enum lockout lockout,
                   int failures, int64_t not_before_s)
{
    struct event event = event_of(
        r, lockout == LOCKOUT_PERMANENT ? "USER_DISABLED_BY_PERMANENT_LOCKOUT" : "USER_DISABLED_BY_TEMPORARY_LOCKOUT",
        STR_NULL, ip);
    char count[16], when[CLOCK_TEXT_SIZE];

    (void)snprintf(count, sizeof(count), "%d", failures);
    event.user_id = u->id;
    event_add(&event, "reason", STR("brute_force_attack detected"));
    event_add(&event, "num_failures", str_from_cstr(count));
    if (lockout == LOCKOUT_TEMPORARY) {
        clock_format_rfc3339_ms(not_before_s * 1000, when);
        event_add(&event, "not_before", str_from_cstr(when));
    }
    event_write(b->events, &event);
}

/* As Keycloak does: the account is disabled, and an attribute says why. */
static int disable_user(struct brute *b, const struct realm *r, const struct user *u, struct err *err)
{
    CHANGE_SCOPED struct identity_change *c = NULL;
    JSON_SCOPED json_t *rep = json_object();
    json_t *attributes = json_is_object(u->attributes) ? json_copy(u->attributes) : json_object();

    json_object_set_new(attributes, "disabledReason", json_pack("[s]", "permanentLockout"));
    json_object_set_new(rep, "enabled", json_false());
    json_object_set_new(rep, "attributes", attributes);
    int rc = identity_change_begin(b->model, &c, err);
    if (rc == 0)
        rc = user_update(c, r, u->id, rep, err);
    return rc < 0 ? rc : identity_change_commit(c, err);
}

void brute_failed(struct brute *b, const struct realm *r, const struct user *u, struct str ip, int64_t now_ms)
{
    enum lockout lockout = LOCKOUT_NONE;
    struct failures now = {0};
    struct err err = {0};
    struct key key;

    pthread_mutex_lock(&b->lock);
    count_address(b, ip, now_ms);
    if (u && json_opt_bool(r->rep, "bruteForceProtected", false)) {
        struct failures *f = find_or_add(&b->users, user_key(&key, r, u->id));
        lockout = count_user(r, f, ip, now_ms);
        now = *f;
    }
    pthread_mutex_unlock(&b->lock);
    if (lockout == LOCKOUT_NONE)
        return;
    if (lockout == LOCKOUT_PERMANENT && disable_user(b, r, u, &err) < 0)
        log_error("a user that failed too often can't be disabled: %s", err.message);
    report(b, r, u, ip, lockout, now.count, now.not_before_s);
}

void brute_succeeded(struct brute *b, const struct realm *r, const struct user *u, struct str ip)
{
    struct key key;

    /* The address keeps its failures: one account of one's own must not buy guesses at others. */
    (void)ip;
    pthread_mutex_lock(&b->lock);
    free(map_remove(&b->users, user_key(&key, r, u->id)));
    pthread_mutex_unlock(&b->lock);
}

void brute_status(struct brute *b, struct arena *a, const struct realm *r, struct str user_id, int64_t now_ms,
                  struct brute_status *ret)
{
    struct key key;

    *ret = (struct brute_status){0};
    pthread_mutex_lock(&b->lock);
    const struct failures *f = map_get(&b->users, user_key(&key, r, user_id));
    if (f)
        *ret = (struct brute_status){.failures = f->count,
                                     .temporary_lockouts = f->lockouts,
                                     .last_failure_ms = f->last_ms,
                                     .last_ip = arena_str(a, str_from_cstr(f->last_ip)),
                                     .locked = now_ms / 1000 < f->not_before_s,
                                     .not_before_s = f->not_before_s};
    pthread_mutex_unlock(&b->lock);
}

void brute_clear(struct brute *b, const struct realm *r, struct str user_id)
{
    struct key key;
    struct str prefix = user_key(&key, r, str_is_null(user_id) ? STR("") : user_id);

    pthread_mutex_lock(&b->lock);
    if (!str_is_null(user_id))
        free(map_remove(&b->users, prefix));
    else
        for (struct map_entry *e = NULL; (e = map_next(&b->users, e));)
            if (str_starts_with(e->key, prefix))
                free(map_remove(&b->users, e->key));
    pthread_mutex_unlock(&b->lock);
}
