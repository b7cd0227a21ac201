/* UUIDs in text, RFC 9562: version 4 (random) and 7 (time-ordered). `out` gets 36 characters and a NUL. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/str.h"

enum { UUID_TEXT_SIZE = 37 };

void uuid_v4(char out[UUID_TEXT_SIZE]);
void uuid_v7(char out[UUID_TEXT_SIZE]);
void uuid_format(const unsigned char bytes[16], char out[UUID_TEXT_SIZE]);
/* Reads 8-4-4-4-12 hexadecimal text, either case. */
MUST_CHECK int uuid_parse(struct str text, unsigned char ret[16], struct err *err);

#endif
