/*
 * Who sends a request: Trino's authenticators, tried in the order that the spec names. What none of them takes is 401 with
 * each one's WWW-Authenticate. Only requests over TLS are asked (the proxy's, where a trusted one ends it); others are
 * refused, so that no password travels in the clear.
 *
 *   password     Basic: Trino's password file, or the users of the identity's realm
 *   jwt          Bearer: a token of the issuer
 *   oauth2       Bearer: the same, got by Trino's external authentication (oauth2.h)
 *   certificate  the client's TLS certificate
 *
 * Each maps its principal to a user.
 */
#ifndef TRINO_AUTHENTICATE_H
#define TRINO_AUTHENTICATE_H

#include "http/server.h"
#include "spec/spec.h"
#include "sql/session.h"

struct authenticators;

/* *ret NULL when the spec names none. The spec outlives them. */
MUST_CHECK int authenticators_new(const struct spec *spec, struct authenticators **ret, struct err *err);
void authenticators_stop(struct authenticators *a); /* before the server: nobody waits any more */
void authenticators_free(struct authenticators *a);

/* Sets the session's authenticated user, principal and groups, and `user` and `original_user` from the headers. False: the
 * answer was sent. May wait for the issuer: not for a network thread. */
bool authenticators_check(struct authenticators *a, struct http_request *r, struct session *to);
/* The paths of external authentication; false when it's none of them. */
bool authenticators_handle(struct authenticators *a, struct http_request *r);

#endif
