/* The second half of PKCE: the verifier that comes with a code. The first is in oidc.h. */
#ifndef IDENTITY_OIDC_PKCE_H
#define IDENTITY_OIDC_PKCE_H

#include "base/str.h"

/* `method` null or "plain": the challenge is the verifier. Without a challenge there may be no verifier: whoever sends one
 * believes that the code is bound to it, and it isn't (RFC 9700, 4.8.2). ERR_DENIED with Keycloak's words. */
MUST_CHECK int pkce_check_verifier(struct str challenge, struct str method, struct str verifier, struct err *err);

#endif
