/*
 * Which URLs a client may be answered at: redirect URIs, post-logout redirect URIs, web origins; Keycloak's rules
 * (RedirectUtils), on URLs that http/url.h has found to mean the same to everybody.
 *
 *   exact text       no normalisation: "https://a/cb" is not "https://a:443/cb"
 *   "…*" at the end  a prefix, without query; never when the URL has dot segments; "https://a*" is "https://a/" and below,
 *                    not "https://a.example"
 *   "*"              any http or https URL
 *   "/path"          relative: below the client's root URL, or this service's own address
 *   loopback         http to localhost, 127.0.0.1 or [::1] matches a pattern without port from any port
 *   own schemes      "com.example.app:/cb" only when a pattern names the scheme
 *
 * A URL that brings one of the parameters of an answer ("code", "state", …) in its query is refused, as Keycloak 26.6.5
 * does, and so are fragments, user information and the out-of-band URN.
 */
#ifndef IDENTITY_LOGIN_REDIRECT_H
#define IDENTITY_LOGIN_REDIRECT_H

#include "identity/model.h"

/* `origin`: this service's address as the client sees it, "https://id.example.org". `uri` null: the client's only redirect
 * URI when `required` is false (OAuth without openid), else refused. ret: absolute, in the arena. ERR_DENIED. */
MUST_CHECK int redirect_verify(struct arena *a, const struct client *c, struct str origin, struct str uri,
                               bool required, struct str *ret, struct err *err);
/* By the client's attribute post.logout.redirect.uris: "##" between patterns, "+" for the redirect URIs, "-" for none. */
MUST_CHECK int redirect_verify_post_logout(struct arena *a, const struct client *c, struct str origin, struct str uri,
                                           struct str *ret, struct err *err);
/* May pages of this origin ("https://app.example.org") read our answers (CORS)? "+" stands for the origins of the redirect
 * URIs, "*" for all. */
bool redirect_allows_origin(struct arena *a, const struct client *c, struct str own_origin, struct str origin);

#endif
