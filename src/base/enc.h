/* Text encodings of bytes: hexadecimal, base64 (RFC 4648), percent-encoding (RFC 3986). */
#ifndef BASE_ENC_H
#define BASE_ENC_H

#include "base/buf.h"

int enc_hex_value(char c);                             /* 0..15, or -1 */
void enc_hex(struct buf *to, const void *p, size_t n); /* lower case */
/* Exactly n bytes from 2n hexadecimal characters. */
MUST_CHECK int enc_unhex(struct str text, void *ret, size_t n, struct err *err);

void enc_base64(struct buf *to, const void *p, size_t n);    /* with padding */
void enc_base64url(struct buf *to, const void *p, size_t n); /* RFC 4648 section 5, no padding */
/* Appends the decoded bytes. Strict: alphabet, padding and zero rest bits are checked. */
MUST_CHECK int enc_unbase64(struct buf *to, struct str text, struct err *err);
MUST_CHECK int enc_unbase64url(struct buf *to, struct str text, struct err *err); /* padding refused */

/* Percent-encodes all but RFC 3986's unreserved characters; '/' too unless keep_slash. Upper-case hex, as SigV4. */
void enc_percent(struct buf *to, struct str s, bool keep_slash);
/* Decodes %XX; '+' as a space when `plus_is_space` (form encoding). A malformed escape is ERR_INVALID. */
MUST_CHECK int enc_unpercent(struct buf *to, struct str s, bool plus_is_space, struct err *err);

#endif
