/*
 * Trino's password file (password-authenticator.name=file): a line "user:hash" each, with bcrypt ($2a$, $2b$, $2y$; cost 8
 * or more) or PBKDF2 with HMAC-SHA1 (ITERATIONS:SALT:HASH in hexadecimal; 1000 iterations or more). Read again when it
 * changed; a file that is broken lets nobody in until it is mended.
 */
#ifndef ACCESS_PASSWORD_FILE_H
#define ACCESS_PASSWORD_FILE_H

#include "base/arena.h"

struct password_file;

MUST_CHECK int password_file_new(struct str path, int64_t refresh_ms, struct password_file **ret, struct err *err);
void password_file_free(struct password_file *f);
/* True when the password is the user's. Takes as long as the hash does, also for a user who isn't there; what was right
 * is remembered (as a keyed digest), so that a client's next request costs nothing. Any thread. */
bool password_file_verify(struct password_file *f, struct str user, struct str password);

#endif
