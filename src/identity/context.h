/*
 * What the parts of the identity service share: made once by the service, given to every handler, valid until it ends.
 * The parts' own headers say what theirs does; this one has no functions, so that all may include it.
 */
#ifndef IDENTITY_CONTEXT_H
#define IDENTITY_CONTEXT_H

#include "base/str.h"

struct identity; /* model.h */
struct events;   /* event.h */
struct brute;    /* brute.h */
struct sessions; /* session.h */

struct identity_context {
    struct identity *model;
    struct events *events;
    struct brute *brute;
    struct sessions *sessions;
    /* Where clients see the service: "https://id.example.org", without a slash at its end. Null: as the request's Host
     * (or, from a trusted proxy, its X-Forwarded-*) says, which is Keycloak's behaviour without `hostname`. */
    struct str public_url;
    bool secure_cookies; /* by TLS, or a proxy that ends it */
    /* The platform's own CA, for clients that are its services: tried when the system's CAs don't know a client's server.
     * NULL: there is none. */
    const char *ca_file;
};

#endif
