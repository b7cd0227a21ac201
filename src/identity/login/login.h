/*
 * What people see: the authorization endpoint and the pages of a login, logout, the page for device codes, the account.
 *
 *   authorize.c      the authorization endpoint: checks in Keycloak's order, single sign-on, where to go next
 *   steps.c          login-actions: password, one-time code, required actions, consent
 *   complete.c       the end of a login: session, cookies, code or tokens, the answer to the client
 *   device.c         the page where a device's code is typed
 *   end_session.c    RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0)
 *   account.c        profile, password, authenticators, sessions, consents
 *   visit.c          what all of them do first and last: realm, language, forms, cookies, headers
 *   flow.c           logins on their way;  redirect.c  who may be answered where
 *   template.c, messages.c, pages/, messages/    the pages and their texts
 */
#ifndef IDENTITY_LOGIN_LOGIN_H
#define IDENTITY_LOGIN_LOGIN_H

#include "identity/oidc.h"

struct flows;

/* The context of the routes here; begins with what those of oidc.h expect, so that one router serves both. */
struct login {
    struct oidc oidc;
    struct flows *flows;
};

/* `l` is filled by the caller but for `flows`. */
void login_init(struct login *l);
void login_release(struct login *l);

/* GET, POST /realms/{realm}/protocol/openid-connect/auth, …/logout, …/logout/logout-confirm
 * GET, POST /realms/{realm}/login-actions/{authenticate,required-action,consent,restart}
 * GET, POST /realms/{realm}/device; GET …/device/status; GET, POST /realms/{realm}/account[/{section}]
 * GET /resources/login/style.css */
extern const struct http_route login_routes[];
extern const size_t login_route_count;

/* The page for a request that no route takes. */
void login_refuse(struct login *l, struct http_request *r, int status, const char *allow);

#endif
