/*
 * What the index stores: records and their encoding. A record is
 *
 *   version (1)  kind  body…  CRC32C of all before it
 *
 * with little-endian integers, and strings as a 16-bit length and bytes. Everything read back is bounds-checked and the
 * checksum compared: a damaged index is ERR_CORRUPT, never a crash and never somebody else's bytes. Nothing here knows
 * LMDB.
 */
#ifndef OBJECTS_INDEX_H
#define OBJECTS_INDEX_H

#include "base/buf.h"
#include "objects/objects.h"

enum { INDEX_ID_SIZE = 16, INDEX_INLINE_MAX = 8192, INDEX_RECORD_MAX = 64 << 10 };

/* Where bytes are: in the record itself, or in the blob `id`. An inline one has an id too, unique to the version. */
struct index_data {
    unsigned char id[INDEX_ID_SIZE];
    bool is_inline;
    struct str bytes; /* when inline; points into the record when decoded */
};

struct index_bucket {
    int64_t created_ms;
    uint64_t objects_root, uploads_root; /* trees: see tree.h */
};

struct index_object {
    uint64_t size;
    int64_t modified_ms;
    struct str etag;
    uint32_t part_count;
    struct objects_checksum checksum;
    struct index_data data;
    const struct objects_meta *meta;
    size_t meta_count;
};

struct index_upload {
    uint64_t parts; /* prefix of its keys among the parts */
    int64_t started_ms;
    int checksum_kind; /* -1: none */
    bool checksum_composite;
    const struct objects_meta *meta;
    size_t meta_count;
};

struct index_part {
    uint64_t size;
    int64_t modified_ms;
    struct str etag;
    struct objects_checksum checksum;
    struct index_data data;
};

void index_encode_bucket(struct buf *to, const struct index_bucket *b);
void index_encode_object(struct buf *to, const struct index_object *o);
void index_encode_upload(struct buf *to, const struct index_upload *u);
void index_encode_part(struct buf *to, const struct index_part *p);
/* Strings point into `record`; arrays are in the arena. `a` NULL in decode_object: leave out the metadata. */
MUST_CHECK int index_decode_bucket(struct str record, struct index_bucket *ret, struct err *err);
MUST_CHECK int index_decode_object(struct str record, struct arena *a, struct index_object *ret, struct err *err);
MUST_CHECK int index_decode_upload(struct str record, struct arena *a, struct index_upload *ret, struct err *err);
MUST_CHECK int index_decode_part(struct str record, struct index_part *ret, struct err *err);

void index_put_u64(unsigned char out[8], uint64_t v); /* big-endian: keys sort as numbers */
uint64_t index_get_u64(const unsigned char in[8]);

#endif
