/* The routes of the protocol's endpoints. */
#include "identity/oidc/internal.h"

#define REALM "/realms/{realm}"
#define PROTOCOL REALM "/protocol/openid-connect/"

const struct http_route oidc_routes[] = {
    {.method = "GET", .pattern = REALM, .handle = oidc_get_realm},
    {.method = "GET", .pattern = REALM "/.well-known/openid-configuration", .handle = oidc_get_discovery},
    {.method = "GET", .pattern = REALM "/.well-known/oauth-authorization-server", .handle = oidc_get_discovery},
    {.method = "GET", .pattern = "/.well-known/oauth-authorization-server" REALM, .handle = oidc_get_discovery},
    {.method = "GET", .pattern = PROTOCOL "certs", .handle = oidc_get_certs},
    {.method = "POST", .pattern = PROTOCOL "token", .handle = oidc_post_token, .body_max = 256 << 10},
    {.method = "POST", .pattern = PROTOCOL "token/introspect", .handle = oidc_post_introspect, .body_max = 256 << 10},
    {.method = "POST", .pattern = PROTOCOL "revoke", .handle = oidc_post_revoke, .body_max = 256 << 10},
    {.method = "POST", .pattern = PROTOCOL "auth/device", .handle = oidc_post_device},
    {.method = "POST", .pattern = PROTOCOL "ext/par/request", .handle = oidc_post_par},
    {.method = "GET", .pattern = PROTOCOL "userinfo", .handle = oidc_userinfo},
    {.method = "POST", .pattern = PROTOCOL "userinfo", .handle = oidc_userinfo, .body_max = 256 << 10},
    {.method = "OPTIONS", .pattern = REALM, .handle = oidc_options, .flags = HTTP_ROUTE_FAST},
    {.method = "OPTIONS",
     .pattern = REALM "/.well-known/openid-configuration",
     .handle = oidc_options,
     .flags = HTTP_ROUTE_FAST},
    {.method = "OPTIONS", .pattern = PROTOCOL "certs", .handle = oidc_options, .flags = HTTP_ROUTE_FAST},
    {.method = "OPTIONS", .pattern = PROTOCOL "token", .handle = oidc_options, .flags = HTTP_ROUTE_FAST},
    {.method = "OPTIONS", .pattern = PROTOCOL "token/introspect", .handle = oidc_options, .flags = HTTP_ROUTE_FAST},
    {.method = "OPTIONS", .pattern = PROTOCOL "revoke", .handle = oidc_options, .flags = HTTP_ROUTE_FAST},
    {.method = "OPTIONS", .pattern = PROTOCOL "auth/device", .handle = oidc_options, .flags = HTTP_ROUTE_FAST},
    {.method = "OPTIONS", .pattern = PROTOCOL "ext/par/request", .handle = oidc_options, .flags = HTTP_ROUTE_FAST},
    {.method = "OPTIONS", .pattern = PROTOCOL "userinfo", .handle = oidc_options, .flags = HTTP_ROUTE_FAST},
};
const size_t oidc_route_count = ARRAY_LEN(oidc_routes);
