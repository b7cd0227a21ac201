/*
 * The admin API: everything under /admin, as Keycloak 26.7 answers it to kcadm, its Terraform provider, python-keycloak and
 * keycloak-config-cli. Routes for the service's router; `ctx` of each is a struct oidc.
 *
 * What isn't supported (identity brokering, LDAP, organisations, own authentication flows) is answered with 501 and a
 * message that names it.
 */
#ifndef IDENTITY_ADMIN_H
#define IDENTITY_ADMIN_H

#include "identity/oidc.h"

extern const struct http_route admin_routes[];
extern const size_t admin_route_count;

#endif
