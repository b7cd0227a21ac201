/* The service `identity`: its process, what it makes at the start, and import and export of realms. */
#ifndef IDENTITY_SERVICE_H
#define IDENTITY_SERVICE_H

#include "base/json.h"
#include "secrets/secrets.h"
#include "spec/spec.h"

/* Runs until SIGTERM. The secrets are the caller's. */
MUST_CHECK int identity_service_run(const struct spec *spec, struct secrets *secrets, struct err *err);

/* A realm export file, or an array of them, into the platform's database. A realm of that name is ERR_EXISTS, or with
 * `replace` dropped first, with its users. *ret_n: realms made. A service that runs has to be started again. */
MUST_CHECK int identity_service_import(const struct spec *spec, const json_t *file, bool replace, size_t *ret_n,
                                       struct err *err);
/* A realm as Keycloak's export writes it; `with_users`: their credentials too. The caller owns *ret. */
MUST_CHECK int identity_service_export(const struct spec *spec, struct str realm, bool with_users, json_t **ret,
                                       struct err *err);

#endif
