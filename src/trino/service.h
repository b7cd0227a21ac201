/*
 * The `sql` service: Trino's client protocol, version 1, as release 476 speaks it.
 *
 *   service.c     puts the process together: engine, catalogs of the spec, queries, routes
 *   statement.c   /v1/statement: submit, page, cancel
 *   session.c     X-Trino-* headers, both ways
 *   authenticate.c who sends a request: passwords, tokens, certificates
 *   oauth2.c      external authentication: from a 401 over the browser's login to a token
 *   issuer.c      the OpenID provider of both
 *   encode.c      chunks to JSON rows, by Trino's types
 *   columns.c     "columns" with type signatures
 *   errors.c      the one place that renders struct err: names to codes and types
 *   info.c        /v1/info, /v1/status, /v1/query
 */
#ifndef TRINO_SERVICE_H
#define TRINO_SERVICE_H

#include "secrets/secrets.h"
#include "spec/spec.h"

/* Runs until SIGTERM. `extension_dir`: where the engine's signed extensions are. */
MUST_CHECK int trino_service_run(const struct spec *spec, struct secrets *secrets, const char *extension_dir,
                                 struct err *err);

#endif
