/*
 * Authorization codes and device codes, on the shelf. What makes a code worthless to others is not its secrecy alone: it is
 * good once, and a second use ends what the first one began.
 */
#include "base/rand.h"
#include "base/uuid.h"
#include "base/vec.h"
#include "identity/session/internal.h"

/* A struct of texts to a JSON object and back, by a table of its members. */
struct member {
    const char *name;
    size_t offset;
};
#define MEMBER(type, m)              \
    {                                \
#m, offsetof(struct type, m) \
    }

static json_t *to_json(const void *from, const struct member *members, size_t n)
{
    json_t *j = json_object();

    for (size_t i = 0; i < n; i++) {
        struct str s;
        memcpy(&s, (const char *)from + members[i].offset, sizeof(s));
        if (s.p)
            json_object_set_new(j, members[i].name, json_stringn_nocheck(s.p, s.n));
    }
    return j;
}

static void from_json(struct arena *a, const json_t *j, void *to, const struct member *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str s = json_str(json_object_get(j, members[i].name));
        if (s.p)
            s = arena_str(a, s);
        memcpy((char *)to + members[i].offset, &s, sizeof(s));
    }
}

/* ---- authorization codes ---- */

static const struct member code_members[] = {
    MEMBER(auth_code, session_id),
    MEMBER(auth_code, client_id),
    MEMBER(auth_code, redirect_uri),
    MEMBER(auth_code, scope),
    MEMBER(auth_code, nonce),
    MEMBER(auth_code, state),
    MEMBER(auth_code, code_challenge),
    MEMBER(auth_code, code_challenge_method),
    MEMBER(auth_code, acr),
    MEMBER(auth_code, dpop_jkt),
    MEMBER(auth_code, claims),
};

int auth_code_new(struct sessions *s, const struct realm *r, const struct auth_code *what, struct buf *to,
                  struct err *err)
{
    json_t *value = to_json(what, code_members, ARRAY_LEN(code_members));
    char id[UUID_TEXT_SIZE];
    int rc;

    json_object_set_new(value, "max_age_asked", json_boolean(what->max_age_asked));
    uuid_v4(id);
    rc = shelf_put(s, "code", r, str_from_cstr(id), value, sessions_clock(s) + r->code_lifespan, err);
    if (rc < 0)
        return rc;
    buf_addf(to, "%s.%.*s.%.*s", id, STR_ARG(what->session_id), STR_ARG(what->client_id));
    return buf_check(to, "the code", err);
}

int auth_code_take(struct sessions *s, const struct realm *r, struct arena *a, struct str code, struct auth_code *ret,
                   struct err *err)
{
    JSON_SCOPED json_t *value = NULL;
    struct str rest = code, id, session_id, client_id;
    enum shelf_state state;

    if (code.n > 256 || !str_split(&rest, '.', &id) || !str_split(&rest, '.', &session_id))
        return err_set(err, ERR_NOT_FOUND, "Code not valid");
    client_id = rest;
    state = shelf_get(s, "code", r, id, true, &value);
    if (state == SHELF_NONE)
        return err_set(err, ERR_NOT_FOUND, "Code not valid");
    from_json(a, value, ret, code_members, ARRAY_LEN(code_members));
    ret->max_age_asked = json_opt_bool(value, "max_age_asked", false);
    if (state == SHELF_TAKEN && client_session_end(s, r, ret->session_id, ret->client_id, false, err) < 0)
        return ERR_UNAVAILABLE;
    if (state == SHELF_TAKEN || !str_eq(session_id, ret->session_id) || !str_eq(client_id, ret->client_id))
        return err_set(err, ERR_NOT_FOUND, "Code not valid");
    return 0;
}

/* ---- device codes: the device's is the key of the entry; the user's leads to it ---- */

static const struct member device_members[] = {
    MEMBER(device_code, device_code), MEMBER(device_code, user_code),
    MEMBER(device_code, client_id),   MEMBER(device_code, scope),
    MEMBER(device_code, nonce),       MEMBER(device_code, code_challenge),
    MEMBER(device_code, session_id),  MEMBER(device_code, code_challenge_method),
};
enum { USER_CODE_LETTERS = 8, USER_CODE_TRIES = 8 };

/* Consonants that look like nothing else and spell no words (RFC 8628, 6.1): 20^8 is 34.6 bits. */
static const char user_letters[] = "BCDFGHJKLMNPQRSTVWXZ";

/* The user's code as it is kept: upper case, no dash. */
static struct str normal(struct arena *a, struct str user_code)
{
    char *p = arena_alloc(a, user_code.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < user_code.n; i++) {
        char c = user_code.p[i];
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (c != '-' && c != ' ')
            p[n++] = c;
    }
    return str_from(p, n);
}

int device_code_new(struct sessions *s, const struct realm *r, struct arena *a, const struct device_code *what,
                    struct device_code *ret, struct err *err)
{
    char device[44], user[USER_CODE_LETTERS + 2];
    struct device_code d = *what;
    int rc = ERR_EXISTS;

    rand_alnum(device, sizeof(device) - 1);
    d.device_code = arena_str(a, str_from_cstr(device));
    d.expires = sessions_clock(s) + r->device_code_lifespan;
    d.interval = r->device_interval > 0 ? r->device_interval : 5;
    for (int i = 0; rc == ERR_EXISTS && i < USER_CODE_TRIES; i++) {
        size_t n = 0;
        for (int k = 0; k < USER_CODE_LETTERS; k++) {
            if (k == USER_CODE_LETTERS / 2)
                user[n++] = '-';
            user[n++] = user_letters[rand_u64() % (sizeof(user_letters) - 1)];
        }
        d.user_code = arena_str(a, str_from(user, n));
        rc = shelf_put(s, "user-code", r, normal(a, d.user_code), json_string(device), d.expires, err);
    }
    if (rc < 0)
        return rc;
    {
        json_t *value = to_json(&d, device_members, ARRAY_LEN(device_members));
        json_object_set_new(value, "expires", json_integer(d.expires));
        json_object_set_new(value, "interval", json_integer(d.interval));
        json_object_set_new(value, "status", json_integer(DEVICE_PENDING));
        /* Kept a while longer, so that a late device hears "expired" and not "unknown". */
        rc = shelf_put(s, "device-code", r, d.device_code, value, d.expires + 60, err);
    }
    if (rc == 0)
        *ret = d;
    return rc;
}

static int find_device(struct sessions *s, const struct realm *r, struct arena *a, struct str device_code,
                       struct device_code *ret, json_t **value, struct err *err)
{
    if (device_code.n > 128 || shelf_get(s, "device-code", r, device_code, false, value) != SHELF_THERE)
        return err_set(err, ERR_NOT_FOUND, "Device code not valid");
    from_json(a, *value, ret, device_members, ARRAY_LEN(device_members));
    ret->expires = json_opt_i64(*value, "expires", 0);
    ret->interval = json_opt_i64(*value, "interval", 5);
    return 0;
}

static int find_by_user(struct sessions *s, const struct realm *r, struct arena *a, struct str user_code,
                        struct device_code *ret, json_t **value, struct err *err)
{
    JSON_SCOPED json_t *device = NULL;

    if (user_code.n > 32 || shelf_get(s, "user-code", r, normal(a, user_code), false, &device) != SHELF_THERE ||
        find_device(s, r, a, json_str(device), ret, value, NULL) < 0 || ret->expires <= sessions_clock(s) ||
        json_opt_i64(*value, "status", DEVICE_DENIED) != DEVICE_PENDING)
        return err_set(err, ERR_NOT_FOUND, "Invalid code, please try again.");
    return 0;
}

int device_code_of_user(struct sessions *s, const struct realm *r, struct arena *a, struct str user_code,
                        struct device_code *ret, struct err *err)
{
    JSON_SCOPED json_t *value = NULL;

    return find_by_user(s, r, a, user_code, ret, &value, err);
}

static int decide(struct sessions *s, const struct realm *r, struct str user_code, struct str session_id,
                  enum device_status status, struct err *err)
{
    JSON_SCOPED json_t *value = NULL;
    ARENA_SCOPED struct arena a;
    struct device_code d;
    int rc;

    arena_init(&a, 0);
    rc = find_by_user(s, r, &a, user_code, &d, &value, err);
    if (rc < 0)
        return rc;
    json_object_set_new(value, "status", json_integer(status));
    if (session_id.p)
        json_object_set_new(value, "session_id", json_stringn(session_id.p, session_id.n));
    shelf_replace(s, "device-code", r, d.device_code, json_incref(value));
    shelf_remove(s, "user-code", r, normal(&a, user_code));
    return 0;
}

int device_code_approve(struct sessions *s, const struct realm *r, struct str user_code, struct str session_id,
                        struct err *err)
{
    return decide(s, r, user_code, session_id, DEVICE_APPROVED, err);
}

int device_code_deny(struct sessions *s, const struct realm *r, struct str user_code, struct err *err)
{
    return decide(s, r, user_code, STR_NULL, DEVICE_DENIED, err);
}

int device_code_poll(struct sessions *s, const struct realm *r, struct arena *a, struct str device_code,
                     struct str client_id, struct device_code *ret, enum device_status *ret_status, struct err *err)
{
    JSON_SCOPED json_t *value = NULL;
    struct device_code d;
    int rc = find_device(s, r, a, device_code, &d, &value, err);

    if (rc == 0 && !str_eq(d.client_id, client_id))
        rc = err_set(err, ERR_NOT_FOUND, "unauthorized client");
    if (rc < 0)
        return rc;
    *ret = d;
    *ret_status = (enum device_status)json_opt_i64(value, "status", DEVICE_DENIED);
    if (d.expires <= sessions_clock(s))
        *ret_status = DEVICE_EXPIRED;
    /* Two polls within the interval: RFC 8628, 3.5. */
    else if (sessions_use_once(s, r, "device-poll", device_code, sessions_clock(s) + d.interval, NULL) < 0)
        *ret_status = DEVICE_SLOW_DOWN;
    if (*ret_status == DEVICE_APPROVED || *ret_status == DEVICE_DENIED) {
        JSON_SCOPED json_t *again = NULL;
        /* Of two that poll at once, one gets it. */
        if (shelf_get(s, "device-code", r, device_code, true, &again) != SHELF_THERE)
            return err_set(err, ERR_NOT_FOUND, "Device code not valid");
        shelf_remove(s, "device-code", r, device_code);
        shelf_remove(s, "user-code", r, normal(a, d.user_code));
    }
    return 0;
}
