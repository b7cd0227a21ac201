/*
 * The aws-chunked content encoding, decoded as it arrives: chunks with or without signatures, and trailers.
 *
 *   10000;chunk-signature=ad80…\r\n  65536 bytes \r\n  …  0;chunk-signature=b6c6…\r\n
 *   x-amz-checksum-crc32c:sOO8/Q==\r\n  x-amz-trailer-signature:d81f…\r\n  \r\n
 *
 * Nothing is buffered but a line: bytes go on to the sink before their chunk's signature was seen, so whoever takes
 * them must not let them be visible until chunked_finish succeeded. Error names are S3's.
 */
#ifndef S3_CHUNKED_H
#define S3_CHUNKED_H

#include "auth/sigv4.h"
#include "base/hash.h"

enum { CHUNKED_LINE_MAX = 1024, CHUNKED_TRAILERS_MAX = 16 };

struct chunked_trailer {
    struct str name, value; /* lower-case name, trimmed value */
};

struct chunked {
    const struct sigv4 *signature;
    bool is_signed, has_trailer;
    int state;
    uint64_t left, allowed; /* bytes: of the chunk; of the whole that is declared */
    char line[CHUNKED_LINE_MAX];
    size_t line_n;
    char previous[65], claimed[65]; /* signatures */
    struct hash hash;               /* of the chunk, then of the trailer */
    bool is_hashing, trailer_is_signed;
    struct chunked_trailer trailers[CHUNKED_TRAILERS_MAX];
    size_t trailer_count;
};

typedef int (*chunked_sink)(void *ctx, struct str bytes, struct err *err);

/* `s` (which has to outlive it) says which of the three streaming forms; `decoded_length`: as the client declared. */
void chunked_init(struct chunked *c, const struct sigv4 *s, uint64_t decoded_length);
void chunked_release(struct chunked *c);
/* Decodes a piece, of any size; the arena takes the trailers. */
MUST_CHECK int chunked_feed(struct chunked *c, struct arena *a, struct str piece, chunked_sink sink, void *ctx,
                            struct err *err);
/* IncompleteBody unless all was there. */
MUST_CHECK int chunked_finish(const struct chunked *c, struct err *err);
struct str chunked_trailer(const struct chunked *c, struct str name); /* null: absent */

#endif
