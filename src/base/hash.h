/*
 * Digests and checksums, one streaming shape for all: the ones that S3 clients send, that SigV4 signs with, and
 * that JWTs use. Cryptographic ones are OpenSSL's; CRCs are ours (tables made at first use, slice-by-8).
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

enum hash_kind { HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_SHA512, HASH_CRC32, HASH_CRC32C, HASH_CRC64NVME };

enum { HASH_MAX_SIZE = 64 };

struct hash {
    enum hash_kind kind;
    uint64_t crc;
    void *evp; /* EVP_MD_CTX, for the cryptographic ones */
};

size_t hash_size(enum hash_kind kind); /* bytes of the digest */
void hash_init(struct hash *h, enum hash_kind kind);
void hash_update(struct hash *h, const void *p, size_t n);
/* Writes hash_size(kind) bytes (CRCs big-endian, as S3's headers encode them) and releases the context. */
void hash_final(struct hash *h, unsigned char *out);
void hash_release(struct hash *h); /* for one that is abandoned; harmless after hash_final */

void hash_bytes(enum hash_kind kind, struct str data, unsigned char *out); /* hash_size(kind) bytes */
void hash_hmac_sha256(struct str key, struct str data, unsigned char out[32]);

/* The CRC of A‖B from crc(A), crc(B) and B's length: for S3's full-object checksums of multipart uploads. */
uint64_t hash_crc_combine(enum hash_kind kind, uint64_t crc_a, uint64_t crc_b, uint64_t length_b);

#endif
