/*
 * Logins on their way: what a browser was sent here for, and how far it has come. A browser has one root (the cookie
 * AUTH_SESSION_ID) with a flow for each tab, so that two tabs don't disturb each other. In memory and bounded, as Keycloak's
 * are: after a restart the cookie KC_RESTART begins anew.
 *
 * A flow is read as a copy and written back by its action code. The code is new after each step: a form that is sent twice,
 * or from an old page, finds that its code is gone, and nobody else can know it.
 */
#ifndef IDENTITY_LOGIN_FLOW_H
#define IDENTITY_LOGIN_FLOW_H

#include "base/arena.h"

struct flows;

enum { FLOW_ID_SIZE = 25, FLOW_TAB_SIZE = 12, FLOW_CODE_SIZE = 44 }; /* with the NUL */

enum flow_text {
    FLOW_REALM,  /* id */
    FLOW_CLIENT, /* the client's UUID */
    FLOW_REDIRECT_URI,
    FLOW_REDIRECT_PARAM, /* redirect_uri as it was sent; null: it wasn't */
    FLOW_RESPONSE_TYPE,
    FLOW_RESPONSE_MODE,
    FLOW_STATE,
    FLOW_NONCE,
    FLOW_SCOPE,
    FLOW_CODE_CHALLENGE,
    FLOW_CODE_CHALLENGE_METHOD,
    FLOW_CLAIMS,
    FLOW_PROMPT,
    FLOW_LOGIN_HINT,
    FLOW_LOCALES, /* ui_locales, or kc_locale */
    FLOW_ACTION,  /* kc_action: a required action that the application asks for */
    FLOW_DPOP_JKT,
    FLOW_USER,      /* id, once known */
    FLOW_USERNAME,  /* as typed */
    FLOW_EXECUTION, /* what the next form is for: "password", "otp", "consent", a required action */
    FLOW_SECRET,    /* of the authenticator being set up: raw bytes */
    FLOW_SESSION,   /* the login that single sign-on found: the session goes on */
    FLOW_USER_CODE, /* of a device; then there is no redirect URI */
    FLOW_QUERY,     /* the authorization request's parameters, for KC_RESTART */
    FLOW_TEXTS
};

struct flow {
    char root[FLOW_ID_SIZE], tab[FLOW_TAB_SIZE], code[FLOW_CODE_SIZE];
    struct str text[FLOW_TEXTS]; /* null: none */
    int64_t max_age;             /* seconds; -1: not asked */
    int64_t created, auth_time;  /* seconds; auth_time 0: not logged in by this flow yet */
    bool remember_me;
    bool reauthenticate; /* somebody is logged in, but has to show it again */
    bool password_done, otp_done, consent_done, action_done, action_cancelled, is_logout;
};

struct flows *flows_new(void);
void flows_free(struct flows *f); /* wipes */

/* A new flow; root empty: a new root as well. `lifetime_s`: until when it has to be done. Fills root, tab, code, created.
 * Dropping the oldest when there are too many. */
void flow_add(struct flows *f, struct flow *flow, int64_t now, int64_t lifetime_s);
/* A copy whose texts lie in the arena. ERR_NOT_FOUND: no such flow, or its time is over. */
MUST_CHECK int flow_get(struct flows *f, struct arena *a, struct str root, struct str tab, int64_t now,
                        struct flow *ret, struct err *err);
/* Writes it back with a new code if `flow->code` is still the stored one; ERR_CONFLICT otherwise. */
MUST_CHECK int flow_put(struct flows *f, struct flow *flow, struct err *err);
void flow_remove(struct flows *f, struct str root, struct str tab);
/* Takes it out, if `flow->code` is still the stored one: of several that would end it, one does. Else ERR_CONFLICT. */
MUST_CHECK int flow_take(struct flows *f, const struct flow *flow, struct err *err);
/* True when the root is known, whatever its tabs. */
bool flow_has_root(struct flows *f, struct str root, int64_t now);

#endif
