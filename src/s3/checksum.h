/* The checksums that S3 clients may send and ask for: names in headers, XML and algorithm lists, and their text. */
#ifndef S3_CHECKSUM_H
#define S3_CHECKSUM_H

#include "objects/objects.h"

struct checksum_kind {
    enum hash_kind kind;
    const char *algorithm;  /* CRC64NVME */
    const char *header;     /* x-amz-checksum-crc64nvme */
    const char *xml;        /* ChecksumCRC64NVME */
    bool composite_allowed; /* AWS: CRC64NVME is of full objects only, SHAs of parts only */
    bool full_object_allowed;
};

enum { CHECKSUM_KINDS = 5 };
extern const struct checksum_kind checksum_kinds[CHECKSUM_KINDS];

const struct checksum_kind *checksum_by_kind(int kind);             /* NULL: -1, or none of S3's */
const struct checksum_kind *checksum_by_algorithm(struct str name); /* any case */
const struct checksum_kind *checksum_by_header(struct str name);    /* any case */
/* Base64; behind a composite one "-N". */
struct str checksum_text(struct arena *a, const struct objects_checksum *c, uint32_t part_count);
/* Exactly hash_size(kind) bytes in base64, or InvalidRequest naming the header. */
MUST_CHECK int checksum_read(const struct checksum_kind *k, struct str text, unsigned char ret[HASH_MAX_SIZE],
                             struct err *err);

#endif
